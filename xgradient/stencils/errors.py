"""Stencils of the error of a derivative: by a higher order of accuracy, and by errors of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from .fornberg import CoefficientTables
from .masked import MaskedStencil
from .neighbours import neighbour_stencil
from .records import Record
from .table import Stencil

Floats = NDArray[np.float64]
Group = TypeVar("Group", bound="StencilGroup")

#: Factor of the largest difference between both orders of accuracy.
SAFETY_FACTOR = 2


@dataclass(frozen=True, eq=False)
class StencilGroup(Record):
    """Several stencils of the same rows, whose results are combined row by row.

    It has the attributes of a `Stencil` by which arrays are divided into chunks and tiles.

    Attributes
    ----------
    parts : tuple of Stencil
        The stencils. The first one is that of the derivative.
    """

    parts: tuple[Stencil, ...]

    @property
    def derivative(self) -> Stencil:
        """The stencil of the derivative itself."""
        return self.parts[0]

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.derivative.n

    @property
    def homes(self) -> None:
        """None: the rows are at the nodes."""
        return

    @property
    def coasts(self) -> None:
        """None: no condition holds at missing values."""
        return

    @property
    def center(self) -> int:
        """The node of row 0."""
        return self.derivative.center

    @cached_property
    def node_span(self) -> tuple[int, int]:
        """The nodes that all rows read, a half-open range."""
        spans = [part.node_span for part in self.parts]
        return min(first for first, _ in spans), max(last for _, last in spans)

    def rows_of_chunks(self, bounds: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
        """Return the range of rows that each chunk computes, by the ranges of its nodes."""
        return self.derivative.rows_of_chunks(bounds)

    @cached_property
    def depth(self) -> tuple[int, int]:
        """Nodes needed before the first row and after the last row, at least 0."""
        depths = [part.depth for part in self.parts]
        return max(before for before, _ in depths), max(after for _, after in depths)

    @cached_property
    def fits_float32(self) -> bool:
        """True if float32 can hold the coefficients."""
        return self.derivative.fits_float32

    @cached_property
    def with_boundary_rows(self) -> Self:
        """The stencils with boundary rows where windows leave nodes 0 … n-1."""
        return self._map(lambda part: part.with_boundary_rows)

    def is_shift_invariant(self, start: int, stop: int) -> bool:
        """Return whether all row ranges of this length in the interior have equal coefficients."""
        return all(part.is_shift_invariant(start, stop) for part in self.parts)

    def slice_rows(
        self,
        start: int,
        stop: int,
        *,
        origin: int | None = None,
        cells: int | None = None,
    ) -> Self:
        """The rows from ``start`` to ``stop``, numbered from 0; node ``origin`` becomes node 0."""
        return self._map(lambda part: part.slice_rows(start, stop, origin=origin, cells=cells))

    def _map(self, change: Callable[[Stencil], Stencil]) -> Self:
        return replace(self, parts=tuple(map(change, self.parts)))


@dataclass(frozen=True, eq=False)
class ErrorStencil(StencilGroup):
    """Estimate of the error of a derivative, from a derivative of higher order.

    It is ``2 max |D_p - D_p+2| + rounding Σ |w| |f|``, with the largest difference at the point and
    its two neighbours, and the weights w of D_p. Differences that are missing are left out.

    Attributes
    ----------
    parts : tuple of Stencil
        The derivative of order p, and the differences at the point before, at the point itself and
        at the point after.
    rounding : float
        The relative rounding of the data.
    """

    rounding: float

    def is_error_of(self, stencil: Stencil) -> bool:
        """Return whether a stencil is that of the derivative."""
        own = self.derivative
        names = ("interior", "boundary_windows", "boundary")
        return (own.n, own.first, own.last, own.offset, own.center) == (
            stencil.n, stencil.first, stencil.last, stencil.offset, stencil.center
        ) and all(np.array_equal(getattr(own, a), getattr(stencil, a)) for a in names)  # fmt: skip

    @cached_property
    def difference_rows(self) -> tuple[CoefficientTables, NDArray[np.int64], int, int, int, int]:
        """Tables of the differences at all points, and at one point more at both ends.

        They are the coefficients of the interior and of other rows; row, start and width of the
        window of each of these; then first, last, offset and width of the interior.
        """
        _, before, at, after = self.parts
        rows = [-1, *range(at.first), *range(at.last, at.n), at.n]
        ends = {-1: (before, 0), at.n: (after, at.n - 1)}
        windows = [part.window(row) for part, row in (ends.get(r, (at, r)) for r in rows)]
        table = np.array([(row, start, len(c) + 1)
                          for row, (start, c) in zip(rows, windows, strict=True)])  # fmt: skip
        others = _padded([c for _, c in windows])
        tables = CoefficientTables(at.interior, others)
        return tables, table, at.first, at.last, at.offset, at.width

    @cached_property
    def size_tables(self) -> CoefficientTables:
        """Magnitudes of the weights of interior and of boundary rows."""
        stencil = self.derivative
        boundary = [row[: width - 1] for row, width in
                    zip(stencil.boundary, stencil.boundary_widths, strict=True)]  # fmt: skip
        sizes = [abs(weights_of_values(row[:, None])[:, 0]) for row in boundary]
        return CoefficientTables(abs(weights_of_values(stencil.interior)), _padded(sizes))


@dataclass(frozen=True, eq=False)
class NoiseStencil(StencilGroup):
    """Standard deviation of a derivative, ``(Σ (w σ)²)^½``, from that of independent errors.

    Attributes
    ----------
    parts : tuple of Stencil
        The derivative.
    factor : float
        Factor of the result: the weights are of size 1, so that their squares do not underflow.
    of_ones : bool
        True if σ is 1 where the input has a value; else the input is σ.
    """

    factor: float
    of_ones: bool


def make_error_stencil(
    stencil: Stencil, higher: Stencil, rounding: float, *, periodic: bool
) -> ErrorStencil:
    """Make the estimate of the error of a derivative along a whole axis.

    Parameters
    ----------
    stencil : Stencil
        The derivative.
    higher : Stencil
        The same derivative, with wider windows.
    rounding : float
        The relative rounding of the data.
    periodic : bool
        Whether the first and the last point are neighbours.
    """
    difference = higher.add(stencil.scale(-1.0))
    if difference.masked is not None:
        assert stencil.masked is not None
        assert higher.masked is not None
        masked = _without_equal_windows(difference.masked, stencil.masked, higher.masked)
        difference = replace(difference, masked=masked)
    before, after = (neighbour_stencil(difference, k, periodic=periodic) for k in (-1, 1))
    return ErrorStencil((stencil, before, difference, after), rounding)


def make_noise_stencil(stencil: Stencil, sigma: float | None) -> NoiseStencil:
    """Make the standard deviation of a derivative.

    Parameters
    ----------
    stencil : Stencil
        The derivative.
    sigma : float, optional
        The standard deviation of the data; by default the input has it.
    """
    tables = [
        stencil.interior,
        stencil.boundary,
        *([stencil.masked.table] if stencil.masked else []),
    ]
    largest = max(float(abs(table).max(initial=0)) for table in tables)
    of_ones = sigma is not None
    factor = largest * sigma if sigma is not None else largest
    return NoiseStencil((stencil.scale(1 / largest),), factor, of_ones)


def _without_equal_windows(
    difference: MaskedStencil, masked: MaskedStencil, higher: MaskedStencil
) -> MaskedStencil:
    """Remove windows of a difference where both derivatives have the same window.

    In a run of few valid values there is no wider one, and the difference says nothing.
    """
    window_index = difference.window_index.copy()
    for counts in np.ndindex(window_index.shape):
        windows = [
            (part.starts[k], part.widths[k])
            for part in (masked, higher)
            for k in [part.window_index[tuple(min(c, part.depth) for c in counts)]]
        ]
        if windows[0] == windows[1]:
            window_index[counts] = -1
    return replace(difference, window_index=window_index)


def weights_of_values(coefficients: Floats) -> Floats:
    """Convert coefficients of adjacent differences to weights of values, along the first axis."""
    weights = np.zeros((len(coefficients) + 1, *coefficients.shape[1:]))
    weights[:-1] -= coefficients
    weights[1:] += coefficients
    return weights


def _padded(rows: list[Floats]) -> Floats:
    """Return rows of different lengths as one table, padded with zeros."""
    table = np.zeros((len(rows), max((len(row) for row in rows), default=1)))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table
