"""Derivatives of labelled data: names in, names out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import xarray as xr

from .arguments import axes_of_call, frame_of_call
from .binding import Binding
from .chunks import derivatives
from .formulas import Formula, gradient_parts, hessian_parts, laplacian_parts, pure_parts
from .frames import AnyFrame
from .labels import common_units, described, result_units, words_for
from .layers import layered
from .results import (
    as_length,
    check_field,
    derivative_of,
    dims_of,
    evaluated,
    labelled,
    no_field,
    numeric_fields,
    side_by_side,
)
from .stencils import Order

__all__ = ["grad", "hessian", "laplacian", "magnitude"]

XarrayObject = xr.DataArray | xr.Dataset
#: The results for one field, on its axes.
PerField = Callable[[xr.DataArray], list[xr.DataArray]]


def grad(
    obj: xr.DataArray | xr.Dataset,
    dim: Hashable | Iterable[Hashable] | Mapping[Hashable, int] | None = None,
    *,
    deriv: int = 1,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
    metric: Any = None,
    along: Hashable | None = None,
    at_constant: Hashable | None = None,
) -> Any:
    r"""Derivatives along named coordinates; the same as ``obj.grad(dim, ...)``.

    .. math::

        \frac{\mathrm{d}^d f}{\mathrm{d}x^d}(x_i)
        \approx \sum_j c_{ij}\,\bigl(f_{j+1} - f_j\bigr)

    with the coefficients :math:`c_{ij}` that are exact for all polynomials up to degree
    ``deriv + accuracy - 1`` on the nodes as they stand [1]_. With a metric it is
    :math:`(\partial_i / h_i)^d f`, with the scale factor :math:`h_i` of the coordinate; fields
    count as scalars, and on a row on a pole the derivative by longitude is what it tends to
    there. Components of vectors have `xgradient.jacobian`.

    Parameters
    ----------
    obj : DataArray or Dataset
        The field, of any real or complex dtype, in memory or in dask chunks. Of a Dataset every
        numeric variable that has the dimension, except the bounds of coordinates.
    dim : name, list of names or None
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves, such as
        "latitude" or "X". None stands for all dimensions. A mapping from names to orders, such
        as ``{"x": 1, "y": 1}``, stands for one mixed derivative. Two coordinates along the same
        two dimensions stand for the directions in which one of them increases alone: with
        a metric of the globe east and north, else x and y. A coordinate such as a height that
        changes from column to column is one for ``along``.
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
    periodic : bool, name, list of names or mapping from name to period, optional
        Whether the axis closes on itself. The period is 360 for coordinates in degrees and n
        steps for other uniform axes, else it must be given. By default none does without a
        metric; on a globe longitudes that go round close, and latitudes that reach both poles
        continue across them, if there is an even number of longitudes. False turns this off.
    skipna : bool, default: False
        Whether a missing value (NaN) counts as the end of the axis for its neighbours, as a coast
        is the end of an ocean: their windows keep to the valid values on their own side, with
        ``edge_order`` as at the ends, or with what a run of few valid values allows. A missing
        value stays missing, and so does one with too few valid neighbours. Without it, whatever
        a missing value is in the window of is missing.
    metric : {"sphere", "ellipsoid"}, Sphere, Ellipsoid or mapping, optional
        Lengths for coordinates: derivatives are per metre. On a globe, latitudes and longitudes
        are found by CF and by name, and other dimensions keep their own coordinate; "sphere"
        has the radius of the data's grid mapping, else 6371008.8 m, and "ellipsoid" is WGS84. A
        mapping has for some dimensions the scale factor, in metres per unit of the coordinate: a
        number, a DataArray, or the name of a variable.
    along : name, optional
        The dimension along which a coordinate of several dimensions holds positions, as z(time,
        s, y, x) does along s: each column has weights for its own positions. It may be left out
        where the coordinates tell which one is vertical, or only one is left.
    at_constant : name, optional
        A coordinate of several dimensions, such as the height of terrain-following levels, that
        is to stay constant, which the levels themselves do not let it. By the chain rule
        :math:`(\partial f/\partial x)_z = (\partial f/\partial x)_s
        - (\partial z/\partial x)_s\,\partial f/\partial z`.

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
        too few points, or a spacing, period or metric does not fit. Nothing is computed before.

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
    order = Order.checked(deriv, accuracy, edge_order, skipna)
    _check_object(obj, "grad")
    if isinstance(dim, Mapping) and any(n is not None for n in dim.values()):
        if along is not None or at_constant is not None:
            raise ValueError(
                "along and at_constant are not for mixed derivatives; name coordinates in a list"
            )
        return _mixed(obj, dim, order, spacing, periodic, metric)
    fields = numeric_fields(obj) if isinstance(obj, xr.Dataset) else [obj]
    if isinstance(obj, xr.Dataset) and obj.dims and not fields:
        raise no_field(obj, obj.dims if dim is None else _listed(dim))
    if isinstance(dim, Iterator):
        dim = list(dim)  # which is looked at more than once
    by_columns = layered(obj, fields, dim, order, spacing, periodic, metric, along, at_constant)
    if by_columns is not None:
        return by_columns
    frame, alone = frame_of_call(obj, dim, metric, order, spacing, periodic, among=fields)
    results = []
    for da in fields:
        mine = [i for i, side in enumerate(frame.sides) if set(side.dims) <= set(da.dims)]
        if mine or isinstance(obj, xr.DataArray):
            results.extend(_differentiate(da, frame, mine, order))
    if isinstance(obj, xr.Dataset):
        if not results:
            raise no_field(obj, dims_of(frame))
        return side_by_side(results, obj.coords).assign_attrs(obj.attrs)
    return results[0] if alone else side_by_side(results, obj.coords)


