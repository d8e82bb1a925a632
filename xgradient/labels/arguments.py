"""The arguments of a call: which axes, each with its own spacing, period and metric."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from .coordinates import CoordRef, resolve_coord, resolve_name

#: The names of a call, and what each stands for.
Found = dict[Hashable, CoordRef]


class GridOptions(NamedTuple):
    """Hold the options of a call that decide its grid, as the user gives them.

    Attributes
    ----------
    metric : None, str, Sphere, Ellipsoid, ScaleFactors or mapping
        Lengths for coordinates.
    spacing : None, number, 1-D array, sequence or mapping
        Steps or node positions instead of coordinates.
    periodic : None, bool, name, sequence of names or mapping
        The axes that close on themselves, or their periods.
    """

    metric: Any = None
    spacing: Any = None
    periodic: Any = None


def options_by_name(
    obj: XarrayObject,
    found: Found,
    scalar_dim: bool,
    options: GridOptions,
    beyond: bool = False,
) -> tuple[dict[Hashable, Any], dict[Hashable, Any]]:
    """The spacing and the period of each name of the call, where one is given."""
    if options.spacing is None and options.periodic is None:
        return {}, {}
    names = list(found)
    spacings = _align_option(obj, found, spacing_mapping(options.spacing, names, scalar_dim))
    periods = _align_option(obj, found, periodic_mapping(options.periodic, names), beyond)
    return spacings, periods


def normalize_dim(
    obj: XarrayObject, dim: Hashable | Iterable[Hashable] | None, fields: list[xr.DataArray]
) -> tuple[list[Hashable], bool]:
    """The names to differentiate along, and whether one was given by itself."""
    if dim is None:
        return [d for d in obj.dims if any(d in field.dims for field in fields)], False
    if isinstance(dim, str) or not isinstance(dim, Iterable):
        return [dim], True
    if isinstance(dim, tuple) and (dim in obj.dims or dim in obj.coords):
        return [dim], True
    names: list[Any] = [dim] if isinstance(dim, xr.DataArray | xr.Variable) else list(dim)
    if not names:
        raise ValueError("dim is an empty list; name a dimension or leave it out for all")
    for name in names:
        if not isinstance(name, Hashable):
            raise TypeError(
                f"dim has a {type(name).__name__} in it; give the name of a dimension or coordinate"
            )
    return names, False


def spacing_mapping(
    spacing: Any, names: list[Hashable], scalar_dim: bool
) -> Mapping[Hashable, Any]:
    """``spacing`` as a mapping: a number for all, an entry for each, or positions for one."""
    if spacing is None or isinstance(spacing, Mapping):
        return spacing or {}
    if isinstance(spacing, list | tuple) and not scalar_dim:
        if len(spacing) != len(names):
            raise ValueError(
                f"spacing has {len(spacing)} entries for {len(names)} dimensions; give one for each"
            )
        return dict(zip(names, spacing, strict=True))
    if np.ndim(spacing) and len(names) > 1:
        raise ValueError(
            f"spacing is one array for {len(names)} dimensions; "
            "give a list or mapping with one entry for each"
        )
    return dict.fromkeys(names, spacing)


def periodic_mapping(periodic: Any, names: list[Hashable]) -> Mapping[Hashable, Any]:
    """``periodic`` as a mapping from name to True, False or a period."""
    if periodic is None:
        return {}
    if isinstance(periodic, Mapping):
        return periodic
    if isinstance(periodic, bool | np.bool_):
        return dict.fromkeys(names, True) if periodic else {}
    if isinstance(periodic, str):
        return {periodic: True}
    if isinstance(periodic, Iterable):
        return dict.fromkeys(periodic, True)
    raise TypeError(
        f"periodic is {short_repr(periodic)}; give True, False, names of dimensions, "
        "or a mapping from name to period"
    )


def _align_option(
    obj: XarrayObject,
    found: Found,
    mapping: Mapping[Hashable, Any],
    beyond: bool = False,
) -> dict[Hashable, Any]:
    """A mapping with the very names of the call, whichever name of a dimension it was given.

    Names that are for other calls are left out, but kept if they may be meant ``beyond`` this one.
    """
    chosen = {}
    for key, value in mapping.items():
        name = key
        if key not in found:
            place_of_key = _of_some_call(obj, key)
            if place_of_key is None:
                continue
            dim = place_of_key.dim
            names = [n for n, ref in found.items() if ref.dim == dim]
            if beyond and not names:
                names = [place_of_key.name]
            if not names:
                continue
            name = names[0]
        chosen[name] = value
    return chosen


def _of_some_call(obj: XarrayObject, name: Hashable) -> CoordRef | None:
    """What a name of spacing or periodic stands for; None if it is no axis of any call.

    One mapping may serve several calls, so that it may name what this one does not go along.
    """
    coord = obj.coords.variables.get(resolve_name(obj, name))
    return resolve_coord(obj, name) if coord is None or coord.ndim in (1, 2) else None
