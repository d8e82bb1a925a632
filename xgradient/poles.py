"""What stands beyond a pole, and what derivatives are on it; for arrays of any kind."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from . import kernels
from .kernels import cut
from .terms import Fold, PoleTerm

__all__ = ["beyond", "on_pole"]


def beyond(
    cap: Any, axis: int, fold: Fold, end: int, cells: int, span: tuple[int, int] | None = None
) -> Any:
    """The rows beyond a pole: those of the opposite meridians, the nearest one next to the pole.

    Parameters
    ----------
    cap : array
        The rows nearest to the pole, the pole's own included, all round the globe.
    axis : int
        The axis of latitudes.
    fold : Fold
        How it continues.
    end : int
        0 for the pole before the first row, 1 for the one after the last.
    cells : int
        How many rows.
    span : tuple of int, optional
        The longitudes wanted, as a range of their axis; all by default.
    """
    skip, near = fold.skips[end], cap.shape[axis]
    start = near - skip - cells if end else skip
    rows = cut(cap, axis, start, start + cells)
    # Backwards by index: some kinds of arrays have no slices with a negative step.
    rows = kernels.join([cut(rows, axis, k, k + 1) for k in range(cells - 1, -1, -1)], axis)
    around, n = fold.around, cap.shape[fold.around]
    first, last = (0, n) if span is None else span
    pieces: list[Any] = []
    at, left = (first + n // 2) % n, last - first
    while left or not pieces:  # a chunk may have no longitude at all
        here = min(left, n - at)
        pieces.append(cut(rows, around, at, at + here))
        at, left = 0, left - here
    rows = kernels.join(pieces, around)
    return rows if fold.sign == 1 else kernels.negative(rows)


def on_pole(cap: Any, term: PoleTerm, end: int) -> Any:
    """The value of a term on a row that stands on a pole; see `PoleTerm` for the formula."""
    axis, stencil = term.axis, term.rows[end]
    assert stencil is not None
    at = cap.shape[axis] - 1 if end else 0
    row, inner = (
        cut(cap, axis, at, at + 1),
        cut(cap, axis, 0, at) if end else cut(cap, axis, 1, None),
    )
    early, late = stencil.reach
    outer = late if end else early
    folded = beyond(cap, axis, term.fold, end, outer) if term.fold is not None and outer else None
    before, after = (inner, folded) if end else (folded, inner)
    d = kernels.derivative(row, axis, stencil, before, after)
    total = term.keep[end] * d
    if term.around is None:
        return total + term.mean[end] * d
    n = cap.shape[term.around]
    total = total + term.mean[end] / n * kernels.total(d, term.around)
    if term.turn[end]:
        total = total + term.turn[end] * _slope(d, term.around, term.harmonic)
    return total


def _slope(d: Any, axis: int, harmonic: int) -> Any:
    """The derivative round the globe, per radian, of the part with so many waves in it."""
    n = d.shape[axis]
    angle = harmonic * 2 * pi * np.arange(n) / n
    shape = tuple(n if k == axis else 1 for k in range(d.ndim))
    c, s = (wave(angle).reshape(shape) for wave in (np.cos, np.sin))
    # Of the part a cos + b sin, with a = 2/n Σ d cos and b = 2/n Σ d sin.
    a, b = (kernels.total(kernels.times(d, wave), axis) for wave in (c, s))
    return 2 * harmonic / n * (kernels.times(b, c) - kernels.times(a, s))
