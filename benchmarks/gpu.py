"""On a GPU: every operator against NumPy, then how near a copy its derivatives come.

``python -m benchmarks.gpu [--quick] [--size TIME LAT LON] [--only values|speed] [--write]`` needs
an NVIDIA GPU and CuPy. What fails is told and counted, and does not keep the rest from being done.
Times are those of the device, by its own events, of calls one after the other, so that waiting for
Python is no part of them. A copy and a derivative both read an array and write one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import xarray as xr

import xgradient
from tests.support.operations import OPERATIONS, sample, with_data
from xgradient.kernels.cuda.device import namespace, owns

from .report import number, put, rows
from .timing import say

__all__ = ["main"]

#: A gibibyte in float32: long enough that Python is ready with the next call in time.
SHAPE = (256, 721, 1440)
TINY = (8, 24, 40)
#: Bytes for each cell of all arrays that are on the device at a time, those of others included.
ROOM = 80
PAGE = Path("docs/developers/performance.md")
ROOT = Path(__file__).parents[1]
DIMS = ("time", "lat", "lon")
DTYPES = ("float32", "float64")
PEERS = ("cupy", "torch")
#: How far results may be off, in units of rounding: sums have the order of NumPy's. Weights of
#: curvilinear grids are made on the GPU, whose sines round otherwise, in float64: of them the
#: differences are taken, which are smaller than the positions.
UNITS = 16
CURVED = 1e-12
#: What is aimed at, by the order of accuracy.
GOALS = {2: 0.85, 8: 0.7}
#: Calls between two events, and pairs of events.
CALLS, ROUNDS = 10, 7

Call = Callable[[], Any]


def main(arguments: list[str] | None = None) -> None:
    """Check, measure and print; an error at the end if something failed."""
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tiny array: does it work at all?")
    parser.add_argument(
        "--size", type=int, nargs=3, metavar=("TIME", "LAT", "LON"),
        help="shape of the array; by default a gibibyte, or what fits",
    )  # fmt: skip
    parser.add_argument("--only", choices=("values", "speed"), help="one part by itself")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=ROOT, metavar="FOLDER",
        help="write the table into the docs, of this checkout or below FOLDER, if nothing failed",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    cupy, failures = device(), Failures()
    say(_card(cupy))
    text = ""
    if options.only != "speed":
        check(cupy, failures)
    if options.only != "values":
        shape = options.size or (TINY if options.quick else fitting(cupy))
        text = markdown(cupy, tuple(shape), failures)
        print(text, flush=True)
    if failures:
        raise SystemExit("\n".join([f"{len(failures)} failed:", *failures]))
    if options.write and text:
        put(options.write / PAGE, "benchmark gpu", text)


class Failures(list[str]):
    """What went wrong, told at once."""

    def add(self, text: str) -> None:
        """Tell of a failure, and keep it for the end."""
        say(f"FAILED: {text}")
        self.append(text)


def device() -> Any:
    """CuPy, if it is here and has a GPU."""
    try:
        import cupy  # noqa: F401

        return namespace()
    except (ImportError, RuntimeError) as error:
        raise SystemExit(f"there is no GPU to measure: {error}") from None


def fitting(cupy: Any) -> tuple[int, int, int]:
    """The shape of an array that the device has room for."""
    free, _ = cupy.cuda.Device().mem_info
    time, lat, lon = SHAPE
    return max(2, min(time, int(free) // (ROOM * lat * lon))), lat, lon


# -- values -------------------------------------------------------------------------------------


def check(cupy: Any, failures: Failures) -> None:
    """Compare every operator with NumPy."""
    start, count = perf_counter(), len(failures)
    cases = [
        (dtype, grid) for dtype in ("f4", "f8") for grid in ({}, {"poles": False}, {"holes": True})
    ]
    for dtype, grid in cases:
        ds = sample(dtype, **grid)
        ways = {"": with_data(ds, cupy.asarray)}
        if find_spec("dask") and not grid:
            ways[", in chunks"] = with_data(ds, lambda values: _chunked(cupy.asarray(values)))
        for name, operation in OPERATIONS.items():
            for way, there in ways.items():
                _check_one(
                    operation,
                    there,
                    ds,
                    f"{name} of {np.dtype(dtype)}{way} {grid or ''}".strip(),
                    failures,
                )
        say(f"{np.dtype(dtype)} {grid or ''}: checked after {perf_counter() - start:.0f} s")
    if len(failures) == count:
        say(f"{len(OPERATIONS)} operators have the values of NumPy")


def _check_one(
    operation: Callable[[xr.Dataset], Any], there: xr.Dataset, ds: xr.Dataset, what: str,
    failures: Failures,
) -> None:  # fmt: skip
    """Note an operator that fails, or is off by more than rounding."""
    try:
        pairs = zip(_arrays(operation(there)), _arrays(operation(ds)), strict=True)
        error = max(_error(found, expected) for found, expected in pairs)
    except Exception as failure:
        failures.add(f"{what} ended with {type(failure).__name__}: {failure}")
        return
    limit = UNITS * float(np.finfo(ds.t.dtype).eps)
    if not error <= (max(limit, CURVED) if "curvilinear" in what else limit):
        failures.add(f"{what} is off by {error:.1e} of its largest value")


def _chunked(array: Any) -> Any:
    import dask.array as da

    return da.from_array(array, (2, 5, 7), name=False, asarray=False)


def _arrays(result: xr.DataArray | xr.Dataset) -> list[Any]:
    if isinstance(result, xr.DataArray):
        return [result.data]
    return [variable.data for variable in result.data_vars.values()]


def _error(found: Any, expected: np.ndarray) -> float:
    """The largest difference over the largest value; missing values must be the same."""
    if hasattr(found, "compute"):
        found = found.compute()
    if not owns(found):
        raise TypeError(f"the result is a {type(found).__name__}")
    found, valid = found.get(), ~np.isnan(expected)
    if found.dtype != expected.dtype or not np.array_equal(~np.isnan(found), valid):
        return np.inf
    size = np.abs(expected[valid]).max(initial=0)
    return float(np.abs(found[valid] - expected[valid]).max(initial=0) / (size or 1))


# -- times --------------------------------------------------------------------------------------


def markdown(cupy: Any, shape: tuple[int, ...], failures: Failures) -> str:
    """Measure everything; a table with a line on what it shows and where."""
    arrays = {
        dtype: cupy.asarray(np.random.default_rng(0).standard_normal(shape, dtype))
        for dtype in DTYPES
    }
    copies = {dtype: _copy_seconds(cupy, array) for dtype, array in arrays.items()}
    found: dict[tuple[str, str], float] = {}
    missed = []
    for case, accuracy, column, dtype, call in _calls(cupy, arrays, failures):
        try:
            found[case, column] = share = copies[dtype] / _seconds(cupy, call)
        except Exception as failure:
            failures.add(f"{case}, {column}, ended with {type(failure).__name__}: {failure}")
            continue
        say(f"{case}, {column}: {number(share)}")
        if column.startswith("xgradient") and share < GOALS.get(accuracy, 0):
            missed.append(f"{case}, {dtype}")
    columns = list(dict.fromkeys(column for _, column in found))
    lines = [
        (case, *(number(found[case, c]) if (case, c) in found else "" for c in columns))
        for case in dict.fromkeys(case for case, _ in found)
    ]
    speeds = (
        f"{2 * array.nbytes / copies[dtype] / 1e9:.0f} GB/s in {dtype}"
        for dtype, array in arrays.items()
    )
    return (
        "Bandwidth over that of a copy from device to device, which reads and writes "
        f"{' and '.join(speeds)}, on {tuple(shape)}. The goal, on a card of the Hopper generation, "
        f"is {GOALS[2]} at accuracy 2 and {GOALS[8]} at accuracy 8"
        f"{'; below it: ' + '; '.join(missed) if missed else ', and is reached'}.\n\n"
        f"{rows(['derivative', *columns], lines)}\n\n{_card(cupy)}"
    )


def _copy_seconds(cupy: Any, array: Any) -> float:
    out = cupy.empty_like(array)
    return _seconds(cupy, lambda: cupy.copyto(out, array))


def _calls(
    cupy: Any, arrays: dict[str, Any], failures: Failures
) -> Iterator[tuple[str, int, str, str, Call]]:
    """Every derivative by xgradient and, at accuracy 2 in float32, by others.

    Each with a name, its accuracy, its column, and the dtype of the array.
    """
    single = arrays["float32"]
    tensor = _tensor(single, failures)
    for axis, dim in enumerate(DIMS):
        step, n = 0.5, single.shape[axis]
        non_uniform = step * np.cumsum(1 + 0.3 * np.sin(np.arange(n)))
        for kind, spacing in (("uniform", step), ("non-uniform", [non_uniform])):
            for accuracy in (2, 4, 6, 8):
                if n <= accuracy:
                    continue
                case = f"d/d{dim}, {kind}, accuracy {accuracy}"
                options = {"spacing": spacing, "dim": axis, "accuracy": accuracy, "edge_order": 1}
                for dtype, array in arrays.items():
                    call = _ours(array, options)
                    yield case, accuracy, f"xgradient, {dtype}", dtype, call
            case = f"d/d{dim}, {kind}, accuracy 2"
            there = step if kind == "uniform" else cupy.asarray(non_uniform, dtype=np.float32)
            if hasattr(cupy, "gradient"):
                yield (
                    case,
                    2,
                    "cupy.gradient, float32",
                    "float32",
                    _theirs(cupy, single, there, axis),
                )
            if tensor is not None:
                yield case, 2, "torch.gradient, float32", "float32", _torch(tensor, there, axis)


def _ours(array: Any, options: dict[str, Any]) -> Call:
    return lambda: xgradient.gradient(array, **options)


def _theirs(cupy: Any, array: Any, spacing: Any, axis: int) -> Call:
    return lambda: cupy.gradient(array, spacing, axis=axis)


def _torch(tensor: Any, spacing: Any, axis: int) -> Call:
    import torch

    if not isinstance(spacing, float):
        spacing = (torch.as_tensor(spacing, device=tensor.device),)
    return lambda: torch.gradient(tensor, spacing=spacing, dim=axis)


def _tensor(array: Any, failures: Failures) -> Any:
    """The array as a tensor on the same device; None if torch is not here or knows no GPU."""
    if find_spec("torch") is None:
        return None
    try:
        import torch

        return torch.as_tensor(array, device="cuda") if torch.cuda.is_available() else None
    except Exception as failure:
        failures.add(f"torch could not be used: {type(failure).__name__}: {failure}")
        return None


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
