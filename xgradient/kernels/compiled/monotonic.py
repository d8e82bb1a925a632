"""Search NumPy arrays for positions that do not strictly increase or decrease."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..requests import Runner, slice_axis
from .layout import cache_blocks

#: Parts that the work is divided into for threads.
WORK_UNITS = 16


def find_non_monotonic(
    positions: NDArray[Any], axis: int, runner: Runner | None
) -> tuple[int, ...] | None:
    """Return the index of the first position in a column that repeats a value or turns back.

    A column may increase or decrease. Missing and infinite positions are skipped.

    Parameters
    ----------
    positions : ndarray
        Positions of any real dtype.
    axis : int
        The axis along which columns lie.
    runner : callable, optional
        Runs parts of the work; by default the calling thread does.
    """
    found: list[tuple[int, ...]] = []
    boxes = list(cache_blocks(positions.shape, axis))
    parts: list[Callable[[], None]] = [
        partial(_search_blocks, positions, axis, boxes[k::WORK_UNITS], found)
        for k in range(WORK_UNITS)
    ]
    if runner is None:
        for part in parts:
            part()
    else:
        runner(parts)
    return min(found, default=None)


def _search_blocks(
    positions: NDArray[Any],
    axis: int,
    boxes: Iterable[tuple[slice, ...]],
    found: list[tuple[int, ...]],
) -> None:
    """Append the index of the first such position in some boxes to a list."""
    n = positions.shape[axis]
    for box in boxes:
        part = positions[(*box[:axis], slice(None), *box[axis + 1 :])]
        before, after = slice_axis(part, axis, 0, n - 1), slice_axis(part, axis, 1, n)
        # Most often all columns have one direction, so it is enough to look for the other.
        if not ((after <= before).any() and (after >= before).any()):
            continue
        part = np.where(np.isfinite(part), part.astype(np.float64), np.nan)
        steps = np.diff(part, axis=axis)
        columns = np.argwhere((steps <= 0).any(axis) & (steps >= 0).any(axis))
        if len(columns):
            column = [int(i) for i in columns[0]]
            starts = [side.start for d, side in enumerate(box) if d != axis]
            node = _index_in_column(np.moveaxis(part, axis, -1)[tuple(column)])
            at = [i + start for i, start in zip(column, starts, strict=True)]
            found.append((*at[:axis], node, *at[axis:]))
            return


def _index_in_column(column: NDArray[Any]) -> int:
    """Return the index at which a column first repeats a value or turns back."""
    signs = np.sign(np.diff(column))
    first = signs[signs == signs][0]
    return int(np.argmax((signs == 0) | (signs == -first))) + 1
