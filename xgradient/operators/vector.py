"""Operators on vector fields: divergence, curl, Jacobian and strain."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.expression import Expression
from ..labels.results import to_dataset
from ..labels.standard_names import divergence_name, vorticity_name
from ..labels.units import common_units, product_units
from ..stencils.scheme import Scheme
from .documentation import documented_by
from .evaluate import evaluate_expressions, real_length
from .gradient import grad
from .options import MetricLike, PeriodicLike, SpacingLike, grid_options
from .pointwise import deformation
from .vector_field import collect_vector_field


@documented_by(grad)
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
    skipna: bool = False,
    **dims: Any,
) -> xr.DataArray:
    r"""Divergence of a vector field; the same as ``ds.grad.divergence(lon="u", lat="v")``.

    .. math::

        \nabla\cdot F = \sum_i \frac{1}{h_i}\Bigl(\partial_i F_i
        + F_i \sum_{j\ne i} \partial_i \ln h_j\Bigr)

    with the scale factors :math:`h_i` of the metric [1]_; on the sphere of radius R
    :math:`\partial_\lambda u / (R\cos\varphi) + \partial_\varphi v / R - v \tan\varphi / R`.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up. Not needed for components that are DataArrays.
    components : mapping from dimension to component, optional
        The component along each dimension, for dimensions whose names cannot be keywords.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``. All have the same dimensions and
        coordinates. A component points as its coordinate increases, unless its ``standard_name``
        and the coordinate's ``positive`` differ: an upward component by a depth changes sign.

    Returns
    -------
    DataArray
        Named "divergence", in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

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
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    options = grid_options(metric, spacing, periodic)
    vector = collect_vector_field(obj, components, dims, options, scheme)
    units, factors = vector.units("a divergence")
    factors = [factor * sign for factor, sign in zip(factors, vector.signs, strict=True)]
    grid = vector.grid
    (data,) = evaluate_expressions(
        vector.context, vector.fields, lambda: [grid.divergence(factors)]
    )
    vector.warn()
    words = f"divergence of {vector.label}"
    named = vector.standard_name(units, divergence_name)
    return vector.to_dataarray(data, "divergence", units, words, named)


@documented_by(grad)
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
    skipna: bool = False,
    **dims: Any,
) -> Any:
    r"""Curl of a vector field; of two components, such as a wind, the vertical vorticity.

    .. math::

        (\nabla\times F)_k = \frac{1}{h_i}\bigl(\partial_i F_j + F_j\,\partial_i \ln h_j\bigr)
        - \frac{1}{h_j}\bigl(\partial_j F_i + F_i\,\partial_j \ln h_i\bigr)

    for right-handed axes i, j, k [1]_; on the sphere of radius R
    :math:`\partial_\lambda v / (R\cos\varphi) - \partial_\varphi u / R + u \tan\varphi / R`.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up. Not needed for components that are DataArrays.
    components : mapping from dimension to component, optional
        Two or three components, each by the dimension along which it points.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``. Longitude (x), latitude (y) and an
        upward vertical are right-handed in this order, whatever the order of the keywords. Other
        dimensions are right-handed in the order given. A vertical that is ``positive: down`` is
        reversed, and so is the component of the result along it.

    Returns
    -------
    DataArray or Dataset
        Of two components a DataArray named "curl", else a Dataset with ``curl_lon`` and so on,
        in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

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
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    options = grid_options(metric, spacing, periodic)
    vector = collect_vector_field(obj, components, dims, options, scheme, (2, 3), True)
    pairs = [(0, 1)] if len(vector.fields) == 2 else [(1, 2), (2, 0), (0, 1)]
    grid, units, arguments = vector.grid, [], []
    for i, j in pairs:
        unit, factors = common_units([vector.unit(j, i), vector.unit(i, j)], "a curl")
        units.append(unit)
        sign = vector.axis_signs[i] * vector.axis_signs[j]
        first, second = factors[0] * vector.signs[j], factors[1] * vector.signs[i]
        arguments.append((i, j, (first * sign, second * sign)))
    data = evaluate_expressions(
        vector.context, vector.fields, lambda: [grid.curl(*given) for given in arguments]
    )
    vector.warn()
    words = f"curl of {vector.label}"
    if len(pairs) == 1:
        named = vector.standard_name(units[0], vorticity_name)
        return vector.to_dataarray(data[0], "curl", units[0], words, named)
    results = []
    directions = [direction or "" for direction in vector.directions]
    for component, unit, grid_axis, direction, sign in zip(
        data, units, grid.axes, directions, vector.axis_signs, strict=True
    ):
        axis = grid_axis.axis
        along = f"component {'along' if sign == 1 else 'upwards against'} {axis.long_name}"
        named = vector.standard_name(unit, vorticity_name, direction)
        name, text = f"curl_{axis.name}", f"{words}, {along}"
        results.append(vector.to_dataarray(component, name, unit, text, named))
    return to_dataset(results, vector.fields[0].coords)


@documented_by(grad)
def jacobian(
    obj: XarrayObject | Mapping[Any, Any] | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    skipna: bool = False,
    **dims: Any,
) -> xr.Dataset:
    r"""All first derivatives of a vector field: the tensor of its gradient.

    .. math::

        J_{ij} = \frac{\partial_j F_i}{h_j} - \frac{F_j}{h_i}\,\partial_i \ln h_j
        \quad (i \ne j), \qquad
        J_{ii} = \frac{\partial_i F_i}{h_i} + \sum_{k\ne i}\frac{F_k}{h_k}\,\partial_k \ln h_i

    Physical components, along unit vectors, so that the trace is the divergence and the
    antisymmetric part half the curl [1]_. Each component and coordinate keeps its own direction:
    the derivative of an upward component by a depth enters the divergence with a minus sign.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up. Not needed for components that are DataArrays.
    components : mapping from dimension to component, optional
        The component along each dimension.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``du_dlon``, ``du_dlat``, ``dv_dlon``, ``dv_dlat``: the derivative of each component along
        each axis, curvature included, in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> y = xr.DataArray([0.0, 1.0, 2.0], dims="y")
    >>> wind = xr.Dataset({"u": 2 * x + 0 * y, "v": x - y}, {"x": x, "y": y})
    >>> {name: float(d[1, 1]) for name, d in wind.grad.jacobian(x="u", y="v").items()}
    {'du_dx': 2.0, 'du_dy': 0.0, 'dv_dx': 1.0, 'dv_dy': -1.0}
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    options = grid_options(metric, spacing, periodic)
    vector = collect_vector_field(obj, components, dims, options, scheme)
    numbers = range(len(vector.fields))
    pairs = [(i, j) for i in numbers for j in numbers]
    grid = vector.grid
    vector.check_units("a Jacobian")

    def expressions() -> list[Expression]:
        # Each row belongs to a component as given; components mixed into it take their signs.
        return [vector.signed(grid.jacobian(i, j)) * vector.signs[i] for i, j in pairs]

    data = evaluate_expressions(vector.context, vector.fields, expressions)
    vector.warn()
    results = []
    for derivative, (i, j) in zip(data, pairs, strict=True):
        axis = grid.axes[j].axis
        words = f"derivative of {vector.long_names[i]} with respect to {axis.long_name}"
        name, unit = f"d{vector.names[i]}_d{axis.name}", vector.unit(i, j)
        results.append(vector.to_dataarray(derivative, name, unit, words))
    return to_dataset(results, vector.fields[0].coords)


