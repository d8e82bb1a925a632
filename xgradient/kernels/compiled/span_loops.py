"""Sum a span of contiguous cells, some of which have missing values in their window.

A span is a part of a row, or of the innermost axis. Each step is a function, for nested in other
loops the same lines are not vectorised. Widths and depths are constants of closures, because LLVM
must know them to vectorise a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array

from ..requests import SQUARE_POWERS_DOUBLE, SQUARE_POWERS_SINGLE
from .jit import PLAIN, int32, jit_inline, uint64

#: Cells of a span: their sums stay in cache until they are written.
SPAN_CELLS = 256
#: Cells that are checked one by one, if any of them has a gap in its window.
GAP_CELLS = 64
#: Cells of a row that are prefetched at most: they stay in a core's own cache until they are read.
PREFETCHED_CELLS = 1 << 12


@jit_inline
def square_scales(c):  # type: ignore[no-untyped-def]
    """Return the numbers that `root_of_squares` needs for the dtype of an array, 1 first.

    Squares of numbers between the next two neither overflow nor vanish. Others are multiplied with
    one of the last two, which are powers of two and change no digit.
    """
    real = c.dtype.type
    limit, scale = SQUARE_POWERS_SINGLE if c.itemsize == 4 else SQUARE_POWERS_DOUBLE
    return real(1), real(2.0**-limit), real(2.0**limit), real(2.0**-scale), real(2.0**scale)


@jit_inline
def root_of_squares(a, b, scales):  # type: ignore[no-untyped-def]
    """Return the root of a² + b², of numbers of any size."""
    one, small, large, down, up = scales
    a, b = abs(a), abs(b)
    high = max(b, a)
    scale = down if high > large else up if high < small else one
    back = up if high > large else down if high < small else one
    a, b = a * scale, b * scale
    return back * np.sqrt(a * a + b * b)


def _divide(a, gap):  # type: ignore[no-untyped-def]
    """Divide a number by a distance; both parts of a complex one, which loses no digit."""
    return complex(a.real / gap, a.imag / gap) if isinstance(a, complex) else a / gap


quotient: Any = _divide

if not PLAIN:

    @overload(_divide, inline="always")
    def _compiled_quotient(a, gap):  # type: ignore[no-untyped-def]
        """Return the function for a type of numbers."""
        if isinstance(a, types.Complex):
            return lambda a, gap: complex(a.real / gap, a.imag / gap)
        return lambda a, gap: a / gap


@jit_inline
def subtract_stretching(total, stretching, lower, here, upper):  # type: ignore[no-untyped-def]
    """Return a derivative less the stretching times the second difference around its cell.

    Where the stretching is 0 a neighbour may be missing.
    """
    corrected = total - stretching * ((upper - here) - (here - lower))
    return corrected if stretching != 0 else total


@intrinsic
def _prefetch(typing_context, array, index):  # type: ignore[no-untyped-def]
    """Load a cell into the cache that is read soon; the index may be beyond the array."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = make_array(signature.args[0])(context, builder, args[0]).data
        address = builder.bitcast(builder.gep(data, [args[1]]), ir.PointerType(ir.IntType(8)))
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, [address, number(0), number(3), number(1)])

    return types.void(array, index), generate


