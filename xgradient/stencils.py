"""Nodes to stencils: which neighbours make a derivative, and how much each one counts.

A stencil multiplies *differences of adjacent nodes*, not the nodes themselves. The weights of a
derivative sum to zero, so both forms are equal on paper; this one gives exactly zero for a
constant field and keeps the digits of float32 data with a large offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .coasts import Coasts, make_coasts
from .nodes import Nodes
from .recent import LONGEST_KEPT
from .records import Record
from .weights import Tables, window_table
from .windows import Windows
from .wording import in_one_line

__all__ = ["Order", "Stencil", "identity", "make_stencil"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stencil(Record):
    """A derivative along one axis, as rows of coefficients of adjacent differences.

    Row ``i`` of ``first <= i < last`` uses the ``width`` nodes from ``i + offset`` on; the other
    rows, few and next to the ends, have a window each. Node numbers may lie outside 0 … n-1: on a
    periodic axis, and in the rows of a chunk, where they count from the chunk's own first cell.

    Attributes
    ----------
    n : int
        Number of rows.
    first, last : int
        The interior rows, a half-open range.
    offset : int
        First node of an interior row's window, relative to the row.
    interior : ndarray of float64, shape (width - 1, 1) or (width - 1, last - first)
        Coefficients of the differences; one column if all rows share them.
    edge_rows, edge_starts, edge_widths : ndarray of int64, shape (e,)
        The other rows in ascending order, the first node of each one's window and its width.
    edges : ndarray of float64, shape (e, largest edge width - 1)
        Their coefficients, padded with zeros that are never used.
    own : int
        The node that row 0 belongs to.
    coasts : Coasts, optional
        Windows for rows next to missing values; without them, these make a row missing.
    """

    n: int
    first: int
    last: int
    offset: int
    interior: Floats
    edge_rows: Ints
    edge_starts: Ints
    edge_widths: Ints
    edges: Floats
    own: int = 0
    coasts: Coasts | None = None

    @cached_property
    def width(self) -> int:
        """Number of nodes in an interior window."""
        return len(self.interior) + 1

    @cached_property
    def uniform(self) -> bool:
        """Whether all interior rows share their coefficients."""
        return bool(self.interior.shape[1] == 1)

    @cached_property
    def tables(self) -> Tables:
        """The coefficients of interior and edges, each contiguous, by their real dtype."""
        return Tables(self.interior, self.edges)

    @cached_property
    def edge_windows(self) -> Ints:
        """Row, start and width of each window of an edge row, shape (e, 3)."""
        return np.stack([self.edge_rows, self.edge_starts, self.edge_widths], axis=1)

    @cached_property
    def single(self) -> bool:
        """Whether float32 can hold the coefficients."""
        tables = [self.interior, self.edges, *([self.coasts.table] if self.coasts else [])]
        sizes = np.concatenate([np.abs(table).ravel() for table in tables])
        range_ = np.finfo(np.float32)
        small = sizes[sizes > 0].min(initial=1)
        return bool(sizes.max(initial=0) < range_.max and small > range_.tiny)

    @cached_property
    def reach(self) -> tuple[int, int]:
        """Nodes needed before the first row's own node and after the last row's, at least 0."""
        lo, hi = 0, self.n
        if self.coasts and self.n:
            low, high = self.coasts.nodes(self.own, self.own + self.n)
            lo, hi = min(lo, low), max(hi, high)
        if self.last > self.first:
            lo = min(lo, self.first + self.offset)
            hi = max(hi, self.last - 1 + self.offset + self.width)
        if len(self.edge_rows):
            lo = min(lo, int(self.edge_starts.min()))
            hi = max(hi, int((self.edge_starts + self.edge_widths).max()))
        return -lo, hi - self.n

    @cached_property
    def inside(self) -> Stencil:
        """The same rows, with those whose windows leave nodes 0 … n-1 counted as edge rows."""
        first = min(max(self.first, -self.offset), self.last)
        last = max(min(self.last, self.n + 1 - self.offset - self.width), first)
        leaving = np.r_[self.first : first, last : self.last]
        columns = np.zeros_like(leaving) if self.uniform else leaving - self.first
        wide = max(self.width - 1, self.edges.shape[1])
        table = np.zeros((len(leaving) + len(self.edge_rows), wide))
        table[: len(leaving), : self.width - 1] = self.interior[:, columns].T
        table[len(leaving) :, : self.edges.shape[1]] = self.edges
        rows = np.concatenate([leaving, self.edge_rows])
        starts = np.concatenate([leaving + self.offset, self.edge_starts])
        widths = np.concatenate([np.full_like(leaving, self.width), self.edge_widths])
        order = np.argsort(rows)
        interior = self.interior
        if not self.uniform:
            interior = interior[:, first - self.first : last - self.first]
        moved = rows[order], starts[order], widths[order], table[order]
        return Stencil(self.n, first, last, self.offset, interior, *moved, self.own, self.coasts)

    def alike(self, start: int, stop: int) -> bool:
        """Whether the rows from ``start`` to ``stop`` are as all others of their number inside."""
        inside = self.uniform and self.first <= start < stop <= self.last
        if not inside or self.coasts is None:
            return inside
        low, high = self.coasts.nodes(start, stop)
        return high - low == stop - start + 2 * self.coasts.reach

    @cached_property
    def centred(self) -> Stencil:
        """The same rows inside, of three nodes, and zero next to ends and missing values."""
        starts = np.minimum(self.edge_rows, self.n - 2)
        widths, edges = np.full_like(starts, 2), np.zeros((len(starts), 1))
        coasts = self.coasts and self.coasts.centred()
        return replace(self, edge_starts=starts, edge_widths=widths, edges=edges, coasts=coasts)

    def scaled(self, factors: NDArray[Any] | float) -> Stencil:
        """The same rows times a number, or each times a number of its own."""
        factors = np.asarray(factors, dtype=np.float64)
        coasts = self.coasts.scaled(factors) if self.coasts else None
        inside, ends = factors, factors
        if factors.ndim:
            inside, ends = factors[self.first : self.last], factors[self.edge_rows, None]
        return replace(
            self, interior=self.interior * inside, edges=self.edges * ends, coasts=coasts
        )

    def plus(self, other: Stencil) -> Stencil:
        """The sum of two stencils of one axis, both closed or both with rows of edges."""
        wide, narrow = (self, other) if self.width >= other.width else (other, self)
        inset = narrow.offset - wide.offset
        first, last = max(self.first, other.first), min(self.last, other.last)
        columns = 1 if self.uniform and other.uniform else max(0, last - first)
        interior = np.zeros((wide.width - 1, columns))
        for part, at in ((wide, 0), (narrow, inset)):
            mine = part.interior
            if not part.uniform:
                mine = mine[:, first - part.first : last - part.first]
            interior[at : at + part.width - 1] += mine
        rows = np.r_[0:first, last : self.n]
        pairs = [(self.window(int(row)), other.window(int(row))) for row in rows]
        starts = np.array([min(a[0], b[0]) for a, b in pairs], dtype=np.int64)
        stops = [max(a[0] + len(a[1]), b[0] + len(b[1])) for a, b in pairs]
        widths = np.array(stops, dtype=np.int64) - starts + 1
        edges = np.zeros((len(rows), int(widths.max(initial=2)) - 1))
        for at, pair in enumerate(pairs):
            for start, coefficients in pair:
                from_ = start - starts[at]
                edges[at, from_ : from_ + len(coefficients)] += coefficients
        coasts = self.coasts.plus(other.coasts) if self.coasts and other.coasts else None
        return Stencil(
            self.n, first, last, wide.offset, interior, rows, starts, widths, edges, coasts=coasts
        )

    def window(self, row: int) -> tuple[int, Floats]:
        """The first node of a row's window, and the coefficients of its differences."""
        if self.first <= row < self.last:
            column = 0 if self.uniform else row - self.first
            return row + self.offset, self.interior[:, column]
        at = int(np.searchsorted(self.edge_rows, row))
        return int(self.edge_starts[at]), self.edges[at, : int(self.edge_widths[at]) - 1]

    def rows(self, start: int, stop: int, *, origin: int | None = None) -> Stencil:
        """The rows from ``start`` to ``stop``, numbered from 0, with node ``origin`` as node 0."""
        origin = start if origin is None else origin
        first = min(max(self.first, start), stop)
        last = max(min(self.last, stop), first)
        interior = self.interior
        if not self.uniform:
            interior = interior[:, first - self.first : last - self.first]
        a, b = np.searchsorted(self.edge_rows, (start, stop))
        return Stencil(
            stop - start,
            first - start,
            last - start,
            self.offset + start - origin,
            interior,
            self.edge_rows[a:b] - start,
            self.edge_starts[a:b] - origin,
            self.edge_widths[a:b],
            self.edges[a:b],
            self.own + start - origin,
            self.coasts and self.coasts.rows(start, stop, self.own, origin),
        )


