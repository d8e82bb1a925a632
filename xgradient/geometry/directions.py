"""Directions of x and y on the Earth: of grids of two-dimensional coordinates and rotated poles."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import latlon_kind
from ..labels.coordinates import CoordRef, squeezed
from ..labels.hints import quote_names
from ..labels.standard_names import direction_of_coord, is_rotated, is_time
from ..stencils.scheme import Scheme
from .curvilinear import CurvilinearGrid
from .direction_weights import DirectionWeights
from .grid import GridDirections
from .horizontal import LATLON_KINDS, HorizontalCoords, find_horizontal_coords
from .metrics import Globe
from .projected import find_projected_coords
from .projection import NAMES, Projection

#: Least order of accuracy of directions, which change slowly along a grid. Components that are
#: rotated are differentiated afterwards, so it is higher than that of a call.
DIRECTION_ACCURACY = 6
#: Names of dimensions along x and y: x, xc, xi_rho, ni, rlon, grid_xt and so on.
_SUFFIX = r"([a-z]?([_\W\d].*)?)"
DIM_NAMES = {
    "x": re.compile(rf"(n|r|s|grid_)?(x|i|xi|lon|longitude|west_east|easting){_SUFFIX}"),
    "y": re.compile(rf"(n|r|s|grid_)?(y|j|eta|lat|latitude|south_north|northing){_SUFFIX}"),
    "z": re.compile(rf"(n|i)?(z|k|lev|level|depth|height|bottom_top){_SUFFIX}"),
    "t": re.compile("x?time|t"),
}


def curvilinear_directions(
    obj: XarrayObject, coords: HorizontalCoords, weights: DirectionWeights
) -> GridDirections:
    """Return the directions along both indices of a grid of latitudes and longitudes."""
    lon, lat = (ref.name for ref in coords.pair)
    return GridDirections((lon, lat), "earth", partial(index_directions, obj, coords, weights))


def index_directions(
    obj: XarrayObject, coords: HorizontalCoords, weights: DirectionWeights
) -> list[xr.Variable]:
    """Return unit vectors along both indices of a grid, as `GridDirections` has them.

    With ∇i and ∇j the weights of a gradient, the tangents are at right angles to these: that along
    i is (∇j_north, -∇j_east) times the area of a cell, and that along j is (-∇i_north, ∇i_east).

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, whose names and attributes say which index is along x.
    coords : HorizontalCoords
        The latitude and the longitude.
    weights : DirectionWeights
        Weights of index derivatives; only their positions are used.
    """
    signs = grid_dims(obj, coords.dims)
    least = min(grid_axis.axis.nodes.n for grid_axis in weights.index_axes) - 1
    accuracy = max(1, min(least, max(DIRECTION_ACCURACY, weights.scheme.accuracy + 2)))
    # Positions may be missing on land, where stencils become one-sided.
    skipna = any(_may_be_missing(values) for values in weights.positions.xyz[:1])
    scheme = Scheme.checked(1, accuracy, accuracy, skipna)
    smooth = replace(weights, scheme=scheme, valid_cells=(), local_positions=None, _cache={})
    (east_i, east_j), (north_i, north_j), _ = smooth.gradient([])
    area = east_i * north_j - east_j * north_i
    tangents = {
        coords.dims[0]: (north_j * area, east_j * area * -1.0),
        coords.dims[1]: (north_i * area * -1.0, east_i * area),
    }
    vectors = []
    for dim, sign in signs:
        east, north = tangents[dim]
        length = (east**2 + north**2) ** 0.5 * sign
        vectors += [east / length, north / length]
    return vectors


def _may_be_missing(values: xr.Variable) -> bool:
    return not isinstance(values.data, np.ndarray) or bool(np.isnan(values.data).any())


def grid_dims(
    obj: XarrayObject, dims: tuple[Hashable, Hashable]
) -> tuple[tuple[Hashable, int], tuple[Hashable, int]]:
    """Return the dimension along x and that along y, each with the sign of x or y along it.

    A coordinate that decreases along its dimension has the sign -1, and so have the indices of
    GRIB messages that are scanned from east to west or from north to south.

    Raises
    ------
    ValueError
        If neither coordinates nor names say which dimension is which.
    """
    letters = {dim: letter_of_dim(obj, dim) for dim in dims}
    for dim, other in (dims, dims[::-1]):
        if letters[dim] is None and letters[other] in ("x", "y"):
            letters[dim] = "y" if letters[other] == "x" else "x"
    if set(letters.values()) != {"x", "y"}:
        raise ValueError(
            f"components are relative to the grid, but which of {quote_names(dims)} is along its x "
            f"is not clear; say so by a coordinate with the attribute axis='X', e.g. "
            f".assign_coords({dims[-1]}=({str(dims[-1])!r}, "
            f"range(data.sizes[{str(dims[-1])!r}]), {{'axis': 'X'}}))"
        )
    by_letter = {letter: dim for dim, letter in letters.items()}
    x, y = by_letter["x"], by_letter["y"]
    return (x, _sign_along(obj, x, "x")), (y, _sign_along(obj, y, "y"))


def _coords_along(obj: XarrayObject, dim: Hashable) -> list[tuple[Hashable, xr.Variable]]:
    """Return the numeric coordinates along one dimension."""
    return [
        (name, coord)
        for name, coord in obj.coords.variables.items()
        if coord.dims == (dim,) and getattr(coord.dtype, "kind", "") in "iuf"
    ]


def letter_of_dim(obj: XarrayObject, dim: Hashable) -> str | None:
    """Return "x", "y", "z" or "t" by the coordinates along a dimension, else by its name."""
    for name, coord in [*_coords_along(obj, dim), (dim, None)]:
        if letter := direction_of_coord(name, coord) or NAMES.get(str(name).lower()):
            return letter
    if any(is_time(c) for c in obj.coords.variables.values() if c.dims == (dim,)):
        return "t"
    name = str(dim).lower()
    return next((letter for letter, names in DIM_NAMES.items() if names.fullmatch(name)), None)


def _sign_along(obj: XarrayObject, dim: Hashable, letter: str) -> int:
    """Return -1 if x or y decreases along a dimension, else 1."""
    for _, coord in _coords_along(obj, dim):
        if coord.size > 1:
            ends = np.asarray(coord[[0, -1]].to_numpy(), dtype=np.float64)
            return -1 if ends[0] > ends[1] else 1
    attr, reverse = {"x": ("iScansNegatively", 1), "y": ("jScansPositively", 0)}[letter]
    return -1 if obj.attrs.get(f"GRIB_{attr}") == reverse else 1


def rotated_directions(
    obj: XarrayObject,
    refs: Sequence[CoordRef],
    globe: Globe,
    crs: Any,
    fields: Sequence[xr.DataArray],
) -> GridDirections | None:
    """Return the directions of the latitudes and longitudes of a rotated pole; None for others.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data.
    refs : sequence of CoordRef
        The coordinates that the call names, along a dimension each.
    globe : Globe
        The model of the Earth.
    crs : pyproj.CRS or None
        The coordinate reference system, if the call has one.
    fields : sequence of DataArray
        The fields, with whose chunks directions are made.
    """
    by_kind = {kind: ref for ref in refs if (kind := latlon_kind(ref.name, ref.coord))}
    is_derived = crs is not None and crs.is_derived
    if not by_kind or not (
        is_derived or any(is_rotated(r.name, r.coord) for r in by_kind.values())
    ):
        return None

    def unit_vectors() -> Sequence[xr.Variable]:
        if is_derived:
            projection = Projection(crs, globe)
            letters = {"xy"[LATLON_KINDS.index(kind)]: ref for kind, ref in by_kind.items()}
            return find_projected_coords(obj, projection, {}, letters, fields).unit_vectors()
        if (vectors := directions_by_latlon(obj, globe)) is None:
            raise ValueError(
                f"components are relative to the Earth, but how {quote_names(names)} of a rotated "
                "pole lie on it is not known; give metric='cf' for the grid mapping of the data, "
                "or a pyproj.CRS"
            )
        return vectors

    first, second = (by_kind.get(kind) for kind in LATLON_KINDS)
    names = [ref.name for ref in by_kind.values()]
    return GridDirections((first and first.name, second and second.name), "grid", unit_vectors)


def directions_by_latlon(obj: XarrayObject, globe: Globe) -> list[xr.Variable] | None:
    """Return unit vectors along x and y by the two-dimensional latitude and longitude of data."""
    two_dim = [
        CoordRef(None, name, coord)
        for name, given in obj.coords.variables.items()
        if given.ndim > 1 and latlon_kind(name, given) == "longitude"
        for coord in (squeezed(given),)
        if set(coord.dims) <= set(obj.dims)
    ]
    if len(two_dim) != 1:
        return None
    coords = find_horizontal_coords(obj, two_dim, globe)
    grid: CurvilinearGrid = coords.make_grid([], {}, Scheme())
    return index_directions(obj, coords, grid.weights)
