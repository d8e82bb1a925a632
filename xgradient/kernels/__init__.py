"""What the data are: the choice of the loops by the type of the array.

A kernel sees plain windows: a block, the cells before and after it, an axis and the rows of a
stencil. It knows no labels, coordinates, periods or chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from ..stencils import Stencil
from ..windows import Windows
from . import _cupy, _standard, _standard_levels, _tiles, _torch, _turns
from ._boxes import cut, laid_out
from ._calls import Call, Finish, rows_of
from ._tiles import Runner, compiled_pointwise, evaluate, loops
from ._torch import apart, traced

__all__ = [
    "Call",
    "Finish",
    "Runner",
    "apart",
    "beside",
    "blank",
    "check_alike",
    "check_dense",
    "check_place",
    "collected",
    "cut",
    "derivative",
    "first_turn",
    "join",
    "masked",
    "negative",
    "on_gpu",
    "opened",
    "owned",
    "place",
    "plain",
    "pointwise",
    "positions",
    "put",
    "readable",
    "real_parts",
    "repeats",
    "result_dtype",
    "root",
    "rows_of",
    "same",
    "spread",
    "sums",
    "times",
    "total",
    "traced",
]

_HERE = nullcontext()


@cache
def result_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype of a derivative: that of the field, and float64 for integers and booleans.

    Raises
    ------
    TypeError
        If the field is not numeric.
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "iub":
        return np.dtype(np.float64)
    if dtype.kind in "fc":
        native: np.dtype[Any] = dtype.newbyteorder("=")
        return native
    raise _standard.not_numeric(dtype)


def derivative(
    block: Any,
    axis: int,
    stencil: Stencil,
    before: Any = None,
    after: Any = None,
    runner: Runner | None = None,
) -> Any:
    """Differentiate one block along one axis.

    Parameters
    ----------
    block : array
        The cells that the stencil's rows belong to.
    axis : int
        The axis, not negative.
    stencil : Stencil
        One row for each cell of the block along the axis, numbered from the block's first.
    before, after : array, optional
        As many cells as the stencil reaches over the block's ends, where it does.
    runner : callable, optional
        Runs the work units of a large NumPy block; without it they run in the calling thread.

    Returns
    -------
    array
        The derivative, of the block's shape and array type.
    """
    if isinstance(block, np.ndarray):
        block = np.asarray(block)  # a matrix or memory map is looked at as the array it is
        out = np.empty_like(block, dtype=result_dtype(block.dtype), subok=False)
        rows = stencil if before is None and after is None else stencil.inside
        if runner is None or out.size < _tiles.WORTH_THREADS:
            loops(out.dtype)(block, axis, rows, out, before, after)
        else:
            call = Call(block, axis, rows, before, after)
            evaluate([[call]], [out], [], None, runner, out.dtype)
        return out
    if _cupy.holds(block):
        rows = stencil if before is None and after is None else stencil.inside
        return sums([[Call(block, axis, rows, before, after)]], [block])[0]
    xp = _namespace(block)
    dtype = _dtype([block], xp)
    computed = _standard.summed(dtype, xp)
    result = _standard.derivative(block, axis, stencil, computed, xp, before, after)
    return xp.astype(result, dtype) if computed != dtype else result


def sums(
    wanted: list[list[Call]],
    blocks: list[Any],
    finish: Finish | None = None,
    count: int | None = None,
    runner: Runner | None = None,
    apart: tuple[int, ...] = (),
) -> list[Any]:
    """Sums of terms on blocks of one shape, in one pass.

    Parameters
    ----------
    wanted : list of list of Call
        The terms of each sum.
    blocks : list of array
        The input arrays.
    finish : callable, optional
        Makes results of the list of sums and the list of blocks, point by point, and writes
        them into a list of arrays if they are NumPy's.
    count : int, optional
        How many results ``finish`` makes.
    runner : callable, optional
        Runs the work units of large NumPy blocks; without it they run in the calling thread.
    apart : tuple of int
        Blocks that have no say in the dtype of what ``finish`` makes, only in that of the sums.

    Returns
    -------
    list of array
        The sums, or what ``finish`` makes of them.
    """
    fields = [block for at, block in enumerate(blocks) if at not in apart]
    taken = [*fields, *(call.f for calls in wanted for call in calls if apart)]
    if all(isinstance(block, np.ndarray) for block in blocks):
        exact = result_dtype(np.result_type(*taken))
        dtype = exact if finish is None else result_dtype(np.result_type(*fields))
        like = blocks[0]
        outs = [np.empty_like(like, dtype=dtype, subok=False) for _ in range(count or len(wanted))]
        evaluate(wanted, outs, blocks, finish, runner, exact)
        return outs
    xp = _namespace(blocks[0])
    exact = _dtype(taken, xp)
    dtype = exact if finish is None else _dtype(fields, xp)
    computed = _standard.summed(exact, xp)
    results = _summed(wanted, blocks[0], computed if finish else dtype, xp)
    if finish is not None:
        results = finish(results, blocks, [None] * (count or 1))
    return [xp.astype(r, dtype) for r in results] if computed != dtype else results


def _summed(wanted: list[list[Call]], like: Any, dtype: Any, xp: Any) -> list[Any]:
    """The sums of arrays that are not NumPy's."""
    on_device: Iterator[Any] = iter(())
    if _cupy.holds(like):
        usual = [calls for calls in wanted if not calls[0].positions]
        on_device = iter(_cupy.sums(usual, like, dtype) if usual else ())
    results = []
    for calls in wanted:
        if _cupy.holds(like) and not calls[0].positions:
            results.append(next(on_device))
            continue
        total: Any = None
        for f, axis, stencil, before, after, weight, value, how, positions in calls:
            if isinstance(stencil, Windows):
                assert positions is not None
                parts = (f, before, after), positions
                part = _standard_levels.derivative(*parts, axis, stencil, dtype, xp)
            else:
                around = before, after, weight, value
                part = _standard.derivative(f, axis, stencil, dtype, xp, *around)
            total = collected(total, part, how)
        results.append(total)
    return results


