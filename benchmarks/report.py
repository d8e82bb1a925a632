"""Results as text: Markdown tables, the machine in a line, and their places in the pages."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["around", "machine", "number", "put", "rows"]

LIBRARIES = ("numpy", "numba", "xarray", "dask", "torch", "findiff", "xgcm")


def rows(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are numbers."""
    rule = ["---"] + ["--:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines))


def number(value: float) -> str:
    """Two digits, or all those before the point."""
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def machine() -> str:
    """The processor, how many of its cores were used, and the versions of the libraries."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"Python {platform.python_version()}"]
    for library in LIBRARIES:
        try:
            versions.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return f"{_processor()}, {cores} cores used; {', '.join(versions)}."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def around(page: Path, name: str) -> tuple[str, str]:
    """Return the text before and after a place in a page, its markers included."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    content = page.read_text(encoding="utf-8")
    before, found, rest = content.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed) or start in after or end in after:
        raise SystemExit(f"{page} needs the markers {start.strip()} and {end}, once each")
    return before + start, end + after


def put(page: Path, name: str, text: str) -> None:
    """Put a text between its markers in a page, in place of what stands there."""
    before, after = around(page, name)
    page.write_text(f"{before}{text}\n{after}", encoding="utf-8")
