"""``.grad`` on DataArrays and Datasets: names, attributes, coordinates and Datasets."""

from __future__ import annotations

import re

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


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
        "dspan_dx": np.float64,
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
        "'string', 'date'"
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
