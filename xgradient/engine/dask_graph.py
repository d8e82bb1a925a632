"""Task graphs: sums of terms on dask arrays in the same chunks, one task for each chunk.

The halo travels and the block does not: one task per chunk cuts its rims, the thin slabs that its
neighbours need, and one task takes the chunk as it lies, the rims around it and its rows of the
stencils.
"""

from __future__ import annotations

import gc
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from itertools import product
from typing import Any

from .. import kernels
from ..kernels import requests
from .block import PolarCap, run_block
from .plan import BlockPlan, HaloExchange, Planner
from .terms import PoleValue, TermSum, position_inputs

#: Part of a chunk, as one in so many, up to which its rims are copied.
MAX_COPIED_SHARE = 4


def dask_sums(
    arrays: list[Any],
    weights: list[Any],
    sums: list[TermSum],
    combine: requests.Combine | None,
    count: int,
) -> list[Any]:
    """Sums of terms as dask arrays.

    Parameters
    ----------
    arrays, weights : list of dask array
        The fields, in the same chunks, and positions and weights, which may be 1 long along some
        axes.
    sums : list of Sum
        The sums, with the number of each weight that is a dask array.
    finish, count
        As `evaluate.evaluate_sums` has them.
    """
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    first, names = arrays[0], [[a.name for a in each] for each in (arrays, weights)]
    token = tokenize(names, [_tokenizable(each) for each in sums], combine)
    planner = Planner(sums, first.chunks, len(arrays), combine, count, len(weights))
    every = list(product(*(range(n) for n in first.numblocks)))
    name = f"gradient-{token}"
    with _gc_paused():
        layer = _all_tasks(name, token, planner, arrays, weights, every)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[*arrays, *weights])
    apart = position_inputs(sums)
    meta = kernels.empty_like_result([a._meta for at, a in enumerate(arrays) if at not in apart])
    whole = da.Array(graph, name, first.chunks, meta=meta)
    return [whole] if count == 1 else [_getitem_layer(whole, at, every) for at in range(count)]


def append_first_lazily(array: Any, axis: int, sizes: tuple[int, ...], seen: list[Any]) -> Any:
    """Return a dask array with its first cells along an axis once more, at its end.

    Parameters
    ----------
    array : dask array
        The array.
    axis : int
        The axis.
    sizes : tuple of int
        The chunks of the result along the axis; only the last ones are not those of the array.
    seen : list of dask array
        What must have been computed before the first and the last chunks, in their chunks, and 1
        long along the axis.
    """
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Alias, List, Task, TaskRef

    token = tokenize(array.name, axis, sizes, [s.name for s in seen])
    name, first, last = f"closed-{token}", f"first-{token}", len(sizes) - 1
    chunks = (*array.chunks[:axis], sizes, *array.chunks[axis + 1 :])
    begin = next(k for k, n in enumerate(array.chunks[axis]) if n)
    layer: dict[Any, Any] = {}
    for block in product(*(range(len(part)) for part in chunks)):
        key, here = (name, *block), (array.name, *block)
        checks = [TaskRef((s.name, *_source_block(block, s))) for s in seen]
        if block[axis] == last:
            source = _replace_index(block, {axis: begin})
            rim = (first, *source)
            layer[rim] = Task(rim, _cut_edge_slabs, TaskRef((array.name, *source)), axis, ((0, 1),))
            mine = [TaskRef(here)] if last < array.numblocks[axis] else []
            layer[key] = Task(key, _joined, axis, TaskRef(rim), List(*checks), *mine)
        elif block[axis] == begin and checks:
            layer[key] = Task(key, _itself, TaskRef(here), *checks)
        else:
            layer[key] = Alias(key, here)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[array, *seen])
    return da.Array(graph, name, chunks, meta=array._meta)


def _joined(axis: int, first: list[Any], seen: list[Any], *mine: Any) -> Any:
    """A chunk with the first cells of the axis at its end."""
    return kernels.concat([*mine, *first], axis)


def _itself(block: Any, *seen: Any) -> Any:
    """A chunk that waits for others."""
    return block


def _getitem_layer(whole: Any, at: int, every: list[tuple[int, ...]]) -> Any:
    """One of several results: one task makes all of a chunk, one more takes each of them out."""
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Task, TaskRef

    part = f"{whole.name}-{at}"
    layer = {
        (part, *block): Task((part, *block), operator.getitem, TaskRef((whole.name, *block)), at)
        for block in every
    }
    graph = HighLevelGraph.from_collections(part, layer, dependencies=[whole])
    return da.Array(graph, part, whole.chunks, meta=whole._meta)


