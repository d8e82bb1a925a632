"""Sum windows of nodes of any array, and choose those of rows next to missing values."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..array_api import asarray, asarray_like, check_dense, concat, missing_cells
from ..requests import slice_axis


def difference_sum(nodes: list[Any], coefficients: Any, f: Any, axis: int, xp: Any) -> Any:
    """Sum coefficients times differences of adjacent nodes; a single node is the sum itself."""
    trail = (1,) * (f.ndim - axis - 1)
    total = nodes[0] if len(nodes) == 1 else None
    for (lower, upper), row in zip(pairwise(nodes), coefficients, strict=True):
        term = coefficient_row(row, f, xp, trail) * (upper - lower)
        total = term if total is None else total + term
    return total


def coefficient_row(row: Any, f: Any, xp: Any, trail: tuple[int, ...]) -> Any:
    """Return one coefficient as a number, or one for each row as an array along the axis."""
    if len(row) == 1:
        return float(row[0])
    return xp.reshape(asarray_like(row, f, xp), (len(row), *trail))


def nodes_and_counts(
    f: Any, axis: int, windows: Any, center: int, n: int, xp: Any
) -> tuple[Any, Any, Any]:
    """Return the nodes within depth of n rows, and the valid ones before and after each row.

    Node 0 is the first one within depth of a row; beyond the axis all are missing.
    """
    check_dense(f)
    depth = windows.depth
    start, stop = center - depth, center + n + depth
    low, high = max(start, windows.low, 0), min(stop, windows.high, f.shape[axis])
    f = concat([missing_cells(f, axis, low - start, xp), slice_axis(f, axis, low, high),
              missing_cells(f, axis, stop - high, xp)], axis, xp)  # fmt: skip
    valid = f == f
    before, after = (count_valid_nodes(valid, axis, depth, n, step, xp) for step in (-1, 1))
    return f, before, after


def window_kinds(window_index: Any, before: Any, after: Any, f: Any, xp: Any) -> Any:
    """Return the number of the window of each row, by the numbers of its two sides."""
    pairs = before * window_index.shape[1] + after
    kinds = asarray(window_index.ravel(), f, xp)
    return xp.reshape(xp.take(kinds, xp.reshape(pairs, (-1,))), pairs.shape)


def count_valid_nodes(valid: Any, axis: int, depth: int, n: int, step: int, xp: Any) -> Any:
    """Count the consecutive valid nodes on one side of each row, up to a depth."""
    total = 0 * xp.astype(slice_axis(valid, axis, depth, depth + n), xp.int32)
    for distance in range(depth, 0, -1):
        at = depth + step * distance
        total = xp.where(slice_axis(valid, axis, at, at + n), total + 1, 0 * total)
    return total
