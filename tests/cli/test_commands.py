"""The command line: what it writes, and that it writes nothing when something is wrong."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

click_testing = pytest.importorskip("click.testing")
pytest.importorskip("dask")
pytest.importorskip("tqdm")
netCDF4 = pytest.importorskip("netCDF4")
zarr = pytest.importorskip("zarr")
from xgradient.cli import files, outputs  # noqa: E402
from xgradient.cli.commands import cli  # noqa: E402

pytestmark = [
    # zarr says so whenever xarray gathers the metadata of a store, which it does by default.
    pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part"),
    # The text of the sample: only the tests write it to a store.
    pytest.mark.filterwarnings("ignore:The data type .* does not have a Zarr V3 specification"),
    # NumPy is told of its own size change by a compiled reader, at import.
    pytest.mark.filterwarnings("ignore:numpy.ndarray size changed"),
]

COMBINATIONS = [(a, b) for a in (".nc", ".zarr") for b in (".nc", ".zarr")]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, which relative paths start from."""
    monkeypatch.chdir(tmp_path)


def run(command: str, code: int = 0) -> click_testing.Result:
    result = click_testing.CliRunner().invoke(cli, shlex.split(command))
    told = f"{result.stdout}\n{result.stderr}\n{result.exception!r}"
    assert result.exit_code == code, told
    return result


def start(command: str, **options) -> subprocess.Popen:
    words = [sys.executable, "-m", "xgradient", *shlex.split(command)]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def sample() -> xr.Dataset:
    """Two fields of time, lat and lon with all that travels along, and variables of other kinds."""
    rng = np.random.default_rng(7)
    hours = xr.Variable("time", np.array([0.0, 6, 12, 24, 36, 48, 54]), {"bounds": "time_bnds"})
    hours.attrs.update(units="hours since 2001-02-28", calendar="360_day", standard_name="time")
    lat = np.array([60.0, 47.5, 40.0, 20.0, 5.0])
    lon = np.arange(0.0, 360.0, 45.0)
    field = rng.normal(280, 10, (7, 5, 8))
    ds = xr.Dataset(
        {
            "t": (("time", "lat", "lon"), field),
            "count": (("lat", "lon"), rng.integers(0, 9, (5, 8), dtype=np.int16)),
            "name": (("lat",), np.array(list("abcde"))),
        },
        {
            "time": hours,
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "height": ((), 2.0, {"units": "m"}),
            "area": (("lat", "lon"), rng.random((5, 8)), {"units": "m2"}),
            "crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude"}),
            "time_bnds": (("time", "bnds"), hours.values[:, None] + [-3.0, 3.0]),
        },
        {"Conventions": "CF-1.8", "title": "a sample", "history": "made by hand"},
    )
    ds.t.attrs = {"units": "K", "standard_name": "air_temperature", "cell_methods": "time: mean"}
    ds.t.encoding = {"grid_mapping": "crs", "coordinates": "height area"}
    ds["count"].attrs = {"units": "1"}
    return ds


def store(ds: xr.Dataset, path: str, **options) -> str:
    if path.endswith(".zarr"):
        ds.to_zarr(path, **options)
    else:
        ds.to_netcdf(path, engine="netcdf4", **options)
    return path


def load(path: str) -> xr.Dataset:
    engine = "zarr" if Path(path).is_dir() else "netcdf4"
    with xr.open_dataset(path, engine=engine, decode_coords="all") as ds:
        return ds.load()


def fingerprint(path: str | Path) -> str:
    """A digest of a file, or of all files under a directory with their names."""
    path, digest = Path(path), hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        digest.update(str(file.relative_to(path)).encode())
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def here(folder: str | Path = ".") -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


# What comes out


@pytest.mark.parametrize(("kind", "into"), COMBINATIONS)
def test_values_are_those_of_numpy_in_every_format(kind, into):
    ds = sample()
    source, target = store(ds, f"in{kind}"), f"out{into}"
    before = fingerprint(source)
    run(f"grad {source} {target} --var t --dim time --dim lat")
    out = load(target)
    assert set(out.data_vars) == {"dt_dtime", "dt_dlat"}
    seconds = 3600 * ds.time.values
    for name, at, axis in (("dt_dtime", seconds, 0), ("dt_dlat", ds.lat.values, 1)):
        expected = np.gradient(ds.t.values, at, axis=axis)
        np.testing.assert_allclose(
            out[name], expected, rtol=1e-12, atol=1e-12 * abs(expected).max()
        )
        assert out[name].dims == ("time", "lat", "lon")
        assert out[name].dtype == np.float64
    assert fingerprint(source) == before
    assert here() == {source, target}


