"""Tracks: a dimension along which both a latitude and a longitude lie, and the distance along it.

On a track both change from point to point, so no derivative by one of them is partial. What a track
has is the derivative along its length: by the distance over great circles on a sphere, and over
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

Floats = NDArray[np.float64]

#: What the distance is called in names of results: ``dT_ds``.
NAME = "s"
#: How many repeated positions an error lists.
LISTED = 8


class Track(NamedTuple):
    """A dimension with the latitude and the longitude along it."""

    dim: Hashable
    lat: CoordRef
    lon: CoordRef

    def axis(self, globe: Globe) -> tuple[Axis, xr.Variable | None]:
        """Return the axis by distance, and where positions are known if some are missing.

        Steps to and from missing positions have some length: nothing that is known depends on
        it, as fields are missing there.

        Raises
        ------
        ImportError
            If the distance is one on an ellipsoid and pyproj is not installed.
        ValueError
            If a position is impossible or repeated.
        """
        lat, lon = (self._angles(kind) for kind in ("latitude", "longitude"))
        known = ~(np.isnan(lat) | np.isnan(lon))
        steps = np.full(max(len(lat) - 1, 0), np.nan)
        whole = known[:-1] & known[1:]
        ends = (np.flatnonzero(whole) + at for at in (0, 1))
        steps[whole] = distances(globe, *(angle[at] for at in ends for angle in (lat, lon)))
        steps[~whole] = steps[whole].max(initial=0) or 1.0
        at = np.concatenate([np.zeros(min(len(lat), 1)), np.cumsum(steps)])
        self._check_repeated(np.flatnonzero(np.diff(at) <= 0) + 1)
        nodes = nodes_from_values(at, f"the distance along {str(self.dim)!r}")
        axis = Axis(self.dim, NAME, "distance along the track", "m", nodes)
        return axis, None if known.all() else xr.Variable((self.dim,), known)

    def _angles(self, kind: str) -> Floats:
        """Return a coordinate in degrees, checked."""
        ref = self.lat if kind == "latitude" else self.lon
        values, circle = coord_of(ref).values, full_circle(ref)
        check_angles(values, kind=kind, name=ref.name, circle=circle)
        values = values.astype(np.float64)
        degrees: Floats = values if circle == 360 else np.rad2deg(values)
        return np.clip(degrees, -90, 90) if kind == "latitude" else degrees

    def _check_repeated(self, found: NDArray[Any]) -> None:
        """Refuse steps of no length, to these indices."""
        if not len(found):
            return
        some, dim = [int(i) for i in found[:LISTED]], repr(str(self.dim))
        mend = f".drop_isel({{{dim}: {some}}})"
        where = f"index {', '.join(map(str, some))}"
        if len(found) > LISTED:
            where += f" and {len(found) - LISTED} more"
            moved = [f"(np.diff(data[{str(p.name)!r}]) != 0)" for p in (self.lat, self.lon)]
            mend = f".isel({{{dim}: np.r_[True, {' | '.join(moved)}]}})"
        raise ValueError(
            f"the track along {dim} repeats the position before at {where}; drop what is "
            f"repeated, e.g. with {mend}"
        )


def distances(globe: Globe, lat: Floats, lon: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Return the distances in metres between points in degrees.

    On a sphere the half angle has a sine and a cosine that are sums of squares, with Δ the
    differences and φ the mean latitude:

        sin² = (sin Δφ/2 cos Δλ/2)² + (cos φ sin Δλ/2)²
        cos² = (cos Δφ/2 cos Δλ/2)² + (sin φ sin Δλ/2)²

    So nothing cancels, be points close to each other, opposite, or near a pole.
    """
    if not isinstance(globe, Sphere):
        return _geodesics(globe, lat, lon, lat2, lon2)
    east = lon2 - lon
    # Across the date line the difference is large, and what it was rounded by is not.
    error = (lon2 - (east - (east - lon2))) - (lon + (east - lon2))
    east = np.deg2rad(east - 360 * np.rint(east / 360) + error) / 2
    north = np.deg2rad(lat2 - lat) / 2
    mean = (lat + lat2) / 2
    # Near a pole the small distance to it is exact in degrees.
    across = np.sin(np.deg2rad(90 - np.abs(mean))) * np.sin(east)
    sine = np.hypot(np.sin(north) * np.cos(east), across)
    cosine = np.hypot(np.cos(north) * np.cos(east), np.sin(np.deg2rad(mean)) * np.sin(east))
    found: Floats = 2 * globe.radius * np.arctan2(sine, cosine)
    return found


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
    """Return the track along a dimension that is named itself; None if there is none.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where to look for coordinates.
    place : Place
        What is named.

    Raises
    ------
    ValueError
        If one of several coordinates may be meant, or the points are stacked.
    """
    if ref.name != ref.dim or latlon_kind(ref.name, ref.coord):
        return None
    found = _pairs(obj, ref.dim)
    if not all(found.values()):
        return None
    if mend := unstack_hint(obj, ref.dim):
        raise ValueError(mend)
    for kind, refs in found.items():
        if len(refs) > 1:
            raise ValueError(
                f"several coordinates along {str(ref.dim)!r} may be its {kind}, "
                f"{quote_names(p.name for p in refs)}; drop all but one, e.g. with .drop_vars"
            )
    lat, lon = (resolve_coord(obj, found[kind][0].name) for kind in ("latitude", "longitude"))
    return Track(ref.dim, lat, lon)


