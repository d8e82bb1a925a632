"""Chunked arrays of other libraries: the bits of memory, nothing computed early."""

from __future__ import annotations

import pickle
import re
import sys
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xgradient
from xgradient import gradient
from xgradient.engine.chunk_libraries import LIBRARIES

from ..support.chunk_libraries import KINDS, CountedArray, chunk_library, is_of
from ..support.operations import (
    GLOBE,
    HORIZONTAL,
    OPERATIONS,
    curved,
    in_plane,
    layered,
    sample,
    with_data,
)
from ..support.strategies import NODES, examples, make_field

# Installed in `nox -s chunked`; one of them missing leaves the whole file out.
for library in ("dask_array", "cubed", "cubed_xarray", "dask.array"):
    pytest.importorskip(library)

import cubed  # noqa: E402

from xgradient.engine import cubed_blocks  # noqa: E402

#: Chunks of time, latitude and longitude: uneven ones, single rows and columns, one chunk.
CHUNKS = {"uneven": (2, 5, 7), "rows": (1, 1, 24), "columns": (3, 13, 4), "whole": (3, 13, 24)}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def from_array(kind):
    with chunk_library(kind) as make:
        yield make


def variables(result: Any) -> list[Any]:
    return [result] if isinstance(result, xr.DataArray) else list(result.data_vars.values())


def check_identical(kind: str, lazy: Any, expected: Any) -> None:
    assert all(is_of(kind, v.variable._data) for v in variables(lazy))
    xr.testing.assert_identical(lazy.compute(), expected)
    for one, other in zip(variables(lazy), variables(expected), strict=True):
        assert one.dtype == other.dtype


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operator_has_the_bits_of_memory(kind, from_array, name, chunks):
    ds, operation = sample(holes="coasts" in name), OPERATIONS[name]
    expected = operation(ds)
    sources = []

    def make(values):
        sources.append(CountedArray(values))
        return from_array(sources[-1], CHUNKS[chunks])

    lazy = operation(with_data(ds, make))
    assert not any(source.reads for source in sources), "values are read while it is built"
    check_identical(kind, lazy, expected)
    if kind != "cubed":
        assert {n for s in sources for n in s.reads.values()} == {1}
        ours = operation(ds.chunk(dict(zip(ds.t.dims, CHUNKS[chunks], strict=True))))
        assert [v.chunks for v in variables(lazy)] == [v.chunks for v in variables(ours)]


@st.composite
def calls(draw):
    shape = tuple(draw(st.integers(9, 14)) for _ in range(draw(st.integers(1, 3))))
    axis = draw(st.sampled_from(range(len(shape))))
    spacing = 0.5
    periodic = draw(st.booleans())
    if not periodic:
        spacing = NODES[draw(st.sampled_from(sorted(NODES)))](shape[axis])
    order = {"accuracy": draw(st.integers(1, 6)), "deriv": draw(st.integers(1, 2))}
    options = {"dim": axis, "spacing": spacing, "periodic": periodic, **order}
    field = make_field(
        shape, draw(st.sampled_from(["f4", "f8", "c16", "i2"])), draw(st.integers(0, 99))
    )
    return field, tuple(draw(st.integers(1, n)) for n in shape), options


@given(call=calls())
@settings(examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_plain_arrays_in_any_chunks(kind, from_array, call):
    field, chunks, options = call
    (expected,) = gradient(field, **options)
    source = CountedArray(field)
    (lazy,) = gradient(from_array(source, chunks), **options)
    assert not source.reads
    assert is_of(kind, lazy)
    assert lazy.shape == expected.shape
    assert lazy.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(lazy.compute()), expected, strict=True)


def test_a_part_of_a_result_reads_its_part_of_the_source(kind, from_array):
    source = CountedArray(make_field((30, 8)))
    (result,) = gradient(from_array(source, (3, 4)), dim=0)
    found = np.asarray(result[9:12, :4].compute())
    assert len(source.reads) == 3  # the chunk and two neighbours
    np.testing.assert_array_equal(found, gradient(source.values, dim=0)[0][9:12, :4])


