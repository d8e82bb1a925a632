"""Coordinates of two dimensions: against closed forms, on real grids, across poles and folds."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid

from ..support import curvilinear_grids, sphere_fields
from ..support.curvilinear_grids import ETA, NAMES, PLANES, XI, holed, sample, wave

SPHERE = {"metric": "sphere"}


@pytest.fixture(scope="module")
def satellite():
    with xr.open_dataset(sample("toa_brightness_stereographic.nc")) as ds:
        return ds.load()


def errors(lat, lon, accuracy, **options):
    """The larger error of both components of a gradient, over the largest exact value."""
    values, east, north = wave(lat, lon)
    f = curvilinear_grids.on_globe(values, lat, lon)
    made = f.grad(NAMES, accuracy=accuracy, **SPHERE, **options)
    off = np.maximum(abs(made.df_dnav_lon - east), abs(made.df_dnav_lat - north)).values
    return off / max(abs(east).max(), abs(north).max())


def away(off, accuracy):
    """Cells whose windows are those of the interior."""
    return off[accuracy:-accuracy, accuracy:-accuracy]


# -- gradients against a closed form, which is not linear in position ------------------------------


@pytest.mark.parametrize(("accuracy", "limit"), [(2, 4e-5), (4, 2e-9)])
@pytest.mark.parametrize("pole", [(37.5, 177.5), (39.25, 198.0)])
def test_a_rotated_grid(accuracy, limit, pole):
    line = np.arange(-20, 20.01, 0.25)
    assert (
        0
        < away(errors(*curvilinear_grids.rotated(line, line, *pole), accuracy), accuracy).max()
        < limit
    )


@pytest.mark.parametrize(("accuracy", "limit"), [(2, 5e-5), (4, 1e-6)])
def test_the_grid_of_a_satellite_image(satellite, accuracy, limit):
    off = errors(satellite.lat.values, satellite.lon.values, accuracy)
    assert 0 < away(off, accuracy).max() < limit


def test_the_ocean_of_a_tripolar_grid(orca):
    off = errors(orca.nav_lat.values, orca.nav_lon.values, 2, periodic="x")
    ocean = orca.votemper.notnull().values
    ocean[[0, -1]] = False  # rows at the ends of the array
    assert off[ocean].max() < 1e-3
    # Where the grid has its poles, on land, it has collapsed, and there is no derivative.
    nothing = np.isnan(off)
    assert 10 < nothing.sum() < 50
    assert not nothing[:-2].any()
    assert not nothing[ocean].any()
    assert not np.isinf(off).any()


def test_more_accuracy_on_a_tripolar_grid(orca):
    """Wide windows reach over the places where parts of this grid were moved, and narrow do not."""
    off = errors(orca.nav_lat.values, orca.nav_lon.values, 4, periodic="x")
    ocean = orca.votemper.notnull().values
    ocean[[0, 1, -2, -1]] = False
    assert np.mean(off[ocean] < 1e-3) > 0.99
    assert np.median(off[ocean]) < 1e-5


@pytest.mark.parametrize("skipna", [False, True])
def test_a_folded_cap_with_two_poles(skipna):
    """Over the joint, where steps change abruptly, and beside the fold, but for its poles."""
    shape, joint = (240, 360), 168
    lat, lon = curvilinear_grids.tripolar(*shape[::-1], joint)
    values, east, north = wave(lat, lon)
    land = holed(0.1, shape, 8) & (np.arange(shape[0])[:, None] < joint - 8) if skipna else False
    f = curvilinear_grids.on_globe(np.where(land, np.nan, values), lat, lon)
    options = {"periodic": "x", "skipna": skipna, "edge_order": 2, **SPHERE}
    made = f.grad(NAMES, **options)
    off = abs(made.df_dnav_lon - east) + abs(made.df_dnav_lat - north)
    bend = abs(f.grad.laplacian(NAMES, **options) + 12 * values / sphere_fields.RADIUS**2)
    away = np.abs((np.arange(shape[1]) + 0.5) % 180 - 90) < 70
    for found, exact, limit in (
        (off, abs(north).max(), 5e-4),
        (bend, 12 / sphere_fields.RADIUS**2, 2e-3),
    ):
        rows = slice(joint - 3, -2)
        assert found.values[rows][:, away].max() < limit * exact


@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_order_of_accuracy(accuracy):
    """With the pole in the middle, between nodes."""
    sizes = np.array([20, 40, 80])
    largest = []
    for n in sizes:
        lat, lon = curvilinear_grids.stereographic(int(n))
        inside = np.hypot(*np.meshgrid(*[np.linspace(-0.6, 0.6, n)] * 2)) < 0.3
        largest.append(errors(lat, lon, accuracy)[inside].max())
    slopes = np.diff(np.log(largest)) / np.diff(np.log(1 / (sizes - 1)))
    assert slopes.min() > accuracy - 0.2


def test_uneven_steps_keep_their_order():
    """Along straight lines with any steps, parabolas are exact inside at accuracy 2."""
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.uniform(0.2, 2.0, 14))[None, :] + np.zeros((11, 1))
    y = np.cumsum(rng.uniform(0.2, 2.0, 11))[:, None] + np.zeros((1, 14))
    f = curvilinear_grids.on_plane(x**2 - 3 * y**2 + 2 * x - y, x, y)
    made = f.grad(["x2d", "y2d"])
    np.testing.assert_allclose(made.df_dx2d[1:-1, 1:-1], (2 * x + 2)[1:-1, 1:-1], rtol=1e-11)
    np.testing.assert_allclose(
        made.df_dy2d[1:-1, 1:-1], (-6 * y - 1)[1:-1, 1:-1], rtol=1e-11, atol=1e-10
    )
    second = (
        (f + x * y).rename("f").grad.hessian(["x2d", "y2d"])[{"i": slice(1, -1), "j": slice(1, -1)}]
    )
    for name, exact in (("d2f_dx2d2", 2), ("d2f_dx2d_dy2d", 1), ("d2f_dy2d2", -6)):
        np.testing.assert_allclose(second[name], exact, rtol=0, atol=1e-10)


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize("ratio", [1.5, 2.9, 3.0, 3.001, 10.0])
def test_uneven_steps_next_to_ends_and_coasts(ratio, skipna):
    """There slopes are those between two nodes, however far away the third one is."""
    steps = np.array([1, ratio, 1, 1, 1, ratio, 1])
    x, y = np.meshgrid(np.cumsum([0, *steps, 5, *steps]), np.arange(5.0))
    ends = [(0, 1), (15, 14)]
    values = x**2 + 3 * y**2
    if skipna:  # a gap of one cell, with such steps on both sides
        x, y = (np.insert(part, 8, part[:, 7] + add, axis=1) for part, add in ((x, 2), (y, 0)))
        values = np.insert(values, 8, np.nan, axis=1)
        ends = [(0, 1), (7, 6), (9, 10), (16, 15)]
    f = curvilinear_grids.on_plane(values, x, y)
    made = f.grad(["x2d", "y2d"], skipna=skipna)
    for end, near in ends:
        slope = (values[:, end] - values[:, near]) / (x[:, end] - x[:, near])
        np.testing.assert_allclose(made.df_dx2d[:, end], slope, rtol=1e-12)
    second = f.grad.hessian(["x2d", "y2d"], skipna=skipna)
    there = np.isfinite(values)
    assert np.isfinite(second.d2f_dx2d2.values[there]).all()
    np.testing.assert_allclose(second.d2f_dy2d2.values[1:-1][there[1:-1]], 6, rtol=1e-10)


def test_ends_of_second_order_need_three_points():
    x, y = (part[:3, :3] for part in PLANES["skewed"])
    made = curvilinear_grids.on_plane(x**2 - 3 * x * y, x, y).grad(["x2d", "y2d"], edge_order=2)
    np.testing.assert_allclose(made.df_dx2d, 2 * x - 3 * y, rtol=0, atol=1e-12)


def test_the_ellipsoid():
    """Against derivatives by angles over the radii of curvature."""
    lat, lon = curvilinear_grids.rotated(
        np.arange(-10, 10.01, 0.5), np.arange(-9, 9.01, 0.5), 40.0, 170.0
    )
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    a, b = 6378137.0, 6356752.314245179
    w = 1 - (1 - (b / a) ** 2) * np.sin(phi) ** 2
    along, across = b**2 / a / w**1.5, a / np.sqrt(w)
    f = curvilinear_grids.on_globe(np.cos(phi) ** 2 * np.sin(2 * lam), lat, lon)
    made = f.grad(NAMES, metric="ellipsoid", accuracy=6)
    east = 2 * np.cos(phi) * np.cos(2 * lam) / across
    north = -2 * np.cos(phi) * np.sin(phi) * np.sin(2 * lam) / along
    for found, exact in ((made.df_dnav_lon, east), (made.df_dnav_lat, north)):
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6 * abs(exact).max())
    xr.testing.assert_identical(made, f.grad(NAMES, metric=Ellipsoid("WGS84"), accuracy=6))
    sphere = f.grad(NAMES, metric="sphere", accuracy=6)
    assert abs(sphere - made).df_dnav_lat.max() > 1e-3 * abs(made.df_dnav_lat).max()


# -- vectors and second derivatives, with the pole and the date line inside ------------------------

GRIDS = {
    "pole between nodes": lambda n: curvilinear_grids.stereographic(n),
    "pole on a node": lambda n: curvilinear_grids.stereographic(n + 1),
    "date line": lambda n: curvilinear_grids.rotated(*[np.linspace(-30, 30, n)] * 2, 60.0, 10.0),
    "descending and turned": lambda n: [a[::-1].T for a in curvilinear_grids.stereographic(n)],
}


def tensors(lat, lon, accuracy):
    """Pairs of what operators give and what they should, each over the largest exact value."""
    angles = np.deg2rad(lat), np.deg2rad(lon)
    options = {"accuracy": accuracy, **SPHERE}

    def wind(flow):
        u, v = (
            curvilinear_grids.on_globe(c, lat, lon, n, "m s-1")
            for c, n in ((flow.u, "u"), (flow.v, "v"))
        )
        return {"nav_lon": u, "nav_lat": v}

    tilted, sinks = sphere_fields.tilted_rotation(*angles), sphere_fields.potential(2, *angles)
    scalar = sphere_fields.harmonic(2, *angles)
    f = curvilinear_grids.on_globe(scalar.f, lat, lon)
    turning = abs(tilted.vorticity).max()
    yield xgradient.curl(wind(tilted), **options), tilted.vorticity, turning
    yield xgradient.divergence(wind(tilted), **options), 0 * lat, turning
    yield xgradient.divergence(wind(sinks), **options), sinks.divergence, None
    yield xgradient.curl(wind(sinks), **options), 0 * lat, abs(sinks.divergence).max()
    yield f.grad.laplacian(NAMES, **options), scalar.laplacian, None
    yield f.grad.magnitude(NAMES, **options), np.hypot(scalar.east, scalar.north), None


@pytest.mark.parametrize(("accuracy", "limit"), [(2, 2e-2), (4, 3e-4), (6, 1e-5)])
@pytest.mark.parametrize("grid", GRIDS)
def test_operators_on_grids_with_a_pole_or_the_date_line(grid, accuracy, limit):
    lat, lon = GRIDS[grid](60)
    if grid != "date line":
        assert lat.max() > 89
    else:
        assert (abs(np.diff(lon, axis=1)) > 300).any()
    for found, exact, scale in tensors(lat, lon, accuracy):
        off = away(abs(found - exact).values, 2 * accuracy) / (scale or abs(exact).max())
        assert off.max() < limit
        assert np.isfinite(found).all()


@pytest.mark.parametrize("accuracy", [2, 4])
def test_the_order_of_accuracy_of_operators(accuracy):
    sizes = np.array([40, 80])
    largest = []
    for n in sizes:
        lat, lon = curvilinear_grids.stereographic(int(n))
        inside = np.hypot(*np.meshgrid(*[np.linspace(-0.6, 0.6, n)] * 2)) < 0.3
        pairs = list(tensors(lat, lon, accuracy))[2:]  # rotation is linear in position, and exact
        largest.append([abs(found.values - exact)[inside].max() for found, exact, _ in pairs])
    slopes = np.diff(np.log(largest), axis=0) / np.diff(np.log(1 / (sizes - 1)))
    assert slopes.min() > accuracy - 0.3


@pytest.mark.parametrize("metric", ["sphere", "ellipsoid"])
def test_tensors_agree_with_each_other(metric):
    lat, lon = curvilinear_grids.stereographic(24)
    flow = sphere_fields.rossby_haurwitz(np.deg2rad(lat), np.deg2rad(lon))
    u, v = (
        curvilinear_grids.on_globe(c, lat, lon, n, "m s-1")
        for c, n in ((flow.u, "u"), (flow.v, "v"))
    )
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon)
    options = {"metric": metric, "accuracy": 4}
    wind = {"nav_lon": u, "nav_lat": v}
    j, strain = xgradient.jacobian(wind, **options), xgradient.strain(wind, **options)
    h, gradient = f.grad.hessian(NAMES, **options), f.grad(NAMES, **options)
    along = np.hypot(u, v)
    pairs = [
        (j.du_dnav_lon + j.dv_dnav_lat, xgradient.divergence(wind, **options)),
        (j.dv_dnav_lon - j.du_dnav_lat, xgradient.curl(wind, **options)),
        (j.du_dnav_lon - j.dv_dnav_lat, strain.normal_deformation),
        (j.dv_dnav_lon + j.du_dnav_lat, strain.shear_deformation),
        (h.d2f_dnav_lat2 + h.d2f_dnav_lon2, f.grad.laplacian(NAMES, **options)),
        (np.hypot(gradient.df_dnav_lat, gradient.df_dnav_lon), f.grad.magnitude(NAMES, **options)),
        (-u * gradient.df_dnav_lon - v * gradient.df_dnav_lat, f.grad.advection(wind, **options)),
        (
            (u * gradient.df_dnav_lon + v * gradient.df_dnav_lat) / along,
            f.grad.directional(wind, **options),
        ),
    ]
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * abs(b).max())
    # One component alone is a vector whose other component is zero.
    alone = xgradient.divergence(nav_lat=v, **options)
    both = xgradient.divergence(nav_lat=v, nav_lon=0 * u, **options)
    np.testing.assert_allclose(alone, both, rtol=0, atol=1e-14 * abs(both).max())


def test_second_derivatives_are_those_of_the_gradient():
    """The Jacobian of the exact gradient is the Hessian."""
    lat, lon = curvilinear_grids.stereographic(48)
    values, east, north = wave(lat, lon)
    f, u, v = (
        curvilinear_grids.on_globe(c, lat, lon, n)
        for c, n in ((values, "f"), (east, "u"), (north, "v"))
    )
    j = xgradient.jacobian(nav_lon=u, nav_lat=v, accuracy=6, **SPHERE)
    h = f.grad.hessian(["nav_lon", "nav_lat"], accuracy=6, **SPHERE)
    pairs = [
        (j.du_dnav_lon, h.d2f_dnav_lon2), (j.dv_dnav_lat, h.d2f_dnav_lat2),
        (j.du_dnav_lat, h.d2f_dnav_lon_dnav_lat), (j.dv_dnav_lon, h.d2f_dnav_lon_dnav_lat),
    ]  # fmt: skip
    for a, b in pairs:
        assert away(abs(a - b).values, 6).max() < 2e-6 * abs(h.d2f_dnav_lat2).max()


@pytest.mark.parametrize("accuracy", [2, 4])
def test_a_regular_grid_told_in_two_dimensions(accuracy):
    """Derivatives are those by coordinates along one dimension, to the accuracy of both."""
    lat, lon = np.arange(-60, 60.1, 2.0), np.arange(0, 360, 2.0)
    values = wave(*np.meshgrid(lat, lon, indexing="ij"))[0]
    expected = sphere_fields.labelled(values, lat, lon, "f", "K").grad(
        ["lat", "lon"], accuracy=accuracy, edge_order=accuracy, **SPHERE
    )
    f = curvilinear_grids.on_globe(values, *np.meshgrid(lat, lon, indexing="ij"), units="K")
    made = f.grad(NAMES, accuracy=accuracy, edge_order=accuracy, periodic="x", **SPHERE)
    for name in ("lat", "lon"):
        a, b = made[f"df_dnav_{name}"], expected[f"df_d{name}"]
        assert abs(a.values - b.values).max() < {2: 4e-3, 4: 1e-4}[accuracy] * abs(b).max()
        assert a.attrs["units"] == b.attrs["units"] == "K m-1"


# -- the plane -------------------------------------------------------------------------------------


@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("plane", PLANES)
def test_linear_fields_are_exact(plane, accuracy):
    x, y = PLANES[plane]
    f = curvilinear_grids.on_plane(3 * x - 4 * y, x, y)
    options = {"accuracy": accuracy}
    made = f.grad(["x2d", "y2d"], **options)
    size = abs(f).max().item() * 1e-12
    np.testing.assert_allclose(made.df_dx2d, 3, rtol=0, atol=size)
    np.testing.assert_allclose(made.df_dy2d, -4, rtol=0, atol=size)
    np.testing.assert_allclose(f.grad.magnitude(["x2d", "y2d"], **options), 5, rtol=0, atol=size)
    np.testing.assert_allclose(f.grad.laplacian(["y2d", "x2d"], **options), 0, atol=10 * size)
    u, v = f, curvilinear_grids.on_plane(2 * x + y, x, y, "v")
    np.testing.assert_allclose(xgradient.divergence(x2d=u, y2d=v, **options), 4, atol=2 * size)
    np.testing.assert_allclose(xgradient.curl(y2d=v, x2d=u, **options), 6, atol=2 * size)


@pytest.mark.parametrize("plane", ["skewed", "turned"])
def test_parabolas_on_straight_grids(plane):
    x, y = PLANES[plane]
    f = curvilinear_grids.on_plane(x**2 + 3 * x * y - y**2, x, y)
    h = f.grad.hessian(["x2d", "y2d"], edge_order=2)
    for name, exact in (("d2f_dx2d2", 2), ("d2f_dx2d_dy2d", 3), ("d2f_dy2d2", -2)):
        np.testing.assert_allclose(h[name], exact, rtol=0, atol=1e-10)


@pytest.mark.parametrize("accuracy", [2, 4])
def test_a_ring_closes(accuracy):
    """Polar coordinates all round: as accurate over the seam as elsewhere."""
    r, angle = np.meshgrid(np.linspace(1, 2, 40), np.arange(120) * 3.0)
    x, y = r * np.cos(np.deg2rad(angle)), r * np.sin(np.deg2rad(angle))
    f = curvilinear_grids.on_plane(np.sin(x) * np.cos(y), x, y)
    made = f.grad(["x2d", "y2d"], accuracy=accuracy, periodic="j").df_dy2d
    off = abs(made + np.sin(x) * np.sin(y))[:, accuracy:-accuracy].values
    assert off.max() < {2: 4e-3, 4: 3e-5}[accuracy]
    assert off[[0, -1]].max() < 2 * off[1:-1].max()
    opened = f.grad(["x2d", "y2d"], accuracy=accuracy).df_dy2d
    assert (opened != made)[[0, -1]].all()


def test_units_of_each_coordinate():
    """Distance along a section in km, and pressure in hPa: each derivative by its own unit."""
    x, p = 100 * XI + 5 * ETA, 1000 - 50 * ETA - XI
    section = curvilinear_grids.on_plane(2 * x - 0.5 * p, x, p, "t", "K")
    section.x2d.attrs["units"], section.y2d.attrs["units"] = "km", "hPa"
    made = section.grad(["x2d", "y2d"])
    np.testing.assert_allclose(made.dt_dx2d, 2, rtol=1e-11)
    np.testing.assert_allclose(made.dt_dy2d, -0.5, rtol=1e-11)
    assert made.dt_dx2d.attrs["units"] == "K km-1"
    assert made.dt_dy2d.attrs["units"] == "K hPa-1"
