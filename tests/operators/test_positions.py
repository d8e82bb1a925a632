"""Derivatives on the faces and at the centers of cells: exact weights, orders, names and xgcm."""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support import reference
from ..support.loops import compiled_and_replaced
from ..support.marks import slow
from ..support.shared_data import open_shared
from ..support.strategies import NODES, make_field

RNG = np.random.default_rng(12)
TO_FACES = ["left", "right", "inner", "outer"]


def line(values, x, dim="x"):
    return xr.DataArray(values, {dim: x}, dim, "f", {"units": "K"})


def middles(x):
    return (x[:-1] + x[1:]) / 2


def faces(x, to):
    """Positions of faces: middles, and half a step beyond the ends."""
    every = [x[0] - (x[1] - x[0]) / 2, *middles(x), x[-1] + (x[-1] - x[-2]) / 2]
    first, last = {"left": (0, -1), "right": (1, None), "inner": (1, -1), "outer": (0, None)}[to]
    return np.array(every)[first:last]


# -- truth ------------------------------------------------------------------------------------


def test_an_interior_row_of_order_four_is_exact_and_ends_have_one_node_more():
    unit = xr.DataArray(np.eye(12), {"x": np.arange(12.0)}, ("x", "of"))
    found = unit.grad("x", to="inner", accuracy=4).values
    for k in range(1, 10):
        np.testing.assert_array_equal(24 * found[k, k - 1 : k + 3], [1, -27, 27, -1])
        assert np.count_nonzero(found[k]) == 4
    assert np.count_nonzero(found[0]) == np.count_nonzero(found[-1]) == 5
    np.testing.assert_allclose(24 * found[0, :5], [-22, 17, 9, -5, 1], rtol=1e-15)
    two = unit.grad("x", to="inner").values
    np.testing.assert_array_equal(two, np.diff(np.eye(12), axis=0))


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (1, 6), (2, 2), (2, 4), (3, 2)])
def test_weights_are_those_of_the_interpolating_polynomial(kind, to, direction, deriv, accuracy):
    x = direction * NODES[kind](14)
    unit = xr.DataArray(np.eye(14), {"x": x}, ("x", "of"))
    found = unit.grad("x", to=to, deriv=deriv, accuracy=accuracy)
    points = faces(x, to)
    np.testing.assert_allclose(found[f"x_{to}"], points)
    for row, point in zip(found.values, points, strict=True):
        used = np.flatnonzero(row)
        first, last = used[0], used[-1] + 1
        exact = reference.weights(
            tuple(map(Fraction, x[first:last])), Fraction(float(point)), deriv
        )
        exact = np.array(exact, float)
        np.testing.assert_allclose(row[first:last], exact, rtol=0, atol=1e-12 * abs(exact).max())


@pytest.mark.parametrize("kind", ["jittered", "alternating", "stretched"])
@pytest.mark.parametrize("to", ["inner", "outer"])
@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("deriv", [1, 2])
def test_the_order_is_reached_at_every_face(kind, to, accuracy, deriv):
    errors, sizes = [], (64, 128)
    for n in sizes:
        x = 2 * NODES[kind](n) / n
        found = line(np.sin(3 * x), x).grad("x", to=to, deriv=deriv, accuracy=accuracy)
        exact = 3**deriv * np.sin(3 * faces(x, to) + deriv * np.pi / 2)
        errors.append(float(abs(found - exact).max()))
    slope = np.log2(errors[0] / errors[1])
    assert slope > accuracy - 0.25
    wrong = abs(found - np.roll(exact, 1)).max()
    assert wrong > 1e3 * errors[1] or accuracy == 2


