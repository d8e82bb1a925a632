"""Measurements that need a process of their own: first calls, and the memory of a long run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

__all__ = ["first_calls", "peak_memory"]

ROOT = Path(__file__).parents[1]

FIRST = """
import time
import numpy as np, xarray as xr, xgradient
field = xr.DataArray(np.sin(np.arange(100.0)), {"x": np.arange(100.0)}, name="f")
start = time.perf_counter()
field.grad("x")
print(time.perf_counter() - start)
"""

PEAK = """
import sys
import dask, dask.array as da, numpy as np, xarray as xr, xgradient

class Nowhere:
    def __setitem__(self, at, values):
        pass

def make(block_info=None):
    return np.full(block_info[None]["chunk-shape"], 1, np.float32)

def peak():
    # Not ru_maxrss, which begins with the parent's.
    with open("/proc/self/status") as status:
        return next(int(s.split()[1]) for s in status if s.startswith("VmHWM")) * 1024

def run(chunks, cells):
    sizes = ((cells,) * chunks, (cells,) * chunks)
    data = da.map_blocks(make, chunks=sizes, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    axes = {name: np.arange(data.shape[0]) for name in ("y", "x")}
    result = xr.DataArray(data, axes, name="f").grad("x").data
    with dask.config.set(scheduler="threads", num_workers=2):
        da.store(result, Nowhere(), lock=False)

run(2, 100)
before = peak()
run(int(sys.argv[1]), int(sys.argv[2]))
print(peak() - before)
"""


def _ask(program: str, *arguments: object, **variables: str) -> float:
    """The number that a program prints, run in a fresh process."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {**os.environ, **variables}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(run.stdout)


def first_calls(repeats: int) -> tuple[float, float]:
    """Seconds of the first call in a process: by loops from the cache, and by NumPy."""
    cold, warm = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(_ask(FIRST, NUMBA_CACHE_DIR=folder, XGRADIENT_COMPILE="later"))
            _ask(FIRST, NUMBA_CACHE_DIR=folder, XGRADIENT_COMPILE="now")
            warm.append(_ask(FIRST, NUMBA_CACHE_DIR=folder, XGRADIENT_COMPILE="now"))
    return median(warm), median(cold)


def peak_memory(chunks: int, cells: int) -> float | None:
    """Bytes beyond those of a tiny run, for ``chunks``² square chunks; none where not told."""
    if not Path("/proc/self/status").exists():
        return None
    return _ask(PEAK, chunks, cells)
