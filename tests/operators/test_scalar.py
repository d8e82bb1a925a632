"""``.grad`` on DataArrays and Datasets: what comes out, what is kept, and what is refused."""

from __future__ import annotations

import inspect
import pickle
import re

import dask.array
import numpy as np
import pandas as pd
import pint
import pytest
import xarray as xr

import xgradient
from xgradient.accessor import Grad


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


@pytest.fixture
def field():
    """T(t, lat, lon) = lat² + 3 lon + 5 t, with coordinates, attributes and encodings of all kinds.

    The coordinates are uneven; parabolas and straight lines are differentiated exactly.
    """
    lat, lon, t = np.array([-10.0, 0.0, 5.0, 20.0]), np.array([0.0, 1.0, 3.0]), np.array([0, 60])
    attrs = {"units": "degrees_north", "standard_name": "latitude", "long_name": "north"}
    coords = {
        "t": ("t", np.datetime64("2000-01-01", "s") + t.astype("m8[s]"), {"axis": "T"}),
        "lat": ("lat", lat, attrs),
        "lon": ("lon", lon, {"units": "degrees_east", "axis": "X"}),
        "row": ("lat", np.array([9, 8, 7, 6], "uint8")),
        "place": ("lat", ["a", "b", "c", "d"], {"note": "text"}),
        "area": (("lat", "lon"), np.ones((4, 3))),
        "run": 7,
        "when": np.datetime64("2001-01-01", "s"),
    }
    values = lat[:, None] ** 2 + 3 * lon + 5 * t[:, None, None]
    attrs = {
        "units": "K",
        "standard_name": "air_temperature",
        "cell_methods": "t: mean",
        "grid_mapping": "crs",
        "comment": "kept",
    }
    da = xr.DataArray(values, coords, ("t", "lat", "lon"), name="T", attrs=attrs)
    da.encoding = {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1, "grid_mapping": "crs"}
    da.lat.encoding = {"dtype": "float32", "zlib": True}
    return da


# What one name, a list and None give


def test_one_name_gives_a_dataarray(field):
    result = field.grad("lon")
    assert isinstance(result, xr.DataArray)
    assert result.name == "dT_dlon"
    np.testing.assert_allclose(result, 3, rtol=1e-13)
    assert result.attrs == {
        "comment": "kept",
        "units": "K degrees_east-1",
        "long_name": "derivative of air temperature with respect to lon",
    }


def test_second_derivative(field):
    result = field.grad("lat", deriv=2)
    assert result.name == "d2T_dlat2"
    np.testing.assert_allclose(result, 2, rtol=1e-12)
    assert result.units == "K degrees_north-2"
    assert result.long_name == "2nd derivative of air temperature with respect to north"


def test_edges_of_second_order_are_exact_for_a_parabola(field):
    expected = np.broadcast_to(2 * field.lat.values[:, None], field.shape)
    result = field.grad("lat", edge_order=2)
    np.testing.assert_allclose(result, expected, rtol=1e-13, atol=1e-12)
    one_sided = field.grad("lat")
    np.testing.assert_allclose(one_sided[:, 0], -10.0, rtol=1e-13)
    np.testing.assert_allclose(one_sided[:, -1], 25.0, rtol=1e-13)
    np.testing.assert_allclose(one_sided[:, 1:-1], expected[:, 1:-1], rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys, pd.Index])
def test_names_give_a_dataset(field, kind):
    result = field.grad(kind(["lon", "lat"]))
    assert isinstance(result, xr.Dataset)
    assert list(result.data_vars) == ["dT_dlon", "dT_dlat"]
    for name in ("lon", "lat"):
        xr.testing.assert_identical(result[f"dT_d{name}"], field.grad(name))


def test_a_list_of_one_gives_a_dataset(field):
    xr.testing.assert_identical(field.grad(["lat"]), field.grad("lat").to_dataset())


def test_none_gives_every_dimension(field):
    result = field.grad()
    assert list(result.data_vars) == ["dT_dt", "dT_dlat", "dT_dlon"]
    xr.testing.assert_identical(result, field.grad(["t", "lat", "lon"]))
    np.testing.assert_allclose(result.dT_dt, 5, rtol=1e-15)
    assert result.dT_dt.units == "K s-1"
    assert list(field.grad(deriv=1, dim=None)) == list(result)


def test_the_function_is_the_accessor(field):
    for obj in (field, field.to_dataset()):
        for dim in ("lat", ["lat", "lon"], None):
            xr.testing.assert_identical(xgradient.grad(obj, dim), obj.grad(dim))
    kwargs = {
        "deriv": 1, "accuracy": 1, "edge_order": 1, "spacing": {"lat": 2.0}, "periodic": ["lon"],
    }  # fmt: skip
    xr.testing.assert_identical(
        xgradient.grad(field, ["lat", "lon"], **kwargs), field.grad(["lat", "lon"], **kwargs)
    )


