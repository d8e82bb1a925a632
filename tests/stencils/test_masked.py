"""skipna: next to missing values each run of valid ones is an axis of its own."""

from __future__ import annotations

import inspect
import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import xgradient
from xgradient import gradient, operators
from xgradient.kernels.compiled import masked_loops, tiles
from xgradient.stencils.nodes import nodes_from_values
from xgradient.stencils.scheme import Scheme

from ..support import reference, sphere_fields
from ..support.marks import slow
from ..support.strategies import LAYOUTS, NODES, chunkings, make_field

#: Tests of the compiled loops; in others NumPy takes their place, with the same bits.
compiled = pytest.mark.compiled

ORDERS = [
    {"deriv": 1, "accuracy": 2},
    {"deriv": 1, "accuracy": 2, "edge_order": 2},
    {"deriv": 1, "accuracy": 4},
    {"deriv": 1, "accuracy": 8},
    {"deriv": 2, "accuracy": 2},
    {"deriv": 2, "accuracy": 4, "edge_order": 2},
    {"deriv": 3, "accuracy": 1},
]
#: Orders that few fields need, each with loops of its own to compile.
RARE = [
    {"deriv": 1, "accuracy": 2, "edge_order": 2},
    {"deriv": 1, "accuracy": 8},
    {"deriv": 2, "accuracy": 4, "edge_order": 2},
    {"deriv": 3, "accuracy": 1},
]
PARTS = pytest.mark.parametrize(
    "order",
    [slow(order) if order in RARE else order for order in ORDERS],
    ids=lambda o: "-".join(map(str, o.values())),
)


def with_holes(shape, share, seed=0, dtype="f8"):
    """Random numbers of which some are missing."""
    field = make_field(shape, dtype, seed)
    field[np.random.default_rng(seed + 1).random(shape) < share] = np.nan
    return field


def same(a, b):
    """Return whether values are equal, with missing ones in the same places."""
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


def error(found, expected, field, deriv):
    """The largest error, over the largest value on steps of about one; places must agree."""
    found, expected = np.asarray(found), np.asarray(expected)
    if not np.array_equal(np.isnan(found), np.isnan(expected)):
        return np.inf
    if np.isnan(expected).all():
        return 0.0
    return np.nanmax(abs(found - expected)) / np.nanmax(abs(field)) / 4**deriv


def expected_rows(field, x, **order):
    """The slow reference along the last axis."""
    return np.array([reference.coastal(row.tolist(), x, **order) for row in field])


# -- against the slow reference --------------------------------------------------------------------


@compiled
@PARTS
@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("share", [slow(0.01), 0.1, slow(0.3), 0.6])
def test_every_cell_is_that_of_the_slow_reference(order, kind, share):
    n = 40
    x = NODES[kind](n)
    field = with_holes((12, n), share, seed=int(100 * share))
    expected = expected_rows(field, x, uniform=kind == "uniform", **order)
    found = xr.DataArray(field, {"x": x}, ("t", "x")).grad("x", skipna=True, **order)
    assert error(found, expected, field, order["deriv"]) < 1e-11
    down = xr.DataArray(field.T.copy(), {"x": x}, ("x", "t")).grad("x", skipna=True, **order)
    assert same(down.T, found)
    assert not same(xr.DataArray(field, {"x": x}, ("t", "x")).grad("x", **order), found)


@compiled
@PARTS
@pytest.mark.parametrize("kind", NODES)
def test_runs_go_on_across_the_seam(order, kind):
    n = 24
    x, period = NODES[kind](n), float(n) if kind == "uniform" else n + 0.5
    field = with_holes((20, n), 0.2)
    field[0] = make_field((n,))  # no hole at all
    expected = expected_rows(field, x, period=period, uniform=kind == "uniform", **order)
    da = xr.DataArray(field, {"x": x}, ("t", "x"))
    found = da.grad("x", skipna=True, periodic={"x": period}, **order)
    assert error(found, expected, field, order["deriv"]) < 1e-11


