"""Pairs of coordinates of two dimensions, and the positions of the grid points they give."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..engine.chunked import to_device_of, with_lazy_check
from ..labels.angles import check_units, latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, describe_coord, squeezed
from ..labels.hints import quote_names
from ..stencils.nodes import uniform_nodes
from ..stencils.positions import check_known_length
from ..stencils.scheme import Scheme
from .angles import check_angles, coord_of, full_circle, radians_per_unit
from .curvilinear import CurvilinearGrid
from .cyclic import cyclic_points
from .decoding import check_decoded
from .direction_weights import DirectionWeights
from .grid_axis import CoordLabel, GridAxis, HorizontalDirection
from .metric_terms import NodePositions, positions_on_globe
from .metrics import Globe
from .value_cache import cached_by_value

LATLON_KINDS = ("longitude", "latitude")
#: Names of dimensions, in small letters, along which each position is a grid by itself.
_FURTHER = re.compile("x?times?|t|faces?|tiles?")


@dataclass(frozen=True, eq=False)
class HorizontalCoords:
    """Two coordinates along the same two dimensions.

    Attributes
    ----------
    pair : tuple of CoordRef
        The longitude and the latitude, or x and y in the order of the call.
    globe : Globe or None
        The model of the Earth; None for the plane.
    dims : tuple of hashable
        The two dimensions of the grid. Along others that the coordinates have, such as the time of
        a moving nest or the faces of a cube, each grid is separate.
    """

    pair: tuple[CoordRef, CoordRef]
    globe: Globe | None
    dims: tuple[Hashable, Hashable]

    @property
    def all_dims(self) -> tuple[Hashable, ...]:
        """Dimensions of both coordinates; those of the grid come last."""
        others = [dim for dim in self.pair[0].dims if dim not in self.dims]
        return (*others, *self.dims)

    def direction(self, ref: CoordRef) -> HorizontalDirection:
        """Return the direction in which one coordinate increases while the other is constant."""
        component = [other.name for other in self.pair].index(ref.name)
        units = coord_of(ref).attrs.get("units") if self.globe is None else "m"
        label = CoordLabel(ref.name, ref.long_name, units)
        kind = None if self.globe is None else LATLON_KINDS[component]
        return HorizontalDirection(
            label, self.all_dims, component, kind, is_curved=self.globe is not None
        )

    def make_grid(
        self,
        grid_axes: list[GridAxis | HorizontalDirection],
        closed: Mapping[Hashable, Any],
        scheme: Scheme,
    ) -> CurvilinearGrid:
        """Return the grid of a call with these coordinates.

        Parameters
        ----------
        grid_axes : list of GridAxis or HorizontalDirection
            The axes that the call names.
        closed : mapping from dimension to bool
            True for dimensions along which the grid is periodic.
        scheme : Scheme
            Accuracy and boundary rows of derivatives.

        Raises
        ------
        TypeError, ValueError
            If a coordinate has impossible values, or a periodic dimension does not close.
        """
        x, y = (self._read(ref, kind) for ref, kind in zip(self.pair, LATLON_KINDS, strict=True))
        i, j = (self._index_axis(dim, closed.get(dim, False), x, y) for dim in self.dims)
        weights = DirectionWeights(partial(self._positions, x, y), (i, j), scheme)
        axes = [grid_axis.axis for grid_axis in grid_axes if isinstance(grid_axis, GridAxis)]
        return CurvilinearGrid(tuple(grid_axes), weights, cyclic=cyclic_points(axes))

    def _index_axis(
        self, dim: Hashable, is_closed: Any, x: xr.Variable, y: xr.Variable
    ) -> GridAxis:
        """Return the axis of indices along a dimension, after a check that it may be periodic."""
        n = x.sizes[dim]
        check_known_length(n, f"dimension {str(dim)!r}")
        if not isinstance(is_closed, bool | np.bool_):
            raise ValueError(
                f"the period of {str(dim)!r} is {is_closed!r}, but a grid is periodic by its "
                "positions; give True"
            )
        if is_closed:
            _check_closure(self._positions(x, y), dim)
        nodes = uniform_nodes(n, 1.0, periodic=bool(is_closed))
        return GridAxis(Axis(dim, dim, str(dim), None, nodes))

    def _positions(
        self, x: xr.Variable, y: xr.Variable, field: xr.Variable | None = None
    ) -> NodePositions:
        """Return the positions of grid points on the device of a field; lazy ones stay lazy."""
        if field is not None and x.chunks is y.chunks is None:
            x, y = (values.copy(data=to_device_of(values.data, field.data)) for values in (x, y))
        rounding = max(_relative_rounding(ref) for ref in self.pair)
        k, m = (1.0 if self.globe is None else radians_per_unit(ref) for ref in self.pair)

        def make() -> NodePositions:
            if self.globe is None:
                return NodePositions((x, y), rounding=rounding)
            return positions_on_globe(y * m, x * k, self.globe, rounding)

        if not all(isinstance(values.data, np.ndarray) for values in (x, y)):
            return make()
        key = "positions", self.globe, k, m, rounding, self.all_dims
        return cached_by_value(key, [x.data, y.data], 5 * (x.nbytes + y.nbytes), make)

    def _read(self, ref: CoordRef, kind: str) -> xr.Variable:
        """Return a coordinate in float64 with the dimensions in order; lazy if it is lazy.

        On a globe its values are checked as angles: now, or when a lazy one is computed.
        """
        given, label = coord_of(ref), f"coordinate {str(ref.name)!r}"
        if given.dtype.kind not in "iuf":
            raise TypeError(
                f"{label} has dtype {given.dtype}, which is not numeric; convert it to numbers "
                "first"
            )
        coord = given.to_base_variable().transpose(*self.all_dims)
        coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, label))
        # A coordinate on a GPU is copied to memory: weights may be made on any device.
        coord = (coord if coord.chunks else coord.as_numpy()).astype(np.float64)
        if self.globe is None:
            return coord
        n, circle = max(coord.shape), full_circle(ref)
        check = partial(check_angles, kind=kind, name=ref.name, circle=circle, n=n)
        return coord.copy(data=with_lazy_check(coord.data, check))


def find_horizontal_coords(
    obj: XarrayObject, refs: list[CoordRef], globe: Globe | None
) -> HorizontalCoords:
    """Return the pair of coordinates to which coordinates of a call belong.

    Parameters
    ----------
    obj : DataArray or Dataset
        On a globe, a latitude or longitude that the call does not name is found here.
    refs : list of CoordRef
        The coordinates of the call that have two dimensions or, on a globe, are angles.
    globe : Globe or None
        The metric; None for the plane.

    Raises
    ------
    ValueError
        If they do not belong to one pair.
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
    return HorizontalCoords(pair, globe, _grid_dims(obj, pair[0]))


