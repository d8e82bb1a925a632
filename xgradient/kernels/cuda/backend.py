"""CuPy arrays: sums of terms in one kernel, on the device and stream of the caller.

CuPy is never imported: who has one of its arrays has imported it. What a call needs besides the
arrays, coefficients, weights and positions, goes to the device once and is kept there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stencils.cache import LRUCache
from ..compiled.layout import as_aligned
from ..requests import TermRequest
from .source import CXX_TYPES, KernelSignature, LaunchConfig, TermSignature, collapse_dims, source

#: The oldest version that has all functions of the array API standard.
OLDEST = 14
#: Terms of sums that are made together, as long as the compiler has registers for them.
MAX_TERMS_PER_KERNEL = 6
#: Bytes that arrays kept on the devices for the next call may take in all, and each at least.
MOST_KEPT, LEAST = 1 << 29, 1 << 14
#: How many bytes of an array are its key. Longer ones have a copy to compare, and as keys a few
#: values: that takes a sixth of the time of a digest, and a part of that to send them.
SHORT, SAMPLES = 1 << 20, 64
_DEVICE_CACHE: LRUCache[tuple[NDArray[Any] | None, Any]] = LRUCache(
    MOST_KEPT, size=lambda pair: max(LEAST, pair[1].nbytes)
)
#: Cells that 32 bits can tell apart, with room for blocks that reach over the end.
MAX_INT32_CELLS = 1 << 30
#: The handle of CUDA's default stream of a thread, which each thread has by itself.
PER_THREAD = 2

Array = Any


def owns(array: Any) -> bool:
    """Whether this is a CuPy array; false without importing CuPy if nobody has."""
    return is_cupy_type(type(array))


def is_cupy_type(kind: type) -> bool:
    """Whether this is the type of CuPy's arrays."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and issubclass(kind, cupy.ndarray)


@cache
def namespace() -> Any:
    """CuPy, once it is known to be of use."""
    cupy = sys.modules["cupy"]
    if int(cupy.__version__.split(".")[0]) < OLDEST:
        raise RuntimeError(f"CuPy is {cupy.__version__}; xgradient needs {OLDEST} or newer")
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise RuntimeError(
            f"CuPy finds no working driver for a GPU ({error}); install one, or give NumPy arrays"
        ) from None
    if not devices:
        raise RuntimeError("CuPy finds no GPU; give NumPy arrays")
    return cupy


