"""Any other array: slices and sums in the array's own namespace.

Nothing is written in place, so immutable and traced arrays work. The order of the sum is that of
the compiled loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..stencils import Stencil
from ._boxes import cut

__all__ = [
    "check_dense",
    "derivative",
    "device",
    "floating",
    "join",
    "like",
    "missing",
    "namespace",
    "not_numeric",
    "summed",
    "valid_nodes",
]


def namespace(array: Any) -> Any:
    """The functions of an array's library, as the array API standard has them."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    kind = f"{type(array).__module__}.{type(array).__qualname__}"
    try:
        from array_api_compat import array_namespace, is_array_api_obj
    except ImportError:
        raise TypeError(
            f"{kind} does not follow the array API standard by itself; install array-api-compat, "
            "or give a NumPy or dask array"
        ) from None
    if not is_array_api_obj(array):
        raise TypeError(
            f"{kind} does not follow the array API standard; give a NumPy or dask array"
        )
    return array_namespace(array)


def floating(f: Any, xp: Any) -> Any:
    """The dtype of an array's derivatives: the widest real one for integers and booleans."""
    if not xp.isdtype(f.dtype, ("numeric", "bool")):
        raise not_numeric(f.dtype)
    if not xp.isdtype(f.dtype, ("integral", "bool")):
        return f.dtype
    if not hasattr(xp, "__array_namespace_info__"):
        return xp.float64
    # Some libraries have no float64, or not everywhere.
    found = xp.__array_namespace_info__().dtypes(device=device(f), kind="real floating")
    return found.get("float64", found["float32"])


def not_numeric(dtype: Any) -> TypeError:
    """The error for data that have no derivative."""
    to = "float32" if "float" in str(dtype) else "numbers"  # NumPy knows no bfloat16
    return TypeError(f"data of dtype {dtype} have no derivative; convert them to {to} first")


def summed(dtype: Any, xp: Any) -> Any:
    """The dtype that is computed in; sums of half floats are rounded once, at the end."""
    half = xp.isdtype(dtype, "real floating") and xp.finfo(dtype).bits < 32
    return xp.float32 if half else dtype


def device(f: Any) -> Any:
    """Where constants must be to meet an array; None where they go there by themselves."""
    return None if hasattr(f, "sharding") else getattr(f, "device", None)


def derivative(
    f: Any,
    axis: int,
    stencil: Stencil,
    dtype: Any,
    xp: Any,
    before: Any = None,
    after: Any = None,
    weight: Any = None,
    value: Any = None,
) -> Any:
    """The rows of a stencil, applied along one axis.

    Parameters
    ----------
    f : array
        The field.
    axis : int
        The axis, not negative.
    stencil : Stencil
        The rows; node 0 is the first cell of ``f`` along the axis.
    dtype : dtype
        Type of the result, in the namespace ``xp``.
    xp : module
        The array's namespace, by the array API standard.
    before, after : array, optional
        The cells before and after ``f`` along the axis.
    weight : ndarray, optional
        What the result is multiplied with: as many dimensions as ``f``, each of the result's
        length or 1.
    value : ndarray, optional
        A weight of the field itself, which is added.

    Returns
    -------
    array
        A new array, ``stencil.n`` long along ``axis``.
    """
    if before is not None:
        stencil = stencil.rows(0, stencil.n, origin=-before.shape[axis])
    f = join([part for part in (before, f, after) if part is not None], axis, xp)
    f = xp.astype(f, dtype)
    if not stencil.n:  # a chunk may have no cell at all
        return cut(f, axis, 0, 0)
    result = (
        _rows(f, axis, stencil, xp) if stencil.coasts is None else _coastal(f, axis, stencil, xp)
    )
    if weight is not None:
        result = result * like(weight, f, xp)
    if value is not None:
        result = result + like(value, f, xp) * cut(f, axis, stencil.own, stencil.own + stencil.n)
    return result


