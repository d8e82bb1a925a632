"""Weights of index derivatives from the positions of grid points.

Derivatives of a field by the indices i and j of a grid are known. So are those of the positions r
of grid points, the tangents. With n the normal of the surface, the dual vectors

    ∇i = (∂_j r × n) / (n · (∂_i r × ∂_j r)),    ∇j = (n × ∂_i r) / (n · (∂_i r × ∂_j r))

give the gradient ∇f = ∇i ∂_i f + ∇j ∂_j f. Positions are Cartesian, on the globe in three
dimensions, so poles, folds and the date line need no special treatment. Weights are lazy if
positions are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from ..engine.chunked import to_device_of
from ..engine.evaluate import derivatives, evaluate_sums
from ..engine.terms import Term, TermSum
from ..stencils.table import Stencil, identity_stencil
from .grid import mask_invalid
from .metrics import Globe

#: Pairs of directions of a Hessian: 0 is east or x, 1 is north or y.
HESSIAN_PAIRS = ((0, 0), (0, 1), (1, 1))

#: A vector: one array for each component.
Vector = Sequence[Any]


@dataclass(frozen=True, eq=False)
class NodePositions:
    """Positions of grid points on a surface.

    Attributes
    ----------
    xyz : tuple of Variable
        Cartesian coordinates: two in the plane, three on the globe.
    east, north : tuple of Variable
        Unit vectors on the globe along both directions, which are east and north or those of
        projected x and y. The last component of a true east is zero and left out. Empty in the
        plane.
    rounding : float
        Relative error of the positions. A cell that is not larger has collapsed to a point.
    duals : tuple of tuple of Variable
        The dual vectors of both directions, which give the components of a vector along them.
        Empty where these are the unit vectors themselves.
    """

    xyz: tuple[xr.Variable, ...]
    east: tuple[xr.Variable, ...] = ()
    north: tuple[xr.Variable, ...] = ()
    rounding: float = 0.0
    duals: tuple[tuple[xr.Variable, ...], ...] = ()

    @property
    def frame(self) -> tuple[tuple[xr.Variable, ...], ...]:
        """Vectors by which a vector is multiplied for its components along both directions."""
        return self.duals or (self.east, self.north)

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Dimensions of the grid, and others along which missing cells differ."""
        return self.xyz[0].dims

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of components of a position and of both vectors of the frame."""
        first, second = self.frame
        return len(self.xyz), len(first), len(second)

    def arrays(self) -> list[Any]:
        """Return positions and dual vectors as arrays of one shape."""
        first, second = self.frame
        every = *self.xyz, *first, *second
        return [_broadcast(values, self.xyz[0].sizes).data for values in every]

    def to_device_of(self, field: xr.Variable) -> NodePositions:
        """Return the positions on the device of a field."""
        xyz, east, north, *duals = (
            tuple(values.copy(data=to_device_of(values.data, field.data)) for values in vector)
            for vector in (self.xyz, self.east, self.north, *self.duals)
        )
        return NodePositions(xyz, east, north, self.rounding, tuple(duals))

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
        For the components east (x) and north (y) the weights of first derivatives by i and by j.
        If ``stencils`` have corrections, the stretching along i and along j, which second
        differences are multiplied with. Missing where a cell has collapsed.
    """
    axes = [nodes.dims.index(d) for d in stencils.dims]
    pairs = [*zip(axes, stencils.first, strict=True)]
    if stencils.corrections:
        pairs += zip(axes, stencils.corrections, strict=True)
    space = len(nodes.xyz)
    sums = [_index_derivative(c, *pair) for pair in pairs for c in range(space)]
    combine = partial(_gradient_weights, sizes=nodes.sizes, rounding=nodes.rounding)
    weights = evaluate_sums(nodes.arrays(), sums, combine, 2 + len(pairs))
    return _split_weights(nodes, weights, 2)


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
    combine = partial(_hessian_weights, sizes=nodes.sizes, rounding=nodes.rounding)
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
    sums: list[Any], fields: list[Any], outs: list[Any], sizes: tuple[int, ...], rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        position, *frame = _split_fields(fields, sizes)
        tangents, second = _split_vectors(sums, len(position))
        errors = [rounding * size for size in _position_sizes(position)]
        duals, shifts = _dual_basis(tangents, second, frame, errors)
        return [*duals[0], *duals[1], *shifts]


def _hessian_weights(
    sums: list[Any], fields: list[Any], outs: list[Any], sizes: tuple[int, ...], rounding: float
) -> list[Any]:
    with np.errstate(all="ignore"):
        position, *frame = _split_fields(fields, sizes)
        tangents, others = _split_vectors(sums, len(position))
        errors = [rounding * size for size in _position_sizes(position)]
        second, centred, uncorrected = others[:3], others[3:], [*tangents]
        duals, shifts = _dual_basis(tangents, centred, frame, errors)
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
            east, north = _horizontal_components(curvature, frame)
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
    tangents: list[Vector], second: list[Vector], frame: list[Vector], errors: list[Any]
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
    (e, n), (e_, n_) = (_horizontal_components(t, frame) for t in tangents)
    area = e * n_ - e_ * n
    east_error, north_error = errors
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


def _split_fields(fields: list[Any], sizes: tuple[int, ...]) -> list[Vector]:
    """Return positions and the two vectors of the frame, which are empty in the plane."""
    ends = np.cumsum(sizes)
    return [fields[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _horizontal_components(vector: Vector, frame: list[Vector]) -> tuple[Any, Any]:
    """Return the components of a vector to the east and north, or along x and y."""
    if len(vector) == 2:
        return vector[0], vector[1]
    return _dot(frame[0], vector), _dot(frame[1], vector)


def _position_sizes(position: Vector) -> tuple[Any, Any]:
    """Return the sizes of positions along both directions."""
    if len(position) == 2:
        return abs(position[0]), abs(position[1])
    radius = np.sqrt(_dot(position, position))
    return radius, radius


def _dot(a: Vector, b: Vector) -> Any:
    """Return the inner product; a last component that one vector lacks is zero."""
    first, *others = (x * y for x, y in zip(a, b, strict=False))
    for other in others:
        first = first + other
    return first
