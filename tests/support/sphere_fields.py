"""Fields on the sphere whose derivatives are known in closed form.

Angles are in radians; the polynomials in the sine s and cosine c of the latitude are exact at the
poles. Beside the flows that others test by, with the limits that they set, there are polynomials of
x, y and z in space: what they do on a sphere or an ellipsoid is known at every point, for all
elements of all tensors, without a formula in latitude and longitude.
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


def _of_rows(lat):
    """Sine and cosine of latitudes along the first dimension, or of both."""
    rows = lat if np.ndim(lat) == 2 else lat[:, None]
    return np.sin(rows), np.cos(rows)


def _polynomial(p, s):
    return np.polynomial.Polynomial(p)(s), np.polynomial.Polynomial(p).deriv()(s)


def harmonic(m: int, lat, lon) -> Scalar:
    """cos^m(lat) P(sin lat) cos(m lon), the spherical harmonic of degree 5 and order m.

    Its Laplacian is -5·6 f / R². P is the m-th derivative of the Legendre polynomial of degree 5,
    up to a factor.
    """
    s, c = _of_rows(lat)
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
    s, c = _of_rows(lat)
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
    s, c = _of_rows(lat)
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


# -- polynomials in space, seen on a surface ------------------------------------------------------

#: Coefficients by the powers of x, y and z, in units of the equatorial radius.
Polynomial = dict[tuple[int, int, int], float]

#: Of all these waves round a pole that a scalar or a vector can have there, each is present.
SCALAR: Polynomial = {
    (1, 0, 0): 1.0, (0, 1, 1): 0.7, (2, 0, 0): -0.8, (0, 2, 1): 1.3, (1, 1, 0): 0.5,
    (0, 0, 3): 0.9, (1, 1, 2): -0.6, (0, 0, 1): 0.3,
}  # fmt: skip
VECTOR: tuple[Polynomial, Polynomial, Polynomial] = (
    {(0, 0, 0): 0.4, (0, 1, 0): -1.0, (1, 0, 1): 0.8, (2, 0, 0): 0.3, (0, 0, 2): 0.5},
    {(1, 0, 0): 1.0, (0, 0, 0): -0.2, (0, 1, 1): 0.9, (1, 1, 0): 0.6},
    {(1, 0, 0): 0.3, (1, 1, 0): -0.7, (0, 0, 0): 0.5, (0, 0, 1): -0.9},
)


class Surface:
    """Points of a sphere or an ellipsoid, the directions there, and the radii of curvature."""

    def __init__(self, lat, lon, a: float = RADIUS, b: float = RADIUS) -> None:
        lat, lon = np.meshgrid(lat, lon, indexing="ij")
        s, c, east = np.sin(lat), np.cos(lat), np.array([-np.sin(lon), np.cos(lon), 0 * lon])
        self.up = np.array([c * np.cos(lon), c * np.sin(lon), s])
        self.directions = east, np.array([-s * np.cos(lon), -s * np.sin(lon), c])
        w = 1 - (1 - (b / a) ** 2) * s**2
        self.radii = a / np.sqrt(w), b**2 / a / w**1.5  # across and along the meridian
        self.at = self.up * np.array([1 + 0 * s, 1 + 0 * s, (b / a) ** 2 + 0 * s]) / np.sqrt(w)
        self.a = a

    def value(self, p: Polynomial) -> np.ndarray:
        x, y, z = self.at
        return sum(c * x**i * y**j * z**k for (i, j, k), c in p.items()) + 0 * x


def _slopes(p: Polynomial) -> list[Polynomial]:
    """The derivatives by x, y and z."""
    return [
        {
            tuple(n - (d == axis) for d, n in enumerate(powers)): c * powers[axis]
            for powers, c in p.items()
            if powers[axis]
        }
        for axis in range(3)
    ]


def _dot(a, b) -> np.ndarray:
    return sum(x * y for x, y in zip(a, b, strict=True))


def scalar_in_space(surface: Surface, p: Polynomial = SCALAR):
    """A scalar on a surface, its gradient, and its Hessian, by east and north.

    The second derivatives along the surface are those in space, and the slope upwards times the
    curvature, by which the surface bends away.
    """
    slope = [surface.value(q) for q in _slopes(p)]
    bend = [[surface.value(r) for r in _slopes(q)] for q in _slopes(p)]
    gradient = [_dot(slope, e) / surface.a for e in surface.directions]
    hessian = [
        [
            _dot([_dot(row, e) for row in bend], f) / surface.a**2
            - (_dot(slope, surface.up) / surface.a / radius if e is f else 0)
            for f in surface.directions
        ]
        for e, radius in zip(surface.directions, surface.radii, strict=True)
    ]
    return surface.value(p), gradient, hessian


def vector_in_space(surface: Surface, w=VECTOR):
    """The part of a vector along a surface, and its Jacobian: component i along direction j."""
    values = [surface.value(p) for p in w]
    slopes = [[surface.value(q) for q in _slopes(p)] for p in w]
    components = [_dot(values, e) for e in surface.directions]
    jacobian = [
        [
            _dot([_dot(row, f) for row in slopes], e) / surface.a
            - (_dot(values, surface.up) / radius if e is f else 0)
            for f in surface.directions
        ]
        for e, radius in zip(surface.directions, surface.radii, strict=True)
    ]
    return components, jacobian
