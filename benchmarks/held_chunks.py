"""Count the chunks that are held at a time: ``python -m benchmarks.held_chunks``.

The source has 20 x 6 chunks, or ``--rows`` x 6. Counted are its chunks and those of the result, on
threads of one process and on workers of dask.distributed in one process. No time is measured.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

from tests.support.held_chunks import COUNTER, DROP, copied, counted_source

from .report import put, rows

PAGE = Path(__file__).parents[1] / "docs" / "developers" / "performance.md"
ROWS, COLUMNS = 20, 6
#: Seconds of a task, so that tasks overlap.
SECONDS = 0.005


def by_columns(n_rows: int, key: Any) -> int:
    """Return the priority of a task that has the chunks of a column done one after the other."""
    if not isinstance(key, tuple) or len(key) < 3:
        return -n_rows * COLUMNS
    return -int(key[-1] * n_rows + key[-2])


def derivative(axis: int) -> Callable[[Any], Any]:
    """Return a function that differentiates along an axis."""
    from xgradient import gradient

    return lambda source: gradient(source, dim=axis)[0]


def overlapped(source: Any) -> Any:
    """Return the same derivative along the first axis, by dask's own exchange of rows."""
    return source.map_overlap(_difference, depth={0: 1}, boundary="none", dtype=source.dtype)


def _difference(block: Any) -> Any:
    import numpy as np

    sleep(SECONDS)
    return COUNTER.count(np.gradient(block, axis=0))


CALLS: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "copy": (lambda source: copied(source, SECONDS), False),
    "last axis": (derivative(1), False),
    "first axis": (derivative(0), False),
    "first axis, priorities": (derivative(0), True),
    "first axis, `map_overlap`": (overlapped, False),
}


def write(result: Any) -> None:
    """Write a result to where nothing is kept."""
    import dask.array as da

    da.store(result, DROP, lock=False)


def write_persisted(result: Any) -> None:
    """Write a result by `persist`, which has no last task that needs all others."""
    import dask.array as da
    import distributed

    stored = da.store(result, DROP, lock=False, return_stored=True, load_stored=False)
    if futures := distributed.client.futures_of(stored):
        distributed.wait(futures)


def reduce(result: Any) -> None:
    """Compute the sum of a result."""
    result.sum().compute()


FINISHES = {"written": write, "written by `persist`": write_persisted, "reduced": reduce}


def held(
    call: Callable[[Any], Any], finish: Callable[[Any], None], priorities: bool, n_rows: int
) -> int:
    """Return the number of chunks that are held at most."""
    import dask

    gc.collect()
    sleep(0.2)  # workers let the last results go
    context = dask.annotate(priority=partial(by_columns, n_rows)) if priorities else nullcontext()
    with COUNTER.counting_results(SECONDS), context:
        finish(call(counted_source(n_rows, COLUMNS, SECONDS)))
        return COUNTER.most


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute on threads."""
    import dask

    with dask.config.set(scheduler="threads", num_workers=count):
        yield


@contextmanager
def workers(count: int) -> Iterator[None]:
    """Compute on workers of dask.distributed, with a thread each."""
    import distributed

    options = {
        "n_workers": count,
        "processes": False,
        "dashboard_address": None,
        "threads_per_worker": 1,
    }
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        yield


SCHEDULERS = {"threads": threads, "workers": workers}


def main() -> None:
    """Count all cases, and print a table."""
    parser = argparse.ArgumentParser("benchmarks.held_chunks", description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="*", default=[2, 4], help="threads or workers")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of chunks")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    lines = []
    for name, scheduler in SCHEDULERS.items():
        for count in options.counts:
            with scheduler(count):
                for done, finish in FINISHES.items():
                    cells = [
                        "–"
                        if name == "threads" and priorities
                        else str(held(call, finish, priorities, options.rows))
                        for call, priorities in CALLS.values()
                    ]
                    lines.append((f"{count} {name}, {done}", *cells))
    text = rows(("chunks held", *CALLS), lines)
    print(text)
    if options.write:
        put(PAGE, "benchmark held chunks", text)


if __name__ == "__main__":
    main()
