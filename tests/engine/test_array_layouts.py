"""Arrays from other processes: at any byte, read-only, in any layout; the bits are the same."""

from __future__ import annotations

import gc
import pickle
import re
from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher

from xgradient.engine.block import PolarCap
from xgradient.kernels import backend_of, requests
from xgradient.kernels.compiled import column_driver, stencil_driver
from xgradient.kernels.cuda import launch
from xgradient.kernels.requests import Accumulate, SumRequest, TermRequest
from xgradient.operators.pointwise import _product1
from xgradient.stencils.fornberg import CoefficientTables
from xgradient.stencils.nodes import nodes_from_spacing
from xgradient.stencils.scheme import Scheme

from ..support import simulated_cupy
from ..support.operations import OPERATIONS, sample
from ..support.strategies import LAYOUTS, examples, make_field

pytestmark = pytest.mark.compiled

CHUNKS = {"time": 2, "lat": 7, "lon": 13}


def foreign(a):
    """The same values, each with its bytes the other way round."""
    return a.astype(a.dtype.newbyteorder("S"))


def odd(a):
    """What another process gets of an array: read-only, and at an odd address."""
    a = LAYOUTS["unaligned"](a)
    a.flags.writeable = False
    return a


#: Ways for values to arrive, and to lie where they are.
WAYS = {**LAYOUTS, "odd": odd, "foreign": foreign, "foreign, odd": lambda a: odd(foreign(a))}


def arrays_in(values):
    """All arrays among values, those inside tuples too."""
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, tuple | list):
            yield from arrays_in(value)


@pytest.fixture(scope="module", autouse=True)
def aligned_in_loops():
    """No loop gets an array that is not aligned: on some machines to read it is the end."""

    def checked(function):
        def call(*args):
            assert all(a.flags.aligned for a in arrays_in(args))
            return function(*args)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (stencil_driver, ("flat_view", "_run_loops")),
            (column_driver, ("flat_view",)),
        ):
            for name in names:
                patch.setattr(module, name, checked(getattr(module, name)))
        run_masked, *stencil_loops = stencil_driver._loops()
        patch.setattr(stencil_driver, "_loops", lambda: (checked(run_masked), *stencil_loops))
        column_loops, *sizes = column_driver._loops()
        patch.setattr(column_driver, "_loops", lambda: (lambda: checked(column_loops()), *sizes))
        yield


def same_bits(found, expected):
    return found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True)


def sent(value):
    """What another process gets of any value: its arrays are views of one message each."""
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(text, buffers=[memoryview(b"." + bytes(b.raw()))[1:] for b in buffers])


def laid_out(value, lay):
    """A value with other arrays in it, of the same values."""
    if isinstance(value, np.ndarray):
        return lay(value)
    if isinstance(value, PolarCap):
        cap = object.__new__(PolarCap)
        cap.rows, cap.values = lay(value.rows), laid_out(value.values, lay)
        return cap
    if isinstance(value, dict):
        return {key: laid_out(part, lay) for key, part in value.items()}
    return (
        type(value)(laid_out(part, lay) for part in value)
        if type(value) in (list, tuple)
        else value
    )


def scattered(lay):
    """A scheduler for dask whose tasks each get their arguments as another process would."""
    local = pytest.importorskip("dask.local")

    def loads(given):
        task, data = given
        ours = getattr(getattr(task, "func", None), "__module__", "").startswith("xgradient")
        return (sent(task), laid_out(data, lay)) if ours else given

    return partial(local.get_sync, loads=loads)


# -- whole operators ----------------------------------------------------------------------------


def differing(found, expected):
    """The operators whose results are not those expected, bit by bit."""
    variables = {name: getattr(ds, "data_vars", {name: ds}) for name, ds in expected.items()}
    return [
        name
        for name, mine in variables.items()
        for key, da in mine.items()
        if not same_bits((found[name][key] if key != name else found[name]).values, da.values)
    ]


def compiled():
    """All loops, with the types of arguments that they have been compiled for."""
    loops = [each for each in gc.get_objects() if issubclass(type(each), Dispatcher)]
    return {
        (id(loop), loop.__qualname__, str(types))
        for loop in loops
        if loop.__module__.startswith("xgradient")
        for types in loop.signatures
    }


