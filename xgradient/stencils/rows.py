"""The rows of a stencil one by one: windows, orders of accuracy and positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .nodes import Nodes
from .scheme import Scheme
from .table import Stencil

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def stencil_rows(stencil: Stencil) -> tuple[Ints, Ints, Floats]:
    """Return the first node, the width and the coefficients of all rows."""
    widest = max(stencil.width, int(stencil.boundary_widths.max(initial=1)))
    inside = slice(stencil.first, stencil.last)
    start = np.arange(stencil.n) + stencil.offset
    width = np.full(stencil.n, stencil.width)
    coefficients = np.zeros((stencil.n, widest - 1))
    coefficients[inside, : stencil.width - 1] = stencil.interior.T
    start[stencil.boundary_rows] = stencil.boundary_starts
    width[stencil.boundary_rows] = stencil.boundary_widths
    n_coefficients = min(widest - 1, stencil.boundary.shape[1])
    coefficients[stencil.boundary_rows, :n_coefficients] = stencil.boundary[:, :n_coefficients]
    return start, width, coefficients


def row_orders(start: Ints, width: Ints, nodes: Nodes, scheme: Scheme) -> Ints:
    """Return the order of accuracy of each row.

    Symmetric windows on uniform axes cancel one term more of the error where it would be odd.
    """
    # The polynomial of a window has at least this degree, and is exact for those of this degree.
    degree = width - 1
    if scheme.smoothing is not None:  # in windows of few nodes it is lower
        degree = np.minimum(degree, scheme.smoothing.degree)
    orders = degree + 1 - scheme.deriv
    symmetric = 2 * (np.arange(len(start)) - start) == width - 1
    if nodes.step is not None:
        orders = orders + (symmetric & (orders % 2 == 1))
    return orders


def window_positions(nodes: Nodes, row: int, start: int, width: int) -> Floats:
    """Return the positions of the nodes of a window relative to its row."""
    window = np.arange(start, start + width)
    if nodes.positions is None:
        assert nodes.step is not None
        return (window - row) * np.float64(nodes.step)
    turns = 0.0 if nodes.period is None else (window // nodes.n) * nodes.period
    x: Floats = (nodes.positions[window % nodes.n] + turns - nodes.positions[row]) / nodes.scale
    return x


def cell_positions(nodes: Nodes, row: int, cells: Ints) -> Floats:
    """Return the positions of some nodes of an axis relative to a row."""
    if nodes.positions is None:
        assert nodes.step is not None
        return (cells - row) * np.float64(nodes.step)
    x: Floats = (nodes.positions[cells] - nodes.positions[row]) / nodes.scale
    return x
