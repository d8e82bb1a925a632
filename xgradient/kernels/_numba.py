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

__all__ = ["COMPUTED", "derivative"]

#: Data types the loops are compiled for; all others pass through one of them piece by piece.
COMPUTED = {np.dtype(t) for t in ("f4", "f8", "c8", "c16")}
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
    computed = out.dtype if out.dtype in COMPUTED else np.dtype(np.float32)
    if f.ndim > 1:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        f, out = f.transpose(order), out.transpose(order)
        axis = order.index(axis)
    as_is = f.dtype == computed == out.dtype and f.dtype.isnative
    if as_is and _walkable(f, axis) and _walkable(out, axis):
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
    if a.flags.c_contiguous:
        return a.flags.aligned
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
    flat_f, flat_g = _flat(f), _flat(out)
    flat_f.flags.writeable = False  # one compiled type for writable and read-only fields
    size = f.itemsize
    f_outer, f_row = f_outer // size, f.strides[axis] // size
    g_outer, g_row = g_outer // size, out.strides[axis] // size
    c = np.ascontiguousarray(stencil.interior, dtype=_real(out.dtype))
    first, last, offset = stencil.first, stencil.last, stencil.offset
    if last > first and inner > 1:
        _across(stencil.width)(
            flat_f, f_outer, f_row, flat_g, g_outer, g_row,
            outer, first, last, offset, c, inner, STRIP // size,
        )  # fmt: skip
    elif last > first and stencil.uniform:
        run = _along_uniform(stencil.width)
        run(flat_f, f_outer, flat_g, g_outer, outer, first, last, offset, c[:, 0].copy())
    elif last > first:
        run = _along(stencil.width)
        run(flat_f, f_outer, flat_g, g_outer, outer, first, last, offset, c)
    if len(stencil.edge_rows):
        edges = np.ascontiguousarray(stencil.edges, dtype=c.dtype)
        _edges()(
            flat_f, f_outer, f_row, flat_g, g_outer, g_row, outer,
            stencil.edge_rows, stencil.edge_starts, stencil.edge_widths, edges, inner,
        )  # fmt: skip


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The real type of the coefficients for a field type."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _flat(a: Array) -> Array:
    """All memory from an array's first to its last cell, as one flat view."""
    if a.flags.c_contiguous:
        return a.reshape(-1)
    extent = 1 + sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (extent,), (a.itemsize,))
