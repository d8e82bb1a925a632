"""Weights of index derivatives from the positions of grid points.

Derivatives of a field by the indices i and j of a grid are known. So are those of the positions r
of grid points, the tangents. With n the normal of the surface, the dual vectors

    ∇i = (∂_j r × n) / (n · (∂_i r × ∂_j r)),    ∇j = (n × ∂_i r) / (n · (∂_i r × ∂_j r))

give the gradient ∇f = ∇i ∂_i f + ∇j ∂_j f. Positions are Cartesian, on the globe in three
dimensions, so poles, folds and the date line need no special treatment. Weights are lazy if
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

#: Pairs of directions of a Hessian: 0 is east or x, 1 is north or y.
HESSIAN_PAIRS = ((0, 0), (0, 1), (1, 1))

#: A vector: one array for each component.
Vector = Sequence[Any]

T = TypeVar("T")

#: Positions and weights of grids in memory, with the arrays they were made of and their bytes.
_WEIGHTS_CACHE: LRUCache[tuple[Sequence[NDArray[Any]], int, Any]] = LRUCache(
    1 << 29, lambda entry: entry[1]
)


@dataclass(frozen=True, eq=False)
class NodePositions:
    """Positions of grid points on a surface.

    Attributes
    ----------
    xyz : tuple of Variable
        Cartesian coordinates: two in the plane, three on the globe.
    east, north : tuple of Variable
        Unit vectors on the globe; the last component of ``east`` is zero and left out. Empty in
        the plane.
    rounding : float
        Relative error of the positions. A cell that is not larger has collapsed to a point.
    """

    xyz: tuple[xr.Variable, ...]
    east: tuple[xr.Variable, ...] = ()
    north: tuple[xr.Variable, ...] = ()
    rounding: float = 0.0

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Dimensions of the grid, and others along which missing cells differ."""
        return self.xyz[0].dims

    def arrays(self) -> list[Any]:
        """Return positions and unit vectors as arrays of one shape."""
        every = *self.xyz, *self.east, *self.north
        return [_broadcast(values, self.xyz[0].sizes).data for values in every]

    def to_device_of(self, field: xr.Variable) -> NodePositions:
        """Return the positions on the device of a field."""
        xyz, east, north = (
            tuple(values.copy(data=to_device_of(values.data, field.data)) for values in vector)
            for vector in (self.xyz, self.east, self.north)
        )
        return NodePositions(xyz, east, north, self.rounding)

    def masked_by(self, valid: xr.Variable) -> NodePositions:
        """Return the positions with missing values where ``valid`` is false."""
        dims = *(d for d in valid.dims if d not in self.dims), *self.dims
        return replace(self, xyz=tuple(mask_invalid(r, valid).transpose(*dims) for r in self.xyz))


@dataclass(frozen=True, eq=False)
class IndexStencils:
    """Stencils along both indices of a grid.

    Attributes
    ----------
    dims : tuple of hashable
        The dimensions of the indices i and j.
    first : tuple of Stencil
        First derivatives by i and by j.
    second : tuple of Stencil or None
        Second derivatives by i and by j, for weights of a Hessian.
    corrections : tuple of Stencil or None
        Second derivatives where windows are centred. They correct first derivatives of three
        points for non-uniform spacing.
    """

    dims: tuple[Hashable, Hashable]
    first: tuple[Stencil, Stencil]
    second: tuple[Stencil, Stencil] | None = None
    corrections: tuple[Stencil, Stencil] | None = None


def cached_by_value(
    key: Hashable, sources: Sequence[NDArray[Any]], size: int, factory: Callable[[], T]
) -> T:
    """Return a value made of arrays, from the cache if the arrays have the same bits.

    A comparison takes a hundredth of the time in which weights are made.

    Parameters
    ----------
    key : hashable
        All other things that the value depends on.
    sources : sequence of ndarray
        The arrays, which are not changed afterwards.
    size : int
        Bytes of the value.
    factory : callable
        Makes the value.
    """

    def is_current(entry: tuple[Sequence[NDArray[Any]], int, Any]) -> bool:
        return all(map(_same_bits, entry[0], sources))

    value: T = _WEIGHTS_CACHE.get(key, lambda: (sources, size, factory()), is_current)[2]
    return value


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a.view(f"i{a.itemsize}"), b.view(f"i{b.itemsize}"))


