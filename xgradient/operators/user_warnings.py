"""Warnings of this package: their category, and the line of the user's call that they show."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..geometry.grid import Grid
from ..labels.angles import latlon_kind
from ..labels.standard_names import directions_of

#: Where calls are handed on, as by the accessor and by ``Dataset.pipe``.
_INSIDE = tuple(
    str(path) + os.sep for path in (Path(__file__).parents[1], Path(xr.__file__).parent)
)


class GridWarning(UserWarning):
    """Warn of labels of a grid or a vector that contradict the call or leave it unclear.

    The warning has three reasons. Two angles are combined without a metric, a component is given
    along another direction than its ``standard_name``, or the sign of a vertical component is
    unknown.

    Examples
    --------
    >>> import warnings
    >>> import xgradient
    >>> warnings.simplefilter("error", xgradient.GridWarning)  # refuse such calls
    """


def warn_user(message: str) -> None:
    """Warn at the line of the call outside this package and xarray."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, GridWarning, stacklevel=level)


def warn_of_directions(
    components: Sequence[Mapping[Any, Any]],
    names: Sequence[Hashable],
    dims: Sequence[Hashable],
    directions: Sequence[str | None],
    signs: Sequence[int | None],
) -> None:
    """Warn of components whose labels say another direction than the call, or no sign.

    Parameters
    ----------
    components, names : sequence
        Attributes and names of the components.
    dims, directions : sequence
        The coordinate of each component, and its direction "x", "y" or "z".
    signs : sequence of int or None
        1 for components that point as their coordinate increases, else -1; None if unknown.
    """
    along = [f"{str(name)!r} along {str(dim)!r}" for name, dim in zip(names, dims, strict=True)]
    swapped = []
    for attrs, words, direction in zip(components, along, directions, strict=True):
        labelled = directions_of(attrs)
        if direction is not None and labelled and direction not in labelled:
            swapped.append(f"{words} ({attrs['standard_name']})")
    if swapped:
        warn_user(
            f"standard names say other directions than the call: {' and '.join(swapped)}; "
            "give each component by the dimension that it goes along"
        )
        return
    for name, dim, sign in zip(names, dims, signs, strict=True):
        if sign is None:
            warn_user(
                f"{str(dim)!r} is positive downwards and the direction of {str(name)!r} is "
                "unknown, so it is treated as downward; set its standard_name, such as "
                "upward_sea_water_velocity, or its attribute positive to 'up' or 'down'"
            )


def warn_of_angles(obj: XarrayObject, grid: Grid, respaced_dims: set[Hashable]) -> None:
    """Warn where two horizontal angles are combined as if they were lengths.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, with the coordinates.
    grid : Grid
        The axes that are combined.
    respaced_dims : set of hashable
        The dimensions whose spacing is given, so that their positions are no angles.
    """
    names = [
        repr(str(grid_axis.axis.name))
        for grid_axis in grid.axes
        if grid_axis.latlon_kind is None
        and isinstance(getattr(grid_axis, "inverse_scale", None), float)  # no scale factor is given
        and respaced_dims.isdisjoint(grid_axis.dims)
        and latlon_kind(grid_axis.axis.name, obj.coords.variables.get(grid_axis.axis.name))
    ]
    warn_of_names_of_angles(names)


def warn_of_names_of_angles(names: list[str]) -> None:
    """Warn of two axes or more that are angles without lengths."""
    if len(names) > 1:
        warn_user(
            f"{' and '.join(names)} are angles, which are combined here as if one of longitude "
            "were as long as one of latitude; give metric='sphere' for lengths in metres"
        )
