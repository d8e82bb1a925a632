"""Names of coordinates: dimensions, CF names and axes, latitudes and longitudes.

`resolve_name` finds the name of a coordinate, and `coord_ref` is the only place where this becomes
a coordinate.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .angles import latlon_kind
from .attrs import describe_field
from .cf_names import cf_names_of, find_cf_name
from .helpers import helper_names
from .hints import MissingNameError, check_repeated, close_name, quote_names
from .middles import with_middles
from .packing import (
    UNDECODED_ATTRS,
    check_fill_values,
    check_unpacked,
    fill_values,
    nullable_to_floats,
)
from .transforms import index_step


class CoordRef(NamedTuple):
    """Hold the dimension and the coordinate that a name means.

    Attributes
    ----------
    dim : hashable
        The dimension; None for a coordinate of no or several dimensions, unless it has positions
        along one of them.
    name : hashable
        Name of the coordinate, or of the dimension if it has no coordinate.
    coord : Variable or None
        The coordinate, with nullable numbers as floats, and intervals and periods at their middles.
    index : pandas Index or None
        Index of the coordinate, if it has the name of its dimension.
    step : float or None
        Step of a coordinate whose index computes its positions, so that they are not made.
    """

    dim: Hashable
    name: Hashable
    coord: xr.Variable | None
    index: Any = None
    step: float | None = None

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Dimensions of the coordinate."""
        return (self.dim,) if self.coord is None else self.coord.dims

    @property
    def long_name(self) -> str:
        """Long name of the coordinate, else its standard name, else its name."""
        if self.coord is None:
            return str(self.name)
        return str(describe_field(self.coord.attrs, self.name))


def resolve_coord(obj: XarrayObject, name: Hashable) -> CoordRef:
    """Find the dimension and the coordinate that a name means; see `coord_ref`."""
    return coord_ref(obj, resolve_name(obj, name))


def coord_ref(obj: XarrayObject, name: Hashable) -> CoordRef:
    """Return a coordinate with the dimension that it goes along.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data with their coordinates.
    name : hashable
        A dimension, or a coordinate of one or two dimensions, as `resolve_name` returns it. Further
        dimensions may have length 1, and latitudes and longitudes any others.

    Returns
    -------
    CoordRef
        The dimension, the name and the coordinate.

    Raises
    ------
    ValueError
        If the coordinate is packed or has no dimension, a repeated one or more than two.
    """
    coords = obj.coords.variables
    if name not in coords:
        return CoordRef(name, name, None)
    coord = decoded_coord(name, coords[name])
    dims = coord.dims
    if len(dims) > 1:
        check_repeated(dims, f"coordinate {str(name)!r}")
        coord = coord if _has_counterpart(obj, name, coord) else squeezed(coord)
        dims = coord.dims
    if len(dims) > 1 and coord.dtype.kind in "mM":
        raise ValueError(
            f"{_describe_dims(name, dims)} and holds times, so a derivative goes along one of "
            f"them; call .grad with it, e.g. along={str(dims[-1])!r}"
        )
    if len(dims) == 2 or (len(dims) > 2 and latlon_kind(name, coord)):
        return CoordRef(None, name, coord)
    if len(dims) != 1:
        more = ", or call .grad with along, a dimension of it" if dims else ""
        raise ValueError(
            f"{_describe_dims(name, dims)}, but a derivative needs a coordinate along one "
            "dimension; name another coordinate or one of the dimensions "
            f"{quote_names(obj.dims)}{more}"
        )
    if isinstance(coord, xr.IndexVariable):
        return CoordRef(dims[0], name, coord, obj.get_index(name) if dims[0] == name else None)
    return CoordRef(dims[0], name, coord, step=index_step(obj.xindexes.get(name), name))


def decoded_coord(name: Hashable, coord: xr.Variable) -> xr.Variable:
    """Convert nullable numbers of a coordinate to floats, and refuse a packed coordinate.

    Intervals and periods become their middles. Values along one dimension are read here; other
    values are checked when they are used.
    """
    if hasattr(coord.dtype, "numpy_dtype"):  # one of pandas' nullable dtypes
        values = nullable_to_floats(coord.to_index().array)
        coord = xr.Variable(coord.dims, values, coord.attrs)
    elif coord.dtype.kind == "O":
        coord = with_middles(coord)
    if not UNDECODED_ATTRS.isdisjoint(coord.attrs):
        label = f"coordinate {str(name)!r}"
        check_unpacked(coord.attrs, coord.dtype, label)
        if coord.ndim < 2 and coord.dtype.kind in "iuf":
            fills = fill_values(coord.attrs, coord.dtype)
            check_fill_values(coord.values, fills=fills, label=label)
    return coord


