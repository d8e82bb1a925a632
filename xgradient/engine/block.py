"""Sums of terms on one block: an array in memory, or a chunk with the rims of those around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import kernels
from ..kernels import requests
from ..kernels.compiled.tiles import Runner
from ..kernels.requests import TermRequest, slice_axis
from .plan import BlockPlan, HaloPlan
from .pole_rows import rows_beyond_pole, value_on_pole
from .terms import PoleValue, TermSum


class PolarCap:
    """The rows nearest to a pole, all round the globe, and what pole terms are there.

    Parameters
    ----------
    rows : array
        The rows.
    poles : sequence of PoleTerm
        The pole terms of the same field.
    end : int
        0 for the pole before the first row, 1 for the one after the last.
    """

    def __init__(self, rows: Any, poles: Sequence[PoleValue], end: int) -> None:
        self.rows = rows
        with kernels.device_context(rows):
            self.values = [value_on_pole(rows, t, end) for t in poles if t.rows[end] is not None]


def run_block(plan: BlockPlan, *args: Any, runner: Runner | None = None) -> list[Any]:
    """The results on one block.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    *args : array or list of array
        The block of each input array, then that of each weight; then for each group the ranges
        that each neighbour has cut, and the caps that are given.
    runner : callable, optional
        Runs the work units of large blocks in memory.
    """
    with kernels.device_context(args[0]):
        return _run_block(plan, args, runner)


def _run_block(plan: BlockPlan, args: tuple[Any, ...], runner: Runner | None) -> list[Any]:
    blocks, rest = (
        [kernels.as_base_array(f) for f in args[: plan.n_inputs]],
        list(args[plan.n_inputs :]),
    )
    weights, rest = rest[: plan.n_weights], rest[plan.n_weights :]
    for p in plan.position_inputs:
        blocks[p] = kernels.broadcast_like(blocks[p], blocks[0])
    sides, caps = {}, {}
    for group in plan.halos:
        key, block = (group.field, group.axis), blocks[group.field]
        mine, rest = rest[: group.n_neighbours], rest[group.n_neighbours :]
        caps[key] = [
            rest.pop(0)
            if group.received[end]
            else _own_polar_cap(block, group, end, plan.ends_on_pole[end])
            for end in (0, 1)
        ]
        sides[key] = _halos(block, group, mine, caps[key], plan.lon_range)
    calls = [_term_requests(each, blocks, weights, sides) for each in plan.sums]
    results = kernels.sums(
        calls, blocks, plan.combine, plan.n_outputs, runner, plan.position_inputs
    )
    for end in (0, 1):
        if plan.ends_on_pole[end]:
            results = _pole_row(plan, calls, blocks, caps, end, results)
    return results


def _term_requests(
    each: TermSum,
    blocks: list[Any],
    weights: list[Any],
    sides: dict[tuple[int, int], tuple[Any, Any]],
) -> list[TermRequest]:
    """What the kernels are asked for: one call for each term of a sum."""
    first, more = (3, 2) if each.root_of_squares else (0, 1)
    calls = []
    for at, t in enumerate(each.terms):
        before, after = sides.get((t.field, t.axis), (None, None))
        rows = t.stencil if before is None and after is None else t.stencil.with_boundary_rows
        weight, value = (
            weights[w] if isinstance(w, int) else w for w in (t.output_weight, t.center_weight)
        )
        positions = None
        if t.positions is not None:
            around = sides.get((t.positions, t.axis), (None, None))
            positions = (blocks[t.positions], *around)
        how = more if at else first
        f = blocks[t.field]
        calls.append(TermRequest(f, t.axis, rows, before, after, weight, value, how, positions))
    return calls


def _own_polar_cap(block: Any, group: HaloPlan, end: int, stands: bool) -> PolarCap:
    """The rows nearest to a pole, of a block that goes all round; ``stands`` if one is on it."""
    n, rows = block.shape[group.axis], group.polar_cap_rows[end]
    cap = (
        slice_axis(block, group.axis, n - rows, n)
        if end
        else slice_axis(block, group.axis, 0, rows)
    )
    return PolarCap(cap, group.pole_values if stands else (), end)


def _halos(
    block: Any, group: HaloPlan, rims: list[Any], caps: list[PolarCap], span: tuple[int, int] | None
) -> tuple[Any, Any]:
    """The cells before and after a block, or None where none are needed."""
    axis, (early, late) = group.axis, group.depth
    if not group.n_neighbours and group.fold is None:
        return (
            slice_axis(block, axis, -early, None) if early else None,
            slice_axis(block, axis, 0, late) if late else None,
        )
    before = [rims[n][r] for n, r in group.left_halo]
    after = [rims[n][r] for n, r in group.right_halo]
    if group.fold is not None:
        first, last = group.depth_beyond_poles
        if first:
            before.insert(0, rows_beyond_pole(caps[0].rows, axis, group.fold, 0, first, span))
        if last:
            after.append(rows_beyond_pole(caps[1].rows, axis, group.fold, 1, last, span))
    joined = [kernels.concat(parts, axis) if parts else None for parts in (before, after)]
    spread = [
        side if side is None else kernels.broadcast_like(side, block, axis) for side in joined
    ]
    return spread[0], spread[1]


def _pole_row(
    plan: BlockPlan,
    calls: list[list[TermRequest]],
    blocks: list[Any],
    caps: dict[tuple[int, int], list[PolarCap]],
    end: int,
    results: list[Any],
) -> list[Any]:
    """The results with their row on a pole, where pole terms stand for the infinite ones."""
    (axis,) = {t.axis for each in plan.sums for t in each.pole_values}
    at = blocks[0].shape[axis] - 1 if end else 0
    rows = [[c.slice_axis(axis, at, at + 1, requests.stencil_rows) for c in one] for one in calls]
    fields = [slice_axis(f, axis, at, at + 1) for f in blocks]
    sums = kernels.sums(rows, fields, apart=plan.position_inputs)
    values = {key: iter(pair[end].values) for key, pair in caps.items()}
    for i, each in enumerate(plan.sums):
        for t in each.pole_values:
            value = next(values[t.field, t.axis])
            if plan.lon_range is not None and t.lon_axis is not None:
                value = slice_axis(value, t.lon_axis, *plan.lon_range)
            sums[i] = kernels.accumulate(sums[i], value, 2 if each.root_of_squares else 1)
    made = sums if plan.combine is None else plan.combine(sums, fields, [None] * plan.n_outputs)
    return [kernels.set_rows(r, row, axis, at) for r, row in zip(results, made, strict=True)]
