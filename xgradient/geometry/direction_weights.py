"""Weights of index derivatives in derivatives along two directions of a curvilinear grid."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import and_
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..engine.chunked import check_same_library, constant_along, on_gpu, to_host_or_device
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .cyclic import CyclicPoint
from .grid import mask_invalid
from .grid_axis import GridAxis
from .metric_terms import (
    IndexStencils,
    NodePositions,
    gradient_weights,
    hessian_weights,
)
from .value_cache import cached_by_value

#: Makes weights of positions and stencils, as `gradient_weights` does.
MakeWeights = Callable[[NodePositions, IndexStencils], list[list[xr.Variable]]]


class GradientWeights(NamedTuple):
    """Weights of derivatives by both indices, in derivatives along two directions.

    The stretching along an index is None where derivatives are not corrected for it.
    """

    first: Sequence[xr.Variable]
    second: Sequence[xr.Variable]
    stretching: Sequence[xr.Variable | None]


@dataclass(frozen=True, eq=False)
class DirectionWeights:
    """Weights made of the positions of grid points, for fields with the same valid cells.

    Attributes
    ----------
    make_positions : callable
        Makes the positions on the device of a field, or in memory for None.
    index_axes : tuple of GridAxis
        The indices along the two dimensions of the grid.
    scheme : Scheme
        Accuracy and boundary rows of derivatives of fields, and so of positions.
    valid_cells : tuple of Variable or None
        Valid cells of each field, if derivatives skip missing values; None if all are valid.
    local_positions : NodePositions, optional
        Positions on the device of the fields, if they are on a GPU or skip missing values.
    counts_steps : bool
        True if the indices count grid points; False if they are coordinates, whose stencils include
        a non-uniform spacing.
    """

    make_positions: Callable[[xr.Variable | None], NodePositions]
    index_axes: tuple[GridAxis, GridAxis]
    scheme: Scheme
    valid_cells: tuple[xr.Variable | None, ...] = ()
    local_positions: NodePositions | None = None
    counts_steps: bool = True
    _cache: dict[Hashable, list[list[xr.Variable]]] = field(default_factory=dict)

    def for_fields(
        self, fields: list[xr.DataArray], cyclic: Sequence[CyclicPoint]
    ) -> tuple[DirectionWeights, list[xr.DataArray]]:
        """Return the weights for these fields, and the fields with missing positions masked.

        Where a scheme skips missing values, positions are missing where the field is. Derivatives
        of positions and of fields then have the same windows.
        """
        first = fields[0].variable
        if self.scheme.skipna:
            check_same_library([f.data for f in fields])
            return self._for_valid_cells(fields, cyclic)
        if on_gpu(first.data):
            # Weights are cheap to make there for each call.
            return replace(self, local_positions=self.make_positions(first), _cache={}), fields
        return self, fields

    def _for_valid_cells(
        self, fields: list[xr.DataArray], cyclic: Sequence[CyclicPoint]
    ) -> tuple[DirectionWeights, list[xr.DataArray]]:
        known = _valid_cells(xr.DataArray(sum(self.positions.xyz)), ())
        if known is not None:
            fields = [f.copy(deep=False, data=mask_invalid(f.variable, known).data) for f in fields]
        dims = {grid_axis.dim for grid_axis in self.index_axes}
        inside = {point.dim: slice(None, -1) for point in cyclic}
        valid = tuple(_valid_cells(f.isel(inside, missing_dims="ignore"), dims) for f in fields)
        first = fields[0].variable
        local = (
            self.make_positions(first) if on_gpu(first.data) else self.positions.to_device_of(first)
        )
        return replace(self, valid_cells=valid, local_positions=local, _cache={}), fields

    @cached_property
    def positions(self) -> NodePositions:
        """Positions in memory."""
        return self.make_positions(None)

    @property
    def current_positions(self) -> NodePositions:
        """Positions that weights are made of."""
        return self.local_positions or self.positions

    @property
    def corrects_spacing(self) -> bool:
        """Return whether first derivatives have three points, corrected for non-uniform spacing.

        Wider stencils assume that the spacing changes smoothly along the grid.
        """
        return (
            self.counts_steps
            and self.scheme.accuracy < 3
            and all(grid_axis.axis.nodes.n > 2 for grid_axis in self.index_axes)
        )

    def gradient(self, fields: Collection[int]) -> GradientWeights:
        """Return weights of first derivatives of a sum of these input arrays."""
        first, second, *stretching = self._weights(gradient_weights, fields)
        return GradientWeights(first, second, stretching[0] if stretching else (None, None))

    def hessian(self) -> list[list[xr.Variable]]:
        """Return weights of second derivatives of the first input array.

        See `hessian_weights` for their order.
        """
        return self._weights(hessian_weights, [0])

    def _weights(self, make: MakeWeights, fields: Collection[int]) -> list[list[xr.Variable]]:
        valid = []
        if self.valid_cells:
            valid = [v for number in fields if (v := self.valid_cells[number]) is not None]
        key = (make, *map(id, valid))
        if key not in self._cache:
            self._cache[key] = self._make_weights(make, valid)
        return self._cache[key]

    def _make_weights(self, make: MakeWeights, valid: list[xr.Variable]) -> list[list[xr.Variable]]:
        """Make weights where cells are valid; those of a grid in memory are cached by value."""
        second = make is hessian_weights

        def make_anew() -> list[list[xr.Variable]]:
            positions = self.current_positions
            if valid:
                positions = positions.masked_by(reduce(and_, valid))
            return make(positions, self._stencils(second))

        sources = [cells.data for cells in valid]
        if not all(
            isinstance(a, np.ndarray) for a in (self.current_positions.xyz[0].data, *sources)
        ):
            return make_anew()
        closed = tuple(all(grid_axis.axis.nodes.continues) for grid_axis in self.index_axes)
        key = make, self.positions, self.scheme, closed, tuple(cells.dims for cells in valid)
        size = max([self.positions.xyz[0].size, *(cells.size for cells in valid)])
        return cached_by_value(key, sources, 8 * size * (15 if second else 6), make_anew)

    def _stencils(self, second: bool) -> IndexStencils:
        """Return the stencils along both indices, with second derivatives if asked."""

        def for_both(make: Callable[..., Stencil]) -> tuple[Stencil, Stencil]:
            i, j = (make(a.axis.nodes, f"dimension {str(a.dim)!r}") for a in self.index_axes)
            return i, j

        scheme, scheme2 = self.scheme.with_deriv(1), self.scheme.with_deriv(2)
        i, j = self.index_axes
        return IndexStencils(
            (i.dim, j.dim),
            for_both(scheme.stencil),
            for_both(scheme2.stencil) if second else None,
            for_both(scheme2.interior_stencil) if self.corrects_spacing else None,
        )


def _valid_cells(f: xr.DataArray, grid_dims: Collection[Hashable]) -> xr.Variable | None:
    """Return the valid cells of a field, along no more dimensions than needed; None if all are."""
    if getattr(f.dtype, "kind", "f") not in "fc" or not set(grid_dims) <= set(f.dims):
        return None
    # Weights are made in memory or on a GPU, wherever the field is.
    valid = xr.Variable(f.dims, to_host_or_device(f.variable.notnull().data))
    if valid.chunks is not None:
        return valid
    if isinstance(valid.data, np.ndarray) and valid.values.all():
        return None
    others = [d for d in f.dims if d not in grid_dims]
    same = constant_along(valid.data, [f.dims.index(d) for d in others])
    return valid.isel({d: 0 for d, constant in zip(others, same, strict=True) if constant})
