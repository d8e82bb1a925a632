"""Choose and run the compiled loops of a stencil for arrays of any memory layout."""

from __future__ import annotations

from enum import IntEnum
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np

from ..._forks import LOADING
from ...stencils.table import Stencil
from ..requests import TermRequest
from .layout import (
    COMPILED_DTYPES,
    Array,
    StridedArray,
    StridedWeights,
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
    strided_order,
)
from .numpy_sums import slice_term, write_term
from .on_demand import Loop, loop


class LoopWeight(IntEnum):
    """Divide each `WeightMode` by whether a row has one weight, or each of its cells.

    The loops compare with plain integers, which numba compiles as constants. Even ones have a
    weight for each cell.
    """

    NONE = 0
    ROW = 1
    CELL = 2
    CENTER_ROW = 3
    CENTER_CELL = 4
    STRETCHED_CELL = 6


#: Empty arrays that stand in for a weight where there is none.
_NO_WEIGHT = {t: np.zeros(0, r) for t, r in COMPILED_DTYPES.items()}
for _weight in _NO_WEIGHT.values():
    _weight.setflags(write=False)
#: Bytes of a strip, and the least of each row across it. The nodes of its windows stay in cache
#: until the next rows and the boundary rows have used them.
STRIP_BYTES, MIN_ROW_BYTES = 1 << 19, 1 << 16


def write_derivative(term: TermRequest, out: Array) -> None:
    """Write a term with a stencil into an array.

    Parameters
    ----------
    term : TermRequest
        The term. Its block has any strides, and any real or complex dtype up to 64 bits a part.
        Node 0 of the stencil is the first cell of the block along the axis. Interior windows lie
        within the block, those of boundary rows may reach into the halo.
    out : ndarray
        The output: as long as the stencil along the axis, shaped like the block otherwise.
    """
    if not out.size:
        return
    f, axis, stencil, before, after, output, center, _, accumulate, _ = term
    weight, flags = output if center is None else center, f.flags
    alone = before is None and after is None
    plain = alone and flags.c_contiguous and flags.aligned and out.flags.c_contiguous
    if plain and f.dtype == out.dtype and out.dtype in COMPILED_DTYPES:
        n, m, inner = f.shape[axis], out.shape[axis], prod(f.shape[axis + 1 :])
        outer = out.size // (m * inner)
        lines, to = (read_only_view(f.ravel()), n * inner, inner), (out.ravel(), m * inner, inner)
        nothing, mode = _NO_WEIGHT[out.dtype], 0
        by = nothing, nothing, 0, 0
        if weight is not None:
            weight, stretching, mode = _prepare_weights(term, out)
            cells = read_only_view(weight.ravel()), read_only_view(stretching.ravel())
            by = *cells, weight.size // outer, row_step(weight, axis)
        case = _case(out.dtype, inner, stencil, mode, accumulate)
        if case.is_ready:
            _run_loops(
                case, lines, 0, lines, lines, to, by, outer, inner, stencil, 0, n, mode, accumulate
            )
        else:
            rest = inner, stencil, 0, n, mode, accumulate
            case.replace(partial(write_term, term, out), partial(_compile, case, out.dtype, *rest))
        return
    if not out.flags.c_contiguous:
        order = sorted(range(f.ndim), key=lambda d: -abs(out.strides[d]))
        term, out = term.transpose(order), out.transpose(order)
    computed = out.dtype if out.dtype in COMPILED_DTYPES else np.dtype(np.float32)
    if f.dtype == computed == out.dtype and (_run_permuted(term, out) or _run_strided(term, out)):
        return
    for block in cache_blocks(out.shape, term.axis):
        part, out_block = slice_term(term, block), out[block]
        part = part._replace(
            block=as_aligned(part.block, computed),
            left_halo=None if before is None else as_aligned(part.left_halo, computed),
            right_halo=None if after is None else as_aligned(part.right_halo, computed),
        )
        if out_block.dtype != computed or not _run_strided(part, out_block):
            result = np.array(out_block, computed, order="C")
            done = _run_strided(part, result)
            assert done
            assign(out_block, result)


