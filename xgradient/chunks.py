"""Where the data are: sums of terms on arrays in memory, or on each chunk of dask arrays.

On dask the halo travels and the block does not: one task per chunk cuts its rims, the thin slabs
that its neighbours need, and one task takes the chunk as it lies, the rims around it and its rows
of the stencils.
"""

from __future__ import annotations

import gc
import operator
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from . import blocks, kernels
from .plans import Exchange, Planner
from .stencils import Stencil
from .terms import PoleTerm, Sum, Term
from .threads import VARIABLE, run_all, thread_count

__all__ = [
    "beside",
    "check_alike",
    "check_place",
    "derivatives",
    "evaluate",
    "first_turn",
    "masked",
    "on_gpu",
    "place",
    "readable",
    "repeats",
]

#: Part of a chunk, as one in so many, up to which its rims are copied.
SMALL = 4
#: Data types whose derivatives are computed with float32 coefficients.
SINGLE = ("float16", "bfloat16", "float32", "complex64")


def derivatives(array: Any, requests: Sequence[tuple[int, Stencil]]) -> list[Any]:
    """Several derivatives of one array.

    Parameters
    ----------
    array : array
        The field, in memory or in dask chunks.
    requests : sequence of (int, Stencil)
        For each derivative its axis, not negative, and a stencil of the axis' length; one that
        reaches over the ends belongs to a periodic axis.

    Returns
    -------
    list of array
        One for each request, of the array's type, shape and chunks. Nothing is computed for dask.
    """
    if len(requests) == 1 and not _is_dask(array):
        ((axis, stencil),) = requests
        if not stencil.single:
            _refuse_single([array])
        array, as_given = kernels.opened(array)
        return [as_given(_wrapped(array, axis, stencil))]
    array, as_given = kernels.opened(array)
    results = evaluate([array], [Sum((Term(0, axis, stencil),)) for axis, stencil in requests])
    return [as_given(result) for result in results]


def evaluate(
    arrays: list[Any],
    sums: list[Sum],
    finish: kernels.Finish | None = None,
    count: int | None = None,
) -> list[Any]:
    """Sums of terms in one pass over the arrays.

    Parameters
    ----------
    arrays : list of array
        The fields, of one shape, in memory or in dask chunks; and positions, which may be 1 long
        along some axes.
    sums : list of Sum
        The sums, with stencils for the whole length of each axis.
    finish : callable, optional
        Makes results of the list of sums and the list of arrays, point by point; a function that
        can be pickled.
    count : int, optional
        How many results ``finish`` makes.

    Returns
    -------
    list of array
        The sums, or what ``finish`` makes of them, in chunks of the fields. Nothing is computed
        for dask.
    """
    if not all(t.stencil.single for each in sums for t in each.terms):
        _refuse_single(arrays)
    fields_ = [a for at, a in enumerate(arrays) if at not in _apart(sums)]
    check_alike(fields_)
    count = len(sums) if finish is None else count or 1
    if any(_is_dask(array) for array in (*arrays, *_weights(sums))):
        return _in_chunks(arrays, sums, finish, count)
    shape = arrays[0].shape
    planner = Planner(sums, tuple((n,) for n in shape), len(arrays), finish, count)
    return blocks.run(planner.plan((0,) * len(shape)), *arrays, runner=_run)


def check_alike(arrays: list[Any]) -> None:
    """Refuse fields of different libraries."""
    kernels.check_alike([a._meta if _is_dask(a) else a for a in arrays])


def check_place(array: Any, field: Any, what: str) -> None:
    """Refuse an array on a GPU beside a field that is not."""
    array, field = (a._meta if _is_dask(a) else a for a in (array, field))
    kernels.check_place(array, field, what)


def on_gpu(array: Any) -> bool:
    """Whether an array is on a GPU, as a whole."""
    return not _is_dask(array) and kernels.on_gpu(array)


def place(array: Any) -> AbstractContextManager[Any]:
    """Where an array is, or its chunks: inside this context others are made there, too."""
    return kernels.place(array._meta if _is_dask(array) else array)


def readable(array: Any) -> Any:
    """An array as NumPy's, or on its GPU; one in chunks of others in chunks of such."""
    if not _is_dask(array):
        return kernels.readable(array)
    meta = kernels.readable(array._meta)
    if meta is array._meta:
        return array
    return array.map_blocks(kernels.readable, dtype=array.dtype, meta=meta)


