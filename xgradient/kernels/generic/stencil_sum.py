"""Apply a stencil to any array, by slices and sums in the array's own namespace.

Nothing is written in place, so immutable and traced arrays work. The order of the sum is that of
the compiled loops.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ...stencils.table import Stencil
from ..array_api import asarray_like, check_dense, concat, device, missing_cells, take
from ..requests import TermRequest, slice_axis

#: Boundary rows up to which each is a sum of slices, which are views.
MAX_SLICED_ROWS = 32


def stencil_sum(term: TermRequest, dtype: Any, xp: Any) -> Any:
    """Apply the rows of a stencil along one axis, and weight the result.

    Parameters
    ----------
    term : TermRequest
        The term. How it is accumulated is left to the caller.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.

    Returns
    -------
    array
        A new array, ``stencil.n`` long along the axis.
    """
    axis, stencil, before = term.axis, term.stencil, term.left_halo
    if before is not None:
        stencil = stencil.slice_rows(0, stencil.n, origin=-before.shape[axis])
    parts = [part for part in (before, term.block, term.right_halo) if part is not None]
    f = xp.astype(concat(parts, axis, xp), dtype)
    if not stencil.n:  # a chunk may have no cell at all
        return slice_axis(f, axis, 0, 0)
    result = (
        _all_rows(f, axis, stencil, xp)
        if stencil.masked is None
        else _masked_rows(f, axis, stencil, xp)
    )
    if term.output_weight is not None:
        result = result * asarray_like(term.output_weight, f, xp)
    if term.center_weight is not None:
        center = slice_axis(f, axis, stencil.center, stencil.center + stencil.n)
        result = result + asarray_like(term.center_weight, f, xp) * center
    return result


def _all_rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """Return all rows, each with its whole window."""
    middle = int(np.searchsorted(stencil.boundary_rows, stencil.first))
    parts = _boundary_rows(f, axis, stencil, range(middle), xp)
    if stencil.last > stencil.first:
        start, stop = stencil.first + stencil.offset, stencil.last + stencil.offset
        parts.append(_window_sum(f, axis, start, stop, stencil.interior, xp))
    ends = range(middle, len(stencil.boundary_rows))
    parts.extend(_boundary_rows(f, axis, stencil, ends, xp))
    return concat(parts, axis, xp)


def _masked_rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """Return all rows, each with the window that its valid neighbours allow."""
    masked, n = stencil.masked, stencil.n
    assert masked is not None
    check_dense(f)
    depth, center = masked.depth, stencil.center
    # From here on node 0 is the first one within depth of a row; beyond the axis all are missing.
    start, stop = center - depth, center + n + depth
    low, high = max(start, masked.low, 0), min(stop, masked.high, f.shape[axis])
    f = concat([missing_cells(f, axis, low - start, xp), slice_axis(f, axis, low, high),
              missing_cells(f, axis, stop - high, xp)], axis, xp)  # fmt: skip
    valid = f == f
    before, after = (count_valid_nodes(valid, axis, depth, n, step, xp) for step in (-1, 1))
    pairs = before * (depth + 1) + after
    kinds = xp.reshape(
        xp.take(
            xp.asarray(masked.window_index.ravel(), device=device(f)), xp.reshape(pairs, (-1,))
        ),
        pairs.shape,
    )
    result = missing_cells(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(masked.starts, masked.widths, strict=True)):
        at = depth + int(first)
        total = _window_sum(f, axis, at, at + n, masked.table[kind, : int(width) - 1], xp)
        result = xp.where(kinds == kind, total, result)
    return result


def count_valid_nodes(valid: Any, axis: int, depth: int, n: int, step: int, xp: Any) -> Any:
    """Count the consecutive valid nodes on one side of each row, up to a depth."""
    total = 0 * xp.astype(slice_axis(valid, axis, depth, depth + n), xp.int32)
    for distance in range(depth, 0, -1):
        at = depth + step * distance
        total = xp.where(slice_axis(valid, axis, at, at + n), total + 1, 0 * total)
    return total


def _boundary_rows(f: Any, axis: int, stencil: Stencil, rows: range, xp: Any) -> list[Any]:
    """Return some boundary rows in order: one by one, or many by taking their nodes."""
    if len(rows) <= MAX_SLICED_ROWS:
        return [_boundary_row(f, axis, stencil, at, xp) for at in rows]
    numbers = np.array(rows)
    widths, starts = stencil.boundary_widths[numbers], stencil.boundary_starts[numbers]
    parts, order = [], []
    for width in np.unique(widths).tolist():
        alike = np.flatnonzero(widths == width)
        columns = stencil.boundary[numbers[alike], : width - 1].T
        nodes = [take(f, starts[alike] + k, axis, xp) for k in range(width)]
        parts.append(_difference_sum(nodes, columns, f, axis, xp))
        order.append(alike)
    total = concat(parts, axis, xp)
    if len(parts) > 1:
        total = take(total, np.argsort(np.concatenate(order)), axis, xp)
    return [total]


def _boundary_row(f: Any, axis: int, stencil: Stencil, at: int, xp: Any) -> Any:
    """Return one boundary row."""
    start, width = int(stencil.boundary_starts[at]), int(stencil.boundary_widths[at])
    return _window_sum(f, axis, start, start + 1, stencil.boundary[at, : width - 1, None], xp)


def _window_sum(f: Any, axis: int, start: int, stop: int, coefficients: Any, xp: Any) -> Any:
    """Sum coefficients times differences, for the windows that begin at start to stop - 1."""
    width = len(coefficients) + 1
    nodes = [slice_axis(f, axis, start + k, stop + k) for k in range(width)]
    return _difference_sum(nodes, coefficients, f, axis, xp)


def _difference_sum(nodes: list[Any], coefficients: Any, f: Any, axis: int, xp: Any) -> Any:
    """Sum coefficients times differences of adjacent nodes; a single node is the sum itself."""
    trail = (1,) * (f.ndim - axis - 1)
    total = nodes[0] if len(nodes) == 1 else None
    for (lower, upper), row in zip(pairwise(nodes), coefficients, strict=True):
        term = _coefficient_row(row, f, xp, trail) * (upper - lower)
        total = term if total is None else total + term
    return total


def _coefficient_row(row: Any, f: Any, xp: Any, trail: tuple[int, ...]) -> Any:
    """Return one coefficient as a number, or one for each row as an array along the axis."""
    if len(row) == 1:
        return float(row[0])
    return xp.reshape(asarray_like(row, f, xp), (len(row), *trail))
