"""The table of comparisons that the tests check, timed: every operation by every library."""

from __future__ import annotations

from itertools import groupby
from statistics import median
from typing import Any

import xarray as xr

from tests.support.comparisons import (
    COMPARISONS,
    DIMS,
    TRUTHS,
    Comparison,
    installed,
    left_out,
    sample,
)

from .report import machine, number, rows
from .timing import duplicate, medians, say

__all__ = ["markdown"]

PEERS = ("numpy", "xarray", "torch", "dask", "findiff", "xgcm")


def markdown(shape: tuple[int, ...], quick: bool) -> str:
    """Time everything; a table with a line on what it shows and where."""
    rounds = 1 if quick else 7
    seconds: list[float] = []
    measured = _all(shape, rounds, seconds)
    header = ("operation", "xgradient", "xgradient, float64", *PEERS)
    lines = []
    for comparison in COMPARISONS:
        found = measured[comparison.name]
        cells = [number(found[name]) if name in found else "" for name in header[1:]]
        lines.append((comparison.name, *cells))
    absent = f" Not installed, and left out: {', '.join(left_out())}." if left_out() else ""
    return (
        "Run time relative to copying the array to new memory with two threads "
        f"({median(seconds) * 1e3:.3g} ms); lower is better. Medians of alternating calls, on "
        f"{tuple(shape)} float32 (complex64 if complex).{absent}"
        f"\n\n{rows(header, lines)}\n\n{machine()}"
    )


def _sample(comparison: Comparison) -> tuple[str, bool]:
    """Return the properties of a row, except chunks, that its sample depends on."""
    options = comparison.options
    return options.get("dtype", "f8"), options.get("uneven", False)


def _all(shape: tuple[int, ...], rounds: int, seconds: list[float]) -> dict[str, dict[str, float]]:
    """Times in copies by the name of a row and of a library; seconds of the float32 copies."""
    measured: dict[str, dict[str, float]] = {}
    for (dtype, uneven), members in groupby(sorted(COMPARISONS, key=_sample), key=_sample):
        double = sample(shape, dtype, uneven=uneven)
        single = double.astype("c8" if dtype == "c16" else "f4")
        for comparison in members:
            say(comparison.name)
            found = _row(comparison, _chunked(comparison, single), single, rounds, True)
            if dtype != "c16":
                seconds.append(found.pop("copy"))
            wide = _row(comparison, _chunked(comparison, double), double, rounds, False)
            found["xgradient, float64"] = wide["xgradient"]
            measured[comparison.name] = found
    return measured


def _row(
    comparison: Comparison, da: xr.DataArray, whole: xr.DataArray, rounds: int, peers: bool
) -> dict[str, float]:
    """One operation by xgradient, and by the peers that are libraries, in copies."""
    calls: dict[str, Any] = {"xgradient": comparison.ours(da)}
    if peers:
        for name, peer in comparison.peers.items():
            if name not in TRUTHS and installed(name):
                calls[name] = peer.prepare(da)
    found = medians(calls, lambda: duplicate(whole.values), rounds, patience=2)
    return {"copy": found["copy"]} | {name: found[name] / found["copy"] for name in calls}


def _chunked(comparison: Comparison, da: xr.DataArray) -> xr.DataArray:
    """The sample in chunks, as many as the tests have on their small one."""
    chunks = comparison.options.get("chunks")
    if not chunks:
        return da
    small = dict(zip(DIMS, sample().shape, strict=True))
    return da.chunk({dim: -(-da.sizes[dim] * n // small[dim]) for dim, n in chunks.items()})
