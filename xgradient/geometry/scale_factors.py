"""Scale factors that the user gives as numbers or variables, and the grid with them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.evaluate import derivatives
from ..labels.axis import Axis
from ..labels.helpers import helper_names
from ..labels.hints import check_repeated, close_name, quote_names
from ..labels.packing import check_fill_values, check_unpacked, fill_values
from ..labels.pint_units import is_quantity, to_cf_text
from ..labels.units import length_units
from ..stencils.scheme import Scheme
from .cyclic import cyclic_points, without_point
from .grid_axis import GridAxis
from .orthogonal import OrthogonalGrid


@dataclass(frozen=True, eq=False)
class ScaleFactors:
    """Scale factors that the user gives: a length per unit of a coordinate.

    Attributes
    ----------
    factors : mapping from dimension to Variable
        The scale factor of each dimension, positive and in float64.
    units : mapping from dimension to str
        The unit of length of each scale factor.
    """

    factors: Mapping[Hashable, xr.Variable]
    units: Mapping[Hashable, str]


def to_length(value: Any, label: str) -> float:
    """Return a positive number of metres, or a quantity of a length, as a float in metres."""
    try:
        length = float(value.to("m").magnitude if is_quantity(value) else value)
    except (TypeError, ValueError):
        raise TypeError(f"{label} is {short_repr(value)}; give a number of metres") from None
    if not np.isfinite(length) or length <= 0:
        raise ValueError(f"{label} is {short_repr(value)}; give a positive number of metres")
    return length


def all_variables(obj: XarrayObject) -> Mapping[Any, xr.Variable]:
    """Return the variables of a Dataset, or the coordinates of a DataArray."""
    return obj.variables if isinstance(obj, xr.Dataset) else obj.coords.variables


def read_scale_factors(metric: Mapping[Any, Any], obj: XarrayObject) -> ScaleFactors:
    """Return the scale factors in a mapping from dimension to number, DataArray or name.

    Raises
    ------
    TypeError, ValueError
        If the mapping is empty, or a value is not positive or does not fit the data.
    """
    if not metric:
        raise ValueError("metric is an empty mapping; give a scale factor for each dimension")
    factors, units = {}, {}
    for dim, value in metric.items():
        variable, label = _read_factor(dim, value, obj)
        factors[dim] = check_positive(variable, label)
        units[dim] = length_units(variable.attrs.get("units"))
    return ScaleFactors(factors, units)


def _read_factor(dim: Hashable, value: Any, obj: XarrayObject) -> tuple[xr.Variable, str]:
    """Return one scale factor, and its description for error messages."""
    label = f"the scale factor of {str(dim)!r}"
    if isinstance(value, str):
        if value not in all_variables(obj):
            names = set(all_variables(obj)) - helper_names(obj)
            raise ValueError(
                f"{label} is {value!r}, but no variable has this name"
                f"{close_name(value, sorted(names, key=str))}; there are {quote_names(names)}"
            )
        label, value = f"{label}, {value!r},", obj[value]
    if is_quantity(value) and not np.ndim(value):
        return xr.Variable((), value.magnitude, {"units": to_cf_text(value.units)}), label
    if isinstance(value, xr.DataArray):
        check_repeated(value.dims, label)
        _check_same_grid(value, obj, label)
        return value.variable, label
    if isinstance(value, xr.Variable):
        return value, label
    if np.ndim(value) or isinstance(value, bool):
        raise TypeError(
            f"{label} is of type {type(value).__name__}; "
            "give a number, a DataArray or the name of a variable"
        )
    return xr.Variable((), value), label


def _check_same_grid(factor: xr.DataArray, obj: XarrayObject, label: str) -> None:
    """Refuse a scale factor whose coordinates differ from those of the data."""
    for dim in factor.dims:
        a, b = obj.coords.variables.get(dim), factor.coords.variables.get(dim)
        if a is None or b is None or a is b:
            continue
        # Different lengths have an error message that names both numbers.
        if a.shape == b.shape and not a.equals(b):
            raise ValueError(
                f"{label} and the data have different values of the coordinate {str(dim)!r}; bring "
                "them to one grid, e.g. with .interp_like"
            )


def check_positive(variable: xr.Variable, label: str) -> xr.Variable:
    """Return a scale factor in float64, and refuse values that are not positive numbers."""
    if getattr(variable.dtype, "kind", "f") in "cmM":  # conversion would change these numbers
        raise TypeError(f"{label} has dtype {variable.dtype}; give real numbers of metres")
    try:
        # Scale factors may be on a GPU, as fields are.
        values = np.asarray(variable.to_numpy(), dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{label} is {short_repr(variable.values)}; give numbers") from None
    check_unpacked(variable.attrs, variable.dtype, label)
    check_fill_values(values, fills=fill_values(variable.attrs, variable.dtype), label=label)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        at = f" at index {index if len(index) != 1 else index[0]}" if index else ""
        raise ValueError(f"{label} is {values[index]}{at}; scale factors must be positive")
    return xr.Variable(variable.dims, values)


def grid_with_scale_factors(
    axes: list[Axis], factors: ScaleFactors, sizes: Mapping[Hashable, int], scheme: Scheme
) -> OrthogonalGrid:
    """Return the grid of axes with scale factors that the user gives.

    Parameters
    ----------
    axes : list of Axis
        The axes that the call names.
    factors : ScaleFactors
        Scale factors of some dimensions; all others keep the units of their coordinate.
    sizes : mapping from dimension to int
        The shape of the data.
    scheme : Scheme
        Accuracy and boundary rows of derivatives of the scale factors.

    Raises
    ------
    ValueError
        If a scale factor belongs to, or has, a dimension that the data lack.
    """
    names = ", ".join(repr(str(d)) for d in sizes)
    for dim, factor in factors.factors.items():
        if dim not in sizes:
            raise ValueError(
                f"metric has a scale factor for {str(dim)!r}, which is not a dimension of the data"
                f"{close_name(dim, sizes)}; there are {names}"
            )
        if strange := [d for d in factor.dims if d not in sizes]:
            raise ValueError(
                f"the scale factor of {str(dim)!r} lies along {str(strange[0])!r}, which is not "
                f"a dimension of the data; there are {names}"
            )
        for along_dim, n in factor.sizes.items():
            if n != sizes[along_dim]:
                raise ValueError(
                    f"the scale factor of {str(dim)!r} has {n} values along {str(along_dim)!r}, "
                    f"but the data have {sizes[along_dim]} points there; give one for each"
                )
    points = cyclic_points(axes)
    lengths = {
        dim: without_point(factor, points, f"scale factor of {dim}")
        for dim, factor in factors.factors.items()
    }
    dlog = {
        (dim, axis.dim): _derivative(factor, axis, scheme) / factor
        for axis in axes
        for dim, factor in lengths.items()
        if axis.dim in factor.dims
    }
    grid_axes = []
    for axis in axes:
        own = {by: d for (dim, by), d in dlog.items() if dim == axis.dim}
        others = [d for (dim, by), d in dlog.items() if by == axis.dim and dim != axis.dim]
        if axis.dim in factors.factors:
            in_length = axis._replace(units=factors.units[axis.dim])
            inverse_scale = 1 / lengths[axis.dim]
            grid_axes.append(GridAxis(in_length, inverse_scale, own, sum(others, 0.0)))
        else:
            grid_axes.append(GridAxis(axis, 1.0, own, sum(others, 0.0)))
    return OrthogonalGrid(tuple(grid_axes), cyclic=points)


def _derivative(factor: xr.Variable, axis: Axis, scheme: Scheme) -> xr.Variable:
    """Return the derivative of a scale factor along an axis."""
    stencil = scheme.with_deriv(1).stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
    (values,) = derivatives(factor.values, [(factor.dims.index(axis.dim), stencil)])
    return xr.Variable(factor.dims, values)
