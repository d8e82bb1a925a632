"""Who needs what: for arrays in chunks, the cells that each block takes from others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from ..kernels.requests import Combine
from ..stencils.columns import ColumnWindows
from ..stencils.table import Stencil
from .terms import PolarFold, PoleValue, Term, TermSum, all_weights, position_inputs

#: Which neighbour, and which of the ranges that it has cut.
HaloPieces = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class HaloPlan:
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
    depth: tuple[int, int]
    n_neighbours: int = 0
    left_halo: HaloPieces = ()
    right_halo: HaloPieces = ()
    fold: PolarFold | None = None
    depth_beyond_poles: tuple[int, int] = (0, 0)
    polar_cap_rows: tuple[int, int] = (0, 0)
    received: tuple[bool, bool] = (False, False)
    pole_values: tuple[PoleValue, ...] = ()


@dataclass(frozen=True, eq=False)
class BlockPlan:
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

    n_inputs: int
    sums: tuple[TermSum, ...]
    halos: tuple[HaloPlan, ...]
    combine: Combine | None = None
    n_outputs: int = 1
    ends_on_pole: tuple[bool, bool] = (False, False)
    lon_range: tuple[int, int] | None = None
    n_weights: int = 0
    position_inputs: tuple[int, ...] = ()


#: Cells of a chunk along an axis, half open.
Range = tuple[int, int]
#: Chunk sizes along each axis.
Chunks = tuple[tuple[int, ...], ...]
#: A chunk along an axis, and which of its ranges.
Piece = tuple[int, int]


@dataclass(frozen=True, eq=False)
class HaloExchange:
    """What the chunks along one axis of one input array take from each other.

    Attributes
    ----------
    groups : list of Group
        For each chunk what it gets.
    neighbours : list of tuple of int
        For each chunk the chunks that give something to it.
    ranges : list of tuple of Range
        For each chunk the ranges that others need of it.
    caps : tuple of tuple of Piece
        For each pole the pieces that make the rows nearest to it.
    around : int or None
        The axis along which the caps of all chunks are put together.
    """

    halos: list[HaloPlan]
    neighbours: list[tuple[int, ...]]
    sent_ranges: list[tuple[Range, ...]]
    polar_caps: tuple[tuple[Piece, ...], tuple[Piece, ...]]
    lon_axis: int | None


class Planner:
    """The plans of all blocks of arrays in chunks; an array in memory is one chunk.

    Parameters
    ----------
    sums : list of Sum
        The sums, with stencils for the whole length of each axis.
    chunks : tuple of tuple of int
        Chunk sizes along each axis, the same for all input arrays.
    fields : int
        Number of input arrays.
    finish, count, weights
        As `BlockPlan` has them.
    """

    def __init__(
        self,
        sums: list[TermSum],
        chunks: Chunks,
        fields: int,
        combine: Combine | None,
        count: int,
        weights: int = 0,
    ) -> None:
        self._sums, self._chunks, self._fields = sums, chunks, fields
        self._finish, self._count, self._given = combine, count, weights
        self._bounds = [tuple(pairwise([0, *accumulate(sizes)])) for sizes in chunks]
        terms = [t for each in sums for t in each.terms]
        poles = [t for each in sums for t in each.pole_values]
        self._poles = poles
        #: Terms that share a stencil or a weight share its parts.
        self._rows = {
            (t.stencil, t.axis): _stencils_by_chunk(t.stencil, self._bounds[t.axis]) for t in terms
        }
        self._positions = tuple(position_inputs(sums))
        # Of positions as many cells are needed as of the field that they belong to.
        takers = [
            *terms,
            *(replace(t, field=t.positions) for t in terms if t.positions is not None),
        ]
        every: list[Term | PoleValue] = [*takers, *poles]
        keys = dict.fromkeys((t.field, t.axis) for t in every)
        self.exchanges = [
            self._exchange(
                [t for t in takers if (t.field, t.axis) == key],
                [t for t in poles if (t.field, t.axis) == key],
            )
            for key in keys
        ]
        arounds = [e.lon_axis for e in self.exchanges if e.lon_axis is not None]
        self._around = arounds[0] if arounds else None
        #: The axes along which blocks have other rows, weights or neighbours.
        self._matter = sorted(
            {*(t.axis for t in every), *arounds, *_varying_axes(all_weights(sums))}
        )
        self._plans: dict[tuple[int, ...], BlockPlan] = {}
        self._weights: dict[Any, Any] = {}

    def plan(self, block: tuple[int, ...]) -> BlockPlan:
        """The plan of a block; blocks that differ in nothing that matters share it."""
        key = tuple(block[d] for d in self._matter)
        if key not in self._plans:
            self._plans[key] = self._make(block)
        return self._plans[key]

    def _make(self, block: tuple[int, ...]) -> BlockPlan:
        sums = tuple(
            replace(each, terms=tuple(self._part(t, block) for t in each.terms))
            for each in self._sums
        )
        groups = tuple(e.halos[block[e.halos[0].axis]] for e in self.exchanges)
        ends = [False, False]
        for t in self._poles:
            bounds = self._bounds[t.axis]
            start, stop = bounds[block[t.axis]]
            if start < stop:
                ends[0] |= t.rows[0] is not None and start == 0
                ends[1] |= t.rows[1] is not None and stop == bounds[-1][1]
        span = None
        if self._around is not None and len(self._chunks[self._around]) > 1:
            span = self._bounds[self._around][block[self._around]]
        on_pole = ends[0], ends[1]
        made = self._finish, self._count
        return BlockPlan(
            self._fields, sums, groups, *made, on_pole, span, self._given, self._positions
        )

    def _part(self, term: Term, block: tuple[int, ...]) -> Term:
        """A term with the rows and weights of one block."""
        rows = self._rows[term.stencil, term.axis][block[term.axis]]
        weight, value = (self._weight(w, block) for w in (term.output_weight, term.center_weight))
        return replace(term, stencil=rows, output_weight=weight, center_weight=value)

    def _weight(self, weight: Any, block: tuple[int, ...]) -> Any:
        """The part of a weight that belongs to one block; blocks that share it share the part."""
        if weight is None or isinstance(weight, int):
            return weight
        long = [d for d, n in enumerate(weight.shape) if n > 1]
        key = (id(weight), *(block[d] for d in long))
        if key not in self._weights:
            at = [slice(None)] * weight.ndim
            for d in long:
                at[d] = slice(*self._bounds[d][block[d]])
            self._weights[key] = weight[tuple(at)]
        return self._weights[key]

    def _exchange(self, terms: list[Term], poles: list[PoleValue]) -> HaloExchange:
        every: list[Term | PoleValue] = [*terms, *poles]
        field, axis = every[0].field, every[0].axis
        fold = next((t.fold for t in every if t.fold is not None), None)
        around = fold.lon_axis if fold else next((t.lon_axis for t in poles), None)
        sizes, bounds = self._chunks[axis], self._bounds[axis]
        n = bounds[-1][1]
        reaches = []
        for at, (start, stop) in enumerate(bounds):
            mine = [self._rows[t.stencil, t.axis][at].depth for t in terms] if start < stop else []
            early, late = (max([r[k] for r in mine], default=0) for k in (0, 1))
            over = (max(0, early - start), max(0, stop + late - n)) if fold else (0, 0)
            reaches.append((early, late, over))
        needs = [_polar_cap_rows(end, poles, fold, reaches) for end in (0, 1)]
        whole = around is None or len(self._chunks[around]) == 1
        taken: list[dict[Range, int]] = [{} for _ in sizes]
        groups, neighbours = [], []
        for at, ((start, stop), (early, late, over)) in enumerate(
            zip(bounds, reaches, strict=True)
        ):
            ends = start == 0 and stop > 0, stop == n and start < n
            caps = [needs[k] if over[k] or ends[k] else 0 for k in (0, 1)]
            own = [whole and ends[k] and stop - start >= needs[k] for k in (0, 1)]
            before, after, who = _halo_pieces(sizes, at, early - over[0], late - over[1], taken)
            given = caps[0] > 0 and not own[0], caps[1] > 0 and not own[1]
            group = HaloPlan(
                field, axis, (early, late), len(who), before, after, fold, over,
                (caps[0], caps[1]), given, tuple(poles),
            )  # fmt: skip
            groups.append(group)
            neighbours.append(who)
        caps_from = [
            _register_send(_cells_at_end(sizes, needs[k], k == 1), taken)
            if any(g.received[k] for g in groups)
            else ()
            for k in (0, 1)
        ]
        ranges = [tuple(each) for each in taken]
        return HaloExchange(groups, neighbours, ranges, (caps_from[0], caps_from[1]), around)


def _varying_axes(weights: list[Any]) -> set[int]:
    """The axes along which weights that are not handed to blocks change."""
    shapes = [weight.shape for weight in weights if not isinstance(weight, int)]
    return {d for shape in shapes for d, n in enumerate(shape) if n > 1}


def _stencils_by_chunk(
    stencil: Stencil | ColumnWindows, bounds: tuple[Range, ...]
) -> list[Stencil | ColumnWindows]:
    """The rows of each chunk, numbered from its first cell."""
    if len(bounds) == 1:
        return [stencil]
    # Inside a uniform axis, chunks of one length have one stencil.
    alike: dict[int, Stencil | ColumnWindows] = {}
    rows: list[Stencil | ColumnWindows] = []
    for start, stop in bounds:
        if stencil.is_shift_invariant(start, stop):
            if stop - start not in alike:
                alike[stop - start] = stencil.slice_rows(start, stop)
            rows.append(alike[stop - start])
        else:
            rows.append(stencil.slice_rows(start, stop))
    return rows


def _polar_cap_rows(
    end: int, poles: list[PoleValue], fold: PolarFold | None, reaches: list[tuple[int, int, Range]]
) -> int:
    """How many rows nearest to a pole are needed all round, for halos and for the row on it."""
    most = max(over[end] for _, _, over in reaches)
    need = most + fold.on_fold[end] if fold and most else 0
    for t in poles:
        rows = t.rows[end]
        if rows is not None:
            need = max(need, 1 + max(rows.depth))
    return need


def _halo_pieces(
    sizes: tuple[int, ...], at: int, early: int, late: int, taken: list[dict[Range, int]]
) -> tuple[tuple[Piece, ...], tuple[Piece, ...], tuple[int, ...]]:
    """What a chunk takes before and after itself, by neighbour and range, and the neighbours."""
    if len(sizes) == 1:
        return (), (), ()  # the chunk holds all it needs, wrapped or not
    count = len(sizes)
    earlier = _collect_cells(sizes, range(at - 1, at - 1 - count, -1), early, True)[::-1]
    later = _collect_cells(sizes, range(at + 1, at + 1 + count), late, False)
    who = tuple(dict.fromkeys(n for n, _ in earlier + later))
    before, after = (
        tuple((who.index(n), k) for n, k in _register_send(side, taken))
        for side in (earlier, later)
    )
    return before, after, who


def _register_send(
    pieces: list[tuple[int, Range]], taken: list[dict[Range, int]]
) -> tuple[Piece, ...]:
    """The pieces by their number among those that their chunk gives."""
    return tuple((n, taken[n].setdefault(r, len(taken[n]))) for n, r in pieces)


def _cells_at_end(sizes: tuple[int, ...], cells: int, last: bool) -> list[tuple[int, Range]]:
    """The first or last cells of an axis, from as many chunks as it takes."""
    count = len(sizes)
    if last:
        return _collect_cells(sizes, range(count - 1, -1, -1), cells, True)[::-1]
    return _collect_cells(sizes, range(count), cells, False)


def _collect_cells(
    sizes: tuple[int, ...], order: range, cells: int, from_end: bool
) -> list[tuple[int, Range]]:
    """The nearest ``cells`` cells, from as many chunks as it takes, round the end if need be."""
    pieces = []
    for at in order:
        size = sizes[at % len(sizes)]
        here = min(cells, size)
        if here:
            pieces.append((at % len(sizes), (size - here, size) if from_end else (0, here)))
            cells -= here
        if not cells:
            break
    return pieces