@pytest.mark.parametrize(("kind", "into"), COMBINATIONS)
def test_metadata_travels(kind, into):
    source, target = store(sample(), f"in{kind}"), f"out{into}"
    run(f"grad {source} {target} --var t --dim time --dim lat")
    given, out = load(source), load(target)
    assert out.dt_dtime.attrs["units"] == "K s-1"
    assert out.dt_dlat.attrs["units"] == "K degrees_north-1"
    assert "cell_methods" not in out.dt_dlat.attrs
    assert "standard_name" not in out.dt_dlat.attrs
    assert out.dt_dlat.encoding["grid_mapping"] == "crs"
    assert set(out.coords) == {"time", "lat", "lon", "height", "area", "crs", "time_bnds"}
    for name in out.coords:
        xr.testing.assert_identical(out[name].drop_vars(["count"], errors="ignore"), given[name])
    assert out.time.encoding["units"].startswith("hours since 2001-02-28")
    assert out.time.encoding["calendar"] == "360_day"
    assert out.time.encoding["bounds"] == "time_bnds"
    assert out.attrs["title"] == "a sample"


def test_coordinates_get_no_fill_value_that_they_had_not():
    source = "in.nc"
    ds = sample()
    for name in ("lat", "area", "time_bnds"):
        ds[name].encoding["_FillValue"] = None
    store(ds, source)
    run(f"grad {source} out.nc --dim lat --var t")
    with netCDF4.Dataset(source) as given, netCDF4.Dataset("out.nc") as out:
        filled = {v: "_FillValue" in given[v].ncattrs() for v in ds.coords}
        assert {v: "_FillValue" in out[v].ncattrs() for v in ds.coords} == filled
        assert {filled["lat"], filled["time"]} == {False, True}


def test_history_gets_a_line_with_the_time_and_the_words():
    run(f"grad {store(sample(), 'in.nc')} 'my out.nc' --var t --dim lat --accuracy 4")
    first, last = load("my out.nc").attrs["history"].split("\n")
    assert first == "made by hand"
    words = re.escape("xgradient grad in.nc 'my out.nc' --var t --dim lat --accuracy 4")
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ: {words} \(xgradient [\d.]+\)", last)


def test_history_starts_where_there_was_none():
    run(f"grad {store(sample().drop_attrs(deep=False), 'in.zarr')} out.zarr --dim lat --var t")
    assert load("out.zarr").attrs["history"].endswith("--var t (xgradient 0.1.0)")


def test_every_numeric_variable_that_has_the_dimension():
    source = store(sample(), "in.nc")
    told = run(f"grad {source} out.nc --dim lon --dim time").stdout
    assert set(load("out.nc").data_vars) == {"dt_dlon", "dt_dtime", "dcount_dlon"}
    assert "dcount_dlon (lat: 5, lon: 8) float64 degrees_east-1\n" in told
    assert "dt_dtime (time: 7, lat: 5, lon: 8) float64 K s-1\n" in told


def test_options_reach_the_derivative():
    lat = np.array([0.0, 1, 2.5, 3, 4.5, 6, 7])
    quartic = xr.Dataset({"q": ("lat", lat**4)}, {"lat": lat})
    store(quartic, "in.nc")
    run("grad in.nc out.nc --dim lat --accuracy 4")
    np.testing.assert_allclose(load("out.nc").dq_dlat, 4 * lat**3, rtol=1e-11, atol=1e-9)
    run("grad in.nc out.nc --dim lat --deriv 2 --accuracy 3 --overwrite")
    np.testing.assert_allclose(load("out.nc").d2q_dlat2, 12 * lat**2, rtol=1e-11, atol=1e-9)
    run("grad in.nc out.nc --dim lat --edge-order 2 --overwrite")
    expected = np.gradient(lat**4, lat, edge_order=2)
    np.testing.assert_allclose(load("out.nc").dq_dlat, expected, rtol=1e-12)


