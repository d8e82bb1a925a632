"""The sphere and the ellipsoid: against closed forms, next to the poles and on them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support import sphere_fields
from ..support.marks import slow
from ..support.sphere_fields import RADIUS

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
    "Rossby-Haurwitz vorticity": sphere_fields.rossby_haurwitz,
    "tilted vorticity": sphere_fields.tilted_rotation,
}


def computed(name, lat, lon, accuracy, metric="sphere"):
    """Return results of an operator and the expected ones, as pairs of arrays."""
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    options = {"metric": metric, "accuracy": accuracy}

    def as_field(values, called="f", units="1"):
        return sphere_fields.labelled(values, lat, lon, called, units)

    if name in CURLS:
        flow = CURLS[name](phi, lam)
        u, v = as_field(flow.u), as_field(flow.v)
        return [(xgradient.curl(lon=u, lat=v, **options), flow.vorticity)]
    if "divergence" in name:
        tilted = name.startswith("tilted")
        flow = (
            sphere_fields.tilted_rotation(phi, lam)
            if tilted
            else sphere_fields.potential(1, phi, lam)
        )
        u, v = as_field(flow.u), as_field(flow.v)
        return [(xgradient.divergence(lon=u, lat=v, **options), flow.divergence)]
    scalar = sphere_fields.harmonic(int(name[-1]), phi, lam)
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
    beside, on = errors(name, *sphere_fields.grid(poles=poles), accuracy=2 + 2 * at)
    limit = FIELDS[name][at]
    assert 0 < beside < limit
    assert on < (limit if poles else 1e-30)


# Next to a pole 1/cos φ is as large as one over the step. Where the field crosses the pole, terms
# of this size cancel there, and the largest error of the rows next to it is one order lower.
CROSSING = {"tilted vorticity", "tilted divergence", "divergence of Y51", "Laplacian of Y51"}


def slopes(steps, sizes):
    """The slopes between neighbours on a log-log plot, as far as the errors are above rounding."""
    seen = np.array(sizes) > 1e-10
    assert seen[:2].all()
    return np.diff(np.log(np.array(sizes)[seen])) / np.diff(np.log(np.array(steps)[seen]))


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("name", FIELDS)
def test_the_order_of_accuracy_next_to_the_poles(name, accuracy, poles):
    # At accuracy 6 and half a degree, rounding over the square of the smallest distance is seen.
    steps = [4.0, 2.0, 1.0, 0.5][: 3 if accuracy == 6 else 4]
    found = slopes(
        steps, [errors(name, *sphere_fields.grid(s, poles=poles), accuracy)[0] for s in steps]
    )
    lost = 1.1 if name in CROSSING else 0.3
    assert min(found[1:], default=found[0]) > accuracy - lost
    assert found.mean() > accuracy - lost


# -- all elements of all tensors, against polynomials in space ------------------------------------

EARTH = {"sphere": (RADIUS, RADIUS), "ellipsoid": (6378137.0, 6356752.314245179)}


def tensors(metric, lat, lon, accuracy):
    """Every operator's results beside what they are in truth, by name."""
    surface = sphere_fields.Surface(np.deg2rad(lat), np.deg2rad(lon), *EARTH[metric])
    f, (fx, fy), ((fxx, fxy), (_, fyy)) = sphere_fields.scalar_in_space(surface)
    (u, v), ((ux, uy), (vx, vy)) = sphere_fields.vector_in_space(surface)
    ds = xr.Dataset(
        {
            n: sphere_fields.labelled(c, lat, lon, n, "m s-1")
            for n, c in (("f", f), ("u", u), ("v", v))
        }
    )
    options = {"metric": metric, "accuracy": accuracy}
    flow = {"lon": "u", "lat": "v", **options}
    made = xr.merge(
        [
            ds.f.grad(["lon", "lat"], **options),
            ds.f.grad.hessian(["lon", "lat"], **options),
            ds.grad.jacobian(**flow),
            ds.grad.strain(**flow),
            ds.f.grad.magnitude(**options),
            ds.f.grad.laplacian(**options),
            ds.grad.divergence(**flow),
            ds.grad.curl(**flow),
            ds[["f", "u", "v"]].grad.advection(**flow),
            ds[["f", "u", "v"]].grad.directional(**flow),
        ],
        compat="override",
    )
    normal, shear, turn = ux - vy, vx + uy, vx - uy
    exact = {
        "df_dlon": fx, "df_dlat": fy, "grad_f_magnitude": np.hypot(fx, fy),
        "d2f_dlon2": fxx, "d2f_dlon_dlat": fxy, "d2f_dlat2": fyy, "laplacian_f": fxx + fyy,
        "du_dlon": ux, "du_dlat": uy, "dv_dlon": vx, "dv_dlat": vy,
        "divergence": ux + vy, "curl": turn,
        "normal_deformation": normal, "shear_deformation": shear,
        "total_deformation": np.hypot(normal, shear),
        "okubo_weiss": normal**2 + shear**2 - turn**2,
        "advection_f": -(u * fx + v * fy), "directional_f": (u * fx + v * fy) / np.hypot(u, v),
    }  # fmt: skip
    assert set(exact) == set(made)
    return {name: (made[name].values, value) for name, value in exact.items()}


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize(("accuracy", "limit"), [(2, 3e-2), (4, 3e-5), (6, 6e-8)])
@pytest.mark.parametrize("metric", EARTH)
def test_all_elements_on_all_rows(metric, accuracy, limit, poles):
    lat, lon = sphere_fields.grid(2.0, poles=poles)
    for name, (found, exact) in tensors(metric, lat, lon, accuracy).items():
        largest = np.abs(exact).max()
        assert np.abs(found - exact).max() < limit * largest, name
        # None vanishes on the poles, where its rule is another one.
        assert np.abs(exact[[0, -1]]).max() > 0.04 * largest, name


