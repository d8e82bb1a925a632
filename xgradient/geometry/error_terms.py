"""Lowering of the error of a derivative: by two orders of accuracy, and by errors of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..engine.terms import PoleValue, Term, TermSum
from ..stencils.errors import StencilGroup, make_error_stencil, make_noise_stencil
from ..stencils.table import Stencil
from .expression import Expression
from .lowering import LoweringContext

#: Makes a group of a stencil, the stencil of higher order, and whether the axis is periodic.
MakeGroup = Callable[[Stencil, Stencil, bool], StencilGroup]


@dataclass(frozen=True)
class ErrorTerms:
    """The sums of a derivative and of its error.

    Attributes
    ----------
    rounding : float
        The relative rounding of the data.
    sigma : float, optional
        The standard deviation of the data.
    sigma_input : int, optional
        The input array that holds the standard deviation of each value.
    """

    rounding: float
    sigma: float | None = None
    sigma_input: int | None = None

    @property
    def has_noise(self) -> bool:
        """True if the errors of the data are known."""
        return self.sigma is not None or self.sigma_input is not None

    def lower(self, context: LoweringContext, expression: Expression) -> list[TermSum]:
        """Return the sums of a derivative, of its error and of its noise, if there is one.

        A derivative of several terms has the sum of their errors, which is an upper bound.
        """
        higher_context = replace(context, scheme=context.scheme.two_orders_higher())
        derivative, split = context.lower(expression), expression.split_stretching()
        parts, higher = context.lower(split), higher_context.lower(split)

        def error(stencil: Stencil, other: Stencil, periodic: bool) -> StencilGroup:
            return make_error_stencil(stencil, other, self.rounding, periodic=periodic)

        def noise(stencil: Stencil, other: Stencil, periodic: bool) -> StencilGroup:
            return make_noise_stencil(stencil, self.sigma)

        sums = [derivative, _sum_of_groups(parts, higher, error, 0)]
        if self.has_noise:
            sums.append(_sum_of_groups(parts, higher, noise, self.sigma_input or 0))
        return sums


def _sum_of_groups(total: TermSum, higher: TermSum, make: MakeGroup, field: int) -> TermSum:
    """Return a sum of magnitudes: a group of stencils for each term, and for each row on a pole."""
    terms = tuple(
        _term_of_group(term, other, make, field)
        for term, other in zip(total.terms, higher.terms, strict=True)
    )
    values = tuple(
        _pole_value(value, other, make, field)
        for value, other in zip(total.pole_values, higher.pole_values, strict=True)
    )
    return TermSum(terms, values)


def _term_of_group(term: Term, other: Term, make: MakeGroup, field: int) -> Term:
    assert isinstance(term.stencil, Stencil)
    assert isinstance(other.stencil, Stencil)
    assert term.center_weight is None
    periodic = term.fold is None and not len(term.stencil.boundary_rows)
    weight = None if term.output_weight is None else abs(term.output_weight)
    group = make(term.stencil, other.stencil, periodic)
    return replace(term, field=field, stencil=group, output_weight=weight)


def _pole_value(value: PoleValue, other: PoleValue, make: MakeGroup, field: int) -> PoleValue:
    """Return the sum of the magnitudes of all parts of a value on a pole.

    A wave around the pole is at most twice the mean magnitude on the meridians.
    """
    rows: list[Any] = [
        make(row, higher, False)
        if isinstance(row, Stencil) and isinstance(higher, Stencil)
        else None
        for row, higher in zip(value.rows, other.rows, strict=True)
    ]
    waves = 0 if value.lon_axis is None else 2 * value.harmonic
    means = [
        abs(mean) + waves * abs(azimuthal)
        for mean, azimuthal in zip(value.mean, value.azimuthal_derivative, strict=True)
    ]
    fold = value.fold and replace(value.fold, sign=1)
    first, last = value.value
    return replace(
        value, field=field, rows=(rows[0], rows[1]), value=(abs(first), abs(last)),
        mean=(means[0], means[1]), azimuthal_derivative=(0.0, 0.0), fold=fold,
    )  # fmt: skip
