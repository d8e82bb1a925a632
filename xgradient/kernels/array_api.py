"""Functions for arrays of any library that follows the array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np


def namespace(array: Any) -> Any:
    """Return the functions of an array's library, as the array API standard names them.

    Raises
    ------
    TypeError
        If the library does not follow the standard.
    """
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
    """Return the dtype of an array's derivatives: the widest real one for integers and booleans."""
    if not xp.isdtype(f.dtype, ("numeric", "bool")):
        raise not_numeric_error(f.dtype)
    if not xp.isdtype(f.dtype, ("integral", "bool")):
        return f.dtype
    if not hasattr(xp, "__array_namespace_info__"):
        return xp.float64
    # Some libraries have no float64, or not on every device.
    dtypes = xp.__array_namespace_info__().dtypes(device=device(f), kind="real floating")
    return dtypes.get("float64", dtypes["float32"])


def not_numeric_error(dtype: Any) -> TypeError:
    """Return the error for data without derivatives."""
    to = "float32" if "float" in str(dtype) else "numbers"  # NumPy has no bfloat16
    return TypeError(f"data of dtype {dtype} have no derivative; convert them to {to} first")


def accumulation_dtype(dtype: Any, xp: Any) -> Any:
    """Return the dtype of sums: float32 for half floats, which are rounded once, at the end."""
    half = xp.isdtype(dtype, "real floating") and xp.finfo(dtype).bits < 32
    return xp.float32 if half else dtype


def real_dtype(array: Any, xp: Any) -> Any:
    """Return the dtype of an array's real part."""
    return xp.real(array).dtype if xp.isdtype(array.dtype, "complex floating") else array.dtype


def device(f: Any) -> Any:
    """Return the device to make constants on; None where the library chooses it by itself."""
    # JAX moves constants, and CuPy, whose arrays have `get`, makes them on the current device.
    by_itself = hasattr(f, "sharding") or hasattr(f, "get")
    return None if by_itself else getattr(f, "device", None)


def asarray(values: Any, f: Any, xp: Any, dtype: Any = None) -> Any:
    """Convert NumPy values to an array of the field's library on its device."""
    where = device(f)
    options = {} if where is None else {"device": where}  # CuPy has no such argument
    return xp.asarray(values, dtype=dtype, **options)


def asarray_like(values: Any, f: Any, xp: Any) -> Any:
    """Convert values to an array of the field's library, device and precision.

    The dtype is that of the field's real part.
    """
    return asarray(values, f, xp, real_dtype(f, xp))


def concat(parts: list[Any], axis: int, xp: Any) -> Any:
    """Join arrays along an axis."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "fill_value"):  # sparse arrays do not join zeros of both signs
        parts = [part + 0 for part in parts]
    return xp.concat(parts, axis=axis)


def check_dense(f: Any, option: str = "skipna") -> None:
    """Refuse sparse arrays for an option that depends on every cell."""
    if hasattr(f, "fill_value"):
        raise TypeError(f"{option} looks at every cell; make the sparse array a dense one first")


def take(f: Any, index: Any, axis: int, xp: Any) -> Any:
    """Return the cells with some indices, a NumPy array of integers, along an axis."""
    if not hasattr(f, "fill_value"):  # sparse arrays take indices of NumPy only
        index = asarray(index, f, xp)
    return xp.take(f, index, axis=axis)


def missing_cells(f: Any, axis: int, cells: int, xp: Any) -> Any:
    """Return missing values, ``cells`` of them along an axis, for the shape of an array."""
    shape = (*f.shape[:axis], max(0, cells), *f.shape[axis + 1 :])
    missing = complex(np.nan, np.nan) if xp.isdtype(f.dtype, "complex floating") else np.nan
    row = f[(*(slice(None),) * axis, slice(0, 1), ...)]
    return xp.broadcast_to(xp.full_like(row, missing), shape)
