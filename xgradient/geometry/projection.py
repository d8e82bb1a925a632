"""Map projections: positions on the Earth and map factors at projected x and y, by pyproj."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..engine.chunked import pointwise
from ..labels.angles import latlon_kind
from ..labels.coordinates import CoordRef
from ..labels.standard_names import direction_of_coord
from ..labels.unit_conversion import factor_between
from ..labels.units import unit_text
from .crs import DEGREE
from .metrics import Globe

Floats = NDArray[np.float64]

#: Names in PROJ of conformal projections: lengths have one factor in all directions.
CONFORMAL = frozenset(
    [
        "merc",
        "tmerc",
        "etmerc",
        "utm",
        "lcc",
        "stere",
        "sterea",
        "ups",
        "omerc",
        "somerc",
        "gstmerc",
    ]
)
#: Names of projected coordinates other than x and y.
NAMES = {"easting": "x", "eastings": "x", "xc": "x", "northing": "y", "northings": "y", "yc": "y"}
#: Distance to a pole in radians within which PROJ takes the derivatives at this distance.
POLAR_DISTANCE = 1e-5


@dataclass(frozen=True)
class Projection:
    """A coordinate reference system of projected x and y, or of rotated poles on an ellipsoid.

    Attributes
    ----------
    crs : pyproj.CRS
        The coordinate reference system.
    globe : Globe
        Its sphere or ellipsoid, on which lengths are measured.
    """

    crs: Any
    globe: Globe

    @cached_property
    def definition(self) -> str:
        """Definition of the projection, as PROJ has it."""
        from pyproj import Proj

        return str(Proj(self.crs).definition)

    @property
    def _name(self) -> str:
        return self.definition.partition("proj=")[2].partition(" ")[0]

    @cached_property
    def is_conformal(self) -> bool:
        """True if lengths on the ellipsoid have one factor in all directions.

        The projection of a sphere, as web maps have it, is not conformal on an ellipsoid. One
        point shows this.
        """
        if self._name not in CONFORMAL:
            return False
        lon, lat = self._parameter("lon_0|lonc"), self._parameter("lat_0")
        point = np.array(lon + 1), np.array(np.clip(lat, -45, 45) + 1)
        (a, b), (c, d) = _tangents(self, *point)
        size = a * a + b * b
        return bool(abs(a * c + b * d) < 1e-6 * size and abs(c * c + d * d - size) < 1e-6 * size)

    def _parameter(self, name: str) -> float:
        """Return a number in the definition of the projection; 0 where it is not given."""
        found = re.search(rf"\b(?:{name})=([-+.\de]+)", self.definition)
        return float(found[1]) if found else 0.0

    @property
    def metres_per_unit(self) -> float:
        """Metres in one unit of x and y of the coordinate reference system; 1 for angles."""
        axes = self.crs.axis_info
        return float(axes[0].unit_conversion_factor) if axes and self.crs.is_projected else 1.0

    @property
    def axis_signs(self) -> tuple[float, float]:
        """Return -1 for an x that increases to the west and a y that increases to the south."""
        found = re.search(r"axis=([ew])([ns])u", self.definition)
        if "axis=" in self.definition and found is None:
            raise ValueError(
                f"the axes of {self.crs.name!r} are neither x and y nor their opposites; give the "
                "same system with x to the east and y to the north"
            )
        x, y = (found[1], found[2]) if found else ("e", "n")
        return (-1.0 if x == "w" else 1.0), (-1.0 if y == "s" else 1.0)

    def units_per(self, ref: CoordRef) -> float:
        """Return the units of the coordinate reference system in one unit of a coordinate.

        Raises
        ------
        ValueError
            If the units of the coordinate are no length, nor an angle where one is needed.
        """
        units = None if ref.coord is None else ref.coord.attrs.get("units")
        if not self.crs.is_projected:  # PROJ takes rotated angles in radians
            return DEGREE if units is None else self._factor(ref, units, "rad")
        if units is None:
            return 1.0
        if self._name == "geos" and factor_between(unit_text(units) or "", "rad") is not None:
            # The angles at which a satellite scans, times its height.
            height = self._parameter("h")
            return self._factor(ref, units, "rad") * height / self.metres_per_unit
        return self._factor(ref, units, "m") / self.metres_per_unit

    def _factor(self, ref: CoordRef, units: Any, wanted: str) -> float:
        factor = factor_between(unit_text(units) or "", wanted)
        if factor is None:
            kind = "lengths" if wanted == "m" else "angles"
            raise ValueError(
                f"coordinate {str(ref.name)!r} has the units {units!r}, but {self.crs.name!r} has "
                f"{kind}; convert it, or give the system of this coordinate as metric"
            )
        return factor

    def letter(self, ref: CoordRef) -> str | None:
        """Return "x" or "y" for a coordinate of the projection; None for others."""
        is_angle = latlon_kind(ref.name, ref.coord) is not None
        if (ref.dim is None and len(ref.dims)) or is_angle == self.crs.is_projected:
            return None
        return letter_of(ref)

    def names(self, obj: XarrayObject) -> list[Hashable]:
        """Return the names of x and y that are along a dimension, in the order of the data."""
        refs = [
            CoordRef(coord.dims[0], name, coord)
            for name, coord in obj.coords.variables.items()
            if coord.ndim == 1 and getattr(coord.dtype, "kind", "") in "iuf"
        ]
        dims = list(obj.dims)
        found = [ref for ref in refs if self.letter(ref)]
        return [ref.name for ref in sorted(found, key=lambda ref: dims.index(ref.dim))]


def letter_of(ref: CoordRef) -> str | None:
    """Return "x" or "y" by the attributes or the name of a coordinate; None for others."""
    direction = direction_of_coord(ref.name, ref.coord) or NAMES.get(str(ref.name).lower())
    return direction if direction in ("x", "y") else None


def on_map(
    projection: Projection, compute: Callable[..., tuple[Floats, ...]], n: int, x: Any, y: Any
) -> list[xr.Variable]:
    """Compute arrays of two dimensions at x and y; lazily if these are lazy.

    Parameters
    ----------
    projection : Projection
        The projection.
    compute : callable
        Returns arrays, given the projection, x and y that broadcast.
    n : int
        Number of arrays.
    x, y : Variable
        Positions in units of the coordinate reference system, along a dimension each or none.
    """
    outputs = xr.apply_ufunc(
        partial(pointwise, partial(compute, projection), n), y, x,
        dask="allowed", output_core_dims=[[]] * n,
    )  # fmt: skip
    return list(outputs) if n > 1 else [outputs]


def map_factor(projection: Projection, y: Floats, x: Floats) -> Floats:
    """Return the map factor: projected metres in one metre on the Earth."""
    proj, lon, lat = _inverse(projection, y, x)
    return _finite(proj.get_factors(lon, lat).meridional_scale)


def map_directions(projection: Projection, y: Floats, x: Floats) -> tuple[Floats, ...]:
    """Return unit vectors along x and along y, with a component to the east and one north each."""
    _, lon, lat = _inverse(projection, y, x)
    along_x, along_y = map(_unit, _tangents(projection, lon, lat))
    return *along_x, *along_y


def map_positions(projection: Projection, y: Floats, x: Floats) -> tuple[Floats, ...]:
    """Return positions, unit vectors along x and y, and dual vectors, three components each.

    The dual vectors are multiplied by a vector for its components along x and y. They are the
    unit vectors themselves where x and y are at right angles.
    """
    _, lon, lat = _inverse(projection, y, x)
    a, b = map(_unit, _tangents(projection, lon, lat))
    cosine, squared_sine = a[0] * b[0] + a[1] * b[1], (a[0] * b[1] - a[1] * b[0]) ** 2
    dual_a, dual_b = (
        ((v[0] - cosine * w[0]) / squared_sine, (v[1] - cosine * w[1]) / squared_sine)
        for v, w in ((a, b), (b, a))
    )
    radians = _finite(np.deg2rad(lat)), _finite(np.deg2rad(lon))
    *position, east_x, east_y, north_x, north_y, north_z = projection.globe.cartesian(*radians)
    in_space = [
        component
        for east, north in (a, b, dual_a, dual_b)
        for component in (east * east_x + north * north_x, east * east_y + north * north_y,
                          north * north_z)
    ]  # fmt: skip
    missing = np.isnan(cosine)
    return tuple(np.where(missing, np.nan, values) for values in (*position, *in_space))


def _inverse(projection: Projection, y: Floats, x: Floats) -> tuple[Any, Floats, Floats]:
    """Return the projection of pyproj, longitudes and latitudes in degrees; infinite off the Earth.

    Objects of pyproj belong to one thread, so each call makes one.
    """
    from pyproj import Proj

    proj = Proj(projection.crs)
    lon, lat = proj(*np.broadcast_arrays(x, y), inverse=True)
    return proj, np.asarray(lon), np.asarray(lat)


def _tangents(
    projection: Projection, lon: Floats, lat: Floats
) -> tuple[tuple[Floats, Floats], ...]:
    """Return vectors on the Earth along x and y, which have one factor, to the east and north.

    They are columns of the inverse of the derivatives of x and y by longitude and latitude, times
    the scale factors of both.
    """
    from pyproj import Proj

    factors = Proj(projection.crs).get_factors(lon, lat)
    limit = np.pi / 2 - POLAR_DISTANCE
    scales = projection.globe.scale_factors(np.clip(_finite(np.deg2rad(lat)), -limit, limit))
    x_by_lon, y_by_lon = _finite(factors.dx_dlam), _finite(factors.dy_dlam)
    x_by_lat, y_by_lat = _finite(factors.dx_dphi), _finite(factors.dy_dphi)
    orientation = np.sign(x_by_lon * y_by_lat - y_by_lon * x_by_lat)
    along_x, along_y = (sign * orientation for sign in projection.axis_signs)
    return (
        (along_x * scales.lon * y_by_lat, -along_x * scales.lat * y_by_lon),
        (-along_y * scales.lon * x_by_lat, along_y * scales.lat * x_by_lon),
    )


def _unit(vector: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return a vector of length 1."""
    length = np.hypot(*vector)
    return vector[0] / length, vector[1] / length


def _finite(values: Any) -> Floats:
    """Return values that are missing where they are infinite."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)
