"""Requests to a backend: terms with the cells they read, and sums of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

from ..stencils.table import Stencil


class Accumulate(IntEnum):
    """Name the ways in which a term enters the output.

    ``STORE`` writes it, ``ADD`` adds it to the terms before it, ``HYPOT`` writes the root of the
    sum of the squares of both, and ``ABS`` writes its magnitude.
    """

    STORE = 0
    ADD = 1
    HYPOT = 2
    ABS = 3


#: Numbers between 2**-n and 2**n have squares that neither overflow nor vanish, in float32 and in
#: wider floats. The second number is the power of two that brings any other number between them.
SQUARE_POWERS_SINGLE, SQUARE_POWERS_DOUBLE = (50, 100), (500, 600)


class WeightMode(IntEnum):
    """Name the ways in which a term is weighted.

    ``OUTPUT`` multiplies the result of the stencil with the weight. ``CENTER`` adds the weight
    times the row's own cell to it. ``STRETCHED`` subtracts the stretching times the second
    difference around the row's own cell, and multiplies the result with the weight.
    """

    NONE = 0
    OUTPUT = 1
    CENTER = 2
    STRETCHED = 3


# A new member of either enum needs a branch in each of these places, which
# tests/kernels/test_backends.py compares with each other:
#   Backend.accumulate                                              sums on pole rows
#   compiled/stencil_loops.py   interior_outer_axis, interior_last_axis, boundary_rows
#   compiled/span_loops.py      write_span
#   compiled/row_sum_loops.py   _write_span, _write_sums, _write_end
#   compiled/fused_sum_loops.py _apply_weight, _sum_terms
#   compiled/row_sum_driver.py  refuses others
#   compiled/stencil_driver.py  LoopWeight, _prepare_weight         splits a mode by weight shape
#   compiled/tiles.py           stencil_loop                        long doubles
#   cuda/source.py              _term_code;  cuda/terms.cuh  Term::weighed
#   generic/stencil_sum.py      stencil_sum


def slice_axis(array: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """Return the cells from ``start`` to ``stop`` along an axis."""
    return array[(*(slice(None),) * axis, slice(start, stop), ...)]


#: Makes results of the sums and the fields, cell by cell. The last argument holds arrays that
#: NumPy results are written into, or None.
Combine = Callable[[list[Any], list[Any], list[Any]], list[Any]]
_C = TypeVar("_C", bound=Combine)
#: Makes the numbers of all results in one cell of those of the sums.
CellFunction = Callable[..., Any]
_dot_products: set[Combine] = set()
_cell_functions: dict[Combine, CellFunction] = {}


def dot_product(combine: _C) -> _C:
    """Mark a function that multiplies each sum with a field, and adds the products.

    The first field is not a factor. Loops may compute the products themselves.
    """
    _dot_products.add(combine)
    return combine


def is_dot_product(combine: Combine | None) -> bool:
    """Return whether a function is marked as a dot product."""
    return combine in _dot_products


def with_cell_function(function: CellFunction) -> Callable[[_C], _C]:
    """Mark a function of arrays with one of real numbers, which loops may call for each cell.

    It has the same operations in the same order: three numbers are given, and four returned.
    """

    def mark(combine: _C) -> _C:
        _cell_functions[combine] = function
        return combine

    return mark


def find_cell_function(combine: Combine | None) -> CellFunction | None:
    """Return the function of numbers that a function of arrays is marked with, or None."""
    return None if combine is None else _cell_functions.get(combine)


#: Runs calls that do not depend on each other, on threads or one after the other.
Runner = Callable[[list[Callable[[], None]]], None]
#: Returns the rows of a stencil from a first to a last one, with a given node as node 0.
RowSlicer = Callable[[Any, int, int, int], Any]
#: A block with the halo before and after it along an axis, or None where there is no halo.
BlockWithHalo = tuple[Any, Any, Any]


class TermRequest(NamedTuple):
    """A term with the cells it reads: a block, and the halo before and after it.

    Interior windows lie within the block, even where there is a halo. A term with ``positions``
    has `ColumnWindows` instead of a `Stencil`, and no weights.
    """

    block: Any
    axis: int
    stencil: Any  # Stencil, StencilGroup or ColumnWindows
    left_halo: Any = None
    right_halo: Any = None
    output_weight: Any = None
    center_weight: Any = None
    stretching: Any = None
    accumulate: int = 0  # a value of `Accumulate`, as the plain integer that loops compare
    positions: BlockWithHalo | None = None

    @property
    def has_one_stencil(self) -> bool:
        """Return true for a term with a `Stencil`, which the fast loops of every library sum."""
        return isinstance(self.stencil, Stencil)

    @property
    def weight_mode(self) -> WeightMode:
        """Return the way in which the term is weighted."""
        if self.center_weight is not None:
            return WeightMode.CENTER
        if self.stretching is not None:
            return WeightMode.STRETCHED
        return WeightMode.NONE if self.output_weight is None else WeightMode.OUTPUT

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Return the shape of the result: along the axis it has the rows of the stencil."""
        shape, axis = self.block.shape, self.axis
        return (*shape[:axis], self.stencil.n, *shape[axis + 1 :])

    @property
    def has_coasts(self) -> bool:
        """Return whether a condition holds at missing values, for which there are no loops."""
        return self.positions is None and self.stencil.coasts is not None

    def with_boundary_rows(self) -> TermRequest:
        """Return the term with the stencil's boundary rows in its table, if it has a halo."""
        if self.left_halo is None and self.right_halo is None:
            return self
        return self._replace(stencil=self.stencil.with_boundary_rows)

    def map_arrays(self, change: Callable[[Any], Any]) -> TermRequest:
        """Return the term with a function applied to each of its arrays."""
        block, axis, stencil, left, right, *weights, accumulate, positions = self
        block, left, right, output, center, stretching = (
            None if a is None else change(a) for a in (block, left, right, *weights)
        )
        if positions is not None:
            z, *halo = (None if a is None else change(a) for a in positions)
            positions = z, halo[0], halo[1]
        return TermRequest(
            block, axis, stencil, left, right, output, center, stretching, accumulate, positions
        )

    def transpose(self, order: list[int]) -> TermRequest:
        """Return the term with the dimensions of its arrays in another order."""
        axis = order.index(self.axis)
        return self.map_arrays(lambda a: a.transpose(order))._replace(axis=axis)

    def slice_axis(self, d: int, start: int, stop: int, rows: RowSlicer) -> TermRequest:
        """Return the part that makes the cells from ``start`` to ``stop`` along an axis."""
        block, axis, stencil, left, right, *weights, accumulate, positions = self
        output, center, stretching = (
            w if w is None or w.shape[d] == 1 else slice_axis(w, d, start, stop) for w in weights
        )
        is_own = d == axis
        if is_own:
            first, last = rows(stencil, start, stop, start).node_span
            stencil = rows(stencil, start, stop, max(0, start + first))
            start, stop = start + first, start + last
        block, left, right = _slice_with_halo((block, left, right), d, start, stop, is_own)
        if positions is not None:
            positions = _slice_with_halo(positions, d, start, stop, is_own)
        return TermRequest(
            block, axis, stencil, left, right, output, center, stretching, accumulate, positions
        )


