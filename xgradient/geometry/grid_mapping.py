"""Grid mappings of data: CF variables, indexes of xproj and values of MetPy."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .metrics import MEAN_RADIUS
from .scale_factors import all_variables, to_length

#: Attributes of which a variable that describes a coordinate reference system has one at least.
CRS_ATTRS = ("grid_mapping_name", "crs_wkt", "spatial_ref")


class GridMapping(NamedTuple):
    """Description of a coordinate reference system in the data.

    Attributes
    ----------
    name : hashable
        Name of the variable.
    attrs : mapping
        Its attributes.
    crs : object or None
        The object of pyproj that an index of xproj or a value of MetPy holds; None for attributes.
    """

    name: Hashable
    attrs: Mapping[Any, Any]
    crs: Any = None


def find_grid_mappings(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> list[GridMapping]:
    """Return the grid mappings that fields name, else those that the data have.

    Parameters
    ----------
    obj : DataArray or Dataset
        Variables are looked up here, after the coordinates of each field.
    fields : iterable of DataArray
        The fields.

    Raises
    ------
    ValueError
        If the variable that a field names is not there.
    """
    found: dict[Hashable, GridMapping] = {}
    for field in fields:
        name = named_mapping(field)
        if name is None or name in found:
            continue
        described = {m.name: m for data in (field, obj) for m in _read_descriptions(data)}
        if name not in described and (parsed := [m for m in described.values() if m.crs]):
            described[name] = parsed[0]  # MetPy keeps the name of a variable that it replaces
        if name not in described:
            raise ValueError(
                f"{str(field.name)!r} names the grid mapping {name!r}, which is not among the "
                f"data; call .set_coords({name!r}) on the Dataset, or give a pyproj.CRS as metric"
            )
        found[name] = described[name]
    if not found:
        found = {mapping.name: mapping for mapping in _read_descriptions(obj)}
    return list(found.values())


def named_mapping(field: xr.DataArray) -> str | None:
    """Return the name of the grid mapping that a field names; None if it names none.

    The extended form of the attribute, ``crs: x y crs2: lat lon``, lists coordinates after the
    name of each mapping. The one for the dimensions of the field comes first.
    """
    text = field.encoding.get("grid_mapping", field.attrs.get("grid_mapping"))
    if text is None:
        return None
    pairs = re.findall(r"(\S+)\s*:((?:\s+[^\s:]+(?!\S*:))*)", str(text))
    for name, coords in pairs:
        if set(coords.split()) <= set(map(str, field.dims)):
            return str(name)
    return str(pairs[0][0] if pairs else text).strip()


def _read_descriptions(obj: XarrayObject) -> Iterator[GridMapping]:
    """Yield the variables that describe a coordinate reference system."""
    for name, index in obj.xindexes.items():
        if (crs := getattr(index, "crs", None)) is not None:  # of xproj
            yield GridMapping(name, {}, crs)
    for name, variable in all_variables(obj).items():
        if name in obj.xindexes and getattr(obj.xindexes[name], "crs", None) is not None:
            continue
        if any(attr in variable.attrs for attr in CRS_ATTRS):
            yield GridMapping(name, variable.attrs)
            continue
        value: Any = None
        if variable.dtype == object and variable.ndim == 0:
            value = variable.values.item()
        if hasattr(value, "to_pyproj"):  # of MetPy
            yield GridMapping(name, {}, value.to_pyproj())


def grid_mapping_radius(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> float:
    """Return the radius of the CF grid mapping of the data, else the mean radius of the Earth."""
    for field in fields:
        text = field.encoding.get("grid_mapping", field.attrs.get("grid_mapping"))
        # The extended form of the attribute lists coordinates after the name of each mapping.
        name = str(text).split(":")[0].strip()
        variable = {**all_variables(field), **all_variables(obj)}.get(name)
        if variable is not None and (radius := _radius_from_attrs(variable.attrs, name)):
            return radius
    return MEAN_RADIUS


def _radius_from_attrs(attrs: Mapping[Any, Any], name: str) -> float | None:
    """Return the radius of a grid mapping, or the mean radius by its semi-axes; None if absent."""

    def length(attr: str) -> float:
        # Some readers of files give attributes as arrays of one number.
        value = attrs[attr]
        return to_length(value.item() if np.size(value) == 1 and np.ndim(value) else value,
                       f"{attr} of the grid mapping {name!r}")  # fmt: skip

    if "earth_radius" in attrs:
        return length("earth_radius")
    if "semi_major_axis" not in attrs:
        return None
    a = b = length("semi_major_axis")
    if "semi_minor_axis" in attrs:
        b = length("semi_minor_axis")
    elif np.any(attrs.get("inverse_flattening")):  # CF: 0 is a sphere
        b = a * (1 - 1 / length("inverse_flattening"))
    return (2 * a + b) / 3
