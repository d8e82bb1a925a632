"""The root of a sum of squares, as magnitudes accumulate it, for numbers of any size."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from xgradient.kernels.compiled import numpy_sums
from xgradient.kernels.compiled.span_loops import root_of_squares, square_scales


@numba.njit(error_model="numpy")
def _compiled(a, b, out):
    scales = square_scales(a)
    for j in range(len(a)):
        out[j] = root_of_squares(a[j], b[j], scales)


def _pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers between the smallest and the largest, their partners up to 2**30 times as large."""
    info, rng = np.finfo(dtype), np.random.default_rng(1)
    exponents = np.linspace(np.log2(info.smallest_subnormal), info.maxexp - 32, 4000)
    a = np.ldexp(rng.uniform(1, 2, 4000).astype(dtype), exponents.astype(int))
    b = np.ldexp(a, rng.integers(-30, 30, 4000)) * rng.choice([-1, 1], 4000)
    special = [0, -0.0, np.inf, -np.inf, np.nan, info.max / 2, info.tiny, info.smallest_subnormal]
    x, y = np.meshgrid(np.array(special, dtype), np.array(special, dtype))
    return np.concatenate([a, x.ravel()]), np.concatenate([b.astype(dtype), y.ravel()])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_numbers_of_any_size(dtype):
    a, b = _pairs(dtype)
    with np.errstate(all="ignore"):
        exact = np.hypot(a.astype(np.longdouble), b.astype(np.longdouble))
        exact = np.where(np.isnan(a) | np.isnan(b), np.nan, exact)  # a missing part
        found = numpy_sums._root_of_squares(a, b)
    assert found.dtype == a.dtype
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(found[~finite], exact[~finite].astype(dtype))
    steps = np.spacing(exact[finite].astype(dtype)).astype(np.longdouble)
    assert (abs(found[finite] - exact[finite]) / steps).max() < 1.5


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_loops_and_numpy_have_equal_bits(dtype):
    a, b = _pairs(dtype)
    out = np.empty_like(a)
    _compiled(a, b, out)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(out, numpy_sums._root_of_squares(a, b))
