"""Evaluate sums of terms on NumPy arrays, tile by tile, so that a tile stays in cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..requests import (
    Accumulate,
    Combine,
    RowSlicer,
    Runner,
    SumRequest,
    TermRequest,
    find_cell_function,
    is_dot_product,
    slice_axis,
    stencil_rows,
)
from ..threads import processor_count
from . import numpy_sums
from .coast_cells import write_with_coasts
from .column_driver import write_column_derivative
from .error_driver import can_write_both, write_error
from .layout import assign
from .pair_driver import Pairs, find_pairs, write_pairs
from .row_sum_driver import RowPass, Spans, find_row_pass
from .row_sum_lines import RowSum
from .stencil_driver import write_derivative

#: Cells from which threads are worth it: to wake them takes half a millisecond, in which one thread
#: differentiates some three million cells that are in cache.
MIN_CELLS_FOR_THREADS = 1 << 22
#: Work of a cell whose coefficients follow from its column, in units of one with a stencil.
COLUMN_COST_FACTOR = 8
#: Contiguous cells that a work unit should have.
MIN_CONTIGUOUS_CELLS = 1 << 14
#: Work units of an array: more than threads, so that these end together.
WORK_UNITS = max(8, 2 * processor_count())
#: Bytes of a tile of the result: it fits in the shared cache, and outweighs the cost of its call.
TILE_BYTES = 1 << 22
#: Sums above which tiles are smaller, for many arrays share the cache.
MANY_SUMS = 8

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class TileJob:
    """Sums to write into arrays, or to combine into them.

    The sum of an error alone writes two arrays: the derivative and its error.
    """

    sums: list[list[TermRequest]]
    outputs: list[Array]
    fields: list[Array]
    combine: Combine | None
    dtype: np.dtype[Any]

    def slice_axis(self, d: int, start: int, stop: int, rows: RowSlicer) -> TileJob:
        """Return the part that makes the cells from ``start`` to ``stop`` along an axis."""
        return replace(
            self,
            sums=[[term.slice_axis(d, start, stop, rows) for term in terms] for terms in self.sums],
            outputs=[slice_axis(out, d, start, stop) for out in self.outputs],
            fields=[slice_axis(f, d, start, stop) for f in self.fields] if self.combine else [],
        )

    def in_memory_order(self) -> TileJob:
        """Return the job with the axes of the outputs from the largest step to the smallest."""
        out = self.outputs[0]
        order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
        if order == list(range(out.ndim)):
            return self
        return replace(
            self,
            sums=[[term.transpose(order) for term in terms] for terms in self.sums],
            outputs=[out.transpose(order) for out in self.outputs],
            fields=[field.transpose(order) for field in self.fields] if self.combine else [],
        )


def evaluate_tiles(
    request: SumRequest, outs: list[Array], dtype: np.dtype[Any], runner: Runner | None
) -> None:
    """Write sums of terms, or what ``combine`` makes of them, into arrays.

    Parameters
    ----------
    request : SumRequest
        The sums.
    outs : list of ndarray
        One array for each result, all of one shape and memory order.
    dtype : dtype
        Type of the sums, which ``combine`` may change.
    runner : callable, optional
        Runs the units of large work; by default the calling thread does.
    """
    out = outs[0]
    terms = [term for terms in request.sums for term in terms]
    work = sum(COLUMN_COST_FACTOR if term.positions else 1 for term in terms)
    if out.size * work < MIN_CELLS_FOR_THREADS:
        runner = None
    sums = _convert_weights(request.sums, out, dtype, runner)
    if request.combine is None and can_write_both(sums, outs):
        sums = sums[1:]
    job = TileJob(sums, outs, request.blocks, request.combine, dtype).in_memory_order()
    rows = cache(stencil_rows)  # tiles share the parts of an axis
    runner = runner or _run_in_turn
    row_pass = None
    if row_sums := _row_sums(job):
        row_pass = find_row_pass(row_sums, job.outputs, find_cell_function(job.combine))
    if row_pass is None:
        _write_units(job, rows, runner)
    else:
        _write_rows(job, row_pass, rows, runner)


def _run_in_turn(calls: list[Callable[[], None]]) -> None:
    """Run calls in the calling thread."""
    for call in calls:
        call()


def _convert_weights(
    sums: list[list[TermRequest]], out: Array, dtype: np.dtype[Any], runner: Runner | None
) -> list[list[TermRequest]]:
    """Convert weights to the dtype of the loops, each once, but those of one tile each."""
    real = np.result_type(np.zeros(0, dtype).real, np.float32)
    converted: dict[int, Array] = {}
    calls: list[Callable[[], None]] = []

    def convert(weight: Array | None, term: TermRequest) -> Array | None:
        # A pass over pairs of terms needs all of their weights.
        of_one_tile = weight is not None and weight.size == out.size and term.stretching is None
        if weight is None or weight.dtype == real or of_one_tile:
            return weight
        if id(weight) not in converted:
            converted[id(weight)] = copy = np.empty(weight.shape, real)
            calls.append(partial(assign, copy, weight))
        return converted[id(weight)]

    sums = [
        [
            term._replace(
                output_weight=convert(term.output_weight, term),
                center_weight=convert(term.center_weight, term),
                stretching=convert(term.stretching, term),
            )
            for term in terms
        ]
        for terms in sums
    ]
    (runner or _run_in_turn)(calls)
    return sums


def _row_sums(job: TileJob) -> list[RowSum]:
    """Return the sums of a job for one pass over rows; none if no loop knows what follows."""
    n = len(job.sums)
    if find_cell_function(job.combine) or (job.combine is None and len(job.outputs) == n):
        pairs = zip(job.sums, job.outputs, strict=False)
        return [RowSum(terms, out, [None] * len(terms)) for terms, out in pairs]
    if is_dot_product(job.combine) and all(len(terms) == 1 for terms in job.sums):
        first, *others = (terms[0] for terms in job.sums)
        others = [term._replace(accumulate=int(Accumulate.ADD)) for term in others]
        factors = job.fields[1 : 1 + n]
        return [RowSum([first, *others], job.outputs[0], [*factors])]
    return []


def _write_rows(job: TileJob, row_pass: RowPass, rows: RowSlicer, runner: Runner) -> None:
    """Write sums in one pass over rows, and the rows that it leaves term by term."""
    inside, others = _cut_rows(job, row_pass.spans, rows)
    n = 1 if runner is _run_in_turn else WORK_UNITS
    by_terms = partial(_write_units, job, rows, runner)
    if not row_pass.loop.is_ready:
        row_pass.loop.replace(by_terms, row_pass.compile)
    elif calls := row_pass.calls(_row_sums(inside), inside.outputs, n):
        cells = job.outputs[0].size // n
        # The others are the last: a page of new memory is in cache while the pass fills it.
        runner([*calls, *_tile_calls(others, rows, cells)])
    else:
        by_terms()


def _tile_calls(jobs: list[TileJob], rows: RowSlicer, cells: int) -> list[Callable[[], None]]:
    """Return calls that write jobs by tiles, and divide those of more than so many cells."""
    units = [unit for job in jobs for unit in _work_units(job, rows, cells)]
    return [partial(_run_tiles, unit, rows) for unit in units]


def _write_units(job: TileJob, rows: RowSlicer, runner: Runner) -> None:
    """Write sums by tiles, in several units if they run at once."""
    if runner is _run_in_turn:
        _run_tiles(job, rows)
        return
    cells, others = job.outputs[0].size // WORK_UNITS, list[TileJob]()
    if (pairs := _single_pass(job)) is not None:
        # Rows that the pass leaves are computed once, and not for each work unit.
        job, others = _cut_rows(job, pairs.spans, rows)
    runner([*_tile_calls([job], rows, 0), *_tile_calls(others, rows, cells)])


def _work_units(job: TileJob, rows: RowSlicer, cells: int) -> list[TileJob]:
    """Divide the outermost axis that is long enough, if there are more than so many cells."""
    shape = job.outputs[0].shape
    if prod(shape) <= cells:
        return [job]
    long_enough = [d for d, n in enumerate(shape) if n >= WORK_UNITS] or [int(np.argmax(shape))]
    d = long_enough[0]
    if len(job.sums) == len(job.sums[0]) == 1:
        # Along another axis than the stencil's, units share all rows, if contiguous enough.
        axis = job.sums[0][0].axis
        d = next((d for d in long_enough if d != axis), axis)
        if axis < d and shape[d] // WORK_UNITS * prod(shape[d + 1 :]) < MIN_CONTIGUOUS_CELLS:
            d = axis
    bounds = [shape[d] * i // WORK_UNITS for i in range(WORK_UNITS + 1)]
    return [job.slice_axis(d, a, b, rows) for a, b in pairwise(bounds) if a < b]


def _run_tiles(job: TileJob, rows: RowSlicer) -> None:
    """Do the work tile by tile; the loops of a single term need no tiles."""
    out = job.outputs[0]
    if job.combine is None and len(job.sums) == len(job.sums[0]) == 1:
        (term,), outputs = job.sums[0], job.outputs
        if len(outputs) > 1:  # a derivative and its error
            write_error(term, outputs[1], outputs[0])
        else:
            write_term(term, out)
        return
    if _single_pass(job) is not None:
        _write_sums(job, rows)
        return
    axes = list(range(out.ndim))
    if (pairs := find_pairs(job.sums, job.outputs[:1] * len(job.sums))) is not None:
        # Levels of the same rows share their weights, so a tile has some rows of all levels.
        axes = [pairs.axis, *(d for d in axes if d != pairs.axis)]
    scratch: dict[Any, list[Array]] = {}
    tile = TILE_BYTES if len(job.sums) <= MANY_SUMS else TILE_BYTES // 16
    for part in _tile_jobs(job, axes, max(1, tile // out.itemsize), rows):
        _run_tile(part, scratch, rows)


def _single_pass(job: TileJob) -> Pairs | None:
    """Return the pairs of terms if one pass over them makes all results, which needs no tiles."""
    if job.combine is not None or max(map(len, job.sums)) > 2:
        return None
    return find_pairs(job.sums, job.outputs)


def _cut_rows(job: TileJob, spans: Spans, rows: RowSlicer) -> tuple[TileJob, list[TileJob]]:
    """Return the part with the rows that a pass computes, and parts before and after them."""
    others = []
    for axis, first, last in spans:
        n = job.outputs[0].shape[axis]
        ends = [(start, stop) for start, stop in ((0, first), (last, n)) if start < stop]
        others += [job.slice_axis(axis, start, stop, rows) for start, stop in ends]
        job = job.slice_axis(axis, first, last, rows)
    return job, others


def _tile_jobs(job: TileJob, axes: list[int], cells: int, rows: RowSlicer) -> Iterator[TileJob]:
    """Yield parts of about ``cells`` cells, cut along the outermost axes."""
    shape = job.outputs[0].shape
    if not axes or prod(shape) <= cells:
        yield job
        return
    d, n = axes[0], shape[axes[0]]
    length = max(1, min(n, cells * n // prod(shape)))
    count = -(-n // length)
    for a, b in pairwise(n * i // count for i in range(count + 1)):
        yield from _tile_jobs(job.slice_axis(d, a, b, rows), axes[1:], cells, rows)


def _run_tile(job: TileJob, scratch: dict[Any, list[Array]], rows: RowSlicer) -> None:
    """Evaluate the sums of one tile, then combine them.

    Tiles of one shape share their scratch arrays, which therefore stay in cache.
    """
    out = job.outputs[0]
    # Half floats are summed as floats.
    dtype = np.dtype(np.float32) if job.dtype.itemsize == 2 else job.dtype
    direct = job.combine is None and (out.dtype == dtype or len(job.sums[0]) == 1)
    parts = job.outputs
    if not direct:
        # Sums are written into the outputs, if these have their dtype, and then into scratch.
        outputs = job.outputs if out.dtype == dtype else []
        if out.shape not in scratch:
            needed = len(job.sums) - len(outputs)
            scratch[out.shape] = [np.empty_like(out, dtype=dtype) for _ in range(needed)]
        parts = [*outputs, *scratch[out.shape]][: len(job.sums)]
    _write_sums(replace(job, outputs=parts, combine=None), rows)
    if direct:
        return
    results = parts if job.combine is None else job.combine(parts, job.fields, job.outputs)
    for to, result in zip(job.outputs, results, strict=True):
        if result is not to:
            assign(to, result)


def _write_sums(job: TileJob, rows: RowSlicer) -> None:
    """Write the sums of a tile: pairs of terms in one pass where a loop can, else term by term."""
    pairs = find_pairs(job.sums, job.outputs)
    if pairs is None:
        _write_terms(job, write_term)
        return
    inside, others = _cut_rows(job, pairs.spans, rows)
    write_pairs(pairs, partial(_write_terms, inside, numpy_sums.write_term))
    for part in others:
        _write_terms(part, write_term)


def _write_terms(job: TileJob, write: Callable[[TermRequest, Array], None]) -> None:
    """Write the sums of a tile term by term."""
    for out, terms in zip(job.outputs, job.sums, strict=True):
        for term in terms:
            write(term, out)


def write_term(term: TermRequest, out: Array) -> None:
    """Write one term into an array, as its ``accumulate`` has it."""
    dtype = out.dtype
    is_long = dtype.itemsize > 8 and (dtype.kind != "c" or dtype.itemsize > 16)
    has_coasts = term.has_coasts
    if is_long or (has_coasts and not term.has_one_stencil):  # no compiled loops
        numpy_sums.write_term(term, out)
    elif term.positions is not None:
        write_column_derivative(term, out)
    elif has_coasts:
        write_with_coasts(term, out)
    elif term.has_one_stencil:
        write_derivative(term, out)
    else:
        write_error(term, out)
