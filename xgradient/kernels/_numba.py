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
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stencils import Stencil
from ._boxes import (
    boxes,
    first_cell,
    flat,
    follow,
    laid_out,
    read_only,
    stacks,
    walking_order,
    worth_walking,
)
from ._calls import Parts
from ._coastal import Lines, coastal
from ._jit import PLAIN, int64, jit, ufunc, uint64
from ._spans import root_of_squares

__all__ = ["derivative", "pointwise"]

#: Data types the loops are compiled for, each with that of its coefficients; all others pass
#: through one of them piece by piece.
_REAL = {np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)}
#: What stands for a weight where there is none.
_NO_WEIGHT = {t: np.zeros(0, r) for t, r in _REAL.items()}
for _weight in _NO_WEIGHT.values():
    _weight.setflags(write=False)
#: Bytes that are worked on at a time, of which each row that lies across them has at least so many:
#: what a window reaches stays in cache until the next rows and the ends of the axis have used it.
PIECE, STRIP = 1 << 19, 1 << 16

Array = NDArray[Any]


def _edges(strided: bool) -> Callable[..., None]:
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
        weigh, how, outer, start, stop, own, windows, c,
    ):  # fmt: skip
        parts, shifts = (f, before, after), (0, reach, -length)
        starts = f_start, 0, 0
        outer_steps = f_outer, before_outer, after_outer
        row_steps = f_row, before_row, after_row
        inner = uint64(stop) - uint64(start)
        cells = uint64(4096)  # few enough that they stay in the innermost cache
        step = uint64(1)
        to_step, by_step = step, uint64(weigh % 2 == 0)
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
                        if weigh in (1, 2):
                            for j in range(count):
                                sums[s + j] *= w[by + j * by_step]
                        if weigh > 2:
                            f, node = parts[0], uint64(row + own)
                            f_step = uint64(outer_steps[0]) if strided else step
                            me = uint64(f_start) + node * uint64(row_steps[0])
                            me += o * uint64(outer_steps[0]) + j_first * f_step
                            for j in range(count):
                                sums[s + j] += w[by + j * by_step] * f[me + j * f_step]
                        if how == 1:
                            for j in range(count):
                                sums[s + j] += g[to + j * to_step]
                        if how == 2:
                            for j in range(count):
                                sums[s + j] = root_of_squares(g[to + j * to_step], sums[s + j], one)
                        if how == 3:
                            for j in range(count):
                                sums[s + j] = abs(sums[s + j])
                        for j in range(count):
                            g[to + j * to_step] = sums[s + j]

    return jit(edges, strided)


#: Named here, for what a loop holds in a closure would have to be told in the name of its case.
_edges_across, _edges_along = _edges(False), _edges(True)