def magnitude(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
) -> Any:
    r"""Magnitude of the gradient; the same as ``obj.grad.magnitude(dim, ...)``.

    .. math:: |\nabla f| = \Bigl(\sum_i (\partial_i f / h_i)^2\Bigr)^{1/2}

    with the scale factors :math:`h_i` of the metric [1]_.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field; of a Dataset every numeric variable that has all the dimensions.
    dim : name, list of names or None
        As for `grad`; None stands for all dimensions.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `grad`.

    Returns
    -------
    DataArray or Dataset
        ``grad_T_magnitude`` for each field T, in units of the field over a length.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans).

    Raises
    ------
    TypeError
        If a field is not numeric, or an argument has the wrong type.
    ValueError
        If the units of the terms cannot be added, or for one of the reasons of `grad`.

    References
    ----------
    .. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
       doi:10.1017/CBO9780511800955

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0], dims="x")
    >>> y = xr.DataArray([0.0, 1.0], dims="y")
    >>> (3 * x + 4 * y).assign_coords(x=x, y=y).rename("t").grad.magnitude(["x", "y"]).values
    array([[5., 5.],
           [5., 5.],
           [5., 5.]])
    """

    def one(frame: AnyFrame, da: xr.DataArray, order: Order) -> list[xr.DataArray]:
        units = [_units(da, side.axis, 1) for side in frame.sides]
        unit, factors = common_units(units, "the magnitude of a gradient")

        def formulas() -> list[Formula]:
            return [gradient_parts(frame, i) * factor for i, factor in enumerate(factors)]

        (data,) = evaluated(_bound(frame, da, order), [da], formulas, squares=True)
        data = as_length(data)
        attrs = described(da.attrs, unit, _words("magnitude of the gradient of {}", da))
        name = "grad_magnitude" if da.name is None else f"grad_{da.name}_magnitude"
        return [labelled(da, data, name, attrs)]

    order = Order.checked(1, accuracy, edge_order, skipna)
    return _scalars(obj, dim, metric, order, spacing, periodic, "magnitude", one)


def laplacian(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
) -> Any:
    r"""Laplacian; the same as ``obj.grad.laplacian(dim, ...)``.

    .. math::

        \nabla^2 f = \sum_i \frac{1}{h_i^2}\Bigl(\partial_i^2 f
        + \partial_i f\,\bigl(\sum_{j\ne i}\partial_i \ln h_j - \partial_i \ln h_i\bigr)\Bigr)

    by stencils of second derivatives [1]_; on the sphere of radius R
    :math:`\partial_\lambda^2 f / (R\cos\varphi)^2 + \partial_\varphi^2 f / R^2
    - \tan\varphi\,\partial_\varphi f / R^2`.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field; of a Dataset every numeric variable that has all the dimensions.
    dim : name, list of names or None
        As for `grad`; None stands for all dimensions.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `grad`.

    Returns
    -------
    DataArray or Dataset
        ``laplacian_T`` for each field T, in units of the field over a length squared.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans).

    Raises
    ------
    TypeError
        If a field is not numeric, or an argument has the wrong type.
    ValueError
        If the units of the terms cannot be added, or for one of the reasons of `grad`.

    References
    ----------
    .. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
       doi:10.1017/CBO9780511800955

    Examples
    --------
    >>> import xarray as xr
    >>> import xgradient
    >>> x = xr.DataArray([0.0, 1.0, 2.0, 3.0], dims="x")
    >>> (x**2).assign_coords(x=x).rename("t").grad.laplacian().values
    array([2., 2., 2., 2.])
    """

    def one(frame: AnyFrame, da: xr.DataArray, order: Order) -> list[xr.DataArray]:
        units = [_units(da, side.axis, 2) for side in frame.sides]
        unit, factors = common_units(units, "a Laplacian")
        binding = _bound(frame, da, order)
        (data,) = evaluated(binding, [da], lambda: [laplacian_parts(frame, factors)])
        attrs = described(da.attrs, unit, _words("Laplacian of {}", da))
        name = "laplacian" if da.name is None else f"laplacian_{da.name}"
        return [labelled(da, data, name, attrs)]

    order = Order.checked(2, accuracy, edge_order, skipna)
    return _scalars(obj, dim, metric, order, spacing, periodic, "laplacian", one)


