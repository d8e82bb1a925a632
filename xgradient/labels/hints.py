"""What messages say beyond what is wrong: the mend that fits, and the name that may be meant."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import xarray as xr


def close_name(name: Any, names: Iterable[Any]) -> str:
    """Return the end of a clause that tells which name may be meant; nothing if none is close.

    Examples
    --------
    >>> close_name("Latitud", ["latitude", "longitude"]), close_name("q", ["x"])
    ("; perhaps 'latitude' is meant", '')
    """
    if not isinstance(name, str):
        return ""
    known = {other.lower(): other for other in names if isinstance(other, str)}
    found = get_close_matches(name.lower(), known, n=1)
    return f"; perhaps {known[found[0]]!r} is meant" if found else ""


def check_repeated(dims: Sequence[Hashable], label: str) -> None:
    """Refuse an array that has one dimension twice.

    Parameters
    ----------
    dims : sequence of hashable
        Its dimensions.
    what : str
        The array in words.

    Raises
    ------
    ValueError
        If a dimension is repeated.
    """
    if len(set(dims)) == len(dims):
        return
    twice = next(dim for at, dim in enumerate(dims) if dim in dims[:at])
    others = [f"{dim}_{dims[:at].count(dim) + 1}" if dim in dims[:at] else str(dim)
              for at, dim in enumerate(dims)]  # fmt: skip
    raise ValueError(
        f"{label} has the dimension {str(twice)!r} more than once; give each dimension a name of "
        f"its own, e.g. with xr.DataArray(data.data, dims={others})"
    )


def is_quantity(array: Any) -> bool:
    """Return whether an array is a quantity of pint."""
    return type(array).__module__.partition(".")[0] == "pint"


def of_quantity(label: str, *, argument: bool = False) -> TypeError:
    """Return the error for a quantity of pint among the data, or as an argument."""
    mend = "give its .magnitude, in units of the data"
    if not argument:
        mend = "make them an attribute, with .pint.dequantify() of pint-xarray"
    return TypeError(f"{label} is a quantity of pint, whose units are not read yet; {mend}")


def of_objects(values: Any, label: str, name: Hashable, dim: Hashable) -> str:
    """Return the sentence for positions that are objects of pandas; nothing for others.

    Parameters
    ----------
    values : ndarray of objects
        The positions.
    what : str
        The coordinate or argument in words.
    name, dim : hashable
        The coordinate and its dimension.
    """
    import pandas as pd

    first = next((item for item in values.flat if item is not None and item == item), None)
    if isinstance(first, pd.Period):
        found, call = "periods, which have two ends; take the first ones", "Period{}.to_timestamp()"
    elif isinstance(first, pd.Interval):
        found, call = "intervals, which have two ends; take the middle", "Interval{}.mid"
    else:
        return ""
    positions = "pd." + call.format(f"Index(data[{str(name)!r}].values)")
    return (
        f"{label} has {found}, e.g. with "
        f".assign_coords({{{str(name)!r}: ({str(dim)!r}, {positions})}})"
    )


def of_stacked(obj: xr.DataArray | xr.Dataset, dim: Hashable) -> str:
    """Return what to do with a dimension that others are stacked in; nothing with another one."""
    import pandas as pd

    if dim not in obj.xindexes or not isinstance(obj.get_index(dim), pd.MultiIndex):
        return ""
    name = repr(str(dim))
    return (
        f"{name} is stacked of other dimensions, so call .unstack({name}) first, or "
        f".reset_index({name}) if its points lie along one line"
    )


def of_units(name: Hashable, units: Any, kind: str | None) -> str:
    """Return the sentence for a coordinate in degrees that are misspelt; nothing for others.

    Parameters
    ----------
    name : hashable
        The coordinate.
    units : object
        Its units.
    kind : str or None
        "latitude" or "longitude", by all but its units.
    """
    letters = re.sub("[^a-z]", "", str(units).lower().replace("°", "deg"))
    if not letters.startswith("deg"):
        return ""
    # "deg s" and "degS" are south, "degs" and "DEGREES" are not.
    short = re.search("(?<![A-Z])([NSEW])$|(?<![A-Za-z])([nsew])$|(?<=deg)([new])$", str(units))
    words = [word for word in ("north", "south", "east", "west") if word in letters]
    toward = words[0][0] if words else short[0].lower() if short else ""
    kind = kind or {"n": "latitude", "e": "longitude"}.get(toward)
    if kind is None or toward in {"latitude": ["e", "w"], "longitude": ["n", "s"]}[kind]:
        return ""
    label, right = repr(str(name)), "degrees_north" if kind == "latitude" else "degrees_east"
    what, new = "set", f"data[{label}].assign_attrs(units={right!r})"
    if toward in ("s", "w"):
        what = "turn its sign and set"
        new = f"(data[{label}].dims, -data[{label}].values, {{'units': {right!r}}})"
    return (
        f"coordinate {label} has the units {units!r}, which CF does not know for a {kind}; {what} "
        f"{right!r}, e.g. with .assign_coords({{{label}: {new}}})"
    )
