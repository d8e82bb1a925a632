"""Coordinates whose index computes them: their step is used, and positions are not made."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.labels import transforms

indexes = pytest.importorskip("xarray.indexes")

N = 10**9


def ranged(n, step, start=0.0):
    index = indexes.RangeIndex.arange(start, start + n * step, step, dim="x")
    ds = xr.Dataset(coords=xr.Coordinates.from_xindex(index))
    ds.x.attrs["units"] = "m"
    return ds


@pytest.mark.parametrize("step", [0.1, -0.3, 1e-3])
def test_the_step_is_exact(step):
    ds = ranged(1000, step, 1e6).assign(f=("x", np.arange(1000.0) ** 2, {"units": "K"}))
    found = ds.f.grad("x")
    expected = np.gradient(ds.f.values) / ds.xindexes["x"].step
    np.testing.assert_allclose(found, expected, rtol=4e-16)
    # Positions near 1e6 have lost digits of the step.
    assert abs(float(ds.x[1] - ds.x[0]) / step - 1) > 1e-13
    assert isinstance(found.xindexes["x"], indexes.RangeIndex)
    assert found.attrs["units"] == "K m-1"
    part = ds.isel(x=slice(10, 900, 3)).f.grad("x")
    # Older versions of xarray compute the step of a part from its ends.
    np.testing.assert_allclose(part, np.gradient(ds.f.values[10:900:3]) / (3 * step), rtol=1e-9)


def test_periodic_ranges():
    ds = ranged(72, 5.0).assign(f=("x", np.sin(np.deg2rad(np.arange(72) * 5.0))))
    ds.x.attrs["units"] = "degrees"
    found = ds.f.grad("x", periodic=True, accuracy=6)
    expected = np.cos(np.deg2rad(ds.x.values)) * np.pi / 180
    np.testing.assert_allclose(found, expected, atol=1e-9)


CALLS = {
    "grad": lambda ds: ds.f.grad("x"),
    "dataset": lambda ds: ds.grad("x").df_dx,
    "second": lambda ds: ds.f.grad("x", deriv=2, accuracy=4),
    "laplacian": lambda ds: ds.f.grad.laplacian("x"),
    "divergence": lambda ds: ds.grad.divergence(x="f"),
    "advection": lambda ds: ds.f.grad.advection(x=ds.g),
    "tree": lambda ds: xr.DataTree(ds).grad("x").df_dx,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_thousand_million_positions_are_not_made(call, nothing_computed):
    da = pytest.importorskip("dask.array")
    ds = ranged(N, 0.25)
    ds["f"] = "x", da.arange(N, chunks=10**8, dtype="f8")
    ds["g"] = 0 * ds.f + 1
    tracemalloc.start()
    with nothing_computed():
        found = call(ds)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7
    assert found.shape == (N,)


def test_values_of_a_long_range():
    da = pytest.importorskip("dask.array")
    ds = ranged(N, 0.25)
    ds["f"] = "x", da.arange(N, chunks=10**6, dtype="f8")
    middle = ds.f.grad("x")[N // 2 : N // 2 + 3]
    np.testing.assert_array_equal(middle, 4.0)


class Powers:
    """Make an index of a transform to a line or to squares."""

    def __init__(self, power):
        self.power = power

    def index(self, n):
        transform_type = pytest.importorskip("xarray.indexes").CoordinateTransform
        power = self.power

        class Transform(transform_type):
            def forward(self, dim_positions):
                if len(np.atleast_1d(dim_positions["x"])) > transforms.BLOCK:
                    raise AssertionError("positions are made")
                return {"x": 2.0 + 0.5 * np.asarray(dim_positions["x"], "f8") ** power}

            def reverse(self, coord_labels):
                raise NotImplementedError

            def equals(self, other, **kwargs):
                return isinstance(other, Transform)

        return indexes.CoordinateTransformIndex(Transform(["x"], {"x": n}))


needs_transforms = pytest.mark.skipif(
    not hasattr(indexes, "CoordinateTransformIndex"), reason="needs public transforms"
)


@needs_transforms
def test_a_long_uniform_transform_has_a_step(nothing_computed):
    da = pytest.importorskip("dask.array")
    n = 5 * transforms.BLOCK + 3
    ds = xr.Dataset(coords=xr.Coordinates.from_xindex(Powers(1).index(n)))
    ds["f"] = "x", da.arange(n, chunks=10**6, dtype="f8")
    with nothing_computed():
        found = ds.f.grad("x")
    np.testing.assert_allclose(found[-3:], 2.0, rtol=1e-12)
    xgradient.divergence(x=ds.f.copy())


@needs_transforms
def test_other_transforms_are_read():
    ds = xr.Dataset(coords=xr.Coordinates.from_xindex(Powers(2).index(50)))
    ds["f"] = "x", np.arange(50.0)
    expected = np.gradient(ds.f.values, 2 + 0.5 * np.arange(50.0) ** 2)
    np.testing.assert_allclose(ds.f.grad("x"), expected, rtol=1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transforms, "BLOCK", 49)
        assert transforms.index_step(ds.xindexes["x"], "x") is None


def test_the_accessor_shows_uniform_steps():
    text = repr(ranged(N, 0.25).grad)
    assert "uniform      one-sided" in " ".join(text.splitlines())
