"""Models of the Earth and other metrics: how many metres one unit of a coordinate is.

Only this module knows spheres.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from .._wording import short_repr
from ..labels.hints import close_name
from ..stencils.tolerance import format_distinct, position_tolerance
from .scale_factors import ScaleFactors, _read_scale_factors, all_variables, to_length

Floats = NDArray[np.float64]

#: Mean radius of the Earth in metres, (2 a + b) / 3, by the IUGG (doi:10.1007/s001900050278).
MEAN_RADIUS = 6371008.8
#: How many turns a longitude may be away from zero, which numbers for missing values are beyond.
MAX_TURNS = 10
#: Semi-axes in metres of ellipsoids in use: equatorial and polar.
ELLIPSOIDS = {
    "WGS84": (6378137.0, 6378137.0 * (1 - 1 / 298.257223563)),
    "GRS80": (6378137.0, 6378137.0 * (1 - 1 / 298.257222101)),
}


@dataclass(frozen=True)
class Sphere:
    r"""A spherical Earth: the metric of longitude and latitude on a sphere.

    The scale factors, in metres per radian, are :math:`h_\lambda = R \cos\varphi` and
    :math:`h_\varphi = R`.

    Parameters
    ----------
    radius : float, default: 6371008.8
        In metres; by default the mean radius of the Earth [1]_.

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


