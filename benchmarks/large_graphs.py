"""Measure task graphs of many chunks: ``python -m benchmarks.large_graphs``.

Each row is a process of its own. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import gc
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from .report import machine, number, put, rows

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "developers" / "performance.md"


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of a call, and its result."""
    gc.collect()  # nobody pays for what others have left
    start = process_time()
    result = call()
    return process_time() - start, result


def resident() -> int:
    """Return the most bytes that the process has held."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _warm() -> None:
    from . import graphs

    graphs.field(20).grad("x").compute(scheduler="sync")


def building(chunks: int) -> list[float]:
    """Return the seconds and the bytes of building a derivative."""
    from . import graphs

    _warm()
    source = graphs.field(chunks)
    before = resident()
    elapsed, result = seconds(lambda: source.grad("x"))
    assert result.data.npartitions == chunks
    return [elapsed, resident() - before]


def one_chunk(chunks: int) -> list[float]:
    """Return the seconds of computing one chunk of a derivative."""
    from . import graphs

    _warm()
    result = graphs.field(chunks).grad("x").data.blocks[-1, 5]
    return [seconds(lambda: result.compute(scheduler="sync"))[0]]


def optimizing(chunks: int) -> list[float]:
    """Return the seconds of building and optimising a derivative, and of ``x + 1``."""
    import dask

    from . import graphs

    _warm()
    source = graphs.field(chunks)
    calls = (lambda: source.grad("x").data), (lambda: source.data + 1)
    return [seconds(lambda call=call: dask.optimize(call()))[0] for call in calls]


def pickling(chunks: int) -> list[float]:
    """Return the bytes per chunk of a pickled graph and its keys."""
    from . import graphs

    result = graphs.field(chunks).grad("x").data
    return [len(pickle.dumps((result.__dask_graph__(), result.__dask_keys__()))) / chunks]


MEASURES = {m.__name__: m for m in (building, one_chunk, optimizing, pickling)}


def measure(name: str, chunks: int) -> list[float]:
    """Return the figures of a measure, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large_graphs", "--only", name, str(chunks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Print a table, or the figures of one measure."""
    parser = argparse.ArgumentParser("benchmarks.large_graphs", description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=1_000_000, help="chunks of the largest graph")
    parser.add_argument("--only", nargs=2, metavar=("MEASURE", "CHUNKS"), help="one measure")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    if options.only:
        name, chunks = options.only
        print(*MEASURES[name](int(chunks)))
        return
    many, fewer = options.chunks, options.chunks // 10
    built, held = measure("building", many)
    (one,) = measure("one_chunk", many)
    ours, plain = measure("optimizing", fewer)
    (size,) = measure("pickling", fewer)
    lines = [
        (f"building {many:,} chunks", f"{number(built)} s; {held / 1e6:.0f} MB", "1 s; 200 MB"),
        (f"computing one chunk of {many:,}", f"{number(one)} s", "2 s"),
        (
            f"building and optimising {fewer:,} chunks; relative to `x + 1` ({number(plain)} s)",
            f"{number(ours)} s; {number(ours / plain)}",
            "; 2",
        ),
        (f"pickling {fewer:,} chunks, bytes per chunk", number(size), "50"),
    ]
    table = rows(("graphs on dask", "measured", "at most"), lines)
    text = f"{table}\n\n{machine()}".replace(",000", " 000")
    print(text)
    if options.write:
        put(PAGE, "benchmark large graphs", text)


if __name__ == "__main__":
    main()
