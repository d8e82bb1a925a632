"""JAX: traced, compiled and differentiated calls."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from xgradient import gradient

from ..support.backends import library
from ..support.strategies import NODES, make_field

jax = pytest.importorskip("jax")
jnp = jax.numpy

OPTIONS = [
    {},
    {"spacing": 0.25, "edge_order": 2},
    {"spacing": NODES["jittered"](9)},
    {"spacing": NODES["stretched"](9), "accuracy": 4},
    {"deriv": 2, "accuracy": 4, "periodic": True},
    {"deriv": 3, "spacing": NODES["alternating"](9)},
    {"skipna": True, "edge_order": 2},
    {"skipna": True, "spacing": NODES["jittered"](9), "accuracy": 4},
    {"skipna": True, "periodic": True},
]
CASES = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "none")


@pytest.fixture(autouse=True)
def double():
    with library("jax"):
        yield


def matrix(n, **options):
    """The derivative as a matrix, column by column: what NumPy makes of each unit vector."""
    return gradient(np.eye(n), dim=0, **{k: [v] if k == "spacing" and np.ndim(v) else v
                                         for k, v in options.items()})[0]  # fmt: skip


def first(values, options):
    return gradient(values, dim=0, **options)[0]


@CASES
def test_the_gradient_is_the_transpose(options):
    field, wanted = make_field((9, 4)), make_field((9, 4), seed=1)

    def loss(values):
        return (first(values, options) * wanted).sum()

    expected = matrix(9, **options).T @ wanted
    for function in (jax.grad(loss), jax.jit(jax.grad(loss))):
        found = np.asarray(function(jnp.asarray(field)))
        assert np.abs(found - expected).max() <= 1e-14 * np.abs(expected).max()


@CASES
def test_both_modes_of_differentiation_give_the_matrix(options):
    field = jnp.asarray(make_field((9,)))
    for mode in (jax.jacfwd, jax.jacrev):
        found = mode(lambda values: first(values, options))(field)
        exact = matrix(9, **options)
        assert np.abs(np.asarray(found) - exact).max() <= 1e-14 * np.abs(exact).max()


def test_second_derivatives_with_respect_to_the_field():
    def energy(values):
        return (gradient(values)[0] ** 2).sum() / 2

    d = matrix(9)
    found = jax.hessian(energy)(jnp.asarray(make_field((9,))))
    assert np.abs(np.asarray(found) - d.T @ d).max() <= 1e-14


@CASES
def test_compiled_calls_have_the_same_values(options):
    field = make_field((9, 4), "f4")
    found = jax.jit(lambda values: first(values, options))(field)
    expected = gradient(field, dim=0, **options)[0]
    assert found.dtype == expected.dtype
    # Compiled as a whole, products and sums may be contracted.
    assert np.abs(np.asarray(found) - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("options", [o for o in OPTIONS if "skipna" in o], ids=str)
def test_compiled_calls_end_at_missing_values(options, double):
    # A compiler may take 0 * nan for 0, which is no missing value.
    field = make_field((9, 40), "f8" if double else "f4")
    field[np.random.default_rng(2).random(field.shape) < 0.2] = np.nan
    expected = gradient(field, dim=0, **options)[0]
    with jax.enable_x64(double):
        for call in (first, jax.jit(first, static_argnums=1)):
            found = np.asarray(call(jnp.asarray(field), Frozen(options)))
            assert found.dtype == expected.dtype
            assert np.array_equal(np.isnan(found), np.isnan(expected))
            limit = 8 * np.finfo(field.dtype).eps * np.nanmax(np.abs(expected))
            assert np.nanmax(np.abs(found - expected)) <= limit


class Frozen(dict):
    """Options that JAX may tell apart from others by what they are."""

    def __hash__(self):
        return id(self)


def test_mapped_calls():
    field = jnp.asarray(make_field((5, 9)))
    found = jax.vmap(lambda row: gradient(row, spacing=0.5, accuracy=4)[0])(field)
    assert np.array_equal(found, gradient(field, spacing=0.5, accuracy=4, dim=1)[0])


def test_no_gradient_comes_from_missing_values():
    values = make_field((9,))
    values[3] = np.nan

    def loss(values):
        return jnp.nansum(gradient(values, skipna=True)[0])

    assert not jnp.isnan(jax.grad(loss)(jnp.asarray(values))).any()


def test_a_dataarray_keeps_its_library():
    field = make_field((6, 9))
    da = xr.DataArray(jnp.asarray(field), dims=("y", "x"), name="t")
    plain = da.copy(data=field)
    for found, expected in (
        (da.grad("x", accuracy=4), plain.grad("x", accuracy=4)),
        (da.grad.laplacian(), plain.grad.laplacian()),
        (da.grad.magnitude(), plain.grad.magnitude()),
    ):
        assert isinstance(found.data, jax.Array)
        assert found.attrs == expected.attrs
        assert np.abs(np.asarray(found.data) - expected.values).max() < 1e-14


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_floats_are_rounded_once(dtype):
    field = jnp.asarray(make_field((9, 5))).astype(dtype)
    for options in OPTIONS[:3]:
        found, single = first(field, options), first(field.astype("float32"), options)
        assert found.dtype == dtype
        assert (found == single.astype(dtype)).all()


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "uint8"])
def test_whole_numbers_become_what_there_is(dtype):
    values = np.array([9, 6, 1, 0, 3]).astype(dtype)
    with jax.enable_x64(False):
        (found,) = gradient(jnp.asarray(values))
        assert found.dtype == "float32"
    assert found.tolist() == gradient(values)[0].tolist()
    assert gradient(jnp.asarray(values))[0].dtype == "float64"


def test_positions_on_the_device():
    x = jnp.asarray([0.0, 1, 3, 4])
    (found,) = gradient(jnp.asarray([0.0, 1, 9, 16]), spacing=x)
    assert found.tolist() == gradient(np.array([0.0, 1, 9, 16]), spacing=np.asarray(x))[0].tolist()


def test_positions_that_are_traced():
    sentence = "spacing is a .*DynamicJaxprTracer, whose values cannot be read now; give numbers"
    with pytest.raises(TypeError, match=f"^{sentence} or a NumPy array"):
        jax.jit(lambda x: gradient(x, spacing=x)[0])(jnp.arange(4.0))


ON_TWO_DEVICES = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import jax, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
import xgradient
field = np.arange(80, dtype="f4").reshape(8, 10) ** 2
mesh = jax.make_mesh((2,), ("x",), axis_types=(AxisType.Auto,))
for parts in (("x", None), (None, "x")):
    there = jax.device_put(field, NamedSharding(mesh, PartitionSpec(*parts)))
    uneven = np.array([0, 1, 3, 4, 6, 7, 9, 12.0])
    for options in ({"spacing": 0.5}, {"spacing": [uneven], "dim": 0}, {"dim": 1, "skipna": True}):
        for a, b in zip(xgradient.gradient(there, **options), xgradient.gradient(field, **options)):
            assert np.allclose(a, b)
"""


def test_arrays_on_several_devices():
    command = [sys.executable, "-c", ON_TWO_DEVICES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_fields_of_different_libraries():
    u = xr.DataArray(make_field((4, 5)), dims=("y", "x"), name="u")
    v = u.copy(data=jnp.asarray(u.values))
    sentence = (
        r"the fields are arrays of different libraries, numpy\.ndarray and "
        r"jaxlib\.\S+; bring them to the same one first"
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        xr.Dataset({"u": u, "v": v}).grad.divergence(x="u", y="v")
    with pytest.raises(TypeError, match=re.compile("^the fields are arrays of different")):
        xr.Dataset({"u": u.chunk(2), "v": v}).grad.divergence(x="u", y="v")
