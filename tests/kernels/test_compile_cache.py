"""What is compiled, and what is kept of it on disk: upgrades, other processes, damage, forks."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.kernels.compiled import jit, row_sum_loops
from xgradient.operators import pointwise

from ..support.operations import OPERATIONS, sample

pytestmark = pytest.mark.compiled

ROOT = Path(xgradient.__file__).parent.parent

# Each process counts what it compiles: whole functions, and the steps of the compiler.
COUNTING = """
import json, os, pickle, sys
import numpy as np, xarray as xr
from numba.core import event
import xgradient

compiled, values = [], {}

class Listener(event.Listener):
    def on_start(self, happened):
        compiled.append(happened)
    def on_end(self, happened):
        pass

for kind in ("numba:compile", "numba:run_pass"):
    event.register(kind, Listener())
"""
PRINT = """
print(json.dumps({"compiled": len(compiled), "values": values}))
"""


def start(code: str, cache: Path, *told: str, **environment: str) -> subprocess.Popen[str]:
    """Start a process with a cache of its own; what it compiles need not be fast."""
    every = {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache), "NUMBA_OPT": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *told],
        env={**os.environ, **every, **environment},
        cwd=cache.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a process printed; it is ended if it takes too long."""
    with process:
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, err
    result: dict[str, Any] = json.loads(out)
    return result


def run(code: str, cache: Path, *told: str, **environment: str) -> dict[str, Any]:
    return finish(start(COUNTING + code + PRINT, cache, *told, **environment))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder for what is compiled."""
    return tmp_path / "cache"


def kept(cache: Path) -> dict[str, bytes]:
    """The files of a cache by their names."""
    return {path.name: path.read_bytes() for path in cache.rglob("*") if path.is_file()}


# -- upgrades -----------------------------------------------------------------------------------

MAGNITUDE = """
y = np.arange(5.0)
f = xr.DataArray(np.add.outer(3 * y, 4 * y), {"y": y, "x": y}, ("y", "x"), "f")
values["size"] = float(f.grad.magnitude(["y", "x"]).values[2, 2])
"""


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.slow
def test_a_change_of_any_file_of_the_loops_is_seen(tmp_path, cache):
    package = tmp_path / "xgradient"
    shutil.copytree(ROOT / "xgradient", package, ignore=shutil.ignore_patterns("__pycache__"))

    def again() -> dict[str, Any]:
        return run(MAGNITUDE, cache, PYTHONPATH=str(tmp_path))

    assert again()["values"] == {"size": 5}
    files = kept(cache)
    # A helper that is compiled into the loops of another file.
    helper = "return back * np.sqrt(a * a + b * b)"
    replace(
        package / "kernels" / "compiled" / "span_loops.py",
        helper,
        helper.replace("back", "(back + back)"),
    )
    assert again()["values"] == {"size": 10}
    # The old files have given way to the new ones.
    assert kept(cache).keys() == files.keys()
    # What is not compiled may change.
    replace(package / "stencils" / "cache.py", "A thread-safe cache", "A small cache")
    assert again() == {"compiled": 0, "values": {"size": 10}}


def test_another_version_is_another_source(monkeypatch):
    versions = [(module, module.__version__) for module in (xgradient, np, numba)]
    stamps = {jit._sources.__wrapped__()}
    for module, version in versions:
        with monkeypatch.context() as patch:
            patch.setattr(module, "__version__", f"{version}.other")
            stamps.add(jit._sources.__wrapped__())
    assert len(stamps) == 4
    assert jit._sources() in stamps


def test_files_of_functions_in_a_closure_are_part_of_the_source():
    """A loop may call functions of other modules."""
    loop = row_sum_loops.row_sums_loop(pointwise._deformation)
    assert {row_sum_loops.__file__, pointwise.__file__} <= set(jit._files(loop))
    assert pointwise.__file__ not in jit._files(row_sum_loops.row_sums_loop(None))


# -- other processes ----------------------------------------------------------------------------

EVERY_KIND = """
from tests.support.operations import OPERATIONS, sample
ds = sample(holes=True, step=30.0)
for name in sys.argv[1:]:
    OPERATIONS[name](ds)
for field in (ds.t + 1j * ds.u, ds.t.astype("f4"), ds.u.fillna(0).astype("i2")):
    field.fillna(0).grad("time")
