"""Mixed derivatives: the product of one derivative along each of several coordinates."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..engine.evaluate import evaluate_sums
from ..geometry.boundaries import boundaries_of_field
from ..geometry.build import grid_of_dimensions
from ..geometry.cyclic import FieldsWithoutCyclicPoint
from ..geometry.expression import DerivativeTerm, Expression
from ..geometry.grid_axis import GridAxis
from ..geometry.lowering import LoweringContext
from ..labels.arguments import GridOptions, resolve
from ..labels.requested_units import RequestedUnits
from ..labels.results import mixed_label, pack_results, to_dataarray
from ..stencils.scheme import Scheme
from .fields import check_field, no_field_error, numeric_fields
from .smoothing import with_window


def mixed_derivative(
    obj: XarrayObject,
    dim: Mapping[Hashable, int],
    scheme: Scheme,
    options: GridOptions,
    requested: RequestedUnits | None,
) -> Any:
    """Return one mixed derivative, the product of one derivative along each axis."""
    if options.metric is not None:
        raise ValueError(
            "mixed derivatives are those of the coordinates; with a metric call "
            ".hessian, which has the second derivatives in metres"
        )
    if scheme.deriv != 1:
        raise ValueError("deriv is given twice, by itself and in dim; give it in dim only")
    if scheme.by_parts:
        raise ValueError(
            "boundary 'sbp' is not for mixed derivatives; name coordinates in a list, or leave it "
            "out"
        )
    rest = scheme.accuracy, scheme.edge_order, scheme.skipna
    schemes = [Scheme.checked(n, *rest) for n in dim.values()]
    if scheme.smoothing is not None:
        schemes = [each._replace(smoothing=scheme.smoothing) for each in schemes]
    fields = numeric_fields(obj) if isinstance(obj, xr.Dataset) else [obj]
    request = resolve(obj, list(dim), options, fields)
    grid = grid_of_dimensions(obj, request)
    grid_axes = [grid_axis for grid_axis in grid.axes if isinstance(grid_axis, GridAxis)]
    schemes = [with_window(*pair) for pair in zip(schemes, grid_axes, strict=True)]
    axes = [grid_axis.axis for grid_axis in grid_axes]
    fields = [da for da in fields if {axis.dim for axis in axes} <= set(da.dims)]
    if not fields:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, list(dim))
    results = []
    orders = list(zip(axes, (axis_scheme.deriv for axis_scheme in schemes), strict=True))
    for da in map(check_field, fields):
        label = mixed_label(da, orders, requested)
        factors = [label.factor, *(1.0 for _ in axes[1:])]
        inner = FieldsWithoutCyclicPoint(grid.cyclic, da.dims, [da.variable.data], [da.name])
        (data,) = inner.arrays
        boundaries = boundaries_of_field(grid, da, [da.name])
        for grid_axis, axis_scheme, factor in zip(grid_axes, schemes, factors, strict=True):
            term = DerivativeTerm(0, grid_axis, axis_scheme.deriv, factor)
            context = LoweringContext(
                grid, da.dims, data.shape, axis_scheme, (False,), boundaries=(boundaries,)
            )
            (data,) = evaluate_sums([data], [context.lower(Expression((term,)))])
            others = [dim for dim in boundaries if dim != grid_axis.dim]
            boundaries = {dim: boundaries[dim].of_derivative(dim) for dim in others}
        (data,) = inner.restore([data])
        results.append(to_dataarray(da, data, label))
    return pack_results(obj, results)
