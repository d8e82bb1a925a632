"""Integrals by the weights of summation by parts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.cell_sums import integrals
from ..geometry.build import grid_of_dimensions
from ..labels.arguments import resolve
from ..labels.axis import Axis
from ..labels.requested_units import RequestedUnits
from ..labels.results import integral_label, to_dataarray
from ..labels.units import product_units
from ..stencils.scheme import Scheme
from ..stencils.summation_by_parts import norm
from .by_parts import is_by_parts, scheme_by_parts
from .cell_integrals import IntegralOptions, packed, without_dims
from .fields import check_field
from .options import grid_options


def integral_by_parts(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    dim: Hashable | Iterable[Hashable],
    boundary: Any,
    options: IntegralOptions,
    requested: RequestedUnits | None,
) -> Any:
    """Integrate fields from the first to the last grid point of uniform axes.

    Parameters
    ----------
    obj, fields, dim, options, requested
        As for `cell_integrals.integral_over`.
    boundary : "sbp"
        The boundary, which is checked.
    """
    if not is_by_parts(boundary):
        raise ValueError(
            f"boundary is {short_repr(boundary)}; give 'sbp', or leave it out to integrate over "
            "whole cells"
        )
    scheme = scheme_by_parts(
        options.accuracy, metric=options.metric, skipna=options.skipna,
        periodic=options.periodic, positions=options.positions,
    )  # fmt: skip
    request = resolve(obj, dim, grid_options(None, None, None), fields)
    grid = grid_of_dimensions(obj, request)
    axes = [grid_axis.axis for grid_axis in grid.axes if isinstance(grid_axis.axis, Axis)]
    dims = [axis.dim for axis in axes]
    results = []
    for field in fields:
        if not set(dims) <= set(field.dims):
            continue
        da = check_field(field)
        weights, units = np.ones([1] * da.ndim), da.attrs.get("units")
        for axis in axes:
            weights = weights * _weights_along(axis, scheme, da)
            units = product_units(units, axis.units)
        label = integral_label(da, units, [str(axis.name) for axis in axes], requested, False)
        numbers = [da.dims.index(d) for d in dims]
        data = integrals(da.variable.data, weights * label.factor, numbers, False)
        results.append(to_dataarray(without_dims(da, dims), data, label))
    return packed(obj, results, dims)


def _weights_along(axis: Axis, scheme: Scheme, da: xr.DataArray) -> Any:
    """Return the weights along an axis, as an array with the dimensions of a field."""
    scheme.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")  # which checks the axis
    assert axis.nodes.step is not None
    shape = [axis.nodes.n if d == axis.dim else 1 for d in da.dims]
    return (norm(axis.nodes.n, scheme.accuracy) * abs(axis.nodes.step)).reshape(shape)
