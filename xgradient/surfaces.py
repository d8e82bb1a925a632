"""Frames on grids whose coordinates have two dimensions, and the operators on them.

Along the dimensions of such a grid there are indices only. Derivatives by these are combined into
derivatives in two directions, east and north or x and y, by weights that follow from the positions
of the nodes. The components of vectors along east and north turn from place to place, so they are
made into Cartesian ones first, which change smoothly wherever the vector does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import and_
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from .chunks import check_alike, on_gpu, place, readable, repeats
from .cyclic import CyclicPoint
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
from .frames import Coefficient, Side, kept
from .geometry import PAIRS, Points, Stencils, gradients, hessians, remembered
from .stencils import Order, Stencil

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
    points_beside : callable
        Makes the positions of the nodes of the grid: where a field is, or of None in memory.
    along : tuple of Side
        The indices along its dimensions.
    order : Order
        How accurately derivatives of fields, and so those of positions, are to be known.
    valid : tuple of Variable or None
        Where fields have values, if derivatives skip missing ones; None for everywhere.
    there : Points, optional
        The positions where these fields are, on a GPU or if derivatives skip missing values.
    cyclic : tuple of CyclicPoint
        Coordinates of other axes with a last point that repeats the first.
    """

    sides: tuple[Side | Direction, ...]
    points_beside: Callable[[xr.Variable | None], Points]
    along: tuple[Side, Side]
    order: Order
    valid: tuple[xr.Variable | None, ...] = ()
    there: Points | None = None
    cyclic: tuple[CyclicPoint, ...] = ()
    _made: dict[Any, Any] = field(default_factory=dict)

    #: Poles are points like others.
    poles: ClassVar[None] = None
    flat: ClassVar[bool] = False

    def over(self, fields: list[xr.DataArray]) -> tuple[Surface, list[xr.DataArray]]:
        """The axes for fields whose missing values are skipped, and these fields.

        A cell with a missing position is missing. For derivatives of positions and of fields to
        have the same windows, positions are missing where the field is.
        """
        first = fields[0].variable
        with place(first.data):
            if self.order.skipna:
                check_alike([f.data for f in fields])
                return self._skipping(fields)
            if on_gpu(first.data):
                # All that is made of positions for each call is soon made there.
                return replace(self, there=self.points_beside(first), _made={}), fields
        return self, fields

    def _skipping(self, fields: list[xr.DataArray]) -> tuple[Surface, list[xr.DataArray]]:
        placed = _valid(xr.DataArray(sum(self.points.at)), ())
        if placed is not None:
            fields = [f.copy(deep=False, data=kept(f.variable, placed).data) for f in fields]
        grid = {side.axis.dim for side in self.along}
        twice = {point.dim: slice(None, -1) for point in self.cyclic}
        valid = tuple(_valid(f.isel(twice, missing_dims="ignore"), grid) for f in fields)
        first = fields[0].variable
        gpu = on_gpu(first.data)
        there = self.points_beside(first) if gpu else self.points.beside(first)
        return replace(self, valid=valid, there=there, _made={}), fields

    @cached_property
    def points(self) -> Points:
        """The positions in memory."""
        return self.points_beside(None)

    @property
    def _nodes(self) -> Points:
        """The positions that weights are made of."""
        return self.there or self.points

    @property
    def uneven(self) -> bool:
        """Whether first derivatives have three points, and heed that these are not evenly spaced.

        Wider ones take it that steps change smoothly along the grid.
        """
        return self.order.accuracy < 3 and all(side.axis.nodes.n > 2 for side in self.along)

    def derivative(
        self, i: int, source: int | Formula = 0, factor: Coefficient = 1.0
    ) -> list[Part]:
        """The derivative of a field along an axis, times a factor."""
        side = self.sides[i]
        if isinstance(side, Side):
            return [Part(source, side, 1, factor)]
        return self.toward(side.toward, source, factor)

    def toward(
        self, direction: int, source: int | Formula, factor: Coefficient = 1.0
    ) -> list[Part]:
        """The derivative of a field in a direction, times a factor."""
        weights = self._weights(gradients, source)[direction]
        if not isinstance(factor, float):
            weights = [weight * factor for weight in weights]
        return self._parts(source, weights, centred=True)

    def second(self, a: Direction, b: Direction) -> list[Part]:
        """The second derivative of the first field in two directions."""
        pair = min(a.toward, b.toward), max(a.toward, b.toward)
        *weights, mixed = self._weights(hessians, 0)[PAIRS.index(pair)]
        i, j = self.along
        by_i, by_j = (Formula((Part(0, side, 1, 1.0),)) for side in (i, j))
        both = Part(by_i, j, 1, mixed), Part(by_j, i, 1, mixed)
        return [*self._parts(0, weights, centred=False), *both]

    def _parts(
        self, source: int | Formula, weights: list[xr.Variable], centred: bool
    ) -> list[Part]:
        """First derivatives by both indices, and perhaps second ones, times weights."""
        i, j = self.along
        kinds = [(i, 1, False), (j, 1, False), (i, 2, centred), (j, 2, centred)]
        pairs = zip(kinds, weights, strict=False)
        return [
            Part(source, side, deriv, weight, middle) for (side, deriv, middle), weight in pairs
        ]

    def _weights(self, make: Callable[..., Any], source: int | Formula) -> list[list[xr.Variable]]:
        """What index derivatives of a field count in those in two directions."""
        sources = [source] if isinstance(source, int) else [part.field for part in source.parts]
        numbers = [n for n in sources if isinstance(n, int) and self.valid]
        valid = [v for n in numbers if (v := self.valid[n]) is not None]
        key = (make, *map(id, valid))
        if key not in self._made:
            self._made[key] = self._made_weights(make, valid)
        made: list[list[xr.Variable]] = self._made[key]
        return made

    def _made_weights(self, make: Callable[..., Any], valid: list[xr.Variable]) -> Any:
        """The same where fields are valid; for a grid in memory they are remembered."""

        def fresh() -> Any:
            points = self._nodes.within(reduce(and_, valid)) if valid else self._nodes
            return make(points, self._stencils(bends=make is hessians))

        sources = [part.data for part in valid]
        if not all(isinstance(a, np.ndarray) for a in (self._nodes.at[0].data, *sources)):
            return fresh()
        closed = tuple(side.axis.nodes.closed for side in self.along)
        key = make, self.points, self.order, closed, tuple(part.dims for part in valid)
        cells = max([self.points.at[0].size, *(part.size for part in valid)])
        return remembered(key, sources, 8 * cells * (15 if make is hessians else 8), fresh)

    def _stencils(self, bends: bool) -> Stencils:
        def both(make: Callable[..., Stencil]) -> tuple[Stencil, Stencil]:
            i, j = (make(s.axis.nodes, f"dimension {str(s.axis.dim)!r}") for s in self.along)
            return i, j

        first, second = self.order.of(1), self.order.of(2)
        i, j = (side.axis.dim for side in self.along)
        return Stencils(
            (i, j),
            both(first.stencil),
            both(second.stencil) if bends else None,
            both(second.centred) if self.uneven else None,
        )

    @property
    def units(self) -> tuple[tuple[xr.Variable, ...], tuple[xr.Variable, ...]]:
        """The Cartesian components of the unit vectors in both directions of a globe."""
        return self._nodes.east, self._nodes.north

    def cartesian(self, factors: Sequence[float]) -> list[Formula]:
        """The Cartesian components of a vector whose components, times factors, turn."""
        key = ("cartesian", *factors)
        if key not in self._made:
            parts: list[list[Part]] = [[], [], []]
            for at, (side, factor) in enumerate(zip(self.sides, factors, strict=True)):
                if isinstance(side, Direction):
                    for c, unit in enumerate(self.units[side.toward]):
                        parts[c].append(Part(at, self.along[0], 0, unit * factor))
            self._made[key] = [Formula(tuple(component)) for component in parts]
        made: list[Formula] = self._made[key]
        return made

    def turning(self, i: int, j: int) -> tuple[int, int] | None:
        """The directions of two sides, if vectors turn in both."""
        a, b = self.sides[i], self.sides[j]
        if isinstance(a, Direction) and isinstance(b, Direction) and a.mixes and b.mixes:
            return a.toward, b.toward
        return None

    def element(self, a: int, b: int, factors: Sequence[float]) -> list[Part]:
        """The component in a direction of the derivative of a turning vector in another one."""
        pairs = zip(self.units[a], self.cartesian(factors), strict=False)
        # An eastward vector alone has no component along the axis of the globe.
        there = [(unit, field) for unit, field in pairs if field.parts]
        return [part for unit, field in there for part in self.toward(b, field, unit)]


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
    if pair := frame.turning(i, j):
        return Formula(tuple(frame.element(*pair, [1.0] * len(frame.sides))))
    return _gradient(frame, j, i)


