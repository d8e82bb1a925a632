"""How far positions may be off by rounding: one tolerance for even steps, seams and poles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import MAX_CACHED_NODES, LRUCache

#: The largest share of a step that the rounding of repeated sums may take.
MAX_STEP_ROUNDING = 1e-3
#: The largest share of a step that is taken by storing positions in few digits.
MAX_STORAGE_ROUNDING = 0.1

_RECENT: LRUCache[float] = LRUCache(64)


def position_tolerance(values: Any, n: int = 0, whole: float = 0.0) -> float:
    """Return how far positions may be off by rounding: n ε max|x|, at most 1e-3 of the step.

    ε is that of their dtype, or of float32 where all of them are exactly float32: a file had them
    so. What their dtype itself rounds off, ε max|x| at each of two neighbours, is allowed up to a
    tenth of the step. Whole numbers were not rounded to float32, and integers not at all.

    Parameters
    ----------
    values : array
        The positions, of one or more dimensions; missing ones do not count.
    n : int
        Their number along an axis, where these are a chunk of it.
    whole : float
        The length of a whole axis, of which these may be a region: all its steps count for n.
    """
    values = np.asarray(values)
    if values.dtype.kind != "f":
        return 0.0
    if values.size > MAX_CACHED_NODES:
        return _tolerance(values, n, whole)
    key = values.tobytes(), values.dtype, values.shape, n, whole
    return _RECENT.get(key, lambda: _tolerance(values, n, whole))


def _tolerance(values: NDArray[Any], n: int, whole: float) -> float:
    """The same, worked out anew."""
    own, stored = _own_rounding(values), relative_rounding(values)
    wide = values.astype(np.promote_types(values.dtype, np.float64), copy=False)
    with np.errstate(invalid="ignore"):
        largest = float(_sizes(wide).max(initial=0))
        steps = [_sizes(np.diff(wide, axis=axis)) for axis in range(wide.ndim)]
    # Latitudes of a rectangle of cells change along one of its dimensions only.
    step = max((float(np.median(some)) for some in steps if some.size), default=0.0)
    n = max(n, *values.shape, 1)
    if not step:
        return n * stored * largest
    summed = max(n, whole / step) * stored * largest
    return max(
        min(summed, MAX_STEP_ROUNDING * step), min(2 * own * largest, MAX_STORAGE_ROUNDING * step)
    )


def relative_rounding(values: NDArray[Any]) -> float:
    """Return the rounding of positions over their size: ε of their dtype, or what they had been."""
    own = _own_rounding(values)
    return max(own, float(np.finfo(np.float32).eps)) if _were_single(values) else own


def _own_rounding(values: NDArray[Any]) -> float:
    """ε of the dtype of positions, and of float64 at least."""
    eps = float(np.finfo(np.float64).eps)
    return max(eps, float(np.finfo(values.dtype).eps)) if values.dtype.kind == "f" else eps


def _were_single(values: NDArray[Any]) -> bool:
    """Whether positions seem to have been rounded to float32 before."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 4:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        single = (values.astype(np.float32) == values) | np.isnan(values)
    return bool(single.all()) and not bool((np.rint(values) == values).all())


def _sizes(values: NDArray[Any]) -> NDArray[Any]:
    sizes: NDArray[Any] = np.abs(values[np.isfinite(values)])
    return sizes


def format_distinct(one: float, other: float) -> tuple[str, str]:
    """Return two numbers in as many digits as show that they differ, six at least."""
    for digits in range(6, 18):
        words = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if words[0] != words[1] or one == other:
            break
    return words
