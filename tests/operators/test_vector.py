"""Operators on Cartesian and other coordinates, their labels, and what they refuse."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr

import xgradient

METRES = {"units": "m"}


def plane(nx=9, ny=7, nz=None):
    """Coordinates with uneven steps, on which stencils of order 4 are exact for quadratics."""
    x = xr.DataArray(np.cumsum(1 + 0.3 * np.sin(np.arange(nx))), dims="x", attrs=METRES)
    y = xr.DataArray(np.linspace(-2, 3, ny), dims="y", attrs=METRES)
    if nz is None:
        return x.assign_coords(x=x), y.assign_coords(y=y)
    z = xr.DataArray(np.arange(nz) * 0.5, dims="z", attrs=METRES)
    return x.assign_coords(x=x), y.assign_coords(y=y), z.assign_coords(z=z)


def field(values, name, units="m s-1"):
    return values.rename(name).assign_attrs(units=units)


def flow():
    x, y = plane()
    u, v = field(x**2 + 3 * x * y, "u"), field(2 * x * y - y**2, "v")
    return xr.Dataset({"u": u.transpose("y", "x"), "v": v.transpose("y", "x")}), x, y


EXACT = {"accuracy": 4}


def close(found, exact, dims=("y", "x")):
    exact = exact + 0 * found
    np.testing.assert_allclose(
        found.transpose(*dims), exact.transpose(*dims), rtol=1e-11, atol=1e-11
    )


def test_divergence_and_curl_of_polynomials():
    ds, x, y = flow()
    close(ds.grad.divergence(x="u", y="v", **EXACT), (2 * x + 3 * y) + (2 * x - 2 * y))
    close(ds.grad.curl(x="u", y="v", **EXACT), 2 * y - 3 * x)
    j = ds.grad.jacobian(x="u", y="v", **EXACT)
    for name, exact in {
        "du_dx": 2 * x + 3 * y, "du_dy": 3 * x, "dv_dx": 2 * y, "dv_dy": 2 * x - 2 * y,
    }.items():  # fmt: skip
        close(j[name], exact)
    normal, shear, turn = 5 * y, 3 * x + 2 * y, 2 * y - 3 * x
    s = ds.grad.strain(x="u", y="v", **EXACT)
    close(s.normal_deformation, normal)
    close(s.shear_deformation, shear)
    close(s.total_deformation, np.hypot(normal, shear))
    close(s.okubo_weiss, normal**2 + shear**2 - turn**2)


def test_scalars_of_polynomials():
    ds, x, y = flow()
    f = field(x**3 - 2 * x * y**2, "f", "K")
    fx, fy = 3 * x**2 - 2 * y**2, -4 * x * y
    close(f.grad.magnitude(**EXACT), np.hypot(fx, fy))
    close(f.grad.laplacian(**EXACT), 6 * x - 4 * x)
    h = f.grad.hessian(["x", "y"], **EXACT)
    for name, exact in {"d2f_dx2": 6 * x, "d2f_dx_dy": -4 * y, "d2f_dy2": -4 * x}.items():
        close(h[name], exact)
    close(f.grad({"x": 1, "y": 1}, **EXACT), -4 * y)
    close(f.grad({"x": 2, "y": 1}, **EXACT), 0 * y)
    u, v = ds.u, ds.v
    close(f.grad.advection(x=u, y=v, **EXACT), -(u * fx + v * fy))
    length = np.hypot(u, v).where(lambda a: a > 0)
    close(f.grad.directional(x=u, y=v, **EXACT), (u * fx + v * fy) / length)


def test_three_dimensions():
    x, y, z = plane(nz=6)
    u, v, w = (
        field(c, n) for c, n in ((y * z**2 + 0 * x, "u"), (x**2 * z + 0 * y, "v"), (x * y**2, "w"))
    )
    w = w + 0 * z
    made = xgradient.curl(x=u, y=v, z=w.rename("w"), **EXACT)
    dims = ("x", "y", "z")
    close(made.curl_x, 2 * x * y - x**2, dims)
    close(made.curl_y, 2 * y * z - y**2, dims)
    close(made.curl_z, 2 * x * z - z**2, dims)
    u3 = field(x**2 + 0 * (y + z), "u")
    v3, w3 = field(y**2 + 0 * (x + z), "v"), field(z**2 + 0 * (x + y), "w")
    close(xgradient.divergence({"x": u3, "y": v3, "z": w3}, **EXACT), 2 * (x + y + z), dims)
    close((u3 + v3 + w3).rename("f").grad.laplacian(**EXACT), 6 + 0 * (x + y + z), dims)


def polar():
    r = xr.DataArray(np.linspace(1, 3, 41), dims="r", attrs=METRES)
    t = xr.DataArray(np.linspace(0, 1.5, 61), dims="t", attrs={"units": "radian"})
    return r.assign_coords(r=r), t.assign_coords(t=t)


def test_polar_coordinates_by_scale_factors():
    """x = r cos t, y = r sin t: derivatives of polynomials in x and y are known."""
    r, t = polar()
    x, y = r * np.cos(t), r * np.sin(t)
    metric = {"r": 1, "t": r.drop_attrs()}
    options = {"metric": metric, "accuracy": 6}
    f = field(x**2 * y, "f", "K")
    np.testing.assert_allclose(f.grad.laplacian(["r", "t"], **options), 2 * y, atol=2e-6)
    fx, fy = 2 * x * y, x**2
    cos, sin = np.cos(t), np.sin(t)
    fr, ft = fx * cos + fy * sin, -fx * sin + fy * cos
    made = f.grad(["r", "t"], **options)
    np.testing.assert_allclose(made.df_dr, fr, atol=1e-6)
    np.testing.assert_allclose(made.df_dt, ft, atol=1e-6)
    # The Hessian turned into the directions of r and t.
    xx, xy = 2 * y, 2 * x
    h = f.grad.hessian(["r", "t"], **options)
    np.testing.assert_allclose(h.d2f_dr2, xx * cos**2 + 2 * xy * sin * cos, atol=5e-6)
    np.testing.assert_allclose(h.d2f_dt2, xx * sin**2 - 2 * xy * sin * cos, atol=5e-6)
    exact = (-xx) * sin * cos + xy * (cos**2 - sin**2)
    np.testing.assert_allclose(h.d2f_dr_dt, exact, atol=5e-6)
    u, v = field(fr, "u"), field(ft, "v")
    divergence = xgradient.divergence(r=u, t=v, **options)
    np.testing.assert_allclose(divergence, 2 * y, atol=2e-6)
    np.testing.assert_allclose(xgradient.curl(r=u, t=v, **options), 0 * y, atol=2e-6)


def test_the_sphere_by_scale_factors():
    """The formulas hold with derivatives of the factors by stencils instead of closed forms."""
    lat, lon = np.linspace(-60, 60, 121), np.linspace(0, 80, 81)
    rng = np.random.default_rng(5)
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    waves = np.sin(rng.random() + np.deg2rad(3 * lat))[:, None] * np.cos(np.deg2rad(2 * lon))
    u = xr.DataArray(waves, coords, ("lat", "lon"), "u", {"units": "m s-1"})
    v = u.copy(data=waves[::-1] + waves**2).rename("v")
    radius = np.deg2rad(1.0) * 6371008.8
    ds = xr.Dataset({"u": u, "v": v})
    ds["e1"] = radius * np.cos(np.deg2rad(ds.lat)).drop_attrs() + 0 * u.drop_attrs()
    ds["e2"] = radius
    own = {"metric": {"lon": "e1", "lat": "e2"}, "accuracy": 6}
    globe = {"metric": "sphere", "accuracy": 6}
    for name in ("divergence", "curl"):
        a = getattr(ds[["u", "v", "e1", "e2"]].grad, name)(lon="u", lat="v", **own)
        b = getattr(ds.grad, name)(lon="u", lat="v", **globe)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * np.abs(b).max())
        assert a.attrs == b.attrs
    factors = {"metric": {"lon": ds.e1, "lat": ds.e2}, "accuracy": 6}
    a, b = u.grad.laplacian(**factors), u.grad.laplacian(**globe)
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * np.abs(b).max())


@pytest.mark.parametrize("accuracy", [2, 3, 6])
@pytest.mark.parametrize("metric", ["none", "numbers", "each along its own axis"])
@pytest.mark.parametrize("chunks", [None, {"x": 5, "y": 4}])
def test_identities_where_discrete_operators_commute(metric, accuracy, chunks):
    """Of a rough field, on uneven nodes: a gradient has no curl, a turned one no divergence."""
    x, y = plane(12, 9)
    rng = np.random.default_rng(1)
    coords = {"x": x.x, "y": y.y}
    f = xr.DataArray(rng.standard_normal((12, 9)), coords, ("x", "y"), "f").chunk(chunks or {})
    f = f if chunks else f.compute()
    factors = {
        "none": None,
        "numbers": {"x": 2.0, "y": 0.25},
        "each along its own axis": {"x": 2 + np.sin(x.drop_attrs()), "y": np.exp(y.drop_attrs())},
    }
    options = {"metric": factors[metric], "accuracy": accuracy}
    made = f.grad(["x", "y"], **options)
    curl = xgradient.curl(x=made.df_dx, y=made.df_dy, **options)
    divergence = xgradient.divergence(x=-made.df_dy, y=made.df_dx, **options)
    hessian = f.grad.hessian(["x", "y"], **options)
    scale = float(np.abs(hessian.d2f_dx_dy).max())
    for zero in (curl, divergence):
        assert np.abs(zero).max() < 1e-14 * max(scale, 10)
    rough = xgradient.curl(x=made.df_dx, y=made.df_dy, metric=factors[metric], accuracy=8)
    assert np.abs(rough).max() > 1e-3


# -- labels ---------------------------------------------------------------------------------------


def wind(**changes):
    lat, lon = np.linspace(-80, 80, 17), np.arange(0, 360, 10.0)
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    values = np.add.outer(np.sin(lat), np.cos(np.deg2rad(lon)))
    u = xr.DataArray(values, coords, ("lat", "lon"), "u", {"units": "m s-1", "source": "a model"})
    v = xr.DataArray(values[::-1], coords, ("lat", "lon"), "v", {"units": "m s-1", "cell": "1"})
    t = xr.DataArray(values**2, coords, ("lat", "lon"), "t", {"units": "K", "long_name": "warmth"})
    return xr.Dataset({"u": u, "v": v, "t": t}).assign(changes)


def test_names_and_units():
    ds = wind()
    options = {"metric": "sphere"}
    divergence = ds.grad.divergence(lon="u", lat="v", **options)
    assert divergence.name == "divergence"
    assert divergence.attrs == {"units": "s-1", "long_name": "divergence of (u, v)"}
    curl = ds.grad.curl(lon="u", lat="v", **options)
    assert (curl.name, curl.attrs["units"]) == ("curl", "s-1")
    magnitude = ds.t.grad.magnitude(["lat", "lon"], **options)
    assert magnitude.name == "grad_t_magnitude"
    assert magnitude.attrs == {"units": "K m-1", "long_name": "magnitude of the gradient of warmth"}
    laplacian = ds.t.grad.laplacian(["lat", "lon"], **options)
    assert (laplacian.name, laplacian.attrs["units"]) == ("laplacian_t", "K m-2")
    advection = ds.t.grad.advection(lon=ds.u, lat=ds.v, **options)
    assert (advection.name, advection.attrs["units"]) == ("advection_t", "K s-1")
    assert advection.attrs["long_name"] == "advection of warmth by (u, v)"
    directional = ds.t.grad.directional(lon=ds.u, lat=ds.v, **options)
    assert (directional.name, directional.attrs["units"]) == ("directional_t", "K m-1")
    strain = ds.grad.strain(lon="u", lat="v", **options)
    assert strain.okubo_weiss.attrs["units"] == "s-2"
    assert list(ds.grad.jacobian(lon="u", lat="v", **options)) == [
        "du_dlon", "du_dlat", "dv_dlon", "dv_dlat",
    ]  # fmt: skip
    assert list(ds.t.grad.hessian(["lon", "lat"], **options)) == [
        "d2t_dlon2", "d2t_dlon_dlat", "d2t_dlat2",
    ]  # fmt: skip
    every = ds.grad.advection(lon="u", lat="v", **options)
    xr.testing.assert_identical(every.advection_t, advection)


def test_datasets_give_every_field_that_has_the_dimensions():
    ds = wind(zonal=("lat", np.arange(17.0)))
    made = ds.grad.laplacian(["lat", "lon"], metric="sphere")
    assert list(made) == ["laplacian_u", "laplacian_v", "laplacian_t"]
    xr.testing.assert_identical(made.laplacian_t, ds.t.grad.laplacian(metric="sphere"))
    assert "laplacian_zonal" in ds.grad.laplacian("lat", metric="sphere")


def test_units_that_differ_by_a_factor_are_converted():
    x, p = plane()[0], xr.DataArray([1000.0, 900, 700], dims="p", attrs={"units": "hPa"})
    u = field((2 * x + 0 * p).assign_coords(p=p), "u")
    w = field((3 * p + 0 * x).assign_coords(p=p), "w", "Pa s-1").transpose("x", "p")
    found = xgradient.divergence(x=u, p=w)
    assert found.attrs["units"] == "s-1"
    np.testing.assert_allclose(found, 2 + 3 / 100)


def test_the_order_of_keywords_does_not_turn_the_curl():
    ds = wind()
    a = ds.grad.curl(lon="u", lat="v", metric="sphere")
    xr.testing.assert_identical(a, ds.grad.curl(lat="v", lon="u", metric="sphere"))
    cartesian = flow()[0]
    xr.testing.assert_identical(
        cartesian.grad.curl(x="u", y="v"), cartesian.grad.curl({"y": "v", "x": "u"})
    )


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2", "u1", "f2"])
def test_types(dtype):
    ds, _, _ = flow()
    values = (ds * 1.0).astype(dtype) if dtype != "u1" else (abs(ds) % 200).astype(dtype)
    wide = values.astype("c16" if dtype[0] == "c" else "f8")
    result = {"i2": "f8", "u1": "f8"}.get(dtype, dtype)
    rtol = {"f2": 2e-2, "f4": 1e-5, "c8": 1e-5}.get(result, 1e-12)
    for name in ("divergence", "curl"):
        found = getattr(values.grad, name)(x="u", y="v")
        expected = getattr(wide.grad, name)(x="u", y="v")
        assert found.dtype == result
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * 30)
    found = values.u.grad.magnitude()
    np.testing.assert_allclose(found, wide.u.grad.magnitude(), rtol=rtol, atol=rtol * 30)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_length_of_tiny_and_huge_vectors(dtype):
    """The squares of these are beyond the numbers of their type."""
    x, y = (xr.DataArray(np.arange(4.0), dims=d) for d in "xy")
    for size in (np.finfo(dtype).tiny * 16, np.finfo(dtype).max / 64):
        f = ((3 * x + 4 * y) * size).astype(dtype).assign_coords(x=x, y=y)
        np.testing.assert_allclose(f.grad.magnitude(), 5 * size, rtol=1e-6)
    gap = xr.DataArray([[0.0, np.nan, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], dims=("x", "y"))
    found = gap.astype(dtype).grad.magnitude()
    slopes = np.gradient(gap.values)
    np.testing.assert_allclose(found, np.hypot(*slopes).astype(dtype))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_direction_has_the_precision_of_its_most_precise_component(chunked):
    x, y = plane()
    t = (3 * x + 4 * y).rename("t")
    t = t.chunk(y=3) if chunked else t
    u, v = (1 + 0 * t).astype("f4"), 1 / 3 + 0 * t
    found = t.grad.directional(x=u, y=v, **EXACT)
    assert found.dtype == "f8"
    close(found, (3 + 4 / 3) / np.hypot(1, 1 / 3) + 0 * t)


def test_tiles_and_threads_give_the_same_bits(monkeypatch):
    from xgradient.kernels.compiled import tiles

    rng = np.random.default_rng(3)
    shape = (6, 30, 40)
    coords = {
        "lat": ("lat", np.linspace(-87, 87, 30), {"units": "degrees_north"}),
        "lon": ("lon", np.arange(0, 360, 9.0), {"units": "degrees_east"}),
    }
    dims = ("time", "lat", "lon")
    u, v = (xr.DataArray(rng.standard_normal(shape), coords, dims, n) for n in "uv")

    def all_of_them():
        made = xgradient.strain(lon=u, lat=v, metric="sphere")
        made["divergence"] = xgradient.divergence(lon=u, lat=v, metric="sphere", accuracy=4)
        made["advection"] = u.grad.advection(lon=u, lat=v, metric="ellipsoid")
        return made

    whole = all_of_them()
    for tile in (64, 1000, 20_000):
        monkeypatch.setattr(tiles, "TILE_BYTES", tile)
        monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
        xr.testing.assert_identical(all_of_them(), whole)


def test_one_task_a_chunk_and_one_exchange_an_input():
    ds = wind().chunk(lat=-1, lon=-1).expand_dims(time=4).chunk(time=1)
    found = xgradient.divergence(ds, lon="u", lat="v", metric="sphere")
    (graph,) = dask.optimize(found)
    own = [k for k in graph.__dask_graph__() if "gradient" in str(k)]
    assert len(own) == 4
    chunked = wind().chunk(lat=6, lon=9)
    found = xgradient.divergence(chunked, lon="u", lat="v", metric="sphere")
    before = len(chunked.u.__dask_graph__()) + len(chunked.v.__dask_graph__())
    assert len(found.__dask_graph__()) - before <= 7 * chunked.u.data.npartitions


@pytest.mark.parametrize("chunked", [False, True])
def test_a_length_of_complex_numbers_is_real(chunked):
    x, y = plane()
    u, v = (field((3 + 4j) * x + 0 * y, "u"), field(0j * x + 0 * y, "v"))
    ds = xr.Dataset({"u": u, "v": v})
    strain = (ds.chunk(x=4) if chunked else ds).grad.strain(x="u", y="v")
    assert strain.total_deformation.dtype == np.float64
    assert strain.normal_deformation.dtype == strain.okubo_weiss.dtype == np.complex128
    assert np.allclose(strain.total_deformation, 5)
    assert np.allclose(strain.okubo_weiss, (3 + 4j) ** 2)
