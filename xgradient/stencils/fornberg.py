"""Fornberg's weights, and their conversion to coefficients of differences of adjacent nodes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .nodes import Nodes

Floats = NDArray[np.float64]


class CoefficientTables(dict[np.dtype[Any], tuple[NDArray[Any], ...]]):
    """Tables of coefficients by dtype, converted on first use."""

    def __init__(self, *tables: NDArray[Any]) -> None:
        self._tables = tables

    def __reduce__(self) -> tuple[Any, ...]:
        return CoefficientTables, self._tables

    def __missing__(self, dtype: np.dtype[Any]) -> tuple[NDArray[Any], ...]:
        # numba compiles a second time for read-only arrays, which other processes may receive.
        tables = tuple(np.require(t, dtype, ["C", "ALIGNED", "WRITEABLE"]) for t in self._tables)
        self[dtype] = tables
        return tables


def fornberg_weights(nodes: NDArray[Any], at: NDArray[Any], deriv: int) -> NDArray[Any]:
    """Compute the weights of the ``deriv``-th derivative at one point of each window.

    Parameters
    ----------
    nodes : ndarray, shape (width, rows)
        The node positions of each window; float64, or objects with exact arithmetic.
    at : ndarray, shape (rows,)
        The point of each window at which to differentiate.
    deriv : int
        Order of the derivative, less than ``width``.

    Returns
    -------
    ndarray, shape (width, rows)
        Weights of the values at the nodes, of the dtype of ``nodes``.

    References
    ----------
    Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced grids.
    Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0
    """
    width = len(nodes)
    weights = np.zeros((deriv + 1, *nodes.shape), dtype=nodes.dtype)
    weights[0, 0] = 1
    scale = np.ones_like(at)
    distance = nodes[0] - at
    for i in range(1, width):
        product = np.ones_like(at)
        previous, distance = distance, nodes[i] - at
        for j in range(i):
            gap = nodes[i] - nodes[j]
            product = product * gap
            if j == i - 1:
                for k in range(min(i, deriv), -1, -1):
                    lower = k * weights[k - 1, j] if k else 0
                    weights[k, i] = scale * (lower - previous * weights[k, j]) / product
            for k in range(min(i, deriv), -1, -1):
                lower = k * weights[k - 1, j] if k else 0
                weights[k, j] = (distance * weights[k, j] - lower) / gap
        scale = product
    result: NDArray[Any] = weights[deriv]
    return result


def to_difference_form(weights: NDArray[Any]) -> NDArray[Any]:
    """Convert weights of nodes to coefficients of differences of adjacent nodes.

    Each half is summed from its own end, so that a mirrored window has mirrored coefficients.
    """
    half = (len(weights) - 1) // 2
    left = -np.cumsum(weights, axis=0)[:half]
    right = np.cumsum(weights[::-1], axis=0)[::-1][1 + half :]
    return np.concatenate([left, right])


@lru_cache(maxsize=512)
def unit_spacing_coefficients(width: int, position: int, deriv: int) -> tuple[float, ...]:
    """Compute difference coefficients for unit spacing, at the ``position``-th of ``width`` nodes.

    Rational arithmetic makes each coefficient the float nearest to the exact one.
    """
    nodes = np.array([[Fraction(k - position)] for k in range(width)], dtype=object)
    weights = fornberg_weights(nodes, np.array([Fraction(0)], dtype=object), deriv)
    return tuple(float(c) for c in to_difference_form(weights)[:, 0])


def window_coefficients(positions: Floats, at: Floats, deriv: int) -> Floats:
    """Compute difference coefficients for non-uniform windows, shape (width - 1, rows)."""
    # Without scaling, steps far from 1 would overflow the products of high derivatives.
    scale = np.abs(positions[-1] - positions[0]) / (len(positions) - 1)
    weights = fornberg_weights((positions - at) / scale, np.zeros_like(at), deriv)
    coefficients: Floats = to_difference_form(weights) / scale**deriv
    return coefficients


class Fit(Protocol):
    """Coefficients of the derivative of a function that is fitted to the nodes of a window."""

    @property
    def deriv(self) -> int:
        """The order of the derivative."""

    def unit_coefficients(self, width: int, position: int) -> tuple[float, ...]:
        """Compute difference coefficients for unit spacing, at one of the nodes."""

    def coefficients(self, positions: Floats, at: Floats) -> Floats:
        """Compute difference coefficients for non-uniform windows, shape (width - 1, rows)."""


class Interpolation(NamedTuple):
    """The polynomial through all nodes of a window, by Fornberg's weights."""

    deriv: int

    def unit_coefficients(self, width: int, position: int) -> tuple[float, ...]:
        """As in `Fit`."""
        return unit_spacing_coefficients(width, position, self.deriv)

    def coefficients(self, positions: Floats, at: Floats) -> Floats:
        """As in `Fit`."""
        return window_coefficients(positions, at, self.deriv)


def window_table(nodes: Nodes, rows: range, window: range, fit: Fit) -> Floats:
    """Compute the coefficients of rows whose windows have the same width and relative start.

    Parameters
    ----------
    nodes : Nodes
        The axis. Windows may reach beyond the ends of a periodic or mirrored axis.
    rows : range
        The rows.
    window : range
        The nodes of a row's window, relative to the row.
    fit : Fit
        What is fitted to the nodes of each window, and the order of its derivative.

    Returns
    -------
    ndarray, shape (width - 1, 1) or (width - 1, number of rows)
        One column if all rows share their coefficients.
    """
    start, width = window.start, len(window)
    first, last = rows.start, rows.stop
    if nodes.positions is None:
        assert nodes.step is not None
        unit = np.array(fit.unit_coefficients(width, -start))
        return np.asarray(unit / np.float64(nodes.step) ** fit.deriv)[:, None]
    if last <= first:
        return np.zeros((width - 1, 0))
    positions = nodes.positions
    if any(nodes.continues):
        before, after = nodes.ghost_positions(max(-start, start + width - 1))
        positions = np.concatenate([before, positions, after])
        first, last = first + len(before), last + len(before)
    table = np.empty((width - 1, last - first))
    for a in range(first, last, 65536):  # limits temporary memory
        b = min(a + 65536, last)
        windows = np.stack([positions[a + start + k : b + start + k] for k in range(width)])
        table[:, a - first : b - first] = fit.coefficients(windows, positions[a:b])
    return table * nodes.scale**fit.deriv
