"""The README: its examples do what they say, and the reference shows all that is public."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import xgradient

ROOT = Path(__file__).parents[1]


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


def test_the_readme_has_each_of_its_two_commands_on_one_line():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines.count('pip install ".[all]" && xgradient demo') == 1
    assert lines.count('pip install -e ".[all,test]" && pytest') == 1


@pytest.mark.parametrize("name", [n for n in xgradient.__all__ if not n.startswith("_")])
def test_the_reference_shows_all_that_is_public(name):
    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    assert re.search(rf"^\s+{name}$", text, flags=re.MULTILINE), f"docs/reference lacks {name}"
