"""Integrals as sums over cells: what is summed, along which dimensions, and the labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.cell_sums import RunningSum, integrals, running_integrals
from ..engine.evaluate import evaluate_sums
from ..engine.terms import Term, TermSum
from ..geometry.build import grid_of_dimensions
from ..geometry.cell_axes import CellAxis
from ..geometry.cell_measures import CellMeasures
from ..geometry.find_measures import find_cell_measures
from ..labels.arguments import GridOptions, resolve
from ..labels.coordinates import CoordRef, describe_coord, resolve_coord
from ..labels.points import ResultPoints
from ..labels.position_points import points_at_position
from ..labels.positions import Target, axis_dims, find_target
from ..labels.requested_units import RequestedUnits
from ..labels.results import Label, integral_label, pack_results, to_dataarray
from ..labels.units import product_units
from ..stencils.cell_integrals import Cells, cell_stencil
from ..stencils.table import identity_stencil
from .fields import check_field, no_field_error
from .options import grid_options
from .points import on_points, one_axis
from .pointwise import add_to_sums


class IntegralOptions(NamedTuple):
    """Hold the options of an integral.

    Attributes
    ----------
    metric, positions, periodic
        As the call has them; ``periodic`` is None for "auto".
    accuracy : int
        2 for values times lengths, more for polynomials.
    skipna : bool
        True if missing cells add nothing.
    """

    metric: Any
    positions: Any
    periodic: Any
    accuracy: int
    skipna: bool


def integral_over(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    dim: Hashable | Iterable[Hashable],
    options: IntegralOptions,
    requested: RequestedUnits | None,
) -> Any:
    """Integrate fields over coordinates.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data of the user.
    fields : list of DataArray
        The fields; those without one of the dimensions are left out.
    dim : name or list of names
        The coordinates.
    options : IntegralOptions
        The metric and the accuracy.
    requested : RequestedUnits or None
        Units that the call asks for.
    """
    refs, dims = read_dims(obj, dim)
    if all(len(ref.dims) == 1 for ref in refs):  # whose values are checked as for derivatives
        grid_of_dimensions(obj, resolve(obj, [r.name for r in refs], GridOptions(), fields))
    measures = _find_measures(obj, fields, dims, options)
    results = []
    for field in fields:
        if not set(dims) <= set(field.dims):
            continue
        da = check_field(field)
        names = [str(ref.name) for ref in refs]
        if options.accuracy > 2:
            data, weights, units = _polynomial_cells(da, dims, measures, options)
        else:
            weights = cell_size(measures, dims, da.dims)
            data, units = da.variable.data, weights.attrs.get("units")
        label = _label(da, units, names, requested)
        factors = _weights(weights, da) * label.factor
        axes = [da.dims.index(d) for d in dims]
        data = integrals(data, factors, axes, options.skipna)
        results.append(to_dataarray(without_dims(da, dims), data, label))
    return packed(obj, results, dims)


def cumulative_integral(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    dim: Hashable,
    to: Any,
    from_end: bool,
    options: IntegralOptions,
    requested: RequestedUnits | None,
) -> Any:
    """Integrate fields from one end of a coordinate to positions between their cells.

    Parameters
    ----------
    obj, fields, options, requested
        As for `integral_over`.
    dim : name
        The coordinate, along one dimension.
    to : str or None
        The position of the results; by default the faces that the data have, else all.
    from_end : bool
        True to begin at the last cell.
    """
    (ref,), (own,) = read_dims(obj, dim)
    if obj.sizes[own] < 2:
        raise ValueError(
            f"{str(own)!r} has {obj.sizes[own]} point, but cumulative_integrate needs 2 to find "
            "the faces of cells; call integrate instead"
        )
    measures = _find_measures(obj, fields, [own], options)
    cell_axis = measures.axis_of(own)
    target = find_target(
        obj, own, _default_position(obj, own, options) if to is None else to, options.positions,
        cell_axis.periodic,
    )  # fmt: skip
    periodic = [own] if cell_axis.periodic and options.periodic is None else options.periodic
    request = resolve(obj, ref.name, grid_options(None, None, periodic), fields)
    axis = one_axis(obj, request, "cumulative_integrate")
    points = points_at_position(obj, target, request.axes[0], axis)
    points = _at_ends_of_cells(points, measures, cell_axis, target)
    first = 0 if target.before_first else 1
    results = []
    for field in fields:
        if own not in field.dims:
            continue
        da = check_field(field)
        if options.accuracy > 2:
            data, weights, units = _polynomial_cells(da, [own], measures, options)
        else:
            weights = measures.length(own, da.dims)
            data, units = da.variable.data, weights.attrs.get("units")
        label = _label(da, units, [str(ref.name)], requested, cumulative=True)
        factors = _weights(weights, da) * (label.factor * _sign(measures, own))
        number = da.dims.index(own)
        sums = RunningSum(number, options.skipna, from_end, first, first + target.size)
        template = on_points(obj, da, points, own)
        results.append(to_dataarray(template, running_integrals(data, factors, sums), label))
    return packed(obj, results, [own])


def _at_ends_of_cells(
    points: ResultPoints, measures: CellMeasures, cell_axis: CellAxis, target: Target
) -> ResultPoints:
    """Return points with the ends of cells as coordinate, which are not beyond a pole."""
    number = measures.axes.index(cell_axis)
    measures.axes[number] = cell_axis.with_dim(target.position, target.dim)
    known = measures.coordinate(target.dim)
    if known is None or target.dim not in points.coords:
        return points
    attrs = points.coords[target.dim].attrs
    known = xr.Variable(known.dims, known.values, attrs)
    return points._replace(coords={**points.coords, target.dim: known})


def read_dims(
    obj: XarrayObject, dim: Hashable | Iterable[Hashable]
) -> tuple[list[CoordRef], list[Hashable]]:
    """Return the coordinates that names mean, and their dimensions.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or no dimension belongs to it, or names repeat a dimension.
    """
    names = [dim] if isinstance(dim, str) or not isinstance(dim, Iterable) else list(dim)
    if not names:
        raise ValueError(f"dim is {short_repr(dim)}; name the coordinates to integrate over")
    refs = [resolve_coord(obj, name) for name in names]
    dims = list(dict.fromkeys(d for ref in refs for d in ref.dims))
    if len(dims) != len(names):
        ref = next((r for r in refs if len(r.dims) > 1), refs[0])
        raise ValueError(
            f"dim is {short_repr(dim)}, and {describe_coord(ref)}; name each dimension once, or "
            "both coordinates of two dimensions"
        )
    return refs, dims


def _find_measures(
    obj: XarrayObject, fields: list[xr.DataArray], dims: list[Hashable], options: IntegralOptions
) -> CellMeasures:
    """Return the lengths of cells; with a metric they may depend on all dimensions of fields."""
    known = list(dims)
    if options.metric is not None:
        of_fields = [d for da in fields if set(dims) <= set(da.dims) for d in da.dims]
        known = list(dict.fromkeys([*known, *of_fields]))
    return find_cell_measures(obj, known, options.metric, options.positions, options.periodic)


def cell_size(
    measures: CellMeasures, dims: list[Hashable], field_dims: tuple[Hashable, ...]
) -> xr.Variable:
    """Return lengths, areas or volumes of cells, at the position of a field."""
    rest = list(dims)
    pair = [d for d in dims if measures.axis_of(d).letter in ("x", "y")]
    if len(dims) == 2:
        pair = rest
    size = None
    if len(pair) == 2:
        size = measures.area_across(pair[0], pair[1], field_dims)
        rest = [d for d in dims if d not in pair]
    for d in rest:
        length = measures.length(d, field_dims)
        if size is None:
            size = length
            continue
        units = product_units(size.attrs.get("units"), length.attrs.get("units"))
        size = size * length
        size.attrs = {} if units is None else {"units": units}
    assert size is not None
    return size


def _polynomial_cells(
    da: xr.DataArray, dims: list[Hashable], measures: CellMeasures, options: IntegralOptions
) -> tuple[Any, xr.Variable, Any]:
    """Return the integrals over cells by polynomials, the sign of each, and their units."""
    if measures.by_index:
        raise ValueError(
            f"accuracy is {options.accuracy}, but the metric has lengths of whole cells, which "
            "give sums of accuracy 2; leave accuracy out"
        )
    if len(dims) > 1 and options.skipna:
        raise ValueError(
            f"accuracy is {options.accuracy} and skipna is True, which is for one coordinate at a "
            "time; integrate over one after the other, or leave accuracy out"
        )
    data, units, sign = da.variable.data, None, 1.0
    for i, dim in enumerate(dims):
        length, line = measures.length(dim, da.dims), measures.line_length(dim)
        if length.dims != line.dims or not np.array_equal(length.values, line.values):
            data = _scaled(data, _weights(length / line, da))
        own = length.attrs.get("units")
        units = own if i == 0 else product_units(units, own)
    for dim in dims:
        lines = measures.line(dim)
        segments = lines.segments(measures.axis_of(dim).position(dim))
        cells = Cells(*segments, lines.period)
        stencil = cell_stencil(cells, options.accuracy, options.skipna, f"dimension {str(dim)!r}")
        data = _cell_integrals(data, da.dims.index(dim), stencil, cells.lengths)
        sign *= _sign(measures, dim)
    return data, xr.Variable((), sign), units


def _scaled(data: Any, weights: Any) -> Any:
    """Return an array times weights, in its dtype."""
    term = Term(0, 0, identity_stencil(data.shape[0]), output_weight=weights)
    return evaluate_sums([data], [TermSum((term,))])[0]


def _cell_integrals(data: Any, axis: int, stencil: Any, lengths: Any) -> Any:
    """Return the integral over each cell along an axis; negative where positions decrease."""
    shape = [1] * data.ndim
    shape[axis] = len(lengths)
    weights = lengths.reshape(shape)
    if stencil.masked is None:
        term = Term(0, axis, stencil, center_weight=weights)
        return evaluate_sums([data], [TermSum((term,))])[0]
    values = Term(0, axis, identity_stencil(len(lengths)), output_weight=weights)
    sums = [TermSum((Term(0, axis, stencil),)), TermSum((values,))]
    return evaluate_sums([data], sums, add_to_sums, 1)[0]


def _sign(measures: CellMeasures, dim: Hashable) -> float:
    """Return -1 for a coordinate that decreases, by whose direction integrals have signs."""
    faces = measures.line(dim).faces
    return -1.0 if not measures.by_index and faces[-1] < faces[0] else 1.0


def _weights(weights: xr.Variable, da: xr.DataArray) -> Any:
    """Return weights as an array with the dimensions of a field, 1 long where they are constant."""
    ordered = weights.transpose(*[d for d in da.dims if d in weights.dims])
    return np.asarray(ordered.values).reshape([weights.sizes.get(d, 1) for d in da.dims])


def _label(
    da: xr.DataArray,
    units: Any,
    names: list[str],
    requested: RequestedUnits | None,
    cumulative: bool = False,
) -> Label:
    """Return the label of an integral."""
    return integral_label(
        da, product_units(da.attrs.get("units"), units), names, requested, cumulative
    )


def without_dims(da: xr.DataArray, dims: list[Hashable]) -> xr.DataArray:
    """Return a field of zeros without some dimensions and their coordinates."""
    kept = {name: c for name, c in da.coords.items() if not set(dims) & set(c.dims)}
    sizes = {d: n for d, n in da.sizes.items() if d not in dims}
    zeros = np.broadcast_to(np.zeros(()), tuple(sizes.values()))
    template = xr.DataArray(zeros, kept, list(sizes), da.name, da.attrs)
    template.encoding = da.encoding
    return template


def packed(obj: XarrayObject, results: list[xr.DataArray], dims: list[Hashable]) -> Any:
    """Return results as the type that the user gets, without coordinates along dimensions."""
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, dims)
    gone = [name for name, coord in obj.coords.items() if set(dims) & set(coord.dims)]
    return pack_results(obj.drop_vars(gone), results)


def _default_position(obj: XarrayObject, dim: Hashable, options: IntegralOptions) -> str:
    """Return the faces that the data have, or all; for a dimension of faces the centers."""
    dims = axis_dims(obj, dim, options.positions)
    if dim not in dims.get("center", []):
        return "center"
    return "edges" if len(dims) > 1 else "outer"
