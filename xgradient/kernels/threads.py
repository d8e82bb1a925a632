"""Share one pool of threads among all callers, for arrays in memory."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path, PurePosixPath
from threading import Lock

#: Environment variable with the number of threads for arrays in memory.
NUM_THREADS_ENV = "XGRADIENT_NUM_THREADS"

# One pool of each size for the whole process, so that concurrent callers share its threads.
_POOLS: dict[int, ThreadPoolExecutor] = {}
_LOCK = Lock()


def _after_fork() -> None:
    # A forked child has none of its parent's threads, and perhaps a lock that one of them held.
    global _LOCK  # noqa: PLW0603
    _LOCK = Lock()
    _POOLS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def thread_count() -> int:
    """Return the number of threads: the environment variable, or the number of processors."""
    text = os.environ.get(NUM_THREADS_ENV)
    if text is None:
        return processor_count()
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"{NUM_THREADS_ENV} is {text!r}; set it to a whole number of at least 1")
    return count


def processor_count() -> int:
    """Return the number of processors that affinity and control groups grant to this process."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    # A part of a processor counts as one, as in dask.
    return max(1, min(count, math.ceil(min(cpu_quota(), count))))


@cache
def cpu_quota(root: Path = Path("/")) -> float:
    """Return the number of processors that Linux control groups grant, infinite without a limit.

    A container is limited by them. It sees all processors of the machine, and pauses for the rest
    of each period when its threads together have used up their time.

    Parameters
    ----------
    root : Path
        Folder that holds ``proc`` and ``sys``.
    """
    try:
        return min((_quota(group) for group in _cpu_groups(root)), default=math.inf)
    except (OSError, ValueError, IndexError):  # not Linux, or an unknown format
        return math.inf


def _cpu_groups(root: Path) -> Iterator[Path]:
    """Yield the directories of the process' control groups and of their parents."""
    paths = {}  # by version of the interface; in version 1, of the processor hierarchy
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = PurePosixPath(path)
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        top, point = before.split()[3:5]
        kind, *_, options = after.split()
        if kind not in paths or (kind == "cgroup" and "cpu" not in options.split(",")):
            continue
        # A container may see its own group as the top, and the path of the machine.
        inside = paths[kind].is_relative_to(top)
        group = paths[kind].relative_to(top) if inside else PurePosixPath()
        for part in (group, *group.parents):
            yield root / point.lstrip("/") / part


def _quota(group: Path) -> float:
    """Return the number of processors of one control group, infinite without a limit."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
        # No limit is "max" in version 2, and -1 in version 1.
        return int(quota) / int(period) if quota.isdecimal() and int(quota) else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf


def run_in_pool(calls: list[Callable[[], None]], threads: int) -> None:
    """Run all calls on a pool of threads and wait; raise the first error."""
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
        except RuntimeError:  # the interpreter is shutting down and takes no new work
            futures = []
    if not futures:
        run_in_pool(calls, 1)
    for future in futures:
        future.result()
