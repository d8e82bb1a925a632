"""Measure the cost of skipna: an ocean with coasts, and a field with random holes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from tests.support.comparisons import DIMS, sample

from .globe import Found, winds
from .report import number
from .timing import medians

__all__ = ["price"]


def price(shape: tuple[int, ...], rounds: int) -> Iterator[Found]:
    """Times with skipna over times without, in memory."""
    masks = {"coasts": _land(shape), "one value in ten missing": _random(shape, 0.1)}
    orders: dict[str, dict[str, Any]] = {
        "first derivative": {},
        "second derivative": {"deriv": 2},
        "accuracy 4": {"accuracy": 4},
        "accuracy 8": {"accuracy": 8},
    }
    for uneven in (False, True):
        da = sample(shape, "f4", uneven=uneven)
        for gaps, mask in masks.items():
            field = da.where(mask)
            for name, options in orders.items():
                found = [_ratio(_along(field, dim, options), rounds) for dim in DIMS]
                axis = "non-uniform" if uneven else "uniform"
                yield f"skipna, {gaps}: {name}, {axis}, along time, lat, lon", ", ".join(found), "2"
    yield from _operators(shape, rounds, masks["coasts"])


def _along(field: xr.DataArray, dim: str, options: dict[str, Any]) -> Any:
    return lambda skipna: field.grad(dim, skipna=skipna, **options)


def _operators(shape: tuple[int, ...], rounds: int, mask: xr.DataArray) -> Iterator[Found]:
    ds = winds(shape)
    ds = ds.where(mask.rename(dict(zip(mask.dims, ("lat", "lon"), strict=True))))
    metric: dict[str, Any] = {"metric": "sphere"}
    cases = {
        "magnitude": lambda skipna: ds.u.grad.magnitude(["lat", "lon"], skipna=skipna, **metric),
        "divergence": lambda skipna: ds.grad.divergence(lon="u", lat="v", skipna=skipna, **metric),
        "laplacian": lambda skipna: ds.u.grad.laplacian(["lat", "lon"], skipna=skipna, **metric),
    }
    for name, call in cases.items():
        yield f"skipna, coasts: {name} on the sphere", _ratio(call, rounds), "2"


def _ratio(call: Any, rounds: int) -> str:
    calls = {str(skipna): lambda s=skipna: call(s) for skipna in (False, True)}
    found = medians(calls, rounds=rounds)
    return number(found["True"] / found["False"])


def _land(shape: tuple[int, ...]) -> xr.DataArray:
    """An ocean in which a smooth random height is above the sea on a third of the globe."""
    rng = np.random.default_rng(3)
    y, x = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in shape[1:])
    height = np.zeros(shape[1:])
    for m, n in np.ndindex(12, 12):
        phase = 2 * np.pi * rng.random(2)
        height += np.outer(np.cos(m * y + phase[0]), np.cos(n * x + phase[1])) / (1 + m + n)
    return xr.DataArray(height < np.quantile(height, 2 / 3), dims=DIMS[1:])


def _random(shape: tuple[int, ...], share: float) -> xr.DataArray:
    return xr.DataArray(np.random.default_rng(4).random(shape) >= share, dims=DIMS)
