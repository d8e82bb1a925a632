"""Operators on vector fields: divergence and curl."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..labels.boundaries import read_boundaries
from ..labels.requested_units import RequestedUnits, read_requested_units
from ..labels.results import Label, to_dataset
from ..labels.standard_names import divergence_name, vorticity_name
from ..labels.units import common_units
from ..stencils.scheme import Scheme
from .cell_entry import vector_on_cells
from .documentation import documented_by
from .entry import entry_point
from .evaluate import evaluate_expressions
from .gradient import grad
from .options import (
    BoundaryLike,
    CoastLike,
    FormLike,
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
from .vector_field import VectorField, collect_vector_field


@documented_by(grad)
@entry_point
def divergence(
    obj: XarrayObject | Mapping[Any, Any] | None = None,
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
    form: FormLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> xr.DataArray:
    r"""Compute the divergence of a vector field: ``ds.grad.divergence(lon="u", lat="v")``.

    .. math::

        \nabla\cdot F = \sum_i \frac{1}{h_i}\Bigl(\partial_i F_i
        + F_i \sum_{j\ne i} \partial_i \ln h_j\Bigr)

    with the scale factors :math:`h_i` of the metric [1]_; on the sphere of radius R
    :math:`\partial_\lambda u / (R\cos\varphi) + \partial_\varphi v / R - v \tan\varphi / R`.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        The data with the variables that are named. Not needed if all components are DataArrays.
    components : mapping from dimension to component, optional
        The component along each dimension, for dimensions whose names cannot be keywords.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``, on one grid. Components
        are broadcast, as in arithmetic, and may be numbers. A component is positive in the
        direction in which its coordinate increases, unless its ``standard_name`` and the
        coordinate's ``positive`` differ: an upward component along a depth changes sign.

    Returns
    -------
    DataArray
        Named "divergence", in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is
        the common one of all components (float64 for integers and booleans).

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x", attrs={"units": "m"})
    >>> y = xr.DataArray([0.0, 1.0, 2.0], dims="y", attrs={"units": "m"})
    >>> u = (3 * x + 0 * y).assign_coords(x=x, y=y)
    >>> xgradient.divergence(x=u, y=u).values
    array([[3., 3., 3.],
           [3., 3., 3.],
           [3., 3., 3.]])

    On the globe, in SI units:

    >>> lat = ("lat", [-10.0, 0.0, 10.0], {"units": "degrees_north"})
    >>> lon = ("lon", [0.0, 10.0, 20.0], {"units": "degrees_east"})
    >>> v = xr.DataArray([[0.0] * 3, [1.0] * 3, [2.0] * 3], {"lat": lat, "lon": lon})
    >>> (1e6 * xgradient.divergence(lon=0 * v, lat=v, metric="sphere")).values[:, 1].round(3)
    array([0.899, 0.899, 0.844])
    """
    requested = read_requested_units(units)
    on_cells = vector_on_cells("divergence", obj, components, dims, {
        "form": form, "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna, "coast": coast,
        "boundary": boundary, "spacing": spacing, "relative": relative,
    }, requested)  # fmt: skip
    if on_cells is not None:
        return on_cells
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    vector = collect_vector_field(obj, components, dims, options, scheme, relative)
    unit, terms = vector.units("a divergence")
    named, words = vector.standard_name(unit, divergence_name), f"divergence of {vector.label}"
    label = vector.make_label(requested, "divergence", unit, words, named)
    pairs = zip(terms, vector.signs, strict=True)
    factors = [factor * sign * label.factor for factor, sign in pairs]
    grid = vector.grid
    (data,) = evaluate_expressions(
        vector.context, vector.fields, lambda: [grid.divergence(factors)]
    )
    vector.warn()
    return vector.to_dataarray(data, label)


@documented_by(grad)
@entry_point
def curl(
    obj: XarrayObject | Mapping[Any, Any] | None = None,
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
    form: FormLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> Any:
    r"""Compute the curl of a vector field; for a horizontal wind, the vertical vorticity.

    .. math::

        (\nabla\times F)_k = \frac{1}{h_i}\bigl(\partial_i F_j + F_j\,\partial_i \ln h_j\bigr)
        - \frac{1}{h_j}\bigl(\partial_j F_i + F_i\,\partial_j \ln h_i\bigr)

    for right-handed axes i, j, k [1]_; on the sphere of radius R
    :math:`\partial_\lambda v / (R\cos\varphi) - \partial_\varphi u / R + u \tan\varphi / R`.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        The data with the variables that are named. Not needed if all components are DataArrays.
    components : mapping from dimension to component, optional
        Two or three components, each by the dimension along which it points.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``. Longitude (x), latitude (y) and an
        upward vertical are right-handed in this order, in any order of the keywords. Other
        dimensions are right-handed in the given order. A vertical that is ``positive: down`` is
        reversed, and so is the component of the result along it.

    Returns
    -------
    DataArray or Dataset
        For two components a DataArray named "curl", else a Dataset with ``curl_lon`` and so on,
        in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is
        the common one of all components (float64 for integers and booleans).

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x", attrs={"units": "m"})
    >>> y = xr.DataArray([0.0, 1.0, 2.0], dims="y", attrs={"units": "m"})
    >>> u, v = (-y + 0 * x).assign_coords(x=x, y=y), (x + 0 * y).assign_coords(x=x, y=y)
    >>> xgradient.curl(x=u, y=v).values
    array([[2., 2., 2.],
           [2., 2., 2.],
           [2., 2., 2.]])

    On the globe, in SI units:

    >>> lat = ("lat", [-10.0, 0.0, 10.0], {"units": "degrees_north"})
    >>> lon = ("lon", [0.0, 10.0, 20.0], {"units": "degrees_east"})
    >>> u = xr.DataArray([[0.0] * 3, [1.0] * 3, [2.0] * 3], {"lat": lat, "lon": lon})
    >>> (1e6 * xgradient.curl(lon=u, lat=0 * u, metric="sphere")).values[:, 1].round(3)
    array([-0.899, -0.899, -0.844])
    """
    requested = read_requested_units(units)
    on_cells = vector_on_cells("curl", obj, components, dims, {
        "form": form, "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna, "coast": coast,
        "boundary": boundary, "spacing": spacing, "relative": relative,
    }, requested)  # fmt: skip
    if on_cells is not None:
        return on_cells
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    vector = collect_vector_field(obj, components, dims, options, scheme, relative, (2, 3), True)
    pairs = [(0, 1)] if len(vector.fields) == 2 else [(1, 2), (2, 0), (0, 1)]
    labels, arguments = [], []
    for k, (i, j) in enumerate(pairs):
        unit, factors = common_units([vector.unit(j, i), vector.unit(i, j)], "a curl")
        label = _curl_label(vector, None if len(pairs) == 1 else k, unit, requested)
        sign = vector.axis_signs[i] * vector.axis_signs[j] * label.factor
        first, second = factors[0] * vector.signs[j], factors[1] * vector.signs[i]
        labels.append(label)
        arguments.append((i, j, (first * sign, second * sign)))
    grid = vector.grid
    data = evaluate_expressions(
        vector.context, vector.fields, lambda: [grid.curl(*given) for given in arguments]
    )
    vector.warn()
    results = [vector.to_dataarray(*pair) for pair in zip(data, labels, strict=True)]
    return results[0] if len(results) == 1 else to_dataset(results, vector.fields[0].coords)


def _curl_label(
    vector: VectorField, k: int | None, unit: str | None, requested: RequestedUnits | None
) -> Label:
    """Make the label of component k of a curl, or of the only one of two components."""
    words = f"curl of {vector.label}"
    if k is None:
        named = vector.standard_name(unit, vorticity_name)
        return vector.make_label(requested, "curl", unit, words, named)
    axis, sign = vector.grid.axes[k].axis, vector.axis_signs[k]
    words += f", component {'along' if sign == 1 else 'upwards against'} {axis.long_name}"
    named = vector.standard_name(unit, vorticity_name, vector.directions[k] or "")
    return vector.make_label(requested, f"curl_{axis.name}", unit, words, named)
