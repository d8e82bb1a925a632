"""Coordinates of two dimensions: which two belong together, and where the nodes of a grid are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .axes import Axis, Place, XarrayObject, check_units, horizontal, in_degrees, listed
from .chunks import beside, check_decoded, looked_at
from .cyclic import cyclic_points
from .frames import Side
from .geometry import Points, points_on_globe, remembered
from .metrics import Globe, check_angles
from .nodes import check_length, uniform_nodes
from .stencils import Order
from .surfaces import Direction, Label, Surface

__all__ = ["Grid", "find_grid", "spoken"]

KINDS = ("longitude", "latitude")


def spoken(place: Place) -> str:
    """A coordinate and its dimensions in words."""
    n, names = len(place.dims), ", ".join(map(str, place.dims))
    return f"coordinate {str(place.name)!r} has {n} dimension{'s' if n > 1 else ''} ({names})"


@dataclass(frozen=True, eq=False)
class Grid:
    """Two coordinates along the same two dimensions.

    Attributes
    ----------
    pair : tuple of Place
        The longitude and the latitude, or x and y in the order that they were named.
    globe : Sphere, Ellipsoid or None
        The surface; None for the plane.
    """

    pair: tuple[Place, Place]
    globe: Globe | None

    @property
    def dims(self) -> tuple[Hashable, Hashable]:
        """Their dimensions."""
        first, second = self.pair[0].dims
        return first, second

    def direction(self, place: Place) -> Direction:
        """The direction in which one of the coordinates increases alone."""
        toward = [other.name for other in self.pair].index(place.name)
        assert place.coord is not None
        attrs = place.coord.attrs
        plain = str(attrs.get("standard_name") or place.name).replace("_", " ")
        units = attrs.get("units") if self.globe is None else "m"
        label = Label(place.name, str(attrs.get("long_name") or plain), units)
        return Direction(label, self.dims, toward, None if self.globe is None else KINDS[toward])

    def surface(
        self, sides: list[Side | Direction], closed: Mapping[Hashable, Any], order: Order
    ) -> Surface:
        """All axes of an operator, on this grid.

        Parameters
        ----------
        sides : list of Side or Direction
            What is asked for.
        closed : mapping from dimension to bool
            Whether the grid closes along it.
        order : Order
            How accurate derivatives are.

        Raises
        ------
        TypeError, ValueError
            If a coordinate has impossible values, or the grid does not close.
        """
        x, y = (self._values(place, kind) for place, kind in zip(self.pair, KINDS, strict=True))
        along = []
        for dim in self.dims:
            n = x.sizes[dim]
            check_length(n, f"dimension {str(dim)!r}")
            wanted = closed.get(dim, False)
            if not isinstance(wanted, bool | np.bool_):
                raise ValueError(
                    f"the period of {str(dim)!r} is {wanted!r}, but the positions of a grid tell "
                    "where it closes; give True"
                )
            if wanted:
                _check_seam(self._points(x, y), dim)
            nodes = uniform_nodes(n, 1.0, periodic=bool(wanted))
            along.append(Side(Axis(dim, dim, str(dim), None, nodes)))
        points_beside = partial(self._points, x, y)
        points = cyclic_points([side.axis for side in sides if isinstance(side, Side)])
        return Surface(tuple(sides), points_beside, (along[0], along[1]), order, cyclic=points)

    def _points(self, x: xr.Variable, y: xr.Variable, field: xr.Variable | None = None) -> Points:
        """The nodes, where a field is; lazy ones are made in memory."""
        if field is not None and x.chunks is y.chunks is None:
            x, y = (part.copy(data=beside(part.data, field.data)) for part in (x, y))
        rounding = max(_rounding(place) for place in self.pair)
        k, m = (_radians(place) for place in self.pair)

        def make() -> Points:
            if self.globe is None:
                return Points((x, y), rounding=rounding)
            return points_on_globe(y * m, x * k, self.globe, rounding)

        if not all(isinstance(part.data, np.ndarray) for part in (x, y)):
            return make()
        key = "points", self.globe, k, m, rounding, self.dims
        return remembered(key, [x.data, y.data], 5 * (x.nbytes + y.nbytes), make)

    def _values(self, place: Place, kind: str) -> xr.Variable:
        """A coordinate along the dimensions in their order, in float64; lazy if it is.

        On a globe it is an angle, which is looked at: now, or if it is lazy when it is computed.
        """
        assert place.coord is not None
        if place.coord.dtype.kind not in "iuf":
            raise TypeError(
                f"coordinate {str(place.name)!r} has dtype {place.coord.dtype}, which is not "
                "numeric; convert it to numbers first"
            )
        coord = place.coord.to_base_variable().transpose(*self.dims)
        label = f"coordinate {str(place.name)!r}"
        coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, label))
        # It is looked at here, wherever weights are made of it.
        coord = (coord if coord.chunks else coord.as_numpy()).astype(np.float64)
        if self.globe is None:
            return coord
        name, turn, n = place.name, 2 * np.pi / _radians(place), max(coord.shape)
        check = partial(check_angles, kind=kind, name=name, turn=turn, n=n)
        return coord.copy(data=looked_at(coord.data, check))


def find_grid(obj: XarrayObject, places: list[Place], globe: Globe | None) -> Grid:
    """The grid that coordinates of two dimensions are meant to belong to.

    Parameters
    ----------
    obj : DataArray or Dataset
        Where the other coordinate of a globe is looked for, if one is named.
    places : list of Place
        The coordinates that are asked for and have two dimensions, or are angles on a globe.
    globe : Sphere, Ellipsoid or None
        The metric.

    Raises
    ------
    ValueError
        If they are not two that belong together.
    """
    if len(places) > 2:
        names = ", ".join(repr(str(place.name)) for place in places)
        raise ValueError(f"{names} are more than the two coordinates of a grid; name two")
    pair = _in_plane(obj, places) if globe is None else _on_globe(obj, places, globe)
    if set(pair[0].dims) != set(pair[1].dims):
        raise ValueError(
            f"{spoken(pair[0])}, but {spoken(pair[1])}; name two along the same dimensions"
        )
    return Grid(pair, globe)


def _in_plane(obj: XarrayObject, places: list[Place]) -> tuple[Place, Place]:
    for place in places:
        if (kind := horizontal(place.name, place.coord)) is not None:
            raise ValueError(
                f"{spoken(place)} and is a {kind}; give metric='sphere' or 'ellipsoid', with which "
                "derivatives are per metre to the east and north"
            )
    if len(places) < 2:
        raise ValueError(
            f"{spoken(places[0])}, and one such coordinate alone tells no direction; name the "
            f"other one of the grid, too, or one of the dimensions {listed(obj.dims)}"
        )
    return places[0], places[1]


def _on_globe(obj: XarrayObject, places: list[Place], globe: Globe) -> tuple[Place, Place]:
    found: dict[str, Place] = {}
    for place in places:
        kind = horizontal(place.name, place.coord)
        if kind is None:
            check_units(place.name, place.coord)
            raise ValueError(
                f"metric={type(globe).__name__} is for latitudes and longitudes, but "
                f"{str(place.name)!r} is neither by its units, standard_name or name; leave out "
                "metric or set units such as 'degrees_north'"
            )
        if kind in found:
            raise ValueError(
                f"{str(found[kind].name)!r} and {str(place.name)!r} are both {kind}s; name one "
                "latitude and one longitude"
            )
        found[kind] = place
    for kind in KINDS:
        if kind not in found:
            found[kind] = _partner(obj, kind, places[0])
    return found["longitude"], found["latitude"]


def _partner(obj: XarrayObject, kind: str, place: Place) -> Place:
    """The other coordinate of a globe along the same dimensions."""
    others = [
        Place(None, name, coord)
        for name, coord in obj.coords.variables.items()
        if set(coord.dims) == set(place.dims) and horizontal(name, coord) == kind
    ]
    if len(others) == 1:
        return others[0]
    if others:
        names = ", ".join(repr(str(other.name)) for other in others)
        raise ValueError(
            f"{spoken(place)}, and several others may be its {kind}, {names}; name both"
        )
    for name, coord in obj.coords.variables.items():
        check_units(name, coord)
    raise ValueError(
        f"{spoken(place)}, but the data have no {kind} along these; add it, e.g. with "
        ".assign_coords"
    )


def _rounding(place: Place) -> float:
    """How far values, or positions made of them, may be off, over their size."""
    assert place.coord is not None
    few, dtype = 8 * float(np.finfo(np.float64).eps), place.coord.dtype
    return max(few, 2 * float(np.finfo(dtype).eps)) if dtype.kind == "f" else few


def _radians(place: Place) -> float:
    """Radians in one unit of an angle."""
    assert place.coord is not None
    return np.pi / 180 if in_degrees(place.coord) else 1.0


def _check_seam(points: Points, dim: Hashable) -> None:
    """Refuse a grid that does not close along a dimension, or repeats its first cells at its end.

    Nothing can be told of positions on dask without computing them.
    """
    if any(part.chunks is not None for part in points.at):
        return
    (other,) = (d for d in points.dims if d != dim)
    some = slice(None, None, max(1, points.at[0].sizes[other] // 32))  # these tell for all
    at = np.stack([part.isel({other: some}).transpose(dim, other).values for part in points.at])
    n = at.shape[1]
    steps = _typical(at[:, 1:] - at[:, :-1]).max(initial=0)
    last = [_typical(at[:, n - k : n - k + 1] - at[:, :1])[0] for k in range(1, min(4, n))]
    for k, gap in enumerate(last, start=1):
        if gap < 1e-3 * steps:
            raise ValueError(
                f"periodic names {str(dim)!r}, but the last {k} cells along it repeat the first; "
                f"drop them, e.g. with .isel({dim}=slice(None, -{k}))"
            )
    if last and last[0] > 2 * steps:
        raise ValueError(
            f"periodic names {str(dim)!r}, but its ends lie {last[0]:.3g} apart, and neighbours "
            f"{steps:.3g} at most; leave it out of periodic"
        )


def _typical(steps: Any) -> Any:
    """The median length of steps at each place along a dimension; 0 where none is known."""
    lengths = np.sqrt((steps**2).sum(axis=0))
    return np.array([np.median(some[some >= 0]) if (some >= 0).any() else 0.0 for some in lengths])