@dataclass(frozen=True, init=False)
class Ellipsoid:
    r"""An ellipsoid of revolution, with geodetic latitudes.

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


#: Metrics of longitude and latitude.
Globe = Sphere | Ellipsoid


def curvature_radii(globe: Globe, lat: Floats) -> tuple[Floats, Floats, Floats]:
    """Radii of curvature at latitudes in radians, in metres.

    Returns
    -------
    tuple of ndarray
        Along the meridian, its derivative by latitude, and across the meridian.
    """
    if isinstance(globe, Sphere):
        radius = np.full_like(lat, globe.radius)
        return radius, np.zeros_like(lat), radius
    e2 = 1 - (globe.b / globe.a) ** 2
    w = 1 - e2 * np.sin(lat) ** 2
    along = globe.a * (1 - e2) / w**1.5
    return along, 3 * e2 * np.sin(lat) * np.cos(lat) * along / w, globe.a / np.sqrt(w)


def check_angles(
    values: Any,
    first: tuple[int, ...] = (),
    *,
    kind: str,
    name: Hashable,
    turn: float,
    n: int = 0,
) -> None:
    """Refuse latitudes beyond the poles, and longitudes that are numbers for missing ones.

    Parameters
    ----------
    values : array
        The coordinate or a chunk of it, of any dimensions.
    first : tuple of int
        The index of its first value.
    kind : str
        "latitude" or "longitude".
    name : hashable
        The coordinate.
    turn : float
        A full turn in its units.
    n : int
        The number of values along an axis, of which these are a chunk.
    """
    limit = turn / 4 if kind == "latitude" else MAX_TURNS * turn
    wrong = abs(values) > limit
    if wrong.any():
        values = xr.Variable(range(values.ndim), values).to_numpy()  # they may be on a GPU
        wrong = abs(values) > limit + position_tolerance(values, n, turn / 2)
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), wrong.shape)
        index = [int(i) + start for i, start in zip(at, first or (0,) * len(at), strict=True)]
        ref = str(index[0]) if len(index) == 1 else f"({', '.join(map(str, index))})"
        value = float(values[at])
        there, end = format_distinct(value, float(np.copysign(limit, value)))
        end = end.lstrip("-")
        raise ValueError(
            f"coordinate {str(name)!r} has the value {there} at index {ref}; "
            f"{kind}s lie between -{end} and {end}, so "
            f"{'check its units' if kind == 'latitude' else 'mask it, e.g. with .where'}"
        )


def cartesian_positions(globe: Globe, lat: Any, lon: Any) -> list[Any]:
    """Points at latitudes and longitudes in radians, and what points east and north there.

    Returns
    -------
    list of array
        The Cartesian coordinates in metres, the first two components of the unit vector to the
        east, whose third is zero, and the three of that to the north.
    """
    a, b = (globe.radius,) * 2 if isinstance(globe, Sphere) else (globe.a, globe.b)
    c, s, p, q = np.cos(lat), np.sin(lat), np.cos(lon), np.sin(lon)
    n = a / np.sqrt(1 - (1 - (b / a) ** 2) * s * s)
    return [n * c * p, n * c * q, (b / a) ** 2 * n * s, -q, p, -s * p, -s * q, c]


Metric = Sphere | Ellipsoid | ScaleFactors


def resolve_metric(
    metric: Any, obj: XarrayObject, fields: Iterable[xr.DataArray] | None = None
) -> Metric | None:
    """The metric that an argument stands for.

    Parameters
    ----------
    metric : None, str, Sphere, Ellipsoid or mapping
        "sphere" has the radius of the data's grid mapping, if they carry one; a mapping has for
        each dimension its scale factor, as a number, a DataArray, or the name of a variable.
    obj : DataArray or Dataset
        Where names and the grid mapping are looked up.
    fields : list of DataArray, optional
        Whose grid mapping counts; by default that of all variables.

    Raises
    ------
    TypeError, ValueError
        If there is no such metric, or a scale factor is no positive number or does not fit.
    """
    if metric is None or isinstance(metric, Sphere | Ellipsoid | ScaleFactors):
        return metric
    if isinstance(metric, Mapping):
        return _read_scale_factors(metric, obj)
    if metric == "sphere":
        return Sphere(_grid_mapping_radius(obj, fields))
    if metric == "ellipsoid":
        return Ellipsoid("WGS84")
    if isinstance(metric, str):
        close = close_name(metric, ["sphere", "ellipsoid"])
        raise ValueError(
            f"metric is {short_repr(metric)}{close}; give 'sphere', 'ellipsoid', a Sphere or "
            "Ellipsoid, or a mapping from dimension to scale factor"
        )
    raise TypeError(
        f"metric is of type {type(metric).__name__}; give 'sphere', 'ellipsoid', a Sphere or "
        "Ellipsoid, or a mapping from dimension to scale factor"
    )


def _grid_mapping_radius(obj: XarrayObject, fields: Iterable[xr.DataArray] | None) -> float:
    """The radius of the CF grid mapping of the data, else the mean radius of the Earth."""
    if fields is None:
        fields = obj.data_vars.values() if isinstance(obj, xr.Dataset) else [obj]
    for field in fields:
        text = field.encoding.get("grid_mapping", field.attrs.get("grid_mapping"))
        # The extended form of the attribute lists coordinates after each mapping's name.
        name = str(text).split(":")[0].strip()
        variable = {**all_variables(field), **all_variables(obj)}.get(name)
        if variable is not None and (radius := _radius_from_attrs(variable.attrs, name)):
            return radius
    return MEAN_RADIUS


def _radius_from_attrs(attrs: Mapping[Any, Any], name: str) -> float | None:
    """The radius of one grid mapping: its own, or the mean one of its semi-axes."""

    def length(attr: str) -> float:
        # Some readers of files give an array of one number.
        value = attrs[attr]
        return to_length(value.item() if np.size(value) == 1 and np.ndim(value) else value,
                       f"{attr} of the grid mapping {name!r}")  # fmt: skip

    if "earth_radius" in attrs:
        return length("earth_radius")
    if "semi_major_axis" not in attrs:
        return None
    a = b = length("semi_major_axis")
    if "semi_minor_axis" in attrs:
        b = length("semi_minor_axis")
    elif np.any(attrs.get("inverse_flattening")):  # CF: 0 stands for a sphere
        b = a * (1 - 1 / length("inverse_flattening"))
    return (2 * a + b) / 3