@compiled
def test_a_wrong_window_is_found():
    """The comparison can fail: one order less at coasts, and windows across gaps."""
    x, field = NODES["stretched"](30), with_holes((8, 30), 0.2)
    found = xr.DataArray(field, {"x": x}, ("t", "x")).grad("x", skipna=True, accuracy=4)
    right = expected_rows(field, x, accuracy=4)
    assert error(found, right, field, 1) < 1e-12
    assert error(found, expected_rows(field, x, accuracy=4, edge_order=3), field, 1) > 1e-3
    filled = np.where(np.isnan(field), 0.0, field)
    across = np.where(np.isnan(field), np.nan, expected_rows(filled, x, accuracy=4))
    assert error(np.where(np.isnan(found), np.nan, across), right, field, 1) > 1e-3


@compiled
@pytest.mark.slow
@given(data=st.data())
def test_chunks_change_no_bit(data):
    order = data.draw(st.sampled_from(ORDERS))
    kind = data.draw(st.sampled_from(list(NODES)))
    shape = (3, data.draw(st.integers(12, 30)), 4)
    field = with_holes(shape, data.draw(st.sampled_from([0.0, 0.05, 0.3, 0.6])), seed=shape[1])
    field[0] = make_field(shape[1:])
    da = xr.DataArray(field, {"x": NODES[kind](shape[1])}, ("t", "x", "y"))
    periodic = {"x": shape[1] + 0.5} if data.draw(st.booleans()) else False
    whole = da.grad("x", skipna=True, periodic=periodic, **order)
    lazy = da.chunk(dict(zip(da.dims, data.draw(chunkings(shape)), strict=True)))
    found = lazy.grad("x", skipna=True, periodic=periodic, **order)
    assert found.chunks == lazy.chunks
    assert same(found, whole)


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("edge_order", [1, 3, 5])
def test_threads_and_tiles_change_no_bit(monkeypatch, edge_order):
    """Parts of parts of large arrays take as many cells around them as their windows may reach."""
    shape = (41, 33)
    field = with_holes(shape, 0.1)
    coords = {"y": NODES["jittered"](41), "x": NODES["uniform"](33)}
    ds = xr.Dataset({"u": (("y", "x"), field), "v": (("y", "x"), field**2)}, coords)
    periodic = {"y": 41.5, "x": 33.0}

    def all_of_them():
        order = {"skipna": True, "edge_order": edge_order}
        for closed in (False, periodic):
            yield ds.u.grad.magnitude(["y", "x"], periodic=closed, **order)
            yield ds.u.grad.laplacian(["y", "x"], periodic=closed, **order)
            yield ds.grad.divergence(x="u", y="v", periodic=closed, **order)

    whole = list(all_of_them())
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
    monkeypatch.setattr(tiles, "TILE_BYTES", 512)
    for found, expected in zip(all_of_them(), whole, strict=True):
        assert same(found, expected)


@compiled
@pytest.mark.parametrize("dtype", ["f8", "g", "G"])
@pytest.mark.parametrize("skipna", [True, False])
def test_chunks_without_cells(dtype, skipna):
    field = with_holes((10,), 0.2, dtype=dtype)
    heights = NODES["jittered"](10)[:, None]
    da = xr.DataArray(field[:, None], {"z": (("level", "column"), heights)}, ("level", "column"))
    for sizes in ((0, 5, 0, 5, 0), (10, 0)):
        lazy = da.chunk({"level": sizes})
        for options in ({"dim": "level"}, {"dim": "z", "along": "level"}):
            assert same(lazy.grad(skipna=skipna, **options), da.grad(skipna=skipna, **options))
        (found,) = gradient(lazy.data[:, 0], skipna=skipna)
        assert same(found, gradient(field, skipna=skipna)[0])


@compiled
def test_a_periodic_axis_of_few_long_rows():
    field = make_field((3, 1_200_000))
    options = {"dim": 0, "periodic": True}
    assert same(gradient(field, skipna=True, **options), gradient(field, **options))


# -- what a coast means ----------------------------------------------------------------------------


