"""Sums of terms on one block: an array in memory, or a chunk with the halos it received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels import backend_of
from ..kernels.requests import (
    Accumulate,
    Runner,
    SumRequest,
    TermRequest,
    slice_axis,
    stencil_rows,
)
from .ghost_cells import Walls, ghost_cells
from .halo import HaloPlan, PolarHalo
from .plan import BlockPlan
from .pole_rows import rows_beyond_pole, value_on_pole
from .terms import PolarFold, PoleValue, TermSum

#: Index of an input array, and an axis.
InputAxis = tuple[int, int]


class PolarCap:
    """The rows nearest to a pole at all longitudes, and the replacement values on the pole.

    Parameters
    ----------
    rows : array
        The rows.
    pole_values : sequence of PoleValue
        The replacement values to compute, all of the field that the rows belong to.
    end : int
        0 for the pole before the first row, 1 for the one after the last.
    """

    def __init__(self, rows: Any, pole_values: Sequence[PoleValue], end: int) -> None:
        self.rows = rows
        with backend_of(rows).device_context(rows):
            self.values = [
                value_on_pole(rows, p, end) for p in pole_values if p.rows[end] is not None
            ]


def run_block(plan: BlockPlan, *args: Any, runner: Runner | None = None) -> list[Any]:
    """Compute all results on one block.

    Parameters
    ----------
    plan : BlockPlan
        The sums, and the halos that they need.
    *args : array or list of array
        The blocks of all input arrays, then the blocks of all dask weights. Then for each halo the
        list of edge slabs of each neighbour, and the polar caps received.
    runner : callable, optional
        Runs the work units of large blocks in memory.
    """
    with backend_of(args[0]).device_context(args[0]):
        return _run_block(plan, args, runner)


def _run_block(plan: BlockPlan, args: tuple[Any, ...], runner: Runner | None) -> list[Any]:
    computation = plan.computation
    received = iter(args)
    blocks = [next(received) for _ in range(computation.n_inputs)]
    # A NumPy matrix or memory map is taken as a plain array.
    blocks = [np.asarray(f) if isinstance(f, np.ndarray) else f for f in blocks]
    backend = backend_of(blocks[0])
    weights = [next(received) for _ in range(computation.n_weights)]
    for i in computation.position_inputs:
        blocks[i] = backend.broadcast_like(blocks[i], blocks[0])
    halos: dict[InputAxis, tuple[Any, Any]] = {}
    caps: dict[InputAxis, list[PolarCap]] = {}
    for halo in plan.halos:
        key, block = (halo.field, halo.axis), blocks[halo.field]
        edge_slabs = [next(received) for _ in range(halo.n_neighbours)]
        if halo.polar is not None:
            caps[key] = [
                next(received)
                if halo.polar.received[end]
                else _own_polar_cap(block, halo.axis, halo.polar, end, plan.ends_on_pole[end])
                for end in (0, 1)
            ]
        halos[key] = _halo_cells(block, halo, edge_slabs, caps.get(key, []), plan.lon_range)
    calls = [_term_requests(s, blocks, weights, halos) for s in computation.sums]
    request = SumRequest(
        calls, blocks, computation.combine, computation.n_outputs, computation.position_inputs
    )
    results = backend.sums(request, runner)
    for end in (0, 1):
        if plan.ends_on_pole[end]:
            results = _with_pole_row(plan, request, caps, end, results)
    return results


def _term_requests(
    term_sum: TermSum,
    blocks: list[Any],
    weights: list[Any],
    halos: dict[InputAxis, tuple[Any, Any]],
) -> list[TermRequest]:
    """One request to the kernels for each term of a sum."""
    first, more = int(Accumulate.STORE), int(Accumulate.ADD)
    if term_sum.root_of_squares:
        first, more = int(Accumulate.ABS), int(Accumulate.HYPOT)
    calls = []
    for i, t in enumerate(term_sum.terms):
        before, after = halos.get((t.field, t.axis), (None, None))
        stencil = t.stencil if before is None and after is None else t.stencil.with_boundary_rows
        output, center, stretching = (weights[w] if isinstance(w, int) else w for w in t.weights)
        positions = None
        if t.positions is not None:
            positions = (blocks[t.positions], *halos.get((t.positions, t.axis), (None, None)))
        mode, f = more if i else first, blocks[t.field]
        calls.append(
            TermRequest(
                f, t.axis, stencil, before, after, output, center, stretching, mode, positions
            )
        )
    return calls


def _own_polar_cap(block: Any, axis: int, polar: PolarHalo, end: int, on_pole: bool) -> PolarCap:
    """The polar cap cut from a block that holds all longitudes."""
    n, rows = block.shape[axis], polar.cap_rows[end]
    cap = slice_axis(block, axis, n - rows, n) if end else slice_axis(block, axis, 0, rows)
    return PolarCap(cap, polar.pole_values if on_pole else (), end)


def _halo_cells(
    block: Any,
    halo: HaloPlan,
    edge_slabs: list[Any],
    caps: list[PolarCap],
    lon_range: tuple[int, int] | None,
) -> tuple[Any, Any]:
    """The cells before and after a block, or None where none are needed."""
    axis, (early, late) = halo.axis, halo.depth
    if not halo.n_neighbours and halo.fold is None:
        return (
            slice_axis(block, axis, -early, None) if early else None,
            slice_axis(block, axis, 0, late) if late else None,
        )
    before = [edge_slabs[n][r] for n, r in halo.left_halo]
    after = [edge_slabs[n][r] for n, r in halo.right_halo]
    if halo.polar is not None and halo.polar.fold is not None:
        fold, (first, last) = halo.polar.fold, halo.polar.depth
        if first:
            before.insert(0, _cells_beyond(caps[0], axis, fold, 0, first, lon_range))
        if last:
            after.append(_cells_beyond(caps[1], axis, fold, 1, last, lon_range))
    sides = [_join_slabs(parts, block, axis) if parts else None for parts in (before, after)]
    return sides[0], sides[1]


def _cells_beyond(
    cap: PolarCap,
    axis: int,
    fold: PolarFold | Walls,
    end: int,
    cells: int,
    lon_range: tuple[int, int] | None,
) -> Any:
    """The cells beyond a pole or a wall."""
    if isinstance(fold, PolarFold):
        return rows_beyond_pole(cap.rows, axis, fold, end, cells, lon_range)
    mirror = fold.ends[end]
    assert mirror is not None
    return ghost_cells(cap.rows, axis, mirror, end, cells)


def _join_slabs(slabs: list[Any], block: Any, axis: int) -> Any:
    """Join edge slabs to a halo; slabs of positions may be NumPy arrays for any block."""
    halo = backend_of(slabs[0]).concat(slabs, axis)
    return backend_of(block).broadcast_like(halo, block, axis)


def _with_pole_row(
    plan: BlockPlan,
    request: SumRequest,
    caps: dict[InputAxis, list[PolarCap]],
    end: int,
    results: list[Any],
) -> list[Any]:
    """The results with a new row on a pole, where replacement values enter the sums."""
    computation, blocks = plan.computation, request.blocks
    (axis,) = {p.axis for s in computation.sums for p in s.pole_values}
    row = blocks[0].shape[axis] - 1 if end else 0
    row_terms = [
        [t.slice_axis(axis, row, row + 1, stencil_rows) for t in terms] for terms in request.sums
    ]
    fields = [slice_axis(f, axis, row, row + 1) for f in blocks]
    backend = backend_of(blocks[0])
    positions = computation.position_inputs
    sums = backend.sums(SumRequest(row_terms, fields, position_inputs=positions))
    values = {key: iter(pair[end].values) for key, pair in caps.items()}
    for i, term_sum in enumerate(computation.sums):
        for p in term_sum.pole_values:
            value = next(values[p.field, p.axis])
            if plan.lon_range is not None and p.lon_axis is not None:
                value = slice_axis(value, p.lon_axis, *plan.lon_range)
            mode = Accumulate.HYPOT if term_sum.root_of_squares else Accumulate.ADD
            sums[i] = backend.accumulate(sums[i], value, mode)
    if computation.combine is not None:
        sums = computation.combine(sums, fields, [None] * computation.n_outputs)
    return [backend.set_rows(r, new, axis, row) for r, new in zip(results, sums, strict=True)]
