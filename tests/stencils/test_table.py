"""Coefficients against exact fractions, windows, orders of accuracy measured, and errors."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgradient.stencils.nodes import nodes_from_values, uniform_nodes
from xgradient.stencils.scheme import Scheme
from xgradient.stencils.table import Stencil

from ..support import reference
from ..support.calls import derivative
from ..support.marks import some_slow
from ..support.strategies import NODES, examples, positions

DERIVS = (1, 2, 3, 4)
ACCURACIES = (1, 2, 3, 4, 5, 6, 7, 8)


def stencil_for(x, deriv=1, accuracy=2, edge_order=None, **period) -> Stencil:
    nodes = uniform_nodes(*x) if isinstance(x, tuple) else nodes_from_values(x, "x", **period)
    return Scheme.checked(deriv, accuracy, edge_order).stencil(nodes, "dimension 'x'")


def coefficients(stencil: Stencil, row: int) -> np.ndarray:
    """The difference coefficients of one row."""
    if stencil.first <= row < stencil.last:
        column = 0 if stencil.uniform else row - stencil.first
        return stencil.interior[:, column]
    at = stencil.boundary_rows.tolist().index(row)
    return stencil.boundary[at, : stencil.boundary_widths[at] - 1]


def window_of(stencil: Stencil, row: int) -> tuple[int, int]:
    """The first node of one row's window, and the one after its last."""
    if stencil.first <= row < stencil.last:
        return row + stencil.offset, row + stencil.offset + stencil.width
    at = stencil.boundary_rows.tolist().index(row)
    start = int(stencil.boundary_starts[at])
    return start, start + int(stencil.boundary_widths[at])


def exact_coefficients(x, row, window, deriv) -> list[Fraction]:
    nodes = tuple(Fraction(float(x[j])) - Fraction(float(x[row])) for j in window)
    return reference.differences(reference.weights(nodes, Fraction(0), deriv))


# -- the reference itself ---------------------------------------------------------------------


@pytest.mark.parametrize("deriv", DERIVS)
def test_the_reference_agrees_with_sympy(deriv):
    sympy = pytest.importorskip("sympy")
    nodes = [sympy.Rational(k * k + 3 * k, 7) for k in range(8)]
    at = sympy.Rational(5, 3)
    expected = sympy.calculus.finite_diff.finite_diff_weights(deriv, nodes, at)[deriv][-1]
    found = reference.weights(
        tuple(Fraction(k * k + 3 * k, 7) for k in range(8)), Fraction(5, 3), deriv
    )
    assert [Fraction(w.p, w.q) for w in expected] == list(found)


def test_the_reference_knows_what_everyone_knows():
    def stencil(*nodes, deriv):
        return list(reference.weights(tuple(map(Fraction, nodes)), Fraction(0), deriv))

    assert stencil(-1, 0, 1, deriv=1) == [Fraction(-1, 2), 0, Fraction(1, 2)]
    assert stencil(-1, 0, 1, deriv=2) == [1, -2, 1]
    assert stencil(0, 1, 2, deriv=1) == [Fraction(-3, 2), 2, Fraction(-1, 2)]
    fifth = [Fraction(k, 12) for k in (1, -8, 0, 8, -1)]
    assert stencil(-2, -1, 0, 1, 2, deriv=1) == fifth
    assert reference.derivative([0, 1, 4, 9], 1) == [1, 2, 4, 5]
    assert reference.derivative([0, 1, 4, 9], 1, edge_order=2) == [0, 2, 4, 6]
    assert reference.derivative([1, 0, -1, 0], 1, period=4) == [0, -1, 0, 1]


# -- coefficients -----------------------------------------------------------------------------


@pytest.mark.parametrize("edge_order", [None, 1, 3])
@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("deriv", DERIVS)
def test_unit_steps_have_the_nearest_floats(deriv, accuracy, edge_order):
    n = 16
    stencil = stencil_for((n, 1.0), deriv, accuracy, edge_order)
    for row in range(n):
        window = reference.window(
            row, n, deriv=deriv, accuracy=accuracy, edge_order=edge_order, uniform=True
        )
        assert window_of(stencil, row) == (window.start, window.stop)
        exact = exact_coefficients(np.arange(n), row, window, deriv)
        assert coefficients(stencil, row).tolist() == [float(c) for c in exact]


