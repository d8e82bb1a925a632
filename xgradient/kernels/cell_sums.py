"""Sums of weighted cells along an axis, from the first cell to the last one.

The order of additions is fixed, so that a sum in parts, each of which begins with the total of
the part before it, has the same bits. NumPy arrays are summed by ``add.accumulate``, which adds in
order, or row by row; arrays of other libraries row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .array_api import check_dense, derivative_dtype, device
from .backend import Backend
from .requests import slice_axis

#: Cells of a row from which NumPy adds rows one by one.
MIN_ROW_CELLS = 64


def sum_dtype(array: Any, xp: Any) -> Any:
    """Return the dtype of sums: the widest that the library has on the device of an array."""
    dtype = derivative_dtype(array, xp)
    is_complex = xp.isdtype(dtype, "complex floating")
    if xp is np:
        return np.result_type(dtype, np.float64)
    name = "complex128" if is_complex else "float64"
    if not hasattr(xp, "__array_namespace_info__"):
        return getattr(xp, name)
    known = xp.__array_namespace_info__().dtypes(device=device(array))
    return known.get(name, known["complex64" if is_complex else "float32"])


def products(array: Any, weights: Any, skipna: bool, backend: Backend) -> tuple[Any, Any]:
    """Return cells times their weights, and where they are valid.

    Parameters
    ----------
    array : array
        The cells.
    weights : ndarray of float64 or None
        Weights that broadcast against the cells; None for 1.
    skipna : bool
        True to take missing cells as 0. Else the second result is None.
    backend : Backend
        The backend of the array.
    """
    xp = backend.namespace
    dtype = sum_dtype(array, xp)
    f = xp.astype(array, dtype)
    if weights is not None:
        real = xp.real(f).dtype if xp.isdtype(dtype, "complex floating") else dtype
        f = f * backend.asarray(weights, array, real)
    if not skipna:
        return f, None
    check_dense(array)
    valid = f == f
    return xp.where(valid, f, xp.zeros_like(f)), valid


def total(terms: Any, before: Any, axis: int, xp: Any) -> Any:
    """Return the sum along an axis, which stays with length 1.

    Parameters
    ----------
    terms : array
        The terms.
    before : array
        The sum of the terms before them, 1 long along the axis.
    axis : int
        The axis.
    xp : module
        The namespace of the arrays.
    """
    if xp is np and not _by_rows(terms, axis):
        return slice_axis(running(terms, before, axis, xp), axis, -1, None).copy()
    for k in range(terms.shape[axis]):
        before = before + slice_axis(terms, axis, k, k + 1)
    return before


def running(terms: Any, before: Any, axis: int, xp: Any) -> Any:
    """Return the sum before each term, and that of all: one more along the axis than terms."""
    if xp is np and not _by_rows(terms, axis):
        every = np.concatenate([before, terms], axis)
        return np.add.accumulate(every, axis, out=every)
    sums = [before]
    for k in range(terms.shape[axis]):
        sums.append(sums[-1] + slice_axis(terms, axis, k, k + 1))
    return xp.concat(sums, axis=axis)


def running_in_runs(
    terms: Any, valid: Any, before: Any, alive: Any, following: Any, axis: int, xp: Any
) -> tuple[Any, Any, Any]:
    """Return running sums that begin anew after each gap, and the state after the last term.

    Parameters
    ----------
    terms, valid : array
        The terms, 0 where they are not valid.
    before, alive : array
        The sum of the run before the first term, and whether there is one; 1 long along the axis.
    following : array
        Whether the term after the last one is valid, 1 long along the axis.
    axis : int
        The axis.
    xp : module
        The namespace of the arrays.

    Returns
    -------
    tuple of array
        The sums between terms, one more than these, which are missing between two gaps; and
        ``before`` and ``alive`` for the terms that follow.
    """
    if xp is np and not _by_rows(terms, axis):
        return _numpy_runs(terms, valid, before, alive, following, axis)
    zero, sums = before * 0, []
    for k in range(terms.shape[axis] + 1):
        is_last = k == terms.shape[axis]
        here = following if is_last else slice_axis(valid, axis, k, k + 1)
        started = xp.where(here, zero, zero + np.nan)
        sums.append(xp.where(alive, before, started))
        if not is_last:
            before = xp.where(alive, before, zero) + slice_axis(terms, axis, k, k + 1)
            alive = here
    return xp.concat(sums, axis=axis), xp.where(alive, before, zero), alive


def _by_rows(terms: Any, axis: int) -> bool:
    """Return whether rows across the axis are long enough to be added one by one."""
    return int(np.prod(terms.shape[axis + 1 :], dtype=np.int64)) >= MIN_ROW_CELLS


def _numpy_runs(
    terms: Any, valid: Any, before: Any, alive: Any, following: Any, axis: int
) -> tuple[Any, Any, Any]:
    """Return the results of `running_in_runs`, line by line or with lines as columns of rows."""
    n = terms.shape[axis]

    def lines(array: Any) -> Any:
        moved = np.moveaxis(np.broadcast_to(array, _with_length(terms, axis, array)), axis, 0)
        return np.ascontiguousarray(moved).reshape(moved.shape[0], -1)

    parts = [lines(a) for a in (terms, valid, before, alive, following)]
    if parts[0].shape[1] >= MIN_ROW_CELLS or n < MIN_ROW_CELLS:
        padded = [part[..., None] if part.shape[1] < MIN_ROW_CELLS else part for part in parts]
        sums, last, is_alive = _rows_of_runs(*padded)
    else:
        sums, last, is_alive = _columns_of_runs(*parts)
    shape = (*terms.shape[:axis], *terms.shape[axis + 1 :])

    def back(array: Any) -> Any:
        return np.moveaxis(array.reshape(array.shape[0], *shape), 0, axis)

    return back(sums), back(last), back(is_alive)


def _with_length(terms: Any, axis: int, array: Any) -> tuple[int, ...]:
    """Return the shape of terms with the length of an array along the axis."""
    return (*terms.shape[:axis], array.shape[axis], *terms.shape[axis + 1 :])


def _rows_of_runs(
    terms: Any, valid: Any, before: Any, alive: Any, following: Any
) -> tuple[Any, Any, Any]:
    """Return the results of `running_in_runs` along axis 0, row by row."""
    sums = np.empty((len(terms) + 1, *terms.shape[1:]), terms.dtype)
    before, alive = np.where(alive[0], before[0], 0), alive[0]
    for k, (term, here) in enumerate(zip(terms, valid, strict=True)):
        sums[k] = np.where(alive | here, before, np.nan)
        before, alive = np.where(here, before + term, 0), here
    sums[-1] = np.where(alive | following[0], before, np.nan)
    return sums, before[None], alive[None]


def _columns_of_runs(
    terms: Any, valid: Any, before: Any, alive: Any, following: Any
) -> tuple[Any, Any, Any]:
    """Return the results of `running_in_runs` along axis 0, run by run of each column."""
    n, columns = terms.shape
    sums = np.full((n + 1, columns), np.nan, terms.dtype)
    last, is_alive = np.zeros_like(before), valid[-1:].copy() if n else alive
    for j in range(columns):
        ends = np.concatenate([[False], valid[:, j], [False]]).astype(np.int8)
        steps = np.diff(ends)
        firsts, stops = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
        if alive[0, j]:
            sums[0, j] = before[0, j]
        for first, stop in zip(firsts, stops, strict=True):
            begin = before[0, j] if first == 0 and alive[0, j] else 0
            run = np.concatenate([[begin], terms[first:stop, j]])
            sums[first : stop + 1, j] = np.add.accumulate(run)
        if n and valid[-1, j]:
            last[0, j] = sums[-1, j]
        elif not n and alive[0, j]:
            last[0, j] = before[0, j]
        elif following[0, j]:
            sums[-1, j] = 0
    return sums, last, is_alive
