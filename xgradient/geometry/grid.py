"""Axes with metric terms: what grids of every kind are made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import xarray as xr

from ..labels.axis import Axis
from .cyclic import CyclicPoint

#: A coefficient: a number, or values along some of the dimensions.
Coefficient = xr.Variable | float
#: Differentiates values along an axis.
Slope = Callable[[xr.Variable, Axis], xr.Variable]


@dataclass(frozen=True, eq=False)
class GridAxis:
    """One axis of a frame.

    Attributes
    ----------
    axis : Axis
        Its nodes; its units are those of lengths under a metric.
    inverse : Variable or float
        1/h of this axis.
    slopes : mapping from name to Variable or float
        ∂ ln h of this axis by other coordinates and itself, where it is not zero.
    others : Variable or float
        Sum of ∂ ln h by this axis of all other axes, those too that are not asked for.
    kind : str or None
        "longitude" or "latitude" on a globe.
    """

    axis: Axis
    inverse_scale: Coefficient = 1.0
    dlog_scale: Mapping[Hashable, Coefficient] = field(default_factory=dict)
    dlog_others: Coefficient = 0.0
    latlon_kind: str | None = None

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """The dimensions that a field must have."""
        return (self.axis.dim,)

    @property
    def is_curved(self) -> bool:
        """Whether derivatives of a vector mix its components."""
        return bool(self.dlog_scale)

    def dlog_scale_by(self, by: GridAxis) -> Coefficient:
        """∂ ln h of this axis by another one."""
        return self.dlog_scale.get(by.axis.dim, 0.0)


@dataclass(frozen=True, eq=False)
class VerticalCoord:
    """An axis whose positions differ from column to column, in units of length as they are.

    It stands for both a side of a frame and the axis of that side.

    Attributes
    ----------
    dim, name : hashable
        The dimension, and the coordinate's name.
    long_name : str
        The coordinate in words.
    units : str or None
        Units of the positions.
    positions : Variable
        The positions, along this and other dimensions.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    positions: xr.Variable

    inverse_scale: ClassVar[Coefficient] = 1.0
    dlog_others: ClassVar[Coefficient] = 0.0
    latlon_kind: ClassVar[str | None] = None

    @property
    def axis(self) -> VerticalCoord:
        """The axis, which is this."""
        return self

    def dlog_scale_by(self, by: Any) -> Coefficient:
        """∂ ln h of this axis by another one."""
        return 0.0

    def positions_along(self, dims: tuple[Hashable, ...]) -> Any:
        """The positions as an array with these dimensions, 1 long along those they do not have."""
        mine = self.positions.transpose(*(d for d in dims if d in self.positions.dims))
        return mine.data[tuple(slice(None) if d in mine.dims else None for d in dims)]


@dataclass(frozen=True, eq=False)
class PolarClosure:
    """Latitudes that continue across the poles, or have rows on them.

    Attributes
    ----------
    lat : Axis
        The latitudes.
    alone : Axis
        The latitudes of fields without longitudes, which do not continue.
    around : hashable or None
        The dimension of longitudes that go round the globe.
    signs : tuple of int
        Sine of the first and the last latitude if they stand on a pole, else 0.
    inverse : tuple of float
        1/h of the latitudes at both ends.
    east : int
        1 if longitudes increase along their axis, else -1.
    refusal : str
        Why rows on poles have no values, where they have none.
    """

    lat: Axis
    lat_without_lon: Axis
    lon_dim: Hashable | None
    pole_signs: tuple[int, int]
    inverse_scale: tuple[float, float]
    lon_direction: int
    refusal: str = ""


class Grid(Protocol):
    """All axes of an operator: what frames of every kind have.

    Each side has an ``axis`` with a name, a long name and units, the ``dims`` that a field needs,
    its ``kind`` on a globe, and tells whether it ``mixes`` the components of a vector.
    """

    @property
    def axes(self) -> tuple[Any, ...]: ...

    @property
    def polar_closure(self) -> PolarClosure | None: ...

    @property
    def is_cartesian(self) -> bool: ...

    @property
    def cyclic(self) -> tuple[CyclicPoint, ...]: ...

    def for_fields(self, fields: list[xr.DataArray]) -> tuple[Grid, list[xr.DataArray]]: ...
