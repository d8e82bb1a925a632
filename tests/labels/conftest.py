"""A field that several test files differentiate."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr


@pytest.fixture
def plane():
    """Return a plane with slopes 4 and 1 in steps of 1."""
    return xr.DataArray(
        np.arange(12.0).reshape(3, 4),
        {"y": ("y", [0.0, 1, 2], {"units": "m"}), "x": ("x", [0.0, 1, 2, 3], {"axis": "X"})},
        ("y", "x"),
        name="f",
    )
