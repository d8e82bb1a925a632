"""Operators on vector fields: divergence, curl, Jacobian and strain."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .axes import XarrayObject
from .components import vector_of_call
from .finishes import deformation
from .formulas import Formula, curl_parts, divergence_parts, jacobian_parts
from .results import as_length, evaluated, side_by_side
from .standard_names import divergence_name, vorticity_name
from .stencils import Order
from .units import common_units, product_units

__all__ = ["curl", "divergence", "jacobian", "strain"]


def divergence(
    obj: XarrayObject | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
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
        Where names of variables are looked up.
    components : mapping from dimension to component, optional
        The components by the dimension that each goes along, for dimensions whose names cannot
        be keywords.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `xgradient.grad`.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``. All have the same dimensions and
        coordinates. A component points as its coordinate increases, unless its ``standard_name``
        and the coordinate's ``positive`` say otherwise: an upward one by a depth is turned.

    Returns
    -------
    DataArray
        Named "divergence", in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    Raises
    ------
    TypeError
        If a component is not numeric, or an argument has the wrong type.
    ValueError
        If a component is missing or lies on another grid, the units of the terms cannot be
        added, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
       doi:10.1017/CBO9780511800955

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
    order = Order.checked(1, accuracy, edge_order, skipna)
    vector = vector_of_call(obj, components, dims, metric, order, spacing, periodic)
    units, factors = vector.units("a divergence")
    factors = [factor * sign for factor, sign in zip(factors, vector.signs, strict=True)]
    frame = vector.frame
    (data,) = evaluated(vector.binding, vector.fields, lambda: [divergence_parts(frame, factors)])
    vector.warn()
    words = f"divergence of {vector.words}"
    named = vector.standard_name(units, divergence_name)
    return vector.labelled(data, "divergence", units, words, named)


def curl(
    obj: XarrayObject | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
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
        Where names of variables are looked up.
    components : mapping from dimension to component, optional
        Two or three components by the dimension that each goes along.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `xgradient.grad`.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``. Longitude (x), latitude (y) and the
        vertical are put in this order, in which they are right-handed if the vertical points
        upwards; other dimensions count as right-handed in the order given. A vertical that is
        ``positive: down`` is turned upwards, and so is its part of the result.

    Returns
    -------
    DataArray or Dataset
        Of two components a DataArray named "curl", else a Dataset with ``curl_lon`` and so on,
        in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    Raises
    ------
    TypeError
        If a component is not numeric, or an argument has the wrong type.
    ValueError
        If a component is missing or lies on another grid, the units of the terms cannot be
        added, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
       doi:10.1017/CBO9780511800955

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
    order = Order.checked(1, accuracy, edge_order, skipna)
    vector = vector_of_call(obj, components, dims, metric, order, spacing, periodic, (2, 3), True)
    pairs = [(0, 1)] if len(vector.fields) == 2 else [(1, 2), (2, 0), (0, 1)]
    frame, units, asked = vector.frame, [], []
    for i, j in pairs:
        both = [vector.unit(j, i), vector.unit(i, j)]
        unit, factors = common_units(both, "a curl")
        units.append(unit)
        turned = vector.turned[i] * vector.turned[j]
        first, second = factors[0] * vector.signs[j], factors[1] * vector.signs[i]
        asked.append((i, j, (first * turned, second * turned)))
    data = evaluated(
        vector.binding, vector.fields, lambda: [curl_parts(frame, *each) for each in asked]
    )
    vector.warn()
    words = f"curl of {vector.words}"
    if len(pairs) == 1:
        named = vector.standard_name(units[0], vorticity_name)
        return vector.labelled(data[0], "curl", units[0], words, named)
    results = []
    ways = [way or "" for way in vector.directions]
    for part, unit, side, way, turned in zip(
        data, units, vector.frame.sides, ways, vector.turned, strict=True
    ):
        along = f"component {'along' if turned == 1 else 'upwards against'} {side.axis.long_name}"
        named = vector.standard_name(unit, vorticity_name, way)
        name = f"curl_{side.axis.name}"
        results.append(vector.labelled(part, name, unit, f"{words}, {along}", named))
    return side_by_side(results, vector.fields[0].coords)


def jacobian(
    obj: XarrayObject | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
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
    what an upward component has by a depth comes into the divergence with a minus.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up.
    components : mapping from dimension to component, optional
        The components by the dimension that each goes along.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `xgradient.grad`.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``du_dlon``, ``du_dlat``, ``dv_dlon``, ``dv_dlat``: the derivative of each component along
        each axis, curvature included, in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    Raises
    ------
    TypeError
        If a component is not numeric, or an argument has the wrong type.
    ValueError
        If a component is missing or lies on another grid, the units of the terms cannot be
        added, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
       doi:10.1017/CBO9780511800955

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
    order = Order.checked(1, accuracy, edge_order, skipna)
    vector = vector_of_call(obj, components, dims, metric, order, spacing, periodic)
    every = range(len(vector.fields))
    pairs = [(i, j) for i in every for j in every]
    frame = vector.frame
    vector.check_alike("a Jacobian")

    def formulas() -> list[Formula]:
        # Each row is of the component as it is given; others that it mixes with have their signs.
        return [vector.signed(jacobian_parts(frame, i, j)) * vector.signs[i] for i, j in pairs]

    data = evaluated(vector.binding, vector.fields, formulas)
    vector.warn()
    results = []
    for part, (i, j) in zip(data, pairs, strict=True):
        side, name = vector.frame.sides[j], vector.names[i]
        words = f"derivative of {vector.spoken[i]} with respect to {side.axis.long_name}"
        unit = vector.unit(i, j)
        results.append(vector.labelled(part, f"d{name}_d{side.axis.name}", unit, words))
    return side_by_side(results, vector.fields[0].coords)


def strain(
    obj: XarrayObject | None = None,
    components: Mapping[Hashable, Any] | None = None,
    /,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
    **dims: Any,
) -> xr.Dataset:
    r"""Deformation of a horizontal flow, and the Okubo-Weiss parameter.

    With the Jacobian J of (u, v) along x and y, curvature included:

    .. math::

        S_n = J_{ux} - J_{vy}, \quad S_s = J_{vx} + J_{uy}, \quad S = \sqrt{S_n^2 + S_s^2},
        \quad W = S_n^2 + S_s^2 - (J_{vx} - J_{uy})^2

    Normal, shear and total deformation, and the parameter that is negative in vortices [1]_ [2]_.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        Where names of variables are looked up.
    components : mapping from dimension to component, optional
        Two components by the dimension that each goes along.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `xgradient.grad`.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``normal_deformation``, ``shear_deformation``, ``total_deformation`` and ``okubo_weiss``,
        in units of a component over a length, the last of these squared.
        Dims, shape, coords and chunks are those of the first component, and the dtype is the one
        that all components have in common (float64 for integers and booleans).

    Raises
    ------
    TypeError
        If a component is not numeric, or an argument has the wrong type.
    ValueError
        If a component is missing or lies on another grid, the units of the terms cannot be
        added, or for one of the reasons of `xgradient.grad`.

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
    order = Order.checked(1, accuracy, edge_order, skipna)
    vector = vector_of_call(obj, components, dims, metric, order, spacing, periodic, (2,), True)
    vector.check_alike("a deformation", axes=True)
    unit, _ = vector.units("a deformation")
    frame, turned = vector.frame, vector.turned

    def formulas() -> list[Formula]:
        ux, uy, vx, vy = (
            vector.signed(jacobian_parts(frame, i, j)) * (turned[i] * turned[j])
            for i in (0, 1)
            for j in (0, 1)
        )
        return [ux - vy, vx + uy, vx - uy]

    data = evaluated(vector.binding, vector.fields, formulas, deformation, 4)
    vector.warn()
    data[2] = as_length(data[2])
    squared = product_units(unit, unit)
    named = {
        "normal_deformation": ("normal deformation", unit),
        "shear_deformation": ("shear deformation", unit),
        "total_deformation": ("total deformation", unit),
        "okubo_weiss": ("Okubo-Weiss parameter", squared),
    }
    results = [
        vector.labelled(part, name, units, f"{words} of {vector.words}")
        for part, (name, (words, units)) in zip(data, named.items(), strict=True)
    ]
    return side_by_side(results, vector.fields[0].coords)
