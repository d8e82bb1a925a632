"""What the data are: the choice of the loops by the type of the array.

A kernel sees plain windows: a block, the cells before and after it, an axis and the rows of a
stencil. It knows no labels, coordinates, periods or chunks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stencils import Stencil
from . import _standard
from ._boxes import cut

__all__ = ["cut", "derivative", "result_dtype"]

#: Runs calls that do not depend on each other, on threads or one after the other.
Runner = Callable[[list[Callable[[], None]]], None]
#: Cells below which an array is not worth handing to threads: to wake them takes half a
#: millisecond, in which one thread differentiates some three million cells that are in cache.
WORTH_THREADS = 1 << 22
#: Cells that a unit should have one after the other.
STRETCH = 1 << 14
#: Work units an array is cut into for threads: more than threads, so that they end together.
UNITS = max(8, 2 * (os.cpu_count() or 1))

Array = NDArray[Any]


@cache
def result_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype of a derivative: that of the field, and float64 for integers and booleans.

    Raises
    ------
    TypeError
        If the field is not numeric.
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "iub":
        return np.dtype(np.float64)
    if dtype.kind in "fc":
        native: np.dtype[Any] = dtype.newbyteorder("=")
        return native
    raise TypeError(f"data of dtype {dtype} have no derivative; convert them to numbers first")


def derivative(
    block: Any,
    axis: int,
    stencil: Stencil,
    before: Any = None,
    after: Any = None,
    runner: Runner | None = None,
) -> Any:
    """Differentiate one block along one axis.

    Parameters
    ----------
    block : array
        The cells that the stencil's rows belong to.
    axis : int
        The axis, not negative.
    stencil : Stencil
        One row for each cell of the block along the axis, numbered from the block's first.
    before, after : array, optional
        As many cells as the stencil reaches over the block's ends, where it does.
    runner : callable, optional
        Runs the work units of a large NumPy block; without it they run in the calling thread.

    Returns
    -------
    array
        The derivative, of the block's shape and array type.
    """
    if isinstance(block, np.ndarray):
        return _numpy(block, axis, stencil, before, after, runner)
    xp = _namespace(block)
    integral = xp.isdtype(block.dtype, ("integral", "bool"))
    dtype = xp.float64 if integral else block.dtype
    return _standard.derivative(block, axis, stencil, dtype, xp, before, after)


def _namespace(array: Any) -> Any:
    if not hasattr(array, "__array_namespace__"):
        kind = f"{type(array).__module__}.{type(array).__qualname__}"
        raise TypeError(
            f"{kind} does not follow the array API standard; give a NumPy or dask array"
        )
    return array.__array_namespace__()


def _numpy(
    block: Array, axis: int, stencil: Stencil, before: Any, after: Any, runner: Runner | None
) -> Array:
    block = np.asarray(block)  # a matrix or memory map is looked at as the array it is
    dtype = result_dtype(block.dtype)
    out = np.empty_like(block, dtype=dtype, subok=False)
    rows = stencil if before is None and after is None else stencil.inside
    run = _loops(dtype)
    if runner is None or out.size < WORTH_THREADS:
        run(block, axis, rows, out, before, after)
    else:
        runner([partial(run, *unit) for unit in _units(block, axis, rows, out, before, after)])
    return out


@cache
def _loops(dtype: np.dtype[Any]) -> Callable[..., None]:
    """The function that fills an array of this dtype."""
    if dtype.itemsize <= (16 if dtype.kind == "c" else 8):
        from ._numba import derivative as compiled

        return compiled

    def sliced(f: Array, axis: int, stencil: Stencil, out: Array, before: Any, after: Any) -> None:
        # Long doubles: no compiler for them here, so NumPy's own arithmetic.
        out[...] = _standard.derivative(f, axis, stencil, dtype, np, before, after)

    return sliced


def _units(
    f: Array, axis: int, stencil: Stencil, out: Array, before: Any, after: Any
) -> Iterator[tuple[Any, ...]]:
    """Arguments for parts of the work, cut along the outermost axis that is long enough."""
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    long_enough = [d for d in order if out.shape[d] >= UNITS] or [int(np.argmax(out.shape))]
    d = next((d for d in long_enough if d != axis), axis)
    inner = [out.shape[k] for k in order[order.index(d) + 1 :]]
    if axis not in order[order.index(d) :] and out.shape[d] // UNITS * prod(inner) < STRETCH:
        d = axis
    bounds = [out.shape[d] * i // UNITS for i in range(UNITS + 1)]
    for start, stop in pairwise(bounds):
        if start == stop:
            continue
        to = cut(out, d, start, stop)
        if d == axis:
            early, late = stencil.rows(start, stop).reach
            low = max(0, start - early)
            here = cut(f, axis, low, stop + late)
            yield here, axis, stencil.rows(start, stop, origin=low), to, before, after
        else:
            sides = [
                None if side is None else cut(side, d, start, stop) for side in (before, after)
            ]
            yield cut(f, d, start, stop), axis, stencil, to, *sides
