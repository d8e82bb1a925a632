"""Periods of axes: full circles, n steps and given numbers."""

from __future__ import annotations

import datetime as dt

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support.labelled_fields import DATES, DAY, FIELD, OFFSETS, along, slow, whole

GLOBE = [0.0, 90.0, 190.0, 270.0]  # uneven


@pytest.mark.parametrize("unit", ["degrees_east", "degree_east", "degree_E", "degrees", "degree"])
@pytest.mark.parametrize("turn", [1, -1])
def test_degrees_close_after_360(unit, turn):
    """Uneven longitudes, both ways round; the neighbours across the seam at x - 360, x + 360."""
    result = along(GLOBE[::turn], unit, "lon").grad("lon", periodic=True)
    np.testing.assert_allclose(result, slow(FIELD, GLOBE[::turn], 360), rtol=1e-14)


def test_a_hand_computed_value_at_the_seam():
    """At 270 degrees: 4 at 190, 9 at 270, and 0 one turn on, at 360 and not at 0."""
    result = along(GLOBE, "degrees_east", "lon").grad("lon", periodic=True)
    before, after = (9 - 4) / 80, (0 - 9) / 90
    assert float(result[-1]) == pytest.approx((90 * before + 80 * after) / 170, rel=1e-15)
    before, after = (0 - 9) / 90, (1 - 0) / 90  # at 0: 9 at -90, 1 at 90
    assert float(result[0]) == pytest.approx((before + after) / 2, rel=1e-15)


def test_even_degrees_round_the_globe_and_on_a_region():
    globe = along([0.0, 90, 180, 270], "degrees_east", "lon").grad("lon", periodic=True)
    np.testing.assert_allclose(globe, [-8 / 180, 4 / 180, 8 / 180, -4 / 180], rtol=1e-15)
    # Even steps of 10 that do not add up to 360: the seam is a step of 330, not of 10.
    region = along([0.0, 10, 20, 30], "degrees_east", "lon").grad("lon", periodic=True)
    np.testing.assert_allclose(region, slow(FIELD, [0, 10, 20, 30], 360), rtol=1e-14)


def test_float32_longitudes_close_evenly():
    lon = (np.arange(432) * np.float32(360 / 432)).astype("float32")
    wave = np.sin(np.arange(432) * 2 * np.pi / 432)
    result = along(lon, "degrees_east", "lon", values=wave).grad("lon", periodic=True).values
    shifted = along(lon, "degrees_east", "lon", values=np.roll(wave, 100))
    # Nothing is special about the seam: turning the field turns the derivative, to the last bit.
    shifted = shifted.grad("lon", periodic=True).values
    np.testing.assert_array_equal(shifted, np.roll(result, 100))


def test_a_repeated_last_point_that_is_rounded():
    """In float32 it may fall just short of 360; a seam of 3e-5 degrees would be no seam."""
    lon = np.linspace(0, 360, 433, dtype="float32")
    values = np.sin(np.deg2rad(lon))
    expected = along(lon, "degrees_east", "lon", values=values).grad("lon", periodic=True)
    lon[-1] = np.nextafter(np.float32(360), np.float32(0))
    found = along(lon, "degrees_east", "lon", values=values).grad("lon", periodic=True)
    np.testing.assert_array_equal(found, expected)
    assert found[0] == found[-1]


def test_other_even_axes_close_after_n_steps():
    expected = [-4.0, 2.0, 4.0, -2.0]
    for unit in (None, "m", "radians"):
        result = along([0.0, 1, 2, 3], unit).grad("x", periodic=True)
        np.testing.assert_allclose(result, expected, rtol=1e-15)
    np.testing.assert_allclose(
        along([0, 1, 2, 3], index=False).grad("i", periodic=True), expected, rtol=1e-15
    )
    np.testing.assert_allclose(
        along(np.array(["2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04"], "M8[s]")).grad(
            "x", periodic=True
        ),
        np.array(expected) / DAY,
        rtol=1e-15,
    )


@pytest.mark.parametrize("period", [5, 4.0, np.int32(7), np.float32(100.5)])
def test_a_given_period(period):
    for name in ("x", "X"):
        result = along([0.0, 1, 2, 3], "m").grad("x", periodic={name: period})
        np.testing.assert_allclose(result, slow(FIELD, [0, 1, 2, 3], float(period)), rtol=1e-14)
    result = along([0.0, 1, 2, 3], "degrees_east").grad("x", periodic={"x": period})
    np.testing.assert_allclose(result, slow(FIELD, [0, 1, 2, 3], float(period)), rtol=1e-14)
    result = along([0, 1, 2, 3], index=False).grad("i", periodic={"i": period})
    np.testing.assert_allclose(result, slow(FIELD, [0, 1, 2, 3], float(period)), rtol=1e-14)


@pytest.mark.parametrize(
    "period",
    [np.timedelta64(5, "D"), np.timedelta64(5 * DAY, "s"), dt.timedelta(5), pd.Timedelta(5, "D"),
     5 * DAY],
    ids=lambda p: type(p).__name__,
)  # fmt: skip
@pytest.mark.parametrize("kind", ["datetime64", "timedelta64", "cftime"])
def test_a_period_in_time(period, kind):
    times = {
        "datetime64": np.datetime64("2000-02-27") + np.array(OFFSETS, "timedelta64[D]"),
        "timedelta64": np.array(OFFSETS, "timedelta64[D]"),
        "cftime": cftime.num2date(OFFSETS, "days since 2000-02-27", calendar="noleap"),
    }[kind]
    result = along(times).grad("x", periodic={"x": period})
    np.testing.assert_allclose(result, slow(FIELD, [DAY * d for d in OFFSETS], 5 * DAY), rtol=1e-14)


