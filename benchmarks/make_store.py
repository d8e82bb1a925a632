"""Write a large Zarr store to try the command line on, in bounded memory.

    python benchmarks/make_store.py /tmp/large.zarr --gib 4 --chunks 8 721 1440

The field is a float32 temperature on (time, lat, lon): a smooth pattern with a daily cycle, and
noise, so that compression cannot make it small. It is written one slab of chunks at a time.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr

GIB = 2**30


def main() -> None:
    """Read the arguments and write the store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the store, which must not exist")
    parser.add_argument("--gib", type=float, default=4, help="least size of the field in GiB")
    parser.add_argument("--grid", type=int, nargs=2, default=(721, 1440), metavar=("LAT", "LON"))
    parser.add_argument(
        "--chunks", type=int, nargs=3, default=(8, 721, 1440), metavar=("TIME", "LAT", "LON")
    )
    options = parser.parse_args()
    make_store(options.path, options.gib, tuple(options.grid), tuple(options.chunks))


def make_store(path: Path, gib: float, grid: tuple[int, int], chunks: tuple[int, int, int]) -> None:
    """Write the store."""
    lat, lon = grid
    slabs = math.ceil(gib * GIB / (4 * lat * lon * chunks[0]))
    shape = (slabs * chunks[0], lat, lon)
    template = xr.Dataset(
        {"temperature": (("time", "lat", "lon"), da.zeros(shape, dtype=np.float32, chunks=chunks))},
        coordinates(shape),
        {"Conventions": "CF-1.11", "title": "synthetic temperature"},
    )
    template.temperature.attrs = {"standard_name": "air_temperature", "units": "K"}
    template.temperature.encoding = {"chunks": chunks}
    template.to_zarr(path, compute=False, mode="w-", consolidated=False)
    pattern = smooth(template)
    rng = np.random.default_rng(0)
    for start in range(0, shape[0], chunks[0]):
        field = slab(pattern, start, chunks[0], rng)
        part = xr.Dataset({"temperature": (("time", "lat", "lon"), field)})
        region = {"time": slice(start, start + chunks[0]), "lat": slice(None), "lon": slice(None)}
        part.to_zarr(path, region=region, consolidated=False)
    size = template.temperature.nbytes / GIB
    print(f"{path}: temperature {shape} float32 in chunks of {chunks}, {size:.2f} GiB")


def coordinates(shape: tuple[int, int, int]) -> dict[str, xr.Variable]:
    """Hours, and a grid of the whole globe."""
    hours = np.datetime64("2000-01-01", "s") + 3600 * np.arange(shape[0])
    lat, lon = np.linspace(90, -90, shape[1]), 360 / shape[2] * np.arange(shape[2])
    return {
        "time": xr.Variable("time", hours),
        "lat": xr.Variable("lat", lat, {"standard_name": "latitude", "units": "degrees_north"}),
        "lon": xr.Variable("lon", lon, {"standard_name": "longitude", "units": "degrees_east"}),
    }


def smooth(ds: xr.Dataset) -> np.ndarray:
    """A warm tropics with a wave round each parallel, in K."""
    phi, lam = np.deg2rad(ds.lat.values)[:, None], np.deg2rad(ds.lon.values)
    field: np.ndarray = 255 + 45 * np.cos(phi) ** 2 + 8 * np.sin(3 * lam) * np.cos(phi)
    return field.astype(np.float32)


def slab(pattern: np.ndarray, start: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Some hours of the pattern, with a daily cycle and noise."""
    field = rng.standard_normal((size, *pattern.shape), np.float32)
    field *= 0.5
    field += pattern
    hour = np.arange(start, start + size, dtype=np.float32)
    field += 4 * np.sin(2 * np.pi / 24 * hour, dtype=np.float32)[:, None, None]
    return field


if __name__ == "__main__":
    main()
