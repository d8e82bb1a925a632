"""Halos: which cells the chunks along an axis need from each other, and from beyond the poles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from typing import Any

from .ghost_cells import Walls
from .terms import PolarFold, PoleValue

#: Cells of a chunk along an axis, half open.
Range = tuple[int, int]
#: Index of a neighbour in `HaloExchange.neighbours`, and of one of the ranges that it sends.
HaloPieces = tuple[tuple[int, int], ...]
#: Index of a chunk along an axis, and of one of the ranges that it sends.
Piece = tuple[int, int]
#: Chunks at either end of a row of equal ones that are planned by themselves.
KEPT = 4


@dataclass(frozen=True, eq=False)
class PolarHalo:
    """The rows nearest to the poles that a block needs from all longitudes.

    Attributes
    ----------
    fold : PolarFold or None
        How the axis continues across poles.
    depth : tuple of int
        Cells of the halo beyond the first and the last latitude.
    cap_rows : tuple of int
        Rows nearest to each pole that the block needs at all longitudes.
    received : tuple of bool
        Whether these rows come from other blocks; else they are the block's own.
    pole_values : tuple of PoleValue
        The field's replacement values, in the order of the sums.
    """

    fold: PolarFold | Walls | None
    depth: tuple[int, int]
    cap_rows: tuple[int, int]
    received: tuple[bool, bool]
    pole_values: tuple[PoleValue, ...]


@dataclass(frozen=True, eq=False)
class HaloPlan:
    """The halo that one input array needs along one axis of a block.

    Attributes
    ----------
    field, axis : int
        Index of the input array, and the axis.
    depth : tuple of int
        Cells needed before and after the block.
    n_neighbours : int
        Number of blocks along the axis that send cells. If it is 0, a block whose depth is not 0
        is the whole of a periodic axis.
    left_halo, right_halo : tuple of pairs
        The pieces that the neighbours send, in the order of the axis.
    polar : PolarHalo, optional
        The rows needed at the poles, if the axis has any.
    """

    field: int
    axis: int
    depth: tuple[int, int]
    n_neighbours: int = 0
    left_halo: HaloPieces = ()
    right_halo: HaloPieces = ()
    polar: PolarHalo | None = None

    @property
    def fold(self) -> PolarFold | Walls | None:
        """How the axis continues across poles."""
        return self.polar.fold if self.polar else None

    @property
    def received(self) -> tuple[bool, bool]:
        """For each pole, whether the rows nearest to it come from other blocks."""
        return self.polar.received if self.polar else (False, False)


@dataclass(frozen=True, eq=False)
class HaloDemand:
    """All that decides which cells of one input array its chunks need along one axis.

    Attributes
    ----------
    field, axis : int
        Index of the input array, and the axis.
    sizes : tuple of int
        Chunk sizes along the axis.
    depths : list of tuple of int
        For each chunk, the cells needed before and after it.
    fold : PolarFold or None
        How the axis continues across poles.
    pole_values : tuple of PoleValue
        The replacement values on rows that lie on a pole.
    lon_axis : int or None
        The axis along which rows at the poles are joined.
    has_all_longitudes : bool
        Whether each chunk holds all longitudes.
    """

    field: int
    axis: int
    sizes: tuple[int, ...]
    depths: list[tuple[int, int]]
    fold: PolarFold | Walls | None
    pole_values: tuple[PoleValue, ...]
    lon_axis: int | None
    has_all_longitudes: bool

    @cached_property
    def bounds(self) -> tuple[Range, ...]:
        """The range of each chunk."""
        return chunk_bounds(self.sizes)


@dataclass(frozen=True, eq=False)
class PolarCapPlan:
    """How the rows nearest to one pole are joined from chunks.

    Attributes
    ----------
    axis : int
        The axis of latitudes.
    lon_axis : int or None
        The axis of longitudes, if there are several.
    end : int
        0 for the pole before the first row, 1 for the one after the last.
    pieces : tuple of Piece
        The rows, as ranges that chunks along the axis of latitudes send; empty if no chunk
        receives them.
    pole_values : tuple of PoleValue
        The replacement values to compute from these rows.
    """

    axis: int
    lon_axis: int | None
    end: int
    pieces: tuple[Piece, ...]
    pole_values: tuple[PoleValue, ...]


@dataclass(frozen=True, eq=False)
class HaloExchange:
    """The cells that chunks along one axis of one input array send and receive.

    Attributes
    ----------
    field, axis : int
        Index of the input array, and the axis.
    halos : list of HaloPlan
        For each chunk, the halo it receives.
    neighbours : list of tuple of int
        For each chunk, the chunks that send cells to it.
    sent_ranges : list of tuple of Range
        For each chunk, the ranges that others need of it.
    polar_caps : list of PolarCapPlan
        The rows at the poles that chunks receive.
    lon_axis : int or None
        The axis along which rows at the poles are joined.
    """

    field: int
    axis: int
    halos: list[HaloPlan]
    neighbours: list[tuple[int, ...]]
    sent_ranges: list[tuple[Range, ...]]
    polar_caps: list[PolarCapPlan]
    lon_axis: int | None


def chunk_bounds(sizes: tuple[int, ...]) -> tuple[Range, ...]:
    """The range of each chunk along an axis."""
    return tuple(pairwise([0, *accumulate(sizes)]))


def plan_exchange(demand: HaloDemand) -> HaloExchange:
    """Decide which cells each chunk sends and receives.

    Of many equal chunks in a row a few are planned, and the others do the same.
    """
    start, stop = _longest_run(demand)
    if stop - start <= 2 * KEPT:
        return _plan_every_chunk(demand)
    cut, skipped = slice(start + KEPT, stop - KEPT), stop - start - 2 * KEPT
    sizes, depths = list(demand.sizes), list(demand.depths)
    del sizes[cut], depths[cut]
    return _repeat_chunk(
        _plan_every_chunk(replace(demand, sizes=tuple(sizes), depths=depths)), start + KEPT, skipped
    )


def _longest_run(demand: HaloDemand) -> Range:
    """The longest row of chunks that are equal, and that no halo reaches over."""
    at, longest = 0, (0, 0)
    deepest = max(map(max, demand.depths), default=0)
    for (size, _), equal in groupby(zip(demand.sizes, demand.depths, strict=True)):
        stop = at + sum(1 for _ in equal)
        if size >= max(deepest, 1) and stop - at > longest[1] - longest[0]:
            longest = at, stop
        at = stop
    return longest


def _repeat_chunk(plan: HaloExchange, seam: int, count: int) -> HaloExchange:
    """A plan with more chunks between two that are equal, and do the same as these."""

    def moved(n: int) -> int:
        return n if n < seam else n + count

    def repeated(values: list[Any]) -> list[Any]:
        return [*values[:seam], *[values[seam]] * count, *values[seam:]]

    neighbours = [tuple(map(moved, senders)) for senders in plan.neighbours]
    offsets = [n - seam for n in plan.neighbours[seam]]
    # The last chunk before the seam, those between, and the first after it.
    between = [tuple([n + k for k in offsets]) for n in range(seam - 1, seam + count + 1)]
    caps = [
        replace(cap, pieces=tuple((moved(n), k) for n, k in cap.pieces)) for cap in plan.polar_caps
    ]
    return replace(
        plan,
        halos=repeated(plan.halos),
        neighbours=[*neighbours[: seam - 1], *between, *neighbours[seam + 1 :]],
        sent_ranges=repeated(plan.sent_ranges),
        polar_caps=caps,
    )


def _plan_every_chunk(demand: HaloDemand) -> HaloExchange:
    """Decide for each chunk by itself which cells it sends and receives."""
    field, axis, sizes, poles = demand.field, demand.axis, demand.sizes, demand.pole_values
    beyond = _depths_beyond_poles(demand)
    cap_rows = [_polar_cap_rows(demand, end, max(d[end] for d in beyond)) for end in (0, 1)]
    sent: list[dict[Range, int]] = [{} for _ in sizes]
    halos, neighbours = [], []
    #: Chunks with the same halo share its plan.
    shared: dict[Any, HaloPlan] = {}
    for i, (depth, over) in enumerate(zip(demand.depths, beyond, strict=True)):
        within = depth[0] - over[0], depth[1] - over[1]
        left, right, senders = _halo_pieces(sizes, i, within, sent)
        polar = _polar_halo(demand, i, over, cap_rows) if demand.fold or poles else None
        key = depth, left, right, polar and (polar.depth, polar.cap_rows, polar.received)
        if key not in shared:
            shared[key] = HaloPlan(field, axis, depth, len(senders), left, right, polar)
        halos.append(shared[key])
        neighbours.append(senders)
    caps = []
    for end in (0, 1):
        if any(halo.received[end] for halo in halos):
            pieces = _register_send(_cells_at_end(sizes, cap_rows[end], end == 1), sent)
            caps.append(PolarCapPlan(axis, demand.lon_axis, end, pieces, poles))
    ranges = [tuple(numbers) for numbers in sent]
    return HaloExchange(field, axis, halos, neighbours, ranges, caps, demand.lon_axis)


def _depths_beyond_poles(demand: HaloDemand) -> list[tuple[int, int]]:
    """For each chunk, how many cells of its halo lie beyond the poles."""
    if demand.fold is None:
        return [(0, 0)] * len(demand.sizes)
    n = demand.bounds[-1][1]
    return [
        (max(0, early - start), max(0, stop + late - n))
        for (start, stop), (early, late) in zip(demand.bounds, demand.depths, strict=True)
    ]


def _polar_cap_rows(demand: HaloDemand, end: int, depth: int) -> int:
    """How many rows nearest to a pole are needed all round, for halos and for the row on it."""
    needed = depth + demand.fold.on_fold[end] if demand.fold and depth else 0
    for pole_value in demand.pole_values:
        stencil = pole_value.rows[end]
        if stencil is not None:
            needed = max(needed, 1 + max(stencil.depth))
    return needed


def _polar_halo(demand: HaloDemand, i: int, depth: Range, cap_rows: list[int]) -> PolarHalo:
    """The rows that one chunk needs at the poles."""
    n, (start, stop) = demand.bounds[-1][1], demand.bounds[i]
    at_end = start == 0 and stop > 0, stop == n and start < n
    rows = [cap_rows[k] if depth[k] or at_end[k] else 0 for k in (0, 1)]
    owned = [
        demand.has_all_longitudes and at_end[k] and stop - start >= cap_rows[k] for k in (0, 1)
    ]
    received = rows[0] > 0 and not owned[0], rows[1] > 0 and not owned[1]
    return PolarHalo(demand.fold, depth, (rows[0], rows[1]), received, demand.pole_values)


def _halo_pieces(
    sizes: tuple[int, ...], i: int, depth: tuple[int, int], sent: list[dict[Range, int]]
) -> tuple[HaloPieces, HaloPieces, tuple[int, ...]]:
    """The pieces that a chunk receives before and after itself, and their senders."""
    if len(sizes) == 1:
        return (), (), ()  # the chunk holds all cells of a periodic axis
    count = len(sizes)
    earlier = _collect_cells(sizes, range(i - 1, i - 1 - count, -1), depth[0], True)[::-1]
    later = _collect_cells(sizes, range(i + 1, i + 1 + count), depth[1], False)
    senders = tuple(dict.fromkeys(n for n, _ in earlier + later))
    left, right = (
        tuple((senders.index(n), k) for n, k in _register_send(pieces, sent))
        for pieces in (earlier, later)
    )
    return left, right, senders


def _register_send(
    pieces: list[tuple[int, Range]], sent: list[dict[Range, int]]
) -> tuple[Piece, ...]:
    """Number each piece among the ranges that its chunk sends."""
    return tuple((n, sent[n].setdefault(r, len(sent[n]))) for n, r in pieces)


def _cells_at_end(sizes: tuple[int, ...], cells: int, last: bool) -> list[tuple[int, Range]]:
    """The first or last cells of an axis, from as many chunks as needed."""
    count = len(sizes)
    if last:
        return _collect_cells(sizes, range(count - 1, -1, -1), cells, True)[::-1]
    return _collect_cells(sizes, range(count), cells, False)


def _collect_cells(
    sizes: tuple[int, ...], order: range, cells: int, from_end: bool
) -> list[tuple[int, Range]]:
    """The nearest cells from as many chunks as needed; the order may run past the last chunk."""
    pieces = []
    for i in order:
        size = sizes[i % len(sizes)]
        taken = min(cells, size)
        if taken:
            pieces.append((i % len(sizes), (size - taken, size) if from_end else (0, taken)))
            cells -= taken
        if not cells:
            break
    return pieces