def beside(array: Any, like: Any) -> Any:
    """An array where another one is: on a GPU, if that one or its chunks are on one."""
    if not _is_dask(like):
        return kernels.beside(array, type(like))
    kind = type(like._meta)
    meta = kernels.beside(np.empty((0,) * array.ndim, array.dtype), kind)
    if isinstance(meta, np.ndarray):
        return array
    lazy = _in_parts(array, array.chunks if _is_dask(array) else tuple((n,) for n in array.shape))
    return lazy.map_blocks(kernels.beside, kind, dtype=array.dtype, meta=meta)


def masked(values: Any, valid: Any) -> Any:
    """The values where they are valid, and missing ones elsewhere."""
    if _is_dask(values) or _is_dask(valid):
        return np.where(valid, values, np.nan)  # dask's own
    return kernels.masked(values, valid)


def repeats(array: Any, axes: list[int]) -> list[bool]:
    """Along which of some axes an array in memory or on a GPU is the same all the way."""
    return kernels.repeats(array, axes)


def first_turn(positions: Any, axis: int) -> tuple[int, ...] | None:
    """Where positions along an axis first repeat a value or turn back, if they are in memory."""
    return None if _is_dask(positions) else kernels.first_turn(positions, axis, _run)


def _refuse_single(arrays: list[Any]) -> None:
    """Refuse arrays whose derivatives would need coefficients that float32 cannot hold."""
    names = [getattr(a.dtype, "name", str(a.dtype)).split(".")[-1] for a in arrays]
    if all(name in SINGLE for name in names):
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            f"{names[0]}; convert the data to float64 or rescale the coordinate"
        )


def _is_dask(array: Any) -> bool:
    """Whether this is a dask array; false without importing dask if nobody has."""
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(array, dask_array.Array)


def _run(calls: list[Callable[[], None]]) -> None:
    """Run calls on threads: as many as our variable says, else dask's setting if dask is in use."""
    threads = None
    dask = sys.modules.get("dask")
    if dask is not None and VARIABLE not in os.environ:
        threads = dask.config.get("num_workers", None)
        if dask.config.get("scheduler", None) in ("sync", "synchronous", "single-threaded"):
            threads = 1
    run_all(calls, thread_count() if threads is None else max(1, int(threads)))


def _wrapped(array: Any, axis: int, stencil: Stencil) -> Any:
    """The derivative of an axis that is here as a whole: what its windows reach is here too."""
    before, after = stencil.reach
    return kernels.derivative(
        array,
        axis,
        stencil,
        kernels.cut(array, axis, -before, None) if before else None,
        kernels.cut(array, axis, None, after) if after else None,
        _run,
    )


def _in_chunks(
    arrays: list[Any], sums: list[Sum], finish: kernels.Finish | None, count: int
) -> list[Any]:
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Task, TaskRef

    apart = _apart(sums)
    arrays = _alike(arrays, apart, _weights(sums))
    first = arrays[0]
    token = tokenize([a.name for a in arrays], [_plain(each) for each in sums], finish)
    sums, weights = _handed_over(sums, first.chunks)
    planner = Planner(sums, first.chunks, len(arrays), finish, count, len(weights))
    every = list(product(*(range(n) for n in first.numblocks)))
    name = f"gradient-{token}"
    with _no_garbage():
        layer = _tasks(name, token, planner, arrays, weights, every)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[*arrays, *weights])
    meta = kernels.blank([a._meta for at, a in enumerate(arrays) if at not in apart])
    whole = da.Array(graph, name, first.chunks, meta=meta)
    if count == 1:
        return [whole]
    # One task makes all results of a chunk; one more takes each of them out.
    results = []
    for at in range(count):
        part = f"{name}-{at}"
        take = {
            (part, *block): Task((part, *block), operator.getitem, TaskRef((name, *block)), at)
            for block in every
        }
        graph = HighLevelGraph.from_collections(part, take, dependencies=[whole])
        results.append(da.Array(graph, part, first.chunks, meta=meta))
    return results


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
    for block in every:
        key = (name, *block)
        refs = [TaskRef((a.name, *_within(block, a))) for a in (*arrays, *weights)]
        for at, exchange in enumerate(planner.exchanges):
            refs.extend(_given(token, at, exchange, arrays, block))
        tasks[key] = Task(key, _chunk, planner.plan(block), *refs)
    return tasks


