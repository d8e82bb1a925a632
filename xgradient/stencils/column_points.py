"""Derivatives at points of columns that each have positions of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fornberg import fornberg_weights, to_difference_form
from .nodes import Nodes
from .point_stencil import WindowOrders, point_windows
from .points import Points

Floats = NDArray[np.float64]

#: Positions that are compared with points at once; limits temporary memory.
CELLS_AT_ONCE = 1 << 22
#: How far a point may be from a node, relative to the largest position, to be at the node.
ROUNDING = 8 * np.finfo(np.float64).eps


def column_derivatives(
    values: NDArray[Any], positions: NDArray[Any], at: NDArray[Any], orders: WindowOrders
) -> NDArray[Any]:
    """Differentiate columns at points, each by the polynomial through the nodes around it.

    Parameters
    ----------
    values : ndarray, shape (..., n)
        The field. Columns are along the last axis.
    positions : ndarray, shape (..., n)
        Positions of the nodes, which increase or decrease in each column.
    at : ndarray, shape (..., m)
        The points of each column. Leading dimensions broadcast.
    orders : WindowOrders
        The orders of the derivative and of its accuracy.

    Returns
    -------
    ndarray, shape (..., m)
        The derivatives, in the dtype of the field, or float64 for integers. They are missing more
        than half a step beyond the ends of a column, and where a window has a missing value.
    """
    dtype = np.result_type(values.dtype, np.float16 if values.dtype.kind in "fc" else np.float64)
    shape = np.broadcast_shapes(values.shape[:-1], positions.shape[:-1], at.shape[:-1])
    n, m = values.shape[-1], at.shape[-1]
    columns = [
        np.broadcast_to(array, (*shape, array.shape[-1])).reshape(-1, array.shape[-1])
        for array in (values, positions, at)
    ]
    result = np.empty((len(columns[0]), m), dtype)
    step = max(1, CELLS_AT_ONCE // max(n * m, 1))
    for start in range(0, len(result), step):
        part = slice(start, start + step)
        f, z, x = (column[part] for column in columns)
        with np.errstate(all="ignore"):  # of missing values, and of half floats that overflow
            result[part] = _differentiate(f, z.astype(np.float64), x.astype(np.float64), orders)
    return result.reshape(*shape, m)


def _differentiate(f: NDArray[Any], z: Floats, x: Floats, orders: WindowOrders) -> NDArray[Any]:
    """Differentiate a block of columns, along the last axis of each array."""
    n, m = z.shape[-1], x.shape[-1]
    points, outside = _locate(z, x)
    starts, widths = point_windows(Nodes(n, None, np.arange(n, dtype=np.float64)), points, orders)
    column = np.repeat(np.arange(len(z)), m)
    wide = np.complex128 if f.dtype.kind == "c" else np.float64
    result = np.full(x.size, np.nan, wide)
    for width in np.unique(widths[~outside]):
        rows = np.flatnonzero((widths == width) & ~outside)
        nodes = starts[rows] + np.arange(width)[:, None]
        own = z[column[rows], nodes]
        weights = fornberg_weights(own - x.ravel()[rows], np.zeros(len(rows)), orders.deriv)
        differences = np.diff(f[column[rows], nodes].astype(wide), axis=0)
        # At deriv=0 these are added to the value in the middle of the window.
        middle = f[column[rows], starts[rows] + (width - 1) // 2]
        total = middle.astype(wide) if orders.deriv == 0 else np.zeros(len(rows), wide)
        for coefficient, difference in zip(to_difference_form(weights), differences, strict=True):
            total += coefficient * difference
        result[rows] = total
    return result.reshape(x.shape)


def _locate(z: Floats, x: Floats) -> tuple[Points, NDArray[np.bool_]]:
    """Find the nodes that points lie between, and the points that are outside of their column."""
    n = z.shape[-1]
    falls = np.nansum(np.diff(z, axis=-1), axis=-1, keepdims=True) < 0
    z, x = np.where(falls, -z, z), np.where(falls, -x, x)
    known = np.isfinite(z)
    rounding = ROUNDING * np.max(np.where(known, np.abs(z), 0), axis=-1, keepdims=True)
    near = np.abs(z[:, None, :] - x[..., None]) <= rounding[..., None]
    on_node, nearest = near.any(-1), near.argmax(-1)
    low, high = z[:, None, :-1], z[:, None, 1:]
    between = (low <= x[..., None]) & (x[..., None] < high)
    inside, node = between.any(-1), between.argmax(-1)
    first, last = z[:, :1], z[:, -1:]
    before = (x < first) & (first - x <= (z[:, 1:2] - first) / 2)
    after = (x >= last) & (x - last <= (last - z[:, -2:-1]) / 2)
    node = np.where(before, -1, np.where(after, n - 1, node))
    node = np.where(on_node, nearest, node)
    around = (np.take_along_axis(z, np.clip(node + i, 0, n - 1), -1) for i in (0, 1))
    middle = sum(around, np.zeros(())) / 2
    in_middle = inside & ~on_node & (np.abs(x - middle) <= rounding)
    outside = ~(inside | on_node | before | after)
    number, at_node, halfway = (a.ravel() for a in (node, on_node, in_middle))
    return Points(np.zeros(x.size), number.astype(np.int64), at_node, halfway), outside.ravel()