def compiled_apart():
    """Loops that were compiled, or taken from the cache, for how arrays lie besides what they hold.

    Strided and read-only arrays are of other types to numba. It takes unaligned ones for aligned.
    """
    cases = [
        (which, name, re.sub(r"'[ACF]', (True|False), aligned=(True|False)", "", types))
        for which, name, types in compiled()
    ]
    return [case for case, count in Counter(cases).items() if count > 1]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_operator_on_arrays_from_anywhere(dtype):
    arrives_as_in_memory(dtype, OPERATIONS)


@pytest.mark.slow
def test_complex_fields_from_anywhere():
    names = ("magnitude, globe", "directional, globe")
    arrives_as_in_memory("c8", {name: OPERATIONS[name] for name in names})


def arrives_as_in_memory(dtype, operations):
    """Compare results of arrays that were sent, and of others, with those in memory.

    Both need the same loops, so one process compiles them for both.
    """
    dask = pytest.importorskip("dask")
    rng = np.random.default_rng(11)
    ds = sample(dtype, holes=True)
    lazy = {name: operation(ds.chunk(CHUNKS)) for name, operation in operations.items()}
    expected = {name: operation(ds) for name, operation in operations.items()}
    dask.compute(lazy, scheduler="sync")
    usual = compiled()
    for ways in ([odd], list(WAYS.values())):
        get = scattered(lambda a, ways=ways: ways[rng.integers(len(ways))](a))
        (found,) = dask.compute(lazy, scheduler=get, optimize_graph=False)
        assert differing(found, expected) == []
        assert len(ways) > 1 or compiled() - usual == set()
    assert compiled_apart() == []


# -- loops --------------------------------------------------------------------------------------

ANY = st.sampled_from(sorted(WAYS))
#: Axes of two and three dimensions: the innermost one, one in the middle, and the outermost one.
SHAPES = [((3, 9), 1), ((2, 9, 5), 1), ((9, 4), 0), ((2, 9, 1), 1)]


def laid(array, way):
    return None if array is None else WAYS[way](array)


def cells(shape, axis, dtype, seed, reach, holes):
    """A block with what lies before and after it."""
    whole = make_field(tuple(n + 2 * reach * (d == axis) for d, n in enumerate(shape)), dtype, seed)
    if holes:
        whole[np.random.default_rng(seed).random(whole.shape) < 0.2] = np.nan
    n = shape[axis]
    return [requests.slice_axis(whole, axis, *ends)
            for ends in ((reach, reach + n), (0, reach), (reach + n, None))]  # fmt: skip


def inner_rows(make, n, reach):
    """The rows of a block of n cells, of an axis that goes on before and after it."""
    return make(n + 2 * reach).slice_rows(reach, reach + n)


# Each dtype has loops of its own to compile. Tests of each kernel take some of the layouts.
DTYPES = pytest.mark.parametrize("dtype", ["f8", "f4"])


@pytest.mark.slow
@DTYPES
@given(data=st.data())
@examples(40)
def test_blocks_and_halos_in_any_layout(dtype, data):
    shape, axis = data.draw(st.sampled_from(SHAPES))
    skipna = data.draw(st.booleans())
    step = data.draw(st.sampled_from(["even", "uneven"]))
    kind = data.draw(st.sampled_from(["alone", "output_weight", "center_weight", "stretching"]))
    across = data.draw(st.sampled_from(["rows", "cells"]))
    n, reach = shape[axis], 2

    def make(nodes):
        where = 0.5 if step == "even" else np.cumsum(1 + 0.1 * np.cos(np.arange(nodes)))
        return Scheme(1, 2, 1, skipna).stencil(nodes_from_spacing(where, nodes, "spacing"), "axis")

    rows = inner_rows(make, n, reach).with_boundary_rows
    parts = cells(shape, axis, dtype, data.draw(st.integers(0, 9)), reach, skipna)
    size = shape if across == "cells" else [k if d <= axis else 1 for d, k in enumerate(shape)]
    numbers = None if kind == "alone" else make_field(tuple(size), "f8", 3)

    def result(lay, rows):
        f, before, after, w = (laid(a, lay()) for a in (*parts, numbers))
        given_ = {} if w is None else {kind: w}
        if kind == "stretching":
            given_["output_weight"] = laid(numbers[::-1], lay())
        term = TermRequest(f, axis, rows, before, after, **given_)
        return backend_of(f).sums(SumRequest([[term]], [f]))[0]

    expected = result(lambda: "C", rows)
    assert same_bits(result(lambda: data.draw(ANY), sent(rows)), expected)


