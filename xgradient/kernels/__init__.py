"""What the data are: the choice of the loops by the type of the array.

A kernel sees plain windows: a block, the cells before and after it, an axis and the rows of a
stencil. It knows no labels, coordinates, periods or chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stencils import Stencil
from . import _standard

__all__ = ["cut", "derivative", "result_dtype"]

#: Runs calls that do not depend on each other, on threads or one after the other.
Runner = Callable[[list[Callable[[], None]]], None]
#: Cells below which an array is not worth handing to threads.
WORTH_THREADS = 1 << 18
#: Work units an array is cut into for threads: more than threads, so that they end together.
UNITS = 8

Array = NDArray[Any]
Job = tuple[Array, Stencil, Array]


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
    parts = [part for part in (before, block, after) if part is not None]
    rows = stencil.rows(0, stencil.n, origin=0 if before is None else -before.shape[axis])
    f = _standard.join(parts, axis, xp)
    return _standard.derivative(f, axis, rows, xp.float64 if integral else block.dtype, xp)


def cut(array: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """The cells from ``start`` to ``stop`` along an axis."""
    return array[(slice(None),) * axis + (slice(start, stop),)]


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
    dtype = result_dtype(block.dtype)
    out = np.empty_like(block, dtype=dtype, subok=False)
    run = _loops(dtype)
    for f, rows, to in _jobs(block, axis, stencil, before, after, out):
        if runner is None or to.size < WORTH_THREADS:
            run(f, axis, rows, to)
        else:
            units = _units(f, axis, rows, to)
            runner([lambda u=unit: run(u[0], axis, u[1], u[2]) for unit in units])  # type: ignore[misc]
    return out


@cache
def _loops(dtype: np.dtype[Any]) -> Callable[[Array, int, Stencil, Array], None]:
    """The function that fills an array of this dtype."""
    if dtype.itemsize <= (16 if dtype.kind == "c" else 8):
        from ._numba import derivative as compiled

        return compiled

    def sliced(f: Array, axis: int, stencil: Stencil, out: Array) -> None:
        # Long doubles: no compiler for them here, so NumPy's own arithmetic.
        out[...] = _standard.derivative(f, axis, stencil, dtype, np)

    return sliced


def _jobs(
    block: Array, axis: int, stencil: Stencil, before: Any, after: Any, out: Array
) -> Iterator[Job]:
    """Rows that lie within the block, and strips for the few whose windows leave it.

    A strip is the neighbours' cells and the block's next ones; the block itself is never copied.
    """
    n = stencil.n
    if before is None and after is None:
        yield block, stencil, out
        return
    head, tail = _inside(stencil)
    if head < tail:
        yield block, stencil.rows(head, tail, origin=0), cut(out, axis, head, tail)
        spans = [(0, head), (tail, n)]
    else:
        spans = [(0, n)]
    for start, stop in spans:
        if start == stop:
            continue
        windows = [stencil.window(row) for row in range(start, stop)]
        low, high = max(min(w[0] for w in windows), 0), min(max(w[1] for w in windows), n)
        parts, origin = [cut(block, axis, low, high)], low
        if low == 0 and before is not None:
            parts.insert(0, before)
            origin = -before.shape[axis]
        if high == n and after is not None:
            parts.append(after)
        strip = np.concatenate(parts, axis=axis)
        yield strip, stencil.rows(start, stop, origin=origin), cut(out, axis, start, stop)


def _inside(stencil: Stencil) -> tuple[int, int]:
    """The largest range of rows whose windows all lie within the block."""
    n = stencil.n
    # A row can leave the block only if it is nearer to that end than the widest window is wide.
    widest = max(stencil.width, int(stencil.edge_widths.max(initial=0)))
    early = [i for i in range(min(n, widest)) if stencil.window(i)[0] < 0]
    late = [i for i in range(max(0, n - widest), n) if stencil.window(i)[1] > n]
    return (early[-1] + 1 if early else 0), (late[0] if late else n)


def _units(f: Array, axis: int, stencil: Stencil, out: Array) -> Iterator[Job]:
    """A job cut along the outermost axis that is long enough, so that each unit is one stretch."""
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    long_enough = [d for d in order if out.shape[d] >= UNITS] or [int(np.argmax(out.shape))]
    d = next((d for d in long_enough if d != axis), axis)
    bounds = [out.shape[d] * i // UNITS for i in range(UNITS + 1)]
    for start, stop in pairwise(bounds):
        to = cut(out, d, start, stop)
        if d == axis:
            before, after = stencil.rows(start, stop).reach
            rows = stencil.rows(start, stop, origin=start - before)
            yield cut(f, axis, start - before, stop + after), rows, to
        else:
            yield cut(f, d, start, stop), stencil, to
