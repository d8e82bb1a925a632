"""The documentation: formulas that every browser shows, and a complete reference."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.operators import ON_CELLS, OPERATORS

DOCS = Path(__file__).parents[1] / "docs"
if not DOCS.exists():
    pytest.skip("needs a checkout", allow_module_level=True)


@pytest.fixture
def to_mathml(monkeypatch):
    pytest.importorskip("latex2mathml")
    pytest.importorskip("sphinx")
    monkeypatch.setattr(sys, "path", [str(DOCS / "_extensions"), *sys.path])
    import mathml

    return mathml.to_mathml


def formulas() -> list[str]:
    """All formulas of pages and docstrings."""
    found: list[str] = []
    for page in DOCS.rglob("*.md"):
        text = re.sub(r"(?ms)^(```|~~~).*?^\1$|`[^`\n]*`", "", page.read_text("utf-8"))
        found += re.findall(r"(?s)\$\$(.+?)\$\$", text)
        text = re.sub(r"(?s)\$\$.+?\$\$", "", text)
        found += re.findall(r"(?<![\w\\])\$([^$\s](?:[^$]*[^$\s])?)\$(?!\d)", text)
    for module in Path(xgradient.__file__).parent.rglob("*.py"):
        text = module.read_text("utf-8")
        found += re.findall(r":math:`([^`]+)`", text)
        found += re.findall(r"\.\. math:: (\S.*)", text)
        found += re.findall(r"(?s)\.\. math::\n\n(.+?)\n\n", text)
    return found


def test_every_formula_has_mathml(to_mathml):
    found = formulas()
    assert len(found) > 100
    for formula in found:
        assert to_mathml(formula, "block").endswith("</math>")


def test_mathml_of_aligned_equations_and_large_brackets(to_mathml):
    aligned = to_mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}")
    assert aligned.count("<mtr>") == 2
    assert "<mtext>(1)" not in aligned
    power = to_mathml(r"\Bigl(\sum_i f_i^2\Bigr)^{1/2}")
    assert re.search(r"<msup><mrow><mo [^>]*minsize", power)
    assert "edge_order" in to_mathml(r"\texttt{edge\_order}")
    assert 'mathvariant="normal"' in to_mathml(r"\mathrm{d}x")


def test_mathml_refuses_unknown_commands(to_mathml):
    with pytest.raises(ValueError, match=r"no MathML for '\\\\nosuch' in the formula"):
        to_mathml(r"a \nosuch b")


@pytest.mark.parametrize("kind", ["DataArray", "Dataset"])
def test_the_reference_has_every_method_of_the_accessor(kind):
    listed = re.findall(
        rf"(?m)^   {kind}\.grad\.(\w+)$", (DOCS / "reference" / "index.md").read_text("utf-8")
    )
    assert sorted(listed) == sorted(
        [*(set(OPERATORS) - {"grad"}), *ON_CELLS, "stencil", "with_options"]
    )


@pytest.mark.parametrize("name", sorted({**OPERATORS, **ON_CELLS}))
def test_operators_name_related_ones(name):
    section = getattr(xgradient, name).__doc__.split("See Also\n--------\n")[1].split("\n\n")[0]
    others = re.findall(r"(?m)^xgradient\.(\w+) : [A-Z].*\.$", section)
    assert len(others) == len(section.splitlines()) >= 2
    assert name not in others
    for other in others:
        assert callable(getattr(xgradient, other))


#: Pages whose blocks of plain Python the tests run: test_starting_points, test_coming_from,
#: kernels/test_cupy, engine/test_cluster_page, and here.
TESTED_PAGES = {"start/data.md", "start/coming-from.md", "how-to/gpu.md", "how-to/chunks.md"}
TESTED_PAGES |= {"how-to/cluster.md"}


def test_every_block_of_code_is_run():
    # Cells of notebooks run when the pages are built.
    pages = [page for page in DOCS.rglob("*.md") if "```python" in page.read_text("utf-8")]
    assert {page.relative_to(DOCS).as_posix() for page in pages} <= TESTED_PAGES


def test_the_example_of_the_page_on_chunks(tmp_path, monkeypatch):
    for module in ("dask", "zarr"):
        pytest.importorskip(module)
    text = (DOCS / "how-to" / "chunks.md").read_text("utf-8")
    # The second block is of cubed: engine/test_chunk_libraries.py runs it.
    block, _ = re.findall(r"(?s)```python\n(.*?)```", text)
    monkeypatch.chdir(tmp_path)
    values = np.arange(30.0).reshape(5, 6) ** 2
    ds = xr.Dataset({"temperature": (("lat", "lon"), values)}, {"lat": range(5), "lon": range(6)})
    ds.chunk(lat=2).to_zarr("temperature.zarr", consolidated=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(block, {})
        found = xr.open_zarr("gradient.zarr")
    np.testing.assert_allclose(found.dtemperature_dlat, np.gradient(values, axis=0))


RECIPES = sorted(page.stem for page in (DOCS / "gallery").glob("*.md") if page.stem != "index")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_short_and_listed(name):
    text = (DOCS / "gallery" / f"{name}.md").read_text("utf-8")
    cells = "".join(re.findall(r"(?ms)^```\{code-cell\}[^\n]*\n(.*?)^```$", text))
    assert ".grad" in cells
    assert len([line for line in cells.splitlines() if line.strip()]) < 40
    index = (DOCS / "gallery" / "index.md").read_text("utf-8")
    assert len(re.findall(rf"(?m)^{name}$", index)) == 2, "a card and an entry of the toctree"


def test_the_gallery_has_recipes():
    assert len(RECIPES) >= 12


#: Words that readers search for.
_SEARCHED = """
advection boundary calendar citation coast cluster curvilinear decade derivative distributed
divergence Ekman ellipsoid ERA5 frontogenesis geostrophic gradient GrADS Jacobian irregular
Laplacian memory missing NEMO noise Okubo periodic projection ROMS slope smoothing sphere stencil
stratification trend units vorticity WRF xgcm Zarr
"""
WORDS = _SEARCHED.split()


@pytest.mark.parametrize("word", WORDS)
def test_pages_have_the_words_that_readers_search(word):
    pages = [
        page.read_text("utf-8") for page in DOCS.rglob("*.md") if "decisions" not in page.parts
    ]
    assert any(re.search(rf"\b{word}", page, flags=re.IGNORECASE) for page in pages)


@pytest.mark.parametrize("name", ["staggered", "models"])
def test_the_cells_of_pages_on_grids_run(name):
    """The documentation runs all pages; these have calls that no other test makes."""
    text = (DOCS / "how-to" / f"{name}.md").read_text("utf-8")
    cells = re.findall(r"(?ms)^```\{code-cell\}[^\n]*\n(.*?)^```$", text)
    variables: dict[str, object] = {}
    for cell in cells:
        exec(cell, variables)
    assert len(cells) > 4
