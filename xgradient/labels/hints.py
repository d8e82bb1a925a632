"""Errors, and ends of sentences that name a remedy for data."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import xarray as xr


class MissingNameError(ValueError):
    """Report data that lack a name, a dimension or a variable that the call needs.

    Nodes of a tree may lack it; any other error refuses the call.
    """


def close_name(name: Any, names: Iterable[Any]) -> str:
    """Return the end of a sentence that suggests a similar name; empty if there is none.

    Examples
    --------
    >>> close_name("Latitud", ["latitude", "longitude"]), close_name("q", ["x"])
    ("; perhaps 'latitude' is meant", '')
    """
    if not isinstance(name, str):
        return ""
    known = {other.lower(): other for other in names if isinstance(other, str)}
    matches = get_close_matches(name.lower(), known, n=1)
    return f"; perhaps {known[matches[0]]!r} is meant" if matches else ""


def quote_names(names: Iterable[Any]) -> str:
    """Quote names for a message, in alphabetical order."""
    return ", ".join(sorted(repr(str(name)) for name in names)) or "none"


def check_repeated(dims: Sequence[Hashable], label: str) -> None:
    """Refuse an array that has a dimension more than once.

    Parameters
    ----------
    dims : sequence of hashable
        Dimensions of the array.
    label : str
        The array in words, for the error message.

    Raises
    ------
    ValueError
        If a dimension is repeated.
    """
    if len(set(dims)) == len(dims):
        return
    first = next(dim for i, dim in enumerate(dims) if dim in dims[:i])
    unique = [
        f"{dim}_{dims[:i].count(dim) + 1}" if dim in dims[:i] else str(dim)
        for i, dim in enumerate(dims)
    ]
    raise ValueError(
        f"{label} has the dimension {str(first)!r} more than once; give each dimension a name of "
        f"its own, e.g. with xr.DataArray(data.data, dims={unique})"
    )


def unstack_hint(obj: xr.DataArray | xr.Dataset, dim: Hashable) -> str:
    """Return a sentence that says how to unstack a dimension; empty if it is not stacked."""
    import pandas as pd

    if dim not in obj.xindexes or not isinstance(obj.get_index(dim), pd.MultiIndex):
        return ""
    name = repr(str(dim))
    return (
        f"{name} is stacked of other dimensions, so call .unstack({name}) first, or "
        f".reset_index({name}) if its points lie along one line"
    )


def misspelt_degrees_message(name: Hashable, units: Any, kind: str | None) -> str:
    """Return the error message for a coordinate in misspelt degrees; empty for other units.

    Parameters
    ----------
    name : hashable
        Name of the coordinate.
    units : object
        Units of the coordinate.
    kind : str or None
        "latitude" or "longitude", by the name and the other attributes; None if unknown.
    """
    letters = re.sub("[^a-z]", "", str(units).lower().replace("°", "deg"))
    if not letters.startswith("deg"):
        return ""
    # "deg s" and "degS" are south, "degs" and "DEGREES" are not.
    short = re.search("(?<![A-Z])([NSEW])$|(?<![A-Za-z])([nsew])$|(?<=deg)([new])$", str(units))
    words = [word for word in ("north", "south", "east", "west") if word in letters]
    direction = words[0][0] if words else short[0].lower() if short else ""
    kind = kind or {"n": "latitude", "e": "longitude"}.get(direction)
    if kind is None or direction in {"latitude": ["e", "w"], "longitude": ["n", "s"]}[kind]:
        return ""
    label, right = repr(str(name)), "degrees_north" if kind == "latitude" else "degrees_east"
    action, new = "set", f"data[{label}].assign_attrs(units={right!r})"
    if direction in ("s", "w"):
        action = "turn its sign and set"
        new = f"(data[{label}].dims, -data[{label}].values, {{'units': {right!r}}})"
    return (
        f"coordinate {label} has the units {units!r}, which CF does not know for a {kind}; "
        f"{action} {right!r}, e.g. with .assign_coords({{{label}: {new}}})"
    )
