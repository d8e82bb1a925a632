"""Metrics of coordinate reference systems: of pyproj's objects and of the data's own."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid, Sphere
from xgradient.stencils.cache import LRUCache

pyproj = pytest.importorskip("pyproj")

WGS84 = pyproj.CRS("EPSG:4326")
ROTATED = {
    "grid_mapping_name": "rotated_latitude_longitude",
    "grid_north_pole_latitude": 39.25,
    "grid_north_pole_longitude": -162.0,
    "earth_radius": 6371229.0,
}


def raster(**coords):
    """A DEM as rasters have it: north comes first, and x and y have no attributes."""
    y, x = np.linspace(60.0, 50.0, 9), np.linspace(5.0, 11.0, 7)
    heights = 100 * np.cos(np.deg2rad(y))[:, None] ** 2 * np.sin(np.deg2rad(x))
    return xr.DataArray(heights, {"y": y, "x": x, **coords}, ("y", "x"), "z", {"units": "m"})


def named(dem):
    """The same with names that say what the coordinates are."""
    return dem.rename(y="lat", x="lon")


@pytest.mark.parametrize("radius", [3389500, 3389.5e3, np.float32(3389500), np.int64(3389500)])
def test_a_number_is_a_radius(radius):
    dem = named(raster())
    found = dem.grad.laplacian(metric=radius)
    xr.testing.assert_identical(found, dem.grad.laplacian(metric=Sphere(3389.5e3)))


def test_geods():
    dem = named(raster())
    for geod, globe in (
        (pyproj.Geod(ellps="GRS80"), Ellipsoid("GRS80")),
        (pyproj.Geod(a=6370e3, b=6370e3), Sphere(6370e3)),
    ):
        found = dem.grad(["lat", "lon"], metric=geod)
        xr.testing.assert_allclose(found, dem.grad(["lat", "lon"], metric=globe), rtol=1e-14)


@pytest.mark.parametrize("ellps", ["WGS84", "intl", "sphere"])
@pytest.mark.parametrize("lat", [-89.0, -45.0, 0.0, 30.0, 89.9])
def test_lengths_are_those_of_geodesics(ellps, lat):
    """One degree of x and of y in metres, to 1e-9."""
    geod, step = pyproj.Geod(ellps=ellps), 1e-3
    x, y = np.arange(3) * step, lat + np.arange(-1, 2) * step
    east, north = xr.broadcast(xr.DataArray(x, {"x": x}, "x"), xr.DataArray(y, {"y": y}, "y"))
    crs = pyproj.CRS(f"+proj=longlat +ellps={ellps}")
    per_metre = [f.grad(d, metric=crs)[1, 1] for f, d in ((east, "x"), (north, "y"))]
    along_parallel = geod.inv(0, lat, step, lat)[2] / step
    along_meridian = geod.inv(0, y[0], 0, y[2])[2] / (2 * step)
    np.testing.assert_allclose(per_metre[0] * along_parallel, 1, rtol=0, atol=1e-9)
    np.testing.assert_allclose(per_metre[1] * along_meridian, 1, rtol=0, atol=1e-9)


def with_name(dem, **attrs):
    mapped = dem.assign_coords(crs=((), 0, attrs))
    mapped.encoding["grid_mapping"] = "crs"
    return mapped


def parsed_by_metpy(dem):
    pytest.importorskip("metpy.xarray")
    labelled = dem.assign_coords(
        x=dem.x.assign_attrs(units="degrees_east"), y=dem.y.assign_attrs(units="degrees_north")
    )
    ds = with_name(labelled, **WGS84.to_cf()).to_dataset()
    ds.z.attrs["grid_mapping"] = "crs"
    return ds.metpy.parse_cf().z.drop_vars("crs", errors="ignore")


SOURCES = {
    "attributes": lambda dem: with_name(
        dem, grid_mapping_name="latitude_longitude", semi_major_axis=np.array([6378137.0]),
        inverse_flattening=np.float64(298.257223563),
    ),
    "the text": lambda dem: with_name(dem, crs_wkt=WGS84.to_wkt()),
    "a coordinate that nothing names": lambda dem: dem.assign_coords(
        spatial_ref=((), 0, {"spatial_ref": WGS84.to_wkt(), "GeoTransform": "5.0 1.0 0.0 60.0"})
    ),
    "rioxarray": lambda dem: pytest.importorskip("rioxarray") and dem.rio.write_crs(4326),
    "xproj": lambda dem: pytest.importorskip("xproj") and dem.proj.assign_crs(crs="EPSG:4326"),
    "MetPy": parsed_by_metpy,
    "heights as well": lambda dem: with_name(dem, crs_wkt=pyproj.CRS("EPSG:4326+5773").to_wkt()),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_dem_whose_coordinates_have_no_attributes(source):
    dem = SOURCES[source](raster())
    before = dem.copy(deep=True)
    expected = named(raster()).grad(["lat", "lon"], metric="ellipsoid")
    found = dem.grad(["y", "x"], metric="cf")
    np.testing.assert_array_equal(found.dz_dy, expected.dz_dlat)
    np.testing.assert_array_equal(found.dz_dx, expected.dz_dlon)
    assert found.dz_dx.attrs["units"] == "1"
    np.testing.assert_array_equal(
        dem.grad.laplacian(metric="cf"), named(raster()).grad.laplacian(metric="ellipsoid")
    )
    wind = dem.assign_attrs(units="m s-1")
    vorticity = xgradient.curl(x=wind, y=wind.rename("v"), metric="cf")
    plain = named(raster()).assign_attrs(units="m s-1")
    np.testing.assert_array_equal(
        vorticity, xgradient.curl(lon=plain, lat=plain.rename("v"), metric="ellipsoid")
    )
    assert vorticity.attrs["units"] == "s-1"
    xr.testing.assert_identical(dem, before)  # labels are for the call only


def test_the_shown_accessor_knows_the_coordinates():
    x = np.arange(0.0, 360, 30)
    dem = xr.DataArray(np.ones((3, 12)), {"y": [10.0, 20, 30], "x": x}, ("y", "x"), "z")
    text = repr(dem.grad.with_options(metric=WGS84))
    assert re.search("x +12 +uniform +periodic", text)


def test_dims_in_a_dataset_and_on_dask():
    """The mapping is a variable beside the fields, as files have it."""
    dem = raster()
    dem.attrs["grid_mapping"] = "crs"
    ds = xr.Dataset({"z": dem, "other": dem * 2, "crs": ((), 0, WGS84.to_cf())})
    expected = named(raster()).grad("lon", metric="ellipsoid")
    np.testing.assert_array_equal(ds.grad("x", metric="cf").dz_dx, expected)
    pytest.importorskip("dask")
    np.testing.assert_array_equal(ds.chunk(y=4).grad("x", metric="cf").dz_dx, expected)


def test_rotated_poles():
    """A solid rotation about the rotated axis, and lengths of the sphere of the file."""
    rlat = xr.Variable("rlat", np.arange(-6.0, 6.1, 0.5), {"standard_name": "grid_latitude"})
    rlon = xr.Variable("rlon", np.arange(-8.0, 8.1, 0.5), {"standard_name": "grid_longitude"})
    coords = xr.Coordinates({"rlat": rlat, "rlon": rlon})
    phi = np.deg2rad(coords["rlat"]).drop_attrs()
    u = (20 * np.cos(phi) + 0 * coords["rlon"]).assign_coords(coords).transpose("rlat", "rlon")
    ds = xr.Dataset({"u": u, "v": 0 * u, "rotated_pole": ((), 0, ROTATED)})
    for name in ("u", "v"):
        ds[name].attrs = {"units": "m s-1", "grid_mapping": "rotated_pole"}
    exact = 40 * np.sin(phi) / ROTATED["earth_radius"]
    errors = []
    for accuracy in (2, 4):
        orders = {"accuracy": accuracy, "edge_order": accuracy}
        found = ds.grad.curl(rlon="u", rlat="v", metric="cf", **orders)
        errors.append(float(abs(found - exact).max() / exact.max()))
    assert errors[0] < 5e-4
    assert errors[1] < 1e-7
    crs = pyproj.CRS.from_cf(ROTATED)
    same = ds.grad.curl(rlon="u", rlat="v", metric=crs, **orders)
    np.testing.assert_array_equal(found, same)


def test_the_mapping_of_the_dimensions():
    """The extended form of the attribute lists coordinates after each name."""
    dem = raster().assign_coords(
        sphere=((), 0, {"grid_mapping_name": "latitude_longitude", "earth_radius": 6e6}),
        wgs84=((), 0, WGS84.to_cf()),
    )
    expected = {"wgs84": "ellipsoid", "sphere": Sphere(6e6)}
    for text, name in (
        ("sphere: lat lon wgs84: x y", "wgs84"),
        ("sphere: x y wgs84: lat lon", "sphere"),
        ("sphere: lat lon", "sphere"),
        ("wgs84", "wgs84"),
    ):
        found = dem.assign_attrs(grid_mapping=text).grad("x", metric="cf")
        truth = named(raster()).grad("lon", metric=expected[name])
        np.testing.assert_allclose(found, truth, rtol=1e-14)


def test_a_grid_mapping_is_read_once(monkeypatch):
    """pyproj takes tenths of a second for it; each call with other attributes reads them."""
    read, from_cf = [], pyproj.CRS.from_cf
    monkeypatch.setattr(pyproj.CRS, "from_cf", lambda attrs: read.append(attrs) or from_cf(attrs))
    monkeypatch.setattr("xgradient.geometry.crs._SYSTEMS", LRUCache(16))
    mapping = {"grid_mapping_name": "latitude_longitude", "earth_radius": 6.1e6}
    for radius in (6.1e6, np.float64(6.1e6), np.array([6.1e6]), np.nextafter(6.1e6, 7e6)):
        attrs = {**mapping, "earth_radius": radius}
        dem = raster(globe=((), 0, attrs)).assign_attrs(grid_mapping="globe")
        found = dem.grad("x", metric="cf")
        truth = named(raster()).grad("lon", metric=float(np.ravel(radius)[0]))
        np.testing.assert_allclose(found, truth, rtol=1e-14)
    assert [attrs["earth_radius"] for attrs in read] == [6.1e6, np.nextafter(6.1e6, 7e6)]
    with pytest.raises(ValueError, match="pyproj cannot read the grid mapping 'globe'"):
        dem.assign_coords(globe=((), 0, {"grid_mapping_name": "?"})).grad("x", metric="cf")


def refused(message, call, error=ValueError):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        call()


def test_mappings_that_cannot_be_used():
    dem = raster()
    refused("metric is 'cf', but the data have no grid mapping; add one, e.g. with .rio.write_crs",
            lambda: dem.grad("x", metric="cf"))  # fmt: skip
    refused("'z' names the grid mapping 'crs', which is not among the data; call .set_coords",
            lambda: dem.assign_attrs(grid_mapping="crs").grad("x", metric="cf"))  # fmt: skip
    refused("pyproj cannot read the grid mapping 'crs' (",
            lambda: with_name(dem, grid_mapping_name="cube").grad("x", metric="cf"))  # fmt: skip
    refused("pyproj cannot read the grid mapping 'crs' (",
            lambda: with_name(dem, crs_wkt="GEOGCS[").grad("x", metric="cf"))  # fmt: skip
    two = dem.assign_coords(a=((), 0, WGS84.to_cf()), b=((), 0, pyproj.CRS("EPSG:4258").to_cf()))
    refused("metric is 'cf', but the data have the grid mappings 'a', 'b'; select variables",
            lambda: two.grad("x", metric="cf"))  # fmt: skip
    refused("'x', 'y' have no units, and 'NTF (Paris)' counts angles in grad; convert them",
            lambda: dem.grad("x", metric=pyproj.CRS(4807)))  # fmt: skip
    refused("the radius of a Sphere is -3.0; give a positive number of metres",
            lambda: named(dem).grad("lon", metric=-3))  # fmt: skip
    refused("metric is of type bool; give 'sphere', 'ellipsoid', 'cf', 'wrf', 'roms', ",
            lambda: named(dem).grad("lon", metric=True), TypeError)  # fmt: skip


def test_lengths_in_other_units_are_no_angles():
    dem = raster()
    metres = dem.assign_coords(x=dem.x.assign_attrs(units="m"), y=dem.y.assign_attrs(units="m"))
    refused("metric=Ellipsoid is for latitudes and longitudes, but 'x' is neither",
            lambda: metres.grad("x", metric=WGS84))  # fmt: skip


def test_pyproj_is_named_where_it_is_missing(monkeypatch):
    dem = with_name(raster(), **WGS84.to_cf())
    monkeypatch.setitem(sys.modules, "pyproj", None)
    refused("metric='cf' needs pyproj; install it with: pip install \"xgradient[geodesic]\"",
            lambda: dem.grad("x", metric="cf"), ImportError)  # fmt: skip
    # Other metrics do not need it.
    np.testing.assert_allclose(named(dem).grad("lon", metric=6e6)[0, 0] * 1e6, 9.98, rtol=0.9)
