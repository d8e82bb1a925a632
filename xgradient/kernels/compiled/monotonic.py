"""NumPy arrays: whether positions go on as they began, in every column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..requests import slice_axis
from .layout import cache_blocks

#: Parts that the work is cut into for threads.
WORK_UNITS = 16


def find_non_monotonic(
    positions: NDArray[Any], axis: int, runner: Callable[[list[Callable[[], None]]], None] | None
) -> tuple[int, ...] | None:
    """The index of the first position that repeats the one before it in its column or turns back.

    A column may increase or decrease; missing and infinite positions are left out.

    Parameters
    ----------
    positions : ndarray
        Positions of any real dtype.
    axis : int
        The axis along which columns lie.
    runner : callable, optional
        Runs parts of the work; without it they run in the calling thread.
    """
    found: list[tuple[int, ...]] = []
    every = list(cache_blocks(positions.shape, axis))
    parts: list[Callable[[], None]] = [
        partial(_search_blocks, positions, axis, every[k::WORK_UNITS], found)
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
    some: Iterable[tuple[slice, ...]],
    found: list[tuple[int, ...]],
) -> None:
    """Note the first such position in some boxes."""
    n = positions.shape[axis]
    for box in some:
        part = positions[(*box[:axis], slice(None), *box[axis + 1 :])]
        before, after = slice_axis(part, axis, 0, n - 1), slice_axis(part, axis, 1, n)
        # Most often all columns go the same way, so to look for the other one is enough.
        if not ((after <= before).any() and (after >= before).any()):
            continue
        part = np.where(np.isfinite(part), part.astype(np.float64), np.nan)
        ways = np.diff(part, axis=axis)
        columns = np.argwhere((ways <= 0).any(axis) & (ways >= 0).any(axis))
        if len(columns):
            near = [int(i) for i in columns[0]]
            starts = [side.start for d, side in enumerate(box) if d != axis]
            node = _index_in_column(np.moveaxis(part, axis, -1)[tuple(near)])
            at = [i + start for i, start in zip(near, starts, strict=True)]
            found.append((*at[:axis], node, *at[axis:]))
            return


def _index_in_column(column: NDArray[Any]) -> int:
    """Where a column first repeats a value or turns back."""
    ways = np.sign(np.diff(column))
    first = ways[ways == ways][0]
    return int(np.argmax((ways == 0) | (ways == -first))) + 1
