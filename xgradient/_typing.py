"""Types that several rooms share."""

from __future__ import annotations

from typing import TypeVar

import xarray as xr

XarrayObject = xr.DataArray | xr.Dataset
#: One of the two types; a function of it returns the same type.
Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)
