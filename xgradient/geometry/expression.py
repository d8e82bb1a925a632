"""Operators without data: sums of terms, each a coefficient times a derivative of a field."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import xarray as xr

from .grid_axis import Coefficient, GridAxis, VerticalCoord


@dataclass(frozen=True, eq=False)
class DerivativeTerm:
    """One term: ``coefficient × derivative of a field``.

    Attributes
    ----------
    field : int or Expression
        The number of an input array, or an expression of input arrays that is evaluated first.
    grid_axis : GridAxis or VerticalCoord
        The axis of the derivative.
    deriv : int
        The order of the derivative; 0 is the field itself.
    coefficient : Variable or float
        The coefficient.
    stretching : Variable, optional
        Times the second difference by the index, it is subtracted from a first derivative, which
        is corrected so for unequal steps. It is 0 next to boundaries and missing values.
    interior_only : bool
        True if the term is zero next to boundaries and missing values.
    """

    field: int | Expression
    grid_axis: GridAxis | VerticalCoord
    deriv: int
    coefficient: Coefficient
    stretching: xr.Variable | None = None
    interior_only: bool = False

    def scale(self, factor: float) -> DerivativeTerm:
        """Return the term times a factor."""
        return replace(self, coefficient=self.coefficient * factor)

    def split_stretching(self) -> list[DerivativeTerm]:
        """Return the term without stretching, and the second difference that this subtracts."""
        if self.stretching is None:
            return [self]
        weight = self.coefficient * self.stretching * -1.0
        second = DerivativeTerm(self.field, self.grid_axis, 2, weight, interior_only=True)
        return [replace(self, stretching=None), second]


@dataclass(frozen=True)
class PoleCorrection:
    """A value added to a sum on rows on a pole.

    It is ``value D + mean <D> + azimuthal_derivative sin φ ∂P/∂λ``. D is the derivative of a field
    along the meridian in metres, and <D> its mean around the pole. P is the part of D with
    ``harmonic`` waves around the pole.

    Attributes
    ----------
    field : int or Expression
        The number of an input array, or an expression of input arrays that is evaluated first.
    deriv : int
        The order of the derivative D.
    value, mean, azimuthal_derivative : float
        The three factors.
    harmonic : int
        Number of waves of P around the pole.
    """

    field: int | Expression
    deriv: int
    value: float = 0.0
    mean: float = 0.0
    azimuthal_derivative: float = 0.0
    harmonic: int = 1

    def scale(self, factor: float) -> PoleCorrection:
        """Return the correction times a factor."""
        return replace(
            self,
            value=self.value * factor,
            mean=self.mean * factor,
            azimuthal_derivative=self.azimuthal_derivative * factor,
        )


@dataclass(frozen=True, eq=False)
class Expression:
    """A sum of terms, with the values that replace infinite terms on poles.

    Attributes
    ----------
    terms : tuple of DerivativeTerm
        The terms.
    pole_corrections : tuple of PoleCorrection
        Values added on rows on a pole.
    finite_at_poles : bool
        False if the expression has no value on rows on a pole.
    """

    terms: tuple[DerivativeTerm, ...]
    pole_corrections: tuple[PoleCorrection, ...] = ()
    finite_at_poles: bool = True

    @property
    def subexpressions(self) -> list[Expression]:
        """Expressions that are evaluated before this one."""
        every: list[DerivativeTerm | PoleCorrection] = [*self.terms, *self.pole_corrections]
        return [term.field for term in every if isinstance(term.field, Expression)]

    @property
    def key(self) -> Hashable:
        """A value by which two expressions are equal only if they are the same sum."""
        return tuple(
            (t.field, t.grid_axis.dim, t.deriv, _coefficient_key(t.coefficient), id(t.stretching))
            for t in self.terms
        )

    def split_stretching(self) -> Expression:
        """Return the expression with a term for each second difference."""
        terms = [part for term in self.terms for part in term.split_stretching()]
        return replace(self, terms=tuple(terms))

    def __add__(self, other: Expression) -> Expression:
        return Expression(
            self.terms + other.terms,
            self.pole_corrections + other.pole_corrections,
            self.finite_at_poles and other.finite_at_poles,
        )

    def __mul__(self, factor: float) -> Expression:
        if factor == 1:
            return self
        return Expression(
            tuple(term.scale(factor) for term in self.terms),
            tuple(correction.scale(factor) for correction in self.pole_corrections),
            self.finite_at_poles,
        )

    def weighted(self, weights: Sequence[float]) -> Expression:
        """Return the expression for input arrays that are multiplied by weights."""

        def weight(field: int | Expression) -> float:
            return weights[field] if isinstance(field, int) else 1

        return Expression(
            tuple(term.scale(weight(term.field)) for term in self.terms),
            tuple(c.scale(weight(c.field)) for c in self.pole_corrections),
            self.finite_at_poles,
        )

    def __neg__(self) -> Expression:
        return self * -1.0

    def __sub__(self, other: Expression) -> Expression:
        return self + -other


def _coefficient_key(coefficient: Coefficient) -> float | int:
    """Return a number that is the same for two coefficients only if they are one object."""
    return coefficient if isinstance(coefficient, float) else id(coefficient)
