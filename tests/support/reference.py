"""Derivatives slow and obvious, in exact rational arithmetic, sharing no line with the package.

A stencil's weights solve the Taylor conditions: sum over j of w[j] (x[j] - x)**k is deriv! for
k = deriv and 0 for all smaller and larger k that the window can hold. Here they are solved as they
stand, by Gaussian elimination over fractions, for every point by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Any

import numpy as np

__all__ = [
    "along",
    "coastal",
    "derivative",
    "differences",
    "relative_error_of_steps",
    "weights",
    "window",
]


@lru_cache(maxsize=4096)
def weights(nodes: tuple[Fraction, ...], at: Fraction, deriv: int) -> tuple[Fraction, ...]:
    """Weights of the values at ``nodes`` in the ``deriv``-th derivative at ``at``: exact."""
    n = len(nodes)
    rows = []
    for power in range(n):
        row = [(node - at) ** power for node in nodes]
        row.append(Fraction(factorial(deriv) if power == deriv else 0))
        rows.append(row)
    for i in range(n):
        pivot = next(r for r in range(i, n) if rows[r][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(n):
            if r != i and rows[r][i] != 0:
                rows[r] = [a - rows[r][i] * b for a, b in zip(rows[r], rows[i], strict=True)]
    return tuple(row[n] for row in rows)


def differences(of_values: Sequence[Fraction]) -> list[Fraction]:
    """Weights of values as coefficients of the differences of adjacent values: exact."""
    return [-sum(of_values[: k + 1], Fraction(0)) for k in range(len(of_values) - 1)]


def window(
    i: int,
    n: int,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    uniform: bool = False,
    periodic: bool = False,
) -> range:
    """The nodes that make the derivative at node ``i``, by the rules of the documentation.

    Inside, as many nodes to the left as to the right: the fewest that reach the accuracy, which
    on even nodes is one fewer for even derivatives. Next to an end, ``deriv + edge_order`` nodes
    from the end on, or all that are needed to reach as far inward as outward.
    """
    if edge_order is None:
        edge_order = 1 if accuracy == 2 else accuracy
    side = 1
    while 2 * side + 1 < deriv + accuracy - (1 if uniform and deriv % 2 == 0 else 0):
        side += 1
    if periodic or side <= i < n - side:
        return range(i - side, i + side + 1)
    to_end = min(i, n - 1 - i)
    count = max(deriv + edge_order, 2 * to_end + 1)
    return range(count) if i <= n - 1 - i else range(n - count, n)


def derivative(
    values: Sequence[Any],
    positions: Sequence[Any] | float,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    period: Any = None,
    uniform: bool | None = None,
) -> list[Any]:
    """The derivative of one line of values, point by point.

    ``positions`` are the nodes, or the step between them. Values, positions and period may be
    numbers of any kind; they are taken exactly. A ``period`` is signed as the nodes run. Whether
    the nodes count as ``uniform`` is given, or told from their exact differences.
    """
    n = len(values)
    if np.ndim(positions) == 0:
        nodes = [k * Fraction(positions) for k in range(n)]
    else:
        nodes = [_exact(x) for x in positions]
    period = None if period is None else _exact(period)
    if uniform is None:
        steps = {b - a for a, b in itertools.pairwise(nodes)}
        if period is not None:
            steps.add(nodes[0] + period - nodes[-1])
        uniform = len(steps) == 1
    result = []
    for i in range(n):
        found = window(
            i,
            n,
            deriv=deriv,
            accuracy=accuracy,
            edge_order=edge_order,
            uniform=uniform,
            periodic=period is not None,
        )
        # Relative to the point itself, so that even nodes have their weights looked up.
        near = tuple(nodes[j % n] + (j // n) * (period or 0) - nodes[i] for j in found)
        result.append(_dot(weights(near, Fraction(0), deriv), [values[j % n] for j in found]))
    return result


def along(field: Any, positions: Any, axis: int, **order: Any) -> np.ndarray:
    """`derivative` of every line of an array along one axis, as float64 or complex128."""
    field = np.asarray(field)
    lines = np.moveaxis(field, axis, -1)
    result = np.empty(lines.shape, np.complex128 if field.dtype.kind == "c" else np.float64)
    for at in np.ndindex(lines.shape[:-1]):
        result[at] = derivative(lines[at].tolist(), positions, **order)
    return np.moveaxis(result, -1, axis)


def _dot(factors: Sequence[Fraction], values: Sequence[Any]) -> Any:
    """Sum of products, rounded once at the end."""
    if any(isinstance(v, complex | np.complexfloating) for v in values):
        parts: list[Callable[[Any], Any]] = [lambda v: v.real, lambda v: v.imag]
        return complex(*(_dot(factors, [part(v) for v in values]) for part in parts))
    if not all(np.isfinite(float(v)) for v in values):
        return float("nan")
    return float(sum((f * _exact(v) for f, v in zip(factors, values, strict=True)), Fraction(0)))


def _exact(value: Any) -> Fraction:
    """A number as a fraction, without rounding."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, np.longdouble):
        high = float(value)  # two doubles hold every digit of a long double
        return Fraction(high) + Fraction(float(value - np.longdouble(high)))
    return Fraction(value.item() if isinstance(value, np.generic) else value)


def coastal(
    values: Sequence[Any],
    positions: Sequence[Any],
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    period: Any = None,
    uniform: bool = False,
) -> list[float]:
    """The derivative of one line of real values with gaps: each run of values is an axis.

    From every valid value on the way goes left and right as long as values are valid, round the
    seam of a periodic line; the run so found has the windows of an axis of its own, cut off where
    it is shorter. What has no window is missing.
    """
    n = len(values)
    order = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order, "uniform": uniform}
    nodes = [_exact(x) for x in positions]
    period = None if period is None else _exact(period)

    def valid(j: int) -> bool:
        return (period is not None or 0 <= j < n) and values[j % n] == values[j % n]

    result = []
    for i in range(n):
        first = last = i
        while valid(i) and valid(first - 1) and i - first < 2 * n:
            first -= 1
        while valid(i) and valid(last + 1) and last - i < 2 * n:
            last += 1
        length = last - first + 1
        if not valid(i) or length <= deriv:
            result.append(float("nan"))
            continue
        inside = window(i - first, length, **order)
        found = range(first + max(inside[0], 0), first + min(inside[-1] + 1, length))
        near = tuple(nodes[j % n] + (j // n) * (period or 0) - nodes[i] for j in found)
        result.append(_dot(weights(near, Fraction(0), deriv), [values[j % n] for j in found]))
    return result


def relative_error_of_steps(nodes, exact_steps) -> float:
    """Largest relative error of the steps that nodes have, against exact ones."""
    if nodes.positions is None:
        steps = np.full(nodes.n - 1, nodes.step)
    else:
        steps = np.diff(nodes.positions) / nodes.scale
    exact = np.array([float(s) for s in exact_steps])
    return float(np.abs(steps / exact - 1).max())
