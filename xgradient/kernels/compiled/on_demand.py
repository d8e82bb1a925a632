"""Decide when a loop is compiled: at its first call, or after NumPy has done its work for a while.

To load the compiler takes half a second and to compile a loop seconds, in which NumPy
differentiates many small arrays. NumPy's sums have the same bits, so NumPy takes the place of a
loop at first. Once NumPy has worked for one loop as long as `PATIENCE`, a thread compiles the loop,
or loads it from the cache on disk, while NumPy goes on.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import RLock, Thread, main_thread
from time import perf_counter
from typing import Any

from ..._forks import LOADING, wait_for

#: Environment variable for when loops are compiled: "later" (the default), "now" or "never".
COMPILE_ENV = "XGRADIENT_COMPILE"
#: Seconds that NumPy works in place of one loop before the loop is compiled.
PATIENCE = 0.25


class Loop:
    """One case of the compiled loops, and the time that NumPy has worked in its place.

    Attributes
    ----------
    is_ready : bool
        True if the loop is compiled, or may be compiled by its next call.
    is_requested : bool
        True if the thread has been asked to compile the loop, or must not be asked.
    function : callable, optional
        The compiled function, kept here by the caller so that it is looked up once.
    """

    __slots__ = ("_seconds", "function", "is_ready", "is_requested")

    def __init__(self, when: str) -> None:
        self.function: Any = None
        self.is_ready = when == "now"
        self.is_requested = when == "never"  # so it is not requested
        self._seconds = 0.0

    def replace(self, otherwise: Callable[[], None], compile_loop: Callable[[], None]) -> None:
        """Let others do the work of the loop, and have the loop compiled if that has taken long.

        Parameters
        ----------
        otherwise : callable
            Does the work: NumPy, or loops of parts of it.
        compile_loop : callable
            Compiles the loop, as by a call on arrays without cells.
        """
        begin = perf_counter()
        otherwise()
        self._seconds += perf_counter() - begin
        if self._seconds > PATIENCE and not self.is_requested:
            _request(self, compile_loop)


@cache
def loop(*case: object) -> Loop:
    """Return the loop of a case, which names everything that is constant in the compiled loop."""
    return Loop(when_to_compile())


def when_to_compile() -> str:
    """Return when loops are compiled, by the environment.

    Raises
    ------
    ValueError
        If the environment has another word.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return "now"  # the loops run as plain Python, for a debugger
    when = os.environ.get(COMPILE_ENV, "later")
    if when not in ("later", "now", "never"):
        raise ValueError(f"{COMPILE_ENV} is {when!r}; set it to 'later', 'now' or 'never'")
    return when


# Requests of all threads, which one thread works off.
_requests: deque[tuple[Loop, Callable[[], None]]] = deque()
_thread: Thread | None = None
_lock = RLock()
with LOADING:
    wait_for(_lock)


def _request(loop: Loop, compile_loop: Callable[[], None]) -> None:
    """Have a loop compiled by the thread, which is started if there is none."""
    global _thread  # noqa: PLW0603
    with _lock:
        loop.is_requested = True
        _requests.append((loop, compile_loop))
        if _thread is None:
            # No daemon: at exit, Python waits until the loop at work is compiled and on disk.
            _thread = Thread(target=_compile_requests, name="xgradient-compile", daemon=False)
            try:
                _thread.start()
            except RuntimeError:  # no threads here, or none any more: NumPy goes on
                _thread = None


def _compile_requests() -> None:
    """Compile the requested loops one after the other, until there are none or Python exits."""
    global _thread  # noqa: PLW0603
    while True:
        with _lock:
            if not _requests or not main_thread().is_alive():
                _thread = None
                return
            loop, compile_loop = _requests.popleft()
        with suppress(Exception):  # the next call compiles in its own thread, and raises the error
            compile_loop()
        loop.is_ready = True


def _forget_thread() -> None:
    """Start again in a forked process, which has no thread that compiles."""
    global _thread  # noqa: PLW0603
    _thread = None
    _requests.clear()
    loop.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_thread)
