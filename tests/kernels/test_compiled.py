"""Any memory layout, missing values, threads and processes: always the same bits."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import threading
import tracemalloc
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgradient import gradient
from xgradient.kernels.compiled import stencil_driver, tiles
from xgradient.kernels.generic import stencil_sum
from xgradient.kernels.requests import TermRequest
from xgradient.stencils.nodes import nodes_from_values
from xgradient.stencils.scheme import Scheme

from ..support import reference
from ..support.calls import derivative
from ..support.marks import slow
from ..support.strategies import DTYPES, LAYOUTS, NODES, examples, make_field, positions, shapes

pytestmark = pytest.mark.compiled


def same_bits(found, expected) -> bool:
    """Whether two arrays have the same type, shape and values, missing ones included."""
    return (
        found.dtype == expected.dtype
        and found.shape == expected.shape
        and np.array_equal(found, expected, equal_nan=found.dtype.kind in "fc")
    )


# -- layouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "dtypes", [("f8", "i2", "g"), slow(("f4", "f8", "f2", "i2", ">f4", "g")), slow(("c16",))]
)
@given(data=st.data())
@examples(60)
def test_every_layout_gives_the_same_bits(layout, dtypes, data):
    shape = data.draw(shapes(least=1, most=9))
    axis = data.draw(st.sampled_from(range(len(shape))))
    shape = (*shape[:axis], data.draw(st.integers(2, 40)), *shape[axis + 1 :])
    dtype = data.draw(st.sampled_from(dtypes))
    field = make_field(shape, dtype, data.draw(st.integers(0, 100)))
    n = shape[axis]
    options = data.draw(
        st.sampled_from(
            [{}, {"deriv": 2, "edge_order": 1}, {"accuracy": 4}, {"accuracy": 6, "edge_order": 2}]
        )
    )
    if n < 9:
        options = {}
    nodes = st.one_of(st.just(0.5), positions(n))
    if dtype == "f2":  # not beyond the range of half floats
        nodes = st.sampled_from([0.5, NODES["stretched"](n)])
    spacing = [data.draw(nodes)]
    (expected,) = gradient(field, spacing=spacing, dim=axis, **options)
    view = LAYOUTS[layout](field)
    before = view.tobytes()
    (found,) = gradient(view, spacing=spacing, dim=axis, **options)
    assert type(found) is np.ndarray
    assert same_bits(found, expected)
    assert view.tobytes() == before


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_layout_of_periodic_axes_gives_the_same_bits(layout, axis):
    field = make_field((10, 11, 12), "f4")
    for x, period in ((0.5, True), (NODES["jittered"](10 + axis), 20.0)):
        options = {"accuracy": 4, "period": period}
        expected = derivative(field, x, axis, **options)
        assert same_bits(derivative(LAYOUTS[layout](field), x, axis, **options), expected)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("skipna", [False, True])
def test_every_layout_of_chunks_gives_the_same_bits(layout, skipna):
    da = pytest.importorskip("dask.array")
    field = make_field((6, 10, 11, 12), "f4")
    field[2:4, 5, 5:8, 3] = np.nan
    lazy = da.from_array(LAYOUTS[layout](field), chunks=(3, 5, 4, 7))
    for axis in range(4):
        options = {"dim": axis, "accuracy": 4, "skipna": skipna}
        (expected,), (found,) = gradient(field, **options), gradient(lazy, **options)
        assert same_bits(found.compute(), expected)


@pytest.mark.parametrize("layout", ["C", "Fortran", "turned", "part", "part_reversed"])
def test_arrays_that_can_be_walked_are_not_copied(layout):
    field = LAYOUTS[layout](make_field((12, 130, 150), "f4"))
    x = [NODES["jittered"](n) for n in field.shape]
    # Cells from before and none from after, as a last chunk has them.
    stencils = [Scheme.checked(1, 2, 1).stencil(nodes_from_values(p, "x"), "x") for p in x]
    for axis, stencil in enumerate(stencils):
        out = np.empty_like(field)
        before = np.take(field, [0], axis)
        term = TermRequest(field, axis, stencil, before)
        stencil_driver.write_derivative(term, out)  # compiles
        tracemalloc.start()
        stencil_driver.write_derivative(term, out)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < field.nbytes / 10


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("repeated", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_broadcast_arrays_are_no_other_arrays(axis, repeated):
    shape = (5, 6, 7)
    small = make_field(tuple(1 if d in repeated else n for d, n in enumerate(shape)))
    wide = np.broadcast_to(small, shape)
    for spacing in (0.5, NODES["jittered"](shape[axis])):
        (found,) = gradient(wide, spacing=[spacing], dim=axis)
        (expected,) = gradient(np.ascontiguousarray(wide), spacing=[spacing], dim=axis)
        assert same_bits(found, expected)
        assert axis not in repeated or not found.any()


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_result_lies_in_memory_as_the_field(order):
    field = np.asarray(make_field((4, 5, 6)), order=order)
    for found in gradient(field):
        assert found.flags[f"{order}_CONTIGUOUS"]
        assert found.flags.writeable
        assert found.flags.owndata
    turned = make_field((4, 5, 6)).transpose(1, 2, 0)
    assert all(found.strides == turned.strides for found in gradient(turned))


def test_the_result_is_never_the_field(rng):
    field = rng.standard_normal((6, 7))
    kept = field.copy()
    results = gradient(field)
    for found in results:
        assert not np.shares_memory(found, field)
        found[...] = 0
    assert np.array_equal(field, kept)
    assert not np.shares_memory(*results)


@pytest.mark.parametrize("inner", [1, 2, 3, 7, 8, 9, 31, 200])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_one_column_is_the_same_alone_and_among_others(inner, dtype):
    # One column is worked on along the axis, many across it, by loops of their own.
    field = make_field((41, inner), dtype)
    for x in (0.3, NODES["jittered"](41)):
        for order in ({}, {"accuracy": 4}, {"deriv": 2, "accuracy": 6}):
            together = derivative(field, x, **order)
            for j in {0, inner // 2, inner - 1}:
                assert same_bits(together[:, j], derivative(field[:, j].copy(), x, **order))


def test_rows_longer_than_a_strip(rng):
    # The inner cells are walked in strips of half a mebibyte.
    field = rng.standard_normal((5, 2, 70_001))
    assert np.abs(gradient(field, dim=0)[0] - np.gradient(field, axis=0)).max() < 1e-15 * 8
    found = derivative(field[:, 0], NODES["alternating"](5))
    expected = np.gradient(field[:, 0], NODES["alternating"](5), axis=0)
    assert np.abs(found - expected).max() < 1e-13


@pytest.mark.parametrize("dtype", ["f2", ">f8", "i4"])
@pytest.mark.parametrize("shape", [(3, 70_000), (70_000, 3), (40, 50, 60), (2, 2, 2, 2, 5000)])
def test_arrays_that_are_converted_in_pieces(shape, dtype):
    field = make_field(shape, dtype)
    plain = field.astype("f4" if dtype == "f2" else "f8")
    for axis in range(len(shape)):
        (found,) = gradient(field, dim=axis)
        (expected,) = gradient(plain, dim=axis)
        assert same_bits(found, expected.astype(found.dtype))


# -- dtypes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [slow(d) if "c8" in d else d for d in DTYPES])
def test_the_compiled_loops_agree_with_the_reference(dtype):
    field = make_field((3, 17, 2), dtype, 9)
    wide = field.astype("c16" if field.dtype.kind == "c" else "f8")
    for x, period in ((0.25, None), (NODES["jittered"](17), None), (NODES["stretched"](17), 40)):
        order = {"deriv": 2, "accuracy": 4}
        exact = reference.along(wide, x, 1, period=period, **order)
        found = derivative(field, x, 1, period=period or False, **order)
        precision = max(np.finfo(found.dtype).eps, np.finfo("f8").eps)
        assert np.abs(found - exact).max() <= 16 * precision * np.abs(exact).max()


def test_long_doubles_are_differentiated_as_long_doubles():
    eps = np.finfo(np.longdouble).eps
    if eps == np.finfo(np.float64).eps:
        pytest.skip("long doubles are doubles here")
    tiny = np.longdouble(1) + eps * np.arange(0, 18, 2)  # all equal in float64
    assert derivative(tiny, 1.0).tolist() == (2 * eps * np.ones(9)).tolist()
    both = tiny + 1j * tiny
    assert derivative(both, 1.0).imag.tolist() == (2 * eps * np.ones(9)).tolist()


def test_half_floats_are_rounded_once():
    field = make_field((50, 3), "f2")
    found = derivative(field, 0.3, accuracy=4)
    single = derivative(field.astype("f4"), 0.3, accuracy=4)
    assert found.tolist() == single.astype("f2").tolist()


@pytest.mark.parametrize("kind", ["uniform", "jittered"])
@pytest.mark.parametrize("order", [(1, 2, 1), (1, 4, 4), (2, 3, 1), (3, 4, 2)])
def test_the_plain_loops_agree_with_the_compiled_ones(kind, order):
    field = make_field((4, 21, 3))
    x = NODES[kind](21)
    stencil = Scheme.checked(*order).stencil(nodes_from_values(x, "x"), "x")
    plain = stencil_sum.stencil_sum(TermRequest(field, 1, stencil), np.dtype("f8"), np)
    deriv, accuracy, edge_order = order
    compiled = derivative(field, x, 1, deriv=deriv, accuracy=accuracy, edge_order=edge_order)
    assert np.abs(plain - compiled).max() <= 1e-14 * np.abs(compiled).max()


# The derivative of a polynomial in one process, at the accuracies that are told.
ONE_PROCESS = """
import sys
import numpy as np
import xgradient

