"""Sums of weighted cells along an axis, from the first cell to the last one.

The order of additions is fixed, so that a sum in parts, each of which begins with the total of
the part before it, has the same bits. Arrays are summed row by row, by two operations for each.
`cell_rows` has the same for NumPy, with less memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .array_api import check_dense, derivative_dtype, device
from .backend import Backend
from .requests import slice_axis


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
    valid = None
    if skipna:
        check_dense(array)
        valid = f == f  # a valid cell of unknown size is not left out
    if weights is not None:
        real = xp.real(f).dtype if xp.isdtype(dtype, "complex floating") else dtype
        f = f * backend.asarray(weights, array, real)
    return (f if valid is None else xp.where(valid, f, xp.zeros_like(f))), valid


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
    for k in range(terms.shape[axis]):
        before = before + slice_axis(terms, axis, k, k + 1)
    return before


def running(terms: Any, before: Any, axis: int, xp: Any) -> Any:
    """Return the sum before each term, and that of all: one more along the axis than terms."""
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