def _pairs(obj: XarrayObject, dim: Hashable) -> dict[str, list[CoordRef]]:
    """Return the latitudes and the longitudes along one dimension."""
    found: dict[str, list[CoordRef]] = {"latitude": [], "longitude": []}
    for name, coord in obj.coords.variables.items():
        if coord.dims == (dim,) and (kind := latlon_kind(name, coord)):
            found[kind].append(CoordRef(dim, name, coord))
    return found


def check_arguments(ref: CoordRef, spacing: Any, period: Any) -> None:
    """Refuse what does not go with distances along a track."""
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
    """Return the axes of an operator, of which some are distances along tracks.

    Parameters
    ----------
    places : sequence of Place
        What is asked for.
    plain : mapping from name to Axis
        The axes that are no tracks.
    tracks : mapping from dimension to Track
        The tracks.
    globe : Sphere or Ellipsoid
        The model of the Earth.
    """
    grid_axes, known = [], []
    for ref in refs:
        if ref.name in tracks:
            axis, there = tracks[ref.name].axis(globe)
            known += [] if there is None else [there]
        else:
            axis = plain[ref.name]
        grid_axes.append(GridAxis(axis))
    points = cyclic_points(plain.values())
    return OrthogonalGrid(tuple(grid_axes), is_cartesian=True, cyclic=points, known=tuple(known))


def check_unset(obj: XarrayObject, refs: Sequence[CoordRef]) -> None:
    """Refuse a dimension whose positions are there, but are not known as such."""
    for ref in refs:
        unset = []
        for name, variable in _variables(obj).items():
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


def _variables(obj: XarrayObject) -> Mapping[Any, xr.Variable]:
    return obj.variables if isinstance(obj, xr.Dataset) else obj.coords.variables


def two_along(obj: XarrayObject, dim: Hashable, names: Sequence[Hashable]) -> ValueError:
    """Return the error for names that stand for axes along one dimension."""
    both = " and ".join(repr(str(name)) for name in names)
    found = f"{both} both lie along {str(dim)!r}, where neither changes alone"
    if mend := unstack_hint(obj, dim):
        return ValueError(f"{found}; {mend}")
    if not all(_pairs(obj, dim).values()):
        return ValueError(f"{found}; name one at a time, for the derivative by it along its length")
    return ValueError(f"{found}; {_mend(obj, dim)}")


def out_of_order(obj: XarrayObject, refs: Sequence[CoordRef], error: OrderError) -> ValueError:
    """Return the error for positions out of order, with the mend for what they are."""
    found = str(error).partition("; ")[0]
    for ref in refs:
        if mend := unstack_hint(obj, ref.dim):
            return ValueError(f"{found}; {mend}")
        if ref.name != ref.dim and all(_pairs(obj, ref.dim).values()):
            return ValueError(f"{found}; {_mend(obj, ref.dim)}")
    return error


def _mend(obj: XarrayObject, dim: Hashable) -> str:
    """Return what to do with a latitude and a longitude along one dimension."""
    along, swap = repr(str(dim)), ""
    if latlon_kind(dim, obj.coords.variables.get(dim)):
        along, swap = "'obs'", f".swap_dims({{{along}: 'obs'}})"
    return (
        f"a track has a derivative along its length, {swap}.grad({along}, metric='sphere'), and "
        "cells of a mesh have none before they are interpolated to a grid"
    )
