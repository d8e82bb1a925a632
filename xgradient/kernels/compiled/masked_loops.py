"""NumPy arrays with missing values: loops whose windows end at them.

A row whose whole window is valid is computed as everywhere else. Only where the sum turns out to be
missing are valid neighbours counted; so data without gaps cost little more than without the option.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stencils.masked import MaskedStencil
from ...stencils.table import Stencil
from .jit import INDEX, jit, jit_inline, uint64
from .span_loops import (
    GAP_CELLS,
    SPAN_CELLS,
    fix_gaps,
    sum_boundary_window,
    sum_interior_window,
    try_windows,
    write_span,
)

Array = NDArray[Any]
#: An array as its memory, with the steps to the next of its outer lines and of its rows.
StridedArray = tuple[Array, int, int]


def run_masked(
    lines: StridedArray,
    start: int,
    before: StridedArray,
    after: StridedArray,
    reach: int,
    length: int,
    to: StridedArray,
    by: StridedArray,
    outer: int,
    inner: int,
    stencil: Stencil,
    table: Array,
    kind: int,
    accumulate: int,
    each: int,
) -> None:
    """Run the loops on flat arrays, as those of `stencil_loops` are run."""
    masked, n, own = stencil.masked, stencil.n, stencil.center
    assert masked is not None
    along, even = inner == 1, table.shape[2] == 1
    far, width = masked.depth, int(masked.widths[masked.window_index[-1, -1]])
    run = masked_loops(width, far, int(masked.widths.max()), along, even, _has_few_windows(masked))
    # Where there is no window, the number is the one after the last.
    kinds = np.where(masked.window_index < 0, len(masked.starts), masked.window_index)
    # Unsigned, as all indices: a start before the row wraps round, and so does the sum with it.
    windows = tuple(a.astype(INDEX, order="C") for a in (kinds, masked.starts, masked.widths))
    # Rows that count no further than the block are many.
    first = min(max(0, far - own), n)
    last = max(min(n, length - far - own), first)
    # The few others take their nodes from a strip, in which what is beyond the axis is missing.
    strip = np.empty((max(first, n - last) + 2 * far) * (1 if along else SPAN_CELLS), to[0].dtype)
    seen = strip.view()
    seen.setflags(write=False)
    axis = max(masked.low, -reach), min(masked.high, length + far), reach, length
    f, f_outer, f_row = zip(lines, before, after, strict=True)
    run(
        f, start, f_outer, f_row, axis, *to, *by,
        outer, inner, (0, first, last, n), own, table, windows, strip, seen, each, kind, accumulate,
    )  # fmt: skip


def _has_few_windows(masked: MaskedStencil) -> bool:
    """Whether windows are so few that each can be tried on every cell.

    They hold all nodes within reach, which is two at most, or the two neighbours, or those on one
    side only. Where there are fewer nodes than that there may be none.
    """
    reach = masked.depth
    if reach > 2:
        return False
    windows = [*zip(masked.starts.tolist(), masked.widths.tolist(), strict=True), None]
    for before, after in np.ndindex(masked.window_index.shape):
        least = min(before, after)
        allowed: list[Any] = [(-min(before, 1), 3) if least else (-before, before + after + 1)]
        if least == reach:
            allowed.append((-reach, 2 * reach + 1))
        if before + after < reach:
            allowed.append(None)
        if windows[masked.window_index[before, after]] not in allowed:
            return False
    return True


@jit_inline
def _fill(strip, part, at, row, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Nodes of one array, in a strip that begins with the node ``origin``."""
    for node in range(first, last):
        to, of = uint64(node - origin) * width, uint64(at + node * row)
        for j in range(lanes):
            strip[to + j] = part[of + j]


