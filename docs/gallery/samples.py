"""Data of the gallery that need a few lines before they have coordinates.

The ocean south of Africa comes with the package ``xoa``: a snapshot of a CROCO model, at the
surface on every second grid point, and on a meridional section on all terrain-following levels.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr

#: Names of CF for coordinates and fields.
ATTRS = {
    "lon": {"units": "degrees_east", "standard_name": "longitude"},
    "lat": {"units": "degrees_north", "standard_name": "latitude"},
    "zeta": {"units": "m", "long_name": "sea level"},
    "temp": {"units": "degC", "long_name": "temperature"},
    "salt": {"units": "1", "long_name": "salinity"},
    "u": {"units": "m s-1", "long_name": "eastward velocity"},
    "v": {"units": "m s-1", "long_name": "northward velocity"},
    "z": {"units": "m", "long_name": "height", "positive": "up"},
    "f": {"units": "s-1", "long_name": "Coriolis parameter"},
}


def _opened(name: str) -> xr.Dataset:
    """Open a file of the CROCO model, with velocities at the points of the temperature."""
    # The package itself is not imported, which would take longer than the recipes.
    folder = Path(next(iter(find_spec("xoa").submodule_search_locations))) / "data_samples"
    croco = xr.open_dataset(folder / name, decode_times=False).isel(time=0, drop=True)
    ocean = xr.Dataset({name: croco[name] for name in ("zeta", "temp", "salt", "h", "f")})
    # The grid is a Mercator one: longitude depends on xi alone, latitude on eta alone.
    ocean["u"] = _interpolated(croco.u, xi_u=croco.xi_rho)
    ocean["v"] = _interpolated(croco.v, eta_v=croco.eta_rho)
    ocean = ocean.where(croco.mask_rho == 1).reset_coords(drop=True)
    ocean = ocean.assign_coords(
        lon=croco.lon_rho.isel(eta_rho=0, drop=True).reset_coords(drop=True),
        lat=croco.lat_rho.isel(xi_rho=0, drop=True).reset_coords(drop=True),
    )
    s, stretching = croco.s_rho, croco.Cs_r
    share = (croco.hc * s + croco.h * stretching) / (croco.hc + croco.h)
    z = (croco.zeta + (croco.zeta + croco.h) * share).reset_coords(drop=True)
    return ocean.drop_vars("h").assign_coords(z=z.astype(np.float64))


def _interpolated(velocity: xr.DataArray, **to: xr.DataArray) -> xr.DataArray:
    """Move a velocity to the points of the temperature."""
    ((dim, points),) = to.items()
    if velocity.sizes[dim] == 1:  # half a step aside
        return velocity.isel({dim: 0}, drop=True).expand_dims({points.name: points.values})
    return velocity.interp(to, kwargs={"fill_value": "extrapolate"})


def _labelled(ocean: xr.Dataset) -> xr.Dataset:
    for name, attrs in ATTRS.items():
        if name in ocean.variables:
            ocean[name].attrs = attrs
    return ocean


def ocean_surface() -> xr.Dataset:
    """Return the surface south of Africa: sea level, temperature, and velocities by lat, lon."""
    ocean = _opened("croco.south-africa.surf.nc").isel(s_rho=0, drop=True)
    ocean = ocean.swap_dims(xi_rho="lon", eta_rho="lat").drop_vars(["xi_rho", "eta_rho", "z"])
    return _labelled(ocean.transpose("lat", "lon").astype(np.float64))


def ocean_section() -> xr.Dataset:
    """Return a section along 18.8°E by level and lat, with heights that follow the terrain."""
    ocean = _opened("croco.south-africa.meridional.nc").isel(xi_rho=0, drop=True)
    ocean = ocean.swap_dims(eta_rho="lat").drop_vars("eta_rho").rename(s_rho="level")
    return _labelled(ocean.transpose("level", "lat").astype(np.float64))
