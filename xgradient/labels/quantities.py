"""Quantities of pint: arguments without them, and results with the coordinates that have them.

An operator sees the magnitudes of quantities, without a copy. The attribute ``units`` of a field is
then a unit of pint, from which `units` makes that of a result, and `results` the quantity. For
coordinates and options it is CF text.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from .pint_units import is_quantity, pint_is_loaded, registry_of, to_cf_text

#: Options that hold no fields.
OPTIONS_WITHOUT_FIELDS = ("spacing", "periodic", "metric", "units", "at")
#: Types of the usual arguments, which are no quantities.
_PLAIN = {str, int, float, bool, type(None), np.ndarray}
#: Coordinates with their indexes, by name.
QuantityCoords = dict[Hashable, tuple[xr.Variable, xr.Index | None]]


def holds_quantity(value: Any) -> bool:
    """Return True for a quantity, and for labelled data or a collection that has one."""
    kind = type(value)
    if kind in _PLAIN or not pint_is_loaded():
        return False
    if kind is xr.DataArray:  # small calls see the time of properties
        for variable in (value._variable, *value._coords.values()):
            if type(variable._data) is not np.ndarray and is_quantity(variable._data):
                return True
        return False
    return any(True for _ in _quantities(value, ""))


def check_one_registry(arguments: Mapping[str, Any]) -> None:
    """Refuse quantities of different registries.

    Raises
    ------
    ValueError
        If two quantities have no common registry, so that their units cannot be combined.
    """
    found = [pair for name, value in arguments.items() for pair in _quantities(value, name)]
    for label, quantity in found[1:]:
        if registry_of(quantity) is not registry_of(found[0][1]):
            raise ValueError(
                f"{found[0][0]} and {label} are quantities of two registries of pint; make both "
                "with one registry"
            )


def _quantities(value: Any, label: str) -> Iterator[tuple[str, Any]]:
    """Yield each quantity in an argument, with its name for messages."""
    if isinstance(value, xr.DataArray):
        if is_quantity(value.variable._data):
            yield repr(str(value.name)) if value.name is not None else label, value.variable._data
        value = value.coords
    elif is_quantity(value):
        yield label, value
        return
    if isinstance(value, xr.Dataset | xr.Coordinates):
        for name, variable in value.variables.items():
            if is_quantity(variable._data):
                yield repr(str(name)), variable._data
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _quantities(item, f"{label} of {str(name)!r}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _quantities(item, label)


def without_quantities(value: Any, coords: QuantityCoords, is_field: bool = True) -> Any:
    """Return an argument in which labelled quantities, and numbers as fields, are magnitudes.

    Parameters
    ----------
    value : object
        An argument of an operator.
    coords : dict
        Receives the coordinates that are quantities.
    is_field : bool
        True if the attribute ``units`` becomes a unit of pint, else CF text.
    """
    if isinstance(value, xr.DataArray):
        variable = value.variable
        if is_quantity(variable._data):
            plain = _magnitude(variable, is_field)
            value = value.copy(deep=False, data=plain._data).assign_attrs(
                units=plain.attrs["units"]
            )
        return _with_plain_coords(value, coords)
    if isinstance(value, xr.Dataset):
        fields = {
            name: _magnitude(variable, is_field)
            for name, variable in value.variables.items()
            if name not in value.coords and is_quantity(variable._data)
        }
        return _with_plain_coords(value.assign(fields) if fields else value, coords)
    if isinstance(value, Mapping):
        return {name: without_quantities(v, coords, is_field) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(without_quantities(v, coords, is_field) for v in value)
    if is_field and is_quantity(value) and not np.ndim(value):
        return xr.DataArray(value.magnitude, attrs={"units": value.units})
    return value


def _magnitude(variable: xr.Variable, is_field: bool) -> xr.Variable:
    """Return the magnitude of a variable, without a copy."""
    quantity: Any = variable._data
    units = quantity.units if is_field else to_cf_text(quantity.units)
    attrs = {**variable.attrs, "units": units}
    return xr.Variable(variable.dims, quantity.magnitude, attrs, variable.encoding)


def _with_plain_coords(obj: Any, coords: QuantityCoords) -> Any:
    """Return data whose coordinates are magnitudes; those that were quantities are kept."""
    plain: QuantityCoords = {}
    for name, variable in obj.coords.variables.items():
        if not is_quantity(variable._data):
            continue
        index = obj.xindexes.get(name)
        coords.setdefault(name, (variable, index))
        magnitude = _magnitude(variable, is_field=False)
        # A PintIndex of pint-xarray holds the index of the magnitudes.
        inner = getattr(index, "index", None)
        if isinstance(inner, xr.Index):
            plain[name] = inner.create_variables({name: magnitude})[name], inner
        else:
            plain[name] = magnitude, None
    return replace_coords(obj, plain)


def restore_coords(result: Any, coords: QuantityCoords) -> Any:
    """Return a result with the coordinates that were quantities."""
    if not isinstance(result, xr.DataArray | xr.Dataset):
        return result
    known = {
        name: _with_units_of(result.coords.variables[name], *pair)
        for name, pair in coords.items()
        if name in result.coords
    }
    return replace_coords(result, known)


def replace_coords(obj: Any, coords: QuantityCoords) -> Any:
    """Return data with other coordinates and indexes by the same names, in the same order."""
    known = {name: pair for name, pair in coords.items() if name in obj.coords}
    if not known:
        return obj
    variables, indexes = dict(obj.coords.variables), dict(obj.xindexes)
    for name, (variable, index) in known.items():
        variables[name] = variable
        indexes.pop(name, None)
        if index is not None:
            indexes[name] = index
    return obj.assign_coords(xr.Coordinates(variables, indexes))


def _with_units_of(
    result: xr.Variable, given: xr.Variable, index: xr.Index | None
) -> tuple[xr.Variable, xr.Index | None]:
    """Return a coordinate that was a quantity; one of a result at other points has its units."""
    quantity: Any = given._data
    same = result._data is quantity.magnitude or result.chunks is not None or result.ndim > 1
    if same or np.array_equal(result.values, quantity.magnitude):
        return given, index
    data = registry_of(quantity).Quantity(result.values, quantity.units)
    attrs = {key: value for key, value in result.attrs.items() if key != "units"}
    return xr.Variable(result.dims, data, attrs), None
