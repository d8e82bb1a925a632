"""Estimated errors of derivatives against true errors, and noise against that of many samples."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.loops import compiled_and_replaced
from ..support.strategies import NODES

NAN = np.nan
POINTS = 120


#: Fields with the same positions.
FIELDS = 10


def random_field(rng, x):
    """A sum of waves of 20 points and longer with random phases, and its derivative."""
    scaled = (x - x[0]) / (x[-1] - x[0])
    numbers = rng.integers(1, POINTS // 16, size=4)
    sizes, phases = rng.normal(size=4) / numbers, rng.uniform(0, 2 * np.pi, 4)
    angles = 2 * np.pi * numbers[:, None] * scaled + phases[:, None]
    slope = 2 * np.pi * numbers[:, None] / (x[-1] - x[0]) * np.cos(angles)
    return sizes @ np.sin(angles), sizes @ slope


def random_axis(rng, kind):
    """Uniform positions, or positions with random steps."""
    steps = np.ones(POINTS) if kind == "uniform" else rng.uniform(0.6, 1.4, POINTS)
    return np.cumsum(steps)


def true_and_estimated(kind, accuracy, n_fields=200):
    """The true errors of 200 random fields, and their estimates."""
    rng = np.random.default_rng(11)
    pairs = []
    for _ in range(n_fields // FIELDS):
        x = random_axis(rng, kind)
        f, slope = np.array([random_field(rng, x) for _ in range(FIELDS)]).swapaxes(0, 1)
        da = xr.DataArray(f, {"x": x}, ("field", "x"), "f")
        found = da.grad("x", accuracy=accuracy, error=True)
        pairs.append((abs(found.df_dx.values - slope), found.df_dx_error.values))
    return (np.concatenate(part) for part in zip(*pairs, strict=True))


@pytest.mark.parametrize("kind", ["uniform", "non-uniform"])
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
def test_estimates_cover_the_true_error_and_are_close_to_it(kind, accuracy):
    true, estimated = true_and_estimated(kind, accuracy)
    assert (true <= estimated).mean() >= 0.95
    assert (true[:, [0, 1, -2, -1]] <= estimated[:, [0, 1, -2, -1]]).mean() >= 0.9
    assert 1 < np.median(estimated / true) < 4


def test_the_plain_difference_of_two_orders_covers_few_points():
    rng, covered = np.random.default_rng(3), []
    for _ in range(50):
        x = random_axis(rng, "uniform")
        f, slope = random_field(rng, x)
        low, high = (xr.DataArray(f, {"x": x}).grad("x", accuracy=p, edge_order=p) for p in (4, 6))
        covered.append(abs(low - slope) <= abs(low - high))
    assert np.mean(covered) < 0.2


# -- the formula ------------------------------------------------------------------------------


def by_hand(f, x, accuracy, eps, periodic=False):
    """The formula, by derivatives of two orders and the published table of weights."""
    da = xr.DataArray(f, {"x": x})
    options = {"periodic": {"x": periodic}} if periodic else {}
    edge = max(1 + (1 if accuracy == 2 else accuracy), 2 * (accuracy // 2)) + 1
    low = da.grad("x", accuracy=accuracy, **options)
    high = da.grad("x", accuracy=accuracy + 2, edge_order=edge, **options)
    difference = abs(low - high).values
    left, right = np.roll(difference, 1), np.roll(difference, -1)
    if not periodic:
        left[0], right[-1] = 0, 0
    table = xgradient.stencil(x, accuracy=accuracy, periodic=periodic)
    rounding = [
        sum(abs(w) * abs(f[(s + k) % len(f)]) for k, w in enumerate(row[:width]))
        for row, s, width in zip(
            table.weights.values, table.start.values, table.width.values, strict=True
        )
    ]
    return 2 * np.maximum(np.maximum(left, difference), right) + eps * np.array(rounding)


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_estimate_is_that_of_the_formula(kind, accuracy):
    x = NODES[kind](40)
    f = 3 + np.random.default_rng(2).normal(size=40)
    found = xr.DataArray(f, {"x": x}, name="f").grad("x", accuracy=accuracy, error=True)
    expected = by_hand(f, x, accuracy, np.finfo(float).eps)
    np.testing.assert_allclose(found.df_dx_error, expected, rtol=1e-11)
    plain = xr.DataArray(f, {"x": x}, name="f").grad("x", accuracy=accuracy)
    np.testing.assert_array_equal(found.df_dx, plain)


@pytest.mark.parametrize("x", [np.arange(30.0), np.arange(30) + 0.3 * np.sin(np.arange(30))])
def test_on_a_periodic_axis_the_ends_are_neighbours(x):
    f = np.random.default_rng(2).normal(size=30)
    da = xr.DataArray(f, {"x": x}, name="f")
    found = da.grad("x", accuracy=4, error=True, periodic={"x": 30.0})
    expected = by_hand(f, x, 4, np.finfo(float).eps, 30.0)
    np.testing.assert_allclose(found.df_dx_error, expected, rtol=1e-11)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_polynomials_have_the_error_of_rounding_alone(dtype):
    x = np.arange(30.0)
    line = xr.DataArray((300 + 2 * x).astype(dtype), {"x": x}, name="f")
    found = line.grad("x", error=True)
    assert found.df_dx_error.dtype == dtype
    # The weights of the interior are -1/2 and 1/2.
    np.testing.assert_allclose(
        found.df_dx_error[1:-1], np.finfo(dtype).eps * line.values[1:-1], rtol=0.02
    )


def test_complex_fields_have_real_errors():
    x = np.linspace(0, 3, 30)
    real, imaginary = np.sin(x), np.cos(2 * x)
    da = xr.DataArray(real + 1j * imaginary, {"x": x}, name="f")
    found = da.grad("x", error=True, accuracy=4)
    assert found.df_dx.dtype == complex
    assert found.df_dx_error.dtype == float
    true = abs(found.df_dx - (np.cos(x) - 2j * np.sin(2 * x)))
    assert (true <= found.df_dx_error).all()


@pytest.mark.parametrize("dtype", [bool, "i1", "i8"])
def test_integers_have_the_rounding_of_float64(dtype):
    f = np.tile(np.array([1, 0, 1, 1, 0], dtype), 4)
    found = xr.DataArray(f, {"x": np.arange(20.0)}, name="f").grad("x", error=True)
    expected = by_hand(f.astype(float), np.arange(20.0), 2, np.finfo(float).eps)
    np.testing.assert_allclose(found.df_dx_error, expected, rtol=1e-12)


# -- the globe, missing values and chunks -----------------------------------------------------


def globe(step=5.0, poles=True):
    """A smooth field on a globe, its gradient in one over metres, and the coordinates."""
    lat = np.arange(-90, 90.1, step) if poles else np.arange(-90 + step / 2, 90, step)
    lon = np.arange(0, 360, step)
    phi, lam = np.deg2rad(lat)[:, None], np.deg2rad(lon)
    f = np.cos(phi) * np.sin(phi) * np.cos(lam) + 0.2 * np.cos(phi) ** 2 * np.sin(2 * lam)
    by_lon = -np.sin(phi) * np.sin(lam) + 0.4 * np.cos(phi) * np.cos(2 * lam)
    by_lat = np.cos(2 * phi) * np.cos(lam) - 0.2 * np.sin(2 * phi) * np.sin(2 * lam)
    units = {"lat": "degrees_north", "lon": "degrees_east"}
    coords = {n: (n, v, {"units": units[n]}) for n, v in (("lat", lat), ("lon", lon))}
    radius = 6371008.8
    return xr.DataArray(f, coords, ("lat", "lon"), "f"), by_lon / radius, by_lat / radius


@pytest.mark.parametrize("poles", [True, False])
@pytest.mark.parametrize("accuracy", [2, 4])
def test_errors_on_a_globe_cover_the_true_ones_up_to_the_poles(poles, accuracy):
    field, by_lon, by_lat = globe(poles=poles)
    found = field.grad(["lon", "lat"], metric="sphere", accuracy=accuracy, error=True, sigma=0.01)
    for name, true in (("df_dlon", by_lon), ("df_dlat", by_lat)):
        wrong = abs(found[name] - true)
        estimate = found[f"{name}_error"]
        assert (wrong <= estimate).mean() > 0.95
        assert (wrong <= estimate)[[0, -1]].mean() > 0.9
        assert (found[f"{name}_noise"] <= estimate).all()
        assert estimate.notnull().all()


def test_missing_values_are_boundaries_for_the_estimate_too():
    x = np.linspace(0, 6, 60)
    f = np.sin(x)
    f[[20, 23, 26, 27, 31]] = NAN  # runs of 20, 2, 2, 3 and 28 values
    da = xr.DataArray(f, {"x": x}, name="f")
    found = da.grad("x", skipna=True, error=True, sigma=0.1)
    xr.testing.assert_identical(found.df_dx.drop_attrs(), da.grad("x", skipna=True).drop_attrs())
    # A run has the estimate of its own axis, and none in which no wider window fits.
    alone = da[32:].grad("x", error=True, sigma=0.1)
    for name in alone:
        np.testing.assert_allclose(found[name][32:], alone[name], rtol=1e-12)
    assert found.df_dx_error[[21, 22, 24, 25]].isnull().all()
    assert found.df_dx_noise[[21, 22, 24, 25]].notnull().all()
    assert found.df_dx_error[[28, 29, 30]].notnull().all()
    true = abs(found.df_dx - np.cos(x))
    known = found.df_dx_error.notnull()
    assert (true <= found.df_dx_error).where(known, True).all()
    plain = da.grad("x", error=True)
    assert plain.df_dx_error.isnull()[plain.df_dx.isnull()].all()


@pytest.mark.parametrize("chunks", [{"x": 1}, {"x": 3}, {"x": 7, "y": 2}, {"x": -1}])
@pytest.mark.parametrize(
    "options",
    [
        {"accuracy": 4, "sigma": 0.1},
        {"periodic": True},
        {"skipna": True, "sigma": 0.1},
        {"deriv": 2},
    ],
)
def test_chunks_change_no_bit(chunks, options):
    rng = np.random.default_rng(4)
    f = rng.normal(size=(21, 4)).astype("f4")
    if options.get("skipna"):
        f[rng.random(f.shape) < 0.2] = NAN
    da = xr.DataArray(f, {"x": np.arange(21.0)}, ("x", "y"), "f")
    lazy = da.chunk(chunks).grad("x", error=True, **options)
    assert all(v.chunks for v in lazy.data_vars.values())
    xr.testing.assert_identical(lazy.compute(), da.grad("x", error=True, **options))


@pytest.mark.parametrize("order", ["x y z", "y x z", "y z x"])
def test_layouts_change_no_bit(order):
    rng = np.random.default_rng(4)
    da = xr.DataArray(rng.normal(size=(9, 20, 6)), dims=("y", "x", "z"), name="f")
    expected = da.grad("x", error=True).transpose(*order.split())
    turned = da.transpose(*order.split())
    copied = turned.copy(data=np.ascontiguousarray(turned.values))
    for form in (turned, copied, copied[::-1][::-1]):
        xr.testing.assert_equal(form.grad("x", error=True), expected)


def in_both_ways(order, options):
    """Errors by compiled loops and by NumPy, for a field with values of every kind."""
    rng = np.random.default_rng(8)
    f = rng.normal(size=(70, 5))
    f.ravel()[rng.integers(0, f.size, 12)] = [NAN] * 8 + [np.inf, -np.inf, 0.0, 1e30]
    f = f.astype(options.get("dtype", "f8")) * (1 + 1j if options.get("dtype") == "c16" else 1)
    x = NODES[options.get("kind", "uniform")](70)
    da = xr.DataArray(f, {"x": x}, ("x", "y"), "f").transpose(*order)
    da = da.copy(data=np.ascontiguousarray(da.values))
    names = {"dtype", "kind"}
    others = {name: value for name, value in options.items() if name not in names}
    return compiled_and_replaced(lambda: da.grad("x", error=True, **others))


@pytest.mark.compiled
@pytest.mark.parametrize("order", ["xy", "yx"])
def test_compiled_loops_have_the_same_bits(order):
    compiled, replaced = in_both_ways(order, {})
    xr.testing.assert_identical(compiled, replaced)
    # Both kinds are there: an error with a missing neighbour, and none at all.
    assert 0 < compiled.df_dx_error.isnull().mean() < 0.5


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("order", ["xy", "yx"])
@pytest.mark.parametrize(
    "options",
    [
        {"accuracy": 4, "kind": "jittered"},
        {"periodic": True},
        {"deriv": 2, "kind": "jittered"},
        {"accuracy": 3, "edge_order": 1},
        {"dtype": "c16"},
        {"dtype": "f4", "accuracy": 6},
    ],
)
def test_compiled_loops_have_the_same_bits_in_rare_cases(order, options):
    xr.testing.assert_identical(*in_both_ways(order, options))


# -- noise ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES)
def test_noise_is_that_of_many_samples(kind):
    x, rng = NODES[kind](30), np.random.default_rng(1)
    sigma = xr.DataArray(rng.uniform(0.5, 2, 30), {"x": x})
    data = xr.DataArray(rng.normal(size=(30, 20_000)), {"x": x}, ("x", "n"), "f") * sigma
    found = data.rename("f").isel(n=0).grad("x", accuracy=4, error=True, sigma=sigma)
    measured = data.grad("x", accuracy=4).std("n")
    np.testing.assert_allclose(found.df_dx_noise, measured, rtol=0.04)
    number = data.rename("f").isel(n=0).grad("x", accuracy=4, error=True, sigma=0.3)
    gain = xgradient.stencil(x, accuracy=4).noise_gain
    np.testing.assert_allclose(number.df_dx_noise, 0.3 * gain, rtol=1e-12)
    without = data.rename("f").isel(n=0).grad("x", accuracy=4, error=True).df_dx_error
    np.testing.assert_allclose(
        number.df_dx_error, np.hypot(without, number.df_dx_noise), rtol=1e-12
    )


def test_small_noise_of_float32_does_not_underflow():
    x = np.arange(20) * 1e5
    da = xr.DataArray(np.zeros(20, "f4"), {"x": x}, name="f")
    found = da.grad("x", deriv=4, error=True, sigma=1e-3)
    assert found.d4f_dx4_noise.dtype == "f4"
    gain = xgradient.stencil(x, deriv=4).noise_gain
    np.testing.assert_allclose(found.d4f_dx4_noise, 1e-3 * gain, rtol=1e-5)


# -- names, units and kinds of data -----------------------------------------------------------


def sample():
    attrs = {"units": "K", "standard_name": "air_temperature", "long_name": "temperature"}
    time = np.datetime64("2000-01-01", "ns") + np.arange(12) * np.timedelta64(1, "h")
    coord = ("time", time, {"standard_name": "time"})
    return xr.DataArray(np.sin(np.arange(12.0)), {"time": coord}, name="t", attrs=attrs)


def test_names_and_attributes():
    found = sample().grad("time", error=True, sigma=0.1, units="K day-1")
    assert list(found) == ["dt_dtime", "dt_dtime_error", "dt_dtime_noise"]
    assert found.dt_dtime.attrs == {
        "units": "K day-1",
        "long_name": "derivative of temperature with respect to time",
        "standard_name": "tendency_of_air_temperature",
        "ancillary_variables": "dt_dtime_error dt_dtime_noise",
    }
    assert found.dt_dtime_error.attrs == {
        "units": "K day-1",
        "long_name": "estimated error of derivative of temperature with respect to time",
    }
    assert found.dt_dtime_noise.attrs == {
        "units": "K day-1",
        "long_name": "standard error of derivative of temperature with respect to time",
        "standard_name": "tendency_of_air_temperature standard_error",
    }
    per_second = sample().grad("time", error=True)
    assert "dt_dtime_noise" not in per_second
    xr.testing.assert_allclose(found.dt_dtime, per_second.dt_dtime * 86400)
    per_second = sample().grad("time", error=True, sigma=0.1)
    xr.testing.assert_allclose(found.dt_dtime_error, per_second.dt_dtime_error * 86400)


def test_datasets_have_errors_of_every_field_and_coordinate():
    rng = np.random.default_rng(0)
    ds = xr.Dataset(
        {n: (("y", "x"), rng.normal(size=(8, 9)), {"units": "K"}) for n in ("a", "b")},
        {"y": np.arange(8.0), "x": np.arange(9.0)},
    )
    found = ds.grad(["x", "y"], error=True, sigma={"a": 0.1})
    parts = {"a": ("", "_error", "_noise"), "b": ("", "_error")}
    names = {f"d{n}_d{d}{part}" for n in parts for d in "xy" for part in parts[n]}
    assert set(found) == names
    one = ds.a.grad("y", error=True, sigma=0.1)
    for name in one:
        xr.testing.assert_identical(found[name].drop_attrs(), one[name].drop_attrs())
    named = ds.assign(s=0.1 * xr.ones_like(ds.a).assign_attrs(units="K")).grad(
        "y", error=True, sigma="s"
    )
    np.testing.assert_allclose(named.da_dy_noise, one.da_dy_noise, rtol=1e-12)
    assert set(named) == {f"d{n}_dy{part}" for n in "ab" for part in parts["a"]}
    tree = xr.DataTree.from_dict({"/": ds, "/child": ds[["a"]]})
    of_tree = tree.grad("x", error=True, sigma=0.1)
    xr.testing.assert_identical(of_tree["child"].da_dx_error, found.da_dx_error)


def test_standard_deviations_are_no_fields_unless_named():
    x = np.arange(12.0)
    ds = xr.Dataset({n: ("x", np.sin(k * x)) for k, n in enumerate("abst", 1)}, {"x": x})

    def fields(sigma, **options):
        found = ds.assign(s=abs(ds.s)).grad("x", error=True, sigma=sigma, **options)
        return "".join(name[1] for name in found if name.endswith("_dx"))

    assert fields("s") == "abt"
    assert fields("s", accuracy="auto") == "abt"
    assert fields({"a": "s", "b": 0.1}) == "abt"
    assert fields({"a": "s", "s": 0.1}) == "abst"
    assert fields(0.1) == "abst"


def test_standard_deviations_are_brought_to_the_units_of_the_data():
    da = xr.DataArray(np.sin(np.arange(9.0)), {"x": np.arange(9.0)}, name="f", attrs={"units": "m"})
    in_cm = xr.DataArray(10.0, attrs={"units": "cm"})
    found = da.grad("x", error=True, sigma=in_cm)
    expected = da.grad("x", error=True, sigma=0.1)
    np.testing.assert_allclose(found.df_dx_noise, expected.df_dx_noise, rtol=1e-12)


FIELD = xr.DataArray(np.arange(9.0) ** 2, {"x": np.arange(9.0)}, name="f", attrs={"units": "K"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error": 1}, "error is 1; give True or False"),
        ({"sigma": 0.1}, "sigma is for the error of a derivative; give error=True as well"),
        ({"error": True, "sigma": -1}, "sigma is -1; give a number or a variable .* at least 0"),
        ({"error": True, "sigma": NAN}, "sigma is nan"),
        ({"error": True, "sigma": [1.0]}, r"sigma is \[1.0\]; give a number or a variable"),
        ({"error": True, "sigma": FIELD.astype(complex)}, "sigma has dtype complex128"),
        ({"error": True, "sigma": FIELD.assign_coords(x=FIELD.x + 1)}, "other coordinates"),
        ({"error": True, "sigma": FIELD.rename(x="y")}, "sigma has the dimension 'y', which 'f' l"),
        ({"error": True, "sigma": FIELD.assign_attrs(units="m")}, "standard deviation"),
        ({"error": True, "smooth": (5, 2)}, "error compares two orders .* leave one of them out"),
        ({"error": True, "accuracy": 8}, "'x' has 9 points, but error needs 11 .* accuracy 10"),
        ({"error": True, "at": [2.5]}, "at does not go with error"),
        ({"error": True, "boundary": "even"}, "boundary does not go with error; leave one"),
        ({"error": True, "units": {"df_dx_error": "K"}}, "units are given for 'df_dx_error'"),
    ],
)
def test_refusals(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        FIELD.grad("x", **options)


def test_refusals_of_coordinates_and_names():
    heights = FIELD.expand_dims(y=3).assign_coords(z=(("y", "x"), np.arange(27.0).reshape(3, 9)))
    with pytest.raises(ValueError, match=r"'z' .*, but error is for coordinates of one"):
        heights.grad("z", along="x", error=True)
    with pytest.raises(ValueError, match="error is not for mixed derivatives"):
        heights.grad({"x": 1, "y": 1}, error=True)
    with pytest.raises(ValueError, match="sigma is 'g', but there is no such variable"):
        FIELD.to_dataset().grad("x", error=True, sigma="g")
