"""The latitude and the longitude that are meant where a globe is given and no names."""

from __future__ import annotations

from collections.abc import Hashable

from .._typing import XarrayObject
from ..labels.angles import latlon_kind
from ..labels.coordinates import find_latlon
from ..labels.hints import quote_names
from .metrics import Globe, Metric

KINDS = ("latitude", "longitude")


def horizontal_names(obj: XarrayObject, metric: Metric | None) -> list[Hashable] | None:
    """Return the names of latitude and longitude on a globe; None where data have neither.

    Those along one dimension each are meant, else the two of a grid. Where both lie along one
    dimension, as on a track, it is this dimension.

    Raises
    ------
    ValueError
        If there is one without the other, or several.
    """
    if not isinstance(metric, Globe):
        return None
    known = {kind: find_latlon(obj, kind) for kind in KINDS}
    lines = {kind: p for kind, p in known.items() if p is not None and p.dim is not None}
    if len(lines) == 2:
        lat, lon = (lines[kind] for kind in KINDS)
        if lat.dim == lon.dim not in (lat.name, lon.name):
            return [lat.dim]  # a track, of which this is the length
        dims = list(obj.dims)
        return [p.name for p in sorted(lines.values(), key=lambda p: dims.index(p.dim))]
    coords = obj.coords.variables.items()
    wide = {k: [n for n, c in coords if c.ndim == 2 and latlon_kind(n, c) == k] for k in KINDS}
    what = f"metric={type(metric).__name__} without dim means a latitude and a longitude, but"
    if all(wide.values()):
        for kind, names in wide.items():
            if len(names) > 1:
                raise ValueError(
                    f"{what} several coordinates may be the {kind}, {quote_names(names)}; "
                    "name the two"
                )
        return [name for (name,) in wide.values()]
    for kind, ref in lines.items():
        (other,) = set(KINDS) - {kind}
        raise ValueError(
            f"{what} the data have no {other} along a dimension; name what is meant, "
            f"e.g. dim={str(ref.name)!r}"
        )
    return None
