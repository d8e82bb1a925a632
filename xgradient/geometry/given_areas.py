"""Read areas of cells that files give by the CF attribute ``cell_measures``."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.unit_conversion import factor_between
from ..labels.units import unit_text
from .scale_factors import all_variables

Areas = dict[frozenset[Hashable], xr.Variable]


def read_given_areas(obj: XarrayObject) -> Areas:
    """Return the areas that variables name, by the dimensions of the cells.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data. Areas in another file are not in it, and are left out.

    Returns
    -------
    dict
        Areas in m2 and float64; missing where they are not positive.

    Raises
    ------
    ValueError
        If areas have units of another dimension.
    """
    variables = all_variables(obj)
    owners: list[Any] = [obj, *(variables[name] for name in variables)]
    names = {name for owner in owners for name in _names_of_areas(owner)}
    areas: Areas = {}
    for name in sorted(names & set(map(str, variables))):
        variable = variables[name]
        if len(variable.dims) == 2:
            areas.setdefault(frozenset(variable.dims), _to_square_metres(name, variable))
    return areas


def _names_of_areas(owner: Any) -> list[str]:
    """Return the names of areas in the attribute of a variable."""
    texts = (owner.attrs.get("cell_measures"), owner.encoding.get("cell_measures"))
    return [name for text in texts for name in re.findall(r"\barea:\s*(\S+)", str(text or ""))]


def _to_square_metres(name: str, variable: xr.Variable) -> xr.Variable:
    """Return areas in square metres."""
    units = unit_text(variable.attrs.get("units"))
    factor = 1.0 if units is None else factor_between(units, "m2")
    if factor is None:
        raise ValueError(
            f"cell_measures names the areas {name!r}, which have the units {units!r}; give them "
            "units of an area, such as 'm2', or remove the attribute cell_measures"
        )
    values = np.asarray(variable.to_numpy(), np.float64) * factor
    return xr.Variable(variable.dims, np.where(values > 0, values, np.nan), {"units": "m2"})
