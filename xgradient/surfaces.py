"""Frames on grids whose coordinates have two dimensions, and the operators on them.

Along the dimensions of such a grid there are indices only. Derivatives by these are combined into
derivatives in two directions, east and north or x and y, by weights that follow from the positions
of the nodes. The components of vectors along east and north turn from place to place, so they are
made into Cartesian ones first, which change smoothly wherever the vector does.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import xarray as xr

from .formulas import (
    Formula,
    Part,
    curl_parts,
    divergence_parts,
    gradient_parts,
    hessian_parts,
    jacobian_parts,
    laplacian_parts,
    pure_parts,
)
from .frames import Coefficient, Side
from .geometry import PAIRS, Points, Stencils, gradients, hessians
from .stencils import Order

__all__ = ["Direction", "Label", "Surface"]


@dataclass(frozen=True)
class Label:
    """What a coordinate is called: in names, in words, and the unit of lengths along it."""

    name: Hashable
    long_name: str
    units: str | None


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction on a surface.

    Attributes
    ----------
    axis : Label
        The coordinate that increases in this direction while the other does not change.
    dims : tuple of hashable
        The dimensions of the grid.
    toward : int
        0 for east or x, 1 for north or y.
    kind : str or None
        "longitude" or "latitude" on a globe, where the direction turns from place to place.
    """

    axis: Label
    dims: tuple[Hashable, ...]
    toward: int
    kind: str | None = None

    @property
    def mixes(self) -> bool:
        """Whether derivatives of a vector mix its components."""
        return self.kind is not None


@dataclass(frozen=True, eq=False)
class Surface:
    """All axes of an operator, of which some are directions on a surface.

    Attributes
    ----------
    sides : tuple of Side or Direction
        What is asked for.
    dims : tuple of hashable
        The dimensions of the grid.
    points : Points
        The positions of its nodes.
    along : tuple of Side
        The indices along both dimensions.
    order : Order
        How accurately derivatives of fields, and so those of positions, are to be known.
    """

    sides: tuple[Side | Direction, ...]
    dims: tuple[Hashable, Hashable]
    points: Points
    along: tuple[Side, Side]
    order: Order

    #: Poles are points like others.
    poles: None = None
    flat: bool = False

    @cached_property
    def uneven(self) -> bool:
        """Whether first derivatives have three points, and heed that these are not evenly spaced.

        Wider ones take it that steps change smoothly along the grid.
        """
        return self.order.accuracy < 3 and all(side.axis.nodes.n > 2 for side in self.along)

    def _stencils(self, bends: bool) -> Stencils:
        def both(deriv: int) -> tuple[Any, Any]:
            i, j = (
                self.order.of(deriv).stencil(side.axis.nodes, f"dimension {str(side.axis.dim)!r}")
                for side in self.along
            )
            return i, j

        second = both(2) if bends or self.uneven else None
        return Stencils((0, 1), both(1), second, self.uneven)

    @cached_property
    def slopes(self) -> list[list[xr.Variable]]:
        """For both directions the weights of the derivatives that make a gradient."""
        made = gradients(self.points, self._stencils(bends=False))
        return [[xr.Variable(self.dims, w) for w in row] for row in made]

    @cached_property
    def bends(self) -> dict[tuple[int, int], list[xr.Variable]]:
        """For pairs of directions the weights of the derivatives that make a Hessian."""
        made = hessians(self.points, self._stencils(bends=True))
        return {
            pair: [xr.Variable(self.dims, w) for w in row]
            for pair, row in zip(PAIRS, made, strict=True)
        }

    def derivative(self, i: int, field: int | Formula = 0, factor: Coefficient = 1.0) -> list[Part]:
        """The derivative of a field along an axis, times a factor."""
        side = self.sides[i]
        if isinstance(side, Side):
            return [Part(field, side, 1, factor)]
        weights = self.slopes[side.toward]
        if not isinstance(factor, float):
            weights = [weight * factor for weight in weights]
        return self._parts(field, weights)

    def _parts(self, field: int | Formula, weights: list[xr.Variable]) -> list[Part]:
        """First derivatives by both indices, and perhaps second ones, times weights."""
        i, j = self.along
        kinds = [(i, 1), (j, 1), (i, 2), (j, 2)]
        return [Part(field, *kind, weight) for kind, weight in zip(kinds, weights, strict=False)]

    def second(self, a: Direction, b: Direction) -> list[Part]:
        """The second derivative of the first field in two directions."""
        *weights, mixed = self.bends[min(a.toward, b.toward), max(a.toward, b.toward)]
        i, j = self.along
        by_i = Formula((Part(0, i, 1, 1.0),))
        return [*self._parts(0, weights), Part(by_i, j, 1, mixed)]

    @cached_property
    def units(self) -> tuple[list[xr.Variable], list[xr.Variable]]:
        """The Cartesian components of the unit vectors in both directions of a globe."""
        east, north = (
            [xr.Variable(self.dims, w) for w in unit]
            for unit in (self.points.east, self.points.north)
        )
        return east, north

    @cached_property
    def cartesian(self) -> list[Formula]:
        """The Cartesian components of a vector whose components go along the directions."""
        parts: list[list[Part]] = [[], [], []]
        for at, side in enumerate(self.sides):
            if isinstance(side, Direction):
                for c, weight in enumerate(self.units[side.toward]):
                    parts[c].append(Part(at, self.along[0], 0, weight))
        return [Formula(tuple(component)) for component in parts]

    def smooth(self, i: int) -> list[tuple[Coefficient, int | Formula]]:
        """Component i of a vector as a sum of coefficients times fields that change smoothly."""
        side = self.sides[i]
        if isinstance(side, Direction) and side.mixes:
            return list(zip(self.units[side.toward], self.cartesian, strict=False))
        return [(1.0, i)]