def identity(n: int) -> Stencil:
    """The field itself: windows of one node, without differences."""
    none = np.zeros(0, dtype=np.int64)
    return Stencil(n, 0, n, 0, np.zeros((0, 1)), none, none, none, np.zeros((0, 1)))


#: Nodes on each side of a window that loops are made for, whatever the length of an axis.
SHARED = 16


def _interior_width(deriv: int, accuracy: int, uniform: bool) -> int:
    """Nodes of a centred window: odd, so that a reversed axis gives the reversed result.

    A window of m nodes has order m - deriv on any nodes; even derivatives on centred even nodes
    gain one order by symmetry.
    """
    least = deriv + accuracy - (uniform and deriv % 2 == 0)
    return least + 1 - least % 2


def _half(deriv: int, accuracy: int, uniform: bool, n: int) -> int:
    """Nodes on each side of a centred window, but of one wider than the axis no more than it has.

    No row has such a window. Short axes keep those of longer ones, with which they share loops.
    """
    return min(_interior_width(deriv, accuracy, uniform) // 2, max((n + 1) // 2, SHARED))


class Order(NamedTuple):
    """Which derivative, and how accurate: the checked numbers of a call."""

    deriv: int = 1
    accuracy: int = 2
    edge_order: int = 1
    skipna: bool = False

    @classmethod
    def checked(cls, deriv: Any, accuracy: Any, edge_order: Any, skipna: Any = False) -> Order:
        """The numbers of a call, or an error that names the one that is wrong."""
        try:
            return _checked_order(deriv, accuracy, edge_order, skipna)
        except TypeError:  # also what cannot be hashed gets its own error
            return _checked_order.__wrapped__(deriv, accuracy, edge_order, skipna)

    def of(self, deriv: int) -> Order:
        """The same accuracies for another derivative."""
        return self._replace(deriv=deriv)

    def stencil(self, nodes: Nodes, what: str) -> Stencil:
        """The stencil of this derivative on an axis, which must have enough points."""
        closed = nodes.closed
        needed = self.deriv + self.edge_order
        if closed:
            width = _interior_width(self.deriv, self.accuracy, nodes.step is not None)
            # Next to missing values, windows at an end may reach further than those inside.
            reach = max(width // 2, needed - 1) if self.skipna else width // 2
            needed = max(width, reach + max(nodes.skips))
        self._check_points(nodes.n, needed, what, "on a periodic axis " if closed else "")
        return make_stencil(nodes, self.deriv, self.accuracy, self.edge_order, self.skipna)

    def centred(self, nodes: Nodes, what: str) -> Stencil:
        """The stencil where its windows are centred, which have three nodes; zero elsewhere."""
        return self._replace(edge_order=1).stencil(nodes, what).centred

    def windows(self, n: int, what: str) -> Windows:
        """The windows of this derivative by positions of every column's own, of n points each."""
        ends = self.deriv + self.edge_order
        self._check_points(n, ends, what)
        half = _half(self.deriv, self.accuracy, False, n)
        return Windows(n, self.deriv, half, ends, self.skipna, 0, n)

    def _check_points(self, n: int, needed: int, what: str, where: str = "") -> None:
        if n < needed:
            raise ValueError(
                f"{what} has {n} point{'' if n == 1 else 's'}, but "
                f"deriv={self.deriv}, accuracy={self.accuracy}, edge_order={self.edge_order} "
                f"{where}needs {needed}; lower them or take more points"
            )


@lru_cache(maxsize=128, typed=True)  # True is no 1 here
def _checked_order(deriv: Any, accuracy: Any, edge_order: Any, skipna: Any) -> Order:
    if edge_order is None:
        # At accuracy 2, one-sided first differences are what torch, NumPy and xarray have.
        edge_order = 1 if accuracy == 2 else accuracy
    given = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} is {in_one_line(value)}; give a whole number of at least 1")
        if value < 1:
            raise ValueError(f"{name} is {value}; give a whole number of at least 1")
    if not isinstance(skipna, bool | np.bool_):
        raise TypeError(f"skipna is {in_one_line(skipna)}; give True or False")
    return Order(**{name: int(value) for name, value in given.items()}, skipna=bool(skipna))


def make_stencil(
    nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool = False
) -> Stencil:
    """The stencil of one derivative on one axis.

    Interior rows use centred windows that reach order ``accuracy`` on any nodes. The rows next to
    an end use windows that begin (end) at the end node and hold ``deriv + edge_order`` nodes, or
    as many more as make them centred.

    Parameters
    ----------
    nodes : Nodes
        The axis, with enough nodes for the windows.
    deriv, accuracy, edge_order : int
        Order of the derivative, and of its accuracy inside and at the ends; each at least 1.
    skipna : bool
        Whether it has windows for rows next to missing values.

    Returns
    -------
    Stencil
        ``nodes.n`` rows, in units of one over position units to the power ``deriv``.
    """
    # Long irregular axes have large tables, which cost little to build beside their data.
    if nodes.positions is not None and nodes.n > LONGEST_KEPT:
        return _build(nodes, deriv, accuracy, edge_order, skipna)
    return _kept(nodes, deriv, accuracy, edge_order, skipna)


def _build(nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool) -> Stencil:
    """A new stencil, refused if float64 cannot hold its coefficients."""
    with np.errstate(all="ignore"):
        stencil = _assemble(nodes, deriv, accuracy, edge_order, skipna)
    for table in (stencil.interior.T, stencil.edges):
        if not np.isfinite(table).all() or not table.any(axis=1).all():
            raise ValueError(
                "the steps of the axis are too small or too large for this derivative in "
                "float64; rescale the coordinate or give spacing="
            )
    return stencil


# Building a stencil costs more than applying it to a short axis, so the recent ones are kept, by
# the identity of nodes, which are themselves kept.
_kept = lru_cache(maxsize=64)(_build)


def _assemble(nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool) -> Stencil:
    half = _half(deriv, accuracy, nodes.step is not None, nodes.n)
    width = 2 * half + 1
    coasts = make_coasts(nodes, deriv, half, deriv + edge_order) if skipna else None
    if nodes.closed:
        interior = window_table(nodes, 0, nodes.n, -half, width, deriv)
        none, no_edges = np.zeros(0, dtype=np.int64), np.zeros((0, 1))
        return Stencil(
            nodes.n, 0, nodes.n, -half, interior, none, none, none, no_edges, coasts=coasts
        )
    first = min(half, (nodes.n + 1) // 2)
    last = max(nodes.n - half, first)
    rows = np.concatenate([np.arange(first), np.arange(last, nodes.n)])
    mirrored = nodes.n - 1 - rows
    from_left = rows <= mirrored
    widths = np.maximum(deriv + edge_order, 2 * np.minimum(rows, mirrored) + 1)
    starts = np.where(from_left, 0, nodes.n - widths)
    edges = np.zeros((len(rows), int(widths.max(initial=2)) - 1))
    for at, (row, start, wide) in enumerate(zip(rows, starts, widths, strict=True)):
        at_row = int(row), int(row) + 1, int(start - row), int(wide)
        edges[at, : wide - 1] = window_table(nodes, *at_row, deriv)[:, 0]
    interior = window_table(nodes, first, last, -half, width, deriv)
    return Stencil(
        nodes.n, first, last, -half, interior, rows, starts, widths, edges, coasts=coasts
    )