@dataclass(frozen=True, eq=False)
class SumRequest:
    """Sums of terms on blocks of one shape.

    Attributes
    ----------
    sums : list of list of TermRequest
        The terms of each sum.
    blocks : list of array
        The input arrays.
    combine : callable, optional
        Makes results of the sums and the blocks, cell by cell.
    n_outputs : int, optional
        Number of results of ``combine``.
    position_inputs : collection of int
        Indices of the blocks that hold positions. Their dtype affects that of the sums, and not
        that of what ``combine`` makes.
    outputs : list of ndarray, optional
        Arrays for the results of NumPy arrays, of their shape and dtype.
    """

    sums: list[list[TermRequest]]
    blocks: list[Any]
    combine: Combine | None = None
    n_outputs: int | None = None
    position_inputs: Collection[int] = ()
    outputs: list[Any] | None = None

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Return the shape of all results."""
        return self.sums[0][0].out_shape


def _slice_with_halo(
    parts: BlockWithHalo, d: int, start: int, stop: int, is_own_axis: bool
) -> BlockWithHalo:
    """Slice a block and its halo; along the axis of the stencil, the cells may be in the halo."""
    block, left, right = parts
    if not is_own_axis:
        left = None if left is None else slice_axis(left, d, start, stop)
        right = None if right is None else slice_axis(right, d, start, stop)
        return slice_axis(block, d, start, stop), left, right
    left = left if start < 0 else None
    right = right if stop > block.shape[d] else None
    return slice_axis(block, d, max(0, start), min(stop, block.shape[d])), left, right


def stencil_rows(stencil: Any, start: int, stop: int, origin: int) -> Any:
    """Return the rows from ``start`` to ``stop``, with node ``origin`` as node 0."""
    return stencil.slice_rows(start, stop, origin=origin)
