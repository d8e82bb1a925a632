"""Components relative to the grid or to the Earth, on maps and two-dimensional coordinates."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.map_fields import CONFORMAL, RADIUS, angle_of_x, projected
from ..support.marks import slow

pyproj = pytest.importorskip("pyproj")

OMEGA = 20 / RADIUS


class Winds:
    """A solid rotation round the Earth's axis on a map, by both kinds of components."""

    def __init__(self, name, n, axes="map", figure="sphere"):
        self.crs, f, (lon, lat) = projected(name, n, figure=figure)
        self.exact = f.copy(data=2 * OMEGA * np.sin(lat))
        speed = OMEGA * RADIUS * np.cos(lat)
        x, y = f.dims[::-1]
        self.names, self.metric = (x, y), self.crs
        degrees = {
            "lon": (f.dims, np.rad2deg(lon), {"units": "degrees_east"}),
            "lat": (f.dims, np.rad2deg(lat), {"units": "degrees_north"}),
        }
        f = f.assign_coords(degrees) if axes != "map" else f
        if axes == "earth":
            self.names, self.metric = ("lon", "lat"), RADIUS
            f = f.drop_vars([x, y]).rename({x: "x", y: "y"})
        self.lat, self.lon, self.f = lat, lon, f
        self.earth = self.pair(speed, 0 * speed)
        self.grid = None
        if name in CONFORMAL:
            self.angle = angle_of_x(name, lon, lat)
            self.grid = self.turned(speed, 0 * speed)

    def pair(self, u, v):
        fields = [self.f.copy(data=a).rename(c) for a, c in ((u, "u"), (v, "v"))]
        fields = [field.assign_attrs(units="m s-1") for field in fields]
        return dict(zip(self.names, fields, strict=True))

    def turned(self, u, v):
        """The components along x and y of a wind (u, v) to the east and north."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return self.pair(c * u + s * v, c * v - s * u)

    def labelled(self, relative, **attrs):
        """The components with attributes, each a pair of values."""
        rows = {key: dict(zip(self.names, pair, strict=True)) for key, pair in attrs.items()}
        return {
            name: field.assign_attrs({key: row[name] for key, row in rows.items()})
            for name, field in getattr(self, relative).items()
        }


def order_of(error, accuracy):
    coarse, fine = (error(n) for n in (12, 23))
    assert fine < 5e-4
    return np.log2(coarse / fine)


@pytest.mark.parametrize("accuracy", [slow(2), 4])
@pytest.mark.parametrize("relative", ["grid", "earth"])
@pytest.mark.parametrize("axes", ["map", "earth"])
@pytest.mark.parametrize("name", CONFORMAL)
def test_the_vorticity_of_a_solid_rotation(name, axes, relative, accuracy):
    """By x and y and by longitude and latitude, with either kind of components."""

    def error(n):
        winds = Winds(name, n, axes)
        options = {"metric": winds.metric, "accuracy": accuracy, "edge_order": accuracy}
        found = xgradient.curl(getattr(winds, relative), relative=relative, **options)
        divergence = xgradient.divergence(getattr(winds, relative), relative=relative, **options)
        assert found.attrs["units"] == divergence.attrs["units"] == "s-1"
        worst = max(abs(found - winds.exact.values).max(), abs(divergence).max())
        return float(worst / winds.exact.max())

    assert order_of(error, accuracy) > accuracy - 0.5


@pytest.mark.parametrize("axes", ["map", "earth"])
@pytest.mark.parametrize("name", CONFORMAL[:2])
def test_the_comparison_can_fail(name, axes):
    winds = Winds(name, 23, axes)
    for relative, wrong in (("grid", "earth"), ("earth", "grid")):
        found = xgradient.curl(getattr(winds, relative), metric=winds.metric, relative=wrong)
        assert abs(found - winds.exact.values).max() > 0.1 * winds.exact.max()


SKEWED = ["lambert_azimuthal_equal_area", "albers_conical_equal_area", "sinusoidal"]


@pytest.mark.parametrize("name", SKEWED)
def test_where_x_and_y_are_not_at_right_angles(name):
    """Components to the east and north become those along both directions."""
    winds = Winds(name, 29)
    options = {"metric": winds.crs, "accuracy": 4, "edge_order": 4, "relative": "earth"}
    scale = 2 * OMEGA
    assert abs(xgradient.curl(winds.earth, **options) - winds.exact).max() < 3e-6 * scale
    assert abs(xgradient.divergence(winds.earth, **options)).max() < 3e-6 * scale
    assert xgradient.strain(winds.earth, **options).total_deformation.max() < 9e-6 * scale
    rows = xgradient.jacobian(winds.earth, **options)
    assert abs(rows.du_dx + rows.dv_dy).max() < 3e-6 * scale
    height = winds.f.copy(data=np.sin(winds.lat))
    along = height.grad.advection(winds.earth, **options)
    assert abs(along).max() < 1e-5 * OMEGA  # the flow follows parallels
    north = winds.pair(0 * winds.lat, 1 + 0 * winds.lat)
    found = height.grad.directional(north, **options)
    np.testing.assert_allclose(found * RADIUS, np.cos(winds.lat), rtol=1e-4)


CALLS = {
    "curl": lambda wind, t, **o: xgradient.curl(wind, **o),
    "divergence": lambda wind, t, **o: xgradient.divergence(wind, **o),
    "jacobian": lambda wind, t, **o: xgradient.jacobian(wind, **o),
    "strain": lambda wind, t, **o: xgradient.strain(wind, **o),
    "advection": lambda wind, t, **o: t.grad.advection(wind, **o),
    "directional": lambda wind, t, **o: t.grad.directional(wind, **o),
}


@pytest.mark.parametrize("axes", ["map", "earth"])
@pytest.mark.parametrize("call", CALLS)
def test_every_operator_takes_both_kinds(call, axes):
    """Components that were rotated before the call give the same results."""
    winds = Winds("lambert_conformal_conic", 15, axes)
    options = {"metric": winds.metric, "accuracy": 6}
    own = "grid" if axes == "map" else "earth"
    other = {"grid": "earth", "earth": "grid"}[own]
    u, v = 10 * np.sin(2 * winds.lon + winds.lat), 10 * np.cos(winds.lon + winds.lat)
    wind = {"earth": winds.pair(u, v), "grid": winds.turned(u, v)}
    t = winds.f.copy(data=np.sin(2 * winds.lon + winds.lat)).rename("t").assign_attrs(units="K")
    expected = CALLS[call](wind[own], t, **options)
    found = CALLS[call](wind[other], t, relative=other, **options)
    if isinstance(found, xr.DataArray):
        found, expected = found.to_dataset(name="r"), expected.to_dataset(name="r")
    assert set(found) == set(expected)
    for name, field in expected.items():
        scale = float(abs(field).max())
        np.testing.assert_allclose(found[name], field, rtol=1e-4, atol=1e-4 * scale)
        assert found[name].attrs["units"] == field.attrs["units"]
        assert found[name].dtype == field.dtype


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("lambert_conformal_conic", "map"),
        ("rotated_latitude_longitude", "earth"),
        slow("lambert_conformal_conic", "earth"),
        slow("rotated_latitude_longitude", "map"),
    ],
)
def test_chunks_stay_lazy_and_change_no_bit(name, axes, nothing_computed):
    pytest.importorskip("dask")
    winds = Winds(name, 24, axes)
    given = {"map": "earth", "earth": "grid"}[axes]
    for call in CALLS.values():
        wind = getattr(winds, given)
        with nothing_computed():
            chunks = dict(zip(winds.f.dims, (7, 11), strict=True))
            lazy = {k: f.chunk(chunks) for k, f in wind.items()}
            result = call(
                lazy, next(iter(lazy.values())).rename("t"), metric=winds.metric, relative=given
            )
        expected = call(
            wind, next(iter(wind.values())).rename("t"), metric=winds.metric, relative=given
        )
        xr.testing.assert_identical(result.compute(scheduler="synchronous"), expected)


def test_single_precision_and_integers_keep_their_type():
    winds = Winds("mercator", 9, "earth")
    for dtype, expected in (("f4", "f4"), ("i4", "f8")):
        wind = {name: field.astype(dtype) for name, field in winds.grid.items()}
        found = xgradient.curl(wind, metric=RADIUS, relative="grid")
        assert found.dtype == expected
        np.testing.assert_allclose(found, winds.exact, atol=3e-7 if dtype == "f4" else 1e-5)


def test_components_in_different_units():
    winds = Winds("polar_stereographic", 15)
    x, y = winds.names
    knots = (winds.earth[y] * 3600 / 1852).assign_attrs(units="knot")
    for wind, unit in (({x: winds.earth[x], y: knots}, "s-1"),):
        found = xgradient.curl(wind, metric=winds.crs, relative="earth")
        expected = xgradient.curl(winds.earth, metric=winds.crs, relative="earth")
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert found.attrs["units"] == unit
    bare = {x: winds.earth[x], y: winds.earth[y].drop_attrs()}
    assert "units" not in xgradient.curl(bare, metric=winds.crs, relative="earth").attrs


def test_the_vertical_component_stays():
    """Of three components, both horizontal ones are rotated."""
    winds = Winds("lambert_conformal_conic", 12)
    z = xr.Variable("z", np.arange(3.0), {"units": "m", "positive": "up"})
    growth = xr.DataArray([1.0, 1.0, 1.0], {"z": z}, "z")
    wind = {k: (growth * f).assign_attrs(f.attrs).rename(f.name) for k, f in winds.earth.items()}
    wind["z"] = (0 * wind["x"] + growth.z).assign_attrs(units="m s-1").rename("w")
    found = xgradient.curl(wind, metric=winds.crs, relative="earth")
    expected = xgradient.curl(winds.earth, metric=winds.crs, relative="earth")
    np.testing.assert_allclose(found.curl_z[1], expected, rtol=1e-12)
    divergence = xgradient.divergence(wind, metric=winds.crs, relative="earth")
    flat = xgradient.divergence(winds.earth, metric=winds.crs, relative="earth")
    np.testing.assert_allclose(divergence[1], flat + 1, rtol=1e-12)


# The default


NAMES = {
    "earth": [("eastward_wind", "northward_wind"),
              ("surface_downward_eastward_stress", "surface_downward_northward_stress"),
              ("eastward_sea_water_velocity", "northward_sea_water_velocity")],
    "grid": [("x_wind", "y_wind"), ("grid_eastward_wind", "grid_northward_wind"),
             ("sea_water_x_velocity", "sea_water_y_velocity")],
}  # fmt: skip


@pytest.mark.parametrize("axes", ["map", "earth"])
@pytest.mark.parametrize("relative", NAMES)
def test_the_default_follows_the_file(relative, axes):
    winds = Winds("lambert_conformal_conic", 12, axes)
    expected = xgradient.curl(getattr(winds, relative), metric=winds.metric, relative=relative)
    flags = {"earth": (0, 0), "grid": (np.int64(1), 1)}
    other = {"grid": "earth", "earth": "grid"}[relative]
    cases = [
        *({"standard_name": names} for names in NAMES[relative]),
        {"GRIB_uvRelativeToGrid": flags[relative]},
        # A standard name that says otherwise wins, but not the one that cfgrib gives.
        {"GRIB_uvRelativeToGrid": flags[other], "standard_name": NAMES[relative][0]},
        {"GRIB_uvRelativeToGrid": flags[relative], "standard_name": NAMES[other][0],
         "GRIB_cfName": NAMES[other][0]},
        {"standard_name": (NAMES[relative][0][0], None)},
    ]  # fmt: skip
    for attrs in cases:
        wind = winds.labelled(relative, **attrs)
        np.testing.assert_array_equal(xgradient.curl(wind, metric=winds.metric), expected)
    # An argument comes before all of these.
    wind = winds.labelled(relative, standard_name=NAMES[other][0])
    found = xgradient.curl(wind, metric=winds.metric, relative=relative)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("axes", "default"), [("map", "grid"), ("earth", "earth")])
def test_the_default_where_the_file_is_silent(axes, default):
    winds = Winds("lambert_conformal_conic", 12, axes)
    wind = getattr(winds, default)
    expected = xgradient.curl(wind, metric=winds.metric, relative=default)
    np.testing.assert_array_equal(xgradient.curl(wind, metric=winds.metric), expected)


def test_names_of_results_say_the_direction():
    winds = Winds("lambert_conformal_conic", 9)
    wind = winds.labelled("earth", standard_name=NAMES["earth"][0])
    found = xgradient.curl(wind, metric=winds.crs)
    assert found.attrs["standard_name"] == "atmosphere_relative_vorticity"
    rows = xgradient.jacobian(wind, metric=winds.crs)
    assert rows.du_dx.attrs["long_name"] == (
        "derivative of eastward wind, along x with respect to x"
    )


def test_on_a_regular_grid_both_are_the_same():
    lat, lon = np.arange(-60.0, 61, 10), np.arange(0.0, 360, 30)
    u = xr.DataArray(np.cos(np.deg2rad(lat))[:, None] * np.ones(12), {"lat": lat, "lon": lon},
                     ("lat", "lon"), "u")  # fmt: skip
    expected = xgradient.curl(lon=u, lat=0 * u, metric="sphere")
    for relative in ("grid", "earth"):
        found = xgradient.curl(lon=u, lat=0 * u, metric="sphere", relative=relative)
        xr.testing.assert_identical(found, expected)


# Directions of dimensions


def turned(winds, change):
    return {name: change(field) for name, field in winds.grid.items()}


def test_any_order_names_and_direction_of_dimensions():
    winds = Winds("lambert_conformal_conic", 12, "earth")

    def call(wind):
        found = xgradient.curl(wind, metric=RADIUS, relative="grid", accuracy=4)
        return found.transpose(*[d for d in found.dims if str(d)[0] in "yjes"], ...)

    expected = call(winds.grid)
    close = {"rtol": 1e-9, "atol": 1e-15}
    np.testing.assert_allclose(call(turned(winds, lambda f: f.transpose())), expected, **close)
    for y, x in (("j", "i"), ("eta_rho", "xi_rho"), ("south_north", "west_east"), ("yc", "xc")):
        found = call(turned(winds, lambda f, x=x, y=y: f.rename(x=x, y=y).transpose()))
        np.testing.assert_allclose(found, expected, **close)
    # Rows from north to south: a coordinate that decreases, or the scan of GRIB.
    ranged = turned(winds, lambda f: f.assign_coords(y=np.arange(12), x=np.arange(12))[::-1])
    np.testing.assert_allclose(call(ranged)[::-1], expected, **close)
    scanned = turned(
        winds, lambda f: f[::-1].assign_attrs(GRIB_jScansPositively=0, GRIB_iScansNegatively=0)
    )
    np.testing.assert_allclose(call(scanned)[::-1], expected, **close)
    # A coordinate with the attribute axis says more than a name.
    named = turned(winds, lambda f: f.rename(x="a", y="b").assign_coords(
        a=("a", np.arange(12), {"axis": "X"})))  # fmt: skip
    np.testing.assert_allclose(call(named), expected, **close)


def test_missing_positions_are_missing_values():
    """Land without positions; the directions next to it are those of the grid."""
    winds = Winds("lambert_conformal_conic", 14, "earth")
    land = np.zeros((14, 14), bool)
    land[5:8, 6] = True
    hidden = turned(
        winds,
        lambda f: f.assign_coords(
            lon=(f.dims, np.where(land, np.nan, f.lon), f.lon.attrs),
            lat=(f.dims, np.where(land, np.nan, f.lat), f.lat.attrs),
        ),
    )
    found = xgradient.curl(hidden, metric=RADIUS, relative="grid", skipna=True, edge_order=2)
    assert found.isnull().values.sum() == land.sum()
    assert abs(found - winds.exact.values).max() < 0.05 * winds.exact.max()


def test_a_moving_nest_has_directions_of_its_own():
    first, second = (Winds(name, 12, "earth") for name in CONFORMAL[:2])
    wind = {}
    for k in ("lon", "lat"):
        both = [w.grid[k].drop_vars(["lon", "lat"]) for w in (first, second)]
        wind[k] = xr.concat(both, "time").assign_coords(
            {c: (("time", "y", "x"), np.stack([w.f[c] for w in (first, second)]), w.f[c].attrs)
             for c in ("lon", "lat") for w in (first,)}
        )  # fmt: skip
    found = xgradient.curl(wind, metric=RADIUS, relative="grid", accuracy=4)
    for at, winds in enumerate((first, second)):
        assert abs(found[at] - winds.exact.values).max() < 1e-4 * winds.exact.max()


def test_rotated_poles_with_latitudes_and_longitudes_of_the_file():
    """Without a coordinate reference system, the directions are those of lon(y, x), lat(y, x)."""
    winds = Winds("rotated_latitude_longitude", 16, "both")
    options = {"metric": RADIUS, "relative": "earth", "accuracy": 4}
    found = xgradient.curl(winds.earth, **options)
    assert abs(found - winds.exact).max() < 1e-6 * winds.exact.max()
    lon, lat = (winds.earth[n].drop_vars(["lon", "lat"]) for n in winds.names)
    with pytest.raises(ValueError, match="how 'rlat', 'rlon' of a rotated pole lie on it is"):
        xgradient.curl(rlon=lon, rlat=lat, **options)


# Refusals


def refused(message, call):
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_what_is_refused():
    winds = Winds("lambert_conformal_conic", 9)
    crs, earth = winds.crs, winds.earth
    for value in ("Earth", "east", 1, True, ["grid"]):
        refused("; give 'grid' for components along x and y, 'earth' for",
                lambda value=value: xgradient.curl(earth, metric=crs, relative=value))  # fmt: skip
    named = winds.labelled("earth", standard_name=("eastward_wind", "y_wind"))
    refused("component 'u' (standard_name eastward_wind) is relative to the Earth, but 'v' "
            "(standard_name y_wind) to the grid; give relative='earth' or relative='grid'",
            lambda: xgradient.curl(named, metric=crs))  # fmt: skip
    xgradient.curl(named, metric=crs, relative="grid")
    flagged = winds.labelled("earth", GRIB_uvRelativeToGrid=(7, 7))
    refused("GRIB_uvRelativeToGrid of 'u' is 7, where 0 or 1 is expected; give relative='grid'",
            lambda: xgradient.curl(flagged, metric=crs))  # fmt: skip
    refused("'u' is relative to the Earth, but 'x' is a direction of the grid; give the other "
            "horizontal component, too, or relative='grid'",
            lambda: xgradient.divergence(x=earth["x"], metric=crs, relative="earth"))  # fmt: skip
    for metric in (None, {"x": 2.0}):
        options = {"metric": metric, "relative": "earth"}
        refused("relative is 'earth', but without a coordinate reference system",
                lambda options=options: xgradient.curl(earth, **options))  # fmt: skip
    winds = Winds("lambert_conformal_conic", 9, "earth")
    renamed = turned(winds, lambda f: f.rename(x="a", y="b"))
    refused("which of 'a', 'b' is along its x is not clear; say so by a coordinate with",
            lambda: xgradient.curl(renamed, metric=RADIUS, relative="grid"))  # fmt: skip
    refused("here; perhaps 'relative' is meant",
            lambda: xgradient.curl(winds.grid, metric=RADIUS, relative_="grid"))  # fmt: skip


def test_names_without_a_metric_change_nothing():
    """Without directions on the Earth, components are along the axes, whatever their names."""
    winds = Winds("lambert_conformal_conic", 9)
    named = winds.labelled("earth", standard_name=("eastward_wind", "northward_wind"))
    np.testing.assert_array_equal(xgradient.curl(named), xgradient.curl(winds.earth))
