"""Fixtures of every test file: reproducible random numbers, hypothesis, and dask that refuses."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from zlib import crc32

import hypothesis
import numpy as np
import pytest

from xgradient.kernels.compiled import layout, on_demand

from .support.backends import LIBRARIES, Library, library
from .support.loops import compile_loops
from .support.strategies import ALL_EXAMPLES

# Compiling a kernel takes longer than hypothesis' deadline, and a failure must come again.
# `.ci/run` runs all tests of hypothesis once more, by the profile "thorough".
for profile, count in (("xgradient", ALL_EXAMPLES // 4), ("thorough", ALL_EXAMPLES)):
    hypothesis.settings.register_profile(
        profile,
        max_examples=count,
        deadline=None,
        derandomize=True,
        print_blob=True,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("xgradient")


#: The state of each module's `RNG` before its first test.
_first_states: dict[str, Any] = {}
#: Cases of a test that plain `pytest` runs.
USUAL_CASES = 8


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark all but some cases of each test as slow, unless the command names a test.

    The choice depends on the name of a case alone, so that it is the same in every process.
    """
    if any("::" in argument for argument in config.args):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_one_test in cases.values():
        in_any_order = sorted(of_one_test, key=lambda item: crc32(item.nodeid.encode()))
        for item in in_any_order[USUAL_CASES:]:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while tests are collected, because they all stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def _when_loops_are_compiled(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile loops at once in tests marked so, and never in others.

    NumPy takes the place of loops in these, with the same bits and no compilation.
    """
    when = "now" if request.node.get_closest_marker("compiled") else "never"
    with pytest.MonkeyPatch.context() as patch:  # no fixture, which tests would share
        compile_loops(patch, when)
        yield
    on_demand.loop.cache_clear()


@pytest.fixture(autouse=True)
def _numbers_of_a_test_alone(request: pytest.FixtureRequest) -> None:
    """Start the random numbers of a module again, whatever tests have drawn before."""
    if (generator := getattr(request.module, "RNG", None)) is not None:
        bits = generator.bit_generator
        bits.state = _first_states.setdefault(request.module.__name__, bits.state)


@pytest.fixture(params=LIBRARIES)
def xp(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Every kind of arrays, one after the other."""
    with library(request.param) as found:
        yield found


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same ones in every run."""
    return np.random.default_rng(20240229)


@pytest.fixture(params=["walked", "in boxes"])
def small_pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays in small pieces taken as they lie, as large ones are, and copied, as usual."""
    if request.param == "walked":
        monkeypatch.setattr(layout, "MIN_CALL_CELLS", 1)
        monkeypatch.setattr(layout, "MIN_ROW_CELLS", 1)


def _refuse(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("dask computed while the graph was built")


@contextmanager
def _nothing_computed() -> Iterator[None]:
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler=_refuse):
        yield


@pytest.fixture
def nothing_computed() -> Callable[[], AbstractContextManager[None]]:
    """A context in which any computation by dask is an error: ``with nothing_computed(): ...``."""
    return _nothing_computed
