"""The arguments of a call: which axes, each with its own spacing and period."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from .axes import Axis, Place, XarrayObject, find_coord, make_axis

__all__ = ["axes_of_call"]

#: The names of a call, and what each stands for.
Found = dict[Hashable, Place]


def axes_of_call(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    spacing: Any,
    periodic: Any,
    among: list[xr.DataArray],
) -> tuple[list[Axis], bool]:
    """The axes to differentiate along, and whether one name was given by itself.

    Parameters
    ----------
    obj : DataArray or Dataset
        What is to be differentiated.
    dim, spacing, periodic
        As `xgradient.grad` takes them.
    among : list of DataArray
        The fields; of all dimensions, only those that one of them has are meant.

    Raises
    ------
    TypeError, ValueError
        If a name or value does not fit: one sentence with what was found.
    """
    names, alone = _names(obj, dim, among)
    if not names:
        raise ValueError("the data have no dimensions, so there is nothing to differentiate along")
    found: Found = {}
    labels: dict[Hashable, Hashable] = {}
    for name in names:
        place = find_coord(obj, name)
        if place.name in labels:
            raise ValueError(
                f"dim names {str(place.name)!r} twice, as {labels[place.name]!r} and {name!r}; "
                "name it once"
            )
        labels[place.name] = name
        found[name] = place
    spacings = _by_name(obj, found, _spacing_mapping(spacing, names, alone), "spacing")
    periods = _by_name(obj, found, _periodic_mapping(periodic, names), "periodic")
    axes = [
        make_axis(place, obj.sizes[place.dim], spacings.get(name), periods.get(name, False))
        for name, place in found.items()
    ]
    return axes, alone


def _names(
    obj: XarrayObject, dim: Hashable | Iterable[Hashable] | None, among: list[xr.DataArray]
) -> tuple[list[Hashable], bool]:
    """The names to differentiate along, and whether one was given by itself."""
    if dim is None:
        return [d for d in obj.dims if any(d in field.dims for field in among)], False
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


def _spacing_mapping(spacing: Any, names: list[Hashable], alone: bool) -> Mapping[Hashable, Any]:
    """``spacing`` as a mapping: a number for all, an entry for each, or positions for one."""
    if spacing is None or isinstance(spacing, Mapping):
        return spacing or {}
    if isinstance(spacing, list | tuple) and not alone:
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


def _periodic_mapping(periodic: Any, names: list[Hashable]) -> Mapping[Hashable, Any]:
    """``periodic`` as a mapping from name to True, False or a period."""
    if isinstance(periodic, Mapping):
        return periodic
    if isinstance(periodic, bool | np.bool_):
        return dict.fromkeys(names, True) if periodic else {}
    if isinstance(periodic, str):
        return {periodic: True}
    if isinstance(periodic, Iterable):
        return dict.fromkeys(periodic, True)
    raise TypeError(
        f"periodic is {periodic!r}; give True, False, names of dimensions, "
        "or a mapping from name to period"
    )


def _by_name(
    obj: XarrayObject, found: Found, mapping: Mapping[Hashable, Any], argument: str
) -> dict[Hashable, Any]:
    """A mapping with the very names of the call, whichever name of a dimension it was given."""
    chosen = {}
    for key, value in mapping.items():
        name = key
        if key not in found:
            dim = find_coord(obj, key).dim
            names = [n for n, place in found.items() if place.dim == dim]
            if not names:
                raise ValueError(
                    f"{argument} names {str(key)!r}, but dim is "
                    f"{', '.join(repr(str(n)) for n in found)}; name one of these"
                )
            name = names[0]
        chosen[name] = value
    return chosen
