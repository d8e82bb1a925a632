"""Libraries of chunked arrays that are not dask, as the tests use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

__all__ = ["KINDS", "CountedArray", "chunk_library", "is_of"]

#: dask-array by itself, dask-array as the library of xarray's chunks, and cubed.
KINDS = ("dask-array", "dask-array of xarray", "cubed")


class CountedArray:
    """An array in memory that counts how often each of its parts is read."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.ndim = values.ndim
        self.reads: Counter[Any] = Counter()
        self._lock = Lock()

    def __getitem__(self, index: Any) -> np.ndarray:
        ranges = tuple(part.indices(n)[:2] for part, n in zip(index, self.shape, strict=True))
        with self._lock:
            self.reads[ranges] += 1
        return self.values[index].copy()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise AssertionError("the whole array is read at once")

    def __dask_tokenize__(self) -> Any:
        return id(self)

    def __reduce__(self) -> Any:
        return CountedArray, (self.values,)


@contextmanager
def chunk_library(kind: str) -> Iterator[Any]:
    """Give a function that makes a chunked array of an array and its chunks."""
    if kind == "cubed":
        import cubed

        spec = cubed.Spec(allowed_mem="200MB")
        yield lambda values, chunks: cubed.from_array(values, chunks=chunks, spec=spec)
        return
    import dask_array
    from xarray.namedarray.parallelcompat import list_chunkmanagers

    managers = list_chunkmanagers()
    before = dict(managers)
    if kind == "dask-array of xarray":
        from dask_array.xarray import register

        register()

    def from_array(values: Any, chunks: Any) -> Any:
        return dask_array.from_array(values, chunks=chunks, meta=np.empty((0,), values.dtype))

    try:
        yield from_array
    finally:
        managers.clear()
        managers.update(before)


def is_of(kind: str, array: Any) -> bool:
    """Return whether an array is one of the library."""
    module = "cubed" if kind == "cubed" else "dask_array"
    return type(array).__module__.partition(".")[0] == module
