"""Coordinates of several dimensions along one of them: heights of levels, depths of layers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from .axes import XarrayObject, cf_name, find_coord, find_name, horizontal, not_set
from .chunks import check_decoded, first_turn
from .frames import Column
from .hints import check_repeated, close_name
from .labels import words_for
from .nodes import check_length

__all__ = ["columns_of_call", "dims_named", "find_column"]


def columns_of_call(
    obj: XarrayObject, names: list[Hashable], along: Hashable | None
) -> dict[Hashable, Column]:
    """The names of a call that stand for a coordinate of several dimensions along one of them.

    With ``along`` these are all that have this dimension among others. Without, it is the only
    one that has several, unless it is a latitude or longitude.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    names : list of hashable
        The names to differentiate along.
    along : hashable, optional
        The dimension, or the name of a coordinate along it.

    Raises
    ------
    TypeError, ValueError
        If none of them has the dimension, or one cannot carry a derivative along it.
    """
    coords = obj.coords.variables
    # Without along, what only a CF name stands for is left to those of one and two dimensions.
    known = {name: name if along is None else find_name(obj, name) for name in names}
    wide = [n for n in names if known[n] in coords and coords[known[n]].ndim > 1]
    if along is None:
        if len(wide) != 1 or horizontal(wide[0], coords[wide[0]]):
            return {}
        asked = dims_named(obj, [name for name in names if name not in wide])
        if coords[wide[0]].ndim == 2 and _told(obj, wide[0], asked) is None:
            return {}  # rather one of the two coordinates of a grid
        return {wide[0]: find_column(obj, wide[0], None, asked)}
    dim = _dimension(obj, along)
    found = [name for name in wide if dim in coords[known[name]].dims]
    for at, name in enumerate(found):
        if known[name] in [known[other] for other in found[:at]]:
            raise ValueError(f"dim names {str(known[name])!r} twice; name it once")
    # A coordinate that has this dimension only is one like others.
    if not found and all(dims_named(obj, [name]) != {dim} for name in names):
        raise ValueError(
            f"along is {str(along)!r}, but none of {_listed(names)} is a coordinate that has this "
            f"dimension; {_hint(obj, dim)}"
        )
    return {name: find_column(obj, known[name], dim) for name in found}


def find_column(
    obj: XarrayObject, name: Hashable, along: Hashable | None, asked: Iterable[Hashable] = ()
) -> Column:
    """A coordinate along one of its dimensions.

    Without ``along`` this is the one that CF knows as vertical, by ``axis="Z"`` or ``positive`` of
    a coordinate along it; else the only one that is not ``asked`` for by another name, and is no
    time, latitude or longitude.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    name : hashable
        The coordinate, or a CF name of it.
    along : hashable, optional
        The dimension, or the name of a coordinate along it.
    asked : iterable of hashable
        The dimensions of other names of the call.

    Raises
    ------
    TypeError, ValueError
        If there is no such coordinate, its dimension is not clear, it is not numeric, or, where
        it is in memory, a column does not strictly increase or decrease.
    """
    coords = obj.coords.variables
    if name not in coords:
        if isinstance(obj, xr.Dataset) and name in obj.data_vars:
            raise ValueError(not_set(name))
        known = cf_name(obj, name, wide=True)
        if known is None:
            close = close_name(name, sorted(coords, key=str))
            raise ValueError(f"{str(name)!r} is no coordinate here{close}; {_hint(obj)}")
        name = known
    coord, what = coords[name], f"coordinate {str(name)!r}"
    check_repeated(coord.dims, what)
    if coord.dtype.kind not in "iuf":
        raise TypeError(
            f"{what} has dtype {coord.dtype}, which is not numeric; give one that holds positions"
        )
    dim = _vertical(obj, name, set(asked)) if along is None else _dimension(obj, along)
    if dim not in coord.dims:
        raise ValueError(
            f"{what} has the dimensions {_listed(coord.dims)}, but not {str(dim)!r}; "
            "name one of these with along"
        )
    for d, n in zip(coord.dims, coord.shape, strict=True):
        check_length(n, f"dimension {str(d)!r} of {what}")
    coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, what))
    _check_order(coord, dim, what)
    units = coord.attrs.get("units")
    return Column(dim, name, str(words_for(coord.attrs, name)), units, coord)


def _dimension(obj: XarrayObject, along: Hashable) -> Hashable:
    name = find_name(obj, along)
    if name in obj.coords and obj.coords[name].ndim > 1:
        raise ValueError(
            f"along is {str(along)!r}, which has the dimensions {_listed(obj.coords[name].dims)}; "
            "name one of these"
        )
    return name if name in obj.dims else find_coord(obj, name).dim


def dims_named(obj: XarrayObject, names: Iterable[Hashable]) -> set[Hashable]:
    """The dimensions of what some names stand for."""
    coords = obj.coords.variables
    known = [find_name(obj, name) for name in names]
    return {dim for name in known for dim in (coords[name].dims if name in coords else [name])}


def _told(obj: XarrayObject, name: Hashable, asked: Iterable[Hashable]) -> Hashable | None:
    """The dimension of a coordinate that is meant where none is named; None if it is not told."""
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in asked]
    kinds = {dim: _kind(obj, dim) for dim in dims}
    for kind in ("vertical", None):
        found = [dim for dim in dims if kinds[dim] == kind]
        if len(found) == 1:
            return found[0]
    return None


def _vertical(obj: XarrayObject, name: Hashable, asked: Iterable[Hashable]) -> Hashable:
    """The same, or an error with those that it could be."""
    told = _told(obj, name, asked)
    if told is not None:
        return told
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in asked]
    found = [dim for dim in dims if _kind(obj, dim) is None] or dims
    raise ValueError(
        f"coordinate {str(name)!r} has the dimensions {_listed(found)}, and which of them it goes "
        f"along is not told by their coordinates; name it, e.g. along={str(found[0])!r}"
        if dims
        else f"coordinate {str(name)!r} has no dimension besides those asked for; leave one out"
    )


def _kind(obj: XarrayObject, dim: Hashable) -> str | None:
    """Whether a dimension is "vertical" or one of the others, as far as coordinates tell it."""
    for name, coord in obj.coords.variables.items():
        if coord.dims == (dim,):
            axis = coord.attrs.get("axis")
            if axis == "Z" or "positive" in coord.attrs:
                return "vertical"
            time = coord.dtype.kind in "mMO" or coord.attrs.get("standard_name") == "time"
            if time or axis in ("X", "Y", "T") or horizontal(name, coord):
                return "other"
    return None


def _check_order(coord: xr.Variable, dim: Hashable, what: str) -> None:
    """Refuse positions in memory that turn or repeat in a column."""
    at = first_turn(coord.data, coord.dims.index(dim))
    if at is None:
        return
    place = ", ".join(f"{d}={i}" for d, i in zip(coord.dims, at, strict=True))
    before = tuple(i - (d == dim) for d, i in zip(coord.dims, at, strict=True))
    here, there = (np.asarray(coord.data)[i] for i in (at, before))
    found = f"repeats the value {here}" if here == there else f"turns, from {there} to {here},"
    raise ValueError(
        f"{what} must strictly increase or decrease along {str(dim)!r} in every column, but "
        f"{found} at {place}; sort it, or mask such columns, e.g. with .where"
    )


def _hint(obj: XarrayObject, dim: Hashable | None = None) -> str:
    """The coordinates of several dimensions that there are."""
    coords = obj.coords.variables
    names = [n for n, c in coords.items() if c.ndim > 1 and (dim is None or dim in c.dims)]
    return f"coordinates of several dimensions {'with it ' if dim else ''}are {_listed(names)}"


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(repr(str(name)) for name in names) or "none"
