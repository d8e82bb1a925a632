"""On a GPU: every operator against NumPy, then how near a copy its derivatives come.

``python -m benchmarks.gpu [--quick] [--size TIME LAT LON] [--write]`` needs an NVIDIA GPU and CuPy.
Times are those of the device, by its own events, of calls one after the other, so that waiting for
Python is no part of them. A copy and a derivative both read an array and write one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import xarray as xr

import xgradient
from tests.operations import OPERATIONS, sample, with_data
from xgradient.kernels import _cupy

from .report import number, put, rows
from .timing import say

__all__ = ["main"]

#: A gibibyte in float32: long enough that Python is ready with the next call in time.
SHAPE = (256, 721, 1440)
TINY = (8, 24, 40)
PAGE = Path("docs/explanation/performance.md")
ROOT = Path(__file__).parents[1]
DIMS = ("time", "lat", "lon")
PEERS = ("cupy", "torch")
#: Calls between two events, and pairs of events.
CALLS, ROUNDS = 10, 7

Call = Callable[[], Any]


def main(arguments: list[str] | None = None) -> None:
    """Check, measure and print."""
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tiny array: does it work at all?")
    parser.add_argument(
        "--size", type=int, nargs=3, metavar=("TIME", "LAT", "LON"), help="shape of the array"
    )
    parser.add_argument(
        "--write", type=Path, nargs="?", const=ROOT, metavar="FOLDER",
        help="write the table into the docs, of this checkout or below FOLDER",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    cupy = device()
    check(cupy)
    text = markdown(cupy, tuple(options.size or (TINY if options.quick else SHAPE)))
    print(text)
    if options.write:
        put(options.write / PAGE, "benchmark gpu", text)


def device() -> Any:
    """CuPy, if it is here and has a GPU."""
    try:
        import cupy  # noqa: F401

        return _cupy.namespace()
    except (ImportError, RuntimeError) as error:
        raise SystemExit(f"there is no GPU to measure: {error}") from None


# -- values -------------------------------------------------------------------------------------


def check(cupy: Any) -> None:
    """Compare every operator with NumPy; the first difference beyond rounding ends it all."""
    for dtype in ("f4", "f8"):
        for grid in ({}, {"poles": False}, {"holes": True}):
            ds = sample(dtype, **grid)
            there = with_data(ds, cupy.asarray)
            for name, operation in OPERATIONS.items():
                pairs = zip(_arrays(operation(there)), _arrays(operation(ds)), strict=True)
                error = max(_error(found.get(), expected) for found, expected in pairs)
                if error > 16 * np.finfo(dtype).eps:
                    raise SystemExit(
                        f"{name} of {np.dtype(dtype)} is off by {error:.1e} of its largest value"
                    )
    say(f"{len(OPERATIONS)} operators have the values of NumPy")


def _arrays(result: xr.DataArray | xr.Dataset) -> list[Any]:
    if isinstance(result, xr.DataArray):
        return [result.data]
    return [variable.data for variable in result.data_vars.values()]


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference over the largest value; missing values must be the same."""
    if not np.array_equal(np.isnan(found), np.isnan(expected)):
        return np.inf
    return float(np.nanmax(np.abs(found - expected)) / (np.nanmax(np.abs(expected)) or 1))


# -- times --------------------------------------------------------------------------------------


def markdown(cupy: Any, shape: tuple[int, ...]) -> str:
    """Measure everything; a table with a line on what it shows and where."""
    speeds, columns = [], []
    for dtype in ("float32", "float64"):
        array = cupy.asarray(np.random.default_rng(0).standard_normal(shape, dtype))
        out = cupy.empty_like(array)
        seconds = _seconds(cupy, lambda array=array, out=out: cupy.copyto(out, array))
        speeds.append(f"{2 * array.nbytes / seconds / 1e9:.0f} GB/s in {dtype}")
        columns.append({})
        for case, library, call in _calls(cupy, array):
            say(f"{dtype}: {case}, {library}")
            columns[-1][case, library] = number(seconds / _seconds(cupy, call))
        del array, out
    header = ["derivative", *(f"xgradient, {dtype}" for dtype in ("float32", "float64"))]
    header += ["cupy.gradient, float32", "torch.gradient, float32"]
    lines = []
    for case in dict.fromkeys(case for case, _ in columns[0]):
        cells = [column[case, "xgradient"] for column in columns]
        lines.append((case, *cells, *(columns[0].get((case, name), "") for name in PEERS)))
    return (
        "Bandwidth over that of a copy from device to device, which reads and writes "
        f"{' and '.join(speeds)}, on {tuple(shape)}. The goal, on a card of the Hopper generation, "
        f"is 0.85 at accuracy 2 and 0.7 at accuracy 8.\n\n{rows(header, lines)}\n\n{_card(cupy)}"
    )


def _calls(cupy: Any, array: Any) -> Iterator[tuple[str, str, Call]]:
    """Every derivative, by xgradient and, at accuracy 2, by others."""
    tensor = _tensor(array)
    for axis, dim in enumerate(DIMS):
        step = 0.5
        uneven = step * np.cumsum(1 + 0.3 * np.sin(np.arange(array.shape[axis])))
        for kind, spacing in (("even", step), ("uneven", [uneven])):
            for accuracy in (2, 4, 6, 8):
                options = {"spacing": spacing, "dim": axis, "accuracy": accuracy, "edge_order": 1}
                case = f"d/d{dim}, {kind}, accuracy {accuracy}"
                yield case, "xgradient", lambda o=options: xgradient.gradient(array, **o)
                if accuracy == 2:
                    there = step if kind == "even" else cupy.asarray(uneven)
                    yield case, "cupy", lambda s=there, a=axis: cupy.gradient(array, s, axis=a)
                if accuracy == 2 and tensor is not None:
                    yield case, "torch", _torch(tensor, step if kind == "even" else there, axis)


def _torch(tensor: Any, spacing: Any, axis: int) -> Call:
    import torch

    if not isinstance(spacing, float):
        spacing = (torch.as_tensor(spacing, device=tensor.device).to(tensor.dtype),)
    return lambda: torch.gradient(tensor, spacing=spacing, dim=axis)


def _tensor(array: Any) -> Any:
    """The array as a tensor on the same device; None if torch is not here or knows no GPU."""
    if find_spec("torch") is None:
        return None
    import torch

    return torch.as_tensor(array, device="cuda") if torch.cuda.is_available() else None


def _seconds(cupy: Any, call: Call) -> float:
    """Seconds of a call on the device: the median of rounds of calls one after the other."""
    call()
    found = []
    for _ in range(ROUNDS):
        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for _ in range(CALLS):
            call()
        stop.record()
        stop.synchronize()
        found.append(cupy.cuda.get_elapsed_time(start, stop) / 1e3 / CALLS)
    return median(found)


def _card(cupy: Any) -> str:
    """The GPU and the versions of the libraries."""
    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"]
    return f"{name.decode()}; CuPy {cupy.__version__}, xgradient {xgradient.__version__}."


if __name__ == "__main__":
    main()
