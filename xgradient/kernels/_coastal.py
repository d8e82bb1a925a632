"""NumPy arrays with missing values: loops whose windows end at them.

A row whose whole window is valid is computed as everywhere else. Only where the sum turns out to be
missing are valid neighbours counted; so data without gaps cost little more than without the option.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import int32, uint64
from numba.extending import register_jitable
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ..stencils import Stencil
from ._boxes import boxes
from ._jit import jit

__all__ = ["Lines", "coastal", "root_of_squares"]

Array = NDArray[Any]
#: An array as its memory, with the steps to the next of its outer lines and of its rows.
Lines = tuple[Array, int, int]


#: Cells whose sums are kept in cache until they are written.
SPAN = 256


def coastal(
    lines: Lines,
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
) -> None:
    """Run the loops on flat arrays, as those of `_numba` are run."""
    coasts, n, own = stencil.coasts, stencil.n, stencil.own
    assert coasts is not None
    far, whole = coasts.reach, int(coasts.kinds[-1, -1])
    form = inner == 1, table.shape[2] == 1
    run = _loops(int(coasts.widths[whole]), *form, far == 1, kind, how)
    # Where there is no window, the number is the one after the last.
    kinds = np.where(coasts.kinds < 0, len(coasts.starts), coasts.kinds)
    # Unsigned, as all indices: a start before the row wraps round, and so does the sum with it.
    windows = far, *(a.astype(np.uint64) for a in (kinds, coasts.starts, coasts.widths)), table
    # Rows that count no further than the block are many.
    first = min(max(0, far - own), n)
    last = max(min(n, length - far - own), first)
    if first < last:
        run(*lines, *to, *by, outer, inner, first, last, own, *windows)
    # The few others take a strip of their own, in which what is beyond the axis is missing.
    counts = reach, length, min(far, max(0, coasts.high - length))
    parts = [
        as_strided(f, (outer, cells, inner), [s * f.itemsize for s in (step, row, 1)])
        for (f, step, row), cells in zip((before, lines, after), counts, strict=True)
    ]
    for a, b in ((0, first), (last, n)):
        # In boxes that stay in cache: on a short axis all of its rows are such.
        for o, _, j in boxes((outer, b - a + 2 * far, inner), 1) if a < b else ():
            here = [part[o, :, j] for part in parts]
            strip = _strip(here, own + a - far, own + b + far, coasts.low, coasts.high)
            line = strip.reshape(-1), strip[0].size, strip.shape[2]
            line[0].setflags(write=False)
            # A weight of a whole row is the same in all of its boxes.
            places = (
                _lines_from(to, o.start, j.start),
                _lines_from(by, o.start, j.start if kind in (2, 4) else 0),
            )
            size = strip.shape[0], strip.shape[2]
            run(*line, *places[0], *places[1], *size, a, b, far - a, *windows)


def _lines_from(lines: Lines, outer: int, inner: int = 0) -> Lines:
    """The lines from an outer and an inner cell on."""
    cells, step, row = lines
    return cells[outer * step + inner :], step, row


def _strip(parts: list[Array], start: int, stop: int, low: int, high: int) -> Array:
    """The nodes from ``start`` to ``stop``, of the block and what lies before and after it."""
    outer, _, inner = parts[0].shape
    strip = np.full((outer, stop - start, inner), np.nan, parts[0].dtype)
    begin = -parts[0].shape[1]
    for part in parts:
        a, b = max(start, begin, low), min(stop, begin + part.shape[1], high)
        if a < b:
            strip[:, a - start : b - start] = part[:, a - begin : b - begin]
        begin += part.shape[1]
    return strip


@register_jitable
def root_of_squares(a, b, one):  # type: ignore[no-untyped-def]
    """The root of a² + b², by their ratio: squares of small numbers vanish in float32."""
    a, b = abs(a), abs(b)
    high, low = (a, b) if a > b else (b, a)
    ratio = low / high if high > 0 else low
    return high * np.sqrt(one + ratio * ratio)


# What is done with a span of cells stands in functions of their own: nested in other loops the same
# lines are not vectorised.


@register_jitable
def _has_gaps(f, at, sums, count):  # type: ignore[no-untyped-def]
    """Whether a valid cell has a missing one in its window."""
    gaps = uint64(0)
    for j in range(count):
        gaps += uint64((sums[j] != sums[j]) & (f[at + j] == f[at + j]))
    return gaps > 0


@register_jitable
def _extend(f, at, runs, count):  # type: ignore[no-untyped-def]
    """Runs of valid nodes, with one more node: a missing one ends them."""
    for j in range(count):
        value, longer = f[at + j], runs[j] + int32(1)
        runs[j] = longer if value == value else int32(0)


@register_jitable
def _note(f, at, sums, cells, count):  # type: ignore[no-untyped-def]
    """The valid cells with a missing one in their window."""
    many = uint64(0)
    for j in range(count):
        cells[many] = j
        many += uint64((sums[j] != sums[j]) & (f[at + j] == f[at + j]))
    return many


@register_jitable
def _mend(  # type: ignore[no-untyped-def]
    f, me, step, c, column, per_cell, kinds, before, after, starts, widths, cells, sums
):
    """The sums of the cells noted, each over the window that its valid neighbours allow."""
    for j in cells:
        kind = kinds[uint64(before[j]), uint64(after[j])]
        if kind < uint64(len(starts)):
            col = column + j if per_cell else column
            at = me + j + starts[kind] * step
            total = c[kind, uint64(0), col] * (f[at + step] - f[at])
            for k in range(uint64(1), widths[kind] - uint64(1)):
                at += step
                total += c[kind, k, col] * (f[at + step] - f[at])
            sums[j] = total


@cache
def _loops(
    width: int, along: bool, even: bool, narrow: bool, weigh: int, how: int
) -> Callable[..., None]:
    """Rows that count no further than the block, by spans of cells one after the other.

    No branch depends on a single cell, so that all loops over cells are vectorised, however many
    holes there are: all that a sum could be is computed, and one of them is chosen.
    """
    half = width // 2
    per_cell = along and not even

    def loops(  # type: ignore[no-untyped-def]
        f, f_outer, f_row, g, g_outer, g_row, w, w_outer, w_row,
        outer, inner, first, last, own, reach, kinds, starts, widths, c,
    ):  # fmt: skip
        sums = np.empty(SPAN, g.dtype)
        before, after = np.empty(SPAN, np.int32), np.empty(SPAN, np.int32)
        cells = np.empty(SPAN + 1, np.uint64)
        one = c.dtype.type(1)
        whole = kinds[reach, reach]
        lone_upper, lone_lower = kinds[0, 1], kinds[1, 0]
        step = uint64(f_row)
        rows = 1 if along else last - first
        length = uint64(last - first if along else inner)
        for o in range(uint64(outer)):
            for p in range(uint64(rows)):
                row = uint64(first) + p
                start = uint64(0)
                while start < length:
                    count = min(uint64(SPAN), length - start)
                    me = o * uint64(f_outer) + (row + uint64(own)) * step + start
                    at = me - uint64(half) * step
                    to = o * uint64(g_outer) + row * uint64(g_row) + start
                    by = o * uint64(w_outer) + row * uint64(w_row)
                    # Where rows share their coefficients there is one column for all.
                    column = uint64(0) if even else row + start if along else row
                    for j in range(count):
                        col = column + j if per_cell else column
                        if narrow:
                            lower, upper = f[me + j] - f[at + j], f[me + step + j] - f[me + j]
                            total = c[whole, 0, col] * lower + c[whole, 1, col] * upper
                            if f[at + j] != f[at + j]:
                                total = c[lone_upper, 0, col] * upper
                            if f[me + step + j] != f[me + step + j]:
                                total = c[lone_lower, 0, col] * lower
                        else:
                            total = c[whole, 0, col] * (f[at + step + j] - f[at + j])
                            for k in range(1, width - 1):
                                here = at + uint64(k) * step + j
                                total += c[whole, k, col] * (f[here + step] - f[here])
                        sums[j] = total
                    if not narrow and _has_gaps(f, me, sums, count):
                        before[:] = 0
                        after[:] = 0
                        for far in range(uint64(reach)):
                            away = (uint64(reach) - far) * step
                            _extend(f, me - away, before, count)
                            _extend(f, me + away, after, count)
                        noted = cells[: _note(f, me, sums, cells, count)]
                        _mend(
                            f, me, step, c, column, per_cell,
                            kinds, before, after, starts, widths, noted, sums,
                        )  # fmt: skip
                    for j in range(count):
                        if weigh == 1:
                            sums[j] *= w[by]
                        if weigh == 2:
                            sums[j] *= w[by + start + j]
                        if weigh == 3:
                            sums[j] += w[by] * f[me + j]
                        if weigh == 4:
                            sums[j] += w[by + start + j] * f[me + j]
                        if how == 1:
                            sums[j] += g[to + j]
                        if how == 2:
                            sums[j] = root_of_squares(g[to + j], sums[j], one)
                        if how == 3:
                            sums[j] = abs(sums[j])
                        g[to + j] = sums[j]
                    start += count

    return jit(loops)
