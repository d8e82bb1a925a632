"""Lengths and areas of cells by the scale factors of a model's file: ROMS, WRF, NEMO and MITgcm.

A position on the cells has two letters, for x and for y: c for centers and f for faces. So "fc" is
where a C-grid has its u, "cf" where it has its v, and "ff" the corners.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.hints import quote_names
from ..labels.units import length_units
from .cell_axes import CellAxis
from .cell_measures import CellMeasures, Dims, at_position
from .curvilinear_measures import CurvilinearMeasures
from .metrics import Sphere
from .scale_factors import all_variables
from .wrf import one_time, step_on_map

#: Letters of the points of NEMO, by position.
NEMO_POINTS = {"cc": "t", "fc": "u", "cf": "v", "ff": "f"}
#: Vertical scale factors of NEMO on the faces of levels.
NEMO_ON_FACES = {"cc": "e3w", "fc": "e3uw", "cf": "e3vw", "ff": "e3fw"}
#: Radius of the Earth in NEMO, in metres.
NEMO_RADIUS = 6371229.0
#: Lengths and areas of MITgcm, by direction and position.
MITGCM_NAMES = {
    "x": {"cc": "dxF", "fc": "dxC", "cf": "dxG", "ff": "dxV"},
    "y": {"cc": "dyF", "fc": "dyG", "cf": "dyC", "ff": "dyU"},
    "area": {"cc": "rA", "fc": "rAw", "cf": "rAs", "ff": "rAz"},
}
#: Map factors of WRF by position. Those for one direction have its letter after the name.
WRF_NAMES = {"cc": "MAPFAC_M", "fc": "MAPFAC_U", "cf": "MAPFAC_V"}


#: All variables that a metric of a model may read.
MODEL_VARIABLES = (
    "pm", "pn",
    *(f"{e}{point}" for e in ("e1", "e2", "e3", "e1e2") for point in NEMO_POINTS.values()),
    *NEMO_ON_FACES.values(),
    *(name for names in MITGCM_NAMES.values() for name in names.values()), "drF", "drC",
    *(f"{name}{letter}" for name in WRF_NAMES.values() for letter in ("", "X", "Y")),
)  # fmt: skip


class ModelMeasures(CellMeasures):
    """Lengths by the variables of a file; other axes have those of their coordinates."""

    #: The name of the metric.
    model = ""

    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return lengths in metres along x and y, and along z where the model has them."""
        if not self.has_length(dim):
            return self.line_length(dim)
        return self.model_length(str(self.axis_of(dim).letter), dim, dims)

    def has_length(self, dim: Hashable) -> bool:
        """Return True for a dimension with lengths of the file, False for one with its own.

        Raises
        ------
        ValueError
            If the direction of a dimension without coordinate is not known.
        """
        letter = self.axis_of(dim).letter
        if letter is None and dim not in self.obj.coords:
            raise ValueError(
                f"metric is {self.model!r}, but whether {str(dim)!r} is along x or y is not known; "
                f"rename it, e.g. with .rename({{{str(dim)!r}: 'x'}})"
            )
        return letter is not None and letter in self.letters()

    def letters(self) -> str:
        """Return the directions for which the file has lengths."""
        return "xy"

    @abstractmethod
    def model_length(self, letter: str, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the lengths along one of the model's directions."""

    def position(self, dims: Dims) -> str:
        """Return the position that dimensions have: c or f for x, then for y."""
        found = {axis.letter: axis.is_center(dim)
                 for axis in self.axes if (dim := axis.dim_among(dims)) is not None}  # fmt: skip
        return "".join("c" if found.get(letter, True) else "f" for letter in "xy")

    def find(self, *names: str) -> xr.Variable | None:
        """Return the first of some variables that the data have."""
        variables = all_variables(self.obj)
        return next((one_time(variables[n]) for n in names if n in variables), None)

    def get(self, name: str, dims: Dims, *others: str) -> xr.Variable:
        """Return a variable in float64 at the position of dimensions.

        Raises
        ------
        ValueError
            If it is missing, is not a number of metres or lies along other dimensions.
        """
        found = self.find(name, *others)
        if found is None:
            raise ValueError(
                f"metric is {self.model!r}, but the data have no {name}, which it needs at "
                f"{quote_names(dims)}; call an operator of the Dataset, or add it to the data, "
                f"e.g. with .assign_coords({name}=ds.{name})"
            )
        values = np.asarray(found.to_numpy(), np.float64)
        if bool((values < 0).any()) or bool(np.isinf(values).any()):
            bad = values[(values < 0) | np.isinf(values)][0]
            raise ValueError(f"{name} has the value {bad}; scale factors must be positive")
        variable = xr.Variable(found.dims, values, found.attrs)
        return at_position(variable, self.axes, dims, name)


class RomsMeasures(ModelMeasures):
    """Lengths of ROMS: 1/pm and 1/pn, averaged over two or four points before the inversion.

    Shchepetkin and McWilliams (2005), doi:10.1016/j.ocemod.2004.08.002.
    """

    model = "roms"

    def model_length(self, letter: str, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the inverse of pm along x, and of pn along y."""
        inverse = self.get({"x": "pm", "y": "pn"}[letter], dims)
        length: xr.Variable = 1 / inverse
        length.attrs = {"units": "m"}
        return length


class WrfMeasures(ModelMeasures):
    """Lengths of WRF: DX and DY over the map factors, each at the points where the file has it.

    At corners the factor of u is averaged along y, and that of v along x, as WRF does.
    """

    model = "wrf"

    def model_length(self, letter: str, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the step on the map over the map factor."""
        position = self.position(dims)
        if position == "ff":
            position = {"x": "fc", "y": "cf"}[letter]
        name = WRF_NAMES[position]
        by_letter = f"{name}{letter.upper()}"
        factor = self.get(name if self.find(by_letter) is None else by_letter, dims)
        length = step_on_map(letter, all_variables(self.obj), [self.obj]) / factor
        length.attrs = {"units": "m"}
        return length


class NemoMeasures(ModelMeasures):
    """Lengths of NEMO: e1, e2 and e3 at t, u, v, f and w points.

    A file without any e1 and e2 has lengths by its latitudes and longitudes, on NEMO's sphere
    (Madec et al. 2022, doi:10.5281/zenodo.6334656).
    """

    model = "nemo"

    def __init__(self, obj: XarrayObject, axes: Sequence[CellAxis]) -> None:
        super().__init__(obj, axes)
        names = [f"{e}{point}" for e in ("e1", "e2") for point in NEMO_POINTS.values()]
        self.by_latlon = None
        if self.find(*names) is None:
            self.by_latlon = CurvilinearMeasures(obj, axes, Sphere(NEMO_RADIUS))

    def letters(self) -> str:
        """Return the directions for which the file has lengths."""
        names = [f"e3{point}{end}" for point in (*NEMO_POINTS.values(), "w") for end in ("", "_0")]
        return "xy" if self.find(*names) is None else "xyz"

    def model_length(self, letter: str, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return e1 along x, e2 along y and e3 along z."""
        position = self.position(dims)
        if letter == "z":
            on_faces = not self.axis_of(dim).is_center(dim)
            name = NEMO_ON_FACES[position] if on_faces else f"e3{NEMO_POINTS[position]}"
            return _in_metres(self.get(name, dims, f"{name}_0"))
        if self.by_latlon is not None:
            return self.by_latlon.length(dim, dims)
        return _in_metres(self.get({"x": "e1", "y": "e2"}[letter] + NEMO_POINTS[position], dims))

    def area(self, first: Hashable, second: Hashable, dims: Dims) -> xr.Variable:
        """Return e1 times e2, or the product that the file has."""
        letters = {self.axis_of(dim).letter for dim in (first, second)}
        name = f"e1e2{NEMO_POINTS[self.position(dims)]}"
        if letters != {"x", "y"} or self.find(name) is None:
            return super().area(first, second, dims)
        area = self.get(name, dims)
        area.attrs = {"units": "m2"}
        return area


class MitgcmMeasures(ModelMeasures):
    """Lengths and areas of MITgcm: dxC, dyC, dxG, dyG, dxF, dyF, dxV, dyU, rA, rAw, rAs, rAz.

    Along z they are drF at centers and drC on faces. Partial cells are not in these: multiply the
    data by hFacC, hFacW or hFacS.
    """

    model = "mitgcm"

    def letters(self) -> str:
        """Return the directions for which the file has lengths."""
        return "xy" if self.find("drF", "drC") is None else "xyz"

    def model_length(self, letter: str, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the length by direction and position."""
        if letter == "z":
            return _in_metres(self.get("drF" if self.axis_of(dim).is_center(dim) else "drC", dims))
        return _in_metres(self.get(MITGCM_NAMES[letter][self.position(dims)], dims))

    def area(self, first: Hashable, second: Hashable, dims: Dims) -> xr.Variable:
        """Return the area of the file across x and y."""
        if {self.axis_of(dim).letter for dim in (first, second)} != {"x", "y"}:
            return super().area(first, second, dims)
        area = self.get(MITGCM_NAMES["area"][self.position(dims)], dims)
        area.attrs = {"units": "m2"}
        return area


def _in_metres(length: xr.Variable) -> xr.Variable:
    """Return a length with its units; metres if it has none."""
    length.attrs = {"units": length_units(length.attrs.get("units"))}
    return length


#: The measures of each model by the name of its metric.
MODELS: Mapping[str, Any] = {
    "roms": RomsMeasures,
    "wrf": WrfMeasures,
    "nemo": NemoMeasures,
    "mitgcm": MitgcmMeasures,
}
