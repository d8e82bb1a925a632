"""Compute the cells next to coasts, for arrays whose other cells compiled loops have computed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ...stencils.coasts import CoastStencil
from ..generic.stencil_sum import weighted
from ..requests import Accumulate, TermRequest, slice_axis
from .layout import Array, cache_blocks
from .numpy_sums import accumulate, slice_term
from .stencil_driver import write_derivative


def write_with_coasts(term: TermRequest, out: Array) -> None:
    """Write a term with conditions at coasts into an array of its dtype, block by block.

    The loops compute all cells. Those next to coasts, few and missing then, are computed again.
    """
    dtype = np.dtype(np.float32) if out.dtype.itemsize == 2 else out.dtype
    for block in cache_blocks(out.shape, term.axis):
        part, to = slice_term(term, block), out[block]
        assert part.stretching is None, "a curvilinear grid has no conditions at coasts"
        bare = part._replace(output_weight=None, center_weight=None, accumulate=Accumulate.STORE)
        result = np.empty(to.shape, dtype)
        write_derivative(bare._replace(stencil=term.stencil.without_coasts), result)
        with np.errstate(all="ignore"):  # missing and infinite values are ordinary here
            _write_coast_cells(bare, result)
            center = _rows(part).astype(dtype, copy=False)
            accumulate(part, weighted(result, center, part, np), to)


def _rows(term: TermRequest) -> Array:
    """Return the cells of a block that have a row of the stencil."""
    first = term.stencil.center
    rows: Array = slice_axis(term.block, term.axis, first, first + term.stencil.n)
    return rows


def _write_coast_cells(term: TermRequest, out: Array) -> None:
    """Write a derivative into the cells whose windows hold missing values.

    Parameters
    ----------
    term : TermRequest
        The term, without weights.
    out : ndarray
        The derivative, missing in all cells whose window holds a missing value.
    """
    coasts, rows = term.stencil.coasts, _rows(term)
    cells = np.nonzero((out != out) & (rows == rows))
    if len(cells[0]):
        nodes = _nodes(term, cells, coasts.depth, out.dtype)
        out[cells] = _values(nodes, coasts, cells[term.axis], term.stencil.center)


def _nodes(
    term: TermRequest, cells: tuple[Array, ...], depth: int, dtype: np.dtype[Any]
) -> list[Array]:
    """Return the nodes around each cell, from ``depth`` before it to as many after it."""
    axis, stencil, coasts = term.axis, term.stencil, term.stencil.coasts
    length, before = term.block.shape[axis], term.left_halo
    parts = (
        (before, -_length(before, axis), 0),
        (term.block, 0, length),
        (term.right_halo, length, length + _length(term.right_halo, axis)),
    )
    nodes = []
    for offset in range(-depth, depth + 1):
        at = cells[axis] + (stencil.center + offset)
        values = np.full(len(at), np.nan, dtype)
        for part, first, last in parts:
            inside = (at >= max(first, coasts.low)) & (at < min(last, coasts.high))
            if part is not None and inside.any():
                index = [cell[inside] for cell in cells]
                index[axis] = at[inside] - first
                values[inside] = part[tuple(index)]
        nodes.append(values)
    return nodes


def _length(halo: Array | None, axis: int) -> int:
    """Return the number of cells of a halo along an axis, 0 without one."""
    return 0 if halo is None else halo.shape[axis]


def _values(nodes: list[Array], coasts: CoastStencil, rows: Array, center: int) -> Array:
    """Return the derivative at cells, each by the window of its valid neighbours and coasts."""
    positions = center + rows
    before = _side_numbers(nodes, -1, positions - coasts.low, coasts.depth)
    after = _side_numbers(nodes, 1, coasts.high - 1 - positions, coasts.depth)
    kinds = coasts.window_index[before, after]
    values = np.full(len(rows), np.nan, nodes[0].dtype)
    for kind in np.unique(kinds[kinds >= 0]).tolist():
        cells = np.flatnonzero(kinds == kind)
        values[cells] = _window_sum([node[cells] for node in nodes], coasts, kind, rows[cells])
    return values


def _side_numbers(nodes: list[Array], step: int, limits: Array, depth: int) -> Array:
    """Return the number of one side of each cell, as `CoastStencil` counts them."""
    counts = np.zeros(len(limits), np.int64)
    for distance in range(depth, 0, -1):
        neighbour = nodes[depth + step * distance]
        counts = np.where(neighbour == neighbour, counts + 1, 0)
    stopped = (counts == limits) & (counts < depth)
    numbers: Array = np.where(stopped, counts + depth + 1, counts)
    return numbers


def _window_sum(nodes: list[Array], coasts: CoastStencil, kind: int, rows: Array) -> Array:
    """Sum the coefficients of a window times its differences, at cells that all have it."""
    real: np.dtype[Any] = nodes[0].real.dtype

    def of_rows(numbers: Array) -> Array:
        """Return the number of each row, or the one that all rows share."""
        chosen: Array = numbers[rows] if len(numbers) > 1 else numbers
        return chosen.astype(real)

    def node(m: int) -> Array:
        value = nodes[coasts.depth + int(coasts.sources[kind, m])]
        value = -value if coasts.signs[kind, m] < 0 else value
        shift = coasts.shifts[kind, m]
        return value + of_rows(shift) if shift.any() else value

    values = [node(m) for m in range(int(coasts.widths[kind]))]
    total: Any = None
    for (lower, upper), coefficients in zip(pairwise(values), coasts.table[kind], strict=False):
        part = of_rows(coefficients) * (upper - lower)
        total = part if total is None else total + part
    return np.asarray(total)
