"""Variables that describe others by the CF conventions, such as cell bounds and grid mappings."""

from __future__ import annotations

import re
from collections.abc import Hashable

import xarray as xr

from .._typing import XarrayObject

#: Attributes that name variables, as "NAME NAME" or as "KEY: NAME KEY: NAME".
_ATTRS = ("bounds", "climatology", "ancillary_variables", "cell_measures", "formula_terms")


def helper_names(obj: XarrayObject) -> set[Hashable]:
    """Return the variables that describe others, and the dimensions that only these have.

    These are bounds, climatologies, cell measures, ancillary variables, terms of formulas and grid
    mappings. Messages leave them out where they list fields or coordinates.
    """
    variables = dict(obj.variables if isinstance(obj, xr.Dataset) else obj.coords.variables)
    if isinstance(obj, xr.DataArray):
        variables[obj.name] = obj.variable
    described: set[Hashable] = {
        name for name, var in variables.items() if "grid_mapping_name" in var.attrs
    }
    for var in variables.values():
        for mapping in (var.attrs, var.encoding):
            for key in _ATTRS:
                described.update(re.sub(r"\S+:", " ", str(mapping.get(key, ""))).split())
            # "crs", or "crs: lat lon other: x y" with the coordinates of each grid mapping.
            text = str(mapping.get("grid_mapping", ""))
            described.update(re.findall(r"(\S+):", text) or text.split())
    helpers = described & (set(variables) - set(obj.dims))
    kept = {dim for name, var in variables.items() if name not in helpers for dim in var.dims}
    return helpers | {dim for dim in obj.dims if dim not in kept and dim not in variables}


def field_names(ds: xr.Dataset) -> list[Hashable]:
    """Return the variables of a Dataset that describe no others."""
    helpers = helper_names(ds)
    return [name for name in ds.data_vars if name not in helpers]
