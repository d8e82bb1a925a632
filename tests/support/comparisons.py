"""One table of comparisons: what xgradient computes, and who else computes it.

Each row is an operation on a field, as a call of xgradient and as the calls of others: NumPy,
xarray, torch, dask, findiff, the slow reference of these tests, and the analytic derivative of the
field. The tests run every row and demand equal results; the benchmarks time the same calls. A
peer that is not installed is left out by name (`left_out`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import xarray as xr

import xgradient

from ..support import reference
from ..support.curvilinear_grids import NAMES, rotated

__all__ = [
    "COMPARISONS",
    "TRUTHS",
    "Comparison",
    "Peer",
    "difference",
    "left_out",
    "pairs",
    "sample",
]

#: Peers that are no libraries, but the truth: in tests only, they are slow or tell no time.
TRUTHS = ("reference", "exact")
DIMS = ("time", "lat", "lon")
#: Seconds between two times of a sample.
STEP = 21_600
START = np.datetime64("2000-01-01", "ns")

#: What is done to a sample beforehand, and then the call whose result and time count.
Prepared = Callable[[xr.DataArray], Callable[[], Any]]


@dataclass(frozen=True)
class Peer:
    """Somebody else's call for the same operation.

    Attributes
    ----------
    prepare : callable
        Takes the sample, and gives a call without arguments.
    tolerance : float
        Largest error of float64 results, relative to the largest value.
    inside : int
        Cells next to both ends that are not compared, where another definition holds there.
    """

    prepare: Prepared
    tolerance: float = 1e-12
    inside: int = 0


@dataclass(frozen=True)
class Comparison:
    """One operation, by xgradient and by others.

    Attributes
    ----------
    name : str
        The operation in words.
    dims : tuple of str or tuple of str
        The dimensions along which it differentiates, an entry for each result.
    ours : callable
        As `Peer.prepare`.
    peers : mapping
        From the name of a library, or of a truth, to its call.
    options : mapping
        What `sample` needs to know.
    """

    name: str
    dims: tuple[str | tuple[str, ...], ...]
    ours: Prepared
    peers: Mapping[str, Peer]
    options: Mapping[str, Any] = field(default_factory=dict)


def wave(time: Any, lat: Any, lon: Any, derivs: tuple[int, int, int] = (0, 0, 0)) -> Any:
    """A wave on a warm background, or any of its derivatives, per second and degree."""
    rates = 2 * np.pi / (40 * STEP), np.pi / 180, np.pi / 180
    phases = (rates[0] * time, rates[1] * lat, rates[2] * lon)
    turned = [p + d * np.pi / 2 for p, d in zip(phases, derivs, strict=True)]
    size = 10 * np.prod([r**d for r, d in zip(rates, derivs, strict=True)])
    background = 0 if any(derivs) else 280
    return background + size * np.sin(turned[0] + 1) * np.cos(turned[1]) * np.sin(turned[2] + 2)


def sample(
    shape: tuple[int, int, int] = (9, 17, 36),
    dtype: Any = "f8",
    *,
    uneven: bool = False,
    chunks: Mapping[str, int] | None = None,
) -> xr.DataArray:
    """A smooth field of three dimensions, on uniform or non-uniform coordinates.

    Longitudes span the whole circle. Time is in datetime64, with a step of six hours, or
    non-uniform by up to a third of it.
    """
    steps = [np.arange(n, dtype=np.float64) for n in shape]
    if uneven:
        shifts = np.random.default_rng(11)
        steps = [s + np.round(shifts.uniform(-0.3, 0.3, len(s)) * 64) / 64 for s in steps]
    seconds = steps[0] * STEP
    lat = -80 + 160 * steps[1] / max(shape[1] - 1, 1)
    lon = 360 * steps[2] / shape[2]
    values = wave(seconds[:, None, None], lat[:, None], lon)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * np.cos(values)
    time = START + np.round(seconds * 1e9).astype("m8[ns]")
    result = xr.DataArray(
        values.astype(dtype), dims=DIMS, coords={"time": time, "lat": lat, "lon": lon}, name="t"
    )
    return result.chunk(chunks) if chunks else result


def positions(da: xr.DataArray, dim: str) -> np.ndarray:
    """The coordinate as plain numbers: times in seconds from the start."""
    if dim == "time":
        return (da.time.values - START) / np.timedelta64(1, "s")
    return da[dim].values


def spacing(da: xr.DataArray, dim: str) -> Any:
    """Return the step of a uniform coordinate, or the positions of another."""
    x = positions(da, dim)
    steps = np.diff(x)
    even = np.abs(steps - steps.mean()).max(initial=0) < 1e-9 * np.abs(steps).max(initial=1)
    return float(x[-1] - x[0]) / (len(x) - 1) if even else x


def computed(results: Any) -> tuple[np.ndarray, ...]:
    """Results of any library as NumPy arrays, one for each dimension."""
    if isinstance(results, xr.Dataset):
        results = tuple(results.data_vars.values())
    results = results if isinstance(results, list | tuple) else (results,)
    return tuple(r.values if isinstance(r, xr.DataArray) else np.asarray(r) for r in results)


def difference(comparison: Comparison, found: Any, expected: Any, inside: int = 0) -> float:
    """Largest error relative to the largest value, over all results of a comparison."""
    ours, theirs = computed(found), computed(expected)
    if [a.shape for a in ours] != [b.shape for b in theirs]:
        return float("inf")
    errors = []
    for dims, a, b in zip(comparison.dims, ours, theirs, strict=True):
        for dim in (dims,) if isinstance(dims, str) else dims:
            rows = slice(inside, a.shape[DIMS.index(dim)] - inside)
            a, b = (np.moveaxis(np.moveaxis(v, DIMS.index(dim), 0)[rows], 0, DIMS.index(dim))
                    for v in (a, b))  # fmt: skip
        error = np.abs(a - b).max() / np.abs(b).max()
        errors.append(np.inf if np.isnan(error) else float(error))
    return max(errors)


def installed(peer: str) -> bool:
    """Return whether a peer is installed."""
    return peer in TRUTHS or find_spec(peer) is not None


def left_out() -> list[str]:
    """The peers that are not installed."""
    every = {peer for comparison in COMPARISONS for peer in comparison.peers}
    return sorted(peer for peer in every if not installed(peer))


def pairs() -> Iterator[tuple[Comparison, str]]:
    """Every comparison with each of its peers, installed or not."""
    for comparison in COMPARISONS:
        for peer in comparison.peers:
            yield comparison, peer


# -- the calls ----------------------------------------------------------------------------------


def _ours(*dims: str, **options: Any) -> Prepared:
    names = dims[0] if len(dims) == 1 else list(dims)
    return lambda da: lambda: da.grad(names, **options).compute()


def _raw(*dims: str, **options: Any) -> Prepared:
    """``xgradient.gradient`` of the bare array."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        steps = [spacing(da, dim) for dim in dims]
        axes = [DIMS.index(dim) for dim in dims]
        return lambda: xgradient.gradient(da.data, spacing=steps, dim=axes, **options)

    return prepare