@compiled
@PARTS
@pytest.mark.parametrize("kind", NODES)
def test_without_gaps_nothing_changes(order, kind):
    field = make_field((26, 7, 5))
    for axis, spacing in itertools.product(range(3), (NODES[kind], 0.5)):
        n = field.shape[axis]
        step = spacing if isinstance(spacing, float) else spacing(n)
        if n < sum((order["deriv"], order.get("edge_order") or order["accuracy"])):
            continue
        (plain,) = gradient(field, spacing=[step], dim=axis, **{"edge_order": 1, **order})
        (found,) = gradient(
            field, spacing=[step], dim=axis, skipna=True, **{"edge_order": 1, **order}
        )
        assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_linear_fields_are_exact_right_up_to_any_coast(kind, accuracy, share):
    x = NODES[kind](60)
    holes = np.isnan(with_holes((50, 60), share))
    line = xr.DataArray(np.where(holes, np.nan, 3 * x - 7), {"x": x}, ("y", "x"))
    found = line.grad("x", skipna=True, accuracy=accuracy).values
    alone = ~holes & np.pad(holes, ((0, 0), (1, 1)), constant_values=True)[:, 2:]
    alone &= np.pad(holes, ((0, 0), (1, 1)), constant_values=True)[:, :-2]
    assert np.array_equal(np.isnan(found), holes | alone)
    assert np.nanmax(abs(found - 3)) < 1e-10


@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_a_coast_has_the_order_of_an_edge(accuracy):
    """A run of valid values is differentiated as it is by itself."""
    x = NODES["jittered"](30)
    wave = xr.DataArray(np.sin(x / 3), {"x": x})
    land = wave.where((wave.x > 2.5) & (wave.x < 25.5))
    run = land.dropna("x")
    found = land.grad("x", skipna=True, accuracy=accuracy).dropna("x")
    assert found.identical(run.grad("x", accuracy=accuracy).rename(found.name))


def test_islands_and_straits():
    """Runs of one, two and three values have the derivatives that they allow."""
    nan = np.nan
    field = np.array([nan, 5.0, nan, 1.0, 3.0, nan, 1.0, 2.0, 5.0, nan, nan])
    first, second = (
        gradient(field, skipna=True, deriv=deriv, edge_order=1)[0].tolist() for deriv in (1, 2)
    )
    expected = [nan, nan, nan, 2.0, 2.0, nan, 1.0, 2.0, 3.0, nan, nan]
    assert np.array_equal(first, expected, equal_nan=True)
    expected = [nan, nan, nan, nan, nan, nan, 2.0, 2.0, 2.0, nan, nan]
    assert np.array_equal(second, expected, equal_nan=True)


@pytest.mark.parametrize("skipna", [True, False])
def test_nothing_but_missing_values(skipna):
    field = np.full((6, 7), np.nan, np.float32)
    for result in gradient(field, skipna=skipna):
        assert np.isnan(result).all()
        assert result.dtype == np.float32


@compiled
def test_infinite_values_are_no_missing_ones():
    field = np.array([0.0, 1, np.inf, 3, 4, np.nan, 6, 7])
    plain, found = (gradient(field, skipna=skipna)[0] for skipna in (False, True))
    assert same(found[:4], plain[:4])
    assert found[4:].tolist()[0] == 1.0
    assert np.isnan(found[5])


@compiled
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f2", "f4", *map(slow, ("f8", "c8", "c16", ">f4", "g"))])
def test_layouts_and_dtypes(layout, dtype):
    field = with_holes((4, 30, 5), 0.2, dtype=dtype)
    reference_dtype = {"f2": "f4", ">f4": "f4"}.get(dtype, dtype)
    plain = np.ascontiguousarray(field.astype(reference_dtype))
    for axis, accuracy in itertools.product(range(3), (2, 3)):
        options = {"dim": axis, "skipna": True, "accuracy": accuracy, "edge_order": 1}
        (expected,) = gradient(plain, **options)
        (found,) = gradient(LAYOUTS[layout](field), **options)
        assert same(found, expected.astype(found.dtype))


@compiled
@pytest.mark.parametrize("dtype", ["i4", "u1", "?"])
def test_whole_numbers_are_never_missing(dtype):
    field = make_field((9, 8), dtype)
    for plain, found in zip(gradient(field), gradient(field, skipna=True), strict=True):
        assert same(plain, found)


def test_a_missing_part_makes_a_complex_number_missing():
    field = make_field((12,), "c16")
    field[4] = complex(np.nan, 1.0)
    (found,) = gradient(field, skipna=True)
    assert np.flatnonzero(np.isnan(found)).tolist() == [4]
    assert found[3] == field[3] - field[2]


