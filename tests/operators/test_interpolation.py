"""Interpolation between positions: exact weights, polynomials, scipy and xgcm."""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support import reference
from ..support.loops import compiled_and_replaced
from ..support.marks import slow
from ..support.strategies import NODES, make_field
from .test_positions import MODELS, TO_FACES, faces, grid, line

RNG = np.random.default_rng(17)


# -- truth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("accuracy", [1, 2, 4, 6])
def test_weights_are_those_of_the_interpolating_polynomial(kind, to, accuracy):
    x = NODES[kind](14)
    unit = xr.DataArray(np.eye(14), {"x": x}, ("x", "of"))
    found = unit.grad.interpolate("x", to=to, accuracy=accuracy)
    points = faces(x, to)
    np.testing.assert_allclose(found[f"x_{to}"], points)
    for row, point in zip(found.values, points, strict=True):
        used = np.flatnonzero(row)
        first, last = used[0], used[-1] + 1
        assert last - first <= accuracy + accuracy % 2
        nodes = tuple(map(Fraction, x[first:last]))
        exact = np.array(reference.weights(nodes, Fraction(float(point)), 0), float)
        np.testing.assert_allclose(row[first:last], exact, rtol=0, atol=1e-13 * abs(exact).max())


def test_rows_of_order_four_are_exact():
    unit = xr.DataArray(np.eye(8), {"x": np.arange(8.0)}, ("x", "of"))
    found = 16 * unit.grad.interpolate("x", to="inner", accuracy=4).values
    np.testing.assert_array_equal(found[2, :6], [0, -1, 9, 9, -1, 0])
    np.testing.assert_array_equal(found[0, :5], [5, 15, -5, 1, 0])
    np.testing.assert_array_equal(found[-1, -5:], [0, 1, -5, 15, 5])


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_points_are_those_of_scipy(kind, accuracy):
    interpolate = pytest.importorskip("scipy.interpolate")
    x = NODES[kind](accuracy)
    at = np.concatenate([RNG.uniform(x[0], x[-1], 5), x[::2]])
    f = RNG.normal(size=accuracy)
    found = line(f, x).grad.interpolate("x", at=at, accuracy=accuracy)
    expected = interpolate.BarycentricInterpolator(x, f)(at)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[5:], f[::2])


@pytest.mark.parametrize("kind", ["jittered", "alternating", "stretched"])
@pytest.mark.parametrize("to", ["inner", "outer"])
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_order_is_reached_at_every_face(kind, to, accuracy):
    errors = []
    for n in (64, 128):
        x = 2 * NODES[kind](n) / n
        found = line(np.sin(3 * x), x).grad.interpolate("x", to=to, accuracy=accuracy)
        errors.append(float(abs(found - np.sin(3 * faces(x, to))).max()))
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.25


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
def test_periodic_axes_close(kind, to):
    n = 64
    x = 2 * np.pi * NODES[kind](n) / n
    found = line(np.sin(x), x).grad.interpolate("x", to=to, accuracy=6, periodic={"x": 2 * np.pi})
    np.testing.assert_allclose(found, np.sin(found[f"x_{to}"]), atol=2e-7)


def test_a_constant_is_exact_and_large_offsets_keep_digits():
    x = NODES["jittered"](30)
    for value in (273.15, -1e30):
        found = line(np.full(30, np.float32(value)), x).grad.interpolate(
            "x", to="outer", accuracy=4
        )
        np.testing.assert_array_equal(found, np.full(31, np.float32(value)))
        assert found.dtype == np.float32


