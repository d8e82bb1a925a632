"""Derivatives along named coordinates: names in, names out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..engine.evaluate import derivatives
from ..geometry.build import build_grid, resolve_axes
from ..geometry.cyclic import FieldsWithoutCyclicPoint, cyclic_points
from ..geometry.grid import Grid
from ..geometry.lowering import LoweringContext
from ..geometry.orthogonal import axis_derivative_expression
from ..labels.arguments import GridOptions
from ..labels.results import derivative_to_dataarray, mixed_to_dataarray, pack_results
from ..stencils.scheme import Scheme
from .evaluate import evaluate_expressions, grid_dims
from .fields import check_field, check_labelled, no_field_error, numeric_fields, select_fields
from .vertical import grad_with_columns


def grad(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | Mapping[Hashable, int] | None = None,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
    metric: Any = None,
    along: Hashable | None = None,
    at_constant: Hashable | None = None,
) -> Any:
    r"""Derivatives along named coordinates; the same as ``obj.grad(dim, ...)``.

    .. math::

        \frac{\mathrm{d}^d f}{\mathrm{d}x^d}(x_i)
        \approx \sum_j c_{ij}\,\bigl(f_{j+1} - f_j\bigr)

    with the coefficients :math:`c_{ij}` that are exact for all polynomials up to degree
    ``deriv + accuracy - 1`` on the nodes as they stand [1]_. With a metric it is
    :math:`(\partial_i / h_i)^d f`, with the scale factor :math:`h_i` of the coordinate; fields
    count as scalars, and on a row on a pole the derivative by longitude is what it tends to
    there. Components of vectors have `xgradient.jacobian`.

    Parameters
    ----------
    obj : DataArray or Dataset
        The field, of any real or complex dtype, in memory or in dask chunks. Of a Dataset every
        numeric variable that has the dimension, except flags and the bounds of coordinates.
    dim : name, list of names or None
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves, such as
        "latitude" or "X", which is a longitude too. None stands for all dimensions. A mapping from
        names to orders, such as ``{"x": 1, "y": 1}``, stands for one mixed derivative. Two
        coordinates along the same two dimensions stand for the directions in which one of them
        increases alone: with a metric of the globe east and north, else x and y. A coordinate such
        as a height that changes from column to column is one for ``along``.
    deriv : int, default: 1
        Order of the derivative. Higher derivatives have stencils of their own.
    accuracy : int, default: 2
        Order of accuracy in the interior, on any nodes, even or not.
    edge_order : int, optional
        Order of accuracy next to the ends. By default 1 at accuracy 2, as in NumPy, torch and
        xarray, else the same as ``accuracy``. An axis too short for the windows of the interior
        has windows of the ends only.
    spacing : number, 1-D array, sequence or mapping by name, optional
        Replaces the coordinate: a number is a uniform step, an array holds node positions. A
        sequence has one entry per dimension. A dimension without a coordinate has step 1. A mapping
        may name other dimensions of the data, too, so that it serves several calls.
    periodic : bool, name, list of names or mapping from name to period, optional
        Whether the axis closes on itself. The period is 360 for coordinates in degrees and n
        steps for other uniform axes, else it must be given. By default none does without a
        metric; on a globe longitudes that go round close, and latitudes that reach both poles
        continue across them, if there is an even number of longitudes. False turns this off. A
        last point that is the first one a period later, as 360 is 0, counts as the same place,
        where the values must be the same. Other dimensions of the data may be named, too.
    skipna : bool, default: False
        Whether a missing value (NaN) counts as the end of the axis for its neighbours, as a coast
        is the end of an ocean: their windows keep to the valid values on their own side, with
        ``edge_order`` as at the ends, or with what a run of few valid values allows. A missing
        value stays missing, and so does one with too few valid neighbours. Without it, whatever
        a missing value is in the window of is missing.
    metric : {"sphere", "ellipsoid"}, Sphere, Ellipsoid or mapping, optional
        Lengths for coordinates: derivatives are per metre. On a globe, latitudes and longitudes
        are found by CF and by name, and other dimensions keep their own coordinate; "sphere"
        has the radius of the data's grid mapping, else 6371008.8 m, and "ellipsoid" is WGS84. A
        dimension along which both lie, as on a track, counts by the distance along it. A
        mapping has for some dimensions the scale factor, in metres per unit of the coordinate: a
        number, a DataArray, or the name of a variable.
    along : name, optional
        The dimension along which a coordinate of several dimensions holds positions, as z(time,
        s, y, x) does along s: each column has weights for its own positions. It may be left out
        where the coordinates tell which one is vertical, or only one is left.
    at_constant : name, optional
        A coordinate of several dimensions, or its CF name, such as the height of terrain-following
        levels, that is to stay constant, which the levels themselves do not let it. By the chain
        rule :math:`(\partial f/\partial x)_z = (\partial f/\partial x)_s
        - (\partial z/\partial x)_s\,\partial f/\partial z`.

    Returns
    -------
    DataArray or Dataset
        A DataArray for one name on a DataArray, else a Dataset with one variable per field and
        coordinate: ``dT_dlat``, or ``d2T_dlat2`` for ``deriv=2``. Dims, coords, chunks and dtype
        are those of the field (float64 for integers and booleans); ``units`` and ``long_name``
        are rewritten, and ``standard_name`` where CF has one. Times of every kind count in seconds.

    Raises
    ------
    TypeError
        If a field or a coordinate is not numeric, or an argument has the wrong type.
    ValueError
        If a name is unknown, two of the names stand for axes along one dimension, a coordinate
        has missing, repeated or unordered values, there are too few points, or a spacing, period
        or metric does not fit. Nothing is computed before.
    ImportError
        If distances along a track on an ellipsoid are asked for without pyproj.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> t = xr.DataArray(
    ...     [280.0, 282.0, 286.0],
    ...     coords={"lat": ("lat", [10.0, 20.0, 30.0], {"units": "degrees_north"})},
    ...     name="t",
    ...     attrs={"units": "K"},
    ... )
    >>> t.grad("lat")
    <xarray.DataArray 'dt_dlat' (lat: 3)> Size: 24B
    array([0.2, 0.3, 0.4])
    Coordinates:
      * lat      (lat) float64 24B 10.0 20.0 30.0
    Attributes:
        units:      K degrees_north-1
        long_name:  derivative of t with respect to lat
    """
    scheme = Scheme.checked(deriv, accuracy, edge_order, skipna)
    options = GridOptions(metric, spacing, periodic)
    check_labelled(obj, "grad")
    if isinstance(dim, Mapping) and any(n is not None for n in dim.values()):
        if along is not None or at_constant is not None:
            raise ValueError(
                "along and at_constant are not for mixed derivatives; name coordinates in a list"
            )
        return _mixed(obj, dim, scheme, options)
    if isinstance(dim, Iterator):
        dim = list(dim)  # which is looked at more than once
    fields = select_fields(obj, dim)
    by_columns = grad_with_columns(obj, fields, dim, scheme, options, along, at_constant)
    if by_columns is not None:
        return by_columns
    grid, scalar_dim = build_grid(obj, dim, options, scheme, fields)
    results = []
    for da in fields:
        mine = [i for i, grid_axis in enumerate(grid.axes) if set(grid_axis.dims) <= set(da.dims)]
        if mine or isinstance(obj, xr.DataArray):
            results.extend(_differentiate(da, grid, mine, scheme))
    if isinstance(obj, xr.Dataset) and not results:
        raise no_field_error(obj, grid_dims(grid))
    return pack_results(obj, results, scalar_dim)


def _differentiate(
    da: xr.DataArray, grid: Grid, mine: list[int], scheme: Scheme
) -> list[xr.DataArray]:
    """One derivative for each of the axes that a field has, labelled."""
    da = check_field(da)
    grid, (da,) = grid.for_fields([da])
    if grid.is_cartesian and not grid.cyclic:
        requests = []
        for i in mine:
            nodes, along = grid.axes[i].axis.nodes, grid.axes[i].axis.dim
            stencil = scheme.stencil(nodes, f"dimension {str(along)!r}")
            requests.append((da.dims.index(along), stencil))
        made = derivatives(da.variable.data, requests)
    else:
        context, deriv = LoweringContext.for_scalar(grid, da, scheme), scheme.deriv
        made = evaluate_expressions(
            context, [da], lambda: [axis_derivative_expression(grid, i, deriv) for i in mine]
        )
    return [
        derivative_to_dataarray(da, data, grid.axes[i].axis, scheme.deriv)
        for i, data in zip(mine, made, strict=True)
    ]


def _mixed(
    obj: XarrayObject, dim: Mapping[Hashable, int], scheme: Scheme, options: GridOptions
) -> Any:
    """One mixed derivative, by the product of the stencils of all axes."""
    if options.metric is not None:
        raise ValueError(
            "mixed derivatives are those of the coordinates; with a metric call "
            ".hessian, which has the second derivatives in metres"
        )
    if scheme.deriv != 1:
        raise ValueError("deriv is given twice, by itself and in dim; give it in dim only")
    rest = scheme.accuracy, scheme.edge_order, scheme.skipna
    orders = [Scheme.checked(n, *rest) for n in dim.values()]
    fields = numeric_fields(obj) if isinstance(obj, xr.Dataset) else [obj]
    axes, _ = resolve_axes(obj, list(dim), options, fields)
    points = cyclic_points(axes)
    fields = [da for da in fields if {axis.dim for axis in axes} <= set(da.dims)]
    if not fields:
        raise no_field_error(obj, list(dim))  # type: ignore[arg-type]
    results = []
    for da in fields:
        da = check_field(da)  # noqa: PLW2901
        opened = FieldsWithoutCyclicPoint(points, da.dims, [da.variable.data], [da.name])
        (data,) = opened.arrays
        for axis, each in zip(axes, orders, strict=True):
            stencil = each.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
            (data,) = derivatives(data, [(da.dims.index(axis.dim), stencil)])
        (data,) = opened.closed([data])
        pairs = list(zip(axes, (each.deriv for each in orders), strict=True))
        results.append(mixed_to_dataarray(da, data, pairs))
    return pack_results(obj, results)