def _run_permuted(term: TermRequest, out: Array) -> bool:
    """Run the loops with the dimensions in an order of contiguous rows, if there is another one."""
    order = strided_order([term.block, out], term.axis)
    if order is None:
        return False
    weight = term.output_weight if term.center_weight is None else term.center_weight
    inside = order[order.index(term.axis) + 1 :]
    if weight is not None and any(weight.shape[d] > 1 for d in inside):
        return False
    return _run_strided(term.transpose(order), out.transpose(order))


def _prepare_weights(term: TermRequest, out: Array) -> tuple[Array, Array, int]:
    """Return the weight and the stretching with the shape and layout that the loops read.

    A `LoopWeight` comes with them, and an empty array stands in for what there is not.
    """
    is_center, axis, nothing = term.center_weight is not None, term.axis, _NO_WEIGHT[out.dtype]
    weight = term.center_weight if is_center else term.output_weight
    if weight is None:
        return nothing, nothing, int(LoopWeight.NONE)
    # A row lies along the dimensions inside the axis; the innermost axis is a row itself.
    last = axis + 1 if prod(out.shape[axis + 1 :]) > 1 else axis
    by_row = term.stretching is None and all(n == 1 for n in weight.shape[last:])
    shape = out.shape[:last] + (1,) * (out.ndim - last) if by_row else out.shape
    weight = _broadcast(weight, shape, COMPILED_DTYPES[out.dtype])
    if term.stretching is not None:
        stretching = _broadcast(term.stretching, shape, weight.dtype)
        return weight, stretching, int(LoopWeight.STRETCHED_CELL)
    if is_center:
        return weight, nothing, int(LoopWeight.CENTER_ROW if by_row else LoopWeight.CENTER_CELL)
    return weight, nothing, int(LoopWeight.ROW if by_row else LoopWeight.CELL)


