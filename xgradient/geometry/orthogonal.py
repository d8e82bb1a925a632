"""Grids along single dimensions with orthogonal axes, and the operators on them.

Operators are sums of terms with scale factors h; components of vectors are along unit vectors, as
in Batchelor (1967), An Introduction to Fluid Dynamics, appendix 2
(doi:10.1017/CBO9780511800955). Second derivatives have their own stencils and derivatives of h are
known, so no array is differentiated twice.

On a row on a pole, terms with 1/cos φ are left out, and a `PoleCorrection` adds the limit of the
expression. D is the derivative of a field along the meridians at the pole. For a scalar, D has one
wave around the pole. For a component, and for the second derivative of a scalar, D has a mean and
two waves: these are elements of one tensor along directions that rotate with longitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import xarray as xr

from ..labels.axis import Axis
from .cyclic import cyclic_points
from .expression import DerivativeTerm, Expression, PoleCorrection
from .grid import Grid, mask_invalid
from .grid_axis import GridAxis, VerticalCoord


@final
@dataclass(frozen=True, eq=False)
class OrthogonalGrid(Grid):
    """A grid whose axes are orthogonal, each along one dimension.

    Attributes
    ----------
    axes : tuple of GridAxis or VerticalCoord
        The axes that the call names.
    known : tuple of Variable
        Valid positions (true) and missing ones, for each dimension along which some are missing.
    """

    axes: tuple[GridAxis | VerticalCoord, ...]
    known: tuple[xr.Variable, ...] = ()

    def for_fields(self, fields: list[xr.DataArray]) -> tuple[OrthogonalGrid, list[xr.DataArray]]:
        """Return the grid, and the fields with missing values where positions are missing."""
        for known in self.known:
            fields = [
                f.copy(deep=False, data=mask_invalid(f.variable, known).data)
                if set(known.dims) <= set(f.dims)
                else f
                for f in fields
            ]
        return self, fields

    def _has(self, latlon_kind: str) -> bool:
        return any(grid_axis.latlon_kind == latlon_kind for grid_axis in self.axes)

    @property
    def _is_finite_at_poles(self) -> bool:
        """Tell if sums over all axes are finite: longitudes alone lack the latitude's terms."""
        return self._has("latitude") or not self._has("longitude")

    def gradient(self, i: int, field: int | Expression = 0) -> Expression:
        """Return component i of the gradient, ∂_i f / h_i."""
        grid_axis = self.axes[i]
        # f = f0 + θ D(λ) + …, so ∂f/∂λ / (R cos φ) tends to -∂D/∂λ / sin φ.
        poles = (
            (PoleCorrection(field, 1, azimuthal_derivative=-1.0),)
            if grid_axis.latlon_kind == "longitude"
            else ()
        )
        return Expression((DerivativeTerm(field, grid_axis, 1, grid_axis.inverse_scale),), poles)

    def derivative(self, i: int, deriv: int) -> Expression:
        """Return the derivative of some order along one axis, (∂_i / h_i)^deriv f.

        Raises
        ------
        ValueError
            If the order is above 2 and the scale factor of the axis changes along it.
        """
        if deriv == 1:
            return self.gradient(i)
        grid_axis = self.axes[i]
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
        first = DerivativeTerm(0, grid_axis, 1, -own * grid_axis.inverse_scale**2)
        return lead + Expression((first,))

    def laplacian(self, factors: Sequence[float]) -> Expression:
        """Return Σ_i factor_i [∂_ii f + ∂_i f (Σ_{j≠i} ∂_i ln h_j - ∂_i ln h_i)] / h_i²."""
        total = Expression((), finite_at_poles=self._is_finite_at_poles)
        for grid_axis, factor in zip(self.axes, factors, strict=True):
            squared = grid_axis.inverse_scale**2
            first = squared * (grid_axis.dlog_others - grid_axis.dlog_scale_by(grid_axis))
            # The trace of the second derivatives is twice their mean over all directions.
            poles = (
                (PoleCorrection(0, 2, value=-1.0, mean=2.0),)
                if grid_axis.latlon_kind == "latitude"
                else ()
            )
            terms = (
                DerivativeTerm(0, grid_axis, 2, squared),
                DerivativeTerm(0, grid_axis, 1, first),
            )
            total += Expression(terms, poles) * factor
        return total

    def divergence(self, factors: Sequence[float]) -> Expression:
        """Return Σ_i factor_i [∂_i F_i + F_i Σ_{j≠i} ∂_i ln h_j] / h_i."""
        total = Expression((), finite_at_poles=self._is_finite_at_poles)
        for i, (grid_axis, factor) in enumerate(zip(self.axes, factors, strict=True)):
            poles = (
                (PoleCorrection(i, 1, value=-1.0, mean=2.0),)
                if grid_axis.latlon_kind == "latitude"
                else ()
            )
            terms = (
                DerivativeTerm(i, grid_axis, 1, grid_axis.inverse_scale),
                DerivativeTerm(i, grid_axis, 0, grid_axis.inverse_scale * grid_axis.dlog_others),
            )
            total += Expression(terms, poles) * factor
        return total

    def curl(self, i: int, j: int, factors: tuple[float, float]) -> Expression:
        """Return [∂_i F_j + F_j ∂_i ln h_j] / h_i - [∂_j F_i + F_i ∂_j ln h_i] / h_j.

        This component of the curl is right-handed to axes i and j. The two factors multiply the
        first and the second bracket.
        """
        a, b = self.axes[i], self.axes[j]
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
            # The vertical component is a scalar, and its gradient on a pole is known.
            vertical = j if kinds[0] == "longitude" else i
            at_pole = Expression((), (PoleCorrection(vertical, 1, azimuthal_derivative=-1.0),))
            if kinds[0] == "longitude":
                first += at_pole
            else:
                second += at_pole
        return first * factors[0] - second * factors[1]

    def jacobian(self, i: int, j: int) -> Expression:
        """Return the derivative of component i along axis j.

        ∂_j F_i / h_j - F_j ∂_i ln h_j / h_i, and for i = j
        ∂_i F_i / h_i + Σ_{k≠i} F_k ∂_k ln h_i / h_k.
        """
        a, b = self.axes[i], self.axes[j]
        terms = [DerivativeTerm(i, b, 1, b.inverse_scale)]
        if i == j:
            for k, c in enumerate(self.axes):
                if k != i:
                    terms.append(DerivativeTerm(k, c, 0, c.inverse_scale * a.dlog_scale_by(c)))
        else:
            terms.append(DerivativeTerm(j, a, 0, -1.0 * a.inverse_scale * b.dlog_scale_by(a)))
        if b.latlon_kind != "longitude":
            return Expression(tuple(terms))
        lat = next((k for k, c in enumerate(self.axes) if c.latlon_kind == "latitude"), None)
        if lat is None:
            return Expression(tuple(terms), finite_at_poles=False)
        if i == j:  # the trace without the other diagonal element
            return Expression(tuple(terms), (PoleCorrection(lat, 1, value=-1.0, mean=2.0),))
        if i == lat:  # the curl plus the other off-diagonal element
            return Expression(tuple(terms), (PoleCorrection(j, 1, value=1.0, mean=-2.0),))
        return Expression(tuple(terms), (PoleCorrection(i, 1, azimuthal_derivative=-1.0),))

    def hessian(self, i: int, j: int) -> Expression:
        """Return the second derivative of a scalar along axes i and j.

        (∂_ij f - ∂_i f ∂_j ln h_i - ∂_j f ∂_i ln h_j) / (h_i h_j), and for i = j
        (∂_ii f - ∂_i f ∂_i ln h_i) / h_i² + Σ_{k≠i} ∂_k f ∂_k ln h_i / h_k².
        """
        if i != j and self.axes[i].latlon_kind == "longitude":
            i, j = j, i  # the value on a pole is known with longitude second
        a, b = self.axes[i], self.axes[j]
        has_lat = self._has("latitude")
        if i == j:
            squared = a.inverse_scale**2
            terms = [
                DerivativeTerm(0, a, 2, squared),
                DerivativeTerm(0, a, 1, -1.0 * squared * a.dlog_scale_by(a)),
            ]
            for k, c in enumerate(self.axes):
                if k != i:
                    terms.append(DerivativeTerm(0, c, 1, c.inverse_scale**2 * a.dlog_scale_by(c)))
            if a.latlon_kind != "longitude":
                return Expression(tuple(terms))
            poles = (PoleCorrection(0, 2, value=-1.0, mean=2.0),)
            return Expression(tuple(terms), poles, finite_at_poles=has_lat)
        both = a.inverse_scale * b.inverse_scale
        along_a = Expression((DerivativeTerm(0, a, 1, 1.0),))
        terms = [
            DerivativeTerm(along_a, b, 1, both),
            DerivativeTerm(0, a, 1, -1.0 * both * a.dlog_scale_by(b)),
            DerivativeTerm(0, b, 1, -1.0 * both * b.dlog_scale_by(a)),
        ]
        if b.latlon_kind != "longitude":
            return Expression(tuple(terms))
        if a.latlon_kind == "latitude":
            # Q = e·H·e with e along the meridian, and ∂e/∂λ = -sin φ e_λ.
            poles = (PoleCorrection(0, 2, azimuthal_derivative=-0.5, harmonic=2),)
            return Expression(tuple(terms), poles)
        poles = (PoleCorrection(along_a, 1, azimuthal_derivative=-1.0),)
        return Expression(tuple(terms), poles, finite_at_poles=has_lat)


def cartesian_grid(axes: list[Axis]) -> OrthogonalGrid:
    """Return the grid of coordinates without a metric: all scale factors are 1."""
    grid_axes = tuple(GridAxis(axis) for axis in axes)
    return OrthogonalGrid(grid_axes, is_cartesian=True, cyclic=cyclic_points(axes))
