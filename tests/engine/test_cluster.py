"""Two processes of dask.distributed, of which one dies: the same bits as in memory."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from ..support.clusters import local_cluster
from ..support.operations import OPERATIONS, sample, with_data

pytestmark = pytest.mark.compiled

distributed = pytest.importorskip("distributed")

#: Seconds after which anything that is waited for counts as hanging.
LONG = 240
CHUNKS = {"time": 2, "lat": 5, "lon": 9}


@pytest.fixture
def client():
    """Return a client of two workers."""
    with local_cluster(2) as cluster, distributed.Client(cluster, timeout=LONG) as client:
        client.wait_for_workers(2, timeout=LONG)
        yield client


def same(found, expected):
    """Return whether two arrays or Datasets are equal bit by bit."""
    return all(
        mine.dtype == its.dtype and np.array_equal(mine, its, equal_nan=True)
        for mine, its in zip(variables(found), variables(expected), strict=True)
    )


def variables(result):
    return [da.values for da in getattr(result, "data_vars", {"": result}).values()]


@pytest.mark.slow
def test_every_operator_on_two_processes_of_which_one_dies(client):
    # In the order of messages, for arrays in another one may need other loops.
    ds = with_data(sample(holes=True), np.ascontiguousarray)
    expected = {name: operation(ds) for name, operation in OPERATIONS.items()}
    # What chunks need is compiled here, and taken from the cache by all workers.
    lazy = {name: operation(ds.chunk(CHUNKS)) for name, operation in OPERATIONS.items()}
    for name, result in lazy.items():
        assert same(result.compute(scheduler="sync"), expected[name]), name

    spread = client.persist(ds.chunk(CHUNKS))
    distributed.wait(spread, timeout=LONG)
    holders = {w for workers in client.who_has(spread).values() for w in workers}
    processes = client.run(os.getpid)
    assert len(holders) == len(processes) == 2
    futures = client.compute([operation(spread) for operation in OPERATIONS.values()])
    distributed.wait(futures, timeout=LONG, return_when="FIRST_COMPLETED")
    os.kill(min(processes.values()), getattr(signal, "SIGKILL", signal.SIGTERM))
    for name, future in zip(OPERATIONS, futures, strict=True):
        assert same(future.result(timeout=LONG), expected[name]), name

    def compiled():
        # Imported here, in the worker, which cannot import the tests.
        import gc

        from numba.core.dispatcher import Dispatcher

        loops = [each for each in gc.get_objects() if issubclass(type(each), Dispatcher)]
        ours = [loop for loop in loops if loop.__module__.startswith("xgradient")]
        return [loop.__qualname__ + str(each) for loop in ours for each in loop.stats.cache_misses]

    client.wait_for_workers(2, timeout=LONG)
    assert set(map(tuple, client.run(compiled).values())) == {()}
