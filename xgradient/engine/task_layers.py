"""Layers of task graphs that know their keys, and make tasks when these are asked for.

A graph of many chunks is built, sliced and sent to a scheduler as a short description. Tasks are
made for the chunks that are computed, where dask lays out the graph.
"""

from __future__ import annotations

import gc
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple

from dask.highlevelgraph import Layer, MaterializedLayer
from dask.task_spec import List, Task, TaskRef

from .chunk_tasks import compute_chunk, cut_edge_slabs, join_polar_cap
from .halo import HaloExchange
from .plan import Chunks, Planner
from .terms import Computation

#: Index of a chunk along each axis.
Block = tuple[int, ...]
#: A key of dask: the name of an array or of a kind of tasks, then indices.
Key = tuple[Any, ...]


class Source(NamedTuple):
    """Name and number of chunks along each axis of a dask array."""

    name: str
    numblocks: tuple[int, ...]

    def key(self, block: Block) -> Key:
        """Return the key of the chunk that belongs to a chunk of the fields."""
        return (self.name, *self.block(block))

    def block(self, block: Block) -> Block:
        """Return the chunk that belongs to a chunk of the fields; the array may be 1 long."""
        if 1 not in self.numblocks:
            return block
        return tuple(0 if c == 1 else n for n, c in zip(block, self.numblocks, strict=True))


