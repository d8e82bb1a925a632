"""Any other array: slices and sums in the array's own namespace.

Nothing is written in place, so immutable and traced arrays work. The order of the sum is that of
the compiled loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...stencils.table import Stencil
from ..requests import slice_axis


def namespace(array: Any) -> Any:
    """The functions of an array's library, as the array API standard has them."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    kind = f"{type(array).__module__}.{type(array).__qualname__}"
    try:
        from array_api_compat import array_namespace, is_array_api_obj
    except ImportError:
        raise TypeError(
            f"{kind} does not follow the array API standard by itself; install array-api-compat, "
            "or give a NumPy or dask array"
        ) from None
    if not is_array_api_obj(array):
        raise TypeError(
            f"{kind} does not follow the array API standard; give a NumPy or dask array"
        )
    return array_namespace(array)


def derivative_dtype(f: Any, xp: Any) -> Any:
    """The dtype of an array's derivatives: the widest real one for integers and booleans."""
    if not xp.isdtype(f.dtype, ("numeric", "bool")):
        raise not_numeric_error(f.dtype)
    if not xp.isdtype(f.dtype, ("integral", "bool")):
        return f.dtype
    if not hasattr(xp, "__array_namespace_info__"):
        return xp.float64
    # Some libraries have no float64, or not everywhere.
    found = xp.__array_namespace_info__().dtypes(device=device(f), kind="real floating")
    return found.get("float64", found["float32"])


def not_numeric_error(dtype: Any) -> TypeError:
    """The error for data that have no derivative."""
    to = "float32" if "float" in str(dtype) else "numbers"  # NumPy knows no bfloat16
    return TypeError(f"data of dtype {dtype} have no derivative; convert them to {to} first")


def accumulation_dtype(dtype: Any, xp: Any) -> Any:
    """The dtype that is computed in; sums of half floats are rounded once, at the end."""
    half = xp.isdtype(dtype, "real floating") and xp.finfo(dtype).bits < 32
    return xp.float32 if half else dtype


def device(f: Any) -> Any:
    """Where constants must be to meet an array; None where they go there by themselves."""
    return None if hasattr(f, "sharding") else getattr(f, "device", None)


def stencil_sum(
    f: Any,
    axis: int,
    stencil: Stencil,
    dtype: Any,
    xp: Any,
    before: Any = None,
    after: Any = None,
    weight: Any = None,
    value: Any = None,
) -> Any:
    """The rows of a stencil, applied along one axis.

    Parameters
    ----------
    f : array
        The field.
    axis : int
        The axis, not negative.
    stencil : Stencil
        The rows; node 0 is the first cell of ``f`` along the axis.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.
    before, after : array, optional
        The cells before and after ``f`` along the axis.
    weight : ndarray, optional
        What the result is multiplied with: as many dimensions as ``f``, each of the result's
        length or 1.
    value : ndarray, optional
        A weight of the field itself, which is added.

    Returns
    -------
    array
        A new array, ``stencil.n`` long along ``axis``.
    """
    if before is not None:
        stencil = stencil.slice_rows(0, stencil.n, origin=-before.shape[axis])
    f = concat([part for part in (before, f, after) if part is not None], axis, xp)
    f = xp.astype(f, dtype)
    if not stencil.n:  # a chunk may have no cell at all
        return slice_axis(f, axis, 0, 0)
    result = (
        _all_rows(f, axis, stencil, xp)
        if stencil.masked is None
        else _masked_rows(f, axis, stencil, xp)
    )
    if weight is not None:
        result = result * as_field_dtype(weight, f, xp)
    if value is not None:
        result = result + as_field_dtype(value, f, xp) * slice_axis(
            f, axis, stencil.center, stencil.center + stencil.n
        )
    return result


def _all_rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """The rows, with whole windows."""
    middle = int(np.searchsorted(stencil.boundary_rows, stencil.first))
    parts = [_boundary_row(f, axis, stencil, at, xp) for at in range(middle)]
    if stencil.last > stencil.first:
        start, stop = stencil.first + stencil.offset, stencil.last + stencil.offset
        parts.append(_window_sum(f, axis, start, stop, stencil.interior, xp))
    ends = range(middle, len(stencil.boundary_rows))
    parts.extend(_boundary_row(f, axis, stencil, at, xp) for at in ends)
    return concat(parts, axis, xp)