def _broadcast(weight: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return a weight of this shape and dtype, contiguous; copied only where it is not."""
    flags = weight.flags
    if weight.shape == shape and weight.dtype == dtype and flags.c_contiguous and flags.aligned:
        return weight
    copy: Array = as_aligned(np.broadcast_to(weight, shape), dtype)
    return copy


def _run_strided(term: TermRequest, out: Array) -> bool:
    """Run the loops over (outer, axis, inner), if the layout of the arrays makes it worth it."""
    f, axis, stencil, left, right, *_ = term
    if not (is_strided_ok(f, axis, backwards=True) and is_strided_ok(out, axis)):
        return False
    if not is_worth_striding([f, out], axis):
        return False
    # A halo has few cells, so it is copied where its layout is another one.
    halo = [p for p in (left, right) if p is not None]
    halo = [
        p if p.dtype == f.dtype and is_strided_ok(p, axis) else as_aligned(p, f.dtype) for p in halo
    ]
    *weights, mode = _prepare_weights(term, out)
    reach = 0 if left is None else left.shape[axis]
    inner = prod(out.shape[axis + 1 :])
    rest = inner, stencil, reach, f.shape[axis], mode, term.accumulate
    case = _case(out.dtype, inner, stencil, mode, term.accumulate)
    if not case.is_ready:
        case.replace(partial(write_term, term, out), partial(_compile, case, out.dtype, *rest))
        return True
    nothing = _NO_WEIGHT[out.dtype]
    arrays = [f, *halo, out, *(weight for weight in weights if weight is not nothing)]
    for pieces, outer, steps in collapse_outer_axes(arrays, axis):
        start = base_offset(pieces[0])
        lines = [
            (flat_view(a), step, row_step(a, axis)) for a, step in zip(pieces, steps, strict=True)
        ]
        to = lines.pop(1 + len(halo))
        for cells, _, _ in lines:
            read_only_view(cells)
        # Weights have one layout, and so the same steps.
        lines, given = lines[: 1 + len(halo)], lines[1 + len(halo) :]
        (w, *w_steps), (stretching, *_) = (*given, (nothing, 0, 0), (nothing, 0, 0))[:2]
        by = w, stretching, *w_steps
        # No window reaches a halo that is missing, so the block stands in for it.
        before = lines[0] if left is None else lines[1]
        after = lines[0] if right is None else lines[-1]
        _run_loops(case, lines[0], start, before, after, to, by, outer, *rest)
    return True


def _case(dtype: Any, inner: int, stencil: Stencil, mode: int, accumulate: int) -> Loop:
    """Return the loop that `_run_loops` runs."""
    if stencil.masked is None:
        return loop(dtype, inner == 1, stencil.width, stencil.uniform, mode, accumulate)
    masked = stencil.masked
    windows = masked.window_index.tobytes(), masked.starts.tobytes(), masked.widths.tobytes()
    return loop(dtype, inner == 1, masked.depth, masked.table.shape[-1] == 1, windows)


def _compile(case: Loop, dtype: np.dtype[Any], *rest: Any) -> None:
    """Compile the loops, by a call on arrays without cells."""
    cells = np.empty(0, dtype)
    line, to = (read_only_view(cells.view()), 0, 0), (cells, 0, 0)
    by = _NO_WEIGHT[dtype], _NO_WEIGHT[dtype], 0, 0
    _run_loops(case, line, 0, line, line, to, by, 0, *rest)


@cache
def _loops() -> Any:
    """Load the compiler, and return what makes the loops."""
    with LOADING:
        from .masked_loops import run_masked
        from .stencil_loops import boundary_loop, interior_last_axis, interior_outer_axis
    return run_masked, boundary_loop, interior_last_axis, interior_outer_axis


def _run_loops(
    case: Loop,
    lines: StridedArray,
    start: int,
    before: StridedArray,
    after: StridedArray,
    to: StridedArray,
    by: StridedWeights,
    outer: int,
    inner: int,
    stencil: Stencil,
    reach: int,
    length: int,
    mode: int,
    accumulate: int,
) -> None:
    """Run the loops of the interior rows, which run those of the boundary rows."""
    last_axis = inner == 1
    size = to[0].itemsize
    strip_width = STRIP_BYTES // (length * size) or 1
    if not last_axis and strip_width * size < MIN_ROW_BYTES:
        strip_width = MIN_ROW_BYTES // size
    if stencil.masked is not None:
        (table,) = stencil.masked.tables[COMPILED_DTYPES[to[0].dtype]]
        run_masked, *_ = _loops()
        run_masked(
            lines, start, before, after, reach, length, to, by, outer, inner, stencil, table,
            mode, accumulate, strip_width,
        )  # fmt: skip
        return
    # Named one by one: to unpack tuples in the call would take longer.
    (f, f_outer, f_row), (g, g_outer, g_row), (w, stretching, w_outer, w_row) = lines, to, by
    (b, b_outer, b_row), (a, a_outer, a_row) = before, after
    c, boundary = stencil.tables[COMPILED_DTYPES[g.dtype]]
    if case.function is None:
        _, boundary_loop, interior_last_axis, interior_outer_axis = _loops()
        width = stencil.width
        interior = (
            interior_last_axis(width, stencil.uniform, mode, accumulate)
            if last_axis
            else interior_outer_axis(width, mode, accumulate)
        )
        case.function = partial(interior, boundary_loop(last_axis, g.dtype))
    case.function(
        f, start, f_outer, f_row, b, b_outer, b_row, a, a_outer, a_row, g, g_outer, g_row,
        w, stretching, w_outer, w_row, reach, length, outer, inner, stencil.first, stencil.last,
        stencil.offset, stencil.center, c, stencil.boundary_windows, boundary, strip_width,
    )  # fmt: skip
