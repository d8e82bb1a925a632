"""Sums of terms on one block: an array in memory, or a chunk with the rims of those around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import kernels
from .kernels import Call, Finish, Runner, cut
from .poles import beyond, on_pole
from .terms import Fold, PoleTerm, Sum

__all__ = ["Cap", "Group", "Plan", "run"]

#: Which neighbour, and which of the ranges that it has cut.
Pieces = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Group:
    """What all windows along one axis of one input array reach outside a block.

    Attributes
    ----------
    field, axis : int
        The input array and its axis.
    reach : tuple of int
        Cells needed before and after the block.
    neighbours : int
        How many blocks along the axis give some; without any, a block that is reached over its
        ends is the whole of a periodic axis.
    before, after : tuple of pairs
        The pieces that the neighbours give, in the order of the axis.
    fold : Fold, optional
        How the axis continues across poles.
    beyond : tuple of int
        How many of the cells before and after lie beyond a pole.
    caps : tuple of int
        Rows nearest to each pole that are needed all round the globe.
    given : tuple of bool
        Whether they are given; else they are the block's own.
    poles : tuple of PoleTerm
        The pole terms of the field, in the order of the sums.
    """

    field: int
    axis: int
    reach: tuple[int, int]
    neighbours: int = 0
    before: Pieces = ()
    after: Pieces = ()
    fold: Fold | None = None
    beyond: tuple[int, int] = (0, 0)
    caps: tuple[int, int] = (0, 0)
    given: tuple[bool, bool] = (False, False)
    poles: tuple[PoleTerm, ...] = ()


class Cap:
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

    def __init__(self, rows: Any, poles: Sequence[PoleTerm], end: int) -> None:
        self.rows = rows
        with kernels.place(rows):
            self.values = [on_pole(rows, t, end) for t in poles if t.rows[end] is not None]


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is done on one block.

    Attributes
    ----------
    fields : int
        Number of input arrays.
    sums : tuple of Sum
        The sums, with the stencils' rows and the weights of this block.
    groups : tuple of Group
        What they need from outside.
    finish : callable or None
        Makes the results of the sums and the fields.
    count : int
        Number of results.
    on_pole : tuple of bool
        Whether the block's first and last row along the axis of pole terms stand on a pole.
    span : tuple of int or None
        The block's range along the axis of longitudes; None if it goes all round.
    weights : int
        Number of weights that are handed to each block.
    positions : tuple of int
        Which of the input arrays hold positions. They may be 1 long along axes of the block, and
        have no say in the dtype of the results.
    """

    fields: int
    sums: tuple[Sum, ...]
    groups: tuple[Group, ...]
    finish: Finish | None = None
    count: int = 1
    on_pole: tuple[bool, bool] = (False, False)
    span: tuple[int, int] | None = None
    weights: int = 0
    positions: tuple[int, ...] = ()


def run(plan: Plan, *args: Any, runner: Runner | None = None) -> list[Any]:
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
    with kernels.place(args[0]):
        return _run(plan, args, runner)


def _run(plan: Plan, args: tuple[Any, ...], runner: Runner | None) -> list[Any]:
    blocks, rest = [kernels.plain(f) for f in args[: plan.fields]], list(args[plan.fields :])
    weights, rest = rest[: plan.weights], rest[plan.weights :]
    for p in plan.positions:
        blocks[p] = kernels.spread(blocks[p], blocks[0])
    sides, caps = {}, {}
    for group in plan.groups:
        key, block = (group.field, group.axis), blocks[group.field]
        mine, rest = rest[: group.neighbours], rest[group.neighbours :]
        caps[key] = [
            rest.pop(0) if group.given[end] else _own_cap(block, group, end, plan.on_pole[end])
            for end in (0, 1)
        ]
        sides[key] = _sides(block, group, mine, caps[key], plan.span)
    calls = [_calls(each, blocks, weights, sides) for each in plan.sums]
    results = kernels.sums(calls, blocks, plan.finish, plan.count, runner, plan.positions)
    for end in (0, 1):
        if plan.on_pole[end]:
            results = _pole_row(plan, calls, blocks, caps, end, results)
    return results


def _calls(
    each: Sum, blocks: list[Any], weights: list[Any], sides: dict[tuple[int, int], tuple[Any, Any]]
) -> list[Call]:
    """What the kernels are asked for: one call for each term of a sum."""
    first, more = (3, 2) if each.squares else (0, 1)
    calls = []
    for at, t in enumerate(each.terms):
        before, after = sides.get((t.field, t.axis), (None, None))
        rows = t.stencil if before is None and after is None else t.stencil.inside
        weight, value = (weights[w] if isinstance(w, int) else w for w in (t.weight, t.value))
        positions = None
        if t.positions is not None:
            around = sides.get((t.positions, t.axis), (None, None))
            positions = (blocks[t.positions], *around)
        how = more if at else first
        f = blocks[t.field]
        calls.append(Call(f, t.axis, rows, before, after, weight, value, how, positions))
    return calls


def _own_cap(block: Any, group: Group, end: int, stands: bool) -> Cap:
    """The rows nearest to a pole, of a block that goes all round; ``stands`` if one is on it."""
    n, rows = block.shape[group.axis], group.caps[end]
    cap = cut(block, group.axis, n - rows, n) if end else cut(block, group.axis, 0, rows)
    return Cap(cap, group.poles if stands else (), end)


def _sides(
    block: Any, group: Group, rims: list[Any], caps: list[Cap], span: tuple[int, int] | None
) -> tuple[Any, Any]:
    """The cells before and after a block, or None where none are needed."""
    axis, (early, late) = group.axis, group.reach
    if not group.neighbours and group.fold is None:
        return (
            cut(block, axis, -early, None) if early else None,
            cut(block, axis, 0, late) if late else None,
        )
    before = [rims[n][r] for n, r in group.before]
    after = [rims[n][r] for n, r in group.after]
    if group.fold is not None:
        first, last = group.beyond
        if first:
            before.insert(0, beyond(caps[0].rows, axis, group.fold, 0, first, span))
        if last:
            after.append(beyond(caps[1].rows, axis, group.fold, 1, last, span))
    joined = [kernels.join(parts, axis) if parts else None for parts in (before, after)]
    spread = [side if side is None else kernels.spread(side, block, axis) for side in joined]
    return spread[0], spread[1]


def _pole_row(
    plan: Plan,
    calls: list[list[Call]],
    blocks: list[Any],
    caps: dict[tuple[int, int], list[Cap]],
    end: int,
    results: list[Any],
) -> list[Any]:
    """The results with their row on a pole, where pole terms stand for the infinite ones."""
    (axis,) = {t.axis for each in plan.sums for t in each.poles}
    at = blocks[0].shape[axis] - 1 if end else 0
    rows = [[c.cut(axis, at, at + 1, kernels.rows_of) for c in one] for one in calls]
    fields = [cut(f, axis, at, at + 1) for f in blocks]
    sums = kernels.sums(rows, fields, apart=plan.positions)
    values = {key: iter(pair[end].values) for key, pair in caps.items()}
    for i, each in enumerate(plan.sums):
        for t in each.poles:
            value = next(values[t.field, t.axis])
            if plan.span is not None and t.around is not None:
                value = cut(value, t.around, *plan.span)
            sums[i] = kernels.collected(sums[i], value, 2 if each.squares else 1)
    made = sums if plan.finish is None else plan.finish(sums, fields, [None] * plan.count)
    return [kernels.put(r, row, axis, at) for r, row in zip(results, made, strict=True)]
