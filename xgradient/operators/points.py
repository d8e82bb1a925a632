"""Derivatives and interpolation at other points than those of the data: values, or positions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.chunked import join, take
from ..engine.evaluate import derivatives, interpolated
from ..geometry.build import grid_of_dimensions
from ..geometry.grid_axis import GridAxis
from ..labels.arguments import GridOptions, GridRequest
from ..labels.axis import Axis
from ..labels.coordinates import describe_coord
from ..labels.points import ResultPoints, read_points
from ..labels.position_points import points_at_position
from ..labels.positions import find_target
from ..labels.requested_units import RequestedUnits
from ..labels.results import (
    derivative_label,
    interpolated_label,
    pack_results,
    to_dataarray,
)
from ..stencils.masked_points import make_masked_points
from ..stencils.nodes import Nodes
from ..stencils.point_stencil import WindowOrders, point_stencil, value_stencil
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .fields import check_field, no_field_error


class PointOptions(NamedTuple):
    """Hold the options of a call that decide at which points results are.

    Attributes
    ----------
    at : None, number, 1-D array or DataArray
        Values of the coordinate.
    to : None or str
        A position on the cells of the grid.
    positions : None or mapping
        The dimensions at each position, by axis.
    """

    at: Any = None
    to: Any = None
    positions: Any = None

    @property
    def argument(self) -> str:
        """Return the name of the option that is given."""
        return "to" if self.at is None else "at"

    def check(self, dim: Any, scheme: Scheme, options: GridOptions) -> None:
        """Refuse options that do not go with results at other points.

        Raises
        ------
        TypeError, ValueError
            If another option, both of ``at`` and ``to``, or several names are given.
        """
        if self.at is not None and self.to is not None:
            raise ValueError("at and to are both given; leave one of them out")
        if self.positions is not None and self.to is None:
            raise ValueError("positions are for to; give to, or leave positions out")
        is_list = isinstance(dim, list) and len(dim) != 1
        if dim is None or is_list or isinstance(dim, Mapping):
            raise TypeError(
                f"dim is {short_repr(dim)}, but {self.argument} is for one coordinate; name it"
            )
        given = {
            "skipna": scheme.skipna and self.at is not None,
            "smooth": scheme.smoothing is not None,
            "metric": options.metric is not None and self.at is not None,
            "along": options.along is not None and self.at is None,
            "at_constant": options.at_constant is not None,
            "boundary or coast": options.boundaries is not None,
        }
        if options.metric is not None:
            given["spacing"] = options.spacing is not None
            if scheme.deriv != 1:
                raise ValueError(
                    f"deriv is {scheme.deriv}, but {self.argument} with metric is for first "
                    "derivatives; leave one of them out"
                )
        for name, is_given in given.items():
            if is_given:
                raise ValueError(f"{self.argument} does not go with {name}; leave one of them out")


def grad_at_points(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    request: GridRequest,
    options: PointOptions,
    scheme: Scheme,
    requested: RequestedUnits | None,
) -> Any:
    """Differentiate fields along a coordinate at other points than their own.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data of the user.
    fields : list of DataArray
        The fields.
    request : GridRequest
        The coordinate, along one dimension, with its options.
    options : PointOptions
        The points.
    scheme : Scheme
        The orders of the derivative and of its accuracy. ``deriv=0`` interpolates.
    requested : RequestedUnits or None
        Units that the call asks for.

    Raises
    ------
    TypeError, ValueError
        If the coordinate, the points or a field do not fit.
    """
    if request.options.metric is not None:
        return _grad_on_cells(obj, fields, request, options, scheme, requested)
    if options.at is not None and len(request.axes) == 1 and request.axes[0].is_column:
        from .column_points import grad_at_column_points

        orders = WindowOrders(scheme.deriv, scheme.accuracy, scheme.edge_order)
        return grad_at_column_points(obj, fields, request, options.at, orders, requested)
    axis = one_axis(obj, request, options.argument)
    rows = _rows_at_points(obj, request, axis, options, scheme)
    points = rows.points
    results = []
    for field in fields:
        if axis.dim not in field.dims:
            continue
        da = check_field(field)
        template = on_points(obj, da, points, axis.dim)
        number = da.dims.index(axis.dim)
        if scheme.deriv:
            label = derivative_label(da, axis, scheme.deriv, requested)
        else:
            label = interpolated_label(da)
        data = rows.evaluate(da.variable.data, number, label.factor)
        if points.dim is None:
            data = data[(*(slice(None),) * number, 0)]
        elif rows.order is not None:
            data = take(data, rows.order, number)
        results.append(to_dataarray(template, data, label))
    return _packed(obj, results, axis.dim, request)


def _grad_on_cells(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    request: GridRequest,
    options: PointOptions,
    scheme: Scheme,
    requested: RequestedUnits | None,
) -> Any:
    """Differentiate fields at another position on the cells, by lengths of a metric."""
    from .cell_gradient import gradient_on_cells
    from .cell_options import CellOptions

    axis = one_axis(obj, request, options.argument)
    given = request.options
    cells = CellOptions(
        None, options.to, options.positions, given.metric, given.periodic,
        scheme.accuracy, scheme.edge_order, scheme.skipna,
    )  # fmt: skip
    results = [
        gradient_on_cells(obj, field, axis.name, axis.long_name, cells, requested)
        for field in fields
        if axis.dim in field.dims
    ]
    return _packed(obj, results, axis.dim, request)


def _packed(
    obj: XarrayObject, results: list[xr.DataArray], dim: Hashable, request: GridRequest
) -> Any:
    """Return results at other points as the type that the user gets."""
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, [dim])
    others = [name for name, coord in obj.coords.items() if dim in coord.dims]
    return pack_results(obj.drop_vars(others), results, request.scalar_dim)


def one_axis(obj: XarrayObject, request: GridRequest, argument: str) -> Axis:
    """Return the axis of a call for one coordinate, or refuse it by the name of an argument."""
    if len(request.axes) != 1:
        raise TypeError(
            f"dim names {len(request.axes)} coordinates, but {argument} is for one; name it"
        )
    ref = request.axes[0].ref
    if len(ref.dims) != 1:
        raise ValueError(
            f"{describe_coord(ref)}, but {argument} is for coordinates of one; name another"
        )
    grid = grid_of_dimensions(obj, request)
    (grid_axis,) = grid.axes
    assert isinstance(grid_axis, GridAxis)
    axis = grid_axis.axis
    if grid.cyclic:
        raise ValueError(
            f"the last point of coordinate {str(axis.name)!r} repeats the first, which does not go "
            f"with {argument}; drop it, e.g. with .isel({{{axis.dim!r}: slice(None, -1)}})"
        )
    return axis


class _PointRows(NamedTuple):
    """Hold the rows of stencils at points, in one part or in two that are joined.

    Attributes
    ----------
    points : ResultPoints
        The points.
    parts : list of (Stencil or None, Stencil or None)
        The stencils of values and of differences in each part.
    adds_values : bool
        True to add differences to values, which are those of each row's own node by default.
    order : ndarray of int64 or None
        The number of each point of the call among the rows of all parts; None if it is its own.
    """

    points: ResultPoints
    parts: list[tuple[Stencil | None, Stencil | None]]
    adds_values: bool
    order: NDArray[np.int64] | None

    def evaluate(self, array: Any, axis: int, factor: float) -> Any:
        """Return the results of an array along an axis, in the order of the rows."""
        found = []
        for values, differences in self.parts:
            if differences is None:
                assert values is not None
                found += derivatives(array, [(axis, values.scale(factor))])
            elif self.adds_values:
                found.append(interpolated(array, axis, values, differences))
            else:
                found += derivatives(array, [(axis, differences.scale(factor))])
        return join(found, axis)


def _rows_at_points(
    obj: XarrayObject, request: GridRequest, axis: Axis, options: PointOptions, scheme: Scheme
) -> _PointRows:
    """Return the points of a call, and the stencils of the derivative there."""
    nodes, (axis_request,) = axis.nodes, request.axes
    orders = WindowOrders(scheme.deriv, scheme.accuracy, scheme.edge_order)
    orders.check_points(nodes, f"dimension {str(axis.dim)!r}")
    if options.at is not None:
        points, homes = read_points(options.at, axis_request, axis), None
    else:
        is_periodic = nodes.period is not None
        target = find_target(obj, axis.dim, options.to, options.positions, is_periodic)
        points = points_at_position(obj, target, axis_request, axis)
        homes = np.minimum(np.arange(target.size), nodes.n - 1)
    if not scheme.deriv and points.points.on_node.any():
        return _rows_with_values(nodes, points, orders)
    stencil = point_stencil(nodes, points.points, orders, homes)
    if scheme.skipna:
        masked = make_masked_points(nodes, points.points, orders)
        stencil = replace(stencil, masked=masked, center=int(points.points.nodes[0]))
    if scheme.deriv:
        return _PointRows(points, [(None, stencil)], False, points.order)
    values = None
    if homes is None or points.points.nodes[0] != 0:
        values = value_stencil(nodes, points.points, homes)
    return _PointRows(points, [(values, stencil)], True, points.order)


def _rows_with_values(nodes: Nodes, points: ResultPoints, orders: WindowOrders) -> _PointRows:
    """Return the rows of an interpolation some of whose points are nodes and have their values."""
    on_node = points.points.on_node
    at_nodes, between = np.flatnonzero(on_node), np.flatnonzero(~on_node)
    own = value_stencil(nodes, points.points.take(at_nodes))
    parts: list[tuple[Stencil | None, Stencil | None]] = [(own, None)]
    if len(between):
        some = points.points.take(between)
        parts.append((value_stencil(nodes, some), point_stencil(nodes, some, orders)))
    order = np.argsort(np.concatenate([at_nodes, between]))
    if points.order is not None:
        order = order[points.order]
    is_own = bool((order == np.arange(len(order))).all())
    return _PointRows(points, parts, True, None if is_own else order)


def on_points(
    obj: XarrayObject, da: xr.DataArray, points: ResultPoints, dim: Hashable
) -> xr.DataArray:
    """Return a field of zeros with the dimensions and coordinates of results at points."""
    if points.dim != dim and points.dim in da.dims:
        raise ValueError(
            f"results would have the dimension {str(points.dim)!r}, which {str(da.name)!r} has "
            "already; rename it, e.g. with .rename"
        )
    sizes: dict[Hashable, int] = {}
    for d, n in da.sizes.items():
        if d != dim:
            sizes[d] = n
        elif points.dim is not None:
            sizes[points.dim] = len(points.points.nodes)
    kept = da.coords.to_dataset().drop_vars([n for n, c in da.coords.items() if dim in c.dims])
    added: dict[Hashable, Any] = (
        {}
        if points.dim == dim
        else {
            name: coord
            for name, coord in obj.coords.items()
            if points.dim in coord.dims and sizes.keys() >= set(coord.dims)
        }
    )
    added |= {name: c for name, c in points.coords.items() if name not in kept.coords}
    zeros = np.broadcast_to(np.zeros(()), tuple(sizes.values()))
    coords = kept.assign_coords(added).coords
    template = xr.DataArray(zeros, coords, list(sizes), da.name, da.attrs)
    template.encoding = da.encoding
    return template
