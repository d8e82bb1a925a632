"""Lengths and areas of cells on a globe, by latitudes and longitudes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.angles import latlon_kind, unwrap
from ..labels.coordinates import CoordRef, decoded_coord
from ..labels.hints import quote_names
from ..labels.position_points import bounds_of
from .angles import check_angles, coord_of, full_circle, radians_per_unit
from .cell_axes import FACES, CellAxis
from .cell_measures import CoordinateMeasures, Dims, coord_attrs
from .latlon_axes import make_lon_axis, requested_closure, snap_latitudes, snap_longitudes
from .line_cells import LineCells, as_variable, read_line_cells, to_radians
from .metrics import Globe

Floats = NDArray[np.float64]


class LatLonMeasures(CoordinateMeasures):
    """Lengths on a globe, of latitudes and longitudes along one dimension each.

    A length is the difference of two angles, times the scale factor at the point between. Areas
    are those between two parallels and two meridians, and so fill the globe.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data.
    axes : sequence of CellAxis
        The axes of the grid.
    globe : Globe
        The model of the Earth.
    """

    takes_given_areas = True

    def __init__(self, obj: XarrayObject, axes: Sequence[CellAxis], globe: Globe) -> None:
        super().__init__(obj, axes)
        self.globe = globe
        self.kinds = {i: kind for i, axis in enumerate(axes) if (kind := kind_of_axis(obj, axis))}

    def kind(self, dim: Hashable) -> str | None:
        """Return "latitude" or "longitude" for a dimension of angles, else None."""
        return self.kinds.get(self.axes.index(self.axis_of(dim)))

    def read_line(self, axis: CellAxis) -> LineCells:
        """Read the cells of an axis; angles are in radians."""
        kind = self.kinds.get(self.axes.index(axis))
        return super().read_line(axis) if kind is None else _read_angles(self.obj, axis, kind)

    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return lengths in metres along a latitude or longitude, else along the coordinate."""
        if self.kind(dim) is None:
            return self.line_length(dim)
        position = self.axis_of(dim).position(dim)
        steps = as_variable(dim, self.line(dim).segments(position, whole=self.whole_ends).lengths)
        product = self._per_radian(dim, dims) * steps
        product.attrs = {"units": "m"}
        return product

    def area(self, first: Hashable, second: Hashable, dims: Dims) -> xr.Variable:
        """Return areas in square metres, between parallels and meridians where both are."""
        by_kind = {self.kind(dim): dim for dim in (first, second)}
        if set(by_kind) != {"latitude", "longitude"}:
            return super().area(first, second, dims)
        lat, lon = by_kind["latitude"], by_kind["longitude"]
        rows = self.line(lat).segments(self.axis_of(lat).position(lat))
        columns = self.line(lon).segments(self.axis_of(lon).position(lon))
        zones = np.abs(zone_area(self.globe, rows.after) - zone_area(self.globe, rows.before))
        area = as_variable(lat, zones) * as_variable(lon, columns.lengths)
        area.attrs = {"units": "m2"}
        return area

    def scale(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return metres per radian of a latitude or longitude, and 1 for other coordinates."""
        kind = self.kind(dim)
        if kind is None:
            return super().scale(dim, dims)
        factor = self._per_radian(dim, dims)
        factor.attrs = {"units": "m"}
        return factor

    def closed_ends(self, dim: Hashable) -> tuple[bool, bool]:
        """Return True for ends at a pole."""
        if self.kind(dim) != "latitude":
            return False, False
        first, last = np.abs(self.line(dim).faces[[0, -1]]) >= np.pi / 2 * (1 - 1e-12)
        return bool(first), bool(last)

    def coordinate(self, dim: Hashable) -> xr.Variable | None:
        """Return the latitudes or longitudes of a dimension that the data do not have."""
        kind = self.kind(dim)
        if kind is None:
            return super().coordinate(dim)
        axis = self.axis_of(dim)
        ref = line_ref(self.obj, axis, kind)
        points = self.line(dim).segments(axis.position(dim)).points / radians_per_unit(ref)
        return xr.Variable((dim,), points, coord_attrs(coord_of(ref)))

    def _per_radian(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the scale factor along a latitude or longitude, in metres per radian."""
        lat = next((d for d in dims if self._is_latitude(d)), None)
        if lat is None:
            raise ValueError(
                f"the metric along {str(dim)!r} depends on the latitude, but the data lie along "
                f"{quote_names(dims)}; call an operator of data with a latitude"
            )
        points = self.line(lat).segments(self.axis_of(lat).position(lat)).points
        scales = self.globe.scale_factors(np.clip(points, -np.pi / 2, np.pi / 2))
        values = scales.lat if self.kind(dim) == "latitude" else scales.lon
        # The cosine of 90 degrees is not exactly zero.
        values = np.where(np.abs(values) < 1e-12 * self.globe.semi_axes[0], 0.0, values)
        return as_variable(lat, values)

    def _is_latitude(self, dim: Hashable) -> bool:
        return any(dim in axis.names and self.kinds.get(i) == "latitude"
                   for i, axis in enumerate(self.axes))  # fmt: skip


def zone_area(globe: Globe, lat: Any) -> Any:
    """Return the area between the equator and latitudes, of one radian of longitude.

    Parameters
    ----------
    globe : Globe
        The model of the Earth.
    lat : array
        Latitudes in radians; areas of southern ones are negative.

    Notes
    -----
    On an ellipsoid it is b² [sin φ / (1 - e² sin² φ) + artanh(e sin φ) / e] / 2 (Snyder 1987,
    equation 3-12, doi:10.3133/pp1395).
    """
    a, b = globe.semi_axes
    s, e2 = np.sin(lat), 1 - (b / a) ** 2
    if e2 == 0:
        return a**2 * s
    e = np.sqrt(abs(e2))
    turn = np.arctanh(e * s) if e2 > 0 else np.arctan(e * s)
    return b**2 / 2 * (s / (1 - e2 * s * s) + turn / e)


def kind_of_axis(obj: XarrayObject, axis: CellAxis) -> str | None:
    """Return "latitude" or "longitude" by the coordinates along an axis; None for others."""
    return next((kind for name in axis.names for kind, _ in _angles_along(obj, name)), None)


def line_ref(obj: XarrayObject, axis: CellAxis, kind: str) -> CoordRef:
    """Return the latitude or longitude along an axis, that of the centers if there is one."""
    names = sorted(axis.names, key=lambda name: not axis.is_center(name))
    return next(ref for name in names for found, ref in _angles_along(obj, name) if found == kind)


def _angles_along(obj: XarrayObject, dim: Hashable) -> list[tuple[str, CoordRef]]:
    """Return latitudes and longitudes along a dimension, with their kind."""
    return [
        (kind, CoordRef(dim, name, decoded_coord(name, coord)))
        for name, coord in obj.coords.variables.items()
        if coord.dims == (dim,) and (kind := latlon_kind(name, coord)) is not None
    ]


def _read_angles(obj: XarrayObject, axis: CellAxis, kind: str) -> LineCells:
    """Read the cells of an axis of latitudes or longitudes, in radians."""
    first = line_ref(obj, axis, kind)
    circle, coords = full_circle(first), {}
    for position, names in axis.dims.items():
        refs = [r for name in names for found, r in _angles_along(obj, name) if found == kind]
        if not refs:
            continue
        ref = snap_latitudes(refs[0]) if kind == "latitude" else snap_longitudes(refs[0])
        coord = coord_of(ref)
        values = np.asarray(coord.values, np.float64)
        check_angles(values, kind=kind, name=ref.name, circle=full_circle(ref))
        if kind == "longitude":
            values = unwrap(values, full_circle(ref))
            origin = float(np.ravel(coord_of(first).values)[0])
            values = values - circle * np.round((values[0] - origin) / circle)
        coords[position] = xr.Variable(coord.dims, values, coord.attrs, coord.encoding)
    cells = read_line_cells(obj, axis, coords, circle if axis.periodic else None)
    pole = np.pi / 2 if kind == "latitude" else None
    faces = next((position for position in coords if position != "center"), None)
    ends = (True, True) if faces is None else (FACES[faces].start == 0, FACES[faces].stop is None)
    if faces is None and (bounds_of(obj, coords["center"]) is None):
        ends = False, False
    return to_radians(cells, radians_per_unit(first), pole, ends)


def goes_round(obj: XarrayObject, axis: CellAxis, requested: Any = None) -> bool:
    """Return True for longitudes of a full circle, or for an axis that a call makes periodic."""
    if kind_of_axis(obj, axis) != "longitude":
        return False
    ref = line_ref(obj, axis, "longitude")
    if not axis.is_center(ref.dim) and axis.position(ref.dim) in ("inner", "outer"):
        return False
    closed, _ = make_lon_axis(ref, requested_closure(ref, requested))
    return closed.nodes.period is not None
