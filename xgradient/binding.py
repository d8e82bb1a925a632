"""From formulas to sums of terms on arrays: stencils, weights, and what stands on poles."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from .axes import Axis
from .formulas import Formula, Part, PolePart
from .frames import AnyFrame, Coefficient, Column, Side
from .stencils import Order, Stencil, identity
from .terms import Fold, PoleTerm, Sum, Term

__all__ = ["Binding"]


@dataclass(frozen=True, eq=False)
class Binding:
    """Where formulas are to be evaluated.

    Attributes
    ----------
    frame : Frame
        The axes.
    dims : tuple of hashable
        The dimensions of all input arrays, in their order.
    shape : tuple of int
        Their lengths.
    order : Order
        The accuracy of first derivatives and how they end; others are as accurate.
    vectors : tuple of bool
        For each input array whether it is a horizontal component, which turns round at a pole.
    inner : mapping from key to int
        For formulas that are evaluated before others, by their keys, the array with the values.
    columns : mapping from Column to int
        The arrays with the positions of axes that differ from column to column.
    """

    frame: AnyFrame
    dims: tuple[Hashable, ...]
    shape: tuple[int, ...]
    order: Order
    vectors: tuple[bool, ...]
    inner: Mapping[Hashable, int] = field(default_factory=dict)
    columns: Mapping[Column, int] = field(default_factory=dict)

    @classmethod
    def of_scalar(cls, frame: AnyFrame, field: xr.DataArray, order: Order) -> Binding:
        """The place of one field that is no component of a vector."""
        return cls(frame, field.dims, field.shape, order, (False,))

    def sum(self, formula: Formula, *, squares: bool = False) -> Sum:
        """The terms of a formula, or of the root of the sum of their squares."""
        poles = self.frame.poles
        on_rows = poles is not None and any(poles.signs)
        if on_rows and (formula.poles or not formula.defined):
            assert poles is not None
            if not formula.defined:
                raise ValueError(
                    f"this has no finite value on the rows of {str(poles.lat.name)!r} that stand "
                    "on a pole; drop them, e.g. with .isel, or take an operator of latitude and "
                    "longitude together, such as .laplacian or .hessian"
                )
            if poles.refusal and self._around() is not None:
                raise ValueError(poles.refusal)
        made = [self._term(part) for part in _merged(formula.parts)]
        # A term by positions is alone in its sum.
        terms = _joined(made) if len(made) > 1 else tuple(made)
        ends = tuple(self._pole(p) for p in formula.poles) if on_rows else ()
        return Sum(terms, ends, squares)

    def _term(self, part: Part) -> Term:
        if isinstance(part.side, Column):
            return self._column(part, part.side)
        axis = self._axis(part.side)
        d, coefficient = self.dims.index(axis.dim), part.coefficient
        number = self._number(part.field)
        if not part.deriv:
            return Term(number, d, identity(self.shape[d]), self._weight(coefficient))
        order = self.order.of(part.deriv)
        make = order.centred if part.centred else order.stencil
        stencil = make(axis.nodes, f"dimension {str(axis.dim)!r}")
        weight = None
        if isinstance(coefficient, xr.Variable) and coefficient.dims not in ((), (axis.dim,)):
            weight = self._weight(coefficient)
        else:
            # What changes along the axis only is part of the stencil, and costs nothing.
            values = np.asarray(coefficient)
            stencil = stencil if values.ndim == 0 and values == 1 else stencil.scaled(values)
        return Term(number, d, stencil, weight, fold=self._fold(number, axis))

    def _column(self, part: Part, column: Column) -> Term:
        d = self.dims.index(column.dim)
        windows = self.order.of(part.deriv).windows(self.shape[d], f"dimension {str(column.dim)!r}")
        positions = self.columns[column]
        return Term(self._number(part.field), d, windows, positions=positions)

    def _number(self, source: int | Formula) -> int:
        """The number of the array that a part is taken of."""
        return source if isinstance(source, int) else self.inner[source.key]

    def _weight(self, coefficient: Coefficient) -> Any:
        """A coefficient with as many dimensions as the arrays, of their length or 1."""
        if not isinstance(coefficient, xr.Variable):
            return np.full((1,) * len(self.dims), coefficient, dtype=np.float64)
        if missing := [d for d in coefficient.dims if d not in self.dims]:
            raise ValueError(
                f"lengths depend on {str(missing[0])!r}, which is no dimension of a field with "
                f"{', '.join(repr(str(d)) for d in self.dims)}; leave this field out, or give it "
                "the dimension, e.g. with .broadcast_like"
            )
        mine = [d for d in self.dims if d in coefficient.dims]
        values = coefficient.transpose(*mine).astype(np.float64, copy=False).data
        return values[tuple(slice(None) if d in mine else None for d in self.dims)]

    def _around(self) -> int | None:
        """The dimension of longitudes that go round, if the arrays have it."""
        poles = self.frame.poles
        has = poles is not None and poles.around in self.dims
        return self.dims.index(poles.around) if poles is not None and has else None

    def _axis(self, side: Side) -> Axis:
        """The axis of a side; latitudes without longitudes do not continue across the poles."""
        poles = self.frame.poles
        if side.kind == "latitude" and poles is not None and self._around() is None:
            return poles.alone
        return side.axis

    def _fold(self, field: int, axis: Axis) -> Fold | None:
        around = self._around()
        if axis.nodes.turns is None or around is None:
            return None
        return Fold(around, -1 if self.vectors[field] else 1, axis.nodes.skips)

    def _pole(self, part: PolePart) -> PoleTerm:
        poles = self.frame.poles
        assert poles is not None
        around = self._around()
        lat = poles.alone if around is None else poles.lat
        order = self.order.of(part.deriv)
        stencil = order.stencil(lat.nodes, f"dimension {str(lat.dim)!r}")
        n = lat.nodes.n
        rows = (
            stencil.rows(0, 1) if poles.signs[0] else None,
            stencil.rows(n - 1, n) if poles.signs[1] else None,
        )
        unit = [inverse**part.deriv for inverse in poles.inverse]
        turns = [part.turn * u * s * poles.east for u, s in zip(unit, poles.signs, strict=True)]
        number = self._number(part.field)
        return PoleTerm(
            number,
            self.dims.index(lat.dim),
            rows,
            (part.keep * unit[0], part.keep * unit[1]),
            (part.mean * unit[0], part.mean * unit[1]),
            (turns[0], turns[1]),
            part.harmonic,
            around,
            self._fold(number, lat),
        )


def _joined(terms: list[Term]) -> tuple[Term, ...]:
    """The terms, those of one field along one axis with one stencil between them."""
    joined: list[Term] = []
    for term in terms:
        alike = [
            at
            for at, other in enumerate(joined)
            if (other.field, other.axis) == (term.field, term.axis)
            and other.weight is None
            and term.weight is None
            and _stencil(term).width > 1
        ]
        if alike:
            other = joined[alike[0]]
            joined[alike[0]] = replace(other, stencil=_stencil(other).plus(_stencil(term)))
        elif _stencil(term).width == 1 and (mine := _unweighted(joined, term.field)) is not None:
            # The field itself is at hand where its derivative is taken.
            joined[mine] = replace(joined[mine], value=term.weight)
        else:
            joined.append(term)
    return tuple(joined)


def _stencil(term: Term) -> Stencil:
    """The stencil of a term, as all terms of formulas have one."""
    assert isinstance(term.stencil, Stencil)
    return term.stencil


def _unweighted(terms: list[Term], field: int) -> int | None:
    """The number of a term of this field that has room for a value beside its stencil."""
    for at, term in enumerate(terms):
        if term.field == field and term.weight is None and term.value is None:
            return at
    return None


def _merged(parts: tuple[Part, ...]) -> list[Part]:
    """The parts, those of one derivative of one field as one, without those that are zero."""
    merged: dict[tuple[Hashable, ...], Part] = {}
    for part in parts:
        value = part.coefficient
        if _is_zero(value):
            continue
        source = part.field if isinstance(part.field, int) else part.field.key
        key = (source, part.side.axis.dim if part.deriv else None, part.deriv, part.centred)
        total = merged[key].coefficient + value if key in merged else value
        merged[key] = replace(part, coefficient=total)
    # A derivative first: what follows is added to it. A sum without any is one of zeros.
    return sorted(merged.values(), key=lambda part: part.deriv == 0) or list(parts[:1])


def _is_zero(value: Coefficient) -> bool:
    """Whether a coefficient vanishes, as far as it can be told without computing it."""
    if isinstance(value, xr.Variable):
        return isinstance(value.data, np.ndarray) and not value.data.any()
    return not value
