"""Packed and nullable values: attributes that say a variable is not yet decoded.

xarray moves these attributes to the encoding when it decodes a variable. Where they are still in
``attrs``, the stored numbers are not the values that they stand for.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from .._wording import short_repr

#: Attributes with the number that stands for a missing value; rasterio has names of its own.
FILL_ATTRS = ("_FillValue", "missing_value", "fill_value", "nodata", "nodatavals")
#: Attributes that say how numbers were packed, each with the value that changes nothing.
PACKING_ATTRS = {"scale_factor": 1, "add_offset": 0}
#: All of them. A derivative has none: what is written must decode to its own numbers.
UNDECODED_ATTRS = {*FILL_ATTRS, *PACKING_ATTRS, "_Unsigned"}

_DECODE = "decode it first, e.g. with xr.decode_cf, or open the file with mask_and_scale=True"


def check_unpacked(attrs: Mapping[Any, Any], dtype: Any, label: str) -> None:
    """Refuse a variable whose attributes say that its numbers are packed.

    Parameters
    ----------
    attrs : mapping
        Attributes of the variable.
    dtype : dtype
        Its data type.
    label : str
        The variable in words, for the error message.

    Raises
    ------
    ValueError
        If it has a scale factor, an offset, or integers of the other sign.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):  # the usual case, at once
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
    """Return the numbers that stand for missing values, by attribute, as the dtype has them.

    NaN is left out: it is missing already. So are numbers that the dtype cannot hold.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):
        return {}
    found = {}
    for name in FILL_ATTRS:
        values = [_as_dtype(v, dtype) for v in np.ravel(attrs[name])] if name in attrs else []
        if values := [v for v in values if v is not None]:
            found[name] = values
    return found


def check_fill_values(
    values: Any, first: tuple[int, ...] = (), *, fills: Mapping[str, list[Any]], label: str
) -> None:
    """Refuse values that stand for missing ones.

    Parameters
    ----------
    values : array
        The values or a chunk of them.
    first : tuple of int
        The index of the first of them.
    fills : mapping
        What `fill_values` gives.
    label : str
        The variable in words, for the error message.
    """
    for name, numbers in fills.items():
        for number in numbers:
            found = values == number
            if not bool(found.any()):
                continue
            at = np.unravel_index(int(found.argmax()), found.shape)
            index = [int(i) + start for i, start in zip(at, first or (0,) * len(at), strict=True)]
            ref = str(index[0]) if len(index) == 1 else f"({', '.join(map(str, index))})"
            raise ValueError(
                f"{label} has the value {number} at index {ref}, which its attribute {name} "
                f"says is missing; {_DECODE}, or mask it, e.g. with .where(data != {number})"
            )


def is_nullable(data: Any) -> bool:
    """Return whether an array is one of pandas' nullable numbers or booleans."""
    return hasattr(data, "_mask") and hasattr(getattr(data, "dtype", None), "numpy_dtype")


def nullable_to_floats(data: Any) -> np.ndarray[Any, Any]:
    """Return a nullable array as floats with NaN for what is missing.

    Float32 keeps its precision; integers and booleans become float64.
    """
    kept = data.dtype.numpy_dtype == np.float32
    floats: np.ndarray[Any, Any] = data.to_numpy(
        dtype=np.float32 if kept else np.float64, na_value=np.nan
    )
    return floats


def variable_label(name: Hashable | None) -> str:
    """Return a field in words, for error messages."""
    return "the field" if name is None else f"field {str(name)!r}"


def _equals(value: Any, number: float) -> bool:
    try:
        return bool(np.all(np.asarray(value, dtype=np.float64) == number))
    except (TypeError, ValueError):
        return False  # text, which nobody can decode


def _as_dtype(value: Any, dtype: Any) -> Any:
    """A number as a dtype has it, None if it is NaN or does not fit."""
    try:
        number = float(value)
        if number != number:
            return None
        with np.errstate(all="ignore"):
            cast = np.asarray(value).astype(dtype)[()]
    except (TypeError, ValueError, OverflowError):
        return None
    # Floats may be rounded on the way into a file; integers that wrap round are others.
    rounds = getattr(dtype, "kind", "") in ("f", "c")
    same = np.isfinite(cast) if rounds else float(cast.real) == number
    return cast if same else None
