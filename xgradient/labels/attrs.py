"""What a result is called: names, long names and attributes."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .packing import UNDECODED_ATTRS
from .units import result_units

#: Encodings that say where or how the data lie on a map, which a derivative keeps; those that
#: say how numbers were packed would spoil it.
KEPT_ENCODINGS = ("grid_mapping", "coordinates")
REPLACED_ATTRS = {"standard_name", "units", "long_name"}
#: What a field's values can be; readers of files would mask a derivative by it.
VALUE_RANGE_ATTRS = {"valid_min", "valid_max", "valid_range", "actual_range"} | UNDECODED_ATTRS
#: What else is true of the field only: its codes, how its cells were made of others, and its part
#: among the variables of a file.
STALE = re.compile(
    r"grib\d?_.*|(um_)?stash(_.*)?|code|table|param|short_?name|original_(name|units)"
    r"|cell_methods|ancillary_variables|invalid_(units|standard_name)|units_metadata"
    r"|flag_.*|axis|positive|bounds|climatology|formula_terms|calendar|_coordinate.*",
    re.IGNORECASE,
)


def result_name(name: Hashable | None, coord: Hashable, deriv: int) -> str:
    """The name of a derivative: ``dT_dlat``, or ``d2T_dlat2`` for the second.

    Examples
    --------
    >>> result_name("T", "lat", 1), result_name("T", "lat", 2), result_name(None, "x", 1)
    ('dT_dlat', 'd2T_dlat2', 'd_dx')
    """
    power = "" if deriv == 1 else str(deriv)
    field = "" if name is None else str(name)
    return f"d{power}{field}_d{coord}{power}"


def derivative_attrs(
    attrs: Mapping[Any, Any],
    name: Hashable | None,
    axis_units: str | None,
    along: str,
    deriv: int,
    standard_name: str | None = None,
) -> dict[Any, Any]:
    """The attributes of a derivative: the field's, with new units and long name.

    Parameters
    ----------
    attrs : mapping
        Attributes of the field.
    name : hashable or None
        Name of the field.
    axis_units : str or None
        Units of the coordinate.
    along : str
        The coordinate in words.
    deriv : int
        Order of the derivative.
    standard_name : str, optional
        What CF calls it.
    """
    units = result_units(attrs.get("units"), axis_units, deriv)
    field = describe_field(attrs, name)
    order = "" if deriv == 1 else f"{_ordinal(deriv)} "
    words = None if field is None else f"{order}derivative of {field} with respect to {along}"
    return result_attrs(attrs, units, words, standard_name)


def result_attrs(
    attrs: Mapping[Any, Any],
    units: str | None,
    long_name: str | None,
    standard_name: str | None = None,
) -> dict[Any, Any]:
    """Attributes of a result: those of the field that still hold, with new units and names."""
    gone = REPLACED_ATTRS | VALUE_RANGE_ATTRS
    kept = {
        k: v for k, v in kept_attrs(attrs).items() if k not in gone and not STALE.fullmatch(str(k))
    }
    if standard_name is not None:
        kept["standard_name"] = standard_name
    if units is not None:
        kept["units"] = units
    if long_name is not None:
        kept["long_name"] = long_name
    return kept


def kept_attrs(attrs: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The attributes, or none where ``xarray.set_options(keep_attrs=False)`` asks for none."""
    keep = xr.get_options()["keep_attrs"]  # type: ignore[no-untyped-call]
    return {} if keep is False else attrs


def describe_field(attrs: Mapping[Any, Any], name: Hashable | None) -> str | None:
    """A field in words: its long name, else its standard name, else its name."""
    field = attrs.get("long_name") or attrs.get("standard_name") or name
    if field is None:
        return None
    return str(field) if attrs.get("long_name") else str(field).replace("_", " ")


def result_encoding(encoding: Mapping[Any, Any]) -> dict[Any, Any]:
    """The encoding of a derivative: what refers to the grid, nothing of how numbers are packed."""
    return {k: encoding[k] for k in KEPT_ENCODINGS if k in encoding}


def _ordinal(n: int) -> str:
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th') }"