def _numpy(*dims: str, edge_order: int = 1) -> Prepared:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        values = da.values
        steps = [spacing(da, dim) for dim in dims]
        axes = tuple(DIMS.index(dim) for dim in dims)
        return lambda: np.gradient(values, *steps, axis=axes, edge_order=edge_order)

    return prepare


def _xarray(*dims: str, edge_order: int = 1) -> Prepared:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        def call() -> Any:
            results = [
                da.differentiate(
                    dim, edge_order=edge_order, datetime_unit="s" if dim == "time" else None
                )
                for dim in dims
            ]
            return [result.compute() for result in results]

        return call

    return prepare


def _torch(*dims: str, edge_order: int = 1) -> Prepared:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        import torch

        tensor = torch.from_numpy(da.values)
        real = tensor.real.dtype if tensor.is_complex() else tensor.dtype
        nodes = [torch.from_numpy(np.array(positions(da, dim))).to(real) for dim in dims]
        steps = [spacing(da, dim) for dim in dims]
        even = all(np.ndim(step) == 0 for step in steps)
        axes = [DIMS.index(dim) for dim in dims]
        chosen = steps if even else nodes
        return lambda: torch.gradient(tensor, spacing=chosen, dim=axes, edge_order=edge_order)

    return prepare


def _dask(*dims: str) -> Prepared:
    """dask's own gradient of a chunked array."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        import dask
        from dask.array import gradient

        steps = [spacing(da, dim) for dim in dims]
        axes = tuple(DIMS.index(dim) for dim in dims)
        return lambda: dask.compute(gradient(da.data, *steps, axis=axes))[0]

    return prepare


def _findiff(dim: str, deriv: int = 1, accuracy: int = 2, *, periodic: bool = False) -> Prepared:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        import findiff

        values = da.values
        axis, step = DIMS.index(dim), spacing(da, dim)
        operator = findiff.Diff(axis, step, periodic=periodic, acc=accuracy)
        operator = operator**deriv if deriv > 1 else operator
        return lambda: operator(values)

    return prepare


def _rolled(dim: str) -> Prepared:
    """Centred differences on a uniform periodic axis, written by hand."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        values, axis, step = da.values, DIMS.index(dim), spacing(da, dim)
        return lambda: (np.roll(values, -1, axis) - np.roll(values, 1, axis)) / (2 * step)

    return prepare