# What is kept


@pytest.mark.parametrize("dim", ["t", "lat", "row", ["lat"], ["lat", "lon"], None])
def test_coordinates_are_kept(field, dim):
    for obj in (field, field.to_dataset()):
        result = obj.grad(dim)
        xr.testing.assert_identical(result.coords.to_dataset(), obj.coords.to_dataset())
        assert set(result.xindexes) == set(obj.xindexes)
        for name in obj.coords:
            assert result[name].dtype == obj[name].dtype
            assert result[name].encoding == obj[name].encoding


@pytest.mark.parametrize("dims", [("t", "lat", "lon"), ("lon", "t", "lat"), ("lat", "lon", "t")])
def test_dimensions_keep_their_order(field, dims):
    turned = field.transpose(*dims)
    for name in dims:
        result = turned.grad(name)
        assert result.dims == dims
        xr.testing.assert_allclose(result, field.grad(name).transpose(*dims), rtol=1e-14)


def test_encoding_keeps_the_map_and_drops_the_packing(field):
    field = field.assign_coords(crs=0)
    assert field.grad("lat").encoding == {"grid_mapping": "crs"}
    assert field.to_dataset().grad("lat").dT_dlat.encoding == {"grid_mapping": "crs"}


@pytest.mark.parametrize("chunks", [None, {"lat": 1, "t": 1}])
def test_the_input_is_left_as_it_was(field, chunks):
    field = field if chunks is None else field.chunk(chunks)
    ds = field.to_dataset().assign_attrs(title="t")
    ds.encoding = {"unlimited_dims": {"t"}}
    for obj in (field, ds):
        before, encoding = obj.copy(deep=True), dict(obj.encoding)
        variables = {name: dict(obj[name].encoding) for name in obj.coords}
        result = obj.grad(["lat", "lon"], periodic={"lon": 5.0}, spacing={"lat": 2.0})
        for out in result.values():
            out.attrs["comment"] = "changed"
            out.encoding["x"] = 1
            out.load()[...] = -1
        xr.testing.assert_identical(obj, before)
        assert obj.encoding == encoding
        assert {name: dict(obj[name].encoding) for name in obj.coords} == variables


def test_indexes_of_every_kind_are_kept():
    """A MultiIndex, a range that is never written out, and one with repeated and missing values."""
    months = pd.MultiIndex.from_product([[2000, 2001], [1, 2]], names=("year", "month"))
    da = xr.DataArray(
        np.arange(2 * 4 * 3.0).reshape(2, 4, 3),
        {"m": np.array([1.0, 1.0]), "n": [np.nan, 1.0, 1.0]},
        ("m", "time", "n"),
        name="a",
    ).assign_coords(xr.Coordinates.from_pandas_multiindex(months, "time"))
    da = da.expand_dims(x=3)
    evenly = xr.indexes.RangeIndex.arange(0.0, 1.5, 0.5, dim="x")
    da = da.assign_coords(xr.Coordinates.from_xindex(evenly))
    for result in (da.grad("x"), da.grad(["x"]), da.to_dataset().grad("x")):
        xr.testing.assert_identical(result.coords.to_dataset(), da.coords.to_dataset())
        assert isinstance(result.xindexes["time"], xr.indexes.PandasMultiIndex)
        assert isinstance(result.xindexes["x"], xr.indexes.RangeIndex)
        assert result.sel(year=2001).sizes["month"] == 2


def test_options_of_xarray_change_nothing(field):
    expected = field.grad(["lat", "lon"])
    for options in ({"keep_attrs": True}, {"arithmetic_join": "exact"}):
        with xr.set_options(**options):
            xr.testing.assert_identical(field.grad(["lat", "lon"]), expected)


# Names of all sorts


