"""Grids of latitudes and longitudes along one dimension each, with their scale factors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import check_units, latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, find_latlon
from ..labels.hints import quote_names
from .angles import check_angles, coord_of, full_circle, radians_per_unit, rounding
from .cyclic import cyclic_points
from .grid import PolarClosure
from .grid_axis import GridAxis
from .latlon_axes import (
    is_increasing,
    lat_nodes,
    make_lat_axis,
    make_lon_axis,
    requested_closure,
    snap_latitudes,
    snap_longitudes,
    without_cyclic_point,
)
from .metrics import Globe
from .orthogonal import OrthogonalGrid
from .track import check_unset


def latlon_grid(
    obj: XarrayObject,
    globe: Globe,
    refs: list[CoordRef],
    axes: Mapping[Hashable, Axis],
    periodic_of: Callable[[CoordRef], Any],
) -> OrthogonalGrid:
    """Return the grid of axes of which some are latitudes and longitudes.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data; their latitude is used even if the call does not name it.
    globe : Globe
        The model of the Earth.
    refs : list of CoordRef
        The coordinates that the call names.
    axes : mapping from name to Axis
        The axes of all other coordinates of the call.
    periodic_of : callable
        Returns the option ``periodic`` of a coordinate: a bool, a period, or None if not given.

    Raises
    ------
    ValueError
        If no coordinate is a latitude or longitude, two are of one kind, or values do not fit.
    """
    lat, lon = _find_lat_and_lon(obj, globe, refs)
    latitudes = np.atleast_1d(coord_of(lat).values).astype(np.float64)
    check_angles(latitudes, kind="latitude", name=lat.name, circle=full_circle(lat))
    closed, point = None, None
    if lon is not None:
        closed = requested_closure(lon, periodic_of(lon))
        if closed is not False and lat.dim != lon.dim:
            lon, point = without_cyclic_point(lon)
    points = cyclic_points(axes.values(), point)
    lat = snap_latitudes(lat)
    lon_axis, is_global, continues = None, False, False
    if lon is not None:
        lon = snap_longitudes(lon)
        lon_axis, is_global = make_lon_axis(lon, closed, point is not None)
        continues = is_global and closed is not False
    scales = _scale_factors_at(globe, lat)
    grid_axes: dict[Hashable, GridAxis] = {}
    poles = None
    if lat.dim is not None:
        n_lon = lon_axis.nodes.n if continues and lon_axis is not None else 0
        lat_axis = make_lat_axis(lat, requested_closure(lat, periodic_of(lat)), n_lon)
        dlog = {lat.dim: scales.dlog_lat}
        grid_axes[lat.name] = GridAxis(lat_axis, scales.lat, dlog, scales.dlog_lon, "latitude")
        poles = _polar_closure(lat, lat_axis, lon, is_global, scales)
    if lon is not None and lon_axis is not None:
        dlog = {} if lat.dim is None else {lat.dim: scales.dlog_lon}
        inverse_scale = scales.lon * (full_circle(lon) / (2 * np.pi))
        grid_axes[lon.name] = GridAxis(lon_axis, inverse_scale, dlog, 0.0, "longitude")
    named = tuple(grid_axes.get(ref.name) or GridAxis(axes[ref.name]) for ref in refs)
    return OrthogonalGrid(named, polar_closure=poles, cyclic=points)


def _find_lat_and_lon(
    obj: XarrayObject, globe: Globe, refs: list[CoordRef]
) -> tuple[CoordRef, CoordRef | None]:
    """Return the latitude, and the longitude if it lies along a dimension."""
    kinds = {ref.name: latlon_kind(ref.name, ref.coord) for ref in refs}
    named = {kind: ref for ref in refs if (kind := kinds[ref.name]) is not None}
    if not named:
        check_unset(obj, refs)
        raise _neither_error(obj, globe, refs)
    if len(named) < sum(kind is not None for kind in kinds.values()):
        raise ValueError(
            f"{' and '.join(repr(str(n)) for n, k in kinds.items() if k)} are of one kind; "
            "name one latitude and one longitude"
        )
    lat = named.get("latitude") or find_latlon(obj, "latitude")
    lon = named.get("longitude") or find_latlon(obj, "longitude")
    if lat is None:
        assert lon is not None
        for name, coord in obj.coords.variables.items():
            check_units(name, coord)
        raise ValueError(
            f"the metric along {str(lon.name)!r} depends on the latitude, but the data have no "
            "coordinate that is one; add it, e.g. with .assign_coords(lat=...)"
        )
    return lat, None if lon is None or lon.dim is None else lon


def _neither_error(obj: XarrayObject, globe: Globe, refs: list[CoordRef]) -> ValueError:
    """Return the error for names of which none is a latitude or longitude."""
    names = ", ".join(repr(str(ref.name)) for ref in refs)
    coords = obj.coords.variables.items()
    two_dim = [name for name, c in coords if c.ndim == 2 and latlon_kind(name, c)]
    mend = (
        f"name {quote_names(two_dim)}, or leave out metric"
        if two_dim
        else "leave out metric or set units such as 'degrees_north'"
    )
    return ValueError(
        f"metric={type(globe).__name__} is for latitudes and longitudes, but {names} is "
        f"neither by its units, standard_name or name; {mend}"
    )


class _InverseScales(NamedTuple):
    """Scale factors along the latitudes of a grid, inverted; infinite values on a pole are 0.

    Attributes
    ----------
    lat : Variable
        1/h of the latitude, per unit of the coordinate.
    lon : Variable
        1/h of the longitude, per radian.
    dlog_lat, dlog_lon : Variable
        ∂ ln h of both by the latitude.
    pole_signs : tuple of int
        Sine of the first and of the last latitude if it is a pole, else 0.
    at_ends : tuple of float
        1/h of the first and of the last latitude; 0 if no latitude is a pole.
    """

    lat: xr.Variable
    lon: xr.Variable
    dlog_lat: xr.Variable
    dlog_lon: xr.Variable
    pole_signs: tuple[int, int]
    at_ends: tuple[float, float]


def _scale_factors_at(globe: Globe, lat: CoordRef) -> _InverseScales:
    k = radians_per_unit(lat)
    values = np.atleast_1d(np.asarray(coord_of(lat).values, dtype=np.float64))
    angles = np.clip(values * k, -np.pi / 2, np.pi / 2)
    scales = globe.scale_factors(angles)
    at_pole = np.abs(np.abs(angles) - np.pi / 2) <= 1e-12 + rounding(lat) * k
    if lat.dim is None and at_pole.any():
        raise ValueError(
            f"on a pole the longitudes meet and 1/cos(latitude) is infinite, and {str(lat.name)!r} "
            "is a single value there; take another parallel"
        )
    with np.errstate(divide="ignore"):
        inverse_lon = np.where(at_pole, 0.0, 1 / scales.lon)
    inverse_lat = 1 / (scales.lat * k)
    dlog_lat, dlog_lon = scales.dlog_lat * k, np.where(at_pole, 0.0, scales.dlog_lon) * k
    lat_scale, lon_scale, lat_dlog, lon_dlog = (
        xr.Variable((), v[0]) if lat.dim is None else xr.Variable((lat.dim,), v)
        for v in (inverse_lat, inverse_lon, dlog_lat, dlog_lon)
    )
    signs, at_ends = (0, 0), (0.0, 0.0)
    if at_pole.any():
        sines = np.where(at_pole, np.sign(angles), 0)
        signs = int(sines[0]), int(sines[-1])
        at_ends = float(inverse_lat[0]), float(inverse_lat[-1])
    return _InverseScales(lat_scale, lon_scale, lat_dlog, lon_dlog, signs, at_ends)


def _polar_closure(
    lat: CoordRef, lat_axis: Axis, lon: CoordRef | None, is_global: bool, scales: _InverseScales
) -> PolarClosure:
    refusal, lon_dim, lon_direction = "", None, 1
    if lon is not None:
        lon_dim, lon_direction = lon.dim, 1 if is_increasing(lon) else -1
        if not is_global:
            refusal = (
                "on a pole the longitudes meet and 1/cos(latitude) is infinite, but "
                f"{str(lat.name)!r} has a row there, and {str(lon.name)!r} does not go evenly "
                "round; drop it, e.g. with .sel or .isel, or a repeated last meridian"
            )
    return PolarClosure(
        lat=lat_axis,
        lat_without_lon=lat_axis._replace(nodes=lat_nodes(lat)),
        lon_dim=lon_dim,
        pole_signs=scales.pole_signs,
        inverse_scale=scales.at_ends,
        lon_direction=lon_direction,
        refusal=refusal,
    )
