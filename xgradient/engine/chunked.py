"""Ask the backend of whole arrays, in memory or in dask chunks; run work on threads.

A question about a dask array goes to the backend of its chunks, and a conversion to each chunk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..kernels import array_api, backend_of
from ..kernels.backend import Backend
from ..kernels.threads import NUM_THREADS_ENV, run_in_pool, thread_count


def is_dask(array: Any) -> bool:
    """Return whether this is a dask array; false without importing dask if nobody has."""
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(array, dask_array.Array)


def chunk_sample(array: Any) -> Any:
    """Return an empty array like the chunks of a dask array, and any other array itself."""
    return array._meta if is_dask(array) else array


def chunk_backend(array: Any) -> Backend:
    """Return the backend of an array, or of its chunks."""
    return backend_of(chunk_sample(array))


def on_blocks(array: Any, function: Callable[..., Any], *args: Any) -> Any:
    """Apply a function to an array in memory, or lazily to each chunk of a dask array.

    A dask array is returned as it is, if the function returns its empty sample as it is.
    """
    if not is_dask(array):
        return function(array, *args)
    meta = function(array._meta, *args)
    if meta is array._meta:
        return array
    return array.map_blocks(function, *args, dtype=array.dtype, meta=meta)


def check_same_library(arrays: list[Any]) -> None:
    """Refuse fields of different libraries."""
    samples = [chunk_sample(array) for array in arrays]
    if all(isinstance(sample, np.ndarray) for sample in samples):
        return
    names = {
        backend_of(sample).namespace: f"{type(sample).__module__}.{type(sample).__qualname__}"
        for sample in samples
    }
    if len(names) > 1:
        raise TypeError(
            f"the fields are arrays of different libraries, {' and '.join(names.values())}; "
            "bring them to the same one first"
        )


def check_same_device(array: Any, field: Any, label: str) -> None:
    """Refuse an array on a GPU for a field that is not."""
    if chunk_backend(array).on_gpu and not chunk_backend(field).on_gpu:
        raise ValueError(
            f"{label} is on a GPU, but the field is not; bring it back, e.g. with .as_numpy()"
        )


def with_lazy_check(array: Any, check: Callable[..., None]) -> Any:
    """Check values now, or at compute time for a dask array; return the array to use.

    Parameters
    ----------
    array : array
        The values.
    check : callable
        Takes values and the index of the first of them, and raises an error if one is wrong.
    """
    if not is_dask(array):
        check(array)
        return array
    return array.map_blocks(_check_block, check, dtype=array.dtype, meta=array._meta)


def _check_block(block: Any, check: Callable[..., None], block_info: Any = None) -> Any:
    check(block, tuple(start for start, _ in block_info[0]["array-location"]))
    return block


def on_gpu(array: Any) -> bool:
    """Return whether an array is on a GPU as a whole, which a dask array is not."""
    return backend_of(array).on_gpu


def device_context(array: Any) -> AbstractContextManager[Any]:
    """Return a context in which new arrays are made on the device of an array or its chunks."""
    sample = chunk_sample(array)
    return backend_of(sample).device_context(sample)


def to_host_or_device(array: Any) -> Any:
    """Convert an array or its chunks to NumPy, unless they are on a GPU."""
    return on_blocks(array, _to_host_or_device)


def _to_host_or_device(block: Any) -> Any:
    return backend_of(block).to_host_or_device(block)


def to_device_of(array: Any, like: Any) -> Any:
    """Copy a NumPy array to the GPU, if another array or its chunks are on one."""
    backend = chunk_backend(like)
    if not backend.on_gpu:
        return array
    if not is_dask(like):
        return backend.to_device(array)
    chunks = array.chunks if is_dask(array) else tuple((n,) for n in array.shape)
    return on_blocks(as_dask(array, chunks), _to_device, backend)


def _to_device(block: Any, backend: Backend) -> Any:
    return backend.to_device(block)


def where_valid(values: Any, valid: Any) -> Any:
    """Return the values where they are valid, and missing ones elsewhere."""
    if is_dask(values) or is_dask(valid):
        return np.where(valid, values, np.nan)  # dask's own
    return backend_of(values).where_valid(values, valid)


def where_below(values: Any, others: Any, limit: float) -> Any:
    """Return the values where others are below a limit, and missing ones elsewhere."""
    sample = chunk_sample(values)
    with backend_of(sample).device_context(sample):
        return where_valid(values, others < limit)


def missing_to_zero(array: Any) -> tuple[Any, Any]:
    """Return an array with zeros for its missing values, and an array that is 1 at these."""
    return on_blocks(array, _zero_for_missing), on_blocks(array, _one_at_missing)


def _zero_for_missing(block: Any) -> Any:
    backend = backend_of(block)
    with backend.device_context(block):
        return backend.zero_for_missing(block)


def _one_at_missing(block: Any) -> Any:
    backend = backend_of(block)
    with backend.device_context(block):
        return backend.one_at_missing(block)


def take(array: Any, index: Any, axis: int) -> Any:
    """Return the cells with some indices along an axis.

    Parameters
    ----------
    array : array
        The array, in memory or in dask chunks.
    index : 1-D ndarray of int64
        The indices.
    axis : int
        The axis.
    """
    if is_dask(array):
        return array[(*(slice(None),) * axis, index)]
    backend = backend_of(array)
    with backend.device_context(array):
        if backend.on_gpu:
            index = backend.asarray(index, array)  # equal indices are copied once
        return array_api.take(array, index, axis, backend.namespace)


def join(arrays: list[Any], axis: int) -> Any:
    """Join arrays along an axis, in memory or in dask chunks."""
    if len(arrays) == 1:
        return arrays[0]
    sample = chunk_sample(arrays[0])
    backend = backend_of(sample)
    with backend.device_context(sample):
        if is_dask(arrays[0]):
            import dask.array as da

            return da.concatenate(arrays, axis)
        return backend.concat(arrays, axis)


def constant_along(array: Any, axes: list[int]) -> list[bool]:
    """Return along which of some axes an array in memory or on a GPU is constant."""
    return backend_of(array).constant_along(array, axes)


def first_non_monotonic(positions: Any, axis: int) -> tuple[int, ...] | None:
    """Return the index of the first position that repeats a value or turns back, or None.

    Only positions in memory are searched.
    """
    return backend_of(positions).first_non_monotonic(positions, axis, run_on_threads)


def run_on_threads(calls: list[Callable[[], None]]) -> None:
    """Run calls on as many threads as the environment variable says, or dask's configuration."""
    threads = None
    dask = sys.modules.get("dask")
    if dask is not None and NUM_THREADS_ENV not in os.environ:
        threads = dask.config.get("num_workers", None)
        if dask.config.get("scheduler", None) in ("sync", "synchronous", "single-threaded"):
            threads = 1
    run_in_pool(calls, thread_count() if threads is None else max(1, int(threads)))


