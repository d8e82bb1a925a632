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
from numba import njit, uint64
from numpy.typing import NDArray

from ..stencils import Stencil
from ._boxes import boxes

__all__ = ["derivative"]

#: Data types the loops are compiled for, each with that of its coefficients; all others pass
#: through one of them piece by piece.
_REAL = {np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)}
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
def _across(width: int) -> Callable[..., None]:
    """Interior rows of an axis that is not innermost: vectorised over the inner cells."""

    def across(f, f_outer, f_row, g, g_outer, g_row, outer, first, last, offset, c, inner, strip):  # type: ignore[no-untyped-def]
        own = uint64(c.shape[1] > 1)  # whether each row has a column of its own
        for o in range(uint64(outer)):
            start = uint64(0)
            while start < uint64(inner):
                stop = min(start + uint64(strip), uint64(inner))
                for i in range(uint64(first), uint64(last)):
                    at = o * uint64(f_outer) + (i + uint64(offset)) * uint64(f_row)
                    to = o * uint64(g_outer) + i * uint64(g_row)
                    column = own * (i - uint64(first))
                    for j in range(start, stop):
                        total = c[0, column] * (f[at + uint64(f_row) + j] - f[at + j])
                        for k in range(1, width - 1):
                            here = at + uint64(k) * uint64(f_row) + j
                            total += c[k, column] * (f[here + uint64(f_row)] - f[here])
                        g[to + j] = total
                start = stop

    return _jit(across)


@cache
def _along(width: int) -> Callable[..., None]:
    """Interior rows of the innermost axis: vectorised over the rows, a coefficient each."""

    def along(f, f_outer, g, g_outer, outer, first, last, offset, c):  # type: ignore[no-untyped-def]
        for o in range(uint64(outer)):
            at = o * uint64(f_outer) + uint64(first) + uint64(offset)
            to = o * uint64(g_outer) + uint64(first)
            for i in range(uint64(last - first)):
                total = c[0, i] * (f[at + i + uint64(1)] - f[at + i])
                for k in range(1, width - 1):
                    here = at + i + uint64(k)
                    total += c[k, i] * (f[here + uint64(1)] - f[here])
                g[to + i] = total

    return _jit(along)


@cache
def _along_uniform(width: int) -> Callable[..., None]:
    """The same with coefficients that all rows share."""

    def along_uniform(f, f_outer, g, g_outer, outer, first, last, offset, c):  # type: ignore[no-untyped-def]
        for o in range(uint64(outer)):
            at = o * uint64(f_outer) + uint64(first) + uint64(offset)
            to = o * uint64(g_outer) + uint64(first)
            for i in range(uint64(last - first)):
                total = c[0] * (f[at + i + uint64(1)] - f[at + i])
                for k in range(1, width - 1):
                    here = at + i + uint64(k)
                    total += c[k] * (f[here + uint64(1)] - f[here])
                g[to + i] = total

    return _jit(along_uniform)


