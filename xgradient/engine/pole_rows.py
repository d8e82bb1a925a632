"""Compute rows beyond a pole, and derivatives on it, for arrays of any library."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ..kernels import backend_of
from ..kernels.requests import slice_axis
from .terms import PolarFold, PoleValue


def rows_beyond_pole(
    cap: Any, axis: int, fold: PolarFold, end: int, cells: int, span: tuple[int, int] | None = None
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
    skip, near = fold.on_fold[end], cap.shape[axis]
    start = near - skip - cells if end else skip
    rows = slice_axis(cap, axis, start, start + cells)
    # Backwards by index: some kinds of arrays have no slices with a negative step.
    backend = backend_of(cap)
    rows = backend.concat(
        [slice_axis(rows, axis, k, k + 1) for k in range(cells - 1, -1, -1)], axis
    )
    around, n = fold.lon_axis, cap.shape[fold.lon_axis]
    first, last = (0, n) if span is None else span
    pieces: list[Any] = []
    at, left = (first + n // 2) % n, last - first
    while left or not pieces:  # a chunk may have no longitude at all
        here = min(left, n - at)
        pieces.append(slice_axis(rows, around, at, at + here))
        at, left = 0, left - here
    rows = backend.concat(pieces, around)
    return rows if fold.sign == 1 else backend.negative(rows)


def value_on_pole(cap: Any, term: PoleValue, end: int) -> Any:
    """The value of a term on a row that stands on a pole; see `PoleValue` for the formula."""
    axis, stencil = term.axis, term.rows[end]
    assert stencil is not None
    at = cap.shape[axis] - 1 if end else 0
    row, inner = (
        slice_axis(cap, axis, at, at + 1),
        slice_axis(cap, axis, 0, at) if end else slice_axis(cap, axis, 1, None),
    )
    early, late = stencil.depth
    outer = late if end else early
    folded = (
        rows_beyond_pole(cap, axis, term.fold, end, outer)
        if term.fold is not None and outer
        else None
    )
    before, after = (inner, folded) if end else (folded, inner)
    backend = backend_of(cap)
    d = backend.derivative(row, axis, stencil, before, after)
    total = term.value[end] * d
    if term.lon_axis is None:
        return total + term.mean[end] * d
    n = cap.shape[term.lon_axis]
    total = total + term.mean[end] / n * backend.sum_along(d, term.lon_axis)
    if term.azimuthal_derivative[end]:
        total = total + term.azimuthal_derivative[end] * _azimuthal_derivative(
            d, term.lon_axis, term.harmonic
        )
    return total


def _azimuthal_derivative(d: Any, axis: int, harmonic: int) -> Any:
    """The derivative round the globe, per radian, of the part with so many waves in it."""
    backend, n = backend_of(d), d.shape[axis]
    angle = harmonic * 2 * pi * np.arange(n) / n
    shape = tuple(n if k == axis else 1 for k in range(d.ndim))
    c, s = (wave(angle).reshape(shape) for wave in (np.cos, np.sin))
    # Of the part a cos + b sin, with a = 2/n Σ d cos and b = 2/n Σ d sin.
    a, b = (backend.sum_along(backend.multiply(d, wave), axis) for wave in (c, s))
    return 2 * harmonic / n * (backend.multiply(b, c) - backend.multiply(a, s))
