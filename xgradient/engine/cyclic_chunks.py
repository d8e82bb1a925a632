"""Remove a repeated last cell from arrays, and append the first cell to results."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from ..kernels import backend_of
from ..kernels.requests import slice_axis
from .chunked import as_dask, is_dask, with_lazy_check
from .dask_graph import append_first_lazily
from .evaluate import unify_chunks


def same_chunks(arrays: list[Any], positions: AbstractSet[int]) -> list[Any]:
    """Return the arrays as dask arrays in the same chunks, if one of them is a dask array.

    The arrays with indices ``positions`` hold positions. Their chunks are used only if no other
    array is a dask array.
    """
    return unify_chunks(arrays, positions, []) if any(map(is_dask, arrays)) else arrays


def without_last(array: Any, axis: int, check: Callable[..., None]) -> tuple[Any, list[Any]]:
    """Return an array without its last cells along an axis, and checks that are yet to run.

    Parameters
    ----------
    array : array
        The array, at least 2 long along the axis.
    axis : int
        The axis.
    check : callable
        Takes the first two and the last two cells along the axis, and the index of the first cell;
        raises an error if they do not fit.

    Returns
    -------
    tuple of array and list of dask array
        For a dask array the check runs when the arrays of the list are computed; they are 1 long
        along the axis. For other arrays the list is empty.
    """
    parts = [slice_axis(array, axis, 0, 2), slice_axis(array, axis, -2, None)]
    rest = slice_axis(array, axis, 0, array.shape[axis] - 1)
    if not is_dask(array):
        check(backend_of(array).concat(parts, axis))
        return rest, []
    import dask.array as da

    ends = da.concatenate(parts, axis).rechunk({axis: -1}, method="tasks")
    return rest, [slice_axis(with_lazy_check(ends, check), axis, 0, 1)]


def append_first(array: Any, axis: int, sizes: tuple[int, ...] | None, checks: list[Any]) -> Any:
    """Return an array that repeats its first cells along an axis at its end.

    Parameters
    ----------
    array : array
        The array.
    axis : int
        The axis.
    sizes : tuple of int, optional
        Chunk sizes of a dask array's result along the axis; chunks may be empty. By default the
        last chunk grows by one cell.
    checks : list of dask array
        Checks of `without_last` that are yet to run.
    """
    if not is_dask(array):
        return backend_of(array).concat([array, slice_axis(array, axis, 0, 1)], axis)
    *head, last = array.chunks[axis]
    filled = tuple(size for size in sizes or () if size)
    fits = filled in ((*head, last + 1), (*head, last, 1))
    checks = [as_dask(check, array.chunks) for check in checks]
    result = append_first_lazily(array, axis, filled if fits else (*head, last + 1), checks)
    return result.rechunk({axis: sizes}) if fits and filled != sizes else result
