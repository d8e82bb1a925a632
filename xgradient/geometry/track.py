"""Tracks: dimensions with both a latitude and a longitude, and the distance along them.

On a track both coordinates change from point to point, so no derivative by one of them is partial.
A track has a derivative by the distance along it: over great circles on a sphere, and over
geodesics on an ellipsoid.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.angles import check_units, latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, resolve_coord
from ..labels.hints import quote_names, unstack_hint
from ..stencils.nodes import nodes_from_values
from ..stencils.positions import OrderError
from .angles import check_angles, coord_of, full_circle
from .cyclic import cyclic_points
from .grid_axis import GridAxis
from .metrics import Globe, Sphere
from .orthogonal import OrthogonalGrid
from .scale_factors import all_variables

Floats = NDArray[np.float64]

#: Name of the distance in names of results: ``dT_ds``.
NAME = "s"
#: Most repeated positions that an error message lists.
MAX_LISTED = 8


class Track(NamedTuple):
    """A dimension with the latitude and the longitude along it."""

    dim: Hashable
    lat: CoordRef
    lon: CoordRef

    def axis(self, globe: Globe) -> tuple[Axis, xr.Variable | None]:
        """Return the axis by distance, and the known positions if some are missing.

        Steps to and from missing positions get any length. Fields are missing there, so no valid
        result depends on it.

        Raises
        ------
        ImportError
            If the globe is an ellipsoid and pyproj is not installed.
        ValueError
            If a position is impossible or repeats the one before.
        """
        lat, lon = (self._angles(kind) for kind in ("latitude", "longitude"))
        known = ~(np.isnan(lat) | np.isnan(lon))
        steps = np.full(max(len(lat) - 1, 0), np.nan)
        valid = known[:-1] & known[1:]
        ends = (np.flatnonzero(valid) + offset for offset in (0, 1))
        steps[valid] = distances(globe, *(angle[end] for end in ends for angle in (lat, lon)))
        steps[~valid] = steps[valid].max(initial=0) or 1.0
        positions = np.concatenate([np.zeros(min(len(lat), 1)), np.cumsum(steps)])
        self._check_repeated(np.flatnonzero(np.diff(positions) <= 0) + 1)
        nodes = nodes_from_values(positions, f"the distance along {str(self.dim)!r}")
        axis = Axis(self.dim, NAME, "distance along the track", "m", nodes)
        return axis, None if known.all() else xr.Variable((self.dim,), known)

    def _angles(self, kind: str) -> Floats:
        """Return the latitude or the longitude in degrees, and refuse impossible values."""
        ref = self.lat if kind == "latitude" else self.lon
        values, circle = coord_of(ref).values, full_circle(ref)
        check_angles(values, kind=kind, name=ref.name, circle=circle)
        values = values.astype(np.float64)
        degrees: Floats = values if circle == 360 else np.rad2deg(values)
        return np.clip(degrees, -90, 90) if kind == "latitude" else degrees

    def _check_repeated(self, repeated: NDArray[Any]) -> None:
        """Refuse positions that repeat the one before, given their indices."""
        if not len(repeated):
            return
        listed, dim = [int(i) for i in repeated[:MAX_LISTED]], repr(str(self.dim))
        mend = f".drop_isel({{{dim}: {listed}}})"
        indices = f"index {', '.join(map(str, listed))}"
        if len(repeated) > MAX_LISTED:
            indices += f" and {len(repeated) - MAX_LISTED} more"
            moved = [f"(np.diff(data[{str(ref.name)!r}]) != 0)" for ref in (self.lat, self.lon)]
            mend = f".isel({{{dim}: np.r_[True, {' | '.join(moved)}]}})"
        raise ValueError(
            f"the track along {dim} repeats the position before at {indices}; drop what is "
            f"repeated, e.g. with {mend}"
        )


def distances(globe: Globe, lat: Floats, lon: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Return the distances in metres between points in degrees.

    On a sphere, sine and cosine of half the angle are roots of sums of squares. Δ are differences
    and φ is the mean latitude:

        sin² = (sin Δφ/2 cos Δλ/2)² + (cos φ sin Δλ/2)²
        cos² = (cos Δφ/2 cos Δλ/2)² + (sin φ sin Δλ/2)²

    No digits cancel, even if points are close to each other, opposite, or near a pole.
    """
    if not isinstance(globe, Sphere):
        return _geodesics(globe, lat, lon, lat2, lon2)
    east = lon2 - lon
    # Across the date line the difference is large; its rounding error is added back.
    error = (lon2 - (east - (east - lon2))) - (lon + (east - lon2))
    east = np.deg2rad(east - 360 * np.rint(east / 360) + error) / 2
    north = np.deg2rad(lat2 - lat) / 2
    mean = (lat + lat2) / 2
    # Near a pole, the small distance to the pole is exact in degrees.
    across = np.sin(np.deg2rad(90 - np.abs(mean))) * np.sin(east)
    sine = np.hypot(np.sin(north) * np.cos(east), across)
    cosine = np.hypot(np.cos(north) * np.cos(east), np.sin(np.deg2rad(mean)) * np.sin(east))
    lengths: Floats = 2 * globe.radius * np.arctan2(sine, cosine)
    return lengths


def _geodesics(globe: Globe, lat: Floats, lon: Floats, lat2: Floats, lon2: Floats) -> Floats:
    try:
        from pyproj import Geod
    except ImportError:
        raise ImportError(
            "distances along a track on an ellipsoid need pyproj; install it with: "
            'pip install "xgradient[geodesic]", or give metric="sphere"'
        ) from None
    a, b = globe.semi_axes
    *_, lengths = Geod(a=a, b=b).inv(lon, lat, lon2, lat2)
    return np.asarray(lengths, dtype=np.float64)


