"""The options that all operators share: their types, and their check before any call."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from .._typing import XarrayObject
from ..geometry.metrics import Ellipsoid, Sphere
from ..geometry.named_metrics import resolve_metric
from ..labels.arguments import GridOptions
from ..labels.axis import make_axis
from ..labels.boundaries import BoundaryOptions, read_boundaries
from ..labels.coordinates import resolve_coord
from ..labels.hints import close_name
from ..labels.named_options import periodic_mapping
from ..labels.pint_units import is_quantity
from ..labels.quantities import without_quantities
from ..labels.requested_units import read_requested_units
from ..labels.times import to_period
from ..stencils.scheme import Scheme
from .trees import call_at_nodes, node_datasets


class GeodLike(Protocol):
    """Have the attributes of a pyproj.Geod, for type checkers that do not know pyproj."""

    a: float
    b: float
    es: float


class CRSLike(Protocol):
    """Have the attributes of a pyproj.CRS, for type checkers that do not know pyproj."""

    @property
    def ellipsoid(self) -> Any:
        """Return the ellipsoid."""

    def to_cf(self) -> dict[str, Any]:
        """Return CF attributes."""


#: A metric that a call takes; a mapping has the scale factor of each dimension.
MetricLike: TypeAlias = (
    Literal["sphere", "ellipsoid", "cf", "wrf", "roms", "nemo", "mitgcm"]
    | float
    | Sphere
    | Ellipsoid
    | GeodLike
    | CRSLike
    | Mapping[Any, Any]
    | None
)
#: Steps or positions that replace coordinates.
SpacingLike: TypeAlias = ArrayLike | Sequence[Any] | Mapping[Any, Any] | None
#: Values of a coordinate, of which a DataArray has a dimension and units.
PointsLike: TypeAlias = ArrayLike | Sequence[Any] | xr.DataArray | None
#: A position on the cells of a grid, or the faces that the data have.
PositionLike: TypeAlias = Literal["center", "left", "right", "inner", "outer", "edges"] | None
#: Differences of fluxes and circulations over areas of cells.
FormLike: TypeAlias = Literal["conservative"] | None
#: Dimensions by position, by axis.
PositionsLike: TypeAlias = Mapping[Any, Mapping[Any, Any]] | None
#: The periodic axes; with "auto" and None the metric decides.
PeriodicLike: TypeAlias = bool | str | Iterable[Hashable] | Mapping[Any, Any] | None
#: What holds at one end of an axis, or at both.
EndLike: TypeAlias = (
    Literal["one-sided", "missing", "extend", "even", "odd", "periodic"]
    | tuple[Literal["value", "slope"], Any]
)
ConditionLike: TypeAlias = EndLike | tuple[EndLike, EndLike]
#: Boundary conditions: of all axes, or by the name of an axis, and there perhaps by field. "sbp" is
#: for all axes.
BoundaryLike: TypeAlias = ConditionLike | Literal["sbp"] | Mapping[Any, Any] | None
#: The condition next to missing values: of all axes, or by the name of an axis and by field.
CoastLike: TypeAlias = EndLike | Literal["zero"] | Mapping[Any, Any] | None
#: Whether walls are at the last points or half a step beyond.
WallLike: TypeAlias = Literal["node", "face"]
#: A window and the degree of polynomials that smooth.
SmoothLike: TypeAlias = tuple[Any, int] | tuple[Any, int, Literal["tricube"]] | None

#: What components of vectors are relative to; None leaves it to their attributes.
RelativeLike: TypeAlias = Literal["grid", "earth"] | None


#: The standard deviation of the data: for all fields, or by the name of each.
SigmaLike: TypeAlias = float | xr.DataArray | str | Mapping[Any, Any] | None


class PintUnit(Protocol):
    """A unit of pint, which type checkers need not know."""

    @property
    def dimensionality(self) -> Any:
        """Exponents by base dimension."""


#: Units of results: for all of them, or by the name of each.
UnitsLike: TypeAlias = str | PintUnit | Mapping[Any, str | PintUnit] | None


class Options(TypedDict, total=False):
    """Name the options that every operator has, with their types."""

    metric: MetricLike
    accuracy: int
    edge_order: int | None
    spacing: SpacingLike
    periodic: PeriodicLike
    boundary: BoundaryLike
    wall: WallLike
    skipna: bool
    coast: CoastLike
    units: UnitsLike


#: Names of the options of operators on components.
COMPONENT_OPTIONS = (*Options.__annotations__, "relative", "form", "to", "positions")


def grid_options(
    metric: Any,
    spacing: Any,
    periodic: Any,
    boundaries: BoundaryOptions | None = None,
    along: Hashable | None = None,
    at_constant: Hashable | None = None,
) -> GridOptions:
    """Return the options that decide a grid; a periodic of "auto" is None there."""
    is_auto = isinstance(periodic, str) and periodic == "auto"
    period = None if is_auto else periodic
    return GridOptions(metric, spacing, period, along, at_constant, boundaries)


def check_options(obj: XarrayObject | xr.DataTree, options: Mapping[str, Any]) -> None:
    """Refuse options that no call on an object, or on any node of a tree, could take.

    Raises
    ------
    TypeError, ValueError
        If an option does not exist, or its value or a name in it does not fit the object.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(
                f"{name!r} is not an option that all operators have"
                f"{close_name(name, Options.__annotations__)}; "
                f"give some of {', '.join(Options.__annotations__)}"
            )
    if isinstance(obj, xr.DataTree):
        call_at_nodes(lambda ds, **own: check_options(ds, own), node_datasets(obj), options)
        return
    obj = cast("XarrayObject", without_quantities(obj, {}))
    options = without_quantities(options, {}, is_field=False)
    scheme = {"accuracy": 2, "edge_order": None, "skipna": False, **options}
    Scheme.checked(1, scheme["accuracy"], scheme["edge_order"], scheme["skipna"])
    read_requested_units(options.get("units"))
    resolve_metric(options.get("metric"), obj)
    grid = grid_options(None, options.get("spacing"), options.get("periodic"))
    given = options.get("boundary"), options.get("wall", "node"), options.get("coast")
    boundaries = read_boundaries(*given, options.get("skipna", False))
    entries = {} if boundaries is None else {**boundaries.coasts([]), **boundaries.entries([])}
    spacing, periods = grid.spacing, periodic_mapping(grid.periodic, [])
    if spacing is not None and not isinstance(spacing, Mapping):
        # A number is for every dimension; whether positions fit, the dimensions of a call decide.
        spacing = dict.fromkeys(obj.dims, spacing) if np.ndim(spacing) == 0 else {}
    for name in {**(spacing or {}), **periods, **entries}:
        ref = resolve_coord(obj, name)
        if len(ref.dims) < 2 and spacing and spacing.get(name) is not None:
            make_axis(ref, obj.sizes[ref.dim], spacing[name], periods.get(name, False))
        elif len(ref.dims) < 2 and not is_quantity(periods.get(name)):
            to_period(periods.get(name, False), None, f"coordinate {str(ref.name)!r}")