@contextmanager
def _gc_paused() -> Iterator[None]:
    """Keep Python from looking for garbage where there is none.

    Among the parts of a hundred thousand tasks that takes as long as to make them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _tokenizable(value: Any) -> Any:
    """What sums and stencils are made of, for a name that the same call gets again."""
    if isinstance(value, tuple):
        return [_tokenizable(part) for part in value]
    if is_dataclass(value):
        return [
            type(value).__name__,
            *(_tokenizable(getattr(value, f.name)) for f in fields(value)),
        ]
    return value


def _all_tasks(
    name: str,
    token: str,
    planner: Planner,
    arrays: list[Any],
    weights: list[Any],
    every: list[tuple[int, ...]],
) -> dict[Any, Any]:
    """The tasks of all blocks, and those that cut and join what they take from each other."""
    from dask.task_spec import Task, TaskRef

    tasks: dict[Any, Any] = {}
    for at, exchange in enumerate(planner.exchanges):
        tasks.update(_edge_slab_tasks(token, at, exchange, arrays, every))
        if any(exchange.polar_caps):
            tasks.update(_polar_cap_tasks(token, at, exchange, every))
    for block in every:
        key = (name, *block)
        refs = [TaskRef((a.name, *_source_block(block, a))) for a in (*arrays, *weights)]
        for at, exchange in enumerate(planner.exchanges):
            refs.extend(_received(token, at, exchange, arrays, block))
        tasks[key] = Task(key, _compute_chunk, planner.plan(block), *refs)
    return tasks


def _source_block(block: tuple[int, ...], array: Any) -> tuple[int, ...]:
    """The block of an array that belongs to a block of the fields; it may be 1 long along axes."""
    counts = array.numblocks
    if 1 not in counts:
        return block
    return tuple(0 if count == 1 else at for at, count in zip(block, counts, strict=True))


def _edge_slab_tasks(
    token: str, at: int, exchange: HaloExchange, arrays: list[Any], every: list[tuple[int, ...]]
) -> dict[Any, Any]:
    """The tasks that cut rims."""
    from dask.task_spec import Task, TaskRef

    group = exchange.halos[0]
    axis, source = group.axis, arrays[group.field]
    rim = f"rim-{token}", at
    tasks: dict[Any, Any] = {}
    for block in every:
        ref = _source_block(block, source)
        if (ranges := exchange.sent_ranges[block[axis]]) and (*rim, *ref) not in tasks:
            key = (*rim, *ref)
            tasks[key] = Task(key, _cut_edge_slabs, TaskRef((source.name, *ref)), axis, ranges)
    return tasks


def _polar_cap_tasks(
    token: str, at: int, exchange: HaloExchange, every: list[tuple[int, ...]]
) -> dict[Any, Any]:
    """The tasks that put the rows nearest to a pole together, one for all blocks that share it."""
    from dask.task_spec import List, Task, TaskRef

    axis, around, poles = exchange.halos[0].axis, exchange.lon_axis, exchange.halos[0].pole_values
    columns = range(1 if around is None else every[-1][around] + 1)
    tasks: dict[Any, Any] = {}
    for block in dict.fromkeys(_cap_owner(block, exchange) for block in every):
        for end, pieces in enumerate(exchange.polar_caps):
            if not pieces:
                continue
            refs = [
                [_replace_index(block, {around: m, axis: n}) for n, _ in pieces] for m in columns
            ]
            rims = [[TaskRef((f"rim-{token}", at, *ref)) for ref in column] for column in refs]
            key = (f"cap-{token}", at, end, *block)
            which = tuple(k for _, k in pieces)
            tasks[key] = Task(
                key,
                _join_polar_cap,
                axis,
                around,
                which,
                poles,
                end,
                *(List(*column) for column in rims),
            )
    return tasks


def _received(
    token: str, at: int, exchange: HaloExchange, arrays: list[Any], block: tuple[int, ...]
) -> list[Any]:
    """References to all that a block gets from others along one axis."""
    from dask.task_spec import TaskRef

    axis, source = exchange.halos[0].axis, arrays[exchange.halos[0].field]
    here, rim = block[axis], f"rim-{token}"
    before, after = block[:axis], block[axis + 1 :]
    places = [_source_block((*before, n, *after), source) for n in exchange.neighbours[here]]
    refs = [TaskRef((rim, at, *ref)) for ref in places]
    given = exchange.halos[here].received
    if any(given):
        corner = _cap_owner(block, exchange)
        refs += [TaskRef((f"cap-{token}", at, end, *corner)) for end in (0, 1) if given[end]]
    return refs


def _replace_index(block: tuple[int, ...], to: dict[Any, int]) -> tuple[int, ...]:
    """The block with other numbers along some axes."""
    return tuple(to.get(d, n) for d, n in enumerate(block))


def _cap_owner(block: tuple[int, ...], exchange: HaloExchange) -> tuple[int, ...]:
    """The block that stands for all that share the rows nearest to a pole."""
    return _replace_index(block, {exchange.halos[0].axis: 0, exchange.lon_axis: 0})


def _cut_edge_slabs(block: Any, axis: int, ranges: tuple[tuple[int, int], ...]) -> list[Any]:
    """The cells of a chunk that its neighbours need: a view would keep all of it in memory.

    Where they are a good part of it, to copy them would cost as much as the derivative.
    """
    rims = [requests.slice_axis(block, axis, start, stop) for start, stop in ranges]
    thick = MAX_COPIED_SHARE * sum(stop - start for start, stop in ranges) > block.shape[axis]
    return rims if thick else [kernels.copy_if_view(rim) for rim in rims]


def _join_polar_cap(
    axis: int,
    around: int | None,
    ranges: tuple[int, ...],
    poles: tuple[PoleValue, ...],
    end: int,
    *rims: list[list[Any]],
) -> PolarCap:
    """The rows nearest to a pole, all round the globe, once for all chunks there."""
    columns = [
        kernels.concat([cuts[k] for cuts, k in zip(column, ranges, strict=True)], axis)
        for column in rims
    ]
    rows = columns[0] if around is None else kernels.concat(columns, around)
    return PolarCap(rows, poles, end)


def _compute_chunk(plan: BlockPlan, *args: Any) -> Any:
    """All results of one chunk."""
    results = run_block(plan, *args)
    return results if len(results) > 1 else results[0]