def test_coasts_and_metres_from_the_command_line():
    lat = xr.Variable("lat", [0.0, 10, 20, 30, 40, 50], {"units": "degrees_north"})
    values = [np.nan, 1.0, 3.0, 7.0, np.nan, 2.0]
    store(xr.Dataset({"t": ("lat", values, {"units": "K"})}, {"lat": lat}), "in.nc")
    run("grad in.nc out.nc --dim lat --skipna --metric sphere")
    found = load("out.nc").dt_dlat
    per_degree = np.array([np.nan, 0.2, 0.3, 0.4, np.nan, np.nan])
    np.testing.assert_allclose(found, per_degree * 180 / np.pi / 6371008.8, rtol=1e-12)
    assert found.attrs["units"] == "K m-1"


def test_periodic_axes_close():
    ds = sample()
    store(ds, "in.zarr")
    run("grad in.zarr out.zarr --var t --dim lon --dim lat --periodic lon")
    padded = np.concatenate([ds.t[..., -1:], ds.t, ds.t[..., :1]], axis=-1)
    expected = np.gradient(padded, 45.0, axis=-1)[..., 1:-1]
    np.testing.assert_allclose(load("out.zarr").dt_dlon, expected, rtol=1e-12, atol=1e-12)


def test_a_period_may_be_given():
    x = np.array([0.0, 1, 3, 4, 6])
    store(xr.Dataset({"f": ("x", x**2)}, {"x": x}), "in.nc")
    run("grad in.nc out.nc --dim x --periodic x=7.5")
    nodes, values = [-1.5, *x, 7.5], [36.0, *x**2, 0.0]
    expected = np.gradient(values, nodes)[1:-1]
    np.testing.assert_allclose(load("out.nc").df_dx, expected, rtol=1e-12)


def test_names_by_cf_conventions():
    run(f"grad {store(sample(), 'in.nc')} out.nc --var t --dim latitude")
    assert list(load("out.nc").data_vars) == ["dt_dlat"]


@pytest.mark.parametrize("into", [".nc", ".zarr"])
def test_chunks_change_no_bit(into):
    source = store(sample(), "in.nc")
    run(f"grad {source} a{into} --var t --dim time --dim lon --periodic lon")
    run(f"grad {source} b{into} --var t --dim time --dim lon --periodic lon --chunks time=2,lon=3")
    run(f"grad {source} c{into} --var t --dim time --dim lon --periodic lon --chunks time=-1,lat=1")
    whole = load(f"a{into}").drop_attrs(deep=False)
    xr.testing.assert_identical(load(f"b{into}").drop_attrs(deep=False), whole)
    xr.testing.assert_identical(load(f"c{into}").drop_attrs(deep=False), whole)


def test_a_store_keeps_its_chunks_and_its_version():
    ds = sample()
    store(ds, "v2.zarr", zarr_format=2, encoding={"t": {"chunks": (3, 5, 4)}})
    run("grad v2.zarr out.zarr --var t --dim time --dim lon")
    group = zarr.open_group("out.zarr", mode="r")
    assert group.metadata.zarr_format == 2
    assert group["dt_dtime"].chunks == group["dt_dlon"].chunks == (3, 5, 4)
    run("grad v2.zarr out.zarr --var t --dim time --chunks time=2,lat=2,lon=8 --overwrite")
    assert zarr.open_group("out.zarr", mode="r")["dt_dtime"].chunks == (2, 2, 8)


def test_a_store_keeps_its_shards():
    encoding = {"t": {"chunks": (1, 5, 4), "shards": (4, 5, 8)}}
    ds = sample()
    store(ds, "in.zarr", zarr_format=3, encoding=encoding)
    run("grad in.zarr out.zarr --var t --dim lat")
    array = zarr.open_group("out.zarr", mode="r")["dt_dlat"]
    assert (array.chunks, array.shards) == ((1, 5, 4), (4, 5, 8))
    expected = np.gradient(ds.t.values, ds.lat.values, axis=1)
    np.testing.assert_allclose(load("out.zarr").dt_dlat, expected, rtol=1e-12, atol=1e-12)