def hessian(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None = None,
    *,
    metric: Any = None,
    accuracy: int = 2,
    edge_order: int | None = None,
    spacing: Any = None,
    periodic: Any = None,
    skipna: bool = False,
) -> xr.Dataset:
    r"""All second derivatives; the same as ``obj.grad.hessian(dim, ...)``.

    .. math::

        H_{ij} = \frac{\partial_{ij} f - \partial_i f\,\partial_j \ln h_i
        - \partial_j f\,\partial_i \ln h_j}{h_i h_j} \quad (i \ne j), \qquad
        H_{ii} = \frac{\partial_{ii} f - \partial_i f\,\partial_i \ln h_i}{h_i^2}
        + \sum_{k\ne i} \frac{\partial_k f\,\partial_k \ln h_i}{h_k^2}

    Physical components, along unit vectors [1]_, so that the trace is the Laplacian.

    Parameters
    ----------
    obj : DataArray or Dataset
        The scalar field; of a Dataset every numeric variable that has all the dimensions.
    dim : name, list of names or None
        As for `grad`; None stands for all dimensions.
    metric, accuracy, edge_order, spacing, periodic, skipna : optional
        As for `grad`.

    Returns
    -------
    Dataset
        ``d2T_dlat2``, ``d2T_dlat_dlon``, ``d2T_dlon2`` for each field T; it is symmetric, so each
        pair of axes stands once. In units of the field over a length squared.
        Dims, shape, coords, chunks and dtype are those of the field (float64 for integers and
        booleans).

    Raises
    ------
    TypeError
        If a field is not numeric, or an argument has the wrong type.
    ValueError
        If the units of the terms cannot be added, or for one of the reasons of `grad`.

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
    >>> h = (x**2 + 3 * x * y).assign_coords(x=x, y=y).rename("t").grad.hessian()
    >>> {name: float(d[1, 1]) for name, d in h.items()}
    {'d2t_dx2': 2.0, 'd2t_dx_dy': 3.0, 'd2t_dy2': 0.0}
    """
    order = Order.checked(2, accuracy, edge_order, skipna)
    made = _scalars(obj, dim, metric, order, spacing, periodic, "hessian", _hessian)
    return made if isinstance(made, xr.Dataset) else made.to_dataset()


def _hessian(frame: AnyFrame, da: xr.DataArray, order: Order) -> list[xr.DataArray]:
    """All second derivatives of one field."""
    sides = frame.sides
    pairs = [(i, j) for i in range(len(sides)) for j in range(i, len(sides))]
    if any(side.mixes for side in sides):
        # Scale factors mix the axes.
        units = [_units(da, side.axis, 2) for side in sides if side.mixes]
        common_units(units, "a Hessian")
    binding = _bound(frame, da, order)
    made = evaluated(binding, [da], lambda: [hessian_parts(frame, *pair) for pair in pairs])
    return [
        _second(da, data, sides[i].axis, sides[j].axis)
        for data, (i, j) in zip(made, pairs, strict=True)
    ]


def _second(da: xr.DataArray, data: Any, first: Any, second: Any) -> xr.DataArray:
    """A second derivative along two axes or one, labelled."""
    if first is second:
        return derivative_of(da, data, first, 2)
    return _labelled_mixed(da, data, [(first, 1), (second, 1)])


def _labelled_mixed(da: xr.DataArray, data: Any, orders: list[tuple[Any, int]]) -> xr.DataArray:
    """A mixed derivative, labelled."""
    total = sum(deriv for _, deriv in orders)
    below = "_".join(f"d{axis.name}{'' if n == 1 else n}" for axis, n in orders)
    name = f"d{'' if total == 1 else total}{'' if da.name is None else da.name}_{below}"
    units = da.attrs.get("units")
    for axis, n in orders:
        units = result_units(units, axis.units, n)
    along = " and ".join(
        axis.long_name if n == 1 else f"{n} times {axis.long_name}" for axis, n in orders
    )
    words = _words("mixed derivative of {} with respect to " + along, da)
    return labelled(da, data, name, described(da.attrs, units, words))


