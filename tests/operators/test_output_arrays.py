"""The arrays that ``gradient`` writes its results into."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.loops import compile_loops
from ..support.marks import slow

SHAPE = (5, 6, 7)


def _field(dtype: str = "f8") -> np.ndarray:
    return np.random.default_rng(3).normal(size=SHAPE).astype(dtype)


def _layouts(dtype: str) -> dict[str, np.ndarray]:
    """Return arrays of one shape, in several layouts, which hold other numbers."""
    unaligned = np.full(np.prod(SHAPE) * np.dtype(dtype).itemsize + 1, 7, "u1")[1:]
    return {
        "C": np.full(SHAPE, 9, dtype),
        "Fortran": np.full(SHAPE, 9, dtype, order="F"),
        "part": np.full([2 * n for n in SHAPE], 9, dtype)[1:6, ::2, 3:10],
        "reversed": np.full(SHAPE, 9, dtype)[::-1, ::-1, ::-1],
        "unaligned": unaligned.view(dtype).reshape(SHAPE),
    }


@pytest.mark.compiled
@pytest.mark.parametrize("layout", ["C", "Fortran", "part", "reversed", "unaligned"])
@pytest.mark.parametrize(
    ("when", "dtype"),
    [
        *(("never", dtype) for dtype in ("f2", "f4", "f8", "c8", "c16", "i4")),
        ("now", "f8"),
        *(slow("now", dtype) for dtype in ("f2", "f4", "c8", "c16", "i4")),
    ],
)
def test_the_bits_of_new_arrays_in_any_layout(dtype, layout, when, monkeypatch):
    compile_loops(monkeypatch, when)
    field = _field(dtype) if dtype != "i4" else np.arange(np.prod(SHAPE), dtype="i4").reshape(SHAPE)
    result_dtype = "f8" if dtype == "i4" else dtype
    options = {"spacing": [0.5, np.arange(6.0) ** 2, 2.0], "periodic": [False, False, True]}
    expected = xgradient.gradient(field, **options)
    out = [_layouts(result_dtype)[layout] for _ in expected]
    results = xgradient.gradient(field, **options, out=out)
    for result, given, wanted in zip(results, out, expected, strict=True):
        assert result is given
        np.testing.assert_array_equal(result, wanted)


def test_one_array_for_one_dimension():
    field, out = _field(), np.empty(SHAPE)
    (result,) = xgradient.gradient(field, dim=1, spacing=0.1, out=out)
    assert result is out
    np.testing.assert_allclose(out, np.gradient(field, 0.1, axis=1), rtol=1e-12, atol=1e-12)


def test_memory_around_the_array_is_not_written():
    field, around = _field(), np.full((7, 8, 9), 4.0)
    (result,) = xgradient.gradient(field, dim=2, out=around[1:6, 1:7, 1:8])
    np.testing.assert_allclose(result, np.gradient(field, axis=2), rtol=1e-12, atol=1e-12)
    around[1:6, 1:7, 1:8] = 4
    assert (around == 4).all()


def test_several_outputs_may_be_parts_of_one_array():
    field, both = _field(), np.empty((2, *SHAPE))
    xgradient.gradient(field, dim=[0, 2], out=list(both))
    np.testing.assert_allclose(both[0], np.gradient(field, axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(both[1], np.gradient(field, axis=2), rtol=1e-12, atol=1e-12)


def test_arrays_without_cells():
    out = np.empty((3, 0))
    (result,) = xgradient.gradient(np.empty((3, 0)), dim=0, out=out)
    assert result is out


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda f: np.empty(SHAPE), ValueError, r"out has 1 arrays for 3 results; give one for"),
        (lambda f: [np.empty(SHAPE)] * 2, ValueError, r"out has 2 arrays for 3 results"),
        (lambda f: [[1.0]] * 3, TypeError, r"out\[0\] is a list; give a NumPy array"),
        (
            lambda f: [np.empty(SHAPE, "f4") for _ in range(3)],
            TypeError,
            r"out\[0\] has dtype float32; the result has dtype float64",
        ),
        (
            lambda f: [np.empty(SHAPE), np.empty(SHAPE), np.empty((5, 6))],
            ValueError,
            r"out\[2\] has shape \(5, 6\); the result has \(5, 6, 7\)",
        ),
        (
            lambda f: [np.empty(SHAPE), np.broadcast_to(1.0, SHAPE), np.empty(SHAPE)],
            ValueError,
            r"out\[1\] is read-only; give an array that can be written",
        ),
        (
            lambda f: [np.empty(SHAPE), f[::-1], np.empty(SHAPE)],
            ValueError,
            r"out\[1\] shares memory with input; give it memory for itself",
        ),
        (
            lambda f: [np.empty(SHAPE)] * 3,
            ValueError,
            r"out\[1\] shares memory with out\[0\]; give it memory for itself",
        ),
        (
            lambda f: [np.lib.stride_tricks.as_strided(np.empty(300), SHAPE, (8, 8, 8))] * 3,
            ValueError,
            r"out\[0\] has several cells in one place; give a copy of it",
        ),
    ],
)
def test_arrays_that_cannot_take_the_results(make, error, words):
    field = _field()
    before = field.copy()
    with pytest.raises(error, match=words):
        xgradient.gradient(field, out=make(field))
    np.testing.assert_array_equal(field, before)


@pytest.mark.parametrize("library", ["DataArray", "dask"])
def test_only_for_numpy_arrays(library):
    field = xr.DataArray(_field())
    given = field if library == "DataArray" else field.chunk().data
    with pytest.raises(TypeError, match=r"out takes results of NumPy arrays, but input is a"):
        xgradient.gradient(given, dim=0, out=np.empty(SHAPE))
