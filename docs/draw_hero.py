"""Draw the fronts of the sea-surface temperature for the README, into ``_static/hero.png``."""

from __future__ import annotations

from pathlib import Path

import iris_sample_data
import matplotlib.pyplot as plt
import numpy as np
import pyproj
import xarray as xr
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm

import xgradient  # noqa: F401  registers .grad

HERE = Path(__file__).parent
LAND = "0.82"
#: Cells wider than this, in metres on the map, reach around its edge.
WIDEST = 4e6


def fronts() -> tuple[xr.DataArray, xr.Dataset]:
    """Return the gradient of the temperature in K per 100 km, and its file."""
    ocean = xr.open_dataset(Path(iris_sample_data.path) / "orca2_votemper.nc")
    gradient = ocean.votemper.grad.magnitude(
        ["nav_lon", "nav_lat"],
        metric="sphere",
        periodic="dim1",
        skipna=True,
        units="K (100 km)-1",
    )
    return gradient, ocean


def cells(ocean: xr.Dataset, robinson: pyproj.Proj) -> np.ndarray:
    """Return the corners of all cells on the map, of shape (cells, 4, 2)."""
    middle = ocean.nav_lon.values.ravel()[:, None]
    lon = ocean.nav_lon_bnds.values.reshape(-1, 4)
    lon = middle + (lon - middle + 180) % 360 - 180
    lon = np.clip(lon, -180, 180)
    return np.stack(robinson(lon, ocean.nav_lat_bnds.values.reshape(-1, 4)), axis=-1)


def main() -> None:
    """Write ``_static/hero.png``."""
    gradient, ocean = fronts()
    robinson = pyproj.Proj("+proj=robin")
    corners, values = cells(ocean, robinson), gradient.values.ravel()
    shown = np.isfinite(values) & (np.ptp(corners[..., 0], axis=1) < WIDEST)
    figure, axes = plt.subplots(figsize=(9, 4.9), layout="constrained")
    edge = np.linspace(-90, 90, 181)
    outline = np.r_[np.c_[0 * edge - 180, edge], np.c_[0 * edge + 180, edge[::-1]]]
    axes.fill(*robinson(*outline.T), color=LAND, linewidth=0)
    mesh = PolyCollection(
        corners[shown],
        array=values[shown],
        cmap="inferno",
        norm=LogNorm(0.1, 5),
        edgecolor="face",
        linewidth=0.25,
        rasterized=True,
    )
    axes.add_collection(mesh)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()
    bar = figure.colorbar(mesh, shrink=0.7, aspect=28, extend="both", pad=0.01)
    bar.set_ticks([0.1, 0.2, 0.5, 1, 2, 5], labels=["0.1", "0.2", "0.5", "1", "2", "5"])
    bar.set_label("temperature gradient (K per 100 km)")
    figure.savefig(HERE / "_static" / "hero.png", dpi=110, bbox_inches="tight", pad_inches=0.05)


if __name__ == "__main__":
    main()
