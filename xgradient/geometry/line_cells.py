"""Cells of one axis: the positions of their centers and faces, and the lengths between these."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..labels.coordinates import decoded_coord
from ..labels.hints import quote_names
from ..labels.position_points import bounds_of, counts_points, faces_of_bounds
from ..labels.times import to_integer_ticks
from ..labels.unit_conversion import factor_between
from ..labels.units import unit_text
from .cell_axes import FACES, CellAxis

Floats = NDArray[np.float64]


#: Distance of the last latitude to a pole, in steps, up to which its cell ends there. Gaussian
#: latitudes have 0.77.
NEAR_POLE = 0.8


class Segments(NamedTuple):
    """Hold points of an axis, with the ends of the segment that belongs to each.

    Attributes
    ----------
    points, before, after : ndarray
        The points, and the ends of their segments in the direction of the index.
    """

    points: Floats
    before: Floats
    after: Floats

    @property
    def lengths(self) -> Floats:
        """Return the lengths of the segments."""
        return np.abs(self.after - self.before)


class LineCells(NamedTuple):
    """Hold the cells of one axis.

    Attributes
    ----------
    centers : ndarray, shape (n,)
        Positions of the centers.
    faces : ndarray, shape (n + 1,)
        Positions of the faces, which increase or decrease as the centers do.
    period : float or None
        Signed length after which the axis repeats.
    units : str or None
        Units of the positions: "s" for times, None if unknown.
    """

    centers: Floats
    faces: Floats
    period: float | None
    units: str | None

    def segments(self, position: str, *, whole: bool = False) -> Segments:
        """Return the points of a position with their segments.

        A center has the segment between its faces, and a face that between two centers. The faces
        at both ends of the axis have half of it, so that segments fill the axis; if ``whole``,
        they have twice this half.
        """
        if position == "center":
            return Segments(self.centers, self.faces[:-1], self.faces[1:])
        first, last = self.faces[:1], self.faces[-1:]
        if whole:
            first, last = 2 * first - self.centers[:1], 2 * last - self.centers[-1:]
        if self.period is not None:
            first, last = self.centers[-1:] - self.period, self.centers[:1] + self.period
        ends = np.concatenate([first, self.centers, last])
        return Segments(*(v[FACES[position]] for v in (self.faces, ends[:-1], ends[1:])))


def read_line_cells(
    obj: XarrayObject,
    axis: CellAxis,
    coords: dict[str, xr.Variable],
    period: float | None = None,
) -> LineCells:
    """Read the cells of an axis from its coordinates.

    Faces are the coordinate that the data have there, else the bounds of the centers, else in the
    middle of two centers. Without a coordinate, centers are the numbers from 0.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, which may have bounds.
    axis : CellAxis
        The axis.
    coords : dict from position to Variable
        Coordinates along the axis, of numbers or times.
    period : float, optional
        Length after which the axis repeats, in units of the coordinate.

    Raises
    ------
    ValueError
        If positions of centers and of faces do not alternate.
    """
    coords = _without_counts(coords)
    center = coords.pop("center", None)
    faces = next(iter(coords), None)
    if center is None and faces is None:
        numbers = np.arange(axis.cells + 1, dtype=np.float64)
        return LineCells(numbers[:-1], numbers - 0.5, axis.cells if axis.periodic else None, "1")
    first = coords[str(faces)] if center is None else center
    values, units = _numbers(first, first)
    sign = 1.0 if len(values) < 2 or values[-1] > values[0] else -1.0
    period = None if period is None else sign * abs(period)
    if axis.periodic and period is None:
        period = len(values) * (values[-1] - values[0]) / max(1, len(values) - 1)
    if center is None:
        assert faces is not None
        every = _all_faces(values, faces, period)
        cells = LineCells((every[1:] + every[:-1]) / 2, every, period, units)
    else:
        given = None
        if faces is not None:
            given = _all_faces(_numbers(coords[faces], center)[0], faces, period, values)
        elif (bounds := bounds_of(obj, center)) is not None:
            given = faces_of_bounds(bounds, center)
            if given is not None:
                given = _numbers(xr.Variable("faces", given, center.attrs), center)[0]
        cells = LineCells(values, _middles(values, period) if given is None else given,
                          period, units)  # fmt: skip
    _check_order(cells, axis)
    return cells


def coords_along(obj: XarrayObject, axis: CellAxis) -> dict[str, xr.Variable]:
    """Return the coordinate of each position of an axis, by the names of its dimensions."""
    found = {}
    for position, names in axis.dims.items():
        for name in names:
            coord = obj.coords.variables.get(name)
            if coord is not None and coord.dims == (name,) and position not in found:
                found[position] = decoded_coord(name, coord)
    return found


def _without_counts(coords: dict[str, xr.Variable]) -> dict[str, xr.Variable]:
    """Return coordinates without those that only count points, if several do."""
    counting = [position for position, c in coords.items() if counts_points(c.values)]
    if len(counting) < 2:
        return dict(coords)
    return {p: c for p, c in coords.items() if p not in counting}


def _numbers(coord: xr.Variable, first: xr.Variable) -> tuple[Floats, str | None]:
    """Return positions as numbers in units of another coordinate; dates from its first one."""
    values, origin = np.asarray(coord.values), np.asarray(first.values)
    units = unit_text(first.attrs.get("units"))
    if values.dtype.kind in "mMO":
        if values.dtype.kind != "m":
            values = values - origin[0]
        ticks, scale, _ = to_integer_ticks(values, units, "coordinate")
        return ticks / scale, "s"
    own = unit_text(coord.attrs.get("units"))
    factor = 1.0 if own is None or units is None else factor_between(own, units)
    return values.astype(np.float64) * (1.0 if factor is None else factor), units


def _middles(centers: Floats, period: float | None) -> Floats:
    """Return the faces in the middle of two centers, and half a step beyond the ends."""
    if period is not None:
        centers = np.concatenate([centers[-1:] - period, centers, centers[:1] + period])
        return (centers[1:] + centers[:-1]) / 2
    if len(centers) == 1:
        return np.array([centers[0] - 0.5, centers[0] + 0.5])
    inner = (centers[1:] + centers[:-1]) / 2
    return np.concatenate([[2 * centers[0] - inner[0]], inner, [2 * centers[-1] - inner[-1]]])


def _all_faces(
    faces: Floats, position: str, period: float | None, centers: Floats | None = None
) -> Floats:
    """Return all N + 1 faces by those that the data have.

    A missing face is as far from its center as the other one, or a step from the next.
    """
    part = FACES[position]
    if period is not None:
        ends = faces[-1:] - period, faces[:1] + period
    elif centers is not None:
        ends = 2 * centers[:1] - faces[:1], 2 * centers[-1:] - faces[-1:]
    else:
        ends = 2 * faces[:1] - faces[1:2], 2 * faces[-1:] - faces[-2:-1]
    return np.concatenate([
        *([ends[0]] if part.start == 1 else []), faces, *([ends[1]] if part.stop == -1 else []),
    ])  # fmt: skip


def _check_order(cells: LineCells, axis: CellAxis) -> None:
    """Refuse centers that are not between their faces, and missing positions."""
    every = np.empty(2 * len(cells.centers) + 1)
    if len(cells.faces) == len(cells.centers) + 1:
        every[::2], every[1::2] = cells.faces, cells.centers
        steps = np.diff(every)
        if (steps > 0).all() or (steps < 0).all():
            return
    raise ValueError(
        f"positions of centers and faces along {quote_names(axis.names)} do not alternate; "
        "correct the coordinates, or drop one of them, e.g. with .drop_vars"
    )


def to_radians(
    cells: LineCells, factor: float, pole: float | None, known: tuple[bool, bool] = (True, True)
) -> LineCells:
    """Return cells in radians; faces beyond a pole are at the pole.

    Parameters
    ----------
    cells : LineCells
        The cells, in other units of angles.
    factor : float
        Radians in one unit.
    pole : float, optional
        The latitude of the pole, for latitudes.
    known : tuple of bool
        False for an end whose last face is not known. It is the pole if that is near.
    """
    centers, faces = cells.centers * factor, cells.faces * factor
    if pole is not None:
        faces = np.clip(faces, -pole, pole)
        for end, following, is_known in zip((0, -1), (1, -2), known, strict=True):
            if not is_known and len(centers) > 1:
                step = centers[end] - centers[following]
                limit = np.copysign(pole, step)
                if abs(limit - centers[end]) <= NEAR_POLE * abs(step):
                    faces[end] = limit
    period = None if cells.period is None else cells.period * factor
    return LineCells(centers, faces, period, "radian")


def as_variable(dim: Hashable, values: Floats, units: Any = None) -> xr.Variable:
    """Return values along one dimension."""
    return xr.Variable((dim,), values, {} if units is None else {"units": units})
