"""Task graphs: sums of terms on dask arrays in the same chunks, one task for each chunk.

Halos are sent between chunks, the chunks themselves are not. One task per chunk cuts its edge
slabs, the thin ranges of cells that its neighbours need. Another task takes the chunk, the edge
slabs of its neighbours, and its rows of the stencils.
"""

from __future__ import annotations

import gc
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from itertools import accumulate, product
from typing import Any

from ..kernels import backend_of
from ..kernels.requests import slice_axis
from .block import PolarCap, run_block
from .halo import HaloExchange, PolarCapPlan, Range
from .plan import BlockPlan, Planner
from .terms import Computation

#: Edge slabs are copied if they hold at most one in so many cells of the chunk.
MAX_COPIED_SHARE = 4

#: Index of a chunk along each axis.
Block = tuple[int, ...]


def dask_sums(arrays: list[Any], weights: list[Any], computation: Computation) -> list[Any]:
    """Return the results of a computation as dask arrays.

    Parameters
    ----------
    arrays, weights : list of dask array
        The fields and positions, and the weights, all in the same chunks. Positions and weights
        may be 1 long along some axes.
    computation : Computation
        The sums, with the index of each dask weight in place of it.
    """
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    first, names = arrays[0], [[a.name for a in group] for group in (arrays, weights)]
    sums, combine = computation.sums, computation.combine
    token = tokenize(names, [_tokenizable(s) for s in sums], combine)
    graph_builder = _GraphBuilder(token, Planner(computation, first.chunks), arrays, weights)
    with _gc_paused():
        layer = graph_builder.tasks()
    name = graph_builder.name
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[*arrays, *weights])
    positions = computation.position_inputs
    metas = [a._meta for i, a in enumerate(arrays) if i not in positions]
    meta = backend_of(metas[0]).empty_like_result(metas)
    whole = da.Array(graph, name, graph_builder.out_chunks, meta=meta)
    if computation.n_outputs == 1:
        return [whole]
    return [_getitem_layer(whole, i) for i in range(computation.n_outputs)]


def append_first_lazily(array: Any, axis: int, sizes: tuple[int, ...], checks: list[Any]) -> Any:
    """Return a dask array that repeats its first cells along an axis at its end.

    Parameters
    ----------
    array : dask array
        The array.
    axis : int
        The axis.
    sizes : tuple of int
        Chunk sizes of the result along the axis; only the last ones differ from the array's.
    checks : list of dask array
        Arrays to compute before the first and the last chunks, in the same chunks, and 1 long
        along the axis.
    """
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Alias, List, Task, TaskRef

    token = tokenize(array.name, axis, sizes, [c.name for c in checks])
    name, first, last = f"closed-{token}", f"first-{token}", len(sizes) - 1
    chunks = (*array.chunks[:axis], sizes, *array.chunks[axis + 1 :])
    begin = next(k for k, n in enumerate(array.chunks[axis]) if n)
    layer: dict[Any, Any] = {}
    for block in product(*(range(len(part)) for part in chunks)):
        key, source = (name, *block), (array.name, *block)
        check_refs = [TaskRef((c.name, *_source_block(block, c))) for c in checks]
        if block[axis] == last:
            first_block = _replace_index(block, {axis: begin})
            slab = (first, *first_block)
            first_ref = TaskRef((array.name, *first_block))
            layer[slab] = Task(slab, _cut_edge_slabs, first_ref, axis, ((0, 1),))
            chunk = [TaskRef(source)] if last < array.numblocks[axis] else []
            layer[key] = Task(key, _append_slabs, axis, TaskRef(slab), List(*check_refs), *chunk)
        elif block[axis] == begin and check_refs:
            layer[key] = Task(key, _after_checks, TaskRef(source), *check_refs)
        else:
            layer[key] = Alias(key, source)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[array, *checks])
    return da.Array(graph, name, chunks, meta=array._meta)


def _append_slabs(axis: int, slabs: list[Any], checks: list[Any], *chunk: Any) -> Any:
    """A chunk, if there is one, with the first cells of the axis at its end."""
    return backend_of(slabs[0]).concat([*chunk, *slabs], axis)


