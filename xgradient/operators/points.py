"""Derivatives at points between those of the data: at given values of a coordinate."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.chunked import take
from ..engine.evaluate import derivatives
from ..geometry.build import grid_of_dimensions
from ..geometry.grid_axis import GridAxis
from ..labels.arguments import GridOptions, GridRequest
from ..labels.coordinates import describe_coord
from ..labels.points import ResultPoints, read_points
from ..labels.requested_units import RequestedUnits
from ..labels.results import derivative_label, pack_results, to_dataarray
from ..stencils.points import WindowOrders, point_stencil
from ..stencils.scheme import Scheme
from .fields import check_field, no_field_error


def check_point_options(argument: str, dim: Any, scheme: Scheme, options: GridOptions) -> None:
    """Refuse options that do not go with derivatives at other points.

    Parameters
    ----------
    argument : str
        The argument that asks for them.
    dim : object
        The names of the call.
    scheme, options : Scheme, GridOptions
        The options of the call.

    Raises
    ------
    TypeError, ValueError
        If an option or several names are given.
    """
    is_list = isinstance(dim, list) and len(dim) != 1
    if dim is None or is_list or isinstance(dim, Mapping):
        raise TypeError(f"dim is {short_repr(dim)}, but {argument} is for one coordinate; name it")
    given = {
        "skipna": scheme.skipna,
        "smooth": scheme.smoothing is not None,
        "metric": options.metric is not None,
        "along": options.along is not None,
        "at_constant": options.at_constant is not None,
        "boundary or coast": options.boundaries is not None,
    }
    for name, is_given in given.items():
        if is_given:
            raise ValueError(f"{argument} does not go with {name}; leave one of them out")


def grad_at_points(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    request: GridRequest,
    at: Any,
    scheme: Scheme,
    requested: RequestedUnits | None,
) -> Any:
    """Differentiate fields along a coordinate at given values of it.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data of the user.
    fields : list of DataArray
        The fields.
    request : GridRequest
        The coordinate, along one dimension, with its options.
    at : number, 1-D array or DataArray
        The values.
    scheme : Scheme
        The orders of the derivative and of its accuracy.
    requested : RequestedUnits or None
        Units that the call asks for.

    Raises
    ------
    TypeError, ValueError
        If the coordinate, the values or a field do not fit.
    """
    if len(request.axes) != 1:
        raise TypeError(f"dim names {len(request.axes)} coordinates, but at is for one; name it")
    (axis_request,) = request.axes
    ref = axis_request.ref
    if len(ref.dims) != 1:
        raise ValueError(f"{describe_coord(ref)}, but at is for coordinates of one; name another")
    grid = grid_of_dimensions(obj, request)
    (grid_axis,) = grid.axes
    assert isinstance(grid_axis, GridAxis)
    axis: Any = grid_axis.axis
    if grid.cyclic:
        raise ValueError(
            f"the last point of coordinate {str(axis.name)!r} repeats the first, which does not go "
            f"with at; drop it, e.g. with .isel({{{axis.dim!r}: slice(None, -1)}})"
        )
    orders = WindowOrders(scheme.deriv, scheme.accuracy, scheme.edge_order)
    orders.check_points(axis.nodes, f"dimension {str(axis.dim)!r}")
    points = read_points(at, axis_request, axis)
    stencil = point_stencil(axis.nodes, points.points, orders)
    results = []
    for field in fields:
        if axis.dim not in field.dims:
            continue
        da = check_field(field)
        template = _on_points(da, points, axis.dim)
        label = derivative_label(da, axis, scheme.deriv, requested)
        number = da.dims.index(axis.dim)
        (data,) = derivatives(da.variable.data, [(number, stencil.scale(label.factor))])
        if points.dim is None:
            data = data[(*(slice(None),) * number, 0)]
        elif points.order is not None:
            data = take(data, points.order, number)
        results.append(to_dataarray(template, data, label))
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, [axis.dim])
    others = [name for name, coord in obj.coords.items() if axis.dim in coord.dims]
    return pack_results(obj.drop_vars(others), results, request.scalar_dim)


def _on_points(da: xr.DataArray, points: ResultPoints, dim: Hashable) -> xr.DataArray:
    """Return a field of zeros with the dimensions and coordinates of results at points."""
    if points.dim != dim and points.dim in da.dims:
        raise ValueError(
            f"at has the dimension {str(points.dim)!r}, which {str(da.name)!r} has too; "
            "rename it, e.g. with .rename"
        )
    sizes: dict[Hashable, int] = {}
    for d, n in da.sizes.items():
        if d != dim:
            sizes[d] = n
        elif points.dim is not None:
            sizes[points.dim] = len(points.points.nodes)
    kept = da.coords.to_dataset().drop_vars([n for n, c in da.coords.items() if dim in c.dims])
    added = {name: c for name, c in points.coords.items() if name not in kept.coords}
    zeros = np.broadcast_to(np.zeros(()), tuple(sizes.values()))
    coords = kept.assign_coords(added).coords
    template = xr.DataArray(zeros, coords, list(sizes), da.name, da.attrs)
    template.encoding = da.encoding
    return template