def first_turn(positions: Any, axis: int, runner: Runner | None = None) -> tuple[int, ...] | None:
    """The index of the first position along an axis that repeats a value or turns back.

    Nothing is told of arrays other than NumPy's, which may be far away or not there yet.
    """
    if not isinstance(positions, np.ndarray):
        return None
    runner = None if positions.size < _tiles.WORTH_THREADS else runner
    return _turns.first_turn(positions, axis, runner)


def collected(total: Any, part: Any, how: int) -> Any:
    """What becomes of a term, as `Call` has it, with the sum of those before it."""
    if how in (0, 1):
        return total + part if how else part
    return _size(part) if how == 3 else _namespace(part).hypot(_size(total), _size(part))


def _size(array: Any) -> Any:
    """Return magnitudes; NumPy's, of complex numbers, have other last bits in some layouts."""
    return abs(laid_out(array) if isinstance(array, np.ndarray) else array)


def _dtype(blocks: list[Any], xp: Any) -> Any:
    """The dtype of derivatives, in the arrays' own namespace."""
    if xp is np:
        return result_dtype(np.result_type(*blocks))
    if _cupy.holds(blocks[0]):
        return np.result_type(*(_cupy.known(result_dtype(b.dtype), b.dtype) for b in blocks))
    dtypes = [_standard.floating(block, xp) for block in blocks]
    return dtypes[0] if len(dtypes) == 1 else xp.result_type(*dtypes)


def _namespace(array: Any) -> Any:
    return _cupy.namespace() if _cupy.holds(array) else _standard.namespace(array)


def check_alike(arrays: list[Any]) -> None:
    """Refuse arrays of different libraries."""
    if all(isinstance(array, np.ndarray) for array in arrays):
        return
    names = {_namespace(array): f"{type(array).__module__}.{type(array).__qualname__}"
             for array in arrays}  # fmt: skip
    if len(names) > 1:
        raise TypeError(
            f"the fields are arrays of different libraries, {' and '.join(names.values())}; "
            "bring them to the same one first"
        )


