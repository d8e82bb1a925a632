"""Define the loop of sums by rows: all terms of a row, for all results, before the next row.

One after the other, the terms would read the fields again for each result, and add to results that
have left the cache. Here some rows of all outer cells follow each other, so that neighbours along
the outer axes stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ..requests import Accumulate, CellFunction, WeightMode
from .jit import jit, jit_inline, uint64
from .memory import (
    cells_at,
    read_derivative,
    read_field,
    read_scratch,
    write_derivative,
    write_scratch,
)
from .row_sum_lines import Line, Option

RESULT, FIELD, FACTOR, LEFT, RIGHT, LOWER, UPPER, WEIGHT = map(int, Line)
STEP, IS_FIELD, PER_COLUMN, MODE, ACCUMULATE, HAS_FACTOR, FIRST_WINDOW, REACH = map(int, Option)
NONE, OUTPUT, CENTER = int(WeightMode.NONE), int(WeightMode.OUTPUT), int(WeightMode.CENTER)
STORE, ADD = int(Accumulate.STORE), int(Accumulate.ADD)
#: Cells of a span, whose sums stay in the innermost cache until they are written.
SPAN_CELLS = 2048


@jit_inline
def count_blocks(first_row, last_row, rows_at_once):  # type: ignore[no-untyped-def]
    """Return the number of blocks of rows."""
    return (uint64(last_row - first_row) + uint64(rows_at_once - 1)) // uint64(rows_at_once)


@jit_inline
def block_at(m, first_outer, last_outer, first_row, last_row, rows_at_once, by_plane):  # type: ignore[no-untyped-def]
    """Return the outer cell, and the first and last row, of the block that is computed as ``m``."""
    if by_plane:
        n_blocks = count_blocks(first_row, last_row, rows_at_once)
        o, block = m // n_blocks, m % n_blocks
    else:
        n_outer = uint64(last_outer - first_outer)
        o, block = m % n_outer, m // n_outer
    start = uint64(first_row) + block * uint64(rows_at_once)
    return uint64(first_outer) + o, start, min(start + uint64(rows_at_once), uint64(last_row))


@jit_inline
def row_start(lines, k, line, o, i):  # type: ignore[no-untyped-def]
    """Return the address of a row, or the index of its numbers."""
    start, outer_step, row_step = lines[k, line, 0], lines[k, line, 1], lines[k, line, 2]
    return uint64(start) + o * uint64(outer_step) + i * uint64(row_step)


@jit_inline
def row_nodes(lines, options, k, o, i, cells):  # type: ignore[no-untyped-def]
    """Return the cells before those of a row along the axis of a term, its own, and those after."""
    address, step = row_start(lines, k, FIELD, o, i), uint64(options[k, STEP])
    return (
        cells_at(address - step, cells),
        cells_at(address, cells),
        cells_at(address + step, cells),
    )


@cache
def _write_differences(weight_mode: int, has_factor: bool) -> Callable[..., None]:
    """Return the function of terms whose rows share coefficients, without sums in between."""

    def write(lower, here, upper, a, b, weight, factor, g, first, last, adds):  # type: ignore[no-untyped-def]
        for j in range(first, last):
            center = read_field(here, j)
            total = a * (center - read_field(lower, j))
            total += b * (read_field(upper, j) - center)
            if weight_mode == OUTPUT:
                total *= weight
            if weight_mode == CENTER:
                total += weight * center
            if has_factor:
                total *= read_field(factor, j)
            if adds:  # LLVM makes two loops of this one
                total += read_derivative(g, j)
            write_derivative(g, j, total)

    return jit_inline(write, weight_mode, has_factor)


_write_plain, _write_weighted, _write_centered, _write_product, _write_weighted_product = (
    _write_differences(mode, has_factor)
    for mode, has_factor in (
        (NONE, False),
        (OUTPUT, False),
        (CENTER, False),
        (NONE, True),
        (OUTPUT, True),
    )
)


@jit_inline
def _write_field(here, weight, g, first, last, adds):  # type: ignore[no-untyped-def]
    """Write the field itself, weighted, as `_write_differences` does with derivatives."""
    for j in range(first, last):
        total = read_field(here, j) * weight
        if adds:
            total += read_derivative(g, j)
        write_derivative(g, j, total)


@jit_inline
def _sum_span(lower, here, upper, numbers, before, after, is_field, per_column, first, last, sums):  # type: ignore[no-untyped-def]
    """Sum over the windows of a span, or take the field itself."""
    if is_field:
        for j in range(first, last):
            write_scratch(sums, j - first, read_field(here, j))
    elif per_column:
        for j in range(first, last):
            center = read_field(here, j)
            total = read_field(numbers, before + j) * (center - read_field(lower, j))
            total += read_field(numbers, after + j) * (read_field(upper, j) - center)
            write_scratch(sums, j - first, total)
    else:
        a, b = numbers[before], numbers[after]
        for j in range(first, last):
            center = read_field(here, j)
            total = a * (center - read_field(lower, j))
            total += b * (read_field(upper, j) - center)
            write_scratch(sums, j - first, total)


@jit_inline
def _write_sums(here, factor, g, weight, options, k, first, last, sums):  # type: ignore[no-untyped-def]
    """Weight the sums of a span, and write them or add them to the result."""
    if options[k, MODE] == OUTPUT:
        for j in range(last - first):
            write_scratch(sums, j, read_scratch(sums, j) * weight)
    elif options[k, MODE] == CENTER:
        for j in range(first, last):
            total = read_scratch(sums, j - first) + weight * read_field(here, j)
            write_scratch(sums, j - first, total)
    if options[k, HAS_FACTOR]:
        for j in range(first, last):
            write_scratch(sums, j - first, read_scratch(sums, j - first) * read_field(factor, j))
    if options[k, ACCUMULATE] == STORE:
        for j in range(first, last):
            write_derivative(g, j, read_scratch(sums, j - first))
    else:
        for j in range(first, last):
            write_derivative(g, j, read_scratch(sums, j - first) + read_derivative(g, j))


@jit_inline
def _write_span(lines, options, numbers, cells, k, o, i, first, last, sums):  # type: ignore[no-untyped-def]
    """Write a term of a row into its result, or add it."""
    lower, here, upper = row_nodes(lines, options, k, o, i, cells)
    g = cells_at(row_start(lines, k, RESULT, o, i), cells)
    before, after = row_start(lines, k, LOWER, o, i), row_start(lines, k, UPPER, o, i)
    weight, adds = numbers[row_start(lines, k, WEIGHT, o, i)], options[k, ACCUMULATE] == ADD
    factor, mode = cells_at(row_start(lines, k, FACTOR, o, i), cells), options[k, MODE]
    is_field, is_product = options[k, IS_FIELD], options[k, HAS_FACTOR]
    if is_field and not is_product and mode == OUTPUT:
        _write_field(here, weight, g, first, last, adds)
        return
    if is_field or options[k, PER_COLUMN] or (is_product and mode == CENTER):
        _sum_span(
            lower, here, upper, numbers, before, after, is_field, options[k, PER_COLUMN],
            first, last, sums,
        )  # fmt: skip
        _write_sums(here, factor, g, weight, options, k, first, last, sums)
        return
    a, b = numbers[before], numbers[after]
    if mode == CENTER:
        _write_centered(lower, here, upper, a, b, weight, factor, g, first, last, adds)
    elif is_product and mode == NONE:
        _write_product(lower, here, upper, a, b, weight, factor, g, first, last, adds)
    elif is_product:
        _write_weighted_product(lower, here, upper, a, b, weight, factor, g, first, last, adds)
    elif mode == NONE:
        _write_plain(lower, here, upper, a, b, weight, factor, g, first, last, adds)
    else:
        _write_weighted(lower, here, upper, a, b, weight, factor, g, first, last, adds)


@jit_inline
def _node(lines, k, node, length, reach, o, cells):  # type: ignore[no-untyped-def]
    """Return a node of the first row as an array, which begins there, and the step to other rows.

    The node may be in the cells before or after the block.
    """
    line, shift = FIELD, node
    if node < 0:
        line, shift = LEFT, node + reach
    elif node >= length:
        line, shift = RIGHT, node - length
    address = row_start(lines, k, line, o, uint64(0)) + uint64(shift * cells.itemsize)
    return address, uint64(lines[k, line, 2])


@jit_inline
def sum_window(lines, options, windows, edges, cells, k, e, length, o, first, last, sums):  # type: ignore[no-untyped-def]
    """Sum over the window at end ``e`` of some rows, in the order of `boundary_rows`."""
    w = options[k, FIRST_WINDOW] + e
    node, width, reach = windows[w, 1], windows[w, 2], options[k, REACH]
    for m in range(width - 1):
        low, low_step = _node(lines, k, node + m, length, reach, o, cells)
        high, high_step = _node(lines, k, node + m + 1, length, reach, o, cells)
        for i in range(first, last):
            lower = read_field(cells_at(low + i * low_step, cells), uint64(0))
            upper = read_field(cells_at(high + i * high_step, cells), uint64(0))
            term = edges[w, m] * (upper - lower)
            sums[i - first] = sums[i - first] + term if m else term


@jit_inline
def _write_end(lines, options, numbers, cells, k, j, o, first, last, sums):  # type: ignore[no-untyped-def]
    """Write a term in one column of some rows, where ``sums`` has its sums along the rows."""
    for i in range(first, last):
        lower, here, upper = row_nodes(lines, options, k, o, i, cells)
        center = total = read_field(here, j)
        if options[k, FIRST_WINDOW] >= 0:
            total = sums[i - first]
        elif not options[k, IS_FIELD]:
            before, after = row_start(lines, k, LOWER, o, i), row_start(lines, k, UPPER, o, i)
            total = numbers[before] * (center - read_field(lower, j))
            total += numbers[after] * (read_field(upper, j) - center)
        weight = numbers[row_start(lines, k, WEIGHT, o, i)]
        if options[k, MODE] == OUTPUT:
            total *= weight
        elif options[k, MODE] == CENTER:
            total += weight * center
        if options[k, HAS_FACTOR]:
            total *= read_field(cells_at(row_start(lines, k, FACTOR, o, i), cells), j)
        g = cells_at(row_start(lines, k, RESULT, o, i), cells)
        if options[k, ACCUMULATE] == ADD:
            total += read_derivative(g, j)
        write_derivative(g, j, total)


@jit_inline
def _keep_row(a, b, c, d, length):  # type: ignore[no-untyped-def]
    """Leave the sums of a row as they are."""


@cache
def _combine_row(function: CellFunction) -> Callable[..., None]:
    """Return the function that makes four results of three sums, in each cell of a row."""
    function = jit_inline(function)

    def combine_row(a, b, c, d, length):  # type: ignore[no-untyped-def]
        for j in range(length):
            p, q, r, s = function(
                read_derivative(a, j), read_derivative(b, j), read_derivative(c, j)
            )
            write_derivative(a, j, p)
            write_derivative(b, j, q)
            write_derivative(c, j, r)
            write_derivative(d, j, s)

    return jit_inline(combine_row, function.__qualname__)


@cache
def row_sums_loop(function: CellFunction | None) -> Callable[..., None]:
    """Return the loop of sums of any number of terms, for any number of results.

    The arguments are those of `row_sum_arguments`. How a term is computed is no constant, for one
    loop serves all: a branch costs little where each row has hundreds of cells. A function of
    three sums may make four results of them.
    """
    combine_row = _keep_row if function is None else _combine_row(function)
    combines = function is not None

    def row_sums(  # type: ignore[no-untyped-def]
        lines, options, bounds, columns, results, numbers, windows, edges, cells, length,
        first_outer, last_outer, first_row, last_row, rows_at_once, by_plane,
    ):  # fmt: skip
        span_cells = uint64(SPAN_CELLS)
        sums = np.empty(max(rows_at_once, SPAN_CELLS), cells.dtype)
        n_blocks = count_blocks(first_row, last_row, rows_at_once)
        for m in range(n_blocks * uint64(last_outer - first_outer)):
            o, block, block_end = block_at(
                m, first_outer, last_outer, first_row, last_row, rows_at_once, by_plane
            )
            for i in range(block, block_end):
                for s in range(len(columns)):
                    start, stop = columns[s, 0], columns[s, 1]
                    for first in range(uint64(start), uint64(stop), span_cells):
                        last = min(first + span_cells, uint64(stop))
                        for k in range(bounds[s], bounds[s + 1]):
                            _write_span(lines, options, numbers, cells, k, o, i, first, last, sums)
            for s in range(len(columns)):
                for e in range(columns[s, 2]):
                    j = uint64(windows[columns[s, 3] + e, 0])
                    for k in range(bounds[s], bounds[s + 1]):
                        if options[k, FIRST_WINDOW] >= 0:
                            sum_window(
                                lines, options, windows, edges, cells, k, e, length, o,
                                block, block_end, sums,
                            )  # fmt: skip
                        _write_end(lines, options, numbers, cells, k, j, o, block, block_end, sums)
            if combines:
                for i in range(block, block_end):
                    combine_row(
                        cells_at(row_start(results, 0, RESULT, o, i), cells),
                        cells_at(row_start(results, 1, RESULT, o, i), cells),
                        cells_at(row_start(results, 2, RESULT, o, i), cells),
                        cells_at(row_start(results, 3, RESULT, o, i), cells),
                        uint64(length),
                    )

    return jit(row_sums, function and function.__qualname__)
