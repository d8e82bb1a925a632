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

from ..stencils.columns import ColumnWindows
from ..stencils.table import Stencil
from . import torch_interop
from .compiled import monotonic, tiles
from .compiled.layout import as_aligned
from .compiled.tiles import Runner, compiled_pointwise, evaluate_tiles, stencil_loop
from .cuda import backend
from .generic import column_sum, stencil_sum
from .requests import Combine, TermRequest, slice_axis

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
    raise stencil_sum.not_numeric_error(dtype)


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
        rows = stencil if before is None and after is None else stencil.with_boundary_rows
        if runner is None or out.size < tiles.MIN_CELLS_FOR_THREADS:
            stencil_loop(out.dtype)(block, axis, rows, out, before, after)
        else:
            call = TermRequest(block, axis, rows, before, after)
            evaluate_tiles([[call]], [out], [], None, runner, out.dtype)
        return out
    if backend.owns(block):
        rows = stencil if before is None and after is None else stencil.with_boundary_rows
        return sums([[TermRequest(block, axis, rows, before, after)]], [block])[0]
    xp = _namespace(block)
    dtype = _dtype([block], xp)
    computed = stencil_sum.accumulation_dtype(dtype, xp)
    result = stencil_sum.stencil_sum(block, axis, stencil, computed, xp, before, after)
    return xp.astype(result, dtype) if computed != dtype else result


