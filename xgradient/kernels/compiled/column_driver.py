"""Choose and run the compiled loops for columns, on arrays of any memory layout."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import factorial, prod
from typing import Any

import numpy as np

from ..._forks import LOADING
from ...stencils.columns import ColumnWindows
from ..requests import TermRequest
from .layout import (
    Array,
    as_aligned,
    assign,
    cache_blocks,
    collapse_outer_axes,
    flat_view,
    read_only_view,
    strided_order,
)
from .numpy_sums import write_term
from .on_demand import loop

#: Dtypes of fields and results that the loops are compiled for, each with that of its scratch.
#: Arrays of all others are converted to one of them, piece by piece.
_COMPUTED_DTYPES = {
    np.dtype(t): np.dtype(w) for t, w in zip(("f4", "f8", "c8", "c16"), "ddDD", strict=True)
}
#: Dtypes of positions that the loops are compiled for.
_POSITION_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
#: Cells of a row that are computed before those of the next row, which shares nodes and slopes.
CELLS_AT_ONCE = 1 << 11


def write_column_derivative(term: TermRequest, out: Array) -> None:
    """Write a term with positions into an array.

    Parameters
    ----------
    term : TermRequest
        The term. Its field has any strides, and any real or complex dtype up to 64 bits a part; its
        positions any real dtype. The result is missing, if a position in its window is missing or
        infinite, or if they do not strictly increase or decrease.
    out : ndarray
        The output: as long as the windows along the axis, shaped like the field otherwise.
    """
    if not out.size:
        return
    if not out.flags.c_contiguous:
        order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
        term, out = term.transpose(order), out.transpose(order)
    assert term.positions is not None
    if permutation := strided_order([term.block, term.positions[0], out], term.axis):
        term, out = term.transpose(permutation), out.transpose(permutation)
    assert term.positions is not None
    axis, windows = term.axis, term.stencil
    reach = 0 if term.left_halo is None else term.left_halo.shape[axis]
    parts = [term.block, term.left_halo, term.right_halo, *term.positions]
    to = out.dtype if out.dtype in _COMPUTED_DTYPES else np.dtype(np.float32)
    dtype = parts[0].dtype if parts[0].dtype in _COMPUTED_DTYPES else to
    z_dtype = parts[3].dtype if parts[3].dtype in _POSITION_DTYPES else np.dtype(np.float64)
    dtypes = [dtype] * 3 + [z_dtype] * 3
    in_place = all(
        a.dtype == wanted and _has_lane_step(a, axis)
        for a, wanted in zip((parts[0], parts[3], out), (dtype, z_dtype, to), strict=True)
    )
    if in_place:
        # A halo has few cells, so it is copied where its layout is another one.
        arrays = [
            part
            if part is None or (part.dtype == wanted and _has_lane_step(part, axis))
            else as_aligned(part, wanted)
            for part, wanted in zip(parts, dtypes, strict=True)
        ]
        _run_or_replace(arrays, out, axis, windows, reach)
        return
    for box in cache_blocks(out.shape, axis):
        whole_axis = (*box[:axis], slice(None), *box[axis + 1 :])
        copies = [
            part if part is None else np.array(part[whole_axis], wanted, order="C")
            for part, wanted in zip(parts, dtypes, strict=True)
        ]
        result = np.empty(out[whole_axis].shape, to)
        _run_or_replace(copies, result, axis, windows, reach)
        assign(out[whole_axis], result)


def _has_lane_step(a: Array, axis: int) -> bool:
    """Return whether cells inside the axis have one step, and all strides are positive."""
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


def _run_or_replace(
    parts: list[Any], out: Array, axis: int, windows: ColumnWindows, reach: int
) -> None:
    """Run the loops, or NumPy in their place."""
    middle = _three_point_rows(windows, parts[0].shape[axis])
    case = loop(parts[0].dtype, parts[3].dtype, out.dtype, windows.rule is None, middle is None)
    if case.is_ready:
        _run_columns(parts, out, axis, windows, reach, middle)
        return
    f, before, after, *positions = parts
    term = TermRequest(f, axis, windows, before, after, positions=tuple(positions))

    def compile_loop() -> None:
        """Run the loops on one column, of no values in particular."""
        shapes = [() if a is None else tuple(n if d == axis else 1 for d, n in enumerate(a.shape))
                  for a in (*parts, out)]  # fmt: skip
        *column, result = [
            None if a is None else np.zeros(shape, a.dtype)
            for a, shape in zip((*parts, out), shapes, strict=True)
        ]
        _run_columns(column, result, axis, windows, reach, middle)  # type: ignore[arg-type]

    case.replace(lambda: write_term(term, out), compile_loop)


def _run_columns(
    parts: list[Any],
    out: Array,
    axis: int,
    windows: ColumnWindows,
    reach: int,
    middle: tuple[int, int] | None,
) -> None:
    """Run the loops over (outer, axis, inner), with that of three-point rows for the middle."""
    column_loops, _, lanes_at_once, rows_at_once = _loops()
    arrays = [part if part is not None else parts[k // 3 * 3] for k, part in enumerate(parts)]
    arrays.append(out)
    shape, length = out.shape, arrays[0].shape[axis]
    (starts, widths), (lows, highs), orders = windows.table, windows.node_ranges, windows.widest
    n_lines = min(rows_at_once, windows.n) + int((highs - lows).max())
    computed = _COMPUTED_DTYPES[arrays[0].dtype]
    scratch = (
        np.empty(n_lines * lanes_at_once),
        np.empty(orders * n_lines * lanes_at_once, computed),
        np.empty((windows.deriv + 1) * lanes_at_once, computed),
        np.empty(windows.deriv + 1, computed),
        np.arange(max(orders, windows.deriv + 1)),
    )
    inner = prod(shape[axis + 1 :])
    row = [a.strides[axis] // a.itemsize for a in arrays]
    lane = [_lane_step(a, axis) for a in arrays]
    constants = windows.deriv, factorial(windows.deriv), orders, n_lines, scratch, windows.rule
    for pieces, count, steps in collapse_outer_axes(arrays, axis):
        cells = [flat_view(a) for a in pieces]
        for array in cells[:6]:
            read_only_view(array)
        # Lanes are the columns inside the axis, or those outside it where there are few inside.
        inside = inner >= min(lanes_at_once // 4, count)
        strides = [steps, row, lane] if inside else [lane, row, steps]
        sizes = (count, inner) if inside else (inner, count)
        f, z = (
            (tuple(cells[k : k + 3]), *(tuple(step[k : k + 3]) for step in strides)) for k in (0, 3)
        )
        done = 0, 0
        if middle is not None:
            done = _run_three_points(cells, (steps, row, lane), (count, inner), windows, middle)
        for first, last in ((0, done[0]), (done[1], windows.n)):
            if first < last:
                to = cells[6][first * row[6] :], *(step[6] for step in strides)
                rows = (a[first:last] for a in (starts, widths, lows, highs))
                center = windows.center + first
                column_loops()(
                    f, z, (0, reach, -length), length, to, *sizes, *rows, center, *constants
                )


def _three_point_rows(windows: ColumnWindows, length: int) -> tuple[int, int] | None:
    """Return the rows of first derivatives by the nodes around each, all of which are in the block.

    None if there are no such rows.
    """
    # Rows of wider windows may have three-point rows only next to both ends.
    if windows.deriv != 1 or windows.half != 1 or windows.rule is not None:
        return None
    starts, widths = windows.table
    before = windows.center - 1 + np.arange(windows.n)
    rows = np.flatnonzero(
        (starts == before) & (widths == 3) & (before >= 0) & (before + 3 <= length)
    )
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else None


def _run_three_points(
    cells: list[Array],
    strides: tuple[list[int], list[int], list[int]],
    sizes: tuple[int, int],
    windows: ColumnWindows,
    middle: tuple[int, int],
) -> tuple[int, int]:
    """Run the loop of three-point rows, and return the rows that it computed.

    These are none if cells of a row are not adjacent.
    """
    (outer, row, lane), (count, inner), (first, last) = strides, sizes, middle
    n_rows, n_cells, node, along_cells = last - first, inner, row, inner == 1
    f, z, to = 0, 3, 6
    if along_cells:
        # Lines along the axis are rows of cells, whose neighbours are nodes.
        outer, row, lane, count, n_rows, n_cells = [0] * 7, outer, row, 1, count, n_rows
    if not lane[f] == lane[z] == lane[to] == 1:
        return 0, 0
    center, edges = windows.center + first, (False, False)
    if not along_cells:
        edges = _is_edge(windows, first - 1, 0), _is_edge(windows, last, -1)
    rows = first - edges[0], last + edges[1]
    _, three_point_loop, *_ = _loops()
    computed = _COMPUTED_DTYPES[cells[f].dtype]
    read = [
        part for k in (f, z)
        for part in (cells[k], outer[k], row[k], node[k], center * node[k])
    ]  # fmt: skip
    three_point_loop(computed.kind == "c", along_cells)(
        *read, cells[to][rows[0] * node[to] :], outer[to], row[to], count, n_rows, edges, n_cells,
        np.empty(CELLS_AT_ONCE, computed), computed.type(0),
    )  # fmt: skip
    return rows


def _is_edge(windows: ColumnWindows, row: int, offset: int) -> bool:
    """Return whether a row has two nodes, the first of which is ``offset`` nodes from its own."""
    starts, widths = windows.table
    inside = 0 <= row < windows.n
    return inside and (starts[row], widths[row]) == (windows.center + row + offset, 2)


@cache
def _loops() -> tuple[Callable[..., Any], Callable[..., Any], int, int]:
    """Load the compiler, and return what makes the loops, and the columns and rows of a pass."""
    with LOADING:
        from .column_loops import LANES, ROWS, column_loops, three_point_loop
    return column_loops, three_point_loop, LANES, ROWS
