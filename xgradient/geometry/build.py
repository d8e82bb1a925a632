"""Build the grid of a call: Cartesian, with scale factors, on a globe, curvilinear or a track."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import check_units, latlon_kind
from ..labels.arguments import NOT_GIVEN, AxisRequest, GridRequest
from ..labels.axis import Axis, make_axis
from ..labels.coordinates import CoordRef, describe_coord
from ..labels.hints import quote_names, unstack_hint
from ..stencils.positions import OrderError
from ..stencils.scheme import Scheme
from .boundaries import with_boundaries
from .crs import GeographicCRS
from .curvilinear import CurvilinearGrid
from .directions import curvilinear_directions, rotated_directions
from .grid import Grid
from .grid_axis import GridAxis
from .horizontal import find_horizontal_coords
from .latlon import latlon_grid
from .metrics import Globe
from .model_metric import ModelMetric
from .named_metrics import Metric, resolve_metric
from .orthogonal import OrthogonalGrid, cartesian_grid
from .projected import find_projected_coords, projected_grid
from .projection import Projection
from .scale_factors import ScaleFactors, grid_with_scale_factors
from .track import along_tracks, check_arguments, find_track, out_of_order, two_along
from .vertical import make_vertical_coord
from .wrf import WrfMetric


def build_grid(
    obj: XarrayObject, request: GridRequest, scheme: Scheme, fields: list[xr.DataArray]
) -> Grid:
    """Build the grid whose axes are the coordinates of a call, in its order.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, whose other coordinates tell where a globe is closed.
    request : GridRequest
        The coordinates with their options, and the metric.
    scheme : Scheme
        The accuracy of derivatives of given scale factors and of 2-D coordinates.
    fields : list of DataArray
        The fields, whose dimensions scale factors may have.

    Raises
    ------
    TypeError, ValueError
        If positions, a spacing, a period, a boundary or the metric do not fit.
    """
    grid = _build_grid(obj, request, scheme, fields)
    return grid if request.boundaries is None else with_boundaries(grid, request)


def _build_grid(
    obj: XarrayObject, request: GridRequest, scheme: Scheme, fields: list[xr.DataArray]
) -> Grid:
    """Build the grid without its boundary conditions."""
    columns = {axis.ref.name: make_vertical_coord(axis.ref)
               for axis in request.axes if axis.is_column}  # fmt: skip
    if not columns:
        if len(request.axes) > 1:
            _check_one_per_dim(obj, request.refs)
        metric = resolve_metric(request.options.metric, obj)
        return _grid_without_columns(obj, request, metric, scheme, fields)
    others = tuple(axis for axis in request.axes if not axis.is_column)
    _check_one_per_dim(obj, [*(axis.ref for axis in others), *columns.values()])
    grid: Grid = OrthogonalGrid(())
    if others:
        metric = resolve_metric(request.options.metric, obj)
        grid = _grid_without_columns(obj, request._replace(axes=others), metric, scheme, fields)
    elif request.options.metric is not None:
        raise ValueError(
            f"metric is for other coordinates, but {request.axes[0].ref.name!r} is a length "
            "itself; leave metric out, or name latitude and longitude besides"
        )
    other_axes = iter(grid.axes)
    axes: Any = tuple(columns.get(ref.name) or next(other_axes) for ref in request.refs)
    if isinstance(grid, OrthogonalGrid):
        return replace(grid, axes=axes, is_cartesian=False)
    assert isinstance(grid, CurvilinearGrid)
    return replace(grid, axes=axes)


def _check_one_per_dim(obj: XarrayObject, coords: Iterable[Any]) -> None:
    """Refuse two coordinates along one dimension."""
    names: dict[Hashable, Hashable] = {}
    for coord in coords:
        if coord.dim in names:
            raise two_along(obj, coord.dim, [names[coord.dim], coord.name])
        if coord.dim is not None:
            names[coord.dim] = coord.name


def _grid_without_columns(
    obj: XarrayObject,
    request: GridRequest,
    metric: Metric | None,
    scheme: Scheme,
    fields: list[xr.DataArray],
) -> Grid:
    """Build the grid of coordinates that are the same in every column."""
    crs = None
    if isinstance(metric, GeographicCRS):
        obj, crs, metric = metric.label(obj), metric.crs, metric.globe
        request = request.with_attrs(obj)
    elif isinstance(metric, Projection):
        letters = {ref.name: letter for ref in request.refs if (letter := metric.letter(ref))}
        if letters:
            return _projected_grid(obj, request, metric, letters, scheme, fields)
        metric = metric.globe  # for latitudes and longitudes of the data
    if isinstance(metric, ScaleFactors):
        sizes = {d: n for field in fields for d, n in field.sizes.items()}
        return grid_with_scale_factors(_one_dim_axes(obj, request.axes), metric, sizes, scheme)
    if isinstance(metric, ModelMetric):
        return _grid_of_model(obj, request, metric, scheme, fields)
    if isinstance(metric, WrfMetric):
        if (on_faces := metric.on_faces(request.refs, fields)) is not None:
            return _grid_of_model(obj, request, on_faces, scheme, fields)
        return metric.make_grid(_one_dim_axes(obj, request.axes), fields, scheme)
    if any(len(ref.dims) > 1 for ref in request.refs):
        return _curvilinear_grid(obj, request, metric, scheme)
    if metric is None:
        return cartesian_grid(_one_dim_axes(obj, request.axes))
    grid = _grid_on_globe(obj, request, metric)
    directions = rotated_directions(obj, request.refs, metric, crs, fields)
    return grid if directions is None else replace(grid, directions=directions)


def _projected_grid(
    obj: XarrayObject,
    request: GridRequest,
    projection: Projection,
    letters: Mapping[Hashable, str],
    scheme: Scheme,
    fields: list[xr.DataArray],
) -> Grid:
    """Build a grid of projected x and y and of other coordinates of one dimension."""
    axes = {}
    for axis in request.axes:
        ref = axis.ref
        if ref.name not in letters and (kind := latlon_kind(ref.name, ref.coord)):
            names = quote_names(letters)
            raise ValueError(
                f"{str(ref.name)!r} is a {kind}, and {names} belongs to the projection "
                f"{projection.crs.name!r}; name coordinates of one kind"
            )
        if ref.name in letters and axis.spacing is not None:
            raise _spacing_error(ref)
        axes[ref.name] = _axis(obj, axis)
    if len(set(letters.values())) < len(letters):
        raise ValueError(
            f"{quote_names(letters)} are of one kind; name one x and one y of the projection"
        )
    refs = {letters[ref.name]: ref for ref in request.refs if ref.name in letters}
    by_letter = {letter: axes.pop(ref.name) for letter, ref in refs.items()}
    coords = find_projected_coords(obj, projection, by_letter, refs, fields)
    return projected_grid(coords, request.refs, axes, scheme)


def _grid_of_model(
    obj: XarrayObject,
    request: GridRequest,
    metric: ModelMetric,
    scheme: Scheme,
    fields: list[xr.DataArray],
) -> OrthogonalGrid:
    """Build a grid with the lengths of a model's file, which are those of steps of an index."""
    dims = [axis.dim for axis in _one_dim_axes(obj, request.axes)]
    used = [field for field in fields if set(dims) & set(field.dims)]
    sizes = {dim: n for field in used for dim, n in field.sizes.items()}
    factors, requests = metric.scale_factors(dims, tuple(sizes)), []
    for axis, dim in zip(request.axes, dims, strict=True):
        if dim not in factors.factors:
            requests.append(axis)
            continue
        if axis.spacing is not None:
            raise _spacing_error(axis.ref)
        period = axis.periodic if axis.periodic is NOT_GIVEN else bool(axis.periodic)
        requests.append(axis._replace(spacing=1.0, periodic=period))
    return grid_with_scale_factors(_one_dim_axes(obj, requests), factors, sizes, scheme)


