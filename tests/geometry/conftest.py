"""Real grids that several files of this folder test."""

from __future__ import annotations

import pytest
import xarray as xr

from ..support.curvilinear_grids import sample


@pytest.fixture(scope="module")
def orca():
    with xr.open_dataset(sample("orca2_votemper.nc"), decode_times=False) as ds:
        return ds.load()
