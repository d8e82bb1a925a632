"""Fields on the sphere whose derivatives are known in closed form.

Angles are in radians; the polynomials in the sine s and cosine c of the latitude are exact at the
poles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

RADIUS = 6371008.8


def grid(step: float = 1.0, *, poles: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes in degrees: centres of cells, or with rows on the poles."""
    n = round(180 / step)
    lat = np.linspace(-90, 90, n + 1) if poles else -90 + step * (np.arange(n) + 0.5)
    return lat, step * np.arange(2 * n)


def labelled(values, lat, lon, name, units) -> xr.DataArray:
    """Values on (lat, lon) with CF coordinates."""
    return xr.DataArray(
        values,
        {
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        ("lat", "lon"),
        name,
        {"units": units},
    )


@dataclass
class Scalar:
    """A scalar with its gradient, second derivatives and Laplacian."""

    f: np.ndarray
    east: np.ndarray
    north: np.ndarray
    laplacian: np.ndarray


def _polynomial(p, s):
    return np.polynomial.Polynomial(p)(s), np.polynomial.Polynomial(p).deriv()(s)


def harmonic(m: int, lat, lon) -> Scalar:
    """cos^m(lat) P(sin lat) cos(m lon), the spherical harmonic of degree 5 and order m.

    Its Laplacian is -5·6 f / R². P is the m-th derivative of the Legendre polynomial of degree 5,
    up to a factor.
    """
    s, c = np.sin(lat)[:, None], np.cos(lat)[:, None]
    legendre = np.polynomial.legendre.Legendre.basis(5).convert(kind=np.polynomial.Polynomial)
    q, dq = _polynomial(legendre.deriv(m).coef, s)
    wave, slope = np.cos(m * lon), -m * np.sin(m * lon)
    f = c**m * q * wave
    east = c ** (m - 1) * q * slope / RADIUS
    north = (-m * s * c ** (m - 1) * q + c ** (m + 1) * dq) * wave / RADIUS
    return Scalar(f, east, north, -30 * f / RADIUS**2)


@dataclass
class Flow:
    """A flow with its vorticity and divergence."""

    u: np.ndarray
    v: np.ndarray
    vorticity: np.ndarray
    divergence: np.ndarray


def rossby_haurwitz(lat, lon) -> Flow:
    """The wave 4 of test case 6 of Williamson et al. (1992), doi:10.1016/S0021-9991(05)80016-6."""
    rate, waves = 7.848e-6, 4
    s, c = np.sin(lat)[:, None], np.cos(lat)[:, None]
    shape = c ** (waves - 1)
    u = RADIUS * rate * (c + shape * (waves * s**2 - c**2) * np.cos(waves * lon))
    v = -RADIUS * rate * waves * shape * s * np.sin(waves * lon)
    vorticity = 2 * rate * s - rate * s * c**waves * (waves**2 + 3 * waves + 2) * np.cos(
        waves * lon
    )
    return Flow(u, v, vorticity, 0 * u)


def tilted_rotation(lat, lon) -> Flow:
    """Rigid rotation about an axis in the equator: test case 2 with the angle of 90 degrees."""
    speed = 20.0
    s, c = np.sin(lat)[:, None], np.cos(lat)[:, None]
    u, v = speed * s * np.cos(lon), -speed * np.sin(lon) + 0 * s
    return Flow(u, v, -2 * speed / RADIUS * c * np.cos(lon), 0 * u)


def potential(m: int, lat, lon) -> Flow:
    """The gradient of a spherical harmonic, which flows across the poles if m is 1."""
    scalar = harmonic(m, lat, lon)
    return Flow(scalar.east, scalar.north, 0 * scalar.f, scalar.laplacian)


def stirred(m: int, lat, lon) -> Flow:
    """The gradient turned by a right angle: free of divergence."""
    scalar = harmonic(m, lat, lon)
    return Flow(-scalar.north, scalar.east, scalar.laplacian, 0 * scalar.f)
