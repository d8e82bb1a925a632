"""Axes of a grid: along one dimension, in a direction on a surface, or along columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import xarray as xr

from ..labels.axis import Axis

#: A coefficient: a number, or values along some of the dimensions.
Coefficient = xr.Variable | float


@dataclass(frozen=True, eq=False)
class GridAxis:
    """One axis of a grid along a single dimension, with its scale factor h.

    Attributes
    ----------
    axis : Axis
        The nodes; under a metric its units are units of length.
    inverse_scale : Variable or float
        1/h of this axis.
    dlog_scale : mapping from dimension to Variable or float
        ∂ ln h of this axis along each dimension where the derivative is not zero.
    dlog_others : Variable or float
        Sum of ∂ ln h along this axis over all other axes of the metric.
    latlon_kind : str or None
        "longitude" or "latitude" on a globe.
    """

    axis: Axis
    inverse_scale: Coefficient = 1.0
    dlog_scale: Mapping[Hashable, Coefficient] = field(default_factory=dict)
    dlog_others: Coefficient = 0.0
    latlon_kind: str | None = None

    @property
    def dim(self) -> Hashable:
        """Dimension of the axis."""
        return self.axis.dim

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Dimensions that a field needs: only that of the axis."""
        return (self.axis.dim,)

    @property
    def is_curved(self) -> bool:
        """Tell if derivatives of a vector mix its components."""
        return bool(self.dlog_scale)

    def dlog_scale_by(self, other: GridAxis | VerticalCoord) -> Coefficient:
        """Return ∂ ln h of this axis along another axis."""
        return self.dlog_scale.get(other.axis.dim, 0.0)


@dataclass(frozen=True)
class CoordLabel:
    """Name, long name and units of a coordinate of two dimensions."""

    name: Hashable
    long_name: str
    units: str | None


@dataclass(frozen=True, eq=False)
class HorizontalDirection:
    """One of two directions on a surface whose coordinates have two dimensions.

    Attributes
    ----------
    axis : CoordLabel
        The coordinate that increases in this direction while the other is constant.
    dims : tuple of hashable
        The two dimensions of the coordinate.
    component : int
        0 for east or x, 1 for north or y.
    latlon_kind : str or None
        "longitude" or "latitude" on a globe.
    is_curved : bool
        True on a globe, where the direction changes from point to point, so that derivatives of a
        vector mix its components.
    description : str
        A property of the coordinate that errors name.
    """

    axis: CoordLabel
    dims: tuple[Hashable, ...]
    component: int
    latlon_kind: str | None = None
    is_curved: bool = False
    description: str = "which has 2 dimensions"


@dataclass(frozen=True, eq=False)
class VerticalCoord:
    """A coordinate of several dimensions along one of them; positions differ between columns.

    Attributes
    ----------
    dim : hashable
        The dimension along which derivatives are taken.
    name : hashable
        Name of the coordinate.
    long_name : str
        Name of the coordinate in plain words.
    units : str or None
        Units of the positions.
    positions : Variable
        The positions, along ``dim`` and other dimensions.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    positions: xr.Variable

    #: Positions are lengths, so the scale factor is 1 everywhere.
    inverse_scale: ClassVar[float] = 1.0
    dlog_others: ClassVar[float] = 0.0
    latlon_kind: ClassVar[None] = None
    is_curved: ClassVar[bool] = False

    @property
    def axis(self) -> VerticalCoord:
        """Name, long name and units: the coordinate itself has them."""
        return self

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Dimensions of the positions."""
        return self.positions.dims

    def dlog_scale_by(self, other: GridAxis | VerticalCoord) -> float:
        """Return ∂ ln h of this axis along another axis, which is zero."""
        return 0.0

    def positions_along(self, dims: tuple[Hashable, ...]) -> Any:
        """Return the positions with these dimensions; length 1 along dimensions they lack."""
        positions = self.positions.transpose(*(d for d in dims if d in self.positions.dims))
        index = tuple(slice(None) if d in positions.dims else None for d in dims)
        return positions.data[index]
