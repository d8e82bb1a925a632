"""Cyclic points: a last point of a periodic axis that repeats the first, a period later.

An axis of 0°, 10°, …, 360° has a cyclic point at 360°. Fields are differentiated without it, and
the result at the first point is repeated there. Fields must have the same value at both points.
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
from ..labels.axis import Axis

#: Largest difference of both values, in units of the relative rounding: times their size, and
#: times their differences to neighbours and the number of points, for rounded positions.
VALUE, SLOPE = 8, 4


class CyclicPoint(NamedTuple):
    """A coordinate whose last point repeats the first one.

    Attributes
    ----------
    dim, name : hashable
        The dimension and the name of the coordinate.
    rounding : float
        The relative rounding of the coordinate.
    """

    dim: Hashable
    name: Hashable
    rounding: float


class FieldsWithoutCyclicPoint:
    """Arrays on one grid without the cyclic points, which results get back.

    Parameters
    ----------
    points : sequence of CyclicPoint
        The cyclic points.
    dims : tuple of hashable
        The dimensions of the arrays.
    arrays : list of array
        The fields, in memory or in dask chunks.
    names : list of hashable
        Names of the fields.
    position_inputs : set of int
        Numbers of the arrays that hold positions; these do not decide the chunks of results.

    Attributes
    ----------
    arrays : list of array
        The fields without the cyclic points.
    """

    def __init__(
        self,
        points: Sequence[CyclicPoint],
        dims: tuple[Hashable, ...],
        arrays: list[Any],
        names: list[Hashable],
        position_inputs: AbstractSet[int] = frozenset(),
    ) -> None:
        self._points = [(dims.index(point.dim), point) for point in points]
        self._checks: list[list[Any]] = [[] for _ in points]
        arrays = same_chunks(arrays, position_inputs)
        self._chunks = getattr(arrays[0], "chunks", None)
        self.arrays = [self.without(a, name) for a, name in zip(arrays, names, strict=True)]

    def without(self, array: Any, name: Hashable) -> Any:
        """Return an array without the cyclic points; it has none where its length is 1."""
        for number, (axis, point) in enumerate(self._points):
            if array.shape[axis] > 1:
                array, checks = _without(array, axis, point, name)
                self._checks[number] += checks
        return array

    def restore(self, results: list[Any]) -> list[Any]:
        """Return results with their first cells repeated at the cyclic points."""
        for (axis, _), checks in [*zip(self._points, self._checks, strict=True)][::-1]:
            sizes = self._chunks and self._chunks[axis]
            results = [append_first(result, axis, sizes, checks) for result in results]
        return results


def cyclic_points(
    axes: Collection[Axis], another: CyclicPoint | None = None
) -> tuple[CyclicPoint, ...]:
    """Return the cyclic points of axes, after another one if it is given.

    Raises
    ------
    ValueError
        If a cyclic point and an axis of another name have the same dimension.
    """
    points: tuple[CyclicPoint, ...] = () if another is None else (another,)
    for axis in axes:
        if axis.nodes.cyclic_rounding is not None:
            points += (CyclicPoint(axis.dim, axis.name, axis.nodes.cyclic_rounding),)
    if not points:
        return ()  # the usual case
    for axis in axes:
        for point in points:
            if axis.dim == point.dim and axis.name != point.name:
                raise ValueError(
                    f"the last point of {str(point.name)!r} repeats the first, but that of "
                    f"{str(axis.name)!r} along the same dimension is another point; name them in "
                    "separate calls"
                )
    return points


def without_point(
    variable: xr.Variable, points: Iterable[CyclicPoint], name: Hashable
) -> xr.Variable:
    """Return a variable in memory without its values at the cyclic points."""
    for point in points:
        if point.dim in variable.dims:
            axis = variable.dims.index(point.dim)
            _without(variable.data, axis, point, name)
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
    """Refuse a field whose values differ at the first and the last point.

    Parameters
    ----------
    ends : array
        The first two and the last two cells along the axis.
    origin : tuple of int
        Index of the first cell in the whole field.
    axis, n : int
        The axis of the coordinate, and its number of points.
    point : CyclicPoint
        The cyclic point.
    name : hashable
        Name of the field.

    Raises
    ------
    ValueError
        If values differ by more than rounding.
    """

    def cell(array: Any, k: int) -> Any:
        return array[(*(slice(None),) * axis, k, ...)]

    if backend_of(ends).same(cell(ends, 0), cell(ends, 3)):
        return
    first, after, before, last = (
        cell(xr.Variable(range(ends.ndim), ends).to_numpy(), k) for k in range(4)
    )
    with np.errstate(all="ignore"):
        differ = (first != last) & ~((first != first) & (last != last))
        if first.dtype.kind in "fc":
            tolerance = _tolerance((first, after, before, last), n, point.rounding)
            differ &= ~(abs(first - last) <= tolerance)
    if not differ.any():
        return
    at = tuple(int(i) for i in np.unravel_index(int(differ.argmax()), differ.shape))
    in_chunk = (*at[:axis], 0, *at[axis:])
    index = [o + i for o, i in zip(origin or (0,) * ends.ndim, in_chunk, strict=True)]

    def shown_index(k: int) -> str:
        every = [*index[:axis], k, *index[axis + 1 :]]
        return str(k) if len(every) == 1 else f"({', '.join(map(str, every))})"

    keyword = isinstance(point.dim, str) and point.dim.isidentifier()
    cut = f"{point.dim}=slice(None, -1)" if keyword else f"{{{point.dim!r}: slice(None, -1)}}"
    field = "the data are" if name is None else f"{str(name)!r} is"
    raise ValueError(
        f"the last point of coordinate {str(point.name)!r}, at index {n - 1}, is the first one "
        f"a period later, but {field} {first[at]!s} at index {shown_index(0)} and {last[at]!s} "
        f"at index {shown_index(n - 1)}; drop the last point, e.g. with "
        f".isel({cut}), or give both the same value, such as their mean"
    )


def _tolerance(ends: tuple[Any, ...], n: int, rounding: float) -> Any:
    """Return the largest difference by rounding of values, or of positions they are computed at.

    The ends are the first two and the last two cells along the axis.
    """
    eps = max(rounding, float(np.finfo(ends[0].dtype).eps))
    cells = [
        np.where(np.isfinite(a), a, np.nan).astype(np.result_type(a.dtype, np.float64))
        for a in ends
    ]
    size = np.fmax.reduce([abs(a) for a in cells])
    slope = np.fmax(abs(cells[1] - cells[0]), abs(cells[3] - cells[2]))
    return eps * (VALUE * np.nan_to_num(size) + SLOPE * n * np.nan_to_num(slope))
