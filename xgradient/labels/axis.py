"""Axes: checked positions, units and periods of coordinates, with a cache."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..stencils.cache import MAX_CACHED_NODES, LRUCache
from ..stencils.nodes import Nodes, nodes_from_spacing
from ..stencils.positions import check_known_length
from .angles import period_of_angle, unwrap_axis
from .coordinates import CoordRef, decoded_coord
from .hints import quote_names
from .middles import middles_of_objects
from .pint_units import is_quantity, to_cf_text
from .times import to_integer_ticks, to_period

_AXES: LRUCache[tuple[Nodes, str | None, Any]] = LRUCache(64)


class Axis(NamedTuple):
    """Hold the positions and the units of one coordinate.

    Attributes
    ----------
    dim : hashable
        Dimension of the coordinate.
    name : hashable
        Name of the coordinate, for names of results.
    long_name : str
        Long name of the coordinate, for long names of results.
    units : str or None
        Units of the positions: "s" for times, "1" for steps, None if unknown.
    nodes : Nodes
        Positions of the grid points.
    """

    dim: Hashable
    name: Hashable
    long_name: str
    units: str | None
    nodes: Nodes


class GivenPositions(NamedTuple):
    """Hold the positions of a coordinate or a spacing before they are checked.

    Attributes
    ----------
    values : array_like
        The positions, or one step.
    units : str or None
        Units of the positions; None if unknown.
    label : str
        The coordinate or the spacing in words, for error messages.
    """

    values: Any
    units: str | None
    label: str


def make_axis(ref: CoordRef, n: int, spacing: Any = None, periodic: Any = False) -> Axis:
    """Make the axis of a dimension or coordinate.

    Parameters
    ----------
    ref : CoordRef
        The dimension and its coordinate; without a coordinate the step is 1.
    n : int
        Number of grid points.
    spacing : None, number or 1-D array
        A uniform step or node positions instead of the coordinate; a DataArray or a quantity has
        its own units.
    periodic : bool or number
        True for a periodic axis, or the period in units of the axis.

    Returns
    -------
    Axis
        The dimension with checked positions; times are in seconds.

    Raises
    ------
    TypeError, ValueError
        If the positions are not numbers or times, not monotonic, not finite or not `n`.
    """
    nodes, units = _cached_nodes(ref, n, spacing, periodic)
    return Axis(ref.dim, ref.name, ref.long_name, units, nodes)


def _cached_nodes(ref: CoordRef, n: int, spacing: Any, periodic: Any) -> tuple[Nodes, str | None]:
    """Return the nodes of an axis and their units, from the cache for an immutable index."""
    coord, index = ref.coord, ref.index
    if spacing is not None or periodic is not False or coord is None or index is None:
        return _make_nodes(ref, n, spacing, periodic)
    if (
        n > MAX_CACHED_NODES
        or not isinstance(coord.dtype, np.dtype)
        or not _is_immutable(index.values)
    ):
        return _make_nodes(ref, n, spacing, periodic)
    # The cache entry holds the index, so that no other object gets its id.
    key = id(index), coord.dtype, repr(coord.attrs.get("units"))
    return _AXES.get(key, lambda: (*_make_nodes(ref, n, None, False), index))[:2]


def _is_immutable(values: Any) -> bool:
    """Return True for read-only arrays, as those of indexes are since pandas 3."""
    return isinstance(values, np.ndarray) and not values.flags.writeable


def _make_nodes(ref: CoordRef, n: int, spacing: Any, periodic: Any) -> tuple[Nodes, str | None]:
    """Check the positions along a dimension, and return the nodes with their units."""
    check_known_length(n, f"dimension {str(ref.dim)!r}")
    given, units, label = read_coord_or_spacing(ref, spacing)
    values = np.asarray(given)
    if values.dtype.kind == "O":
        middles = middles_of_objects(values)
        values = values if middles is None else middles
    values, scale, units = to_integer_ticks(values, units, label)
    period = to_period(periodic, units, label)
    if values.ndim == 1 and scale == 1:
        values = unwrap_axis(
            ref.name, ref.coord if spacing is None else None, values, units, period
        )
    if period is True and spacing is None and values.ndim:
        period = period_of_angle(ref.name, ref.coord, values, units)
    nodes = nodes_from_spacing(values, n, label, scale=scale, period=period, display_values=given)
    return nodes, units


def read_coord_or_spacing(ref: CoordRef, spacing: Any) -> GivenPositions:
    """Read the positions of a coordinate, or those that replace it."""
    return _read_coord(ref) if spacing is None else _read_spacing(ref, spacing)


def _read_coord(ref: CoordRef) -> GivenPositions:
    """Read the positions of a coordinate; a dimension without one has steps of 1."""
    label = f"coordinate {ref.name!r}"
    if ref.coord is None:
        return GivenPositions(1.0, "1", label)
    if ref.step is not None:
        return GivenPositions(ref.step, ref.coord.attrs.get("units"), label)
    return GivenPositions(ref.coord.values, ref.coord.attrs.get("units"), label)


def _read_spacing(ref: CoordRef, spacing: Any) -> GivenPositions:
    """Read the step or the positions that the user gives; a DataArray or quantity has units."""
    label = f"spacing of {ref.name!r}"
    if is_quantity(spacing):
        return GivenPositions(spacing.magnitude, to_cf_text(spacing.units), label)
    if not isinstance(spacing, xr.DataArray):
        return GivenPositions(spacing, None, label)
    if spacing.dims not in ((), (ref.dim,)):
        raise ValueError(
            f"{label} lies along {quote_names(spacing.dims)}, not along {str(ref.dim)!r}; "
            "give positions along this dimension"
        )
    positions = decoded_coord(ref.name, spacing.variable)
    return GivenPositions(positions.values, positions.attrs.get("units"), label)
