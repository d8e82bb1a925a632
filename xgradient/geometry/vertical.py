"""Coordinates of several dimensions along one of them: heights of levels, depths of layers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..engine.chunked import first_non_monotonic
from ..labels.angles import latlon_kind
from ..labels.arguments import GridOptions, periodic_mapping, spacing_mapping
from ..labels.attrs import describe_field
from ..labels.cf_names import find_cf_name
from ..labels.coordinates import not_a_coord_message, resolve_coord, resolve_name
from ..labels.hints import check_repeated, close_name, quote_names
from ..stencils.positions import check_known_length
from .decoding import check_decoded
from .grid_axis import VerticalCoord


def reject_spacing_for_columns(
    obj: XarrayObject,
    names: list[Hashable],
    scalar_dim: bool,
    columns: Mapping[Hashable, VerticalCoord],
    options: GridOptions,
) -> Mapping[Hashable, Any]:
    """The spacing by name, which those that bring positions in ``columns`` of their own have not.

    Raises
    ------
    ValueError
        If one of these is given a spacing or a period, or a name is unknown.
    """
    own = {column.name: name for name, column in columns.items()}
    spacings = spacing_mapping(options.spacing, names, scalar_dim)
    for argument, given in (
        ("spacing", spacings),
        ("periodic", periodic_mapping(options.periodic, names)),
    ):
        for key, value in given.items():
            name = key if key in columns else own.get(resolve_name(obj, key))
            if name is not None and value is not None and value is not False:
                raise ValueError(
                    f"{argument} is given for {str(name)!r}, which has positions of its own in "
                    f"every column; leave it out, or give {argument} by name to the others"
                )
    return {name: step for name, step in spacings.items() if name not in columns}


def resolve_columns(
    obj: XarrayObject, names: list[Hashable], along: Hashable | None
) -> dict[Hashable, VerticalCoord]:
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
    known = {name: name if along is None else resolve_name(obj, name) for name in names}
    wide = [n for n in names if known[n] in coords and coords[known[n]].ndim > 1]
    if along is None:
        if len(wide) != 1 or latlon_kind(wide[0], coords[wide[0]]):
            return {}
        asked = named_dims(obj, [name for name in names if name not in wide])
        if coords[wide[0]].ndim == 2 and infer_vertical_dim(obj, wide[0], asked) is None:
            return {}  # rather one of the two coordinates of a grid
        return {wide[0]: resolve_column(obj, wide[0], None, asked)}
    dim = _resolve_along(obj, along)
    found = [name for name in wide if dim in coords[known[name]].dims]
    for at, name in enumerate(found):
        if known[name] in [known[other] for other in found[:at]]:
            raise ValueError(f"dim names {str(known[name])!r} twice; name it once")
    # A coordinate that has this dimension only is one like others.
    if not found and all(named_dims(obj, [name]) != {dim} for name in names):
        raise ValueError(
            f"along is {str(along)!r}, but none of {quote_names(names)} is a coordinate that has "
            f"this dimension; {_multi_dim_hint(obj, dim)}"
        )
    return {name: resolve_column(obj, known[name], dim) for name in found}


def resolve_column(
    obj: XarrayObject, name: Hashable, along: Hashable | None, asked: Iterable[Hashable] = ()
) -> VerticalCoord:
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
            raise ValueError(not_a_coord_message(name))
        known = find_cf_name(obj, name, multi_dim=True)
        if known is None:
            close = close_name(name, sorted(coords, key=str))
            raise ValueError(f"{str(name)!r} is no coordinate here{close}; {_multi_dim_hint(obj)}")
        name = known
    coord, what = coords[name], f"coordinate {str(name)!r}"
    check_repeated(coord.dims, what)
    if coord.dtype.kind not in "iuf":
        raise TypeError(
            f"{what} has dtype {coord.dtype}, which is not numeric; give one that holds positions"
        )
    dim = (
        _require_vertical_dim(obj, name, set(asked))
        if along is None
        else _resolve_along(obj, along)
    )
    if dim not in coord.dims:
        raise ValueError(
            f"{what} has the dimensions {quote_names(coord.dims)}, but not {str(dim)!r}; "
            "name one of these with along"
        )
    for d, n in zip(coord.dims, coord.shape, strict=True):
        check_known_length(n, f"dimension {str(d)!r} of {what}")
    coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, what))
    _check_monotonic_columns(coord, dim, what)
    units = coord.attrs.get("units")
    return VerticalCoord(dim, name, str(describe_field(coord.attrs, name)), units, coord)


def _resolve_along(obj: XarrayObject, along: Hashable) -> Hashable:
    name = resolve_name(obj, along)
    if name in obj.coords and obj.coords[name].ndim > 1:
        raise ValueError(
            f"along is {str(along)!r}, which has the dimensions "
            f"{quote_names(obj.coords[name].dims)}; name one of these"
        )
    return name if name in obj.dims else resolve_coord(obj, name).dim


def named_dims(obj: XarrayObject, names: Iterable[Hashable]) -> set[Hashable]:
    """The dimensions of what some names stand for."""
    coords = obj.coords.variables
    known = [resolve_name(obj, name) for name in names]
    return {dim for name in known for dim in (coords[name].dims if name in coords else [name])}


def infer_vertical_dim(
    obj: XarrayObject, name: Hashable, asked: Iterable[Hashable]
) -> Hashable | None:
    """The dimension of a coordinate that is meant where none is named; None if it is not told."""
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in asked]
    kinds = {dim: _axis_kind(obj, dim) for dim in dims}
    for kind in ("vertical", None):
        found = [dim for dim in dims if kinds[dim] == kind]
        if len(found) == 1:
            return found[0]
    return None


def _require_vertical_dim(obj: XarrayObject, name: Hashable, asked: Iterable[Hashable]) -> Hashable:
    """The same, or an error with those that it could be."""
    told = infer_vertical_dim(obj, name, asked)
    if told is not None:
        return told
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in asked]
    found = [dim for dim in dims if _axis_kind(obj, dim) is None] or dims
    raise ValueError(
        f"coordinate {str(name)!r} has the dimensions {quote_names(found)}, and which of them it "
        f"goes along is not told by their coordinates; name it, e.g. along={str(found[0])!r}"
        if dims
        else f"coordinate {str(name)!r} has no dimension besides those asked for; leave one out"
    )


def _axis_kind(obj: XarrayObject, dim: Hashable) -> str | None:
    """Whether a dimension is "vertical" or one of the others, as far as coordinates tell it."""
    for name, coord in obj.coords.variables.items():
        if coord.dims == (dim,):
            axis = coord.attrs.get("axis")
            if axis == "Z" or "positive" in coord.attrs:
                return "vertical"
            time = coord.dtype.kind in "mMO" or coord.attrs.get("standard_name") == "time"
            if time or axis in ("X", "Y", "T") or latlon_kind(name, coord):
                return "other"
    return None


def _check_monotonic_columns(coord: xr.Variable, dim: Hashable, label: str) -> None:
    """Refuse positions in memory that turn or repeat in a column."""
    at = first_non_monotonic(coord.data, coord.dims.index(dim))
    if at is None:
        return
    ref = ", ".join(f"{d}={i}" for d, i in zip(coord.dims, at, strict=True))
    before = tuple(i - (d == dim) for d, i in zip(coord.dims, at, strict=True))
    here, there = (np.asarray(coord.data)[i] for i in (at, before))
    found = f"repeats the value {here}" if here == there else f"turns, from {there} to {here},"
    raise ValueError(
        f"{label} must strictly increase or decrease along {str(dim)!r} in every column, but "
        f"{found} at {ref}; sort it, or mask such columns, e.g. with .where"
    )


def _multi_dim_hint(obj: XarrayObject, dim: Hashable | None = None) -> str:
    """The coordinates of several dimensions that there are."""
    coords = obj.coords.variables
    names = [n for n, c in coords.items() if c.ndim > 1 and (dim is None or dim in c.dims)]
    return f"coordinates of several dimensions {'with it ' if dim else ''}are {quote_names(names)}"
