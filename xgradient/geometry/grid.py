"""Interface of all grids: each defines the linear operators as expressions without data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

import xarray as xr

from ..engine.chunked import in_chunks, to_device_of, where_valid
from ..labels.axis import Axis
from ..labels.boundaries import BoundaryRequest
from .cyclic import CyclicPoint
from .expression import Expression
from .grid_axis import GridAxis, HorizontalDirection, VerticalCoord


@dataclass(frozen=True, eq=False)
class PolarClosure:
    """Latitudes that continue across the poles or have rows on a pole.

    Attributes
    ----------
    lat : Axis
        The latitudes.
    lat_without_lon : Axis
        The latitudes for fields without longitudes, which end at the poles.
    lon_dim : hashable or None
        The dimension of longitudes that cover the full circle.
    pole_signs : tuple of int
        Sine of the first and of the last latitude if it is a pole, else 0.
    inverse_scale : tuple of float
        1/h of the first and of the last latitude.
    lon_direction : int
        1 if longitudes increase along their dimension, else -1.
    refusal : str
        Error message for rows on a pole that have no value; empty if they have one.
    """

    lat: Axis
    lat_without_lon: Axis
    lon_dim: Hashable | None
    pole_signs: tuple[int, int]
    inverse_scale: tuple[float, float]
    lon_direction: int
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class GridDirections:
    """Directions of the x and y of a grid on the Earth.

    Attributes
    ----------
    axes : tuple of hashable
        Names of the axes of the call to the east and north, or along x and y; None for one that
        the call does not name.
    relative_to : str
        "earth" if these axes point to the east and north, "grid" if they are along x and y.
    unit_vectors : callable
        Makes the components of unit vectors along x and y: that of x to the east and to the
        north, then those of y.
    """

    axes: tuple[Hashable | None, Hashable | None]
    relative_to: str
    unit_vectors: Callable[[], Sequence[xr.Variable]]


@dataclass(frozen=True, eq=False)
class Grid(ABC):
    """A grid: the axes of one call with their metric terms, and the linear operators along them.

    A new kind of grid is a subclass. Operators return expressions, in which input arrays are
    numbered: a scalar field is array 0, component i of a vector is array i.

    Attributes
    ----------
    axes : tuple of GridAxis, HorizontalDirection or VerticalCoord
        The axes that the call names, in its order.
    polar_closure : PolarClosure or None
        The poles, where latitudes continue across them or have rows on them.
    is_cartesian : bool
        True if all scale factors are 1, so that each derivative is one stencil without weights.
    cyclic : tuple of CyclicPoint
        Coordinates whose last point repeats the first one; it is not among the nodes.
    boundaries : BoundaryRequest or None
        The conditions at the ends of dimensions, which may differ between fields.
    directions : GridDirections or None
        Directions of x and y on the Earth; None where they are not known, or are east and north.
    """

    axes: tuple[GridAxis | HorizontalDirection | VerticalCoord, ...]
    polar_closure: PolarClosure | None = field(default=None, kw_only=True)
    is_cartesian: bool = field(default=False, kw_only=True)
    cyclic: tuple[CyclicPoint, ...] = field(default=(), kw_only=True)
    boundaries: BoundaryRequest | None = field(default=None, kw_only=True)
    directions: GridDirections | None = field(default=None, kw_only=True)

    @abstractmethod
    def for_fields(self, fields: list[xr.DataArray]) -> tuple[Grid, list[xr.DataArray]]:
        """Return the grid for these fields, and the fields with cells masked that it lacks."""

    @abstractmethod
    def gradient(self, i: int, field: int | Expression = 0) -> Expression:
        """Return component i of the gradient of a field."""

    @abstractmethod
    def derivative(self, i: int, deriv: int) -> Expression:
        """Return the derivative of order ``deriv`` along axis i.

        Raises
        ------
        ValueError
            If the grid has no derivative of this order along the axis.
        """

    @abstractmethod
    def laplacian(self, factors: Sequence[float]) -> Expression:
        """Return the sum of second derivatives, each times the factor of its axis."""

    @abstractmethod
    def divergence(self, factors: Sequence[float]) -> Expression:
        """Return the divergence of a vector whose components are times factors."""

    @abstractmethod
    def curl(self, i: int, j: int, factors: tuple[float, float]) -> Expression:
        """Return the component of the curl that is right-handed to axes i and j.

        The first factor belongs to the derivative along axis i, the second to that along axis j.
        """

    @abstractmethod
    def jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i of a vector along axis j."""

    def orthonormal_gradient(self, i: int) -> Expression:
        """Return component i of the gradient along directions at right angles.

        These are the axes themselves, except where two of them are not at right angles.
        """
        return self.gradient(i)

    def orthonormal_jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i along axis j, for directions at right angles."""
        return self.jacobian(i, j)

    def orthonormal_components(self, first: int) -> list[Expression]:
        """Return components at right angles of a vector, whose input arrays begin at a number.

        The list is empty where the axes are at right angles themselves.
        """
        return []

    @abstractmethod
    def hessian(self, i: int, j: int) -> Expression:
        """Return the second derivative of a scalar field along axes i and j."""


def mask_invalid(values: xr.Variable, valid: xr.Variable) -> xr.Variable:
    """Return values where ``valid`` is true and missing values elsewhere.

    The result has the dimensions of both; it is on the GPU if one of them is.
    """
    values, valid = (
        a.copy(data=to_device_of(a.data, b.data)) for a, b in ((values, valid), (valid, values))
    )
    if values.chunks and valid.chunks:  # give both the same chunks
        few, many = sorted((values, valid), key=lambda variable: variable.ndim)
        sizes = {few.dims.index(d): n for d, n in many.chunksizes.items() if d in few.dims}
        same = few.copy(deep=False, data=in_chunks(few.data, sizes))
        values, valid = (same, valid) if few is values else (values, same)
    masked: xr.Variable = xr.apply_ufunc(where_valid, values, valid, dask="allowed")
    return masked
