"""Derivatives along named coordinates: names in, names out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal, overload

import xarray as xr

from .._typing import Labelled, XarrayObject
from .._wording import short_repr
from ..geometry.build import build_grid
from ..labels.arguments import resolve
from ..labels.boundaries import read_boundaries
from ..labels.requested_units import read_requested_units
from ..labels.results import pack_results
from .by_parts import read_scheme
from .choice import grad_with_choice
from .derivatives import differentiate
from .entry import entry_point
from .errors import check_errors, fields_with_errors, read_error_options
from .evaluate import axes_of_field, grid_dims
from .fields import check_labelled, no_field_error, select_fields
from .mixed import mixed_derivative
from .options import (
    BoundaryLike,
    CoastLike,
    MetricLike,
    PeriodicLike,
    PointsLike,
    PositionLike,
    PositionsLike,
    SigmaLike,
    SmoothLike,
    SpacingLike,
    UnitsLike,
    WallLike,
    grid_options,
)
from .points import PointOptions, grad_at_points
from .smoothing import check_smoothing
from .vertical import grad_at_constant


# One name is a text, which type checkers take for an iterable of names as well.
@overload
def grad(  # type: ignore[overload-overlap]
    obj: Labelled,
    dim: str | Mapping[Any, int],
    *,
    deriv: int = ...,
    accuracy: int | Literal["auto"] = ...,
    edge_order: int | None = ...,
    spacing: SpacingLike = ...,
    periodic: PeriodicLike = ...,
    boundary: BoundaryLike = ...,
    wall: WallLike = ...,
    skipna: bool = ...,
    coast: CoastLike = ...,
    smooth: SmoothLike = ...,
    error: Literal[False] = ...,
    sigma: None = ...,
    metric: MetricLike = ...,
    along: Hashable | None = ...,
    at_constant: Hashable | None = ...,
    at: PointsLike = ...,
    to: PositionLike = ...,
    positions: PositionsLike = ...,
    units: UnitsLike = ...,
) -> Labelled: ...
@overload
def grad(
    obj: XarrayObject,
    dim: Iterable[Hashable] | None = ...,
    *,
    deriv: int = ...,
    accuracy: int | Literal["auto"] = ...,
    edge_order: int | None = ...,
    spacing: SpacingLike = ...,
    periodic: PeriodicLike = ...,
    boundary: BoundaryLike = ...,
    wall: WallLike = ...,
    skipna: bool = ...,
    coast: CoastLike = ...,
    smooth: SmoothLike = ...,
    error: bool = ...,
    sigma: SigmaLike = ...,
    metric: MetricLike = ...,
    along: Hashable | None = ...,
    at_constant: Hashable | None = ...,
    at: PointsLike = ...,
    to: PositionLike = ...,
    positions: PositionsLike = ...,
    units: UnitsLike = ...,
) -> xr.Dataset: ...
@entry_point
def grad(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | Mapping[Any, int] | None = None,
    *,
    deriv: int = 1,
    accuracy: int | Literal["auto"] = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    smooth: SmoothLike = None,
    error: bool = False,
    sigma: SigmaLike = None,
    metric: MetricLike = None,
    along: Hashable | None = None,
    at_constant: Hashable | None = None,
    at: PointsLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    units: UnitsLike = None,
) -> Any:
    r"""Differentiate along named coordinates; the same as ``obj.grad(dim, ...)``.

    .. math::

        \frac{\mathrm{d}^d f}{\mathrm{d}x^d}(x_i)
        \approx \sum_j c_{ij}\,\bigl(f_{j+1} - f_j\bigr)

    The coefficients :math:`c_{ij}` are exact for all polynomials up to degree
    ``deriv + accuracy - 1`` on the given grid points, uniform or not [1]_. With a metric the
    result is :math:`(\partial_i / h_i)^d f`, with the scale factor :math:`h_i` of the coordinate.
    Each field is a scalar here; use `xgradient.jacobian` for the components of vectors. On a row
    at a pole, the derivative along longitude is its limit.

    Parameters
    ----------
    obj : DataArray or Dataset
        The field, of any real or complex dtype, in memory or in dask chunks. In a Dataset, every
        numeric variable with the dimension, except flags and the bounds of coordinates.
    dim : name, list of names or None
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves, such as
        "latitude" or "X", which may be a longitude. None means all dimensions. A mapping from
        names to orders, such as ``{"x": 1, "y": 1}``, gives one mixed derivative. Two 2-D
        coordinates, such as ``["nav_lon", "nav_lat"]``, give derivatives to the east and north
        with a metric of the globe, and along x and y without. A coordinate whose values differ by
        column, such as a height, needs ``along``.
    deriv : int, default: 1
        Order of the derivative. Each order has separate stencils; none is applied twice. With
        ``smooth`` it may be 0.
    accuracy : int or "auto", default: 2
        Order of accuracy in the interior, on uniform and non-uniform grid points. With "auto", the
        result of `xgradient.choose_accuracy` for data in memory, which may be a smoothing if
        ``sigma`` is given. The attribute ``xgradient_accuracy`` records it.
    edge_order : int, optional
        Order of accuracy next to the boundaries. By default 1 at accuracy 2, as in NumPy, torch
        and xarray, else ``accuracy``. An axis too short for the stencils of the interior has
        one-sided stencils only.
    spacing : number, 1-D array, sequence or mapping by name, optional
        Replaces the coordinate: a number is a uniform step, an array holds the positions of the
        grid points. A sequence has one entry per dimension. A dimension without a coordinate has
        step 1. A mapping may also name other dimensions of the data, to serve several calls.
    periodic : "auto", bool, name, list of names or mapping from name to period, default: "auto"
        Periodic axes: True for all axes of the call, names, or a mapping from names to periods.
        The default period is 360 for coordinates in degrees and n steps for other uniform axes.
        With "auto" or None, axes are periodic only with a metric of the globe. Longitudes of a full
        circle are then periodic, and latitudes that reach both poles continue across them, if the
        number of longitudes is even. False turns this off. A last point one period after the
        first is the same point, so the values must be equal. Other dimensions of the data may be
        named, too. Name a dimension called "auto" in a list.
    boundary : condition, pair of conditions or mapping by name, optional
        The conditions at the ends of axes, one for both ends or a pair. "one-sided" is the default.
        With "missing", rows without a centred stencil are missing. The other conditions continue
        the field, so that stencils stay centred: "extend" by its last value, "even" and "odd" by
        its mirror image, and "periodic" as ``periodic`` does. ("value", v) is odd about the value v
        and ("slope", s) even about a line of slope s, in the field's units per unit of the
        coordinate. v and s are numbers, or arrays without the dimension, with units if these
        differ. A mapping in place of conditions, such as ``{"x": {"u": "odd", "v": "even"}}``,
        gives them by field, or by the dimension of a component; others are one-sided. "sbp" is for
        ``grad`` alone: derivatives that sum by parts, as `xgradient.integrate` has it.
    wall : "node" or "face", default: "node"
        Where the field is mirrored, also at coasts: at the last points, or half a step beyond.
    skipna : bool, default: False
        If True, one-sided stencils are used next to missing values (NaN), as at boundaries. Their
        order is ``edge_order``, or lower in a short run of valid values. The result is missing
        where the value is, or where too few neighbours are valid. If False, the result is missing
        wherever the stencil contains a missing value.
    coast : condition or mapping by name, optional
        With ``skipna``, the condition beyond the ends of each run of valid values, in the words of
        ``boundary``: "even" where no flux crosses the coast. By default stencils are one-sided. v
        and s are numbers. Runs of one point have no derivative.
    smooth : (window, degree) or (window, degree, "tricube"), optional
        For noisy data: polynomials of this degree, fitted by least squares to the grid points of a
        window, replace polynomials through the points [2]_. The window is an odd number of
        points, or a length, such as "3 days", in units that convert. Next to the boundaries it is
        not centred; a length on a non-uniform axis takes the points that there are. "tricube" gives
        less weight to distant points. With ``deriv=0`` the result is the smoothed field. With
        ``skipna`` a window stays in its run of valid values. Few points lower the degree. Excludes
        ``accuracy`` and ``edge_order``.
    error : bool, default: False
        Adds an estimate of the error of each derivative. It compares the derivative D of accuracy p
        with that of p + 2: :math:`2 \max |D_p - D_{p+2}| + \varepsilon \sum |w||f|`, with the
        largest difference at the point and its two neighbours, the rounding :math:`\varepsilon` of
        the dtype and the weights w of the values f. ``dT_dlat`` has ``dT_dlat_error`` in a Dataset.
        Excludes ``smooth``, ``boundary``, ``coast``, ``at``, ``to``, ``along``, ``at_constant``.
    sigma : number, DataArray, name or mapping by name of the field, optional
        Standard deviation of independent errors of the data, for ``error``. The noise of the
        derivative, :math:`(\sum w^2\sigma^2)^{1/2}`, is ``dT_dlat_noise``. The error contains it,
        as the root of the sum of the squares. A variable that is named has no derivative itself.
    metric : str, number, Sphere, Ellipsoid, pyproj.CRS, pyproj.Geod or mapping, optional
        Converts units of coordinates to lengths, so that derivatives are per metre. "sphere" has
        the radius of the data's grid mapping, else 6371008.8 m; "ellipsoid" is WGS84; a number is
        the radius of a sphere in metres. "cf" is the coordinate reference system of the data's grid
        mapping, of rioxarray's ``spatial_ref`` or of xproj; it needs pyproj. These find latitudes
        and longitudes by CF attributes or names. Other dimensions keep their coordinate. In a
        geographic system, x and y without attributes are longitude and latitude. In a projected
        system derivatives along x and y are per metre on the Earth, in the direction in which x or
        y increases. "wrf", "roms", "nemo" and "mitgcm" read the scale factors in a file of these
        models: MAPFAC_M, pm and pn, e1t to e3w, dxC to rA. On a dimension with both a latitude and
        a longitude, as on a track, the derivative is by distance. A mapping gives scale factors of
        dimensions, in metres per unit of the coordinate: numbers, DataArrays, or names of
        variables.
    along : name, optional
        The dimension along which the positions of a multi-dimensional coordinate are taken: s for
        a height z(time, s, y, x). Each column then has coefficients for its positions. It is
        optional if attributes mark the vertical dimension, or only one dimension is left.
    at_constant : name, optional
        A multi-dimensional coordinate, or its CF name, that is held constant, such as the height
        of terrain-following levels. The derivative along ``dim`` is then at constant height
        instead of along the levels, by the chain rule :math:`(\partial f/\partial x)_z =
        (\partial f/\partial x)_s - (\partial z/\partial x)_s\,\partial f/\partial z`.
    at : number, 1-D array, sequence or DataArray, optional
        Values of the coordinate at which to differentiate, at most half a step beyond its ends. The
        result is that of the polynomial through the same number of grid points on both sides, with
        ``edge_order`` equal to ``accuracy`` by default. A DataArray gives the result its units,
        dimension and coordinates, and with ``along`` points for each column. Excludes ``skipna``,
        ``smooth``, ``boundary``, ``metric`` and ``at_constant``; the call names one coordinate.
    to : "center", "left", "right", "inner", "outer" or "edges", optional
        Position of the results on the cells, half a step away: from centers to the faces before
        ("left") or after ("right") each cell, between cells ("inner") or all of them ("outer"), or
        from faces to "center". "edges" are the faces that the data have, else "inner", or "left"
        on a periodic axis. With ``skipna`` both neighbours must be valid. Excludes ``at``,
        ``smooth``, ``boundary``, ``along`` and ``at_constant``.
    positions : mapping, optional
        The dimension of each position, if it cannot be inferred, such as
        ``{"X": {"center": "xc", "left": "xg"}}``.
    units : text, pint Unit or mapping by name of the result, optional
        Units of the results, as text of UDUNITS such as "K (100 km)-1" or "K day-1". One text is
        for all results. A mapping, such as ``{"dT_dlat": "K km-1"}``, converts the results that it
        names. The factor is part of the stencils, so the data are read once. The attribute has
        the text as given, and a unit of pint as CF text.

    Returns
    -------
    DataArray or Dataset
        A DataArray for one name on a DataArray, else a Dataset with one variable per field and
        coordinate: ``dT_dlat``, or ``d2T_dlat2`` for ``deriv=2``. Dims, coords, chunks and dtype
        are those of the field (float64 for integers and booleans). The ``units`` and ``long_name``
        are new, and so is the ``standard_name`` if CF has one. Derivatives along times of every
        kind are per second.

    Raises
    ------
    TypeError
        If a field or a coordinate is not numeric, or an argument has the wrong type.
    ValueError
        If a name is unknown, two names mean axes along one dimension, a coordinate has missing,
        repeated or unordered values, there are too few grid points, a spacing, period or metric
        does not fit, or units cannot be converted. Arguments are checked before anything is
        computed.
    ImportError
        If a metric needs pyproj and it is not installed: "cf", and tracks on an ellipsoid.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0
    .. [2] Savitzky, A. and Golay, M. J. E. (1964): Smoothing and differentiation of data by
       simplified least squares procedures. Anal. Chem. 36, 1627-1639, doi:10.1021/ac60214a047

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
    if isinstance(accuracy, str):
        others = {
            "deriv": deriv, "edge_order": edge_order, "spacing": spacing, "periodic": periodic,
            "boundary": boundary, "wall": wall, "skipna": skipna, "coast": coast,
            "smooth": smooth, "error": error, "metric": metric, "along": along,
            "at_constant": at_constant, "at": at, "to": to, "positions": positions, "units": units,
        }  # fmt: skip
        return grad_with_choice(grad, obj, dim, accuracy, sigma, others)
    points = PointOptions(at, to, positions) if at is not None or to is not None else None
    excluded = {
        "skipna": skipna, "coast": coast, "smooth": smooth, "error": error, "metric": metric,
        "along": along, "at_constant": at_constant, "at": at, "to": to,
    }  # fmt: skip
    scheme = read_scheme(boundary, deriv, accuracy, edge_order, excluded)
    boundaries = read_boundaries(None if scheme.by_parts else boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries, along, at_constant)
    requested = read_requested_units(units)
    check_labelled(obj, "grad")
    errors = read_error_options(obj, error, sigma, at=at, to=to, boundary=boundary, coast=coast)
    for argument, value in (("along", along), ("at_constant", at_constant)):
        if value is not None and not isinstance(value, Hashable):
            raise TypeError(f"{argument} is {short_repr(value)}; give one name")
    if points or positions is not None:
        (points or PointOptions(positions=positions)).check(dim, scheme, options)
    # Check for a text first: checks of abstract classes are slow.
    is_list = dim is not None and not isinstance(dim, str)
    if is_list and isinstance(dim, Mapping) and any(n is not None for n in dim.values()):
        if error or along is not None or at_constant is not None:
            name = "error is" if error else "along and at_constant are"
            raise ValueError(f"{name} not for mixed derivatives; name coordinates in a list")
        return mixed_derivative(obj, dim, scheme, options, requested)
    if is_list and isinstance(dim, Iterator):
        dim = list(dim)  # so that it can be read more than once
    fields = fields_with_errors(select_fields(obj, dim), sigma)
    request = resolve(obj, dim, options, fields, columns=True)
    if points:
        return grad_at_points(obj, fields, request, points, scheme, requested)
    if errors is not None:
        check_errors(scheme, request)
    elif smooth is not None:
        check_smoothing(scheme, request)
    grid = build_grid(obj, request, scheme, fields)
    if request.constant is not None:
        results = grad_at_constant(fields, grid, request.constant, scheme, requested)
    else:
        results = []
        for da in fields:
            if numbers := axes_of_field(grid, da):
                results += differentiate(da, grid, numbers, scheme, requested, errors)
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, grid_dims(grid))
    return pack_results(obj, results, request.scalar_dim and errors is None)
