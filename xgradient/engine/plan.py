"""The plan of each block: its rows of the stencils, its weights, and the halos that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..stencils.columns import ColumnWindows
from ..stencils.errors import StencilGroup
from ..stencils.table import Stencil
from .ghost_cells import Walls
from .halo import HaloDemand, HaloExchange, HaloPlan, Range, chunk_bounds, plan_exchange
from .terms import Computation, PolarFold, PoleValue, Term, TermSum, all_weights

#: Chunk sizes along each axis.
Chunks = tuple[tuple[int, ...], ...]
#: The rows of an axis, which chunks divide.
Rows = Stencil | StencilGroup | ColumnWindows


@dataclass(frozen=True, eq=False)
class BlockPlan:
    """All that one block needs and does.

    Attributes
    ----------
    computation : Computation
        The sums, with the stencil rows and the weights of this block.
    halos : tuple of HaloPlan
        The halo of each input array along each axis that has one.
    ends_on_pole : tuple of bool
        Whether the block's first and last latitude lie on a pole and have replacement values.
    lon_range : tuple of int or None
        The block's range along the axis of longitudes; None if it holds all of them.
    """

    computation: Computation
    halos: tuple[HaloPlan, ...]
    ends_on_pole: tuple[bool, bool] = (False, False)
    lon_range: tuple[int, int] | None = None


class Planner:
    """Makes the plans of all blocks; an array in memory is one block.

    Parameters
    ----------
    computation : Computation
        The sums, with stencils for the whole length of each axis.
    chunks : tuple of tuple of int
        Chunk sizes along each axis, the same for all input arrays.
    """

    def __init__(self, computation: Computation, chunks: Chunks) -> None:
        self._computation, self._chunks = computation, chunks
        self._bounds = [chunk_bounds(sizes) for sizes in chunks]
        sums = computation.sums
        terms = [t for s in sums for t in s.terms]
        self._pole_values = [p for s in sums for p in s.pole_values]
        #: Terms with the same stencil or weight share its parts.
        self._stencils = {
            (t.stencil, t.axis): _stencils_by_chunk(t.stencil, self._bounds[t.axis]) for t in terms
        }
        # Positions need the same halo as the field they belong to.
        reading = [*terms, *(replace(t, field=t.positions) for t in terms
                             if t.positions is not None)]  # fmt: skip
        readers: list[Term | PoleValue] = [*reading, *self._pole_values]
        keys = dict.fromkeys((r.field, r.axis) for r in readers)
        self.exchanges = [self._exchange(reading, field, axis) for field, axis in keys]
        lon_axes = [e.lon_axis for e in self.exchanges if e.lon_axis is not None]
        self._lon_axis = lon_axes[0] if lon_axes else None
        cut = {*lon_axes, *_varying_axes(self._whole_arrays(sums))}
        varying_axes = sorted({*(r.axis for r in readers), *cut})
        #: Along these axes, a number for each chunk that is equal where plans are.
        self._kinds = [(d, range(len(chunks[d])) if d in cut else self._kinds_along(d))
                       for d in varying_axes]  # fmt: skip
        self._plans: dict[tuple[int, ...], BlockPlan] = {}
        self._weights: dict[Any, Any] = {}

    def plan(self, block: tuple[int, ...]) -> BlockPlan:
        """The plan of a block; blocks that do the same share it."""
        key = tuple([kinds[block[d]] for d, kinds in self._kinds])
        if key not in self._plans:
            self._plans[key] = self._make_plan(block)
        return self._plans[key]

    def _kinds_along(self, axis: int) -> list[int]:
        """A number for each chunk along an axis; equal ones have the same stencil and halos."""
        parts: list[Sequence[Any]] = [
            stencils for (_, d), stencils in self._stencils.items() if d == axis
        ]
        parts += [exchange.halos for exchange in self.exchanges if exchange.axis == axis]
        if any(pole_value.axis == axis for pole_value in self._pole_values):
            parts.append([object() for _ in self._chunks[axis]])  # the rows at both ends differ
        numbers: dict[tuple[int, ...], int] = {}
        return [
            numbers.setdefault(tuple(map(id, of_chunk)), len(numbers))
            for of_chunk in zip(*parts, strict=True)
        ]

    def _make_plan(self, block: tuple[int, ...]) -> BlockPlan:
        sums = tuple(
            replace(s, terms=tuple(self._term_of_block(t, block) for t in s.terms))
            for s in self._computation.sums
        )
        halos = tuple(self._halo_of_block(e.halos[block[e.axis]], block) for e in self.exchanges)
        lon_range = None
        if self._lon_axis is not None and len(self._chunks[self._lon_axis]) > 1:
            lon_range = self._bounds[self._lon_axis][block[self._lon_axis]]
        computation = replace(self._computation, sums=sums)
        return BlockPlan(computation, halos, self._ends_on_pole(block), lon_range)

    def _whole_arrays(self, sums: tuple[TermSum, ...]) -> list[Any]:
        """The weights, and the shifts of ghost cells: arrays of which a block needs its part."""
        folds = [halo.fold for e in self.exchanges for halo in e.halos[:1]]
        mirrors = [m for fold in folds if isinstance(fold, Walls) for m in fold.ends if m]
        return [*all_weights(sums), *(m.shift for m in mirrors if m.shift is not None)]

    def _halo_of_block(self, halo: HaloPlan, block: tuple[int, ...]) -> HaloPlan:
        """A halo with the shifts of ghost cells that belong to one block."""
        polar = halo.polar
        if polar is None or not isinstance(polar.fold, Walls):
            return halo
        first, last = (
            mirror and replace(mirror, shift=self._slice_weight(mirror.shift, block, halo.axis))
            for mirror in polar.fold.ends
        )
        return replace(halo, polar=replace(polar, fold=Walls((first, last))))

    def _ends_on_pole(self, block: tuple[int, ...]) -> tuple[bool, bool]:
        first, last = False, False
        for pole_value in self._pole_values:
            bounds = self._bounds[pole_value.axis]
            start, stop = bounds[block[pole_value.axis]]
            if start < stop:
                first |= pole_value.rows[0] is not None and start == 0
                last |= pole_value.rows[1] is not None and stop == bounds[-1][1]
        return first, last

    def _term_of_block(self, term: Term, block: tuple[int, ...]) -> Term:
        """A term with the stencil rows and weights of one block."""
        stencil = self._stencils[term.stencil, term.axis][block[term.axis]]
        output, center, stretching = (self._slice_weight(w, block) for w in term.weights)
        return replace(
            term,
            stencil=stencil,
            output_weight=output,
            center_weight=center,
            stretching=stretching,
        )

    def _slice_weight(self, weight: Any, block: tuple[int, ...], whole: int = -1) -> Any:
        """The part of a weight that belongs to one block, made once for all blocks that use it.

        Along the axis ``whole`` it is not cut.
        """
        if weight is None or isinstance(weight, int):
            return weight
        axes = [d for d, n in enumerate(weight.shape) if n > 1 and d != whole]
        key = (id(weight), *(block[d] for d in axes))
        if key not in self._weights:
            index = [slice(None)] * weight.ndim
            for d in axes:
                index[d] = slice(*self._bounds[d][block[d]])
            self._weights[key] = weight[tuple(index)]
        return self._weights[key]

    def _exchange(self, reading: list[Term], field: int, axis: int) -> HaloExchange:
        """The halo exchange of one input array along one axis, for the terms that read it."""
        terms = [t for t in reading if (t.field, t.axis) == (field, axis)]
        poles = tuple(p for p in self._pole_values if (p.field, p.axis) == (field, axis))
        readers: list[Term | PoleValue] = [*terms, *poles]
        fold = next((r.fold for r in readers if r.fold is not None), None)
        lon_axis = next((p.lon_axis for p in poles), None)
        if isinstance(fold, PolarFold):
            lon_axis = fold.lon_axis
        depths = []
        for i, size in enumerate(self._chunks[axis]):
            needed = [self._stencils[t.stencil, axis][i].depth for t in terms] if size else []
            early, late = (max((depth[k] for depth in needed), default=0) for k in (0, 1))
            depths.append((early, late))
        has_all_longitudes = lon_axis is None or len(self._chunks[lon_axis]) == 1
        return plan_exchange(
            HaloDemand(
                field=field,
                axis=axis,
                sizes=self._chunks[axis],
                depths=depths,
                fold=fold,
                pole_values=poles,
                lon_axis=lon_axis,
                has_all_longitudes=has_all_longitudes,
            )
        )


def _varying_axes(weights: list[Any]) -> set[int]:
    """The axes along which weights in memory are longer than 1."""
    shapes = [weight.shape for weight in weights if not isinstance(weight, int)]
    return {d for shape in shapes for d, n in enumerate(shape) if n > 1}


def chunks_of_results(
    computation: Computation, chunks: Chunks
) -> tuple[Chunks, list[Sequence[int]]]:
    """Return the chunk sizes of results along each axis, and the input chunk of each of them.

    A chunk whose nodes have no row has no result, unless the chunk is empty itself.
    """
    sizes, sources = list(chunks), [range(len(known)) for known in chunks]
    stencils = {t.axis: t.stencil for s in computation.sums for t in s.terms}
    results: list[Sequence[int]] = [*sources]
    for axis, stencil in stencils.items():
        bounds = chunk_bounds(chunks[axis])
        rows = stencil.rows_of_chunks(bounds)
        if rows != list(bounds):
            lengths = [stop - start for start, stop in rows]
            kept = [i for i in sources[axis] if lengths[i] or not chunks[axis][i]]
            sizes[axis], results[axis] = tuple(lengths[i] for i in kept), kept
    return tuple(sizes), results


def _stencils_by_chunk(stencil: Rows, bounds: tuple[Range, ...]) -> list[Rows]:
    """The rows of each chunk, numbered from its first cell."""
    if len(bounds) == 1:
        return [stencil]
    # Inside a uniform axis, chunks of equal length share one stencil.
    shared: dict[int, Rows] = {}
    stencils: list[Rows] = []
    for (start, stop), rows in zip(bounds, stencil.rows_of_chunks(bounds), strict=True):
        if stencil.is_shift_invariant(start, stop):
            if stop - start not in shared:
                shared[stop - start] = stencil.slice_rows(start, stop)
            stencils.append(shared[stop - start])
        else:
            stencils.append(stencil.slice_rows(*rows, origin=start, cells=stop - start))
    return stencils
