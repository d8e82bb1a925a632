"""NumPy arrays: compiled loops over an array in its own memory order.

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
from numpy.typing import NDArray

from .jit import PLAIN, int64, jit, ufunc, uint64
from .span_loops import root_of_squares

#: Data types the loops are compiled for, each with that of its coefficients; all others pass
#: through one of them piece by piece.
COMPILED_DTYPES = {
    np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)
}

Array = NDArray[Any]


def boundary_rows(strided: bool) -> Callable[..., None]:
    """Rows with a window of their own, whose nodes may be the cells before or after the block.

    They are few, so one loop serves every width, ``weigh`` and ``how``: callers that know these
    when they are compiled give them as `int64`, not as constants, each of which would be compiled
    apart. It runs over the inner cells from ``start`` to ``stop`` or, ``strided``, over the outer
    ones, of which each has one cell where the axis is the innermost.
    """

    def edges(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, w_outer, w_row, reach, length,
        weight_mode, accumulate, outer, start, stop, own, windows, c,
    ):  # fmt: skip
        parts, shifts = (f, before, after), (0, reach, -length)
        starts = f_start, 0, 0
        outer_steps = f_outer, before_outer, after_outer
        row_steps = f_row, before_row, after_row
        inner = uint64(stop) - uint64(start)
        cells = uint64(4096)  # few enough that they stay in the innermost cache
        step = uint64(1)
        to_step, by_step = step, uint64(weight_mode % 2 == 0)
        if strided:
            to_step, by_step = uint64(g_outer), uint64(w_outer)
        many = max(uint64(1), uint64(64) // inner)
        sums = np.empty(min(inner, cells) * many, g.dtype)
        one = c.dtype.type(1)
        for o_first in range(uint64(0), uint64(outer), many):
            o_last = min(o_first + many, uint64(outer))
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
                    for o in range(o_first, o_last):
                        to = o * uint64(g_outer) + uint64(row) * uint64(g_row) + j_first * to_step
                        by = o * uint64(w_outer) + uint64(row) * uint64(w_row) + j_first * by_step
                        s = (o - o_first) * count
                        if weight_mode in (1, 2):
                            for j in range(count):
                                sums[s + j] *= w[by + j * by_step]
                        if weight_mode > 2:
                            f, node = parts[0], uint64(row + own)
                            f_step = uint64(outer_steps[0]) if strided else step
                            me = uint64(f_start) + node * uint64(row_steps[0])
                            me += o * uint64(outer_steps[0]) + j_first * f_step
                            for j in range(count):
                                sums[s + j] += w[by + j * by_step] * f[me + j * f_step]
                        if accumulate == 1:
                            for j in range(count):
                                sums[s + j] += g[to + j * to_step]
                        if accumulate == 2:
                            for j in range(count):
                                sums[s + j] = root_of_squares(g[to + j * to_step], sums[s + j], one)
                        if accumulate == 3:
                            for j in range(count):
                                sums[s + j] = abs(sums[s + j])
                        for j in range(count):
                            g[to + j * to_step] = sums[s + j]

    return jit(edges, strided)


#: Named here, for what a loop holds in a closure would have to be told in the name of its case.
_boundary_outer_axis, _boundary_last_axis = boundary_rows(False), boundary_rows(True)


@cache
def interior_outer_axis(width: int, weight_mode: int, accumulate: int) -> Callable[..., None]:
    """Interior rows of an axis that is not innermost: vectorised over the inner cells.

    ``weigh`` tells what a row's sum is multiplied with: nothing (0), one weight for the whole
    row (1), or one for each of its cells (2); or that the row's own cells are added to it, times
    one weight for all (3) or one for each (4). ``accumulate`` says how the sum enters the
    result, as in `TermRequest`.
    """

    def across(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, w_outer, w_row, reach, length,
        outer, inner, first, last, offset, own, c, windows, ends, each,
    ):  # fmt: skip
        many = uint64(c.shape[1] > 1)  # whether each row has a column of its own
        one = c.dtype.type(1)
        for start in range(uint64(0), uint64(inner), uint64(each)):
            stop = min(start + uint64(each), uint64(inner))
            for o in range(uint64(outer)):
                line = uint64(f_start) + o * uint64(f_outer)
                for i in range(uint64(first), uint64(last)):
                    at = line + (i + uint64(offset)) * uint64(f_row)
                    to = o * uint64(g_outer) + i * uint64(g_row)
                    by = o * uint64(w_outer) + i * uint64(w_row)
                    me = line + (i + uint64(own)) * uint64(f_row)
                    column = many * (i - uint64(first))
                    for j in range(start, stop):
                        if width == 1:
                            total = f[at + j]
                        else:
                            total = c[0, column] * (f[at + uint64(f_row) + j] - f[at + j])
                        for k in range(1, width - 1):
                            here = at + uint64(k) * uint64(f_row) + j
                            total += c[k, column] * (f[here + uint64(f_row)] - f[here])
                        if weight_mode == 1:
                            total *= w[by]
                        if weight_mode == 2:
                            total *= w[by + j]
                        if weight_mode == 3:
                            total += w[by] * f[me + j]
                        if weight_mode == 4:
                            total += w[by + j] * f[me + j]
                        if accumulate == 1:
                            total += g[to + j]
                        if accumulate == 2:
                            total = root_of_squares(g[to + j], total, one)
                        if accumulate == 3:
                            total = abs(total)
                        g[to + j] = total
            if len(windows):
                _boundary_outer_axis(
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, w_outer, w_row, reach, length,
                    int64(weight_mode), int64(accumulate), outer, start, stop, own, windows, ends,
                )  # fmt: skip

    return jit(across, width, weight_mode, accumulate)


@cache
def interior_last_axis(
    width: int, even: bool, weight_mode: int, accumulate: int
) -> Callable[..., None]:
    """Interior rows of the innermost axis: vectorised over the rows.

    They have a coefficient each, or share it if the axis is ``even``. A weight is one for all
    rows, or each has its own, as above.
    """

    def along(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row,
        before, before_outer, before_row, after, after_outer, after_row,
        g, g_outer, g_row, w, w_outer, w_row, reach, length,
        outer, inner, first, last, offset, own, c, windows, ends, each,
    ):  # fmt: skip
        one = c.dtype.type(1)
        for start in range(uint64(0), uint64(outer), uint64(each)):
            stop = min(start + uint64(each), uint64(outer))
            for o in range(start, stop):
                line = uint64(f_start) + o * uint64(f_outer) + uint64(first)
                at = line + uint64(offset)
                to = o * uint64(g_outer) + uint64(first)
                by = o * uint64(w_outer)
                me = line + uint64(own)
                for i in range(uint64(last - first)):
                    if width == 1:
                        total = f[at + i]
                    elif even:
                        total = c[0, 0] * (f[at + i + uint64(1)] - f[at + i])
                    else:
                        total = c[0, i] * (f[at + i + uint64(1)] - f[at + i])
                    for k in range(1, width - 1):
                        here = at + i + uint64(k)
                        if even:
                            total += c[k, 0] * (f[here + uint64(1)] - f[here])
                        else:
                            total += c[k, i] * (f[here + uint64(1)] - f[here])
                    if weight_mode == 1:
                        total *= w[by]
                    if weight_mode == 2:
                        total *= w[by + uint64(first) + i]
                    if weight_mode == 3:
                        total += w[by] * f[me + i]
                    if weight_mode == 4:
                        total += w[by + uint64(first) + i] * f[me + i]
                    if accumulate == 1:
                        total += g[to + i]
                    if accumulate == 2:
                        total = root_of_squares(g[to + i], total, one)
                    if accumulate == 3:
                        total = abs(total)
                    g[to + i] = total
            if len(windows):
                _boundary_last_axis(
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, w_outer, w_row, reach, length,
                    int64(weight_mode), int64(accumulate), 1, start, stop, own, windows, ends,
                )  # fmt: skip

    return jit(along, width, even, weight_mode, accumulate)


#: A function of numbers as one of arrays, in one loop that makes nothing on the way.
_compiled_ufunc = cache(ufunc)


def write_pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> bool:
    """Write a function of numbers, taken at every cell of some arrays, into an array.

    Returns
    -------
    bool
        Whether there is a loop for these dtypes; nothing is written if there is not.
    """
    dtype = arrays[0].dtype.newbyteorder("=")  # NumPy turns bytes on their way into the loop
    if (
        PLAIN
        or dtype not in COMPILED_DTYPES
        or any(a.dtype.newbyteorder("=") != dtype for a in arrays)
    ):
        return False
    _compiled_ufunc(function, len(arrays), dtype)(*arrays, out=out, casting="same_kind")
    return True
