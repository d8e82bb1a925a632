"""Grids of projected x and y, with lengths on the Earth.

A conformal projection has one map factor m: scale factors are 1/m in both directions, and the
grid is orthogonal. Any other projection uses the positions of its grid points.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..engine.chunked import in_chunks, to_device_of
from ..engine.evaluate import derivatives
from ..labels.axis import Axis, make_axis
from ..labels.coordinates import CoordRef, decoded_coord
from ..labels.hints import quote_names
from ..stencils.scheme import Scheme
from .curvilinear import CurvilinearGrid
from .cyclic import cyclic_points
from .direction_weights import DirectionWeights
from .grid import Grid, GridDirections
from .grid_axis import CoordLabel, GridAxis, HorizontalDirection
from .metric_terms import NodePositions
from .orthogonal import OrthogonalGrid
from .projection import Projection, map_directions, map_factor, map_positions, on_map
from .value_cache import cached_by_value

#: Order of accuracy of derivatives of a map factor, which changes slowly along a grid.
FACTOR_ACCURACY = 6
LETTERS = ("x", "y")
NOT_CONFORMAL = "whose projection is not conformal"


@dataclass(frozen=True, eq=False)
class ProjectedCoords:
    """The x and y of a map projection.

    Attributes
    ----------
    projection : Projection
        The projection.
    refs : mapping from "x" and "y" to CoordRef
        The two coordinates, along a dimension each; one may be a single value.
    axes : mapping from "x" and "y" to Axis
        The axes of those along a dimension.
    chunks : mapping from dimension to tuple of int
        Chunks of the fields along both dimensions; empty for fields in memory.
    """

    projection: Projection
    refs: Mapping[str, CoordRef]
    axes: Mapping[str, Axis]
    chunks: Mapping[Hashable, tuple[int, ...]]

    def positions(self, letter: str) -> xr.Variable:
        """Return x or y in units of the coordinate reference system, in chunks as fields are."""
        ref, axis = self.refs[letter], self.axes.get(letter)
        units = self.projection.units_per(ref)
        if axis is None:
            assert ref.coord is not None
            return xr.Variable((), np.float64(ref.coord.values) * units)
        assert ref.coord is not None
        n, step = axis.nodes.n, axis.nodes.step
        values = np.asarray(ref.coord.values[:n], dtype=np.float64)
        if step is not None:  # without the rounding of the coordinate
            values = values[0] + step * np.arange(n)
        variable = xr.Variable((axis.dim,), values * units)
        if axis.dim in self.chunks:
            data = in_chunks(variable.data, {0: self.chunks[axis.dim]})
            variable = variable.copy(deep=False, data=data)
        return variable

    def evaluate(self, compute: Callable[..., Any], n: int) -> list[xr.Variable]:
        """Compute arrays on the map; those of coordinates in memory are cached by value."""
        x, y = map(self.positions, LETTERS)

        def make() -> list[xr.Variable]:
            return on_map(self.projection, compute, n, x, y)

        if x.chunks or y.chunks:
            return make()
        units = tuple(map(self.projection.units_per, self.refs.values()))
        key = compute.__name__, self.projection, x.dims, y.dims, units
        return cached_by_value(key, [x.data, y.data], 8 * n * x.size * y.size, make)

    def unit_vectors(self) -> list[xr.Variable]:
        """Return unit vectors along x and y on the Earth, as `GridDirections` has them."""
        return self.evaluate(map_directions, 4)

    def direction(self, letter: str) -> HorizontalDirection:
        """Return the direction on the Earth in which x or y increases."""
        ref = self.refs[letter]
        dims = tuple(self.axes[other].dim for other in ("y", "x"))
        label = CoordLabel(ref.name, ref.long_name, "m")
        return HorizontalDirection(
            label, dims, LETTERS.index(letter), is_curved=True, description=NOT_CONFORMAL
        )


def find_projected_coords(
    obj: XarrayObject,
    projection: Projection,
    axes: Mapping[str, Axis],
    refs: Mapping[str, CoordRef],
    fields: Sequence[xr.DataArray],
) -> ProjectedCoords:
    """Return the x and y of a call; one that the call does not name is found among the data.

    Raises
    ------
    ValueError
        If there is no such coordinate, or there are several.
    """
    found = dict(refs)
    for letter in LETTERS:
        if letter not in found:
            found[letter] = _matching_coord(obj, projection, letter, next(iter(refs.values())))
    sizes = obj.sizes
    every = dict(axes)
    for letter, ref in found.items():
        if letter not in every and ref.dim is not None:
            every[letter] = make_axis(ref, sizes[ref.dim])
    chunks = {
        dim: sizes_
        for field in fields[:1]
        if field.chunks is not None
        for dim, sizes_ in field.chunksizes.items()
        if any(axis.dim == dim for axis in every.values())
    }
    return ProjectedCoords(projection, found, every, chunks)


def _matching_coord(
    obj: XarrayObject, projection: Projection, letter: str, ref: CoordRef
) -> CoordRef:
    """Return the x or y that belongs to its counterpart."""
    others = [
        CoordRef(coord.dims[0] if coord.ndim else None, name, decoded_coord(name, coord))
        for name, coord in obj.coords.variables.items()
        if coord.ndim < 2 and getattr(coord.dtype, "kind", "") in "iuf"
    ]
    others = [other for other in others if projection.letter(other) == letter]
    preferred = [other for other in others if other.dim is not None] or others
    if len(preferred) == 1 and preferred[0].dim != ref.dim:
        return preferred[0]
    if preferred:
        raise ValueError(
            f"the {letter} that belongs to {str(ref.name)!r} may be "
            f"{quote_names(other.name for other in preferred)}; name both coordinates of the "
            "projection, along a dimension each"
        )
    raise ValueError(
        f"lengths along {str(ref.name)!r} depend on the {letter} of the projection, but no "
        f"coordinate is one by its attributes or name; add it, e.g. with "
        f".assign_coords({letter}=...)"
    )


def projected_grid(
    coords: ProjectedCoords,
    refs: Sequence[CoordRef],
    others: Mapping[Hashable, Axis],
    scheme: Scheme,
) -> Grid:
    """Return the grid of a call that names x or y of a projection.

    Parameters
    ----------
    coords : ProjectedCoords
        The x and y.
    refs : sequence of CoordRef
        The coordinates that the call names, in its order.
    others : mapping from name to Axis
        The axes of those that are neither x nor y.
    scheme : Scheme
        Accuracy and boundary rows of derivatives.
    """
    letters = {coords.refs[letter].name: letter for letter in LETTERS}
    x, y = letters
    directions = GridDirections((x, y), "grid", coords.unit_vectors)
    points = cyclic_points([*others.values(), *coords.axes.values()])
    if coords.projection.is_conformal:
        by_letter = _conformal_axes(coords)
        axes = tuple(
            by_letter[letters[ref.name]] if ref.name in letters else GridAxis(others[ref.name])
            for ref in refs
        )
        return OrthogonalGrid(axes, cyclic=points, directions=directions)
    missing = [letter for letter in LETTERS if letter not in coords.axes]
    if missing:
        name = str(coords.refs[missing[0]].name)
        raise ValueError(
            f"{name!r} is a single value, but lengths in {coords.projection.crs.name!r} depend on "
            "positions in both directions; take two values at least"
        )
    index_axes = GridAxis(coords.axes["y"]), GridAxis(coords.axes["x"])
    weights = DirectionWeights(
        partial(_node_positions, coords), index_axes, scheme, counts_steps=False
    )
    grid_axes = tuple(
        coords.direction(letters[ref.name]) if ref.name in letters else GridAxis(others[ref.name])
        for ref in refs
    )
    return CurvilinearGrid(grid_axes, weights, cyclic=points, directions=directions)


def _conformal_axes(coords: ProjectedCoords) -> dict[str, GridAxis]:
    """Return x and y with the map factor m: derivatives per metre are m times those by x or y."""
    (factor,) = coords.evaluate(map_factor, 1)
    metres = {
        letter: coords.projection.units_per(coords.refs[letter]) * coords.projection.metres_per_unit
        for letter in coords.axes
    }
    # Scale factors are 1/m, so that ∂ ln h is -∂ ln m.
    dlog = {axis.dim: _dlog(factor, axis) * -1.0 for axis in coords.axes.values()}
    return {
        letter: GridAxis(axis._replace(units="m"), factor / metres[letter], dlog, dlog[axis.dim])
        for letter, axis in coords.axes.items()
    }


def _dlog(factor: xr.Variable, axis: Axis) -> xr.Variable:
    """Return the derivative of the logarithm of a map factor along an axis."""
    n = axis.nodes.n
    if n < 2:
        return xr.zeros_like(factor)
    accuracy = min(FACTOR_ACCURACY, n - 1)
    stencil = Scheme.checked(1, accuracy, accuracy).stencil(axis.nodes, f"{str(axis.dim)!r}")
    logarithm = xr.apply_ufunc(np.log, factor, dask="allowed")
    (values,) = derivatives(logarithm.data, [(factor.dims.index(axis.dim), stencil)])
    return xr.Variable(factor.dims, values)


def _node_positions(coords: ProjectedCoords, field: xr.Variable | None = None) -> NodePositions:
    """Return the positions of grid points on the device of a field; lazy ones stay lazy."""
    arrays = coords.evaluate(map_positions, 15)
    if field is not None:
        arrays = [a.copy(data=to_device_of(a.data, field.data)) for a in arrays]
    vectors = [tuple(arrays[at : at + 3]) for at in range(0, 15, 3)]
    rounding = 8 * float(np.finfo(np.float64).eps)
    return NodePositions(vectors[0], vectors[1], vectors[2], rounding, (vectors[3], vectors[4]))
