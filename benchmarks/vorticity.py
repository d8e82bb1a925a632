"""Measure the vorticity of a flow larger than memory: ``python -m benchmarks.vorticity``.

The flow has 300 times of 5000 x 5000 points in float32, 60 GB for both components. Chunks are made
when they are needed, so no disk is measured, and the mean of the vorticity is all that is kept.
Each run is a process of its own, with two threads or with two worker processes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

import numpy as np

from tests.support.clusters import local_cluster

from .report import machine, number, put, rows

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "developers" / "performance.md"
#: Times of a chunk, which has half of the points along each horizontal axis.
TIMES = 4
WORKERS = 2
LIBRARIES = ("xgradient", "xarray", "xgcm")
SCHEDULERS = ("threads", "processes")


def make_block(block_info: Any = None) -> np.ndarray:
    """Return a chunk with a pattern that costs little."""
    _, n_y, n_x = shape = block_info[None]["chunk-shape"]
    pattern = np.sin(np.arange(n_y, dtype="f4"))[:, None] + np.cos(np.arange(n_x, dtype="f4"))
    return np.ascontiguousarray(np.broadcast_to(pattern, shape))


def vorticity(library: str, times: int, points: int) -> Any:
    """Return the mean of the lazy vorticity, by one of the libraries."""
    import dask.array as da
    import xarray as xr

    import xgradient  # noqa: F401  registers .grad

    whole = {"time": times, "y": points, "x": points}
    sizes = ((TIMES,) * (times // TIMES), *((points // 2,) * 2 for _ in "yx"))
    meta = np.empty((0, 0, 0), "f4")
    data = [da.map_blocks(make_block, chunks=sizes, dtype="f4", meta=meta, name=n) for n in "uv"]
    axes = {d: (d, 1e3 * np.arange(n), {"units": "m"}) for d, n in whole.items() if d != "time"}
    flow = xr.Dataset({n: (tuple(whole), a) for n, a in zip("uv", data, strict=True)}, axes)
    if library == "xgradient":
        return flow.grad.curl(x="u", y="v").mean()
    if library == "xarray":
        return (flow.v.differentiate("x") - flow.u.differentiate("y")).mean()
    return _vorticity_of_xgcm(flow).mean()


def _vorticity_of_xgcm(flow: Any) -> Any:
    """Return the vorticity at corners, by xgcm on a staggered grid."""
    import xgcm

    half = {f"{d}_left": (f"{d}_left", flow[d].values - 500.0) for d in ("y", "x")}
    u = flow.u.rename(x="x_left").drop_vars("x_left", errors="ignore")
    v = flow.v.rename(y="y_left").drop_vars("y_left", errors="ignore")
    spacing = {f"d{d}": 1e3 for d in ("x", "y")}
    grid = xgcm.Grid(
        flow.drop_vars(["u", "v"]).assign_coords(half).assign_coords(spacing),
        coords={d.upper(): {"center": d, "left": f"{d}_left"} for d in ("y", "x")},
        metrics={("X",): ["dx"], ("Y",): ["dy"]},
        padding="extend",
        autoparse_metadata=False,
    )
    return grid.derivative(v, "X") - grid.derivative(u, "Y")


def _peak_memory(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of a call, and the most bytes that the process and its children hold."""
    import psutil

    process, done, peak = psutil.Process(), Event(), 0

    def watch() -> None:
        nonlocal peak
        while True:
            held = 0
            for each in (process, *process.children(recursive=True)):
                try:
                    held += each.memory_info().rss
                except psutil.Error:  # it has ended
                    continue
            peak = max(peak, held)
            if done.wait(0.05):
                return

    thread = Thread(target=watch)
    thread.start()
    start = perf_counter()
    call()
    elapsed = perf_counter() - start
    done.set()
    thread.join()
    return elapsed, peak


@contextmanager
def _scheduler(name: str) -> Iterator[None]:
    """Let dask compute on two threads, or on two worker processes."""
    import dask

    if name == "threads":
        with dask.config.set(scheduler="threads", num_workers=WORKERS):
            yield
        return
    import distributed

    with local_cluster(WORKERS) as cluster, distributed.Client(cluster):
        yield


def measure(library: str, scheduler: str, times: int, points: int) -> None:
    """Print the seconds and the bytes of one run."""
    with _scheduler(scheduler):
        vorticity(library, TIMES, points).compute()  # what is imported and compiled once
        print(*_peak_memory(lambda: vorticity(library, times, points).compute()))


def main() -> None:
    """Run each library on each scheduler, and print a table."""
    parser = argparse.ArgumentParser("benchmarks.vorticity", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=300, help="times of the flow, 300 is all")
    parser.add_argument("--points", type=int, default=5000, help="points of each horizontal axis")
    parser.add_argument("--only", nargs=2, metavar=("LIBRARY", "SCHEDULER"), help="one run")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    if options.only:
        measure(*options.only, options.times, options.points)
        return
    lines, total = [], options.times * options.points**2
    for scheduler in SCHEDULERS:
        for library in filter(find_spec, LIBRARIES):
            size = ["--times", str(options.times), "--points", str(options.points)]
            run = subprocess.run(
                [sys.executable, "-m", "benchmarks.vorticity", *size, "--only", library, scheduler],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds, peak = map(float, run.stdout.split()[-2:])
            per_core = seconds * WORKERS / (total / 1e9)
            lines.append((f"{library}, two {scheduler}", number(per_core), f"{peak / 1e9:.1f}"))
            print(lines[-1], file=sys.stderr)
    table = rows(("library, scheduler", "core seconds per 10⁹ points", "peak GB"), lines)
    text = (
        f"{options.times} times of {options.points} × {options.points} points in float32, "
        f"{total * 8 / 1e9:.3g} GB for both components.\n\n{table}\n\n{machine()}"
    )
    print(text)
    if options.write:
        put(PAGE, "benchmark vorticity", text)


if __name__ == "__main__":
    main()
