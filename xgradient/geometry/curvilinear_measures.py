"""Lengths of cells by latitudes and longitudes of two dimensions: distances of neighbours."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.angles import is_in_degrees, latlon_kind
from ..labels.coordinates import squeezed
from ..labels.hints import quote_names
from .cell_axes import FACES, CellAxis, all_faces, slice_along, with_ends
from .cell_measures import CellMeasures, Dims, at_position
from .metrics import Globe, Sphere

Floats = NDArray[np.float64]


class CurvilinearMeasures(CellMeasures):
    """Lengths on a globe, by the distances of points with given latitudes and longitudes.

    The length of a cell is the distance between the points on both its sides, if the data have
    their positions. Else it is half the distance between both neighbours of its point.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, with a latitude and a longitude at one position or several.
    axes : sequence of CellAxis
        The axes of the grid.
    globe : Globe
        The model of the Earth.
    """

    takes_given_areas = True

    def __init__(self, obj: XarrayObject, axes: Sequence[CellAxis], globe: Globe) -> None:
        super().__init__(obj, axes)
        self.globe = globe
        self.points = _find_points(obj, self.axes, globe)

    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return lengths in metres along a dimension of the latitudes and longitudes."""
        axis = self.axis_of(dim)
        if not any(axis.dim_among(known) is not None for known in self.points):
            if axis.letter in ("x", "y"):
                raise ValueError(
                    f"lengths along {str(dim)!r} depend on latitudes and longitudes, which the "
                    "data lack there; add them, e.g. with .assign_coords"
                )
            return self.line_length(dim)
        between = [self._between(axis, known, dim) for known in self.points]
        lengths = [length for length in between if length is not None]
        lengths += [self._central(axis, known) for known in self.points]
        exact = (length for length in lengths if self._is_at(length.dims, dims))
        length = next(exact, lengths[0])
        result = at_position(length, self.axes, dims, f"the length along {str(dim)!r}")
        result.attrs = {"units": "m"}
        return result

    def _is_at(self, known: Dims, dims: Dims) -> bool:
        """Return True if dimensions have the position of others."""
        return all(
            (other := axis.dim_among(dims)) is not None
            and axis.position(other) == axis.position(dim)
            for dim in known
            for axis in (self.axis_of(dim),)
        )

    def _between(self, axis: CellAxis, known: Dims, like: Hashable) -> xr.Variable | None:
        """Return the distances of adjacent points, at the positions between these.

        It is None where the data have no dimension of these positions.
        """
        own = axis.dim_among(known)
        assert own is not None
        number, xyz, here, to = known.index(own), self.points[known], axis.position(own), "center"
        if here == "center":
            faces = [p for p in (axis.position(like), *axis.dims) if p != "center"]
            to = faces[0] if faces else ""
        if to not in axis.dims:
            return None
        if here == "center":
            xyz = [with_ends(v, number, axis.periodic) for v in xyz]
        else:
            xyz = [all_faces(v, number, here, axis.periodic) for v in xyz]
        before, after = (
            [slice_along(v, number, part) for v in xyz] for part in (slice(-1), slice(1, None))
        )
        distance = _distance(self.globe, before, after)
        dims = tuple(axis.dims[to][0] if dim == own else dim for dim in known)
        return xr.Variable(dims, slice_along(distance, number, FACES.get(to, slice(None))))

    def _central(self, axis: CellAxis, known: Dims) -> xr.Variable:
        """Return half the distances of both neighbours; at the ends of the axis, of one."""
        own = axis.dim_among(known)
        number, xyz = known.index(own), self.points[known]
        if axis.periodic and axis.position(own) != "outer":
            padded = [with_ends(v, number, True) for v in xyz]
            ends = ([slice_along(v, number, part) for v in padded]
                    for part in (slice(-2), slice(2, None)))  # fmt: skip
            return xr.Variable(known, _distance(self.globe, *ends) / 2)
        n = xyz[0].shape[number]
        before = np.maximum(np.arange(n) - 1, 0)
        after = np.minimum(np.arange(n) + 1, n - 1)
        first, second = ([np.take(v, index, number) for v in xyz] for index in (before, after))
        steps = (after - before).reshape([-1 if i == number else 1 for i in range(len(known))])
        return xr.Variable(known, _distance(self.globe, first, second) / np.maximum(steps, 1))


def _find_points(
    obj: XarrayObject, axes: Sequence[CellAxis], globe: Globe
) -> dict[Dims, list[Floats]]:
    """Return Cartesian positions by the dimensions of each latitude and longitude.

    Positions that are all the same, as the zeros of some files, are no positions.
    """
    names = {name for axis in axes for name in axis.names}
    found: dict[Dims, dict[str, Floats]] = {}
    for name, given in obj.coords.variables.items():
        kind = latlon_kind(name, given) if given.ndim > 1 else None
        if kind is None:
            continue
        coord = squeezed(given)
        if coord.ndim == 2 and set(coord.dims) <= names:
            values = np.asarray(coord.to_numpy(), np.float64)
            if np.nanmin(values) < np.nanmax(values):
                factor = np.pi / 180 if is_in_degrees(coord) else 1.0
                found.setdefault(coord.dims, {}).setdefault(kind, values * factor)
    points = {
        dims: list(globe.cartesian(kinds["latitude"], kinds["longitude"])[:3])
        for dims, kinds in found.items()
        if len(kinds) == 2
    }
    if not points:
        raise ValueError(
            "lengths on a globe need a latitude and a longitude, but the data have none along "
            f"{quote_names(names)}; add them, e.g. with .assign_coords"
        )
    return points


def _distance(globe: Globe, first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Return distances of points in metres: on a sphere along great circles, else straight."""
    squares = sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
    chord: Floats = np.sqrt(squares)
    if not isinstance(globe, Sphere):
        return chord
    return 2 * globe.radius * np.arcsin(np.minimum(chord / (2 * globe.radius), 1.0))
