"""NumPy arrays with missing values: loops whose windows end at them.

A row whose whole window is valid is computed as everywhere else. Only where the sum turns out to be
missing are valid neighbours counted; so data without gaps cost little more than without the option.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coasts import Coasts
from ..stencils import Stencil
from ._jit import INDEX, jit, part, uint64
from ._spans import FEW, SPAN, centred, mended, tried, window, write

__all__ = ["Lines", "coastal"]

Array = NDArray[Any]
#: An array as its memory, with the steps to the next of its outer lines and of its rows.
Lines = tuple[Array, int, int]


def coastal(
    lines: Lines,
    start: int,
    before: Lines,
    after: Lines,
    reach: int,
    length: int,
    to: Lines,
    by: Lines,
    outer: int,
    inner: int,
    stencil: Stencil,
    table: Array,
    kind: int,
    how: int,
    each: int,
) -> None:
    """Run the loops on flat arrays, as those of `_numba` are run."""
    coasts, n, own = stencil.coasts, stencil.n, stencil.own
    assert coasts is not None
    along, even = inner == 1, table.shape[2] == 1
    far, width = coasts.reach, int(coasts.widths[coasts.kinds[-1, -1]])
    run = _loops(width, far, int(coasts.widths.max()), along, even, _few(coasts))
    # Where there is no window, the number is the one after the last.
    kinds = np.where(coasts.kinds < 0, len(coasts.starts), coasts.kinds)
    # Unsigned, as all indices: a start before the row wraps round, and so does the sum with it.
    windows = tuple(a.astype(INDEX, order="C") for a in (kinds, coasts.starts, coasts.widths))
    # Rows that count no further than the block are many.
    first = min(max(0, far - own), n)
    last = max(min(n, length - far - own), first)
    # The few others take their nodes from a strip, in which what is beyond the axis is missing.
    strip = np.empty((max(first, n - last) + 2 * far) * (1 if along else SPAN), to[0].dtype)
    seen = strip.view()
    seen.setflags(write=False)
    axis = max(coasts.low, -reach), min(coasts.high, length + far), reach, length
    f, f_outer, f_row = zip(lines, before, after, strict=True)
    run(
        f, start, f_outer, f_row, axis, *to, *by,
        outer, inner, (0, first, last, n), own, table, windows, strip, seen, each, kind, how,
    )  # fmt: skip


def _few(coasts: Coasts) -> bool:
    """Whether windows are so few that each can be tried on every cell.

    They hold all nodes within reach, which is two at most, or the two neighbours, or those on one
    side only. Where there are fewer nodes than that there may be none.
    """
    reach = coasts.reach
    if reach > 2:
        return False
    windows = [*zip(coasts.starts.tolist(), coasts.widths.tolist(), strict=True), None]
    for before, after in np.ndindex(coasts.kinds.shape):
        least = min(before, after)
        allowed: list[Any] = [(-min(before, 1), 3) if least else (-before, before + after + 1)]
        if least == reach:
            allowed.append((-reach, 2 * reach + 1))
        if before + after < reach:
            allowed.append(None)
        if windows[coasts.kinds[before, after]] not in allowed:
            return False
    return True


@part
def _fill(strip, part, at, row, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Nodes of one array, in a strip that begins with the node ``origin``."""
    for node in range(first, last):
        to, of = uint64(node - origin) * width, uint64(at + node * row)
        for j in range(lanes):
            strip[to + j] = part[of + j]


@part
def _clear(strip, origin, first, last, lanes, width):  # type: ignore[no-untyped-def]
    """Nodes that there are not."""
    for node in range(first, last):
        to = uint64(node - origin) * width
        for j in range(lanes):
            strip[to + j] = np.nan


@part
def _gather(strip, block, before, after, at, steps, axis, nodes, sizes):  # type: ignore[no-untyped-def]
    """The nodes from ``first`` to ``last``, of the block and what lies before and after it."""
    (low, high, reach, length), (first, last), (lanes, width) = axis, nodes, sizes
    here = max(first, low)
    origin = at[1] + reach * steps[1]
    _fill(strip, before, origin, steps[1], first, here, min(last, 0), lanes, width)
    _fill(strip, block, at[0], steps[0], first, max(here, 0), min(last, high, length), lanes, width)
    origin = at[2] - length * steps[2]
    _fill(strip, after, origin, steps[2], first, max(here, length), min(last, high), lanes, width)
    _clear(strip, first, first, min(low, last), lanes, width)
    _clear(strip, first, max(first, high), last, lanes, width)