@pytest.mark.parametrize("order", [{}, {"edge_order": 2}, {"accuracy": 4}], ids=str)
@pytest.mark.parametrize("dim", [0, 1])
def test_arrays_of_every_library(xp, dim, order):
    field = with_holes((12, 9), 0.2)
    if "sparse" in xp.name:
        with pytest.raises(TypeError, match=r"^skipna looks at every cell; make the sparse array"):
            xp.numpy(gradient(xp.asarray(field), dim=dim, skipna=True, **order)[0])
        return
    (found,) = gradient(xp.asarray(field), dim=dim, skipna=True, **order)
    (expected,) = gradient(field, dim=dim, skipna=True, **order)
    assert error(xp.numpy(found), expected, field, 1) < 1e-14


def test_nothing_is_computed_at_the_call(nothing_computed):
    lazy = xr.DataArray(with_holes((20, 20), 0.2), dims=("y", "x")).chunk(7)
    with nothing_computed():
        made = lazy.grad(skipna=True, accuracy=4)
    assert same(made["d_dy"], lazy.compute().grad("y", skipna=True, accuracy=4))


def test_what_is_sent_to_workers_does_not_grow_with_what_was_computed_here():
    da = xr.DataArray(with_holes((500, 4), 0.2), {"x": NODES["jittered"](500)}, ("x", "t"))
    lazy = da.chunk().grad("x", skipna=True, accuracy=4)
    before = len(pickle.dumps(lazy.data))
    eager = [da.astype(dtype).grad("x", skipna=True, accuracy=4) for dtype in ("f4", "f8")]
    after = pickle.dumps(lazy.data)
    assert len(after) < 1.01 * before
    assert same(pickle.loads(after), eager[1])


# -- the globe -------------------------------------------------------------------------------------


def holed(step=6.0, *, poles, seed=3):
    """A scalar and a flow on the globe, with gaps, the same in all of them."""
    lat, lon = sphere_fields.grid(step, poles=poles)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    s, c = np.sin(phi)[:, None], np.cos(phi)[:, None]
    holes = np.random.default_rng(seed).random((len(lat), len(lon))) < 0.15
    holes[[0, -1]] = False
    values = {
        "t": np.where(holes, np.nan, 2 + s * c**2 * np.cos(2 * lam)),
        "u": np.where(holes, np.nan, s * np.cos(lam) + c),
        "v": np.where(holes, np.nan, -np.sin(lam) + 0 * c),
    }
    units = {"t": "K", "u": "m s-1", "v": "m s-1"}
    return xr.Dataset(
        {n: sphere_fields.labelled(v, lat, lon, n, units[n]) for n, v in values.items()}
    )


def unfolded(da, sign, cells):
    """The rows beyond both poles beside the others, as an open axis in degrees."""
    half = da.sizes["lon"] // 2
    on_pole = abs(da.lat.values[0]) == 90
    skip = 1 if on_pole else 0
    turned = sign * da.roll(lon=half)
    south = turned.isel(lat=slice(skip, skip + cells))[::-1]
    north = turned.isel(lat=slice(da.sizes["lat"] - skip - cells, da.sizes["lat"] - skip))[::-1]
    south = south.assign_coords(lat=-180 - south.lat)
    north = north.assign_coords(lat=180 - north.lat)
    return xr.concat([south, da, north], "lat", coords="minimal", compat="override", join="outer")


@compiled
@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("accuracy", [2, 4])
def test_runs_go_on_across_the_poles(poles, accuracy):
    ds = holed(poles=poles)
    wide = unfolded(ds.t, 1, 10).drop_attrs()
    # By plain degrees along the meridian, which goes on through the pole.
    expected = wide.grad("lat", skipna=True, accuracy=accuracy)
    expected = expected.sel(lat=ds.lat) / np.deg2rad(sphere_fields.RADIUS)
    found = ds.t.grad("lat", metric="sphere", skipna=True, accuracy=accuracy)
    scale = abs(expected).max()
    assert np.array_equal(np.isnan(found), np.isnan(expected.values))
    assert float(abs(found.drop_attrs() - expected.values).max() / scale) < 1e-12