ds.t.assign_coords(lon=ds.lon**1.5).grad("lon")
"""
CHOSEN = (
    "grad, coasts",
    "grad, coasts, periodic",
    "grad, given lengths",
    "magnitude, globe",
    "strain, globe",
    "advection, globe",
    "grad, levels",
    "grad, levels, coasts",
    "grad, at constant height",
)
#: Interior rows of outer axes and of the last one, uniform or not; weights and ways to accumulate;
#: boundary rows; missing values with few and with many windows; columns; functions of numbers.
KINDS = (
    "outer_axis_3_0_0", "outer_axis_3_0_3", "outer_axis_3_3_1", "last_axis_3_False_0_0",
    "last_axis_3_True_1_0", "last_axis_3_True_2_0", "last_axis_3_True_1_2", "boundary_True",
    "boundary_False", "loops_3_2_3_True_", "loops_3_2_3_False_", "loops_5_4_5_True_True_False",
    "column_loops.column_loops", "_chain_rule", "_okubo_weiss", "_product2",
)  # fmt: skip


@pytest.mark.slow
def test_a_second_process_compiles_nothing(cache):
    assert run(EVERY_KIND, cache, *CHOSEN)["compiled"]
    files = kept(cache)
    assert [kind for kind in KINDS if not any(kind in name for name in files)] == []
    assert run(EVERY_KIND, cache, *CHOSEN)["compiled"] == 0
    assert kept(cache) == files


SLOPES = """
for dtype in sys.argv[1:]:
    x = np.arange(6)
    f = xr.DataArray((x**2).astype(dtype), {"x": x}, name="f")
    advection = f.grad.advection(x=xr.full_like(f, 2))
    values[dtype] = [f.grad("x").values.tolist(), advection.values.tolist()]
"""
RIGHT = [[1.0, 2.0, 4.0, 6.0, 8.0, 9.0], [-2.0, -4.0, -8.0, -12.0, -16.0, -18.0]]


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def hollow(content: bytes) -> bytes:
    """Return what is left where some pages were never written, as after a loss of power."""
    third = len(content) // 3
    return content[:third] + bytes(third) + content[2 * third :]


DAMAGES = (lambda content: b"", halved, lambda content: b"junk" * 99, hollow)


@pytest.mark.slow
def test_two_processes_at_once_and_files_that_are_damaged(cache):
    both = [start(COUNTING + SLOPES + PRINT, cache, dtype) for dtype in ("f4", "f8")]
    for process in both:
        assert finish(process)["compiled"]
    right = {"f4": RIGHT, "f8": RIGHT}
    assert run(SLOPES, cache, "f4", "f8") == {"compiled": 0, "values": right}
    files = kept(cache)
    for k in (0, 2):
        for j, path in enumerate(sorted(p for p in cache.rglob("*") if p.is_file())):
            path.write_bytes(DAMAGES[(j + k) % len(DAMAGES)](path.read_bytes()))
        assert run(SLOPES, cache, "f8")["values"] == {"f8": RIGHT}
        assert kept(cache).keys() == files.keys()
    assert run(SLOPES, cache, "f8") == {"compiled": 0, "values": {"f8": RIGHT}}


def twice(f, g):
    for i in range(len(f)):
        g[i] = 2 * f[i]


def test_a_file_that_cannot_be_read_or_replaced(monkeypatch, cache):
    monkeypatch.setattr(jit.config, "CACHE_DIR", str(cache))
    f, g = np.arange(3.0), np.zeros(3)
    for _ in range(2):
        monkeypatch.setattr(twice, "__qualname__", "twice")  # which will tell its case
        jit.jit(twice, "often")(f, g)
        assert g.tolist() == [0, 2, 4]
        for path in cache.rglob("*.nbc"):
            if path.is_file():
                path.unlink()
                path.mkdir()
    assert not kept(cache)


@pytest.mark.parametrize("fault", ["no place", "a full disk"])
def test_loops_are_compiled_where_nothing_can_be_kept(monkeypatch, cache, fault):
    asked = []

    def no_place(function):
        asked.append(function)
        raise RuntimeError("cannot cache function: no locator available")

    def full(*paths):
        asked.append(paths)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(jit.config, "CACHE_DIR", str(cache))
    if fault == "no place":
        monkeypatch.setattr(jit, "CompileResultCacheImpl", no_place)
    else:
        monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(twice, "__qualname__", "twice")
    f, g = np.arange(3.0), np.zeros(3)
    jit.jit(twice, fault)(f, g)
    assert g.tolist() == [0, 2, 4]
    add = jit.ufunc(lambda a, b: a + b, 2, np.dtype("f8"))
    assert add(f, g).tolist() == [0, 3, 6]
    assert len(asked) == 2
    assert not kept(cache)


def test_closures_are_told_apart_by_their_values_and_names():
    def made(scale, inner):
        def outer(x):
            return inner(scale * x)

        return outer

    key = jit._identity(made(2, made(1, twice)))
    assert key == jit._identity(made(2, made(1, twice)))
    for other in (made(3, made(1, twice)), made(2, made(2, twice)), made(2, made(1, halved))):
        assert key != jit._identity(other)
    assert "0x" not in repr(key)


# -- without a compiler -------------------------------------------------------------------------

PLAIN = """
from tests.support.operations import OPERATIONS, sample

