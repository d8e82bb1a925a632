"""Launch kernels for sums of terms on CuPy arrays.

Coefficients, weights and positions are copied to the device once and kept there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..requests import TermRequest
from .device import namespace, on_device
from .source import CXX_TYPES, KernelSignature, LaunchConfig, TermSignature, collapse_dims, source

#: Terms of sums that one kernel evaluates: as many as the compiler has registers for.
MAX_TERMS_PER_KERNEL = 6
#: Cells that 32-bit indices can address, with room for blocks that reach beyond the end.
MAX_INT32_CELLS = 1 << 30

Array = Any


def supported_dtype(result: np.dtype[Any], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a derivative, if kernels can read the dtype of the field."""
    if dtype not in CXX_TYPES:
        raise TypeError(
            f"data of dtype {dtype} cannot be computed with on a GPU; convert them to float64 or "
            "float32 first"
        )
    return result


def cupy_sums(sums: list[list[TermRequest]], like: Array, dtype: np.dtype[Any]) -> list[Array]:
    """Evaluate sums of terms, in as few kernels as can hold them.

    Parameters
    ----------
    sums : list of list of TermRequest
        The terms of each sum.
    like : cupy.ndarray
        An array with the memory order of the results.
    dtype : dtype
        Type of the results.
    """
    cupy = namespace()
    with like.device:
        shape = sums[0][0].out_shape
        outs = [cupy.empty_like(like, dtype=dtype, shape=shape) for _ in sums]
        if outs[0].size:
            for first, stop in _kernel_groups(sums):
                _launch(sums[first:stop], outs[first:stop])
    return outs


def _kernel_groups(sums: list[list[TermRequest]]) -> Iterator[tuple[int, int]]:
    """Yield ranges of sums that share a kernel."""
    first = count = 0
    for at, terms in enumerate(sums):
        if count and count + len(terms) > MAX_TERMS_PER_KERNEL:
            yield first, at
            first, count = at, 0
        count += len(terms)
    yield first, len(sums)


def _launch(sums: list[list[TermRequest]], outs: list[Array]) -> None:
    """Launch one kernel for some sums."""
    out = outs[0]
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    terms_by_sum = [[_Term(term, out.dtype) for term in terms] for terms in sums]
    terms = [term for part in terms_by_sum for term in part]
    arrays = [*outs, *(array for term in terms for array in term.arrays)]
    lengths, steps, refs = collapse_dims(
        [out.shape[d] for d in order],
        [_steps(array, order) for array in arrays],
        {order.index(term.request.axis) for term in terms},
    )
    grid = LaunchConfig.of(lengths, len(terms))
    tables = [table for term in terms for table in term.tables]
    wide = any(_extent(array) > MAX_INT32_CELLS for array in (*arrays, *tables))
    signatures = tuple(
        tuple(term.signature(refs[order.index(term.request.axis)]) for term in part)
        for part in terms_by_sum
    )
    signature = KernelSignature(out.dtype, len(lengths), grid.cells, wide, signatures)
    views = iter([_pointer(a), *along] for a, along in zip(arrays, steps, strict=True))
    numbers = [*lengths, grid.chunks, grid.tiles]
    for _ in outs:
        numbers += next(views)
    for term in terms:
        for _ in term.arrays:
            numbers += next(views)
        numbers += term.numbers
    # One argument by value, a structure of 64-bit integers, which the driver copies.
    argument = np.array(numbers, np.int64).view([("values", np.int64, (len(numbers),))])
    _kernel(signature)((grid.blocks,), grid.block, (argument,))


@cache
def _kernel(signature: KernelSignature) -> Any:
    # Without contraction to multiply-adds the bits are those of the loops for NumPy arrays.
    return namespace().RawKernel(source(signature), "terms", ("--fmad=false",))


class _Term:
    """A term as a kernel reads it: arrays on the device, and numbers."""

    def __init__(self, request: TermRequest, out: np.dtype[Any]) -> None:
        self.request, stencil = request, request.stencil
        f, before, after = (
            _with_item_strides(array)
            for array in (request.block, request.left_halo, request.right_halo)
        )
        halo = [array for array in (before, after) if array is not None]
        if len({array.dtype for array in halo}) > 1:
            # Beyond a pole unsigned integers have become floats.
            before, after = halo = [array.astype(out) for array in halo]
        self.halo_dtype = halo[0].dtype if halo else f.dtype
        real = np.dtype(np.float64 if out in (np.float64, np.complex128) else np.float32)
        weight = request.output_weight if request.center_weight is None else request.center_weight
        weights = [
            None if w is None else _with_item_strides(on_device(w, real))
            for w in (weight, request.stretching)
        ]
        self.arrays = f, before, after, *weights
        #: Arrays that must stay on the device until the kernel is launched.
        self.tables: list[Array] = []
        self.numbers = [
            *self._pointers(real, *stencil.tables[real]),
            *self._pointers(np.int64, stencil.boundary_windows),
            *(stencil.first, stencil.last, stencil.offset, stencil.center),
            *(f.shape[request.axis], 0 if before is None else before.shape[request.axis]),
            stencil.boundary.shape[1],
        ]
        if (masked := stencil.masked) is not None:
            ends = (
                int(np.clip(node, -MAX_INT32_CELLS, MAX_INT32_CELLS))
                for node in (masked.low, masked.high)
            )
            self.numbers += [
                *self._pointers(real, *masked.tables[real]),
                *self._pointers(np.int64, masked.window_index, masked.starts, masked.widths),
                *(masked.depth, *ends, *masked.table.shape[1:]),
            ]

    def _pointers(self, dtype: Any, *tables: NDArray[Any]) -> list[int]:
        """Copy tables to the device and return their addresses."""
        copies = [on_device(table, dtype) for table in tables]
        self.tables += copies
        return [_pointer(table) for table in copies]

    def signature(self, axis: int) -> TermSignature:
        """Return the constants of the term, with its axis among the collapsed dimensions."""
        request, stencil = self.request, self.request.stencil
        return TermSignature(
            request.block.dtype,
            self.halo_dtype,
            axis,
            stencil.width,
            stencil.uniform,
            request.weight_mode,
            request.accumulate,
            stencil.masked is not None,
        )


def _with_item_strides(array: Array) -> Array:
    """Copy an array whose strides or address are not multiples of its cells, as in byte views."""
    if array is None or not any(at % array.itemsize for at in (_pointer(array), *array.strides)):
        return array
    return array.copy()


def _pointer(array: Array) -> int:
    """Return the address of an array, 0 without one."""
    return 0 if array is None else int(array.data.ptr)


def _steps(array: Array, order: list[int]) -> list[int]:
    """Return steps in cells; 0 along dimensions of length 1, which a weight is broadcast along."""
    if array is None:
        return [0] * len(order)
    return [array.strides[d] // array.itemsize if array.shape[d] > 1 else 0 for d in order]


def _extent(array: Array) -> int:
    """Return the number of cells in memory from the first to the last, 0 without an array."""
    if array is None:
        return 0
    steps = zip(array.shape, array.strides, strict=True)
    return int(sum((n - 1) * abs(step) for n, step in steps)) // int(array.itemsize)