def _padded(dim: str) -> Prepared:
    """Pad a field with xarray: one point from the other end on both sides, and its coordinate."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        def call() -> Any:
            wide = da.pad({dim: 1}, mode="wrap")
            x = da[dim].values
            wide = wide.assign_coords({dim: [x[-1] - 360, *x, x[0] + 360]})
            return wide.differentiate(dim).isel({dim: slice(1, -1)}).compute()

        return call

    return prepare


def _second(dim: str) -> Prepared:
    """Second differences as they are written by hand; the ends are left at zero."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        values, axis, step = da.values, DIMS.index(dim), spacing(da, dim)

        def call() -> Any:
            f = np.moveaxis(values, axis, 0)
            result = np.zeros_like(values)
            np.moveaxis(result, axis, 0)[1:-1] = (f[2:] - 2 * f[1:-1] + f[:-2]) / step**2
            return result

        return call

    return prepare


def _on_cells(method: str, chosen: str, **options: Any) -> Prepared:
    """An operation between positions, or an integral, by the grid of xgcm."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import xgcm

        x = da[chosen].values
        middles = (x[1:] + x[:-1]) / 2
        every = np.concatenate([2 * x[:1] - middles[:1], middles, 2 * x[-1:] - middles[-1:]])
        positions = {"center": chosen, "inner": "inner", "outer": "outer"}
        ds = da.to_dataset(name="t").assign_coords(
            inner=middles, outer=every, center_length=(chosen, np.diff(every).astype(da.dtype)),
            inner_length=("inner", np.diff(x).astype(da.dtype)),
        )  # fmt: skip
        grid = xgcm.Grid(
            ds, coords={"X": positions}, autoparse_metadata=False, padding="fill", fill_value=0.0,
            metrics={("X",): ["center_length", "inner_length"]},
        )  # fmt: skip

        def call() -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return getattr(grid, method)(ds.t, "X", **options).compute()

        return call

    return prepare


def _by_method(method: str, dim: str, **options: Any) -> Prepared:
    """A method of the accessor."""
    return lambda da: lambda: getattr(da.grad, method)(dim, **options).compute()


def _between(name: str, method: str, ours: Prepared, hand: Prepared, **options: Any) -> Comparison:
    """An operation on cells along latitudes, as xgcm has it and as it is written by hand."""
    to = options.pop("to", {})
    peers = {"xgcm": Peer(_on_cells(method, "lat", **to)), "numpy": Peer(hand)}
    return Comparison(name, ("lat",), ours, peers, options)


def _along_lat(function: Callable[[Any, Any], Any]) -> Prepared:
    """A formula of a field with latitudes first, and of the latitudes, shaped like it."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        f, x = np.moveaxis(da.values, 1, 0), da.lat.values.astype(da.dtype)[:, None, None]

        def call() -> Any:
            result = function(f, x)
            return np.moveaxis(result, 0, 1) if result.ndim == f.ndim else result

        return call

    return prepare


