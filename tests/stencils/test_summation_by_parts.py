"""Summation by parts: the identity in exact rationals, published norms, orders and calls."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.stencils.nodes import uniform_nodes
from xgradient.stencils.summation_by_parts import (
    FREE,
    ORDERS,
    boundary_rows,
    interior_weights,
    needed_points,
    norm,
    sbp_stencil,
)

RNG = np.random.default_rng(23)
#: The diagonal of H next to an end, as Mattsson and Nordström (2004) have it.
NORMS = {
    2: "1/2",
    4: "17/48 59/48 43/48 49/48",
    6: "13649/43200 12013/8640 2711/4320 5359/4320 7877/8640 43801/43200",
    8: "1498139/5080320 1107307/725760 20761/80640 1304999/725760 299527/725760 103097/80640 "
    "670091/725760 5127739/5080320",
}


def matrices(order: int, n: int) -> tuple[list[Fraction], list[list[Fraction]]]:
    """The diagonal of H and the matrix D for n points of unit spacing."""
    table, inner = boundary_rows(order), interior_weights(order)
    h, d = [Fraction(1)] * n, [[Fraction(0)] * n for _ in range(n)]
    for i in range(n):
        for k, weight in enumerate(inner, 1):
            for at, value in ((i + k, weight), (i - k, -weight)):
                if 0 <= at < n:
                    d[i][at] = value
    for i, row in enumerate(table.rows):
        h[i] = h[n - 1 - i] = table.norm[i]
        d[i] = [*row, *[Fraction(0)] * (n - len(row))]
        d[n - 1 - i] = [-value for value in reversed(d[i])]
    return h, d


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("more", [0, 1, 5])
def test_parts_sum_to_the_values_at_the_ends(order, more):
    n = needed_points(order) + more
    h, d = matrices(order, n)
    for i in range(n):
        for j in range(n):
            ends = {(0, 0): -1, (n - 1, n - 1): 1}.get((i, j), 0)
            assert h[i] * d[i][j] + h[j] * d[j][i] == ends


@pytest.mark.parametrize("order", ORDERS)
def test_derivatives_of_polynomials_are_exact(order):
    n = needed_points(order) + 4
    h, d = matrices(order, n)
    rows = len(boundary_rows(order).norm)
    for power in range(order + 1):
        for i in range(n):
            found = sum(d[i][j] * Fraction(j) ** power for j in range(n))
            is_exact = found == (power * Fraction(i) ** (power - 1) if power else 0)
            inside = rows <= i < n - rows
            assert is_exact or (power > order // 2 and not inside)
    for power in range(order):  # and so are integrals
        total = sum(h[i] * Fraction(i) ** power for i in range(n))
        assert total == Fraction((n - 1) ** (power + 1), power + 1)


@pytest.mark.parametrize("order", ORDERS)
def test_norms_are_those_that_were_published(order):
    assert boundary_rows(order).norm == [Fraction(value) for value in NORMS[order].split()]


def test_rows_of_order_four_and_six_are_those_that_were_published():
    rows = [[str(value) for value in row] for row in boundary_rows(4).rows]
    assert rows == [
        ["-24/17", "59/34", "-4/17", "-3/34", "0", "0"],
        ["-1/2", "0", "1/2", "0", "0", "0"],
        ["4/43", "-59/86", "0", "59/86", "-4/43", "0"],
        ["3/98", "0", "-59/98", "0", "32/49", "-4/49"],
    ]
    x = FREE[6][4, 5]  # the free element, by which the first row follows
    first = [
        Fraction(-21600, 13649),
        Fraction(43200, 13649) * x - Fraction(7624, 40947),
        Fraction(-172800, 13649) * x + Fraction(715489, 81894),
        Fraction(259200, 13649) * x - Fraction(187917, 13649),
        Fraction(-172800, 13649) * x + Fraction(735635, 81894),
        Fraction(43200, 13649) * x - Fraction(89387, 40947),
    ]
    assert boundary_rows(6).rows[0][:6] == first


@pytest.mark.parametrize("order", ORDERS)
def test_stencils_have_the_nearest_floats(order):
    n = needed_points(order) + 3
    h, d = matrices(order, n)
    unit = xr.DataArray(np.eye(n), dims=("x", "of"))
    found = unit.grad("x", boundary="sbp", accuracy=order).values
    np.testing.assert_allclose(found, np.array(d, float), rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(norm(n, order), np.array(h, float))
    stencil = sbp_stencil(uniform_nodes(n, -0.5), order)
    assert stencil.n == n


@pytest.mark.parametrize("order", ORDERS)
def test_the_orders_of_derivatives_and_integrals(order):
    slopes, integrals, options = [], [], {"boundary": "sbp", "accuracy": order}
    for n in (41, 81, 161):
        x = np.linspace(0.3, 2.3, n)
        f = xr.DataArray(np.sin(4 * x), {"x": x}, "x")
        slopes.append(float(abs(f.grad("x", **options) - 4 * np.cos(4 * x)).max()))
        exact = (np.cos(1.2) - np.cos(9.2)) / 4
        integrals.append(abs(float(f.grad.integrate("x", **options)) - exact))
    assert np.log2(slopes[1] / slopes[2]) > order / 2 - 0.25
    assert np.log2(integrals[0] / integrals[1]) > order - 0.25


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_the_integral_of_a_derivative_is_the_difference_of_end_values(order, direction, dtype):
    x = np.linspace(0, 3, 40)[::direction].astype("f4")
    f = RNG.normal(size=(40, 3)) + (1j * RNG.normal(size=(40, 3)) if dtype == "c16" else 0)
    f = xr.DataArray(f.astype(dtype), {"x": ("x", x, {"units": "m"})}, ("x", "y"), "f")
    f.attrs["units"] = "K"
    options = {"boundary": "sbp", "accuracy": order}
    slope = f.grad("x", **options)
    found = slope.grad.integrate("x", **options)
    ends = f[-1] - f[0] if direction == 1 else f[0] - f[-1]
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, ends, rtol=0, atol=eps * float(abs(slope).sum()))
    assert found.attrs["units"] == "K"
    assert found.dtype == dtype
    pytest.importorskip("dask")
    for size in (1, 7):
        lazy = f.chunk(x=size).grad("x", **options)
        np.testing.assert_array_equal(lazy.compute(scheduler="sync"), slope)
        lazy = lazy.grad.integrate("x", **options)
        np.testing.assert_array_equal(lazy.compute(scheduler="sync"), found)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"accuracy": 3}, "accuracy is 3, but boundary 'sbp' has operators of accuracy 2, 4, 6"),
        ({"accuracy": 8}, "has 9 points, but boundary 'sbp' of accuracy=8 needs 16; lower it"),
        ({"deriv": 2}, "boundary 'sbp' does not go with deriv, which is 2"),
        ({"edge_order": 2}, "boundary 'sbp' does not go with edge_order"),
        ({"skipna": True}, "boundary 'sbp' does not go with skipna"),
        ({"metric": "sphere"}, "boundary 'sbp' does not go with metric"),
        ({"to": "left"}, "boundary 'sbp' does not go with to"),
        ({"error": True}, "boundary 'sbp' does not go with error"),
        ({"periodic": True}, "boundary is 'sbp', but dimension 'x' has no ends; leave"),
        ({"spacing": {"x": np.arange(9.0) ** 2}}, "'sbp', but the steps of dimension 'x' differ"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        xr.DataArray(np.arange(9.0), dims="x").grad("x", boundary="sbp", **options)


def test_mixed_derivatives_are_refused():
    with pytest.raises(
        ValueError, match="boundary 'sbp' is not for mixed derivatives; name coordinates"
    ):
        xr.DataArray(np.ones((4, 4)), dims=("x", "y")).grad({"x": 1, "y": 1}, boundary="sbp")