def positions_on_globe(
    lat: xr.Variable, lon: xr.Variable, globe: Globe, rounding: float
) -> NodePositions:
    """Return positions and unit vectors at latitudes and longitudes in radians."""
    angles = [TermSum((Term(at, 0, identity_stencil(lat.shape[0])),)) for at in (0, 1)]
    arrays = evaluate_sums([lat.data, lon.data], angles, partial(_positions, globe=globe), 8)
    values = [xr.Variable(lat.dims, array) for array in arrays]
    return NodePositions(tuple(values[:3]), tuple(values[3:5]), tuple(values[5:]), rounding)


def _positions(sums: list[Any], fields: list[Any], outs: list[Any], globe: Globe) -> list[Any]:
    with np.errstate(all="ignore"):  # missing coordinates give missing positions
        return globe.cartesian(*sums)


def gradient_weights(nodes: NodePositions, stencils: IndexStencils) -> list[list[xr.Variable]]:
    """Return weights that turn index derivatives into a gradient.

    Returns
    -------
    list of list of Variable
        For the components east (x) and north (y) the weights of first derivatives by i and by j;
        then those of second derivatives if ``stencils`` have corrections. Missing where a cell
        has collapsed.
    """
    axes = [nodes.dims.index(d) for d in stencils.dims]
    pairs = [*zip(axes, stencils.first, strict=True)]
    if stencils.corrections:
        pairs += zip(axes, stencils.corrections, strict=True)
    space = len(nodes.xyz)
    sums = [_index_derivative(c, *pair) for pair in pairs for c in range(space)]
    combine = partial(_gradient_weights, space=space, rounding=nodes.rounding)
    weights = evaluate_sums(nodes.arrays(), sums, combine, 2 * len(pairs))
    return _split_weights(nodes, weights, len(pairs))


def hessian_weights(nodes: NodePositions, stencils: IndexStencils) -> list[list[xr.Variable]]:
    """Return weights that turn index derivatives into second derivatives along two directions.

    These are a · Σ_αβ ∇α (∂_αβ f - ∇f · ∂_αβ r) ∇β · b, where α and β are i or j.

    Returns
    -------
    list of list of Variable
        For the pairs east-east, east-north and north-north the weights of ∂_i, ∂_j, ∂_ii, ∂_jj,
        and the weight of each of ∂_j ∂_i and ∂_i ∂_j. These two differ next to missing values,
        and their mean is taken.
    """
    i, j = (nodes.dims.index(d) for d in stencils.dims)
    first, second = stencils.first, stencils.second
    assert second is not None
    pairs = [(i, first[0]), (j, first[1]), (i, second[0]), (j, second[1])]
    space, arrays = len(nodes.xyz), nodes.arrays()
    sums = [_index_derivative(c, *pair) for pair in pairs for c in range(space)]
    tangents = [array for r in arrays[:space] for array in derivatives(r, pairs[:2])]
    halves = [(axis, stencil.scale(0.5)) for axis, stencil in pairs[1::-1]]
    numbers = range(len(arrays), len(arrays) + len(tangents))
    mixed = [
        TermSum(tuple(Term(n, *by) for n, by in zip(numbers[2 * c :], halves, strict=False)))
        for c in range(space)
    ]
    corrections = zip((i, j), stencils.corrections or (), strict=False)
    sums += mixed + [_index_derivative(c, *pair) for pair in corrections for c in range(space)]
    combine = partial(_hessian_weights, space=space, rounding=nodes.rounding)
    weights = evaluate_sums([*arrays, *tangents], sums, combine, 5 * len(HESSIAN_PAIRS))
    return _split_weights(nodes, weights, 5)


def _split_weights(
    nodes: NodePositions, weights: list[Any], length: int
) -> list[list[xr.Variable]]:
    """Return weights as variables, in lists of this length."""
    variables = [xr.Variable(nodes.dims, array) for array in weights]
    return [variables[at : at + length] for at in range(0, len(variables), length)]


def _broadcast(values: xr.Variable, sizes: Mapping[Hashable, int]) -> xr.Variable:
    """Return values along these dimensions."""
    broadcast: xr.Variable = values.set_dims(sizes)  # type: ignore[no-untyped-call]
    return broadcast


def _index_derivative(field: int, axis: int, stencil: Stencil) -> TermSum:
    return TermSum((Term(field, axis, stencil),))


