"""The page "Coming from another tool": every call on it runs, and pairs of calls agree."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import xgradient

PAGE = Path(__file__).parents[1] / "docs" / "start" / "coming-from.md"
if not PAGE.exists():
    pytest.skip("needs a checkout", allow_module_level=True)

#: By the name with which a call on the page begins: the module, and the largest relative difference
#: from it. MetPy applies a scale factor of the ellipsoid twice.
LIBRARIES = {
    "np": ("numpy", 1e-10),
    "t": ("xarray", 1e-10),
    "ds": ("xarray", 1e-10),
    "mpcalc": ("metpy.calc", 0.012),
    "grid": ("xgcm", 1e-10),
    "findiff": ("findiff", 1e-10),
    "signal": ("scipy.signal", 1e-10),
    "torch": ("torch", 1e-10),
}


def rows() -> list[tuple[str, str]]:
    cells = re.findall(r"(?m)^\| (.+?) \| `(.+?)` \|$", PAGE.read_text("utf-8"))
    return [(known.strip("`"), ours) for known, ours in cells]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    lat, lon = np.linspace(20.0, 60.0, 41), np.arange(0.0, 360, 2.5)
    coords = {
        "time": np.datetime64("2000-01-01", "ns") + np.arange(12) * np.timedelta64(1, "D"),
        "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
    }
    phase = np.deg2rad(lon) + 0.1 * np.arange(12)[:, None, None]
    wave, height = np.deg2rad(lat)[:, None], ("time", "lat", "lon")
    ds = xr.Dataset(
        {
            "t": (height, 280 + 9 * np.sin(2 * phase) * np.cos(3 * wave), {"units": "K"}),
            "u": (height, 20 + 8 * np.cos(2 * phase) * np.sin(3 * wave), {"units": "m/s"}),
            "v": (height, 9 * np.cos(3 * phase) * np.cos(2 * wave), {"units": "m/s"}),
        },
        coords,
    )
    found = {"ds": ds, "t": ds.t, "u": ds.u, "v": ds.v, "a": ds.t.values, "lat": lat, "lon": lon}
    return {**found, "np": np, "xgradient": xgradient, "faces": lon - 1.25}


def make_grid(ds: xr.Dataset) -> Any:
    xgcm = import_module("xgcm")
    faces = ds.assign_coords(lon_left=("lon_left", ds.lon.values - 1.25))
    faces = faces.assign_coords(dx=("lon_left", np.full(ds.sizes["lon"], 2.5)))
    positions = {"X": {"center": "lon", "left": "lon_left"}}
    options = {"metrics": {("X",): ["dx"]}, "autoparse_metadata": False}
    return xgcm.Grid(faces, coords=positions, padding="periodic", **options)


def as_array(result: Any) -> np.ndarray:
    if isinstance(result, xr.Dataset):
        result = result.to_dataarray()
    result = getattr(result, "data", result) if isinstance(result, xr.DataArray) else result
    return np.asarray(getattr(result, "magnitude", result))


@pytest.mark.parametrize("ours", sorted({ours for _, ours in rows()}))
def test_every_call_of_xgradient_runs(ours, names):
    result = eval(ours, dict(names))
    assert np.isfinite(as_array(result)).any()


def difference(known: str, ours: str, names: dict[str, Any]) -> float:
    """Return the largest relative difference between two calls, away from boundaries."""
    first = re.match(r"\w+", known)[0]
    module = LIBRARIES[first][0]
    if find_spec(module.split(".")[0]) is None:
        pytest.skip(f"needs {module}")
    names = dict(names)
    names.setdefault(first, make_grid(names["ds"]) if first == "grid" else import_module(module))
    expected, found = as_array(eval(known, names)), as_array(eval(ours, names))
    assert expected.shape == found.shape
    # Boundaries are one-sided in other ways, and the date line is no boundary here.
    inner = (..., slice(4, -4), slice(4, -4))
    return abs(expected - found)[inner].max() / abs(found)[inner].max()


@pytest.mark.filterwarnings("ignore:Vertical dimension number not found")
@pytest.mark.parametrize(
    ("known", "ours"), [row for row in rows() if re.match(r"\w+", row[0])[0] in LIBRARIES]
)
def test_a_pair_of_calls_agrees(known, ours, names):
    tolerance = LIBRARIES[re.match(r"\w+", known)[0]][1]
    assert difference(known, ours, names) < tolerance


def test_a_wrong_pair_of_calls_is_noticed(names):
    assert difference("np.gradient(a, lat, axis=1)", 't.grad("lon")', names) > 0.1


def test_the_page_names_all_tools():
    text = PAGE.read_text("utf-8")
    for tool in ("NumPy", "xarray", "MetPy", "xgcm", "NCL", "CDO", "GrADS"):
        assert f"\n## {tool}" in text
    assert len(rows()) > 35