@pytest.mark.parametrize("step", [0.1, -0.3, 1e-5, 86400.0, 111_194.926_644_558_73])
@pytest.mark.parametrize("deriv", DERIVS)
def test_other_steps_have_the_same_to_a_rounding(deriv, step):
    unit = stencil_for((20, 1.0), deriv, 4)
    scaled = stencil_for((20, step), deriv, 4)
    exact = np.array([float(Fraction(c) / Fraction(step) ** deriv) for c in unit.interior[:, 0]])
    assert scaled.interior[:, 0] == pytest.approx(exact, rel=1e-15, abs=0)
    assert scaled.boundary == pytest.approx(unit.boundary / step**deriv, rel=1e-14, abs=0)


@pytest.mark.parametrize("kind", sorted(set(NODES) - {"uniform"}))
@pytest.mark.parametrize(
    ("deriv", "accuracy", "edge_order"),
    [(1, 2, 1), (1, 2, 2), (1, 4, 4), (1, 8, 3), (2, 1, 1), (2, 4, 4), (3, 3, 5), (4, 8, 8)],
)
def test_uneven_steps_have_the_exact_coefficients(kind, deriv, accuracy, edge_order):
    n = 15
    for x in (NODES[kind](n), -3600 * NODES[kind](n) + 1e5):
        stencil = stencil_for(x, deriv, accuracy, edge_order)
        for row in range(n):
            window = reference.window(row, n, deriv=deriv, accuracy=accuracy, edge_order=edge_order)
            assert window_of(stencil, row) == (window.start, window.stop)
            exact = np.array([float(c) for c in exact_coefficients(x, row, window, deriv)])
            error = np.abs(coefficients(stencil, row) - exact).max()
            assert error <= 1e-13 * np.abs(exact).max()


@pytest.mark.parametrize(("deriv", "accuracy"), [(6, 10), (9, 2), (1, 16)])
@pytest.mark.parametrize("kind", ["uniform", "jittered"])
def test_there_is_no_highest_derivative_or_accuracy(kind, deriv, accuracy):
    n = deriv + accuracy + 3
    x = NODES[kind](n)
    f = np.random.default_rng(1).standard_normal(n)
    exact = np.array(reference.derivative(f, x, deriv=deriv, accuracy=accuracy, edge_order=2))
    found = derivative(f, x, deriv=deriv, accuracy=accuracy, edge_order=2)
    assert np.abs(found - exact).max() <= 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (2, 3), (4, 8)])
