"""Arguments of a call: resolve each name once, with its spacing and its period."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .boundaries import (
    BoundaryOptions,
    BoundaryRequest,
    field_names,
    periods_of_boundaries,
    request_boundaries,
)
from .columns import dims_of, resolve_column, resolve_columns
from .coordinates import CoordRef, coord_ref, resolve_name
from .hints import MissingNameError
from .named_options import by_coord, periodic_mapping, spacing_mapping

#: The period of an axis that the call does not mention; None is a wrong period.
NOT_GIVEN: Any = object()


class GridOptions(NamedTuple):
    """Hold the options of a call that decide its grid, as the user gives them.

    Attributes
    ----------
    metric : None, str, number, Sphere, Ellipsoid, mapping or object of pyproj
        Lengths for coordinates.
    spacing : None, number, 1-D array, sequence or mapping
        Steps or node positions instead of coordinates.
    periodic : None, bool, name, sequence of names or mapping
        The periodic axes, or their periods.
    along : hashable or None
        The dimension along which a coordinate of several dimensions holds positions.
    at_constant : hashable or None
        The coordinate of several dimensions that stays constant.
    boundaries : BoundaryOptions or None
        The conditions at the ends of axes.
    """

    metric: Any = None
    spacing: Any = None
    periodic: Any = None
    along: Hashable | None = None
    at_constant: Hashable | None = None
    boundaries: BoundaryOptions | None = None


class AxisRequest(NamedTuple):
    """Hold one coordinate of a call with the options given for it.

    Attributes
    ----------
    ref : CoordRef
        The dimension and the coordinate.
    spacing : None, number, 1-D array or DataArray
        A step or node positions instead of the coordinate; None to use the coordinate.
    periodic : bool, number or timedelta
        Whether the axis is periodic, or its period; NOT_GIVEN where the call does not say.
    """

    ref: CoordRef
    spacing: Any = None
    periodic: Any = NOT_GIVEN

    @property
    def is_column(self) -> bool:
        """Return whether positions differ from column to column along one dimension."""
        return self.ref.dim is not None and len(self.ref.dims) > 1


class GridRequest(NamedTuple):
    """Hold the coordinates of a call, resolved.

    Attributes
    ----------
    axes : tuple of AxisRequest
        The coordinates to differentiate along, in the order of the call.
    scalar_dim : bool
        Whether the call has one name that is not in a list.
    options : GridOptions
        The options as given.
    others : tuple of AxisRequest
        Coordinates that only ``spacing`` or ``periodic`` name.
    constant : CoordRef or None
        The coordinate that stays constant, with the dimension that it goes along.
    boundaries : BoundaryRequest or None
        The conditions at the ends of dimensions.
    """

    axes: tuple[AxisRequest, ...]
    scalar_dim: bool
    options: GridOptions
    others: tuple[AxisRequest, ...] = ()
    constant: CoordRef | None = None
    boundaries: BoundaryRequest | None = None

    @property
    def refs(self) -> list[CoordRef]:
        """Return the coordinates to differentiate along."""
        return [axis.ref for axis in self.axes]

    @property
    def respaced_dims(self) -> set[Hashable]:
        """Return the dimensions whose spacing replaces the coordinate."""
        return {axis.ref.dim for axis in self.axes if axis.spacing is not None}

    def with_attrs(self, obj: XarrayObject) -> GridRequest:
        """Return the request with coordinates that have the attributes of those of an object."""

        def update(axis: AxisRequest) -> AxisRequest:
            ref, given = axis.ref, obj.coords.variables.get(axis.ref.name)
            if ref.coord is None or given is None or ref.coord.attrs == given.attrs:
                return axis
            coord = ref.coord.copy(deep=False)
            coord.attrs = given.attrs
            return axis._replace(ref=ref._replace(coord=coord))

        axes, others = (tuple(map(update, group)) for group in (self.axes, self.others))
        return self._replace(axes=axes, others=others)

    def periodic_of(self, ref: CoordRef) -> Any:
        """Return what the call says of the period of any coordinate; None for nothing."""
        for axis in (*self.axes, *self.others):
            if axis.ref.name == ref.name and axis.periodic is not NOT_GIVEN:
                return axis.periodic
        return False if self.options.periodic is False else None


def resolve(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    options: GridOptions,
    fields: list[xr.DataArray],
    columns: bool = False,
) -> GridRequest:
    """Resolve the names of a call, and align its options with them.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data whose coordinates the names refer to.
    dim : hashable, iterable of hashable or None
        The names; None for all dimensions of the fields.
    options : GridOptions
        The options.
    fields : list of DataArray
        The fields to differentiate.
    columns : bool
        Whether a coordinate of several dimensions may hold positions along one of them.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, empty or repeated, or an option does not fit the names.
    """
    names, scalar_dim = _dim_names(obj, dim, fields)
    resolved = {name: resolve_name(obj, name) for name in names}
    constant = None
    if options.at_constant is not None:
        constant = _resolve_constant(obj, {} if dim is None else resolved, options)
        names = [name for name in names if dim is not None or name != constant.dim]
    if not names:
        raise MissingNameError(
            "the data have no dimensions, so there is nothing to differentiate along"
        )
    refs = resolve_columns(obj, resolved, options.along) if columns and constant is None else {}
    refs = {name: refs.get(name) or coord_ref(obj, resolved[name]) for name in names}
    if len(names) > 1:
        _check_named_once(names, refs)
    periodic, boundaries = options.periodic, options.boundaries
    if options.spacing is None and (periodic is None or periodic is False) and boundaries is None:
        axes = tuple([AxisRequest(ref) for ref in refs.values()])
        return GridRequest(axes, scalar_dim, options, constant=constant)
    spacings = by_coord(obj, refs, spacing_mapping(options.spacing, names, scalar_dim))
    periods = by_coord(obj, refs, periodic_mapping(periodic, names))
    requested = None
    if boundaries is not None:
        entries = by_coord(obj, refs, boundaries.entries(names))
        periods |= periods_of_boundaries(entries, periods)
        known = {*field_names([obj, *fields]), *names, *(ref.name for ref in refs.values())}
        coasts = by_coord(obj, refs, boundaries.coasts(names))
        requested = request_boundaries(entries, coasts, boundaries.face, known)
    given = {ref.name: ref for ref, _ in (*spacings.values(), *periods.values())}
    requests = {
        name: AxisRequest(
            ref, spacings.get(name, (ref, None))[1], periods.get(name, (ref, NOT_GIVEN))[1]
        )
        for name, ref in ({ref.name: ref for ref in refs.values()} | given).items()
    }
    axes = tuple(requests.pop(ref.name) for ref in refs.values())
    for name, axis in zip(refs, axes, strict=True):
        if axis.is_column:
            _check_column_options(name, axis)
    return GridRequest(axes, scalar_dim, options, tuple(requests.values()), constant, requested)


def _dim_names(
    obj: XarrayObject, dim: Hashable | Iterable[Hashable] | None, fields: list[xr.DataArray]
) -> tuple[list[Hashable], bool]:
    """Return the names in ``dim``, and whether it is one name that is not in a list."""
    if dim is None:
        return [d for d in obj.dims if any(d in field.dims for field in fields)], False
    if isinstance(dim, str) or not isinstance(dim, Iterable):
        return [dim], True
    if isinstance(dim, tuple) and (dim in obj.dims or dim in obj.coords):
        return [dim], True
    names: list[Any] = [dim] if isinstance(dim, xr.DataArray | xr.Variable) else list(dim)
    if not names:
        raise ValueError("dim is an empty list; name a dimension or leave it out for all")
    for name in names:
        if not isinstance(name, Hashable):
            raise TypeError(
                f"dim has a {type(name).__name__} in it; give the name of a dimension or coordinate"
            )
    return names, False


def _resolve_constant(
    obj: XarrayObject, resolved: Mapping[Hashable, Hashable], options: GridOptions
) -> CoordRef:
    """Resolve the coordinate that stays constant; it may not change along a named dimension."""
    dims = dims_of(obj, resolved.values())
    assert options.at_constant is not None
    constant = resolve_column(obj, options.at_constant, options.along, dims)
    if constant.dim in dims:
        raise ValueError(
            f"at_constant is {options.at_constant!r}, which changes along {str(constant.dim)!r}, "
            "but dim names this too; name the other dimensions only"
        )
    return constant


def _check_named_once(names: list[Hashable], refs: Mapping[Hashable, CoordRef]) -> None:
    """Refuse two names of one coordinate."""
    first_names: dict[Hashable, Hashable] = {}
    for name in names:
        coord = refs[name].name
        if coord in first_names:
            first = first_names[coord]
            names_given = "" if first == name else f", as {first!r} and {name!r}"
            raise ValueError(f"dim names {str(coord)!r} twice{names_given}; name it once")
        first_names[coord] = name


def _check_column_options(name: Hashable, axis: AxisRequest) -> None:
    """Refuse a spacing or a period of a coordinate that has positions in every column."""
    for argument, value in (("spacing", axis.spacing), ("periodic", axis.periodic)):
        if value is not None and value is not False and value is not NOT_GIVEN:
            raise ValueError(
                f"{argument} is given for {str(name)!r}, whose positions differ by column; "
                f"leave it out, or give {argument} by name to the others"
            )
