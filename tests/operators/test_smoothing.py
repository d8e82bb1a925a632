"""Smoothing derivatives against SciPy, NumPy's polyfit, published tables and exact polynomials."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.loops import compiled_and_replaced
from ..support.marks import slow
from ..support.strategies import NODES

RNG = np.random.default_rng(5)
NOISE = RNG.normal(size=40)
NAN = np.nan


@pytest.fixture
def signal():
    """The filters of scipy, which take a second to load."""
    return pytest.importorskip("scipy.signal")


def polyfit(x, f, row, window, degree, deriv, tricube=False):
    """The derivative at one row of the polynomial that NumPy fits to a window."""
    z, values = x[window] - x[row], f[window]
    weights = None
    if tricube:
        u = abs(z) / abs(z).max() * (len(z) - 1) / (len(z) + 1)
        weights = (1 - u**3) ** 1.5
    fit = np.polyfit(z, values, min(degree, len(z) - 1), w=weights)
    return np.polyval(np.polyder(fit, deriv), 0.0)


def smoothed(x, f, width, degree, deriv, tricube=False):
    """All rows by polyfit; next to the ends the window begins or ends there."""
    n = len(x)
    starts = np.clip(np.arange(n) - width // 2, 0, n - width)
    rows = enumerate(starts)
    return np.array(
        [polyfit(x, f, i, slice(s, s + width), degree, deriv, tricube) for i, s in rows]
    )


def close(found, expected, rtol=1e-12):
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * abs(expected).max())


# -- truth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0.5, -3.0])
@pytest.mark.parametrize("deriv", [0, 1, 2])
@pytest.mark.parametrize("smooth", [(5, 2), (5, 3), (7, 3), (11, 3), (11, 4), (21, 2)])
def test_uniform_axes_are_those_of_scipy(step, deriv, smooth, signal):
    da = xr.DataArray(NOISE, {"x": np.arange(40) * step})
    for mode, periodic in (("interp", False), ("wrap", True)):
        found = da.grad("x", deriv=deriv, smooth=smooth, periodic=periodic)
        expected = signal.savgol_filter(NOISE, *smooth, deriv=deriv, delta=step, mode=mode)
        close(found, expected)
    wrong = signal.savgol_filter(NOISE, *smooth, deriv=deriv, delta=step, mode="nearest")
    assert abs(found - wrong).max() > 1e-3 * abs(wrong).max()


@pytest.mark.parametrize("weights", [(), ("tricube",)])
@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("deriv", [0, 1, 2, 3])
@pytest.mark.parametrize("smooth", [(7, 3), (11, 4), (15, 3)])
def test_all_axes_are_those_of_polyfit(weights, kind, deriv, smooth):
    x = 0.3 * NODES[kind](40)
    found = xr.DataArray(NOISE, {"x": x}).grad("x", deriv=deriv, smooth=(*smooth, *weights))
    close(found, smoothed(x, NOISE, *smooth, deriv, bool(weights)))


def exact_fit(x, f, row, window, degree, tricube):
    """The coefficients of the polynomial of a window in rational arithmetic, about its row."""
    z = [Fraction(v) - Fraction(x[row]) for v in x[window].tolist()]
    width, farthest = len(z), max(map(abs, z))
    share = Fraction(width - 1, width + 1) / farthest
    weights = [(1 - abs(t * share) ** 3) ** 3 if tricube else 1 for t in z]
    pairs = list(zip(weights, z, strict=True))
    values = [Fraction(v) for v in f[window].tolist()]
    rows = [
        [sum(w * t ** (i + j) for w, t in pairs) for j in range(degree + 1)]
        + [sum(w * t**i * v for (w, t), v in zip(pairs, values, strict=True))]
        for i in range(degree + 1)
    ]
    for i in range(degree + 1):  # Gauss-Jordan elimination
        rows[i] = [a / rows[i][i] for a in rows[i]]
        rows = [
            row if k == i else [a - row[i] * b for a, b in zip(row, rows[i], strict=True)]
            for k, row in enumerate(rows)
        ]
    return [row[-1] for row in rows]


@pytest.mark.parametrize("weights", [(), ("tricube",)])
@pytest.mark.parametrize("kind", NODES)
def test_fits_are_those_of_rational_arithmetic(weights, kind):
    x, n, width, degree = (0.3 * NODES[kind](40)), 40, 11, 4
    starts = np.clip(np.arange(n) - width // 2, 0, n - width)
    fits = [
        exact_fit(x, NOISE, i, slice(s, s + width), degree, bool(weights))
        for i, s in enumerate(starts.tolist())
    ]
    da = xr.DataArray(NOISE, {"x": x})
    for deriv, factorial in enumerate((1, 1, 2, 6)):
        exact = np.array([float(factorial * fit[deriv]) for fit in fits])
        close(da.grad("x", deriv=deriv, smooth=(width, degree, *weights)).values, exact)
        # NumPy, with which the test above compares, is as close.
        close(smoothed(x, NOISE, width, degree, deriv, bool(weights)), exact)


# Savitzky and Golay (1964), with the corrections of Steinier et al. (1972),
# doi:10.1021/ac60319a045: by derivative, window and degree.
PUBLISHED = {
    (0, 5, 2): "-3 12 17 12 -3 / 35",
    (0, 7, 2): "-2 3 6 7 6 3 -2 / 21",
    (0, 9, 2): "-21 14 39 54 59 54 39 14 -21 / 231",
    (1, 5, 2): "-2 -1 0 1 2 / 10",
    (1, 5, 3): "1 -8 0 8 -1 / 12",
    (1, 7, 3): "22 -67 -58 0 58 67 -22 / 252",
    (2, 7, 2): "5 0 -3 -4 -3 0 5 / 42",
}


@pytest.mark.parametrize(("case", "published"), PUBLISHED.items())
def test_weights_are_those_published(case, published):
    deriv, window, degree = case
    numbers, divisor = published.split("/")
    expected = [float(Fraction(int(n), int(divisor))) for n in numbers.split()]
    table = xgradient.stencil(np.arange(20), deriv=deriv, smooth=(window, degree))
    np.testing.assert_allclose(table.weights[10], expected, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("weights", [(), ("tricube",)])
@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_polynomials_of_the_degree_are_exact(weights, kind, degree):
    x = NODES[kind](20) / 10
    field = xr.DataArray((x - 0.7) ** degree, {"x": x})
    options = {"smooth": (9, degree, *weights)}
    close(field.grad("x", deriv=0, **options), field.values)
    close(field.grad("x", **options), degree * (x - 0.7) ** (degree - 1))
    beyond = xr.DataArray((x - 0.7) ** (degree + 3), {"x": x})
    assert abs(beyond.grad("x", deriv=0, **options) - beyond).max() > 1e-4


def test_the_gain_of_noise_is_the_norm_of_the_weights(signal):
    table = xgradient.stencil(np.arange(40) * 0.5, smooth=(11, 3))
    weights = signal.savgol_coeffs(11, 3, deriv=1, delta=0.5)
    assert table.noise_gain.values[20] == pytest.approx(np.linalg.norm(weights), rel=1e-12)
    assert table.dataset.attrs == {"deriv": 1, "window": 11, "degree": 3}
    noise = xr.DataArray(RNG.normal(size=(40, 20_000)), {"x": table.start.x}, ("x", "n"))
    measured = noise.grad("x", smooth=(11, 3)).std("n")
    np.testing.assert_allclose(table.noise_gain, measured, rtol=0.03)
    smooth = xgradient.stencil(np.arange(40), deriv=0, smooth=(11, 3))
    np.testing.assert_allclose(smooth.matrix() @ NOISE, signal.savgol_filter(NOISE, 11, 3))
    assert smooth.order.values[20] == 4
    # A smoothed wave is damped; the weights are even, so its response is real.
    assert smooth.modified_wavenumber([0.0, np.pi / 4])[1] < 1


# -- missing values ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("deriv", [0, 1, 2])
def test_windows_never_reach_across_a_gap(kind, deriv):
    x = NODES[kind](40)
    f = np.where(np.isin(np.arange(40), [15, 22, 24, 28]), NAN, NOISE)
    found = xr.DataArray(f, {"x": x}).grad("x", deriv=deriv, smooth=(7, 2), skipna=True).values
    expected = np.full(40, NAN)
    for run in (slice(0, 15), slice(16, 22), slice(23, 24), slice(25, 28), slice(29, 40)):
        n = run.stop - run.start
        if n > deriv:
            expected[run] = smoothed(x[run], f[run], min(7, n), 2, deriv)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.nanmax(abs(expected)))
    plain = xr.DataArray(f, {"x": x}).grad("x", deriv=deriv, smooth=(7, 2)).values
    assert np.isnan(plain[[12, 18, 25]]).all()


def test_a_run_has_the_bits_of_its_own_axis():
    f = NOISE.copy()
    f[17] = NAN
    da = xr.DataArray(f, {"x": np.arange(40.0)})
    found = da.grad("x", smooth=(11, 3), skipna=True)
    xr.testing.assert_identical(found[:17], da[:17].grad("x", smooth=(11, 3)))
    xr.testing.assert_identical(found[18:], da[18:].grad("x", smooth=(11, 3)))


# -- arrays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"skipna": True}, {"periodic": True}])
@pytest.mark.parametrize("deriv", [0, 1, 2])
@pytest.mark.parametrize("chunks", [1, 4, (3, 20, 2, 1, 14)])
def test_chunks_change_no_bit(options, deriv, chunks):
    pytest.importorskip("dask")
    f = RNG.normal(size=(40, 3))
    if options.get("skipna"):
        f[[5, 30], [1, 2]] = NAN
    da = xr.DataArray(f, {"x": np.arange(40.0)}, ("x", "y"), "f")
    options = {**options, "deriv": deriv, "smooth": (9, 3, "tricube")}
    lazy = da.chunk(x=chunks).grad("x", **options)
    assert lazy.chunks == da.chunk(x=chunks).chunks
    xr.testing.assert_identical(lazy.compute(), da.grad("x", **options))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u1", "c8", "c16", ">f8"])
@pytest.mark.parametrize("deriv", [0, 1])
def test_dtypes(dtype, deriv, signal):
    values = np.rint(100 + 10 * NOISE).astype(dtype)
    found = xr.DataArray(values, {"x": np.arange(40)}).grad("x", deriv=deriv, smooth=(7, 2))
    usual = xr.DataArray(values, {"x": np.arange(40)}).grad("x")
    assert found.dtype == usual.dtype
    expected = signal.savgol_filter(values.real.astype("f8"), 7, 2, deriv=deriv)
    digits = {"f2": 2e-3, "f4": 1e-6, "c8": 1e-6}.get(dtype, 1e-13)
    close(found.real, expected, digits)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("skipna", "deriv"), [(False, 1), slow(True, 1), slow(False, 0), slow(True, 0)]
)
def test_compiled_loops_have_the_same_bits(skipna, deriv):
    f = RNG.normal(size=(60, 5))
    f[11, 2] = NAN
    da = xr.DataArray(f, {"x": np.arange(60.0)}, ("x", "y"))
    options = {"deriv": deriv, "smooth": (9, 2), "skipna": skipna}
    xr.testing.assert_identical(*compiled_and_replaced(lambda: da.grad("x", **options)))


# -- the globe --------------------------------------------------------------------------------


def test_longitudes_close_and_latitudes_continue_across_the_poles(signal):
    lat, lon = np.arange(-85.0, 86, 10), np.arange(0.0, 360, 15)
    values = RNG.normal(size=(18, 24))
    da = xr.DataArray(
        values,
        {"lat": ("lat", lat, {"units": "degrees_north"}),
         "lon": ("lon", lon, {"units": "degrees_east"})},
        ("lat", "lon"), "t", {"units": "K"},
    )  # fmt: skip
    found = da.grad("lon", deriv=0, smooth=(5, 2), metric="sphere")
    close(found, signal.savgol_filter(values, 5, 2, axis=1, mode="wrap"))
    meridian = np.concatenate([np.roll(values, 12, 1)[::-1], values, np.roll(values, 12, 1)[::-1]])
    found = da.grad("lat", deriv=0, smooth=(5, 2), metric="sphere")
    close(found, signal.savgol_filter(meridian, 5, 2, axis=0)[18:36])
    assert found.attrs["units"] == "K"
    slopes = da.grad("lat", smooth=(5, 2), metric=xgradient.Sphere(1.0))
    close(slopes, np.degrees(signal.savgol_filter(meridian, 5, 2, 1, 10.0, axis=0)[18:36]))
    xr.testing.assert_identical(
        da.chunk(lat=4, lon=7).grad("lat", deriv=0, smooth=(5, 2), metric="sphere").compute(), found
    )


# -- lengths ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "points"),
    [("3 days", 13), ("3 d", 13), ("0.5days", 3), ("72 hours", 13), (timedelta(days=3), 13),
     (np.timedelta64(3, "D"), 13), ("70 h", 11)],
)  # fmt: skip
def test_lengths_in_units_of_time(window, points):
    time = np.datetime64("2000-01-01", "ns") + np.arange(40) * np.timedelta64(6, "h")
    da = xr.DataArray(NOISE, {"time": time})
    xr.testing.assert_identical(
        da.grad("time", smooth=(window, 2) if points > 3 else (window, 1)),
        da.grad("time", smooth=(points, 2) if points > 3 else (points, 1)),
    )


def test_lengths_in_units_of_length():
    da = xr.DataArray(NOISE, {"x": ("x", np.arange(40) * 500.0, {"units": "m"})})
    expected = da.grad("x", smooth=(9, 2))
    xr.testing.assert_identical(da.grad("x", smooth=("4 km", 2)), expected)
    assert xgradient.stencil(da.x, smooth=("4 km", 2)).dataset.attrs["window"] == 9


@pytest.mark.parametrize("weights", [(), ("tricube",)])
@pytest.mark.parametrize("kind", [kind for kind in NODES if kind != "uniform"])
@pytest.mark.parametrize("deriv", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_lengths_on_non_uniform_axes_are_those_of_polyfit(weights, kind, deriv, sign):
    x, half = sign * 0.3 * NODES[kind](40), 2.0
    da = xr.DataArray(NOISE, {"x": ("x", x, {"units": "m"})})
    windows = [np.flatnonzero(abs(x - center) <= half) for center in x]
    assert len({len(window) for window in windows}) > 3
    expected = np.array(
        [polyfit(x, NOISE, i, window, 3, deriv, bool(weights)) for i, window in enumerate(windows)]
    )
    found = da.grad("x", deriv=deriv, smooth=("400 cm", 3, *weights))
    close(found, expected)
    table = xgradient.stencil(da.x, deriv=deriv, smooth=("4 m", 3, *weights))
    assert table.width.values.tolist() == [len(window) for window in windows]
    assert table.dataset.attrs["window"] == "4 m"


def test_windows_of_one_length_have_a_lower_degree_where_points_are_few():
    x = np.array([0, 1, 2, 3, 4, 8, 11, 12, 13, 14, 15.0])
    da = xr.DataArray(NOISE[:11], {"x": ("x", x, {"units": "s"})})
    table = xgradient.stencil(da.x, smooth=("8 s", 2))
    assert table.width.values.tolist() == [5, 5, 5, 5, 6, 4, 6, 6, 5, 5, 5]
    slope = da.grad("x", smooth=("6 s", 2))
    # The point at 8 has one neighbour.
    np.testing.assert_allclose(slope[5], (NOISE[6] - NOISE[5]) / 3, rtol=1e-14)
    assert xgradient.stencil(da.x, smooth=("6 s", 2)).order[5] == 1


def test_lengths_wrap_around_periodic_axes_and_walls():
    x = np.sort(RNG.uniform(0, 10, 40))
    da = xr.DataArray(NOISE, {"x": ("x", x, {"units": "m"})})
    three = np.concatenate([x - 10, x, x + 10])
    found = da.grad("x", smooth=("3 m", 2), periodic={"x": 10.0}).values
    for i, center in enumerate(x):
        window = np.flatnonzero(abs(three - center) <= 1.5)
        close(found[i], polyfit(three, np.tile(NOISE, 3), 40 + i, window, 2, 1), 1e-11)
    mirrored = np.concatenate([2 * x[0] - x[:0:-1], x])
    field = xr.DataArray(np.concatenate([NOISE[:0:-1], NOISE]), {"x": ("x", mirrored, da.x.attrs)})
    even = da.grad("x", smooth=("3 m", 2), boundary={"x": ("even", "one-sided")})
    np.testing.assert_allclose(even, field.grad("x", smooth=("3 m", 2))[39:], atol=1e-12)


@pytest.mark.parametrize("chunks", [1, 4, (3, 20, 2, 1, 14)])
@pytest.mark.parametrize("options", [{}, {"deriv": 0}, {"periodic": {"x": 45.0}}])
def test_chunks_change_no_bit_of_windows_of_one_length(chunks, options):
    pytest.importorskip("dask")
    x = np.arange(40) + 0.3 * np.sin(np.arange(40))
    da = xr.DataArray(RNG.normal(size=(40, 3)), {"x": ("x", x, {"units": "m"})}, ("x", "y"), "f")
    options = {**options, "smooth": ("5 m", 2)}
    lazy = da.chunk(x=chunks).grad("x", **options)
    assert lazy.chunks == da.chunk(x=chunks).chunks
    xr.testing.assert_identical(lazy.compute(), da.grad("x", **options))


# -- labels and refusals ----------------------------------------------------------------------


def test_a_smoothed_field_keeps_its_name():
    attrs = {"units": "K", "standard_name": "air_temperature", "valid_min": 0}
    da = xr.DataArray(NOISE, {"x": np.arange(40)}, name="t", attrs=attrs)
    found = da.grad("x", deriv=0, smooth=(5, 2))
    assert found.name == "t"
    assert found.attrs == {
        "units": "K", "standard_name": "air_temperature", "long_name": "smoothed air temperature"
    }  # fmt: skip
    slope = da.grad("x", smooth=(5, 2))
    assert slope.name == "dt_dx"
    scaled = da.assign_coords(x=da.x.assign_attrs(units="m")).grad(
        "x", smooth=(5, 2), units="K km-1"
    )
    assert scaled.attrs["units"] == "K km-1"
    np.testing.assert_allclose(scaled, 1000 * slope)
    ds = da.to_dataset().assign(other=("y", [1.0]))
    assert list(ds.grad("x", deriv=0, smooth=(5, 2)).data_vars) == ["t"]


@pytest.mark.parametrize(
    ("units", "wanted", "expected"),
    [("degC", "K", lambda t: t + 273.15), ("K", "degC", lambda t: t - 273.15),
     ("degF", "degC", lambda t: (t - 32) / 1.8), ("km", "m", lambda t: 1000 * t),
     ("m", "(100 km)", lambda t: t / 1e5), ("K", "K", lambda t: t)],
)  # fmt: skip
@pytest.mark.parametrize("skipna", [False, True])
def test_a_smoothed_field_in_other_units(units, wanted, expected, skipna):
    da = xr.DataArray(20 + NOISE, {"x": np.arange(40)}, name="t", attrs={"units": units})
    da[20] = NAN if skipna else da[20]
    options = {"deriv": 0, "smooth": (5, 2), "skipna": skipna}
    found = da.grad("x", units=wanted, **options)
    assert found.attrs["units"] == wanted
    np.testing.assert_allclose(found, expected(da.grad("x", **options)), rtol=1e-14)
    xr.testing.assert_identical(da.grad("x", units={"t": wanted}, **options), found)
    with pytest.raises(ValueError, match=r"'t' has the units .* cannot be converted to 's'"):
        da.grad("x", units="s", **options)


def test_a_smoothed_field_in_other_units_in_chunks_and_as_quantity():
    da = xr.DataArray(NOISE.astype("f4"), {"x": np.arange(40)}, name="t", attrs={"units": "degC"})
    options = {"deriv": 0, "smooth": (5, 2), "units": "K"}
    found = da.grad("x", **options)
    assert found.dtype == "f4"
    pytest.importorskip("dask")
    xr.testing.assert_identical(da.chunk(x=7).grad("x", **options).compute(), found)
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry(force_ndarray_like=True)
    quantity = da.drop_attrs().copy(data=registry.Quantity(da.values, "degC"))
    result = quantity.grad("x", **options)
    assert result.data.units == registry.kelvin
    np.testing.assert_allclose(result.data.magnitude, found, rtol=1e-6)


def test_mixed_derivatives_smooth_along_both(signal):
    f = RNG.normal(size=(12, 15))
    da = xr.DataArray(f, {"x": np.arange(12), "y": np.arange(15)})
    along_x = signal.savgol_filter(f, 5, 2, deriv=1, axis=0)
    found = da.grad({"x": 1, "y": 2}, smooth=(5, 2))
    close(found, signal.savgol_filter(along_x, 5, 2, deriv=2, axis=1))


@pytest.fixture
def levels():
    """A field with times in days, latitudes, and heights of levels in every column."""
    return xr.DataArray(
        RNG.normal(size=(9, 8)),
        {"z": (("s", "lat"), np.cumsum(np.ones((9, 8)), axis=0), {"units": "m"}),
         "lat": ("lat", np.arange(8.0), {"units": "degrees_north"}),
         "s": np.arange(9.0) ** 2},
        ("s", "lat"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dim", "options", "error", "match"),
    [
        ("lat", {"smooth": 5}, TypeError, r"smooth is 5; give \(window, degree\)"),
        ("lat", {"smooth": (5,)}, TypeError, r"smooth is \(5,\); give \(window, degree\)"),
        ("lat", {"smooth": (4, 2)}, ValueError, "window of 4 points; give an odd number"),
        ("lat", {"smooth": (1, 0)}, ValueError, "window of 1 points; give an odd number from 3"),
        ("lat", {"smooth": (5.0, 2)}, TypeError, "the window 5.0; give an odd number of points"),
        ("lat", {"smooth": (5, 2.5)}, ValueError, "the degree 2.5; give a whole number"),
        ("lat", {"smooth": (5, -1)}, ValueError, "the degree -1; give a whole number"),
        ("lat", {"smooth": (5, 4)}, ValueError, "pass through all 5 points .* at most 3"),
        ("lat", {"smooth": (5, 1), "deriv": 2}, ValueError, "give a degree of at least 2"),
        ("lat", {"smooth": (5, 2, "cube")}, ValueError, "weights 'cube'; give 'tricube'"),
        ("lat", {"smooth": (5, 2), "accuracy": 4}, ValueError, "accuracy is 4, but the degree"),
        ("lat", {"smooth": (5, 2), "edge_order": 2}, ValueError, "edge_order is 2, but"),
        ("lat", {"smooth": (5, 2), "deriv": -1}, ValueError, "deriv is -1; .* at least 0"),
        ("lat", {"deriv": 0}, ValueError, "deriv is 0; .* at least 1"),
        ("lat", {"smooth": (11, 2)}, ValueError, "'lat' has 8 points, but smooth .* needs 11"),
        (["lat", "s"], {"smooth": (5, 2), "deriv": 0}, ValueError, "dim names 2 coordinates"),
        ("s", {"smooth": (5, 2), "deriv": 0, "units": "K"}, ValueError, "have no units; set"),
        ("z", {"smooth": (5, 2)}, ValueError, "'z' has 2 dimensions .* leave smooth out"),
        ("lat", {"smooth": (5, 2), "at_constant": "z"}, ValueError, "'z' has 2 dimensions"),
        ("lat", {"smooth": ("3 km", 2)}, ValueError, "units 'degrees_north'; give a number"),
        ("lat", {"smooth": ("3 km", 2), "metric": "sphere"}, ValueError, "give a number of points"),
        ("lat", {"smooth": ("wide", 2)}, ValueError, "'wide'; give a number with units"),
        ("s", {"smooth": ("3 km", 2)}, ValueError, "'s' has no units; give a number of points"),
        ("s", {"smooth": (np.timedelta64(1, "Y"), 2)}, TypeError, "give days, years and"),
        ({"s": 0, "lat": 1}, {"smooth": (5, 2)}, ValueError, "deriv is 0"),
    ],
)  # fmt: skip
def test_refusals(levels, dim, options, error, match):
    with pytest.raises(error, match=match):
        levels.grad(dim, **options)


def test_lengths_that_hold_too_few_points_are_refused(levels):
    levels.s.attrs["units"] = "m"
    message = "'3 m', which holds 1 point of dimension 's' at index 2, but deriv=1 needs 2; give"
    with pytest.raises(ValueError, match=message):
        levels.grad("s", smooth=("3 m", 2))
    with pytest.raises(ValueError, match=r"holds 2 points .* at index 8, but deriv=2 needs 3"):
        levels.grad("s", deriv=2, smooth=("33 m", 2))
    with pytest.raises(ValueError, match=r"window of '80 m', but with skipna .* points; give one"):
        levels.grad("s", smooth=("80 m", 2), skipna=True)
    periodic = {"periodic": {"s": 70.0}, "smooth": ("150 m", 2)}
    with pytest.raises(ValueError, match="longer than dimension 's'; give a shorter one"):
        levels.grad("s", **periodic)
    da = xr.DataArray(NOISE, {"x": ("x", np.arange(40.0), {"units": "km"})})
    with pytest.raises(ValueError, match="one point of 'x' with steps of 1 km; give a longer"):
        da.grad("x", smooth=("1.5 km", 2))
    with pytest.raises(ValueError, match="degree 2, which pass through all 3 points"):
        da.grad("x", smooth=("3 km", 2))


def test_windows_that_would_fill_the_memory_are_refused():
    x = np.arange(15_000.0) ** 1.1
    da = xr.DataArray(np.zeros(15_000), {"x": x})
    with pytest.raises(ValueError, match=r"window of 51 and skipna has 8.0 GB .* smaller window"):
        da.grad("x", smooth=(51, 2), skipna=True)
