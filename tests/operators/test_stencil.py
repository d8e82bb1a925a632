"""Stencils as labelled tables: published weights, findiff, plane waves, and the bits of .grad."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.extended import extend
from ..support.strategies import NODES

# Fornberg (1988), doi:10.1090/S0025-5718-1988-0935077-0, tables 1 and 3: weights at unit spacing,
# by the order of the derivative and of its accuracy.
CENTRED = {
    (1, 2): "-1/2 0 1/2",
    (1, 4): "1/12 -2/3 0 2/3 -1/12",
    (1, 6): "-1/60 3/20 -3/4 0 3/4 -3/20 1/60",
    (1, 8): "1/280 -4/105 1/5 -4/5 0 4/5 -1/5 4/105 -1/280",
    (2, 2): "1 -2 1",
    (2, 4): "-1/12 4/3 -5/2 4/3 -1/12",
    (2, 6): "1/90 -3/20 3/2 -49/18 3/2 -3/20 1/90",
    (2, 8): "-1/560 8/315 -1/5 8/5 -205/72 8/5 -1/5 8/315 -1/560",
    (3, 2): "-1/2 1 0 -1 1/2",
    (3, 4): "1/8 -1 13/8 0 -13/8 1 -1/8",
    (4, 2): "1 -4 6 -4 1",
    (4, 4): "-1/6 2 -13/2 28/3 -13/2 2 -1/6",
}
ONE_SIDED = {
    (1, 1): "-1 1",
    (1, 2): "-3/2 2 -1/2",
    (1, 3): "-11/6 3 -3/2 1/3",
    (1, 4): "-25/12 4 -3 4/3 -1/4",
    (2, 1): "1 -2 1",
    (2, 2): "2 -5 4 -1",
    (2, 3): "35/12 -26/3 19/2 -14/3 11/12",
    (3, 1): "-1 3 -3 1",
    (3, 2): "-5/2 9 -12 7 -3/2",
    (4, 1): "1 -4 6 -4 1",
}


def numbers(text: str) -> list[float]:
    return [float(Fraction(part)) for part in text.split()]


def weights(table: xgradient.StencilTable, row: int) -> np.ndarray:
    return table.weights.values[row, : int(table.width[row])]


@pytest.mark.parametrize(("orders", "published"), CENTRED.items())
def test_centred_weights_are_those_published(orders, published):
    deriv, accuracy = orders
    table = xgradient.stencil(np.arange(20), deriv=deriv, accuracy=accuracy)
    np.testing.assert_allclose(weights(table, 10), numbers(published), rtol=1e-14, atol=1e-16)
    assert table.start[10] == 10 - len(numbers(published)) // 2
    assert table.order[10] == accuracy


@pytest.mark.parametrize(("orders", "published"), ONE_SIDED.items())
def test_one_sided_weights_are_those_published(orders, published):
    deriv, accuracy = orders
    table = xgradient.stencil(np.arange(20), deriv=deriv, edge_order=accuracy)
    expected = np.array(numbers(published))
    np.testing.assert_allclose(weights(table, 0), expected, rtol=1e-14)
    np.testing.assert_allclose(weights(table, -1), (-1) ** deriv * expected[::-1], rtol=1e-14)
    assert table.order[0] == accuracy


@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
@pytest.mark.parametrize("deriv", [1, 2, 3, 4])
def test_weights_are_those_of_findiff(deriv, accuracy):
    findiff = pytest.importorskip("findiff")
    expected = findiff.coefficients(deriv=deriv, acc=accuracy)["center"]
    table = xgradient.stencil(np.arange(30), deriv=deriv, accuracy=accuracy)
    assert list(table.start.values[15] - 15 + np.arange(table.width[15])) == list(
        expected["offsets"]
    )
    np.testing.assert_allclose(weights(table, 15), expected["coefficients"], rtol=1e-9, atol=1e-12)


def by_hand(table: xgradient.StencilTable, f: np.ndarray) -> np.ndarray:
    """Apply the rows of a table, as its documentation says."""
    out, n = np.empty(len(table.start)), len(table.start)
    for i, (start, width) in enumerate(zip(table.start.values, table.width.values, strict=True)):
        window = f[np.arange(start, start + width) % n]
        differences = window[1:] - window[:-1]
        total = table.coefficients.values[i, 0] * differences[0]
        for c, d in zip(table.coefficients.values[i, 1:], differences[1:], strict=False):
            total += c * d
        out[i] = total
    return out


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("options", [
    {}, {"edge_order": 2}, {"accuracy": 4}, {"deriv": 2}, {"deriv": 3, "accuracy": 3},
    {"accuracy": 8, "edge_order": 1}, {"periodic": {"x": 100.0}}, {"periodic": {"x": 100.0},
                                                                  "deriv": 2, "accuracy": 4},
])  # fmt: skip
def test_a_table_applied_by_hand_has_the_bits_of_grad(kind, options):
    x = NODES[kind](23)
    f = 300 + np.random.default_rng(0).normal(size=23)
    da = xr.DataArray(f, {"x": x}, name="f")
    table = da.grad.stencil("x", **options)
    np.testing.assert_array_equal(by_hand(table, f), da.grad("x", **options).values)
    other = xgradient.stencil(
        x, **{**options, "periodic": 100.0 if "periodic" in options else False}
    )
    xr.testing.assert_identical(table.dataset, other.dataset)


def test_wrong_coefficients_would_be_found():
    da = xr.DataArray(np.random.default_rng(0).normal(size=9), {"x": np.arange(9.0)})
    table = da.grad.stencil("x", accuracy=4)
    table.dataset["coefficients"][4, 1] *= 1 + 1e-15
    assert (by_hand(table, da.values) != da.grad("x", accuracy=4).values).any()


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("deriv", [1, 2, 3])
@pytest.mark.parametrize("accuracy", [1, 2, 4, 5])
def test_orders_are_those_that_polynomials_show(kind, deriv, accuracy):
    """A row is exact up to the degree deriv + order - 1, and wrong for the next one."""
    x = NODES[kind](16)  # an odd number of stretched nodes has a symmetric window
    table = xgradient.stencil(x, deriv=deriv, accuracy=accuracy)
    for row in range(16):
        w = weights(table, row)
        start = int(table.start[row])
        z = x[start : start + len(w)] - x[row]
        size = abs(z).max()
        for degree in range(int(table.order[row]) + deriv + 1):
            moment = (w * (z / size) ** degree).sum() * size**deriv
            expected = float(np.prod(np.arange(1, deriv + 1))) if degree == deriv else 0.0
            if degree < deriv + table.order[row]:
                assert moment == pytest.approx(expected, abs=1e-9)
            else:
                assert abs(moment) > 1e-5


def test_the_gain_of_noise():
    table = xgradient.stencil(np.arange(11) * 0.5, accuracy=4)
    exact = np.sqrt(2 * (8**2 + 1)) / 12 / 0.5
    assert table.noise_gain.values[5] == pytest.approx(exact, rel=1e-14)
    noise = xr.DataArray(
        np.random.default_rng(1).normal(size=(11, 40_000)), {"x": table.start.x}, ("x", "n")
    )
    measured = noise.grad("x", accuracy=4).std("n")
    np.testing.assert_allclose(table.noise_gain, measured, rtol=0.02)


# -- waves ------------------------------------------------------------------------------------


def test_modified_wavenumbers_are_those_of_the_textbook():
    theta = np.linspace(0, np.pi, 50)
    x = np.arange(30) * -0.2
    first = xgradient.stencil(x).modified_wavenumber(theta)
    second = xgradient.stencil(x, deriv=2).modified_wavenumber(theta)
    fourth = xgradient.stencil(x, accuracy=4).modified_wavenumber(theta)
    np.testing.assert_allclose(first, np.sin(theta), atol=1e-14)
    np.testing.assert_allclose(second, 2 - 2 * np.cos(theta), atol=1e-14)
    np.testing.assert_allclose(fourth, (8 * np.sin(theta) - np.sin(2 * theta)) / 6, atol=1e-14)


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("row", [0, 3, 11, -1])
@pytest.mark.parametrize("deriv", [1, 2, 3])
def test_modified_wavenumbers_are_what_grad_makes_of_a_wave(kind, row, deriv):
    x = NODES[kind](23)
    table = xgradient.stencil(x, deriv=deriv, accuracy=4)
    start, width = int(table.start[row]), int(table.width[row])
    step = (x[start + width - 1] - x[start]) / (width - 1)
    theta = 1.1
    wave = xr.DataArray(np.exp(1j * theta * x / abs(step)), {"x": x})
    found = wave.grad("x", deriv=deriv, accuracy=4)[row] / wave[row]
    expected = table.modified_wavenumber(theta, row=row).values[0] * (1j / abs(step)) ** deriv
    assert complex(found) == pytest.approx(complex(expected), rel=1e-9, abs=1e-9 / step**deriv)


@pytest.mark.parametrize(("accuracy", "expected"), [(2, 0.078), (4, 0.240), (6, 0.350), (8, 0.426)])
def test_the_resolved_fraction(accuracy, expected):
    table = xgradient.stencil(np.arange(30) * 3.0, accuracy=accuracy)
    assert table.resolved_fraction(0.01) == pytest.approx(expected, abs=5e-4)
    assert table.resolved_fraction(2.0) == 1.0


def test_the_plot_has_the_curves():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    table = xgradient.stencil(np.arange(30), accuracy=4)
    for row, curves in ((None, 2), (0, 3)):
        _, ax = plt.subplots()
        lines = table.plot(row=row, ax=ax)
        assert len(lines) == curves
        np.testing.assert_array_equal(lines[1].get_ydata(), table.modified_wavenumber(row=row).real)
        plt.close()


# -- the matrix -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("options", [{"accuracy": 4}, {"deriv": 2}, {"periodic": {"x": 100.0}}])
def test_the_matrix_differentiates_and_solves(kind, options):
    pytest.importorskip("scipy")
    from scipy.sparse.linalg import spsolve

    da = xr.DataArray(np.random.default_rng(0).normal(size=20), {"x": NODES[kind](20)})
    matrix = da.grad.stencil("x", **options).matrix()
    expected = da.grad("x", **options).values
    np.testing.assert_allclose(matrix @ da.values, expected, atol=1e-12 * abs(expected).max())
    identity = matrix.copy()
    identity.setdiag(identity.diagonal() + 100)  # solves (D + 100) f = g
    np.testing.assert_allclose(spsolve(identity.tocsc(), expected + 100 * da.values), da.values)


# -- boundary conditions ----------------------------------------------------------------------

ENDS = [
    ("even", "odd"), ("extend", ("value", 280.0)), (("slope", 0.3), ("slope", -2.0)),
    ("one-sided", "even"), ("odd", "missing"), (("value", -1.0), "extend"),
]  # fmt: skip


@pytest.mark.parametrize("wall", ["node", "face"])
@pytest.mark.parametrize("ends", ENDS, ids=str)
@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("options", [{"accuracy": 4}, {"deriv": 2}, {"smooth": (7, 2)}], ids=str)
def test_tables_with_boundary_conditions(kind, ends, wall, options):
    pytest.importorskip("scipy")
    f = 280 + np.random.default_rng(0).normal(size=23)
    da = xr.DataArray(f, {"x": NODES[kind](23)}, name="f")
    boundary = {"boundary": {"x": ends}, "wall": wall}
    table, expected = (
        da.grad.stencil("x", **options, **boundary),
        da.grad("x", **options, **boundary),
    )
    # By hand on the extended field, with the bits of grad.
    cells = 0 if ends[0] == "one-sided" else 5
    rows = xr.Dataset({"f": extend(da, "x", ends, 5, wall == "face")}).f.values
    windows = zip(table.start.values, table.width.values, table.coefficients.values, strict=True)
    found = np.empty(23)
    for i, (start, width, coefficients) in enumerate(windows):
        found[i] = 0.0
        for k in range(width - 1):
            part = coefficients[k] * (rows[start + cells + k + 1] - rows[start + cells + k])
            found[i] = part if k == 0 else found[i] + part
    np.testing.assert_array_equal(found, expected.values)
    # By the matrix on the field itself.
    by_matrix = table.matrix() @ f + table.constant.values
    np.testing.assert_allclose(by_matrix, expected, atol=1e-12 * np.nanmax(abs(f)))
    dense = table.matrix().toarray()
    np.testing.assert_allclose(table.noise_gain, np.sqrt((dense**2).sum(axis=1)), rtol=1e-13)
    assert (table.order.values == 0).tolist() == expected.isnull().values.tolist()
    other = xgradient.stencil(da.x, boundary=ends, wall=wall, **options)
    xr.testing.assert_identical(other.dataset, table.dataset)


def test_waves_next_to_a_wall():
    x = np.arange(20.0)
    table = xgradient.stencil(x, boundary=("even", "odd"), wall="face")
    theta = 0.3
    wave = xr.DataArray(np.exp(1j * theta * x), {"x": x})
    found = wave.grad("x", boundary={"x": ("even", "odd")}, wall="face").values
    for row in (0, 9, -1):
        expected = found[row] / wave.values[row] / 1j
        np.testing.assert_allclose(table.modified_wavenumber([theta], row=row)[0], expected)


def test_boundary_conditions_of_tables_in_words():
    da = xr.DataArray(np.zeros(9), {"x": ("x", np.arange(9.0), {"units": "m"})}, name="t",
                      attrs={"units": "K"})  # fmt: skip
    ice = xr.DataArray(0.0, attrs={"units": "degC"})
    table = da.grad.stencil("x", boundary={"x": {"t": (("value", ice), "missing")}}, wall="face")
    assert table.dataset.attrs["boundary"] == "value, missing"
    assert table.constant.values.tolist() == [-273.15, *[0.0] * 8]
    assert "constant" in table.dataset
    periodic = xgradient.stencil(np.arange(9.0), boundary="periodic")
    assert periodic.start.values[0] == -1
    plain = xgradient.stencil(np.arange(9.0))
    assert "constant" not in plain.dataset
    assert not plain.constant.any()
    with pytest.raises(ValueError, match="boundary is 'evne'; give one of"):
        xgradient.stencil(np.arange(9.0), boundary="evne")
    with pytest.raises(ValueError, match="periodic is True for 'x', which boundary"):
        xgradient.stencil(np.arange(9.0), boundary="even", periodic=True)
    with pytest.raises(
        ValueError, match=r"has the shape \(3,\), but the field has \(\)|dimension 0"
    ):
        da.grad.stencil("x", boundary=("value", np.zeros(3)))


# -- labels -----------------------------------------------------------------------------------


def test_labels_and_units():
    times = xr.DataArray(
        np.arange("2000-01-01", "2000-01-11", dtype="M8[D]").astype("M8[ns]"), dims="time", name="t"
    )
    table = xgradient.stencil(times, deriv=2)
    assert table.start.dims == ("time",)
    assert table.weights.units == table.noise_gain.units == "s-2"
    assert table.weights.values[5, 0] == 86400.0**-2
    assert "t" in table.weights.coords
    ds = xr.Dataset({"a": (("lat", "lon"), np.zeros((5, 8)))},
                    {"lat": ("lat", np.arange(5.0), {"units": "degrees_north"}),
                     "lon": np.arange(8) * 45.0})  # fmt: skip
    table = ds.grad.stencil("latitude")
    assert table.weights.units == "degrees_north-1"
    assert table.dataset.attrs == {"deriv": 1, "accuracy": 2, "edge_order": 1}
    assert ds.a.grad.stencil("lat", spacing=2.0).weights.values[2, 2] == 0.25
    assert "<xgradient.StencilTable of 'lat'>" in repr(table)
    assert "noise_gain" in table._repr_html_()
    closed = ds.a.grad.with_options(periodic=True, accuracy=4).stencil("lon", spacing=45.0)
    assert closed.start.values[0] == -2
    with_cyclic = ds.a.isel(lon=[*range(8), 0]).assign_coords(lon=np.arange(9) * 45.0)
    assert len(with_cyclic.grad.stencil("lon", periodic={"lon": 360}).start) == 8


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda da: xgradient.stencil(3.0), ValueError, "coords has 0 dimensions; give"),
        (lambda da: xgradient.stencil([0, 1, 1]), ValueError, "coordinate 'x' .*repeat"),
        (lambda da: xgradient.stencil(["a", "b"]), TypeError, "coordinate 'x'"),
        (lambda da: xgradient.stencil([0, 1], deriv=2), ValueError, "'x' has 2 points, but deriv"),
        (lambda da: xgradient.stencil([0, 1, 3], periodic=True), ValueError, "non-uniform steps"),
        (lambda da: da.grad.stencil(["x"]), TypeError, r"dim is \['x'\]; give the name of one"),
        (lambda da: da.grad.stencil("h"), ValueError, "'h' has 2 dimensions .*name a dimension"),
        (lambda da: xr.DataTree(da.to_dataset(name="a")).grad.stencil("x"), TypeError,
         r"a DataTree has no axes.*; take a node, e.g. tree\[path\].dataset.grad"),
        (lambda da: da.grad.stencil("q"), ValueError, "'q' is no"),
        (lambda da: da.grad.stencil("x", metric="sphere"), ValueError, "metric is .sphere.*leave"),
        (lambda da: da.grad.stencil("x", skipna=True), ValueError, "skipna is True.*leave it out"),
        (lambda da: da.rename(x="order").grad.stencil("order"), ValueError, "'order' is .*rename"),
        (lambda da: da.grad.stencil("x").modified_wavenumber(row=9), ValueError, "row is 9, but"),
    ],
)  # fmt: skip
def test_errors(call, error, match):
    da = xr.DataArray(np.zeros((3, 4)), {"x": [0.0, 1, 2], "h": (("x", "y"), np.ones((3, 4)))},
                      ("x", "y"))  # fmt: skip
    with pytest.raises(error, match=match):
        call(da)


@pytest.mark.parametrize(("package", "extra"), [("scipy.sparse", "scipy"), ("matplotlib", "plot")])
def test_optional_packages_are_named(package, extra, monkeypatch):
    table = xgradient.stencil([0.0, 1.0, 2.0])
    for name in [name for name in sys.modules if name.startswith(package)]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'pip install "xgradient\[{extra}\]"'):
        table.matrix() if extra == "scipy" else table.plot()