@pytest.mark.parametrize("sign", [1, -1])
def test_windows_across_the_seam_have_moved_neighbours(deriv, accuracy, sign):
    n, period = 14, 15.5
    x = sign * NODES["jittered"](n)
    stencil = stencil_for(x, deriv, accuracy, period=period)
    for row in range(n):
        window = reference.window(row, n, deriv=deriv, accuracy=accuracy, periodic=True)
        assert window_of(stencil, row) == (window.start, window.stop)
        moved = {j: x[j % n] + sign * period * (j // n) for j in window}
        exact = np.array([float(c) for c in exact_coefficients(moved, row, window, deriv)])
        error = np.abs(coefficients(stencil, row) - exact).max()
        assert error <= 1e-13 * np.abs(exact).max()


@pytest.mark.parametrize("deriv", DERIVS)
@pytest.mark.parametrize("kind", NODES)
def test_a_mirrored_axis_has_the_mirrored_coefficients(kind, deriv):
    x = NODES[kind](17)
    there, back = stencil_for(x, deriv, 5, 2), stencil_for(-x[::-1], deriv, 5, 2)
    for row in range(17):
        ours, mirrored = coefficients(there, row), coefficients(back, 16 - row)[::-1]
        # Mirroring turns the coordinate round, and every difference.
        mirrored = (-1) ** (deriv + 1) * mirrored
        if kind == "uniform":
            assert ours.tolist() == mirrored.tolist()
        assert np.abs(ours - mirrored).max() <= 1e-13 * np.abs(ours).max()


def test_a_long_axis_is_built_in_parts_without_a_joint():
    x = np.cumsum(1 + 0.5 * np.random.default_rng(3).random(70_000))
    long = stencil_for(x, 2, 4)
    for start in (0, 65_500, 69_900):
        short = stencil_for(x[start : start + 100], 2, 4)
        for row in range(10, 90):
            assert coefficients(long, start + row).tolist() == coefficients(short, row).tolist()


@given(data=st.data())
@examples(100)
def test_some_rows_are_the_same_rows(data):
    n = data.draw(st.integers(2, 24))
    order = data.draw(st.sampled_from([(1, 2, 1), (1, 2, 2), (1, 4, 4), (2, 6, 1), (1, 8, 1)]))
    if n < order[0] + order[2]:
        n = order[0] + order[2]
    x = data.draw(positions(n))
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    origin = data.draw(st.sampled_from([None, 0, start - 1]))
    whole = stencil_for(x, *order)
    part = whole.slice_rows(start, stop, origin=origin)
    assert part.n == stop - start
    node0 = start if origin is None else origin
    low, high = 0, part.n
    for row in range(part.n):
        a, b = window_of(whole, start + row)
        assert window_of(part, row) == (a - node0, b - node0)
        assert coefficients(part, row).tolist() == coefficients(whole, start + row).tolist()
        low, high = min(low, a - node0), max(high, b - node0)
    assert part.depth == (-low, high - part.n)


@given(data=st.data())
@examples(60)
def test_derivatives_are_those_of_the_reference(data):
    deriv = data.draw(st.integers(1, 4))
    accuracy = data.draw(st.integers(1, 8))
    edge_order = data.draw(st.sampled_from([None, 1, 2, 3, 6]))
    chosen = edge_order or (1 if accuracy == 2 else accuracy)
    n = data.draw(st.integers(deriv + chosen, deriv + chosen + 8))
    kind = data.draw(st.sampled_from(sorted(NODES)))
    x = NODES[kind](n) * data.draw(st.sampled_from([1.0, -0.5, 4.0])) + 2
    f = np.random.default_rng(data.draw(st.integers(0, 10**6))).standard_normal(n)
    order = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
    exact = np.array(reference.derivative(f, x, **order, uniform=kind == "uniform" or n == 2))
    assert np.abs(derivative(f, x, **order) - exact).max() <= 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize("n", range(3, 14))
@pytest.mark.parametrize("kind", ["uniform", "jittered"])
def test_short_periodic_axes(kind, n):
    x, period = NODES[kind](n), n + 0.25 * (kind == "jittered")
    f = np.random.default_rng(n).standard_normal(n)
    for deriv in (1, 2):
        widest = n if n % 2 else n - 1
        order = {"deriv": deriv, "accuracy": widest - deriv}
        exact = np.array(reference.derivative(f, x, **order, period=period))
        found = derivative(f, x, period=period, **order)
        assert np.abs(found - exact).max() <= 1e-12 * np.abs(exact).max()


# -- order of accuracy ------------------------------------------------------------------------

#: Numbers of points, and the wavenumber of the wave that they resolve ever better. Chosen so that
#: for every derivative and accuracy some errors are small enough to shrink at their final rate
#: and yet well above rounding.
SIZES = (97, 129, 161, 193, 257, 385, 577)
WAVENUMBER = 20 * np.pi
ABOVE_ROUNDING = 100


def errors_of_a_wave(kind, order, *, periodic=False):
    """Steps, largest errors of inner rows and of rows next to the ends, and rounding levels."""
    result = []
    for n in SIZES:
        length = n if periodic else n - 1
        x = NODES[kind](n) / length
        # A wave whose every derivative has the same size everywhere: no zero flatters a row.
        f = np.exp(1j * WAVENUMBER * x)
        exact = (1j * WAVENUMBER) ** order["deriv"] * f
        error = np.abs(derivative(f, x, period=1.0 if periodic else False, **order) - exact)
        stencil = stencil_for(x, **order, **({"period": 1.0} if periodic else {}))
        half = 0 if periodic else stencil.width // 2
        largest = max(
            np.abs(stencil.interior).sum(axis=0).max(),
            np.abs(stencil.boundary).sum(axis=1).max(initial=0),
        )
        edge = np.concatenate([error[:half], error[n - half :]]).max(initial=0)
        rounding = np.finfo(np.float64).eps * largest
        result.append((1 / length, error[half : n - half].max(), edge, rounding))
    return np.array(result).T


def measured_order(steps, errors, rounding) -> float:
    """Slope of the logarithms over the finest resolutions whose errors stand above rounding."""
    visible = np.flatnonzero(errors > ABOVE_ROUNDING * rounding)[-3:]
    assert len(visible) == 3, f"only {len(visible)} resolutions above rounding"
    return float(np.polyfit(np.log(steps[visible]), np.log(errors[visible]), 1)[0])


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("deriv", DERIVS)
@pytest.mark.parametrize("kind", some_slow(NODES, 2))
def test_the_order_of_accuracy_is_as_promised(kind, deriv, accuracy):
    for edge_order in (None, 1, accuracy + 1):
        order = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
        steps, inner, edge, rounding = errors_of_a_wave(kind, order)
        assert measured_order(steps, inner, rounding) >= accuracy - 0.25
        promised = edge_order or (1 if accuracy == 2 else accuracy)
        assert measured_order(steps, edge, rounding) >= promised - 0.25


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("deriv", DERIVS)
@pytest.mark.parametrize("kind", NODES)
def test_the_order_of_accuracy_holds_across_the_seam(kind, deriv, accuracy):
    order = {"deriv": deriv, "accuracy": accuracy}
    steps, error, _, rounding = errors_of_a_wave(kind, order, periodic=True)
    assert measured_order(steps, error, rounding) >= accuracy - 0.25


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("deriv", DERIVS)
@pytest.mark.parametrize("kind", NODES)
def test_polynomials_of_the_promised_degree_have_no_error(kind, deriv, accuracy):
    n = 24
    x = 2 * NODES[kind](n) / (n - 1) - 1
    edge_order = max(1, accuracy - 2)
    order = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
    stencil = stencil_for(x, **order)
    half = stencil.width // 2
    scale = np.abs(stencil.interior).sum(axis=0).max() + np.abs(stencil.boundary).sum(axis=1).max()
    for degree, rows in (
        (deriv + accuracy - 1, slice(half, n - half)),
        (deriv + edge_order - 1, slice(None)),
    ):
        # Chebyshev polynomials have no small coefficients that would hide a wrong degree.
        exact = np.polynomial.Chebyshev.basis(degree).deriv(deriv)(x)
        found = derivative(np.polynomial.Chebyshev.basis(degree)(x), x, **order)
        # Positions rounded to float64 move the values of a polynomial of this degree.
        assert np.abs(found - exact)[rows].max() <= 8 * np.finfo(float).eps * scale * degree**2


# -- constants, linearity, reversal, units, translation ---------------------------------------


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("deriv", DERIVS)
def test_a_constant_has_no_derivative_at_all(deriv, accuracy):
    n = 33
    constant = np.full((n, 3), 101325, np.float32)
    for kind, make in NODES.items():
        for x in (make(n), (-0.1 * make(n) + 400).astype("f4"), 3600.0 * make(n)):
            for period in (False, 1.5 * n * float(abs(x[1] - x[0])) * 4):
                for f, axis in ((constant[:, 0], 0), (constant, 0), (constant.T, 1)):
                    found = derivative(f, x, axis, deriv=deriv, accuracy=accuracy, period=period)
                    assert found.dtype == np.float32, kind
                    assert not found.any(), kind


@pytest.mark.parametrize("kind", sorted(set(NODES) - {"uniform"}))
def test_float32_keeps_its_digits_under_a_large_offset(kind, rng):
    x = NODES[kind](500)
    field = (300 + rng.standard_normal((500, 40))).astype(np.float32)
    exact = derivative(field.astype(np.float64), x)
    error = np.abs(derivative(field, x) - exact).max() / np.abs(exact).max()
    assert error < 3e-6


@given(data=st.data())
@examples(50)
def test_derivatives_are_linear(data):
    n = data.draw(st.integers(9, 30))
    x = data.draw(positions(n))
    order = {"deriv": data.draw(st.integers(1, 3)), "accuracy": data.draw(st.integers(1, 5))}
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    f, g = rng.standard_normal((2, n))
    together = derivative(3 * f - 0.5 * g, x, **order)
    apart = 3 * derivative(f, x, **order) - 0.5 * derivative(g, x, **order)
    assert np.abs(together - apart).max() <= 1e-12 * np.abs(apart).max()


@given(data=st.data())
@examples(50)
def test_reversing_an_axis_reverses_its_derivative(data):
    n = data.draw(st.integers(9, 30))
    x = data.draw(positions(n))
    order = {"deriv": data.draw(st.integers(1, 4)), "accuracy": data.draw(st.integers(1, 5))}
    period = data.draw(st.sampled_from([False, 1.25 * n * float(np.abs(np.diff(x)).max())]))
    f = np.random.default_rng(data.draw(st.integers(0, 10**6))).standard_normal(n)
    there = derivative(f, x, period=period, **order)
    back = derivative(f[::-1], x[::-1], period=period, **order)[::-1]
    assert np.abs(there - back).max() <= 1e-12 * np.abs(there).max()
    turned = derivative(f[::-1], -x[::-1], period=period, **order)[::-1]
    assert np.abs(there - (-1) ** order["deriv"] * turned).max() <= 1e-12 * np.abs(there).max()


@given(data=st.data())
@examples(50)
def test_units_scale_out(data):
    n = data.draw(st.integers(9, 30))
    x = data.draw(positions(n))
    order = {"deriv": data.draw(st.integers(1, 4)), "accuracy": data.draw(st.integers(1, 5))}
    f = np.random.default_rng(data.draw(st.integers(0, 10**6))).standard_normal(n)
    power = 2.0 ** data.draw(st.integers(-20, 20))  # exact in binary
    found = derivative(f, x * power, **order) * power ** order["deriv"]
    assert found.tolist() == derivative(f, x, **order).tolist()
    assert derivative(f * power, x, **order).tolist() == (found * power).tolist()


@given(data=st.data())
@examples(50)
def test_a_periodic_axis_begins_anywhere(data):
    n = data.draw(st.integers(9, 30))
    kind = data.draw(st.sampled_from(sorted(NODES)))
    period = 2.0 * n
    x = np.round(NODES[kind](n) * 64) / 64  # so that moving by a period does not round
    order = {"deriv": data.draw(st.integers(1, 3)), "accuracy": data.draw(st.integers(1, 4))}
    f = np.random.default_rng(data.draw(st.integers(0, 10**6))).standard_normal(n)
    by = data.draw(st.integers(0, n))
    moved = np.concatenate([x[by:], x[:by] + period])
    found = derivative(np.roll(f, -by), moved, period=period, **order)
    assert found.tolist() == np.roll(derivative(f, x, period=period, **order), -by).tolist()


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1e-200, 1e200])
def test_steps_beyond_float64_are_refused(step):
    sentence = (
        "the steps of the axis are too small or too large for this derivative in float64; "
        "rescale the coordinate or give spacing="
    )
    for x in (step * np.arange(12), step * NODES["jittered"](12)):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            stencil_for(x, 2, 2)
        assert np.isfinite(stencil_for(x, 1, 2).interior).all()


