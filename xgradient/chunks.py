"""Where the data are: derivatives of an array in memory, or of each chunk of a dask array.

On dask the halo travels and the block does not: thin slabs of the neighbouring chunks are cut by
tasks of their own, and one task per chunk takes the chunk as it lies, its slabs and its rows of
the stencil.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterator
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
#: Cells of one chunk: its number along the axis, and a range within it.
Piece = tuple[int, int, int]


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
    if str(array.dtype) in SINGLE and not all(stencil.single for _, stencil in requests):
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            f"{array.dtype}; convert the data to float64 or rescale the coordinate"
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
    plans = [_plan(array.chunks[axis], stencil) for axis, stencil in requests]
    name, halo = f"gradient-{token}", f"halo-{token}"
    meta = array._meta.astype(result_dtype(array.dtype))
    layer: dict[Any, Any] = {}
    for block in product(*(range(n) for n in array.numblocks)):
        steps, slabs = [], []
        for (axis, _), plan in zip(requests, plans, strict=True):
            rows, before, after = plan[block[axis]]
            steps.append((axis, rows, len(before), len(after)))
            for at, start, stop in (*before, *after):
                source = (array.name, *block[:axis], at, *block[axis + 1 :])
                key = (halo, axis, start, stop, *source[1:])
                if key not in layer:
                    layer[key] = Task(key, _copy_cells, TaskRef(source), axis, start, stop)
                slabs.append(TaskRef(key))
        key = (name, *block)
        layer[key] = Task(key, _chunk, steps, TaskRef((array.name, *block)), *slabs)
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
            for block in product(*(range(n) for n in array.numblocks))
        }
        graph = HighLevelGraph.from_collections(part, take, dependencies=[every])
        results.append(da.Array(graph, part, array.chunks, meta=meta))
    return results


def _plain(stencil: Stencil) -> tuple[Any, ...]:
    """What a stencil is made of, for a name that the same call gets again."""
    return tuple(getattr(stencil, field.name) for field in fields(stencil))


def _plan(
    chunks: tuple[int, ...], stencil: Stencil
) -> list[tuple[Stencil, list[Piece], list[Piece]]]:
    """For each chunk along an axis its rows, and the pieces of other chunks before and after it."""
    if len(chunks) == 1:
        return [(stencil, [], [])]  # the chunk holds all it needs, wrapped round or not
    bounds = [0, *accumulate(chunks)]
    plans = []
    for at, (start, stop) in enumerate(pairwise(bounds)):
        rows = stencil.rows(start, stop)
        before, after = rows.reach if start < stop else (0, 0)
        earlier = list(_gather(chunks, range(at - 1, at - 1 - len(chunks), -1), before, True))
        later = list(_gather(chunks, range(at + 1, at + 1 + len(chunks)), after, False))
        plans.append((rows, earlier[::-1], later))
    return plans


def _gather(chunks: tuple[int, ...], order: range, cells: int, from_end: bool) -> Iterator[Piece]:
    """The nearest ``cells`` cells, from as many chunks as it takes, round the end if need be."""
    for at in order:
        if not cells:
            return
        size = chunks[at % len(chunks)]
        here = min(cells, size)
        if here:
            yield (at % len(chunks), *((size - here, size) if from_end else (0, here)))
            cells -= here


def _copy_cells(block: Any, axis: int, start: int, stop: int) -> Any:
    """A slab of its own: a view would keep its whole chunk in memory."""
    slab = kernels.cut(block, axis, start, stop)
    return slab.copy() if isinstance(slab, np.ndarray) else slab


def _chunk(steps: list[tuple[int, Stencil, int, int]], block: Any, *slabs: Any) -> Any:
    """All derivatives of one chunk, given the slabs around it."""
    results, rest = [], list(slabs)
    for axis, rows, early, late in steps:
        if early or late:
            before, after = _merge(rest[:early], axis), _merge(rest[early : early + late], axis)
            results.append(kernels.derivative(block, axis, rows, before, after))
            del rest[: early + late]
        else:
            results.append(_wrapped(block, axis, rows))
    return results if len(results) > 1 else results[0]


def _merge(slabs: list[Any], axis: int) -> Any:
    if len(slabs) < 2:
        return slabs[0] if slabs else None
    return slabs[0].__array_namespace__().concat(slabs, axis=axis)
