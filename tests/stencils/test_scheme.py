"""Schemes: checked orders, and axes with too few points for them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from xgradient.stencils.nodes import nodes_from_values
from xgradient.stencils.scheme import Scheme

from ..support.strategies import NODES


def stencil_for(x, deriv=1, accuracy=2, edge_order=None, **period):
    nodes = nodes_from_values(x, "x", **period)
    return Scheme.checked(deriv, accuracy, edge_order).stencil(nodes, "dimension 'x'")


@pytest.mark.parametrize("name", ["deriv", "accuracy", "edge_order"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [(0, ValueError), (-1, ValueError), (1.0, TypeError), ("2", TypeError), (True, TypeError)],
)
def test_bad_orders_are_named(name, value, kind):
    orders = {"deriv": 1, "accuracy": 2, "edge_order": 1, name: value}
    shown = value if kind is ValueError else repr(value)
    sentence = f"{name} is {shown}; give a whole number of at least 1"
    with pytest.raises(kind, match=f"^{re.escape(sentence)}$"):
        Scheme.checked(**orders)


@pytest.mark.parametrize("name", ["deriv", "accuracy"])
def test_orders_must_be_given(name):
    sentence = f"{name} is None; give a whole number of at least 1"
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        Scheme.checked(**{"deriv": 1, "accuracy": 2, "edge_order": 1, name: None})


def test_orders_may_be_numpy_integers():
    assert Scheme.checked(np.int64(2), np.uint8(4), np.int32(1)) == Scheme(2, 4, 1)


def test_the_edge_order_is_1_at_accuracy_2_and_else_the_accuracy():
    orders = [Scheme.checked(1, accuracy, None).edge_order for accuracy in (1, 2, 3, 4)]
    assert orders == [1, 1, 3, 4]


@pytest.mark.parametrize(
    ("n", "order", "needed"),
    [
        (0, (1, 2, 1), 2),
        (1, (1, 2, 1), 2),
        (2, (1, 2, 2), 3),
        (9, (2, 8, 8), 10),
        (4, (4, 1, 1), 5),
    ],
)
@pytest.mark.parametrize("kind", ["uniform", "jittered"])
def test_too_few_points_are_counted(kind, n, order, needed):
    points = "point" if n == 1 else "points"
    deriv, accuracy, edge_order = order
    sentence = (
        f"dimension 'x' has {n} {points}, but deriv={deriv}, accuracy={accuracy}, "
        f"edge_order={edge_order} needs {needed}; lower them or take more points"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        stencil_for(NODES[kind](n), *order)
    assert stencil_for(NODES[kind](needed), *order).n == needed


def test_too_few_points_for_a_period_are_counted():
    sentence = (
        "dimension 'x' has 4 points, but deriv=1, accuracy=4, edge_order=4 on a periodic axis "
        "needs 5; lower them or take more points"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        stencil_for(np.arange(4.0), 1, 4, period=4.0)
    assert stencil_for(np.arange(5.0), 1, 4, period=5.0).n == 5
