"""Divide arrays into parts that fit in cache, and describe their memory layout."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
#: Flat memory of an array, with its steps along the outer axes and from row to row.
StridedArray = tuple[Array, int, int]
#: Flat memory of a weight and of a stretching, which have the same steps.
StridedWeights = tuple[Array, Array, int, int]

#: Dtypes that the loops are compiled for, each with that of its coefficients. Arrays of all others
#: are converted to one of them, piece by piece.
COMPILED_DTYPES = {
    np.dtype(t): np.dtype(r) for t, r in zip(("f4", "f8", "c8", "c16"), "fdfd", strict=True)
}
#: Cells of a box that is copied or converted: few enough that the copy stays in cache, many enough
#: that threads seldom wait for Python's lock.
BLOCK_CELLS = 1 << 18
#: Cells below which a call of a loop, or a row in a loop, costs more than to copy them.
MIN_CALL_CELLS, MIN_ROW_CELLS = 1 << 14, 16


def cache_blocks(shape: tuple[int, ...], axis: int) -> Iterator[tuple[slice, ...]]:
    """Yield boxes of about `BLOCK_CELLS` cells that cover an array, each with all of an axis."""
    box = list(shape)
    for d in range(len(shape)):
        if d != axis and 0 not in shape:
            rest = prod(box) // box[d]
            box[d] = min(box[d], max(1, BLOCK_CELLS // rest))
    corners = [range(0, n, b) if n else [] for n, b in zip(shape, box, strict=True)]
    for corner in np.ndindex(*(len(c) for c in corners)):
        starts = [c[i] for c, i in zip(corners, corner, strict=True)]
        yield tuple(slice(s, s + b) for s, b in zip(starts, box, strict=True))


def collapse_outer_axes(arrays: list[Any], axis: int) -> Iterator[tuple[list[Any], int, list[int]]]:
    """Yield pieces of arrays of one shape, in which the axes before ``axis`` collapse to one.

    Each comes with the length of that axis, and the steps of the arrays along it, in cells.
    """
    n_separate, outer, steps = _collapsed_axes(arrays, axis)
    for index in np.ndindex(arrays[0].shape[:n_separate]):
        ref = (*(slice(i, i + 1) for i in index), ...)
        yield [a[ref] for a in arrays], outer, steps


def is_worth_striding(arrays: list[Any], axis: int) -> bool:
    """Return whether the pieces of arrays are worth a call each; the last array is the result."""
    pieces: int = prod(arrays[0].shape[: _collapsed_axes(arrays, axis)[0]])
    return pieces == 1 or int(arrays[-1].size) // pieces >= MIN_CALL_CELLS


def _collapsed_axes(arrays: list[Any], axis: int) -> tuple[int, int, list[int]]:
    """Return the number of axes before those that collapse to one before ``axis``.

    It comes with the length of the collapsed axis, and the steps along it.
    """
    shape = arrays[0].shape
    outer, steps = 1, [0] * len(arrays)
    for d in range(axis - 1, -1, -1):
        if shape[d] == 1:
            continue
        here = [a.strides[d] // a.itemsize for a in arrays]
        if outer == 1:
            steps = here
        elif here != [step * outer for step in steps]:
            return d + 1, outer, steps
        outer *= shape[d]
    return 0, outer, steps


def strided_order(arrays: list[Any], axis: int) -> list[int] | None:
    """Return a permutation of dimensions after which cells inside the axis are contiguous.

    In a part of a larger array rows are not adjacent, so these dimensions go before the axis.
    Return None if the cells are contiguous already, or if the permutation is not worth it.
    """
    inside = ndim = arrays[0].ndim
    while inside > axis + 1 and all(is_contiguous_along(a, inside - 1) for a in arrays):
        inside -= 1
    if inside == axis + 1 or prod(arrays[0].shape[inside:]) < MIN_ROW_CELLS:
        return None
    order = [*(d for d in range(inside) if d != axis), axis, *range(inside, ndim)]
    return order if is_worth_striding([a.transpose(order) for a in arrays], inside - 1) else None


def is_contiguous_along(a: Any, d: int) -> bool:
    """Return whether the array is contiguous across a dimension, given that it is inside it."""
    return a.shape[d] == 1 or bool(a.strides[d] == prod(a.shape[d + 1 :], start=a.itemsize))


def is_strided_ok(a: Any, axis: int, *, backwards: bool = False) -> bool:
    """Return whether the cells inside the axis, or along an innermost one, are contiguous.

    Other axes may have negative strides, if ``backwards``.
    """
    if not a.flags.aligned:
        return False
    if a.flags.c_contiguous:
        return True
    row = axis + 1 if prod(a.shape[axis + 1 :]) > 1 else axis
    if not all(is_contiguous_along(a, d) for d in range(row, a.ndim)):
        return False
    return all(s % a.itemsize == 0 and (s >= 0 or backwards) for s in a.strides)


def row_step(a: Any, axis: int) -> int:
    """Return the step from one row to the next in items, 0 if all rows share one."""
    return a.strides[axis] // a.itemsize if a.shape[axis] > 1 else 0


def as_aligned(a: Any, dtype: Any = None) -> Any:
    """Return an array in C order and aligned, copied only where it is not.

    An array from another process or a file may begin at any byte. `numpy.ascontiguousarray` leaves
    it there, because it is contiguous.
    """
    return np.require(a, dtype, ["C", "ALIGNED"])


def assign(out: Array, values: Array) -> None:
    """Write values into an array of perhaps another dtype, in which large ones are infinite."""
    with np.errstate(over="ignore"):  # as in the loops, of which half floats have none
        out[...] = values


def read_only_view(a: Any) -> Any:
    """Mark a view as read-only and return it: one compiled type serves all fields."""
    a.setflags(write=False)
    return a


def address(a: Array) -> int:
    """Return the address of the first cell."""
    first: int = a.__array_interface__["data"][0]
    return first


def flat_view(a: Any) -> Any:
    """Return all memory that an array takes, as one flat view."""
    if a.flags.c_contiguous:
        return a.reshape(-1)
    if min(a.strides) < 0:
        a = a[tuple(slice(None, None, -1 if s < 0 else 1) for s in a.strides)]
    extent = 1 + sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) // a.itemsize
    return np.lib.stride_tricks.as_strided(a, (extent,), (a.itemsize,))


def base_offset(a: Any) -> int:
    """Return the index of the first cell in `flat_view`, not 0 where strides are negative."""
    offset = sum((n - 1) * min(s, 0) for n, s in zip(a.shape, a.strides, strict=True))
    return -int(offset) // int(a.itemsize)
