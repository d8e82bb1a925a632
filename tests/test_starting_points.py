"""The page "Starting points for your data": its lines run on files of the structure it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

PAGE = Path(__file__).parents[1] / "docs" / "start" / "data.md"
if not PAGE.exists():
    pytest.skip("needs a checkout", allow_module_level=True)

RNG = np.random.default_rng(5)


def noise(dims: str, units: str, **sizes: int) -> tuple[list[str], np.ndarray, dict[str, str]]:
    """A field that increases along all dimensions, with some noise."""
    names = dims.split()
    shape = [sizes[name] for name in names]
    ramp = sum(np.indices(shape)) + 0.1 * RNG.standard_normal(shape)
    return names, 280 + ramp, {"units": units}


def era5() -> xr.Dataset:
    sizes = {"valid_time": 2, "pressure_level": 4, "latitude": 19, "longitude": 36}
    dims = " ".join(sizes)
    fields = {
        name: noise(dims, units, **sizes)
        for name, units in (("t", "K"), ("u", "m s**-1"), ("v", "m s**-1"))
    }
    coords = {
        "valid_time": np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"),
        "pressure_level": ("pressure_level", [1000.0, 850, 700, 500], {"units": "hPa"}),
        "latitude": ("latitude", np.linspace(90, -90, 19), {"units": "degrees_north"}),
        "longitude": ("longitude", np.arange(0.0, 360, 10), {"units": "degrees_east"}),
    }
    return xr.Dataset(fields, coords)


def cmip6() -> xr.Dataset:
    time = xr.date_range("1950-01-01", periods=140, freq="MS", calendar="noleap", use_cftime=True)
    sizes = {"time": 140, "lat": 6, "lon": 8}
    coords = {
        "time": time,
        "lat": ("lat", np.linspace(-75.0, 75, 6), {"units": "degrees_north"}),
        "lon": ("lon", np.arange(0.0, 360, 45), {"units": "degrees_east"}),
    }
    return xr.Dataset({"tas": noise("time lat lon", "K", **sizes)}, coords)


def curvilinear(names: tuple[str, str], field: str) -> xr.Dataset:
    lon, lat = np.meshgrid(np.arange(0.0, 360, 20), np.linspace(-60.0, 60, 9))
    values = noise("y x", "degC", y=9, x=18)
    values[1][3:5, 4:7] = 0 if names[0] == "nav_lon" else np.nan
    coords = {
        names[0]: (("y", "x"), lon, {"units": "degrees_east"}),
        names[1]: (("y", "x"), lat, {"units": "degrees_north"}),
    }
    return xr.Dataset({field: values}, coords)


def roms() -> xr.Dataset:
    sizes = {"s_rho": 6, "eta_rho": 5, "xi_rho": 4}
    s = np.linspace(-0.95, -0.05, 6)
    h = noise("eta_rho xi_rho", "m", **sizes)
    ds = xr.Dataset({"temp": noise("s_rho eta_rho xi_rho", "degC", **sizes), "h": h})
    ds["zeta"], ds["pn"] = 0.01 * ds.h, 1e-4 + 0 * ds.h
    return ds.assign(hc=20.0, Cs_r=("s_rho", np.sinh(s))).assign_coords(s_rho=s)


def wrf() -> xr.Dataset:
    sizes = {"Time": 1, "south_north": 7, "west_east": 8}
    dims = " ".join(sizes)
    units = {"U10": "m s-1", "V10": "m s-1", "T2": "K"}
    fields = {name: noise(dims, unit, **sizes) for name, unit in units.items()}
    ds = xr.Dataset(fields, attrs={"DX": 3000.0, "DY": 3000.0})
    factor = xr.full_like(ds.T2, 1.01).drop_attrs()
    return ds.assign(MAPFAC_M=factor, MAPFAC_MX=factor, MAPFAC_MY=factor)


def dem() -> xr.Dataset:
    pyproj = pytest.importorskip("pyproj")
    coords = {"band": [1], "y": np.linspace(47, 46, 5), "x": np.linspace(10.0, 11, 6)}
    ds = xr.Dataset({"band_data": noise("band y x", "m", band=1, y=5, x=6)}, coords)
    return ds.assign_coords(spatial_ref=((), 0, pyproj.CRS("EPSG:4326").to_cf()))


def argo() -> xr.Dataset:
    ds = xr.Dataset({"TEMP": noise("PRES", "degC", PRES=12)})
    ds = ds.where(ds.PRES != 5)
    return ds.assign_coords(PRES=("PRES", np.arange(12.0) ** 2, {"units": "dbar"}))


FILES = {
    "era5.nc": era5,
    "tas_Amon_model_historical.nc": cmip6,
    "grid_T.nc": lambda: curvilinear(("nav_lon", "nav_lat"), "tos"),
    "mesh_mask.nc": lambda: xr.Dataset({"e1t": (("y", "x"), np.full((9, 18), 1e5))}),
    "ocean.nc": lambda: curvilinear(("geolon", "geolat"), "tos").drop_vars(["geolon", "geolat"]),
    "static.nc": lambda: curvilinear(("geolon", "geolat"), "tos").reset_coords(),
    "roms_his.nc": roms,
    "wrfout_d01.nc": wrf,
    "dem.tif": dem,
    "argo.nc": argo,
}
BLOCKS = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text("utf-8"))


@pytest.mark.parametrize("block", BLOCKS, ids=[re.match(r"\w+", block)[0] for block in BLOCKS])
def test_the_lines_run(block, monkeypatch):
    def opened(file: str, **_: Any) -> xr.Dataset:
        return FILES[file]()

    monkeypatch.setattr(xr, "open_dataset", opened)
    names: dict[str, Any] = {"xr": xr, "np": np}
    before = set(names)
    exec(block, names)
    results = [v for k, v in names.items() if k not in before and isinstance(v, xr.DataArray)]
    assert results
    assert all(np.isfinite(result).any() for result in results)


def test_every_file_is_opened():
    text = "".join(BLOCKS)
    assert [name for name in FILES if f'"{name}"' not in text] == []