def check_dense(array: Any) -> None:
    """Refuse arrays that do not have a number in memory for each cell, where no loop could run."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError("input is a masked array; give one with NaN for what is masked, as .filled")
    if not isinstance(array, np.ndarray) and _torch.holds(array):
        _torch.check_dense(array)


def check_place(array: Any, field: Any, what: str) -> None:
    """Refuse an array on a GPU beside a field that is not."""
    if _cupy.holds(array) and not _cupy.holds(field):
        raise ValueError(
            f"{what} is on a GPU, but the field is not; bring it back, e.g. with .as_numpy()"
        )


def on_gpu(array: Any) -> bool:
    """Whether an array is on a GPU."""
    return _cupy.holds(array)


def place(array: Any) -> AbstractContextManager[Any]:
    """Where an array is: inside this context others are made there, too."""
    return array.device if _cupy.holds(array) else _HERE


def opened(array: Any) -> tuple[Any, Callable[[Any], Any]]:
    """An array as the loops take it, and what makes results of the type that was given.

    A tensor in memory is a NumPy array in the same memory; all others are themselves.
    """
    if isinstance(array, np.ndarray) or not _torch.holds(array):
        return array, _itself
    return _torch.opened(array)


def _itself(array: Any) -> Any:
    return array


def positions(values: Any, array: Any, what: str) -> Any:
    """Positions or a step, of whatever kind, as NumPy or Python has them.

    Parameters
    ----------
    values : number, sequence or array
        What was given.
    array : array
        The field that they belong to, in memory or in dask chunks.
    what : str
        The argument in words, for error messages.
    """
    if isinstance(values, np.ndarray) or not hasattr(values, "ndim"):
        return values
    for family in (_torch, _cupy):
        if family.holds(values):
            return family.positions(values, getattr(array, "_meta", array), what)
    try:
        return np.asarray(values)
    except (TypeError, RuntimeError) as error:
        kind = f"{type(values).__module__}.{type(values).__qualname__}"
        raise TypeError(
            f"{what} is a {kind}, whose values cannot be read now; give numbers or a NumPy array"
        ) from error


def blank(arrays: list[Any]) -> Any:
    """An empty array like the derivatives of empty arrays."""
    xp = _namespace(arrays[0])
    with place(arrays[0]):
        return xp.astype(arrays[0], _dtype(arrays, xp))


def readable(array: Any) -> Any:
    """An array as NumPy's; one on a GPU stays there, as other arrays can be brought there."""
    if _cupy.holds(array):
        return array
    _standard.check_dense(array)
    return np.asarray(array)


def beside(array: Any, like: type) -> Any:
    """An array where those of a type are: a NumPy array on the GPU if they are CuPy's."""
    if isinstance(array, np.ndarray) and _cupy.makes(like):
        return _cupy.on_device(array, array.dtype)
    return array


def masked(values: Any, valid: Any) -> Any:
    """The values where they are valid, and missing ones elsewhere."""
    if isinstance(values, np.ndarray):
        return np.where(valid, values, np.nan)
    xp = _namespace(values)
    return xp.where(xp.asarray(valid), xp.astype(values, _dtype([values], xp), copy=False), np.nan)


def repeats(array: Any, axes: list[int]) -> list[bool]:
    """Along which of some axes an array is the same all the way."""
    same = {d: (array == cut(array, d, 0, 1)).all() for d in axes if array.shape[d] > 1}
    if _cupy.holds(array):
        same = dict(zip(same, _cupy.truths(list(same.values())), strict=True))
    return [bool(same.get(d, array.shape[d] == 1)) for d in axes]


def same(a: Any, b: Any) -> bool:
    """Return whether two arrays have the same values, missing ones in the same places."""
    alike = (a == b) | ((a != a) & (b != b))  # a missing value is not equal to itself
    if _cupy.holds(alike):
        return _cupy.truths([alike.all()])[0]
    return bool(_namespace(alike).all(alike))


