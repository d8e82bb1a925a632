"""Operators as sums of terms, without data: coefficient times derivative of a field."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from .grid_axis import Coefficient, GridAxis, VerticalCoord


@dataclass(frozen=True, eq=False)
class DerivativeTerm:
    """``coefficient × derivative of a field``; the field itself if ``deriv`` is 0.

    The field is the number of an input array, or a formula of these that is evaluated before. A
    ``centred`` part is zero next to ends and missing values.
    """

    field: int | Expression
    grid_axis: GridAxis | VerticalCoord
    deriv: int
    coefficient: Coefficient
    interior_only: bool = False


@dataclass(frozen=True)
class PoleCorrection:
    """What comes to a sum on pole rows: D, its mean round the pole, and its turning.

    ``keep D + mean <D> + turn sin φ ∂P/∂λ``, where D is the derivative of a field along the
    meridian in metres, and P the part of D with ``harmonic`` waves round the pole.
    """

    field: int | Expression
    deriv: int
    value: float = 0.0
    mean: float = 0.0
    azimuthal_derivative: float = 0.0
    harmonic: int = 1


@dataclass(frozen=True, eq=False)
class Expression:
    """A sum of parts, and what stands for the infinite ones on poles.

    Attributes
    ----------
    parts : tuple of Part
        The parts.
    poles : tuple of PolePart
        What comes to them on pole rows.
    defined : bool
        Whether the formula has a value on pole rows at all.
    """

    terms: tuple[DerivativeTerm, ...]
    pole_corrections: tuple[PoleCorrection, ...] = ()
    finite_at_poles: bool = True

    @property
    def subexpressions(self) -> list[Expression]:
        """The formulas that are to be evaluated before this one."""
        every: list[DerivativeTerm | PoleCorrection] = [*self.terms, *self.pole_corrections]
        return [p.field for p in every if isinstance(p.field, Expression)]

    @property
    def key(self) -> Hashable:
        """The same for two formulas only if they are one sum."""
        return tuple(
            (p.field, p.grid_axis.axis.dim, p.deriv, _coefficient_key(p.coefficient))
            for p in self.terms
        )

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
            tuple(replace(p, coefficient=p.coefficient * factor) for p in self.terms),
            tuple(
                replace(
                    p,
                    value=p.value * factor,
                    mean=p.mean * factor,
                    azimuthal_derivative=p.azimuthal_derivative * factor,
                )
                for p in self.pole_corrections
            ),
            self.finite_at_poles,
        )

    def signed(self, signs: Sequence[int]) -> Expression:
        """The same for fields that are these times signs."""

        def sign(field: int | Expression) -> int:
            return signs[field] if isinstance(field, int) else 1

        return Expression(
            tuple(replace(p, coefficient=p.coefficient * sign(p.field)) for p in self.terms),
            tuple(
                replace(
                    p,
                    value=p.value * s,
                    mean=p.mean * s,
                    azimuthal_derivative=p.azimuthal_derivative * s,
                )
                for p, s in ((p, sign(p.field)) for p in self.pole_corrections)
            ),
            self.finite_at_poles,
        )

    def __neg__(self) -> Expression:
        return self * -1.0

    def __sub__(self, other: Expression) -> Expression:
        return self + -other


def _coefficient_key(coefficient: Coefficient) -> float | int:
    """A number that stands for a coefficient while it exists."""
    return coefficient if isinstance(coefficient, float) else id(coefficient)
