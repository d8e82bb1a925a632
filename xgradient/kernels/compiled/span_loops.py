"""Sums of a span of cells, some of which have missing values in their window.

The cells lie one after the other in memory: across the rows of an axis, or along them where the
axis is the innermost. What is done with them stands in functions of their own, for nested in other
loops the same lines are not vectorised; and what depends on the case is made for it, for constants
have to be known where a loop is vectorised.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .jit import PLAIN, int32, jit_inline, uint64

#: Cells whose sums are kept in cache until they are written.
SPAN_CELLS = 256
#: Cells that are looked through one by one where any of them has a gap in its window.
GAP_CELLS = 64


@jit_inline
def root_of_squares(a, b, one):  # type: ignore[no-untyped-def]
    """The root of a² + b², by their ratio: squares of small numbers vanish in float32."""
    a, b = abs(a), abs(b)
    high, low = (a, b) if a > b else (b, a)
    ratio = low / high if high > 0 else low
    return high * np.sqrt(one + ratio * ratio)


@intrinsic
def _prefetch(typing_context, array, index):  # type: ignore[no-untyped-def]
    """Ask for a cell that is read soon; there need not be one."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = make_array(signature.args[0])(context, builder, args[0]).data
        address = builder.bitcast(builder.gep(data, [args[1]]), ir.PointerType(ir.IntType(8)))
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, [address, number(0), number(3), number(1)])

    return types.void(array, index), generate


@jit_inline
def _ask_for(array, index):  # type: ignore[no-untyped-def]
    """Ask for a cell that is read soon; plain Python need not."""
    if not PLAIN:
        _prefetch(array, index)


@jit_inline
def sum_boundary_window(f, at, step, c, kind, width, column, sums, count):  # type: ignore[no-untyped-def]
    """Sums over any window, which all cells share, as its coefficients: at the ends of an axis."""
    for k in range(width - uint64(1)):
        here = at + k * step
        for j in range(count):
            term = c[kind, k, column] * (f[here + step + j] - f[here + j])
            sums[j] = sums[j] + term if k else term


@cache
def sum_interior_window(width: int, per_cell: bool) -> Callable[..., None]:
    """Sums over the window of the interior."""

    def centre(f, at, step, c, kind, column, sums, count):  # type: ignore[no-untyped-def]
        for j in range(count):
            col = column + j if per_cell else column
            total = c[kind, 0, col] * (f[at + step + j] - f[at + j])
            for k in range(1, width - 1):
                here = at + uint64(k) * step + j
                total += c[kind, k, col] * (f[here + step] - f[here])
            sums[j] = total

    return jit_inline(centre, width, per_cell)


@cache
def try_windows(width: int, reach: int, per_cell: bool) -> Callable[..., None]:
    """Sums over each of a few windows, of which every cell takes one.

    No branch depends on a single cell: however many holes there are, the loop is vectorised.
    """

    def try_all(f, me, step, c, kinds, starts, column, sums, count):  # type: ignore[no-untyped-def]
        whole, near, up, down = kinds[reach, reach], kinds[1, 1], kinds[0, 1], kinds[1, 0]
        up_two, down_two = kinds[0, reach], kinds[reach, 0]
        # Where one neighbour is too few, any number stands in place of its coefficient.
        none = uint64(len(starts))
        enough = up < none
        up, down = min(up, none - uint64(1)), min(down, none - uint64(1))
        missing = sums.dtype.type(np.nan)
        for j in range(count):
            col = column + j if per_cell else column
            at = me + j
            lower, upper = f[at] - f[at - step], f[at + step] - f[at]
            total = c[near, 0, col] * lower + c[near, 1, col] * upper
            above, below = c[up, 0, col] * upper, c[down, 0, col] * lower
            if reach == 2:
                above, below = (above, below) if enough else (missing, missing)
                # Outside the conditions: else what is loaded is gathered number by number.
                two_up, two_down = f[at + step + step], f[at - step - step]
                upmost, lowest = two_up - f[at + step], f[at - step] - two_down
                far_above = c[up_two, 0, col] * upper + c[up_two, 1, col] * upmost
                far_below = c[down_two, 0, col] * lowest + c[down_two, 1, col] * lower
                if width == 5:
                    five = c[whole, 0, col] * lowest + c[whole, 1, col] * lower
                    five = five + c[whole, 2, col] * upper + c[whole, 3, col] * upmost
                    if (two_up == two_up) & (two_down == two_down):
                        total = five
                if two_up == two_up:
                    above = far_above
                if two_down == two_down:
                    below = far_below
            if f[at - step] != f[at - step]:
                total = above
            if f[at + step] != f[at + step]:
                total = below
            sums[j] = total

    return jit_inline(try_all, width, reach, per_cell)


