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

from . import blocks, kernels
from .plans import Exchange, Planner
from .terms import PoleTerm, Sum, positions_of

__all__ = ["evaluate", "with_first_again"]

#: Part of a chunk, as one in so many, up to which its rims are copied.
SMALL = 4


def evaluate(
    arrays: list[Any],
    weights: list[Any],
    sums: list[Sum],
    finish: kernels.Finish | None,
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
        As `chunks.evaluate` has them.
    """
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    first, names = arrays[0], [[a.name for a in each] for each in (arrays, weights)]
    token = tokenize(names, [_plain(each) for each in sums], finish)
    planner = Planner(sums, first.chunks, len(arrays), finish, count, len(weights))
    every = list(product(*(range(n) for n in first.numblocks)))
    name = f"gradient-{token}"
    with _no_garbage():
        layer = _tasks(name, token, planner, arrays, weights, every)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[*arrays, *weights])
    apart = positions_of(sums)
    meta = kernels.blank([a._meta for at, a in enumerate(arrays) if at not in apart])
    whole = da.Array(graph, name, first.chunks, meta=meta)
    return [whole] if count == 1 else [_taken_out(whole, at, every) for at in range(count)]


def with_first_again(array: Any, axis: int, sizes: tuple[int, ...], seen: list[Any]) -> Any:
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
        checks = [TaskRef((s.name, *_within(block, s))) for s in seen]
        if block[axis] == last:
            source = _moved(block, {axis: begin})
            rim = (first, *source)
            layer[rim] = Task(rim, _rims, TaskRef((array.name, *source)), axis, ((0, 1),))
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
    return kernels.join([*mine, *first], axis)


def _itself(block: Any, *seen: Any) -> Any:
    """A chunk that waits for others."""
    return block


def _taken_out(whole: Any, at: int, every: list[tuple[int, ...]]) -> Any:
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
def _no_garbage() -> Iterator[None]:
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


def _plain(value: Any) -> Any:
    """What sums and stencils are made of, for a name that the same call gets again."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, f.name)) for f in fields(value))]
    return value


def _tasks(
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
        tasks.update(_rim_tasks(token, at, exchange, arrays, every))
        if any(exchange.caps):
            tasks.update(_cap_tasks(token, at, exchange, every))
    for block in every:
        key = (name, *block)
        refs = [TaskRef((a.name, *_within(block, a))) for a in (*arrays, *weights)]
        for at, exchange in enumerate(planner.exchanges):
            refs.extend(_given(token, at, exchange, arrays, block))
        tasks[key] = Task(key, _chunk, planner.plan(block), *refs)
    return tasks


def _within(block: tuple[int, ...], array: Any) -> tuple[int, ...]:
    """The block of an array that belongs to a block of the fields; it may be 1 long along axes."""
    counts = array.numblocks
    if 1 not in counts:
        return block
    return tuple(0 if count == 1 else at for at, count in zip(block, counts, strict=True))


def _rim_tasks(
    token: str, at: int, exchange: Exchange, arrays: list[Any], every: list[tuple[int, ...]]
) -> dict[Any, Any]:
    """The tasks that cut rims."""
    from dask.task_spec import Task, TaskRef

    group = exchange.groups[0]
    axis, source = group.axis, arrays[group.field]
    rim = f"rim-{token}", at
    tasks: dict[Any, Any] = {}
    for block in every:
        place = _within(block, source)
        if (ranges := exchange.ranges[block[axis]]) and (*rim, *place) not in tasks:
            key = (*rim, *place)
            tasks[key] = Task(key, _rims, TaskRef((source.name, *place)), axis, ranges)
    return tasks


def _cap_tasks(
    token: str, at: int, exchange: Exchange, every: list[tuple[int, ...]]
) -> dict[Any, Any]:
    """The tasks that put the rows nearest to a pole together, one for all blocks that share it."""
    from dask.task_spec import List, Task, TaskRef

    axis, around, poles = exchange.groups[0].axis, exchange.around, exchange.groups[0].poles
    columns = range(1 if around is None else every[-1][around] + 1)
    tasks: dict[Any, Any] = {}
    for block in dict.fromkeys(_corner(block, exchange) for block in every):
        for end, pieces in enumerate(exchange.caps):
            if not pieces:
                continue
            places = [[_moved(block, {around: m, axis: n}) for n, _ in pieces] for m in columns]
            rims = [
                [TaskRef((f"rim-{token}", at, *place)) for place in column] for column in places
            ]
            key = (f"cap-{token}", at, end, *block)
            which = tuple(k for _, k in pieces)
            tasks[key] = Task(
                key, _cap, axis, around, which, poles, end, *(List(*column) for column in rims)
            )
    return tasks


def _given(
    token: str, at: int, exchange: Exchange, arrays: list[Any], block: tuple[int, ...]
) -> list[Any]:
    """References to all that a block gets from others along one axis."""
    from dask.task_spec import TaskRef

    axis, source = exchange.groups[0].axis, arrays[exchange.groups[0].field]
    here, rim = block[axis], f"rim-{token}"
    before, after = block[:axis], block[axis + 1 :]
    places = [_within((*before, n, *after), source) for n in exchange.neighbours[here]]
    refs = [TaskRef((rim, at, *place)) for place in places]
    given = exchange.groups[here].given
    if any(given):
        corner = _corner(block, exchange)
        refs += [TaskRef((f"cap-{token}", at, end, *corner)) for end in (0, 1) if given[end]]
    return refs


def _moved(block: tuple[int, ...], to: dict[Any, int]) -> tuple[int, ...]:
    """The block with other numbers along some axes."""
    return tuple(to.get(d, n) for d, n in enumerate(block))


def _corner(block: tuple[int, ...], exchange: Exchange) -> tuple[int, ...]:
    """The block that stands for all that share the rows nearest to a pole."""
    return _moved(block, {exchange.groups[0].axis: 0, exchange.around: 0})


def _rims(block: Any, axis: int, ranges: tuple[tuple[int, int], ...]) -> list[Any]:
    """The cells of a chunk that its neighbours need: a view would keep all of it in memory.

    Where they are a good part of it, to copy them would cost as much as the derivative.
    """
    rims = [kernels.cut(block, axis, start, stop) for start, stop in ranges]
    thick = SMALL * sum(stop - start for start, stop in ranges) > block.shape[axis]
    return rims if thick else [kernels.owned(rim) for rim in rims]


def _cap(
    axis: int,
    around: int | None,
    ranges: tuple[int, ...],
    poles: tuple[PoleTerm, ...],
    end: int,
    *rims: list[list[Any]],
) -> blocks.Cap:
    """The rows nearest to a pole, all round the globe, once for all chunks there."""
    columns = [
        kernels.join([cuts[k] for cuts, k in zip(column, ranges, strict=True)], axis)
        for column in rims
    ]
    rows = columns[0] if around is None else kernels.join(columns, around)
    return blocks.Cap(rows, poles, end)


def _chunk(plan: blocks.Plan, *args: Any) -> Any:
    """All results of one chunk."""
    results = blocks.run(plan, *args)
    return results if len(results) > 1 else results[0]
