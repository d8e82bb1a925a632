"""Evaluate expressions for fields: lower them to sums of terms, and let the engine run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import Any

import xarray as xr

from ..engine.chunked import check_same_device, device_context
from ..engine.evaluate import evaluate_sums
from ..engine.terms import TermSum
from ..geometry.cyclic import FieldsWithoutCyclicPoint
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.grid_axis import VerticalCoord
from ..geometry.lowering import LoweringContext
from ..kernels.requests import Combine
from ..labels.hints import check_repeated
from ..labels.packing import variable_label
from .pointwise import scaled, vector_length

#: Returns the sums of an expression in a context.
Lower = Callable[[LoweringContext, Expression], list[TermSum]]


def _check_dims(da: xr.DataArray) -> None:
    """Raise a ValueError for a field that has one dimension twice."""
    dims = da.dims
    if len(set(dims)) < len(dims):
        check_repeated(dims, variable_label(da.name))


def holds_flags(da: xr.DataArray) -> bool:
    """Return True if CF attributes say that a variable holds codes, not quantities."""
    names = ("flag_values", "flag_masks", "flag_meanings")
    return any(name in ref for ref in (da.attrs, da.encoding) for name in names)


def evaluate_expressions(
    context: LoweringContext,
    fields: list[xr.DataArray],
    make_expressions: Callable[[], list[Expression]],
    combine: Combine | None = None,
    count: int | None = None,
    squares: bool = False,
    lower: Lower | None = None,
) -> list[Any]:
    """Return the arrays of expressions of fields on one grid.

    Expressions are made inside the device context of the fields, so that coefficient arrays land
    on their device.

    Parameters
    ----------
    context : LoweringContext
        The grid, and the dimensions and the shape of the fields.
    fields : list of DataArray
        The fields, in the order in which expressions number them.
    make_expressions : callable
        Makes the expressions.
    combine : callable, optional
        Pointwise function of the sums, which makes ``count`` arrays.
    count : int, optional
        Number of arrays that ``combine`` makes; by default one for each expression.
    squares : bool
        True for the square root of the sum of squares of all expressions, as one array.
    lower : callable, optional
        Returns the sums of an expression in a context; by default its terms alone.
    """
    arrays = [field.variable.data for field in fields]
    with device_context(arrays[0]):
        points = [p for p in context.grid.cyclic if p.dim in context.dims]
        if not points:
            return _evaluate(context, arrays, make_expressions(), combine, count, squares, lower)
        names, columns = [field.name for field in fields], set(context.column_inputs.values())
        inner = FieldsWithoutCyclicPoint(points, context.dims, arrays, names, columns)
        context = replace(context, shape=inner.arrays[0].shape)
        results = _evaluate(
            context, inner.arrays, make_expressions(), combine, count, squares, lower, inner
        )
        return inner.restore(results)


def _evaluate(
    context: LoweringContext,
    arrays: list[Any],
    expressions: list[Expression],
    combine: Combine | None,
    count: int | None,
    squares: bool,
    lower: Lower | None = None,
    without_cyclic: FieldsWithoutCyclicPoint | None = None,
) -> list[Any]:
    """Return the arrays of expressions, whose subexpressions are evaluated first."""
    if squares and any(len(expression.terms) > 1 for expression in expressions):
        combine, squares = vector_length, False
    elif squares:
        expressions = [sum(expressions, Expression(()))]
    parts = {part.key: part for expression in expressions for part in expression.subexpressions}
    if parts:
        numbers = {key: len(arrays) + i for i, key in enumerate(parts)}
        arrays = arrays + evaluate_sums(arrays, [context.lower(part) for part in parts.values()])
        is_component = (*context.is_component, *(False for _ in parts))
        context = replace(context, is_component=is_component, subexpressions=numbers)
    grid_axes = [term.grid_axis for expression in expressions for term in expression.terms]
    for column in {
        grid_axis: None for grid_axis in grid_axes if isinstance(grid_axis, VerticalCoord)
    }:
        if column not in context.column_inputs:
            context = replace(context, column_inputs={**context.column_inputs, column: len(arrays)})
            positions = column.positions_along(context.dims)
            check_same_device(positions, arrays[0], f"coordinate {str(column.name)!r}")
            if without_cyclic:
                positions = without_cyclic.without(positions, column.name)
            arrays.append(positions)
    factors = tuple(map(_column_factor, expressions))
    if combine is None and any(factor != 1 for factor in factors):
        combine, count = partial(scaled, factors=factors), len(expressions)
    if lower is None:
        sums = [context.lower(expression, squares=squares) for expression in expressions]
    else:
        sums = [part for expression in expressions for part in lower(context, expression)]
    return evaluate_sums(arrays, sums, combine, count)


def _column_factor(expression: Expression) -> float:
    """Return the factor of a derivative by positions of columns, else 1.

    These stencils are computed in every cell, so they cannot take a factor before.
    """
    first = expression.terms[0] if len(expression.terms) == 1 else None
    if first is None or not isinstance(first.grid_axis, VerticalCoord):
        return 1.0
    assert isinstance(first.coefficient, float)
    return first.coefficient


def real_length(data: Any) -> Any:
    """Return the real part of a length that was computed with complex components."""
    return getattr(data, "real", data) if "complex" in str(data.dtype) else data


def axes_of_field(grid: Grid, da: xr.DataArray) -> list[int]:
    """Return the numbers of the axes of a grid whose dimensions a field has."""
    dims = set(da.dims)
    return [i for i, grid_axis in enumerate(grid.axes) if dims.issuperset(grid_axis.dims)]


def grid_dims(grid: Grid) -> list[Hashable]:
    """Return the dimensions that a field needs for all axes of a grid."""
    return list(dict.fromkeys(dim for grid_axis in grid.axes for dim in grid_axis.dims))
