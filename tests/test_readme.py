"""README and tour: examples do what they say, and the reference shows all that is public."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xgradient

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOUR = Path("docs", "tutorials", "tour.md")
#: Where the interpreter that runs the tests has its commands.
BIN = str(Path(sys.executable).parent)


def blocks(page, language):
    """Return the code blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_every_example_of_the_tour_gives_what_it_shows():
    pytest.importorskip("dask")
    pytest.importorskip("iris_sample_data")
    found = blocks(TOUR, "pycon")
    assert len(found) >= 11
    # All blocks in one, so that each may use the names of those before it.
    test = doctest.DocTestParser().get_doctest("\n".join(found), {}, "tour.md", str(TOUR), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert runner.run(test, out=report.append).failed == 0, "".join(report)


def atmosphere():
    """Return a small atmosphere with the names of the README."""
    rng = np.random.default_rng(3)
    dims = ("time", "level", "lat", "lon")
    shape = (5, 6, 19, 36)
    coords = {
        "time": np.datetime64("2000-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D"),
        "lat": ("lat", np.linspace(-90, 90, 19), {"units": "degrees_north"}),
        "lon": ("lon", np.arange(0.0, 360, 10), {"units": "degrees_east"}),
        "height": (dims, np.cumsum(rng.uniform(1, 2, shape), axis=1), {"units": "m"}),
    }
    units = {"temperature": "K", "u": "m s-1", "v": "m s-1"}
    fields = {n: (dims, rng.standard_normal(shape), {"units": u}) for n, u in units.items()}
    return xr.Dataset(fields, coords)


def test_the_quickstart_ends_in_a_picture():
    pytest.importorskip("iris_sample_data")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    quickstart, calls = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(quickstart, names)
    assert pyplot.gcf().axes
    pyplot.close("all")
    lines = [line.partition("#") for line in calls.splitlines()]
    found = [eval(call, {"ds": atmosphere()}).attrs["units"] for call, _, _ in lines]
    assert found == ["K degrees_north-1", "K day-1", "s-1", "K m-1"]
    for units, (_, _, comment) in zip(found, lines, strict=True):
        assert units in comment or "calendar" in comment or "levels" in comment


def test_the_calls_that_users_come_from_have_the_same_values():
    rows = re.findall(r"^\| .*?`(.*?)` \| (.*) \|$", README, flags=re.MULTILINE)
    assert len(rows) == 6
    ds = atmosphere()
    da = ds.temperature.isel(time=0, level=0)
    values = da.values
    names = {"np": np, "xgradient": xgradient, "ds": ds, "da": da, "a": values, "t": values}
    names |= {"lat": da.lat.values, "x": da.lat.values}
    compared = 0
    for theirs, ours in rows:
        results = [eval(call, names) for call in re.findall("`(.*?)`", ours)]
        library = theirs.partition(".")[0]
        if library in ("torch", "findiff") and find_spec(library):
            module = importlib.import_module(library)
            own = {library: module, "t": getattr(module, "from_numpy", np.asarray)(values)}
            own["x"] = own["t"].new_tensor(da.lat.values) if library == "torch" else None
        elif library in ("np", "da"):
            own = {}
        else:
            continue
        expected = np.asarray(eval(theirs, names | own)).reshape(values.shape)
        for result in results:
            result = result[0] if isinstance(result, tuple) else result
            np.testing.assert_allclose(np.asarray(result), expected, rtol=0, atol=1e-12)
        compared += 1
    assert compared >= 2


def test_the_readme_is_short():
    assert len(README.split()) <= 600
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README, flags=re.DOTALL):
        assert (ROOT / picture).stat().st_size < 400_000


def test_every_command_of_the_tour_prints_what_it_shows(tmp_path):
    samples = pytest.importorskip("iris_sample_data")
    if shutil.which("bash") is None or shutil.which("xgradient", path=BIN) is None:
        pytest.skip("needs bash and the installed command")
    shown = "".join(blocks(TOUR, "console"))
    commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, flags=re.MULTILINE)
    assert len(commands) >= 2
    shutil.copy(Path(samples.path) / "A1B_north_america.nc", tmp_path)
    path = os.pathsep.join([BIN, os.environ["PATH"]])
    for command, shown in commands:
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert run.stdout == shown


def test_the_readme_has_each_of_its_two_commands_on_one_line():
    lines = README.splitlines()
    assert lines.count('pip install ".[all]" && xgradient demo') == 1
    assert lines.count('pip install -e ".[all,test]" && pytest -n auto') == 1


@pytest.mark.parametrize("name", [n for n in xgradient.__all__ if not n.startswith("_")])
def test_the_reference_shows_all_that_is_public(name):
    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    assert re.search(rf"^\s+{name}$", text, flags=re.MULTILINE), f"docs/reference lacks {name}"
