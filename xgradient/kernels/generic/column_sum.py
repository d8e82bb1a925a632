"""Any other array by positions that differ from column to column; as the compiled loops do it."""

from __future__ import annotations

from itertools import groupby
from math import factorial
from typing import Any

import numpy as np

from ...stencils.columns import ColumnWindows
from ..requests import BlockWithHalo, slice_axis
from .stencil_sum import check_dense, concat, count_valid_nodes, device, missing_cells


def apply_windows(
    f: BlockWithHalo,
    positions: BlockWithHalo,
    axis: int,
    windows: ColumnWindows,
    dtype: Any,
    xp: Any,
) -> Any:
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
        windows = windows.slice_rows(0, windows.n, origin=-f[1].shape[axis])
    values, z = (
        concat([part for part in (before, block, after) if part is not None], axis, xp)
        for block, before, after in (f, positions)
    )
    wide, real = _computed_dtypes(dtype, values, xp)
    values, z = xp.astype(values, wide), xp.astype(z, real)
    if not windows.n:  # a chunk may have no cell at all
        return xp.astype(slice_axis(values, axis, 0, 0), dtype)
    run = _all_rows if windows.rule is None else _masked_rows
    with np.errstate(all="ignore"):  # missing and infinite values are values like others
        return xp.astype(run(values, z, axis, windows, xp), dtype)


def _computed_dtypes(dtype: Any, f: Any, xp: Any) -> tuple[Any, Any]:
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


def _all_rows(f: Any, z: Any, axis: int, windows: ColumnWindows, xp: Any) -> Any:
    """The rows, with whole windows."""
    table = _divided_differences(f, z, axis, windows.widest, xp)
    own = windows.center + np.arange(windows.n)
    starts, widths = windows.table
    rows = zip((starts - own).tolist(), widths.tolist(), strict=True)
    parts, at = [], windows.center
    for (first, width), alike in groupby(rows):
        n = len(list(alike))
        parts.append(_horner(table, z, axis, at, n, first, width, windows.deriv))
        at += n
    return concat(parts, axis, xp)


def _masked_rows(f: Any, z: Any, axis: int, windows: ColumnWindows, xp: Any) -> Any:
    """The rows, each with the window that its valid neighbours allow."""
    choice, n = windows.rule, windows.n
    assert choice is not None
    check_dense(f)
    # From here on node 0 is the first one that a row may count; beyond the axis all are missing.
    start, stop = windows.center - choice.depth, windows.center + n + choice.depth
    low, high = max(start, 0), min(stop, f.shape[axis])
    f, z = (
        concat([missing_cells(a, axis, low - start, xp), slice_axis(a, axis, low, high),
              missing_cells(a, axis, stop - high, xp)], axis, xp)
        for a in (f, z)
    )  # fmt: skip
    valid = (f == f) & xp.isfinite(z)
    before, after = (count_valid_nodes(valid, axis, choice.depth, n, way, xp) for way in (-1, 1))
    table = _divided_differences(f, z, axis, windows.widest, xp)
    result = missing_cells(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(choice.starts, choice.widths, strict=True)):
        total = _horner(table, z, axis, choice.depth, n, int(first), int(width), windows.deriv)
        for pair in np.argwhere(choice.window_index == kind).tolist():
            result = xp.where((before == pair[0]) & (after == pair[1]), total, result)
    return result


def _divided_differences(f: Any, z: Any, axis: int, orders: int, xp: Any) -> list[Any]:
    """Divided differences of every order below ``orders``, that of order m of nodes s to s + m.

    They are missing where positions are missing, infinite or repeated, or turn back.
    """
    n = z.shape[axis]
    table = [f]
    for m in range(1, min(orders, n)):
        gap = slice_axis(z, axis, m, None) - slice_axis(z, axis, 0, n - m)
        if m == 1:
            up = gap > 0
            gap = xp.where((gap != 0) & xp.isfinite(gap), gap, np.nan)
        if m == 2:
            gap = xp.where(
                slice_axis(up, axis, 1, None) == slice_axis(up, axis, 0, n - 2), gap, np.nan
            )
        lower = table[-1]
        table.append((slice_axis(lower, axis, 1, None) - slice_axis(lower, axis, 0, n - m)) / gap)
    return table


def _horner(
    table: list[Any], z: Any, axis: int, own: int, n: int, first: int, width: int, deriv: int
) -> Any:
    """The derivatives at n nodes from ``own`` on, by windows that begin ``first`` nodes further."""
    start = own + first
    me = slice_axis(z, axis, own, own + n)
    b = [slice_axis(table[width - 1], axis, start, start + n)]
    b += [0 * b[0] for _ in range(deriv)]
    for m in range(width - 2, -1, -1):
        away = me - slice_axis(z, axis, start + m, start + m + n)
        for d in range(deriv, 0, -1):
            b[d] = b[d] * away + b[d - 1]
        if m:
            b[0] = b[0] * away + slice_axis(table[m], axis, start, start + n)
    return b[deriv] * factorial(deriv)
