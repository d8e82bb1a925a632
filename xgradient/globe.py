"""Longitudes and latitudes: where they stand, where they close, and their scale factors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from .axes import Axis, Place, XarrayObject, find_horizontal, horizontal, in_degrees
from .frames import Frame, Poles, Side
from .metrics import Globe, radii
from .nodes import Nodes, folded_nodes, numeric_nodes

__all__ = ["frame_on_globe"]


def frame_on_globe(
    obj: XarrayObject,
    globe: Globe,
    places: list[Place],
    axes: Mapping[Hashable, Axis],
    closes: Callable[[Place], bool | None],
) -> Frame:
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
        Whether the user wants an axis to close on itself; None if nothing is said.

    Raises
    ------
    ValueError
        If there are none, or their values are impossible.
    """
    kinds = {place.name: horizontal(place.name, place.coord) for place in places}
    asked = {kind: place for place in places if (kind := kinds[place.name]) is not None}
    if not asked:
        names = ", ".join(repr(str(place.name)) for place in places)
        raise ValueError(
            f"metric={type(globe).__name__} is for latitudes and longitudes, but {names} is "
            "neither by its units, standard_name or name; leave out metric or set units such as "
            "'degrees_north'"
        )
    if len(asked) < sum(kind is not None for kind in kinds.values()):
        raise ValueError(
            f"{' and '.join(repr(str(n)) for n, k in kinds.items() if k)} are of one kind; "
            "name one latitude and one longitude"
        )
    lat = asked.get("latitude") or find_horizontal(obj, "latitude")
    lon = asked.get("longitude") or find_horizontal(obj, "longitude")
    if lat is None:
        assert lon is not None
        raise ValueError(
            f"the metric along {str(lon.name)!r} depends on the latitude, but the data have no "
            "coordinate that is one; add it, e.g. with .assign_coords(lat=...)"
        )
    return _globe(globe, places, axes, lat, lon, closes)


def _globe(
    globe: Globe,
    places: list[Place],
    axes: Mapping[Hashable, Axis],
    lat: Place,
    lon: Place | None,
    closes: Callable[[Place], bool | None],
) -> Frame:
    angles, k = _latitudes(lat)
    poles = None
    lon_axis, round_ = None, False
    if lon is not None and lon.dim is not None:
        lon_axis, round_ = _lon_axis(lon, closes(lon))
    if lat.dim is not None:
        folded = round_ and lon is not None and closes(lon) is not False
        lat_axis = _lat_axis(lat, closes(lat), folded, lon_axis)
    m, m_slope, n = radii(globe, angles)
    at_pole = np.abs(np.abs(angles) - np.pi / 2) <= 1e-12 + _rounding(lat) * k
    with np.errstate(divide="ignore"):
        inverse_lon = np.where(at_pole, 0.0, 1 / (n * np.cos(angles)))
    tangent = np.where(at_pole, 0.0, -m / n * np.tan(angles)) * k
    dims = () if lat.dim is None else (lat.dim,)

    def along(values: Any) -> xr.Variable:
        return xr.Variable(dims, values if dims else values[0])

    if at_pole.any() and lat.dim is not None:
        ends = [int(np.sign(angles[i])) if at_pole[i] else 0 for i in (0, -1)]
        ends_inverse = [float(1 / (m[i] * k)) for i in (0, -1)]
    else:
        ends, ends_inverse = [0, 0], [0.0, 0.0]
    sides = []
    for place in places:
        if place.name == lat.name:
            side = Side(
                lat_axis, along(1 / (m * k)), {lat.dim: along(m_slope / m * k)}, along(tangent),
                "latitude",
            )  # fmt: skip
        elif lon is not None and place.name == lon.name:
            assert lon_axis is not None
            assert lon.coord is not None
            unit = np.pi / 180 if in_degrees(lon.coord) else 1.0
            slopes = {} if lat.dim is None else {lat.dim: along(tangent)}
            side = Side(lon_axis, along(inverse_lon / unit), slopes, 0.0, "longitude")
        else:
            side = Side(axes[place.name])
        sides.append(side)
    if lat.dim is not None:
        poles = _poles(lat, lat_axis, lon, lon_axis, round_, ends, ends_inverse)
    elif at_pole.any():
        raise ValueError(_refusal(lat, "a single value"))
    return Frame(tuple(sides), poles)


def _poles(
    lat: Place,
    lat_axis: Axis,
    lon: Place | None,
    lon_axis: Axis | None,
    round_: bool,
    ends: list[int],
    inverse: list[float],
) -> Poles:
    refusal, around, east = "", None, 1
    if lon_axis is not None and lon is not None and lon.coord is not None:
        around = lon.dim
        east = -1 if _increasing(lon) < 0 else 1
        if not round_:
            refusal = _refusal(lat, f"a row there, and {str(lon.name)!r} does not go evenly round")
    alone = replace(lat_axis, nodes=_lat_nodes(lat))
    return Poles(
        lat_axis, alone, around, (ends[0], ends[1]), (inverse[0], inverse[1]), east, refusal
    )


def _refusal(lat: Place, what: str) -> str:
    return (
        f"on a pole the longitudes meet and 1/cos(latitude) is infinite, but {str(lat.name)!r} "
        f"has {what}; drop it, e.g. with .sel or .isel, or a repeated last meridian"
    )


