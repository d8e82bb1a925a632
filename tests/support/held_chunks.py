"""Count the chunks of sources and results that are in memory at a time."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph
from dask.task_spec import Task

from xgradient.engine import task_layers

__all__ = ["COUNTER", "DROP", "copied", "counted_source", "executed_graph", "most_held"]

#: Cells of each chunk.
CELLS = (40, 50)


class Counter:
    """Counts arrays from when they are made until nobody holds them."""

    def __init__(self) -> None:
        self.now, self.most = 0, 0
        self._lock = threading.Lock()

    def __reduce__(self) -> str:
        return "COUNTER"  # the only one, in the module of this process

    def count(self, array: np.ndarray) -> np.ndarray:
        """Count an array, and return it."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        weakref.finalize(array, self._drop)
        return array

    def _drop(self) -> None:
        with self._lock:
            self.now -= 1

    @contextmanager
    def counting_results(self, seconds: float = 0.0) -> Iterator[None]:
        """Count from 0, and the results of derivatives too; each task lasts some seconds."""
        self.now = self.most = 0
        compute = task_layers.compute_chunk

        def counted(plan: Any, *args: Any) -> Any:
            time.sleep(seconds)
            return self.count(compute(plan, *args))

        with mock.patch.object(task_layers, "compute_chunk", counted):
            yield


COUNTER = Counter()


class Drop:
    """A target of `dask.array.store` that keeps nothing."""

    def __setitem__(self, index: Any, values: Any) -> None:
        pass


DROP = Drop()


def _load(row: int, seconds: float) -> np.ndarray:
    time.sleep(seconds)
    return COUNTER.count(np.full(CELLS, float(row) ** 2))


def _copy(block: np.ndarray, seconds: float) -> np.ndarray:
    time.sleep(seconds)
    return COUNTER.count(block.copy())


def counted_source(rows: int, columns: int, seconds: float = 0.0) -> Any:
    """Return a dask array whose chunks are counted, and take some seconds to make."""
    name = "source-" + str(time.perf_counter_ns())
    layer = {
        (name, *block): Task((name, *block), _load, block[0], seconds)
        for block in np.ndindex(rows, columns)
    }
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[])
    chunks = (CELLS[0],) * rows, (CELLS[1],) * columns
    return da.Array(graph, name, chunks, dtype=np.float64)


def copied(source: Any, seconds: float = 0.0) -> Any:
    """Return a copy of an array, whose chunks are counted."""
    return source.map_blocks(_copy, seconds, dtype=source.dtype, meta=source._meta)


def executed_graph(compute: Callable[[], Any]) -> dict[Any, Any]:
    """Return the tasks that dask runs on one thread."""
    import dask.local

    found: list[Any] = []
    order = dask.local.order

    def spy(graph: Any) -> Any:
        found.append(dict(graph))
        return order(graph)

    with mock.patch.object(dask.local, "order", spy):
        compute()
    return found[-1]  # type: ignore[no-any-return]


def most_held(graph: Mapping[Hashable, Any], places: Mapping[Any, Any], source: str) -> int:
    """Return how many chunks one thread holds at most that runs tasks in an order.

    Counted are chunks of the source, and one result while it is computed.
    """
    steps = sorted(graph, key=places.__getitem__)
    at = {key: n for n, key in enumerate(steps)}
    last_use = {}
    for key in steps:
        for needed in graph[key].dependencies:
            assert at[needed] < at[key], f"{needed} is needed before it is made"
            last_use[needed] = key
    held: set[Any] = set()
    most = 0
    for key in steps:
        if isinstance(key, tuple) and key[0] == source:
            held.add(key)
        computes = isinstance(key, tuple) and "gradient" in key[0]
        most = max(most, len(held) + computes)
        held -= {needed for needed in graph[key].dependencies if last_use[needed] == key}
    return most
