"""Measure curvilinear grids, with weights from the cache and at a first call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr

from tests.support.curvilinear_grids import NAMES, rotated
from xgradient.geometry import value_cache

from .globe import Found, winds
from .report import number
from .timing import copies

__all__ = ["on_curvilinear_grid", "price"]


def price(shape: tuple[int, ...], rounds: int) -> Iterator[Found]:
    """Each operator on a grid whose pole is elsewhere, in copies of one input."""
    ds = on_curvilinear_grid(winds(shape), shape)
    metric: dict[str, Any] = {"metric": "sphere"}
    cases: dict[str, tuple[str, Callable[[], Any]]] = {
        "grad": ("9; 20", lambda: ds.u.grad(NAMES, **metric)),
        "magnitude": ("9; 20", lambda: ds.u.grad.magnitude(NAMES, **metric)),
        "divergence": (
            "22; 33",
            lambda: ds.grad.divergence(nav_lon="u", nav_lat="v", **metric),
        ),
        "curl": ("22; 33", lambda: ds.grad.curl(nav_lon="u", nav_lat="v", **metric)),
        "laplacian": ("9; 24", lambda: ds.u.grad.laplacian(NAMES, **metric)),
    }
    for name, (goal, call) in cases.items():
        again = copies(call, ds.u.values, rounds)
        anew = copies(_forgetful(call), ds.u.values, rounds)
        case = f"{name} on a curvilinear grid"
        yield f"{case}; with new weights", f"{number(again)}; {number(anew)}", goal


def _forgetful(call: Callable[[], Any]) -> Callable[[], Any]:
    def first() -> Any:
        value_cache._WEIGHTS_CACHE.clear()
        return call()

    return first


def on_curvilinear_grid(ds: xr.Dataset, shape: tuple[int, ...]) -> xr.Dataset:
    """Return the fields on a curvilinear grid of as many cells, away from its own poles."""
    lat, lon = (np.linspace(-a, a, n) for a, n in zip((60, 120), shape[1:], strict=True))
    places = zip(NAMES, rotated(lat, lon, 40.0, 190.0), ("north", "east"), strict=True)
    coords = {n: (("y", "x"), values, {"units": f"degrees_{to}"}) for n, values, to in places}
    return ds.drop_vars(["lat", "lon"]).rename(lat="y", lon="x").assign_coords(coords)
