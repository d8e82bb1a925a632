"""Stencils of coordinates as labelled tables."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from .._typing import XarrayObject
from .._wording import short_repr
from ..geometry.boundaries import boundaries_of_field
from ..geometry.build import grid_of_dimensions
from ..geometry.grid_axis import GridAxis
from ..geometry.orthogonal import OrthogonalGrid
from ..labels.arguments import resolve
from ..labels.boundaries import read_boundaries
from ..labels.coordinates import describe_coord
from ..labels.pint_units import is_quantity, to_cf_text
from ..labels.quantities import without_quantities
from ..stencils.nodes import Nodes
from ..stencils.scheme import Scheme
from .documentation import documented_by
from .entry import entry_point
from .fields import check_labelled
from .gradient import grad
from .options import (
    BoundaryLike,
    ConditionLike,
    MetricLike,
    PeriodicLike,
    SmoothLike,
    SpacingLike,
    UnitsLike,
    WallLike,
    grid_options,
)
from .smoothing import with_window
from .stencil_cells import TableEnds, scalar_of
from .stencil_table import RESERVED, StencilTable


def stencil(
    coords: ArrayLike | xr.DataArray,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    periodic: bool | float = False,
    boundary: ConditionLike | None = None,
    wall: WallLike = "node",
    smooth: SmoothLike = None,
) -> StencilTable:
    r"""Compute the stencil of a derivative on given positions, as a labelled table.

    The table has the windows and weights with which ``da.grad`` computes

    .. math::

        \frac{\mathrm{d}^d f}{\mathrm{d}x^d}(x_i) \approx \sum_k w_{ik}\, f_{s_i + k}

    and their order of accuracy, gain of noise and modified wavenumber [1]_, [2]_.

    Parameters
    ----------
    coords : 1-D array or DataArray
        The positions: numbers or times, increasing or decreasing.
    deriv : int, default: 1
        Order of the derivative.
    accuracy : int, default: 2
        Order of accuracy in the interior, on uniform and non-uniform grid points.
    edge_order : int, optional
        Order of accuracy next to the boundaries. By default 1 at accuracy 2, else ``accuracy``.
    periodic : bool or float, default: False
        True for an axis that is periodic after n uniform steps, or the period.
    boundary : condition or pair of conditions, optional
        The conditions at the ends, as for `xgradient.grad`; v and s are numbers.
    wall : "node" or "face", default: "node"
        Where the field is mirrored: at the last points, or half a step beyond.
    smooth : (window, degree) or (window, degree, "tricube"), optional
        Fits polynomials by least squares, as for `xgradient.grad`; ``deriv`` may then be 0.

    Returns
    -------
    StencilTable
        A row for each position: integers, and weights of dtype float64, shape (n, widest window),
        with the units of the positions to the power ``-deriv``; times are in seconds. Where the
        last position repeats the first one after a period, it has no row.

    Raises
    ------
    TypeError
        If the positions are not numbers or times, or an argument has the wrong type.
    ValueError
        If the positions are not a 1-D array, missing, repeated or unordered, there are too few,
        or a period does not fit.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0
    .. [2] Lele, S. K. (1992): Compact finite difference schemes with spectral-like resolution.
       J. Comput. Phys. 103, 16-42, doi:10.1016/0021-9991(92)90324-R

    Examples
    --------
    >>> import xgradient
    >>> table = xgradient.stencil([0.0, 1.0, 3.0], edge_order=2)
    >>> table.weights.round(3).values
    array([[-1.333,  1.5  , -0.167],
           [-0.667,  0.5  ,  0.167],
           [ 0.667, -1.5  ,  0.833]])
    """
    given: Any
    if is_quantity(coords):
        quantity: Any = coords
        given = xr.DataArray(quantity.magnitude, attrs={"units": to_cf_text(quantity.units)})
        given = given.rename(dict.fromkeys(given.dims[:1], "x"))
    else:
        given = coords if isinstance(coords, xr.DataArray) else np.asarray(coords)
    given = without_quantities(given, {}, is_field=False)
    if given.ndim != 1:
        raise ValueError(f"coords has {given.ndim} dimensions; give the positions of one axis")
    dim = given.dims[0] if isinstance(given, xr.DataArray) else "x"
    name = given.name if isinstance(given, xr.DataArray) and given.name is not None else dim
    coord = given.variable if isinstance(given, xr.DataArray) else xr.Variable(dim, given)
    field = xr.DataArray(np.zeros(len(coord)), {name: coord}, [dim])
    given_ends = boundary is not None or wall != "node"
    return stencil_along(
        field, name, deriv=deriv, accuracy=accuracy, edge_order=edge_order, smooth=smooth,
        periodic="auto" if given_ends and periodic is False else {name: periodic},
        boundary=boundary, wall=wall,
    )  # fmt: skip


@documented_by(grad)
@entry_point
def stencil_along(
    obj: XarrayObject,
    dim: Hashable,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
    smooth: SmoothLike = None,
    skipna: bool = False,
    metric: MetricLike = None,
    units: UnitsLike = None,
) -> StencilTable:
    """Return the stencil of a derivative along a coordinate, as a labelled table.

    The weights are Fornberg's [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data with their coordinates.
    dim : name
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves.
    skipna : bool, default: False
        Must be False: the table has the windows without missing values.
    metric : None
        Must be None: the table is that of the coordinate, without scale factors.
    units : None
        Must be None: the weights are in units of the coordinate.

    Returns
    -------
    StencilTable
        As for `xgradient.stencil`.

    Raises
    ------
    TypeError
        If the name is in a list, or an argument has the wrong type.
    ValueError
        If the coordinate has several dimensions, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0
    .. [2] Savitzky, A. and Golay, M. J. E. (1964): Smoothing and differentiation of data by
       simplified least squares procedures. Anal. Chem. 36, 1627-1639, doi:10.1021/ac60214a047

    Examples
    --------
    >>> import xarray as xr, xgradient
    >>> height = xr.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, name="h")
    >>> height.grad.stencil("x").noise_gain.round(3).values
    array([1.414, 0.707, 1.414])
    """
    scheme = Scheme.checked(deriv, accuracy, edge_order, skipna, smooth)
    check_labelled(obj, "stencil")
    if scheme.skipna:
        raise ValueError(
            "skipna is True, but a table of stencils has the windows without missing values; "
            "leave it out"
        )
    if metric is not None:
        raise ValueError(
            f"metric is {short_repr(metric)}, but a table of stencils is that of the coordinate; "
            "leave it out, and name periodic axes by periodic="
        )
    if units is not None:
        raise ValueError(
            f"units is {short_repr(units)}, but a table of stencils is in units of the coordinate; "
            "leave it out"
        )
    fields = [obj] if isinstance(obj, xr.DataArray) else []
    options = grid_options(None, spacing, periodic, read_boundaries(boundary, wall))
    request = resolve(obj, dim, options, fields)
    if not request.scalar_dim:
        raise TypeError(f"dim is {short_repr(dim)}; give the name of one dimension or coordinate")
    (ref,) = request.refs
    if len(ref.dims) != 1:
        raise ValueError(f"{describe_coord(ref)}, but a stencil is along one; name a dimension")
    grid = grid_of_dimensions(obj, request)
    (grid_axis,) = grid.axes
    assert isinstance(grid_axis, GridAxis)
    axis: Any = grid_axis.axis
    if taken := {axis.dim, axis.name} & RESERVED:
        raise ValueError(
            f"{str(min(taken, key=str))!r} is also a name in the table; rename the coordinate, "
            "e.g. with .rename"
        )
    scheme, n = with_window(scheme, grid_axis), axis.nodes.n
    nodes, ends = _ends(obj, grid, axis)
    found = scheme.stencil(nodes, f"dimension {str(axis.dim)!r}")
    coord = xr.Variable(axis.dim, np.arange(n)) if ref.coord is None else ref.coord[:n]
    return StencilTable(found, axis, scheme, coord, ends)


def _ends(obj: XarrayObject, grid: OrthogonalGrid, axis: Any) -> tuple[Nodes, TableEnds | None]:
    """Return the nodes of an axis with its ends, and these for the table."""
    line = xr.DataArray(np.zeros(axis.nodes.n), dims=[axis.dim], attrs=obj.attrs)
    name = obj.name if isinstance(obj, xr.DataArray) else None
    boundary = boundaries_of_field(grid, line, {name}).get(axis.dim)
    if boundary is None or boundary.conditions is None:
        return axis.nodes, None
    nodes = boundary.nodes(axis.nodes)
    walls = boundary.walls(nodes, 0, axis.nodes.n, scalar_of)
    return nodes, TableEnds(walls, ", ".join(boundary.conditions.kinds))
