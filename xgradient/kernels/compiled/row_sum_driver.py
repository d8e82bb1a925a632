"""Sum two or three terms in one pass over rows, as magnitudes, Laplacians and curls need them.

A loop computes all rows with neighbours on both sides. The few others are left to the loops of
single terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..._forks import LOADING
from ..requests import Accumulate, TermRequest, WeightMode, slice_axis
from .layout import (
    COMPILED_DTYPES,
    Array,
    address,
    as_aligned,
    collapse_outer_axes,
    flat_view,
    is_strided_ok,
    read_only_view,
    row_step,
)
from .on_demand import Loop, loop

#: Cells from which roots are worth the calls for the other rows, and least cells of a row. Terms
#: that are added, which take less time, need twice as many.
MIN_CELLS, MIN_ROW_CELLS = 1 << 21, 128
#: Least cells of each piece of arrays whose outer axes have no common step.
MIN_PIECE_CELLS = 1 << 20
#: Least share of the cells that the pass computes; the others cost several passes.
MIN_SHARE = 0.75
#: Bytes of rows of input and result that stay in a core's own cache until the next plane is read.
ROW_BYTES = 1 << 18
#: Rows after which the loop computes their ends, which are in cache until then.
MAX_ROWS = 64

#: Axes with the first and last of their rows.
Spans = list[tuple[int, int, int]]


class RowSum(NamedTuple):
    """A sum that one pass computes, and the loop that it needs.

    Attributes
    ----------
    spans : list of tuple
        An axis with its first and last row, for each axis of a term but the innermost.
    weight_modes : tuple of int
        A `WeightMode` for each term.
    adds : bool
        Whether the terms are added. Otherwise the result is the root of the sum of their squares.
    along : int
        The term along the rows, or -1.
    per_column : bool
        Whether each column has its own coefficients along the rows.
    dtype : dtype
        Type of the result.
    """

    spans: Spans
    weight_modes: tuple[int, ...]
    adds: bool
    along: int
    per_column: bool
    dtype: np.dtype[Any]

    @property
    def case(self) -> tuple[tuple[int, ...], bool, int, bool]:
        """The constants of the loop, apart from its dtype."""
        return self.weight_modes, self.adds, self.along, self.per_column

    @property
    def loop(self) -> Loop:
        """The loop, which may not be compiled yet."""
        return loop("row sum", *self.case, self.dtype)

    def compile(self) -> None:
        """Compile the loop, by a call on arrays without cells."""
        real = COMPILED_DTYPES[self.dtype]
        cells, numbers = (read_only_view(np.empty(0, t)) for t in (self.dtype, real))
        lines, steps, windows = (np.empty(n, np.int64) for n in ((0, 3), 0, (0, 3)))
        arrays = [*[cells] * 5, np.empty(0, self.dtype), numbers, lines, steps, windows]
        rows_at_once = 1
        _row_sum_loop(*self.case)(*arrays, np.empty((0, 1), real), *[0] * 8, rows_at_once)

    def calls(self, arguments: list[tuple[Any, ...]]) -> list[Callable[[], None]]:
        """Return calls of the loop, one for each part that `row_sum_arguments` found."""
        run = _row_sum_loop(*self.case)
        return [partial(run, *part) for part in arguments]


def find_row_sum(terms: list[TermRequest], out: Array) -> RowSum | None:
    """Return a sum that one pass computes, or None if it cannot."""
    if len(terms) not in (2, 3) or out.ndim < 2 or out.dtype not in COMPILED_DTYPES:
        return None
    adds = terms[1].accumulate == Accumulate.ADD
    if out.size < MIN_CELLS * (2 if adds else 1) or out.shape[-1] < MIN_ROW_CELLS:
        return None
    if not _has_rows(out):
        return None
    ways = [Accumulate.STORE, Accumulate.ADD] if adds else [Accumulate.ABS, Accumulate.HYPOT]
    if [term.accumulate for term in terms] != [ways[0], *ways[1:] * (len(terms) - 1)]:
        return None
    spans: dict[int, tuple[int, int]] = {}
    for term in terms:
        if not _is_summed(term, out):
            return None
        first, last = spans.get(term.axis, (0, term.stencil.n))
        spans[term.axis] = max(first, term.stencil.first), min(last, term.stencil.last)
    axes, inner = [term.axis for term in terms], out.ndim - 1
    share = prod((last - first) / out.shape[d] for d, (first, last) in spans.items() if d < inner)
    empty = any(first >= last for first, last in spans.values())
    if axes.count(inner) > 1 or empty or share < MIN_SHARE:
        return None
    along = axes.index(inner) if inner in axes else -1
    return RowSum(
        [(axis, *span) for axis, span in spans.items() if axis < inner],
        tuple(int(term.weight_mode) for term in terms),
        adds,
        along,
        along >= 0 and not terms[along].stencil.uniform,
        out.dtype,
    )


#: The ways of weighting that the loop knows.
_WEIGHT_MODES = (WeightMode.NONE, WeightMode.OUTPUT, WeightMode.CENTER)


def _has_rows(a: Array) -> bool:
    """Return whether cells of a row are adjacent, and all steps are whole cells."""
    return is_strided_ok(a, a.ndim - 2, backwards=True)


def _is_summed(term: TermRequest, out: Array) -> bool:
    """Return whether the loop can sum a term."""
    f, stencil, weights = term.block, term.stencil, (term.output_weight, term.center_weight)
    if not term.has_one_stencil or stencil.gap_windows or stencil.homes is not None:
        return False
    if stencil.width != 3 or stencil.offset != stencil.center - 1:
        return False
    if f.dtype != out.dtype or not _has_rows(f) or term.weight_mode not in _WEIGHT_MODES:
        return False
    real = COMPILED_DTYPES[out.dtype]
    if any(w is not None and (w.shape[-1] > 1 or w.dtype != real) for w in weights):
        return False
    if term.axis < out.ndim - 1:
        return True
    # Column j is node j. Windows of one node, which return the field itself, are not summed.
    differs = bool((stencil.boundary_widths > 1).all())
    return differs and stencil.center == 0 and f.shape[-1] == out.shape[-1]


@cache
def _row_sum_loop(*case: Any) -> Any:
    """Load the compiler, and return the loop."""
    with LOADING:
        from .row_sum_loops import row_sum_loop
    return row_sum_loop(*case)


def row_sum_arguments(
    row_sum: RowSum, terms: list[TermRequest], out: Array, n_units: int
) -> list[tuple[Any, ...]]:
    """Return the arguments of the loop for parts of a sum; none if parts would be too small.

    Parameters
    ----------
    row_sum : RowSum
        The sum and its loop.
    terms : list of TermRequest
        The terms, of the rows that the pass computes.
    out : ndarray
        The result.
    n_units : int
        Number of parts, if there are as many rows.
    """
    n_rows, n = out.shape[-2:]
    windows, edges, before, after, *columns = _ends(row_sum, terms, out)
    numbers, views = _numbers(terms, out)
    # Memory, and the part of it at the cells of the result.
    parts = [(flat_view(out), out), (_cells(before), before), (_cells(after), after)]
    for term, its_numbers in zip(terms, views, strict=True):
        first = term.stencil.center
        block = slice_axis(term.block, term.axis, first, first + out.shape[term.axis])
        parts += [(_cells(term.block), block), *((numbers, view) for view in its_numbers)]
    fields = [parts[3 + 4 * k][0] for k in (0, 1, len(terms) - 1)]
    arrays = *fields, parts[1][0], parts[2][0], parts[0][0], numbers
    steps = np.array([t.block.strides[t.axis] // out.itemsize for t in terms], np.int64)
    if not _has_large_pieces([a for _, a in parts]):
        return []
    found: list[tuple[Any, ...]] = []
    for pieces, outer, outer_steps in collapse_outer_axes([a for _, a in parts], out.ndim - 2):
        places = zip(parts, pieces, outer_steps, strict=True)
        lines = np.array(
            [(_offset(m, piece), step, row_step(piece, -2)) for (m, _), piece, step in places]
        )
        # Along an outer axis, a row waits in cache for the rows of the next planes.
        planes = [
            abs(int(steps[k]) // int(lines[3 + 4 * k, 1]))
            for k, term in enumerate(terms)
            if term.axis < out.ndim - 2 and lines[3 + 4 * k, 1] and pieces[0].shape[term.axis] > 1
        ]
        row_bytes = 2 * n * out.itemsize * (1 + max(planes, default=0))
        at_once = max(1, ROW_BYTES // row_bytes) if planes else min(n_rows, MAX_ROWS)
        n_parts = -(-n_units * outer * n_rows * n // out.size)
        found += [
            (*arrays, lines, steps, windows, edges, *columns, n, *part, at_once)
            for part in _divide(outer, n_rows, n_parts)
        ]
    return found


def _has_large_pieces(arrays: list[Array]) -> bool:
    """Return whether few calls do for all outer axes; the first array is the result."""
    _, outer, _ = next(collapse_outer_axes(arrays, arrays[0].ndim - 2))
    n_rows, n = arrays[0].shape[-2:]
    cells: int = outer * n_rows * n
    return cells == arrays[0].size or cells >= MIN_PIECE_CELLS


def _ends(row_sum: RowSum, terms: list[TermRequest], out: Array) -> tuple[Any, ...]:
    """Return what the loop needs at the ends of rows.

    These are the columns that have their own windows, coefficients of these, the cells before
    and after the block, the first and last other column, and the number of cells before.
    """
    real, f = COMPILED_DTYPES[out.dtype], terms[0].block
    if row_sum.along < 0:
        return np.empty((0, 3), np.int64), np.empty((0, 1), real), f, f, 0, out.shape[-1], 0
    term = terms[row_sum.along]
    stencil, parts = term.stencil, (term.left_halo, term.right_halo)
    # No window reaches a halo that is missing, so the block stands in for it.
    halo = [term.block if part is None else part for part in parts]
    before, after = (
        part if part.dtype == out.dtype and _has_rows(part) else as_aligned(part, out.dtype)
        for part in halo
    )
    reach = 0 if parts[0] is None else before.shape[-1]
    edges = stencil.tables[real][1]
    return stencil.boundary_windows, edges, before, after, stencil.first, stencil.last, reach


def _numbers(terms: list[TermRequest], out: Array) -> tuple[Array, list[list[Array]]]:
    """Return coefficients and weights in one array, and views of it by the rows of the result.

    Each term has a view of the coefficients before a cell, of those after it, and of its weight.
    """
    real, parts = COMPILED_DTYPES[out.dtype], []
    for term in terms:
        stencil, shape = term.stencil, [1] * out.ndim
        table, weight = stencil.tables[real][0], term.output_weight
        if not stencil.uniform:
            shape[term.axis] = stencil.n
            table = np.pad(table, ((0, 0), (stencil.first, stencil.n - stencil.last)))
        weight = term.center_weight if weight is None else weight
        if weight is None:
            weight = np.ones([1] * out.ndim, real)  # which no cell is multiplied with
        parts += [table[0].reshape(shape), table[1].reshape(shape), weight]
    numbers = np.concatenate([part.ravel() for part in parts])
    ends = np.cumsum([part.size for part in parts]).tolist()
    views = [
        np.broadcast_to(
            numbers[end - part.size : end].reshape(part.shape), (*out.shape[:-1], part.shape[-1])
        )
        for part, end in zip(parts, ends, strict=True)
    ]
    return read_only_view(numbers), [views[k : k + 3] for k in range(0, len(views), 3)]


def _cells(a: Array) -> Array:
    """Return all memory that an array takes, read-only."""
    cells: Array = read_only_view(flat_view(a))
    return cells


def _offset(memory: Array, part: Array) -> int:
    """Return the index of the first cell of a part in flat memory."""
    return (address(part) - address(memory)) // memory.itemsize


def _divide(outer: int, rows: int, n: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield parts of outer cells and rows, each with the first and last of both."""
    by_outer = outer >= min(n, rows)
    length = outer if by_outer else rows
    bounds = [length * k // n for k in range(n + 1)]
    for first, last in pairwise(bounds):
        if first < last:
            yield (first, last, 0, rows) if by_outer else (0, outer, first, last)
