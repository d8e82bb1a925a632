"""Define the loop of one sum by rows: two or three terms of a cell before the next cell.

It also takes the root of the sum of their squares. Roots need no scale, unless a square of the
same span is too large or too small.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..requests import SQUARE_POWERS_DOUBLE, SQUARE_POWERS_SINGLE
from .jit import jit, jit_inline, uint64
from .memory import cells_at, read_field, write_derivative
from .row_sum_loops import (
    CENTER,
    LOWER,
    OUTPUT,
    RESULT,
    UPPER,
    WEIGHT,
    block_at,
    count_blocks,
    row_nodes,
    row_start,
    sum_window,
)
from .span_loops import root_of_squares, square_scales

#: Cells of a span for roots, which is computed again if one of its squares is too large or too
#: small. Zeros are among these: only their terms tell whether a square has vanished.
SPAN_CELLS = 512
#: Cells that a processor computes at once, or a multiple of it.
LANES = 8


@jit_inline
def _term_row(lines, options, numbers, cells, k, o, i):  # type: ignore[no-untyped-def]
    """Return the nodes of a term in a row, where its coefficients are, and its weight."""
    return (
        row_nodes(lines, options, k, o, i, cells),
        row_start(lines, k, LOWER, o, i),
        row_start(lines, k, UPPER, o, i),
        numbers[row_start(lines, k, WEIGHT, o, i)],
    )


@cache
def _apply_weight(weight_mode: int) -> Callable[..., Any]:
    """Return the function that weights the derivative in one cell."""

    def apply_weight(derivative, center, weight):  # type: ignore[no-untyped-def]
        if weight_mode == OUTPUT:
            return derivative * weight
        if weight_mode == CENTER:
            return derivative + weight * center
        return derivative

    return jit_inline(apply_weight, weight_mode)


@cache
def _differentiate(weight_mode: int, per_column: bool) -> Callable[..., Any]:
    """Return the function of a term in a cell with both neighbours in the block."""
    apply_weight = _apply_weight(weight_mode)

    def differentiate(numbers, row, j, window_sum):  # type: ignore[no-untyped-def]
        (lower, here, upper), before, after, weight = row
        if per_column:
            before, after = before + j, after + j
        center = read_field(here, j)
        total = read_field(numbers, before) * (center - read_field(lower, j))
        total += read_field(numbers, after) * (read_field(upper, j) - center)
        return apply_weight(total, center, weight)

    return jit_inline(differentiate, weight_mode, per_column)


@cache
def _weight_sum(weight_mode: int) -> Callable[..., Any]:
    """Return the function of a term in a cell with its own window, which is summed already."""
    apply_weight = _apply_weight(weight_mode)

    def weight_sum(numbers, row, j, window_sum):  # type: ignore[no-untyped-def]
        return apply_weight(window_sum, read_field(row[0][1], j), row[3])

    return jit_inline(weight_sum, weight_mode)


@cache
def _evaluate(
    weight_modes: tuple[int, ...], along: int, per_column: bool, at_end: bool
) -> Callable[..., Any]:
    """Return the function of three terms in a cell; the last of two terms is there twice."""
    first, second, *rest = (
        _weight_sum(mode)
        if at_end and k == along
        else _differentiate(mode, per_column and k == along)
        for k, mode in enumerate(weight_modes)
    )
    three, third = bool(rest), rest[0] if rest else second

    def evaluate(numbers, rows, j, window_sum):  # type: ignore[no-untyped-def]
        a = first(numbers, rows[0], j, window_sum)
        b = second(numbers, rows[1], j, window_sum)
        return a, b, third(numbers, rows[2], j, window_sum) if three else b

    return jit_inline(evaluate, weight_modes, along, per_column, at_end)


@jit_inline
def _safe_squares(c):  # type: ignore[no-untyped-def]
    """Return the least and the largest sum of squares of numbers that need no scale."""
    real = c.dtype.type
    limit, _ = SQUARE_POWERS_SINGLE if c.itemsize == 4 else SQUARE_POWERS_DOUBLE
    return real(2.0 ** (2 - 2 * limit)), real(2.0 ** (2 * limit - 2))


@jit_inline
def _unscaled_root(a, b, limits):  # type: ignore[no-untyped-def]
    """Return the root of a² + b², and whether `root_of_squares` may have other bits."""
    a, b = abs(a), abs(b)
    square = a * a + b * b
    return np.sqrt(square), (square < limits[0]) | (square > limits[1])


@cache
def _sum_terms(adds: bool, three: bool, scaled: bool) -> Callable[..., Any]:
    """Return the function that adds the terms of a cell, or takes the root of their squares.

    With each sum comes whether it needs the function that is ``scaled``.
    """

    def add(a, b, c, scales, limits):  # type: ignore[no-untyped-def]
        return c + (b + a) if three else b + a, False

    def scaled_root(a, b, c, scales, limits):  # type: ignore[no-untyped-def]
        root = root_of_squares(abs(a), b, scales)
        return root_of_squares(root, c, scales) if three else root, False

    def root(a, b, c, scales, limits):  # type: ignore[no-untyped-def]
        total, unsafe = _unscaled_root(a, b, limits)
        if three:
            total, second_unsafe = _unscaled_root(total, c, limits)
            unsafe |= second_unsafe
        return total, unsafe

    return jit_inline(add if adds else scaled_root if scaled else root, three)


@cache
def fused_sum_loop(
    weight_modes: tuple[int, ...], adds: bool, along: int, per_column: bool
) -> Callable[..., None]:
    """Return the loop of a sum of terms, or of the root of the sum of their squares.

    The constants are those of `FusedCase`, the arguments those of `row_sum_arguments`.
    """
    third_term, three = len(weight_modes) - 1, len(weight_modes) == 3
    evaluate = _evaluate(weight_modes, along, per_column, False)
    evaluate_end = _evaluate(weight_modes, along, False, True)
    sum_terms, sum_scaled = _sum_terms(adds, three, False), _sum_terms(adds, three, True)

    def fused_sum(  # type: ignore[no-untyped-def]
        lines, options, bounds, columns, results, numbers, windows, edges, cells, length,
        first_outer, last_outer, first_row, last_row, rows_at_once, by_plane,
    ):  # fmt: skip
        scales, limits = square_scales(edges), _safe_squares(edges)
        lanes = uint64(LANES)
        start, stop, ends = uint64(0), uint64(0), 0
        if len(columns):
            start, stop, ends = uint64(columns[0, 0]), uint64(columns[0, 1]), columns[0, 2]
        span_cells = stop - start if adds else min(uint64(SPAN_CELLS), stop - start)
        span_cells = max(span_cells - span_cells % lanes, uint64(1))
        sums = np.empty(rows_at_once, cells.dtype)
        n_blocks = count_blocks(first_row, last_row, rows_at_once)
        for m in range(n_blocks * uint64(last_outer - first_outer)):
            o, block, block_end = block_at(
                m, first_outer, last_outer, first_row, last_row, rows_at_once, by_plane
            )
            for i in range(block, block_end):
                rows = (
                    _term_row(lines, options, numbers, cells, 0, o, i),
                    _term_row(lines, options, numbers, cells, 1, o, i),
                    _term_row(lines, options, numbers, cells, third_term, o, i),
                )
                g = cells_at(row_start(lines, 0, RESULT, o, i), cells)
                for begin in range(start, stop, span_cells):
                    end, unsafe = min(begin + span_cells, stop), False
                    # The last span begins earlier: a rest would be computed cell by cell.
                    spare = (lanes - (end - begin) % lanes) % lanes
                    span = begin - min(spare, begin - start)
                    for j in range(span, end):
                        a, b, c = evaluate(numbers, rows, j, None)
                        total, is_unsafe = sum_terms(a, b, c, scales, limits)
                        unsafe |= is_unsafe
                        write_derivative(g, j, total)
                    if unsafe:
                        for j in range(span, end):
                            a, b, c = evaluate(numbers, rows, j, None)
                            total, is_unsafe = sum_scaled(a, b, c, scales, limits)
                            write_derivative(g, j, total)
            for e in range(ends):
                sum_window(
                    lines, options, windows, edges, cells, along, e, length, o, block,
                    block_end, sums,
                )  # fmt: skip
                j = uint64(windows[e, 0])
                for i in range(block, block_end):
                    rows = (
                        _term_row(lines, options, numbers, cells, 0, o, i),
                        _term_row(lines, options, numbers, cells, 1, o, i),
                        _term_row(lines, options, numbers, cells, third_term, o, i),
                    )
                    a, b, c = evaluate_end(numbers, rows, j, sums[i - block])
                    total, _ = sum_scaled(a, b, c, scales, limits)
                    write_derivative(cells_at(row_start(lines, 0, RESULT, o, i), cells), j, total)

    return jit(fused_sum, weight_modes, adds, along, per_column)
