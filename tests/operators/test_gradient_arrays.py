"""``.grad`` on chunks and other arrays, refusals, and the accessor."""

from __future__ import annotations

import inspect
import pickle
import re

import dask.array
import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.accessor import Grad


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


# dask


CHUNKS = [{"lat": 1}, {"lat": (1, 2, 1), "lon": 2}, {"t": 1, "lat": (3, 1), "lon": (2, 1)}, {}]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize(
    ("dim", "kwargs"),
    [
        ("t", {}),
        ("lat", {"edge_order": 2}),
        ("row", {}),
        (["lat", "lon"], {}),
        (None, {"periodic": {"lon": 4}}),
        ("latitude", {"deriv": 2}),
    ],
)
def test_chunks_are_kept_and_nothing_is_computed(field, chunks, dim, kwargs, nothing_computed):
    lazy = field.chunk(chunks)
    lazy = lazy.assign_coords(row=field.row)  # positions must be known, other coordinates need not
    assert lazy.area.chunks is not None
    expected = field.grad(dim, **kwargs)
    with nothing_computed():
        result = lazy.grad(dim, **kwargs)
        from_dataset = lazy.to_dataset().grad(dim, **kwargs)
    outs = [result] if isinstance(result, xr.DataArray) else list(result.values())
    for out in [*outs, *from_dataset.values()]:
        assert out.chunks == lazy.chunks
        assert out.area.chunks == lazy.area.chunks
        assert out.dtype == lazy.dtype
    # Bit for bit, and with the same names, attributes and coordinates.
    xr.testing.assert_identical(result.compute(scheduler="synchronous"), expected)
    computed = from_dataset.compute(scheduler="synchronous")
    if isinstance(expected, xr.DataArray):
        expected = expected.to_dataset()
    xr.testing.assert_identical(computed, expected)


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "f2", "f4", "f8", "g", "c8", "c16", ">f4"])
def test_dtypes_are_the_same_in_memory_and_on_dask(dtype):
    da = xr.DataArray(np.arange(5).astype(dtype), dims="x", name="a")
    expected = "float64" if dtype in ("?", "u1", "i8") else np.dtype(dtype).newbyteorder("=")
    result = da.chunk(x=2).grad("x")
    assert result.dtype == da.grad("x").dtype == result.compute().dtype == expected


def test_the_same_call_has_the_same_name_on_dask(field):
    """So that results of equal calls are computed once."""
    lazy = field.chunk(lat=2)
    assert lazy.grad("lat").data.name == lazy.grad("lat").data.name
    names = {
        lazy.grad("lat", **kwargs).data.name
        for kwargs in ({}, {"deriv": 2}, {"edge_order": 2}, {"spacing": 2.0}, {"periodic": True})
    }
    assert len(names) == 5


def test_chunks_of_unknown_size_are_refused():
    """Boolean indexing leaves dask not knowing how many rows there are."""
    values = dask.array.arange(10.0, chunks=5)
    da = xr.DataArray(values[values > 3], dims="x", name="a")
    with pytest.raises(ValueError, match=r"dimension 'x' .*compute_chunk_sizes"):
        da.grad("x")


# Arrays of other kinds


def test_a_file_opened_without_chunks(field, tmp_path):
    field.drop_vars("when").to_netcdf(tmp_path / "field.nc", encoding={"T": {"dtype": "float64"}})
    for kwargs in ({}, {"cache": False}):
        with xr.open_dataset(tmp_path / "field.nc", **kwargs) as ds:
            result = ds["T"].grad(["lat", "lon"])
            assert not ds.area.variable._in_memory
            np.testing.assert_array_equal(result.dT_dlat, field.grad("lat"))
            part = ds["T"].isel(t=0, lat=slice(None, None, -1))
            expected = field.isel(t=0, lat=slice(None, None, -1)).grad("lat")
            np.testing.assert_array_equal(part.grad("lat"), expected)


