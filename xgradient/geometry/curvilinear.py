"""Grids whose coordinates have two dimensions, and the operators on them.

Along the dimensions of such a grid there are only indices. Weights made of the positions of grid
points combine index derivatives into derivatives along two directions, east and north or x and y.
East and north rotate from point to point. Vectors are therefore differentiated by their Cartesian
components, which are smooth wherever the vector is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, final

import xarray as xr

from ..engine.chunked import device_context
from .direction_weights import DirectionWeights
from .expression import DerivativeTerm, Expression
from .grid import Grid
from .grid_axis import Coefficient, HorizontalDirection
from .metric_terms import HESSIAN_PAIRS

#: Numbers of the directions at right angles, x itself and the one across it, for those of x and y.
ORTHONORMAL = (2, 3)


class _Skew(NamedTuple):
    """The angle from the first to the second direction of a grid."""

    cosine: xr.Variable
    sine: xr.Variable


def _times(expression: Expression, factor: xr.Variable) -> Expression:
    """Return an expression without poles, times values."""
    terms = expression.terms
    return Expression(tuple(replace(t, coefficient=factor * t.coefficient) for t in terms))


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
                f"deriv is {deriv} along {str(grid_axis.axis.name)!r}, {grid_axis.description}; "
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
                f"a Laplacian along {str(directions[0].axis.name)!r}, {directions[0].description}, "
                "takes the other coordinate of the grid, too; name both"
            )
        total = Expression(())
        for i, factor in enumerate(factors):
            part = self.hessian(i, i) * factor
            if self._skew is not None and isinstance(self.axes[i], HorizontalDirection):
                part = _times(part, self._skew.sine**-2)
            total += part
        if self._skew is not None and directions:
            mixed = self._second_derivative(0, 1) * -2.0
            total += _times(mixed, self._skew.cosine * self._skew.sine**-2)
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
        if self._skew is not None:
            a, b = ORTHONORMAL[a], ORTHONORMAL[b]
        return self._tensor_component(b, a, scales) - self._tensor_component(a, b, scales)

    def jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i along axis j."""
        if pair := self._rotating_pair(i, j):
            return self._tensor_component(*pair, [1.0] * len(self.axes))
        return self.gradient(j, i)

    def orthonormal_gradient(self, i: int) -> Expression:
        """Return component i of the gradient along x and at right angles to it."""
        grid_axis = self.axes[i]
        n_directions = sum(isinstance(a, HorizontalDirection) for a in self.axes)
        if self._skew is None or not isinstance(grid_axis, HorizontalDirection) or n_directions < 2:
            return self.gradient(i)
        return Expression(tuple(self._directional_terms(ORTHONORMAL[grid_axis.component], 0)))

    def orthonormal_jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i along axis j, for x and the direction across it."""
        pair = self._rotating_pair(i, j)
        if self._skew is None or not pair:
            return self.jacobian(i, j)
        a, b = pair
        return self._tensor_component(ORTHONORMAL[a], ORTHONORMAL[b], [1.0] * len(self.axes))

    def orthonormal_components(self, first: int) -> list[Expression]:
        """Return components at right angles of a vector, whose input arrays begin at a number."""
        numbers = {
            a.component: first + i
            for i, a in enumerate(self.axes)
            if isinstance(a, HorizontalDirection)
        }
        if self._skew is None or len(numbers) < 2:
            return []
        index = self.weights.index_axes[0]

        def component(weights: Mapping[int, Coefficient]) -> Expression:
            terms = weights.items()
            return Expression(tuple(DerivativeTerm(n, index, 0, weight) for n, weight in terms))

        along = component({numbers[0]: 1.0, numbers[1]: self._skew.cosine})
        across = component({numbers[1]: self._skew.sine})
        every = range(first, first + len(self.axes))
        others = [component({n: 1.0}) for n in every if n not in numbers.values()]
        return [along, across, *others]

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
        *rows, stretching = self.weights.gradient([f for f in fields if isinstance(f, int)])
        weights = rows[component % 2] if component < 3 else self._across(rows)
        if not isinstance(factor, float):
            weights = [weight * factor for weight in weights]
        return [
            DerivativeTerm(source, index, 1, weight, stretched)
            for index, weight, stretched in zip(
                self.weights.index_axes, weights, stretching, strict=True
            )
        ]

    def _second_derivative(self, a: int, b: int) -> Expression:
        """Return the second derivative of the first array along two directions."""
        pair = min(a, b), max(a, b)
        *weights, mixed = self.weights.hessian()[HESSIAN_PAIRS.index(pair)]
        i, j = self.weights.index_axes
        by_i, by_j = (Expression((DerivativeTerm(0, index, 1, 1.0),)) for index in (i, j))
        both = DerivativeTerm(by_i, j, 1, mixed), DerivativeTerm(by_j, i, 1, mixed)
        kinds = [(i, 1), (j, 1), (i, 2), (j, 2)]
        terms = [
            DerivativeTerm(0, index, deriv, weight)
            for (index, deriv), weight in zip(kinds, weights, strict=True)
        ]
        return Expression((*terms, *both))

    @property
    def _unit_vectors(self) -> tuple[tuple[xr.Variable, ...], tuple[xr.Variable, ...]]:
        """Cartesian components of the unit vectors along both directions."""
        positions = self.weights.current_positions
        return positions.east, positions.north

    @cached_property
    def _skew(self) -> _Skew | None:
        """The angle between both directions; None where it is a right one everywhere."""
        positions = self.weights.current_positions
        if not positions.duals:
            return None
        a, b = positions.east, positions.north
        cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
        normal = [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]
        x, y, z = (r * n for r, n in zip(positions.xyz, normal, strict=True))
        upwards = x + y + z
        return _Skew(cosine, upwards / abs(upwards) * (1 - cosine**2) ** 0.5)

    def _across(self, vectors: Sequence[Sequence[xr.Variable]]) -> list[xr.Variable]:
        """Return vectors or weights along y as those of the direction at right angles to x."""
        assert self._skew is not None
        cosine, sine = self._skew
        return [(y - cosine * x) / sine for x, y in zip(*vectors, strict=True)]

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
        # Multiplied by dual vectors, a vector has its components along the directions.
        frame = self.weights.current_positions.frame
        if a >= 2:
            frame = self._unit_vectors
        left = frame[a % 2] if a < 3 else self._across(frame)
        pairs = zip(left, self._cartesian_components(factors), strict=False)
        # An eastward vector alone has no component along the axis of the globe.
        pairs_with_terms = [(unit, component) for unit, component in pairs if component.terms]
        terms = [t for unit, c in pairs_with_terms for t in self._directional_terms(b, c, unit)]
        return Expression(tuple(terms))