@pytest.mark.parametrize("metric", EARTH)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_order_of_accuracy_on_the_poles(metric, accuracy):
    steps, sizes = [9.0, 6.0, 3.0], {}
    for step in steps:
        made = tensors(metric, *sphere_fields.grid(step, poles=True), accuracy)
        for name, (found, exact) in made.items():
            error = np.abs(found - exact)[[0, -1]].max() / np.abs(exact).max()
            sizes.setdefault(name, []).append(error)
    for name, each in sizes.items():
        assert slopes(steps, each).min() > accuracy - 0.3, name


@pytest.mark.parametrize("accuracy", [2, 4])
def test_uneven_latitudes_and_longitudes(accuracy):
    """Gaussian latitudes continue across the poles, uneven longitudes go round."""
    lat = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(90)[0]))
    lon = np.arange(0, 360, 2.0)
    limit = {2: 1e-2, 4: 2e-5}[accuracy]
    for name, (found, exact) in tensors("sphere", lat[::-1], lon, accuracy).items():
        assert np.abs(found - exact).max() < 4 * limit * np.abs(exact).max(), name
    lon = lon + 0.3 * np.sin(np.arange(180))
    lat = np.arange(-59.0, 60, 2)
    for name, (found, exact) in tensors("sphere", lat, lon, accuracy).items():
        inside = np.abs(found - exact)[3:-3]
        assert inside.max() < limit * np.abs(exact).max(), name


# -- identities -----------------------------------------------------------------------------------


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("metric", EARTH)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_a_gradient_has_no_curl_and_a_turned_one_no_divergence(accuracy, metric, poles):
    """On the globe the product rule holds up to the order of the scheme, one less next to poles."""
    steps, sizes = [4.0, 2.0, 1.0], []
    for step in steps:
        lat, lon = sphere_fields.grid(step, poles=poles)
        f, _, hessian = sphere_fields.scalar_in_space(
            sphere_fields.Surface(np.deg2rad(lat), np.deg2rad(lon))
        )
        options = {"metric": metric, "accuracy": accuracy}
        made = sphere_fields.labelled(f, lat, lon, "f", "1").grad(["lon", "lat"], **options)
        curl = xgradient.curl(lon=made.df_dlon, lat=made.df_dlat, **options)
        divergence = xgradient.divergence(lon=-made.df_dlat, lat=made.df_dlon, **options)
        np.testing.assert_allclose(curl, -divergence, rtol=0, atol=1e-12 * np.abs(hessian).max())
        sizes.append(float(np.abs(curl).max() / np.abs(hessian).max()))
    assert slopes(steps, sizes).min() > accuracy - 1
    assert sizes[-1] < {2: 4e-3, 4: 1e-6, 6: 5e-10}[accuracy]


