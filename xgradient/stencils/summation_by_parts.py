"""Summation by parts: first derivatives and integrals on uniform axes that belong together.

With the diagonal matrix H of an integral and the matrix D of a derivative, H D + (H D)ᵀ is
diag(-1, 0, …, 0, 1), as integration by parts has it. So the integral of a derivative is the
difference of the values at both ends.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .nodes import Nodes
from .table import Stencil

#: Orders of accuracy in the interior.
ORDERS = (2, 4, 6, 8)
#: Elements of H D, by row and column from 0, that the conditions leave free. They are those of
#: Mattsson, Svärd and Shoeybi (2008, doi:10.1016/j.jcp.2007.12.018), for small errors next to the
#: ends. With those of Mattsson and Nordström (2004) the largest weight of order 8 is 130.
FREE = {
    6: {(4, 5): Fraction("0.701286470875851587333086517673")},
    8: {
        (5, 6): Fraction("0.661282080953417195700585722659"),
        (5, 7): Fraction("-0.112005654280990871731852012024"),
        (6, 7): Fraction("0.758"),
    },
}


class Boundary(NamedTuple):
    """Hold the rows next to the first point, for unit spacing.

    Attributes
    ----------
    norm : list of Fraction
        The diagonal of H; it is 1 in further rows.
    rows : list of list of Fraction
        The weights of D, from the first point on.
    """

    norm: list[Fraction]
    rows: list[list[Fraction]]


@lru_cache(maxsize=4)
def interior_weights(order: int) -> tuple[Fraction, ...]:
    """Return the weights of the points after a row's own one; those before are the negatives."""
    m = order // 2
    return tuple(
        Fraction((-1) ** (k + 1) * factorial(m) ** 2, k * factorial(m - k) * factorial(m + k))
        for k in range(1, m + 1)
    )


@lru_cache(maxsize=4)
def boundary_rows(order: int) -> Boundary:
    """Solve the conditions of the rows next to an end, in exact rationals.

    There are as many rows as ``order``, but 1 of order 2. Their derivatives are exact for
    polynomials up to degree ``order / 2``, and H D is antisymmetric but for its first element.
    These are linear equations for the elements of H and H D. They leave none free at order 2 and
    4, one at order 6 and three at order 8.

    References
    ----------
    Mattsson, K. and Nordström, J. (2004): Summation by parts operators for finite difference
    approximations of second derivatives. J. Comput. Phys. 199, 503-540,
    doi:10.1016/j.jcp.2004.03.001
    """
    n = 1 if order == 2 else order
    inner, width = interior_weights(order), n + order // 2
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    # Elements of H have the pairs (i, i), and those of H D the others.
    unknown = {(i, i): i for i in range(n)} | {pair: n + k for k, pair in enumerate(pairs)}
    equations = [
        _equation(i, power, n, unknown, inner) for i in range(n) for power in range(order // 2 + 1)
    ]
    for pair, value in FREE.get(order, {}).items():
        row = [Fraction(0)] * (len(unknown) + 1)
        row[unknown[pair]], row[-1] = Fraction(1), value
        equations.append(row)
    solution = _solve(equations, len(unknown))
    norm = solution[:n]
    rows = []
    for i in range(n):
        row = [Fraction(0)] * width
        for j in range(width):
            if j < n and i != j:
                sign = 1 if i < j else -1
                row[j] = sign * solution[unknown[min(i, j), max(i, j)]]
            elif j >= n and 0 < j - i <= len(inner):
                row[j] = inner[j - i - 1]
        row[0] -= Fraction(1, 2) if i == 0 else 0
        rows.append([value / norm[i] for value in row])
    return Boundary(norm, rows)


def _equation(
    i: int, power: int, n: int, unknown: dict[tuple[int, int], int], inner: tuple[Fraction, ...]
) -> list[Fraction]:
    """Return the equation of row i for the power of a polynomial, and its right side.

    The row of H D applied to x^k is the element of H times k x^(k-1); x are whole numbers.
    """
    row = [Fraction(0)] * (len(unknown) + 1)

    def value(x: int, k: int) -> Fraction:
        return Fraction(x**k) if k > 0 or (x == 0 and k == 0) else Fraction(int(k == 0))

    for j in range(n):
        if j != i:
            sign = 1 if i < j else -1
            row[unknown[min(i, j), max(i, j)]] += sign * value(j, power)
    for k, weight in enumerate(inner, 1):
        if i + k >= n:
            row[-1] -= weight * value(i + k, power)
    if i == 0:
        row[-1] += Fraction(1, 2) * value(0, power)
    if power:
        row[unknown[i, i]] -= power * value(i, power - 1)
    return row


def _solve(equations: list[list[Fraction]], n: int) -> list[Fraction]:
    """Solve consistent linear equations, each with its right side, for n unknowns."""
    rows = [list(row) for row in equations]
    done = 0
    for column in range(n):
        pivot = next((r for r in range(done, len(rows)) if rows[r][column]), None)
        assert pivot is not None, "the conditions leave an element free"
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for r, row in enumerate(rows):
            if r != done and row[column]:
                rows[r] = [a - row[column] * b for a, b in zip(row, rows[done], strict=True)]
        done += 1
    assert not any(row[n] for row in rows[done:]), "the conditions contradict each other"
    return [row[n] for row in rows[:n]]


def norm(n: int, order: int) -> NDArray[np.float64]:
    """Return the diagonal of H for n points of unit spacing."""
    weights, ends = np.ones(n), [float(value) for value in boundary_rows(order).norm]
    weights[: len(ends)] = ends
    weights[n - len(ends) :] = ends[::-1]
    return weights


def needed_points(order: int) -> int:
    """Return the smallest number of points of an axis: the rows of both ends, side by side."""
    return 2 * len(boundary_rows(order).norm) if order > 2 else 2


def sbp_stencil(nodes: Nodes, order: int) -> Stencil:
    """Make the stencil of D on a uniform axis with at least `needed_points`."""
    table, n = boundary_rows(order), nodes.n
    count, half = len(table.norm), order // 2
    inner = interior_weights(order)
    centred = [*(-w for w in reversed(inner)), Fraction(0), *inner]
    width = max(len(row) for row in table.rows)
    first, last = count, n - count
    boundary = np.zeros((2 * count, width - 1))
    for i, row in enumerate(table.rows):
        differences = np.array([float(c) for c in _differences(row)])
        boundary[i] = differences
        boundary[2 * count - 1 - i] = differences[::-1]
    step = np.float64(nodes.step)
    interior = np.array([float(c) for c in _differences(centred)])[:, None]
    rows = np.r_[0:first, last:n]
    starts = np.where(rows < first, 0, n - width)
    return Stencil(
        n, first, last, -half, interior / step, rows, starts,
        np.full(2 * count, width), boundary / step,
    )  # fmt: skip


def _differences(weights: list[Fraction]) -> list[Fraction]:
    """Return weights of values as coefficients of the differences of adjacent ones."""
    total, result = Fraction(0), []
    for weight in weights[:-1]:
        total -= weight
        result.append(total)
    return result
