"""The package as the numeric tests call it: one array, one axis, any nodes, through ``.grad``."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

import xgradient  # noqa: F401  registers .grad

__all__ = ["derivative"]


def derivative(values: Any, positions: Any, axis: int = 0, **options: Any) -> Any:
    """The derivative of an array along one axis, at positions or a step.

    ``options`` are those of ``.grad``, with ``period`` for the period of the axis.
    """
    period = options.pop("period", False)
    dims = [f"d{k}" for k in range(np.ndim(values))]
    result = xr.DataArray(values, dims=dims).grad(
        dims[axis], spacing=positions, periodic={dims[axis]: period}, **options
    )
    return result.data
