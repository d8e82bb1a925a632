"""Where the data are: sums of terms on arrays in memory, or on dask arrays in the same chunks."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from .. import kernels
from ..kernels import requests
from ..stencils.table import Stencil
from .block import run_block
from .chunked import as_dask, check_same_library, is_dask, run_on_threads
from .dask_graph import dask_sums
from .plan import Planner
from .terms import Term, TermSum, all_weights, position_inputs

#: Data types whose derivatives are computed with float32 coefficients.
FLOAT32_COMPUTED = ("float16", "bfloat16", "float32", "complex64")


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
    if len(requests) == 1 and not is_dask(array):
        ((axis, stencil),) = requests
        if not stencil.fits_float32:
            _refuse_float32([array])
        array, as_given = kernels.to_numpy_view(array)
        return [as_given(_derivative_in_memory(array, axis, stencil))]
    array, as_given = kernels.to_numpy_view(array)
    results = evaluate_sums(
        [array], [TermSum((Term(0, axis, stencil),)) for axis, stencil in requests]
    )
    return [as_given(result) for result in results]


def evaluate_sums(
    arrays: list[Any],
    sums: list[TermSum],
    combine: requests.Combine | None = None,
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
    if not all(t.stencil.fits_float32 for each in sums for t in each.terms):
        _refuse_float32(arrays)
    fields_ = [a for at, a in enumerate(arrays) if at not in position_inputs(sums)]
    check_same_library(fields_)
    count = len(sums) if combine is None else count or 1
    if any(is_dask(array) for array in (*arrays, *all_weights(sums))):
        return _in_chunks(arrays, sums, combine, count)
    shape = arrays[0].shape
    planner = Planner(sums, tuple((n,) for n in shape), len(arrays), combine, count)
    return run_block(planner.plan((0,) * len(shape)), *arrays, runner=run_on_threads)


def _refuse_float32(arrays: list[Any]) -> None:
    """Refuse arrays whose derivatives would need coefficients that float32 cannot hold."""
    names = [getattr(a.dtype, "name", str(a.dtype)).split(".")[-1] for a in arrays]
    if all(name in FLOAT32_COMPUTED for name in names):
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            f"{names[0]}; convert the data to float64 or rescale the coordinate"
        )


def _derivative_in_memory(array: Any, axis: int, stencil: Stencil) -> Any:
    """The derivative of an axis that is here as a whole: what its windows reach is here too."""
    before, after = stencil.depth
    return kernels.derivative(
        array,
        axis,
        stencil,
        requests.slice_axis(array, axis, -before, None) if before else None,
        requests.slice_axis(array, axis, None, after) if after else None,
        run_on_threads,
    )


def _in_chunks(
    arrays: list[Any], sums: list[TermSum], combine: requests.Combine | None, count: int
) -> list[Any]:
    """The sums as dask arrays, of fields and weights of which some are dask arrays."""
    arrays = _unify_chunks(arrays, position_inputs(sums), all_weights(sums))
    sums, weights = _bind_lazy_weights(sums, arrays[0].chunks)
    return dask_sums(arrays, weights, sums, combine, count)


def _unify_chunks(arrays: list[Any], apart: AbstractSet[int], weights: list[Any]) -> list[Any]:
    """All arrays as dask arrays with the same chunks.

    They are those of the fields, else those of positions (the arrays ``apart``) and weights.
    """
    import dask.array as da

    if len(arrays) == 1 and is_dask(arrays[0]):
        return arrays
    fields_ = [a for at, a in enumerate(arrays) if at not in apart]
    chunks = next((a.chunks for a in fields_ if is_dask(a)), None)
    if chunks is None:
        lazy = [w for w in (*arrays, *weights) if is_dask(w)]
        chunks = tuple(
            next((w.chunks[d] for w in lazy if w.shape[d] == n), (n,))
            for d, n in enumerate(arrays[0].shape)
        )
    elif any(a.chunks != chunks for a in fields_ if is_dask(a)):
        dims = tuple(range(arrays[0].ndim))
        lazy = [a for a in fields_ if is_dask(a)]
        every = (part for a in lazy for part in (a, dims))
        chunks = da.core.unify_chunks(*every, warn=False)[1][0].chunks
    return [as_dask(a, chunks) for a in arrays]


def _bind_lazy_weights(sums: list[TermSum], chunks: Any) -> tuple[list[TermSum], list[Any]]:
    """The sums with numbers for their dask weights, and these weights in chunks of the fields."""
    lazy = {w.name: w for w in all_weights(sums) if is_dask(w)}
    if not lazy:
        return sums, []
    number = {name: at for at, name in enumerate(lazy)}

    def known(weight: Any) -> Any:
        return number[weight.name] if is_dask(weight) else weight

    numbered = [
        replace(
            each,
            terms=tuple(
                replace(
                    t, output_weight=known(t.output_weight), center_weight=known(t.center_weight)
                )
                for t in each.terms
            ),
        )
        for each in sums
    ]
    return numbered, [as_dask(w, chunks) for w in lazy.values()]