def test_the_positions_of_the_file_are_used_where_they_are():
    x = np.array([0.0, 1, 3, 6, 10, 15, 21])
    xg = np.array([0.3, 1.5, 5.0, 7.5, 12.0, 20.0])
    p = np.polynomial.Polynomial([1.0, -2, 0.5, 0.1])
    coords = {
        "xc": ("xc", x, {"axis": "X"}),
        "xg": ("xg", xg, {"axis": "X", "c_grid_axis_shift": 0.5}),
    }
    ds = xr.Dataset({"f": ("xc", p(x))}, coords)
    found = ds.grad("xc", to="edges", accuracy=3).df_dxc
    np.testing.assert_allclose(found, p.deriv()(xg))
    assert found.xg.identical(ds.xg)
    back = xr.Dataset({"g": ("xg", p(xg))}, coords).grad("xg", to="center", accuracy=3).dg_dxg
    np.testing.assert_allclose(back, p.deriv()(x))
    with pytest.raises(
        ValueError, match=r"coordinate 'xg' has 0.3 at index 0, which is not between"
    ):
        ds.assign_coords(xc=("xc", x + 0.5, {"axis": "X"})).grad("xc", to="inner")


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
def test_periodic_axes_close(kind, to):
    n = 64
    x = 2 * np.pi * NODES[kind](n) / n
    found = line(np.sin(x), x).grad("x", to=to, accuracy=6, periodic={"x": 2 * np.pi})
    seam = (x[0] + x[-1] - 2 * np.pi) / 2
    points = faces(x, to)
    points[0] = seam if to in ("left", "outer") else points[0]
    points[-1] = seam + 2 * np.pi if to in ("right", "outer") else points[-1]
    np.testing.assert_allclose(found[f"x_{to}"], points)
    np.testing.assert_allclose(found, np.cos(points), atol=2e-6)


# -- missing values -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("accuracy", [2, 4])
def test_runs_of_valid_values_are_axes_by_themselves(kind, to, accuracy):
    n, x = 30, NODES[kind](30)
    f = line(RNG.normal(size=n), x)
    gaps = [0, 7, 8, 21]
    holed = f.copy()
    holed[gaps] = np.nan
    found = holed.grad("x", to=to, accuracy=accuracy, skipna=True)
    expected = np.full(n + 1, np.nan)
    for first, last in ((1, 7), (9, 21), (22, n)):
        part = f[first:last]
        expected[first + 1 : last] = part.grad("x", to="inner", accuracy=accuracy).values
    first, last = {"left": (0, -1), "right": (1, None), "inner": (1, -1), "outer": (0, None)}[to]
    np.testing.assert_allclose(found, expected[first:last], rtol=1e-12)


@pytest.mark.parametrize("to", TO_FACES)
def test_without_gaps_skipna_changes_no_bit_between_grid_points(to):
    f = line(RNG.normal(size=20), NODES["stretched"](20))
    plain = f.grad("x", to=to, accuracy=4)
    found = f.grad("x", to=to, accuracy=4, skipna=True)
    inside = (plain[f"x_{to}"] > f.x[0]) & (plain[f"x_{to}"] < f.x[-1])
    np.testing.assert_array_equal(found[inside], plain[inside])
    assert np.isnan(found[~inside]).all()


# -- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uniform", "jittered"])
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.parametrize("skipna", [False, slow(True)])
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
        expected = f.grad("x", **options)
        for size in (1, 2, 5, 22, 23):
            lazy = f.chunk(x=size, y=2).grad("x", **options)
            assert lazy.dtype == lazy.data._meta.dtype == expected.dtype
            np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)


def test_chunks_follow_those_of_the_data():
    pytest.importorskip("dask")
    f = line(np.arange(30.0), np.arange(30.0)).chunk(x=10)
    sizes = {to: f.grad("x", to=to).chunks[0] for to in TO_FACES}
    assert sizes == {
        "left": (10, 10, 10), "right": (10, 10, 10), "inner": (10, 10, 9), "outer": (10, 10, 11),
    }  # fmt: skip
    for to in TO_FACES:
        graph = f.grad("x", to=to).__dask_graph__()
        assert len([key for key in graph if key not in f.__dask_graph__()]) <= 2 * 3


@pytest.mark.compiled
@pytest.mark.parametrize("skipna", [False, slow(True)])
def test_compiled_loops_have_the_bits_of_numpy(skipna):
    data = make_field((4, 90, 5), "f8")
    if skipna:
        data = np.where(RNG.random(data.shape) < 0.1, np.nan, data)
    f = xr.DataArray(data, {"x": NODES["jittered"](90)}, ("t", "x", "y"))
    for to in ("left", "outer"):
        for da in (f, f.transpose("t", "y", "x"), f[:, ::-1]):
            call = partial(da.grad, "x", to=to, accuracy=4, skipna=skipna)
            np.testing.assert_array_equal(*compiled_and_replaced(call))


# -- names and lengths ----------------------------------------------------------------------------


def grid(**lengths):
    """A Dataset with a field along each dimension."""
    return xr.Dataset({f"on_{dim}": (dim, np.arange(float(n)) ** 2) for dim, n in lengths.items()})


