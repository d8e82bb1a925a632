"""Find the lengths and areas of cells that belong to the metric of a call."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from .._typing import XarrayObject
from ..labels.coordinates import resolve_coord
from ..labels.hints import quote_names
from ..labels.named_options import periodic_mapping
from .cell_axes import CellAxis, check_lengths, find_cell_axis
from .cell_measures import CellMeasures, CoordinateMeasures, GivenMeasures
from .crs import GeographicCRS
from .curvilinear_measures import CurvilinearMeasures
from .globe_measures import LatLonMeasures, goes_round, kind_of_axis
from .metrics import Globe
from .model_measures import WrfMeasures
from .model_metric import ModelMetric
from .named_metrics import resolve_metric
from .projection import Projection
from .scale_factors import ScaleFactors
from .wrf import WrfMetric


def find_cell_measures(
    obj: XarrayObject,
    dims: Iterable[Hashable],
    metric: Any = None,
    positions: Any = None,
    periodic: Any = None,
) -> CellMeasures:
    """Find the lengths and areas of cells along dimensions.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, with coordinates and scale factors.
    dims : iterable of hashable
        The dimensions, several of one axis among them.
    metric : None, str, Globe, ScaleFactors or another that calls take
        The metric; without one, lengths are differences of coordinates.
    positions : mapping, optional
        Dimensions by position, by axis, as ``xgcm.Grid`` takes them.
    periodic : bool, name, list of names or mapping, optional
        The axes that are periodic, by any of their dimensions. By default these are longitudes
        that go round a globe.

    Raises
    ------
    TypeError, ValueError
        If the metric or a name is unknown, lengths of dimensions do not fit each other, or the
        metric has no lengths at positions on cells.
    """
    metric = resolve_metric(metric, obj)
    if isinstance(metric, GeographicCRS):
        obj, metric = metric.label(obj), metric.globe
    axes: list[CellAxis] = []
    for dim in dims:
        if not any(dim in axis.names for axis in axes):
            axes.append(find_cell_axis(obj, dim, positions))
    check_lengths(obj, dict(enumerate(axes)))
    axes = _with_periods(obj, axes, periodic, isinstance(metric, Globe))
    return _make_measures(obj, axes, metric)


def _make_measures(obj: XarrayObject, axes: Sequence[CellAxis], metric: Any) -> CellMeasures:
    """Make the measures of a metric."""
    if metric is None:
        return CoordinateMeasures(obj, axes)
    if isinstance(metric, ScaleFactors):
        return GivenMeasures(obj, axes, metric)
    if isinstance(metric, WrfMetric):
        return WrfMeasures(obj, axes)
    if isinstance(metric, ModelMetric):
        measures: CellMeasures = metric.measures(axes)
        return measures
    if isinstance(metric, Projection):
        raise ValueError(
            "metric is a projection, which has no lengths at positions on cells yet; give scale "
            "factors by a mapping, or metric='sphere' with latitudes and longitudes"
        )
    kinds = [kind_of_axis(obj, axis) for axis in axes]
    if any(kind is not None for kind in kinds):
        return LatLonMeasures(obj, axes, metric)
    return CurvilinearMeasures(obj, axes, metric)


def _with_periods(
    obj: XarrayObject, axes: list[CellAxis], periodic: Any, on_globe: bool
) -> list[CellAxis]:
    """Return axes that know if they are periodic."""
    if isinstance(periodic, bool | np.bool_) or periodic is None:
        given = dict.fromkeys(range(len(axes)), True) if periodic else {}
        if periodic is not None and not periodic:
            given = dict.fromkeys(range(len(axes)), False)
    else:
        given = {}
        for name, value in periodic_mapping(periodic, []).items():
            number = find_axis_number(obj, axes, name)
            if number is not None:
                given[number] = value
    if on_globe:
        for i, axis in enumerate(axes):
            kind = kind_of_axis(obj, axis)
            if kind == "latitude":
                given.pop(i, None)
            elif kind == "longitude":
                given[i] = goes_round(obj, axis, given.get(i))
    return [_with_period(axis, given.get(i, False)) for i, axis in enumerate(axes)]


def _with_period(axis: CellAxis, value: Any) -> CellAxis:
    """Return an axis that is periodic or not, or has a period in units of its coordinate."""
    is_length = value is not None and not isinstance(value, bool | np.bool_)
    return axis._replace(periodic=bool(value), period=float(value) if is_length else None)


def find_axis(obj: XarrayObject, axes: list[CellAxis], name: Hashable) -> int:
    """Return the number of the axis that a name of a call means: a dimension, coordinate or letter.

    Raises
    ------
    ValueError
        If the name is unknown or is not of one of the axes.
    """
    number = find_axis_number(obj, axes, name)
    if number is None:
        names = [dim for axis in axes for dim in axis.names if dim in obj.dims]
        raise ValueError(
            f"{str(name)!r} is not along one axis of the fields, which have the dimensions "
            f"{quote_names(names)}; name one of these"
        )
    return number


def find_axis_number(obj: XarrayObject, axes: list[CellAxis], name: Hashable) -> int | None:
    """Return the number of the axis that a name means; None for names of other dimensions."""
    for i, axis in enumerate(axes):
        if name in axis.names:
            return i
    letters = {axis.letter: i for i, axis in enumerate(axes) if axis.letter is not None}
    if name not in obj.coords and str(name).lower() in letters:
        return letters[str(name).lower()]
    ref = resolve_coord(obj, name)
    return next((i for i, axis in enumerate(axes) if ref.dim in axis.names), None)
