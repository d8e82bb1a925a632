"""Missing values on curvilinear grids, and weights that are kept from one call to the next."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid
from xgradient.geometry import value_cache

from ..support import curvilinear_grids, sphere_fields
from ..support.curvilinear_grids import ETA, NAMES, PLANES, XI, holed, wave
from ..support.marks import slow

SPHERE = {"metric": "sphere"}


# -- what is missing -------------------------------------------------------------------------------


def reach(cells, accuracy):
    """The cells in whose cross-shaped windows some cells are."""
    spread = cells.copy()
    for d in range(-(accuracy // 2), accuracy // 2 + 1):
        for axis in (0, 1):
            spread |= np.roll(cells, d, axis)
    return spread


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("what", ["field", "nav_lat", "nav_lon"])
def test_missing_values_spread_as_far_as_the_windows(what, accuracy):
    lat, lon = curvilinear_grids.stereographic(21)
    values = wave(lat, lon)[0]
    holes = np.zeros(lat.shape, bool)
    holes[6, 9] = holes[12, 14] = True
    {"field": values, "nav_lat": lat, "nav_lon": lon}[what][holes] = np.nan
    f = curvilinear_grids.on_globe(values, lat, lon)
    for result in f.grad(NAMES, accuracy=accuracy, **SPHERE).values():
        expected = reach(holes, accuracy)
        if (
            what == "field"
        ):  # the cell itself has no part in its own difference, but its neighbours'
            assert np.isnan(result.values[holes]).all()
        np.testing.assert_array_equal(np.isnan(result), expected)


def test_collapsed_cells_are_missing():
    """Repeated positions, a row on the pole, and a fold: missing, never infinite."""
    lat, lon = np.meshgrid(np.arange(84.0, 91.0), np.arange(0, 360, 30.0), indexing="ij")
    made = curvilinear_grids.on_globe(lat + 0, lat, lon).grad(NAMES, periodic="x", **SPHERE)
    for result in made.values():
        assert np.isnan(result[-1]).all()
        assert np.isfinite(result[:-1]).all()
    x, y = XI.copy(), ETA.copy()
    x[4:7], y[4:7] = x[4], y[4]  # three rows at one place
    result = curvilinear_grids.on_plane(XI, x, y).grad(["x2d", "y2d"]).df_dx2d
    np.testing.assert_array_equal(np.isnan(result).all("i"), abs(np.arange(13) - 5) < 2)
    assert np.isfinite(result.isel(j=[3, 7])).all()
    x, y = (np.concatenate([a[:6], a[4::-1]]) for a in PLANES["skewed"])
    result = curvilinear_grids.on_plane(3 * x, x, y).grad(["x2d", "y2d"]).df_dx2d
    np.testing.assert_array_equal(np.isnan(result).all("i"), np.arange(11) == 5)
    np.testing.assert_allclose(result.isel(j=[4, 6]), 3, rtol=1e-12)


def test_all_missing():
    lat, lon = curvilinear_grids.stereographic(8)
    for f in (
        curvilinear_grids.on_globe(np.full((8, 8), np.nan), lat, lon),
        curvilinear_grids.on_globe(np.ones((8, 8)), lat + np.nan, lon),
    ):
        for result in f.grad(NAMES, **SPHERE).values():
            assert np.isnan(result).all()


def has_neighbours(valid, periodic=False):
    """Valid cells with a valid neighbour along each of the last two dimensions."""
    both = valid.copy()
    for axis in (-2, -1):
        before, after = np.roll(valid, 1, axis), np.roll(valid, -1, axis)
        if axis == -2 or not periodic:
            np.moveaxis(before, axis, 0)[0] = np.moveaxis(after, axis, 0)[-1] = False
        both &= before | after
    return both


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("plane", PLANES)
def test_linear_fields_are_exact_up_to_every_coast(plane, accuracy, share):
    x, y = PLANES[plane]
    holes = holed(share, x.shape, 5)
    f = curvilinear_grids.on_plane(np.where(holes, np.nan, 3 * x - 4 * y), x, y)
    options = {"accuracy": accuracy, "skipna": True}
    made = f.grad(["x2d", "y2d"], **options)
    size = abs(f).max().item() * 1e-12
    expected = has_neighbours(~holes)
    for found, exact in ((made.df_dx2d, 3), (made.df_dy2d, -4)):
        np.testing.assert_array_equal(found.notnull(), expected)
        np.testing.assert_allclose(found.values[expected], exact, rtol=0, atol=size)
    laplacian = f.grad.laplacian(["x2d", "y2d"], **options)
    assert abs(laplacian).max() < 100 * size


def test_coasts_that_differ_from_level_to_level():
    x, y = PLANES["wavy"]
    holes = holed(0.3, (3, 2, *x.shape), 6)
    holes[1] = holes[0]  # the same at both times
    f = (
        curvilinear_grids.on_plane(x * y, x, y)
        .expand_dims(t=3, z=2)
        .copy(data=np.where(holes, np.nan, x * y))
    )
    made = f.grad(["x2d", "y2d"], skipna=True)
    for t, z in np.ndindex(3, 2):
        one = f.isel(t=t, z=z).grad(["x2d", "y2d"], skipna=True)
        xr.testing.assert_identical(made.isel(t=t, z=z), one)


@pytest.mark.parametrize("accuracy", [2, 4])
def test_skipping_changes_nothing_where_nothing_is_missing(accuracy):
    lat, lon = curvilinear_grids.stereographic(15)
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon)
    for operator in ("laplacian", "magnitude", "hessian"):
        call = getattr(f.grad, operator)
        options = {"accuracy": accuracy, **SPHERE}
        xr.testing.assert_identical(call(NAMES, skipna=True, **options), call(NAMES, **options))


def test_missing_positions_are_coasts_too():
    x, y = PLANES["wavy"]
    holes = holed(0.2, x.shape, 7)
    f = curvilinear_grids.on_plane(3 * x, np.where(holes, np.nan, x), y)
    made = f.grad(["x2d", "y2d"], skipna=True).df_dx2d
    np.testing.assert_array_equal(made.notnull(), has_neighbours(~holes))
    np.testing.assert_allclose(made.values[made.notnull()], 3, rtol=1e-11)


def test_vectors_end_where_one_component_is_missing():
    lat, lon = curvilinear_grids.stereographic(20)
    flow = sphere_fields.tilted_rotation(np.deg2rad(lat), np.deg2rad(lon))
    holes = holed(0.1, lat.shape, 8)
    u = curvilinear_grids.on_globe(np.where(holes, np.nan, flow.u), lat, lon, "u", "m s-1")
    v = curvilinear_grids.on_globe(flow.v, lat, lon, "v", "m s-1")
    found = xgradient.curl(nav_lon=u, nav_lat=v, skipna=True, **SPHERE)
    np.testing.assert_array_equal(found.notnull(), has_neighbours(~holes))
    assert abs(found - flow.vorticity).max() < 0.1 * abs(flow.vorticity).max()


def test_every_ocean_cell_up_to_the_coasts(orca):
    t = orca.votemper
    ocean = t.notnull().values
    found = {skipna: t.grad("nav_lat", periodic="dim1", skipna=skipna, **SPHERE)
             for skipna in (False, True)}  # fmt: skip
    expected = has_neighbours(ocean, periodic=True)
    np.testing.assert_array_equal(found[True].notnull(), expected)
    assert found[False].notnull().sum() < 0.95 * expected.sum()
    values, _, north = wave(orca.nav_lat, orca.nav_lon)
    f = t.copy(data=np.where(ocean, values, np.nan)).rename("f")
    off = abs(f.grad("nav_lat", periodic="dim1", skipna=True, **SPHERE) - north).values
    assert np.nanmax(off) < 0.2 * abs(north).max()  # of first order there
    assert np.mean(off[expected] < 1e-3 * abs(north).max()) > 0.8


@pytest.mark.parametrize("accuracy", [2, 4])
def test_mixed_derivatives_next_to_gaps_are_the_mean_of_both_orders(accuracy):
    x, y = np.meshgrid(np.arange(19.0), np.arange(17.0))
    values = np.where(holed(0.12, x.shape, 5), np.nan, np.sin(x / 3) * np.cos(y / 4))
    f = curvilinear_grids.on_plane(values, x, y)
    options = {"accuracy": accuracy, "skipna": True}
    made = f.grad.hessian(["x2d", "y2d"], **options).d2f_dx2d_dy2d
    plain = xr.DataArray(values, dims=("j", "i"), name="f")
    first, second = (plain.grad(a, **options).grad(b, **options) for a, b in ("ij", "ji"))
    assert (abs(first - second) > 0.01).any()
    there = sum(plain.grad(d, deriv=2, **options) for d in "ij").notnull()
    np.testing.assert_allclose(made, ((first + second) / 2).where(there), rtol=0, atol=1e-12)


@pytest.mark.parametrize("operator", ["laplacian", "hessian"])
def test_the_order_of_dimensions_makes_no_difference_next_to_gaps(operator):
    lat, lon = curvilinear_grids.stereographic(24)
    values = np.where(holed(0.15, lat.shape, 6), np.nan, wave(lat, lon)[0])
    f = curvilinear_grids.on_globe(values, lat, lon)
    turned = f.assign_coords({name: f[name].transpose() for name in NAMES})
    made, other = (
        xr.Dataset({"all": r}) if isinstance(r, xr.DataArray) else r
        for r in (getattr(da.grad, operator)(NAMES, skipna=True, **SPHERE) for da in (f, turned))
    )
    for name, found in made.items():
        size = float(abs(found).max())
        np.testing.assert_allclose(other[name], found, rtol=0, atol=1e-10 * size)


# -- what is remembered from one call to the next --------------------------------------------------


def test_coordinates_that_are_changed_in_place_are_seen():
    lat, lon = curvilinear_grids.stereographic(12)
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat.copy(), lon.copy())
    before = f.grad(NAMES, **SPHERE)
    xr.testing.assert_identical(f.grad(NAMES, **SPHERE), before)
    f.nav_lat.values[...] -= 1
    moved = curvilinear_grids.on_globe(f.values, lat - 1, lon)
    fresh = Ellipsoid(xgradient.Sphere().radius, xgradient.Sphere().radius)  # has no calls before
    np.testing.assert_allclose(
        f.grad(NAMES, **SPHERE).df_dnav_lat, moved.grad(NAMES, metric=fresh).df_dnav_lat, rtol=1e-9
    )
    assert not f.grad(NAMES, **SPHERE).equals(before)


def test_each_mask_accuracy_and_seam_has_weights_of_its_own():
    """Each result is that of a first call, after any other calls."""
    angle, r = np.meshgrid(np.arange(36) * 10.0, np.linspace(40, 60, 9))
    f = curvilinear_grids.on_globe(wave(r, angle)[0], r, angle)
    calls = [
        (f.where(holed(share, f.shape, seed) == 0), options)
        for share, seed in ((0.0, 0), (0.2, 1), (0.2, 2))
        for options in (
            {"accuracy": accuracy, "skipna": skipna, "periodic": periodic}
            for accuracy in (2, 4)
            for skipna in (False, True)
            for periodic in (None, "x")
        )
    ]

    def found():
        return [da.grad.laplacian(NAMES, **SPHERE, **o) for da, o in calls]

    firsts = []
    for da, options in calls:
        value_cache._WEIGHTS_CACHE.clear()
        firsts.append(da.grad.laplacian(NAMES, **SPHERE, **options))
    for again, first in zip(found(), firsts, strict=True):
        xr.testing.assert_identical(again, first)


@pytest.mark.parametrize("metric", ["sphere", "ellipsoid"])
@pytest.mark.parametrize("dtype", ["f8", slow("f4"), slow("g")])
@pytest.mark.parametrize("name", NAMES)
def test_one_component_is_a_vector_whose_other_one_is_zero(name, dtype, metric, monkeypatch):
    """Also where memory is not new: an eastward vector has two components in space."""
    monkeypatch.setattr(np, "empty_like", partial(np.full_like, fill_value=np.nan))
    line = np.arange(-8.0, 8)
    lat, lon = curvilinear_grids.rotated(line, line, 37.5, 177.5)
    u = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon).astype(dtype)
    both = {other: u if other == name else 0 * u for other in NAMES}
    expected = xgradient.divergence(both, metric=metric)
    for one in (u, u.chunk(y=5, x=3)):
        found = xgradient.divergence({name: one}, metric=metric)
        np.testing.assert_array_equal(found, expected)
