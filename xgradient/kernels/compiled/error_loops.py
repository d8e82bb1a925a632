"""Define the loops for the error of a derivative: the largest difference of orders, and rounding.

They are written as those of `stencil_loops`, for the same reasons. Differences are computed once
for each row; those of both neighbours are in cache then. A missing difference is `NONE` there, so
that the largest of three takes two instructions, and not the six that look for NaN.

In the interior one loop reads the field, and writes the derivative and the error. Its differences
of neighbours serve both orders of accuracy. `memory` tells LLVM that results overlap nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from .jit import int64, jit, jit_inline, uint64
from .memory import read_field, read_scratch, write_derivative, write_error, write_scratch

#: Cells that are computed at once across the axis, and along an innermost one.
STRIP_CELLS, SEGMENT_CELLS = 4096, 2048
#: Lines along an innermost axis whose rows next to the ends are computed at once.
LINES = 64
#: The magnitude of a difference that is missing: less than all others.
NONE = -1


@jit_inline
def _cell(cells, o, node):  # type: ignore[no-untyped-def]
    """Return the array that holds a node: before, in or after the block; and where it is there."""
    parts, starts, outer_steps, row_steps, shifts, length = cells
    p = 1 if node < 0 else 0 if node < length else 2
    at = starts[p] + o * outer_steps[p] + (node + shifts[p]) * row_steps[p]
    return parts[p], uint64(at), uint64(outer_steps[p])


@jit_inline
def _difference_row(cells, o, start, width, c, e, sums, count, across):  # type: ignore[no-untyped-def]
    """Sum the window of one row for some cells inside the axis, or for the same row of lines."""
    for k in range(width - 1):
        f, a, a_step = _cell(cells, o, start + k)
        h, b, b_step = _cell(cells, o, start + k + 1)
        coefficient = c[e, k]
        if across:
            for i in range(uint64(count)):
                part = coefficient * (h[b + i * b_step] - f[a + i * a_step])
                sums[i] = sums[i] + part if k else part
        elif k == 0:
            for i in range(uint64(count)):
                sums[i] = coefficient * (h[b + i] - f[a + i])
        else:
            for i in range(uint64(count)):
                sums[i] += coefficient * (h[b + i] - f[a + i])


@jit_inline
def _size_row(cells, o, start, width, s, e, sizes, count, across):  # type: ignore[no-untyped-def]
    """Sum magnitudes in the window of one row, for the cells of `_difference_row`."""
    for k in range(width):
        f, a, step = _cell(cells, o, start + k)
        coefficient = s[e, k]
        if across:
            for i in range(uint64(count)):
                part = coefficient * abs(f[a + i * step])
                sizes[i] = sizes[i] + part if k else part
        elif k == 0:
            for i in range(uint64(count)):
                sizes[i] = coefficient * abs(f[a + i])
        else:
            for i in range(uint64(count)):
                sizes[i] += coefficient * abs(f[a + i])


@cache
def error_outer_axis(
    width: int, derivative_width: int, with_derivative: bool
) -> Callable[..., None]:
    """Return the loop over the rows of an outer axis, vectorised over the inner cells.

    ``width`` is that of the windows of differences, ``derivative_width`` that of the derivative.
    """

    def outer_axis(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, before, b_outer, b_row, after, a_outer, a_row,
        g, g_outer, g_row, h, h_outer, h_row, reach, length, outer, inner, n, first, last,
        offset, c, c_columns, windows, c_rows, d, d_columns, d_windows, d_rows, s, s_rows,
    ):  # fmt: skip
        c_step, d_step, step = uint64(c_columns), uint64(d_columns), uint64(f_row)
        zero, none = c.dtype.type(0), c.dtype.type(NONE)
        missing = c.dtype.type(np.nan)
        strip = uint64(min(inner, STRIP_CELLS))
        differences = np.empty(3 * strip, c.dtype)
        sums, sizes = np.empty(strip, f.dtype), np.empty(strip, c.dtype)
        for begin in range(uint64(0), uint64(inner), strip):
            count = min(strip, uint64(inner) - begin)
            along = int64(begin)
            cells = (
                (f, before, after), (f_start + along, along, along), (f_outer, b_outer, a_outer),
                (f_row, b_row, a_row), (0, reach, -length), length,
            )  # fmt: skip
            for o in range(outer):
                line = uint64(f_start + o * f_outer) + begin
                edge, d_edge = 0, 0
                for i in range(-2, n):
                    # Row i needs the differences of the rows before and after; the last is new.
                    to = uint64((i + 2) % 3) * strip
                    low, mid = uint64((i + 3) % 3) * strip, uint64((i + 4) % 3) * strip
                    g_at = uint64(o * g_outer + i * g_row) + begin
                    h_at = uint64(o * h_outer + i * h_row) + begin
                    if first <= i < last:
                        at = line + uint64(i + offset) * step
                        column = uint64(i - first) if c_columns > 1 else uint64(0)
                        d_column = uint64(i - first) if d_columns > 1 else uint64(0)
                        for j in range(count):
                            total = read_field(c, column) * (
                                read_field(f, at + step + j) - read_field(f, at + j)
                            )
                            for k in range(1, width - 1):
                                here = at + uint64(k) * step + j
                                total += read_field(c, uint64(k) * c_step + column) * (
                                    read_field(f, here + step) - read_field(f, here)
                                )
                            if with_derivative:
                                slope = read_field(d, d_column) * (
                                    read_field(f, at + step + j) - read_field(f, at + j)
                                )
                                for k in range(1, derivative_width - 1):
                                    here = at + uint64(k) * step + j
                                    slope += read_field(d, uint64(k) * d_step + d_column) * (
                                        read_field(f, here + step) - read_field(f, here)
                                    )
                                write_derivative(h, h_at + j, slope)
                            size = read_field(s, d_column) * abs(read_field(f, at + j))
                            for k in range(1, derivative_width):
                                here = at + uint64(k) * step + j
                                coefficient = read_field(s, uint64(k) * d_step + d_column)
                                size += coefficient * abs(read_field(f, here))
                            third = abs(total)
                            third = max(none, third)
                            largest = read_scratch(differences, low + j)
                            second = read_scratch(differences, mid + j)
                            largest = max(second, largest)
                            largest = max(third, largest)
                            write_scratch(differences, to + j, third)
                            error = largest + size if largest >= zero else missing
                            write_error(g, g_at + j, error)
                        continue
                    _difference_row(
                        cells, o, windows[edge, 1], windows[edge, 2], c_rows, edge, sums, count,
                        False,
                    )  # fmt: skip
                    edge += 1
                    for j in range(count):
                        third = abs(sums[j])
                        differences[to + j] = max(none, third)
                    if i < 0:
                        continue
                    start, n_nodes = d_windows[d_edge, 1], d_windows[d_edge, 2]
                    _size_row(cells, o, start, n_nodes, s_rows, d_edge, sizes, count, False)
                    if with_derivative:
                        _difference_row(
                            cells, o, start, n_nodes, d_rows, d_edge, sums, count, False
                        )
                        for j in range(count):
                            h[h_at + j] = sums[j]
                    d_edge += 1
                    for j in range(count):
                        largest, second = differences[low + j], differences[mid + j]
                        largest = max(second, largest)
                        third = differences[to + j]
                        largest = max(third, largest)
                        g[g_at + j] = largest + sizes[j] if largest >= zero else missing

    return jit(outer_axis, width, derivative_width, with_derivative)


@cache
def error_last_axis(
    width: int, derivative_width: int, uniform: bool, with_derivative: bool
) -> Callable[..., None]:
    """Return the loop over the innermost axis, vectorised over the rows."""

    def last_axis(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, before, b_outer, b_row, after, a_outer, a_row,
        g, g_outer, g_row, h, h_outer, h_row, reach, length, outer, inner, n, first, last,
        offset, c, c_columns, windows, c_rows, d, d_columns, d_windows, d_rows, s, s_rows,
    ):  # fmt: skip
        cells = (
            (f, before, after), (f_start, 0, 0), (f_outer, b_outer, a_outer),
            (f_row, b_row, a_row), (0, reach, -length), length,
        )  # fmt: skip
        c_step, d_step, one = uint64(c_columns), uint64(d_columns), uint64(1)
        zero, none = c.dtype.type(0), c.dtype.type(NONE)
        missing = c.dtype.type(np.nan)
        n_lines = min(outer, LINES)
        edge_differences = np.empty((len(windows), n_lines), c.dtype)
        edge_sizes = np.empty((len(d_windows), n_lines), c.dtype)
        edge_slopes = np.empty((len(d_windows), n_lines), f.dtype)
        sums, line_sizes = np.empty(n_lines, f.dtype), np.empty(n_lines, c.dtype)
        differences = np.empty(SEGMENT_CELLS + 2, c.dtype)
        sizes = np.empty(SEGMENT_CELLS, c.dtype)
        for o in range(outer):
            line = f_start + o * f_outer
            if o % LINES == 0:
                # The windows of other rows, for some lines at once.
                count = min(n_lines, outer - o)
                for e in range(len(windows)):
                    _difference_row(
                        cells, o, windows[e, 1], windows[e, 2], c_rows, e, sums, count, True
                    )
                    for i in range(count):
                        third = abs(sums[i])
                        edge_differences[e, i] = max(none, third)
                for e in range(len(d_windows)):
                    start, n_nodes = d_windows[e, 1], d_windows[e, 2]
                    _size_row(cells, o, start, n_nodes, s_rows, e, line_sizes, count, True)
                    for i in range(count):
                        edge_sizes[e, i] = line_sizes[i]
                    if with_derivative:
                        _difference_row(cells, o, start, n_nodes, d_rows, e, sums, count, True)
                        for i in range(count):
                            edge_slopes[e, i] = sums[i]
            for begin in range(0, n, SEGMENT_CELLS):
                end = min(n, begin + SEGMENT_CELLS)
                # The difference of row i is at i - begin + 1; two are known from the last segment.
                if begin:
                    differences[0] = differences[SEGMENT_CELLS]
                    differences[1] = differences[SEGMENT_CELLS + 1]
                begins, ends = max(first, begin), min(last, end)
                if begins < ends:
                    at, to = uint64(line + begins + offset), uint64(begins - begin)
                    h_at, column = uint64(o * h_outer + begins), uint64(begins - first)
                    for i in range(uint64(ends - begins)):
                        own = uint64(0) if uniform else column + i
                        total = read_field(c, own) * (
                            read_field(f, at + i + one) - read_field(f, at + i)
                        )
                        for k in range(1, width - 1):
                            here = at + i + uint64(k)
                            total += read_field(c, uint64(k) * c_step + own) * (
                                read_field(f, here + one) - read_field(f, here)
                            )
                        third = abs(total)
                        write_scratch(differences, to + i + uint64(2), max(none, third))
                        if with_derivative:
                            slope = read_field(d, own) * (
                                read_field(f, at + i + one) - read_field(f, at + i)
                            )
                            for k in range(1, derivative_width - 1):
                                here = at + i + uint64(k)
                                slope += read_field(d, uint64(k) * d_step + own) * (
                                    read_field(f, here + one) - read_field(f, here)
                                )
                            write_derivative(h, h_at + i, slope)
                        size = read_field(s, own) * abs(read_field(f, at + i))
                        for k in range(1, derivative_width):
                            coefficient = read_field(s, uint64(k) * d_step + own)
                            size += coefficient * abs(read_field(f, at + i + uint64(k)))
                        write_scratch(sizes, to + i, size)
                for e in range(len(windows)):
                    row = windows[e, 0]
                    if begin - 1 <= row <= end:
                        differences[row - begin + 1] = edge_differences[e, o % LINES]
                for e in range(len(d_windows)):
                    row = d_windows[e, 0]
                    if begin <= row < end:
                        sizes[row - begin] = edge_sizes[e, o % LINES]
                        if with_derivative:
                            h[o * h_outer + row] = edge_slopes[e, o % LINES]
                g_at = uint64(o * g_outer + begin)
                for i in range(uint64(end - begin)):
                    largest = read_scratch(differences, i)
                    second = read_scratch(differences, i + one)
                    third = read_scratch(differences, i + uint64(2))
                    largest = max(second, largest)
                    largest = max(third, largest)
                    error = largest + read_scratch(sizes, i) if largest >= zero else missing
                    write_error(g, g_at + i, error)

    return jit(last_axis, width, derivative_width, uniform, with_derivative)
