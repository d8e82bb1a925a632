"""Coordinates to axes: names, dates, units and periods become plain node positions.

Only this module knows CF names, dates and calendars.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .attrs import describe_field
from .hints import check_repeated, close_name, misspelt_degrees_message
from .packing import (
    UNDECODED_ATTRS,
    check_fill_values,
    check_unpacked,
    fill_values,
    nullable_to_floats,
)

_NORTH = {f"degree{s}{north}" for s in ("", "s") for north in ("_north", "_n", "n")}
_EAST = {f"degree{s}{east}" for s in ("", "s") for east in ("_east", "_e", "e")}
DEGREES = {"degree", "degrees", "deg"} | _NORTH | _EAST
# Names such as nav_lat, rlon, lats, lat_rho and latitude2, but not latent_heat.
_PREFIX, _SUFFIX = r"(nav_|grid_|r|x|y)?", r"([a-z]?|s?[_\W\d].*)"
RADIANS = {"radian", "radians", "rad"}
_PRESSURES = {"pa", "hpa", "kpa", "bar", "dbar", "decibar", "mbar", "mb", "millibar", "millibars"}


class CoordRef(NamedTuple):
    """What a name stands for: a dimension, and the coordinate along it if there is one.

    And the index of the coordinate, if xarray has made one. A coordinate of no or two dimensions
    has None for the dimension.
    """

    dim: Hashable
    name: Hashable
    coord: xr.Variable | None
    index: Any = None

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """The dimensions that it lies along."""
        return (self.dim,) if self.coord is None else self.coord.dims

    @property
    def long_name(self) -> str:
        """Long name of the coordinate, else its standard name, else its name."""
        if self.coord is None:
            return str(self.name)
        return str(describe_field(self.coord.attrs, self.name))


def resolve_coord(obj: XarrayObject, name: Hashable) -> CoordRef:
    """The dimension and the coordinate that a name stands for.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    name : hashable
        A dimension, a coordinate of one or two dimensions, or a CF name or axis that cf-xarray
        resolves.

    Returns
    -------
    Place
        The dimension, the name of the coordinate (the dimension's if it has none), and the
        coordinate.

    Raises
    ------
    ValueError
        If nothing has this name, or what has it has no dimension or more than two.
    """
    coords = obj.coords.variables
    if name not in coords:
        if name in obj.dims:
            return CoordRef(name, name, None)
        name = _resolve_cf_name(obj, name)
    coord = decoded_coord(name, coords[name])
    dims = coord.dims
    if len(dims) > 1:
        check_repeated(dims, f"coordinate {str(name)!r}")
    if len(dims) == 2:
        return CoordRef(None, name, coord)
    if len(dims) > 2 and latlon_kind(name, coord):
        every, first = ", ".join(map(str, dims)), str(dims[0])
        raise ValueError(
            f"coordinate {str(name)!r} has {len(dims)} dimensions ({every}), but those of a grid "
            f"have two; if it is the same all along {first!r}, take one of them, e.g. "
            f".assign_coords({name}=data.{name}.isel({first}=0))"
        )
    if len(dims) != 1:
        has = f"{len(dims)} dimensions ({', '.join(str(d) for d in dims)})"
        more = ", or call .grad with along, one of its own" if dims else ""
        raise ValueError(
            f"coordinate {name!r} has {has if dims else 'no dimension'}, but a derivative "
            "needs a coordinate along one dimension; name another coordinate or one of the "
            f"dimensions {quote_names(obj.dims)}{more}"
        )
    indexed = isinstance(coord, xr.IndexVariable) and dims[0] == name
    return CoordRef(dims[0], name, coord, obj.get_index(name) if indexed else None)


def decoded_coord(name: Hashable, coord: xr.Variable) -> xr.Variable:
    """Return a coordinate with nullable numbers as floats, or refuse one that is packed.

    Values along one dimension are read; others are checked where they are used.
    """
    if hasattr(coord.dtype, "numpy_dtype"):  # one of pandas' nullable dtypes
        values = nullable_to_floats(coord.to_index().array)
        coord = xr.Variable(coord.dims, values, coord.attrs)
    if not UNDECODED_ATTRS.isdisjoint(coord.attrs):
        label = f"coordinate {str(name)!r}"
        check_unpacked(coord.attrs, coord.dtype, label)
        if coord.ndim < 2 and coord.dtype.kind in "iuf":
            fills = fill_values(coord.attrs, coord.dtype)
            check_fill_values(coord.values, fills=fills, label=label)
    return coord


def resolve_name(obj: XarrayObject, name: Hashable) -> Hashable:
    """The name of a coordinate or dimension, which may be given by a CF name or axis."""
    return name if name in obj.coords or name in obj.dims else _resolve_cf_name(obj, name)


def _resolve_cf_name(obj: XarrayObject, name: Hashable) -> Hashable:
    """The name of the coordinate that cf-xarray finds for a CF name or axis."""
    found = find_cf_name(obj, name)
    if found is not None:
        return found
    if isinstance(obj, xr.Dataset) and name in obj.data_vars:
        raise ValueError(not_a_coord_message(name))
    names = {*obj.dims, *obj.coords}
    close = close_name(name, [*sorted(names, key=str), *_cf_names(obj)])
    raise ValueError(
        f"{name!r} is no dimension, coordinate or CF name here{close}; there are "
        f"{quote_names(names)}"
    )


def _cf_names(obj: XarrayObject) -> list[str]:
    """Return the CF names and axes that stand for a coordinate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cf = _guessed(obj).cf
    return [name for kind in (cf.coordinates, cf.axes, cf.standard_names) for name in kind]


def find_cf_name(obj: XarrayObject, name: Hashable, *, multi_dim: bool = False) -> Hashable | None:
    """The name of the coordinate that a CF name or axis stands for; None if there is none.

    Of several the one along one dimension is meant, else the one of two; but if it is to be
    ``multi_dim``, the one of several dimensions. Where no attribute says so, "X", "Y", "Z" and "T"
    stand for longitude, latitude, pressure or height, and time.

    Raises
    ------
    ValueError
        If it still may be one of several.
    """
    if not isinstance(name, str):
        return None
    for candidates in (_by_attributes, _by_dimensions, _by_guess, _by_kind):
        found = {n: obj.coords.variables[n].dims for n in candidates(obj, name)}
        best = [[n for n, dims in found.items() if len(dims) == number] for number in (1, 2)]
        if multi_dim:
            best = [[n for n, dims in found.items() if len(dims) > 1]]
        usable: list[Hashable] = next(filter(None, [*best, list(found)]), [])
        if len(usable) > 1:
            raise ValueError(
                f"{name!r} fits several coordinates, {quote_names(usable)}; give the name of one"
            )
        if usable:
            return usable[0]
    return None


def _by_attributes(obj: XarrayObject, name: str) -> set[Hashable]:
    """The coordinates that have a CF name or axis by their attributes."""
    import cf_xarray  # noqa: F401  registers .cf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = (obj.cf.axes, obj.cf.coordinates, obj.cf.standard_names)
        return {n for kind in kinds for n in kind.get(name, ()) if n in obj.coords}


def _by_guess(obj: XarrayObject, name: str) -> set[Hashable]:
    """The same, where what a file does not say is guessed from the usual names and spellings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _by_attributes(_guessed(obj), name)


def _guessed(obj: XarrayObject) -> XarrayObject:
    """Return the object with the attributes that cf-xarray guesses for its coordinates.

    It cannot read the dtypes of pandas' own, such as categories, whose coordinates are left out.
    """
    import cf_xarray  # noqa: F401  registers .cf

    own = [n for n, c in obj.coords.variables.items() if not isinstance(c.dtype, np.dtype)]
    guessed: XarrayObject = obj.drop_vars(own).cf.guess_coord_axis()
    return guessed


def _by_dimensions(obj: XarrayObject, name: str) -> set[Hashable]:
    """The dimensions along which longitudes are "X" and latitudes "Y", before names are guessed."""
    return {n for n in _by_kind(obj, name) if name in ("X", "Y") and n in obj.dims}


def _by_kind(obj: XarrayObject, name: str) -> set[Hashable]:
    """The coordinates that are longitudes, latitudes, pressures, heights or times by themselves."""
    return {n for n, coord in obj.coords.variables.items() if name and _axis(n, coord) == name}


def _axis(name: Hashable, coord: xr.Variable) -> str | None:
    """The letter of the axis that a coordinate can be known to be without being told so."""
    kind, units = latlon_kind(name, coord), str(coord.attrs.get("units", "")).lower()
    if kind is not None:
        return "X" if kind == "longitude" else "Y"
    if units in _PRESSURES or str(coord.attrs.get("positive")) in ("up", "down"):
        return "Z"
    return "T" if coord.dtype.kind == "M" or " since " in units else None


def not_a_coord_message(name: Hashable) -> str:
    """What to do with a variable that is meant as a coordinate."""
    return f"{str(name)!r} is a variable, not a coordinate; call .set_coords({str(name)!r}) first"


def latlon_kind(name: Hashable, coord: xr.Variable | None) -> str | None:
    """Whether a coordinate is a "latitude" or a "longitude": by CF, else by its name.

    Parameters
    ----------
    name : hashable
        Its name.
    coord : Variable or None
        The coordinate; without one, nothing is known.
    """
    if coord is None or coord.dtype.kind not in "iuf":
        return None
    units = str(coord.attrs.get("units", "")).lower()
    standard = str(coord.attrs.get("standard_name", ""))
    if units and units not in DEGREES | RADIANS:
        return None
    text = f"{name}".lower()
    for kind, letters in (("latitude", _NORTH), ("longitude", _EAST)):
        if units in letters or standard in (kind, f"grid_{kind}"):
            return kind
    for kind, axis in (("latitude", "Y"), ("longitude", "X")):
        if units and coord.attrs.get("axis") == axis:
            return kind
        if not standard and re.fullmatch(rf"{_PREFIX}({kind}|{kind[:3]}){_SUFFIX}", text):
            return kind
    return None


def check_units(name: Hashable, coord: xr.Variable | None) -> None:
    """Refuse a latitude or longitude whose units are misspelt, so that it is not known as one."""
    units = None if coord is None else coord.attrs.get("units")
    if coord is None or units is None or latlon_kind(name, coord) is not None:
        return
    others = {key: value for key, value in coord.attrs.items() if key != "units"}
    kind = latlon_kind(name, xr.Variable(coord.dims, coord.data, others))
    if sentence := misspelt_degrees_message(name, units, kind):
        raise ValueError(sentence)


def is_in_degrees(coord: xr.Variable) -> bool:
    """Whether angles are in degrees, as they are if nothing is said."""
    return str(coord.attrs.get("units", "")).lower() not in RADIANS


def find_latlon(obj: XarrayObject, kind: str) -> CoordRef | None:
    """The "latitude" or "longitude" of the data: a coordinate along one dimension, or one value.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    kind : str
        Which of the two.

    Raises
    ------
    ValueError
        If there are several.
    """
    found = [
        CoordRef(coord.dims[0] if coord.ndim else None, name, decoded_coord(name, coord))
        for name, coord in obj.coords.variables.items()
        if coord.ndim < 2 and latlon_kind(name, coord) == kind
    ]
    # A coordinate of a dimension is meant before others along it, these before single values.
    for best in (
        [p for p in found if p.dim == p.name],
        [p for p in found if p.dim is not None],
        found,
    ):
        if len(best) == 1:
            return best[0]
        if best:
            names = quote_names(p.name for p in best)
            raise ValueError(
                f"several coordinates may be the {kind}, {names}; drop all but one, "
                "e.g. with .drop_vars"
            )
    return None


def quote_names(names: Iterable[Any]) -> str:
    """Quote names for a message, in alphabetical order."""
    return ", ".join(sorted(repr(str(name)) for name in names)) or "none"


def describe_coord(ref: CoordRef) -> str:
    """A coordinate and its dimensions in words."""
    n, names = len(ref.dims), ", ".join(map(str, ref.dims))
    return f"coordinate {str(ref.name)!r} has {n} dimension{'s' if n > 1 else ''} ({names})"
