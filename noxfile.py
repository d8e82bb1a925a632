#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2024.10"]
# ///
"""Sessions of developers: ``nox`` runs lint, types and tests; ``nox -l`` lists all.

``.ci/run`` runs these sessions too, so each check is written once.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent.resolve()
SMOKE = str(ROOT / "tests" / "support" / "smoke.py")
#: Tests of optional libraries, which a user's installation skips.
PEERS = (
    "torch or jax or sparse or cupy or cuda or backends or findiff or numpydoc or mathml"
    " or coming_from"
)
#: The session `docs` tests the built documentation.
BUILT_DOCS = "--ignore=tests/test_built_docs.py"
#: A quarter of the examples of hypothesis is enough for a user's installation.
THOROUGH = "--hypothesis-profile=thorough"


def refuse_skips(session: nox.Session, report: Path) -> None:
    """Fail if tests were skipped: every library is installed, so only a GPU may be missing."""
    skips = [s for s in ET.parse(report).iter("skipped") if s.get("type") == "pytest.skip"]
    reasons = {s.get("message", "") for s in skips if "no GPU here" not in s.get("message", "")}
    if reasons:
        session.error("tests were skipped: " + "; ".join(sorted(reasons)))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and spelling."""
    session.install("ruff>=0.11", "codespell>=2.4")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of a user's installation; arguments after ``--`` go to pytest."""
    session.install("-e", ".[all,test]")
    session.run("pytest", "-n", "auto", "--durations=25", *session.posargs)


@nox.session(default=False)
def peers(session: nox.Session) -> None:
    """Run the tests of other array libraries and of documentation tools."""
    session.install("-e", ".[dev]", "torch==2.13.0")
    report = Path(session.create_tmp()) / "peers.xml"
    chosen = ["-m", "", "-k", PEERS, BUILT_DOCS, THOROUGH]
    session.run("pytest", "-n", "auto", "tests", *chosen, f"--junitxml={report}")
    refuse_skips(session, report)


@nox.session(default=False)
def slow(session: nox.Session) -> None:
    """Run long tests, further cases and all examples of hypothesis; not those of peers."""
    session.install("-e", ".[dev]", "torch==2.13.0")
    chosen = ["-m", "slow or hypothesis", "-k", f"not ({PEERS})", BUILT_DOCS, THOROUGH]
    session.run("pytest", "-n", "auto", "tests", *chosen, "--durations=25")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation; every example on it is run."""
    session.install("-e", ".[docs,test]")
    shutil.rmtree(ROOT / "docs" / "reference" / "generated", ignore_errors=True)
    options = ["-W", "-n", "--keep-going", "-q", "-E", "-b", "html"]
    session.run("sphinx-build", *options, "docs", "docs/_build/html")
    tests_ = "tests/test_built_docs.py"
    session.run("pytest", "-m", "", tests_, "-p", "no:cacheprovider", "-n", "0")


@nox.session(default=False)
def notebooks(session: nox.Session) -> None:
    """Run the notebooks."""
    session.install("-e", ".[dev]")
    # A notebook's kernel raises warnings that the settings of the test suite do not expect.
    settings = ["-o", "addopts=", "-o", "filterwarnings=default"]
    session.run("pytest", "--nbmake", "notebooks", "-p", "no:cacheprovider", *settings)


@nox.session(default=False)
def minimal(session: nox.Session) -> None:
    """Use the package without extras, with warnings as errors."""
    session.install(".")
    session.chdir(session.create_tmp())
    session.run("python", "-W", "error", SMOKE)


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """Use the package with the lowest versions that it declares: its demo and its command line."""
    if sys.version_info[:2] != (3, 11):
        session.skip("the lowest versions are those of Python 3.11")
    versions = session.run("python", ".ci/lowest.py", silent=True)
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text(str(versions), encoding="utf-8")
    session.log("\n".join(["constraints:", str(versions)]))
    session.install(".[all,test]", "--constraint", str(constraints))
    session.chdir(constraints.parent)
    session.run("python", "-W", "error", SMOKE)
    session.run("xgradient", "demo")
    session.chdir(ROOT)
    session.env.pop("TMPDIR", None)  # tests of rights need a folder that all users may enter
    # Also the long ones: no other session runs them with these versions.
    session.run("python", "-m", "pytest", "-n", "auto", "-m", "", "tests/cli")


@nox.session(default=False)
def chunked(session: nox.Session) -> None:
    """Run the tests of libraries of chunked arrays other than dask."""
    libraries = ["dask-array>=0.7.1", "cubed>=0.27", "cubed-xarray>=0.0.9"]
    session.install("-e", ".[test]", "cf-xarray", "cftime", "zarr", *libraries)
    report = Path(session.create_tmp()) / "chunked.xml"
    tests_ = "tests/engine/test_chunk_libraries.py"
    session.run("pytest", "-n", "auto", "-m", "", THOROUGH, tests_, f"--junitxml={report}")
    refuse_skips(session, report)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the table of limits."""
    session.install("-e", ".[all,test]")
    session.run("python", "-m", "benchmarks", "limits", *session.posargs)


if __name__ == "__main__":
    nox.main()
