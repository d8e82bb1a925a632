"""Coordinates to axes: positions, units and periods, checked and cached."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..stencils.cache import MAX_CACHED_NODES, LRUCache
from ..stencils.nodes import Nodes, nodes_from_spacing
from ..stencils.positions import check_known_length
from .coordinates import CoordRef, decoded_coord
from .hints import check_object_positions, is_quantity, quantity_error, quote_names
from .times import period_of_angle, to_integer_ticks, to_period

_AXES: LRUCache[tuple[Nodes, str | None, Any]] = LRUCache(64)


class Axis(NamedTuple):
    """One coordinate, ready to differentiate along.

    Attributes
    ----------
    dim : hashable
        The dimension.
    name : hashable
        The coordinate's name, which the result's name takes up.
    long_name : str
        The coordinate in words.
    units : str or None
        Units of the positions, "s" for all kinds of time, "1" for steps; None if unknown.
    nodes : Nodes
        The positions.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    nodes: Nodes


def make_axis(ref: CoordRef, n: int, spacing: Any = None, periodic: Any = False) -> Axis:
    """The axis along a dimension.

    Parameters
    ----------
    place : Place
        The dimension and its coordinate; without one the step is 1.
    n : int
        Number of points.
    spacing : None, number or 1-D array
        A uniform step or node positions instead of the coordinate; a DataArray brings its units.
    periodic : bool or number
        Whether the axis wraps, or its period in units of the axis.

    Returns
    -------
    Axis
        The dimension with checked positions; times are in seconds.

    Raises
    ------
    TypeError, ValueError
        If the coordinate cannot carry a derivative: one sentence with what was found.
    """
    nodes, units = _cached_positions(ref, n, spacing, periodic)
    return Axis(ref.dim, ref.name, ref.long_name, units, nodes)


def _cached_positions(
    ref: CoordRef, n: int, spacing: Any, periodic: Any
) -> tuple[Nodes, str | None]:
    """The positions along a dimension, and their units."""
    coord, index = ref.coord, ref.index
    if spacing is not None or periodic is not False or coord is None or index is None:
        return _read_positions(ref, n, spacing, periodic)
    if (
        n > MAX_CACHED_NODES
        or not isinstance(coord.dtype, np.dtype)
        or not _is_immutable(index.values)
    ):
        return _read_positions(ref, n, spacing, periodic)
    # It is looked at once; as long as it is kept, no other has its id.
    key = id(index), coord.dtype, repr(coord.attrs.get("units"))
    return _AXES.get(key, lambda: (*_read_positions(ref, n, None, False), index))[:2]


def _is_immutable(values: Any) -> bool:
    """Whether these values are known not to change, as those of indexes do not since pandas 3."""
    return isinstance(values, np.ndarray) and not values.flags.writeable


def _read_positions(ref: CoordRef, n: int, spacing: Any, periodic: Any) -> tuple[Nodes, str | None]:
    """The same, looked at anew."""
    check_known_length(n, f"dimension {str(ref.dim)!r}")
    units: str | None = "1" if ref.coord is None and spacing is None else None
    what = f"coordinate {ref.name!r}"
    shown: Any = 1.0  # the step of a dimension without a coordinate, which counts steps
    if spacing is not None:
        what = f"spacing of {ref.name!r}"
        shown = spacing
        if is_quantity(spacing.variable._data if isinstance(spacing, xr.DataArray) else spacing):
            raise quantity_error(what, argument=True)
        if isinstance(spacing, xr.DataArray):
            if spacing.dims not in ((), (ref.dim,)):
                raise ValueError(
                    f"{what} lies along {quote_names(spacing.dims)}, not along {str(ref.dim)!r}; "
                    "give positions along this dimension"
                )
            spacing = decoded_coord(ref.name, spacing.variable)
            shown, units = spacing.values, spacing.attrs.get("units")
    elif ref.coord is not None:
        if is_quantity(ref.coord._data):
            raise quantity_error(what)
        shown, units = ref.coord.values, ref.coord.attrs.get("units")
    values = np.asarray(shown)
    if values.dtype.kind == "O":
        check_object_positions(values, what, ref.name, ref.dim)
    values, scale, units = to_integer_ticks(values, units, what)
    period = to_period(periodic, units, what)
    if period is True and spacing is None and values.ndim:
        period = period_of_angle(ref, values, units)
    return nodes_from_spacing(
        values, n, what, scale=scale, period=period, display_values=shown
    ), units