# -- missing values -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("accuracy", [2, 4])
def test_runs_of_valid_values_are_axes_by_themselves(kind, to, accuracy):
    n, x = 30, NODES[kind](30)
    f = line(RNG.normal(size=n), x)
    holed = f.copy()
    holed[[0, 7, 8, 21]] = np.nan
    found = holed.grad.interpolate("x", to=to, accuracy=accuracy, skipna=True)
    expected = np.full(n + 1, np.nan)
    for first, last in ((1, 7), (9, 21), (22, n)):
        part = f[first:last].grad.interpolate("x", to="inner", accuracy=accuracy)
        expected[first + 1 : last] = part.values
    first, last = {"left": (0, -1), "right": (1, None), "inner": (1, -1), "outer": (0, None)}[to]
    np.testing.assert_allclose(found, expected[first:last], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("to", TO_FACES)
def test_without_gaps_skipna_changes_no_bit_between_grid_points(to):
    f = line(RNG.normal(size=20), NODES["stretched"](20))
    plain = f.grad.interpolate("x", to=to, accuracy=4)
    found = f.grad.interpolate("x", to=to, accuracy=4, skipna=True)
    inside = (plain[f"x_{to}"] > f.x[0]) & (plain[f"x_{to}"] < f.x[-1])
    np.testing.assert_array_equal(found[inside], plain[inside])
    assert np.isnan(found[~inside]).all()


def test_points_at_valid_values_next_to_missing_ones_have_them():
    f = line([1.0, np.nan, 3.0, 4.0], np.arange(4.0))
    found = f.grad.interpolate("x", at=[2.5, 2.0, 0.0, 0.5, 1.0])
    np.testing.assert_array_equal(found, [3.5, 3.0, 1.0, np.nan, np.nan])


# -- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uniform", "jittered"])
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("skipna", [slow(False), True])
@pytest.mark.parametrize("periodic", [False, True])
def test_chunks_change_no_bit(kind, to, skipna, periodic):
    pytest.importorskip("dask")
    n, period = 23, {"x": 24.0} if periodic else False
    for dims in (("x", "y"), ("y", "x")):
        data = make_field((n, 3) if dims[0] == "x" else (3, n), "f4")
        if skipna:
            data = np.where(RNG.random(data.shape) < 0.2, np.float32(np.nan), data)
        f = xr.DataArray(data, {"x": NODES[kind](n)}, dims)
        options = {"to": to, "accuracy": 4, "skipna": skipna, "periodic": period}
        expected = f.grad.interpolate("x", **options)
        for size in (1, 5, 22):
            lazy = f.chunk(x=size, y=2).grad.interpolate("x", **options)
            assert lazy.dtype == lazy.data._meta.dtype == expected.dtype
            np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)


def test_chunks_and_tasks_are_those_of_derivatives():
    pytest.importorskip("dask")
    f = line(np.arange(30.0), np.arange(30.0)).chunk(x=10)
    for to in TO_FACES:
        found = f.grad.interpolate("x", to=to)
        assert found.chunks == f.grad("x", to=to).chunks
        graph = found.__dask_graph__()
        assert len([key for key in graph if key not in f.__dask_graph__()]) <= 2 * 3
    found = f.grad.interpolate("x", at=[25.5, 3.0, 3.5])
    np.testing.assert_array_equal(found.compute(scheduler="sync"), [25.5, 3.0, 3.5])


@pytest.mark.compiled
@pytest.mark.parametrize("skipna", [False, slow(True)])
@pytest.mark.parametrize("periodic", [False, True])
def test_compiled_loops_have_the_bits_of_numpy(skipna, periodic):
    data = make_field((4, 90, 5), "f8")
    if skipna:
        data = np.where(RNG.random(data.shape) < 0.1, np.nan, data)
    f = xr.DataArray(data, {"x": NODES["jittered"](90)}, ("t", "x", "y"))
    options = {"accuracy": 4, "skipna": skipna, "periodic": {"x": 91.0} if periodic else False}
    for to in ("left", "outer"):
        for da in (f, f.transpose("t", "y", "x"), f[:, ::-1]):
            call = partial(da.grad.interpolate, "x", to=to, **options)
            np.testing.assert_array_equal(*compiled_and_replaced(call))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16", "i4", "?"])
def test_dtypes(dtype):
    f = line(make_field((12,), "f8"), np.arange(12.0)).astype(dtype)
    found = f.grad.interpolate("x", to="inner", accuracy=4)
    assert found.dtype == (np.float64 if dtype in ("i4", "?") else dtype)
    wide = f.astype("c16" if dtype[0] == "c" else "f8").grad.interpolate(
        "x", to="inner", accuracy=4
    )
    np.testing.assert_allclose(found, wide, rtol=1e-2 if dtype == "f2" else 1e-5, atol=1e-2)
    at_nodes = f.grad.interpolate("x", at=[3.0, 4.0])
    assert at_nodes.dtype == found.dtype
    np.testing.assert_array_equal(at_nodes, f[3:5])


