"""Axes that start anywhere in their period: the jump back is a step like others."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

AZIMUTHS = np.r_[np.arange(180.5, 360), np.arange(0.5, 180)]


def wave(x, units, period=360.0, name="azimuth"):
    f = np.sin(2 * np.pi * np.asarray(x, "f8") / period)
    return xr.DataArray(f, {name: (name, x, {"units": units} if units else {})}, name, name="f")


@pytest.mark.parametrize("units", ["degrees", "degree", "degrees_east", "deg"])
def test_azimuths_are_those_that_start_at_zero(units):
    found = wave(AZIMUTHS, units).grad("azimuth", periodic=True)
    sorted_ = wave(np.sort(AZIMUTHS), units).grad("azimuth", periodic=True)
    np.testing.assert_allclose(found.sortby("azimuth"), sorted_, rtol=1e-14, atol=1e-17)
    np.testing.assert_array_equal(found.azimuth, AZIMUTHS)


def test_without_a_period_the_ends_are_one_sided():
    da = wave(AZIMUTHS, "degrees")
    found = da.grad("azimuth")
    np.testing.assert_allclose(found, np.gradient(da.values, 1.0), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u2"])
@pytest.mark.parametrize("direction", [1, -1])
def test_types_and_directions(dtype, direction):
    x = np.roll(np.arange(0, 360, 4), 30)[::direction].astype(dtype)
    found = wave(x, "degrees").grad("azimuth", periodic=True, accuracy=6)
    expected = np.cos(np.deg2rad(x.astype(float))) * np.pi / 180
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_uneven_azimuths_and_radians():
    x = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 400))
    da = wave(np.roll(x, 150), "radians", 2 * np.pi)
    found = da.grad("azimuth", periodic={"azimuth": 2 * np.pi})
    expected = wave(x, "radians", 2 * np.pi).grad("azimuth", periodic={"azimuth": 2 * np.pi})
    np.testing.assert_allclose(found.sortby("azimuth"), expected, rtol=1e-9)


def test_a_period_that_is_given_serves_any_axis():
    hours = np.roll(np.arange(24.0), 5)
    found = wave(hours, "h", 24.0, "hour").grad("hour", periodic={"hour": 24})
    expected = wave(np.sort(hours), "h", 24.0, "hour").grad("hour", periodic={"hour": 24})
    np.testing.assert_allclose(found.sortby("hour"), expected, rtol=1e-13, atol=1e-16)
    with pytest.raises(ValueError, match="coordinate 'hour' is not monotonic"):
        wave(hours, "h", 24.0, "hour").grad("hour", periodic=True)


def test_longitudes_without_a_metric_are_as_on_a_globe():
    found = wave(AZIMUTHS, "degrees_east", name="lon").grad("lon", periodic=True)
    lat = xr.Variable("lat", [0.0], {"units": "degrees_north"})
    globe = wave(AZIMUTHS, "degrees_east", name="lon").expand_dims(lat=lat)
    metres = globe.grad("lon", metric="sphere").isel(lat=0)
    np.testing.assert_allclose(found / metres, 6371008.8 * np.pi / 180, rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "units"),
    [
        ([60.0, 80.0, -80.0, -60.0], "degrees_north"),
        ([10.0, 20.0, 15.0, 30.0], "degrees"),
        ([0.0, 1.0, 0.0, 1.0], "degrees"),
        ([180.5, 359.5, 0.5, 180.4], None),
        ([200.0, 300.0, 100.0, 250.0], "degrees"),  # more than once round
    ],
)
def test_what_does_not_go_round_once_is_refused(x, units):
    with pytest.raises(ValueError, match=r"coordinate 'x' (is not monotonic|repeats|spans 410)"):
        wave(x, units, name="x").grad("x", periodic={"x": 360} if units == "degrees" else False)


def test_steps_of_more_than_half_a_circle_may_be_meant():
    x = np.array([0.0, 200.0, 400.0, 700.0])
    np.testing.assert_allclose(
        wave(x, "degrees").grad("azimuth"), np.gradient(wave(x, "").values, x)
    )
