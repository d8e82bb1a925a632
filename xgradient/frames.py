"""The axes of an operator with their scale factors: what its formula is written in.

For each axis i of orthogonal coordinates with scale factors h, a frame has 1/h_i and the slopes
∂_j ln h_i. Where latitudes have a row on a pole, 1/h of the longitudes is infinite; it and the
slopes that grow with it stand as 0 there, and `Poles` tells what comes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import xarray as xr

from .axes import Axis
from .chunks import beside, masked
from .cyclic import CyclicPoint, cyclic_points, without_point
from .hints import close_name
from .metrics import Factors

__all__ = [
    "AnyFrame",
    "Coefficient",
    "Column",
    "Frame",
    "Poles",
    "Side",
    "flat_frame",
    "frame_with_factors",
    "kept",
]

#: A coefficient: a number, or values along some of the dimensions.
Coefficient = xr.Variable | float
#: Differentiates values along an axis.
Slope = Callable[[xr.Variable, Axis], xr.Variable]


@dataclass(frozen=True, eq=False)
class Side:
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
    inverse: Coefficient = 1.0
    slopes: Mapping[Hashable, Coefficient] = field(default_factory=dict)
    others: Coefficient = 0.0
    kind: str | None = None

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """The dimensions that a field must have."""
        return (self.axis.dim,)

    @property
    def mixes(self) -> bool:
        """Whether derivatives of a vector mix its components."""
        return bool(self.slopes)

    def slope(self, by: Side) -> Coefficient:
        """∂ ln h of this axis by another one."""
        return self.slopes.get(by.axis.dim, 0.0)


@dataclass(frozen=True, eq=False)
class Column:
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

    inverse: ClassVar[Coefficient] = 1.0
    others: ClassVar[Coefficient] = 0.0
    kind: ClassVar[str | None] = None

    @property
    def axis(self) -> Column:
        """The axis, which is this."""
        return self

    def slope(self, by: Any) -> Coefficient:
        """∂ ln h of this axis by another one."""
        return 0.0

    def beside(self, dims: tuple[Hashable, ...]) -> Any:
        """The positions as an array with these dimensions, 1 long along those they do not have."""
        mine = self.positions.transpose(*(d for d in dims if d in self.positions.dims))
        return mine.data[tuple(slice(None) if d in mine.dims else None for d in dims)]


@dataclass(frozen=True, eq=False)
class Poles:
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
    alone: Axis
    around: Hashable | None
    signs: tuple[int, int]
    inverse: tuple[float, float]
    east: int
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Frame:
    """All axes of an operator.

    Attributes
    ----------
    sides : tuple of Side
        The axes.
    poles : Poles, optional
        The poles of a globe.
    flat : bool
        Whether coordinates are as they are, so that derivatives are those by the stencils alone.
    cyclic : tuple of CyclicPoint
        Coordinates with a last point that repeats the first, for which there is no node.
    known : tuple of Variable
        Where positions are known, for each dimension along which some are missing.
    """

    sides: tuple[Side, ...]
    poles: Poles | None = None
    flat: bool = False
    cyclic: tuple[CyclicPoint, ...] = ()
    known: tuple[xr.Variable, ...] = ()

    def over(self, fields: list[xr.DataArray]) -> tuple[Frame, list[xr.DataArray]]:
        """The axes for some fields, and these; where a position is missing, so is a field."""
        for known in self.known:
            fields = [
                f.copy(deep=False, data=kept(f.variable, known).data)
                if set(known.dims) <= set(f.dims)
                else f
                for f in fields
            ]
        return self, fields


class AnyFrame(Protocol):
    """All axes of an operator: what frames of every kind have.

    Each side has an ``axis`` with a name, a long name and units, the ``dims`` that a field needs,
    its ``kind`` on a globe, and tells whether it ``mixes`` the components of a vector.
    """

    @property
    def sides(self) -> tuple[Any, ...]: ...

    @property
    def poles(self) -> Poles | None: ...

    @property
    def flat(self) -> bool: ...

    @property
    def cyclic(self) -> tuple[CyclicPoint, ...]: ...

    def over(self, fields: list[xr.DataArray]) -> tuple[AnyFrame, list[xr.DataArray]]: ...


def kept(values: xr.Variable, valid: xr.Variable) -> xr.Variable:
    """The values where they are valid, along the dimensions of both, and missing ones elsewhere.

    If one of both is on a GPU, so is the result.
    """
    values, valid = (
        a.copy(data=beside(a.data, b.data)) for a, b in ((values, valid), (valid, values))
    )
    if values.chunks and valid.chunks:  # in chunks of one kind
        few, many = sorted((values, valid), key=lambda part: part.ndim)
        same = few.chunk({d: n for d, n in many.chunksizes.items() if d in few.dims})
        values, valid = (same, valid) if few is values else (values, same)
    found: xr.Variable = xr.apply_ufunc(masked, values, valid, dask="allowed")
    return found


def flat_frame(axes: list[Axis]) -> Frame:
    """Coordinates as they are: all scale factors are 1."""
    return Frame(tuple(Side(axis) for axis in axes), None, True, cyclic_points(axes))


def frame_with_factors(
    axes: list[Axis], factors: Factors, sizes: Mapping[Hashable, int], slope: Slope
) -> Frame:
    """Axes with scale factors that the user has.

    Parameters
    ----------
    axes : list of Axis
        The axes asked for.
    factors : Factors
        For some of the dimensions, their scale factors; the others count in their own units.
    sizes : mapping from dimension to int
        The shape of the data.
    slope : callable
        Differentiates a scale factor along an axis.

    Raises
    ------
    ValueError
        If a factor belongs to no dimension of the data, or lies along others.
    """
    names = ", ".join(repr(str(d)) for d in sizes)
    for dim, factor in factors.factors.items():
        if dim not in sizes:
            raise ValueError(
                f"metric has a scale factor for {str(dim)!r}, which is no dimension of the data"
                f"{close_name(dim, sizes)}; there are {names}"
            )
        if strange := [d for d in factor.dims if d not in sizes]:
            raise ValueError(
                f"the scale factor of {str(dim)!r} lies along {str(strange[0])!r}, which is no "
                f"dimension of the data; there are {names}"
            )
        for along_dim, n in factor.sizes.items():
            if n != sizes[along_dim]:
                raise ValueError(
                    f"the scale factor of {str(dim)!r} has {n} values along {str(along_dim)!r}, "
                    f"but the data have {sizes[along_dim]} points there; give one for each"
                )
    points = cyclic_points(axes)
    lengths = {
        dim: without_point(factor, points, f"scale factor of {dim}")
        for dim, factor in factors.factors.items()
    }
    along = {
        (dim, axis.dim): slope(factor, axis) / factor
        for axis in axes
        for dim, factor in lengths.items()
        if axis.dim in factor.dims
    }
    sides = []
    for axis in axes:
        slopes = {by: s for (dim, by), s in along.items() if dim == axis.dim}
        others = [s for (dim, by), s in along.items() if by == axis.dim and dim != axis.dim]
        if axis.dim in factors.factors:
            in_length = axis._replace(units=factors.units[axis.dim])
            inverse = 1 / lengths[axis.dim]
            sides.append(Side(in_length, inverse, slopes, sum(others, 0.0)))
        else:
            sides.append(Side(axis, 1.0, slopes, sum(others, 0.0)))
    return Frame(tuple(sides), cyclic=points)
