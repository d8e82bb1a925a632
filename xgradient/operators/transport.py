"""Derivatives of scalar fields along vector fields: advection and directional derivatives."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import xarray as xr

from .._typing import Labelled, XarrayObject
from ..geometry.boundaries import boundaries_of_field
from ..geometry.expression import Expression
from ..kernels.requests import Combine
from ..labels.attrs import describe_field
from ..labels.boundaries import read_boundaries
from ..labels.hints import MissingNameError
from ..labels.requested_units import RequestedUnits, read_requested_units
from ..labels.results import make_label, pack_results, to_dataarray
from ..labels.units import common_units, product_units, result_units
from ..stencils.scheme import Scheme
from .cell_entry import components_on_one_grid
from .components import broadcast_field
from .documentation import documented_by
from .entry import entry_point
from .evaluate import evaluate_expressions, grid_dims
from .fields import check_field, check_labelled, numeric_fields
from .gradient import grad
from .options import (
    BoundaryLike,
    CoastLike,
    MetricLike,
    PeriodicLike,
    PositionLike,
    PositionsLike,
    RelativeLike,
    SpacingLike,
    UnitsLike,
    WallLike,
    grid_options,
)
from .pointwise import project_on_direction, project_on_skewed_direction, project_on_vector
from .vector_field import VectorField, collect_vector_field


@documented_by(grad)
@entry_point
def advection(
    obj: Labelled,
    components: Mapping[Hashable, Any] | None = None,
    /,
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
    relative: RelativeLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> Labelled:
    r"""Compute the advective tendency of scalar fields: positive where the flow increases them.

    .. math:: -F\cdot\nabla f = -\sum_i \frac{F_i}{h_i}\,\partial_i f

    with the scale factors :math:`h_i` of the metric [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field. In a Dataset, every numeric variable with the dimensions that is not a
        component.
    components : mapping from dimension to component, optional
        The component of the flow along each dimension.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``, on the grid of the scalar. Components and
        scalars are broadcast, as in arithmetic: a wind may be steady, and a component a number.

    Returns
    -------
    DataArray or Dataset
        ``advection_T`` for a field T, in units of the field times units of the flow over a length.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans). Dims that only the flow has are last.

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> t = (5 * x).assign_coords(x=x).rename("t")
    >>> t.grad.advection(x=xr.full_like(t, 2.0)).values
    array([-10., -10., -10.])

    On the globe, in SI units:

    >>> lat = ("lat", [-10.0, 0.0, 10.0], {"units": "degrees_north"})
    >>> lon = ("lon", [0.0, 10.0, 20.0], {"units": "degrees_east"})
    >>> t = xr.DataArray([[0.0, 1, 2]] * 3, {"lat": lat, "lon": lon}, ("lat", "lon"), "t")
    >>> wind = {"lon": xr.full_like(t, 10.0), "lat": 0 * t}
    >>> (1e6 * t.grad.advection(wind, metric="sphere")).values[:, 1].round(3)
    array([-9.132, -8.993, -9.132])
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    requested = read_requested_units(units)
    check_labelled(obj, "advection")
    obj, components, others = components_on_one_grid("advection", obj, components, dims, {
        "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna,
        "boundary": boundary, "spacing": spacing,
    })  # fmt: skip
    vector = collect_vector_field(obj, components, others, options, scheme, relative)
    result: Labelled = _directional_operator(obj, vector, requested, "advection", -1.0, unit=False)
    return result