@cache
def _edges() -> Callable[..., None]:
    """Rows with a window of their own, whose nodes may be the cells before or after the block.

    They are few, so one loop serves every width.
    """

    def edges(  # type: ignore[no-untyped-def]
        parts, outer_steps, row_steps, shifts, length, g, g_outer, g_row,
        outer, rows, starts, widths, c, inner,
    ):  # fmt: skip
        cells = uint64(4096)  # few enough that they stay in the innermost cache
        many = max(uint64(1), uint64(64) // uint64(inner))
        for o_first in range(uint64(0), uint64(outer), many):
            o_last = min(o_first + many, uint64(outer))
            for e in range(len(rows)):
                for j_first in range(uint64(0), uint64(inner), cells):
                    j_last = min(j_first + cells, uint64(inner))
                    for k in range(widths[e] - 1):
                        node = starts[e] + k
                        p = 1 if node < 0 else 0 if node < length else 2
                        low = (node + shifts[p]) * row_steps[p]
                        q = 1 if node + 1 < 0 else 0 if node + 1 < length else 2
                        high = (node + 1 + shifts[q]) * row_steps[q]
                        for o in range(o_first, o_last):
                            a = uint64(low) + o * uint64(outer_steps[p])
                            b = uint64(high) + o * uint64(outer_steps[q])
                            to = o * uint64(g_outer) + uint64(rows[e]) * uint64(g_row)
                            f, h = parts[p], parts[q]
                            if k == 0:
                                for j in range(j_first, j_last):
                                    g[to + j] = c[e, 0] * (h[b + j] - f[a + j])
                            else:
                                for j in range(j_first, j_last):
                                    g[to + j] += c[e, k] * (h[b + j] - f[a + j])

    return _jit(edges)


def derivative(
    f: Array,
    axis: int,
    stencil: Stencil,
    out: Array,
    before: Array | None = None,
    after: Array | None = None,
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
    """
    if not out.size:
        return
    alone = before is None and after is None
    usual = alone and f.flags.c_contiguous and out.flags.c_contiguous and f.flags.aligned
    if usual and f.dtype == out.dtype and f.dtype in _REAL:
        n, m, inner = f.shape[axis], out.shape[axis], prod(f.shape[axis + 1 :])
        flat, g, outer = [f.reshape(-1)], out.reshape(-1), prod(f.shape[:axis])
        _loop(flat, [n * inner], [inner], g, m * inner, inner, outer, inner, stencil, 0, n)
        return
    parts: tuple[Array, ...] = (f,)
    if not alone:
        parts = (f, f if before is None else before, f if after is None else after)
    reach = 0 if before is None else before.shape[axis]
    if not out.flags.c_contiguous:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        parts, out = tuple(part.transpose(order) for part in parts), out.transpose(order)
        axis = order.index(axis)
    computed = out.dtype if out.dtype in _REAL else np.dtype(np.float32)
    plain = parts[0].dtype == computed == out.dtype and _walkable(parts[0], axis)
    if plain and _walkable(out, axis):
        if len(parts) > 1:
            # The cells around a block are few; they are laid out as it is if they are not yet.
            parts = tuple(p if _walkable(p, axis) else np.ascontiguousarray(p) for p in parts)
        _walk(parts, axis, stencil, out, reach)
        return
    for box in boxes(out.shape, axis):
        every = (*box[:axis], slice(None), *box[axis + 1 :])
        fresh = tuple(np.ascontiguousarray(part[every], dtype=computed) for part in parts)
        result = np.empty(out[every].shape, computed)
        _walk(fresh, axis, stencil, result, reach)
        out[every] = result


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


def _walk(parts: tuple[Array, ...], axis: int, stencil: Stencil, out: Array, reach: int) -> None:
    """Run the loops over (outer, axis, inner); outer axes that do not merge are looped over."""
    shape = parts[0].shape
    inner, outer = prod(shape[axis + 1 :]), 1
    outer_steps = [0] * (len(parts) + 1)
    for d in range(axis - 1, -1, -1):
        if shape[d] == 1:
            continue
        steps = [a.strides[d] for a in (*parts, out)]
        if outer == 1:
            outer_steps = steps
        elif steps != [s * outer for s in outer_steps]:
            for i in range(shape[d]):
                at = (slice(None),) * d + (slice(i, i + 1),)
                _walk(tuple(p[at] for p in parts), axis, stencil, out[at], reach)
            return
        outer *= shape[d]
    size = out.itemsize
    *f_outer, g_outer = [s // size for s in outer_steps]
    f_row, g_row = [p.strides[axis] // size for p in parts], out.strides[axis] // size
    flat, n = [_flat(p) for p in parts], shape[axis]
    _loop(flat, f_outer, f_row, _flat(out), g_outer, g_row, outer, inner, stencil, reach, n)


def _loop(
    flat: list[Array],
    f_outer: list[int],
    f_row: list[int],
    g: Array,
    g_outer: int,
    g_row: int,
    outer: int,
    inner: int,
    stencil: Stencil,
    reach: int,
    length: int,
) -> None:
    """Run the loops on flat arrays: the block alone, or with the cells before and after it."""
    for part in flat:
        part.flags.writeable = False  # one compiled type for writable and read-only fields
    c, edges = stencil.tables(_REAL[g.dtype])
    first, last, offset = stencil.first, stencil.last, stencil.offset
    if last > first:
        lead = flat[0], f_outer[0]
        if inner > 1:
            run, strip = _across(stencil.width), STRIP // g.itemsize
            run(*lead, f_row[0], g, g_outer, g_row, outer, first, last, offset, c, inner, strip)
        elif stencil.uniform:
            run = _along_uniform(stencil.width)
            run(*lead, g, g_outer, outer, first, last, offset, c.reshape(-1))
        else:
            _along(stencil.width)(*lead, g, g_outer, outer, first, last, offset, c)
    if len(stencil.edge_rows):
        if len(flat) == 1:
            flat, f_outer, f_row = flat * 3, f_outer * 3, f_row * 3
        parts = tuple(flat), tuple(f_outer), tuple(f_row), (0, reach, -length), length
        rows, starts, widths = stencil.edge_rows, stencil.edge_starts, stencil.edge_widths
        _edges()(*parts, g, g_outer, g_row, outer, rows, starts, widths, edges, inner)


def _flat(a: Array) -> Array:
    """All memory from an array's first to its last cell, as one flat view."""
    if a.flags.c_contiguous:
        return a.reshape(-1)
    extent = 1 + sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (extent,), (a.itemsize,))
