"""One pool of threads for arrays in memory, shared by all callers."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

__all__ = ["VARIABLE", "run_all", "thread_count"]

#: Environment variable with the number of threads for arrays in memory.
VARIABLE = "XGRADIENT_NUM_THREADS"

# One pool per size for the whole process: however many threads call, no more than `size` compute.
_POOLS: dict[int, ThreadPoolExecutor] = {}
_LOCK = Lock()


def _after_fork() -> None:
    # A child has none of its parent's threads, and perhaps a lock that one of them held.
    global _LOCK  # noqa: PLW0603
    _LOCK = Lock()
    _POOLS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def thread_count() -> int:
    """Threads to use: the environment variable, or the processors this process may run on."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    try:
        count = int(wanted)
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"{VARIABLE} is {wanted!r}; set it to a whole number of at least 1")
    return count


def run_all(calls: list[Callable[[], None]], threads: int) -> None:
    """Run all calls on a pool of threads and wait; the first error is raised."""
    if threads == 1:
        for call in calls:
            call()
        return
    with _LOCK:
        pool = _POOLS.get(threads)
        if pool is None:
            pool = _POOLS[threads] = ThreadPoolExecutor(threads, thread_name_prefix="xgradient")
        try:
            futures = [pool.submit(call) for call in calls]
        except RuntimeError:  # the interpreter is ending and takes no more work for its threads
            futures = []
    if not futures:
        run_all(calls, 1)
    for future in futures:
        future.result()
