"""The public interface: names, their documentation, and what a distribution contains."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

import xgradient

PROJECT = Path(__file__).parents[1]


def public_objects() -> list[tuple[str, object]]:
    return [(n, getattr(xgradient, n)) for n in xgradient.__all__ if not n.startswith("__")]


PUBLIC = public_objects()
FUNCTIONS = [(name, obj) for name, obj in PUBLIC if inspect.isfunction(obj)]


def test_all_is_what_is_public():
    seen = {
        name
        for name, obj in vars(xgradient).items()
        if not name.startswith("_") and not isinstance(obj, ModuleType)
    }
    assert seen == {name for name, _ in PUBLIC}
    assert xgradient.__version__
    assert FUNCTIONS


# What is said about it


def sections(text: str) -> dict[str, str]:
    """The sections of a numpydoc docstring by their titles; "" is what stands before them."""
    parts = re.split(r"(?m)^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(text))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented_parameters(text: str) -> list[str]:
    return re.findall(r"(?m)^\**(\w+(?:, \w+)*) : \S", sections(text)["Parameters"])


@pytest.mark.parametrize(("name", "obj"), PUBLIC)
def test_public_docstrings(name, obj):
    found = sections(obj.__doc__)
    summary = found[""].split("\n\n")[0]
    assert summary.endswith(".")
    assert len(summary) <= 100
    assert ">>> " in found["Examples"]


@pytest.mark.parametrize(("name", "obj"), FUNCTIONS)
def test_docstrings_of_public_functions(name, obj):
    found = sections(obj.__doc__)
    order = ["Parameters", "Returns", "Raises", "References", "Examples"]
    assert [title for title in found if title in order] == order
    named = ", ".join(documented_parameters(obj.__doc__)).split(", ")
    assert sorted(named) == sorted(inspect.signature(obj).parameters)
    for error in ("TypeError", "ValueError"):
        assert re.search(rf"(?m)^{error}$", found["Raises"])
    assert ".. math::" in found[""]
    assert re.search(r"doi:10\.\d{4,}/\S+", found["References"])
    for word in ("dtype", "chunks" if name == "grad" else "shape", "units"):
        assert word in found["Returns"]


@pytest.mark.parametrize(("name", "obj"), FUNCTIONS)
def test_numpydoc_finds_nothing_amiss(name, obj):
    validate = pytest.importorskip("numpydoc.validate").validate
    # A summary may say what a function gives; related functions are linked in the text.
    allowed = {"SS05", "SA01"}
    errors = [e for e in validate(f"xgradient.{name}")["errors"] if e[0] not in allowed]
    assert errors == []


def test_the_call_of_the_accessor_documents_what_it_takes():
    call = xgradient.Grad.__call__
    named = ", ".join(documented_parameters(call.__doc__)).split(", ")
    taken = list(inspect.signature(call).parameters)[1:]
    assert set(taken) <= set(named)


# What is shipped


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))


def test_one_version(pyproject):
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"]["path"] == "xgradient/__init__.py"
    changelog = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"(?m)^## (\S+)", changelog)[1]
    assert newest == xgradient.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", newest)


def test_types_are_shipped(pyproject):
    assert (files("xgradient") / "py.typed").is_file()
    assert pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["xgradient"]
    assert "Typing :: Typed" in pyproject["project"]["classifiers"]


def test_dependencies(pyproject):
    def names(requirements):
        return {re.match(r"[\w-]+", r)[0] for r in requirements}

    project = pyproject["project"]
    assert names(project["dependencies"]) == {"xarray", "numpy", "numba", "cf-xarray"}
    extras = project["optional-dependencies"]
    (everything,) = extras["all"]
    told = set(re.fullmatch(r"xgradient\[(.*)\]", everything)[1].split(","))
    assert told == set(extras) - {"all", "test", "docs", "dev"}
