"""Measure operators against their floors: the bytes that each must read and write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import dask
import dask.array
import numba
import numpy as np

import xgradient
from tests.support.comparisons import DIMS, sample
from tests.support.curvilinear_grids import NAMES

from .curvilinear import on_curvilinear_grid
from .globe import winds
from .levels import on_levels
from .report import machine, number, rows
from .timing import duplicate, in_halves, medians

__all__ = ["markdown"]

#: Elements that a loop adds at a time; they stay in a core's own cache.
STRIP = 4096


class Case(NamedTuple):
    """An operator in memory: its call, and the arrays that it reads and writes."""

    name: str
    call: Callable[[], Any]
    read: list[np.ndarray]
    written: int


@numba.njit(nogil=True)
def _copy(source: Any, at: Any, to: Any, to_at: Any, count: Any) -> None:
    """Copy cells; only loops with unsigned indices are vectorised."""
    for j in range(count):
        to[to_at + j] = source[at + j]


@numba.njit(nogil=True)
def _add(source: Any, at: Any, to: Any, count: Any) -> None:
    """Add cells to the first ones of an array."""
    for j in range(count):
        to[j] += source[at + j]


@numba.njit(nogil=True)
def _add_all(inputs: Any, outputs: Any, start: int, stop: int) -> None:
    """Write the sum of all inputs into each output, strip by strip."""
    total, origin = np.empty(STRIP, inputs[0].dtype), np.uint64(0)
    for begin in range(np.uint64(start), np.uint64(stop), np.uint64(STRIP)):
        count = min(np.uint64(STRIP), np.uint64(stop) - begin)
        _copy(inputs[0], begin, total, origin, count)
        for k in range(1, len(inputs)):
            _add(inputs[k], begin, total, count)
        for k in range(len(outputs)):
            _copy(total, origin, outputs[k], begin, count)


def _reading_and_writing(read: list[np.ndarray], written: int) -> Callable[[], Any]:
    """Return a call that reads the same arrays and writes as many new ones."""
    inputs = tuple(array.reshape(-1) for array in read)

    def call() -> tuple[np.ndarray, ...]:
        outputs = tuple(np.empty_like(inputs[0]) for _ in range(written))
        in_halves(inputs[0].size, lambda part: _add_all(inputs, outputs, part.start, part.stop))
        return outputs

    return call


def markdown(shape: tuple[int, ...], quick: bool) -> str:
    """Measure everything; return the tables with a line on what they show and where."""
    rounds = 1 if quick else 9
    header = ("operation", "bytes", "with stores twice", "loop", "measured", "over second floor")
    lines = [_row(case, rounds) for case in _cases(shape)]
    into = _existing_memory(shape, rounds)
    chunked = _in_chunks(shape, rounds)
    return (
        "Run time relative to copying the array to new memory with two threads, on "
        f"{tuple(shape)} float32; lower is better.\n\n{rows(header, lines)}\n\n"
        "Results in existing memory, relative to a copy to existing memory:\n\n"
        f"{rows(('operation', 'measured', 'relative to a copy to new memory'), into)}\n\n"
        "On dask with two threads and chunks in memory, relative to chunk-wise sums of the same "
        "inputs:\n\n"
        f"{rows(('operation', 'whole result', 'its mean'), chunked)}\n\n{machine()}"
    )


def _row(case: Case, rounds: int) -> tuple[str, ...]:
    """Return the floors and the time of one operator."""
    unit, read = case.read[0].nbytes, sum(a.nbytes for a in case.read)
    floor = (read / unit + case.written) / 2
    stored_twice = (read / unit + 2 * case.written) / 2
    calls = {"ours": case.call, "loop": _reading_and_writing(case.read, case.written)}
    found = medians(calls, lambda: duplicate(case.read[0]), rounds)
    ours, loop = found["ours"] / found["copy"], found["loop"] / found["copy"]
    values = floor, stored_twice, loop, ours, ours / stored_twice
    return (case.name, *map(number, values))


def _cases(shape: tuple[int, ...]) -> list[Case]:
    """Return the operators that are measured in memory."""
    da, ds, sphere = sample(shape, "f4"), winds(shape), {"metric": "sphere"}
    f, u, v = da.values, ds.u.values, ds.v.values
    scalar = ds.u.copy(data=f)
    plain = da.drop_vars(list(DIMS))  # no angles, which would need a metric
    curved = on_curvilinear_grid(ds, shape)
    levels = on_levels(da, "time", "f4")
    wind: dict[str, Any] = {"lon": "u", "lat": "v", **sphere}
    two = ["lat", "lon"]
    return [
        Case("grad along lat", lambda: da.grad("lat"), [f], 1),
        Case("all three derivatives", lambda: da.grad(list(DIMS)), [f], 3),
        Case("magnitude of three", lambda: plain.grad.magnitude(list(DIMS)), [f], 1),
        Case("magnitude on the sphere", lambda: ds.u.grad.magnitude(two, **sphere), [u], 1),
        Case("divergence on the sphere", lambda: ds.grad.divergence(**wind), [u, v], 1),
        Case("curl on the sphere", lambda: ds.grad.curl(**wind), [u, v], 1),
        Case("Laplacian on the sphere", lambda: ds.u.grad.laplacian(two, **sphere), [u], 1),
        Case(
            "advection on the sphere",
            lambda: scalar.grad.advection(lon=ds.u, lat=ds.v, **sphere),
            [f, u, v],
            1,
        ),
        Case("Jacobian on the sphere", lambda: ds.grad.jacobian(**wind), [u, v], 4),
        Case("strain on the sphere", lambda: ds.grad.strain(**wind), [u, v], 4),
        Case("gradient on a curvilinear grid", lambda: curved.u.grad(NAMES, **sphere), [u], 2),
        Case(
            "d/dz by heights of each column",
            lambda: levels.grad("height", along="time"),
            [f, levels.height.values],
            1,
        ),
    ]


def _existing_memory(shape: tuple[int, ...], rounds: int) -> list[tuple[str, ...]]:
    """Return the times of derivatives that are written into an array that exists."""
    values = sample(shape, "f4").values
    out = np.empty_like(values)
    calls: dict[str, Callable[[], Any]] = {
        f"gradient(f, dim={axis}, out=result), along {dim}": (
            lambda axis=axis: xgradient.gradient(values, dim=axis, out=out)
        )
        for axis, dim in enumerate(DIMS)
    }
    calls["copy"] = lambda: duplicate(values, out)
    found = medians(calls | {"fresh": lambda: duplicate(values)}, rounds=rounds)
    lines = []
    for name in calls:
        share = found[name] / found["copy"], found[name] / found["fresh"]
        lines.append((name, *map(number, share)))
    return lines


def _in_chunks(shape: tuple[int, ...], rounds: int) -> list[tuple[str, ...]]:
    """Return the times of operators on dask, as a whole and reduced."""
    ds = winds(shape).chunk(lat=-(-shape[1] // 4))
    ds = ds.map(lambda da: da.copy(data=da.data.map_blocks(np.copy).persist()))
    vorticity = ds.grad.curl(lon="u", lat="v", metric="sphere")
    two = ds.u.grad(["lat", "lon"], metric="sphere")
    both = ds.u.data.map_blocks(np.add, ds.v.data)
    one = ds.u.data.map_blocks(np.add, ds.u.data)
    cases = {
        "curl on the sphere": ([vorticity.data], [both]),
        "two derivatives on the sphere": ([v.data for v in two.values()], [one, one + one]),
    }
    lines = []
    with dask.config.set(scheduler="threads", num_workers=2):
        for name, (ours, floor) in cases.items():
            shares = []
            for reduced in (False, True):
                results = [[a.mean() for a in part] if reduced else part for part in (ours, floor)]
                calls = {
                    key: lambda arrays=arrays: dask.compute(*arrays)
                    for key, arrays in zip(("ours", "floor"), results, strict=True)
                }
                found = medians(calls, rounds=rounds)
                shares.append(found["ours"] / found["floor"])
            lines.append((name, *map(number, shares)))
    return lines
