"""Stencils between positions on cells: from centers to faces, back, or at one position."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..labels.positions import POSITIONS
from ..stencils.masked_points import make_masked_points
from ..stencils.nodes import Nodes, nodes_from_values, uniform_nodes
from ..stencils.point_stencil import WindowOrders, point_stencil, value_stencil
from ..stencils.points import Points, points_between
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .cell_axes import CellAxis
from .cell_measures import CellMeasures

Floats = NDArray[np.float64]

#: Rounding of positions relative to the length of an axis.
ROUNDING = 1e-13


class PositionStencil(NamedTuple):
    """Hold a stencil whose results are at another position of an axis.

    Attributes
    ----------
    stencil : Stencil
        One row for each result.
    values : Stencil
        The nearest values, to which an interpolation adds the differences of the stencil.
    missing : ndarray of bool
        True for results that have a neighbour on one side only.
    """

    stencil: Stencil
    values: Stencil
    missing: NDArray[np.bool_]


@dataclass(frozen=True)
class CellStencils:
    """Make the stencils of one call between positions on cells.

    Attributes
    ----------
    measures : CellMeasures
        The axes with their lengths.
    scheme : Scheme
        The order of accuracy, that of boundary rows, and whether missing values are skipped.
    conservative : bool
        True for differences of neighbours, False for derivatives by coordinates.
    """

    measures: CellMeasures
    scheme: Scheme
    conservative: bool

    @property
    def by_index(self) -> bool:
        """Return True for differences per step of an index."""
        return self.conservative or self.measures.by_index

    def nodes(self, dim: Hashable) -> Nodes:
        """Return the nodes of a dimension."""
        axis = self.measures.axis_of(dim)
        size = axis.size(axis.position(dim))
        if self.by_index:
            return uniform_nodes(size, 1.0, periodic=axis.periodic)
        cells, label = self.measures.line(dim), f"dimension {str(dim)!r}"
        points = cells.segments(axis.position(dim)).points
        period = abs(cells.period) if axis.periodic and cells.period is not None else False
        return nodes_from_values(points, label, period=period)

    def at_position(self, dim: Hashable) -> Stencil:
        """Return the stencil of a first derivative at the values themselves."""
        return self.scheme.with_deriv(1).stencil(self.nodes(dim), f"dimension {str(dim)!r}")

    def between(self, dim: Hashable, to: Hashable, deriv: int) -> PositionStencil:
        """Return the stencil of a derivative half a cell away.

        Parameters
        ----------
        dim : hashable
            The dimension of the values.
        to : hashable
            The dimension of the results, of the same axis.
        deriv : int
            1 for a derivative, 0 for an interpolation.
        """
        axis, nodes = self.measures.axis_of(dim), self.nodes(dim)
        here, there = axis.position(dim), axis.position(to)
        count = axis.size(there)
        first = -1 if POSITIONS[there][0] < POSITIONS[here][0] else 0
        orders = WindowOrders(deriv, self.scheme.accuracy, self.scheme.edge_order)
        orders.check_points(nodes, f"dimension {str(dim)!r}")
        points = points_between(nodes, first, count, None, 0.0)
        inside = (points.nodes >= 0) & (points.nodes <= nodes.n - 2) | bool(nodes.period)
        if not self.by_index:
            points = self._at_places(axis, nodes, points, inside, (here, there))
        homes = np.minimum(np.arange(count), nodes.n - 1)
        stencil = point_stencil(nodes, points, orders, homes)
        if self.scheme.skipna and deriv and not self.conservative:
            masked = make_masked_points(nodes, points, orders)
            stencil = replace(stencil, masked=masked, center=int(points.nodes[0]))
        values = value_stencil(nodes, points, homes)
        return PositionStencil(stencil, values, ~inside)

    def _at_places(
        self,
        axis: CellAxis,
        nodes: Nodes,
        middles: Points,
        inside: NDArray[np.bool_],
        places: tuple[str, str],
    ) -> Points:
        """Return points by their coordinates, in place of those in the middle of two nodes."""
        cells, (here, there) = self.measures.line(axis.names[0]), places
        offsets: Floats = cells.segments(there).points - cells.segments(here).points[0]
        offsets = offsets if nodes.step is None else offsets / nodes.step
        rounding = ROUNDING * float(np.abs(offsets).max(initial=1.0))
        off = np.abs(offsets - middles.positions)[inside]
        if bool((off <= rounding).all()):
            # Faces beyond the last center need not be as far as its neighbours.
            return middles._replace(positions=np.where(inside, middles.positions, offsets))
        first = int(middles.nodes[0])
        return points_between(nodes, first, len(offsets), offsets, rounding)
