"""Arrays to DataArrays and Datasets with names, units, attributes and coordinates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .attrs import (
    derivative_long_name,
    describe_field,
    kept_attrs,
    result_attrs,
    result_encoding,
    result_name,
)
from .pint_units import is_pint_unit, registry_of
from .requested_units import RequestedUnits
from .standard_names import derivative_name, is_time
from .units import common_units, result_units


class Label(NamedTuple):
    """Hold the name and the attributes of a result, which are known before its values.

    Attributes
    ----------
    name : hashable
        Name of the result.
    attrs : dict
        Attributes of the result.
    factor : float
        Factor that the stencils take, so that values are in the units of the result.
    """

    name: Hashable
    attrs: dict[Any, Any]
    factor: float = 1.0


def make_label(
    requested: RequestedUnits | None,
    attrs: Mapping[Any, Any],
    name: str,
    units: Any,
    long_name: str | None,
    standard_name: str | None = None,
) -> Label:
    """Make the label of a result.

    Parameters
    ----------
    requested : RequestedUnits or None
        Units that the call asks for.
    attrs : mapping
        Attributes of the field.
    name : str
        Name of the result.
    units : str or None
        Units of the result, if no others are asked for.
    long_name, standard_name : str or None
        Names of the result; None leaves the attribute out.
    """
    factor = 1.0
    if requested is not None:
        units, factor = requested.convert(name, units)
    return Label(name, result_attrs(attrs, units, long_name, standard_name), factor)


def to_dataarray(da: xr.DataArray, data: Any, label: Label) -> xr.DataArray:
    """Wrap an array on the grid of a field.

    Parameters
    ----------
    da : DataArray
        The field.
    data : array
        The result, with the shape of the field.
    label : Label
        Name and attributes of the result. With units of pint, the result is a quantity.
    """
    attrs = label.attrs
    if type(units := attrs.get("units")) is not str and is_pint_unit(units):
        data = registry_of(units).Quantity(data, units)
        attrs = {name: value for name, value in attrs.items() if name != "units"}
    # Coordinates are shared, as after arithmetic. Copies of indexes take as long as all else.
    result = da.__array_wrap__(data)
    result.name = label.name
    variable = result.variable
    variable.attrs, variable.encoding = attrs, result_encoding(da.encoding)
    for mapping in (variable.attrs, variable.encoding):
        if "grid_mapping" in mapping and not _has_mappings(result, str(mapping["grid_mapping"])):
            del mapping["grid_mapping"]
    return result


def _has_mappings(result: xr.DataArray, text: str) -> bool:
    """Return True if a result has all grid mappings that an attribute names."""
    # The extended form of the attribute lists coordinates after each name and its colon.
    names = re.findall(r"([^\s:]+):", text) or text.split()
    return bool(names) and all(name in result.coords for name in names)


def derivative_label(
    da: xr.DataArray, axis: Any, deriv: int, requested: RequestedUnits | None, suffix: str = ""
) -> Label:
    """Make the label of a derivative of a field along one axis.

    Parameters
    ----------
    da : DataArray
        The field.
    axis : Axis or VerticalCoord
        The name, the long name and the units of the coordinate.
    deriv : int
        Order of the derivative.
    requested : RequestedUnits or None
        Units that the call asks for.
    suffix : str
        Text after the long name of the coordinate.
    """
    units = result_units(da.attrs.get("units"), axis.units, deriv)
    long_name = derivative_long_name(da.attrs, da.name, axis.long_name + suffix, deriv)
    standard_name = _standard_name(da, axis) if deriv == 1 else None
    name = result_name(da.name, axis.name, deriv)
    return make_label(requested, da.attrs, name, units, long_name, standard_name)


def smoothed_label(da: xr.DataArray, requested: RequestedUnits | None) -> tuple[Label, float]:
    """Make the label of a smoothed field, and the offset of its units.

    It keeps its name and standard name, and its units if no others are asked for.
    """
    field = describe_field(da.attrs, da.name)
    long_name = None if field is None else f"smoothed {field}"
    units, factor, offset = da.attrs.get("units"), 1.0, 0.0
    if requested is not None:
        units, factor, offset = requested.convert_values(da.name, units)
    attrs = result_attrs(da.attrs, units, long_name, da.attrs.get("standard_name"))
    return Label(da.name, attrs, factor), offset


def interpolated_label(da: xr.DataArray) -> Label:
    """Make the label of an interpolated field, which keeps its names and units."""
    attrs = da.attrs
    names = attrs.get("long_name"), attrs.get("standard_name")
    return Label(da.name, result_attrs(attrs, attrs.get("units"), *names), 1.0)


def integral_label(
    da: xr.DataArray,
    units: Any,
    names: list[str],
    requested: RequestedUnits | None,
    cumulative: bool,
) -> Label:
    """Make the label of an integral of a field.

    Parameters
    ----------
    da : DataArray
        The field.
    units : str or None
        The units of the field times those of the cells.
    names : list of str
        Names of the coordinates.
    requested : RequestedUnits or None
        Units that the call asks for.
    cumulative : bool
        True for an integral from one end.
    """
    word = "cumulative_integral" if cumulative else "integral"
    name = word if da.name is None else f"{da.name}_{word}"
    field = describe_field(da.attrs, da.name)
    words = f"{word.replace('_', ' ')} of {field} over {' and '.join(names)}"
    return make_label(requested, da.attrs, name, units, None if field is None else words)


def error_label(derivative: Label) -> Label:
    """Make the label of the estimated error of a derivative."""
    return _ancillary_label(derivative, "error", "estimated error of", None)


def noise_label(derivative: Label) -> Label:
    """Make the label of the standard deviation of a derivative, by that of the data."""
    name = derivative.attrs.get("standard_name")
    modified = None if name is None else f"{name} standard_error"
    return _ancillary_label(derivative, "noise", "standard error of", modified)


def _ancillary_label(
    derivative: Label, suffix: str, words: str, standard_name: str | None
) -> Label:
    attrs = derivative.attrs
    described = attrs.get("long_name") or derivative.name
    new = result_attrs(attrs, attrs.get("units"), f"{words} {described}", standard_name)
    return Label(f"{derivative.name}_{suffix}", new, derivative.factor)


def _standard_name(da: xr.DataArray, axis: Any) -> str | None:
    """Return the CF standard name of a first derivative by time or distance, if it has one."""
    coord = da.coords.variables.get(axis.name) if "standard_name" in da.attrs else None
    name = derivative_name(da.attrs, axis.name, coord)
    if name is None or coord is None:
        return None
    unit = re.sub(r"\s+since\s.*", "", str(axis.units or ""))
    return name if same_units(unit, "s" if is_time(coord) else "m") else None


def same_units(units: str | None, expected: str) -> bool:
    """Return True if units are known and have the dimension of other ones."""
    try:
        return units is not None and common_units([units, expected], "")[0] is not None
    except ValueError:
        return False


def mixed_label(
    da: xr.DataArray, orders: list[tuple[Any, int]], requested: RequestedUnits | None
) -> Label:
    """Make the label of a mixed derivative of a field.

    Parameters
    ----------
    da : DataArray
        The field.
    orders : list of (Axis, int)
        Each axis with the order of the derivative along it.
    requested : RequestedUnits or None
        Units that the call asks for.
    """
    total = sum(deriv for _, deriv in orders)
    below = "_".join(f"d{axis.name}{'' if n == 1 else n}" for axis, n in orders)
    name = f"d{'' if total == 1 else total}{'' if da.name is None else da.name}_{below}"
    units = da.attrs.get("units")
    if len({axis.units for axis, _ in orders}) == 1:
        # One division gives units that stay text a single exponent.
        units = result_units(units, orders[0][0].units, total)
    else:
        for axis, n in orders:
            units = result_units(units, axis.units, n)
    along = " and ".join(
        axis.long_name if n == 1 else f"{n} times {axis.long_name}" for axis, n in orders
    )
    field = describe_field(da.attrs, da.name)
    words = None if field is None else f"mixed derivative of {field} with respect to {along}"
    return make_label(requested, da.attrs, name, units, words)


def pack_results(obj: XarrayObject, results: list[xr.DataArray], scalar_dim: bool = True) -> Any:
    """Return the results of an operator as the type that the user gets.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data of the user.
    results : list of DataArray
        The results.
    scalar_dim : bool
        True if the user gave one name that is not in a list.

    Returns
    -------
    DataArray or Dataset
        The first result for a DataArray and one name, else a Dataset.
    """
    if isinstance(obj, xr.Dataset):
        return to_dataset(results, obj.coords).assign_attrs(kept_attrs(obj.attrs))
    return results[0] if scalar_dim else to_dataset(results, obj.coords)


def to_dataset(results: list[xr.DataArray], coords: Any) -> xr.Dataset:
    """Join results in a Dataset; refuse equal names and names of coordinates or dimensions."""
    taken = {*coords, *(dim for result in results for dim in result.dims)}
    for result in results:
        if result.name in taken:
            raise ValueError(
                f"a result would be named {str(result.name)!r}, as something else here is; "
                "rename the variable or the coordinate, e.g. with .rename"
            )
        taken.add(result.name)
    return xr.Dataset({result.name: result for result in results}, coords=coords)