OPERATORS = {
    "grad": lambda ds, **o: ds.t.grad(["lat", "lon"], **o),
    "magnitude": lambda ds, **o: ds.t.grad.magnitude(["lat", "lon"], **o).to_dataset(name="m"),
    "laplacian": lambda ds, **o: ds.t.grad.laplacian(["lat", "lon"], **o).to_dataset(name="l"),
    "hessian": lambda ds, **o: ds.t.grad.hessian(["lat", "lon"], **o),
    "divergence": lambda ds, **o: ds.grad.divergence(lon="u", lat="v", **o).to_dataset(name="d"),
    "curl": lambda ds, **o: ds.grad.curl(lon="u", lat="v", **o).to_dataset(name="c"),
    "jacobian": lambda ds, **o: ds.grad.jacobian(lon="u", lat="v", **o),
    "strain": lambda ds, **o: ds.grad.strain(lon="u", lat="v", **o),
    "advection": lambda ds, **o: ds.t.grad.advection(lon=ds.u, lat=ds.v, **o).to_dataset(name="a"),
    "directional": lambda ds, **o: ds.t.grad.directional(lon=ds.u, lat=ds.v, **o).to_dataset(
        name="a"
    ),
}


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_the_globe_reach_the_coast(name, poles):
    """Without gaps the same bits; with them missing where the field is, or has no neighbours."""
    call, options = OPERATORS[name], {"metric": "sphere", "accuracy": 2}
    ds = holed(poles=poles)
    full = ds.map(lambda da: da.fillna(1.0))
    for plain, found in zip(
        call(full, **options).values(), call(full, skipna=True, **options).values(), strict=True
    ):
        assert same(plain, found)
    missing = np.isnan(ds.t.values)
    plain, found = call(ds, **options), call(ds, skipna=True, **options)
    for field, old in zip(found.values(), plain.values(), strict=True):
        assert np.isnan(field.values[missing]).all()
        valid = ~np.isnan(old.values)
        assert same(field.values[valid], old.values[valid])
        assert np.isnan(field.values).sum() < np.isnan(old.values).sum()
    for chunks in ({"lat": 7, "lon": 11}, {"lat": 1}):
        lazy = call(ds.chunk(chunks), skipna=True, **options)
        for eager, field in zip(found.values(), lazy.values(), strict=True):
            assert same(eager, field)


def test_operators_are_made_of_derivatives_that_reach_the_coast():
    """Term by term from single derivatives, on a plane."""
    rng = np.random.default_rng(5)
    holes = rng.random((15, 18)) < 0.2
    coords = {"y": NODES["jittered"](15), "x": NODES["stretched"](18)}
    ds = xr.Dataset(
        {
            n: (("y", "x"), np.where(holes, np.nan, rng.random(holes.shape)))
            for n in ("t", "u", "v")
        },
        coords,
    )
    d = {(n, x): ds[n].grad(x, skipna=True) for n in ("t", "u", "v") for x in ("x", "y")}
    second = {x: ds.t.grad(x, deriv=2, skipna=True) for x in ("x", "y")}
    pairs = [
        (ds.grad.divergence(x="u", y="v", skipna=True), d["u", "x"] + d["v", "y"]),
        (ds.grad.curl(x="u", y="v", skipna=True), d["v", "x"] - d["u", "y"]),
        (ds.t.grad.laplacian(["x", "y"], skipna=True), second["x"] + second["y"]),
        (ds.t.grad.magnitude(["x", "y"], skipna=True), np.hypot(d["t", "x"], d["t", "y"])),
        (
            ds.t.grad.advection(x=ds.u, y=ds.v, skipna=True),
            -(ds.u * d["t", "x"] + ds.v * d["t", "y"]),
        ),
    ]
    for found, expected in pairs:
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        assert float(abs(found - expected).max()) < 1e-12


@compiled
def test_a_row_on_a_pole_has_a_value_if_all_meridians_have_one():
    ds = holed(poles=True)
    whole = ds.map(lambda da: da.fillna(1.0))
    one_side = whole.where(~((whole.lat == 84) & (whole.lon < 170)))
    for da in (whole.t, one_side.t):
        found = da.grad("lat", metric="sphere", skipna=True)
        assert not np.isnan(found.isel(lat=-1)).any()
    island = whole.where(~(whole.lat == 84))
    assert np.isnan(
        island.grad.divergence(lon="u", lat="v", metric="sphere", skipna=True)[-1]
    ).all()


