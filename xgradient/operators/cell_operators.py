"""Divergence and curl of components at positions on cells."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.cell_measures import Dims
from ..labels.hints import quote_names
from ..labels.requested_units import RequestedUnits
from ..labels.results import Label, make_label, same_units, to_dataarray
from ..labels.standard_names import divergence_name, sign_along, vorticity_name
from ..labels.units import common_units, result_units
from .cell_fields import CellFields, by_letter
from .cell_options import CellOptions
from .cell_sums import (
    Addend,
    CellSums,
    from_half,
    inverse,
    mask_where,
    number,
    to_dtype_of,
    weighted_sum,
    without_missing,
)
from .fields import check_field
from .vector_field import shared_attrs


def divergence_on_cells(
    obj: XarrayObject | None,
    components: Mapping[Hashable, xr.DataArray],
    options: CellOptions,
    requested: RequestedUnits | None,
) -> xr.DataArray:
    """Return the divergence: differences of fluxes over the measures of cells.

    With the lengths L of the other axes at a component u, and the measure A of cells at the
    result, it is the sum of the differences of u L over A.
    """
    fields = list(components.values())
    cells, sums = options.collect(obj, fields, list(components))
    _check_all_axes(cells)
    dims = cells.targets(_result_positions(cells, options.to, curl=False))
    pairs = [(i, i) for i in range(len(fields))]
    units = [_unit(cells, field, dims, i) for i, field in enumerate(fields)]
    unit, factors = common_units(units, "a divergence")
    words = f"divergence of {_names(cells)}"
    label = _label(cells, requested, "divergence", unit, words, divergence_name)
    factors = [f * _sign(cells, i) * label.factor for i, f in enumerate(factors)]
    return _differences(cells, sums, options, pairs, factors, dims, label)


def curl_on_cells(
    obj: XarrayObject | None,
    components: Mapping[Hashable, xr.DataArray],
    options: CellOptions,
    requested: RequestedUnits | None,
) -> xr.DataArray:
    """Return the curl of two components: the circulation round cells over their areas."""
    if len(components) != 2:
        raise ValueError(
            f"{len(components)} components are given, but the curl on cells is that of two; "
            "give these, such as x='u', y='v'"
        )
    cells, sums = options.collect(obj, list(components.values()), list(components))
    order = by_letter(cells.letters())
    names = [list(components)[i] for i in order]
    if order != [0, 1]:
        cells, sums = options.collect(obj, [components[name] for name in names], names)
    if "z" in cells.letters():
        raise ValueError("the curl on cells is for components along x and y; name these")
    _check_all_axes(cells)
    dims = cells.targets(_result_positions(cells, options.to, curl=True))
    units = [_unit(cells, cells.fields[1 - i], dims, i) for i in (0, 1)]
    unit, factors = common_units(units, "a curl")
    label = _label(cells, requested, "curl", unit, f"curl of {_names(cells)}", vorticity_name)
    # The component along y is differentiated along x, and that along x along y.
    factors = [-factors[1] * label.factor, factors[0] * label.factor]
    return _differences(cells, sums, options, [(0, 1), (1, 0)], factors, dims, label)


def _differences(
    cells: CellFields,
    sums: CellSums,
    options: CellOptions,
    pairs: Sequence[tuple[int, int]],
    factors: Sequence[float],
    target: Sequence[Hashable],
    label: Label,
) -> xr.DataArray:
    """Return the sum of derivatives of components times lengths, over the measure of the cells.

    Parameters
    ----------
    cells : CellFields
        The components.
    sums : CellSums
        What moves and adds them.
    options : CellOptions
        The options of the call.
    pairs : sequence of (int, int)
        For each component the axis of its own direction, and that of its derivative. The other
        axes give it a length: for a flux those but the derivative's, for a circulation its own.
    factors : sequence of float
        The factor of each component.
    target : sequence of hashable
        The dimension of the result along each axis.
    label : Label
        The name and attributes of the result.
    """
    measures, scales = cells.measures, not options.conservative
    as_walls = options.conservative and _fills_missing(cells, options, pairs, target)
    addends: list[Addend] = []
    missing: list[Addend] = []
    for field, (own, along), factor in zip(cells.fields, pairs, factors, strict=True):
        da, dims = from_half(check_field(field).variable), field.dims
        ends = [cells.dim(field, i) for i in range(len(cells.axes))]
        others = [ends[i] for i in range(len(ends)) if i != along]
        across = others if own == along else [ends[own]]
        if as_walls and getattr(da.dtype, "kind", "f") in "fc":
            da, holes = without_missing(da)
            missing.append(Addend(moved(sums, holes, ends, target, None), number(1.0)))
        flux = weighted_sum([Addend(da, measures.measure(across, dims, scales=scales))], dims)
        flux = moved(sums, flux, ends, target, along)
        dim = ends[along]
        differences = sums.derivative(flux, dim, target[along], closed=own == along)
        addends += [addend.times(factor) for addend in differences]
    dims = _result_dims(addends, cells.fields[0], cells, target)
    template = cells.template(cells.fields[0], dims)
    area = inverse(measures.measure(list(target), dims, scales=scales))
    result = weighted_sum([addend.times(area) for addend in addends], dims)
    if missing:
        result = mask_where(result, weighted_sum(missing, dims), len(missing) - 1e-3)
    result = to_dtype_of(cells.fields[0].variable, result)
    return wrap(template, result, cells.fields[0], label)


def moved(
    sums: CellSums,
    field: xr.Variable,
    ends: Sequence[Hashable],
    target: Sequence[Hashable],
    along: int | None,
) -> xr.Variable:
    """Return a field at the position of the result along all axes but one, or all with ends."""
    for i, (dim, to) in enumerate(zip(ends, target, strict=True)):
        if i != along and dim != to:
            field = sums.mean(field, dim, to, ends=along is None)
    return field


def _fills_missing(
    cells: CellFields,
    options: CellOptions,
    pairs: Sequence[tuple[int, int]],
    target: Sequence[Hashable],
) -> bool:
    """Return True if missing components count as zero: on walls, where their flux is zero."""
    is_flux = all(own == along for own, along in pairs)
    if not (options.has_walls if is_flux else options.coast is not None):
        return False
    ends = [(cells.dim(field, along), cells.named[along], target[along])
            for field, (_, along) in zip(cells.fields, pairs, strict=True)]  # fmt: skip
    return all(axis.position(dim) != axis.position(to) for dim, axis, to in ends)


def _result_positions(cells: CellFields, to: Any, *, curl: bool) -> list[str]:
    """Return the position of a result along each axis of the call."""
    n = len(cells.axes)
    at_center = [
        [axis.is_center(cells.dim(field, i)) for i, axis in enumerate(cells.named)]
        for field in cells.fields
    ]
    alike = all(here == at_center[0] for here in at_center)
    if to == "center" or (to is None and alike and not any(at_center[0])):
        return ["center"] * n
    if to is None and alike:
        first = cells.fields[0]
        return [axis.position(cells.dim(first, i)) for i, axis in enumerate(cells.named)]
    if to is None and not curl:
        return ["center"] * n
    positions = [cells.face_position(i, to) for i in range(n)]
    for i, (axis, position) in enumerate(zip(cells.named, positions, strict=True)):
        for field in cells.fields:
            here = axis.position(cells.dim(field, i))
            if here not in ("center", position):
                raise ValueError(
                    f"to is {to!r}, but {str(field.name)!r} is on other faces along "
                    f"{str(cells.dim(field, i))!r}, {here!r}; give 'edges' or 'center'"
                )
    return positions


def _check_all_axes(cells: CellFields) -> None:
    """Refuse components at several positions of an axis that the call does not name."""
    for i, axis in enumerate(cells.measures.axes):
        dims = {dim for field in cells.fields for dim in field.dims if dim in axis.names}
        if i not in cells.axes and len({axis.position(dim) for dim in dims}) > 1:
            raise ValueError(
                f"components are at {quote_names(sorted(dims, key=str))}, several positions of an "
                "axis that the call does not name; bring them to one"
            )


def _result_dims(
    addends: Sequence[Addend], first: xr.DataArray, cells: CellFields, target: Sequence[Hashable]
) -> Dims:
    """Return the dimensions of a result, in the order of the first component."""
    own = [cells.dim(first, i) for i in range(len(target))]
    dims = [target[own.index(dim)] if dim in own else dim for dim in first.dims]
    return tuple(dict.fromkeys([*dims, *(d for field, _ in addends for d in field.dims)]))


def length_units(cells: CellFields, dims: Sequence[Hashable], number: int) -> Any:
    """Return the units of the lengths along an axis of the call."""
    line = dims[number]
    return cells.measures.scale(line, tuple(dims)).attrs.get("units")


def _unit(cells: CellFields, field: xr.DataArray, dims: Sequence[Hashable], number: int) -> Any:
    """Return the units of a component over a length along an axis of the call."""
    return result_units(field.attrs.get("units"), length_units(cells, dims, number), 1)


def _sign(cells: CellFields, number: int) -> int:
    """Return 1 for a component that points as its coordinate increases, else -1."""
    field = cells.fields[number]
    coord = field.coords.variables.get(cells.dim(field, number))
    return sign_along(field.attrs, {} if coord is None else coord.attrs) or 1


def _names(cells: CellFields) -> str:
    """Return the names of the components in parentheses."""
    names = [axis.names[0] if f.name is None else f.name
             for f, axis in zip(cells.fields, cells.named, strict=True)]  # fmt: skip
    return f"({', '.join(map(str, names))})"


def _label(
    cells: CellFields,
    requested: RequestedUnits | None,
    name: str,
    unit: Any,
    words: str,
    name_of: Any,
) -> Label:
    """Make the label of a divergence or a curl."""
    standard = name_of([f.attrs for f in cells.fields], cells.letters())
    standard = standard if standard is not None and same_units(unit, "s-1") else None
    return make_label(requested, shared_attrs(cells.fields), name, unit, words, standard)


def wrap(template: Any, result: xr.Variable, first: xr.DataArray, label: Label) -> xr.DataArray:
    """Return a result with its coordinates and attributes."""
    plain = xr.DataArray(result, template.coords, name=first.name)
    plain.encoding = first.encoding
    return to_dataarray(plain, result.data, label)
