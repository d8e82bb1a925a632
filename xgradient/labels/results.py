"""Arrays to labelled results: names, units, attributes and coordinates."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from .attrs import (
    derivative_attrs,
    describe_field,
    kept_attrs,
    result_attrs,
    result_encoding,
    result_name,
)
from .standard_names import derivative_name, is_time
from .units import common_units, result_units


def to_dataarray(
    da: xr.DataArray, data: Any, name: Hashable, attrs: Mapping[Any, Any]
) -> xr.DataArray:
    """A result on the grid of a field."""
    # Coordinates are shared, as after arithmetic: to copy their indexes takes as long as all else.
    result = da.__array_wrap__(data)
    result.name = name
    variable = result.variable
    variable.attrs, variable.encoding = dict(attrs), result_encoding(da.encoding)
    for labels in (variable.attrs, variable.encoding):
        # The extended form of the attribute lists coordinates after each mapping's name.
        if "grid_mapping" in labels and not _has_mappings(result, str(labels["grid_mapping"])):
            del labels["grid_mapping"]
    return result


def _has_mappings(result: xr.DataArray, text: str) -> bool:
    """Whether all grid mappings that an attribute names go along with a result."""
    names = re.findall(r"([^\s:]+):", text) or text.split()
    return bool(names) and all(name in result.coords for name in names)


def derivative_to_dataarray(
    da: xr.DataArray, data: Any, axis: Any, deriv: int, where: str = ""
) -> xr.DataArray:
    """A derivative of a field along an axis, labelled; ``where`` ends its long name."""
    named = _standard_name(da, axis) if deriv == 1 else None
    attrs = derivative_attrs(da.attrs, da.name, axis.units, axis.long_name + where, deriv, named)
    return to_dataarray(da, data, result_name(da.name, axis.name, deriv), attrs)


def _standard_name(da: xr.DataArray, axis: Any) -> str | None:
    """What CF calls a first derivative, if it is one by time or by a distance."""
    coord = da.coords.variables.get(axis.name) if "standard_name" in da.attrs else None
    name = derivative_name(da.attrs, axis.name, coord)
    if name is None or coord is None:
        return None
    unit = re.sub(r"\s+since\s.*", "", str(axis.units or ""))
    return name if same_units(unit, "s" if is_time(coord) else "m") else None


def same_units(units: str | None, expected: str) -> bool:
    """Whether units are known and of the expected kind."""
    try:
        return units is not None and common_units([units, expected], "")[0] is not None
    except ValueError:
        return False


def mixed_to_dataarray(da: xr.DataArray, data: Any, orders: list[tuple[Any, int]]) -> xr.DataArray:
    """A mixed derivative of a field along axes, each with its order, labelled."""
    total = sum(deriv for _, deriv in orders)
    below = "_".join(f"d{axis.name}{'' if n == 1 else n}" for axis, n in orders)
    name = f"d{'' if total == 1 else total}{'' if da.name is None else da.name}_{below}"
    units = da.attrs.get("units")
    if len({axis.units for axis, _ in orders}) == 1:
        # At once, so that units that are text have one exponent.
        units = result_units(units, orders[0][0].units, total)
    else:
        for axis, n in orders:
            units = result_units(units, axis.units, n)
    along = " and ".join(
        axis.long_name if n == 1 else f"{n} times {axis.long_name}" for axis, n in orders
    )
    field = describe_field(da.attrs, da.name)
    words = None if field is None else f"mixed derivative of {field} with respect to {along}"
    return to_dataarray(da, data, name, result_attrs(da.attrs, units, words))


def pack_results(obj: XarrayObject, results: list[xr.DataArray], scalar_dim: bool = True) -> Any:
    """The results of an operator: a Dataset, or for a field and one name the result ``alone``."""
    if isinstance(obj, xr.Dataset):
        return to_dataset(results, obj.coords).assign_attrs(kept_attrs(obj.attrs))
    return results[0] if scalar_dim else to_dataset(results, obj.coords)


def to_dataset(results: list[xr.DataArray], coords: Any) -> xr.Dataset:
    """The results as a Dataset; no two may have one name."""
    taken = {*coords, *(dim for result in results for dim in result.dims)}
    for result in results:
        if result.name in taken:
            raise ValueError(
                f"a result would be named {str(result.name)!r}, as something else here is; "
                "rename the variable or the coordinate, e.g. with .rename"
            )
        taken.add(result.name)
    return xr.Dataset({result.name: result for result in results}, coords=coords)
