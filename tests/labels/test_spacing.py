"""Steps and positions that the user gives."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support.labelled_fields import DAY, FIELD, OFFSETS, along, slow, whole


@pytest.mark.parametrize(
    "step",
    [
        2,
        2.0,
        -2.0,
        0.5,
        np.float32(0.25),
        np.uint8(200),
        np.int64(3),
        np.array(2.0),
    ],
    ids=repr,
)
def test_spacing_by_a_step(step):
    result = along([0.0, 10, 30, 40], "m").grad("x", spacing=step)
    exact = Fraction(float(step))
    np.testing.assert_allclose(result, slow(FIELD, [i * exact for i in range(4)]), rtol=1e-15)
    assert "units" not in result.attrs  # a plain number has none that are known
    assert result.x.units == "m"
    np.testing.assert_array_equal(result.x, [0, 10, 30, 40])


@pytest.mark.parametrize(
    "positions",
    [
        [0, 1, 3, 4],
        (0, 1, 3, 4),
        np.array([0, 1, 3, 4], "uint8"),
        np.array([0.0, 1, 3, 4], "float32"),
        pd.Index([0, 1, 3, 4]),
        xr.DataArray([0, 1, 3, 4], dims="x"),
    ],
    ids=lambda p: type(p).__name__,
)
def test_spacing_by_positions(positions):
    field = along([9.0, 8, 7, 5], "m")
    expected = slow(FIELD, [0, 1, 3, 4])
    for spacing in (positions, {"x": positions}, {"X": positions}):
        np.testing.assert_allclose(field.grad("x", spacing=spacing), expected, rtol=1e-15)
    np.testing.assert_allclose(field.grad(["x"], spacing=[positions]).df_dx, expected, rtol=1e-15)


def test_a_spacing_with_units_brings_them():
    field = along([9.0, 8, 7, 5], "m")
    positions = xr.DataArray([0.0, 1, 3, 4], dims="x", attrs={"units": "km"})
    assert field.grad("x", spacing=positions).units == "K km-1"
    assert field.grad("x", spacing=xr.DataArray(2.0, attrs={"units": "km"})).units == "K km-1"
    assert field.grad("x", deriv=2, spacing=positions).units == "K km-2"


def test_a_spacing_along_another_dimension_does_not_fit():
    positions = xr.DataArray([0.0, 1, 3, 4], dims="y")
    with pytest.raises(ValueError, match=r"^spacing of 'x' .*'y'"):
        along([9.0, 8, 7, 5]).grad("x", spacing=positions)


@pytest.mark.parametrize(
    "step",
    [
        np.timedelta64(2, "h"),
        np.timedelta64(7200, "s"),
        np.timedelta64(7_200_000_000_000, "ns"),
        np.array(2, "timedelta64[h]"),
        xr.DataArray(np.timedelta64(2, "h")),
        dt.timedelta(hours=2),
        pd.Timedelta(2, "h"),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_step_in_time_counts_in_seconds(step):
    expected = slow(FIELD, [0, 7200, 14400, 21600])
    field = along([0.0, 10, 30, 40], "m")
    for spacing in (step, {"x": step}):
        result = field.grad("x", spacing=spacing)
        np.testing.assert_allclose(result, expected, rtol=1e-15)
        assert result.units == "K s-1"


@pytest.mark.parametrize(
    "positions",
    [
        np.array(OFFSETS, "timedelta64[D]"),
        np.datetime64("2000-02-27") + np.array(OFFSETS, "timedelta64[D]"),
        cftime.num2date(OFFSETS, "days since 2000-02-27", calendar="noleap"),
        list(cftime.num2date(OFFSETS, "days since 2000-02-27", calendar="noleap")),
        pd.TimedeltaIndex([pd.Timedelta(d, "D") for d in OFFSETS]),
        [dt.datetime(2000, 1, 1) + dt.timedelta(d) for d in OFFSETS],
        [dt.timedelta(d) for d in OFFSETS],
    ],
    ids=["timedelta64", "datetime64", "cftime", "list of cftime", "index", "datetime", "timedelta"],
)
def test_positions_in_time_count_in_seconds(positions):
    result = along([0.0, 10, 30, 40], "m").grad("x", spacing=positions)
    np.testing.assert_allclose(result, slow(FIELD, [DAY * d for d in OFFSETS]), rtol=1e-15)
    assert result.units == "K s-1"


@pytest.mark.parametrize(
    ("spacing", "dy", "dx"),
    [
        (None, 4, 1),
        (2, 2, 0.5),
        ([2, 4], 2, 0.25),
        ((2, 4), 2, 0.25),
        ([np.array([0, 2, 4]), 4], 2, 0.25),
        ([2, [0, 4, 8, 12]], 2, 0.25),
        ([None, 4], 4, 0.25),
        ({"x": 4}, 4, 0.25),
        ({"X": 4}, 4, 0.25),
        ({"x": 4, "y": [0, 2, 4]}, 2, 0.25),
        ({}, 4, 1),
        ({"x": None}, 4, 1),
    ],
)
def test_spacing_of_several_dimensions(plane, spacing, dy, dx):
    for dim in (["y", "x"], ("y", "x"), None):
        result = plane.grad(dim, spacing=spacing)
        np.testing.assert_allclose(result.df_dy, dy, rtol=1e-15)
        np.testing.assert_allclose(result.df_dx, dx, rtol=1e-15)
        result = plane.to_dataset().grad(dim, spacing=spacing)
        np.testing.assert_allclose(result.df_dx, dx, rtol=1e-15)
    if isinstance(spacing, list):
        result = plane.grad(["x", "y"], spacing=spacing[::-1])
        np.testing.assert_allclose(result.df_dy, dy, rtol=1e-15)


GIVE = "give a number or 4 positions"
FINITE = "a step must be finite and not zero"
WRONG = "but the dimension has 4 points; give one number or 4 positions"
SEVERAL = "give a list or mapping with one entry for each"
MISSING = "fill it or drop it, e.g. with .dropna, before differentiating"
BAD_SPACINGS = [
    ("x", 0, ValueError, f"spacing of 'x' is 0; {FINITE}"),
    ("x", 0.0, ValueError, f"spacing of 'x' is 0.0; {FINITE}"),
    ("x", np.nan, ValueError, f"spacing of 'x' is nan; {FINITE}"),
    ("x", -np.inf, ValueError, f"spacing of 'x' is -inf; {FINITE}"),
    ("x", True, TypeError, f"spacing of 'x' is True; {GIVE}"),
    ("x", "wide", TypeError, f"spacing of 'x' is 'wide'; {GIVE}"),
    ("x", 2j, TypeError, "spacing of 'x' is 2j, which is complex; give a real number"),
    ("x", Fraction(1, 2), TypeError, f"spacing of 'x' is Fraction(1, 2); {GIVE}"),
    ("x", [1, 2], ValueError, f"spacing of 'x' has 2 values, {WRONG}"),
    ("x", [], ValueError, f"spacing of 'x' has 0 values, {WRONG}"),
    ("x", np.ones((2, 2)), ValueError, f"spacing of 'x' has 2x2 values, {WRONG}"),
    ("x", {"X": [1, 2]}, ValueError, f"spacing of 'x' has 2 values, {WRONG}"),
    (
        "x", [0, 1, np.nan, 3], ValueError,
        f"spacing of 'x' has a missing value at index 2; {MISSING}",
    ),
    (
        "x", [0, 1, 1, 2], ValueError,
        ("spacing of 'x' repeats the value 1 at index 2; "
         "its values must be distinct, drop one, e.g. with .drop_duplicates"),
    ),
    (
        "x", [0, 2, 1, 3], ValueError,
        ("spacing of 'x' is not monotonic: it turns at index 2, "
         "from 2 to 1; sort it, e.g. with .sortby"),
    ),
    (
        ["y", "x"], [1, 2, 3], ValueError,
        "spacing has 3 entries for 2 dimensions; give one for each",
    ),
    (None, [1], ValueError, "spacing has 1 entries for 2 dimensions; give one for each"),
    (None, np.ones(4), ValueError, f"spacing is one array for 2 dimensions; {SEVERAL}"),
    (
        "y", {"q": 2}, ValueError,
        "'q' is not a dimension, coordinate or CF name here; there are 'x', 'y'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dim", "spacing", "error", "message"), BAD_SPACINGS)
def test_a_spacing_that_does_not_fit(plane, dim, spacing, error, message, nothing_computed):
    for obj in (plane, plane.chunk(x=1, y=2), plane.to_dataset()):
        with nothing_computed(), pytest.raises(error, match=whole(message)):
            obj.grad(dim, spacing=spacing)


def test_a_step_in_time_that_is_none():
    field = along([0.0, 1, 2, 3])
    with pytest.raises(
        ValueError, match=whole("spacing of 'x' is 0; a step must be finite and not zero")
    ):
        field.grad("x", spacing=np.timedelta64(0, "h"))
    with pytest.raises(ValueError, match=r"^spacing of 'x' (is NaT|has a missing value)"):
        field.grad("x", spacing=np.timedelta64("NaT"))
    with pytest.raises(TypeError, match=r"^spacing of 'x' is"):  # a date is no step
        field.grad("x", spacing=np.datetime64("2000-01-01"))
