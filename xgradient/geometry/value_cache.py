"""A cache of positions and weights of grids, by the values of the arrays they are made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..stencils.cache import LRUCache

T = TypeVar("T")

#: Positions and weights of grids in memory, with the arrays they were made of and their bytes.
_WEIGHTS_CACHE: LRUCache[tuple[Sequence[NDArray[Any]], int, Any]] = LRUCache(
    1 << 29, lambda entry: entry[1]
)


def cached_by_value(
    key: Hashable, sources: Sequence[NDArray[Any]], size: int, factory: Callable[[], T]
) -> T:
    """Return a value made of arrays, from the cache if the arrays have the same bits.

    A comparison takes a hundredth of the time in which weights are made.

    Parameters
    ----------
    key : hashable
        All other things that the value depends on.
    sources : sequence of ndarray
        The arrays, which are not changed afterwards.
    size : int
        Bytes of the value.
    factory : callable
        Makes the value.
    """

    def is_current(entry: tuple[Sequence[NDArray[Any]], int, Any]) -> bool:
        return all(map(_same_bits, entry[0], sources))

    value: T = _WEIGHTS_CACHE.get(key, lambda: (sources, size, factory()), is_current)[2]
    return value


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a.view(f"i{a.itemsize}"), b.view(f"i{b.itemsize}"))
