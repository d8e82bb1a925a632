"""Positions of every dtype, and positions that are refused."""

from __future__ import annotations

import re
from fractions import Fraction
from types import SimpleNamespace

import cftime
import dask.array
import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.labels import axis, coordinates

from ..support.labelled_fields import FIELD, OFFSETS, along, slow, whole

# Numbers of every dtype


EXACT = {
    "uint8 down": np.array([250, 200, 100, 0], "uint8"),
    "uint8 up": np.array([0, 100, 200, 255], "uint8"),
    "int8 full": np.array([-128, -1, 0, 127], "int8"),
    "uint16 down": np.array([65535, 10, 9, 0], "uint16"),
    "int32 full": np.array([-(2**31), 0, 5, 2**31 - 1], "int32"),
    "int64 large": 2**62 + np.array([0, 1, 3, 4]),
    "int64 large down": -(2**62) - np.array([0, 1, 3, 7]),
    "uint64 large down": np.array([2**64 - 1, 2**64 - 2, 2**64 - 4, 2**64 - 8], "uint64"),
    "float16": np.array([0.0, 0.5, 0.75, 2.0], "float16"),
    "float32": np.array([1e30, 2e30, 4e30, 5e30], "float32"),
    "float32 down": np.array([0.3, 0.1, -0.4, -10.0], "float32"),
    "float64": np.array([-1e-300, 0.0, 3e-300, 4e-300]),
    "longdouble": np.array([0, 1, 3, 4], "longdouble") + np.longdouble(2) ** 60,
    "big-endian float32": np.array([0.0, 0.5, 0.75, 2.0], ">f4"),
    "big-endian int16": np.array([0, 300, 301, 302], ">i2"),
}


@pytest.mark.parametrize("dtype", EXACT)
def test_numbers_of_every_dtype(dtype):
    positions = EXACT[dtype]
    exact = [int(p) if p == int(p) else Fraction(float(p)) for p in positions.tolist()]
    if "longdouble" in dtype:
        exact = [0, 1, 3, 4]
    result = along(positions, "m", index=False).grad("x")
    np.testing.assert_allclose(result, slow(FIELD, exact), rtol=1e-14)
    assert result.dtype == np.float64
    assert result.units == "K m-1"
    assert result.x.dtype == positions.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("start", [0.0, 100.0, -3.0])
def test_even_steps_are_even_in_spite_of_their_rounding(dtype, start):
    """0, 0.1, 0.2, … has no two equal differences in binary, and one derivative."""
    positions = (start + np.arange(40) * 0.1).astype(dtype)
    assert len(np.unique(np.diff(positions))) > 1
    result = along(positions, values=np.arange(40.0)).grad("x")
    assert len(np.unique(result)) == 1
    np.testing.assert_allclose(result, 10, rtol=2 * 200 * np.finfo(dtype).eps)


def test_an_index_known_from_before_has_the_units_of_now():
    field = along([0.0, 1, 3, 6], "m")
    other = field.assign_coords(x=field.x.assign_attrs(units="s"))
    for da, units in ((field, "K m-1"), (other, "K s-1"), (field, "K m-1")):
        found = da.grad("x")
        assert found.attrs["units"] == units
        assert found.values == pytest.approx(slow(FIELD, [0, 1, 3, 6]), rel=1e-15)


def test_an_index_that_can_change_is_looked_at_again():
    """Before pandas 3 an index shows what is written into the array it was made of."""
    positions = np.array([0.0, 1, 3, 6])
    for _ in range(2):
        # A coordinate as xarray then makes it, on an index whose values can be written.
        place = coordinates.CoordRef(
            "x", "x", xr.Variable("x", positions), SimpleNamespace(values=positions)
        )
        assert (axis.make_axis(place, 4).nodes.positions == positions).all()
        positions *= 2


def test_a_read_only_coordinate_and_field():
    positions, values = np.array([0.0, 1, 3, 4]), np.array(FIELD)
    positions.flags.writeable = values.flags.writeable = False
    field = along(positions, index=False, values=values)
    np.testing.assert_allclose(field.grad("x"), slow(FIELD, [0, 1, 3, 4]), rtol=1e-15)
    np.testing.assert_allclose(
        field.grad("i", spacing=positions), slow(FIELD, [0, 1, 3, 4]), rtol=1e-15
    )


# What no derivative can go along


def test_missing_and_infinite_values(nothing_computed):
    mend = "fill it or drop it, e.g. with .dropna, before differentiating"
    dates = np.array(["2000-01-01", "2000-01-02", "NaT", "2000-01-04"], "datetime64[ns]")
    with_nan = np.array(cftime.num2date(OFFSETS, "days since 2000-01-01", "noleap"), dtype=object)
    with_nan[2] = np.nan
    for positions in (
        [0.0, 1.0, np.nan, 3.0],
        np.array([0.0, 1.0, np.nan, np.nan], "float32"),
        [0.0, 0.0, np.nan, 3.0],
        dates,
        dates - dates[0],
        with_nan,
    ):
        field = along(positions, index=False)
        message = f"coordinate 'x' has a missing value at index 2; {mend}"
        for obj in (field, field.chunk(i=1).assign_coords(x=field.x)):
            with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
                obj.grad("x")
    message = "coordinate 'x' has an infinite value at index 1; replace it or drop it"
    with pytest.raises(ValueError, match=re.escape(message)):
        along([0.0, np.inf, 2.0, 3.0]).grad("x")


