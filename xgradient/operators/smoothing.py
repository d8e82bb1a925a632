"""Derivatives of least-squares polynomials, and the smoothed field."""

from __future__ import annotations

from functools import partial

import xarray as xr

from ..geometry.expression import DerivativeTerm, Expression
from ..geometry.grid import Grid
from ..geometry.grid_axis import GridAxis
from ..geometry.lowering import LoweringContext
from ..labels.arguments import GridRequest
from ..labels.coordinates import describe_coord
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, smoothed_label, to_dataarray
from ..labels.windows import window_on_axis
from ..stencils.scheme import Scheme
from .evaluate import evaluate_expressions
from .pointwise import finish_smoothed


def check_smoothing(scheme: Scheme, request: GridRequest) -> None:
    """Refuse coordinates that smoothing does not go with.

    Raises
    ------
    ValueError
        If a coordinate has several dimensions, or a field would be smoothed along several ones.
    """
    for ref in (request.constant, *request.refs):
        if ref is not None and len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, but smooth is for coordinates of one; leave smooth out, "
                "or give positions along one dimension by spacing="
            )
    if not scheme.deriv and len(request.axes) > 1:
        raise ValueError(
            f"deriv is 0, but dim names {len(request.axes)} coordinates; "
            "smooth along one of them at a time"
        )


def with_window(scheme: Scheme, grid_axis: GridAxis) -> Scheme:
    """Return a scheme whose window is in points or units of an axis."""
    smoothing = scheme.smoothing
    if smoothing is None or isinstance(smoothing.window, int):
        return scheme
    axis, scale = grid_axis.axis, grid_axis.inverse_scale
    if grid_axis.latlon_kind or not isinstance(scale, float) or scale != 1:
        raise ValueError(
            f"smooth has a window of {str(smoothing.window)!r}, but a step of {str(axis.name)!r} "
            "has another length at each point; give a number of points"
        )
    window = window_on_axis(smoothing.window, axis)
    return scheme._replace(smoothing=smoothing._replace(window=window))


def smooth_along(
    da: xr.DataArray, grid: Grid, i: int, scheme: Scheme, requested: RequestedUnits | None
) -> xr.DataArray:
    """Return the derivative of a smoothed field along an axis of a grid, or the field itself.

    Parameters
    ----------
    da : DataArray
        The field.
    grid : Grid
        The grid.
    i : int
        The number of the axis, which has positions along one dimension.
    scheme : Scheme
        The order of the derivative, and the smoothing.
    requested : RequestedUnits or None
        Units that the call asks for.
    """
    grid_axis = grid.axes[i]
    assert isinstance(grid_axis, GridAxis)
    context = LoweringContext.for_scalar(grid, da, with_window(scheme, grid_axis))
    if scheme.deriv:
        label = derivative_label(da, grid_axis.axis, scheme.deriv, requested)

        def derivative() -> list[Expression]:
            return [grid.derivative(i, scheme.deriv) * label.factor]

        (data,) = evaluate_expressions(context, [da], derivative)
        return to_dataarray(da, data, label)
    field = Expression((DerivativeTerm(0, grid_axis, 0, 1.0),))
    label, offset = smoothed_label(da, requested)
    combine = None
    if scheme.skipna or label.factor != 1 or offset:
        combine = partial(finish_smoothed, factor=label.factor, offset=offset, skipna=scheme.skipna)
    (data,) = evaluate_expressions(context, [da], lambda: [field], combine, 1)
    return to_dataarray(da, data, label)
