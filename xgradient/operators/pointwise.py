"""Nonlinear steps after sums of derivatives, cell by cell: lengths and products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..kernels import backend_of
from ..kernels.requests import dot_product, with_cell_function

# Arithmetic without branches: a compiled loop calls it with numbers, NumPy with whole arrays.


def _magnitude(a: Any) -> Any:
    return abs(a)


def _squares2(a: Any, b: Any) -> Any:
    return a * a + b * b


def _squares3(a: Any, b: Any, c: Any) -> Any:
    return a * a + b * b + c * c


def _product1(a: Any, u: Any) -> Any:
    return a * u


def _product2(a: Any, b: Any, u: Any, v: Any) -> Any:
    return a * u + b * v


def _product3(a: Any, b: Any, c: Any, u: Any, v: Any, w: Any) -> Any:
    return a * u + b * v + c * w


def _sum(a: Any, b: Any) -> Any:
    return a + b


def _okubo_weiss(normal: Any, vx: Any, uy: Any) -> Any:
    shear, vorticity = vx + uy, vx - uy
    return normal * normal + shear * shear - vorticity * vorticity


def _deformation(normal: Any, vx: Any, uy: Any) -> tuple[Any, ...]:
    shear, vorticity = vx + uy, vx - uy
    squares = normal * normal + shear * shear
    return normal, shear, math.sqrt(squares), squares - vorticity * vorticity


def _chain_rule(f: Any, z: Any, by_z: Any) -> Any:
    return f - z * by_z


def _quotient(a: Any, b: Any) -> Any:
    return a / b


_PRODUCTS: dict[int, Callable[..., Any]] = {1: _product1, 2: _product2, 3: _product3}


def _vector_length(parts: list[Any], out: Any) -> Any:
    """Return the square root of the sum of squares of all parts."""
    backend = backend_of(parts[0])
    real = backend.real_parts(parts)
    # Real and imaginary parts are views, perhaps of the output array itself.
    parts, out = real, out if real is parts else None
    while len(parts) > 3:
        parts = [_vector_length(parts[:3], None), *parts[3:]]
    if len(parts) == 1:
        return backend.pointwise(_magnitude, parts, out)
    squares: Callable[..., Any] = _squares2 if len(parts) == 2 else _squares3
    return backend.square_root(backend.pointwise(squares, parts, out))


def vector_length(sums: list[Any], fields: list[Any], outs: list[Any]) -> list[Any]:
    """Return the length of the vector whose components are the sums."""
    return [_vector_length(sums, outs[0])]


def scaled(
    sums: list[Any], fields: list[Any], outs: list[Any], factors: tuple[float, ...]
) -> list[Any]:
    """Return sums times factors."""
    return [
        array if factor == 1 else backend_of(array).multiply(array, factor)
        for array, factor in zip(sums, factors, strict=True)
    ]


@with_cell_function(_deformation)
def deformation(
    sums: list[Any], fields: list[Any], outs: list[Any], factors: tuple[float, ...] = (1.0,) * 4
) -> list[Any]:
    """Return the deformations and the Okubo-Weiss parameter, from J_ux - J_vy, J_vx and J_uy.

    The four results are multiplied by factors, where they are in different units.
    """
    # Outputs may be the arrays of the sums: the shear overwrites J_vx, and the total J_uy.
    backend, normal = backend_of(sums[0]), sums[0]
    okubo_weiss = backend.pointwise(_okubo_weiss, sums, outs[3])
    shear = backend.pointwise(_sum, sums[1:], outs[1])
    results = [normal, shear, _vector_length([normal, shear], outs[2]), okubo_weiss]
    return scaled(results, fields, outs, factors)


@dot_product
def project_on_vector(sums: list[Any], fields: list[Any], outs: list[Any]) -> list[Any]:
    """Return the dot product of a gradient and a vector."""
    vector = fields[1 : 1 + len(sums)]
    backend = backend_of(sums[0])
    return [backend.pointwise(_PRODUCTS[len(vector)], [*sums, *vector], outs[0])]


def at_constant_level(sums: list[Any], fields: list[Any], outs: list[Any]) -> list[Any]:
    """Return derivatives of f at constant z, from those of f and z along levels and df/dz."""
    *along_levels, by_z = sums
    n = len(along_levels) // 2
    slopes = zip(along_levels[:n], along_levels[n:], outs, strict=True)
    backend = backend_of(by_z)
    return [backend.pointwise(_chain_rule, [f, z, by_z], out) for f, z, out in slopes]


def project_on_direction(
    sums: list[Any], fields: list[Any], outs: list[Any], factors: tuple[float, ...]
) -> list[Any]:
    """Return the dot product of a gradient and the unit vector along a vector.

    Components are multiplied by factors, which bring them to one unit.
    """
    # The product converts integers to floats, before their squares overflow.
    pairs = zip(fields[1 : 1 + len(sums)], factors, strict=True)
    vector = [component * factor for component, factor in pairs]
    (product,) = project_on_vector(sums, [None, *vector], outs)
    backend = backend_of(product)
    return [backend.pointwise(_quotient, [product, _vector_length(vector, None)], outs[0])]


def finish_smoothed(
    sums: list[Any],
    fields: list[Any],
    outs: list[Any],
    factor: float,
    offset: float,
    *,
    skipna: bool,
) -> list[Any]:
    """Return a smoothed field in other units.

    With ``skipna``, values that have no neighbour stay as they are.
    """
    (smoothed,), field = sums, fields[0]
    if skipna:
        smoothed = backend_of(smoothed).namespace.where(smoothed == smoothed, smoothed, field)
    return [smoothed if (factor, offset) == (1.0, 0.0) else smoothed * factor + offset]


def add_to_sums(sums: list[Any], fields: list[Any], outs: list[Any]) -> list[Any]:
    """Return the second sums, plus the first ones where these are not missing."""
    differences, values = sums
    xp = backend_of(values).namespace
    known = differences == differences
    return [values + xp.where(known, differences, xp.zeros_like(differences))]


def project_on_skewed_direction(
    sums: list[Any], fields: list[Any], outs: list[Any], factors: tuple[float, ...]
) -> list[Any]:
    """Return the derivative along a vector whose axes are not at right angles.

    The first half of the sums is the gradient along the axes, the second half the vector's
    components at right angles. Factors are those of `project_on_direction`.
    """
    n = len(sums) // 2
    pairs = zip(fields[1 : 1 + n], factors, strict=True)
    vector = [component * factor for component, factor in pairs]
    (product,) = project_on_vector(sums[:n], [None, *vector], outs)
    backend = backend_of(product)
    return [backend.pointwise(_quotient, [product, _vector_length(sums[n:], None)], outs[0])]