@jit_inline
def prefetch_row(array, start, count):  # type: ignore[no-untyped-def]
    """Prefetch the first cells of a row that is read soon; do nothing in plain Python."""
    if not PLAIN:
        line = uint64(64 // array.itemsize)
        for j in range(uint64(0), min(count, uint64(PREFETCHED_CELLS)), line):
            _prefetch(array, start + j)


@jit_inline
def sum_boundary_window(f, at, step, c, kind, width, column, sums, count):  # type: ignore[no-untyped-def]
    """Sum over any window of a boundary row, whose cells all share it and its coefficients."""
    for k in range(width - uint64(1)):
        lower_at = at + k * step
        for j in range(count):
            term = c[kind, k, column] * (f[lower_at + step + j] - f[lower_at + j])
            sums[j] = sums[j] + term if k else term


@cache
def sum_interior_window(width: int, per_cell: bool) -> Callable[..., None]:
    """Return the function that sums over the window of interior rows."""

    def sum_interior(f, at, step, c, kind, column, sums, count):  # type: ignore[no-untyped-def]
        for j in range(count):
            col = column + j if per_cell else column
            total = c[kind, 0, col] * (f[at + step + j] - f[at + j])
            for k in range(1, width - 1):
                lower_at = at + uint64(k) * step + j
                total += c[kind, k, col] * (f[lower_at + step] - f[lower_at])
            sums[j] = total

    return jit_inline(sum_interior, width, per_cell)


@cache
def try_windows(width: int, depth: int, per_cell: bool) -> Callable[..., None]:
    """Return the function that sums over each of a few windows and selects one for every cell.

    No branch depends on a single cell, so the loop is vectorised however many gaps there are.
    """

    def try_all(f, center_at, step, c, kinds, starts, column, sums, count):  # type: ignore[no-untyped-def]
        full_window, pair, up, down = kinds[depth, depth], kinds[1, 1], kinds[0, 1], kinds[1, 0]
        up_two, down_two = kinds[0, depth], kinds[depth, 0]
        # Where one neighbour does not suffice, any coefficient stands in for the missing window.
        no_window = uint64(len(starts))
        one_suffices = up < no_window
        up, down = min(up, no_window - uint64(1)), min(down, no_window - uint64(1))
        missing = sums.dtype.type(np.nan)
        for j in range(count):
            col = column + j if per_cell else column
            at = center_at + j
            lower, upper = f[at] - f[at - step], f[at + step] - f[at]
            total = c[pair, 0, col] * lower + c[pair, 1, col] * upper
            above, below = c[up, 0, col] * upper, c[down, 0, col] * lower
            if depth == 2:
                above, below = (above, below) if one_suffices else (missing, missing)
                # Loaded outside the conditions: inside, LLVM would gather cell by cell.
                two_up, two_down = f[at + step + step], f[at - step - step]
                upmost, lowest = two_up - f[at + step], f[at - step] - two_down
                far_above = c[up_two, 0, col] * upper + c[up_two, 1, col] * upmost
                far_below = c[down_two, 0, col] * lowest + c[down_two, 1, col] * lower
                if width == 5:
                    all_nodes = c[full_window, 0, col] * lowest + c[full_window, 1, col] * lower
                    all_nodes = (
                        all_nodes + c[full_window, 2, col] * upper + c[full_window, 3, col] * upmost
                    )
                    if (two_up == two_up) & (two_down == two_down):
                        total = all_nodes
                if two_up == two_up:
                    above = far_above
                if two_down == two_down:
                    below = far_below
            if f[at - step] != f[at - step]:
                total = above
            if f[at + step] != f[at + step]:
                total = below
            sums[j] = total

    return jit_inline(try_all, width, depth, per_cell)


@cache
def fix_gaps(depth: int, max_width: int, per_cell: bool) -> Callable[..., None]:
    """Return the function that sums valid cells with a gap over the window that neighbours allow.

    Every cell takes the same number of steps; those beyond a smaller window are not added.
    """

    def fix(f, center_at, step, c, kinds, starts, widths, column, sums, first, last, counts, cells):  # type: ignore[no-untyped-def]
        gaps = False
        for j in range(first, last):
            gaps |= (sums[j] != sums[j]) & (f[center_at + j] == f[center_at + j])
        if not gaps:
            return
        # Gaps continue in the next rows, the farthest of which is not in cache yet.
        prefetch_row(f, center_at + uint64(depth + 1) * step + first, last - first)
        for j in range(first, last):
            before, after, below, above = int32(0), int32(0), int32(1), int32(1)
            for k in range(1, depth + 1):
                lower, upper = (
                    f[center_at - uint64(k) * step + j],
                    f[center_at + uint64(k) * step + j],
                )
                below = below if lower == lower else int32(0)
                above = above if upper == upper else int32(0)
                before += below
                after += above
            gap = (sums[j] != sums[j]) & (f[center_at + j] == f[center_at + j])
            counts[j - first] = before * int32(depth + 1) + after if gap else int32(-1)
        n_gaps = uint64(0)
        for j in range(first, last):
            cells[n_gaps] = j
            n_gaps += uint64(counts[j - first] >= 0)
        no_window = uint64(len(starts))
        for i in range(n_gaps):
            j = cells[i]
            cell_at = center_at + j
            count = uint64(counts[j - first])
            chosen = kinds[count // uint64(depth + 1), count % uint64(depth + 1)]
            kind = min(chosen, no_window - uint64(1))
            col = column + j if per_cell else column
            at, end = cell_at + starts[kind] * step, widths[kind] - uint64(1)
            total = c[kind, 0, col] * (f[at + step] - f[at])
            for k in range(1, max_width - 1):
                lower_at, upper_at = min(uint64(k), end), min(uint64(k + 1), end)
                longer = total + c[kind, k, col] * (
                    f[at + upper_at * step] - f[at + lower_at * step]
                )
                total = longer if uint64(k) < end else total
            if chosen < no_window:
                sums[j] = total

    return jit_inline(fix, depth, max_width, per_cell)


@jit_inline
def write_span(  # type: ignore[no-untyped-def]
    f, center_at, step, w, stretching, w_at, g, g_at, sums, count, weight_mode, accumulate
):
    """Weight sums and write them, with the modes of `interior_outer_axis`.

    The modes are arguments: as constants, all loops would be compiled twenty times. A branch with
    a loop for each mode costs little, for the sums are in cache.
    """
    scales = square_scales(w)
    if weight_mode == 6:
        for j in range(count):
            at = center_at + j
            sums[j] = w[w_at + j] * subtract_stretching(
                sums[j], stretching[w_at + j], f[at - step], f[at], f[at + step]
            )
    if weight_mode == 1:
        for j in range(count):
            sums[j] *= w[w_at]
    elif weight_mode == 2:
        for j in range(count):
            sums[j] *= w[w_at + j]
    elif weight_mode == 3:
        for j in range(count):
            sums[j] += w[w_at] * f[center_at + j]
    elif weight_mode == 4:
        for j in range(count):
            sums[j] += w[w_at + j] * f[center_at + j]
    if accumulate == 0:
        for j in range(count):
            g[g_at + j] = sums[j]
    elif accumulate == 1:
        for j in range(count):
            g[g_at + j] = sums[j] + g[g_at + j]
    elif accumulate == 2:
        for j in range(count):
            g[g_at + j] = root_of_squares(g[g_at + j], sums[j], scales)
    else:
        for j in range(count):
            g[g_at + j] = abs(sums[j])
