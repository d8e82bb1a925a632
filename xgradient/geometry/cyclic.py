"""Cyclic points: a last point that is the first one of a closed axis, a period later.

Such an axis, as 0°, 10°, …, 360°, has one point more than places. Derivatives are those of the
fields without the last point, and stand at both. The values at both must be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ..engine.cyclic_chunks import append_first, same_chunks, without_last
from ..kernels import backend_of

#: By how many roundings of their size values at one place may differ, and by how many of their
#: differences to the next points times the number of points: those of a rounded position.
VALUE, SLOPE = 8, 4


class CyclicPoint(NamedTuple):
    """The last point of a coordinate, which repeats the first.

    Attributes
    ----------
    dim, name : hashable
        The dimension, and the coordinate.
    rounding : float
        The relative rounding of the coordinate.
    """

    dim: Hashable
    name: Hashable
    rounding: float


class FieldsWithoutCyclicPoint:
    """Arrays on one grid without the cyclic points, and what puts these into results.

    Parameters
    ----------
    points : sequence of CyclicPoint
        The points.
    dims : tuple of hashable
        The dimensions of the arrays.
    arrays : list of array
        The fields, in memory or in dask chunks.
    names : list of hashable
        What they are called.
    apart : set of int
        Which of them hold positions, and so have no say in the chunks.

    Attributes
    ----------
    arrays : list of array
        The fields without the points.
    """

    def __init__(
        self,
        points: Sequence[CyclicPoint],
        dims: tuple[Hashable, ...],
        arrays: list[Any],
        names: list[Hashable],
        apart: AbstractSet[int] = frozenset(),
    ) -> None:
        self._points = [(dims.index(point.dim), point) for point in points]
        self._seen: list[list[Any]] = [[] for _ in points]
        arrays = same_chunks(arrays, apart)
        self._chunks = getattr(arrays[0], "chunks", None)
        self.arrays = [self.without(a, name) for a, name in zip(arrays, names, strict=True)]

    def without(self, array: Any, name: Hashable) -> Any:
        """Return an array without the points, which it may lack because it is 1 long there."""
        for at, (axis, point) in enumerate(self._points):
            if array.shape[axis] > 1:
                array, seen = _without(array, axis, point, name)
                self._seen[at] += seen
        return array

    def closed(self, results: list[Any]) -> list[Any]:
        """Return results with their first cells at the points, too."""
        for (axis, _), seen in [*zip(self._points, self._seen, strict=True)][::-1]:
            sizes = self._chunks and self._chunks[axis]
            results = [append_first(result, axis, sizes, seen) for result in results]
        return results


def cyclic_points(
    axes: Collection[Any], another: CyclicPoint | None = None
) -> tuple[CyclicPoint, ...]:
    """Return the cyclic points of axes, and perhaps another one.

    Raises
    ------
    ValueError
        If another axis lies along the dimension of such a point.
    """
    points: tuple[CyclicPoint, ...] = () if another is None else (another,)
    for axis in axes:
        if axis.nodes.cyclic_rounding is not None:
            points += (CyclicPoint(axis.dim, axis.name, axis.nodes.cyclic_rounding),)
    if not points:
        return ()  # at once, as usual
    for axis in axes:
        for point in points:
            if axis.dim == point.dim and axis.name != point.name:
                raise ValueError(
                    f"the last point of {str(point.name)!r} repeats the first, but that of "
                    f"{str(axis.name)!r} along the same dimension is another place; name them in "
                    "calls of their own"
                )
    return points


def without_point(
    variable: xr.Variable, points: Iterable[CyclicPoint], what: Hashable
) -> xr.Variable:
    """Return a variable in memory without its values at the points."""
    for point in points:
        if point.dim in variable.dims:
            axis = variable.dims.index(point.dim)
            _without(variable.data, axis, point, what)
            variable = variable.isel({point.dim: slice(None, -1)})
    return variable


def _without(array: Any, axis: int, point: CyclicPoint, name: Hashable) -> tuple[Any, list[Any]]:
    n = array.shape[axis]
    return without_last(array, axis, partial(_check, axis=axis, n=n, point=point, name=name))


def _check(
    ends: Any,
    origin: tuple[int, ...] = (),
    *,
    axis: int,
    n: int,
    point: CyclicPoint,
    name: Hashable,
) -> None:
    """Refuse values that are not the same at the first and the last point.

    Parameters
    ----------
    ends : array
        The first two cells and the last two.
    origin : tuple of int
        The index of the first cell.
    axis, n : int
        The axis of the coordinate, and how many points it has.
    point : CyclicPoint
        The coordinate.
    name : hashable
        The field.
    """

    def cell(array: Any, k: int) -> Any:
        return array[(*(slice(None),) * axis, k, ...)]

    if backend_of(ends).same(cell(ends, 0), cell(ends, 3)):
        return
    first, after, before, last = (
        cell(xr.Variable(range(ends.ndim), ends).to_numpy(), k) for k in range(4)
    )
    with np.errstate(all="ignore"):
        wrong = (first != last) & ~((first != first) & (last != last))
        if first.dtype.kind in "fc":
            wrong &= ~(abs(first - last) <= _allowed(first, after, before, last, n, point.rounding))
    if not wrong.any():
        return
    at = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
    spread = (*at[:axis], 0, *at[axis:])
    index = [o + i for o, i in zip(origin or (0,) * ends.ndim, spread, strict=True)]

    def ref(k: int) -> str:
        every = [*index[:axis], k, *index[axis + 1 :]]
        return str(k) if len(every) == 1 else f"({', '.join(map(str, every))})"

    keyword = isinstance(point.dim, str) and point.dim.isidentifier()
    cut = f"{point.dim}=slice(None, -1)" if keyword else f"{{{point.dim!r}: slice(None, -1)}}"
    here, there = str(first[at]), str(last[at])  # as few digits as tell them from others
    field = "the data are" if name is None else f"{str(name)!r} is"
    raise ValueError(
        f"the last point of coordinate {str(point.name)!r}, at index {n - 1}, is the first one "
        f"a period later, but {field} {here} at index {ref(0)} and {there} at index "
        f"{ref(n - 1)}; drop the last point, e.g. with "
        f".isel({cut}), or give both the same value, such as their mean"
    )


def _allowed(first: Any, after: Any, before: Any, last: Any, n: int, rounding: float) -> Any:
    """Return by how much values may differ that were rounded, or computed at rounded positions."""
    eps = max(rounding, float(np.finfo(first.dtype).eps))
    wide = [np.where(np.isfinite(a), a, np.nan).astype(np.result_type(a.dtype, np.float64))
            for a in (first, after, before, last)]  # fmt: skip
    size = np.fmax.reduce([abs(a) for a in wide])
    slope = np.fmax(abs(wide[1] - wide[0]), abs(wide[3] - wide[2]))
    return eps * (VALUE * np.nan_to_num(size) + SLOPE * n * np.nan_to_num(slope))