def supported_dtype(result: np.dtype[Any], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a derivative, if kernels can read the cells that it is made of."""
    if dtype not in CXX_TYPES:
        raise TypeError(
            f"data of dtype {dtype} cannot be computed with on a GPU; convert them to float64 or "
            "float32 first"
        )
    return result


def on_device(values: NDArray[Any], dtype: Any) -> Array:
    """NumPy values on the current device: the same array again for the same values."""
    cupy = namespace()
    if owns(values):
        return values.astype(dtype, copy=False)
    values = as_aligned(values, np.dtype(dtype).newbyteorder("="))
    if values.nbytes > MOST_KEPT:
        return cupy.asarray(values)
    # Known to the stream that copied them, they need no waiting: it does one thing after the other.
    stream = cupy.cuda.get_current_stream().ptr
    thread = get_ident() if stream == PER_THREAD else None
    kind = values.shape, values.dtype, cupy.cuda.Device().id, stream, thread
    long = values.nbytes > SHORT
    some = values.ravel()[:: 1 + values.size // SAMPLES] if long else values
    return _DEVICE_CACHE.get(
        (some.tobytes(), kind),
        lambda: (values.copy() if long else None, cupy.asarray(values)),
        lambda pair: pair[0] is None or np.array_equal(_as_integers(pair[0]), _as_integers(values)),
    )[1]


def _as_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Values as whole numbers, which tell zeros by their signs and equal what is missing."""
    return values.view(f"u{values.itemsize}")


def to_host_positions(values: Array, array: Any, label: str) -> NDArray[Any]:
    """Positions or a step on a device as a NumPy array; see `xgradient.kernels.positions`.

    Raises
    ------
    ValueError
        If the field is not on the same device.
    """
    if not owns(array):
        raise ValueError(f"{label} is on a GPU, but input is not; give it .get()")
    if values.device != array.device:
        raise ValueError(
            f"{label} is on {values.device}, but input is on {array.device}; bring it there"
        )
    found: NDArray[Any] = values.get()
    return found


def fetch_bools(answers: list[Array]) -> list[bool]:
    """What some arrays of one truth each say: these few bytes are fetched, and waited for."""
    found: list[bool] = namespace().stack(answers).get().tolist() if answers else []
    return found


def cupy_sums(wanted: list[list[TermRequest]], like: Array, dtype: np.dtype[Any]) -> list[Array]:
    """Sums of terms, as few kernels as they fit in.

    Parameters
    ----------
    wanted : list of list of Call
        The terms of each sum.
    like : cupy.ndarray
        An array with the shape and memory order of the results.
    dtype : dtype
        Their type.
    """
    cupy = namespace()
    with like.device:
        outs = [cupy.empty_like(like, dtype=dtype) for _ in wanted]
        if like.size:
            for first, stop in _kernel_groups(wanted):
                _launch(wanted[first:stop], outs[first:stop])
    return outs


def _kernel_groups(wanted: list[list[TermRequest]]) -> Iterator[tuple[int, int]]:
    """Ranges of sums that have a kernel between them."""
    first = count = 0
    for at, terms in enumerate(wanted):
        if count and count + len(terms) > MAX_TERMS_PER_KERNEL:
            yield first, at
            first, count = at, 0
        count += len(terms)
    yield first, len(wanted)


def _launch(wanted: list[list[TermRequest]], outs: list[Array]) -> None:
    """One kernel for some sums."""
    out = outs[0]
    order = sorted(range(out.ndim), key=lambda d: -abs(out.strides[d]))
    terms = [[_Term(call, out.dtype) for call in calls] for calls in wanted]
    every = [term for mine in terms for term in mine]
    arrays = [*outs, *(array for term in every for array in term.arrays)]
    lengths, steps, refs = collapse_dims(
        [out.shape[d] for d in order],
        [_steps(array, order) for array in arrays],
        {order.index(term.call.axis) for term in every},
    )
    grid = LaunchConfig.of(lengths, len(every))
    tables = [table for term in every for table in term.tables]
    wide = any(_extent(array) > MAX_INT32_CELLS for array in (*arrays, *tables))
    sums = tuple(tuple(t.form(refs[order.index(t.call.axis)]) for t in mine) for mine in terms)
    form = KernelSignature(out.dtype, len(lengths), grid.cells, wide, sums)
    views = iter([_pointer(a), *along] for a, along in zip(arrays, steps, strict=True))
    numbers = [*lengths, grid.chunks, grid.tiles]
    for _ in outs:
        numbers += next(views)
    for term in every:
        for _ in term.arrays:
            numbers += next(views)
        numbers += term.numbers
    # One argument by value, a structure of 64-bit integers, which the driver copies.
    argument = np.array(numbers, np.int64).view([("values", np.int64, (len(numbers),))])
    _kernel(form)((grid.blocks,), grid.block, (argument,))


@cache
def _kernel(form: KernelSignature) -> Any:
    # Without contraction to multiply-adds the bits are those of the loops for NumPy arrays.
    return namespace().RawKernel(source(form), "terms", ("--fmad=false",))


class _Term:
    """A term as a kernel takes it: arrays on the device, and numbers."""

    def __init__(self, call: TermRequest, out: np.dtype[Any]) -> None:
        self.call, stencil = call, call.stencil
        f, before, after = (
            _with_item_strides(array) for array in (call.block, call.left_halo, call.right_halo)
        )
        beside = [array for array in (before, after) if array is not None]
        if len({array.dtype for array in beside}) > 1:
            # Beyond a pole unsigned integers have become floats.
            before, after = beside = [array.astype(out) for array in beside]
        self.halo_dtype = beside[0].dtype if beside else f.dtype
        real = np.dtype(np.float64 if out in (np.float64, np.complex128) else np.float32)
        weight = call.output_weight if call.center_weight is None else call.center_weight
        weight = None if weight is None else _with_item_strides(on_device(weight, real))
        self.arrays = f, before, after, weight
        #: What is on the device until the kernel is on its way.
        self.tables: list[Array] = []
        self.numbers = [
            *self._pointers(real, *stencil.tables[real]),
            *self._pointers(np.int64, stencil.boundary_windows),
            *(stencil.first, stencil.last, stencil.offset, stencil.center),
            *(f.shape[call.axis], 0 if before is None else before.shape[call.axis]),
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
        """Where some tables are, once they are on the device."""
        found = [on_device(table, dtype) for table in tables]
        self.tables += found
        return [_pointer(table) for table in found]

    def form(self, axis: int) -> TermSignature:
        """What the compiler knows of it, with its axis among those that are left."""
        call = self.call
        weight_mode = (
            2 if call.center_weight is not None else 0 if call.output_weight is None else 1
        )
        stencil, kinds = call.stencil, (call.block.dtype, self.halo_dtype)
        masked = stencil.masked is not None
        return TermSignature(
            *kinds, axis, stencil.width, stencil.uniform, weight_mode, call.accumulate, masked
        )


def _with_item_strides(array: Array) -> Array:
    """Return the array if there is one, copied where a kernel could not read its cells.

    In views of other bytes, steps may be no whole numbers of cells, or the first cell unaligned.
    """
    if array is None or not any(at % array.itemsize for at in (_pointer(array), *array.strides)):
        return array
    return array.copy()


def _pointer(array: Array) -> int:
    return 0 if array is None else int(array.data.ptr)


def _steps(array: Array, order: list[int]) -> list[int]:
    """Steps in cells; none along dimensions of length 1, where a weight is the same for all."""
    if array is None:
        return [0] * len(order)
    return [array.strides[d] // array.itemsize if array.shape[d] > 1 else 0 for d in order]


def _extent(array: Array) -> int:
    """Cells from the first to the last in memory, of an array if there is one."""
    if array is None:
        return 0
    steps = zip(array.shape, array.strides, strict=True)
    return int(sum((n - 1) * abs(step) for n, step in steps)) // int(array.itemsize)
