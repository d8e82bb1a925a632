"""Labelled data as quantities of pint, and units of results as pint reads them by itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import xarray as xr
from pint.registry import LazyRegistry
from pint_xarray.index import PintIndex


@cache
def registry(name: str = "pint") -> Any:
    """A registry of its own, or that of MetPy."""
    if name == "metpy":
        return pytest.importorskip("metpy.units").units.get()
    return LazyRegistry(kwargs={"force_ndarray_like": True})  # reads its units when one is needed


def pint_unit(text: str, units: Any) -> Any:
    """The unit of pint for CF text such as "K m-1"."""
    text = re.sub(r"degrees?(_north|_east)?", "degree", text)
    return units.parse_units("*".join(re.sub(r"(-?\d+)$", r"**(\1)", w) for w in text.split()))


def quantify(obj: Any, units: Any, coords: str = "text") -> Any:
    """Return data whose fields are quantities, and with "index" or "all" their coordinates too.

    With "index" coordinates of one dimension have a `PintIndex`; with "all" others are quantities
    as well.
    """
    if isinstance(obj, xr.DataArray):
        name = "a field" if obj.name is None else obj.name
        return quantify(obj.rename(name).to_dataset(), units, coords)[name].rename(obj.name)

    def attached(variable: xr.Variable) -> xr.Variable:
        attrs = dict(variable.attrs)
        data = units.Quantity(variable.data, pint_unit(attrs.pop("units"), units))
        return xr.Variable(variable.dims, data, attrs, variable.encoding)

    new = obj.assign(
        {n: attached(v.variable) for n, v in obj.data_vars.items() if "units" in v.attrs}
    )
    if coords == "text":
        return new
    variables, indexes = {}, {}
    for name, coord in obj.coords.variables.items():
        if "units" not in coord.attrs:
            continue
        if name in obj.xindexes:
            index = PintIndex(
                index=obj.xindexes[name], units={name: pint_unit(coord.attrs["units"], units)}
            )
            plain = coord.copy(deep=False)
            plain.attrs = {k: v for k, v in coord.attrs.items() if k != "units"}
            indexes[name] = index
            variables[name] = index.create_variables({name: plain})[name]
        elif coords == "all":
            variables[name] = attached(coord)
    return new.assign_coords(xr.Coordinates(variables, indexes))
