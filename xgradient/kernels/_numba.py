"""NumPy arrays: compiled loops over an array in its own memory order.

The loops are written so that LLVM vectorises them, which was measured and is easily lost: flat
arrays with unsigned index arithmetic (a possibly negative index needs a wrap-around test), a
window width that is a constant of the closure (so that the loop over the window unrolls), and
coefficients that are contiguous along, or constant over, the vectorised loop. Contraction to
fused multiply-adds is the one liberty given; the order of the sum is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from ..stencils import Stencil

__all__ = ["derivative"]

#: Data types the loops are compiled for, each with that of its coefficients; all others pass
#: through one of them piece by piece.
_REAL = {np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)}
#: Elements of a piece that must be converted or copied, so that the copy stays in cache.
PIECE = 1 << 15
#: Bytes of a row that are worked on at a time where the axis is not the innermost.
STRIP = 1 << 19

Array = NDArray[Any]


def _jit(function: Callable[..., None]) -> Callable[..., None]:
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract"},
    }
    try:
        return njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        # No writable place for the cache, neither beside this file nor in the user's home.
        return njit(**options)(function)  # type: ignore[no-any-return]


@cache
def _across(width: int) -> Callable[..., None]:
    """Interior rows of an axis that is not innermost: vectorised over the inner cells."""

    def across(f, f_outer, f_row, g, g_outer, g_row, outer, first, last, offset, c, inner, strip):  # type: ignore[no-untyped-def]
        uniform = uint64(c.shape[1] > 1)
        for o in range(uint64(outer)):
            start = uint64(0)
            while start < uint64(inner):
                stop = min(start + uint64(strip), uint64(inner))
                for i in range(uint64(first), uint64(last)):
                    at = o * uint64(f_outer) + (i + uint64(offset)) * uint64(f_row)
                    to = o * uint64(g_outer) + i * uint64(g_row)
                    column = uniform * (i - uint64(first))
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
    """Rows with a window of their own: few, so one loop serves every width."""

    def edges(f, f_outer, f_row, g, g_outer, g_row, outer, rows, starts, widths, c, inner):  # type: ignore[no-untyped-def]
        for o in range(uint64(outer)):
            for e in range(len(rows)):
                at = o * uint64(f_outer) + uint64(starts[e]) * uint64(f_row)
                to = o * uint64(g_outer) + uint64(rows[e]) * uint64(g_row)
                for j in range(uint64(inner)):
                    g[to + j] = c[e, 0] * (f[at + uint64(f_row) + j] - f[at + j])
                for k in range(1, widths[e] - 1):
                    here = at + uint64(k) * uint64(f_row)
                    for j in range(uint64(inner)):
                        g[to + j] += c[e, k] * (f[here + uint64(f_row) + j] - f[here + j])

    return _jit(edges)


def derivative(f: Array, axis: int, stencil: Stencil, out: Array) -> None:
    """Write the rows of a stencil, applied along one axis, into an array.

    Parameters
    ----------
    f : ndarray
        The field: any strides, any real or complex dtype up to 64 bits a part. Its length along
        ``axis`` covers every window of the stencil.
    axis : int
        The axis, not negative.
    stencil : Stencil
        The rows; all its node numbers are indices into ``f``.
    out : ndarray
        Where the result goes: ``stencil.n`` long along ``axis``, as ``f`` otherwise.
    """
    if not out.size:
        return
    plain = f.flags.c_contiguous and out.flags.c_contiguous and f.flags.aligned
    if plain and f.dtype == out.dtype and f.dtype in _REAL:
        outer, inner = prod(f.shape[:axis]), prod(f.shape[axis + 1 :])
        f_steps, g_steps = (f.shape[axis] * inner, inner), (out.shape[axis] * inner, inner)
        _loop(f.reshape(-1), f_steps, out.reshape(-1), g_steps, outer, inner, stencil)
        return
    if f.ndim > 1:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        f, out = f.transpose(order), out.transpose(order)
        axis = order.index(axis)
    computed = out.dtype if out.dtype in _REAL else np.dtype(np.float32)
    if f.dtype == computed == out.dtype and _walkable(f, axis) and _walkable(out, axis):
        _walk(f, axis, stencil, out)
        return
    for piece in _pieces(f.shape, axis, PIECE):
        fresh = np.ascontiguousarray(f[piece], dtype=computed)
        target = out[piece]
        result = np.empty(target.shape, computed)
        _walk(fresh, axis, stencil, result)
        target[...] = result


def _walkable(a: Array, axis: int) -> bool:
    """Whether the cells inside the axis lie one after the other, and nothing runs backwards."""
    inner = a.itemsize
    for d in range(a.ndim - 1, axis, -1):
        if a.shape[d] > 1:
            if a.strides[d] != inner:
                return False
            inner *= a.shape[d]
    if inner == a.itemsize and a.shape[axis] > 1 and a.strides[axis] != inner:
        return False
    return all(s >= 0 and s % a.itemsize == 0 for s in a.strides) and a.flags.aligned


def _pieces(shape: tuple[int, ...], axis: int, most: int) -> Iterator[tuple[slice, ...]]:
    """Boxes of about ``most`` cells that cover an array and hold the axis whole."""
    box = list(shape)
    for d in range(len(shape)):
        if d != axis:
            rest = prod(box) // box[d]
            box[d] = min(box[d], max(1, most // max(rest, 1)))
    corners = [range(0, n, b) for n, b in zip(shape, box, strict=True)]
    for corner in np.ndindex(*(len(c) for c in corners)):
        yield tuple(slice(c[i], c[i] + b) for c, i, b in zip(corners, corner, box, strict=True))


def _walk(f: Array, axis: int, stencil: Stencil, out: Array) -> None:
    """Run the loops over (outer, axis, inner); outer axes that do not merge are looped over."""
    inner = prod(f.shape[axis + 1 :])
    outer, f_outer, g_outer = 1, 0, 0
    for d in range(axis - 1, -1, -1):
        if f.shape[d] == 1:
            continue
        if outer == 1:
            f_outer, g_outer = f.strides[d], out.strides[d]
        elif (f.strides[d], out.strides[d]) != (f_outer * outer, g_outer * outer):
            for i in range(f.shape[d]):
                at = (slice(None),) * d + (slice(i, i + 1),)
                _walk(f[at], axis, stencil, out[at])
            return
        outer *= f.shape[d]
    size = f.itemsize
    f_steps = f_outer // size, f.strides[axis] // size
    g_steps = g_outer // size, out.strides[axis] // size
    _loop(_flat(f), f_steps, _flat(out), g_steps, outer, inner, stencil)


def _loop(
    f: Array,
    f_steps: tuple[int, int],
    g: Array,
    g_steps: tuple[int, int],
    outer: int,
    inner: int,
    stencil: Stencil,
) -> None:
    """Run the loops over flat arrays, given how far apart outer cells and rows are."""
    f.flags.writeable = False  # one compiled type for writable and read-only fields
    c, edges = stencil.tables(_REAL[g.dtype])
    first, last, offset = stencil.first, stencil.last, stencil.offset
    if last > first:
        if inner > 1:
            run = _across(stencil.width)
            strip = STRIP // f.itemsize
            run(f, *f_steps, g, *g_steps, outer, first, last, offset, c, inner, strip)
        elif stencil.uniform:
            run = _along_uniform(stencil.width)
            run(f, f_steps[0], g, g_steps[0], outer, first, last, offset, c.reshape(-1))
        else:
            run = _along(stencil.width)
            run(f, f_steps[0], g, g_steps[0], outer, first, last, offset, c)
    if len(stencil.edge_rows):
        rows, starts, widths = stencil.edge_rows, stencil.edge_starts, stencil.edge_widths
        _edges()(f, *f_steps, g, *g_steps, outer, rows, starts, widths, edges, inner)


def _flat(a: Array) -> Array:
    """All memory from an array's first to its last cell, as one flat view."""
    extent = 1 + sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (extent,), (a.itemsize,))