@gradient_parts.register
def _gradient(frame: Surface, i: int, field: int | Formula = 0) -> Formula:
    return Formula(tuple(frame.derivative(i, field)))


@pure_parts.register
def _pure(frame: Surface, i: int, deriv: int) -> Formula:
    side = frame.sides[i]
    if deriv == 1:
        return _gradient(frame, i)
    if isinstance(side, Direction):
        raise ValueError(
            f"deriv is {deriv} along {str(side.axis.name)!r}, which has 2 dimensions; along such "
            "coordinates there are first derivatives, and .hessian has all second ones"
        )
    return Formula((Part(0, side, deriv, 1.0),))


@jacobian_parts.register
def _jacobian(frame: Surface, i: int, j: int) -> Formula:
    components = [frame.derivative(j, field, factor) for factor, field in frame.smooth(i)]
    return Formula(tuple(part for parts in components for part in parts))


@divergence_parts.register
def _divergence(frame: Surface, factors: list[float]) -> Formula:
    total = Formula(())
    for i, factor in enumerate(factors):
        total += _jacobian(frame, i, i) * factor
    return total


@curl_parts.register
def _curl(frame: Surface, i: int, j: int, factors: tuple[float, float]) -> Formula:
    return _jacobian(frame, j, i) * factors[0] - _jacobian(frame, i, j) * factors[1]


@hessian_parts.register
def _hessian(frame: Surface, i: int, j: int) -> Formula:
    a, b = frame.sides[i], frame.sides[j]
    if isinstance(a, Direction) and isinstance(b, Direction):
        return Formula(tuple(frame.second(a, b)))
    if i == j:
        return _pure(frame, i, 2)
    if isinstance(a, Direction):
        i, j = j, i
    return _gradient(frame, j, _gradient(frame, i))


@laplacian_parts.register
def _laplacian(frame: Surface, factors: list[float]) -> Formula:
    found = [side for side in frame.sides if isinstance(side, Direction)]
    if len(found) == 1:
        raise ValueError(
            f"a Laplacian along {str(found[0].axis.name)!r}, which has 2 dimensions, takes the "
            "other coordinate of the grid, too; name both"
        )
    total = Formula(())
    for i, factor in enumerate(factors):
        total += _hessian(frame, i, i) * factor
    return total
