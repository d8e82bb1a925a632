"""The operators in orthogonal coordinates, each as sums of parts.

With scale factors h and components of vectors along unit vectors, as in Batchelor (1967),
An Introduction to Fluid Dynamics, appendix 2 (doi:10.1017/CBO9780511800955). Second derivatives
have stencils of their own, and the derivatives of h are known, so nothing is differentiated twice.

On a row on a pole the terms with 1/cos φ are left out, and a `PoleCorrection` has the limit of the
expression there. With D the derivative of a field along the meridians at the pole: D of a
scalar has one wave round the pole; D of a component, and the second derivative of a scalar, have
a mean and two waves, for they are the elements of one tensor in directions that turn.

Each form is a function of the frame; those for frames of another kind stand with them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import singledispatch

import xarray as xr

from ..engine.chunked import to_device_of, where_valid
from ..labels.axis import Axis
from ..labels.hints import close_name
from .cyclic import CyclicPoint, cyclic_points, without_point
from .expression import DerivativeTerm, Expression, PoleCorrection
from .grid import Grid, GridAxis, PolarClosure, Slope
from .scale_factors import ScaleFactors


def _has_latitude(grid: Grid) -> bool:
    return any(grid_axis.latlon_kind == "latitude" for grid_axis in grid.axes)


@singledispatch
def gradient_expression(grid: Grid, i: int, field: int | Expression = 0) -> Expression:
    """Component i of the gradient: ∂_i f / h_i."""
    grid_axis = grid.axes[i]
    # f = f0 + θ D(λ) + …, so ∂f/∂λ / (R cos φ) tends to -∂D/∂λ / sin φ.
    poles = (
        (PoleCorrection(field, 1, azimuthal_derivative=-1.0),)
        if grid_axis.latlon_kind == "longitude"
        else ()
    )
    return Expression((DerivativeTerm(field, grid_axis, 1, grid_axis.inverse_scale),), poles)


@singledispatch
def axis_derivative_expression(grid: Grid, i: int, deriv: int) -> Expression:
    """Derivative of some order along one axis, (∂_i / h_i)^deriv f.

    Raises
    ------
    ValueError
        For orders above 2 along an axis whose scale factor changes along it.
    """
    if deriv == 1:
        return gradient_expression(grid, i)
    grid_axis = grid.axes[i]
    own = grid_axis.dlog_scale_by(grid_axis)
    lead = Expression(
        (DerivativeTerm(0, grid_axis, deriv, grid_axis.inverse_scale**deriv),),
        finite_at_poles=grid_axis.latlon_kind != "longitude",
    )
    if isinstance(own, float) or not own.values.any():
        return lead
    if deriv > 2:
        raise ValueError(
            f"deriv is {deriv} along {str(grid_axis.axis.name)!r}, whose scale factor changes "
            "along it; under such a metric only first and second derivatives are offered"
        )
    return lead + Expression((DerivativeTerm(0, grid_axis, 1, -own * grid_axis.inverse_scale**2),))


@singledispatch
def laplacian_expression(grid: Grid, factors: list[float]) -> Expression:
    """Σ_i factor_i [∂_ii f + ∂_i f (Σ_{j≠i} ∂_i ln h_j - ∂_i ln h_i)] / h_i²."""
    total = Expression((), finite_at_poles=_has_latitude(grid) or not _has_longitude(grid))
    for grid_axis, factor in zip(grid.axes, factors, strict=True):
        squared = grid_axis.inverse_scale**2
        first = squared * (grid_axis.dlog_others - grid_axis.dlog_scale_by(grid_axis))
        # The trace of the second derivatives is twice their mean over all directions.
        poles = (
            (PoleCorrection(0, 2, value=-1.0, mean=2.0),)
            if grid_axis.latlon_kind == "latitude"
            else ()
        )
        total += (
            Expression(
                (DerivativeTerm(0, grid_axis, 2, squared), DerivativeTerm(0, grid_axis, 1, first)),
                poles,
            )
            * factor
        )
    return total


def _has_longitude(grid: Grid) -> bool:
    return any(grid_axis.latlon_kind == "longitude" for grid_axis in grid.axes)


@singledispatch
def divergence_expression(grid: Grid, factors: list[float]) -> Expression:
    """Σ_i factor_i [∂_i F_i + F_i Σ_{j≠i} ∂_i ln h_j] / h_i."""
    total = Expression((), finite_at_poles=_has_latitude(grid) or not _has_longitude(grid))
    for i, (grid_axis, factor) in enumerate(zip(grid.axes, factors, strict=True)):
        poles = (
            (PoleCorrection(i, 1, value=-1.0, mean=2.0),)
            if grid_axis.latlon_kind == "latitude"
            else ()
        )
        parts = (
            DerivativeTerm(i, grid_axis, 1, grid_axis.inverse_scale),
            DerivativeTerm(i, grid_axis, 0, grid_axis.inverse_scale * grid_axis.dlog_others),
        )
        total += Expression(parts, poles) * factor
    return total


@singledispatch
def curl_expression(grid: Grid, i: int, j: int, factors: tuple[float, float]) -> Expression:
    """[∂_i F_j + F_j ∂_i ln h_j] / h_i - [∂_j F_i + F_i ∂_j ln h_i] / h_j.

    The component of the curl that is right-handed to axes i and j; the factors belong to the
    first and the second bracket.
    """
    a, b = grid.axes[i], grid.axes[j]
    kinds = a.latlon_kind, b.latlon_kind
    first = Expression(
        (
            DerivativeTerm(j, a, 1, a.inverse_scale),
            DerivativeTerm(j, a, 0, a.inverse_scale * b.dlog_scale_by(a)),
        )
    )
    second = Expression(
        (
            DerivativeTerm(i, b, 1, b.inverse_scale),
            DerivativeTerm(i, b, 0, b.inverse_scale * a.dlog_scale_by(b)),
        )
    )
    if kinds == ("longitude", "latitude"):
        second += Expression((), (PoleCorrection(i, 1, value=-1.0, mean=2.0),))
    elif "longitude" in kinds:
        # The vertical component is a scalar, whose gradient is known on a pole.
        scalar = Expression(
            (), (PoleCorrection(j if kinds[0] == "longitude" else i, 1, azimuthal_derivative=-1.0),)
        )
        first, second = (
            (first + scalar, second) if kinds[0] == "longitude" else (first, second + scalar)
        )
    return first * factors[0] - second * factors[1]


@singledispatch
def jacobian_expression(grid: Grid, i: int, j: int) -> Expression:
    """Derivative of component i along axis j.

    ∂_j F_i / h_j - F_j ∂_i ln h_j / h_i, and for i = j
    ∂_i F_i / h_i + Σ_{k≠i} F_k ∂_k ln h_i / h_k.
    """
    a, b = grid.axes[i], grid.axes[j]
    parts = [DerivativeTerm(i, b, 1, b.inverse_scale)]
    if i == j:
        for k, c in enumerate(grid.axes):
            if k != i:
                parts.append(DerivativeTerm(k, c, 0, c.inverse_scale * a.dlog_scale_by(c)))
    else:
        parts.append(DerivativeTerm(j, a, 0, -1.0 * a.inverse_scale * b.dlog_scale_by(a)))
    if b.latlon_kind != "longitude":
        return Expression(tuple(parts))
    lat = next((k for k, c in enumerate(grid.axes) if c.latlon_kind == "latitude"), None)
    if lat is None:
        return Expression(tuple(parts), finite_at_poles=False)
    if i == j:  # the trace, less the other element on the diagonal
        return Expression(tuple(parts), (PoleCorrection(lat, 1, value=-1.0, mean=2.0),))
    if i == lat:  # the curl, and the other element beside the diagonal
        return Expression(tuple(parts), (PoleCorrection(j, 1, value=1.0, mean=-2.0),))
    return Expression(tuple(parts), (PoleCorrection(i, 1, azimuthal_derivative=-1.0),))


@singledispatch
def hessian_expression(grid: Grid, i: int, j: int) -> Expression:
    """Second derivative of a scalar along axes i and j.

    (∂_ij f - ∂_i f ∂_j ln h_i - ∂_j f ∂_i ln h_j) / (h_i h_j), and for i = j
    (∂_ii f - ∂_i f ∂_i ln h_i) / h_i² + Σ_{k≠i} ∂_k f ∂_k ln h_i / h_k².
    """
    if i != j and grid.axes[i].latlon_kind == "longitude":
        i, j = j, i  # where they come second, it is known what stands on a pole
    a, b = grid.axes[i], grid.axes[j]
    lat = any(grid_axis.latlon_kind == "latitude" for grid_axis in grid.axes)
    if i == j:
        squared = a.inverse_scale**2
        parts = [
            DerivativeTerm(0, a, 2, squared),
            DerivativeTerm(0, a, 1, -1.0 * squared * a.dlog_scale_by(a)),
        ]
        for k, c in enumerate(grid.axes):
            if k != i:
                parts.append(DerivativeTerm(0, c, 1, c.inverse_scale**2 * a.dlog_scale_by(c)))
        poles = (
            (PoleCorrection(0, 2, value=-1.0, mean=2.0),) if a.latlon_kind == "longitude" else ()
        )
        return Expression(tuple(parts), poles, finite_at_poles=lat or a.latlon_kind != "longitude")
    both, along = a.inverse_scale * b.inverse_scale, Expression((DerivativeTerm(0, a, 1, 1.0),))
    parts = [
        DerivativeTerm(along, b, 1, both),
        DerivativeTerm(0, a, 1, -1.0 * both * a.dlog_scale_by(b)),
        DerivativeTerm(0, b, 1, -1.0 * both * b.dlog_scale_by(a)),
    ]
    if b.latlon_kind != "longitude":
        return Expression(tuple(parts))
    if a.latlon_kind == "latitude":
        # Q = e·H·e with e along the meridian, and ∂e/∂λ = -sin φ e_λ.
        return Expression(
            tuple(parts), (PoleCorrection(0, 2, azimuthal_derivative=-0.5, harmonic=2),)
        )
    return Expression(
        tuple(parts), (PoleCorrection(along, 1, azimuthal_derivative=-1.0),), finite_at_poles=lat
    )


@dataclass(frozen=True, eq=False)
class OrthogonalGrid:
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

    axes: tuple[GridAxis, ...]
    polar_closure: PolarClosure | None = None
    is_cartesian: bool = False
    cyclic: tuple[CyclicPoint, ...] = ()
    known: tuple[xr.Variable, ...] = ()

    def for_fields(self, fields: list[xr.DataArray]) -> tuple[OrthogonalGrid, list[xr.DataArray]]:
        """The axes for some fields, and these; where a position is missing, so is a field."""
        for known in self.known:
            fields = [
                f.copy(deep=False, data=kept(f.variable, known).data)
                if set(known.dims) <= set(f.dims)
                else f
                for f in fields
            ]
        return self, fields


def kept(values: xr.Variable, valid: xr.Variable) -> xr.Variable:
    """The values where they are valid, along the dimensions of both, and missing ones elsewhere.

    If one of both is on a GPU, so is the result.
    """
    values, valid = (
        a.copy(data=to_device_of(a.data, b.data)) for a, b in ((values, valid), (valid, values))
    )
    if values.chunks and valid.chunks:  # in chunks of one kind
        few, many = sorted((values, valid), key=lambda part: part.ndim)
        same = few.chunk({d: n for d, n in many.chunksizes.items() if d in few.dims})
        values, valid = (same, valid) if few is values else (values, same)
    found: xr.Variable = xr.apply_ufunc(where_valid, values, valid, dask="allowed")
    return found


def cartesian_grid(axes: list[Axis]) -> OrthogonalGrid:
    """Coordinates as they are: all scale factors are 1."""
    return OrthogonalGrid(tuple(GridAxis(axis) for axis in axes), None, True, cyclic_points(axes))


def grid_with_scale_factors(
    axes: list[Axis], factors: ScaleFactors, sizes: Mapping[Hashable, int], slope: Slope
) -> OrthogonalGrid:
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
    grid_axes = []
    for axis in axes:
        slopes = {by: s for (dim, by), s in along.items() if dim == axis.dim}
        others = [s for (dim, by), s in along.items() if by == axis.dim and dim != axis.dim]
        if axis.dim in factors.factors:
            in_length = axis._replace(units=factors.units[axis.dim])
            inverse = 1 / lengths[axis.dim]
            grid_axes.append(GridAxis(in_length, inverse, slopes, sum(others, 0.0)))
        else:
            grid_axes.append(GridAxis(axis, 1.0, slopes, sum(others, 0.0)))
    return OrthogonalGrid(tuple(grid_axes), cyclic=points)
