"""Nodes: the positions of one axis in float64, and how the axis continues beyond its ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._wording import short_repr
from .cache import MAX_CACHED_NODES, LRUCache
from .positions import CheckedPositions, check_positions, last_repeats_first, period_tolerance
from .tolerance import format_distinct, relative_rounding


@dataclass(frozen=True, eq=False)
class Nodes:
    """The positions of one axis.

    Positions are in ticks: dates keep whole ticks, whose differences are exact.

    Attributes
    ----------
    n : int
        Number of nodes.
    step : float or None
        Signed distance between neighbours of a uniform axis, in units of the axis. On a periodic
        axis the last and the first node have this distance too.
    positions : ndarray of float64, shape (n,), or None
        The positions of a non-uniform axis, in ticks.
    period : float or None
        Signed length after which the axis repeats, in the direction of the nodes; in ticks if the
        axis is non-uniform.
    scale : float
        Ticks in one unit of the axis.
    fold_positions : tuple of float or None
        Positions at both ends where the axis is mirrored, as latitudes are at the poles; in ticks
        if the axis is non-uniform. An end that is not mirrored has None.
    on_fold : tuple of int
        1 where the first or last node lies on its fold position, and so is not repeated; else 0.
    cyclic_rounding : float or None
        Relative rounding of a coordinate whose last point repeats the first one after a period;
        this point has no node. None without such a point.
    missing_ends : tuple of bool
        True for the ends next to which results are missing.
    """

    n: int
    step: float | None
    positions: NDArray[np.float64] | None = None
    period: float | None = None
    scale: float = 1.0
    fold_positions: tuple[float | None, float | None] | None = None
    on_fold: tuple[int, int] = (0, 0)
    cyclic_rounding: float | None = None
    missing_ends: tuple[bool, bool] = (False, False)

    @property
    def continues(self) -> tuple[bool, bool]:
        """True for each end with neighbours beyond it, where no row needs a one-sided window."""
        if self.fold_positions is None:
            return (self.period is not None,) * 2
        first, last = self.fold_positions
        return first is not None, last is not None

    def ghost_positions(self, cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The positions of the neighbours beyond both ends of a non-uniform axis, if it has any."""
        assert self.positions is not None
        if self.fold_positions is None:
            assert self.period is not None
            period = self.period
            return self.positions[-cells:] - period, self.positions[:cells] + period
        first, last = self.on_fold[0], self.n - self.on_fold[1]
        sources = self.positions[first : first + cells], self.positions[max(0, last - cells) : last]
        before, after = (
            self.positions[:0] if fold is None else 2 * fold - source[::-1]
            for fold, source in zip(self.fold_positions, sources, strict=True)
        )
        return before, after


_NODES: LRUCache[Nodes] = LRUCache(64)


@lru_cache(maxsize=64)
def uniform_nodes(n: int, step: float, *, periodic: bool = False) -> Nodes:
    """Nodes with one step between all neighbours."""
    return Nodes(n, step, period=n * step if periodic else None)


@lru_cache(maxsize=64)
def reflect_at_ends(
    nodes: Nodes,
    ends: tuple[float, float],
    fold_positions: tuple[float, float],
    rounding: float,
) -> Nodes:
    """Mirror an axis at a position beyond each end.

    Parameters
    ----------
    nodes : Nodes
        The axis, with one-sided windows at its ends.
    ends : tuple of float
        Its first and last position.
    fold_positions : tuple of float
        Where the axis is mirrored, each at the position of an end or beyond.
    rounding : float
        How far a position may be off by the rounding of its coordinate.
    """
    gaps = [abs(end - fold) for end, fold in zip(ends, fold_positions, strict=True)]
    on_fold = int(gaps[0] <= rounding), int(gaps[1] <= rounding)
    step = nodes.step
    if step is not None:
        # The axis stays uniform if each end lies on its fold, or half a step before it.
        uniform = all(
            on or abs(gap - abs(step) / 2) <= rounding
            for gap, on in zip(gaps, on_fold, strict=True)
        )
        if uniform:
            return Nodes(nodes.n, step, fold_positions=fold_positions, on_fold=on_fold)
        positions = ends[0] + step * np.arange(nodes.n, dtype=np.float64)
        return Nodes(nodes.n, None, positions, fold_positions=fold_positions, on_fold=on_fold)
    assert nodes.positions is not None
    origin, scale = nodes.positions[0], nodes.scale
    ticks = (
        origin + (fold_positions[0] - ends[0]) * scale,
        origin + (fold_positions[1] - ends[0]) * scale,
    )
    return Nodes(nodes.n, None, nodes.positions, None, scale, ticks, on_fold)


