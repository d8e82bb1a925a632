"""Windows next to missing values: a coast is the end of an axis, as its ends are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .fornberg import CoefficientTables, window_table
from .nodes import Nodes
from .records import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A node number beyond all others: an axis that closes on itself has no last node.
UNBOUNDED = 1 << 40


@dataclass(frozen=True, eq=False)
class MaskedStencil(Record):
    """The windows of a row by the number of valid nodes before and after its own.

    Counting stops at a missing value, at an end of the axis, or at ``reach``. What follows from
    both counts is a window of valid nodes, or none where they are too few.

    Attributes
    ----------
    reach : int
        How far to count.
    low, high : int
        The nodes that there are, a half-open range.
    kinds : ndarray of int64, shape (reach + 1, reach + 1)
        The number of the window for each pair of counts, before and after; -1 if there is none.
    starts, widths : ndarray of int64, shape (k,)
        The first node of each window, relative to the row's own, and how many it has.
    table : ndarray of float64, shape (k, largest width - 1, 1) or (k, largest width - 1, rows)
        Coefficients of the differences, for all rows or each; padded with zeros that are never
        used, as are rows whose window would leave the axis.
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
        """The coefficients, contiguous, by their real dtype."""
        return CoefficientTables(self.table)

    def node_range(self, first: int, last: int) -> tuple[int, int]:
        """The nodes that rows whose own nodes are ``first`` to ``last`` - 1 may take."""
        return max(first - self.depth, self.low), min(last + self.depth, self.high)

    def slice_rows(self, start: int, stop: int, own: int, origin: int) -> MaskedStencil:
        """The rows from ``start`` to ``stop``, row 0 being that of node ``own``."""
        # Ends out of reach are none: so chunks in the middle of an even axis are all alike.
        low, high = self.node_range(own + start, own + stop)
        table = self.table if self.table.shape[2] == 1 else self.table[:, :, start:stop]
        return replace(self, low=low - origin, high=high - origin, table=table)

    def scale(self, factors: NDArray[Any] | float) -> MaskedStencil:
        """The same windows times a number, or each row times a number of its own."""
        return replace(self, table=self.table * factors)

    def add(self, other: MaskedStencil) -> MaskedStencil:
        """The sum of two, with a value where both have one."""
        reach = max(self.depth, other.depth)
        counts = np.arange(reach + 1)
        mine, its = (each.window_index[np.ix_(*[np.minimum(counts, each.depth)] * 2)]
                     for each in (self, other))  # fmt: skip
        both = np.stack([mine, its], axis=-1)
        pairs, kinds = np.unique(both[(both >= 0).all(axis=-1)], axis=0, return_inverse=True)
        table_of = np.full_like(mine, -1)
        table_of[(both >= 0).all(axis=-1)] = kinds.ravel()
        starts, widths, rows = [], [], []
        for a, b in pairs:
            parts = [(int(e.starts[k]), int(e.widths[k]), e.table[k])
                     for e, k in ((self, a), (other, b))]  # fmt: skip
            start = min(s for s, _, _ in parts)
            width = max(s + w for s, w, _ in parts) - start
            total = np.zeros((width - 1, max(self.table.shape[2], other.table.shape[2])))
            for s, w, coefficients in parts:
                total[s - start : s - start + w - 1] += coefficients[: w - 1]
            starts.append(start)
            widths.append(width)
            rows.append(total)
        return MaskedStencil(
            reach, self.low, self.high, table_of, *_stack_windows(starts, widths, rows)
        )

    def interior_only(self) -> MaskedStencil:
        """The centred window, of three nodes, and zero with a neighbour on one side only."""
        inside = self.table[self.window_index[1, 1], :2]
        return replace(
            self,
            depth=1,
            window_index=np.array([[-1, 1], [2, 0]]),
            starts=np.array([-1, 0, -1]),
            widths=np.array([3, 2, 2]),
            table=np.stack([inside, 0 * inside, 0 * inside]),
        )


class WindowRule(NamedTuple):
    """Windows by the number of valid nodes before and after a row's own."""

    depth: int
    window_index: Ints
    starts: Ints
    widths: Ints


def window_rule(deriv: int, half: int, edge_width: int) -> WindowRule:
    """The windows of one derivative, whatever is missing.

    With as many as ``half`` valid nodes on both sides it is the centred one of the interior. Else
    it begins (ends) at the nearer end of the run of valid nodes, with ``edge_width`` nodes or as
    many more as make it centred: as at an end of the axis. A shorter run is taken whole.

    Parameters
    ----------
    deriv : int
        Order of the derivative; windows have at least one node more.
    half : int
        Nodes on each side of a centred window.
    edge_width : int
        Nodes of a window at an end.
    """
    reach = max(half, edge_width - 1)
    kinds = np.full((reach + 1, reach + 1), -1, dtype=np.int64)
    windows: dict[tuple[int, int], int] = {}
    for before, after in np.ndindex(kinds.shape):
        least = min(before, after)
        start, width = -half, 2 * half + 1
        if least < half:
            width = min(max(edge_width, 2 * least + 1), before + after + 1)
            start = -before if before <= after else after - width + 1
        if width > deriv:
            kinds[before, after] = windows.setdefault((start, width), len(windows))
    # Not as columns of one array: those are of another type to numba, and a pickle makes them rows.
    starts, widths = (np.array(side, dtype=np.int64) for side in zip(*windows, strict=True))
    return WindowRule(reach, kinds, starts, widths)


def make_masked_stencil(nodes: Nodes, deriv: int, half: int, edge_width: int) -> MaskedStencil:
    """The windows of one derivative on one axis.

    Parameters
    ----------
    nodes : Nodes
        The axis.
    deriv, half, edge_width : int
        As `window_rule` takes them.
    """
    reach, kinds, starts, widths = window_rule(deriv, half, edge_width)
    windows = starts.tolist(), widths.tolist()
    rows = [_window_rows(nodes, start, width, deriv) for start, width in zip(*windows, strict=True)]
    low, high = (-UNBOUNDED, UNBOUNDED) if nodes.has_neighbours_beyond_ends else (0, nodes.n)
    return MaskedStencil(reach, low, high, kinds, *_stack_windows(*windows, rows))


def _window_rows(nodes: Nodes, start: int, width: int, deriv: int) -> Floats:
    """The coefficients of one window; of a row of its own for each node of an uneven axis."""
    if nodes.positions is None or nodes.has_neighbours_beyond_ends:
        return window_table(nodes, 0, nodes.n, start, width, deriv)
    table = np.zeros((width - 1, nodes.n))
    first, last = -start, nodes.n - (start + width - 1)
    if first < last:
        table[:, first:last] = window_table(nodes, first, last, start, width, deriv)
    return table


def _stack_windows(
    starts: list[int], widths: list[int], rows: list[Floats]
) -> tuple[Ints, Ints, Floats]:
    """Windows as arrays, their coefficients one below the other."""
    table = np.zeros((len(rows), max(widths) - 1, max(r.shape[1] for r in rows)))
    for at, coefficients in enumerate(rows):
        table[at, : len(coefficients)] = coefficients
    return np.array(starts, dtype=np.int64), np.array(widths, dtype=np.int64), table
