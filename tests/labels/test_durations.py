"""Durations as values, in seconds; and dates of two dimensions, along one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient

HOURS = np.array([0.0, 6.0, 18.0, 24.0])


@pytest.fixture
def lag():
    """The delay of a wave, in whole minutes, by distance."""
    minutes = np.array([0, 10, 40, 90], "m8[m]").astype("m8[s]")
    x = xr.Variable("x", [0.0, 1.0, 3.0, 4.0], {"units": "km"})
    return xr.DataArray(minutes, {"x": x}, "x", "lag", {"long_name": "delay"})


@pytest.fixture
def forecast():
    """A field by start and lead time, and the time that it is valid at."""
    time, step = pd.date_range("2000-02-28", periods=3), pd.to_timedelta(HOURS, "h")
    values = HOURS**2 + np.array([[0.0], [5.0], [7.0]])
    da = xr.DataArray(values, {"time": time, "step": step}, ("time", "step"), "t", {"units": "K"})
    return da.assign_coords(valid_time=da.time + da.step)


SECONDS = np.array([0.0, 600.0, 2400.0, 5400.0])


@pytest.mark.parametrize("dtype", ["m8[s]", "m8[ms]", "m8[ns]"])
def test_durations_are_seconds(lag, dtype):
    before = lag.copy(deep=True)
    found = lag.astype(dtype).grad("x")
    np.testing.assert_allclose(found, np.gradient(SECONDS, lag.x.values), rtol=1e-14)
    assert (found.name, found.dtype) == ("dlag_dx", np.float64)
    assert found.attrs == {"units": "s km-1", "long_name": "derivative of delay with respect to x"}
    xr.testing.assert_identical(lag, before)


def test_durations_of_a_dataset_and_in_operators(lag):
    assert list(lag.to_dataset().grad("x")) == ["dlag_dx"]
    assert lag.grad.laplacian("x").attrs["units"] == "s km-2"
    slowness = xgradient.advection(
        lag, x=xr.full_like(lag, 2.0, dtype=float).assign_attrs(units="km s-1")
    )
    np.testing.assert_allclose(slowness, -2 * np.gradient(SECONDS, lag.x.values), rtol=1e-14)
    assert slowness.attrs["units"] == "1"


def test_missing_durations_are_missing(lag):
    lag[1] = np.timedelta64("NaT", "s")
    np.testing.assert_array_equal(np.isnan(lag.grad("x")), [True, True, True, False])
    assert float(lag.grad("x", skipna=True)[3]) == 3000.0


def test_lazy_durations_stay_lazy(lag):
    pytest.importorskip("dask")
    found = lag.chunk(x=2).grad("x")
    assert found.chunks == ((2, 2),)
    xr.testing.assert_identical(found.compute(), lag.grad("x"))


def test_dates_along_one_of_their_dimensions(forecast):
    found = forecast.grad("valid_time", along="step")
    expected = np.gradient(forecast.values, HOURS * 3600, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.name == "dt_dvalid_time"
    assert found.attrs["units"] == "K s-1"
    assert found.valid_time.dtype.kind == "M"
    days = np.gradient(forecast.values, 86400.0, axis=0)
    np.testing.assert_allclose(forecast.grad("valid_time", along="time"), days, rtol=1e-14)


def test_irregular_dates_have_their_own_steps(forecast):
    early = pd.to_datetime(["1700-01-01", "2000-01-01", "2250-01-01"])
    moved = forecast.assign_coords(time=early.as_unit("us"))
    factor = xr.DataArray([1, 2, 3], dims="time")
    moved = moved.assign_coords(valid_time=moved.time + moved.step.astype("m8[us]") * factor)
    for i in range(3):
        expected = np.gradient(forecast.values[i], HOURS * 3600 * (i + 1))
        found = moved.grad("valid_time", along="step")[i]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_dates_at_constant_time(forecast):
    """Where f depends on the valid time only, its change by start is zero at constant time."""
    seconds = (forecast.valid_time - forecast.valid_time[0, 0]) / np.timedelta64(1, "s")
    linear = (3 * seconds).rename("f").assign_coords(valid_time=forecast.valid_time)
    found = linear.grad("time", at_constant="valid_time", along="step")
    np.testing.assert_allclose(found, 0, atol=1e-9)
    assert np.all(linear.grad("time") > 2)


def test_dates_of_cftime(forecast):
    cftime = pytest.importorskip("cftime")
    dates = np.array(
        [[cftime.DatetimeNoLeap(2000, 2, 28, int(h) % 24, 0) for h in HOURS[:3]]] * 2, object
    )
    da = forecast[:2, :3].assign_coords(valid_time=(("time", "step"), dates))
    found = da.grad("valid_time", along="step")
    np.testing.assert_allclose(found, np.gradient(da.values, HOURS[:3] * 3600, axis=1), rtol=1e-14)


def test_missing_dates_are_missing(forecast):
    valid = forecast.valid_time.copy()
    valid[0, 0] = np.datetime64("NaT", "us")
    found = forecast.assign_coords(valid_time=valid).grad("valid_time", along="step")
    whole = forecast.grad("valid_time", along="step")
    np.testing.assert_array_equal(np.isnan(found[0]), [True, True, False, False])
    np.testing.assert_allclose(found[1:], whole[1:], rtol=1e-12)


def test_lazy_dates_stay_lazy(forecast, nothing_computed):
    pytest.importorskip("dask")
    expected = forecast.grad("valid_time", along="step")
    with nothing_computed():
        lazy = forecast.chunk(time=1, step=2)
        lazy = lazy.assign_coords(valid_time=forecast.valid_time.chunk(time=1, step=2))
        found = lazy.grad("valid_time", along="step")
    np.testing.assert_array_equal(found, expected)


def test_the_dimension_must_be_named(forecast):
    told = r"'valid_time' has 2 dimensions \(time, step\) and holds times, .* e.g. along='step'"
    with pytest.raises(ValueError, match=told):
        forecast.grad("valid_time")
    with pytest.raises(ValueError, match=told):
        forecast.grad.magnitude("valid_time")
