"""Define the loops for derivatives by positions that differ from column to column.

Newton's divided differences give the polynomial through the window of every cell. They begin with
differences of adjacent nodes, so a constant field has exactly the derivative 0. All nodes of a
window enter, so a missing one makes the result missing. All steps are in float64, for a few hundred
columns at once: each is a vectorised loop over scratch in the innermost cache. The bits of a cell
do not depend on the cells that are computed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from .jit import jit, jit_inline, uint64

#: Columns and rows that one pass computes.
LANES, ROWS = 256, 32


# All scratch is flat, in lines of `LANES` columns: views of lines would cost as much as the work on
# them. Loops around vectorised ones run forwards, or by indices read from an array: LLVM tests for
# overlap once for all their rounds, and takes lines in descending order for overlapping.


@jit_inline
def _gather_lanes(to, node, nodes, parts, at, row, lane, shifts, length, lanes):  # type: ignore[no-untyped-def]
    """Copy nodes of many columns, each of which may be before, in or after the block."""
    for k in range(nodes):
        here = node + k
        p = 1 if here < 0 else 0 if here < length else 2
        source, line = parts[p], uint64(k * LANES)
        base, step = uint64(at[p] + (here + shifts[p]) * row[p]), uint64(lane[p])
        if step == 1:
            for j in range(uint64(lanes)):
                to[line + j] = source[base + j]
        else:
            for j in range(uint64(lanes)):
                to[line + j] = source[base + j * step]


@jit_inline
def _slope(low, high, z, z_next):  # type: ignore[no-untyped-def]
    """Return the divided difference of two nodes; missing without two positions."""
    gap = z_next - z
    distinct = (gap != 0) & (abs(gap) < np.inf)
    return (high - low) / (gap if distinct else np.nan)


@jit_inline
def _divided_differences(z, table, n_orders, n_lines, nodes, lanes):  # type: ignore[no-untyped-def]
    """Compute divided differences: line m, s of the table becomes that of nodes s to s + m.

    They are missing where positions are missing, infinite or repeated, or turn back.
    """
    for m in range(1, n_orders):
        for s in range(nodes - m):
            to, low = uint64((m * n_lines + s) * LANES), uint64(((m - 1) * n_lines + s) * LANES)
            high, first = low + uint64(LANES), uint64(s * LANES)
            second, last = first + uint64(LANES), first + uint64(m * LANES)
            if m == 1:
                for j in range(uint64(lanes)):
                    table[to + j] = _slope(
                        table[low + j], table[high + j], z[first + j], z[last + j]
                    )
            elif m == 2:
                for j in range(uint64(lanes)):
                    a, b, c = z[first + j], z[second + j], z[last + j]
                    gap = c - a if (a < b) == (b < c) else np.nan
                    table[to + j] = (table[high + j] - table[low + j]) / gap
            else:
                for j in range(uint64(lanes)):
                    gap = z[last + j] - z[first + j]
                    table[to + j] = (table[high + j] - table[low + j]) / gap


@jit_inline
def _horner(z, table, b, n_lines, start, width, center, deriv, lanes, numbers):  # type: ignore[no-untyped-def]
    """Differentiate the polynomials through a window at node ``center``, by Horner's rule.

    Line d of b becomes the derivative of order d over d!. Order 0 lacks its last step.
    """
    last, center_at = uint64(((width - 1) * n_lines + start) * LANES), uint64(center * LANES)
    for j in range(uint64(lanes)):
        b[j] = table[last + j]
    for j in range(uint64(LANES), uint64((deriv + 1) * LANES)):
        b[j] = 0
    for k in range(width - 1):
        m = numbers[width - 2 - k]
        node, line = uint64((start + m) * LANES), uint64((m * n_lines + start) * LANES)
        for e in range(deriv):
            to = uint64(numbers[deriv - e] * LANES)
            lower = to - uint64(LANES)
            for j in range(uint64(lanes)):
                b[to + j] = b[to + j] * (z[center_at + j] - z[node + j]) + b[lower + j]
        if m:
            for j in range(uint64(lanes)):
                b[j] = b[j] * (z[center_at + j] - z[node + j]) + table[line + j]


@jit_inline
def _fix_gaps(  # type: ignore[no-untyped-def]
    z, table, b, n_lines, center_at, nodes, deriv, lanes, rule, derivs
):
    """Differentiate valid cells near missing ones, by the window that valid neighbours allow."""
    depth, kinds, firsts, widths = rule
    line, result = center_at * LANES, deriv * LANES
    for j in range(lanes):
        if b[result + j] == b[result + j] or not _valid(z, table, line + j):
            continue
        before = 0
        while before < min(depth, center_at) and _valid(z, table, line + j - (before + 1) * LANES):
            before += 1
        after = 0
        while after < min(depth, nodes - 1 - center_at) and _valid(
            z, table, line + j + (after + 1) * LANES
        ):
            after += 1
        kind = kinds[before, after]
        if kind >= 0:
            start, width = center_at + firsts[kind], widths[kind]
            derivs[1:] = 0
            derivs[0] = table[((width - 1) * n_lines + start) * LANES + j]
            for m in range(width - 2, -1, -1):
                distance = z[line + j] - z[(start + m) * LANES + j]
                for d in range(deriv, 0, -1):
                    derivs[d] = derivs[d] * distance + derivs[d - 1]
                if m:
                    derivs[0] = derivs[0] * distance + table[(m * n_lines + start) * LANES + j]
            b[result + j] = derivs[deriv]


@jit_inline
def _valid(z, table, at):  # type: ignore[no-untyped-def]
    """Return whether a node has both a value and a position."""
    return table[at] == table[at] and abs(z[at]) < np.inf


@jit_inline
def _three_point_row(z, f, b, at, lanes, zero):  # type: ignore[no-untyped-def]
    """Differentiate once by the windows of three nodes around line ``at`` of the nodes.

    The operations are those of `_divided_differences` and `_horner`.
    Line 0 of b holds the divided differences of the two nodes before, and then those of the two
    nodes after. Line 1 becomes the derivative.
    """
    here = uint64(at * LANES)
    before, after, to = here - uint64(LANES), here + uint64(LANES), uint64(LANES)
    for j in range(uint64(lanes)):
        x, y, y_next = z[before + j], z[here + j], z[after + j]
        lower = b[j]
        slope = _slope(f[here + j], f[after + j], y, y_next)
        gap = y_next - x if (x < y) == (y < y_next) else np.nan
        curvature = (slope - lower) / gap
        b[to + j] = (zero * (y - y) + curvature) * (y - x) + (curvature * (y - y) + lower)
        b[j] = slope


@jit_inline
def _write_row(g, at, step, b, line, lanes, factor):  # type: ignore[no-untyped-def]
    """Write a line of derivatives, times a factor, into a result."""
    at, step = uint64(at), uint64(step)
    if step == 1:
        for k in range(uint64(lanes)):
            g[at + k] = b[line + k] * factor
    else:
        for k in range(uint64(lanes)):
            g[at + k * step] = b[line + k] * factor


@jit_inline
def _end_of_group(first, starts, widths, center, is_simple):  # type: ignore[no-untyped-def]
    """Return the row after a group, and whether all its windows are the three nodes around a row.

    A group that may contain such windows has no others.
    """
    last = min(first + ROWS, len(starts))
    if not is_simple:
        return last, False
    central = widths[first] == 3 and starts[first] == center + first - 1
    for i in range(first + 1, last):
        if (widths[i] == 3 and starts[i] == center + i - 1) != central:
            return i, central
    return last, central


@jit_inline
def _column_offsets(o, outer, j, lane):  # type: ignore[no-untyped-def]
    """Return the index of a column's first cell, in block and halo."""
    return (o * outer[0] + j * lane[0], o * outer[1] + j * lane[1], o * outer[2] + j * lane[2])


