"""Apply a stencil to any array, by slices and sums in the array's own namespace.

Nothing is written in place, so immutable and traced arrays work. The order of the sum is that of
the compiled loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...stencils.table import Stencil
from ..array_api import asarray_like, concat, missing_cells, take
from ..requests import TermRequest, WeightMode, slice_axis
from .coast_rows import coast_rows
from .windows import difference_sum, nodes_and_counts, window_kinds

#: Boundary rows up to which each is a sum of slices, which are views.
MAX_SLICED_ROWS = 32
#: Sums windows: takes arrays with each of their nodes, coefficients, the field, the axis and the
#: namespace.
WindowSum = Callable[[list[Any], Any, Any, int, Any], Any]


def stencil_sum(
    term: TermRequest, dtype: Any, xp: Any, window_sum: WindowSum = difference_sum
) -> Any:
    """Apply the rows of a stencil along one axis, and weight the result.

    Parameters
    ----------
    term : TermRequest
        The term. How it is accumulated is left to the caller.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.
    window_sum : callable
        Sums a window; by default coefficients times differences.

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
    if stencil.coasts is not None:
        result = coast_rows(f, axis, stencil, xp)
    else:
        run = _all_rows if stencil.masked is None else _masked_rows
        result = run(f, axis, stencil, xp, window_sum)
    if term.weight_mode == WeightMode.NONE:
        return result  # the center may be beyond an end, where there is no value
    center = slice_axis(f, axis, stencil.center, stencil.center + stencil.n)
    if term.stretching is not None:
        result = _without_stretching(result, f, axis, stencil.center, term.stretching, xp)
    return weighted(result, center, term, xp)


def weighted(result: Any, center: Any, term: TermRequest, xp: Any) -> Any:
    """Return the result of a stencil with the weights of a term; the field is ``center`` there."""
    if term.output_weight is not None:
        result = result * asarray_like(term.output_weight, center, xp)
    if term.center_weight is not None:
        result = result + asarray_like(term.center_weight, center, xp) * center
    return result


def _without_stretching(
    result: Any, f: Any, axis: int, first: int, stretching: Any, xp: Any
) -> Any:
    """Return derivatives less the stretching times second differences, of rows from a node on.

    Where the stretching is 0 a neighbour may be missing, or beyond the ends.
    """
    n = result.shape[axis]
    start, stop = max(0, 1 - first), min(n, f.shape[axis] - 1 - first)
    if start >= stop:
        return result
    below, here, above = (
        slice_axis(f, axis, first + start + k, first + stop + k) for k in (-1, 0, 1)
    )
    factors = asarray_like(stretching, f, xp)
    if factors.shape[axis] > 1:
        factors = slice_axis(factors, axis, start, stop)
    between = slice_axis(result, axis, start, stop)
    corrected = between - factors * ((above - here) - (here - below))
    between = xp.where(factors != 0, corrected, between)
    ends = slice_axis(result, axis, 0, start), slice_axis(result, axis, stop, n)
    parts = [part for part in (ends[0], between, ends[1]) if part.shape[axis]]
    return concat(parts, axis, xp)


def _all_rows(f: Any, axis: int, stencil: Stencil, xp: Any, window_sum: WindowSum) -> Any:
    """Return all rows, each with its whole window."""
    middle = int(np.searchsorted(stencil.boundary_rows, stencil.first))
    parts = _boundary_rows(f, axis, stencil, range(middle), xp, window_sum)
    if stencil.last > stencil.first:
        start, stop = stencil.first + stencil.offset, stencil.last + stencil.offset
        parts.append(_window_sum(f, axis, start, stop, stencil.interior, xp, window_sum))
    ends = range(middle, len(stencil.boundary_rows))
    parts.extend(_boundary_rows(f, axis, stencil, ends, xp, window_sum))
    return concat(parts, axis, xp)


def _masked_rows(f: Any, axis: int, stencil: Stencil, xp: Any, window_sum: WindowSum) -> Any:
    """Return all rows, each with the window that its valid neighbours allow."""
    masked, n = stencil.masked, stencil.n
    assert masked is not None
    depth = masked.depth
    f, before, after = nodes_and_counts(f, axis, masked, stencil.center, n, xp)
    kinds = window_kinds(masked.window_index, before, after, f, xp)
    result = missing_cells(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(masked.starts, masked.widths, strict=True)):
        at = depth + int(first)
        total = _window_sum(
            f, axis, at, at + n, masked.table[kind, : int(width) - 1], xp, window_sum
        )
        result = xp.where(kinds == kind, total, result)
    return result


def _boundary_rows(
    f: Any, axis: int, stencil: Stencil, rows: range, xp: Any, window_sum: WindowSum
) -> list[Any]:
    """Return some boundary rows in order: one by one, or many by taking their nodes."""
    if len(rows) <= MAX_SLICED_ROWS:
        return [_boundary_row(f, axis, stencil, at, xp, window_sum) for at in rows]
    numbers = np.array(rows)
    widths, starts = stencil.boundary_widths[numbers], stencil.boundary_starts[numbers]
    parts, order = [], []
    for width in np.unique(widths).tolist():
        alike = np.flatnonzero(widths == width)
        columns = stencil.boundary[numbers[alike], : width - 1].T
        nodes = [take(f, starts[alike] + k, axis, xp) for k in range(width)]
        parts.append(window_sum(nodes, columns, f, axis, xp))
        order.append(alike)
    total = concat(parts, axis, xp)
    if len(parts) > 1:
        total = take(total, np.argsort(np.concatenate(order)), axis, xp)
    return [total]


def _boundary_row(
    f: Any, axis: int, stencil: Stencil, at: int, xp: Any, window_sum: WindowSum
) -> Any:
    """Return one boundary row."""
    start, width = int(stencil.boundary_starts[at]), int(stencil.boundary_widths[at])
    row = stencil.boundary[at, : width - 1, None]
    return _window_sum(f, axis, start, start + 1, row, xp, window_sum)


def _window_sum(
    f: Any, axis: int, start: int, stop: int, coefficients: Any, xp: Any, window_sum: WindowSum
) -> Any:
    """Sum the windows that begin at start to stop - 1."""
    width = len(coefficients) + 1
    nodes = [slice_axis(f, axis, start + k, stop + k) for k in range(width)]
    return window_sum(nodes, coefficients, f, axis, xp)