@pytest.mark.parametrize(("accuracy", "limit"), [(2, 5e-5), (4, 1e-5), (6, 1e-5)])
@pytest.mark.parametrize("poles", [False, True])
def test_the_global_mean_of_a_divergence(poles, accuracy, limit):
    """It vanishes with the step; from accuracy 4 on, no more is left than of the exact one."""
    lat, lon = sphere_fields.grid(1.0, poles=poles)
    surface = sphere_fields.Surface(np.deg2rad(lat), np.deg2rad(lon))
    components, ((ux, _), (_, vy)) = sphere_fields.vector_in_space(surface)
    u, v = (
        sphere_fields.labelled(c, lat, lon, n, "m s-1")
        for c, n in zip(components, "uv", strict=True)
    )
    found = xgradient.divergence(lon=u, lat=v, metric="sphere", accuracy=accuracy)
    edges = np.clip(np.append(lat - 0.5, lat[-1] + 0.5), -90, 90)
    areas = xr.DataArray(np.diff(np.sin(np.deg2rad(edges))), {"lat": found.lat}, "lat")
    scale = float(np.abs(found).max())
    mean = float(found.weighted(areas).mean())
    assert 0 < abs(mean) < limit * scale
    if accuracy > 2:
        exact = float(found.copy(data=ux + vy).weighted(areas).mean())
        assert abs(mean - exact) < 1e-8 * scale


def test_a_sign_that_is_wrong_at_the_poles_is_seen():
    lat, lon = sphere_fields.grid()
    flow = sphere_fields.tilted_rotation(np.deg2rad(lat), np.deg2rad(lon))
    u, v = (
        sphere_fields.labelled(c, lat, lon, n, "m s-1") for c, n in ((flow.u, "u"), (flow.v, "v"))
    )
    right = xgradient.jacobian(lon=u, lat=v, metric="sphere", accuracy=4).dv_dlat
    assert np.abs(right).max() < 1e-15
    # Taken as a scalar, a component jumps at the poles.
    wrong = v.grad("lat", metric="sphere", accuracy=4)
    assert np.abs(wrong[0]).max() > 1e-5


# -- the same numbers however the grid is told ----------------------------------------------------


def case(poles=False, step=3.6):
    lat, lon = sphere_fields.grid(step, poles=poles)
    angles = np.deg2rad(lat), np.deg2rad(lon)
    sinks, wave, turning = (
        sphere_fields.potential(1, *angles),
        sphere_fields.rossby_haurwitz(*angles),
        3e7,
    )
    u = sphere_fields.labelled(wave.u + turning * sinks.u, lat, lon, "u", "m s-1")
    v = sphere_fields.labelled(wave.v + turning * sinks.v, lat, lon, "v", "m s-1")
    return xr.Dataset({"u": u, "v": v})


def jump_inside(ds):
    return ds.roll(lon=30, roll_coords=True)


def from_minus_180(ds):
    lon = (ds.lon + 180) % 360 - 180
    return ds.assign_coords(lon=lon.assign_attrs(ds.lon.attrs)).sortby("lon")


def by_arange(ds):
    """The first value and its step have a rounding, and the step is added a hundred times."""
    lon = np.arange(-180, 180 - 1e-6, 3.6)
    return from_minus_180(ds).assign_coords(lon=("lon", lon, ds.lon.attrs))


def in_single(ds):
    lat, lon = (ds[n].astype("f4").assign_attrs(ds[n].attrs) for n in ("lat", "lon"))
    return ds.assign_coords(lat=lat, lon=lon)


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
    "by arange": by_arange,
    "single coordinates": in_single,
    "single coordinates, from -180": lambda ds: from_minus_180(in_single(ds)),
    "transposed": lambda ds: ds.transpose("lon", "lat"),
    "one transposed": lambda ds: ds.assign(u=ds.u.transpose("lon", "lat")),
    "names only": lambda ds: ds.assign_coords(lat=ds.lat.drop_attrs(), lon=ds.lon.drop_attrs()),
    "in chunks": lambda ds: ds.chunk(lat=7, lon=11),
    "in chunks of one latitude": lambda ds: ds.chunk(lat=1, lon=50),
    "in chunks of one longitude": lambda ds: ds.chunk(lat=26, lon=1),
    "longitudes in chunks": lambda ds: ds.chunk(lat=-1, lon=13),
    "latitudes in chunks": lambda ds: ds.chunk(lat=5, lon=-1),
}