def pointwise(function: Callable[..., Any], outputs: int, *arrays: Any) -> Any:
    """Call a function of arrays that are computed point by point, lazily on dask arrays.

    Parameters
    ----------
    function : callable
        Takes arrays that broadcast; returns a float64 array, or a tuple of several.
    outputs : int
        Number of arrays that it returns.
    *arrays : array
        The arrays, in memory or in dask chunks.
    """
    if not any(map(is_dask, arrays)):
        return function(*arrays)
    import dask.array as da

    signature = f"{','.join(['()'] * len(arrays))}->{','.join(['()'] * outputs)}"
    dtypes: Any = [np.float64] * outputs
    return da.apply_gufunc(
        function, signature, *arrays, output_dtypes=dtypes if outputs > 1 else dtypes[0]
    )


def in_chunks(array: Any, sizes: Mapping[int, tuple[int, ...]]) -> Any:
    """Return an array as dask array with some chunks along some axes.

    Parameters
    ----------
    array : array
        The array, in memory or in dask chunks.
    sizes : mapping from int to tuple of int
        Chunk sizes by axis. Along others a dask array keeps its own, and others have one chunk.
    """
    own = array.chunks if is_dask(array) else tuple((n,) for n in array.shape)
    return as_dask(array, tuple(sizes.get(axis, known) for axis, known in enumerate(own)))


def as_dask(array: Any, chunks: tuple[tuple[int, ...], ...]) -> Any:
    """Return an array as dask array in the chunks of a field; axes of length 1 have one chunk."""
    import dask.array as da

    own_chunks = tuple(c if sum(c) == n else (1,) for n, c in zip(array.shape, chunks, strict=True))
    if is_dask(array):
        return array.rechunk(own_chunks)
    # Only NumPy arrays get names from their values, which others may have on a device.
    return da.from_array(array, own_chunks, None if isinstance(array, np.ndarray) else False)
