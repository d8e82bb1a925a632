"""Windows next to missing values for points between nodes."""

from __future__ import annotations

import numpy as np

from .masked import UNBOUNDED, Floats, MaskedStencil, stack_windows
from .nodes import Nodes
from .point_stencil import WindowOrders, add_to_value_at, row_coefficients
from .points import Points


def make_masked_points(nodes: Nodes, points: Points, orders: WindowOrders) -> MaskedStencil:
    """Make the windows of one derivative between any two neighbouring nodes.

    A row's own node is the one before its point. A row has a window if the nodes on both sides of
    the point are valid. With enough valid nodes on both sides it is that of the interior. Else it
    begins (ends) at the nearer end of the run of valid nodes and has ``deriv + edge_order``
    nodes, or more if a window with as many nodes on both sides is wider. A shorter run is used
    whole.

    Parameters
    ----------
    nodes : Nodes
        The axis.
    points : Points
        One point between any two neighbouring nodes, in the order of the nodes.
    orders : WindowOrders
        The orders of the derivative and of its accuracy.
    """
    uniform = nodes.positions is None
    full = orders.width_between(uniform, bool(points.in_middle.all()))
    depth = max(full // 2, orders.boundary_width - 1)
    window_index = np.full((depth + 1, depth + 1), -1, dtype=np.int64)
    windows: dict[tuple[int, int], int] = {}
    for before, after in np.ndindex(window_index.shape):
        nearer = min(before + 1, after)
        start, width = 1 - full // 2, full
        if nearer < full // 2:
            width = min(max(orders.boundary_width, 2 * nearer), before + 1 + after)
            start = -before if before < after else after - width + 1
        if after and width > max(orders.deriv, 1):
            window_index[before, after] = windows.setdefault((start, width), len(windows))
    rows = [_window_rows(nodes, points, *window, orders.deriv) for window in windows]
    starts, widths = [start for start, _ in windows], [width for _, width in windows]
    low, high = (-UNBOUNDED, UNBOUNDED) if nodes.period is not None else (0, nodes.n)
    return MaskedStencil(depth, low, high, window_index, *stack_windows(starts, widths, rows))


def _window_rows(nodes: Nodes, points: Points, start: int, width: int, deriv: int) -> Floats:
    """Return the coefficients of one window, one column if all rows share them."""
    count = len(points.nodes)
    starts = points.nodes + start
    inside = np.ones(count, np.bool_)
    if nodes.period is None:
        inside = (starts >= 0) & (starts + width <= nodes.n)
    table = np.zeros((width - 1, count))
    rows = np.flatnonzero(inside)
    if len(rows):
        some = points.take(rows)
        widths = np.full(len(rows), width)
        coefficients = row_coefficients(nodes, some, starts[rows], widths, deriv)
        if deriv == 0:
            add_to_value_at(coefficients, starts[rows], widths, points.nodes[rows])
        table[:, rows] = coefficients.T
    if nodes.positions is None and points.in_middle.all():
        table = table[:, rows[:1]] if len(rows) else table[:, :1]
    return table
