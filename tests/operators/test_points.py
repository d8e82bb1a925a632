"""Derivatives at given points of a coordinate, against exact rationals and exact polynomials."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support import reference
from ..support.loops import compiled_and_replaced
from ..support.marks import slow
from ..support.strategies import NODES, make_field

RNG = np.random.default_rng(11)


def matrix(x, at, **options):
    """The weights of all values in each result: the derivative of the unit vectors."""
    unit = xr.DataArray(np.eye(len(x)), {"x": x}, ("x", "of"))
    return unit.grad("x", at=at, **options).transpose(..., "of").values


def line(values, x, **attrs):
    return xr.DataArray(values, {"x": ("x", x, attrs)}, "x", "f", {"units": "K"})


# -- truth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (1, 5), (2, 2), (2, 4), (3, 3)])
def test_weights_are_those_of_the_interpolating_polynomial(kind, direction, deriv, accuracy):
    x = direction * 0.5 * NODES[kind](16)
    at = RNG.uniform(x.min(), x.max(), 9)
    at = np.concatenate([at, x[[0, 5, 15]], (x[2:4] + x[3:5]) / 2, [x[0] - 0.1 * (x[1] - x[0])]])
    found = matrix(x, at, deriv=deriv, accuracy=accuracy)
    for row, point in zip(found, at, strict=True):
        used = np.flatnonzero(row)
        first, last = used[0], used[-1] + 1
        assert last - first <= deriv + accuracy + 1
        nodes = tuple(map(Fraction, x[first:last]))
        exact = np.array(reference.weights(nodes, Fraction(float(point)), deriv), float)
        np.testing.assert_allclose(row[first:last], exact, rtol=0, atol=1e-12 * abs(exact).max())
        inside = deriv + accuracy < np.abs(x - point).argmin() < 15 - deriv - accuracy
        before, after = (np.sum(side) for side in (nodes < point, nodes > point))
        assert not inside or abs(before - after) == 0


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("deriv", [1, 2, 3])
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_polynomials_are_exact_at_any_point_of_a_short_axis(kind, deriv, accuracy):
    n = deriv + accuracy
    x = NODES[kind](n)
    p = np.polynomial.Polynomial(RNG.normal(size=n))
    at = np.linspace(x[0] - 0.5 * (x[1] - x[0]), x[-1] + 0.5 * (x[-1] - x[-2]), 23)
    expected = p.deriv(deriv)(at)
    found = line(p(x), x).grad("x", at=at, deriv=deriv, accuracy=accuracy)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-11 * abs(expected).max())


def slope(deriv, accuracy, kind, where):
    errors, sizes = [], (96, 192)
    for n in sizes:
        x = 2 * NODES[kind](n) / n
        at = x[:-1] + where * np.diff(x)
        found = line(np.sin(3 * x), x).grad("x", at=at, deriv=deriv, accuracy=accuracy)
        exact = 3**deriv * np.sin(3 * at + deriv * np.pi / 2)
        errors.append(float(abs(found - exact).max()))
    return np.log(errors[0] / errors[1]) / np.log(sizes[1] / sizes[0])


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("where", [0.5, 0.3])
@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (1, 6), (2, 2), (2, 4)])
def test_the_order_is_reached_up_to_the_ends(kind, where, deriv, accuracy):
    assert slope(deriv, accuracy, kind, where) > accuracy - 0.25


def test_points_at_the_nodes_have_the_derivative_there():
    x = np.arange(9.0)
    f = line(RNG.normal(size=9), x)
    expected = f.grad("x", accuracy=4)
    np.testing.assert_array_equal(f.grad("x", at=x, accuracy=4), expected)
    np.testing.assert_array_equal(f.grad("x", at=f.x, accuracy=4), expected)


def test_rows_between_uniform_points_are_exact():
    found = matrix(np.arange(12.0), np.arange(11) + 0.5, accuracy=4)
    np.testing.assert_array_equal(24 * found[5, 4:8], [1, -27, 27, -1])
    assert np.count_nonzero(found[0]) == 5
    np.testing.assert_array_equal(matrix(np.arange(4.0), [0.5]), [[-1, 1, 0, 0]])


@pytest.mark.parametrize("kind", NODES)
def test_periodic_axes_close(kind):
    n = 96
    x = 2 * np.pi * NODES[kind](n) / n
    f, at = line(np.sin(x), x), np.array([-0.1, 0.5, 6.2, 2 * np.pi + 0.5, 40.0])
    found = f.grad("x", at=at, accuracy=6, periodic={"x": 2 * np.pi})
    np.testing.assert_allclose(found, np.cos(at), atol=2e-7)
    with pytest.raises(ValueError, match="outside of coordinate 'x'"):
        f.grad("x", at=at)


# -- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("dtype", ["f4", "f8", *map(slow, ("c16", "i2"))])
@pytest.mark.parametrize("axis", [0, 1])
def test_chunks_change_no_bit(kind, dtype, axis):
    da = pytest.importorskip("dask.array")
    n = 23
    data = make_field((n, 3) if axis == 0 else (3, n), dtype)
    dims = ("x", "y") if axis == 0 else ("y", "x")
    f = xr.DataArray(data, {"x": NODES[kind](n)}, dims)
    points = [NODES[kind](n)[:-1] + 0.5, RNG.uniform(0, n - 1, 50), [3.2], np.array([20.1, 2.5])]
    for at in points:
        expected = f.grad("x", at=at, accuracy=4)
        for size in (1, 2, 5, 22, 23):
            lazy = f.chunk(x=size, y=2).grad("x", at=at, accuracy=4)
            assert isinstance(lazy.data, da.Array)
            assert lazy.dtype == lazy.data._meta.dtype == expected.dtype
            np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)


def test_chunks_follow_the_axis_and_only_those_with_points_have_a_task():
    pytest.importorskip("dask")
    f = line(np.arange(100.0), np.arange(100.0)).chunk(x=10)
    found = f.grad("x", at=np.arange(99) + 0.5)
    assert found.chunks == ((10,) * 9 + (9,),)
    tasks = [key for key in found.__dask_graph__() if key not in f.__dask_graph__()]
    assert len(tasks) <= 2 * 10
    assert f.grad("x", at=[12.5, 17.5, 93.0]).chunks == ((2, 1),)


@pytest.mark.compiled
def test_compiled_loops_have_the_bits_of_numpy():
    f = xr.DataArray(make_field((4, 90, 5), "f8"), {"x": NODES["jittered"](90)}, ("t", "x", "y"))
    at = np.sort(RNG.uniform(0, 88, 200))
    for da in (f, f.transpose("t", "y", "x"), f.transpose("x", ...), f[:, ::-1]):
        call = partial(da.grad, "x", at=at, accuracy=4)
        np.testing.assert_array_equal(*compiled_and_replaced(call))


# -- labels -----------------------------------------------------------------------------------


@pytest.fixture
def profile():
    z = xr.Variable("z", [0.0, 10, 30, 60], {"units": "m", "positive": "down", "bounds": "z_b"})
    coords = {"z": z, "level": ("z", np.arange(4)), "lat": ("y", [5.0, 6]), "run": 3}
    data = np.outer(z**2, [1.0, 2])
    return xr.DataArray(data, coords, ("z", "y"), "T", {"units": "K", "long_name": "temperature"})


def test_results_carry_the_points(profile):
    found = profile.grad("z", at=[45.0, 5])
    np.testing.assert_allclose(found, np.outer([90.0, 10], [1, 2]))
    assert found.name == "dT_dz"
    assert found.attrs == {
        "units": "K m-1",
        "long_name": "derivative of temperature with respect to z",
    }
    assert found.dims == ("z", "y")
    assert set(found.coords) == {"z", "lat", "run"}
    assert found.z.attrs == {"units": "m", "positive": "down"}
    np.testing.assert_array_equal(found.z, [45, 5])


def test_one_point_has_no_dimension(profile):
    found = profile.grad("z", at=20)
    np.testing.assert_allclose(found, [40.0, 80])
    assert found.dims == ("y",)
    assert found.z.item() == 20


def test_labelled_points_bring_dimension_coordinates_and_units(profile):
    at = xr.DataArray(
        [0.02, 0.05],
        {"station": ["a", "b"], "lon": ("station", [1.0, 2]), "lat": 1.0},
        "station",
        attrs={"units": "km"},
    )
    found = profile.grad("z", at=at)
    np.testing.assert_allclose(found, np.outer([40.0, 100], [1, 2]))
    assert found.dims == ("station", "y")
    np.testing.assert_allclose(found.z, [20.0, 50])
    assert list(found.station.values) == ["a", "b"]
    assert found.lon.dims == ("station",)
    assert found.lat.dims == ("y",)
    assert found.z.attrs["units"] == "m"


def test_datasets_and_requested_units(profile):
    ds = profile.to_dataset().assign(flat=("y", [1.0, 2]), s=profile.isel(y=0, drop=True))
    found = ds.grad("z", at=[20.0], units="K km-1")
    assert set(found.data_vars) == {"dT_dz", "ds_dz"}
    np.testing.assert_allclose(found.ds_dz, [40e3])
    assert found.dT_dz.attrs["units"] == "K km-1"
    assert found.sizes == {"z": 1, "y": 2}


def test_times_of_every_kind():
    days = np.arange("2000-01-01", "2000-01-11", dtype="M8[D]")
    noon = np.datetime64("2000-01-03T12:00", "m")
    f = xr.DataArray(np.arange(10.0) ** 2, {"time": days.astype("M8[ns]")}, "time")
    for at in (noon, str(noon), datetime(2000, 1, 3, 12), pd.Timestamp(noon)):
        np.testing.assert_allclose(f.grad("time", at=at) * 86400, 5.0)
    several = pd.date_range("2000-01-02", periods=3, freq="12h")
    np.testing.assert_allclose(f.grad("time", at=several) * 86400, [2.0, 3, 4])
    assert f.grad("time", at=several).time.dtype.kind == "M"
    lead = f.assign_coords(time=(days - days[0]).astype("m8[s]"))
    np.testing.assert_allclose(lead.grad("time", at=np.timedelta64(60, "h")) * 86400, 5.0)
    with pytest.raises(TypeError, match="has times, so give times"):
        f.grad("time", at=2.5)


def test_other_calendars():
    cftime = pytest.importorskip("cftime")
    days = xr.date_range("2000-02-27", periods=5, calendar="360_day", use_cftime=True)
    f = xr.DataArray(np.arange(5.0) ** 2, {"time": days}, "time")
    at = [cftime.Datetime360Day(2000, 2, 28, 12)]
    np.testing.assert_allclose(f.grad("time", at=at) * 86400, [3.0])


def test_dimensions_without_coordinate_and_given_spacings():
    f = xr.DataArray(np.arange(6.0) ** 2, dims="x")
    np.testing.assert_allclose(f.grad("x", at=[2.5, 1]), [5.0, 2])
    np.testing.assert_allclose(f.grad("x", at=[1.25], spacing=0.5), [10.0])
    positions = np.array([0.0, 1, 4, 9, 16, 25])
    np.testing.assert_allclose(f.grad("x", at=[6.0], spacing=positions), [1.0])


def test_angles_may_differ_by_whole_turns():
    lon = xr.Variable("lon", np.arange(0.0, 360, 10), {"units": "degrees_east"})
    f = xr.DataArray(np.sin(np.deg2rad(lon)).data, {"lon": lon}, "lon")
    found = f.grad("lon", at=[-20.0, 340, 700], accuracy=4)
    np.testing.assert_allclose(found, np.full(3, float(found[1])), rtol=1e-9)
    np.testing.assert_allclose(np.rad2deg(found[1]), np.cos(np.deg2rad(340)), atol=1e-4)


def test_quantities():
    pint = pytest.importorskip("pint")
    pytest.importorskip("pint_xarray")
    registry = pint.UnitRegistry(force_ndarray_like=True)
    z = xr.Variable("z", registry.Quantity(np.array([0.0, 10, 30]), "m"))
    data = registry.Quantity(np.array([0.0, 100, 900]), "K")
    f = xr.DataArray(data, dims="z", name="T").assign_coords(height=z)
    found = f.grad("height", at=registry.Quantity(np.array([0.02]), "km"))
    assert found.data.units == registry.Unit("K / m")
    np.testing.assert_allclose(found.data.magnitude, [40.0])
    np.testing.assert_allclose(found.height.data.to("m").magnitude, [20.0])


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "error", "sentence"),
    [
        ([10.0, 76.0], ValueError, "at has 76.0 at index 1, outside of coordinate 'z', which goes"),
        (-5.1, ValueError, "at has -5.1 at index 0, outside"),
        ([], ValueError, "at is empty"),
        ([[1.0]], ValueError, "at has 2 dimensions"),
        ([1.0, np.nan], ValueError, "missing value at index 1"),
        ("a", TypeError, "but coordinate 'z' has numbers"),
        ([1j], TypeError, "give numbers in its units"),
        (xr.DataArray([1.0], dims="y"), ValueError, "results would have the dimension 'y', which"),
        (xr.DataArray(1.0, attrs={"units": "s"}), ValueError, "at is in 's', and coordinate 'z'"),
    ],
    ids=str,
)
def test_points_that_do_not_fit(profile, at, error, sentence):
    with pytest.raises(error, match=sentence):
        profile.grad("z", at=at)


def test_temperatures_do_not_convert_by_a_factor():
    f = line([1.0, 2, 4], [280.0, 290, 300], units="K")
    with pytest.raises(ValueError, match="do not convert by a factor"):
        f.grad("x", at=xr.DataArray([12.0], dims="p", attrs={"units": "degC"}))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"skipna": True}, "at does not go with skipna"),
        ({"smooth": (3, 1)}, "at does not go with smooth"),
        ({"metric": "sphere"}, "at does not go with metric"),
        ({"at_constant": "z"}, "at does not go with at_constant"),
        ({"accuracy": 4}, "dimension 'z' has 4 points, but deriv=1, accuracy=4.*needs 5"),
    ],
)
def test_options_that_do_not_fit(profile, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        profile.grad("z", at=[20.0], **options)


@pytest.mark.parametrize("dim", [None, ["z", "lat"], {"z": 1}, ("z", "lat")])
def test_it_is_for_one_coordinate(profile, dim):
    with pytest.raises(TypeError, match=r"at is for one.*; name it"):
        profile.grad(dim, at=[20.0])
    assert list(profile.grad(["z"], at=[20.0]).data_vars) == ["dT_dz"]


def test_cyclic_points_and_coordinates_of_two_dimensions():
    lon = np.arange(0.0, 361, 30)
    f = xr.DataArray(np.sin(np.deg2rad(lon)), {"lon": lon}, "lon")
    with pytest.raises(ValueError, match=r"repeats the first.*\.isel\(\{'lon': slice"):
        f.grad("lon", at=[15.0], periodic={"lon": 360})
    g = xr.DataArray(np.eye(3), {"h": (("x", "y"), np.eye(3))}, ("x", "y"))
    with pytest.raises(ValueError, match="coordinate 'h' has 2 dimensions"):
        g.grad("h", at=[15.0])
