"""Derivatives of plain arrays, with the signature of ``torch.gradient``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from ..engine.evaluate import derivatives, write_derivatives
from ..kernels import backend_of
from ..kernels.torch_interop import is_torch_compiling, outside_torch_compile
from ..labels.boundaries import BoundaryOptions, read_boundaries
from ..labels.pint_units import is_quantity, quotient_unit, registry_of
from ..labels.quantities import check_one_registry, holds_quantity
from ..stencils.nodes import Nodes, nodes_from_spacing
from ..stencils.positions import check_known_length
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .array_boundaries import (
    AxisEnds,
    conditions_of_axis,
    derivatives_with_ends,
    entries_of_dims,
)
from .array_options import axis_numbers, match_options
from .options import BoundaryLike, WallLike
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
    boundary: BoundaryLike = None,
    wall: WallLike = "node",
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
    boundary : condition, pair of conditions or mapping from dimension to these, optional
        The conditions at the ends, as for `xgradient.grad`, such as ``{0: ("even", "odd")}``; v
        and s are numbers.
    wall : "node" or "face", default: "node"
        Where the array is mirrored: at the last points, or half a step beyond.
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
    ends = read_boundaries(boundary, wall)
    results: tuple[Any, ...] = on_dask_arrays(run)(input, spacing, dim, periodic, order, out, ends)
    return results


def _gradient(
    array: Any,
    spacing: Any,
    dim: Any,
    periodic: Any,
    order: tuple[Any, ...],
    out: Any,
    ends: BoundaryOptions | None,
) -> tuple[Any, ...]:
    """Return the gradient; the order has the arguments of a scheme."""
    scheme = Scheme.checked(*order)
    chunk = array
    if out is not None:
        check_takes_outputs(array, spacing)
    is_plain = isinstance(array, np.ndarray)
    if not is_plain and isinstance(array, xr.DataArray):
        return _gradient_of_dataarray(array, spacing, dim, scheme, periodic, ends)
    if (not is_plain and is_quantity(array)) or (
        not isinstance(spacing, NUMBER) and holds_quantity(spacing)
    ):
        return _gradient_of_quantities(array, spacing, dim, periodic, order, ends)
    if not is_plain:
        if not hasattr(array, "ndim") or not hasattr(array, "dtype"):
            if not isinstance(array, list | tuple | int | float):
                raise TypeError(f"input is a {type(array).__name__}; give a NumPy or dask array")
            array = np.asarray(array)
        chunk = getattr(array, "_meta", array)  # of a dask array
    backend_of(chunk).check_dense(chunk)
    if ends is not None:
        return _gradient_with_ends(
            array, _positions(spacing, array), dim, periodic, scheme, ends, out
        )
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


def _gradient_with_ends(
    array: Any,
    spacing: Any,
    dim: Any,
    periodic: Any,
    scheme: Scheme,
    ends: BoundaryOptions,
    out: Any,
) -> tuple[Any, ...]:
    """Return the gradient of a plain array with boundary conditions."""
    numbers = axis_numbers(array.ndim, dim)
    entries = entries_of_dims(ends, numbers, array.ndim)
    axes = []
    for axis, step, is_periodic in match_options(numbers, spacing, periodic):
        conditions = None
        if axis in entries:
            conditions, is_periodic = conditions_of_axis(  # noqa: PLW2901  one of both is given
                entries[axis], axis, is_periodic=is_periodic
            )
        axes.append(AxisEnds(axis, _nodes(array.shape[axis], axis, step, is_periodic), conditions))
    outputs = None if out is None else checked_outputs(out, array, len(axes))
    results = derivatives_with_ends(array, axes, scheme, face=ends.face)
    if outputs is None:
        return tuple(results)
    for to, result in zip(outputs, results, strict=True):
        to[...] = result
    return outputs


def _gradient_of_quantities(
    array: Any,
    spacing: Any,
    dim: Any,
    periodic: Any,
    order: tuple[Any, Any, Any, Any],
    ends: BoundaryOptions | None,
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
    results = _gradient(plain, steps, dim, periodic, order, None, ends)
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
    for axis, step, is_periodic in match_options(axis_numbers(len(shape), dim), spacing, periodic):
        nodes = _nodes(shape[axis], axis, step, is_periodic)
        requests.append((axis, scheme.stencil(nodes, f"dimension {axis}")))
    return tuple(requests)


def _nodes(n: int, axis: int, step: Any, is_periodic: bool) -> Nodes:
    """Return the nodes of an axis of known length."""
    label = f"dimension {axis}"
    check_known_length(n, label)
    return nodes_from_spacing(step, n, f"spacing of {label}", period=is_periodic)


def _gradient_of_dataarray(
    da: xr.DataArray,
    spacing: Any,
    dim: Any,
    scheme: Scheme,
    periodic: Any,
    ends: BoundaryOptions | None,
) -> tuple[xr.DataArray, ...]:
    """Return the derivatives of a DataArray by name, on steps of 1 unless a spacing is given."""
    if dim is None:
        dims = list(da.dims)
    else:
        chosen = [dim] if isinstance(dim, str) or np.ndim(dim) == 0 else list(dim)
        numbered = [isinstance(d, int | np.integer) and d not in da.dims for d in chosen]
        dims = [
            da.dims[axis_numbers(da.ndim, d)[0]] if number else d
            for d, number in zip(chosen, numbered, strict=True)
        ]
    entries = {} if ends is None else entries_of_dims(ends, dims, da.ndim)
    results = []
    quantity: Any = da.variable._data
    for name, step, is_periodic in match_options(dims, spacing, periodic):
        if is_quantity(quantity) and not is_quantity(step):
            step = registry_of(quantity).Quantity(step, "")  # noqa: PLW2901  as pint has it
        results.append(
            da.grad(
                name,
                spacing=step,
                periodic=is_periodic if is_periodic or name not in entries else "auto",
                deriv=scheme.deriv,
                accuracy=scheme.accuracy,
                edge_order=scheme.edge_order,
                skipna=scheme.skipna,
                **_options_of_ends(ends, entries, name),
            )
        )
    return tuple(results)


def _options_of_ends(
    ends: BoundaryOptions | None, entries: Mapping[Hashable, Any], name: Hashable
) -> dict[str, Any]:
    """Return the options of `grad` for the boundary conditions of one dimension."""
    if ends is None or name not in entries:
        return {}
    return {"boundary": {name: entries[name]}, "wall": "face" if ends.face else "node"}