#: Lengths of dimensions, one at centers and one on faces, and differences between centers.
MODELS = {
    "WRF": ({"west_east": 5, "west_east_stag": 6}, "west_east", "west_east_stag", [1.0, 3, 5, 7]),
    "ROMS": ({"xi_rho": 5, "xi_u": 4}, "xi_rho", "xi_u", [1.0, 3, 5, 7]),
    "ROMS, cut": ({"xi_rho": 5, "xi_u": 5, "xi_v": 5}, "xi_v", "xi_u", [1.0, 3, 5, 7]),
    "ROMS, levels": ({"s_rho": 5, "s_w": 6}, "s_rho", "s_w", [1.0, 3, 5, 7]),
    "NEMO": ({"x_c": 5, "x_f": 5}, "x_c", "x_f", [1.0, 3, 5, 7]),
    "NEMO, XIOS": ({"y_grid_T": 5, "y_grid_V": 5}, "y_grid_T", "y_grid_V", [1.0, 3, 5, 7]),
    "NEMO, levels": ({"deptht": 5, "depthw": 5}, "deptht", "depthw", [1.0, 3, 5, 7]),
    "MITgcm": ({"XC": 5, "XG": 5}, "XC", "XG", [1.0, 3, 5, 7]),
    "MITgcm, edges": ({"Z": 5, "Zp1": 6}, "Z", "Zp1", [1.0, 3, 5, 7]),
    "MOM6": ({"xh": 5, "xq": 5}, "xh", "xq", [1.0, 3, 5, 7]),
    "MOM6, symmetric": ({"yh": 5, "yq": 6}, "yh", "yq", [1.0, 3, 5, 7]),
}


@pytest.mark.parametrize("model", MODELS)
def test_models_tell_positions_by_their_names(model):
    lengths, center, face, between = MODELS[model]
    ds = grid(**lengths)
    found = ds.grad(center, to="edges")[f"don_{center}_d{center}"]
    assert found.sizes == {face: lengths[face]}
    at = {"before": 1, "after": 0}
    first = at["before"] if lengths[face] == 6 or face in ("XG", "depthw") else at["after"]
    np.testing.assert_array_equal(found[first : first + 4], between)
    back = ds.grad(face, to="center")[f"don_{face}_d{face}"]
    assert back.sizes[{"xi_v": "xi_rho"}.get(center, center)] == 5
    start = 1 - first
    np.testing.assert_array_equal(back[start : start + 3], [1.0, 3, 5])


def test_a_length_that_fits_no_position_is_refused():
    with pytest.raises(ValueError, match="'xi_u' has 7 points, which are the faces of no 5 cells"):
        grid(xi_rho=5, xi_u=7).grad("xi_rho", to="edges")
    with pytest.raises(ValueError, match="lengths of axis 'X' do not fit each other"):
        grid(a=5, b=7).grad("a", to="left", positions={"X": {"center": "a", "left": "b"}})
    with pytest.raises(ValueError, match="'XG' is left or outer of its cells"):
        grid(XG=5).grad("XG", to="center")


def test_several_faces_must_be_named():
    ds = grid(Z=4, Zl=4, Zu=4, Zp1=5)
    with pytest.raises(
        ValueError, match="several on this axis, 'left', 'outer', 'right'; give one"
    ):
        ds.grad("Z", to="edges")
    for to, dim in (("left", "Zl"), ("right", "Zu"), ("outer", "Zp1")):
        assert ds.grad("Z", to=to).don_Z_dZ.dims == (dim,)
    assert ds.grad("Z", to="inner").don_Z_dZ.dims == ("Z_inner",)


@pytest.mark.parametrize(
    ("padding", "n", "to"),
    [("low", 5, "right"), ("high", 5, "left"), ("both", 4, "inner"), ("none", 6, "outer")],
)
def test_sgrid(padding, n, to):
    ds = grid(a=5, b=n)
    text = f"a: b (padding: {padding}) c:d (padding:{padding})"
    attrs = {"cf_role": "grid_topology", "node_dimensions": "b d", "face_dimensions": text}
    ds["grid"] = (), 0, attrs
    found = ds.grad("a", to="edges").don_a_da
    assert found.identical(ds.grad("a", to=to).don_a_da)
    assert found.sizes == {"b": n}


