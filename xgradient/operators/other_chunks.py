"""Call operators on chunked arrays of libraries other than dask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from ..engine.chunk_libraries import ForeignArrays, any_loaded
from ..labels.pint_units import is_quantity
from ..labels.quantities import QuantityCoords, replace_coords


def on_dask_arrays(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator that takes chunked arrays of other libraries, and returns such arrays.

    The operator itself sees dask arrays. It is returned as it is if nobody can have other ones.
    """
    return partial(_call_on_dask_arrays, operator) if any_loaded() else operator


def _call_on_dask_arrays(operator: Callable[..., Any], *args: Any, **options: Any) -> Any:
    arrays = ForeignArrays()
    known = replace_arrays([*args], arrays.to_dask)
    named = replace_arrays(options, arrays.to_dask)
    result = operator(*known, **named)
    if not arrays:
        return result
    found: dict[int, Any] = {}
    replace_arrays(result, lambda array: found.setdefault(id(array), array))
    made = dict(zip(found, arrays.from_dask([*found.values()]), strict=True))
    return replace_arrays(result, lambda array: made.get(id(array), array))


def replace_arrays(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a value with a function applied to its arrays, those in labelled data included.

    Parameters
    ----------
    value : object
        An argument of an operator, or its result.
    function : callable
        Takes an array of any library, and may return it as it is.
    """
    if isinstance(value, xr.DataArray):
        data = _replaced(value.variable._data, function)
        if data is not value.variable._data:
            value = value.copy(deep=False, data=data)
        return _with_coords(value, function)
    if isinstance(value, xr.Dataset):
        fields = {}
        for name in value.data_vars:
            variable = value.variables[name]
            data = _replaced(variable._data, function)
            if data is not variable._data:
                fields[name] = variable.copy(deep=False, data=data)
        return _with_coords(value.assign(fields) if fields else value, function)
    if isinstance(value, xr.Variable):
        data = _replaced(value._data, function)
        return value if data is value._data else value.copy(deep=False, data=data)
    if isinstance(value, Mapping):
        return {name: replace_arrays(item, function) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(replace_arrays(item, function) for item in value)
    return _replaced(value, function)


def _with_coords(obj: Any, function: Callable[[Any], Any]) -> Any:
    """The data with a function applied to the arrays of its coordinates."""
    coords: QuantityCoords = {}
    for name, variable in obj.coords.variables.items():
        data = _replaced(variable._data, function)
        if data is not variable._data:
            coords[name] = variable.copy(deep=False, data=data), None
    return replace_coords(obj, coords)


def _replaced(data: Any, function: Callable[[Any], Any]) -> Any:
    """A function of an array, or of the magnitude of a quantity."""
    if isinstance(data, np.ndarray):
        return data
    if is_quantity(data):
        inner = function(data.magnitude)
        return data if inner is data.magnitude else type(data)(inner, data.units)
    return function(data)