def _latitudes(lat: Place) -> tuple[Any, float]:
    """Latitudes in radians, and radians in one unit of the coordinate."""
    assert lat.coord is not None
    values = np.atleast_1d(np.asarray(lat.coord.values, dtype=np.float64))
    k = np.pi / 180 if in_degrees(lat.coord) else 1.0
    limit = np.pi / 2 / k
    wrong = np.abs(values) > limit + _rounding(lat)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"coordinate {str(lat.name)!r} has the value {values[i]:g} at index {i}; latitudes lie "
            f"between {-limit:g} and {limit:g}, so check its units"
        )
    return np.clip(values * k, -np.pi / 2, np.pi / 2), k


def _rounding(place: Place) -> float:
    """How far a coordinate may be off by the rounding of its dtype."""
    assert place.coord is not None
    values = place.coord.values
    eps = np.finfo(values.dtype).eps if values.dtype.kind == "f" else np.finfo(np.float64).eps
    return float(max(eps, np.finfo(np.float64).eps)) * float(np.abs(values).max(initial=0)) * 2


def _increasing(lon: Place) -> float:
    """Whether longitudes increase (1) or decrease (-1), a jump by a full turn left aside."""
    assert lon.coord is not None
    steps = np.sign(np.diff(np.asarray(lon.coord.values, dtype=np.float64)))
    return float(np.sign(steps.sum())) if steps.size else 1.0


def _lon_axis(lon: Place, wanted: bool | None) -> tuple[Axis, bool]:
    """The axis of longitudes, and whether they stand evenly all round the globe."""
    assert lon.coord is not None
    values, what = lon.coord.values, f"coordinate {str(lon.name)!r}"
    turn = 360.0 if in_degrees(lon.coord) else 2 * np.pi
    values = _unwrapped(values, turn)
    nodes = numeric_nodes(values, what, shown=lon.coord.values)
    n, rounding = nodes.n, _rounding(lon) * 2
    span = float(abs(np.float64(values[-1]) - np.float64(values[0]))) if n else 0.0
    if span > turn + rounding:
        raise ValueError(
            f"{what} spans {span:g}, more than a full turn of {turn:g}; "
            "drop the repeated longitudes, e.g. with .isel"
        )
    widest = float(np.abs(np.diff(values.astype(np.float64))).max()) if n > 1 else 0.0
    gap = turn - span
    # Two longitudes are no circle.
    global_ = n > 2 and rounding < gap <= widest + rounding
    if wanted is True and not global_:
        raise ValueError(
            f"{what} is asked to be periodic, but spans {span:g} in steps of up to {widest:g}, "
            f"which is not a full turn of {turn:g}; take longitudes that go round"
        )
    if global_ and wanted is not False:
        nodes = numeric_nodes(values, what, period=turn, shown=lon.coord.values)
    even = global_ and nodes.step is not None and abs(gap - widest) <= 2 * rounding
    return Axis(lon.dim, lon.name, _words(lon), "m", nodes), even


def _unwrapped(values: Any, turn: float) -> Any:
    """Longitudes without the jump by a full turn that they may have inside."""
    if len(values) < 3 or values.dtype.kind not in "iuf":
        return values
    wide = values.astype(np.float64) if values.dtype.kind != "f" else values
    steps = np.diff(wide)
    jumps = np.abs(steps) > turn / 2
    if not jumps.any() or (steps > 0).all() or (steps < 0).all():
        return values
    return np.unwrap(wide, period=turn).astype(wide.dtype)


def _lat_axis(lat: Place, wanted: bool | None, round_: bool, lon_axis: Axis | None) -> Axis:
    """The axis of latitudes, which continues across the poles if it reaches them."""
    assert lat.coord is not None
    values, what = lat.coord.values, f"coordinate {str(lat.name)!r}"
    nodes = _lat_nodes(lat)
    first, last = float(values[0]), float(values[-1])
    pole = 90.0 if in_degrees(lat.coord) else np.pi / 2
    turns = (-pole, pole) if first < last else (pole, -pole)
    rounding = _rounding(lat)
    steps = np.abs(np.diff(values.astype(np.float64))) if nodes.n > 1 else np.zeros(2)
    reaches = (
        abs(turns[0] - first) <= steps[0] + rounding
        and abs(turns[1] - last) <= steps[-1] + rounding
    )
    even = lon_axis is not None and lon_axis.nodes.n % 2 == 0
    if round_ and even and reaches and nodes.n > 2 and wanted is not False:
        nodes = folded_nodes(nodes, (first, last), turns, rounding)
    elif wanted is True:
        raise ValueError(
            f"{what} is asked to be periodic, but latitudes continue only across the poles, where "
            "they reach both and an even number of longitudes goes round; leave it out of periodic"
        )
    return Axis(lat.dim, lat.name, _words(lat), "m", nodes)


def _lat_nodes(lat: Place) -> Nodes:
    """The latitudes by themselves."""
    assert lat.coord is not None
    return numeric_nodes(lat.coord.values, f"coordinate {str(lat.name)!r}")


def _words(place: Place) -> str:
    assert place.coord is not None
    attrs = place.coord.attrs
    plain = str(attrs.get("standard_name") or place.name).replace("_", " ")
    return str(attrs.get("long_name") or plain)