def _lengths(x: Any) -> Any:
    """Lengths of cells whose faces are in the middle of grid points."""
    middles = (x[1:] + x[:-1]) / 2
    return np.diff(np.concatenate([2 * x[:1] - middles[:1], middles, 2 * x[-1:] - middles[-1:]]),
                   axis=0)  # fmt: skip


def _sums(f: Any, x: Any) -> Any:
    """Cumulative integrals from the first face to each face."""
    terms = f * _lengths(x)
    return np.concatenate([np.zeros_like(terms[:1]), np.cumsum(terms, axis=0)])


def _reference(*dims: str, period: float | None = None, **order: Any) -> Peer:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        def call() -> Any:
            return [
                reference.along(
                    da.values, spacing(da, dim), DIMS.index(dim), period=period, **order
                )
                for dim in dims
            ]

        return call

    return Peer(prepare)


def _exact(*dims: str, deriv: int = 1, tolerance: float, inside: int = 0) -> Peer:
    """The analytic derivative of the sample: equal up to the error of the stencil."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        at = [positions(da, dim) for dim in DIMS]
        shaped = at[0][:, None, None], at[1][:, None], at[2]
        orders = [tuple(deriv if d == dim else 0 for d in DIMS) for dim in dims]
        return lambda: [wave(*shaped, derivs=order) for order in orders]

    return Peer(prepare, tolerance, inside)


#: On the globe, where what is written by hand ends at the last latitude and knows of no pole.
GLOBE: dict[str, Any] = {"metric": "sphere", "periodic": {"lat": False}}
RADIUS = 6371008.8


def _second_component(values: Any) -> Any:
    """The wind to the north, if a sample is that to the east."""
    return 0.5 * values + 7


def _flow(operator: Callable[..., Any], **options: Any) -> Prepared:
    """An operator on a wind."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        v = _second_component(da)
        return lambda: operator(lon=da, lat=v, **GLOBE, **options).compute()

    return prepare


def _by_hand(formula: Callable[..., Any]) -> Prepared:
    """A formula of the sphere as it is written by hand, of a field and slopes east and north."""

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        f, phi = da.values, np.deg2rad(da.lat.values)[:, None]
        x, y = (RADIUS * np.deg2rad(spacing(da, dim)) for dim in ("lon", "lat"))
        cos, tan = (wave(phi).astype(f.real.dtype) for wave in (np.cos, np.tan))

        def east(f: Any) -> Any:
            return (np.roll(f, -1, 2) - np.roll(f, 1, 2)) / (2 * x * cos)

        def north(f: Any) -> Any:
            return np.gradient(f, y, axis=1)

        def laplacian(f: Any) -> Any:
            result = (np.roll(f, -1, 2) - 2 * f + np.roll(f, 1, 2)) / (x * cos) ** 2
            result[:, 1:-1] += (f[:, 2:] - 2 * f[:, 1:-1] + f[:, :-2]) / y**2
            return result - tan / RADIUS * north(f)

        def call() -> Any:
            return formula(f, _second_component(f), east, north, tan / RADIUS, laplacian)

        return call

    return prepare


def _exact_vorticity(da: xr.DataArray) -> Callable[[], Any]:
    at = positions(da, "time")[:, None, None], positions(da, "lat")[:, None], positions(da, "lon")
    phi, metres = np.deg2rad(at[1]), RADIUS * np.pi / 180
    east, north = 0.5 * wave(*at, (0, 0, 1)) / np.cos(phi), wave(*at, (0, 1, 0))
    return lambda: (east - north) / metres + wave(*at) * np.tan(phi) / RADIUS


