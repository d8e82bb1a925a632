"""Windows whose length has units, such as "3 days" along an axis of times."""

from __future__ import annotations

import re
from typing import Any

from ..stencils.smoothing import WindowLength
from .axis import Axis
from .times import length_in_seconds
from .units import common_units

#: Relative rounding of a length over a step that is a whole number.
ROUNDING = 1e-9


def window_on_axis(window: Any, axis: Axis) -> int | WindowLength:
    """Return a window on an axis: an odd number of points, or a length on a non-uniform axis.

    It holds the points at most half the length of the window from its centre.

    Parameters
    ----------
    window : int, str or timedelta
        A number of points, which is returned, or a length with its units.
    axis : Axis
        The axis.

    Raises
    ------
    TypeError
        If the length is a number of years or months.
    ValueError
        If the units of the length are not those of the axis, or the window holds one point only.
    """
    if isinstance(window, int):
        return window
    name, step = repr(str(axis.name)), axis.nodes.step
    length = _length(window, axis, name)
    if step is None:
        return WindowLength(length / 2, str(window))
    points = 2 * int(length / 2 / abs(step) * (1 + ROUNDING)) + 1
    if points < 3:
        unit = f" {axis.units}" if axis.units else ""
        raise ValueError(
            f"smooth has a window of {str(window)!r}, which holds one point of {name} with steps "
            f"of {abs(step):g}{unit}; give a longer one or a number of points"
        )
    return points


def _length(window: Any, axis: Axis, name: str) -> float:
    """Return the length of a window in units of the axis."""
    wrong = f"smooth has a window of {str(window)!r}"
    number, unit = length_in_seconds(window), "s"
    if number is None:
        found = re.fullmatch(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([^\s0-9.].*?)\s*", window)
        try:
            number, unit = float(found[1] if found else ""), found[2] if found else ""
        except ValueError:
            raise ValueError(
                f"{wrong}; give a number with units, such as '3 days', or a number of points"
            ) from None
    try:
        common, factors = common_units([axis.units, unit], "")
    except ValueError:
        common = None
    if common is None:
        has = f"has the units {axis.units!r}" if axis.units else "has no units"
        raise ValueError(f"{wrong}, but {name} {has}; give a number of points")
    return number * factors[1] / factors[0]
