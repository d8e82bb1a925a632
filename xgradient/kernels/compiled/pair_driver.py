"""Sum pairs of terms along the last two axes in one pass, as curvilinear grids need them.

A loop computes all rows with neighbours on both sides. The few others are left to the loops of
single terms.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..._forks import LOADING
from ..requests import Accumulate, TermRequest, WeightMode
from .layout import COMPILED_DTYPES, Array, address, as_aligned, flat_view, read_only_view
from .on_demand import Loop, loop

#: Cells from which one pass is worth the calls for the other rows.
MIN_CELLS = 1 << 18
#: Bytes of the weights of some rows, which stay in a core's own cache for all levels.
WEIGHT_BYTES = 1 << 18

#: Terms across and along the rows, and the array that their sum is written into.
Pair = tuple[TermRequest, TermRequest, Array]


class Pairs(NamedTuple):
    """Pairs of terms that one pass computes, each for one result or for two.

    Attributes
    ----------
    groups : list of list of tuple
        The pairs in their order; those of a group differ by their output weights only.
    axis, first, last : int
        The rows that the pass computes, along an axis from a first to a last one.
    """

    groups: list[list[Pair]]
    axis: int
    first: int
    last: int

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """The axis with its first and last row."""
        return [(self.axis, self.first, self.last)]


def find_pairs(sums: list[list[TermRequest]], outs: list[Array]) -> Pairs | None:
    """Return sums as pairs that one pass computes, or None if it cannot."""
    out = outs[0]
    if out.ndim < 2 or out.size < MIN_CELLS or out.dtype not in COMPILED_DTYPES:
        return None
    if any(len(terms) % 2 for terms in sums) or any(_steps(to) is None for to in outs):
        return None
    axis, rows, groups = out.ndim - 2, set(), []
    for at in range(0, max(map(len, sums)), 2):
        alike: dict[Any, list[Pair]] = {}
        for terms, to in zip(sums, outs, strict=True):
            if at >= len(terms):
                continue
            across, along = terms[at], terms[at + 1]
            kind = _kind(across, out), _kind(along, out)
            if None in kind or not _is_pair(across, along, out):
                return None
            alike.setdefault(kind, []).append((across, along, to))
            rows.add((across.stencil.first, across.stencil.last))
        groups += [pairs[k : k + 2] for pairs in alike.values() for k in range(0, len(pairs), 2)]
    (first, last), *others = rows
    return None if others or first >= last else Pairs(groups, axis, first, last)


def _kind(term: TermRequest, out: Array) -> tuple[Any, ...] | None:
    """Return all of a term but its weight, or None if the loop cannot sum it."""
    if term.weight_mode != WeightMode.STRETCHED or not term.has_one_stencil:
        return None
    stencil, f, weights = term.stencil, term.block, (term.output_weight, term.stretching)
    if stencil.gap_windows or stencil.homes is not None or not stencil.uniform:
        return None
    if stencil.width != 3 or stencil.offset != stencil.center - 1:
        return None
    if f.dtype != out.dtype or _steps(f) is None:
        return None
    plane = (*(1,) * (out.ndim - 2), *out.shape[-2:])
    for weight in weights:
        if weight.dtype != COMPILED_DTYPES[out.dtype] or weight.shape not in (plane, out.shape):
            return None
        flags = weight.flags
        if weight.shape != weights[0].shape or not (flags.c_contiguous and flags.aligned):
            return None
    if term.accumulate not in (Accumulate.STORE, Accumulate.ADD):
        return None
    numbers = stencil.first, stencil.last, stencil.center, *stencil.interior.ravel().tolist()
    # Slices are new objects, so addresses are compared.
    parts = f, term.left_halo, term.right_halo, term.stretching
    places = [None if a is None else (address(a), a.shape, a.strides) for a in parts]
    windows = stencil.boundary.tobytes(), stencil.boundary_windows.tobytes()
    return term.axis, term.accumulate, *numbers, *windows, *places


def _is_pair(across: TermRequest, along: TermRequest, out: Array) -> bool:
    """Return whether two terms are of the same cells, and along the last two axes."""
    start = across.stencil.center * across.block.strides[-2]
    return (
        across.axis == along.axis - 1 == out.ndim - 2
        and along.stencil.center == 0
        and along.block.shape[-1] == out.shape[-1]
        and along.block.strides == across.block.strides
        and address(along.block) == address(across.block) + start
        and along.accumulate == Accumulate.ADD
        and along.stretching.shape == across.stretching.shape
    )


def _steps(a: Array) -> tuple[int, int] | None:
    """Return the steps in cells along all outer axes together and along the rows.

    None if the outer axes have no common step, or cells of a row are not adjacent.
    """
    flags, size = a.flags, a.itemsize
    if flags.c_contiguous and flags.aligned:
        return a.shape[-2] * a.shape[-1], a.shape[-1]
    if not flags.aligned or a.strides[-1] != size or any(s <= 0 or s % size for s in a.strides):
        return None
    outer = [(n, s // size) for n, s in zip(a.shape[:-2], a.strides[:-2], strict=True) if n > 1]
    if any(step != n * inner for (_, step), (n, inner) in pairwise(outer)):
        return None
    return outer[-1][1] if outer else 0, a.strides[-2] // size


def write_pairs(pairs: Pairs, with_numpy: Callable[[], None]) -> None:
    """Write pairs of terms into some rows of arrays, in one pass for each group.

    Parameters
    ----------
    pairs : Pairs
        The pairs and the rows.
    with_numpy : callable
        Does the same, as long as the loops are not compiled.
    """
    for group in pairs.groups:
        case, kind = _case(group)
        if not case.is_ready:
            case.replace(with_numpy, partial(_compile, *kind))
            return
    for group in pairs.groups:
        _run(group, pairs.first, pairs.last)


def _case(group: list[Pair]) -> tuple[Loop, tuple[bool, bool, np.dtype[Any]]]:
    """Return the loop of one result or of two, and what it is compiled for."""
    across, _, out = group[0]
    kind = len(group) == 2, across.accumulate == Accumulate.ADD, out.dtype
    return loop("pairs", *kind), kind


@cache
def _pair_loop(two_results: bool, adds: bool) -> Any:
    """Load the compiler, and return the loop."""
    with LOADING:
        from .pair_loops import pair_loop
    return pair_loop(two_results, adds)


def _compile(two_results: bool, adds: bool, dtype: np.dtype[Any]) -> None:
    """Compile the loop, by a call on arrays without cells."""
    real = COMPILED_DTYPES[dtype]
    field, weight = (read_only_view(np.empty(0, t)) for t in (dtype, real))
    windows, table = np.empty((0, 3), np.int64), np.empty((0, 1), real)
    outs = (np.empty(0, dtype), 0, 0) * 2
    _pair_loop(two_results, adds)(
        field, 0, 0, 0, field, 0, 0, field, 0, 0, *outs, 0, 0, *[weight] * 6,
        *[real.type(0)] * 4, windows, table, 0, 0, 0, 0, 0, 0, 1,
    )  # fmt: skip


def _run(group: list[Pair], first: int, last: int) -> None:
    """Run the loop for one result or two."""
    across, along, out = group[0]
    real, stencil = COMPILED_DTYPES[out.dtype], along.stencil
    parts = across.block, along.left_halo, along.right_halo
    # No window reaches a halo that is missing, so the block stands in for it.
    f, before, after = (_lines(across.block if part is None else part) for part in parts)
    for cells, _, _ in (f, before, after):
        read_only_view(cells)
    weights = [across.stretching, along.stretching]
    weights += [term.output_weight for part in (group[0], group[-1]) for term in part[:2]]
    w_outer = prod(out.shape[-2:]) if weights[0].size == out.size else 0
    center = [c for t in (across, along) for c in t.stencil.tables[real][0].ravel()]
    row_bytes = (2 + 2 * len(group)) * out.shape[-1] * real.itemsize
    reach = 0 if along.left_halo is None else along.left_halo.shape[-1]
    _pair_loop(len(group) == 2, across.accumulate == Accumulate.ADD)(
        *f, across.stencil.center * f[2], *before, *after, *_lines(out), *_lines(group[-1][2]),
        out.shape[-1], w_outer,
        *(read_only_view(weight.reshape(-1)) for weight in weights), *center,
        stencil.boundary_windows, stencil.tables[real][1], reach, prod(out.shape[:-2]),
        first, last, stencil.first, stencil.last, max(1, WEIGHT_BYTES // row_bytes),
    )  # fmt: skip


def _lines(a: Array) -> tuple[Array, int, int]:
    """Return the memory of an array and its steps, of a copy if there are no such steps."""
    steps = _steps(a)
    return _lines(as_aligned(a)) if steps is None else (flat_view(a), *steps)
