"""Lowering of expressions to the engine's sums of terms: stencils, weights and pole values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from ..engine.ghost_cells import Walls
from ..engine.terms import PolarFold, PoleValue, Term, TermSum
from ..labels.axis import Axis
from ..stencils.nodes import Nodes
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil, identity_stencil
from .boundaries import AxisBoundary, boundaries_of_field
from .expression import DerivativeTerm, Expression, PoleCorrection
from .grid import Grid, PolarClosure
from .grid_axis import Coefficient, GridAxis, VerticalCoord


@dataclass(frozen=True, eq=False)
class LoweringContext:
    """Context of lowering: the grid and the input arrays of expressions.

    Attributes
    ----------
    grid : Grid
        The grid.
    dims : tuple of hashable
        The dimensions of all input arrays, in their order.
    shape : tuple of int
        The shape of all input arrays.
    scheme : Scheme
        Accuracy and boundary rows; the order of the derivative is that of each term.
    is_component : tuple of bool
        For each input array, true if it is a horizontal component, which changes its sign across
        a pole.
    subexpressions : mapping from key to int
        The input array with the values of each expression that was evaluated before.
    column_inputs : mapping from VerticalCoord to int
        The input array with the positions of each vertical coordinate.
    boundaries : tuple of mapping from dimension to AxisBoundary
        The boundary conditions of each input array; those at the end may lack.
    """

    grid: Grid
    dims: tuple[Hashable, ...]
    shape: tuple[int, ...]
    scheme: Scheme
    is_component: tuple[bool, ...]
    subexpressions: Mapping[Hashable, int] = field(default_factory=dict)
    column_inputs: Mapping[VerticalCoord, int] = field(default_factory=dict)
    boundaries: tuple[Mapping[Hashable, AxisBoundary], ...] = ()
    _weights: dict[Hashable, tuple[xr.Variable, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def for_scalar(cls, grid: Grid, field: xr.DataArray, scheme: Scheme) -> LoweringContext:
        """Return the context of one scalar field."""
        context = cls(grid, field.dims, field.shape, scheme, (False,))
        if grid.boundaries is None:
            return context
        return replace(context, boundaries=(boundaries_of_field(grid, field, [field.name]),))

    def lower(self, expression: Expression, *, squares: bool = False) -> TermSum:
        """Return the terms of an expression.

        Parameters
        ----------
        expression : Expression
            The expression.
        squares : bool
            True for the root of the sum of the squares of its terms.

        Raises
        ------
        ValueError
            If the expression has no value on a row on a pole, or a coefficient lies along a
            dimension that the input arrays lack.
        """
        poles = self.grid.polar_closure
        if poles is not None and not any(poles.pole_signs):
            poles = None  # no row is on a pole
        if poles is not None:
            self._check_poles(expression, poles)
        terms = [self._term(term) for term in _combine_like_terms(expression.terms)]
        # A term by positions of columns is alone in its sum.
        fused = _fuse_terms(terms) if len(terms) > 1 else tuple(terms)
        values: tuple[PoleValue, ...] = ()
        if poles is not None:
            values = tuple(self._pole_value(c, poles) for c in expression.pole_corrections)
        return TermSum(fused, values, squares)

    def _check_poles(self, expression: Expression, poles: PolarClosure) -> None:
        """Refuse an expression without a value on the rows on a pole."""
        if not expression.finite_at_poles:
            raise ValueError(
                f"this has no finite value on the rows of {str(poles.lat.name)!r} that are "
                "on a pole; drop them, e.g. with .isel, or take an operator of latitude and "
                "longitude together, such as .laplacian or .hessian"
            )
        if poles.refusal and expression.pole_corrections and self._lon_axis() is not None:
            raise ValueError(poles.refusal)

    def _term(self, term: DerivativeTerm) -> Term:
        if isinstance(term.grid_axis, VerticalCoord):
            return self._column(term, term.grid_axis)
        axis = self._axis(term.grid_axis)
        d, coefficient = self.dims.index(axis.dim), term.coefficient
        number, nodes = self._input_number(term.field), self._nodes(term.field, axis)
        if not term.deriv and not self.scheme.deriv:
            # The smoothed field is the field plus a sum of differences.
            stencil = self._stencil(self.scheme, term.field, axis, nodes)
            one, fold = self._weight(1.0), self._fold(term.field, axis)
            return Term(number, d, stencil, center_weight=one, fold=fold)
        if not term.deriv:
            return Term(number, d, identity_stencil(self.shape[d]), self._weight(coefficient))
        scheme = self.scheme.with_deriv(term.deriv)
        if term.interior_only:
            stencil = scheme.interior_stencil(nodes, f"dimension {str(axis.dim)!r}")
        else:
            stencil = self._stencil(scheme, term.field, axis, nodes)
        weight, stretching = None, None
        if term.stretching is not None:
            weight, stretching = self._weight(coefficient), self._weight(term.stretching)
        elif isinstance(coefficient, xr.Variable) and coefficient.dims not in ((), (axis.dim,)):
            weight = self._weight(coefficient)
        else:
            # A coefficient along the axis only is part of the stencil, at no cost.
            values = np.asarray(coefficient)
            stencil = stencil if values.ndim == 0 and values == 1 else stencil.scale(values)
        fold = self._fold(term.field, axis)
        return Term(number, d, stencil, weight, stretching=stretching, fold=fold)

    def _stencil(
        self, scheme: Scheme, field: int | Expression, axis: Axis, nodes: Nodes
    ) -> Stencil:
        """Return the stencil of an input array along an axis."""
        label, boundary = f"dimension {str(axis.dim)!r}", self._boundary(field, axis.dim)
        if boundary is None or boundary.coast is None:
            return scheme.stencil(nodes, label)
        return scheme.coast_stencil(nodes, label, boundary.coast)

    def _column(self, term: DerivativeTerm, column: VerticalCoord) -> Term:
        d = self.dims.index(column.dim)
        windows = self.scheme.with_deriv(term.deriv).column_windows(
            self.shape[d], f"dimension {str(column.dim)!r}"
        )
        positions = self.column_inputs[column]
        return Term(self._input_number(term.field), d, windows, positions=positions)

    def _input_number(self, field: int | Expression) -> int:
        """Return the number of the input array of a field or a subexpression."""
        return field if isinstance(field, int) else self.subexpressions[field.key]

    def _weight(self, coefficient: Coefficient) -> Any:
        """Return a coefficient that broadcasts against the input arrays."""
        if not isinstance(coefficient, xr.Variable):
            return np.full((1,) * len(self.dims), coefficient, dtype=np.float64)
        # Terms with the same weight share its array, which is then converted or sent once.
        key = id(coefficient), self.dims
        if key not in self._weights:
            self._weights[key] = coefficient, self._aligned(coefficient)
        return self._weights[key][1]

    def _aligned(self, coefficient: xr.Variable) -> Any:
        """Return the values of a coefficient with the dimensions of the input arrays."""
        if missing := [d for d in coefficient.dims if d not in self.dims]:
            raise ValueError(
                f"lengths depend on {str(missing[0])!r}, which is not a dimension of a field with "
                f"{', '.join(repr(str(d)) for d in self.dims)}; leave this field out, or give it "
                "the dimension, e.g. with .broadcast_like"
            )
        dims = [d for d in self.dims if d in coefficient.dims]
        values = coefficient.transpose(*dims).astype(np.float64, copy=False).data
        return values[tuple(slice(None) if d in dims else None for d in self.dims)]

    def _lon_axis(self) -> int | None:
        """Return the array axis of longitudes that cover the full circle; None if there is none."""
        poles = self.grid.polar_closure
        if poles is None or poles.lon_dim not in self.dims:
            return None
        return self.dims.index(poles.lon_dim)

    def _axis(self, grid_axis: GridAxis) -> Axis:
        """Return the axis of a term; latitudes continue across poles only with longitudes."""
        poles = self.grid.polar_closure
        if grid_axis.latlon_kind == "latitude" and poles is not None and self._lon_axis() is None:
            return poles.lat_without_lon
        return grid_axis.axis

    def _boundary(self, field: int | Expression, dim: Hashable) -> AxisBoundary | None:
        """Return the boundary conditions of an input array along a dimension."""
        if not self.boundaries:
            return None
        if isinstance(field, Expression):
            inner = self._boundary(field.terms[0].field, dim)
            return inner and inner.of_derivative(dim)
        return self.boundaries[field].get(dim) if field < len(self.boundaries) else None

    def _nodes(self, field: int | Expression, axis: Axis) -> Nodes:
        """Return the nodes of an axis, with the ends that an input array has."""
        boundary = self._boundary(field, axis.dim)
        return axis.nodes if boundary is None else boundary.nodes(axis.nodes)

    def _fold(self, field: int | Expression, axis: Axis) -> PolarFold | Walls | None:
        """Return how an input array continues across poles or beyond walls."""
        boundary = self._boundary(field, axis.dim)
        if boundary is not None and boundary.conditions is not None:
            nodes, d = boundary.nodes(axis.nodes), self.dims.index(axis.dim)
            return boundary.walls(nodes, d, self.scheme.reach, self._weight)
        return self._pole_fold(field, axis)

    def _pole_fold(self, field: int | Expression, axis: Axis) -> PolarFold | None:
        lon_axis = self._lon_axis()
        if axis.nodes.fold_positions is None or lon_axis is None:
            return None
        sign = -1 if self.is_component[self._input_number(field)] else 1
        return PolarFold(lon_axis, sign, axis.nodes.on_fold)

    def _pole_value(self, correction: PoleCorrection, poles: PolarClosure) -> PoleValue:
        """Return a pole correction for the input arrays."""
        lon_axis = self._lon_axis()
        lat = poles.lat_without_lon if lon_axis is None else poles.lat
        scheme = self.scheme.with_deriv(correction.deriv)
        stencil = scheme.stencil(lat.nodes, f"dimension {str(lat.dim)!r}")
        n = lat.nodes.n
        rows = (
            stencil.slice_rows(0, 1) if poles.pole_signs[0] else None,
            stencil.slice_rows(n - 1, n) if poles.pole_signs[1] else None,
        )
        per_metre = [inverse**correction.deriv for inverse in poles.inverse_scale]
        azimuthal = [
            correction.azimuthal_derivative * unit * sign * poles.lon_direction
            for unit, sign in zip(per_metre, poles.pole_signs, strict=True)
        ]
        number = self._input_number(correction.field)
        return PoleValue(
            number,
            self.dims.index(lat.dim),
            rows,
            (correction.value * per_metre[0], correction.value * per_metre[1]),
            (correction.mean * per_metre[0], correction.mean * per_metre[1]),
            (azimuthal[0], azimuthal[1]),
            correction.harmonic,
            lon_axis,
            self._pole_fold(correction.field, lat),
        )


def _fuse_terms(terms: list[Term]) -> tuple[Term, ...]:
    """Return the terms, with stencils on the same array and axis added up to one."""
    fused: list[Term] = []
    for term in terms:
        alike = [
            number
            for number, other in enumerate(fused)
            if (other.field, other.axis) == (term.field, term.axis)
            and other.output_weight is None
            and term.output_weight is None
            and _term_stencil(term).width > 1
            and _term_stencil(term).coasts is None  # each has separate windows there
        ]
        if alike:
            other = fused[alike[0]]
            fused[alike[0]] = replace(other, stencil=_term_stencil(other).add(_term_stencil(term)))
        elif (
            _term_stencil(term).width == 1
            and (free := _term_with_free_value(fused, term.field)) is not None
        ):
            # A loop over a derivative of the field has the value of the field at hand.
            fused[free] = replace(fused[free], center_weight=term.output_weight)
        else:
            fused.append(term)
    return tuple(fused)


def _term_stencil(term: Term) -> Stencil:
    """Return the stencil of a term, which no term of several in a sum lacks."""
    assert isinstance(term.stencil, Stencil)
    return term.stencil


def _term_with_free_value(terms: list[Term], field: int) -> int | None:
    """Return the number of a term of the same field that has no weights yet; None if none."""
    for number, term in enumerate(terms):
        if term.field == field and term.output_weight is None and term.center_weight is None:
            return number
    return None


def _combine_like_terms(terms: tuple[DerivativeTerm, ...]) -> list[DerivativeTerm]:
    """Return the terms without zeros, with coefficients of the same derivative added up."""
    combined: dict[tuple[Hashable, ...], DerivativeTerm] = {}
    for term in terms:
        if _is_zero(term.coefficient):
            continue
        field = term.field if isinstance(term.field, int) else term.field.key
        dim = term.grid_axis.dim if term.deriv else None
        key = (field, dim, term.deriv, term.interior_only, id(term.stretching))
        if key in combined:
            total = combined[key].coefficient + term.coefficient
            combined[key] = replace(term, coefficient=total)
        else:
            combined[key] = term
    # Derivatives come first: the field itself is added to one. A sum of zeros keeps one term.
    return sorted(combined.values(), key=lambda term: term.deriv == 0) or list(terms[:1])


def _is_zero(coefficient: Coefficient) -> bool:
    """Tell if a coefficient is zero; one that is not in memory is not computed for this."""
    if isinstance(coefficient, xr.Variable):
        return isinstance(coefficient.data, np.ndarray) and not coefficient.data.any()
    return not coefficient
