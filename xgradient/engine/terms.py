"""Sums of terms: weighted stencils of input arrays, as every linear operator needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..kernels.requests import Combine
from ..stencils.columns import ColumnWindows
from ..stencils.errors import StencilGroup
from ..stencils.table import Stencil
from .ghost_cells import Walls


@dataclass(frozen=True)
class PolarFold:
    """How latitudes continue across the poles: by the rows of the opposite meridians.

    Attributes
    ----------
    lon_axis : int
        The axis of the longitudes: an even number of them, uniform on the whole circle.
    sign : int
        1 for scalars, -1 for vector components, whose directions reverse at a pole.
    on_fold : tuple of int
        For the first and the last row: 1 if it lies on its pole, and so is not repeated; else 0.
    """

    lon_axis: int
    sign: int
    on_fold: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Term:
    """``output_weight × stencil(field)``, or ``stencil(field) + center_weight × field``.

    With a stretching it is ``output_weight × (stencil(field) - stretching × second difference)``.

    Attributes
    ----------
    field : int
        Index of the input array.
    axis : int
        Axis of the stencil.
    stencil : Stencil, StencilGroup or ColumnWindows
        Coefficients for each row of the axis; width 1 means the field itself. A group is an error.
    output_weight : array of float64 or int, optional
        Weight of the stencil's result, in memory or in dask chunks. It has as many dimensions as
        the field, each of the field's length or 1. An int is the index of a dask weight, whose
        chunks each block receives as arguments.
    center_weight : array of float64 or int, optional
        Weight of the field itself; requires that there is no output weight.
    stretching : array of float64 or int, optional
        Corrects a first derivative by three nodes for unequal steps on both sides. It is like the
        output weight, which it requires, and 0 where a node on one side is missing.
    fold : PolarFold or Walls, optional
        How the axis continues across poles or beyond walls. Without it, a stencil that reaches
        over the ends belongs to a periodic axis.
    positions : int, optional
        Index of the input array with the positions of the cells, for `ColumnWindows`. Such a term
        has no weights, and is the only one of its sum.
    """

    field: int
    axis: int
    stencil: Stencil | StencilGroup | ColumnWindows
    output_weight: Any = None
    center_weight: Any = None
    stretching: Any = None
    fold: PolarFold | Walls | None = None
    positions: int | None = None

    @property
    def weights(self) -> tuple[Any, Any, Any]:
        """The output weight, the center weight and the stretching."""
        return self.output_weight, self.center_weight, self.stretching


@dataclass(frozen=True, eq=False)
class PoleValue:
    """Replacement for the infinite terms of a sum on rows that lie exactly on a pole.

    With D the derivative along the meridians at the pole, the value is
    ``value D + mean <D> + azimuthal_derivative dP/dλ``. Here <D> is the mean over all meridians,
    and P the part of D with ``harmonic`` waves round the pole.

    Attributes
    ----------
    field, axis : int
        Index of the input array, and its axis of latitudes.
    rows : tuple of Stencil, StencilGroup or None
        For the first and the last latitude, its row of the stencil, counted from the row's own
        node; None if that latitude is not a pole.
    value, mean, azimuthal_derivative : tuple of float
        The factors at the first and the last latitude.
    harmonic : int
        Waves round the pole in the part that is differentiated along longitude.
    lon_axis : int or None
        The axis of longitudes; None if there is only one meridian.
    fold : PolarFold, optional
        How the latitudes continue across the poles.
    """

    field: int
    axis: int
    rows: tuple[Stencil | StencilGroup | None, Stencil | StencilGroup | None]
    value: tuple[float, float] = (0.0, 0.0)
    mean: tuple[float, float] = (0.0, 0.0)
    azimuthal_derivative: tuple[float, float] = (0.0, 0.0)
    harmonic: int = 1
    lon_axis: int | None = None
    fold: PolarFold | None = None


@dataclass(frozen=True, eq=False)
class TermSum:
    """A sum of terms, or the root of the sum of their squares, and its values on pole rows."""

    terms: tuple[Term, ...]
    pole_values: tuple[PoleValue, ...] = ()
    root_of_squares: bool = False

    def __post_init__(self) -> None:
        assert self.terms, "a sum without a term would be memory that nothing has written"


@dataclass(frozen=True, eq=False)
class Computation:
    """All sums of one call, and the function that combines them.

    Attributes
    ----------
    sums : tuple of TermSum
        The sums.
    n_inputs : int
        Number of input arrays.
    combine : callable or None
        Makes the results from the lists of sums and of input arrays, point by point; without it
        the results are the sums.
    n_outputs : int
        Number of results.
    n_weights : int
        Number of dask weights, whose chunks each block receives as arguments.
    """

    sums: tuple[TermSum, ...]
    n_inputs: int
    combine: Combine | None = None
    n_outputs: int = 1
    n_weights: int = 0

    @cached_property
    def position_inputs(self) -> tuple[int, ...]:
        """Indices of the input arrays that hold positions.

        These may be 1 long along some axes, and do not affect the dtype of the results.
        """
        return tuple(position_inputs(self.sums))


def position_inputs(sums: Sequence[TermSum]) -> set[int]:
    """Indices of the input arrays that hold positions."""
    return {t.positions for s in sums for t in s.terms if t.positions is not None}


def all_weights(sums: Sequence[TermSum]) -> list[Any]:
    """The weights of all terms."""
    return [w for s in sums for t in s.terms for w in t.weights if w is not None]
