"""Where the data are: derivatives of an array in memory, or of each chunk of a dask array.

On dask the halo travels and the block does not: one task per chunk cuts its rims, the thin slabs
that its neighbours need, and one task takes the chunk as it lies, the rims around it and its rows
of the stencil.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable
from dataclasses import fields
from itertools import accumulate, pairwise, product
from typing import Any

import numpy as np

from . import kernels
from .stencils import Stencil
from .threads import VARIABLE, run_all, thread_count

__all__ = ["derivatives", "result_dtype"]

result_dtype = kernels.result_dtype

#: Data types whose derivatives are computed with float32 coefficients.
SINGLE = ("float16", "float32", "complex64")

#: One derivative: the axis, and the stencil for its whole length.
Request = tuple[int, Stencil]
#: Cells of a chunk along an axis, half open.
Range = tuple[int, int]
#: A chunk's rows, what stands before and after it (which neighbour, which of its ranges), and the
#: neighbours.
ChunkPlan = tuple[
    Stencil, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], tuple[int, ...]
]


def derivatives(array: Any, requests: list[Request]) -> list[Any]:
    """Several derivatives of one array.

    Parameters
    ----------
    array : array
        The field, in memory or in dask chunks.
    requests : list of (int, Stencil)
        For each derivative its axis, not negative, and a stencil of the axis' length; one that
        reaches over the ends belongs to a periodic axis.

    Returns
    -------
    list of array
        One for each request, of the array's type, shape and chunks. Nothing is computed for dask.
    """
    single = [stencil.single for _, stencil in requests]
    name = "" if all(single) else getattr(array.dtype, "name", str(array.dtype)).split(".")[-1]
    if name in SINGLE:
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            f"{name}; convert the data to float64 or rescale the coordinate"
        )
    if _is_dask(array):
        return _in_chunks(array, requests)
    return [_wrapped(array, axis, stencil, _run) for axis, stencil in requests]


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


def _wrapped(array: Any, axis: int, stencil: Stencil, runner: Any = None) -> Any:
    """The derivative of an axis that is here as a whole: what its windows reach is here too."""
    before, after = stencil.reach
    return kernels.derivative(
        array,
        axis,
        stencil,
        kernels.cut(array, axis, -before, None) if before else None,
        kernels.cut(array, axis, None, after) if after else None,
        runner,
    )


def _in_chunks(array: Any, requests: list[Request]) -> list[Any]:
    import dask.array as da
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import Task, TaskRef

    token = tokenize(array.name, [(axis, _plain(stencil)) for axis, stencil in requests])
    name, rim = f"gradient-{token}", f"rim-{token}"
    meta = array._meta.astype(result_dtype(array.dtype))
    plans = [(axis, *_plan(array.chunks[axis], stencil)) for axis, stencil in requests]
    blocks = list(product(*(range(n) for n in array.numblocks)))
    layer: dict[Any, Any] = {}
    for at, (axis, _, cuts) in enumerate(plans):
        for block in blocks:
            if ranges := cuts[block[axis]]:
                key = (rim, at, *block)
                layer[key] = Task(key, _rims, TaskRef((array.name, *block)), axis, ranges)
    for block in blocks:
        steps, rims = [], []
        for at, (axis, chunks, _) in enumerate(plans):
            rows, before, after, neighbours = chunks[block[axis]]
            steps.append((axis, rows, before, after, len(neighbours)))
            head, tail = block[:axis], block[axis + 1 :]
            rims.extend([TaskRef((rim, at, *head, n, *tail)) for n in neighbours])
        key = (name, *block)
        layer[key] = Task(key, _chunk, steps, TaskRef((array.name, *block)), *rims)
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[array])
    every = da.Array(graph, name, array.chunks, meta=meta)
    if len(requests) == 1:
        return [every]
    # One task makes all derivatives of a chunk; one more takes each of them out.
    results = []
    for at in range(len(requests)):
        part = f"{name}-{at}"
        take = {
            (part, *block): Task((part, *block), operator.getitem, TaskRef((name, *block)), at)
            for block in blocks
        }
        graph = HighLevelGraph.from_collections(part, take, dependencies=[every])
        results.append(da.Array(graph, part, array.chunks, meta=meta))
    return results


def _plain(stencil: Stencil) -> tuple[Any, ...]:
    """What a stencil is made of, for a name that the same call gets again."""
    return tuple(getattr(stencil, field.name) for field in fields(stencil))


def _plan(
    chunks: tuple[int, ...], stencil: Stencil
) -> tuple[list[ChunkPlan], list[tuple[Range, ...]]]:
    """What each chunk along an axis takes from others, and what others take from it."""
    if len(chunks) == 1:
        return [(stencil, (), (), ())], [()]  # the chunk holds all it needs, wrapped or not
    bounds = [0, *accumulate(chunks)]
    taken: list[dict[Range, int]] = [{} for _ in chunks]
    alike: dict[int, Stencil] = {}  # inside a uniform axis, chunks of one length have one stencil
    plans: list[ChunkPlan] = []
    for at, (start, stop) in enumerate(pairwise(bounds)):
        if stencil.uniform and stencil.first <= start < stop <= stencil.last:
            if stop - start not in alike:
                alike[stop - start] = stencil.rows(start, stop)
            rows = alike[stop - start]
        else:
            rows = stencil.rows(start, stop)
        early, late = rows.reach if start < stop else (0, 0)
        earlier = _gather(chunks, range(at - 1, at - 1 - len(chunks), -1), early, True)[::-1]
        later = _gather(chunks, range(at + 1, at + 1 + len(chunks)), late, False)
        neighbours = tuple(dict.fromkeys(n for n, _ in earlier + later))
        before, after = (
            tuple((neighbours.index(n), taken[n].setdefault(r, len(taken[n]))) for n, r in side)
            for side in (earlier, later)
        )
        plans.append((rows, before, after, neighbours))
    return plans, [tuple(ranges) for ranges in taken]


def _gather(
    chunks: tuple[int, ...], order: range, cells: int, from_end: bool
) -> list[tuple[int, Range]]:
    """The nearest ``cells`` cells, from as many chunks as it takes, round the end if need be."""
    pieces = []
    for at in order:
        size = chunks[at % len(chunks)]
        here = min(cells, size)
        if here:
            pieces.append((at % len(chunks), (size - here, size) if from_end else (0, here)))
            cells -= here
        if not cells:
            break
    return pieces


def _rims(block: Any, axis: int, ranges: tuple[Range, ...]) -> list[Any]:
    """The cells of a chunk that its neighbours need; a view would keep all of it in memory."""
    slabs = [kernels.cut(block, axis, start, stop) for start, stop in ranges]
    return [slab.copy() if isinstance(slab, np.ndarray) else slab for slab in slabs]


def _chunk(steps: list[Any], block: Any, *rims: list[Any]) -> Any:
    """All derivatives of one chunk, given the rims of those around it."""
    results = []
    for axis, rows, before, after, count in steps:
        mine, rims = rims[:count], rims[count:]
        if count:
            sides = [_merge([mine[n][r] for n, r in side], axis) for side in (before, after)]
            results.append(kernels.derivative(block, axis, rows, *sides))
        else:
            results.append(_wrapped(block, axis, rows))
    return results if len(results) > 1 else results[0]


def _merge(slabs: list[Any], axis: int) -> Any:
    if len(slabs) < 2:
        return slabs[0] if slabs else None
    return slabs[0].__array_namespace__().concat(slabs, axis=axis)
