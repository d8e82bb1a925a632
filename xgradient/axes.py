"""Coordinates to axes: names, dates, units and periods become plain node positions.

Only this module knows CF names, dates and calendars.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .hints import (
    check_repeated,
    close_name,
    is_quantity,
    of_objects,
    of_quantity,
    of_units,
)
from .nodes import Nodes, check_length, given_nodes, missing_value, returns
from .packing import (
    UNDECODED_ATTRS,
    check_fill_values,
    check_unpacked,
    fill_values,
    nullable_to_floats,
)
from .recent import LONGEST_KEPT, Recent
from .tolerance import position_tolerance
from .wording import in_one_line

__all__ = [
    "Axis",
    "Place",
    "cf_name",
    "check_units",
    "decoded_coord",
    "find_coord",
    "find_horizontal",
    "find_name",
    "horizontal",
    "in_degrees",
    "listed",
    "make_axis",
    "not_set",
]

XarrayObject = xr.DataArray | xr.Dataset

_NORTH = {f"degree{s}{north}" for s in ("", "s") for north in ("_north", "_n", "n")}
_EAST = {f"degree{s}{east}" for s in ("", "s") for east in ("_east", "_e", "e")}
_DEGREES = {"degree", "degrees", "deg"} | _NORTH | _EAST
# Names such as nav_lat, rlon, lats, lat_rho and latitude2, but not latent_heat.
_PREFIX, _SUFFIX = r"(nav_|grid_|r|x|y)?", r"([a-z]?|s?[_\W\d].*)"
_RADIANS = {"radian", "radians", "rad"}
_PRESSURES = {"pa", "hpa", "kpa", "bar", "dbar", "decibar", "mbar", "mb", "millibar", "millibars"}
_TICKS_PER_SECOND = {
    "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18,
}  # fmt: skip

_RECENT: Recent[tuple[Nodes, str | None, Any]] = Recent(64)


class Axis(NamedTuple):
    """One coordinate, ready to differentiate along.

    Attributes
    ----------
    dim : hashable
        The dimension.
    name : hashable
        The coordinate's name, which the result's name takes up.
    long_name : str
        The coordinate in words.
    units : str or None
        Units of the positions, "s" for all kinds of time, "1" for steps; None if unknown.
    nodes : Nodes
        The positions.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    nodes: Nodes


class Place(NamedTuple):
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


def find_coord(obj: XarrayObject, name: Hashable) -> Place:
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
            return Place(name, name, None)
        name = _find_cf(obj, name)
    coord = decoded_coord(name, coords[name])
    dims = coord.dims
    if len(dims) > 1:
        check_repeated(dims, f"coordinate {str(name)!r}")
    if len(dims) == 2:
        return Place(None, name, coord)
    if len(dims) > 2 and horizontal(name, coord):
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
            f"dimensions {listed(obj.dims)}{more}"
        )
    indexed = isinstance(coord, xr.IndexVariable) and dims[0] == name
    return Place(dims[0], name, coord, obj.get_index(name) if indexed else None)


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


def find_name(obj: XarrayObject, name: Hashable) -> Hashable:
    """The name of a coordinate or dimension, which may be given by a CF name or axis."""
    return name if name in obj.coords or name in obj.dims else _find_cf(obj, name)


def _find_cf(obj: XarrayObject, name: Hashable) -> Hashable:
    """The name of the coordinate that cf-xarray finds for a CF name or axis."""
    found = cf_name(obj, name)
    if found is not None:
        return found
    if isinstance(obj, xr.Dataset) and name in obj.data_vars:
        raise ValueError(not_set(name))
    names = {*obj.dims, *obj.coords}
    close = close_name(name, [*sorted(names, key=str), *_cf_names(obj)])
    raise ValueError(
        f"{name!r} is no dimension, coordinate or CF name here{close}; there are {listed(names)}"
    )


