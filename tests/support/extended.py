"""Fields that are extended by hand beyond the ends of an axis, as a boundary condition says."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

__all__ = ["extend", "interior"]


def extend(
    da: xr.DataArray, dim: str, conditions: tuple[Any, Any], cells: int, face: bool = False
) -> xr.DataArray:
    """The field with ghost cells at both ends; "one-sided" and "missing" have none."""
    x, f = da[dim].values, np.moveaxis(da.values, da.dims.index(dim), 0)
    low = _ghosts(x, f, conditions[0], cells, face)
    high = _ghosts(-x[::-1], f[::-1], _reversed(conditions[1]), cells, face)
    positions = np.concatenate([low[0], x, -high[0][::-1]])
    values = np.concatenate([low[1], f, high[1][::-1]])
    others = {k: v for k, v in da.coords.items() if dim not in v.dims}
    return xr.DataArray(
        np.moveaxis(values, 0, da.dims.index(dim)),
        {**others, dim: (dim, positions, da[dim].attrs)},
        da.dims,
        da.name,
        da.attrs,
    )


def interior(result: Any, dim: str, conditions: tuple[Any, Any], cells: int) -> Any:
    """A result without the rows of ghost cells."""
    first, last = (0 if c in ("one-sided", "missing") else cells for c in conditions)
    return result.isel({dim: slice(first, result.sizes[dim] - last)})


def _reversed(condition: Any) -> Any:
    """The condition in the opposite direction, in which a slope has the opposite sign."""
    return ("slope", -condition[1]) if condition[0] == "slope" else condition


def _ghosts(x: Any, f: Any, condition: Any, cells: int, face: bool) -> tuple[Any, Any]:
    """Positions and values before the first cell."""
    kind, value = condition if isinstance(condition, tuple) else (condition, 0.0)
    if kind in ("one-sided", "missing"):
        return x[:0], f[:0]
    wall = x[0] - (x[1] - x[0]) / 2 if face else x[0]
    start = 0 if face else 1
    mirror_x, mirror_f = (a[start : start + cells][::-1] for a in (x, f))
    ghost_x = 2 * wall - mirror_x
    number = np.asarray(value, np.float64)
    if kind == "extend":
        ghosts = np.repeat(f[:1], cells, axis=0)
    elif kind == "even":
        ghosts = mirror_f
    elif kind == "odd":
        ghosts = -mirror_f
    elif kind == "value":
        ghosts = (2 * number).astype(f.dtype) - mirror_f
    else:
        distance = (ghost_x - mirror_x).reshape(-1, *(1,) * (f.ndim - 1))
        ghosts = mirror_f + (number * distance).astype(f.dtype)
    return ghost_x, ghosts
