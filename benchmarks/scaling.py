"""Time against size, of arrays and of task graphs, as two plots."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tests.support.comparisons import installed

from . import graphs
from .report import rows
from .timing import duplicate, medians, say, threads

__all__ = ["draw"]

#: Points of a row, along which is differentiated.
ROW = 1000
#: Points above which only xgradient and the copy are timed: the others need too much memory.
ALL = 10**8
FLOOR = "copy, two threads"
STYLES = {
    "xgradient, two threads": ("C0", "o-"),
    "xgradient, one thread": ("C0", "o--"),
    "numpy": ("C1", "s-"),
    "xarray": ("C2", "^-"),
    "torch": ("C3", "v-"),
    "findiff": ("C4", "D-"),
    FLOOR: ("0.4", "-"),
}

Times = dict[str, dict[int, float]]


def draw(quick: bool, folder: Path | None) -> None:
    """Measure, print, and draw into a folder if there is one."""
    points = [10**3, 10**4] if quick else [10**e for e in range(3, 10)]
    chunks = [10, 100] if quick else [10**e for e in range(1, 6)]
    arrays, building = _arrays(points, 1 if quick else 7), _graphs(chunks)
    print(_table("points, seconds", arrays), _table("chunks, seconds", building), sep="\n\n")
    if folder:
        _plot(folder / "scaling.png", arrays, "points (float32, along the last axis)", STYLES)
        lines = {"xgradient": ("C0", "o-"), "xarray": ("C2", "^-")}
        _plot(folder / "graphs.png", building, "chunks in the graph", lines)


def _arrays(points: list[int], rounds: int) -> Times:
    times: Times = {name: {} for name in STYLES}
    for n in points:
        # The array, a result, and room for others.
        if n > ALL and _available() < 3 * 4 * n:
            say(f"{n} points: too little memory")
            continue
        values = np.tile(np.sin(np.arange(ROW) / 50).astype("f4"), (n // ROW, 1))
        da = xr.DataArray(values, dims=("y", "x"), coords={"x": np.arange(ROW) / 2.0}, name="f")
        found = medians(_calls(da), partial(duplicate, values), rounds, patience=3)
        found[FLOOR] = found.pop("copy")
        for name, seconds in found.items():
            times[name][n] = seconds
        say(f"{n} points: " + ", ".join(f"{name} {s:.2e} s" for name, s in found.items()))
    return {name: own for name, own in times.items() if own}


def _calls(da: xr.DataArray) -> dict[str, Callable[[], Any]]:
    """Return calls of one derivative by each library."""
    values, step = da.values, 0.5
    calls: dict[str, Callable[[], Any]] = {
        "xgradient, two threads": partial(_ours, da, 2),
        "xgradient, one thread": partial(_ours, da, 1),
    }
    if da.size > ALL:
        return calls
    calls["numpy"] = lambda: np.gradient(values, step, axis=1)
    calls["xarray"] = lambda: da.differentiate("x")
    if installed("torch"):
        import torch

        tensor = torch.from_numpy(values)
        calls["torch"] = lambda: torch.gradient(tensor, spacing=step, dim=1)
    if installed("findiff"):
        import findiff

        operator = findiff.Diff(1, step, acc=2)
        calls["findiff"] = lambda: operator(values)
    return calls


def _ours(da: xr.DataArray, count: int) -> xr.DataArray:
    with threads(count):
        return da.grad("x")


def _available() -> int:
    """Bytes of memory that can be had without swapping, or none where the system does not tell."""
    info = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s*(\d+) kB", info.read_text()) if info.exists() else None
    return int(found[1]) * 1024 if found else 0


def _graphs(chunks: list[int]) -> Times:
    times: Times = {}
    for library in ("xgradient", "xarray"):
        graphs.building(library, 20)  # imports what it needs
        times[library] = {n: graphs.building(library, n) for n in chunks}
        say(f"{library}: graphs of up to {chunks[-1]} chunks")
    return times


def _table(header: str, times: Times) -> str:
    sizes = sorted({n for own in times.values() for n in own})
    lines = [
        (f"1e{len(str(n)) - 1}", *(f"{own[n]:.2e}" if n in own else "" for own in times.values()))
        for n in sizes
    ]
    return rows((header, *times), lines)


def _plot(path: Path, times: Times, label: str, styles: dict[str, tuple[str, str]]) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, own in times.items():
        color, style = styles[name]
        axes.loglog(list(own), list(own.values()), style, color=color, ms=4, label=name)
    axes.set(xlabel=label, ylabel="seconds")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