@cache
def fix_gaps(reach: int, most: int, per_cell: bool) -> Callable[..., None]:
    """Sums of valid cells with a gap in their window, each over what its valid neighbours allow.

    Loops end where they end for all cells: what a smaller window lacks is not added.
    """

    def mend(f, me, step, c, kinds, starts, widths, column, sums, first, last, counts, cells):  # type: ignore[no-untyped-def]
        gaps = False
        for j in range(first, last):
            gaps |= (sums[j] != sums[j]) & (f[me + j] == f[me + j])
        if not gaps:
            return
        # A coast goes on in the next rows, of which the farthest has not been read by anyone.
        for j in range(first, last, uint64(16)):
            _ask_for(f, me + uint64(reach + 1) * step + j)
        for j in range(first, last):
            before, after, below, above = int32(0), int32(0), int32(1), int32(1)
            for k in range(1, reach + 1):
                lower, upper = f[me - uint64(k) * step + j], f[me + uint64(k) * step + j]
                below = below if lower == lower else int32(0)
                above = above if upper == upper else int32(0)
                before += below
                after += above
            gap = (sums[j] != sums[j]) & (f[me + j] == f[me + j])
            counts[j - first] = before * int32(reach + 1) + after if gap else int32(-1)
        many = uint64(0)
        for j in range(first, last):
            cells[many] = j
            many += uint64(counts[j - first] >= 0)
        none = uint64(len(starts))
        for i in range(many):
            j = cells[i]
            own = me + j
            count = uint64(counts[j - first])
            found = kinds[count // uint64(reach + 1), count % uint64(reach + 1)]
            kind = min(found, none - uint64(1))
            col = column + j if per_cell else column
            at, end = own + starts[kind] * step, widths[kind] - uint64(1)
            total = c[kind, 0, col] * (f[at + step] - f[at])
            for k in range(1, most - 1):
                here, there = min(uint64(k), end), min(uint64(k + 1), end)
                longer = total + c[kind, k, col] * (f[at + there * step] - f[at + here * step])
                total = longer if uint64(k) < end else total
            if found < none:
                sums[j] = total

    return jit_inline(mend, reach, most, per_cell)


@jit_inline
def write_span(f, me, w, by, g, to, sums, count, weight_mode, accumulate):  # type: ignore[no-untyped-def]
    """Weigh sums and write them, as the loops of `stencil_loops` do.

    With a loop for each case, which costs little in cache: made for each of them, all loops would
    be compiled twenty times.
    """
    one = w.dtype.type(1)
    if weight_mode == 1:
        for j in range(count):
            sums[j] *= w[by]
    elif weight_mode == 2:
        for j in range(count):
            sums[j] *= w[by + j]
    elif weight_mode == 3:
        for j in range(count):
            sums[j] += w[by] * f[me + j]
    elif weight_mode == 4:
        for j in range(count):
            sums[j] += w[by + j] * f[me + j]
    if accumulate == 0:
        for j in range(count):
            g[to + j] = sums[j]
    elif accumulate == 1:
        for j in range(count):
            g[to + j] = sums[j] + g[to + j]
    elif accumulate == 2:
        for j in range(count):
            g[to + j] = root_of_squares(g[to + j], sums[j], one)
    else:
        for j in range(count):
            g[to + j] = abs(sums[j])
