"""Stencils of neighbouring rows: the derivative at the next or previous point of an axis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .masked import MaskedStencil
from .table import Stencil


def neighbour_stencil(stencil: Stencil, step: int, *, periodic: bool) -> Stencil:
    """Make a stencil whose row i is row ``i + step`` of another one.

    Parameters
    ----------
    stencil : Stencil
        A stencil of a whole axis.
    step : int
        1 for the next point, -1 for the previous one.
    periodic : bool
        Whether the first and the last point are neighbours. Else the row beyond an end is the one
        at the end.
    """
    n = stencil.n
    masked = stencil.masked and neighbour_windows(stencil.masked, step)
    if periodic:
        interior = stencil.interior if stencil.uniform else np.roll(stencil.interior, -step, axis=1)
        return replace(stencil, offset=stencil.offset + step, interior=interior, masked=masked)
    # Rows whose neighbour is on the axis and in the interior; n may be smaller than the windows.
    first = min(max(stencil.first - step, -step, 0), n)
    last = max(min(stencil.last - step, n - max(step, 0)), first)
    interior = stencil.interior
    if not stencil.uniform:
        interior = interior[:, first + step - stencil.first : last + step - stencil.first]
    rows = np.r_[0:first, last:n]
    windows = [stencil.window(int(row)) for row in np.clip(rows + step, 0, n - 1)]
    widths = np.array([len(coefficients) + 1 for _, coefficients in windows], dtype=np.int64)
    boundary = np.zeros((len(rows), int(widths.max(initial=2)) - 1))
    for i, (_, coefficients) in enumerate(windows):
        boundary[i, : len(coefficients)] = coefficients
    return replace(
        stencil, first=first, last=last, offset=stencil.offset + step, interior=interior,
        boundary_rows=rows, boundary_starts=np.array([s for s, _ in windows], dtype=np.int64),
        boundary_widths=widths, boundary=boundary, masked=masked,
    )  # fmt: skip


def neighbour_windows(masked: MaskedStencil, step: int) -> MaskedStencil:
    """Make the windows of a neighbour, by the valid nodes next to a row's own.

    There is none where the neighbour is missing.
    """
    depth = masked.depth
    window_index = np.full((depth + 2, depth + 2), -1, dtype=np.int64)
    for before, after in np.ndindex(window_index.shape):
        counts = min(before + step, depth), min(after - step, depth)
        if min(counts) >= 0:
            window_index[before, after] = masked.window_index[counts]
    table = masked.table
    if table.shape[2] > 1:
        table = np.roll(table, -step, axis=2)
    return replace(
        masked, depth=depth + 1, window_index=window_index, starts=masked.starts + step, table=table
    )