# -- rows longer than what the loops do at a time --------------------------------------------------

LONG = 600


@compiled
@pytest.mark.parametrize("order", [{"accuracy": 2}, {"accuracy": 3}, {"deriv": 2, "accuracy": 2}])
def test_long_rows_are_those_of_the_slow_reference(order):
    """Uneven steps, so that each row has coefficients of its own."""
    x = NODES["stretched"](LONG)
    field = with_holes((2, LONG), 0.2)
    found = xr.DataArray(field, {"x": x}, ("t", "x")).grad("x", skipna=True, **order)
    expected = expected_rows(field, x, **order)
    assert error(found, expected, field, order.get("deriv", 1)) < 1e-11


@compiled
@pytest.mark.parametrize("dims", [("y", "x"), ("x", "y")])
@pytest.mark.parametrize("accuracy", [2, 4])
def test_weights_of_every_cell_of_long_rows(dims, accuracy):
    """Terms with a weight for each cell, and values beside them, against the terms by hand."""
    sizes = {"y": 30, "x": LONG} if dims == ("y", "x") else {"y": LONG, "x": 30}
    coords = {d: NODES["jittered"](n) for d, n in sizes.items()}
    shape = tuple(sizes[d] for d in dims)
    holes = np.isnan(with_holes(shape, 0.2))
    u, v = (
        xr.DataArray(np.where(holes, np.nan, make_field(shape, seed=k)), coords, dims)
        for k in (1, 2)
    )
    h = xr.DataArray(2 + np.random.default_rng(3).random(shape), coords, dims)
    options = {"accuracy": accuracy, "skipna": True}
    for factors in ({"x": h, "y": 3.0}, {"x": 3.0, "y": h}, {"x": h, "y": h}):
        hx, hy = factors["x"], factors["y"]
        found = xgradient.divergence(x=u, y=v, metric=factors, **options)
        slope = {
            d: 0.0 if isinstance(other, float) else other.grad(d, accuracy=accuracy)
            for d, other in (("x", hy), ("y", hx))
        }
        expected = (u.grad("x", **options) + u * slope["x"] / hy) / hx
        expected = expected + (v.grad("y", **options) + v * slope["y"] / hx) / hy
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        assert float(abs(found - expected).max() / abs(expected).max()) < 1e-12


# -- arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [1, None, "yes", np.nan])
def test_skipna_is_true_or_false(bad):
    da = xr.DataArray(np.arange(4.0), dims="x")
    with pytest.raises(TypeError, match=r"skipna is .*; give True or False"):
        da.grad("x", skipna=bad)
    with pytest.raises(TypeError, match=r"skipna is .*; give True or False"):
        gradient(da.values, skipna=bad)


def test_a_periodic_axis_must_hold_the_windows_of_its_coasts():
    da = xr.DataArray(np.arange(6.0), dims="x")
    options = {"accuracy": 2, "edge_order": 6, "periodic": True}
    assert da.grad("x", **options).shape == (6,)
    da[2] = np.nan
    assert np.isnan(da.grad("x", skipna=True, **options)).sum() == 1
    with pytest.raises(ValueError, match=r"edge_order=7 on a periodic axis needs 7"):
        da.grad("x", skipna=True, **{**options, "edge_order": 7})


def test_every_operator_takes_it():
    for name, operator in operators.OPERATORS.items():
        assert "skipna" in inspect.signature(operator).parameters, name


@compiled
@pytest.mark.parametrize("order", [(1, 2, 1), (1, 2, 2), (2, 2, 1), (1, 4, 4), (3, 2, 1)])
@pytest.mark.parametrize("kind", ["uniform", "jittered"])
def test_windows_are_tried_only_where_none_is_missing(order, kind):
    nodes = nodes_from_values(NODES[kind](12), "x")
    masked = Scheme.checked(*order, True).stencil(nodes, "x").masked
    few = order[:2] in {(1, 2), (2, 2)}
    assert masked_loops._has_few_windows(masked) == few
    # Without the window of one end there would be no coefficients to try on a cell.
    index = masked.window_index.copy()
    index[0, -1] = -1
    assert not masked_loops._has_few_windows(replace(masked, window_index=index))
