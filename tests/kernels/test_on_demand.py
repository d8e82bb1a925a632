"""Loops are compiled when NumPy has done their work for a while, with the same bits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xgradient.kernels.compiled import on_demand

from ..support.loops import arrays_of, compile_loops
from ..support.marks import slow
from ..support.operations import OPERATIONS, sample


def wait_for_thread():
    """Wait until all requested loops are compiled."""
    for thread in threading.enumerate():
        if thread.name == "xgradient-compile":
            thread.join(300)


#: Operators with loops that few others have, and that take seconds to compile.
WITH_OTHER_LOOPS = {"grad, error, accuracy 4", "interpolate, on faces"} | {
    name for name in OPERATIONS if "coasts" in name and name != "grad, coasts"
}
assert set(OPERATIONS) > WITH_OTHER_LOOPS


@pytest.mark.parametrize(
    "operation", [slow(name) if name in WITH_OTHER_LOOPS else name for name in OPERATIONS]
)
@pytest.mark.parametrize("dtype", [slow("f4"), "f8", slow("c8")])
def test_numpy_has_the_bits_of_the_loops(operation, dtype, monkeypatch):
    for holes in (False, True) if dtype != "c8" else (False,):
        ds = sample(dtype, holes=holes)
        results = []
        for when in ("now", "never"):
            compile_loops(monkeypatch, when)
            results.append(arrays_of(OPERATIONS[operation](ds)))
        for compiled, replaced in zip(*results, strict=True):
            assert compiled.dtype == replaced.dtype
            np.testing.assert_array_equal(replaced, compiled)
            valid = compiled == compiled  # the sign of a missing value means nothing
            for part in (np.real, np.imag):
                np.testing.assert_array_equal(
                    np.signbit(part(replaced[valid])), np.signbit(part(compiled[valid]))
                )


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["c8", "c16", ">c8"])
@pytest.mark.parametrize("special", [False, True])
def test_complex_numbers_have_the_bits_of_the_loops(dtype, special, monkeypatch):
    rng = np.random.default_rng(5)
    f = (rng.standard_normal((30, 43)) + 1j * rng.standard_normal((30, 43))).astype(dtype)
    if special:
        for number in (np.inf, -0.0, complex(0, np.nan)):
            f[rng.random(f.shape) < 0.05] += number
    da = xr.DataArray(f, {"y": np.arange(30) ** 1.1, "x": np.arange(43.0)}, ("y", "x"), "f")
    calls = {
        "grad": lambda: da.grad(["y", "x"]),
        "gaps": lambda: da.grad("y", skipna=True, accuracy=4),
        "magnitude": lambda: da.grad.magnitude(),
        "advection": lambda: da.grad.advection(x=da[::-1].assign_coords(y=da.y), y=2 * da),
        "blocks": lambda: da.T.chunk(x=1).grad.advection(x=da.T, y=2 * da.T).compute().T,
    }
    for name, call in calls.items():
        results = []
        for when in ("now", "never"):
            compile_loops(monkeypatch, when)
            results.append(arrays_of(call()))
        for compiled, replaced in zip(*results, strict=True):
            for part in (np.real, np.imag):
                np.testing.assert_array_equal(part(replaced), part(compiled), err_msg=name)


def test_the_numbers_change_if_numpy_takes_another_order(monkeypatch):
    """The comparison above can fail: another order of the same sum has other bits."""
    f = np.random.default_rng(1).random(10_000, dtype="f4")
    one = 0.1 * (f[1:-1] - f[:-2]) + 0.7 * (f[2:] - f[1:-1])
    other = (0.1 - 0.7) * f[1:-1] - np.float32(0.1) * f[:-2] + np.float32(0.7) * f[2:]
    assert (one != other).any()


@pytest.mark.parametrize("when", ["now", "never"])
def test_half_floats_overflow_without_a_warning(when, monkeypatch):
    compile_loops(monkeypatch, when)
    f = xr.DataArray(np.array([0.1, -0.1, 0.6, 0.1], "f2"), {"x": [0, 1e-3, 2e-3, 3e-3]}, name="f")
    f = f.assign_coords(z=("x", [0, 1e-7, 2e-7, 3e-7]))
    for result in (
        f.grad("x", deriv=2),
        f.grad.laplacian("x"),
        f.chunk(x=2).grad("x", deriv=2).compute(),
        (f * xr.ones_like(f.x)).astype("f2").grad("z"),
    ):
        assert result.dtype == np.float16
        assert np.isinf(result).any()


def run(code, **environment):
    """Run code in another process, which must end well; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


