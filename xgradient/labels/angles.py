"""Latitudes, longitudes and units of angles, by CF attributes and by names."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..stencils.positions import last_repeats_first
from ..stencils.tolerance import position_tolerance
from .hints import misspelt_degrees_message

_NORTH = {f"degree{s}{north}" for s in ("", "s") for north in ("_north", "_n", "n")}
_EAST = {f"degree{s}{east}" for s in ("", "s") for east in ("_east", "_e", "e")}
DEGREES = {"degree", "degrees", "deg"} | _NORTH | _EAST
# Match names such as nav_lat, rlon, lats, lat_rho and latitude2, but not latent_heat.
_PREFIX, _SUFFIX = r"(nav_|grid_|r|x|y)?", r"([a-z]?|s?[_\W\d].*)"
RADIANS = {"radian", "radians", "rad"}


def latlon_kind(name: Hashable, coord: xr.Variable | None) -> str | None:
    """Return "latitude" or "longitude" by CF attributes, else by the name; None for others.

    Parameters
    ----------
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate; None for a dimension without one.
    """
    if coord is None:
        return None
    dtype = getattr(coord.dtype, "subtype", coord.dtype)  # of the ends of intervals
    if dtype.kind not in "iuf":
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
    """Refuse a latitude or longitude that is not recognised because its units are misspelt."""
    units = None if coord is None else coord.attrs.get("units")
    if coord is None or units is None or latlon_kind(name, coord) is not None:
        return
    others = {key: value for key, value in coord.attrs.items() if key != "units"}
    kind = latlon_kind(name, xr.Variable(coord.dims, coord.data, others))
    if message := misspelt_degrees_message(name, units, kind):
        raise ValueError(message)


def is_in_degrees(coord: xr.Variable) -> bool:
    """Return True for angles in degrees; angles without units are in degrees."""
    return str(coord.attrs.get("units", "")).lower() not in RADIANS


def unwrap(values: Any, period: float) -> Any:
    """Return positions without a jump by a full period between two of them.

    Parameters
    ----------
    values : 1-D ndarray
        Positions, such as longitudes that go from 359 to 0.
    period : float
        The period in their units.
    """
    floats = values.astype(np.float64) if values.dtype.kind != "f" else values
    steps = np.diff(floats)
    jumps = np.abs(steps) > period / 2
    # Steps above half a period may be meant if all have the same sign.
    if not jumps.any() or (len(values) > 2 and ((steps > 0).all() or (steps < 0).all())):
        return values
    return np.unwrap(floats, period=period).astype(floats.dtype)


def unwrap_axis(
    name: Hashable,
    coord: xr.Variable | None,
    values: NDArray[Any],
    units: str | None,
    period: float | bool,
) -> NDArray[Any]:
    """Return positions that increase or decrease, of an axis that starts anywhere in its period.

    Parameters
    ----------
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate.
    values : 1-D ndarray
        Its positions.
    units : str or None
        Units of the positions.
    period : float or bool
        The period in these units, if the call gives one. Else only angles other than latitudes
        have one.
    """
    if values.dtype.kind not in "iuf" or len(values) < 3:
        return values
    turn = turn_of(name, coord, units) if isinstance(period, bool) else period
    return values if turn is None else np.asarray(unwrap(values, turn))


def turn_of(name: Hashable, coord: xr.Variable | None, units: str | None) -> float | None:
    """Return a full turn in units of a coordinate of angles; None for latitudes and others.

    Parameters
    ----------
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate.
    units : str or None
        Units of its positions.
    """
    kind, text = latlon_kind(name, coord), str(units).lower()
    if kind == "latitude" or (kind is None and text not in DEGREES | RADIANS):
        return None
    return 2 * np.pi if text in RADIANS else 360.0


def period_of_angle(
    name: Hashable, coord: xr.Variable | None, values: NDArray[Any], units: str | None
) -> float | bool:
    """Return a full turn for angles whose last position repeats the first; else True.

    Only radians and longitudes without units are checked: a period of 360 degrees is known.

    Parameters
    ----------
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate.
    values : 1-D ndarray
        Positions of the coordinate.
    units : str or None
        Units of the positions.

    Returns
    -------
    float or bool
        The period in units of the axis; True for the period of n steps.
    """
    radians = str(units).lower() in RADIANS
    turn = 2 * np.pi if radians else 360.0
    if len(values) < 2 or values.dtype.kind not in "iuf" or not (radians or units is None):
        return True
    if abs(abs(float(values[-1]) - float(values[0])) - turn) > 0.1 * turn:
        return True  # without the exact test, which takes longer
    if not radians and latlon_kind(name, coord) != "longitude":
        return True
    repeats = last_repeats_first(values.astype(np.float64), turn, position_tolerance(values))
    return turn if repeats else True
