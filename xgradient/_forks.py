"""Let forks wait for locks, so that no thread missing in the child holds one."""

from __future__ import annotations

import os
from threading import RLock
from typing import Protocol


class _Lock(Protocol):
    """A reentrant lock."""

    def acquire(self) -> object:
        """Wait for the lock and take it."""

    def release(self) -> object:
        """Give the lock back."""


#: Held while the compiler and the compiled loops are loaded.
LOADING = RLock()
# The first lock guards the list: a caller of `wait_for` holds it.
_LOCKS: list[_Lock] = [LOADING]


def wait_for(lock: _Lock) -> None:
    """Let every fork from now on wait for a lock; called while `LOADING` is held."""
    _LOCKS.append(lock)


def _acquire() -> None:
    for lock in _LOCKS:
        lock.acquire()


def _release() -> None:
    for lock in reversed(_LOCKS):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_acquire, after_in_parent=_release, after_in_child=_release)
