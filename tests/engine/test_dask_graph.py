"""Dask: any chunks, the same bits as in memory, nothing computed early, few tasks."""

from __future__ import annotations

import collections
import gc
import pickle
import threading

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xgradient import gradient
from xgradient.engine.evaluate import evaluate_sums
from xgradient.engine.terms import Term, TermSum
from xgradient.kernels.backend import Backend
from xgradient.stencils.nodes import uniform_nodes
from xgradient.stencils.scheme import Scheme

from ..support.calls import derivative
from ..support.marks import some_slow
from ..support.strategies import NODES, chunkings, examples, make_field, shapes

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

from dask.highlevelgraph import HighLevelGraph  # noqa: E402
from dask.task_spec import Task  # noqa: E402


def counted(field, chunks):
    """A dask array of a field, and a counter of how often each of its blocks is computed."""
    counts: collections.Counter[tuple[int, ...]] = collections.Counter()
    lock = threading.Lock()
    plain = da.from_array(field, chunks=chunks)
    name = "source-" + dask.base.tokenize(field, plain.chunks)
    starts = [np.concatenate([[0], np.cumsum(c)]) for c in plain.chunks]

    def load(*block):
        with lock:
            counts[block] += 1
        return field[
            tuple(slice(s[i], s[i + 1]) for s, i in zip(starts, block, strict=True))
        ].copy()

    layer = {
        (name, *block): Task((name, *block), load, *block) for block in np.ndindex(plain.numblocks)
    }
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[])
    return da.Array(graph, name, plain.chunks, meta=plain._meta), counts


def same_bits(found, expected) -> bool:
    return found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True)


# -- any chunks ---------------------------------------------------------------------------------


@st.composite
def chunked_calls(draw):
    """A field, chunks of all its dimensions, an axis with its nodes and period, and orders."""
    accuracy = draw(st.integers(2, 8))
    deriv = draw(st.integers(1, 3))
    edge_order = draw(st.sampled_from([None, 1, 2]))
    shape = list(draw(shapes(least=1, most=5, max_dims=3)))
    axis = draw(st.sampled_from(range(len(shape))))
    least = deriv + accuracy + 2
    shape[axis] = n = draw(st.integers(least, least + 14))
    kind = draw(st.sampled_from(sorted(NODES)))
    x = 0.5 * NODES[kind](n) * draw(st.sampled_from([1, -1]))
    period = draw(st.sampled_from([False, False, 0.5 * n, 2.0 * n]))
    if period and period <= abs(x[-1] - x[0]):
        period = 2.0 * n
    dtype = draw(st.sampled_from(["f4", "f8", "c16", "i2", "f2"]))
    field = make_field(tuple(shape), dtype, draw(st.integers(0, 1000)))
    order = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order, "period": period}
    return field, draw(chunkings(tuple(shape))), axis, x, order


@given(call=chunked_calls())
@example(call=(make_field((12,)), ((1,) * 12,), 0, np.arange(12.0), {"accuracy": 8}))
@example(call=(make_field((12,)), ((11, 1),), 0, np.arange(12.0), {"period": 12.0}))
@example(call=(make_field((12,)), ((0, 5, 0, 0, 7, 0),), 0, np.arange(12.0), {"period": 12.0}))
@example(call=(make_field((9,)), ((4, 5),), 0, np.arange(9.0), {"accuracy": 8, "period": 9.0}))
@examples(400)
def test_every_chunking_gives_the_same_bits(call):
    field, chunks, axis, x, options = call
    expected = derivative(field, x, axis, **options)
    source, counts = counted(field, chunks)
    found = derivative(source, x, axis, **options)
    assert not counts
    assert found.chunks == chunks
    assert found.dtype == found._meta.dtype == expected.dtype
    assert same_bits(found.compute(scheduler="sync"), expected)
    assert set(counts.values()) <= {1}
    assert set(counts) == set(np.ndindex(source.numblocks))


