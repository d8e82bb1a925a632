"""The session on the documentation's page of the command line."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from ..support.command_line import MARKS, invoke

pytest.importorskip("netCDF4")
pytest.importorskip("zarr")
iris_sample_data = pytest.importorskip("iris_sample_data")

pytestmark = MARKS
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "command-line.md"


def test_the_session_of_the_page(tmp_path, monkeypatch):
    [session] = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for name in ("A1B_north_america.nc", "ostia_monthly.nc"):
        shutil.copy(Path(iris_sample_data.path) / name, name)
    steps = re.findall(r"^\$ xgradient (.*)\n((?:[^$].*\n)*)", session, re.MULTILINE)
    assert len(steps) == session.count("$ ") > 5
    for command, printed in steps:
        result = invoke(*shlex.split(command))
        assert result.stdout + result.stderr == printed, command
