"""Choose and run the compiled loops of a stencil for arrays of any memory layout."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from ...stencils.table import Stencil
from ..requests import BlockWithHalo
from .layout import (
    as_aligned,
    base_offset,
    cache_blocks,
    collapse_outer_axes,
    flat_view,
    is_contiguous_along,
    is_worth_striding,
    read_only_view,
    strided_order,
)
from .masked_loops import StridedArray, run_masked
from .stencil_loops import COMPILED_DTYPES, Array, interior_last_axis, interior_outer_axis

#: What stands for a weight where there is none.
_NO_WEIGHT = {t: np.zeros(0, r) for t, r in COMPILED_DTYPES.items()}
for _weight in _NO_WEIGHT.values():
    _weight.setflags(write=False)
#: Bytes that are worked on at a time, of which each row that lies across them has at least so many:
#: what a window reaches stays in cache until the next rows and the ends of the axis have used it.
STRIP_BYTES, MIN_ROW_BYTES = 1 << 19, 1 << 16


def write_derivative(
    f: Array,
    axis: int,
    stencil: Stencil,
    out: Array,
    before: Array | None = None,
    after: Array | None = None,
    weight: Array | None = None,
    value: Array | None = None,
    accumulate: int = 0,
) -> None:
    """Write the rows of a stencil, applied along one axis, into an array.

    Parameters
    ----------
    f : ndarray
        The field: any strides, any real or complex dtype up to 64 bits a part.
    axis : int
        The axis, not negative.
    stencil : Stencil
        The rows; node 0 is the first cell of ``f`` along the axis. Interior windows lie within
        ``f``, those of edge rows may reach into ``before`` and ``after``.
    out : ndarray
        Where the result goes: ``stencil.n`` long along ``axis``, as ``f`` otherwise.
    before, after : ndarray, optional
        The cells before and after ``f`` along the axis.
    weight : ndarray, optional
        What the result is multiplied with: as many dimensions as ``out``, each of its length or 1.
    value : ndarray, optional
        Instead of a weight: what ``f`` itself is multiplied with and added.
    how : int, default: 0
        What becomes of the result, as `TermRequest` has it.
    """
    if not out.size:
        return
    weight, own = (weight, 0) if value is None else (value, 2)
    alone, flags = before is None and after is None, f.flags
    plain = alone and flags.c_contiguous and flags.aligned and out.flags.c_contiguous
    if plain and f.dtype == out.dtype and out.dtype in COMPILED_DTYPES:
        n, m, inner = f.shape[axis], out.shape[axis], prod(f.shape[axis + 1 :])
        outer = out.size // (m * inner)
        lines, to = (read_only_view(f.ravel()), n * inner, inner), (out.ravel(), m * inner, inner)
        by, kind = (_NO_WEIGHT[out.dtype], 0, 0), 0
        if weight is not None:
            weight, kind = _prepare_weight(weight, out, axis, own)
            by = read_only_view(weight.ravel()), weight.size // outer, _row_step(weight, axis)
        _run_loops(lines, 0, lines, lines, to, by, outer, inner, stencil, 0, n, kind, accumulate)
        return
    parts: BlockWithHalo = f, before, after
    reach = 0 if before is None else before.shape[axis]
    if not out.flags.c_contiguous:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        parts, out = _map_parts(parts, lambda a: a.transpose(order)), out.transpose(order)
        weight = None if weight is None else weight.transpose(order)
        axis = order.index(axis)
    computed = out.dtype if out.dtype in COMPILED_DTYPES else np.dtype(np.float32)
    if f.dtype == computed == out.dtype:
        way = strided_order([parts[0], out], axis)
        if way and _is_constant_along(weight, way[way.index(axis) + 1 :]):
            turned, there = _map_parts(parts, lambda a: a.transpose(way)), out.transpose(way)
            part = None if weight is None else weight.transpose(way)
            if _run_strided(turned, way.index(axis), stencil, there, reach, part, own, accumulate):
                return
        if _run_strided(parts, axis, stencil, out, reach, weight, own, accumulate):
            return
    for box in cache_blocks(out.shape, axis):
        every, there = (*box[:axis], slice(None), *box[axis + 1 :]), out[box]
        fresh = _map_parts(parts, lambda a, at=every: as_aligned(a[at], computed))
        part = None
        if weight is not None:  # as long as it is: broadcast, it would take other loops
            sides = zip(box, weight.shape, strict=True)
            part = weight[tuple(side if n > 1 else slice(None) for side, n in sides)]
        if there.dtype != computed or not _run_strided(
            fresh, axis, stencil, there, reach, part, own, accumulate
        ):
            result = np.array(there, computed, order="C")
            walked = _run_strided(fresh, axis, stencil, result, reach, part, own, accumulate)
            assert walked
            there[...] = result


def _map_parts(parts: BlockWithHalo, change: Callable[..., Array]) -> BlockWithHalo:
    """What becomes of a block, and of the cells before and after it where there are any."""
    f, before, after = parts
    return (
        change(f),
        None if before is None else change(before),
        None if after is None else change(after),
    )


def _prepare_weight(weight: Array | None, out: Array, axis: int, own: int) -> tuple[Array, int]:
    """Return a weight as the loops read it, and how it is used; see `interior_outer_axis`."""
    if weight is None:
        return _NO_WEIGHT[out.dtype], 0
    # A row lies along the dimensions inside the axis; the innermost axis is a row itself.
    last = axis + 1 if prod(out.shape[axis + 1 :]) > 1 else axis
    by_row = all(n == 1 for n in weight.shape[last:])
    shape = out.shape[:last] + (1,) * (out.ndim - last) if by_row else out.shape
    real, flags = COMPILED_DTYPES[out.dtype], weight.flags
    there = flags.c_contiguous and flags.aligned and weight.dtype == real
    if weight.shape != shape or not there:
        weight = as_aligned(np.broadcast_to(weight, shape), real)
    return weight, (1 if by_row else 2) + own


def _row_step(w: Array, axis: int) -> int:
    """Step from one row to the next, in items; none for a weight that all rows share."""
    return w.strides[axis] // w.itemsize if w.shape[axis] > 1 else 0


def _is_constant_along(weight: Array | None, dims: list[int]) -> bool:
    """Whether there is no weight, or one that is the same along some dimensions."""
    return weight is None or all(weight.shape[d] == 1 for d in dims)


def _is_strided_ok(a: Array, axis: int, *, backwards: bool = False) -> bool:
    """Whether the cells inside the axis, or along an innermost one, lie one after the other.

    Other axes may run backwards, if that is allowed.
    """
    if not a.flags.aligned:
        return False
    if a.flags.c_contiguous:
        return True
    row = axis + 1 if prod(a.shape[axis + 1 :]) > 1 else axis
    if not all(is_contiguous_along(a, d) for d in range(row, a.ndim)):
        return False
    return all(s % a.itemsize == 0 and (s >= 0 or backwards) for s in a.strides)


def _run_strided(
    parts: BlockWithHalo,
    axis: int,
    stencil: Stencil,
    out: Array,
    reach: int,
    weight: Array | None,
    own: int,
    accumulate: int,
) -> bool:
    """Run the loops over (outer, axis, inner), if the arrays lie so that it is worth it."""
    f = parts[0]
    if not (_is_strided_ok(f, axis, backwards=True) and _is_strided_ok(out, axis)):
        return False
    if not is_worth_striding([f, out], axis):
        return False
    # The cells around a block are few; they are laid out as it is if they are not yet.
    around = [p for p in parts[1:] if p is not None]
    around = [
        p if p.dtype == f.dtype and _is_strided_ok(p, axis) else as_aligned(p, f.dtype)
        for p in around
    ]
    w, kind = _prepare_weight(weight, out, axis, own)
    length, inner = f.shape[axis], prod(out.shape[axis + 1 :])
    for every, outer, steps in collapse_outer_axes([f, *around, out, *([w] if kind else [])], axis):
        start = base_offset(every[0])
        lines = [
            (flat_view(a), step, _row_step(a, axis)) for a, step in zip(every, steps, strict=True)
        ]
        by = lines.pop() if kind else (w, 0, 0)
        to = lines.pop()
        for cells, _, _ in (*lines, by):
            read_only_view(cells)
        # No window reaches to where no cells are given, so any stand for them.
        before = lines[0] if parts[1] is None else lines[1]
        after = lines[0] if parts[2] is None else lines[-1]
        _run_loops(
            lines[0],
            start,
            before,
            after,
            to,
            by,
            outer,
            inner,
            stencil,
            reach,
            length,
            kind,
            accumulate,
        )
    return True


def _run_loops(
    lines: StridedArray,
    start: int,
    before: StridedArray,
    after: StridedArray,
    to: StridedArray,
    by: StridedArray,
    outer: int,
    inner: int,
    stencil: Stencil,
    reach: int,
    length: int,
    kind: int,
    accumulate: int,
) -> None:
    """Run the loops: over the interior rows within the block, and over those at its ends."""
    along = inner == 1
    size = to[0].itemsize
    each = STRIP_BYTES // (length * size) or 1
    if not along and each * size < MIN_ROW_BYTES:
        each = MIN_ROW_BYTES // size
    if stencil.masked is not None:
        (table,) = stencil.masked.tables[COMPILED_DTYPES[to[0].dtype]]
        around = before, after, reach, length
        run_masked(
            lines, start, *around, to, by, outer, inner, stencil, table, kind, accumulate, each
        )
        return
    # Named one by one, for to unpack them in each call takes longer.
    (f, f_outer, f_row), (g, g_outer, g_row), (w, w_outer, w_row) = lines, to, by
    (b, b_outer, b_row), (a, a_outer, a_row) = before, after
    c, edges = stencil.tables[COMPILED_DTYPES[g.dtype]]
    width = stencil.width
    run = (
        interior_last_axis(width, stencil.uniform, kind, accumulate)
        if along
        else interior_outer_axis(width, kind, accumulate)
    )
    run(
        f, start, f_outer, f_row, b, b_outer, b_row, a, a_outer, a_row, g, g_outer, g_row,
        w, w_outer, w_row, reach, length, outer, inner, stencil.first, stencil.last,
        stencil.offset, stencil.center, c, stencil.boundary_windows, edges, each,
    )  # fmt: skip