@divergence_parts.register
def _divergence(frame: Surface, factors: list[float]) -> Formula:
    total = Formula(())
    for i, factor in enumerate(factors):
        if not frame.sides[i].mixes:
            total += _gradient(frame, i, i) * factor
    if any(side.mixes for side in frame.sides):
        # Where a vector turns, one component has a divergence in the direction of the other.
        for toward in (0, 1):
            total += Formula(tuple(frame.element(toward, toward, factors)))
    return total


@curl_parts.register
def _curl(frame: Surface, i: int, j: int, factors: tuple[float, float]) -> Formula:
    pair = frame.turning(i, j)
    if not pair:
        return _gradient(frame, i, j) * factors[0] - _gradient(frame, j, i) * factors[1]
    scales = [{i: factors[1], j: factors[0]}.get(k, 1.0) for k in range(len(frame.sides))]
    first, second = frame.element(pair[1], pair[0], scales), frame.element(*pair, scales)
    return Formula(tuple(first)) - Formula(tuple(second))


@hessian_parts.register
def _hessian(frame: Surface, i: int, j: int) -> Formula:
    a, b = frame.sides[i], frame.sides[j]
    if isinstance(a, Direction) and isinstance(b, Direction):
        return Formula(tuple(frame.second(a, b)))
    if i == j:
        return _pure(frame, i, 2)
    if isinstance(b, Direction):
        i, j = j, i  # in its direction first: missing values are those of the field then
    return _gradient(frame, j, _gradient(frame, i))


def _valid(f: xr.DataArray, grid: Collection[Hashable]) -> xr.Variable | None:
    """Where a field has values, along no more dimensions than needed; None for everywhere."""
    if getattr(f.dtype, "kind", "f") not in "fc" or not set(grid) <= set(f.dims):
        return None
    # Weights are made in memory or on a GPU, where the field is.
    valid = xr.Variable(f.dims, readable(f.variable.notnull().data))
    if valid.chunks is not None:
        return valid
    if isinstance(valid.data, np.ndarray) and valid.values.all():
        return None
    others = [d for d in f.dims if d not in grid]
    same = repeats(valid.data, [f.dims.index(d) for d in others])
    return valid.isel({d: 0 for d, alike in zip(others, same, strict=True) if alike})


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