def _alike(arrays: list[Any], apart: set[int | None], weights: list[Any]) -> list[Any]:
    """All arrays as dask arrays with the same chunks.

    They are those of the fields, else those of positions (the arrays ``apart``) and weights.
    """
    import dask.array as da

    if len(arrays) == 1 and _is_dask(arrays[0]):
        return arrays
    fields_ = [a for at, a in enumerate(arrays) if at not in apart]
    chunks = next((a.chunks for a in fields_ if _is_dask(a)), None)
    if chunks is None:
        lazy = [w for w in (*arrays, *weights) if _is_dask(w)]
        chunks = tuple(
            next((w.chunks[d] for w in lazy if w.shape[d] == n), (n,))
            for d, n in enumerate(arrays[0].shape)
        )
    elif any(a.chunks != chunks for a in fields_ if _is_dask(a)):
        dims = tuple(range(arrays[0].ndim))
        lazy = [a for a in fields_ if _is_dask(a)]
        every = (part for a in lazy for part in (a, dims))
        chunks = da.core.unify_chunks(*every, warn=False)[1][0].chunks
    return [_in_parts(a, chunks) for a in arrays]


def _in_parts(array: Any, chunks: tuple[tuple[int, ...], ...]) -> Any:
    """An array, which is perhaps 1 long along some axes, in chunks of the fields."""
    import dask.array as da

    mine = tuple(c if sum(c) == n else (1,) for n, c in zip(array.shape, chunks, strict=True))
    if _is_dask(array):
        return array.rechunk(mine)
    # Only NumPy arrays are named after what is in them: others may be far away.
    return da.from_array(array, mine, None if isinstance(array, np.ndarray) else False)


def _apart(sums: list[Sum]) -> set[int | None]:
    """Which of the arrays hold positions."""
    return {t.positions for each in sums for t in each.terms}


def _weights(sums: list[Sum]) -> list[Any]:
    """The weights and values of all terms."""
    every = [w for each in sums for t in each.terms for w in (t.weight, t.value)]
    return [w for w in every if w is not None]


def _handed_over(sums: list[Sum], chunks: Any) -> tuple[list[Sum], list[Any]]:
    """The sums with numbers for their dask weights, and these weights in chunks of the fields."""
    lazy = {w.name: w for w in _weights(sums) if _is_dask(w)}
    if not lazy:
        return sums, []
    number = {name: at for at, name in enumerate(lazy)}

    def known(weight: Any) -> Any:
        return number[weight.name] if _is_dask(weight) else weight

    numbered = [
        replace(
            each,
            terms=tuple(
                replace(t, weight=known(t.weight), value=known(t.value)) for t in each.terms
            ),
        )
        for each in sums
    ]
    return numbered, [_in_parts(w, chunks) for w in lazy.values()]


def _within(block: tuple[int, ...], array: Any) -> tuple[int, ...]:
    """The block of an array that belongs to a block of the fields; it may be 1 long along axes."""
    counts = array.numblocks
    if 1 not in counts:
        return block
    return tuple(0 if count == 1 else at for at, count in zip(block, counts, strict=True))


def _plain(value: Any) -> Any:
    """What sums and stencils are made of, for a name that the same call gets again."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, f.name)) for f in fields(value))]
    return value


def _rim_tasks(
    token: str, at: int, exchange: Exchange, arrays: list[Any], every: list[tuple[int, ...]]
) -> dict[Any, Any]:
    """The tasks that cut rims, and those that put the rows nearest to a pole together."""
    from dask.task_spec import List, Task, TaskRef

    group = exchange.groups[0]
    axis, source = group.axis, arrays[group.field]
    rim = f"rim-{token}", at
    tasks: dict[Any, Any] = {}
    for block in every:
        place = _within(block, source)
        if (ranges := exchange.ranges[block[axis]]) and (*rim, *place) not in tasks:
            key = (*rim, *place)
            tasks[key] = Task(key, _rims, TaskRef((source.name, *place)), axis, ranges)
    for end, pieces in enumerate(exchange.caps):
        for block in every if pieces else ():
            if block != _corner(block, exchange):
                continue
            cap = (f"cap-{token}", at, end, *block)
            rows = []
            for m in range(_count(every, exchange.around)):
                column = [_moved(block, {exchange.around: m, axis: n}) for n, _ in pieces]
                rows.append(List(*(TaskRef((*rim, *place)) for place in column)))
            which = tuple(k for _, k in pieces)
            tasks[cap] = Task(cap, _cap, axis, exchange.around, which, group.poles, end, *rows)
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


def _count(every: list[tuple[int, ...]], axis: int | None) -> int:
    """The number of blocks along an axis."""
    return 1 if axis is None else every[-1][axis] + 1


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
