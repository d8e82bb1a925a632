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

from ..engine.chunked import (
    check_same_library,
    constant_along,
    device_context,
    on_gpu,
    to_host_or_device,
)
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .cyclic import CyclicPoint
from .expression import DerivativeTerm, Expression
from .grid import Coefficient, GridAxis
from .metric_terms import (
    HESSIAN_PAIRS,
    IndexStencils,
    NodePositions,
    cached_by_value,
    gradient_weights,
    hessian_weights,
)
from .orthogonal import (
    axis_derivative_expression,
    curl_expression,
    divergence_expression,
    gradient_expression,
    hessian_expression,
    jacobian_expression,
    kept,
    laplacian_expression,
)


@dataclass(frozen=True)
class CoordLabel:
    """What a coordinate is called: in names, in words, and the unit of lengths along it."""

    name: Hashable
    long_name: str
    units: str | None


@dataclass(frozen=True, eq=False)
class HorizontalDirection:
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

    axis: CoordLabel
    dims: tuple[Hashable, ...]
    component: int
    latlon_kind: str | None = None

    @property
    def is_curved(self) -> bool:
        """Whether derivatives of a vector mix its components."""
        return self.latlon_kind is not None


@dataclass(frozen=True, eq=False)
class CurvilinearGrid:
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

    axes: tuple[GridAxis | HorizontalDirection, ...]
    make_positions: Callable[[xr.Variable | None], NodePositions]
    index_axes: tuple[GridAxis, GridAxis]
    scheme: Scheme
    valid_cells: tuple[xr.Variable | None, ...] = ()
    local_positions: NodePositions | None = None
    cyclic: tuple[CyclicPoint, ...] = ()
    _made: dict[Any, Any] = field(default_factory=dict)

    #: Poles are points like others.
    polar_closure: ClassVar[None] = None
    is_cartesian: ClassVar[bool] = False

    def for_fields(self, fields: list[xr.DataArray]) -> tuple[CurvilinearGrid, list[xr.DataArray]]:
        """The axes for fields whose missing values are skipped, and these fields.

        A cell with a missing position is missing. For derivatives of positions and of fields to
        have the same windows, positions are missing where the field is.
        """
        first = fields[0].variable
        with device_context(first.data):
            if self.scheme.skipna:
                check_same_library([f.data for f in fields])
                return self._skipping(fields)
            if on_gpu(first.data):
                # All that is made of positions for each call is soon made there.
                return replace(self, local_positions=self.make_positions(first), _made={}), fields
        return self, fields

    def _skipping(self, fields: list[xr.DataArray]) -> tuple[CurvilinearGrid, list[xr.DataArray]]:
        placed = _valid_cells(xr.DataArray(sum(self.positions.xyz)), ())
        if placed is not None:
            fields = [f.copy(deep=False, data=kept(f.variable, placed).data) for f in fields]
        grid = {grid_axis.axis.dim for grid_axis in self.index_axes}
        twice = {point.dim: slice(None, -1) for point in self.cyclic}
        valid = tuple(_valid_cells(f.isel(twice, missing_dims="ignore"), grid) for f in fields)
        first = fields[0].variable
        gpu = on_gpu(first.data)
        there = self.make_positions(first) if gpu else self.positions.to_device_of(first)
        return replace(self, valid_cells=valid, local_positions=there, _made={}), fields

    @cached_property
    def positions(self) -> NodePositions:
        """The positions in memory."""
        return self.make_positions(None)

    @property
    def _current_positions(self) -> NodePositions:
        """The positions that weights are made of."""
        return self.local_positions or self.positions

    @property
    def corrects_spacing(self) -> bool:
        """Whether first derivatives have three points, and heed that these are not evenly spaced.

        Wider ones take it that steps change smoothly along the grid.
        """
        return self.scheme.accuracy < 3 and all(
            grid_axis.axis.nodes.n > 2 for grid_axis in self.index_axes
        )

    def derivative(
        self, i: int, source: int | Expression = 0, factor: Coefficient = 1.0
    ) -> list[DerivativeTerm]:
        """The derivative of a field along an axis, times a factor."""
        grid_axis = self.axes[i]
        if isinstance(grid_axis, GridAxis):
            return [DerivativeTerm(source, grid_axis, 1, factor)]
        return self.derivative_toward(grid_axis.component, source, factor)

    def derivative_toward(
        self, direction: int, source: int | Expression, factor: Coefficient = 1.0
    ) -> list[DerivativeTerm]:
        """The derivative of a field in a direction, times a factor."""
        weights = self._weights(gradient_weights, source)[direction]
        if not isinstance(factor, float):
            weights = [weight * factor for weight in weights]
        return self._parts(source, weights, centred=True)

    def second_derivative(
        self, a: HorizontalDirection, b: HorizontalDirection
    ) -> list[DerivativeTerm]:
        """The second derivative of the first field in two directions."""
        pair = min(a.component, b.component), max(a.component, b.component)
        *weights, mixed = self._weights(hessian_weights, 0)[HESSIAN_PAIRS.index(pair)]
        i, j = self.index_axes
        by_i, by_j = (Expression((DerivativeTerm(0, grid_axis, 1, 1.0),)) for grid_axis in (i, j))
        both = DerivativeTerm(by_i, j, 1, mixed), DerivativeTerm(by_j, i, 1, mixed)
        return [*self._parts(0, weights, centred=False), *both]

    def _parts(
        self, source: int | Expression, weights: list[xr.Variable], centred: bool
    ) -> list[DerivativeTerm]:
        """First derivatives by both indices, and perhaps second ones, times weights."""
        i, j = self.index_axes
        kinds = [(i, 1, False), (j, 1, False), (i, 2, centred), (j, 2, centred)]
        pairs = zip(kinds, weights, strict=False)
        return [
            DerivativeTerm(source, grid_axis, deriv, weight, middle)
            for (grid_axis, deriv, middle), weight in pairs
        ]

    def _weights(
        self, make: Callable[..., Any], source: int | Expression
    ) -> list[list[xr.Variable]]:
        """What index derivatives of a field count in those in two directions."""
        sources = [source] if isinstance(source, int) else [part.field for part in source.terms]
        numbers = [n for n in sources if isinstance(n, int) and self.valid_cells]
        valid = [v for n in numbers if (v := self.valid_cells[n]) is not None]
        key = (make, *map(id, valid))
        if key not in self._made:
            self._made[key] = self._made_weights(make, valid)
        made: list[list[xr.Variable]] = self._made[key]
        return made

    def _made_weights(self, make: Callable[..., Any], valid: list[xr.Variable]) -> Any:
        """The same where fields are valid; for a grid in memory they are remembered."""

        def fresh() -> Any:
            points = (
                self._current_positions.masked_by(reduce(and_, valid))
                if valid
                else self._current_positions
            )
            return make(points, self._stencils(bends=make is hessian_weights))

        sources = [part.data for part in valid]
        if not all(
            isinstance(a, np.ndarray) for a in (self._current_positions.xyz[0].data, *sources)
        ):
            return fresh()
        closed = tuple(
            grid_axis.axis.nodes.has_neighbours_beyond_ends for grid_axis in self.index_axes
        )
        key = make, self.positions, self.scheme, closed, tuple(part.dims for part in valid)
        cells = max([self.positions.xyz[0].size, *(part.size for part in valid)])
        return cached_by_value(
            key, sources, 8 * cells * (15 if make is hessian_weights else 8), fresh
        )

    def _stencils(self, bends: bool) -> IndexStencils:
        def both(make: Callable[..., Stencil]) -> tuple[Stencil, Stencil]:
            i, j = (make(s.axis.nodes, f"dimension {str(s.axis.dim)!r}") for s in self.index_axes)
            return i, j

        first, second = self.scheme.with_deriv(1), self.scheme.with_deriv(2)
        i, j = (grid_axis.axis.dim for grid_axis in self.index_axes)
        return IndexStencils(
            (i, j),
            both(first.stencil),
            both(second.stencil) if bends else None,
            both(second.interior_stencil) if self.corrects_spacing else None,
        )

    @property
    def unit_vectors(self) -> tuple[tuple[xr.Variable, ...], tuple[xr.Variable, ...]]:
        """The Cartesian components of the unit vectors in both directions of a globe."""
        return self._current_positions.east, self._current_positions.north

    def cartesian_components(self, factors: Sequence[float]) -> list[Expression]:
        """The Cartesian components of a vector whose components, times factors, turn."""
        key = ("cartesian", *factors)
        if key not in self._made:
            parts: list[list[DerivativeTerm]] = [[], [], []]
            for at, (grid_axis, factor) in enumerate(zip(self.axes, factors, strict=True)):
                if isinstance(grid_axis, HorizontalDirection):
                    for c, unit in enumerate(self.unit_vectors[grid_axis.component]):
                        parts[c].append(DerivativeTerm(at, self.index_axes[0], 0, unit * factor))
            self._made[key] = [Expression(tuple(component)) for component in parts]
        made: list[Expression] = self._made[key]
        return made

    def rotating_pair(self, i: int, j: int) -> tuple[int, int] | None:
        """The directions of two sides, if vectors turn in both."""
        a, b = self.axes[i], self.axes[j]
        if (
            isinstance(a, HorizontalDirection)
            and isinstance(b, HorizontalDirection)
            and a.is_curved
            and b.is_curved
        ):
            return a.component, b.component
        return None

    def tensor_component(self, a: int, b: int, factors: Sequence[float]) -> list[DerivativeTerm]:
        """The component in a direction of the derivative of a turning vector in another one."""
        pairs = zip(self.unit_vectors[a], self.cartesian_components(factors), strict=False)
        # An eastward vector alone has no component along the axis of the globe.
        there = [(unit, field) for unit, field in pairs if field.terms]
        return [part for unit, field in there for part in self.derivative_toward(b, field, unit)]


