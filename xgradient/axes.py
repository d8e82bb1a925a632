"""Coordinates to axes: names, dates, units and periods become plain node positions.

Only this module knows CF names, dates and calendars.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .nodes import Nodes, given_nodes

__all__ = ["Axis", "Place", "find_coord", "make_axis"]

XarrayObject = xr.DataArray | xr.Dataset

_DEGREES = {
    "degree", "degrees", "degree_north", "degrees_north", "degree_east", "degrees_east",
    "degree_n", "degrees_n", "degree_e", "degrees_e", "degreen", "degreesn", "degreee",
    "degreese", "deg",
}  # fmt: skip
_TICKS_PER_SECOND = {
    "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Axis:
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
        Units of the positions, "s" for all kinds of time.
    nodes : Nodes
        The positions.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    nodes: Nodes


@dataclass(frozen=True, eq=False)
class Place:
    """What a name stands for: a dimension, and the coordinate along it if there is one."""

    dim: Hashable
    name: Hashable
    coord: xr.Variable | None


def find_coord(obj: XarrayObject, name: Hashable) -> Place:
    """The dimension and the coordinate that a name stands for.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look.
    name : hashable
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves.

    Returns
    -------
    Place
        The dimension, the name of the coordinate (the dimension's if it has none), and the
        coordinate.

    Raises
    ------
    ValueError
        If nothing has this name, or what has it does not lie along one dimension.
    """
    coords = obj.coords.variables
    if name not in coords:
        if name in obj.dims:
            return Place(name, name, None)
        name = _find_cf(obj, name)
    coord = coords[name]
    if coord.ndim != 1:
        has = "none" if coord.ndim == 0 else ", ".join(str(d) for d in coord.dims)
        raise ValueError(
            f"coordinate {name!r} has {coord.ndim} dimensions ({has}), "
            "a derivative needs one that lies along one dimension; name another coordinate or "
            f"one of the dimensions {_listed(obj.dims)}"
        )
    return Place(coord.dims[0], name, coord)


def _find_cf(obj: XarrayObject, name: Hashable) -> Hashable:
    """The name of the coordinate that cf-xarray finds for a CF name or axis."""
    import cf_xarray  # noqa: F401  registers .cf

    for guess in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # What a file does not say is guessed from the usual names and spellings.
            where = obj.cf.guess_coord_axis() if guess else obj
            try:
                found = where.cf[name]
            except (KeyError, AttributeError):
                continue
        if isinstance(found, xr.DataArray) and found.name in obj.coords:
            return found.name
    names = _listed({*obj.dims, *obj.coords})
    raise ValueError(f"{name!r} is no dimension, coordinate or CF name here; there are {names}")


def _listed(names: Any) -> str:
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
    label, coord = place.name, place.coord
    words = str(label)
    if coord is not None:
        plain = str(coord.attrs.get("standard_name") or label).replace("_", " ")
        words = str(coord.attrs.get("long_name") or plain)
    units: str | None = None
    what = f"coordinate {label!r}"
    values: Any = 1.0  # the step of a dimension without a coordinate
    if spacing is not None:
        what = f"spacing of {label!r}"
        values = spacing.values if isinstance(spacing, xr.DataArray) else np.asarray(spacing)
        units = spacing.attrs.get("units") if isinstance(spacing, xr.DataArray) else None
    elif coord is not None:
        values, units = coord.values, coord.attrs.get("units")
    ticks, scale, units = _ticks(np.asarray(values), units, what)
    period = False if periodic is False else _period(periodic, units, what)
    nodes = given_nodes(ticks, n, what, scale=scale, period=period)
    return Axis(place.dim, label, words, units, nodes)


def _ticks(
    values: NDArray[Any], units: str | None, what: str
) -> tuple[NDArray[Any], float, str | None]:
    """Values as numbers, how many of them make one unit, and the unit: seconds for times."""
    if values.dtype.kind in "mM":
        missing = np.isnat(values)
        if missing.any():
            raise ValueError(
                f"{what} has a missing value at index {int(np.argmax(missing))}; "
                "fill it or drop it, e.g. with .dropna, before differentiating"
            )
        if np.datetime_data(values.dtype)[0] not in _TICKS_PER_SECOND:
            values = values.astype(f"{values.dtype.kind}8[s]")  # days, hours: exact in seconds
        unit, count = np.datetime_data(values.dtype)
        return values.astype(np.int64) * count, _TICKS_PER_SECOND[unit], "s"
    if values.dtype.kind == "O" and values.size and hasattr(values[0], "timetuple"):
        try:
            micro = [(v - values[0]) // timedelta(microseconds=1) for v in values]
        except TypeError as error:
            raise TypeError(f"{what} mixes dates that cannot be subtracted: {error}") from None
        return np.array(micro, dtype=np.int64), 10.0**6, "s"
    return values, 1.0, units


def _period(periodic: Any, units: str | None, what: str) -> float | bool:
    """The period as a number in units of the axis, or True for n steps."""
    if periodic is True:
        return 360.0 if str(units).lower() in _DEGREES else True
    return _seconds(periodic, what)


def _seconds(period: Any, what: str) -> float:
    """A period as a number; lengths of time in seconds."""
    if isinstance(period, timedelta):
        return period.total_seconds()
    if isinstance(period, np.timedelta64):
        return float(period / np.timedelta64(1, "s"))
    if isinstance(period, bool | np.bool_) or not np.isscalar(period):
        raise TypeError(f"the period of {what} is {period!r}; give a number")
    try:
        return float(period)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"the period of {what} is {period!r}; give a number") from None
