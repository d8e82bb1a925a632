"""Positions: exact differences of any dtype, and values that are refused."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from xgradient.stencils.nodes import nodes_from_values

from ..support.reference import relative_error_of_steps


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i8"])
def test_descending_integers_do_not_wrap(dtype):
    nodes = nodes_from_values(np.array([200, 190, 60, 3], dtype=np.uint8).astype(dtype), "x")
    assert np.diff(nodes.positions).tolist() == [-10, -130, -57]


@pytest.mark.parametrize(
    "values",
    [
        np.array([2**64 - 1, 2**64 - 2, 2**64 - 4], dtype="u8"),
        np.array([-(2**63), -(2**63) + 1, -(2**63) + 3]),
        np.array([2**62, 2**62 + 7, 2**62 + 8, 2**62 + 10]),
        2**53 - np.array([0, 1, 3, 4]),
    ],
    ids=["unsigned", "smallest", "large", "limit"],
)
def test_large_integers_keep_their_differences(values):
    exact = [
        Fraction(b) - Fraction(a)
        for a, b in zip(values.tolist(), values[1:].tolist(), strict=False)
    ]
    assert relative_error_of_steps(nodes_from_values(values, "x"), exact) == 0


@pytest.mark.parametrize("unit", [10**3, 10**6, 10**9], ids=["ms", "us", "ns"])
def test_uneven_ticks_of_any_unit_keep_their_differences(unit):
    # Bursts of measurements, steps of milliseconds, half a century after the epoch.
    milliseconds = np.cumsum([1_700_000_000_000, 1, 2, 1, 3, 1, 900])
    nodes = nodes_from_values(milliseconds * (unit // 1000), "t", scale=unit)
    exact = [Fraction(s, 1000) for s in (1, 2, 1, 3, 1, 900)]
    assert relative_error_of_steps(nodes, exact) < 1e-12


def test_integers_further_apart_than_float64_resolves_are_not_repeated():
    # The span alone is beyond 2**53; no two values are equal.
    nodes = nodes_from_values(np.array([0, 2**60, 2**60 + 1000, 2**60 + 3000]), "x")
    assert np.diff(nodes.positions) == pytest.approx([2**60, 1000, 2000], rel=0.2)


def test_long_doubles_keep_differences_that_float64_has_not():
    one = np.longdouble(1)
    values = np.array([one, one + 2 * np.finfo("g").eps, one + 6 * np.finfo("g").eps])
    if np.finfo("g").eps == np.finfo("f8").eps:
        pytest.skip("long doubles are doubles here")
    nodes = nodes_from_values(values, "x")
    assert nodes.step is not None or np.all(np.diff(nodes.positions) > 0)


ERRORS = {
    "text": (
        TypeError,
        np.array(["a", "b"]),
        (
            "coordinate 'x' has dtype <U1, which is not numeric; give positions or a step with "
            "spacing="
        ),
    ),
    "bool": (
        TypeError,
        np.array([False, True]),
        (
            "coordinate 'x' has dtype bool, which is not numeric; give positions or a step with "
            "spacing="
        ),
    ),
    "complex": (
        TypeError,
        np.array([0j, 1j]),
        (
            "coordinate 'x' has dtype complex128, but positions are real numbers; give such "
            "positions or a step with spacing="
        ),
    ),
    "nan": (
        ValueError,
        np.array([0.0, 1, np.nan, 3]),
        (
            "coordinate 'x' has a missing value at index 2; fill it or drop it, e.g. with .dropna, "
            "before differentiating"
        ),
    ),
    "nan before infinite": (
        ValueError,
        np.array([0.0, np.nan, np.inf]),
        (
            "coordinate 'x' has a missing value at index 1; fill it or drop it, e.g. with .dropna, "
            "before differentiating"
        ),
    ),
    "infinite": (
        ValueError,
        np.array([0.0, 1, 2, np.inf], dtype="f4"),
        (
            "coordinate 'x' has an infinite value at index 3; replace it or drop it, e.g. with "
            ".isel, before differentiating"
        ),
    ),
    "repeated": (
        ValueError,
        np.array([0, 10, 10, 20]),
        (
            "coordinate 'x' repeats the value 10 at index 2; its values must be distinct, drop "
            "one, e.g. with .drop_duplicates"
        ),
    ),
    "all equal": (
        ValueError,
        np.array([1.5, 1.5]),
        (
            "coordinate 'x' repeats the value 1.5 at index 1; its values must be distinct, drop "
            "one, e.g. with .drop_duplicates"
        ),
    ),
    "turning": (
        ValueError,
        np.array([0.0, 1.0, 3.0, 2.0]),
        (
            "coordinate 'x' is not monotonic: it turns at index 3, from 3.0 to 2.0; sort it, e.g. "
            "with .sortby"
        ),
    ),
    "turning unsigned": (
        ValueError,
        np.array([9, 5, 7], dtype="u1"),
        (
            "coordinate 'x' is not monotonic: it turns at index 2, from 5 to 7; sort it, e.g. with "
            ".sortby"
        ),
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_bad_coordinates_are_named(case):
    kind, values, sentence = ERRORS[case]
    with pytest.raises(kind, match=f"^{re.escape(sentence)}$"):
        nodes_from_values(values, "coordinate 'x'")