@cache
def _across(width: int, weigh: int, how: int) -> Callable[..., None]:
    """Interior rows of an axis that is not innermost: vectorised over the inner cells.

    ``weigh`` tells what a row's sum is multiplied with: nothing (0), one weight for the whole
    row (1), or one for each of its cells (2); or that the row's own cells are added to it, times
    one weight for all (3) or one for each (4). ``how`` tells what becomes of the sum, as `Call`
    has it.
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
                        if weigh == 1:
                            total *= w[by]
                        if weigh == 2:
                            total *= w[by + j]
                        if weigh == 3:
                            total += w[by] * f[me + j]
                        if weigh == 4:
                            total += w[by + j] * f[me + j]
                        if how == 1:
                            total += g[to + j]
                        if how == 2:
                            total = root_of_squares(g[to + j], total, one)
                        if how == 3:
                            total = abs(total)
                        g[to + j] = total
            if len(windows):
                _edges_across(
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, w_outer, w_row, reach, length,
                    int64(weigh), int64(how), outer, start, stop, own, windows, ends,
                )  # fmt: skip

    return jit(across, width, weigh, how)


@cache
def _along(width: int, even: bool, weigh: int, how: int) -> Callable[..., None]:
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
                    if weigh == 1:
                        total *= w[by]
                    if weigh == 2:
                        total *= w[by + uint64(first) + i]
                    if weigh == 3:
                        total += w[by] * f[me + i]
                    if weigh == 4:
                        total += w[by + uint64(first) + i] * f[me + i]
                    if how == 1:
                        total += g[to + i]
                    if how == 2:
                        total = root_of_squares(g[to + i], total, one)
                    if how == 3:
                        total = abs(total)
                    g[to + i] = total
            if len(windows):
                _edges_along(
                    f, f_start, f_outer, f_row,
                    before, before_outer, before_row, after, after_outer, after_row,
                    g, g_outer, g_row, w, w_outer, w_row, reach, length,
                    int64(weigh), int64(how), 1, start, stop, own, windows, ends,
                )  # fmt: skip

    return jit(along, width, even, weigh, how)


#: A function of numbers as one of arrays, in one loop that makes nothing on the way.
_ufunc = cache(ufunc)


def pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> bool:
    """Write a function of numbers, taken at every cell of some arrays, into an array.

    Returns
    -------
    bool
        Whether there is a loop for these dtypes; nothing is written if there is not.
    """
    dtype = arrays[0].dtype.newbyteorder("=")  # NumPy turns bytes on their way into the loop
    if PLAIN or dtype not in _REAL or any(a.dtype.newbyteorder("=") != dtype for a in arrays):
        return False
    _ufunc(function, len(arrays), dtype)(*arrays, out=out, casting="same_kind")
    return True


def derivative(
    f: Array,
    axis: int,
    stencil: Stencil,
    out: Array,
    before: Array | None = None,
    after: Array | None = None,
    weight: Array | None = None,
    value: Array | None = None,
    how: int = 0,
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
        What becomes of the result, as `Call` has it.
    """
    if not out.size:
        return
    weight, own = (weight, 0) if value is None else (value, 2)
    alone, flags = before is None and after is None, f.flags
    plain = alone and flags.c_contiguous and flags.aligned and out.flags.c_contiguous
    if plain and f.dtype == out.dtype and out.dtype in _REAL:
        n, m, inner = f.shape[axis], out.shape[axis], prod(f.shape[axis + 1 :])
        outer = out.size // (m * inner)
        lines, to = (read_only(f.ravel()), n * inner, inner), (out.ravel(), m * inner, inner)
        by, kind = (_NO_WEIGHT[out.dtype], 0, 0), 0
        if weight is not None:
            weight, kind = _weighed(weight, out, axis, own)
            by = read_only(weight.ravel()), weight.size // outer, _row(weight, axis)
        _loop(lines, 0, lines, lines, to, by, outer, inner, stencil, 0, n, kind, how)
        return
    parts: Parts = f, before, after
    reach = 0 if before is None else before.shape[axis]
    if not out.flags.c_contiguous:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        parts, out = _all(parts, lambda a: a.transpose(order)), out.transpose(order)
        weight = None if weight is None else weight.transpose(order)
        axis = order.index(axis)
    computed = out.dtype if out.dtype in _REAL else np.dtype(np.float32)
    if f.dtype == computed == out.dtype:
        way = walking_order([parts[0], out], axis)
        if way and _repeats(weight, way[way.index(axis) + 1 :]):
            turned, there = _all(parts, lambda a: a.transpose(way)), out.transpose(way)
            part = None if weight is None else weight.transpose(way)
            if _walk(turned, way.index(axis), stencil, there, reach, part, own, how):
                return
        if _walk(parts, axis, stencil, out, reach, weight, own, how):
            return
    for box in boxes(out.shape, axis):
        every, there = (*box[:axis], slice(None), *box[axis + 1 :]), out[box]
        fresh = _all(parts, lambda a, at=every: laid_out(a[at], computed))
        part = None
        if weight is not None:  # as long as it is: broadcast, it would take other loops
            sides = zip(box, weight.shape, strict=True)
            part = weight[tuple(side if n > 1 else slice(None) for side, n in sides)]
        if there.dtype != computed or not _walk(fresh, axis, stencil, there, reach, part, own, how):
            result = np.array(there, computed, order="C")
            walked = _walk(fresh, axis, stencil, result, reach, part, own, how)
            assert walked
            there[...] = result


def _all(parts: Parts, change: Callable[..., Array]) -> Parts:
    """What becomes of a block, and of the cells before and after it where there are any."""
    f, before, after = parts
    return (
        change(f),
        None if before is None else change(before),
        None if after is None else change(after),
    )


