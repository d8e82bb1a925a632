"""A stand-in for CuPy, with a device that is this machine's own memory.

It has what the package uses of CuPy and no more, with CuPy's behaviour: an array lies on a device,
mixes with no NumPy array, and what would bring its values to the host is an error. Kernels are the
source that CuPy would compile for a GPU, compiled for this machine (see `host`). Whatever is called
is kept in `calls`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ..support import cuda_on_cpu

__all__ = ["calls", "installed", "ndarray", "on_device", "on_host"]

__version__ = "14.2.0"
#: What was called: a name, and the bytes that went to the device.
calls: list[tuple[str, int]] = []
#: The device that arrays are made on.
current = 0
float32, float64, int32, int64 = np.float32, np.float64, np.int32, np.int64
complex64, complex128 = np.complex64, np.complex128


class Elsewhere(AssertionError):
    """Something would be done on a device with an array that is on another one."""


class Transfer(AssertionError):
    """Something would have waited for the device and brought values to the host."""


def _refused(name: str) -> Callable[..., Any]:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise Transfer(f"{name} of an array on the device")

    return refuse


class ndarray:
    """An array on the device."""

    # More than NumPy's, so that NumPy leaves operators to it.
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, host_array: np.ndarray, device: int | None = None) -> None:
        self._host = host_array
        self.device = Device(current if device is None else device)

    for _name in (
        "__array__", "__bool__", "__complex__", "__float__", "__index__", "__int__", "__iter__",
        "__dlpack__", "dump", "dumps", "get", "item", "tobytes", "tofile", "tolist",
        "__getstate__", "__reduce__", "__reduce_ex__",
    ):  # fmt: skip
        locals()[_name] = _refused(_name)

    for _name in ("shape", "dtype", "ndim", "size", "itemsize", "nbytes", "strides"):
        locals()[_name] = property(lambda self, name=_name: getattr(self._host, name))

    for _name in ("T", "real", "imag"):
        locals()[_name] = property(lambda self, name=_name: self._new(getattr(self._host, name)))

    def _new(self, value: Any) -> ndarray:
        return ndarray(np.asarray(value), self.device.id)

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self._host.__array_interface__["data"][0])

    def __getitem__(self, key: Any) -> ndarray:
        return self._new(self._host[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        check_device("__setitem__", self, value)
        self._host[key] = _lower(value)

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        raise Transfer("repr of an array on the device")

    def __format__(self, how: str) -> str:
        return "an array on the device"  # in an error message of pint, which shows no value

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        return self._call(np.ndarray.astype, "astype", dtype, copy=copy)

    def copy(self, order: str = "C") -> ndarray:
        return self._call(np.ndarray.copy, "copy", order)

    def transpose(self, *order: Any) -> ndarray:
        return self._new(self._host.transpose(*order))

    def reshape(self, *shape: Any) -> ndarray:
        return self._new(self._host.reshape(*shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> ndarray:
        return self._call(np.ndarray.sum, "sum", axis=axis, keepdims=keepdims)

    def all(self) -> ndarray:
        return self._call(np.ndarray.all, "all")

    def _call(self, function: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> ndarray:
        calls.append((name, 0))
        check_device(name, self, *args)
        with np.errstate(all="ignore"):  # a GPU warns of nothing
            return self._new(function(self._host, *map(_lower, args), **kwargs))

    for _name in (
        "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__",
        "__rtruediv__", "__pow__", "__neg__", "__abs__", "__gt__", "__ge__", "__lt__", "__le__",
        "__eq__", "__ne__", "__and__", "__or__", "__invert__",
    ):  # fmt: skip
        locals()[_name] = lambda self, *args, _name=_name: self._call(
            getattr(np.ndarray, _name), _name, *args
        )
    del _name

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        mine = getattr(sys.modules[__name__], function.__name__, None)
        if mine is None:
            raise Transfer(f"numpy.{function.__name__} of an array on the device")
        return mine(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or not hasattr(sys.modules[__name__], ufunc.__name__):
            raise Transfer(f"numpy.{ufunc.__name__} of an array on the device")
        return getattr(sys.modules[__name__], ufunc.__name__)(*args)


def _lower(value: Any) -> Any:
    """The host's view of an argument; as with CuPy, NumPy arrays are no arguments."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return value._host if isinstance(value, ndarray) else value


def check_device(name: str, *args: Any) -> None:
    """As CuPy without access from one device to another: all is done on the current one."""
    for array in args:
        if isinstance(array, ndarray) and array.device.id != current:
            raise Elsewhere(f"{name} of an array on {array.device}, while current = {current}")


def _elementwise(name: str, function: Callable[..., Any] | None = None) -> Callable[..., ndarray]:
    def call(*args: Any, **kwargs: Any) -> ndarray:
        first = next(a for a in args if isinstance(a, ndarray))
        chosen = function or getattr(np, name)
        calls.append((name, 0))
        check_device(name, *args)
        with np.errstate(all="ignore"):
            return first._new(chosen(*map(_lower, args), **kwargs))

    return call