def _masked_rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """The rows, each with the window that its valid neighbours allow."""
    masked, n = stencil.masked, stencil.n
    assert masked is not None
    check_dense(f)
    reach, own = masked.depth, stencil.center
    # From here on node 0 is the first one that a row may count; beyond the axis all are missing.
    start, stop = own - reach, own + n + reach
    low, high = max(start, masked.low, 0), min(stop, masked.high, f.shape[axis])
    f = concat([missing_cells(f, axis, low - start, xp), slice_axis(f, axis, low, high),
              missing_cells(f, axis, stop - high, xp)], axis, xp)  # fmt: skip
    valid = f == f
    before, after = (count_valid_nodes(valid, axis, reach, n, way, xp) for way in (-1, 1))
    pairs = before * (reach + 1) + after
    kinds = xp.reshape(
        xp.take(
            xp.asarray(masked.window_index.ravel(), device=device(f)), xp.reshape(pairs, (-1,))
        ),
        pairs.shape,
    )
    result = missing_cells(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(masked.starts, masked.widths, strict=True)):
        at = reach + int(first)
        total = _window_sum(f, axis, at, at + n, masked.table[kind, : int(width) - 1], xp)
        result = xp.where(kinds == kind, total, result)
    return result


def check_dense(f: Any) -> None:
    """Refuse sparse arrays where missing values are skipped."""
    if hasattr(f, "fill_value"):
        raise TypeError("skipna looks at every cell; make the sparse array a dense one first")


def missing_cells(f: Any, axis: int, cells: int, xp: Any) -> Any:
    """Missing values, so many along an axis."""
    shape = (*f.shape[:axis], max(0, cells), *f.shape[axis + 1 :])
    return xp.broadcast_to(xp.full_like(slice_axis(f, axis, 0, 1), np.nan), shape)


def count_valid_nodes(valid: Any, axis: int, reach: int, n: int, way: int, xp: Any) -> Any:
    """How many nodes one after the other are valid, in one direction from each row."""
    total = 0 * xp.astype(slice_axis(valid, axis, reach, reach + n), xp.int32)
    for far in range(reach, 0, -1):
        at = reach + way * far
        total = xp.where(slice_axis(valid, axis, at, at + n), total + 1, 0 * total)
    return total


def concat(parts: list[Any], axis: int, xp: Any) -> Any:
    """The parts one after the other along an axis."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "fill_value"):  # sparse arrays do not join zeros of both signs
        parts = [part + 0 for part in parts]
    return xp.concat(parts, axis=axis)


def _boundary_row(f: Any, axis: int, stencil: Stencil, at: int, xp: Any) -> Any:
    start, width = int(stencil.boundary_starts[at]), int(stencil.boundary_widths[at])
    return _window_sum(f, axis, start, start + 1, stencil.boundary[at, : width - 1, None], xp)


def _window_sum(f: Any, axis: int, start: int, stop: int, coefficients: Any, xp: Any) -> Any:
    """Sum of coefficient times difference for the windows that begin at start … stop - 1."""
    trail = (1,) * (f.ndim - axis - 1)
    total = slice_axis(f, axis, start, stop) if not len(coefficients) else None
    for k, row in enumerate(coefficients):
        lower = slice_axis(f, axis, start + k, stop + k)
        upper = slice_axis(f, axis, start + k + 1, stop + k + 1)
        term = _coefficient_row(row, f, xp, trail) * (upper - lower)
        total = term if total is None else total + term
    return total


def _coefficient_row(row: Any, f: Any, xp: Any, trail: tuple[int, ...]) -> Any:
    """One coefficient as a number, or one a row as an array that broadcasts along the axis."""
    if len(row) == 1:
        return float(row[0])
    return xp.reshape(as_field_dtype(row, f, xp), (len(row), *trail))


def as_field_dtype(values: Any, f: Any, xp: Any) -> Any:
    """Values as an array of the field's kind and precision, without imaginary part."""
    real = xp.real(f).dtype if xp.isdtype(f.dtype, "complex floating") else f.dtype
    return xp.asarray(values, dtype=real, device=device(f))
