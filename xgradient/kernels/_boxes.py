"""Parts of arrays: ranges along one axis, and boxes that fit in cache."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

__all__ = ["boxes", "cut"]

#: Cells of a box that is copied or converted on the way, so that the copy stays in cache.
BOX = 1 << 15


def boxes(shape: tuple[int, ...], axis: int) -> Iterator[tuple[slice, ...]]:
    """Boxes of about `BOX` cells that cover an array of this shape and hold the axis whole."""
    box = list(shape)
    for d in range(len(shape)):
        if d != axis and 0 not in shape:
            rest = prod(box) // box[d]
            box[d] = min(box[d], max(1, BOX // rest))
    corners = [range(0, n, b) if n else [] for n, b in zip(shape, box, strict=True)]
    for corner in np.ndindex(*(len(c) for c in corners)):
        starts = [c[i] for c, i in zip(corners, corner, strict=True)]
        yield tuple(slice(s, s + b) for s, b in zip(starts, box, strict=True))


def cut(array: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """The cells from ``start`` to ``stop`` along an axis."""
    return array[(*(slice(None),) * axis, slice(start, stop), ...)]
