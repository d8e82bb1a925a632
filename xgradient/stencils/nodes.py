"""Where the samples of one axis stand: values of any dtype to float64 node positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._wording import in_one_line
from .cache import LONGEST_KEPT, LRUCache
from .tolerance import position_tolerance, relative_rounding, told_apart


@dataclass(frozen=True, eq=False)
class Nodes:
    """The sample positions of one axis.

    Attributes
    ----------
    n : int
        Number of nodes.
    step : float or None
        Signed distance between neighbours of a uniform axis, seam included if it is periodic.
    positions : ndarray of float64, shape (n,), or None
        The positions of an axis that is not uniform, in ticks.
    period : float or None
        Signed length after which the axis repeats, in the direction of the nodes, in ticks if
        the axis is not uniform.
    scale : float
        Ticks in one unit of the axis. Dates keep whole ticks, whose differences are exact.
    turns : tuple of float or None
        Positions before the first and after the last node where the axis turns back on itself,
        in ticks if the axis is not uniform: latitudes do so at the poles.
    skips : tuple of int
        1 where the first or last node stands on its turning point, and so is not repeated.
    cyclic : float or None
        Where the coordinate has one point more than there are nodes, which repeats the first after
        a period: the relative rounding of its values.
    """

    n: int
    step: float | None
    positions: NDArray[np.float64] | None = None
    period: float | None = None
    scale: float = 1.0
    fold_positions: tuple[float, float] | None = None
    on_fold: tuple[int, int] = (0, 0)
    cyclic: float | None = None

    @property
    def has_neighbours_beyond_ends(self) -> bool:
        """Whether there are neighbours beyond both ends."""
        return self.period is not None or self.fold_positions is not None

    def ghost_positions(self, cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The positions of the neighbours beyond both ends of a closed uneven axis."""
        assert self.positions is not None
        if self.fold_positions is None:
            # Across the seam they stand one period further on, not at their own coordinate.
            assert self.period is not None
            period = self.period
            return self.positions[-cells:] - period, self.positions[:cells] + period
        first, last = self.on_fold[0], self.n - self.on_fold[1]
        return (
            2 * self.fold_positions[0] - self.positions[first : first + cells][::-1],
            2 * self.fold_positions[1] - self.positions[last - cells : last][::-1],
        )


_NODES: LRUCache[Nodes] = LRUCache(64)


class OrderError(ValueError):
    """Positions that repeat a value or turn back."""


@lru_cache(maxsize=64)
def uniform_nodes(n: int, step: float, *, periodic: bool = False) -> Nodes:
    """Nodes with one step between all neighbours."""
    return Nodes(n, step, None, n * step if periodic else None)


@lru_cache(maxsize=64)
def reflect_at_ends(
    nodes: Nodes, ends: tuple[float, float], turns: tuple[float, float], rounding: float
) -> Nodes:
    """Nodes of an axis that turns back on itself beyond both ends.

    Parameters
    ----------
    nodes : Nodes
        The axis by itself.
    ends : tuple of float
        Its first and last position.
    turns : tuple of float
        The turning points, each at an end's position or beyond.
    rounding : float
        How far a position may be off by the rounding of its coordinate.
    """
    gaps = [abs(end - turn) for end, turn in zip(ends, turns, strict=True)]
    skips = int(gaps[0] <= rounding), int(gaps[1] <= rounding)
    step = nodes.step
    if step is not None:
        full = [
            skip or abs(gap - abs(step) / 2) <= rounding
            for gap, skip in zip(gaps, skips, strict=True)
        ]
        if all(full):
            return Nodes(nodes.n, step, None, None, 1.0, turns, skips)
        positions = ends[0] + step * np.arange(nodes.n, dtype=np.float64)
        return Nodes(nodes.n, None, positions, None, 1.0, turns, skips)
    assert nodes.positions is not None
    origin, scale = nodes.positions[0], nodes.scale
    ticks = (
        origin + (turns[0] - ends[0]) * scale,
        origin + (turns[1] - ends[0]) * scale,
    )
    return Nodes(nodes.n, None, nodes.positions, None, scale, ticks, skips)


def nodes_from_spacing(
    spacing: Any,
    n: int,
    label: str,
    *,
    scale: float = 1.0,
    period: float | bool = False,
    shown: Any = None,
) -> Nodes:
    """Nodes by a ``spacing`` argument: one step, or ``n`` positions.

    The parameters are those of `nodes_from_values`, and so are the errors.
    """
    if isinstance(spacing, float) and period is False and isfinite(spacing) and spacing:
        return uniform_nodes(n, float(spacing) / scale)  # the usual case, at once
    shown = spacing if shown is None else shown
    values = np.asarray(spacing)
    if values.ndim == 0:
        if values.dtype.kind == "c":
            raise TypeError(
                f"{label} is {in_one_line(shown)}, which is complex; give a real number"
            )
        if values.dtype.kind not in "iuf":
            raise TypeError(f"{label} is {in_one_line(shown)}; give a number or {n} positions")
        step = float(values) / scale
        if not np.isfinite(step) or step == 0:
            raise ValueError(f"{label} is {values}; a step must be finite and not zero")
        if isinstance(period, bool):
            return uniform_nodes(n, step, periodic=period)
        even, eps = step * np.arange(n, dtype=np.float64), float(np.finfo(np.float64).eps)
        if returns(even, period, 0.0):
            return replace(nodes_from_spacing(step, n - 1, label, period=period), cyclic=eps)
        return _make_periodic(even, step, period, 1.0, 0.0, label)
    if values.shape != (n,):
        shape = "x".join(str(s) for s in values.shape)
        raise ValueError(
            f"{label} has {shape} values, but the dimension has {n} points; "
            f"give one number or {n} positions"
        )
    return nodes_from_values(values, label, scale=scale, period=period, shown=np.asarray(shown))