def test_a_missing_first_value():
    dates = np.array(cftime.num2date(OFFSETS, "days since 2000-01-01", "noleap"), dtype=object)
    dates[0] = np.nan
    with pytest.raises(ValueError, match=r"^coordinate 'x' has a missing value at index 0;"):
        along(dates, index=False).grad("x")


@pytest.mark.parametrize(
    ("positions", "at", "shown"),
    [
        ([0.0, 1.0, 1.0, 2.0], 2, "1.0"),
        ([3, 2, 2, 1], 2, "2"),
        (np.array([7, 7, 8, 9], "uint8"), 1, "7"),
        ([0.5, 1.5, 3.5, 3.5], 3, "3.5"),
        (np.array(["2000-01-01", "2000-01-02", "2000-01-02", "2000-01-03"], "M8[s]"), 2,
         "2000-01-02T00:00:00"),
        (np.array([0, 1, 1, 2], "m8[s]"), 2, "1 seconds"),
        (cftime.num2date([0, 1, 2, 2], "days since 2000-02-28", calendar="360_day"), 3,
         "2000-02-30 00:00:00"),
    ],
)  # fmt: skip
def test_repeated_values(positions, at, shown, nothing_computed):
    message = (
        f"coordinate 'x' repeats the value {shown} at index {at}; "
        "its values must be distinct, drop one, e.g. with .drop_duplicates"
    )
    field = along(positions)
    for obj in (field, field.chunk(x=1), field.to_dataset()):
        with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
            obj.grad("x")


@pytest.mark.parametrize(
    ("positions", "at", "before", "after"),
    [
        ([0.0, 1.0, 0.5, 2.0], 2, "1.0", "0.5"),
        ([9, 5, 1, 2], 3, "1", "2"),
        (np.array([1, 200, 0, 255], "uint8"), 2, "200", "0"),
        (np.array(["2000-01-01", "2000-01-03", "2000-01-02", "2000-01-04"], "M8[ns]"), 2,
         "2000-01-03T00:00:00.000000000", "2000-01-02T00:00:00.000000000"),
        (cftime.num2date([0, 1, 3, 2], "days since 2000-02-28", calendar="360_day"), 3,
         "2000-03-01 00:00:00", "2000-02-30 00:00:00"),
    ],
)  # fmt: skip
def test_unordered_values(positions, at, before, after, nothing_computed):
    message = (
        f"coordinate 'x' is not monotonic: it turns at index {at}, "
        f"from {before} to {after}; sort it, e.g. with .sortby"
    )
    field = along(positions)
    for obj in (field, field.chunk(x=1), field.to_dataset()):
        with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
            obj.grad("x")


@pytest.mark.parametrize(
    ("positions", "dtype"),
    [
        (list("abcd"), "<U1"),
        ([b"a", b"b", b"c", b"d"], "|S1"),
        (np.array([False, True, False, True]), "bool"),
        (np.array([0, 1, 2, 3j]), "complex128"),
        (np.array([0, 1, 2, "a"], object), "object"),
    ],
)
def test_coordinates_that_are_no_numbers(positions, dtype, nothing_computed):
    message = (
        f"coordinate 'x' has dtype {dtype}, which is not numeric; "
        "give positions or a step with spacing="
    )
    if dtype == "complex128":
        wrong = "which is not numeric; give positions"
        message = message.replace(wrong, "but positions are real numbers; give such positions")
    field = along(positions, index=False)
    for obj in (field, field.chunk(i=1).assign_coords(x=field.x), field.to_dataset()):
        with nothing_computed(), pytest.raises(TypeError, match=whole(message)):
            obj.grad("x")
    # The mend that the message names does mend it.
    np.testing.assert_allclose(field.grad("x", spacing=2), slow(FIELD, [0, 2, 4, 6]), rtol=1e-15)


def test_dates_of_several_calendars_do_not_mix():
    dates = np.array(
        [cftime.Datetime360Day(2000, 1, 1), cftime.DatetimeNoLeap(2000, 1, 2)], dtype=object
    )
    message = (
        "coordinate 'x' mixes dates that cannot be subtracted: "
        "cannot compute the time difference between dates with different calendars"
    )
    with pytest.raises(TypeError, match=whole(message)):
        along(dates, index=False, values=[0.0, 1.0]).grad("x")


def test_positions_on_dask_are_read_at_once():
    """The positions decide the table of weights, so they are known before the graph is built."""
    field = along([0.0, 1, 3, 4], index=False)
    lazy = field.assign_coords(x=("i", dask.array.from_array(field.x.values, chunks=2)))
    result = lazy.grad("x")
    np.testing.assert_array_equal(result, field.grad("x"))
    assert result.x.chunks == ((2, 2),)
    np.testing.assert_array_equal(
        field.grad("i", spacing=dask.array.from_array([0.0, 1, 3, 4], chunks=2)), field.grad("x")
    )
