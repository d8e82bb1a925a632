"""Windows next to missing values, which are boundaries as the ends of an axis are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .fornberg import CoefficientTables, Fit, window_table
from .nodes import Nodes
from .records import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A node number beyond all others, for the ends of a periodic axis.
UNBOUNDED = 1 << 40


@dataclass(frozen=True, eq=False)
class MaskedStencil(Record):
    """The windows of a row by the number of valid nodes before and after its own node.

    Counting stops at a missing value, at an end of the axis, or at ``depth`` nodes. Both counts
    together select a window of valid nodes, or none if there are too few.

    Attributes
    ----------
    depth : int
        Largest count on each side.
    low, high : int
        The nodes that exist, a half-open range.
    window_index : ndarray of int64, shape (depth + 1, depth + 1)
        Index of the window for each pair of counts, before and after; -1 if there is none.
    starts, widths : ndarray of int64, shape (k,)
        The first node of each window, relative to the row's own, and its number of nodes.
    table : ndarray of float64, shape (k, largest width - 1, 1) or (k, largest width - 1, rows)
        Coefficients of the differences, shared by all rows or one column for each. Unused
        entries are zero: past the width of a window, and in rows whose window would leave the
        axis.
    """

    depth: int
    low: int
    high: int
    window_index: Ints
    starts: Ints
    widths: Ints
    table: Floats

    @cached_property
    def tables(self) -> CoefficientTables:
        """The coefficients by dtype, contiguous."""
        return CoefficientTables(self.table)

    def node_range(self, first: int, last: int) -> tuple[int, int]:
        """The nodes that the rows of nodes ``first`` to ``last`` - 1 may use."""
        return max(first - self.depth, self.low), min(last + self.depth, self.high)

    def slice_rows(self, start: int, stop: int, center: int, origin: int) -> MaskedStencil:
        """The rows from ``start`` to ``stop``; row 0 has node ``center``, ``origin`` becomes 0."""
        # A range that leaves out distant ends is the same for all chunks inside a uniform axis.
        low, high = self.node_range(center + start, center + stop)
        table = self.table if self.table.shape[2] == 1 else self.table[:, :, start:stop]
        return replace(self, low=low - origin, high=high - origin, table=table)

    def scale(self, factors: NDArray[Any] | float) -> MaskedStencil:
        """Multiply the coefficients by one factor, or by one factor for each row."""
        return replace(self, table=self.table * factors)

    def add(self, other: MaskedStencil) -> MaskedStencil:
        """Add two stencils; the sum has a window where both have one."""
        depth = max(self.depth, other.depth)
        counts = np.arange(depth + 1)
        indices = np.stack([m.window_index[np.ix_(*[np.minimum(counts, m.depth)] * 2)]
                            for m in (self, other)], axis=-1)  # fmt: skip
        valid = (indices >= 0).all(axis=-1)
        pairs, pair_index = np.unique(indices[valid], axis=0, return_inverse=True)
        window_index = np.full(valid.shape, -1, dtype=np.int64)
        window_index[valid] = pair_index.ravel()
        starts, widths, rows = [], [], []
        for i, j in pairs:
            parts = [(int(m.starts[k]), int(m.widths[k]), m.table[k])
                     for m, k in ((self, i), (other, j))]  # fmt: skip
            start = min(s for s, _, _ in parts)
            width = max(s + w for s, w, _ in parts) - start
            total = np.zeros((width - 1, max(self.table.shape[2], other.table.shape[2])))
            for s, w, coefficients in parts:
                total[s - start : s - start + w - 1] += coefficients[: w - 1]
            starts.append(start)
            widths.append(width)
            rows.append(total)
        return MaskedStencil(
            depth, self.low, self.high, window_index, *stack_windows(starts, widths, rows)
        )

    def with_missing_rows(self, first: int, last: int, n: int) -> MaskedStencil:
        """Give missing results in the rows before ``first`` and from ``last`` on, of n rows."""
        table = np.array(np.broadcast_to(self.table, (*self.table.shape[:2], n)))
        table[:, :, :first] = table[:, :, last:] = np.nan
        return replace(self, table=table)

    def interior_only(self) -> MaskedStencil:
        """Keep the centred three-node window; rows with a neighbour on one side only give zero."""
        centred = self.table[self.window_index[1, 1], :2]
        return replace(
            self,
            depth=1,
            window_index=np.array([[-1, 1], [2, 0]]),
            starts=np.array([-1, 0, -1]),
            widths=np.array([3, 2, 2]),
            table=np.stack([centred, 0 * centred, 0 * centred]),
        )


class WindowRule(NamedTuple):
    """Windows by the number of valid nodes before and after a row's own node.

    The attributes are those of `MaskedStencil`.
    """

    depth: int
    window_index: Ints
    starts: Ints
    widths: Ints


def window_rule(deriv: int, half: int, boundary_width: int) -> WindowRule:
    """Choose the window of a row for each number of valid nodes before and after its own.

    With at least ``half`` valid nodes on both sides it is the centred window of the interior.
    Else it begins (ends) at the nearer end of the run of valid nodes and has ``boundary_width``
    nodes. If a centred window up to that end is wider, the row has this one. A shorter run is
    used whole.

    Parameters
    ----------
    deriv : int
        Order of the derivative; windows have at least one node more.
    half : int
        Number of nodes on each side of a centred window.
    boundary_width : int
        Number of nodes of a window at a boundary.
    """
    depth = max(half, boundary_width - 1)
    window_index = np.full((depth + 1, depth + 1), -1, dtype=np.int64)
    windows: dict[tuple[int, int], int] = {}
    for before, after in np.ndindex(window_index.shape):
        nearer = min(before, after)
        start, width = -half, 2 * half + 1
        if nearer < half:
            width = min(max(boundary_width, 2 * nearer + 1), before + after + 1)
            start = -before if before <= after else after - width + 1
        if width > deriv:
            window_index[before, after] = windows.setdefault((start, width), len(windows))
    # Columns of one array would be of another type to numba, and contiguous after pickling.
    starts, widths = (np.array(part, dtype=np.int64) for part in zip(*windows, strict=True))
    return WindowRule(depth, window_index, starts, widths)


def make_masked_stencil(nodes: Nodes, fit: Fit, half: int, boundary_width: int) -> MaskedStencil:
    """Make the windows of one derivative on one axis.

    Parameters
    ----------
    nodes : Nodes
        The axis.
    fit : Fit
        What is fitted to the nodes of each window, and the order of its derivative.
    half, boundary_width : int
        As in `window_rule`.
    """
    # A window of one node has no difference, so a single value is not smoothed.
    deriv = max(fit.deriv, 1)
    depth, window_index, starts, widths = window_rule(deriv, half, boundary_width)
    windows = starts.tolist(), widths.tolist()
    rows = [_window_rows(nodes, start, width, fit) for start, width in zip(*windows, strict=True)]
    before, after = nodes.continues
    low, high = -UNBOUNDED if before else 0, UNBOUNDED if after else nodes.n
    return MaskedStencil(depth, low, high, window_index, *stack_windows(*windows, rows))


def _window_rows(nodes: Nodes, start: int, width: int, fit: Fit) -> Floats:
    """The coefficients of one window; on a non-uniform axis they differ by row."""
    window = range(start, start + width)
    before, after = nodes.continues
    if nodes.positions is None or (before and after):
        return window_table(nodes, range(nodes.n), window, fit)
    table = np.zeros((width - 1, nodes.n))
    first, last = 0 if before else -start, nodes.n - (0 if after else start + width - 1)
    if first < last:
        table[:, first:last] = window_table(nodes, range(first, last), window, fit)
    return table


def stack_windows(
    starts: list[int], widths: list[int], rows: list[Floats]
) -> tuple[Ints, Ints, Floats]:
    """Windows as arrays, their coefficients in one padded table."""
    table = np.zeros((len(rows), max(widths) - 1, max(r.shape[1] for r in rows)))
    for i, coefficients in enumerate(rows):
        table[i, : len(coefficients)] = coefficients
    return np.array(starts, dtype=np.int64), np.array(widths, dtype=np.int64), table
