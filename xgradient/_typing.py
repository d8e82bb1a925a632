"""Types that several rooms share."""

from __future__ import annotations

from typing import TypeVar

import xarray as xr

XarrayObject = xr.DataArray | xr.Dataset
#: A DataArray or a Dataset, of which the result is the same.
Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)
