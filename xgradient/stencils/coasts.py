"""Windows next to missing values where a condition holds at the ends of each run of valid nodes.

A row counts the valid nodes on both sides of its own. Where a missing value stops the count within
reach, its window takes ghost nodes: mirror images of the run's nodes beyond its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .boundary import Condition
from .fornberg import Fit, window_table
from .nodes import Nodes
from .records import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A node number beyond all others.
UNBOUNDED = 1 << 40


class Coast(NamedTuple):
    """The condition at the ends of runs of valid nodes.

    Attributes
    ----------
    condition : Condition
        The condition; a value is a number.
    face : bool
        True for coasts half a step beyond the last valid node, else they lie on it.
    """

    condition: Condition
    face: bool


class RunSide(NamedTuple):
    """The nodes on one side of a row: how many are valid, and why there are no more.

    Attributes
    ----------
    valid : int
        Number of valid nodes, up to the depth.
    is_end : bool
        True if the axis ends there, with one-sided windows.
    """

    valid: int
    is_end: bool


@dataclass(frozen=True, eq=False)
class CoastStencil(Record):
    """The windows of a row by the valid nodes before and after it, with ghost nodes at coasts.

    Attributes
    ----------
    depth : int
        Largest count on each side.
    low, high : int
        The nodes that exist, a half-open range.
    window_index : ndarray of int64, shape (2 depth + 2, 2 depth + 2)
        Index of the window for the sides before and after; -1 if there is none. A side with
        a count of k is number k, or ``depth + 1 + k`` if the axis ends there.
    widths : ndarray of int64, shape (k,)
        Number of nodes of each window.
    sources, signs : ndarray of int64, shape (k, largest width)
        For each node of a window, the valid node that it mirrors, relative to the row, and the
        factor of its value.
    shifts : ndarray of float64, shape (k, largest width, 1) or (k, largest width, rows)
        Numbers added to the values.
    table : ndarray of float64, shape (k, largest width - 1, 1) or (k, largest width - 1, rows)
        Coefficients of the differences.
    """

    depth: int
    low: int
    high: int
    window_index: Ints
    widths: Ints
    sources: Ints
    signs: Ints
    shifts: Floats
    table: Floats

    def node_range(self, first: int, last: int) -> tuple[int, int]:
        """The nodes that the rows of nodes ``first`` to ``last`` - 1 may use."""
        return max(first - self.depth, self.low), min(last + self.depth, self.high)

    def slice_rows(self, start: int, stop: int, center: int, origin: int) -> CoastStencil:
        """The rows from ``start`` to ``stop``; row 0 has node ``center``, ``origin`` becomes 0."""
        low, high = self.node_range(center + start, center + stop)
        shifts, table = (
            part if part.shape[2] == 1 else part[:, :, start:stop]
            for part in (self.shifts, self.table)
        )
        return replace(self, low=low - origin, high=high - origin, shifts=shifts, table=table)

    def scale(self, factors: NDArray[Any] | float) -> CoastStencil:
        """Multiply the coefficients by one factor, or by one factor for each row."""
        return replace(self, table=self.table * factors)

    def with_missing_rows(self, first: int, last: int, n: int) -> CoastStencil:
        """Give missing results in the rows before ``first`` and from ``last`` on, of n rows."""
        table = np.array(np.broadcast_to(self.table, (*self.table.shape[:2], n)))
        table[:, :, :first] = table[:, :, last:] = np.nan
        return replace(self, table=table)

    def counts_at_ends(self, n: int, center: int) -> tuple[Ints, Ints]:
        """The counts of n rows at which the axis ends before and after them, up to the depth."""
        rows = center + np.arange(n)
        before, after = rows - self.low, self.high - 1 - rows
        return np.minimum(before, self.depth), np.minimum(after, self.depth)


class _Node(NamedTuple):
    """A node of a window: the valid node that it mirrors, and the coasts on the way to it.

    Attributes
    ----------
    source : int
        The valid node of which the node is a mirror image, relative to the row.
    value_at : int
        The valid node that gives the value.
    bounces : tuple of (int, int)
        For each coast on the way, its last valid node relative to the row, and -1 for a coast
        before the run or 1 for one after it. The outermost comes first.
    """

    source: int
    value_at: int
    bounces: tuple[tuple[int, int], ...]


@lru_cache(maxsize=32)
def make_coast_stencil(
    nodes: Nodes, fit: Fit, half: int, boundary_width: int, coast: Coast
) -> CoastStencil:
    """Make the windows of one derivative on one axis.

    Parameters
    ----------
    nodes : Nodes
        The axis.
    fit : Fit
        The function that is fitted to the nodes of each window, and the order of its derivative.
    half : int
        Number of nodes on each side of a centred window.
    boundary_width : int
        Number of nodes of a window at an end of the axis.
    coast : Coast
        The condition at the ends of runs.
    """
    depth = max(half, boundary_width - 1)
    sides = [RunSide(k, is_end) for is_end in (False, True) for k in range(depth + 1)]
    window_index = np.full((len(sides), len(sides)), -1, dtype=np.int64)
    windows: dict[tuple[_Node, ...], int] = {}
    for (i, before), (j, after) in product(enumerate(sides), repeat=2):
        offsets = _window(before, after, half, boundary_width, depth)
        resolved = [_resolve(o, before, after, depth, coast) for o in offsets]
        found = tuple(node for node in resolved if node is not None)
        # Without a difference there is no derivative, and nothing to mirror without a node.
        if len(found) == len(resolved) > max(fit.deriv, 1):
            window_index[i, j] = windows.setdefault(found, len(windows))
    n_rows = 1 if nodes.positions is None else nodes.n
    widest = max(map(len, windows))
    sources, signs = (np.zeros((len(windows), widest), dtype=np.int64) for _ in range(2))
    shifts = np.zeros((len(windows), widest, n_rows if coast.condition.kind == "slope" else 1))
    table = np.zeros((len(windows), widest - 1, n_rows))
    for k, window in enumerate(windows):
        positions = _Positions(nodes, depth)
        x = [positions.of(node, coast.face) for node in window]
        for m, node in enumerate(window):
            sources[k, m] = node.value_at
            signs[k, m], shifts[k, m] = _sign_and_shift(node, coast, positions)
        table[k, : len(window) - 1] = _coefficients(nodes, fit, window, x)
    before_axis, after_axis = nodes.continues
    low, high = -UNBOUNDED if before_axis else 0, UNBOUNDED if after_axis else nodes.n
    widths = np.array([len(window) for window in windows], dtype=np.int64)
    return CoastStencil(depth, low, high, window_index, widths, sources, signs, shifts, table)


def _window(before: RunSide, after: RunSide, half: int, boundary_width: int, depth: int) -> range:
    """The window of a row, of which nodes beyond a coast are ghosts."""
    near = [side.is_end and side.valid < min(half, depth) for side in (before, after)]
    if near[0] and (not near[1] or before.valid <= after.valid):
        width = max(boundary_width, 2 * before.valid + 1)
        if after.is_end:
            width = min(width, before.valid + after.valid + 1)
        return range(-before.valid, width - before.valid)
    if near[1]:
        width = max(boundary_width, 2 * after.valid + 1)
        if before.is_end:
            width = min(width, before.valid + after.valid + 1)
        return range(after.valid - width + 1, after.valid + 1)
    return range(-half, half + 1)


def _resolve(
    offset: int, before: RunSide, after: RunSide, depth: int, coast: Coast
) -> _Node | None:
    """Mirror a node until it lies within the run; None if it has no mirror image."""
    bounces: list[tuple[int, int]] = []
    while not -before.valid <= offset <= after.valid:
        side, direction = (before, -1) if offset < 0 else (after, 1)
        last = direction * side.valid
        if side.is_end or side.valid == depth or before.valid + after.valid == 0:
            return None
        bounces.append((last, direction))
        offset = 2 * last - offset + direction * coast.face
    repeats = coast.condition.kind == "extend" and bounces
    return _Node(offset, bounces[0][0] if repeats else offset, tuple(bounces))


class _Positions:
    """The positions of the nodes of windows, for one row or for each; in units of the axis."""

    def __init__(self, nodes: Nodes, depth: int) -> None:
        self._step = nodes.step if nodes.positions is None else None
        if nodes.positions is not None:
            reach = 2 * depth + 2
            self._reach, self._n, self._scale = reach, nodes.n, nodes.scale
            before = after = nodes.positions[:0]
            if any(nodes.continues):
                before, after = nodes.ghost_positions(min(reach, nodes.n - max(nodes.on_fold)))
            gaps = [np.full(reach - len(part), np.nan) for part in (before, after)]
            self._padded = np.concatenate([gaps[0], before, nodes.positions, after, gaps[1]])

    def at(self, offset: int) -> Any:
        """The position of a valid node relative to the row, in steps of a uniform axis."""
        if self._step is not None:
            return float(offset)
        return self._padded[self._reach + offset : self._reach + offset + self._n]

    def of(self, node: _Node, face: bool) -> Any:
        """The position of any node of a window."""
        return self.along(node, face)[-1]

    def along(self, node: _Node, face: bool) -> list[Any]:
        """The positions of a valid node and of its mirror images, the outermost last."""
        x = [self.at(node.source)]
        for last, direction in reversed(node.bounces):
            wall = self.at(last)
            if face:
                wall = wall - (self.at(last - direction) - wall) / 2
            x.append(2 * wall - x[-1])
        return x

    def to_units(self, distance: Any) -> Any:
        """A difference of positions in units of the axis."""
        return distance * self._step if self._step is not None else distance / self._scale


def _sign_and_shift(node: _Node, coast: Coast, positions: _Positions) -> tuple[int, Any]:
    """The factor and the addend that make the value of a node from that of the valid one."""
    kind, value = coast.condition
    if kind in ("extend", "even"):
        return 1, 0.0
    if kind in ("odd", "value"):
        odd = len(node.bounces) % 2
        return 1 - 2 * odd, 2.0 * value * odd if kind == "value" else 0.0
    x = positions.along(node, coast.face)
    return 1, sum(value * positions.to_units(b - a) for a, b in pairwise(x))


def _coefficients(nodes: Nodes, fit: Fit, window: tuple[_Node, ...], x: list[Any]) -> Floats:
    """The coefficients of a window, in each row of a non-uniform axis."""
    if nodes.positions is None:
        start = round(x[0])
        return window_table(nodes, range(1), range(start, start + len(window)), fit)
    stacked, own = np.stack(x), nodes.positions
    rows = np.flatnonzero(np.isfinite(stacked).all(axis=0))
    table = np.zeros((len(window) - 1, nodes.n))
    if len(rows):
        table[:, rows] = fit.coefficients(stacked[:, rows], own[rows]) * nodes.scale**fit.deriv
    return table
