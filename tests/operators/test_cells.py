"""Divergence, curl, Laplacian and gradient on cells, against slow formulas and files of models."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.shared_data import open_shared

RNG = np.random.default_rng(171)
EPS = np.finfo(float).eps
CONSERVATIVE = {"form": "conservative"}


# -- files of models --------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "limit"), [("f4", 3e-6), ("f8", 1e-6)])
def test_vorticity_of_wrf_is_that_of_ncl(dtype, limit):
    """The file has the absolute vorticity that NCL computes in single precision."""
    ds = open_shared("wrf_katrina_winds.nc")
    avo, f = 1e-5 * ds.avo.astype("f8"), ds.F.astype("f8")
    ds = ds.astype(dtype)
    found = ds.grad.curl(x="U", y="V", metric="wrf", to="center", **CONSERVATIVE)
    assert found.dtype == dtype
    assert found.dims == ("Time", "bottom_top", "south_north", "west_east")
    assert found.attrs["units"] == "s-1"
    difference = abs(found - (avo - f)).max() / avo.std()
    assert float(difference) < limit
    lazy = ds.isel(bottom_top=[3]).chunk(west_east=20, west_east_stag=25, south_north=17)
    lazy = lazy.grad.curl(x="U", y="V", metric="wrf", to="center", **CONSERVATIVE)
    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), found.isel(bottom_top=[3]))


def test_vorticity_of_roms_is_that_of_its_formula():
    ds = open_shared("roms_nordic.nc").astype("f8")
    found = ds.grad.curl(x="u", y="v", metric="roms", **CONSERVATIVE)
    assert found.dims == ("ocean_time", "s_rho", "eta_psi", "xi_psi")
    pm, pn, u, v = (ds[name].values for name in ("pm", "pn", "u", "v"))
    m = (pm[1:, 1:] + pm[1:, :-1] + pm[:-1, 1:] + pm[:-1, :-1]) / 4
    n = (pn[1:, 1:] + pn[1:, :-1] + pn[:-1, 1:] + pn[:-1, :-1]) / 4
    m_u, n_v = (pm[:, 1:] + pm[:, :-1]) / 2, (pn[1:] + pn[:-1]) / 2
    along_y, along_x = v[..., :-1, :] / n_v, u[..., :-1] / m_u
    terms = [along_y[..., 1:], -along_y[..., :-1], -along_x[..., 1:, :], along_x[..., :-1, :]]
    expected, size = m * n * sum(terms), m * n * sum(map(abs, terms))
    inside = found[..., :-1, :-1].values
    assert (abs(inside - expected) <= 4 * EPS * size).all()
    assert np.isnan(found[..., -1, :]).all()
    assert np.isnan(found[..., -1]).all()
    assert "lat_psi" in found.coords


def test_divergence_and_laplacian_of_roms():
    ds = open_shared("roms_nordic.nc").astype("f8")
    pm, pn, u, v = (ds[name].values for name in ("pm", "pn", "u", "v"))
    m_u, n_u = ((p[:, 1:] + p[:, :-1]) / 2 for p in (pm, pn))
    m_v, n_v = ((p[1:] + p[:-1]) / 2 for p in (pm, pn))

    def budget(flux_x, flux_y):
        inside = np.diff(flux_x, axis=-1)[..., 1:-1, :] + np.diff(flux_y, axis=-2)[..., 1:-1]
        return (pm * pn)[1:-1, 1:-1] * inside

    found = ds.grad.divergence(x="u", y="v", metric="roms", **CONSERVATIVE)
    assert found.dims == ("ocean_time", "s_rho", "eta_rho", "xi_rho")
    expected = budget(u[..., :-1] / n_u, v[..., :-1, :] / m_v)
    np.testing.assert_allclose(found[..., 1:-1, 1:-1], expected, rtol=1e-10, atol=1e-18)
    assert np.isnan(found[..., 0, :]).all()
    h = ds.h.values
    flux_x, flux_y = np.diff(h, axis=1) * m_u / n_u, np.diff(h, axis=0) * n_v / m_v
    found = ds[["h", "pm", "pn"]].grad.laplacian(
        ["xi_rho", "eta_rho"], metric="roms", **CONSERVATIVE
    )
    expected = budget(flux_x, flux_y)
    np.testing.assert_allclose(found.laplacian_h[1:-1, 1:-1], expected, rtol=1e-9, atol=1e-18)
    assert found.laplacian_h.attrs["units"] == "m-1"


# -- small grids by hand ----------------------------------------------------------------------


def c_grid(ny=4, nx=5, to="right", **coords):
    """Components on faces of a plane, without coordinates."""
    n = {"right": 0, "left": 0, "inner": -1, "outer": 1}[to]
    u, v = RNG.normal(size=(ny, nx + n)), RNG.normal(size=(ny + n, nx))
    ds = xr.Dataset(
        {
            "u": (("y", "xf"), u, {"units": "m s-1"}),
            "v": (("yf", "x"), v, {"units": "m s-1"}),
            "t": (("y", "x"), RNG.normal(size=(ny, nx)), {"units": "K"}),
        }
    )
    return ds, {"X": {"center": "x", to: "xf"}, "Y": {"center": "y", to: "yf"}}


def test_a_divergence_by_default_is_at_centers_and_a_curl_at_corners():
    ds, positions = c_grid(to="outer")
    options = {"positions": positions, "metric": {"x": 2.0, "y": 4.0}}
    for form in (None, "conservative"):
        found = ds.grad.divergence(x="u", y="v", form=form, **options)
        expected = np.diff(ds.u, axis=1) / 2 + np.diff(ds.v, axis=0) / 4
        np.testing.assert_allclose(found, expected)
        assert found.dims == ("y", "x")
        assert found.name == "divergence"
        assert found.attrs["units"] == "s-1"
        found = ds.grad.curl(y="v", x="u", form=form, **options).transpose("yf", "xf")
        inside = np.diff(ds.v, axis=1)[1:-1] / 2 - np.diff(ds.u, axis=0)[:, 1:-1] / 4
        np.testing.assert_allclose(found[1:-1, 1:-1], inside)
        assert bool(np.isnan(found[0]).all()) == (form is not None)


def test_a_b_grid_has_both_at_centers():
    u, v = RNG.normal(size=(2, 5, 6))
    ds = xr.Dataset({"u": (("yf", "xf"), u), "v": (("yf", "xf"), v), "t": (("y", "x"), u[1:, 1:])})
    positions = {"X": {"center": "x", "outer": "xf"}, "Y": {"center": "y", "outer": "yf"}}
    options = {"positions": positions, **CONSERVATIVE}

    def mean(a, axis):
        return (
            np.take(a, range(1, a.shape[axis]), axis) + np.take(a, range(a.shape[axis] - 1), axis)
        ) / 2

    found = ds.grad.divergence(x="u", y="v", **options)
    np.testing.assert_allclose(found, np.diff(mean(u, 0), axis=1) + np.diff(mean(v, 1), axis=0))
    found = ds.grad.curl(x="u", y="v", **options)
    np.testing.assert_allclose(found, np.diff(mean(v, 0), axis=1) - np.diff(mean(u, 1), axis=0))


def test_collocated_components_differentiate_component_times_length():
    u, v, h = RNG.normal(size=(3, 5, 6))
    h = 1 + h**2
    ds = xr.Dataset({"u": (("y", "x"), u), "v": (("y", "x"), v), "h": (("y", "x"), h)})
    metric = {"x": "h", "y": 3.0}
    found = ds.grad.divergence(x="u", y="v", metric=metric, **CONSERVATIVE)
    by_x, by_y = np.gradient(u * 3, axis=1), np.gradient(v * h, axis=0)
    np.testing.assert_allclose(found, (by_x + by_y) / (3 * h))
    found = ds.grad.curl(x="u", y="v", metric=metric, **CONSERVATIVE)
    by_x, by_y = np.gradient(v * 3, axis=1), np.gradient(u * h, axis=0)
    np.testing.assert_allclose(found, (by_x - by_y) / (3 * h))


def test_three_components_and_one():
    """An upward component by a depth changes sign."""
    u, v, w = RNG.normal(size=(3, 4, 5)), RNG.normal(size=(3, 5, 4)), RNG.normal(size=(4, 4, 4))
    upward = {"standard_name": "upward_sea_water_velocity"}
    ds = xr.Dataset(
        {
            "u": (("z", "y", "xf"), u),
            "v": (("z", "yf", "x"), v),
            "w": (("zf", "y", "x"), w, upward),
        },
        {"zf": ("zf", [0.0, 10, 20, 30], {"positive": "down"}), "z": [5.0, 15, 25]},
    )
    names = {"X": ("x", "xf"), "Y": ("y", "yf"), "Z": ("z", "zf")}
    positions = {axis: {"center": c, "outer": f} for axis, (c, f) in names.items()}
    options = {"positions": positions, "metric": {"x": 2.0, "y": 4.0}}
    for form in (None, "conservative"):
        found = ds.grad.divergence(x="u", y="v", z="w", form=form, **options)
        by_z = -np.diff(w, axis=0) / 10
        expected = np.diff(u, axis=2) / 2 + np.diff(v, axis=1) / 4 + by_z
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        alone = ds.grad.divergence(x="u", to="center", form=form, **options)
        np.testing.assert_allclose(alone, np.diff(u, axis=2) / 2)
    with pytest.raises(ValueError, match=r"3 components are given, but the curl on cells is that"):
        ds.grad.curl(x="u", y="v", z="w", **options)


def test_lengths_by_latitudes_and_longitudes_are_near_those_of_the_file():
    ds = open_shared("roms_nordic.nc").astype("f8")
    by_file, by_position = (
        ds.grad.curl(x="u", y="v", metric=metric, **CONSERVATIVE)
        for metric in ("roms", xgradient.Sphere(6371315.0))
    )
    difference = abs(by_file - by_position).isel(eta_psi=slice(1, -2), xi_psi=slice(1, -2))
    assert float(difference.max() / abs(by_file).max()) < 5e-3


def test_a_missing_component_is_a_wall():
    ds, positions = c_grid(to="outer")
    ds.u[1, 2] = ds.v[3, 3] = np.nan
    ds.u[3, 3:5] = ds.v[3:5, 3] = np.nan  # all around one cell
    options = {"positions": positions, **CONSERVATIVE}
    plain = ds.grad.divergence(x="u", y="v", **options)
    walls = ds.grad.divergence(x="u", y="v", skipna=True, **options)
    filled = ds.fillna(0.0)
    expected = np.diff(filled.u, axis=1) + np.diff(filled.v, axis=0)
    assert np.isnan(walls[3, 3])
    assert int(np.isnan(walls).sum()) == 1 < int(np.isnan(plain).sum())
    np.testing.assert_allclose(
        walls.where(walls.notnull(), 0), np.where(np.isnan(walls), 0, expected)
    )
    closed = ds.grad.curl(x="u", y="v", coast="zero", **options).transpose("yf", "xf")
    opened = ds.grad.curl(x="u", y="v", skipna=True, **options).transpose("yf", "xf")
    circulation = np.diff(filled.v, axis=1)[1:-1] - np.diff(filled.u, axis=0)[:, 1:-1]
    np.testing.assert_allclose(closed[1:-1, 1:-1], circulation)
    broken = np.isnan(np.diff(ds.v, axis=1)[1:-1] - np.diff(ds.u, axis=0)[:, 1:-1])
    np.testing.assert_array_equal(np.isnan(opened[1:-1, 1:-1]), broken)


def test_directions_of_decreasing_coordinates():
    """Components point to the north and east, whatever the order of rows."""
    lat, lat_f = np.arange(-80.0, 81, 20), np.arange(-90.0, 91, 20)
    lon, lon_f = np.arange(0.0, 360, 30), np.arange(0.0, 360, 30) - 15
    ds = xr.Dataset(
        {
            "u": (("lat", "lon_f"), RNG.normal(size=(9, 12))),
            "v": (("lat_f", "lon"), RNG.normal(size=(10, 12))),
        },
        {"lat": lat, "lat_f": lat_f, "lon": lon, "lon_f": lon_f},
    )
    positions = {"X": {"center": "lon", "left": "lon_f"}, "Y": {"center": "lat", "outer": "lat_f"}}
    turned = ds.isel(lat=slice(None, None, -1), lat_f=slice(None, None, -1))
    for form in (None, "conservative"):
        options = {"positions": positions, "metric": "sphere", "form": form}
        for name in ("divergence", "curl"):
            found, expected = (
                getattr(data.grad, name)(lon="u", lat="v", **options).sortby(["lat_f", "lat"])
                if name == "none" else getattr(data.grad, name)(lon="u", lat="v", **options)
                for data in (turned, ds)
            )  # fmt: skip
            found = found.reindex_like(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("name", ["divergence", "curl"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "c16"])
def test_dtypes_and_chunks(name, dtype):
    pytest.importorskip("dask")
    for to in ("left", "right", "inner", "outer") if dtype == "f4" else ("outer",):
        ds, positions = c_grid(4, 5, to)
        ds = (10 * ds).astype(dtype)
        for skipna in (False, True):
            options = {"positions": positions, "skipna": skipna, **CONSERVATIVE}
            expected = getattr(ds.grad, name)(x="u", y="v", **options)
            assert expected.dtype == ("f8" if dtype == "i4" else dtype)
            for size in (1, 3):
                lazy = getattr(ds.chunk(size).grad, name)(x="u", y="v", **options)
                assert lazy.dtype == expected.dtype
                np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)


# -- what is refused --------------------------------------------------------------------------


REFUSALS = {
    "accuracy": (
        {"accuracy": 4, **CONSERVATIVE},
        "accuracy is 4, but form='conservative' is of second order; leave one of them out",
    ),
    "edge_order": (
        {"edge_order": 2, **CONSERVATIVE},
        "edge_order does not go with form='conservative'; leave one of them out",
    ),
    "form": ({"form": "flux"}, "form is 'flux'; give 'conservative', or leave it out"),
    "to": ({"to": "middle"}, "to is 'middle'; give 'center', 'left', 'right', 'inner', 'outer'"),
    "boundary": (
        {"boundary": "even", **CONSERVATIVE},
        "boundary does not go with form='conservative'; leave one of them out",
    ),
    "spacing": (
        {"spacing": 1.0},
        "spacing does not go with components at positions on cells; leave one of them out",
    ),
    "relative": (
        {"relative": "earth"},
        "relative does not go with components at positions on cells; leave one of them out",
    ),
    "coast": (
        {"coast": "even", "skipna": True, **CONSERVATIVE},
        "coast is 'even' on cells, which does not go with form='conservative'; give coast='zero'",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_options_that_do_not_go_together_are_refused_by_name(name):
    options, message = REFUSALS[name]
    ds, positions = c_grid()
    for operator in (ds.grad.divergence, ds.grad.curl):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  compared below
            operator(x="u", y="v", positions=positions, **options)
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda grad: grad.curl(x="u", y="v", to="inner"),
            "to is 'inner', but 'u' is on other faces along 'x_f', 'right'; give 'edges' or 'cen",
        ),
        (
            lambda grad: grad.divergence(x="u", y=0.0, form="conservative"),
            "the component along 'y' is a number, which has no position on cells; leave it out",
        ),
        (lambda grad: grad.curl(x_f="u", x_c="v"), "'x_c', 'x_f' are of one axis; name each axis"),
        (lambda grad: grad.curl(x="u", q="v"), "'q' is not a dimension, coordinate or CF name"),
        (
            lambda grad: grad.curl(x="u", y="v", metric="roms"),
            "metric is 'roms', but the data have no pm, which it needs at 'x_f', 'y_f'; call an",
        ),
        (
            lambda grad: grad.curl(x="u", y="v", metric="sphere"),
            "lengths on a globe need a latitude and a longitude, but the data have none along",
        ),
        (
            lambda grad: grad.divergence(x="u", y="v", coast="zero"),
            "coast is 'zero' on cells, which does not go with components at positions on cells",
        ),
    ],
)
def test_components_that_do_not_fit_are_refused(call, message):
    u, v = RNG.normal(size=(2, 4, 5))
    ds = xr.Dataset({"u": (("y_c", "x_f"), u), "v": (("y_f", "x_c"), v)})
    with pytest.raises(ValueError) as caught:  # noqa: PT011  compared below
        call(ds.grad)
    assert str(caught.value).startswith(message)


def test_angles_without_lengths_have_a_warning():
    ds = xr.Dataset(
        {"u": (("lat", "lon_f"), RNG.normal(size=(3, 4)))},
        {"lat": [0.0, 10, 20], "lon": [0.0, 5, 10, 15], "lon_f": [2.5, 7.5, 12.5, 17.5]},
    )
    ds["v"] = ("lat_f", "lon"), RNG.normal(size=(3, 4))
    cells = {"X": {"center": "lon", "right": "lon_f"}, "Y": {"center": "lat", "right": "lat_f"}}
    options = {"positions": cells, **CONSERVATIVE}
    with pytest.warns(xgradient.GridWarning, match=r"'lat' are angles.*; give metric='sphere'"):
        plain = ds.grad.divergence(lon="u", lat="v", **options)
    assert plain.attrs.get("units") is None
    ds.grad.divergence(lon="u", lat="v", metric="sphere", **options)


def test_the_laplacian_refuses_the_same():
    t = xr.DataArray(np.ones((3, 3)), dims=("y", "x"), name="t")
    with pytest.raises(ValueError, match=r"accuracy is 4, but form='conservative' is of second"):
        t.grad.laplacian(accuracy=4, **CONSERVATIVE)
    with pytest.raises(ValueError, match=r"positions are for form='conservative'; give it too"):
        t.grad.laplacian(positions={"X": {"center": "x"}})


# -- the gradient -----------------------------------------------------------------------------


def test_the_gradient_on_faces_is_per_length_there():
    ds, positions = c_grid(to="outer")
    ds["e1"] = (("y", "xf"), 1 + RNG.random((4, 6)))
    found = ds[["t", "e1"]].grad("x", to="edges", positions=positions, metric={"xf": "e1"}).dt_dx
    np.testing.assert_allclose(found[:, 1:-1], np.diff(ds.t, axis=1) / ds.e1[:, 1:-1])
    assert found.dims == ("y", "xf")
    assert found.attrs["units"] == "K m-1"
    with pytest.raises(ValueError, match=r"deriv is 2, but to with metric is for first deriv"):
        ds.t.grad("x", deriv=2, to="inner", metric={"x": 2.0})


@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_gradient_on_a_sphere_has_its_order(accuracy):
    errors = []
    for n in (48, 96):
        lat = -90 + (np.arange(n) + 0.5) * 180 / n
        lon = np.arange(2 * n) * 180 / n
        phi, lam = np.deg2rad(lat)[:, None], np.deg2rad(lon)
        t = xr.DataArray(
            np.sin(3 * lam) * np.cos(phi) ** 3, {"lat": lat, "lon": lon}, ("lat", "lon"), "t"
        )
        radius = xgradient.Sphere().radius
        by_lat = t.grad("lat", to="inner", metric="sphere", accuracy=accuracy)
        at = np.deg2rad(by_lat.lat_inner.values)[:, None]
        exact = -3 * np.sin(3 * lam) * np.cos(at) ** 2 * np.sin(at) / radius
        by_lon = t.grad("lon", to="left", metric="sphere", accuracy=accuracy)
        at_lon = np.deg2rad(by_lon.lon_left.values)
        exact_lon = 3 * np.cos(3 * at_lon) * np.cos(phi) ** 2 / radius
        errors.append([float(abs(by_lat - exact).max()), float(abs(by_lon - exact_lon).max())])
    assert (np.log2(np.array(errors[0]) / errors[1]) > accuracy - 0.25).all()
