"""Derivatives at other points than those of the data, along columns with their own positions."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..geometry.vertical import make_vertical_coord
from ..labels.arguments import GridRequest
from ..labels.coordinates import CoordRef
from ..labels.hints import quote_names
from ..labels.pint_units import is_quantity, to_cf_text
from ..labels.points import unit_factor
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, interpolated_label, pack_results, to_dataarray
from ..labels.units import unit_text
from ..stencils.column_points import column_derivatives
from ..stencils.nodes import uniform_nodes
from ..stencils.point_stencil import WindowOrders
from .fields import check_field, no_field_error

#: Dimension of the points while they are computed.
_POINTS = "points of columns"


def grad_at_column_points(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    request: GridRequest,
    at: Any,
    orders: WindowOrders,
    requested: RequestedUnits | None,
) -> Any:
    """Differentiate fields at points of columns, whose positions are a coordinate.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data of the user.
    fields : list of DataArray
        The fields; those without the dimension of the columns are left out.
    request : GridRequest
        The coordinate, with the dimension that it goes along.
    at : number, 1-D array or DataArray
        The points of all columns, or of each.
    orders : WindowOrders
        The orders of the derivative and of its accuracy.
    requested : RequestedUnits or None
        Units that the call asks for.

    Raises
    ------
    TypeError, ValueError
        If points or fields do not fit the coordinate.
    """
    ref = request.axes[0].ref
    vertical = make_vertical_coord(ref)
    label = f"coordinate {str(ref.name)!r}"
    if ref.coord is not obj.coords.variables[ref.name]:
        raise TypeError(f"{label} has times, but at along columns is for numbers; leave at out")
    n = vertical.positions.sizes[ref.dim]
    orders.check_points(uniform_nodes(n, 1.0), f"dimension {str(ref.dim)!r}")
    points = _read_points(at, ref, vertical.units, label)
    heights = xr.DataArray(vertical.positions)
    results = []
    for field in fields:
        if ref.dim not in field.dims:
            continue
        da = check_field(field)
        result = derivative_label(da, vertical, orders.deriv, requested)
        if not orders.deriv:
            result = interpolated_label(da)
        data = _on_columns(da, heights, points, ref.dim, orders)
        data = data if result.factor == 1.0 else data * result.factor
        results.append(to_dataarray(_template(obj, da, data, points, ref), data.data, result))
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, [ref.dim])
    others = [name for name, coord in obj.coords.items() if ref.dim in coord.dims]
    return pack_results(obj.drop_vars(others), results, request.scalar_dim)


def _read_points(at: Any, ref: CoordRef, units: str | None, label: str) -> xr.DataArray:
    """Return points as a DataArray in the units of the coordinate."""
    if isinstance(at, xr.DataArray):
        points, given = at, unit_text(at.attrs.get("units"))
    elif is_quantity(at):
        points, given = xr.DataArray(at.magnitude), to_cf_text(at.units)
    else:
        points, given = xr.DataArray(np.asarray(at)), None
    if not isinstance(at, xr.DataArray):
        if points.ndim > 1:
            raise ValueError(
                f"at has {points.ndim} dimensions; give a DataArray, whose dimensions have names"
            )
        points = points.rename(dict.fromkeys(points.dims, ref.name))
    if points.dtype.kind not in "iuf":
        raise TypeError(
            f"at has dtype {points.dtype}, but {label} has numbers; give numbers in its units"
        )
    if not points.size:
        raise ValueError("at is empty; give at least one point")
    if given is not None and (factor := unit_factor(given, units, label)) != 1.0:
        points = points.copy(data=points.data * factor)
    return points


def _point_dims(points: xr.DataArray, da: xr.DataArray, dim: Hashable) -> list[Hashable]:
    """Return the dimension of points in a column, if they have one."""
    dims = [d for d in points.dims if d == dim or d not in da.dims]
    if len(dims) > 1:
        raise ValueError(
            f"at has the dimensions {quote_names(dims)}, which {str(da.name)!r} does not have; "
            "give one dimension of points in each column"
        )
    return dims


def _on_columns(
    da: xr.DataArray,
    heights: xr.DataArray,
    points: xr.DataArray,
    dim: Hashable,
    orders: WindowOrders,
) -> xr.Variable:
    """Return the derivatives of a field, with the dimension of points in place of its own."""
    for name, source in (("at", points), ("the coordinate", heights)):
        for d, n in source.sizes.items():
            if d in da.dims and d != dim and da.sizes[d] != n:
                raise ValueError(
                    f"{name} has {n} points along {str(d)!r}, but {str(da.name)!r} has "
                    f"{da.sizes[d]}; bring them to one grid"
                )
    own = _point_dims(points, da, dim)
    variables = [da.variable, heights.variable, points.variable]
    for variable in variables:
        meta = getattr(variable.data, "_meta", variable.data)
        if not isinstance(meta, np.ndarray):
            raise TypeError(
                f"at along columns is for NumPy arrays, in memory or on dask, not for "
                f"{short_repr(type(meta).__name__)}; convert the data first"
            )
    at = variables[2]
    at = (
        _renamed(at, own[0], _POINTS)
        if own
        else xr.Variable((*at.dims, _POINTS), at.data[..., None])
    )
    m = at.sizes[_POINTS]
    kind = da.dtype if da.dtype.kind in "fc" else np.dtype(np.float64)
    result: xr.Variable = xr.apply_ufunc(
        column_derivatives, variables[0], variables[1], at,
        input_core_dims=[[dim], [dim], [_POINTS]], output_core_dims=[[_POINTS]],
        kwargs={"orders": orders}, dask="parallelized", output_dtypes=[kind],
        dask_gufunc_kwargs={"output_sizes": {_POINTS: m}, "allow_rechunk": True},
    )  # fmt: skip
    order = [_POINTS if d == dim else d for d in da.dims]
    result = result.transpose(*order, ...)
    return _renamed(result, _POINTS, own[0]) if own else result.isel({_POINTS: 0})


def _renamed(variable: xr.Variable, old: Hashable, new: Hashable) -> xr.Variable:
    """Return a variable with another name of a dimension."""
    return xr.Variable([new if dim == old else dim for dim in variable.dims], variable.data)


def _template(
    obj: XarrayObject, da: xr.DataArray, data: xr.Variable, points: xr.DataArray, ref: CoordRef
) -> xr.DataArray:
    """Return a field with the dimensions and coordinates of results."""
    coords = {
        name: coord
        for source in (points, obj, da)
        for name, coord in source.coords.items()
        if ref.dim not in coord.dims and set(coord.dims) <= set(data.dims)
    }
    attrs = {} if ref.coord is None else dict(ref.coord.attrs)
    coords[ref.name] = xr.DataArray(xr.Variable(points.dims, points.data, attrs))
    if ref.dim in data.dims and ref.dim in points.coords:
        coords[ref.dim] = points.coords[ref.dim]
    template = xr.DataArray(np.broadcast_to(0.0, data.shape), coords, data.dims, da.name, da.attrs)
    template.encoding = da.encoding
    return template
