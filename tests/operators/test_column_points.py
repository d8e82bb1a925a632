"""Derivatives at other points along columns that each have positions of their own."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

RNG = np.random.default_rng(23)


def columns(n: int = 9, x: int = 4, *, falls: bool = False) -> xr.DataArray:
    """Return a cubic of heights that differ by column."""
    z = np.cumsum(0.5 + RNG.random((n, x)), axis=0)
    height = xr.DataArray(-z if falls else z, dims=("lev", "x"), attrs={"units": "m"})
    field = (height**3 - height).rename("f").assign_coords(z=height)
    return field.assign_attrs(units="K")


def targets(da: xr.DataArray) -> xr.DataArray:
    """Return three points in each column."""
    return xr.DataArray(da.z.values[2:5] + 0.2, dims=("level", "x"), attrs={"units": "m"})


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (2, 2), (3, 3)])
def test_polynomials_are_exact(falls, deriv, accuracy):
    da = columns(falls=falls)
    at = targets(da)
    exact = {1: 3 * at**2 - 1, 2: 6 * at, 3: 6 + 0 * at}[deriv]
    found = da.grad("z", along="lev", at=at, deriv=deriv, accuracy=accuracy)
    assert found.dims == ("level", "x")
    assert found.attrs["units"] == ("K m-1" if deriv == 1 else f"K m-{deriv}")
    np.testing.assert_allclose(found, exact, rtol=1e-11)
    np.testing.assert_array_equal(found.z, at)


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("deriv", [1, 2])
@pytest.mark.parametrize("accuracy", [2, 3, 4, 6])
def test_equal_columns_have_the_stencils_of_one_axis(accuracy, deriv, falls):
    z = np.cumsum(0.5 + RNG.random(12)) * (-1 if falls else 1)
    values = RNG.random((12, 3))
    x = np.sort(np.r_[z[[0, 5, 11]], RNG.uniform(z.min(), z.max(), 20), (z[3] + z[4]) / 2])
    x = np.r_[x, 1.2 * z[0] - 0.2 * z[1], 1.3 * z[-1] - 0.3 * z[-2]]  # beyond the ends
    line = xr.DataArray(values, {"z": z}, ("z", "x"))
    wide = np.broadcast_to(z[:, None], values.shape)
    column = xr.DataArray(values, {"z": (("lev", "x"), wide)}, ("lev", "x"))
    expected = line.grad("z", at=x, accuracy=accuracy, deriv=deriv)
    found = column.grad("z", along="lev", at=x, accuracy=accuracy, deriv=deriv)
    assert found.dims == ("z", "x")
    size = float(abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * size)


def test_a_fit_by_numpy_gives_the_same():
    da = columns()
    da[:] = RNG.random(da.shape)
    found = da.grad("z", along="lev", at=targets(da), accuracy=3)
    for x in range(4):
        for k in range(3):
            at = float(targets(da)[k, x])
            before = int(np.searchsorted(da.z[:, x], at)) - 1
            window = slice(before - 1, before + 3)
            fit = np.polyfit(da.z[window, x] - at, da[window, x], 3)
            np.testing.assert_allclose(found[k, x], fit[-2], rtol=1e-9)


def test_numbers_lists_and_units():
    da = columns()
    one = da.grad("z", along="lev", at=3.0)
    assert one.dims == ("x",)
    assert float(one.z) == 3.0
    several = da.grad("z", along="lev", at=[4.0, 3.0])
    np.testing.assert_array_equal(several.sel(z=3.0), one)
    km = xr.DataArray([0.003], dims="level", attrs={"units": "km"})
    np.testing.assert_allclose(da.grad("z", along="lev", at=km)[0], one, rtol=1e-12)
    per_km = da.grad("z", along="lev", at=3.0, units="K km-1")
    np.testing.assert_allclose(per_km, 1e3 * one, rtol=1e-12)
    assert per_km.attrs["units"] == "K km-1"
    smooth = da.to_dataset().grad("z", along="lev", at=[3.0])
    np.testing.assert_array_equal(smooth.df_dz[0], one)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i4"])
def test_chunks_change_no_bit(dtype):
    da = columns().astype(dtype)
    at = targets(da)
    expected = da.grad("z", along="lev", at=at, accuracy=4)
    assert expected.dtype == ("f8" if dtype == "i4" else dtype)
    lazy = da.chunk(x=3, lev=4)
    lazy = lazy.assign_coords(z=lazy.z.chunk(x=2)).grad("z", along="lev", at=at, accuracy=4)
    assert lazy.chunks is not None
    xr.testing.assert_identical(lazy.compute(scheduler="sync"), expected)


def test_missing_levels_and_points_outside():
    da = columns()
    at = targets(da)
    masked = da.where(da.lev > 0) if "lev" in da.coords else da.copy()
    masked = masked.assign_coords(z=da.z.where(xr.DataArray(np.arange(9) > 0, dims="lev")))
    found = masked.grad("z", along="lev", at=at)
    np.testing.assert_array_equal(found, da.grad("z", along="lev", at=at))
    far = da.grad("z", along="lev", at=[-100.0, 3.0, 100.0])
    assert far.isnull().all("x").values.tolist() == [True, False, True]
    gap = da.copy()
    gap[3, 1] = np.nan
    assert gap.grad("z", along="lev", at=at).isnull()[:, 1].any()
    assert not gap.grad("z", along="lev", at=at).isnull()[:, 0].any()


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda da: da.grad("z", along="lev", at=[]), ValueError, "at is empty; give at least one"),
        (
            lambda da: da.grad("z", along="lev", at=["a"]),
            TypeError,
            "at has dtype <U1, but coordinate 'z' has numbers; give numbers in its units",
        ),
        (lambda da: da.grad("z", along="lev", at=[[1.0]]), ValueError, "at has 2 dimensions; give"),
        (
            lambda da: da.grad("z", along="lev", at=xr.DataArray(np.ones((2, 3)), dims=("a", "x"))),
            ValueError,
            "at has 3 points along 'x', but 'f' has 4; bring them to one grid",
        ),
        (
            lambda da: da.grad("z", along="lev", at=xr.DataArray([[1.0]], dims=("a", "b"))),
            ValueError,
            "at has the dimensions 'a', 'b', which 'f' does not have; give one dimension",
        ),
        (
            lambda da: da.grad(
                "z", along="lev", at=xr.DataArray([1.0], dims="a", attrs={"units": "K"})
            ),
            ValueError,
            "which do not convert by a factor",
        ),
        (
            lambda da: da.isel(lev=[0, 1]).grad("z", along="lev", at=1.0, accuracy=4),
            ValueError,
            "dimension 'lev' has 2 points, but",
        ),
        (lambda da: da.grad("z", along="lev", to="inner"), ValueError, "to does not go with along"),
        (
            lambda da: da.grad("z", along="lev", at=1.0, skipna=True),
            ValueError,
            "at does not go with skipna",
        ),
    ],
)  # fmt: skip
def test_refusals(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(columns())
