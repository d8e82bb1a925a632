"""Boundary conditions of fields: their values in the units of a field, and the cells beyond."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import xarray as xr

from .._wording import short_repr
from ..engine.chunked import is_dask
from ..engine.ghost_cells import Mirror, Walls
from ..labels.absolute_units import to_units_of
from ..labels.arguments import GridRequest
from ..labels.boundaries import BoundaryRequest
from ..labels.hints import quote_names
from ..labels.pint_units import is_quantity
from ..labels.units import result_units
from ..stencils.boundary import (
    MIRRORED,
    WITH_VALUE,
    Condition,
    Conditions,
    mirror_distances,
    nodes_with_conditions,
)
from ..stencils.coasts import Coast
from ..stencils.nodes import Nodes
from .grid import Grid
from .grid_axis import GridAxis

AnyGrid = TypeVar("AnyGrid", bound=Grid)


class AxisBoundary(NamedTuple):
    """The boundary conditions of one field along one dimension.

    Attributes
    ----------
    conditions : Conditions or None
        The conditions at both ends; a value is a Variable of float64 in units of the field. None
        leaves the ends as they are.
    face : bool
        True for walls and coasts half a step beyond the last points.
    coast_condition : Condition or None
        The condition next to missing values.
    """

    conditions: Conditions | None
    face: bool
    coast_condition: Condition | None = None

    @property
    def coast(self) -> Coast | None:
        """Return the condition next to missing values with its place."""
        condition = self.coast_condition
        return None if condition is None else Coast(condition, self.face)

    def nodes(self, nodes: Nodes) -> Nodes:
        """Return the nodes of an axis with these ends."""
        if self.conditions is None:
            return nodes
        return nodes_with_conditions(nodes, self.conditions.kinds, self.face)

    def of_derivative(self, dim: Hashable) -> AxisBoundary:
        """Return the conditions of the derivative of the field along another dimension.

        Raises
        ------
        ValueError
            If a condition has an array, which would have to be differentiated too.
        """

        def differentiate(condition: Condition) -> Condition:
            if np.ndim(condition.value):
                raise ValueError(
                    f"boundary of {str(dim)!r} has an array as {condition.kind}, which a mixed "
                    "derivative would differentiate; give a number"
                )
            return Condition({"value": "odd", "slope": "even"}.get(condition.kind, condition.kind))

        ends, coast = self.conditions, self.coast_condition
        return self._replace(
            conditions=None if ends is None else Conditions(*map(differentiate, ends)),
            coast_condition=None if coast is None else differentiate(coast),
        )

    def walls(
        self, nodes: Nodes, axis: int, cells: int, to_array: Callable[[xr.Variable], Any]
    ) -> Walls | None:
        """Return how a field continues beyond the ends of an axis; None if it does not.

        Parameters
        ----------
        nodes : Nodes
            The nodes with these ends.
        axis : int
            The axis of the field.
        cells : int
            Largest number of cells that a stencil needs beyond an end.
        to_array : callable
            Broadcasts a Variable against the field.
        """
        assert self.conditions is not None
        conditions = self.conditions

        def mirror(end: int) -> Mirror | None:
            kind, value = conditions[end]
            on_wall = nodes.on_fold[end]
            if kind not in MIRRORED:
                return None
            if kind == "value":
                return Mirror(on_wall, -1, 2 * to_array(value))
            if kind == "slope":
                slope = to_array(value)
                distances = mirror_distances(nodes, end, min(cells, nodes.n - on_wall))
                along = distances.reshape(-1, *(1,) * (slope.ndim - axis - 1))
                return Mirror(on_wall, 1, slope * along)
            return Mirror(on_wall, {"extend": 0, "even": 1, "odd": -1}[kind])

        ends = mirror(0), mirror(1)
        return Walls(ends) if any(ends) else None


def with_boundaries(grid: AnyGrid, request: GridRequest) -> AnyGrid:
    """Return a grid with the boundary conditions of a call.

    Raises
    ------
    ValueError
        If an axis cannot have one.
    """
    boundaries = request.boundaries
    assert boundaries is not None
    if request.constant is not None:
        raise ValueError(
            "boundary and coast are not for derivatives at constant values of another coordinate; "
            "leave them or at_constant out"
        )
    for grid_axis in grid.axes:
        dims = [dim for dim in grid_axis.dims if dim in boundaries.dims]
        if not dims:
            continue
        if not isinstance(grid_axis, GridAxis):
            raise ValueError(
                f"boundary or coast names {str(dims[0])!r}, along which "
                f"{str(grid_axis.axis.name)!r} has positions in {len(grid_axis.dims)} dimensions; "
                "both are for coordinates of one; leave them out, or give positions along one "
                "dimension by spacing="
            )
    poles = grid.polar_closure
    if poles is not None and any(poles.pole_signs) and poles.lat.dim in boundaries.entries:
        name = str(poles.lat.name)
        raise ValueError(
            f"boundary names {name!r}, which has a row on a pole, where no boundary is; drop this "
            f"row, e.g. with .isel, or leave {name!r} out of boundary"
        )
    return replace(grid, boundaries=boundaries)


def boundaries_of_field(
    grid: Grid, field: xr.DataArray, names: Collection[Hashable]
) -> Mapping[Hashable, AxisBoundary]:
    """Return the boundary conditions of a field by dimension.

    Parameters
    ----------
    grid : Grid
        The grid, with the conditions of the call.
    field : DataArray
        The field.
    names : collection of hashable
        Names under which a condition may be given for this field alone.

    Raises
    ------
    TypeError, ValueError
        If a value at a boundary does not fit the field.
    """
    request: BoundaryRequest | None = grid.boundaries
    if request is None:
        return {}
    boundaries = {}
    for grid_axis in grid.axes:
        if not isinstance(grid_axis, GridAxis) or grid_axis.dim not in field.dims:
            continue
        conditions = request.conditions(grid_axis.dim, names)
        coast = request.coast(grid_axis.dim, names)
        if conditions is not None and "periodic" in conditions.kinds:
            conditions = None
        if conditions is not None:
            conditions = Conditions(*(_in_units(c, field, grid_axis) for c in conditions))
        if conditions is not None or coast is not None:
            boundaries[grid_axis.dim] = AxisBoundary(conditions, request.face, coast)
    return boundaries


def _in_units(condition: Condition, field: xr.DataArray, grid_axis: GridAxis) -> Condition:
    """Return a condition with its value in units of the field."""
    kind, value = condition
    if kind not in WITH_VALUE:
        return condition
    return Condition(kind, _value(kind, value, field, grid_axis))


def _value(kind: str, value: Any, field: xr.DataArray, grid_axis: GridAxis) -> xr.Variable:
    """Return the value at a boundary as a Variable in units of the field, or of its slope."""
    dims = tuple(dim for dim in field.dims if dim != grid_axis.dim)
    label = f"the {kind} in boundary of {str(grid_axis.dim)!r}"
    given, units = _as_variable(value, dims)
    if is_dask(given._data):
        raise ValueError(f"{label} is lazy; give values in memory, e.g. by .compute()")
    if strange := [dim for dim in given.dims if dim not in dims]:
        raise ValueError(
            f"{label} has the dimension {str(strange[0])!r}; give a number, or an array along "
            f"{quote_names(dims)}"
        )
    values = given.to_numpy()
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{label} is {short_repr(value)}; give a real number or an array of them")
    shape = tuple(field.sizes[dim] for dim in given.dims)
    if values.shape != shape:
        raise ValueError(
            f"{label} has the shape {values.shape}, but the field has {shape} along "
            f"{quote_names(given.dims)}; give a number, or one for each of these points"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{label} is missing or infinite at some points; give finite numbers")
    if isinstance(value, xr.DataArray):
        _check_coords(value, field, label)
    if units is not None:
        values = _convert(kind, values, units, field, grid_axis, label)
    return xr.Variable(given.dims, np.asarray(values, dtype=np.float64))


def _as_variable(value: Any, dims: tuple[Hashable, ...]) -> tuple[xr.Variable, Any]:
    """Return a value as a Variable, with its units or None; a plain array has all dimensions."""
    if isinstance(value, xr.DataArray):
        value = value.variable
    if isinstance(value, xr.Variable):
        return value, value.attrs.get("units")
    units, data = (value.units, value.magnitude) if is_quantity(value) else (None, value)
    n = np.ndim(data)
    names = dims if n == len(dims) else tuple(f"dimension {d}" for d in range(n))
    return xr.Variable(names if n else (), data), units


def _check_coords(value: xr.DataArray, field: xr.DataArray, label: str) -> None:
    """Refuse an array whose coordinates differ from those of the field."""
    for dim in value.dims:
        a, b = value.coords.variables.get(dim), field.coords.variables.get(dim)
        if a is not None and b is not None and not a.equals(b):
            raise ValueError(
                f"{label} and the field have different values of the coordinate {str(dim)!r}; "
                "bring them to one grid, e.g. with .interp_like"
            )


def _convert(
    kind: str, values: Any, units: Any, field: xr.DataArray, grid_axis: GridAxis, label: str
) -> Any:
    """Return values with units as numbers in units of the field, or of its slope."""
    wanted = field.attrs.get("units")
    if kind == "slope":
        if not isinstance(grid_axis.inverse_scale, float) or grid_axis.inverse_scale != 1:
            raise ValueError(
                f"{label} has units, but the metric gives lengths to {str(grid_axis.axis.name)!r}; "
                "give numbers per unit of the coordinate"
            )
        wanted = result_units(wanted, grid_axis.axis.units, 1)
    converted = to_units_of(values, units, wanted, is_difference=kind == "slope")
    if converted is None:
        raise ValueError(
            f"{label} has the units {str(units)!r}, which cannot be converted to {str(wanted)!r}; "
            "give it in units of the field" + " per unit of the coordinate" * (kind == "slope")
        )
    return converted