@cache
def column_loops() -> Callable[..., None]:
    """Return the loop over all rows of a block, some rows and columns at a time."""

    def loops(  # type: ignore[no-untyped-def]
        field, positions, shifts, length, to, outer, inner,
        starts, widths, lows, highs, center, deriv, factor, n_orders, n_lines, scratch, rule,
    ):  # fmt: skip
        fs, f_outer, f_row, f_lane = field
        zs, z_outer, z_row, z_lane = positions
        g, g_outer, g_row, g_lane = to
        z, table, b, derivs, numbers = scratch
        zero, is_simple = table.dtype.type(0), deriv == 1 and rule is None
        for o in range(outer):
            for j in range(0, inner, LANES):
                lanes = min(LANES, inner - j)
                f_at, z_at = (
                    _column_offsets(o, f_outer, j, f_lane),
                    _column_offsets(o, z_outer, j, z_lane),
                )
                first = 0
                while first < len(starts):
                    last, central = _end_of_group(first, starts, widths, center, is_simple)
                    low, high = lows[first:last].min(), highs[first:last].max()
                    nodes = high - low
                    _gather_lanes(z, low, nodes, zs, z_at, z_row, z_lane, shifts, length, lanes)
                    _gather_lanes(table, low, nodes, fs, f_at, f_row, f_lane, shifts, length, lanes)
                    g_at = o * g_outer + j * g_lane
                    if central:
                        for k in range(uint64(lanes)):
                            above = uint64(LANES) + k
                            b[k] = _slope(table[k], table[above], z[k], z[above])
                        for i in range(first, last):
                            _three_point_row(z, table, b, i - first + 1, lanes, zero)
                            _write_row(g, g_at + i * g_row, g_lane, b, uint64(LANES), lanes, factor)
                        first = last
                        continue
                    _divided_differences(z, table, n_orders, n_lines, nodes, lanes)
                    line = uint64(deriv * LANES)
                    for i in range(first, last):
                        start, width, center_at = starts[i] - low, widths[i], center + i - low
                        _horner(
                            z, table, b, n_lines, start, width, center_at, deriv, lanes, numbers
                        )
                        if rule is not None:
                            _fix_gaps(
                                z, table, b, n_lines, center_at, nodes, deriv, lanes, rule, derivs
                            )
                        _write_row(g, g_at + i * g_row, g_lane, b, line, lanes, factor)
                    first = last

    return jit(loops)
