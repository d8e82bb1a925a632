"""Labelled arrays of other libraries than NumPy: every operator, and what xarray keeps of them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from ..support import operations
from ..support.backends import library

#: Those that xarray can hold; CuPy has tests of its own.
HELD = ["numpy, read-only", "array_api_strict", "jax", "sparse"]


def variables(result):
    """The results as DataArrays, one or more."""
    return [result] if isinstance(result, xr.DataArray) else list(result.data_vars.values())


def check(name, xp, dtype="f8", **grid):
    """One operator has the values and the type that it should, and all else as for NumPy."""
    ds, operation = operations.sample(dtype, **grid), operations.OPERATIONS[name]
    made = zip(
        variables(operation(operations.with_data(ds, xp.asarray))),
        variables(operation(ds)),
        strict=True,
    )
    for found, expected in made:
        assert type(found.data) is xp.kind
        assert (found.name, found.dims, found.attrs) == (
            expected.name, expected.dims, expected.attrs,
        )  # fmt: skip
        ours = xp.numpy(found.data)
        assert ours.dtype == expected.dtype
        error = np.nanmax(np.abs(ours - expected.values))
        assert error <= 8 * np.finfo(dtype).eps * np.nanmax(np.abs(expected.values))
        assert np.array_equal(np.isnan(ours), np.isnan(expected.values))


@pytest.mark.parametrize("grid", [{}, {"holes": True}], ids=str)
@pytest.mark.parametrize("name", operations.OPERATIONS)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning:array_api_strict")
def test_every_operator_on_arrays_of_the_standard(name, grid):
    with library("array_api_strict") as xp:
        check(name, xp, **grid)


@pytest.mark.parametrize(
    "name",
    ["grad, globe", "magnitude", "laplacian, globe", "strain", "divergence, globe, coasts"],
)
def test_operators_on_jax(name):
    with library("jax") as xp:
        check(name, xp)


@pytest.mark.parametrize("name", ["grad, every dimension", "laplacian", "divergence"])
@pytest.mark.parametrize("kind", HELD)
def test_derivatives_on_each(kind, name):
    with library(kind) as xp:
        check(name, xp, "f4")


COASTS = [name for name in operations.OPERATIONS if "coasts" in name]


@pytest.mark.parametrize("name", [n for n in operations.OPERATIONS if n not in COASTS])
@pytest.mark.filterwarnings(
    "ignore:(invalid value|divide by zero) encountered:RuntimeWarning:sparse"
)
def test_every_operator_on_sparse_arrays(name):
    with library("sparse") as xp:
        check(name, xp)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("name", COASTS)
def test_sparse_arrays_are_not_looked_at_cell_by_cell(name, chunked):
    sentence = "skipna looks at every cell; make the sparse array a dense one first"
    with library("dask of sparse" if chunked else "sparse") as xp:
        ds = operations.with_data(operations.sample(), xp.asarray)
        with pytest.raises(TypeError, match=f"^{sentence}$"):
            variables(operations.OPERATIONS[name](ds))[0].compute(scheduler="sync")


@pytest.mark.parametrize("dtype", ["c8", "i4"])
def test_lengths_of_gradients_of_complex_and_whole_numbers(dtype):
    field = (10 * operations.sample().t).astype("c16" if dtype == "c8" else "f8") * (
        (1 + 2j) if dtype == "c8" else 1
    )
    field = field.astype(dtype)
    field = operations.in_plane(field)
    expected = field.grad.magnitude(["lat", "lon"])
    with library("array_api_strict") as xp:
        found = field.copy(data=xp.asarray(field.values)).grad.magnitude(["lat", "lon"])
        assert xp.numpy(found.data).dtype == (np.dtype("f4") if dtype == "c8" else "f8")
        assert np.allclose(xp.numpy(found.data), expected.values, rtol=1e-6)


def test_arrays_on_any_device_of_the_standard():
    strict = pytest.importorskip("array_api_strict")
    from xgradient.operators.arrays import gradient

    field = np.arange(12.0).reshape(3, 4) ** 2
    device = strict.Device("device1")
    array = strict.asarray(field, device=device)
    for options in ({}, {"spacing": [[0.0, 1, 3], 0.5]}, {"skipna": True}):
        both = zip(gradient(array, **options), gradient(field, **options), strict=True)
        for found, expected in both:
            assert found.device == device
            assert np.array_equal(found.to_device(strict.Device("CPU_DEVICE")), expected)
