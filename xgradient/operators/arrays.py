"""Derivatives of plain arrays, with the signature of ``torch.gradient``."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from .._wording import short_repr
from ..engine.evaluate import derivatives, write_derivatives
from ..kernels import backend_of
from ..kernels.torch_interop import is_torch_compiling, outside_torch_compile
from ..labels.pint_units import is_quantity, quotient_unit, registry_of
from ..labels.quantities import check_one_registry, holds_quantity
from ..stencils.nodes import nodes_from_spacing
from ..stencils.positions import check_known_length
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .other_chunks import on_dask_arrays
from .output_arrays import check_takes_outputs, checked_outputs

NUMBER = (float, int, type(None))


def gradient(
    input: Any,
    *,
    spacing: Any = None,
    dim: int | Hashable | Sequence[int | Hashable] | None = None,
    edge_order: int = 1,
    deriv: int = 1,
    accuracy: int = 2,
    periodic: bool | Sequence[bool] = False,
    skipna: bool = False,
    out: Any = None,
) -> tuple[Any, ...]:
    r"""Differentiate an array along some or all of its dimensions, like ``torch.gradient``.

    .. math::

        \frac{\mathrm{d} f}{\mathrm{d}x}(x_i) \approx
        \frac{h_+}{h_-(h_- + h_+)}\,(f_i - f_{i-1}) + \frac{h_-}{h_+(h_- + h_+)}\,(f_{i+1} - f_i)

    This is the formula in the interior, with the steps :math:`h_-` and :math:`h_+` before and after
    a grid point. At the boundaries one-sided differences have the order ``edge_order``. Other
    orders use Fornberg's weights [1]_.

    Parameters
    ----------
    input : array
        Samples of a function: a NumPy, dask or CuPy array, a tensor, any array of the array API
        standard, or a DataArray, of any numeric dtype and shape; or a quantity of pint with one.
    spacing : number, sequence or 1-D array, optional
        The step, or a sequence with one step or one 1-D array of positions per dimension; for a
        single dimension also its positions as an array. Arrays lie in memory or on the device of
        ``input``. By default the step is 1, also for a DataArray; use ``DataArray.grad`` to
        differentiate by its coordinates. Steps and arrays may be quantities of pint.
    dim : int, name or sequence of these, optional
        The dimensions to differentiate along, names if ``input`` is a DataArray. All by default.
    edge_order : int, default: 1
        Order of accuracy at the boundaries.
    deriv : int, default: 1
        Order of the derivative.
    accuracy : int, default: 2
        Order of accuracy in the interior, on uniform and non-uniform grid points.
    periodic : bool or sequence of bool, default: False
        Makes all or each of the dimensions periodic after n steps of their uniform spacing.
    skipna : bool, default: False
        If True, a missing value (NaN) acts as a boundary of the axis, as for `xgradient.grad`.
    out : ndarray or sequence of ndarray, optional
        NumPy arrays for the results, one per dimension, each of the shape and dtype of its
        result. They need a NumPy array ``input``, and share no memory with it. The call then
        takes about two thirds of the time of a new result.

    Returns
    -------
    tuple of array
        One array per dimension, of the type, shape and dtype of ``input``; float64 for integers
        and booleans. The units are those of ``input`` over those of ``spacing`` to the power
        ``deriv``. The results are quantities if ``input`` or ``spacing`` is one. With ``out`` they
        are its arrays.

    Raises
    ------
    TypeError
        If the array or a spacing is not numeric, or its values cannot be read during the call; or
        ``out`` is not of NumPy arrays of the dtype of the results.
    ValueError
        If a dimension does not exist or is too short, or a spacing is zero, not monotonic, not
        finite, of the wrong length, or on another device; or ``out`` has another number of arrays
        or shape, is read-only, or overlaps itself or ``input``.

    References
    ----------
    .. [1] Fornberg, B. (1988): Generation of finite difference formulas on arbitrarily spaced
       grids. Math. Comp. 51, 699-706, doi:10.1090/S0025-5718-1988-0935077-0

    Examples
    --------
    >>> import numpy as np
    >>> from xgradient import gradient
    >>> gradient(np.array([0.0, 0.25, 1.0, 2.25]), spacing=0.5)
    (array([0.5, 1. , 2. , 2.5]),)
    >>> down, right = gradient(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]))
    >>> down[0], right[0]
    (array([3., 3., 3.]), array([1., 1., 1.]))
    """
    run = (
        outside_torch_compile(_gradient)
        if not isinstance(input, np.ndarray) and is_torch_compiling()
        else _gradient
    )
    order = deriv, accuracy, edge_order, skipna
    results: tuple[Any, ...] = on_dask_arrays(run)(input, spacing, dim, periodic, order, out)
    return results


def _gradient(
    array: Any, spacing: Any, dim: Any, periodic: Any, order: tuple[Any, ...], out: Any
) -> tuple[Any, ...]:
    """Return the gradient; the order has the arguments of a scheme."""
    scheme = Scheme.checked(*order)
    chunk = array
    if out is not None:
        check_takes_outputs(array, spacing)
    if isinstance(array, xr.DataArray):
        return _gradient_of_dataarray(array, spacing, dim, scheme, periodic)
    if is_quantity(array) or (not isinstance(spacing, NUMBER) and holds_quantity(spacing)):
        return _gradient_of_quantities(array, spacing, dim, periodic, order)
    if not isinstance(array, np.ndarray):
        if not hasattr(array, "ndim") or not hasattr(array, "dtype"):
            if not isinstance(array, list | tuple | int | float):
                raise TypeError(f"input is a {type(array).__name__}; give a NumPy or dask array")
            array = np.asarray(array)
        chunk = getattr(array, "_meta", array)  # of a dask array
    backend_of(chunk).check_dense(chunk)
    # Stencils of short arrays cost more than their sums, so cache them for arguments that are
    # numbers. Sequences are not cached: 1 equals True in them, and their arrays may change.
    is_cached = (
        isinstance(spacing, NUMBER) and isinstance(dim, NUMBER) and isinstance(periodic, bool)
    )
    if is_cached:
        requests = _requests(array.shape, spacing, dim, scheme, periodic)
    else:
        steps = _positions(spacing, array)
        requests = _requests.__wrapped__(tuple(array.shape), steps, dim, scheme, periodic)
    if out is not None:
        outputs = checked_outputs(out, array, len(requests))
        write_derivatives(array, requests, outputs)
        return outputs
    return tuple(derivatives(array, requests))


def _gradient_of_quantities(
    array: Any, spacing: Any, dim: Any, periodic: Any, order: tuple[Any, Any, Any, Any]
) -> tuple[Any, ...]:
    """Return the gradient of an array by a spacing, of which one is a quantity at least.

    A plain number has no dimension, as in the arithmetic of pint.
    """
    check_one_registry({"input": array, "spacing": spacing})
    several = isinstance(spacing, list | tuple)
    steps = list(spacing) if several else [spacing]
    quantities = [value for value in (array, *steps) if is_quantity(value)]
    registry = registry_of(quantities[0])
    units, *axes = [
        value.units if is_quantity(value) else registry.Unit("") for value in (array, *steps)
    ]
    plain, *magnitudes = [
        value.magnitude if is_quantity(value) else value for value in (array, *steps)
    ]
    steps = magnitudes if several else magnitudes[0]
    results = _gradient(plain, steps, dim, periodic, order, None)
    axes = axes if several else axes * len(results)
    return tuple(
        registry.Quantity(result, quotient_unit(units, unit, order[0]))
        for result, unit in zip(results, axes, strict=True)
    )


def _positions(spacing: Any, array: Any) -> Any:
    """Return a spacing, or each of a sequence, as numbers or NumPy arrays."""
    if isinstance(spacing, list | tuple):
        return [_to_host(step, array, f"spacing[{i}]") for i, step in enumerate(spacing)]
    return _to_host(spacing, array, "spacing")


def _to_host(step: Any, array: Any, label: str) -> Any:
    """Convert positions or a step of another library to NumPy."""
    if isinstance(step, np.ndarray) or not hasattr(step, "ndim"):
        return step
    field = getattr(array, "_meta", array)  # of a dask array
    return backend_of(step).to_host_positions(step, field, label)


@lru_cache(maxsize=64, typed=True)
def _requests(
    shape: tuple[int, ...], spacing: Any, dim: Any, scheme: Scheme, periodic: Any
) -> tuple[tuple[int, Stencil], ...]:
    """Return the number of each axis of a call, and its stencil."""
    requests = []
    for axis, step, is_periodic in _match_options(
        _axis_numbers(len(shape), dim), spacing, periodic
    ):
        label = f"dimension {axis}"
        check_known_length(shape[axis], label)
        nodes = nodes_from_spacing(step, shape[axis], f"spacing of {label}", period=is_periodic)
        requests.append((axis, scheme.stencil(nodes, label)))
    return tuple(requests)


def _gradient_of_dataarray(
    da: xr.DataArray, spacing: Any, dim: Any, scheme: Scheme, periodic: Any
) -> tuple[xr.DataArray, ...]:
    """Return the derivatives of a DataArray by name, on steps of 1 unless a spacing is given."""
    if dim is None:
        dims = list(da.dims)
    else:
        chosen = [dim] if isinstance(dim, str) or np.ndim(dim) == 0 else list(dim)
        numbered = [isinstance(d, int | np.integer) and d not in da.dims for d in chosen]
        dims = [
            da.dims[_axis_numbers(da.ndim, d)[0]] if number else d
            for d, number in zip(chosen, numbered, strict=True)
        ]
    results = []
    quantity: Any = da.variable._data
    for name, step, is_periodic in _match_options(dims, spacing, periodic):
        if is_quantity(quantity) and not is_quantity(step):
            step = registry_of(quantity).Quantity(step, "")  # noqa: PLW2901  as pint has it
        results.append(
            da.grad(
                name,
                spacing=step,
                periodic=is_periodic,
                deriv=scheme.deriv,
                accuracy=scheme.accuracy,
                edge_order=scheme.edge_order,
                skipna=scheme.skipna,
            )
        )
    return tuple(results)


def _axis_numbers(ndim: int, dim: Any) -> list[int]:
    """Return the axes of a call, counted from 0, or raise an error if one is named twice."""
    if dim is None:
        axes = list(range(ndim))
    else:
        axes = []
        for d in [dim] if np.ndim(dim) == 0 else dim:
            if not isinstance(d, int | np.integer) or isinstance(d, bool):
                raise TypeError(f"dim is {short_repr(d)}; give the number of a dimension")
            if not -ndim <= d < ndim:
                raise ValueError(f"dim is {d}, but the array has {ndim} dimensions")
            axes.append(int(d) % ndim)
    if not axes:
        raise ValueError("the array has no dimensions to differentiate along")
    if len(set(axes)) < len(axes):
        raise ValueError(f"dim is {short_repr(dim)}, which names a dimension twice")
    return axes


def _match_options(dims: list[Any], spacing: Any, periodic: Any) -> list[tuple[Any, Any, bool]]:
    """Return each dimension with its spacing and True if it is periodic."""
    if spacing is None:
        steps = [1.0] * len(dims)
    elif isinstance(spacing, list | tuple):
        steps = list(spacing)
    elif np.ndim(spacing) == 0 or len(dims) == 1:
        steps = [spacing] * len(dims)
    else:
        raise ValueError(
            f"spacing is one array for {len(dims)} dimensions; give a list with one entry for each"
        )
    is_periodic = (
        [periodic] * len(dims)
        if isinstance(periodic, bool)
        else _periodic_flags(periodic, len(dims))
    )
    for name, given in (("spacing", steps), ("periodic", is_periodic)):
        if len(given) != len(dims):
            raise ValueError(
                f"{name} has {len(given)} entries for {len(dims)} dimensions; give one for each"
            )
    return list(zip(dims, steps, is_periodic, strict=True))


def _periodic_flags(periodic: Any, n: int) -> list[bool]:
    """Return ``periodic`` as a list of Python booleans."""
    flags = [periodic] * n if isinstance(periodic, np.bool_) else periodic
    if isinstance(flags, str) or not np.iterable(flags):
        flags = [flags]
    if not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise TypeError(
            f"periodic is {short_repr(periodic)}; give True or False, or one for each dimension"
        )
    return [bool(flag) for flag in flags]
