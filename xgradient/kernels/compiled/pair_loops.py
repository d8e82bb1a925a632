"""Define the loop of a pair of terms: corrected derivatives of one field along its last two axes.

Each result on a curvilinear grid is a sum of such pairs. One after the other, their terms would
read field and results again, and the weights for each level. Here some rows of all levels follow
each other, so that their weights stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from .jit import jit, jit_inline, uint64
from .memory import read_field, write_derivative
from .span_loops import subtract_stretching


@jit_inline
def _read_node(f, before, after, at, node, length, reach):  # type: ignore[no-untyped-def]
    """Return a node of a row, which may be before or after the block."""
    if node < 0:
        return before[at[1] + uint64(node + reach)]
    if node < length:
        return f[at[0] + uint64(node)]
    return after[at[2] + uint64(node - length)]


@jit_inline
def _corrected(c_before, c_after, stretching, before, here, after):  # type: ignore[no-untyped-def]
    """Return a derivative by three nodes less the stretching times the second difference."""
    derivative = c_before * (here - before) + c_after * (after - here)
    return subtract_stretching(derivative, stretching, before, here, after)


@cache
def pair_loop(two_results: bool, adds: bool) -> Callable[..., None]:
    """Return the loop, of one result or of two, which may add to what they hold.

    It computes whole rows that have neighbours, from ``first`` to ``last``. Columns without
    neighbours in the block have ``windows``, as the boundary rows of `stencil_loops`, where the
    operations and their order are the same.
    """

    def pairs(  # type: ignore[no-untyped-def]
        f, f_outer, f_row, f_start, before, before_outer, before_row,
        after, after_outer, after_row, g, g_outer, g_row, h, h_outer, h_row, n, w_outer,
        k_across, k_along, w_across, w_along, v_across, v_along,
        c_before, c_after, c_left, c_right, windows, c_edges, reach,
        outer, first, last, start, stop, rows_at_once,
    ):  # fmt: skip
        step = uint64(f_row)
        for block in range(uint64(first), uint64(last), uint64(rows_at_once)):
            block_end = min(block + uint64(rows_at_once), uint64(last))
            for o in range(uint64(outer)):
                for i in range(block, block_end):
                    f_at = uint64(f_start) + o * uint64(f_outer) + i * step
                    g_at = o * uint64(g_outer) + i * uint64(g_row)
                    h_at = o * uint64(h_outer) + i * uint64(h_row)
                    w_at = o * uint64(w_outer) + i * uint64(n)
                    for j in range(uint64(start), uint64(stop)):
                        here = read_field(f, f_at + j)
                        above, below = (
                            read_field(f, f_at + j - step),
                            read_field(f, f_at + j + step),
                        )
                        left, right = (
                            read_field(f, f_at + j - uint64(1)),
                            read_field(f, f_at + j + uint64(1)),
                        )
                        k = read_field(k_across, w_at + j)
                        across = _corrected(c_before, c_after, k, above, here, below)
                        k = read_field(k_along, w_at + j)
                        along = _corrected(c_left, c_right, k, left, here, right)
                        total = across * read_field(w_across, w_at + j)
                        if adds:
                            total += g[g_at + j]
                        total += along * read_field(w_along, w_at + j)
                        if two_results:
                            second = across * read_field(v_across, w_at + j)
                            if adds:
                                second += h[h_at + j]
                            second += along * read_field(v_along, w_at + j)
                            write_derivative(h, h_at + j, second)
                        write_derivative(g, g_at + j, total)
                    lines = (
                        f_at,
                        o * uint64(before_outer) + i * uint64(before_row),
                        o * uint64(after_outer) + i * uint64(after_row),
                    )
                    for e in range(len(windows)):
                        column, node, width = windows[e]
                        j = uint64(column)
                        at, here = w_at + j, f[f_at + j]
                        across = _corrected(
                            c_before, c_after, k_across[at], f[f_at + j - step], here,
                            f[f_at + j + step],
                        )  # fmt: skip
                        lower, along = f[f_at], c_before * (here - here)
                        for k in range(width):
                            upper = _read_node(f, before, after, lines, node + k, n, reach)
                            if k == 1:
                                along = c_edges[e, 0] * (upper - lower)
                            elif k:
                                along += c_edges[e, k - 1] * (upper - lower)
                            lower = upper
                        if node < column and column + 1 < node + width:
                            along = subtract_stretching(
                                along, k_along[at],
                                _read_node(f, before, after, lines, column - 1, n, reach),
                                here,
                                _read_node(f, before, after, lines, column + 1, n, reach),
                            )  # fmt: skip
                        total = across * w_across[at]
                        if adds:
                            total += g[g_at + j]
                        g[g_at + j] = total + along * w_along[at]
                        if two_results:
                            second = across * v_across[at]
                            if adds:
                                second += h[h_at + j]
                            h[h_at + j] = second + along * v_along[at]

    return jit(pairs, two_results, adds)
