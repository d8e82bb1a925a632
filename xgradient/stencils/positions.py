"""Positions along one axis: values of any real dtype, checked and converted to float64."""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .tolerance import position_tolerance


class OrderError(ValueError):
    """Positions that repeat a value or are not monotonic."""


class CheckedPositions(NamedTuple):
    """Strictly monotonic positions, and how exactly they are known.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        The positions in ticks; their differences are those of the original values.
    step : float or None
        The step between neighbours if it is uniform up to rounding, in ticks.
    tolerance : float
        How far a position may be off by rounding, in ticks.
    scale : float
        Ticks in one unit of the axis.
    label : str
        The coordinate or argument, for error messages.
    """

    values: NDArray[np.float64]
    step: float | None
    tolerance: float
    scale: float
    label: str


def check_positions(
    values: NDArray[Any], label: str, scale: float, display_values: Any
) -> CheckedPositions:
    """Convert values to positions; refuse values that are not real or not strictly monotonic."""
    exact = _exact_positions(values, label)
    _check_order(exact, label, display_values)
    tolerance = position_tolerance(values)
    return CheckedPositions(exact, _uniform_step(exact, tolerance), tolerance, scale, label)


def check_known_length(n: float, label: str) -> None:
    """Refuse a dimension whose length dask does not know."""
    if n != n:  # faster than NumPy's test for NaN
        raise ValueError(
            f"{label} has chunks of unknown size; "
            "call .compute_chunk_sizes() on the dask array first"
        )


def last_repeats_first(positions: NDArray[np.float64], period: float, tolerance: float) -> bool:
    """Return whether the last position is the first one, a period later.

    Parameters
    ----------
    positions : ndarray of float64, shape (n,)
        The positions.
    period : float
        The period in their units.
    tolerance : float
        How far they may be off by rounding.
    """
    if len(positions) < 2 or not isfinite(period):
        return False
    span = abs(float(positions[-1] - positions[0]))
    return abs(span - period) <= period_tolerance(period, tolerance)


def period_tolerance(period: float, tolerance: float) -> float:
    """The larger of the tolerance of positions and the rounding of a period."""
    return max(tolerance, 4 * float(np.finfo(np.float64).eps) * abs(period))


def missing_position_error(label: str, index: int) -> ValueError:
    """The error for a position that is missing."""
    return ValueError(
        f"{label} has a missing value at index {index}; "
        "fill it or drop it, e.g. with .dropna, before differentiating"
    )


def _exact_positions(values: NDArray[Any], label: str) -> NDArray[np.float64]:
    """Float64 positions with exactly the differences of the values."""
    kind = values.dtype.kind
    if kind == "c":
        raise TypeError(
            f"{label} has dtype {values.dtype}, but positions are real numbers; "
            "give such positions or a step with spacing="
        )
    if kind not in "iuf":
        raise TypeError(
            f"{label} has dtype {values.dtype}, which is not numeric; "
            "give positions or a step with spacing="
        )
    if kind == "f":
        return _exact_floats(values, label)
    if values.size and max(abs(int(values.min())), abs(int(values.max()))) > 2**52:
        # Python integers in an object array are slow, but exact at any size.
        return (values.astype(object) - int(values[0])).astype(np.float64)
    return values.astype(np.float64) - float(values[0] if values.size else 0)


def _exact_floats(values: NDArray[Any], label: str) -> NDArray[np.float64]:
    bad = ~np.isfinite(values)
    if bad.any():
        i = int(np.argmax(bad))
        if np.isinf(values[i]):
            raise ValueError(
                f"{label} has an infinite value at index {i}; replace it or drop it, "
                "e.g. with .isel, before differentiating"
            )
        raise missing_position_error(label, i)
    if values.dtype.itemsize > 8:
        values = values - values[:1]
    return values.astype(np.float64)


def _check_order(exact: NDArray[np.float64], label: str, display_values: Any) -> None:
    """Refuse positions that do not strictly increase or strictly decrease."""
    steps = np.diff(exact)
    if not steps.size or (steps > 0).all() or (steps < 0).all():
        return
    if (steps == 0).any():
        i = int(np.argmax(steps == 0)) + 1
        raise OrderError(
            f"{label} repeats the value {display_values[i]} at index {i}; "
            "its values must be distinct, drop one, e.g. with .drop_duplicates"
        )
    i = int(np.argmax(np.sign(steps) != np.sign(steps[0]))) + 1
    raise OrderError(
        f"{label} is not monotonic: it turns at index {i}, "
        f"from {display_values[i - 1]} to {display_values[i]}; sort it, e.g. with .sortby"
    )


def _uniform_step(exact: NDArray[np.float64], tolerance: float) -> float | None:
    """The step, if all positions are uniform up to their rounding."""
    n = len(exact)
    if n < 2:
        return 1.0
    span = float(exact[-1] - exact[0])
    step = span / (n - 1)
    uniform = exact[0] + step * np.arange(n)
    return step if float(np.abs(exact - uniform).max()) <= tolerance else None
