"""Values that are not yet decoded are refused; nullable columns are floats with NaN."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient

X = np.arange(5.0)


def field(values, dtype="f8", name="dem", x_attrs=None, **attrs):
    coord = xr.Variable("x", X, x_attrs)
    return xr.DataArray(np.asarray(values, dtype), {"x": coord}, "x", name, attrs)


@pytest.mark.parametrize("attr", ["_FillValue", "missing_value", "nodata", "nodatavals"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "c8"])
def test_a_fill_value_in_the_data_is_refused(attr, dtype):
    fill = (-999.0,) if attr == "nodatavals" else -999.0
    da = field([1, 2, -999, 4, 5], dtype, **{attr: fill})
    told = (
        rf"field 'dem' has the value .*999.* at index 2, which its attribute {attr} says is missing"
    )
    for call in (da.grad, da.grad.magnitude, da.grad.laplacian, da.to_dataset().grad):
        with pytest.raises(ValueError, match=told):
            call("x")
    with pytest.raises(ValueError, match=told):
        xgradient.divergence(x=da)
    with pytest.raises(ValueError, match=told):
        da.grad.advection(x=field(X, name="u"))
    with pytest.raises(ValueError, match=told):
        field(X, name="t").grad.advection(x=da)


def test_the_mends_work():
    da = field([1, 2, -999, 4, 5], _FillValue=-999.0)
    masked = da.where(da != -999).grad("x", skipna=True)
    decoded = xr.decode_cf(da.to_dataset()).dem.grad("x", skipna=True)
    expected = [1, 1, np.nan, 1, 1]
    np.testing.assert_array_equal(masked, expected)
    np.testing.assert_array_equal(decoded, expected)


def test_a_large_fill_value_is_that_of_the_data_as_the_dtype_has_it():
    da = field([1, 2, 1e20, 4, 5], "f4", _FillValue=1e20)
    with pytest.raises(ValueError, match=r"which its attribute _FillValue says is missing"):
        da.grad("x")


@pytest.mark.parametrize("fill", [np.nan, -999.0, 1e40, np.array([-7.0, -8.0]), "none", 300])
@pytest.mark.parametrize("dtype", ["f4", "u1"])
def test_a_fill_value_that_is_not_there_changes_nothing(fill, dtype):
    da = field([1, 2, 4, 4, 5], dtype, _FillValue=fill)
    found = da.grad("x")
    np.testing.assert_array_equal(found, field([1, 2, 4, 4, 5], dtype).grad("x"))
    assert not {"_FillValue", "missing_value"} & {*found.attrs, *found.encoding}


def test_lazy_values_are_checked_when_they_are_computed(nothing_computed):
    pytest.importorskip("dask")
    da = field([1, 2, 3, -999, 5], _FillValue=-999.0).chunk(x=2)
    with nothing_computed():
        slope = da.grad("x")
        size = da.grad.magnitude("x")
    for lazy in (slope, size):
        with pytest.raises(ValueError, match=r"has the value -999.0 at index 3, which"):
            lazy.compute()
    right = field([1, 2, 3, 4, 5], _FillValue=-999.0)
    np.testing.assert_array_equal(right.chunk(x=2).grad("x"), right.grad("x"))


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({"add_offset": 273.15}, "field 'dem' is packed: its attribute add_offset is 273.15"),
        ({"scale_factor": 0.1, "add_offset": 0.0}, "its attribute scale_factor is 0.1"),
        ({"scale_factor": np.array([0.01])}, "its attribute scale_factor is array"),
        ({"_Unsigned": "true"}, "its attribute _Unsigned is 'true', but its dtype is int16"),
    ],
)
def test_packed_numbers_are_refused(attrs, told):
    da = field(X, "i2", **attrs)
    with pytest.raises(ValueError, match=rf"{told}.*decode it first, e.g. with xr.decode_cf"):
        da.grad("x")


def test_a_packed_field_is_right_once_it_is_decoded():
    da = field(X, "i2", scale_factor=0.1, add_offset=273.15)
    found = xr.decode_cf(da.to_dataset()).dem.grad("x")
    np.testing.assert_allclose(found, 0.1, rtol=1e-6)
    again = xr.decode_cf(found.to_dataset(name="s")).s
    np.testing.assert_array_equal(again, found)


def test_packing_that_changes_nothing_is_taken_and_dropped():
    """As files of rasters have it."""
    da = field(X, "f4", scale_factor=1.0, add_offset=0.0, _FillValue=-32767.0)
    found = da.grad("x")
    np.testing.assert_array_equal(found, 1)
    assert not {"scale_factor", "add_offset", "_FillValue"} & set(found.attrs)


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({"scale_factor": 0.25}, "coordinate 'x' is packed: its attribute scale_factor is 0.25"),
        ({"_FillValue": 4.0}, "coordinate 'x' has the value 4.0 at index 4, which"),
    ],
)
def test_coordinates_are_positions_once_they_are_decoded(attrs, told):
    da = field(X**2, x_attrs=attrs)
    with pytest.raises(ValueError, match=told):
        da.grad("x")


def test_coordinates_of_several_dimensions_and_scale_factors():
    heights = np.add.outer(np.arange(3.0), [0.0, 0.1])
    da = xr.DataArray(heights, {"z": (("s", "x"), heights, {"_FillValue": 1.0})}, ("s", "x"), "t")
    with pytest.raises(ValueError, match=r"coordinate 'z' has the value 1.0 at index \(1, 0\)"):
        da.grad("z", along="s")
    h = xr.DataArray(np.ones(5), dims="x", attrs={"scale_factor": 10.0})
    with pytest.raises(ValueError, match="the scale factor of 'x' is packed"):
        field(X).grad("x", metric={"x": h})


def test_nullable_columns_are_floats_with_nan():
    columns = {
        "a": pd.array([1, None, 3, 4, 6], "Float64"),
        "i": pd.array([1, 2, None, 4, 6], "Int64"),
        "s": pd.array([1, 2, 3, 4, 6], "Float32"),
        "b": np.arange(5.0),
    }
    ds = pd.DataFrame(columns, index=pd.Index(X, name="x")).to_xarray()
    found = ds.grad("x")
    plain = {name: np.asarray(ds[name].values, dtype=float) for name in ds.data_vars}
    for name, values in plain.items():
        expected = field(values, name=name).grad("x")
        np.testing.assert_array_equal(found[f"d{name}_dx"], expected)
        np.testing.assert_array_equal(ds[name].grad.magnitude("x"), abs(expected))
    assert found.ds_dx.dtype == np.float32
    with_gaps = ds.a.grad("x", skipna=True)
    np.testing.assert_array_equal(with_gaps, [np.nan, np.nan, 1, 1.5, 2])


def test_nullable_coordinates():
    x = pd.Index(pd.array([0.0, 1, 3], "Float64"), name="x")
    ds = pd.DataFrame({"f": [0.0, 2, 6]}, index=x).to_xarray()
    np.testing.assert_array_equal(ds.f.grad("x"), 2)
