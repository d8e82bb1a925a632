"""The arguments of a call: which axes, each with its own spacing, period and metric."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from .axes import (
    Axis,
    Place,
    XarrayObject,
    check_units,
    find_coord,
    find_name,
    horizontal,
    make_axis,
)
from .chunks import derivatives
from .frames import AnyFrame, Column, Side, flat_frame, frame_with_factors
from .globe import frame_on_globe
from .grids import find_grid, spoken
from .hints import of_stacked
from .metrics import Factors, Globe, resolve_metric
from .nodes import OrderError
from .stencils import Order
from .surfaces import Surface
from .track import along_tracks, check_arguments, find_track, out_of_order, two_along
from .wording import in_one_line

__all__ = ["axes_of_call", "frame_of_call", "names_of_call", "steps_of_call"]

#: The names of a call, and what each stands for.
Found = dict[Hashable, Place]


def axes_of_call(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    spacing: Any,
    periodic: Any,
    among: list[xr.DataArray],
) -> tuple[list[Axis], bool]:
    """The axes to differentiate along, and whether one name was given by itself.

    Parameters
    ----------
    obj : DataArray or Dataset
        What is to be differentiated.
    dim, spacing, periodic
        As `xgradient.grad` takes them.
    among : list of DataArray
        The fields; of all dimensions, only those that one of them has are meant.

    Raises
    ------
    TypeError, ValueError
        If a name or value does not fit: one sentence with what was found.
    """
    found, alone = _places(obj, dim, among)
    return _axes(obj, found, alone, spacing, periodic), alone


def _axes(obj: XarrayObject, found: Found, alone: bool, spacing: Any, periodic: Any) -> list[Axis]:
    for place in found.values():
        if len(place.dims) > 1:
            raise ValueError(
                f"{spoken(place)}, but scale factors and mixed derivatives belong to single "
                "dimensions; name these, or give metric='sphere', or call .hessian"
            )
    spacings, periods = _by_place(obj, found, alone, spacing, periodic)
    return [
        _axis(obj, place, spacings.get(name), periods.get(name, False))
        for name, place in found.items()
    ]


def _axis(obj: XarrayObject, place: Place, spacing: Any, period: Any) -> Axis:
    """The axis of one name, or an error with the mend for what its coordinate is."""
    try:
        return make_axis(place, obj.sizes[place.dim], spacing, period)
    except OrderError as error:
        raise out_of_order(obj, [place], error) from None
    except TypeError:
        if mend := of_stacked(obj, place.dim):
            raise TypeError(mend) from None
        raise


def frame_of_call(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    metric: Any,
    order: Order,
    spacing: Any,
    periodic: Any,
    among: list[xr.DataArray],
) -> tuple[AnyFrame, bool]:
    """The axes of an operator with their scale factors, and whether one name was given by itself.

    The parameters and errors are those of `axes_of_call`, and

    Parameters
    ----------
    metric : None, str, Sphere, Ellipsoid or mapping
        As `xgradient.grad` takes it.
    order : Order
        How accurately the slopes of given scale factors are to be known.
    """
    resolved = resolve_metric(metric, obj)
    found, alone = _places(obj, dim, among)
    if not isinstance(resolved, Factors) and any(len(p.dims) > 1 for p in found.values()):
        return _surface(obj, found, alone, resolved, order, spacing, periodic), alone
    if resolved is None or isinstance(resolved, Factors):
        axes = _axes(obj, found, alone, spacing, periodic)
        if resolved is None:
            return flat_frame(axes), alone

        def slope(factor: xr.Variable, axis: Axis) -> xr.Variable:
            stencil = order.of(1).stencil(axis.nodes, f"dimension {str(axis.dim)!r}")
            (values,) = derivatives(factor.values, [(factor.dims.index(axis.dim), stencil)])
            return xr.Variable(factor.dims, values)

        sizes = {d: n for field in among for d, n in field.sizes.items()}
        return frame_with_factors(axes, resolved, sizes, slope), alone
    tracks = {p.dim: track for p in found.values() if (track := find_track(obj, p))}
    spacings, periods = _by_place(obj, found, alone, spacing, periodic, beyond=True)
    plain = {}
    for name, place in found.items():
        if place.name in tracks:
            check_arguments(place, spacings.get(name), periods.get(name, False))
        elif horizontal(place.name, place.coord) is None:
            check_units(place.name, place.coord)
            period = periods.get(name, False)
            plain[place.name] = _axis(obj, place, spacings.get(name), period)
        elif tracks:
            raise ValueError(
                f"{str(place.name)!r} is named beside {str(next(iter(tracks)))!r}, along which "
                "there is a track with positions of its own; name them one at a time"
            )
        elif name in spacings:
            raise ValueError(
                f"spacing of {str(place.name)!r} is given together with a metric, which takes "
                "positions from the coordinate; leave one of them out"
            )
    if tracks:
        return along_tracks(list(found.values()), plain, tracks, resolved), alone
    everywhere = False if periodic is False else None
    by_name = {found[n].name if n in found else n: p for n, p in periods.items()}

    def closes(place: Place) -> Any:
        return by_name.get(place.name, everywhere)

    places = list(found.values())
    try:
        return frame_on_globe(obj, resolved, places, plain, closes), alone
    except OrderError as error:
        raise out_of_order(obj, places, error) from None


def _surface(
    obj: XarrayObject,
    found: Found,
    alone: bool,
    globe: Globe | None,
    order: Order,
    spacing: Any,
    periodic: Any,
) -> Surface:
    """Axes of which some are coordinates of two dimensions."""
    angles = [p for p in found.values() if globe is not None and horizontal(p.name, p.coord)]
    wide = [p for p in found.values() if len(p.dims) > 1 or p in angles]
    lines = {name: place for name, place in found.items() if place not in wide}
    grid = find_grid(obj, wide, globe)
    closed, others = {}, {}
    for name, value in _periodic_mapping(periodic, list(found)).items():
        place = found[name] if name in found else _of_some_call(obj, name)
        if place is None or (len(place.dims) > 1 and set(place.dims) != set(grid.dims)):
            continue
        if len(place.dims) > 1:
            raise ValueError(
                f"{spoken(place)}, and periodic does not tell along which the grid closes; name "
                f"that dimension, e.g. periodic={str(grid.dims[1])!r}"
            )
        if place.dim in grid.dims:
            closed[place.dim] = value
        else:
            others[name] = value
    spacings = _spacing_mapping(spacing, list(found), alone)
    for given, names in (("dim", lines), ("spacing", spacings)):
        for name in names:
            place = found[name] if name in found else _of_some_call(obj, name)
            if place is not None and set(place.dims) & set(grid.dims):
                raise ValueError(
                    f"{given} names {str(place.name)!r}, but positions along it are those of "
                    f"{str(wide[0].name)!r}, which has 2 dimensions; leave one of them out"
                )
    axes = {axis.name: axis for axis in _axes(obj, lines, False, spacings, others)}
    sides = [grid.direction(p) if p in wide else Side(axes[p.name]) for p in found.values()]
    return grid.surface(sides, closed, order)


def _places(obj: XarrayObject, dim: Any, among: list[xr.DataArray]) -> tuple[Found, bool]:
    """What the names of a call stand for, and whether one was given by itself."""
    names, alone = names_of_call(obj, dim, among)
    if not names:
        raise ValueError("the data have no dimensions, so there is nothing to differentiate along")
    found: Found = {}
    labels: dict[Hashable, Hashable] = {}
    along: dict[Hashable, Hashable] = {}
    for name in names:
        place = find_coord(obj, name)
        if place.name in labels:
            raise ValueError(
                f"dim names {str(place.name)!r} twice, as {labels[place.name]!r} and {name!r}; "
                "name it once"
            )
        if place.dim is not None and place.dim in along:
            raise two_along(obj, place.dim, [along[place.dim], place.name])
        labels[place.name] = name
        along[place.dim] = place.name
        found[name] = place
    return found, alone


def _by_place(
    obj: XarrayObject,
    found: Found,
    alone: bool,
    spacing: Any,
    periodic: Any,
    beyond: bool = False,
) -> tuple[dict[Hashable, Any], dict[Hashable, Any]]:
    """The spacing and the period of each name of the call, where one is given."""
    if spacing is None and periodic is None:
        return {}, {}
    names = list(found)
    spacings = _by_name(obj, found, _spacing_mapping(spacing, names, alone))
    periods = _by_name(obj, found, _periodic_mapping(periodic, names), beyond)
    return spacings, periods


def names_of_call(
    obj: XarrayObject, dim: Hashable | Iterable[Hashable] | None, among: list[xr.DataArray]
) -> tuple[list[Hashable], bool]:
    """The names to differentiate along, and whether one was given by itself."""
    if dim is None:
        return [d for d in obj.dims if any(d in field.dims for field in among)], False
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


def steps_of_call(
    obj: XarrayObject,
    names: list[Hashable],
    alone: bool,
    columns: Mapping[Hashable, Column],
    spacing: Any,
    periodic: Any,
) -> Mapping[Hashable, Any]:
    """The spacing by name, which those that bring positions in ``columns`` of their own have not.

    Raises
    ------
    ValueError
        If one of these is given a spacing or a period, or a name is unknown.
    """
    own = {column.name: name for name, column in columns.items()}
    spacings = _spacing_mapping(spacing, names, alone)
    for argument, given in (
        ("spacing", spacings),
        ("periodic", _periodic_mapping(periodic, names)),
    ):
        for key, value in given.items():
            name = key if key in columns else own.get(find_name(obj, key))
            if name is not None and value is not None and value is not False:
                raise ValueError(
                    f"{argument} is given for {str(name)!r}, which has positions of its own in "
                    f"every column; leave it out, or give {argument} by name to the others"
                )
    return {name: step for name, step in spacings.items() if name not in columns}


def _spacing_mapping(spacing: Any, names: list[Hashable], alone: bool) -> Mapping[Hashable, Any]:
    """``spacing`` as a mapping: a number for all, an entry for each, or positions for one."""
    if spacing is None or isinstance(spacing, Mapping):
        return spacing or {}
    if isinstance(spacing, list | tuple) and not alone:
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


def _periodic_mapping(periodic: Any, names: list[Hashable]) -> Mapping[Hashable, Any]:
    """``periodic`` as a mapping from name to True, False or a period."""
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
        f"periodic is {in_one_line(periodic)}; give True, False, names of dimensions, "
        "or a mapping from name to period"
    )


def _by_name(
    obj: XarrayObject,
    found: Found,
    mapping: Mapping[Hashable, Any],
    beyond: bool = False,
) -> dict[Hashable, Any]:
    """A mapping with the very names of the call, whichever name of a dimension it was given.

    Names that are for other calls are left out, but kept if they may be meant ``beyond`` this one.
    """
    chosen = {}
    for key, value in mapping.items():
        name = key
        if key not in found:
            place_of_key = _of_some_call(obj, key)
            if place_of_key is None:
                continue
            dim = place_of_key.dim
            names = [n for n, place in found.items() if place.dim == dim]
            if beyond and not names:
                names = [place_of_key.name]
            if not names:
                continue
            name = names[0]
        chosen[name] = value
    return chosen


def _of_some_call(obj: XarrayObject, name: Hashable) -> Place | None:
    """What a name of spacing or periodic stands for; None if it is no axis of any call.

    One mapping may serve several calls, so that it may name what this one does not go along.
    """
    coord = obj.coords.variables.get(find_name(obj, name))
    return find_coord(obj, name) if coord is None or coord.ndim in (1, 2) else None