#: Where no sum changes its order, but that of the mean round a pole.
SAME_BITS = {
    "a jump inside",
    "from -180",
    "by arange",
    "transposed",
    "one transposed",
    "names only",
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


#: A chunk for each longitude or latitude takes seconds, so most operators have them in `-m slow`.
MANY_CHUNKS = {"in chunks of one longitude", "in chunks of one latitude"}


@pytest.mark.parametrize("poles", [slow(False), True])
@pytest.mark.parametrize(
    ("operator", "told"),
    [
        slow(operator, told) if told in MANY_CHUNKS and operator != "curl" else (operator, told)
        for operator, told in product(OPERATORS, TOLD)
    ],
)
def test_however_it_is_told(operator, told, poles):
    ds = case(poles)
    expected = variables(OPERATORS[operator](ds))
    changed = variables(OPERATORS[operator](TOLD[told](ds)))
    if "chunks" in told:
        assert all(v.chunks for v in changed.values())
        changed = changed.compute(scheduler="sync")  # all variables at once
    lat = np.deg2rad(ds.lat) if told == "radians" else ds.lat
    turn = 2 * np.pi if told == "radians" else 360
    found = changed.assign_coords(lon=changed.lon.round(4) % turn)
    found = found.sortby(["lat", "lon"]).transpose("lat", "lon")
    np.testing.assert_allclose(found.lat, lat, rtol=1e-6)
    beside = np.abs(ds.lat.values) < 90
    for name in expected:
        a, b = expected[name].values, found[name].values
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13 * np.abs(a).max())
        if told in SAME_BITS:
            np.testing.assert_array_equal(a[beside], b[beside])
        if "chunks" in told:
            np.testing.assert_array_equal(a, b)


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
    whole = case(step=4.0)
    north = whole.sel(lat=slice(0, 90)).v
    found = north.grad(["lat", "lon"], metric="sphere")
    expected = whole.v.grad(["lat", "lon"], metric="sphere").sel(lat=slice(0, 90))
    np.testing.assert_array_equal(found.dv_dlon, expected.dv_dlon)
    np.testing.assert_allclose(found.dv_dlat[1:-1], expected.dv_dlat[1:-1], rtol=1e-12)
    edges = [(north[1] - north[0]) / 4, (north[-1] - north[-2]) / 4]
    for row, edge in zip((0, -1), edges, strict=True):
        expected_row = edge.values * 180 / np.pi / RADIUS
        np.testing.assert_allclose(found.dv_dlat[row], expected_row, rtol=1e-12)


@pytest.mark.parametrize("poles", [False, True])
def test_an_odd_number_of_longitudes_closes_round_only(poles):
    lat = sphere_fields.grid(3.0, poles=poles)[0]
    lon = np.arange(75) * 4.8
    scalar = sphere_fields.harmonic(2, np.deg2rad(lat), np.deg2rad(lon))
    f = sphere_fields.labelled(scalar.f, lat, lon, "f", "1")
    made = f.grad(["lat", "lon"], metric="sphere", accuracy=4)
    for found, exact in ((made.df_dlon, scalar.east), (made.df_dlat, scalar.north)):
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3 * np.abs(exact).max())


def test_turned_off():
    ds = case(step=4.0)
    open_ = ds.v.grad("lon", metric="sphere", periodic=False)
    closed = ds.v.grad("lon", metric="sphere")
    same = open_ == closed
    assert same[:, 1:-1].all()
    assert not same[:, [0, -1]].all()
    only_lat = ds.v.grad(["lat", "lon"], metric="sphere", periodic={"lat": False})
    np.testing.assert_array_equal(only_lat.dv_dlon, closed)
    assert (only_lat.dv_dlat != ds.v.grad("lat", metric="sphere"))[[0, -1]].any()


