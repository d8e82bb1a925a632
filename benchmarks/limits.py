"""Measure the limits that the package promises: a row for each promise, with its goal."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import dask
import numpy as np
import xarray as xr

import xgradient
from tests.support.comparisons import DIMS, sample

from . import coasts, curvilinear, globe, graphs, levels, probes
from .report import machine, number, rows
from .timing import apart, copies, medians, say, threads

__all__ = ["markdown"]

MB = 1e6


class Row(NamedTuple):
    """A promise: the case, what was measured, the goal."""

    case: str
    measured: str
    goal: str


def markdown(shape: tuple[int, ...], quick: bool) -> str:
    """Measure everything; a table with a line on what it shows and where."""
    rounds = 1 if quick else 9
    parts = (
        stencils,
        estimates,
        layouts,
        several,
        sphere,
        gaps,
        surfaces,
        columns,
        tensors,
        small,
        first,
        in_chunks,
        large_graphs,
        long_run,
    )
    lines = []
    for part in parts:
        for row in part(shape, rounds, quick):
            say(": ".join(row))
            lines.append(row)
    return (
        f"Run time relative to copying the array to new memory with two threads, on {tuple(shape)} "
        f"float32, unless the row says otherwise; lower is better.\n\n"
        f"{rows(('case', 'measured', 'goal'), lines)}\n\n{machine()}"
    )


def _each(da: xr.DataArray, rounds: int, **options: Any) -> str:
    """Return the times along each dimension, relative to a copy."""
    found = (copies(lambda dim=d: da.grad(dim, **options), da.values, rounds) for d in DIMS)
    return ", ".join(map(number, found))


def stencils(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Derivatives and accuracies, along each dimension."""
    along = "along time, lat, lon"
    for dtype in ("float32", "float64"):
        for kind in ("uniform", "non-uniform"):
            da = sample(shape, dtype, uneven=kind == "non-uniform")
            yield Row(f"first derivative, {kind}, {dtype}, {along}", _each(da, rounds), "1.5")
    for kind in ("uniform", "non-uniform"):
        da = sample(shape, "f4", uneven=kind == "non-uniform")
        for name, goal, options in (
            ("second derivative", "1.8", {"deriv": 2}),
            ("accuracy 4", "1.8", {"accuracy": 4}),
            ("accuracy 8", "2.2", {"accuracy": 8}),
        ):
            yield Row(f"{name}, {kind}, {along}", _each(da, rounds, **options), goal)


