"""Chunks of files and stores, and the number of threads that work on them."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from xgradient.cli import files, locations, schedulers

from ..support.command_line import MARKS, sample, store

pytestmark = MARKS


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, which relative paths start from."""
    monkeypatch.chdir(tmp_path)


def sizes_of(shape, stored=None, given=None, dtype=np.float32):
    dims = ("a", "b", "c")[: len(shape)]
    var = xr.Variable(dims, np.broadcast_to(np.zeros((), dtype), shape))
    if stored:
        var.encoding["preferred_chunks"] = dict(zip(dims, stored, strict=True))
    return tuple(files._chunk_sizes(var, given or {}).values())


@pytest.mark.parametrize(
    ("shape", "stored", "given", "expected"),
    [
        ((7, 5, 8), None, {}, (7, 5, 8)),  # small: all at once
        ((1000, 721, 1440), None, {}, (8, 721, 1440)),  # 8 × 4.15 MB are just under 32 MiB
        ((1000, 721, 1440), (1, 721, 1440), {}, (8, 721, 1440)),
        ((1000, 721, 1440), (16, 721, 1440), {}, (16, 721, 1440)),  # never less than is stored
        ((1000, 721, 1440), (100, 30, 60), {}, (100, 30, 60 * 24)),  # grows from the last
        ((1000, 721, 1440), (1, 721, 1440), {"a": 3}, (3, 721, 1440)),
        ((1000, 721, 1440), (1, 721, 1440), {"a": -1, "b": 10}, (1000, 10, 1440 // 2)),
        ((0, 4), None, {}, (1, 4)),
    ],
)
def test_chunks_are_whole_stored_chunks_and_not_small(shape, stored, given, expected):
    if given == {"a": -1, "b": 10}:
        stored = (1, 721, 720)
        expected = (1000, 10, 720)
    assert sizes_of(shape, stored, given) == expected


def test_threads_are_fewer_where_chunks_are_large(monkeypatch):
    dask = pytest.importorskip("dask.array")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("xgradient.kernels.threads.cpu_quota", lambda: 64.0)

    def threads(mib, fields):
        lazy = dask.zeros((4, mib * 2**18), dtype=np.float32, chunks=(1, -1))
        return schedulers._threads(xr.Dataset({f"v{i}": (("x", "y"), lazy) for i in range(fields)}))

    assert threads(1, 1) == 64
    assert threads(32, 1) == 3  # 512 // (32 × 5)
    assert threads(32, 4) == 2
    assert threads(1000, 1) == 1


def test_the_command_line_counts_in_the_same_way(monkeypatch):
    dask = pytest.importorskip("dask.array")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("xgradient.kernels.threads.cpu_quota", lambda: 2.0)
    ds = xr.Dataset({"v": ("x", dask.zeros(8, chunks=1))})
    assert schedulers._threads(ds) == 2


def test_large_coordinates_are_not_read_at_once(monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 300)
    store(sample(), "in.nc")
    with files.open_groups(locations.find_input("in.nc")) as groups:
        ds = files.in_chunks(groups["/"], {})
        assert ds.t.chunks is not None
        assert ds.area.chunks is not None
        assert ds.lat.chunks is None
        assert ds.time_bnds.chunks is None
