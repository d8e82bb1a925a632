"""Outputs appear whole or not at all: signals, full disks, damaged inputs."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.command_line import MARKS, fingerprint, here, run, sample, start, store

zarr = pytest.importorskip("zarr")
from xgradient.cli import files, outputs  # noqa: E402

pytestmark = MARKS


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, which relative paths start from."""
    monkeypatch.chdir(tmp_path)


SLOW = "in.zarr {} --dim time --chunks time=1"


@pytest.fixture(scope="module")
def slow_store(tmp_path_factory):
    """A store that takes seconds to differentiate in chunks of one time each."""
    values = np.arange(32_000, dtype=np.float32).reshape(2000, 4, 4)
    ds = xr.Dataset({"t": (("time", "lat", "lon"), values)}, {"time": np.arange(2000.0)})
    path = tmp_path_factory.mktemp("slow") / "in.zarr"
    store(ds, str(path), encoding={"t": {"chunks": (10, 4, 4)}})
    return path, fingerprint(path)


@pytest.fixture
def many_chunks(slow_store):
    """The store in this folder; its digest."""
    path, digest = slow_store
    Path("in.zarr").symlink_to(path)
    return digest


def wait_for_partial(process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not [name for name in here() if name.endswith(".partial")]:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Some chunks are under way by now.
    time.sleep(0.3)
    assert process.poll() is None, "the input is too small for this test"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("number", "target"),
    [(signal.SIGTERM, "out.nc"), (signal.SIGTERM, "out.zarr"), (signal.SIGINT, "out.zarr")],
)
def test_a_signal_to_end_tidies_up(number, target, many_chunks):
    # Tests in the background of a shell ignore SIGINT, and so do the processes that they start.
    before = signal.signal(number, signal.SIG_DFL)
    process = start("grad " + SLOW.format(target))
    signal.signal(number, before)
    wait_for_partial(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert stderr == f"xgradient: error: stopped by {number.name}; {target} was not written\n"
    assert stdout == ""
    assert here() == {"in.zarr"}
    assert fingerprint(Path("in.zarr").resolve()) == many_chunks


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_is_told_of_whatever_fails_because_of_it(monkeypatch):
    """As when a progress bar is closed that was not yet drawn."""

    def write(*args):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            raise AttributeError("no bar")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(files, "write", write)
    store(sample(), "in.nc")
    told = run("grad in.nc out.nc --var t --dim lat", code=128 + signal.SIGTERM).stderr
    assert told == "xgradient: error: stopped by SIGTERM; out.nc was not written\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
def test_a_kill_leaves_nothing_under_the_final_name(target, many_chunks):
    process = start("grad " + SLOW.format(target))
    wait_for_partial(process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    left = here() - {"in.zarr"}
    assert len(left) == 1
    assert re.fullmatch(rf"\.{re.escape(target)}\.[0-9a-f]{{8}}\.partial", left.pop())
    assert fingerprint(Path("in.zarr").resolve()) == many_chunks


@pytest.mark.skipif(os.name != "posix", reason="resource limits")
@pytest.mark.parametrize(
    ("target", "told"), [("out.nc", "NetCDF: HDF error, which comes of"), ("out.zarr", "File too")]
)
def test_no_room_for_the_output(target, told):
    """As on a full disk, but by a limit on the size of files; the old output stays."""
    import resource

    rng = np.random.default_rng(0)
    ds = xr.Dataset({"t": (("time", "x"), rng.random((4, 100_000)))}, {"time": np.arange(4.0)})
    store(ds, "in.nc")
    store(ds.isel(x=slice(3)), target)
    before = here(), fingerprint("in.nc"), fingerprint(target)
    process = start(
        f"grad in.nc {target} --dim time --overwrite",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.startswith(f"xgradient: error: writing {target} failed: {told}")
    assert stderr.count("\n") == 1
    assert (here(), fingerprint("in.nc"), fingerprint(target)) == before


def test_a_full_disk_in_the_middle_of_a_store(monkeypatch):
    store(sample(), "in.nc")
    calls = []
    setitem = zarr.Array.__setitem__

    def full(self, key, value):
        calls.append(key)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        setitem(self, key, value)

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    told = run("grad in.nc out.zarr --var t --dim time --chunks time=1", code=1).stderr
    assert told == "xgradient: error: writing out.zarr failed: No space left on device\n"
    assert len(calls) > 3
    assert here() == {"in.nc"}


def test_a_damaged_chunk_of_the_input():
    store(sample(), "in.zarr", encoding={"t": {"chunks": (1, 5, 8)}})
    Path("in.zarr/t/c/5/0/0").write_bytes(b"nothing that decompresses")
    told = run("grad in.zarr out.nc --var t --dim time", code=1).stderr
    assert told.startswith("xgradient: error: writing out.nc failed: ")
    assert told.count("\n") == 1
    assert here() == {"in.zarr"}


def test_a_failed_exchange_of_stores_puts_the_old_one_back(tmp_path, monkeypatch):
    old, rename = Path(store(sample(), "out.zarr")).resolve(), Path.rename
    before = fingerprint(old)

    def refuse(self, target):
        if self.suffix == ".partial":
            raise OSError(errno.EIO, "no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no"), outputs.written_whole(old) as partial:
        partial.mkdir()
    assert fingerprint(old) == before
    assert here() == {"out.zarr"}
