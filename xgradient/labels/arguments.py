"""Arguments of a call: resolve each name once, with its spacing and its period."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from .columns import named_dims, resolve_column, resolve_columns
from .coordinates import CoordRef, resolve_coord, resolve_name
from .hints import MissingNameError

#: Stands for the period of an axis that the call does not mention; None is a wrong period.
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
        The axes that close on themselves, or their periods.
    along : hashable or None
        The dimension along which a coordinate of several dimensions holds positions.
    at_constant : hashable or None
        The coordinate of several dimensions that stays constant.
    """

    metric: Any = None
    spacing: Any = None
    periodic: Any = None
    along: Hashable | None = None
    at_constant: Hashable | None = None


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
    """

    axes: tuple[AxisRequest, ...]
    scalar_dim: bool
    options: GridOptions
    others: tuple[AxisRequest, ...] = ()
    constant: CoordRef | None = None

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
    constant = None
    if options.at_constant is not None:
        constant = _resolve_constant(obj, [] if dim is None else names, options)
        names = [name for name in names if dim is not None or name != constant.dim]
    if not names:
        raise MissingNameError(
            "the data have no dimensions, so there is nothing to differentiate along"
        )
    refs = resolve_columns(obj, names, options.along) if columns and constant is None else {}
    refs = {name: refs.get(name) or resolve_coord(obj, name) for name in names}
    if len(names) > 1:
        _check_named_once(names, refs)
    if options.spacing is None and (options.periodic is None or options.periodic is False):
        axes = tuple([AxisRequest(ref) for ref in refs.values()])
        return GridRequest(axes, scalar_dim, options, constant=constant)
    spacings = _by_coord(obj, refs, spacing_mapping(options.spacing, names, scalar_dim))
    periods = _by_coord(obj, refs, periodic_mapping(options.periodic, names))
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
    return GridRequest(axes, scalar_dim, options, tuple(requests.values()), constant)


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


def _resolve_constant(obj: XarrayObject, names: list[Hashable], options: GridOptions) -> CoordRef:
    """Resolve the coordinate that stays constant; it may not change along a named dimension."""
    dims = named_dims(obj, names)
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
            raise ValueError(
                f"dim names {str(coord)!r} twice, as {first_names[coord]!r} and {name!r}; "
                "name it once"
            )
        first_names[coord] = name


def _check_column_options(name: Hashable, axis: AxisRequest) -> None:
    """Refuse a spacing or a period of a coordinate that has positions in every column."""
    for argument, value in (("spacing", axis.spacing), ("periodic", axis.periodic)):
        if value is not None and value is not False and value is not NOT_GIVEN:
            raise ValueError(
                f"{argument} is given for {str(name)!r}, which has positions of its own in "
                f"every column; leave it out, or give {argument} by name to the others"
            )


def spacing_mapping(
    spacing: Any, names: list[Hashable], scalar_dim: bool
) -> Mapping[Hashable, Any]:
    """Return ``spacing`` by name.

    A number is for all names, a sequence has an entry for each, an array is for one name.
    """
    if spacing is None or isinstance(spacing, Mapping):
        return spacing or {}
    if isinstance(spacing, list | tuple) and not scalar_dim:
        if len(spacing) != len(names):
            raise ValueError(
                f"spacing has {len(spacing)} entries for {len(names)} dimensions; give one for each"
            )
        return dict(zip(names, spacing, strict=True))
    if np.ndim(spacing) and len(names) > 1:
        raise ValueError(
            f"spacing is one array for {len(names)} dimensions; "
            "give a list or mapping with one entry for each"
        )
    return dict.fromkeys(names, spacing)


def periodic_mapping(periodic: Any, names: list[Hashable]) -> Mapping[Hashable, Any]:
    """Return ``periodic`` as a mapping from name to True, False or a period."""
    if periodic is None:
        return {}
    if isinstance(periodic, Mapping):
        return periodic
    if isinstance(periodic, bool | np.bool_):
        return dict.fromkeys(names, True) if periodic else {}
    if isinstance(periodic, str):
        return {periodic: True}
    if isinstance(periodic, Iterable):
        return dict.fromkeys(periodic, True)
    raise TypeError(
        f"periodic is {short_repr(periodic)}; give True, False, names of dimensions, "
        "or a mapping from name to period"
    )


def without_names_of_others(given: Any, obj: XarrayObject, others: Iterable[XarrayObject]) -> Any:
    """Return a spacing or periodic without names that other data have, but not these.

    Parameters
    ----------
    given : None, bool, number, array, name, sequence or mapping
        The option of the call.
    obj : DataArray or Dataset
        The data that the option is for.
    others : iterable of DataArray or Dataset
        The other data of the same call.
    """

    def of_others(name: Hashable) -> bool:
        return not _has_name(obj, name) and any(_has_name(other, name) for other in others)

    if isinstance(given, Mapping):
        return {name: value for name, value in given.items() if not of_others(name)}
    if isinstance(given, str):
        return [] if given != "auto" and of_others(given) else given
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return [name for name in given if not of_others(name)]
    return given


def _has_name(obj: XarrayObject, name: Hashable) -> bool:
    """Return True if data have a coordinate or dimension of a name, or of a CF name."""
    try:
        resolve_name(obj, name)
    except ValueError:
        return False
    return True


def _by_coord(
    obj: XarrayObject, refs: Mapping[Hashable, CoordRef], option: Mapping[Hashable, Any]
) -> dict[Hashable, tuple[CoordRef, Any]]:
    """Return each value of an option with its coordinate, by the name of the coordinate.

    A key that names the dimension of a coordinate of the call refers to this coordinate. One
    mapping may serve several calls, so a key may name a coordinate without a derivative.
    """
    by_name = {ref.name: ref for ref in refs.values()}
    by_dim = {ref.dim: ref for ref in refs.values() if len(ref.dims) == 1}
    values: dict[Hashable, tuple[CoordRef, Any]] = {}
    for key, value in option.items():
        ref = refs.get(key)
        if ref is None:
            name = resolve_name(obj, key)
            coord = obj.coords.variables.get(name)
            if name in by_name:
                ref = by_name[name]
            elif coord is None or coord.ndim in (1, 2):
                ref = resolve_coord(obj, name)
                ref = by_dim.get(ref.dim, ref)
            else:
                continue
        values[ref.name] = ref, value
    return values
