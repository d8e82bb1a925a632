"""A field with all that xarray can attach to it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad


@pytest.fixture
def field():
    """T(t, lat, lon) = lat² + 3 lon + 5 t, with coordinates, attributes and encodings of all kinds.

    The coordinates are uneven; parabolas and straight lines are differentiated exactly.
    """
    lat, lon, t = np.array([-10.0, 0.0, 5.0, 20.0]), np.array([0.0, 1.0, 3.0]), np.array([0, 60])
    attrs = {"units": "degrees_north", "standard_name": "latitude", "long_name": "north"}
    coords = {
        "t": ("t", np.datetime64("2000-01-01", "s") + t.astype("m8[s]"), {"axis": "T"}),
        "lat": ("lat", lat, attrs),
        "lon": ("lon", lon, {"units": "degrees_east", "axis": "X"}),
        "row": ("lat", np.array([9, 8, 7, 6], "uint8")),
        "place": ("lat", ["a", "b", "c", "d"], {"note": "text"}),
        "area": (("lat", "lon"), np.ones((4, 3))),
        "run": 7,
        "when": np.datetime64("2001-01-01", "s"),
    }
    values = lat[:, None] ** 2 + 3 * lon + 5 * t[:, None, None]
    attrs = {
        "units": "K",
        "standard_name": "air_temperature",
        "cell_methods": "t: mean",
        "grid_mapping": "crs",
        "comment": "kept",
    }
    da = xr.DataArray(values, coords, ("t", "lat", "lon"), name="T", attrs=attrs)
    da.encoding = {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1, "grid_mapping": "crs"}
    da.lat.encoding = {"dtype": "float32", "zlib": True}
    return da
