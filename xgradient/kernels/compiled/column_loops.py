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
from .memory import read_field, read_scratch, write_derivative, write_scratch
from .span_loops import quotient

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
    return quotient(high - low, gap if distinct else np.nan)


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
                    table[to + j] = quotient(table[high + j] - table[low + j], gap)
            else:
                for j in range(uint64(lanes)):
                    gap = z[last + j] - z[first + j]
                    table[to + j] = quotient(table[high + j] - table[low + j], gap)


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
        for o in range(outer):
            for j in range(0, inner, LANES):
                lanes = min(LANES, inner - j)
                f_at, z_at = (
                    _column_offsets(o, f_outer, j, f_lane),
                    _column_offsets(o, z_outer, j, z_lane),
                )
                first = 0
                while first < len(starts):
                    last = min(first + ROWS, len(starts))
                    low, high = lows[first:last].min(), highs[first:last].max()
                    nodes = high - low
                    _gather_lanes(z, low, nodes, zs, z_at, z_row, z_lane, shifts, length, lanes)
                    _gather_lanes(table, low, nodes, fs, f_at, f_row, f_lane, shifts, length, lanes)
                    g_at = o * g_outer + j * g_lane
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


@cache
def three_point_loop(is_complex: bool, along_cells: bool) -> Callable[..., None]:
    """Return the loop of first derivatives by the nodes before and after a row.

    It reads long runs of cells in the order of memory. If nodes are not ``along_cells``, the slope
    after a row is kept as that before the next row. Rows at both ends that have two nodes, the
    ``edges``, are then these slopes. The operations are those of `_divided_differences` and
    `_horner`.
    """
    wide = np.complex128 if is_complex else np.float64

    def three_points(  # type: ignore[no-untyped-def]
        f, f_outer, f_row, f_node, f_start, zs, z_outer, z_row, z_node, z_start,
        g, g_outer, g_row, outer, rows, edges, cells, slopes, zero,
    ):  # fmt: skip
        f_step, z_step, at_once = uint64(f_node), uint64(z_node), uint64(len(slopes))
        for start in range(uint64(0), uint64(cells), at_once):
            count = min(at_once, uint64(cells) - start)
            for o in range(uint64(outer)):
                f_line = uint64(f_start) + o * uint64(f_outer) + start
                z_line = uint64(z_start) + o * uint64(z_outer) + start
                g_line = o * uint64(g_outer) + start
                if not along_cells:
                    for j in range(count):
                        slopes[j] = _slope(
                            wide(read_field(f, f_line + j - f_step)),
                            wide(read_field(f, f_line + j)),
                            np.float64(read_field(zs, z_line + j - z_step)),
                            np.float64(read_field(zs, z_line + j)),
                        )
                if edges[0]:
                    for j in range(count):
                        g[g_line + j] = zero + slopes[j]
                    g_line += uint64(g_row)
                for i in range(uint64(rows)):
                    f_at, z_at = f_line + i * uint64(f_row), z_line + i * uint64(z_row)
                    g_at = g_line + i * uint64(g_row)
                    for j in range(count):
                        x, y, y_next = (
                            np.float64(read_field(zs, z_at + j - z_step)),
                            np.float64(read_field(zs, z_at + j)),
                            np.float64(read_field(zs, z_at + j + z_step)),
                        )
                        here = wide(read_field(f, f_at + j))
                        after = wide(read_field(f, f_at + j + f_step))
                        down, up = y - x, y_next - y
                        if along_cells:
                            lower = quotient(here - wide(read_field(f, f_at + j - f_step)), down)
                        else:
                            lower = read_scratch(slopes, j)
                        upper = quotient(after - here, up)
                        if not along_cells:
                            write_scratch(slopes, j, upper)
                        ordered = ((x < y) & (y < y_next)) | ((x > y) & (y > y_next))
                        ordered &= (abs(down) < np.inf) & (abs(up) < np.inf)
                        curvature = quotient(upper - lower, y_next - x if ordered else np.nan)
                        # 0.0 stands for the distance of a node to itself, as in the other loops.
                        slope = curvature * 0.0 + lower
                        write_derivative(g, g_at + j, (zero + curvature) * down + slope)
                if edges[1]:
                    g_at = g_line + uint64(rows) * uint64(g_row)
                    z_at = z_line + uint64(rows) * uint64(z_row)
                    for j in range(count):
                        run = np.float64(zs[z_at + j]) - np.float64(zs[z_at + j - z_step])
                        distinct = (run != 0) & (abs(run) < np.inf)
                        g[g_at + j] = zero + (slopes[j] if distinct else np.nan)

    return jit(three_points, is_complex, along_cells)