@documented_by(grad)
@entry_point
def directional(
    obj: Labelled,
    components: Mapping[Hashable, Any] | None = None,
    /,
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
    relative: RelativeLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> Labelled:
    r"""Compute the derivative of scalar fields in the direction of a vector field.

    .. math:: \frac{F}{|F|}\cdot\nabla f = \frac{1}{|F|}\sum_i \frac{F_i}{h_i}\,\partial_i f

    with the scale factors :math:`h_i` of the metric [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field. In a Dataset, every numeric variable with the dimensions that is not a
        component.
    components : mapping from dimension to component, optional
        The component of the vector field along each dimension.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``, on the grid of the scalar. Components and
        scalars are broadcast, as in arithmetic: a wind may be steady, and a component a number.

    Returns
    -------
    DataArray or Dataset
        ``directional_T`` for a field T, in units of the field over a length. It is missing where
        the vector is zero.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans). Dims that only the flow has are last.

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> t = (5 * x).assign_coords(x=x).rename("t")
    >>> t.grad.directional(x=xr.full_like(t, -2.0)).values
    array([-5., -5., -5.])
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    requested = read_requested_units(units)
    check_labelled(obj, "directional")
    obj, components, others = components_on_one_grid("directional", obj, components, dims, {
        "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna,
        "boundary": boundary, "spacing": spacing,
    })  # fmt: skip
    vector = collect_vector_field(obj, components, others, options, scheme, relative)
    result: Labelled = _directional_operator(obj, vector, requested, "directional", 1.0, unit=True)
    return result


def _directional_operator(
    obj: XarrayObject,
    vector: VectorField,
    requested: RequestedUnits | None,
    prefix: str,
    sign: float,
    unit: bool,
) -> Any:
    """Return F·∇f for a scalar, or for every scalar of a Dataset."""
    if isinstance(obj, xr.DataArray):
        scalars = [obj]
    else:
        components_ = {f.name for f in vector.fields}
        needed = grid_dims(vector.grid)
        scalars = [f for f in numeric_fields(obj, needed) if f.name not in components_]
        if not scalars:
            raise MissingNameError(
                f"the Dataset has no variable besides the components that {prefix} could be "
                "taken of; add the scalar"
            )
    results = [_directional_derivative(f, vector, requested, prefix, sign, unit) for f in scalars]
    vector.warn()
    return pack_results(obj, results)


def _directional_derivative(
    f: xr.DataArray,
    vector: VectorField,
    requested: RequestedUnits | None,
    prefix: str,
    sign: float,
    unit: bool,
) -> Any:
    """Return the derivative of a scalar field along a vector field, labelled."""
    f = check_field(f)
    vector.check_grid(f, "the scalar")
    vector = vector.broadcast_like(f)
    dims = dict.fromkeys((*f.dims, *vector.context.dims))
    f_in_order = broadcast_field(f, tuple(dims), [f, *vector.fields])
    f_in_order = f_in_order.transpose(*vector.context.dims)
    grid, (f_in_order,) = vector.grid.for_fields([f_in_order])
    # The scalar comes first; the flow is not differentiated, so its sign at poles does not matter.
    vectors = (False, *(True for _ in vector.fields))
    context = replace(vector.context, grid=grid, is_component=vectors, boundaries=())
    if grid.boundaries is not None:
        boundaries = boundaries_of_field(grid, f_in_order, [f.name])
        context = replace(context, boundaries=(boundaries,))
    project: Combine
    components: list[Expression] = []
    if unit:
        lengths = tuple(vector.unit_factors())
        project = partial(project_on_direction, factors=lengths)
        if components := grid.orthonormal_components(1):
            components = [c.weighted([1.0, *lengths]) for c in components]
            project = partial(project_on_skewed_direction, factors=lengths)
        terms = [result_units(f.attrs.get("units"), s.axis.units, 1) for s in grid.axes]
    else:
        project = project_on_vector
        # Units of the scalar that are not known remain as text before a known rate.
        rates = [vector.unit(i, i) for i in range(len(vector.fields))]
        terms = [product_units(f.attrs.get("units"), rate) for rate in rates]
    units, factors = common_units(terms, f"{prefix} of {f.name}")
    words = describe_field(f.attrs, f.name)
    by = f"by {vector.label}" if not unit else f"along {vector.label}"
    quantity = "advection" if not unit else "derivative"
    long_name = f"{quantity} {'of ' + words + ' ' if words else ''}{by}"
    name = prefix if f.name is None else f"{prefix}_{f.name}"
    label = make_label(requested, f.attrs, name, units, long_name)

    def expressions() -> list[Expression]:
        pairs = zip(factors, vector.signs, strict=True)
        weights = [sign * factor * direction * label.factor for factor, direction in pairs]
        return [grid.gradient(i) * weight for i, weight in enumerate(weights)] + components

    fields = [f_in_order, *vector.fields]
    (data,) = evaluate_expressions(context, fields, expressions, project, 1)
    return to_dataarray(f_in_order, data, label).transpose(*dims)
