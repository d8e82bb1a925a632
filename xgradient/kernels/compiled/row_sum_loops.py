"""Define the loop of a sum: two or three terms of a cell before the terms of the next cell.

One after the other, the terms would read the result and write it again. Here some rows of all
outer cells follow each other, so that neighbours along the outer axes stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..requests import SQUARE_POWERS_DOUBLE, SQUARE_POWERS_SINGLE, WeightMode
from .jit import jit, jit_inline, uint64
from .memory import read_field, write_derivative
from .span_loops import root_of_squares, square_scales

OUTPUT, CENTER = int(WeightMode.OUTPUT), int(WeightMode.CENTER)
#: Cells of a span for roots, which is computed again if one of its squares is too large or too
#: small. Zeros are among these: only their terms tell whether a square has vanished.
SPAN_CELLS = 512
#: Cells that a processor computes at once, or a multiple of it.
LANES = 8


@jit_inline
def _row_start(lines, line, o, i):  # type: ignore[no-untyped-def]
    """Return the index of the first cell of a row in the array of a line."""
    return uint64(lines[line, 0]) + o * uint64(lines[line, 1]) + i * uint64(lines[line, 2])


@jit_inline
def _term_row(lines, steps, numbers, term, o, i):  # type: ignore[no-untyped-def]
    """Return where a row of a term begins, its step, where its coefficients are, its weight."""
    line = 3 + 4 * term
    return (
        _row_start(lines, line, o, i),
        uint64(steps[term]),
        _row_start(lines, line + 1, o, i),
        _row_start(lines, line + 2, o, i),
        numbers[_row_start(lines, line + 3, o, i)],
    )


@cache
def _apply_weight(weight_mode: int) -> Callable[..., Any]:
    """Return the function that weights the derivative in one cell."""

    def apply_weight(derivative, here, weight):  # type: ignore[no-untyped-def]
        if weight_mode == OUTPUT:
            return derivative * weight
        if weight_mode == CENTER:
            return derivative + weight * here
        return derivative

    return jit_inline(apply_weight, weight_mode)


@cache
def _differentiate(weight_mode: int, per_column: bool) -> Callable[..., Any]:
    """Return the function of a term in a cell with both neighbours in the block."""
    apply_weight = _apply_weight(weight_mode)

    def differentiate(f, numbers, row, j, window_sum):  # type: ignore[no-untyped-def]
        at, step, before, after, weight = row
        if per_column:
            before, after = before + j, after + j
        here = read_field(f, at + j)
        total = read_field(numbers, before) * (here - read_field(f, at + j - step))
        total += read_field(numbers, after) * (read_field(f, at + j + step) - here)
        return apply_weight(total, here, weight)

    return jit_inline(differentiate, weight_mode, per_column)


@cache
def _differentiate_end(weight_mode: int) -> Callable[..., Any]:
    """Return the function of a term in a cell with its own window, which is summed already."""
    apply_weight = _apply_weight(weight_mode)

    def differentiate_end(f, numbers, row, j, window_sum):  # type: ignore[no-untyped-def]
        return apply_weight(window_sum, f[row[0] + j], row[4])

    return jit_inline(differentiate_end, weight_mode)


@cache
def _evaluate(
    weight_modes: tuple[int, ...], along: int, per_column: bool, at_end: bool
) -> Callable[..., Any]:
    """Return the function of three terms in a cell; the last of two terms is there twice."""
    first, second, *rest = (
        _differentiate_end(mode)
        if at_end and k == along
        else _differentiate(mode, per_column and k == along)
        for k, mode in enumerate(weight_modes)
    )
    three, third = bool(rest), rest[0] if rest else second

    def evaluate(f, second_f, third_f, numbers, rows, j, window_sum):  # type: ignore[no-untyped-def]
        a = first(f, numbers, rows[0], j, window_sum)
        b = second(second_f, numbers, rows[1], j, window_sum)
        return a, b, third(third_f, numbers, rows[2], j, window_sum) if three else b

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


@jit_inline
def _sum_windows(  # type: ignore[no-untyped-def]
    parts, lines, part_lines, windows, c, e, length, reach, o, first, last, sums
):
    """Sum over the window at end ``e`` of some rows, in the order of `boundary_rows`.

    ``parts`` are the field, and the cells before and after the block. They have ``part_lines``.
    """
    node, width, shifts = windows[e, 1], windows[e, 2], (0, reach, -length)
    for k in range(width - 1):
        p = 1 if node + k < 0 else 0 if node + k < length else 2
        q = 1 if node + k + 1 < 0 else 0 if node + k + 1 < length else 2
        f, h, f_line, h_line = parts[p], parts[q], part_lines[p], part_lines[q]
        low = _row_start(lines, f_line, o, 0) + uint64(node + k + shifts[p])
        high = _row_start(lines, h_line, o, 0) + uint64(node + k + 1 + shifts[q])
        f_step, h_step = uint64(lines[f_line, 2]), uint64(lines[h_line, 2])
        for i in range(first, last):
            term = c[e, k] * (h[high + i * h_step] - f[low + i * f_step])
            sums[i - first] = sums[i - first] + term if k else term


@cache
def _write_ends(weight_modes: tuple[int, ...], adds: bool, along: int) -> Callable[..., None]:
    """Return the function that writes the columns with their own windows, in some rows."""
    evaluate = _evaluate(weight_modes, along, False, True)
    last_term = len(weight_modes) - 1
    sum_scaled = _sum_terms(adds, last_term == 2, True)

    def write_ends(  # type: ignore[no-untyped-def]
        f, second_f, third_f, parts, g, numbers, lines, steps, windows, c, reach, length,
        o, first, last, sums, scales, limits,
    ):  # fmt: skip
        part_lines = 3 + 4 * along, 1, 2
        for e in range(len(windows)):
            _sum_windows(
                parts, lines, part_lines, windows, c, e, length, reach, o, first, last, sums
            )
            j = uint64(windows[e, 0])
            for i in range(first, last):
                rows = (
                    _term_row(lines, steps, numbers, 0, o, i),
                    _term_row(lines, steps, numbers, 1, o, i),
                    _term_row(lines, steps, numbers, last_term, o, i),
                )
                terms = evaluate(f, second_f, third_f, numbers, rows, j, sums[i - first])
                total, _ = sum_scaled(*terms, scales, limits)
                write_derivative(g, _row_start(lines, 0, o, i) + j, total)

    return jit_inline(write_ends, weight_modes, adds, along)


@cache
def row_sum_loop(
    weight_modes: tuple[int, ...], adds: bool, along: int, per_column: bool
) -> Callable[..., None]:
    """Return the loop of a sum of terms, or of the root of the sum of their squares.

    The arguments are those of `RowSum`. The loop takes ``lines``, one for each array: the index of
    its first cell, and its steps along the outer cells and along the rows. They are the result,
    the cells before and after the block, and for each term the field, the coefficients before and
    after a cell, and the weight. The last three are in one array of numbers.
    """
    last_term, three = len(weight_modes) - 1, len(weight_modes) == 3
    evaluate = _evaluate(weight_modes, along, per_column, False)
    sum_terms, sum_scaled = _sum_terms(adds, three, False), _sum_terms(adds, three, True)
    write_ends = _write_ends(weight_modes, adds, along)

    def row_sums(  # type: ignore[no-untyped-def]
        f, second_f, third_f, before, after, g, numbers, lines, steps, windows, edges,
        start, stop, reach, length, first_outer, last_outer, first_row, last_row, rows_at_once,
    ):  # fmt: skip
        scales, limits = square_scales(edges), _safe_squares(edges)
        columns, lanes = uint64(stop - start), uint64(LANES)
        span_cells = columns if adds else min(uint64(SPAN_CELLS), columns)
        span_cells = max(span_cells - span_cells % lanes, uint64(1))
        parts = (f if along == 0 else second_f if along == 1 else third_f), before, after
        sums = np.empty(min(rows_at_once, last_row - first_row), g.dtype)
        for block in range(uint64(first_row), uint64(last_row), uint64(rows_at_once)):
            block_end = min(block + uint64(rows_at_once), uint64(last_row))
            for o in range(uint64(first_outer), uint64(last_outer)):
                for i in range(block, block_end):
                    rows = (
                        _term_row(lines, steps, numbers, 0, o, i),
                        _term_row(lines, steps, numbers, 1, o, i),
                        _term_row(lines, steps, numbers, last_term, o, i),
                    )
                    g_at = _row_start(lines, 0, o, i)
                    for begin in range(uint64(start), uint64(stop), span_cells):
                        end, unsafe = min(begin + span_cells, uint64(stop)), False
                        # The last span begins earlier: a rest would be computed cell by cell.
                        spare = (lanes - (end - begin) % lanes) % lanes
                        span = begin - min(spare, begin - uint64(start))
                        for j in range(span, end):
                            a, b, c = evaluate(f, second_f, third_f, numbers, rows, j, None)
                            total, is_unsafe = sum_terms(a, b, c, scales, limits)
                            unsafe |= is_unsafe
                            write_derivative(g, g_at + j, total)
                        if unsafe:
                            for j in range(span, end):
                                a, b, c = evaluate(f, second_f, third_f, numbers, rows, j, None)
                                total, is_unsafe = sum_scaled(a, b, c, scales, limits)
                                write_derivative(g, g_at + j, total)
                if along >= 0:
                    write_ends(
                        f, second_f, third_f, parts, g, numbers, lines, steps, windows, edges,
                        reach, length, o, block, block_end, sums, scales, limits,
                    )  # fmt: skip

    return jit(row_sums, weight_modes, adds, along, per_column)
