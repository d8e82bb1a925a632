"""CuPy arrays: the values of NumPy, and nothing that waits for the device or leaves it.

There may be no GPU here: a stand-in for CuPy runs the very kernels on this machine's processor.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xgradient import gradient
from xgradient.stencils.cache import LRUCache

from ..support import operations
from ..support.comparisons import COMPARISONS, computed, sample
from ..support.strategies import LAYOUTS, NODES, make_field

da = pytest.importorskip("dask.array")

# The kernels are compiled by the C++ compiler of this machine. Tests of all libraries of arrays,
# such as those of operators/test_arrays.py, run a few of them in the shorter profile.
pytestmark = pytest.mark.slow


@pytest.fixture
def cupy():
    """The stand-in for CuPy, in its place."""
    from ..support import simulated_cupy as simulated

    with simulated.installed():
        yield simulated


@pytest.fixture
def fetched(cupy, monkeypatch):
    """What is fetched from the device, where that is asked for: it is no error, but counted."""
    sizes = []
    get = lambda array: sizes.append(array.nbytes) or array._host.copy()  # noqa: E731
    monkeypatch.setattr(cupy.ndarray, "get", get)
    return sizes


#: On such grids a field in memory is asked once whether the same cells are missing at all times.
ASKING = "grad, curvilinear, coasts"


def operation_called(name, request):
    """An operator; nothing but that answer may be fetched from the device."""
    if name == ASKING:
        sizes = request.getfixturevalue("fetched")
        request.addfinalizer(lambda: check_answers(sizes))
    return operations.OPERATIONS[name]


def check_answers(sizes):
    """No more was fetched than a byte at a time."""
    assert set(sizes) <= {1}


def arrays(result) -> list:
    """The data of a DataArray or of all variables of a Dataset."""
    if isinstance(result, xr.DataArray):
        return [result.data]
    return [variable.data for variable in result.data_vars.values()]


def same_bits(found, expected) -> bool:
    return found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True)


# -- operators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("grid", [{}, {"holes": True}, {"poles": False}], ids=str)
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_every_operator_has_the_bits_of_numpy(cupy, name, grid, dtype, request):
    operation = operation_called(name, request)
    ds = operations.sample(dtype, **grid)
    expected = operation(ds)
    found = operation(operations.with_data(ds, cupy.on_device))
    assert type(found) is type(expected)
    assert found.attrs == expected.attrs
    for ours, numpys in zip(arrays(found), arrays(expected), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_every_operator_in_chunks_has_the_bits_of_numpy(cupy, name, holes, request):
    operation = operation_called(name, request)
    ds = operations.sample("f4", holes=holes)

    def in_chunks(values):
        return da.from_array(cupy.on_device(values), (2, 5, 7), name=False, asarray=False)

    lazy = arrays(operation(operations.with_data(ds, in_chunks)))
    assert all(isinstance(array._meta, cupy.ndarray) for array in lazy)
    found = da.compute(*lazy, scheduler="sync")
    for ours, numpys in zip(found, arrays(operation(ds)), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


def test_threads_of_dask(cupy):
    field = make_field((40, 90), "f4")
    lazy = da.from_array(cupy.on_device(field), (5, 10), name=False, asarray=False)
    found = da.compute(*gradient(lazy, accuracy=4), scheduler="threads", num_workers=8)
    for ours, numpys in zip(found, gradient(field, accuracy=4), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_magnitudes_of_tiny_and_huge_vectors_have_the_bits_of_numpy(cupy, dtype):
    info, factors = np.finfo(dtype), np.array([[1.1, 2.3], [0.7, -1.9]])
    for size in (info.smallest_subnormal * 64, info.tiny * 16, info.max / 64):
        slopes = (factors * size).astype(dtype)
        field = xr.DataArray(slopes, dims=["y", "x"])
        expected = field.grad.magnitude()
        assert np.isfinite(expected).all()
        assert (expected > 0).all()
        found = field.copy(data=cupy.on_device(slopes)).grad.magnitude()
        assert same_bits(cupy.on_host(found.data), expected.values)


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


# -- missing values where weights or positions have several dimensions --------------------------

EAST_NORTH, SPHERE = operations.EAST_NORTH, {"metric": "sphere", "skipna": True}
CURVED = {
    "grad": lambda ds: ds.t.grad(EAST_NORTH, **SPHERE),
    "magnitude": lambda ds: ds.t.grad.magnitude(EAST_NORTH, accuracy=4, **SPHERE),
    "hessian": lambda ds: ds.t.grad.hessian(EAST_NORTH, **SPHERE),
    "divergence": lambda ds: ds.grad.divergence(nav_lon="u", nav_lat="v", **SPHERE),
    "curl": lambda ds: ds.grad.curl(nav_lon="u", nav_lat="v", accuracy=4, **SPHERE),
    "advection": lambda ds: ds.t.grad.advection(nav_lon=ds.u, nav_lat=ds.v, **SPHERE),
}
LAYERED = {
    "along": lambda ds, **o: ds.t.grad("height", along="level", edge_order=1, **o),
    "second": lambda ds, **o: ds.t.grad("height", deriv=2, along="level", edge_order=1, **o),
    "across": lambda ds, **o: ds.t.grad(["lat", "lon"], at_constant="height", along="level",
                                        edge_order=1, **o),
}  # fmt: skip


def without(coord, cells):
    """The coordinate, missing in some cells."""
    return coord.where(~np.asarray(cells))


def check_bits(cupy, operation, ds, chunked, names=("u", "v", "t")):
    """An operation has the same bits if some variables are on the device."""

    def made(make):
        def array(values):
            if not chunked:
                return make(values)
            sizes = tuple(max(1, n // 2) for n in values.shape)
            return da.from_array(make(values), sizes, name=False, asarray=False)

        there = ds.assign({n: ds[n].copy(data=array(ds[n].values)) for n in names if n in ds})
        found = arrays(operation(there))
        return da.compute(*found, scheduler="sync") if chunked else found

    for ours, numpys in zip(made(cupy.on_device), made(np.asarray), strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("unplaced", [False, True], ids=["", "positions missing"])
@pytest.mark.parametrize("name", CURVED)
def test_coasts_on_curvilinear_grids(cupy, name, unplaced, chunked):
    """Of fields on the grid alone nothing is fetched, be cells missing or not."""
    for holes in (False, True):
        ds = operations.curved(operations.sample("f4", holes=holes)).isel(time=1, drop=True)
        if unplaced:
            cells = np.random.default_rng(1).random(ds.nav_lat.shape) < 0.1
            ds["nav_lat"], ds["nav_lon"] = without(ds.nav_lat, cells), without(ds.nav_lon, cells)
        check_bits(cupy, CURVED[name], ds, chunked)


def test_where_there_is_one_time_nothing_is_asked(cupy):
    ds = operations.curved(operations.sample("f4", holes=True)).isel(time=[1])
    check_bits(cupy, CURVED["grad"], ds, chunked=False)


@pytest.mark.parametrize("missing", ["alike at all times", "differently", "nowhere"])
def test_a_curvilinear_grid_asks_for_one_answer(cupy, fetched, missing):
    ds = operations.curved(operations.sample("f4", holes=missing == "differently"))
    if missing.startswith("alike"):
        cells = np.random.default_rng(1).random(ds.nav_lat.shape) < 0.1
        ds["t"] = ds.t.where(~xr.Variable(ds.nav_lat.dims, cells))
    check_bits(cupy, CURVED["grad"], ds, chunked=False)
    assert fetched == [1]
    fetched.clear()
    check_bits(cupy, CURVED["grad"], ds, chunked=True)
    assert not fetched


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("there", [False, True], ids=["heights in memory", "heights there"])
@pytest.mark.parametrize("name", LAYERED)
def test_levels_with_missing_heights(cupy, name, there, chunked):
    names = ("t", "height") if there else ("t",)
    for skipna in (False, True):
        ds = operations.layered(operations.sample("f4", holes=True))
        cells = np.random.default_rng(1).random(ds.height.shape) < 0.1
        ds["height"] = without(ds.height, cells)
        check_bits(cupy, lambda ds, o=skipna: LAYERED[name](ds, skipna=o), ds, chunked, names)


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


@pytest.mark.parametrize(
    ("shape", "dim"), [((0, 5), 1), ((5, 0), 0), ((5, 0, 3), 0), ((1, 5), 1), ((1, 5, 1), 1)]
)
@pytest.mark.parametrize("options", [{}, {"skipna": True}, {"periodic": True}], ids=str)
def test_empty_arrays_and_single_cells(cupy, shape, dim, options):
    field = make_field(shape, "f4")
    (found,) = gradient(cupy.on_device(field), dim=dim, **options)
    assert found.shape == shape
    assert same_bits(cupy.on_host(found), gradient(field, dim=dim, **options)[0])


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


def as_dtype(ds, dtype):
    """The fields in another dtype, complex ones with an imaginary part."""
    turned = {n: ds[n] * (1 - 0.5j if dtype.startswith("c") else 1) for n in ("u", "v", "t")}
    return ds.assign({n: f.astype(dtype).assign_attrs(ds[n].attrs) for n, f in turned.items()})


@pytest.mark.parametrize("dtype", ["f2", "c8"])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_every_operator_in_every_dtype(cupy, name, dtype, request):
    """Half floats are rounded once, those of NumPy after each step; products of complex ones
    are those of the library."""
    operation = operation_called(name, request)
    ds = as_dtype(operations.sample(holes=True), dtype)
    found = operation(operations.with_data(ds, cupy.on_device))
    for ours, numpys in zip(arrays(found), arrays(operation(ds)), strict=True):
        ours = cupy.on_host(ours)
        assert ours.dtype == numpys.dtype
        assert np.array_equal(np.isnan(ours), np.isnan(numpys))
        # Integrals in metres are beyond half floats.
        np.testing.assert_array_equal(np.isinf(ours), np.isinf(numpys))
        valid, kind = np.isfinite(ours), np.finfo(ours.dtype)
        wide = ours[valid].astype("c16"), numpys[valid].astype("c16")
        largest = abs(wide[1]).max(initial=0)
        limit = 4 * (float(kind.eps) * largest + float(kind.smallest_subnormal))
        assert np.allclose(*wide, rtol=0, atol=limit)


def test_places_of_64_bits(cupy, monkeypatch):
    from xgradient.kernels.cuda import launch

    field = make_field((5, 40, 70), "f4")
    expected = gradient(field)
    monkeypatch.setattr(launch, "MAX_INT32_CELLS", 0)
    for ours, numpys in zip(gradient(cupy.on_device(field)), expected, strict=True):
        assert same_bits(cupy.on_host(ours), numpys)


# -- nothing leaves the device ------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("short", [1 << 20, 0], ids=["short", "long"])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_a_second_call_brings_nothing_to_the_device(
    cupy, name, short, chunked, request, monkeypatch
):
    from xgradient.kernels.cuda import device

    monkeypatch.setattr(device, "MAX_KEY_BYTES", short)  # all arrays count as long ones
    operation = operation_called(name, request)

    def on_device(values):
        array = cupy.on_device(values)
        return da.from_array(array, (2, 5, 7), name=False, asarray=False) if chunked else array

    def call():
        cupy.calls.clear()
        made = arrays(operation(ds))
        if chunked:
            da.compute(*made, scheduler="sync")
        return cupy.calls

    ds = operations.with_data(operations.sample("f4"), on_device)
    first = [size for what, size in call() if what == "asarray"]
    by_columns = "levels" in name or "height" in name  # with positions as many as values
    assert by_columns or max(first) < ds.u.nbytes  # coefficients, never a field
    called = [what for what, _ in call()]
    # Levels, sums whose terms all have conditions at coasts, and integrals take other operations.
    own = ("levels", "without flux", "integrate")
    assert "kernel" in called or any(words in name for words in own)
    assert "asarray" not in called


@pytest.mark.parametrize("skipna", [False, True])
def test_weights_of_curvilinear_grids_are_made_on_the_device(cupy, skipna):
    """Of a grid nothing goes there but its latitudes and longitudes."""
    ds = operations.curved(operations.sample("f4")).isel(time=0, drop=True)
    there = operations.with_data(ds, cupy.on_device)
    there.t.grad.laplacian(EAST_NORTH, metric="sphere", skipna=skipna)
    sent = [size for what, size in cupy.calls if what == "asarray" and size > ds.x.size * 8]
    assert sent == [ds.nav_lat.size * 8] * 2


def test_several_derivatives_are_one_kernel(cupy):
    field = cupy.on_device(make_field((6, 7, 8)))
    gradient(field)
    assert [what for what, _ in cupy.calls].count("kernel") == 1
    cupy.calls.clear()
    gradient(field, dim=1)
    assert [what for what, _ in cupy.calls].count("kernel") == 1


def test_what_the_stand_in_refuses(cupy):
    array = cupy.on_device(np.ones(3))
    refused = [float, int, bool, np.asarray, list, repr, np.tan, np.mean, np.add.reduce]
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
    done = [lambda a: a + 1, lambda a: cupy.where(a > 0, a, 0), lambda a: cupy.concat([a, a])]
    for do in done:
        do(array)
        with cupy.cuda.Device(1), pytest.raises(cupy.Elsewhere, match="while current = 1"):
            do(array)


# -- what is on the device, and what is not -----------------------------------------------------


def test_positions_on_the_device_are_fetched(cupy, fetched):
    field, x = make_field((4, 6)), NODES["jittered"](6)
    options = {"spacing": [0.5, cupy.on_device(x)]}
    for ours, numpys in zip(
        gradient(cupy.on_device(field), **options), gradient(field, spacing=[0.5, x]), strict=True
    ):
        assert same_bits(cupy.on_host(ours), numpys)
    assert fetched == [x.nbytes]
    lazy = da.from_array(cupy.on_device(field), (2, 3), name=False, asarray=False)
    for array in (cupy.on_device(field), lazy):
        (found,) = gradient(array, spacing=cupy.on_device(x), dim=1)
        found = found.compute(scheduler="sync") if array is lazy else found
        assert same_bits(cupy.on_host(found), gradient(field, spacing=x, dim=1)[0])


def test_lengths_on_the_device_are_fetched(cupy, fetched):
    ds = operations.sample("f8")
    operation = operations.OPERATIONS["curl, given lengths"]
    there = operations.with_data(ds, cupy.on_device)
    there["h"] = there.h.copy(data=cupy.on_device(ds.h.values))
    found = operation(there)
    assert same_bits(cupy.on_host(found.data), operation(ds).values)
    assert set(fetched) == {ds.h.nbytes}


def test_coordinates_of_a_grid_on_the_device_are_fetched(cupy, fetched):
    ds = operations.curved(operations.sample("f4", holes=True)).isel(time=0, drop=True)
    there = operations.with_data(ds, cupy.on_device)
    for name in ("nav_lat", "nav_lon"):
        there[name] = ds[name].copy(data=cupy.on_device(ds[name].values))
    for operation in (CURVED["grad"], lambda ds: ds.t.grad.laplacian(EAST_NORTH, metric="sphere")):
        for ours, numpys in zip(arrays(operation(there)), arrays(operation(ds)), strict=True):
            assert same_bits(cupy.on_host(ours), numpys)
    assert set(fetched) == {ds.nav_lat.nbytes}


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_operators_on_another_device(cupy, name, chunked, request):
    """What is done with arrays is done on their device, whichever is the current one."""
    operation = operation_called(name, request)
    ds = operations.sample("f4", holes=True)

    def on_device(values):
        with cupy.cuda.Device(1):
            array = cupy.on_device(values)
            if not chunked:
                return array
            return da.from_array(array, (2, 5, 7), name=False, asarray=False)

    there = operations.with_data(ds, on_device)
    for found, expected in zip(arrays(operation(there)), arrays(operation(ds)), strict=True):
        with cupy.cuda.Device(1):  # as workers of dask have one of their own
            found = found.compute(scheduler="sync") if chunked else found
        assert found.device.id == 1
        assert same_bits(cupy.on_host(found), expected)


@pytest.mark.parametrize("name", CURVED)
def test_coasts_of_curvilinear_grids_on_another_device(cupy, name, fetched):
    ds = operations.curved(operations.sample("f4", holes=True))
    with cupy.cuda.Device(1):
        there = operations.with_data(ds, cupy.on_device)
    for found, expected in zip(arrays(CURVED[name](there)), arrays(CURVED[name](ds)), strict=True):
        assert found.device.id == 1
        assert same_bits(cupy.on_host(found), expected)


@pytest.mark.parametrize("there", [False, True], ids=["heights in memory", "heights there"])
@pytest.mark.parametrize("name", LAYERED)
def test_levels_on_another_device(cupy, name, there):
    names = ("t", "height") if there else ("t",)
    for skipna in (False, True):
        ds = operations.layered(operations.sample("f4", holes=True))
        with cupy.cuda.Device(1):
            elsewhere = ds.assign({n: ds[n].copy(data=cupy.on_device(ds[n].values)) for n in names})
        pairs = (arrays(LAYERED[name](each, skipna=skipna)) for each in (elsewhere, ds))
        for found, expected in zip(*pairs, strict=True):
            assert found.device.id == 1
            assert same_bits(cupy.on_host(found), expected)


def test_arrays_on_another_device(cupy):
    field = make_field((4, 6))
    with cupy.cuda.Device(1):
        array = cupy.asarray(field)
    for found in gradient(array, spacing=[0.5, NODES["jittered"](6)]):
        assert found.device == array.device
    assert cupy.cuda.Device().id == 0


def test_coefficients_are_kept_for_each_device_and_stream(cupy, monkeypatch):
    def brought():
        cupy.calls.clear()
        gradient(array, spacing=0.5, dim=0)
        return [what for what, _ in cupy.calls].count("asarray")

    array = cupy.on_device(make_field((4, 6)))
    assert brought() > 0
    assert brought() == 0
    stream = type("Stream", (), {"ptr": 7})
    monkeypatch.setattr(cupy.cuda, "get_current_stream", lambda: stream)
    assert brought() > 0
    assert brought() == 0
    with cupy.cuda.Device(1):
        array = cupy.asarray(make_field((4, 6)))
    assert brought() > 0


def sent(cupy, n, seed=0, **options):
    """Bytes that went to the device for an uneven axis, whose derivative has the bits of NumPy."""
    x = np.cumsum(1 + np.random.default_rng(seed).random(n))
    field = make_field((n,), "f4")
    cupy.calls.clear()
    (found,) = gradient(cupy.on_device(field), spacing=x, **options)
    assert same_bits(cupy.on_host(found), gradient(field, spacing=x, **options)[0])
    return sum(size for what, size in cupy.calls if what == "asarray")


@pytest.mark.parametrize("options", [{}, {"accuracy": 4, "skipna": True}], ids=str)
def test_long_tables_are_sent_once(cupy, options):
    first = sent(cupy, 150_000, **options)
    assert first >= 2 * 149_998 * 4
    assert sent(cupy, 150_000, **options) == 0
    # Others of the same length are told apart.
    assert sent(cupy, 150_000, seed=1, **options) > 1 << 20
    assert sent(cupy, 150_000, **options) == 0


def test_no_more_is_kept_than_is_allowed(cupy, monkeypatch):
    from xgradient.kernels.cuda import device

    monkeypatch.setattr(
        device, "_DEVICE_CACHE", LRUCache(4 << 20, size=lambda pair: pair[1].nbytes)
    )
    for _ in range(2):  # with room for three of the four
        assert [sent(cupy, 150_000, seed) > 1 << 20 for seed in range(4)] == [True] * 4
    assert sent(cupy, 150_000, seed=3) == 0
    monkeypatch.setattr(device, "MAX_CACHE_BYTES", 1 << 20)
    assert [sent(cupy, 150_000) > 1 << 20 for _ in range(2)] == [True, True]


def with_lengths(n=600):
    """A field, and lengths of two dimensions that take more than a mebibyte."""
    ds = xr.Dataset({"t": (("lat", "lon"), make_field((n, n), "f4"))})
    return ds.assign(h=(("lat", "lon"), 1 + make_field((n, n)) ** 2))


def test_long_weights_are_told_apart_by_every_cell(cupy):
    ds = with_lengths()
    there = ds.t.copy(data=cupy.on_device(ds.t.values))
    for brought in (True, False, True):
        cupy.calls.clear()
        found = there.grad("lon", metric={"lon": ds.h})
        expected = ds.t.grad("lon", metric={"lon": ds.h})
        assert same_bits(cupy.on_host(found.data), expected.values)
        sizes = [size for what, size in cupy.calls if what == "asarray"]
        assert (4 * 600**2 in sizes) == brought
        if not brought:
            ds.h[599, 5] += 1  # the same array as before, with one other number


def test_long_weights_are_kept_for_each_device(cupy):
    ds = with_lengths()
    for device in (0, 1, 0, 1):
        with cupy.cuda.Device(device):
            there = ds.t.copy(data=cupy.on_device(ds.t.values))
        cupy.calls.clear()
        found = there.grad("lon", metric={"lon": ds.h})
        assert found.data.device.id == device
    assert "asarray" not in [what for what, _ in cupy.calls]


def test_unsigned_components_turn_round_at_the_poles(cupy):
    ds = operations.sample("f8")
    for name in ("u", "v"):
        ds[name] = abs(ds[name]).astype("u1").assign_attrs(ds[name].attrs)

    def divergence(ds):
        return ds.grad.divergence(lon="u", lat="v", metric="sphere")

    expected = divergence(ds)
    found = divergence(operations.with_data(ds, cupy.on_device))
    assert same_bits(cupy.on_host(found.data), expected.values)


WITH_THE_STAND_IN = """
import sys
from tests.support import simulated_cupy as simulated
with simulated.installed():
    simulated.ndarray.get = lambda self: self._host
    exec(sys.stdin.read())
