"""How Sphinx builds these pages: ``sphinx-build -W -n --keep-going -b html docs docs/_build/html``.

Nothing is fetched: no inventories of other projects, no fonts, no data.
"""

import shutil
from pathlib import Path

import xgradient

project = "xgradient"
author = "The xgradient developers"
project_copyright = author
release = version = xgradient.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"xgradient {release}"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False

# Text between single backticks in docstrings names an object, as numpydoc has it.
default_role = "py:obj"
# Types stand in the docstrings, with shapes and units; hints would say them twice.
autodoc_typehints = "none"
autosummary_generate = True
# Where file names do not tell capitals, the accessor's page would fall on the function's.
autosummary_filename_map = {"xgradient.Grad": "xgradient.Grad_accessor"}
numpydoc_show_class_members = False
# Whatever the reference shows must be complete: all of numpydoc's checks but those that ask every
# object for an extended summary and a "See also", and one that takes "Derivatives" for a verb.
numpydoc_validation_checks = {"all", "ES01", "SA01", "SS05"}
# Nobody makes an accessor or a table by hand.
numpydoc_validation_exclude = {r"\.Grad$", r"\.StencilTable$", r"\.__init__$"}

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Every example on these pages is run when they are built, and one that fails stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

# The notebooks live outside, where the tests run them; a copy is what Sphinx can see.
HERE = Path(__file__).parent
for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
    shutil.copy2(notebook, HERE / "tutorials" / notebook.name)