def find_track(obj: XarrayObject, ref: CoordRef) -> Track | None:
    """Return the track along a dimension that a call names; None if there is none.

    Parameters
    ----------
    obj : DataArray or Dataset
        Coordinates are looked up here.
    ref : CoordRef
        The dimension, or a coordinate, that the call names.

    Raises
    ------
    ValueError
        If the dimension has several latitudes or longitudes, or is a stack of others.
    """
    if ref.name != ref.dim or latlon_kind(ref.name, ref.coord):
        return None
    coords = _latlon_along(obj, ref.dim)
    if not all(coords.values()):
        return None
    if mend := unstack_hint(obj, ref.dim):
        raise ValueError(mend)
    for kind, refs in coords.items():
        if len(refs) > 1:
            raise ValueError(
                f"several coordinates along {str(ref.dim)!r} may be its {kind}, "
                f"{quote_names(r.name for r in refs)}; drop all but one, e.g. with .drop_vars"
            )
    lat, lon = (resolve_coord(obj, coords[kind][0].name) for kind in ("latitude", "longitude"))
    return Track(ref.dim, lat, lon)


def _latlon_along(obj: XarrayObject, dim: Hashable) -> dict[str, list[CoordRef]]:
    """Return the latitudes and the longitudes along one dimension, by kind."""
    refs: dict[str, list[CoordRef]] = {"latitude": [], "longitude": []}
    for name, coord in obj.coords.variables.items():
        if coord.dims == (dim,) and (kind := latlon_kind(name, coord)):
            refs[kind].append(CoordRef(dim, name, coord))
    return refs


def check_arguments(ref: CoordRef, spacing: Any, period: Any) -> None:
    """Refuse a spacing or a period of a track."""
    for argument, value in (("spacing", spacing), ("periodic", period)):
        if value is not None and value is not False:
            raise ValueError(
                f"{argument} of {str(ref.name)!r} is given together with a metric, by which "
                "this is the distance along a track with two ends; leave one of them out"
            )


def along_tracks(
    refs: Sequence[CoordRef],
    plain: Mapping[Hashable, Axis],
    tracks: Mapping[Hashable, Track],
    globe: Globe,
) -> OrthogonalGrid:
    """Return the grid of a call in which some axes are distances along tracks.

    Parameters
    ----------
    refs : sequence of CoordRef
        The coordinates that the call names.
    plain : mapping from name to Axis
        The axes that are not tracks.
    tracks : mapping from dimension to Track
        The tracks.
    globe : Globe
        The model of the Earth.
    """
    grid_axes, known = [], []
    for ref in refs:
        if ref.name in tracks:
            axis, known_positions = tracks[ref.name].axis(globe)
            known += [] if known_positions is None else [known_positions]
        else:
            axis = plain[ref.name]
        grid_axes.append(GridAxis(axis))
    points = cyclic_points(plain.values())
    return OrthogonalGrid(tuple(grid_axes), is_cartesian=True, cyclic=points, known=tuple(known))


def check_unset(obj: XarrayObject, refs: Sequence[CoordRef]) -> None:
    """Refuse a dimension whose latitude or longitude is a variable and not a coordinate."""
    for ref in refs:
        unset = []
        for name, variable in all_variables(obj).items():
            if variable.dims == ref.dims:
                check_units(name, variable)
                if name not in obj.coords and latlon_kind(name, variable):
                    unset.append(str(name))
        if unset:
            raise ValueError(
                f"{', '.join(map(repr, unset))} along {str(ref.dim)!r} "
                f"{'is a variable' if len(unset) == 1 else 'are variables'} and not yet "
                f"{'a coordinate' if len(unset) == 1 else 'coordinates'}; call "
                f".set_coords({unset}) first"
            )


def two_along(obj: XarrayObject, dim: Hashable, names: Sequence[Hashable]) -> ValueError:
    """Return the error for two names of coordinates along one dimension."""
    both = " and ".join(repr(str(name)) for name in names)
    problem = f"{both} both lie along {str(dim)!r}, where neither changes alone"
    if mend := unstack_hint(obj, dim):
        return ValueError(f"{problem}; {mend}")
    if not all(_latlon_along(obj, dim).values()):
        return ValueError(
            f"{problem}; name one at a time, for the derivative by it along its length"
        )
    return ValueError(f"{problem}; {_latlon_hint(obj, dim)}")


def out_of_order(obj: XarrayObject, refs: Sequence[CoordRef], error: OrderError) -> ValueError:
    """Return the error for positions out of order, with advice for tracks and for stacks."""
    problem = str(error).partition("; ")[0]
    for ref in refs:
        if mend := unstack_hint(obj, ref.dim):
            return ValueError(f"{problem}; {mend}")
        if ref.name != ref.dim and all(_latlon_along(obj, ref.dim).values()):
            return ValueError(f"{problem}; {_latlon_hint(obj, ref.dim)}")
    return error


def _latlon_hint(obj: XarrayObject, dim: Hashable) -> str:
    """Return advice for a latitude and a longitude along one dimension."""
    along, swap = repr(str(dim)), ""
    if latlon_kind(dim, obj.coords.variables.get(dim)):
        along, swap = "'obs'", f".swap_dims({{{along}: 'obs'}})"
    return (
        f"a track has a derivative along its length, {swap}.grad({along}, metric='sphere'), and "
        "cells of a mesh have none before they are interpolated to a grid"
    )
