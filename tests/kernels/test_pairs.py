"""Pairs of terms in one pass: the bits of terms one after the other, on grids of any layout."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.kernels.compiled import pair_driver, tiles

from ..support.loops import arrays_of, compile_loops
from ..support.marks import slow
from ..support.strategies import make_field

pytestmark = pytest.mark.compiled

NAMES = ["lat", "lon"]
OPERATORS = {
    "both": lambda ds, **kw: ds.u.grad(NAMES, **kw),
    "one": lambda ds, **kw: ds.u.grad("lon", **kw),
    "magnitude": lambda ds, **kw: ds.u.grad.magnitude(NAMES, **kw),
    "divergence": lambda ds, **kw: ds.grad.divergence(lon="u", lat="v", **kw),
    "strain": lambda ds, **kw: ds.grad.strain(lon="u", lat="v", **kw),
}


def grid(shape, dtype="f8"):
    """Two fields on a grid with uneven steps, whose rows may go round the globe."""
    ny, nx = shape[-2:]
    x, y = np.arange(nx) / nx, np.linspace(-1, 1, ny)[:, None]
    lon = 360 * x + 5 * np.sin(2 * np.pi * x) + 3 * y
    lat = 40 * y + 10 * y**2 + 4 * np.cos(2 * np.pi * x)
    dims = ("a", "b", "y", "x")[4 - len(shape) :]
    fields = {name: (dims, make_field(shape, dtype, seed)) for seed, name in enumerate("uv")}
    units = [{"units": f"degrees_{way}"} for way in ("north", "east")]
    coords = {"lat": (("y", "x"), lat + 0 * lon, units[0]), "lon": (("y", "x"), lon, units[1])}
    return xr.Dataset(fields, coords)


@pytest.fixture
def passes(monkeypatch):
    """The rows of each pass over pairs, in small arrays too, cut into tiles and work units."""
    monkeypatch.setattr(pair_driver, "MIN_CELLS", 1)
    monkeypatch.setattr(tiles, "TILE_BYTES", 4096)
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
    found = []

    def counted(pairs, with_numpy):
        found.append(pairs)
        pair_driver.write_pairs(pairs, with_numpy)

    monkeypatch.setattr(tiles, "write_pairs", counted)
    return found


def in_turns(monkeypatch, passes, call):
    """The results in one pass by the loops, by NumPy, and term by term."""
    results, counts = [], []
    for when, cells in (("now", 1), ("never", 1), ("now", 1 << 60)):
        passes.clear()
        with monkeypatch.context() as patch:
            compile_loops(patch, when)
            patch.setattr(pair_driver, "MIN_CELLS", cells)
            results.append(arrays_of(call()))
        counts.append(len(passes))
    assert counts[2] == 0
    return results, counts[0]


def check(operator, ds, options, monkeypatch, passes):
    """Compare the results; return them and the number of passes."""
    call = partial(OPERATORS[operator], ds, metric="sphere", **options)
    results, count = in_turns(monkeypatch, passes, call)
    for once, by_numpy, by_terms in zip(*results, strict=True):
        np.testing.assert_array_equal(once, by_terms)
        np.testing.assert_array_equal(once, by_numpy)
    return results[0], count


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("options", [{}, {"edge_order": 2}, {"periodic": "x"}], ids=str)
@pytest.mark.parametrize("shape", [(13, 14), (10, 9, 14), slow((2, 3, 13, 14))])
@pytest.mark.parametrize("dtype", ["f8", slow("f4")])
def test_one_pass_has_the_bits_of_single_terms(
    operator, options, shape, dtype, monkeypatch, passes
):
    results, count = check(operator, grid(shape, dtype), options, monkeypatch, passes)
    assert count
    assert all(np.isfinite(found).all() for found in results)


@pytest.mark.slow
def test_complex_numbers(monkeypatch, passes):
    _, count = check("both", grid((10, 9, 14), "c16"), {}, monkeypatch, passes)
    assert count


@pytest.mark.parametrize("periodic", [False, "x"])
@pytest.mark.parametrize("chunks", [{"b": 3}, {"y": 4, "x": 5}, {"x": 1}], ids=str)
def test_chunks(chunks, periodic, monkeypatch, passes):
    """The rows and columns next to another chunk have their neighbours in the halo."""
    ds = grid((6, 9, 14))
    lazy, count = check("both", ds.chunk(chunks), {"periodic": periodic}, monkeypatch, passes)
    whole, _ = check("both", ds, {"periodic": periodic}, monkeypatch, passes)
    assert count
    for a, b in zip(lazy, whole, strict=True):
        np.testing.assert_array_equal(a, b)


LAYOUTS = {
    "columns first": lambda a: a.transpose("b", "x", "y").copy(),
    "levels last": lambda a: a.transpose("y", "x", "b").copy(),
    "reversed rows": lambda a: a.isel(y=slice(None, None, -1)),
    "part": lambda a: a.isel(y=slice(1, -1), x=slice(2, 12)),
    "every other row": lambda a: a.isel(y=slice(None, None, 2)),
    "big-endian": lambda a: a.astype(">f8"),
    "without three rows": lambda a: a.isel(y=slice(0, 2)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, monkeypatch, passes):
    ds = LAYOUTS[layout](grid((6, 9, 14)))
    check("both", ds, {}, monkeypatch, passes)


def test_the_comparison_can_fail(monkeypatch, passes):
    """Without the stretching the values are others."""
    ds, run = grid((10, 9, 14)), pair_driver._run
    right = arrays_of(ds.u.grad(NAMES, metric="sphere"))

    def without_stretching(group, first, last):
        bare = [(i._replace(stretching=0 * i.stretching), j, out) for i, j, out in group]
        run(bare, first, last)

    monkeypatch.setattr(pair_driver, "_run", without_stretching)
    wrong = arrays_of(ds.u.grad(NAMES, metric="sphere"))
    assert passes
    assert all(
        np.max(abs(a - b)) > 1e-3 * np.max(abs(a)) for a, b in zip(right, wrong, strict=True)
    )
