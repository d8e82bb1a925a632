"""The metrics that a call can give: a name, a number, an object or a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..labels.hints import close_name
from ..labels.pint_units import is_quantity
from .crs import (
    GeographicCRS,
    globe_of_axes,
    globe_of_crs,
    horizontal_crs,
    is_crs,
    is_geod,
    read_crs,
)
from .grid_mapping import grid_mapping_radius
from .metrics import Ellipsoid, Globe, Sphere
from .model_metric import ModelMetric
from .projection import Projection
from .scale_factors import ScaleFactors, read_scale_factors
from .wrf import WrfMetric, read_wrf_metric

Metric = Globe | ScaleFactors | WrfMetric | ModelMetric | GeographicCRS | Projection


def _sphere(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> Metric:
    return Sphere(grid_mapping_radius(obj, fields))


def _wgs84(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> Metric:
    return Ellipsoid("WGS84")


def _cf(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> Metric:
    return _metric_of_crs(read_crs(obj, fields))


def _model(name: str, obj: XarrayObject, fields: Iterable[xr.DataArray]) -> Metric:
    return ModelMetric(name, obj)


#: Metrics by the name that calls give, made of the data; ``MetricLike`` lists the names as types.
METRICS: dict[str, Callable[[XarrayObject, Iterable[xr.DataArray]], Metric]] = {
    "sphere": _sphere,
    "ellipsoid": _wgs84,
    "cf": _cf,
    "wrf": read_wrf_metric,
    "roms": partial(_model, "roms"),
    "nemo": partial(_model, "nemo"),
    "mitgcm": partial(_model, "mitgcm"),
}


def resolve_metric(
    metric: Any, obj: XarrayObject, fields: Iterable[xr.DataArray] | None = None
) -> Metric | None:
    """Return the metric of a call.

    Parameters
    ----------
    metric : None, str, number, Sphere, Ellipsoid, pyproj.Geod, pyproj.CRS, ScaleFactors or mapping
        A number is the radius of a sphere. "sphere" has the radius of the grid mapping of the
        data, if they have one, and "cf" is all that it says; "wrf", "roms", "nemo" and "mitgcm"
        are the scale factors of a model's file. A mapping has a scale factor for each dimension:
        a number, a DataArray, or the name of a variable.
    obj : DataArray or Dataset
        Variables and the grid mapping are looked up here.
    fields : iterable of DataArray, optional
        The fields whose grid mapping is used; by default all variables.

    Raises
    ------
    ImportError
        If a grid mapping is to be read and pyproj is not installed.
    TypeError, ValueError
        If the metric is unknown, or a scale factor is not positive or does not fit the data.
    """
    if metric is None or isinstance(metric, Metric):
        return metric
    if isinstance(metric, Mapping):
        return read_scale_factors(metric, obj)
    if isinstance(metric, int | float | np.integer | np.floating) and not isinstance(metric, bool):
        return Sphere(float(metric))
    if is_quantity(metric):
        return Sphere(metric)
    if is_geod(metric):
        return globe_of_axes(metric.a, metric.b)
    if is_crs(metric):
        return _metric_of_crs(metric)
    known = (
        f"{', '.join(map(repr, METRICS))}, a radius in metres, a Sphere or Ellipsoid, a CRS or "
        "Geod of pyproj, or a mapping from dimension to scale factor"
    )
    if not isinstance(metric, str):
        raise TypeError(f"metric is of type {type(metric).__name__}; give {known}")
    if metric not in METRICS:
        raise ValueError(
            f"metric is {short_repr(metric)}{close_name(metric, list(METRICS))}; give {known}"
        )
    if fields is None:
        fields = obj.data_vars.values() if isinstance(obj, xr.Dataset) else [obj]
    return METRICS[metric](obj, fields)


def _metric_of_crs(crs: Any) -> GeographicCRS | Projection:
    """Return the metric of a coordinate reference system.

    Rotated poles on a sphere are those of another globe. On an ellipsoid they are a projection.
    """
    crs = horizontal_crs(crs)
    globe = globe_of_crs(crs)
    is_globe = crs.is_geographic and (isinstance(globe, Sphere) or not crs.is_derived)
    return GeographicCRS(crs, globe) if is_globe else Projection(crs, globe)
