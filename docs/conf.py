"""How Sphinx builds these pages: ``sphinx-build -W -n --keep-going -b html docs docs/_build/html``.

Nothing is fetched: no fonts, no scripts, no data. With ``XGRADIENT_DOCS_ONLINE=1`` the inventories
of other projects are, so that names of xarray and NumPy become links.
"""

import os
import shutil
import sys
from pathlib import Path

import sphinx_autosummary_accessors

import xgradient

# Pages show their figures, whatever backend the caller has chosen for scripts.
os.environ.pop("MPLBACKEND", None)

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "xgradient"
author = "The xgradient developers"
project_copyright = author
release = version = xgradient.__version__

extensions = [
    "gallery",
    "mathml",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_autosummary_accessors",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
templates_path = ["_templates", sphinx_autosummary_accessors.templates_path]

html_theme = "pydata_sphinx_theme"
html_title = f"xgradient {release}"
html_static_path = ["_static"]
html_css_files = ["xgradient.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
# These pages take the width of the screen.
html_sidebars = {"index": [], "gallery/index": [], "project/release-notes": []}

# Prompts and outputs are not copied.
copybutton_exclude = ".linenos, .gp, .go"

# Text between single backticks in docstrings names an object, as numpydoc has it.
default_role = "py:obj"
# Docstrings have the types, with shapes and units; hints would repeat them.
autodoc_typehints = "none"
autosummary_generate = True
# Some file systems do not tell capitals: the page of the class would replace that of the function.
autosummary_filename_map = {"xgradient.Grad": "xgradient.Grad_accessor"}
numpydoc_show_class_members = False
# Whatever the reference shows must be complete: all of numpydoc's checks but those that ask every
# object for an extended summary and a "See also", and one that takes "Derivatives" for a verb.
numpydoc_validation_checks = {"all", "ES01", "SA01", "SS05"}
# Nobody makes an accessor or a table by hand.
numpydoc_validation_exclude = {r"\.Grad$", r"\.StencilTable$", r"\.__init__$"}

if os.environ.get("XGRADIENT_DOCS_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "dask": ("https://docs.dask.org/en/stable", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "python": ("https://docs.python.org/3", None),
        "xarray": ("https://docs.xarray.dev/en/stable", None),
    }

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Every example on these pages is run when they are built, and one that fails stops the build.
nb_execution_mode = "force"
# Notebooks are committed with their outputs, and the tests run them.
nb_execution_excludepatterns = ["tutorials/*.ipynb"]
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
# A warning of an example is one of the build, unless the page says that it is expected.
nb_output_stderr = "remove-warn"
# tqdm warns in every notebook kernel that lacks ipywidgets.
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"

# The notebooks live outside, where the tests run them; a copy is what Sphinx can see.
for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
    shutil.copy2(notebook, HERE / "tutorials" / notebook.name)