@pytest.mark.slow
@DTYPES
@given(data=st.data())
@examples(40)
def test_positions_and_their_halos_in_any_layout(dtype, data):
    shape, axis = data.draw(st.sampled_from(SHAPES))
    skipna = data.draw(st.booleans())
    n, reach = shape[axis], 2
    rows = inner_rows(lambda nodes: Scheme(1, 2, 1, skipna).column_windows(nodes, "axis"), n, reach)
    parts = cells(shape, axis, dtype, data.draw(st.integers(0, 9)), reach, skipna)
    every = cells(shape, axis, "f8", 4, reach, holes=False)
    along = np.arange(n + 2 * reach).reshape([-1 if d == axis else 1 for d in range(len(shape))])
    steps = [requests.slice_axis(along, axis, *ends)
             for ends in ((reach, reach + n), (0, reach), (reach + n, None))]  # fmt: skip
    places = [10.0 * step + place for step, place in zip(steps, every, strict=True)]

    def result(lay, rows):
        f, before, after, *z = (laid(a, lay()) for a in (*parts, *places))
        term = TermRequest(f, axis, rows, before, after, positions=tuple(z))
        return backend_of(f).sums(SumRequest([[term]], [f]))[0]

    expected = result(lambda: "C", rows)
    assert same_bits(result(lambda: data.draw(ANY), sent(rows)), expected)


@pytest.mark.parametrize("way", WAYS)
def test_products_and_magnitudes_of_complex_numbers_in_any_layout(way):
    a, b, real = make_field((1001,), "c8", 1), make_field((1001,), "c8", 2), make_field((1001,))
    backend, lay = backend_of(a), WAYS[way]
    size = backend.accumulate(a, b, Accumulate.HYPOT)
    assert np.array_equal(backend.accumulate(lay(a), lay(b), Accumulate.HYPOT), size)
    assert np.array_equal(backend.accumulate(None, lay(b), Accumulate.ABS), abs(b))
    for other in (b, real):
        product = backend.pointwise(_product1, [a, other], np.empty(1001, "c16"))
        found = backend.pointwise(_product1, [lay(a), lay(other)], np.empty(1001, "c16"))
        assert np.array_equal(found, product)
    assert same_bits(backend.sum_along(lay(a), 0), backend.sum_along(a, 0))


def test_a_pickle_holds_no_derived_arrays():
    nodes = nodes_from_spacing(0.5, 9, "spacing")
    for rows in (
        Scheme(1, 2, 1, True).stencil(nodes, "axis"),
        Scheme(1, 2, 1, True).column_windows(9, "a"),
    ):
        before = pickle.dumps(rows)
        for name in (
            "tables",
            "boundary_windows",
            "with_boundary_rows",
            "table",
            "node_ranges",
            "rule",
            "depth",
        ):
            getattr(rows, name, None)
        assert pickle.dumps(rows) == before
        assert rows.depth == sent(rows).depth


def test_tables_are_of_one_type_wherever_they_come_from():
    table = np.arange(6.0).reshape(3, 2)
    for way, lay in WAYS.items():
        (made,) = CoefficientTables(lay(table))[np.dtype("f8")]
        flags = made.flags
        assert all([flags.c_contiguous, flags.aligned, flags.writeable]), way
        assert same_bits(made, table)
    choice = Scheme(1, 4, 2, True).column_windows(9, "axis").rule
    assert all(a.flags.c_contiguous for a in (choice.window_index, choice.starts, choice.widths))


def test_a_view_of_other_bytes_is_copied_on_a_gpu():
    """A GPU reads numbers only at multiples of their size."""
    for way, lay in LAYOUTS.items():
        array = simulated_cupy.on_device(lay(np.arange(6.0)))
        there = launch._with_item_strides(array)
        assert (there is not array) == (way in ("unaligned", "in_records"))
        assert same_bits(simulated_cupy.on_host(there), np.arange(6.0))
        assert launch._pointer(there) % 8 == 0
