"""Apply functions of numbers at every cell of some arrays, in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..._forks import LOADING
from .layout import COMPILED_DTYPES, Array, as_aligned
from .on_demand import loop


def write_pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> None:
    """Write a function of numbers at every cell of some arrays of one shape."""
    dtypes = [a.dtype.newbyteorder("=") for a in arrays]  # NumPy swaps bytes before the loop
    dtype = dtypes[0]

    def with_numpy() -> None:
        # NumPy's products of complex numbers have other last bits in some layouts.
        native = [as_aligned(a, t) for a, t in zip(arrays, dtypes, strict=True)]
        if all(t.kind == "c" for t in dtypes):
            result = function(*(_ComplexParts(a.real, a.imag) for a in native))
            out.real[...], out.imag[...] = result
        else:
            out[...] = function(*native)

    if dtype not in COMPILED_DTYPES or any(t != dtype for t in dtypes):
        with_numpy()
        return
    case = loop(function, len(arrays), dtype)
    if not case.is_ready:
        case.replace(with_numpy, lambda: _compiled_ufunc(function, len(arrays), dtype))
    elif ufunc := _compiled_ufunc(function, len(arrays), dtype):
        ufunc(*arrays, out=out, casting="same_kind")
    else:
        with_numpy()


class _ComplexParts(NamedTuple):
    """Arrays of complex numbers, with the arithmetic of the compiled loops in any layout."""

    real: Any
    imag: Any

    def __add__(self, other: Any) -> _ComplexParts:
        return _ComplexParts(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Any) -> _ComplexParts:
        return _ComplexParts(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Any) -> _ComplexParts:
        return _ComplexParts(
            self.real * other.real - self.imag * other.imag,
            self.real * other.imag + self.imag * other.real,
        )


@cache
def _compiled_ufunc(function: Callable[..., Any], count: int, dtype: np.dtype[Any]) -> Any:
    """Return a function of numbers as a ufunc, without temporary arrays; None as plain Python."""
    with LOADING:
        from .jit import PLAIN, ufunc
    return None if PLAIN else ufunc(function, count, dtype)
