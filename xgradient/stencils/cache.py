"""A thread-safe cache of recent results."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

#: Nodes of the longest axis whose checks and stencils are cached.
MAX_CACHED_NODES = 20_000

T = TypeVar("T")


class LRUCache(Generic[T]):
    """A cache that drops the least recently used results.

    Unlike `functools.lru_cache` it takes a key from the caller: arrays cannot be hashed, and the
    caller makes a key from their bytes only if they are small.

    Parameters
    ----------
    max_size : int
        Number of results to keep, or their total size.
    size : callable, optional
        Returns the size of a result; 1 by default.
    """

    def __init__(self, max_size: int, size: Callable[[T], int] = lambda result: 1) -> None:
        self._max_size, self._size = max_size, size
        self._lock = Lock()
        self.clear()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # Another thread that held the lock may have been in the middle of a change. The child
        # process does not have this thread.
        held, self._lock = self._lock.locked(), Lock()
        if held:
            self.clear()

    def clear(self) -> None:
        """Remove all results."""
        with self._lock:
            self._results: OrderedDict[Hashable, T] = OrderedDict()
            self._total_size = 0

    def get(
        self,
        key: Hashable,
        factory: Callable[[], T],
        is_current: Callable[[T], bool] = lambda result: True,
    ) -> T:
        """Return the result under a key, or make it; exceptions are not cached.

        Parameters
        ----------
        key : hashable
            Identifies the result.
        factory : callable
            Makes the result.
        is_current : callable, optional
            Takes a cached result; if it returns False the result is made again.
        """
        with self._lock:
            result = self._results.get(key)
            if result is not None:
                self._results.move_to_end(key)
        if result is not None and is_current(result):
            return result
        result = factory()
        with self._lock:
            if key in self._results:
                self._total_size -= self._size(self._results.pop(key))
            self._results[key] = result
            self._total_size += self._size(result)
            while self._total_size > self._max_size:
                self._total_size -= self._size(self._results.popitem(last=False)[1])
        return result
