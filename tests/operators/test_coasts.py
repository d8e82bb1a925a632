"""Conditions at coasts: each run of valid values by itself, extended by hand and differentiated."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
import xarray as xr

from ..support.extended import extend, interior
from ..support.marks import slow

N, ROWS = 24, 40
AXES = {
    "uniform": np.arange(N) * 0.5,
    "non-uniform": np.cumsum(np.random.default_rng(3).integers(1, 9, N)) / 8,
}
CONDITIONS = ["even", "odd", "extend", ("value", 0.75), ("slope", -1.25)]


def field(axis="uniform", dtype="f8", share=0.12):
    rng = np.random.default_rng(1)
    values = rng.standard_normal((ROWS, N)).astype(dtype)
    values[rng.random((ROWS, N)) < share] = np.nan
    return xr.DataArray(values, {"x": AXES[axis], "y": np.arange(ROWS)}, ("y", "x"), "f")


def by_hand(da, coast, face, half, **options):
    """Results in runs of so many points that a stencil needs one coast on each side at most.

    Runs at the ends of the axis are left out: their other end is no coast. So are runs with even
    steps on a non-uniform axis, whose coefficients by themselves have another rounding.
    """
    result = np.full(da.shape, np.nan)
    for row in range(da.sizes["y"]):
        valid = da[row].notnull().values
        start = 0
        for is_valid, cells in groupby(valid):
            stop = start + len(list(cells))
            x = da.x.values[start:stop]
            is_even = bool(np.ptp(np.diff(da.x)) and len(x) > 1 and not np.ptp(np.diff(x)))
            if is_valid and start > 0 and stop < N and stop - start > half and not is_even:
                run = da[row, start:stop]
                longer = extend(run, "x", (coast, coast), half, face)
                found = interior(longer.grad("x", **options), "x", (coast, coast), half)
                result[row, start:stop] = found.values
            start = stop
    return result


@pytest.mark.parametrize("wall", ["node", slow("face")])
@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(
    ("options", "half"),
    [slow({}, 1), ({"accuracy": 4, "edge_order": 1}, 2), ({"accuracy": 6, "deriv": 2}, 4)],
    ids=str,
)
def test_the_bits_of_each_run_extended_by_hand(axis, condition, wall, options, half):
    da = field(axis, share=0.06)
    expected = by_hand(da, condition, wall == "face", half, **options)
    known = np.isfinite(expected)
    assert known.sum() > 100
    call = {"skipna": True, "coast": condition, "wall": wall, **options}
    found = da.grad("x", **call)
    np.testing.assert_array_equal(found.values[known], expected[known])
    for chunks in ({"x": 5, "y": 7}, {"x": 1}):
        xr.testing.assert_identical(da.chunk(chunks).grad("x", **call).compute(), found)
    flipped = da.transpose("x", "y").grad("x", **call)
    np.testing.assert_array_equal(flipped.values.T, found.values)


def test_the_comparison_can_fail():
    da = field(share=0.06)
    expected = by_hand(da, "even", False, 1)
    known = np.isfinite(expected)
    for options in ({"coast": "odd"}, {"coast": "even", "wall": "face"}, {}):
        found = da.grad("x", skipna=True, **options).values
        assert (found[known] != expected[known]).any()


@pytest.mark.parametrize("wall", ["node", "face"])
def test_short_runs_are_mirrored_at_both_coasts(wall):
    """As by numpy.pad, which reflects again and again."""
    mode = "reflect" if wall == "node" else "symmetric"
    for n in (2, 3, 4):
        values = np.random.default_rng(n).standard_normal(n)
        da = xr.DataArray(np.r_[np.nan, values, [np.nan] * 12], dims="x")
        for kind in ("even", "odd"):
            padded = np.pad(values, 12, mode)
            if kind == "odd":
                k = np.arange(-12, n + 12)
                crossed = np.ceil(np.maximum(-k, k - n + 1) / (n - (wall == "node")))
                padded = padded * (-1) ** np.maximum(crossed, 0)
            longer = xr.DataArray(padded, dims="x").grad("x", accuracy=8)[12:-12]
            found = da.grad("x", accuracy=8, skipna=True, coast=kind, wall=wall)
            np.testing.assert_array_equal(found[1 : n + 1].values, longer.values)
            assert found[[0, -1]].isnull().all()


def test_a_run_of_one_point_has_no_derivative():
    da = xr.DataArray([np.nan, 3.0, np.nan, 1.0, 2.0, np.nan], dims="x")
    for coast in CONDITIONS:
        found = da.grad("x", skipna=True, coast=coast, wall="face")
        assert found.notnull().values.tolist() == [False, False, False, True, True, False]


def test_ends_of_the_axis_have_their_own_condition():
    values = np.random.default_rng(0).standard_normal(12)
    values[6] = np.nan
    da = xr.DataArray(values, {"x": np.arange(12.0)}, name="f")
    found = da.grad("x", skipna=True, coast="even", accuracy=4)
    first = extend(da[:6], "x", ("one-sided", "even"), 4).grad("x", accuracy=4)[:6]
    last = extend(da[7:], "x", ("even", "one-sided"), 4).grad("x", accuracy=4)[-5:]
    np.testing.assert_array_equal(found, np.r_[first, np.nan, last])
    found = da.grad("x", skipna=True, coast="even", boundary=("odd", "missing"), accuracy=4)
    first = extend(da[:6], "x", ("odd", "even"), 4).grad("x", accuracy=4)[4:10]
    np.testing.assert_array_equal(found[:9], np.r_[first, np.nan, last[:2]])
    assert found[-2:].isnull().all()
    closed = da.grad("x", skipna=True, coast="even", boundary="periodic", accuracy=4)
    run = xr.DataArray(np.r_[values[7:], values[:6]], {"x": np.arange(11.0)}, name="f")
    run = extend(run, "x", ("even", "even"), 4).grad("x", accuracy=4)[4:-4]
    np.testing.assert_array_equal(closed, np.r_[run[5:], np.nan, run[:5]])


@pytest.mark.parametrize("dtype", ["f4", "c8", "f2"])
def test_dtypes(dtype):
    da = field(share=0.1)
    found = da.astype(dtype).grad("x", skipna=True, coast=("value", 0.5), accuracy=4)
    assert found.dtype == dtype
    expected = da.grad("x", skipna=True, coast=("value", 0.5), accuracy=4)
    tolerance = 0.1 if dtype == "f2" else 1e-4
    np.testing.assert_allclose(found, expected, atol=tolerance, rtol=0)


def test_one_sided_coasts_are_those_without_a_condition():
    da = field()
    xr.testing.assert_identical(
        da.grad("x", skipna=True, coast="one-sided"), da.grad("x", skipna=True)
    )


def test_no_normal_flow_at_coasts_by_component():
    """Beside a coast along y, u is odd and v even: the divergence of a flow along it is right."""
    x = np.arange(12.0)
    land = xr.DataArray(np.isin(x, [0, 11]), {"x": x}, "x")
    k = np.pi / 9
    u = xr.DataArray(np.sin(k * (x - 1)), {"x": x}, name="u").expand_dims(y=np.arange(12.0))
    v = xr.DataArray(np.cos(k * (x - 1)), {"x": x}, name="v").expand_dims(y=np.arange(12.0))
    ds = xr.Dataset({"u": u, "v": v}).where(~land)
    options = {"accuracy": 8, "skipna": True, "coast": {"x": {"u": "odd", "v": "even"}}}
    found = ds.grad.jacobian(x="u", y="v", **options).isel(x=slice(1, -1))
    assert abs(found.du_dx - k * np.cos(k * (found.x - 1))).max() < 1e-5
    assert abs(found.dv_dx + k * np.sin(k * (found.x - 1))).max() < 1e-5
    curl = ds.grad.curl(x="u", y="v", **options).isel(x=slice(1, -1))
    xr.testing.assert_allclose(curl, found.dv_dx.rename("curl"))


def test_laplacian_of_several_terms():
    """With a metric, first and second derivatives along one axis have windows of their own."""
    lat = np.arange(10.0, 40, 2.5)
    rng = np.random.default_rng(0)
    t = xr.DataArray(rng.standard_normal((12, 4)), {"lat": lat, "z": np.arange(4.0)}, ("lat", "z"))
    holes = t.where(t.lat != lat[6]).rename("t")
    options = {"metric": "sphere", "accuracy": 4}
    found = holes.grad.laplacian("lat", skipna=True, coast="even", **options)
    run = holes.isel(lat=slice(0, 6))
    longer = extend(run, "lat", ("one-sided", "even"), 4).grad.laplacian("lat", **options)
    np.testing.assert_allclose(found[:6], longer[:6], rtol=1e-12)


REFUSED = [
    ({"coast": "even"}, "coast is 'even', but without skipna no missing value is a coast"),
    ({"coast": "missing", "skipna": True}, "is 'missing', which no coast can be; leave out skipna"),
    ({"coast": "periodic", "skipna": True}, "is 'periodic', which no coast can be; give another"),
    ({"coast": ("even", "odd"), "skipna": True}, r"coast is \('even', 'odd'\); give one of"),
    ({"coast": {"x": ("value", [1.0])}, "skipna": True}, r"the value \[1.0\]; give a number"),
    ({"coast": ("slope", np.inf), "skipna": True}, "coast has the slope inf; give a finite number"),
    ({"coast": {"q": "even"}, "skipna": True}, "'q' is not a dimension"),
    ({"coast": {"x": {"g": "even"}}, "skipna": True}, "coast of 'x' names 'g', which is no field"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda case: str(case)[:40])
def test_refusals(options, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        field().grad("x", **options)
    assert "\n" not in str(error.value)
