"""Grids on the globe whose coordinates have two dimensions, in degrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.sphere_fields import RADIUS

NAMES = ["nav_lat", "nav_lon"]
XI, ETA = np.meshgrid(np.arange(17.0), np.arange(13.0))
#: Positions (x, y) of grids in the plane.
PLANES = {
    "skewed": (2 * XI + ETA, 0.5 * ETA - 0.25 * XI),
    "turned": (-ETA, XI),
    "polar": ((2 + XI) * np.cos(ETA / 5), (2 + XI) * np.sin(ETA / 5)),
    "wavy": (XI + 0.3 * np.sin(ETA), ETA + 0.2 * np.cos(XI)),
    "far off": (1e6 + 2 * XI + ETA, -3e6 + ETA),
}


def sample(name: str) -> Path:
    """A real file, where they are installed."""
    samples = pytest.importorskip("iris_sample_data")
    pytest.importorskip("netCDF4")
    return Path(samples.path) / name


def holed(share: float, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Some cells, at random."""
    return np.random.default_rng(seed).random(shape) < share


def stereographic(n: int, half: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Even squares in a polar stereographic projection, the North Pole between or on nodes.

    ``half`` is half the width in units of the Earth's radius.
    """
    x, y = np.meshgrid(np.linspace(-half, half, n), np.linspace(-half, half, n))
    return 90 - 2 * np.rad2deg(np.arctan(np.hypot(x, y) / 2)), np.rad2deg(np.arctan2(x, -y))


def rotated(lat, lon, pole_lat: float, pole_lon: float) -> tuple[np.ndarray, np.ndarray]:
    """True latitudes and longitudes of a grid whose North Pole is elsewhere, by rotations."""
    phi, lam = np.meshgrid(np.deg2rad(lat), np.deg2rad(lon), indexing="ij")
    x, y, z = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    s, c = np.sin(np.deg2rad(pole_lat)), np.cos(np.deg2rad(pole_lat))
    # With longitudes from that of its pole on, its axes are (-s, 0, c), (0, -1, 0) and (c, 0, s).
    x, y, z = c * z - s * x, -y, s * z + c * x
    return np.rad2deg(np.arcsin(np.clip(z, -1, 1))), np.rad2deg(np.arctan2(y, x)) + pole_lon


def tripolar(nx: int, ny: int, joint: int) -> tuple[np.ndarray, np.ndarray]:
    """Parallels and meridians to 60° north, and a cap with two poles from row ``joint`` on.

    The cap is that of Murray (1996), doi:10.1006/jcph.1996.0136, without evening out of steps: they
    change abruptly at the joint. It is folded, so that cells of the last row lie opposite to those
    on the other side of the array; its poles are on 80 E and 100 W, between the columns.
    """
    phi = np.linspace(-75, 60, joint, endpoint=False)[:, None]
    lam = np.linspace(0, 360, nx, endpoint=False) + 180 / nx
    tilt = np.deg2rad(90 - 90 * (ny - np.arange(joint, ny) - 0.5) / (ny - joint))[:, None]
    x, y = np.cos(np.deg2rad(lam)), np.sin(np.deg2rad(lam))
    along, across = x / (1 + abs(y) * np.sin(tilt)), y * np.cos(tilt) / (1 + abs(y) * np.sin(tilt))
    cap = 90 - 2 * np.rad2deg(np.arctan(np.hypot(along, across) * np.tan(np.deg2rad(15))))
    lat = np.vstack([phi + 0 * lam, cap])
    lon = np.vstack([lam + 0 * phi, np.rad2deg(np.arctan2(across, along))]) + 80
    return lat, (lon + 180) % 360 - 180


def on_globe(values, lat, lon, name="f", units="1", dims=("y", "x")) -> xr.DataArray:
    """Values with latitudes and longitudes of two dimensions."""
    coords = {
        "nav_lat": (dims, lat, {"standard_name": "latitude", "units": "degrees_north"}),
        "nav_lon": (dims, lon, {"standard_name": "longitude", "units": "degrees_east"}),
    }
    return xr.DataArray(values, coords, dims, name, {"units": units})


def on_plane(values, x, y, name="f", units="1") -> xr.DataArray:
    """Values with Cartesian coordinates of two dimensions."""
    coords = {
        "x2d": (("j", "i"), x, {"units": "m"}),
        "y2d": (("j", "i"), y, {"units": "m"}),
    }
    return xr.DataArray(values, coords, ("j", "i"), name, {"units": units})


def wave(lat, lon):
    """cos²φ sinφ cos2λ, of degree 3, and its derivatives to the east and north."""
    phi, lam = (np.deg2rad(np.asarray(a, dtype=np.float64)) for a in (lat, lon))
    s, c = np.sin(phi), np.cos(phi)
    east = -2 * c * s * np.sin(2 * lam)
    north = (c**3 - 2 * c * s**2) * np.cos(2 * lam)
    return c**2 * s * np.cos(2 * lam), east / RADIUS, north / RADIUS
