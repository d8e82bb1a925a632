"""Derivatives by projected x and y, per metre on the Earth."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.backends import library
from ..support.cf_mappings import FIGURES, MAPPINGS, Place, attributes, largest_errors
from ..support.map_fields import CONFORMAL, RADIUS, projected, solid_rotation
from ..support.shared_data import open_shared

pyproj = pytest.importorskip("pyproj")

PAGE = Path(xgradient.__file__).parents[1] / "docs" / "how-to" / "projections.md"


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("name", MAPPINGS)
def test_map_factors_are_those_of_geodesics(name, figure):
    """Along x, along y and for areas, to 1e-9 and to the figures of the documentation."""
    errors = largest_errors(name, figure)
    assert max(errors) < 1e-9
    if PAGE.exists():
        (row,) = re.findall(rf"(?m)^\| {name} \| (.*) \|$", PAGE.read_text("utf-8"))
        limits = [3 * float(stated) for stated in row.split(" | ")]  # PROJ may round otherwise
        assert (np.array(errors) < limits).all()


@pytest.mark.parametrize("code", [3857, 2225, 2048, 2056, 31370, 5514, 27700, 3413, 3035, 32633])
def test_national_and_web_systems(code):
    """Other axes and units than metres to the east and north, and a sphere on an ellipsoid."""
    crs = pyproj.CRS(code)
    west, south, east, north = crs.area_of_use.bounds
    place = Place(crs, west + 0.4 * (east - west), south + 0.6 * (min(north, 89) - south))
    for found, truth in zip(place.found(crs), place.lengths(), strict=True):
        np.testing.assert_allclose(found, truth, rtol=1e-9)


def test_the_comparison_can_fail():
    """A wrong Earth and a wrong standard parallel are seen."""
    crs = pyproj.CRS.from_cf(attributes("mercator", "ellipsoid"))
    place = Place(crs, 14.0, 47.0)
    wrong = {**attributes("mercator", "ellipsoid"), "standard_parallel": 20.0001}
    for metric in (None, pyproj.CRS.from_cf(wrong)):
        assert abs(place.found(metric).x / place.lengths().x - 1) > 1e-7
    web = Place(pyproj.CRS(3857), 14.0, 47.0)
    sphere = pyproj.CRS("+proj=merc +R=6378137")
    assert abs(web.found(sphere).x / web.lengths().x - 1) > 1e-3


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("name", CONFORMAL)
def test_the_vorticity_of_a_solid_rotation(name, accuracy):
    errors = []
    for n in (12, 23):
        crs, wind, exact = solid_rotation(name, n)
        found = xgradient.curl(wind, metric=crs, accuracy=accuracy, edge_order=accuracy)
        divergence = xgradient.divergence(wind, metric=crs, accuracy=accuracy, edge_order=accuracy)
        assert found.attrs["units"] == divergence.attrs["units"] == "s-1"
        errors.append([float(abs(d).max() / exact.max()) for d in (found - exact, divergence)])
    assert errors[1][0] < 5e-3
    for coarse, fine in zip(*errors, strict=True):
        assert fine < 1e-12 or np.log2(coarse / fine) > accuracy - 0.3


SKEWED = ["lambert_azimuthal_equal_area", "sinusoidal", "albers_conical_equal_area",
          "orthographic", "geostationary"]  # fmt: skip


def harmonic(name, n, figure="sphere"):
    """A spherical harmonic of degree 3 on a map, and its gradient to the east and north."""
    size = 4e5 if name == "geostationary" else 1.5e6
    crs, f, (lon, lat) = projected(name, n, size, figure)
    s, c = np.sin(lat), np.cos(lat)
    east = -2 * c * s * np.sin(2 * lon) / RADIUS
    north = (c**3 - 2 * c * s**2) * np.cos(2 * lon) / RADIUS
    return crs, f.copy(data=c**2 * s * np.cos(2 * lon)), (east, north), (lon, lat)


def directions(crs, f):
    """East and north components of unit vectors along x and y, by short steps on the map."""
    proj, geod, step = pyproj.Proj(crs), pyproj.Geod(a=RADIUS, b=RADIUS), 100.0
    x, y = np.meshgrid(f.x, f.y)
    unit = []
    for dx, dy in ((step, 0), (0, step)):
        start, end = (proj(x + s * dx, y + s * dy, inverse=True) for s in (-1, 1))
        middle = proj(x, y, inverse=True)
        ahead, back = geod.inv(*middle, *end)[0], geod.inv(*middle, *start)[0]
        azimuth = np.deg2rad(ahead + ((back - ahead) % 360 - 180) / 2)
        unit.append((np.sin(azimuth), np.cos(azimuth)))
    return unit


@pytest.mark.parametrize("name", SKEWED)
def test_scalar_operators_where_x_and_y_are_not_at_right_angles(name):
    errors = []
    for n in (15, 29):
        crs, f, (east, north), _ = harmonic(name, n)
        options = {"metric": crs, "accuracy": 4, "edge_order": 4}
        a, b = directions(crs, f)
        found = f.grad(["x", "y"], **options)
        pairs = [
            (found.df_dx, a[0] * east + a[1] * north),
            (found.df_dy, b[0] * east + b[1] * north),
            (f.grad("y", **options), b[0] * east + b[1] * north),
            (f.grad.magnitude(**options), np.hypot(east, north)),
            (f.grad.laplacian(**options), -12 * f / RADIUS**2),
        ]
        errors.append([float(abs(d - t).max() / abs(t).max()) for d, t in pairs])
    assert np.max(errors[1]) < 2e-5
    assert np.min(np.log2(np.array(errors[0]) / errors[1])) > 3.3  # the Laplacian's edges


@pytest.mark.parametrize("name", SKEWED)
def test_vector_operators_where_x_and_y_are_not_at_right_angles(name):
    """A solid rotation has a vorticity and nothing else; a gradient has a Laplacian."""
    crs, f, (east, north), (_, lat) = harmonic(name, 29)
    options = {"metric": crs, "accuracy": 4, "edge_order": 4}
    a, b = directions(crs, f)
    det = a[0] * b[1] - a[1] * b[0]

    def along_axes(u, v):
        parts = (u * b[1] - v * b[0]) / det, (v * a[0] - u * a[1]) / det
        return {
            d: f.copy(data=p).rename(n).assign_attrs(units="m s-1")
            for d, n, p in zip("xy", "uv", parts, strict=True)
        }

    wind, scale = along_axes(20 * np.cos(lat), 0 * lat), 40 / RADIUS
    vorticity = xgradient.curl(wind, **options)
    assert abs(vorticity - scale * np.sin(lat)).max() < 1e-6 * scale
    assert abs(xgradient.divergence(wind, **options)).max() < 1e-6 * scale
    assert xgradient.strain(wind, **options).total_deformation.max() < 3e-6 * scale
    rows = xgradient.jacobian(wind, **options)
    assert abs(rows.du_dx + rows.dv_dy).max() < 1e-6 * scale
    slope = along_axes(east, north)
    exact = -12 * f / RADIUS**2
    assert abs(xgradient.divergence(slope, **options) - exact).max() < 1e-4 * abs(exact).max()
    steepest = np.hypot(east, north)
    found = f.grad.directional(slope, **options)
    assert abs(found - steepest).max() < 1e-5 * steepest.max()
    found = f.grad.advection(slope, **options)
    assert abs(found + steepest**2).max() < 1e-5 * (steepest**2).max()


def test_a_direction_by_components_in_different_units():
    """Where x and y are not at right angles, the length of the vector mixes them."""
    crs, f, *_ = harmonic("sinusoidal", 15)
    u, v = (f.copy(data=a).assign_attrs(units="m s-1") for a in (3 + np.sin(f), 2 - f))
    expected = f.grad.directional(x=u, y=v, metric=crs)
    knots_u, knots_v = ((c * 3600 / 1852).assign_attrs(units="knot") for c in (u, v))
    for x, y in ((u, knots_v), (knots_u, v), (knots_u, knots_v)):
        found = f.grad.directional(x=x, y=y, metric=crs)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    wrong = f.grad.directional(x=u, y=knots_v.assign_attrs(units="m s-1"), metric=crs)
    assert abs(wrong / expected - 1).max() > 0.1


@pytest.mark.parametrize("kind", ["cupy, simulated", "dask of cupy, simulated"])
@pytest.mark.parametrize("name", ["mercator", "lambert_azimuthal_equal_area",
                                  "rotated_latitude_longitude"])  # fmt: skip
def test_fields_on_a_gpu(name, kind):
    """Map factors, positions and directions are made in memory, and taken to the device."""
    crs, f, *_ = harmonic(name, 12)
    y, x = f.dims
    components = {x: f, y: f.rename("g")}
    calls = {
        "grad": lambda f, c: f.grad([x, y], metric=crs, accuracy=4),
        "laplacian": lambda f, c: f.grad.laplacian(metric=crs),
        "curl": lambda f, c: xgradient.curl(c, metric=crs, relative="earth"),
        "strain": lambda f, c: xgradient.strain(c, metric=crs),
        "directional": lambda f, c: f.grad.directional(c, metric=crs, relative="earth"),
        "magnitude": lambda f, c: f.grad.magnitude(metric=crs),
    }
    with library(kind) as xp:
        there = f.copy(data=xp.asarray(f.values))
        components_there = {d: c.copy(data=xp.asarray(c.values)) for d, c in components.items()}
        for call in calls.values():
            expected, found = call(f, components), call(there, components_there)
            if isinstance(expected, xr.DataArray):
                expected, found = expected.to_dataset(name="r"), found.to_dataset(name="r")
            for result, field in expected.items():
                values = xp.numpy(found[result].data)
                np.testing.assert_allclose(values, field, rtol=1e-9, atol=1e-12 * abs(field).max())


def test_mappings_without_a_figure_of_the_earth():
    """All have WGS84, as pyproj gives it; a latitude_longitude as well as a rotated pole."""
    wgs84 = {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563}
    for name in ("latitude_longitude", "rotated_latitude_longitude", "mercator"):
        attrs = {k: v for k, v in attributes(name, "sphere").items() if k != "earth_radius"}
        bare, known = pyproj.CRS.from_cf(attrs), pyproj.CRS.from_cf({**attrs, **wgs84})
        assert bare.ellipsoid.semi_major_metre == 6378137.0
        _, f, *_ = harmonic("mercator" if name == "mercator" else "rotated_latitude_longitude", 9)
        f = f.assign_coords(map=((), 0, attrs)).assign_attrs(grid_mapping="map")
        names = list(f.dims)
        if name == "latitude_longitude":
            f, names = f.rename(rlat="lat", rlon="lon"), ["lat", "lon"]
        found, expected = f.grad(names, metric="cf"), f.grad(names, metric=known)
        for result in expected:
            np.testing.assert_allclose(found[result], expected[result], rtol=1e-12)


@pytest.mark.parametrize("name", ["mercator", "lambert_azimuthal_equal_area"])
def test_any_unit_of_length(name):
    crs, f, *_ = harmonic(name, 9)
    expected = f.grad(["x", "y"], metric=crs, accuracy=4)
    for units, metres in (("km", 1e3), ("ft", 0.3048), ("Mm", 1e6)):
        coords = {d: (d, f[d].values / metres, {"units": units}) for d in ("x", "y")}
        found = f.assign_coords(coords).grad(["x", "y"], metric=crs, accuracy=4)
        for result in ("df_dx", "df_dy"):
            np.testing.assert_allclose(found[result], expected[result], rtol=1e-9)
            assert found[result].dims == ("y", "x")
    survey = pyproj.CRS(pyproj.Proj(crs).definition.replace("units=m", "units=us-ft"))
    scaled = survey.cs_to_cf()[0]["units"]
    assert scaled.startswith("0.3048006096")
    for units in (None, "US_survey_foot", "US_survey_feet", scaled):
        attrs = {} if units is None else {"units": units}
        coords = {d: (d, f[d].values * 3937 / 1200, attrs) for d in ("x", "y")}
        for metric in (survey,) if units is None else (survey, crs):
            found = f.assign_coords(coords).grad(["x", "y"], metric=metric, accuracy=4)
            np.testing.assert_allclose(found.df_dx, expected.df_dx, rtol=1e-6)


def satellite(n=41, radians=False):
    """The full disc of a geostationary satellite, off which are the corners."""
    attrs = attributes("geostationary", "ellipsoid")
    x = np.linspace(-5.6e6, 5.6e6, n)
    units = {"units": "m"}
    if radians:
        x, units = x / attrs["perspective_point_height"], {"units": "rad"}
        units["standard_name"] = "projection_x_angular_coordinate"
    y = dict(units, standard_name="projection_y_angular_coordinate") if radians else units
    coords = {"y": ("y", x, y), "x": ("x", x, units), "goes": ((), 0, attrs)}
    f = xr.DataArray(np.ones((n, n)), coords, ("y", "x"), "f", {"grid_mapping": "goes"})
    crs = pyproj.CRS.from_cf(attrs)
    x = x * (attrs["perspective_point_height"] if radians else 1)
    lat = pyproj.Proj(crs)(*np.meshgrid(x, x), inverse=True)[1]
    return f.copy(data=np.sin(np.deg2rad(np.where(np.isfinite(lat), lat, 0)))), lat


@pytest.mark.parametrize("radians", [False, True])
def test_points_off_the_disc_are_missing(radians):
    f, lat = satellite(radians=radians)
    found = f.grad(["x", "y"], metric="cf")
    on = np.isfinite(lat)
    assert found.df_dy.where(~on).isnull().all()
    inner = (np.hypot(f.y, f.x) < 0.75 * f.x.max()).values
    assert found.df_dy.where(inner, 0).notnull().all()
    # The derivative of the sine of the latitude is its cosine over the radius of the meridian.
    steepest = f.grad.magnitude(metric="cf", accuracy=4).where(inner)
    e2 = 1 - (6356752.314245179 / 6378137.0) ** 2
    phi = np.deg2rad(np.where(on, lat, 0))
    exact = np.cos(phi) * (1 - e2 * np.sin(phi) ** 2) ** 1.5 / (6378137.0 * (1 - e2))
    assert float(abs(steepest / exact - 1).max()) < 2e-3
    # The rim is a coast, if missing values are boundaries.
    values = f.where(on)
    more = values.grad("y", metric="cf", skipna=True).notnull()
    assert more.sum() > found.df_dy.notnull().sum()


@pytest.mark.parametrize("name", ["lambert_conformal_conic", "lambert_azimuthal_equal_area"])
def test_chunks_change_nothing(name, nothing_computed):
    pytest.importorskip("dask")
    crs, f, *_ = harmonic(name, 24)
    for call in (
        lambda f: f.grad(["x", "y"], metric=crs),
        lambda f: f.grad.laplacian(metric=crs),
        lambda f: xgradient.curl(x=f, y=f.rename("g"), metric=crs, accuracy=4),
        lambda f: f.grad.directional(x=f, y=f.rename("g"), metric=crs),
    ):
        with nothing_computed():
            lazy = call(f.chunk(x=7, y=11))
        xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), call(f))
    assert call(f.chunk(y=5)).chunks[0] == (5, 5, 5, 5, 4)


def test_in_any_order_of_dimensions_and_with_others():
    """Times and levels keep their own coordinate; y may decrease, as in rasters."""
    crs, f, *_ = harmonic("lambert_azimuthal_equal_area", 9)
    expected = f.grad(["x", "y"], metric=crs)
    time = xr.Variable("time", np.arange(3.0), {"units": "s"})
    growth = xr.DataArray([1.0, 2.0, 4.0], {"time": time}, "time")
    cube = (growth * f).assign_coords(f.coords).rename("f")
    found = cube.transpose("x", "time", "y").grad(["time", "y", "x"], metric=crs)
    np.testing.assert_allclose(found.df_dx.sel(time=1).T, 2 * expected.df_dx, rtol=1e-13)
    np.testing.assert_allclose(found.df_dtime.sel(time=0).T, f, rtol=1e-13)
    for turned in (f[::-1], f[:, ::-1], f[::-1, ::-1]):
        again = turned.grad(["x", "y"], metric=crs).sortby(["x", "y"])
        np.testing.assert_allclose(again.df_dx, expected.df_dx, rtol=1e-10)
        np.testing.assert_allclose(again.df_dy, expected.df_dy, rtol=1e-10)


def test_a_section_with_a_single_y():
    """In a conformal projection the map factor of the point is enough."""
    crs, f, *_ = harmonic("mercator", 9)
    expected = f.grad("x", metric=crs)[3]
    found = f[3].grad("x", metric=crs)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_latitudes_and_longitudes_of_the_same_file():
    """Coordinates that are angles have lengths on the figure of the system."""
    crs, f, _, (lon, lat) = harmonic("lambert_azimuthal_equal_area", 9, "ellipsoid")
    degrees = {"lon": (("y", "x"), np.rad2deg(lon)), "lat": (("y", "x"), np.rad2deg(lat))}
    both = f.assign_coords(degrees)
    found = both.grad(["lon", "lat"], metric=crs)
    xr.testing.assert_identical(found, both.grad(["lon", "lat"], metric="ellipsoid"))


def test_map_factors_of_wrf():
    """MAPFAC_M of a run of WRF: Mercator, on a sphere of 6370 km, to 1e-6."""
    ds = open_shared("wrf_katrina_winds.nc")
    crs = pyproj.CRS(f"+proj=merc +lat_ts={float(ds.TRUELAT1)} +lon_0={ds.STAND_LON} +R=6370000")
    lat, lon = (ds[name][0].astype("float64") for name in ("XLAT", "XLONG"))
    x, y = pyproj.Proj(crs)(lon.values, lat.values)
    coords = {
        "y": ("y", y.mean(1), {"units": "m"}), "x": ("x", x.mean(0), {"units": "m"}),
    }  # fmt: skip
    f = xr.DataArray(x.mean(0) + 0 * y.mean(1)[:, None], coords, ("y", "x"))
    found = f.grad("x", metric=crs)
    np.testing.assert_allclose(found, ds.MAPFAC_M[0], rtol=1e-6)
    wrong = f.grad("x", metric=pyproj.CRS(f"+proj=merc +lon_0={ds.STAND_LON} +ellps=WGS84"))
    assert abs(wrong - ds.MAPFAC_M[0].values).max() > 1e-4


def refused(message, call):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()


def test_what_a_projection_cannot_do():
    crs, f, *_ = harmonic("lambert_azimuthal_equal_area", 9)
    mercator = pyproj.CRS.from_cf(attributes("mercator", "sphere"))
    warm = f.assign_coords(x=f.x.assign_attrs(units="K"))
    refused("coordinate 'x' has the units 'K', but ", lambda: warm.grad("x", metric=crs))
    refused("lengths along 'x' depend on the y of the projection, but no coordinate is one by",
            lambda: f.drop_vars("y").grad("x", metric=mercator))  # fmt: skip
    refused("'y' is a single value, but lengths in ", lambda: f[3].grad("x", metric=crs))
    refused("spacing of 'x' is given together with a metric",
            lambda: f.grad("x", metric=crs, spacing=2.0))  # fmt: skip
    refused("deriv is 2 along 'x', whose projection is not conformal; along such coordinates",
            lambda: f.grad("x", metric=crs, deriv=2))  # fmt: skip
    refused("a Laplacian along 'x', whose projection is not conformal, takes the other",
            lambda: f.grad.laplacian("x", metric=crs))  # fmt: skip
    time = f.rename(x="time")
    refused("metric=Sphere is for latitudes and longitudes, but 'time' is neither",
            lambda: time.grad("time", metric=crs))  # fmt: skip
    both = f.assign_coords(easting=("x", f.x.values))
    refused("'x' and 'easting' both lie along 'x'",
            lambda: both.grad(["x", "easting"], metric=crs))  # fmt: skip
    refused("the coordinate reference system 'EGM96 height' is neither geographic nor projected",
            lambda: f.grad("x", metric=pyproj.CRS(5773)))  # fmt: skip
