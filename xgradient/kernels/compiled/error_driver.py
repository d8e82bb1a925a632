"""Choose and run the compiled loops for the error of a derivative, on arrays of any layout."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..._forks import LOADING
from ...stencils.errors import ErrorStencil, LoopRows
from ..requests import Accumulate, TermRequest
from .layout import (
    COMPILED_DTYPES,
    Array,
    as_aligned,
    assign,
    base_offset,
    cache_blocks,
    collapse_outer_axes,
    flat_view,
    is_strided_ok,
    is_worth_striding,
    read_only_view,
    row_step,
)
from .numpy_sums import slice_term, write_term
from .on_demand import loop


def write_error(term: TermRequest, out: Array, derivative: Array | None = None) -> None:
    """Write a term with a group of stencils into an array.

    Parameters
    ----------
    term : TermRequest
        The term, with a block of any strides and any real or complex dtype up to 64 bits a part.
    out : ndarray
        The output: as long as the stencils along the axis, shaped like the block otherwise.
    derivative : ndarray, optional
        A second output, for the derivative itself, where `can_write_both` allows it.
    """
    stencil = term.stencil
    if not isinstance(stencil, ErrorStencil) or stencil.derivative.masked is not None:
        write_term(term, out)
        return
    if not out.size:
        return
    if not out.flags.c_contiguous:
        order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
        term, out = term.transpose(order), out.transpose(order)
        derivative = None if derivative is None else derivative.transpose(order)
    computed = out.dtype if out.dtype in COMPILED_DTYPES else np.dtype(np.float32)
    plain = term.output_weight is None and term.accumulate == Accumulate.STORE
    fits = _fits(term, out) and (derivative is None or is_strided_ok(derivative, term.axis))
    if plain and term.block.dtype == out.dtype == computed and fits:
        _run_or_replace(term, out, derivative)
        return
    for block in cache_blocks(out.shape, term.axis):
        part = slice_term(term, block)
        weight, bare = part.output_weight, part._replace(output_weight=None, accumulate=0)
        bare = bare.map_arrays(lambda a: as_aligned(a, computed))
        result = np.empty(out[block].shape, computed)
        if derivative is None:
            _run_or_replace(bare, result)
        else:
            _run_or_replace(bare, result, slope := np.empty_like(result))
            assign(derivative[block], slope)
        if weight is not None:
            result *= np.asarray(weight, COMPILED_DTYPES[computed])
        if term.accumulate == Accumulate.ADD:
            result += out[block]
        assign(out[block], result)


def can_write_both(sums: list[list[TermRequest]], outputs: list[Array]) -> bool:
    """Return whether sums are a derivative and its error, which one loop writes."""
    if [len(terms) for terms in sums] != [1, 1] or outputs[0].dtype not in COMPILED_DTYPES:
        return False
    (derivative,), (error,) = sums
    stencil = error.stencil
    return (
        isinstance(stencil, ErrorStencil)
        and derivative.has_one_stencil
        and derivative.stencil.masked is None
        and derivative.block is error.block
        and derivative.axis == error.axis
        and derivative.output_weight is derivative.center_weight is error.output_weight is None
        and derivative.accumulate == error.accumulate == Accumulate.STORE
        and stencil.is_error_of(derivative.stencil)
    )


def _fits(term: TermRequest, out: Array) -> bool:
    """Return whether the loops can run over the arrays as they are."""
    f, axis = term.block, term.axis
    return (
        is_strided_ok(f, axis, backwards=True)
        and is_strided_ok(out, axis)
        and is_worth_striding([f, out], axis)
    )


def _run_or_replace(term: TermRequest, out: Array, derivative: Array | None = None) -> None:
    """Run the loops, or NumPy in their place."""
    stencil, inner = term.stencil, prod(out.shape[term.axis + 1 :])
    rows, both = stencil.error_rows, derivative is not None
    widths = rows.differences.width, rows.derivative.width
    case = loop("error", out.dtype, inner == 1, *widths, stencil.derivative.uniform, both)
    if case.is_ready:
        _run(term, out, derivative)
        return

    def with_numpy() -> None:
        write_term(term, out)
        if derivative is not None:
            write_term(term._replace(stencil=stencil.derivative), derivative)

    def compile_loop() -> None:
        """Compile the loops, by a call on arrays without cells."""
        n = term.block.shape[term.axis]
        line = np.empty((0, n, inner), out.dtype)
        bare = TermRequest(line, 1, stencil, line, line)
        nothing = np.empty((0, out.shape[term.axis], inner), out.dtype)
        _run(bare, nothing, nothing.copy() if both else None)

    case.replace(with_numpy, compile_loop)


@cache
def _loops() -> Any:
    """Load the compiler, and return what makes the loops."""
    with LOADING:
        from .error_loops import error_last_axis, error_outer_axis
    return error_last_axis, error_outer_axis


def _run(term: TermRequest, out: Array, derivative: Array | None = None) -> None:
    """Run the loops over (outer, axis, inner)."""
    f, axis, stencil, left, right, *_ = term
    halo = [
        p if p.dtype == f.dtype and is_strided_ok(p, axis) else as_aligned(p, f.dtype)
        for p in (left, right)
        if p is not None
    ]
    reach = 0 if left is None else left.shape[axis]
    inner, n, length = prod(out.shape[axis + 1 :]), out.shape[axis], f.shape[axis]
    real, both = COMPILED_DTYPES[out.dtype], derivative is not None
    rows = stencil.error_rows
    error_last_axis, error_outer_axis = _loops()
    widths = rows.differences.width, rows.derivative.width
    if inner == 1:
        run = error_last_axis(*widths, stencil.derivative.uniform, both)
    else:
        run = error_outer_axis(*widths, both)
    sizes, edge_sizes = rows.sizes[real]
    tables = [*_arguments(rows.differences, real), *_arguments(rows.derivative, real)]
    outputs = [out, out if derivative is None else derivative]
    for pieces, outer, steps in collapse_outer_axes([f, *halo, *outputs], axis):
        start = base_offset(pieces[0])
        lines = [
            (flat_view(a), step, row_step(a, axis)) for a, step in zip(pieces, steps, strict=True)
        ]
        *lines, to, to_derivative = lines
        for cells, _, _ in lines:
            read_only_view(cells)
        # No window reaches a halo that is missing, so the block stands in for it.
        before = lines[0] if left is None else lines[1]
        after = lines[0] if right is None else lines[-1]
        f_line, f_outer, f_row = lines[0]
        run(
            f_line, start, f_outer, f_row, *before, *after, *to, *to_derivative,
            reach, length, outer, inner, n, rows.first, rows.last, rows.offset, *tables,
            sizes.reshape(-1), edge_sizes,
        )  # fmt: skip


def _arguments(rows: LoopRows, real: np.dtype[Any]) -> tuple[Any, ...]:
    """Return rows as the loops take them: coefficients of interior rows flat, with their number."""
    interior, others = rows.tables[real]
    return interior.reshape(-1), interior.shape[1], rows.windows, others
