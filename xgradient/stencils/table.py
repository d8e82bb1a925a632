"""Nodes to stencils: which neighbours make a derivative, and how much each one counts.

A stencil multiplies *differences of adjacent nodes*, not the nodes themselves. The weights of a
derivative sum to zero, so both forms are equal on paper; this one gives exactly zero for a
constant field and keeps the digits of float32 data with a large offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import MAX_CACHED_NODES
from .fornberg import CoefficientTables, window_table
from .masked import MaskedStencil, make_masked_stencil
from .nodes import Nodes
from .records import Record

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
    boundary_rows: Ints
    boundary_starts: Ints
    boundary_widths: Ints
    boundary: Floats
    center: int = 0
    masked: MaskedStencil | None = None

    @cached_property
    def width(self) -> int:
        """Number of nodes in an interior window."""
        return len(self.interior) + 1

    @cached_property
    def uniform(self) -> bool:
        """Whether all interior rows share their coefficients."""
        return bool(self.interior.shape[1] == 1)

    @cached_property
    def tables(self) -> CoefficientTables:
        """The coefficients of interior and edges, each contiguous, by their real dtype."""
        return CoefficientTables(self.interior, self.boundary)

    @cached_property
    def boundary_windows(self) -> Ints:
        """Row, start and width of each window of an edge row, shape (e, 3)."""
        return np.stack([self.boundary_rows, self.boundary_starts, self.boundary_widths], axis=1)

    @cached_property
    def fits_float32(self) -> bool:
        """Whether float32 can hold the coefficients."""
        tables = [self.interior, self.boundary, *([self.masked.table] if self.masked else [])]
        sizes = np.concatenate([np.abs(table).ravel() for table in tables])
        range_ = np.finfo(np.float32)
        small = sizes[sizes > 0].min(initial=1)
        return bool(sizes.max(initial=0) < range_.max and small > range_.tiny)

    @cached_property
    def depth(self) -> tuple[int, int]:
        """Nodes needed before the first row's own node and after the last row's, at least 0."""
        lo, hi = 0, self.n
        if self.masked and self.n:
            low, high = self.masked.node_range(self.center, self.center + self.n)
            lo, hi = min(lo, low), max(hi, high)
        if self.last > self.first:
            lo = min(lo, self.first + self.offset)
            hi = max(hi, self.last - 1 + self.offset + self.width)
        if len(self.boundary_rows):
            lo = min(lo, int(self.boundary_starts.min()))
            hi = max(hi, int((self.boundary_starts + self.boundary_widths).max()))
        return -lo, hi - self.n

    @cached_property
    def with_boundary_rows(self) -> Stencil:
        """The same rows, with those whose windows leave nodes 0 … n-1 counted as edge rows."""
        first = min(max(self.first, -self.offset), self.last)
        last = max(min(self.last, self.n + 1 - self.offset - self.width), first)
        leaving = np.r_[self.first : first, last : self.last]
        columns = np.zeros_like(leaving) if self.uniform else leaving - self.first
        wide = max(self.width - 1, self.boundary.shape[1])
        table = np.zeros((len(leaving) + len(self.boundary_rows), wide))
        table[: len(leaving), : self.width - 1] = self.interior[:, columns].T
        table[len(leaving) :, : self.boundary.shape[1]] = self.boundary
        rows = np.concatenate([leaving, self.boundary_rows])
        starts = np.concatenate([leaving + self.offset, self.boundary_starts])
        widths = np.concatenate([np.full_like(leaving, self.width), self.boundary_widths])
        order = np.argsort(rows)
        interior = self.interior
        if not self.uniform:
            interior = interior[:, first - self.first : last - self.first]
        moved = rows[order], starts[order], widths[order], table[order]
        return Stencil(self.n, first, last, self.offset, interior, *moved, self.center, self.masked)

    def is_shift_invariant(self, start: int, stop: int) -> bool:
        """Whether the rows from ``start`` to ``stop`` are as all others of their number inside."""
        inside = self.uniform and self.first <= start < stop <= self.last
        if not inside or self.masked is None:
            return inside
        low, high = self.masked.node_range(start, stop)
        return high - low == stop - start + 2 * self.masked.depth

    @cached_property
    def interior_only(self) -> Stencil:
        """The same rows inside, of three nodes, and zero next to ends and missing values."""
        starts = np.minimum(self.boundary_rows, self.n - 2)
        widths, edges = np.full_like(starts, 2), np.zeros((len(starts), 1))
        masked = self.masked and self.masked.interior_only()
        return replace(
            self, boundary_starts=starts, boundary_widths=widths, boundary=edges, masked=masked
        )

    def scale(self, factors: NDArray[Any] | float) -> Stencil:
        """The same rows times a number, or each times a number of its own."""
        factors = np.asarray(factors, dtype=np.float64)
        masked = self.masked.scale(factors) if self.masked else None
        inside, ends = factors, factors
        if factors.ndim:
            inside, ends = factors[self.first : self.last], factors[self.boundary_rows, None]
        return replace(
            self, interior=self.interior * inside, boundary=self.boundary * ends, masked=masked
        )

    def add(self, other: Stencil) -> Stencil:
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
        masked = self.masked.add(other.masked) if self.masked and other.masked else None
        return Stencil(
            self.n, first, last, wide.offset, interior, rows, starts, widths, edges, masked=masked
        )

    def window(self, row: int) -> tuple[int, Floats]:
        """The first node of a row's window, and the coefficients of its differences."""
        if self.first <= row < self.last:
            column = 0 if self.uniform else row - self.first
            return row + self.offset, self.interior[:, column]
        at = int(np.searchsorted(self.boundary_rows, row))
        return int(self.boundary_starts[at]), self.boundary[at, : int(self.boundary_widths[at]) - 1]

    def slice_rows(self, start: int, stop: int, *, origin: int | None = None) -> Stencil:
        """The rows from ``start`` to ``stop``, numbered from 0, with node ``origin`` as node 0."""
        origin = start if origin is None else origin
        first = min(max(self.first, start), stop)
        last = max(min(self.last, stop), first)
        interior = self.interior
        if not self.uniform:
            interior = interior[:, first - self.first : last - self.first]
        a, b = np.searchsorted(self.boundary_rows, (start, stop))
        return Stencil(
            stop - start,
            first - start,
            last - start,
            self.offset + start - origin,
            interior,
            self.boundary_rows[a:b] - start,
            self.boundary_starts[a:b] - origin,
            self.boundary_widths[a:b],
            self.boundary[a:b],
            self.center + start - origin,
            self.masked and self.masked.slice_rows(start, stop, self.center, origin),
        )


