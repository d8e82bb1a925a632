"""Coordinates of every kind that hypothesis draws, and the nodes that they stand for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import strategies as st

from ..support.reference import _exact
from ..support.strategies import NODES

__all__ = ["Line", "exact_nodes", "latitudes", "lines", "longitudes", "rarely"]

#: Units of a coordinate: plain, odd, absent, of a wrong type, or of angles.
UNITS = ["m", "km", "s", "1", "", "degrees", "a.u.", "none", "m**9**9**9", "hours since 1900-01-01",
         "no such unit", 7, None, ["m"], "degC", "%"]  # fmt: skip


def rarely(draw: st.DrawFn, parts: int = 10) -> bool:
    """Return True once in so many times."""
    return draw(st.integers(0, parts - 1)) == parts - 1


@dataclass(frozen=True)
class Line:
    """One dimension with its coordinate, or without one."""

    dim: str
    n: int
    kind: str
    values: Any = None
    attrs: dict[str, Any] | None = None
    uniform: bool | None = None

    @property
    def coords(self) -> dict[str, Any]:
        if self.values is None:
            return {}
        return {self.dim: xr.Variable(self.dim, self.values, self.attrs)}


def exact_nodes(values: Any, uniform: bool) -> list[Fraction] | None:
    """Positions as fractions, times in seconds; None where they are no axis.

    Those of a uniform axis are what they are meant to be, without the rounding of each.
    """
    values = np.asarray(values)
    if values.dtype.kind in "Mm":
        unit, count = np.datetime_data(values.dtype)
        tick = Fraction(int(np.timedelta64(count, unit) / np.timedelta64(1, "ns")), 10**9)
        if np.isnat(values).any():
            return None
        nodes = [tick * int(v) for v in values.astype("i8")]
    elif values.dtype == object and values.size and hasattr(values[0], "calendar"):
        ticks = [(v - values[0]) // pd.Timedelta(microseconds=1).to_pytimedelta() for v in values]
        nodes = [Fraction(t, 10**6) for t in ticks]
    elif values.dtype.kind in "iuf" and np.isfinite(values).all():
        nodes = [_exact(v) for v in values]
    else:
        return None
    steps = [b - a for a, b in itertools.pairwise(nodes)]
    if not (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
        return None
    if uniform and len(nodes) > 1:
        step = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
        nodes = [nodes[0] + k * step for k in range(len(nodes))]
    return nodes


def _numbers(draw: st.DrawFn, n: int, kind: str) -> np.ndarray:
    scale = draw(st.sampled_from([1.0, 0.1, -0.25, 1e-3, -3600.0]))
    offset = draw(st.sampled_from([0.0, -3.5, 100.0]))
    return scale * (NODES[kind](n) + offset)


def _whole(draw: st.DrawFn, n: int, dtype: str) -> tuple[np.ndarray, bool]:
    """Whole numbers, even or not, up or down."""
    uniform = n < 3 or draw(st.booleans())
    steps = 1 + (np.arange(n) % 3 if not uniform else np.zeros(n, int))
    values = np.cumsum(steps)
    return (values[::-1] if draw(st.booleans()) else values).astype(dtype), uniform


def _times(draw: st.DrawFn, n: int, kind: str) -> tuple[Any, bool]:
    ticks, uniform = _whole(draw, n, "i8")
    unit = draw(st.sampled_from(["s", "ms", "us", "ns"]))
    length = int(
        draw(st.sampled_from([1, 86400])) * 10 ** {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    )
    if kind == "timedelta":
        return (ticks * length).astype(f"m8[{unit}]"), uniform
    if kind == "datetime":
        return np.datetime64("1999-12-30", unit) + (ticks * length).astype(f"m8[{unit}]"), uniform
    cftime = __import__("cftime")
    calendar = draw(st.sampled_from(["360_day", "noleap", "standard"]))
    days = [cftime.num2date(int(t), "days since 1999-01-29", calendar) for t in ticks]
    return np.array(days, object), uniform


def _odd(draw: st.DrawFn, n: int, kind: str) -> Any:
    """Return a coordinate that is not an axis, which calls must refuse."""
    x = np.arange(float(n))
    at = draw(st.integers(0, max(n - 1, 0)))
    if kind == "unordered":
        return np.roll(x, 1) if draw(st.booleans()) else np.where(np.arange(n) == at, -7.0, x)
    if kind == "repeated":
        return np.where(np.arange(n) == at, x[at - 1] if n else 0, x)
    if kind in ("nan", "inf", "minus inf"):
        return np.where(np.arange(n) == at, float(kind.replace("minus ", "-")), x)
    if kind == "nat":
        times = np.arange(n).astype("M8[s]").astype("M8[ns]")
        times[at : at + 1] = np.datetime64("NaT")
        return times
    if kind == "mixed":
        return np.array([k if k % 2 else str(k) for k in range(n)], object)
    if kind == "intervals":
        return pd.IntervalIndex.from_breaks(np.arange(n + 1.0)) if n else x
    if kind == "periods":
        return pd.period_range("2000-01", periods=n, freq="M")
    if kind == "huge":
        return x * 1e307
    if kind == "tiny":
        return x * 1e-320
    makers = {
        "text": lambda: np.array([f"s{k}" for k in range(n)]),
        "bool": lambda: np.arange(n) % 2 == 0,
        "complex": lambda: x + 1j,
        "categories": lambda: pd.Categorical([f"c{k}" for k in range(n)]),
    }
    return makers[kind]()


SENSIBLE = ["none", "uniform", "jittered", "alternating", "stretched", "int", "f4", "datetime",
            "timedelta", "cftime", "long double"]  # fmt: skip
ODD = ["unordered", "repeated", "nan", "inf", "minus inf", "nat", "mixed", "intervals", "periods",
       "huge", "tiny", "text", "bool", "complex", "categories"]  # fmt: skip


@st.composite
def lines(draw: st.DrawFn, dim: str, n: int, kinds: list[str] | None = None) -> Line:
    """A dimension with a coordinate of any kind, most of them sensible, or of some kinds."""
    kind = draw(st.sampled_from(kinds or (ODD if rarely(draw, 8) else SENSIBLE)))
    attrs = {}
    if not rarely(draw, 3):
        units = draw(st.sampled_from(UNITS if rarely(draw, 5) else UNITS[:5]))
        attrs = {"units": units}
    if rarely(draw, 12):
        attrs["positive"] = draw(st.sampled_from(["up", "down", "sideways", 1]))
    if rarely(draw, 20):
        attrs["_FillValue"] = draw(st.sampled_from([-999.0, np.nan, 0.0, "x"]))
    if kind == "none":
        return Line(dim, n, kind, uniform=True)
    if kind in NODES:
        values, uniform = _numbers(draw, n, kind), kind == "uniform" or n < 3
    elif kind == "f4":
        values, uniform = (8 * NODES["jittered"](n)).astype("f4"), n < 3
        if draw(st.booleans()):
            values, uniform = (0.1 * np.arange(n)).astype("f4"), True
    elif kind == "long double":
        values, uniform = _numbers(draw, n, "jittered").astype("g") / 3, n < 3
    elif kind == "int":
        dtype = draw(st.sampled_from(["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4"]))
        values, uniform = _whole(draw, n, dtype)
    elif kind in ("datetime", "timedelta", "cftime"):
        values, uniform = _times(draw, n, kind)
        attrs.pop("units", None)
    else:
        values, uniform = _odd(draw, n, kind), None
    if kind in ("nat", "timedelta", "datetime", "periods", "intervals", "categories"):
        attrs.pop("_FillValue", None)
    return Line(dim, n, kind, values, attrs, uniform)


def _longitudes(n: int, kind: str) -> np.ndarray:
    k, whole = np.arange(n), 360 / max(n, 1)
    return {
        "round": k * whole,
        "round from -180": -180 + k * whole,
        "cyclic": k * 360 / max(n - 1, 1),
        "cyclic from -180": -180 + k * 360 / max(n - 1, 1),
        "region": 10 + 2.5 * k,
        "uneven": 10 + 3 * NODES["jittered"](n),
        "uneven round": NODES["jittered"](n) * whole * 0.9,
        "across": (350 + 5 * k) % 360,
        "too far": 100.0 * k,
        "float32": np.asarray(k * whole, "f4"),
        "down": 350 - whole * k,
        "repeated": np.minimum(5.0 * k, 20),
        "unordered": np.where(k == 1, 40.0, k * 1.0),
        "nan": np.where(k == 1, np.nan, 5.0 * k),
    }[kind]  # fmt: skip


LONGITUDES = ["round", "round from -180", "cyclic", "cyclic from -180", "region", "uneven",
              "uneven round", "across", "float32", "down",
              # No axes on a globe:
              "too far", "repeated", "nan", "unordered"]  # fmt: skip


def _latitudes(n: int, kind: str) -> np.ndarray:
    k, step = np.arange(n), 180 / max(n - 1, 1)
    return {
        "poles": -90 + step * k,
        "poles down": 90 - step * k,
        "cells": -90 + 180 / max(n, 1) * (k + 0.5),
        "region": 10 + 2.5 * k,
        "north": 90 - 3.0 * k,
        "uneven": 10 + 3 * NODES["jittered"](n),
        "float32": np.asarray(-90 + step * k, "f4"),
        "rounded": -90 + np.cumsum(np.full(n, step)) - step,
        "beyond": 80 + 4.0 * k,
        "repeated": np.minimum(5.0 * k, 20),
        "unordered": np.where(k == 1, 40.0, k * 1.0),
        "nan": np.where(k == 1, np.nan, 5.0 * k),
    }[kind]  # fmt: skip


LATITUDES = ["poles", "poles down", "cells", "region", "north", "uneven", "float32", "rounded",
             # No axes on a globe:
             "beyond", "unordered", "nan", "repeated"]  # fmt: skip


@st.composite
def _angles(
    draw: st.DrawFn, dim: str, n: int, kinds: list[str], make: Any, units: list[Any]
) -> Line:
    kind = draw(st.sampled_from(kinds if rarely(draw, 6) else kinds[:-4]))
    attrs = {"units": draw(st.sampled_from(units))} if not rarely(draw, 5) else {}
    return Line(dim, n, kind, make(n, kind), attrs)


def longitudes(dim: str, n: int) -> st.SearchStrategy[Line]:
    """A dimension of longitudes, round the globe or not."""
    usual = ["degrees_east", "degreeE", "degrees"]
    units = [*usual * 5, "radians", "degrees_west", "m"]
    return _angles(dim, n, LONGITUDES, _longitudes, units)


def latitudes(dim: str, n: int) -> st.SearchStrategy[Line]:
    """A dimension of latitudes, from pole to pole or not."""
    usual = ["degrees_north", "degreeN", "degrees"]
    units = [*usual * 5, "radians", "degrees north", "m"]
    return _angles(dim, n, LATITUDES, _latitudes, units)
