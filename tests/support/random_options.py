"""Operators, and options of every kind that hypothesis draws for them, sensible and not."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from ..support.random_coordinates import Line, rarely
from ..support.strategies import NODES

__all__ = ["OPERATORS", "SCALARS", "VECTORS", "names_asked", "orders", "periodic", "spacing"]

VECTORS = ["divergence", "curl", "jacobian", "strain"]
ALONG = ["advection", "directional"]
SCALARS = ["magnitude", "laplacian", "hessian"]
OPERATORS = ["grad", "grad", "grad", "grad of a Dataset", "gradient", *SCALARS, *VECTORS, *ALONG]

NO_NUMBER: list[Any] = [0, -1, 2.5, "2", None, True, np.int64(2), np.float64(2), 10**6, 1j]
PERIODS: list[Any] = [True, False, 360, 360.0, 0, -1, np.nan, np.inf, "x", "lon", 1e-3, 1e9, None,
                      np.timedelta64(40, "D"), ["x"], (), {"nothing": True}]  # fmt: skip


def orders(draw: st.DrawFn, quick: bool) -> dict[str, Any]:
    """Orders of the derivative and whether missing values are skipped."""
    options: dict[str, Any] = {}
    if rarely(draw, 3):
        options["deriv"] = draw(st.integers(1, 2 if quick else 4))
    if rarely(draw, 3):
        options["accuracy"] = draw(
            st.sampled_from([2, 4] if quick else [1, 2, 3, 4, 4, 5, 6, 7, 8])
        )
    if rarely(draw, 3):
        options["edge_order"] = draw(st.integers(1, 3))
    if rarely(draw, 5):
        options["skipna"] = True
    if rarely(draw, 30):
        option = draw(st.sampled_from(["deriv", "accuracy", "edge_order", "skipna"]))
        options[option] = draw(st.sampled_from(NO_NUMBER))
    return options


def spacing(draw: st.DrawFn, axes: list[Line], names: list[Any], plain: bool) -> Any:
    """Steps or positions, alone or for some dimensions; ``plain`` ones have no names."""
    sizes = {line.dim: line.n for line in axes}
    name = draw(st.sampled_from([n for n in names if n in sizes] or list(sizes)))
    n = sizes.get(name, 3)
    values = draw(st.sampled_from([
        0.5, -2.0, 3, np.float32(0.25), 3 * NODES["jittered"](n), np.arange(n),
        # What does not fit.
        0, np.nan, np.inf, 1e300, 1e-320, 1j, "1", True, np.zeros(n), np.arange(n + 1.0),
        np.timedelta64(1, "h"), np.arange(n).astype("m8[s]"), np.arange(4.0).reshape(2, 2), [],
        None, np.array(2.0), list(range(n)), np.where(np.arange(n) == 1, np.nan, np.arange(n)),
    ][: 6 if not rarely(draw, 4) else None]))  # fmt: skip
    kind = draw(st.integers(0, 1 if plain and not rarely(draw) else 5))
    if kind == 0:
        return values
    if kind == 1:
        return [values] * len(names)
    if kind == 2:
        return {**dict.fromkeys(sizes, 1.0), name: values}
    if kind == 3 and rarely(draw, 3):
        return {"nothing": values}
    if kind == 4 and isinstance(values, np.ndarray) and values.ndim == 1:
        return xr.DataArray(values, dims=draw(st.sampled_from([name, "other"])))
    return {name: values}


def periodic(draw: st.DrawFn, names: list[Any], plain: bool) -> Any:
    """Which dimensions close, and after what period; without names if it is ``plain``."""
    name = draw(st.sampled_from(names))
    kind = draw(st.integers(0, 0 if plain and not rarely(draw) else 3))
    if kind == 0:
        return draw(st.sampled_from(PERIODS if rarely(draw, 4) else PERIODS[:2]))
    if kind == 1:
        return draw(st.sampled_from([name, list(names)]))
    return {name: draw(st.sampled_from(PERIODS if rarely(draw, 2) else PERIODS[:4]))}


def names_asked(draw: st.DrawFn, operator: str, names: list[Any], ndim: int) -> Any:
    """Return names to differentiate along, and now and then values that are not names."""
    if operator == "gradient":
        few = st.sampled_from([None, 0, -1, [0], 1, ndim, "x", [0, 0], [], 0.5, True])
        return draw(few if rarely(draw, 4) else st.sampled_from([None, 0, -1]))
    if operator in (*VECTORS, *ALONG):
        chosen = list(names) if not rarely(draw, 6) else list(names)[:1]
        if rarely(draw, 25):
            chosen = [*chosen[:-1], draw(st.sampled_from(["nothing", "X", "latitude", 0, None]))]
        return list(dict.fromkeys(chosen))[:3]
    if rarely(draw, 12):
        return draw(st.sampled_from([
            "nothing", ["nothing"], [], 0, None, ["x", "x"], "X", "latitude", ["latitude", "X"],
            {"x": 1, "y": 1}, {"x": 0}, {"x": "a"}, 1.5, ("x", "y"), b"x", "Z", {}]))  # fmt: skip
    one, several = draw(st.sampled_from(names)), list(names)
    if operator == "grad" and rarely(draw, 12):
        return dict.fromkeys(several, 1)
    if operator in SCALARS:
        return draw(st.sampled_from([several, several, one, None]))
    return draw(st.sampled_from([one, one, several, None]))