def _grid_dims(obj: XarrayObject, ref: CoordRef) -> tuple[Hashable, Hashable]:
    """Return the two dimensions of a grid whose positions may change along others.

    These are the dimensions that CF calls X and Y, else those that are neither times nor faces.

    Raises
    ------
    ValueError
        If these are not two.
    """
    dims = list(ref.dims)
    if len(dims) > 2:
        coords = list(obj.coords.variables.values())
        axes = {d: {c.attrs.get("axis") for c in coords if c.dims == (d,)} for d in dims}
        times = {c.dims[0] for c in coords if c.ndim == 1 and c.dtype.kind in "mMO"}
        named = [dim for dim in dims if axes[dim] & {"X", "Y"}]
        others = [
            dim
            for dim in dims
            if not (dim in times or axes[dim] & {"T", "Z"} or _FURTHER.fullmatch(str(dim).lower()))
        ]
        found = next((two for two in (named, others) if len(two) == 2), None)
        if found is None:
            raise ValueError(
                f"{describe_coord(ref)}, and which two are those of the grid is not clear; say so "
                "by coordinates along them with the attributes axis='X' and axis='Y', e.g. "
                f".assign_coords({dims[-1]}=({str(dims[-1])!r}, "
                f"range(data.sizes[{str(dims[-1])!r}]), {{'axis': 'X'}}))"
            )
        dims = found
    first, second = dims
    return first, second


