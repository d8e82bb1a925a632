"""Names, long names, attributes and encodings of results."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import xarray as xr

from .packing import UNDECODED_ATTRS

#: Encodings of the grid, which a result keeps. Encodings of packed numbers do not fit a result.
KEPT_ENCODINGS = ("grid_mapping", "coordinates")
REPLACED_ATTRS = {"standard_name", "units", "long_name"}
#: Ranges of the values of a field, by which readers of files would mask a result.
VALUE_RANGE_ATTRS = {"valid_min", "valid_max", "valid_range", "actual_range"} | UNDECODED_ATTRS
_DROPPED_ATTRS = REPLACED_ATTRS | VALUE_RANGE_ATTRS
#: Other attributes that do not hold for a result: codes of the field, methods of its cells, and its
#: role among the variables of a file.
FIELD_ATTRS = re.compile(
    r"grib\d?_.*|(um_)?stash(_.*)?|code|table|param|short_?name|original_(name|units)"
    r"|cell_methods|ancillary_variables|invalid_(units|standard_name)|units_metadata"
    r"|flag_.*|axis|positive|bounds|climatology|formula_terms|calendar|_coordinate.*",
    re.IGNORECASE,
)


def result_name(name: Hashable | None, coord: Hashable, deriv: int) -> str:
    """Return the name of a derivative: ``dT_dlat``, or ``d2T_dlat2`` for the second.

    Examples
    --------
    >>> result_name("T", "lat", 1), result_name("T", "lat", 2), result_name(None, "x", 1)
    ('dT_dlat', 'd2T_dlat2', 'd_dx')
    """
    power = "" if deriv == 1 else str(deriv)
    field = "" if name is None else str(name)
    return f"d{power}{field}_d{coord}{power}"


def derivative_long_name(
    attrs: Mapping[Any, Any], name: Hashable | None, along: str, deriv: int
) -> str | None:
    """Return the long name of a derivative; None for a field without any name.

    Parameters
    ----------
    attrs : mapping
        Attributes of the field.
    name : hashable or None
        Name of the field.
    along : str
        Long name of the coordinate.
    deriv : int
        Order of the derivative.

    Examples
    --------
    >>> derivative_long_name({"standard_name": "air_temperature"}, "T", "height", 2)
    '2nd derivative of air temperature with respect to height'
    """
    field = describe_field(attrs, name)
    order = "" if deriv == 1 else f"{_ordinal(deriv)} "
    return None if field is None else f"{order}derivative of {field} with respect to {along}"


def result_attrs(
    attrs: Mapping[Any, Any],
    units: str | None,
    long_name: str | None,
    standard_name: str | None = None,
) -> dict[Any, Any]:
    """Return attributes of a result: attributes of the field that hold, new units and new names.

    Parameters
    ----------
    attrs : mapping
        Attributes of the field.
    units, long_name, standard_name : str or None
        Units and names of the result; None leaves the attribute out.
    """
    result = {
        name: value
        for name, value in kept_attrs(attrs).items()
        if name not in _DROPPED_ATTRS and not FIELD_ATTRS.fullmatch(str(name))
    }
    new = {"standard_name": standard_name, "units": units, "long_name": long_name}
    return result | {name: value for name, value in new.items() if value is not None}


def kept_attrs(attrs: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the attributes, or none under ``xarray.set_options(keep_attrs=False)``."""
    keep = xr.get_options()["keep_attrs"]  # type: ignore[no-untyped-call]
    return {} if keep is False else attrs


def describe_field(attrs: Mapping[Any, Any], name: Hashable | None) -> str | None:
    """Return the long name of a variable, else its standard name, else its name.

    Underscores become blanks, but not in a long name.
    """
    if attrs.get("long_name"):
        return str(attrs["long_name"])
    words = attrs.get("standard_name") or name
    return None if words is None else str(words).replace("_", " ")


def result_encoding(encoding: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the encoding of a result: that of the grid without that of packed numbers."""
    return {k: encoding[k] for k in KEPT_ENCODINGS if k in encoding}


def _ordinal(n: int) -> str:
    """Return "1st", "2nd", "11th" and so on."""
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th') }"