def test_names_of_results_that_the_data_do_not_have():
    f = line(np.arange(4.0), np.arange(4.0))
    assert f.grad("x", to="edges").dims == ("x_inner",)
    assert f.grad("x", to="edges", periodic=True).dims == ("x_left",)
    there = f.grad("x", to="inner")
    back = there.grad("x_inner", to="center")
    assert back.sizes == {"x": 4}
    np.testing.assert_array_equal(back.x, f.x)
    assert line(np.arange(4.0), np.arange(4.0), "s_rho").grad("s_rho", to="outer").dims == ("s_w",)
    assert grid(xi_rho=5).on_xi_rho.grad("xi_rho", to="edges").sizes == {"xi_u": 4}


def test_names_of_results_tell_positions():
    f = line(np.arange(5.0) ** 2, np.array([0.0, 1, 3, 6, 10]))
    ds = f.to_dataset().merge(f.grad("x", to="inner").to_dataset(name="slope"))
    assert ds.grad("x", to="edges").df_dx.dims == ("x_inner",)
    back = ds.grad("x_inner", to="center").dslope_dx_inner
    np.testing.assert_array_equal(back.x, f.x)


def test_coordinates_of_the_other_position_are_those_of_the_data():
    ds = grid(XC=5, XG=5, y=3)
    ds["t"] = ("y", "XC"), np.ones((3, 5))
    ds = ds.assign_coords(
        XC=np.arange(5.0), XG=np.arange(5.0) - 0.5, lonG=(("y", "XG"), np.ones((3, 5))),
        lonC=(("y", "XC"), np.ones((3, 5))), area=("y", [1.0, 2, 3]), depth=5.0,
    )  # fmt: skip
    found = ds.grad("XC", to="left").dt_dXC
    assert set(found.coords) == {"XG", "lonG", "area", "depth"}
    assert found.dims == ("y", "XG")


def test_bounds_of_cells_are_their_faces():
    z = np.array([1.0, 4, 12])
    bounds = np.array([[0.0, 2], [2, 7], [7, 20]])
    for order in (slice(None), slice(None, None, -1)):
        coord = xr.Variable("z", z[order], {"units": "m", "bounds": "z_b"})
        p = np.polynomial.Polynomial([1.0, 2, 3])
        ds = xr.Dataset(
            {"t": ("z", p(z[order])), "z_b": (("z", "nv"), bounds[order])}, {"z": coord}
        )
        found = ds.grad("z", to="outer").dt_dz
        np.testing.assert_array_equal(found.z_outer, np.array([0.0, 2, 7, 20])[order])
        np.testing.assert_allclose(found, p.deriv()(found.z_outer))
        assert found.z_outer.attrs == {"units": "m"}


def test_times_and_longitudes_in_the_middle():
    time = np.array(["2000-01-01", "2000-01-02", "2000-01-04"], "M8[ns]")
    found = xr.DataArray([0.0, 1, 3], {"time": time}, "time").grad("time", to="outer")
    expected = np.array(["1999-12-31T12", "2000-01-01T12", "2000-01-03", "2000-01-05"], "M8[ns]")
    np.testing.assert_array_equal(found.time_outer, expected)
    np.testing.assert_allclose(found * 86400, 1)
    lon = xr.Variable("lon", [340.0, 350, 0, 10], {"units": "degrees_east"})
    found = xr.DataArray(np.arange(4.0), {"lon": lon}, "lon").grad("lon", to="inner")
    np.testing.assert_array_equal(found.lon_inner, [345, 355, 365])
    np.testing.assert_allclose(found, 0.1)


def test_counts_of_points_are_not_positions():
    ds = grid(i=4, i_g=4).assign_coords(i=np.arange(4), i_g=np.arange(4))
    found = ds.grad("i", to="left").don_i_di
    np.testing.assert_array_equal(found, [-1, 1, 3, 5])
    np.testing.assert_array_equal(found.i_g, np.arange(4))


def test_models_own_files():
    roms = open_shared("roms_nordic.nc")
    temp = roms[["temp", "u"]]
    found = temp.grad("xi_rho", to="edges").dtemp_dxi_rho
    assert found.dims == ("ocean_time", "s_rho", "eta_rho", "xi_u")
    values = roms.temp.values
    np.testing.assert_array_equal(found[..., :-1], np.diff(values, axis=-1))
    w = roms.grad("s_rho", to="edges").dtemp_ds_rho
    assert w.sizes["s_w"] == roms.sizes["s_rho"] + 1
    wrf = open_shared("wrf_katrina_winds.nc")
    u = wrf.grad("west_east_stag", to="center").dU_dwest_east_stag
    np.testing.assert_array_equal(u, np.diff(wrf.U.values, axis=-1))
    assert u.dims == ("Time", "bottom_top", "south_north", "west_east")


