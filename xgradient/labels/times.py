"""Dates, calendars and durations as integer ticks and seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._wording import short_repr
from ..stencils.positions import last_repeats_first, missing_position_error
from ..stencils.tolerance import position_tolerance
from .angles import DEGREES, RADIANS, latlon_kind
from .coordinates import CoordRef

_TICKS_PER_SECOND = {
    "s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18,
}  # fmt: skip


def period_of_angle(ref: CoordRef, values: NDArray[Any], units: str | None) -> float | bool:
    """A full turn, where an angle that is not said to be in degrees returns after one; else True.

    That a coordinate without units is an angle is known of longitudes only.
    """
    radians = str(units).lower() in RADIANS
    turn = 2 * np.pi if radians else 360.0
    if len(values) < 2 or values.dtype.kind not in "iuf" or not (radians or units is None):
        return True
    if abs(abs(float(values[-1]) - float(values[0])) - turn) > 0.1 * turn:
        return True  # at once, as usual
    if not radians and latlon_kind(ref.name, ref.coord) != "longitude":
        return True
    return (
        turn
        if last_repeats_first(values.astype(np.float64), turn, position_tolerance(values))
        else True
    )


def to_integer_ticks(
    values: NDArray[Any], units: str | None, label: str
) -> tuple[NDArray[Any], float, str | None]:
    """Values as numbers, how many of them make one unit, and the unit: seconds for times."""
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
        values = values.astype(f"{values.dtype.kind}8[s]")  # days, hours: exact in seconds
    unit, count = np.datetime_data(values.dtype)
    return values.astype(np.int64) * count, _TICKS_PER_SECOND[unit], "s"


def _date_ticks(
    values: NDArray[Any], units: str | None, label: str
) -> tuple[NDArray[Any], float, str | None]:
    """Dates and lengths of time of Python, pandas and cftime in microseconds."""
    items = list(values.flat)
    kinds = {_time_kind(item) for item in items}
    if not kinds & {"date", "length"} or (kinds == {"date"} and not values.ndim):
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
    if item is None or item != item:
        return "missing"
    if isinstance(item, timedelta):
        return "length"
    return "date" if hasattr(item, "timetuple") else "other"


def to_period(periodic: Any, units: str | None, label: str) -> float | bool:
    """The period as a number in units of the axis, or whether it is n steps."""
    if isinstance(periodic, bool | np.bool_):
        in_degrees = str(units).lower() in DEGREES
        return 360.0 if periodic and in_degrees else bool(periodic)
    wrong = f"the period of {label} is {short_repr(periodic)}; give a number"
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
