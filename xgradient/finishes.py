"""What is made of sums point by point: roots and products, for arrays of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["along", "deformation", "norm"]


def _quiet(function: Any) -> Any:
    """Infinite and missing results are results like others, and no reason for warnings."""

    def run(*args: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **options)

    run.__name__, run.__qualname__ = function.__name__, function.__qualname__
    run.__module__, run.__doc__ = function.__module__, function.__doc__
    return run


def _namespace(array: Any) -> Any:
    return np if isinstance(array, np.ndarray) else array.__array_namespace__()


def _length(parts: list[Any]) -> Any:
    """Square root of the sum of squares, of real or complex parts."""
    xp = _namespace(parts[0])
    total = None
    for part in parts:
        if xp.isdtype(part.dtype, "complex floating"):
            square = xp.real(part) * xp.real(part) + xp.imag(part) * xp.imag(part)
        else:
            square = part * part
        total = square if total is None else total + square
    return xp.sqrt(total)


@_quiet
def norm(sums: list[Any], fields: list[Any]) -> list[Any]:
    """The length of a vector."""
    return [_length(sums)]


@_quiet
def deformation(sums: list[Any], fields: list[Any]) -> list[Any]:
    """Deformations and the Okubo-Weiss parameter, of normal and shear strain and vorticity."""
    normal, shear, vorticity = sums
    squares = normal * normal + shear * shear
    root = _namespace(squares).sqrt(squares)
    return [normal, shear, root, squares - vorticity * vorticity]


@_quiet
def along(sums: list[Any], fields: list[Any], *, unit: bool) -> list[Any]:
    """The components of a gradient times those of a vector, or of its direction."""
    # Whole numbers become floats before they are squared.
    vector = [component * 1.0 for component in fields[1:]] if unit else fields[1:]
    total = None
    for part, component in zip(sums, vector, strict=True):
        product = part * component
        total = product if total is None else total + product
    return [total / _length(vector)] if unit else [total]