def sums(
    wanted: list[list[TermRequest]],
    blocks: list[Any],
    combine: Combine | None = None,
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
    taken = [*fields, *(call.block for calls in wanted for call in calls if apart)]
    if all(isinstance(block, np.ndarray) for block in blocks):
        exact = result_dtype(np.result_type(*taken))
        dtype = exact if combine is None else result_dtype(np.result_type(*fields))
        like = blocks[0]
        outs = [np.empty_like(like, dtype=dtype, subok=False) for _ in range(count or len(wanted))]
        evaluate_tiles(wanted, outs, blocks, combine, runner, exact)
        return outs
    xp = _namespace(blocks[0])
    exact = _dtype(taken, xp)
    dtype = exact if combine is None else _dtype(fields, xp)
    computed = stencil_sum.accumulation_dtype(exact, xp)
    results = _sums_of_other_arrays(wanted, blocks[0], computed if combine else dtype, xp)
    if combine is not None:
        results = combine(results, blocks, [None] * (count or 1))
    return [xp.astype(r, dtype) for r in results] if computed != dtype else results


def _sums_of_other_arrays(
    wanted: list[list[TermRequest]], like: Any, dtype: Any, xp: Any
) -> list[Any]:
    """The sums of arrays that are not NumPy's."""
    on_device: Iterator[Any] = iter(())
    if backend.owns(like):
        usual = [calls for calls in wanted if not calls[0].positions]
        on_device = iter(backend.cupy_sums(usual, like, dtype) if usual else ())
    results = []
    for calls in wanted:
        if backend.owns(like) and not calls[0].positions:
            results.append(next(on_device))
            continue
        total: Any = None
        for f, axis, stencil, before, after, weight, value, how, positions in calls:
            if isinstance(stencil, ColumnWindows):
                assert positions is not None
                parts = (f, before, after), positions
                part = column_sum.apply_windows(*parts, axis, stencil, dtype, xp)
            else:
                around = before, after, weight, value
                part = stencil_sum.stencil_sum(f, axis, stencil, dtype, xp, *around)
            total = accumulate(total, part, how)
        results.append(total)
    return results


def first_non_monotonic(
    positions: Any, axis: int, runner: Runner | None = None
) -> tuple[int, ...] | None:
    """The index of the first position along an axis that repeats a value or turns back.

    Nothing is told of arrays other than NumPy's, which may be far away or not there yet.
    """
    if not isinstance(positions, np.ndarray):
        return None
    runner = None if positions.size < tiles.MIN_CELLS_FOR_THREADS else runner
    return monotonic.find_non_monotonic(positions, axis, runner)


def accumulate(total: Any, part: Any, accumulate: int) -> Any:
    """What becomes of a term, as `TermRequest` has it, with the sum of those before it."""
    if accumulate in (0, 1):
        return total + part if accumulate else part
    return _size(part) if accumulate == 3 else _namespace(part).hypot(_size(total), _size(part))


def _size(array: Any) -> Any:
    """Return magnitudes; NumPy's, of complex numbers, have other last bits in some layouts."""
    return abs(as_aligned(array) if isinstance(array, np.ndarray) else array)


def _dtype(blocks: list[Any], xp: Any) -> Any:
    """The dtype of derivatives, in the arrays' own namespace."""
    if xp is np:
        return result_dtype(np.result_type(*blocks))
    if backend.owns(blocks[0]):
        return np.result_type(
            *(backend.supported_dtype(result_dtype(b.dtype), b.dtype) for b in blocks)
        )
    dtypes = [stencil_sum.derivative_dtype(block, xp) for block in blocks]
    return dtypes[0] if len(dtypes) == 1 else xp.result_type(*dtypes)


def _namespace(array: Any) -> Any:
    return backend.namespace() if backend.owns(array) else stencil_sum.namespace(array)


def check_same_library(arrays: list[Any]) -> None:
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
    if not isinstance(array, np.ndarray) and torch_interop.owns(array):
        torch_interop.check_dense(array)


def check_same_device(array: Any, field: Any, label: str) -> None:
    """Refuse an array on a GPU beside a field that is not."""
    if backend.owns(array) and not backend.owns(field):
        raise ValueError(
            f"{label} is on a GPU, but the field is not; bring it back, e.g. with .as_numpy()"
        )


def on_gpu(array: Any) -> bool:
    """Whether an array is on a GPU."""
    return backend.owns(array)


def device_context(array: Any) -> AbstractContextManager[Any]:
    """Where an array is: inside this context others are made there, too."""
    return array.device if backend.owns(array) else _HERE


def to_numpy_view(array: Any) -> tuple[Any, Callable[[Any], Any]]:
    """An array as the loops take it, and what makes results of the type that was given.

    A tensor in memory is a NumPy array in the same memory; all others are themselves.
    """
    if isinstance(array, np.ndarray) or not torch_interop.owns(array):
        return array, _identity
    return torch_interop.to_numpy_view(array)


def _identity(array: Any) -> Any:
    return array


def to_host_positions(values: Any, array: Any, label: str) -> Any:
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
    for family in (torch_interop, backend):
        if family.owns(values):
            return family.to_host_positions(values, getattr(array, "_meta", array), label)
    try:
        return np.asarray(values)
    except (TypeError, RuntimeError) as error:
        kind = f"{type(values).__module__}.{type(values).__qualname__}"
        raise TypeError(
            f"{label} is a {kind}, whose values cannot be read now; give numbers or a NumPy array"
        ) from error


def empty_like_result(arrays: list[Any]) -> Any:
    """An empty array like the derivatives of empty arrays."""
    xp = _namespace(arrays[0])
    with device_context(arrays[0]):
        return xp.astype(arrays[0], _dtype(arrays, xp))


def to_host_or_device(array: Any) -> Any:
    """An array as NumPy's; one on a GPU stays there, as other arrays can be brought there."""
    if backend.owns(array):
        return array
    stencil_sum.check_dense(array)
    return np.asarray(array)


def to_device_of(array: Any, like: type) -> Any:
    """An array where those of a type are: a NumPy array on the GPU if they are CuPy's."""
    if isinstance(array, np.ndarray) and backend.is_cupy_type(like):
        return backend.on_device(array, array.dtype)
    return array


def where_valid(values: Any, valid: Any) -> Any:
    """The values where they are valid, and missing ones elsewhere."""
    if isinstance(values, np.ndarray):
        return np.where(valid, values, np.nan)
    xp = _namespace(values)
    return xp.where(xp.asarray(valid), xp.astype(values, _dtype([values], xp), copy=False), np.nan)


def constant_along(array: Any, axes: list[int]) -> list[bool]:
    """Along which of some axes an array is the same all the way."""
    same = {d: (array == slice_axis(array, d, 0, 1)).all() for d in axes if array.shape[d] > 1}
    if backend.owns(array):
        same = dict(zip(same, backend.fetch_bools(list(same.values())), strict=True))
    return [bool(same.get(d, array.shape[d] == 1)) for d in axes]


def same(a: Any, b: Any) -> bool:
    """Return whether two arrays have the same values, missing ones in the same places."""
    alike = (a == b) | ((a != a) & (b != b))  # a missing value is not equal to itself
    if backend.owns(alike):
        return backend.fetch_bools([alike.all()])[0]
    return bool(_namespace(alike).all(alike))


def copy_if_view(array: Any) -> Any:
    """The array itself, or a copy where a view would keep all of another in memory."""
    with device_context(array):
        return array.copy() if isinstance(array, np.ndarray) or backend.owns(array) else array


def concat(parts: list[Any], axis: int) -> Any:
    """The parts one after the other along an axis."""
    if len(parts) == 1:
        return parts[0]
    with device_context(parts[0]):
        return stencil_sum.concat(parts, axis, _namespace(parts[0]))


def negative(array: Any) -> Any:
    """The array with the opposite sign, which unsigned integers get as floats."""
    xp = _namespace(array)
    return -xp.astype(array, _dtype([array], xp))


def sum_along(array: Any, axis: int) -> Any:
    """The sum along an axis, which stays with length 1."""
    xp = _namespace(array)
    if isinstance(array, np.ndarray) or backend.owns(array):
        # The order of additions follows the layout and the lengths of the other axes, which
        # change from chunk to chunk; it is the same for rows that are contiguous.
        rows = xp.ascontiguousarray(xp.moveaxis(array, axis, -1))
        return xp.expand_dims(xp.sum(rows, axis=-1), axis)
    return xp.sum(array, axis=axis, keepdims=True)


def multiply(array: Any, factors: Any) -> Any:
    """The array times NumPy factors that broadcast against it."""
    if backend.owns(array):
        return array * backend.on_device(factors, array.real.dtype)
    return array * stencil_sum.as_field_dtype(factors, array, _namespace(array))


def set_rows(array: Any, rows: Any, axis: int, start: int) -> Any:
    """The array with other rows from ``start`` on; NumPy and CuPy arrays are written in place."""
    stop = start + rows.shape[axis]
    if isinstance(array, np.ndarray) or backend.owns(array):
        slice_axis(array, axis, start, stop)[...] = rows
        return array
    xp = _namespace(array)
    rows = xp.astype(rows, array.dtype)
    parts = [slice_axis(array, axis, 0, start), rows, slice_axis(array, axis, stop, None)]
    return concat([part for part in parts if part.shape[axis]], axis)


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
            out = np.empty_like(arrays[0], dtype=np.result_type(*arrays))
        if not compiled_pointwise(function, arrays, out):
            # NumPy's products of complex numbers have other last bits for some layouts.
            out[...] = function(*map(as_aligned, arrays))
    return out


def square_root(array: Any) -> Any:
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


def broadcast_like(array: Any, like: Any, axis: int | None = None) -> Any:
    """Positions of the library and shape of a field, along which they may be 1 long.

    Nothing of the same library is copied. Along ``axis`` they keep their own length.
    """
    xp, shape = _namespace(like), like.shape
    array = to_device_of(array, type(like))
    if isinstance(array, np.ndarray) and xp is not np:
        array = xp.asarray(array)
    if axis is not None:
        shape = (*shape[:axis], array.shape[axis], *shape[axis + 1 :])
    return array if array.shape == shape else xp.broadcast_to(array, shape)


def as_base_array(array: Any) -> Any:
    """The array itself; a NumPy matrix or memory map as the array it is."""
    return np.asarray(array) if isinstance(array, np.ndarray) else array
