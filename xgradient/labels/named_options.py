"""Options of a call by the names of coordinates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from .._typing import XarrayObject
from .._wording import short_repr
from .coordinates import CoordRef, coord_ref, resolve_name


def spacing_mapping(
    spacing: Any, names: list[Hashable], scalar_dim: bool
) -> Mapping[Hashable, Any]:
    """Return ``spacing`` by name.

    A number is for all names, a sequence has an entry for each, an array is for one name.
    """
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
    """Return ``periodic`` as a mapping from name to True, False or a period."""
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


def without_names_of_others(given: Any, obj: XarrayObject, others: Iterable[XarrayObject]) -> Any:
    """Return a spacing or periodic without names that other data have, but not these.

    Parameters
    ----------
    given : None, bool, number, array, name, sequence or mapping
        The option of the call.
    obj : DataArray or Dataset
        The data that the option is for.
    others : iterable of DataArray or Dataset
        The other data of the same call.
    """

    def of_others(name: Hashable) -> bool:
        return not _has_name(obj, name) and any(_has_name(other, name) for other in others)

    if isinstance(given, Mapping):
        return {name: value for name, value in given.items() if not of_others(name)}
    if isinstance(given, str):
        return [] if given != "auto" and of_others(given) else given
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return [name for name in given if not of_others(name)]
    return given


def _has_name(obj: XarrayObject, name: Hashable) -> bool:
    """Return True if data have a coordinate or dimension of a name, or of a CF name."""
    try:
        resolve_name(obj, name)
    except ValueError:
        return False
    return True


def by_coord(
    obj: XarrayObject, refs: Mapping[Hashable, CoordRef], option: Mapping[Hashable, Any]
) -> dict[Hashable, tuple[CoordRef, Any]]:
    """Return each value of an option with its coordinate, by the name of the coordinate.

    A key that names the dimension of a coordinate of the call refers to this coordinate. One
    mapping may serve several calls, so a key may name a coordinate without a derivative.
    """
    by_name = {ref.name: ref for ref in refs.values()}
    by_dim = {ref.dim: ref for ref in refs.values() if len(ref.dims) == 1}
    values: dict[Hashable, tuple[CoordRef, Any]] = {}
    for key, value in option.items():
        ref = refs.get(key)
        if ref is None:
            name = resolve_name(obj, key)
            coord = obj.coords.variables.get(name)
            if name in by_name:
                ref = by_name[name]
            elif coord is None or coord.ndim in (1, 2):
                ref = coord_ref(obj, name)
                ref = by_dim.get(ref.dim, ref)
            else:
                continue
        values[ref.name] = ref, value
    return values
