"""Terms on their way into the loops: each with the cells that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


def slice_axis(array: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """The cells from ``start`` to ``stop`` along an axis."""
    return array[(*(slice(None),) * axis, slice(start, stop), ...)]


#: Makes results of sums and the fields themselves, point by point; the last argument holds arrays
#: that NumPy results are written into, or None.
Combine = Callable[[list[Any], list[Any], list[Any]], list[Any]]
#: The rows of a stencil from a first to a last one, with a node as node 0.
RowSlicer = Callable[[Any, int, int, int], Any]
#: A block, and the cells before and after it along an axis, where there are any.
BlockWithHalo = tuple[Any, Any, Any]


class TermRequest(NamedTuple):
    """A term with the cells it takes: those of the block, and those before and after it.

    Where there are cells around, interior windows lie within the block all the same. ``how`` tells
    what becomes of the result: it is written (0), added to what stands there (1), put under one
    root with the squares of both (2), or written as its magnitude (3). With the positions of all
    these cells there are `ColumnWindows` instead of a `Stencil`; they have no weights.
    """

    block: Any
    axis: int
    stencil: Any  # Stencil or Windows
    left_halo: Any = None
    right_halo: Any = None
    output_weight: Any = None
    center_weight: Any = None
    accumulate: int = 0
    positions: BlockWithHalo | None = None

    def slice_axis(self, d: int, start: int, stop: int, rows: RowSlicer) -> TermRequest:
        """The part that makes the cells from ``start`` to ``stop`` along an axis."""
        _, axis, stencil, _, _, weight, value, accumulate, positions = self
        if weight is not None and weight.shape[d] > 1:
            weight = slice_axis(weight, d, start, stop)
        if value is not None and value.shape[d] > 1:
            value = slice_axis(value, d, start, stop)
        reach = None
        if d == axis:
            reach = rows(stencil, start, stop, start).depth
            stencil = rows(stencil, start, stop, max(0, start - reach[0]))
        f, before, after = _slice_with_halo(
            self.block, self.left_halo, self.right_halo, d, start, stop, reach
        )
        if positions is not None:
            positions = _slice_with_halo(*positions, d, start, stop, reach)
        return TermRequest(f, axis, stencil, before, after, weight, value, accumulate, positions)


def _slice_with_halo(
    f: Any, before: Any, after: Any, d: int, start: int, stop: int, reach: tuple[int, int] | None
) -> BlockWithHalo:
    """The cells from ``start`` to ``stop``; along the axis with those that are reached."""
    if reach is None:
        before = None if before is None else slice_axis(before, d, start, stop)
        after = None if after is None else slice_axis(after, d, start, stop)
        return slice_axis(f, d, start, stop), before, after
    early, late = reach
    before = before if early > start else None
    after = after if stop + late > f.shape[d] else None
    stop = min(stop + late, f.shape[d])
    return slice_axis(f, d, max(0, start - early), stop), before, after


def stencil_rows(stencil: Any, start: int, stop: int, origin: int) -> Any:
    """The rows from ``start`` to ``stop`` with node ``origin`` as node 0."""
    return stencil.slice_rows(start, stop, origin=origin)
