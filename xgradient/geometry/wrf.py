"""The grid of WRF at mass points: map factors of the file, and directions on the Earth.

In WRF, x and y are lengths on a map with steps of DX and DY, and map factors are these over
lengths on the Earth (Skamarock et al. 2019, doi:10.5065/1dfh-6p97). A step along x is
DX / MAPFAC_MX metres long, which is the scale factor of an index.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import latlon_kind
from ..labels.axis import Axis
from ..labels.coordinates import CoordRef, squeezed
from ..labels.hints import quote_names
from ..labels.unit_conversion import factor_between
from ..labels.units import unit_text
from ..stencils.scheme import Scheme
from .directions import directions_by_latlon, grid_dims
from .grid import GridDirections
from .metrics import Sphere
from .model_metric import ModelMetric
from .orthogonal import OrthogonalGrid
from .scale_factors import (
    ScaleFactors,
    all_variables,
    check_positive,
    grid_with_scale_factors,
    to_length,
)

#: Radius of the Earth in WRF, in metres.
RADIUS = 6370000.0
#: Names of the map factors at mass points along x and y, and the one for both.
FACTORS, FACTOR = {"x": "MAPFAC_MX", "y": "MAPFAC_MY"}, "MAPFAC_M"
#: Beginnings of the names of map factors on faces.
FACE_FACTORS = ("MAPFAC_U", "MAPFAC_V")
#: Global attributes with the steps on the map in metres.
STEPS = {"x": "DX", "y": "DY"}
#: Variables with the cosine and the sine of the angle from east to x.
ROTATION = ("COSALPHA", "SINALPHA")
#: Variables at mass points that the metric may need.
WRF_VARIABLES = (*FACTORS.values(), FACTOR, *ROTATION, "XLAT", "XLONG")
#: End of the names of dimensions of faces.
STAGGERED = "_stag"


@dataclass(frozen=True, eq=False)
class WrfMetric:
    """Scale factors of WRF at mass points.

    Attributes
    ----------
    dims : mapping from "x" and "y" to hashable
        The dimensions of mass points.
    factors : ScaleFactors
        The scale factor of each dimension.
    variables : Dataset
        The variables of the file that hold directions: COSALPHA and SINALPHA, or the latitude and
        the longitude.
    faces : ModelMetric or None
        The scale factors on faces, of a file that has their map factors.
    """

    dims: Mapping[str, Hashable]
    factors: ScaleFactors
    variables: xr.Dataset
    faces: ModelMetric | None = None

    def names(self, obj: XarrayObject) -> list[Hashable]:
        """Return the dimensions of mass points, in the order of the data."""
        return [dim for dim in obj.dims if dim in self.dims.values()]

    def on_faces(
        self, refs: Iterable[CoordRef], fields: Sequence[xr.DataArray]
    ) -> ModelMetric | None:
        """Return the scale factors on faces, if a call is for fields there; else None."""
        dims = {ref.dim for ref in refs}
        used = {dim for field in fields if dims & set(field.dims) for dim in field.dims}
        return self.faces if any(map(_is_face, dims | used)) else None

    def make_grid(
        self, axes: list[Axis], fields: Sequence[xr.DataArray], scheme: Scheme
    ) -> OrthogonalGrid:
        """Return the grid of a call.

        Parameters
        ----------
        axes : list of Axis
            The axes that the call names.
        fields : sequence of DataArray
            The fields.
        scheme : Scheme
            Accuracy and boundary rows of derivatives of the scale factors.

        Raises
        ------
        ValueError
            If an axis or a field is not at mass points.
        """
        dims = {axis.dim for axis in axes}
        used = [field for field in fields if dims & set(field.dims)]
        _check_mass_points(dims, used)
        sizes = {dim: n for field in used for dim, n in field.sizes.items()}
        grid = grid_with_scale_factors(axes, self.factors, sizes, scheme)
        names = {axis.dim: axis.name for axis in axes}
        x, y = (names.get(self.dims[letter]) for letter in STEPS)
        directions = GridDirections((x, y), "grid", self.unit_vectors)
        return replace(grid, directions=directions)

    def unit_vectors(self) -> list[xr.Variable]:
        """Return unit vectors along x and y, as `GridDirections` has them."""
        if all(name in self.variables for name in ROTATION):
            cosine, sine = (self.variables[name].variable for name in ROTATION)
            return [cosine, sine, -sine, cosine]
        vectors = directions_by_latlon(self.variables, Sphere(RADIUS))
        if vectors is None:
            raise ValueError(
                "components are relative to the Earth, but the data have neither "
                f"{' and '.join(ROTATION)} nor one latitude and longitude at mass points; add "
                "them, e.g. with .assign_coords(XLAT=ds.XLAT, XLONG=ds.XLONG)"
            )
        return vectors


def _is_face(dim: Hashable) -> bool:
    """Return True for a dimension of faces along x or y."""
    return str(dim).endswith(STAGGERED) and not str(dim).startswith(("bottom", "soil"))


def _check_mass_points(dims: Iterable[Hashable], fields: Sequence[xr.DataArray]) -> None:
    """Refuse axes and fields on the faces between mass points along x or y."""
    of_fields = {dim: f"{str(field.name)!r} lies" for field in fields for dim in field.dims}
    for dim, label in {**of_fields, **dict.fromkeys(dims, "the call goes")}.items():
        if _is_face(dim):
            cells = str(dim).removesuffix(STAGGERED)
            raise ValueError(
                f"metric='wrf' is for values at mass points, but {label} along {str(dim)!r}; "
                f"average neighbours, e.g. with .rolling({dim}=2).mean()"
                f".isel({dim}=slice(1, None)).rename({dim}={cells!r}), or leave it out"
            )


def read_wrf_metric(obj: XarrayObject, fields: Iterable[xr.DataArray]) -> WrfMetric:
    """Return the scale factors of a file of WRF.

    Map factors are variables of the Dataset, or coordinates of the data. Along a dimension without
    coordinate, DX or DY is one step. A coordinate in units of length is on the map itself.

    Raises
    ------
    ValueError
        If map factors or steps are missing, or not of mass points.
    """
    fields = list(fields)
    variables = {name: v for data in (*fields, obj) for name, v in all_variables(data).items()}
    names = FACTORS if set(FACTORS.values()) <= set(variables) else dict.fromkeys(STEPS, FACTOR)
    if not set(names.values()) <= set(variables):
        raise ValueError(
            f"metric is 'wrf', but the data have neither {FACTOR} nor both "
            f"{' and '.join(FACTORS.values())}; call an operator of the Dataset, or add it to the "
            f"data, e.g. with .assign_coords({FACTOR}=ds.{FACTOR})"
        )
    factors = {letter: one_time(variables[name]) for letter, name in names.items()}
    dims = factors["x"].dims[-2:]
    if len(dims) < 2 or any(set(f.dims) - {"Time"} != set(dims) for f in factors.values()):
        raise ValueError(
            f"metric is 'wrf', but {names['x']} lies along {quote_names(factors['x'].dims)}; it "
            "needs the two dimensions of mass points"
        )
    points = _at_mass_points(variables, (dims[0], dims[1]))
    (x, _), (y, _) = grid_dims(points, (dims[0], dims[1]))
    by_letter, lengths = {"x": x, "y": y}, {}
    for letter, dim in by_letter.items():
        step = _metres_per_unit(letter, dim, variables, [obj, *fields])
        lengths[dim] = step / check_positive(factors[letter], names[letter])
    on_faces = any(name.startswith(FACE_FACTORS) for name in map(str, variables))
    return WrfMetric(
        by_letter,
        ScaleFactors(lengths, dict.fromkeys(lengths, "m")),
        points,
        ModelMetric("wrf", obj) if on_faces else None,
    )


def one_time(variable: xr.Variable) -> xr.Variable:
    """Return a variable without its times of length 1, or of equal values."""
    variable = squeezed(variable)
    if "Time" not in variable.dims:
        return variable
    first = variable.isel(Time=0)
    values = variable.transpose("Time", ...).to_numpy()
    return first if bool((values == values[:1]).all()) else variable


def _at_mass_points(
    variables: Mapping[Hashable, xr.Variable], dims: tuple[Hashable, Hashable]
) -> xr.Dataset:
    """Return the variables that hold directions, as coordinates of a grid of mass points."""
    found = {
        name: one_time(v)
        for name, v in variables.items()
        if name in ROTATION or (v.ndim > 1 and latlon_kind(name, v) is not None)
    }
    chosen = {name: v for name, v in found.items() if set(v.dims) - {"Time"} == set(dims)}
    chosen |= {dim: variables[dim] for dim in dims if dim in variables}
    grid = xr.Dataset(coords=chosen)
    # Coordinates belong to a grid whose dimensions data have.
    return grid.assign(grid=(tuple(grid.sizes), np.empty(tuple(grid.sizes.values()), bool)))


def _metres_per_unit(
    letter: str,
    dim: Hashable,
    variables: Mapping[Hashable, xr.Variable],
    sources: Sequence[XarrayObject],
) -> float:
    """Return the metres on the map in one unit of a coordinate, or in one step without one."""
    coord = variables.get(dim)
    if coord is not None and (units := coord.attrs.get("units")) is not None:
        if (metres := factor_between(unit_text(units) or "", "m")) is None:
            raise ValueError(
                f"metric is 'wrf', but coordinate {str(dim)!r} has the units {units!r}; give it a "
                "unit of length, or drop it"
            )
        return metres
    if coord is not None and coord.dtype.kind not in "iu":
        raise ValueError(
            f"metric is 'wrf', but coordinate {str(dim)!r} has no units; set its attribute units, "
            "such as 'm' for metres on the map, or drop it"
        )
    return step_on_map(letter, variables, sources)


def step_on_map(
    letter: str, variables: Mapping[Hashable, xr.Variable], sources: Sequence[XarrayObject]
) -> float:
    """Return DX or DY in metres, an attribute or a variable of a file.

    Raises
    ------
    ValueError
        If the data have neither.
    """
    name = STEPS[letter]
    found = [source.attrs[name] for source in sources if name in source.attrs]
    if name in variables:
        found.append(variables[name].to_numpy())
    if not found:
        raise ValueError(
            f"metric is 'wrf', but the data have no attribute {name}, the step in metres; call an "
            f"operator of the Dataset, or add it, e.g. with .assign_attrs({name}=ds.{name})"
        )
    step = found[0]
    return to_length(step.item() if np.size(step) == 1 and np.ndim(step) else step, name)