FIRST_CALLS = """
import sys
import numpy as np, xarray as xr, xgradient
lat = xr.DataArray(np.linspace(-90, 90, 19), dims="lat", attrs={"units": "degrees_north"})
lon = xr.DataArray(np.arange(0.0, 360, 20), dims="lon", attrs={"units": "degrees_east"})
u = xr.DataArray(np.cos(np.deg2rad(lat)) * (1 + 0 * lon), {"lat": lat, "lon": lon}, name="u")
u.attrs["units"] = "m s-1"
u.grad(["lat", "lon"])
u.grad.magnitude(metric="sphere")
u.grad.laplacian(metric="sphere")
u.where(u > 0.5).grad("lon", skipna=True)
xgradient.curl(lon=u, lat=0 * u, metric="sphere")
print("xgradient.kernels.compiled.jit" in sys.modules)  # which loads the compiler
"""


def test_first_calls_do_not_load_the_compiler():
    assert run(FIRST_CALLS, XGRADIENT_COMPILE="later") == ["False"]
    assert run(FIRST_CALLS, XGRADIENT_COMPILE="now") == ["True"]


def test_a_loop_is_compiled_once_numpy_has_worked_for_a_while(monkeypatch):
    compile_loops(monkeypatch, "later")
    monkeypatch.setattr(on_demand, "PATIENCE", 0.0)
    requested = []
    real = on_demand._request
    monkeypatch.setattr(on_demand, "_request", lambda loop, *a: (requested.append(loop),
                                                                 real(loop, *a)))  # fmt: skip
    f = xr.DataArray(np.random.default_rng(3).random((6, 7)), dims=("y", "x"))
    before = f.grad("y").values
    assert len(requested) == 1
    assert requested[0].is_requested
    wait_for_thread()
    assert requested[0].is_ready
    assert on_demand._thread is None
    np.testing.assert_array_equal(f.grad("y").values, before)
    assert len(requested) == 1
    f.grad("x")  # another loop
    assert len(requested) == 2
    wait_for_thread()


def test_a_loop_that_does_not_compile_raises_in_the_call(monkeypatch):
    compile_loops(monkeypatch, "later")
    monkeypatch.setattr(on_demand, "PATIENCE", 0.0)
    loop = on_demand.loop("of this test")

    def fail():
        raise RuntimeError("does not compile")

    done = []
    loop.replace(lambda: done.append(1), fail)
    wait_for_thread()
    assert done == [1]
    assert loop.is_ready  # so the next call compiles it itself


def test_without_threads_numpy_goes_on(monkeypatch):
    compile_loops(monkeypatch, "later")
    monkeypatch.setattr(on_demand, "PATIENCE", 0.0)

    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    f = xr.DataArray([0.0, 1.0, 4.0], dims="x")
    assert f.grad("x").values.tolist() == [1, 2, 3]
    assert f.grad("x").values.tolist() == [1, 2, 3]
    assert on_demand._thread is None
    on_demand._requests.clear()


def test_another_word_is_refused(monkeypatch):
    compile_loops(monkeypatch, "sometimes")
    with pytest.raises(ValueError, match="XGRADIENT_COMPILE is 'sometimes'; set it to 'later', "):
        xr.DataArray([0.0, 1.0, 4.0], dims="x").grad("x")


def test_tests_forget_loops_when_they_change_when_to_compile():
    tests = Path(__file__).parents[1]
    changed = re.compile(r"setenv\(\s*(on_demand\.COMPILE_ENV|[\"']XGRADIENT_COMPILE)")
    found = [path for path in tests.rglob("*.py") if changed.search(path.read_text("utf-8"))]
    assert found == [tests / "support" / "loops.py"], "call compile_loops instead"


AT_EXIT = """
import time
from xgradient.kernels.compiled import on_demand
on_demand.PATIENCE = 0.0
done = []
for k in range(3):
    on_demand.loop(k).replace(lambda: None, lambda: (time.sleep(2), print("compiled", flush=True)))
time.sleep(0.5)  # so the first one is at work
"""


@pytest.mark.slow
def test_at_exit_python_waits_for_one_loop():
    begin = time.perf_counter()
    assert run(AT_EXIT, XGRADIENT_COMPILE="later") == ["compiled"]
    assert time.perf_counter() - begin < 60  # no process hangs


FORK = """
import os, time
import numpy as np, xarray as xr, xgradient
from xgradient.kernels.compiled import on_demand
on_demand.PATIENCE = 0.0
f = xr.DataArray(np.arange(12.0).reshape(3, 4), dims=("y", "x"))
f.grad("x")  # has a loop compiled by the thread
child = os.fork()
f.grad("y")
for thread in __import__("threading").enumerate():
    if thread.name == "xgradient-compile":
        thread.join()
print(int(f.grad("y").sum()), flush=True)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_a_thread_of_its_own():
    assert run(FORK, XGRADIENT_COMPILE="later", PYTHONWARNINGS="default") == ["48", "48"]