def arrays(result):
    return [result] if isinstance(result, xr.DataArray) else [*result.data_vars.values()]

ds, every = sample(holes=True), {}
for name, operation in OPERATIONS.items():
    every[name] = [one.values for one in arrays(operation(ds))]
    whole = operation(ds.chunk(time=2, lat=5, lon=7)).compute(scheduler="synchronous")
    for a, b in zip(every[name], arrays(whole), strict=True):
        assert np.array_equal(a, b.values, equal_nan=True), name
both = ds.t + 1j * ds.u
for options in ({}, {"skipna": True}):
    slope = both.grad("lat", **options)
    for part in ("real", "imag"):
        alone = getattr(both, part).where(both.notnull()).grad("lat", **options)
        assert np.array_equal(getattr(slope, part), alone, equal_nan=True)
with open(sys.argv[1], "wb") as file:
    pickle.dump(every, file)
assert not compiled
"""


@pytest.mark.slow
def test_every_operator_runs_without_the_compiler(tmp_path, cache):
    run(PLAIN, cache, str(tmp_path / "plain"), NUMBA_DISABLE_JIT="1")
    assert not kept(cache)
    plain = pickle.loads((tmp_path / "plain").read_bytes())
    ds = sample(holes=True)
    for name, operation in OPERATIONS.items():
        result = operation(ds)
        arrays = [result] if isinstance(result, xr.DataArray) else [*result.data_vars.values()]
        for found, expected in zip(plain[name], arrays, strict=True):
            assert np.array_equal(found, expected.values, equal_nan=True), name


# -- forks --------------------------------------------------------------------------------------

FORK = """
import json, os, signal, sys, threading, time, warnings
import numpy as np
import xgradient
from xgradient.kernels.compiled import tiles
from xgradient.stencils.cache import LRUCache

warnings.simplefilter("ignore", DeprecationWarning)  # newer versions of Python warn of threads
tiles.MIN_CELLS_FOR_THREADS = 0
recent = LRUCache(2)

def slope(accuracy):
    x = np.arange(40.0)
    (found,) = xgradient.gradient(x**2, accuracy=accuracy, edge_order=2)
    return bool(abs(found - 2 * x).max() < 1e-11)

def compute():
    right.append(slope(6))
    if sys.argv[1] == "in LLVM":
        from llvmlite.binding import ffi

        with ffi.lib._lock:
            begun.set()
            time.sleep(1)

right, begun = [], threading.Event()
if sys.argv[1] == "compiling":
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, happened):
            begun.set()
        def on_end(self, happened):
            pass

    event.register("numba:compile", Listener())
elif sys.argv[1] == "loading":
    assert "numba" not in sys.modules
thread = threading.Thread(target=compute)
thread.start()
if sys.argv[1] != "loading":
    begun.wait()
else:
    while "numba" not in sys.modules:
        time.sleep(0)
recent._lock.acquire()  # as if another thread looked something up
child = os.fork()
if not child:
    signal.alarm(60)  # ends the child if it hangs
    good = recent.get("key", lambda: 3) == 3 and slope(4) and slope(6)
    os._exit(0 if good else 1)
recent._lock.release()
_, status = os.waitpid(child, 0)
thread.join()
compute()
print(json.dumps({"child": status, "right": right}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("meanwhile", ["compiling", "loading", "in LLVM"])
def test_a_child_forked_meanwhile_computes(cache, meanwhile):
    process = start(FORK, cache, meanwhile, XGRADIENT_NUM_THREADS="2")
    assert finish(process) == {"child": 0, "right": [True, True]}
