"""Windows of nodes for positions that differ by column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .masked import WindowRule, window_rule
from .records import Record

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ColumnWindows(Record):
    """The windows of a derivative whose coefficients are computed in each cell from positions.

    Row i has the centred window of ``2 half + 1`` nodes if it fits on the axis. Else its window
    begins (ends) at the nearer end and has ``boundary_width`` nodes. If a centred window up to
    that end is wider, the row has this one. As in a `Stencil`, the rows may belong to a chunk;
    then node numbers count from the first cell of the chunk.

    Attributes
    ----------
    nodes : int
        Number of nodes of the whole axis.
    deriv : int
        Order of the derivative.
    half : int
        Number of nodes on each side of a centred window.
    boundary_width : int
        Number of nodes of a window at an end.
    skipna : bool
        Whether missing values are boundaries for their neighbours.
    start, stop : int
        The rows, a half-open range of the axis.
    origin : int
        The node of the axis that has number 0.
    """

    nodes: int
    deriv: int
    half: int
    boundary_width: int
    skipna: bool
    start: int
    stop: int
    origin: int = 0

    #: Coefficients are computed in float64, as positions are.
    fits_float32: ClassVar[bool] = True

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @property
    def center(self) -> int:
        """The node of row 0."""
        return self.start - self.origin

    @cached_property
    def table(self) -> tuple[Ints, Ints]:
        """The first node of each row's window, and its width, without missing values."""
        rows = np.arange(self.start, self.stop)
        after = self.nodes - 1 - rows
        nearer = np.minimum(rows, after)
        widths = np.maximum(self.boundary_width, 2 * nearer + 1)
        starts = np.where(rows <= after, 0, self.nodes - widths)
        centred = nearer >= self.half
        starts[centred] = rows[centred] - self.half
        widths[centred] = 2 * self.half + 1
        return starts - self.origin, widths

    @cached_property
    def rule(self) -> WindowRule | None:
        """The windows by the number of valid nodes on both sides; None without ``skipna``."""
        return window_rule(self.deriv, self.half, self.boundary_width) if self.skipna else None

    @cached_property
    def node_ranges(self) -> tuple[Ints, Ints]:
        """The first node that each row may use, and the one after the last."""
        starts, widths = self.table
        if self.rule is None:
            return starts, starts + widths
        centers, depth = self.center + np.arange(self.n), self.rule.depth
        return (
            np.maximum(centers - depth, -self.origin),
            np.minimum(centers + depth + 1, self.nodes - self.origin),
        )

    @cached_property
    def widest(self) -> int:
        """Number of nodes of the widest window."""
        widest = int(self.table[1].max(initial=1))
        return widest if self.rule is None else max(widest, int(self.rule.widths.max()))

    @cached_property
    def depth(self) -> tuple[int, int]:
        """Nodes needed before the first row and after the last row, at least 0."""
        lows, highs = self.node_ranges
        return -int(lows.min(initial=0)), int(highs.max(initial=self.n)) - self.n

    @property
    def node_span(self) -> tuple[int, int]:
        """The nodes that all rows read, a half-open range; each row reads its own node."""
        before, after = self.depth
        return -before, self.n + after

    @property
    def with_boundary_rows(self) -> ColumnWindows:
        """These windows: as in `Stencil`, but each row already has its own window."""
        return self

    def is_shift_invariant(self, start: int, stop: int) -> bool:
        """Return False: chunks do not share rows, which are cheap to make."""
        return False

    def rows_of_chunks(self, bounds: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
        """Return the range of rows that each chunk computes: those of its nodes."""
        return list(bounds)

    def slice_rows(
        self, start: int, stop: int, *, origin: int | None = None, cells: int | None = None
    ) -> ColumnWindows:
        """The rows from ``start`` to ``stop``, numbered from 0; node ``origin`` becomes node 0."""
        origin = start if origin is None else origin
        return replace(
            self, start=self.start + start, stop=self.start + stop, origin=self.origin + origin
        )
