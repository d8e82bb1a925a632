"""Run ``xgradient demo``: differentiate two real fields and plot the derivatives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .. import __version__
from .coastlines import read_coastlines
from .files import clean_encodings
from .outputs import written_whole

DIMS = ["time", "latitude", "longitude"]
AIR, SEA = "A1B_north_america.nc", "ostia_monthly.nc"
#: Cities for orientation on the map: name, degrees north and east.
CITIES = (
    ("Winnipeg", 49.9, -97.1),
    ("New York", 40.7, -74.0),
    ("Mexico City", 19.4, -99.1),
    ("Denver", 39.7, -105.0),
    ("Havana", 23.1, -82.4),
)
#: What to try after the demo.
NEXT = """
Next steps
  the same on the command line, for your files:
    xgradient grad data.nc gradient.nc --dim latitude
  in Python or a notebook:
    import xarray as xr, xgradient
    ds = xr.open_dataset("data.nc")
    ds.t.grad("latitude", metric="sphere", units="K (100 km)-1").plot()
  all commands: xgradient --help"""
#: Positions of the names of oceans along the equator, in degrees east.
BASINS = (("Indian", 70), ("Pacific", 205), ("Atlantic", 335))


def run_demo(directory: Path, say: Callable[[str], Any]) -> None:
    """Read the sample fields, differentiate them, and write one NetCDF file and one picture.

    Parameters
    ----------
    directory : Path
        The folder of the files; it is created if it does not exist.
    say : callable
        A function that prints one line of the summary.
    """
    air, sea = _read(AIR), _read(SEA)
    dair = air.grad(DIMS)
    # The longitudes of the sea are periodic.
    dsea = sea.grad(DIMS, periodic="longitude")
    for title, source, derived in (
        (f"Air over North America, yearly means ({AIR})", air, dair),
        (f"Sea surface of the tropics, monthly means ({SEA})", sea, dsea),
    ):
        for line in _summary(title, source, derived):
            say(line)
    directory.mkdir(parents=True, exist_ok=True)
    data, picture = directory / "xgradient_demo.nc", directory / "xgradient_demo.png"
    _write(data, {"air": dair, "sea": dsea})
    _plot(picture, air, dair, dsea)
    say(f"{data}: the derivatives, to open with xarray.open_datatree")
    say(f"{picture}: a map and a time-longitude diagram of them")
    say(NEXT)


def _read(name: str) -> xr.Dataset:
    import iris_sample_data

    path = Path(iris_sample_data.path) / name
    return xr.open_dataset(path, engine="netcdf4", decode_coords="all").load()


def _summary(title: str, source: xr.Dataset, derived: xr.Dataset) -> list[str]:
    """Describe a source, with one line on the range of each derivative in everyday units."""
    (name, field), *_ = source.data_vars.items()
    sizes = ", ".join(f"{dim}: {size}" for dim, size in field.sizes.items())
    first, last = (source.time.dt.year.values[i] for i in (0, -1))
    calendar = source.time.dt.calendar.replace("_", "-") + " calendar"
    lines = [title, f"  {name} ({sizes}) in {field.attrs['units']}, {first} to {last}, {calendar}"]
    lines.append(f"  {'with respect to':<15} {'min':>9} {'mean':>9} {'max':>9} {'rms':>9}  unit")
    for dim in DIMS:
        values, unit = _everyday(derived[f"d{name}_d{dim}"], dim, source)
        rms = np.sqrt((values**2).mean())
        numbers = (values.min(), values.mean(), values.max(), rms)
        row = " ".join(f"{float(number):9.3f}" for number in numbers)
        lines.append(f"  {dim:<15} {row}  {unit}")
    return [*lines, ""]


def _everyday(field: xr.DataArray, dim: str, source: xr.Dataset) -> tuple[xr.DataArray, str]:
    """Convert a derivative to kelvins per decade or month, or per 100 km on the file's sphere."""
    field = field.astype(np.float64)
    if dim == "time":  # yearly means of 360 days, or monthly means
        yearly = source.time.dt.calendar == "360_day"
        days, span = (3600, "decade") if yearly else (365.2425 / 12, "month")
        return field * (days * 86400), f"K per {span}"
    sphere = source.latitude_longitude.attrs
    radius = float(sphere.get("earth_radius", sphere.get("semi_major_axis")))
    scaled = field * (1e5 / np.deg2rad(radius))
    if dim == "longitude":
        scaled = scaled / np.cos(np.deg2rad(field.latitude.astype(np.float64)))
    return scaled, "K per 100 km"


