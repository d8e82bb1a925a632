"""Axes of cells: dimensions at centers and on faces of the same cells, with their direction."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.positions import POSITIONS, Dims, axis_dims
from .directions import letter_of_dim

Floats = NDArray[np.float64]

#: The faces of each position among all N + 1 faces of an axis.
FACES = {
    "left": slice(0, -1),
    "right": slice(1, None),
    "inner": slice(1, -1),
    "outer": slice(0, None),
}


class CellAxis(NamedTuple):
    """Hold the dimensions of one axis of a grid, by their positions on its cells.

    Attributes
    ----------
    letter : str or None
        The direction, "x", "y" or "z"; None if it is unknown.
    cells : int
        The number of cells.
    dims : mapping from position to list of hashable
        The dimensions, the usual one of each position first.
    periodic : bool
        True if the last cell is next to the first one.
    period : float or None
        Length after which a periodic axis repeats, in units of its coordinate, if a call gives it.
    """

    letter: str | None
    cells: int
    dims: Dims
    periodic: bool = False
    period: float | None = None

    @property
    def names(self) -> list[Hashable]:
        """Return all dimensions of the axis."""
        return [name for names in self.dims.values() for name in names]

    def position(self, dim: Hashable) -> str:
        """Return the position of a dimension of this axis."""
        return next(position for position, names in self.dims.items() if dim in names)

    def is_center(self, dim: Hashable) -> bool:
        """Return True for a dimension of centers, False for one of faces."""
        return self.position(dim) == "center"

    def size(self, position: str) -> int:
        """Return the number of values at a position."""
        return self.cells + POSITIONS[position][1]

    def with_dim(self, position: str, dim: Hashable) -> CellAxis:
        """Return the axis with one more dimension, which the data need not have."""
        names = self.dims.get(position, [])
        if dim in names:
            return self
        return self._replace(dims={**self.dims, position: [*names, dim]})

    def dim_among(self, dims: tuple[Hashable, ...]) -> Hashable | None:
        """Return the one of some dimensions that is of this axis, or None."""
        return next((dim for dim in dims if dim in self.names), None)


def find_cell_axis(
    obj: XarrayObject, dim: Hashable, positions: Any = None, periodic: bool = False
) -> CellAxis:
    """Find the axis of a dimension.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, whose names and attributes say where their dimensions are.
    dim : hashable
        A dimension of the data.
    positions : None or mapping
        Dimensions by position, by axis, as ``xgcm.Grid`` takes them.
    periodic : bool
        True if the last cell is next to the first one.

    Raises
    ------
    TypeError, ValueError
        If lengths of dimensions do not fit each other.
    """
    dims = axis_dims(obj, dim, positions)
    here = next(position for position, names in dims.items() if dim in names)
    cells = obj.sizes[dim] - POSITIONS[here][1]
    names = [dim, *(name for group in dims.values() for name in group)]
    letter = _given_letter(positions, names) or next(
        (found for name in names if (found := letter_of_dim(obj, name))), None
    )
    return CellAxis(letter, cells, dims, periodic)


def _given_letter(positions: Any, names: list[Hashable]) -> str | None:
    """Return the letter of an axis to which a call gives dimensions."""
    for axis, by_position in (positions or {}).items():
        if set(by_position.values()) & set(names) and str(axis).lower() in ("x", "y", "z"):
            return str(axis).lower()
    return None


def all_faces(values: Floats, axis: int, position: str, periodic: bool) -> Floats:
    """Return values on all N + 1 faces of an axis; missing ones are NaN.

    Parameters
    ----------
    values : ndarray
        Values at the faces of a position.
    axis : int
        The axis of the array.
    position : str
        The position of the values.
    periodic : bool
        True if the last face is the first one.
    """
    first, last = np.take(values, [0], axis), np.take(values, [-1], axis)
    if not periodic:
        first, last = np.full_like(first, np.nan), np.full_like(last, np.nan)
    start, stop = FACES[position].start, FACES[position].stop
    parts = [last] * (start == 1) + [values] + [first] * (stop == -1)
    return np.concatenate(parts, axis)


def neighbour_means(values: Floats, axis: int, cells: CellAxis, here: str, to: str) -> Floats:
    """Return the means of two neighbours: of centers at faces, or of faces at centers.

    Parameters
    ----------
    values : ndarray
        The values.
    axis : int
        The axis of the array.
    cells : CellAxis
        The axis of the cells.
    here, to : str
        The positions of the values and of the result. Means of one neighbour are missing.
    """
    if here == "center":
        values = with_ends(values, axis, cells.periodic)
    else:
        values = all_faces(values, axis, here, cells.periodic)
    before, after = (slice_along(values, axis, part) for part in (slice(-1), slice(1, None)))
    return slice_along((before + after) / 2, axis, FACES.get(to, slice(None)))


def with_ends(values: Floats, axis: int, periodic: bool) -> Floats:
    """Return values with one more at both ends: those of the other end, or missing ones."""
    first, last = np.take(values, [-1], axis), np.take(values, [0], axis)
    if not periodic:
        first, last = np.full_like(first, np.nan), np.full_like(last, np.nan)
    return np.concatenate([first, values, last], axis)


def slice_along(values: Floats, axis: int, part: slice) -> Floats:
    """Return a part of an array along one axis."""
    return values[(*(slice(None),) * axis, part)]


def check_lengths(obj: XarrayObject, axes: Mapping[Any, CellAxis]) -> None:
    """Refuse dimensions of one position that have different lengths."""
    for axis in axes.values():
        for position, names in axis.dims.items():
            for name in names:
                if name in obj.sizes and obj.sizes[name] != axis.size(position):
                    raise ValueError(
                        f"{str(name)!r} has {obj.sizes[name]} points, but {position!r} of "
                        f"{axis.cells} cells has {axis.size(position)}; select the same cells, or "
                        "give the dimensions by positions="
                    )
