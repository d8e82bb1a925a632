"""Halos: the cells that chunks along an axis send and receive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgradient.engine import halo
from xgradient.engine.halo import HaloDemand, chunk_bounds, plan_exchange
from xgradient.engine.terms import PolarFold


def demand(sizes, depths, fold=None, *, has_all_longitudes=True):
    lon_axis = None if fold is None else fold.lon_axis
    return HaloDemand(0, 0, sizes, depths, fold, (), lon_axis, has_all_longitudes)


def received_cells(exchange, sizes, i):
    """The numbers of the cells that a chunk receives before and after itself."""
    starts = [start for start, _ in chunk_bounds(sizes)]
    halo, senders = exchange.halos[i], exchange.neighbours[i]
    sides = []
    for pieces in (halo.left_halo, halo.right_halo):
        cells = []
        for n, k in pieces:
            first, stop = exchange.sent_ranges[senders[n]][k]
            cells += [starts[senders[n]] + cell for cell in range(first, stop)]
        sides.append(cells)
    return sides


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=6).filter(lambda sizes: sum(sizes) > 3),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_chunks_of_a_periodic_axis_receive_their_neighbours(sizes, early, late):
    n, sizes = sum(sizes), tuple(sizes)
    depths = [(early, late) if size else (0, 0) for size in sizes]
    exchange = plan_exchange(demand(sizes, depths))
    for i, (start, stop) in enumerate(chunk_bounds(sizes)):
        before, after = received_cells(exchange, sizes, i)
        depth = depths[i]
        assert before == [cell % n for cell in range(start - depth[0], start)]
        assert after == [cell % n for cell in range(stop, stop + depth[1])]
        assert exchange.halos[i].polar is None
    assert exchange.polar_caps == []


def test_an_axis_in_one_chunk_sends_nothing():
    exchange = plan_exchange(demand((9,), [(2, 2)]))
    assert exchange.neighbours == [()]
    assert exchange.sent_ranges == [()]


@pytest.mark.parametrize("on_fold", [(0, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("has_all_longitudes", [True, False])
def test_chunks_next_to_a_pole_need_the_rows_of_the_opposite_meridians(on_fold, has_all_longitudes):
    fold = PolarFold(1, 1, on_fold)
    exchange = plan_exchange(
        demand((4, 4, 4), [(0, 2), (2, 2), (2, 2)], fold, has_all_longitudes=has_all_longitudes)
    )
    first, middle, last = (halo.polar for halo in exchange.halos)
    assert (first.depth, middle.depth, last.depth) == ((0, 0), (0, 0), (0, 2))
    assert last.cap_rows == (0, 2 + on_fold[1])
    assert last.received == (False, not has_all_longitudes)
    assert middle.received == first.received == (False, False)
    caps = [] if has_all_longitudes else [(1, 2 + on_fold[1])]
    starts = [start for start, _ in chunk_bounds((4, 4, 4))]
    for cap, (end, rows) in zip(exchange.polar_caps, caps, strict=True):
        cells = [
            starts[n] + cell for n, k in cap.pieces for cell in range(*exchange.sent_ranges[n][k])
        ]
        assert cap.end == end
        assert cells == np.arange(12 - rows, 12).tolist()


def description(exchange):
    """All that an exchange says, to compare."""
    halos = [
        (h.depth, h.n_neighbours, h.left_halo, h.right_halo,
         h.polar and (h.polar.depth, h.polar.cap_rows, h.polar.received))
        for h in exchange.halos
    ]  # fmt: skip
    caps = [(cap.end, cap.pieces) for cap in exchange.polar_caps]
    return halos, exchange.neighbours, exchange.sent_ranges, caps


@given(
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(1, 4),
    st.integers(2 * halo.KEPT, 30),
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(0, 4),
    st.integers(0, 4),
    st.sampled_from([None, PolarFold(1, 1, (0, 1))]),
    st.booleans(),
)
def test_many_equal_chunks_are_planned_as_each_by_itself(
    before, size, count, after, early, late, fold, has_all_longitudes
):
    sizes = (*before, *[size] * count, *after)
    depths = [(early, late) if size else (0, 0) for size in sizes]
    if fold is not None and early + late > sum(sizes):
        return
    given_demand = demand(sizes, depths, fold, has_all_longitudes=has_all_longitudes)
    found, expected = plan_exchange(given_demand), halo._plan_every_chunk(given_demand)
    assert description(found) == description(expected)


def test_few_of_many_equal_chunks_are_planned(monkeypatch):
    planned = []
    pieces = halo._halo_pieces
    monkeypatch.setattr(halo, "_halo_pieces", lambda *a: planned.append(a[1]) or pieces(*a))
    exchange = plan_exchange(demand((5,) * 1000, [(1, 1)] * 1000))
    assert len(planned) == 2 * halo.KEPT
    assert exchange.neighbours[500] == (499, 501)