@pytest.mark.parametrize("step", [1e-30, 1e30, 3e19])
@pytest.mark.parametrize("dtype", ["f2", "f4", "c8", ">f4", ">c8"])
@pytest.mark.parametrize("chunked", [False, True])
def test_steps_beyond_float32_are_refused(step, dtype, chunked):
    # The coefficients of a second derivative here are no float32 numbers, or lack digits.
    field = (np.arange(12.0) ** 2).astype(dtype)
    expected = derivative(field.astype("f8" if field.dtype.kind == "f" else "c16"), step, deriv=2)
    assert expected[1:-1] == pytest.approx(2 / step**2)
    name = field.dtype.newbyteorder("=").name
    sentence = (
        "the steps of the axis are too small or too large for this derivative in "
        f"{name}; convert the data to float64 or rescale the coordinate"
    )
    if chunked:
        field = pytest.importorskip("dask.array").from_array(field, chunks=5)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        derivative(field, step, deriv=2)


@pytest.mark.parametrize("kind", ["uniform", "jittered"])
@pytest.mark.parametrize("n", [5, 6, 40])
def test_more_accuracy_than_an_axis_has_points_for(n, kind):
    """Time and memory grow with the axis and not with the accuracy."""
    nodes = nodes_from_values(NODES[kind](n), "x")
    most, enough = (Scheme.checked(1, accuracy, 2, True) for accuracy in (10**6, 2 * n))
    found, expected = (order.stencil(nodes, "x") for order in (most, enough))
    for row in range(n):
        assert window_of(found, row) == window_of(expected, row)
        assert coefficients(found, row).tolist() == coefficients(expected, row).tolist()
    columns, others = (order.column_windows(n, "x") for order in (most, enough))
    assert [a.tolist() for a in columns.table] == [a.tolist() for a in others.table]
    for one, other in ((found.masked, expected.masked), (columns.rule, others.rule)):
        for before, after in np.ndindex(n, n):
            if before + after < n:
                here, there = (
                    kinds_of(each, min(before, each.depth), min(after, each.depth))
                    for each in (one, other)
                )
                assert here == there


def kinds_of(windows, before, after):
    """The window for numbers of valid nodes on both sides."""
    at = windows.window_index[before, after]
    return None if at < 0 else (windows.starts[at], windows.widths[at])
