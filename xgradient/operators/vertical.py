"""Derivatives at constant values of a coordinate of several dimensions.

Along levels on which a coordinate z is not constant, the chain rule gives

    (∂f/∂x)_z = (∂f/∂x)_s - (∂z/∂x)_s ∂f/∂z

where s counts the levels.
"""

from __future__ import annotations

from typing import Any

import xarray as xr

from ..engine.chunked import check_same_device, device_context
from ..geometry.expression import DerivativeTerm, Expression
from ..geometry.grid import Grid, mask_invalid
from ..geometry.grid_axis import VerticalCoord
from ..geometry.lowering import LoweringContext
from ..geometry.vertical import make_vertical_coord
from ..labels.coordinates import CoordRef
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, to_dataarray
from ..stencils.scheme import Scheme
from .evaluate import axes_of_field, evaluate_expressions
from .fields import check_field
from .pointwise import at_constant_level


def grad_at_constant(
    fields: list[xr.DataArray],
    grid: Grid,
    ref: CoordRef,
    scheme: Scheme,
    requested: RequestedUnits | None,
) -> list[xr.DataArray]:
    """Differentiate fields along the axes of a grid where another coordinate stays constant.

    Parameters
    ----------
    fields : list of DataArray
        The fields; one without the dimensions of the constant coordinate has no derivative.
    grid : Grid
        The axes to differentiate along.
    ref : CoordRef
        The constant coordinate, with the dimension of the levels.
    scheme : Scheme
        The derivative, which must be the first.
    requested : RequestedUnits or None
        Units that the call asks for.

    Raises
    ------
    TypeError, ValueError
        If the derivative is another, or the positions or a field do not fit.
    """
    if scheme.deriv != 1:
        raise ValueError(
            f"deriv is {scheme.deriv}, but at_constant is for first derivatives; leave one out"
        )
    constant, results = make_vertical_coord(ref), []
    for da in fields:
        numbers = axes_of_field(grid, da)
        if numbers and set(constant.dims) <= set(da.dims):
            da = check_field(da)  # noqa: PLW2901
            suffix = f" at constant {ref.name}"
            labels = [
                derivative_label(da, grid.axes[i].axis, 1, requested, suffix) for i in numbers
            ]
            factors = {i: label.factor for i, label in zip(numbers, labels, strict=True)}
            arrays = _arrays_at_constant(da, grid, factors, constant, scheme)
            pairs = zip(arrays, labels, strict=True)
            results += [to_dataarray(da, data, label) for data, label in pairs]
    return results


def _arrays_at_constant(
    da: xr.DataArray,
    grid: Grid,
    factors: dict[int, float],
    constant: VerticalCoord,
    scheme: Scheme,
) -> list[Any]:
    """Return derivatives of a field along axes, times factors, in one pass over its array."""
    check_same_device(constant.positions.data, da.data, f"coordinate {str(constant.name)!r}")
    z = _broadcast_positions(constant.positions, da).rename(constant.name)
    if scheme.skipna:
        # The windows of both derivatives agree only where both have the same missing values.
        with device_context(da.data):
            z, da = (_mask_like(a, b) for a, b in ((z, da), (da, z)))
    grid, fields = grid.for_fields([da, z])
    context = LoweringContext(
        grid, da.dims, da.shape, scheme, (False, False), column_inputs={constant: 1}
    )

    def expressions() -> list[Expression]:
        slopes = [grid.gradient(i, f) * factor for f in (0, 1) for i, factor in factors.items()]
        return [*slopes, Expression((DerivativeTerm(0, constant, 1, 1.0),))]

    return evaluate_expressions(context, fields, expressions, at_constant_level, len(factors))


def _mask_like(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    """Return an array with missing values where another one has them."""
    return a.copy(deep=False, data=mask_invalid(a.variable, b.notnull().variable).data)


def _broadcast_positions(positions: xr.Variable, da: xr.DataArray) -> xr.DataArray:
    """Return positions with all dimensions of a field, as a view where possible."""
    if set(positions.dims) < set(da.dims) and da.chunks is not None:
        positions = positions.chunk()
    sizes = dict(zip(da.dims, da.shape, strict=True))
    return xr.DataArray(positions.set_dims(sizes))  # type: ignore[no-untyped-call]