def _spacing_error(ref: CoordRef) -> ValueError:
    """Return the error for a spacing of a coordinate to which a metric gives lengths."""
    return ValueError(
        f"spacing of {str(ref.name)!r} is given together with a metric, which takes positions "
        "from the coordinate; leave one of them out"
    )


def grid_of_dimensions(obj: XarrayObject, request: GridRequest) -> OrthogonalGrid:
    """Build the Cartesian grid of coordinates along one dimension each."""
    _check_one_per_dim(obj, request.refs)
    grid = cartesian_grid(_one_dim_axes(obj, request.axes))
    return grid if request.boundaries is None else with_boundaries(grid, request)


def _one_dim_axes(obj: XarrayObject, requests: Iterable[AxisRequest]) -> list[Axis]:
    """Make the axes of coordinates along one dimension each; refuse other coordinates."""
    for ref, *_ in requests:
        if len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, but scale factors and mixed derivatives belong to single "
                "dimensions; name these, or give metric='sphere', or call .hessian"
            )
    return [_axis(obj, request) for request in requests]


def _axis(obj: XarrayObject, request: AxisRequest) -> Axis:
    """Make one axis; where its positions do not fit, raise an error that tells what to do."""
    ref, spacing, periodic = request
    try:
        period = False if periodic is NOT_GIVEN else periodic
        return make_axis(ref, obj.sizes[ref.dim], spacing, period)
    except OrderError as error:
        raise out_of_order(obj, [ref], error) from None
    except TypeError:
        if mend := unstack_hint(obj, ref.dim):
            raise TypeError(mend) from None
        raise