@jit_inline
def _clear(strip, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Nodes that there are not."""
    for node in range(first, last):
        to = uint64(node - origin) * width
        for j in range(lanes):
            strip[to + j] = np.nan


@jit_inline
def _gather_strip(strip, block, before, after, at, steps, axis, nodes, sizes):  # type: ignore[no-untyped-def]
    """The nodes from ``first`` to ``last``, of the block and what lies before and after it."""
    (low, high, reach, length), (first, last), (lanes, width) = axis, nodes, sizes
    here = max(first, low)
    origin = at[1] + reach * steps[1]
    _fill(strip, before, origin, steps[1], first, here, min(last, 0), lanes, width)
    _fill(strip, block, at[0], steps[0], first, max(here, 0), min(last, high, length), lanes, width)
    origin = at[2] - length * steps[2]
    _fill(strip, after, origin, steps[2], first, max(here, length), min(last, high), lanes, width)
    _clear(strip, first, first, min(low, last), lanes, width)
    _clear(strip, first, max(first, high), last, lanes, width)


@jit_inline
def _window_without_gaps(kinds, starts, far, before, after):  # type: ignore[no-untyped-def]
    """The window of a row without gaps that has so many nodes before and after it."""
    kind = kinds[min(far, before), min(far, after)]
    return kind if kind < uint64(len(starts)) else kinds[far, far]


@cache
def masked_loops(
    width: int, reach: int, most: int, along: bool, even: bool, few: bool
) -> Callable[..., None]:
    """All rows of a block, by spans of cells one after the other.

    A span lies across the rows, or along them where the axis is the innermost.
    """
    per_cell = along and not even
    strip_row = 1 if along else SPAN_CELLS
    centre, try_all = sum_interior_window(width, per_cell), try_windows(width, reach, per_cell)
    mend = fix_gaps(reach, most, per_cell)

    # One long nest, for a function that calls others counts references of each array it is given.
    def loops(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, axis, g, g_outer, g_row, w, w_outer, w_row,
        outer, inner, bounds, own, c, windows, strip, seen, each, weight_mode, accumulate,
    ):  # fmt: skip
        sums, cells = np.empty(SPAN_CELLS, g.dtype), np.empty(GAP_CELLS + 1, INDEX)
        counts = np.empty(GAP_CELLS, np.int32)
        block, ahead, behind = f
        kinds, starts, widths = windows
        low, high, _, _ = axis
        whole = kinds[reach, reach]
        sides = outer if along else inner
        for begin in range(0, sides, each):
            end = min(begin + each, sides)
            o_first, o_last = (begin, end) if along else (0, outer)
            j_first, j_last = (0, 1) if along else (begin, end)
            # The rows at the ends when those in the interior are in cache.
            for side in (1, 0, 2):
                first, last, inside = bounds[side], bounds[side + 1], side == 1
                if first == last:
                    continue
                field = block if inside else seen
                step = uint64(f_row[0]) if inside else uint64(strip_row)
                lanes = j_last - j_first if inside else strip_row
                for o in range(o_first, o_last):
                    for j in range(j_first, j_last, lanes):
                        many = min(lanes, j_last - j)
                        length = uint64(last - first if along else many)
                        line = uint64(f_start + o * f_outer[0] + (first + own) * f_row[0] + j)
                        if not inside:
                            at = (
                                f_start + o * f_outer[0] + j,
                                o * f_outer[1] + j,
                                o * f_outer[2] + j,
                            )
                            nodes = own + first - reach, own + last + reach
                            sizes = uint64(many), uint64(strip_row)
                            _gather_strip(
                                strip, block, ahead, behind, at, f_row, axis, nodes, sizes
                            )
                            line = uint64(reach * strip_row)
                        for row in range(first, first + 1 if along else last):
                            kind = whole
                            if not (along or inside or few):
                                before, after = own + row - low, high - 1 - own - row
                                kind = _window_without_gaps(kinds, starts, reach, before, after)
                            for start in range(uint64(0), length, uint64(SPAN_CELLS)):
                                count = min(uint64(SPAN_CELLS), length - start)
                                me = line + uint64(row - first) * step + start
                                to = uint64(o * g_outer + row * g_row + j) + start
                                by = uint64(o * w_outer + row * w_row)
                                if weight_mode in (2, 4):
                                    by += uint64(j) + start
                                # Where rows share their coefficients there is one column for all.
                                column = uint64(0) if even else uint64(row)
                                if per_cell:
                                    column += start
                                if few:
                                    try_all(field, me, step, c, kinds, starts, column, sums, count)
                                else:
                                    begins = me + starts[kind] * step
                                    if kind == whole:
                                        centre(field, begins, step, c, kind, column, sums, count)
                                    else:
                                        sum_boundary_window(
                                            field, begins, step, c, kind, widths[kind],
                                            column, sums, count,
                                        )  # fmt: skip
                                    for a in range(uint64(0), count, uint64(GAP_CELLS)):
                                        b = min(a + uint64(GAP_CELLS), count)
                                        mend(
                                            field, me, step, c, kinds, starts, widths,
                                            column, sums, a, b, counts, cells,
                                        )  # fmt: skip
                                write_span(
                                    field, me, w, by, g, to, sums, count, weight_mode, accumulate
                                )

    return jit(loops, width, reach, most, along, even, few)