class ChunkKeys(AbstractSet[Key]):
    """Hold the keys of all chunks of an array, without making them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[0] == self._source.name and self.holds(key[1:])

    def holds(self, block: Sequence[Any]) -> bool:
        """Return whether there is a chunk of this index."""
        counts = self._source.numblocks
        if len(block) != len(counts):
            return False
        for n, m in zip(block, counts, strict=True):  # twice as fast as any()
            if n.__class__ is not int or not 0 <= n < m:
                return False
        return True

    def __iter__(self) -> Iterator[Key]:
        return product([self._source.name], *map(range, self._source.numblocks))

    def __len__(self) -> int:
        return prod(self._source.numblocks)


class TaskLayer(Layer):  # type: ignore[misc]
    """Make the tasks of an array in chunks on demand.

    Parameters
    ----------
    result : Source
        The array whose chunks the layer computes.
    *inner_names : str
        Names of the tasks that only this layer needs.
    """

    #: All tasks are of dask's current kind; dask would look at each of them otherwise.
    has_legacy_tasks = False

    def __init__(self, result: Source, *inner_names: str) -> None:
        super().__init__()  # keeps dask's annotations of this moment
        self.name = result.name
        self._result = result
        #: First elements of the layer's keys.
        self._names = (result.name, *inner_names)

    @abstractmethod
    def _make(self, key: Key) -> Any:
        """Return the task of a key of this layer."""

    @abstractmethod
    def _inner_keys(self) -> Iterator[Key]:
        """Yield the keys that no other layer refers to."""

    @abstractmethod
    def _is_inner(self, key: Key) -> bool:
        """Return whether a key, not of a chunk of the result, is in this layer."""

    @cached_property
    def _chunk_keys(self) -> ChunkKeys:
        return ChunkKeys(self._result)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple) or not key:
            return False
        return key in self._chunk_keys if key[0] == self.name else self._is_inner(key)

    def __getitem__(self, key: Key) -> Any:
        if key not in self:
            raise KeyError(key)
        return self._make(key)

    def __iter__(self) -> Iterator[Key]:
        yield from self._inner_keys()
        yield from self._chunk_keys

    def __len__(self) -> int:
        return sum(1 for _ in self._inner_keys()) + len(self._chunk_keys)

    def __getstate__(self) -> dict[str, Any]:
        """Return the description alone: what is made of it is made again."""
        made = {
            name for name, value in vars(type(self)).items() if isinstance(value, cached_property)
        }
        return {name: value for name, value in vars(self).items() if name not in made}

    def is_materialized(self) -> bool:
        """Return False, because tasks are made on demand."""
        return False

    def get_output_keys(self) -> AbstractSet[Key]:
        """Return the keys of all chunks of the result."""
        return self._chunk_keys

    def get_dependencies(self, key: Key, all_hlg_keys: Collection[Key]) -> set[Any]:
        """Return the keys that a task needs."""
        return set(self[key].dependencies)

    def cull(
        self, keys: set[Any], all_hlg_keys: Collection[Key]
    ) -> tuple[Layer, Mapping[Key, set[Any]]]:
        """Return a layer of the tasks that some keys need, and what each of them needs."""
        tasks: dict[Key, Any] = {}
        needs: dict[Key, Any] = {}
        wanted, names = [key for key in keys if key in self], self._names
        with gc_paused():
            while wanted:
                key = wanted.pop()
                if key not in tasks:
                    tasks[key] = task = self._make(key)
                    needs[key] = task.dependencies
                    wanted.extend([needed for needed in task.dependencies if needed[0] in names])
        return MaterializedLayer(tasks, self.annotations, self.collection_annotations), needs


class SumLayer(TaskLayer):
    """Make the tasks of a computation: cut edge slabs, join polar caps, compute chunks.

    Parameters
    ----------
    token : str
        Makes the names of the tasks unique.
    computation : Computation
        The sums, with the index of each dask weight in place of it.
    chunks : tuple of tuple of int
        Chunk sizes along each axis, the same for all arrays.
    blocks : list of sequence of int
        Along each axis, the chunk of the arrays for each chunk of the result.
    arrays, weights : list of Source
        The input arrays and the dask weights.
    """

    def __init__(
        self,
        token: str,
        computation: Computation,
        chunks: Chunks,
        blocks: list[Sequence[int]],
        arrays: list[Source],
        weights: list[Source],
    ) -> None:
        self._slab, self._cap = f"edge-slabs-{token}", f"polar-cap-{token}"
        result = Source(f"gradient-{token}", tuple(map(len, blocks)))
        super().__init__(result, self._slab, self._cap)
        self._computation, self._chunks, self._blocks = computation, chunks, blocks
        self._arrays, self._weights = arrays, weights
        #: Whether some chunks of the arrays have no result, so that numbers differ.
        self._has_gaps = not all(isinstance(known, range) for known in blocks)

    @cached_property
    def _planner(self) -> Planner:
        return Planner(self._computation, self._chunks)

    def _is_inner(self, key: Key) -> bool:
        name, *indices = key
        exchanges = self._planner.exchanges
        if len(indices) < 2 or indices[0] not in range(len(exchanges)):
            return False
        exchange, block = exchanges[indices[0]], indices[1:]
        if name == self._slab:
            is_chunk = ChunkKeys(self._arrays[exchange.field]).holds(block)
            return is_chunk and bool(exchange.sent_ranges[block[exchange.axis]])
        end, owner = block[0], block[1:]
        is_owner = owner == [*replace_index(owner, {exchange.axis: 0, exchange.lon_axis: 0})]
        has_cap = name == self._cap and end in [cap.end for cap in exchange.polar_caps]
        return (
            has_cap
            and is_owner
            and ChunkKeys(Source(name, tuple(map(len, self._chunks)))).holds(owner)
        )

    def _inner_keys(self) -> Iterator[Key]:
        for i, exchange in enumerate(self._planner.exchanges):
            axis, counts = exchange.axis, self._arrays[exchange.field].numblocks
            senders = [n for n, sent in enumerate(exchange.sent_ranges[: counts[axis]]) if sent]
            indices = [senders if d == axis else range(n) for d, n in enumerate(counts)]
            yield from product([self._slab], [i], *indices)
            near_pole = [
                range(1) if d in (axis, exchange.lon_axis) else range(n)
                for d, n in enumerate(map(len, self._chunks))
            ]
            for cap in exchange.polar_caps:
                yield from product([self._cap], [i], [cap.end], *near_pole)

    def _make(self, key: Key) -> Task:
        if key[0] == self.name:
            return self._chunk_task(key)
        exchange = self._planner.exchanges[key[1]]
        if key[0] == self._slab:
            source = self._arrays[exchange.field]
            ranges = exchange.sent_ranges[key[2 + exchange.axis]]
            return Task(
                key, cut_edge_slabs, TaskRef((source.name, *key[2:])), exchange.axis, ranges
            )
        return self._cap_task(key, exchange)

    def _chunk_task(self, key: Key) -> Task:
        """The task that computes a chunk of the result."""
        block = key[1:]
        if self._has_gaps:
            block = tuple([known[n] for known, n in zip(self._blocks, block, strict=True)])
        refs = [TaskRef(source.key(block)) for source in (*self._arrays, *self._weights)]
        for i, exchange in enumerate(self._planner.exchanges):
            refs.extend(self._received(i, exchange, block))
        return Task(key, compute_chunk, self._planner.plan(block), *refs)

    def _cap_task(self, key: Key, exchange: HaloExchange) -> Task:
        """The task that joins the rows nearest to a pole, for all chunks that share them."""
        _, i, end, *owner = key
        (cap,) = (cap for cap in exchange.polar_caps if cap.end == end)
        n_columns = 1 if cap.lon_axis is None else self._arrays[0].numblocks[cap.lon_axis]
        columns = [
            List(
                *(
                    TaskRef((self._slab, i, *replace_index(owner, {cap.lon_axis: m, cap.axis: n})))
                    for n, _ in cap.pieces
                )
            )
            for m in range(n_columns)
        ]
        return Task(key, join_polar_cap, cap, *columns)

    def _received(self, i: int, exchange: HaloExchange, block: Block) -> list[TaskRef]:
        """References to all edge slabs and polar caps that a chunk receives along one axis."""
        axis, source = exchange.axis, self._arrays[exchange.field]
        at, own = block[axis], source.block(block)
        before, after = (self._slab, i, *own[:axis]), own[axis + 1 :]
        refs = [TaskRef((*before, n, *after)) for n in exchange.neighbours[at]]
        if exchange.polar_caps and any(received := exchange.halos[at].received):
            owner = replace_index(block, {axis: 0, exchange.lon_axis: 0})
            refs += [TaskRef((self._cap, i, end, *owner)) for end in (0, 1) if received[end]]
        return refs


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause Python's garbage collection.

    To search a hundred thousand new tasks for garbage takes as long as to make them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def replace_index(block: Any, new: Mapping[int | None, int]) -> Block:
    """The chunk with other indices along some axes."""
    return tuple(new.get(d, n) for d, n in enumerate(block))
