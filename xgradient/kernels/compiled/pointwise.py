"""Apply functions of numbers at every cell of some arrays, in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..._forks import LOADING
from .layout import COMPILED_DTYPES, Array, as_aligned
from .on_demand import loop


def write_pointwise(function: Callable[..., Any], arrays: list[Array], out: Array) -> None:
    """Write a function of numbers at every cell of some arrays of one shape."""
    dtype = arrays[0].dtype.newbyteorder("=")  # NumPy swaps bytes before the loop
    one_dtype = all(a.dtype.newbyteorder("=") == dtype for a in arrays)

    def with_numpy() -> None:
        # NumPy's products of complex numbers have other last bits for some layouts.
        out[...] = function(*map(as_aligned, arrays))

    if dtype not in COMPILED_DTYPES or not one_dtype:
        with_numpy()
        return
    case = loop(function, len(arrays), dtype)
    if case.is_ready:
        ufunc = _compiled_ufunc(function, len(arrays), dtype)
        if ufunc is None:
            with_numpy()
        else:
            ufunc(*arrays, out=out, casting="same_kind")
    else:
        case.replace(with_numpy, lambda: _compiled_ufunc(function, len(arrays), dtype))


@cache
def _compiled_ufunc(function: Callable[..., Any], count: int, dtype: np.dtype[Any]) -> Any:
    """Return a function of numbers as a ufunc, without temporary arrays; None as plain Python."""
    with LOADING:
        from .jit import PLAIN, ufunc
    return None if PLAIN else ufunc(function, count, dtype)