def test_a_netcdf_file_keeps_its_record_dimension():
    run(f"grad {store(sample(), 'in.nc', unlimited_dims=['time'])} out.nc --var t --dim lat")
    with netCDF4.Dataset("out.nc") as out:
        assert out.dimensions["time"].isunlimited()
        assert not out.dimensions["lat"].isunlimited()


@pytest.mark.parametrize("into", [".nc", ".zarr"])
def test_a_packed_field_is_unpacked_and_its_derivative_not_packed(into):
    ds = sample()[["t"]]
    ds.t.encoding = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 280, "_FillValue": -1}
    store(ds, "in.nc")
    run(f"grad in.nc out{into} --dim lat")
    with netCDF4.Dataset("in.nc") as given:
        unpacked = np.asarray(given["t"][:])  # netCDF4 unpacks by itself
    assert len(np.unique(unpacked - ds.t)) > 1, "packing loses digits"
    expected = np.gradient(unpacked, ds.lat.values, axis=1)
    np.testing.assert_allclose(load(f"out{into}").dt_dlat, expected, rtol=1e-9, atol=1e-9)


def test_bytes_and_characters_travel_to_any_format():
    with netCDF4.Dataset("in.nc", "w") as ds:
        ds.createDimension("x", 3)
        ds.createDimension("length", 7)
        ds.createVariable("label", "S1", ("x", "length"))[:] = netCDF4.stringtochar(
            np.array(["ab", "seventh", "c"], "S7")
        )
        ds.createVariable("x", ">f8", ("x",), endian="big")[:] = [0, 1, 3]
        ds.createVariable("f", ">f4", ("x",), endian="big")[:] = [1, 2, 8]
        ds["f"].coordinates = "label"
    for target in ("out.nc", "out.zarr"):
        run(f"grad in.nc {target} --dim x")
        out = load(target)
        assert out.label.values.astype("S7").tolist() == [b"ab", b"seventh", b"c"]
        np.testing.assert_allclose(out.df_dx, [1, 5 / 3, 3], rtol=1e-6)
        assert out.df_dx.dtype == np.dtype("=f4")


def test_external_cell_measures_are_no_obstacle():
    ds = sample()
    ds.t.attrs["cell_measures"] = "area: elsewhere"
    store(ds, "in.nc")
    result = run("grad in.nc out.nc --var t --dim lat")
    assert result.stderr == ""
    assert load("out.nc").dt_dlat.attrs["units"] == "K degrees_north-1"


def test_attributes_that_only_stores_can_hold_become_json():
    ds = sample()[["t"]]
    ds.attrs.update(checked=True, grid={"n": [1, 2]}, missing=None, levels=[1.5, 2.5])
    ds.t.attrs["tags"] = [{"a": 1}]
    ds.lat.attrs["flags"] = ["x", "y"]
    store(ds, "in.zarr")
    run("grad in.zarr out.nc --dim lat")
    out = load("out.nc")
    assert out.attrs["checked"] == "true"
    assert out.attrs["grid"] == '{"n": [1, 2]}'
    assert out.attrs["missing"] == "null"
    assert out.attrs["levels"].tolist() == [1.5, 2.5]
    assert out.dt_dlat.attrs["tags"] == '[{"a": 1}]'
    assert out.lat.attrs["flags"] == ["x", "y"]


def test_complex_fields_go_to_stores_only():
    x = np.array([0.0, 1, 3])
    store(xr.Dataset({"z": ("x", (2 + 1j) * x)}, {"x": x}), "in.zarr")
    run("grad in.zarr out.zarr --dim x")
    np.testing.assert_allclose(load("out.zarr").dz_dx, np.full(3, 2 + 1j), rtol=1e-12)
    told = run("grad in.zarr out.nc --dim x", code=1).stderr
    assert told == (
        "xgradient: error: writing out.nc failed: "
        "dz_dx is complex, which only Zarr stores can hold\n"
    )
    assert here() == {"in.zarr", "out.zarr"}


def test_times_without_a_certain_length():
    ds = sample()[["t"]]
    ds.time.attrs = {"units": "months since 1955-01-01"}
    store(ds, "in.nc")
    run("grad in.nc out.nc --dim lat")
    assert load_raw("out.nc")["time"] == "months since 1955-01-01"
    told = run("grad in.nc out2.nc --dim time", code=1).stderr
    assert told == (
        "xgradient: error: 'time' of in.nc has units 'months since 1955-01-01', which cannot be "
        "decoded, so there is no derivative per second along it\n"
    )


