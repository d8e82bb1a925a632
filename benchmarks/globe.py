"""Operators on the globe: their price in copies of one input, and on dask."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import dask
import dask.array
import numpy as np
import xarray as xr

import xgradient

from .report import number
from .timing import apart, copies, medians

__all__ = ["one_vorticity", "passed", "price_in_chunks", "price_in_memory"]

#: A case, what was measured, the goal.
Found = tuple[str, str, str]


def winds(shape: tuple[int, ...]) -> xr.Dataset:
    """Two components with rows on the poles and longitudes that go round."""
    rng = np.random.default_rng(7)
    lat, lon = np.linspace(-90, 90, shape[1]), 360 * np.arange(shape[2]) / shape[2]
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    dims = ("time", "lat", "lon")
    return xr.Dataset(
        {n: (dims, rng.standard_normal(shape, dtype="f4"), {"units": "m s-1"}) for n in "uv"},
        coords,
    )


def price_in_memory(shape: tuple[int, ...], rounds: int) -> Iterator[Found]:
    """Each operator on the sphere, periodic and across the poles."""
    ds = winds(shape)
    metric: dict[str, Any] = {"metric": "sphere"}
    cases = {
        'grad("lat")': ("1.5", lambda: ds.u.grad("lat", **metric)),
        "magnitude": ("2.5", lambda: ds.u.grad.magnitude(["lat", "lon"], **metric)),
        "divergence": ("3", lambda: ds.grad.divergence(lon="u", lat="v", **metric)),
        "curl": ("3", lambda: ds.grad.curl(lon="u", lat="v", **metric)),
        "laplacian": ("3", lambda: ds.u.grad.laplacian(["lat", "lon"], **metric)),
    }
    for name, (goal, call) in cases.items():
        yield f"{name} on the sphere", number(copies(call, ds.u.values, rounds)), goal


def price_in_chunks(shape: tuple[int, ...], rounds: int) -> Iterator[Found]:
    """Divergence and curl against a chunk-wise copy of both inputs, and their tasks."""
    ds = winds(shape)
    for dim, parts in (("time", 16), ("lat", 4), ("lat", 16), ("lon", 4), ("lon", 16)):
        lazy = ds.chunk({dim: -(-ds.sizes[dim] // parts)})
        lazy = lazy.map(lambda da: da.copy(data=da.data.map_blocks(np.copy).persist()))
        for name in ("divergence", "curl"):
            made = getattr(lazy.grad, name)(lon="u", lat="v", metric="sphere").data
            copied = [lazy[n].data.map_blocks(np.copy) for n in "uv"]
            calls = {"ours": lambda m=made: passed([m]), "copy": lambda c=copied: passed(c)}
            with dask.config.set(scheduler="threads", num_workers=2):
                found = medians(calls, rounds=rounds)
            (graph,) = dask.optimize(made)
            inputs = sum(len(lazy[n].data.__dask_graph__()) for n in "uv")
            tasks = (len(graph.__dask_graph__()) - inputs) / made.npartitions
            case = f"{name} on dask, {parts} chunks along {dim}"
            yield (
                f"{case}: relative to a chunk-wise copy of both inputs; tasks added per chunk",
                f"{number(found['ours'] / found['copy'])}; {tasks:.1f}",
                "2; 7",
            )


class _Nowhere:
    """Takes results and forgets them."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def passed(arrays: list[Any]) -> None:
    """Compute dask arrays chunk by chunk, without keeping what comes out."""
    dask.array.store(arrays, [_Nowhere() for _ in arrays], lock=False)


def one_vorticity(rounds: int) -> Iterator[Found]:
    """The vorticity of one field of 721 x 1440, and that of MetPy if it is installed."""
    ds = winds((1, 721, 1440)).isel(time=0)
    calls = {"ours": lambda: xgradient.curl(lon=ds.u, lat=ds.v, metric="sphere")}
    if find_spec("metpy"):
        calls["metpy"] = lambda: _of_metpy(ds)
    alone = apart(calls, rounds)
    turns = medians(calls, rounds=rounds)
    case = "vorticity of one field of 721 x 1440 float32"
    yield case, f"{alone['ours'] * 1e3:.1f} ms", "8.5 ms"
    for how, found in (
        ("each called repeatedly", alone),
        ("alternating calls", turns),
    ):
        if "metpy" in found:
            share = number(found["metpy"] / found["ours"])
            yield f"{case}: MetPy relative to xgradient, {how}", share, "50 or more"


def _of_metpy(ds: xr.Dataset) -> Any:
    import metpy.calc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero on the poles
        return metpy.calc.vorticity(ds.u, ds.v)
