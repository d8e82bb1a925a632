"""From names, coordinates, spacings and periods to the positions that a derivative uses."""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from types import SimpleNamespace

import cftime
import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.labels import axis, coordinates

DAY = 86400
FIELD = [0.0, 1.0, 4.0, 9.0]


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


def slow(values, positions, period=None):
    """First derivatives through parabolas in exact arithmetic; one-sided differences at ends."""
    f = [Fraction(float(v)) for v in values]
    x = [Fraction(p) for p in positions]
    n = len(f)
    if period is not None:
        period = Fraction(period) if x[-1] > x[0] else -Fraction(period)
        f, x = [f[-1], *f, f[0]], [x[-1] - period, *x, x[0] + period]

    def parabola(a, b, c):
        left = (x[b] - x[c]) / ((x[a] - x[b]) * (x[a] - x[c]))
        here = (2 * x[b] - x[a] - x[c]) / ((x[b] - x[a]) * (x[b] - x[c]))
        right = (x[b] - x[a]) / ((x[c] - x[a]) * (x[c] - x[b]))
        return left * f[a] + here * f[b] + right * f[c]

    inside = [float(parabola(i - 1, i, i + 1)) for i in range(1, len(f) - 1)]
    if period is not None:
        assert len(inside) == n
        return inside
    first, last = (f[1] - f[0]) / (x[1] - x[0]), (f[-1] - f[-2]) / (x[-1] - x[-2])
    return [float(first), *inside, float(last)]


def along(positions, units=None, name="x", values=None, index=True):
    """A field of kelvins along one coordinate; ``index=False`` keeps the dtype as it is."""
    values = np.asarray(FIELD if values is None else values)
    attrs = {} if units is None else {"units": units}
    if index:
        coords = {name: (name, positions, attrs)}
        return xr.DataArray(values, coords, (name,), name="f", attrs={"units": "K"})
    coords = {name: ("i", positions, attrs)}
    return xr.DataArray(values, coords, ("i",), name="f", attrs={"units": "K"})


# Names


@pytest.fixture
def ocean():
    """A field with one coordinate of every kind."""
    return xr.DataArray(
        np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5),
        {
            "t": ("t", pd.date_range("2000-01-01", periods=2, unit="s"), {"axis": "T"}),
            "depth": ("depth", [0.0, 10.0, 30.0], {"units": "m", "positive": "down"}),
            "nav_lat": ("j", [1.0, 2.0, 4.0, 8.0], {"standard_name": "latitude"}),
            "i": ("i", np.arange(5) * 2.0, {"axis": "X", "units": "m"}),
            "column": ("i", np.arange(5)),
            "area": (("j", "i"), np.ones((4, 5))),
            "run": 2.0,
        },
        ("t", "depth", "j", "i"),
        name="T",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t", "dT_dt"),
        ("T", "dT_dt"),
        ("depth", "dT_ddepth"),
        ("Z", "dT_ddepth"),
        ("vertical", "dT_ddepth"),
        ("j", "dT_dj"),
        ("nav_lat", "dT_dnav_lat"),
        ("latitude", "dT_dnav_lat"),
        ("i", "dT_di"),
        ("X", "dT_di"),
        ("column", "dT_dcolumn"),
    ],
)
def test_a_name_is_a_dimension_a_coordinate_or_a_cf_name(ocean, name, expected):
    assert ocean.grad(name).name == expected
    assert list(ocean.grad([name])) == [expected]
    assert list(ocean.to_dataset().grad(name)) == [expected]


