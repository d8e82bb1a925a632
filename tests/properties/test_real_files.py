"""Real files, against loops that go point by point through parabolas in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

pytest.importorskip("netCDF4")
samples = pytest.importorskip("iris_sample_data")

#: Chunks of odd sizes, remainders of one included.
ODD = {
    "time": 31, "latitude": 9, "longitude": 27, "height": 7, "rLat": 5, "rLon": 15,
}  # fmt: skip


@pytest.fixture(scope="module")
def opened():
    """Opens a file once; what lies in it is never changed."""
    files = {}

    def open_file(name):
        if name not in files:
            files[name] = xr.open_dataset(Path(samples.path) / name)
        return files[name]

    yield open_file
    for ds in files.values():
        ds.close()


def seconds(dates):
    """Seconds since the first date, by subtracting dates one by one."""
    found = []
    for date in dates:
        since = date - dates[0]
        if isinstance(since, np.timedelta64):
            found.append(int(since / np.timedelta64(1, "ns")) / 10**9)
        else:
            found.append(since.total_seconds())
    return found


def by_loops(field, positions, axis, period=None):
    """First derivatives through three points, and the size of their terms.

    One-sided differences at the ends; with a period the neighbours of the ends lie across the
    seam. Parabolas are written as weighted slopes to the left and to the right.
    """
    f = np.moveaxis(np.asarray(field, dtype=np.float64), axis, 0)
    x = [float(p) for p in positions]
    n = len(x)
    result, size = np.empty_like(f), np.empty_like(f)
    for i in range(n):
        before, after = i - 1, i + 1
        if period is None and i in (0, n - 1):
            a, b = (0, 1) if i == 0 else (n - 2, n - 1)
            result[i] = (f[b] - f[a]) / (x[b] - x[a])
            size[i] = np.abs(result[i])
            continue
        left = x[i] - x[before] + (period if before < 0 else 0.0)
        right = x[after % n] - x[i] + (period if after == n else 0.0)
        slope_left = (f[i] - f[before]) / left
        slope_right = (f[after % n] - f[i]) / right
        result[i] = (slope_left * right + slope_right * left) / (left + right)
        size[i] = np.abs(slope_left) + np.abs(slope_right)
    return np.moveaxis(result, 0, axis), np.moveaxis(size, 0, axis)


def check(da, name, positions, units, period=None):
    """A derivative in memory agrees with the loops to a few roundings, and on dask bit for bit."""
    periodic = {} if period is None else {"periodic": name}
    result = da.grad(name, **periodic)
    dim = da[name].dims[0] if name in da.coords else result.name.removeprefix(f"d{da.name}_d")
    expected, size = by_loops(da.values, positions, da.get_axis_num(dim), period)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
    off = np.abs(result.values - expected)
    allowed = 4 * np.finfo(da.dtype).eps * size
    assert (np.isnan(off) | (off <= allowed)).all()
    assert np.nanmax(np.abs(expected)) > 0
    assert result.attrs.get("units") == units
    assert result.dtype == da.dtype
    assert result.dims == da.dims
    lazy = da.chunk({d: c for d, c in ODD.items() if d in da.dims})
    for coord in da.coords:  # chunked with the field, but positions are needed at once
        lazy[coord] = da[coord]
    on_dask = lazy.grad(name, **periodic)
    assert on_dask.chunks == lazy.chunks
    xr.testing.assert_identical(on_dask.compute(), result)
    return result


# 240 years of air temperature on a 360-day calendar


def test_temperature_in_time(opened):
    t = opened("A1B_north_america.nc").air_temperature
    result = check(t, "time", seconds(t.time.values), "K s-1")
    assert result.name == "dair_temperature_dtime"
    assert result.long_name == "derivative of air temperature with respect to time"
    # The years of this calendar are as long as 360 days, and the first two lie one year apart.
    first = (t[1] - t[0]).astype("float64") / (360 * 86400)
    np.testing.assert_allclose(result[0], first, rtol=1e-6)


def test_temperature_in_space(opened):
    t = opened("A1B_north_america.nc").air_temperature
    for name in ("latitude", "Y"):
        result = check(t, name, t.latitude.values, "K degrees_north-1")
        assert result.name == "dair_temperature_dlatitude"
    for name in ("longitude", "X"):
        check(t, name, t.longitude.values, "K degrees_east-1")


def test_temperature_along_a_second_measure_of_time(opened):
    """Hours of forecast, int32, next to the dates: the same derivative in other units."""
    t = opened("A1B_north_america.nc").air_temperature
    check(t, "forecast_period", t.forecast_period.values, "K h-1")
    t = t.astype("float64")
    hours = t.grad("forecast_period")
    np.testing.assert_allclose(hours, t.grad("time") * 3600, rtol=1e-12, atol=1e-17)


def test_second_derivative_of_temperature(opened):
    t = opened("A1B_north_america.nc").air_temperature
    result = t.grad("latitude", deriv=2)
    f = t.values.astype("float64")
    for i in range(1, t.sizes["latitude"] - 1):
        expected = (f[:, i + 1] - 2 * f[:, i] + f[:, i - 1]) / 1.25**2
        size = np.abs(f[:, i + 1] - f[:, i]) + np.abs(f[:, i] - f[:, i - 1])
        off = np.abs(result[:, i].values - expected)
        assert (off <= 4 * np.finfo("float32").eps * size / 1.25**2).all()
    assert result.units == "K degrees_north-2"
    lazy = t.chunk({d: ODD[d] for d in t.dims}).grad("latitude", deriv=2)
    xr.testing.assert_equal(lazy.compute(), result)


def test_temperature_keeps_what_its_file_says(opened):
    ds = opened("A1B_north_america.nc")
    result = ds.grad()
    names = [f"dair_temperature_d{name}" for name in ("time", "latitude", "longitude")]
    assert list(result) == names  # no bounds, no map projection
    xr.testing.assert_identical(result.coords.to_dataset(), ds.coords.to_dataset())
    assert result.attrs == ds.attrs
    for name in names:
        assert "grid_mapping" not in result[name].attrs
        assert result[name].attrs["Model scenario"] == "A1B"
        named = result[name].attrs.get("standard_name")
        assert named == ("tendency_of_air_temperature" if name.endswith("time") else None)
        xr.testing.assert_identical(
            result[name], ds.air_temperature.grad(name.removeprefix("dair_temperature_d"))
        )


# Monthly sea-surface temperature of the tropical band, with land


def test_sea_surface_in_time(opened):
    sst = opened("ostia_monthly.nc").surface_temperature
    assert sst.isnull().any()
    check(sst, "time", seconds(sst.time.values), "K s-1")
    later = seconds(sst.forecast_reference_time.values)
    check(sst, "forecast_reference_time", later, "K s-1")


def test_sea_surface_in_space(opened):
    sst = opened("ostia_monthly.nc").surface_temperature
    # Latitudes in float32 have the rounding of 17 steps, one added to the other; it is not meant.
    lat = sst.latitude.values.astype("f8")
    evenly = np.linspace(lat[0], lat[-1], len(lat))
    assert np.abs(lat - evenly).max() <= len(lat) * np.finfo("float32").eps * np.abs(lat).max()
    check(sst, "latitude", evenly, "K degrees_north-1")
    # Longitudes in float32 stand for 360 degrees in 432 equal steps; their rounding is not meant.
    steps = np.arange(432) * 360 / 432
    assert np.abs(sst.longitude.values - steps).max() <= 360 * np.finfo("float32").eps
    check(sst, "longitude", steps, "K degrees_east-1")


def test_sea_surface_round_the_globe(opened):
    sst = opened("ostia_monthly.nc").surface_temperature
    steps = np.arange(432) * 360 / 432
    closed = check(sst, "longitude", steps, "K degrees_east-1", period=360.0)
    xr.testing.assert_identical(closed, sst.grad("longitude", periodic={"X": 360}))
    cut = sst.grad("longitude")
    np.testing.assert_allclose(closed[..., 1:-1], cut[..., 1:-1], rtol=1e-5)
    # Cut open in the Pacific instead, the values are the same everywhere, Greenwich included.
    turned = sst.roll(longitude=200, roll_coords=False).grad("longitude", periodic=True)
    np.testing.assert_array_equal(turned, closed.roll(longitude=200, roll_coords=False))


# Electrons in the ionosphere, on a rotated grid


def test_electrons(opened):
    ne = opened("space_weather.nc").Ne
    units = "1E11 e/m^3"  # no unit that pint can read: kept as text
    assert len(set(np.diff(ne.height.values))) == 2
    check(ne, "height", ne.height.values, f"{units} metres-1")
    check(ne, "rLat", ne.rLat.values, f"{units} degrees-1")
    result = check(ne, "rLon", ne.rLon.values, f"{units} degrees-1")
    assert result.long_name == (
        "derivative of electron density with respect to longitude in rotated pole grid"
    )
    xr.testing.assert_identical(ne.grad("grid_longitude"), result)


def test_electron_content(opened):
    ds = opened("space_weather.nc")
    check(ds.TEC, "rLat", ds.rLat.values, "1E16 e/m^2 degrees-1")
    check(ds.TEC, "rLon", ds.rLon.values, "1E16 e/m^2 degrees-1")
    assert list(ds.grad("height")) == ["dNe_dheight"]
    assert set(ds.grad("rLat")) == {"dNe_drLat", "dTEC_drLat"}
    assert ds.grad("rLat").latitude.dims == ("rLat", "rLon")


def test_the_latitudes_of_a_rotated_grid_have_two_dimensions(opened):
    with pytest.raises(ValueError, match=r"^coordinate 'latitude' has 2 dimensions \(rLat, rLon\)"):
        opened("space_weather.nc").Ne.grad("latitude")


# The Southern Oscillation index at Darwin, monthly since 1866


def test_southern_oscillation(opened):
    soi = opened("SOI_Darwin.nc").SOI_Darwin
    assert soi.isnull().any()
    result = check(soi, "time", seconds(soi.time.values), None)  # the file has no units
    check(soi, "T", seconds(soi.time.values), None)
    months = np.diff(soi.time.values) / np.timedelta64(1, "D")
    assert set(months) == {28, 29, 30, 31}
    assert result.long_name == "derivative of SOI_Darwin with respect to time"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_southern_oscillation_at_every_resolution(opened, unit):
    soi = opened("SOI_Darwin.nc").SOI_Darwin
    coder = xr.coders.CFDatetimeCoder(time_unit=unit)
    path = Path(samples.path) / "SOI_Darwin.nc"
    with xr.open_dataset(path, decode_times=coder) as ds:
        assert ds.time.dtype == f"datetime64[{unit}]"
        np.testing.assert_array_equal(ds.SOI_Darwin.grad("time"), soi.grad("time"))
    with xr.open_dataset(path, decode_times=xr.coders.CFDatetimeCoder(use_cftime=True)) as ds:
        np.testing.assert_array_equal(ds.SOI_Darwin.grad("time"), soi.grad("time"))