@gradient_expression.register
def _gradient(grid: CurvilinearGrid, i: int, field: int | Expression = 0) -> Expression:
    return Expression(tuple(grid.derivative(i, field)))


@axis_derivative_expression.register
def _pure(grid: CurvilinearGrid, i: int, deriv: int) -> Expression:
    grid_axis = grid.axes[i]
    if deriv == 1:
        return _gradient(grid, i)
    if isinstance(grid_axis, HorizontalDirection):
        raise ValueError(
            f"deriv is {deriv} along {str(grid_axis.axis.name)!r}, which has 2 dimensions; along "
            "such coordinates there are first derivatives, and .hessian has all second ones"
        )
    return Expression((DerivativeTerm(0, grid_axis, deriv, 1.0),))


@jacobian_expression.register
def _jacobian(grid: CurvilinearGrid, i: int, j: int) -> Expression:
    if pair := grid.rotating_pair(i, j):
        return Expression(tuple(grid.tensor_component(*pair, [1.0] * len(grid.axes))))
    return _gradient(grid, j, i)


@divergence_expression.register
def _divergence(grid: CurvilinearGrid, factors: list[float]) -> Expression:
    total = Expression(())
    for i, factor in enumerate(factors):
        if not grid.axes[i].is_curved:
            total += _gradient(grid, i, i) * factor
    if any(grid_axis.is_curved for grid_axis in grid.axes):
        # Where a vector turns, one component has a divergence in the direction of the other.
        for toward in (0, 1):
            total += Expression(tuple(grid.tensor_component(toward, toward, factors)))
    return total