def _write(path: Path, groups: dict[str, xr.Dataset]) -> None:
    """Write one NetCDF file with a group for each grid."""
    for ds in groups.values():
        clean_encodings(ds)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {
        "title": "Derivatives of two sample fields in space and time",
        "Conventions": "CF-1.5",
        "source": f"{AIR} (group air) and {SEA} (group sea) of the package iris-sample-data",
        "history": f"{now}: xgradient demo (xgradient {__version__})",
    }
    with written_whole(path) as partial:
        tree.to_netcdf(partial, engine="netcdf4")


def _plot(path: Path, air: xr.Dataset, dair: xr.Dataset, dsea: xr.Dataset) -> None:
    """Plot the meridional gradient of the air and the zonal gradient of the sea."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 5.6), layout="constrained", dpi=160)
    left, right = figure.subplots(1, 2, width_ratios=(1.12, 1))
    north, unit = _everyday(dair.dair_temperature_dlatitude, "latitude", air)
    _map(left, north.mean("time"), air.air_temperature.mean("time") - 273.15, unit)
    east, unit = _everyday(dsea.dsurface_temperature_dlongitude, "longitude", dsea)
    _hovmoeller(right, east.mean("latitude"), unit)
    with written_whole(path) as partial:
        figure.savefig(partial, format="png")


def _map(axes: Any, gradient: xr.DataArray, celsius: xr.DataArray, unit: str) -> None:
    """Plot the northward gradient on a map, with isotherms."""
    from matplotlib.patheffects import withStroke

    # Longitudes of 225 to 315 degrees east, labelled in degrees west.
    lon, lat = gradient.longitude.values - 360, gradient.latitude.values
    _coloured(axes, lon, lat, gradient.values, f"northward temperature gradient ({unit})")
    lines = axes.contour(
        lon, lat, celsius.values, np.arange(-20, 31, 5), colors="0.25", linewidths=0.8
    )
    west, east = axes.get_xlim()
    south, north_end = axes.get_ylim()
    for outline in read_coastlines():
        axes.plot(*outline.T, color="0.1", linewidth=0.6)
    axes.set(xlim=(west, east), ylim=(south, north_end))
    axes.clabel(lines, fmt=lambda t: f"{t:.0f} °C".replace("-", "−"), fontsize=8)
    for name, north, east in CITIES:
        axes.plot(east, north, "o", color="k", markersize=3)
        label = axes.annotate(name, (east, north), (4, 4), textcoords="offset points", fontsize=8)
        label.set_path_effects([withStroke(linewidth=2.5, foreground="w", alpha=0.8)])
    axes.set_aspect(1 / np.cos(np.deg2rad(lat.mean())))
    axes.set_title("Air over North America, mean of 1860–2099 (scenario A1B)", pad=20)
    axes.set_xticks(np.arange(-130, -49, 20))
    axes.set_yticks(np.arange(20, 61, 10))
    axes.xaxis.set_major_formatter(lambda x, _: f"{abs(x):g}°{_letter(x, 'E', 'W')}")
    axes.yaxis.set_major_formatter(lambda y, _: f"{abs(y):g}°{_letter(y, 'N', 'S')}")


def _hovmoeller(axes: Any, gradient: xr.DataArray, unit: str) -> None:
    """Plot the eastward gradient of the tropical sea surface over longitude and time."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    lon, time = gradient.longitude.values, gradient.time.values
    values = gradient.transpose("time", "longitude").values
    _coloured(axes, lon, time, values, f"eastward sea-surface temperature gradient ({unit})")
    axes.set_facecolor("0.82")
    axes.set_title("Sea surface, mean of 5°S–5°N (grey: land)", pad=20)
    for name, east in BASINS:
        axes.annotate(
            name, (east, 1), (0, 4), axes.get_xaxis_transform(), "offset points", ha="center"
        )
    axes.set_xticks(np.arange(0, 361, 60))
    axes.xaxis.set_major_formatter(lambda x, _: _longitude_label(x))
    locator = AutoDateLocator()
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.invert_yaxis()  # time runs down the page


def _coloured(axes: Any, x: Any, y: Any, values: Any, label: str) -> None:
    """Plot a field in colours that are white at zero, up to its 98th percentile."""
    limit = float(np.nanpercentile(np.abs(values), 98))
    mesh = axes.pcolormesh(
        x, y, values, cmap="RdBu_r", vmin=-limit, vmax=limit, shading="nearest", rasterized=True
    )
    axes.figure.colorbar(
        mesh, ax=axes, label=label, extend="both", orientation="horizontal", shrink=0.85
    )


def _letter(degrees: float, positive: str, negative: str) -> str:
    return positive if degrees > 0 else negative if degrees < 0 else ""


def _longitude_label(east: float) -> str:
    """Format degrees east of 0 to 360 as a label: 0°, 60°E, 180°, 120°W."""
    west = 360 - east
    if east in (0, 180, 360):
        return f"{east % 360:g}°"
    return f"{east:g}°E" if east < 180 else f"{west:g}°W"
