"""Points of an axis, and the nodes that they lie between."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .nodes import Nodes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PointsOutsideError(ValueError):
    """Points beyond the ends of an axis.

    Parameters
    ----------
    index : int
        The first of them.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"the point at index {index} is outside of the axis")
        self.index = index


class Points(NamedTuple):
    """Points of one axis, each with the nodes that it lies between.

    Attributes
    ----------
    positions : ndarray of float64, shape (m,)
        Positions from the first node on: in ticks of the nodes, or in steps of a uniform axis.
    nodes : ndarray of int64, shape (m,)
        The node at each point, or the last one before it. A point before the first node has -1.
    on_node : ndarray of bool, shape (m,)
        Whether a point is at its node, up to rounding.
    in_middle : ndarray of bool, shape (m,)
        Whether a point is in the middle of two nodes, up to rounding.
    """

    positions: Floats
    nodes: Ints
    on_node: NDArray[np.bool_]
    in_middle: NDArray[np.bool_]

    def order(self, nodes: Nodes) -> Ints:
        """Return the numbers of the points in ascending order of the nodes of their axis."""
        forwards = nodes.positions is None or nodes.positions[-1] >= nodes.positions[0]
        result: Ints = np.lexsort((self.positions if forwards else -self.positions, self.nodes))
        return result

    def take(self, numbers: Ints) -> Points:
        """Return some of the points."""
        positions, nodes, on_node, in_middle = self
        return Points(positions[numbers], nodes[numbers], on_node[numbers], in_middle[numbers])


def locate_points(nodes: Nodes, positions: Floats, rounding: float) -> Points:
    """Find the nodes that points of an axis lie between.

    Parameters
    ----------
    nodes : Nodes
        The axis. On a periodic one, points are first moved into the period.
    positions : ndarray of float64, shape (m,)
        The points, as in `Points`.
    rounding : float
        How far positions may be off by rounding, in the same units.

    Raises
    ------
    PointsOutsideError
        If a point is beyond an end of the axis by more than half of the step there.
    """
    x, period = positions, float(nodes.n)
    if nodes.positions is not None:
        period = nodes.period or 0.0
    if nodes.period is not None:
        whole = np.floor(x / period)
        x = x - whole * period
        x = np.where(np.abs(x - period) <= rounding, x - period, x)
    known = relative_positions(nodes)
    sign = 1.0 if len(known) < 2 or known[1] > known[0] else -1.0
    low, high = sign * known, sign * x
    # A point that misses a node by rounding is at this node.
    nearest = np.clip(np.searchsorted(low, high - rounding), 0, nodes.n - 1)
    on_node = np.abs(low[nearest] - high) <= rounding
    before = np.where(on_node, nearest, np.searchsorted(low, high, side="right") - 1)
    if nodes.period is None:
        _check_inside(low, high, rounding)
        ends = np.concatenate([low, low[-1:]])
    else:
        ends = np.concatenate([low, low[:1] + abs(period)])
    middle = (ends[before] + ends[np.minimum(before + 1, len(ends) - 1)]) / 2
    inside = (before >= 0) & (before + 1 < (nodes.n if nodes.period is None else nodes.n + 1))
    in_middle = inside & ~on_node & (np.abs(high - middle) <= rounding)
    at = np.where(on_node, low[nearest], np.where(in_middle, middle, high)) * sign
    return Points(at, before.astype(np.int64), on_node, in_middle)


def points_between(
    nodes: Nodes, first: int, count: int, positions: Floats | None, rounding: float
) -> Points:
    """Return one point between any two neighbouring nodes.

    Parameters
    ----------
    nodes : Nodes
        The axis, of at least two nodes.
    first : int
        The node before the first point: 0, or -1 for a point before the first node.
    count : int
        Number of points; the last may be beyond the last node.
    positions : ndarray of float64, shape (count,), or None
        The points, as in `Points`; by default the middles.
    rounding : float
        How far positions may be off by rounding, in the same units.

    Raises
    ------
    PointsOutsideError
        If a point is not between its nodes, or beyond the end.
    """
    known = relative_positions(nodes)
    before = first + np.arange(count)
    step = known[1] - known[0], known[-1] - known[-2]
    if nodes.period is not None:
        turn = float(nodes.n) if nodes.positions is None else nodes.period
        step = known[0] + turn - known[-1], known[0] + turn - known[-1]
    around = np.concatenate([[known[0] - step[0]], known, [known[-1] + step[1]]])
    middles = (around[before + 1] + around[before + 2]) / 2
    everywhere = np.ones(count, np.bool_)
    if positions is None:
        return Points(middles, before, ~everywhere, everywhere)
    # With one kind of window for all rows, missing values do not change the others.
    in_middle = everywhere & bool((np.abs(positions - middles) <= rounding).all())
    sides = np.stack([positions - around[before + 1], around[before + 2] - positions])
    sides *= np.sign(known[-1] - known[0])
    if nodes.period is None:  # faces of end cells may be farther away than their neighbours
        sides[0, before < 0] = sides[1, before > nodes.n - 2] = 1.0
    between = (sides > 0).all(axis=0)
    if not between.all():
        raise PointsOutsideError(int(np.argmin(between)))
    return Points(np.where(in_middle, middles, positions), before, ~everywhere, in_middle)


def relative_positions(nodes: Nodes) -> Floats:
    """Return the positions of the nodes from the first one on."""
    if nodes.positions is None:
        return np.arange(nodes.n, dtype=np.float64)
    relative: Floats = nodes.positions - nodes.positions[0]
    return relative


def _check_inside(low: Floats, high: Floats, rounding: float) -> None:
    """Refuse points that are more than half of the last step beyond an end."""
    steps = np.diff(low)
    before, after = (steps[0] / 2, steps[-1] / 2) if len(steps) else (0.0, 0.0)
    inside = (high >= low[0] - before - rounding) & (high <= low[-1] + after + rounding)
    if not inside.all():
        raise PointsOutsideError(int(np.argmin(inside)))