def estimates(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Estimates of errors, and smoothing: relative to derivatives without them."""
    along = "along time, lat, lon"
    da = sample(shape, "f4")
    yield Row(
        f"error=True, {along}, relative to the derivative",
        _relative(da, rounds, {"error": True}, {}),
        "2.2",
    )
    yield Row(
        f"smoothing over 11 points, {along}, relative to accuracy 10",
        _relative(da, rounds, {"smooth": (11, 2)}, {"accuracy": 10, "edge_order": 2}),
        "1.3",
    )


def _relative(
    da: xr.DataArray, rounds: int, options: dict[str, Any], others: dict[str, Any]
) -> str:
    """Return the times along each dimension, relative to the same call with other options."""
    ratios = []
    for dim in DIMS:
        found = medians(
            {
                "with": lambda dim=dim: da.grad(dim, **options),
                "without": lambda dim=dim: da.grad(dim, **others),
            },
            rounds=rounds,
        )
        ratios.append(found["with"] / found["without"])
    return ", ".join(map(number, ratios))


def sphere(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Operators on the globe."""
    for found in globe.price_in_memory(shape, rounds):
        yield Row(*found)
    for found in globe.price_in_chunks(shape, rounds):
        yield Row(*found)
    for found in globe.one_vorticity(rounds):
        yield Row(*found)


def gaps(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Missing values: run time relative to the same call without skipna."""
    for found in coasts.price(shape, rounds):
        yield Row(*found)


def surfaces(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Curvilinear grids."""
    for found in curvilinear.price(shape, rounds):
        yield Row(*found)


def columns(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Positions that differ by column."""
    for found in levels.price(shape, rounds):
        yield Row(*found)


def tensors(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Tensors in memory: run time relative to torch.gradient, if torch is installed."""
    if find_spec("torch") is None:
        return
    import torch

    tensor = torch.from_numpy(sample(shape, "f4").values)
    uneven = tuple(torch.arange(n, dtype=torch.float32) ** 1.01 for n in shape)
    for name, spacing in (("uniform", 0.5), ("positions in tensors", uneven)):
        found = apart(
            {
                "ours": lambda s=spacing: xgradient.gradient(tensor, spacing=s),
                "theirs": lambda s=spacing: torch.gradient(tensor, spacing=s),
            },
            rounds,
        )
        share = number(found["ours"] / found["theirs"])
        case = f"gradient() of a tensor, {name}, each called repeatedly"
        yield Row(f"{case}: relative to torch.gradient", share, "0.1")


def layouts(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Periodic axes, memory orders other than C's, and a single thread."""
    da = sample(shape, "f4")
    closed = {"periodic": {"lon": 360}}
    found = medians(
        {"open": lambda: da.grad("lon"), "closed": lambda: da.grad("lon", **closed)}, rounds=rounds
    )
    yield Row(
        "periodic axis, relative to the same axis with boundaries",
        number(found["closed"] / found["open"]),
        "1.1",
    )
    forms = {
        'da.transpose("lon", "lat", "time")': da.transpose(*DIMS[::-1]),
        "da[::2]": da[::2],
        "Fortran order": da.copy(data=np.asfortranarray(da.values)),
        "three quarters of lat and lon": da[
            :, shape[1] // 8 : -shape[1] // 8, shape[2] // 8 : -shape[2] // 8
        ],
        "lat reversed": da[:, ::-1],
        "every other lon": da[..., ::2],
    }
    for name, form in forms.items():
        yield Row(f"{name}, along time, lat, lon", _each(form, rounds), "2.5")
    with threads(1):
        yield Row("one thread, by XGRADIENT_NUM_THREADS", _each(da, rounds), "2.6")
    with dask.config.set(num_workers=1):
        yield Row("one thread, by dask's num_workers", _each(da, rounds), "2.6")


def several(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Three derivatives at once, and the memory in addition to the results."""
    da = sample(shape, "f4")
    dims = list(DIMS)
    yield Row(
        'grad(["time", "lat", "lon"])',
        number(copies(lambda: da.grad(dims), da.values, rounds)),
        "4.5",
    )
    for name, form in (("", da), (", transposed", da.transpose(*DIMS[::-1]))):
        extra = _additional_memory(lambda form=form: form.grad(dims)) / da.nbytes
        yield Row(
            f"memory in addition to the results{name}, relative to the input",
            f"{100 * extra:.2g} %",
            "5 %",
        )


def _additional_memory(call: Callable[[], Any]) -> int:
    """Bytes allocated during a call beyond those of its results, at the worst moment."""
    call()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    result = call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before - sum(v.nbytes for v in result.data_vars.values())


def small(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Where the work around the numbers counts."""
    field = sample(shape, "f4")[0]
    x = np.arange(100.0)
    line = xr.DataArray(np.sin(x), {"x": x}, name="f")
    values = line.values
    for name, ours, theirs, goal in (
        (
            f'da.grad("lon") of {field.shape} float32, relative to differentiate',
            lambda: field.grad("lon"),
            lambda: field.differentiate("lon"),
            "0.5",
        ),
        (
            'da.grad("x") of 100 points, relative to differentiate',
            lambda: line.grad("x"),
            lambda: line.differentiate("x"),
            "1",
        ),
        (
            "gradient() of 100 points, relative to np.gradient",
            lambda: xgradient.gradient(values),
            lambda: np.gradient(values),
            "1",
        ),
    ):
        found = medians({"ours": ours, "theirs": theirs}, rounds=3 * rounds)
        yield Row(name, number(found["ours"] / found["theirs"]), goal)


def first(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """The first call in a process."""
    warm, cold = probes.first_calls(1 if quick else 3)
    yield Row(
        "first call in a process, loop from the cache, including import numba",
        f"{warm:.2f} s",
        "0.7 s",
    )
    yield Row("first call in a process, with nothing compiled", f"{cold:.2f} s", "0.3 s")


def in_chunks(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Chunked along the dimension: against a chunk-wise copy, and against xarray."""
    da = sample(shape, "f4")
    for dim, parts in (("time", 4), ("time", 16), ("lat", 4), ("lat", 16), ("lon", 4), ("lon", 16)):
        lazy = da.chunk({dim: -(-da.sizes[dim] // parts)})
        # Each chunk in memory of its own, as it comes from a file.
        lazy = lazy.copy(data=lazy.data.map_blocks(np.copy).persist())
        results = {
            "ours": lazy.grad(dim).data,
            "xarray": lazy.differentiate(dim).data,
            "copy": lazy.data.map_blocks(np.copy),
        }
        with dask.config.set(scheduler="threads", num_workers=2):
            found = medians(
                {n: lambda r=r: globe.passed([r]) for n, r in results.items()}, rounds=rounds
            )
        copy, other = found["ours"] / found["copy"], found["ours"] / found["xarray"]
        size = lazy.data.blocks[0, 0, 0].nbytes / MB
        yield Row(
            f"dask, {parts} chunks along {dim}, {size:.0f} MB each: relative to "
            "map_blocks(np.copy); relative to differentiate",
            f"{number(copy)}; {number(other)}",
            "1.5; 0.35",
        )


def large_graphs(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """The size of graphs, and the time to build them."""
    source = graphs.field(100)
    for name, da, dims, goal in (
        ("along a chunked dimension", source, "x", "3"),
        ("along a dimension in one chunk", source.chunk(x=-1), "x", "1"),
        ("two derivatives, both chunked", source, ["y", "x"], "7"),
    ):
        added = graphs.tasks_added(da, da.grad(dims))
        yield Row(f"dask, tasks added per chunk, {name}", f"{added:.2f}", goal)
    for library in ("xgradient", "xarray"):
        graphs.building(library, 20)  # imports what it needs
    chunks = 1000 if quick else 100_000
    ours, theirs = (graphs.building(library, chunks) for library in ("xgradient", "xarray"))
    yield Row(
        f"dask, building the graph of {chunks} chunks, relative to differentiate ({theirs:.1f} s)",
        f"{number(ours / theirs)} ({ours:.1f} s)",
        "0.25",
    )


def long_run(shape: tuple[int, ...], rounds: int, quick: bool) -> Iterator[Row]:
    """Memory of a run over an array that never exists as a whole."""
    chunks, cells = (3, 256) if quick else (12, 4096)
    size = 4 * cells**2 / MB
    most = 4 * 2 * size + 300
    found = probes.peak_memory(chunks, cells)
    yield Row(
        f"dask, memory of a run with two threads over {size * chunks**2 / 1000:.1f} GB in "
        f"chunks of {size:.0f} MB",
        "not reported by this system" if found is None else f"{found / MB:.0f} MB",
        f"{most:.0f} MB (4 chunks per thread + 300 MB)",
    )