# -- arrays that are not fields ------------------------------------------------------------------

LAZY_OTHERS = {
    "heights": (
        lambda ds: layered(ds),
        lambda ds: ds.t.grad("height", along="level", edge_order=1),
        "height",
    ),
    "heights, constant": (
        lambda ds: layered(ds),
        lambda ds: ds.t.grad(HORIZONTAL, at_constant="height", along="level"),
        "height",
    ),
    "lengths": (lambda ds: ds, lambda ds: ds.t.grad("lon", metric={"lon": ds.h}), "h"),
    "places": (curved, lambda ds: ds.t.grad("nav_lat", **GLOBE), "nav_lat"),
    "sigma": (
        lambda ds: ds,
        lambda ds: ds.t.grad("lat", error=True, sigma=ds.h.assign_attrs(units="K")),
        "h",
    ),
}


@pytest.mark.parametrize("name", LAZY_OTHERS)
@pytest.mark.parametrize("field", ["lazy field", "field in memory"])
def test_lazy_coordinates_and_options(kind, from_array, name, field):
    make, call, variable = LAZY_OTHERS[name]
    ds = make(sample())
    expected = call(ds)
    data = {variable: ds[variable].copy(data=from_array(ds[variable].values, 5))}
    lazy = ds.assign_coords(data) if variable in ds.coords else ds.assign(data)
    if field == "lazy field":
        lazy = lazy.assign(t=ds.t.copy(data=from_array(ds.t.values, (2, 5, 7))))
    result = call(lazy)
    if field == "lazy field" or name != "lengths":  # which are read, as those on dask are
        assert all(is_of(kind, v.variable._data) for v in variables(result))
    if variable in result.coords:
        assert result[variable].variable._data is lazy[variable].variable._data
    xr.testing.assert_identical(result.compute(), expected)


def test_a_component_without_a_dimension(kind, from_array):
    ds = in_plane(sample())
    flat = ds.assign(v=ds.v.isel(time=0, drop=True))
    expected = flat.grad.divergence(lon="u", lat="v")
    lazy = flat.assign(u=flat.u.copy(data=from_array(flat.u.values, (2, 5, 7))))
    check_identical(kind, lazy.grad.divergence(lon="u", lat="v"), expected)


def test_components_in_different_chunks(kind, from_array):
    ds = sample(holes=True)
    expected = ds.grad.curl(lon="u", lat="v", skipna=True, **GLOBE)
    lazy = ds.assign(
        u=ds.u.copy(data=from_array(ds.u.values, (2, 5, 7))),
        v=ds.v.copy(data=from_array(ds.v.values, (3, 4, 24))),
    )
    check_identical(kind, lazy.grad.curl(lon="u", lat="v", skipna=True, **GLOBE), expected)


def test_projected_coordinates(kind, from_array):
    crs = pytest.importorskip("pyproj").CRS(3035)
    x = np.linspace(3e6, 4e6, 12)
    data = np.sin(x / 1e5)[:, None] * np.cos(x / 1e5)
    coords = {n: (n, x, {"units": "m", "standard_name": f"projection_{n}_coordinate"})
              for n in ("y", "x")}  # fmt: skip
    field = xr.DataArray(data, coords, ("y", "x"), name="t", attrs={"units": "K"})
    expected = field.grad(["y", "x"], metric=crs)
    lazy = field.copy(data=from_array(data, (5, 7)))
    check_identical(kind, lazy.grad(["y", "x"], metric=crs), expected)


def test_quantities(kind, from_array):
    pint = pytest.importorskip("pint")
    metre = pint.UnitRegistry().metre
    field = xr.DataArray(
        make_field((12, 6)), dims=("y", "x"), coords={"y": ("y", np.arange(12.0), {"units": "s"})}
    )
    expected = field.grad("y").values
    lazy = field.copy(data=metre._REGISTRY.Quantity(from_array(field.values, (5, 6)), metre))
    result = lazy.grad("y").variable._data
    assert str(result.units) == "meter / second"
    assert is_of(kind, result.magnitude)
    np.testing.assert_array_equal(np.asarray(result.magnitude.compute()), expected)


