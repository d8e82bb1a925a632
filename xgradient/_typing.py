"""Types that several rooms share."""

from __future__ import annotations

import xarray as xr

XarrayObject = xr.DataArray | xr.Dataset