@pytest.mark.parametrize("accuracy", some_slow([2, 3, 4, 5, 6, 7, 8], 3))
@pytest.mark.parametrize("period", [False, 23.0, 30.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_all_even_chunkings_of_one_axis(accuracy, period, axis):
    n = 23
    field = make_field((n, 3) if axis == 0 else (3, n), "f4")
    for kind in ("uniform", "jittered"):
        x = NODES[kind](n)
        options = {"accuracy": accuracy, "period": period}
        expected = derivative(field, x, axis, **options)
        for size in (1, 2, 3, 4, 7, 11, 22, 23):
            chunks = {axis: size, 1 - axis: 2}
            found = derivative(da.from_array(field, chunks=chunks), x, axis, **options)
            assert same_bits(found.compute(scheduler="sync"), expected), size


@pytest.mark.slow
@given(data=st.data())
@examples(100)
def test_weights_in_chunks_of_their_own(data):
    """Weights and values on dask, for fields on dask or in memory, are those from memory."""
    shape = data.draw(st.tuples(*[st.integers(4, 8)] * 3))
    field = make_field(shape, data.draw(st.sampled_from(["f4", "f8", "i2"])))
    thin = st.tuples(*(st.sampled_from([1, n]) for n in shape))
    weight, value = (make_field(data.draw(thin), "f8", seed) for seed in (1, 2))
    rows = Scheme().stencil(uniform_nodes(shape[1], 0.5), "it")
    around = uniform_nodes(shape[2], 2.0, periodic=True)
    across, slope = Scheme(2).stencil(around, "it"), Scheme().stencil(around, "it")

    def sums(weight, value):
        first = Term(0, 1, rows, output_weight=weight), Term(0, 2, across, center_weight=value)
        stretched = Term(0, 2, slope, output_weight=weight, stretching=value)
        return [
            TermSum(terms)
            for terms in (first, (Term(0, 2, across, output_weight=weight),), (stretched,))
        ]

    def on_dask(array):
        return da.from_array(array, chunks=data.draw(chunkings(array.shape)))

    expected = evaluate_sums([field], sums(weight, value))
    lazy = data.draw(st.booleans())
    some = on_dask(field) if lazy else field
    found = evaluate_sums([some], sums(on_dask(weight), on_dask(value) if lazy else value))
    for a, b in zip(found, expected, strict=True):
        assert not lazy or a.chunks == some.chunks
        assert same_bits(a.compute(scheduler="sync"), b)


@given(data=st.data())
@examples(60)
def test_several_chunked_axes_at_once(data):
    shape = data.draw(st.tuples(*[st.integers(5, 9)] * 3))
    field = make_field(shape, data.draw(st.sampled_from(["f4", "f8"])))
    chunks = data.draw(chunkings(shape))
    dims = data.draw(st.permutations([0, 1, 2]))
    periodic = data.draw(st.tuples(*[st.booleans()] * 3))
    source, counts = counted(field, chunks)
    options = {"dim": dims, "periodic": periodic, "accuracy": 4, "edge_order": 1}
    found = gradient(source, **options)
    assert not counts
    computed = dask.compute(*found, scheduler="sync")
    assert set(counts.values()) == {1}
    for ours, lazy, expected in zip(computed, found, gradient(field, **options), strict=True):
        assert lazy.chunks == chunks
        assert same_bits(ours, expected)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_equal_to_map_overlap(depth, boundary):
    # Dask's own exchange of overlapping cells, with chunks large enough for it.
    field = make_field((40, 30), "f8")
    source = da.from_array(field, chunks=((13, 7, 20), (30,)))
    accuracy, edge_order = 2 * depth, 1

    def in_block(block):
        # Rows next to the block's ends are cut away again, except at the ends of the array.
        return derivative(block, 0.3, accuracy=accuracy, edge_order=edge_order)

    expected = da.map_overlap(
        in_block,
        source,
        depth={0: depth, 1: 0},
        boundary=boundary,
        dtype="f8",
        meta=np.empty((0, 0)),
    )
    period = 12.0 if boundary == "periodic" else False
    found = derivative(source, 0.3, accuracy=accuracy, edge_order=edge_order, period=period)
    assert same_bits(found.compute(scheduler="sync"), expected.compute(scheduler="sync"))


def test_missing_values_cross_chunks():
    field = make_field((20, 4))
    field[[0, 7, 13], [1, 2, 3]] = np.nan
    for period in (False, 20.0):
        expected = derivative(field, 1.0, accuracy=4, period=period)
        found = derivative(da.from_array(field, chunks=(4, 3)), 1.0, accuracy=4, period=period)
        assert same_bits(found.compute(scheduler="sync"), expected)


def test_constants_stay_constant_across_chunks():
    field = da.full((30, 4), 101325, dtype="f4", chunks=(7, 4))
    for kind, make in NODES.items():
        for period in (False, 90.0):
            found = derivative(field, make(30), deriv=2, accuracy=4, period=period)
            assert not found.any().compute(scheduler="sync"), kind


def test_a_block_of_a_view_or_in_fortran_order():
    field = np.asfortranarray(make_field((20, 6), "f4"))
    turned = da.from_array(field, chunks=(5, 6)).T[::-1, ::2]
    for axis in (0, 1):
        expected = derivative(np.ascontiguousarray(field.T[::-1, ::2]), 0.3, axis, accuracy=2)
        assert same_bits(derivative(turned, 0.3, axis).compute(scheduler="sync"), expected)


# -- laziness and the graph ---------------------------------------------------------------------


def test_nothing_is_computed_while_the_graph_is_built(nothing_computed):
    source, counts = counted(make_field((20, 12)), (5, 4))
    with nothing_computed():
        for options in ({}, {"periodic": True}, {"accuracy": 6, "edge_order": 1}, {"deriv": 2}):
            first, second = gradient(source, **options)
            _ = (first + second).sum()
            repr(first)
            dask.optimize(first, second)
    assert not counts
    with nothing_computed(), pytest.raises(AssertionError, match=r"^dask computed while"):
        first.compute()


def tasks(*results):
    """The graph of results computed together, optimised: keys, and what each depends on."""
    merged = HighLevelGraph.merge(*(result.__dask_graph__() for result in results))
    keys = [result.__dask_keys__() for result in results]
    graph = dict(da.optimize(merged, keys))
    return {key: set(task.dependencies) for key, task in graph.items()}


@pytest.mark.parametrize(
    ("chunks", "dims", "most"),
    [
        ((5, 60), [0], 3),
        ((40, 6), [1], 3),
        ((40, 60), [0], 1),
        ((5, 60), [1], 1),
        ((5, 6), [0], 3),
        ((5, 6), [0, 1], 7),
        ((5, 60), [0, 1], 5),
    ],
)
@pytest.mark.parametrize("periodic", [False, True])
def test_tasks_added_per_chunk(chunks, dims, most, periodic):
    source, _ = counted(make_field((40, 60)), chunks)
    results = gradient(source, dim=dims, periodic=periodic)
    added = len(tasks(*results)) - source.npartitions
    assert added <= most * source.npartitions
    assert added >= source.npartitions


@pytest.mark.parametrize("periodic", [False, True])
def test_a_task_takes_its_own_block_and_only_slabs_of_others(periodic):
    source, _ = counted(make_field((40, 60)), (8, 12))
    results = gradient(source, dim=[0, 1], accuracy=4, edge_order=1, periodic=periodic)
    graph = tasks(*results)
    blocks = {key for key in graph if key[0] == source.name}
    assert len(blocks) == source.npartitions
    whole_blocks = 0
    for needed in graph.values():
        whole = needed & blocks
        assert len(whole) <= 1
        if len(needed) > 1:
            whole_blocks += 1
            slabs = needed - blocks
            assert len(whole) == 1
            assert 2 <= len(slabs) <= 4
            assert all(len(graph[slab] & blocks) == 1 for slab in slabs)
    assert whole_blocks == source.npartitions


def test_results_computed_together_share_their_work(monkeypatch):
    calls = []
    sums_of_block = Backend.sums

    def counting(*arguments):
        calls.append(arguments)
        return sums_of_block(*arguments)

    monkeypatch.setattr(Backend, "sums", counting)
    source, counts = counted(make_field((20, 12)), (5, 4))
    first, second = gradient(source)
    dask.compute(first, second, scheduler="sync")
    assert len(calls) == source.npartitions
    assert set(counts.values()) == {1}
    calls.clear()
    (first**2 + second**2).compute(scheduler="sync")
    assert len(calls) == source.npartitions


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_is_collected_as_before(collecting):
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        derivative(da.from_array(make_field((20, 12)), chunks=5), 1.0)
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()


def slabs(rows):
    """The chunks of an array of 60 rows, and the slabs that go round for windows of five nodes."""
    source, _ = counted(make_field((60, 50)), (rows, 50))
    found = derivative(source, 1.0, accuracy=4)
    chunks, others = [], []

    class Watch(dask.callbacks.Callback):
        def _posttask(self, key, result, dsk, state, worker_id):
            if key[0] == source.name:
                chunks.append(result)
            elif key[0] != found.name:
                others.extend(result if isinstance(result, list | tuple) else [result])

    with Watch():
        found.persist(scheduler="sync")
    return chunks, others


def test_slabs_hold_no_more_than_the_reach():
    _, others = slabs(20)
    assert [slab.shape for slab in others] == 4 * [(2, 50)]
    # A view would keep its whole block in memory.
    assert all(slab.base is None or slab.base.nbytes == slab.nbytes for slab in others)


def test_slabs_that_are_most_of_a_chunk_are_not_copied():
    chunks, others = slabs(5)
    assert len(others) == 2 * 11
    assert all(any(np.shares_memory(slab, chunk) for chunk in chunks) for slab in others)


def test_names_tell_results_apart_and_are_the_same_again():
    field = make_field((20, 12))
    source = da.from_array(field, chunks=5)
    x = NODES["jittered"](20)

    def name(**options):
        positions = options.pop("x", x)
        return derivative(options.pop("source", source), positions, **options).name

    names = [
        name(),
        name(deriv=2),
        name(accuracy=4),
        name(edge_order=2),
        name(period=30.0),
        name(period=31.0),
        name(x=x * 2),
        name(x=1.0),
        name(source=da.from_array(field + 1, chunks=5)),
        name(source=da.from_array(field, chunks=4)),
        derivative(source, 1.0, 1).name,
    ]
    assert len(set(names)) == len(names)
    assert name() == names[0]
    assert name(x=x.copy()) == names[0]


def test_one_of_several_results_can_be_computed_alone():
    field = make_field((20, 12))
    first, second = gradient(da.from_array(field, chunks=5))
    assert same_bits(second.compute(scheduler="sync"), gradient(field)[1])
    assert same_bits(first[3:7, ::2].compute(scheduler="sync"), gradient(field)[0][3:7, ::2])


def test_a_part_of_the_result_computes_a_part_of_the_source():
    source, counts = counted(make_field((40, 6)), (5, 6))
    derivative(source, 1.0)[10:15].compute(scheduler="sync")
    assert set(counts) == {(1, 0), (2, 0), (3, 0)}


def test_derivatives_of_derivatives():
    field = make_field((20, 12))
    source = da.from_array(field, chunks=(3, 5))
    twice = derivative(derivative(source, 0.5, 0, accuracy=4), 0.25, 1, period=3.0)
    expected = derivative(derivative(field, 0.5, 0, accuracy=4), 0.25, 1, period=3.0)
    assert same_bits(twice.compute(scheduler="sync"), expected)


# -- schedulers ---------------------------------------------------------------------------------


def lazy_and_expected():
    field = make_field((30, 20), "f4")
    x = NODES["jittered"](30)
    found = derivative(da.from_array(field, chunks=(7, 6)), x, accuracy=4, period=60.0)
    return found, derivative(field, x, accuracy=4, period=60.0)


def test_threads():
    found, expected = lazy_and_expected()
    for _ in range(5):
        assert same_bits(found.compute(scheduler="threads", num_workers=8), expected)


def test_results_survive_pickling():
    cloudpickle = pytest.importorskip("cloudpickle")
    found, expected = lazy_and_expected()
    again = pickle.loads(cloudpickle.dumps(found))
    assert again.chunks == found.chunks
    assert same_bits(again.compute(scheduler="sync"), expected)


@pytest.mark.slow
def test_processes():
    found, expected = lazy_and_expected()
    assert same_bits(found.compute(scheduler="processes", num_workers=1), expected)


@pytest.mark.parametrize("setting", [{"scheduler": "sync"}, {"num_workers": 2}, {}])
def test_arrays_in_memory_heed_the_settings_of_dask(setting):
    field = make_field((600, 500))
    expected = derivative(field, 0.3)
    with dask.config.set(setting):
        assert same_bits(derivative(field, 0.3), expected)
