"""Calls that hypothesis draws: every operator, on data and with options of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

import xgradient

from ..support.random_coordinates import Line, latitudes, lines, longitudes, rarely
from ..support.strategies import DTYPES, NODES, chunkings, make_field
from .random_options import (
    OPERATORS,
    SCALARS,
    VECTORS,
    names_asked,
    orders,
    periodic,
    spacing,
)

__all__ = ["Call", "calls"]


@dataclass
class Call:
    """One call: an operator, its data, the dimensions it is asked for, and its options."""

    operator: str
    data: xr.Dataset
    dims: Any
    options: dict[str, Any]
    chunks: dict[str, tuple[int, ...]]
    all_lazy: bool = False
    lines: dict[str, Line] = field(default_factory=dict)

    def __call__(self, data: xr.Dataset | None = None, **changed: Any) -> Any:
        """Return the result of the call, with its own data or others."""
        data = self.data if data is None else data
        options = {**self.options, **changed}
        f, dims = data["f"], self.dims
        if self.operator == "gradient":
            options = {
                k: v for k, v in options.items() if k not in ("metric", "along", "at_constant")
            }
            return xgradient.gradient(f.data, dim=dims, **options)
        if self.operator == "grad":
            return f.grad(dims, **options)
        if self.operator == "grad of a Dataset":
            return data.grad(dims, **options)
        options = {k: v for k, v in options.items() if k not in ("deriv", "along", "at_constant")}
        if self.operator in SCALARS:
            return getattr(f.grad, self.operator)(dims, **options)
        names = dict(zip(dims, "uvw", strict=False))
        if self.operator in VECTORS:
            return getattr(data.grad, self.operator)(names, **options)
        flow = {dim: data[name] for dim, name in names.items()}
        return getattr(f.grad, self.operator)(flow, **options)

    def lazy(self) -> xr.Dataset:
        """The data in chunks, with coordinates of several dimensions or without.

        Positions along one dimension are read when the call is made.
        """
        lazy = self.data.copy(deep=False)
        for name, da in self.data.variables.items():
            if name in self.data.data_vars or (self.all_lazy and da.ndim > 1):
                lazy[name] = da.chunk({d: self.chunks[d] for d in da.dims})
        return lazy

    def __repr__(self) -> str:
        lines = [f"{n}: {v.kind} {v.values!r} {v.attrs}" for n, v in self.lines.items()]
        chunks = f"chunks {self.chunks}, of coordinates too: {self.all_lazy}"
        words = f"{self.operator} of {self.dims!r} with {self.options!r}"
        return "\n".join([words, *lines, chunks, repr(self.data)])


# ----------------------------------------------------------------------------------------- fields

QUICK_DTYPES = ["f8", "f4"]
#: What is no number, each to be refused.
NO_NUMBERS = ["M8[ns]", "m8[ns]", "U3", "O", "S2"]
FIELD_UNITS = [
    "K",
    "m s-1",
    "kg m-2",
    "",
    "1",
    "degC",
    "a.u.",
    "psu",
    "dB",
    "m**9**9**9",
    "(",
    5,
    None,
]
FLOW_NAMES = ["eastward_wind", "northward_wind", "upward_air_velocity", "no_such_name", 3]


def _attrs(draw: st.DrawFn) -> dict[Any, Any]:
    attrs: dict[Any, Any] = {}
    if not rarely(draw, 4):
        attrs["units"] = draw(st.sampled_from(FIELD_UNITS if rarely(draw, 5) else FIELD_UNITS[:3]))
    if not rarely(draw, 6):
        return attrs
    name = draw(st.sampled_from(
        ["_FillValue", "missing_value", "scale_factor", "add_offset", "standard_name", "long_name",
         "positive", "flag_values", "cell_methods", "valid_range", 3]))  # fmt: skip
    values = {
        "_FillValue": [-999.0, np.nan, 0.0, 1, "x", None],
        "missing_value": [-999.0, [1e20, 1e30], "", np.float32(1e20)],
        "scale_factor": [1.0, 0.1, "x"],
        "add_offset": [0.0, 273.15, None],
        "standard_name": ["air_temperature", *FLOW_NAMES],
        "long_name": ["a name", "", 5, None],
        "flag_values": [[0, 1], "0 1"],
    }
    attrs[name] = draw(st.sampled_from(values.get(name, ["up", 1, None])))
    return attrs


def _field(draw: st.DrawFn, shape: tuple[int, ...], dtype: str, holes: float) -> np.ndarray:
    seed = draw(st.integers(0, 2**16))
    if dtype in NO_NUMBERS:
        return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    values = make_field(shape, dtype, seed)
    if holes and values.dtype.kind in "fc":
        values[np.random.default_rng(seed).random(shape) < holes] = np.nan
    return values


@st.composite
def _fields(
    draw: st.DrawFn, dims: list[str], shape: tuple[int, ...], quick: bool
) -> dict[str, Any]:
    """Variables f, u, v and w on the same dimensions, as a rule of one dtype."""
    kinds = QUICK_DTYPES if quick else DTYPES
    dtype = draw(st.sampled_from(NO_NUMBERS if rarely(draw, 40) else kinds))
    other = draw(st.sampled_from(kinds)) if not quick and rarely(draw, 10) else dtype
    holes = draw(st.sampled_from([0, 0, 0.15, 1.0])) if rarely(draw, 3) else 0
    attrs = _attrs(draw)
    found = {}
    for name in "fuvw":
        own = _attrs(draw) if name == "f" or rarely(draw, 5) else attrs
        values = _field(draw, shape, dtype if name == "f" else other, holes)
        found[name] = xr.Variable(dims, values, own)
    return found


# --------------------------------------------------------------------------------------- settings


def _length(draw: st.DrawFn, ndim: int) -> int:
    if rarely(draw, 12):
        return draw(st.integers(0, 2))
    return draw(st.integers(4, 12 if ndim == 1 else 8))


@dataclass
class _Setting:
    """Where fields lie, what the dimensions of a call may be, and options that belong to it."""

    lines: list[Line]
    coords: dict[str, Any]
    names: list[Any]
    metrics: list[Any]
    options: dict[str, Any] = field(default_factory=dict)
    finish: Callable[[xr.Dataset], xr.Dataset] | None = None


def _plain(draw: st.DrawFn) -> _Setting:
    ndim = draw(st.integers(1, 3))
    dims = draw(st.permutations(["x", "y", "time", "level"]))[:ndim]
    axes = [draw(lines(dim, _length(draw, ndim))) for dim in dims]
    coords = {k: v for line in axes for k, v in line.coords.items()}
    odd = [-1.0, 0, np.nan, "no such", "f", True]
    factors = {dims[0]: draw(st.sampled_from([2.0, *odd] if rarely(draw, 3) else [2.0, 0.5]))}
    return _Setting(axes, coords, list(dims), [*[None] * 8, factors, factors, "sphere"])


_GLOBES = ["sphere", "sphere", "ellipsoid", None, xgradient.Sphere(2.0)]


def _globe(draw: st.DrawFn) -> _Setting:
    lat, lon = draw(st.sampled_from([("lat", "lon"), ("latitude", "longitude"), ("j", "i")]))
    north, east = draw(latitudes(lat, _length(draw, 2))), draw(longitudes(lon, _length(draw, 2)))
    axes = [north, east] if draw(st.booleans()) else [east, north]
    if rarely(draw, 3):
        axes.insert(draw(st.integers(0, 2)), draw(lines("level", draw(st.integers(1, 4)))))
    coords = {k: v for line in axes for k, v in line.coords.items()}

    def close(ds: xr.Dataset) -> xr.Dataset:
        """Give the last longitude the values of the first, which is the same place."""
        if "cyclic" not in east.kind or east.n < 3:
            return ds
        again = ds.isel({lon: 0}).expand_dims({lon: 1})
        for name in ds.data_vars:
            values = ds[name].values.copy()
            at = tuple(-1 if d == lon else slice(None) for d in ds[name].dims)
            values[at] = again[name].isel({lon: 0}).values
            ds = ds.assign({name: ds[name].copy(data=values)})
        return ds

    names = [lon, lat] + [line.dim for line in axes if line.dim == "level"]
    return _Setting(axes, coords, names, _GLOBES, {}, None if rarely(draw, 8) else close)


def _curved(draw: st.DrawFn) -> _Setting:
    """Latitudes and longitudes of two dimensions."""
    shape = _length(draw, 2), _length(draw, 2)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    lat, lon = 40 + 20 * y + 5 * x * y, 10 + 30 * x - 4 * y
    if rarely(draw, 6) and min(shape) > 0:
        at = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
        (lat if draw(st.booleans()) else lon)[at] = draw(st.sampled_from([np.nan, np.inf, 100, 40]))
    dtype = draw(st.sampled_from(["f8", "f4"]))
    units = [{"units": f"degrees_{way}"} for way in ("north", "east")]
    coords = {"nav_lat": (("y", "x"), lat.astype(dtype), units[0]),
              "nav_lon": (("y", "x"), lon.astype(dtype), units[1])}  # fmt: skip
    axes = [Line("y", shape[0], "none"), Line("x", shape[1], "none")]
    if rarely(draw, 3):
        axes.insert(draw(st.integers(0, 2)), draw(lines("time", draw(st.integers(1, 3)))))
        coords.update(next(a for a in axes if a.dim == "time").coords)
    return _Setting(axes, coords, ["nav_lon", "nav_lat"], _GLOBES)


def _levels(draw: st.DrawFn) -> _Setting:
    """Heights of several dimensions, along levels."""
    shape = draw(st.integers(1, 7)), _length(draw, 2)
    steps = 1 + 0.4 * np.cos(np.arange(shape[0] * shape[1])).reshape(shape)
    z = draw(st.sampled_from([1.0, -100.0])) * np.cumsum(steps, axis=0)
    if rarely(draw, 6) and z.size:
        z[tuple(draw(st.integers(0, n - 1)) for n in shape)] = draw(st.sampled_from([np.nan, 3.0]))
    coords: dict[str, Any] = {"z": (("level", "x"), z, {"units": "m"})}
    other = draw(lines("x", shape[1]))
    axes = [Line("level", shape[0], "none"), other]
    coords.update(other.coords)
    names: list[Any] = ["z"]
    options: dict[str, Any] = {"along": "level"}
    if rarely(draw, 3):
        names, options = (
            ["x"],
            {"at_constant": "z", "along": draw(st.sampled_from(["level", None]))},
        )
    return _Setting(axes, coords, names, [None], options)


def _track(draw: st.DrawFn) -> _Setting:
    """A latitude and a longitude along one dimension."""
    n = _length(draw, 1)
    s = NODES[draw(st.sampled_from(sorted(NODES)))](n)
    lat, lon = 10 + 2 * s, (100 + 3 * s**1.2 if n else s)
    if rarely(draw, 6) and n:
        lat[draw(st.integers(0, n - 1))] = draw(st.sampled_from([np.nan, 95.0, 12.0]))
    units = [{"units": f"degrees_{way}"} for way in ("north", "east")]
    coords = {"lat": ("obs", lat, units[0]), "lon": ("obs", lon, units[1])}
    names = draw(st.sampled_from([["obs"], ["obs"], ["lat"], ["lon"], ["lat", "lon"]]))
    return _Setting([Line("obs", n, "track")], coords, names, ["sphere", "ellipsoid", None])


def _stacked(draw: st.DrawFn) -> _Setting:
    """Two dimensions stacked into one with a MultiIndex."""
    # pandas stacks not every kind.
    kinds = ["uniform", "jittered", "f4", "datetime", "repeated", "text", "cftime"]
    axes = [draw(lines(dim, _length(draw, 2), kinds)) for dim in "xy"]
    coords = {k: v for line in axes for k, v in line.coords.items()}
    names = draw(st.sampled_from([["s"], ["x"], ["x", "y"]]))
    return _Setting(axes, coords, names, [None, "sphere"], {}, lambda ds: ds.stack(s=["x", "y"]))


SETTINGS = [*[_plain] * 6, *[_globe] * 5, *[_curved] * 3, _levels, _levels, _track, _stacked]


@st.composite
def calls(draw: st.DrawFn, quick: bool = True) -> Call:
    """A call of any operator; ``quick`` ones keep to what few compiled loops compute."""
    operator = draw(st.sampled_from(OPERATORS))
    setting = draw(st.sampled_from(SETTINGS))(draw)
    axes, names = setting.lines, setting.names
    if operator in ("curl", "strain") and len(names) == 1 and setting.finish is None:
        operator = "divergence"
    if "along" in setting.options and not rarely(draw, 6):
        operator = "grad"
    if operator == "strain":
        names = names[:2]
    dims, shape = [line.dim for line in axes], tuple(line.n for line in axes)
    ds = xr.Dataset(draw(_fields(dims, shape, quick)), setting.coords)
    if setting.finish is not None:
        ds = setting.finish(ds)
    options = {**orders(draw, quick), **setting.options}
    metric = draw(st.sampled_from(setting.metrics))
    if rarely(draw, 30):
        metric = draw(st.sampled_from(["cube", 5, {}, [], {"nothing": 1.0}, {"x": "u"}, "sphere"]))
    if metric is not None:
        options["metric"] = metric
    if rarely(draw, 4 if metric is None else 40):
        options["spacing"] = spacing(draw, axes, names, operator == "gradient")
    if rarely(draw, 5):
        options["periodic"] = periodic(draw, names, operator == "gradient")
    if rarely(draw, 40):
        option = draw(st.sampled_from(["along", "at_constant"]))
        options[option] = draw(st.sampled_from(["x", "nothing", "level", "f", 0]))
    chunks = draw(chunkings(ds["f"].shape))
    return Call(
        operator, ds, names_asked(draw, operator, names, len(dims)), options,
        dict(zip(ds["f"].dims, chunks, strict=True)), draw(st.booleans()),
        {line.dim: line for line in axes},
    )  # fmt: skip
