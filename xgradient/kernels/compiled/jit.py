"""Compile the loops, and cache them on disk for other processes.

With ``NUMBA_DISABLE_JIT`` nothing is compiled: the same functions run as plain Python, for a
debugger.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, wraps
from hashlib import sha256
from importlib import resources
from inspect import getfile, isfunction
from pathlib import Path
from typing import Any
from uuid import uuid4

import numba
import numpy as np
from llvmlite.binding import ffi
from numba import config, from_dtype, njit, typeof, types
from numba.core import cgutils
from numba.core.caching import CompileResultCacheImpl, NullCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.extending import intrinsic, register_jitable
from numba.np.ufunc.ufuncbuilder import UFuncBuilder

from ..._forks import wait_for
from .inlined import InlinedCompiler

#: Whether the loops run as plain Python.
PLAIN = bool(config.DISABLE_JIT)
# Compiled indices are unsigned, and intermediate ones may wrap round. Python's integers have no
# width, so there they are signed.
INDEX: Any = np.int64 if PLAIN else np.uint64
int32, int64, uint64 = (int, int, int) if PLAIN else (types.int32, types.int64, types.uint64)

# A forked child has none of its parent's threads, which would release the locks. A thread may hold
# that of LLVM without that of the compiler; if it needs both, it takes the one of LLVM last.
wait_for(global_compiler_lock)
with suppress(AttributeError):  # which has no public name
    wait_for(ffi.lib._lock._lock)
# These are made once, under locks of their own. So they are made while this module is loaded, for
# which a fork waits.
_CONTEXTS = cpu_target.typing_context, cpu_target.target_context


#: Options of numba for functions that only other compiled functions call.
_INLINED = {
    "pipeline_class": InlinedCompiler,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


class _LoopCache(NullCache):  # type: ignore[misc]
    """The machine code of one function on disk: a file for each signature.

    Numba's own cache checks the file of the function, and not the files of inlined functions. It
    tells closures apart by their pickles, which may differ between processes, and it trusts every
    file. Here a file begins with a digest of all that the machine code depends on and of the code
    itself. A file with another digest, be it old, cut or junk, is replaced after compiling. Files
    have no common index, so processes do not disturb each other.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._numba = CompileResultCacheImpl(function)
        code, outside = function.__code__, sha256()
        for name in dict.fromkeys(_files(function)):
            with suppress(OSError):
                outside.update(Path(name).read_bytes())
        self._source = (
            _sources() or self._numba.locator.get_source_stamp(),
            outside.hexdigest(),
            (code.co_code, code.co_consts, code.co_names),
            _identity(function),
        )

    @property
    def cache_path(self) -> str:
        """The folder of the files."""
        path: str = self._numba.locator.get_cache_path()
        return path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code for a signature, or None without a file that fits."""
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
        """Write the machine code for a signature, if the disk takes it."""
        if not self._numba.check_cachable(data):
            return
        path, stamp = self._file(sig, data.target_context)
        content = dumps(self._numba.reduce(data))
        with suppress(OSError):
            self._numba.locator.ensure_cache_path()
            _replace(path, sha256(stamp + content).digest() + content)

    def _file(self, sig: Any, target_context: Any) -> tuple[Path, bytes]:
        """Return the path of the file for a signature, and the stamp of its digest."""
        case = repr((sig, target_context.codegen().magic_tuple()))
        name = f"{self._numba.filename_base}.{sha256(case.encode()).hexdigest()[:16]}.nbc"
        return Path(self.cache_path, name), repr((case, self._source)).encode()


def _replace(path: Path, content: bytes) -> None:
    """Replace a file by a whole new one, or not at all."""
    part = path.with_name(f"{path.name}.tmp.{uuid4().hex[:16]}")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@cache
def _sources() -> str:
    """Return a digest of all sources of loops, or an empty string where there is no source."""
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


def _files(function: Any) -> Iterator[str]:
    """Yield the file of a function, and those of all functions in its closure."""
    function = getattr(function, "py_func", function)
    yield getfile(function)
    for cell in getattr(function, "__closure__", None) or ():
        if isfunction(getattr(cell.cell_contents, "py_func", cell.cell_contents)):
            yield from _files(cell.cell_contents)


def _identity(value: Any) -> Any:
    """Return a key of a value in a closure that is equal in every process."""
    value = getattr(value, "py_func", value)
    if not callable(value) or isinstance(value, type):
        return repr(value)
    cells = getattr(value, "__closure__", None) or ()
    return value.__module__, value.__qualname__, [_identity(cell.cell_contents) for cell in cells]


def with_unique_name(function: Callable[..., Any], case: tuple[Any, ...]) -> Callable[..., Any]:
    """Rename a function after the constants that it is made for.

    Of functions with one name, compiled by different processes, the linker keeps only one.
    """
    function.__qualname__ = "_".join(map(str, (function.__qualname__, *case)))
    return function


def jit_inline(function: Callable[..., Any], *case: Any) -> Callable[..., Any]:
    """Return a function that is compiled as a part of its callers."""
    function = with_unique_name(function, case)
    return function if PLAIN else register_jitable(**_INLINED)(function)


def jit(function: Callable[..., None], *case: Any) -> Callable[..., None]:
    """Return a function that is compiled at its first call and cached for other processes.

    ``case`` holds all constants in the closure of the function.
    """
    function = with_unique_name(function, case)
    if PLAIN:
        return _quiet(function)
    # No fastmath: with fused multiply-adds a row's last bit would depend on which loop computes it.
    compiled = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)
    with suppress(
        RuntimeError
    ):  # no writable place, neither in the folder of the file nor in the home
        compiled._cache = _LoopCache(function)
    return compiled  # type: ignore[no-any-return]


def _call_by_address(address: Any, arguments: Any) -> Any:
    """Call a loop that `address_of` has compiled."""
    return address(*arguments)  # which is the loop itself in plain Python


@intrinsic  # type: ignore[untyped-decorator]
def _compiled_call(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Call it without linking it to the caller, with which it would be optimised once more."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        convention, given = context.call_conv, signature.args[1].types
        kind = convention.get_function_type(types.none, given)
        function = builder.inttoptr(args[0], kind.as_pointer())
        values = cgutils.unpack_tuple(builder, args[1], len(given))
        status, _ = convention.call_function(builder, function, types.none, given, values)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.none(address, arguments), generate


call_at: Any = _call_by_address if PLAIN else _compiled_call


def address_of(function: Any, *arguments: Any) -> Any:
    """Compile a loop for arguments of these types, and return its address for `call_at`."""
    if PLAIN:
        return function
    with global_compiler_lock:  # for which a fork waits, as in a call of a loop
        kinds = tuple(map(typeof, arguments))
        function.compile(kinds)
        compiled = function.overloads[kinds]
        return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def _quiet(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function of plain Python that, like a compiled one, does not warn."""

    @wraps(function)
    def run(*args: Any) -> None:
        with np.errstate(all="ignore"):
            function(*args)

    return run


def ufunc(function: Callable[..., Any], count: int, dtype: np.dtype[Any]) -> Any:
    """Compile a function of ``count`` numbers to a loop over arrays of a dtype."""
    t = from_dtype(dtype)
    with global_compiler_lock:  # one thread compiles, others that need the loop wait
        builder = UFuncBuilder(function)
        with suppress(RuntimeError):  # as for the loops
            builder.nb_func.cache = _LoopCache(function)
        builder.add(t(*[t] * count))
        return builder.build_ufunc()
