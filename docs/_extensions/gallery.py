"""Cards of the gallery: the directive ``recipes`` shows the last picture of each page it names."""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
#: Width of the picture of a card in pixels: twice that on the screen, for sharp displays.
WIDTH = 560
COLOURS = 128
PREFIX = "card-"


class RecipeCards(nodes.General, nodes.Element):
    """A place for cards, until all pages are read."""


class Recipes(SphinxDirective):
    """List pages of the same folder, one a line; each becomes a card."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place for the cards."""
        folder = posixpath.dirname(self.env.docname)
        pages = [posixpath.join(folder, line.strip()) for line in self.content if line.strip()]
        cards = RecipeCards(pages=pages)
        self.set_source_info(cards)
        return [cards]


def card(app: Sphinx, page: str, at: str) -> str:
    """Return the card of a page as HTML for the page ``at``."""
    env, builder = app.env, app.builder
    pictures = [
        uri for image in env.get_doctree(page).findall(nodes.image) if (uri := image["uri"])
    ]
    title = html.escape(env.titles[page].astext())
    link = builder.get_relative_uri(at, page)
    files = [env.images[uri][1] for uri in pictures if uri in env.images]
    if not files:
        # Without execution, as in a quick build, there is no picture.
        return f'<a class="recipe" href="{link}"><span>{title}</span></a>'
    folder = posixpath.relpath("_images", posixpath.dirname(at) or ".")
    name = small_name(files[-1])
    picture = f'<img src="{folder}/{name}" alt="" loading="lazy">'
    return f'<a class="recipe" href="{link}">{picture}<span>{title}</span></a>'


def small_name(file: str) -> str:
    """Return the name of the small copy of a picture; drawings need none."""
    return file if file.endswith(".svg") else f"{PREFIX}{file}"


def write_small_pictures(app: Sphinx, exception: Exception | None) -> None:
    """Write the small copies that cards show, after the pictures of pages are there."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_images")
    for page in app.outdir.rglob("index.html"):
        for name in set(re.findall(rf"_images/({PREFIX}[^\"]+)", page.read_text("utf-8"))):
            with Image.open(folder / name.removeprefix(PREFIX)) as picture:
                small = picture.convert("RGB")
            small.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
            small.quantize(COLOURS).save(folder / name, optimize=True)


def fill_cards(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace each place for cards by the cards."""
    for place in list(doctree.findall(RecipeCards)):
        known = [page for page in place["pages"] if page in app.env.all_docs]
        for page in sorted({*place["pages"]} - {*known}):
            LOGGER.warning("the gallery has no page %s", page, location=place)
        if app.builder.format == "html":
            cards = "\n".join(card(app, page, docname) for page in known)
            place.replace_self(nodes.raw("", f'<div class="recipes">{cards}</div>', format="html"))
        else:
            place.parent.remove(place)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_node(RecipeCards)
    app.add_directive("recipes", Recipes)
    app.connect("doctree-resolved", fill_cards)
    app.connect("build-finished", write_small_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
