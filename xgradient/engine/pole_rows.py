"""Compute rows beyond a pole, and derivatives on it, for arrays of any library."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ..kernels import backend_of
from ..kernels.requests import TermRequest, slice_axis
from .ghost_cells import mirrored_cells
from .terms import PolarFold, PoleValue


def rows_beyond_pole(
    cap: Any,
    axis: int,
    fold: PolarFold,
    end: int,
    cells: int,
    lon_range: tuple[int, int] | None = None,
) -> Any:
    """Return the rows beyond a pole, on the opposite meridians, the nearest one next to the pole.

    Parameters
    ----------
    cap : array
        The rows nearest to the pole at all longitudes, with a row on the pole if there is one.
    axis : int
        The axis of latitudes.
    fold : PolarFold
        The continuation of the axis across the poles.
    end : int
        0 for the pole before the first row, 1 for the one after the last.
    cells : int
        Number of rows.
    lon_range : tuple of int, optional
        Range of the axis of longitudes to return; all by default.
    """
    backend, rows = backend_of(cap), mirrored_cells(cap, axis, end, fold.on_fold[end], cells)
    lon_axis, n_lon = fold.lon_axis, cap.shape[fold.lon_axis]
    first, last = (0, n_lon) if lon_range is None else lon_range
    pieces: list[Any] = []
    lon, remaining = (first + n_lon // 2) % n_lon, last - first
    while remaining or not pieces:  # a chunk may have no longitude at all
        length = min(remaining, n_lon - lon)
        pieces.append(slice_axis(rows, lon_axis, lon, lon + length))
        lon, remaining = 0, remaining - length
    rows = backend.concat(pieces, lon_axis)
    return rows if fold.sign == 1 else backend.negative(rows)


def value_on_pole(cap: Any, term: PoleValue, end: int) -> Any:
    """Return the value of a term on a row on a pole; see `PoleValue` for the formula."""
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
    d = backend.derivative(TermRequest(row, axis, stencil, before, after))
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
    """Differentiate the part with ``harmonic`` waves around the globe, per radian."""
    backend, n = backend_of(d), d.shape[axis]
    angle = harmonic * 2 * pi * np.arange(n) / n
    shape = tuple(n if k == axis else 1 for k in range(d.ndim))
    c, s = (wave(angle).reshape(shape) for wave in (np.cos, np.sin))
    # Of the part a cos + b sin, with a = 2/n Σ d cos and b = 2/n Σ d sin.
    a, b = (backend.sum_along(backend.multiply(d, wave), axis) for wave in (c, s))
    return 2 * harmonic / n * (backend.multiply(b, c) - backend.multiply(a, s))
