"""Sums of weighted cells along axes: integrals, and cumulative integrals.

A sum goes from the first cell to the last one. In chunks each begins with the total of the one
before, so the bits are those of arrays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..kernels import backend_of, cell_rows, cell_sums, torch_interop
from ..kernels.requests import slice_axis
from .chunked import is_dask, run_on_threads

#: Cells of the blocks that large NumPy arrays are summed in.
BLOCK_CELLS = 1 << 21


class RunningSum(NamedTuple):
    """Describe sums of weighted cells along one axis.

    Attributes
    ----------
    axis : int
        The axis, not negative.
    skipna : bool
        True if missing cells add nothing. Running sums then begin anew after them.
    from_end : bool
        True for running sums that begin at the last cell, where they are 0; they are negative for
        positive cells.
    first : int
        0 if the first result is before the first cell, 1 if it is after it.
    stop : int
        The number of results, plus ``first``.
    """

    axis: int
    skipna: bool
    from_end: bool = False
    first: int = 0
    stop: int = 0

    @property
    def looks_ahead(self) -> bool:
        """Return whether the last result of a chunk depends on whether the next cell is valid."""
        return self.skipna and self.from_end == (self.first == 0)

    def rows(self, start: int, stop: int, n: int) -> tuple[int, int]:
        """Return the results of the cells from ``start`` to ``stop`` of n, counted from 0.

        Result k is before cell k.
        """
        last = stop + self.first
        if stop == n and stop > start:
            last = self.stop
        return start + self.first, last


class State(NamedTuple):
    """Hold the sum of all cells before a chunk, 1 long along the axis.

    Attributes
    ----------
    total : array
        The sum, of the run of valid cells before the chunk if sums begin anew after gaps.
    found : array or None
        Whether there is a valid cell: any, or the last one if sums begin anew after gaps.
    """

    total: Any
    found: Any


def integrals(array: Any, weights: Any, axes: Sequence[int], skipna: bool) -> Any:
    """Sum the cells of an array, times their weights, along some axes.

    Parameters
    ----------
    array : array
        The cells, in memory or in dask chunks.
    weights : ndarray of float64
        Weights with as many dimensions as the array, each of its length or 1.
    axes : sequence of int
        The axes, not negative.
    skipna : bool
        True if missing cells add nothing. A sum without a valid cell is missing.

    Returns
    -------
    array
        The sums, of the dtype that derivatives of the array have. Nothing is computed for dask.
    """
    array, restore = torch_interop.to_numpy_view(array)
    factors: Any = weights
    for axis in sorted(axes, reverse=True):
        sums = RunningSum(axis, skipna)
        if is_dask(array):
            from .cell_sums_in_chunks import total_in_chunks

            array = total_in_chunks(array, factors, sums)
        else:
            array = _in_blocks(partial(_total, sums), array, factors, axis, 1)
        factors = None
    return restore(array)


def running_integrals(array: Any, weights: Any, sums: RunningSum) -> Any:
    """Return the sums of the cells before positions between them.

    Parameters
    ----------
    array, weights
        As for `integrals`.
    sums : RunningSum
        The axis, and the positions of the results.
    """
    array, restore = torch_interop.to_numpy_view(array)
    if is_dask(array):
        from .cell_sums_in_chunks import running_in_chunks

        return running_in_chunks(array, weights, sums)
    return restore(_in_blocks(partial(_running, sums), array, weights, sums.axis, 0))


def _total(sums: RunningSum, array: Any, weights: Any) -> Any:
    """Return the sum of an array in memory."""
    return finish_total(array, sums, add_cells(array, weights, sums, None))


def _running(sums: RunningSum, array: Any, weights: Any) -> Any:
    """Return the running sums of an array in memory."""
    n = array.shape[sums.axis]
    return run_cells(array, weights, sums, None, None, sums.rows(0, n, n))[0]


@np.errstate(over="ignore", invalid="ignore")  # of infinite values
def add_cells(array: Any, weights: Any, sums: RunningSum, before: State | None) -> State:
    """Return the sum of the cells before an array and of its own."""
    backend, axis = backend_of(array), sums.axis
    xp = backend.namespace
    with backend.device_context(array):
        if xp is np:
            rows = cell_rows.Rows(np.asarray(array), weights, axis, False)
            state = _state_of_rows(rows, before, axis, sums.skipna)
            total, found = cell_rows.total(rows, *state)
            return State(*(None if a is None else np.expand_dims(a, axis) for a in (total, found)))
        terms, valid = cell_sums.products(array, weights, sums.skipna, backend)
        total = _zeros(terms, axis, xp) if before is None else before.total
        total = cell_sums.total(terms, total, axis, xp)
        if valid is None:
            return State(total, None)
        found = xp.any(valid, axis=axis, keepdims=True)
        return State(total, found if before is None else before.found | found)


def finish_total(like: Any, sums: RunningSum, state: State) -> Any:
    """Return a sum in the dtype of results, without its axis."""
    backend = backend_of(like)
    xp = backend.namespace
    with backend.device_context(like):
        total = state.total
        if state.found is not None:
            total = xp.where(state.found, total, total * 0 + np.nan)
        total = slice_axis(total, sums.axis, 0, 1)
        with np.errstate(over="ignore"):
            result = xp.astype(total, backend.derivative_dtype([like]))
        return xp.squeeze(result, axis=sums.axis)


@np.errstate(over="ignore", invalid="ignore")  # of infinite values
def run_cells(
    array: Any,
    weights: Any,
    sums: RunningSum,
    before: State | None,
    following: Any,
    rows: tuple[int, int],
) -> tuple[Any, State]:
    """Return the running sums of an array, and the state after its last cell.

    Parameters
    ----------
    array, weights, sums
        As for `running_integrals`.
    before : State or None
        The state after the cells that were summed before.
    following : array or None
        The cell that is summed next, 1 long along the axis.
    rows : tuple of int
        The results to return, counted from that before the first cell.
    """
    backend, axis = backend_of(array), sums.axis
    xp, n = backend.namespace, array.shape[axis]
    if xp is np:
        return _run_rows(np.asarray(array), weights, sums, before, following, rows)
    with backend.device_context(array):
        terms, valid = cell_sums.products(array, weights, sums.skipna, backend)
        if sums.from_end:
            terms = xp.flip(-terms, axis=axis)
            valid = None if valid is None else xp.flip(valid, axis=axis)
        total = _zeros(terms, axis, xp) if before is None else before.total
        if valid is None:
            every = cell_sums.running(terms, total, axis, xp)
            state = State(slice_axis(every, axis, n, n + 1), None)
        else:
            no = xp.zeros_like(total) != 0
            alive = no if before is None else before.found
            ahead = no if following is None else following == following
            every, last, alive = cell_sums.running_in_runs(
                terms, valid, total, alive, ahead, axis, xp
            )
            state = State(last, alive)
        if sums.from_end:
            every = xp.flip(every, axis=axis)
        with np.errstate(over="ignore"):
            result = xp.astype(slice_axis(every, axis, *rows), backend.derivative_dtype([array]))
        return result, state


def _run_rows(
    array: Any,
    weights: Any,
    sums: RunningSum,
    before: State | None,
    following: Any,
    rows: tuple[int, int],
) -> tuple[Any, State]:
    """Return the results of `run_cells` for a NumPy array."""
    axis, n, (first, stop) = sums.axis, array.shape[sums.axis], rows
    terms = cell_rows.Rows(array, weights, axis, sums.from_end)
    total, alive = _state_of_rows(terms, before, axis, sums.skipna)
    dtype = backend_of(array).derivative_dtype([array])
    shape = terms.cells.shape[1:]
    result = np.empty((stop - first, *shape), dtype)
    # Results from the end are written in their own order.
    low, high = (n + 1 - stop, n + 1 - first) if sums.from_end else (first, stop)
    to = result[::-1] if sums.from_end else result

    def write(k: int, values: Any) -> None:
        a, b = max(k, low), min(k + len(values), high)
        if a < b:
            to[a - low : b - low] = values[a - k : b - k]

    with np.errstate(over="ignore", invalid="ignore"):
        if alive is None:
            state: tuple[Any, Any] = (cell_rows.running(terms, total, write), None)
        else:
            ahead = np.zeros(shape, np.bool_)
            if following is not None:
                ahead = np.moveaxis(following == following, axis, 0)[0]
            state = cell_rows.running_in_runs(terms, total, alive, ahead, write)
    end = State(*(None if a is None else np.expand_dims(a, axis) for a in state))
    return np.moveaxis(result, 0, axis), end


def _state_of_rows(
    rows: cell_rows.Rows, before: State | None, axis: int, skipna: bool
) -> tuple[Any, Any]:
    """Return a state without the axis: the total, and what is found with ``skipna``."""
    if before is not None:
        total, found = (None if a is None else np.moveaxis(a, axis, 0)[0] for a in before)
        return total, found
    shape = rows.cells.shape[1:]
    return np.zeros(shape, rows.dtype), np.zeros(shape, np.bool_) if skipna else None


def _zeros(terms: Any, axis: int, xp: Any) -> Any:
    """Return the sum of no cells."""
    has_cells = terms.shape[axis] > 0
    return xp.zeros_like(
        slice_axis(terms, axis, 0, 1) if has_cells else xp.sum(terms, axis=axis, keepdims=True)
    )


def _in_blocks(
    function: Callable[[Any, Any], Any], array: Any, weights: Any, axis: int, new_axis: int
) -> Any:
    """Apply a function to blocks of a large NumPy array, on threads, and join the results.

    Parameters
    ----------
    function : callable
        Takes a block and its weights.
    array, weights : ndarray
        The array, which is cut along another axis than ``axis``.
    axis : int
        The axis of the sums.
    new_axis : int
        1 if results lack this axis, else 0.
    """
    others = [d for d in range(array.ndim) if d != axis]
    if not isinstance(array, np.ndarray) or array.size <= BLOCK_CELLS or not others:
        return function(array, weights)
    count = -(-array.size // BLOCK_CELLS)
    long_enough = [d for d in others if array.shape[d] >= count]
    d = long_enough[0] if long_enough else max(others, key=lambda k: array.shape[k])
    n = array.shape[d]
    count = min(n, count)
    found: list[Any] = [None] * count

    def compute(i: int) -> None:
        first, last = n * i // count, n * (i + 1) // count
        part = weights
        if weights is not None and weights.shape[d] > 1:
            part = slice_axis(weights, d, first, last)
        found[i] = function(slice_axis(array, d, first, last), part)

    run_on_threads([partial(compute, i) for i in range(count)])
    return np.concatenate(found, d - new_axis * (d > axis))
