"""The metric of a model's file, whose lengths are read when they are needed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from .._typing import XarrayObject
from ..labels.hints import quote_names
from .directions import letter_of_dim
from .scale_factors import ScaleFactors


@dataclass(frozen=True, eq=False)
class ModelMetric:
    """The scale factors of a model's file.

    Attributes
    ----------
    model : str
        The name of the metric.
    obj : DataArray or Dataset
        The data that have the scale factors.
    """

    model: str
    obj: XarrayObject

    def measures(self, axes: Sequence[Any]) -> Any:
        """Return the measures of the cells of axes."""
        from .model_measures import MODELS

        return MODELS[self.model](self.obj, axes)

    def scale_factors(
        self, dims: Sequence[Hashable], of_fields: tuple[Hashable, ...]
    ) -> ScaleFactors:
        """Return the scale factors of dimensions, where fields with other dimensions are."""
        axes: list[Any] = []
        for dim in of_fields:
            if not any(dim in axis.names for axis in axes):
                axes.append(_axis_of_fields(self.obj, dim))
        for axis in axes:
            names = [dim for dim in of_fields if dim in axis.names]
            if len({axis.position(dim) for dim in names}) > 1:
                raise ValueError(
                    f"metric is {self.model!r}, but fields are at {quote_names(names)}, which are "
                    "several positions of one axis; select variables of one position, and make "
                    "scale factors coordinates, e.g. with .set_coords"
                )
        measures = self.measures(axes)
        lengths = {dim: measures.length(dim, of_fields)
                   for dim in dims if measures.has_length(dim)}  # fmt: skip
        # Along a vertical whose positions decrease, a step of the index is a negative length.
        factors = {dim: v * float(measures.direction(dim)) for dim, v in lengths.items()}
        return ScaleFactors(factors, {dim: v.attrs["units"] for dim, v in lengths.items()})


def _axis_of_fields(obj: XarrayObject, dim: Hashable) -> Any:
    """Return the axis of a dimension; of faces without centers, with any position on faces."""
    from .cell_axes import CellAxis, find_cell_axis

    try:
        return find_cell_axis(obj, dim)
    except ValueError:
        return CellAxis(letter_of_dim(obj, dim), obj.sizes[dim], {"left": [dim]})
