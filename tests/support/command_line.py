"""Calls of the command line, and files and stores for them."""

from __future__ import annotations

import hashlib
import inspect
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

click_testing = pytest.importorskip("click.testing")
for module in ("dask", "tqdm", "netCDF4", "zarr"):
    pytest.importorskip(module)
from xgradient.cli.commands import cli  # noqa: E402

#: Marks of all tests that read and write files and stores.
MARKS = [
    # zarr says so whenever xarray gathers the metadata of a store, which it does by default.
    pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part"),
    # The text of the sample: only the tests write it to a store.
    pytest.mark.filterwarnings("ignore:The data type .* does not have a Zarr V3 specification"),
    # NumPy is told of its own size change by a compiled reader, at import.
    pytest.mark.filterwarnings("ignore:numpy.ndarray size changed"),
]


def invoke(*words: str, **context: Any) -> click_testing.Result:
    """Call the command line in this process; click before 8.2 mixes both streams unless asked."""
    parameters = inspect.signature(click_testing.CliRunner).parameters
    options = {"mix_stderr": False} if "mix_stderr" in parameters else {}
    return click_testing.CliRunner(**options).invoke(cli, list(words), **context)


def run(command: str, code: int = 0, **context: Any) -> click_testing.Result:
    result = invoke(*shlex.split(command), **context)
    told = f"{result.stdout}\n{result.stderr}\n{result.exception!r}"
    assert result.exit_code == code, told
    return result


def start(command: str, **options) -> subprocess.Popen:
    words = [sys.executable, "-m", "xgradient", *shlex.split(command)]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def sample() -> xr.Dataset:
    """Two fields of time, lat and lon with all that travels along, and variables of other kinds."""
    rng = np.random.default_rng(7)
    hours = xr.Variable("time", np.array([0.0, 6, 12, 24, 36, 48, 54]), {"bounds": "time_bnds"})
    hours.attrs.update(units="hours since 2001-02-28", calendar="360_day", standard_name="time")
    lat = np.array([60.0, 47.5, 40.0, 20.0, 5.0])
    lon = np.arange(0.0, 360.0, 45.0)
    field = rng.normal(280, 10, (7, 5, 8))
    ds = xr.Dataset(
        {
            "t": (("time", "lat", "lon"), field),
            "count": (("lat", "lon"), rng.integers(0, 9, (5, 8), dtype=np.int16)),
            "name": (("lat",), np.array(list("abcde"))),
        },
        {
            "time": hours,
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "height": ((), 2.0, {"units": "m"}),
            "area": (("lat", "lon"), rng.random((5, 8)), {"units": "m2"}),
            "crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude"}),
            "time_bnds": (("time", "bnds"), hours.values[:, None] + [-3.0, 3.0]),
        },
        {"Conventions": "CF-1.8", "title": "a sample", "history": "made by hand"},
    )
    ds.t.attrs = {"units": "K", "standard_name": "air_temperature", "cell_methods": "time: mean"}
    ds.t.encoding = {"grid_mapping": "crs", "coordinates": "height area"}
    ds["count"].attrs = {"units": "1"}
    return ds


def store(ds: xr.Dataset, path: str, **options) -> str:
    if path.endswith(".zarr"):
        ds.to_zarr(path, **options)
    else:
        ds.to_netcdf(path, engine="netcdf4", **options)
    return path


def load(path: str) -> xr.Dataset:
    engine = "zarr" if Path(path).is_dir() else "netcdf4"
    with xr.open_dataset(path, engine=engine, decode_coords="all") as ds:
        return ds.load()


def fingerprint(path: str | Path) -> str:
    """A digest of a file, or of all files under a directory with their names."""
    path, digest = Path(path), hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        digest.update(str(file.relative_to(path)).encode())
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def here(folder: str | Path = ".") -> set[str]:
    return {path.name for path in Path(folder).iterdir()}
