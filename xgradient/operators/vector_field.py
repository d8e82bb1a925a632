"""Vector fields: the component along each dimension, all on one grid."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from ..geometry.boundaries import boundaries_of_field
from ..geometry.build import build_grid
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.lowering import LoweringContext
from ..geometry.named_metrics import resolve_metric
from ..labels.arguments import GridOptions, GridRequest, resolve
from ..labels.attrs import describe_field
from ..labels.named_options import without_names_of_others
from ..labels.pint_units import is_pint_unit
from ..labels.requested_units import RequestedUnits
from ..labels.results import Label, make_label, same_units, to_dataarray
from ..labels.standard_names import direction_of_coord, points_down, sign_along
from ..labels.units import common_units, result_units
from ..stencils.scheme import Scheme
from .components import (
    broadcast_field,
    check_grid,
    check_same_grid,
    components_by_dim,
    right_handed_order,
    same_dims_fields,
)
from .relative import check_relative, rotate_to_axes
from .user_warnings import warn_of_angles, warn_of_directions


@dataclass(frozen=True, eq=False)
class VectorField:
    """The components of a vector field and the grid that they lie on.

    Attributes
    ----------
    fields : list of DataArray
        The components, all with the dimensions of the first in its order.
    context : LoweringContext
        The grid, and how its expressions are lowered for the components.
    respaced_dims : set of hashable
        The dimensions whose spacing replaces the coordinate.
    """

    fields: list[xr.DataArray]
    context: LoweringContext
    respaced_dims: set[Hashable] = field(default_factory=set)

    @property
    def grid(self) -> Grid:
        """Return the grid, whose axis i belongs to component i."""
        return self.context.grid

    @property
    def names(self) -> list[Hashable]:
        """Return the name of each component, or of its axis if it has none."""
        grid_axes = self.grid.axes
        pairs = zip(self.fields, grid_axes, strict=True)
        return [grid_axis.axis.name if f.name is None else f.name for f, grid_axis in pairs]

    @property
    def long_names(self) -> list[str]:
        """Return the long name of each component."""
        return [
            describe_field(f.attrs, n) or "" for f, n in zip(self.fields, self.names, strict=True)
        ]

    @property
    def label(self) -> str:
        """Return the names of the components in parentheses, for messages."""
        return f"({', '.join(str(name) for name in self.names)})"

    @cached_property
    def coords(self) -> list[xr.Variable | None]:
        """Return the coordinate of each axis, of the component that knows most of it.

        A coordinate with the attribute ``positive`` comes first; None if no component has one.
        """
        coords: list[xr.Variable | None] = []
        for grid_axis in self.grid.axes:
            candidates = [f.coords.variables.get(grid_axis.axis.name) for f in self.fields]
            known = [coord for coord in candidates if coord is not None]
            signed = [coord for coord in known if "positive" in coord.attrs]
            coords.append(next(iter(signed or known), None))
        return coords

    @cached_property
    def directions(self) -> list[str | None]:
        """Return the direction "x", "y" or "z" of each axis; None if it is unknown."""
        pairs = zip(self.grid.axes, self.coords, strict=True)
        return [direction_of_coord(grid_axis.axis.name, coord) for grid_axis, coord in pairs]

    @property
    def _signs(self) -> list[int | None]:
        """Return the sign of each component along its coordinate; None if it is unknown."""
        pairs = zip(self.fields, self.coords, strict=True)
        return [sign_along(f.attrs, {} if c is None else c.attrs) for f, c in pairs]

    @cached_property
    def signs(self) -> list[int]:
        """Return 1 for components that point as their coordinate increases, else -1."""
        return [1 if sign is None else sign for sign in self._signs]

    @cached_property
    def axis_signs(self) -> list[int]:
        """Return -1 for axes that increase downwards, else 1; upward axes are right-handed."""
        return [-1 if c is not None and points_down(c.attrs) else 1 for c in self.coords]

    def unit_factors(self, i: int = 0) -> list[float]:
        """Return the factor that converts each component to units of component i."""
        units = [f.attrs.get("units") for f in (self.fields[i], *self.fields)]
        own, *factors = common_units(units, f"the vector {self.label}")[1]
        return [factor / own for factor in factors]

    def jacobian(self, i: int, j: int, orthonormal: bool = False) -> Expression:
        """Return the derivative along axis j of component i, in its units over those of the axis.

        Curved coordinates mix other components into it, which take their signs and are converted.
        Directions are at right angles if that is asked.
        """
        pairs = zip(self.signs, self.unit_factors(i), strict=True)
        weights = [sign * factor for sign, factor in pairs]
        grid = self.grid
        expression = grid.orthonormal_jacobian(i, j) if orthonormal else grid.jacobian(i, j)
        return expression if set(weights) == {1.0} else expression.weighted(weights)

    def warn(self) -> None:
        """Warn where labels contradict the call, or leave a direction or a length open."""
        attrs, dims = [f.attrs for f in self.fields], [s.axis.name for s in self.grid.axes]
        warn_of_directions(attrs, self.names, dims, self.directions, self._signs)
        warn_of_angles(self.fields[0], self.grid, self.respaced_dims)

    def standard_name(
        self, units: str | None, name_of: Callable[..., str | None], *along: str
    ) -> str | None:
        """Return the CF standard name of a derivative by lengths; None if there is none."""
        name = name_of([f.attrs for f in self.fields], self.directions, *along)
        # Derivatives on a globe are by lengths, also where components have no units.
        no_units = all("units" not in f.attrs for f in self.fields)
        on_globe = all(grid_axis.latlon_kind is not None for grid_axis in self.grid.axes)
        by_length = (no_units and on_globe) or same_units(units, "s-1")
        return name if name is not None and by_length else None

    def unit(self, i: int, j: int) -> Any:
        """Return the units of the derivative of component i along axis j; None if unknown."""
        if any(grid_axis.is_curved for grid_axis in self.grid.axes) and any(
            f.attrs.get("units") is None for f in self.fields
        ):
            return None  # terms of other components have unknown units
        return result_units(self.fields[i].attrs.get("units"), self.grid.axes[j].axis.units, 1)

    def units(self, label: str) -> tuple[str | None, list[float]]:
        """Return the units of a divergence, and the factor that converts each of its terms."""
        return common_units([self.unit(i, i) for i in range(len(self.fields))], label)

    def make_label(
        self,
        requested: RequestedUnits | None,
        name: str,
        units: Any,
        words: str,
        standard_name: str | None = None,
    ) -> Label:
        """Make the label of a result, with attributes that the components share."""
        shared = shared_attrs(self.fields)
        return make_label(requested, shared, name, units, words, standard_name)

    def to_dataarray(self, data: Any, label: Label) -> xr.DataArray:
        """Return a result on the grid of the components."""
        return to_dataarray(self.fields[0], data, label)

    def broadcast_like(self, f: xr.DataArray) -> VectorField:
        """Return the vector field with all dimensions of a scalar field too."""
        first = self.fields[0]
        dims = (*first.dims, *(dim for dim in f.dims if dim not in first.dims))
        if dims == first.dims:
            return self
        fields = [broadcast_field(g, dims, [*self.fields, f]).transpose(*dims) for g in self.fields]
        context = replace(self.context, dims=dims, shape=fields[0].shape)
        return replace(self, fields=fields, context=context)

    def check_grid(self, f: xr.DataArray, label: str) -> None:
        """Raise a ValueError for a field on another grid than the components."""
        its, name = f"{label} {str(f.name)!r}", repr(str(self.names[0]))
        multi_dim = [s.axis.name for s in self.grid.axes if len(s.dims) > 1]
        check_grid(self.fields[0], f, name, its, multi_dim)


def collect_vector_field(
    obj: Any,
    components: Any,
    dims: Mapping[Any, Any],
    options: GridOptions,
    scheme: Scheme,
    relative: Any,
    counts: tuple[int, ...] = (1, 2, 3),
    ordered: bool = False,
) -> VectorField:
    """Return the vector field of the arguments of a call.

    Parameters
    ----------
    obj : DataArray, Dataset or None
        Where names are looked up.
    components, dims : mapping
        The component along each dimension, in either of the two.
    options : GridOptions
        The metric, and the spacing and the period of each axis.
    scheme : Scheme
        The derivative.
    relative : "grid", "earth" or None
        What the components are relative to.
    counts : tuple of int
        The numbers of components that the operator takes.
    ordered : bool
        True to put longitude (x), latitude (y) and the vertical in this order.

    Raises
    ------
    TypeError, ValueError
        If a component is missing, not numeric or on another grid than the first.
    """
    check_relative(relative)
    if isinstance(obj, Mapping) and not isinstance(obj, xr.Dataset):
        # The first argument may be left out where no names are looked up.
        obj, dims = None, {**obj, **dims}
    given = components_by_dim(components, dims, counts)
    fields, names = same_dims_fields(obj, given), list(given)
    request = _resolve_for(fields, obj, names, options)
    check_same_grid(fields, request.refs)
    if ordered:
        order = right_handed_order(request.refs)
        if order != sorted(order):
            fields, names = [fields[i] for i in order], [names[i] for i in order]
            request = _resolve_for(fields, obj, names, options)
    first = fields[0]
    grid = build_grid(first, request, scheme, [first])
    if any(is_pint_unit(f.attrs.get("units")) for f in fields):
        for f in fields:
            if f.attrs.get("units") is None:
                raise ValueError(
                    f"component {str(f.name)!r} has no units, but another one is a quantity; make "
                    "it a quantity too, or set its attribute units"
                )
    fields = rotate_to_axes([f.transpose(*first.dims) for f in fields], grid, relative)
    grid, fields = grid.for_fields(fields)
    is_component = tuple(grid_axis.latlon_kind is not None for grid_axis in grid.axes)
    context = LoweringContext(grid, first.dims, first.shape, scheme, is_component)
    if grid.boundaries is not None:
        pairs = zip(fields, names, strict=True)
        context = replace(
            context,
            boundaries=tuple(boundaries_of_field(grid, f, (f.name, name)) for f, name in pairs),
        )
    return VectorField(fields, context, request.respaced_dims)


def _resolve_for(
    fields: list[xr.DataArray], obj: Any, names: list[Hashable], options: GridOptions
) -> GridRequest:
    """Resolve names by the coordinates of the first component, and the metric by all data."""
    first = fields[0]
    # Scale factors and grid mappings may be other variables of the Dataset.
    scalar = [obj] if isinstance(obj, xr.DataArray) else []
    metric = resolve_metric(options.metric, first if obj is None else obj, [*fields, *scalar])
    others = [] if obj is None else [obj]
    spacing, periodic = (
        without_names_of_others(value, first, others)
        for value in (options.spacing, options.periodic)
    )
    options = options._replace(metric=metric, spacing=spacing, periodic=periodic)
    if (given := options.boundaries) is not None:
        boundary, coast = (
            without_names_of_others(value, first, others) for value in (given.boundary, given.coast)
        )
        options = options._replace(boundaries=given._replace(boundary=boundary, coast=coast))
    return resolve(first, names, options, [*fields, *others])


def shared_attrs(fields: list[xr.DataArray]) -> dict[Any, Any]:
    """Return the attributes that all components share, without units."""
    return {
        k: v
        for k, v in fields[0].attrs.items()
        if k != "units" and all(k in f.attrs and _equal_attrs(v, f.attrs[k]) for f in fields[1:])
    }


def _equal_attrs(a: Any, b: Any) -> bool:
    """Return True if two attributes, perhaps arrays, are equal."""
    return type(a) is type(b) and bool(np.array_equal(a, b))
