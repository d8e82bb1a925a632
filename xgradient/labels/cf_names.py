"""CF names and axes of coordinates, by attributes, by cf-xarray's guesses and by kind."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .angles import latlon_kind
from .hints import quote_names

_PRESSURES = {"pa", "hpa", "kpa", "bar", "dbar", "decibar", "mbar", "mb", "millibar", "millibars"}


def find_cf_name(obj: XarrayObject, name: Hashable, *, multi_dim: bool = False) -> Hashable | None:
    """Find the name of a coordinate by a CF name or axis.

    Attributes are searched first. Without attributes, "X", "Y", "Z" and "T" mean longitude,
    latitude, pressure or height, and time.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data with their coordinates.
    name : hashable
        The CF name or axis.
    multi_dim : bool
        True to find coordinates of several dimensions. Otherwise coordinates of one dimension
        come before those of two.

    Returns
    -------
    hashable or None
        Name of the coordinate; None if there is none.

    Raises
    ------
    ValueError
        If several coordinates fit equally well.
    """
    if not isinstance(name, str):
        return None
    for search in (_by_attributes, _by_dimensions, _by_guess, _by_kind):
        ndims = {n: obj.coords.variables[n].ndim for n in search(obj, name)}
        preferred = [[n for n, ndim in ndims.items() if ndim == wanted] for wanted in (1, 2)]
        if multi_dim:
            preferred = [[n for n, ndim in ndims.items() if ndim > 1]]
        matches: list[Hashable] = next(filter(None, [*preferred, list(ndims)]), [])
        if len(matches) > 1:
            raise ValueError(
                f"{name!r} fits several coordinates, {quote_names(matches)}; give the name of one"
            )
        if matches:
            return matches[0]
    return None


def _by_attributes(obj: XarrayObject, name: str) -> set[Hashable]:
    """Return the coordinates whose attributes have a CF name or axis."""
    import cf_xarray  # noqa: F401  registers .cf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = (obj.cf.axes, obj.cf.coordinates, obj.cf.standard_names)
        return {n for kind in kinds for n in kind.get(name, ()) if n in obj.coords}


def _by_guess(obj: XarrayObject, name: str) -> set[Hashable]:
    """Return the coordinates with a CF name or axis that cf-xarray guesses from their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _by_attributes(_with_guessed_attrs(obj), name)


def _with_guessed_attrs(obj: XarrayObject) -> XarrayObject:
    """Return the data with attributes that cf-xarray guesses for their coordinates.

    Coordinates with a dtype of pandas, such as categories, are left out: cf-xarray fails there.
    """
    import cf_xarray  # noqa: F401  registers .cf

    variables = obj.coords.variables
    others = [n for n, c in variables.items() if not isinstance(c.dtype, np.dtype)]
    guessed = obj.drop_vars(others).copy(deep=False)
    for name in guessed.coords:
        if isinstance(name, str):  # cf-xarray fails at numbers and tuples
            guessed.coords[name].attrs = _guessed_attrs(name, variables[name])
    return guessed


def _guessed_attrs(name: str, coord: xr.Variable) -> dict[str, Any]:
    """Return the attributes of a coordinate, with those that cf-xarray guesses.

    Each is guessed alone: cf-xarray searches all coordinates again for each guess.
    """
    alone = xr.Coordinates({name: coord}, indexes={}).to_dataset()
    attrs: dict[str, Any] = alone.cf.guess_coord_axis().coords[name].attrs
    return attrs


def _by_dimensions(obj: XarrayObject, name: str) -> set[Hashable]:
    """Return longitudes for "X" and latitudes for "Y" that have the name of their dimension."""
    return {n for n in _by_kind(obj, name) if name in ("X", "Y") and n in obj.dims}


def _by_kind(obj: XarrayObject, name: str) -> set[Hashable]:
    """Return the coordinates whose kind, such as latitude or pressure, belongs to a CF axis."""
    variables = obj.coords.variables
    return {n for n, coord in variables.items() if name and _axis_letter(n, coord) == name}


def _axis_letter(name: Hashable, coord: xr.Variable) -> str | None:
    """Return "X", "Y", "Z" or "T" by the kind, the units and the dtype of a coordinate."""
    kind, units = latlon_kind(name, coord), str(coord.attrs.get("units", "")).lower()
    if kind is not None:
        return "X" if kind == "longitude" else "Y"
    if units in _PRESSURES or str(coord.attrs.get("positive")) in ("up", "down"):
        return "Z"
    return "T" if coord.dtype.kind == "M" or " since " in units else None


def cf_names_of(obj: XarrayObject) -> list[str]:
    """Return the CF names and axes that the data have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cf = _with_guessed_attrs(obj).cf
    return [name for kind in (cf.coordinates, cf.axes, cf.standard_names) for name in kind]
