"""Operators on vector fields whose results are tensors: Jacobian and strain."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.expression import Expression
from ..labels.boundaries import read_boundaries
from ..labels.requested_units import read_requested_units
from ..labels.results import to_dataset
from ..labels.units import common_units, product_units
from ..stencils.scheme import Scheme
from .cell_entry import components_on_one_grid
from .documentation import documented_by
from .entry import entry_point
from .evaluate import evaluate_expressions, real_length
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
from .pointwise import deformation
from .vector_field import collect_vector_field


@documented_by(grad)
@entry_point
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
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    units: UnitsLike = None,
    relative: RelativeLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> xr.Dataset:
    r"""Compute all first derivatives of a vector field: the tensor of its gradient.

    .. math::

        J_{ij} = \frac{\partial_j F_i}{h_j} - \frac{F_j}{h_i}\,\partial_i \ln h_j
        \quad (i \ne j), \qquad
        J_{ii} = \frac{\partial_i F_i}{h_i} + \sum_{k\ne i}\frac{F_k}{h_k}\,\partial_k \ln h_i

    The components are along unit vectors, so that the trace is the divergence and the
    antisymmetric part half the curl [1]_. Components and coordinates keep their directions: the
    derivative of an upward component along a depth enters the divergence with a minus sign.
    Rows and columns are along the axes of the call. Components that are ``relative`` to other axes
    are rotated first, and ``du_dx`` is then the derivative of the component along x.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        The data with the variables that are named. Not needed if all components are DataArrays.
    components : mapping from dimension to component, optional
        The component along each dimension.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``du_dlon``, ``du_dlat``, ``dv_dlon``, ``dv_dlat``: the derivative of each component along
        each axis, curvature included, in units of a component over a length.
        Dims, shape, coords and chunks are those of the first component, and the dtype is
        the common one of all components (float64 for integers and booleans).

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
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    requested = read_requested_units(units)
    obj, components, others = components_on_one_grid("jacobian", obj, components, dims, {
        "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna,
        "boundary": boundary, "spacing": spacing,
    })  # fmt: skip
    vector = collect_vector_field(obj, components, others, options, scheme, relative)
    numbers = range(len(vector.fields))
    pairs = [(i, j) for i in numbers for j in numbers]
    grid = vector.grid
    labels = []
    for i, j in pairs:
        axis = grid.axes[j].axis
        words = f"derivative of {vector.long_names[i]} with respect to {axis.long_name}"
        name = f"d{vector.names[i]}_d{axis.name}"
        labels.append(vector.make_label(requested, name, vector.unit(i, j), words))

    def expressions() -> list[Expression]:
        # Each row belongs to a component as given.
        return [
            vector.jacobian(i, j) * (vector.signs[i] * label.factor)
            for (i, j), label in zip(pairs, labels, strict=True)
        ]

    data = evaluate_expressions(vector.context, vector.fields, expressions)
    vector.warn()
    results = [vector.to_dataarray(*pair) for pair in zip(data, labels, strict=True)]
    return to_dataset(results, vector.fields[0].coords)


@documented_by(grad)
@entry_point
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
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    skipna: bool = False,
    coast: CoastLike = None,
    units: UnitsLike = None,
    relative: RelativeLike = None,
    to: PositionLike = None,
    positions: PositionsLike = None,
    **dims: Any,
) -> xr.Dataset:
    r"""Compute the deformation of a horizontal flow, and the Okubo-Weiss parameter.

    With the Jacobian J of (u, v) along x and y, curvature included:

    .. math::

        S_n = J_{ux} - J_{vy}, \quad S_s = J_{vx} + J_{uy}, \quad S = \sqrt{S_n^2 + S_s^2},
        \quad W = S_n^2 + S_s^2 - (J_{vx} - J_{uy})^2

    The parameter W is negative in vortices [1]_ [2]_. Normal and shear deformation are along
    the axes of the call, for any ``relative``. The total deformation and W do not depend on the
    axes.

    Parameters
    ----------
    obj : DataArray or Dataset, optional
        The data with the variables that are named. Not needed if all components are DataArrays.
    components : mapping from dimension to component, optional
        Two components, each by the dimension along which it points.
    **dims : name of a variable or DataArray
        The components as keywords: ``lon="u", lat="v"``.

    Returns
    -------
    Dataset
        ``normal_deformation``, ``shear_deformation``, ``total_deformation`` and ``okubo_weiss``,
        in units of a component over a length; those of ``okubo_weiss`` are squared.
        Dims, shape, coords and chunks are those of the first component, and the dtype is
        the common one of all components (float64 for integers and booleans).

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
    boundaries = read_boundaries(boundary, wall, coast, skipna)
    options = grid_options(metric, spacing, periodic, boundaries)
    requested = read_requested_units(units)
    obj, components, others = components_on_one_grid("strain", obj, components, dims, {
        "to": to, "positions": positions, "metric": metric, "periodic": periodic,
        "accuracy": accuracy, "edge_order": edge_order, "skipna": skipna,
        "boundary": boundary, "spacing": spacing,
    })  # fmt: skip
    vector = collect_vector_field(obj, components, others, options, scheme, relative, (2,), True)
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    unit, converted = common_units([vector.unit(i, j) for i, j in pairs], "a deformation")
    squared = product_units(unit, unit)
    names = {
        "normal_deformation": ("normal deformation", unit),
        "shear_deformation": ("shear deformation", unit),
        "total_deformation": ("total deformation", unit),
        "okubo_weiss": ("Okubo-Weiss parameter", squared),
    }
    labels = [
        vector.make_label(requested, name, units, f"{words} of {vector.label}")
        for name, (words, units) in names.items()
    ]
    factors = tuple(label.factor for label in labels)
    signs, factor = vector.axis_signs, factors[0]

    def expressions() -> list[Expression]:
        ux, uy, vx, vy = (
            vector.jacobian(i, j, orthonormal=True) * (signs[i] * signs[j] * conversion * factor)
            for (i, j), conversion in zip(pairs, converted, strict=True)
        )
        return [ux - vy, vx, uy]

    rest = (1.0, factors[1] / factor, factors[2] / factor, factors[3] / factor**2)
    combine = partial(deformation, factors=rest) if set(rest) != {1.0} else deformation
    data = evaluate_expressions(vector.context, vector.fields, expressions, combine, 4)
    vector.warn()
    data[2] = real_length(data[2])
    results = [vector.to_dataarray(*pair) for pair in zip(data, labels, strict=True)]
    return to_dataset(results, vector.fields[0].coords)