# -- xgcm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("to", TO_FACES)
@pytest.mark.filterwarnings("ignore")
def test_xgcm_has_the_same_differences_and_derivatives(to, periodic):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xgcm = pytest.importorskip("xgcm")
    n = 12
    xc, step = np.arange(n) * 0.5, 0.5
    xf = faces(xc, to)
    if periodic and to in ("inner", "outer"):
        pytest.skip("periodic axes of xgcm have as many faces as centers")
    ds = xr.Dataset(
        {
            "c": (("y", "xc"), RNG.normal(size=(3, n))),
            "f": (("y", "xf"), RNG.normal(size=(3, len(xf)))),
        },
        {
            "xc": xc,
            "xf": xf,
            "dxc": ("xc", np.full(n, step)),
            "dxf": ("xf", np.full(len(xf), step)),
        },
    )
    positions = {"X": {"center": "xc", to: "xf"}}
    theirs = xgcm.Grid(
        ds, coords=positions, metrics={("X",): ["dxc", "dxf"]}, autoparse_metadata=False,
        padding="periodic" if periodic else "extend",
    )  # fmt: skip
    ours = {
        "positions": positions,
        "periodic": {"xc": n * step, "xf": n * step} if periodic else False,
    }
    for name, dim, there in (("c", "xc", to), ("f", "xf", "center")):
        found = ds.grad(dim, to=there, **ours)[f"d{name}_d{dim}"]
        expected = theirs.derivative(ds[name], "X", to=there)
        assert found.dims == expected.dims
        points, nodes = found[found.dims[-1]], ds[dim]
        inside = (points > nodes[0]) & (points < nodes[-1]) if not periodic else points == points
        np.testing.assert_allclose(found[:, inside.values], expected[:, inside.values], rtol=1e-13)
        unit = ds.grad(dim, to=there, spacing=1.0, **{**ours, "periodic": periodic})[
            f"d{name}_d{dim}"
        ]
        difference = theirs.diff(ds[name], "X", to=there)
        np.testing.assert_allclose(unit[:, inside.values], difference[:, inside.values], rtol=1e-13)


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"to": "centre"}, ValueError, "perhaps 'center' is meant; give 'center', 'left'"),
        ({"to": "center"}, ValueError, "'x' is at the centers itself.*; give the faces to go to"),
        ({"to": "left", "at": [1.0]}, ValueError, "at and to are both given"),
        ({"positions": {}}, ValueError, "positions are for to"),
        ({"to": "left", "positions": 3}, TypeError, "positions is 3; give a mapping such as"),
        ({"to": "left", "positions": {"X": "x"}}, TypeError, "positions has 'x' for 'X'; give"),
        ({"to": "left", "positions": {"X": {"lefft": "x"}}}, ValueError, "perhaps 'left' is meant"),
        ({"to": "left", "smooth": (3, 1)}, ValueError, "to does not go with smooth"),
        (
            {"to": "left", "metric": "sphere"},
            ValueError,
            "a latitude and a longitude, but the data",
        ),
        ({"to": "left", "metric": {"x": 2.0}, "deriv": 2}, ValueError, "is for first derivatives"),
        (
            {"to": "left", "metric": {"x": 2.0}, "spacing": 2},
            ValueError,
            "to does not go with spacing",
        ),
        ({"to": "left", "along": "x"}, ValueError, "to does not go with along"),
        ({"to": "left", "at_constant": "x"}, ValueError, "to does not go with at_constant"),
        ({"to": "left", "boundary": "even"}, ValueError, "to does not go with boundary or coast"),
        ({"to": "left", "coast": "even", "skipna": True}, ValueError, "go with boundary or coast"),
        ({"to": "left", "error": True}, ValueError, "to does not go with error"),
        ({"to": "left", "accuracy": 6}, ValueError, "has 5 points, but.*needs 7"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(options, error, sentence):
    with pytest.raises(error, match=sentence):
        line(np.arange(5.0), np.arange(5.0)).grad("x", **options)
    faces_ = grid(xi_rho=5, xi_u=4)
    with pytest.raises(ValueError, match=r"to is 'left', but 'xi_u' is on faces itself"):
        faces_.grad("xi_u", to="left")
    with pytest.raises(ValueError, match=r"to is 'edges', but 'xi_u' is on faces itself"):
        faces_.grad("xi_u", to="edges")
