"""The types that users' type checkers see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CALLS = PROJECT / "tests" / "support" / "typed_calls.py"


def test_type_checkers_see_results_and_wrong_options(tmp_path):
    pytest.importorskip("mypy")
    user = tmp_path / "calls.py"
    user.write_text(CALLS.read_text("utf-8"), "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
         f"--cache-dir={tmp_path / 'cache'}", user.name],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "MYPYPATH": str(PROJECT)},
    )  # fmt: skip
    found = {}
    for line, kind, text in re.findall(r"(?m)^calls\.py:(\d+): (error|note): (.*)$", run.stdout):
        if kind == "error":
            found[int(line)] = "error: " + text.rpartition("[")[2].rstrip("]")
        elif "Revealed type" in text:
            found[int(line)] = text.split('"')[1].rpartition(".")[2]
    expected = {
        number: line.rpartition("  # ")[2]
        for number, line in enumerate(user.read_text("utf-8").splitlines(), 1)
        if line.startswith("    ") and "  # " in line
    }
    assert found == expected, run.stdout + run.stderr
