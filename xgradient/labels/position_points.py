"""Points of results at another position: a coordinate of the data, bounds or middles."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from ..stencils.nodes import Nodes
from ..stencils.points import PointsOutsideError, points_between
from .angles import unwrap_axis
from .arguments import AxisRequest
from .axis import Axis, read_coord_or_spacing
from .coordinates import decoded_coord
from .points import GRID_ATTRS, ResultPoints, offsets_from_first, unit_factor
from .positions import Target
from .units import unit_text


def points_at_position(
    obj: XarrayObject, target: Target, request: AxisRequest, axis: Axis
) -> ResultPoints:
    """Return the points of results at another position of an axis.

    They are the coordinate that the data have there, else the bounds of the cells, else the
    middles of the grid points.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data.
    target : Target
        Where the results are.
    request : AxisRequest
        The coordinate of the data, or the spacing that replaces it.
    axis : Axis
        The axis of the coordinate.

    Raises
    ------
    ValueError
        If a coordinate or bounds are not between the grid points, or have units that do not
        convert.
    """
    ref, nodes = request.ref._replace(step=None), axis.nodes
    first = -1 if target.before_first else 0
    known, name = None, ""
    has_coord = request.spacing is None and ref.coord is not None
    if has_coord:
        name, known = _known_positions(obj, target, ref.coord, ref.name)
    if known is None:
        points, coords = points_between(nodes, first, target.size, None, 0.0), {}
        if has_coord and (ref.name != ref.dim or target.dim not in obj.coords):
            values = _middles(ref.coord, ref.name, axis, points.nodes)
            coords = _coord(target, ref.name, ref.dim, values, ref.coord)
        return ResultPoints(points, None, target.dim, coords)
    given = known.values
    units = unit_text(known.attrs.get("units"))
    if units is not None and given.dtype.kind not in "mMO":
        given = given * unit_factor(units, axis.units, f"coordinate {str(ref.name)!r}")
    positions = read_coord_or_spacing(ref, None)
    offsets, rounding = offsets_from_first(given, positions, ref.coord, axis)
    try:
        points = points_between(nodes, first, target.size, offsets, rounding)
    except PointsOutsideError as error:
        raise ValueError(
            f"{name} has {given[error.index]} at index {error.index}, which is not between the "
            f"grid points of {str(ref.name)!r} there; drop it, e.g. with .drop_vars"
        ) from None
    coords = (
        {} if name.startswith("coordinate") else _coord(target, ref.name, ref.dim, given, ref.coord)
    )
    return ResultPoints(points, None, target.dim, coords)


def _known_positions(
    obj: XarrayObject, target: Target, coord: Any, name: Hashable
) -> tuple[str, xr.Variable | None]:
    """Return the coordinate of results, in words and as values, if the data have it."""
    other = obj.coords.variables.get(target.dim) if name in obj.dims else None
    if other is not None and other.dims == (target.dim,):
        other = decoded_coord(target.dim, other)
        times, numbers = "mMO", "iuf"
        kinds = times if coord.dtype.kind in times else numbers
        counts = counts_points(coord.values) and counts_points(other.values)
        if other.dtype.kind in kinds and not counts:
            return f"coordinate {str(target.dim)!r}", other
        return "", None
    bounds = bounds_of(obj, coord) if target.to_faces else None
    if bounds is not None:
        faces = _faces(bounds, coord, target)
        if faces is not None:
            name = coord.attrs.get("bounds", coord.encoding.get("bounds"))
            return f"the bounds {str(name)!r}", faces
    return "", None


def counts_points(values: NDArray[Any]) -> bool:
    """Return True for whole numbers one after the other, which count points."""
    return values.dtype.kind in "iu" and bool((np.diff(values.astype(np.int64)) == 1).all())


def _faces(bounds: xr.Variable, coord: xr.Variable, target: Target) -> xr.Variable | None:
    """Return the faces of cells by their bounds; None where cells do not touch each other."""
    faces = faces_of_bounds(bounds, coord)
    if faces is None:
        return None
    start = 0 if target.before_first else 1
    attrs = {"units": coord.attrs["units"]} if "units" in coord.attrs else {}
    return xr.Variable(target.dim, faces[start : start + target.size], attrs)


def bounds_of(obj: XarrayObject, coord: xr.Variable) -> xr.Variable | None:
    """Return the bounds of a coordinate, if the data have them."""
    bounds = coord.attrs.get("bounds", coord.encoding.get("bounds"))
    variables = obj.variables if isinstance(obj, xr.Dataset) else obj.coords.variables
    return variables.get(bounds)


def faces_of_bounds(bounds: xr.Variable, coord: xr.Variable) -> NDArray[Any] | None:
    """Return all faces of N cells by their bounds; None where cells do not touch each other."""
    n = coord.size
    if bounds.dims[:1] != coord.dims or bounds.shape != (n, 2):
        return None
    values, positions = bounds.values, coord.values
    increasing = positions[-1] > positions[0]
    if bool(values[0, 1] > values[0, 0]) != bool(increasing):
        values = values[:, ::-1]
    if not np.array_equal(values[1:, 0], values[:-1, 1]):
        return None
    return np.concatenate([values[:, 0], values[-1:, 1]])


def _middles(coord: Any, name: Hashable, axis: Axis, before: NDArray[np.int64]) -> NDArray[Any]:
    """Return the middle of each node and the next one, as values of the coordinate."""
    values = np.asarray(coord.values)
    values = unwrap_axis(name, coord, values, axis.units, False)
    steps = np.diff(values)
    ends = steps[:1], steps[-1:]
    if axis.nodes.period is not None:
        seam = _seam_step(axis.nodes, values)
        ends = seam, seam
    steps = np.concatenate([ends[0], steps, ends[1]])[before + 1]
    origin = np.where(before < 0, before + 1, before)
    sides = np.where(before < 0, -1, 1)
    return np.asarray(values[origin] + sides * (steps / 2))


def _seam_step(nodes: Nodes, values: NDArray[Any]) -> NDArray[Any]:
    """Return the step from the last node of a periodic axis to the first one."""
    if nodes.positions is None:
        return np.diff(values)[:1]
    assert nodes.period is not None
    ticks = nodes.period - (nodes.positions[-1] - nodes.positions[0])
    if values.dtype.kind in "mM":
        return np.array([ticks]).astype(np.diff(values).dtype)
    return np.array([ticks])


def _coord(
    target: Target, name: Hashable, dim: Hashable, values: Any, coord: Any
) -> dict[Hashable, xr.Variable]:
    """Return the coordinate of results, with the attributes of that of the data."""
    attrs = {key: value for key, value in coord.attrs.items() if key not in GRID_ATTRS}
    return {target.dim if name == dim else name: xr.Variable((target.dim,), values, attrs)}
