"""The rooms of the package: which modules import which, and where other packages are named."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import xgradient

ROOT = Path(xgradient.__file__).parent

#: The rooms, and which of the others each may import. Nothing points back.
ROOMS = {
    "cli": {"operators", "geometry", "labels", "engine", "kernels", "stencils"},
    "": {"operators", "geometry", "cli"},
    "operators": {"geometry", "labels", "engine", "kernels", "stencils"},
    "geometry": {"labels", "engine", "kernels", "stencils"},
    "labels": {"stencils"},
    "engine": {"kernels", "stencils"},
    "kernels": {"stencils"},
    "stencils": set(),
}
# All that `import xgradient` loads; the first use of a name or of an accessor loads the rest.
LIGHT = {"__init__", "_first_use", "_forks"}
#: Modules of the front door that every room may import.
COMMON = {"__init__", "_forks", "_typing", "_wording"}

COMMANDS = {
    "__main__",
    *(f"cli.{path.stem}" for path in (ROOT / "cli").glob("*.py")),
}
# Loaded with the compiler, when the first loop is needed.
COMPILED = {
    f"kernels.compiled.{name}"
    for name in (
        "stencil_loops",
        "column_loops",
        "pair_loops",
        "row_sum_loops",
        "fused_sum_loops",
        "error_loops",
        "masked_loops",
        "inlined",
        "memory",
        "span_loops",
        "jit",
    )
}
# Loaded with the first call that needs positions or lengths of cells.
CELLS = {
    *(
        f"geometry.{name}"
        for name in (
            "cell_axes",
            "cell_measures",
            "cell_stencils",
            "curvilinear_measures",
            "find_measures",
            "given_areas",
            "globe_measures",
            "line_cells",
            "model_measures",
        )
    ),
    *(
        f"operators.{name}"
        for name in (
            "cell_fields",
            "cell_gradient",
            "cell_integrals",
            "cell_operators",
            "cell_options",
            "cell_sums",
            "integrals_by_parts",
            "to_center",
            "column_points",
        )
    ),
}
# Who may name what, anywhere in its code.
NAMED_BY = {
    "numba": {f"kernels.compiled.{name}" for name in ("inlined", "jit", "memory", "span_loops")},
    "cupy": {"kernels.cuda.device"},
    "torch": {"kernels.torch_interop"},
    "jax": set(),
    "sparse": set(),
    "array_api_compat": {"kernels.array_api"},
    "dask": {
        "engine.cell_sums_in_chunks",
        "engine.chunked",
        "engine.cyclic_chunks",
        "engine.dask_graph",
        "engine.evaluate",
        "engine.task_layers",
        "engine.chunk_libraries",
        "engine.cubed_blocks",
        "engine.placeholder_layer",
        "engine.cyclic_layer",
        *COMMANDS,
    },
    "dask_array": {"engine.chunk_libraries"},
    "cubed": {"engine.chunk_libraries", "engine.cubed_blocks"},
    "cf_xarray": {"labels.cf_names"},
    "pint": {"labels.pint_units"},
    "datetime": {"labels.times", *COMMANDS},
    "cftime": {"labels.times", *COMMANDS},
    "pandas": {
        "labels.axis",
        "labels.coordinates",
        "labels.hints",
        "labels.middles",
        "labels.times",
        *COMMANDS,
    },
    "pyproj": {"geometry.crs", "geometry.projection", "geometry.track"},
    "click": {"__main__", "cli.commands", "cli.errors", "cli.options"},
    "tqdm": {"cli.schedulers"},
    "scipy": {"operators.stencil_table"},
    "matplotlib": {"cli.demo"},
    "iris_sample_data": {"cli.demo"},
}
# Imported at the top of a module; all else is imported where it is needed.
ALWAYS = {"numpy", "xarray"}
#: Rooms and modules that know no labels and no optional packages.
NUMPY_ONLY = ("stencils", "kernels.compiled.layout", "kernels.cuda.source", "kernels.torch_interop")


@dataclass(frozen=True)
class Import:
    """One import: a module of this package (``own``) or the top name of another package."""

    target: str
    own: bool
    inside_function: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def own_targets(name: str, node: ast.ImportFrom) -> Iterator[str]:
    """The modules of this package that a relative or absolute import names."""
    if node.level:
        package = MODULES[name].parent.relative_to(ROOT).parts
        base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
    else:
        base = node.module.split(".")[1:]
    stem = ".".join(part for part in base if part)
    for alias in node.names:
        inner = f"{stem}.{alias.name}" if stem else alias.name
        yield inner if inner in MODULES else stem or "__init__"


def imports(name: str, tree: ast.AST | None = None) -> Iterator[Import]:
    """Every import of a module, those inside functions too."""

    def visit(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            deeper = inside or isinstance(child, ast.FunctionDef | ast.Lambda)
            if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                deeper = True  # not imported at all
            if isinstance(child, ast.Import):
                for alias in child.names:
                    top, _, rest = alias.name.partition(".")
                    own = top == "xgradient"
                    yield Import((rest or "__init__") if own else top, own, inside)
            elif isinstance(child, ast.ImportFrom):
                if child.level or child.module.split(".")[0] == "xgradient":
                    for target in own_targets(name, child):
                        yield Import(target, True, inside)
                else:
                    yield Import(child.module.split(".")[0], False, inside)
            yield from visit(child, deeper)

    yield from visit(tree_of(name) if tree is None else tree, False)


def room(name: str) -> str:
    """Return the room of a module; the front door has no name."""
    first = name.split(".", maxsplit=1)[0]
    return first if first in ROOMS else ""


def imports_of_room(here: str) -> Iterator[tuple[str, Import]]:
    """Every import of the modules of a room, each with its module."""
    return ((name, found) for name in MODULES if room(name) == here for found in imports(name))


in_every_room = pytest.mark.parametrize("here", ROOMS, ids=lambda here: here or "front door")


@in_every_room
def test_imports_point_one_way(here):
    for name, found in imports_of_room(here):
        if found.own and room(found.target) != here and found.target not in COMMON:
            assert room(found.target) in ROOMS[here], f"{name} imports {found.target}"


def test_there_are_no_cycles():
    graph = {
        name: {i.target for i in imports(name) if i.own and not i.inside_function} - {"__init__"}
        for name in MODULES
        if name != "__init__"
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def test_every_module_lives_in_a_room():
    front = {name for name in MODULES if "." not in name and name not in ROOMS}
    assert front == COMMON | LIGHT | {"__main__", "_public", "accessor"}


def test_modules_are_short():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lines.items() if n > 350} == {}


@pytest.mark.parametrize("name", [name for name in ROOMS if name])
def test_the_door_of_each_room_says_what_lives_there(name):
    text = ast.get_docstring(tree_of(name))
    assert 2 <= len(text.splitlines()) <= 12


@in_every_room
def test_each_package_is_named_in_its_place(here):
    for name, found in imports_of_room(here):
        if not found.own and found.target in NAMED_BY:
            assert name in NAMED_BY[found.target], f"{name} names {found.target}"


@in_every_room
def test_no_package_is_named_by_a_text(here):
    for name in (name for name in MODULES if room(name) == here):
        for node in ast.walk(tree_of(name)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                top = node.value.split(".")[0]
                if top in {"numba", "cupy", "torch", "jax", "dask", "cf_xarray", "pint"}:
                    assert name in NAMED_BY[top] or name in COMMANDS, f"{name} names {node.value!r}"


@pytest.mark.parametrize("part", NUMPY_ONLY)
def test_the_numerical_core_needs_numpy_only(part):
    found = [(name, i) for name in MODULES if name.startswith(part) for i in imports(name)]
    others = {(name, i.target) for name, i in found if not i.own}
    assert {target for _, target in others} - sys.stdlib_module_names <= {"numpy"}, others
    assert others


@in_every_room
def test_optional_packages_are_imported_where_they_are_needed(here):
    # Loaded by others on first need, by each other at once.
    heavy = {*COMPILED, "cli.calls", "cli.cluster", "cli.commands", "cli.demo", "cli.errors"}
    heavy |= {"cli.options", "cli.positions", "engine.cyclic_layer", "engine.task_layers"}
    heavy |= {"cli.numbers", "engine.cubed_blocks", "engine.placeholder_layer", *CELLS}
    heavy |= {"engine.cell_sums_in_chunks"}
    for name, found in imports_of_room(here):
        if found.own:
            if found.target in (MODULES.keys() - LIGHT if name in LIGHT else heavy):
                late = found.inside_function or name in heavy
                assert late, f"{name} imports {found.target} at its top"
            elif found.inside_function:
                raise AssertionError(f"{name} imports {found.target} inside a function")
        elif found.target not in sys.stdlib_module_names:
            if found.inside_function:
                assert found.target not in ALWAYS, f"{name} imports {found.target} in a function"
            elif name not in heavy:
                assert found.target in ALWAYS, f"{name} imports {found.target} at its top"


def test_these_checks_find_what_they_look_for():
    code = "def f():\n    from .cli import main\nfrom ... import kernels\nimport dask.array\n"
    found = set(imports("kernels.generic.stencil_sum", ast.parse(code)))
    assert Import("kernels", True, False) in found
    assert Import("dask", False, False) in found
    assert [i.inside_function for i in found if i.target not in ("kernels", "dask")] == [True]
    code = "from .. import __version__\nfrom ..kernels import x"
    found = set(imports("labels.axis", ast.parse(code)))
    assert found == {Import("__init__", True, False), Import("kernels", True, False)}


IMPORTED = """
import sys
import xarray
before = set(sys.modules)
import xgradient
print(*sorted(set(sys.modules) - before))
xarray.DataArray.grad
print(*sorted({name.split(".")[0] for name in set(sys.modules) - before}))
"""


def test_importing_loads_nothing_optional():
    """Beyond what xarray loads by itself: own modules and the standard library."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    at_import, at_first_use = (set(line.split()) for line in run.stdout.splitlines())
    light = {"xgradient" if name == "__init__" else f"xgradient.{name}" for name in LIGHT}
    assert {
        name for name in at_import if name.split(".")[0] not in sys.stdlib_module_names
    } == light
    assert at_first_use - set(sys.stdlib_module_names) == {"xgradient"}


@pytest.mark.slow
def test_a_call_loads_what_it_needs():
    """Arrays in memory need no dask; without units there is nothing for cf-xarray to read."""
    code = (
        "import sys, numpy as np, xarray as xr, xgradient\n"
        "xgradient.gradient(np.array([0.0, 1.0]))\n"
        "others = {'cupy', 'torch', 'jax', 'array_api_compat', 'array_api_strict'}\n"
        "assert not {'dask', 'pint', 'cf_xarray', *others} & set(sys.modules)\n"
        "xr.DataArray([0.0, 1.0], {'x': [0, 1]}).grad('x')\n"  # xarray itself loads dask and pint
        "assert not {'cf_xarray', 'distributed', *others} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
