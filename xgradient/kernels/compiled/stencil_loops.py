"""Define the compiled loops of a stencil, over an array in its own memory order.

The loops are written so that LLVM vectorises them, which was measured and is easily lost: flat
arrays with unsigned index arithmetic (a possibly negative index needs a wrap-around test), a
window width that is a constant of the closure (so that the loop over the window unrolls), and
coefficients that are contiguous along, or constant over, the vectorised loop. All loops sum in
the same order, so a cell has the same bits whichever of them computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .jit import address_of, call_at, int64, jit, uint64
from .span_loops import prefetch_row, root_of_squares, square_scales, subtract_stretching


@cache
def boundary_rows(strided: bool) -> Callable[..., None]:
    """Return the loop of boundary rows, whose windows may reach into the halo.

    Boundary rows are few, so one loop serves every width, weight and way to accumulate. Callers
    with constants for these pass them as `int64`, for each constant would be compiled apart. The
    loop runs over the inner cells from ``start`` to ``stop``. If ``strided`` it runs over the outer
    ones, each of which has one cell where the axis is the innermost.
    """

    def boundary(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, stretching, w_outer, w_row, reach, length,
        weight_mode, accumulate, outer, start, stop, center, windows, c,
    ):  # fmt: skip
        parts, shifts = (f, before, after), (0, reach, -length)
        starts = f_start, 0, 0
        outer_steps = f_outer, before_outer, after_outer
        row_steps = f_row, before_row, after_row
        inner = uint64(stop) - uint64(start)
        cells = uint64(4096)  # a block of sums that stays in the innermost cache
        step = uint64(1)
        g_step, w_step = step, uint64(weight_mode % 2 == 0)
        if strided:
            g_step, w_step = uint64(g_outer), uint64(w_outer)
        lines = max(uint64(1), uint64(64) // inner)
        sums = np.empty(min(inner, cells) * lines, g.dtype)
        scales = square_scales(c)
        for o_first in range(uint64(0), uint64(outer), lines):
            o_last = min(o_first + lines, uint64(outer))
            for e in range(len(windows)):
                row, first, width = windows[e]
                for j_first in range(uint64(start), uint64(stop), cells):
                    j_last = min(j_first + cells, uint64(stop))
                    count = j_last - j_first
                    for k in range(width - 1):
                        node = first + k
                        p = 1 if node < 0 else 0 if node < length else 2
                        low = starts[p] + (node + shifts[p]) * row_steps[p]
                        q = 1 if node + 1 < 0 else 0 if node + 1 < length else 2
                        high = starts[q] + (node + 1 + shifts[q]) * row_steps[q]
                        for o in range(o_first, o_last):
                            f, f_step = parts[p], uint64(outer_steps[p]) if strided else step
                            h, h_step = parts[q], uint64(outer_steps[q]) if strided else step
                            a = uint64(low) + o * uint64(outer_steps[p]) + j_first * f_step
                            b = uint64(high) + o * uint64(outer_steps[q]) + j_first * h_step
                            s = (o - o_first) * count
                            if k == 0:
                                for j in range(count):
                                    sums[s + j] = c[e, 0] * (h[b + j * h_step] - f[a + j * f_step])
                            else:
                                for j in range(count):
                                    sums[s + j] += c[e, k] * (h[b + j * h_step] - f[a + j * f_step])
                    if width == 1:  # the field itself
                        p = 1 if first < 0 else 0 if first < length else 2
                        low = starts[p] + (first + shifts[p]) * row_steps[p]
                        f, f_step = parts[p], uint64(outer_steps[p]) if strided else step
                        for o in range(o_first, o_last):
                            a = uint64(low) + o * uint64(outer_steps[p]) + j_first * f_step
                            s = (o - o_first) * count
                            for j in range(count):
                                sums[s + j] = f[a + j * f_step]
                    for o in range(o_first, o_last):
                        g_at = o * uint64(g_outer) + uint64(row) * uint64(g_row) + j_first * g_step
                        w_at = o * uint64(w_outer) + uint64(row) * uint64(w_row) + j_first * w_step
                        s = (o - o_first) * count
                        # A window that lacks a neighbour of the row has no stretching.
                        node = row + center
                        if weight_mode == 6 and first < node and node + 1 < first + width:
                            p, q = 1 if node < 1 else 0, 2 if node + 1 >= length else 0
                            low = starts[p] + (node - 1 + shifts[p]) * row_steps[p]
                            high = starts[q] + (node + 1 + shifts[q]) * row_steps[q]
                            here = f_start + node * row_steps[0]
                            f, f_step = parts[p], uint64(outer_steps[p]) if strided else step
                            h, h_step = parts[q], uint64(outer_steps[q]) if strided else step
                            m, m_step = parts[0], uint64(outer_steps[0]) if strided else step
                            a = uint64(low) + o * uint64(outer_steps[p]) + j_first * f_step
                            b = uint64(high) + o * uint64(outer_steps[q]) + j_first * h_step
                            i = uint64(here) + o * uint64(outer_steps[0]) + j_first * m_step
                            for j in range(count):
                                sums[s + j] = subtract_stretching(
                                    sums[s + j], stretching[w_at + j * w_step],
                                    f[a + j * f_step], m[i + j * m_step], h[b + j * h_step],
                                )  # fmt: skip
                        if weight_mode in (1, 2, 6):
                            for j in range(count):
                                sums[s + j] *= w[w_at + j * w_step]
                        if weight_mode in (3, 4):
                            f, node = parts[0], uint64(row + center)
                            f_step = uint64(outer_steps[0]) if strided else step
                            center_at = uint64(f_start) + node * uint64(row_steps[0])
                            center_at += o * uint64(outer_steps[0]) + j_first * f_step
                            for j in range(count):
                                sums[s + j] += w[w_at + j * w_step] * f[center_at + j * f_step]
                        if accumulate == 1:
                            for j in range(count):
                                sums[s + j] += g[g_at + j * g_step]
                        if accumulate == 2:
                            for j in range(count):
                                sums[s + j] = root_of_squares(
                                    g[g_at + j * g_step], sums[s + j], scales
                                )
                        if accumulate == 3:
                            for j in range(count):
                                sums[s + j] = abs(sums[s + j])
                        for j in range(count):
                            g[g_at + j * g_step] = sums[s + j]

    return jit(boundary, strided)


@cache
def boundary_loop(strided: bool, dtype: np.dtype[Any]) -> Any:
    """Return what `interior_outer_axis` or `interior_last_axis` calls for boundary rows."""
    real = np.empty(0, dtype).real.dtype
    result, field, weight = np.empty(0, dtype), np.empty(0, dtype), np.empty(0, real)
    for array in (field, weight):
        array.setflags(write=False)
    return address_of(
        boundary_rows(strided),
        field, 0, 0, 0, field, 0, 0, field, 0, 0, result, 0, 0, weight, weight, 0, 0, 0, 0,
        0, 0, 0, np.uint64(0), np.uint64(0), 0, np.empty((0, 3), np.int64), np.empty((0, 1), real),
    )  # fmt: skip


@cache
def interior_outer_axis(width: int, weight_mode: int, accumulate: int) -> Callable[..., None]:
    """Return the loop of interior rows of an outer axis, vectorised over the inner cells.

    The first argument is a `boundary_loop`. Linked to each of these loops, it would be optimised
    again with each, which takes longer than all the rest of the compilation.
    ``weight_mode`` is a `LoopWeight`, and ``accumulate`` an `Accumulate`. The branches for them
    are repeated in `interior_last_axis`: behind a call LLVM would not vectorise the loop.
    """
    weight_mode, accumulate = int(weight_mode), int(accumulate)

    def outer_axis(  # type: ignore[no-untyped-def]
        boundary_loop, f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, stretching, w_outer, w_row, reach, length,
        outer, inner, first, last, offset, center, c, windows, boundary, strip_width,
    ):  # fmt: skip
        column_step = uint64(c.shape[1] > 1)  # whether each row has its own coefficients
        scales = square_scales(c)
        for start in range(uint64(0), uint64(inner), uint64(strip_width)):
            stop = min(start + uint64(strip_width), uint64(inner))
            for o in range(uint64(outer)):
                line = uint64(f_start) + o * uint64(f_outer)
                for i in range(uint64(first), uint64(last)):
                    f_at = line + (i + uint64(offset)) * uint64(f_row)
                    g_at = o * uint64(g_outer) + i * uint64(g_row)
                    w_at = o * uint64(w_outer) + i * uint64(w_row)
                    center_at = line + (i + uint64(center)) * uint64(f_row)
                    column = column_step * (i - uint64(first))
                    if accumulate == 2:
                        # While the processor waits for roots, it loads too few cells ahead.
                        prefetch_row(f, f_at + uint64(width) * uint64(f_row) + start, stop - start)
                        prefetch_row(g, g_at + uint64(g_row) + start, stop - start)
                    for j in range(start, stop):
                        if width == 1:
                            total = f[f_at + j]
                        else:
                            total = c[0, column] * (f[f_at + uint64(f_row) + j] - f[f_at + j])
                        for k in range(1, width - 1):
                            here = f_at + uint64(k) * uint64(f_row) + j
                            total += c[k, column] * (f[here + uint64(f_row)] - f[here])
                        if weight_mode == 6:
                            total = subtract_stretching(
                                total, stretching[w_at + j], f[center_at - uint64(f_row) + j],
                                f[center_at + j], f[center_at + uint64(f_row) + j],
                            )  # fmt: skip
                        if weight_mode == 1:
                            total *= w[w_at]
                        if weight_mode in (2, 6):
                            total *= w[w_at + j]
                        if weight_mode == 3:
                            total += w[w_at] * f[center_at + j]
                        if weight_mode == 4:
                            total += w[w_at + j] * f[center_at + j]
                        if accumulate == 1:
                            total += g[g_at + j]
                        if accumulate == 2:
                            total = root_of_squares(g[g_at + j], total, scales)
                        if accumulate == 3:
                            total = abs(total)
                        g[g_at + j] = total
            if len(windows):
                call_at(boundary_loop, (
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, stretching, w_outer, w_row, reach, length,
                    int64(weight_mode), int64(accumulate), outer, start, stop, center,
                    windows, boundary,
                ))  # fmt: skip

    return jit(outer_axis, width, weight_mode, accumulate)


@cache
def interior_last_axis(
    width: int, uniform: bool, weight_mode: int, accumulate: int
) -> Callable[..., None]:
    """Return the loop of interior rows of the innermost axis, vectorised over the rows.

    Rows share their coefficients if the axis is ``uniform``. The other arguments are those of
    `interior_outer_axis`, where a row is the whole axis.
    """
    weight_mode, accumulate = int(weight_mode), int(accumulate)

    def last_axis(  # type: ignore[no-untyped-def]
        boundary_loop, f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, stretching, w_outer, w_row, reach, length,
        outer, inner, first, last, offset, center, c, windows, boundary, strip_width,
    ):  # fmt: skip
        scales = square_scales(c)
        for start in range(uint64(0), uint64(outer), uint64(strip_width)):
            stop = min(start + uint64(strip_width), uint64(outer))
            for o in range(start, stop):
                line = uint64(f_start) + o * uint64(f_outer) + uint64(first)
                f_at = line + uint64(offset)
                g_at = o * uint64(g_outer) + uint64(first)
                w_at = o * uint64(w_outer)
                center_at = line + uint64(center)
                if accumulate == 2:  # as in the other loop
                    prefetch_row(f, f_at + uint64(f_outer), uint64(last - first))
                    prefetch_row(g, g_at + uint64(g_outer), uint64(last - first))
                for i in range(uint64(last - first)):
                    if width == 1:
                        total = f[f_at + i]
                    elif uniform:
                        total = c[0, 0] * (f[f_at + i + uint64(1)] - f[f_at + i])
                    else:
                        total = c[0, i] * (f[f_at + i + uint64(1)] - f[f_at + i])
                    for k in range(1, width - 1):
                        here = f_at + i + uint64(k)
                        if uniform:
                            total += c[k, 0] * (f[here + uint64(1)] - f[here])
                        else:
                            total += c[k, i] * (f[here + uint64(1)] - f[here])
                    if weight_mode == 6:
                        total = subtract_stretching(
                            total, stretching[w_at + uint64(first) + i],
                            f[center_at + i - uint64(1)], f[center_at + i],
                            f[center_at + i + uint64(1)],
                        )  # fmt: skip
                    if weight_mode == 1:
                        total *= w[w_at]
                    if weight_mode in (2, 6):
                        total *= w[w_at + uint64(first) + i]
                    if weight_mode == 3:
                        total += w[w_at] * f[center_at + i]
                    if weight_mode == 4:
                        total += w[w_at + uint64(first) + i] * f[center_at + i]
                    if accumulate == 1:
                        total += g[g_at + i]
                    if accumulate == 2:
                        total = root_of_squares(g[g_at + i], total, scales)
                    if accumulate == 3:
                        total = abs(total)
                    g[g_at + i] = total
            if len(windows):
                call_at(boundary_loop, (
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, stretching, w_outer, w_row, reach, length,
                    int64(weight_mode), int64(accumulate), int64(1), start, stop, center,
                    windows, boundary,
                ))  # fmt: skip

    return jit(last_axis, width, uniform, weight_mode, accumulate)
