"""Layers that make tasks on demand: what they know without tasks, and which tasks they make."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from ..support.operations import OPERATIONS, sample, with_data

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

from dask.core import flatten  # noqa: E402
from dask.highlevelgraph import MaterializedLayer  # noqa: E402

from xgradient import gradient  # noqa: E402
from xgradient.engine import cyclic_layer, task_layers  # noqa: E402

CHUNKS = (2, 5, 9)


def layers_of(result):
    """The layers of this package in the graphs of a result, by name."""
    fields = result.data_vars.values() if isinstance(result, xr.Dataset) else [result]
    return {
        name: layer
        for field in fields
        for name, layer in field.data.__dask_graph__().layers.items()
        if isinstance(layer, task_layers.TaskLayer)
    }


def in_chunks(**options):
    return with_data(sample(**options), lambda values: da.from_array(values, chunks=CHUNKS))


def cyclic():
    """A field whose last longitude repeats the first one."""
    lon = np.arange(0.0, 361.0, 30.0)
    values = np.random.default_rng(0).random((4, lon.size))
    values[:, -1] = values[:, 0]
    coords = {"y": np.arange(4.0), "lon": ("lon", lon, {"units": "degrees_east"})}
    da = xr.DataArray(values, coords, ("y", "lon"), name="t")
    return da.chunk(y=2, lon=4).grad("lon", periodic="lon")


RESULTS = {
    **{name: lambda op=op: op(in_chunks(holes=True)) for name, op in OPERATIONS.items()},
    "cyclic": cyclic,
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_layer_is_the_mapping_of_its_tasks(name):
    result = RESULTS[name]()
    layers = layers_of(result)
    assert layers or not dask.is_dask_collection(result)
    for label, layer in layers.items():
        assert label == layer.name
        assert not layer.is_materialized()
        tasks = dict(layer)
        assert len(layer) == len(tasks) == len(set(layer))
        assert all(task.key == key for key, task in tasks.items())
        assert all(key in layer for key in tasks)
        outputs = layer.get_output_keys()
        assert set(outputs) == {key for key in tasks if key[0] == label}
        assert len(outputs) == len(set(outputs))
        inner = set(tasks) - set(outputs)
        needed = set().union(*(task.dependencies for task in tasks.values()))
        assert inner <= needed, "tasks that nobody needs"
        assert {key for key in needed if key[0] in {k[0] for k in tasks}} <= set(tasks)


@pytest.mark.parametrize("name", RESULTS)
def test_tasks_for_some_keys_are_those_that_dask_would_keep(name):
    for layer in layers_of(RESULTS[name]()).values():
        whole = MaterializedLayer(dict(layer))
        outputs = sorted(layer.get_output_keys())
        for keys in (outputs[:1], outputs[-1:], outputs[::3], outputs):
            foreign = {("other", 0), "text", 3}
            found, needs = layer.cull({*keys, *foreign}, set())
            expected, _ = whole.cull(set(keys), set(whole))
            assert set(found) == set(expected)
            assert {key: set(needed) for key, needed in needs.items()} == {
                key: set(task.dependencies) for key, task in whole.items() if key in found
            }
        assert layer.get_dependencies(outputs[0], set()) == set(whole[outputs[0]].dependencies)


def test_keys_that_are_not_there():
    layer = next(iter(layers_of(in_chunks().t.grad(["lat"], metric="sphere")).values()))
    name, *block = next(iter(layer.get_output_keys()))
    slab, i, *_ = next(iter(layer))
    for key in (
        *(name, (), ("other", 0, 0, 0), (name,), (name, *block, 0), (name, *block[:-1])),
        *((name, -1, *block[1:]), (name, 99, *block[1:]), (name, "0", *block[1:])),
        *((slab, i), (slab, i, 0), (slab, 99, 0, 0, 0), (slab, i, 0, 99, 0), (slab,), (slab, "0")),
    ):
        assert key not in layer
        with pytest.raises(KeyError):
            layer[key]


def test_building_makes_no_task(monkeypatch, nothing_computed):
    def fail(*args):
        raise AssertionError("a task was made")

    monkeypatch.setattr(task_layers.SumLayer, "_make", fail)
    monkeypatch.setattr(cyclic_layer.CyclicLayer, "_make", fail)
    with nothing_computed():
        for make in RESULTS.values():
            result = make()
            repr(result)
            result.isel({next(iter(result.dims)): slice(0, 1)})
            pickle.dumps(result)
    with pytest.raises(AssertionError, match="a task was made"):
        result.compute()


def test_a_part_of_a_million_chunks_makes_its_own_tasks_only(monkeypatch):
    made = []
    make = task_layers.SumLayer._make

    def counting(self, key):
        made.append(key)
        return make(self, key)

    monkeypatch.setattr(task_layers.SumLayer, "_make", counting)
    field = da.from_array(np.random.default_rng(0).random((2000, 1000)), chunks=(2, 1))
    result = xr.DataArray(field, dims=("x", "y")).grad("x")
    part = result[100:102, 7:8].compute(scheduler="sync")
    assert len(made) == 3, "a chunk and the edge slabs of both neighbours"
    expected = xr.DataArray(field[96:106, 7:8].compute(), dims=("x", "y")).grad("x")
    np.testing.assert_array_equal(part, expected[4:6])


@pytest.mark.parametrize("name", RESULTS)
def test_a_pickled_graph_is_its_description(name):
    result = RESULTS[name]()
    for layer in layers_of(result).values():
        list(layer)  # which makes the plans
        again = pickle.loads(pickle.dumps(layer))
        assert set(vars(again)) < {*vars(layer), "_planner"}
        assert set(again) == set(layer)
        assert all(again[key].dependencies == layer[key].dependencies for key in layer)


def test_the_size_of_a_pickled_graph_does_not_grow_with_chunks():
    def size(n):
        field = da.zeros((n, 10), chunks=(1, 1))
        return len(pickle.dumps(xr.DataArray(field, dims=("x", "y")).grad("x").__dask_graph__()))

    # A chunk's size takes two bytes, in each of two layers.
    assert size(10_000) < size(100) + 6 * 9_900
    assert size(100) < 10_000


def test_names_are_the_same_again_and_in_every_key():
    first, second = (in_chunks().grad.curl(lon="u", lat="v", metric="sphere") for _ in range(2))
    assert first.data.name == second.data.name
    assert list(flatten(first.__dask_keys__())) == list(flatten(second.__dask_keys__()))
    keys = [set(layer) for result in (first, second) for layer in layers_of(result).values()]
    assert keys[0] == keys[1]


def test_annotations_reach_every_task():
    source = in_chunks()
    with dask.annotate(retries=3, priority=7):
        result = source.t.grad(["lat", "lon"], metric="sphere")
    graph = result.dt_dlat.data.__dask_graph__()
    keys = set(flatten(result.dt_dlat.data.__dask_keys__()))
    for each in (graph, graph.cull(keys)):
        made = [layer for label, layer in each.layers.items() if label.startswith("gradient-")]
        assert len(made) == 2, "all results, and one of them"
        assert all(layer.annotations == {"retries": 3, "priority": 7} for layer in made)
        assert any(key[0].startswith("edge-slabs") for layer in made for key in layer)


def test_a_clone_of_the_graph_computes_the_same():
    from dask.graph_manipulation import clone

    result = in_chunks().t.grad("lat", metric="sphere").data
    again = clone(result)
    assert again.name != result.name
    np.testing.assert_array_equal(*dask.compute(again, result, scheduler="sync"))


@pytest.mark.parametrize(
    ("options", "plans"),
    [
        ({}, 4),  # the first two chunks, those inside, the last
        ({"accuracy": 4}, 4),
        ({"periodic": True}, 3),  # the neighbours of the first and the last are at the other end
        ({"deriv": 2}, 4),
    ],
)
def test_chunks_that_do_the_same_share_a_plan(options, plans):
    (found,) = gradient(da.zeros((400, 3), chunks=(10, 1)), dim=0, **options)
    layer = found.dask.layers[found.name]
    tasks = [layer[key] for key in layer.get_output_keys()]
    assert len({id(task.args[0]) for task in tasks}) <= plans


def test_uneven_chunks_have_different_plans():
    (uneven,) = gradient(da.zeros(40, chunks=((10, 5, 10, 5, 10),)))
    layer = uneven.dask.layers[uneven.name]
    assert len({id(layer[key].args[0]) for key in layer.get_output_keys()}) >= 4
