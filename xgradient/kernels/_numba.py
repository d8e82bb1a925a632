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
from threading import Lock
from typing import Any

import numpy as np
from numba import from_dtype, njit, uint64, vectorize
from numpy.typing import NDArray

from ..stencils import Stencil
from ._boxes import boxes

__all__ = ["derivative", "pointwise"]

#: Data types the loops are compiled for, each with that of its coefficients; all others pass
#: through one of them piece by piece.
_REAL = {np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)}
#: One thread compiles at a time what several may need at once.
_COMPILING = Lock()
#: What stands for a weight where there is none.
_NO_WEIGHT = {t: np.zeros(0, r) for t, r in _REAL.items()}
#: Bytes of a row that are worked on at a time where the axis is not the innermost.
STRIP = 1 << 19

Array = NDArray[Any]


def _jit(function: Callable[..., None]) -> Callable[..., None]:
    # No fastmath: with fused multiply-adds a row's last bit would depend on which loop computes it.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        # No writable place for the cache, neither beside this file nor in the user's home.
        return njit(**options)(function)  # type: ignore[no-any-return]

    def run(*args: Any) -> None:
        try:
            compiled(*args)
        except OSError:
            # Compiled, but the disk of the cache is full: a second call finds the loop in memory.
            compiled(*args)

    return run


@cache
def _across(width: int, weigh: int, how: int) -> Callable[..., None]:
    """Interior rows of an axis that is not innermost: vectorised over the inner cells.

    ``weigh`` tells what a row's sum is multiplied with: nothing (0), one weight for the whole
    row (1), or one for each of its cells (2); or that the row's own cells are added to it, times
    one weight for all (3) or one for each (4). ``how`` tells what becomes of the sum, as `Call`
    has it; roots of squares are taken of ratios, for squares of small numbers vanish in float32.
    """

    def across(  # type: ignore[no-untyped-def]
        f, f_outer, f_row, g, g_outer, g_row, w, w_outer, w_row,
        outer, first, last, offset, own, c, inner, strip,
    ):  # fmt: skip
        many = uint64(c.shape[1] > 1)  # whether each row has a column of its own
        one = c.dtype.type(1)
        for o in range(uint64(outer)):
            start = uint64(0)
            while start < uint64(inner):
                stop = min(start + uint64(strip), uint64(inner))
                for i in range(uint64(first), uint64(last)):
                    at = o * uint64(f_outer) + (i + uint64(offset)) * uint64(f_row)
                    to = o * uint64(g_outer) + i * uint64(g_row)
                    by = o * uint64(w_outer) + i * uint64(w_row)
                    me = o * uint64(f_outer) + (i + uint64(own)) * uint64(f_row)
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
                            a, b = abs(g[to + j]), abs(total)
                            high, low = (a, b) if a > b else (b, a)
                            ratio = low / high if high > 0 else low
                            total = high * np.sqrt(one + ratio * ratio)
                        if how == 3:
                            total = abs(total)
                        g[to + j] = total
                start = stop

    return _jit(across)


@cache
def _along(width: int, even: bool, weigh: int, how: int) -> Callable[..., None]:
    """Interior rows of the innermost axis: vectorised over the rows.

    They have a coefficient each, or share it if the axis is ``even``. A weight is one for all
    rows, or each has its own, as above.
    """

    def along(  # type: ignore[no-untyped-def]
        f, f_outer, g, g_outer, w, w_outer, outer, first, last, offset, own, c
    ):
        one = c.dtype.type(1)
        for o in range(uint64(outer)):
            at = o * uint64(f_outer) + uint64(first) + uint64(offset)
            to = o * uint64(g_outer) + uint64(first)
            by = o * uint64(w_outer)
            me = o * uint64(f_outer) + uint64(first) + uint64(own)
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
                    a, b = abs(g[to + i]), abs(total)
                    high, low = (a, b) if a > b else (b, a)
                    ratio = low / high if high > 0 else low
                    total = high * np.sqrt(one + ratio * ratio)
                if how == 3:
                    total = abs(total)
                g[to + i] = total

    return _jit(along)


