"""Coordinate reference systems: objects of pyproj, and those that files describe.

pyproj is loaded when a call needs it, and no object of it can exist before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..labels.angles import DEGREES, RADIANS, latlon_kind
from ..labels.hints import quote_names
from ..labels.standard_names import direction_of_coord
from ..stencils.cache import LRUCache
from .grid_mapping import GridMapping, find_grid_mappings
from .metrics import Ellipsoid, Globe, Sphere

DEGREE = np.pi / 180
#: Systems that pyproj has read, which takes it tenths of a second each time.
_SYSTEMS: LRUCache[Any] = LRUCache(16)


@dataclass(frozen=True)
class GeographicCRS:
    """Latitudes and longitudes of a coordinate reference system.

    Attributes
    ----------
    crs : pyproj.CRS
        The coordinate reference system.
    globe : Globe
        Its sphere or ellipsoid.
    """

    crs: Any
    globe: Globe

    def label(self, obj: XarrayObject) -> XarrayObject:
        """Return the data with attributes of x as a longitude and of y as a latitude.

        Data that have latitudes and longitudes by their own labels are returned as they are.

        Raises
        ------
        ValueError
            If a coordinate without units is not in degrees by the coordinate reference system.
        """
        coords, labels = obj.coords.variables, {}
        for kind, letter, units in (
            ("longitude", "x", "degrees_east"),
            ("latitude", "y", "degrees_north"),
        ):
            if any(latlon_kind(name, coord) == kind for name, coord in coords.items()):
                continue
            for name, coord in coords.items():
                given = coord.attrs.get("units")
                is_angle = given is None or str(given).lower() in DEGREES | RADIANS
                if coord.ndim < 2 and is_angle and direction_of_coord(name, coord) == letter:
                    labels[name] = {"standard_name": kind, "units": given or units}
        if not labels:
            return obj
        self._check_degrees([name for name in labels if "units" not in coords[name].attrs])
        obj = obj.copy(deep=False)
        for name, attrs in labels.items():
            obj.coords[name].attrs.update(attrs)
        return obj

    def _check_degrees(self, names: list[Any]) -> None:
        """Refuse coordinates without units where the unit of the system is not the degree."""
        unit = self.crs.axis_info[0] if self.crs.axis_info else None
        if names and unit is not None and abs(unit.unit_conversion_factor / DEGREE - 1) > 1e-9:
            raise ValueError(
                f"{quote_names(names)} have no units, and {self.crs.name!r} counts angles in "
                f"{unit.unit_name}; convert them to degrees and set units='degrees'"
            )


def is_crs(value: Any) -> bool:
    """Return whether this is a CRS of pyproj."""
    pyproj = sys.modules.get("pyproj")
    return pyproj is not None and isinstance(value, pyproj.CRS)


def is_geod(value: Any) -> bool:
    """Return whether this is a Geod of pyproj."""
    pyproj = sys.modules.get("pyproj")
    return pyproj is not None and isinstance(value, pyproj.Geod)


def import_pyproj(purpose: str) -> Any:
    """Return pyproj, which some metrics need.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pyproj
    except ImportError:
        raise ImportError(
            f'{purpose} needs pyproj; install it with: pip install "xgradient[geodesic]"'
        ) from None
    return pyproj


def globe_of_axes(a: float, b: float) -> Globe:
    """Return the sphere or the ellipsoid of an equatorial and a polar semi-axis in metres."""
    return Sphere(a) if a == b else Ellipsoid(a, b)


def globe_of_crs(crs: Any) -> Globe:
    """Return the sphere or the ellipsoid of a coordinate reference system."""
    return globe_of_axes(crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre)


def read_crs(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> Any:
    """Return the coordinate reference system of the grid mapping of fields.

    Raises
    ------
    ImportError
        If pyproj is not installed.
    ValueError
        If there is no grid mapping, there are several, or pyproj cannot read it.
    """
    import_pyproj("metric='cf'")
    fields = list(fields)
    mappings = find_grid_mappings(obj, fields)
    if not mappings:
        raise ValueError(
            "metric is 'cf', but the data have no grid mapping; add one, e.g. with "
            ".rio.write_crs of rioxarray, or give a pyproj.CRS as metric"
        )
    systems = [_to_crs(mapping) for mapping in mappings]
    if any(crs != systems[0] for crs in systems[1:]):
        raise ValueError(
            "metric is 'cf', but the data have the grid mappings "
            f"{quote_names(mapping.name for mapping in mappings)}; select variables with one of "
            "them, or give a pyproj.CRS as metric"
        )
    return systems[0]


def _to_crs(mapping: GridMapping) -> Any:
    """Return the object of pyproj for a grid mapping."""
    if mapping.crs is not None:
        return mapping.crs
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    attrs = {name: _plain(value) for name, value in mapping.attrs.items()}
    key = repr(sorted(attrs.items(), key=str))  # repr tells numbers apart by all their digits
    try:
        return _SYSTEMS.get(key, lambda: CRS.from_cf(attrs))
    except (KeyError, TypeError, ValueError, ProjError) as error:
        reason = short_repr(error)
        raise ValueError(
            f"pyproj cannot read the grid mapping {str(mapping.name)!r} ({reason}); correct its "
            "attributes, or give a pyproj.CRS as metric"
        ) from None


def _plain(value: Any) -> Any:
    """Return an attribute as a number, a list or a text; some readers of files give arrays."""
    if isinstance(value, np.ndarray | np.generic):
        return value.item() if np.size(value) == 1 else value.tolist()
    return value


def horizontal_crs(crs: Any) -> Any:
    """Return a geographic or projected system without heights or a shift to another datum.

    Raises
    ------
    ValueError
        If the system is not one of positions on the Earth.
    """
    while crs.is_compound or crs.is_bound:
        crs = crs.sub_crs_list[0] if crs.is_compound else crs.source_crs
    if crs.ellipsoid is None or not (crs.is_geographic or crs.is_projected):
        raise ValueError(
            f"the coordinate reference system {crs.name!r} is neither geographic nor projected, "
            f"but a {crs.type_name}; give the one of x and y"
        )
    return crs
