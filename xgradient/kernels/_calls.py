"""Terms on their way into the loops: each with the cells that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..stencils import Stencil
from ._boxes import cut

__all__ = ["Call", "Finish", "Rows", "rows_of"]

#: Makes results of sums and the fields themselves, point by point; the last argument holds arrays
#: that NumPy results are written into, or None.
Finish = Callable[[list[Any], list[Any], list[Any]], list[Any]]
#: The rows of a stencil from a first to a last one, with a node as node 0.
Rows = Callable[[Stencil, int, int, int], Stencil]


class Call(NamedTuple):
    """A term with the cells it takes: those of the block, and those before and after it.

    Where there are cells around, interior windows lie within the block all the same. ``how`` tells
    what becomes of the result: it is written (0), added to what stands there (1), put under one
    root with the squares of both (2), or written as its magnitude (3).
    """

    f: Any
    axis: int
    stencil: Stencil
    before: Any = None
    after: Any = None
    weight: Any = None
    value: Any = None
    how: int = 0

    def cut(self, d: int, start: int, stop: int, rows: Rows) -> Call:
        """The part that makes the cells from ``start`` to ``stop`` along an axis."""
        f, axis, stencil, before, after, weight, value, how = self
        if weight is not None and weight.shape[d] > 1:
            weight = cut(weight, d, start, stop)
        if value is not None and value.shape[d] > 1:
            value = cut(value, d, start, stop)
        if d == axis:
            early, late = rows(stencil, start, stop, start).reach
            low = max(0, start - early)
            here = rows(stencil, start, stop, low)
            before = before if early > start else None
            after = after if stop + late > f.shape[d] else None
            f = cut(f, d, low, min(stop + late, f.shape[d]))
            return Call(f, axis, here, before, after, weight, value, how)
        before = None if before is None else cut(before, d, start, stop)
        after = None if after is None else cut(after, d, start, stop)
        return Call(cut(f, d, start, stop), axis, stencil, before, after, weight, value, how)


def rows_of(stencil: Stencil, start: int, stop: int, origin: int) -> Stencil:
    """The rows from ``start`` to ``stop`` with node ``origin`` as node 0."""
    return stencil.rows(start, stop, origin=origin)
