"""Fornberg's weights, and how they become coefficients of differences of adjacent nodes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nodes import Nodes

Floats = NDArray[np.float64]


class CoefficientTables(dict[np.dtype[Any], tuple[NDArray[Any], ...]]):
    """Tables of coefficients in each dtype that they have been asked for."""

    def __init__(self, *tables: NDArray[Any]) -> None:
        self._tables = tables

    def __reduce__(self) -> tuple[Any, ...]:
        return CoefficientTables, self._tables  # the others are made anew where they are asked for

    def __missing__(self, dtype: np.dtype[Any]) -> tuple[NDArray[Any], ...]:
        # Writeable, too: for read-only ones, as other processes get them, numba compiles apart.
        made = tuple(np.require(t, dtype, ["C", "ALIGNED", "WRITEABLE"]) for t in self._tables)
        self[dtype] = made
        return made


def fornberg_weights(nodes: NDArray[Any], at: NDArray[Any], deriv: int) -> NDArray[Any]:
    """Weights of the ``deriv``-th derivative at a point, for any nodes, many windows at once.

    Parameters
    ----------
    nodes : ndarray, shape (width, rows)
        The node positions of each window; float64, or objects with exact arithmetic.
    at : ndarray, shape (rows,)
        Where the derivative is wanted.
    deriv : int
        Order of the derivative, less than ``width``.

    Returns
    -------
    ndarray, shape (width, rows)
        Weights of the node values, of the dtype of ``nodes``.

    References
    ----------
    Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced grids.
    Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0
    """
    width = len(nodes)
    weights = np.zeros((deriv + 1, *nodes.shape), dtype=nodes.dtype)
    weights[0, 0] = 1
    scale = np.ones_like(at)
    away = nodes[0] - at
    for i in range(1, width):
        product = np.ones_like(at)
        away_before, away = away, nodes[i] - at
        for j in range(i):
            gap = nodes[i] - nodes[j]
            product = product * gap
            if j == i - 1:
                for k in range(min(i, deriv), -1, -1):
                    lower = k * weights[k - 1, j] if k else 0
                    weights[k, i] = scale * (lower - away_before * weights[k, j]) / product
            for k in range(min(i, deriv), -1, -1):
                lower = k * weights[k - 1, j] if k else 0
                weights[k, j] = (away * weights[k, j] - lower) / gap
        scale = product
    wanted: NDArray[Any] = weights[deriv]
    return wanted


def to_difference_form(weights: NDArray[Any]) -> NDArray[Any]:
    """Weights of nodes to coefficients of adjacent differences, summed from the nearer end.

    Summing each half from its own end makes the form of a mirrored window the mirrored form.
    """
    half = (len(weights) - 1) // 2
    left = -np.cumsum(weights, axis=0)[:half]
    right = np.cumsum(weights[::-1], axis=0)[::-1][1 + half :]
    return np.concatenate([left, right])


@lru_cache(maxsize=512)
def unit_spacing_coefficients(width: int, position: int, deriv: int) -> tuple[float, ...]:
    """Difference coefficients on nodes one apart, at the ``position``-th of ``width`` nodes.

    Built in rational arithmetic, so that each coefficient is the float nearest to the exact one.
    """
    nodes = np.array([[Fraction(k - position)] for k in range(width)], dtype=object)
    weights = fornberg_weights(nodes, np.array([Fraction(0)], dtype=object), deriv)
    return tuple(float(c) for c in to_difference_form(weights)[:, 0])


def window_coefficients(positions: Floats, at: Floats, deriv: int) -> Floats:
    """Difference coefficients for windows of any nodes, shape (width - 1, rows)."""
    # Coordinates far from one (seconds, say) would overflow the products of high derivatives.
    scale = np.abs(positions[-1] - positions[0]) / (len(positions) - 1)
    weights = fornberg_weights((positions - at) / scale, np.zeros_like(at), deriv)
    coefficients: Floats = to_difference_form(weights) / scale**deriv
    return coefficients


def window_table(nodes: Nodes, first: int, last: int, start: int, width: int, deriv: int) -> Floats:
    """Coefficients of the rows from ``first`` to ``last``, whose windows are alike.

    Parameters
    ----------
    nodes : Nodes
        The axis. A window may leave it if it closes on itself.
    first, last : int
        The rows, a half-open range.
    start, width : int
        The first node of a row's window, relative to the row, and how many it has.
    deriv : int
        Order of the derivative.

    Returns
    -------
    ndarray, shape (width - 1, 1) or (width - 1, last - first)
        One column if all rows share their coefficients.
    """
    if nodes.positions is None:
        assert nodes.step is not None
        unit = np.array(unit_spacing_coefficients(width, -start, deriv))
        return np.asarray(unit / np.float64(nodes.step) ** deriv)[:, None]
    if last <= first:
        return np.zeros((width - 1, 0))
    positions = nodes.positions
    if nodes.has_neighbours_beyond_ends:
        cells = max(-start, start + width - 1)
        before, after = nodes.ghost_positions(cells)
        positions = np.concatenate([before, positions, after])
        first, last = first + cells, last + cells
    table = np.empty((width - 1, last - first))
    for a in range(first, last, 65536):  # bounds the scratch memory of a long axis
        b = min(a + 65536, last)
        windows = np.stack([positions[a + start + k : b + start + k] for k in range(width)])
        table[:, a - first : b - first] = window_coefficients(windows, positions[a:b], deriv)
    return table * nodes.scale**deriv
