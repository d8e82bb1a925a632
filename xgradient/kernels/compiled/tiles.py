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

from ..._forks import LOADING
from ...stencils.columns import ColumnWindows
from ..generic import column_sum, stencil_sum
from ..requests import BlockWithHalo, Combine, RowSlicer, TermRequest, slice_axis, stencil_rows
from ..threads import processor_count

#: Runs calls that do not depend on each other, on threads or one after the other.
Runner = Callable[[list[Callable[[], None]]], None]
#: Cells below which an array is not worth handing to threads: to wake them takes half a
#: millisecond, in which one thread differentiates some three million cells that are in cache.
MIN_CELLS_FOR_THREADS = 1 << 22
#: How many times the work of a stencil it is to find the coefficients for every cell.
COLUMN_COST_FACTOR = 8
#: Cells that a unit should have one after the other.
MIN_CONTIGUOUS_CELLS = 1 << 14
#: Work units an array is cut into for threads: more than threads, so that they end together.
WORK_UNITS = max(8, 2 * processor_count())
#: Bytes of a tile of the result: it fits in the cache that processors share, and is worth its call.
TILE_BYTES = 1 << 22
#: What is made of more sums than this takes many arrays, each of which has to be smaller.
MANY_SUMS = 8

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class TileJob:
    """Sums to be written into arrays, or made into what is written by ``finish``."""

    sums: list[list[TermRequest]]
    outputs: list[Array]
    fields: list[Array]
    combine: Combine | None
    dtype: np.dtype[Any]

    def slice_axis(self, d: int, start: int, stop: int, rows: RowSlicer) -> TileJob:
        """The part of the work that makes the cells from ``start`` to ``stop`` along an axis."""
        return replace(
            self,
            sums=[[call.slice_axis(d, start, stop, rows) for call in calls] for calls in self.sums],
            outputs=[slice_axis(out, d, start, stop) for out in self.outputs],
            fields=[slice_axis(f, d, start, stop) for f in self.fields] if self.combine else [],
        )


def evaluate_tiles(
    sums: list[list[TermRequest]],
    outs: list[Array],
    fields: list[Array],
    combine: Combine | None,
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
    work = sum(COLUMN_COST_FACTOR if call.positions else 1 for calls in sums for call in calls)
    if out.size * work < MIN_CELLS_FOR_THREADS:
        runner = None
    job = TileJob(_convert_weights(sums, out, dtype), outs, fields, combine, dtype)
    rows = cache(stencil_rows)  # of the same part of an axis, again and again
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    if runner is None:
        _run_tiles(job, order, rows)
    else:
        d, bounds = _work_units(job, order)
        units = [job.slice_axis(d, a, b, rows) for a, b in pairwise(bounds) if a < b]
        runner([partial(_run_tiles, unit, order, rows) for unit in units])


def _convert_weights(
    sums: list[list[TermRequest]], out: Array, dtype: np.dtype[Any]
) -> list[list[TermRequest]]:
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
        [
            call._replace(
                output_weight=ready(call.output_weight), center_weight=ready(call.center_weight)
            )
            for call in calls
        ]
        for calls in sums
    ]


