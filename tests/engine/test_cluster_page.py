"""The blocks of code on the page on clusters run, with the results of memory."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.clusters import local_cluster

pytestmark = pytest.mark.slow

for needed in ("dask", "distributed", "zarr", "netCDF4"):
    pytest.importorskip(needed)

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cluster.md"


def make_files():
    """Write the stores and files that the page reads, and return their data."""
    lat = xr.Variable("lat", np.linspace(-89, 89, 180), {"units": "degrees_north"})
    lon = xr.Variable("lon", np.arange(0.5, 360), {"units": "degrees_east"})
    values = np.sin(np.deg2rad(lat)) + np.cos(np.deg2rad(lon)) * xr.Variable("time", [1.0, 2.0])
    coords = {"lat": lat, "lon": lon, "time": ("time", [0.0, 1.0], {"units": "s"})}
    winds = xr.Dataset(dict.fromkeys("uv", values.transpose("time", "lat", "lon")), coords)
    winds.chunk(lat=90, time=1).to_zarr("winds.zarr", consolidated=False)
    levels = xr.Dataset(
        {"t": (("time", "level", "y"), np.arange(48.0).reshape(2, 6, 4) ** 2)},
        {"level": np.arange(6.0)},
    )
    levels.chunk(level=2, y=2).to_zarr("levels.zarr", consolidated=False)
    for n in range(2):
        levels.isel(time=[n]).assign_coords(time=[float(n)]).to_netcdf(f"t_{n}.nc")
    return winds, levels


def test_the_blocks_of_the_page(tmp_path, monkeypatch):
    if not PAGE.exists():
        pytest.skip("needs a checkout")
    monkeypatch.chdir(tmp_path)
    winds, levels = make_files()
    blocks = re.findall(r"(?s)```python\n(.*?)```", PAGE.read_text("utf-8"))
    names = {"__name__": "__main__"}  # whose functions are sent with their code
    with local_cluster(2) as cluster, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(block.replace("tcp://scheduler:8786", cluster.scheduler_address), names)
        names["client"].close()
        written, sloped = (
            xr.open_zarr(name, chunks=None) for name in ("vorticity.zarr", "gradient.zarr")
        )
    expected = winds.grad.curl(lon="u", lat="v", metric="sphere")
    np.testing.assert_array_equal(written[expected.name], expected)
    np.testing.assert_array_equal(sloped.dt_dlevel, levels.t.isel(time=0).grad("level"))
    assert names["ds"].chunks["time"] == (2,)
