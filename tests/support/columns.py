"""Fields whose vertical positions differ from column to column, and the slow reference for them."""

from __future__ import annotations

import numpy as np
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from . import reference


def columns(shape, axis, seed=0, dtype="f8"):
    """Positions with steps of about one, uneven and other ones in every column, up or down."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.5, 1.5, shape)
    ways = rng.choice([-1.0, 1.0], [1 if d == axis else n for d, n in enumerate(shape)])
    return (ways * (np.cumsum(steps, axis) + 100 * rng.random())).astype(dtype)


def on_levels(f, z, axis, name="f"):
    """A field with a coordinate z, which may be 1 long along dimensions that it has not."""
    dims = [f"d{k}" for k in range(f.ndim)]
    mine = [k for k in range(f.ndim) if z.shape[k] == f.shape[k]]
    z = z[tuple(slice(None) if k in mine else 0 for k in range(f.ndim))]
    return xr.DataArray(f, {"z": ([dims[k] for k in mine], z)}, dims, name), dims[axis]


def derivative(f, z, axis, **options):
    da, along = on_levels(f, z, axis)
    return da.grad("z", along=along, **options)


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def by_columns(f, z, axis, one=reference.derivative, **order):
    """Differentiate column by column with the slow reference."""
    f = np.moveaxis(f, axis, -1)
    z = np.moveaxis(np.broadcast_to(z, np.moveaxis(f, -1, axis).shape), axis, -1)
    result = np.empty(f.shape, np.complex128 if f.dtype.kind == "c" else np.float64)
    for at in np.ndindex(f.shape[:-1]):
        result[at] = one(f[at].tolist(), z[at].tolist(), **{"uniform": False, **order})
    return np.moveaxis(result, -1, axis)
