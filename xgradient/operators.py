"""Derivatives of labelled data: names in, names out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import xarray as xr

from .arguments import axes_of_call
from .axes import Axis
from .chunks import derivatives
from .labels import result_attrs, result_encoding, result_name
from .stencils import Order

__all__ = ["grad"]


def grad(
    obj: xr.DataArray | xr.Dataset,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = False,
) -> Any:
    r"""Derivatives along named coordinates; the same as ``obj.grad(dim, ...)``.

    .. math::

        \frac{\mathrm{d}^d f}{\mathrm{d}x^d}(x_i)
        \approx \sum_j c_{ij}\,\bigl(f_{j+1} - f_j\bigr)

    with the coefficients :math:`c_{ij}` that are exact for all polynomials up to degree
    ``deriv + accuracy - 1`` on the nodes as they stand [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The field, of any real or complex dtype, in memory or in dask chunks. Of a Dataset every
        numeric variable that has the dimension, except the bounds of coordinates.
    dim : name, list of names or None
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves, such as
        "latitude" or "X". None stands for all dimensions.
    deriv : int, default: 1
        Order of the derivative. Higher derivatives have stencils of their own.
    accuracy : int, default: 2
        Order of accuracy in the interior, on any nodes, even or not.
    edge_order : int, optional
        Order of accuracy next to the ends. By default 1 at accuracy 2, as in NumPy, torch and
        xarray, else the same as ``accuracy``.
    spacing : number, 1-D array, sequence or mapping by name, optional
        Replaces the coordinate: a number is a uniform step, an array holds node positions. A
        sequence has one entry per dimension. A dimension without a coordinate has step 1.
    periodic : bool, name, list of names or mapping from name to period, default: False
        Whether the axis closes on itself. The period is 360 for coordinates in degrees and n
        steps for other uniform axes, else it must be given.

    Returns
    -------
    DataArray or Dataset
        A DataArray for one name on a DataArray, else a Dataset with one variable per field and
        coordinate: ``dT_dlat``, or ``d2T_dlat2`` for ``deriv=2``. Dims, coords, chunks and dtype
        are those of the field (float64 for integers and booleans); ``units`` and ``long_name``
        are rewritten. Times of every kind count in seconds.

    Raises
    ------
    TypeError
        If a field or a coordinate is not numeric, or an argument has the wrong type.
    ValueError
        If a name is unknown, a coordinate has missing, repeated or unordered values, there are
        too few points, or a spacing or period does not fit. Nothing is computed before.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0

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
    order = Order.checked(deriv, accuracy, edge_order)
    axes, alone = axes_of_call(obj, dim, spacing, periodic)
    if isinstance(obj, xr.Dataset):
        return _grad_dataset(obj, axes, order)
    results = _differentiate(obj, axes, order)
    return results[0] if alone else xr.Dataset({r.name: r for r in results})


def _grad_dataset(ds: xr.Dataset, axes: list[Axis], order: Order) -> xr.Dataset:
    """The derivatives of every variable that has any."""
    # CF cell bounds are part of a coordinate, though they are stored as variables.
    bounds = {v.attrs.get("bounds", v.encoding.get("bounds")) for v in ds.variables.values()}
    results = {}
    for name, da in ds.data_vars.items():
        mine = [axis for axis in axes if axis.dim in da.dims]
        if mine and name not in bounds and _numeric(da):
            results.update({r.name: r for r in _differentiate(da, mine, order)})
    if not results:
        dims = ", ".join(repr(str(axis.dim)) for axis in axes)
        raise ValueError(
            f"no numeric variable of the Dataset has the dimension {dims}; "
            f"its variables are {', '.join(repr(str(v)) for v in ds.data_vars) or 'none'}"
        )
    return xr.Dataset(results, coords=ds.coords, attrs=ds.attrs)


def _numeric(da: xr.DataArray) -> bool:
    return da.dtype.kind in "biufc"


def _differentiate(da: xr.DataArray, axes: list[Axis], order: Order) -> list[xr.DataArray]:
    """One derivative per axis, labelled."""
    if not _numeric(da):
        raise TypeError(
            f"{'the data' if da.name is None else repr(str(da.name))} have dtype {da.dtype}, "
            "which has no derivative; convert them to numbers first"
        )
    requests = []
    for axis in axes:
        stencil = order.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
        requests.append((da.get_axis_num(axis.dim), stencil))
    results = []
    for axis, data in zip(axes, derivatives(da.variable.data, requests), strict=True):
        result = da.copy(deep=False, data=data)
        result.name = result_name(da.name, axis.name, order.deriv)
        result.attrs = result_attrs(da.attrs, da.name, axis.units, axis.long_name, order.deriv)
        result.encoding = result_encoding(da.encoding)
        results.append(result)
    return results
