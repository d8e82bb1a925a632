"""Least-squares polynomials over windows, as Savitzky and Golay have them on uniform axes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import factorial, lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .fornberg import to_difference_form

Floats = NDArray[np.float64]


class LeastSquares(NamedTuple):
    """The polynomial that is nearest to the values of a window, in the sense of least squares.

    Attributes
    ----------
    deriv : int
        Order of the derivative; 0 is the polynomial itself.
    degree : int
        Degree of the polynomial, at least ``deriv``; lower in windows of few nodes.
    tricube : bool
        True to weight nodes by (1 - u³)³, where u is the distance over that of the farthest node
        of the window, times (width - 1) / (width + 1).

    References
    ----------
    Savitzky, A. and Golay, M. J. E. (1964): Smoothing and differentiation of data by simplified
    least squares procedures. Anal. Chem. 36, 1627-1639, doi:10.1021/ac60214a047
    """

    deriv: int
    degree: int
    tricube: bool = False

    def unit_coefficients(self, width: int, position: int) -> tuple[float, ...]:
        """Compute difference coefficients for unit spacing, at one of the nodes."""
        return _unit_coefficients(width, position, *self)

    def coefficients(self, positions: Floats, at: Floats) -> Floats:
        """Compute difference coefficients for non-uniform windows, shape (width - 1, rows).

        Legendre polynomials are made orthogonal on the nodes, and their derivatives at the row's
        own node with them. With deriv=0 the value itself is to be added.
        """
        width, degree = len(positions), min(self.degree, len(positions) - 1)
        length = positions[-1] - positions[0]
        t = 2 * (positions - positions[0]) / length - 1
        center = 2 * (at - positions[0]) / length - 1
        roots = self._root_weights(positions - at)
        weights = np.zeros_like(positions)
        basis: list[tuple[Floats, Floats]] = []
        slopes = _legendre(center, degree, self.deriv)
        for polynomial, at_center in zip(_legendre(t, degree, 0), slopes, strict=True):
            values, slope = roots * polynomial, at_center
            for _ in range(2):  # the second time removes the rounding of the first
                for other, other_slope in basis:
                    part = (other * values).sum(axis=0)
                    values, slope = values - part * other, slope - part * other_slope
            norm = np.sqrt((values**2).sum(axis=0))
            basis.append((values / norm, slope / norm))
            weights += roots * basis[-1][0] * basis[-1][1]
        if not self.deriv:
            weights -= positions == at
        coefficients = to_difference_form(weights)
        assert len(coefficients) == width - 1
        scaled: Floats = coefficients * (2 / length) ** self.deriv
        return scaled

    def _root_weights(self, distances: Floats) -> Floats:
        """Return the roots of the weights of nodes by their distances."""
        if not self.tricube:
            return np.ones_like(distances)
        width, sizes = len(distances), np.abs(distances)
        u = sizes / sizes.max(axis=0) * ((width - 1) / (width + 1))
        return np.asarray((1 - u**3) ** 1.5)


def _legendre(t: Floats, degree: int, deriv: int) -> list[Floats]:
    """Compute the derivative of some order of the Legendre polynomials up to a degree."""
    zero = np.zeros_like(t)
    # For each degree the derivatives of order 0 to deriv.
    table = [[zero + 1.0, *(zero,) * deriv]]
    for k in range(degree):
        before = table[k - 1] if k else [zero] * (deriv + 1)
        by_order = []
        for d, value in enumerate(table[k]):
            product = t * value + (d * table[k][d - 1] if d else 0.0)
            by_order.append(((2 * k + 1) * product - k * before[d]) / (k + 1))
        table.append(by_order)
    return [by_order[deriv] for by_order in table]


@lru_cache(maxsize=4096)
def _unit_coefficients(
    width: int, position: int, deriv: int, degree: int, tricube: bool
) -> tuple[float, ...]:
    """Compute difference coefficients for unit spacing; each is the float nearest to the exact."""
    degree = min(degree, width - 1)
    nodes = range(-position, width - position)
    omega = [1] * width
    if tricube:
        farthest = max(position, width - 1 - position) * (width + 1)
        omega = [(farthest**3 - abs(z * (width - 1)) ** 3) ** 3 for z in nodes]
    moments = [sum(w * z**p for w, z in zip(omega, nodes, strict=True))
               for p in range(2 * degree + 1)]  # fmt: skip
    rows = [[Fraction(moments[i + j]) for j in range(degree + 1)] for i in range(degree + 1)]
    solution = _solve(rows, [Fraction(factorial(deriv) * (i == deriv)) for i in range(degree + 1)])
    # Whole numbers over one denominator are much faster than fractions.
    denominator = lcm(*(c.denominator for c in solution))
    numerators = [int(c * denominator) for c in solution]
    weights = [w * sum(c * z**p for p, c in enumerate(numerators))
               for w, z in zip(omega, nodes, strict=True)]  # fmt: skip
    if not deriv:
        weights[position] -= denominator
    return tuple(-total / denominator for total in list(accumulate(weights))[:-1])


def _solve(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Solve a symmetric positive definite system exactly, by Gaussian elimination."""
    n = len(right)
    for i in range(n):
        for j in range(i + 1, n):
            factor = rows[j][i] / rows[i][i]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
            right[j] -= factor * right[i]
    solution = [Fraction(0)] * n
    for i in reversed(range(n)):
        known = sum((rows[i][j] * solution[j] for j in range(i + 1, n)), Fraction(0))
        solution[i] = (right[i] - known) / rows[i][i]
    return solution
