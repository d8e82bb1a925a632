"""Define the loops of stencils whose windows end at missing values.

A row whose whole window is valid is computed as by other stencils. Only where the sum turns out to
be missing are valid neighbours counted, so data without gaps cost little more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...stencils.masked import MaskedStencil
from ...stencils.table import Stencil
from .jit import INDEX, jit, jit_inline, uint64
from .layout import Array, StridedArray, StridedWeights
from .span_loops import (
    GAP_CELLS,
    SPAN_CELLS,
    fix_gaps,
    sum_boundary_window,
    sum_interior_window,
    try_windows,
    write_span,
)


def run_masked(
    lines: StridedArray,
    start: int,
    before: StridedArray,
    after: StridedArray,
    reach: int,
    length: int,
    to: StridedArray,
    by: StridedWeights,
    outer: int,
    inner: int,
    stencil: Stencil,
    table: Array,
    weight_mode: int,
    accumulate: int,
    strip_width: int,
) -> None:
    """Run the loops on flat arrays; the arguments are those of the loops in `stencil_loops`."""
    masked, n, center = stencil.masked, stencil.n, stencil.center
    assert masked is not None
    last_axis, uniform = inner == 1, table.shape[2] == 1
    depth, width = masked.depth, int(masked.widths[masked.window_index[-1, -1]])
    max_width, few_windows = int(masked.widths.max()), _has_few_windows(masked)
    run = masked_loops(width, depth, max_width, last_axis, uniform, few_windows)
    # Where there is no window, the number is the one after the last.
    kinds = np.where(masked.window_index < 0, len(masked.starts), masked.window_index)
    # Unsigned, as all indices: a start before the row wraps round, and so does the sum with it.
    windows = tuple(a.astype(INDEX, order="C") for a in (kinds, masked.starts, masked.widths))
    # Most rows have all nodes within their depth in the block.
    first = min(max(0, depth - center), n)
    last = max(min(n, length - depth - center), first)
    # The others read a strip that holds block and halo, and missing values beyond the axis.
    rows = max(first, n - last) + 2 * depth
    strip = np.empty(rows * (1 if last_axis else SPAN_CELLS), to[0].dtype)
    strip_view = strip.view()
    strip_view.setflags(write=False)
    axis = max(masked.low, -reach), min(masked.high, length + depth), reach, length
    f, f_outer, f_row = zip(lines, before, after, strict=True)
    run(
        f, start, f_outer, f_row, axis, *to, *by,
        outer, inner, (0, first, last, n), center, table, windows, strip, strip_view, strip_width,
        weight_mode, accumulate,
    )  # fmt: skip


def _has_few_windows(masked: MaskedStencil) -> bool:
    """Return whether there are so few windows that each can be tried on every cell.

    A window holds all nodes within the depth, which is at most two, or the two neighbours, or the
    nodes on one side. Rows with fewer valid nodes may have no window.
    """
    depth = masked.depth
    if depth > 2:
        return False
    windows = [*zip(masked.starts.tolist(), masked.widths.tolist(), strict=True), None]
    for before, after in np.ndindex(masked.window_index.shape):
        least = min(before, after)
        allowed: list[Any] = [(-min(before, 1), 3) if least else (-before, before + after + 1)]
        if least == depth:
            allowed.append((-depth, 2 * depth + 1))
        if before + after < depth:
            allowed.append(None)
        if windows[masked.window_index[before, after]] not in allowed:
            return False
    return True


@jit_inline
def _fill(strip, part, at, row, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Copy nodes of one array into a strip that begins with the node ``origin``."""
    for node in range(first, last):
        to, of = uint64(node - origin) * width, uint64(at + node * row)
        for j in range(lanes):
            strip[to + j] = part[of + j]


