"""metric="wrf": map factors of files of WRF, at mass points."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.shared_data import open_shared

RADIUS = 6370e3
OMEGA = 20 / RADIUS


def wrf_file(n, size=2.4e6, *, rotation=True, times=1, dtype="f8"):
    """A solid rotation in a file as WRF writes it, on a Lambert conformal map of a sphere."""
    n_lambert, lat0, lon0 = np.sin(np.deg2rad(50.0)), np.deg2rad(45.0), np.deg2rad(10.0)

    def rho(lat):  # one standard parallel, at 50° north; Snyder (1987), equations 15-1 to 15-5
        f = np.cos(np.deg2rad(50)) * np.tan(np.pi / 4 + np.deg2rad(25)) ** n_lambert / n_lambert
        return RADIUS * f / np.tan(np.pi / 4 + lat / 2) ** n_lambert

    dx = size / (n - 1)
    x, y = np.meshgrid(*[np.linspace(-size / 2, size / 2, n)] * 2)
    away = rho(lat0) - y
    r, theta = np.hypot(x, away), np.arctan2(x, away)
    lat = 2 * np.arctan((rho(0.0) / r) ** (1 / n_lambert)) - np.pi / 2
    lon = lon0 + theta / n_lambert
    factor = n_lambert * r / (RADIUS * np.cos(lat))
    alpha = -theta  # from east to x
    speed = OMEGA * RADIUS * np.cos(lat)
    fields = {
        "U10": speed * np.cos(alpha), "V10": -speed * np.sin(alpha), "EAST": speed,
        "NORTH": 0 * speed, "T2": np.sin(lat), "MAPFAC_M": factor, "XLAT": np.rad2deg(lat),
        "XLONG": np.rad2deg(lon), "VORT": 2 * OMEGA * np.sin(lat),
    }  # fmt: skip
    if rotation:
        fields |= {"COSALPHA": np.cos(alpha), "SINALPHA": np.sin(alpha)}
    dims = "Time", "south_north", "west_east"
    ds = xr.Dataset(
        {name: (dims, np.stack([f] * times).astype(dtype)) for name, f in fields.items()},
        attrs={"DX": np.float32(dx), "DY": np.float32(dx), "MAP_PROJ": 1},
    )
    for name in ("U10", "V10", "EAST", "NORTH"):
        ds[name].attrs["units"] = "m s-1"
    ds.XLAT.attrs.update(units="degree_north", description="LATITUDE, SOUTH IS NEGATIVE")
    ds.XLONG.attrs.update(units="degree_east", description="LONGITUDE, WEST IS NEGATIVE")
    return ds


GRID, EARTH = ({"west_east": u, "south_north": v} for u, v in (("U10", "V10"), ("EAST", "NORTH")))
WRF = {"metric": "wrf"}


def close(found, expected, tolerance):
    scale = float(abs(expected).max())
    assert float(abs(found - expected).max()) < tolerance * scale


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("kind", ["grid", "earth, by the angle", "earth, by positions"])
def test_the_vorticity_of_a_solid_rotation(kind, accuracy):
    errors = []
    for n in (12, 23):
        ds = wrf_file(n, rotation="angle" in kind)
        options = {**WRF, "accuracy": accuracy, "edge_order": accuracy}
        given, relative = (GRID, None) if kind == "grid" else (EARTH, "earth")
        vorticity = ds.grad.curl(given, relative=relative, **options)
        divergence = ds.grad.divergence(given, relative=relative, **options)
        assert vorticity.attrs["units"] == "s-1"
        worst = max(abs(vorticity - ds.VORT).max(), abs(divergence).max())
        errors.append(float(worst / ds.VORT.max()))
    assert errors[1] < 5e-4
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.5


def test_components_follow_the_file():
    """A wind to the east and north by its standard names; by default along x and y."""
    ds = wrf_file(20)
    expected = ds.grad.curl(GRID, **WRF)
    xr.testing.assert_identical(ds.grad.curl(GRID, relative="grid", **WRF), expected)
    ds.EAST.attrs["standard_name"], ds.NORTH.attrs["standard_name"] = (
        "eastward_wind", "northward_wind")  # fmt: skip
    close(ds.grad.curl(EARTH, **WRF), expected, 1e-3)
    wrong = ds.grad.curl(EARTH, relative="grid", **WRF)
    assert abs(wrong - expected).max() > 0.1 * abs(expected).max()


def test_scalars_are_per_metre_on_the_earth():
    ds = wrf_file(40)
    t, lat = ds.T2, np.deg2rad(ds.XLAT)
    for call in (t.grad.magnitude, t.grad.laplacian):
        with pytest.raises(ValueError, match="metric is 'wrf', but the data have neither MAPFAC_M"):
            call(**WRF)
    t = t.assign_coords(MAPFAC_M=ds.MAPFAC_M).assign_attrs(DX=ds.DX, DY=ds.DY)
    close(t.grad.magnitude(accuracy=4, **WRF) * RADIUS, np.cos(lat), 1e-4)
    close(t.grad.laplacian(accuracy=4, **WRF) * RADIUS**2, -2 * np.sin(lat), 2e-3)
    named = t.grad.laplacian(["west_east", "south_north"], accuracy=4, **WRF)
    np.testing.assert_allclose(t.grad.laplacian(accuracy=4, **WRF), named, rtol=1e-12)


def test_the_absolute_vorticity_of_a_real_run():
    """A run of WRF, and its absolute vorticity as NCL computes it."""
    ds = open_shared("wrf_katrina_winds.nc")
    u, v = ds.U / ds.MAPFAC_U, ds.V / ds.MAPFAC_V
    mass = {}
    for name, field, dim in (("u", u, "west_east"), ("v", v, "south_north")):
        faces = f"{dim}_stag"
        mean = (field.isel({faces: slice(1, None)}) + field.isel({faces: slice(-1)})) / 2
        mass[name] = (mean.rename({faces: dim}) * ds.MAPFAC_M).assign_attrs(units="m s-1")
    wind = ds[["MAPFAC_M", "F", "avo"]].assign(mass)
    expected = ds.avo * 1e-5

    def largest_error(metric):
        found = wind.grad.curl(west_east="u", south_north="v", metric=metric) + ds.F
        return float(abs(found - expected).max() / expected.std())

    assert largest_error("wrf") < 1e-2  # the product rule has differences of second order
    assert largest_error({"west_east": 1e4, "south_north": 1e4}) > 0.5


def test_map_factors_along_x_and_y_come_first():
    """MAPFAC_MX and MAPFAC_MY, which differ on a global grid of latitudes and longitudes."""
    ds = wrf_file(9)
    ds["MAPFAC_MX"], ds["MAPFAC_MY"] = 2 * ds.MAPFAC_M, 3 * ds.MAPFAC_M
    both = ds[["T2", "MAPFAC_MX", "MAPFAC_MY"]]
    mass = ds[["T2", "MAPFAC_M"]]
    for dim, times in (("west_east", 2), ("south_north", 3)):
        found, expected = (d.grad(dim, **WRF)[f"dT2_d{dim}"] for d in (both, mass))
        np.testing.assert_allclose(found, times * expected, rtol=1e-13)
    one = ds[["T2", "MAPFAC_M", "MAPFAC_MX"]]
    np.testing.assert_array_equal(
        one.grad("west_east", **WRF).dT2_dwest_east, mass.grad("west_east", **WRF).dT2_dwest_east
    )


def test_a_dataarray_with_its_coordinates():
    ds = wrf_file(9)
    expected = ds.grad.curl(GRID, **WRF)
    u, v = (
        ds[name].assign_coords(MAPFAC_M=ds.MAPFAC_M).assign_attrs(DX=ds.DX, DY=ds.DY)
        for name in ("U10", "V10")
    )
    found = xgradient.curl(west_east=u, south_north=v, **WRF)
    np.testing.assert_array_equal(found, expected)
    steps = {name: ((), ds.attrs[name]) for name in ("DX", "DY")}
    u, v = (f.drop_attrs().assign_coords(steps).assign_attrs(units="m s-1") for f in (u, v))
    found = xgradient.curl(west_east=u, south_north=v, **WRF)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("units", "metres"), [("m", 1.0), ("km", 1e3)])
def test_coordinates_on_the_map(units, metres):
    """Dimensions x and y with lengths on the map, as xwrf gives them, need no DX."""
    ds = wrf_file(12)
    expected = ds.grad.curl(GRID, **WRF)
    step = float(ds.DX) / metres
    named = ds.rename(west_east="x", south_north="y").drop_attrs(deep=False)
    named = named.assign_coords({d: (d, step * np.arange(12), {"units": units}) for d in "xy"})
    found = named.grad.curl(x="U10", y="V10", **WRF)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    flipped = named.isel(y=slice(None, None, -1))
    for ends in (flipped, flipped.drop_vars(["COSALPHA", "SINALPHA"])):
        found = ends.grad.curl(x="EAST", y="NORTH", relative="earth", accuracy=4, **WRF)
        close(found.transpose("Time", "y", "x"), flipped.VORT, 1e-4)
    # Numbers of cells.
    counted = ds.assign_coords(west_east=np.arange(5, 17))
    np.testing.assert_allclose(counted.grad.curl(GRID, **WRF), expected, rtol=1e-12)
    whole = counted[["T2", "MAPFAC_M"]]
    every_second = whole.isel(west_east=slice(None, None, 2))
    slopes = [part.grad("west_east", **WRF).dT2_dwest_east for part in (whole, every_second)]
    np.testing.assert_allclose(slopes[1][..., 2], slopes[0][..., 4], rtol=1e-2)


def test_times_and_levels():
    ds = wrf_file(9, times=3)
    expected = wrf_file(9).grad.curl(GRID, **WRF)
    found = ds.grad.curl(GRID, **WRF)
    np.testing.assert_array_equal(found, xr.concat([expected] * 3, "Time"))
    one = ds[["U10", "V10"]].isel(Time=1).assign(MAPFAC_M=ds.MAPFAC_M)
    np.testing.assert_array_equal(one.grad.curl(GRID, **WRF), expected[0])
    levels = ds.expand_dims(bottom_top=2).transpose("Time", "bottom_top", ...)
    levels["MAPFAC_M"] = ds.MAPFAC_M
    found = levels.grad.curl(GRID, **WRF)
    np.testing.assert_array_equal(found[0, 1], expected[0])
    # A nest that moves has factors at each time.
    moving = ds.assign(MAPFAC_M=ds.MAPFAC_M * xr.DataArray([1.0, 2.0, 1.0], dims="Time"))
    found = moving.T2.assign_coords(MAPFAC_M=moving.MAPFAC_M).assign_attrs(DX=1.0)
    found = found.assign_coords(south_north=np.arange(9.0) * 1e3)
    found.south_north.attrs["units"] = "m"
    slope = found.grad("west_east", **WRF)
    np.testing.assert_allclose(slope[1], 2 * slope[0], rtol=1e-13)


def test_chunks_stay_lazy_and_change_no_bit(nothing_computed):
    pytest.importorskip("dask")
    ds = wrf_file(20, times=2, dtype="f4")
    fields = ["U10", "V10", "EAST", "NORTH", "T2"]
    lazy = ds.assign({name: ds[name].chunk(Time=1, south_north=7, west_east=9) for name in fields})
    for call in (
        lambda ds: ds.grad.curl(GRID, **WRF),
        lambda ds: ds.grad.curl(EARTH, relative="earth", **WRF),
        lambda ds: ds[["T2", "MAPFAC_M"]].grad.laplacian(**WRF).laplacian_T2,
    ):
        with nothing_computed():
            result = call(lazy)
        found, expected = result.compute(scheduler="synchronous"), call(ds)
        xr.testing.assert_identical(found, expected)
        assert found.dtype == np.float32
    # Map factors that are lazy, as those of a file opened in chunks.
    xr.testing.assert_identical(
        ds.chunk().grad.curl(GRID, **WRF).compute(), ds.grad.curl(GRID, **WRF)
    )


def refused(message, call):
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_what_is_refused():
    ds = wrf_file(9)
    refused("metric is 'wrf', but the data have neither MAPFAC_M nor both MAPFAC_MX and MAPFAC_MY",
            lambda: ds.drop_vars("MAPFAC_M").grad.curl(GRID, **WRF))  # fmt: skip
    refused("metric is 'wrf', but the data have no attribute DX, the step in metres; call an oper",
            lambda: ds.drop_attrs(deep=False).grad.curl(GRID, **WRF))  # fmt: skip
    refused("DX is 0",
            lambda: ds.assign_attrs(DX=0).grad.curl(GRID, **WRF))  # fmt: skip
    refused("MAPFAC_M is 0.0 at index",
            lambda: ds.assign(MAPFAC_M=0 * ds.MAPFAC_M).grad.curl(GRID, **WRF))  # fmt: skip
    refused("coordinate 'west_east' has no units; set its attribute units, such as 'm'",
            lambda: ds.assign_coords(west_east=np.arange(9.0)).grad.curl(GRID, **WRF))  # fmt: skip
    degrees = ds.assign_coords(west_east=("west_east", np.arange(9.0), {"units": "degrees"}))
    refused("coordinate 'west_east' has the units 'degrees'; give it a unit of length",
            lambda: degrees.grad.curl(GRID, **WRF))  # fmt: skip
    refused("MAPFAC_M lies along 'west_east'; it needs the two dimensions of mass points",
            lambda: ds.assign(MAPFAC_M=ds.MAPFAC_M[0, 0]).grad.curl(GRID, **WRF))  # fmt: skip
    bare = ds.drop_vars(["COSALPHA", "SINALPHA", "XLAT", "XLONG"])
    refused("components are relative to the Earth, but the data have neither COSALPHA and SINALPHA",
            lambda: bare.grad.curl(EARTH, relative="earth", **WRF))  # fmt: skip


def test_values_on_faces_have_the_map_factors_there():
    ds = open_shared("wrf_katrina_winds.nc").astype("f8")
    for name, dims in (("U", ("south_north", "west_east_stag")),
                       ("V", ("south_north_stag", "west_east"))):  # fmt: skip
        data = ds[[name, "MAPFAC_M", f"MAPFAC_{name}"]].set_coords("MAPFAC_M")
        for axis, dim in zip((-2, -1), dims, strict=True):
            found = data.grad(dim, **WRF)[f"d{name}_d{dim}"]
            expected = np.gradient(ds[name], 1e4, axis=axis) * ds[f"MAPFAC_{name}"].values[:, None]
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-20)
            assert found.attrs["units"] == "s-1"


def test_values_on_faces_are_refused_without_map_factors_there():
    ds = wrf_file(9)
    faces = xr.DataArray(np.ones((1, 9, 10)), dims=("Time", "south_north", "west_east_stag"))
    ds = ds.assign(U=faces, W=ds.T2.expand_dims(bottom_top_stag=3))
    mend = "; average neighbours, e.g. with .rolling(west_east_stag=2).mean()"
    for dim, label in (("south_north", "'U' lies"), ("west_east_stag", "the call goes")):
        refused(f"metric='wrf' is for values at mass points, but {label} along 'west_east_stag'"
                + mend, lambda dim=dim: ds[["U", "MAPFAC_M"]].grad(dim, **WRF))  # fmt: skip
    # The mend of the message; and levels between mass points are no faces along x or y.
    averaged = ds.U.rolling(west_east_stag=2).mean().isel(west_east_stag=slice(1, None))
    ds["u"] = averaged.rename(west_east_stag="west_east")
    assert not ds[["u", "MAPFAC_M"]].grad("south_north", **WRF).du_dsouth_north.any()
    assert ds[["W", "MAPFAC_M"]].grad("south_north", **WRF).dW_dsouth_north.shape == (3, 1, 9, 9)
