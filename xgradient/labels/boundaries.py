"""Boundary conditions of a call: entries by dimension, and by field where they differ."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..stencils.boundary import Conditions, check_entries, check_wall, read_conditions
from .coordinates import CoordRef, describe_coord
from .hints import close_name, quote_names


class BoundaryOptions(NamedTuple):
    """Hold the options for boundaries, as the user gives them.

    Attributes
    ----------
    boundary : entry or mapping from name to entry
        The conditions at the ends of all axes, or of each.
    face : bool
        Whether walls lie half a step beyond the last points.
    """

    boundary: Any
    face: bool = False

    def entries(self, names: Iterable[Hashable]) -> Mapping[Hashable, Any]:
        """Return the entries by name; one entry is for all names."""
        given = self.boundary
        return given if isinstance(given, Mapping) else dict.fromkeys(names, given)


class BoundaryRequest(NamedTuple):
    """Hold the boundary conditions of a call by dimension.

    Attributes
    ----------
    entries : mapping from dimension to entry
        The conditions at both ends, or a mapping from fields to these.
    face : bool
        Whether walls lie half a step beyond the last points.
    """

    entries: Mapping[Hashable, Any]
    face: bool

    def conditions(self, dim: Hashable, names: Collection[Hashable]) -> Conditions | None:
        """Return the conditions at the ends of a dimension for a field; None if none are given.

        Parameters
        ----------
        dim : hashable
            The dimension.
        names : collection of hashable
            The name of the field, and for a component also those of its own dimension.
        """
        entry = self.entries.get(dim)
        if isinstance(entry, Mapping):
            entry = next((of_field for name, of_field in entry.items() if name in names), None)
        return None if entry is None else read_conditions(entry, f"boundary of {str(dim)!r}")


def read_boundaries(boundary: Any, wall: Any) -> BoundaryOptions | None:
    """Return the options for boundaries checked; None if the call gives none.

    Raises
    ------
    TypeError, ValueError
        If an entry is wrong, or a wall is given without a boundary.
    """
    if boundary is None and type(wall) is str and wall == "node":
        return None
    face = check_wall(wall)
    if boundary is None:
        raise ValueError(
            f"wall is {wall!r}, but no boundary says what holds there; give boundary too, such as "
            "boundary={'x': 'even'}"
        )
    check_entries(boundary, "boundary")
    return BoundaryOptions(boundary, face)


def field_names(sources: Iterable[XarrayObject]) -> Iterator[Hashable]:
    """Yield the names of all fields that have one."""
    for source in sources:
        names = source.data_vars if isinstance(source, xr.Dataset) else [source.name]
        yield from (name for name in names if name is not None)


def periods_of_boundaries(
    entries: Mapping[Hashable, tuple[CoordRef, Any]],
    periods: Mapping[Hashable, tuple[CoordRef, Any]],
) -> dict[Hashable, tuple[CoordRef, bool]]:
    """Return for each axis with an entry whether this makes it periodic.

    Raises
    ------
    ValueError
        If the option ``periodic`` names one of these axes, too.
    """
    for name in entries:
        if name in periods and periods[name][1] is not False:
            raise ValueError(
                f"periodic is {short_repr(periods[name][1])} for {str(name)!r}, which boundary "
                "names too; leave it out of one of them"
            )
    return {name: (ref, _is_periodic(entry)) for name, (ref, entry) in entries.items()}


def _is_periodic(entry: Any) -> bool:
    return not isinstance(entry, Mapping) and "periodic" in read_conditions(entry, "").kinds


def request_boundaries(
    entries: Mapping[Hashable, tuple[CoordRef, Any]],
    face: bool,
    known: Collection[Hashable],
) -> BoundaryRequest:
    """Return the entries by dimension.

    Parameters
    ----------
    entries : mapping from name to CoordRef and entry
        The entries by the coordinates that they name.
    face : bool
        Whether walls lie half a step beyond the last points.
    known : collection of hashable
        Names of fields, and of the coordinates of the call.

    Raises
    ------
    ValueError
        If a coordinate has several dimensions, or an entry names an unknown field.
    """
    by_dim = {}
    for ref, entry in entries.values():
        if len(ref.dims) != 1:
            raise ValueError(
                f"{describe_coord(ref)}, but boundary is for single dimensions; name the dimension"
            )
        for name, of_field in entry.items() if isinstance(entry, Mapping) else ():
            if name not in known:
                raise ValueError(
                    f"boundary of {str(ref.name)!r} names {str(name)!r}, which is no field of the "
                    f"call{close_name(name, known)}; there are {quote_names(known)}"
                )
            if "periodic" in read_conditions(of_field, "boundary").kinds:
                raise ValueError(
                    f"boundary of {str(ref.name)!r} is 'periodic' for {str(name)!r} alone, but an "
                    "axis closes for all fields; give 'periodic' for the axis"
                )
        by_dim[ref.dims[0]] = entry
    return BoundaryRequest(by_dim, face)