def _check_object(obj: Any, what: str) -> None:
    if not isinstance(obj, (xr.DataArray, xr.Dataset)):
        raise TypeError(
            f"{what} takes labelled data, not {type(obj).__name__}; give a DataArray or Dataset"
            + (", or call xgradient.gradient for plain arrays" if what == "grad" else "")
        )


def _listed(dim: Any) -> list[Any]:
    """One name or several, as a list."""
    return [dim] if isinstance(dim, str) or not isinstance(dim, Iterable) else list(dim)


def _units(da: xr.DataArray, axis: Any, deriv: int) -> str | None:
    return result_units(da.attrs.get("units"), axis.units, deriv)


def _words(text: str, da: xr.DataArray) -> str | None:
    """A long name with the field in words."""
    words = words_for(da.attrs, da.name)
    return None if words is None else text.format(words)


def _bound(frame: AnyFrame, da: xr.DataArray, order: Order) -> Binding:
    check_field(da)
    return Binding(frame, da.dims, da.shape, order, (False,))


def _scalars(
    obj: XarrayObject,
    dim: Any,
    metric: Any,
    order: Order,
    spacing: Any,
    periodic: Any,
    what: str,
    one: Callable[[AnyFrame, xr.DataArray, Order], list[xr.DataArray]],
) -> Any:
    """An operator on one field, or on all of a Dataset that have the dimensions."""
    _check_object(obj, what)

    def each(frame: AnyFrame, da: xr.DataArray) -> list[xr.DataArray]:
        check_field(da)
        frame, (da,) = frame.over([da])
        return one(frame, da, order)

    if isinstance(obj, xr.DataArray):
        frame, _ = frame_of_call(obj, dim, metric, order, spacing, periodic, [obj])
        results = each(frame, obj)
        return results[0] if len(results) == 1 else side_by_side(results, obj.coords)
    fields = numeric_fields(obj)
    if not fields:
        raise no_field(obj, obj.dims if dim is None else _listed(dim))
    frame, _ = frame_of_call(obj, dim, metric, order, spacing, periodic, fields)
    asked = set(dims_of(frame))
    fields = [da for da in fields if asked <= set(da.dims)]
    if not fields:
        raise no_field(obj, sorted(map(str, asked)))
    results = [result for da in fields for result in each(frame, da)]
    return side_by_side(results, obj.coords).assign_attrs(obj.attrs)


def _differentiate(
    da: xr.DataArray, frame: AnyFrame, mine: list[int], order: Order
) -> list[xr.DataArray]:
    """One derivative for each of the axes that a field has, labelled."""
    check_field(da)
    frame, (da,) = frame.over([da])
    if frame.flat:
        requests = []
        for i in mine:
            nodes, along = frame.sides[i].axis.nodes, frame.sides[i].axis.dim
            stencil = order.stencil(nodes, f"dimension {str(along)!r}")
            requests.append((da.dims.index(along), stencil))
        made = derivatives(da.variable.data, requests)
    else:
        binding, deriv = _bound(frame, da, order), order.deriv
        made = evaluated(binding, [da], lambda: [pure_parts(frame, i, deriv) for i in mine])
    return [
        derivative_of(da, data, frame.sides[i].axis, order.deriv)
        for i, data in zip(mine, made, strict=True)
    ]


def _mixed(
    obj: XarrayObject, dim: Mapping[Hashable, int], order: Order, spacing: Any, periodic: Any,
    metric: Any,
) -> Any:  # fmt: skip
    """One mixed derivative, by the product of the stencils of all axes."""
    if metric is not None:
        raise ValueError(
            "mixed derivatives are those of the coordinates; with a metric call "
            ".hessian, which has the second derivatives in metres"
        )
    if order.deriv != 1:
        raise ValueError("deriv is given twice, by itself and in dim; give it in dim only")
    rest = order.accuracy, order.edge_order, order.skipna
    orders = [Order.checked(n, *rest) for n in dim.values()]
    fields = numeric_fields(obj) if isinstance(obj, xr.Dataset) else [obj]
    axes, _ = axes_of_call(obj, list(dim), spacing, periodic, among=fields)
    fields = [da for da in fields if {axis.dim for axis in axes} <= set(da.dims)]
    if not fields:
        raise no_field(obj, list(dim))  # type: ignore[arg-type]
    results = []
    for da in fields:
        check_field(da)
        data = da.variable.data
        for axis, each in zip(axes, orders, strict=True):
            stencil = each.stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
            (data,) = derivatives(data, [(da.dims.index(axis.dim), stencil)])
        pairs = list(zip(axes, (each.deriv for each in orders), strict=True))
        results.append(_labelled_mixed(da, data, pairs))
    if isinstance(obj, xr.DataArray):
        return results[0]
    return side_by_side(results, obj.coords).assign_attrs(obj.attrs)
