"""Fields at positions on cells: which axis each dimension is of, and where results are."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.cell_axes import CellAxis
from ..geometry.cell_measures import CellMeasures
from ..geometry.find_measures import find_axis, find_cell_measures
from ..geometry.globe_measures import kind_of_axis
from ..labels.hints import quote_names
from ..labels.positions import POSITIONS, axis_dims, new_name
from .user_warnings import warn_of_names_of_angles


@dataclass(frozen=True, eq=False)
class CellFields:
    """The fields of a call at their positions, with the measures of the cells.

    Attributes
    ----------
    source : Dataset
        The data with all dimensions and coordinates of the fields.
    fields : list of DataArray
        The fields.
    measures : CellMeasures
        The axes of all dimensions, with lengths.
    axes : list of int
        The number of the axis that each name of the call means.
    """

    source: xr.Dataset
    fields: list[xr.DataArray]
    measures: CellMeasures
    axes: list[int]

    @property
    def named(self) -> list[CellAxis]:
        """Return the axes that the call names."""
        return [self.measures.axes[number] for number in self.axes]

    def letters(self) -> list[str | None]:
        """Return the direction of each axis that the call names."""
        return [axis.letter for axis in self.named]

    def dim(self, field: xr.DataArray, number: int) -> Hashable:
        """Return the dimension of a field along an axis of the call.

        Raises
        ------
        ValueError
            If it has none.
        """
        axis = self.named[number]
        dim = axis.dim_among(field.dims)
        if dim is None:
            raise ValueError(
                f"{str(field.name)!r} has no dimension along {quote_names(axis.names)}; give a "
                "field that has one, e.g. by .broadcast_like"
            )
        return dim

    def targets(self, positions: Sequence[str]) -> list[Hashable]:
        """Return a dimension of each axis of the call at given positions.

        They are those of a variable of the data, if one is at these positions.
        """
        choices = []
        for i, position in enumerate(positions):
            axis = self.named[i]
            if position not in axis.dims:
                first = axis.names[0]
                name = new_name(self.source, first, axis.position(first), position)
                axis = axis.with_dim(position, name)
                self.measures.axes[self.axes[i]] = axis
            choices.append(axis.dims[position])
        used = [set(variable.dims) for variable in self.source.variables.values()]
        found = (list(dims) for dims in product(*choices) if any(set(dims) <= d for d in used))
        return next(found, [names[0] for names in choices])

    def face_position(self, number: int, to: str | None = None) -> str:
        """Return the position of the faces of an axis of the call.

        Raises
        ------
        ValueError
            If the data have several, and the call does not say which.
        """
        axis = self.named[number]
        faces = [position for position in axis.dims if position != "center"]
        if to is not None and to != "edges":
            return to
        own = [axis.position(dim) for field in self.fields
               if (dim := axis.dim_among(field.dims)) is not None]  # fmt: skip
        found = [position for position in own if position != "center"] or faces
        if len(set(found)) > 1:
            raise ValueError(
                f"the data have several faces along {quote_names(axis.names)}, "
                f"{quote_names(dict.fromkeys(found))}; give one by to="
            )
        return found[0] if found else "left" if axis.periodic else "inner"

    def template(self, first: xr.DataArray, dims: Sequence[Hashable]) -> xr.Dataset:
        """Return a Dataset with the coordinates of a result along dimensions."""
        coords: dict[Hashable, Any] = {}
        for source in (self.source, first):
            for name, coord in source.coords.items():
                if set(coord.dims) <= set(dims) and (coord.dims or name in first.coords):
                    coords.setdefault(name, coord)
        for axis in self.named:
            dim = axis.dim_among(tuple(dims))
            if dim is not None and dim not in coords and dim not in self.source.dims:
                known = self.measures.coordinate(dim)
                if known is not None:
                    coords[dim] = known
        return xr.Dataset(coords=coords)


def collect_cell_fields(
    obj: XarrayObject | None,
    fields: Sequence[xr.DataArray],
    names: Sequence[Hashable],
    metric: Any,
    positions: Any,
    periodic: Any,
) -> CellFields:
    """Return fields at their positions, for the axes that a call names.

    Parameters
    ----------
    obj : DataArray, Dataset or None
        The data of the call.
    fields : sequence of DataArray
        The fields.
    names : sequence of hashable
        Dimensions, coordinates or directions "x", "y" and "z".
    metric, positions, periodic : object
        Options of the call.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, two mean one axis, or lengths of dimensions do not fit each other.
    """
    source = source_of(obj, fields)
    dims = dict.fromkeys(dim for field in fields for dim in field.dims)
    measures = find_cell_measures(source, dims, metric, positions, periodic)
    measures.whole_ends = True
    axes = [find_axis(source, measures.axes, name) for name in names]
    if len(set(axes)) < len(axes):
        raise ValueError(f"{quote_names(names)} are of one axis; name each axis once")
    if metric is None:
        named = [measures.axes[number] for number in axes]
        angles = [repr(str(axis.names[0])) for axis in named if kind_of_axis(source, axis)]
        warn_of_names_of_angles(angles)
    return CellFields(source, list(fields), measures, axes)


def source_of(obj: XarrayObject | None, fields: Sequence[xr.DataArray]) -> xr.Dataset:
    """Return a Dataset with the dimensions and coordinates of fields.

    Raises
    ------
    ValueError
        If fields have different lengths or coordinates along one dimension.
    """
    sources: list[Any] = [*([] if obj is None else [obj]), *fields]
    sizes: dict[Hashable, int] = {}
    coords: dict[Hashable, xr.Variable] = {}
    for source in sources:
        for dim, n in source.sizes.items():
            if sizes.setdefault(dim, n) != n:
                raise ValueError(
                    f"dimension {str(dim)!r} has {sizes[dim]} and {n} points; bring the fields to "
                    "one grid, e.g. with .isel"
                )
        for name, coord in source.coords.variables.items():
            known = coords.setdefault(name, coord)
            same = known is coord or coord.dims != (name,)
            if not same and not known.equals(coord):  # type: ignore[no-untyped-call]
                raise ValueError(
                    f"fields have different values of the coordinate {str(name)!r}; bring them to "
                    "one grid, e.g. with .interp_like"
                )
    if isinstance(obj, xr.Dataset) and set(sizes) <= set(obj.sizes):
        missing = {name: coord for name, coord in coords.items() if name not in obj.coords}
        return obj.assign_coords({n: c for n, c in missing.items() if n not in obj.variables})
    variables = dict(obj.data_vars.variables) if isinstance(obj, xr.Dataset) else {}
    for i, field in enumerate(fields):
        variables[field.name if field.name is not None else f"field {i}"] = field.variable
    variables = {name: v for name, v in variables.items() if name not in coords}
    attrs = {} if obj is None else obj.attrs
    return xr.Dataset(variables, coords, attrs)


def are_staggered(obj: Any, fields: Sequence[xr.DataArray], positions: Any = None) -> bool:
    """Return True for fields at different positions of an axis that names or a call tell."""
    every = {dim: None for field in fields for dim in field.dims}
    pairs = [
        (a, b)
        for i, first in enumerate(fields)
        for other in fields[i + 1 :]
        for a in first.dims
        for b in other.dims
        if a != b and a not in other.dims and b not in first.dims
    ]
    if not pairs:
        return False
    data = obj if isinstance(obj, xr.Dataset) and set(every) <= set(obj.dims) else None
    try:
        data = source_of(obj, fields) if data is None else data
        return any(b in names for a, b in pairs for names in axis_dims(data, a, positions).values())
    except ValueError:
        return False


def check_position(to: Any) -> None:
    """Refuse a position that is unknown."""
    if to is not None and to not in ("edges", *POSITIONS):
        raise ValueError(
            f"to is {to!r}; give 'center', 'left', 'right', 'inner', 'outer' or 'edges'"
        )


def by_letter(letters: Sequence[str | None]) -> list[int]:
    """Return the order x, y, z of directions; that of the call if one is unknown."""
    if None in letters or len(set(letters)) < len(letters):
        return list(range(len(letters)))
    return sorted(range(len(letters)), key=lambda i: str(letters[i]))
