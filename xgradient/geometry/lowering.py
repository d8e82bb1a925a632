"""From formulas to sums of terms on arrays: stencils, weights, and what stands on poles."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from ..engine.terms import PolarFold, PoleValue, Term, TermSum
from ..labels.axis import Axis
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil, identity_stencil
from .expression import DerivativeTerm, Expression, PoleCorrection
from .grid import Grid
from .grid_axis import Coefficient, GridAxis, VerticalCoord


@dataclass(frozen=True, eq=False)
class LoweringContext:
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

    grid: Grid
    dims: tuple[Hashable, ...]
    shape: tuple[int, ...]
    scheme: Scheme
    is_component: tuple[bool, ...]
    subexpressions: Mapping[Hashable, int] = field(default_factory=dict)
    column_inputs: Mapping[VerticalCoord, int] = field(default_factory=dict)

    @classmethod
    def for_scalar(cls, grid: Grid, field: xr.DataArray, scheme: Scheme) -> LoweringContext:
        """The place of one field that is no component of a vector."""
        return cls(grid, field.dims, field.shape, scheme, (False,))

    def lower(self, expression: Expression, *, squares: bool = False) -> TermSum:
        """The terms of a formula, or of the root of the sum of their squares."""
        poles = self.grid.polar_closure
        on_rows = poles is not None and any(poles.pole_signs)
        if on_rows and (expression.pole_corrections or not expression.finite_at_poles):
            assert poles is not None
            if not expression.finite_at_poles:
                raise ValueError(
                    f"this has no finite value on the rows of {str(poles.lat.name)!r} that stand "
                    "on a pole; drop them, e.g. with .isel, or take an operator of latitude and "
                    "longitude together, such as .laplacian or .hessian"
                )
            if poles.refusal and self._around() is not None:
                raise ValueError(poles.refusal)
        made = [self._term(part) for part in _combine_like_terms(expression.terms)]
        # A term by positions is alone in its sum.
        terms = _fuse_terms(made) if len(made) > 1 else tuple(made)
        ends = tuple(self._pole(p) for p in expression.pole_corrections) if on_rows else ()
        return TermSum(terms, ends, squares)

    def _term(self, term: DerivativeTerm) -> Term:
        if isinstance(term.grid_axis, VerticalCoord):
            return self._column(term, term.grid_axis)
        axis = self._axis(term.grid_axis)
        d, coefficient = self.dims.index(axis.dim), term.coefficient
        number = self._number(term.field)
        if not term.deriv:
            return Term(number, d, identity_stencil(self.shape[d]), self._weight(coefficient))
        scheme = self.scheme.with_deriv(term.deriv)
        make = scheme.interior_stencil if term.interior_only else scheme.stencil
        stencil = make(axis.nodes, f"dimension {str(axis.dim)!r}")
        weight = None
        if isinstance(coefficient, xr.Variable) and coefficient.dims not in ((), (axis.dim,)):
            weight = self._weight(coefficient)
        else:
            # What changes along the axis only is part of the stencil, and costs nothing.
            values = np.asarray(coefficient)
            stencil = stencil if values.ndim == 0 and values == 1 else stencil.scale(values)
        return Term(number, d, stencil, weight, fold=self._fold(number, axis))

    def _column(self, term: DerivativeTerm, column: VerticalCoord) -> Term:
        d = self.dims.index(column.dim)
        windows = self.scheme.with_deriv(term.deriv).column_windows(
            self.shape[d], f"dimension {str(column.dim)!r}"
        )
        positions = self.column_inputs[column]
        return Term(self._number(term.field), d, windows, positions=positions)

    def _number(self, source: int | Expression) -> int:
        """The number of the array that a part is taken of."""
        return source if isinstance(source, int) else self.subexpressions[source.key]

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
        poles = self.grid.polar_closure
        has = poles is not None and poles.lon_dim in self.dims
        return self.dims.index(poles.lon_dim) if poles is not None and has else None

    def _axis(self, grid_axis: GridAxis) -> Axis:
        """The axis of a side; latitudes without longitudes do not continue across the poles."""
        poles = self.grid.polar_closure
        if grid_axis.latlon_kind == "latitude" and poles is not None and self._around() is None:
            return poles.lat_without_lon
        return grid_axis.axis

    def _fold(self, field: int, axis: Axis) -> PolarFold | None:
        around = self._around()
        if axis.nodes.fold_positions is None or around is None:
            return None
        return PolarFold(around, -1 if self.is_component[field] else 1, axis.nodes.on_fold)

    def _pole(self, part: PoleCorrection) -> PoleValue:
        poles = self.grid.polar_closure
        assert poles is not None
        around = self._around()
        lat = poles.lat_without_lon if around is None else poles.lat
        scheme = self.scheme.with_deriv(part.deriv)
        stencil = scheme.stencil(lat.nodes, f"dimension {str(lat.dim)!r}")
        n = lat.nodes.n
        rows = (
            stencil.slice_rows(0, 1) if poles.pole_signs[0] else None,
            stencil.slice_rows(n - 1, n) if poles.pole_signs[1] else None,
        )
        unit = [inverse**part.deriv for inverse in poles.inverse_scale]
        turns = [
            part.azimuthal_derivative * u * s * poles.lon_direction
            for u, s in zip(unit, poles.pole_signs, strict=True)
        ]
        number = self._number(part.field)
        return PoleValue(
            number,
            self.dims.index(lat.dim),
            rows,
            (part.value * unit[0], part.value * unit[1]),
            (part.mean * unit[0], part.mean * unit[1]),
            (turns[0], turns[1]),
            part.harmonic,
            around,
            self._fold(number, lat),
        )


def _fuse_terms(terms: list[Term]) -> tuple[Term, ...]:
    """The terms, those of one field along one axis with one stencil between them."""
    joined: list[Term] = []
    for term in terms:
        alike = [
            at
            for at, other in enumerate(joined)
            if (other.field, other.axis) == (term.field, term.axis)
            and other.output_weight is None
            and term.output_weight is None
            and _term_stencil(term).width > 1
        ]
        if alike:
            other = joined[alike[0]]
            joined[alike[0]] = replace(other, stencil=_term_stencil(other).add(_term_stencil(term)))
        elif (
            _term_stencil(term).width == 1
            and (mine := _term_with_free_value(joined, term.field)) is not None
        ):
            # The field itself is at hand where its derivative is taken.
            joined[mine] = replace(joined[mine], center_weight=term.output_weight)
        else:
            joined.append(term)
    return tuple(joined)


def _term_stencil(term: Term) -> Stencil:
    """The stencil of a term, as all terms of formulas have one."""
    assert isinstance(term.stencil, Stencil)
    return term.stencil


def _term_with_free_value(terms: list[Term], field: int) -> int | None:
    """The number of a term of this field that has room for a value beside its stencil."""
    for at, term in enumerate(terms):
        if term.field == field and term.output_weight is None and term.center_weight is None:
            return at
    return None


def _combine_like_terms(parts: tuple[DerivativeTerm, ...]) -> list[DerivativeTerm]:
    """The parts, those of one derivative of one field as one, without those that are zero."""
    merged: dict[tuple[Hashable, ...], DerivativeTerm] = {}
    for part in parts:
        value = part.coefficient
        if _is_zero(value):
            continue
        source = part.field if isinstance(part.field, int) else part.field.key
        key = (
            source,
            part.grid_axis.axis.dim if part.deriv else None,
            part.deriv,
            part.interior_only,
        )
        total = merged[key].coefficient + value if key in merged else value
        merged[key] = replace(part, coefficient=total)
    # A derivative first: what follows is added to it. A sum without any is one of zeros.
    return sorted(merged.values(), key=lambda part: part.deriv == 0) or list(parts[:1])


def _is_zero(value: Coefficient) -> bool:
    """Whether a coefficient vanishes, as far as it can be told without computing it."""
    if isinstance(value, xr.Variable):
        return isinstance(value.data, np.ndarray) and not value.data.any()
    return not value
