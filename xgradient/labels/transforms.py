"""Steps of coordinates whose positions an index computes, without making the positions."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from xarray.indexes import Index, RangeIndex

from ..stencils.cache import LRUCache
from ..stencils.tolerance import MAX_STEP_ROUNDING

#: Positions of longer coordinates are computed in blocks of this many, and compared with one step.
BLOCK = 1 << 20

_STEPS: LRUCache[tuple[float | None, Any]] = LRUCache(16)


def index_step(index: Index | None, name: Hashable) -> float | None:
    """Return the step of a coordinate whose index computes its positions uniformly.

    Parameters
    ----------
    index : Index or None
        The index of the coordinate.
    name : hashable
        The coordinate.

    Returns
    -------
    float or None
        The step of a `xarray.indexes.RangeIndex`, or of a long coordinate of another transform
        that is uniform up to rounding; None where positions must be read.
    """
    if isinstance(index, RangeIndex):
        return float(index.step)
    transform = getattr(index, "transform", None)
    if transform is None or len(transform.dims) != 1:
        return None
    if transform.dim_size[transform.dims[0]] <= BLOCK:
        return None
    # The cache entry holds the transform, so that no other object gets its id.
    key = id(transform), name
    return _STEPS.get(key, lambda: (_uniform_step(transform, name), transform))[0]


def _uniform_step(transform: Any, name: Hashable) -> float | None:
    """Return the step of a transform along one dimension; None if it is not uniform."""
    (dim,) = transform.dims
    n = transform.dim_size[dim]

    def positions(numbers: Any) -> Any:
        return np.asarray(transform.forward({dim: numbers})[name], dtype=np.float64)

    first, last = positions(np.array([0, n - 1]))
    step = float(last - first) / int(n - 1)
    rounding = n * float(np.finfo(np.float64).eps) * max(abs(first), abs(last))
    tolerance = min(rounding, MAX_STEP_ROUNDING * abs(step))
    for start in range(0, n, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, n))
        if not np.all(np.abs(positions(numbers) - (first + step * numbers)) <= tolerance):
            return None
    return step
