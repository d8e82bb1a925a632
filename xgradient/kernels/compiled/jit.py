"""Compilation of the loops, and what is kept of them on disk for other processes.

Where ``NUMBA_DISABLE_JIT`` is set nothing is compiled: the same functions run as plain Python,
for a debugger.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, wraps
from hashlib import sha256
from importlib import resources
from inspect import getfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import numba
import numpy as np
from numba import config, from_dtype, njit, types
from numba.core.caching import CompileResultCacheImpl, NullCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.serialize import dumps
from numba.extending import register_jitable
from numba.np.ufunc.ufuncbuilder import UFuncBuilder

from ..._forks import wait_for

#: Whether the loops run as plain Python.
PLAIN = bool(config.DISABLE_JIT)
# Indices are unsigned where they are compiled, and may wrap round on the way. Python's integers
# have no width, so there they are signed.
INDEX: Any = np.int64 if PLAIN else np.uint64
int32, int64, uint64 = (int, int, int) if PLAIN else (types.int32, types.int64, types.uint64)

# A child has none of its parent's threads, and so no one would ever release the lock.
wait_for(global_compiler_lock)


class _LoopCache(NullCache):  # type: ignore[misc]
    """The compiled forms of one function on disk: a file for each type of arguments.

    Numba's own cache asks only whether the function's file has changed, and not those of what is
    inlined; it tells closures apart by pickles, which may differ in each process; and it trusts
    what it reads. Here a file begins with a digest of all that the machine code depends on and of
    the code itself. Where it does not fit, be it old, cut or junk, the loop is compiled anew and
    takes its place. Files have no common index, so processes do not disturb each other.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._numba = CompileResultCacheImpl(function)
        code, outside = function.__code__, b""
        with suppress(OSError):
            outside = Path(getfile(function)).read_bytes()
        self._source = (
            _sources() or self._numba.locator.get_source_stamp(),
            sha256(outside).hexdigest(),
            (code.co_code, code.co_consts, code.co_names),
            _told(function),
        )

    @property
    def cache_path(self) -> str:
        """The folder of the files."""
        path: str = self._numba.locator.get_cache_path()
        return path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for a signature, or None if there is nothing that fits."""
        target_context.refresh()
        path, stamp = self._file(sig, target_context)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, data = content[:32], content[32:]
        if digest != sha256(stamp + data).digest():
            return None
        return self._numba.rebuild(target_context, pickle.loads(data))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature, if the disk takes it."""
        if not self._numba.check_cachable(data):
            return
        path, stamp = self._file(sig, data.target_context)
        content = dumps(self._numba.reduce(data))
        with suppress(OSError):
            self._numba.locator.ensure_cache_path()
            _replace(path, sha256(stamp + content).digest() + content)

    def _file(self, sig: Any, target_context: Any) -> tuple[Path, bytes]:
        """Return the file for a signature, and what its digest begins with."""
        case = repr((sig, target_context.codegen().magic_tuple()))
        name = f"{self._numba.filename_base}.{sha256(case.encode()).hexdigest()[:16]}.nbc"
        return Path(self.cache_path, name), repr((case, self._source)).encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what is there."""
    part = path.with_name(f"{path.name}.tmp.{uuid4().hex[:16]}")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@cache
def _sources() -> str:
    """Return a digest of what any loop may be made of, or nothing where there is no source."""
    package = sys.modules[__package__.partition(".")[0]]
    digest = sha256(repr((package.__version__, numba.__version__, np.__version__)).encode())
    found = False
    for name, text in _texts(resources.files(__package__.rpartition(".")[0])):
        digest.update(f"{name} {len(text)} ".encode() + text)
        found = True
    return digest.hexdigest() if found else ""


def _texts(folder: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the name and text of each module in a folder, also of an installation in a zip file."""
    for entry in sorted(folder.iterdir(), key=lambda entry: str(entry.name)):
        if entry.is_dir():
            yield from _texts(entry)
        elif entry.name.endswith(".py") and entry.is_file():
            yield entry.name, entry.read_bytes()


def _told(value: Any) -> Any:
    """Return what tells a value of a closure from others, in every process alike."""
    value = getattr(value, "py_func", value)
    if not callable(value) or isinstance(value, type):
        return repr(value)
    cells = getattr(value, "__closure__", None) or ()
    return value.__module__, value.__qualname__, [_told(cell.cell_contents) for cell in cells]


def with_unique_name(function: Callable[..., Any], case: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function named after the case that it is made for.

    Of functions with one name, that come from the cache and were compiled by different processes,
    the linker keeps one.
    """
    function.__qualname__ = "_".join(map(str, (function.__qualname__, *case)))
    return function


def jit_inline(function: Callable[..., Any], *case: Any) -> Callable[..., Any]:
    """Return a function that is compiled as a part of those that call it."""
    function = with_unique_name(function, case)
    return function if PLAIN else register_jitable(function)


def jit(function: Callable[..., None], *case: Any) -> Callable[..., None]:
    """Return a function that is compiled at its first call and kept for other processes.

    ``case`` names all values that are constants of the function.
    """
    function = with_unique_name(function, case)
    if PLAIN:
        return _quiet(function)
    # No fastmath: with fused multiply-adds a row's last bit would depend on which loop computes it.
    compiled = njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError):  # no writable place, neither beside the file nor in the home
        compiled._cache = _LoopCache(function)
    return compiled  # type: ignore[no-any-return]


def _quiet(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function of plain Python that warns as little as a compiled one."""

    @wraps(function)
    def run(*args: Any) -> None:
        with np.errstate(all="ignore"):
            function(*args)

    return run


def ufunc(function: Callable[..., Any], count: int, dtype: np.dtype[Any]) -> Any:
    """Return a function of ``count`` numbers as one of arrays of a dtype, in a loop of its own."""
    t = from_dtype(dtype)
    with global_compiler_lock:  # one thread at a time compiles what several may need at once
        builder = UFuncBuilder(function)
        with suppress(RuntimeError):  # as for the loops
            builder.nb_func.cache = _LoopCache(function)
        builder.add(t(*[t] * count))
        return builder.build_ufunc()
