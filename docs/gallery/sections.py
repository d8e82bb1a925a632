"""Vertical sections of the gallery: heights against latitude, with the sea floor in grey."""

from __future__ import annotations

import cmocean  # noqa: F401  registers colour maps such as "cmo.balance"
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

plt.rcParams.update(
    {
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlelocation": "left",
    }
)


def axes(columns: int = 2, deepest: float = -1500) -> list[Axes]:
    """Return axes for sections, next to each other."""
    figure = {"figsize": (9.5, 3.8), "sharey": True, "squeeze": False}
    row = plt.subplots(1, columns, **figure)[1][0].tolist()
    row[0].set(ylabel="height (m)", ylim=(deepest, 0))
    for ax in row:
        ax.set(xlabel="latitude", facecolor="0.8")
        ax.xaxis.set_major_formatter(lambda lat, _: f"{abs(lat):g}°{'S' if lat < 0 else 'N'}")
    return row


def draw(
    field: xr.DataArray,
    label: str,
    ax: Axes,
    *,
    low: float,
    high: float,
    cmap: str,
    bands: int = 40,
) -> None:
    """Draw a field of level and latitude in bands of colours, with a colour bar."""
    field = field.transpose("level", "lat")
    z = field.z.transpose("level", "lat")
    levels = np.linspace(low, high, 41)
    filled = ax.contourf(field.lat.broadcast_like(z), z, field, levels, cmap=cmap, extend="both")
    bar = plt.colorbar(filled, ax=ax, label=label, format="%g", pad=0.02)
    bar.locator = plt.MaxNLocator(6, steps=[1, 2, 5, 10])
    bar.update_ticks()
