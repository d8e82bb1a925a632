"""Boundary conditions: equal bits to fields that are extended by hand, orders and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from ..support.extended import extend, interior
from ..support.marks import slow, some_slow

N, CELLS = 14, 7
#: Exact in binary, so that positions of ghost cells have no rounding.
AXES = {
    "uniform": np.arange(N) * 0.5,
    "non-uniform": np.cumsum(np.random.default_rng(3).integers(1, 9, N)) / 8,
    "decreasing": -np.cumsum(np.random.default_rng(4).integers(1, 9, N)) / 8,
}
PAIRS = [
    ("even", "even"),
    ("odd", "extend"),
    (("value", 0.75), ("slope", -1.25)),
    ("one-sided", "odd"),
    (("slope", 0.5), "one-sided"),
]


def field(axis="uniform", dtype="f8", dims=("x", "y"), holes=False):
    shape = [N if d == "x" else 5 for d in dims]
    values = np.random.default_rng(1).standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * values[::-1]
    values = (values * 100 if np.dtype(dtype).kind in "iu" else values).astype(dtype)
    if holes:
        values[np.random.default_rng(2).random(shape) < 0.2] = np.nan
    return xr.DataArray(values, {"x": AXES[axis], "y": np.arange(5.0)}, dims, "f")


def by_hand(da, pair, cells=CELLS, face=False, **options):
    result = extend(da, "x", pair, cells, face).grad("x", **options)
    return interior(result, "x", pair, cells)


def assert_same(found, expected):
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.values, expected.transpose(*found.dims).values)


@pytest.mark.parametrize("wall", ["node", "face"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("axis", some_slow(AXES, 2))
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accuracy": 4, "edge_order": 2},
        slow({"accuracy": 8, "deriv": 2, "edge_order": 3}),
        {"accuracy": 4, "skipna": True},
        {"smooth": (5, 2)},
    ],
    ids=str,
)
def test_the_bits_of_a_field_extended_by_hand(axis, pair, wall, options):
    for dims in (("x", "y"), ("y", "x")):
        da = field(axis, dims=dims, holes="skipna" in options)
        expected = by_hand(da, pair, face=wall == "face", **options)
        found = da.grad("x", boundary={"x": pair}, wall=wall, **options)
        assert_same(found, expected)
        for chunks in ({"x": 3, "y": 2}, {"x": 1}, {"x": (7, 6, 1)}):
            assert_same(
                da.chunk(chunks).grad("x", boundary={"x": pair}, wall=wall, **options), found
            )


def test_the_comparison_can_fail():
    da = field()
    expected = by_hand(da, ("even", "odd"))
    for pair, wall in ((("odd", "odd"), "node"), (("even", "odd"), "face")):
        found = da.grad("x", boundary={"x": pair}, wall=wall)
        assert (found.values != expected.values).any()
    assert (da.grad("x").values != expected.values).any()


@pytest.mark.parametrize("dtype", ["f2", "f4", "c8", "i4", "u1"])
@pytest.mark.parametrize(
    "condition", ["even", "odd", "extend", ("value", 1.0), ("slope", 0.5)], ids=str
)
def test_dtypes(dtype, condition):
    da = field(dtype=dtype)
    exact = da.astype("f8") if np.dtype(dtype).kind in "iu" else da
    expected = by_hand(exact, (condition, condition), accuracy=4)
    for data in (da, da.chunk(x=4)):
        assert_same(data.grad("x", boundary=condition, accuracy=4), expected)


def test_arrays_as_values_and_slopes():
    da = field(dims=("y", "x"))
    v = xr.DataArray(np.arange(5.0), {"y": da.y}, "y")
    expected = [
        by_hand(da.isel(y=[k]), (("value", float(v[k])), ("slope", float(-v[k]))), accuracy=4)
        for k in range(5)
    ]
    expected = xr.concat(expected, "y")
    for low, high in ((v, -v), (v.values, -v.values), (v.variable, -v.variable)):
        pair = ("value", low), ("slope", high)
        for data in (da, da.chunk(x=5, y=2)):
            assert_same(data.grad("x", boundary={"x": pair}, accuracy=4), expected)


def test_periodic_is_the_option_of_this_name():
    da = field()
    xr.testing.assert_identical(
        da.grad("x", boundary={"x": "periodic"}, accuracy=4),
        da.grad("x", periodic=True, accuracy=4),
    )
    xr.testing.assert_identical(
        da.grad("x", boundary=("periodic", "periodic")), da.grad("x", periodic="x")
    )


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize(("accuracy", "rows"), [(2, 1), (4, 2), (8, 4)])
def test_rows_without_a_centred_stencil_are_missing(accuracy, rows, skipna):
    da = field()
    expected = da.grad("x", accuracy=accuracy, skipna=skipna)
    expected[:rows], expected[N - rows :] = np.nan, np.nan
    for data in (da, da.chunk(x=3)):
        found = data.grad("x", boundary="missing", accuracy=accuracy, skipna=skipna)
        assert_same(found, expected)
    one = da.grad("x", boundary=("one-sided", "missing"), accuracy=accuracy, skipna=skipna)
    np.testing.assert_array_equal(one.isnull().values[:, 0].nonzero()[0], np.arange(N - rows, N))


@pytest.mark.parametrize("wall", ["node", "face"])
def test_the_order_is_kept_where_the_field_meets_the_condition(wall):
    errors = []
    for n in (24, 48):
        h = np.pi / (n - 1 if wall == "node" else n)
        x = h * (np.arange(n) + (wall == "face") / 2)
        da = xr.DataArray(np.cos(x), {"x": x}, name="f")
        found = da.grad("x", accuracy=8, boundary={"x": "even"}, wall=wall)
        errors.append(np.abs(found + np.sin(x)).max())
        odd = xr.DataArray(np.sin(x), {"x": x}).grad("x", accuracy=8, boundary="odd", wall=wall)
        assert np.abs(odd - np.cos(x)).max() < 2 * errors[-1]
    assert np.log2(errors[0] / errors[1]) > 7.5
    assert errors[1] < 2e-9


def test_values_and_slopes_meet_conditions():
    x = np.linspace(0, 1, 33)
    da = xr.DataArray(3 + np.sin(np.pi * x), {"x": x})
    found = da.grad("x", accuracy=8, boundary=("value", 3.0))
    assert np.abs(found - np.pi * np.cos(np.pi * x)).max() < 1e-8
    da = xr.DataArray(2 * x + np.cos(np.pi * x), {"x": x})
    found = da.grad("x", accuracy=8, boundary=("slope", 2.0))
    assert np.abs(found - (2 - np.pi * np.sin(np.pi * x))).max() < 1e-8


def test_labels_and_chunks_are_those_without_conditions():
    da = field().assign_attrs(units="K", long_name="temperature").chunk(x=(5, 9), y=2)
    plain, found = da.grad("x"), da.grad("x", boundary="even")
    assert found.chunks == plain.chunks
    assert found.attrs == plain.attrs
    assert found.name == "df_dx"
    assert list(found.coords) == list(plain.coords)


def test_only_edge_chunks_have_more_tasks():
    da = field().chunk(x=2)
    plain = da.grad("x")
    for condition in ("even", ("value", 2.0)):
        found = da.grad("x", boundary=condition)
        assert len(found.__dask_graph__()) == len(plain.__dask_graph__())
