"""A small memory of recent results, safe for threads."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

#: Nodes of the longest axis whose checks and stencils are kept for the next call.
MAX_CACHED_NODES = 20_000

T = TypeVar("T")


class LRUCache(Generic[T]):
    """The results made last, each kept under a key until newer ones have taken its place.

    Unlike `functools.lru_cache` the key is not the arguments: arrays are told apart by their
    bytes, which the caller makes only where they are few.

    Parameters
    ----------
    most : int
        How many results are kept, or how much of what ``size`` tells.
    size : callable, optional
        What a result takes of it.
    """

    def __init__(self, most: int, size: Callable[[T], int] = lambda made: 1) -> None:
        self._most, self._size = most, size
        self._lock = Lock()
        self.clear()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # Another thread, which the child does not have, may have been in the middle of a change.
        held, self._lock = self._lock.locked(), Lock()
        if held:
            self.clear()

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept: OrderedDict[Hashable, T] = OrderedDict()
            self._taken = 0

    def get(
        self,
        key: Hashable,
        factory: Callable[[], T],
        is_current: Callable[[T], bool] = lambda found: True,
    ) -> T:
        """The result under ``key``, made if none is there that is right; an error is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        if found is not None and is_current(found):
            return found
        made = factory()
        with self._lock:
            if key in self._kept:
                self._taken -= self._size(self._kept.pop(key))
            self._kept[key] = made
            self._taken += self._size(made)
            while self._taken > self._most:
                self._taken -= self._size(self._kept.popitem(last=False)[1])
        return made
