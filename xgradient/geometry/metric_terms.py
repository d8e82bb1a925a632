"""The geometry of grids whose nodes have positions: from tangents to weights of derivatives.

The derivatives of a field by the indices i and j of a grid are known, and so are those of the
positions r of its nodes, the tangents. With n the normal of the surface, the dual vectors

    ∇i = (∂_j r × n) / (n · (∂_i r × ∂_j r)),    ∇j = (n × ∂_i r) / (n · (∂_i r × ∂_j r))

turn them into a gradient, ∇f = ∇i ∂_i f + ∇j ∂_j f. Positions are Cartesian, on the globe in three
dimensions, so that poles, folds and the date line are places like others. All of this is lazy where
positions are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..engine.chunked import to_device_of
from ..engine.evaluate import derivatives, evaluate_sums
from ..engine.terms import Term, TermSum
from ..stencils.cache import LRUCache
from ..stencils.table import Stencil, identity_stencil
from .grid import mask_invalid
from .metrics import Globe

#: The pairs of directions of a Hessian: 0 is east or x, 1 is north or y.
HESSIAN_PAIRS = ((0, 0), (0, 1), (1, 1))

#: One array for each component.
Vector = Sequence[Any]

T = TypeVar("T")

#: What was made for grids in memory, with the arrays that it was made of: up to so many bytes.
_WEIGHTS_CACHE: LRUCache[tuple[Sequence[NDArray[Any]], int, Any]] = LRUCache(
    1 << 29, lambda made: made[1]
)


@dataclass(frozen=True, eq=False)
class NodePositions:
    """The nodes of a grid on a surface.

    Attributes
    ----------
    at : tuple of Variable
        Cartesian coordinates: two in the plane, three on the globe.
    east, north : tuple of Variable
        The unit vectors of the globe, without the last component of ``east``, which is zero;
        empty in the plane, where they are the axes.
    rounding : float
        How far positions may be off, over their size; cells that are no larger have collapsed.
    """

    xyz: tuple[xr.Variable, ...]
    east: tuple[xr.Variable, ...] = ()
    north: tuple[xr.Variable, ...] = ()
    rounding: float = 0.0

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """The dimensions of positions: those of the grid, and others if cells are missing."""
        return self.xyz[0].dims

    def arrays(self) -> list[Any]:
        """All of it, as arrays of one shape."""
        every = *self.xyz, *self.east, *self.north
        return [_broadcast(part, self.xyz[0].sizes).data for part in every]

    def to_device_of(self, field: xr.Variable) -> NodePositions:
        """The same nodes where a field is, for what is made of them to be there, too."""
        at, east, north = (
            tuple(part.copy(data=to_device_of(part.data, field.data)) for part in parts)
            for parts in (self.xyz, self.east, self.north)
        )
        return NodePositions(at, east, north, self.rounding)

    def masked_by(self, valid: xr.Variable) -> NodePositions:
        """The nodes where a field has values; the others are missing."""
        dims = *(d for d in valid.dims if d not in self.dims), *self.dims
        return replace(self, xyz=tuple(mask_invalid(r, valid).transpose(*dims) for r in self.xyz))


@dataclass(frozen=True, eq=False)
class IndexStencils:
    """The derivatives by i and by j of arrays on a grid.

    Attributes
    ----------
    dims : tuple of hashable
        The dimensions along which i and j count.
    first, second : tuple of Stencil
        First and second derivatives by i and by j.
    centred : tuple of Stencil or None
        Second derivatives where windows are centred, with which the first ones are corrected
        there: these have three points, which need not be equally far apart.
    """

    dims: tuple[Hashable, Hashable]
    first: tuple[Stencil, Stencil]
    second: tuple[Stencil, Stencil] | None = None
    corrections: tuple[Stencil, Stencil] | None = None


def cached_by_value(
    key: Hashable, sources: Sequence[NDArray[Any]], size: int, factory: Callable[[], T]
) -> T:
    """What is made of arrays of numbers, or was made of the same ones not long ago.

    To compare them takes a hundredth of the time that it takes to make weights of them.

    Parameters
    ----------
    key : hashable
        All else that it depends on.
    sources : sequence of ndarray
        The arrays, which nobody changes any more.
    size : int
        Bytes that it takes.
    make : callable
        Makes it.
    """

    def right(found: tuple[Sequence[NDArray[Any]], int, Any]) -> bool:
        return all(map(_same_bits, found[0], sources))

    made: T = _WEIGHTS_CACHE.get(key, lambda: (sources, size, factory()), right)[2]
    return made


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a.view(f"i{a.itemsize}"), b.view(f"i{b.itemsize}"))


def positions_on_globe(
    lat: xr.Variable, lon: xr.Variable, globe: Globe, rounding: float
) -> NodePositions:
    """The nodes at latitudes and longitudes in radians."""
    angles = [TermSum((Term(at, 0, identity_stencil(lat.shape[0])),)) for at in (0, 1)]
    made = evaluate_sums([lat.data, lon.data], angles, partial(_positions, globe=globe), 8)
    parts = [xr.Variable(lat.dims, part) for part in made]
    return NodePositions(tuple(parts[:3]), tuple(parts[3:5]), tuple(parts[5:]), rounding)


def _positions(sums: list[Any], fields: list[Any], outs: list[Any], globe: Globe) -> list[Any]:
    with np.errstate(all="ignore"):  # where a coordinate is missing, the position is
        return globe.cartesian(*sums)


def gradient_weights(nodes: NodePositions, stencils: IndexStencils) -> list[list[xr.Variable]]:
    """What index derivatives count in a gradient.

    Returns
    -------
    list of list of Variable
        For the components east (x) and north (y) the weights of the first derivatives by i and
        by j, then of the second ones if steps are uneven. Missing where the grid collapses.
    """
    axes = [nodes.dims.index(d) for d in stencils.dims]
    pairs = [*zip(axes, stencils.first, strict=True)]
    if stencils.corrections:
        pairs += zip(axes, stencils.corrections, strict=True)
    space = len(nodes.xyz)
    sums = [_index_derivative(c, *pair) for pair in pairs for c in range(space)]
    combine = partial(_gradient_weights, space=space, rounding=nodes.rounding)
    made = evaluate_sums(nodes.arrays(), sums, combine, 2 * len(pairs))
    return _rows(nodes, made, len(pairs))


def hessian_weights(nodes: NodePositions, stencils: IndexStencils) -> list[list[xr.Variable]]:
    """What index derivatives count in second derivatives along two directions.

    They are a · Σ_αβ ∇α (∂_αβ f - ∇f · ∂_αβ r) ∇β · b, for α and β both i and j.

    Returns
    -------
    list of list of Variable
        For the pairs east-east, east-north and north-north the weights of ∂_i, ∂_j, ∂_ii, ∂_jj
        and both ∂_j ∂_i and ∂_i ∂_j, whose mean is taken: next to missing values they differ.
    """
    i, j = (nodes.dims.index(d) for d in stencils.dims)
    first, second = stencils.first, stencils.second
    assert second is not None
    pairs = [(i, first[0]), (j, first[1]), (i, second[0]), (j, second[1])]
    space, arrays = len(nodes.xyz), nodes.arrays()
    sums = [_index_derivative(c, *pair) for pair in pairs for c in range(space)]
    once = [made for r in arrays[:space] for made in derivatives(r, pairs[:2])]
    halves = [(axis, stencil.scale(0.5)) for axis, stencil in pairs[1::-1]]
    numbers = range(len(arrays), len(arrays) + len(once))
    twice = [
        TermSum(tuple(Term(n, *by) for n, by in zip(numbers[2 * c :], halves, strict=False)))
        for c in range(space)
    ]
    centred = zip((i, j), stencils.corrections or (), strict=False)
    sums += twice + [_index_derivative(c, *pair) for pair in centred for c in range(space)]
    combine = partial(_hessian_weights, space=space, rounding=nodes.rounding)
    made = evaluate_sums([*arrays, *once], sums, combine, 5 * len(HESSIAN_PAIRS))
    return _rows(nodes, made, 5)


def _rows(nodes: NodePositions, made: list[Any], length: int) -> list[list[xr.Variable]]:
    parts = [xr.Variable(nodes.dims, part) for part in made]
    return [parts[at : at + length] for at in range(0, len(parts), length)]


def _broadcast(values: xr.Variable, sizes: Mapping[Hashable, int]) -> xr.Variable:
    """The same values along more dimensions."""
    spread: xr.Variable = values.set_dims(sizes)  # type: ignore[no-untyped-call]
    return spread


def _index_derivative(field: int, axis: int, stencil: Stencil) -> TermSum:
    return TermSum((Term(field, axis, stencil),))


def _gradient_weights(
    sums: list[Any], fields: list[Any], outs: list[Any], space: int, rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        first, second = _split(sums, space)
        duals, shifts = _dual_basis(first, second, fields, rounding)
        corrections = [[-k * a for k, a in zip(shifts, row, strict=False)] for row in duals]
        return [*duals[0], *corrections[0], *duals[1], *corrections[1]]


def _hessian_weights(
    sums: list[Any], fields: list[Any], outs: list[Any], space: int, rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        first, others = _split(sums, space)
        bends, centred, plain = others[:3], others[3:], [*first]
        duals, shifts = _dual_basis(first, centred, fields, rounding)
        share = _second_difference_scales(plain, first, centred)
        made = []
        for a, b in HESSIAN_PAIRS:
            (ai, aj), (bi, bj) = duals[a], duals[b]
            by = [k * c for k, c in zip((ai * bi, aj * bj, ai * bj + aj * bi), share, strict=True)]
            bend = [_dot(by, parts) for parts in zip(*bends, strict=True)]
            east, north = _horizontal_components(bend, fields)
            lower = [-(e * east + n * north) for e, n in zip(*duals, strict=True)]
            if shifts:
                by = [by[0] - shifts[0] * lower[0], by[1] - shifts[1] * lower[1], by[2]]
            made += [*lower, *by[:2], by[2] / 2]
        return made


def _split(sums: list[Any], space: int) -> tuple[list[Vector], list[Vector]]:
    """Sums as vectors, the tangents by themselves."""
    vectors: list[Vector] = [sums[at : at + space] for at in range(0, len(sums), space)]
    return vectors[:2], vectors[2:]


def _dual_basis(
    tangents: list[Vector], bends: list[Vector], fields: list[Any], rounding: float
) -> tuple[list[list[Any]], list[Any]]:
    """The dual vectors along both directions, and what corrects derivatives for uneven steps.

    With steps h and h' to the neighbours, the derivative of the parabola through three points is
    proportional to ∂_i f - k ∂_ii f with k = (h'² - h²) / (h'² + h²) / 2. Where the bends are
    zero, as next to ends, so is k.
    """
    shifts = [
        _dot(t, u) / (2 * _dot(t, t) + _dot(u, u) / 2)
        for t, u in zip(tangents, bends, strict=False)
    ]
    for at, (k, u) in enumerate(zip(shifts, bends, strict=False)):
        tangents[at] = [x - k * y for x, y in zip(tangents[at], u, strict=True)]
    (e, n), (e_, n_) = (_horizontal_components(t, fields) for t in tangents)
    area = e * n_ - e_ * n
    across, up = (rounding * size for size in _position_sizes(fields))
    nothing = abs(area) <= across * (abs(n) + abs(n_)) + up * (abs(e) + abs(e_))
    area = np.where(nothing, np.nan, area)
    return [[n_ / area, -n / area], [-e_ / area, e / area]], shifts


def _second_difference_scales(
    tangents: list[Vector], corrected: list[Vector], bends: list[Vector]
) -> list[Any]:
    """What products of dual vectors count for second differences by i, by j and by both.

    With uneven steps the one by i is (h² + h'²) / 2 times a second derivative, and that by both
    has tangents without correction.
    """
    if not bends:
        return [1.0, 1.0, 1.0]
    found = [_dot(t, t) for t in corrected]
    taken = [_dot(t, t) for t in tangents]
    own = [a / (b + _dot(u, u) / 4) for a, b, u in zip(found, taken, bends, strict=True)]
    return [*own, np.sqrt(found[0] / taken[0] * (found[1] / taken[1]))]


def _horizontal_components(vector: Vector, fields: list[Any]) -> tuple[Any, Any]:
    """The components of a vector east and north, or along x and y."""
    if len(vector) == 2:
        return vector[0], vector[1]
    return _dot(fields[3:5], vector), _dot(fields[5:8], vector)


def _position_sizes(fields: list[Any]) -> tuple[Any, Any]:
    """The sizes of positions along both directions."""
    if len(fields) < 8:
        return abs(fields[0]), abs(fields[1])
    radius = np.sqrt(_dot(fields[:3], fields[:3]))
    return radius, radius


def _dot(a: Vector, b: Vector) -> Any:
    """The inner product; a last component that one of them lacks is zero."""
    first, *others = (x * y for x, y in zip(a, b, strict=False))
    for other in others:
        first = first + other
    return first
