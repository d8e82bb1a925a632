"""Any other array by positions that differ from column to column; as the compiled loops do it."""

from __future__ import annotations

from itertools import groupby
from math import factorial
from typing import Any

import numpy as np

from ..windows import Windows
from ._boxes import cut
from ._calls import Parts
from ._standard import check_dense, device, join, missing, valid_nodes

__all__ = ["derivative"]


def derivative(f: Parts, positions: Parts, axis: int, windows: Windows, dtype: Any, xp: Any) -> Any:
    """The rows of windows, applied along one axis.

    Parameters
    ----------
    f, positions : tuple of array or None
        The field and the positions of its cells, each with the cells before and after.
    axis : int
        The axis, not negative.
    windows : Windows
        The rows; node 0 is the first cell of the field along the axis.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.

    Returns
    -------
    array
        A new array, ``windows.n`` long along ``axis``.
    """
    if f[1] is not None:
        windows = windows.rows(0, windows.n, origin=-f[1].shape[axis])
    values, z = (
        join([part for part in (before, block, after) if part is not None], axis, xp)
        for block, before, after in (f, positions)
    )
    wide, real = _exact(dtype, values, xp)
    values, z = xp.astype(values, wide), xp.astype(z, real)
    if not windows.n:  # a chunk may have no cell at all
        return xp.astype(cut(values, axis, 0, 0), dtype)
    run = _rows if windows.choice is None else _coastal
    with np.errstate(all="ignore"):  # missing and infinite values are values like others
        return xp.astype(run(values, z, axis, windows, xp), dtype)


def _exact(dtype: Any, f: Any, xp: Any) -> tuple[Any, Any]:
    """The dtypes that fields and positions are computed in: the widest that there are."""
    if xp is np:
        wide = np.result_type(dtype, np.float64)
        return wide, wide.type(0).real.dtype
    double = True
    if hasattr(xp, "__array_namespace_info__"):  # some libraries have none, or not everywhere
        double = "float64" in xp.__array_namespace_info__().dtypes(device=device(f))
    if xp.isdtype(dtype, "complex floating"):
        return (xp.complex128, xp.float64) if double else (xp.complex64, xp.float32)
    return (xp.float64,) * 2 if double else (xp.float32,) * 2


def _rows(f: Any, z: Any, axis: int, windows: Windows, xp: Any) -> Any:
    """The rows, with whole windows."""
    table = _divided(f, z, axis, windows.widest, xp)
    own = windows.own + np.arange(windows.n)
    starts, widths = windows.table
    rows = zip((starts - own).tolist(), widths.tolist(), strict=True)
    parts, at = [], windows.own
    for (first, width), alike in groupby(rows):
        n = len(list(alike))
        parts.append(_horner(table, z, axis, at, n, first, width, windows.deriv))
        at += n
    return join(parts, axis, xp)


def _coastal(f: Any, z: Any, axis: int, windows: Windows, xp: Any) -> Any:
    """The rows, each with the window that its valid neighbours allow."""
    choice, n = windows.choice, windows.n
    assert choice is not None
    check_dense(f)
    # From here on node 0 is the first one that a row may count; beyond the axis all are missing.
    start, stop = windows.own - choice.reach, windows.own + n + choice.reach
    low, high = max(start, 0), min(stop, f.shape[axis])
    f, z = (
        join([missing(a, axis, low - start, xp), cut(a, axis, low, high),
              missing(a, axis, stop - high, xp)], axis, xp)
        for a in (f, z)
    )  # fmt: skip
    valid = (f == f) & xp.isfinite(z)
    before, after = (valid_nodes(valid, axis, choice.reach, n, way, xp) for way in (-1, 1))
    table = _divided(f, z, axis, windows.widest, xp)
    result = missing(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(choice.starts, choice.widths, strict=True)):
        total = _horner(table, z, axis, choice.reach, n, int(first), int(width), windows.deriv)
        for pair in np.argwhere(choice.kinds == kind).tolist():
            result = xp.where((before == pair[0]) & (after == pair[1]), total, result)
    return result


def _divided(f: Any, z: Any, axis: int, orders: int, xp: Any) -> list[Any]:
    """Divided differences of every order below ``orders``, that of order m of nodes s to s + m.

    They are missing where positions are missing, infinite or repeated, or turn back.
    """
    n = z.shape[axis]
    table = [f]
    for m in range(1, min(orders, n)):
        gap = cut(z, axis, m, None) - cut(z, axis, 0, n - m)
        if m == 1:
            up = gap > 0
            gap = xp.where((gap != 0) & xp.isfinite(gap), gap, np.nan)
        if m == 2:
            gap = xp.where(cut(up, axis, 1, None) == cut(up, axis, 0, n - 2), gap, np.nan)
        lower = table[-1]
        table.append((cut(lower, axis, 1, None) - cut(lower, axis, 0, n - m)) / gap)
    return table


def _horner(
    table: list[Any], z: Any, axis: int, own: int, n: int, first: int, width: int, deriv: int
) -> Any:
    """The derivatives at n nodes from ``own`` on, by windows that begin ``first`` nodes further."""
    start = own + first
    me = cut(z, axis, own, own + n)
    b = [cut(table[width - 1], axis, start, start + n)]
    b += [0 * b[0] for _ in range(deriv)]
    for m in range(width - 2, -1, -1):
        away = me - cut(z, axis, start + m, start + m + n)
        for d in range(deriv, 0, -1):
            b[d] = b[d] * away + b[d - 1]
        if m:
            b[0] = b[0] * away + cut(table[m], axis, start, start + n)
    return b[deriv] * factorial(deriv)
