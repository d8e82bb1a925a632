"""A layer of a task graph: an array that repeats its first cells along an axis at its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from dask.task_spec import List, Task, TaskRef

from .chunk_tasks import after_checks, append_slabs, cut_edge_slabs
from .task_layers import ChunkKeys, Key, Source, TaskLayer, replace_index

try:
    from dask.task_spec import Alias
except ImportError:  # of dask 2025.1, where it is not public yet
    from dask._task_spec import Alias


class CyclicLayer(TaskLayer):
    """Make the tasks of an array that repeats its first cells along an axis at its end.

    Parameters
    ----------
    token : str
        Makes the names of the tasks unique.
    array : Source
        The array.
    axis : int
        The axis.
    numblocks : tuple of int
        Number of chunks of the result along each axis.
    begin : int
        The first chunk along the axis that is not empty.
    checks : list of Source
        Arrays to compute before the first and the last chunks, 1 long along the axis.
    """

    def __init__(
        self,
        token: str,
        array: Source,
        axis: int,
        numblocks: tuple[int, ...],
        begin: int,
        checks: list[Source],
    ) -> None:
        self._first, self._array, self._axis = f"first-{token}", array, axis
        super().__init__(Source(f"closed-{token}", numblocks), self._first)
        self._begin, self._checks = begin, checks

    def _is_inner(self, key: Key) -> bool:
        block = key[1:]
        at_begin = block[self._axis : self._axis + 1] == (self._begin,)
        return key[0] == self._first and at_begin and ChunkKeys(self._array).holds(block)

    def _inner_keys(self) -> Iterator[Key]:
        indices = [range(n) for n in self._array.numblocks]
        indices[self._axis] = range(self._begin, self._begin + 1)
        return product([self._first], *indices)

    def _make(self, key: Key) -> Any:
        axis, block = self._axis, key[1:]
        if key[0] == self._first:
            return Task(key, cut_edge_slabs, TaskRef((self._array.name, *block)), axis, ((0, 1),))
        checks = [TaskRef(check.key(block)) for check in self._checks]
        source = (self._array.name, *block)
        if block[axis] == self._result.numblocks[axis] - 1:
            slab = TaskRef((self._first, *replace_index(block, {axis: self._begin})))
            chunk = [TaskRef(source)] if block[axis] < self._array.numblocks[axis] else []
            return Task(key, append_slabs, axis, slab, List(*checks), *chunk)
        if block[axis] == self._begin and checks:
            return Task(key, after_checks, TaskRef(source), *checks)
        return Alias(key, source)