def load_raw(path: str) -> dict[str, str]:
    with netCDF4.Dataset(path) as ds:
        return {name: getattr(var, "units", "") for name, var in ds.variables.items()}


@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
def test_overwrite_replaces(target):
    source = store(sample(), "in.nc")
    run(f"grad {source} {target} --var t --dim lat")
    run(f"grad {source} {target} --var t --dim lon --overwrite")
    assert list(load(target).data_vars) == ["dt_dlon"]
    assert here() == {source, target}


def test_links_are_followed():
    store(sample(), "in.nc")
    Path("folder").mkdir()
    Path("link.nc").symlink_to("folder/out.nc")
    run("grad in.nc link.nc --var t --dim lat")
    assert Path("link.nc").is_symlink()
    assert list(load("folder/out.nc").data_vars) == ["dt_dlat"]


def test_progress_goes_to_stderr_when_asked():
    store(sample(), "in.nc")
    quiet = run("grad in.nc out.nc --var t --dim lat")
    assert quiet.stderr == ""
    shown = run("grad in.nc out2.nc --var t --dim lat --progress")
    assert re.search(r"out2\.nc: +\d+%", shown.stderr)
    assert shown.stdout == quiet.stdout


# What is refused

TABLE = [
    ("none.nc out.nc --dim lat", "input none.nc does not exist"),
    ("folder out.nc --dim lat", "input folder is a directory but not a Zarr store"),
    ("text.nc out.nc --dim lat", "cannot read text.nc: NetCDF: "),
    (
        "cut.nc out.nc --dim lat",
        "cannot read cut.nc: NetCDF: HDF error, which comes of a damaged file, or one of another",
    ),
    ("in.nc out.nc --var u --dim lat", "in.nc has no variable 'u'; there are t, count, name"),
    ("in.nc out.nc --var lat --dim lat", "in.nc has no variable 'lat'; there are t, count, name"),
    (
        "in.nc out.nc --var t --dim level",
        (
            "in.nc: 'level' is not a dimension, coordinate or CF name here; there are 'area', "
            "'bnds', 'crs', 'height', 'lat', 'lon', 'time', 'time_bnds'"
        ),
    ),
    (
        "in.nc out.nc --var t --var count --dim time",
        (
            "variable 'count' of in.nc has no such derivative; its dimensions are lat, lon and its "
            "dtype int16"
        ),
    ),
    ("in.nc out.nc --var t --dim lat --deriv 0", "in.nc: deriv is 0; give a whole number"),
    ("in.nc out.nc --var t --dim lat --deriv 9", "in.nc: dimension 'lat' has 5 points"),
    (
        "in.nc out.nc --var t --dim lat --periodic longitud",
        "in.nc: 'longitud' is not a dimension, coordinate or CF name here",
    ),
    (
        "in.nc out.nc --var t --dim lat --chunks level=3",
        "chunks name 'level', but the dimensions are",
    ),
    (
        "in.nc out.txt --dim lat",
        "output out.txt has no known suffix; end it in .zarr or in .nc, .nc4, .cdf, .netcdf",
    ),
    (
        "in.nc nowhere/out.nc --dim lat",
        "the directory of output nowhere/out.nc does not exist; make it first",
    ),
    ("in.nc old.nc --dim lat", "output old.nc exists; name another, or replace it with --overwr"),
    ("in.nc old.zarr --dim lat", "output old.zarr exists; name another, or replace it with --ov"),
    ("in.nc in.nc --dim lat", "output in.nc is the input, or one is inside the other; name ano"),
    ("in.nc in.nc --dim lat --overwrite", "output in.nc is the input, or one is inside the oth"),
    ("in.nc soft.nc --dim lat --overwrite", "output soft.nc is the input, or one is inside the "),
    ("in.nc hard.nc --dim lat --overwrite", "output hard.nc is the input, or one is inside the "),
    ("old.zarr old.zarr/b.zarr --dim lat", "output old.zarr/b.zarr is the input, or one is insi"),
    ("old.zarr/t old.zarr --dim lat --overwrite", "output old.zarr is the input, or one is insi"),
    (
        "in.nc folder.zarr --dim lat --overwrite",
        "output folder.zarr exists but is not a Zarr store, so it is not replaced",
    ),
    (
        "in.nc folder.nc --dim lat --overwrite",
        "output folder.nc exists but is not a file, so it is not replaced",
    ),
]


