"""Who needs what: for arrays in chunks, the cells that each block takes from others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from .blocks import Group, Plan
from .kernels import Finish
from .stencils import Stencil
from .terms import Fold, PoleTerm, Sum, Term, positions_of, weights_of
from .windows import Windows

__all__ = ["Exchange", "Planner"]

#: Cells of a chunk along an axis, half open.
Range = tuple[int, int]
#: Chunk sizes along each axis.
Chunks = tuple[tuple[int, ...], ...]
#: A chunk along an axis, and which of its ranges.
Piece = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Exchange:
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

    groups: list[Group]
    neighbours: list[tuple[int, ...]]
    ranges: list[tuple[Range, ...]]
    caps: tuple[tuple[Piece, ...], tuple[Piece, ...]]
    around: int | None


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
        As `Plan` has them.
    """

    def __init__(
        self,
        sums: list[Sum],
        chunks: Chunks,
        fields: int,
        finish: Finish | None,
        count: int,
        weights: int = 0,
    ) -> None:
        self._sums, self._chunks, self._fields = sums, chunks, fields
        self._finish, self._count, self._given = finish, count, weights
        self._bounds = [tuple(pairwise([0, *accumulate(sizes)])) for sizes in chunks]
        terms = [t for each in sums for t in each.terms]
        poles = [t for each in sums for t in each.poles]
        self._poles = poles
        #: Terms that share a stencil or a weight share its parts.
        self._rows = {
            (t.stencil, t.axis): _rows_of_chunks(t.stencil, self._bounds[t.axis]) for t in terms
        }
        self._positions = tuple(positions_of(sums))
        # Of positions as many cells are needed as of the field that they belong to.
        takers = [
            *terms,
            *(replace(t, field=t.positions) for t in terms if t.positions is not None),
        ]
        every: list[Term | PoleTerm] = [*takers, *poles]
        keys = dict.fromkeys((t.field, t.axis) for t in every)
        self.exchanges = [
            self._exchange(
                [t for t in takers if (t.field, t.axis) == key],
                [t for t in poles if (t.field, t.axis) == key],
            )
            for key in keys
        ]
        arounds = [e.around for e in self.exchanges if e.around is not None]
        self._around = arounds[0] if arounds else None
        #: The axes along which blocks have other rows, weights or neighbours.
        self._matter = sorted({*(t.axis for t in every), *arounds, *_long(weights_of(sums))})
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._weights: dict[Any, Any] = {}

    def plan(self, block: tuple[int, ...]) -> Plan:
        """The plan of a block; blocks that differ in nothing that matters share it."""
        key = tuple(block[d] for d in self._matter)
        if key not in self._plans:
            self._plans[key] = self._make(block)
        return self._plans[key]

    def _make(self, block: tuple[int, ...]) -> Plan:
        sums = tuple(
            replace(each, terms=tuple(self._part(t, block) for t in each.terms))
            for each in self._sums
        )
        groups = tuple(e.groups[block[e.groups[0].axis]] for e in self.exchanges)
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
        return Plan(self._fields, sums, groups, *made, on_pole, span, self._given, self._positions)

    def _part(self, term: Term, block: tuple[int, ...]) -> Term:
        """A term with the rows and weights of one block."""
        rows = self._rows[term.stencil, term.axis][block[term.axis]]
        weight, value = (self._weight(w, block) for w in (term.weight, term.value))
        return replace(term, stencil=rows, weight=weight, value=value)

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

    def _exchange(self, terms: list[Term], poles: list[PoleTerm]) -> Exchange:
        every: list[Term | PoleTerm] = [*terms, *poles]
        field, axis = every[0].field, every[0].axis
        fold = next((t.fold for t in every if t.fold is not None), None)
        around = fold.around if fold else next((t.around for t in poles), None)
        sizes, bounds = self._chunks[axis], self._bounds[axis]
        n = bounds[-1][1]
        reaches = []
        for at, (start, stop) in enumerate(bounds):
            mine = [self._rows[t.stencil, t.axis][at].reach for t in terms] if start < stop else []
            early, late = (max([r[k] for r in mine], default=0) for k in (0, 1))
            over = (max(0, early - start), max(0, stop + late - n)) if fold else (0, 0)
            reaches.append((early, late, over))
        needs = [_cap_rows(end, poles, fold, reaches) for end in (0, 1)]
        whole = around is None or len(self._chunks[around]) == 1
        taken: list[dict[Range, int]] = [{} for _ in sizes]
        groups, neighbours = [], []
        for at, ((start, stop), (early, late, over)) in enumerate(
            zip(bounds, reaches, strict=True)
        ):
            ends = start == 0 and stop > 0, stop == n and start < n
            caps = [needs[k] if over[k] or ends[k] else 0 for k in (0, 1)]
            own = [whole and ends[k] and stop - start >= needs[k] for k in (0, 1)]
            before, after, who = _pieces(sizes, at, early - over[0], late - over[1], taken)
            given = caps[0] > 0 and not own[0], caps[1] > 0 and not own[1]
            group = Group(
                field, axis, (early, late), len(who), before, after, fold, over,
                (caps[0], caps[1]), given, tuple(poles),
            )  # fmt: skip
            groups.append(group)
            neighbours.append(who)
        caps_from = [
            _take(_nearest(sizes, needs[k], k == 1), taken)
            if any(g.given[k] for g in groups)
            else ()
            for k in (0, 1)
        ]
        ranges = [tuple(each) for each in taken]
        return Exchange(groups, neighbours, ranges, (caps_from[0], caps_from[1]), around)


