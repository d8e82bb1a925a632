"""Components relative to the grid or to the Earth, rotated to the axes of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from .._wording import short_repr
from ..geometry.cyclic import CyclicPoint
from ..geometry.expression import DerivativeTerm, Expression
from ..geometry.grid import Grid
from ..geometry.grid_axis import GridAxis
from ..geometry.lowering import LoweringContext
from ..labels.attrs import describe_field
from ..labels.axis import Axis
from ..labels.relative import relative_to
from ..labels.units import common_units
from ..stencils.nodes import uniform_nodes
from ..stencils.scheme import Scheme
from .evaluate import evaluate_expressions

#: The rows of a matrix that turns two components, which follow each other.
Matrix = tuple[tuple[xr.Variable, xr.Variable], tuple[xr.Variable, xr.Variable]]


def check_relative(relative: Any) -> None:
    """Refuse an option ``relative`` that is none of its values."""
    if relative is not None and (not isinstance(relative, str) or relative not in _WORDS):
        raise ValueError(
            f"relative is {short_repr(relative)}; give 'grid' for components along x and y, "
            "'earth' for components to the east and north, or None to follow their attributes"
        )


_WORDS = {"grid": "the grid", "earth": "the Earth"}


def rotate_to_axes(fields: list[xr.DataArray], grid: Grid, relative: Any) -> list[xr.DataArray]:
    """Return components along the axes of a grid.

    Parameters
    ----------
    fields : list of DataArray
        The components of a vector field, all with the same dimensions in one order.
    grid : Grid
        The grid, whose axis i belongs to component i.
    relative : "grid", "earth" or None
        What the components are relative to; None for what their attributes say, else the axes.

    Raises
    ------
    ValueError
        If attributes contradict each other, one of two components is missing, or the directions
        of the grid are not known.
    """
    directions = grid.directions
    if directions is None:
        if relative == "earth":
            _check_directions_known(grid)
        return fields
    names = [grid_axis.axis.name for grid_axis in grid.axes]
    numbers = [names.index(name) for name in directions.axes if name in names]
    pair = [fields[number] for number in numbers]
    stated = relative or _stated(pair) or directions.relative_to
    if not pair or stated == directions.relative_to:
        return fields
    if len(pair) < 2:
        raise ValueError(
            f"{str(pair[0].name)!r} is relative to {_WORDS[stated]}, but {names[numbers[0]]!r} is "
            f"a direction of {_WORDS[directions.relative_to]}; give the other horizontal "
            f"component, too, or relative={directions.relative_to!r}"
        )
    matrix = _matrix([_without_cyclic(v, grid.cyclic, pair[0]) for v in directions.unit_vectors()])
    matrix = matrix if directions.relative_to == "earth" else _inverse(matrix)
    rotated = _multiply(matrix, pair, grid, [names[number] for number in numbers])
    by_number = dict(zip(numbers, rotated, strict=True))
    return [by_number.get(number, field) for number, field in enumerate(fields)]


def _check_directions_known(grid: Grid) -> None:
    """Refuse components relative to the Earth on a grid that does not know its directions."""
    if not any(grid_axis.latlon_kind for grid_axis in grid.axes):
        raise ValueError(
            "relative is 'earth', but without a coordinate reference system the directions of the "
            "axes on the Earth are not known; give metric='cf', a pyproj.CRS or 'wrf', or leave "
            "relative out"
        )


def _stated(pair: Sequence[xr.DataArray]) -> str | None:
    """Return what the attributes of both horizontal components say; None if they say nothing."""
    found = {}
    for field in pair:
        name = repr(str(field.name))
        if statement := relative_to(field.attrs, name):
            found[statement.relative] = f"{name} ({statement.attribute})"
    if len(found) > 1:
        raise ValueError(
            f"component {found['earth']} is relative to the Earth, but {found['grid']} to the "
            "grid; give relative='earth' or relative='grid'"
        )
    return next(iter(found), None)


def _without_cyclic(
    values: xr.Variable, points: Sequence[CyclicPoint], field: xr.DataArray
) -> xr.Variable:
    """Return values without those at cyclic points."""
    cut = {
        point.dim: slice(None, -1)
        for point in points
        if point.dim in values.dims and values.sizes[point.dim] == field.sizes[point.dim]
    }
    return values.isel(cut) if cut else values


def _matrix(unit_vectors: Sequence[xr.Variable]) -> Matrix:
    """Return the matrix that turns components along x and y into those to the east and north."""
    east_x, north_x, east_y, north_y = unit_vectors
    return (east_x, east_y), (north_x, north_y)


def _inverse(matrix: Matrix) -> Matrix:
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    return (d / determinant, -b / determinant), (-c / determinant, a / determinant)


def _multiply(
    matrix: Matrix, pair: Sequence[xr.DataArray], grid: Grid, names: Sequence[Any]
) -> list[xr.DataArray]:
    """Return both components after the multiplication by a matrix, in one unit."""
    label = f"the vector ({', '.join(str(field.name) for field in pair)})"
    units = [field.attrs.get("units") for field in pair]
    own, other = common_units(units, label)[1]
    weights = 1.0, other / own
    first = pair[0]
    (dim, n) = next(iter(first.sizes.items()))
    index = GridAxis(Axis(dim, dim, str(dim), None, uniform_nodes(n, 1.0)))

    def expressions() -> list[Expression]:
        return [
            Expression(
                tuple(
                    DerivativeTerm(i, index, 0, row[i] * weight) for i, weight in enumerate(weights)
                )
            )
            for row in matrix
        ]

    context = LoweringContext(grid, first.dims, first.shape, Scheme(), (True, True))
    data = evaluate_expressions(context, list(pair), expressions)
    rotated = []
    for field, array, name in zip(pair, data, names, strict=True):
        words = describe_field(field.attrs, field.name) or "component"
        new = field.copy(deep=False, data=array)
        new.attrs = {**field.attrs, "long_name": f"{words}, along {name}"}
        new.attrs["units"] = units[0]
        if None in units:
            del new.attrs["units"]
        rotated.append(new)
    return rotated