@pytest.mark.parametrize(("words", "told"), TABLE, ids=[words for words, _ in TABLE])
def test_errors_take_one_line_and_leave_everything_as_it_was(words, told, tmp_path):
    store(sample(), "in.nc")
    store(sample()[["t"]], "old.zarr")
    store(sample()[["t"]], "old.nc")
    Path("text.nc").write_text("no NetCDF at all, but long enough to be looked at\n" * 20)
    Path("cut.nc").write_bytes(Path("in.nc").read_bytes()[:4000])
    Path("soft.nc").symlink_to("in.nc")
    Path("hard.nc").hardlink_to("in.nc")
    for folder in ("folder", "folder.zarr", "folder.nc"):
        Path(folder).mkdir()
        Path(folder, "precious").touch()
    before = fingerprint(tmp_path)
    result = run(f"grad {words}", code=1)
    assert result.stderr.startswith(f"xgradient: error: {told}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert fingerprint(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("in.nc out.nc", "Missing option '--dim'"),
        ("in.nc --dim lat", "Missing argument 'OUTPUT'"),
        ("in.nc out.nc --dim lat --chunks lat", "'lat' is not NAME=SIZE, NAME=-1 or NAME=auto"),
        ("in.nc out.nc --dim lat --chunks lat=0", "'lat=0' is not NAME=SIZE, NAME=-1 or NAME=a"),
        ("in.nc out.nc --dim lat --periodic lat=x", "the period 'x' of 'lat' is not a number"),
        ("in.nc out.nc --dim lat --deriv two", "'two' is not a valid integer"),
        ("in.nc out.nc --dim lat --nonsense", "No such option"),
    ],
)
def test_wrong_usage_has_exit_code_2(words, told):
    assert told in run(f"grad {words}", code=2).stderr


def test_chunks_of_auto_are_left_to_the_command():
    run(f"grad {store(sample(), 'in.nc')} out.zarr --var t --dim lat --chunks 'time=3, lat=auto'")
    assert zarr.open_group("out.zarr", mode="r")["dt_dlat"].chunks == (3, 5, 8)


