"""Every CF grid mapping, with lengths and angles on the Earth by geodesics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

ORIGIN = {"longitude_of_projection_origin": 10.0, "latitude_of_projection_origin": 40.0}
CENTRAL = {"longitude_of_central_meridian": 10.0, "latitude_of_projection_origin": 40.0}
#: Attributes of each CF grid mapping (CF conventions 1.11, appendix F).
MAPPINGS: dict[str, dict[str, Any]] = {
    "albers_conical_equal_area": {**CENTRAL, "standard_parallel": [20.0, 60.0]},
    "azimuthal_equidistant": ORIGIN,
    "geostationary": {
        "latitude_of_projection_origin": 0.0, "longitude_of_projection_origin": 10.0,
        "perspective_point_height": 35785831.0, "sweep_angle_axis": "y",
    },
    "lambert_azimuthal_equal_area": ORIGIN,
    "lambert_conformal_conic": {**CENTRAL, "standard_parallel": [20.0, 60.0]},
    "lambert_cylindrical_equal_area": {
        "longitude_of_central_meridian": 10.0, "standard_parallel": 30.0,
    },
    "latitude_longitude": {},
    "mercator": {"longitude_of_projection_origin": 10.0, "standard_parallel": 20.0},
    "oblique_mercator": {
        **ORIGIN, "azimuth_of_central_line": 30.0, "scale_factor_at_projection_origin": 0.9996,
    },
    "orthographic": ORIGIN,
    "polar_stereographic": {
        "straight_vertical_longitude_from_pole": 10.0, "latitude_of_projection_origin": 90.0,
        "standard_parallel": 70.0,
    },
    "rotated_latitude_longitude": {
        "grid_north_pole_latitude": 39.25, "grid_north_pole_longitude": -162.0,
    },
    "sinusoidal": {"longitude_of_projection_origin": 10.0},
    "stereographic": {**ORIGIN, "scale_factor_at_projection_origin": 0.99},
    "transverse_mercator": {**CENTRAL, "scale_factor_at_central_meridian": 0.9996},
    "vertical_perspective": {**ORIGIN, "perspective_point_height": 5e6},
}  # fmt: skip
#: Figures of the Earth.
FIGURES: dict[str, dict[str, float]] = {
    "ellipsoid": {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563},
    "sphere": {"earth_radius": 6371229.0},
}
#: Longitudes and latitudes that all mappings show.
PLACES = [(10.0, 40.0), (14.0, 47.0), (-20.0, 30.0), (35.0, 62.0), (11.0, 5.0), (10.5, 70.0)]


def attributes(name: str, figure: str) -> dict[str, Any]:
    """Return the attributes of a grid mapping."""
    return {"grid_mapping_name": name, **MAPPINGS[name], **FIGURES[figure]}


class Lengths(NamedTuple):
    """Metres on the Earth in one unit of x and of y, and the area of both."""

    x: float
    y: float
    area: float


class Place:
    """A place on a map: x and y, and the points around it."""

    def __init__(self, crs: Any, lon: float, lat: float) -> None:
        import pyproj

        self.proj = pyproj.Proj(crs)
        self.geod = pyproj.Geod(a=crs.ellipsoid.semi_major_metre, b=crs.ellipsoid.semi_minor_metre)
        self.is_angle = crs.is_geographic
        # PROJ has rotated longitudes in radians, and true ones in degrees.
        self.unit = 180 / np.pi if crs.is_derived and self.is_angle else 1.0
        self.x, self.y = (v * self.unit for v in self.proj(lon, lat))
        self.step = 1e-2 if self.is_angle else 1000.0

    def _geodesic(self, dx: float, dy: float) -> np.ndarray:
        """Return the azimuth and the length of half a line across the place."""
        start, middle, end = (
            self.proj((self.x + s * dx) / self.unit, (self.y + s * dy) / self.unit, inverse=True)
            for s in (-1, 0, 1)
        )
        back, _, before = self.geod.inv(*middle, *start)
        ahead, _, after = self.geod.inv(*middle, *end)
        # The line may be bent: its direction is the mean of those of both halves.
        azimuth = ahead + ((back + 180 - ahead + 180) % 360 - 180) / 2
        return np.array([np.deg2rad(azimuth), (before + after) / 2])

    def lengths(self) -> Lengths:
        """Return lengths by geodesics, extrapolated to lines of no length."""
        directions = []
        for along in ((1, 0), (0, 1)):
            long, short = (self._geodesic(*(self.step * f * a for a in along)) for f in (1, 0.5))
            angle, length = (4 * (short / [1, 0.5]) - long) / 3
            directions.append((angle, length / self.step))
        (az_x, x), (az_y, y) = directions
        return Lengths(x, y, abs(np.sin(az_x - az_y)) * x * y)

    def coords(self) -> dict[str, Any]:
        """Return x and y around the place, and not even ones."""
        offsets = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.5]) * self.step / 4
        names = (
            ("longitude", "latitude") if self.unit == 1.0 else ("grid_longitude", "grid_latitude")
        )
        if self.is_angle:
            attrs = [{"standard_name": name, "units": "degrees"} for name in names]
        else:
            attrs = [{}, {}]  # in the unit of the system
        return {
            "y": ("y", self.y + offsets, attrs[1]),
            "x": ("x", self.x + offsets, attrs[0]),
        }

    def found(self, metric: Any) -> Lengths:
        """Return the lengths that derivatives of x and y have."""
        import xgradient  # noqa: F401

        at = {"x": 3, "y": 3}
        options = {"metric": metric, "accuracy": 4}
        empty = xr.DataArray(np.zeros((7, 7)), self.coords(), ("y", "x"), "f")
        x, y = (empty + (empty[d] - getattr(self, d)) for d in ("x", "y"))
        x, y = (f.assign_coords(empty.coords) for f in (x, y))
        by_x, by_y = x.grad("x", **options)[at], y.grad("y", **options)[at]
        gx, gy, both = (
            float(f.grad.magnitude(["x", "y"], **options)[at]) ** 2 for f in (x, y, x + y)
        )
        cross = (both - gx - gy) / 2
        return Lengths(float(1 / by_x), float(1 / by_y), (gx * gy - cross**2) ** -0.5)


def largest_errors(name: str, figure: str) -> Lengths:
    """Return the largest relative errors of lengths and areas of a mapping."""
    import pyproj

    crs = pyproj.CRS.from_cf(attributes(name, figure))
    errors = []
    for lon, lat in PLACES:
        place = Place(crs, lon, lat)
        pairs = zip(place.found(crs), place.lengths(), strict=True)
        errors.append([abs(found / truth - 1) for found, truth in pairs])
    return Lengths(*np.max(errors, axis=0))
