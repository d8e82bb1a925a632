"""Sums of fields on cells: weights, differences, means and coasts, in memory or in chunks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..engine.chunked import missing_to_zero, where_below
from ..engine.evaluate import derivatives, evaluate_sums, interpolated
from ..engine.terms import Term, TermSum
from ..geometry.cell_measures import Dims
from ..geometry.cell_stencils import CellStencils
from ..stencils.table import identity_stencil


class Addend(NamedTuple):
    """Hold one array of a sum, and its weight.

    Attributes
    ----------
    field : Variable
        The array.
    weight : Variable
        The weight, along some dimensions of the array; missing where the sum is.
    """

    field: xr.Variable
    weight: xr.Variable

    def times(self, factor: Any) -> Addend:
        """Return the array with another factor of its weight."""
        return Addend(self.field, self.weight * factor)


def number(value: float) -> xr.Variable:
    """Return a weight that is the same everywhere."""
    return xr.Variable((), value)


@dataclass(frozen=True)
class CellSums:
    """Move fields between positions on cells, and add them.

    Attributes
    ----------
    stencils : CellStencils
        The stencils of the call.
    """

    stencils: CellStencils

    def derivative(
        self, field: xr.Variable, dim: Hashable, to: Hashable, closed: bool = False
    ) -> list[Addend]:
        """Return the derivative of a field along a dimension, at another one of its axis.

        Parameters
        ----------
        field : Variable
            The field.
        dim, to : hashable
            The dimension of the field, and that of the result.
        closed : bool
            True if no flux goes through ends of the axis where the faces have no length.
        """
        measures, place = self.stencils.measures, field.dims.index(dim)
        axis = measures.axis_of(dim)
        sign = float(measures.direction(dim)) if self.stencils.by_index else 1.0
        dims = tuple(to if d == dim else d for d in field.dims)
        if axis.position(dim) == axis.position(to):
            (data,) = derivatives(field.data, [(place, self.stencils.at_position(dim))])
            return [Addend(xr.Variable(dims, data), number(sign))]
        stencil, values, missing = self.stencils.between(dim, to, 1)
        (data,) = derivatives(field.data, [(place, stencil)])
        rows = np.full(len(missing), sign)
        if self.stencils.conservative:
            rows[missing] = np.nan
        result = [Addend(xr.Variable(dims, data), xr.Variable((to,), rows))]
        ends = measures.closed_ends(dim) if closed and self.stencils.conservative else (False,) * 2
        at_ends = np.zeros(len(missing))
        for end, row, side in zip(ends, (0, -1), (1.0, -1.0), strict=True):
            if end and missing[row]:
                rows[row], at_ends[row] = 0.0, side * sign
        if at_ends.any():  # the only flux of a cell at a pole is that through its other face
            (nearest,) = derivatives(field.data, [(place, values)])
            result.append(Addend(xr.Variable(dims, nearest), xr.Variable((to,), at_ends)))
        return result

    def mean(
        self, field: xr.Variable, dim: Hashable, to: Hashable, *, ends: bool = False
    ) -> xr.Variable:
        """Return a field at another position of an axis, by interpolation.

        Parameters
        ----------
        field : Variable
            The field.
        dim, to : hashable
            The dimension of the field, and that of the result.
        ends : bool
            True for the nearest value where there is one neighbour only; else a mean is missing.
        """
        measures, place = self.stencils.measures, field.dims.index(dim)
        axis = measures.axis_of(dim)
        dims = tuple(to if d == dim else d for d in field.dims)
        if axis.position(dim) == axis.position(to):
            return xr.Variable(dims, field.data)
        stencil, values, missing = self.stencils.between(dim, to, 0)
        result = xr.Variable(dims, interpolated(field.data, place, values, stencil))
        if ends or not (self.stencils.conservative and missing.any()):
            return result
        weight = xr.Variable((to,), np.where(missing, np.nan, 1.0))
        return weighted_sum([Addend(result, weight)], dims)


def weighted_sum(addends: Sequence[Addend], dims: Dims) -> xr.Variable:
    """Return the sum of arrays times their weights, in one pass over them.

    Parameters
    ----------
    addends : sequence of Addend
        Arrays with the same dimensions, of which some may be missing.
    dims : tuple of hashable
        The dimensions of the result.
    """
    sizes = {dim: n for field, _ in addends for dim, n in field.sizes.items()}
    shape = tuple(sizes[dim] for dim in dims)
    identity, arrays, terms = identity_stencil(shape[0]), [], []
    for i, (field, weight) in enumerate(addends):
        every = {dim: sizes[dim] for dim in dims}
        full = field if field.dims == dims else field.set_dims(every)  # type: ignore[no-untyped-call]
        arrays.append(full.transpose(*dims).data)
        terms.append(Term(i, 0, identity, _weight(weight, dims)))
    (data,) = evaluate_sums(arrays, [TermSum(tuple(terms))])
    return xr.Variable(dims, data)


def _weight(weight: xr.Variable, dims: Dims) -> Any:
    """Return a weight as an array that broadcasts against arrays along dimensions."""
    known = [dim for dim in dims if dim in weight.dims]
    values = np.asarray(weight.transpose(*known).values, dtype=np.float64)
    return values[tuple(slice(None) if dim in known else None for dim in dims)]


def from_half(field: xr.Variable) -> xr.Variable:
    """Return half floats as floats, which hold products with lengths in metres."""
    return field.astype(np.float32) if _is_half(field) else field


def to_dtype_of(field: xr.Variable, result: xr.Variable) -> xr.Variable:
    """Return a result as half floats where its field has them."""
    return result.astype(np.float16) if _is_half(field) else result


def _is_half(field: xr.Variable) -> bool:
    """Return True for half floats; dtypes of other libraries do not compare with NumPy's."""
    return isinstance(field.dtype, np.dtype) and field.dtype == np.float16


def without_missing(field: xr.Variable) -> tuple[xr.Variable, xr.Variable]:
    """Return a field with zeros for its missing values, and an array that is 1 at these."""
    filled, missing = missing_to_zero(field.data)
    return xr.Variable(field.dims, filled), xr.Variable(field.dims, missing)


def mask_where(result: xr.Variable, missing: xr.Variable, limit: float) -> xr.Variable:
    """Return a result that is missing where another array is above a limit."""
    others = missing.transpose(*result.dims).data
    return xr.Variable(result.dims, where_below(result.data, others, limit))


def inverse(measure: xr.Variable) -> xr.Variable:
    """Return one over a measure; missing where it is zero."""
    values = np.asarray(measure.values, np.float64)
    with np.errstate(divide="ignore"):
        return xr.Variable(measure.dims, np.where(values > 0, 1 / values, np.nan))