def _work_units(job: TileJob, order: list[int]) -> tuple[int, list[int]]:
    """The outermost axis that is long enough to be shared out, and where it is cut."""
    shape = job.outputs[0].shape
    long_enough = [d for d in order if shape[d] >= WORK_UNITS] or [int(np.argmax(shape))]
    d = long_enough[0]
    if len(job.sums) == len(job.sums[0]) == 1:
        # An axis other than the stencil's needs no rows of its own, if enough of it is in one.
        axis = job.sums[0][0].axis
        d = next((d for d in long_enough if d != axis), axis)
        inner = [shape[k] for k in order[order.index(d) + 1 :]]
        if (
            axis not in order[order.index(d) :]
            and shape[d] // WORK_UNITS * prod(inner) < MIN_CONTIGUOUS_CELLS
        ):
            d = axis
    return d, [shape[d] * i // WORK_UNITS for i in range(WORK_UNITS + 1)]


def _run_tiles(job: TileJob, order: list[int], rows: RowSlicer) -> None:
    """Do the work tile by tile; a single term needs no tiles, its kernel strides along itself."""
    out = job.outputs[0]
    if job.combine is None and len(job.sums) == len(job.sums[0]) == 1:
        _write_term(job.sums[0][0], out)
        return
    scratch: dict[Any, list[Array]] = {}
    tile = TILE_BYTES if len(job.sums) <= MANY_SUMS else TILE_BYTES // 16
    for part in _tile_jobs(job, order, max(1, tile // out.itemsize), rows):
        _run_tile(part, scratch)


def _tile_jobs(job: TileJob, order: list[int], cells: int, rows: RowSlicer) -> Iterator[TileJob]:
    """Parts of about ``cells`` cells, cut along the outermost axes."""
    shape = job.outputs[0].shape
    if not order or prod(shape) <= cells:
        yield job
        return
    d, n = order[0], shape[order[0]]
    each = max(1, min(n, cells * n // prod(shape)))
    count = -(-n // each)
    for a, b in pairwise(n * i // count for i in range(count + 1)):
        yield from _tile_jobs(job.slice_axis(d, a, b, rows), order[1:], cells, rows)


def _run_tile(job: TileJob, scratch: dict[Any, list[Array]]) -> None:
    """One tile: its sums one after the other, then what is made of them.

    Tiles of one shape use the same scratch arrays, which so stay in cache.
    """
    out = job.outputs[0]
    # Half floats are summed as floats.
    dtype = np.dtype(np.float32) if job.dtype.itemsize == 2 else job.dtype
    direct = job.combine is None and (out.dtype == dtype or len(job.sums[0]) == 1)
    parts = job.outputs
    if not direct:
        # Sums of the results' dtype stand where results will, as far as they go.
        there = job.outputs if out.dtype == dtype else []
        if out.shape not in scratch:
            needed = len(job.sums) - len(there)
            scratch[out.shape] = [np.empty_like(out, dtype=dtype) for _ in range(needed)]
        parts = [*there, *scratch[out.shape]][: len(job.sums)]
    for part, calls in zip(parts, job.sums, strict=True):
        for call in calls:
            _write_term(call, part)
    if direct:
        return
    results = parts if job.combine is None else job.combine(parts, job.fields, job.outputs)
    for to, result in zip(job.outputs, results, strict=True):
        if result is not to:
            to[...] = result


def _write_term(call: TermRequest, out: Array) -> None:
    """Write one term into an array, or add it to what stands there."""
    f, axis, stencil, before, after, weight, value, accumulate, positions = call
    if isinstance(stencil, ColumnWindows):
        assert positions is not None
        column_loop(out.dtype)((f, before, after), positions, axis, stencil, out)
    else:
        stencil_loop(out.dtype)(f, axis, stencil, out, before, after, weight, value, accumulate)


def compiled_pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> bool:
    """Write a function of numbers into an array, if there is a compiled loop for the dtypes."""
    with LOADING:
        from .stencil_loops import write_pointwise

    return write_pointwise(function, arrays, out)


@cache
def stencil_loop(dtype: np.dtype[Any]) -> Callable[..., None]:
    """The function that fills an array of this dtype."""
    if _has_compiled_loops(dtype):
        with LOADING:
            from .stencil_driver import write_derivative as compiled

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
        accumulate: int = 0,
    ) -> None:
        # Long doubles: no compiler for them here, so NumPy's own arithmetic.
        result = stencil_sum.stencil_sum(f, axis, stencil, dtype, np, before, after, weight, value)
        if accumulate > 1:
            result = np.hypot(abs(out), abs(result)) if accumulate == 2 else abs(result)
        out[...] = out + result if accumulate == 1 else result

    return sliced


@cache
def column_loop(dtype: np.dtype[Any]) -> Callable[..., None]:
    """The function that fills an array of this dtype by positions."""
    if _has_compiled_loops(dtype):
        with LOADING:
            from .column_loops import write_column_derivative as compiled

        return compiled

    def sliced(
        f: BlockWithHalo, positions: BlockWithHalo, axis: int, windows: ColumnWindows, out: Array
    ) -> None:
        out[...] = column_sum.apply_windows(f, positions, axis, windows, dtype, np)

    return sliced


def _has_compiled_loops(dtype: np.dtype[Any]) -> bool:
    """Whether there are compiled loops for a dtype, as there are for all but long doubles."""
    return dtype.itemsize <= (16 if dtype.kind == "c" else 8)
