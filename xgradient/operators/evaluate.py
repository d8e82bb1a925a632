"""Fields in, labelled results out: what all operators do before and after their formula."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import xarray as xr

from ..engine.chunked import check_same_device, device_context
from ..engine.evaluate import evaluate_sums
from ..geometry.cyclic import FieldsWithoutCyclicPoint
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.grid_axis import VerticalCoord
from ..geometry.lowering import LoweringContext
from ..kernels.requests import Combine
from ..labels.hints import check_repeated
from ..labels.packing import variable_label
from .pointwise import vector_length


def _check_dims(da: xr.DataArray) -> None:
    """Refuse a field that has one dimension twice."""
    if len(set(da.dims)) < len(da.dims):
        check_repeated(da.dims, variable_label(da.name))


def holds_flags(da: xr.DataArray) -> bool:
    """Whether a variable holds codes, by its CF attributes, whose differences mean nothing."""
    names = ("flag_values", "flag_masks", "flag_meanings")
    return any(name in ref for ref in (da.attrs, da.encoding) for name in names)


def evaluate_expressions(
    context: LoweringContext,
    fields: list[xr.DataArray],
    make_expressions: Callable[[], list[Expression]],
    combine: Combine | None = None,
    count: int | None = None,
    squares: bool = False,
) -> list[Any]:
    """The arrays that formulas give for fields on one grid, their inner formulas first.

    Or what ``finish`` makes of them; or with ``squares`` the root of the sum of their squares.
    Formulas are made here, for coefficients that are arrays to be on the device of the fields.
    """
    arrays = [field.variable.data for field in fields]
    with device_context(arrays[0]):
        points = [p for p in context.grid.cyclic if p.dim in context.dims]
        if not points:
            return _evaluate(context, arrays, make_expressions(), combine, count, squares)
        names, apart = [field.name for field in fields], set(context.column_inputs.values())
        opened = FieldsWithoutCyclicPoint(points, context.dims, arrays, names, apart)
        context = replace(context, shape=opened.arrays[0].shape)
        arrays = opened.arrays
        made = _evaluate(context, arrays, make_expressions(), combine, count, squares, opened)
        return opened.closed(made)


def _evaluate(
    context: LoweringContext,
    arrays: list[Any],
    expressions: list[Expression],
    combine: Combine | None,
    count: int | None,
    squares: bool,
    opened: FieldsWithoutCyclicPoint | None = None,
) -> list[Any]:
    if squares and any(len(formula.terms) > 1 for formula in expressions):
        combine, squares = vector_length, False
    elif squares:
        expressions = [sum(expressions, Expression(()))]
    inner = {each.key: each for expression in expressions for each in expression.subexpressions}
    if inner:
        numbers = {key: len(arrays) + at for at, key in enumerate(inner)}
        arrays = arrays + evaluate_sums(arrays, [context.lower(each) for each in inner.values()])
        vectors = (*context.is_component, *(False for _ in inner))
        context = replace(context, is_component=vectors, subexpressions=numbers)
    grid_axes = [part.grid_axis for formula in expressions for part in formula.terms]
    for column in {
        grid_axis: None for grid_axis in grid_axes if isinstance(grid_axis, VerticalCoord)
    }:
        if column not in context.column_inputs:
            context = replace(context, column_inputs={**context.column_inputs, column: len(arrays)})
            positions = column.positions_along(context.dims)
            check_same_device(positions, arrays[0], f"coordinate {str(column.name)!r}")
            arrays.append(opened.without(positions, column.name) if opened else positions)
    sums = [context.lower(formula, squares=squares) for formula in expressions]
    return evaluate_sums(arrays, sums, combine, count)


def real_length(data: Any) -> Any:
    """A length as real numbers, though it may have been made beside complex ones."""
    return getattr(data, "real", data) if "complex" in str(data.dtype) else data


def axes_of_field(grid: Grid, da: xr.DataArray) -> list[int]:
    """Return the numbers of the axes of a grid whose dimensions a field has."""
    dims = set(da.dims)
    return [i for i, grid_axis in enumerate(grid.axes) if dims.issuperset(grid_axis.dims)]


def grid_dims(grid: Grid) -> list[Hashable]:
    """The dimensions that a field needs for all axes of a frame."""
    return list(dict.fromkeys(dim for grid_axis in grid.axes for dim in grid_axis.dims))
