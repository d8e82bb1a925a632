"""Stencils of the error of a derivative: by a higher order of accuracy, and by errors of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self, TypeVar

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
        The derivative of order p, and twice the differences at the point before, at the point
        itself and at the point after.
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
    def error_rows(self) -> ErrorRows:
        """The rows as compiled loops take them."""
        own, before, at, after = self.parts
        first = max(own.first, at.first - 1, 0)
        last = max(min(own.last, at.last - 1), first)
        if own.offset != at.offset + 1:  # never so for centred windows
            last = first
        # Windows of differences at other points, and at one point more at both ends.
        rows = [-1, *range(first + 1), *range(last + 1, self.n), self.n]
        ends = {-1: (before, 0), self.n: (after, self.n - 1)}
        differences = [part.window(i) for part, i in (ends.get(row, (at, row)) for row in rows)]
        own_rows = [*range(first), *range(last, self.n)]
        slopes = [own.window(row) for row in own_rows]
        interior = _columns(own, first, last)
        sizes = [self._rounding_sizes(c[:, None])[:, 0] for _, c in slopes]
        return ErrorRows(
            first,
            last,
            own.offset,
            LoopRows.of(at, _columns(at, first + 1, last + 1), rows, differences),
            LoopRows.of(own, interior, own_rows, slopes),
            CoefficientTables(self._rounding_sizes(interior), _padded(sizes)),
        )

    def _rounding_sizes(self, coefficients: Floats) -> Floats:
        """Return the rounding times the magnitudes of the weights of values."""
        return self.rounding * abs(weights_of_values(coefficients))


class LoopRows(NamedTuple):
    """Windows and coefficients of rows, as compiled loops take them.

    Attributes
    ----------
    width : int
        Number of nodes in the window of an interior row.
    windows : ndarray of int64, shape (m, 3)
        Row, start and width of the windows of the other rows.
    tables : CoefficientTables
        The coefficients of interior rows and of the others.
    """

    width: int
    windows: NDArray[np.int64]
    tables: CoefficientTables

    @classmethod
    def of(
        cls, stencil: Stencil, interior: Floats, rows: list[int], windows: list[tuple[int, Floats]]
    ) -> Self:
        """Collect the interior of a stencil and the windows of other rows."""
        table = np.array(
            [(row, start, len(c) + 1) for row, (start, c) in zip(rows, windows, strict=True)],
            dtype=np.int64,
        ).reshape(-1, 3)
        tables = CoefficientTables(interior, _padded([c for _, c in windows]))
        return cls(stencil.width, table, tables)


class ErrorRows(NamedTuple):
    """The rows of a derivative and its error, as compiled loops take them.

    Attributes
    ----------
    first, last : int
        The interior rows, a half-open range: those of the derivative, whose next row has the
        interior difference of orders.
    offset : int
        First node of the window of the derivative, and of the difference of the next row, relative
        to an interior row.
    differences : LoopRows
        The differences of orders. Their interior rows are those after ``first`` to ``last``; row
        -1 is the point before the first one, and row n the one after the last one.
    derivative : LoopRows
        The derivative.
    sizes : CoefficientTables
        The rounding times magnitudes of weights, in the rows of the derivative.
    """

    first: int
    last: int
    offset: int
    differences: LoopRows
    derivative: LoopRows
    sizes: CoefficientTables


def _columns(stencil: Stencil, first: int, last: int) -> Floats:
    """Return the coefficients of some of the interior rows, or those that all share."""
    if stencil.uniform:
        return stencil.interior
    return stencil.interior[:, first - stencil.first : last - stencil.first]


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
    difference = higher.add(stencil.scale(-1.0)).scale(SAFETY_FACTOR)
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