def test_read_only_and_strided_arrays():
    values = np.arange(24.0).reshape(4, 6) ** 2
    values.flags.writeable = False
    da = xr.DataArray(values, dims=("y", "x"))
    expected = np.gradient(values, axis=0)
    np.testing.assert_allclose(da.grad("y"), expected, rtol=1e-15)
    np.testing.assert_allclose(da[:, ::-2].grad("y"), expected[:, ::-2], rtol=1e-15)
    np.testing.assert_allclose(da[::-1].grad("y"), -expected[::-1], rtol=1e-15)
    np.testing.assert_allclose(da.T.grad("y"), expected.T, rtol=1e-15)
    one = xr.DataArray(np.broadcast_to(np.arange(4.0)[:, None], (4, 3)), dims=("y", "x"))
    np.testing.assert_array_equal(one.grad("y"), 1)
    assert da.grad("y").values.flags.writeable


def test_no_other_cells_is_no_error():
    da = xr.DataArray(np.zeros((3, 0, 2)), dims=("x", "y", "z"), name="a")
    for obj in (da, da.chunk(x=1)):
        result = obj.grad("x")
        assert result.shape == (3, 0, 2)
        assert result.compute().dtype == np.float64


# What is refused


def test_fields_that_are_no_numbers(nothing_computed):
    values = {
        "<U1": np.array(["a", "b"]),
        "|S1": np.array([b"a", b"b"]),
        "object": np.array([1, 2.5], object),
        "datetime64[s]": np.array([0, 1], "M8[s]"),
    }
    for dtype, array in values.items():
        da = xr.DataArray(array, dims="x", name="s")
        message = f"'s' has dtype {dtype}, which has no derivative; convert it to numbers first"
        for obj in (da, da.chunk(x=1)):
            for dim in ("x", ["x"], None):
                with nothing_computed(), pytest.raises(TypeError, match=whole(message)):
                    obj.grad(dim)
    message = "the data have dtype <U1, which has no derivative; convert them to numbers first"
    with pytest.raises(TypeError, match=whole(message)):
        xr.DataArray(["a", "b"], dims="x").grad("x")


def test_too_few_points(nothing_computed):
    tail = "lower them or take more points"
    cases = [
        (1, {}, "1 point, but deriv=1, accuracy=2, edge_order=1 needs 2"),
        (0, {}, "0 points, but deriv=1, accuracy=2, edge_order=1 needs 2"),
        (2, {"edge_order": 2}, "2 points, but deriv=1, accuracy=2, edge_order=2 needs 3"),
        (2, {"deriv": 2}, "2 points, but deriv=2, accuracy=2, edge_order=1 needs 3"),
        (4, {"deriv": 1, "accuracy": 4}, "4 points, but deriv=1, accuracy=4, edge_order=4 needs 5"),
        (4, {"deriv": 9}, "4 points, but deriv=9, accuracy=2, edge_order=1 needs 10"),
    ]
    for n, kwargs, found in cases:
        message = f"dimension 'lat' has {found}; {tail}"
        plain = xr.DataArray(np.zeros((n, 5)), dims=("lat", "lon"), name="a")
        for da in (plain, plain.assign_coords(lat=np.arange(n) * 1.0)):
            for obj in (da, da.chunk(lat=1, lon=2), da.to_dataset()):
                with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
                    obj.grad("lat", **kwargs)
        assert plain.grad("lon").shape == (n, 5)


def test_as_many_points_as_needed():
    da = xr.DataArray([1.0, 4.0], dims="x")
    np.testing.assert_array_equal(da.grad("x"), [3, 3])
    da = xr.DataArray(np.arange(5.0) ** 4, {"x": np.arange(5.0)}, name="a")
    np.testing.assert_allclose(da.grad("x", accuracy=4), 4 * np.arange(5.0) ** 3, atol=1e-12)


def test_dim_that_is_no_list_of_different_names(field, nothing_computed):
    empty = "dim is an empty list; name a dimension or leave it out for all"
    cases = [
        ([], empty),
        ((), empty),
        (["lat", "lat"], "dim names 'lat' twice; name it once"),
        (["lat", "latitude"], "dim names 'lat' twice, as 'lat' and 'latitude'; name it once"),
        (["X", "t", "lon"], "dim names 'lon' twice, as 'X' and 'lon'; name it once"),
    ]
    for dim, message in cases:
        for obj in (field, field.chunk(lat=1), field.to_dataset()):
            with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
                obj.grad(dim)