@part
def _kind(kinds, starts, far, before, after):  # type: ignore[no-untyped-def]
    """The window of a row without gaps that has so many nodes before and after it."""
    kind = kinds[min(far, before), min(far, after)]
    return kind if kind < uint64(len(starts)) else kinds[far, far]


@cache
def _loops(
    width: int, reach: int, most: int, along: bool, even: bool, few: bool
) -> Callable[..., None]:
    """All rows of a block, by spans of cells one after the other.

    A span lies across the rows, or along them where the axis is the innermost.
    """
    per_cell = along and not even
    strip_row = 1 if along else SPAN
    centre, try_all = centred(width, per_cell), tried(width, reach, per_cell)
    mend = mended(reach, most, per_cell)

    # One long nest, for a function that calls others counts references of each array it is given.
    def loops(  # type: ignore[no-untyped-def]
        f, f_start, f_outer, f_row, axis, g, g_outer, g_row, w, w_outer, w_row,
        outer, inner, bounds, own, c, windows, strip, seen, each, weigh, how,
    ):  # fmt: skip
        sums, cells = np.empty(SPAN, g.dtype), np.empty(FEW + 1, INDEX)
        counts = np.empty(FEW, np.int32)
        block, ahead, behind = f
        kinds, starts, widths = windows
        low, high, _, _ = axis
        whole = kinds[reach, reach]
        sides = outer if along else inner
        for begin in range(0, sides, each):
            end = min(begin + each, sides)
            o_first, o_last = (begin, end) if along else (0, outer)
            j_first, j_last = (0, 1) if along else (begin, end)
            # The rows at the ends when those in the interior are in cache.
            for side in (1, 0, 2):
                first, last, inside = bounds[side], bounds[side + 1], side == 1
                if first == last:
                    continue
                field = block if inside else seen
                step = uint64(f_row[0]) if inside else uint64(strip_row)
                lanes = j_last - j_first if inside else strip_row
                for o in range(o_first, o_last):
                    for j in range(j_first, j_last, lanes):
                        many = min(lanes, j_last - j)
                        length = uint64(last - first if along else many)
                        line = uint64(f_start + o * f_outer[0] + (first + own) * f_row[0] + j)
                        if not inside:
                            at = (
                                f_start + o * f_outer[0] + j,
                                o * f_outer[1] + j,
                                o * f_outer[2] + j,
                            )
                            nodes = own + first - reach, own + last + reach
                            sizes = uint64(many), uint64(strip_row)
                            _gather(strip, block, ahead, behind, at, f_row, axis, nodes, sizes)
                            line = uint64(reach * strip_row)
                        for row in range(first, first + 1 if along else last):
                            kind = whole
                            if not (along or inside or few):
                                before, after = own + row - low, high - 1 - own - row
                                kind = _kind(kinds, starts, reach, before, after)
                            for start in range(uint64(0), length, uint64(SPAN)):
                                count = min(uint64(SPAN), length - start)
                                me = line + uint64(row - first) * step + start
                                to = uint64(o * g_outer + row * g_row + j) + start
                                by = uint64(o * w_outer + row * w_row)
                                if weigh in (2, 4):
                                    by += uint64(j) + start
                                # Where rows share their coefficients there is one column for all.
                                column = uint64(0) if even else uint64(row)
                                if per_cell:
                                    column += start
                                if few:
                                    try_all(field, me, step, c, kinds, starts, column, sums, count)
                                else:
                                    begins = me + starts[kind] * step
                                    if kind == whole:
                                        centre(field, begins, step, c, kind, column, sums, count)
                                    else:
                                        window(
                                            field, begins, step, c, kind, widths[kind],
                                            column, sums, count,
                                        )  # fmt: skip
                                    for a in range(uint64(0), count, uint64(FEW)):
                                        b = min(a + uint64(FEW), count)
                                        mend(
                                            field, me, step, c, kinds, starts, widths,
                                            column, sums, a, b, counts, cells,
                                        )  # fmt: skip
                                write(field, me, w, by, g, to, sums, count, weigh, how)

    return jit(loops, width, reach, most, along, even, few)
