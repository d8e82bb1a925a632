"""Integrals over the cells of an axis, of the polynomials through the nodes around each."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .assembly import assemble_stencil, interior_width
from .fornberg import fornberg_weights, to_difference_form
from .nodes import Nodes, nodes_from_values
from .table import Stencil

Floats = NDArray[np.float64]


class Cells(NamedTuple):
    """Hold points of one axis, each with the ends of its cell.

    Attributes
    ----------
    points, before, after : ndarray of float64, shape (n,)
        The points, and the ends of their cells in the direction of the index.
    period : float or None
        Signed length after which the axis repeats.
    """

    points: Floats
    before: Floats
    after: Floats
    period: float | None = None

    @property
    def lengths(self) -> Floats:
        """Return the lengths of the cells, negative where positions decrease."""
        return self.after - self.before


class CellIntegral(NamedTuple):
    """The integral over a cell of the polynomial through the nodes of a window.

    It is the value at the row's own node times the length of the cell, plus differences.

    Attributes
    ----------
    cells : Cells
        The cells of all nodes, in units of the axis from the first node on.
    deriv : int
        -1: coefficients are lengths.
    """

    cells: Cells
    deriv: int = -1

    def unit_coefficients(self, width: int, position: int) -> tuple[float, ...]:
        """Compute difference coefficients for unit spacing, and cells of length 1."""
        return _unit_coefficients(width, position)

    def coefficients(self, positions: Floats, at: Floats) -> Floats:
        """Compute difference coefficients for non-uniform windows, shape (width - 1, rows)."""
        points = self.cells.points
        sign = 1.0 if len(points) < 2 or points[-1] > points[0] else -1.0
        rows = np.searchsorted(sign * points, sign * at)
        width = len(positions)
        scale = np.abs(positions[-1] - positions[0]) / max(width - 1, 1)
        nodes = (positions - at) / scale
        ends = ((end[rows] - at) / scale for end in (self.cells.before, self.cells.after))
        weights = _integral_weights(nodes, *ends)
        own = np.argmax(positions == at, axis=0)
        lengths = (self.cells.lengths / 1.0)[rows] / scale
        weights[own, np.arange(len(at))] -= lengths
        result: Floats = to_difference_form(weights) * scale
        return result


def _integral_weights(nodes: NDArray, before: NDArray, after: NDArray) -> NDArray:  # type: ignore[type-arg]
    """Return the weights of integrals from ``before`` to ``after``, by the series at zero."""
    zero = before * 0
    weights = nodes * 0
    for d in range(len(nodes)):
        moment = (after ** (d + 1) - before ** (d + 1)) / factorial(d + 1)
        weights = weights + fornberg_weights(nodes, zero, d) * moment
    return weights


@lru_cache(maxsize=512)
def _unit_coefficients(width: int, position: int) -> tuple[float, ...]:
    """Compute difference coefficients for unit spacing; each is the float nearest to the exact."""
    nodes = np.array([[Fraction(k - position)] for k in range(width)], dtype=object)
    half = np.array([Fraction(1, 2)], dtype=object)
    weights = _integral_weights(nodes, -half, half)
    weights[position] -= 1
    return tuple(float(c) for c in to_difference_form(weights)[:, 0])


def cell_stencil(cells: Cells, accuracy: int, skipna: bool, label: str) -> Stencil:
    """Make the stencil of integrals over cells, without the values times the lengths of cells.

    Parameters
    ----------
    cells : Cells
        The cells.
    accuracy : int
        Order of accuracy of the integral over all cells, more than 2.
    skipna : bool
        Whether to add windows for rows next to missing values.
    label : str
        The dimension, for error messages.

    Returns
    -------
    Stencil
        A row for each cell. Its sum is to be added to the value times the length of the cell.

    Raises
    ------
    ValueError
        If there are fewer nodes than a window has.
    """
    nodes = _nodes(cells, label)
    # An integral is like a derivative of even order: symmetry gains an order on uniform axes.
    width = interior_width(0, accuracy, nodes.step is not None)
    needed = max(width, accuracy)
    if len(cells.points) < needed:
        raise ValueError(
            f"{label} has {len(cells.points)} points, but accuracy={accuracy} needs {needed} to "
            "integrate; lower it or take more points"
        )
    origin = cells.points[0]
    relative = Cells(*(part - origin for part in cells[:3]))
    with np.errstate(all="ignore"):
        return assemble_stencil(nodes, CellIntegral(relative), width // 2, accuracy, skipna)


def _nodes(cells: Cells, label: str) -> Nodes:
    """Return the nodes, which are uniform only if all cells are as long as the steps."""
    relative = cells.points - cells.points[0]
    period: float | bool = False if cells.period is None else abs(cells.period)
    nodes = nodes_from_values(relative, label, period=period)
    if nodes.step is not None:
        step = nodes.step
        sizes = np.stack([cells.points - cells.before, cells.after - cells.points])
        if np.abs(sizes - step / 2).max() <= 1e-12 * max(abs(step), np.abs(cells.points).max()):
            return nodes
        return Nodes(nodes.n, None, relative, cells.period)
    return nodes
