"""Stencils at points of an axis: windows of nodes around each point, and their coefficients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .assembly import interior_width
from .fornberg import unit_spacing_coefficients, window_coefficients
from .nodes import Nodes
from .points import Points, relative_positions
from .table import Stencil

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of non-uniform windows whose coefficients are computed at once; limits temporary memory.
ROWS_AT_ONCE = 65536


class WindowOrders(NamedTuple):
    """Orders that decide how many nodes the window of a point has.

    Attributes
    ----------
    deriv : int
        Order of the derivative; 0 interpolates.
    accuracy, edge_order : int
        Orders of accuracy in the interior and next to the ends.
    """

    deriv: int
    accuracy: int
    edge_order: int

    @property
    def boundary_width(self) -> int:
        """Number of nodes of a window next to an end."""
        return max(self.deriv + self.edge_order, 2)

    def check_points(self, nodes: Nodes, label: str) -> None:
        """Raise a ValueError for an axis with fewer nodes than a window has."""
        needed, where = self.boundary_width, ""
        if nodes.period is not None:
            uniform = nodes.step is not None
            needed, where = self.width_between(uniform, False), "on a periodic axis "
            needed = max(needed, self.width_at_node(uniform))
        if nodes.n < needed:
            deriv = f"deriv={self.deriv}, " if self.deriv else ""
            raise ValueError(
                f"{label} has {nodes.n} point{'' if nodes.n == 1 else 's'}, but "
                f"{deriv}accuracy={self.accuracy}, edge_order={self.edge_order} "
                f"between points {where}needs {needed}; lower them or take more points"
            )

    def width_at_node(self, uniform: bool) -> int:
        """Return the number of nodes of a window around a node: as for a derivative there."""
        return interior_width(self.deriv, self.accuracy, uniform) if self.deriv else 1

    def width_between(self, uniform: bool, in_middle: bool) -> int:
        """Return the number of nodes of a window around a point between nodes, which is even.

        A window of m nodes has order of accuracy m - deriv. In the middle of a uniform window odd
        derivatives gain one order by symmetry. So does the difference of any two nodes.
        """
        width = self.deriv + self.accuracy
        gains = uniform and self.deriv % 2 == 1
        if in_middle and (gains or (self.deriv, self.accuracy) == (1, 2)):
            width -= 1
        width = max(width, self.deriv + 1)
        return width + width % 2


def point_stencil(
    nodes: Nodes, points: Points, orders: WindowOrders, homes: Ints | None = None
) -> Stencil:
    """Make the stencil of one derivative at points of an axis, in ascending order of the nodes.

    A point at a node has the centred window of the derivative there. A point between two nodes
    has as many nodes on both sides. Next to an end, the window begins (ends) there and has
    ``deriv + edge_order`` nodes, or more if a centred one up to that end is wider.

    Parameters
    ----------
    nodes : Nodes
        The axis, with at least ``deriv + edge_order`` nodes, or a whole window if it is periodic.
    points : Points
        The points.
    orders : WindowOrders
        The orders of the derivative and of its accuracy.
    homes : ndarray of int64, shape (m,), optional
        The node in whose chunk each row is computed, ascending; by default that of the points.

    Returns
    -------
    Stencil
        One row for each point, with coefficients in units of the axis to the power ``-deriv``.
        Those of ``deriv=0`` are for the differences that are added to the value at the node
        before the point, which `value_stencil` gives.
    """
    starts, widths = point_windows(nodes, points, orders)
    homes = np.clip(points.nodes, 0, nodes.n - 1) if homes is None else homes
    kinds = _kinds(nodes, points, starts, widths)
    with np.errstate(all="ignore"):
        table = row_coefficients(nodes, points, starts, widths, orders.deriv)
    if orders.deriv == 0:
        add_to_value_at(table, starts, widths, _nodes_with_value(nodes, points))
    if not np.isfinite(table).all():
        raise ValueError(
            "the steps of the axis are too small or too large for this derivative in "
            "float64; rescale the coordinate or give spacing="
        )
    m = len(starts)
    first, last = _longest_run(kinds)
    width = int(widths[first])
    interior = table[first:last, : width - 1].T
    if nodes.positions is None:
        interior = interior[:, :1]
    rows = np.r_[0:first, last:m]
    boundary_width = int(widths[rows].max(initial=2))
    return Stencil(
        m, first, last, int(starts[first]) - first, np.ascontiguousarray(interior),
        rows, starts[rows], widths[rows], np.ascontiguousarray(table[rows, : boundary_width - 1]),
        homes=homes, cells=nodes.n,
    )  # fmt: skip


def value_stencil(nodes: Nodes, points: Points, homes: Ints | None = None) -> Stencil:
    """Make the stencil of the values that a stencil of ``deriv=0`` adds differences to.

    Parameters
    ----------
    nodes, points, homes
        As for `point_stencil`.

    Returns
    -------
    Stencil
        One row for each point: a window of one node, the one before the point.
    """
    starts = _nodes_with_value(nodes, points)
    homes = np.clip(points.nodes, 0, nodes.n - 1) if homes is None else homes
    m = len(starts)
    first, last = _longest_run((starts - np.arange(m)).astype(np.float64)[:, None])
    rows = np.r_[0:first, last:m]
    return Stencil(
        m, first, last, int(starts[first]) - first, np.zeros((0, 1)),
        rows, starts[rows], np.ones_like(rows), np.zeros((len(rows), 0)),
        homes=homes, cells=nodes.n,
    )  # fmt: skip


def add_to_value_at(table: Floats, starts: Ints, widths: Ints, values: Ints) -> None:
    """Change the coefficients of interpolations, so that they are added to the value at a node.

    Before, they are for the value in the middle of each window, as by `to_difference_form`.

    Parameters
    ----------
    table : ndarray of float64, shape (m, largest width - 1)
        The coefficients of each row, which are changed in place.
    starts, widths : ndarray of int64, shape (m,)
        The first node and the number of nodes of each window.
    values : ndarray of int64, shape (m,)
        A node of each window.
    """
    columns = np.arange(table.shape[1])
    own, middle = (values - starts)[:, None], ((widths - 1) // 2)[:, None]
    # The value in the middle is that at the node, plus the differences between them.
    table += ((own <= columns) & (columns < middle)).astype(np.float64)
    table -= ((middle <= columns) & (columns < own)).astype(np.float64)


def _nodes_with_value(nodes: Nodes, points: Points) -> Ints:
    """Return the node before each point, or the nearest one where the axis has none."""
    if nodes.period is not None:
        return points.nodes
    before: Ints = np.clip(points.nodes, 0, nodes.n - 1)
    return before


def point_windows(nodes: Nodes, points: Points, orders: WindowOrders) -> tuple[Ints, Ints]:
    """Return the first node of the window of each point, and its number of nodes."""
    uniform, n = nodes.positions is None, nodes.n
    between = [orders.width_between(uniform, middle) for middle in (False, True)]
    widths = np.where(points.in_middle, between[1], between[0])
    widths = np.where(points.on_node, orders.width_at_node(uniform), widths)
    starts = points.nodes - (widths - 1) // 2
    if nodes.period is not None:
        return starts, widths
    # How many nodes are on each side of a point; a node at the point itself is on neither.
    before = np.where(points.on_node, points.nodes, points.nodes + 1)
    after = n - 1 - points.nodes
    nearer, own = np.minimum(before, after), points.on_node.astype(np.int64)
    leaves = (starts < 0) | (starts + widths > n)
    one_sided = np.maximum(orders.boundary_width, 2 * nearer + own)
    widths = np.where(leaves, one_sided, widths)
    starts = np.where(leaves, np.where(before <= after, 0, n - widths), starts)
    return starts, widths


def _kinds(nodes: Nodes, points: Points, starts: Ints, widths: Ints) -> Floats:
    """Return numbers that are equal in rows that an interior of the stencil may hold."""
    rows = np.arange(len(starts))
    # Rows of a uniform axis share their coefficients.
    shared = points.positions - starts if nodes.positions is None else np.zeros(len(starts))
    return np.stack([starts - rows, widths, shared], axis=1).astype(np.float64)


def _longest_run(kinds: Floats) -> tuple[int, int]:
    """Return the longest range of equal rows."""
    changes = 1 + np.flatnonzero((kinds[1:] != kinds[:-1]).any(axis=1))
    bounds = np.concatenate([[0], changes, [len(kinds)]])
    longest = int(np.argmax(np.diff(bounds)))
    return int(bounds[longest]), int(bounds[longest + 1])


def row_coefficients(
    nodes: Nodes, points: Points, starts: Ints, widths: Ints, deriv: int
) -> Floats:
    """Return the coefficients of windows of points, with zeros after the last of each.

    Parameters
    ----------
    nodes, points : Nodes, Points
        The axis and m points.
    starts, widths : ndarray of int64, shape (m,)
        The first node and the number of nodes of each window.
    deriv : int
        Order of the derivative.
    """
    table = np.zeros((len(starts), max(int(widths.max()) - 1, 1)))
    for width in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == width)
        if nodes.positions is None:
            offsets = points.positions[rows] - starts[rows]
            table[rows, : width - 1] = _uniform_rows(offsets, width, deriv)
            table[rows] /= np.float64(nodes.step) ** deriv
            continue
        for a in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[a : a + ROWS_AT_ONCE]
            windows = _positions_of(nodes, starts[part] + np.arange(width)[:, None])
            weights = window_coefficients(windows, points.positions[part], deriv)
            table[part, : width - 1] = weights.T * nodes.scale**deriv
    return table


def _uniform_rows(offsets: Floats, width: int, deriv: int) -> Floats:
    """Return coefficients for unit steps, at points by their distance from the first node."""
    table = np.empty((len(offsets), width - 1))
    exact = np.rint(2 * offsets) == 2 * offsets
    for offset in np.unique(offsets[exact]).tolist():
        table[offsets == offset] = unit_spacing_coefficients(width, offset, deriv)
    others = offsets[~exact]
    windows = np.broadcast_to(np.arange(width, dtype=np.float64)[:, None], (width, len(others)))
    table[~exact] = window_coefficients(windows, others, deriv).T
    return table


def _positions_of(nodes: Nodes, numbers: Ints) -> Floats:
    """Return the positions of nodes, which may lie beyond the ends of a periodic axis."""
    assert nodes.positions is not None
    positions = relative_positions(nodes)
    if nodes.period is None:
        return positions[numbers]
    return positions[numbers % nodes.n] + numbers // nodes.n * nodes.period
