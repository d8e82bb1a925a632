"""Integrals over coordinates: of whole axes, and cumulative ones between positions on cells."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Literal

from .._typing import Labelled
from .._wording import short_repr
from ..labels.requested_units import read_requested_units
from ..stencils.scheme import Scheme
from .documentation import documented_by
from .entry import entry_point
from .fields import check_labelled, select_fields
from .gradient import grad
from .options import MetricLike, PeriodicLike, PositionLike, PositionsLike, UnitsLike


@documented_by(grad)
@entry_point
def integrate(
    obj: Labelled,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: MetricLike = None,
    accuracy: int = 2,
    boundary: Literal["sbp"] | None = None,
    skipna: bool = False,
    periodic: PeriodicLike = "auto",
    positions: PositionsLike = None,
    units: UnitsLike = None,
) -> Labelled:
    r"""Integrate over one coordinate or several: over lengths, areas or volumes.

    .. math::

        \int f\,\mathrm{d}V \approx \sum_i f_i\,V_i

    The size :math:`V_i` of a cell is the product of the distances between its faces, and with a
    metric of the globe the area between parallels and meridians. Sizes are positive, whichever way
    a coordinate goes, and cells at the ends of an axis are whole: faces lie at the coordinate that
    the data have there, at the bounds of the cells, or in the middle of grid points and half a step
    beyond the ends. Values that are on faces themselves have the lengths between centers, and half
    of them at the ends.

    Parameters
    ----------
    dim : name or list of names, optional
        Dimensions, coordinates, or CF names or axes; by default all dimensions. Two coordinates
        of the same two dimensions, such as ``["nav_lon", "nav_lat"]``, need a metric.
    metric : str, number, Sphere, Ellipsoid, pyproj.CRS, pyproj.Geod or mapping, optional
        Gives coordinates lengths, as `xgradient.grad` has it. "roms", "nemo", "mitgcm" and "wrf"
        take the lengths and areas of the file. By default lengths are differences of coordinates.
    accuracy : int, default: 2
        Order of accuracy. Above 2, the polynomial through the grid points around each cell is
        integrated, times the scale factors of the metric [1]_. Areas of a file, and ``skipna`` with
        several coordinates, go with 2 alone.
    boundary : "sbp", optional
        Integrates from the first to the last grid point of uniform axes, by the weights that belong
        to the derivatives of ``boundary="sbp"`` [2]_: the integral of such a derivative is the
        difference of the values at both ends. ``accuracy`` is 2, 4, 6 or 8. It excludes ``metric``,
        ``skipna``, ``periodic`` and ``positions``.
    skipna : bool, default: False
        If True, missing cells add nothing, and an integral without a valid cell is missing. If
        False, one missing cell makes the integral missing.

    Returns
    -------
    DataArray or Dataset
        ``T_integral`` for a field T, with the shape of the other dimensions. The dtype is that of
        derivatives, units are those of the field times those of the cells. Sums are of float64, and
        in chunks have the same bits.

    Raises
    ------
    TypeError
        If a field is not numeric, or an argument has the wrong type.
    ValueError
        If a name is unknown, options exclude each other, or for one of the reasons of
        `xgradient.grad`.

    References
    ----------
    .. [1] Davis, P. J. and Rabinowitz, P. (1984): Methods of Numerical Integration, chapter 2,
       doi:10.1016/C2013-0-10566-1
    .. [2] Mattsson, K. and Nordström, J. (2004): Summation by parts operators for finite difference
       approximations of second derivatives. J. Comput. Phys. 199, 503-540,
       doi:10.1016/j.jcp.2004.03.001

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> depth = ("depth", [5.0, 15.0, 30.0], {"units": "m"})
    >>> t = xr.DataArray([12.0, 10.0, 8.0], {"depth": depth}, name="t", attrs={"units": "K"})
    >>> heat = t.grad.integrate("depth")
    >>> heat.name, heat.item(), heat.units
    ('t_integral', 365.0, 'K m')
    """
    from .cell_integrals import integral_over
    from .integrals_by_parts import integral_by_parts

    scheme = Scheme.checked(1, accuracy, None, skipna)
    requested = read_requested_units(units)
    check_labelled(obj, "integrate")
    if dim is None:
        dim = list(obj.dims)
    elif isinstance(dim, Iterable) and not isinstance(dim, str | tuple):
        dim = list(dim)
    fields = select_fields(obj, dim)
    options = _options(metric, positions, periodic, scheme)
    result: Labelled
    if boundary is None:
        result = integral_over(obj, fields, dim, options, requested)
    else:
        result = integral_by_parts(obj, fields, dim, boundary, options, requested)
    return result


@documented_by(grad)
@entry_point
def cumulative_integrate(
    obj: Labelled,
    dim: Hashable,
    *,
    from_: Literal["start", "end"] = "start",
    to: PositionLike = None,
    metric: MetricLike = None,
    accuracy: int = 2,
    skipna: bool = False,
    periodic: PeriodicLike = "auto",
    positions: PositionsLike = None,
    units: UnitsLike = None,
) -> Labelled:
    r"""Integrate from one end of a coordinate to each position between its cells.

    .. math::

        F(x) = \int_{x_0}^{x} f\,\mathrm{d}x'

    The end :math:`x_0` is the outer face of the first cell, or of the last one. In both cases the
    derivative of :math:`F` is :math:`f`: so integrals from the end are negative where :math:`f` is
    positive, and those along a coordinate that decreases as well. At accuracy 2 the derivative at
    the cells, ``F.grad(..., to=...)``, is the field to rounding [1]_.

    Parameters
    ----------
    dim : name
        A dimension, a 1-D coordinate, or a CF name or axis.
    from_ : "start" or "end", default: "start"
        Where integrals begin: at the first or at the last cell.
    to : "center", "left", "right", "inner", "outer" or "edges", optional
        Position of the results on the cells, half a step away, as `xgradient.grad` has it. By
        default the faces that the data have, else all ("outer"), and for values on faces "center".
    metric : str, number, Sphere, Ellipsoid, pyproj.CRS, pyproj.Geod or mapping, optional
        Gives the coordinate lengths, as for `xgradient.integrate`.
    accuracy : int, default: 2
        Order of accuracy. Above 2, the polynomial through the grid points around each cell is
        integrated, and a derivative is the field to this order.
    skipna : bool, default: False
        If True, integrals begin anew with 0 after each gap, and are missing between two missing
        cells. If False, all integrals after a missing cell are missing.

    Returns
    -------
    DataArray or Dataset
        ``T_cumulative_integral`` for a field T, with the shape and coordinates of the position.
        The dtype is that of derivatives, units are those of the field times those of the
        coordinate. Chunks are those of derivatives there, with the same bits as in memory.

    Raises
    ------
    TypeError
        If a field is not numeric, or an argument has the wrong type.
    ValueError
        If a name or a position does not fit, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Arakawa, A. and Lamb, V. R. (1977): Computational design of the basic dynamical processes
       of the UCLA general circulation model. Methods Comput. Phys. 17, 173-265,
       doi:10.1016/B978-0-12-460817-7.50009-4

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> depth = ("depth", [5.0, 15.0, 30.0], {"units": "m"})
    >>> t = xr.DataArray([12.0, 10.0, 8.0], {"depth": depth}, name="t", attrs={"units": "K"})
    >>> heat = t.grad.cumulative_integrate("depth")
    >>> heat.values
    array([  0., 120., 245., 365.])
    >>> heat.grad("depth_outer", to="center").values
    array([12., 10.,  8.])
    """
    from .cell_integrals import cumulative_integral

    scheme = Scheme.checked(1, accuracy, None, skipna)
    requested = read_requested_units(units)
    check_labelled(obj, "cumulative_integrate")
    end: Any = from_
    if not (isinstance(end, str) and end in ("start", "end")):
        raise ValueError(f"from_ is {short_repr(end)}; give 'start' or 'end'")
    names: Any = dim
    if isinstance(names, tuple) or not isinstance(names, Hashable):
        raise TypeError(
            f"dim is {short_repr(dim)}, but cumulative_integrate is for one coordinate; name it"
        )
    fields = select_fields(obj, dim)
    options = _options(metric, positions, periodic, scheme)
    result: Labelled = cumulative_integral(obj, fields, dim, to, from_ == "end", options, requested)
    return result


def _options(metric: Any, positions: Any, periodic: Any, scheme: Scheme) -> Any:
    """Return the options of an integral; a periodic of "auto" is None there."""
    from .cell_integrals import IntegralOptions

    is_auto = isinstance(periodic, str) and periodic == "auto"
    period = None if is_auto else periodic
    return IntegralOptions(metric, positions, period, scheme.accuracy, scheme.skipna)
