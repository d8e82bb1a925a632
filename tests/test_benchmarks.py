"""The benchmarks: their quick form runs, and fills what it should. No time is judged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .support.comparisons import COMPARISONS

ROOT = Path(__file__).parents[1]
PAGE = Path("docs/developers/performance.md")

pytestmark = pytest.mark.slow

for needed in ("dask", "matplotlib"):
    pytest.importorskip(needed)
if not (ROOT / "benchmarks" / "__main__.py").exists():
    pytest.skip("the benchmarks are part of a checkout", allow_module_level=True)


@pytest.fixture
def folder(tmp_path):
    """Copy the page that results are written into."""
    (tmp_path / PAGE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / PAGE, tmp_path / PAGE)
    return tmp_path


def run(*arguments):
    """Return the output of ``python -m benchmarks``."""
    return run_module("benchmarks", *arguments)


def run_module(module, *arguments):
    """Return the output of a module; more threads would disturb other tests."""
    command = [sys.executable, "-W", "error", "-m", module, *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def between(page, name):
    """The text between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    return text.split(f"<!-- {name} -->\n")[1].split(f"\n<!-- end of {name} -->")[0]


def cells(text):
    """The cells of a Markdown table, from the row below its header on."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_table_has_every_comparison_and_goes_into_the_pages(folder):
    done = run("table", "--quick", "--write", folder)
    assert done.returncode == 0, done.stderr
    table = cells(done.stdout)
    assert [row[0] for row in table] == [comparison.name for comparison in COMPARISONS]
    for row, comparison in zip(table, COMPARISONS, strict=True):
        assert all(float(cell) > 0 for cell in row[1:3]), comparison.name
        for library, cell in zip(("numpy", "xarray"), row[3:5], strict=True):
            assert bool(cell) == (library in comparison.peers), (comparison.name, library)
    assert between(folder / PAGE, "benchmark table") == done.stdout.rstrip("\n")
    before, after = (
        re.split(r"<!-- (?:end of )?benchmark table -->", text.read_text(encoding="utf-8"))
        for text in (ROOT / PAGE, folder / PAGE)
    )
    assert before[::2] == after[::2]


def test_the_promises_are_measured_and_go_into_the_page(folder):
    done = run("limits", "--quick", "--write", folder)
    assert done.returncode == 0, done.stderr
    table = cells(done.stdout)
    assert len({row[0] for row in table}) == len(table) >= 20
    assert all(re.match(r"\d", row[-2]) and re.match(r"\d", row[-1]) for row in table)
    assert between(folder / PAGE, "benchmark limits") == done.stdout.rstrip("\n")


def test_the_floors_are_measured_and_go_into_the_page(folder):
    done = run("floors", "--quick", "--write", folder)
    assert done.returncode == 0, done.stderr
    table = cells(done.stdout)
    assert {"curl on the sphere", "all three derivatives"} <= {row[0] for row in table}
    floors = {row[0]: row[1:3] for row in table if len(row) == 6}
    assert floors["all three derivatives"] == ["2.0", "3.5"]
    assert floors["curl on the sphere"] == ["1.5", "2.0"]
    assert between(folder / PAGE, "benchmark floors") == done.stdout.rstrip("\n")


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_the_vorticity_of_a_large_flow_is_measured(scheduler):
    pytest.importorskip("distributed")
    size = "--times", 8, "--points", 60
    done = run_module("benchmarks.vorticity", *size, "--only", "xgradient", scheduler)
    assert done.returncode == 0, done.stderr
    assert all(float(found) > 0 for found in done.stdout.split())


def test_graphs_of_many_chunks_are_measured():
    done = run_module("benchmarks.large_graphs", "--chunks", 400)
    assert done.returncode == 0, done.stderr
    table = cells(done.stdout)
    assert len(table) == 4
    assert all(re.match(r"\d", row[1]) for row in table)


def test_chunks_that_are_held_are_counted():
    pytest.importorskip("distributed")
    done = run_module("benchmarks.held_chunks", "--counts", 2, "--rows", 12)
    assert done.returncode == 0, done.stderr
    table = cells(done.stdout)
    assert [row[0] for row in table] == [
        f"2 {what}, {end}"
        for what in ("threads", "workers")
        for end in ("written", "written by `persist`", "reduced")
    ]
    # By `persist` all hold few chunks, and which of them the most depends on the moment.
    by_order = [row for row in table if "persist" not in row[0]]
    assert all(int(row[1]) <= int(row[3]) < int(row[5]) for row in by_order)
    assert all(int(cell) < 15 for row in table if row not in by_order for cell in row[1:4])


def test_the_plots_are_drawn_and_small(folder):
    done = run("scaling", "--quick", "--write", folder)
    assert done.returncode == 0, done.stderr
    for name in ("scaling.png", "graphs.png"):
        content = (folder / "docs" / "developers" / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 100_000


def test_a_page_without_its_markers_is_left_as_it_is(folder):
    page = folder / PAGE
    text = page.read_text(encoding="utf-8").replace("<!-- end of benchmark table -->", "")
    page.write_text(text, encoding="utf-8")
    done = run("table", "--quick", "--write", folder)
    assert done.returncode == 1
    assert "performance.md needs the markers <!-- benchmark table -->" in done.stderr
    assert page.read_text(encoding="utf-8") == text