def _gradient_weights(
    sums: list[Any], fields: list[Any], outs: list[Any], space: int, rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        tangents, second = _split_vectors(sums, space)
        duals, shifts = _dual_basis(tangents, second, fields, rounding)
        corrections = [[-k * a for k, a in zip(shifts, row, strict=False)] for row in duals]
        return [*duals[0], *corrections[0], *duals[1], *corrections[1]]


def _hessian_weights(
    sums: list[Any], fields: list[Any], outs: list[Any], space: int, rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        tangents, others = _split_vectors(sums, space)
        second, centred, uncorrected = others[:3], others[3:], [*tangents]
        duals, shifts = _dual_basis(tangents, centred, fields, rounding)
        scales = _second_difference_scales(uncorrected, tangents, centred)
        weights = []
        for a, b in HESSIAN_PAIRS:
            (ai, aj), (bi, bj) = duals[a], duals[b]
            by = [
                product * scale
                for product, scale in zip(
                    (ai * bi, aj * bj, ai * bj + aj * bi), scales, strict=True
                )
            ]
            curvature = [_dot(by, components) for components in zip(*second, strict=True)]
            east, north = _horizontal_components(curvature, fields)
            first = [-(e * east + n * north) for e, n in zip(*duals, strict=True)]
            if shifts:
                by = [by[0] - shifts[0] * first[0], by[1] - shifts[1] * first[1], by[2]]
            weights += [*first, *by[:2], by[2] / 2]
        return weights


def _split_vectors(sums: list[Any], space: int) -> tuple[list[Vector], list[Vector]]:
    """Return the two tangents, and all other sums as vectors."""
    vectors: list[Vector] = [sums[at : at + space] for at in range(0, len(sums), space)]
    return vectors[:2], vectors[2:]


def _dual_basis(
    tangents: list[Vector], second: list[Vector], fields: list[Any], rounding: float
) -> tuple[list[list[Any]], list[Any]]:
    """Return the dual vectors along both directions, and corrections for non-uniform spacing.

    The tangents are corrected in place. With steps h and h' to the neighbours, the derivative of
    the parabola through three points is proportional to ∂_i f - k ∂_ii f, where
    k = (h'² - h²) / (h'² + h²) / 2. Where second derivatives are zero, as next to boundaries, so
    is k.
    """
    shifts = [
        _dot(t, u) / (2 * _dot(t, t) + _dot(u, u) / 2)
        for t, u in zip(tangents, second, strict=False)
    ]
    for at, (k, u) in enumerate(zip(shifts, second, strict=False)):
        tangents[at] = [x - k * y for x, y in zip(tangents[at], u, strict=True)]
    (e, n), (e_, n_) = (_horizontal_components(t, fields) for t in tangents)
    area = e * n_ - e_ * n
    east_error, north_error = (rounding * size for size in _position_sizes(fields))
    collapsed = abs(area) <= east_error * (abs(n) + abs(n_)) + north_error * (abs(e) + abs(e_))
    area = np.where(collapsed, np.nan, area)
    return [[n_ / area, -n / area], [-e_ / area, e / area]], shifts


def _second_difference_scales(
    tangents: list[Vector], corrected: list[Vector], second: list[Vector]
) -> list[Any]:
    """Return factors of products of dual vectors for second differences by i, by j and by both.

    With non-uniform steps, the second difference by i is (h² + h'²) / 2 times a second derivative.
    The one by both has tangents without correction.
    """
    if not second:
        return [1.0, 1.0, 1.0]
    after = [_dot(t, t) for t in corrected]
    before = [_dot(t, t) for t in tangents]
    own = [a / (b + _dot(u, u) / 4) for a, b, u in zip(after, before, second, strict=True)]
    return [*own, np.sqrt(after[0] / before[0] * (after[1] / before[1]))]


def _horizontal_components(vector: Vector, fields: list[Any]) -> tuple[Any, Any]:
    """Return the components of a vector to the east and north, or along x and y."""
    if len(vector) == 2:
        return vector[0], vector[1]
    return _dot(fields[3:5], vector), _dot(fields[5:8], vector)


def _position_sizes(fields: list[Any]) -> tuple[Any, Any]:
    """Return the sizes of positions along both directions."""
    if len(fields) < 8:
        return abs(fields[0]), abs(fields[1])
    radius = np.sqrt(_dot(fields[:3], fields[:3]))
    return radius, radius


def _dot(a: Vector, b: Vector) -> Any:
    """Return the inner product; a last component that one vector lacks is zero."""
    first, *others = (x * y for x, y in zip(a, b, strict=False))
    for other in others:
        first = first + other
    return first