def _long(weights: list[Any]) -> set[int]:
    """The axes along which weights that are not handed to blocks change."""
    shapes = [weight.shape for weight in weights if not isinstance(weight, int)]
    return {d for shape in shapes for d, n in enumerate(shape) if n > 1}


def _rows_of_chunks(
    stencil: Stencil | Windows, bounds: tuple[Range, ...]
) -> list[Stencil | Windows]:
    """The rows of each chunk, numbered from its first cell."""
    if len(bounds) == 1:
        return [stencil]
    # Inside a uniform axis, chunks of one length have one stencil.
    alike: dict[int, Stencil | Windows] = {}
    rows: list[Stencil | Windows] = []
    for start, stop in bounds:
        if stencil.alike(start, stop):
            if stop - start not in alike:
                alike[stop - start] = stencil.rows(start, stop)
            rows.append(alike[stop - start])
        else:
            rows.append(stencil.rows(start, stop))
    return rows


def _cap_rows(
    end: int, poles: list[PoleTerm], fold: Fold | None, reaches: list[tuple[int, int, Range]]
) -> int:
    """How many rows nearest to a pole are needed all round, for halos and for the row on it."""
    most = max(over[end] for _, _, over in reaches)
    need = most + fold.skips[end] if fold and most else 0
    for t in poles:
        rows = t.rows[end]
        if rows is not None:
            need = max(need, 1 + max(rows.reach))
    return need


def _pieces(
    sizes: tuple[int, ...], at: int, early: int, late: int, taken: list[dict[Range, int]]
) -> tuple[tuple[Piece, ...], tuple[Piece, ...], tuple[int, ...]]:
    """What a chunk takes before and after itself, by neighbour and range, and the neighbours."""
    if len(sizes) == 1:
        return (), (), ()  # the chunk holds all it needs, wrapped or not
    count = len(sizes)
    earlier = _gather(sizes, range(at - 1, at - 1 - count, -1), early, True)[::-1]
    later = _gather(sizes, range(at + 1, at + 1 + count), late, False)
    who = tuple(dict.fromkeys(n for n, _ in earlier + later))
    before, after = (
        tuple((who.index(n), k) for n, k in _take(side, taken)) for side in (earlier, later)
    )
    return before, after, who


def _take(pieces: list[tuple[int, Range]], taken: list[dict[Range, int]]) -> tuple[Piece, ...]:
    """The pieces by their number among those that their chunk gives."""
    return tuple((n, taken[n].setdefault(r, len(taken[n]))) for n, r in pieces)


def _nearest(sizes: tuple[int, ...], cells: int, last: bool) -> list[tuple[int, Range]]:
    """The first or last cells of an axis, from as many chunks as it takes."""
    count = len(sizes)
    if last:
        return _gather(sizes, range(count - 1, -1, -1), cells, True)[::-1]
    return _gather(sizes, range(count), cells, False)


def _gather(
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
