"""Loops by positions of each column: the bits of NumPy, and polynomials as they are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support.loops import compiled_and_replaced
from ..support.marks import slow
from ..support.strategies import make_field

pytestmark = pytest.mark.compiled

DIMS = ("z", "y", "x")


def columns(n, dtype="f8", axis=0):
    """A field on columns with heights of their own, along one of three axes."""
    steps = 0.5 + np.random.default_rng(3).random((n, 4, 7))
    height = np.cumsum(steps, 0) + np.arange(7)
    field = xr.DataArray(make_field((n, 4, 7), dtype), dims=DIMS)
    da = field.assign_coords(height=(DIMS, height, {"units": "m", "standard_name": "height"}))
    order = [d for d in DIMS if d != "z"]
    order.insert(axis, "z")
    return da.transpose(*order).copy()


@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("edge_order", [1, 2, slow(4)])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["f8", slow("f4"), slow("c16")])
def test_the_loops_have_the_bits_of_numpy(accuracy, edge_order, axis, dtype):
    for n in (3, 5, 9):
        if max(accuracy, edge_order) >= n:
            continue
        da = columns(n, dtype, axis)
        options = {"along": "z", "accuracy": accuracy, "edge_order": edge_order}
        call = partial(da.grad, "height", **options)
        loops, by_numpy = (made.values for made in compiled_and_replaced(call))
        assert np.isfinite(loops).all()
        np.testing.assert_array_equal(loops, by_numpy)


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_polynomials_are_differentiated_as_they_are(degree, axis):
    da = columns(9, axis=axis)
    height = da.height / 10
    curve = da.copy(data=(height**degree).values)
    found = curve.grad("height", along="z", accuracy=degree, edge_order=degree)
    expected = degree * height ** (degree - 1) / 10
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # One order less is not exact, so the comparison can fail.
    if degree > 2 and degree % 2 == 0:
        lower = curve.grad("height", along="z", accuracy=degree - 2, edge_order=degree - 2)
        assert np.max(abs(lower / expected - 1)) > 1e-6


BAD = {
    "repeats": lambda h: h[4:6].__setitem__(slice(None), h[4]),
    "turns back": lambda h: h.__setitem__(5, h[3] - 0.1),
    "is constant": lambda h: h.__setitem__(slice(None), 5.0),
    "repeats at the start": lambda h: h.__setitem__(1, h[0]),
    "repeats at the end": lambda h: h.__setitem__(-1, h[-2]),
    "is infinite": lambda h: h.__setitem__(4, np.inf),
    "is missing": lambda h: h.__setitem__(4, np.nan),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("dtype", ["f8", "c8"])
def test_bad_heights_give_missing_values(bad, accuracy, dtype):
    """Lazy heights are not searched before."""
    da = columns(9, dtype)
    height = da.height.values.copy()
    BAD[bad](height[:, 1, 2])
    lazy = da.assign_coords(height=da.height.copy(data=height)).chunk(y=2)

    def call():
        return lazy.grad("height", along="z", accuracy=accuracy).values

    loops, by_numpy = compiled_and_replaced(call)
    np.testing.assert_array_equal(np.isnan(loops), np.isnan(by_numpy))
    assert np.isnan(loops[:, 1, 2]).any()
    loops[:, 1, 2] = 0
    assert np.isfinite(loops).all()
