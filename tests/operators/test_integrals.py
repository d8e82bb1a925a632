"""Integrals: closed forms, exact polynomials, inverses of derivatives, chunks and xgcm."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.marks import slow
from ..support.shared_data import open_shared
from ..support.strategies import NODES, make_field
from .test_positions import faces, line

RNG = np.random.default_rng(19)
RADIUS = xgradient.Sphere().radius
TO = ["left", "right", "inner", "outer"]
PARTS = {"left": slice(-1), "right": slice(1, None), "inner": slice(1, -1), "outer": slice(None)}


def globe(lat, lon, values=1.0, units="1"):
    data = np.broadcast_to(values, (len(lat), len(lon)))
    return xr.DataArray(data, {"lat": lat, "lon": lon}, ("lat", "lon"), "f", {"units": units})


# -- whole axes -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("direction", [1, -1])
def test_cells_fill_the_axis_and_are_positive(kind, direction):
    x = NODES[kind](20)[::direction]
    f = RNG.normal(size=20)
    found = line(f, x).grad.integrate("x")
    np.testing.assert_allclose(found, np.sum(f * abs(np.diff(faces(x, "outer")))), rtol=1e-14)
    one = line(np.ones(20), x).grad.integrate("x")
    np.testing.assert_allclose(one, abs(np.diff(faces(x, "outer")[[0, -1]]))[0], rtol=1e-14)
    assert found.name == "f_integral"
    assert found.attrs == {"units": "K", "long_name": "integral of f over x"} or not found.coords


@pytest.mark.parametrize(
    "lat", [np.arange(-87.5, 90, 5), np.linspace(90, -90, 37), np.array([-80.0, -20, 0, 45, 80])]
)
@pytest.mark.parametrize("metric", ["sphere", "ellipsoid"])
def test_areas_close_the_globe(lat, metric):
    found = globe(lat, np.arange(2.5, 360, 5)).grad.integrate(["lat", "lon"], metric=metric)
    a, b = (RADIUS, RADIUS) if metric == "sphere" else xgradient.Ellipsoid("WGS84").semi_axes
    e = np.sqrt(1 - (b / a) ** 2)
    surface = 2 * np.pi * (a**2 + b**2 * (np.arctanh(e) / e if e else 1))
    np.testing.assert_allclose(found, surface, rtol=1e-15 if e == 0 else 1e-13)
    assert found.attrs["units"] == "m2"


def test_volumes_and_several_dimensions():
    z = xr.Variable("z", [5.0, 15, 30], {"units": "m"})
    area = globe(np.arange(-85.0, 90, 10), np.arange(0.0, 360, 10))
    f = area * xr.DataArray([1.0, 2, 4], {"z": z})
    f.attrs["units"] = "J m-3"
    found = f.rename("q").grad.integrate(["z", "lat", "lon"], metric="sphere")
    np.testing.assert_allclose(found, 4 * np.pi * RADIUS**2 * (10 + 2 * 12.5 + 4 * 15), rtol=1e-15)
    assert found.attrs == {"units": "J", "long_name": "integral of q over z and lat and lon"}
    part = f.rename("q").grad.integrate(["lat", "lon"], metric="sphere")
    assert part.dims == ("z",)
    assert part.attrs["units"] == "J m-1"


def test_all_dimensions_by_default():
    values = np.arange(12.0).reshape(3, 4)
    da = xr.DataArray(values, {"x": [0.0, 1, 2], "y": [0.0, 2, 4, 6]}, name="f")
    found = da.grad.integrate()
    assert found.dims == ()
    assert float(found) == 2 * values.sum()
    ds = da.to_dataset().grad.integrate()
    assert float(ds.f_integral) == 2 * values.sum()


def test_scale_factors_and_files():
    ds = xr.Dataset({"f": (("y", "x"), RNG.normal(size=(3, 4)), {"units": "K"})})
    ds["e1"] = ("y", "x"), 1 + RNG.random((3, 4))
    found = ds.grad.integrate(["x", "y"], metric={"x": "e1", "y": 2.0}).f_integral
    np.testing.assert_allclose(found, (ds.f * ds.e1 * 2).sum())
    roms = open_shared("roms_nordic.nc")
    found = (
        roms[["temp", "pm", "pn"]]
        .isel(ocean_time=0, s_rho=0)
        .grad.integrate(["xi_rho", "eta_rho"], metric="roms", skipna=True)
    )
    cells = roms.temp[0, 0] / roms.pm / roms.pn
    np.testing.assert_allclose(found.temp_integral, cells.sum(), rtol=1e-7)


def test_curvilinear_names_mean_their_dimensions():
    y, x = np.meshgrid(np.linspace(40, 50, 6), np.linspace(0, 20, 7), indexing="ij")
    coords = {
        "nav_lat": (("y", "x"), y, {"units": "degrees_north"}),
        "nav_lon": (("y", "x"), x, {"units": "degrees_east"}),
    }
    f = xr.DataArray(np.ones((6, 7)), coords, ("y", "x"), "f", {"units": "1"})
    found = f.grad.integrate(["nav_lon", "nav_lat"], metric="sphere")
    bounds = np.deg2rad([39, 51, -10 / 6, 20 + 10 / 6])
    exact = RADIUS**2 * (np.sin(bounds[1]) - np.sin(bounds[0])) * (bounds[3] - bounds[2])
    np.testing.assert_allclose(found, exact, rtol=1e-3)
    with pytest.raises(ValueError, match="name each dimension once, or both coordinates"):
        f.grad.integrate("nav_lon", metric="sphere")


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("accuracy", [3, 4, 6])
def test_the_integral_of_a_polynomial_is_exact(kind, accuracy):
    n = 2 * accuracy + 1
    x = NODES[kind](n) / n
    p = np.polynomial.Polynomial(RNG.normal(size=accuracy))
    low, high = faces(x, "outer")[[0, -1]]
    exact = p.integ()(high) - p.integ()(low)
    for sign in (1, -1):
        found = line(p(sign * x), sign * x).grad.integrate("x", accuracy=accuracy)
        low, high = sorted(sign * faces(x, "outer")[[0, -1]])
        np.testing.assert_allclose(found, p.integ()(high) - p.integ()(low), rtol=1e-12)
    assert abs(found - exact) > 0 or sign == 1


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_order_of_integrals(kind, accuracy):
    errors, cumulative = [], []
    for n in (40, 80):
        x = 3 * NODES[kind](n) / n
        f = line(np.cos(3 * x), x)
        low, *_, high = every = faces(x, "outer")
        exact = (np.sin(3 * high) - np.sin(3 * low)) / 3
        errors.append(float(abs(f.grad.integrate("x", accuracy=accuracy) - exact)))
        found = f.grad.cumulative_integrate("x", accuracy=accuracy)
        exact = (np.sin(3 * every) - np.sin(3 * low)) / 3
        cumulative.append(float(abs(found - exact).max()))
    # Sums of values times lengths are of first order where cells change abruptly.
    least = 1 if accuracy == 2 and kind in ("jittered", "alternating") else accuracy
    assert np.log2(errors[0] / errors[1]) > least - 0.4
    assert np.log2(cumulative[0] / cumulative[1]) > least - 0.4


def test_high_accuracy_on_the_globe():
    errors = []
    for n in (20, 40):
        lat = np.linspace(-90, 90, n + 1)
        f = globe(lat, np.arange(0, 360, 20.0), np.exp(np.sin(np.deg2rad(lat)))[:, None])
        found = f.grad.integrate(["lat", "lon"], metric="sphere", accuracy=6)
        exact = 2 * np.pi * RADIUS**2 * (np.e - 1 / np.e)
        errors.append(abs(float(found) / exact - 1))
    assert errors[1] < 1e-7
    assert np.log2(errors[0] / errors[1]) > 5.5


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("direction", [1, -1])
def test_the_integral_of_a_derivative_is_the_difference_of_end_values(kind, direction):
    x = NODES[kind](30)[::direction]
    f = line(RNG.normal(size=30), x)
    slope = f.grad("x", to="inner").to_dataset(name="slope").assign_coords(x=x)
    found = slope.grad.integrate("x_inner").slope_integral
    ends = direction * (f[-1] - f[0])
    np.testing.assert_allclose(found, ends, rtol=0, atol=1e-15 * float(abs(slope.slope).sum()))
    pytest.importorskip("dask")
    lazy = slope.chunk(x_inner=7).grad.integrate("x_inner").slope_integral
    assert float(lazy) == float(found)


# -- cumulative integrals -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("from_", ["start", "end"])
@pytest.mark.parametrize("to", TO)
def test_a_derivative_is_the_field_again(kind, direction, from_, to):
    x = NODES[kind](15)[::direction]
    f = line(RNG.normal(size=15), x)
    found = f.grad.cumulative_integrate("x", from_=from_, to=to)
    every = np.concatenate([[0], np.cumsum(f.values * np.diff(faces(x, "outer")))])
    every -= every[-1] if from_ == "end" else 0
    np.testing.assert_allclose(found, every[PARTS[to]], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found[f"x_{to}"], faces(x, to))
    if to == "outer":
        back = found.grad("x_outer", to="center")
        scale = abs(every).max() / abs(np.diff(faces(x, "outer"))).min()
        np.testing.assert_allclose(back, f, rtol=0, atol=1e-15 * scale * 4)
        whole = f.grad.integrate("x")
        np.testing.assert_allclose(direction * (found[-1] - found[0]), whole, rtol=1e-12)


@pytest.mark.parametrize("lat", [np.linspace(90, -90, 19), np.arange(-85.0, 90, 10)])
def test_with_a_metric_it_is_the_field_again(lat):
    f = line(RNG.normal(size=len(lat)), lat, "lat")
    found = f.grad.cumulative_integrate("lat", metric="sphere")
    assert found.attrs["units"] == "K m"
    np.testing.assert_allclose(abs(found.lat_outer[[0, -1]]), 90)
    back = found.grad("lat_outer", to="center", metric="sphere")
    np.testing.assert_allclose(back, f, rtol=1e-12)


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO)
def test_from_faces_it_is_the_difference_of_values(kind, to):
    xc = NODES[kind](12)
    xf = faces(xc, to)
    ds = xr.Dataset({"f": ("xc", RNG.normal(size=12))}, {"xc": xc, "xf": xf})
    positions = {"X": {"center": "xc", to: "xf"}}
    slope = ds.grad("xc", to=to, positions=positions)
    both = slope.assign_coords(xc=xc)
    found = both.grad.cumulative_integrate("xf", positions=positions).df_dxc_cumulative_integral
    assert found.dims == ("xc",)
    np.testing.assert_allclose(found - found[0], ds.f - ds.f[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(40,), (40, 3), (40, 80), (3, 40)])
@pytest.mark.parametrize("from_", ["start", "end"])
@pytest.mark.parametrize("to", TO)
def test_integrals_begin_anew_after_gaps(shape, from_, to):
    axis = shape.index(40)
    dims = ("x", "y") if axis == 0 else ("y", "x")
    f = RNG.normal(size=shape)
    f[RNG.random(shape) < 0.3] = np.nan
    da = xr.DataArray(f, dims=dims[: len(shape)])
    found = da.grad.cumulative_integrate("x", from_=from_, to=to, skipna=True)
    columns = np.moveaxis(f, axis, -1).reshape(-1, 40)
    expected = np.full((len(columns), 41), np.nan)
    for column, out in zip(columns, expected, strict=True):
        edges = np.flatnonzero(np.diff(np.isfinite([np.nan, *column, np.nan]).astype(int)))
        for first, stop in zip(edges[::2], edges[1::2], strict=True):
            part = column[first:stop]
            sums = np.cumsum([0, *part]) if from_ == "start" else -np.cumsum([0, *part[::-1]])[::-1]
            out[first : stop + 1] = sums
    expected = expected[:, PARTS[to]]
    found = np.moveaxis(found.values, axis, -1).reshape(expected.shape)
    # Where a run ends and another one begins, a gap is between them.
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)
    plain = da.grad.cumulative_integrate("x", from_=from_, to="outer")
    last = np.moveaxis(plain.values, axis, -1).reshape(-1, 41)[:, -1 if from_ == "start" else 0]
    assert np.isnan(last[np.isnan(columns).any(axis=1)]).all()


def test_missing_cells_add_nothing():
    f = line([1.0, np.nan, 3.0, 4.0], np.array([0.0, 1, 2, 4]))
    assert np.isnan(f.grad.integrate("x"))
    np.testing.assert_array_equal(f.grad.integrate("x", skipna=True), 1 + 3 * 1.5 + 4 * 2)
    gone = f.where(f.x > 9)
    assert np.isnan(gone.grad.integrate("x", skipna=True))
    rows = xr.concat([f, gone], "y").grad.integrate(["x", "y"], skipna=True)
    np.testing.assert_array_equal(rows, 13.5)


@pytest.mark.parametrize("kind", NODES)
def test_runs_of_valid_values_have_polynomials_of_their_own(kind):
    x = NODES[kind](20)
    f = line(np.polynomial.Polynomial([1.0, 2, 3])(x), x)
    holed = f.where((f.x < x[9]) | (f.x > x[10]))
    holed[4] = holed[6] = np.nan
    found = holed.grad.integrate("x", accuracy=3, skipna=True)
    every = faces(x, "outer")
    p = np.polynomial.Polynomial([1.0, 2, 3]).integ()
    exact = sum(p(every[b]) - p(every[a]) for a, b in ((0, 4), (11, 20)))
    exact += f.values[5] * (every[6] - every[5])  # a single value
    slope = (f.values[8] - f.values[7]) / (x[8] - x[7])  # two values
    linear = np.polynomial.Polynomial([f.values[7] - slope * x[7], slope]).integ()
    exact += linear(every[9]) - linear(every[7])
    np.testing.assert_allclose(found, exact, rtol=1e-12)


@pytest.mark.parametrize("to", ["left", "right"])
def test_periodic_axes(to):
    x = np.arange(12.0) * 30
    f = globe(np.array([0.0, 30]), x, np.cos(np.deg2rad(x)))
    found = f.grad.cumulative_integrate("lon", to=to, metric="sphere")
    angle = np.deg2rad(found[f"lon_{to}"])
    start = np.deg2rad(-15)
    exact = RADIUS * (np.sin(angle) - np.sin(start)) * np.cos(np.deg2rad(f.lat))
    np.testing.assert_allclose(found.transpose(*exact.dims), exact, atol=0.02 * RADIUS)
    again = f.grad.cumulative_integrate("lon", to=to, metric="sphere", accuracy=6)
    np.testing.assert_allclose(again.transpose(*exact.dims), exact, atol=2e-5 * RADIUS)


# -- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize("accuracy", [2, slow(4)])
@pytest.mark.parametrize("dtype", ["f4", slow("f8"), slow("c8")])
def test_chunks_change_no_bit(skipna, accuracy, dtype):
    pytest.importorskip("dask")
    data = make_field((13, 4, 3), dtype)
    if skipna:
        data[RNG.random(data.shape) < 0.3] = np.nan
    f = xr.DataArray(data, {"x": NODES["jittered"](13)}, ("x", "y", "t"), "f")
    options = {"skipna": skipna, "accuracy": accuracy}
    whole = f.grad.integrate("x", **options)
    both = f.grad.integrate(["y", "x"], skipna=skipna)
    assert whole.dtype == f.dtype
    for size in (1, 5):
        lazy = f.chunk(x=size, y=3, t=2)
        found = lazy.grad.integrate("x", **options)
        assert found.chunks == ((3, 1), (2, 1))
        assert found.dtype == found.data._meta.dtype == f.dtype
        np.testing.assert_array_equal(found.compute(scheduler="sync"), whole)
        found = lazy.grad.integrate(["y", "x"], skipna=skipna)
        np.testing.assert_array_equal(found.compute(scheduler="threads"), both)
        for to in TO:
            for from_ in ("start", "end"):
                asked = {"to": to, "from_": from_, **options}
                expected = f.grad.cumulative_integrate("x", **asked)
                found = lazy.grad.cumulative_integrate("x", **asked)
                assert found.dtype == found.data._meta.dtype == f.dtype
                assert found.chunks[0] == lazy.grad("x", to=to, accuracy=2).chunks[0]
                np.testing.assert_array_equal(found.compute(scheduler="sync"), expected)


def test_tasks_are_few_and_made_on_demand():
    pytest.importorskip("dask")
    f = line(np.arange(30.0), np.arange(30.0)).chunk(x=10)
    for result, count in (
        (f.grad.integrate("x"), 3 + 1),
        (f.grad.cumulative_integrate("x"), 3 * 3 - 1),
        (f.grad.cumulative_integrate("x", to="right", skipna=True), 4 * 3 - 2),
    ):
        graph = result.__dask_graph__()
        layer = graph.layers[result.data.name]
        assert not layer.is_materialized()
        assert len(layer) == len(list(layer)) == count
    first = f.grad.cumulative_integrate("x")[:5]
    assert len(first.data.dask.cull(first.__dask_keys__()).to_dict()) < 8


def test_large_arrays_in_memory_are_summed_in_blocks(monkeypatch):
    from xgradient.engine import cell_sums

    data = make_field((40, 70, 9), "f8")
    data[RNG.random(data.shape) < 0.1] = np.nan
    results = []
    for cells in (1 << 30, 500):
        monkeypatch.setattr(cell_sums, "BLOCK_CELLS", cells)
        for dim in ("x", "y", "z"):
            f = xr.DataArray(data, dims=("x", "y", "z"), name="f")
            results.append(f.grad.integrate(dim, skipna=True).values)
            results.append(f.grad.cumulative_integrate(dim, skipna=True).values)
            results.append(f.fillna(0).grad.cumulative_integrate(dim).values)
    for one, other in zip(results[:9], results[9:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_float32_is_summed_in_float64():
    f = line(np.full(100_000, np.float32(0.1)), np.arange(100_000.0))
    exact = 100_000 * float(np.float32(0.1))
    assert f.grad.integrate("x") == np.float32(exact)
    assert f.grad.cumulative_integrate("x")[-1] == np.float32(exact)
    assert line(np.arange(4), np.arange(4.0)).grad.integrate("x").dtype == np.float64


# -- labels and options -------------------------------------------------------------------------


def test_units_attributes_and_coordinates():
    time = np.array(["2000-01-01", "2000-01-02", "2000-01-03"], "M8[ns]")
    f = xr.DataArray(
        [1.0, 2, 3], {"time": time, "depth": 4.0, "month": ("time", [1, 1, 1])}, "time", "q",
        {"units": "W m-2", "long_name": "heat flux", "standard_name": "surface_heat_flux"},
    )  # fmt: skip
    found = f.grad.integrate("time")
    np.testing.assert_array_equal(found, 6 * 86400)
    assert found.attrs == {"units": "s W m-2", "long_name": "integral of heat flux over time"}
    assert set(found.coords) == {"depth"}
    found = f.grad.integrate("time", units="MJ m-2")
    np.testing.assert_allclose(found, 6 * 0.0864)
    assert found.units == "MJ m-2"
    found = f.grad.cumulative_integrate("time", to="outer", units="kJ m-2")
    np.testing.assert_allclose(found, [0, 86.4, 3 * 86.4, 6 * 86.4])
    assert found.time_outer.values[0] == np.datetime64("1999-12-31T12")
    ds = f.to_dataset().assign(n=3.0)
    assert set(ds.grad.integrate("time").data_vars) == {"q_integral"}


def test_quantities_and_trees():
    pint_xarray = pytest.importorskip("pint_xarray")
    del pint_xarray
    f = line([1.0, 2, 3], np.arange(3.0))
    f.x.attrs["units"] = "m"
    found = f.pint.quantify().grad.integrate("x")
    assert str(found.pint.units) in ("kelvin * meter", "meter * kelvin")
    tree = xr.DataTree.from_dict({"/a": f.to_dataset(), "/b": xr.Dataset({"g": ("y", [1.0, 2])})})
    found = tree.grad.integrate("x")
    np.testing.assert_array_equal(found["/a"].f_integral, 6)
    assert not found["/b"].data_vars


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda g: g.integrate([]), ValueError, r"dim is \[\]; name the coordinates"),
        (lambda g: g.integrate("q"), ValueError, "'q' is not a dimension"),
        (lambda g: g.integrate("x", accuracy=0), ValueError, "accuracy is 0; give a whole number"),
        (lambda g: g.integrate("x", accuracy=7), ValueError, "has 5 points, but accuracy=7 needs"),
        (lambda g: g.integrate("x", boundary="even"), ValueError, "boundary is 'even'; give 'sbp'"),
        (
            lambda g: g.integrate("x", boundary="sbp", skipna=True),
            ValueError,
            "boundary 'sbp' does not go with skipna, which is True",
        ),
        (lambda g: g.cumulative_integrate("x", from_="top"), ValueError, "from_ is 'top'; give"),
        (lambda g: g.cumulative_integrate(["x"]), TypeError, r"dim is \['x'\], but cumulative_"),
        (lambda g: g.cumulative_integrate("x", to="center"), ValueError, "'x' is at the centers"),
    ],
)
def test_refusals(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(line(np.arange(5.0), np.arange(5.0)).grad)


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        (["a", "b", "c"], TypeError, "coordinate 'x' has dtype <U1, which is not numeric"),
        ([0.0, np.nan, 1.0], ValueError, "coordinate 'x' has a missing value at index 1"),
        ([0.0, 2.0, 1.0], ValueError, "coordinate 'x' is not monotonic: it turns at index 2"),
    ],
)
@pytest.mark.parametrize("method", ["integrate", "cumulative_integrate"])
def test_coordinates_are_checked_as_for_derivatives(method, x, error, sentence):
    with pytest.raises(error, match=sentence):
        getattr(line(np.arange(3.0), x).grad, method)("x")


def test_a_single_cell():
    f = line([3.0], [2.0])
    np.testing.assert_array_equal(f.grad.integrate("x"), 3)
    with pytest.raises(ValueError, match="'x' has 1 point, but cumulative_integrate needs 2"):
        f.grad.cumulative_integrate("x")


def test_cells_of_unknown_size_are_not_left_out():
    ds = xr.Dataset({"f": ("x", [1.0, 2.0]), "e1": ("x", [1.0, np.nan])})
    with pytest.raises(ValueError, match="scale factors"):
        ds.grad.integrate("x", metric={"x": "e1"}, skipna=True)


def test_options_that_exclude_each_other():
    ds = xr.Dataset({"f": (("y", "x"), np.ones((6, 6)))})
    ds["pm"] = ds["pn"] = ("y", "x"), np.ones((6, 6))
    with pytest.raises(ValueError, match="skipna is True, which is for one coordinate at a time"):
        ds.grad.integrate(["x", "y"], accuracy=4, skipna=True)
    roms = ds.rename(x="xi_rho", y="eta_rho")
    with pytest.raises(ValueError, match="the metric has lengths of whole cells"):
        roms.grad.integrate("xi_rho", metric="roms", accuracy=4)


# -- xgcm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["left", "right", "inner", "outer"])
@pytest.mark.filterwarnings("ignore")
def test_xgcm_has_the_same_integrals(to):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xgcm = pytest.importorskip("xgcm")
    n = 12
    xc = NODES["jittered"](n)
    xf = faces(xc, to)
    ds = xr.Dataset(
        {"c": (("y", "xc"), RNG.normal(size=(3, n)))},
        {"xc": xc, "xf": xf, "dxc": ("xc", np.diff(faces(xc, "outer")))},
    )
    ds["f"] = ("y", "xf"), RNG.normal(size=(3, len(xf)))
    positions = {"X": {"center": "xc", to: "xf"}}
    ours = xgradient.integrate(ds, "xf", positions=positions).f_integral
    lengths = xgradient.integrate(ds.assign(f=("xf", np.ones(len(xf)))), "xf", positions=positions)
    ends = np.concatenate([faces(xc, "outer")[:1], xc, faces(xc, "outer")[-1:]])
    dxf = np.diff(ends)[PARTS[to]]
    np.testing.assert_allclose(lengths.f_integral, dxf.sum())
    ds = ds.assign_coords(dxf=("xf", dxf))
    theirs = xgcm.Grid(
        ds, coords=positions, metrics={("X",): ["dxc", "dxf"]}, autoparse_metadata=False,
        padding="fill", fill_value=0.0,
    )  # fmt: skip
    np.testing.assert_allclose(ours, theirs.integrate(ds.f, "X"), rtol=1e-13)
    found = xgradient.integrate(ds, "xc", positions=positions).c_integral
    np.testing.assert_allclose(found, theirs.integrate(ds.c, "X"), rtol=1e-13)
    for name, dim, there in (("c", "xc", to), ("f", "xf", "center")):
        found = ds.grad.cumulative_integrate(dim, to=there, positions=positions)
        found = found[f"{name}_cumulative_integral"]
        expected = theirs.cumint(ds[name], "X", to=there)
        assert found.dims == expected.dims
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
