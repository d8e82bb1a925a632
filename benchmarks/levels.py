"""Measure positions that differ by column: derivatives by heights, and at constant heights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dask
import numpy as np
import xarray as xr

from tests.support.comparisons import sample

from .globe import Found, passed
from .report import number
from .timing import copies, medians

__all__ = ["on_levels", "price"]


def price(shape: tuple[int, ...], rounds: int) -> Iterator[Found]:
    """Times in copies of the field, which is float32, and of whose cells each has a height."""
    da = sample(shape, "f4")
    orders: dict[str, tuple[str, dict[str, Any]]] = {
        "first derivative": ("10", {}),
        "accuracy 4": ("14", {"accuracy": 4}),
        "accuracy 8": ("17", {"accuracy": 8}),
        "second derivative": ("15", {"deriv": 2}),
    }
    for name, (goal, options) in orders.items():
        found = [
            _time(on_levels(da, dim, dtype), dim, rounds, **options)
            for dim, dtype in (("time", "f4"), ("time", "f8"), ("lon", "f8"))
        ]
        case = "along time, heights in float32 and float64; along lon, in float64"
        yield f"{name} by heights, {case}", ", ".join(found), goal
    levels = on_levels(da, "time", "f4")
    gaps = levels.where(np.random.default_rng(4).random(shape) >= 0.1)
    yield (
        "first derivative by heights, one in ten missing: skipna relative to the call without",
        _ratio(gaps, rounds),
        "3",
    )
    call = {"metric": "sphere", "at_constant": "height", "along": "time"}
    time = copies(lambda: levels.grad(["lat", "lon"], **call), levels.values, rounds)
    yield "gradient on the sphere at constant height, along lat and lon", number(time), "13"
    yield (
        "first derivative by heights, in 16 chunks along time: relative to a chunk-wise copy",
        _in_chunks(levels, rounds),
        "8",
    )


def on_levels(da: xr.DataArray, dim: str, dtype: str) -> xr.DataArray:
    """The field, with heights that go up along a dimension, in steps of about one."""
    rng = np.random.default_rng(5)
    height = np.empty(da.shape, dtype)
    for at, line in enumerate(np.moveaxis(height, da.dims.index(dim), 0)):
        line[...] = at + rng.uniform(-0.3, 0.3, line.shape)
    return da.assign_coords(height=(da.dims, height))


def _time(da: xr.DataArray, dim: str, rounds: int, **options: Any) -> str:
    return number(copies(lambda: da.grad("height", along=dim, **options), da.values, rounds))


def _ratio(da: xr.DataArray, rounds: int) -> str:
    calls = {
        str(skipna): lambda s=skipna: da.grad("height", along="time", skipna=s)
        for skipna in (False, True)
    }
    found = medians(calls, rounds=rounds)
    return number(found["True"] / found["False"])


def _in_chunks(da: xr.DataArray, rounds: int) -> str:
    lazy = da.chunk(time=-(-da.sizes["time"] // 16))
    lazy = lazy.copy(data=lazy.data.map_blocks(np.copy).persist())
    lazy = lazy.assign_coords(height=lazy.height.copy(data=lazy.height.data.persist()))
    made, copied = lazy.grad("height", along="time").data, lazy.data.map_blocks(np.copy)
    calls = {"ours": lambda: passed([made]), "copy": lambda: passed([copied])}
    with dask.config.set(scheduler="threads", num_workers=2):
        found = medians(calls, rounds=rounds)
    return number(found["ours"] / found["copy"])
