"""Operators as functions that xarray itself maps over variables, groups and blocks."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient


@pytest.fixture
def ds():
    time = xr.Variable("time", np.arange(6.0), {"units": "s"})
    lat = xr.Variable("lat", np.arange(0.0, 80.0, 10.0) ** 1.1, {"units": "degrees_north"})
    values = np.random.default_rng(0).normal(size=(6, 8))
    attrs = {"units": "K", "standard_name": "air_temperature"}
    return xr.Dataset({"t": (("time", "lat"), values, attrs)}, {"time": time, "lat": lat})


@pytest.mark.parametrize("keep_attrs", [True, False])
def test_map_has_the_values_but_neither_name_nor_units(ds, keep_attrs):
    mapped = ds.map(xgradient.grad, keep_attrs=keep_attrs, dim="lat")
    better = ds.grad("lat")
    np.testing.assert_array_equal(mapped.t, better.dt_dlat)
    # Older versions of xarray leave those of the derivative if none are kept.
    assert mapped.t.attrs in ([ds.t.attrs] if keep_attrs else [{}, better.dt_dlat.attrs])
    assert better.dt_dlat.attrs["units"] == "K degrees_north-1"
    with pytest.raises(ValueError, match="'lat' is not a dimension, coordinate or CF name here"):
        ds.assign(p=ds.time * 2).map(xgradient.grad, dim="lat")
    assert set(ds.assign(p=ds.time * 2).grad("lat")) == {"dt_dlat"}


def test_pipe_is_the_accessor(ds):
    xr.testing.assert_identical(ds.pipe(xgradient.grad, "lat"), ds.grad("lat"))


def test_groups_along_another_dimension_are_one_call(ds):
    found = ds.groupby("time").map(xgradient.grad, dim="lat")
    xr.testing.assert_identical(found, ds.grad("lat"))


def test_groups_of_the_dimension_are_series_of_their_own(ds):
    found = ds.t.groupby(ds.time > 2).map(xgradient.grad, dim="time")
    halves = [ds.t[:3].grad("time"), ds.t[3:].grad("time")]
    xr.testing.assert_identical(found, xr.concat(halves, "time"))
    assert np.any(found[2:4] != ds.t.grad("time")[2:4])
    assert found.attrs["units"] == "K s-1"


def test_blocks_do_not_see_their_neighbours(ds):
    pytest.importorskip("dask")
    chunked = ds.chunk(lat=4, time=3)
    right = chunked.grad("lat")
    found = xr.map_blocks(xgradient.grad, chunked, kwargs={"dim": "lat"}, template=right)
    differs = (found.dt_dlat != right.dt_dlat).any("time").values
    np.testing.assert_array_equal(np.flatnonzero(differs), [3, 4])
    whole = ds.chunk(time=3)
    found = xr.map_blocks(xgradient.grad, whole, kwargs={"dim": "lat"}, template=whole.grad("lat"))
    xr.testing.assert_identical(found.compute(), ds.grad("lat"))
