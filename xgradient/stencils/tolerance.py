"""The rounding of positions: one tolerance for uniform steps, periods and poles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import MAX_CACHED_NODES, LRUCache

#: The largest rounding of repeated sums, as a fraction of the step.
MAX_STEP_ROUNDING = 1e-3
#: The largest rounding by a dtype of few digits, as a fraction of the step.
MAX_STORAGE_ROUNDING = 0.1

_TOLERANCES: LRUCache[float] = LRUCache(64)


def position_tolerance(values: Any, n: int = 0, whole: float = 0.0) -> float:
    """Return how far positions may be off by rounding.

    The tolerance is n ε max|x|, at most 1e-3 of the step, with ε the machine epsilon of the
    dtype. A file may have stored the positions as float32: if all values are exactly float32, and
    not all are whole numbers, ε is the float32 one. The rounding of the dtype itself, ε max|x| at
    each of two neighbours, may reach a tenth of the step. Integers are exact.

    Parameters
    ----------
    values : array
        The positions, of one or more dimensions; missing values are ignored.
    n : int
        Number of positions along the whole axis, if ``values`` is a chunk of it.
    whole : float
        Length of the whole axis, if ``values`` is a region of it; its steps count for n.
    """
    values = np.asarray(values)
    if values.dtype.kind != "f":
        return 0.0
    if values.size > MAX_CACHED_NODES:
        return _tolerance(values, n, whole)
    key = values.tobytes(), values.dtype, values.shape, n, whole
    return _TOLERANCES.get(key, lambda: _tolerance(values, n, whole))


def _tolerance(values: NDArray[Any], n: int, whole: float) -> float:
    """Compute the tolerance of positions."""
    dtype_rounding, rounding = _dtype_rounding(values), relative_rounding(values)
    floats = values.astype(np.promote_types(values.dtype, np.float64), copy=False)
    with np.errstate(invalid="ignore"):
        largest = float(_sizes(floats).max(initial=0))
        steps = [_sizes(np.diff(floats, axis=axis)) for axis in range(floats.ndim)]
    # Two-dimensional latitudes may vary along one dimension only.
    step = max((float(np.median(d)) for d in steps if d.size), default=0.0)
    n = max(n, *values.shape, 1)
    if not step:
        return n * rounding * largest
    summed = max(n, whole / step) * rounding * largest
    return max(
        min(summed, MAX_STEP_ROUNDING * step),
        min(2 * dtype_rounding * largest, MAX_STORAGE_ROUNDING * step),
    )


def relative_rounding(values: NDArray[Any]) -> float:
    """Return ε of the dtype of positions, or of float32 if they were stored as float32."""
    eps = _dtype_rounding(values)
    return max(eps, float(np.finfo(np.float32).eps)) if _was_float32(values) else eps


def _dtype_rounding(values: NDArray[Any]) -> float:
    """ε of the dtype of positions, but at least the ε of float64."""
    eps = float(np.finfo(np.float64).eps)
    return max(eps, float(np.finfo(values.dtype).eps)) if values.dtype.kind == "f" else eps


def _was_float32(values: NDArray[Any]) -> bool:
    """Return whether all positions are exactly float32, and not all are whole numbers."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 4:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        single = (values.astype(np.float32) == values) | np.isnan(values)
    return bool(single.all()) and not bool((np.rint(values) == values).all())


def _sizes(values: NDArray[Any]) -> NDArray[Any]:
    sizes: NDArray[Any] = np.abs(values[np.isfinite(values)])
    return sizes


def format_distinct(a: float, b: float) -> tuple[str, str]:
    """Format two numbers with enough digits to show that they differ, at least six."""
    for digits in range(6, 18):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1] or a == b:
            break
    return texts