@pytest.mark.parametrize(
    ("dim", "name", "expected"),
    [
        (0, "a", "da_d0"),
        (("a", "b"), "a", "da_d('a', 'b')"),
        ("my dim", "sea level", "dsea level_dmy dim"),
        ("x", None, "d_dx"),
        ("x", 3, "d3_dx"),
        ("x", ("a", 1), "d('a', 1)_dx"),
        ("x", "x", "dx_dx"),
        ("dim_0", "grad", "dgrad_ddim_0"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_odd_names(dim, name, expected, chunked):
    values = np.array([0.0, 1.0, 4.0])
    da = xr.DataArray(dask.array.from_array(values, chunks=1) if chunked else values, dims=(dim,))
    da.name = name
    # xarray has no coordinates along dimensions whose names are no texts.
    for obj in (da, da.assign_coords({dim: [0, 1, 2]}) if isinstance(dim, str) else da):
        result = obj.grad(dim)
        assert result.name == expected
        np.testing.assert_array_equal(result, [1, 2, 3])
        assert list(obj.grad([dim])) == [expected]
        assert list(obj.grad()) == [expected]
        if name is not None and name != dim:
            assert list(obj.to_dataset().grad(dim)) == [expected]


def test_a_coordinate_with_the_name_of_another_dimension():
    """Two-dimensional ``x(y, x)``: no positions along x, but none are needed along y."""
    da = xr.DataArray(np.arange(9.0).reshape(3, 3), {"x": (("y", "x"), np.eye(3))}, ("y", "x"))
    np.testing.assert_array_equal(da.grad("y"), 3)
    message = (
        "coordinate 'x' has 2 dimensions (y, x), and one such coordinate alone tells no direction; "
        "name the other one of the grid, too, or one of the dimensions 'x', 'y'"
    )
    with pytest.raises(ValueError, match=whole(message)):
        da.grad("x")


def test_a_dataset_with_a_variable_of_our_name():
    ds = xr.Dataset({"grad": ("x", [0.0, 2.0, 4.0])})
    np.testing.assert_array_equal(ds.grad("x").dgrad_dx, 2)


CLASHES = {
    "two variables": (xr.Dataset({"a_dx": ("y", [0.0, 1]), "a": ("x_dy", [0.0, 1])}), "da_dx_dy"),
    "1 and '1'": (xr.Dataset({1: ("x", [0.0, 1]), "1": ("x", [0.0, 2])}), "d1_dx"),
    "dimensions 1 and '1'": (xr.DataArray(np.ones((2, 2)), dims=(1, "1"), name="a"), "da_d1"),
    "a coordinate": (
        xr.DataArray([0.0, 1], {"x": [0, 1], "da_dx": ("x", [5, 6])}, ("x",), name="a"), "da_dx",
    ),
    "a dimension": (xr.DataArray(np.ones((2, 2)), dims=("x", "da_dx"), name="a"), "da_dx"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLASHES)
def test_results_that_would_share_a_name(case):
    """One of the two would be lost, so the call is refused and the name is told."""
    obj, name = CLASHES[case]
    for it in (obj, obj if isinstance(obj, xr.Dataset) else obj.to_dataset()):
        with pytest.raises(ValueError, match=rf"'{name}'.*rename"):
            it.grad()


# Datasets


@pytest.fixture
def ds():
    """One variable of every kind along x."""
    x = np.arange(4.0)
    ds = xr.Dataset(
        {
            "f8": ("x", 2 * x),
            "f4": (("y", "x"), np.float32([2 * x, x])),
            "f2": ("x", x.astype("float16")),
            "g": ("x", x.astype("longdouble")),
            "c8": ("x", (1j * x).astype("complex64")),
            "c16": ("x", (1j * x)),
            "u1": ("x", np.array([250, 200, 150, 100], "uint8")),
            "i8": ("x", np.array([0, 1, 2, 3])),
            "bool": ("x", [False, True, True, False]),
            "string": ("x", list("abcd")),
            "bytes": ("x", np.array(list("abcd"), "S1")),
            "object": ("x", np.array([1, 2.5, None, "a"], object)),
            "date": ("x", pd.date_range("2000-01-01", periods=4, unit="s")),
            "span": ("x", pd.timedelta_range("1h", periods=4, unit="s")),
            "x_bnds": (("x", "b"), np.stack([x - 0.5, x + 0.5], 1)),
            "other": ("y", [1.0, 2.0]),
            "scalar": 1.0,
            "crs": ((), 0, {"grid_mapping_name": "latitude_longitude"}),
        },
        {"x": ("x", x, {"units": "m", "bounds": "x_bnds"}), "col": ("x", list("efgh"))},
        {"title": "kept"},
    )
    ds.f8.attrs["units"] = "K"
    return ds


def test_every_numeric_variable_that_has_the_dimension(ds):
    result = ds.grad("x")
    assert {str(name): v.dtype for name, v in result.items()} == {
        "df8_dx": np.float64,
        "df4_dx": np.float32,
        "df2_dx": np.float16,
        "dg_dx": np.longdouble,
        "dc8_dx": np.complex64,
        "dc16_dx": np.complex128,
        "du1_dx": np.float64,
        "di8_dx": np.float64,
        "dbool_dx": np.float64,
    }
    assert list(result)[:3] == ["df8_dx", "df4_dx", "df2_dx"]
    assert result.attrs == {"title": "kept"}
    assert result.df8_dx.units == "K m-1"
    np.testing.assert_array_equal(result.df8_dx, 2)
    np.testing.assert_array_equal(result.df4_dx, [[2] * 4, [1] * 4])
    np.testing.assert_array_equal(result.dc8_dx, 1j)
    np.testing.assert_array_equal(result.du1_dx, -50)
    np.testing.assert_array_equal(result.dbool_dx, [1, 0.5, -0.5, -1])
    for name, variable in result.items():
        source = ds[str(name)[1:-3]]
        xr.testing.assert_identical(variable, source.grad("x"))


def test_a_dataset_along_every_dimension(ds):
    result = ds.drop_vars(["string", "bytes", "object"]).grad()
    assert {"df4_dx", "df4_dy", "df8_dx", "dother_dy"} <= set(result)
    assert not {"df8_dy", "dother_dx", "dx_bnds_dx", "dx_bnds_db"} & set(result)
    xr.testing.assert_identical(
        ds.grad(["y", "x"])[["df4_dy", "df4_dx"]], ds.f4.grad(["y", "x"]).assign_attrs(ds.attrs)
    )


@pytest.mark.parametrize("attribute", ["bounds", "climatology"])
@pytest.mark.parametrize("place", ["attrs", "encoding"])
def test_cell_bounds_are_no_fields(ds, attribute, place):
    """CF names them in either attribute; xarray keeps them in attrs or in the encoding."""
    del ds.x.attrs["bounds"]
    assert "dx_bnds_dx" in ds.grad("x")
    getattr(ds.x, place)[attribute] = "x_bnds"
    result = ds.grad("x")
    assert "dx_bnds_dx" not in result
    assert "df8_dx" in result


@pytest.mark.parametrize("bounds", [np.array(["x_bnds"]), ["x_bnds"], 3, None])
def test_an_odd_bounds_attribute_does_no_harm(ds, bounds):
    ds.x.attrs["bounds"] = bounds
    assert "df8_dx" in ds.grad("x")


def test_a_dimension_with_texts_does_not_matter_along_another(ds):
    ds = ds.assign_coords(y=["north", "south"])
    xr.testing.assert_allclose(ds.grad("x").df4_dx, ds.f4.grad("x"))


def test_a_dimension_that_no_field_has_does_not_matter(ds):
    """Of all dimensions, one that only texts have needs no positions."""
    ds = ds[["f8"]].assign(label=("w", list("ab"))).assign_coords(w=["one", "two"])
    assert list(ds.grad()) == ["df8_dx"]


def test_nothing_to_differentiate(ds):
    message = (
        "no numeric variable of the Dataset has the dimension 'x'; its variables are "
        "'string', 'date', 'x_bnds'"
    )
    with pytest.raises(ValueError, match=whole(message)):
        ds[["string", "date", "x_bnds"]].grad("x")
    message = "no numeric variable of the Dataset has the dimension 'x'; its variables are none"
    with pytest.raises(ValueError, match=whole(message)):
        xr.Dataset(coords={"x": [1, 2]}).grad()
    message = "the data have no dimensions, so there is nothing to differentiate along"
    for empty in (xr.Dataset(), xr.Dataset({"a": 1.0}), xr.DataArray(1.0)):
        for operator in (empty.grad, empty.grad.laplacian):
            with pytest.raises(ValueError, match=whole(message)):
                operator()


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


def test_arrays_with_units_are_refused():
    quantity = pint.UnitRegistry().Quantity(np.arange(4.0), "kelvin")
    message = (
        "the field is a quantity of pint, whose units are not read yet; make them an attribute, "
        "with .pint.dequantify() of pint-xarray"
    )
    with pytest.raises(TypeError, match=whole(message)):
        xr.DataArray(quantity, dims="x").grad("x")


# What is refused


def test_fields_that_are_no_numbers(nothing_computed):
    values = {
        "<U1": np.array(["a", "b"]),
        "|S1": np.array([b"a", b"b"]),
        "object": np.array([1, 2.5], object),
        "datetime64[s]": np.array([0, 1], "M8[s]"),
        "timedelta64[ns]": np.array([0, 1], "m8[ns]"),
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
        (["lat", "lat"], "dim names 'lat' twice, as 'lat' and 'lat'; name it once"),
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
        message = f"{argument} is {value!r}; give a whole number of at least 1"
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
    """What ``da.grad?`` shows: the class, how to call it, and each parameter."""
    call = inspect.signature(field.grad.__call__)
    function = inspect.signature(xgradient.grad)
    assert list(call.parameters) == [
        "dim", "deriv", "accuracy", "edge_order", "spacing", "periodic", "skipna", "metric",
        "along", "at_constant",
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
