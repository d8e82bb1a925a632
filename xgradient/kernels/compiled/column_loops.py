"""NumPy arrays: loops for derivatives by positions that differ from column to column.

For every cell the polynomial through its window is found by Newton's divided differences. They
begin with the differences of adjacent nodes, so a constant field has exactly the derivative 0, and
all nodes of a window take part, so one that is missing makes the result missing. Everything is
done in float64, step by step for a few hundred columns at once: each step is a vectorised loop
over scratch in the innermost cache. A cell has the same bits whichever others are computed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stencils.columns import ColumnWindows
from ..requests import BlockWithHalo
from .jit import jit, jit_inline, uint64
from .layout import (
    as_aligned,
    cache_blocks,
    collapse_outer_axes,
    flat_view,
    read_only_view,
    strided_order,
)

#: Data types of fields and results that the loops are compiled for, and of what is made of them
#: on the way; all others pass through one of them piece by piece.
_COMPUTED_DTYPES = {
    np.dtype(t): np.dtype(w) for t, w in zip(("f4", "f8", "c8", "c16"), "ddDD", strict=True)
}
#: Data types of positions that the loops are compiled for.
_POSITION_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
#: Columns and rows that are worked on at once.
LANES, ROWS = 256, 32

Array = NDArray[Any]


# All scratch is flat, in lines of `LANES` columns: views of lines would cost as much as the work on
# them. Loops around vectorised ones run forwards, or by numbers read from an array: LLVM tests for
# overlap once for all their rounds, and takes lines that come backwards for overlapping.


@jit_inline
def _gather_lanes(to, node, nodes, parts, at, row, lane, shifts, length, lanes):  # type: ignore[no-untyped-def]
    """Copy nodes of many columns, each of which may lie before, in or after the block."""
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
def _divided_differences(z, table, orders, room, nodes, lanes):  # type: ignore[no-untyped-def]
    """Divided differences of every order: line m, s of the table becomes that of nodes s to s + m.

    They are missing where positions are missing, infinite or repeated, or turn back.
    """
    for m in range(1, orders):
        for s in range(nodes - m):
            to, low = uint64((m * room + s) * LANES), uint64(((m - 1) * room + s) * LANES)
            high, first = low + uint64(LANES), uint64(s * LANES)
            second, last = first + uint64(LANES), first + uint64(m * LANES)
            if m == 1:
                for j in range(uint64(lanes)):
                    gap = z[last + j] - z[first + j]
                    good = (gap != 0) & (abs(gap) < np.inf)
                    table[to + j] = (table[high + j] - table[low + j]) / (gap if good else np.nan)
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
def _horner(z, table, b, room, start, width, own, deriv, lanes, numbers):  # type: ignore[no-untyped-def]
    """Derivatives at node ``own`` of the polynomials through a window, by Horner's rule.

    Line d of b becomes the derivative of order d over d!, but that of order 0 lacks its last step.
    """
    last, me = uint64(((width - 1) * room + start) * LANES), uint64(own * LANES)
    for j in range(uint64(lanes)):
        b[j] = table[last + j]
    for j in range(uint64(LANES), uint64((deriv + 1) * LANES)):
        b[j] = 0
    for k in range(width - 1):
        m = numbers[width - 2 - k]
        node, line = uint64((start + m) * LANES), uint64((m * room + start) * LANES)
        for e in range(deriv):
            to = uint64(numbers[deriv - e] * LANES)
            lower = to - uint64(LANES)
            for j in range(uint64(lanes)):
                b[to + j] = b[to + j] * (z[me + j] - z[node + j]) + b[lower + j]
        if m:
            for j in range(uint64(lanes)):
                b[j] = b[j] * (z[me + j] - z[node + j]) + table[line + j]


@jit_inline
def _fix_gaps(  # type: ignore[no-untyped-def]
    z, table, b, room, me, nodes, deriv, lanes, choice, single
):
    """The derivatives of valid cells next to missing ones, by what their valid neighbours allow."""
    reach, kinds, firsts, widths = choice
    line, found = me * LANES, deriv * LANES
    for j in range(lanes):
        if b[found + j] == b[found + j] or not _valid(z, table, line + j):
            continue
        before = 0
        while before < min(reach, me) and _valid(z, table, line + j - (before + 1) * LANES):
            before += 1
        after = 0
        while after < min(reach, nodes - 1 - me) and _valid(
            z, table, line + j + (after + 1) * LANES
        ):
            after += 1
        kind = kinds[before, after]
        if kind >= 0:
            start, width = me + firsts[kind], widths[kind]
            single[1:] = 0
            single[0] = table[((width - 1) * room + start) * LANES + j]
            for m in range(width - 2, -1, -1):
                away = z[line + j] - z[(start + m) * LANES + j]
                for d in range(deriv, 0, -1):
                    single[d] = single[d] * away + single[d - 1]
                if m:
                    single[0] = single[0] * away + table[(m * room + start) * LANES + j]
            b[found + j] = single[deriv]


@jit_inline
def _valid(z, table, at):  # type: ignore[no-untyped-def]
    """Whether neither the value nor the position of a node is missing."""
    return table[at] == table[at] and abs(z[at]) < np.inf


@jit_inline
def _column_offsets(o, outer, j, lane):  # type: ignore[no-untyped-def]
    """Where a column begins in each part."""
    return (o * outer[0] + j * lane[0], o * outer[1] + j * lane[1], o * outer[2] + j * lane[2])


@cache
def column_loops() -> Callable[..., None]:
    """All rows of a block, some of them and some columns at a time."""

    def loops(  # type: ignore[no-untyped-def]
        field, positions, shifts, length, to, outer, inner,
        starts, widths, lows, highs, own, deriv, factor, orders, room, scratch, choice,
    ):  # fmt: skip
        fs, f_outer, f_row, f_lane = field
        zs, z_outer, z_row, z_lane = positions
        g, g_outer, g_row, g_lane = to
        z, table, b, single, numbers = scratch
        for o in range(outer):
            for j in range(0, inner, LANES):
                lanes = min(LANES, inner - j)
                f_at, z_at = (
                    _column_offsets(o, f_outer, j, f_lane),
                    _column_offsets(o, z_outer, j, z_lane),
                )
                for first in range(0, len(starts), ROWS):
                    last = min(first + ROWS, len(starts))
                    low, high = lows[first:last].min(), highs[first:last].max()
                    nodes = high - low
                    _gather_lanes(z, low, nodes, zs, z_at, z_row, z_lane, shifts, length, lanes)
                    _gather_lanes(table, low, nodes, fs, f_at, f_row, f_lane, shifts, length, lanes)
                    _divided_differences(z, table, orders, room, nodes, lanes)
                    for i in range(first, last):
                        start, width, me = starts[i] - low, widths[i], own + i - low
                        _horner(z, table, b, room, start, width, me, deriv, lanes, numbers)
                        if choice is not None:
                            _fix_gaps(z, table, b, room, me, nodes, deriv, lanes, choice, single)
                        at, line = o * g_outer + i * g_row + j * g_lane, uint64(deriv * LANES)
                        if g_lane == 1:
                            for k in range(uint64(lanes)):
                                g[uint64(at) + k] = b[line + k] * factor
                        else:
                            for k in range(uint64(lanes)):
                                g[uint64(at) + k * uint64(g_lane)] = b[line + k] * factor

    return jit(loops)


def write_column_derivative(
    f: BlockWithHalo, z: BlockWithHalo, axis: int, windows: ColumnWindows, out: Array
) -> None:
    """Write the rows of windows, applied along one axis, into an array.

    Parameters
    ----------
    f : tuple of ndarray or None
        The field, and the cells before and after it: any strides, any real or complex dtype up
        to 64 bits a part.
    z : tuple of ndarray or None
        The positions of all these cells, of any real dtype; missing and infinite ones, and those
        that do not strictly increase or decrease within a window, make its result missing.
    axis : int
        The axis, not negative.
    windows : Windows
        The rows; node 0 is the first cell of the field along the axis.
    out : ndarray
        Where the result goes: ``windows.n`` long along ``axis``, as the field otherwise.
    """
    if not out.size:
        return
    reach = 0 if f[1] is None else f[1].shape[axis]
    parts = [*f, *z]
    if not out.flags.c_contiguous:
        order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
        parts = [part if part is None else part.transpose(order) for part in parts]
        out, axis = out.transpose(order), order.index(axis)
    if way := strided_order([parts[0], parts[3], out], axis):
        parts = [part if part is None else part.transpose(way) for part in parts]
        out, axis = out.transpose(way), way.index(axis)
    to = out.dtype if out.dtype in _COMPUTED_DTYPES else np.dtype(np.float32)
    dtype = parts[0].dtype if parts[0].dtype in _COMPUTED_DTYPES else to
    exact = parts[3].dtype if parts[3].dtype in _POSITION_DTYPES else np.dtype(np.float64)
    dtypes = [dtype] * 3 + [exact] * 3
    laid = all(
        a.dtype == wanted and _has_lane_step(a, axis)
        for a, wanted in zip((parts[0], parts[3], out), (dtype, exact, to), strict=True)
    )
    if laid:
        # The cells around a block are few; they are laid out as it is if they are not yet.
        near = [
            part
            if part is None or (part.dtype == wanted and _has_lane_step(part, axis))
            else as_aligned(part, wanted)
            for part, wanted in zip(parts, dtypes, strict=True)
        ]
        _run_columns(near, out, axis, windows, reach)
        return
    for box in cache_blocks(out.shape, axis):
        every = (*box[:axis], slice(None), *box[axis + 1 :])
        fresh = [
            part if part is None else np.array(part[every], wanted, order="C")
            for part, wanted in zip(parts, dtypes, strict=True)
        ]
        result = np.empty(out[every].shape, to)
        _run_columns(fresh, result, axis, windows, reach)
        out[every] = result


def _has_lane_step(a: Array, axis: int) -> bool:
    """Return whether cells inside the axis have one step, and all steps are items forwards."""
    if not a.flags.aligned or any(s < 0 or s % a.itemsize for s in a.strides):
        return False
    step, count = _lane_step(a, axis), 1
    for d in range(a.ndim - 1, axis, -1):
        if a.shape[d] > 1:
            if a.strides[d] != step * count * a.itemsize:
                return False
            count *= a.shape[d]
    return True


def _lane_step(a: Array, axis: int) -> int:
    """Return the step between cells inside the axis, in items, where they all have one."""
    inside = range(a.ndim - 1, axis, -1)
    return next((a.strides[d] // a.itemsize for d in inside if a.shape[d] > 1), 1)


def _run_columns(
    parts: list[Any], out: Array, axis: int, windows: ColumnWindows, reach: int
) -> None:
    """Run the loops over (outer, axis, inner)."""
    arrays = [part if part is not None else parts[k // 3 * 3] for k, part in enumerate(parts)]
    arrays.append(out)
    shape, length = out.shape, arrays[0].shape[axis]
    (starts, widths), (lows, highs), orders = windows.table, windows.node_ranges, windows.widest
    room = min(ROWS, windows.n) + int((highs - lows).max())
    wide = _COMPUTED_DTYPES[arrays[0].dtype]
    scratch = (
        np.empty(room * LANES),
        np.empty(orders * room * LANES, wide),
        np.empty((windows.deriv + 1) * LANES, wide),
        np.empty(windows.deriv + 1, wide),
        np.arange(max(orders, windows.deriv + 1)),
    )
    inner = prod(shape[axis + 1 :])
    row = [a.strides[axis] // a.itemsize for a in arrays]
    lane = [_lane_step(a, axis) for a in arrays]
    rows = starts, widths, lows, highs, windows.center
    accumulate = windows.deriv, factorial(windows.deriv), orders, room, scratch, windows.rule
    for pieces, count, steps in collapse_outer_axes(arrays, axis):
        cells = [flat_view(a) for a in pieces]
        for one in cells[:6]:
            read_only_view(one)
        # Columns side by side are those inside the axis, or where these are few those outside.
        inside = inner >= min(LANES // 4, count)
        ways = [steps, row, lane] if inside else [lane, row, steps]
        sizes = (count, inner) if inside else (inner, count)
        f, z = ((tuple(cells[k : k + 3]), *(tuple(way[k : k + 3]) for way in ways)) for k in (0, 3))
        to = cells[6], *(way[6] for way in ways)
        column_loops()(f, z, (0, reach, -length), length, to, *sizes, *rows, *accumulate)
