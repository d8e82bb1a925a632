"""Longitudes and latitudes: where they stand, where they close, and their scale factors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.angles import check_units, is_in_degrees, latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, find_latlon
from ..labels.hints import quote_names
from ..stencils.nodes import Nodes, nodes_from_values, reflect_at_ends
from ..stencils.positions import last_repeats_first
from ..stencils.tolerance import (
    MAX_STORAGE_ROUNDING,
    format_distinct,
    position_tolerance,
    relative_rounding,
)
from .cyclic import CyclicPoint, cyclic_points
from .grid import PolarClosure
from .grid_axis import GridAxis
from .metrics import Globe, check_angles, curvature_radii
from .orthogonal import OrthogonalGrid
from .track import check_unset

Floats = NDArray[np.float64]


def latlon_grid(
    obj: XarrayObject,
    globe: Globe,
    refs: list[CoordRef],
    axes: Mapping[Hashable, Axis],
    closes: Callable[[CoordRef], Any],
) -> OrthogonalGrid:
    """Axes of which some are longitudes and latitudes.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, whose latitudes and longitudes count even where they are not asked for.
    globe : Sphere or Ellipsoid
        The model of the Earth.
    places : list of Place
        What is asked for.
    axes : mapping from name to Axis
        Those of the places that are neither.
    closes : callable
        Whether the user wants an axis to close on itself, or its period; None if nothing is said.

    Raises
    ------
    ValueError
        If there are none, or their values are impossible.
    """
    kinds = {ref.name: latlon_kind(ref.name, ref.coord) for ref in refs}
    asked = {kind: place for place in refs if (kind := kinds[place.name]) is not None}
    if not asked:
        check_unset(obj, refs)
        names = ", ".join(repr(str(place.name)) for place in refs)
        coords = obj.coords.variables.items()
        wide = [name for name, c in coords if c.ndim == 2 and latlon_kind(name, c)]
        mend = (
            f"name {quote_names(wide)}, or leave out metric"
            if wide
            else ("leave out metric or set units such as 'degrees_north'")
        )
        raise ValueError(
            f"metric={type(globe).__name__} is for latitudes and longitudes, but {names} is "
            f"neither by its units, standard_name or name; {mend}"
        )
    if len(asked) < sum(kind is not None for kind in kinds.values()):
        raise ValueError(
            f"{' and '.join(repr(str(n)) for n, k in kinds.items() if k)} are of one kind; "
            "name one latitude and one longitude"
        )
    lat = asked.get("latitude") or find_latlon(obj, "latitude")
    lon = asked.get("longitude") or find_latlon(obj, "longitude")
    if lat is None:
        assert lon is not None
        for name, coord in obj.coords.variables.items():
            check_units(name, coord)
        raise ValueError(
            f"the metric along {str(lon.name)!r} depends on the latitude, but the data have no "
            "coordinate that is one; add it, e.g. with .assign_coords(lat=...)"
        )
    return _make_latlon_grid(globe, refs, axes, lat, lon, closes)


def _make_latlon_grid(
    globe: Globe,
    refs: list[CoordRef],
    axes: Mapping[Hashable, Axis],
    lat: CoordRef,
    lon: CoordRef | None,
    closes: Callable[[CoordRef], Any],
) -> OrthogonalGrid:
    assert lat.coord is not None
    latitudes = np.atleast_1d(lat.coord.values).astype(np.float64)
    check_angles(latitudes, kind="latitude", name=lat.name, turn=_full_circle(lat))
    closed, point = None, None
    if lon is not None and lon.dim is not None:
        closed = _requested_closure(lon, closes(lon))
        if closed is not False and lat.dim != lon.dim:
            lon, point = _without_cyclic_point(lon)
    points = cyclic_points(axes.values(), point)
    lat, lon = (
        _snap_to_uniform(lat, _uniform_latitudes),
        lon and _snap_to_uniform(lon, _uniform_longitudes),
    )
    lon_axis, round_, folded = None, False, False
    if lon is not None and lon.dim is not None:
        lon_axis, round_ = _lon_axis(lon, closed, point is not None)
        folded = round_ and closed is not False
    lengths = _scale_factors_at(globe, lat)
    known: dict[Hashable, GridAxis] = {}
    poles = None
    if lat.dim is not None:
        lat_axis = _lat_axis(lat, _requested_closure(lat, closes(lat)), folded, lon_axis)
        slopes = {lat.dim: lengths.lat_slope}
        known[lat.name] = GridAxis(lat_axis, lengths.lat, slopes, lengths.lon_slope, "latitude")
        poles = _polar_closure(lat, lat_axis, lon, lon_axis, round_, lengths)
    if lon is not None and lon_axis is not None:
        by_lat = {} if lat.dim is None else {lat.dim: lengths.lon_slope}
        inverse = lengths.lon * (_full_circle(lon) / (2 * np.pi))
        known[lon.name] = GridAxis(lon_axis, inverse, by_lat, 0.0, "longitude")
    grid_axes = (known.get(p.name) or GridAxis(axes[p.name]) for p in refs)
    return OrthogonalGrid(tuple(grid_axes), polar_closure=poles, cyclic=points)


def _without_cyclic_point(lon: CoordRef) -> tuple[CoordRef, CyclicPoint | None]:
    """The longitudes without a last one that is the first, a turn later; and this point."""
    assert lon.coord is not None
    given, turn = lon.coord.values, _full_circle(lon)
    n = len(given)
    span = abs(float(given[-1]) - float(given[0])) if n > 1 else turn / 2
    # Half of all steps are no shorter than the usual one, so that twice the mean is no shorter.
    if min(span, abs(span - turn)) > 2 * MAX_STORAGE_ROUNDING * turn / max(n - 1, 1):
        return lon, None  # at once, as usual
    values = _unwrapped(given, turn)
    if not last_repeats_first(values.astype(np.float64), turn, position_tolerance(values)):
        return lon, None
    point = CyclicPoint(lon.dim, lon.name, relative_rounding(given))
    return CoordRef(lon.dim, lon.name, lon.coord[:-1]), point


class _LatScaleFactors(NamedTuple):
    """What the latitudes make of scale factors; 0 stands for what is infinite on a pole.

    1/h of the latitudes, and of longitudes in radians; ∂ ln h of both by the latitude; for the
    first and the last latitude the sine if it stands on a pole, else 0, and 1/h of the latitudes.
    """

    lat: xr.Variable
    lon: xr.Variable
    lat_slope: xr.Variable
    lon_slope: xr.Variable
    signs: tuple[int, int]
    ends: tuple[float, float]


def _scale_factors_at(globe: Globe, lat: CoordRef) -> _LatScaleFactors:
    angles, k = _in_radians(lat)
    m, m_slope, n = curvature_radii(globe, angles)
    at_pole = np.abs(np.abs(angles) - np.pi / 2) <= 1e-12 + _rounding(lat) * k
    if lat.dim is None and at_pole.any():
        raise ValueError(
            f"on a pole the longitudes meet and 1/cos(latitude) is infinite, and {str(lat.name)!r} "
            "is a single value there; take another parallel"
        )
    with np.errstate(divide="ignore"):
        inverse_lon = np.where(at_pole, 0.0, 1 / (n * np.cos(angles)))
    tangent = np.where(at_pole, 0.0, -m / n * np.tan(angles)) * k
    lat_, lon_, lat_slope, lon_slope = (
        xr.Variable((), values[0]) if lat.dim is None else xr.Variable((lat.dim,), values)
        for values in (1 / (m * k), inverse_lon, m_slope / m * k, tangent)
    )
    standing = np.where(at_pole, np.sign(angles), 0)
    signs = (int(standing[0]), int(standing[-1])) if at_pole.any() else (0, 0)
    ends = (float(1 / (m[0] * k)), float(1 / (m[-1] * k))) if at_pole.any() else (0.0, 0.0)
    return _LatScaleFactors(lat_, lon_, lat_slope, lon_slope, signs, ends)


def _polar_closure(
    lat: CoordRef,
    lat_axis: Axis,
    lon: CoordRef | None,
    lon_axis: Axis | None,
    round_: bool,
    lengths: _LatScaleFactors,
) -> PolarClosure:
    refusal, around, east = "", None, 1
    if lon_axis is not None and lon is not None and lon.coord is not None:
        around = lon.dim
        east = -1 if _direction(lon) < 0 else 1
        if not round_:
            refusal = (
                "on a pole the longitudes meet and 1/cos(latitude) is infinite, but "
                f"{str(lat.name)!r} has a row there, and {str(lon.name)!r} does not go evenly "
                "round; drop it, e.g. with .sel or .isel, or a repeated last meridian"
            )
    alone = lat_axis._replace(nodes=_lat_nodes(lat))
    return PolarClosure(lat_axis, alone, around, lengths.signs, lengths.ends, east, refusal)


def _in_radians(lat: CoordRef) -> tuple[Any, float]:
    """Latitudes in radians, and radians in one unit of the coordinate."""
    assert lat.coord is not None
    values = np.atleast_1d(np.asarray(lat.coord.values, dtype=np.float64))
    k = 2 * np.pi / _full_circle(lat)
    return np.clip(values * k, -np.pi / 2, np.pi / 2), k


def _full_circle(ref: CoordRef) -> float:
    """A full turn in units of the coordinate."""
    assert ref.coord is not None
    return 360.0 if is_in_degrees(ref.coord) else 2 * np.pi


def _requested_closure(ref: CoordRef, period: Any) -> bool | None:
    """Whether an axis is to close on itself; a period can only be a full turn."""
    if period is None or isinstance(period, bool | np.bool_):
        return None if period is None else bool(period)
    turn = _full_circle(ref)
    if period != turn:
        number = isinstance(period, int | float | np.integer | np.floating)
        full = format_distinct(turn, float(period))[0] if number else f"{turn:g}"
        raise ValueError(
            f"the period of {str(ref.name)!r} is given as {period}, but on a globe it is a full "
            f"turn of {full}; give True or leave it out"
        )
    return True


def _snap_to_uniform(
    ref: CoordRef, evenly: Callable[[Floats, float], Iterator[Floats]]
) -> CoordRef:
    """A place with the even positions that its coordinate had before it was rounded.

    Next to a pole 1/cos φ is as sensitive as can be: in float32 the first row of a grid of a
    twentieth of a degree has it wrong by 1e-4. And a shift by a turn leaves its own rounding.
    """
    assert ref.coord is not None
    given, turn = ref.coord.values, _full_circle(ref)
    if ref.dim is None or len(given) < 2 or not np.isfinite(given).all():
        return ref
    values, allowed = _unwrapped(given.astype(np.float64), turn), _rounding(ref)
    for even in evenly(values, turn):
        if np.abs(values - even).max() <= allowed:
            coord = xr.Variable(ref.coord.dims, even, ref.coord.attrs)
            return CoordRef(ref.dim, ref.name, coord)
    return ref


def _uniform_latitudes(values: Floats, turn: float) -> Iterator[Floats]:
    """Whole and half steps from both poles, and whatever is even between the ends."""
    n, first, last = len(values), values[0], values[-1]
    step, pole = (last - first) / (n - 1), np.copysign(turn / 4, last - first)
    if not step:
        return
    before, after = round(2 * (first + pole) / step) / 2, round(2 * (pole - last) / step) / 2
    yield -pole + 2 * pole / (n - 1 + before + after) * (before + np.arange(n))
    yield np.linspace(first, last, n)


def _uniform_longitudes(values: Floats, turn: float) -> Iterator[Floats]:
    """Whole steps in a full turn, and whatever is even between the ends."""
    n, first, last = len(values), values[0], values[-1]
    step = (last - first) / (n - 1)
    if not step:
        return
    yield first + np.copysign(turn / max(1, round(turn / abs(step))), step) * np.arange(n)
    yield np.linspace(first, last, n)


def _rounding(ref: CoordRef) -> float:
    """How far a coordinate may be off by rounding."""
    assert ref.coord is not None
    return position_tolerance(ref.coord.values, whole=_full_circle(ref) / 2)


def _direction(lon: CoordRef) -> float:
    """Whether longitudes increase (1) or decrease (-1), a jump by a full turn left aside."""
    assert lon.coord is not None
    steps = np.sign(np.diff(np.asarray(lon.coord.values, dtype=np.float64)))
    return float(np.sign(steps.sum())) if steps.size else 1.0


def _lon_axis(lon: CoordRef, wanted: bool | None, cyclic: bool = False) -> tuple[Axis, bool]:
    """The axis of longitudes, and whether they stand evenly all round the globe.

    That they go round is known of ``cyclic`` ones, which had a last point that repeats the first.
    """
    assert lon.coord is not None
    values, what = lon.coord.values, f"coordinate {str(lon.name)!r}"
    turn = _full_circle(lon)
    values = _unwrapped(values, turn)
    nodes = nodes_from_values(values, what, display_values=lon.coord.values)
    n, rounding = nodes.n, _rounding(lon)
    span = float(abs(np.float64(values[-1]) - np.float64(values[0]))) if n else 0.0
    if span > turn + rounding:
        there, full = format_distinct(span, turn)
        raise ValueError(
            f"{what} spans {there}, more than a full turn of {full}; "
            "drop the repeated longitudes, e.g. with .isel"
        )
    widest = float(np.abs(np.diff(values.astype(np.float64))).max()) if n > 1 else 0.0
    gap = turn - span
    # Where steps are uneven, the widest may happen to be the seam. Two longitudes are no circle.
    global_ = cyclic or (n > 2 and rounding < gap <= 1.5 * widest)
    if wanted is True and not global_:
        there, full = format_distinct(span, turn)
        raise ValueError(
            f"{what} is asked to be periodic, but spans {there} in steps of up to {widest:g}, "
            f"which is not a full turn of {full}; take longitudes that go round"
        )
    if global_ and wanted is not False:
        nodes = nodes_from_values(values, what, period=turn, display_values=lon.coord.values)
    even = global_ and nodes.step is not None and abs(gap - widest) <= 2 * rounding
    return Axis(lon.dim, lon.name, lon.long_name, "m", nodes), even


def _unwrapped(values: Any, turn: float) -> Any:
    """Longitudes without the jump by a full turn that they may have inside."""
    wide = values.astype(np.float64) if values.dtype.kind != "f" else values
    steps = np.diff(wide)
    jumps = np.abs(steps) > turn / 2
    # Steps that wide are odd, but may be meant where all go the same way.
    if not jumps.any() or (len(values) > 2 and ((steps > 0).all() or (steps < 0).all())):
        return values
    return np.unwrap(wide, period=turn).astype(wide.dtype)


def _lat_axis(lat: CoordRef, wanted: bool | None, round_: bool, lon_axis: Axis | None) -> Axis:
    """The axis of latitudes, which continues across the poles if it reaches them."""
    assert lat.coord is not None
    values, what = lat.coord.values, f"coordinate {str(lat.name)!r}"
    nodes = _lat_nodes(lat)
    rounding = _rounding(lat)
    reaches = False
    if round_ and lon_axis is not None and lon_axis.nodes.n % 2 == 0 and nodes.n > 2:
        pole, steps = _full_circle(lat) / 4, np.abs(np.diff(values.astype(np.float64)))
        first, last = float(values[0]), float(values[-1])
        turns = (-pole, pole) if first < last else (pole, -pole)
        gaps = abs(turns[0] - first), abs(turns[1] - last)
        reaches = gaps[0] <= steps[0] + rounding and gaps[1] <= steps[-1] + rounding
    if reaches and wanted is not False:
        nodes = reflect_at_ends(nodes, (first, last), turns, rounding)
    elif wanted is True:
        raise ValueError(
            f"{what} is asked to be periodic, but latitudes continue only across the poles, where "
            "they reach both and an even number of longitudes goes round; leave it out of periodic"
        )
    return Axis(lat.dim, lat.name, lat.long_name, "m", nodes)


def _lat_nodes(lat: CoordRef) -> Nodes:
    """The latitudes by themselves."""
    assert lat.coord is not None
    return nodes_from_values(lat.coord.values, f"coordinate {str(lat.name)!r}")
