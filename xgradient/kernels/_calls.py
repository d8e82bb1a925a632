"""Terms on their way into the loops: each with the cells that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ._boxes import cut

__all__ = ["Call", "Finish", "Parts", "Rows", "rows_of"]

#: Makes results of sums and the fields themselves, point by point; the last argument holds arrays
#: that NumPy results are written into, or None.
Finish = Callable[[list[Any], list[Any], list[Any]], list[Any]]
#: The rows of a stencil from a first to a last one, with a node as node 0.
Rows = Callable[[Any, int, int, int], Any]
#: A block, and the cells before and after it along an axis, where there are any.
Parts = tuple[Any, Any, Any]


class Call(NamedTuple):
    """A term with the cells it takes: those of the block, and those before and after it.

    Where there are cells around, interior windows lie within the block all the same. ``how`` tells
    what becomes of the result: it is written (0), added to what stands there (1), put under one
    root with the squares of both (2), or written as its magnitude (3). With the positions of all
    these cells there are `Windows` instead of a `Stencil`; they have no weights, and are written.
    """

    f: Any
    axis: int
    stencil: Any  # Stencil or Windows
    before: Any = None
    after: Any = None
    weight: Any = None
    value: Any = None
    how: int = 0
    positions: Parts | None = None

    def cut(self, d: int, start: int, stop: int, rows: Rows) -> Call:
        """The part that makes the cells from ``start`` to ``stop`` along an axis."""
        _, axis, stencil, _, _, weight, value, how, positions = self
        if weight is not None and weight.shape[d] > 1:
            weight = cut(weight, d, start, stop)
        if value is not None and value.shape[d] > 1:
            value = cut(value, d, start, stop)
        reach = None
        if d == axis:
            reach = rows(stencil, start, stop, start).reach
            stencil = rows(stencil, start, stop, max(0, start - reach[0]))
        f, before, after = _cut(self.f, self.before, self.after, d, start, stop, reach)
        if positions is not None:
            positions = _cut(*positions, d, start, stop, reach)
        return Call(f, axis, stencil, before, after, weight, value, how, positions)


def _cut(
    f: Any, before: Any, after: Any, d: int, start: int, stop: int, reach: tuple[int, int] | None
) -> Parts:
    """The cells from ``start`` to ``stop``; along the axis with those that are reached."""
    if reach is None:
        before = None if before is None else cut(before, d, start, stop)
        after = None if after is None else cut(after, d, start, stop)
        return cut(f, d, start, stop), before, after
    early, late = reach
    before = before if early > start else None
    after = after if stop + late > f.shape[d] else None
    stop = min(stop + late, f.shape[d])
    return cut(f, d, max(0, start - early), stop), before, after


def rows_of(stencil: Any, start: int, stop: int, origin: int) -> Any:
    """The rows from ``start`` to ``stop`` with node ``origin`` as node 0."""
    return stencil.rows(start, stop, origin=origin)
