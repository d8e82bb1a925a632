"""Run the benchmarks: ``python -m benchmarks table|limits|floors|scaling|all [--quick] [--write]``.

``table`` times every operation of the tests' table of comparisons, by xgradient and by others;
``limits`` measures what the package promises; ``floors`` compares operators with the bytes that
they must read and write; ``scaling`` goes from small to large arrays and
graphs. Without ``--write`` the results are printed and nothing is changed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

#: The array that most figures are about, in float32: 266 MB.
SHAPE = (64, 721, 1440)
#: One that has room for every stencil, in any of the chunks.
TINY = (32, 48, 72)
ROOT = Path(__file__).parents[1]
PARTS = ("table", "limits", "floors", "scaling")


def main() -> None:
    """Read the arguments and run the parts that are asked for."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=(*PARTS, "all"), nargs="?", default="table")
    parser.add_argument("--quick", action="store_true", help="tiny arrays: does it work at all?")
    parser.add_argument(
        "--size", type=int, nargs=3, metavar=("TIME", "LAT", "LON"), help="shape of the array"
    )
    parser.add_argument(
        "--write",
        type=Path,
        nargs="?",
        const=ROOT,
        metavar="FOLDER",
        help="write the results into the docs of this checkout or below FOLDER",
    )
    options = parser.parse_args()
    shape = tuple(options.size or (TINY if options.quick else SHAPE))
    two_cores()
    # What is timed are loops, not what takes their place until they are compiled.
    os.environ.setdefault("XGRADIENT_COMPILE", "now")
    for part in PARTS if options.part == "all" else [options.part]:
        run(part, shape, options.quick, options.write)


def two_cores() -> None:
    """Stay on two cores, whoever computes: before a library looks how many there are."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    else:
        os.environ.setdefault("XGRADIENT_NUM_THREADS", "2")


def run(part: str, shape: tuple[int, ...], quick: bool, folder: Path | None) -> None:
    """Run one part; only now are the libraries imported."""
    from . import floors, limits, report, scaling, table

    page = Path("docs/developers/performance.md")
    if part == "scaling":
        scaling.draw(quick, folder and folder / page.parent)
        return
    module = {"table": table, "limits": limits, "floors": floors}[part]
    if folder:
        report.around(folder / page, f"benchmark {part}")  # complains before the measurement
    text = module.markdown(shape, quick)
    print(text)
    if folder:
        report.put(folder / page, f"benchmark {part}", text)


if __name__ == "__main__":
    main()
