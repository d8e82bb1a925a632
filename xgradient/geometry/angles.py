"""Latitudes and longitudes as angles: their unit, their rounding and their bounds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from ..labels.angles import is_in_degrees
from ..labels.coordinates import CoordRef
from ..stencils.tolerance import format_distinct, position_tolerance

#: Largest longitude in full circles; numbers that mark missing values are larger.
MAX_CIRCLES = 10


def coord_of(ref: CoordRef) -> xr.Variable:
    """Return the coordinate of a reference; a latitude or longitude always has one."""
    assert ref.coord is not None
    return ref.coord


def full_circle(ref: CoordRef) -> float:
    """Return a full circle in units of the coordinate."""
    return 360.0 if is_in_degrees(coord_of(ref)) else 2 * np.pi


def radians_per_unit(ref: CoordRef) -> float:
    """Return the radians in one unit of the coordinate."""
    return 2 * np.pi / full_circle(ref)


def rounding(ref: CoordRef) -> float:
    """Return the largest error of the coordinate by rounding, in its units."""
    return position_tolerance(coord_of(ref).values, whole=full_circle(ref) / 2)


def check_angles(
    values: Any,
    origin: tuple[int, ...] = (),
    *,
    kind: str,
    name: Hashable,
    circle: float,
    n: int = 0,
) -> None:
    """Refuse latitudes beyond the poles, and longitudes that are numbers for missing values.

    Parameters
    ----------
    values : array
        The coordinate or a chunk of it, with any number of dimensions.
    origin : tuple of int
        Index of the first value in the whole coordinate.
    kind : str
        "latitude" or "longitude".
    name : hashable
        Name of the coordinate.
    circle : float
        A full circle in units of the coordinate.
    n : int
        Number of values along the longest dimension of the whole coordinate.

    Raises
    ------
    ValueError
        If a value is out of bounds.
    """
    limit = circle / 4 if kind == "latitude" else MAX_CIRCLES * circle
    bad = abs(values) > limit
    if bad.any():
        values = xr.Variable(range(values.ndim), values).to_numpy()  # they may be on a GPU
        bad = abs(values) > limit + position_tolerance(values, n, circle / 2)
    if bad.any():
        at = np.unravel_index(int(bad.argmax()), bad.shape)
        index = [int(i) + start for i, start in zip(at, origin or (0,) * len(at), strict=True)]
        shown_index = str(index[0]) if len(index) == 1 else f"({', '.join(map(str, index))})"
        value = float(values[at])
        shown, end = format_distinct(value, float(np.copysign(limit, value)))
        end = end.lstrip("-")
        raise ValueError(
            f"coordinate {str(name)!r} has the value {shown} at index {shown_index}; "
            f"{kind}s lie between -{end} and {end}, so "
            f"{'check its units' if kind == 'latitude' else 'mask it, e.g. with .where'}"
        )
