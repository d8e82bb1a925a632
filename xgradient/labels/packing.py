"""Packed and nullable values: attributes of variables that are not decoded.

xarray moves these attributes to the encoding when it decodes a variable. While they are in
``attrs``, the stored numbers are packed values.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from .._wording import short_repr

#: Attributes with a number for missing values; the last two are names of rasterio.
FILL_ATTRS = ("_FillValue", "missing_value", "fill_value", "nodata", "nodatavals")
#: Attributes of packed numbers, each with the value that changes nothing.
PACKING_ATTRS = {"scale_factor": 1, "add_offset": 0}
#: All attributes of undecoded variables. Results have none of them, else readers would decode them.
UNDECODED_ATTRS = {*FILL_ATTRS, *PACKING_ATTRS, "_Unsigned"}

_DECODE = "decode it first, e.g. with xr.decode_cf, or open the file with mask_and_scale=True"


def check_unpacked(attrs: Mapping[Any, Any], dtype: Any, label: str) -> None:
    """Refuse a variable with attributes of packed numbers.

    Parameters
    ----------
    attrs : mapping
        Attributes of the variable.
    dtype : dtype
        Data type of the variable.
    label : str
        The variable in words, for the error message.

    Raises
    ------
    ValueError
        If a scale factor is not 1, an offset is not 0, or ``_Unsigned`` contradicts the dtype.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):  # the usual case
        return
    for name, neutral in PACKING_ATTRS.items():
        if name in attrs and not _equals(attrs[name], neutral):
            raise ValueError(
                f"{label} is packed: its attribute {name} is {short_repr(attrs[name])}, so its "
                f"numbers are not its values; {_DECODE}"
            )
    unsigned = str(attrs.get("_Unsigned", "")).lower()
    if (unsigned, getattr(dtype, "kind", "")) in (("true", "i"), ("false", "u")):
        raise ValueError(
            f"{label} is packed: its attribute _Unsigned is {short_repr(attrs['_Unsigned'])}, but "
            f"its dtype is {dtype}; {_DECODE}"
        )


def fill_values(attrs: Mapping[Any, Any], dtype: Any) -> dict[str, list[Any]]:
    """Return the numbers for missing values by attribute, converted to a dtype.

    NaN and numbers that the dtype cannot hold are left out.

    Parameters
    ----------
    attrs : mapping
        Attributes of the variable.
    dtype : dtype
        Data type of the variable.

    Returns
    -------
    dict
        Numbers by name of the attribute.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):
        return {}
    fills = {}
    for name in FILL_ATTRS:
        values = [_as_dtype(v, dtype) for v in np.ravel(attrs[name])] if name in attrs else []
        if values := [v for v in values if v is not None]:
            fills[name] = values
    return fills


def check_fill_values(
    values: Any, first: tuple[int, ...] = (), *, fills: Mapping[str, list[Any]], label: str
) -> None:
    """Refuse values that are numbers for missing values.

    Parameters
    ----------
    values : array
        The values of a variable, or a chunk of them.
    first : tuple of int
        Index of the first value of the chunk.
    fills : mapping
        Numbers for missing values, from `fill_values`.
    label : str
        The variable in words, for the error message.

    Raises
    ------
    ValueError
        If a value is one of these numbers.
    """
    for name, numbers in fills.items():
        for number in numbers:
            missing = values == number
            if not bool(missing.any()):
                continue
            local = np.unravel_index(int(missing.argmax()), missing.shape)
            start = first or (0,) * len(local)
            index = [int(i) + j for i, j in zip(local, start, strict=True)]
            shown = str(index[0]) if len(index) == 1 else f"({', '.join(map(str, index))})"
            raise ValueError(
                f"{label} has the value {number} at index {shown}, which its attribute {name} "
                f"says is missing; {_DECODE}, or mask it, e.g. with .where(data != {number})"
            )


def is_nullable(data: Any) -> bool:
    """Return True for nullable numbers and booleans of pandas."""
    return hasattr(data, "_mask") and hasattr(getattr(data, "dtype", None), "numpy_dtype")


def nullable_to_floats(data: Any) -> np.ndarray[Any, Any]:
    """Convert a nullable array to floats with NaN for missing values.

    Float32 stays float32; all other dtypes become float64.
    """
    dtype = np.float32 if data.dtype.numpy_dtype == np.float32 else np.float64
    floats: np.ndarray[Any, Any] = data.to_numpy(dtype=dtype, na_value=np.nan)
    return floats


def variable_label(name: Hashable | None) -> str:
    """Describe a field, for error messages."""
    return "the field" if name is None else f"field {str(name)!r}"


def _equals(value: Any, number: float) -> bool:
    try:
        return bool(np.all(np.asarray(value, dtype=np.float64) == number))
    except (TypeError, ValueError):
        return False  # text is not a number


def _as_dtype(value: Any, dtype: Any) -> Any:
    """Convert a number to a dtype; return None for NaN and for numbers that do not fit."""
    try:
        number = float(value)
        if number != number:
            return None
        with np.errstate(all="ignore"):
            cast = np.asarray(value).astype(dtype)[()]
    except (TypeError, ValueError, OverflowError):
        return None
    # A file may have rounded a float, but an integer that wraps round is another number.
    is_float = getattr(dtype, "kind", "") in ("f", "c")
    fits = np.isfinite(cast) if is_float else float(cast.real) == number
    return cast if fits else None
