"""Interpolation between positions on cells, and at given values of a coordinate."""

from __future__ import annotations

from collections.abc import Hashable

from .._typing import Labelled
from ..labels.arguments import resolve
from ..stencils.scheme import Scheme
from .documentation import documented_by
from .entry import entry_point
from .fields import check_labelled, select_fields
from .gradient import grad
from .options import (
    PeriodicLike,
    PointsLike,
    PositionLike,
    PositionsLike,
    SpacingLike,
    grid_options,
)
from .points import PointOptions, grad_at_points


@documented_by(grad)
@entry_point
def interpolate(
    obj: Labelled,
    dim: Hashable,
    *,
    to: PositionLike = None,
    at: PointsLike = None,
    positions: PositionsLike = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    skipna: bool = False,
) -> Labelled:
    r"""Interpolate along a coordinate, with the polynomials of derivatives at other points.

    .. math::

        f(x) \approx \sum_j w_j\,f_j

    The weights :math:`w_j` are those of the polynomial through the same number of grid points on
    both sides of :math:`x` [1]_. At ``accuracy=2`` it is the straight line between two neighbours.

    Parameters
    ----------
    dim : name
        A dimension, a 1-D coordinate, or a CF name or axis.
    to : "center", "left", "right", "inner", "outer" or "edges", optional
        Position on the cells, half a step away, as for `xgradient.grad`.
    at : number, 1-D array, sequence or DataArray, optional
        Values of the coordinate, at most half a step beyond its ends, in place of ``to``. At a
        grid point the result is the value there. Excludes ``skipna``.
    accuracy : int, default: 2
        Order of accuracy: the number of grid points of each polynomial, which is even.
    edge_order : int, optional
        Order of accuracy next to the boundaries, by default ``accuracy``.
    skipna : bool, default: False
        If True, polynomials stay in the run of valid values around a point. Both neighbours must
        be valid. If False, the result is missing if a value of the polynomial is.

    Returns
    -------
    DataArray or Dataset
        The fields, with the shape and coordinates of the points along ``dim``. Names, units and
        dtype are those of the fields (float64 for integers), and so are chunks.

    Raises
    ------
    TypeError
        If a field or a coordinate is not numeric, or an argument has the wrong type.
    ValueError
        If neither ``to`` nor ``at`` is given, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Berrut, J.-P. and Trefethen, L. N. (2004): Barycentric Lagrange Interpolation.
       SIAM Rev. 46, 501-517, doi:10.1137/S0036144502417715

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> u = xr.DataArray([0.0, 1.0, 4.0, 9.0], {"x": [0.0, 1.0, 2.0, 3.0]}, name="u")
    >>> u.grad.interpolate("x", to="inner").values
    array([0.5, 2.5, 6.5])
    >>> u.grad.interpolate("x", at=[1.5, 2.0], accuracy=4).values
    array([2.25, 4.  ])
    """
    points = PointOptions(at, to, positions)
    scheme = Scheme.checked(1, accuracy, accuracy if edge_order is None else edge_order, skipna)
    check_labelled(obj, "interpolate")
    if at is None and to is None:
        raise ValueError(
            "interpolate has neither to nor at; give a position, such as to='center', or values "
            "of the coordinate, such as at=[0.5, 1.5]"
        )
    options = grid_options(None, spacing, periodic)
    points.check(dim, scheme, options)
    fields = select_fields(obj, dim)
    request = resolve(obj, dim, options, fields, columns=True)
    result: Labelled = grad_at_points(obj, fields, request, points, scheme.with_deriv(0), None)
    return result