def test_trees(kind, from_array):
    ds = sample()
    tree = xr.DataTree.from_dict({"/a": with_data(ds, lambda v: from_array(v, (2, 5, 7)))})
    result = tree.grad("lat")["a"].to_dataset()
    assert is_of(kind, result.dt_dlat.variable._data)
    xr.testing.assert_identical(result.compute(), ds.grad("lat"))


@pytest.mark.parametrize("kind", KINDS[1:], indirect=True)
def test_results_are_written_to_zarr(kind, from_array, tmp_path):
    ds = sample()[["t"]]
    lazy = ds.assign(t=ds.t.copy(data=from_array(ds.t.values, (2, 5, 7)))).grad("lat")
    lazy.to_zarr(tmp_path / "r.zarr", zarr_format=2)
    with xr.open_zarr(tmp_path / "r.zarr", chunks=None) as found:
        np.testing.assert_array_equal(found.dt_dlat.values, ds.grad("lat").dt_dlat.values)


def test_results_can_be_pickled(kind, from_array):
    ds = sample()
    (expected,) = gradient(ds.t.values, dim=1)
    (lazy,) = gradient(from_array(ds.t.values, (2, 5, 7)), dim=1)
    again = pickle.loads(cloudpickle.dumps(lazy))
    np.testing.assert_array_equal(np.asarray(again.compute()), expected)


# -- cubed ---------------------------------------------------------------------------------------


def test_cubed_has_chunks_of_one_size():
    with chunk_library("cubed") as from_array:
        field = make_field((12, 6))
        lazy = xr.DataArray(from_array(field, (4, 6)), dims=("y", "x"),
                            coords={"y": np.arange(12.0)})  # fmt: skip
        inner, outer = (lazy.grad("y", to=place) for place in ("inner", "outer"))
        few = lazy.grad("y", at=[0.5, 1.5, 9.5])
    assert inner.variable._data.chunks[0] == (4, 4, 3)
    assert outer.variable._data.chunks[0] == (5, 5, 3)
    assert few.variable._data.chunks[0] == (2, 1)


def test_cubed_reads_a_chunk_once_for_all_results():
    with chunk_library("cubed") as from_array:
        source = CountedArray(make_field((12, 6)))
        first, second = gradient(from_array(source, (12, 6)))
        found = cubed.compute(first, second)
    assert sum(source.reads.values()) == 1
    for one, other in zip(found, gradient(source.values), strict=True):
        np.testing.assert_array_equal(one, other)


def test_cubed_refuses_more_memory_than_is_allowed():
    spec = cubed.Spec(allowed_mem="100kB")
    field = cubed.from_array(make_field((100, 100)), chunks=(50, 100), spec=spec)
    with pytest.raises(ValueError, match=r"[Pp]rojected"):
        gradient(field, dim=0)[0].compute()


def test_cubed_of_xarray():
    spec = cubed.Spec(allowed_mem="200MB")
    ds = sample()
    lazy = ds.chunk(
        {"time": 2, "lat": 5, "lon": 7}, chunked_array_type="cubed",
        from_array_kwargs={"spec": spec},
    )  # fmt: skip
    result = lazy.grad.curl(lon="u", lat="v", **GLOBE)
    check_identical("cubed", result, ds.grad.curl(lon="u", lat="v", **GLOBE))


# -- refusals ------------------------------------------------------------------------------------


def test_two_libraries_in_one_call_are_refused():
    ds = in_plane(sample())
    with chunk_library("cubed") as one, chunk_library("dask-array") as other:
        lazy = ds.assign(u=ds.u.copy(data=one(ds.u.values, 5)),
                         v=ds.v.copy(data=other(ds.v.values, 5)))  # fmt: skip
        with pytest.raises(TypeError, match="arrays of cubed and of dask_array; bring them to one"):
            lazy.grad.divergence(lon="u", lat="v")


