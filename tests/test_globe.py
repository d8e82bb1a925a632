"""The sphere and the ellipsoid: against closed forms, next to the poles and on them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid, Sphere

from . import globe
from .globe import RADIUS

FIELDS = {
    "Rossby-Haurwitz vorticity": (1e-3, 1.5e-6, 5e-9),
    "divergence of Y51": (1.2e-3, 2e-6, 1e-8),
    "tilted vorticity": (3.5e-3, 5e-7, 1e-9),
    "tilted divergence": (3.5e-3, 5e-7, 1e-9),
    "gradient of Y52": (1.5e-3, 3e-6, 1e-8),
    "Laplacian of Y52": (1.2e-3, 3e-6, 1e-8),
    "Laplacian of Y51": (2.5e-2, 4e-5, 1e-7),
}
CURLS = {
    "Rossby-Haurwitz vorticity": globe.rossby_haurwitz,
    "tilted vorticity": globe.tilted_rotation,
}


def computed(name, lat, lon, accuracy, metric="sphere"):
    """What an operator gives, and what it should, as pairs of arrays."""
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    options = {"metric": metric, "accuracy": accuracy}

    def as_field(values, called="f", units="1"):
        return globe.labelled(values, lat, lon, called, units)

    if name in CURLS:
        flow = CURLS[name](phi, lam)
        u, v = as_field(flow.u), as_field(flow.v)
        return [(xgradient.curl(lon=u, lat=v, **options), flow.vorticity)]
    if "divergence" in name:
        tilted = name.startswith("tilted")
        flow = globe.tilted_rotation(phi, lam) if tilted else globe.potential(1, phi, lam)
        u, v = as_field(flow.u), as_field(flow.v)
        return [(xgradient.divergence(lon=u, lat=v, **options), flow.divergence)]
    scalar = globe.harmonic(int(name[-1]), phi, lam)
    f = as_field(scalar.f)
    if name.startswith("Laplacian"):
        return [(f.grad.laplacian(["lat", "lon"], **options), scalar.laplacian)]
    made = f.grad(["lat", "lon"], **options)
    return [(made.df_dlon, scalar.east), (made.df_dlat, scalar.north)]


def errors(name, lat, lon, accuracy):
    """Largest error over largest exact value, on rows beside the poles and on them."""
    beside, on = 0.0, 0.0
    for found, exact in computed(name, lat, lon, accuracy):
        scale = np.abs(exact).max()
        if not scale:  # a divergence of zero, beside the vorticity of the same flow
            scale = 2 * 20 / RADIUS
        error = np.abs(found.values - exact) / scale
        poles = np.abs(lat) == 90
        beside = max(beside, error[~poles].max())
        on = max(on, error[poles].max(initial=0))
    return beside, on


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("name", FIELDS)
def test_every_row_is_right(name, at, poles):
    beside, on = errors(name, *globe.grid(poles=poles), accuracy=2 + 2 * at)
    limit = FIELDS[name][at]
    assert 0 < beside < limit
    assert on < (limit if poles else 1e-30)


# Next to a pole 1/cos φ is as large as one over the step. Where the field crosses the pole, terms
# of this size cancel there, and the largest error of the rows next to it is one order lower.
CROSSING = {"tilted vorticity", "tilted divergence", "divergence of Y51", "Laplacian of Y51"}


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("name", FIELDS)
def test_the_order_of_accuracy_next_to_the_poles(name, accuracy, poles):
    steps = np.array([2.0, 1.0, 0.5])
    sizes = [errors(name, *globe.grid(step, poles=poles), accuracy)[0] for step in steps]
    slopes = np.diff(np.log(sizes)) / np.diff(np.log(steps))
    assert slopes.min() > accuracy - (1.1 if name in CROSSING else 0.3)


def test_a_sign_that_is_wrong_at_the_poles_is_seen():
    lat, lon = globe.grid()
    flow = globe.tilted_rotation(np.deg2rad(lat), np.deg2rad(lon))
    u, v = (globe.labelled(c, lat, lon, n, "m s-1") for c, n in ((flow.u, "u"), (flow.v, "v")))
    right = xgradient.jacobian(lon=u, lat=v, metric="sphere", accuracy=4).dv_dlat
    assert np.abs(right).max() < 1e-15
    # Taken as a scalar, a component jumps at the poles.
    wrong = v.grad("lat", metric="sphere", accuracy=4)
    assert np.abs(wrong[0]).max() > 1e-5


def test_tensors_on_the_globe():
    """Traces and antisymmetric parts, whose values are known, on every row and on the poles."""
    lat, lon = globe.grid(3.0, poles=True)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    flow = globe.potential(1, phi, lam)
    u, v = (globe.labelled(c, lat, lon, n, "m s-1") for c, n in ((flow.u, "u"), (flow.v, "v")))
    for metric in ("sphere", "ellipsoid"):
        options = {"metric": metric, "accuracy": 4}
        j = xgradient.jacobian(lon=u, lat=v, **options)
        trace, turn = j.du_dlon + j.dv_dlat, j.dv_dlon - j.du_dlat
        scale = float(np.abs(trace).max())
        divergence = xgradient.divergence(lon=u, lat=v, **options)
        np.testing.assert_allclose(trace, divergence, atol=1e-13 * scale, rtol=0)
        curl = xgradient.curl(lon=u, lat=v, **options)
        np.testing.assert_allclose(turn, curl, atol=1e-13 * scale, rtol=0)
        f = globe.labelled(globe.harmonic(2, phi, lam).f, lat, lon, "f", "K")
        h = f.grad.hessian(["lon", "lat"], **options)
        laplacian = f.grad.laplacian(["lon", "lat"], **options)
        scale = float(np.abs(laplacian).max())
        both = h.d2f_dlon2 + h.d2f_dlat2
        np.testing.assert_allclose(both, laplacian, atol=1e-12 * scale, rtol=0)


@pytest.mark.parametrize("poles", [False, True])
def test_second_derivatives_are_those_of_the_gradient(poles):
    """The Jacobian of the exact gradient is the Hessian, and symmetric, also on the poles."""
    lat, lon = globe.grid(2.0, poles=poles)
    scalar = globe.harmonic(1, np.deg2rad(lat), np.deg2rad(lon))
    f, u, v = (
        globe.labelled(c, lat, lon, n, "1")
        for c, n in ((scalar.f, "f"), (scalar.east, "u"), (scalar.north, "v"))
    )
    j = xgradient.jacobian(lon=u, lat=v, metric="sphere", accuracy=6)
    h = f.grad.hessian(["lon", "lat"], metric="sphere", accuracy=6)
    scale = float(np.abs(scalar.laplacian).max())
    pairs = [
        (j.du_dlon, h.d2f_dlon2), (j.dv_dlat, h.d2f_dlat2),
        (j.du_dlat, h.d2f_dlon_dlat), (j.dv_dlon, h.d2f_dlon_dlat),
    ]  # fmt: skip
    for a, b in pairs:
        np.testing.assert_allclose(a, b, atol=2e-5 * scale, rtol=0)


# -- the same numbers however the grid is told ----------------------------------------------------


def case(poles=False, step=4.0):
    lat, lon = globe.grid(step, poles=poles)
    angles = np.deg2rad(lat), np.deg2rad(lon)
    sinks, wave, turning = globe.potential(1, *angles), globe.rossby_haurwitz(*angles), 3e7
    u = globe.labelled(wave.u + turning * sinks.u, lat, lon, "u", "m s-1")
    v = globe.labelled(wave.v + turning * sinks.v, lat, lon, "v", "m s-1")
    return xr.Dataset({"u": u, "v": v})


def jump_inside(ds):
    return ds.roll(lon=30, roll_coords=True)


def from_minus_180(ds):
    return ds.assign_coords(lon=(((ds.lon + 180) % 360) - 180).assign_attrs(ds.lon.attrs)).sortby(
        "lon"
    )


def in_radians(ds):
    units = {"units": "radian"}
    lat, lon = (np.deg2rad(ds[n]).assign_attrs(ds[n].attrs | units) for n in ("lat", "lon"))
    return ds.assign_coords(lat=lat, lon=lon)


TOLD = {
    "descending latitudes": lambda ds: ds.isel(lat=slice(None, None, -1)),
    "descending longitudes": lambda ds: ds.isel(lon=slice(None, None, -1)),
    "a jump inside": jump_inside,
    "from -180": from_minus_180,
    "radians": in_radians,
    "single coordinates": lambda ds: ds.assign_coords(
        lat=ds.lat.astype("f4").assign_attrs(ds.lat.attrs),
        lon=ds.lon.astype("f4").assign_attrs(ds.lon.attrs),
    ),
    "transposed": lambda ds: ds.transpose("lon", "lat"),
    "one transposed": lambda ds: ds.assign(u=ds.u.transpose("lon", "lat")),
    "names only": lambda ds: ds.assign_coords(lat=ds.lat.drop_attrs(), lon=ds.lon.drop_attrs()),
    "in chunks": lambda ds: ds.chunk(lat=7, lon=11),
    "in chunks of one": lambda ds: ds.chunk(lat=1, lon=9),
    "longitudes in chunks": lambda ds: ds.chunk(lat=-1, lon=13),
    "latitudes in chunks": lambda ds: ds.chunk(lat=5, lon=-1),
}

OPERATORS = {
    "divergence": lambda ds: xgradient.divergence(ds, lon="u", lat="v", metric="sphere"),
    "curl": lambda ds: xgradient.curl(ds, lon="u", lat="v", metric="sphere", accuracy=4),
    "jacobian": lambda ds: xgradient.jacobian(ds, lon="u", lat="v", metric="ellipsoid"),
    "strain": lambda ds: xgradient.strain(ds, lon="u", lat="v", metric="sphere"),
    "gradient": lambda ds: ds.v.grad(["lat", "lon"], metric="sphere", accuracy=4),
    "magnitude": lambda ds: ds.v.grad.magnitude(["lat", "lon"], metric="ellipsoid"),
    "laplacian": lambda ds: ds.v.grad.laplacian(["lat", "lon"], metric="sphere", accuracy=4),
    "hessian": lambda ds: ds.v.grad.hessian(["lat", "lon"], metric="sphere"),
    "advection": lambda ds: ds.v.grad.advection(lon=ds.u, lat=ds.v, metric="sphere"),
    "directional": lambda ds: ds.v.grad.directional(lon=ds.u + 300, lat=ds.v, metric="sphere"),
}


def variables(result):
    return result.to_dataset(name="x") if isinstance(result, xr.DataArray) else result


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("operator", OPERATORS)
def test_however_it_is_told(operator, told, poles):
    ds = case(poles)
    expected = variables(OPERATORS[operator](ds))
    changed = variables(OPERATORS[operator](TOLD[told](ds)))
    if "chunks" in told:
        assert all(v.chunks for v in changed.values())
    lat = np.deg2rad(ds.lat) if told == "radians" else ds.lat
    found = changed.assign_coords(lon=changed.lon % (2 * np.pi if told == "radians" else 360))
    found = found.sortby(["lat", "lon"]).transpose("lat", "lon")
    np.testing.assert_allclose(found.lat, lat, rtol=1e-6)
    for name in expected:
        a, b = expected[name].values, found[name].values
        if "chunks" in told:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=2e-13 * np.abs(a).max())


def test_other_dimensions_keep_their_own_coordinate():
    ds = case().expand_dims(time=np.array(["2000-01-01", "2000-01-03"], "M8[ns]")).copy(deep=True)
    ds["v"][1] += 3.0
    made = ds.v.grad(["time", "lat", "lon"], metric="sphere")
    np.testing.assert_allclose(made.dv_dtime, 3.0 / 172800)
    assert made.dv_dtime.attrs["units"] == "m s-2"
    assert made.dv_dlat.attrs["units"] == "s-1"
    np.testing.assert_array_equal(made.dv_dlat[0], case().v.grad("lat", metric="sphere"))


# -- where axes close and where they do not -------------------------------------------------------


def test_regional_grids_have_ordinary_edges():
    whole = case()
    region = whole.isel(lat=slice(10, 30), lon=slice(5, 40))
    found = xgradient.divergence(region, lon="u", lat="v", metric="sphere")
    inside = {"lat": slice(1, -1), "lon": slice(1, -1)}
    expected = xgradient.divergence(whole, lon="u", lat="v", metric="sphere")
    expected = expected.isel(lat=slice(10, 30), lon=slice(5, 40))
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-12)
    assert np.abs(found - expected).max() > 1e-3 * np.abs(expected).max()
    off = xgradient.divergence(region, lon="u", lat="v", metric="sphere", periodic=False)
    xr.testing.assert_identical(found, off)


def test_one_hemisphere_closes_round_but_not_across():
    north = case().sel(lat=slice(0, 90)).v
    found = north.grad(["lat", "lon"], metric="sphere")
    expected = case().v.grad(["lat", "lon"], metric="sphere").sel(lat=slice(0, 90))
    np.testing.assert_array_equal(found.dv_dlon, expected.dv_dlon)
    np.testing.assert_allclose(found.dv_dlat[1:-1], expected.dv_dlat[1:-1], rtol=1e-12)
    edges = [(north[1] - north[0]) / 4, (north[-1] - north[-2]) / 4]
    for row, edge in zip((0, -1), edges, strict=True):
        expected_row = edge.values * 180 / np.pi / RADIUS
        np.testing.assert_allclose(found.dv_dlat[row], expected_row, rtol=1e-12)


@pytest.mark.parametrize("poles", [False, True])
def test_an_odd_number_of_longitudes_closes_round_only(poles):
    lat = globe.grid(3.0, poles=poles)[0]
    lon = np.arange(75) * 4.8
    scalar = globe.harmonic(2, np.deg2rad(lat), np.deg2rad(lon))
    f = globe.labelled(scalar.f, lat, lon, "f", "1")
    made = f.grad(["lat", "lon"], metric="sphere", accuracy=4)
    for found, exact in ((made.df_dlon, scalar.east), (made.df_dlat, scalar.north)):
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3 * np.abs(exact).max())


def test_turned_off():
    ds = case()
    open_ = ds.v.grad("lon", metric="sphere", periodic=False)
    closed = ds.v.grad("lon", metric="sphere")
    same = open_ == closed
    assert same[:, 1:-1].all()
    assert not same[:, [0, -1]].all()
    only_lat = ds.v.grad(["lat", "lon"], metric="sphere", periodic={"lat": False})
    np.testing.assert_array_equal(only_lat.dv_dlon, closed)
    assert (only_lat.dv_dlat != ds.v.grad("lat", metric="sphere"))[[0, -1]].any()


def test_zonal_means_have_the_spherical_terms():
    lat = globe.grid(1.0)[0]
    phi = np.deg2rad(lat)
    attrs = {"lat": ("lat", lat, {"units": "degrees_north"})}
    v = xr.DataArray(np.cos(phi) * np.sin(phi), attrs, "lat", "v", {"units": "m s-1"})
    found = xgradient.divergence(lat=v, metric="sphere", accuracy=4)
    exact = (np.cos(phi) ** 2 - 2 * np.sin(phi) ** 2) / RADIUS
    np.testing.assert_allclose(found, exact, atol=1e-6 * np.abs(exact).max())
    f = xr.DataArray(np.sin(phi), attrs, "lat", "f")
    np.testing.assert_allclose(
        f.grad.laplacian("lat", metric="sphere", accuracy=4),
        -2 * np.sin(phi) / RADIUS**2,
        atol=1e-5 * 2 / RADIUS**2,
    )


def test_along_one_parallel():
    parallel = case().v.isel(lat=30)
    found = parallel.grad("lon", metric="sphere")
    xr.testing.assert_allclose(found, case().v.grad("lon", metric="sphere").isel(lat=30))
    assert found.attrs["units"] == "s-1"


def test_the_global_mean_of_a_divergence_vanishes():
    ds = case(step=2.0)
    divergence = xgradient.divergence(ds, lon="u", lat="v", metric="sphere", accuracy=4)
    weights = np.cos(np.deg2rad(ds.lat))
    mean = abs(float(divergence.weighted(weights).mean()))
    assert mean < 1e-4 * float(np.abs(divergence).max())


# -- the Earth models ----------------------------------------------------------------------------


def test_arcs_on_the_ellipsoid():
    geod = pytest.importorskip("pyproj").Geod(ellps="WGS84")
    lat = np.linspace(-80.0, 80.0, 1601)
    north = np.array([geod.inv(0, 0, 0, y)[2] * np.sign(y) for y in lat])
    arc = xr.DataArray(north, {"lat": ("lat", lat, {"units": "degrees_north"})}, "lat")
    for accuracy in (2, 4):
        found = arc.grad("lat", metric="ellipsoid", accuracy=accuracy, edge_order=accuracy)
        np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-6)
    # A parallel is a circle of radius N cos φ, an arc of which the geodesics approach.
    lon = np.arange(0, 0.02, 0.001)
    for y in (0.0, 30.0, 60.0, 89.0):
        east = np.array([geod.inv(0, y, x, y)[2] for x in lon])
        circle = xr.DataArray(
            east,
            {"lon": ("lon", lon, {"units": "degrees_east"}),
             "lat": ((), y, {"units": "degrees_north"})},
            "lon",
        )  # fmt: skip
        found = circle.grad("lon", metric=Ellipsoid("WGS84"), accuracy=4)
        np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-6)


def test_radii_of_models():
    lat = xr.DataArray([0.0, 1.0, 2.0], {"lat": [0.0, 1.0, 2.0]}, "lat", "f")
    step = np.deg2rad(1.0)
    np.testing.assert_allclose(lat.grad("lat", metric="sphere"), 1 / (RADIUS * step))
    np.testing.assert_allclose(lat.grad("lat", metric=Sphere(1.0)), 1 / step)
    np.testing.assert_allclose(lat.grad("lat", metric=Ellipsoid(2.0, 2.0)), 0.5 / step)
    mapped = lat.assign_coords(crs=((), 0, {"earth_radius": 5.0}))
    mapped.encoding["grid_mapping"] = "crs"
    np.testing.assert_allclose(mapped.grad("lat", metric="sphere"), 0.2 / step)
    assert Ellipsoid("WGS84") == Ellipsoid(6378137.0, 6356752.314245179)


def test_lazy_until_computed(nothing_computed):
    ds = case(poles=True).chunk(lat=9, lon=30)
    with nothing_computed():
        for operator in OPERATORS.values():
            variables(operator(ds))
