"""Coordinates of two dimensions: which two belong together, and where the nodes of a grid are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..engine.chunked import to_device_of, with_lazy_check
from ..labels.angles import check_units, is_in_degrees, latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, describe_coord
from ..labels.hints import quote_names
from ..stencils.nodes import uniform_nodes
from ..stencils.positions import check_known_length
from ..stencils.scheme import Scheme
from .curvilinear import CurvilinearGrid
from .cyclic import cyclic_points
from .decoding import check_decoded
from .direction_weights import DirectionWeights
from .grid_axis import CoordLabel, GridAxis, HorizontalDirection
from .metric_terms import NodePositions, cached_by_value, positions_on_globe
from .metrics import Globe, check_angles

LATLON_KINDS = ("longitude", "latitude")


@dataclass(frozen=True, eq=False)
class HorizontalCoords:
    """Two coordinates along the same two dimensions.

    Attributes
    ----------
    pair : tuple of Place
        The longitude and the latitude, or x and y in the order that they were named.
    globe : Sphere, Ellipsoid or None
        The surface; None for the plane.
    """

    pair: tuple[CoordRef, CoordRef]
    globe: Globe | None

    @property
    def dims(self) -> tuple[Hashable, Hashable]:
        """Their dimensions."""
        first, second = self.pair[0].dims
        return first, second

    def direction(self, ref: CoordRef) -> HorizontalDirection:
        """The direction in which one of the coordinates increases alone."""
        toward = [other.name for other in self.pair].index(ref.name)
        assert ref.coord is not None
        units = ref.coord.attrs.get("units") if self.globe is None else "m"
        label = CoordLabel(ref.name, ref.long_name, units)
        return HorizontalDirection(
            label, self.dims, toward, None if self.globe is None else LATLON_KINDS[toward]
        )

    def make_grid(
        self,
        grid_axes: list[GridAxis | HorizontalDirection],
        closed: Mapping[Hashable, Any],
        scheme: Scheme,
    ) -> CurvilinearGrid:
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
        x, y = (self._values(ref, kind) for ref, kind in zip(self.pair, LATLON_KINDS, strict=True))
        along = []
        for dim in self.dims:
            n = x.sizes[dim]
            check_known_length(n, f"dimension {str(dim)!r}")
            wanted = closed.get(dim, False)
            if not isinstance(wanted, bool | np.bool_):
                raise ValueError(
                    f"the period of {str(dim)!r} is {wanted!r}, but the positions of a grid tell "
                    "where it closes; give True"
                )
            if wanted:
                _check_closure(self._points(x, y), dim)
            nodes = uniform_nodes(n, 1.0, periodic=bool(wanted))
            along.append(GridAxis(Axis(dim, dim, str(dim), None, nodes)))
        weights = DirectionWeights(partial(self._points, x, y), (along[0], along[1]), scheme)
        points = cyclic_points(
            [grid_axis.axis for grid_axis in grid_axes if isinstance(grid_axis, GridAxis)]
        )
        return CurvilinearGrid(tuple(grid_axes), weights, cyclic=points)

    def _points(
        self, x: xr.Variable, y: xr.Variable, field: xr.Variable | None = None
    ) -> NodePositions:
        """The nodes, where a field is; lazy ones are made in memory."""
        if field is not None and x.chunks is y.chunks is None:
            x, y = (part.copy(data=to_device_of(part.data, field.data)) for part in (x, y))
        rounding = max(_relative_rounding(place) for place in self.pair)
        k, m = (_radians(ref) for ref in self.pair)

        def make() -> NodePositions:
            if self.globe is None:
                return NodePositions((x, y), rounding=rounding)
            return positions_on_globe(y * m, x * k, self.globe, rounding)

        if not all(isinstance(part.data, np.ndarray) for part in (x, y)):
            return make()
        key = "points", self.globe, k, m, rounding, self.dims
        return cached_by_value(key, [x.data, y.data], 5 * (x.nbytes + y.nbytes), make)

    def _values(self, ref: CoordRef, kind: str) -> xr.Variable:
        """A coordinate along the dimensions in their order, in float64; lazy if it is.

        On a globe it is an angle, which is looked at: now, or if it is lazy when it is computed.
        """
        assert ref.coord is not None
        if ref.coord.dtype.kind not in "iuf":
            raise TypeError(
                f"coordinate {str(ref.name)!r} has dtype {ref.coord.dtype}, which is not "
                "numeric; convert it to numbers first"
            )
        coord = ref.coord.to_base_variable().transpose(*self.dims)
        label = f"coordinate {str(ref.name)!r}"
        coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, label))
        # It is looked at here, wherever weights are made of it.
        coord = (coord if coord.chunks else coord.as_numpy()).astype(np.float64)
        if self.globe is None:
            return coord
        name, turn, n = ref.name, 2 * np.pi / _radians(ref), max(coord.shape)
        check = partial(check_angles, kind=kind, name=name, turn=turn, n=n)
        return coord.copy(data=with_lazy_check(coord.data, check))


def find_horizontal_coords(
    obj: XarrayObject, refs: list[CoordRef], globe: Globe | None
) -> HorizontalCoords:
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
    if len(refs) > 2:
        names = ", ".join(repr(str(ref.name)) for ref in refs)
        raise ValueError(f"{names} are more than the two coordinates of a grid; name two")
    pair = _pair_in_plane(obj, refs) if globe is None else _pair_on_globe(obj, refs, globe)
    if set(pair[0].dims) != set(pair[1].dims):
        raise ValueError(
            f"{describe_coord(pair[0])}, but {describe_coord(pair[1])}; name two along the "
            "same dimensions"
        )
    return HorizontalCoords(pair, globe)


def _pair_in_plane(obj: XarrayObject, refs: list[CoordRef]) -> tuple[CoordRef, CoordRef]:
    for ref in refs:
        if (kind := latlon_kind(ref.name, ref.coord)) is not None:
            raise ValueError(
                f"{describe_coord(ref)} and is a {kind}; give metric='sphere' or 'ellipsoid', with "
                "which derivatives are per metre to the east and north"
            )
    if len(refs) < 2:
        raise ValueError(
            f"{describe_coord(refs[0])}, and one such coordinate alone tells no direction; name "
            f"the other one of the grid, too, or one of the dimensions {quote_names(obj.dims)}"
        )
    return refs[0], refs[1]


def _pair_on_globe(
    obj: XarrayObject, refs: list[CoordRef], globe: Globe
) -> tuple[CoordRef, CoordRef]:
    found: dict[str, CoordRef] = {}
    for ref in refs:
        kind = latlon_kind(ref.name, ref.coord)
        if kind is None:
            check_units(ref.name, ref.coord)
            raise ValueError(
                f"metric={type(globe).__name__} is for latitudes and longitudes, but "
                f"{str(ref.name)!r} is neither by its units, standard_name or name; leave out "
                "metric or set units such as 'degrees_north'"
            )
        if kind in found:
            raise ValueError(
                f"{str(found[kind].name)!r} and {str(ref.name)!r} are both {kind}s; name one "
                "latitude and one longitude"
            )
        found[kind] = ref
    for kind in LATLON_KINDS:
        if kind not in found:
            found[kind] = _matching_coord(obj, kind, refs[0])
    return found["longitude"], found["latitude"]


def _matching_coord(obj: XarrayObject, kind: str, ref: CoordRef) -> CoordRef:
    """The other coordinate of a globe along the same dimensions."""
    others = [
        CoordRef(None, name, coord)
        for name, coord in obj.coords.variables.items()
        if set(coord.dims) == set(ref.dims) and latlon_kind(name, coord) == kind
    ]
    if len(others) == 1:
        return others[0]
    if others:
        names = ", ".join(repr(str(other.name)) for other in others)
        raise ValueError(
            f"{describe_coord(ref)}, and several others may be its {kind}, {names}; name both"
        )
    for name, coord in obj.coords.variables.items():
        check_units(name, coord)
    raise ValueError(
        f"{describe_coord(ref)}, but the data have no {kind} along these; add it, e.g. with "
        ".assign_coords"
    )


def _relative_rounding(ref: CoordRef) -> float:
    """How far values, or positions made of them, may be off, over their size."""
    assert ref.coord is not None
    few, dtype = 8 * float(np.finfo(np.float64).eps), ref.coord.dtype
    return max(few, 2 * float(np.finfo(dtype).eps)) if dtype.kind == "f" else few


def _radians(ref: CoordRef) -> float:
    """Radians in one unit of an angle."""
    assert ref.coord is not None
    return np.pi / 180 if is_in_degrees(ref.coord) else 1.0


def _check_closure(nodes: NodePositions, dim: Hashable) -> None:
    """Refuse a grid that does not close along a dimension, or repeats its first cells at its end.

    Nothing can be told of positions on dask without computing them.
    """
    if any(part.chunks is not None for part in nodes.xyz):
        return
    (other,) = (d for d in nodes.dims if d != dim)
    some = slice(None, None, max(1, nodes.xyz[0].sizes[other] // 32))  # these tell for all
    at = np.stack([part.isel({other: some}).transpose(dim, other).values for part in nodes.xyz])
    n = at.shape[1]
    steps = _median_steps(at[:, 1:] - at[:, :-1]).max(initial=0)
    last = [_median_steps(at[:, n - k : n - k + 1] - at[:, :1])[0] for k in range(1, min(4, n))]
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


def _median_steps(steps: Any) -> Any:
    """The median length of steps at each place along a dimension; 0 where none is known."""
    lengths = np.sqrt((steps**2).sum(axis=0))
    return np.array([np.median(some[some >= 0]) if (some >= 0).any() else 0.0 for some in lengths])
