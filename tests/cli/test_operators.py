"""A command for each operator, made from its signature: values, components, units and help."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import xarray as xr

from xgradient import operators

from ..support.command_line import MARKS, here, load, run, store
from ..support.operations import curved, sample

pytest.importorskip("netCDF4")
pytest.importorskip("zarr")
commands = pytest.importorskip("xgradient.cli.commands")

pytestmark = MARKS

FUNCTIONS = {**operators.OPERATORS, **operators.ON_CELLS}
WIND = "--lon u --lat v"
#: The words of a command and the same call in Python.
CALLS = {
    "grad": ("--dim lat --var t", lambda ds: ds[["t"]].grad(["lat"])),
    "magnitude": (
        "-d lat -d lon -v t -m sphere -a 4",
        lambda ds: ds[["t"]].grad.magnitude(["lat", "lon"], metric="sphere", accuracy=4),
    ),
    "laplacian": ("-v t -m sphere", lambda ds: ds[["t"]].grad.laplacian(metric="sphere")),
    "hessian": ("-v t -m 6e6", lambda ds: ds[["t"]].grad.hessian(metric=6e6)),
    "divergence": (
        f"{WIND} --metric sphere",
        lambda ds: ds.grad.divergence(lon="u", lat="v", metric="sphere"),
    ),
    "curl": (
        f"{WIND} --metric sphere --units '(100 h)-1'",
        lambda ds: ds.grad.curl(lon="u", lat="v", metric="sphere", units="(100 h)-1"),
    ),
    "jacobian": (
        "--lon=u --lat=v -m sphere -s",
        lambda ds: ds.grad.jacobian(lon="u", lat="v", metric="sphere", skipna=True),
    ),
    "strain": (
        f"{WIND} -m sphere --edge-order 2",
        lambda ds: ds.grad.strain(lon="u", lat="v", metric="sphere", edge_order=2),
    ),
    "advection": (
        "-v t --lon u --lat -2.5 -m sphere",
        lambda ds: ds[["t", "u"]].grad.advection(lon="u", lat=-2.5, metric="sphere"),
    ),
    "interpolate": (
        "-v t -d lat --to inner -a 4",
        lambda ds: ds[["t"]].grad.interpolate("lat", to="inner", accuracy=4),
    ),
    "integrate": (
        "-v t -d lat -d lon -m sphere -s",
        lambda ds: ds[["t"]].grad.integrate(["lat", "lon"], metric="sphere", skipna=True),
    ),
    "cumulative_integrate": (
        "-v t -d lat --from end -u 't_cumulative_integral=kK degrees_north'",
        lambda ds: ds[["t"]].grad.cumulative_integrate(
            "lat", from_="end", units={"t_cumulative_integral": "kK degrees_north"}
        ),
    ),
    "directional": (
        f"-v t {WIND} -m lon=h -m lat=2.0",
        lambda ds: ds[["t", "u", "v", "h"]].grad.directional(
            lon="u", lat="v", metric={"lon": "h", "lat": 2.0}
        ),
    ),
}


@pytest.fixture(autouse=True)
def ds(tmp_path, monkeypatch):
    """Every test in a folder with a wind, a scalar and lengths of cells in a file."""
    monkeypatch.chdir(tmp_path)
    store(sample(step=30.0), "in.nc")
    return load("in.nc")


def test_every_operator_has_a_command():
    assert set(CALLS) == set(FUNCTIONS)
    assert set(commands.cli.commands) == {*FUNCTIONS, "demo"}


@pytest.mark.parametrize("into", ["out.nc", "out.zarr"])
@pytest.mark.parametrize("name", CALLS)
def test_a_command_is_the_call(ds, name, into):
    words, call = CALLS[name]
    told = run(f"{name} in.nc {into} {words}").stdout
    expected = call(ds)
    expected = expected if isinstance(expected, xr.Dataset) else expected.to_dataset()
    out = load(into)
    assert set(out.data_vars) == set(expected.data_vars)
    for result, field in expected.items():
        xr.testing.assert_equal(out[result].drop_vars(out.coords), field.drop_vars(field.coords))
        unit = field.attrs.get("units", "")
        assert out[result].attrs.get("units", "") == unit
        assert re.search(rf"(?m)^{re.escape(result)} \(.*\) float64 ?{re.escape(unit)}$", told)
    assert re.search(rf"xgradient {name} in.nc {into}", out.attrs["history"])


@pytest.mark.parametrize("name", CALLS)
def test_options_are_those_of_the_operator(name):
    parameters = set(inspect.signature(FUNCTIONS[name]).parameters)
    options = {param.name for param in commands.cli.commands[name].params}
    assert parameters - {"obj", "components", "dims"} <= options


def test_one_dimension_where_only_one_is_possible(ds):
    text = run("interpolate in.nc out.nc -d lat -d lon --to inner", code=1).stderr
    assert "--dim is given 2 times, but this command is for one" in text
    text = run("integrate in.nc out.nc -v t", code=2).stderr
    assert "Missing option '-d'" in text


def test_components_may_come_first(ds):
    run("curl --lon u --lat v in.nc out.nc")
    run("curl in.nc other.nc --lat v --lon u")
    xr.testing.assert_equal(load("out.nc").curl, load("other.nc").curl)


def test_units_by_name_of_the_result(ds):
    run("grad in.nc out.nc -v t -d lat -d time -u 'dt_dtime=K day-1'")
    out = load("out.nc")
    assert out.dt_dtime.attrs["units"] == "K day-1"
    assert out.dt_dlat.attrs["units"] == "K degrees_north-1"
    expected = ds.t.grad("time", units="K day-1")
    xr.testing.assert_equal(out.dt_dtime.drop_vars(out.coords), expected.drop_vars(expected.coords))


def test_points_of_a_coordinate(ds):
    run("grad in.nc out.nc -v t -d lat --at 10,-45 --at 7.5 -a 4")
    expected = ds.t.grad("lat", at=[10, -45, 7.5], accuracy=4)
    xr.testing.assert_equal(load("out.nc").dt_dlat, expected)
    text = run("grad in.nc out2.nc -d lat --at 110", code=1).stderr
    assert "at has 110.0 at index 0, outside of coordinate 'lat'" in text


def test_the_accuracy_that_suits_the_data(ds):
    run("grad in.nc out.nc -v t -d lat --accuracy auto")
    found, expected = load("out.nc").dt_dlat, ds.t.grad("lat", accuracy="auto")
    xr.testing.assert_equal(found, expected)
    chosen = found.attrs["xgradient_accuracy"]
    assert chosen == expected.attrs["xgradient_accuracy"]
    text = run("grad in.nc out2.nc -d lat -d lon -a auto", code=1).stderr
    assert "accuracy='auto' is for one name" in text
    text = run("grad in.nc out2.nc -d lat -a best", code=1).stderr
    assert "accuracy is 'best'; give a whole number or 'auto'" in text


def test_errors_by_a_variable_of_the_file(ds):
    store(ds.assign(s=0.1 * abs(ds.t)), "with_sigma.nc")
    run("grad with_sigma.nc out.nc -v t -d lat --error --sigma s")
    found = load("out.nc")
    expected = ds.t.grad("lat", error=True, sigma=0.1 * abs(ds.t))
    assert list(found) == list(expected)
    xr.testing.assert_allclose(found.dt_dlat_noise, expected.dt_dlat_noise)


def test_components_on_the_faces_of_cells(ds):
    """Positions and lengths are those of other variables of the file."""
    dims = {"U": ("y_c", "x_f"), "V": ("y_f", "x_c"), "T": ("y_c", "x_c")}
    points = {"u": "U", "v": "V", "t": "T"}
    lengths = {f"e{i}{p}": (dims[name], np.full((4, 5), 2.0 * i))
               for p, name in points.items() for i in (1, 2)}  # fmt: skip
    rng = np.random.default_rng(3)
    nemo = xr.Dataset({n: (d, rng.normal(size=(4, 5))) for n, d in dims.items()} | lengths)
    store(nemo, "nemo.nc")
    run("divergence nemo.nc out.nc --x U --y V -m nemo --form conservative --skipna")
    expected = nemo.grad.divergence(x="U", y="V", metric="nemo", form="conservative", skipna=True)
    np.testing.assert_array_equal(load("out.nc").divergence, expected)
    run("laplacian nemo.nc out2.nc -v T -d x_c -d y_c -m nemo --form conservative")
    expected = nemo.grad.laplacian(["x_c", "y_c"], metric="nemo", form="conservative").laplacian_T
    np.testing.assert_array_equal(load("out2.nc").laplacian_T, expected)
    assert "form is 'flux'; give 'conservative'" in run(
        "curl nemo.nc out3.nc --x U --y V --form flux", code=1
    ).stderr  # fmt: skip


def test_components_relative_to_the_grid(ds):
    wind = curved(ds)
    store(wind, "curved.nc")
    run("curl curved.nc out.nc --nav_lon u --nav_lat v -m sphere --relative grid")
    expected = wind.grad.curl(nav_lon="u", nav_lat="v", metric="sphere", relative="grid")
    found = load("out.nc").curl
    xr.testing.assert_equal(found.drop_vars(found.coords), expected.drop_vars(expected.coords))
    assert (abs(expected - wind.grad.curl(nav_lon="u", nav_lat="v", metric="sphere")) > 0).any()
    run("curl curved.nc other.nc --nav_lon u --nav_lat v --relative east", code=2)
    told = run("curl --help").stdout
    assert "--relative [grid|earth]" in told


def test_map_factors_of_wrf(ds):
    lengths = (1 + 0.01 * ds.h).transpose("lat", "lon").rename("MAPFAC_M")
    wrf = ds.drop_vars(["lat", "lon", "h"]).assign(MAPFAC_M=lengths.drop_vars(["lat", "lon"]))
    wrf = wrf.rename(lat="south_north", lon="west_east").assign_attrs(DX=1e4, DY=1e4)
    store(wrf, "wrf.nc")
    components = {"west_east": "u", "south_north": "v"}
    words = " ".join(f"--{name} {variable}" for name, variable in components.items())
    run(f"curl wrf.nc out.nc {words} -m wrf")
    expected = wrf.grad.curl(components, metric="wrf")
    found = load("out.nc").curl
    xr.testing.assert_equal(found.drop_vars(found.coords), expected.drop_vars(expected.coords))
    run("grad wrf.nc slope.nc -v t -d west_east -m wrf")
    expected = wrf[["t", "MAPFAC_M"]].grad("west_east", metric="wrf").dt_dwest_east
    found = load("slope.nc").dt_dwest_east
    xr.testing.assert_equal(found.drop_vars(found.coords), expected.drop_vars(expected.coords))


def test_positions_on_the_cells(ds):
    faces = ds.t.isel(lat=slice(1, None)).rename(lat="lat_g")
    store(ds.assign(faces=faces.assign_coords(lat_g=faces.lat_g - 15)), "wide.nc")
    wide = load("wide.nc")
    positions = {"Y": {"center": "lat", "inner": "lat_g"}}
    run("grad wide.nc out.nc -v t -d lat --to inner --positions Y:center=lat,inner=lat_g")
    expected = wide.grad("lat", to="inner", positions=positions).dt_dlat
    xr.testing.assert_equal(load("out.nc").dt_dlat, expected)
    text = run("grad wide.nc out2.nc -d lat --to inner --positions Y:lat", code=1).stderr
    assert "positions 'Y:lat' is not AXIS:POSITION=NAME" in text


def test_spacing_and_smoothing(ds):
    run("grad in.nc out.nc -v t -d lat --spacing 2 --smooth 3,1")
    expected = ds.t.grad("lat", spacing=2.0, smooth=(3, 1))
    out = load("out.nc").dt_dlat
    xr.testing.assert_equal(out.drop_vars(out.coords), expected.drop_vars(expected.coords))


def test_quiet_prints_nothing():
    result = run("grad in.nc out.nc -v t -d lat -q --progress")
    assert result.stdout == result.stderr == ""
    assert here() == {"in.nc", "out.nc"}


def test_progress_says_what_is_done_and_what_remains():
    shown = run("grad in.nc out.nc -v t -d lat --progress").stderr
    assert re.search(r"out\.nc: +\d+%.* \d+/\d+ \[\d\d:\d\d<", shown)


@pytest.mark.parametrize("columns", [50, 60, 78, 100, 300])  # never less than 50, by click
@pytest.mark.parametrize("name", ["", *CALLS])
def test_help_is_not_cut(name, columns):
    """The same words on terminals of every width; a hyphen may end a line."""
    wide = run(f"{name} --help").stdout
    told = run(f"{name} --help", terminal_width=columns).stdout
    assert "..." not in told.replace("NAME=SIZE,...", "").replace("[ARGS]...", "")
    assert words_of(told) == words_of(wide)
    for line in told.splitlines():
        assert len(line) <= columns
    if name:
        options = commands.cli.commands[name].params
        for text in filter(None, (getattr(option, "help", None) for option in options)):
            assert words_of(text) in words_of(told)
    else:
        for command in CALLS:
            assert re.search(rf"(?m)^  {command}\b", told)


def words_of(text: str) -> str:
    return " ".join(re.sub(r"(?<=\w-)\n\s+", "", text).split())


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ("curl in.nc out.nc --lon u --metrc sphere", "perhaps 'metric' is meant", 1),
        (
            "curl in.nc out.nc --lon u --lat w",
            "the component along 'lat' is 'w', which is neither",
            1,
        ),
        ("curl in.nc out.nc --lon u --lat", "a component without variable: --lat", 2),
        ("curl in.nc out.nc --lon u", "1 component of the vector given ('lon')", 1),
        (f"curl in.nc out.nc {WIND} -m spher", "perhaps 'sphere' is meant", 1),
        (f"curl in.nc out.nc {WIND} -m sphere -m lon=h", "give each as NAME=VALUE", 1),
        (f"curl in.nc out.nc {WIND} -m 0", "the radius of a Sphere is 0.0; give a positive", 1),
        (f"curl in.nc out.nc {WIND} -m nan", "the radius of a Sphere is nan; give a positive", 1),
        (f"curl in.nc out.nc {WIND} -m cf", "but the data have no grid mapping; add one", 1),
        (f"curl in.nc out.nc {WIND} -m lon=-2 -m lat=1", "scale factors must be positive", 1),
        ("grad in.nc out.nc -d lat -v t -m lat=k", "has no variable 'k'; there are u, v, t, h", 1),
        ("grad in.nc out.nc -d lat -v t -m y=2", "for 'y', which is not a dimension of the", 1),
        (f"curl in.nc out.nc {WIND} -u K -m sphere", "cannot be converted to 'K'", 1),
        ("magnitude in.nc out.nc -d lat -v w", "in.nc has no variable 'w'; there are", 1),
        ("magnitude in.nc out.nc -d lat --lon u", "No such option", 2),
    ],
)
def test_errors_are_one_line(words, told, code):
    result = run(words, code=code)
    assert told in result.stderr
    assert result.stderr.count("\n") == 1 or code == 2
    assert here() == {"in.nc"}


def test_boundary_conditions(ds):
    words = "--boundary lat=even,value:2.5 --boundary lon=slope:-1 --wall face -s --coast odd"
    run(f"grad in.nc out.nc -v t -d lat -d lon {words}")
    expected = ds[["t"]].grad(
        ["lat", "lon"],
        boundary={"lat": ("even", ("value", 2.5)), "lon": ("slope", -1.0)},
        wall="face",
        skipna=True,
        coast="odd",
    )
    found = load("out.nc")
    for name in ("dt_dlat", "dt_dlon"):
        np.testing.assert_array_equal(found[name], expected[name])
    result = run("grad in.nc out.nc -d lat --boundary lat=value:warm", code=1)
    assert "the value 'warm' in boundary is not a number" in result.stderr