def squeezed(coord: xr.Variable) -> xr.Variable:
    """Return a coordinate without its dimensions of length 1, if it has longer ones."""
    if coord.ndim < 2 or 1 not in coord.shape:
        return coord
    short = [dim for dim, n in coord.sizes.items() if n == 1]
    return coord if len(short) == coord.ndim else coord.isel(dict.fromkeys(short, 0))


def _has_counterpart(obj: XarrayObject, name: Hashable, coord: xr.Variable) -> bool:
    """Return True for one of a latitude and a longitude that would both lie along one dimension.

    They are those of a grid with a single row, not positions along a line.
    """
    kind = latlon_kind(name, coord)
    if kind is None or squeezed(coord).ndim != 1:
        return False
    others = obj.coords.variables.items()
    return any(set(c.dims) == set(coord.dims) and latlon_kind(n, c) not in (kind, None)
               for n, c in others)  # fmt: skip


def resolve_name(obj: XarrayObject, name: Hashable) -> Hashable:
    """Return the name of a coordinate or dimension, which may be given by a CF name or axis.

    Raises
    ------
    ValueError
        If there is none; with a hint.
    """
    if name in obj.coords.variables or name in obj.dims:
        return name
    resolved = find_cf_name(obj, name)
    if resolved is not None:
        return resolved
    if isinstance(obj, xr.Dataset) and name in obj.data_vars:
        raise ValueError(not_a_coord_message(name))
    names = {*obj.dims, *obj.coords} - helper_names(obj)
    close = close_name(name, [*sorted(names, key=str), *cf_names_of(obj)])
    raise MissingNameError(
        f"{name!r} is not a dimension, coordinate or CF name here{close}; there are "
        f"{quote_names(names)}"
    )


def not_a_coord_message(name: Hashable) -> str:
    """Return the error message for a variable that is not a coordinate yet."""
    return f"{str(name)!r} is a variable, not a coordinate; call .set_coords({str(name)!r}) first"


def find_latlon(obj: XarrayObject, kind: str) -> CoordRef | None:
    """Find the latitude or longitude of the data among coordinates of at most one dimension.

    Coordinates with the name of their dimension come first, then others along a dimension, then
    single values.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data with their coordinates.
    kind : str
        "latitude" or "longitude".

    Returns
    -------
    CoordRef or None
        The coordinate; None if there is none.

    Raises
    ------
    ValueError
        If several coordinates fit equally well.
    """
    found = {n: c for n, c in obj.coords.variables.items() if latlon_kind(n, c) == kind}
    few = {name: coord for name, coord in found.items() if coord.ndim < 2}
    if not few:
        every = ((name, squeezed(coord)) for name, coord in found.items())
        few = {name: coord for name, coord in every if coord.ndim < 2}
    refs = [
        CoordRef(coord.dims[0] if coord.ndim else None, name, decoded_coord(name, coord))
        for name, coord in few.items()
    ]
    own_dim = [ref for ref in refs if ref.dim == ref.name]
    for best in (own_dim, [ref for ref in refs if ref.dim is not None], refs):
        if len(best) == 1:
            return best[0]
        if best:
            names = quote_names(ref.name for ref in best)
            raise ValueError(
                f"several coordinates may be the {kind}, {names}; drop all but one, "
                "e.g. with .drop_vars"
            )
    return None


def describe_coord(ref: CoordRef) -> str:
    """Describe a coordinate and its dimensions, for error messages."""
    return _describe_dims(ref.name, ref.dims)


def _describe_dims(name: Hashable, dims: tuple[Hashable, ...]) -> str:
    n, listed = len(dims), ", ".join(map(str, dims))
    has = f"{n} dimension{'s' if n > 1 else ''} ({listed})" if dims else "no dimension"
    return f"coordinate {str(name)!r} has {has}"
