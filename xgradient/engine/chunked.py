"""Operations on whole arrays, in memory or on dask: checks, conversions, devices and threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.threads import NUM_THREADS_ENV, run_in_pool, thread_count


def check_same_library(arrays: list[Any]) -> None:
    """Refuse fields of different libraries."""
    kernels.check_same_library([a._meta if is_dask(a) else a for a in arrays])


def check_same_device(array: Any, field: Any, label: str) -> None:
    """Refuse an array on a GPU beside a field that is not."""
    array, field = (a._meta if is_dask(a) else a for a in (array, field))
    kernels.check_same_device(array, field, label)


def with_lazy_check(array: Any, check: Callable[..., None]) -> Any:
    """The array, or a dask array of the same values that are looked at when they are computed.

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
    """Return whether an array is on a GPU and not on dask."""
    return not is_dask(array) and kernels.on_gpu(array)


def device_context(array: Any) -> AbstractContextManager[Any]:
    """Where an array is, or its chunks: inside this context others are made there, too."""
    return kernels.device_context(array._meta if is_dask(array) else array)


def to_host_or_device(array: Any) -> Any:
    """An array as NumPy's, or on its GPU; one in chunks of others in chunks of such."""
    if not is_dask(array):
        return kernels.to_host_or_device(array)
    meta = kernels.to_host_or_device(array._meta)
    if meta is array._meta:
        return array
    return array.map_blocks(kernels.to_host_or_device, dtype=array.dtype, meta=meta)


def to_device_of(array: Any, like: Any) -> Any:
    """An array where another one is: on a GPU, if that one or its chunks are on one."""
    if not is_dask(like):
        return kernels.to_device_of(array, type(like))
    kind = type(like._meta)
    meta = kernels.to_device_of(np.empty((0,) * array.ndim, array.dtype), kind)
    if isinstance(meta, np.ndarray):
        return array
    lazy = as_dask(array, array.chunks if is_dask(array) else tuple((n,) for n in array.shape))
    return lazy.map_blocks(kernels.to_device_of, kind, dtype=array.dtype, meta=meta)


def where_valid(values: Any, valid: Any) -> Any:
    """The values where they are valid, and missing ones elsewhere."""
    if is_dask(values) or is_dask(valid):
        return np.where(valid, values, np.nan)  # dask's own
    return kernels.where_valid(values, valid)


def constant_along(array: Any, axes: list[int]) -> list[bool]:
    """Along which of some axes an array in memory or on a GPU is the same all the way."""
    return kernels.constant_along(array, axes)


def first_non_monotonic(positions: Any, axis: int) -> tuple[int, ...] | None:
    """Where positions along an axis first repeat a value or turn back, if they are in memory."""
    return (
        None if is_dask(positions) else kernels.first_non_monotonic(positions, axis, run_on_threads)
    )


def is_dask(array: Any) -> bool:
    """Return whether an array is a dask array, without importing dask."""
    dask_array = sys.modules.get("dask.array")
    return dask_array is not None and isinstance(array, dask_array.Array)


def run_on_threads(calls: list[Callable[[], None]]) -> None:
    """Run calls on threads: as many as our variable says, else dask's setting if dask is in use."""
    threads = None
    dask = sys.modules.get("dask")
    if dask is not None and NUM_THREADS_ENV not in os.environ:
        threads = dask.config.get("num_workers", None)
        if dask.config.get("scheduler", None) in ("sync", "synchronous", "single-threaded"):
            threads = 1
    run_in_pool(calls, thread_count() if threads is None else max(1, int(threads)))


def as_dask(array: Any, chunks: tuple[tuple[int, ...], ...]) -> Any:
    """An array, which is perhaps 1 long along some axes, in chunks of the fields."""
    import dask.array as da

    mine = tuple(c if sum(c) == n else (1,) for n, c in zip(array.shape, chunks, strict=True))
    if is_dask(array):
        return array.rechunk(mine)
    # Only NumPy arrays are named after what is in them: others may be far away.
    return da.from_array(array, mine, None if isinstance(array, np.ndarray) else False)