def _after_checks(block: Any, *checks: Any) -> Any:
    """A chunk that is available only after checks."""
    return block


def _getitem_layer(whole: Any, i: int) -> Any:
    """One of several results: a task per chunk that takes it from the list of all results."""
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Task, TaskRef

    name = f"{whole.name}-{i}"
    layer = {
        (name, *block): Task((name, *block), operator.getitem, TaskRef((whole.name, *block)), i)
        for block in product(*map(range, whole.numblocks))
    }
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[whole])
    return da.Array(graph, name, whole.chunks, meta=whole._meta)


@contextmanager
def _gc_paused() -> Iterator[None]:
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


def _tokenizable(value: Any) -> Any:
    """Sums and stencils as lists of their fields, from which dask makes a reproducible name."""
    if isinstance(value, tuple):
        return [_tokenizable(part) for part in value]
    if is_dataclass(value):
        return [
            type(value).__name__,
            *(_tokenizable(getattr(value, f.name)) for f in fields(value)),
        ]
    return value


class _GraphBuilder:
    """Makes the tasks of all chunks.

    Parameters
    ----------
    token : str
        Makes the names of the tasks unique.
    planner : Planner
        The plans of all chunks.
    arrays, weights : list of dask array
        The input arrays and the dask weights.
    """

    def __init__(self, token: str, planner: Planner, arrays: list[Any], weights: list[Any]) -> None:
        self.name = f"gradient-{token}"
        self.blocks: list[Block] = list(product(*(range(n) for n in arrays[0].numblocks)))
        self._slab, self._cap = f"edge-slabs-{token}", f"polar-cap-{token}"
        self._planner, self._arrays, self._weights = planner, arrays, weights
        pairs = list(map(_out_chunks, planner.chunks, planner.out_sizes))
        #: Chunks of the results.
        self.out_chunks = tuple(chunks for chunks, _ in pairs)
        self._out_numbers = [numbers for _, numbers in pairs]

    def tasks(self) -> dict[Any, Any]:
        """The tasks that compute chunks, and the tasks that cut and join edge slabs."""
        from dask.task_spec import Task, TaskRef

        tasks: dict[Any, Any] = {}
        exchanges = self._planner.exchanges
        for i, exchange in enumerate(exchanges):
            tasks.update(self._edge_slab_tasks(i, exchange))
            for cap in exchange.polar_caps:
                tasks.update(self._polar_cap_tasks(i, exchange, cap))
        for block in self.blocks:
            numbers = [known[n] for known, n in zip(self._out_numbers, block, strict=True)]
            if None in numbers:
                continue
            key = (self.name, *numbers)
            sources = (*self._arrays, *self._weights)
            refs = [TaskRef((a.name, *_source_block(block, a))) for a in sources]
            for i, exchange in enumerate(exchanges):
                refs.extend(self._received(i, exchange, block))
            tasks[key] = Task(key, _compute_chunk, self._planner.plan(block), *refs)
        return tasks

    def _edge_slab_tasks(self, i: int, exchange: HaloExchange) -> dict[Any, Any]:
        """The tasks that cut edge slabs from the chunks of one input array."""
        from dask.task_spec import Task, TaskRef

        axis, source = exchange.axis, self._arrays[exchange.field]
        tasks: dict[Any, Any] = {}
        for block in self.blocks:
            source_block = _source_block(block, source)
            key = (self._slab, i, *source_block)
            if (ranges := exchange.sent_ranges[block[axis]]) and key not in tasks:
                ref = TaskRef((source.name, *source_block))
                tasks[key] = Task(key, _cut_edge_slabs, ref, axis, ranges)
        return tasks

    def _polar_cap_tasks(self, i: int, exchange: HaloExchange, cap: PolarCapPlan) -> dict[Any, Any]:
        """The tasks that join the rows nearest to a pole, one for all chunks that share them."""
        from dask.task_spec import List, Task, TaskRef

        axis, lon_axis = cap.axis, cap.lon_axis
        n_columns = 1 if lon_axis is None else self._arrays[0].numblocks[lon_axis]
        tasks: dict[Any, Any] = {}
        for owner in dict.fromkeys(_cap_owner(block, exchange) for block in self.blocks):
            columns = [
                List(
                    *(
                        TaskRef((self._slab, i, *_replace_index(owner, {lon_axis: m, axis: n})))
                        for n, _ in cap.pieces
                    )
                )
                for m in range(n_columns)
            ]
            key = (self._cap, i, cap.end, *owner)
            tasks[key] = Task(key, _join_polar_cap, cap, *columns)
        return tasks

    def _received(self, i: int, exchange: HaloExchange, block: Block) -> list[Any]:
        """References to all edge slabs and polar caps that a chunk receives along one axis."""
        from dask.task_spec import TaskRef

        axis, source = exchange.axis, self._arrays[exchange.field]
        before, at, after = block[:axis], block[axis], block[axis + 1 :]
        senders = [_source_block((*before, n, *after), source) for n in exchange.neighbours[at]]
        refs = [TaskRef((self._slab, i, *sender)) for sender in senders]
        received = exchange.halos[at].received
        if any(received):
            owner = _cap_owner(block, exchange)
            refs += [TaskRef((self._cap, i, end, *owner)) for end in (0, 1) if received[end]]
        return refs


