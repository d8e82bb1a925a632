"""Every row of the table of comparisons holds, and none of them would let a wrong kernel pass."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from xgradient.engine import cell_sums
from xgradient.geometry import grid_axis, value_cache
from xgradient.geometry.line_cells import LineCells
from xgradient.kernels.backend import Backend
from xgradient.kernels.compiled.backend import CompiledBackend
from xgradient.operators import points
from xgradient.stencils import scheme

from ..support.comparisons import (
    COMPARISONS,
    TRUTHS,
    Comparison,
    computed,
    difference,
    installed,
    left_out,
    pairs,
    sample,
)
from ..support.marks import slow

#: Peers that need not be installed.
OPTIONAL = {"dask", "findiff", "torch", "xgcm"}
PAIRS = [pytest.param(c, peer, id=f"{c.name} - {peer}") for c, peer in pairs()]


def field_for(comparison: Comparison):
    if comparison.options.get("chunks"):
        pytest.importorskip("dask")
    return sample(**comparison.options)


def agree(comparison: Comparison, name: str) -> bool:
    """Whether xgradient and a peer have the same results."""
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    peer = comparison.peers[name]
    field = field_for(comparison)
    found, expected = comparison.ours(field)(), peer.prepare(field)()
    return difference(comparison, found, expected, peer.inside) <= peer.tolerance


@pytest.mark.parametrize(("comparison", "peer"), PAIRS)
def test_equal_to_the_peer(comparison, peer):
    assert agree(comparison, peer)


def every_result(monkeypatch, change):
    """Kernels whose results are changed."""
    one, many = CompiledBackend.derivative, Backend.sums
    add, run = cell_sums.add_cells, cell_sums.run_cells

    def added(array, weights, sums, before):
        state = add(array, weights, sums, before)
        return state._replace(total=change(state.total, (sums.axis + 1) % 3))

    def run_on(*args):
        result, state = run(*args)
        return change(result, args[2].axis), state

    monkeypatch.setattr(cell_sums, "add_cells", added)
    monkeypatch.setattr(cell_sums, "run_cells", run_on)
    monkeypatch.setattr(CompiledBackend, "derivative", lambda *a: change(one(*a), a[1].axis))
    monkeypatch.setattr(
        Backend,
        "sums",
        # Several sums may make one result, which is as wrong along the axis of the first.
        lambda *a: [change(r, c[0].axis) for r, c in zip(many(*a), a[1].sums, strict=False)],
    )


def scaled(monkeypatch):
    """Kernels that are wrong by a thousandth."""
    every_result(monkeypatch, lambda result, axis: result * 1.001)


def shifted(monkeypatch):
    """Kernels that are off by one cell."""
    every_result(monkeypatch, lambda result, axis: np.roll(result, 1, axis=axis))


def unequal(monkeypatch):
    """A table in which one difference of each window counts a thousandth too much.

    Where columns have positions of their own and no table, these are wrong instead.
    """
    right = scheme.make_stencil

    def wrong(*arguments):
        return changed(right(*arguments))

    def changed(stencil):
        interior, edges = stencil.interior.copy(), stencil.boundary.copy()
        interior[len(interior) // 2] *= 1.001
        edges[:, 0] *= 1.001
        return dataclasses.replace(stencil, interior=interior, boundary=edges)

    monkeypatch.setattr(scheme, "make_stencil", wrong)
    point_stencil = points.point_stencil
    monkeypatch.setattr(points, "point_stencil", lambda *a: changed(point_stencil(*a)))
    lengths = LineCells.segments

    def longer(self, position, **options):
        found = lengths(self, position, **options)
        after = found.after.copy()
        after[len(after) // 2] += 0.001 * (after[-1] - after[0])
        return found._replace(after=after)

    monkeypatch.setattr(LineCells, "segments", longer)
    positions_along = grid_axis.VerticalCoord.positions_along
    monkeypatch.setattr(
        grid_axis.VerticalCoord,
        "positions_along",
        lambda self, dims: positions_along(self, dims) * 1.001,
    )


@pytest.mark.parametrize("sabotage", [slow(scaled), slow(shifted), unequal])
@pytest.mark.parametrize(("comparison", "peer"), PAIRS)
def test_a_wrong_kernel_is_rejected(comparison, peer, sabotage, monkeypatch):
    value_cache._WEIGHTS_CACHE.clear()  # weights are made by kernels, too
    sabotage(monkeypatch)
    assert not agree(comparison, peer)
    value_cache._WEIGHTS_CACHE.clear()


def test_a_missing_value_or_another_shape_is_a_difference():
    comparison = COMPARISONS[0]
    right = np.ones((3, 4, 5))
    assert difference(comparison, right, right) == 0
    wrong = right.copy()
    wrong[1, 2, 3] = np.nan
    assert difference(comparison, wrong, right) == np.inf
    assert difference(comparison, right[:2], right) == np.inf
    assert difference(comparison, (right, right), right) == np.inf


def test_the_table_is_in_order():
    names = [comparison.name for comparison in COMPARISONS]
    assert len(set(names)) == len(names)
    for comparison in COMPARISONS:
        # Some peer is always there: one that xgradient depends on, or the truth.
        assert set(comparison.peers) & {"numpy", "xarray", *TRUTHS}, comparison.name
        assert set(comparison.peers) <= {"numpy", "xarray", *OPTIONAL, *TRUTHS}
    assert set(left_out()) <= OPTIONAL


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_the_results_of_ours_are_one_for_each_dimension(comparison):
    field = field_for(comparison)
    results = computed(comparison.ours(field)())
    assert len(results) == len(comparison.dims)
    if "xgcm" not in comparison.peers:  # whose results are at other positions
        assert {result.shape for result in results} == {field.shape}
    assert {result.dtype for result in results} == {field.dtype}
