"""The accuracy that suits data, against the best of all fixed ones on fields of known noise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

CHOICES = [2, 4, 6, 8, *((w, d) for w in (5, 7, 9, 11, 15, 21, 31) for d in (2, 4) if d < w - 1)]
X = np.linspace(0, 10, 120)


def noisy_field(seed, sigma, x=X):
    """Twenty samples of a sum of waves with noise, and the true derivative."""
    rng = np.random.default_rng(seed)
    numbers, phases = rng.integers(1, 7, (3, 1)), rng.uniform(0, 2 * np.pi, (3, 1))
    k, sizes = 0.63 * numbers, rng.normal(size=3) / numbers[:, 0]
    noise = rng.normal(scale=sigma, size=(20, len(x)))
    field = xr.DataArray(sizes @ np.sin(k * x + phases) + noise, {"x": x}, ("y", "x"), "f")
    return field, sizes @ (k * np.cos(k * x + phases))


def true_error(field, slope, choice):
    options = {"smooth": choice} if isinstance(choice, tuple) else {"accuracy": choice}
    return float(np.sqrt(((field.grad("x", **options) - slope) ** 2).mean()))


@pytest.mark.parametrize("kind", ["uniform", "non-uniform"])
@pytest.mark.parametrize("sigma", [1e-6, 1e-4, 1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_choice_is_within_a_fifth_of_the_best(seed, sigma, kind):
    x = X if kind == "uniform" else X + 0.02 * np.sin(7 * X)
    field, slope = noisy_field(seed, sigma, x)
    errors = {choice: true_error(field, slope, choice) for choice in CHOICES}
    chosen = xgradient.choose_accuracy(field, "x", sigma=sigma)
    assert errors[chosen] <= 1.2 * min(errors.values())
    # The worst choices are much worse, so that the comparison can fail.
    assert max(errors.values()) > 5 * min(errors.values())


def test_without_noise_high_orders_and_with_noise_wide_windows():
    assert xgradient.choose_accuracy(noisy_field(1, 0)[0], "x") == 8
    window, _ = xgradient.choose_accuracy(noisy_field(1, 0.1)[0], "x", sigma=0.1)
    assert window > 9


def test_auto_takes_the_choice_and_writes_it_down():
    field, _ = noisy_field(1, 0.1)
    chosen = xgradient.choose_accuracy(field, "x", sigma=0.1)
    found = field.grad("x", accuracy="auto", sigma=0.1)
    assert found.attrs["xgradient_accuracy"] == f"smooth={chosen}"
    xr.testing.assert_equal(found, field.grad("x", smooth=chosen))
    with_error = field.grad("x", accuracy="auto", sigma=0.1, error=True)
    accuracy = with_error.df_dx.attrs["xgradient_accuracy"]
    expected = field.grad("x", accuracy=accuracy, sigma=0.1, error=True)
    xr.testing.assert_equal(with_error, expected)
    smooth, _ = noisy_field(2, 0)
    ds = xr.Dataset({"a": field, "b": smooth, "c": ("z", [1.0, 2.0])})
    both = ds.grad("x", accuracy="auto", sigma={"a": 0.1})
    assert list(both) == ["da_dx", "db_dx"]
    assert both.da_dx.attrs["xgradient_accuracy"] == f"smooth={chosen}"
    assert both.db_dx.attrs["xgradient_accuracy"] == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accuracy": "best"}, "accuracy is 'best'; give a whole number or 'auto'"),
        ({"accuracy": "auto", "smooth": (5, 2)}, "smooth does not go with accuracy='auto'"),
        ({"accuracy": "auto", "edge_order": 2}, "edge_order does not go with accuracy='auto'"),
        ({"accuracy": "auto", "to": "left"}, "to does not go with accuracy='auto'"),
        ({"accuracy": "auto", "positions": {}}, "positions does not go with accuracy='auto'"),
    ],
)
def test_refusals(options, message):
    field, _ = noisy_field(1, 0)
    with pytest.raises((TypeError, ValueError), match=message):
        field.grad("x", **options)


def test_lazy_data_are_refused_with_a_remedy_that_works():
    field, _ = noisy_field(1, 0.1)
    with pytest.raises(TypeError, match=r"'f' is lazy.* call xgradient\.choose_accuracy"):
        field.chunk(y=5).grad("x", accuracy="auto")
    with pytest.raises(TypeError, match="sample is lazy"):
        xgradient.choose_accuracy(field.chunk(y=5), "x")
    choice = xgradient.choose_accuracy(field[:5], "x", sigma=0.1)
    assert field.chunk(y=5).grad("x", smooth=choice).chunks
    with pytest.raises(TypeError, match="give a DataArray of the Dataset"):
        xgradient.choose_accuracy(field.to_dataset(), "x")
    with pytest.raises(TypeError, match="accuracy='auto' is for one name"):
        field.grad(["x", "y"], accuracy="auto")
