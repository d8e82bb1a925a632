"""Differentiate any array by positions that differ from column to column.

The formulas and the order of operations are those of the compiled loops.
"""

from __future__ import annotations

from itertools import groupby
from math import factorial
from typing import Any

import numpy as np

from ...stencils.columns import ColumnWindows
from ..array_api import check_dense, concat, device, missing_cells
from ..requests import TermRequest, slice_axis
from .windows import count_valid_nodes


def apply_windows(term: TermRequest, dtype: Any, xp: Any) -> Any:
    """Apply the rows of column windows along one axis.

    Parameters
    ----------
    term : TermRequest
        The term, with positions.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.

    Returns
    -------
    array
        A new array, ``windows.n`` long along the axis.
    """
    axis, windows, before = term.axis, term.stencil, term.left_halo
    assert term.positions is not None
    if before is not None:
        windows = windows.slice_rows(0, windows.n, origin=-before.shape[axis])
    values, z = (
        concat([part for part in (left, block, right) if part is not None], axis, xp)
        for block, left, right in ((term.block, before, term.right_halo), term.positions)
    )
    computed, real = _computed_dtypes(dtype, values, xp)
    values, z = xp.astype(values, computed), xp.astype(z, real)
    if not windows.n:  # a chunk may have no cell at all
        return xp.astype(slice_axis(values, axis, 0, 0), dtype)
    run = _all_rows if windows.rule is None else _masked_rows
    with np.errstate(all="ignore"):  # missing and infinite values are ordinary here
        return xp.astype(run(values, z, axis, windows, xp), dtype)


def _computed_dtypes(dtype: Any, f: Any, xp: Any) -> tuple[Any, Any]:
    """Return the widest dtypes of the library, for fields and for positions."""
    if xp is np:
        computed = np.result_type(dtype, np.float64)
        return computed, computed.type(0).real.dtype
    double = True
    if hasattr(
        xp, "__array_namespace_info__"
    ):  # some libraries have no float64, or not on every device
        double = "float64" in xp.__array_namespace_info__().dtypes(device=device(f))
    if xp.isdtype(dtype, "complex floating"):
        return (xp.complex128, xp.float64) if double else (xp.complex64, xp.float32)
    return (xp.float64,) * 2 if double else (xp.float32,) * 2


def _all_rows(f: Any, z: Any, axis: int, windows: ColumnWindows, xp: Any) -> Any:
    """Return all rows, each with its whole window."""
    table = _divided_differences(f, z, axis, windows.widest, xp)
    centers = windows.center + np.arange(windows.n)
    starts, widths = windows.table
    rows = zip((starts - centers).tolist(), widths.tolist(), strict=True)
    parts, at = [], windows.center
    for (first, width), equal in groupby(rows):
        n = len(list(equal))
        parts.append(_horner(table, z, axis, at, n, first, width, windows.deriv))
        at += n
    return concat(parts, axis, xp)


def _masked_rows(f: Any, z: Any, axis: int, windows: ColumnWindows, xp: Any) -> Any:
    """Return all rows, each with the window that its valid neighbours allow."""
    rule, n = windows.rule, windows.n
    assert rule is not None
    check_dense(f)
    # From here on node 0 is the first one within depth of a row; beyond the axis all are missing.
    start, stop = windows.center - rule.depth, windows.center + n + rule.depth
    low, high = max(start, 0), min(stop, f.shape[axis])
    f, z = (
        concat([missing_cells(a, axis, low - start, xp), slice_axis(a, axis, low, high),
              missing_cells(a, axis, stop - high, xp)], axis, xp)
        for a in (f, z)
    )  # fmt: skip
    valid = (f == f) & xp.isfinite(z)
    before, after = (count_valid_nodes(valid, axis, rule.depth, n, step, xp) for step in (-1, 1))
    table = _divided_differences(f, z, axis, windows.widest, xp)
    result = missing_cells(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(rule.starts, rule.widths, strict=True)):
        total = _horner(table, z, axis, rule.depth, n, int(first), int(width), windows.deriv)
        for pair in np.argwhere(rule.window_index == kind).tolist():
            result = xp.where((before == pair[0]) & (after == pair[1]), total, result)
    return result


def _divided_differences(f: Any, z: Any, axis: int, orders: int, xp: Any) -> list[Any]:
    """Return divided differences of every order below ``orders``; order m is of nodes s to s + m.

    They are missing where positions are missing, infinite or repeated, or turn back.
    """
    n = z.shape[axis]
    table = [f]
    for m in range(1, min(orders, n)):
        gap = slice_axis(z, axis, m, None) - slice_axis(z, axis, 0, n - m)
        if m == 1:
            increasing = gap > 0
            gap = xp.where((gap != 0) & xp.isfinite(gap), gap, np.nan)
        if m == 2:
            gap = xp.where(
                slice_axis(increasing, axis, 1, None) == slice_axis(increasing, axis, 0, n - 2),
                gap,
                np.nan,
            )
        lower = table[-1]
        rise = slice_axis(lower, axis, 1, None) - slice_axis(lower, axis, 0, n - m)
        table.append(_quotient(rise, gap, xp))
    return table


def _quotient(a: Any, gap: Any, xp: Any) -> Any:
    """Divide numbers by distances: of complex NumPy numbers both parts, as the loops do."""
    if xp is not np or a.dtype.kind != "c":
        return a / gap
    result = np.empty_like(a)
    np.divide(a.real, gap, out=result.real)
    np.divide(a.imag, gap, out=result.imag)
    return result


def _horner(
    table: list[Any], z: Any, axis: int, center: int, n: int, first: int, width: int, deriv: int
) -> Any:
    """Return derivatives at n nodes from ``center`` on, by windows from ``first`` nodes further."""
    start = center + first
    here = slice_axis(z, axis, center, center + n)
    b = [slice_axis(table[width - 1], axis, start, start + n)]
    b += [0 * b[0] for _ in range(deriv)]
    for m in range(width - 2, -1, -1):
        distance = here - slice_axis(z, axis, start + m, start + m + n)
        for d in range(deriv, 0, -1):
            b[d] = b[d] * distance + b[d - 1]
        if m:
            b[0] = b[0] * distance + slice_axis(table[m], axis, start, start + n)
    return b[deriv] * factorial(deriv)