@pytest.mark.parametrize("module", ["dask", "tqdm", "netCDF4", "zarr"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(module, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == module else find(name, *a)
    )
    assert run("grad in.nc out.nc --dim lat", code=1).stderr == (
        f"xgradient: error: this command needs {module}; "
        'install what is missing with: pip install "xgradient[cli]"\n'
    )


def test_without_click_the_command_says_what_to_install():
    code = "import sys; sys.modules['click'] = None; import xgradient.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "xgradient: error: the command line needs click; "
        'install it with: pip install "xgradient[cli]"\n'
    )


def test_help_and_version():
    assert run("--version").stdout.startswith("xgradient, version ")
    told = run("grad --help").stdout
    for option in (
        *("--var", "--dim", "--deriv", "--accuracy", "--edge-order", "--periodic"),
        *("--metric", "--skipna"),
    ):
        assert option in told
    assert "--output-dir" in run("demo --help").stdout


# What goes wrong half-way

SLOW = "in.zarr {} --dim time --chunks time=1"


@pytest.fixture(scope="module")
def slow_store(tmp_path_factory):
    """A store that takes seconds to differentiate in chunks of one time each."""
    values = np.arange(32_000, dtype=np.float32).reshape(2000, 4, 4)
    ds = xr.Dataset({"t": (("time", "lat", "lon"), values)}, {"time": np.arange(2000.0)})
    path = tmp_path_factory.mktemp("slow") / "in.zarr"
    store(ds, str(path), encoding={"t": {"chunks": (10, 4, 4)}})
    return path, fingerprint(path)


@pytest.fixture
def many_chunks(slow_store):
    """The store in this folder; its digest."""
    path, digest = slow_store
    Path("in.zarr").symlink_to(path)
    return digest


def wait_for_partial(process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not [name for name in here() if name.endswith(".partial")]:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Some chunks are under way by now.
    time.sleep(0.3)
    assert process.poll() is None, "the input is too small for this test"


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("number", "target"),
    [(signal.SIGTERM, "out.nc"), (signal.SIGTERM, "out.zarr"), (signal.SIGINT, "out.zarr")],
)
def test_a_signal_to_end_tidies_up(number, target, many_chunks):
    # Tests in the background of a shell ignore SIGINT, and so do the processes that they start.
    before = signal.signal(number, signal.SIG_DFL)
    process = start("grad " + SLOW.format(target))
    signal.signal(number, before)
    wait_for_partial(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert stderr == f"xgradient: error: stopped by {number.name}; {target} was not written\n"
    assert stdout == ""
    assert here() == {"in.zarr"}
    assert fingerprint(Path("in.zarr").resolve()) == many_chunks


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_is_told_of_whatever_fails_because_of_it(monkeypatch):
    """As when a progress bar is closed that was not yet drawn."""

    def write(*args):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            raise AttributeError("no bar")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(files, "write", write)
    store(sample(), "in.nc")
    told = run("grad in.nc out.nc --var t --dim lat", code=128 + signal.SIGTERM).stderr
    assert told == "xgradient: error: stopped by SIGTERM; out.nc was not written\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
def test_a_kill_leaves_nothing_under_the_final_name(target, many_chunks):
    process = start("grad " + SLOW.format(target))
    wait_for_partial(process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    left = here() - {"in.zarr"}
    assert len(left) == 1
    assert re.fullmatch(rf"\.{re.escape(target)}\.[0-9a-f]{{8}}\.partial", left.pop())
    assert fingerprint(Path("in.zarr").resolve()) == many_chunks


@pytest.mark.skipif(os.name != "posix", reason="resource limits")
@pytest.mark.parametrize(
    ("target", "told"), [("out.nc", "NetCDF: HDF error, which comes of"), ("out.zarr", "File too")]
)
def test_no_room_for_the_output(target, told):
    """As on a full disk, but by a limit on the size of files; the old output stays."""
    import resource

    rng = np.random.default_rng(0)
    ds = xr.Dataset({"t": (("time", "x"), rng.random((4, 100_000)))}, {"time": np.arange(4.0)})
    store(ds, "in.nc")
    store(ds.isel(x=slice(3)), target)
    before = here(), fingerprint("in.nc"), fingerprint(target)
    process = start(
        f"grad in.nc {target} --dim time --overwrite",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.startswith(f"xgradient: error: writing {target} failed: {told}")
    assert stderr.count("\n") == 1
    assert (here(), fingerprint("in.nc"), fingerprint(target)) == before


def test_a_full_disk_in_the_middle_of_a_store(monkeypatch):
    store(sample(), "in.nc")
    calls = []
    setitem = zarr.Array.__setitem__

    def full(self, key, value):
        calls.append(key)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        setitem(self, key, value)

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    told = run("grad in.nc out.zarr --var t --dim time --chunks time=1", code=1).stderr
    assert told == "xgradient: error: writing out.zarr failed: No space left on device\n"
    assert len(calls) > 3
    assert here() == {"in.nc"}


def test_a_damaged_chunk_of_the_input():
    store(sample(), "in.zarr", encoding={"t": {"chunks": (1, 5, 8)}})
    Path("in.zarr/t/c/5/0/0").write_bytes(b"nothing that decompresses")
    told = run("grad in.zarr out.nc --var t --dim time", code=1).stderr
    assert told.startswith("xgradient: error: writing out.nc failed: ")
    assert told.count("\n") == 1
    assert here() == {"in.zarr"}


def test_a_failed_exchange_of_stores_puts_the_old_one_back(tmp_path, monkeypatch):
    old, rename = Path(store(sample(), "out.zarr")).resolve(), Path.rename
    before = fingerprint(old)

    def refuse(self, target):
        if self.suffix == ".partial":
            raise OSError(errno.EIO, "no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no"), outputs.written_whole(old) as partial:
        partial.mkdir()
    assert fingerprint(old) == before
    assert here() == {"out.zarr"}


# How much at a time


def sizes_of(shape, stored=None, given=None, dtype=np.float32):
    dims = ("a", "b", "c")[: len(shape)]
    var = xr.Variable(dims, np.broadcast_to(np.zeros((), dtype), shape))
    if stored:
        var.encoding["preferred_chunks"] = dict(zip(dims, stored, strict=True))
    return tuple(files._chunk_sizes(var, given or {}).values())


@pytest.mark.parametrize(
    ("shape", "stored", "given", "expected"),
    [
        ((7, 5, 8), None, {}, (7, 5, 8)),  # small: all at once
        ((1000, 721, 1440), None, {}, (8, 721, 1440)),  # 8 × 4.15 MB are just under 32 MiB
        ((1000, 721, 1440), (1, 721, 1440), {}, (8, 721, 1440)),
        ((1000, 721, 1440), (16, 721, 1440), {}, (16, 721, 1440)),  # never less than is stored
        ((1000, 721, 1440), (100, 30, 60), {}, (100, 30, 60 * 24)),  # grows from the last
        ((1000, 721, 1440), (1, 721, 1440), {"a": 3}, (3, 721, 1440)),
        ((1000, 721, 1440), (1, 721, 1440), {"a": -1, "b": 10}, (1000, 10, 1440 // 2)),
        ((0, 4), None, {}, (1, 4)),
    ],
)
def test_chunks_are_whole_stored_chunks_and_not_small(shape, stored, given, expected):
    if given == {"a": -1, "b": 10}:
        stored = (1, 721, 720)
        expected = (1000, 10, 720)
    assert sizes_of(shape, stored, given) == expected


def test_threads_are_fewer_where_chunks_are_large(monkeypatch):
    dask = pytest.importorskip("dask.array")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("xgradient.kernels.threads.cpu_quota", lambda: 64.0)

    def threads(mib, fields):
        lazy = dask.zeros((4, mib * 2**18), dtype=np.float32, chunks=(1, -1))
        return files._threads(xr.Dataset({f"v{i}": (("x", "y"), lazy) for i in range(fields)}))

    assert threads(1, 1) == 64
    assert threads(32, 1) == 3  # 512 // (32 × 5)
    assert threads(32, 4) == 2
    assert threads(1000, 1) == 1


def test_large_coordinates_are_not_read_at_once(monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 300)
    store(sample(), "in.nc")
    with files.open_lazily(Path("in.nc"), "in.nc") as opened:
        ds = files.in_chunks(opened, {})
        assert ds.t.chunks is not None
        assert ds.area.chunks is not None
        assert ds.lat.chunks is None
        assert ds.time_bnds.chunks is None


# The demo


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    pytest.importorskip("iris_sample_data")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("demo") / "made" / "by the demo"
    result = click_testing.CliRunner().invoke(cli, ["demo", "--output-dir", str(folder)])
    assert result.exit_code == 0, (result.output, result.exception)
    return folder, result.stdout


def real(name: str) -> netCDF4.Dataset:
    import iris_sample_data

    return netCDF4.Dataset(Path(iris_sample_data.path) / name)


def test_demo_writes_two_files(demonstration):
    folder, _ = demonstration
    assert here(folder) == {"xgradient_demo.nc", "xgradient_demo.png"}


def test_demo_derivatives_are_those_of_numpy(demonstration):
    tree = xr.open_datatree(demonstration[0] / "xgradient_demo.nc", decode_coords="all")
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


def test_demo_runs_again_over_its_own_files(demonstration):
    folder = demonstration[0]
    done = click_testing.CliRunner().invoke(cli, ["demo", "--output-dir", str(folder)])
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


def test_letters_and_other_dimensions_on_the_command_line():
    ds = sample()
    for name in ("lat", "lon"):
        ds[name].attrs.pop("axis", None)
    store(ds, "in.nc")
    run("grad in.nc out.nc --var t --dim Y --dim X --metric sphere --periodic X")
    run("grad in.nc long.nc --var t --dim lat --dim lon --metric sphere --periodic lon")
    xr.testing.assert_equal(load("out.nc"), load("long.nc"))
    run("grad in.nc lat.nc --var t --dim Y --periodic lon")  # which it does not go along
    np.testing.assert_array_equal(load("lat.nc").dt_dlat, ds.t.grad("lat"))
