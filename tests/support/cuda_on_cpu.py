"""The CUDA source on processors: compiled by NVRTC for a GPU, or as C++ and run here.

The same source that CuPy would get goes through NVIDIA's compiler, which needs no GPU, and, behind
a shim of what CUDA adds to C++, through the compiler of this machine. There its threads run one
after the other.
"""

from __future__ import annotations

import ctypes
import getpass
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import numpy as np

__all__ = ["compiler", "function", "has_nvrtc", "nvrtc"]

#: What CUDA has and C++ has not, and a loop over all threads. The functions of numbers are those of
#: the compiler, because to read the headers that declare them takes half of a compilation.
BEFORE = """
#define memcpy __builtin_memcpy
#define nan __builtin_nan
static inline float fabs(float x) { return __builtin_fabsf(x); }
static inline double fabs(double x) { return __builtin_fabs(x); }
static inline float sqrt(float x) { return __builtin_sqrtf(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline float hypot(float x, float y) { return __builtin_hypotf(x, y); }
static inline double hypot(double x, double y) { return __builtin_hypot(x, y); }
#define __device__
#define __forceinline__ inline
#define __global__ static
#define __launch_bounds__(n)
struct Three { unsigned x, y, z; };
static thread_local Three blockIdx, threadIdx, blockDim;
static float half_to_float(unsigned short bits) {
    _Float16 value;
    memcpy(&value, &bits, 2);
    return value;
}
static unsigned short float_to_half(float value) {
    _Float16 rounded = (_Float16)value;
    unsigned short bits;
    memcpy(&bits, &rounded, 2);
    return bits;
}
"""
AFTER = """
extern "C" void run(long long blocks, unsigned x, unsigned y, const Numbers* numbers) {
    blockDim = {x, y, 1};
    for (long long b = 0; b < blocks; ++b)
        for (unsigned j = 0; j < y; ++j)
            for (unsigned i = 0; i < x; ++i) {
                blockIdx = {(unsigned)b, 0, 0};
                threadIdx = {i, j, 0};
                terms(*numbers);
            }
}
"""
#: What NVIDIA's compiler gets from CuPy: our option, and those that it adds to all.
CUPYS = ("--fmad=false", "-ftz=true", "--device-as-default-execution-space")
_COMPILING = Lock()
OPTIONS = ("-std=c++14", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Werror",
           "-Wno-unknown-pragmas", "-Wno-unused-function")  # fmt: skip


@cache
def compiler() -> tuple[str, ...] | None:
    """The command of a C++ compiler that knows half floats, if there is one."""
    commands = [(found,) for name in ("g++", "clang++", "c++") if (found := shutil.which(name))]
    if find_spec("ziglang"):
        commands.append((sys.executable, "-m", "ziglang", "c++"))
    folder = Path(tempfile.mkdtemp(prefix="xgradient-"))
    probe, out = folder / "probe.cpp", folder / "probe.so"
    probe.write_text('extern "C" float half(float x) { return (float)(_Float16)x; }\n')
    for command in commands:
        tried = subprocess.run([*command, *OPTIONS, "-o", out, probe], capture_output=True)
        if not tried.returncode:
            return command
    return None


@cache
def _folder() -> Path:
    """A folder that all processes of this user share, so that each source is compiled once."""
    user = getpass.getuser()
    folder = Path(tempfile.gettempdir(), f"xgradient-cuda-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return Path(tempfile.mkdtemp(prefix="xgradient-"))
    return folder


@cache
def _version() -> str:
    """What the compiler says of itself."""
    return subprocess.run([*compiler(), "--version"], capture_output=True, text=True).stdout


def function(source: str):
    """The kernel of a source as a function: blocks, threads of a block, numbers."""
    with _COMPILING:
        return _function(source)


@cache
def _function(source: str):
    text = BEFORE + source.replace('extern "C" __global__', "__global__") + AFTER
    command = [*compiler(), *OPTIONS]
    name = hashlib.sha256("\n".join([*command, _version(), text]).encode()).hexdigest()
    library = _folder() / f"{name}.so"
    if not library.exists():
        # Other processes see the library when it is whole.
        with tempfile.TemporaryDirectory(dir=_folder()) as own:
            part, written = Path(own, "part.so"), Path(own, "terms.cpp")
            written.write_text(text)
            subprocess.run([*command, "-o", part, written], check=True)
            part.replace(library)
    run = ctypes.CDLL(str(library)).run

    def call(blocks: int, block: tuple[int, int], numbers: np.ndarray) -> None:
        run(ctypes.c_longlong(blocks), *block, ctypes.c_void_p(numbers.ctypes.data))

    return call


@cache
def _library():
    """NVRTC from its Python package."""
    found = find_spec("nvidia.cuda_nvrtc")
    folder = Path(next(iter(found.submodule_search_locations)))
    names = [*folder.glob("lib/libnvrtc.so.*"), *folder.glob("bin/nvrtc64_*_0.dll")]
    return ctypes.CDLL(str(names[0]))


def has_nvrtc() -> bool:
    """Return whether NVIDIA's compiler is installed."""
    try:
        return find_spec("nvidia.cuda_nvrtc") is not None
    except ModuleNotFoundError:
        return False


def nvrtc(source: str, architecture: str, *options: str) -> tuple[bytes, str]:
    """The machine code for an architecture, and all that the compiler had to say."""
    library, program = _library(), ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"terms.cu", 0, None, None)
    given = [o.encode() for o in (f"--gpu-architecture={architecture}", *CUPYS, *options)]
    failed = library.nvrtcCompileProgram(
        program, len(given), (ctypes.c_char_p * len(given))(*given)
    )
    said = _text(program, library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog)
    code = b""
    if not failed:
        code = _text(program, library.nvrtcGetCUBINSize, library.nvrtcGetCUBIN)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return code, said.rstrip(b"\0").decode()


def _text(program, size, get) -> bytes:
    length = ctypes.c_size_t()
    size(program, ctypes.byref(length))
    buffer = ctypes.create_string_buffer(length.value)
    get(program, buffer)
    return buffer.raw