def test_two_coordinates_along_one_dimension_are_named_one_at_a_time(field):
    """Each is a measure of the dimension, but neither changes while the other does not."""
    message = (
        "'lat' and 'row' both lie along 'lat', where neither changes alone; name one at a time, "
        "for the derivative by it along its length"
    )
    with pytest.raises(ValueError, match=whole(message)):
        field.grad(["lat", "row"])
    found = field.grad("row")
    assert found.name == "dT_drow"
    np.testing.assert_allclose(found[0, :, 0], -np.gradient(field.lat**2), rtol=1e-13)


@pytest.mark.parametrize("argument", ["deriv", "accuracy", "edge_order"])
def test_orders_are_whole_numbers(field, argument, nothing_computed):
    for value in (0, -1, np.int64(-3)):
        message = f"{argument} is {value}; give a whole number of at least 1"
        with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
            field.chunk(lat=1).grad("lat", **{argument: value})
    for value in (1.0, "2", True, np.nan, [1]):
        is_text = argument == "accuracy" and isinstance(value, str)
        mend = "a whole number or 'auto'" if is_text else "a whole number of at least 1"
        message = f"{argument} is {value!r}; give {mend}"
        with nothing_computed(), pytest.raises(TypeError, match=whole(message)):
            field.chunk(lat=1).grad("lat", **{argument: value})
    assert field.grad("lat", **{argument: np.int8(1)}).name == "dT_dlat"


def test_a_stacked_dimension(field):
    stacked = field.stack(cell=("lat", "lon"))
    message = (
        "'cell' is stacked of other dimensions, so call .unstack('cell') first, or "
        ".reset_index('cell') if its points lie along one line"
    )
    for dim in ("cell", ["cell"], None):
        with pytest.raises(TypeError, match=whole(message)):
            stacked.grad(dim)
    message = f"coordinate 'lat' repeats the value -10.0 at index 1; {message}"
    with pytest.raises(ValueError, match=whole(message)):
        stacked.grad("lat")
    unstacked = stacked.grad("t").unstack("cell").transpose(*field.dims)
    np.testing.assert_array_equal(unstacked, field.grad("t"))


@pytest.mark.parametrize("obj", [np.arange(3.0), [1, 2], None, xr.Variable("x", [0.0, 1])])
def test_only_labelled_data(obj):
    with pytest.raises(TypeError, match=r"give a DataArray or (a )?Dataset"):
        xgradient.grad(obj, "x")


def test_arguments_that_do_not_exist(field):
    with pytest.raises(TypeError, match="unexpected keyword argument 'order'"):
        field.grad("lat", order=2)
    with pytest.raises(TypeError, match="positional argument"):
        field.grad("lat", 2)


# The accessor


def test_help_of_the_accessor(field):
    """``da.grad?`` shows the class, how to call it, and each parameter."""
    call = inspect.signature(field.grad.__call__)
    function = inspect.signature(xgradient.grad)
    assert list(call.parameters) == [
        "dim", "deriv", "accuracy", "edge_order", "spacing", "periodic", "boundary", "wall",
        "skipna", "coast", "smooth", "error", "sigma", "metric", "along", "at_constant", "at", "to",
        "positions", "units",
    ]  # fmt: skip
    assert list(call.parameters.values()) == list(function.parameters.values())[1:]
    assert inspect.signature(field.grad).parameters == call.parameters
    text = inspect.getdoc(field.grad.__call__)
    for name in call.parameters:
        assert re.search(rf"^{name} : ", text, re.MULTILINE), name
    for kind in (xr.DataArray, xr.Dataset):
        assert kind.grad is Grad
    assert 'da.grad("lat")' in inspect.getdoc(Grad)


def test_the_accessor_by_itself_does_no_harm(field):
    """Editors and notebooks look at it, print it and keep it."""
    for obj in (field, field.to_dataset(), xr.DataArray(["a"]), xr.Dataset()):
        assert isinstance(obj.grad, Grad)
        assert "Grad" in repr(obj.grad)
        assert "__call__" in dir(obj.grad)
        assert "grad" in dir(obj)
        assert repr(obj)
        assert obj._repr_html_()
    assert field.grad is field.grad
    assert field.copy().grad is not field.grad
    xr.testing.assert_identical(pickle.loads(pickle.dumps(field)).grad("lat"), field.grad("lat"))
