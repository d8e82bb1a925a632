"""Results on arrays of cubed: each chunk runs the tasks that dask would run for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

from dask._task_spec import convert_legacy_graph
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from dask.order import order

from .chunk_tasks import cut_edge_slabs
from .task_layers import Block, Key, SumLayer

#: Chunks that NumPy needs in addition to fields and results, before loops are compiled.
EXTRA_CHUNKS = 2


class BlockGraph:
    """The tasks of dask arrays whose sources are arrays of cubed.

    Parameters
    ----------
    names : list of str
        Names of the dask arrays, all in the same number of chunks.
    tasks : HighLevelGraph
        Their tasks, without those of the sources.
    sources : mapping from str to array of cubed
        The sources by their names in the tasks.
    """

    def __init__(self, names: list[str], tasks: Any, sources: Mapping[str, Any]) -> None:
        self._names, self._tasks = names, tasks
        #: The names that cubed knows the sources by, and the cells of their chunks.
        self._sources = {name: array.name for name, array in sources.items()}
        self._cells = {name: array.chunksize for name, array in sources.items()}
        self._steps = lru_cache(maxsize=4)(self._make_steps)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the cache."""
        return {name: value for name, value in vars(self).items() if name != "_steps"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, with an empty cache."""
        vars(self).update(state)
        self._steps = lru_cache(maxsize=4)(self._make_steps)

    def source_chunks(self, block: Block) -> list[tuple[str, Block]]:
        """Return the chunks that a chunk of the results needs, in the order of their use.

        Each is the name that cubed knows, and the index of the chunk.
        """
        return [
            (self._sources[key[0]], key[1:]) for key, task, _ in self._steps(block) if task is None
        ]

    def compute(self, block: Block, chunks: Iterator[Any]) -> tuple[Any, ...]:
        """Return a chunk of each result.

        Parameters
        ----------
        block : tuple of int
            Index of the chunk.
        chunks : iterator of array
            The chunks of `source_chunks`; each is read when a task needs it.
        """
        values: dict[Key, Any] = {}
        for key, task, unused in self._steps(block):
            values[key] = next(chunks) if task is None else task(values)
            for other in unused:  # memory is free again
                del values[other]
        return tuple(values[(name, *block)] for name in self._names)

    def chunks_held(self, block: Block) -> float:
        """Return how many chunks of fields and results are in memory at most for a chunk."""
        held: dict[Key, float] = {}
        most = 0.0
        for key, task, unused in self._steps(block):
            held[key] = 1.0 if task is None else self._share_of_chunk(task)
            most = max(most, sum(held.values()))
            for other in unused:
                del held[other]
        return most

    def _share_of_chunk(self, task: Any) -> float:
        """The size of the result of a task as a share of a chunk."""
        if getattr(task, "func", None) is not cut_edge_slabs:
            return 1.0
        source, axis, ranges = task.args
        cells = self._cells.get(source.key[0], (1,) * (axis + 1))[axis]
        share: float = sum(stop - start for start, stop in ranges) / cells
        return min(1.0, share)

    def _make_steps(self, block: Block) -> list[tuple[Key, Any, list[Key]]]:
        """The keys of a chunk's tasks and sources in the order of work.

        With each are its task, None for a source, and the keys that are not needed from then on.
        """
        keys = [(name, *block) for name in self._names]
        tasks = dict(self._tasks.cull(keys).to_dict())
        needed = {key for task in tasks.values() for key in task.dependencies}
        tasks.update(dict.fromkeys(needed - tasks.keys()))
        places = order({key: 0 if task is None else task for key, task in tasks.items()})
        steps = sorted(tasks.items(), key=lambda step: places[step[0]])
        last_use = {
            used: key for key, task in steps if task is not None for used in task.dependencies
        }
        unused: dict[Key, list[Key]] = {}
        for used, key in last_use.items():
            if used not in keys:
                unused.setdefault(key, []).append(used)
        return [(key, task, unused.get(key, [])) for key, task in steps]


def cubed_arrays(arrays: list[Any], sources: Mapping[str, Any]) -> list[Any]:
    """Return arrays of cubed that run the tasks of dask arrays.

    Results of one computation are computed together, because a field is read once for all.

    Parameters
    ----------
    arrays : list of dask array
        The arrays.
    sources : mapping from str to cubed array
        The arrays whose names the tasks have for chunks that are not theirs.
    """
    groups: dict[Any, list[Any]] = {}
    for array in map(_with_regular_chunks, arrays):
        sums = frozenset(
            name for name, layer in array.dask.layers.items() if isinstance(layer, SumLayer)
        )
        groups.setdefault((array.chunks, sums or array.name), []).append(array)
    made: dict[str, Any] = {}
    for group in groups.values():
        distinct = list({array.name: array for array in group}.values())
        made.update(zip([a.name for a in distinct], _computed_together(distinct, sources),
                        strict=True))  # fmt: skip
    return [made[_with_regular_chunks(array).name] for array in arrays]


def _computed_together(arrays: list[Any], sources: Mapping[str, Any]) -> Sequence[Any]:
    """Arrays of cubed for dask arrays in the same chunks, which one task computes for a chunk."""
    from cubed.core.ops import general_blockwise
    from cubed.primitive.blockwise import ChunkKey, FunctionArgs

    whole = HighLevelGraph.merge(*(array.dask for array in arrays))
    used = {name: array for name, array in sources.items() if name in whole.layers}
    graph = BlockGraph([a.name for a in arrays], _own_tasks(whole, used), used)

    def chunk_keys(out_key: Any) -> Any:
        keys = [ChunkKey(name, block) for name, block in graph.source_chunks(out_key.coords)]
        return FunctionArgs(iter(keys), output_name=out_key.name)

    def compute(chunks: Iterator[Any], block_id: Any = None) -> Any:
        results = graph.compute(tuple(block_id), chunks)
        return results if len(results) > 1 else results[0]

    first = arrays[0]
    middle = tuple(n // 2 for n in first.numblocks)
    held, reads = graph.chunks_held(middle), [name for name, _ in graph.source_chunks(middle)]
    every = [*arrays, *used.values()]
    largest = max(a.dtype.itemsize * prod(map(max, a.chunks)) for a in every)
    result = general_blockwise(
        compute,
        chunk_keys,
        *used.values(),
        shapes=[a.shape for a in arrays],
        dtypes=[a.dtype for a in arrays],
        chunkss=[a.chunks for a in arrays],
        target_stores=[None] * len(arrays) if len(arrays) > 1 else None,
        num_input_blocks=tuple(max(1, reads.count(array.name)) for array in used.values()),
        extra_projected_mem=int(largest * (held + EXTRA_CHUNKS)),
    )
    return result if len(arrays) > 1 else [result]


def _own_tasks(graph: Any, sources: Mapping[str, Any]) -> Any:
    """A graph without the layers of sources, all of whose tasks are of dask's current kind."""
    layers = {name: layer for name, layer in graph.layers.items() if name not in sources}
    for name, layer in layers.items():
        if layer.has_legacy_tasks:
            keys = graph.get_all_external_keys()
            layers[name] = MaterializedLayer(convert_legacy_graph(dict(layer), keys))
    needs = {name: set(graph.dependencies[name]) - set(sources) for name in layers}
    return HighLevelGraph(layers, needs)


def _with_regular_chunks(array: Any) -> Any:
    """A dask array in chunks of one size along each axis, but the last, as cubed has them."""
    chunks = {}
    for axis, sizes in enumerate(array.chunks):
        *head, last = sizes
        size = max(1, *sizes)
        if any(n != size for n in head) or not 0 < last <= size:
            chunks[axis] = size
    return array.rechunk(chunks) if chunks else array
