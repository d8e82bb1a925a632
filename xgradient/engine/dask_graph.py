"""Results on dask arrays: sums of terms on arrays in the same chunks, one task for each chunk.

Halos are sent between chunks, the chunks themselves are not. One task per chunk cuts its edge
slabs, the thin ranges of cells that its neighbours need. Another task takes the chunk, the edge
slabs of its neighbours, and its rows of the stencils. `task_layers` makes them on demand.
"""

from __future__ import annotations

import operator
from dataclasses import fields, is_dataclass
from typing import Any

from ..kernels import backend_of
from .plan import chunks_of_results
from .terms import Computation


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

    from .task_layers import SumLayer

    first, names = arrays[0], [[a.name for a in group] for group in (arrays, weights)]
    sums, combine = computation.sums, computation.combine
    token = tokenize(names, [_tokenizable(s) for s in sums], combine)
    sources, factors = ([_source(a) for a in group] for group in (arrays, weights))
    chunks, blocks = chunks_of_results(computation, first.chunks)
    layer = SumLayer(token, computation, first.chunks, blocks, sources, factors)
    graph = HighLevelGraph.from_collections(layer.name, layer, dependencies=[*arrays, *weights])
    positions = computation.position_inputs
    metas = [a._meta for i, a in enumerate(arrays) if i not in positions]
    meta = backend_of(metas[0]).empty_like_result(metas)
    whole = da.Array(graph, layer.name, chunks, meta=meta)
    if computation.n_outputs == 1:
        return [whole]
    return [_one_of_results(whole, i) for i in range(computation.n_outputs)]


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

    from .cyclic_layer import CyclicLayer

    token = tokenize(array.name, axis, sizes, [c.name for c in checks])
    begin = next(k for k, n in enumerate(array.chunks[axis]) if n)
    chunks = (*array.chunks[:axis], sizes, *array.chunks[axis + 1 :])
    numblocks, sources = tuple(map(len, chunks)), [_source(c) for c in checks]
    layer = CyclicLayer(token, _source(array), axis, numblocks, begin, sources)
    graph = HighLevelGraph.from_collections(layer.name, layer, dependencies=[array, *checks])
    return da.Array(graph, layer.name, chunks, meta=array._meta)


def _one_of_results(whole: Any, i: int) -> Any:
    """One of several results, taken from the list of all results of each chunk."""
    import dask.array as da

    axes = tuple(range(whole.ndim))
    return da.blockwise(
        operator.getitem, axes, whole, axes, i, None,
        name=f"{whole.name}-{i}", dtype=whole.dtype, meta=whole._meta, align_arrays=False,
    )  # fmt: skip


def _source(array: Any) -> Any:
    """The name and the number of chunks of a dask array."""
    from .task_layers import Source

    return Source(array.name, array.numblocks)


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