@documented_by(grad)
def strain(
    obj: XarrayObject | Mapping[Any, Any] | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    skipna: bool = False,
    **dims: Any,
) -> xr.Dataset:
    r"""Deformation of a horizontal flow, and the Okubo-Weiss parameter.

    With the Jacobian J of (u, v) along x and y, curvature included:

    .. math::

        S_n = J_{ux} - J_{vy}, \quad S_s = J_{vx} + J_{uy}, \quad S = \sqrt{S_n^2 + S_s^2},
        \quad W = S_n^2 + S_s^2 - (J_{vx} - J_{uy})^2

    The parameter W is negative in vortices [1]_ [2]_.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up. Not needed for components that are DataArrays.
    components : mapping from dimension to component, optional
        Two components, each by the dimension along which it points.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``normal_deformation``, ``shear_deformation``, ``total_deformation`` and ``okubo_weiss``,
        in units of a component over a length; those of ``okubo_weiss`` are squared.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    References
    ----------
    .. [1] Okubo, A. (1970): Horizontal dispersion of floatable particles in the vicinity of
       velocity singularities such as convergences. Deep-Sea Research 17, 445-454,
       doi:10.1016/0011-7471(70)90059-8
    .. [2] Weiss, J. (1991): The dynamics of enstrophy transfer in two-dimensional
       hydrodynamics. Physica D 48, 273-294, doi:10.1016/0167-2789(91)90088-Q

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> y = xr.DataArray([0.0, 1.0, 2.0], dims="y")
    >>> flow = xr.Dataset({"u": x + 0 * y, "v": 0 * x - y}, {"x": x, "y": y})
    >>> strain = flow.grad.strain(x="u", y="v")
    >>> float(strain.normal_deformation[1, 1]), float(strain.okubo_weiss[1, 1])
    (2.0, 4.0)
    """
    scheme = Scheme.checked(1, accuracy, edge_order, skipna)
    options = grid_options(metric, spacing, periodic)
    vector = collect_vector_field(obj, components, dims, options, scheme, (2,), True)
    vector.check_units("a deformation", axes=True)
    unit, _ = vector.units("a deformation")
    grid, axis_signs = vector.grid, vector.axis_signs

    def expressions() -> list[Expression]:
        ux, uy, vx, vy = (
            vector.signed(grid.jacobian(i, j)) * (axis_signs[i] * axis_signs[j])
            for i in (0, 1)
            for j in (0, 1)
        )
        return [ux - vy, vx + uy, vx - uy]

    data = evaluate_expressions(vector.context, vector.fields, expressions, deformation, 4)
    vector.warn()
    data[2] = real_length(data[2])
    squared = product_units(unit, unit)
    named = {
        "normal_deformation": ("normal deformation", unit),
        "shear_deformation": ("shear deformation", unit),
        "total_deformation": ("total deformation", unit),
        "okubo_weiss": ("Okubo-Weiss parameter", squared),
    }
    results = [
        vector.to_dataarray(array, name, units, f"{words} of {vector.label}")
        for array, (name, (words, units)) in zip(data, named.items(), strict=True)
    ]
    return to_dataset(results, vector.fields[0].coords)
