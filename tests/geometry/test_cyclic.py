"""A cyclic point: coordinates whose last point is the first one, a period later."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support import simulated_cupy, sphere_fields
from ..support.backends import library
from ..support.marks import slow
from ..support.operations import GLOBE, HORIZONTAL, curved, in_plane, layered, sample, with_data

CLOSED = {"periodic": {"lon": 360}}
PLANE = {"accuracy": 2, **CLOSED}
BOTH = {"lon": "u", "lat": "v"}

OPERATORS = {
    "grad": lambda ds: ds.t.grad(HORIZONTAL, **GLOBE),
    "grad, ellipsoid": lambda ds: ds.t.grad(["lon", "lat"], metric="ellipsoid"),
    "grad, one name": lambda ds: ds.t.grad("lat", **GLOBE).to_dataset(),
    "grad, every dimension": lambda ds: ds.t.grad(**GLOBE),
    "grad, Dataset": lambda ds: ds[["t", "u"]].grad("lat", **GLOBE),
    "grad, second": lambda ds: ds.t.isel(lat=slice(1, -1)).grad(HORIZONTAL, deriv=2, **GLOBE),
    "grad, fourth order": lambda ds: ds.t.grad(HORIZONTAL, accuracy=4, **GLOBE),
    "grad, skipna": lambda ds: ds.t.grad(HORIZONTAL, skipna=True, **GLOBE),
    "magnitude": lambda ds: ds.t.grad.magnitude(HORIZONTAL, **GLOBE),
    "laplacian": lambda ds: ds.t.grad.laplacian(HORIZONTAL, **GLOBE),
    "laplacian, Dataset": lambda ds: ds[["t", "u"]].grad.laplacian(HORIZONTAL, **GLOBE),
    "laplacian, skipna": lambda ds: ds.t.grad.laplacian(HORIZONTAL, skipna=True, **GLOBE),
    "hessian": lambda ds: ds.t.grad.hessian(HORIZONTAL, **GLOBE),
    "divergence": lambda ds: ds.grad.divergence(**BOTH, **GLOBE),
    "divergence, skipna": lambda ds: ds.grad.divergence(**BOTH, skipna=True, **GLOBE),
    "curl": lambda ds: ds.grad.curl(**BOTH, **GLOBE),
    "curl, fourth order": lambda ds: ds.grad.curl(**BOTH, accuracy=4, **GLOBE),
    "jacobian": lambda ds: ds.grad.jacobian(**BOTH, **GLOBE),
    "strain": lambda ds: ds.grad.strain(**BOTH, **GLOBE),
    "advection": lambda ds: ds.t.grad.advection(lon=ds.u, lat=ds.v, **GLOBE),
    "advection, Dataset": lambda ds: ds[["t", "u", "v"]].grad.advection(**BOTH, **GLOBE),
    "directional": lambda ds: ds.t.grad.directional(lon=ds.u, lat=ds.v, **GLOBE),
    "periodic": lambda ds: ds.t.grad("lon", periodic=True),
    "periodic, a period": lambda ds: ds.t.grad(["time", "lon"], **CLOSED),
    "periodic, second": lambda ds: ds.t.grad("lon", deriv=2, accuracy=4, periodic=True),
    "periodic, skipna": lambda ds: ds.t.grad("lon", skipna=True, periodic=True),
    "periodic, mixed": lambda ds: ds.t.grad({"lat": 1, "lon": 1}, periodic="lon"),
    "periodic, laplacian": lambda ds: in_plane(ds).t.grad.laplacian(HORIZONTAL, **PLANE),
    "periodic, curl": lambda ds: in_plane(ds).grad.curl(**BOTH, **PLANE),
    "given lengths": lambda ds: ds.t.grad(HORIZONTAL, metric={"lon": ds.h, "lat": 2.0}, **CLOSED),
    "given lengths, curl": lambda ds: ds.grad.curl(
        **BOTH, metric={"lon": ds.h, "lat": ds.h}, **CLOSED
    ),
    "given lengths, laplacian": lambda ds: ds.t.grad.laplacian(
        HORIZONTAL, metric={"lon": ds.h, "lat": ds.h}, **CLOSED
    ),
    "levels": lambda ds: layered(ds).t.grad(["height", "lon"], along="level", edge_order=1,
                                            **CLOSED),
    "levels, globe": lambda ds: layered(ds).t.grad(["lat", "lon", "height"], along="level",
                                                   edge_order=1, **GLOBE),
    "at constant height": lambda ds: layered(ds).t.grad(
        HORIZONTAL, at_constant="height", along="level", edge_order=1, **GLOBE
    ),
    "at constant height, skipna": lambda ds: layered(ds).t.grad(
        HORIZONTAL, at_constant="height", along="level", edge_order=1, skipna=True, **GLOBE
    ),
}  # fmt: skip


def repeated(ds: Any, dim: str = "lon", period: float = 360.0) -> Any:
    """Append the first point, a period later."""
    again = ds.isel({dim: [0]})
    coord = again[dim].copy(data=(again[dim].values + period).astype(again[dim].dtype))
    attrs = ds[dim].attrs
    longer = xr.concat([ds, again.assign_coords({dim: coord})], dim, data_vars="minimal",
                       coords="minimal") if isinstance(ds, xr.Dataset) else xr.concat(
                           [ds, again.assign_coords({dim: coord})], dim)  # fmt: skip
    longer[dim].attrs.update(attrs)
    return longer


def as_dataset(result: Any) -> xr.Dataset:
    return result if isinstance(result, xr.Dataset) else result.to_dataset(name="result")


def check_same(found: Any, expected: Any, dim: str = "lon") -> None:
    """The derivatives are those without the last point, and stand at both of its places."""
    found, expected = as_dataset(found), as_dataset(expected)
    xr.testing.assert_identical(found.isel({dim: slice(None, -1)}), expected)
    for one in found.values():
        if dim in one.dims:
            first, last = (one.isel({dim: k}).values for k in (0, -1))
            np.testing.assert_array_equal(first.view("u8"), last.view("u8"))


@pytest.mark.parametrize("operator", OPERATORS)
def test_derivatives_are_those_without_the_last_point(operator):
    """All operators, on a globe with rows on its poles and in the plane, some with gaps."""
    ds, op = sample(holes="skipna" in operator), OPERATORS[operator]
    check_same(op(repeated(ds)), op(ds))


@pytest.mark.parametrize(
    ("chunks", "operator"),
    [
        *product([{"lon": 5}, {"time": 2}], OPERATORS),
        *(slow({"lon": 12}, operator) for operator in OPERATORS),
        # Chunks of one longitude are many.
        *(({"lon": 1, "lat": 7}, operator) for operator in list(OPERATORS)[::3]),
        *(slow({"lon": 1, "lat": 7}, o) for k, o in enumerate(OPERATORS) if k % 3),
    ],
    ids=str,
)
def test_chunks_change_nothing(operator, chunks, nothing_computed):
    """The last chunk reads the first, and its length stays; 12 leaves one of length 1."""
    ds, op = repeated(sample(holes="skipna" in operator)), OPERATORS[operator]
    lazy = ds.assign({name: ds[name].chunk(chunks) for name in ("u", "v", "t")})
    with nothing_computed():
        made = as_dataset(op(lazy))
    expected = as_dataset(op(ds))
    for one in made.values():
        asked = {d: lazy.t.chunksizes["time" if d == "level" else d] for d in ("lon", one.dims[0])}
        assert {d: one.chunksizes[d] for d in asked} == asked
    xr.testing.assert_identical(made.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize(
    "lon",
    [
        np.arange(0, 361, 15),
        np.arange(0.0, 361, 15),
        np.arange(-180.0, 181, 15),
        np.arange(360.0, -1, -15),
        np.arange(0, 361, 15, dtype="f4"),
        np.linspace(-180, 180, 25, dtype="f4"),
        np.arange(-180, 180.1, 14.4),
        np.arange(-180, 180.1, 2.4, dtype="f4"),
        np.r_[0.0, 10, 30, 100, 200, 270, 360],
        np.r_[-170.0, -10, 20, 190],
        np.r_[30.0:331:30, 0, 30],
        np.r_[0.0:341:20, 0],
        np.r_[np.arange(-180.0, 180, 20), -180],
    ],
    ids=lambda lon: f"{lon.dtype.str[1:]}, {lon[0]:g} to {lon[-1]:g}, {len(lon)} points",
)
def test_every_way_to_write_longitudes(lon):
    """Positions decide, up to their rounding: integers, float32, descending, uneven, wrapped."""
    lat = np.array([-60.0, 0.0, 45.0])
    values = np.cos(np.deg2rad(lat))[:, None] * np.sin(np.deg2rad(lon) - 0.3)
    values[:, -1] = values[:, 0]
    f = sphere_fields.labelled(values, lat, lon, "f", "K")
    found, once = f.grad("lon", **GLOBE), f.isel(lon=slice(None, -1))
    # Without it, uneven longitudes with a wide gap need not go round.
    even = np.ptp(abs(np.diff(np.unwrap(lon.astype("f8"), period=360)))) < 1e-3
    check_same(found, once.grad("lon", **GLOBE) if even else found.isel(lon=slice(None, -1)))
    if (np.diff(lon) > 0).all() or (np.diff(lon) < 0).all():
        for periodic in (True, {"lon": 360}):
            found = f.grad("lon", periodic=periodic)
            check_same(found, once.grad("lon", periodic=periodic))
            scale = np.cos(np.deg2rad(f.lat)) * sphere_fields.RADIUS * np.pi / 180
            on_globe = f.grad("lon", **GLOBE)
            np.testing.assert_allclose(on_globe * scale, found, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    "options", [GLOBE, {"periodic": True}, {"periodic": {"lon": 360}}], ids=str
)
@pytest.mark.parametrize("units", ["degrees_east", None])
def test_the_seam_is_as_accurate_as_the_rest(options, units):
    """The derivative of a wave, by central differences: exact up to the sine of the step."""
    lon = np.arange(0, 361, 5.0)
    angle = np.deg2rad(lon - 20)
    f = xr.DataArray(np.cos(angle), {"lon": lon, "lat": 0.0}, "lon", "T")
    if units:
        f.lon.attrs["units"] = units
    per = sphere_fields.RADIUS if "metric" in options else 180 / np.pi
    step = np.deg2rad(5)
    exact = -np.sin(angle) * np.sin(step) / step
    np.testing.assert_allclose(f.grad("lon", **options) * per, exact, atol=1e-13)


@pytest.mark.parametrize("units", ["radians", "rad"])
def test_radians(units):
    angle = np.linspace(0, 2 * np.pi, 37)
    f = xr.DataArray(np.sin(angle), {"theta": ("theta", angle, {"units": units})}, name="f")
    step = 2 * np.pi / 36
    exact = np.cos(angle) * np.sin(step) / step
    for periodic in (True, {"theta": 2 * np.pi}):
        np.testing.assert_allclose(f.grad("theta", periodic=periodic), exact, atol=1e-12)


def test_any_axis_with_a_period():
    """Hours, dates, a spacing that is given, and two axes at once."""
    x = np.arange(0, 25, 3.0)
    f = xr.DataArray(np.cos(2 * np.pi * x / 24), {"x": x}, name="f")
    f[-1] = f[0]
    check_same(f.grad("x", periodic={"x": 24}), f[:-1].grad("x", periodic={"x": 24}), "x")
    days = np.datetime64("2000-01-01", "ns") + np.arange(9) * np.timedelta64(3, "h")
    dated, day = f.assign_coords(x=days), {"x": np.timedelta64(1, "D")}
    check_same(dated.grad("x", periodic=day), dated[:-1].grad("x", periodic=day), "x")
    plain = f.drop_vars("x")
    for spacing in (3.0, x):
        np.testing.assert_array_equal(
            plain.grad("x", spacing=spacing, periodic={"x": 24}), f.grad("x", periodic={"x": 24})
        )
    torus = (f * f.rename(x="y")).rename("f").chunk(x=4, y=8)
    options = {"periodic": {"x": 24, "y": 24}}
    made = torus.grad.hessian(**options)
    assert made.d2f_dx_dy.chunks == torus.chunks
    once = torus.isel(x=slice(-1), y=slice(-1)).grad.hessian(**options)
    xr.testing.assert_identical(made.isel(x=slice(-1), y=slice(-1)).compute(), once.compute())
    for d in ("x", "y"):
        xr.testing.assert_equal(made.isel({d: 0}).drop_vars(d), made.isel({d: -1}).drop_vars(d))


def test_open_axes_stay_open():
    """With periodic=False, and in the plane where nothing is said, the ends are one-sided."""
    ds = repeated(sample(poles=False))
    ends = (ds.t.isel(lon=1) - ds.t.isel(lon=0)) / 15
    np.testing.assert_allclose(ds.t.grad("lon").isel(lon=0), ends, rtol=1e-12)
    made = ds.t.grad("lon", periodic=False, **GLOBE).isel(lon=0)
    rest = np.cos(np.deg2rad(ds.lat)) * np.pi / 180 * sphere_fields.RADIUS
    np.testing.assert_allclose(made, ends / rest, rtol=1e-12, atol=1e-20)


def test_fields_without_longitudes_are_untouched():
    ds = repeated(sample(poles=False))
    ds["mean"] = ds.t.isel(lon=slice(None, -1)).mean("lon", keep_attrs=True)
    made = ds[["t", "mean"]].grad("lat", **GLOBE)
    xr.testing.assert_equal(made.dmean_dlat, ds["mean"].grad("lat", **GLOBE))
    assert made.dmean_dlat.dims == ("time", "lat")


def test_an_odd_number_of_places_does_not_go_across_a_pole():
    """24 points with the last one repeated are 23 places: none is opposite to another."""
    lat, _ = sphere_fields.grid(15.0)
    few = sphere_fields.labelled(np.ones((12, 24)), lat, np.linspace(0, 360, 24), "f", "K")
    message = "^coordinate 'lat' is asked to be periodic, but latitudes continue only across"
    with pytest.raises(ValueError, match=message):
        few.grad("lat", periodic={"lat": True}, **GLOBE)
    many = sphere_fields.labelled(np.ones((12, 25)), lat, np.linspace(0, 360, 25), "f", "K")
    assert many.grad("lat", periodic={"lat": True}, **GLOBE).shape == (12, 25)


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i4", "u1", "?", "c16"])
def test_dtypes(dtype):
    values = (50 + 40 * np.sin(np.deg2rad(np.arange(0, 360, 15.0)))).astype(dtype)
    if dtype == "c16":
        values *= 1 + 2j
    lon = ("lon", np.arange(0, 360, 15.0), {"units": "degrees_east"})
    f = xr.DataArray(values, {"lon": lon}, name="f")
    both = repeated(f)
    found = both.grad("lon", periodic=True)
    expected = f.grad("lon", periodic=True)
    xr.testing.assert_identical(found[:-1], expected)
    assert found.dtype == expected.dtype
    assert found[-1].values == found[0].values


@pytest.mark.parametrize("order", [("lon", "lat", "time"), ("lat", "lon", "time")])
def test_transposed_arrays(order):
    ds = repeated(sample())
    turned = ds.transpose(*order)
    for op in (OPERATORS["laplacian"], OPERATORS["curl"]):
        expected = op(ds).transpose(*op(turned).dims)
        np.testing.assert_allclose(op(turned), expected, rtol=1e-9, atol=1e-18)
        lazy = turned.assign({n: turned[n].chunk(lon=6, lat=4) for n in ("u", "v", "t")})
        xr.testing.assert_identical(op(lazy).compute(), op(turned))


@pytest.mark.parametrize("wave", [1, 2, 3, 8])
@pytest.mark.parametrize("kinds", ["f8 f8", "f4 f4", "f4 f8", "f8 f4"])
@pytest.mark.parametrize("base", [0.0, 300.0])
def test_rounding_is_let_pass(wave, kinds, base):
    """sin 2πm is not sin 0 to the last bit, least of all where longitudes are in float32."""
    of_lon, of_data = kinds.split()
    lon = np.linspace(-180, 180, 73, dtype=of_lon)
    values = (base + np.sin(wave * np.deg2rad(lon) + 1e-3)).astype(of_data)
    f = xr.DataArray(values, {"lon": lon, "lat": 10.0}, "lon", "f")
    made = f.grad("lon", **GLOBE)
    assert made[0] == made[-1]
    for chunks in (1, 10, 72):
        xr.testing.assert_identical(f.chunk(lon=chunks).grad("lon", **GLOBE).compute(), made)


@pytest.mark.parametrize("operator", ["grad", "laplacian", "curl", "periodic", "levels"])
@pytest.mark.parametrize("kind", ["numpy, read-only", "array_api_strict", "jax", "sparse",
                                  "cupy, simulated", "dask of cupy, simulated"])  # fmt: skip
def test_arrays_of_other_libraries(operator, kind, monkeypatch):
    """Of values on a GPU one byte is fetched, which says whether all are the same."""
    with library(kind) as xp:
        fetched = fetched_from(simulated_cupy, monkeypatch)
        ds, op = repeated(sample()), OPERATORS[operator]
        made, expected = as_dataset(op(with_data(ds, xp.asarray))), as_dataset(op(ds))
        for one, other in zip(made.values(), expected.values(), strict=True):
            ours = xp.numpy(one.data)
            np.testing.assert_allclose(ours, other, rtol=1e-12, atol=1e-12 * abs(other).max())
            last = one.dims.index("lon")
            np.testing.assert_array_equal(ours.take(0, last), ours.take(-1, last))
        assert set(fetched) <= {1}
        ds.t[1, 3, -1] += 1
        if operator != "curl":
            with pytest.raises(ValueError, match="a period later, but 't' is "):
                xp.numpy([*as_dataset(op(with_data(ds, xp.asarray))).values()][-1].data)


def fetched_from(cupy, monkeypatch):
    """The sizes of what is fetched from the device, which is no error here."""
    sizes = []
    get = lambda array: sizes.append(array.nbytes) or array._host.copy()  # noqa: E731
    monkeypatch.setattr(cupy.ndarray, "get", get)
    return sizes


DIFFERENT = {
    "a tenth": (lambda f: f + 0.1, "f8"),
    "a little": (lambda f: f * (1 + 1e-9), "f8"),
    "a little in float32": (lambda f: f * (1 + 1e-4), "f4"),
    "missing": (lambda f: np.nan * f, "f8"),
    "infinite": (lambda f: f + np.inf, "f8"),
    "another integer": (lambda f: f + 1, "i4"),
}


@pytest.mark.parametrize("which", DIFFERENT)
@pytest.mark.parametrize("options", [GLOBE, {"periodic": {"lon": 360}}], ids=["globe", "periodic"])
def test_values_that_differ_are_refused(which, options, nothing_computed):
    change, dtype = DIFFERENT[which]
    ds = repeated(sample("f8", poles=False, step=30.0))
    f = (300 + 10 * ds.t).astype(dtype).rename("t")
    f[2, 1, -1] = change(f[2, 1, -1])
    message = (
        "the last point of coordinate 'lon', at index 12, is the first one a period later, but "
        f"'t' is {f.values[2, 1, 0]!s} at index (2, 1, 0) and {f.values[2, 1, 12]!s} at index "
        "(2, 1, 12); drop the last point, e.g. with .isel(lon=slice(None, -1)), or give both the "
        "same value, such as their mean"
    )
    message = f"^{re.escape(message)}$"
    with pytest.raises(ValueError, match=message):
        f.grad("lon", **options)
    for chunks in ({"lon": 13}, {"time": 1, "lat": 2, "lon": 4}, {"lon": 1}):
        with nothing_computed():
            lazy = f.chunk(chunks).grad("lon", **options)
        for part in (lazy, lazy.isel(lon=0), lazy.isel(lon=-1)):
            with pytest.raises(ValueError, match=message):
                part.compute(scheduler="synchronous")
    f.isel(lon=slice(None, -1)).grad("lon", **options)  # which is the mend
    f[..., -1] = f[..., 0]
    f.grad("lon", **options)


def test_missing_values_at_both_are_equal():
    ds = sample(holes=True)
    ds.t[:, :, 0] = np.nan
    check_same(repeated(ds).t.grad("lon", skipna=True, periodic=True),
               ds.t.grad("lon", skipna=True, periodic=True))  # fmt: skip


@pytest.mark.parametrize("name", ["u", "v", "t"])
def test_every_field_of_a_call_is_looked_at(name):
    ds = repeated(sample())
    ds[name][1, 3, -1] += 1
    lazy = with_data(ds, lambda values: xr.DataArray(values).chunk().data)
    message = f"^the last point of coordinate 'lon', .*, but '{name}' is "
    for data in (ds, lazy):
        with pytest.raises(ValueError, match=message):
            data.t.grad.advection(lon=data.u, lat=data.v, **GLOBE).compute()
        if name != "t":
            for operator in ("divergence", "curl", "jacobian", "strain"):
                with pytest.raises(ValueError, match=message):
                    getattr(data.grad, operator)(**BOTH, **GLOBE).compute()


def test_scale_factors_and_positions_are_looked_at():
    ds = repeated(sample())
    ds.h[3, -1] += 1
    message = "^the last point of coordinate 'lon', .*, but 'scale factor of lon' is "
    with pytest.raises(ValueError, match=message):
        ds.t.grad("lon", metric={"lon": ds.h}, **CLOSED)
    on_levels = layered(repeated(sample()))
    height = on_levels.height.copy()
    height[{"lon": -1, "lat": 3}] += 1
    on_levels = on_levels.assign_coords(height=height)
    message = "^the last point of coordinate 'lon', .*, but 'height' is "
    for options in ({"at_constant": "height"}, {}):
        names = HORIZONTAL if options else ["height", "lon"]
        with pytest.raises(ValueError, match=message):
            on_levels.t.grad(names, along="level", edge_order=1, **options, **GLOBE)


def test_another_axis_along_the_same_dimension():
    ds = repeated(sample(poles=False))
    ds = ds.assign_coords(km=("lon", np.arange(25.0)))
    message = (
        "^'lon' and 'km' both lie along 'lon', where neither changes alone; name one at a time, "
        "for the derivative by it along its length$"
    )
    with pytest.raises(ValueError, match=message):
        ds.t.grad(["lon", "km"], periodic={"lon": 360})
    with pytest.raises(ValueError, match=message):
        ds.t.grad(["lat", "lon", "km"], **GLOBE)
    message = (
        "^the last point of 'lon' repeats the first, but that of 'km' along the same dimension is "
        "another point; name them in separate calls$"
    )
    with pytest.raises(ValueError, match=message):
        ds.t.grad(["lat", "km"], **GLOBE)
    assert ds.t.grad("km").shape == ds.t.shape


@pytest.mark.parametrize("skipna", [False, True])
def test_beside_a_grid_of_two_dimensions(skipna):
    """A phase that closes beside a curvilinear grid."""
    ds = curved(sample(holes=skipna)).rename(time="phase").assign_coords(phase=[0.0, 90, 200])
    both = repeated(ds, "phase")
    names, options = ["nav_lat", "nav_lon", "phase"], {"skipna": skipna, "periodic": {"phase": 360}}
    made = both.t.grad(names, **options, **GLOBE)
    check_same(made, ds.t.grad(names, **options, **GLOBE), "phase")
    lazy = both.t.chunk(phase=3, x=10).grad(names, **options, **GLOBE)
    assert lazy.chunks == both.chunk(phase=3, x=10).chunks
    xr.testing.assert_identical(lazy.compute(), made)


def test_a_circle_of_one_place_is_too_short():
    f = xr.DataArray([1.0, 1.0], {"lon": [0.0, 360.0], "lat": 0.0}, "lon", "f")
    with pytest.raises(ValueError, match="has 1 point"):
        f.grad("lon", periodic={"lon": 360})


def test_plain_arrays_have_no_positions_that_repeat():
    values = np.array([0.0, 1, 0, -1])
    (made,) = xgradient.gradient(values, spacing=np.arange(4.0), periodic=True)
    np.testing.assert_array_equal(made, [1, 0, -1, 0])


@pytest.mark.parametrize(
    "sizes",
    [(0, 25), (25, 0), (20, 0, 5), (24, 1), (24, 0, 1), (0, 24, 1), (24, 1, 0), (0, 23, 1, 1)],
)
@pytest.mark.parametrize("operator", ["grad", "curl", "grad, skipna"])
def test_chunks_without_cells_stay(operator, sizes):
    ds, op = repeated(sample(holes="skipna" in operator)), OPERATORS[operator]
    found = as_dataset(op(ds.chunk(lon=sizes, lat=(0, ds.lat.size))))
    for one in found.values():
        assert one.chunksizes["lon"] == sizes
    xr.testing.assert_identical(found.compute(), as_dataset(op(ds)))
