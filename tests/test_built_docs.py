"""The built documentation: its search finds the words of the field, and its links are right."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[1] / "docs" / "_build" / "html"
INDEX = SITE / "searchindex.js"

#: What a user types, and a page that must be among the results.
QUERIES = {
    "accuracy": "explanation/accuracy",
    "advection": "reference/generated/xgradient.advection",
    "boundary": "how-to/boundaries",
    "calendar": "explanation/labels",
    "chunks": "how-to/chunks",
    "citation": "project/citing",
    "cluster": "how-to/chunks",
    "coast": "how-to/coasts",
    "cupy": "how-to/gpu",
    "curl": "reference/generated/xgradient.curl",
    "curvilinear": "how-to/curvilinear",
    "dask": "how-to/chunks",
    "distributed": "how-to/chunks",
    "divergence": "gallery/vorticity-divergence",
    "Ekman": "gallery/ekman-pumping",
    "ellipsoid": "how-to/metres",
    "ERA5": "start/data",
    "frontogenesis": "gallery/frontogenesis",
    "geostrophic": "gallery/geostrophic-currents",
    "halo": "explanation/stencils",
    "irregular": "start/faq",
    "isobaric": "how-to/model-levels",
    "Laplacian": "explanation/sphere",
    "MetPy": "start/coming-from",
    "NaN": "how-to/coasts",
    "NEMO": "how-to/staggered",
    "noise": "how-to/noise",
    "periodic": "how-to/periodic",
    "pint": "how-to/quantities",
    "pole": "explanation/sphere",
    "projection": "how-to/projections",
    "ROMS": "how-to/staggered",
    "smoothing": "how-to/noise",
    "staggered": "how-to/staggered",
    "stencil": "explanation/stencils",
    "uniform": "explanation/stencils",
    "units": "explanation/labels",
    "vorticity": "gallery/vorticity-divergence",
    "WRF": "how-to/metres",
    "xgcm": "start/coming-from",
    "zarr": "gallery/zarr",
}


@pytest.fixture(scope="module")
def pages_of():
    """Return a function from a word to the pages that the index has for it."""
    if not INDEX.exists():
        pytest.skip("needs the built documentation")
    snowballstemmer = pytest.importorskip("snowballstemmer")
    text = INDEX.read_text("utf-8")
    index = json.loads(text[text.index("{") : text.rindex("}") + 1])
    stem = snowballstemmer.stemmer("english").stemWord

    def find(word: str) -> set[str]:
        numbers = set()
        for part in ("terms", "titleterms"):
            found = index[part].get(stem(word.lower()), [])
            numbers |= {found} if isinstance(found, int) else set(found)
        return {index["docnames"][number] for number in numbers}

    return find


@pytest.mark.parametrize("word", QUERIES)
def test_a_word_of_the_field_is_found(pages_of, word):
    assert QUERIES[word] in pages_of(word)


def test_a_word_that_no_page_has_is_not_found(pages_of):
    assert not pages_of("qwertyuiop")


class Page(HTMLParser):
    """Collect the links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read one tag."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src") and value and tag != "base":
                self.links.add(value)


def test_every_link_inside_the_site_leads_somewhere():
    if not INDEX.exists():
        pytest.skip("needs the built documentation")
    pages = {path: Page(path) for path in SITE.rglob("*.html") if "_static" not in path.parts}
    assert len(pages) > 60
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            has_anchor = (
                not parts.fragment
                or target not in pages
                or unquote(parts.fragment) in pages[target].anchors
            )
            if not target.exists() or not has_anchor:
                broken.append(f"{path.relative_to(SITE)}: {link}")
    assert not broken
