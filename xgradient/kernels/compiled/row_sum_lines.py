"""Describe the arrays of sums by rows for their loops, as addresses, steps and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..requests import TermRequest, slice_axis
from .layout import (
    COMPILED_DTYPES,
    Array,
    address,
    collapse_outer_axes,
    is_strided_ok,
    read_only_view,
    row_step,
)

#: Least cells of each piece of arrays whose outer axes have no common step.
MIN_PIECE_CELLS = 1 << 20
#: Bytes of rows of input and result that stay in a core's own cache until the next plane is read.
ROW_BYTES = 1 << 18
#: Rows after which the loop computes their ends, which are in cache until then.
MAX_ROWS = 64


class Line(IntEnum):
    """Name what a term has for each row.

    ``LOWER`` and ``UPPER`` are coefficients of the differences to the cells before and after,
    ``LEFT`` and ``RIGHT`` the cells before and after the block.
    """

    RESULT = 0
    FIELD = 1
    FACTOR = 2
    LEFT = 3
    RIGHT = 4
    LOWER = 5
    UPPER = 6
    WEIGHT = 7


class Option(IntEnum):
    """Name the integers that say how a term is computed.

    ``STEP`` is the step to its neighbours in bytes, 0 in an array that is broadcast along the
    axis. ``IS_FIELD`` tells that the term is the field itself. ``REACH`` is the number of cells
    before the block.
    """

    STEP = 0
    IS_FIELD = 1
    PER_COLUMN = 2
    WEIGHT_MODE = 3
    ACCUMULATE = 4
    HAS_FACTOR = 5
    FIRST_WINDOW = 6
    REACH = 7


class RowSum(NamedTuple):
    """A sum for the loops.

    Attributes
    ----------
    terms : list of TermRequest
        The terms.
    result : ndarray
        The array that the sum is written into.
    factors : list of ndarray or None
        What each term is multiplied with.
    """

    terms: list[TermRequest]
    result: Array
    factors: list[Array | None]

    @property
    def columns(self) -> tuple[int, int, int]:
        """The first and last column with neighbours in the block, and the number of others."""
        for term in self.terms:
            if is_along_rows(term, self.result):
                stencil = term.stencil
                return stencil.first, stencil.last, len(stencil.boundary_windows)
        return 0, self.result.shape[-1], 0


def row_sum_arguments(
    sums: list[RowSum], results: list[Array], n_units: int
) -> list[tuple[Any, ...]]:
    """Return the arguments of the loops for parts of sums; none if parts would be too small.

    They hold addresses, so the arrays must be kept.

    Parameters
    ----------
    sums : list of RowSum
        The sums, of the rows that the pass computes.
    results : list of ndarray
        Arrays of what a function makes of the sums; none if it has no such function.
    n_units : int
        Number of parts, if there are as many rows.
    """
    out = sums[0].result
    n_rows, n = out.shape[-2:]
    terms = [term for one in sums for term in one.terms]
    numbers, views = _numbers(terms, out)
    arrays = [array for one in sums for array in _arrays(one)]
    parts: list[Array] = []
    for k, of_term in enumerate(views):
        parts += [*arrays[Line.LOWER * k : Line.LOWER * (k + 1)], *of_term]
    parts += results
    if not _has_large_pieces([out, *parts]):
        return []
    windows, edges, options = _options(sums)
    bounds = np.cumsum([0, *(len(one.terms) for one in sums)])
    # Each sum has the windows at its ends, or none.
    first_windows = [max(options[a:b, Option.FIRST_WINDOW]) for a, b in pairwise(bounds)]
    columns = zip(sums, first_windows, strict=True)
    table = np.array([(*one.columns, window) for one, window in columns], np.int64)
    cells = read_only_view(np.empty(0, out.dtype))
    is_number = {len(Line) * k + d for k in range(len(terms)) for d in Line if d >= Line.LOWER}
    found: list[tuple[Any, ...]] = []
    for pieces, outer, steps in collapse_outer_axes(parts, out.ndim - 2):
        given = zip(pieces, steps, strict=True)
        lines = np.array(
            [
                _line(piece, step, numbers if k in is_number else None)
                for k, (piece, step) in enumerate(given)
            ]
        )
        n_lines = len(terms) * len(Line)
        lines, of_results = lines[:n_lines].reshape(len(terms), len(Line), 3), lines[n_lines:]
        of_results = of_results.reshape(-1, 1, 3)
        order = _rows_at_once(lines, options, n_rows, n * out.itemsize)
        n_parts = -(-n_units * outer * n_rows * n // out.size)
        shared = lines, options, bounds, table, of_results, numbers, windows, edges, cells, n
        found += [(*shared, *part, *order) for part in divide(outer, n_rows, n_parts)]
    return found


def _arrays(one: RowSum) -> Iterator[Array]:
    """Yield the result, field, factor and halo of each term, at the cells of the result.

    The result stands in for what a term does not have.
    """
    out = one.result
    for term, factor in zip(one.terms, one.factors, strict=True):
        first = term.stencil.center
        block = slice_axis(term.block, term.axis, first, first + out.shape[term.axis])
        halo = (term.left_halo, term.right_halo) if is_along_rows(term, out) else (None, None)
        yield from (out, block, out if factor is None else factor)
        for part in halo:
            yield out if part is None else part


def is_along_rows(term: TermRequest, out: Array) -> bool:
    """Return whether a term has differences along the rows of the result."""
    return bool(term.axis == out.ndim - 1 and term.stencil.width > 1)


def has_rows(a: Array) -> bool:
    """Return whether cells of a row are adjacent, and all steps are whole cells."""
    return is_strided_ok(a, a.ndim - 2, backwards=True)


def _line(piece: Array, step: int, numbers: Array | None) -> tuple[int, int, int]:
    """Return where the first row begins, and the steps along the outer cells and the rows.

    These are in bytes, and in cells of the array of numbers if there is one.
    """
    size, row = piece.itemsize, row_step(piece, -2)
    if numbers is None:
        return address(piece), step * size, row * size
    return (address(piece) - address(numbers)) // size, step, row


def _has_large_pieces(arrays: list[Array]) -> bool:
    """Return whether few calls do for all outer axes; the first array is the result."""
    _, outer, _ = next(collapse_outer_axes(arrays, arrays[0].ndim - 2))
    n_rows, n = arrays[0].shape[-2:]
    cells: int = outer * n_rows * n
    return cells == arrays[0].size or cells >= MIN_PIECE_CELLS


def _rows_at_once(lines: Array, options: Array, n_rows: int, row_bytes: int) -> tuple[int, bool]:
    """Return the number of rows of a block, and whether all blocks of a plane follow each other.

    If terms are along an outer axis, a row waits in cache for the same rows of the next planes.
    Else a page of new memory is in cache until it is full.
    """
    planes: list[int]
    steps, planes = options[:, Option.STEP].tolist(), lines[:, Line.FIELD, 1].tolist()
    pairs = zip(steps, planes, strict=True)
    apart = [abs(step) // abs(plane) for step, plane in pairs if plane]
    if not any(apart):
        return min(n_rows, MAX_ROWS), True
    return max(1, ROW_BYTES // (2 * row_bytes * (1 + max(apart)))), False


def _options(sums: list[RowSum]) -> tuple[Array, Array, Array]:
    """Return the windows at the ends of rows, their coefficients, and the options of each term."""
    out = sums[0].result
    real = COMPILED_DTYPES[out.dtype]
    windows, edges, options = [np.empty((0, 3), np.int64)], [], []
    for one in sums:
        for term, factor in zip(one.terms, one.factors, strict=True):
            stencil, is_along = term.stencil, is_along_rows(term, out)
            left = term.left_halo if is_along else None
            options.append(
                (
                    term.block.strides[term.axis],
                    stencil.width == 1,
                    is_along and not stencil.uniform,
                    term.weight_mode,
                    term.accumulate,
                    factor is not None,
                    sum(map(len, windows)) if is_along else -1,
                    0 if left is None else left.shape[-1],
                )
            )
            if is_along:
                windows.append(stencil.boundary_windows)
                edges.append(stencil.tables[real][1])
    width = max((table.shape[1] for table in edges), default=1)
    padded = [np.pad(table, ((0, 0), (0, width - table.shape[1]))) for table in edges]
    return (
        np.concatenate(windows),
        np.concatenate([np.empty((0, width), real), *padded]),
        np.array(options, np.int64),
    )


def _numbers(terms: list[TermRequest], out: Array) -> tuple[Array, list[list[Array]]]:
    """Return coefficients and weights in one array, and views of it by the rows of the result.

    Each term has a view of the coefficients before a cell, of those after it, and of its weight.
    """
    real, parts = COMPILED_DTYPES[out.dtype], []
    nothing = np.ones([1] * out.ndim, real)  # which no cell is multiplied with
    for term in terms:
        stencil, shape = term.stencil, [1] * out.ndim
        lower = upper = nothing
        if stencil.width > 1:
            table = stencil.tables[real][0]
            if not stencil.uniform:
                shape[term.axis] = stencil.n
                table = np.pad(table, ((0, 0), (stencil.first, stencil.n - stencil.last)))
            lower, upper = table[0].reshape(shape), table[1].reshape(shape)
        weight = term.center_weight if term.output_weight is None else term.output_weight
        parts += [lower, upper, nothing if weight is None else weight]
    numbers = np.concatenate([part.ravel() for part in parts])
    ends = np.cumsum([part.size for part in parts]).tolist()
    views = [
        np.broadcast_to(
            numbers[end - part.size : end].reshape(part.shape), (*out.shape[:-1], part.shape[-1])
        )
        for part, end in zip(parts, ends, strict=True)
    ]
    return read_only_view(numbers), [views[k : k + 3] for k in range(0, len(views), 3)]


def divide(outer: int, rows: int, n: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield parts of outer cells and rows, each with the first and last of both."""
    by_outer = outer >= min(n, rows)
    length = outer if by_outer else rows
    bounds = [length * k // n for k in range(n + 1)]
    for first, last in pairwise(bounds):
        if first < last:
            yield (first, last, 0, rows) if by_outer else (0, outer, first, last)
