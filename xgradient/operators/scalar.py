"""Operators on scalar fields: magnitude of the gradient, Laplacian and Hessian."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import xarray as xr

from .._typing import Labelled, XarrayObject
from ..geometry.build import build_grid
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.latlon_names import horizontal_names
from ..geometry.lowering import LoweringContext
from ..geometry.named_metrics import resolve_metric
from ..labels.arguments import GridOptions, resolve
from ..labels.attrs import describe_field
from ..labels.boundaries import read_boundaries
from ..labels.requested_units import RequestedUnits, read_requested_units
from ..labels.results import derivative_label, make_label, mixed_label, pack_results, to_dataarray
from ..labels.standard_names import gradient_name
from ..labels.units import common_units, result_units
from ..stencils.scheme import Scheme
from .cell_entry import laplacian_on_cells
from .documentation import documented_by
from .entry import entry_point
from .evaluate import evaluate_expressions, grid_dims, real_length
from .fields import check_field, check_labelled, no_field_error, select_fields
from .gradient import grad
from .options import (
    BoundaryLike,
    CoastLike,
    FormLike,
    MetricLike,
    PeriodicLike,
    PositionsLike,
    SpacingLike,
    UnitsLike,
    WallLike,
    grid_options,
)
from .user_warnings import warn_of_angles


@documented_by(grad)
@entry_point
def magnitude(
    obj: Labelled,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    units: UnitsLike = None,
) -> Labelled:
    r"""Compute the magnitude of the gradient; the same as ``obj.grad.magnitude(dim, ...)``.

    .. math:: |\nabla f| = \Bigl(\sum_i (\partial_i f / h_i)^2\Bigr)^{1/2}

    with the scale factors :math:`h_i` of the metric [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field. In a Dataset, every numeric variable with all the dimensions.
    dim : name, list of names or None
        As for `xgradient.grad`. None means all dimensions, but latitude and longitude with a
        metric of the globe.

    Returns
    -------
    DataArray or Dataset
        ``grad_T_magnitude`` for each field T, in units of the field over a length.
        Dims, shape, coords, chunks and dtype are those of the field; float64 for integers and
        booleans, and real for complex fields.

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> y = xr.DataArray([0.0, 1.0], dims="y")
    >>> (3 * x + 4 * y).assign_coords(x=x, y=y).rename("t").grad.magnitude(["x", "y"]).values
    array([[5., 5.],
           [5., 5.],
           [5., 5.]])

    On the globe, in SI units:

    >>> lat = ("lat", [-10.0, 0.0, 10.0], {"units": "degrees_north"})
    >>> lon = ("lon", [0.0, 10.0, 20.0], {"units": "degrees_east"})
    >>> t = xr.DataArray([[0.0, 1, 2]] * 3, {"lat": lat, "lon": lon}, ("lat", "lon"), "t")
    >>> (1e6 * t.grad.magnitude(metric="sphere")).values[:, 1].round(3)
    array([0.913, 0.899, 0.913])
    """
    requested = read_requested_units(units)

    def apply(grid: Grid, da: xr.DataArray, scheme: Scheme) -> list[xr.DataArray]:
        terms = [_units(da, grid_axis.axis, 1) for grid_axis in grid.axes]
        unit, factors = common_units(terms, "the magnitude of a gradient")
        kinds = {grid_axis.latlon_kind for grid_axis in grid.axes}
        is_horizontal = kinds == {"longitude", "latitude"}
        standard_name = gradient_name(da.attrs) if is_horizontal else None
        name = "grad_magnitude" if da.name is None else f"grad_{da.name}_magnitude"
        words = _long_name("magnitude of the gradient of {}", da)
        label = make_label(requested, da.attrs, name, unit, words, standard_name)

        def expressions() -> list[Expression]:
            rates = [factor * label.factor for factor in factors]
            return [grid.orthonormal_gradient(i) * rate for i, rate in enumerate(rates)]

        context = LoweringContext.for_scalar(grid, da, scheme)
        (data,) = evaluate_expressions(context, [da], expressions, squares=True)
        return [to_dataarray(da, real_length(data), label)]

    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    check_labelled(obj, "magnitude")
    result: Labelled = _scalar_operator(obj, dim, options, scheme, apply)
    return result


@documented_by(grad)
@entry_point
def laplacian(
    obj: Labelled,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    units: UnitsLike = None,
    form: FormLike = None,
    positions: PositionsLike = None,
) -> Labelled:
    r"""Compute the Laplacian; the same as ``obj.grad.laplacian(dim, ...)``.

    .. math::

        \nabla^2 f = \sum_i \frac{1}{h_i^2}\Bigl(\partial_i^2 f
        + \partial_i f\,\bigl(\sum_{j\ne i}\partial_i \ln h_j - \partial_i \ln h_i\bigr)\Bigr)

    by stencils of second derivatives [1]_; on the sphere of radius R
    :math:`\partial_\lambda^2 f / (R\cos\varphi)^2 + \partial_\varphi^2 f / R^2
    - \tan\varphi\,\partial_\varphi f / R^2`.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field. In a Dataset, every numeric variable with all the dimensions.
    dim : name, list of names or None
        As for `xgradient.grad`. None means all dimensions, but latitude and longitude with a
        metric of the globe.

    Returns
    -------
    DataArray or Dataset
        ``laplacian_T`` for each field T, in units of the field over a length squared.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans).

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0, 3.0], dims="x")
    >>> (x**2).assign_coords(x=x).rename("t").grad.laplacian().values
    array([2., 2., 2., 2.])
    """
    requested = read_requested_units(units)

    def apply(grid: Grid, da: xr.DataArray, scheme: Scheme) -> list[xr.DataArray]:
        terms = [_units(da, grid_axis.axis, 2) for grid_axis in grid.axes]
        unit, factors = common_units(terms, "a Laplacian")
        name = "laplacian" if da.name is None else f"laplacian_{da.name}"
        label = make_label(requested, da.attrs, name, unit, _long_name("Laplacian of {}", da))
        factors = [factor * label.factor for factor in factors]
        context = LoweringContext.for_scalar(grid, da, scheme)
        (data,) = evaluate_expressions(context, [da], lambda: [grid.laplacian(factors)])
        return [to_dataarray(da, data, label)]

    on_cells = laplacian_on_cells(obj, dim, {
        "form": form, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna, "coast": coast,
        "boundary": boundary, "spacing": spacing,
    }, requested)  # fmt: skip
    if on_cells is not None:
        return on_cells  # type: ignore[no-any-return]
    scheme = Scheme.checked(2, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    check_labelled(obj, "laplacian")
    result: Labelled = _scalar_operator(obj, dim, options, scheme, apply)
    return result


@documented_by(grad)
@entry_point
def hessian(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    units: UnitsLike = None,
) -> xr.Dataset:
    r"""Compute all second derivatives; the same as ``obj.grad.hessian(dim, ...)``.

    .. math::

        H_{ij} = \frac{\partial_{ij} f - \partial_i f\,\partial_j \ln h_i
        - \partial_j f\,\partial_i \ln h_j}{h_i h_j} \quad (i \ne j), \qquad
        H_{ii} = \frac{\partial_{ii} f - \partial_i f\,\partial_i \ln h_i}{h_i^2}
        + \sum_{k\ne i} \frac{\partial_k f\,\partial_k \ln h_i}{h_k^2}

    The components are along unit vectors [1]_, so that the trace is the Laplacian.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field. In a Dataset, every numeric variable with all the dimensions.
    dim : name, list of names or None
        As for `xgradient.grad`. None means all dimensions, but latitude and longitude with a
        metric of the globe.

    Returns
    -------
    Dataset
        ``d2T_dlat2``, ``d2T_dlat_dlon``, ``d2T_dlon2`` for each field T, in units of the field over
        a length squared. The tensor is symmetric, so each pair of axes has one variable.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans).

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> y = xr.DataArray([0.0, 1.0, 2.0], dims="y")
    >>> h = (x**2 + 3 * x * y).assign_coords(x=x, y=y).rename("t").grad.hessian()
    >>> {name: float(d[1, 1]) for name, d in h.items()}
    {'d2t_dx2': 2.0, 'd2t_dx_dy': 3.0, 'd2t_dy2': 0.0}
    """
    requested = read_requested_units(units)

    def apply(grid: Grid, da: xr.DataArray, scheme: Scheme) -> list[xr.DataArray]:
        return _hessian_fields(grid, da, scheme, requested)

    scheme = Scheme.checked(2, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    check_labelled(obj, "hessian")
    result = _scalar_operator(obj, dim, options, scheme, apply)
    return result if isinstance(result, xr.Dataset) else result.to_dataset()


def _hessian_fields(
    grid: Grid, da: xr.DataArray, scheme: Scheme, requested: RequestedUnits | None
) -> list[xr.DataArray]:
    """Return all second derivatives of one field, labelled."""
    grid_axes = grid.axes
    pairs = [(i, j) for i in range(len(grid_axes)) for j in range(i, len(grid_axes))]
    if any(grid_axis.is_curved for grid_axis in grid_axes):
        # Scale factors add derivatives along other axes, so units must be convertible.
        units = [_units(da, grid_axis.axis, 2) for grid_axis in grid_axes if grid_axis.is_curved]
        common_units(units, "a Hessian")
    labels = [
        derivative_label(da, grid_axes[i].axis, 2, requested)
        if i == j
        else mixed_label(da, [(grid_axes[i].axis, 1), (grid_axes[j].axis, 1)], requested)
        for i, j in pairs
    ]

    def expressions() -> list[Expression]:
        return [
            grid.hessian(*pair) * label.factor for pair, label in zip(pairs, labels, strict=True)
        ]

    context = LoweringContext.for_scalar(grid, da, scheme)
    arrays = evaluate_expressions(context, [da], expressions)
    return [to_dataarray(da, data, label) for data, label in zip(arrays, labels, strict=True)]


def _units(da: xr.DataArray, axis: Any, deriv: int) -> Any:
    """Return the units of a derivative of a field along an axis."""
    return result_units(da.attrs.get("units"), axis.units, deriv)


def _long_name(text: str, da: xr.DataArray) -> str | None:
    """Return a long name with the field's in place of the braces."""
    words = describe_field(da.attrs, da.name)
    return None if words is None else text.format(words)


def _scalar_operator(
    obj: XarrayObject,
    dim: Any,
    options: GridOptions,
    scheme: Scheme,
    apply: Callable[[Grid, xr.DataArray, Scheme], list[xr.DataArray]],
) -> Any:
    """Apply an operator to a field, or to all fields of a Dataset that have the dimensions."""
    fields = select_fields(obj, dim)
    options = options._replace(metric=resolve_metric(options.metric, obj))
    if dim is None:
        dim = horizontal_names(obj, options.metric)
    request = resolve(obj, dim, options, fields)
    grid = build_grid(obj, request, scheme, fields)
    if isinstance(obj, xr.Dataset):
        dims = set(grid_dims(grid))
        fields = [da for da in fields if dims <= set(da.dims)]
        if not fields:
            raise no_field_error(obj, sorted(map(str, dims)))
    results = []
    for da in map(check_field, fields):
        field_grid, (field,) = grid.for_fields([da])
        results += apply(field_grid, field, scheme)
    warn_of_angles(obj, grid, request.respaced_dims)
    return pack_results(obj, results, len(results) == 1)
