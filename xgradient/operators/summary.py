"""Text and HTML that show the axes, options and methods of an accessor without computing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..geometry.build import build_grid
from ..geometry.crs import GeographicCRS
from ..geometry.metrics import Globe
from ..geometry.named_metrics import resolve_metric
from ..geometry.track import find_track
from ..labels.angles import latlon_kind
from ..labels.arguments import resolve
from ..labels.axis import Axis
from ..labels.boundaries import BoundaryRequest, read_boundaries
from ..labels.coordinates import CoordRef, resolve_coord
from ..labels.quantities import without_quantities
from ..stencils.scheme import Scheme
from .options import grid_options
from .trees import node_datasets, node_label

COLUMNS = ("axis", "length", "units", "grid points", "boundaries")


class AxisSummary(NamedTuple):
    """Describe one axis in words."""

    name: str
    length: str
    units: str
    grid_points: str
    boundaries: str


class Summary(NamedTuple):
    """Describe an accessor: its object, axes, options and methods."""

    title: str
    axes: list[AxisSummary]
    facts: dict[str, str]


def summarize(
    obj: XarrayObject | xr.DataTree, options: Mapping[str, Any], methods: Iterable[str]
) -> Summary:
    """Describe an object and its options; nothing is computed or loaded, and nothing raised."""
    name = "" if getattr(obj, "name", None) is None else f" {str(obj.name)!r}"
    if isinstance(obj, xr.DataTree):
        nodes = node_datasets(obj)
        sizes = f"{len(nodes)} nodes"
        axes = [
            axis._replace(name=f"{node_label(path)} {axis.name}")
            for path, ds in nodes.items()
            for axis in _axes(without_quantities(ds, {}), options)
        ]
    else:
        plain: XarrayObject = without_quantities(obj, {})
        pairs = zip(plain.dims, _lengths(plain), strict=True)
        sizes = ", ".join(f"{dim}: {n}" for dim, n in pairs)
        axes = list(_axes(plain, options))
    given = {**options}
    metric = given.pop("metric", None)
    facts = {
        "metric": "none; derivatives are per unit of each coordinate" if metric is None
        else short_repr(metric),
        "options": ", ".join(f"{k}={short_repr(v)}" for k, v in given.items()) or "defaults",
        "methods": ", ".join(["(dim)", *methods]),
    }  # fmt: skip
    title = f"<xgradient.Grad of {type(obj).__name__}{name} ({sizes})>"
    return Summary(title, axes, facts)


def _lengths(obj: XarrayObject) -> list[int]:
    return list(obj.shape) if isinstance(obj, xr.DataArray) else list(obj.sizes.values())


def _axes(obj: XarrayObject, options: Mapping[str, Any]) -> Iterator[AxisSummary]:
    """Describe each dimension, each other 1-D coordinate, and those of several dimensions."""
    coords = obj.coords.variables.items()
    others = [n for n, c in coords if c.ndim == 1 and n not in obj.dims and _is_ordered(c)]
    for name in [*dict.fromkeys(obj.dims), *others]:
        (dim,) = (name,) if name in obj.dims else obj.coords.variables[name].dims
        label = str(name) if name == dim else f"{name} ({dim})"
        words = label, str(obj.sizes[dim]), _units(obj, name)
        try:
            yield AxisSummary(*words, *_summarize_axis(obj, name, options))
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            yield AxisSummary(*words, "unusable", reason)
    for name, coord in obj.coords.variables.items():
        if coord.ndim > 1 and _is_ordered(coord):
            kind = latlon_kind(name, coord) if coord.ndim == 2 else None
            use = f"{kind} of a curvilinear grid" if kind else "positions by column, with along="
            shape = " x ".join(str(n) for n in coord.shape)
            dims = ", ".join(str(dim) for dim in coord.dims)
            yield AxisSummary(
                f"{name} ({dims})", shape, _units(obj, name), "multi-dimensional", use
            )


def _summarize_axis(
    obj: XarrayObject, name: Hashable, options: Mapping[str, Any]
) -> tuple[str, str]:
    """Describe the grid points and boundaries that an axis has in a call with these options."""
    ref = resolve_coord(obj, name)
    boundaries = read_boundaries(options.get("boundary"), options.get("wall", "node"))
    metric, spacing, periodic = (options.get(key) for key in ("metric", "spacing", "periodic"))
    grid = grid_options(metric, spacing, periodic, boundaries)
    metric = resolve_metric(grid.metric, obj)
    if isinstance(metric, GeographicCRS):
        obj, metric = metric.label(obj), metric.globe
        ref = resolve_coord(obj, name)
    on_globe = isinstance(metric, Globe) and _is_horizontal(obj, ref)
    needed = _horizontal_coords(obj) if on_globe else set()
    if on_globe or ref.step is None:  # a step needs no positions
        needed = needed | {ref.name}
    lazy = [name for name in needed if not _is_in_memory(obj, name)]
    if lazy:
        names = " and ".join(repr(str(name)) for name in sorted(lazy, key=str))
        return "unknown", f"{names} not in memory"
    # Positions without a name are for the dimensions of a call, which is not made yet.
    spacing = (
        grid.spacing if isinstance(grid.spacing, Mapping) or np.ndim(grid.spacing) == 0 else None
    )
    axis_options = grid._replace(metric=metric if on_globe else None, spacing=spacing)
    request = resolve(obj, name, axis_options, [])
    axis = build_grid(obj, request, Scheme(), []).axes[0].axis
    if not isinstance(axis, Axis):
        return "multi-dimensional", ""
    if ref.coord is None and spacing is None and not on_globe:
        return "steps of 1", _boundaries(axis, request.boundaries)
    kind = "non-uniform" if axis.nodes.step is None else "uniform"
    return kind, _boundaries(axis, request.boundaries)


def _boundaries(axis: Axis, boundaries: BoundaryRequest | None) -> str:
    """Describe how an axis goes on at its boundaries."""
    if boundaries is not None and axis.dim in boundaries.entries and axis.nodes.period is None:
        conditions = boundaries.conditions(axis.dim, ())
        return " and ".join(dict.fromkeys(conditions.kinds)) if conditions else "given by field"
    if axis.nodes.period is not None:
        return "periodic"
    return "continues across the poles" if axis.nodes.fold_positions else "one-sided stencils"


def _is_ordered(coord: xr.Variable) -> bool:
    """Return whether values can be positions: real numbers or times."""
    return getattr(coord.dtype, "kind", "") in "iufmM"


def _units(obj: XarrayObject, name: Hashable) -> str:
    """Return the units of a coordinate, or the kind of its times; an empty text if unknown."""
    coord = obj.coords.variables.get(name)
    if coord is None:
        return ""
    kind = getattr(coord.dtype, "kind", "")
    return str(coord.dtype) if kind in "mM" else str(coord.attrs.get("units", ""))


def _is_horizontal(obj: XarrayObject, ref: CoordRef) -> bool:
    """Return whether a metric of the globe gives lengths to an axis."""
    return latlon_kind(ref.name, ref.coord) is not None or find_track(obj, ref) is not None


def _horizontal_coords(obj: XarrayObject) -> set[Hashable]:
    """Return the latitudes and longitudes of no or one dimension."""
    coords = obj.coords.variables.items()
    return {name for name, coord in coords if coord.ndim < 2 and latlon_kind(name, coord)}


def _is_in_memory(obj: XarrayObject, name: Hashable) -> bool:
    """Return whether the values of a coordinate can be read without loading or computing."""
    coord = obj.coords.variables.get(name)
    return coord is None or bool(getattr(coord, "_in_memory", False))


def to_text(summary: Summary) -> str:
    """Return a summary as text."""
    rows = [COLUMNS, *summary.axes]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (rows if summary.axes else [])
    ]
    facts = [f"{name}: {text}" for name, text in summary.facts.items()]
    return "\n".join([summary.title, *(f"    {line}" for line in lines), *facts])


def to_html(summary: Summary) -> str:
    """Return a summary as HTML."""

    def row(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    facts = "".join(
        f"<div>{escape(name)}: {escape(text)}</div>" for name, text in summary.facts.items()
    )
    rows = "".join(row(axis, "td") for axis in summary.axes)
    table = f"<table><thead>{row(COLUMNS, 'th')}</thead><tbody>{rows}</tbody></table>"
    return f"<div><div>{escape(summary.title)}</div>{table if rows else ''}{facts}</div>"
