"""Derivatives by coordinates of several dimensions, and others at constant values of these.

Along levels on which a coordinate z is not constant, the chain rule gives

    (∂f/∂x)_z = (∂f/∂x)_s - (∂z/∂x)_s ∂f/∂z

where s counts the levels.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.chunked import check_same_device, device_context
from ..geometry.build import build_grid
from ..geometry.expression import DerivativeTerm, Expression
from ..geometry.grid import Grid, mask_invalid
from ..geometry.grid_axis import AnyAxis, GridAxis, VerticalCoord
from ..geometry.lowering import LoweringContext
from ..geometry.orthogonal import OrthogonalGrid
from ..geometry.track import two_along
from ..geometry.vertical import (
    named_dims,
    reject_spacing_for_columns,
    resolve_column,
    resolve_columns,
)
from ..labels.arguments import GridOptions, normalize_dim
from ..labels.results import derivative_to_dataarray, pack_results
from ..stencils.scheme import Scheme
from .evaluate import evaluate_expressions
from .fields import check_field, no_field_error
from .pointwise import at_constant_level


@dataclass(frozen=True, eq=False)
class ColumnRequest:
    """The axes of a call by columns.

    Attributes
    ----------
    frame : Frame or Surface
        Its other axes.
    columns : tuple of Column
        Those whose positions differ from column to column.
    places : tuple of int
        Where each of all these, the axes of the frame first, was named in the call.
    constant : Column or None
        What is to stay constant along the other axes.
    """

    grid: Grid
    positions_in_call: tuple[int, ...]
    columns: tuple[VerticalCoord, ...] = ()
    constant: VerticalCoord | None = None

    def derivatives(self, da: xr.DataArray, scheme: Scheme) -> list[xr.DataArray]:
        """All derivatives that a field has."""
        if self.constant is not None and not self._has(da, self.constant):
            return []
        grid_axes = [i for i, grid_axis in enumerate(self.grid.axes) if self._has(da, grid_axis)]
        columns = [column for column in self.columns if self._has(da, column)]
        refs = [self.positions_in_call[i] for i in grid_axes]
        refs += [
            self.positions_in_call[len(self.grid.axes) + self.columns.index(c)] for c in columns
        ]
        if not grid_axes and not columns:
            return []
        da = check_field(da)
        for column in [*columns, *([self.constant] if self.constant else [])]:
            what = f"coordinate {str(column.name)!r}"
            check_same_device(column.positions.data, da.data, what)
        if self.constant is None:
            grid, fields = self.grid.for_fields([da])
            context, deriv, at = LoweringContext.for_scalar(grid, da, scheme), scheme.deriv, ""
            made = evaluate_expressions(context, fields, lambda: [
                *(grid.derivative(i, deriv) for i in grid_axes),
                *(column_derivative(column, deriv) for column in columns),
            ])  # fmt: skip
        else:
            made = self._on_levels(da, self.constant, grid_axes, scheme)
            at = f" at constant {self.constant.name}"
        axes: list[AnyAxis] = [*(self.grid.axes[i] for i in grid_axes), *columns]
        return [
            derivative_to_dataarray(da, data, axis.axis, scheme.deriv, at)
            for _, axis, data in sorted(zip(refs, axes, made, strict=True), key=itemgetter(0))
        ]

    def _has(self, da: xr.DataArray, axis: AnyAxis) -> bool:
        return set(axis.dims) <= set(da.dims)

    def _on_levels(
        self, da: xr.DataArray, constant: VerticalCoord, grid_axes: list[int], scheme: Scheme
    ) -> list[Any]:
        """The derivatives along some sides at constant positions, in one pass."""
        z = _broadcast_positions(constant.positions, da).rename(constant.name)
        if scheme.skipna:
            # Where one is missing so is the other, for their derivatives to have the same windows.
            with device_context(da.data):
                z, da = (_mask_like(a, b) for a, b in ((z, da), (da, z)))
        grid, fields = self.grid.for_fields([da, z])
        context = LoweringContext(
            grid, da.dims, da.shape, scheme, (False, False), column_inputs={constant: 1}
        )

        def expressions() -> list[Expression]:
            slopes = [grid.gradient(i, field) for field in (0, 1) for i in grid_axes]
            return [*slopes, column_derivative(constant, 1)]

        return evaluate_expressions(context, fields, expressions, at_constant_level, len(grid_axes))


def grad_with_columns(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    dim: Any,
    scheme: Scheme,
    options: GridOptions,
    along: Hashable | None,
    constant: Hashable | None,
) -> Any:
    """What `xgradient.grad` gives where a coordinate has several dimensions; None where none has.

    Parameters
    ----------
    obj : DataArray or Dataset
        What is to be differentiated.
    fields : list of DataArray
        Its fields.
    dim, along, constant
        As `xgradient.grad` takes them.
    scheme : Scheme
        The derivative.
    options : GridOptions
        The metric, and the spacing and the period of each axis.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit: one sentence with what was found.
    """
    names, scalar_dim = normalize_dim(obj, dim, fields)
    for argument, value in (("along", along), ("at_constant", constant)):
        if not isinstance(value, Hashable):
            raise TypeError(f"{argument} is {short_repr(value)}; give one name")
    grid: Grid
    if constant is not None:
        column = _resolve_constant(obj, names, dim is None, along, constant, scheme)
        names = [name for name in names if dim is not None or name != column.dim]
        grid, _ = build_grid(obj, names, options, scheme, fields)
        layers = ColumnRequest(grid, tuple(range(len(grid.axes))), constant=column)
    else:
        columns = resolve_columns(obj, names, along)
        if not columns:
            return None
        spacing = reject_spacing_for_columns(obj, names, scalar_dim, columns, options)
        options = options._replace(spacing=spacing)
        others = [name for name in names if name not in columns]
        grid = OrthogonalGrid(())
        if others:
            grid, _ = build_grid(obj, others, options, scheme, fields)
        elif options.metric is not None:
            raise ValueError(
                f"metric is for other coordinates, but {names[0]!r} is a length itself; leave "
                "metric out, or name latitude and longitude besides"
            )
        taken = {
            grid_axis.axis.dim: grid_axis.axis.name
            for grid_axis in grid.axes
            if isinstance(grid_axis, GridAxis)
        }
        for column in columns.values():
            if column.dim in taken:
                raise two_along(obj, column.dim, [taken[column.dim], column.name])
            taken[column.dim] = column.name
        refs = tuple(names.index(name) for name in (*others, *columns))
        layers = ColumnRequest(grid, refs, tuple(columns.values()))
    results = [result for da in fields for result in layers.derivatives(da, scheme)]
    if not results:
        every = [*layers.columns, *([layers.constant] if layers.constant else [])]
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, every[0].positions.dims)
    return pack_results(obj, results, scalar_dim)


def _resolve_constant(
    obj: XarrayObject,
    names: list[Hashable],
    every: bool,
    along: Hashable | None,
    constant: Hashable,
    scheme: Scheme,
) -> VerticalCoord:
    """The coordinate that is to stay constant."""
    if scheme.deriv != 1:
        raise ValueError(
            f"deriv is {scheme.deriv}, but at_constant is for first derivatives; leave one out"
        )
    asked = set() if every else named_dims(obj, names)
    column = resolve_column(obj, constant, along, asked)
    if column.dim in asked:
        raise ValueError(
            f"at_constant is {constant!r}, which changes along {str(column.dim)!r}, but dim names "
            "this too; name the other dimensions only"
        )
    return column


def column_derivative(column: VerticalCoord, deriv: int) -> Expression:
    """The derivative by the positions of columns."""
    return Expression((DerivativeTerm(0, column, deriv, 1.0),))


def _mask_like(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    """Return an array with missing values where another one has them."""
    return a.copy(deep=False, data=mask_invalid(a.variable, b.notnull().variable).data)


def _broadcast_positions(positions: xr.Variable, da: xr.DataArray) -> xr.DataArray:
    """Positions over all dimensions of a field, which are not copied for it."""
    if set(positions.dims) < set(da.dims) and da.chunks is not None:
        positions = positions.chunk()
    sizes = dict(zip(da.dims, da.shape, strict=True))
    return xr.DataArray(positions.set_dims(sizes))  # type: ignore[no-untyped-call]
