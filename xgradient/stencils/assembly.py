"""Assembly of stencils: the windows of all rows of an axis, and their coefficients."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .cache import MAX_CACHED_NODES
from .fornberg import Fit, Interpolation, window_table
from .least_squares import LeastSquares
from .masked import make_masked_stencil
from .nodes import Nodes
from .table import Stencil

#: Windows with up to so many nodes on each side are used on axes of any length.
MIN_HALF_WIDTH = 16


def interior_width(deriv: int, accuracy: int, uniform: bool) -> int:
    """Number of nodes of a centred window: odd, so that a reversed axis reverses the result.

    A window of m nodes has order of accuracy m - deriv; even derivatives on uniform centred
    windows gain one order by symmetry.
    """
    width = deriv + accuracy - (uniform and deriv % 2 == 0)
    return width + 1 - width % 2


def half_width(deriv: int, accuracy: int, uniform: bool, n: int) -> int:
    """Number of nodes on each side of a centred window, limited by the length of the axis.

    A window wider than the axis fits no row, so its width may be cut. Up to `MIN_HALF_WIDTH` it
    is kept, so that short axes share the compiled loops of long ones.
    """
    return min(interior_width(deriv, accuracy, uniform) // 2, max((n + 1) // 2, MIN_HALF_WIDTH))


def make_stencil(
    nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool = False
) -> Stencil:
    """Make the stencil of one derivative on one axis.

    Interior rows use centred windows of order ``accuracy``. Boundary rows use windows that begin
    (end) at the end node and have ``deriv + edge_order`` nodes. If a centred window up to that
    end is wider, the row has this one.

    Parameters
    ----------
    nodes : Nodes
        The axis, with enough nodes for the windows.
    deriv, accuracy, edge_order : int
        Order of the derivative, and of its accuracy in the interior and at boundaries; each at
        least 1.
    skipna : bool
        Whether to add windows for rows next to missing values.

    Returns
    -------
    Stencil
        ``nodes.n`` rows, with coefficients in units of the positions to the power ``-deriv``.
    """
    # Tables of long non-uniform axes are large, and cost little to build compared to the data.
    if nodes.positions is not None and nodes.n > MAX_CACHED_NODES:
        return _build_stencil(nodes, deriv, accuracy, edge_order, skipna)
    return _cached_stencil(nodes, deriv, accuracy, edge_order, skipna)


def make_smoothing_stencil(
    nodes: Nodes, window: int, fit: LeastSquares, skipna: bool = False
) -> Stencil:
    """Make the stencil of polynomials that are fitted to windows of an axis.

    Parameters
    ----------
    nodes : Nodes
        The axis, with enough nodes for the window.
    window : int
        Number of nodes of each window, odd. Next to the ends it is not centred.
    fit : LeastSquares
        The derivative, and the degree of the polynomials.
    skipna : bool
        Whether to add windows for rows next to missing values.
    """
    if nodes.positions is not None and nodes.n > MAX_CACHED_NODES:
        return _checked_stencil(nodes, fit, window // 2, window, skipna)
    return _cached_smoothing_stencil(nodes, fit, window // 2, window, skipna)


def _build_stencil(
    nodes: Nodes, deriv: int, accuracy: int, edge_order: int, skipna: bool
) -> Stencil:
    half = half_width(deriv, accuracy, nodes.step is not None, nodes.n)
    return _checked_stencil(nodes, Interpolation(deriv), half, deriv + edge_order, skipna)


def _checked_stencil(
    nodes: Nodes, fit: Fit, half: int, boundary_width: int, skipna: bool
) -> Stencil:
    """Make a stencil; refuse it if float64 cannot hold its coefficients."""
    with np.errstate(all="ignore"):
        stencil = assemble_stencil(nodes, fit, half, boundary_width, skipna)
    for table in (stencil.interior.T, stencil.boundary):
        if not np.isfinite(table).all() or not table.any(axis=1).all():
            raise ValueError(
                "the steps of the axis are too small or too large for this derivative in "
                "float64; rescale the coordinate or give spacing="
            )
    return stencil.with_missing_ends(nodes.missing_ends) if any(nodes.missing_ends) else stencil


# To build a stencil costs more than to apply it to a short axis, so recent ones are cached. Nodes
# are hashed by identity, and are cached themselves.
_cached_stencil = lru_cache(maxsize=64)(_build_stencil)
_cached_smoothing_stencil = lru_cache(maxsize=64)(_checked_stencil)


def assemble_stencil(
    nodes: Nodes, fit: Fit, half: int, boundary_width: int, skipna: bool
) -> Stencil:
    """Make a stencil of windows of ``half`` nodes on both sides, and one-sided ones at the ends."""
    centred = range(-half, half + 1)
    masked = make_masked_stencil(nodes, fit, half, boundary_width) if skipna else None
    before, after = nodes.continues
    if before and after:
        interior = window_table(nodes, range(nodes.n), centred, fit)
        none, no_rows = np.zeros(0, dtype=np.int64), np.zeros((0, 1))
        return Stencil(
            nodes.n, 0, nodes.n, -half, interior, none, none, none, no_rows, masked=masked
        )
    first = 0 if before else min(half, (nodes.n + 1) // 2)
    last = nodes.n if after else max(nodes.n - half, first)
    rows = np.concatenate([np.arange(first), np.arange(last, nodes.n)])
    from_right = nodes.n - 1 - rows
    from_left = (rows <= from_right) & (not before) | after
    widths = np.maximum(boundary_width, 2 * np.where(from_left, rows, from_right) + 1)
    starts = np.where(from_left, 0, nodes.n - widths)
    boundary = np.zeros((len(rows), int(widths.max(initial=2)) - 1))
    for i, (row, start, size) in enumerate(zip(rows, starts, widths, strict=True)):
        row_range = range(int(row), int(row) + 1)
        window = range(int(start - row), int(start - row + size))
        boundary[i, : size - 1] = window_table(nodes, row_range, window, fit)[:, 0]
    interior = window_table(nodes, range(first, last), centred, fit)
    return Stencil(
        nodes.n, first, last, -half, interior, rows, starts, widths, boundary, masked=masked
    )
