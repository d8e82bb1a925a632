"""Grids whose coordinates have two dimensions, and the operators on them.

Along the dimensions of such a grid there are only indices. Weights made of the positions of grid
points combine index derivatives into derivatives along two directions, east and north or x and y.
East and north rotate from point to point. Vectors are therefore differentiated by their Cartesian
components, which are smooth wherever the vector is.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import xarray as xr

from ..engine.chunked import device_context
from .direction_weights import DirectionWeights
from .expression import DerivativeTerm, Expression
from .grid import Grid
from .grid_axis import Coefficient, HorizontalDirection
from .metric_terms import HESSIAN_PAIRS


@final
@dataclass(frozen=True, eq=False)
class CurvilinearGrid(Grid):
    """A grid of which some axes are directions on a surface. Poles are points like others.

    Attributes
    ----------
    axes : tuple of GridAxis or HorizontalDirection
        The axes that the call names.
    weights : DirectionWeights
        Weights of index derivatives in derivatives along both directions.
    """

    weights: DirectionWeights
    _cartesian: dict[Hashable, list[Expression]] = field(default_factory=dict)

    def for_fields(self, fields: list[xr.DataArray]) -> tuple[CurvilinearGrid, list[xr.DataArray]]:
        """Return the grid with weights for these fields, and fields missing where positions are."""
        with device_context(fields[0].variable.data):
            weights, fields = self.weights.for_fields(fields, self.cyclic)
        grid = self if weights is self.weights else replace(self, weights=weights, _cartesian={})
        return grid, fields

    def gradient(self, i: int, field: int | Expression = 0) -> Expression:
        """Return the derivative of a field along axis i."""
        grid_axis = self.axes[i]
        if isinstance(grid_axis, HorizontalDirection):
            return Expression(tuple(self._directional_terms(grid_axis.component, field)))
        return Expression((DerivativeTerm(field, grid_axis, 1, 1.0),))

    def derivative(self, i: int, deriv: int) -> Expression:
        """Return the derivative of some order along axis i.

        Raises
        ------
        ValueError
            If the order is above 1 along a coordinate of two dimensions.
        """
        grid_axis = self.axes[i]
        if deriv == 1:
            return self.gradient(i)
        if isinstance(grid_axis, HorizontalDirection):
            raise ValueError(
                f"deriv is {deriv} along {str(grid_axis.axis.name)!r}, which has 2 dimensions; "
                "along such coordinates there are first derivatives, and .hessian has all second "
                "ones"
            )
        return Expression((DerivativeTerm(0, grid_axis, deriv, 1.0),))

    def laplacian(self, factors: Sequence[float]) -> Expression:
        """Return the sum of the second derivatives along all axes, times factors.

        Raises
        ------
        ValueError
            If only one of two directions is among the axes.
        """
        directions = [a for a in self.axes if isinstance(a, HorizontalDirection)]
        if len(directions) == 1:
            raise ValueError(
                f"a Laplacian along {str(directions[0].axis.name)!r}, which has 2 dimensions, "
                "takes the other coordinate of the grid, too; name both"
            )
        total = Expression(())
        for i, factor in enumerate(factors):
            total += self.hessian(i, i) * factor
        return total

    def divergence(self, factors: Sequence[float]) -> Expression:
        """Return the divergence of a vector whose components are times factors."""
        total = Expression(())
        for i, factor in enumerate(factors):
            if not self.axes[i].is_curved:
                total += self.gradient(i, i) * factor
        if any(grid_axis.is_curved for grid_axis in self.axes):
            # Where directions rotate, one component has a divergence along the other direction.
            for component in (0, 1):
                total += self._tensor_component(component, component, factors)
        return total

    def curl(self, i: int, j: int, factors: tuple[float, float]) -> Expression:
        """Return the component of the curl that is right-handed to axes i and j."""
        pair = self._rotating_pair(i, j)
        if not pair:
            return self.gradient(i, j) * factors[0] - self.gradient(j, i) * factors[1]
        a, b = pair
        scales = [{i: factors[1], j: factors[0]}.get(k, 1.0) for k in range(len(self.axes))]
        return self._tensor_component(b, a, scales) - self._tensor_component(a, b, scales)

    def jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i along axis j."""
        if pair := self._rotating_pair(i, j):
            return self._tensor_component(*pair, [1.0] * len(self.axes))
        return self.gradient(j, i)

    def hessian(self, i: int, j: int) -> Expression:
        """Return the second derivative of a scalar along axes i and j."""
        a, b = self.axes[i], self.axes[j]
        if isinstance(a, HorizontalDirection) and isinstance(b, HorizontalDirection):
            return self._second_derivative(a.component, b.component)
        if i == j:
            return self.derivative(i, 2)
        if isinstance(b, HorizontalDirection):
            # Along the surface first: missing values are then those of the field.
            i, j = j, i
        return self.gradient(j, self.gradient(i))

    def _directional_terms(
        self, component: int, source: int | Expression, factor: Coefficient = 1.0
    ) -> list[DerivativeTerm]:
        """Return terms of the derivative of an array along a direction, times a factor."""
        fields = [source] if isinstance(source, int) else [t.field for t in source.terms]
        weights = self.weights.gradient([f for f in fields if isinstance(f, int)])[component]
        if not isinstance(factor, float):
            weights = [weight * factor for weight in weights]
        return self._index_terms(source, weights, interior_only=True)

    def _second_derivative(self, a: int, b: int) -> Expression:
        """Return the second derivative of the first array along two directions."""
        pair = min(a, b), max(a, b)
        *weights, mixed = self.weights.hessian()[HESSIAN_PAIRS.index(pair)]
        i, j = self.weights.index_axes
        by_i, by_j = (Expression((DerivativeTerm(0, index, 1, 1.0),)) for index in (i, j))
        both = DerivativeTerm(by_i, j, 1, mixed), DerivativeTerm(by_j, i, 1, mixed)
        return Expression((*self._index_terms(0, weights, interior_only=False), *both))

    def _index_terms(
        self, source: int | Expression, weights: list[xr.Variable], interior_only: bool
    ) -> list[DerivativeTerm]:
        """Return first and, for four weights, second derivatives along both indices."""
        i, j = self.weights.index_axes
        kinds = [(i, 1, False), (j, 1, False), (i, 2, interior_only), (j, 2, interior_only)]
        return [
            DerivativeTerm(source, index, deriv, weight, interior)
            for (index, deriv, interior), weight in zip(kinds, weights, strict=False)
        ]

    @property
    def _unit_vectors(self) -> tuple[tuple[xr.Variable, ...], tuple[xr.Variable, ...]]:
        """Cartesian components of the unit vectors to the east and to the north."""
        positions = self.weights.current_positions
        return positions.east, positions.north

    def _cartesian_components(self, factors: Sequence[float]) -> list[Expression]:
        """Return the Cartesian components of a vector whose components are times factors."""
        key = tuple(factors)
        if key not in self._cartesian:
            terms: list[list[DerivativeTerm]] = [[], [], []]
            for i, (grid_axis, factor) in enumerate(zip(self.axes, factors, strict=True)):
                if isinstance(grid_axis, HorizontalDirection):
                    for c, unit in enumerate(self._unit_vectors[grid_axis.component]):
                        index = self.weights.index_axes[0]
                        terms[c].append(DerivativeTerm(i, index, 0, unit * factor))
            self._cartesian[key] = [Expression(tuple(component)) for component in terms]
        return self._cartesian[key]

    def _rotating_pair(self, i: int, j: int) -> tuple[int, int] | None:
        """Return the directions of two axes if both rotate from point to point."""
        a, b = self.axes[i], self.axes[j]
        if (
            isinstance(a, HorizontalDirection)
            and isinstance(b, HorizontalDirection)
            and a.is_curved
            and b.is_curved
        ):
            return a.component, b.component
        return None

    def _tensor_component(self, a: int, b: int, factors: Sequence[float]) -> Expression:
        """Return component a of the derivative of a vector along direction b."""
        pairs = zip(self._unit_vectors[a], self._cartesian_components(factors), strict=False)
        # An eastward vector alone has no component along the axis of the globe.
        pairs_with_terms = [(unit, component) for unit, component in pairs if component.terms]
        terms = [t for unit, c in pairs_with_terms for t in self._directional_terms(b, c, unit)]
        return Expression(tuple(terms))
