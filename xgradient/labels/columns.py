"""Coordinates of several dimensions, such as heights of levels: the dimension each goes along."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import xarray as xr

from .._typing import XarrayObject
from .angles import latlon_kind
from .cf_names import find_cf_name
from .coordinates import CoordRef, coord_ref, not_a_coord_message, resolve_name
from .hints import MissingNameError, check_repeated, close_name, quote_names
from .times import dates_to_seconds


def resolve_columns(
    obj: XarrayObject, known: Mapping[Hashable, Hashable], along: Hashable | None
) -> dict[Hashable, CoordRef]:
    """Return the coordinates of several dimensions that hold positions along one of them.

    With ``along`` these are all coordinates that have this dimension among others. Without it,
    only a single coordinate of several dimensions qualifies, unless it is a latitude or longitude.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data whose coordinates the names refer to.
    known : mapping from hashable to hashable
        The names of coordinates and dimensions, by the names of the call.
    along : hashable, optional
        The dimension, or the name of a coordinate along it.

    Returns
    -------
    dict from hashable to CoordRef
        The coordinates by the names of the call, each with the dimension that it goes along.

    Raises
    ------
    TypeError, ValueError
        If no coordinate has the dimension, or one cannot carry a derivative along it.
    """
    coords = obj.coords.variables
    if along is None:
        # CF names refer to coordinates of one and two dimensions only.
        multi_dim = [n for n in known if n in coords and coords[n].ndim > 1]
        if len(multi_dim) != 1 or latlon_kind(multi_dim[0], coords[multi_dim[0]]):
            return {}
        (name,) = multi_dim
        other_dims = dims_of(obj, [known[other] for other in known if other != name])
        if coords[name].ndim == 2 and infer_vertical_dim(obj, name, other_dims) is None:
            return {}  # rather one of the two coordinates of a horizontal grid
        return {name: resolve_column(obj, name, None, other_dims)}
    multi_dim = [n for n in known if known[n] in coords and coords[known[n]].ndim > 1]
    dim = _resolve_along(obj, along)
    columns = [name for name in multi_dim if dim in coords[known[name]].dims]
    # A coordinate that has only this dimension is resolved like any other.
    if not columns and all(dims_of(obj, [name]) != {dim} for name in known.values()):
        raise ValueError(
            f"along is {str(along)!r}, but none of {quote_names(known)} is a coordinate that has "
            f"this dimension; {_multi_dim_hint(obj, dim)}"
        )
    return {name: resolve_column(obj, known[name], dim) for name in columns}


def resolve_column(
    obj: XarrayObject, name: Hashable, along: Hashable | None, other_dims: Iterable[Hashable] = ()
) -> CoordRef:
    """Resolve a coordinate, and the one of its dimensions that it goes along.

    Without ``along`` this is the dimension that CF knows as vertical, by ``axis="Z"`` or
    ``positive`` of a coordinate along it. Else it is the only dimension that is not named in the
    call, and has no time, latitude or longitude.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data whose coordinate the name refers to.
    name : hashable
        The coordinate, or its CF name.
    along : hashable, optional
        The dimension, or the name of a coordinate along it.
    other_dims : iterable of hashable
        The dimensions of other names of the call.

    Raises
    ------
    TypeError, ValueError
        If there is no such coordinate, it is not numeric, or its dimension is unclear.
    """
    coords = obj.coords.variables
    if name not in coords:
        if isinstance(obj, xr.Dataset) and name in obj.data_vars:
            raise ValueError(not_a_coord_message(name))
        known = find_cf_name(obj, name, multi_dim=True)
        if known is None:
            close = close_name(name, sorted(coords, key=str))
            raise MissingNameError(
                f"{str(name)!r} is not a coordinate here{close}; {_multi_dim_hint(obj)}"
            )
        name = known
    coord, label = coords[name], f"coordinate {str(name)!r}"
    check_repeated(coord.dims, label)
    if coord.dtype.kind in "mM" or (coord.dtype.kind == "O" and coord.chunks is None):
        coord = dates_to_seconds(coord, label)
    elif coord.dtype.kind not in "iuf":
        raise TypeError(
            f"{label} has dtype {coord.dtype}, which is not numeric; give one that holds positions"
        )
    dim = (
        _require_vertical_dim(obj, name, set(other_dims))
        if along is None
        else _resolve_along(obj, along)
    )
    if dim not in coord.dims:
        raise ValueError(
            f"{label} has the dimensions {quote_names(coord.dims)}, but not {str(dim)!r}; "
            "name one of these with along"
        )
    return CoordRef(dim, name, coord)


def _resolve_along(obj: XarrayObject, along: Hashable) -> Hashable:
    """Return the dimension that ``along`` names by itself or by a coordinate."""
    name = resolve_name(obj, along)
    if name in obj.coords and obj.coords[name].ndim > 1:
        raise ValueError(
            f"along is {str(along)!r}, which has the dimensions "
            f"{quote_names(obj.coords[name].dims)}; name one of these"
        )
    return name if name in obj.dims else coord_ref(obj, name).dim


def dims_of(obj: XarrayObject, names: Iterable[Hashable]) -> set[Hashable]:
    """Return the dimensions of some coordinates and dimensions."""
    coords = obj.coords.variables
    return {dim for name in names for dim in (coords[name].dims if name in coords else [name])}


def infer_vertical_dim(
    obj: XarrayObject, name: Hashable, other_dims: Iterable[Hashable]
) -> Hashable | None:
    """Return the dimension that a coordinate goes along; None where it is unclear."""
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in other_dims]
    kinds = {dim: _axis_kind(obj, dim) for dim in dims}
    for kind in ("vertical", None):
        candidates = [dim for dim in dims if kinds[dim] == kind]
        if len(candidates) == 1:
            return candidates[0]
    return None


def _require_vertical_dim(
    obj: XarrayObject, name: Hashable, other_dims: Iterable[Hashable]
) -> Hashable:
    """Return the dimension that a coordinate goes along, or list the candidates in an error."""
    vertical_dim = infer_vertical_dim(obj, name, other_dims)
    if vertical_dim is not None:
        return vertical_dim
    dims = [dim for dim in obj.coords.variables[name].dims if dim not in other_dims]
    candidates = [dim for dim in dims if _axis_kind(obj, dim) is None] or dims
    raise ValueError(
        f"coordinate {str(name)!r} has the dimensions {quote_names(candidates)}, and "
        "their coordinates do not say which one is vertical; name it, e.g. "
        f"along={str(candidates[0])!r}"
        if dims
        else f"coordinate {str(name)!r} has no dimension besides those asked for; leave one out"
    )


def _axis_kind(obj: XarrayObject, dim: Hashable) -> str | None:
    """Return "vertical" or "other" for a dimension, as its coordinates say; None if they do not."""
    for name, coord in obj.coords.variables.items():
        if coord.dims == (dim,):
            axis = coord.attrs.get("axis")
            if axis == "Z" or "positive" in coord.attrs:
                return "vertical"
            time = coord.dtype.kind in "mMO" or coord.attrs.get("standard_name") == "time"
            if time or axis in ("X", "Y", "T") or latlon_kind(name, coord):
                return "other"
    return None


def _multi_dim_hint(obj: XarrayObject, dim: Hashable | None = None) -> str:
    """Return a clause that lists the coordinates of several dimensions."""
    coords = obj.coords.variables
    names = [n for n, c in coords.items() if c.ndim > 1 and (dim is None or dim in c.dims)]
    return f"coordinates of several dimensions {'with it ' if dim else ''}are {quote_names(names)}"
