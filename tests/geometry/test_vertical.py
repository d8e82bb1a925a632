"""Coordinates of several dimensions along one of them: every column has positions of its own."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import xgradient  # noqa: F401  registers .grad
from xgradient.engine.evaluate import evaluate_sums
from xgradient.engine.terms import Term, TermSum
from xgradient.kernels.compiled import tiles
from xgradient.stencils.scheme import Scheme

from ..support import reference
from ..support.backends import library
from ..support.columns import by_columns, columns, derivative, on_levels, same
from ..support.marks import slow
from ..support.strategies import LAYOUTS, NODES, chunkings, make_field

ORDERS = [
    {},
    {"edge_order": 2},
    {"accuracy": 4},
    {"accuracy": 5, "edge_order": 3},
    {"deriv": 2},
    {"deriv": 2, "accuracy": 6},
    {"deriv": 3, "accuracy": 1},
]
PARTS = pytest.mark.parametrize("order", ORDERS, ids=lambda o: "-".join(map(str, o.values())))


# -- exact where it must be ------------------------------------------------------------------------


def terrain():
    """Levels that follow a terrain, closer to each other over mountains and near the ground."""
    y, x = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 7), indexing="ij")
    ground = 1500 * np.exp(-20 * ((x - 0.5) ** 2 + (y - 0.4) ** 2)) + 20 * np.sin(40 * x * y)
    time = np.array([0.0, 0.1, 0.3])[:, None, None, None]
    s = np.linspace(0, 1, 16)[:, None, None] ** 1.5
    return ground + (12000 - ground) * s * (1 + time * (1 - s) * y)


@pytest.mark.parametrize("deriv", [1, 2, 3])
@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 5, 6])
def test_polynomials_on_terrain_following_levels(deriv, accuracy):
    """Exact to 1e-10 of the largest derivative, in every column, edges included."""
    z, rng = terrain(), np.random.default_rng(10 * deriv + accuracy)
    p = np.polynomial.Polynomial(rng.uniform(1, 2, accuracy + 1), [0, 12000], [-1, 1])
    exact, orders = p.deriv(deriv)(z), {"deriv": deriv, "accuracy": accuracy}
    f, along = on_levels(p(z), z, 1)
    found = f.grad("z", along=along, edge_order=accuracy, **orders)
    scale = abs(exact).max() if abs(exact).any() else abs(p(z)).max() / 12000**deriv
    assert abs(found - exact).max() < 1e-10 * scale
    for chunks in ({"d1": 1}, {"d1": (3, 1, 12), "d3": 2}, {"d0": 1, "d1": 5, "d2": 3}):
        lazy = f.chunk(chunks).grad("z", along=along, edge_order=accuracy, **orders)
        assert same(lazy, found)


@PARTS
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((4, 11, 3), 1),
        ((11, 300), 0),
        slow((300, 11), 1),
        slow((3, 100), 1),
        ((11,), 0),
        ((2, 3, 11, 2), 2),
    ],
)
def test_every_column_is_that_of_exact_fractions(order, shape, axis):
    f, z = make_field(shape), columns(shape, axis)
    found = derivative(f, z, axis, **order).values
    some = (slice(None, 4),) * axis + (slice(None),) + (slice(None, 4),) * (f.ndim - axis - 1)
    expected = by_columns(f[some], z[some], axis, **order)
    assert abs(found[some] - expected).max() < 1e-11 * 4 ** order.get("deriv", 1)
    # The last columns too, which are worked on by themselves.
    ends = tuple(slice(None) if k == axis else slice(-1, None) for k in range(f.ndim))
    assert abs(found[ends] - by_columns(f[ends], z[ends], axis, **order)).max() < 1e-10


def test_one_coordinate_for_all_columns_gives_what_an_axis_gives():
    x = NODES["jittered"](20)
    f = make_field((3, 20, 4))
    z = x[:, None] + np.zeros(4)
    da = xr.DataArray(f, {"s": x, "z": (("s", "x"), z)}, ("t", "s", "x"))
    for order in ORDERS:
        np.testing.assert_allclose(
            da.grad("z", along="s", **order), da.grad("s", **order), rtol=1e-10, atol=1e-10
        )


def test_a_wrong_neighbour_is_found():
    """The comparison can fail: by the positions of the next column."""
    f, z = make_field((12, 5)), columns((12, 5), 0)
    right = by_columns(f, z, 0)
    assert abs(derivative(f, z, 0) - right).max() < 1e-12
    assert abs(derivative(f, np.roll(z, 1, 1), 0) - right).max() > 1e-2


def test_constants_have_no_derivative_at_all():
    z = columns((9, 6, 5), 0)
    for dtype, value in (("f4", 101325.0), ("f8", 1 / 3), ("c8", 273.15 + 1j), ("i4", 7)):
        for order in ORDERS:
            assert not derivative(np.full(z.shape, value, dtype), z, 0, **order).any()


def test_float32_keeps_its_digits():
    """Temperatures on heights, both in float32: differences come first, in float64."""
    z = columns((40, 200), 0)
    rng = np.random.default_rng(1)
    f32 = (300 + rng.standard_normal(z.shape)).astype("f4")
    expected = by_columns(f32[:, :5].astype("f8"), z[:, :5], 0)
    assert abs(derivative(f32, z, 0)[:, :5] - expected).max() < 1e-6 * abs(expected).max()
    z32 = (z + 1e4).astype("f4")
    expected = by_columns(f32[:, :5].astype("f8"), z32[:, :5].astype("f8"), 0)
    assert abs(derivative(f32, z32, 0)[:, :5] - expected).max() < 1e-6 * abs(expected).max()


def test_time_counts_as_a_dimension_like_others():
    """Positions along time, and a field of which every dimension but one is shared."""
    z = columns((5, 14), 1)[:, None, :]
    f = make_field((5, 6, 14))
    da, along = on_levels(f, z, 2)
    found = da.transpose("d2", "d0", "d1").grad("z", along=along)
    assert abs(found.transpose("d0", "d1", "d2") - by_columns(f, z, 2)).max() < 1e-11


# -- any array, any memory, any chunks -------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "f2", "i2", "?", ">f4", "g", "G"])
@pytest.mark.parametrize("of_z", ["f4", "f8", "i4", "u2", ">f8", "f2", "g"])
def test_every_dtype(dtype, of_z):
    f, z = make_field((3, 9, 5), dtype), (10 * columns((3, 9, 5), 1)).astype(of_z)
    z = np.sort(abs(z.astype("f8")), 1).astype(of_z)
    wide = f.astype("c16" if f.dtype.kind == "c" else "f8")
    found = derivative(f, z, 1, accuracy=3)
    assert found.dtype == (np.dtype("f8") if f.dtype.kind in "ib" else f.dtype.newbyteorder("="))
    expected = by_columns(wide, z.astype("f8"), 1, accuracy=3)
    assert (
        abs(found - expected).max()
        <= 4 * np.finfo(found.dtype).eps * abs(f).max() + 1e-12 * abs(wide).max()
    )


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(9, 4, 70), (4, 9, 3), (70, 3, 9)])
def test_every_layout_gives_the_same_bits(layout, shape):
    axis = shape.index(9)
    f, z = make_field(shape, "f4"), columns(shape, axis)
    for order in ({}, {"accuracy": 4}):
        expected = derivative(f, z, axis, **order)
        assert same(derivative(LAYOUTS[layout](f), z, axis, **order), expected)
        assert same(derivative(f, LAYOUTS[layout](z), axis, **order), expected)


@pytest.mark.parametrize("missing", [(), (0,), (2,), (3,), (0, 3), (2, 3), (0, 2)])
def test_positions_need_not_have_all_dimensions(missing):
    shape = (3, 10, 4, 5)
    f, z = make_field(shape), columns([1 if k in missing else n for k, n in enumerate(shape)], 1)
    found = derivative(f, z, 1, accuracy=3)
    assert same(
        found, derivative(f, np.ascontiguousarray(np.broadcast_to(z, shape)), 1, accuracy=3)
    )
    da, along = on_levels(f, z, 1)
    for chunks in ({"d0": 1, "d2": 3}, {"d1": 4, "d3": 2}):
        assert same(da.chunk(chunks).grad("z", along=along, accuracy=3), found)
        lazy = da.chunk(chunks)
        assert same(lazy.assign_coords(z=da.z.chunk()).grad("z", along=along, accuracy=3), found)


@given(data=st.data())
def test_chunks_change_no_bit(data):
    n = data.draw(st.integers(9, 24))
    shape = (3, n, 4)
    order = data.draw(st.sampled_from(ORDERS))
    f, z = make_field(shape, "f4"), columns(shape, 1, seed=n)
    skipna = data.draw(st.booleans())
    if skipna:
        f[make_field(shape, seed=n) > 1] = np.nan
    da, along = on_levels(f, z, 1)
    whole = da.grad("z", along=along, skipna=skipna, **order)
    lazy = da.chunk(dict(zip(da.dims, data.draw(chunkings(shape)), strict=True)))
    if data.draw(st.booleans()):
        lazy = lazy.assign_coords(
            z=da.z.chunk(dict(zip(da.dims, data.draw(chunkings(shape)), strict=True)))
        )
    found = lazy.grad("z", along=along, skipna=skipna, **order)
    assert found.chunks == lazy.chunks
    assert same(found, whole)


def test_nothing_is_computed_early_and_every_block_once(nothing_computed):
    da = pytest.importorskip("dask.array")
    f, z = make_field((4, 12, 5)), columns((12, 5), 0)
    seen = []

    def noted(block, what):
        seen.append(what)
        return block

    with nothing_computed():
        lazy_f = da.from_array(f, chunks=(2, 5, 5)).map_blocks(noted, "f", meta=f[:0])
        lazy_z = da.from_array(z, chunks=(3, 5)).map_blocks(noted, "z", meta=z[:0])
        field = xr.DataArray(lazy_f, {"z": (("s", "x"), lazy_z)}, ("t", "s", "x"), "f")
        found = field.grad("z", along="s")
        both = field.grad(["t", "z"], along="s")
        levels = field.grad(["t", "x"], at_constant="z", along="s")
        assert found.chunks == both["df_dz"].chunks == levels["df_dx"].chunks == field.chunks
    whole = xr.DataArray(f, {"z": (("s", "x"), z)}, ("t", "s", "x"), "f")
    assert same(found.compute(scheduler="sync"), whole.grad("z", along="s"))
    assert (seen.count("f"), seen.count("z")) == (6, 4)
    # One task for each chunk and one for its rim, besides those that make chunks.
    assert len(found.data.dask.layers[found.data.name]) <= 6 + 6 + 3
    assert same(both["df_dz"], whole.grad("z", along="s"))


def test_positions_alone_may_be_lazy():
    f, z = make_field((4, 12, 5)), columns((12, 5), 0)
    da = xr.DataArray(f, {"z": (("s", "x"), z)}, ("t", "s", "x"))
    lazy = da.assign_coords(z=da.z.chunk(s=5)).grad("z", along="s")
    assert lazy.chunksizes == {"t": (4,), "s": (5, 5, 2), "x": (5,)}
    assert same(lazy, da.grad("z", along="s"))


def test_threads_and_tiles_change_no_bit(monkeypatch):
    f, z = make_field((6, 41, 33)), columns((41, 33), 0)
    f[make_field(f.shape, seed=1) > 1.5] = np.nan
    coords = {"z": (("s", "x"), z), "x": NODES["jittered"](33), "t": NODES["stretched"](6)}
    da = xr.DataArray(f, coords, ("t", "s", "x"), "f")

    def all_of_them():
        for order in ({}, {"accuracy": 4}, {"skipna": True, "edge_order": 3}):
            yield da.grad("z", along="s", **order)
            yield da.grad(["x", "z"], along="s", **order)["df_dz"]
            yield da.grad(["x", "t"], at_constant="z", along="s", **order).to_array()

    whole = list(all_of_them())
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
    monkeypatch.setattr(tiles, "TILE_BYTES", 512)
    for found, expected in zip(all_of_them(), whole, strict=True):
        assert same(found, expected)


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize("name", ["array_api_strict", "torch", "jax", "cupy, simulated"])
def test_other_arrays_have_the_values_of_numpy(name, skipna):
    f, z = make_field((3, 12, 4)), columns((1, 12, 4), 1)
    f[0, 3, 1] = f[1, 11, 2] = np.nan
    z[0, 2, 3] = np.nan
    for deriv, accuracy in ((1, 2), (2, 4)):
        windows = Scheme(deriv, accuracy, 2, skipna).column_windows(12, "s")
        sums = [
            TermSum((Term(0, 1, windows, positions=1),)),
            TermSum((Term(0, 1, windows, positions=1),)),
        ]
        (expected, _) = evaluate_sums([f, z], sums)
        with library(name) as xp:
            for positions in (z, xp.asarray(z)):
                for found in evaluate_sums([xp.asarray(f), positions], sums):
                    assert isinstance(found, xp.kind)
                    np.testing.assert_allclose(xp.numpy(found), expected, rtol=1e-12)


# -- missing values --------------------------------------------------------------------------------


def near(shape, axis, at, before, after):
    """The cells from so many before a place to so many after it, along an axis."""
    cells = np.zeros(shape, bool)
    at = list(at)
    n = shape[axis]
    at[axis] = slice(max(0, at[axis] - before), min(n, at[axis] + after + 1))
    cells[tuple(at)] = True
    return cells


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what", ["field", "positions", "lazy positions"])
def test_what_is_missing_makes_the_windows_with_it_missing(what, value):
    shape, at = (3, 12, 4), (1, 5, 2)
    f, z = make_field(shape), columns(shape, 1)
    clean = derivative(f, z, 1, accuracy=4, edge_order=2)
    (f if what == "field" else z)[at] = value
    da, along = on_levels(f, z, 1)
    if what == "lazy positions":
        da = da.assign_coords(z=da.z.chunk(d1=5))
    found = da.grad("z", along=along, accuracy=4, edge_order=2).values
    assert same(np.isnan(found), near(shape, 1, at, 2, 2))
    assert np.array_equal(found[~np.isnan(found)], clean.values[~np.isnan(found)])


def test_columns_without_positions_are_missing():
    f, z = make_field((9, 5)), columns((9, 5), 0)
    clean = derivative(f, z, 0).values
    z[:, 3] = np.nan
    z[:2, 1] = np.nan
    found = derivative(f, z, 0).values
    assert np.isnan(found[:, 3]).all()
    assert np.isnan(found[:3, 1]).all()
    rest = ~np.isnan(found)
    assert rest.sum() == 9 * 5 - 9 - 3
    assert np.array_equal(found[rest], clean[rest])
    assert derivative(f, np.full_like(z, np.nan), 0).isnull().all()
    assert derivative(np.full_like(f, np.nan), columns((9, 5), 0), 0).isnull().all()


@pytest.mark.parametrize("accuracy", [2, 4])
def test_lazy_positions_that_turn_or_repeat_have_no_derivative_there(accuracy):
    pytest.importorskip("dask")
    half = accuracy // 2
    f, z = make_field((20, 4)), columns((20, 4), 0)
    clean = derivative(f, z, 0, accuracy=accuracy).values
    z[8, 1] = z[7, 1]  # between nodes 7 and 8 there is no step
    z[14:, 2] = 2 * z[13, 2] - z[14:, 2]  # at node 13 it turns
    da, along = on_levels(f, z, 0)
    found = da.assign_coords(z=da.z.chunk()).grad("z", along=along, accuracy=accuracy).values
    gone = np.zeros((20, 4), bool)
    gone[8 - half : 7 + half + 1, 1] = True  # windows with nodes 7 and 8
    gone[13 - half + 1 : 13 + half, 2] = True  # windows with node 13 inside
    assert same(np.isnan(found), gone)
    assert np.array_equal(found[:, [0, 3]], clean[:, [0, 3]])


@PARTS
@pytest.mark.parametrize("share", [slow(0.01), 0.1, slow(0.3), 0.6])
def test_skipna_every_cell_is_that_of_the_slow_reference(order, share):
    """Runs of cells whose value and position are valid are axes of their own."""
    shape = (3, 40, 5)
    f, z = make_field(shape), columns(shape, 1)
    rng = np.random.default_rng(int(100 * share))
    f[rng.random(shape) < share / 2] = np.nan
    z[rng.random(shape) < share / 2] = np.nan
    found = derivative(f, z, 1, skipna=True, **order).values
    valid = np.where(np.isnan(z), np.nan, f)
    expected = by_columns(valid, np.nan_to_num(z), 1, reference.coastal, **order)
    assert same(np.isnan(found), np.isnan(expected))
    assert np.nanmax(abs(found - expected)) < 1e-10 * 4 ** order.get("deriv", 1)
    assert not same(found, derivative(f, z, 1, **order))