def _on_grid(da: xr.DataArray) -> xr.DataArray:
    """The sample on a grid whose poles are elsewhere, with 2-D coordinates."""
    places = zip(NAMES, rotated(da.lat.values, da.lon.values, 37.0, 193.0), strict=True)
    units = {"nav_lat": "degrees_north", "nav_lon": "degrees_east"}
    return da.assign_coords(
        {name: (("lat", "lon"), angles, {"units": units[name]}) for name, angles in places}
    )


def _by_nodes(operator: Callable[..., Any]) -> Prepared:
    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        grid, options = _on_grid(da), {"metric": "sphere", "periodic": "lon"}
        return lambda: operator(grid, NAMES, **options).compute()

    return prepare


def _inverted(formula: Callable[..., Any]) -> Prepared:
    """A formula of slopes north and east, by the inverted matrix of steps along the grid."""

    def steps(f: Any) -> tuple[Any, Any]:
        return np.gradient(f, axis=-2), (np.roll(f, -1, -1) - np.roll(f, 1, -1)) / 2

    def prepare(da: xr.DataArray) -> Callable[[], Any]:
        grid = _on_grid(da)
        phi, lam = (np.deg2rad(grid[name].values) for name in NAMES)
        place = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        ahead = np.stack([-np.sin(lam), np.cos(lam), 0 * lam])
        up = np.cross(place, ahead, axis=0)
        (ni, ei), (nj, ej) = (
            [(unit * step).sum(axis=0) * RADIUS for unit in (up, ahead)] for step in steps(place)
        )
        area = ni * ej - nj * ei  # of the matrix of steps north and east along both dimensions
        rows = [(a / area).astype(da.dtype) for a in (ej, -ei, -nj, ni)]

        def call() -> Any:
            fi, fj = steps(da.values)
            return formula(rows[0] * fi + rows[1] * fj, rows[2] * fi + rows[3] * fj)

        return call

    return prepare


def _with_heights(da: xr.DataArray) -> xr.DataArray:
    """The sample with heights that go up in time, by steps of each column's own."""
    steps = np.random.default_rng(5).uniform(0.5, 1.5, da.shape)
    return da.assign_coords(height=(DIMS, np.cumsum(steps, axis=0)))


def _by_heights(da: xr.DataArray) -> Callable[[], Any]:
    levels = _with_heights(da)
    return lambda: levels.grad("height", along="time").compute()


def _by_columns(da: xr.DataArray) -> Callable[[], Any]:
    """NumPy's gradient in each column."""
    heights = _with_heights(da).height.values

    def call() -> Any:
        result = np.empty_like(da.values)
        for at in np.ndindex(da.shape[1:]):
            column = slice(None), *at
            result[column] = np.gradient(da.values[column], heights[column])
        return result

    return call


def _on_the_globe(name: str, ours: Prepared, formula: Callable[..., Any], **options: Any) -> Any:
    """An operator of latitude and longitude, with one result."""
    peers = {"numpy": Peer(_by_hand(formula), inside=options.pop("inside", 0))}
    return Comparison(name, (("lat", "lon"),), ours, peers, options)


def _first(name: str, *dims: str, **options: Any) -> Comparison:
    """A first derivative, as NumPy, xarray, torch and dask have it."""
    peers = {"numpy": Peer(_numpy(*dims)), "xarray": Peer(_xarray(*dims))}
    peers["torch"] = Peer(_torch(*dims))
    if options.get("chunks"):
        peers["dask"] = Peer(_dask(*dims))
    elif len(dims) == 1:
        # findiff has an edge order of 2 and no other.
        peers["findiff"] = Peer(_findiff(*dims), inside=1)
    return Comparison(name, dims, _ours(*dims), peers, options)


