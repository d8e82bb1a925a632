"""The command line: what it writes, and the errors of its arguments."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.command_line import MARKS, fingerprint, here, load, run, sample, store

netCDF4 = pytest.importorskip("netCDF4")
zarr = pytest.importorskip("zarr")

pytestmark = MARKS

COMBINATIONS = [(a, b) for a in (".nc", ".zarr") for b in (".nc", ".zarr")]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, which relative paths start from."""
    monkeypatch.chdir(tmp_path)


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
            "'height', 'lat', 'lon', 'time'\n"
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
        "output out.txt has no known suffix; end it in .zarr, .zip, .nc, .nc4, .cdf or .netcdf",
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
        ("in.nc out.nc", "Missing option '-d' / '--dim'"),
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


@pytest.mark.slow
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
