"""Positions of grids that have a dimension of length 1, or change along a further dimension."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.curvilinear_grids import rotated
from ..support.sphere_fields import RADIUS

NAMES = ["XLAT", "XLONG"]
GLOBE = {"metric": xgradient.Sphere(RADIUS)}


def nest(pole_lat: float, step: float = 1.0) -> xr.Dataset:
    """A wind and a scalar on a rotated grid, whose derivatives are known."""
    side = np.arange(-15, 15.1, step)
    lat, lon = rotated(side, side + 180, pole_lat, 20.0)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    return xr.Dataset(
        {
            "f": (("y", "x"), np.sin(phi) * np.cos(phi) * np.cos(lam), {"units": "K"}),
            "u": (("y", "x"), 20 * np.cos(phi), {"units": "m s-1"}),
            "v": (("y", "x"), 0 * phi, {"units": "m s-1"}),
            "east": (("y", "x"), -np.sin(phi) * np.sin(lam) / RADIUS),
            "north": (("y", "x"), np.cos(2 * phi) * np.cos(lam) / RADIUS),
            "vorticity": (("y", "x"), 40 * np.sin(phi) / RADIUS),
        },
        {
            "XLAT": (("y", "x"), lat, {"units": "degree_north"}),
            "XLONG": (("y", "x"), lon, {"units": "degree_east"}),
        },
    )


@pytest.fixture(scope="module")
def moving():
    """Three positions of a nest."""
    return xr.concat([nest(pole) for pole in (40.0, 55.0, 80.0)], "Time")


CALLS = {
    "grad": lambda ds, **o: ds.f.grad(NAMES, **GLOBE, **o),
    "one name": lambda ds, **o: ds.f.grad("XLAT", **GLOBE, **o),
    "no name": lambda ds, **o: ds.f.grad.magnitude(**GLOBE, **o),
    "laplacian": lambda ds, **o: ds.f.grad.laplacian(NAMES, **GLOBE, **o),
    "hessian": lambda ds, **o: ds.f.grad.hessian(NAMES, **GLOBE, **o),
    "curl": lambda ds, **o: ds.grad.curl(XLONG="u", XLAT="v", **GLOBE, **o),
    "divergence": lambda ds, **o: ds.grad.divergence(XLONG="u", XLAT="v", **GLOBE, **o),
    "strain": lambda ds, **o: ds.grad.strain(XLONG="u", XLAT="v", **GLOBE, **o),
    "advection": lambda ds, **o: ds.f.grad.advection(XLONG=ds.u, XLAT=ds.v, **GLOBE, **o),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_position_of_a_nest_is_a_grid_by_itself(moving, name):
    for holed in (moving, moving.assign(f=moving.f.where(moving.f < 0.4))):
        options = {} if holed is moving else {"skipna": True}
        found = CALLS[name](holed, **options)
        for i in range(3):
            alone = CALLS[name](holed.isel(Time=i), **options)
            xr.testing.assert_equal(found.isel(Time=i), alone)


NUMBERS = np.arange(31)
XY = {"x": ("x", NUMBERS, {"axis": "X"}), "y": ("y", NUMBERS, {"axis": "Y"})}
DATES = np.arange(3).astype("M8[D]").astype("M8[s]")


@pytest.mark.parametrize("dims", [("n", "y", "x"), ("y", "x", "n"), ("y", "n", "x")])
@pytest.mark.parametrize("coords", [XY, {"n": DATES}, {"XTIME": ("n", DATES)},
                                    {"n": ("n", [0, 1, 2], {"axis": "T"})}])  # fmt: skip
def test_which_dimensions_are_those_of_the_grid(moving, dims, coords):
    expected = CALLS["grad"](moving)
    ds = moving.rename(Time="n").transpose(*dims).assign_coords(coords)
    found = CALLS["grad"](ds).drop_vars(coords).rename(n="Time").transpose("Time", "y", "x")
    xr.testing.assert_allclose(found, expected, rtol=1e-13)


def test_dimensions_that_say_nothing_are_refused(moving):
    told = (
        r"'XLONG' has 3 dimensions \(n, y, x\), and which two are those of the grid is not clear; "
        r".* e.g. \.assign_coords\(x=\('x', range\(data.sizes\['x'\]\), {'axis': 'X'}\)\)"
    )
    data = moving.rename(Time="n")
    with pytest.raises(ValueError, match=told):
        CALLS["one name"](data)
    mended = data.assign_coords(x=("x", range(data.sizes["x"]), {"axis": "X"}))
    mended = mended.assign_coords(y=("y", range(data.sizes["y"]), {"axis": "Y"}))
    assert CALLS["one name"](mended).dims == ("n", "y", "x")


def test_values_are_those_of_analysis(moving):
    fine = xr.concat([nest(pole, 0.5) for pole in (40.0, 55.0, 80.0)], "Time")
    inside = {"y": slice(2, -2), "x": slice(2, -2)}
    errors = []
    for ds in (moving, fine):
        found = CALLS["grad"](ds, accuracy=4)
        error = [abs(found.df_dXLONG - ds.east), abs(found.df_dXLAT - ds.north)]
        errors.append(max(float(e[inside].max()) * RADIUS for e in error))
    assert errors[0] < 1e-5
    assert 12 < errors[0] / errors[1] < 24  # the fourth order
    vorticity = CALLS["curl"](moving)
    np.testing.assert_allclose(
        vorticity[:, 2:-2, 2:-2], moving.vorticity[:, 2:-2, 2:-2], rtol=1e-3, atol=1e-12
    )
    # The positions of another time would be wrong.
    frozen = moving.assign_coords(XLAT=moving.XLAT[0], XLONG=moving.XLONG[0])
    assert float(abs(CALLS["grad"](frozen).df_dXLAT - moving.north).max()) * RADIUS > 0.1


def test_chunks_change_no_bit(moving, nothing_computed):
    pytest.importorskip("dask")
    calls = {name: CALLS[name] for name in ("grad", "curl")}
    expected = {name: call(moving) for name, call in calls.items()}
    with nothing_computed():
        lazy = moving.chunk(Time=1, y=16)
        found = {name: call(lazy) for name, call in calls.items()}
        coords = lazy.assign_coords({n: moving[n].chunk(Time=2, y=9) for n in NAMES})
        both_lazy = {name: call(coords) for name, call in calls.items()}
    for name, result in expected.items():
        xr.testing.assert_equal(found[name].compute(), result)
        xr.testing.assert_equal(both_lazy[name].compute(), result)


@pytest.mark.parametrize("name", CALLS)
def test_a_dimension_of_length_one_is_none(name):
    """As in files of WRF."""
    flat = nest(50.0)
    ds = flat.expand_dims(Time=1)
    positions = {n: flat[n].expand_dims(Time=1) for n in NAMES}
    ds = ds.assign_coords(positions)
    assert ds.XLAT.dims == ("Time", "y", "x")
    found = CALLS[name](ds)
    xr.testing.assert_equal(found.isel(Time=0), CALLS[name](flat))
    assert found.XLAT.dims == ("Time", "y", "x")


def test_one_dimensional_coordinates_with_a_dimension_of_length_one():
    lat = xr.DataArray([[10.0, 20.0, 30.0]], dims=("Time", "y"), attrs={"units": "degree_north"})
    lon = xr.DataArray([[0.0, 10.0]], dims=("Time", "x"), attrs={"units": "degree_east"})
    eta = xr.DataArray([[1.0, 0.9, 0.7]], dims=("Time", "y"))
    f = xr.DataArray(np.arange(6.0).reshape(1, 3, 2) ** 2, dims=("Time", "y", "x"), name="f")
    found = f.assign_coords(XLAT=lat, XLONG=lon).grad(["XLAT", "XLONG"], metric="sphere")
    flat = f[0].assign_coords(XLAT=lat[0], XLONG=lon[0])
    xr.testing.assert_equal(found.isel(Time=0), flat.grad(["XLAT", "XLONG"], metric="sphere"))
    magnitude = f.assign_coords(XLAT=lat, XLONG=lon).grad.magnitude(metric="sphere")
    xr.testing.assert_equal(magnitude.isel(Time=0), flat.grad.magnitude(metric="sphere"))
    by_eta = f.assign_coords(ZNU=eta).grad("ZNU")
    np.testing.assert_allclose(by_eta[0], np.gradient(f.values[0], eta.values[0], axis=0))


def test_faces_have_one_sided_edges():
    """Neighbours on another face are not used."""
    faces = xr.concat([nest(30.0), nest(75.0)], "face")
    found = faces.f.grad(NAMES, **GLOBE)
    changed = faces.f.copy(deep=True)
    changed[1] = np.nan
    again = changed.grad(NAMES, **GLOBE)
    xr.testing.assert_equal(again.isel(face=0), found.isel(face=0))
    assert np.isfinite(found.to_dataarray()).all()


def test_a_grid_closes_at_each_position():
    lon, lat = np.meshgrid(np.arange(0, 360, 10.0), np.arange(-60, 61, 10.0))
    shifted = np.stack([lon, lon + 5])
    coords = {
        "lat": (("t", "y", "x"), np.stack([lat, lat]), {"units": "degrees_north"}),
        "lon": (("t", "y", "x"), shifted, {"units": "degrees_east"}),
    }
    f = xr.DataArray(np.sin(np.deg2rad(shifted)), coords, ("t", "y", "x"), "f")
    found = f.grad("lon", metric="sphere", periodic="x")
    for i in range(2):
        xr.testing.assert_equal(found[i], f[i].grad("lon", metric="sphere", periodic="x"))
    with pytest.raises(ValueError, match="periodic names 'y', but its ends lie"):
        f.grad("lon", metric="sphere", periodic="y")