def nodes_from_spacing(
    spacing: Any,
    n: int,
    label: str,
    *,
    scale: float = 1.0,
    period: float | bool = False,
    display_values: Any = None,
) -> Nodes:
    """Make nodes from a ``spacing`` argument.

    Parameters
    ----------
    spacing : number or array
        One step between all neighbours, or ``n`` positions.
    n : int
        Number of nodes.
    label, scale, period, display_values
        As in `nodes_from_values`.

    Raises
    ------
    TypeError
        If the step or the positions are not real numbers.
    ValueError
        If the step is zero or infinite, or the number of positions is not ``n``; and as in
        `nodes_from_values`.
    """
    if isinstance(spacing, float) and period is False and isfinite(spacing) and spacing:
        return uniform_nodes(n, float(spacing) / scale)  # the usual case, without further checks
    display_values = spacing if display_values is None else display_values
    values = np.asarray(spacing)
    if values.ndim:
        if values.shape != (n,):
            shape = "x".join(str(s) for s in values.shape)
            raise ValueError(
                f"{label} has {shape} values, but the dimension has {n} points; "
                f"give one number or {n} positions"
            )
        displayed = np.asarray(display_values)
        return nodes_from_values(
            values, label, scale=scale, period=period, display_values=displayed
        )
    if values.dtype.kind == "c":
        raise TypeError(
            f"{label} is {short_repr(display_values)}, which is complex; give a real number"
        )
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{label} is {short_repr(display_values)}; give a number or {n} positions")
    step = float(values) / scale
    if not np.isfinite(step) or step == 0:
        raise ValueError(f"{label} is {values}; a step must be finite and not zero")
    if isinstance(period, bool):
        return uniform_nodes(n, step, periodic=period)
    positions, eps = step * np.arange(n, dtype=np.float64), float(np.finfo(np.float64).eps)
    if last_repeats_first(positions, period, 0.0):
        return replace(nodes_from_spacing(step, n - 1, label, period=period), cyclic_rounding=eps)
    return _make_periodic(CheckedPositions(positions, step, 0.0, 1.0, label), period)


def nodes_from_values(
    values: NDArray[Any],
    label: str,
    *,
    scale: float = 1.0,
    period: float | bool = False,
    display_values: Any = None,
) -> Nodes:
    """Make nodes at given positions, and check them.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Positions of any real dtype, increasing or decreasing. Differences of integers are taken
        before they become floats, so large or unsigned ones lose nothing.
    label : str
        The coordinate or argument, for error messages.
    scale : float
        Number of ``values`` in one unit of the axis: 1e9 turns nanoseconds into seconds.
    period : float or bool
        Length after which the axis repeats, in units of the axis. True means n steps of a uniform
        axis, False no period.
    display_values : sequence, shape (n,), optional
        The values to show in error messages; ``values`` by default.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If a value is missing or infinite, or the period does not fit. If a value is repeated or
        out of order, it is an `OrderError`, to which callers may add a remedy.
    """
    display_values = values if display_values is None else display_values
    if len(values) > MAX_CACHED_NODES or values.dtype.hasobject:
        return _checked_nodes(values, label, scale, period, display_values)
    # The type of the period is part of the key because True equals 1.0.
    key = (values.tobytes(), values.dtype, scale, type(period), period)
    return _NODES.get(key, lambda: _checked_nodes(values, label, scale, period, display_values))


def _checked_nodes(
    values: NDArray[Any], label: str, scale: float, period: float | bool, display_values: Any
) -> Nodes:
    checked = check_positions(values, label, scale, display_values)
    given = not isinstance(period, bool)
    if given and last_repeats_first(checked.values, period * scale, checked.tolerance):
        nodes = _checked_nodes(values[:-1], label, scale, period, display_values)
        return replace(nodes, cyclic_rounding=relative_rounding(values))
    if period is not False:
        return _make_periodic(checked, period)
    if checked.step is not None:
        return Nodes(len(values), checked.step / scale)
    return Nodes(len(values), None, checked.values, scale=scale)


def _make_periodic(checked: CheckedPositions, period: float | bool) -> Nodes:
    """Make nodes of an axis that returns to its first node after one period."""
    exact, step, tolerance, scale, label = checked
    n = len(exact)
    span = float(exact[-1] - exact[0]) if n else 0.0
    if period is True:
        if step is None:
            raise ValueError(
                f"{label} is periodic with non-uniform steps, so its period is unknown; "
                "give it, e.g. periodic={name: 360}"
            )
        return uniform_nodes(n, step / scale, periodic=True)
    # A last point that repeats the first one may miss it by the rounding of the coordinate.
    if not np.isfinite(period) or period * scale <= abs(span) + tolerance:
        spanned, given = format_distinct(abs(span) / scale, float(period))
        raise ValueError(
            f"{label} spans {spanned}, but its period is {given}; "
            "the period must be longer than the span, so drop a repeated last point "
            "or give the true period"
        )
    signed = float(np.copysign(period * scale, span))
    if step is not None and abs(n * step - signed) <= period_tolerance(signed, tolerance):
        return Nodes(n, signed / scale / n, period=signed / scale)
    return Nodes(n, None, exact, signed, scale)
