"""Coordinates of several dimensions along one of them: every column has positions of its own."""

from __future__ import annotations

import re

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

from ..support import reference, sphere_fields
from ..support.backends import library
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


def columns(shape, axis, seed=0, dtype="f8"):
    """Positions with steps of about one, uneven and other ones in every column, up or down."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.5, 1.5, shape)
    ways = rng.choice([-1.0, 1.0], [1 if d == axis else n for d, n in enumerate(shape)])
    return (ways * (np.cumsum(steps, axis) + 100 * rng.random())).astype(dtype)


def on_levels(f, z, axis, name="f"):
    """A field with a coordinate z, which may be 1 long along dimensions that it has not."""
    dims = [f"d{k}" for k in range(f.ndim)]
    mine = [k for k in range(f.ndim) if z.shape[k] == f.shape[k]]
    z = z[tuple(slice(None) if k in mine else 0 for k in range(f.ndim))]
    return xr.DataArray(f, {"z": ([dims[k] for k in mine], z)}, dims, name), dims[axis]


def derivative(f, z, axis, **options):
    da, along = on_levels(f, z, axis)
    return da.grad("z", along=along, **options)


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def by_columns(f, z, axis, one=reference.derivative, **order):
    """The slow reference, column by column."""
    f = np.moveaxis(f, axis, -1)
    z = np.moveaxis(np.broadcast_to(z, np.moveaxis(f, -1, axis).shape), axis, -1)
    result = np.empty(f.shape, np.complex128 if f.dtype.kind == "c" else np.float64)
    for at in np.ndindex(f.shape[:-1]):
        result[at] = one(f[at].tolist(), z[at].tolist(), **{"uniform": False, **order})
    return np.moveaxis(result, -1, axis)


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
        ((300, 11), 1),
        ((3, 100), 1),
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
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.6])
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


# -- at constant height ----------------------------------------------------------------------------


def sloping(n, dtype="f8"):
    """A wave in x and z on levels that bend with x, and what its derivative at constant z is."""
    x = np.linspace(0, 2, n) + 0.1 * np.sin(np.linspace(0, 2, n) * np.pi)
    ground = 0.3 * np.cos(2 * x)
    s = (np.arange(n)[:, None] / (n - 1)) ** 1.3
    z = ground + (3 - ground) * s
    f, slope = np.sin(2 * x) * np.exp(-z), 2 * np.cos(2 * x) * np.exp(-z)
    coords = {"x": x, "z": (("s", "x"), z, {"units": "m"})}
    return xr.DataArray(f.astype(dtype), coords, ("s", "x"), "f", {"units": "K"}), slope


@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 6])
def test_order_at_constant_height(accuracy):
    """As accurate as it is said, edges included: measured as a slope."""
    errors = []
    for n in (33, 66):
        f, exact = sloping(n)
        found = f.grad("x", at_constant="z", along="s", accuracy=accuracy, edge_order=accuracy)
        errors.append(abs(found - exact).max())
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.3
    assert abs(f.grad("x", accuracy=accuracy) - exact).max() > 0.1  # along the levels it is another


@pytest.mark.parametrize("skipna", [False, True])
def test_linear_fields_at_constant_height_are_exact(skipna):
    """On levels of any shape, up to any coast, for whatever is differentiated along."""
    rng = np.random.default_rng(3)
    z = columns((5, 12, 9), 1) + 3 * rng.standard_normal((5, 1, 9))
    t, x = NODES["jittered"](5), NODES["stretched"](9)
    f = 3 * t[:, None, None] - 2 * x + 0.5 * z
    f[rng.random(f.shape) < 0.15] = np.nan
    z[rng.random(f.shape) < 0.05] = np.nan
    coords = {"t": t, "x": x, "z": (("t", "s", "x"), z)}
    da = xr.DataArray(f, coords, ("t", "s", "x"), "f")
    for order in ({}, {"edge_order": 2}, {"accuracy": 3, "edge_order": 1}):
        found = da.grad(["t", "x"], at_constant="z", along="s", skipna=skipna, **order)
        for name, value in (("df_dt", 3), ("df_dx", -2)):
            assert abs(found[name] - value).max() < 1e-11
        assert same(da.chunk(t=2, s=5).grad("x", at_constant="z", along="s", **order), da.grad(
            "x", at_constant="z", along="s", **order
        ))  # fmt: skip
    plenty = found.df_dx.notnull().sum() / da.notnull().sum()
    assert plenty > 0.6 if skipna else plenty < 0.4


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_on_the_globe_with_the_seam_and_the_poles(poles, full):
    """What depends on height alone has no derivative; what is added to it has its own."""
    lat, lon = sphere_fields.grid(15.0, poles=poles)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    g = sphere_fields.labelled(sphere_fields.harmonic(1, phi, lam).f, lat, lon, "f", "K")
    bumps = sphere_fields.labelled(sphere_fields.harmonic(1, phi, lam + 1).f, lat, lon, "z", "m")
    heights = xr.DataArray(np.arange(6.0), dims="s")
    z = heights * (1 + 0.1 * bumps if full else 1 + 0.1 * bumps.isel(lon=0, drop=True)) + 0.01 * (
        heights**2
    )
    f = (g + 2 * z).assign_coords(z=z.assign_attrs(units="m")).rename("f").assign_attrs(units="K")
    plain = (g + 0 * heights).rename("f").assign_attrs(units="K")
    for order in ({}, {"accuracy": 4}):
        call = {"metric": "sphere", **order}
        found = f.grad(["lat", "lon"], at_constant="z", along="s", **call)
        expected = plain.grad(["lat", "lon"], **call)
        for name in ("df_dlat", "df_dlon"):
            assert found[name].attrs["units"] == "K m-1"
            # Half a column round the pole is there for positions without longitudes, too.
            assert abs(found[name] - expected[name]).max() < 1e-12 * abs(expected[name]).max()
            lazy = f.chunk(lat=5, lon=7, s=4)
            lazy = lazy.grad(["lat", "lon"], at_constant="z", along="s", **call)[name]
            assert same(lazy, found[name])


@pytest.mark.parametrize("skipna", [False, True])
def test_on_a_curvilinear_grid(skipna):
    """Both at once, as ocean models have it: no level is flat, and no row runs to the east."""
    j, i = np.meshgrid(np.linspace(0, 1, 12), np.linspace(0, 1, 14), indexing="ij")
    x, y = 8 * i + 1.5 * j**2 + 0.1 * np.sin(7 * j), 6 * j - 1.2 * i**2
    z = np.linspace(-1, 0, 9)[:, None, None] * (1000 + 300 * np.sin(4 * i) * np.cos(3 * j))
    f = 3 * x - 2 * y + 0.5 * z
    f[np.random.default_rng(0).random(f.shape) < 0.15] = np.nan
    coords = {"x": (("j", "i"), x), "y": (("j", "i"), y), "z": (("s", "j", "i"), z)}
    da = xr.DataArray(f, coords, ("s", "j", "i"), "f")
    for order in ({}, {"edge_order": 2}, {"accuracy": 4, "edge_order": 1}):
        call = {"at_constant": "z", "along": "s", "skipna": skipna, **order}
        found = da.grad(["x", "y"], **call)
        assert abs(found.df_dx - 3).max() < 1e-10
        assert abs(found.df_dy + 2).max() < 1e-10
        lazy = da.chunk(s=4, j=5, i=9).grad(["x", "y"], **call)
        assert same(lazy.df_dx, found.df_dx)
        assert same(lazy.df_dy, found.df_dy)
        both = da.grad(["x", "y", "z"], along="s", skipna=skipna, **order)
        assert same(both.df_dz, da.grad("z", along="s", skipna=skipna, **order))
        assert same(both.df_dx, da.grad(["x", "y"], skipna=skipna, **order).df_dx)


def test_dtypes_at_constant_height():
    """The dtype of the result is that of the field, and its digits are those of the positions."""
    for dtype in ("f4", "f8", "c8", "f2", "i4"):
        f, _ = sloping(40)
        f = (100 * f).astype(dtype)
        found = f.grad("x", at_constant="z", along="s", accuracy=4)
        assert found.dtype == (dtype if dtype != "i4" else "f8")
        assert same(f.chunk(s=7, x=9).grad("x", at_constant="z", along="s", accuracy=4), found)
        wide = f.astype("c16" if dtype == "c8" else "f8")
        right = wide.grad("x", at_constant="z", along="s", accuracy=4)
        size = 3 * abs(right).max()
        assert abs(found - right).max() < size * np.finfo(found.dtype).eps


# -- names, units, arguments -----------------------------------------------------------------------


def ocean():
    """Temperatures on levels of the ROMS kind, and a current between their columns."""
    s = xr.Variable("s_rho", np.linspace(-0.9, -0.1, 5), {"axis": "Z", "positive": "up"})
    time = xr.date_range("2001-01-01", periods=3)
    depth = 100 + 50 * np.arange(4.0)[:, None] + 10 * np.arange(6.0)
    zeta = np.array([0.0, 0.5, -0.5])[:, None, None, None]
    z = zeta + (zeta + depth) * s.values[:, None, None]
    t = 20 + z / 100 + np.arange(6.0) * 0.1
    coords = {
        "time": time, "s_rho": s, "x": ("x", 1e3 * np.arange(6.0), {"units": "m"}),
        "z_rho": (("time", "s_rho", "y", "x"), z, {"units": "m", "long_name": "depth"}),
    }  # fmt: skip
    dims = ("time", "s_rho", "y", "x")
    return xr.Dataset(
        {
            "temp": (dims, t, {"units": "degC", "long_name": "potential temperature"}),
            "salt": (dims, 35 - t, {"units": "1"}),
            "zeta": (("time", "y", "x"), t[:, 0]),
            "u": (("time", "s_rho", "y", "x_u"), t[..., 1:]),
            "name": ("y", list("abcd")),
        },
        coords,
        {"title": "a run"},
    )


def test_names_units_and_words():
    found = ocean().temp.grad("z_rho", along="s_rho")
    assert (found.name, found.dims) == ("dtemp_dz_rho", ("time", "s_rho", "y", "x"))
    assert found.attrs["units"] == "K m-1"
    assert found.attrs["long_name"] == "derivative of potential temperature with respect to depth"
    np.testing.assert_allclose(found, 0.01, rtol=1e-10)
    second = ocean().temp.grad("z_rho", along="s_rho", deriv=2)
    assert (second.name, second.attrs["units"]) == ("d2temp_dz_rho2", "K m-2")
    level = ocean().temp.grad("x", at_constant="z_rho")
    assert (level.name, level.attrs["units"]) == ("dtemp_dx", "K m-1")
    assert level.attrs["long_name"] == (
        "derivative of potential temperature with respect to x at constant z_rho"
    )
    np.testing.assert_allclose(level, 1e-4, rtol=1e-9)
    assert "z_rho" in level.coords


def test_several_names_and_whole_datasets():
    ds = ocean()
    both = ds.temp.grad(["z_rho", "time"], along="s_rho")
    assert list(both) == ["dtemp_dz_rho", "dtemp_dtime"]
    assert list(ds.temp.grad(["x", "z_rho", "time"], along="s_rho")) == [
        "dtemp_dx", "dtemp_dz_rho", "dtemp_dtime",
    ]  # fmt: skip
    xr.testing.assert_identical(both.dtemp_dz_rho, ds.temp.grad("z_rho", along="s_rho"))
    xr.testing.assert_identical(both.dtemp_dtime, ds.temp.grad("time"))
    every = ds.grad("z_rho", along="s_rho")
    assert list(every) == ["dtemp_dz_rho", "dsalt_dz_rho"]
    assert every.attrs == ds.attrs
    xr.testing.assert_identical(every.dtemp_dz_rho, both.dtemp_dz_rho)
    levels = ds.grad(["x", "time"], at_constant="z_rho")
    assert set(levels) == {f"d{v}_d{d}" for v in ("temp", "salt") for d in ("x", "time")}
    xr.testing.assert_identical(levels.dsalt_dx, ds.salt.grad("x", at_constant="z_rho"))
    assert set(ds.temp.grad(at_constant="z_rho")) == {"dtemp_dtime", "dtemp_dy", "dtemp_dx"}


def test_the_dimension_is_found():
    ds = ocean()
    expected = ds.temp.grad("z_rho", along="s_rho")
    xr.testing.assert_identical(ds.temp.grad("z_rho"), expected)  # CF: axis Z
    xr.testing.assert_identical(ds.temp.grad("z_rho", along="Z"), expected)
    # The coordinate itself may have a CF name, too.
    standard = ds.temp.drop_vars("s_rho")
    standard.z_rho.attrs["standard_name"] = "altitude"
    xr.testing.assert_identical(
        standard.grad("altitude", along="s_rho"), standard.grad("z_rho", along="s_rho")
    )
    both = standard.grad(["altitude", "x"], along="s_rho")
    assert list(both) == ["dtemp_dz_rho", "dtemp_dx"]
    bare = ds.temp.drop_vars("s_rho")
    named = bare.assign_coords(y=("y", np.arange(4.0), {"axis": "Y"}))
    named = named.assign_coords(x=("x", np.arange(6.0), {"standard_name": "longitude"}))
    assert same(named.grad("z_rho"), expected)  # what is left beside time, y and x
    assert same(bare.grad("x", at_constant="z_rho", along="s_rho"), ds.temp.grad(
        "x", at_constant="z_rho"
    ))  # fmt: skip
    # One column has one dimension, as any coordinate.
    one = ds.temp.isel(time=0, y=1, x=2)
    assert abs(one.grad("z_rho", along="s_rho") - expected[0, :, 1, 2]).max() < 1e-12


def test_what_stays_constant_may_have_a_cf_name():
    ds = ocean()
    expected = ds.temp.grad("x", at_constant="z_rho")
    ds.z_rho.attrs["standard_name"] = "height_above_mean_sea_level"
    assert same(ds.temp.grad("x", at_constant="height_above_mean_sea_level"), expected)
    assert list(ds.grad("x", at_constant="height_above_mean_sea_level")) == ["dtemp_dx", "dsalt_dx"]
    # A coordinate of the levels alone may have the same name; it is constant anyway.
    ds.s_rho.attrs["standard_name"] = "height_above_mean_sea_level"
    assert same(ds.temp.grad("x", at_constant="height_above_mean_sea_level"), expected)
    two = ds.temp.assign_coords(z_w=ds.z_rho + 1)
    two.z_w.attrs["standard_name"] = "height_above_mean_sea_level"
    several = (
        "^'height_above_mean_sea_level' fits several coordinates, 'z_rho', 'z_w'; give the name"
    )
    with pytest.raises(ValueError, match=several):
        two.grad("x", at_constant="height_above_mean_sea_level")


def test_a_field_is_left_as_it_is():
    ds = ocean()
    before = ds.copy(deep=True)
    ds.grad("z_rho")
    ds.grad("x", at_constant="z_rho")
    xr.testing.assert_identical(ds, before)


def turned():
    ds = ocean()
    z = ds.z_rho.values.copy()
    z[1, 3, 2, 4] = z[1, 1, 2, 4]
    return ds.temp.assign_coords(z_rho=(ds.z_rho.dims, z))


def repeated():
    ds = ocean()
    z = ds.z_rho.values.copy()
    z[2, 3, 0, 1] = z[2, 2, 0, 1]
    return ds.temp.assign_coords(z_rho=(ds.z_rho.dims, z))


BAD = {
    "an unknown dimension": (
        lambda: ocean().temp.grad("z_rho", along="sigma"),
        "'sigma' is no dimension, coordinate or CF name here; there are",
    ),
    "a dimension that it has not": (
        lambda: ocean().isel(s_rho=0).temp.grad("z_rho", along="x_u"),
        "'x_u' is no dimension, coordinate or CF name here; there are",
    ),
    "a dimension of others": (
        lambda: ocean().grad("z_rho", along="x_u"),
        ("along is 'x_u', but none of 'z_rho' is a coordinate that has this dimension; coordinates "
        "of several dimensions with it are none"),
    ),
    "several dimensions": (
        lambda: ocean().temp.grad("z_rho", along=["s_rho"]),
        "along is ['s_rho']; give one name",
    ),
    "several to keep constant": (
        lambda: ocean().temp.grad("x", at_constant=["z_rho"]),
        "at_constant is ['z_rho']; give one name",
    ),
    "along itself": (
        lambda: ocean().temp.grad("z_rho", along="z_rho"),
        ("along is 'z_rho', which has the dimensions 'time', 's_rho', 'y', 'x'; name one of these"),
    ),
    "the same twice": (
        lambda: ocean().temp.grad(["z_rho", "z_rho"], along="s_rho"),
        "dim names 'z_rho' twice; name it once",
    ),
    "a variable": (
        lambda: ocean().reset_coords("z_rho").grad("z_rho", along="s_rho"),
        "'z_rho' is a variable, not a coordinate; call .set_coords('z_rho') first",
    ),
    "a vector along it": (
        lambda: ocean().temp.grad.advection(z_rho=ocean().temp, x=ocean().temp),
        ("coordinate 'z_rho' has 4 dimensions (time, s_rho, y, x), but a derivative needs a "
        "coordinate along one dimension; name another coordinate or one of the dimensions "
        "'s_rho', 'time', 'x', 'y', or call .grad with along, one of its own"),
    ),
    "no coordinate of several dimensions": (
        lambda: ocean().temp.grad("x", along="s_rho"),
        ("along is 's_rho', but none of 'x' is a coordinate that has this dimension; coordinates "
        "of several dimensions with it are 'z_rho'"),
    ),
    "a dimension that is not told": (
        lambda: ocean().temp.drop_vars("s_rho").grad("z_rho"),
        ("coordinate 'z_rho' has the dimensions 's_rho', 'y', 'x', and which of them it goes along "
        "is not told by their coordinates; name it, e.g. along='s_rho'"),
    ),
    "no number": (
        lambda: ocean().temp.assign_coords(z_rho=ocean().z_rho.astype(str)).grad("z_rho"),
        "coordinate 'z_rho' has dtype <U32, which is not numeric; give one that holds positions",
    ),
    "positions that turn": (
        lambda: turned().grad("z_rho"),
        ("coordinate 'z_rho' must strictly increase or decrease along 's_rho' in every column, but "
        "turns, from -119.75 to -167.85, at time=1, s_rho=3, y=2, x=4; sort it, or mask such "
        "columns, e.g. with .where"),
    ),
    "positions that repeat": (
        lambda: repeated().chunk().assign_coords(z_rho=repeated().z_rho).grad("z_rho"),
        ("coordinate 'z_rho' must strictly increase or decrease along 's_rho' in every column, but "
        "repeats the value -55.25 at time=2, s_rho=3, y=0, x=1; sort it, or mask such columns"),
    ),
    "too few levels": (
        lambda: ocean().temp.grad("z_rho", accuracy=6),
        "dimension 's_rho' has 5 points, but deriv=1, accuracy=6, edge_order=6 needs 7; lower them",
    ),
    "a spacing": (
        lambda: ocean().temp.grad("z_rho", spacing=2.0),
        ("spacing is given for 'z_rho', which has positions of its own in every column; leave it "
        "out, or give spacing by name to the others"),
    ),
    "a spacing among others": (
        lambda: ocean().temp.grad(["x", "z_rho"], spacing=[1.0, 2.0]),
        "spacing is given for 'z_rho', which has positions of its own in every column",
    ),
    "a period": (
        lambda: ocean().temp.grad("z_rho", periodic=True),
        "periodic is given for 'z_rho', which has positions of its own in every column",
    ),
    "a metric for nothing": (
        lambda: ocean().temp.grad("z_rho", metric="sphere"),
        "metric is for other coordinates, but 'z_rho' is a length itself; leave metric out, or ",
    ),
    "a mixed derivative": (
        lambda: ocean().temp.grad({"x": 1, "time": 1}, at_constant="z_rho"),
        "along and at_constant are not for mixed derivatives; name coordinates in a list",
    ),
    "no field": (
        lambda: ocean()[["zeta", "u", "z_rho"]].grad("z_rho", along="s_rho"),
        ("no numeric variable of the Dataset has the dimension 'time', 's_rho', 'y', 'x'; its "
        "variables are 'zeta', 'u'"),
    ),
    "nothing to keep constant": (
        lambda: ocean().temp.grad("x", at_constant="depth"),
        "'depth' is no coordinate here; coordinates of several dimensions are 'z_rho'",
    ),
    "a variable to keep constant": (
        lambda: ocean().grad("x", at_constant="salt"),
        "'salt' is a variable, not a coordinate; call .set_coords('salt') first",
    ),
    "second derivatives at constant height": (
        lambda: ocean().temp.grad("x", at_constant="z_rho", deriv=2),
        "deriv is 2, but at_constant is for first derivatives; leave one out",
    ),
    "the vertical itself": (
        lambda: ocean().temp.grad(["x", "s_rho"], at_constant="z_rho", along="s_rho"),
        ("at_constant is 'z_rho', which changes along 's_rho', but dim names this too; name the "
        "other dimensions only"),
    ),
    "nothing vertical": (
        lambda: ocean().temp.grad(["x"], at_constant="x"),
        "coordinate 'x' has no dimension besides those asked for; leave one out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_in_one_sentence(name):
    call, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match="^" + re.escape(message)):
        call()


# -- a real file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [{}, {"model_level_number": 4, "grid_longitude": 33}])
def test_hybrid_heights(chunks):
    """Potential temperature over hills: in memory and on dask with equal bits."""
    samples, _ = pytest.importorskip("iris_sample_data"), pytest.importorskip("netCDF4")
    with xr.open_dataset(f"{samples.path}/hybrid_height.nc") as ds:
        theta = ds.air_potential_temperature.load()
    height = theta.level_height + theta.sigma * theta.surface_altitude
    theta = theta.assign_coords(height=height.assign_attrs(units="m"))
    by_z = theta.grad("height", accuracy=2, edge_order=2)
    assert by_z.attrs["units"] == "K m-1"
    assert by_z.dtype == np.float32
    z, f = (a.transpose(..., "model_level_number").values for a in (height, theta))
    for y, x in ((0, 0), (50, 20), (99, 99)):
        expected = reference.derivative(
            f[y, x].tolist(), z[y, x].tolist(), edge_order=2, uniform=False
        )
        np.testing.assert_allclose(by_z[:, y, x], expected, rtol=1e-5, atol=1e-9)
    call = {"at_constant": "height", "metric": "sphere"}
    level = theta.grad(["grid_longitude", "grid_latitude"], **call)
    along = theta.grad(["grid_longitude", "grid_latitude"], metric="sphere")
    slope = height.rename("z").grad("grid_longitude", metric="sphere").astype("f8")
    chain = along.dair_potential_temperature_dgrid_longitude - slope * theta.grad("height")
    found = level.dair_potential_temperature_dgrid_longitude
    assert abs(found - chain).max() < 1e-5 * abs(chain).max()
    assert abs(found).mean() < abs(along.dair_potential_temperature_dgrid_longitude).mean()
    lazy = theta.chunk(chunks)
    lazy = lazy.assign_coords(height=lazy.height.chunk(chunks))
    assert same(lazy.grad("height", edge_order=2), by_z)
    for name, value in lazy.grad(["grid_longitude", "grid_latitude"], **call).items():
        assert same(value, level[name])
