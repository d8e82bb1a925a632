"""Which grid a call needs: flat, with scale factors, on a globe, curvilinear, or a track."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import check_units, latlon_kind
from ..labels.arguments import (
    Found,
    GridOptions,
    _of_some_call,
    normalize_dim,
    options_by_name,
    periodic_mapping,
    spacing_mapping,
)
from ..labels.axis import Axis, make_axis
from ..labels.coordinates import CoordRef, describe_coord, resolve_coord
from ..labels.hints import unstack_hint
from ..stencils.positions import OrderError
from ..stencils.scheme import Scheme
from .curvilinear import CurvilinearGrid
from .grid import Grid
from .grid_axis import GridAxis
from .horizontal import find_horizontal_coords
from .latlon import latlon_grid
from .metrics import Globe, resolve_metric
from .orthogonal import cartesian_grid
from .scale_factors import ScaleFactors, grid_with_scale_factors
from .track import along_tracks, check_arguments, find_track, out_of_order, two_along


def resolve_axes(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    options: GridOptions,
    fields: list[xr.DataArray],
) -> tuple[list[Axis], bool]:
    """The axes to differentiate along, and whether one name was given by itself.

    Parameters
    ----------
    obj : DataArray or Dataset
        What is to be differentiated.
    dim
        As `xgradient.grad` takes it.
    options : GridOptions
        The spacing and the period of each axis.
    fields : list of DataArray
        The fields; of all dimensions, only those that one of them has are meant.

    Raises
    ------
    TypeError, ValueError
        If a name or value does not fit: one sentence with what was found.
    """
    found, scalar_dim = resolve_coords(obj, dim, fields)
    return make_axes(obj, found, scalar_dim, options), scalar_dim


def make_axes(
    obj: XarrayObject, found: Found, scalar_dim: bool, options: GridOptions
) -> list[Axis]:
    for ref in found.values():
        if len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, but scale factors and mixed derivatives belong to single "
                "dimensions; name these, or give metric='sphere', or call .hessian"
            )
    spacings, periods = options_by_name(obj, found, scalar_dim, options)
    return [
        _axis(obj, place, spacings.get(name), periods.get(name, False))
        for name, place in found.items()
    ]


def _axis(obj: XarrayObject, ref: CoordRef, spacing: Any, period: Any) -> Axis:
    """The axis of one name, or an error with the mend for what its coordinate is."""
    try:
        return make_axis(ref, obj.sizes[ref.dim], spacing, period)
    except OrderError as error:
        raise out_of_order(obj, [ref], error) from None
    except TypeError:
        if mend := unstack_hint(obj, ref.dim):
            raise TypeError(mend) from None
        raise


def build_grid(
    obj: XarrayObject,
    dim: Hashable | Iterable[Hashable] | None,
    options: GridOptions,
    scheme: Scheme,
    fields: list[xr.DataArray],
) -> tuple[Grid, bool]:
    """The axes of an operator with their scale factors, and whether one name was given by itself.

    The parameters and errors are those of `resolve_axes`, and

    Parameters
    ----------
    scheme : Scheme
        The accuracy of derivatives of given scale factors.
    """
    resolved = resolve_metric(options.metric, obj)
    found, scalar_dim = resolve_coords(obj, dim, fields)
    if not isinstance(resolved, ScaleFactors) and any(len(p.dims) > 1 for p in found.values()):
        return _build_curvilinear(obj, found, scalar_dim, resolved, scheme, options), scalar_dim
    if resolved is None or isinstance(resolved, ScaleFactors):
        axes = make_axes(obj, found, scalar_dim, options)
        if resolved is None:
            return cartesian_grid(axes), scalar_dim
        sizes = {d: n for field in fields for d, n in field.sizes.items()}
        return grid_with_scale_factors(axes, resolved, sizes, scheme), scalar_dim
    tracks = {p.dim: track for p in found.values() if (track := find_track(obj, p))}
    spacings, periods = options_by_name(obj, found, scalar_dim, options, beyond=True)
    plain = {}
    for name, place in found.items():
        if place.name in tracks:
            check_arguments(place, spacings.get(name), periods.get(name, False))
        elif latlon_kind(place.name, place.coord) is None:
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
        return along_tracks(list(found.values()), plain, tracks, resolved), scalar_dim
    everywhere = False if options.periodic is False else None
    by_name = {found[n].name if n in found else n: p for n, p in periods.items()}

    def closes(ref: CoordRef) -> Any:
        return by_name.get(ref.name, everywhere)

    refs = list(found.values())
    try:
        return latlon_grid(obj, resolved, refs, plain, closes), scalar_dim
    except OrderError as error:
        raise out_of_order(obj, refs, error) from None


def _build_curvilinear(
    obj: XarrayObject,
    found: Found,
    scalar_dim: bool,
    globe: Globe | None,
    scheme: Scheme,
    options: GridOptions,
) -> CurvilinearGrid:
    """Axes of which some are coordinates of two dimensions."""
    angles = [p for p in found.values() if globe is not None and latlon_kind(p.name, p.coord)]
    wide = [p for p in found.values() if len(p.dims) > 1 or p in angles]
    lines = {name: place for name, place in found.items() if place not in wide}
    grid = find_horizontal_coords(obj, wide, globe)
    closed, others = {}, {}
    for name, value in periodic_mapping(options.periodic, list(found)).items():
        ref = found[name] if name in found else _of_some_call(obj, name)
        if ref is None or (len(ref.dims) > 1 and set(ref.dims) != set(grid.dims)):
            continue
        if len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, and periodic does not tell along which the grid closes; "
                f"name that dimension, e.g. periodic={str(grid.dims[1])!r}"
            )
        if ref.dim in grid.dims:
            closed[ref.dim] = value
        else:
            others[name] = value
    spacings = spacing_mapping(options.spacing, list(found), scalar_dim)
    for given, names in (("dim", lines), ("spacing", spacings)):
        for name in names:
            ref = found[name] if name in found else _of_some_call(obj, name)
            if ref is not None and set(ref.dims) & set(grid.dims):
                raise ValueError(
                    f"{given} names {str(ref.name)!r}, but positions along it are those of "
                    f"{str(wide[0].name)!r}, which has 2 dimensions; leave one of them out"
                )
    axes = {
        axis.name: axis
        for axis in make_axes(obj, lines, False, GridOptions(None, spacings, others))
    }
    grid_axes = [grid.direction(p) if p in wide else GridAxis(axes[p.name]) for p in found.values()]
    return grid.make_grid(grid_axes, closed, scheme)


def resolve_coords(obj: XarrayObject, dim: Any, fields: list[xr.DataArray]) -> tuple[Found, bool]:
    """What the names of a call stand for, and whether one was given by itself."""
    names, scalar_dim = normalize_dim(obj, dim, fields)
    if not names:
        raise ValueError("the data have no dimensions, so there is nothing to differentiate along")
    found: Found = {}
    labels: dict[Hashable, Hashable] = {}
    along: dict[Hashable, Hashable] = {}
    for name in names:
        ref = resolve_coord(obj, name)
        if ref.name in labels:
            raise ValueError(
                f"dim names {str(ref.name)!r} twice, as {labels[ref.name]!r} and {name!r}; "
                "name it once"
            )
        if ref.dim is not None and ref.dim in along:
            raise two_along(obj, ref.dim, [along[ref.dim], ref.name])
        labels[ref.name] = name
        along[ref.dim] = ref.name
        found[name] = ref
    return found, scalar_dim
