"""Every operator, with every way that the loops work: one table for all kinds of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support import sphere_fields
from .marks import slow

__all__ = ["EAST_NORTH", "OPERATIONS", "curved", "in_plane", "layered", "sample", "with_data"]

PLANE = {"accuracy": 4}
GLOBE = {"metric": "sphere"}
HORIZONTAL = ["lat", "lon"]


def sample(
    dtype: Any = "f8", *, poles: bool = True, holes: bool = False, step: float = 15.0
) -> xr.Dataset:
    """A flow and a scalar on a globe, for three times, perhaps with land; and lengths of cells."""
    return _sample(np.dtype(dtype), poles, holes, step).copy(deep=True)


@cache
def _sample(dtype: np.dtype, poles: bool, holes: bool, step: float) -> xr.Dataset:
    """Make a sample, of which each test gets a copy."""
    lat, lon = sphere_fields.grid(step, poles=poles)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    flow, scalar = sphere_fields.tilted_rotation(phi, lam), sphere_fields.harmonic(1, phi, lam)
    fields = {"u": (flow.u, "m s-1"), "v": (flow.v, "m s-1"), "t": (scalar.f, "K")}
    ds = xr.Dataset(
        {n: sphere_fields.labelled(f, lat, lon, n, unit) for n, (f, unit) in fields.items()}
    )
    time = xr.Variable("time", np.array([0.0, 1.0, 3.0]), {"units": "s"})
    growth = xr.DataArray([1.0, 1.5, 1.25], {"time": time})
    ds = (ds * growth).transpose("time", ...)
    land = np.random.default_rng(5).random(ds.t.shape) < 0.15
    for name, (_, unit) in fields.items():
        ds[name] = ds[name].where(~land | (not holes)).astype(dtype).assign_attrs(units=unit)
    ds["h"] = ("lat", "lon"), 1 + 0.1 * np.cos(phi)[:, None] * np.sin(lam), {"units": "m"}
    return ds


def with_data(ds: xr.Dataset, make: Callable[[np.ndarray], Any]) -> xr.Dataset:
    """The Dataset with other arrays for its fields; what is known of the grid stays."""
    return ds.assign({n: ds[n].copy(deep=False, data=make(ds[n].values)) for n in ("u", "v", "t")})


def curved(ds: xr.Dataset) -> xr.Dataset:
    """The fields on a grid whose latitudes and longitudes have two dimensions."""
    y, x = np.meshgrid(np.linspace(-1, 1, ds.lat.size), np.linspace(-1, 1, ds.lon.size),
                       indexing="ij")  # fmt: skip
    bare = ds[["u", "v", "t"]].drop_vars(["lat", "lon"]).rename(lat="y", lon="x")
    units = [{"units": f"degrees_{way}"} for way in ("north", "east")]
    lat = ("y", "x"), 40 + 20 * y + 5 * x * y, units[0]
    return bare.assign_coords(nav_lat=lat, nav_lon=(("y", "x"), 10 + 30 * x - 4 * y, units[1]))


def layered(ds: xr.Dataset) -> xr.Dataset:
    """The fields on levels whose heights differ from place to place."""
    bare = ds[["t"]].rename(time="level")
    ground = np.cos(np.deg2rad(ds.lat)) * np.sin(np.deg2rad(ds.lon))
    height = (bare.level + 0.2 * ground * bare.level**2).transpose(*bare.t.dims)
    return bare.assign_coords(height=height.assign_attrs(units="m"))


def in_plane(ds: Any) -> Any:
    """The fields on a plane, where both coordinates are lengths."""
    lengths = {name: ds[name].assign_attrs(units="m") for name in HORIZONTAL}
    return ds.assign_coords(lengths)


def on_c_grid(ds: xr.Dataset) -> xr.Dataset:
    """The components half a cell to the west and to the south, whose last row is dropped."""
    u = ds.u.assign_coords(lon=ds.lon - 7.5).rename(lon="lon_f")
    between = ds.lat.values[:-1] + np.diff(ds.lat) / 2
    v = ds.v.isel(lat=slice(1, None)).assign_coords(lat=between).rename(lat="lat_f")
    return ds.drop_vars(["u", "v"]).assign(u=u, v=v)


C_GRID = {"X": {"center": "lon", "left": "lon_f"}, "Y": {"center": "lat", "inner": "lat_f"}}
CONSERVATIVE = {"form": "conservative"}
EAST_NORTH = ["nav_lon", "nav_lat"]
COLUMNS = {"along": "level", "edge_order": 1}
VALUE, SLOPE = ("value", 0.75), ("slope", -0.5)

#: What is done with a sample, by a name; each gives a DataArray or a Dataset.
OPERATIONS: dict[str, Callable[[xr.Dataset], Any]] = {
    "grad, along time": lambda ds: ds.t.grad("time"),
    "grad, every dimension": lambda ds: ds.t.grad(accuracy=4, edge_order=1),
    "grad, second, periodic": lambda ds: ds.t.grad("lon", deriv=2, accuracy=6, periodic=True),
    "grad, Dataset": lambda ds: ds[["u", "v"]].grad("lat", edge_order=2),
    "grad, mixed": lambda ds: ds.t.grad({"lat": 1, "lon": 1}),
    "grad, globe": lambda ds: ds.t.grad(HORIZONTAL, **GLOBE),
    "grad, given lengths": lambda ds: ds.t.grad(HORIZONTAL, metric={"lon": ds.h, "lat": 2.0}),
    "grad, at points": lambda ds: ds.t.grad("lat", at=[55.0, -40.0, 10.0], accuracy=4),
    "grad, on faces": lambda ds: ds.t.grad("lon", to="left", periodic=True, accuracy=4),
    "grad, on faces, coasts": lambda ds: ds.t.grad("lat", to="inner", skipna=True),
    "grad, on all faces, coasts": lambda ds: ds.t.grad("lat", to="outer", skipna=True),
    "interpolate, on faces": lambda ds: ds.t.grad.interpolate(
        "lon", to="left", periodic=True, accuracy=4
    ),
    "interpolate, coasts": lambda ds: ds.t.grad.interpolate(
        "lat", to="outer", skipna=True, accuracy=4
    ),
    "interpolate, at points": lambda ds: ds.t.grad.interpolate("lat", at=[55.0, -45.0, 10.0]),
    "integrate, globe, coasts": lambda ds: ds.t.grad.integrate(HORIZONTAL, skipna=True, **GLOBE),
    "integrate, coasts": lambda ds: ds.t.grad.integrate(["time", "lat"], skipna=True),
    "integrate, accuracy 4": lambda ds: ds.t.grad.integrate("lat", accuracy=4),
    "integrate, by parts": lambda ds: ds.t.grad.integrate("lat", boundary="sbp", accuracy=4),
    "cumulative_integrate": lambda ds: ds.t.grad.cumulative_integrate("lon", to="left", **GLOBE),
    "cumulative_integrate, coasts": lambda ds: ds.t.grad.cumulative_integrate(
        "lat", to="right", skipna=True
    ),
    "cumulative_integrate, coasts, accuracy 4": lambda ds: ds.t.grad.cumulative_integrate(
        "lat", from_="end", skipna=True, accuracy=4
    ),
    "grad, by parts": lambda ds: ds.t.grad("lat", boundary="sbp", accuracy=4),
    "grad, coasts": lambda ds: ds.t.grad(skipna=True, edge_order=2),
    "grad, coasts, periodic": lambda ds: ds.t.grad("lon", accuracy=4, periodic=True, skipna=True),
    "grad, walls": lambda ds: ds.t.grad(
        HORIZONTAL,
        accuracy=4,
        wall="face",
        boundary={"lat": ("odd", SLOPE), "lon": ("even", VALUE)},
    ),
    "grad, walls, coasts": lambda ds: ds.t.grad(
        HORIZONTAL,
        skipna=True,
        boundary={"lat": ("missing", "extend"), "lon": ("one-sided", VALUE)},
    ),
    "jacobian, walls": lambda ds: in_plane(ds).grad.jacobian(
        lon="u", lat="v", boundary={"lat": {"u": "even", "v": "odd"}, "lon": ("odd", VALUE)}
    ),
    "grad, error": lambda ds: ds.t.grad(HORIZONTAL, error=True),
    "grad, error, accuracy 4": lambda ds: ds.t.grad("lat", accuracy=4, error=True),
    "grad, error, globe": lambda ds: ds.t.grad(HORIZONTAL, error=True, **GLOBE),
    "grad, error, coasts": lambda ds: ds.t.grad(HORIZONTAL, skipna=True, error=True, sigma=0.1),
    "magnitude": lambda ds: in_plane(ds).t.grad.magnitude(HORIZONTAL),
    "magnitude, globe": lambda ds: ds.t.grad.magnitude(HORIZONTAL, **GLOBE),
    "laplacian": lambda ds: in_plane(ds).t.grad.laplacian(HORIZONTAL, **PLANE),
    "laplacian, globe": lambda ds: ds.t.grad.laplacian(HORIZONTAL, accuracy=4, **GLOBE),
    "laplacian, coasts": lambda ds: in_plane(ds).t.grad.laplacian(HORIZONTAL, skipna=True),
    "laplacian, coasts without flux": lambda ds: in_plane(ds).t.grad.laplacian(
        HORIZONTAL, skipna=True, coast="even", wall="face", boundary={"lon": VALUE}
    ),
    "divergence, globe, walls at coasts": lambda ds: ds.grad.divergence(
        lon="u", lat="v", skipna=True, coast={"lon": "odd", "lat": SLOPE}, **GLOBE
    ),
    "hessian": lambda ds: in_plane(ds).t.grad.hessian(HORIZONTAL),
    "hessian, globe": lambda ds: ds.t.grad.hessian(HORIZONTAL, **GLOBE),
    "divergence": lambda ds: in_plane(ds).grad.divergence(lon="u", lat="v", **PLANE),
    "divergence, globe": lambda ds: ds.grad.divergence(lon="u", lat="v", **GLOBE),
    "divergence, globe, coasts": lambda ds: ds.grad.divergence(
        lon="u", lat="v", skipna=True, **GLOBE
    ),
    "curl, globe": lambda ds: ds.grad.curl(lon="u", lat="v", accuracy=4, **GLOBE),
    "curl, given lengths": lambda ds: ds.grad.curl(
        lon="u", lat="v", metric={"lon": ds.h, "lat": ds.h}
    ),
    "grad, on faces, globe": lambda ds: ds.t.grad("lon", to="left", accuracy=4, **GLOBE),
    "divergence, on cells": lambda ds: on_c_grid(ds).grad.divergence(
        lon="u", lat="v", positions=C_GRID, **GLOBE
    ),
    "divergence, conservative, coasts": lambda ds: on_c_grid(ds).grad.divergence(
        lon="u", lat="v", positions=C_GRID, skipna=True, **CONSERVATIVE, **GLOBE
    ),
    "curl, conservative, coasts": lambda ds: on_c_grid(ds).grad.curl(
        lon="u", lat="v", positions=C_GRID, coast="zero", **CONSERVATIVE, **GLOBE
    ),
    "curl, conservative, at centers": lambda ds: on_c_grid(ds).grad.curl(
        lon="u", lat="v", positions=C_GRID, to="center", **CONSERVATIVE, **GLOBE
    ),
    "laplacian, conservative, coasts": lambda ds: ds.t.grad.laplacian(
        HORIZONTAL, skipna=True, **CONSERVATIVE, **GLOBE
    ),
    "jacobian, globe": lambda ds: ds.grad.jacobian(lon="u", lat="v", **GLOBE),
    "strain": lambda ds: in_plane(ds).grad.strain(lon="u", lat="v"),
    "strain, globe": lambda ds: ds.grad.strain(lon="u", lat="v", **GLOBE),
    "advection, globe": lambda ds: ds.t.grad.advection(lon=ds.u, lat=ds.v, **GLOBE),
    "grad, curvilinear": lambda ds: curved(ds).t.grad(EAST_NORTH, **GLOBE),
    "grad, curvilinear, coasts": lambda ds: curved(ds).t.grad(EAST_NORTH, skipna=True, **GLOBE),
    "laplacian, curvilinear": lambda ds: curved(ds).t.grad.laplacian(EAST_NORTH, **GLOBE),
    "curl, curvilinear": lambda ds: curved(ds).grad.curl(nav_lon="u", nav_lat="v", **GLOBE),
    "grad, levels": lambda ds: layered(ds).t.grad("height", **COLUMNS),
    "grad, levels, coasts": lambda ds: layered(ds).t.grad("height", skipna=True, **COLUMNS),
    "grad, at constant height": lambda ds: layered(ds).t.grad(
        HORIZONTAL, at_constant="height", **COLUMNS
    ),
    "directional, globe": lambda ds: ds.t.grad.directional(lon=ds.u, lat=ds.v, **GLOBE),
}


#: Each operation with kinds of arrays that differ in how units reach them. Left out is one for
#: which a test has to read the device: coasts on a curvilinear grid in its memory.
OPERATIONS_OF_LIBRARIES = [
    slow(name, kind) if "cupy" in kind or ("dask" in kind and k % 3) else (name, kind)
    for k, name in enumerate(OPERATIONS)
    for kind in ("numpy, read-only", "dask of numpy", "cupy, simulated", "dask of cupy, simulated")
    if (name, kind) != ("grad, curvilinear, coasts", "cupy, simulated")
]
