"""Boundary conditions of a call: entries by dimension, and by field where they differ."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..stencils.boundary import (
    Condition,
    Conditions,
    check_entries,
    check_wall,
    read_coast,
    read_conditions,
)
from .coordinates import CoordRef, describe_coord
from .hints import close_name, quote_names


class BoundaryOptions(NamedTuple):
    """Hold the options for boundaries, as the user gives them.

    Attributes
    ----------
    boundary : entry or mapping from name to entry
        The conditions at the ends of all axes, or of each.
    face : bool
        Whether walls and coasts lie half a step beyond the last points.
    coast : condition or mapping from name to condition
        The condition next to missing values along all axes, or along each.
    """

    boundary: Any
    face: bool = False
    coast: Any = None

    def entries(self, names: Iterable[Hashable]) -> Mapping[Hashable, Any]:
        """Return the conditions at ends by name; one entry is for all names."""
        return _entries(self.boundary, names)

    def coasts(self, names: Iterable[Hashable]) -> Mapping[Hashable, Any]:
        """Return the conditions next to missing values by name; one entry is for all names."""
        return _entries(self.coast, names)


class BoundaryRequest(NamedTuple):
    """Hold the boundary conditions of a call by dimension.

    Attributes
    ----------
    entries : mapping from dimension to entry
        The conditions at both ends, or a mapping from fields to these.
    coasts : mapping from dimension to entry
        The condition next to missing values, or a mapping from fields to these.
    face : bool
        Whether walls and coasts lie half a step beyond the last points.
    """

    entries: Mapping[Hashable, Any]
    coasts: Mapping[Hashable, Any]
    face: bool

    @property
    def dims(self) -> set[Hashable]:
        """Return the dimensions that have conditions."""
        return {*self.entries, *self.coasts}

    def conditions(self, dim: Hashable, names: Collection[Hashable]) -> Conditions | None:
        """Return the conditions at the ends of a dimension for a field; None if none are given.

        Parameters
        ----------
        dim : hashable
            The dimension.
        names : collection of hashable
            The name of the field, and for a component also those of its dimension.
        """
        entry = _of_field(self.entries.get(dim), names)
        return None if entry is None else read_conditions(entry, f"boundary of {str(dim)!r}")

    def coast(self, dim: Hashable, names: Collection[Hashable]) -> Condition | None:
        """Return the condition next to missing values along a dimension; None if none is given."""
        entry = _of_field(self.coasts.get(dim), names)
        coast = None if entry is None else read_coast(entry, f"coast of {str(dim)!r}")
        return None if coast is None or coast.kind == "one-sided" else coast


def _entries(option: Any, names: Iterable[Hashable]) -> Mapping[Hashable, Any]:
    if option is None:
        return {}
    return option if isinstance(option, Mapping) else dict.fromkeys(names, option)


def _of_field(entry: Any, names: Collection[Hashable]) -> Any:
    """Return the entry for a field, which may be one for all fields; None if there is none."""
    if not isinstance(entry, Mapping):
        return entry
    return next((of_field for name, of_field in entry.items() if name in names), None)


def read_boundaries(
    boundary: Any, wall: Any, coast: Any = None, skipna: Any = False
) -> BoundaryOptions | None:
    """Return the options for boundaries checked; None if the call gives none.

    Raises
    ------
    TypeError, ValueError
        If an entry is wrong, a wall is given without a boundary or a coast, or a coast without
        ``skipna``.
    """
    if boundary is None and coast is None and type(wall) is str and wall == "node":
        return None
    face = check_wall(wall)
    if coast is not None and not skipna:
        raise ValueError(
            f"coast is {short_repr(coast)}, but without skipna no missing value is a coast; give "
            "skipna=True too"
        )
    if boundary is None and coast is None:
        raise ValueError(
            f"wall is {wall!r}, but no boundary says what holds there; give boundary too, such as "
            "boundary={'x': 'even'}"
        )
    if boundary is not None:
        check_entries(boundary, "boundary", read_conditions)
    if coast is not None:
        check_entries(coast, "coast", read_coast)
    return BoundaryOptions(boundary, face, coast)


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
    coasts: Mapping[Hashable, tuple[CoordRef, Any]],
    face: bool,
    known: Collection[Hashable],
) -> BoundaryRequest:
    """Return the conditions by dimension.

    Parameters
    ----------
    entries, coasts : mapping from name to CoordRef and entry
        The conditions at ends and next to missing values, by the coordinates that they name.
    face : bool
        Whether walls and coasts lie half a step beyond the last points.
    known : collection of hashable
        Names of fields, and of the coordinates of the call.

    Raises
    ------
    ValueError
        If a coordinate has several dimensions, or an entry names an unknown field.
    """
    at_ends = _by_dim(entries, "boundary", known)
    for dim, entry in at_ends.items():
        for name, of_field in entry.items() if isinstance(entry, Mapping) else ():
            if "periodic" in read_conditions(of_field, "boundary").kinds:
                raise ValueError(
                    f"boundary of {str(dim)!r} is 'periodic' for {str(name)!r} alone, but an axis "
                    "is periodic for all fields; give 'periodic' for the axis"
                )
    return BoundaryRequest(at_ends, _by_dim(coasts, "coast", known), face)


def _by_dim(
    entries: Mapping[Hashable, tuple[CoordRef, Any]], option: str, known: Collection[Hashable]
) -> dict[Hashable, Any]:
    """Return entries by dimension; refuse coordinates of several ones and unknown fields."""
    for ref, entry in entries.values():
        if len(ref.dims) != 1:
            raise ValueError(
                f"{describe_coord(ref)}, but {option} is for single dimensions; name the dimension"
            )
        for name in entry if isinstance(entry, Mapping) else ():
            if name not in known:
                raise ValueError(
                    f"{option} of {str(ref.name)!r} names {str(name)!r}, which is no field of the "
                    f"call{close_name(name, known)}; there are {quote_names(known)}"
                )
    return {ref.dims[0]: entry for ref, entry in entries.values()}
