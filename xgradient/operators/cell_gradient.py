"""Laplacian and gradient of fields at positions on cells."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.cell_axes import find_cell_axis
from ..geometry.find_measures import find_axis
from ..labels.attrs import describe_field
from ..labels.axis import Axis
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, make_label, pack_results
from ..labels.units import common_units, result_units
from ..stencils.nodes import uniform_nodes
from .cell_fields import CellFields
from .cell_operators import length_units, wrap
from .cell_options import CellOptions
from .cell_sums import (
    Addend,
    from_half,
    inverse,
    number,
    to_dtype_of,
    weighted_sum,
    without_missing,
)
from .fields import check_field, check_labelled, no_field_error, numeric_fields


def laplacian_of_fields(
    obj: XarrayObject, dim: Any, options: CellOptions, requested: RequestedUnits | None
) -> Any:
    """Return the Laplacian of a field, or of all fields of a Dataset that have the dimensions."""
    check_labelled(obj, "laplacian")
    if not options.conservative:
        raise ValueError(
            "positions are for form='conservative'; give it too, or leave positions out"
        )
    if dim is None:
        dim = list(obj.dims)
    names = [dim] if isinstance(dim, str) or not isinstance(dim, Iterable) else list(dim)
    fields = [obj] if isinstance(obj, xr.DataArray) else _fields_along(obj, names)
    results = [laplacian_on_cells(obj, da, names, options, requested) for da in fields]
    return pack_results(obj, results, len(results) == 1)


def _fields_along(ds: xr.Dataset, names: Sequence[Hashable]) -> list[xr.DataArray]:
    """Return the numeric variables of a Dataset along the axes of names."""
    axes = [find_cell_axis(ds, dim) for dim in ds.dims]
    wanted = [[name] if name in ds.dims else axes[find_axis(ds, axes, name)].names
              for name in names]  # fmt: skip
    fields = [da for da in numeric_fields(ds) if all(set(dims) & set(da.dims) for dims in wanted)]
    if not fields:
        raise no_field_error(ds, names)
    return fields


def laplacian_on_cells(
    obj: XarrayObject,
    da: xr.DataArray,
    names: Sequence[Hashable],
    options: CellOptions,
    requested: RequestedUnits | None,
) -> xr.DataArray:
    """Return the Laplacian of a field: the divergence of its gradient on the faces."""
    cells, sums = options.collect(obj, [da], names)
    measures, field = cells.measures, from_half(check_field(da).variable)
    own = [cells.dim(da, i) for i in range(len(names))]
    units = [result_units(da.attrs.get("units"), length_units(cells, own, i), 2)
             for i in range(len(own))]  # fmt: skip
    unit, factors = common_units(units, "a Laplacian")
    words = describe_field(da.attrs, da.name)
    name = "laplacian" if da.name is None else f"laplacian_{da.name}"
    long_name = None if words is None else f"Laplacian of {words}"
    label = make_label(requested, da.attrs, name, unit, long_name)
    addends = [Addend(field, number(0.0))] if options.has_walls else []
    area = inverse(measures.measure(own, da.dims))
    for i, dim in enumerate(own):
        between = _between_position(cells, i, dim)
        positions = [axis.position(d) for axis, d in zip(cells.named, own, strict=True)]
        positions[i] = between
        to = cells.targets(positions)[i]
        dims = tuple(to if d == dim else d for d in da.dims)
        across = [d for j, d in enumerate(own) if j != i]
        weight = measures.measure(across, dims) * inverse(measures.length(to, dims))
        slope = [addend.times(weight) for addend in sums.derivative(field, dim, to)]
        flux = weighted_sum(slope, dims)
        if options.has_walls:
            flux, _ = without_missing(flux)
        factor = area * (factors[i] * label.factor)
        differences = sums.derivative(flux, to, dim, closed=True)
        addends += [addend.times(factor) for addend in differences]
    return wrap(da, to_dtype_of(da.variable, weighted_sum(addends, da.dims)), da, label)


def _between_position(cells: CellFields, number: int, dim: Hashable) -> str:
    """Return the position half a cell away: that of the data, else between all values."""
    axis = cells.named[number]
    return cells.face_position(number) if axis.is_center(dim) else "center"


def gradient_on_cells(
    obj: XarrayObject,
    da: xr.DataArray,
    name: Hashable,
    long_name: str,
    options: CellOptions,
    requested: RequestedUnits | None,
) -> xr.DataArray:
    """Return the derivative of a field along one axis, half a cell away and per length there."""
    cells, sums = options.collect(obj, [da], [name])
    dim = cells.dim(da, 0)
    axis, to = cells.named[0], options.to
    if to == "edges" and not axis.is_center(dim):
        raise ValueError(f"to is 'edges', but {str(dim)!r} is on faces itself; give 'center'")
    position = cells.face_position(0) if to == "edges" else to
    if axis.is_center(dim) == (position == "center"):
        raise ValueError(
            f"to is {to!r}, but {str(dim)!r} is at {axis.position(dim)!r} itself; give a position "
            "half a cell away"
        )
    (target,) = cells.targets([position])
    dims = tuple(target if d == dim else d for d in da.dims)
    scale = cells.measures.scale(target, dims)
    of_axis = Axis(dim, name, long_name, scale.attrs.get("units"), uniform_nodes(2, 1.0))
    label = derivative_label(da, of_axis, 1, requested)
    weight = inverse(scale) * label.factor
    addends = sums.derivative(check_field(da).variable, dim, target)
    result = weighted_sum([addend.times(weight) for addend in addends], dims)
    return wrap(cells.template(da, dims), result, da, label)