def check_known_length(n: float, label: str) -> None:
    """Refuse a dimension whose length dask does not know."""
    if n != n:  # not a number: faster to tell so than by NumPy
        raise ValueError(
            f"{label} has chunks of unknown size; "
            "call .compute_chunk_sizes() on the dask array first"
        )


def returns(positions: NDArray[np.float64], period: float, tolerance: float) -> bool:
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
    return abs(span - period) <= _with_rounded(period, tolerance)


def _with_rounded(period: float, tolerance: float) -> float:
    """The tolerance of positions, and that of a period, which may be a rounded number."""
    return max(tolerance, 4 * float(np.finfo(np.float64).eps) * abs(period))


def nodes_from_values(
    values: NDArray[Any],
    label: str,
    *,
    scale: float = 1.0,
    period: float | bool = False,
    shown: Any = None,
) -> Nodes:
    """Nodes at the given values, checked.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Positions of any real dtype, increasing or decreasing. Differences of integers are taken
        before they become floats, so large or unsigned ones lose nothing.
    what : str
        The coordinate or argument in words, for error messages.
    scale : float
        Number of ``values`` in one unit of the axis: 1e9 turns nanoseconds into seconds.
    period : float or bool
        Length after which the axis repeats, in units of the axis; True takes n steps of a
        uniform axis.
    shown : sequence, shape (n,), optional
        What error messages show for the values; the values themselves by default.

    Raises
    ------
    TypeError
        If the values are not numbers.
    ValueError
        If a value is missing, infinite, repeated or out of order, or the period does not fit;
        where the order is wrong an `OrderError`, whose mend callers may know better.
    """
    shown = values if shown is None else shown
    if len(values) > LONGEST_KEPT or values.dtype.hasobject:
        return _checked_nodes(values, label, scale, period, shown)
    key = (values.tobytes(), values.dtype, scale, type(period), period)  # True is no 1.0 here
    return _NODES.get(key, lambda: _checked_nodes(values, label, scale, period, shown))


def _checked_nodes(
    values: NDArray[Any], label: str, scale: float, period: float | bool, shown: Any
) -> Nodes:
    exact = _exact_positions(values, label)
    _check_order(exact, label, shown)
    tolerance = position_tolerance(values)
    if not isinstance(period, bool) and returns(exact, period * scale, tolerance):
        nodes = _checked_nodes(values[:-1], label, scale, period, shown)
        return replace(nodes, cyclic=relative_rounding(values))
    step = _uniform_step(exact, tolerance)
    if period is not False:
        return _make_periodic(exact, step, period, scale, tolerance, label)
    if step is not None:
        return Nodes(len(exact), step / scale)
    return Nodes(len(exact), None, exact, None, scale)


def _exact_positions(values: NDArray[Any], label: str) -> NDArray[np.float64]:
    """Float64 positions whose differences are those of the values."""
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
        # Object arithmetic on Python integers: exact at any size, and only ever done here.
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


def missing_position_error(label: str, index: int) -> ValueError:
    """The error for a position that is missing."""
    return ValueError(
        f"{label} has a missing value at index {index}; "
        "fill it or drop it, e.g. with .dropna, before differentiating"
    )


def _check_order(exact: NDArray[np.float64], label: str, shown: Any) -> None:
    """Refuse positions that do not strictly increase or strictly decrease."""
    steps = np.diff(exact)
    if not steps.size or (steps > 0).all() or (steps < 0).all():
        return
    if (steps == 0).any():
        i = int(np.argmax(steps == 0)) + 1
        raise OrderError(
            f"{label} repeats the value {shown[i]} at index {i}; "
            "its values must be distinct, drop one, e.g. with .drop_duplicates"
        )
    i = int(np.argmax(np.sign(steps) != np.sign(steps[0]))) + 1
    raise OrderError(
        f"{label} is not monotonic: it turns at index {i}, "
        f"from {shown[i - 1]} to {shown[i]}; sort it, e.g. with .sortby"
    )


def _uniform_step(exact: NDArray[np.float64], tolerance: float) -> float | None:
    """The step, if every node stands on an even grid up to the rounding of the values."""
    n = len(exact)
    if n < 2:
        return 1.0
    span = float(exact[-1] - exact[0])
    step = span / (n - 1)
    even = exact[0] + step * np.arange(n)
    return step if float(np.abs(exact - even).max()) <= tolerance else None


def _make_periodic(
    exact: NDArray[np.float64],
    step: float | None,
    period: float | bool,
    scale: float,
    tolerance: float,
    label: str,
) -> Nodes:
    """Nodes of an axis that returns to its first node after one period."""
    n = len(exact)
    span = float(exact[-1] - exact[0]) if n else 0.0
    if period is True:
        if step is None:
            raise ValueError(
                f"{label} is periodic with uneven steps, so its period cannot be told; "
                "give it, e.g. periodic={name: 360}"
            )
        return uniform_nodes(n, step / scale, periodic=True)
    # A last point that repeats the first one may miss it by the rounding of the coordinate.
    if not np.isfinite(period) or period * scale <= abs(span) + tolerance:
        there, given = told_apart(abs(span) / scale, float(period))
        raise ValueError(
            f"{label} spans {there}, but its period is {given}; "
            "the period must be longer than the span, so drop a repeated last point "
            "or give the true period"
        )
    signed = float(np.copysign(period * scale, span))
    if step is not None and abs(n * step - signed) <= _with_rounded(signed, tolerance):
        return Nodes(n, signed / scale / n, None, signed / scale)
    return Nodes(n, None, exact, signed, scale)
