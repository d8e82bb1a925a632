"""Lengths and areas of cells at any position: at centers, on faces and at corners.

The dimensions of a field say where its values are on the cells. So lengths and areas are asked
for with these dimensions. Further sources are subclasses of `CellMeasures`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from ..labels.angles import turn_of
from ..labels.hints import quote_names
from ..labels.points import GRID_ATTRS
from ..labels.units import product_units, unit_text
from .cell_axes import CellAxis, neighbour_means
from .given_areas import Areas, read_given_areas
from .line_cells import LineCells, as_variable, coords_along, read_line_cells
from .scale_factors import ScaleFactors

Dims = tuple[Hashable, ...]


class CellMeasures(ABC):
    """Lengths and areas of the cells of a grid, at any position.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, with coordinates and scale factors.
    axes : sequence of CellAxis
        The axes of the grid.
    """

    #: True where one step of an index is one unit of length by which scale factors are measured.
    by_index = True
    #: True where faces at the ends of an axis have whole lengths, which means are of; integrals
    #: need half of these.
    whole_ends = False
    #: True where areas come first that the file gives in square metres.
    takes_given_areas = False

    def __init__(self, obj: XarrayObject, axes: Sequence[CellAxis]) -> None:
        self.obj, self.axes = obj, list(axes)
        self._lines: dict[int, LineCells] = {}

    @abstractmethod
    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the lengths of cells along a dimension, at the position that dimensions have.

        Parameters
        ----------
        dim : hashable
            The dimension of the lengths.
        dims : tuple of hashable
            The dimensions of a field, with ``dim`` among them.

        Returns
        -------
        Variable
            Positive lengths in float64, along some of ``dims``. The attribute ``units`` is "m" or
            the units of the coordinate; without units, they are unknown. A length is missing
            where the data do not have the neighbours to compute it from.

        Raises
        ------
        ValueError
            If a variable is missing, or ``dim`` is not of an axis of the grid.
        """

    def area(self, first: Hashable, second: Hashable, dims: Dims) -> xr.Variable:
        """Return the areas of cells across two dimensions, at the position that dimensions have.

        Parameters
        ----------
        first, second : hashable
            The two dimensions of the areas.
        dims : tuple of hashable
            The dimensions of a field, with both among them.
        """
        a, b = self.length(first, dims), self.length(second, dims)
        product = a * b
        units = product_units(a.attrs.get("units"), b.attrs.get("units"))
        product.attrs = {} if units is None else {"units": units}
        return product

    @cached_property
    def given_areas(self) -> Areas:
        """Return the areas that the file gives, by the dimensions of the cells."""
        return read_given_areas(self.obj) if self.takes_given_areas else {}

    def area_across(self, first: Hashable, second: Hashable, dims: Dims) -> xr.Variable:
        """Return the areas that the file gives for two dimensions, else those of `area`."""
        given = self.given_areas.get(frozenset((first, second)))
        return self.area(first, second, dims) if given is None else given

    def scale(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the length of one unit of the coordinate, or of one step of the index."""
        return self.length(dim, dims)

    def measure(
        self, across: Sequence[Hashable], dims: Dims, *, scales: bool = False
    ) -> xr.Variable:
        """Return the length, area or volume of cells across some dimensions.

        Parameters
        ----------
        across : sequence of hashable
            No dimension, for which the measure is 1, or up to three.
        dims : tuple of hashable
            The dimensions of a field, with these among them.
        scales : bool
            True for the measure of one unit of all coordinates.
        """
        if not across:
            return xr.Variable((), 1.0)
        if scales and not self.by_index:
            first, *others = (self.scale(dim, dims) for dim in across)
        elif len(across) > 1:
            flat = sorted(across, key=lambda dim: self.axis_of(dim).letter == "z")
            area = self.area_across(flat[0], flat[1], dims)
            first, *others = area, *(self.length(dim, dims) for dim in flat[2:])
        else:
            first, others = self.length(across[0], dims), []
        for other in others:
            first = first * other
        return first

    def direction(self, dim: Hashable) -> int:
        """Return 1 if positions increase along a dimension, else -1.

        Components along x and y of an index are along it.
        """
        if self.by_index and self.axis_of(dim).letter in ("x", "y"):
            return 1
        centers = self.line(dim).centers
        return -1 if len(centers) > 1 and centers[-1] < centers[0] else 1

    def closed_ends(self, dim: Hashable) -> tuple[bool, bool]:
        """Return True for both ends of an axis where the face has no length, as at a pole."""
        return False, False

    def coordinate(self, dim: Hashable) -> xr.Variable | None:
        """Return the coordinate of a dimension that the data do not have; None if unknown."""
        return None

    def axis_of(self, dim: Hashable) -> CellAxis:
        """Return the axis of a dimension."""
        for axis in self.axes:
            if dim in axis.names:
                return axis
        names = [name for axis in self.axes for name in axis.names]
        raise ValueError(
            f"{str(dim)!r} is not a dimension of the grid; there are {quote_names(names)}"
        )

    def line(self, dim: Hashable) -> LineCells:
        """Return the cells of the axis of a dimension by its coordinates."""
        axis = self.axis_of(dim)
        number = self.axes.index(axis)
        if number not in self._lines:
            self._lines[number] = self.read_line(axis)
        return self._lines[number]

    def read_line(self, axis: CellAxis) -> LineCells:
        """Read the cells of an axis from its coordinates."""
        coords, period = coords_along(self.obj, axis), axis.period
        if axis.periodic and period is None and coords:
            first = next(iter(coords.values()))
            period = turn_of(first.dims[0], first, unit_text(first.attrs.get("units")))
        return read_line_cells(self.obj, axis, coords, period)

    def line_length(self, dim: Hashable) -> xr.Variable:
        """Return the lengths along a dimension, in units of its coordinate."""
        cells = self.line(dim)
        position = self.axis_of(dim).position(dim)
        segments = cells.segments(position, whole=self.whole_ends)
        return as_variable(dim, segments.lengths, cells.units)


class CoordinateMeasures(CellMeasures):
    """Lengths by the coordinates themselves: their differences, in their units."""

    by_index = False

    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the lengths along a dimension, in units of its coordinate."""
        return self.line_length(dim)

    def scale(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return 1: a coordinate is a length itself."""
        units = self.line(dim).units
        return xr.Variable((), 1.0, {} if units is None else {"units": units})

    def coordinate(self, dim: Hashable) -> xr.Variable | None:
        """Return the positions of a dimension that the data do not have."""
        axis = self.axis_of(dim)
        known = coords_along(self.obj, axis)
        first = next(iter(known.values()), None)
        if first is None or first.dtype.kind not in "iuf":
            return None
        points = self.line(dim).segments(axis.position(dim)).points
        return xr.Variable((dim,), points, coord_attrs(first))


class GivenMeasures(CoordinateMeasures):
    """Lengths by scale factors that a call gives, with averages between their positions.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data.
    axes : sequence of CellAxis
        The axes of the grid.
    factors : ScaleFactors
        The scale factors, each of a dimension of an axis, at any position.
    """

    def __init__(self, obj: XarrayObject, axes: Sequence[CellAxis], factors: ScaleFactors) -> None:
        super().__init__(obj, axes)
        self.factors = factors

    def length(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the scale factor at a position, times the step of the coordinate."""
        factor = self.scale(dim, dims)
        if not set(self.axis_of(dim).names) & set(self.factors.factors):
            return self.line_length(dim)
        product = factor * self.line_length(dim)
        product.attrs = factor.attrs
        return product

    def scale(self, dim: Hashable, dims: Dims) -> xr.Variable:
        """Return the scale factor at a position; 1 for an axis without one."""
        names = set(self.axis_of(dim).names)
        given = [name for name in self.factors.factors if name in names]
        if not given:
            return super().scale(dim, dims)
        name = dim if dim in given else given[0]
        factor = at_position(self.factors.factors[name], self.axes, dims, f"metric of {name!r}")
        factor.attrs = {"units": self.factors.units[name]}
        return factor


def coord_attrs(coord: xr.Variable) -> dict[Any, Any]:
    """Return the attributes of a coordinate that hold at another position."""
    return {key: value for key, value in coord.attrs.items() if key not in GRID_ATTRS}


def at_position(
    variable: xr.Variable, axes: Sequence[CellAxis], dims: Dims, label: str
) -> xr.Variable:
    """Return a variable at the position of other dimensions, by means of two neighbours.

    Parameters
    ----------
    variable : Variable
        Values along dimensions of the axes, at any position.
    axes : sequence of CellAxis
        The axes.
    dims : tuple of hashable
        The dimensions of the result, which may be more than it needs.
    label : str
        The variable in words, for error messages.

    Raises
    ------
    ValueError
        If the variable is on other faces than the result, or lies along another dimension.
    """
    values = np.asarray(variable.to_numpy(), np.float64)
    names: list[Hashable] = []
    for number, dim in enumerate(variable.dims):
        axis = next((a for a in axes if dim in a.names), None)
        to = dim if axis is None else axis.dim_among(dims)
        if to is None or (axis is None and dim not in dims):
            raise ValueError(
                f"{label} lies along {str(dim)!r}, but the data along {quote_names(dims)}; give "
                "one without this dimension"
            )
        names.append(to)
        here, there = ("", "") if axis is None else (axis.position(dim), axis.position(to))
        if here == there:
            continue
        if "center" not in (here, there):
            raise ValueError(
                f"{label} is at {here!r}, but the data are at {there!r}; give it there, or at "
                "the centers"
            )
        assert axis is not None
        values = neighbour_means(values, number, axis, here, there)
    return xr.Variable(names, values, variable.attrs)
