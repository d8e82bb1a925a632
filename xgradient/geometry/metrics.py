"""Models of the Earth, by which latitudes and longitudes have lengths.

A new model is a subclass of `Globe` here, and a row of `METRICS` in ``named_metrics`` if calls can
give its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..labels.hints import close_name
from .scale_factors import to_length

Floats = NDArray[np.float64]

#: Mean radius of the Earth in metres, (2 a + b) / 3, by the IUGG (doi:10.1007/s001900050278).
MEAN_RADIUS = 6371008.8
#: Equatorial and polar semi-axes in metres of ellipsoids that have a name.
ELLIPSOIDS = {
    "WGS84": (6378137.0, 6378137.0 * (1 - 1 / 298.257223563)),
    "GRS80": (6378137.0, 6378137.0 * (1 - 1 / 298.257222101)),
}


class LatLonScales(NamedTuple):
    """Scale factors of latitude and longitude, and how they change with latitude.

    Attributes
    ----------
    lat, lon : ndarray
        The scale factors of latitude and of longitude, in metres per radian.
    dlog_lat, dlog_lon : ndarray
        Derivatives of their logarithms by latitude, per radian.
    """

    lat: Floats
    lon: Floats
    dlog_lat: Floats
    dlog_lon: Floats


class Globe(ABC):
    """A model of the Earth: the metric of latitudes and longitudes."""

    @property
    @abstractmethod
    def semi_axes(self) -> tuple[float, float]:
        """Equatorial and polar semi-axis in metres."""

    @abstractmethod
    def scale_factors(self, lat: Floats) -> LatLonScales:
        """Return the scale factors at latitudes in radians."""

    def cartesian(self, lat: Any, lon: Any) -> list[Any]:
        """Return positions and unit vectors at latitudes and longitudes in radians.

        Returns
        -------
        list of array
            The three Cartesian coordinates in metres; two components of the unit vector to the
            east, whose third is zero; three components of the unit vector to the north.
        """
        a, b = self.semi_axes
        c, s, p, q = np.cos(lat), np.sin(lat), np.cos(lon), np.sin(lon)
        n = a / np.sqrt(1 - (1 - (b / a) ** 2) * s * s)
        return [n * c * p, n * c * q, (b / a) ** 2 * n * s, -q, p, -s * p, -s * q, c]


@dataclass(frozen=True)
class Sphere(Globe):
    r"""Measure lengths along longitude and latitude on a sphere.

    The scale factors, in metres per radian, are :math:`h_\lambda = R \cos\varphi` and
    :math:`h_\varphi = R`.

    Parameters
    ----------
    radius : float, default: 6371008.8
        The radius in metres; by default the mean radius of the Earth [1]_.

    Raises
    ------
    ValueError
        If the radius is not a positive number.

    References
    ----------
    .. [1] Moritz, H. (2000): Geodetic Reference System 1980. Journal of Geodesy 74, 128-133,
       doi:10.1007/s001900050278

    Examples
    --------
    >>> from xgradient import Sphere
    >>> Sphere()
    Sphere(radius=6371008.8)
    """

    radius: float = MEAN_RADIUS

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", to_length(self.radius, "the radius of a Sphere"))

    @property
    def semi_axes(self) -> tuple[float, float]:
        """Equatorial and polar semi-axis in metres, both the radius."""
        return self.radius, self.radius

    def scale_factors(self, lat: Floats) -> LatLonScales:
        """Return the scale factors at latitudes in radians, R and R cos φ."""
        radius, zero = np.full_like(lat, self.radius), np.zeros_like(lat)
        return LatLonScales(radius, radius * np.cos(lat), zero, -np.tan(lat))


@dataclass(frozen=True, init=False)
class Ellipsoid(Globe):
    r"""Measure lengths along longitude and geodetic latitude on an ellipsoid of revolution.

    The scale factors, in metres per radian, are :math:`h_\lambda = N \cos\varphi` and
    :math:`h_\varphi = M` with the radii of curvature [1]_

    .. math::

        N = \frac{a}{(1 - e^2 \sin^2\varphi)^{1/2}}, \qquad
        M = \frac{a (1 - e^2)}{(1 - e^2 \sin^2\varphi)^{3/2}}, \qquad
        e^2 = 1 - b^2 / a^2 .

    Parameters
    ----------
    a : str or float, default: "WGS84"
        The name of an ellipsoid, WGS84 or GRS80, or the equatorial semi-axis in metres.
    b : float, optional
        The polar semi-axis in metres.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown or a semi-axis is not a positive number.

    References
    ----------
    .. [1] Snyder, J. P. (1987): Map projections - a working manual. USGS Professional Paper
       1395, equations 4-18 and 4-20, doi:10.3133/pp1395

    Examples
    --------
    >>> from xgradient import Ellipsoid
    >>> Ellipsoid("WGS84")
    Ellipsoid(a=6378137.0, b=6356752.314245179)
    """

    a: float
    b: float

    def __init__(self, a: str | float = "WGS84", b: float | None = None) -> None:
        if isinstance(a, str):
            if a not in ELLIPSOIDS or b is not None:
                raise ValueError(
                    f"no ellipsoid is named {a!r}{close_name(a, ELLIPSOIDS)}; "
                    f"give {' or '.join(ELLIPSOIDS)}, "
                    "or two semi-axes in metres"
                    if a not in ELLIPSOIDS
                    else f"Ellipsoid({a!r}, {b!r}) has a name and a semi-axis; give one of them"
                )
            a, b = ELLIPSOIDS[a]
        if b is None:
            raise TypeError(f"Ellipsoid({a!r}) has one semi-axis; give the polar one too")
        object.__setattr__(self, "a", to_length(a, "semi-axis a of an Ellipsoid"))
        object.__setattr__(self, "b", to_length(b, "semi-axis b of an Ellipsoid"))

    @property
    def semi_axes(self) -> tuple[float, float]:
        """Equatorial and polar semi-axis in metres."""
        return self.a, self.b

    def scale_factors(self, lat: Floats) -> LatLonScales:
        """Return the scale factors at latitudes in radians, M and N cos φ."""
        e2 = 1 - (self.b / self.a) ** 2
        w = 1 - e2 * np.sin(lat) ** 2
        m, n = self.a * (1 - e2) / w**1.5, self.a / np.sqrt(w)
        dm = 3 * e2 * np.sin(lat) * np.cos(lat) * m / w
        return LatLonScales(m, n * np.cos(lat), dm / m, -m / n * np.tan(lat))
