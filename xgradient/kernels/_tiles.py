"""NumPy arrays: sums of terms, tile by tile, so that each tile stays in cache until it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..forks import LOADING
from ..threads import processor_count
from ..windows import Windows
from . import _standard, _standard_levels
from ._boxes import cut
from ._calls import Call, Finish, Parts, Rows, rows_of

__all__ = ["Job", "Runner", "compiled_pointwise", "evaluate", "loops", "window_loops"]

#: Runs calls that do not depend on each other, on threads or one after the other.
Runner = Callable[[list[Callable[[], None]]], None]
#: Cells below which an array is not worth handing to threads: to wake them takes half a
#: millisecond, in which one thread differentiates some three million cells that are in cache.
WORTH_THREADS = 1 << 22
#: How many times the work of a stencil it is to find the coefficients for every cell.
HARDER = 8
#: Cells that a unit should have one after the other.
STRETCH = 1 << 14
#: Work units an array is cut into for threads: more than threads, so that they end together.
UNITS = max(8, 2 * processor_count())
#: Bytes of a tile of the result: it fits in the cache that processors share, and is worth its call.
TILE = 1 << 22
#: What is made of more sums than this takes many arrays, each of which has to be smaller.
MANY = 8

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Job:
    """Sums to be written into arrays, or made into what is written by ``finish``."""

    sums: list[list[Call]]
    outs: list[Array]
    fields: list[Array]
    finish: Finish | None
    dtype: np.dtype[Any]

    def cut(self, d: int, start: int, stop: int, rows: Rows) -> Job:
        """The part of the work that makes the cells from ``start`` to ``stop`` along an axis."""
        return replace(
            self,
            sums=[[call.cut(d, start, stop, rows) for call in calls] for calls in self.sums],
            outs=[cut(out, d, start, stop) for out in self.outs],
            fields=[cut(f, d, start, stop) for f in self.fields] if self.finish else [],
        )


def evaluate(
    sums: list[list[Call]],
    outs: list[Array],
    fields: list[Array],
    finish: Finish | None,
    runner: Runner | None,
    dtype: np.dtype[Any],
) -> None:
    """Write sums of terms, or what ``finish`` makes of them, into arrays of one shape and order.

    Parameters
    ----------
    sums : list of list of Call
        The terms of each sum.
    outs : list of ndarray
        One array for each sum or, with ``finish``, for each of its results.
    fields : list of ndarray
        What ``finish`` gets besides the sums.
    finish : callable, optional
        Makes results of the sums, point by point.
    runner : callable, optional
        Runs the units of large work; without it they run in the calling thread.
    dtype : dtype
        That of the sums, which ``finish`` may turn into others.
    """
    out = outs[0]
    work = sum(HARDER if call.positions else 1 for calls in sums for call in calls)
    if out.size * work < WORTH_THREADS:
        runner = None
    job = Job(_weighed(sums, out, dtype), outs, fields, finish, dtype)
    rows = cache(rows_of)  # of the same part of an axis, again and again
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    if runner is None:
        _tiles(job, order, rows)
    else:
        d, bounds = _units(job, order)
        units = [job.cut(d, a, b, rows) for a, b in pairwise(bounds) if a < b]
        runner([partial(_tiles, unit, order, rows) for unit in units])


def _weighed(sums: list[list[Call]], out: Array, dtype: np.dtype[Any]) -> list[list[Call]]:
    """The sums, with weights that several tiles share in the dtype of the loops, once for all."""
    real = np.result_type(np.zeros(0, dtype).real, np.float32)
    made: dict[int, Array] = {}

    def ready(weight: Array | None) -> Array | None:
        if weight is None or weight.dtype == real or weight.size == out.size:
            return weight
        if id(weight) not in made:
            made[id(weight)] = weight.astype(real)
        return made[id(weight)]

    return [
        [call._replace(weight=ready(call.weight), value=ready(call.value)) for call in calls]
        for calls in sums
    ]


def _units(job: Job, order: list[int]) -> tuple[int, list[int]]:
    """The outermost axis that is long enough to be shared out, and where it is cut."""
    shape = job.outs[0].shape
    long_enough = [d for d in order if shape[d] >= UNITS] or [int(np.argmax(shape))]
    d = long_enough[0]
    if len(job.sums) == len(job.sums[0]) == 1:
        # An axis other than the stencil's needs no rows of its own, if enough of it is in one.
        axis = job.sums[0][0].axis
        d = next((d for d in long_enough if d != axis), axis)
        inner = [shape[k] for k in order[order.index(d) + 1 :]]
        if axis not in order[order.index(d) :] and shape[d] // UNITS * prod(inner) < STRETCH:
            d = axis
    return d, [shape[d] * i // UNITS for i in range(UNITS + 1)]


def _tiles(job: Job, order: list[int], rows: Rows) -> None:
    """Do the work tile by tile; a single term needs no tiles, its kernel strides along itself."""
    out = job.outs[0]
    if job.finish is None and len(job.sums) == len(job.sums[0]) == 1:
        _write(job.sums[0][0], out)
        return
    scratch: dict[Any, list[Array]] = {}
    tile = TILE if len(job.sums) <= MANY else TILE // 16
    for part in _parts(job, order, max(1, tile // out.itemsize), rows):
        _run(part, scratch)


def _parts(job: Job, order: list[int], cells: int, rows: Rows) -> Iterator[Job]:
    """Parts of about ``cells`` cells, cut along the outermost axes."""
    shape = job.outs[0].shape
    if not order or prod(shape) <= cells:
        yield job
        return
    d, n = order[0], shape[order[0]]
    each = max(1, min(n, cells * n // prod(shape)))
    count = -(-n // each)
    for a, b in pairwise(n * i // count for i in range(count + 1)):
        yield from _parts(job.cut(d, a, b, rows), order[1:], cells, rows)


def _run(job: Job, scratch: dict[Any, list[Array]]) -> None:
    """One tile: its sums one after the other, then what is made of them.

    Tiles of one shape use the same scratch arrays, which so stay in cache.
    """
    out = job.outs[0]
    # Half floats are summed as floats.
    dtype = np.dtype(np.float32) if job.dtype.itemsize == 2 else job.dtype
    direct = job.finish is None and (out.dtype == dtype or len(job.sums[0]) == 1)
    parts = job.outs
    if not direct:
        # Sums of the results' dtype stand where results will, as far as they go.
        there = job.outs if out.dtype == dtype else []
        if out.shape not in scratch:
            needed = len(job.sums) - len(there)
            scratch[out.shape] = [np.empty_like(out, dtype=dtype) for _ in range(needed)]
        parts = [*there, *scratch[out.shape]][: len(job.sums)]
    for part, calls in zip(parts, job.sums, strict=True):
        for call in calls:
            _write(call, part)
    if direct:
        return
    results = parts if job.finish is None else job.finish(parts, job.fields, job.outs)
    for to, result in zip(job.outs, results, strict=True):
        if result is not to:
            to[...] = result


def _write(call: Call, out: Array) -> None:
    """Write one term into an array, or add it to what stands there."""
    f, axis, stencil, before, after, weight, value, how, positions = call
    if isinstance(stencil, Windows):
        assert positions is not None
        window_loops(out.dtype)((f, before, after), positions, axis, stencil, out)
    else:
        loops(out.dtype)(f, axis, stencil, out, before, after, weight, value, how)


def compiled_pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> bool:
    """Write a function of numbers into an array, if there is a compiled loop for the dtypes."""
    with LOADING:
        from ._numba import pointwise

    return pointwise(function, arrays, out)


@cache
def loops(dtype: np.dtype[Any]) -> Callable[..., None]:
    """The function that fills an array of this dtype."""
    if _compiled(dtype):
        with LOADING:
            from ._numba import derivative as compiled

        return compiled

    def sliced(
        f: Array,
        axis: int,
        stencil: Any,
        out: Array,
        before: Array | None = None,
        after: Array | None = None,
        weight: Array | None = None,
        value: Array | None = None,
        how: int = 0,
    ) -> None:
        # Long doubles: no compiler for them here, so NumPy's own arithmetic.
        result = _standard.derivative(f, axis, stencil, dtype, np, before, after, weight, value)
        if how > 1:
            result = np.hypot(abs(out), abs(result)) if how == 2 else abs(result)
        out[...] = out + result if how == 1 else result

    return sliced


@cache
def window_loops(dtype: np.dtype[Any]) -> Callable[..., None]:
    """The function that fills an array of this dtype by positions."""
    if _compiled(dtype):
        with LOADING:
            from ._levels import derivative as compiled

        return compiled

    def sliced(f: Parts, positions: Parts, axis: int, windows: Windows, out: Array) -> None:
        out[...] = _standard_levels.derivative(f, positions, axis, windows, dtype, np)

    return sliced


def _compiled(dtype: np.dtype[Any]) -> bool:
    """Whether there are compiled loops for a dtype, as there are for all but long doubles."""
    return dtype.itemsize <= (16 if dtype.kind == "c" else 8)
