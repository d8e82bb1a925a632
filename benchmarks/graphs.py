"""Task graphs: how large they are, and how long it takes to build them."""

from __future__ import annotations

import gc
from functools import cache
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import numpy as np
import xarray as xr

import xgradient  # noqa: F401

__all__ = ["building", "field", "tasks_added"]

#: Chunks across the dimension that is differentiated, and cells of a chunk each way.
ACROSS, CELLS = 10, 10


def field(chunks: int) -> xr.DataArray:
    """A field in this many chunks, up to ten of them side by side and the rest along ``x``."""
    across = min(ACROSS, max(1, chunks // ACROSS))
    shape = across * CELLS, chunks // across * CELLS
    return xr.DataArray(
        da.zeros(shape, chunks=CELLS, dtype="f4"),
        {"y": np.arange(shape[0]), "x": np.arange(shape[1])},
        name="f",
    )


@cache
def building(library: str, chunks: int) -> float:
    """Seconds to build the graph of a derivative and to lay out all its tasks."""
    source = field(chunks)
    gc.collect()  # nobody pays for what others have left
    start = perf_counter()
    result = source.grad("x") if library == "xgradient" else source.differentiate("x")
    tasks = result.__dask_graph__().to_dict()
    elapsed = perf_counter() - start
    del tasks
    return elapsed


def tasks_added(source: xr.DataArray, result: Any) -> float:
    """Tasks per chunk of the source that a result adds, after dask has optimised both."""
    before, after = (
        len(dict(dask.optimize(each)[0].__dask_graph__())) for each in (source, result)
    )
    return (after - before) / source.data.npartitions
