"""Names of the latitude and longitude of a call that gives a globe and no names."""

from __future__ import annotations

from collections.abc import Hashable

from .._typing import XarrayObject
from ..labels.angles import latlon_kind
from ..labels.coordinates import find_latlon
from ..labels.hints import quote_names
from .crs import GeographicCRS
from .metrics import Globe
from .named_metrics import Metric
from .projection import Projection
from .wrf import WrfMetric

KINDS = ("latitude", "longitude")


def horizontal_names(obj: XarrayObject, metric: Metric | None) -> list[Hashable] | None:
    """Return the names of latitude and longitude on a globe; None if the data have neither.

    Coordinates along one dimension each come first, then the two coordinates of a grid. If both
    lie along the same dimension, as on a track, the name is that of the dimension.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data.
    metric : Globe, GeographicCRS, ScaleFactors or None
        The metric; names are returned only for latitudes and longitudes.

    Raises
    ------
    ValueError
        If the data have only one of both, or several of a kind.
    """
    if isinstance(metric, GeographicCRS):
        obj, metric = metric.label(obj), metric.globe
    if isinstance(metric, Projection):
        if len(names := metric.names(obj)) == 2:
            return names
        metric = metric.globe
    if isinstance(metric, WrfMetric):
        return metric.names(obj)
    if not isinstance(metric, Globe):
        return None
    refs = {kind: find_latlon(obj, kind) for kind in KINDS}
    one_dim = {kind: ref for kind, ref in refs.items() if ref is not None and ref.dim is not None}
    if len(one_dim) == 2:
        lat, lon = (one_dim[kind] for kind in KINDS)
        if lat.dim == lon.dim not in (lat.name, lon.name):
            return [lat.dim]  # a track
        dims = list(obj.dims)
        return [ref.name for ref in sorted(one_dim.values(), key=lambda ref: dims.index(ref.dim))]
    coords = obj.coords.variables.items()
    two_dim = {k: [n for n, c in coords if c.ndim > 1 and latlon_kind(n, c) == k] for k in KINDS}
    message = f"metric={type(metric).__name__} without dim means a latitude and a longitude, but"
    if all(two_dim.values()):
        for kind, names in two_dim.items():
            if len(names) > 1:
                raise ValueError(
                    f"{message} several coordinates may be the {kind}, {quote_names(names)}; "
                    "name the two"
                )
        return [name for (name,) in two_dim.values()]
    for kind, ref in one_dim.items():
        (other,) = set(KINDS) - {kind}
        raise ValueError(
            f"{message} the data have no {other} along a dimension; name what is meant, "
            f"e.g. dim={str(ref.name)!r}"
        )
    return None