def owned(array: Any) -> Any:
    """The array itself, or a copy where a view would keep all of another in memory."""
    with place(array):
        return array.copy() if isinstance(array, np.ndarray) or _cupy.holds(array) else array


def join(parts: list[Any], axis: int) -> Any:
    """The parts one after the other along an axis."""
    if len(parts) == 1:
        return parts[0]
    with place(parts[0]):
        return _standard.join(parts, axis, _namespace(parts[0]))


def negative(array: Any) -> Any:
    """The array with the opposite sign, which unsigned integers get as floats."""
    xp = _namespace(array)
    return -xp.astype(array, _dtype([array], xp))


def total(array: Any, axis: int) -> Any:
    """The sum along an axis, which stays with length 1."""
    if isinstance(array, np.ndarray):
        array = laid_out(array)  # NumPy adds in the order of the memory
    return _namespace(array).sum(array, axis=axis, keepdims=True)


def times(array: Any, factors: Any) -> Any:
    """The array times NumPy factors that broadcast against it."""
    if _cupy.holds(array):
        return array * _cupy.on_device(factors, array.real.dtype)
    return array * _standard.like(factors, array, _namespace(array))


def put(array: Any, rows: Any, axis: int, start: int) -> Any:
    """The array with other rows from ``start`` on; NumPy and CuPy arrays are written in place."""
    stop = start + rows.shape[axis]
    if isinstance(array, np.ndarray) or _cupy.holds(array):
        cut(array, axis, start, stop)[...] = rows
        return array
    xp = _namespace(array)
    rows = xp.astype(rows, array.dtype)
    parts = [cut(array, axis, 0, start), rows, cut(array, axis, stop, None)]
    return join([part for part in parts if part.shape[axis]], axis)


def pointwise(function: Callable[..., Any], arrays: list[Any], out: Any = None) -> Any:
    """A function of numbers at every cell of some arrays.

    Parameters
    ----------
    function : callable
        Arithmetic that means the same for numbers and arrays.
    arrays : list of array
        Its arguments, of one shape.
    out : ndarray, optional
        Where NumPy arrays write it; else an array is made.
    """
    if not isinstance(arrays[0], np.ndarray):
        return function(*arrays)
    with np.errstate(all="ignore"):  # missing and infinite values are values like others
        if out is None:
            out = np.empty_like(arrays[0])
        if not compiled_pointwise(function, arrays, out):
            # NumPy's products of complex numbers have other last bits for some layouts.
            out[...] = function(*map(laid_out, arrays))
    return out


def root(array: Any) -> Any:
    """The square root; a NumPy array, which must be its caller's own, becomes it in place."""
    if isinstance(array, np.ndarray):
        with np.errstate(all="ignore"):
            return np.sqrt(array, out=array)
    return _namespace(array).sqrt(array)


def real_parts(arrays: list[Any]) -> list[Any]:
    """The arrays, of complex ones both parts."""
    if isinstance(arrays[0], np.ndarray):
        complex_ = any(a.dtype.kind == "c" for a in arrays)
        return [p for a in arrays for p in (a.real, a.imag)] if complex_ else arrays
    xp = _namespace(arrays[0])
    if any(xp.isdtype(a.dtype, "complex floating") for a in arrays):
        return [part for a in arrays for part in (xp.real(a), xp.imag(a))]
    return arrays


def spread(array: Any, like: Any, axis: int | None = None) -> Any:
    """Positions of the library and shape of a field, along which they may be 1 long.

    Nothing of the same library is copied. Along ``axis`` they keep their own length.
    """
    xp, shape = _namespace(like), like.shape
    array = beside(array, type(like))
    if isinstance(array, np.ndarray) and xp is not np:
        array = xp.asarray(array)
    if axis is not None:
        shape = (*shape[:axis], array.shape[axis], *shape[axis + 1 :])
    return array if array.shape == shape else xp.broadcast_to(array, shape)


def plain(array: Any) -> Any:
    """The array itself; a NumPy matrix or memory map as the array it is."""
    return np.asarray(array) if isinstance(array, np.ndarray) else array
