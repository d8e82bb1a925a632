"""Output of models beside the checkout, for tests that skip where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr


def open_shared(name: str) -> xr.Dataset:
    """Return a file of ``shared/data`` in a folder above this one; skip the test without it."""
    for folder in Path(__file__).resolve().parents:
        if (path := folder / "shared" / "data" / name).exists():
            pytest.importorskip("netCDF4")
            with xr.open_dataset(path) as ds:
                return ds.load()
    pytest.skip(f"needs {name} in ../shared/data")