x = np.linspace(0, 1, 20)
for case in sys.argv[1:]:
    axis, accuracy = int(case[0]), int(case[1])
    field = np.broadcast_to(x**2 if axis else x[:, None] ** 2, (20, 20)).copy()
    field[7, 7] = np.nan
    options = {"accuracy": accuracy, "edge_order": accuracy, "skipna": case.endswith("s")}
    slope = xgradient.gradient(field, spacing=(x,), dim=axis, **options)[0]
    print(case, np.nanmax(abs(slope - 2 * (x if axis else x[:, None]))))
"""


@pytest.mark.slow
@pytest.mark.parametrize("cases", [("14s", "16s", "04s"), ("02", "12", "14")])
def test_processes_share_what_they_compiled(tmp_path, cases):
    # Each process compiles one case, under names that may be those of the others; the last takes
    # all of them from the cache.
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for told in (*((case,) for case in cases), cases, cases[::-1]):
        command = [sys.executable, "-c", ONE_PROCESS, *told]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        errors = dict(line.split() for line in done.stdout.splitlines())
        assert {*errors} == {*told}
        assert all(float(error) < 1e-11 for error in errors.values())


# -- missing and infinite values ----------------------------------------------------------------


def reached(n, missing, **order):
    """Which rows have a missing node in their window, by the rules of the documentation."""
    return [any(j % n == missing for j in reference.window(i, n, **order)) for i in range(n)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize(
    "order",
    [
        {"deriv": 1, "accuracy": 2},
        {"deriv": 1, "accuracy": 2, "edge_order": 2},
        {"deriv": 2, "accuracy": 2},
        {"deriv": 1, "accuracy": 6, "edge_order": 1},
        {"deriv": 3, "accuracy": 4, "edge_order": 5},
    ],
    ids=lambda order: "-".join(map(str, order.values())),
)
def test_a_missing_value_spreads_as_far_as_the_windows(bad, kind, order):
    n = 19
    field = make_field((n, 5))
    for x, period in ((NODES[kind](n), None), (NODES[kind](n), 19.0 if kind == "uniform" else 30)):
        for missing in range(n):
            hole = field.copy()
            hole[missing, 2] = bad
            found = derivative(hole, x, period=period or False, **order)
            rows = reached(
                n, missing, uniform=kind == "uniform", periodic=period is not None, **order
            )
            assert (~np.isfinite(found[:, 2])).tolist() == rows
            clean = derivative(field, x, period=period or False, **order)
            assert same_bits(found[:, [0, 1, 3, 4]], clean[:, [0, 1, 3, 4]])
            along = derivative(np.ascontiguousarray(hole.T), x, 1, period=period or False, **order)
            assert same_bits(along.T, found)


def test_infinite_steps_are_infinite_or_missing_never_finite():
    field = np.array([0.0, 1, np.inf, np.inf, 2, 3])
    assert gradient(field)[0].tolist()[:2] == [1, np.inf]
    assert not np.isfinite(gradient(field)[0][1:5]).any()


# -- threads and processes ----------------------------------------------------------------------

LARGE = (70, 61, 67)


@pytest.fixture(autouse=True)
def threads_for_arrays_of_this_size(monkeypatch):
    """Threads take part from fewer cells on than is worth their while, so that tests are quick."""
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 2**18)


@pytest.mark.parametrize(
    "layout", ["C", "Fortran", "turned", "spread", "reversed", "part", "part_reversed"]
)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("threads", ["2", "5"])
def test_threads_do_not_change_a_bit(monkeypatch, layout, axis, threads):
    field = make_field(LARGE, "f4")
    assert field.size > tiles.MIN_CELLS_FOR_THREADS
    n = LARGE[axis]
    for x, period in (
        (0.5, False),
        (NODES["jittered"](n), False),
        (0.5, True),
        (NODES["jittered"](n), 2.0 * n),
    ):
        options = {"accuracy": 4, "period": period}
        monkeypatch.setenv("XGRADIENT_NUM_THREADS", "1")
        alone = derivative(field, x, axis, **options)
        monkeypatch.setenv("XGRADIENT_NUM_THREADS", threads)
        assert same_bits(derivative(LAYOUTS[layout](field), x, axis, **options), alone)


@pytest.mark.parametrize("dtype", ["f8", "i4", "g"])
@pytest.mark.parametrize("shape", [(300_007,), (7, 40_013), (40_013, 7), (7, 5, 7, 5, 7, 5, 7)])
def test_threads_on_arrays_of_any_shape(monkeypatch, shape, dtype):
    field = make_field(shape, dtype)
    axes = {0, len(shape) // 2, len(shape) - 1}
    for axis in axes:
        for period in (False, True):
            monkeypatch.setenv("XGRADIENT_NUM_THREADS", "1")
            alone = derivative(field, 0.3, axis, accuracy=4, period=period)
            monkeypatch.setenv("XGRADIENT_NUM_THREADS", "3")
            assert same_bits(derivative(field, 0.3, axis, accuracy=4, period=period), alone)


def test_a_large_array_against_numpy():
    field = make_field(LARGE)
    for axis, n in enumerate(LARGE):
        x = NODES["stretched"](n)
        expected = np.gradient(field, x, axis=axis)
        assert np.abs(derivative(field, x, axis) - expected).max() <= 1e-12 * np.abs(expected).max()


def test_eight_threads_at_once():
    field = make_field(LARGE)
    expected = [derivative(field, NODES["jittered"](n), a) for a, n in enumerate(LARGE)]
    start = threading.Barrier(8)

    def work(k):
        start.wait()
        return [derivative(field, NODES["jittered"](LARGE[a]), a) for a in np.roll(range(3), k)]

    with ThreadPoolExecutor(8) as pool:
        for k, found in enumerate(pool.map(work, range(8))):
            for a, result in zip(np.roll(range(3), k), found, strict=True):
                assert same_bits(result, expected[a])


def test_an_error_in_one_thread_is_raised(monkeypatch):
    write, outputs = tiles.write_term, []

    def fail_once(term, out):
        outputs.append(out)
        if len(outputs) == 3:
            raise FloatingPointError("in the third unit")
        write(term, out)

    monkeypatch.setenv("XGRADIENT_NUM_THREADS", "2")
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
    monkeypatch.setattr(tiles, "write_term", fail_once)
    with pytest.raises(FloatingPointError, match="in the third unit"):
        gradient(make_field((600, 1000)), spacing=0.1)


def test_a_pool_that_takes_no_more_work_leaves_it_to_the_caller(monkeypatch):
    """As when the interpreter is ending."""
    field = make_field(LARGE)
    expected = derivative(field, 0.5, 1)

    def refuse(*arguments):
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setenv("XGRADIENT_NUM_THREADS", "2")
    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert same_bits(derivative(field, 0.5, 1), expected)


@pytest.mark.parametrize("text", ["0", "-2", "two", "1.5", ""])
def test_a_wrong_number_of_threads_is_named(monkeypatch, text):
    monkeypatch.setenv("XGRADIENT_NUM_THREADS", text)
    sentence = f"XGRADIENT_NUM_THREADS is {text!r}; set it to a whole number of at least 1"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        gradient(np.zeros(2**18 + 1))


def _sum_of_large(seed: int) -> float:
    tiles.MIN_CELLS_FOR_THREADS = 2**18  # a spawned process has its own
    return float(np.abs(gradient(make_field(LARGE, "f4", seed), dim=1)[0]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    expected = _sum_of_large(4)  # threads exist before the fork
    with warnings.catch_warnings():
        # Python warns of forking with threads; that it works is what this test shows.
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
            assert pool.submit(_sum_of_large, 4).result(timeout=100) == expected
    assert _sum_of_large(4) == expected
