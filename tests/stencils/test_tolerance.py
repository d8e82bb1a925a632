"""Coordinates that are off by rounding are what they are meant to be: poles, seams, even steps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers the accessor
from xgradient.stencils.nodes import nodes_from_values
from xgradient.stencils.tolerance import format_distinct, position_tolerance

from ..support.marks import slow
from ..support.sphere_fields import RADIUS

STEPS = {
    "0.1": Fraction(1, 10),
    "0.2": Fraction(1, 5),
    "0.25": Fraction(1, 4),
    "1/3": Fraction(1, 3),
    "1/12": Fraction(1, 12),
    "1.40625": Fraction(45, 32),
    "1.875": Fraction(15, 8),
    "2.4": Fraction(12, 5),
    "2.8125": Fraction(45, 16),
}
CENTRE = 20.0


def exact(start: float, step: Fraction, n: int) -> np.ndarray:
    """The grid that is meant, each value rounded once."""
    first = Fraction(start)
    return np.array([float(first + step * k) for k in range(n)])


def summed(start: float, step: Fraction, n: int, dtype: str) -> np.ndarray:
    """One step after the other is added, as programs in Fortran do."""
    steps = np.full(n, float(step), dtype=dtype)
    steps[0] = start
    return np.cumsum(steps, dtype=dtype)


def stepped(start: float, step: Fraction, n: int, dtype: str) -> np.ndarray:
    return np.arange(start, start + float(step) * (n - 0.5), float(step), dtype=dtype)[:n]


#: How people make a grid of n values.
MAKERS = {
    "arange": lambda *grid: stepped(*grid, "f8"),
    "summed": lambda *grid: summed(*grid, "f8"),
    "linspace": lambda start, step, n: np.linspace(start, start + float(step) * (n - 1), n),
    "multiplied": lambda start, step, n: start + float(step) * np.arange(n),
    "twelve decimals": lambda *grid: np.round(exact(*grid), 12),
    "float32": lambda *grid: exact(*grid).astype("f4"),
    "float32 in decimals": lambda *grid: np.round(exact(*grid), 5).astype("f4"),
    "float32 stored as float64": lambda *grid: exact(*grid).astype("f4").astype("f8"),
    "foreign byte order": lambda *grid: exact(*grid).astype(">f4"),
    "float32 arange": lambda *grid: stepped(*grid, "f4"),
    "float32 arange stored as float64": lambda *grid: stepped(*grid, "f4").astype("f8"),
}


def meant(step: Fraction, maker: str) -> bool:
    """Return whether accumulated rounding stays within a thousandth of the step."""
    return "float32 arange" not in maker or step >= 1 or step == Fraction(1, 4)


GRIDS = [
    pytest.param(step, maker, id=f"{name}-{maker}")
    for name, step in STEPS.items()
    for maker in MAKERS
    if meant(step, maker)
]


def field(lat: np.ndarray, lon: np.ndarray, truth: np.ndarray) -> xr.DataArray:
    """cos(λ - 20°) at the places that are meant."""
    values = np.broadcast_to(np.cos(np.deg2rad(truth - CENTRE)), (len(lat), len(lon))).copy()
    at = {"lat": ("lat", lat), "lon": ("lon", lon, {"units": "degrees_east"})}
    return xr.DataArray(values, at, ("lat", "lon"), "f")


def differences(truth: np.ndarray, step: Fraction) -> np.ndarray:
    """The central difference of the field by radians, by the sum formula of the cosine."""
    delta = np.deg2rad(float(step))
    return -np.sin(np.deg2rad(truth - CENTRE)) * np.sin(delta) / delta


@pytest.mark.parametrize(
    ("start", "backwards"),
    [(-180.0, False), (0.5, True), *map(slow, (-180.0, 0.0, 0.0, 0.5), (True, False, True, False))],
)
@pytest.mark.parametrize(("step", "maker"), GRIDS)
def test_longitudes_close_evenly(step, maker, start, backwards):
    n = int(360 / step)
    lon, truth = MAKERS[maker](start, step, n), exact(start, step, n)
    assert len(lon) == n
    if backwards:
        lon, truth = lon[::-1], truth[::-1]
    expected = differences(truth, step)
    # A row on a pole needs longitudes that go round evenly.
    lat = np.array([-90.0, -30, 30, 90])
    made = field(lat, lon, truth).grad("lon", metric="sphere")
    rows = made.isel(lat=[1, 2]).values * RADIUS * np.cos(np.pi / 6)
    np.testing.assert_allclose(rows, np.stack([expected] * 2), rtol=0, atol=2e-10)
    made = field(lat, lon, truth).isel(lat=1).grad("lon", periodic=True)
    # Without a metric the step is that of the coordinate; float32 knows it to seven digits.
    np.testing.assert_allclose(np.rad2deg(made.values), expected, rtol=0, atol=3e-7)
    alike = field(lat, lon, truth).isel(lat=1).grad("lon", periodic={"lon": 360.0})
    np.testing.assert_array_equal(made.values, alike.values)


@pytest.mark.parametrize(
    ("half", "backwards"), [(False, True), (True, False), *map(slow, (False, True), (False, True))]
)
@pytest.mark.parametrize(("step", "maker"), GRIDS)
def test_latitudes_reach_the_poles(step, maker, half, backwards):
    """Next to a pole 1/cos φ shows each wrong digit of a latitude."""
    start, n = (-90 + float(step) / 2, 180 / step) if half else (-90.0, 180 / step + 1)
    lat, truth = MAKERS[maker](start, step, int(n)), exact(start, step, int(n))
    if backwards:
        lat, truth = lat[::-1], truth[::-1]
    lon = np.arange(0, 360, 45.0)
    # cos φ sin λ, an eigenfunction: what is right at the poles is so for their fold, too.
    values = np.cos(np.deg2rad(truth))[:, None] * np.sin(np.deg2rad(lon))
    found, expected = (
        xr.DataArray(values, {"lat": at, "lon": lon}, ("lat", "lon"), "f")
        .grad.laplacian(["lat", "lon"], metric="sphere")
        .values
        for at in (lat, truth)
    )
    scale = float(np.deg2rad(float(step)) ** -2)
    np.testing.assert_allclose(
        found * RADIUS**2, expected * RADIUS**2, rtol=1e-9, atol=scale * 1e-9
    )
    # And the sum formula tells what the differences by latitude are.
    ordinary = slice(1, -1) if not half else slice(0, None)
    by_lat = xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), "f")
    by_lat = by_lat.grad("lat", metric="sphere").values[ordinary] * RADIUS
    delta = np.deg2rad(float(step))
    slope = -np.sin(np.deg2rad(truth))[:, None] * np.sin(np.deg2rad(lon)) * np.sin(delta) / delta
    np.testing.assert_allclose(by_lat, slope[ordinary], rtol=0, atol=1e-9)


def test_the_last_latitude_beyond_the_pole_by_rounding():
    lat = np.arange(-90, 90.2, 0.2)
    assert lat[-1] > 90
    made = xr.DataArray(lat, {"lat": lat}, ("lat",), "T").grad("lat", metric="sphere")
    np.testing.assert_allclose(made, 180 / np.pi / RADIUS, rtol=1e-12)


@pytest.mark.parametrize("rows", [2, 5, 50])
def test_a_region_at_the_pole_has_the_rounding_of_the_whole(rows):
    lat, lon = np.arange(-90, 90.2, 0.2)[-rows:], np.arange(0, 360, 45.0)
    assert lat[-1] > 90
    values = np.cos(np.deg2rad(np.minimum(lat, 90)))[:, None] * np.sin(np.deg2rad(lon))
    made = [
        xr.DataArray(values, {"lat": at, "lon": lon}, ("lat", "lon"), "f").grad(
            "lon", metric="sphere"
        )
        for at in (lat, 90 - 0.2 * np.arange(rows)[::-1])
    ]
    np.testing.assert_allclose(*made, rtol=1e-9, atol=1e-20)


def test_grids_of_two_dimensions_may_pass_a_pole_by_rounding():
    lat, lon = np.arange(-90, 90.2, 0.2)[800:], np.arange(0, 10.0)
    assert lat.max() > 90
    found = []
    for at in (lat, np.minimum(lat, 90)):
        phi, lam = np.meshgrid(at, lon, indexing="ij")
        places = {"nav_lat": (("y", "x"), phi), "nav_lon": (("y", "x"), lam)}
        f = xr.DataArray(np.sin(np.deg2rad(phi)), places, ("y", "x"), "f")
        made = f.grad(["nav_lat", "nav_lon"], metric="sphere")
        lazy = f.chunk(y=7).assign_coords({n: f[n].chunk(y=7) for n in places})
        xr.testing.assert_equal(lazy.grad(["nav_lat", "nav_lon"], metric="sphere").compute(), made)
        found.append(made.df_dnav_lat.values[:-1])
    np.testing.assert_allclose(*found, rtol=1e-6)


# --- what is uneven stays so --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8", "f4 as f8"])
@pytest.mark.parametrize("rows", [48, 96, 160, 320, 640])
def test_gaussian_latitudes_are_not_even(rows, dtype):
    lat = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(rows)[0]))
    values = lat.astype(dtype[:2]).astype("f8" if dtype.endswith("8") else "f4")
    assert nodes_from_values(values, "lat").step is None


STRETCHED = {
    "1e-9 of a step": np.arange(100) + 1e-9 * (np.arange(100) % 2),
    "by a billionth": 0.1 * np.cumsum(1 + 1e-9 * np.arange(500)),
    "one in float32": np.where(np.arange(100) == 50, 50.002, np.arange(100)).astype("f4"),
    "one in float32 as float64": (
        np.where(np.arange(100) == 50, 50.002, np.arange(100)).astype("f4").astype("f8")
    ),
    "whole numbers": 1e5 + 1000 * np.arange(100.0) + (np.arange(100) == 7),
    "far away": (1e6 + np.where(np.arange(99) == 9, 54.25, 6 * np.arange(99))),
}


@pytest.mark.parametrize("values", STRETCHED.values(), ids=STRETCHED)
def test_steps_that_differ_by_more_stay_uneven(values):
    nodes = nodes_from_values(values, "x")
    assert nodes.step is None
    np.testing.assert_array_equal(np.diff(nodes.positions), np.diff(values.astype("f8")))


def test_the_tolerance_is_the_one_that_is_promised():
    eps, single = np.finfo("f8").eps, float(np.finfo("f4").eps)
    lat = np.arange(-90, 90.2, 0.2)
    assert position_tolerance(lat) == pytest.approx(901 * eps * lat[-1])
    # n ε max|x| in float32 would be a step and more.
    assert position_tolerance(np.arange(0, 360, 0.1).astype("f4")) == pytest.approx(1e-4, rel=1e-3)
    few = np.array([0.1, 0.2, 0.3], "f4")
    assert position_tolerance(few) == pytest.approx(3 * single * 0.3)
    assert position_tolerance(few.astype("f8")) == position_tolerance(few)
    assert position_tolerance(np.array([1.0, 2, 3])) == 3 * eps * 3
    assert position_tolerance(np.arange(10)) == 0
    assert position_tolerance(np.array([])) == 0
    assert position_tolerance(np.array([0.1, np.nan, 0.3])) == pytest.approx(3 * eps * 0.3)
    # A thousandth of the step is less than float32 tells; that it rounds once is allowed.
    fine = (np.arange(-17999, 18001) * 0.01).astype("f4")
    assert nodes_from_values(fine, "lon").step == pytest.approx(0.01, rel=1e-6)


# --- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (90.3, 90, ("90.3", "90")),
        (95.0, 90.0, ("95", "90")),
        (90.0000004, 90.0, ("90.0000004", "90")),
        (np.nextafter(90, 91), 90.0, ("90.00000000000001", "90")),
        (1.5709, np.pi / 2, ("1.5709", "1.5708")),
        (1.5708, np.pi / 2, ("1.5708", "1.570796")),
        (360.0, 360.0, ("360", "360")),
    ],
)
def test_digits_that_show_a_difference(one, other, words):
    assert format_distinct(one, other) == words


def line(lat: np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.zeros(len(lat)), {"lat": lat}, ("lat",), "T")


MESSAGES = {
    "90.3": (
        lambda: line(np.array([-90.3, 0, 90])).grad("lat", metric="sphere"),
        "'lat' has the value -90.3 at index 0; latitudes lie between -90 and 90, so check",
    ),
    "90.000001": (
        lambda: line(np.array([0.1, 45, 90.000001])).grad("lat", metric="sphere"),
        "'lat' has the value 90.000001 at index 2; latitudes lie between -90 and 90, so check",
    ),
    "float32": (
        lambda: line(np.array([0.1, 45, 90.0001], "f4")).grad("lat", metric="sphere"),
        "'lat' has the value 90.0001 at index 2; latitudes lie between -90 and 90, so check",
    ),
    "radians": (
        lambda: line(xr.Variable("lat", np.array([0.1, 1.0, 1.570797]), {"units": "rad"})).grad(
            "lat", metric="sphere"
        ),
        "'lat' has the value 1.570797 at index 2; latitudes lie between -1.570796 and 1.570796",
    ),
    "longitudes": (
        lambda: field(np.array([0.0, 1]), np.linspace(0, 360.0001, 9), np.arange(9)).grad(
            "lon", metric="sphere"
        ),
        "'lon' spans 360.0001, more than a full turn of 360; drop",
    ),
    "period": (
        lambda: field(np.array([0.0, 1]), np.arange(0, 360, 45.0), np.arange(8)).grad(
            "lon", metric="sphere", periodic={"lon": 360.0001}
        ),
        "the period of 'lon' is given as 360.0001, but on a globe it is a full turn of 360; give",
    ),
    "no metric": (
        lambda: field(np.array([0.0, 1]), np.linspace(0, 360.0001, 9), np.arange(9)).grad(
            "lon", periodic={"lon": 360}
        ),
        "'lon' spans 360.0001, but its period is 360; the period must be longer",
    ),
}


@pytest.mark.parametrize(("call", "words"), MESSAGES.values(), ids=MESSAGES)
def test_messages_show_the_fault(call, words):
    with pytest.raises(ValueError, match=words):
        call()
