"""Fields on map projections: a wind that rotates with the Earth, by formulas of each projection."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr

from ..support.cf_mappings import FIGURES, attributes

pyproj = pytest.importorskip("pyproj")

__all__ = ["CONFORMAL", "RADIUS", "angle_of_x", "projected", "solid_rotation"]

RADIUS = FIGURES["sphere"]["earth_radius"]
CONFORMAL = ["lambert_conformal_conic", "polar_stereographic", "mercator",
             "rotated_latitude_longitude"]  # fmt: skip


def projected(name, n, size=2.5e6, figure="sphere", **attrs):
    """A field on a grid of n points each way: latitude, longitude and x, y in metres."""
    crs, proj = _projection(name, figure, tuple(attrs.items()))
    x0, y0 = proj(12.0, 48.0)
    s, names = 1.0, ("x", "y")
    if crs.is_geographic:  # PROJ has rotated angles in radians
        s, names, size = 180 / np.pi, ("rlon", "rlat"), size / RADIUS
    x, y = (s * (v + np.linspace(-size / 2, size / 2, n)) for v in (x0, y0))
    lon, lat = proj(*np.meshgrid(x / s, y / s), inverse=True)
    units = {"units": "degrees"} if crs.is_geographic else {"units": "m"}
    coords = {names[1]: (names[1], y, units), names[0]: (names[0], x, units)}
    return crs, xr.DataArray(np.zeros((n, n)), coords, names[::-1], "f"), np.deg2rad([lon, lat])


@cache
def _projection(name, figure, attrs):
    """The projection of a grid mapping; pyproj takes a hundredth of a second for one."""
    crs = pyproj.CRS.from_cf({**attributes(name, figure), **dict(attrs)})
    return crs, pyproj.Proj(crs)


def angle_of_x(name, lon, lat):
    """The angle from east to the direction of x, by the formula of each projection."""
    lon0 = np.deg2rad(10.0)
    if name == "mercator":
        return 0 * lon
    if name == "polar_stereographic":
        return lon0 - lon
    if name == "lambert_conformal_conic":
        a, b = (np.tan(np.pi / 4 + np.deg2rad(p) / 2) for p in (20.0, 60.0))
        n = np.log(np.cos(np.deg2rad(20)) / np.cos(np.deg2rad(60))) / np.log(b / a)
        return n * (lon0 - lon)
    assert name == "rotated_latitude_longitude"
    pole_lon, pole_lat = np.deg2rad(-162.0), np.deg2rad(39.25)
    # North of the rotated grid is the direction of its pole: the azimuth of a great circle.
    d = pole_lon - lon
    azimuth = np.arctan2(
        np.sin(d) * np.cos(pole_lat),
        np.cos(lat) * np.sin(pole_lat) - np.sin(lat) * np.cos(pole_lat) * np.cos(d),
    )
    return -azimuth


def solid_rotation(name, n):
    """A wind round the axis of the Earth along the grid, and its vorticity."""
    crs, f, (lon, lat) = projected(name, n)
    angle, speed = angle_of_x(name, lon, lat), 20 * np.cos(lat)
    u, v = (
        f.copy(data=a).rename(c).assign_attrs(units="m s-1")
        for a, c in ((speed * np.cos(angle), "u"), (-speed * np.sin(angle), "v"))
    )
    return crs, {f.dims[1]: u, f.dims[0]: v}, f.copy(data=40 * np.sin(lat) / RADIUS)
