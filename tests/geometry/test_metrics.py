"""Models of the Earth, radii of files, and scale factors that the user has."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid, Sphere

from ..support.sphere_fields import RADIUS

STEP = np.deg2rad(1.0)


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("metric", ["ellipsoid", Ellipsoid("WGS84"), Ellipsoid("GRS80")])
def test_arcs_of_the_meridian(metric, accuracy):
    """The derivative of the distance from the equator is 1, from pole to pole."""
    pyproj = pytest.importorskip("pyproj")
    geod = pyproj.Geod(ellps="GRS80" if metric == Ellipsoid("GRS80") else "WGS84")
    lat = np.linspace(-90.0, 90.0, 1801)
    north = np.array([geod.inv(0, 0, 0, y)[2] * np.sign(y) for y in lat])
    arc = xr.DataArray(north, {"lat": ("lat", lat, {"units": "degrees_north"})}, "lat")
    found = arc.grad("lat", metric=metric, accuracy=accuracy, edge_order=accuracy)
    np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-6)


@pytest.mark.parametrize("lat", [-89.0, -75.0, -45.0, -10.0, 0.0, 20.0, 30.0, 60.0, 80.0, 89.9])
def test_arcs_of_parallels(lat):
    """A parallel is a circle of radius N cos φ, an arc of which the geodesics approach."""
    geod = pytest.importorskip("pyproj").Geod(ellps="WGS84")
    lon = np.arange(0, 0.02, 0.001)
    east = np.array([geod.inv(0, lat, x, lat)[2] for x in lon])
    coords = {
        "lon": ("lon", lon, {"units": "degrees_east"}),
        "lat": ((), lat, {"units": "degrees_north"}),
    }
    found = xr.DataArray(east, coords, "lon").grad("lon", metric="ellipsoid", accuracy=4)
    np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-6)


def line(**coords):
    return xr.DataArray([0.0, 1.0, 2.0], {"lat": [0.0, 1.0, 2.0], **coords}, "lat", "f")


def test_radii_of_models():
    np.testing.assert_allclose(line().grad("lat", metric="sphere"), 1 / (RADIUS * STEP))
    np.testing.assert_allclose(line().grad("lat", metric=Sphere(1.0)), 1 / STEP)
    np.testing.assert_allclose(line().grad("lat", metric=Ellipsoid(2.0, 2.0)), 0.5 / STEP)
    assert Ellipsoid("WGS84") == Ellipsoid(6378137.0, 6356752.314245179)


MAPPINGS = {
    "a radius": ({"earth_radius": 5.0}, 5.0),
    "an array of one": ({"earth_radius": np.array([5.0])}, 5.0),
    "two semi-axes": ({"semi_major_axis": 6.0, "semi_minor_axis": 3.0}, 5.0),
    "a flattening": ({"semi_major_axis": 6.0, "inverse_flattening": 2.0}, 5.0),
    "no flattening": ({"semi_major_axis": 5.0, "inverse_flattening": 0.0}, 5.0),
    "no length": ({"grid_mapping_name": "latitude_longitude"}, RADIUS),
}


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("name", MAPPINGS)
def test_the_radius_of_the_grid_mapping(name, encoded, extended):
    """Beside the data as a variable of the Dataset, as files have it, or as a coordinate."""
    attrs, radius = MAPPINGS[name]
    f = line()
    (f.encoding if encoded else f.attrs)["grid_mapping"] = "crs: lat lon" if extended else "crs"
    expected = 1 / (radius * STEP)
    mapped = f.assign_coords(crs=((), 0, attrs))
    np.testing.assert_allclose(mapped.grad("lat", metric="sphere"), expected)
    ds = xr.Dataset({"other": ((), 1.0), "f": f, "crs": ((), 0, attrs)})
    np.testing.assert_allclose(ds.grad("lat", metric="sphere").df_dlat, expected)
    # Vectors have it too: v/R tan φ and the rest scale alike.
    found = ds.grad.divergence(lat="f", metric="sphere")
    unit = xgradient.divergence(lat=line(), metric=Sphere(1.0))
    np.testing.assert_allclose(found, unit / radius)
    found = mapped.grad.advection(lat=line(), metric="sphere")
    np.testing.assert_allclose(found, line().grad.advection(lat=line(), metric=Sphere(radius)))


def test_a_radius_that_is_none():
    f = line(crs=((), 0, {"earth_radius": 0.0})).assign_attrs(grid_mapping="crs")
    message = "earth_radius of the grid mapping 'crs' is 0.0; give a positive number of metres"
    with pytest.raises(ValueError, match=f"^{message}$"):
        f.grad("lat", metric="sphere")
    f = line(crs=((), 0, {"earth_radius": "large"})).assign_attrs(grid_mapping="crs")
    message = "earth_radius of the grid mapping 'crs' is 'large'; give a number of metres"
    with pytest.raises(TypeError, match=f"^{message}$"):
        f.grad("lat", metric="sphere")


def test_scale_factors_by_name_value_and_array():
    """Of NEMO, metres per cell; the grid of a cell is that of the data."""
    rng = np.random.default_rng(8)
    shape = {"y": 5, "x": 6}
    ds = xr.Dataset({n: (tuple(shape), rng.random((5, 6)) + 1) for n in ("t", "e1t", "e2t")})
    ds.t.attrs["units"] = "1"
    by_hand = np.gradient(ds.t.values, axis=1) / ds.e1t.values
    for factor in ("e1t", ds.e1t, ds.e1t.transpose(), ds.e1t.chunk(y=2)):
        found = ds[["t", "e1t"]].grad("x", metric={"x": factor}).dt_dx
        np.testing.assert_allclose(found, by_hand, rtol=1e-14)
        assert found.attrs["units"] == "m-1"
    # In time as well, and in other lengths than metres.
    moving = ds.expand_dims(time=3).copy(deep=True)
    moving["e1t"] = moving.e1t * xr.DataArray([1.0, 2.0, 4.0], dims="time")
    moving.e1t.attrs["units"] = "km"
    found = moving.grad("x", metric={"x": "e1t"}).dt_dx
    np.testing.assert_allclose(found[2], by_hand / 4, rtol=1e-14)
    assert found.attrs["units"] == "km-1"


@pytest.mark.parametrize("dtype", ["c8", "c16", "m8[s]", "M8[s]"])
@pytest.mark.parametrize("named", [False, True])
def test_scale_factors_are_real_numbers(dtype, named):
    """Not what numpy would make of others."""
    ds = xr.Dataset({"f": ("x", np.arange(3.0)), "h": ("x", np.arange(1, 4).astype(dtype))})
    what = "the scale factor of 'x'" + (", 'h'," if named else "")
    message = f"{what} has dtype {ds.h.dtype}; give real numbers of metres"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        ds.grad("x", metric={"x": "h" if named else ds.h})
