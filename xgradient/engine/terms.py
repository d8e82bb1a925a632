"""Sums of terms: what every linear operator is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..stencils.columns import ColumnWindows
from ..stencils.table import Stencil


@dataclass(frozen=True)
class PolarFold:
    """How latitudes continue across the poles: as the rows of the opposite meridians.

    Attributes
    ----------
    around : int
        The axis of the longitudes, an even number of them evenly round the globe.
    sign : int
        1 for scalars, -1 for components of vectors, whose directions turn round at a pole.
    skips : tuple of int
        For the first and the last row: 1 if it stands on its pole, and so is not repeated.
    """

    lon_axis: int
    sign: int
    on_fold: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Term:
    """``weight × stencil(field)``, or ``stencil(field) + value × field``.

    Attributes
    ----------
    field : int
        Which of the input arrays.
    axis : int
        The axis of the stencil.
    stencil : Stencil or Windows
        Its rows; those of width 1 stand for the field itself.
    weight : array of float64 or int, optional
        As many dimensions as the field has, each of its length or 1; in memory or in dask chunks.
        A number stands for one that is handed to each chunk.
    value : array of float64 or int, optional
        A weight of the field itself, which there is only without the other.
    fold : Fold, optional
        How the axis continues at its ends, if it does so across poles; a stencil that reaches
        over the ends belongs to a periodic axis otherwise.
    positions : int, optional
        Which of the input arrays holds the positions that the coefficients follow from, where
        there are only windows. Such a term has no weights, and is the only one of its sum.
    """

    field: int
    axis: int
    stencil: Stencil | ColumnWindows
    output_weight: Any = None
    center_weight: Any = None
    fold: PolarFold | None = None
    positions: int | None = None


@dataclass(frozen=True, eq=False)
class PoleValue:
    """What a sum has instead of its infinite terms on rows that stand on a pole.

    With D the derivative along the meridians there, it is ``keep D + mean <D> + turn dP/dλ``,
    where <D> is the mean of all meridians and P the part of D with ``harmonic`` waves around.

    Attributes
    ----------
    field, axis : int
        Which of the input arrays, and its axis of latitudes.
    rows : tuple of Stencil or None
        For the first and the last latitude its row of the stencil, counted from the row's own
        node; None if it does not stand on a pole.
    keep, mean, turn : tuple of float
        The factors at the first and the last latitude.
    harmonic : int
        Waves around the pole in the part whose derivative is taken.
    around : int or None
        The axis of longitudes; None if there are none, and one meridian stands for all.
    fold : Fold, optional
        How the latitudes continue across the poles.
    """

    field: int
    axis: int
    rows: tuple[Stencil | None, Stencil | None]
    value: tuple[float, float] = (0.0, 0.0)
    mean: tuple[float, float] = (0.0, 0.0)
    azimuthal_derivative: tuple[float, float] = (0.0, 0.0)
    harmonic: int = 1
    lon_axis: int | None = None
    fold: PolarFold | None = None


@dataclass(frozen=True, eq=False)
class TermSum:
    """A sum of terms, and what comes to it on pole rows; or the root of the sum of squares."""

    terms: tuple[Term, ...]
    pole_values: tuple[PoleValue, ...] = ()
    root_of_squares: bool = False

    def __post_init__(self) -> None:
        assert self.terms, "a sum without a term would be memory that nothing has written"


def position_inputs(sums: Sequence[TermSum]) -> set[int]:
    """Which of the input arrays hold positions."""
    return {t.positions for each in sums for t in each.terms if t.positions is not None}


def all_weights(sums: Sequence[TermSum]) -> list[Any]:
    """The weights and values of all terms."""
    every = [w for each in sums for t in each.terms for w in (t.output_weight, t.center_weight)]
    return [w for w in every if w is not None]
