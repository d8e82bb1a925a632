"""Components that lack dimensions of others or of the scalar are broadcast, as in arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.operations import sample

GLOBE = {"metric": "sphere"}


@pytest.fixture
def ds():
    """Winds and a scalar at three times; a steady wind, and one that is the same everywhere."""
    ds = sample("f4")
    steady = {f"{name}_steady": ds[name].isel(time=1, drop=True) for name in ("u", "v")}
    uniform = {f"{name}_uniform": ds[name].isel(lat=3, lon=2, drop=True) for name in ("u", "v")}
    return ds.assign(steady).assign(uniform)


def full(ds, name):
    """A field with all dimensions, by xarray."""
    return ds[name].broadcast_like(ds.t).transpose(*ds.t.dims).copy()


CALLS = {
    "divergence": lambda ds, u, v, **o: ds.grad.divergence(lon=u, lat=v, **GLOBE, **o),
    "curl": lambda ds, u, v, **o: ds.grad.curl(lon=u, lat=v, **GLOBE, **o),
    "jacobian": lambda ds, u, v, **o: ds.grad.jacobian(lon=u, lat=v, **GLOBE, **o),
    "strain": lambda ds, u, v, **o: ds.grad.strain(lon=u, lat=v, **GLOBE, **o),
    "advection": lambda ds, u, v, **o: ds.t.grad.advection(lon=u, lat=v, **GLOBE, **o),
    "directional": lambda ds, u, v, **o: ds.t.grad.directional(lon=u, lat=v, **GLOBE, **o),
}
PAIRS = [
    ("u", "v_steady"),
    ("u_steady", "v"),
    ("u_steady", "v_steady"),
    ("u", "v_uniform"),
    ("u_uniform", "v_uniform"),
]


def equal(found, expected):
    """Compare values, dtypes and attributes, in the order of dimensions of the expected."""
    if isinstance(expected, xr.DataArray):
        found, expected = found.to_dataset(name="r"), expected.to_dataset(name="r")
    assert set(found) == set(expected)
    for name, field in expected.items():
        same = found[name].transpose(*field.dims)
        np.testing.assert_array_equal(same.values, field.values)
        assert same.dtype == field.dtype
        assert same.attrs.get("units") == field.attrs.get("units")
        assert set(same.coords) == set(field.coords)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("name", CALLS)
def test_results_are_those_of_full_arrays(ds, name, pair):
    if set(pair) == {"u_steady", "v_steady"} and name not in ("advection", "directional"):
        pytest.skip("nothing to broadcast")
    found = CALLS[name](ds, *(ds[p] for p in pair))
    expected = CALLS[name](ds, *(full(ds, p) for p in pair))
    if "time" not in getattr(found, "dims", ("time",)):
        expected = expected.isel(time=0)
    equal(found, expected)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["divergence", "advection", "directional"])
def test_compiled_loops_take_views(ds, name):
    equal(
        CALLS[name](ds, ds.u, ds.v_steady),
        CALLS[name](ds, ds.u, full(ds, "v_steady")),
    )


@pytest.mark.parametrize("name", CALLS)
def test_chunks_stay_lazy_and_change_no_bit(ds, name, nothing_computed):
    pytest.importorskip("dask")
    chunks = {"time": 1, "lat": 5}
    expected = CALLS[name](ds, full(ds, "u"), full(ds, "v_steady"))
    with nothing_computed():
        lazy = ds.chunk(chunks)
        both = CALLS[name](lazy, lazy.u, lazy.v_steady)
        mixed = CALLS[name](lazy, lazy.u, ds.v_steady.load())
    equal(both.compute(), expected)
    equal(mixed.compute(), expected)
    first = both if isinstance(both, xr.DataArray) else next(iter(both.values()))
    assert dict(first.chunksizes) == dict(lazy.u.chunksizes)


@pytest.mark.parametrize("number", [3, 2.5, np.float64(-1.5), np.int16(2)])
@pytest.mark.parametrize("name", CALLS)
def test_numbers_are_components(ds, name, number):
    found = CALLS[name](ds, ds.u.assign_attrs(units="1"), number)
    filled = xr.full_like(ds.v, number).assign_attrs(units="1")
    bare = filled.drop_attrs(deep=False)
    expected = CALLS[name](ds, ds.u.assign_attrs(units="1"), bare.rename(None))
    equal(found, expected)


def test_two_numbers_are_a_uniform_wind(ds):
    found = ds.t.grad.advection(lon=2.0, lat=-1.0, **GLOBE)
    by = ds.t.grad(["lon", "lat"], **GLOBE)
    np.testing.assert_allclose(found, -2 * by.dt_dlon + by.dt_dlat, rtol=1e-4, atol=1e-9)
    assert found.dtype == np.float32
    lazy = ds.chunk(time=1).t.grad.advection(lon=2.0, lat=-1.0, **GLOBE)
    np.testing.assert_array_equal(lazy, found)


def test_the_divergence_of_a_number_is_that_of_the_sphere(ds):
    """A wind of 1 m/s to the north converges as meridians do."""
    found = ds[["lat", "lon"]].grad.divergence(lon=0.0, lat=1.0, **GLOBE)
    inner = found.isel(lat=slice(1, -1))
    expected = -np.tan(np.deg2rad(inner.lat)) / 6371008.8
    np.testing.assert_allclose(inner.transpose("lon", "lat") - expected, 0, atol=1e-18)


def test_a_steady_scalar_in_an_unsteady_wind(ds):
    scalar = ds.t.isel(time=0, drop=True)
    found = scalar.grad.advection(lon=ds.u, lat=ds.v, **GLOBE)
    expected = scalar.broadcast_like(ds.u).transpose(*ds.u.dims).copy()
    equal(
        found,
        expected.rename("t").assign_attrs(scalar.attrs).grad.advection(lon=ds.u, lat=ds.v, **GLOBE),
    )
    assert found.dims == ("lat", "lon", "time")  # as those of scalar * ds.u
    assert (scalar * ds.u).dims == found.dims


def test_scalars_of_a_dataset_keep_their_dimensions(ds):
    scalars = ds[["t", "u_steady", "v_steady"]].assign(s=ds.t.isel(time=0, drop=True) * 2)
    found = scalars.grad.advection(lon="u_steady", lat="v_steady", **GLOBE)
    assert set(found) == {"advection_t", "advection_s"}
    assert found.advection_t.dims == ("time", "lat", "lon")
    assert found.advection_s.dims == ("lat", "lon")
    np.testing.assert_allclose(found.advection_s, 2 * found.advection_t[0], rtol=1e-5)


@pytest.mark.parametrize("skipna", [False, True])
def test_missing_values_stay_where_they_are(ds, skipna):
    holed = ds.assign(v_steady=ds.v_steady.where(ds.v_steady > -0.5))
    for name in ("divergence", "advection"):
        equal(
            CALLS[name](holed, ds.u, holed.v_steady, skipna=skipna),
            CALLS[name](holed, ds.u, full(holed, "v_steady"), skipna=skipna),
        )


def test_dimensions_have_the_order_of_arithmetic(ds):
    found = ds.grad.divergence(lon="u_steady", lat="v", **GLOBE)
    assert found.dims == (ds.u_steady + ds.v).dims == ("lat", "lon", "time")


LACKING = {
    "u(x), v(y)": (("x",), ("y",)),
    "u(time, x), v(y, x)": (("time", "x"), ("y", "x")),
    "u(y, x), v(z, y)": (("y", "x"), ("z", "y")),
    "u(time, y), v(z, x)": (("time", "y"), ("z", "x")),
    "u(member, x), v(scenario, y)": (("member", "x"), ("scenario", "y")),
    "u(y, x), v(y, t2)": (("y", "x"), ("y", "t2")),
}


@pytest.mark.parametrize("chunks", [False, True])
@pytest.mark.parametrize("name", LACKING)
def test_components_that_each_lack_a_dimension(name, chunks, rng, nothing_computed):
    sizes = {"x": 5, "y": 5, "time": 4, "z": 5, "member": 3, "scenario": 3, "t2": 4}
    u, v = (
        xr.DataArray(rng.random([sizes[d] for d in dims]), {d: np.arange(sizes[d]) for d in dims},
                     dims, n, {"units": "m s-1"})
        for n, dims in zip("uv", LACKING[name], strict=True)
    )  # fmt: skip
    dims = (u + v).dims
    along = {"x": np.arange(5), "y": np.arange(5)}
    known = xr.Dataset(coords=along)
    full = [(f + 0 * (u + v)).transpose(*dims).assign_coords(along) for f in (u, v)]
    full = [f.expand_dims({d: along[d] for d in along if d not in f.dims}) for f in full]
    full = [f.rename(n).assign_attrs(units="m s-1") for f, n in zip(full, "uv", strict=True)]
    expected = [xgradient.curl(x=full[0], y=full[1]), xgradient.divergence(x=full[0], y=full[1])]
    if chunks:
        pytest.importorskip("dask")
        u, v = u.chunk(2), v.chunk(3)
    with nothing_computed():
        found = [known.grad.curl(x=u, y=v), known.grad.divergence(x=u, y=v)]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.transpose(*other.dims), other)
        assert one.dims[: len(dims)] == dims


def test_a_scalar_and_a_wind_that_each_lack_a_dimension(ds):
    """A section of the air at several times, in a wind of several latitudes."""
    section = ds.t.isel(lat=4, drop=True)
    wind = ds.u_steady
    found = section.grad.advection(lon=wind.drop_attrs(), metric={"lon": 2.0})
    expected = -wind * section.grad("lon", metric={"lon": 2.0})
    np.testing.assert_allclose(found, expected.transpose(*found.dims), rtol=1e-5)


STAGGERED = [
    ({"y": 4, "x_u": 5}, {"y_v": 5, "x": 4}),
    ({"nodes": 4, "faces": 5}, {"nodes": 4, "cells": 4}),
    ({"time": 2, "lat": 3, "lon": 4}, {"time": 2, "slat": 2, "lon": 4}),
    ({"y": 3, "x": 4}, {"y": 3, "xc": 4}),
]


@pytest.mark.parametrize(("first", "second"), STAGGERED)
def test_two_dimensions_of_one_axis_are_staggered(first, second):
    u, v = (
        xr.DataArray(np.ones(tuple(sizes.values())), dims=tuple(sizes), name=n)
        for n, sizes in zip("uv", (first, second), strict=True)
    )
    names = dict(zip([*first][-1:] + [*second][:1], (u, v), strict=True))
    with pytest.raises(ValueError, match="as on a staggered grid; give to='center' for means"):
        xgradient.divergence(names)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda ds: ds.grad.divergence(lon=ds.u.rename(lon="lon_u"), lat=ds.v),
            "'u' has the dimensions time, lat, lon_u, but 'v' has time, lat, lon, as on a stagger",
        ),
        (
            lambda ds: ds.grad.divergence(lon=ds.u, lat=ds.v_steady[1:]),
            "'u' has 13 points along 'lat', but 'v_steady' has 12; bring them to one grid",
        ),
        (
            lambda ds: ds.grad.divergence(lon=ds.u, lat=ds.v_steady.assign_coords(lat=ds.lat / 2)),
            "'u' and 'v_steady' have different values of the coordinate 'lat'",
        ),
        (
            lambda ds: ds.t.grad.advection(lon=ds.u_steady[1:], lat=ds.v_steady[1:]),
            "'u_steady' has 12 points along 'lat', but the scalar 't' has 13",
        ),
        (lambda ds: ds.grad.divergence(lon=True, lat="v"), "component along 'lon' is True"),
        (lambda ds: xgradient.divergence(lon=1.0, lat=2.0), "'lon' is not a dimension"),
    ],
)
def test_what_does_not_fit_is_refused(ds, call, told):
    with pytest.raises(ValueError, match=told) as raised:
        call(ds)
    assert "\n" not in str(raised.value)
