"""The first use of a name or of an accessor, in new processes: nothing tells that it loads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import xgradient
from xgradient import _public

#: The beginning of each process, in which nothing is loaded yet.
SETUP = """
import sys, threading, warnings
warnings.simplefilter("error")
import numpy as np, xarray as xr, xgradient
is_loaded = lambda: "xgradient.operators" in sys.modules
line = xr.DataArray([0.0, 1.0, 4.0], {"x": [0.0, 1.0, 2.0]}, name="h")
assert not is_loaded()
"""

needs_forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")


def run(code: str, setup: str = SETUP) -> str:
    """Run code in a new process, in which a warning is an error, and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", setup + code], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_the_public_names_are_those_of_their_module():
    assert sorted(xgradient.__all__) == sorted([*_public.__all__, "__version__"])
    assert all(getattr(xgradient, name) is getattr(_public, name) for name in _public.__all__)


USES = """
import os
for use in (
    "line.grad",
    "line.to_dataset().grad",
    "xr.DataTree.from_dict({'/': line.to_dataset()}).grad",
    "xr.DataArray.grad.laplacian",
    "hasattr(xr.Dataset, 'grad')",
    "type('Subclass', (xr.DataArray,), {'__slots__': ()})(line).grad",
    "xgradient.gradient",
    "xgradient.operators.vector",
    "xgradient.kernels",
):
    if (child := os.fork()) == 0:
        eval(use)
        os._exit(not is_loaded())
    assert os.waitpid(child, 0)[1] == 0, use
"""


@pytest.mark.slow
@needs_forks
def test_each_use_loads():
    run(USES)


def test_nothing_else_does():
    code = """
import pickle
line.copy(), line + 1, line.to_dataset(), repr(line), dir(line), pickle.loads(pickle.dumps(line))
dir(xgradient), xgradient.__version__, xgradient.__all__, hasattr(xgradient, "unknown")
assert not is_loaded()
"""
    run(code)


def test_after_the_first_use_there_is_only_the_accessor_of_xarray():
    code = """
owners = (xr.DataArray, xr.Dataset, xr.DataTree)
assert all(owner.grad is xgradient.Grad for owner in owners)
assert {type(vars(owner)["grad"]).__module__ for owner in owners} == {"xarray.core.extensions"}
assert line.grad is line.grad
assert line.grad("x").values.tolist() == [1.0, 2.0, 3.0]
assert "grad" in vars(xgradient)
"""
    run(code)


@pytest.mark.slow
def test_names_are_listed_before_they_are_loaded():
    code = """
before = set(dir(xgradient))
assert not is_loaded()
from xgradient import *
assert set(xgradient.__all__) <= set(globals())
assert set(dir(xgradient)) - before == {"_public", "_typing", "_wording"}
assert {*xgradient.__all__, "operators", "accessor", "stencils"} <= before
assert "typing" not in before
"""
    run(code)


@pytest.mark.slow
def test_an_unknown_name_is_refused_as_by_any_module():
    code = """
try:
    xgradient.gradent
except AttributeError as error:
    print(error)
    assert error.name == "gradent" and error.obj is xgradient
try:
    from xgradient import gradent
except ImportError as error:
    print(error)
assert not is_loaded()
"""
    attribute, name = run(code).splitlines()
    assert attribute == "module 'xgradient' has no attribute 'gradent'"
    assert name.startswith("cannot import name 'gradent' from 'xgradient' (")


@pytest.mark.slow
def test_threads_may_use_it_first_at_once():
    code = """
uses = [lambda: line.copy().grad("x").values.sum(), lambda: xgradient.gradient(line)[0].sum(),
        lambda: line.to_dataset().grad("x").dh_dx.values.sum(), lambda: xr.DataTree.grad and 6.0]
found, start = [], threading.Barrier(12)
def use(number):
    start.wait()
    found.append(float(uses[number % 4]()))
threads = [threading.Thread(target=use, args=(number,)) for number in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == [6.0] * 12, found
"""
    run(code)


@pytest.mark.slow
@needs_forks
def test_a_fork_waits_for_the_thread_that_loads():
    code = """
import os, signal
thread = threading.Thread(target=lambda: line.grad)
thread.start()
while not is_loaded(): pass
if (child := os.fork()) == 0:
    signal.alarm(30)  # ends a child that waits for a thread which it does not have
    assert line.grad("x").values.tolist() == [1.0, 2.0, 3.0]
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
"""
    run(code, SETUP.replace('"error")', '"ignore")'))


@pytest.mark.slow
def test_a_name_that_is_taken_is_replaced_with_the_warning_of_xarray():
    code = """
import warnings, xarray as xr
Other = type("Other", (), {})
xr.register_dataarray_accessor("grad")(Other)
xr.register_dataset_accessor("grad")(Other)
xr.register_datatree_accessor("grad")(Other)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import xgradient
print(*(warning.message for warning in caught), sep="\\n")
assert xr.DataArray.grad is xr.Dataset.grad is xr.DataTree.grad is xgradient.Grad
"""
    lines = run(code, "").splitlines()
    start = "registration of accessor <class 'xgradient.accessor.Grad'> under name 'grad' for type "
    assert [line.startswith(start) for line in lines] == [True] * 3


@pytest.mark.slow
def test_another_package_may_take_the_name_before_the_first_use():
    code = """
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as caught:
    Other = xr.register_dataset_accessor("grad")(type("Other", (), {}))
assert "overriding a preexisting attribute" in str(caught[0].message)
assert xr.Dataset.grad is Other
assert xr.DataArray.grad is xr.DataTree.grad is xgradient.Grad
"""
    run(code)


@pytest.mark.slow
def test_a_package_that_does_not_fit_is_named():
    code = """
del np.pi
for use in (lambda: line.grad, lambda: xgradient.grad):
    try:
        use()
    except ImportError as error:
        print(error)
"""
    lines = run(code).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("xgradient cannot be loaded: ") for line in lines)
