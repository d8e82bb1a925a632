"""Compute sums in one pass over rows, as gradients, magnitudes, curls and Jacobians need them.

A loop computes all rows with neighbours on both sides. The few others are left to the loops of
single terms.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..._forks import LOADING
from ..requests import Accumulate, CellFunction, TermRequest, WeightMode
from .layout import COMPILED_DTYPES, Array, as_aligned, read_only_view
from .on_demand import Loop, loop
from .row_sum_lines import Line, Option, RowSum, has_rows, is_along_rows, row_sum_arguments

#: Cells from which the pass is worth the calls for the other rows, and least cells of a row.
MIN_CELLS, MIN_ROW_CELLS = 1 << 21, 128
#: Least share of the cells that the pass computes; the others cost several passes.
MIN_SHARE = 0.75

#: Axes with the first and last of their rows.
Spans = list[tuple[int, int, int]]
#: The ways of weighting that the loops know.
_WEIGHT_MODES = (WeightMode.NONE, WeightMode.OUTPUT, WeightMode.CENTER)


class FusedCase(NamedTuple):
    """The constants of a loop of one sum.

    Attributes
    ----------
    weight_modes : tuple of int
        A `WeightMode` for each term.
    adds : bool
        Whether the terms are added. Otherwise the result is the root of the sum of their squares.
    along : int
        The term along the rows, or -1.
    per_column : bool
        Whether each column has its own coefficients along the rows.
    """

    weight_modes: tuple[int, ...]
    adds: bool
    along: int
    per_column: bool


class RowPass(NamedTuple):
    """Sums that one pass computes.

    Attributes
    ----------
    spans : list of tuple
        An axis with its first and last row, for each axis of a term but the innermost.
    fused : FusedCase, optional
        The constants of the loop of one sum; None for the loop of any sums.
    function : callable, optional
        Makes the numbers of four results of those of three sums.
    dtype : dtype
        Type of the results.
    """

    spans: Spans
    fused: FusedCase | None
    function: CellFunction | None
    dtype: np.dtype[Any]

    @property
    def loop(self) -> Loop:
        """The loop, which may not be compiled yet."""
        return loop("row pass", self.fused, self.function, self.dtype)

    def compile(self) -> None:
        """Compile the loop, by a call on arrays without cells."""
        real = COMPILED_DTYPES[self.dtype]
        cells, numbers = (read_only_view(np.empty(0, t)) for t in (self.dtype, real))
        shapes = (0, len(Line), 3), (0, len(Option)), (1,), (0, 4), (0, 1, 3)
        tables = [np.empty(shape, np.int64) for shape in shapes]
        windows, edges = np.empty((0, 3), np.int64), np.empty((0, 1), real)
        _row_loop(self.fused, self.function)(
            *tables, numbers, windows, edges, cells, *[0] * 5, 1, False
        )

    def calls(
        self, sums: list[RowSum], results: list[Array], n_units: int
    ) -> list[Callable[[], None]]:
        """Return calls of the loop for some units of work; none if these would be too small."""
        sums = [_with_aligned_halos(one) for one in sums]
        run, results = _row_loop(self.fused, self.function), results if self.function else []
        arguments = row_sum_arguments(sums, results, n_units)
        return [partial(_run, run, (sums, results), part) for part in arguments]


def find_row_pass(
    sums: list[RowSum], results: list[Array], function: CellFunction | None
) -> RowPass | None:
    """Return how one pass computes sums, or None if it cannot.

    Parameters
    ----------
    sums : list of RowSum
        The sums.
    results : list of ndarray
        Arrays for all results.
    function : callable, optional
        Makes the numbers of results of those of the sums.
    """
    out, terms = sums[0].result, [term for one in sums for term in one.terms]
    if out.ndim < 2 or out.dtype not in COMPILED_DTYPES:
        return None
    if len(terms) == 1 and sums[0].factors[0] is None:
        return None  # the loops of single terms need no pass
    if out.size < MIN_CELLS or out.shape[-1] < MIN_ROW_CELLS:
        return None
    if not all(has_rows(result) and result.dtype == out.dtype for result in results):
        return None
    if function is not None and ((len(sums), len(results)) != (3, 4) or out.dtype.kind == "c"):
        return None
    roots = len(sums) == 1 and _are_roots(terms)
    if not all(_can_sum(one, roots) for one in sums):
        return None
    inner, spans = out.ndim - 1, dict[int, tuple[int, int]]()
    for term in terms:
        if term.axis < inner and term.stencil.width > 1:
            first, last = spans.get(term.axis, (0, term.stencil.n))
            spans[term.axis] = max(first, term.stencil.first), min(last, term.stencil.last)
    share = prod((last - first) / out.shape[d] for d, (first, last) in spans.items())
    if any(first >= last for first, last in spans.values()) or share < MIN_SHARE:
        return None
    can_fuse = len(sums) == 1 and all(factor is None for factor in sums[0].factors)
    case = _fused_case(terms, out) if can_fuse else None
    return RowPass([(axis, *span) for axis, span in spans.items()], case, function, out.dtype)


def _are_roots(terms: list[TermRequest]) -> bool:
    """Return whether terms make the root of the sum of their squares."""
    ways = [Accumulate.ABS, *[Accumulate.HYPOT] * (len(terms) - 1)]
    return len(terms) <= 3 and [term.accumulate for term in terms] == ways


def _fused_case(terms: list[TermRequest], out: Array) -> FusedCase | None:
    """Return the constants of the loop of one sum, or None if it cannot compute these terms."""
    along = [k for k, term in enumerate(terms) if is_along_rows(term, out)]
    if len(terms) > 3 or len(along) > 1 or any(term.stencil.width == 1 for term in terms):
        return None
    per_column = bool(along) and not terms[along[0]].stencil.uniform
    modes = tuple(int(term.weight_mode) for term in terms)
    adds = terms[0].accumulate == Accumulate.STORE
    return FusedCase(modes, adds, along[0] if along else -1, per_column)


def _can_sum(one: RowSum, roots: bool) -> bool:
    """Return whether the loops can compute a sum."""
    terms, out = one.terms, one.result
    if not roots:
        ways = [Accumulate.STORE, *[Accumulate.ADD] * (len(terms) - 1)]
        if [term.accumulate for term in terms] != ways:
            return False
    if not all(_can_compute(term, out, roots) for term in terms):
        return False
    if not all(f is None or (f.dtype == out.dtype and has_rows(f)) for f in one.factors):
        return False
    along = [term.stencil for term in terms if is_along_rows(term, out)]
    if roots and len(along) > 1:
        return False
    columns = [(s.first, s.last, s.boundary_windows[:, 0].tolist()) for s in along]
    return all(others == columns[0] for others in columns) and all(
        stencil.first < stencil.last for stencil in along
    )


def _can_compute(term: TermRequest, out: Array, roots: bool) -> bool:
    """Return whether the loops can compute a term: of three points, or the field itself."""
    f, stencil, weights = term.block, term.stencil, (term.output_weight, term.center_weight)
    if not term.has_one_stencil or stencil.gap_windows or stencil.homes is not None:
        return False
    if f.dtype != out.dtype or not has_rows(f) or term.weight_mode not in _WEIGHT_MODES:
        return False
    real = COMPILED_DTYPES[out.dtype]
    if any(w is not None and (w.shape[-1] > 1 or w.dtype != real) for w in weights):
        return False
    is_last = term.axis == out.ndim - 1
    if is_last and (stencil.center != 0 or f.shape[-1] != out.shape[-1]):
        return False
    if stencil.width == 1:
        whole = stencil.first == 0 and stencil.last == stencil.n
        return not roots and whole and stencil.offset == stencil.center
    if stencil.width != 3 or stencil.offset != stencil.center - 1:
        return False
    # Windows of one node, which return the field itself, are not summed at ends.
    return not is_last or bool((stencil.boundary_widths > 1).all())


def _with_aligned_halos(one: RowSum) -> RowSum:
    """Return a sum whose halos are of the dtype of the result, with adjacent cells in rows."""
    dtype = one.result.dtype

    def aligned(part: Array | None) -> Array | None:
        if part is None or (part.dtype == dtype and has_rows(part)):
            return part
        copy: Array = as_aligned(part, dtype)
        return copy

    terms = [
        term._replace(left_halo=aligned(term.left_halo), right_halo=aligned(term.right_halo))
        if is_along_rows(term, one.result)
        else term
        for term in one.terms
    ]
    return one._replace(terms=terms)


@cache
def _row_loop(fused: FusedCase | None, function: CellFunction | None) -> Any:
    """Load the compiler, and return a loop."""
    with LOADING:
        from .fused_sum_loops import fused_sum_loop
        from .row_sum_loops import row_sums_loop
    return row_sums_loop(function) if fused is None else fused_sum_loop(*fused)


def _run(run: Callable[..., None], kept: Any, arguments: tuple[Any, ...]) -> None:
    """Run a loop on arrays that it has by their addresses, which are kept here."""
    run(*arguments)
