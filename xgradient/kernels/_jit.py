"""Compilation of the loops, with a cache on disk where there is a place for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.extending import register_jitable

__all__ = ["inner_loop", "jit", "part"]

#: Loops that are compiled at one call at most: one and the one that it calls.
LOOPS = 2


def _named(function: Callable[..., None], case: tuple[Any, ...]) -> Callable[..., None]:
    """A function named after the case that it is made for.

    Of functions with one name, that come from the cache and were compiled by different processes,
    the linker keeps one.
    """
    function.__qualname__ = "_".join(map(str, (function.__qualname__, *case)))
    return function


def part(function: Callable[..., None], *case: Any) -> Callable[..., None]:
    """A function that is compiled as a part of those that call it."""
    return register_jitable(_named(function, case))  # type: ignore[no-any-return]


def inner_loop(function: Callable[..., None], *case: Any) -> Callable[..., None]:
    """A function that others call, compiled at the first call of these."""
    function = _named(function, case)
    # No fastmath: with fused multiply-adds a row's last bit would depend on which loop computes it.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        # No writable place for the cache, neither beside this file nor in the user's home.
        return njit(**options)(function)  # type: ignore[no-any-return]


def jit(function: Callable[..., None], *case: Any) -> Callable[..., None]:
    """A function compiled at its first call, and kept for other processes."""
    compiled = inner_loop(function, *case)

    def run(*args: Any) -> None:
        try:
            compiled(*args)
        except OSError:
            # Compiled, but the disk of the cache is full: the next call finds it in memory, and
            # so it is with a loop that this one calls.
            for _ in range(LOOPS - 1):
                with suppress(OSError):
                    compiled(*args)
                    return
            compiled(*args)

    return run
