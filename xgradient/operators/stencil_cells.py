"""The cells that the rows of a stencil read: those beyond an end follow from those before it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.ghost_cells import Mirror, Walls

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class TableEnds(NamedTuple):
    """The boundary conditions of a table.

    Attributes
    ----------
    walls : Walls or None
        How the axis continues beyond its ends; None if it does not.
    text : str
        The conditions at both ends in words.
    """

    walls: Walls | None
    text: str


class RowCells(NamedTuple):
    """The cells of the axis that each row of a table reads, with their weights.

    Attributes
    ----------
    used : ndarray of bool, shape (n, window)
        Whether a row has a node at this place of its window.
    cells : ndarray of int64, shape (n, window)
        The cell of the axis at each place; a cell may occur twice.
    weights : ndarray of float64, shape (n, window)
        The weights of these cells.
    constants : ndarray of float64, shape (n,)
        What values and slopes at the ends add to each row.
    """

    used: NDArray[np.bool_]
    cells: Ints
    weights: Floats
    constants: Floats

    def dense_row(self, row: int) -> Floats:
        """Return the weights of all cells in one row."""
        used = self.used[row]
        row_weights = np.zeros(len(self.constants))
        np.add.at(row_weights, self.cells[row, used], self.weights[row, used])
        return row_weights

    def noise_gain(self) -> Floats:
        """Return the root of the sum of the squared weights of each row."""
        gain = np.sqrt((np.where(self.used, self.weights, 0.0) ** 2).sum(axis=1))
        for row in np.flatnonzero(self._repeats()).tolist():
            gain[row] = np.sqrt((self.dense_row(row) ** 2).sum())
        return np.asarray(gain)

    def _repeats(self) -> NDArray[np.bool_]:
        """Return for each row whether it has a cell twice."""
        unused = -1 - np.arange(self.cells.shape[1])
        cells = np.sort(np.where(self.used, self.cells, unused), axis=1)
        return np.asarray((cells[:, 1:] == cells[:, :-1]).any(axis=1))


def row_cells(start: Ints, width: Ints, weights: Floats, walls: Walls | None) -> RowCells:
    """Return the cells that rows read.

    Parameters
    ----------
    start, width : ndarray of int64, shape (n,)
        The first node and the number of nodes of each row; nodes beyond the ends are ghost cells.
    weights : ndarray of float64, shape (n, window)
        The weights of the nodes.
    walls : Walls, optional
        How the axis continues; without it the axis is periodic, where rows leave it.
    """
    n, window = weights.shape
    offsets = np.arange(window)
    used, nodes = offsets < width[:, None], start[:, None] + offsets
    constants = np.zeros(n)
    if walls is None:
        return RowCells(used, nodes % n, weights, constants)
    cells, signed = nodes.copy(), weights.copy()
    for end, mirror in enumerate(walls.ends):
        # How far beyond the end, from 1 on; other nodes are at 0 or before.
        beyond = np.where(used, nodes - n + 1 if end else -nodes, 0)
        at = beyond > 0
        if mirror is None or not at.any():
            continue
        inwards = (beyond[at] - 1 + mirror.on_wall) * (mirror.sign != 0)
        cells[at] = n - 1 - inwards if end else inwards
        signed[at] *= mirror.sign or 1
        if mirror.shift is not None:
            parts = np.zeros_like(weights)
            parts[at] = weights[at] * _shifts(mirror)[np.minimum(beyond[at], mirror.shift.size) - 1]
            constants += parts.sum(axis=1)
    return RowCells(used, cells, signed, constants)


def _shifts(mirror: Mirror) -> Floats:
    return np.asarray(mirror.shift, dtype=np.float64).ravel()


def scalar_of(variable: Any) -> Floats:
    """Return the value of a condition, which is a number, as an array of one."""
    return np.atleast_1d(np.asarray(variable.values, dtype=np.float64))