COMPARISONS: tuple[Comparison, ...] = (
    _first("d/dlon, uniform", "lon"),
    _first("d/dlat, uniform", "lat"),
    _first("d/dtime, uniform", "time"),
    _first("d/dlon, non-uniform", "lon", uneven=True),
    _first("d/dlat, non-uniform", "lat", uneven=True),
    _first("d/dtime, non-uniform", "time", uneven=True),
    _first("all three, uniform", *DIMS),
    _first("all three, non-uniform", *DIMS, uneven=True),
    _first("d/dlat, uniform, in chunks", "lat", chunks={"time": 4, "lat": 5}),
    _first("all three, non-uniform, in chunks", *DIMS, uneven=True, chunks={"lat": 6, "lon": 12}),
    Comparison(
        "gradient() of an array",
        DIMS,
        _raw(*DIMS),
        {"numpy": Peer(_numpy(*DIMS)), "torch": Peer(_torch(*DIMS))},
    ),
    Comparison(
        "gradient() of a complex array",
        DIMS,
        _raw(*DIMS, edge_order=2),
        {
            "numpy": Peer(_numpy(*DIMS, edge_order=2)),
            "torch": Peer(_torch(*DIMS, edge_order=2)),
            "reference": _reference(*DIMS, edge_order=2),
        },
        {"dtype": "c16", "uneven": True},
    ),
    Comparison(
        "d/dlat, non-uniform, edge order 2",
        ("lat",),
        _ours("lat", edge_order=2),
        {
            "numpy": Peer(_numpy("lat", edge_order=2)),
            "xarray": Peer(_xarray("lat", edge_order=2)),
            "torch": Peer(_torch("lat", edge_order=2)),
            "findiff": Peer(_findiff("lat")),
        },
        {"uneven": True},
    ),
    Comparison(
        "d/dlon, uniform, periodic",
        ("lon",),
        _ours("lon", periodic={"lon": 360}),
        {
            "numpy": Peer(_rolled("lon")),
            "xarray": Peer(_padded("lon")),
            "findiff": Peer(_findiff("lon", periodic=True)),
            "reference": _reference("lon", period=360),
        },
    ),
    Comparison(
        "d/dlon, non-uniform, periodic",
        ("lon",),
        _ours("lon", periodic={"lon": 360}),
        {"xarray": Peer(_padded("lon")), "reference": _reference("lon", period=360)},
        {"uneven": True},
    ),
    Comparison(
        "d/dlon, accuracy 4",
        ("lon",),
        _ours("lon", accuracy=4),
        {
            "findiff": Peer(_findiff("lon", accuracy=4), inside=2),
            "reference": _reference("lon", accuracy=4),
        },
    ),
    Comparison(
        "d/dlat, non-uniform, accuracy 4",
        ("lat",),
        _ours("lat", accuracy=4),
        {"reference": _reference("lat", accuracy=4)},
        {"uneven": True},
    ),
    Comparison(
        "d/dlon, accuracy 8, periodic",
        ("lon",),
        _ours("lon", accuracy=8, periodic={"lon": 360}),
        {
            "findiff": Peer(_findiff("lon", accuracy=8, periodic=True)),
            "exact": _exact("lon", tolerance=1e-8),
        },
    ),
    Comparison(
        "d/dlat, non-uniform, accuracy 8",
        ("lat",),
        _ours("lat", accuracy=8),
        {"exact": _exact("lat", tolerance=1e-8, inside=4)},
        {"uneven": True},
    ),
    Comparison(
        "d2/dlat2, uniform",
        ("lat",),
        _ours("lat", deriv=2),
        {
            "numpy": Peer(_second("lat"), inside=1),
            "findiff": Peer(_findiff("lat", deriv=2), inside=1),
            "reference": _reference("lat", deriv=2),
        },
    ),
    Comparison(
        "d2/dlon2, non-uniform",
        ("lon",),
        _ours("lon", deriv=2),
        {"reference": _reference("lon", deriv=2)},
        {"uneven": True},
    ),
    Comparison(
        "d3/dlon3, accuracy 6, periodic",
        ("lon",),
        _ours("lon", deriv=3, accuracy=6, periodic={"lon": 360}),
        {"exact": _exact("lon", deriv=3, tolerance=1e-5)},
    ),
    _on_the_globe(
        "magnitude of the gradient on the sphere",
        lambda da: lambda: da.grad.magnitude(["lat", "lon"], **GLOBE).compute(),
        lambda f, v, east, north, bend, laplacian: np.hypot(east(f), north(f)),
    ),
    _on_the_globe(
        "divergence on the sphere",
        _flow(xgradient.divergence),
        lambda u, v, east, north, bend, laplacian: east(u) + north(v) - v * bend,
    ),
    _on_the_globe(
        "vorticity on the sphere",
        _flow(xgradient.curl),
        lambda u, v, east, north, bend, laplacian: east(v) - north(u) + u * bend,
    ),
    _on_the_globe(
        "vorticity on the sphere, in chunks",
        _flow(xgradient.curl),
        lambda u, v, east, north, bend, laplacian: east(v) - north(u) + u * bend,
        chunks={"lat": 6, "lon": 12},
    ),
    Comparison(
        "vorticity on the sphere, accuracy 8",
        (("lat", "lon"),),
        _flow(xgradient.curl, accuracy=8),
        {"exact": Peer(_exact_vorticity, 1e-8, inside=4)},
    ),
    _on_the_globe(
        "Laplacian on the sphere",
        lambda da: lambda: da.grad.laplacian(["lat", "lon"], **GLOBE).compute(),
        lambda f, v, east, north, bend, laplacian: laplacian(f),
        inside=1,
    ),
    _on_the_globe(
        "advection on the sphere",
        lambda da: lambda: da.grad.advection(lon=da, lat=_second_component(da), **GLOBE).compute(),
        lambda f, v, east, north, bend, laplacian: -(f * east(f) + v * north(f)),
    ),
    Comparison(
        "gradient on a curvilinear grid",
        (("lat", "lon"), ("lat", "lon")),
        _by_nodes(lambda da, names, **options: da.grad(names, **options)),
        {"numpy": Peer(_inverted(lambda north, east: (north, east)))},
    ),
    Comparison(
        "magnitude of the gradient on a curvilinear grid",
        (("lat", "lon"),),
        _by_nodes(lambda da, names, **options: da.grad.magnitude(names, **options)),
        {"numpy": Peer(_inverted(np.hypot))},
    ),
    _between(
        "difference between cells, along lat",
        "diff",
        _ours("lat", to="inner", spacing={"lat": 1.0}),
        _along_lat(lambda f, x: np.diff(f, axis=0)),
        to={"to": "inner"},
    ),
    _between(
        "d/dlat between cells, non-uniform",
        "derivative",
        _ours("lat", to="inner"),
        _along_lat(lambda f, x: np.diff(f, axis=0) / np.diff(x, axis=0)),
        to={"to": "inner"},
        uneven=True,
    ),
    _between(
        "interpolation between cells, along lat",
        "interp",
        _by_method("interpolate", "lat", to="inner"),
        _along_lat(lambda f, x: (f[1:] + f[:-1]) / 2),
        to={"to": "inner"},
    ),
    _between(
        "integral over lat, non-uniform",
        "integrate",
        _by_method("integrate", "lat"),
        _along_lat(lambda f, x: (f * _lengths(x)).sum(axis=0)),
        uneven=True,
    ),
    _between(
        "cumulative integral over lat, non-uniform",
        "cumint",
        _by_method("cumulative_integrate", "lat"),
        _along_lat(_sums),
        to={"to": "outer"},
        uneven=True,
    ),
    Comparison(
        "d/dz by heights of each column",
        ("time",),
        _by_heights,
        {"numpy": Peer(_by_columns)},
    ),
)
