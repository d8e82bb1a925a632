"""Evaluation of sums of terms: arrays in memory as one block, dask arrays as a task graph."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..kernels import backend_of, torch_interop
from ..kernels.requests import Combine, SumRequest, TermRequest, slice_axis
from ..stencils.table import Stencil
from .block import run_block
from .chunked import as_dask, check_same_library, is_dask, run_on_threads
from .dask_graph import dask_sums
from .plan import Planner
from .terms import Computation, Term, TermSum, all_weights

#: Data types whose derivatives are computed with float32 coefficients.
FLOAT32_COMPUTED = ("float16", "bfloat16", "float32", "complex64")


def derivatives(array: Any, requests: Sequence[tuple[int, Stencil]]) -> list[Any]:
    """Compute several derivatives of one array.

    Parameters
    ----------
    array : array
        The field, in memory or in dask chunks.
    requests : sequence of (int, Stencil)
        For each derivative its axis, not negative, and a stencil. A stencil that reaches over the
        ends belongs to a periodic axis.

    Returns
    -------
    list of array
        One for each request, of the array's type. Its length along the axis is the number of rows
        of the stencil; if this is that of the array, its chunks are so, too. Nothing is computed
        for dask.
    """
    if len(requests) == 1 and not is_dask(array):
        ((axis, stencil),) = requests
        if not stencil.fits_float32:
            _refuse_float32([array])
        array, restore = torch_interop.to_numpy_view(array)
        term = _whole_term(array, axis, stencil)
        return [restore(backend_of(array).derivative(term, run_on_threads))]
    array, restore = torch_interop.to_numpy_view(array)
    results = evaluate_sums(
        [array], [TermSum((Term(0, axis, stencil),)) for axis, stencil in requests]
    )
    return [restore(result) for result in results]


def interpolated(array: Any, axis: int, values: Stencil | None, differences: Stencil) -> Any:
    """Interpolate an array between its nodes along one axis.

    Parameters
    ----------
    array : array
        The field, in memory or in dask chunks.
    axis : int
        The axis, not negative.
    values : Stencil or None
        The stencil of a value near each point; None for the value at each row's own node.
    differences : Stencil
        The stencil of the differences that are added to it, with the same rows.

    Returns
    -------
    array
        The interpolated field, as `derivatives` returns its results.
    """
    array, restore = torch_interop.to_numpy_view(array)
    terms: tuple[Term, ...]
    if values is None:
        terms = (Term(0, axis, differences, center_weight=np.ones((1,) * array.ndim)),)
    else:
        terms = Term(0, axis, values), Term(0, axis, differences)
    return restore(evaluate_sums([array], [TermSum(terms)])[0])


def write_derivatives(
    array: Any, requests: Sequence[tuple[int, Stencil]], outputs: Sequence[Any]
) -> None:
    """Write several derivatives of a NumPy array into arrays, in one pass over it.

    Parameters
    ----------
    array : ndarray
        The field.
    requests : sequence of (int, Stencil)
        For each derivative its axis and a stencil, as `derivatives` takes them.
    outputs : sequence of ndarray
        For each request an array of the shape and dtype of its result.
    """
    if not all(stencil.fits_float32 for _, stencil in requests):
        _refuse_float32([array])
    array = np.asarray(array)  # a matrix or memory map
    terms = [[_whole_term(array, axis, stencil).with_boundary_rows()] for axis, stencil in requests]
    request = SumRequest(terms, [array], outputs=list(outputs))
    backend_of(array).sums(request, run_on_threads)


def evaluate_sums(
    arrays: list[Any],
    sums: list[TermSum],
    combine: Combine | None = None,
    n_outputs: int | None = None,
) -> list[Any]:
    """Evaluate sums of terms in one pass over the arrays.

    Parameters
    ----------
    arrays : list of array
        The fields, of one shape, in memory or in dask chunks; and positions, which may be 1 long
        along some axes.
    sums : list of TermSum
        The sums, with stencils for the whole length of each axis.
    combine : callable, optional
        Makes the results from the lists of sums and of arrays, point by point; a function that
        can be pickled.
    n_outputs : int, optional
        Number of results that ``combine`` makes, 1 by default.

    Returns
    -------
    list of array
        The sums, or the results of ``combine``, in chunks of the fields. Nothing is computed for
        dask.
    """
    if not all(t.stencil.fits_float32 for s in sums for t in s.terms):
        _refuse_float32(arrays)
    n_outputs = len(sums) if combine is None else n_outputs or 1
    computation = Computation(tuple(sums), len(arrays), combine, n_outputs)
    positions = computation.position_inputs
    check_same_library([a for i, a in enumerate(arrays) if i not in positions])
    if any(is_dask(array) for array in (*arrays, *all_weights(sums))):
        return _in_chunks(arrays, computation)
    shape = arrays[0].shape
    plan = Planner(computation, tuple((n,) for n in shape)).plan((0,) * len(shape))
    return run_block(plan, *arrays, runner=run_on_threads)


def _refuse_float32(arrays: list[Any]) -> None:
    """Refuse arrays whose derivatives would need coefficients that float32 cannot hold."""
    names = [getattr(a.dtype, "name", str(a.dtype)).split(".")[-1] for a in arrays]
    if all(name in FLOAT32_COMPUTED for name in names):
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            f"{names[0]}; convert the data to float64 or rescale the coordinate"
        )


def _whole_term(array: Any, axis: int, stencil: Stencil) -> TermRequest:
    """The derivative of a whole array, whose halo along a periodic axis is in the array itself."""
    before, after = stencil.depth
    left = slice_axis(array, axis, -before, None) if before else None
    right = slice_axis(array, axis, None, after) if after else None
    return TermRequest(array, axis, stencil, left, right)


def _in_chunks(arrays: list[Any], computation: Computation) -> list[Any]:
    """The results as dask arrays, where some fields or weights are dask arrays."""
    arrays = unify_chunks(arrays, computation.position_inputs, all_weights(computation.sums))
    computation, weights = _bind_lazy_weights(computation, arrays[0].chunks)
    return dask_sums(arrays, weights, computation)


def unify_chunks(arrays: list[Any], positions: Container[int], weights: list[Any]) -> list[Any]:
    """Return all arrays as dask arrays in the same chunks.

    The chunks follow the fields. Without lazy fields they follow the lazy positions, which are
    the arrays with indices ``positions``, or the lazy weights.
    """
    import dask.array as da

    if len(arrays) == 1 and is_dask(arrays[0]):
        return arrays
    lazy_fields = [a for i, a in enumerate(arrays) if i not in positions and is_dask(a)]
    if not lazy_fields:
        lazy = [w for w in (*arrays, *weights) if is_dask(w)]
        chunks = tuple(
            next((w.chunks[d] for w in lazy if w.shape[d] == n), (n,))
            for d, n in enumerate(arrays[0].shape)
        )
    elif any(a.chunks != lazy_fields[0].chunks for a in lazy_fields):
        dims = tuple(range(arrays[0].ndim))
        args = (arg for a in lazy_fields for arg in (a, dims))
        chunks = da.core.unify_chunks(*args, warn=False)[1][0].chunks
    else:
        chunks = lazy_fields[0].chunks
    return [as_dask(a, chunks) for a in arrays]


def _bind_lazy_weights(computation: Computation, chunks: Any) -> tuple[Computation, list[Any]]:
    """Replace each dask weight by its index; return these weights in chunks of the fields."""
    lazy = {w.name: w for w in all_weights(computation.sums) if is_dask(w)}
    if not lazy:
        return computation, []
    index = {name: i for i, name in enumerate(lazy)}

    def bind(weight: Any) -> Any:
        return index[weight.name] if is_dask(weight) else weight

    def bind_term(t: Term) -> Term:
        output, center, stretching = map(bind, t.weights)
        return replace(t, output_weight=output, center_weight=center, stretching=stretching)

    sums = tuple(replace(s, terms=tuple(map(bind_term, s.terms))) for s in computation.sums)
    weights = [as_dask(w, chunks) for w in lazy.values()]
    return replace(computation, sums=sums, n_weights=len(lazy)), weights
