"""Sums of weighted cells of dask arrays: each chunk begins with the total of the one before."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Iterator
from itertools import product
from typing import Any

import dask.array as da
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from dask.task_spec import Task, TaskRef

from ..kernels import backend_of
from ..kernels.requests import slice_axis
from .cell_sums import RunningSum, add_cells, finish_total, run_cells
from .halo import chunk_bounds
from .task_layers import ChunkKeys, Key, Source, TaskLayer, replace_index


def total_in_chunks(array: Any, weights: Any, sums: RunningSum) -> Any:
    """Return the sum of a dask array along an axis, as `cell_sums.integrals` has it."""
    axis = sums.axis
    layer = TotalLayer(tokenize(array.name, weights, sums), array, weights, sums)
    backend = backend_of(array._meta)
    with backend.device_context(array._meta):
        meta = backend.empty_like_result([array._meta])
        meta = backend_of(meta).namespace.sum(meta, axis=axis, dtype=meta.dtype)
    return _as_array(layer, array, (*array.chunks[:axis], *array.chunks[axis + 1 :]), meta)


def running_in_chunks(array: Any, weights: Any, sums: RunningSum) -> Any:
    """Return the running sums of a dask array, as `cell_sums.running_integrals` has them.

    Chunks are those of the array, but for the last one, which may have a cell more or less.
    """
    axis = sums.axis
    bounds, n = chunk_bounds(array.chunks[axis]), array.shape[axis]
    rows = [sums.rows(start, stop, n) for start, stop in bounds]
    rows = [(first, max(first, min(last, sums.stop))) for first, last in rows]
    sizes = [last - first for first, last in rows]
    while len(sizes) > 1 and not sizes[-1] and array.chunks[axis][len(sizes) - 1]:
        sizes.pop()  # the chunk has no result
    rows = [(a - start, b - start) for (a, b), (start, _) in zip(rows, bounds, strict=True)]
    layer = RunningLayer(tokenize(array.name, weights, sums), array, weights, sums, rows)
    layer.keep(len(sizes))
    meta = backend_of(array._meta).empty_like_result([array._meta])
    chunks = (*array.chunks[:axis], tuple(sizes), *array.chunks[axis + 1 :])
    return _as_array(layer, array, chunks, meta)


def _as_array(layer: CellSumLayer, array: Any, chunks: Any, meta: Any) -> Any:
    """Return the dask array of a layer."""
    graph = HighLevelGraph.from_collections(layer.name, layer, dependencies=[array])
    return da.Array(graph, layer.name, chunks, meta=meta)


class CellSumLayer(TaskLayer):
    """Make the tasks of sums along one axis.

    Parameters
    ----------
    result : Source
        The array whose chunks the layer computes.
    array : dask array
        The cells.
    weights : ndarray or None
        The weights, each axis of the array's length or 1 long.
    sums : RunningSum
        The axis and the direction.
    *inner_names : str
        Names of the tasks that only this layer needs, each with one for each chunk of the cells.
    """

    def __init__(
        self, result: Source, array: Any, weights: Any, sums: RunningSum, *inner_names: str
    ) -> None:
        super().__init__(result, *inner_names)
        self._array, self._sums = Source(array.name, array.numblocks), sums
        self._bounds = [chunk_bounds(sizes) for sizes in array.chunks]
        self._weights = weights

    def _inner_keys(self) -> Iterator[Key]:
        for name in self._names[1:]:
            for block in product(*map(range, self._array.numblocks)):
                if self._is_needed(name, block):
                    yield (name, *block)

    def _is_inner(self, key: Key) -> bool:
        is_known = key[0] in self._names[1:] and ChunkKeys(self._array).holds(key[1:])
        return is_known and self._is_needed(key[0], key[1:])

    @abstractmethod
    def _is_needed(self, name: str, block: tuple[int, ...]) -> bool:
        """Return whether another task needs that of a chunk."""

    def _has_cells(self, block: tuple[int, ...]) -> bool:
        """Return whether a chunk has cells along the axis."""
        start, stop = self._bounds[self._sums.axis][block[self._sums.axis]]
        return start < stop

    def _weights_of(self, block: tuple[int, ...]) -> Any:
        """Return the weights of a chunk."""
        if self._weights is None:
            return None
        bounds = [known[i] for known, i in zip(self._bounds, block, strict=True)]
        sizes = self._weights.shape
        return self._weights[
            tuple(slice(*b) if n > 1 else slice(None) for b, n in zip(bounds, sizes, strict=True))
        ]

    def _neighbour(self, block: tuple[int, ...], step: int) -> tuple[int, ...] | None:
        """Return the chunk with cells after a chunk, or before it; None if there is none."""
        axis = self._sums.axis
        step = -step if self._sums.from_end else step
        at = block[axis] + step
        while 0 <= at < self._array.numblocks[axis]:
            found = replace_index(block, {axis: at})
            if self._has_cells(found):
                return found
            at += step
        return None


class TotalLayer(CellSumLayer):
    """Make the tasks of a sum: one for each chunk, which adds its cells, and one for the end."""

    def __init__(self, token: str, array: Any, weights: Any, sums: RunningSum) -> None:
        axis, counts = sums.axis, array.numblocks
        self._state = f"sum-{token}"
        result = Source(f"integral-{token}", (*counts[:axis], *counts[axis + 1 :]))
        super().__init__(result, array, weights, sums, self._state)

    def _is_needed(self, name: str, block: tuple[int, ...]) -> bool:
        is_last = block[self._sums.axis] == self._array.numblocks[self._sums.axis] - 1
        return is_last or self._has_cells(block)

    def _make(self, key: Key) -> Task:
        axis = self._sums.axis
        if key[0] == self._state:
            block = key[1:]
            before = self._neighbour(block, -1)
            state = None if before is None else TaskRef((self._state, *before))
            source = TaskRef((self._array.name, *block))
            return Task(key, add_cells, source, self._weights_of(block), self._sums, state)
        last = self._array.numblocks[axis] - 1
        block = (*key[1 : 1 + axis], last, *key[1 + axis :])
        source = TaskRef((self._array.name, *block))
        return Task(key, finish_total, source, self._sums, TaskRef((self._state, *block)))


class RunningLayer(CellSumLayer):
    """Make the tasks of running sums: of each chunk its sums, which hold those of the next ones."""

    def __init__(
        self, token: str, array: Any, weights: Any, sums: RunningSum, rows: list[tuple[int, int]]
    ) -> None:
        self._both, self._state, self._ahead = f"sums-{token}", f"sum-{token}", f"next-{token}"
        names = [self._both, self._state, *([self._ahead] if sums.looks_ahead else [])]
        result = Source(f"running-{token}", array.numblocks)
        super().__init__(result, array, weights, sums, *names)
        self._rows = rows

    def keep(self, count: int) -> None:
        """Keep the results of so many chunks along the axis."""
        numblocks = replace_index(self._result.numblocks, {self._sums.axis: count})
        self._result = Source(self.name, numblocks)

    def _is_needed(self, name: str, block: tuple[int, ...]) -> bool:
        axis = self._sums.axis
        if name == self._ahead:
            return self._has_cells(block) and self._neighbour(block, -1) is not None
        continues = self._has_cells(block) and self._neighbour(block, 1) is not None
        has_result = block[axis] < self._result.numblocks[axis]
        return continues or (name == self._both and has_result)

    def _make(self, key: Key) -> Task:
        name, block = key[0], key[1:]
        if name == self.name:
            return Task(key, operator.getitem, TaskRef((self._both, *block)), 0)
        if name == self._state:
            return Task(key, operator.getitem, TaskRef((self._both, *block)), 1)
        source = TaskRef((self._array.name, *block))
        if name == self._ahead:
            return Task(key, next_cell, source, self._sums)
        before, after = self._neighbour(block, -1), self._neighbour(block, 1)
        state = None if before is None else TaskRef((self._state, *before))
        ahead = None
        if self._sums.looks_ahead and after is not None:
            ahead = TaskRef((self._ahead, *after))
        rows = self._rows[block[self._sums.axis]]
        weights = self._weights_of(block)
        return Task(key, run_cells, source, weights, self._sums, state, ahead, rows)


def next_cell(block: Any, sums: RunningSum) -> Any:
    """Return the first cell of a chunk in the direction of the sums."""
    n = block.shape[sums.axis]
    first = n - 1 if sums.from_end else 0
    cell = slice_axis(block, sums.axis, first, first + 1)
    return backend_of(cell).copy_if_view(cell)