def identity_stencil(n: int) -> Stencil:
    """The field itself: windows of one node, without differences."""
    none = np.zeros(0, dtype=np.int64)
    return Stencil(n, 0, n, 0, np.zeros((0, 1)), none, none, none, np.zeros((0, 1)))


#: Nodes on each side of a window that loops are made for, whatever the length of an axis.
SHARED = 16


def interior_width(deriv: int, accuracy: int, uniform: bool) -> int:
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
    return min(interior_width(deriv, accuracy, uniform) // 2, max((n + 1) // 2, SHARED))


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
    if nodes.positions is not None and nodes.n > MAX_CACHED_NODES:
        return _build_stencil(nodes, deriv, accuracy, edge_order, skipna)
    return _cached_stencil(nodes, deriv, accuracy, edge_order, skipna)


def _build_stencil(
    nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool
) -> Stencil:
    """A new stencil, refused if float64 cannot hold its coefficients."""
    with np.errstate(all="ignore"):
        stencil = _assemble_stencil(nodes, deriv, accuracy, edge_order, skipna)
    for table in (stencil.interior.T, stencil.boundary):
        if not np.isfinite(table).all() or not table.any(axis=1).all():
            raise ValueError(
                "the steps of the axis are too small or too large for this derivative in "
                "float64; rescale the coordinate or give spacing="
            )
    return stencil


# Building a stencil costs more than applying it to a short axis, so the recent ones are kept, by
# the identity of nodes, which are themselves kept.
_cached_stencil = lru_cache(maxsize=64)(_build_stencil)


def _assemble_stencil(
    nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool
) -> Stencil:
    half = _half(deriv, accuracy, nodes.step is not None, nodes.n)
    width = 2 * half + 1
    masked = make_masked_stencil(nodes, deriv, half, deriv + edge_order) if skipna else None
    if nodes.has_neighbours_beyond_ends:
        interior = window_table(nodes, 0, nodes.n, -half, width, deriv)
        none, no_edges = np.zeros(0, dtype=np.int64), np.zeros((0, 1))
        return Stencil(
            nodes.n, 0, nodes.n, -half, interior, none, none, none, no_edges, masked=masked
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
        nodes.n, first, last, -half, interior, rows, starts, widths, edges, masked=masked
    )