@curl_expression.register
def _curl(grid: CurvilinearGrid, i: int, j: int, factors: tuple[float, float]) -> Expression:
    pair = grid.rotating_pair(i, j)
    if not pair:
        return _gradient(grid, i, j) * factors[0] - _gradient(grid, j, i) * factors[1]
    scales = [{i: factors[1], j: factors[0]}.get(k, 1.0) for k in range(len(grid.axes))]
    first, second = (
        grid.tensor_component(pair[1], pair[0], scales),
        grid.tensor_component(*pair, scales),
    )
    return Expression(tuple(first)) - Expression(tuple(second))


@hessian_expression.register
def _hessian(grid: CurvilinearGrid, i: int, j: int) -> Expression:
    a, b = grid.axes[i], grid.axes[j]
    if isinstance(a, HorizontalDirection) and isinstance(b, HorizontalDirection):
        return Expression(tuple(grid.second_derivative(a, b)))
    if i == j:
        return _pure(grid, i, 2)
    if isinstance(b, HorizontalDirection):
        i, j = j, i  # in its direction first: missing values are those of the field then
    return _gradient(grid, j, _gradient(grid, i))


def _valid_cells(f: xr.DataArray, grid: Collection[Hashable]) -> xr.Variable | None:
    """Where a field has values, along no more dimensions than needed; None for everywhere."""
    if getattr(f.dtype, "kind", "f") not in "fc" or not set(grid) <= set(f.dims):
        return None
    # Weights are made in memory or on a GPU, where the field is.
    valid = xr.Variable(f.dims, to_host_or_device(f.variable.notnull().data))
    if valid.chunks is not None:
        return valid
    if isinstance(valid.data, np.ndarray) and valid.values.all():
        return None
    others = [d for d in f.dims if d not in grid]
    same = constant_along(valid.data, [f.dims.index(d) for d in others])
    return valid.isel({d: 0 for d, alike in zip(others, same, strict=True) if alike})


@laplacian_expression.register
def _laplacian(grid: CurvilinearGrid, factors: list[float]) -> Expression:
    found = [grid_axis for grid_axis in grid.axes if isinstance(grid_axis, HorizontalDirection)]
    if len(found) == 1:
        raise ValueError(
            f"a Laplacian along {str(found[0].axis.name)!r}, which has 2 dimensions, takes the "
            "other coordinate of the grid, too; name both"
        )
    total = Expression(())
    for i, factor in enumerate(factors):
        total += _hessian(grid, i, i) * factor
    return total