def _pair_in_plane(obj: XarrayObject, refs: list[CoordRef]) -> tuple[CoordRef, CoordRef]:
    """Return x and y, which a call must both name."""
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
    """Return the longitude and the latitude, of which a call may name one."""
    by_kind: dict[str, CoordRef] = {}
    for ref in refs:
        kind = latlon_kind(ref.name, ref.coord)
        if kind is None:
            check_units(ref.name, ref.coord)
            raise ValueError(
                f"metric={type(globe).__name__} is for latitudes and longitudes, but "
                f"{str(ref.name)!r} is neither by its units, standard_name or name; leave out "
                "metric or set units such as 'degrees_north'"
            )
        if kind in by_kind:
            raise ValueError(
                f"{str(by_kind[kind].name)!r} and {str(ref.name)!r} are both {kind}s; name one "
                "latitude and one longitude"
            )
        by_kind[kind] = ref
    for kind in LATLON_KINDS:
        if kind not in by_kind:
            by_kind[kind] = _matching_coord(obj, kind, refs[0])
    return by_kind["longitude"], by_kind["latitude"]


def _matching_coord(obj: XarrayObject, kind: str, ref: CoordRef) -> CoordRef:
    """Return the latitude or longitude along the dimensions of its counterpart."""
    others = [
        CoordRef(None, name, coord)
        for name, given in obj.coords.variables.items()
        for coord in (given if set(given.dims) == set(ref.dims) else squeezed(given),)
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
    """Return the relative error of values, and of positions made of them, by rounding."""
    least, dtype = 8 * float(np.finfo(np.float64).eps), coord_of(ref).dtype
    return max(least, 2 * float(np.finfo(dtype).eps)) if dtype.kind == "f" else least


def _check_closure(positions: NodePositions, dim: Hashable) -> None:
    """Refuse a grid that does not close along a dimension, or repeats its first cells at its end.

    Positions on dask are not checked, because nothing is computed before results are.
    """
    if any(values.chunks is not None for values in positions.xyz):
        return
    others = [d for d in positions.dims if d != dim]
    sample = {d: slice(None, None, max(1, positions.xyz[0].sizes[d] // 32)) for d in others}
    sampled = [values.isel(sample).transpose(dim, *others).values for values in positions.xyz]
    xyz = np.stack([values.reshape(len(values), -1) for values in sampled])
    n = xyz.shape[1]
    step = _median_steps(xyz[:, 1:] - xyz[:, :-1]).max(initial=0)
    gaps = [_median_steps(xyz[:, n - k : n - k + 1] - xyz[:, :1])[0] for k in range(1, min(4, n))]
    for k, gap in enumerate(gaps, start=1):
        if gap < 1e-3 * step:
            raise ValueError(
                f"periodic names {str(dim)!r}, but the last {k} cells along it repeat the first; "
                f"drop them, e.g. with .isel({dim}=slice(None, -{k}))"
            )
    if gaps and gaps[0] > 2 * step:
        raise ValueError(
            f"periodic names {str(dim)!r}, but its ends lie {gaps[0]:.3g} apart, and neighbours "
            f"{step:.3g} at most; leave it out of periodic"
        )


def _median_steps(steps: Any) -> Any:
    """Return the median length of steps at each index of a dimension; 0 if none is known."""
    lengths = np.sqrt((steps**2).sum(axis=0))
    return np.array([np.median(row[row >= 0]) if (row >= 0).any() else 0.0 for row in lengths])
