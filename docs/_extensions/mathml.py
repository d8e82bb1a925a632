"""Render formulas as MathML when the pages are built: readers need no scripts and no network."""

from __future__ import annotations

import html
import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)

#: Spellings that the converter lacks, and ones with the same look that it has.
SPELLINGS = {
    # Browsers enlarge a closing bracket only if the power is that of the whole bracket.
    r"\\([bB]ig+)l\((.*?)\\\1r\)\^": r"{\\\1(\2\\\1)}^",
    r"\\begin\{(?:aligned|align|split)\}": r"\\begin{align*}",
    r"\\end\{(?:aligned|align|split)\}": r"\\end{align*}",
    r"\\(?:big|Big|bigg|Bigg)[lr]\.": "",
    r"\\(big|Big|bigg|Bigg)[lrm]": r"\\\1",
    # Inside a text in monospace an underscore is no index.
    r"(\\texttt\{[^}]*)\\_": r"\1_",
}
#: A single upright letter, which browsers would slant.
UPRIGHT = re.compile(r"(\\mathrm\{[A-Za-z]\})")
#: A function by name, which needs a thin space before its argument and after a factor.
FUNCTION = r"<mi>(?:cos|sin|tan|ln|log|exp|max|min)</mi>"
SPACES = {
    rf"(<msup>{FUNCTION}.*?</msup>|{FUNCTION})(?=<m(?!o\b|space))": r"\1<mspace width='0.167em' />",
    rf"(</mi>|</msub>)(?=(?:<msup>)?{FUNCTION})": r"\1<mspace width='0.167em' />",
}


def to_mathml(latex: str, display: str = "inline") -> str:
    """Convert a formula in LaTeX to MathML.

    Parameters
    ----------
    latex : str
        The formula, without dollar signs.
    display : {"inline", "block"}
        Whether the formula is part of a line or has a line for itself.

    Returns
    -------
    str
        An element ``math``.

    Raises
    ------
    ValueError
        If a command of the formula is unknown.
    """
    for pattern, replacement in SPELLINGS.items():
        latex = re.sub(pattern, replacement, latex)
    element = convert(UPRIGHT.sub(r"{\1}", latex), display=display)
    element = re.sub(
        r"<mi>(&#x0*[0-9A-Fa-f]{2};)</mi>", r'<mi mathvariant="normal">\1</mi>', element
    )
    for pattern, replacement in SPACES.items():
        element = re.sub(pattern, replacement, element)
    unknown = re.search(r"\\\w+|<mi>(?:&|&amp;)</mi>", element)
    if unknown is not None:
        raise ValueError(f"no MathML for {html.unescape(unknown[0])!r} in the formula {latex!r}")
    return element


def render(node: nodes.Node, display: str) -> str:
    """Return a formula's MathML, or its source after a warning, which stops a strict build."""
    try:
        return to_mathml(node.astext(), display)
    except Exception as error:  # the converter has many kinds of errors
        LOGGER.warning("%s", error, location=node)
        return f"<code>{html.escape(node.astext())}</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(render(node, "inline"))
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that has a line for itself."""
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(render(node, "block") + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer by the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
