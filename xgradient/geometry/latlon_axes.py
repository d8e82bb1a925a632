"""Axes of latitudes and longitudes: uniform positions, full circles and reflection at poles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..labels.angles import unwrap
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef
from ..stencils.nodes import Nodes, nodes_from_values, reflect_at_ends
from ..stencils.positions import last_repeats_first
from ..stencils.tolerance import (
    MAX_STORAGE_ROUNDING,
    format_distinct,
    position_tolerance,
    relative_rounding,
)
from .angles import coord_of, full_circle, rounding
from .cyclic import CyclicPoint

Floats = NDArray[np.float64]


def requested_closure(ref: CoordRef, period: Any) -> bool | None:
    """Return if the user wants an axis to be periodic; None if the user does not say.

    Raises
    ------
    ValueError
        If a period is given that is not a full circle.
    """
    if period is None or isinstance(period, bool | np.bool_):
        return None if period is None else bool(period)
    circle = full_circle(ref)
    if period != circle:
        is_number = isinstance(period, int | float | np.integer | np.floating)
        shown = format_distinct(circle, float(period))[0] if is_number else f"{circle:g}"
        raise ValueError(
            f"the period of {str(ref.name)!r} is given as {period}, but on a globe it is a full "
            f"turn of {shown}; give True or leave it out"
        )
    return True


def without_cyclic_point(lon: CoordRef) -> tuple[CoordRef, CyclicPoint | None]:
    """Return longitudes without a last one that repeats the first, and this cyclic point."""
    given, circle = coord_of(lon).values, full_circle(lon)
    n = len(given)
    span = abs(float(given[-1]) - float(given[0])) if n > 1 else circle / 2
    # The median step is at most twice the mean, because half of all steps reach the median.
    if min(span, abs(span - circle)) > 2 * MAX_STORAGE_ROUNDING * circle / max(n - 1, 1):
        return lon, None  # the usual case, at once
    values = unwrap(given, circle)
    if not last_repeats_first(values.astype(np.float64), circle, position_tolerance(values)):
        return lon, None
    point = CyclicPoint(lon.dim, lon.name, relative_rounding(given))
    return CoordRef(lon.dim, lon.name, coord_of(lon)[:-1]), point


def snap_latitudes(lat: CoordRef) -> CoordRef:
    """Return latitudes at the uniform positions that they had before rounding, if they had any.

    Next to a pole, 1/cos φ is sensitive to rounding: on a float32 grid of a twentieth of a degree
    the first row would have an error of 1e-4.
    """
    return _snap_to_uniform(lat, _uniform_latitudes)


def snap_longitudes(lon: CoordRef) -> CoordRef:
    """Return longitudes at the uniform positions that they had before rounding, if they had any.

    A shift by a full circle is a cause of rounding, too.
    """
    return _snap_to_uniform(lon, _uniform_longitudes)


def _snap_to_uniform(
    ref: CoordRef, candidates: Callable[[Floats, float], Iterator[Floats]]
) -> CoordRef:
    given, circle = coord_of(ref).values, full_circle(ref)
    if ref.dim is None or len(given) < 2 or not np.isfinite(given).all():
        return ref
    values, tolerance = unwrap(given.astype(np.float64), circle), rounding(ref)
    for uniform in candidates(values, circle):
        if np.abs(values - uniform).max() <= tolerance:
            coord = xr.Variable(coord_of(ref).dims, uniform, coord_of(ref).attrs)
            return CoordRef(ref.dim, ref.name, coord)
    return ref


def _uniform_latitudes(values: Floats, circle: float) -> Iterator[Floats]:
    """Yield positions at whole or half steps from both poles, then between first and last."""
    n, first, last = len(values), values[0], values[-1]
    step, pole = (last - first) / (n - 1), np.copysign(circle / 4, last - first)
    if not step:
        return
    before, after = round(2 * (first + pole) / step) / 2, round(2 * (pole - last) / step) / 2
    yield -pole + 2 * pole / (n - 1 + before + after) * (before + np.arange(n))
    yield np.linspace(first, last, n)


def _uniform_longitudes(values: Floats, circle: float) -> Iterator[Floats]:
    """Yield positions with whole steps in a full circle, then between first and last."""
    n, first, last = len(values), values[0], values[-1]
    step = (last - first) / (n - 1)
    if not step:
        return
    yield first + np.copysign(circle / max(1, round(circle / abs(step))), step) * np.arange(n)
    yield np.linspace(first, last, n)


def is_increasing(lon: CoordRef) -> bool:
    """Tell if most longitudes increase; a jump by a full circle does not change this."""
    steps = np.sign(np.diff(np.asarray(coord_of(lon).values, dtype=np.float64)))
    return not steps.sum() < 0


def make_lon_axis(
    lon: CoordRef, requested: bool | None, had_cyclic_point: bool = False
) -> tuple[Axis, bool]:
    """Return the axis of longitudes, and true if they cover the full circle uniformly.

    Parameters
    ----------
    lon : CoordRef
        The longitudes, without a cyclic point.
    requested : bool or None
        See `requested_closure`.
    had_cyclic_point : bool
        True for longitudes that had a cyclic point, and so cover the full circle.

    Raises
    ------
    ValueError
        If they span more than a full circle, or are requested to be periodic and span less.
    """
    circle, label = full_circle(lon), f"coordinate {str(lon.name)!r}"
    given = coord_of(lon).values
    values = unwrap(given, circle)
    nodes = nodes_from_values(values, label, display_values=given)
    n, tolerance = nodes.n, rounding(lon)
    span = float(abs(np.float64(values[-1]) - np.float64(values[0]))) if n else 0.0
    if span > circle + tolerance:
        shown_span, shown_circle = format_distinct(span, circle)
        raise ValueError(
            f"{label} spans {shown_span}, more than a full turn of {shown_circle}; "
            "drop the repeated longitudes, e.g. with .isel"
        )
    largest_step = float(np.abs(np.diff(values.astype(np.float64))).max()) if n > 1 else 0.0
    gap = circle - span
    # With non-uniform steps the largest one may be the gap. Two longitudes are no circle.
    closes = had_cyclic_point or (n > 2 and tolerance < gap <= 1.5 * largest_step)
    if requested is True and not closes:
        shown_span, shown_circle = format_distinct(span, circle)
        raise ValueError(
            f"{label} is asked to be periodic, but spans {shown_span} in steps of up to "
            f"{largest_step:g}, which is not a full turn of {shown_circle}; take longitudes that "
            "go round"
        )
    if closes and requested is not False:
        nodes = nodes_from_values(values, label, period=circle, display_values=given)
    is_uniform = nodes.step is not None and abs(gap - largest_step) <= 2 * tolerance
    return Axis(lon.dim, lon.name, lon.long_name, "m", nodes), closes and is_uniform


def make_lat_axis(lat: CoordRef, requested: bool | None, n_lon: int) -> Axis:
    """Return the axis of latitudes, which continues across the poles if it reaches both.

    Parameters
    ----------
    lat : CoordRef
        The latitudes.
    requested : bool or None
        See `requested_closure`.
    n_lon : int
        Number of longitudes if they cover the full circle uniformly and close, else 0.

    Raises
    ------
    ValueError
        If latitudes are requested to be periodic and do not continue across the poles.
    """
    values, nodes, tolerance = coord_of(lat).values, lat_nodes(lat), rounding(lat)
    reaches_poles = False
    if n_lon and n_lon % 2 == 0 and nodes.n > 2:
        pole, steps = full_circle(lat) / 4, np.abs(np.diff(values.astype(np.float64)))
        first, last = float(values[0]), float(values[-1])
        poles = (-pole, pole) if first < last else (pole, -pole)
        gaps = abs(poles[0] - first), abs(poles[1] - last)
        reaches_poles = gaps[0] <= steps[0] + tolerance and gaps[1] <= steps[-1] + tolerance
    if reaches_poles and requested is not False:
        nodes = reflect_at_ends(nodes, (first, last), poles, tolerance)
    elif requested is True:
        raise ValueError(
            f"coordinate {str(lat.name)!r} is asked to be periodic, but latitudes continue only "
            "across the poles, where they reach both and an even number of longitudes goes round; "
            "leave it out of periodic"
        )
    return Axis(lat.dim, lat.name, lat.long_name, "m", nodes)


def lat_nodes(lat: CoordRef) -> Nodes:
    """Return the nodes of latitudes that end at the poles."""
    return nodes_from_values(coord_of(lat).values, f"coordinate {str(lat.name)!r}")
