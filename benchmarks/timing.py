"""The unit of measure, a copy, and medians of calls that take turns with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

__all__ = ["apart", "copies", "duplicate", "in_halves", "medians", "say", "threads"]

Call = Callable[[], Any]
#: Bytes below which starting threads costs more than the copy itself.
ALONE = 1 << 20
#: How xgradient is told its number of threads.
VARIABLE = "XGRADIENT_NUM_THREADS"
#: Seconds below which calls are timed many at a time.
SHORT = 5e-3

_pool = ThreadPoolExecutor(2)


def duplicate(array: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Copy an array into a fresh one or into `out`, half of it by each of two threads."""
    out = np.empty_like(array) if out is None else out
    if array.nbytes < ALONE:
        np.copyto(out, array)
        return out
    outermost = max(range(array.ndim), key=lambda d: (array.shape[d] > 1, abs(array.strides[d])))
    a, b = np.moveaxis(out, outermost, 0), np.moveaxis(array, outermost, 0)
    in_halves(len(a), lambda part: np.copyto(a[part], b[part]))
    return out


def in_halves(length: int, call: Callable[[slice], Any]) -> None:
    """Call a function for both halves of a length, each in a thread of its own."""
    half = length // 2
    list(_pool.map(call, (slice(0, half), slice(half, length))))


def medians(
    calls: Mapping[str, Call], floor: Call | None = None, rounds: int = 9, patience: float = 3
) -> dict[str, float]:
    """Seconds of each call: medians of several rounds in which the calls take turns.

    Results are deleted before the next call, outside the time. The first round only warms up, and
    compiles what there is to compile, unless there is no other. Who has taken more than
    ``patience`` seconds since then is not called again.

    Parameters
    ----------
    calls : mapping
        Calls without arguments, by name.
    floor : callable, optional
        Called before each of them, its time is under ``"copy"``.
    rounds, patience
        Timed rounds, and the seconds after which a call has had its share.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    floors: list[float] = []
    for _ in range(rounds + 1):
        for name, call in calls.items():
            if sum(times[name][1:]) > patience:
                continue
            if floor:
                floors.append(_seconds(floor, floors))
            times[name].append(_seconds(call, times[name]))
    found = {name: median(own[1:] or own) for name, own in times.items()}
    return {**found, "copy": median(floors[1:] or floors)} if floor else found


def apart(calls: Mapping[str, Call], rounds: int) -> dict[str, float]:
    """Seconds of each call, called again and again before the next one is.

    In turns, a short call finds the caches as a long one left them, and has to ask the system for
    the memory that it gave back meanwhile.
    """
    return {name: medians({name: call}, rounds=rounds)[name] for name, call in calls.items()}


def _seconds(call: Call, before: list[float]) -> float:
    """Seconds of one call; of many on end if it is known to be short."""
    number = max(1, min(1000, int(SHORT / before[-1]))) if before else 1
    start = perf_counter()
    for _ in range(number - 1):
        call()
    result = call()
    elapsed = perf_counter() - start
    del result
    return elapsed / number


def copies(call: Call, array: np.ndarray, rounds: int) -> float:
    """Return the time of a call, in copies of an array."""
    found = medians({"call": call}, lambda: duplicate(array), rounds)
    return found["call"] / found["copy"]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Give xgradient this many threads for a while."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(count)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def say(text: str) -> None:
    """Tell how far it is, beside the results."""
    print(text, file=sys.stderr, flush=True)