for _name in (
    "abs", "add", "all", "any", "ascontiguousarray", "astype", "broadcast_to", "cos", "expand_dims",
    "flip", "hypot", "imag", "isfinite", "isnan", "logical_not", "moveaxis", "multiply", "real",
    "reshape", "sin", "sqrt", "squeeze", "subtract", "sum", "take", "where", "zeros_like",
):  # fmt: skip
    globals()[_name] = _elementwise(_name)


def concatenate(arrays: Any, axis: int = 0) -> ndarray:
    calls.append(("concatenate", 0))
    check_device("concatenate", *arrays)
    return arrays[0]._new(np.concatenate([_lower(a) for a in arrays], axis=axis))


concat = concatenate


def stack(arrays: Any, axis: int = 0) -> ndarray:
    calls.append(("stack", 0))
    check_device("stack", *arrays)
    return arrays[0]._new(np.stack([_lower(a) for a in arrays], axis=axis))


def transpose(array: ndarray, axes: Any = None) -> ndarray:
    return array.transpose(axes)


def gradient(array: ndarray, spacing: Any, axis: int) -> ndarray:
    return array._new(np.gradient(array._host, _lower(spacing), axis=axis))


def copyto(to: ndarray, array: ndarray) -> None:
    to._host[...] = array._host


def result_type(*arrays: Any) -> np.dtype:
    return np.result_type(*(a.dtype if isinstance(a, ndarray) else a for a in arrays))


isdtype, finfo = np.isdtype, np.finfo


def asarray(values: Any, dtype: Any = None) -> ndarray:
    """What is on the device already stays there; NumPy arrays are copied to it."""
    if isinstance(values, ndarray):
        return values if dtype is None else values.astype(dtype, copy=False)
    copied = np.array(values, dtype=dtype)
    calls.append(("asarray", copied.nbytes))
    return ndarray(copied)


def empty_like(array: ndarray, dtype: Any = None, **kwargs: Any) -> ndarray:
    return ndarray(np.empty_like(array._host, dtype=dtype, **kwargs))


def full_like(array: ndarray, value: Any) -> ndarray:
    calls.append(("full_like", 0))
    return ndarray(np.full_like(array._host, value))


def empty(shape: Any, dtype: Any = float) -> ndarray:
    return ndarray(np.empty(shape, dtype))


class Device:
    """A device, which may be made the current one."""

    def __init__(self, id: int | None = None) -> None:
        self.id = current if id is None else id
        self._before: list[int] = []

    @property
    def mem_info(self) -> tuple[int, int]:
        """Bytes that are free, and all there are."""
        return 1 << 33, 1 << 34

    def __enter__(self) -> None:
        global current
        self._before.append(current)
        current = self.id

    def __exit__(self, *error: object) -> None:
        global current
        current = self._before.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


class RawKernel:
    """A kernel of the given source, run by this machine's processor."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        assert name == "terms"
        assert options == ("--fmad=false",)
        self._function = cuda_on_cpu.function(code)

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]
    ) -> None:
        (numbers,) = args
        assert numbers.size == 1  # all that CuPy takes by value
        assert 0 < grid[0] < 2**31
        assert block[0] * block[1] <= 1024
        assert numbers.nbytes <= 4096
        calls.append(("kernel", 0))
        self._function(grid[0], block, numbers)


class Event:
    """A moment, when all that was called before is done: at once, here."""

    def record(self) -> None:
        self.time = perf_counter()

    def synchronize(self) -> None:
        calls.append(("synchronize", 0))


cuda = SimpleNamespace(
    Device=Device,
    Event=Event,
    get_current_stream=lambda: SimpleNamespace(ptr=0, synchronize=lambda: None),
    get_elapsed_time=lambda start, stop: 1e3 * (stop.time - start.time),
    runtime=SimpleNamespace(
        getDeviceCount=lambda: 1, getDeviceProperties=lambda number: {"name": b"no GPU at all"}
    ),
)


def on_device(values: np.ndarray) -> ndarray:
    """An array on the device, which this is no call for."""
    return ndarray(values)


def on_host(array: ndarray) -> np.ndarray:
    """What an array on the device holds, for tests to look at."""
    assert isinstance(array, ndarray)
    return array._host


@contextmanager
def installed() -> Iterator[None]:
    """While this is CuPy, for xgradient, xarray and dask."""
    if cuda_on_cpu.compiler() is None:
        pytest.skip("no C++ compiler here")
    from dask.array.backends import concatenate_lookup, numel_lookup
    from xarray.namedarray import pycompat

    from xgradient.kernels.cuda import device, launch

    kept = sys.modules.get("cupy")
    sys.modules["cupy"] = sys.modules[__name__]
    concatenate_lookup.register(ndarray, concatenate)
    numel_lookup.register(ndarray, lambda a, **kwargs: a.size)
    _forget(device, launch, pycompat)
    calls.clear()
    try:
        yield
    finally:
        _forget(device, launch, pycompat)
        sys.modules.pop("cupy")
        if kept is not None:
            sys.modules["cupy"] = kept


def _forget(device: Any, launch: Any, pycompat: Any) -> None:
    """Nothing of another CuPy is used on."""
    device.namespace.cache_clear()
    launch._kernel.cache_clear()
    device._DEVICE_CACHE.clear()
    pycompat._cached_duck_array_modules.pop("cupy", None)
