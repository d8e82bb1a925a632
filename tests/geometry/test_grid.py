"""Tests of the interface of grids."""

from __future__ import annotations

import pytest

from xgradient.geometry.curvilinear import CurvilinearGrid
from xgradient.geometry.grid import Grid
from xgradient.geometry.orthogonal import OrthogonalGrid

OPERATORS = {
    "gradient", "derivative", "laplacian", "divergence", "curl", "jacobian", "hessian",
}  # fmt: skip


def test_a_grid_without_one_of_the_operators_cannot_be_made():
    assert Grid.__abstractmethods__ == OPERATORS | {"for_fields"}
    for missing in Grid.__abstractmethods__:
        bodies = {name: getattr(OrthogonalGrid, name) for name in Grid.__abstractmethods__}
        del bodies[missing]
        with pytest.raises(TypeError, match=missing):
            type("Incomplete", (Grid,), bodies)(())


@pytest.mark.parametrize("kind", [OrthogonalGrid, CurvilinearGrid])
def test_each_kind_of_grid_defines_all_operators(kind):
    assert not kind.__abstractmethods__
    assert set(vars(kind)) >= OPERATORS
