"""Print the lowest versions that the package declares for its users, as constraints of pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

#: The extras of users; those of developers are taken as they come.
DEVELOPERS = {"dev", "docs", "test"}

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
lines = [*project["dependencies"], *(r for e in extras.keys() - DEVELOPERS for r in extras[e])]
for line in sorted(line for line in lines if not line.startswith(project["name"])):
    found = re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?>=([\w.]+)", line)
    if found is None:
        raise SystemExit(f"{line!r} in pyproject.toml declares no lowest version, as NAME>=VERSION")
    print(f"{found[1]}=={found[2]}")
