"""Select the variables that an operator differentiates, and check them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..geometry.decoding import check_decoded
from ..labels.helpers import field_names
from ..labels.hints import MissingNameError
from ..labels.packing import is_nullable, nullable_to_floats, variable_label
from ..labels.pint_units import is_quantity
from ..labels.times import durations_to_seconds
from ..stencils.positions import check_known_length
from .evaluate import _check_dims, holds_flags


def check_labelled(obj: Any, label: str) -> None:
    """Raise a TypeError for an object without labels, and check dimensions of a DataArray."""
    if not isinstance(obj, (xr.DataArray, xr.Dataset)):
        mend = "give a DataArray or Dataset"
        if isinstance(obj, xr.DataTree):
            mend = f"call tree.grad{'' if label == 'grad' else '.' + label}(...)"
        elif label == "grad":
            mend += ", or call xgradient.gradient for plain arrays"
        raise TypeError(f"{label} takes labelled data, not {type(obj).__name__}; {mend}")
    if isinstance(obj, xr.DataArray):
        _check_dims(obj)


def is_numeric(da: xr.DataArray) -> bool:
    """Return whether the dtype of a field is one of numbers or of durations."""
    # Dtypes of other array libraries without a kind are numeric.
    return getattr(da.dtype, "kind", "f") in "biufcm"


def numeric_fields(ds: xr.Dataset, dims: Iterable[Hashable] = ()) -> list[xr.DataArray]:
    """Return the variables of a Dataset that are numeric and have the given dimensions."""
    # CF cell bounds describe a coordinate, though files store them as variables.
    refs = [p for v in ds.variables.values() for p in (v.attrs, v.encoding)]
    bounds = [p[key] for p in refs for key in ("bounds", "climatology") if key in p]
    skipped = {name for name in bounds if isinstance(name, str)}
    return [
        da
        for name, da in ds.data_vars.items()
        if name not in skipped
        and is_numeric(da)
        and not holds_flags(da)
        and set(dims) <= set(da.dims)
    ]


def select_fields(obj: XarrayObject, dim: Any) -> list[xr.DataArray]:
    """Return a DataArray in a list, or the numeric variables of a Dataset.

    Raises
    ------
    ValueError
        If a Dataset has dimensions but no numeric variable.
    """
    if isinstance(obj, xr.DataArray):
        return [obj]
    fields = numeric_fields(obj)
    if obj.dims and not fields:
        is_name = isinstance(dim, str) or not isinstance(dim, Iterable)
        raise no_field_error(obj, obj.dims if dim is None else [dim] if is_name else list(dim))
    return fields


def no_field_error(ds: xr.Dataset, dims: Iterable[Any]) -> MissingNameError:
    """Return the error for a Dataset without a numeric variable that has the dimensions."""
    names = [repr(str(name)) for name, da in ds.data_vars.items() if holds_flags(da)]
    flags = f", of which {', '.join(names)} hold{'s' * (len(names) == 1)} flags" if names else ""
    return MissingNameError(
        "no numeric variable of the Dataset has the dimension "
        f"{', '.join(repr(str(d)) for d in dims)}; "
        f"its variables are {', '.join(repr(str(v)) for v in field_names(ds)) or 'none'}{flags}"
    )


def check_field(da: xr.DataArray) -> xr.DataArray:
    """Return a field whose values can be differentiated.

    Nullable values become floats, and durations numbers of seconds.

    A field that may be packed is checked now if in memory, else when it is computed.

    Raises
    ------
    TypeError, ValueError
        If the field is not numeric, is packed, repeats a dimension, or has chunks of unknown size.
    """
    _check_dims(da)
    variable = da.variable
    is_plain = isinstance(variable._data, np.ndarray)
    if not is_plain and is_quantity(getattr(variable._data, "_meta", None)):
        raise TypeError(
            f"{variable_label(da.name)} is a dask array of quantities, whose units are in the "
            "chunks; make it a quantity of a dask array, e.g. with .pint.quantify()"
        )
    if not is_numeric(da):
        name, have, them = repr(str(da.name)), "has", "it"
        if da.name is None:
            name, have, them = "the data", "have", "them"
        raise TypeError(
            f"{name} {have} dtype {da.dtype}, which has no derivative; "
            f"convert {them} to {'float32' if 'float' in str(da.dtype) else 'numbers'} first"
        )
    if getattr(da.dtype, "kind", "f") == "m":
        da = da.copy(deep=False, data=durations_to_seconds(variable.data))
        da.attrs["units"] = "s"
        return da
    if not is_plain:
        for dim, n in zip(da.dims, da.shape, strict=True):
            check_known_length(n, f"dimension {str(dim)!r}")
        if is_nullable(variable._data) or is_nullable(variable.data):
            da = da.copy(deep=False, data=nullable_to_floats(variable.data))
    data = da.variable.data
    checked = check_decoded(data, da.attrs, variable_label(da.name))
    return da if checked is data else da.copy(deep=False, data=checked)
