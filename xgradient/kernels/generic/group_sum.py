"""Combine the stencils of a group for any array: errors by two orders of accuracy, and noise.

The formulas and the order of operations are those of the compiled loops.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...stencils.errors import ErrorStencil, NoiseStencil, weights_of_values
from ..array_api import asarray_like, check_dense
from ..requests import TermRequest
from .stencil_sum import stencil_sum
from .windows import coefficient_row


def group_sum(term: TermRequest, dtype: Any, xp: Any) -> Any:
    """Apply the rows of a group of stencils along one axis, and weight the result.

    Parameters
    ----------
    term : TermRequest
        The term. How it is accumulated is left to the caller.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.

    Returns
    -------
    array
        A new array of magnitudes, as long as the group along the axis.
    """
    bare = term._replace(output_weight=None)
    with np.errstate(all="ignore"):  # missing and infinite values are ordinary here
        if isinstance(term.stencil, NoiseStencil):
            result = _noise(bare, term.stencil, dtype, xp)
        else:
            result = _error(bare, term.stencil, dtype, xp)
        if term.output_weight is not None:
            result = result * asarray_like(term.output_weight, result, xp)
        return xp.astype(result, dtype)


def _error(term: TermRequest, stencil: ErrorStencil, dtype: Any, xp: Any) -> Any:
    """Return the largest difference at a point and its neighbours, and the rounding of the data."""
    derivative, *differences = stencil.parts
    largest: Any = None
    for part in differences:
        size = magnitude(stencil_sum(term._replace(stencil=part), dtype, xp), xp)
        if largest is None:
            largest = size
        else:
            largest = xp.where((size > largest) | (largest != largest), size, largest)
    sizes = term.map_arrays(lambda a: magnitude(xp.astype(a, dtype), xp))
    sum_of_sizes = partial(_sum_of_sizes, rounding=stencil.rounding)
    return largest + stencil_sum(
        sizes._replace(stencil=derivative), largest.dtype, xp, sum_of_sizes
    )


def _noise(term: TermRequest, stencil: NoiseStencil, dtype: Any, xp: Any) -> Any:
    """Return the root of the sum of the squares of weights times standard deviations."""
    check_dense(term.block, "sigma")

    def deviation(array: Any) -> Any:
        sizes = magnitude(xp.astype(array, dtype), xp)
        return xp.where(sizes == sizes, 1.0 + 0 * sizes, sizes) if stencil.of_ones else sizes

    sigma = term.map_arrays(deviation)._replace(stencil=stencil.derivative)
    squares = stencil_sum(sigma, sigma.block.dtype, xp, _sum_of_squares)
    return stencil.factor * xp.sqrt(squares)


def magnitude(array: Any, xp: Any) -> Any:
    """Return magnitudes; those of complex numbers by ``hypot``, as the compiled loops have them."""
    if xp.isdtype(array.dtype, "complex floating"):
        return xp.hypot(xp.real(array), xp.imag(array))
    return xp.abs(array)


def _sum_of_sizes(
    nodes: list[Any], coefficients: Any, f: Any, axis: int, xp: Any, *, rounding: float
) -> Any:
    """Sum magnitudes of weights times values, times the rounding."""
    trail, total = (1,) * (f.ndim - axis - 1), None
    rows = rounding * abs(weights_of_values(np.asarray(coefficients)))
    for node, row in zip(nodes, rows, strict=True):
        size = coefficient_row(row, f, xp, trail) * node
        total = size if total is None else total + size
    return total


def _sum_of_squares(nodes: list[Any], coefficients: Any, f: Any, axis: int, xp: Any) -> Any:
    """Sum squares of weights times values."""
    trail, total = (1,) * (f.ndim - axis - 1), None
    for node, row in zip(nodes, weights_of_values(np.asarray(coefficients)), strict=True):
        part = coefficient_row(row, f, xp, trail) * node
        total = part * part if total is None else total + part * part
    return total
