"""Define the loops for the error of a derivative: the largest difference of orders, and rounding.

They are written as those of `stencil_loops`, for the same reasons. Differences are computed once
for each row; the rows of both neighbours are in cache then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from .jit import int64, jit, jit_inline, uint64

#: Cells that are computed at once across the axis, and along an innermost one.
STRIP_CELLS, SEGMENT_CELLS = 2048, 2048
#: Lines along an innermost axis whose rows next to the ends are computed at once.
LINES = 64


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


@jit_inline
def _larger(a, b):  # type: ignore[no-untyped-def]
    """Return the larger number, or the one that is not missing."""
    return b if (b > a) | (a != a) else a


@cache
def error_outer_axis(
    width: int, derivative_width: int, with_derivative: bool
) -> Callable[..., None]:
    """Return the loop over the rows of an outer axis, vectorised over the inner cells.

    ``width`` is that of the windows of differences, ``derivative_width`` that of the derivative.
    """

    def outer_axis(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, before, b_outer, b_row, after, a_outer, a_row,
        g, g_outer, g_row, h, h_outer, h_row, reach, length, outer, inner, n,
        first, last, offset, c, windows, c_rows,
        d_first, d_last, d_offset, d, d_windows, d_rows, s, s_rows, rounding,
    ):  # fmt: skip
        column_step, s_step = uint64(c.shape[1] > 1), uint64(s.shape[1] > 1)
        step, two = uint64(f_row), c.dtype.type(2)
        strip = uint64(min(inner, STRIP_CELLS))
        differences, sizes = np.empty(3 * strip, c.dtype), np.empty(strip, c.dtype)
        sums = np.empty(strip, f.dtype)
        for begin in range(uint64(0), uint64(inner), strip):
            count = min(strip, uint64(inner) - begin)
            along = int64(begin)
            starts = f_start + along, along, along
            cells = (
                (f, before, after), starts, (f_outer, b_outer, a_outer),
                (f_row, b_row, a_row), (0, reach, -length), length,
            )  # fmt: skip
            for o in range(outer):
                line = uint64(f_start + o * f_outer) + begin
                edge, s_edge = 0, 0
                for row in range(-1, n + 1):
                    to = uint64((row + 1) % 3) * strip
                    if first <= row < last:
                        at = line + uint64(row + offset) * step
                        column = column_step * uint64(row - first)
                        for j in range(count):
                            total = c[0, column] * (f[at + step + j] - f[at + j])
                            for k in range(1, width - 1):
                                here = at + uint64(k) * step + j
                                total += c[k, column] * (f[here + step] - f[here])
                            differences[to + j] = abs(total)
                    else:
                        _difference_row(
                            cells, o, windows[edge, 1], windows[edge, 2], c_rows, edge,
                            sums, count, False,
                        )  # fmt: skip
                        for j in range(count):
                            differences[to + j] = abs(sums[j])
                        edge += 1
                    if row < 1:
                        continue
                    i = row - 1
                    low, mid = uint64(i % 3) * strip, uint64((i + 1) % 3) * strip
                    g_at = uint64(o * g_outer + i * g_row) + begin
                    h_at = uint64(o * h_outer + i * h_row) + begin
                    if d_first <= i < d_last:
                        at = line + uint64(i + d_offset) * step
                        column = s_step * uint64(i - d_first)
                        if with_derivative:
                            for j in range(count):
                                total = d[0, column] * (f[at + step + j] - f[at + j])
                                for k in range(1, derivative_width - 1):
                                    here = at + uint64(k) * step + j
                                    total += d[k, column] * (f[here + step] - f[here])
                                sums[j] = total
                        for j in range(count):
                            size = s[0, column] * abs(f[at + j])
                            for k in range(1, derivative_width):
                                size += s[k, column] * abs(f[at + uint64(k) * step + j])
                            sizes[j] = size
                    else:
                        _size_row(
                            cells, o, d_windows[s_edge, 1], d_windows[s_edge, 2], s_rows, s_edge,
                            sizes, count, False,
                        )  # fmt: skip
                        if with_derivative:
                            _difference_row(
                                cells, o, d_windows[s_edge, 1], d_windows[s_edge, 2], d_rows,
                                s_edge, sums, count, False,
                            )  # fmt: skip
                        s_edge += 1
                    # Outputs are written from scratch: next to them in memory, LLVM cannot tell
                    # that they do not overlap the field, and the loops above are not vectorised.
                    if with_derivative:
                        for j in range(count):
                            h[h_at + j] = sums[j]
                    for j in range(count):
                        largest = _larger(differences[low + j], differences[mid + j])
                        largest = _larger(largest, differences[to + j])
                        g[g_at + j] = two * largest + rounding * sizes[j]

    return jit(outer_axis, width, derivative_width, with_derivative)


@cache
def error_last_axis(
    width: int, derivative_width: int, uniform: bool, with_derivative: bool
) -> Callable[..., None]:
    """Return the loop over the innermost axis, vectorised over the rows."""

    def last_axis(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, before, b_outer, b_row, after, a_outer, a_row,
        g, g_outer, g_row, h, h_outer, h_row, reach, length, outer, inner, n,
        first, last, offset, c, windows, c_rows,
        d_first, d_last, d_offset, d, d_windows, d_rows, s, s_rows, rounding,
    ):  # fmt: skip
        cells = (
            (f, before, after), (f_start, 0, 0), (f_outer, b_outer, a_outer),
            (f_row, b_row, a_row), (0, reach, -length), length,
        )  # fmt: skip
        two = c.dtype.type(2)
        n_lines = min(outer, LINES)
        edge_differences = np.empty((len(windows), n_lines), c.dtype)
        edge_sizes = np.empty((len(d_windows), n_lines), c.dtype)
        sums, line_sizes = np.empty(n_lines, f.dtype), np.empty(n_lines, c.dtype)
        differences = np.empty(SEGMENT_CELLS + 2, c.dtype)
        sizes, slopes = np.empty(SEGMENT_CELLS, c.dtype), np.empty(SEGMENT_CELLS, f.dtype)
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
                        edge_differences[e, i] = abs(sums[i])
                for e in range(len(d_windows)):
                    start, n_nodes = d_windows[e, 1], d_windows[e, 2]
                    _size_row(cells, o, start, n_nodes, s_rows, e, line_sizes, count, True)
                    for i in range(count):
                        edge_sizes[e, i] = line_sizes[i]
                    if with_derivative:
                        _difference_row(cells, o, start, n_nodes, d_rows, e, sums, count, True)
                        for i in range(count):
                            h[(o + i) * h_outer + d_windows[e, 0]] = sums[i]
            for begin in range(0, n, SEGMENT_CELLS):
                end = min(n, begin + SEGMENT_CELLS)
                # The difference of row i is at i - begin + 1.
                begins, ends = max(first, begin - 1), min(last, end + 1)
                if begins < ends:
                    at, to = uint64(line + begins + offset), uint64(begins - begin + 1)
                    column = uint64(begins - first)
                    for i in range(uint64(ends - begins)):
                        if uniform:
                            total = c[0, 0] * (f[at + i + uint64(1)] - f[at + i])
                        else:
                            total = c[0, column + i] * (f[at + i + uint64(1)] - f[at + i])
                        for k in range(1, width - 1):
                            here = at + i + uint64(k)
                            if uniform:
                                total += c[k, 0] * (f[here + uint64(1)] - f[here])
                            else:
                                total += c[k, column + i] * (f[here + uint64(1)] - f[here])
                        differences[to + i] = abs(total)
                for e in range(len(windows)):
                    row = windows[e, 0]
                    if begin - 1 <= row <= end:
                        differences[row - begin + 1] = edge_differences[e, o % LINES]
                begins, ends = max(d_first, begin), min(d_last, end)
                if begins < ends:
                    at, to = uint64(line + begins + d_offset), uint64(begins - begin)
                    column = uint64(begins - d_first)
                    for i in range(uint64(ends - begins)):
                        if uniform:
                            total_size = s[0, 0] * abs(f[at + i])
                        else:
                            total_size = s[0, column + i] * abs(f[at + i])
                        for k in range(1, derivative_width):
                            if uniform:
                                total_size += s[k, 0] * abs(f[at + i + uint64(k)])
                            else:
                                total_size += s[k, column + i] * abs(f[at + i + uint64(k)])
                        sizes[to + i] = total_size
                    if with_derivative:
                        h_at, n_rows = uint64(o * h_outer + begins), uint64(ends - begins)
                        for i in range(n_rows):
                            if uniform:
                                total = d[0, 0] * (f[at + i + uint64(1)] - f[at + i])
                            else:
                                total = d[0, column + i] * (f[at + i + uint64(1)] - f[at + i])
                            for k in range(1, derivative_width - 1):
                                here = at + i + uint64(k)
                                if uniform:
                                    total += d[k, 0] * (f[here + uint64(1)] - f[here])
                                else:
                                    total += d[k, column + i] * (f[here + uint64(1)] - f[here])
                            slopes[i] = total
                        for i in range(n_rows):
                            h[h_at + i] = slopes[i]
                for e in range(len(d_windows)):
                    row = d_windows[e, 0]
                    if begin <= row < end:
                        sizes[row - begin] = edge_sizes[e, o % LINES]
                g_at = uint64(o * g_outer + begin)
                for i in range(uint64(end - begin)):
                    largest = _larger(differences[i], differences[i + uint64(1)])
                    largest = _larger(largest, differences[i + uint64(2)])
                    g[g_at + i] = two * largest + rounding * sizes[i]

    return jit(last_axis, width, derivative_width, uniform, with_derivative)
