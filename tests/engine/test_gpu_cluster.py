"""Two GPUs of a cluster, simulated: which tasks move what between them, and how many bytes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import xgradient  # noqa: F401  registers .grad

from ..support import simulated_cupy
from ..support.operations import OPERATIONS, sample, with_data

da = pytest.importorskip("dask.array")

from dask._task_spec import convert_legacy_graph  # noqa: E402
from dask.order import order  # noqa: E402

#: Chunks of time, latitude and longitude: 1, 2 and 4 of them.
CHUNKS = (3, 7, 6)


def devices_of(value):
    """Yield the arrays in what a task made or takes."""
    if isinstance(value, simulated_cupy.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from devices_of(part)
    elif hasattr(value, "rows"):  # a polar cap
        yield value.rows
        yield from devices_of(value.values)


def sent(value, device):
    """A value on another device, as a worker receives it."""
    if isinstance(value, simulated_cupy.ndarray):
        return simulated_cupy.ndarray(simulated_cupy.on_host(value).copy(), device)
    if isinstance(value, list | tuple):
        return type(value)(sent(part, device) for part in value)
    if hasattr(value, "rows"):
        received = object.__new__(type(value))
        received.rows, received.values = sent(value.rows, device), sent(value.values, device)
        return received
    return value


def run_on_two_devices(result, device_of_block):
    """Run all tasks of a result, each on the device of its chunk.

    Returns the values of all keys, and the bytes that went to the other device by the kind of
    task that made them.
    """
    graph = convert_legacy_graph(dict(result.__dask_graph__()))
    values, moved = {}, Counter()
    places = order(graph)
    for key in sorted(graph, key=places.__getitem__):
        task = graph[key]
        here = device_of_block(key)
        arguments = {}
        for needed in task.dependencies:
            arrays = list(devices_of(values[needed]))
            if arrays and arrays[0].device.id != here:
                kind = needed[0].rsplit("-", 1)[0]
                moved[kind] += sum(simulated_cupy.on_host(array).nbytes for array in arrays)
                arguments[needed] = sent(values[needed], here)
            else:
                arguments[needed] = values[needed]
        with simulated_cupy.Device(here):
            values[key] = task(arguments)
    return values, moved


def on_devices(values):
    """A dask array of simulated CuPy arrays, each made on its device."""
    return da.from_array(values, CHUNKS).map_blocks(
        simulated_cupy.asarray, meta=simulated_cupy.asarray(values[:0, :0, :0])
    )


def by_longitude(key):
    """The western half on one device, the eastern on the other."""
    return int(key[-1] >= 2) if isinstance(key, tuple) else 0


def check_same(result, values, expected):
    found = np.block([[[simulated_cupy.on_host(values[key]) for key in row] for row in plane]
                      for plane in result.__dask_keys__()])  # fmt: skip
    np.testing.assert_array_equal(found, expected)


def test_only_edge_slabs_go_from_one_device_to_the_other():
    with simulated_cupy.installed():
        ds = sample()
        expected = ds.t.grad("lon", accuracy=4).values
        lazy = ds.t.copy(data=on_devices(ds.t.values))
        result = lazy.grad("lon", accuracy=4).data
        values, moved = run_on_two_devices(result, by_longitude)
        check_same(result, values, expected)
    rows = ds.sizes["time"] * ds.sizes["lat"]
    # A task sends all slabs of a chunk: two columns from either side of the border, both ends.
    assert moved == {"edge-slabs": rows * 8 * (2 + 2) * 2}


@pytest.mark.parametrize("name", ["curl, globe", "laplacian, globe", "grad, every dimension"])
def test_operators_send_slabs_and_caps_alone(name):
    with simulated_cupy.installed():
        ds = sample()
        expected = OPERATIONS[name](ds)
        lazy = OPERATIONS[name](with_data(ds, on_devices))
        for found, other in zip(getattr(lazy, "data_vars", {"": lazy}).values(),
                                getattr(expected, "data_vars", {"": expected}).values(),
                                strict=True):  # fmt: skip
            values, moved = run_on_two_devices(found.data, by_longitude)
            check_same(found.data, values, other.values)
            assert moved.keys() <= {"edge-slabs", "polar-cap"}
