"""Find CuPy, and keep copies of NumPy arrays on its devices.

CuPy is never imported here: whoever has one of its arrays has imported it.
"""

from __future__ import annotations

import sys
from functools import cache
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stencils.cache import LRUCache
from ..compiled.layout import as_aligned

#: The oldest version with all functions of the array API standard.
OLDEST_CUPY = 14
#: Bytes that all copies on the devices may take, and the least that each is counted with.
MAX_CACHE_BYTES, MIN_ENTRY_BYTES = 1 << 29, 1 << 14
#: Bytes up to which all of an array is its key. The key of a longer one is some of its values, and
#: the cache holds a copy to compare, which takes a sixth of the time of a digest.
MAX_KEY_BYTES, KEY_SAMPLES = 1 << 20, 64
_DEVICE_CACHE: LRUCache[tuple[NDArray[Any] | None, Any]] = LRUCache(
    MAX_CACHE_BYTES, size=lambda pair: max(MIN_ENTRY_BYTES, pair[1].nbytes)
)
#: The handle of CUDA's per-thread default stream, which is another stream in each thread.
PER_THREAD_STREAM = 2


def owns(array: Any) -> bool:
    """Return whether this is a CuPy array; false without importing CuPy if nobody has."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(array, cupy.ndarray)


@cache
def namespace() -> Any:
    """Return CuPy, if its version and a GPU can be used.

    Raises
    ------
    RuntimeError
        If CuPy is too old, or finds no GPU or driver.
    """
    cupy = sys.modules["cupy"]
    if int(cupy.__version__.split(".")[0]) < OLDEST_CUPY:
        raise RuntimeError(f"CuPy is {cupy.__version__}; xgradient needs {OLDEST_CUPY} or newer")
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise RuntimeError(
            f"CuPy finds no working driver for a GPU ({error}); install one, or give NumPy arrays"
        ) from None
    if not devices:
        raise RuntimeError("CuPy finds no GPU; give NumPy arrays")
    return cupy


def on_device(values: NDArray[Any], dtype: Any) -> Any:
    """Copy NumPy values to the current device; for equal values return the same array again."""
    cupy = namespace()
    if owns(values):
        return values.astype(dtype, copy=False)
    values = as_aligned(values, np.dtype(dtype).newbyteorder("="))
    if values.nbytes > MAX_CACHE_BYTES:
        return cupy.asarray(values)
    # A copy belongs to one stream, which does one thing after the other and so need not wait.
    stream = cupy.cuda.get_current_stream().ptr
    thread = get_ident() if stream == PER_THREAD_STREAM else None
    kind = values.shape, values.dtype, cupy.cuda.Device().id, stream, thread
    long = values.nbytes > MAX_KEY_BYTES
    key = values.ravel()[:: 1 + values.size // KEY_SAMPLES] if long else values
    return _DEVICE_CACHE.get(
        (key.tobytes(), kind),
        lambda: (values.copy() if long else None, cupy.asarray(values)),
        lambda pair: pair[0] is None or np.array_equal(_as_integers(pair[0]), _as_integers(values)),
    )[1]


class CachingNamespace:
    """CuPy, except that equal NumPy values are copied to the device once."""

    def __getattr__(self, name: str) -> Any:
        """Return a function of CuPy."""
        return getattr(namespace(), name)

    def asarray(self, values: Any, dtype: Any = None) -> Any:
        """Convert NumPy values, or an array of CuPy, to a dtype; not to be written to."""
        return on_device(values, values.dtype if dtype is None else dtype)


def _as_integers(values: NDArray[Any]) -> NDArray[Any]:
    """View values as whole numbers: zeros of both signs differ, missing values are equal."""
    return values.view(f"u{values.itemsize}")
