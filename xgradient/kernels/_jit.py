"""Compilation of the loops, with a cache on disk where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["jit"]


def jit(function: Callable[..., None]) -> Callable[..., None]:
    """A function compiled at its first call, and kept for other processes."""
    # No fastmath: with fused multiply-adds a row's last bit would depend on which loop computes it.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        # No writable place for the cache, neither beside this file nor in the user's home.
        return njit(**options)(function)  # type: ignore[no-any-return]

    def run(*args: Any) -> None:
        try:
            compiled(*args)
        except OSError:
            # Compiled, but the disk of the cache is full: a second call finds the loop in memory.
            compiled(*args)

    return run
