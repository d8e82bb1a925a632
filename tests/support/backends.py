"""Array libraries as the tests use them: how an array is made of a NumPy array, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest

__all__ = ["LIBRARIES", "Library", "library", "with_dtypes"]


@dataclass(frozen=True)
class Library:
    """One kind of arrays.

    Attributes
    ----------
    name : str
        What it is called in the list.
    asarray : callable
        Makes an array of a NumPy array.
    numpy : callable
        Reads such an array.
    chunked : bool
        Whether it is dask's.
    """

    name: str
    asarray: Callable[[np.ndarray], Any]
    numpy: Callable[[Any], np.ndarray]
    chunked: bool = False

    @property
    def kind(self) -> type:
        """The type of its arrays."""
        return type(self.asarray(np.zeros(2)))


def _numpy() -> Library:
    return Library("numpy", np.asarray, np.asarray)


def _read_only() -> Library:
    def asarray(values: np.ndarray) -> np.ndarray:
        values = np.array(values)
        values.flags.writeable = False
        return values

    return Library("numpy, read-only", asarray, np.asarray)


def _strict() -> Library:
    xp = pytest.importorskip("array_api_strict")
    # Nothing but the newest standard, and of this what every library can do.
    xp.set_array_api_strict_flags(
        boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    )
    return Library("array_api_strict", xp.asarray, np.asarray)


def _torch() -> Library:
    torch = pytest.importorskip("torch")
    return Library("torch", lambda a: torch.from_numpy(np.array(a)), lambda t: t.numpy())


def _watched() -> Library:
    """Tensors that gradients are wanted of."""
    torch = pytest.importorskip("torch")

    def asarray(values: np.ndarray) -> Any:
        tensor = torch.from_numpy(np.array(values))
        differentiable = tensor.is_floating_point() or tensor.is_complex()
        return tensor.requires_grad_(differentiable)

    return Library("torch, requires_grad", asarray, lambda t: t.detach().resolve_conj().numpy())


def _jax() -> Library:
    jax = pytest.importorskip("jax")
    return Library("jax", jax.numpy.asarray, np.asarray)


def _sparse() -> Library:
    sparse = pytest.importorskip("sparse")
    return Library("sparse", sparse.asarray, lambda a: a.todense())


def _simulated() -> Library:
    from ..support import simulated_cupy as simulated

    return Library("cupy, simulated", simulated.on_device, simulated.on_host)


def _cupy() -> Library:
    try:
        import cupy

        cupy.cuda.runtime.getDeviceCount()
    except (ImportError, RuntimeError):
        pytest.skip("no GPU here, which CuPy needs")
    return Library("cupy", cupy.asarray, cupy.asnumpy)


def _in_chunks(inner: Library) -> Library:
    da = pytest.importorskip("dask.array")

    def asarray(values: np.ndarray) -> Any:
        # Three chunks along an axis, or two where it is short.
        chunks = tuple(-(-n // (3 if n > 3 else 2)) or 1 for n in values.shape)
        return da.from_array(inner.asarray(values), chunks, name=False, asarray=False)

    def numpy(array: Any) -> np.ndarray:
        assert isinstance(array._meta, type(inner.asarray(np.zeros(2))))
        computed = array.compute(scheduler="sync")
        return computed if isinstance(computed, np.ndarray) else inner.numpy(computed)

    return Library(f"dask of {inner.name}", asarray, numpy, True)


#: All kinds of arrays that are tested, and what makes them; dask knows only those with NumPy's
#: dtypes.
LIBRARIES: dict[str, Callable[[], Library]] = {
    "numpy": _numpy,
    "numpy, read-only": _read_only,
    "array_api_strict": _strict,
    "torch": _torch,
    "torch, requires_grad": _watched,
    "jax": _jax,
    "sparse": _sparse,
    "cupy, simulated": _simulated,
    "cupy": _cupy,
    "dask of numpy": lambda: _in_chunks(_numpy()),
    "dask of jax": lambda: _in_chunks(_jax()),
    "dask of sparse": lambda: _in_chunks(_sparse()),
    "dask of cupy, simulated": lambda: _in_chunks(_simulated()),
    "dask of cupy": lambda: _in_chunks(_cupy()),
}


def with_dtypes(dtypes: Iterable[str]) -> list[tuple[str, str]]:
    """The names of libraries, each with those of some dtypes that it has."""
    found = []
    for name, dtype in product(LIBRARIES, dtypes):
        char = np.dtype(dtype).char
        native = char not in "gG" and np.dtype(dtype).isnative
        half = char != "e" or ("strict" not in name and "sparse" not in name)
        if "numpy" in name or (native and half):
            found.append((name, dtype))
    return found


@contextmanager
def library(name: str) -> Iterator[Library]:
    """A library in the state that tests want, while they use it."""
    if "jax" in name:
        jax = pytest.importorskip("jax")
        with jax.enable_x64(True):
            yield LIBRARIES[name]()
    elif "simulated" in name:
        from ..support import simulated_cupy as simulated

        with simulated.installed():
            yield LIBRARIES[name]()
    else:
        yield LIBRARIES[name]()
        if name == "array_api_strict":
            import array_api_strict

            array_api_strict.reset_array_api_strict_flags()
