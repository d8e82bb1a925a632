"""Derivatives of labelled data: names in, names out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import xarray as xr

from .arguments import axes_of_call
from .axes import Axis
from .chunks import derivatives
from .labels import result_attrs, result_encoding, result_name
from .nodes import check_length
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
        xarray, else the same as ``accuracy``. An axis too short for the windows of the interior
        has windows of the ends only.
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
    if not isinstance(obj, xr.DataArray | xr.Dataset):
        raise TypeError(
            f"grad takes labelled data, not {type(obj).__name__}; give a DataArray or Dataset, "
            "or call xgradient.gradient for plain arrays"
        )
    if isinstance(obj, xr.Dataset):
        fields = _fields(obj)
        if obj.dims and not fields:
            raise _no_field(obj, obj.dims if dim is None else _listed(dim))
        axes, _ = axes_of_call(obj, dim, spacing, periodic, among=fields)
        results = _grad_fields(obj, fields, axes, order)
        return _dataset(results, obj.coords).assign_attrs(obj.attrs)
    axes, alone = axes_of_call(obj, dim, spacing, periodic, among=[obj])
    results = _differentiate(obj, axes, order)
    return results[0] if alone else _dataset(results, obj.coords)


def _fields(ds: xr.Dataset) -> list[xr.DataArray]:
    """The variables of a Dataset that have derivatives."""
    # CF cell bounds are part of a coordinate, though they are stored as variables.
    places = [p for v in ds.variables.values() for p in (v.attrs, v.encoding)]
    bounds = [p[key] for p in places for key in ("bounds", "climatology") if key in p]
    skipped = {name for name in bounds if isinstance(name, str)}
    return [da for name, da in ds.data_vars.items() if name not in skipped and _numeric(da)]


def _grad_fields(
    ds: xr.Dataset, fields: list[xr.DataArray], axes: list[Axis], order: Order
) -> list[xr.DataArray]:
    """The derivatives of every variable along those axes that it has."""
    results = []
    for da in fields:
        mine = [axis for axis in axes if axis.dim in da.dims]
        if mine:
            results.extend(_differentiate(da, mine, order))
    if not results:
        raise _no_field(ds, [axis.dim for axis in axes])
    return results


def _listed(dim: Any) -> list[Any]:
    """One name or several, as a list."""
    return [dim] if isinstance(dim, str) or not isinstance(dim, Iterable) else list(dim)


def _no_field(ds: xr.Dataset, dims: Iterable[Any]) -> ValueError:
    return ValueError(
        "no numeric variable of the Dataset has the dimension "
        f"{', '.join(repr(str(d)) for d in dims)}; "
        f"its variables are {', '.join(repr(str(v)) for v in ds.data_vars) or 'none'}"
    )


def _dataset(results: list[xr.DataArray], coords: Any) -> xr.Dataset:
    """The results side by side; no two may have one name."""
    taken = {*coords, *(dim for result in results for dim in result.dims)}
    for result in results:
        if result.name in taken:
            raise ValueError(
                f"a result would be named {str(result.name)!r}, as something else here is; "
                "rename the variable or the coordinate, e.g. with .rename"
            )
        taken.add(result.name)
    return xr.Dataset({result.name: result for result in results}, coords=coords)


def _numeric(da: xr.DataArray) -> bool:
    return da.dtype.kind in "biufc"


def _differentiate(da: xr.DataArray, axes: list[Axis], order: Order) -> list[xr.DataArray]:
    """One derivative per axis, labelled."""
    if not _numeric(da):
        name, have, them = repr(str(da.name)), "has", "it"
        if da.name is None:
            name, have, them = "the data", "have", "them"
        raise TypeError(
            f"{name} {have} dtype {da.dtype}, which has no derivative; "
            f"convert {them} to numbers first"
        )
    for dim, n in zip(da.dims, da.shape, strict=True):
        check_length(n, f"dimension {str(dim)!r}")
    requests = []
    for axis in axes:
        stencil = order.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
        requests.append((da.dims.index(axis.dim), stencil))
    results = []
    for axis, data in zip(axes, derivatives(da.variable.data, requests), strict=True):
        result = da.copy(deep=False, data=data)
        result.name = result_name(da.name, axis.name, order.deriv)
        result.attrs = result_attrs(da.attrs, da.name, axis.units, axis.long_name, order.deriv)
        result.encoding = result_encoding(da.encoding)
        results.append(result)
    return results
