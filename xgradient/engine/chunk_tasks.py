"""Functions that tasks on dask chunks run: cut edge slabs, join polar caps, compute chunks."""

from __future__ import annotations

from typing import Any

from ..kernels import backend_of
from ..kernels.requests import slice_axis
from .block import PolarCap, run_block
from .halo import PolarCapPlan, Range
from .plan import BlockPlan

#: Edge slabs are copied if they hold at most one in so many cells of the chunk.
MAX_COPIED_SHARE = 4


def cut_edge_slabs(block: Any, axis: int, ranges: tuple[Range, ...]) -> list[Any]:
    """Cut the cells of a chunk that its neighbours need.

    Thin slabs are copied, because a view would keep the whole chunk in memory. Thick ones are
    views, because a copy would cost as much as the derivative.
    """
    slabs = [slice_axis(block, axis, start, stop) for start, stop in ranges]
    thick = MAX_COPIED_SHARE * sum(stop - start for start, stop in ranges) > block.shape[axis]
    return slabs if thick else [backend_of(block).copy_if_view(slab) for slab in slabs]


def join_polar_cap(cap: PolarCapPlan, *columns: list[list[Any]]) -> PolarCap:
    """Join the rows nearest to a pole at all longitudes, from the edge slabs of each column."""
    backend = backend_of(columns[0][0][0])
    joined = [
        backend.concat(
            [slabs[k] for slabs, (_, k) in zip(column, cap.pieces, strict=True)], cap.axis
        )
        for column in columns
    ]
    rows = joined[0] if cap.lon_axis is None else backend.concat(joined, cap.lon_axis)
    return PolarCap(rows, cap.pole_values, cap.end)


def compute_chunk(plan: BlockPlan, *args: Any) -> Any:
    """All results of one chunk: a list, or the only one."""
    results = run_block(plan, *args)
    return results if len(results) > 1 else results[0]


def append_slabs(axis: int, slabs: list[Any], checks: list[Any], *chunk: Any) -> Any:
    """A chunk, if there is one, with the first cells of the axis at its end."""
    return backend_of(slabs[0]).concat([*chunk, *slabs], axis)


def after_checks(block: Any, *checks: Any) -> Any:
    """A chunk that is available only after checks."""
    return block