def _grid_on_globe(obj: XarrayObject, request: GridRequest, globe: Globe) -> OrthogonalGrid:
    """Build a grid of latitudes, longitudes, tracks and other coordinates of one dimension."""
    refs = request.refs
    tracks = {ref.dim: track for ref in refs if (track := find_track(obj, ref))}
    other_axes = {}
    for axis in request.axes:
        ref, spacing, periodic = axis
        if ref.name in tracks:
            check_arguments(ref, spacing, False if periodic is NOT_GIVEN else periodic)
        elif latlon_kind(ref.name, ref.coord) is None:
            check_units(ref.name, ref.coord)
            other_axes[ref.name] = _axis(obj, axis)
        elif tracks:
            raise ValueError(
                f"{str(ref.name)!r} is named together with {str(next(iter(tracks)))!r}, "
                "along which there is a track at other positions; name them one at a time"
            )
        elif spacing is not None:
            raise _spacing_error(ref)
    if tracks:
        return along_tracks(refs, other_axes, tracks, globe)
    try:
        return latlon_grid(obj, globe, refs, other_axes, request.periodic_of)
    except OrderError as error:
        raise out_of_order(obj, refs, error) from None


def _curvilinear_grid(
    obj: XarrayObject, request: GridRequest, globe: Globe | None, scheme: Scheme
) -> CurvilinearGrid:
    """Build a grid of which some axes are directions between coordinates of two dimensions."""

    def is_horizontal(ref: CoordRef) -> bool:
        return len(ref.dims) > 1 or (globe is not None and bool(latlon_kind(ref.name, ref.coord)))

    horizontal = [ref for ref in request.refs if is_horizontal(ref)]
    coords = find_horizontal_coords(obj, horizontal, globe)
    every = (*request.axes, *request.others)
    others = [axis for axis in request.axes if not is_horizontal(axis.ref)]
    closed = {}
    for ref, _, periodic in every:
        if periodic is NOT_GIVEN or (len(ref.dims) > 1 and set(ref.dims) != set(coords.all_dims)):
            continue
        if len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, and periodic does not say which dimension of the grid "
                f"is periodic; name that dimension, e.g. periodic={str(coords.dims[1])!r}"
            )
        if ref.dim in coords.dims:
            closed[ref.dim] = periodic
    respaced = [axis for axis in every if axis.spacing is not None]
    for argument, requests in (("dim", others), ("spacing", respaced)):
        for ref, *_ in requests:
            if set(ref.dims) & set(coords.dims):
                raise ValueError(
                    f"{argument} names {str(ref.name)!r}, but positions along it are those of "
                    f"{str(horizontal[0].name)!r}, which has 2 dimensions; leave one of them out"
                )
    axes = iter(_one_dim_axes(obj, others))
    grid_axes = [
        coords.direction(ref) if is_horizontal(ref) else GridAxis(next(axes))
        for ref in request.refs
    ]
    grid = coords.make_grid(grid_axes, closed, scheme)
    if globe is None:
        return grid
    return replace(grid, directions=curvilinear_directions(obj, coords, grid.weights))
