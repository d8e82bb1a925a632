"""Compute ghost cells: those beyond the ends of an axis, which follow from the cells before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels import backend_of
from ..kernels.requests import slice_axis


@dataclass(frozen=True, eq=False)
class Mirror:
    """How an axis continues beyond one end: ``sign × mirrored cell + shift``.

    Attributes
    ----------
    on_wall : int
        1 if the last cell lies on the wall, and so is not repeated; else 0.
    sign : int
        1 or -1; 0 repeats the last cell instead.
    shift : ndarray of float64, optional
        Added to the mirrored cells. It broadcasts against the field. Along the axis it has one
        value, or one for each cell from the wall outwards.
    """

    on_wall: int
    sign: int
    shift: Any = None


@dataclass(frozen=True, eq=False)
class Walls:
    """How an axis continues beyond its ends; None for an end at which it stops."""

    ends: tuple[Mirror | None, Mirror | None]

    @property
    def on_fold(self) -> tuple[int, int]:
        """1 where the first or the last cell lies on the wall, else 0."""
        first, last = (0 if mirror is None else mirror.on_wall for mirror in self.ends)
        return first, last


def mirrored_cells(cells: Any, axis: int, end: int, on_wall: int, count: int) -> Any:
    """Return the cells nearest to an end in the opposite order, without one on the wall."""
    start = cells.shape[axis] - on_wall - count if end else on_wall
    cells = slice_axis(cells, axis, start, start + count)
    # Cell by cell: some array libraries have no slices with a negative step.
    backwards = [slice_axis(cells, axis, k, k + 1) for k in range(count - 1, -1, -1)]
    return backend_of(cells).concat(backwards, axis)


def ghost_cells(cells: Any, axis: int, mirror: Mirror, end: int, count: int) -> Any:
    """Return ghost cells in the order of the axis.

    Parameters
    ----------
    cells : array
        The cells nearest to the end.
    axis : int
        The axis.
    mirror : Mirror
        The continuation beyond the end.
    end : int
        0 for the end before the first cell, 1 for the one after the last.
    count : int
        Number of ghost cells.
    """
    backend, n = backend_of(cells), cells.shape[axis]
    if not mirror.sign:
        last = slice_axis(cells, axis, n - 1, n) if end else slice_axis(cells, axis, 0, 1)
        return backend.concat([last] * count, axis)
    ghosts = mirrored_cells(cells, axis, end, mirror.on_wall, count)
    if mirror.sign < 0:
        ghosts = backend.negative(ghosts)
    if mirror.shift is None:
        return ghosts
    shift = slice_axis(mirror.shift, axis, 0, count)
    return backend.shifted(ghosts, shift if end else np.flip(shift, axis))
