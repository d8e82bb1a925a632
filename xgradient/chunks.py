"""Where the data are: sums of terms on arrays in memory, or on dask arrays in the same chunks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from . import blocks, graphs, kernels
from .packing import UNDECODED_ATTRS, check_fill_values, check_unpacked, fill_values
from .plans import Planner
from .stencils import Stencil
from .terms import Sum, Term, positions_of, weights_of
from .threads import VARIABLE, run_all, thread_count

__all__ = [
    "beside",
    "check_alike",
    "check_decoded",
    "check_place",
    "derivatives",
    "evaluate",
    "first_turn",
    "looked_at",
    "masked",
    "on_gpu",
    "place",
    "readable",
    "repeats",
    "same_chunks",
    "with_first_again",
    "without_last",
]

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
    fields_ = [a for at, a in enumerate(arrays) if at not in positions_of(sums)]
    check_alike(fields_)
    count = len(sums) if finish is None else count or 1
    if any(_is_dask(array) for array in (*arrays, *weights_of(sums))):
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


def looked_at(array: Any, check: Callable[..., None]) -> Any:
    """The array, or a dask array of the same values that are looked at when they are computed.

    Parameters
    ----------
    array : array
        The values.
    check : callable
        Takes values and the index of the first of them, and raises an error if one is wrong.
    """
    if not _is_dask(array):
        check(array)
        return array
    return array.map_blocks(_look, check, dtype=array.dtype, meta=array._meta)


def check_decoded(data: Any, attrs: Mapping[Any, Any], label: str) -> Any:
    """Return an array, or refuse one that is packed or holds numbers for missing values.

    Parameters
    ----------
    data : array
        The values; those on dask are checked when they are computed.
    attrs : mapping
        Attributes of their variable.
    label : str
        The variable in words, for error messages.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):  # the usual case, at once
        return data
    check_unpacked(attrs, data.dtype, label)
    fills = fill_values(attrs, data.dtype)
    return looked_at(data, partial(check_fill_values, fills=fills, label=label)) if fills else data


def _look(block: Any, check: Callable[..., None], block_info: Any = None) -> Any:
    check(block, tuple(start for start, _ in block_info[0]["array-location"]))
    return block


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


def same_chunks(arrays: list[Any], apart: AbstractSet[int]) -> list[Any]:
    """Return the arrays as dask arrays in the same chunks, if one of them is a dask array.

    The arrays ``apart`` hold positions, and count only where no other one is in chunks.
    """
    return _alike(arrays, apart, []) if any(map(_is_dask, arrays)) else arrays


def without_last(array: Any, axis: int, check: Callable[..., None]) -> tuple[Any, list[Any]]:
    """Return an array without its last cells along an axis, and what is yet to be looked at.

    Parameters
    ----------
    array : array
        The array, at least 2 long along the axis.
    axis : int
        The axis.
    check : callable
        Takes the first two and the last two cells along the axis, and the index of the first of
        all; raises an error if they do not fit.

    Returns
    -------
    tuple of array and list of dask array
        A dask array is looked at when those in the list are computed, which are 1 long.
    """
    parts = [kernels.cut(array, axis, 0, 2), kernels.cut(array, axis, -2, None)]
    rest = kernels.cut(array, axis, 0, array.shape[axis] - 1)
    if not _is_dask(array):
        check(kernels.join(parts, axis))
        return rest, []
    import dask.array as da

    ends = da.concatenate(parts, axis).rechunk({axis: -1}, method="tasks")
    return rest, [kernels.cut(looked_at(ends, check), axis, 0, 1)]


def with_first_again(array: Any, axis: int, sizes: tuple[int, ...] | None, seen: list[Any]) -> Any:
    """Return an array with its first cells along an axis once more, at its end.

    Parameters
    ----------
    array : array
        The array.
    axis : int
        The axis.
    sizes : tuple of int, optional
        The chunks of a dask array's result along the axis, perhaps some without cells. By default
        its last one grows.
    seen : list of dask array
        What `without_last` left to be looked at.
    """
    if not _is_dask(array):
        return kernels.join([array, kernels.cut(array, axis, 0, 1)], axis)
    *head, last = array.chunks[axis]
    filled = tuple(size for size in sizes or () if size)
    fits = filled in ((*head, last + 1), (*head, last, 1))
    seen = [_in_parts(each, array.chunks) for each in seen]
    result = graphs.with_first_again(array, axis, filled if fits else (*head, last + 1), seen)
    return result.rechunk({axis: sizes}) if fits and filled != sizes else result


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
    """The sums as dask arrays, of fields and weights of which some are dask arrays."""
    arrays = _alike(arrays, positions_of(sums), weights_of(sums))
    sums, weights = _handed_over(sums, arrays[0].chunks)
    return graphs.evaluate(arrays, weights, sums, finish, count)


def _alike(arrays: list[Any], apart: AbstractSet[int], weights: list[Any]) -> list[Any]:
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


def _handed_over(sums: list[Sum], chunks: Any) -> tuple[list[Sum], list[Any]]:
    """The sums with numbers for their dask weights, and these weights in chunks of the fields."""
    lazy = {w.name: w for w in weights_of(sums) if _is_dask(w)}
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
