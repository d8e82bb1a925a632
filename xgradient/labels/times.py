"""Dates, calendars and durations as integer ticks, and periods as numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._wording import short_repr
from ..stencils.positions import missing_position_error
from .angles import DEGREES
from .pint_units import factor_to, is_quantity, registry_of

_TICKS_PER_SECOND = {
    "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18,
}  # fmt: skip


def to_integer_ticks(
    values: NDArray[Any], units: str | None, label: str
) -> tuple[NDArray[Any], float, str | None]:
    """Convert times to integer ticks; other values are returned as they are.

    Parameters
    ----------
    values : ndarray
        Positions or one step, of any dtype.
    units : str or None
        Units of the values.
    label : str
        The coordinate or the spacing in words, for error messages.

    Returns
    -------
    ticks : ndarray
        The numbers; int64 for times.
    scale : float
        Number of ticks in one unit.
    units : str or None
        "s" for times, else the units given.

    Raises
    ------
    TypeError, ValueError
        If a time is missing, or if dates cannot be subtracted.
    """
    if values.dtype.kind == "O":
        return _date_ticks(values, units, label)
    if values.dtype.kind not in "mM" or (values.dtype.kind == "M" and not values.ndim):
        return values, 1.0, units
    missing = np.isnat(values)
    if missing.any():
        if not values.ndim:
            raise ValueError(f"{label} is NaT; a step must be finite and not zero")
        raise missing_position_error(label, int(np.argmax(missing)))
    if np.datetime_data(values.dtype)[0] not in _TICKS_PER_SECOND:
        values = values.astype(f"{values.dtype.kind}8[s]")  # days and hours are whole seconds
    unit, count = np.datetime_data(values.dtype)
    return values.astype(np.int64) * count, _TICKS_PER_SECOND[unit], "s"


def durations_to_seconds(data: Any) -> Any:
    """Convert an array of timedelta64, perhaps lazy, to float64 seconds; NaT becomes NaN."""
    return data / np.timedelta64(1, "s")


def dates_to_seconds(coord: xr.Variable, label: str) -> xr.Variable:
    """Convert a coordinate of times of several dimensions to float64 seconds.

    Dates count from the first one, so that seconds keep the digits of their differences. Lazy
    dates stay lazy; missing ones become NaN.

    Parameters
    ----------
    coord : Variable
        Datetimes or durations, or dates of cftime in memory.
    label : str
        The coordinate in words, for error messages.

    Raises
    ------
    TypeError, ValueError
        If objects are not dates, or cannot be subtracted.
    """
    if coord.dtype.kind == "O":
        ticks, scale, units = to_integer_ticks(coord.values, None, label)
        if units != "s":
            raise TypeError(
                f"{label} has dtype object, but no dates; give one that holds positions"
            )
        seconds = ticks / scale
    elif coord.dtype.kind == "m":
        seconds = durations_to_seconds(coord.data)
    else:
        first = coord.isel(dict.fromkeys(coord.dims, 0)).data
        origin = np.where(np.isnat(first), np.zeros((), coord.dtype), first)
        seconds = durations_to_seconds(coord.data - origin)
    return xr.Variable(coord.dims, seconds, {**coord.attrs, "units": "s"})


def _date_ticks(
    values: NDArray[Any], units: str | None, label: str
) -> tuple[NDArray[Any], float, str | None]:
    """Convert dates and durations of Python, pandas and cftime to microseconds."""
    items = list(values.flat)
    kinds = {_time_kind(item) for item in items}
    if not kinds & {"date", "duration"} or (kinds == {"date"} and not values.ndim):
        return values, 1.0, units
    if "missing" in kinds:
        raise missing_position_error(label, [_time_kind(item) for item in items].index("missing"))
    zero = items[0] if "date" in kinds else timedelta(0)
    try:
        ticks = [(item - zero) // timedelta(microseconds=1) for item in items]
    except TypeError as error:
        raise TypeError(f"{label} mixes dates that cannot be subtracted: {error}") from None
    return np.array(ticks, dtype=np.int64).reshape(values.shape), 10.0**6, "s"


def _time_kind(item: Any) -> str:
    """Return "missing", "duration", "date" or "other" for an object."""
    if item is None or item != item:
        return "missing"
    if isinstance(item, timedelta):
        return "duration"
    return "date" if hasattr(item, "timetuple") else "other"


def to_period(periodic: Any, units: str | None, label: str) -> float | bool:
    """Convert ``periodic`` to a period in units of the axis, or to True or False.

    Parameters
    ----------
    periodic : bool, number, quantity, timedelta or timedelta64
        The argument of the user.
    units : str or None
        Units of the axis.
    label : str
        The coordinate in words, for error messages.

    Returns
    -------
    float or bool
        The period; 360 for True on an axis in degrees; True for the period of n steps.

    Raises
    ------
    TypeError
        If the period is not a number, or not a fixed duration on an axis of times.
    """
    if isinstance(periodic, bool | np.bool_):
        in_degrees = str(units).lower() in DEGREES
        return 360.0 if periodic and in_degrees else bool(periodic)
    wrong = f"the period of {label} is {short_repr(periodic)}; give a number"
    if is_quantity(periodic):
        factor = None if units is None else factor_to(periodic.units, units, registry_of(periodic))
        if factor is None or np.ndim(periodic):
            raise TypeError(f"{wrong} or a quantity in units of the axis, {units!r}")
        return float(periodic.magnitude) * factor
    if isinstance(periodic, timedelta | np.timedelta64):
        if units != "s":
            raise TypeError(f"{wrong} in units of the axis, which is not a time")
        return _seconds(periodic, wrong)
    if not isinstance(periodic, int | float | np.integer | np.floating):
        raise TypeError(wrong)
    return float(periodic)


def length_in_seconds(window: Any) -> float | None:
    """Return a duration in seconds, or None for other values than durations.

    Raises
    ------
    TypeError
        If the duration is a number of years or months.
    """
    if not isinstance(window, timedelta | np.timedelta64):
        return None
    return _seconds(window, f"smooth has a window of {short_repr(window)}; give days")


def _seconds(duration: timedelta | np.timedelta64, wrong: str) -> float:
    try:
        return float(np.timedelta64(duration) / np.timedelta64(1, "s"))
    except TypeError:
        raise TypeError(f"{wrong}, years and months have no fixed length") from None