@pytest.mark.parametrize("periodic", [True, np.True_, "x", "X", ["x"], ("x",), {"x"}, {"x": True}])
def test_ways_to_say_periodic(periodic):
    result = along([0.0, 1, 2, 3]).grad("x", periodic=periodic)
    np.testing.assert_allclose(result, [-4.0, 2.0, 4.0, -2.0], rtol=1e-15)


@pytest.mark.parametrize("periodic", [None, False, np.False_, [], {}, {"x": False}])
def test_ways_to_say_not_periodic(periodic):
    field = along([0.0, 1, 2, 3])
    xr.testing.assert_identical(field.grad("x", periodic=periodic), field.grad("x"))


def test_true_of_numpy_in_a_mapping():
    field = along([0.0, 1, 2, 3])
    xr.testing.assert_identical(
        field.grad("x", periodic={"x": np.True_}), field.grad("x", periodic=True)
    )


def test_one_of_several_dimensions_is_periodic(plane):
    expected = plane.grad()
    expected["df_dx"] = plane.grad("x", periodic=True)
    for periodic in ("x", ["x"], {"x": 4}, {"X": True, "y": False}):
        xr.testing.assert_identical(plane.grad(periodic=periodic), expected)


EVEN, UNEVEN = along([0.0, 1, 2, 3]), along([0.0, 1, 2, 5])
SHUT = along([0.0, 90, 270, 450], "degrees_east", "lon")
DAYS = along(np.array(DATES, "M8[s]"))
SHORT = (
    "the period must be longer than the span, so drop a repeated last point or give the true period"
)

BAD_PERIODS = [
    (SHUT, True, ValueError, f"coordinate 'lon' spans 450, but its period is 360; {SHORT}"),
    (
        UNEVEN, True, ValueError,
        ("coordinate 'x' is periodic with non-uniform steps, so its period is unknown; "
         "give it, e.g. periodic={name: 360}"),
    ),
    (EVEN, {"x": 2}, ValueError, f"coordinate 'x' spans 3, but its period is 2; {SHORT}"),
    (EVEN, {"x": 2.9}, ValueError, f"coordinate 'x' spans 3, but its period is 2.9; {SHORT}"),
    (EVEN, {"x": 1}, ValueError, f"coordinate 'x' spans 3, but its period is 1; {SHORT}"),
    (EVEN, {"x": 0}, ValueError, f"coordinate 'x' spans 3, but its period is 0; {SHORT}"),
    (EVEN, {"x": 0.0}, ValueError, f"coordinate 'x' spans 3, but its period is 0; {SHORT}"),
    (EVEN, {"x": -5}, ValueError, f"coordinate 'x' spans 3, but its period is -5; {SHORT}"),
    (EVEN, {"x": np.nan}, ValueError, f"coordinate 'x' spans 3, but its period is nan; {SHORT}"),
    (EVEN, {"x": np.inf}, ValueError, f"coordinate 'x' spans 3, but its period is inf; {SHORT}"),
    (
        DAYS, {"x": np.timedelta64(2, "D")}, ValueError,
        f"coordinate 'x' spans 259200, but its period is 172800; {SHORT}",
    ),
    (EVEN, {"x": "a"}, TypeError, "the period of coordinate 'x' is 'a'; give a number"),
    (EVEN, {"x": [4]}, TypeError, "the period of coordinate 'x' is [4]; give a number"),
    (EVEN, {"x": None}, TypeError, "the period of coordinate 'x' is None; give a number"),
    (EVEN, {"x": 5j}, TypeError, "the period of coordinate 'x' is 5j; give a number"),
    (
        EVEN, 4, TypeError,
        ("periodic is 4; give True, False, names of dimensions, "
         "or a mapping from name to period"),
    ),
    (
        EVEN, "q", ValueError,
        "'q' is not a dimension, coordinate or CF name here; there are 'x'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("field", "periodic", "error", "message"), BAD_PERIODS)
def test_a_period_that_does_not_fit(field, periodic, error, message, nothing_computed):
    (name,) = field.dims
    field.grad(name)  # a good call before leaves nothing behind that a bad one could take up
    for obj in (field, field.chunk({name: 2}), field.to_dataset()):
        with nothing_computed(), pytest.raises(error, match=whole(message)):
            obj.grad(name, periodic=periodic)


def test_a_periodic_dimension_that_is_not_differentiated(plane):
    """One mapping serves several calls."""
    xr.testing.assert_identical(plane.grad("y", periodic="x"), plane.grad("y"))


@pytest.mark.parametrize("period", [np.timedelta64(1, "Y"), np.timedelta64(1, "M")])
def test_a_period_of_no_fixed_length(period):
    """Years and months differ in length, so they are no number of seconds."""
    with pytest.raises(TypeError, match=r"^the period of coordinate 'x' is"):
        along(np.array(DATES, "M8[s]")).grad("x", periodic={"x": period})


def test_a_period_in_time_of_an_axis_that_is_no_time():
    with pytest.raises(TypeError, match=r"^the period of coordinate 'x' is"):
        along([0.0, 1, 2, 3], "m").grad("x", periodic={"x": np.timedelta64(5, "s")})


def test_too_few_points_to_close():
    message = (
        "dimension 'lon' has 2 points, but deriv=1, accuracy=2, edge_order=1 "
        "on a periodic axis needs 3; lower them or take more points"
    )
    with pytest.raises(ValueError, match=whole(message)):
        along([0.0, 180], "degrees_east", "lon", values=[1.0, 2.0]).grad("lon", periodic=True)
    three = along([0.0, 120, 240], "degrees_east", "lon", values=[0.0, 1, 5])
    expected = slow([0, 1, 5], [0, 120, 240], 360)
    np.testing.assert_allclose(three.grad("lon", periodic=True), expected, rtol=1e-14)
