"""Windows of one length on a non-uniform axis: each row has the nodes within half the length."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .cache import MAX_CACHED_NODES
from .least_squares import LeastSquares
from .nodes import Nodes
from .smoothing import WindowLength
from .table import Stencil

#: Relative rounding of a distance that is half the length.
ROUNDING = 1e-9


def make_length_stencil(
    nodes: Nodes, length: WindowLength, fit: LeastSquares, label: str
) -> Stencil:
    """Make the stencil of polynomials that are fitted to windows of one length.

    A row has the nodes at most half the length away, on both sides if there are any. A row with few
    nodes has a lower degree.

    Parameters
    ----------
    nodes : Nodes
        A non-uniform axis.
    length : WindowLength
        The length of the windows.
    fit : LeastSquares
        The derivative, and the degree of the polynomials.
    label : str
        The dimension, for error messages.

    Raises
    ------
    ValueError
        If a window has too few nodes for the derivative, or is longer than the axis.
    """
    if nodes.n > MAX_CACHED_NODES:
        return _length_stencil(nodes, length, fit, label)
    return _cached_length_stencil(nodes, length, fit, label)


def _length_stencil(nodes: Nodes, length: WindowLength, fit: LeastSquares, label: str) -> Stencil:
    positions, n_before = _with_ghosts(nodes)
    own = positions[n_before : n_before + nodes.n]
    starts, widths = _windows(positions, own, length.half * nodes.scale * (1 + ROUNDING))
    _check_widths(widths, nodes.n, length, fit, label)
    boundary = np.zeros((nodes.n, int(widths.max()) - 1))
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width)
        window = positions[starts[rows] + np.arange(width)[:, None]]
        coefficients = fit.coefficients(window, own[rows]) * nodes.scale**fit.deriv
        boundary[rows, : width - 1] = coefficients.T
    # All rows have windows of their own, so none is an interior row.
    stencil = Stencil(
        nodes.n, 0, 0, 0, np.zeros((1, 0)), np.arange(nodes.n), starts - n_before, widths, boundary
    )
    return stencil.with_missing_ends(nodes.missing_ends) if any(nodes.missing_ends) else stencil


# As other stencils, which cost more than to apply them to a short axis.
_cached_length_stencil = lru_cache(maxsize=64)(_length_stencil)


def _with_ghosts(nodes: Nodes) -> tuple[NDArray[np.float64], int]:
    """Return the positions of an axis with those beyond its ends, and how many come before."""
    assert nodes.positions is not None
    if not any(nodes.continues):
        return nodes.positions, 0
    before, after = nodes.ghost_positions(nodes.n)
    return np.concatenate([before, nodes.positions, after]), len(before)


def _windows(
    positions: NDArray[np.float64], centers: NDArray[np.float64], half: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first node and the number of nodes at most ``half`` away from each center."""
    sign = 1.0 if positions[-1] > positions[0] else -1.0
    starts = np.searchsorted(sign * positions, sign * centers - half, "left")
    stops = np.searchsorted(sign * positions, sign * centers + half, "right")
    return starts.astype(np.int64), (stops - starts).astype(np.int64)


def _check_widths(
    widths: NDArray[np.int64], n: int, length: WindowLength, fit: LeastSquares, label: str
) -> None:
    needed = max(fit.deriv + 1, 2)
    row, has = int(widths.argmin()), int(widths.min())
    if has < needed:
        points = f"{has} point{'' if has == 1 else 's'}"
        raise ValueError(
            f"smooth has a window of {length.text!r}, which holds {points} of {label} at index "
            f"{row}, but deriv={fit.deriv} needs {needed}; give a longer one or a number of points"
        )
    if widths.max() > n:
        raise ValueError(
            f"smooth has a window of {length.text!r}, which is longer than {label}; give a shorter "
            "one or a number of points"
        )
