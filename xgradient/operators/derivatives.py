"""Derivatives of one field along some axes of a grid."""

from __future__ import annotations

import xarray as xr

from ..engine.evaluate import derivatives
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.lowering import LoweringContext
from ..geometry.orthogonal import OrthogonalGrid
from ..labels.axis import Axis
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, to_dataarray
from ..stencils.scheme import Scheme
from .errors import ErrorOptions, differentiate_with_errors
from .evaluate import evaluate_expressions
from .fields import check_field
from .smoothing import smooth_along


def differentiate(
    da: xr.DataArray,
    grid: Grid,
    numbers: list[int],
    scheme: Scheme,
    requested: RequestedUnits | None,
    errors: ErrorOptions | None,
) -> list[xr.DataArray]:
    """Differentiate a field along some axes of a grid, and label the results.

    Parameters
    ----------
    da : DataArray
        The field.
    grid : Grid
        The grid.
    numbers : list of int
        The numbers of the axes.
    scheme : Scheme
        The orders of the derivative and of its accuracy, or the smoothing.
    requested : RequestedUnits or None
        Units that the call asks for.
    errors : ErrorOptions or None
        What is known of the errors of the data, for estimates of those of the derivatives.
    """
    da = check_field(da)
    grid, (da,) = grid.for_fields([da])
    if errors is not None:
        return differentiate_with_errors(da, grid, numbers, scheme, requested, errors)
    if scheme.smoothing is not None:
        return [smooth_along(da, grid, i, scheme, requested) for i in numbers]
    labels = [derivative_label(da, grid.axes[i].axis, scheme.deriv, requested) for i in numbers]
    if (
        isinstance(grid, OrthogonalGrid)
        and grid.is_cartesian
        and not (grid.cyclic or grid.boundaries)
    ):
        stencils = []
        for i, label in zip(numbers, labels, strict=True):
            axis = grid.axes[i].axis
            assert isinstance(axis, Axis)
            stencil = scheme.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
            if label.factor != 1:
                stencil = stencil.scale(label.factor)
            stencils.append((da.dims.index(axis.dim), stencil))
        arrays = derivatives(da.variable.data, stencils)
    else:

        def expressions() -> list[Expression]:
            pairs = zip(numbers, labels, strict=True)
            return [grid.derivative(i, scheme.deriv) * label.factor for i, label in pairs]

        context = LoweringContext.for_scalar(grid, da, scheme)
        arrays = evaluate_expressions(context, [da], expressions)
    return [to_dataarray(da, data, label) for data, label in zip(arrays, labels, strict=True)]