def _cf_names(obj: XarrayObject) -> list[str]:
    """Return the CF names and axes that stand for a coordinate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cf = _guessed(obj).cf
    return [name for kind in (cf.coordinates, cf.axes, cf.standard_names) for name in kind]


def cf_name(obj: XarrayObject, name: Hashable, *, wide: bool = False) -> Hashable | None:
    """The name of the coordinate that a CF name or axis stands for; None if there is none.

    Of several the one along one dimension is meant, else the one of two; but if it is to be
    ``wide``, the one of several dimensions. Where no attribute says so, "X", "Y", "Z" and "T"
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
        if wide:
            best = [[n for n, dims in found.items() if len(dims) > 1]]
        usable: list[Hashable] = next(filter(None, [*best, list(found)]), [])
        if len(usable) > 1:
            raise ValueError(
                f"{name!r} fits several coordinates, {listed(usable)}; give the name of one"
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
    kind, units = horizontal(name, coord), str(coord.attrs.get("units", "")).lower()
    if kind is not None:
        return "X" if kind == "longitude" else "Y"
    if units in _PRESSURES or str(coord.attrs.get("positive")) in ("up", "down"):
        return "Z"
    return "T" if coord.dtype.kind == "M" or " since " in units else None


def not_set(name: Hashable) -> str:
    """What to do with a variable that is meant as a coordinate."""
    return f"{str(name)!r} is a variable, not a coordinate; call .set_coords({str(name)!r}) first"


def horizontal(name: Hashable, coord: xr.Variable | None) -> str | None:
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
    if units and units not in _DEGREES | _RADIANS:
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
    if coord is None or units is None or horizontal(name, coord) is not None:
        return
    others = {key: value for key, value in coord.attrs.items() if key != "units"}
    kind = horizontal(name, xr.Variable(coord.dims, coord.data, others))
    if sentence := of_units(name, units, kind):
        raise ValueError(sentence)


def in_degrees(coord: xr.Variable) -> bool:
    """Whether angles are in degrees, as they are if nothing is said."""
    return str(coord.attrs.get("units", "")).lower() not in _RADIANS


def find_horizontal(obj: XarrayObject, kind: str, instead_of: Hashable = None) -> Place | None:
    """The "latitude" or "longitude" of the data: a coordinate along one dimension, or one value.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    kind : str
        Which of the two.
    instead_of : hashable, optional
        A coordinate that is not meant.

    Raises
    ------
    ValueError
        If there are several.
    """
    found = [
        Place(coord.dims[0] if coord.ndim else None, name, decoded_coord(name, coord))
        for name, coord in obj.coords.variables.items()
        if name != instead_of and coord.ndim < 2 and horizontal(name, coord) == kind
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
            names = listed(p.name for p in best)
            raise ValueError(
                f"several coordinates may be the {kind}, {names}; drop all but one, "
                "e.g. with .drop_vars"
            )
    return None


def listed(names: Any) -> str:
    """Names in a message, in alphabetical order."""
    return ", ".join(sorted(repr(str(n)) for n in names)) or "none"


def make_axis(place: Place, n: int, spacing: Any = None, periodic: Any = False) -> Axis:
    """The axis along a dimension.

    Parameters
    ----------
    place : Place
        The dimension and its coordinate; without one the step is 1.
    n : int
        Number of points.
    spacing : None, number or 1-D array
        A uniform step or node positions instead of the coordinate; a DataArray brings its units.
    periodic : bool or number
        Whether the axis wraps, or its period in units of the axis.

    Returns
    -------
    Axis
        The dimension with checked positions; times are in seconds.

    Raises
    ------
    TypeError, ValueError
        If the coordinate cannot carry a derivative: one sentence with what was found.
    """
    words = str(place.name)
    if place.coord is not None:
        attrs = place.coord.attrs
        plain = str(attrs.get("standard_name") or words).replace("_", " ")
        words = str(attrs.get("long_name") or plain)
    nodes, units = _positions(place, n, spacing, periodic)
    return Axis(place.dim, place.name, words, units, nodes)


def _positions(place: Place, n: int, spacing: Any, periodic: Any) -> tuple[Nodes, str | None]:
    """The positions along a dimension, and their units."""
    coord, index = place.coord, place.index
    if spacing is not None or periodic is not False or coord is None or index is None:
        return _checked_positions(place, n, spacing, periodic)
    if n > LONGEST_KEPT or not isinstance(coord.dtype, np.dtype) or not _is_fixed(index.values):
        return _checked_positions(place, n, spacing, periodic)
    # It is looked at once; as long as it is kept, no other has its id.
    key = id(index), coord.dtype, repr(coord.attrs.get("units"))
    return _RECENT.get(key, lambda: (*_checked_positions(place, n, None, False), index))[:2]


def _is_fixed(values: Any) -> bool:
    """Whether these values are known not to change, as those of indexes do not since pandas 3."""
    return isinstance(values, np.ndarray) and not values.flags.writeable


def _checked_positions(
    place: Place, n: int, spacing: Any, periodic: Any
) -> tuple[Nodes, str | None]:
    """The same, looked at anew."""
    check_length(n, f"dimension {str(place.dim)!r}")
    units: str | None = "1" if place.coord is None and spacing is None else None
    what = f"coordinate {place.name!r}"
    shown: Any = 1.0  # the step of a dimension without a coordinate, which counts steps
    if spacing is not None:
        what = f"spacing of {place.name!r}"
        shown = spacing
        if is_quantity(spacing.variable._data if isinstance(spacing, xr.DataArray) else spacing):
            raise of_quantity(what, argument=True)
        if isinstance(spacing, xr.DataArray):
            if spacing.dims not in ((), (place.dim,)):
                raise ValueError(
                    f"{what} lies along {listed(spacing.dims)}, not along {str(place.dim)!r}; "
                    "give positions along this dimension"
                )
            spacing = decoded_coord(place.name, spacing.variable)
            shown, units = spacing.values, spacing.attrs.get("units")
    elif place.coord is not None:
        if is_quantity(place.coord._data):
            raise of_quantity(what)
        shown, units = place.coord.values, place.coord.attrs.get("units")
    values = np.asarray(shown)
    if values.dtype.kind == "O" and (found := of_objects(values, what, place.name, place.dim)):
        raise TypeError(found)
    values, scale, units = _ticks(values, units, what)
    period = _period(periodic, units, what)
    if period is True and spacing is None and values.ndim:
        period = _full_turn(place, values, units)
    return given_nodes(values, n, what, scale=scale, period=period, shown=shown), units


def _full_turn(place: Place, values: NDArray[Any], units: str | None) -> float | bool:
    """A full turn, where an angle that is not said to be in degrees returns after one; else True.

    That a coordinate without units is an angle is known of longitudes only.
    """
    radians = str(units).lower() in _RADIANS
    turn = 2 * np.pi if radians else 360.0
    if len(values) < 2 or values.dtype.kind not in "iuf" or not (radians or units is None):
        return True
    if abs(abs(float(values[-1]) - float(values[0])) - turn) > 0.1 * turn:
        return True  # at once, as usual
    if not radians and horizontal(place.name, place.coord) != "longitude":
        return True
    return turn if returns(values.astype(np.float64), turn, position_tolerance(values)) else True


def _ticks(
    values: NDArray[Any], units: str | None, what: str
) -> tuple[NDArray[Any], float, str | None]:
    """Values as numbers, how many of them make one unit, and the unit: seconds for times."""
    if values.dtype.kind == "O":
        return _object_ticks(values, units, what)
    if values.dtype.kind not in "mM" or (values.dtype.kind == "M" and not values.ndim):
        return values, 1.0, units
    missing = np.isnat(values)
    if missing.any():
        if not values.ndim:
            raise ValueError(f"{what} is NaT; a step must be finite and not zero")
        raise missing_value(what, int(np.argmax(missing)))
    if np.datetime_data(values.dtype)[0] not in _TICKS_PER_SECOND:
        values = values.astype(f"{values.dtype.kind}8[s]")  # days, hours: exact in seconds
    unit, count = np.datetime_data(values.dtype)
    return values.astype(np.int64) * count, _TICKS_PER_SECOND[unit], "s"


def _object_ticks(
    values: NDArray[Any], units: str | None, what: str
) -> tuple[NDArray[Any], float, str | None]:
    """Dates and lengths of time of Python, pandas and cftime in microseconds."""
    items = list(values.flat)
    kinds = {_kind_of_time(item) for item in items}
    if not kinds & {"date", "length"} or (kinds == {"date"} and not values.ndim):
        return values, 1.0, units
    if "missing" in kinds:
        raise missing_value(what, [_kind_of_time(item) for item in items].index("missing"))
    zero = items[0] if "date" in kinds else timedelta(0)
    try:
        ticks = [(item - zero) // timedelta(microseconds=1) for item in items]
    except TypeError as error:
        raise TypeError(f"{what} mixes dates that cannot be subtracted: {error}") from None
    return np.array(ticks, dtype=np.int64).reshape(values.shape), 10.0**6, "s"


def _kind_of_time(item: Any) -> str:
    if item is None or item != item:
        return "missing"
    if isinstance(item, timedelta):
        return "length"
    return "date" if hasattr(item, "timetuple") else "other"


def _period(periodic: Any, units: str | None, what: str) -> float | bool:
    """The period as a number in units of the axis, or whether it is n steps."""
    if isinstance(periodic, bool | np.bool_):
        in_degrees = str(units).lower() in _DEGREES
        return 360.0 if periodic and in_degrees else bool(periodic)
    wrong = f"the period of {what} is {in_one_line(periodic)}; give a number"
    if isinstance(periodic, timedelta | np.timedelta64):
        if units != "s":
            raise TypeError(f"{wrong} in units of the axis, which is no time")
        try:
            return float(np.timedelta64(periodic) / np.timedelta64(1, "s"))
        except TypeError:
            raise TypeError(f"{wrong}, years and months have no fixed length") from None
    if not isinstance(periodic, int | float | np.integer | np.floating):
        raise TypeError(wrong)
    return float(periodic)
