"""Remove a repeated last cell from arrays, and append the first one to results."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from .. import kernels
from ..kernels import requests
from .chunked import as_dask, is_dask, with_lazy_check
from .dask_graph import append_first_lazily
from .evaluate import _unify_chunks


def same_chunks(arrays: list[Any], apart: AbstractSet[int]) -> list[Any]:
    """Return the arrays as dask arrays in the same chunks, if one of them is a dask array.

    The arrays ``apart`` hold positions, and count only where no other one is in chunks.
    """
    return _unify_chunks(arrays, apart, []) if any(map(is_dask, arrays)) else arrays


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
    parts = [requests.slice_axis(array, axis, 0, 2), requests.slice_axis(array, axis, -2, None)]
    rest = requests.slice_axis(array, axis, 0, array.shape[axis] - 1)
    if not is_dask(array):
        check(kernels.concat(parts, axis))
        return rest, []
    import dask.array as da

    ends = da.concatenate(parts, axis).rechunk({axis: -1}, method="tasks")
    return rest, [requests.slice_axis(with_lazy_check(ends, check), axis, 0, 1)]


def append_first(array: Any, axis: int, sizes: tuple[int, ...] | None, seen: list[Any]) -> Any:
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
    if not is_dask(array):
        return kernels.concat([array, requests.slice_axis(array, axis, 0, 1)], axis)
    *head, last = array.chunks[axis]
    filled = tuple(size for size in sizes or () if size)
    fits = filled in ((*head, last + 1), (*head, last, 1))
    seen = [as_dask(each, array.chunks) for each in seen]
    result = append_first_lazily(array, axis, filled if fits else (*head, last + 1), seen)
    return result.rechunk({axis: sizes}) if fits and filled != sizes else result
