"""Apply stencils at coasts: windows next to missing values, with ghost nodes beyond them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...stencils.coasts import CoastStencil
from ...stencils.table import Stencil
from ..array_api import asarray, missing_cells
from ..requests import slice_axis
from .windows import coefficient_row, difference_sum, nodes_and_counts, window_kinds


def coast_rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """Return all rows, each with the window that its valid neighbours and coasts allow."""
    coasts, n = stencil.coasts, stencil.n
    assert coasts is not None
    f, before, after = nodes_and_counts(f, axis, coasts, stencil.center, n, xp)
    trail = (1,) * (f.ndim - axis - 1)

    def side(counts: Any, at_end: Any) -> Any:
        # A count that an end of the axis stops is another side than one that a coast stops.
        limit = xp.reshape(asarray(at_end, f, xp, counts.dtype), (n, *trail))
        stopped = (counts == limit) & (counts < coasts.depth)
        return xp.where(stopped, counts + (coasts.depth + 1), counts)

    first, last = coasts.counts_at_ends(n, stencil.center)
    kinds = window_kinds(coasts.window_index, side(before, first), side(after, last), f, xp)
    result = missing_cells(f, axis, n, xp)
    for kind in range(len(coasts.widths)):
        if xp is np and not (kinds == kind).any():
            continue
        nodes = [_node(f, axis, coasts, kind, m, n, xp) for m in range(int(coasts.widths[kind]))]
        total = difference_sum(nodes, coasts.table[kind, : len(nodes) - 1], f, axis, xp)
        result = xp.where(kinds == kind, total, result)
    return result


def _node(f: Any, axis: int, coasts: CoastStencil, kind: int, m: int, n: int, xp: Any) -> Any:
    """Return node m of a window in all rows: a valid one, or the mirror image of one."""
    at = coasts.depth + int(coasts.sources[kind, m])
    values = slice_axis(f, axis, at, at + n)
    values = -values if coasts.signs[kind, m] < 0 else values
    shift = coasts.shifts[kind, m]
    if not shift.any():
        return values
    return values + coefficient_row(shift, f, xp, (1,) * (f.ndim - axis - 1))
