"""Directions that components of vectors are given along, by attributes: the grid or the Earth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._wording import short_repr
from .standard_names import standard_name_words

#: Words of standard names of components to the east and north, and along x and y.
EARTH = {"eastward", "westward", "northward", "southward"}
GRID = {"x", "y"}
#: Attribute of GRIB messages, as cfgrib writes it: 1 for components along x and y.
GRIB_ATTR = "GRIB_uvRelativeToGrid"


class Statement(NamedTuple):
    """Hold what a component is relative to, with the attribute that says so."""

    relative: str
    attribute: str


def relative_to(attrs: Mapping[Any, Any], label: str) -> Statement | None:
    """Return what a component is relative to by its attributes; None if they do not say.

    A standard name comes before the attribute of GRIB. A name that cfgrib gave a GRIB parameter
    says nothing, as it is the same for components of both kinds.

    Parameters
    ----------
    attrs : mapping
        Attributes of the component.
    label : str
        The component, for the error message.

    Raises
    ------
    ValueError
        If the attribute of GRIB has a value other than 0 and 1.

    Examples
    --------
    >>> relative_to({"standard_name": "x_wind"}, "u").relative
    'grid'
    >>> relative_to({"standard_name": "eastward_wind", "GRIB_uvRelativeToGrid": 1}, "u").relative
    'earth'
    """
    name = str(attrs.get("standard_name", ""))
    flag = attrs.get(GRIB_ATTR)
    if flag is None or name != attrs.get("GRIB_cfName"):
        words = standard_name_words(attrs)
        on_grid = "grid" in words or GRID & {*words}
        if on_grid or EARTH & {*words}:
            return Statement("grid" if on_grid else "earth", f"standard_name {name}")
    if flag is None:
        return None
    text = str(flag).strip().removesuffix(".0")
    if text not in ("0", "1"):
        raise ValueError(
            f"{GRIB_ATTR} of {label} is {short_repr(flag)}, where 0 or 1 is expected; give "
            "relative='grid' or relative='earth'"
        )
    return Statement("grid" if text == "1" else "earth", f"{GRIB_ATTR} {text}")
