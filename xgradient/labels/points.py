"""Points of a coordinate that a call asks for, as positions and as a coordinate of results."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._wording import short_repr
from ..stencils.points import Points, PointsOutsideError, locate_points
from ..stencils.tolerance import MAX_STEP_ROUNDING, position_tolerance, relative_rounding
from .angles import turn_of
from .arguments import AxisRequest
from .axis import Axis, GivenPositions, read_coord_or_spacing
from .pint_units import is_quantity, to_cf_text
from .times import to_integer_ticks
from .udunits import read_scaled_units
from .unit_conversion import factor_between
from .units import unit_text

#: Least rounding of points of a uniform axis, in steps.
MIN_ROUNDING = 1e-12
#: Attributes of a coordinate that do not hold for points between its own.
GRID_ATTRS = ("bounds", "climatology", "c_grid_axis_shift", "c_grid_dynamic_range")


class ResultPoints(NamedTuple):
    """Hold the points of results along one axis.

    Attributes
    ----------
    points : Points
        The points, in ascending order of the nodes.
    order : ndarray of int64 or None
        The number of each point of the call among those in ascending order; None if it is its own.
    dim : hashable or None
        Dimension of the results in place of that of the axis; None for a single point.
    coords : mapping from name to Variable
        Coordinates of the results along this dimension.
    """

    points: Points
    order: NDArray[np.int64] | None
    dim: Hashable | None
    coords: Mapping[Hashable, xr.Variable]


def read_points(at: Any, request: AxisRequest, axis: Axis) -> ResultPoints:
    """Read the points that a call asks for.

    Parameters
    ----------
    at : number, 1-D array or DataArray
        Values of the coordinate. A DataArray or a quantity has its own units, and a DataArray the
        dimension and coordinates of results.
    request : AxisRequest
        The coordinate, or the spacing that replaces it.
    axis : Axis
        The axis of the coordinate.

    Raises
    ------
    TypeError, ValueError
        If the points are not numbers or times like those of the coordinate, are missing or
        outside of it, have more than one dimension, or have units that do not convert.
    """
    ref = request.ref._replace(step=None)  # read the first position, too
    known = read_coord_or_spacing(ref, request.spacing)
    coord = ref.coord if request.spacing is None else None
    given, units = _values_and_units(at)
    given = _like_positions(given, np.asarray(known.values), known.label)
    if units is not None:
        given = given * unit_factor(units, axis.units, known.label)
    offsets, rounding = offsets_from_first(np.atleast_1d(given), known, coord, axis)
    try:
        points = locate_points(axis.nodes, offsets, rounding)
    except PointsOutsideError as error:
        raise _outside_error(error.index, np.atleast_1d(given), known) from None
    order = points.order(axis.nodes)
    dim, coords = _result_coords(at, given, request, axis)
    if (np.diff(order) > 0).all():
        return ResultPoints(points, None, dim, coords)
    return ResultPoints(points.take(order), np.argsort(order), dim, coords)


def _values_and_units(at: Any) -> tuple[NDArray[Any], str | None]:
    """Return the values of points, and their units if they have some."""
    units = None
    if isinstance(at, xr.DataArray):
        values, units = np.asarray(at.values), unit_text(at.attrs.get("units"))
    elif is_quantity(at):
        values, units = np.asarray(at.magnitude), to_cf_text(at.units)
    else:
        values = np.asarray(at)
    if values.ndim > 1:
        raise ValueError(
            f"at has {values.ndim} dimensions; give points along one, such as a list of numbers"
        )
    if not values.size:
        raise ValueError("at is empty; give at least one point")
    return values, units


def _like_positions(given: NDArray[Any], known: NDArray[Any], label: str) -> NDArray[Any]:
    """Return points of the kind of the positions: times for times, numbers for numbers."""
    kind = known.dtype.kind
    if kind in "mM" and given.dtype.kind != kind:
        try:
            if given.dtype.kind not in "OUS":
                raise TypeError
            given = given.astype(f"{kind}8" if given.dtype.kind == "O" else known.dtype)
        except (TypeError, ValueError):
            raise TypeError(
                f"at is {short_repr(given.tolist())}; {label} has times, so give times, "
                "such as numpy.datetime64('2000-01-01')"
            ) from None
    elif kind not in "mMO" and given.dtype.kind not in "iuf":
        raise TypeError(
            f"at has dtype {given.dtype}, but {label} has numbers; give numbers in its units"
        )
    missing = given != given
    if np.any(missing):
        i = int(np.argmax(np.atleast_1d(missing)))
        raise ValueError(f"at has a missing value at index {i}; leave it out")
    return given


def unit_factor(units: str, wanted: str | None, label: str) -> float:
    """Return the factor from units of points to those of the coordinate.

    Raises
    ------
    ValueError
        If the units do not convert, or only with an offset, as degrees Celsius to kelvins.
    """
    if wanted is None or units.strip() == wanted.strip() or not units.strip():
        return 1.0
    factor = factor_between(units, wanted)
    if factor is None or "kelvin" in (read_scaled_units(units) or {}):
        raise ValueError(
            f"at is in {units!r}, and {label} in {wanted!r}, which do not convert by a factor; "
            "give points in the units of the coordinate"
        )
    return factor


def offsets_from_first(
    given: NDArray[Any], known: GivenPositions, coord: xr.Variable | None, axis: Axis
) -> tuple[NDArray[np.float64], float]:
    """Return points as positions from the first node on, and how far they may be off by rounding.

    Both are in ticks of the nodes, or in steps of a uniform axis.
    """
    nodes, positions = axis.nodes, np.asarray(known.values)
    zero = positions[:1] if positions.ndim else np.zeros(1, given.dtype)
    rounding = 0.0
    if positions.dtype.kind in "mMO":
        ticks, scale, _ = to_integer_ticks(np.concatenate([zero, given]), known.units, "at")
        offsets = (ticks[1:] - ticks[0]) * (nodes.scale / scale)
    else:
        offsets = given.astype(np.float64) - zero.astype(np.float64)
        largest = float(np.abs(given).max())
        rounding = position_tolerance(positions) if positions.ndim else 0.0
        rounding = max(rounding, 2 * relative_rounding(given) * largest)
    offsets = _within_turn(offsets, coord, axis)
    if nodes.positions is None:
        assert nodes.step is not None
        offsets, rounding = offsets / nodes.step, rounding / abs(nodes.step)
        return offsets, min(max(rounding, MIN_ROUNDING), MAX_STEP_ROUNDING)
    smallest = float(np.abs(np.diff(nodes.positions)).min(initial=np.inf))
    return offsets, min(rounding, MAX_STEP_ROUNDING * smallest)


def _within_turn(
    offsets: NDArray[np.float64], coord: xr.Variable | None, axis: Axis
) -> NDArray[np.float64]:
    """Return angles moved by whole turns towards the axis, if it is one of angles."""
    nodes, turn = axis.nodes, turn_of(axis.name, coord, axis.units)
    if turn is None or nodes.period is not None:
        return offsets
    if nodes.positions is None:
        assert nodes.step is not None
        end, margin = (nodes.n - 1) * nodes.step, abs(nodes.step)
    else:
        end = float(nodes.positions[-1] - nodes.positions[0])
        margin = float(np.abs(np.diff(nodes.positions)).max(initial=0))
    low = min(0.0, end) - margin
    inside = (offsets >= low) & (offsets <= max(0.0, end) + margin)
    moved: NDArray[np.float64] = offsets - turn * np.floor((offsets - low) / turn)
    return np.where(inside, offsets, moved)


def _outside_error(i: int, given: NDArray[Any], known: GivenPositions) -> ValueError:
    """Return the error for a point outside of the axis."""
    values = np.asarray(known.values)
    goes = f", which goes from {values[0]} to {values[-1]}" if values.ndim else ""
    return ValueError(
        f"at has {given[i]} at index {i}, outside of {known.label}{goes}; give points between its "
        "ends, or at most half a step beyond them"
    )


def _result_coords(
    at: Any, given: NDArray[Any], request: AxisRequest, axis: Axis
) -> tuple[Hashable | None, dict[Hashable, xr.Variable]]:
    """Return the dimension of points, and their coordinates."""
    ref = request.ref
    attrs: dict[Any, Any] = {}
    if request.spacing is None and ref.coord is not None:
        attrs = {key: value for key, value in ref.coord.attrs.items() if key not in GRID_ATTRS}
    if not given.ndim:
        return None, {axis.name: xr.Variable((), given, attrs)}
    dim, coords = axis.dim, {}
    if isinstance(at, xr.DataArray):
        dim = at.dims[0]
        coords = {name: coord.variable for name, coord in at.coords.items() if coord.dims == (dim,)}
    return dim, {**coords, axis.name: xr.Variable((dim,), given, attrs)}