@jit_inline
def _clear(strip, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Write missing values for nodes beyond the axis."""
    for node in range(first, last):
        to = uint64(node - origin) * width
        for j in range(lanes):
            strip[to + j] = np.nan


@jit_inline
def _gather_strip(strip, block, before, after, at, steps, axis, nodes, sizes):  # type: ignore[no-untyped-def]
    """Copy the nodes from ``first`` to ``last``, of the block and of its halo."""
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
def _window_without_gaps(kinds, starts, depth, before, after):  # type: ignore[no-untyped-def]
    """Return the window of a row without gaps, by the nodes before and after it."""
    kind = kinds[min(depth, before), min(depth, after)]
    return kind if kind < uint64(len(starts)) else kinds[depth, depth]


@cache
def masked_loops(
    width: int, depth: int, max_width: int, last_axis: bool, uniform: bool, few_windows: bool
) -> Callable[..., None]:
    """Return the loop over all rows of a block, by spans of contiguous cells.

    A span is a part of one row, or of a line across the rows where the axis is the innermost.
    """
    per_cell = last_axis and not uniform
    strip_row = 1 if last_axis else SPAN_CELLS
    sum_interior = sum_interior_window(width, per_cell)
    try_all = try_windows(width, depth, per_cell)
    fix = fix_gaps(depth, max_width, per_cell)

    # One long nest: each call with arrays would count their references.
    def loops(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, axis, g, g_outer, g_row, w, stretching, w_outer, w_row,
        outer, inner, bounds, center, c, windows, strip, strip_view, strip_width,
        weight_mode, accumulate,
    ):  # fmt: skip
        sums, cells = np.empty(SPAN_CELLS, g.dtype), np.empty(GAP_CELLS + 1, INDEX)
        counts = np.empty(GAP_CELLS, np.int32)
        block, left, right = f
        kinds, starts, widths = windows
        low, high, _, _ = axis
        full_window = kinds[depth, depth]
        cross = outer if last_axis else inner
        for strip_start in range(0, cross, strip_width):
            strip_stop = min(strip_start + strip_width, cross)
            o_first, o_last = (strip_start, strip_stop) if last_axis else (0, outer)
            j_first, j_last = (0, 1) if last_axis else (strip_start, strip_stop)
            # Rows near the ends follow those of the interior, which are in cache then.
            for part in (1, 0, 2):
                first, last, is_interior = bounds[part], bounds[part + 1], part == 1
                if first == last:
                    continue
                field = block if is_interior else strip_view
                step = uint64(f_row[0]) if is_interior else uint64(strip_row)
                lanes = j_last - j_first if is_interior else strip_row
                for o in range(o_first, o_last):
                    for j in range(j_first, j_last, lanes):
                        n_lanes = min(lanes, j_last - j)
                        length = uint64(last - first if last_axis else n_lanes)
                        line = uint64(f_start + o * f_outer[0] + (first + center) * f_row[0] + j)
                        if not is_interior:
                            line_starts = (
                                f_start + o * f_outer[0] + j,
                                o * f_outer[1] + j,
                                o * f_outer[2] + j,
                            )
                            nodes = center + first - depth, center + last + depth
                            sizes = uint64(n_lanes), uint64(strip_row)
                            _gather_strip(
                                strip, block, left, right, line_starts, f_row, axis, nodes, sizes
                            )
                            line = uint64(depth * strip_row)
                        for row in range(first, first + 1 if last_axis else last):
                            kind = full_window
                            if not (last_axis or is_interior or few_windows):
                                before, after = center + row - low, high - 1 - center - row
                                kind = _window_without_gaps(kinds, starts, depth, before, after)
                            for start in range(uint64(0), length, uint64(SPAN_CELLS)):
                                count = min(uint64(SPAN_CELLS), length - start)
                                center_at = line + uint64(row - first) * step + start
                                g_at = uint64(o * g_outer + row * g_row + j) + start
                                w_at = uint64(o * w_outer + row * w_row)
                                if weight_mode in (2, 4, 6):
                                    w_at += uint64(j) + start
                                # Rows that share their coefficients have one column of them.
                                column = uint64(0) if uniform else uint64(row)
                                if per_cell:
                                    column += start
                                if few_windows:
                                    try_all(
                                        field, center_at, step, c, kinds, starts, column,
                                        sums, count,
                                    )  # fmt: skip
                                else:
                                    begins = center_at + starts[kind] * step
                                    if kind == full_window:
                                        sum_interior(
                                            field, begins, step, c, kind, column, sums, count
                                        )
                                    else:
                                        sum_boundary_window(
                                            field, begins, step, c, kind, widths[kind],
                                            column, sums, count,
                                        )  # fmt: skip
                                    for a in range(uint64(0), count, uint64(GAP_CELLS)):
                                        b = min(a + uint64(GAP_CELLS), count)
                                        fix(
                                            field, center_at, step, c, kinds, starts, widths,
                                            column, sums, a, b, counts, cells,
                                        )  # fmt: skip
                                write_span(
                                    field, center_at, step, w, stretching, w_at, g, g_at, sums,
                                    count, weight_mode, accumulate,
                                )  # fmt: skip

    return jit(loops, width, depth, max_width, last_axis, uniform, few_windows)