@cache
def _edges() -> Callable[..., None]:
    """Rows with a window of their own, whose nodes may be the cells before or after the block.

    They are few, so one loop serves every width.
    """

    def edges(  # type: ignore[no-untyped-def]
        parts, outer_steps, row_steps, shifts, length, g, g_outer, g_row, w, w_outer, w_row,
        weigh, how, outer, own, rows, starts, widths, c, inner,
    ):  # fmt: skip
        cells = uint64(4096)  # few enough that they stay in the innermost cache
        many = max(uint64(1), uint64(64) // uint64(inner))
        sums = np.empty(min(uint64(inner), cells) * many, g.dtype)
        one = c.dtype.type(1)
        for o_first in range(uint64(0), uint64(outer), many):
            o_last = min(o_first + many, uint64(outer))
            for e in range(len(rows)):
                for j_first in range(uint64(0), uint64(inner), cells):
                    j_last = min(j_first + cells, uint64(inner))
                    count = j_last - j_first
                    for k in range(widths[e] - 1):
                        node = starts[e] + k
                        p = 1 if node < 0 else 0 if node < length else 2
                        low = (node + shifts[p]) * row_steps[p]
                        q = 1 if node + 1 < 0 else 0 if node + 1 < length else 2
                        high = (node + 1 + shifts[q]) * row_steps[q]
                        for o in range(o_first, o_last):
                            a = uint64(low) + o * uint64(outer_steps[p]) + j_first
                            b = uint64(high) + o * uint64(outer_steps[q]) + j_first
                            s = (o - o_first) * count
                            f, h = parts[p], parts[q]
                            if k == 0:
                                for j in range(count):
                                    sums[s + j] = c[e, 0] * (h[b + j] - f[a + j])
                            else:
                                for j in range(count):
                                    sums[s + j] += c[e, k] * (h[b + j] - f[a + j])
                    for o in range(o_first, o_last):
                        to = o * uint64(g_outer) + uint64(rows[e]) * uint64(g_row) + j_first
                        by = o * uint64(w_outer) + uint64(rows[e]) * uint64(w_row)
                        s = (o - o_first) * count
                        if weigh == 1:
                            for j in range(count):
                                sums[s + j] *= w[by]
                        if weigh == 2:
                            for j in range(count):
                                sums[s + j] *= w[by + j_first + j]
                        if weigh > 2:
                            f, node = parts[0], uint64(rows[e] + own)
                            me = o * uint64(outer_steps[0]) + node * uint64(row_steps[0]) + j_first
                            each = uint64(weigh == 4)
                            for j in range(count):
                                sums[s + j] += w[by + each * (j_first + j)] * f[me + j]
                        if how == 1:
                            for j in range(count):
                                sums[s + j] += g[to + j]
                        if how == 2:
                            for j in range(count):
                                a, b = abs(g[to + j]), abs(sums[s + j])
                                high, low = (a, b) if a > b else (b, a)
                                ratio = low / high if high > 0 else low
                                sums[s + j] = high * np.sqrt(one + ratio * ratio)
                        if how == 3:
                            for j in range(count):
                                sums[s + j] = abs(sums[s + j])
                        for j in range(count):
                            g[to + j] = sums[s + j]

    return _jit(edges)


@cache
def _ufunc(function: Callable[..., Any], count: int, dtype: np.dtype[Any]) -> Any:
    """A function of numbers as one of arrays, in one loop that makes nothing on the way."""
    t = from_dtype(dtype)
    with _COMPILING:
        try:
            return vectorize([t(*[t] * count)], cache=True)(function)
        except RuntimeError:  # as for the loops above
            return vectorize([t(*[t] * count)])(function)


def pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> bool:
    """Write a function of numbers, taken at every cell of some arrays, into an array.

    Returns
    -------
    bool
        Whether there is a loop for these dtypes; nothing is written if there is not.
    """
    dtype = arrays[0].dtype
    if dtype not in _REAL or any(a.dtype != dtype for a in arrays):
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
    alone = before is None and after is None
    usual = alone and f.flags.c_contiguous and out.flags.c_contiguous and f.flags.aligned
    if usual and f.dtype == out.dtype and f.dtype in _REAL:
        n, m, inner = f.shape[axis], out.shape[axis], prod(f.shape[axis + 1 :])
        w, kind = _laid_out(weight, out, axis, own)
        flat, g, outer = [f.reshape(-1)], out.reshape(-1), prod(f.shape[:axis])
        steps = [n * inner], [inner], m * inner, inner, w.size // outer, _row(w, axis)
        _loop(flat, g, w.reshape(-1), *steps, outer, inner, stencil, 0, n, kind, how)
        return
    parts: tuple[Array, ...] = (f,)
    if not alone:
        parts = (f, f if before is None else before, f if after is None else after)
    reach = 0 if before is None else before.shape[axis]
    if not out.flags.c_contiguous:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        parts, out = tuple(part.transpose(order) for part in parts), out.transpose(order)
        weight = None if weight is None else weight.transpose(order)
        axis = order.index(axis)
    computed = out.dtype if out.dtype in _REAL else np.dtype(np.float32)
    plain = parts[0].dtype == computed == out.dtype and _walkable(parts[0], axis)
    if plain and _walkable(out, axis):
        if len(parts) > 1:
            # The cells around a block are few; they are laid out as it is if they are not yet.
            parts = tuple(p if _walkable(p, axis) else np.ascontiguousarray(p) for p in parts)
        _walk(parts, axis, stencil, out, reach, *_laid_out(weight, out, axis, own), how)
        return
    for box in boxes(out.shape, axis):
        every = (*box[:axis], slice(None), *box[axis + 1 :])
        fresh = tuple(np.ascontiguousarray(part[every], dtype=computed) for part in parts)
        result = np.array(out[every], computed, order="C")
        part = None if weight is None else np.broadcast_to(weight, out.shape)[every]
        _walk(fresh, axis, stencil, result, reach, *_laid_out(part, result, axis, own), how)
        out[every] = result


def _laid_out(weight: Array | None, out: Array, axis: int, own: int) -> tuple[Array, int]:
    """A weight as the loops read it, and its kind, as `_across` has them; ``own`` is 2 or 0."""
    if weight is None:
        return _NO_WEIGHT[out.dtype], 0
    # A row lies along the dimensions inside the axis; the innermost axis is a row itself.
    last = axis + 1 if prod(out.shape[axis + 1 :]) > 1 else axis
    by_row = all(n == 1 for n in weight.shape[last:])
    shape = out.shape[:last] + (1,) * (out.ndim - last) if by_row else out.shape
    if weight.shape != shape or not weight.flags.c_contiguous or weight.dtype != _REAL[out.dtype]:
        weight = np.ascontiguousarray(np.broadcast_to(weight, shape), _REAL[out.dtype])
    return weight, (1 if by_row else 2) + own


def _row(w: Array, axis: int) -> int:
    """Step of a weight from one row to the next, in items."""
    return w.strides[axis] // w.itemsize if w.size and w.shape[axis] > 1 else 0


def _walkable(a: Array, axis: int) -> bool:
    """Whether the cells inside the axis lie one after the other, and nothing runs backwards."""
    if not a.flags.aligned:
        return False
    if a.flags.c_contiguous:
        return True
    inner = a.itemsize
    for d in range(a.ndim - 1, axis, -1):
        if a.shape[d] > 1:
            if a.strides[d] != inner:
                return False
            inner *= a.shape[d]
    if inner == a.itemsize and a.shape[axis] > 1 and a.strides[axis] != inner:
        return False
    return all(s >= 0 and s % a.itemsize == 0 for s in a.strides)


def _walk(
    parts: tuple[Array, ...],
    axis: int,
    stencil: Stencil,
    out: Array,
    reach: int,
    w: Array,
    kind: int,
    how: int,
) -> None:
    """Run the loops over (outer, axis, inner); outer axes that do not merge are looped over."""
    shape = parts[0].shape
    inner, outer = prod(shape[axis + 1 :]), 1
    every = (*parts, out, w) if kind else (*parts, out)
    outer_steps = [0] * (len(parts) + 2)
    for d in range(axis - 1, -1, -1):
        if shape[d] == 1:
            continue
        steps = [a.strides[d] // a.itemsize for a in every]
        if outer == 1:
            outer_steps = steps
        elif steps != [s * outer for s in outer_steps]:
            for i in range(shape[d]):
                at = (slice(None),) * d + (slice(i, i + 1),)
                of = w[at] if kind else w
                _walk(tuple(p[at] for p in parts), axis, stencil, out[at], reach, of, kind, how)
            return
        outer *= shape[d]
    if not kind:
        outer_steps.append(0)
    *f_outer, g_outer, w_outer = outer_steps[: len(parts) + 2]
    f_row = [p.strides[axis] // p.itemsize for p in parts]
    along = f_outer, f_row, g_outer, out.strides[axis] // out.itemsize, w_outer, _row(w, axis)
    flat, n = [_flat(p) for p in parts], shape[axis]
    _loop(flat, _flat(out), _flat(w), *along, outer, inner, stencil, reach, n, kind, how)


def _loop(
    flat: list[Array],
    g: Array,
    w: Array,
    f_outer: list[int],
    f_row: list[int],
    g_outer: int,
    g_row: int,
    w_outer: int,
    w_row: int,
    outer: int,
    inner: int,
    stencil: Stencil,
    reach: int,
    length: int,
    kind: int,
    how: int,
) -> None:
    """Run the loops on flat arrays: the block alone, or with the cells before and after it."""
    for part in (*flat, w):
        part.flags.writeable = False  # one compiled type for writable and read-only fields
    c, edges = stencil.tables(_REAL[g.dtype])
    first, last, offset, own = stencil.first, stencil.last, stencil.offset, stencil.own
    if last > first:
        lead = flat[0], f_outer[0]
        if inner > 1:
            run, strip = _across(stencil.width, kind, how), STRIP // g.itemsize
            along = g, g_outer, g_row, w, w_outer, w_row
            run(*lead, f_row[0], *along, outer, first, last, offset, own, c, inner, strip)
        else:
            run = _along(stencil.width, stencil.uniform, kind, how)
            run(*lead, g, g_outer, w, w_outer, outer, first, last, offset, own, c)
    if len(stencil.edge_rows):
        if len(flat) == 1:
            flat, f_outer, f_row = flat * 3, f_outer * 3, f_row * 3
        parts = tuple(flat), tuple(f_outer), tuple(f_row), (0, reach, -length), length
        to = g, g_outer, g_row, w, w_outer, w_row, kind, how
        rows, starts, widths = stencil.edge_rows, stencil.edge_starts, stencil.edge_widths
        _edges()(*parts, *to, outer, own, rows, starts, widths, edges, inner)


def _flat(a: Array) -> Array:
    """All memory from an array's first to its last cell, as one flat view."""
    if a.flags.c_contiguous:
        return a.reshape(-1)
    extent = 1 + sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (extent,), (a.itemsize,))
