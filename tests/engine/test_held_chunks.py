"""How many chunks are held at a time: by dask's order, and by the best that the graph allows."""

from __future__ import annotations

import gc

import pytest

from xgradient import gradient

da = pytest.importorskip("dask.array")

from ..support.held_chunks import (  # noqa: E402
    COUNTER,
    DROP,
    copied,
    counted_source,
    executed_graph,
    most_held,
)

ROWS, COLUMNS = 20, 6
#: Source chunks that hold a result back until a slab of their neighbour is there, and the result.
BEST = 3


def write(result):
    da.store(result, DROP, lock=False, scheduler="sync")


def write_persisted(result):
    da.store(result, DROP, lock=False, scheduler="sync", return_stored=True, load_stored=False)


def counted(make, finish=write):
    gc.collect()
    with COUNTER.counting_results():
        finish(make(counted_source(ROWS, COLUMNS)))
    return COUNTER.most


def test_along_the_last_axis_little_more_is_held_than_for_a_copy():
    assert counted(copied) == 2
    assert counted(lambda source: gradient(source, dim=1)[0]) <= 4


def test_along_the_first_axis_dask_holds_three_rows():
    """Its order of rows is that of their numbers as text: 9, 8, ... 2, 19, ... 10, 1, 0."""
    assert counted(lambda source: gradient(source, dim=0)[0]) <= 3 * COLUMNS + BEST


@pytest.mark.parametrize("axis", [0, 1])
def test_writing_by_persist_holds_as_few_chunks_as_the_graph_allows(axis):
    """No last task needs all others then, and dask goes along the axis."""
    assert counted(copied, write_persisted) == 2
    assert counted(lambda source: gradient(source, dim=axis)[0], write_persisted) <= BEST


@pytest.mark.parametrize(("by_columns", "most"), [(True, BEST), (False, COLUMNS + BEST - 1)])
def test_the_graph_allows_to_hold_as_few_chunks_as_a_copy(by_columns, most):
    source = counted_source(ROWS, COLUMNS)
    graph = executed_graph(lambda: write(gradient(source, dim=0)[0]))

    def rank(key):
        if not isinstance(key, tuple):
            return (ROWS * COLUMNS,)
        *_, row, column = key
        kind = ("source", "edge", "gradient", "store").index(key[0].split("-")[0])
        step = row + (kind > 1)  # a result waits for the slab of the next row
        return (column, step, kind) if by_columns else (step, column, kind)

    by_hand = {key: n for n, key in enumerate(sorted(graph, key=rank))}
    assert most_held(graph, by_hand, source.name) == most
