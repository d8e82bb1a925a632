"""The option --scheduler: computing on a cluster of dask, with its progress."""

from __future__ import annotations

import importlib.util
import re

import numpy as np
import pytest

from ..support.clusters import local_cluster
from ..support.command_line import MARKS, here, load, run, sample, store

pytest.importorskip("netCDF4")
pytest.importorskip("zarr")

pytestmark = MARKS
WORDS = "--var t --dim lat --dim time --chunks time=1,lat=2"


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder with the sample in a file."""
    monkeypatch.chdir(tmp_path)
    store(sample(), "in.nc")


@pytest.mark.slow
def test_a_cluster_computes_and_its_progress_is_shown():
    pytest.importorskip("distributed")
    run(f"grad in.nc expected.nc {WORDS}")
    expected = load("expected.nc")
    with local_cluster(2) as cluster:
        address = cluster.scheduler_address
        assert run(f"grad in.nc quiet.nc {WORDS} --scheduler {address}").stderr == ""
        for target in ("out.nc", "out.zarr"):
            shown = run(f"grad in.nc {target} {WORDS} --scheduler {address} --progress").stderr
            bars = re.findall(rf"{re.escape(target)}: +\d+%\|.*?\| (\d+)/(\d+) \[", shown)
            assert bars
            done, total = map(int, bars[-1])
            assert done == total > 20
            for name in ("dt_dlat", "dt_dtime"):
                np.testing.assert_array_equal(load(target)[name], expected[name])
    assert here() == {"in.nc", "expected.nc", "quiet.nc", "out.nc", "out.zarr"}


def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch):
    pytest.importorskip("distributed")
    from xgradient.cli import cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    told = run("grad in.nc out.nc --var t --dim lat --scheduler 127.0.0.1:9", code=1).stderr
    assert told.startswith("xgradient: error: the scheduler 127.0.0.1:9 cannot be reached: Timed")
    assert told.count("\n") == 1
    assert here() == {"in.nc"}


def test_without_distributed_the_option_says_what_to_install(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "distributed" else find(name, *rest),
    )
    told = run("grad in.nc out.nc --var t --dim lat --scheduler 127.0.0.1:9", code=1).stderr
    assert told == (
        "xgradient: error: --scheduler needs distributed; install it with: pip install "
        "distributed, or leave the option out to compute on this machine\n"
    )
    assert here() == {"in.nc"}