def test_zonal_means_have_the_spherical_terms():
    lat = sphere_fields.grid(1.0)[0]
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


def test_lazy_until_computed(nothing_computed):
    ds = case(poles=True).chunk(lat=9, lon=30)
    with nothing_computed():
        for operator in OPERATORS.values():
            variables(operator(ds))


# -- what a file's coordinates have been through --------------------------------------------------


def fine(poles):
    """A flow across the poles on a third of a degree, whose rows float32 cannot hold."""
    lat, lon = sphere_fields.grid(1 / 3, poles=poles)
    flow = sphere_fields.tilted_rotation(np.deg2rad(lat), np.deg2rad(lon))
    u, v = (
        sphere_fields.labelled(c, lat, lon, n, "m s-1") for c, n in ((flow.u, "u"), (flow.v, "v"))
    )
    return xr.Dataset({"u": u, "v": v}), flow.vorticity


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("told", [in_single, lambda ds: from_minus_180(in_single(ds))])
def test_the_rounding_of_coordinates_does_not_reach_the_poles(told, poles):
    """Taken as they are, the first row's cosine would be wrong by 2e-5, and the terms are large."""
    ds, exact = fine(poles)
    found = xgradient.curl(told(ds), lon="u", lat="v", metric="sphere", accuracy=4)
    found = found.assign_coords(lon=found.lon.round(2) % 360).sortby("lon")
    assert np.abs(found.values - exact).max() < 1e-8 * np.abs(exact).max()


def test_a_part_of_an_even_grid_has_the_rows_of_the_whole():
    ds, exact = fine(False)
    part = in_single(ds).isel(lat=slice(0, 40), lon=slice(0, 90))
    found = xgradient.curl(part, lon="u", lat="v", metric="sphere", accuracy=6)
    np.testing.assert_allclose(found, exact[:40, :90], rtol=0, atol=2e-8 * np.abs(exact).max())


def test_two_longitudes_on_both_sides_of_the_seam():
    f = sphere_fields.labelled(np.array([[1.0, 3.0]]), [0.0], [359.0, 1.0], "f", "K")
    np.testing.assert_allclose(f.grad("lon", metric="sphere"), 1 / np.deg2rad(1) / RADIUS)


def test_uneven_longitudes_close_wherever_they_start():
    lon = np.arange(0, 360, 4.0) + 0.8 * np.sin(np.arange(90))
    f = sphere_fields.labelled(np.cos(np.deg2rad(2 * lon))[None], [0.0], lon, "f", "K")
    exact = -2 * np.sin(np.deg2rad(2 * lon)) / RADIUS
    for shift in range(0, 90, 7):
        found = f.roll(lon=shift, roll_coords=True).grad("lon", metric="sphere", accuracy=6)
        np.testing.assert_allclose(found[0], np.roll(exact, shift), atol=1e-4 * 2 / RADIUS)


@pytest.mark.parametrize("chunks", [{"lon": (0, 100)}, {"lon": (50, 0, 50), "lat": (0, 20, 31)}])
def test_chunks_without_cells(chunks):
    ds = case(poles=True)
    for operator in OPERATORS.values():
        a, b = variables(operator(ds)), variables(operator(ds.chunk(chunks)))
        xr.testing.assert_equal(a, b.compute())


@pytest.mark.parametrize("dims", [("lon", "level", "lat"), ("lon", "lat", "level")])
@pytest.mark.parametrize("operator", ["grad", "laplacian"])
def test_rows_on_poles_do_not_depend_on_the_length_of_chunks(dims, operator):
    values = np.random.default_rng(3).random((24, 2, 7)) ** 9
    coords = {"lon": np.arange(0.0, 360, 15), "lat": np.linspace(-90, 90, 7)}
    f = xr.DataArray(values, coords, ("lon", "level", "lat"), "f").transpose(*dims)

    def result(f):
        return (
            f.grad("lon", metric="sphere")
            if operator == "grad"
            else f.grad.laplacian(metric="sphere")
        )

    xr.testing.assert_identical(result(f.chunk(level=1)).compute(), result(f))


def test_no_latitude_at_all():
    empty = case().v.isel(lat=slice(0, 0))
    assert empty.grad("lon", metric="sphere").shape == (0, 100)