"""


def run_with_the_stand_in(code, *packages):
    """What code prints, by itself: what packages know of CuPy would stay with the other tests."""
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    command = [sys.executable, "-c", WITH_THE_STAND_IN]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_and_back_with_cupy_xarray(cupy):
    code = """
import cupy_xarray, numpy as np, xarray as xr, xgradient
plain = xr.DataArray(np.arange(12.0).reshape(3, 4) ** 2, {"x": [0, 1, 3]}, ("x", "y"), name="t")
for da in (plain, plain.chunk(y=2)):
    there = da.cupy.as_cupy()
    slope = there.grad("x")
    assert there.cupy.is_cupy and slope.cupy.is_cupy
    assert slope.cupy.as_numpy().identical(da.grad("x")), slope
"""
    run_with_the_stand_in(code, "cupy_xarray")


def test_the_examples_of_the_how_to(cupy):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "gpu.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    run_with_the_stand_in("\n".join(blocks), "cupy_xarray", "torch", "jax")


def test_the_notebook(cupy):
    pytest.importorskip("matplotlib")
    path = Path(__file__).parents[2] / "notebooks" / "5_gpu.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    # The stand-in is no faster for many calls.
    code = "import matplotlib; matplotlib.use('Agg')\n" + code.replace("there, 50", "there, 1")
    said = run_with_the_stand_in(code, "cupy_xarray", "torch", "jax")
    assert said.startswith("on a GPU: no GPU at all\n")
    assert "largest difference from NumPy: 0.0\n" in said
    assert "equal to the result without chunks: True\n" in said


# -- the benchmark ------------------------------------------------------------------------------


@pytest.fixture
def benchmark():
    if find_spec("benchmarks") is None:
        pytest.skip("the benchmarks are part of a checkout")
    from benchmarks import gpu

    return gpu


@pytest.fixture
def short(benchmark, monkeypatch):
    """The benchmark with a few operators and calls."""
    few = ["grad, along time", "strain", "grad, coasts"]
    monkeypatch.setattr(benchmark, "OPERATIONS", {n: operations.OPERATIONS[n] for n in few})
    monkeypatch.setattr(benchmark, "CALLS", 1)
    monkeypatch.setattr(benchmark, "ROUNDS", 1)
    return benchmark


def table_of(text):
    """The lines of a table in Markdown, with their cells."""
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| d")]
    return lines[0], lines[1:]


def test_the_benchmark_checks_every_operator(cupy, fetched, benchmark, capsys):
    benchmark.main(["--only", "values"])
    said = capsys.readouterr()
    assert f"{len(operations.OPERATIONS)} operators have the values of NumPy" in said.err
    assert not said.out


def test_the_benchmark_checks_and_measures(cupy, fetched, short, capsys, tmp_path):
    page = tmp_path / short.PAGE
    page.parent.mkdir(parents=True)
    page.write_text("Before\n<!-- benchmark gpu -->\n<!-- end of benchmark gpu -->\nafter\n")
    short.main(["--quick", "--write", str(tmp_path)])
    said = capsys.readouterr()
    assert "3 operators have the values of NumPy" in said.err
    header, lines = table_of(said.out)
    assert header[:4] == [
        "derivative", "xgradient, float32", "xgradient, float64", "cupy.gradient, float32",
    ]  # fmt: skip
    assert len(lines) == 3 * 2 * 4 - 2  # eight times are too few for accuracy 8
    assert all(re.fullmatch(r"[\d.]+", cell) for line in lines for cell in line[1:3])
    assert sum(bool(line[3].strip()) for line in lines) == 6
    assert "no GPU at all" in said.out
    assert said.out.strip() in page.read_text()


def test_the_benchmark_tells_all_that_fails(cupy, fetched, short, capsys, monkeypatch, tmp_path):
    """A wrong operator, one that ends with an error, and one that leaves the device."""

    def wrong(ds):
        return operations.OPERATIONS["strain"](ds) * (1 if isinstance(ds.u.data, np.ndarray) else 2)

    def impossible(ds):
        raise RuntimeError("out of memory")

    def outside(ds):
        found = operations.OPERATIONS["grad, along time"](ds)
        return found if isinstance(ds.u.data, np.ndarray) else found.copy(data=found.data.get())

    given = {"a": wrong, "b": impossible, "c": outside, "d": short.OPERATIONS["strain"]}
    monkeypatch.setattr(short, "OPERATIONS", given)
    monkeypatch.delattr(cupy, "gradient")
    gradient_of, calls = short.xgradient.gradient, []

    def sometimes(array, **options):
        calls.append(options)
        if options["accuracy"] == 4:
            raise RuntimeError("no such kernel")
        return gradient_of(array, **options)

    monkeypatch.setattr(short.xgradient, "gradient", sometimes)
    with pytest.raises(SystemExit) as ended:
        short.main(["--quick", "--write", str(tmp_path)])  # where there is no page to write to
    failed = str(ended.value).splitlines()
    assert failed[0] == f"{len(failed) - 1} failed:"
    assert "a of float32 is off by 1.0e+00 of its largest value" in failed
    assert "b of float64 {'holes': True} ended with RuntimeError: out of memory" in failed
    assert "c of float32 ended with TypeError: the result is a ndarray" in failed
    assert (
        "d/dlat, uniform, accuracy 4, xgradient, float32, ended with RuntimeError: no such kernel"
        in failed
    )
    assert not any(line.startswith("d of") for line in failed)
    said = capsys.readouterr()
    assert all(f"FAILED: {line}" in said.err for line in failed[1:])
    header, lines = table_of(said.out)
    assert header == ["derivative", "xgradient, float32", "xgradient, float64"]
    assert len(lines) == 3 * 2 * 3 - 2


def test_the_benchmark_finds_a_wrong_kernel(cupy, fetched, short, monkeypatch):
    from xgradient.kernels.cuda import launch

    right = launch.cupy_sums
    monkeypatch.setattr(
        launch, "cupy_sums", lambda *args: [found * 1.001 for found in right(*args)]
    )
    with pytest.raises(SystemExit, match=r"grad, along time of float32 is off by 1\.0e-03 of"):
        short.main(["--only", "values"])


def test_the_benchmark_takes_what_fits(cupy, benchmark, monkeypatch):
    assert benchmark.fitting(cupy) == (103, 721, 1440)  # in 8 gibibytes
    monkeypatch.setattr(cupy.Device, "mem_info", (80 << 30, 80 << 30))
    assert benchmark.fitting(cupy) == benchmark.SHAPE


def test_the_benchmark_without_a_gpu(cupy, benchmark, monkeypatch):
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", lambda: 0)
    with pytest.raises(SystemExit, match=r"^there is no GPU to measure: CuPy finds no GPU; give"):
        benchmark.main([])
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(SystemExit, match=r"^there is no GPU to measure: import of cupy halted"):
        benchmark.main([])


# -- errors -------------------------------------------------------------------------------------


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


@pytest.mark.parametrize("chunked", [False, True])
def test_fields_of_different_libraries(cupy, chunked):
    ds = operations.sample()
    ds["v"] = ds.v.copy(data=cupy.on_device(ds.v.values))
    if chunked:
        ds["u"] = ds.u.chunk(lat=3)
    sentence = (
        "the fields are arrays of different libraries, numpy.ndarray and "
        "tests.support.simulated_cupy.ndarray; bring them to the same one first"
    )
    with pytest.raises(TypeError, match=whole(sentence)):
        ds.grad.divergence(lon="u", lat="v")
    with pytest.raises(TypeError, match=whole(sentence)):
        CURVED["divergence"](operations.curved(ds))


def test_positions_on_the_device_of_a_field_that_is_not(cupy):
    sentence = "spacing[1] is on a GPU, but input is not; give it .get()"
    with pytest.raises(ValueError, match=whole(sentence)):
        gradient(np.ones((4, 6)), spacing=[0.5, cupy.on_device(np.arange(6.0))])


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("name", LAYERED)
def test_heights_on_the_device_of_a_field_that_is_not(cupy, name, chunked):
    ds = operations.layered(operations.sample())
    ds["height"] = ds.height.copy(data=cupy.on_device(ds.height.values))
    if chunked:
        ds["t"] = ds.t.chunk(lat=3)
    sentence = (
        "coordinate 'height' is on a GPU, but the field is not; bring it back, e.g. with "
        ".as_numpy()"
    )
    for skipna in (False, True):
        with pytest.raises(ValueError, match=whole(sentence)):
            LAYERED[name](ds, skipna=skipna)


def test_positions_on_another_device(cupy):
    with cupy.cuda.Device(1):
        x = cupy.asarray(np.arange(6.0))
    sentence = "spacing is on <CUDA Device 1>, but input is on <CUDA Device 0>; bring it there"
    with pytest.raises(ValueError, match=whole(sentence)):
        gradient(cupy.on_device(np.ones(6)), spacing=x)


@pytest.mark.parametrize("dtype", [">f4", "g", ">i2"])
def test_numbers_that_no_gpu_knows(cupy, dtype):
    array = cupy.on_device(np.ones((4, 6), dtype))
    sentence = (
        f"data of dtype {array.dtype} cannot be computed with on a GPU; convert them to float64 "
        "or float32 first"
    )
    for chunked in (False, True):
        field = xr.DataArray(array, dims=("x", "y"))
        if chunked:
            field = field.copy(data=da.from_array(array, (2, 3), name=False, asarray=False))
        for call in (lambda f: gradient(f.data), lambda f: f.grad("x"), lambda f: f.grad.hessian()):
            with pytest.raises(TypeError, match=whole(sentence)):
                call(field)


def test_floats_that_numpy_does_not_know(cupy):
    dtype = pytest.importorskip("ml_dtypes").bfloat16
    for array in (np.ones((4, 6), dtype), cupy.on_device(np.ones((4, 6), dtype))):
        sentence = "data of dtype bfloat16 have no derivative; convert them to float32 first"
        with pytest.raises(TypeError, match=whole(sentence)):
            gradient(array)
        sentence = "the data have dtype bfloat16, which has no derivative; convert them to float32"
        with pytest.raises(TypeError, match=f"{sentence} first$"):
            xr.DataArray(array, dims=("x", "y")).grad("x")


def no_driver():
    raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            no_driver,
            (
                "CuPy finds no working driver for a GPU (cudaErrorInsufficientDriver: CUDA driver "
                "version is insufficient); install one, or give NumPy arrays"
            ),
        ),
        (lambda: 0, "CuPy finds no GPU; give NumPy arrays"),
    ],
)
def test_without_a_working_driver(cupy, monkeypatch, found, sentence):
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", found)
    array = cupy.on_device(np.ones((4, 6)))
    with pytest.raises(RuntimeError, match=whole(sentence)):
        gradient(array)
    with pytest.raises(RuntimeError, match=whole(sentence)):
        xr.DataArray(array, dims=("x", "y")).grad("x")


def test_an_old_cupy(cupy, monkeypatch):
    monkeypatch.setattr(cupy, "__version__", "13.6.0")
    with pytest.raises(RuntimeError, match=whole("CuPy is 13.6.0; xgradient needs 14 or newer")):
        gradient(cupy.on_device(np.ones(6)))