def test_values_that_are_needed_at_once_are_refused(from_array):
    ds = sample()
    lazy = ds.t.copy(data=from_array(ds.t.values, 5))
    with pytest.raises(TypeError, match="is lazy, and accuracy='auto' needs its values"):
        lazy.grad("lat", accuracy="auto")
    edge = xr.DataArray(from_array(np.zeros(3), 2), dims="time")
    with pytest.raises(ValueError, match=r"is lazy; give values in memory"):
        ds.t.grad("lat", boundary={"lat": ("value", edge)})


def test_dask_is_needed(from_array, monkeypatch):
    array = from_array(np.zeros((4, 4)), 2)
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(ImportError, match=r"planned with dask, which is not installed"):
        gradient(array)


def test_the_libraries_are_known_by_their_modules():
    assert [library.module for library in LIBRARIES] == ["dask_array", "cubed"]
    assert xgradient.grad is not None


def test_the_example_of_cubed_on_the_page_on_chunks(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "chunks.md"
    if not page.exists():
        pytest.skip("needs a checkout")
    block = re.findall(r"(?s)```python\n(.*?)```", page.read_text("utf-8"))[1]
    monkeypatch.chdir(tmp_path)
    lat = xr.Variable("lat", np.linspace(-60, 60, 7), {"units": "degrees_north"})
    lon = xr.Variable("lon", np.arange(0.0, 360, 30), {"units": "degrees_east"})
    values = np.arange(84.0).reshape(7, 12) ** 0.5
    wind = xr.Dataset(dict.fromkeys("uv", (("lat", "lon"), values)), {"lat": lat, "lon": lon})
    wind.to_zarr("winds.zarr", consolidated=False)
    names: dict[str, Any] = {"xr": xr, "cubed": cubed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(block, names)
    expected = wind.grad.curl(lon="u", lat="v", metric="sphere")
    assert is_of("cubed", names["vorticity"].variable._data)
    np.testing.assert_array_equal(names["vorticity"].compute(), expected)


def test_results_are_fields_of_further_calls(kind, from_array):
    ds = in_plane(sample())

    def chain(ds):
        first = (2 * ds.t + 1).grad(["lat", "lon"])
        slope = first["dt_dlat"] * first["dt_dlon"]
        return (slope - first["dt_dlat"]).rename("s").grad.laplacian(HORIZONTAL) / 3

    lazy = chain(ds.assign(t=ds.t.copy(data=from_array(ds.t.values, (2, 5, 7)))))
    assert is_of(kind, lazy.variable._data)
    xr.testing.assert_identical(lazy.compute(), chain(ds))


def test_several_results_are_computed_at_once_or_one_alone(kind, from_array):
    ds = sample()
    lazy = with_data(ds, lambda values: from_array(values, (2, 5, 7)))
    expected = ds.grad.strain(lon="u", lat="v", **GLOBE)
    result = lazy.grad.strain(lon="u", lat="v", **GLOBE)
    for name in expected.data_vars:
        xr.testing.assert_identical(result[name].compute(), expected[name])
    xr.testing.assert_identical(result[[*result.data_vars][1:]].compute(),
                                expected[[*expected.data_vars][1:]])  # fmt: skip


@pytest.mark.parametrize("options", [{"dim": 0}, {}, {"accuracy": 8}])
def test_cubed_knows_the_memory_of_a_chunk(options, monkeypatch):
    graphs = []
    make_graph = cubed_blocks.BlockGraph

    def kept(*args):
        graphs.append(make_graph(*args))
        return graphs[-1]

    monkeypatch.setattr(cubed_blocks, "BlockGraph", kept)
    with chunk_library("cubed") as from_array:
        plan = gradient(from_array(CountedArray(make_field((900, 900))), (300, 300)), **options)
        allowed = plan[0].plan().max_projected_mem
    block = (1, 1)
    chunks = [np.ones((300, 300)) for _ in graphs[0].source_chunks(block)]
    graphs[0].compute(block, iter(chunks))  # what is imported and cached once
    tracemalloc.start()
    try:
        graphs[0].compute(block, (chunk.copy() for chunk in chunks))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert graphs[0].chunks_held(block) < 4
    assert most < allowed
