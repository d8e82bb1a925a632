"""The words of the package: names of the field, and docstrings that can be read alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import xgradient

ROOT = Path(xgradient.__file__).parent
MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}

#: Names that the package had before its glossary (docs/explanation/architecture.md), and that no
#: reader would guess. Words of plain English are not listed. A leading underscore does not matter.
_OLD = """
    AnyFrame Coasts Formula Opened Place PolePart PoleTerm Side Surface TermForm

    axes_of_call columns_of_call frame_of_call names_of_call steps_of_call vector_of_call
    curl_parts divergence_parts gradient_parts hessian_parts jacobian_parts laplacian_parts
    pure_parts flat_frame frame_on_globe frame_with_factors folded_nodes given_nodes find_horizontal

    as_meant by_name by_place described first_turn gathered handed_over how in_parts kind_of_time
    labelled layered listed looked_at no_garbage not_set points_beside remembered
    side_by_side spoken taken_out told told_apart words_for

    coastal collected finishes laid_out mended truths walkable walking_order watched weigh
    worth_walking

    among apart bends beside closes duals mixes opened rims shown surfaces
    toward turning uneven wide
"""
OLD_NAMES = set(_OLD.split())

#: A docstring that begins like this has no verb, or cannot be understood without another one.
BEGINNINGS = ("What", "Whether", "The same", "As above")


def named(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each name of a class, function or parameter, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def old_names(stem: str, tree: ast.AST) -> list[str]:
    """List old names of a module and of its definitions, as ``name, line``."""
    return [
        f"{name}, line {line}"
        for name, line in [(stem, 1), *named(tree)]
        if name.lstrip("_") in OLD_NAMES
    ]


def hard_docstrings(tree: ast.AST) -> list[str]:
    """List the first lines of docstrings that begin with a forbidden beginning."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(n) or "" for n in ast.walk(tree) if isinstance(n, documented)]
    return [text.split("\n")[0] for text in texts if text.startswith(BEGINNINGS)]


def test_the_list_is_short():
    assert 60 <= len(OLD_NAMES) <= 80


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def test_names_are_those_of_the_glossary():
    found = {name: old_names(path.stem, tree_of(name)) for name, path in MODULES.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_docstrings_can_be_read_alone():
    found = {name: hard_docstrings(tree_of(name)) for name in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_class_of_the_glossary_exists():
    page = ROOT.parent / "docs" / "explanation" / "architecture.md"
    if not page.exists():
        pytest.skip("needs a checkout")
    glossary = page.read_text("utf-8").split("## Glossary")[1]
    words = set(re.findall(r"(?:^\| |, )((?:[A-Z][a-z]+)+)(?=[,\s])", glossary, flags=re.MULTILINE))
    trees = [tree_of(name) for name in MODULES]
    classes = {n.name for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    assert len(words) > 25
    assert words <= classes


def test_old_names_are_found_wherever_they_are_defined():
    code = """
class Side:
    def _looked_at(self, field, *, apart=()):
        return lambda beside: beside

async def first_turn(*told, **how):
    looks_at = what = told
"""
    found = [line.split(",")[0] for line in old_names("coastal", ast.parse(code))]
    assert sorted(found) == sorted(
        ["coastal", "Side", "_looked_at", "apart", "beside", "first_turn", "told", "how"]
    )
    assert old_names("_coastal", ast.parse("side = 1")) == ["_coastal, line 1"]
    assert old_names("masked", ast.parse("def side(place, how_many): ...")) == []


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_hard_docstrings_are_found(beginning):
    for code in (
        '"""{}"""',
        'class A:\n    """{}"""',
        'class A:\n    def f(self):\n        """{}"""',
    ):
        assert hard_docstrings(ast.parse(code.format(f"{beginning} of it."))) != []
        assert hard_docstrings(ast.parse(code.format(f"Return {beginning} of it."))) == []
