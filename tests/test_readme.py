"""The README: its examples do what they say, and the reference shows all that is public."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import xgradient

ROOT = Path(__file__).parents[1]
#: Where the interpreter that runs the tests has its commands.
BIN = str(Path(sys.executable).parent)


def test_every_example_of_the_readme_gives_what_it_shows():
    pytest.importorskip("dask")
    pytest.importorskip("iris_sample_data")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 7
    # All blocks in one, so that each may use the names of those before it.
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README.md", "README.md", 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert runner.run(test, out=report.append).failed == 0, "".join(report)


def test_every_command_of_the_readme_prints_what_it_shows(tmp_path):
    samples = pytest.importorskip("iris_sample_data")
    if shutil.which("bash") is None or shutil.which("xgradient", path=BIN) is None:
        pytest.skip("needs bash and the installed command")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), flags=re.MULTILINE)
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
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines.count('pip install ".[all]" && xgradient demo') == 1
    assert lines.count('pip install -e ".[all,test]" && pytest -n auto') == 1


@pytest.mark.parametrize("name", [n for n in xgradient.__all__ if not n.startswith("_")])
def test_the_reference_shows_all_that_is_public(name):
    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    assert re.search(rf"^\s+{name}$", text, flags=re.MULTILINE), f"docs/reference lacks {name}"