# -- labels ---------------------------------------------------------------------------------------


def test_names_units_and_attributes_are_kept():
    f = line(np.arange(5.0), np.arange(5.0)).assign_coords(depth=3.0)
    f.attrs |= {"long_name": "temperature", "standard_name": "air_temperature", "source": "model"}
    found = f.grad.interpolate("x", to="edges")
    assert found.name == "f"
    assert found.attrs == f.attrs
    assert set(found.coords) == {"x_inner", "depth"}
    ds = f.to_dataset().grad.interpolate("x", to="edges")
    xr.testing.assert_identical(ds.f, found)


@pytest.mark.parametrize("model", MODELS)
def test_models_tell_positions_by_their_names(model):
    lengths, center, face, _ = MODELS[model]
    ds = grid(**lengths)
    found = ds.grad.interpolate(center, to="edges")[f"on_{center}"]
    assert found.sizes == {face: lengths[face]}
    back = ds.grad.interpolate(face, to="center")
    assert back[f"on_{face}"].dims == ({"xi_v": "xi_rho"}.get(center, center),)


def test_trees_are_interpolated_node_by_node():
    tree = xr.DataTree.from_dict({"/a": grid(XC=5, XG=5), "/b": grid(y=3)})
    found = tree.grad.interpolate("XC", to="left")
    assert found["/a"].on_XC.dims == ("XG",)
    assert not found["/b"].data_vars


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({}, ValueError, "interpolate has neither to nor at; give a position"),
        ({"to": "left", "at": 1.0}, ValueError, "at and to are both given"),
        ({"to": "center"}, ValueError, "'x' is at the centers itself"),
        ({"at": 1.0, "skipna": True}, ValueError, "at does not go with skipna"),
        ({"at": 1.0, "positions": {}}, ValueError, "positions are for to"),
        ({"at": 9.0}, ValueError, "at has 9.0 at index 0, outside of coordinate 'x'"),
        ({"to": "left", "accuracy": 0}, ValueError, "accuracy is 0; give a whole number"),
        (
            {"to": "left", "accuracy": 6},
            ValueError,
            "has 4 points, but accuracy=6, edge_order=6 between points needs 6",
        ),
    ],
)
def test_refusals(options, error, sentence):
    with pytest.raises(error, match=sentence):
        line(np.arange(4.0), np.arange(4.0)).grad.interpolate("x", **options)


def test_options_that_are_bound_and_not_taken_are_named():
    bound = line(np.arange(4.0), np.arange(4.0)).grad.with_options(boundary="even")
    with pytest.raises(TypeError, match="interpolate does not take boundary, which with_options"):
        bound.interpolate("x", to="left")
    bound = line(np.arange(4.0), np.arange(4.0)).grad.with_options(accuracy=4)
    np.testing.assert_allclose(bound.interpolate("x", to="inner"), [0.5, 1.5, 2.5])


# -- xgcm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.filterwarnings("ignore")
def test_xgcm_has_the_same_means(to, periodic):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xgcm = pytest.importorskip("xgcm")
    if periodic and to in ("inner", "outer"):
        pytest.skip("periodic axes of xgcm have as many faces as centers")
    n = 12
    xc = np.arange(n) * 0.5
    xf = faces(xc, to)
    fields = {"c": (("y", "xc"), RNG.normal(size=(3, n)))}
    fields["f"] = ("y", "xf"), RNG.normal(size=(3, len(xf)))
    ds = xr.Dataset(fields, {"xc": xc, "xf": xf})
    positions = {"X": {"center": "xc", to: "xf"}}
    theirs = xgcm.Grid(
        ds, coords=positions, autoparse_metadata=False,
        padding="periodic" if periodic else "extend",
    )  # fmt: skip
    for name, dim, there in (("c", "xc", to), ("f", "xf", "center")):
        period = {dim: n * 0.5} if periodic else False
        found = xgradient.interpolate(ds, dim, to=there, positions=positions, periodic=period)[name]
        expected = theirs.interp(ds[name], "X", to=there)
        assert found.dims == expected.dims
        points, nodes = found[found.dims[-1]], ds[dim]
        inside = (points > nodes[0]) & (points < nodes[-1]) if not periodic else points == points
        np.testing.assert_allclose(found[:, inside.values], expected[:, inside.values], rtol=1e-13)