def test_a_coordinate_along_a_dimension_gives_the_positions(ocean):
    by_lat, by_number = ocean.grad("latitude"), ocean.grad("j")
    expected = slow([0, 1, 2, 3], [1, 2, 4, 8])
    np.testing.assert_allclose(by_lat[0, 0, :, 0], 5 * np.array(expected), rtol=1e-14)
    np.testing.assert_array_equal(by_number, 5)  # no coordinate of that name: steps of 1
    assert "j" not in by_number.coords


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("lon", "longitude"),
        ("lat", "latitude"),
        ("time", "T"),
        ("x", "X"),
        ("y", "Y"),
        ("lev", "Z"),
    ],
)
def test_names_that_a_file_does_not_declare_are_guessed(given, name):
    assert along([0.0, 1, 3, 4], name=given).grad(name).name == f"df_d{given}"


def test_guessing_leaves_no_attributes_behind():
    field = along([0.0, 1, 3, 4], name="lon")
    assert field.grad("longitude").lon.attrs == {}
    assert field.lon.attrs == {}


@pytest.mark.parametrize(
    "name", ["lat", "Y", "latitude", "", 0, 1.5, None, float("nan"), ("a", "b")]
)
def test_unknown_name(ocean, name, nothing_computed):
    shown = f"{name!r}"
    message = whole(
        f"{shown} is not a dimension, coordinate or CF name here; there are "
        "'area', 'column', 'depth', 'i', 'j', 'nav', 'run', 't'"
    )
    ocean = ocean.drop_vars("nav_lat").assign_coords(nav=("j", [1.0, 2.0, 4.0, 8.0]))
    for obj in (ocean, ocean.chunk(j=1), ocean.to_dataset()):
        if name is not None and not isinstance(name, tuple):  # all dimensions, a list of names
            with nothing_computed(), pytest.raises(ValueError, match=message):
                obj.grad(name)
        with nothing_computed(), pytest.raises(ValueError, match=message):
            obj.grad(["j", name])


def test_unknown_name_where_there_is_none():
    message = "'x' is not a dimension, coordinate or CF name here; there are none"
    with pytest.raises(ValueError, match=whole(message)):
        xr.DataArray(1.0).grad("x")


def test_a_scalar_coordinate_is_no_candidate(ocean):
    """Near-surface fields carry their height as a scalar; it does not hide the levels."""
    assert ocean.assign_coords(height=2.0).grad("Z").name == "dT_ddepth"


def test_a_name_that_fits_several_coordinates(ocean):
    """Which one was meant cannot be told, and the names are told."""
    ocean = ocean.assign_coords(x2=("i", np.arange(5.0) ** 2, {"axis": "X"}))
    with pytest.raises(ValueError, match=r"^'X' .*'i'.*'x2'.*name"):
        ocean.grad("X")


def test_a_coordinate_itself_is_not_a_name(ocean):
    for dim in (ocean.depth, [ocean.depth], [["depth"]]):
        with pytest.raises(TypeError, match=r"^dim .*name"):
            ocean.grad(dim)


def test_two_dimensional_and_scalar_coordinates(ocean, nothing_computed):
    known = "one of the dimensions 'depth', 'i', 'j', 't'"
    alone = "and one such coordinate alone tells no direction; name the other one of the grid, too"
    area = f"coordinate 'area' has 2 dimensions (j, i), {alone}, or {known}"
    needs = "but a derivative needs a coordinate along one dimension; name another coordinate"
    run = f"coordinate 'run' has no dimension, {needs} or {known}"
    for obj in (ocean, ocean.chunk(j=1), ocean.to_dataset()):
        for name, message in (("area", area), ("run", run)):
            with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
                obj.grad(name)


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


# Times: seconds, whatever they are stored as


OFFSETS = [0, 1, 3, 4]  # days


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


DATES = ["2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04"]


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


# spacing


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


@pytest.fixture
def plane():
    """A plane with slopes 4 and 1 in steps of 1."""
    return xr.DataArray(
        np.arange(12.0).reshape(3, 4),
        {"y": ("y", [0.0, 1, 2], {"units": "m"}), "x": ("x", [0.0, 1, 2, 3], {"axis": "X"})},
        ("y", "x"),
        name="f",
    )


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


# periodic


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
