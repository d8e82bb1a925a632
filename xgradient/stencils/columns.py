"""Which nodes make a derivative where every column has positions of its own."""

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
    """The windows of a derivative whose coefficients follow from positions, cell by cell.

    Row i has the centred window of ``2 half + 1`` nodes if it fits on the axis, else one that
    begins (ends) at the nearer end, with ``ends`` nodes or as many more as make it centred. As in
    a `Stencil`, these may be the rows of a chunk, whose nodes count from its first cell.

    Attributes
    ----------
    nodes : int
        Nodes of the whole axis.
    deriv : int
        Order of the derivative.
    half : int
        Nodes on each side of a centred window.
    ends : int
        Nodes of a window at an end.
    skipna : bool
        Whether a missing value is the end of the axis for its neighbours.
    start, stop : int
        The rows, a half-open range of the axis.
    origin : int
        The node of the axis that counts as node 0.
    """

    nodes: int
    deriv: int
    half: int
    boundary_width: int
    skipna: bool
    start: int
    stop: int
    origin: int = 0

    #: Positions are float64, and so are the coefficients made of them.
    fits_float32: ClassVar[bool] = True

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @property
    def center(self) -> int:
        """The node that row 0 belongs to."""
        return self.start - self.origin

    @cached_property
    def table(self) -> tuple[Ints, Ints]:
        """The first node of each row's window, and its width, where nothing is missing."""
        rows = np.arange(self.start, self.stop)
        after = self.nodes - 1 - rows
        least = np.minimum(rows, after)
        widths = np.maximum(self.boundary_width, 2 * least + 1)
        starts = np.where(rows <= after, 0, self.nodes - widths)
        centred = least >= self.half
        starts[centred] = rows[centred] - self.half
        widths[centred] = 2 * self.half + 1
        return starts - self.origin, widths

    @cached_property
    def rule(self) -> WindowRule | None:
        """The windows by the number of valid nodes on both sides, with ``skipna``."""
        return window_rule(self.deriv, self.half, self.boundary_width) if self.skipna else None

    @cached_property
    def node_ranges(self) -> tuple[Ints, Ints]:
        """The first node that each row may take, and the one after the last."""
        starts, widths = self.table
        if self.rule is None:
            return starts, starts + widths
        own, far = self.center + np.arange(self.n), self.rule.depth
        return (
            np.maximum(own - far, -self.origin),
            np.minimum(own + far + 1, self.nodes - self.origin),
        )

    @cached_property
    def widest(self) -> int:
        """Nodes of the widest window."""
        widest = int(self.table[1].max(initial=1))
        return widest if self.rule is None else max(widest, int(self.rule.widths.max()))

    @cached_property
    def depth(self) -> tuple[int, int]:
        """Nodes needed before the first row's own node and after the last row's, at least 0."""
        lows, highs = self.node_ranges
        return -int(lows.min(initial=0)), int(highs.max(initial=self.n)) - self.n

    @property
    def with_boundary_rows(self) -> ColumnWindows:
        """The same rows: each has its window by itself, wherever that lies."""
        return self

    def is_shift_invariant(self, start: int, stop: int) -> bool:
        """Whether chunks may share their rows: there is nothing in them worth sharing."""
        return False

    def slice_rows(self, start: int, stop: int, *, origin: int | None = None) -> ColumnWindows:
        """The rows from ``start`` to ``stop``, numbered from 0, with node ``origin`` as node 0."""
        origin = start if origin is None else origin
        return replace(
            self, start=self.start + start, stop=self.start + stop, origin=self.origin + origin
        )
