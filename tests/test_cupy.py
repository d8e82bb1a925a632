"""CuPy arrays: the values of NumPy, and nothing that waits for the device or leaves it.

There may be no GPU here: a stand-in for CuPy runs the very kernels on this machine's processor.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from xgradient import gradient

from . import operations
from .comparisons import COMPARISONS, computed, sample
from .strategies import LAYOUTS, NODES, make_field

da = pytest.importorskip("dask.array")


@pytest.fixture
def cupy():
    """The stand-in for CuPy, in its place."""
    from . import simulated_cupy as simulated

    with simulated.installed():
        yield simulated


def arrays(result) -> list:
    """The data of a DataArray or of all variables of a Dataset."""
    if isinstance(result, xr.DataArray):
        return [result.data]
    return [variable.data for variable in result.data_vars.values()]


def same_bits(found, expected) -> bool:
    return found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True)


# -- operators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("grid", [{}, {"poles": False}, {"holes": True}], ids=str)
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_every_operator_has_the_bits_of_numpy(cupy, name, grid, dtype):
    operation = operations.OPERATIONS[name]
    ds = operations.sample(dtype, **grid)
    expected = operation(ds)
    found = operation(operations.with_data(ds, cupy.on_device))
    assert type(found) is type(expected)
    assert found.attrs == expected.attrs
    for ours, numpys in zip(arrays(found), arrays(expected), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_every_operator_in_chunks_has_the_bits_of_numpy(cupy, name, holes):
    operation = operations.OPERATIONS[name]
    ds = operations.sample("f4", holes=holes)

    def in_chunks(make):
        return operations.with_data(
            ds, lambda a: da.from_array(make(a), (2, 5, 7), name=False, asarray=False)
        )

    found = arrays(operation(in_chunks(cupy.on_device)))
    for ours, numpys in zip(found, arrays(operation(in_chunks(np.asarray))), strict=True):
        assert isinstance(ours._meta, cupy.ndarray)
        ours, numpys = ours.compute(scheduler="sync"), numpys.compute(scheduler="sync")
        assert same_bits(cupy.on_host(ours), numpys)


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
@pytest.mark.parametrize("dtype", [None, "f4"], ids=str)
def test_every_comparison_has_the_bits_of_numpy(cupy, comparison, dtype):
    options = dict(comparison.options)
    chunks = options.pop("chunks", None)
    field = sample(**{"dtype": dtype, **options} if dtype else options)
    on_device = field.copy(data=cupy.on_device(field.values))
    if chunks:
        sizes = tuple(chunks.get(dim, -1) for dim in field.dims)
        on_device = field.copy(data=da.from_array(on_device.data, sizes, name=False, asarray=False))
    found = comparison.ours(on_device)()
    found = arrays(found) if isinstance(found, xr.DataArray | xr.Dataset) else found
    for ours, numpys in zip(found, computed(comparison.ours(field)()), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


# -- layouts and dtypes -------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_layout_has_the_bits_of_numpy(cupy, layout, axis):
    field = make_field((11, 70, 9), "f4")
    view = LAYOUTS[layout](field)
    for options in ({}, {"accuracy": 4, "periodic": True}):
        (found,) = gradient(cupy.on_device(view), dim=axis, **options)
        (expected,) = gradient(field, dim=axis, **options)
        assert same_bits(cupy.on_host(found), expected)
        assert found.strides == gradient(view, dim=axis, **options)[0].strides


@pytest.mark.parametrize("repeated", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_broadcast_arrays(cupy, repeated):
    shape = (5, 6, 7)
    small = make_field(tuple(1 if d in repeated else n for d, n in enumerate(shape)))
    wide = np.broadcast_to(small, shape)
    for ours, expected in zip(gradient(cupy.on_device(wide)), gradient(wide), strict=True):
        assert same_bits(cupy.on_host(ours), expected)


@pytest.mark.parametrize("shape", [(500,), (3, 500), (500, 3), (2, 2, 2, 2, 2, 2, 9), (1, 700, 1)])
def test_arrays_of_any_shape(cupy, shape):
    field = make_field(shape, "f4")
    axes = [d for d, n in enumerate(shape) if n > 1]
    for ours, expected in zip(
        gradient(cupy.on_device(field), dim=axes), gradient(field, dim=axes), strict=True
    ):
        assert same_bits(cupy.on_host(ours), expected)


@pytest.mark.parametrize("inner", [1, 5, 64, 300])
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
@pytest.mark.parametrize("kind", NODES)
def test_every_accuracy(cupy, kind, accuracy, inner):
    field = make_field((3, 41, inner), "f4")
    options = {"dim": 1, "spacing": [NODES[kind](41)], "accuracy": accuracy}
    (found,) = gradient(cupy.on_device(field), **options)
    assert same_bits(cupy.on_host(found), gradient(field, **options)[0])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "i2"])
@pytest.mark.parametrize("kind", NODES)
def test_coasts(cupy, kind, dtype, share):
    field = make_field((4, 41, 20), dtype)
    if field.dtype.kind in "fc":
        field[np.random.default_rng(1).random(field.shape) < share] = np.nan
    for order in ({}, {"edge_order": 2}, {"accuracy": 4}, {"accuracy": 8}, {"deriv": 2}):
        options = {"dim": 1, "spacing": [NODES[kind](41)], "skipna": True, **order}
        (found,) = gradient(cupy.on_device(field), **options)
        assert same_bits(cupy.on_host(found), gradient(field, **options)[0])


def test_half_floats_are_rounded_once(cupy):
    field = make_field((50, 30), "f2")
    for axis in (0, 1):
        (found,) = gradient(cupy.on_device(field), spacing=0.3, dim=axis, accuracy=4)
        assert same_bits(cupy.on_host(found), gradient(field, spacing=0.3, dim=axis, accuracy=4)[0])


def test_places_of_64_bits(cupy, monkeypatch):
    from xgradient.kernels import _cupy

    field = make_field((5, 40, 70), "f4")
    expected = gradient(field)
    monkeypatch.setattr(_cupy, "FAR", 0)
    for ours, numpys in zip(gradient(cupy.on_device(field)), expected, strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


# -- nothing leaves the device ------------------------------------------------------------------


@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_a_second_call_brings_nothing_to_the_device(cupy, name):
    operation = operations.OPERATIONS[name]
    ds = operations.with_data(operations.sample("f4"), cupy.on_device)
    operation(ds)
    first = [size for what, size in cupy.calls if what == "asarray"]
    assert max(first) < ds.u.nbytes  # coefficients, never a field
    cupy.calls.clear()
    operation(ds)
    called = [what for what, _ in cupy.calls]
    assert "kernel" in called
    assert "asarray" not in called


def test_several_derivatives_are_one_kernel(cupy):
    field = cupy.on_device(make_field((6, 7, 8)))
    gradient(field)
    assert [what for what, _ in cupy.calls].count("kernel") == 1
    cupy.calls.clear()
    gradient(field, dim=1)
    assert [what for what, _ in cupy.calls].count("kernel") == 1


def test_what_the_stand_in_refuses(cupy):
    array = cupy.on_device(np.ones(3))
    refused = [float, int, bool, np.asarray, list, repr, np.sin, np.mean, np.add.reduce]
    refused += [
        lambda a: a.get(),
        lambda a: a.item(),
        lambda a: a.tolist(),
        lambda a: a[0] > 1 and 0,
    ]
    for read in refused:
        with pytest.raises(cupy.Transfer):
            read(array)
    with pytest.raises(TypeError, match="Unsupported type"):
        array + np.ones(3)