def _out_chunks(
    sizes: tuple[int, ...], rows: tuple[int, ...]
) -> tuple[tuple[int, ...], list[int | None]]:
    """Return the chunks of results along an axis, and the number of each input chunk's result.

    A chunk whose nodes have no row has no result, unless the chunk is empty itself.
    """
    if sizes == rows:
        return rows, list(range(len(rows)))
    has_result = [n > 0 or size == 0 for size, n in zip(sizes, rows, strict=True)]
    counted = accumulate(has_result, initial=0)
    numbers = [at if has else None for has, at in zip(has_result, counted, strict=False)]
    return tuple(n for n, has in zip(rows, has_result, strict=True) if has), numbers


def _source_block(block: Block, array: Any) -> Block:
    """The chunk of an array that belongs to a chunk of the fields; the array may be 1 long."""
    counts = array.numblocks
    if 1 not in counts:
        return block
    return tuple(0 if count == 1 else n for n, count in zip(block, counts, strict=True))


def _replace_index(block: Block, new: dict[Any, int]) -> Block:
    """The chunk with other indices along some axes."""
    return tuple(new.get(d, n) for d, n in enumerate(block))


def _cap_owner(block: Block, exchange: HaloExchange) -> Block:
    """Key block of the polar cap task that all chunks near the pole share."""
    return _replace_index(block, {exchange.axis: 0, exchange.lon_axis: 0})


def _cut_edge_slabs(block: Any, axis: int, ranges: tuple[Range, ...]) -> list[Any]:
    """Cut the cells of a chunk that its neighbours need.

    Thin slabs are copied, because a view would keep the whole chunk in memory. Thick ones are
    views, because a copy would cost as much as the derivative.
    """
    slabs = [slice_axis(block, axis, start, stop) for start, stop in ranges]
    thick = MAX_COPIED_SHARE * sum(stop - start for start, stop in ranges) > block.shape[axis]
    return slabs if thick else [backend_of(block).copy_if_view(slab) for slab in slabs]


def _join_polar_cap(cap: PolarCapPlan, *columns: list[list[Any]]) -> PolarCap:
    """Join the rows nearest to a pole at all longitudes, from the edge slabs of each column."""
    backend = backend_of(columns[0][0][0])
    joined = [
        backend.concat(
            [slabs[k] for slabs, (_, k) in zip(column, cap.pieces, strict=True)], cap.axis
        )
        for column in columns
    ]
    rows = joined[0] if cap.lon_axis is None else backend.concat(joined, cap.lon_axis)
    return PolarCap(rows, cap.pole_values, cap.end)


def _compute_chunk(plan: BlockPlan, *args: Any) -> Any:
    """All results of one chunk: a list, or the only one."""
    results = run_block(plan, *args)
    return results if len(results) > 1 else results[0]
