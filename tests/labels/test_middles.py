"""Intervals and periods of pandas as coordinates: their middles are the positions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

SQUARES = np.arange(12.0) ** 2


def line(x, values=SQUARES[:4], **attrs):
    return xr.DataArray(values, {"x": ("x", x, attrs)}, "x", "f", {"units": "K"})


@pytest.fixture
def profile():
    x = xr.Variable("x", np.arange(12.0), {"units": "m"})
    return xr.DataArray(SQUARES, {"x": x}, "x", "f", {"units": "K"})


def test_bins_of_groupby(profile):
    edges = [-0.5, 2.5, 5.5, 7.5, 11.5]
    means = profile.groupby_bins("x", edges).mean()
    found = means.grad("x_bins")
    middles = np.array([1.0, 4.0, 6.5, 9.5])
    np.testing.assert_allclose(found, np.gradient(means.values, middles), rtol=1e-14)
    assert found.name == "df_dx_bins"
    assert found.attrs["units"] == "K m-1"
    assert isinstance(found.indexes["x_bins"], pd.IntervalIndex)
    assert found.indexes["x_bins"].equals(means.indexes["x_bins"])


@pytest.mark.parametrize("closed", ["left", "right", "both", "neither"])
def test_bins_of_cut_and_of_bounds(closed):
    bounds = np.array([[0.0, 1.0], [1.0, 3.0], [3.0, 4.0], [4.0, 8.0]])
    index = pd.IntervalIndex.from_arrays(*bounds.T, closed=closed)
    expected = np.gradient(SQUARES[:4], bounds.mean(axis=1))
    da = line(index, units="m")
    np.testing.assert_allclose(da.grad("x"), expected, rtol=1e-15)
    np.testing.assert_allclose(da[::-1].grad("x"), expected[::-1], rtol=1e-15)
    # As a coordinate without an index, and in place of another one.
    other = da.rename(x="i").assign_coords(x=("i", np.array(index, object))).drop_vars("i")
    np.testing.assert_allclose(other.grad("x"), expected, rtol=1e-15)
    np.testing.assert_allclose(line(range(4)).grad("x", spacing=index), expected, rtol=1e-15)


def test_cut_of_pandas(profile):
    series = pd.DataFrame({"f": SQUARES, "x": pd.cut(np.arange(12.0), [-1, 2, 5, 8, 11])})
    means = series.groupby("x", observed=True).f.mean()
    da = xr.DataArray(means.values, {"x": pd.IntervalIndex(means.index)}, "x")
    np.testing.assert_allclose(da.grad("x"), np.gradient(means.values, 3.0), rtol=1e-14)


def test_intervals_of_dates_are_in_seconds():
    days = pd.date_range("2000-01-01", periods=5, freq="MS")
    found = line(pd.IntervalIndex.from_breaks(days)).grad("x")
    seconds = (days - days[0]) / pd.Timedelta(1, "s")
    expected = np.gradient(SQUARES[:4], (seconds[1:] + seconds[:-1]) / 2)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.attrs["units"] == "K s-1"


@pytest.mark.parametrize("freq", ["M", "D", "Y", "Q", "h"])
def test_periods_are_at_their_middles_in_seconds(freq):
    periods = pd.period_range("1999-12-30", periods=5, freq=freq)
    # Starts by themselves: middles from the strings of the calendar, not from the code.
    starts = periods.to_timestamp().to_numpy().astype("M8[s]").astype(float)
    expected = np.gradient(SQUARES[:4], (starts[1:] + starts[:-1]) / 2)
    found = line(periods[:4]).grad("x")
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.attrs["units"] == "K s-1"
    assert isinstance(found.indexes["x"], pd.PeriodIndex)
    other = line(range(4)).assign_coords(when=("x", np.array(periods[:4], object)))
    np.testing.assert_allclose(other.grad("when"), expected, rtol=1e-14)


def test_months_have_their_lengths():
    # Middles of January, February and March 2001: days 15.5, 45 and 74.5 of the year.
    found = line(pd.period_range("2001-01", periods=3, freq="M"), [0.0, 1.0, 3.0]).grad("x")
    np.testing.assert_allclose(found * 86400, [1 / 29.5, 3 / 59, 2 / 29.5], rtol=1e-14)


@pytest.mark.skipif(int(pd.__version__.split(".")[0]) < 3, reason="pandas has nanoseconds only")
def test_far_periods_do_not_overflow():
    periods = pd.period_range("9998-01", periods=4, freq="D")
    np.testing.assert_allclose(line(periods).grad("x") * 86400, [1, 2, 4, 5], rtol=1e-14)


def test_bins_of_latitude_on_a_globe():
    lat = xr.Variable("lat", np.arange(-87.5, 90, 5), {"units": "degrees_north"})
    t = xr.DataArray(np.sin(np.deg2rad(lat.values)), {"lat": lat}, "lat", "t", {"units": "K"})
    bins = t.groupby_bins("lat", np.arange(-90, 91, 10.0)).mean()
    middles = np.arange(-85.0, 90, 10)
    plain = t[::2].assign_coords(lat=middles).copy(data=bins.values)
    plain.lat.attrs["units"] = "degrees_north"
    found = bins.grad("lat_bins", metric="sphere")
    np.testing.assert_array_equal(found, plain.grad("lat", metric="sphere"))
    assert found.attrs["units"] == "K m-1"


def test_lazy_data_stay_lazy():
    pytest.importorskip("dask")
    da = line(pd.interval_range(0, 4)).chunk(x=2)
    found = da.grad("x")
    assert found.chunks == ((2, 2),)
    np.testing.assert_array_equal(found, line(pd.interval_range(0, 4)).grad("x"))


@pytest.mark.parametrize(
    ("x", "error", "told"),
    [
        (pd.IntervalIndex.from_tuples([(0, 1), (2, 3), (1, 2), (5, 6)]), ValueError,
         r"coordinate 'x' is not monotonic: it turns at index 2, .*\.sortby"),
        (pd.IntervalIndex.from_tuples([(0, 2), (0, 2), (1, 2), (5, 6)]), ValueError,
         "coordinate 'x' repeats the value"),
        (pd.IntervalIndex.from_tuples([(0, 2), np.nan, (1, 2), (5, 6)]), ValueError,
         "coordinate 'x' has a missing value at index 1"),
        (pd.PeriodIndex(["2000-01", None, "2000-03", "2000-04"], freq="M"), ValueError,
         "coordinate 'x' has a missing value at index 1"),
        (np.array([pd.Period("2000"), 3, None, "b"], object), TypeError,
         "coordinate 'x' has dtype object, which is not numeric"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_refused(x, error, told):
    with pytest.raises(error, match=told) as raised:
        line(x).grad("x")
    assert "\n" not in str(raised.value)
