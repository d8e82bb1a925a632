"""Sums of weighted cells of NumPy arrays: those of `cell_sums`, row by row, in little memory.

Rows lie across the axis of the sums. If they are short, sums are made along lines by
``add.accumulate``, which adds in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Cells of a row from which rows are added one by one.
MIN_ROW_CELLS = 64


class Rows:
    """The terms of a sum, row by row.

    Parameters
    ----------
    array : ndarray
        The cells.
    weights : ndarray of float64 or None
        Weights that broadcast against the cells; None for 1.
    axis : int
        The axis of the sums.
    reverse : bool
        True to take the negative terms, from the last one on.
    """

    def __init__(self, array: Array, weights: Array | None, axis: int, reverse: bool) -> None:
        step = -1 if reverse else 1
        self.cells = _rows_first(array, axis)[::step]
        self._weights = None
        if weights is not None:
            moved = np.ascontiguousarray(np.moveaxis(weights * step, axis, 0))
            self._weights = np.broadcast_to(moved, (len(self.cells), *moved.shape[1:]))[::step]
        elif reverse:
            self._weights = np.full((len(self.cells), *(1,) * (array.ndim - 1)), -1.0)
        self.dtype = np.result_type(array.dtype, np.float64)
        self._term = np.empty(self.cells.shape[1:], self.dtype)

    def __len__(self) -> int:
        return len(self.cells)

    def term(self, k: int, valid: Array | None = None) -> Array:
        """Return a term, 0 where it is not valid; the next call writes over it."""
        self._term[...] = self.cells[k]  # faster than to convert in the product
        if self._weights is not None:
            self._term *= self._weights[k]
        if valid is not None:
            np.copyto(self._term, 0, where=~valid)
        return self._term

    def valid(self, k: int) -> Array:
        """Return where a cell is valid."""
        return np.asarray(self.cells[k] == self.cells[k])

    def all_terms(self, skipna: bool) -> tuple[Array, Array | None]:
        """Return all terms, and where they are valid."""
        terms = self.cells.astype(self.dtype)
        if self._weights is not None:
            terms *= self._weights
        if not skipna:
            return terms, None
        valid = np.asarray(self.cells == self.cells)
        terms[~valid] = 0
        return terms, valid


def total(rows: Rows, before: Array, found: Array | None) -> tuple[Array, Array | None]:
    """Return the sum of rows and of those before them, and whether any is valid.

    Parameters
    ----------
    rows : Rows
        The rows.
    before : ndarray
        The sum of the rows before them.
    found : ndarray of bool or None
        Whether any cell before them is valid; None to add missing cells, too.
    """
    if before.size < MIN_ROW_CELLS:
        terms, valid = rows.all_terms(found is not None)
        every = np.concatenate([before[None], terms])
        if valid is not None and found is not None:
            found = found | valid.any(axis=0)
        np.add.accumulate(every, 0, out=every)
        return every[-1].copy(), found
    sums = before.copy()
    for k in range(len(rows)):
        valid = None
        if found is not None:
            valid = rows.valid(k)
            found = found | valid
        sums += rows.term(k, valid)
    return sums, found


def running(rows: Rows, before: Array, write: Callable[[int, Array], None]) -> Array:
    """Return the sum of all rows, and write the sum before each row and after the last one."""
    if before.size < MIN_ROW_CELLS:
        every = np.concatenate([before[None], rows.all_terms(False)[0]])
        np.add.accumulate(every, 0, out=every)
        for k in range(0, len(every), 1 << 12):
            write(k, every[k : k + (1 << 12)])
        last: Array = every[-1].copy()
        return last
    sums = before.copy()
    write(0, sums[None])
    for k in range(len(rows)):
        sums += rows.term(k)
        write(k + 1, sums[None])
    return sums


def running_in_runs(
    rows: Rows, before: Array, alive: Array, following: Array, write: Callable[[int, Array], None]
) -> tuple[Array, Array]:
    """Write running sums that begin anew after each gap, and return the state after the last row.

    Parameters
    ----------
    rows : Rows
        The rows.
    before, alive : ndarray
        The sum of the run before the first row, and whether there is one.
    following : ndarray of bool
        Whether the row after the last one is valid.
    write : callable
        Takes the number of a result, and results from this one on: before each row and after the
        last one. They are missing between two gaps.
    """
    if before.size < MIN_ROW_CELLS <= len(rows):
        terms, valid = rows.all_terms(True)
        assert valid is not None
        ahead = np.broadcast_to(following, before.shape)
        lines = [
            a.reshape(len(a), -1) for a in (terms, valid, before[None], alive[None], ahead[None])
        ]
        sums, last, is_alive = _along_lines(lines)
        write(0, sums.reshape(len(sums), *before.shape))
        return last.reshape(before.shape), is_alive.reshape(before.shape)
    sums, missing = np.where(alive, before, 0), np.array(np.nan, before.dtype)
    for k in range(len(rows)):
        valid = rows.valid(k)
        write(k, np.where(alive | valid, sums, missing)[None])
        sums = np.where(valid, sums + rows.term(k, valid), 0)
        alive = valid
    write(len(rows), np.where(alive | following, sums, missing)[None])
    return sums, alive


def _along_lines(lines: list[Array]) -> tuple[Array, Array, Array]:
    """Return the results of `running_in_runs` run by run, along the first axis.

    The lines are the terms, whether they are valid, and the state before and after them.
    """
    terms, valid, before, alive, following = lines
    n, columns = terms.shape
    sums = np.full((n + 1, columns), np.nan, terms.dtype)
    last, is_alive = np.zeros_like(before), valid[-1:].copy()
    for j in range(columns):
        steps = np.diff(np.concatenate([[False], valid[:, j], [False]]).astype(np.int8))
        firsts, stops = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
        if alive[0, j]:
            sums[0, j] = before[0, j]
        for first, stop in zip(firsts, stops, strict=True):
            begin = before[0, j] if first == 0 and alive[0, j] else 0
            run = np.concatenate([[begin], terms[first:stop, j]])
            sums[first : stop + 1, j] = np.add.accumulate(run)
        if valid[-1, j]:
            last[0, j] = sums[-1, j]
        elif following[0, j]:
            sums[-1, j] = 0
    return sums, last, is_alive


def _rows_first(array: Array, axis: int) -> Array:
    """Return an array with an axis first, copied where its rows are not contiguous."""
    moved = np.moveaxis(array, axis, 0)
    is_last = array.ndim > 1 and abs(array.strides[axis]) <= array.itemsize
    return np.ascontiguousarray(moved) if is_last else moved
