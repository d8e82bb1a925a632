"""Write terms with NumPy's own arithmetic: the operations of the loops in the same order."""

from __future__ import annotations

import numpy as np

from ..generic.backend import apply_term
from ..requests import (
    SQUARE_POWERS_DOUBLE,
    SQUARE_POWERS_SINGLE,
    Accumulate,
    TermRequest,
)
from .layout import Array, cache_blocks


def write_term(term: TermRequest, out: Array) -> None:
    """Write one term into an array of its dtype, block by block.

    The dtypes of numba have the bits of the compiled loops. Others, such as long doubles, have
    no compiled loops.
    """
    for block in cache_blocks(out.shape, term.axis):
        _write_block(slice_term(term, block), out[block])


def slice_term(term: TermRequest, block: tuple[slice, ...]) -> TermRequest:
    """Return the part of a term that gives a block of its result, which holds the axis whole."""
    sides = (*block[: term.axis], slice(None), *block[term.axis + 1 :])

    def part(array: Array) -> Array:
        pairs = zip(sides, array.shape, strict=True)
        return array[tuple(side if n > 1 else slice(None) for side, n in pairs)]

    return term.map_arrays(part)


def _write_block(term: TermRequest, out: Array) -> None:
    """Write a term into an array."""
    with np.errstate(all="ignore"):  # missing and infinite values are ordinary here
        accumulate(term, apply_term(term, out.dtype, np), out)


def accumulate(term: TermRequest, result: Array, out: Array) -> None:
    """Write the result of a term into an array, as its ``accumulate`` has it."""
    if term.accumulate == Accumulate.ADD:
        result = out + result
    elif term.accumulate == Accumulate.HYPOT:
        result = _root_of_squares(out, result)
    elif term.accumulate == Accumulate.ABS:
        result = _magnitude(result)
    out[...] = result


def _magnitude(array: Array) -> Array:
    """Return magnitudes, those of complex numbers by ``hypot``, as numba has them."""
    result: Array = np.hypot(array.real, array.imag) if array.dtype.kind == "c" else abs(array)
    return result


def _root_of_squares(a: Array, b: Array) -> Array:
    """Return the root of a² + b², by the expression of `span_loops.root_of_squares`."""
    a, b = _magnitude(a), _magnitude(b)
    high = np.where(a > b, a, b)
    limit, scale = SQUARE_POWERS_SINGLE if high.itemsize == 4 else SQUARE_POWERS_DOUBLE
    powers = np.where(high > 2.0**limit, -scale, 0)
    powers[high < 2.0**-limit] = scale
    a, b = np.ldexp(a, powers), np.ldexp(b, powers)
    result: Array = np.ldexp(np.sqrt(a * a + b * b), -powers)
    return result
