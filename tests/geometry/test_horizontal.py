"""Coordinates of two dimensions: names, Datasets, dask, real files, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support import curvilinear_grids, sphere_fields
from ..support.curvilinear_grids import NAMES, holed, sample, wave
from ..support.marks import slow

SPHERE = {"metric": "sphere"}


@pytest.fixture(scope="module")
def orca():
    with xr.open_dataset(sample("orca2_votemper.nc"), decode_times=False) as ds:
        return ds.load()


# -- names, other dimensions, Datasets -------------------------------------------------------------


def test_names_and_units(orca):
    made = orca.votemper.grad(NAMES, periodic="dim1", **SPHERE)
    assert list(made) == ["dvotemper_dnav_lat", "dvotemper_dnav_lon"]
    for name, long in zip(made, ("Latitude", "Longitude"), strict=True):
        assert made[name].attrs["units"] == "K m-1"
        assert made[name].attrs["long_name"] == f"derivative of Temperature with respect to {long}"
        assert made[name].dtype == np.float32
        assert made[name].dims == orca.votemper.dims
    xr.testing.assert_identical(made.coords.to_dataset(), orca.votemper.coords.to_dataset())


@pytest.mark.parametrize("name", ["nav_lat", "latitude"])
def test_one_name_finds_its_partner(name):
    lat, lon = curvilinear_grids.stereographic(9)
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon)
    both = f.grad(NAMES, **SPHERE)
    alone = f.grad(name, **SPHERE)
    assert isinstance(alone, xr.DataArray)
    xr.testing.assert_identical(alone, both.df_dnav_lat)
    xr.testing.assert_identical(f.grad(["nav_lon"], **SPHERE), both[["df_dnav_lon"]])


def test_coordinates_along_one_dimension_are_meant_before_others():
    lat, lon = curvilinear_grids.stereographic(9)
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon)
    f = f.assign_coords(glat=("y", np.arange(9.0), {"standard_name": "latitude"}))
    assert f.grad("latitude").name == "df_dglat"


def test_other_dimensions_keep_their_own_coordinate():
    lat, lon = curvilinear_grids.stereographic(8)
    values = wave(lat, lon)[0]
    f = curvilinear_grids.on_globe(values, lat, lon, units="K")
    depth = xr.DataArray([0.0, 10.0, 30.0], dims="z", attrs={"units": "m"})
    f = (f * (1 + depth)).assign_coords(z=depth).transpose("y", "z", "x").assign_attrs(units="K")
    made = f.rename("f").grad(["nav_lat", "z", "nav_lon"], **SPHERE)
    assert list(made) == ["df_dnav_lat", "df_dz", "df_dnav_lon"]
    np.testing.assert_allclose(made.df_dz.isel(z=1), values, rtol=1e-12)
    assert made.df_dz.dims == f.dims
    plain = f.isel(z=2).rename("f").grad(NAMES, **SPHERE)
    np.testing.assert_allclose(made.df_dnav_lat.isel(z=2), plain.df_dnav_lat, rtol=1e-12)
    # And so do vectors with a third component, and second derivatives.
    h = f.rename("f").grad.hessian(["nav_lon", "nav_lat", "z"], **SPHERE)
    exact = curvilinear_grids.on_globe(values, lat, lon).grad("nav_lon", **SPHERE)
    np.testing.assert_allclose(h.d2f_dnav_lon_dz.isel(z=1), exact, rtol=1e-9, atol=1e-18)
    w = f.rename("w")
    curl = xgradient.curl(nav_lon=0 * w, nav_lat=0 * w, z=w, **SPHERE)
    assert list(curl) == ["curl_nav_lon", "curl_nav_lat", "curl_z"]
    np.testing.assert_allclose(
        curl.curl_nav_lat, -w.grad("nav_lon", **SPHERE), rtol=1e-12, atol=1e-20
    )
    both = xgradient.divergence(nav_lon=0 * w, nav_lat=0 * w, z=w, **SPHERE)
    np.testing.assert_allclose(both.isel(z=1), values, rtol=1e-9)


def test_datasets():
    lat, lon = curvilinear_grids.stereographic(8)
    f = curvilinear_grids.on_globe(wave(lat, lon)[0], lat, lon)
    ds = (
        f.to_dataset()
        .assign(g=2 * f, line=("y", np.arange(8.0)), text=("y", list("abcdefgh")))
        .assign_attrs(kept=1)
    )
    made = ds.grad(NAMES, **SPHERE)
    assert set(made) == {"df_dnav_lat", "df_dnav_lon", "dg_dnav_lat", "dg_dnav_lon"}
    assert made.attrs == {"kept": 1}
    xr.testing.assert_identical(made.df_dnav_lat, f.grad("nav_lat", **SPHERE))
    assert set(ds.grad.laplacian(NAMES, **SPHERE)) == {"laplacian_f", "laplacian_g"}


@pytest.mark.parametrize("told", ["radians", "transposed", "single", "integers"])
def test_however_it_is_told(told):
    lat, lon = curvilinear_grids.rotated(np.arange(-20.0, 21), np.arange(-10.0, 11), 40.0, 170.0)
    if told == "integers":
        lat, lon = np.round(lat), np.round(lon)
    f = curvilinear_grids.on_globe(np.arange(41 * 21.0).reshape(41, 21) ** 1.5, lat, lon)
    expected = f.grad(NAMES, **SPHERE)
    if told == "radians":
        for name in NAMES:
            f[name] = np.deg2rad(f[name]).assign_attrs(f[name].attrs | {"units": "radians"})
    elif told == "transposed":
        f = f.assign_coords(nav_lon=f.nav_lon.T)
    elif told == "integers":
        f = f.assign_coords({name: f[name].astype("i2") for name in NAMES})
    else:
        f = f.assign_coords({name: f[name].astype("f4") for name in NAMES})
    made = f.grad(NAMES, **SPHERE)
    for name in expected:
        scale = float(abs(expected[name]).max())
        assert abs(made[name] - expected[name]).max() < (1e-4 if told == "single" else 1e-9) * scale


# -- dask ------------------------------------------------------------------------------------------


OPERATORS = {
    "gradient": lambda ds, **o: ds.u.grad(NAMES, **o),
    "magnitude": lambda ds, **o: ds.u.grad.magnitude(NAMES, **o),
    "laplacian": lambda ds, **o: ds.u.grad.laplacian(NAMES, **o),
    "hessian": lambda ds, **o: ds.u.grad.hessian(NAMES, **o),
    "divergence": lambda ds, **o: ds.grad.divergence(nav_lon="u", nav_lat="v", **o),
    "curl": lambda ds, **o: ds.grad.curl(nav_lon="u", nav_lat="v", **o),
    "jacobian": lambda ds, **o: ds.grad.jacobian(nav_lon="u", nav_lat="v", **o),
    "strain": lambda ds, **o: ds.grad.strain(nav_lon="u", nav_lat="v", **o),
    "advection": lambda ds, **o: ds.u.grad.advection(nav_lon=ds.u, nav_lat=ds.v, **o),
    "directional": lambda ds, **o: ds.u.grad.directional(nav_lon=ds.u, nav_lat=ds.v, **o),
}


def case(dtype="f4", holes=0.0):
    """A flow on a small grid around the pole, at two times."""
    lat, lon = curvilinear_grids.stereographic(11)
    flow = sphere_fields.rossby_haurwitz(np.deg2rad(lat), np.deg2rad(lon))
    ds = xr.Dataset()
    for name, values in (("u", flow.u), ("v", flow.v)):
        values = np.stack([values, 2 * values]).astype(dtype)
        values[holed(holes, values.shape, 9)] = np.nan
        ds[name] = (
            curvilinear_grids.on_globe(values[0], lat, lon, name, "m s-1")
            .expand_dims(t=2)
            .copy(data=values)
        )
    return ds


def variables(result):
    return result.to_dataset(name="x") if isinstance(result, xr.DataArray) else result


def told_lazily(ds, rng, cut):
    """Some of the fields and coordinates in chunks, each in chunks of its own.

    Between two cells there is a cut with this probability.
    """
    lazy, told = ds.copy(), [name for name in (*NAMES, "u", "v") if rng.random() < 0.7]
    for name in told:
        cuts = {d: np.flatnonzero(rng.random(n) < cut) for d, n in ds[name].sizes.items()}
        chunks = {
            d: tuple(np.diff([0, *(c[c > 0]), ds.sizes[d]]).tolist()) for d, c in cuts.items()
        }
        lazy[name] = lazy[name].chunk(chunks)
    return lazy, told


@pytest.mark.parametrize(
    ("seed", "cut"),
    [(0, 0.12), (1, 0.12), slow(4, 0.12), *(slow(seed, 0.3) for seed in range(5))],
)
@pytest.mark.parametrize("operator", OPERATORS)
def test_every_chunking_gives_the_same_bits(operator, seed, cut, nothing_computed):
    pytest.importorskip("dask")
    rng = np.random.default_rng([seed, *operator.encode()])
    ds = case(holes=0.3 if seed % 2 else 0.0)
    options = {"accuracy": 4 if seed % 3 == 2 else 2, "skipna": seed % 2 == 1, **SPHERE}
    if seed > 3:
        lat, lon = np.meshgrid(np.linspace(30, 60, 11), np.arange(11) * 360 / 11, indexing="ij")
        ds = ds.assign_coords(nav_lat=ds.nav_lat.copy(data=lat), nav_lon=ds.nav_lon.copy(data=lon))
        options["periodic"] = "x"
    expected = variables(OPERATORS[operator](ds, **options))
    lazy, told = told_lazily(ds, rng, cut)
    with nothing_computed():
        found = variables(OPERATORS[operator](lazy, **options))
    if {*told} & {*NAMES, "u"}:
        assert all(part.chunks is not None for part in found.values())
    xr.testing.assert_identical(found.compute(scheduler="sync"), expected)


def test_chunks_stay_and_coordinates_in_memory_cost_no_tasks():
    pytest.importorskip("dask")
    ds = case().chunk(t=1, y=4)
    made = ds.u.grad("nav_lat", **SPHERE)
    assert made.chunks == ds.u.chunks
    kept = ds.assign_coords({name: ds[name].compute() for name in NAMES})
    tasks = len(kept.u.grad("nav_lat", **SPHERE).data.__dask_graph__())
    source = len(kept.u.data.__dask_graph__())
    assert tasks <= source + 2 * 6 + 6  # a rim and a derivative for each chunk


@pytest.mark.parametrize("value", [1e20, 9969209968386869046778552952102584320.0, np.inf, -9999])
@pytest.mark.parametrize("name", NAMES)
def test_numbers_for_missing_positions_are_refused_lazy_or_not(name, value, nothing_computed):
    pytest.importorskip("dask")
    f = case("f8").u
    filled = f[name].copy()
    filled[8, 2] = value
    limit = 90 if name == "nav_lat" else 3600
    match = rf"^coordinate '{name}' has the value .* at index \(8, 2\); .* -{limit} and {limit}, so"
    with pytest.raises(ValueError, match=match):
        f.assign_coords({name: filled}).grad(NAMES, **SPHERE)
    lazy = f.assign_coords({name: filled.chunk(y=3, x=5)})
    with nothing_computed():
        made = [lazy.grad("nav_lat", **SPHERE)]
        made.append(lazy.grad.laplacian(NAMES, skipna=True, **SPHERE))
    for each in made:
        with pytest.raises(ValueError, match=match):
            each.compute(scheduler="sync")


REAL = {
    "orca2_votemper.nc": ("votemper", "dim1"),
    "toa_brightness_stereographic.nc": ("data", None),
}


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize("name", REAL)
def test_real_files_in_memory_and_in_chunks(name, skipna, nothing_computed):
    pytest.importorskip("dask")
    variable, periodic = REAL[name]
    options = {"periodic": periodic, "skipna": skipna, **SPHERE}
    with xr.open_dataset(sample(name), decode_times=False) as ds:
        made = ds[variable].grad(["latitude", "longitude"], **options)
        assert all(np.isfinite(part).sum() > 0.3 * part.size for part in made.values())
    with xr.open_dataset(sample(name), decode_times=False, chunks={}) as ds:
        assert all(ds[c].chunks for c in ds.coords if ds[c].ndim == 2)
        rows, columns = ds[variable].dims
        for chunks in ({}, {rows: 41, columns: 37}):
            with nothing_computed():
                lazy = ds[variable].chunk(chunks).grad(["latitude", "longitude"], **options)
            found = lazy.compute()
            for part in made:
                np.testing.assert_array_equal(found[part], made[part])


def test_a_rotated_file_with_true_coordinates():
    """Eastward and northward derivatives are those along the grid, turned."""
    with xr.open_dataset(sample("rotated_pole.nc")) as ds:
        p = ds.load().air_pressure_at_sea_level
        mapping = ds.rotated_latitude_longitude.attrs
    pole = mapping["grid_north_pole_latitude"], mapping["grid_north_pole_longitude"]
    lat, lon = curvilinear_grids.rotated(p.grid_latitude.values, p.grid_longitude.values, *pole)
    true = curvilinear_grids.on_globe(p.values.astype("f8"), lat, lon, "p", "Pa")
    radius = xgradient.Sphere(6371229.0)
    made = true.grad(NAMES, metric=radius, accuracy=6)
    along = p.astype("f8").grad(["grid_latitude", "grid_longitude"], metric=radius, accuracy=6)
    sizes = np.hypot(*made.values()), np.hypot(*along.values())
    inside = (slice(3, -3),) * 2
    np.testing.assert_allclose(
        sizes[0].values[inside], sizes[1].values[inside], atol=2e-3 * sizes[1].values.max()
    )
    assert abs(made.dp_dnav_lat.values - next(iter(along.values())).values)[inside].max() > 1e-4


# -- bad input -------------------------------------------------------------------------------------


def small(**coords):
    """A field on a small grid, with other coordinates besides."""
    lat, lon = np.meshgrid([50.0, 60.0, 70.0], np.arange(0, 360, 60.0), indexing="ij")
    f = curvilinear_grids.on_globe(lat + 0, lat, lon).expand_dims(t=3).copy()
    return f.assign_coords({"t": [0.0, 1.0, 2.0], **coords})


YX = ("y", "x")
ONES = YX, np.ones((3, 6))
EAST = YX, np.ones((3, 6)), {"units": "degrees_east"}
WIDE = r"^coordinate 'nav_lat' has 2 dimensions \(y, x\)"
BAD = {
    "no metric": (
        lambda: small().grad(NAMES),
        rf"{WIDE} and is a latitude; give metric='sphere' or 'ellipsoid', with which",
    ),
    "one of a plane": (
        lambda: small(x2d=ONES).grad("x2d"),
        (
            r"^coordinate 'x2d' has 2 dimensions \(y, x\), and one such coordinate alone tells "
            r"no direction; name the other one of the grid, too, or one of the dimensions "
            r"'t', 'x', 'y'$"
        ),
    ),
    "no partner": (
        lambda: small().drop_vars("nav_lon").grad("nav_lat", metric="sphere"),
        rf"{WIDE}, but the data have no longitude along these; add it, e.g. with .assign_coords$",
    ),
    "several partners": (
        lambda: small(lon_u=EAST).grad("nav_lat", metric="sphere"),
        rf"{WIDE}, and several others may be its longitude, 'nav_lon', 'lon_u'; name both$",
    ),
    "two of a kind": (
        lambda: small(lon_u=EAST).grad(["nav_lon", "lon_u"], metric="sphere"),
        r"^'nav_lon' and 'lon_u' are both longitudes; name one latitude and one longitude$",
    ),
    "no angle": (
        lambda: small(x2d=ONES).grad(["x2d", "nav_lat"], metric="sphere"),
        r"^metric=Sphere is for latitudes and longitudes, but 'x2d' is neither",
    ),
    "other dimensions": (
        lambda: small(lon_t=(("t", "y"), np.ones((3, 3)), EAST[2])).grad(
            ["nav_lat", "lon_t"], metric="sphere"
        ),
        (
            r"^coordinate 'lon_t' has 2 dimensions \(t, y\), but coordinate 'nav_lat' has 2 "
            r"dimensions \(y, x\); name two along the same dimensions$"
        ),
    ),
    "one and two dimensions": (
        lambda: small(lon=("x", np.arange(6.0))).grad(["nav_lat", "lon"], metric="sphere"),
        r"^coordinate 'lon' has 1 dimension \(x\), but coordinate 'nav_lat' has 2 dimensions",
    ),
    "three": (
        lambda: small(a=ONES, b=ONES, c=ONES).grad(["a", "b", "c"]),
        r"^'a', 'b', 'c' are more than the two coordinates of a grid; name two$",
    ),
    "more than two dimensions": (
        lambda: small(z=(("t", "y", "x"), np.ones((3, 3, 6)))).grad("z"),
        r"^coordinate 'z' has the dimensions 't', 'x', 'y', and their coordinates do .* name it",
    ),
    "a dimension of the grid": (
        lambda: small().grad(["nav_lat", "nav_lon", "x"], metric="sphere"),
        (
            r"^dim names 'x', but positions along it are those of 'nav_lat', which has 2 "
            r"dimensions; leave one of them out$"
        ),
    ),
    "spacing": (
        lambda: small().grad(NAMES, metric="sphere", spacing=2.0),
        r"^spacing names 'nav_lat', but positions along it are those of 'nav_lat'",
    ),
    "spacing of a dimension": (
        lambda: small().grad(NAMES, metric="sphere", spacing={"x": 2.0}),
        r"^spacing names 'x', but positions along it are those of 'nav_lat', which has 2 dimen",
    ),
    "scale factors": (
        lambda: small().grad(NAMES, metric={"x": 2.0}),
        (
            rf"{WIDE}, but scale factors and mixed derivatives belong to single dimensions; name "
            r"these, or give metric='sphere', or call .hessian$"
        ),
    ),
    "mixed derivative": (
        lambda: small().grad({"nav_lat": 1, "nav_lon": 1}),
        rf"{WIDE}, but scale factors and mixed derivatives belong to single dimensions",
    ),
    "second derivative": (
        lambda: small().grad(NAMES, metric="sphere", deriv=2),
        (
            r"^deriv is 2 along 'nav_lat', which has 2 dimensions; along such coordinates there "
            r"are first derivatives, and .hessian has all second ones$"
        ),
    ),
    "Laplacian of one": (
        lambda: small().grad.laplacian("nav_lat", metric="sphere"),
        (
            r"^a Laplacian along 'nav_lat', which has 2 dimensions, takes the other coordinate of "
            r"the grid, too; name both$"
        ),
    ),
    "periodic": (
        lambda: small().grad(NAMES, metric="sphere", periodic=True),
        (
            rf"{WIDE}, and periodic does not say which dimension of the grid is periodic; name "
            r"that dimension, e.g. periodic='x'$"
        ),
    ),
    "a period": (
        lambda: small().grad(NAMES, metric="sphere", periodic={"x": 360}),
        r"^the period of 'x' is 360, but a grid is periodic by its positions; give True$",
    ),
    "a grid that does not close": (
        lambda: curvilinear_grids.on_globe(
            np.ones((9, 9)), *curvilinear_grids.stereographic(9)
        ).grad(NAMES, metric="sphere", periodic="x"),
        r"^periodic names 'x', but its ends lie .* apart, and neighbours .* at most; leave it out",
    ),
    "repeated cells": (
        lambda: xr.concat([small(), small().isel(x=slice(0, 2))], "x").grad(
            NAMES, metric="sphere", periodic="x"
        ),
        (
            r"^periodic names 'x', but the last 2 cells along it repeat the first; drop them, e.g. "
            r"with .isel\(x=slice\(None, -2\)\)$"
        ),
    ),
    "beyond the pole": (
        lambda: small(nav_lat=(YX, np.full((3, 6), 95.0), {"units": "degrees_north"})).grad(
            "nav_lat", metric="sphere"
        ),
        (
            r"^coordinate 'nav_lat' has the value 95 at index \(0, 0\); latitudes lie between -90 "
            r"and 90, so check its units$"
        ),
    ),
    "dimensions on the globe": (
        lambda: small().grad(["y", "x"], metric="sphere"),
        (
            r"^metric=Sphere is for latitudes and longitudes, but 'y', 'x' is neither by its "
            r"units, standard_name or name; name 'nav_lat', 'nav_lon', or leave out metric$"
        ),
    ),
    "too few points": (
        lambda: small().isel(y=slice(0, 1)).grad(NAMES, metric="sphere"),
        r"^dimension 'y' has 1 point, but deriv=1, accuracy=2, edge_order=1 needs 2",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_positions_that_are_no_numbers():
    f = small(a=(YX, np.full((3, 6), "a")), b=(YX, np.ones((3, 6))))
    with pytest.raises(TypeError, match=r"^coordinate 'a' has dtype <U1, which is not numeric"):
        f.grad(["a", "b"])


def test_components_on_staggered_grids():
    u = small().rename("u")
    v = u.assign_coords(nav_lat=u.nav_lat + 1).rename("v")
    with pytest.raises(ValueError, match=r"^'u' and 'v' have different values of the coordinate"):
        xgradient.divergence(nav_lon=u, nav_lat=v, metric="sphere")


def test_components_whose_dimensions_come_in_another_order():
    """Also their coordinates, which xarray turns with them."""
    ds = case("f8")
    turned = ds.v.transpose("x", "t", "y")
    assert turned.nav_lat.dims == ("x", "y")
    for operator in (xgradient.divergence, xgradient.curl):
        found = operator(nav_lon=ds.u, nav_lat=turned, **SPHERE)
        xr.testing.assert_identical(found, operator(nav_lon=ds.u, nav_lat=ds.v, **SPHERE))
    found = turned.grad.advection(nav_lon=ds.u, nav_lat=ds.v, **SPHERE)
    expected = ds.v.grad.advection(nav_lon=ds.u, nav_lat=ds.v, **SPHERE)
    xr.testing.assert_allclose(found.transpose(*expected.dims), expected, rtol=1e-12)
    staggered = turned.assign_coords(nav_lat=turned.nav_lat + 1)
    with pytest.raises(ValueError, match=r"^'u' and 'v' have different values of the coordinate"):
        xgradient.divergence(nav_lon=ds.u, nav_lat=staggered, **SPHERE)
