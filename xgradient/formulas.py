"""The operators in orthogonal coordinates, each as sums of parts.

With scale factors h and components of vectors along unit vectors, as in Batchelor (1967),
An Introduction to Fluid Dynamics, appendix 2 (doi:10.1017/CBO9780511800955). Second derivatives
have stencils of their own, and the derivatives of h are known, so nothing is differentiated twice.

On a row that stands on a pole the terms with 1/cos φ are left out, and `PolePart` tells what the
formula tends to there. With D the derivative of a field along the meridians at the pole: D of a
scalar has one wave round the pole; D of a component, and the second derivative of a scalar, have
a mean and two waves, for they are the elements of one tensor in directions that turn.

Each form is a function of the frame; those for frames of another kind stand with them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from .frames import AnyFrame, Coefficient, Column, Side

__all__ = [
    "Formula",
    "Part",
    "PolePart",
    "curl_parts",
    "divergence_parts",
    "gradient_parts",
    "hessian_parts",
    "jacobian_parts",
    "laplacian_parts",
    "pure_parts",
]


@dataclass(frozen=True, eq=False)
class Part:
    """``coefficient × derivative of a field``; the field itself if ``deriv`` is 0.

    The field is the number of an input array, or a formula of these that is evaluated before. A
    ``centred`` part is zero next to ends and missing values.
    """

    field: int | Formula
    side: Side | Column
    deriv: int
    coefficient: Coefficient
    centred: bool = False


@dataclass(frozen=True)
class PolePart:
    """What comes to a sum on pole rows: D, its mean round the pole, and its turning.

    ``keep D + mean <D> + turn sin φ ∂P/∂λ``, where D is the derivative of a field along the
    meridian in metres, and P the part of D with ``harmonic`` waves round the pole.
    """

    field: int | Formula
    deriv: int
    keep: float = 0.0
    mean: float = 0.0
    turn: float = 0.0
    harmonic: int = 1


@dataclass(frozen=True, eq=False)
class Formula:
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

    parts: tuple[Part, ...]
    poles: tuple[PolePart, ...] = ()
    defined: bool = True

    @property
    def inner(self) -> list[Formula]:
        """The formulas that are to be evaluated before this one."""
        every: list[Part | PolePart] = [*self.parts, *self.poles]
        return [p.field for p in every if isinstance(p.field, Formula)]

    @property
    def key(self) -> Hashable:
        """The same for two formulas only if they are one sum."""
        return tuple(
            (p.field, p.side.axis.dim, p.deriv, _identity(p.coefficient)) for p in self.parts
        )

    def __add__(self, other: Formula) -> Formula:
        return Formula(
            self.parts + other.parts, self.poles + other.poles, self.defined and other.defined
        )

    def __mul__(self, factor: float) -> Formula:
        if factor == 1:
            return self
        return Formula(
            tuple(replace(p, coefficient=p.coefficient * factor) for p in self.parts),
            tuple(
                replace(p, keep=p.keep * factor, mean=p.mean * factor, turn=p.turn * factor)
                for p in self.poles
            ),
            self.defined,
        )

    def signed(self, signs: Sequence[int]) -> Formula:
        """The same for fields that are these times signs."""

        def sign(field: int | Formula) -> int:
            return signs[field] if isinstance(field, int) else 1

        return Formula(
            tuple(replace(p, coefficient=p.coefficient * sign(p.field)) for p in self.parts),
            tuple(
                replace(p, keep=p.keep * s, mean=p.mean * s, turn=p.turn * s)
                for p, s in ((p, sign(p.field)) for p in self.poles)
            ),
            self.defined,
        )

    def __neg__(self) -> Formula:
        return self * -1.0

    def __sub__(self, other: Formula) -> Formula:
        return self + -other


def _identity(coefficient: Coefficient) -> float | int:
    """A number that stands for a coefficient while it exists."""
    return coefficient if isinstance(coefficient, float) else id(coefficient)


def _has_lat(frame: AnyFrame) -> bool:
    return any(side.kind == "latitude" for side in frame.sides)


@singledispatch
def gradient_parts(frame: AnyFrame, i: int, field: int | Formula = 0) -> Formula:
    """Component i of the gradient: ∂_i f / h_i."""
    side = frame.sides[i]
    # f = f0 + θ D(λ) + …, so ∂f/∂λ / (R cos φ) tends to -∂D/∂λ / sin φ.
    poles = (PolePart(field, 1, turn=-1.0),) if side.kind == "longitude" else ()
    return Formula((Part(field, side, 1, side.inverse),), poles)


@singledispatch
def pure_parts(frame: AnyFrame, i: int, deriv: int) -> Formula:
    """Derivative of some order along one axis, (∂_i / h_i)^deriv f.

    Raises
    ------
    ValueError
        For orders above 2 along an axis whose scale factor changes along it.
    """
    if deriv == 1:
        return gradient_parts(frame, i)
    side = frame.sides[i]
    own = side.slope(side)
    lead = Formula((Part(0, side, deriv, side.inverse**deriv),), defined=side.kind != "longitude")
    if isinstance(own, float) or not own.values.any():
        return lead
    if deriv > 2:
        raise ValueError(
            f"deriv is {deriv} along {str(side.axis.name)!r}, whose scale factor changes along "
            "it; under such a metric only first and second derivatives are offered"
        )
    return lead + Formula((Part(0, side, 1, -own * side.inverse**2),))


@singledispatch
def laplacian_parts(frame: AnyFrame, factors: list[float]) -> Formula:
    """Σ_i factor_i [∂_ii f + ∂_i f (Σ_{j≠i} ∂_i ln h_j - ∂_i ln h_i)] / h_i²."""
    total = Formula((), defined=_has_lat(frame) or not _on_globe(frame))
    for side, factor in zip(frame.sides, factors, strict=True):
        squared = side.inverse**2
        first = squared * (side.others - side.slope(side))
        # The trace of the second derivatives is twice their mean over all directions.
        poles = (PolePart(0, 2, keep=-1.0, mean=2.0),) if side.kind == "latitude" else ()
        total += Formula((Part(0, side, 2, squared), Part(0, side, 1, first)), poles) * factor
    return total


def _on_globe(frame: AnyFrame) -> bool:
    return any(side.kind == "longitude" for side in frame.sides)


@singledispatch
def divergence_parts(frame: AnyFrame, factors: list[float]) -> Formula:
    """Σ_i factor_i [∂_i F_i + F_i Σ_{j≠i} ∂_i ln h_j] / h_i."""
    total = Formula((), defined=_has_lat(frame) or not _on_globe(frame))
    for i, (side, factor) in enumerate(zip(frame.sides, factors, strict=True)):
        poles = (PolePart(i, 1, keep=-1.0, mean=2.0),) if side.kind == "latitude" else ()
        parts = Part(i, side, 1, side.inverse), Part(i, side, 0, side.inverse * side.others)
        total += Formula(parts, poles) * factor
    return total


@singledispatch
def curl_parts(frame: AnyFrame, i: int, j: int, factors: tuple[float, float]) -> Formula:
    """[∂_i F_j + F_j ∂_i ln h_j] / h_i - [∂_j F_i + F_i ∂_j ln h_i] / h_j.

    The component of the curl that is right-handed to axes i and j; the factors belong to the
    first and the second bracket.
    """
    a, b = frame.sides[i], frame.sides[j]
    kinds = a.kind, b.kind
    first = Formula((Part(j, a, 1, a.inverse), Part(j, a, 0, a.inverse * b.slope(a))))
    second = Formula((Part(i, b, 1, b.inverse), Part(i, b, 0, b.inverse * a.slope(b))))
    if kinds == ("longitude", "latitude"):
        second += Formula((), (PolePart(i, 1, keep=-1.0, mean=2.0),))
    elif "longitude" in kinds:
        # The vertical component is a scalar, whose gradient is known on a pole.
        scalar = Formula((), (PolePart(j if kinds[0] == "longitude" else i, 1, turn=-1.0),))
        first, second = (
            (first + scalar, second) if kinds[0] == "longitude" else (first, second + scalar)
        )
    return first * factors[0] - second * factors[1]


@singledispatch
def jacobian_parts(frame: AnyFrame, i: int, j: int) -> Formula:
    """Derivative of component i along axis j.

    ∂_j F_i / h_j - F_j ∂_i ln h_j / h_i, and for i = j
    ∂_i F_i / h_i + Σ_{k≠i} F_k ∂_k ln h_i / h_k.
    """
    a, b = frame.sides[i], frame.sides[j]
    parts = [Part(i, b, 1, b.inverse)]
    if i == j:
        for k, c in enumerate(frame.sides):
            if k != i:
                parts.append(Part(k, c, 0, c.inverse * a.slope(c)))
    else:
        parts.append(Part(j, a, 0, -1.0 * a.inverse * b.slope(a)))
    if b.kind != "longitude":
        return Formula(tuple(parts))
    lat = next((k for k, c in enumerate(frame.sides) if c.kind == "latitude"), None)
    if lat is None:
        return Formula(tuple(parts), defined=False)
    if i == j:  # the trace, less the other element on the diagonal
        return Formula(tuple(parts), (PolePart(lat, 1, keep=-1.0, mean=2.0),))
    if i == lat:  # the curl, and the other element beside the diagonal
        return Formula(tuple(parts), (PolePart(j, 1, keep=1.0, mean=-2.0),))
    return Formula(tuple(parts), (PolePart(i, 1, turn=-1.0),))


@singledispatch
def hessian_parts(frame: AnyFrame, i: int, j: int) -> Formula:
    """Second derivative of a scalar along axes i and j.

    (∂_ij f - ∂_i f ∂_j ln h_i - ∂_j f ∂_i ln h_j) / (h_i h_j), and for i = j
    (∂_ii f - ∂_i f ∂_i ln h_i) / h_i² + Σ_{k≠i} ∂_k f ∂_k ln h_i / h_k².
    """
    if i != j and frame.sides[i].kind == "longitude":
        i, j = j, i  # where they come second, it is known what stands on a pole
    a, b = frame.sides[i], frame.sides[j]
    lat = any(side.kind == "latitude" for side in frame.sides)
    if i == j:
        squared = a.inverse**2
        parts = [Part(0, a, 2, squared), Part(0, a, 1, -1.0 * squared * a.slope(a))]
        for k, c in enumerate(frame.sides):
            if k != i:
                parts.append(Part(0, c, 1, c.inverse**2 * a.slope(c)))
        poles = (PolePart(0, 2, keep=-1.0, mean=2.0),) if a.kind == "longitude" else ()
        return Formula(tuple(parts), poles, defined=lat or a.kind != "longitude")
    both, along = a.inverse * b.inverse, Formula((Part(0, a, 1, 1.0),))
    parts = [
        Part(along, b, 1, both),
        Part(0, a, 1, -1.0 * both * a.slope(b)),
        Part(0, b, 1, -1.0 * both * b.slope(a)),
    ]
    if b.kind != "longitude":
        return Formula(tuple(parts))
    if a.kind == "latitude":
        # Q = e·H·e with e along the meridian, and ∂e/∂λ = -sin φ e_λ.
        return Formula(tuple(parts), (PolePart(0, 2, turn=-0.5, harmonic=2),))
    return Formula(tuple(parts), (PolePart(along, 1, turn=-1.0),), defined=lat)
