"""Jacobian, strain, advection and directional derivatives of components on faces of cells."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

RNG = np.random.default_rng(5)


def c_grid(nx: int, ny: int) -> xr.Dataset:
    """Return a C-grid on the sphere: solid rotation about a tilted axis, and a scalar."""
    lon, lat = np.linspace(10, 50, nx + 1), np.linspace(20, 50, ny + 1)
    attrs = {
        "X": {"units": "degrees_east", "axis": "X"},
        "Y": {"units": "degrees_north", "axis": "Y"},
    }
    shift = {"c_grid_axis_shift": -0.5}
    ds = xr.Dataset(
        coords={
            "lon": ("lon", (lon[1:] + lon[:-1]) / 2, attrs["X"]),
            "lon_u": ("lon_u", lon, attrs["X"] | shift),
            "lat": ("lat", (lat[1:] + lat[:-1]) / 2, attrs["Y"]),
            "lat_v": ("lat_v", lat, attrs["Y"] | shift),
        }
    )
    ds["u"] = rotation(ds.lat, ds.lon_u)[0]
    ds["v"] = rotation(ds.lat_v, ds.lon)[1]
    ds["t"] = np.sin(np.deg2rad(ds.lat)) * np.cos(np.deg2rad(ds.lon))
    return ds


def rotation(lat: xr.DataArray, lon: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the wind of a rotation about an axis in the equator, by 30 m/s."""
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    u, v = 30 * np.sin(phi) * np.cos(lam), 0 * phi - 30 * np.sin(lam)
    return u.assign_attrs(units="m s-1"), v.assign_attrs(units="m s-1")


def at_centers(ds: xr.Dataset) -> xr.Dataset:
    """Return the same fields, computed at the centers."""
    u, v = rotation(ds.lat, ds.lon)
    return xr.Dataset({"u": u, "v": v, "t": ds.t})


CALLS = {
    "jacobian": lambda ds, x, y, **o: ds.grad.jacobian({x: "u", y: "v"}, metric="sphere", **o),
    "strain": lambda ds, x, y, **o: ds.grad.strain({x: "u", y: "v"}, metric="sphere", **o),
    "advection": lambda ds, x, y, **o: ds.t.grad.advection(
        {x: ds.u, y: ds.v}, metric="sphere", **o
    ),
    "directional": lambda ds, x, y, **o: ds.t.grad.directional(
        {x: ds.u, y: ds.v}, metric="sphere", **o
    ),
}


def to_array(result: xr.DataArray | xr.Dataset) -> np.ndarray:
    """Return all values of a result."""
    fields = [result] if isinstance(result, xr.DataArray) else list(result.data_vars.values())
    return np.stack([field.transpose("lat", "lon").values for field in fields])


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("name", CALLS)
def test_the_error_falls_with_the_order(name, accuracy):
    errors = []
    for n in (24, 48):
        ds = c_grid(n, n)
        options = {"accuracy": accuracy, "edge_order": accuracy}
        found = CALLS[name](ds, "lon_u", "lat_v", to="center", **options)
        # The operator at centers with a high accuracy is the truth.
        exact = CALLS[name](at_centers(ds), "lon", "lat", accuracy=8)
        errors.append(abs(to_array(found) - to_array(exact)).max())
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.3


@pytest.mark.parametrize("names", [("lon_u", "lat_v"), ("lon", "lat"), ("x", "y")])
@pytest.mark.parametrize("name", CALLS)
def test_it_is_the_operator_of_means(name, names):
    ds = c_grid(7, 6)
    u, v = ds.u.values, ds.v.values
    mean = at_centers(ds)
    mean["u"] = mean.u.copy(data=(u[:, 1:] + u[:, :-1]) / 2)
    mean["v"] = mean.v.copy(data=(v[1:] + v[:-1]) / 2)
    expected = CALLS[name](mean, "lon", "lat")
    found = CALLS[name](ds, *names, to="center")
    if names != ("x", "y"):
        assert set(found.variables if isinstance(found, xr.Dataset) else {found.name}) == set(
            expected.variables if isinstance(expected, xr.Dataset) else {expected.name}
        )
        assert found.attrs == expected.attrs
    np.testing.assert_allclose(to_array(found), to_array(expected), rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("name", CALLS)
def test_chunks_change_no_bit(name):
    ds = c_grid(7, 6)
    expected = CALLS[name](ds, "lon_u", "lat_v", to="center")
    lazy = CALLS[name](ds.chunk(lon=3, lon_u=2, lat=4, lat_v=3), "lon_u", "lat_v", to="center")
    assert lazy.chunks
    xr.testing.assert_identical(lazy.compute(scheduler="sync"), expected)


def test_types_and_missing_values():
    ds = c_grid(7, 6).astype("f4")
    assert CALLS["advection"](ds, "lon_u", "lat_v", to="center").dtype == "f4"
    ds["u"][2, 3] = np.nan
    found = CALLS["jacobian"](ds, "lon_u", "lat_v", to="center").du_dlon
    assert int(found.isnull().sum()) == 4  # two centers, and their neighbours


@pytest.mark.parametrize("name", CALLS)
def test_other_options_are_refused(name):
    ds = c_grid(7, 6)
    with pytest.raises(ValueError, match=f"to is 'left', but {name} needs all components on one"):
        CALLS[name](ds, "lon_u", "lat_v", to="left")
    with pytest.raises(ValueError, match="boundary does not go with components at positions on"):
        CALLS[name](ds, "lon_u", "lat_v", to="center", boundary="even")
    with pytest.raises(ValueError, match="give to='center', or leave positions out"):
        CALLS[name](ds, "lon_u", "lat_v", positions={"X": {"center": "lon", "outer": "lon_u"}})


def test_options_of_other_operators_are_named():
    ds = at_centers(c_grid(7, 6))
    with pytest.raises(ValueError, match="this operator has no option 'form', so leave it out"):
        ds.grad.jacobian(lon="u", lat="v", form="conservative")


def test_components_at_centers_stay_there():
    ds = at_centers(c_grid(7, 6))
    expected = xgradient.jacobian(lon=ds.u, lat=ds.v, metric="sphere")
    xr.testing.assert_identical(
        xgradient.jacobian(lon=ds.u, lat=ds.v, metric="sphere", to="center"), expected
    )
