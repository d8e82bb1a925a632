"""Dates, calendars and durations are seconds."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support.labelled_fields import DAY, FIELD, OFFSETS, along, slow


@pytest.mark.parametrize("unit", ["D", "h", "m", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["datetime64", "timedelta64"])
@pytest.mark.parametrize("start", ["2000-02-27", "1699-12-30", "2261-01-01"])
def test_times_of_numpy(kind, unit, start):
    times = np.array(OFFSETS, "timedelta64[D]")
    times = times + np.datetime64(start) if kind == "datetime64" else times
    result = along(times.astype(f"{kind}[{unit}]")).grad("x")
    np.testing.assert_allclose(result, slow(FIELD, [DAY * d for d in OFFSETS]), rtol=1e-15)
    assert result.units == "K s-1"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_single_ticks_of_numpy_times(unit):
    """The differences are taken in ticks: 1 ns is not lost at 9.5e17 ns."""
    ticks = np.datetime64("2000-02-27T12:00:00", unit) + np.array(OFFSETS, f"timedelta64[{unit}]")
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    expected = slow(FIELD, [Fraction(d, per_second) for d in OFFSETS])
    np.testing.assert_allclose(along(ticks).grad("x"), expected, rtol=1e-14)
    np.testing.assert_allclose(along(ticks[::-1]).grad("x"), -np.array(expected), rtol=1e-14)


CALENDARS = [
    "standard", "gregorian", "proleptic_gregorian", "noleap", "365_day", "all_leap", "366_day",
    "360_day", "julian",
]  # fmt: skip


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("start", ["2000-02-27", "1582-10-03", "0001-01-01", "12000-12-29"])
def test_times_of_every_calendar(calendar, start):
    """Made from day numbers; across leap days, the end of a year and the Gregorian reform."""
    seconds = [0, DAY, 3 * DAY + 1, 4 * DAY]
    dates = cftime.num2date(seconds, f"seconds since {start}", calendar=calendar)
    field = along(dates)
    assert field.x.dtype == object
    result = field.grad("x")
    np.testing.assert_allclose(result, slow(FIELD, seconds), rtol=1e-15)
    assert result.units == "K s-1"
    assert list(result.x.values) == list(dates)
    np.testing.assert_allclose(along(dates[::-1]).grad("x"), slow(FIELD, seconds[::-1]), rtol=1e-15)


def test_one_month_is_as_long_as_its_calendar_says():
    for calendar, days in (("360_day", 30), ("noleap", 28), ("all_leap", 29), ("standard", 29)):
        month = xr.date_range(
            "2000-02-01", periods=2, freq="MS", calendar=calendar, use_cftime=True
        )
        result = along(month, values=[0.0, 1.0]).grad("x")
        np.testing.assert_allclose(result, 1 / (days * DAY), rtol=1e-15)


def test_microseconds_of_cftime():
    dates = cftime.num2date(OFFSETS, "microseconds since 2000-02-28 23:59:59.999998", "noleap")
    expected = slow(FIELD, [Fraction(d, 10**6) for d in OFFSETS])
    np.testing.assert_allclose(along(dates).grad("x"), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "times",
    [
        [dt.datetime(2000, 2, 27 + d) for d in (0, 1)] + [dt.datetime(2000, 3, d) for d in (1, 2)],
        [dt.date(2000, 2, 27 + d) for d in (0, 1)] + [dt.date(2000, 3, d) for d in (1, 2)],
        [dt.timedelta(d) for d in OFFSETS],
        pd.DatetimeIndex(["2000-02-27", "2000-02-28", "2000-03-01", "2000-03-02"]),
        pd.TimedeltaIndex([pd.Timedelta(d, "D") for d in OFFSETS]),
    ],
    ids=["datetime", "date", "timedelta", "DatetimeIndex", "TimedeltaIndex"],
)
def test_times_of_python_and_pandas(times):
    field = along(times if isinstance(times, pd.Index) else np.array(times, dtype=object))
    result = field.grad("x")
    np.testing.assert_allclose(result, slow(FIELD, [DAY * d for d in OFFSETS]), rtol=1e-15)
    assert result.units == "K s-1"


@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian", "360_day"])
@pytest.mark.parametrize("stored", ["days", "hours", "seconds"])
def test_one_file_has_one_derivative(tmp_path, calendar, stored):
    """Two days, 1 K apart, opened at every resolution and as cftime."""
    units = f"{stored} since 1999-12-30"
    step = {"days": 1, "hours": 24, "seconds": DAY}[stored]
    attrs = {"units": units, "calendar": calendar, "standard_name": "time"}
    xr.Dataset(
        {"a": ("time", [280.0, 281.0], {"units": "K"})}, {"time": ("time", [0, step], attrs)}
    ).to_netcdf(tmp_path / "two_days.nc")
    coders = [xr.coders.CFDatetimeCoder(use_cftime=True)]
    if calendar != "360_day":
        coders += [xr.coders.CFDatetimeCoder(time_unit=u) for u in ("s", "ms", "us", "ns")]
    dtypes = set()
    for coder in coders:
        with xr.open_dataset(tmp_path / "two_days.nc", decode_times=coder) as ds:
            dtypes.add(ds.time.dtype)
            for result in (ds.a.grad("time"), ds.a.grad("T"), ds.grad("time").da_dtime):
                np.testing.assert_array_equal(result, [1 / DAY, 1 / DAY])
                assert result.units == "K s-1"
    assert len(dtypes) == len(coders)


def test_time_that_was_not_decoded_keeps_its_unit(tmp_path):
    days = along([0.0, 1, 3, 4], "days since 2000-01-01", name="time").grad("time")
    np.testing.assert_allclose(days, slow(FIELD, OFFSETS), rtol=1e-15)
    assert days.units == "K d-1"
