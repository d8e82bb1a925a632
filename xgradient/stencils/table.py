"""Stencils: the windows of nodes that make a derivative, and their coefficients.

A stencil multiplies *differences of adjacent nodes*, not the nodes themselves. The weights of a
derivative sum to zero, so both forms are mathematically equal. Differences give exactly zero for
a constant field, and keep the digits of float32 data with a large offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coasts import CoastStencil
from .fornberg import CoefficientTables
from .masked import MaskedStencil
from .records import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stencil(Record):
    """A derivative along one axis, as rows of coefficients of adjacent differences.

    Row ``i`` of ``first <= i < last`` uses the ``width`` nodes from ``i + offset`` on. The other
    rows are boundary rows, few and next to the ends, each with its own window. Node numbers may
    lie outside 0 … n-1, on a periodic axis and in the rows of a chunk. In a chunk they count from
    its first cell.

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
    boundary_rows, boundary_starts, boundary_widths : ndarray of int64, shape (b,)
        The boundary rows in ascending order, the first node of each window and its width.
    boundary : ndarray of float64, shape (b, largest boundary width - 1)
        Coefficients of the boundary rows, padded with zeros that are never used.
    center : int
        The node of row 0.
    masked : MaskedStencil, optional
        Windows for rows next to missing values; without them such rows are missing.
    coasts : CoastStencil, optional
        Windows in their place where a condition holds at missing values.
    homes : ndarray of int64, shape (n,), optional
        The node in whose chunk each row is computed, ascending, for rows that are not at the
        nodes. By default each node has its row.
    cells : int, optional
        Number of nodes, if the rows have homes.
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
    coasts: CoastStencil | None = None
    homes: Ints | None = None
    cells: int | None = None

    @property
    def gap_windows(self) -> MaskedStencil | CoastStencil | None:
        """The windows for rows next to missing values, of either kind."""
        return self.masked or self.coasts

    @cached_property
    def without_coasts(self) -> Stencil:
        """The stencil that gives missing results next to missing values."""
        return replace(self, coasts=None)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, from node 0 on, that are not in a halo."""
        return self.n if self.cells is None else self.cells

    @cached_property
    def width(self) -> int:
        """Number of nodes in an interior window."""
        return len(self.interior) + 1

    @cached_property
    def uniform(self) -> bool:
        """True if all interior rows share their coefficients."""
        return bool(self.interior.shape[1] == 1)

    @cached_property
    def tables(self) -> CoefficientTables:
        """The coefficients of interior and boundary rows by dtype, contiguous."""
        return CoefficientTables(self.interior, self.boundary)

    @cached_property
    def boundary_windows(self) -> Ints:
        """Row, start and width of the window of each boundary row, shape (b, 3)."""
        return np.stack([self.boundary_rows, self.boundary_starts, self.boundary_widths], axis=1)

    @cached_property
    def fits_float32(self) -> bool:
        """True if float32 can hold the coefficients."""
        windows = self.gap_windows
        tables = [self.interior, self.boundary, *([windows.table] if windows else [])]
        sizes = np.concatenate([np.abs(table).ravel() for table in tables])
        float32 = np.finfo(np.float32)
        smallest = sizes[sizes > 0].min(initial=1)
        # Rows whose results are missing have no other coefficients.
        largest = np.fmax.reduce(sizes, initial=0)
        return bool(largest < float32.max and smallest > float32.tiny)

    @cached_property
    def depth(self) -> tuple[int, int]:
        """Nodes needed before the first node and after the last one, at least 0."""
        lo, hi = self.node_span
        return max(0, -lo), max(0, hi - self.n_nodes)

    @cached_property
    def node_span(self) -> tuple[int, int]:
        """The nodes that all rows read, a half-open range; each row reads its own node."""
        lo, hi = (0, self.n) if self.homes is None else self._home_span
        if self.gap_windows and self.n:
            low, high = self.gap_windows.node_range(self.center, self.center + self.n)
            lo, hi = min(lo, low), max(hi, high)
        if self.last > self.first:
            lo = min(lo, self.first + self.offset)
            hi = max(hi, self.last - 1 + self.offset + self.width)
        if len(self.boundary_rows):
            lo = min(lo, int(self.boundary_starts.min()))
            hi = max(hi, int((self.boundary_starts + self.boundary_widths).max()))
        return lo, hi

    @property
    def _home_span(self) -> tuple[int, int]:
        assert self.homes is not None
        return (int(self.homes[0]), int(self.homes[-1]) + 1) if self.n else (0, 0)

    def rows_of_chunks(self, bounds: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
        """Return the range of rows that each chunk computes, by the ranges of its nodes."""
        if self.homes is None:
            return list(bounds)
        firsts = np.searchsorted(self.homes, [start for start, _ in bounds]).tolist()
        return list(pairwise([*firsts, self.n]))

    @cached_property
    def with_boundary_rows(self) -> Stencil:
        """The stencil in which rows whose windows leave nodes 0 … n-1 are boundary rows."""
        first = min(max(self.first, -self.offset), self.last)
        last = max(min(self.last, self.n_nodes + 1 - self.offset - self.width), first)
        leaving = np.r_[self.first : first, last : self.last]
        columns = np.zeros_like(leaving) if self.uniform else leaving - self.first
        n_coefficients = max(self.width - 1, self.boundary.shape[1])
        table = np.zeros((len(leaving) + len(self.boundary_rows), n_coefficients))
        table[: len(leaving), : self.width - 1] = self.interior[:, columns].T
        table[len(leaving) :, : self.boundary.shape[1]] = self.boundary
        rows = np.concatenate([leaving, self.boundary_rows])
        starts = np.concatenate([leaving + self.offset, self.boundary_starts])
        widths = np.concatenate([np.full_like(leaving, self.width), self.boundary_widths])
        order = np.argsort(rows)
        interior = self.interior
        if not self.uniform:
            interior = interior[:, first - self.first : last - self.first]
        return replace(
            self, first=first, last=last, interior=interior, boundary_rows=rows[order],
            boundary_starts=starts[order], boundary_widths=widths[order], boundary=table[order],
        )  # fmt: skip

    def is_shift_invariant(self, start: int, stop: int) -> bool:
        """Return whether all row ranges of this length in the interior have equal coefficients."""
        interior = self.uniform and self.first <= start < stop <= self.last and self.homes is None
        windows = self.gap_windows
        if not interior or windows is None:
            return interior
        low, high = windows.node_range(start, stop)
        return high - low == stop - start + 2 * windows.depth

    @cached_property
    def interior_only(self) -> Stencil:
        """The interior rows, of three nodes, with zeros next to ends and missing values."""
        starts = np.minimum(self.boundary_rows, self.n - 2)
        widths, zeros = np.full_like(starts, 2), np.zeros((len(starts), 1))
        masked = self.masked and self.masked.interior_only()
        return replace(
            self, boundary_starts=starts, boundary_widths=widths, boundary=zeros, masked=masked
        )

    def with_missing_ends(self, ends: tuple[bool, bool]) -> Stencil:
        """Give missing results in the boundary rows at one end or both."""
        first = self.first if ends[0] else 0
        last = self.last if ends[1] else self.n
        boundary = self.boundary.copy()
        boundary[(self.boundary_rows < first) | (self.boundary_rows >= last)] = np.nan
        masked = self.masked and self.masked.with_missing_rows(first, last, self.n)
        coasts = self.coasts and self.coasts.with_missing_rows(first, last, self.n)
        return replace(self, boundary=boundary, masked=masked, coasts=coasts)

    def scale(self, factors: NDArray[Any] | float) -> Stencil:
        """Multiply the coefficients by one factor, or by one factor for each row."""
        factors = np.asarray(factors, dtype=np.float64)
        masked = self.masked.scale(factors) if self.masked else None
        coasts = self.coasts.scale(factors) if self.coasts else None
        interior, boundary = factors, factors
        if factors.ndim:
            interior = factors[self.first : self.last]
            boundary = factors[self.boundary_rows, None]
        return replace(
            self,
            interior=self.interior * interior,
            boundary=self.boundary * boundary,
            masked=masked,
            coasts=coasts,
        )

    def add(self, other: Stencil) -> Stencil:
        """Add a stencil of the same axis; both have boundary rows, or both are periodic."""
        wide, narrow = (self, other) if self.width >= other.width else (other, self)
        inset = narrow.offset - wide.offset
        first, last = max(self.first, other.first), min(self.last, other.last)
        columns = 1 if self.uniform and other.uniform else max(0, last - first)
        interior = np.zeros((wide.width - 1, columns))
        for part, start in ((wide, 0), (narrow, inset)):
            coefficients = part.interior
            if not part.uniform:
                coefficients = coefficients[:, first - part.first : last - part.first]
            interior[start : start + part.width - 1] += coefficients
        rows = np.r_[0:first, last : self.n]
        pairs = [(self.window(int(row)), other.window(int(row))) for row in rows]
        starts = np.array([min(a[0], b[0]) for a, b in pairs], dtype=np.int64)
        stops = [max(a[0] + len(a[1]), b[0] + len(b[1])) for a, b in pairs]
        widths = np.array(stops, dtype=np.int64) - starts + 1
        boundary = np.zeros((len(rows), int(widths.max(initial=2)) - 1))
        for i, pair in enumerate(pairs):
            for node, coefficients in pair:
                shift = node - starts[i]
                boundary[i, shift : shift + len(coefficients)] += coefficients
        masked = self.masked.add(other.masked) if self.masked and other.masked else None
        return Stencil(
            self.n,
            first,
            last,
            wide.offset,
            interior,
            rows,
            starts,
            widths,
            boundary,
            masked=masked,
        )

    def window(self, row: int) -> tuple[int, Floats]:
        """The first node of a row's window, and its coefficients."""
        if self.first <= row < self.last:
            column = 0 if self.uniform else row - self.first
            return row + self.offset, self.interior[:, column]
        i = int(np.searchsorted(self.boundary_rows, row))
        return int(self.boundary_starts[i]), self.boundary[i, : int(self.boundary_widths[i]) - 1]

    def slice_rows(
        self, start: int, stop: int, *, origin: int | None = None, cells: int | None = None
    ) -> Stencil:
        """The rows from ``start`` to ``stop``, numbered from 0; node ``origin`` becomes node 0.

        If the rows have homes, the slice has ``cells`` nodes, by default all from ``origin`` on.
        """
        origin = start if origin is None else origin
        homes = None
        if self.homes is not None:
            homes, rest = self.homes[start:stop] - origin, self.n_nodes - origin
            cells = rest if cells is None else cells
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
            self.coasts and self.coasts.slice_rows(start, stop, self.center, origin),
            homes,
            None if homes is None else cells,
        )


def identity_stencil(n: int) -> Stencil:
    """A stencil that returns the field itself: windows of one node, without differences."""
    none = np.zeros(0, dtype=np.int64)
    return Stencil(n, 0, n, 0, np.zeros((0, 1)), none, none, none, np.zeros((0, 1)))
