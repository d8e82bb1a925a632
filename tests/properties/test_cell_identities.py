"""Identities of conservative forms to rounding: on planes, globes, files of models and coasts."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr

from xgradient.geometry.cell_axes import FACES
from xgradient.geometry.find_measures import find_cell_measures

from ..support.shared_data import open_shared

LIMIT = 1e-14


def plane(rng, faces="outer"):
    """Uneven centers with faces in the middle, where a gradient is a difference of two values."""
    coords, positions = {}, {}
    for name, n in (("x", 7), ("y", 6)):
        centers = np.cumsum(1 + rng.random(n)) * 1e3
        every = middles(centers, 2 * centers[0] - centers[1], 2 * centers[-1] - centers[-2])
        part = {"outer": slice(None), "inner": slice(1, -1), "left": slice(-1)}[faces]
        coords |= {name: centers, f"{name}f": every[part]}
        positions[name.upper()] = {"center": name, faces: f"{name}f"}
    return xr.Dataset(coords=coords), {"positions": positions}, ("x", "y", "xf", "yf")


def middles(centers, first, last):
    every = np.concatenate([[first], centers, [last]])
    return (every[1:] + every[:-1]) / 2


def globe(rng, faces="outer", metric="sphere"):
    """Cells of a whole globe, of rows of different heights."""
    lat = np.concatenate([[-86.0], np.sort(rng.uniform(-70, 70, 5)), [86.0]])
    lon_f = np.arange(8) * 45.0
    every = middles(lat, -180 - lat[0], 180 - lat[-1])
    ds = xr.Dataset(
        coords={
            "lat": lat, "lon": lon_f + 22.5, "lon_f": lon_f,
            "lat_f": {"outer": every, "inner": every[1:-1], "left": every[:-1]}[faces],
        }
    )  # fmt: skip
    positions = {"X": {"center": "lon", "left": "lon_f"}, "Y": {"center": "lat", faces: "lat_f"}}
    return ds, {"positions": positions, "metric": metric}, ("lon", "lat", "lon_f", "lat_f")


def nemo(rng):
    """Scale factors at all points, as random as they can be."""
    points = {"t": ("y_c", "x_c"), "u": ("y_c", "x_f"), "v": ("y_f", "x_c"), "f": ("y_f", "x_f")}
    fields = {f"e{i}{p}": (d, 1e3 * (1 + rng.random((6, 7))))
              for p, d in points.items() for i in (1, 2)}  # fmt: skip
    return xr.Dataset(fields), {"metric": "nemo"}, ("x_c", "y_c", "x_f", "y_f")


def roms(rng):
    ds = open_shared("roms_nordic.nc")[["pm", "pn", "mask_u", "mask_v", "mask_psi"]]
    return ds.drop_vars(["lat_u", "lon_u"], errors="ignore"), {"metric": "roms"}, (
        "xi_rho", "eta_rho", "xi_u", "eta_v",
    )  # fmt: skip


def wrf(rng):
    ds = open_shared("wrf_katrina_winds.nc")[["MAPFAC_M", "MAPFAC_U", "MAPFAC_V"]].isel(Time=0)
    dims = "west_east", "south_north", "west_east_stag", "south_north_stag"
    return ds, {"metric": "wrf"}, dims


def orca2(rng):
    """A tripolar grid, whose file has the positions of T points."""
    data = pytest.importorskip("iris_sample_data")
    pytest.importorskip("netCDF4")
    with xr.open_dataset(f"{data.path}/orca2_votemper.nc", decode_times=False) as file:
        ds = file[["nav_lat", "nav_lon"]].load().rename(dim0="y", dim1="x")
    ds = ds.set_coords(["nav_lat", "nav_lon"]).drop_vars(["deptht", "time_counter"]).drop_attrs()
    ds = ds.isel(y=slice(5, -5))
    faces = {"X": {"center": "x", "right": "xf"}, "Y": {"center": "y", "right": "yf"}}
    ds["at_faces"] = ("yf", "xf"), np.zeros((ds.sizes["y"], ds.sizes["x"]))
    return ds, {"metric": "sphere", "positions": faces}, ("x", "y", "xf", "yf")


GRIDS = {
    "ORCA2": orca2,
    "plane": plane,
    "plane with inner faces": partial(plane, faces="inner"),
    "plane with faces before": partial(plane, faces="left"),
    "sphere": globe,
    "sphere with inner faces": partial(globe, faces="inner"),
    "sphere with faces before": partial(globe, faces="left"),
    "ellipsoid": partial(globe, metric="ellipsoid"),
    "NEMO": nemo,
    "ROMS": roms,
    "WRF": wrf,
}


@pytest.fixture(params=[*GRIDS])
def grid(request):
    """A grid with its options, its dimensions x, y and their faces, and random numbers."""
    rng = np.random.default_rng(sum(map(ord, request.param)))
    return *GRIDS[request.param](rng), rng


def add(ds, name, dims, rng, holes=0.0):
    """The data with a random field, perhaps with holes."""
    sizes = {"x": 7, "y": 6} | dict(ds.sizes)
    values = rng.normal(size=[sizes[dim] for dim in dims])
    return ds.assign({name: (dims, np.where(rng.random(values.shape) < holes, np.nan, values))})


def measures_of(ds, dims, options):
    given = options.get("metric"), options.get("positions")
    return find_cell_measures(ds, dims, *given)


def largest(*products):
    return max(float(np.nanmax(abs(product))) for product in products)


def differences(ds, name, face, center, options):
    """Differences of two neighbours over the length between, as the derivative of file metrics."""
    if options.get("metric") in ("nemo", "roms", "wrf") or "nav_lat" in ds.coords:
        return ds.grad(face, to="center", **options)[f"d{name}_d{face}"].variable
    field = ds[name].transpose(..., face)
    position = measures_of(ds, field.dims, options).axis_of(face).position(face)
    n = ds.sizes[center]
    every = np.full((len(field), n + 1), np.nan)
    every[:, FACES[position]] = field
    if center == "lon":
        every[:, -1] = every[:, 0]
    dims = field.dims[0], center
    found = xr.Variable(dims, np.diff(every, axis=1))
    return found / measures_of(ds, dims, options).length(center, dims) * direction(ds, center)


def direction(ds, dim):
    return 1 if dim not in ds.coords or ds[dim][-1] > ds[dim][0] else -1


def test_the_divergence_of_a_curl_is_zero(grid):
    ds, options, (x, y, xf, yf), rng = grid
    ds = add(ds, "psi", (yf, xf), rng)
    u, v = -differences(ds, "psi", yf, y, options), differences(ds, "psi", xf, x, options)
    both = ds.assign(u=u, v=v)
    found = both.grad.divergence({x: "u", y: "v"}, form="conservative", **options)
    measures = measures_of(both, [*u.dims, *v.dims], options)
    if "lat" in ds.dims and len(ds.lat_f) < 8:
        found = found.isel(lat=slice(1, -1))  # psi has no values at the poles
    area = measures.area(x, y, (y, x))
    area = xr.DataArray(area, {d: ds[d] for d in (y, x) if d in ds.coords})
    du, dv = (u * measures.length(y, u.dims), v * measures.length(x, v.dims))
    assert np.isfinite(found).sum() >= 20
    assert float((abs(found) * area).max()) < LIMIT * 4 * largest(du, dv)


@pytest.mark.parametrize("holes", [0, 0.1])
def test_the_curl_of_a_gradient_is_zero_at_open_corners(grid, holes):
    ds, options, (x, y, xf, yf), rng = grid
    ds = add(ds, "f", (y, x), rng, holes)
    u, v = (ds.grad(dim, to="edges", **options)[f"df_d{dim}"].variable for dim in (x, y))
    both = ds.assign(u=u, v=v)
    found = both.grad.curl({x: "u", y: "v"}, form="conservative", skipna=bool(holes), **options)
    assert np.isfinite(found).sum() >= 10
    measures = measures_of(both, [*u.dims, *v.dims], options)
    by_u, by_v = u * measures.length(xf, u.dims), v * measures.length(yf, v.dims)
    dims = found.dims
    circulation = found.variable * measures.area(*dims[::-1], dims)
    assert largest(circulation) < LIMIT * 4 * largest(by_u, by_v)
    broken = np.isnan(by_u.transpose(..., xf)).values  # corners with a face at a hole are missing
    if holes:
        assert broken.any()
        assert np.isnan(found).sum() > 0


@pytest.mark.parametrize("holes", [0, 0.3])
def test_the_sum_of_area_times_divergence_is_the_flux_through_the_boundary(grid, holes):
    ds, options, (x, y, xf, yf), rng = grid
    ds = add(add(ds, "u", (y, xf), rng, holes), "v", (yf, x), rng, holes)
    found = ds.grad.divergence({x: "u", y: "v"}, form="conservative", skipna=True, **options)
    measures = measures_of(ds, [y, xf, yf, x], options)
    by_u = ds.u.variable * measures.length(y, (y, xf))
    by_v = ds.v.variable * measures.length(x, (yf, x))
    area = measures.area(x, y, found.dims).transpose(*found.dims)
    total = float((found.variable * area).sum(skipna=True))
    valid, boundary = found.notnull().variable, 0.0
    on_globe = "lat" in ds.dims
    assert holes or not on_globe or bool(valid.all())
    for flux, dim, other in ((by_u, x, y), (by_v, y, x)):
        # On the faces of valid cells; those between two cancel, and the whole globe is closed.
        if on_globe:
            continue
        face = xf if dim == x else yf
        values, inside = flux.transpose(other, face).values, valid.transpose(other, dim).values
        position = measures.axis_of(face).position(face)
        every = np.zeros((len(inside), inside.shape[1] + 1))
        every[:, FACES[position]] = np.nan_to_num(values)
        boundary += ((every[:, 1:] - every[:, :-1]) * inside).sum()
    assert abs(total - boundary) < LIMIT * float(abs(by_u).sum() + abs(by_v).sum())


@pytest.mark.parametrize("name", ["plane", "sphere", "sphere with inner faces", "NEMO"])
def test_a_laplacian_between_coasts_conserves(name):
    """No flux goes through coasts and poles, so the sum over the valid cells is zero."""
    rng = np.random.default_rng(5)
    ds, options, (x, y, _, _) = GRIDS[name](rng)
    ds = add(ds, "f", (y, x), rng, 0.2)
    if "sphere" not in name:  # land all round
        ds.f[[0, -1]] = ds.f[:, [0, -1]] = np.nan
    found = ds.grad.laplacian([x, y], form="conservative", skipna=True, **options).laplacian_f
    np.testing.assert_array_equal(found.isnull(), ds.f.isnull())
    measures = find_cell_measures(ds, [x, y], options.get("metric"), options.get("positions"))
    area = measures.area(x, y, found.dims)
    total = float((found.variable * area).sum())
    assert abs(total) < LIMIT * float(abs(found.variable * area).sum())


@pytest.mark.parametrize("operator", ["divergence", "curl", "laplacian"])
def test_chunks_of_any_size_change_no_bit(operator):
    pytest.importorskip("dask")
    rng = np.random.default_rng(8)
    ds, options, (x, y, xf, yf) = globe(rng, "inner")
    ds = add(add(add(ds, "u", (y, xf), rng, 0.1), "v", (yf, x), rng, 0.1), "f", (y, x), rng, 0.1)
    args = ([x, y],) if operator == "laplacian" else ({x: "u", y: "v"},)

    def call(data):
        data = data[["f"]] if operator == "laplacian" else data
        found = getattr(data.grad, operator)(*args, form="conservative", skipna=True, **options)
        return found.laplacian_f if operator == "laplacian" else found

    expected = call(ds)
    for _ in range(4):
        chunks = {dim: int(rng.integers(1, n + 1)) for dim, n in ds.sizes.items()}
        found = call(ds.chunk(chunks))
        np.testing.assert_array_equal(found.compute(scheduler="sync"), expected)