def _weighed(weight: Array | None, out: Array, axis: int, own: int) -> tuple[Array, int]:
    """A weight as the loops read it, and its kind, as `_across` has them; ``own`` is 2 or 0."""
    if weight is None:
        return _NO_WEIGHT[out.dtype], 0
    # A row lies along the dimensions inside the axis; the innermost axis is a row itself.
    last = axis + 1 if prod(out.shape[axis + 1 :]) > 1 else axis
    by_row = all(n == 1 for n in weight.shape[last:])
    shape = out.shape[:last] + (1,) * (out.ndim - last) if by_row else out.shape
    real, flags = _REAL[out.dtype], weight.flags
    there = flags.c_contiguous and flags.aligned and weight.dtype == real
    if weight.shape != shape or not there:
        weight = laid_out(np.broadcast_to(weight, shape), real)
    return weight, (1 if by_row else 2) + own


def _row(w: Array, axis: int) -> int:
    """Step from one row to the next, in items; none for a weight that all rows share."""
    return w.strides[axis] // w.itemsize if w.shape[axis] > 1 else 0


def _repeats(weight: Array | None, dims: list[int]) -> bool:
    """Whether there is no weight, or one that is the same along some dimensions."""
    return weight is None or all(weight.shape[d] == 1 for d in dims)


def _walkable(a: Array, axis: int, *, backwards: bool = False) -> bool:
    """Whether the cells inside the axis, or along an innermost one, lie one after the other.

    Other axes may run backwards, if that is allowed.
    """
    if not a.flags.aligned:
        return False
    if a.flags.c_contiguous:
        return True
    row = axis + 1 if prod(a.shape[axis + 1 :]) > 1 else axis
    if not all(follow(a, d) for d in range(row, a.ndim)):
        return False
    return all(s % a.itemsize == 0 and (s >= 0 or backwards) for s in a.strides)


def _walk(
    parts: Parts,
    axis: int,
    stencil: Stencil,
    out: Array,
    reach: int,
    weight: Array | None,
    own: int,
    how: int,
) -> bool:
    """Run the loops over (outer, axis, inner), if the arrays lie so that it is worth it."""
    f = parts[0]
    if not (_walkable(f, axis, backwards=True) and _walkable(out, axis)):
        return False
    if not worth_walking([f, out], axis):
        return False
    # The cells around a block are few; they are laid out as it is if they are not yet.
    around = [p for p in parts[1:] if p is not None]
    around = [
        p if p.dtype == f.dtype and _walkable(p, axis) else laid_out(p, f.dtype) for p in around
    ]
    w, kind = _weighed(weight, out, axis, own)
    length, inner = f.shape[axis], prod(out.shape[axis + 1 :])
    for every, outer, steps in stacks([f, *around, out, *([w] if kind else [])], axis):
        start = first_cell(every[0])
        lines = [(flat(a), step, _row(a, axis)) for a, step in zip(every, steps, strict=True)]
        by = lines.pop() if kind else (w, 0, 0)
        to = lines.pop()
        for cells, _, _ in (*lines, by):
            read_only(cells)
        # No window reaches to where no cells are given, so any stand for them.
        before = lines[0] if parts[1] is None else lines[1]
        after = lines[0] if parts[2] is None else lines[-1]
        _loop(
            lines[0], start, before, after, to, by, outer, inner, stencil, reach, length, kind, how
        )
    return True


def _loop(
    lines: Lines,
    start: int,
    before: Lines,
    after: Lines,
    to: Lines,
    by: Lines,
    outer: int,
    inner: int,
    stencil: Stencil,
    reach: int,
    length: int,
    kind: int,
    how: int,
) -> None:
    """Run the loops: over the interior rows within the block, and over those at its ends."""
    along = inner == 1
    size = to[0].itemsize
    each = PIECE // (length * size) or 1
    if not along and each * size < STRIP:
        each = STRIP // size
    if stencil.coasts is not None:
        (table,) = stencil.coasts.tables[_REAL[to[0].dtype]]
        around = before, after, reach, length
        coastal(lines, start, *around, to, by, outer, inner, stencil, table, kind, how, each)
        return
    # Named one by one, for to unpack them in each call takes longer.
    (f, f_outer, f_row), (g, g_outer, g_row), (w, w_outer, w_row) = lines, to, by
    (b, b_outer, b_row), (a, a_outer, a_row) = before, after
    c, edges = stencil.tables[_REAL[g.dtype]]
    width = stencil.width
    run = _along(width, stencil.uniform, kind, how) if along else _across(width, kind, how)
    run(
        f, start, f_outer, f_row, b, b_outer, b_row, a, a_outer, a_row, g, g_outer, g_row,
        w, w_outer, w_row, reach, length, outer, inner, stencil.first, stencil.last,
        stencil.offset, stencil.own, c, stencil.edge_windows, edges, each,
    )  # fmt: skip