def _rows(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """The rows, with whole windows."""
    middle = int(np.searchsorted(stencil.edge_rows, stencil.first))
    parts = [_edge(f, axis, stencil, at, xp) for at in range(middle)]
    if stencil.last > stencil.first:
        start, stop = stencil.first + stencil.offset, stencil.last + stencil.offset
        parts.append(_sum(f, axis, start, stop, stencil.interior, xp))
    ends = range(middle, len(stencil.edge_rows))
    parts.extend(_edge(f, axis, stencil, at, xp) for at in ends)
    return join(parts, axis, xp)


def _coastal(f: Any, axis: int, stencil: Stencil, xp: Any) -> Any:
    """The rows, each with the window that its valid neighbours allow."""
    coasts, n = stencil.coasts, stencil.n
    assert coasts is not None
    check_dense(f)
    reach, own = coasts.reach, stencil.own
    # From here on node 0 is the first one that a row may count; beyond the axis all are missing.
    start, stop = own - reach, own + n + reach
    low, high = max(start, coasts.low, 0), min(stop, coasts.high, f.shape[axis])
    f = join([missing(f, axis, low - start, xp), cut(f, axis, low, high),
              missing(f, axis, stop - high, xp)], axis, xp)  # fmt: skip
    valid = f == f
    before, after = (valid_nodes(valid, axis, reach, n, way, xp) for way in (-1, 1))
    pairs = before * (reach + 1) + after
    kinds = xp.reshape(
        xp.take(xp.asarray(coasts.kinds.ravel(), device=device(f)), xp.reshape(pairs, (-1,))),
        pairs.shape,
    )
    result = missing(f, axis, n, xp)
    for kind, (first, width) in enumerate(zip(coasts.starts, coasts.widths, strict=True)):
        at = reach + int(first)
        total = _sum(f, axis, at, at + n, coasts.table[kind, : int(width) - 1], xp)
        result = xp.where(kinds == kind, total, result)
    return result


def check_dense(f: Any) -> None:
    """Refuse sparse arrays where missing values are skipped."""
    if hasattr(f, "fill_value"):
        raise TypeError("skipna looks at every cell; make the sparse array a dense one first")


def missing(f: Any, axis: int, cells: int, xp: Any) -> Any:
    """Missing values, so many along an axis."""
    shape = (*f.shape[:axis], max(0, cells), *f.shape[axis + 1 :])
    return xp.broadcast_to(xp.full_like(cut(f, axis, 0, 1), np.nan), shape)


def valid_nodes(valid: Any, axis: int, reach: int, n: int, way: int, xp: Any) -> Any:
    """How many nodes one after the other are valid, in one direction from each row."""
    total = 0 * xp.astype(cut(valid, axis, reach, reach + n), xp.int32)
    for far in range(reach, 0, -1):
        at = reach + way * far
        total = xp.where(cut(valid, axis, at, at + n), total + 1, 0 * total)
    return total


def join(parts: list[Any], axis: int, xp: Any) -> Any:
    """The parts one after the other along an axis."""
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "fill_value"):  # sparse arrays do not join zeros of both signs
        parts = [part + 0 for part in parts]
    return xp.concat(parts, axis=axis)


def _edge(f: Any, axis: int, stencil: Stencil, at: int, xp: Any) -> Any:
    start, width = int(stencil.edge_starts[at]), int(stencil.edge_widths[at])
    return _sum(f, axis, start, start + 1, stencil.edges[at, : width - 1, None], xp)


def _sum(f: Any, axis: int, start: int, stop: int, coefficients: Any, xp: Any) -> Any:
    """Sum of coefficient times difference for the windows that begin at start … stop - 1."""
    trail = (1,) * (f.ndim - axis - 1)
    total = cut(f, axis, start, stop) if not len(coefficients) else None
    for k, row in enumerate(coefficients):
        lower = cut(f, axis, start + k, stop + k)
        upper = cut(f, axis, start + k + 1, stop + k + 1)
        term = _like(row, f, xp, trail) * (upper - lower)
        total = term if total is None else total + term
    return total


def _like(row: Any, f: Any, xp: Any, trail: tuple[int, ...]) -> Any:
    """One coefficient as a number, or one a row as an array that broadcasts along the axis."""
    if len(row) == 1:
        return float(row[0])
    return xp.reshape(like(row, f, xp), (len(row), *trail))


def like(values: Any, f: Any, xp: Any) -> Any:
    """Values as an array of the field's kind and precision, without imaginary part."""
    real = xp.real(f).dtype if xp.isdtype(f.dtype, "complex floating") else f.dtype
    return xp.asarray(values, dtype=real, device=device(f))
