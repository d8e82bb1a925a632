"""Results on several processes of dask, in all ways to ask for them: the bits of memory."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from ..support.clusters import local_cluster
from ..support.operations import OPERATIONS, sample, with_data

pytestmark = pytest.mark.slow

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

#: Seconds to wait for anything.
LONG = 240
CURL = "curl, globe"
CHUNKS = {"time": 2, "lat": 5, "lon": 9}


def fields():
    """Return the fields of the operations, with missing values."""
    return with_data(sample(holes=True), np.ascontiguousarray)


def check_same(found, expected):
    """Compare two results of an operation bit by bit."""
    mine, its = (getattr(each, "data_vars", {"": each}) for each in (found, expected))
    assert mine.keys() == its.keys()
    for name, da in mine.items():
        assert da.dtype == its[name].dtype
        assert np.array_equal(da.values, its[name].values, equal_nan=True)


@pytest.fixture(scope="module")
def expected():
    """Return the results in memory."""
    return {name: operation(fields()) for name, operation in OPERATIONS.items()}


@pytest.fixture(scope="module")
def lazy():
    """Return the lazy results."""
    return {name: operation(fields().chunk(CHUNKS)) for name, operation in OPERATIONS.items()}


@pytest.fixture(scope="module")
def cluster():
    """Return a cluster of one worker."""
    with local_cluster(1) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """Return a client, which is the default scheduler while the test lasts."""
    with distributed.Client(cluster, timeout=LONG) as client:
        yield client


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_every_operator_by_the_scheduler_of_processes(method, lazy, expected):
    with dask.config.set({"multiprocessing.context": method}):
        found = dask.compute(*lazy.values(), scheduler="processes", num_workers=2)
    for result, name in zip(found, lazy, strict=True):
        check_same(result, expected[name])


def test_a_worker_that_is_added_meanwhile(client, cluster, lazy, expected):
    names = list(lazy)[::4]
    futures = client.compute([lazy[name] for name in names])
    distributed.wait(futures, timeout=LONG, return_when="FIRST_COMPLETED")
    cluster.scale(2)
    for name, future in zip(names, futures, strict=True):
        check_same(future.result(timeout=LONG), expected[name])
    client.wait_for_workers(2, timeout=LONG)


def test_results_that_are_persisted_and_pickled(client, lazy, expected):
    kept = client.persist(lazy[CURL])
    distributed.wait(kept, timeout=LONG)
    check_same(kept.compute(), expected[CURL])
    again = pickle.loads(pickle.dumps(lazy[CURL]))
    check_same(again.compute(), expected[CURL])


class Annotations(distributed.SchedulerPlugin):
    """Keep the annotations that the scheduler gets."""

    name = "annotations"

    def __init__(self):
        self.retries = {}

    def update_graph(self, scheduler, *, annotations, **kwargs):
        """Keep the number of retries of each task."""
        self.retries.update(annotations.get("retries", {}))


def test_retries_reach_every_task(client, lazy, expected):
    client.register_plugin(Annotations())
    fields_in_chunks = fields().chunk(CHUNKS)
    with dask.annotate(retries=3):
        result = OPERATIONS[CURL](fields_in_chunks)
    check_same(client.compute(result, optimize_graph=False).result(timeout=LONG), expected[CURL])

    def seen(dask_scheduler):
        return list(dask_scheduler.plugins["annotations"].retries.items())

    found = client.run_on_scheduler(seen)
    kinds = {str(key[0]).rpartition("-")[0] for key, retries in found if retries == 3}
    assert {"gradient", "edge-slabs"} <= kinds
    assert sum(str(key[0]).startswith("gradient") for key, _ in found) == result.data.npartitions


def test_results_that_are_written_later(client, tmp_path, lazy, expected):
    pytest.importorskip("zarr")
    result, store = lazy[CURL], tmp_path / "curl.zarr"
    writing = result.drop_encoding().to_zarr(store, compute=False, consolidated=False)
    client.compute(writing).result(timeout=LONG)
    written = xr.open_zarr(store, consolidated=False).load()
    check_same(next(iter(written.data_vars.values())), expected[CURL])
