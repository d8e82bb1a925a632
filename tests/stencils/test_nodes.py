"""Where the nodes stand: exact differences, what counts as uniform, periods, and errors."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from xgradient.stencils.nodes import nodes_from_spacing, nodes_from_values, uniform_nodes

from ..support.reference import relative_error_of_steps
from ..support.strategies import NODES


@pytest.mark.parametrize(
    "values",
    [
        np.arange(1000) * 0.1,
        np.arange(1000) * 0.1 + 1000,
        -179.975 + 0.05 * np.arange(7200),
        -np.arange(1000) * 0.1,
        np.linspace(0, 1, 777),
        np.linspace(-np.pi, np.pi, 1441),
        np.arange(0, 360, 0.25, dtype="f4"),
        (np.arange(3600) * 0.1).astype("f4"),
        np.linspace(90, -90, 721, dtype="f4"),
        (np.arange(100) * 0.3).astype("f2"),
        np.arange(100) * np.longdouble(0.1),
        np.arange(255, -1, -1, dtype="u1"),
        np.arange(-128, 128, dtype="i1"),
        np.array([5, 7]),
        np.array([3.5]),
        np.arange(1000).astype(">f4"),
        np.arange(1000).astype(">i8") * 3600,
        # Two years of hours in nanoseconds since 1970: beyond what float64 holds exactly.
        np.arange("2020", "2022", dtype="M8[h]").astype("M8[ns]").astype("i8"),
    ],
    ids=lambda v: f"{v.dtype.str}-{len(v)}",
)
def test_even_values_are_uniform(values):
    nodes = nodes_from_values(values, "x")
    assert nodes.positions is None
    assert nodes.n == len(values)
    if len(values) > 1:
        exact = Fraction(float(values[-1])) - Fraction(float(values[0]))
        assert nodes.step == pytest.approx(float(exact / (len(values) - 1)), rel=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(100) + 1e-9 * (np.arange(100) % 2),
        np.arange(1000) + np.where(np.arange(1000) == 500, 1e-6, 0),
        NODES["jittered"](50),
        NODES["alternating"](50),
        NODES["stretched"](50),
        -NODES["stretched"](50),
        (1000 + NODES["jittered"](50)).astype("f4"),
        (1e5 + 0.1 * NODES["jittered"](50)).astype("f4"),
        NODES["alternating"](50).astype("f2"),
        np.array([0, 1, 3]),
        np.array([0, 1, 3], dtype="u1"),
        np.array([10**18, 10**18 + 1, 10**18 + 3]),
        10**12 + np.arange(100, dtype="i8") ** 2,
        # The first step alone differs, by less than the rounding of far larger values would.
        np.concatenate([[0.0], 1e-3 + 1e-4 * np.arange(100)]),
    ],
    ids=lambda v: f"{v.dtype.str}-{len(v)}",
)
def test_uneven_values_are_not_uniform(values):
    nodes = nodes_from_values(values, "x")
    assert nodes.step is None
    exact = [
        Fraction(b) - Fraction(a)
        for a, b in zip(values.tolist(), values[1:].tolist(), strict=False)
    ]
    assert relative_error_of_steps(nodes, exact) < 1e-12


def test_the_scale_divides_positions_steps_and_nothing_else():
    assert nodes_from_values(np.arange(5) * 3600 * 10**9, "t", scale=1e9).step == 3600
    nodes = nodes_from_values(np.array([0, 10, 30]), "t", scale=10.0, period=7.0)
    assert (np.diff(nodes.positions) / nodes.scale).tolist() == [1, 2]
    assert nodes.period / nodes.scale == 7


def test_a_step_is_taken_as_it_is():
    assert nodes_from_spacing(0.1, 7, "s").step == 0.1
    assert nodes_from_spacing(np.float32(0.1), 7, "s").step == float(np.float32(0.1))
    assert nodes_from_spacing(-3, 7, "s").step == -3
    assert nodes_from_spacing(np.array(2), 7, "s").step == 2


@pytest.mark.parametrize(
    ("values", "period"),
    [
        (np.arange(0, 360, 2.5), 360.0),
        (np.arange(357.5, -2, -2.5), 360.0),
        ((np.arange(3600) * 0.1).astype("f4"), 360.0),
        (np.arange(1440, dtype="f4") * np.float32(0.25) - 180, 360),
        (np.arange(24), 24),
        (np.arange(3600) * 0.1, 360.0),
        (np.linspace(0, 2 * np.pi, 100, endpoint=False), 2 * np.pi),
    ],
)
def test_a_uniform_axis_closes_uniformly(values, period):
    nodes = nodes_from_values(values, "lon", period=period)
    assert nodes.positions is None
    assert nodes.step * nodes.n == pytest.approx(nodes.period, rel=1e-15)
    assert abs(nodes.period) == period
    assert np.sign(nodes.period) == np.sign(float(values[-1]) - float(values[0]))


def test_a_seam_of_another_length_is_no_uniform_step():
    nodes = nodes_from_values(np.arange(10.0), "x", period=11.0)
    assert nodes.step is None
    assert nodes.period == 11
    assert nodes_from_values(np.arange(10.0), "x", period=10.0 + 1e-9).step is None
    assert nodes_from_spacing(1.0, 10, "x", period=10.5).step is None


def test_a_period_of_n_steps():
    assert nodes_from_values(np.arange(10.0) / 4, "x", period=True).period == 2.5
    assert nodes_from_spacing(-0.5, 4, "x", period=True).period == -2
    assert uniform_nodes(4, 0.5, periodic=True).period == 2
    assert uniform_nodes(4, 0.5).period is None


def test_a_period_runs_with_the_nodes():
    up = nodes_from_values(np.array([0.0, 1, 3]), "x", period=5.0)
    down = nodes_from_values(np.array([3.0, 1, 0]), "x", period=5.0)
    assert (up.period, down.period) == (5, -5)


def test_axes_that_look_alike_are_told_apart():
    # Whatever is kept from call to call must not be handed to another axis.
    zero_one = np.array([0.0, 1.0, 3.0])
    same_bytes = zero_one.view(np.int64)
    assert nodes_from_values(zero_one, "x").period is None
    assert np.diff(nodes_from_values(same_bytes, "x").positions)[0] == 2.0**52 * 1023
    assert nodes_from_values(zero_one.astype(">f8"), "x").positions.tolist() == [0, 1, 3]
    assert nodes_from_values(zero_one, "x", period=4.0).period == 4
    assert nodes_from_values(zero_one, "x", period=5.0).period == 5
    halves = nodes_from_values(zero_one, "x", scale=2.0)
    assert (halves.positions / halves.scale).tolist() == [0, 0.5, 1.5]
    fraction = np.array([0.0, 0.25])
    assert nodes_from_values(fraction, "x", period=1.0).period == 1
    assert nodes_from_values(fraction, "x", period=True).period == 0.5
    assert nodes_from_values(fraction, "x", period=False).period is None
    zero_one[1] = 2.0
    assert nodes_from_values(zero_one, "x").positions.tolist() == [0, 2, 3]


@pytest.mark.parametrize("n", [100, 50_000])
def test_positions_do_not_follow_a_coordinate_that_is_changed_later(n):
    values = np.cumsum(1.0 + np.arange(n) % 3)
    nodes = nodes_from_values(values, "x")
    before = nodes.positions.copy()
    values[:] = 0
    assert np.array_equal(nodes.positions, before)


GIVEN = {
    "zero": (ValueError, 0.0, "spacing of 'x' is 0.0; a step must be finite and not zero"),
    "nan": (ValueError, np.nan, "spacing of 'x' is nan; a step must be finite and not zero"),
    "infinite": (ValueError, -np.inf, "spacing of 'x' is -inf; a step must be finite and not zero"),
    "word": (TypeError, "1", "spacing of 'x' is '1'; give a number or 3 positions"),
    "bool": (TypeError, True, "spacing of 'x' is True; give a number or 3 positions"),
    "complex": (TypeError, 1j, "spacing of 'x' is 1j, which is complex; give a real number"),
    "short": (
        ValueError,
        [0.0, 1.0],
        (
            "spacing of 'x' has 2 values, but the dimension has 3 points; give one number or 3 "
            "positions"
        ),
    ),
    "square": (
        ValueError,
        np.ones((3, 3)),
        (
            "spacing of 'x' has 3x3 values, but the dimension has 3 points; give one number or 3 "
            "positions"
        ),
    ),
    "text": (
        TypeError,
        ["a", "b", "c"],
        (
            "spacing of 'x' has dtype <U1, which is not numeric; give positions or a step with "
            "spacing="
        ),
    ),
}


@pytest.mark.parametrize("case", GIVEN)
def test_bad_spacings_are_named(case):
    kind, spacing, sentence = GIVEN[case]
    with pytest.raises(kind, match=f"^{re.escape(sentence)}$"):
        nodes_from_spacing(spacing, 3, "spacing of 'x'")


def _too_short(span: str, period: str) -> str:
    return (
        f"coordinate 'x' spans {span}, but its period is {period}; the period must be longer "
        "than the span, so drop a repeated last point or give the true period"
    )


PERIODS = {
    "shorter": (np.array([0.0, 1, 3]), 2.0, _too_short("3", "2")),
    "repeated points": (np.arange(0, 451, 90), 360.0, _too_short("450", "360")),
    "descending": (np.arange(450.0, -1, -90), 360.0, _too_short("450", "360")),
    "zero": (np.array([0.0, 1, 3]), 0.0, _too_short("3", "0")),
    "negative": (np.array([0.0, 1, 3]), -9.0, _too_short("3", "-9")),
    "nan": (np.array([0.0, 1, 3]), np.nan, _too_short("3", "nan")),
    "infinite": (np.array([0.0, 1, 3]), np.inf, _too_short("3", "inf")),
    "uneven": (
        np.array([0.0, 1, 3]),
        True,
        (
            "coordinate 'x' is periodic with non-uniform steps, so its period is unknown; give it, "
            "e.g. periodic={name: 360}"
        ),
    ),
}


@pytest.mark.parametrize("case", PERIODS)
def test_bad_periods_are_named(case):
    values, period, sentence = PERIODS[case]
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        nodes_from_values(values, "coordinate 'x'", period=period)


@pytest.mark.parametrize("step", [1.0, 1])
@pytest.mark.parametrize("period", [0.0, 0, 2.9])
def test_a_period_must_be_longer_than_so_many_steps(step, period):
    sentence = _too_short("3", f"{period:g}")
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        nodes_from_spacing(step, 4, "coordinate 'x'", period=period)


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8"])
def test_a_last_point_that_repeats_the_first_is_no_node(way, dtype):
    values = np.arange(0, 361, 90).astype(dtype)[::way]
    nodes, once = (nodes_from_values(v, "x", period=360.0) for v in (values, values[:-1]))
    assert (nodes.n, nodes.step, nodes.period) == (once.n, once.step, once.period) == (
        4, 90.0 * way, 360.0 * way)  # fmt: skip
    eps = np.finfo("f4" if dtype == "f4" else "f8").eps
    assert (nodes.cyclic_rounding, once.cyclic_rounding) == (eps, None)
    assert nodes_from_spacing(90.0 * way, 5, "x", period=360.0).n == 4
    assert nodes_from_values(values, "x", period=True).n == 5  # of which nothing repeats


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_how_far_a_last_point_may_miss_the_first(dtype):
    """By n roundings of the values, but not by more than a thousandth of the step."""
    eps, n = float(np.finfo(dtype).eps), 41
    coarse = np.linspace(0.0, 360.0, n)
    for miss, repeats in ((0.5 * n * eps * 360, True), (-0.5 * n * eps * 360, True),
                          (-2 * n * eps * 360, False)):  # fmt: skip
        values = coarse.astype(dtype)
        values[-1] += miss
        nodes = nodes_from_values(values, "x", period=360.0)
        assert (nodes.n, nodes.cyclic_rounding is not None) == (n - repeats, repeats)


def test_a_last_point_may_miss_the_first_by_a_thousandth_of_a_step():
    for miss, repeats in ((2e-4, True), (-2e-4, True), (-4e-4, False)):
        values = np.linspace(0.0, 360.0, 1441, dtype="f4")
        values[-1] += miss
        assert nodes_from_values(values, "x", period=360.0).n == 1441 - repeats
