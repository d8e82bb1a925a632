"""The accessor: the operators as its methods, and options that are bound for many calls."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import operators

from .support.operations import sample

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "index.md"
FUNCTIONS = {**operators.OPERATORS, **operators.ON_CELLS}
METHODS = {name: "__call__" if name == "grad" else name for name in FUNCTIONS}


@pytest.fixture
def ds():
    return sample()


def public_functions(module):
    """The functions that a module defines for users."""
    return {
        name
        for name, obj in vars(module).items()
        if not name.startswith("_")
        and inspect.isfunction(obj)
        and obj.__module__ == module.__name__
    }


def test_every_operator_is_registered():
    modules = (
        getattr(operators, name) for name in ("gradient", "scalar", "tensor", "transport", "vector")
    )
    assert set().union(*map(public_functions, modules)) == set(operators.OPERATORS)
    assert list(FUNCTIONS) == operators.__all__


@pytest.mark.parametrize(("name", "method"), METHODS.items())
def test_the_accessor_has_every_operator(name, method):
    operator = FUNCTIONS[name]
    assert getattr(xgradient, name) is operator
    bound = getattr(xgradient.Grad, method)
    assert bound.__wrapped__ is operator
    taken, (first, *others) = (
        list(inspect.signature(bound).parameters),
        inspect.signature(operator).parameters,
    )
    assert first == "obj"
    assert taken == ["self", *others]
    assert "\nobj : " in inspect.getdoc(operator)
    assert "\nobj : " not in bound.__doc__


def test_the_accessor_has_nothing_else():
    methods = {n for n in dir(xgradient.Grad) if not n.startswith("_")}
    assert methods == set(FUNCTIONS) - {"grad"} | {"stencil", "with_options"}


def test_the_reference_lists_what_is_public():
    text = REFERENCE.read_text("utf-8")
    listed = re.findall(r"(?s):nosignatures:\n(.*?)```", text)
    names = re.findall(r"(?m)^   (\w+)$", "".join(listed))
    assert sorted(names) == sorted(set(xgradient.__all__) - {"__version__"})


@pytest.mark.parametrize("name", sorted(set(operators.OPERATORS) - {"grad"}))
def test_options_are_described_as_by_grad(name):
    def entries(function):
        section = inspect.getdoc(function).split("\nReturns\n")[0]
        return {m[1]: m[0] for m in re.finditer(r"(?m)^(\w+) : .*(?:\n    .*)+", section)}

    found, expected = entries(operators.OPERATORS[name]), entries(xgradient.grad)
    for option in operators.options.Options.__annotations__:
        assert found[option] == expected[option]


def test_bound_options_are_those_of_every_call(ds):
    grad = ds.grad.with_options(metric="sphere", accuracy=4)
    xr.testing.assert_identical(
        grad.curl(lon="u", lat="v"), ds.grad.curl(lon="u", lat="v", metric="sphere", accuracy=4)
    )
    field = ds.t.grad.with_options(metric="sphere")
    xr.testing.assert_identical(field("lat"), ds.t.grad("lat", metric="sphere"))
    xr.testing.assert_identical(
        field.magnitude(["lat", "lon"]), ds.t.grad.magnitude(["lat", "lon"], metric="sphere")
    )


def test_a_call_overrides_them_and_they_add_up(ds):
    grad = ds.t.grad.with_options(metric="sphere").with_options(edge_order=2)
    xr.testing.assert_identical(grad("lat"), ds.t.grad("lat", metric="sphere", edge_order=2))
    xr.testing.assert_identical(grad("lat", metric=None), ds.t.grad("lat", edge_order=2))
    # The accessor of the object itself has none.
    xr.testing.assert_identical(ds.t.grad("lat"), ds.t.copy().grad("lat"))


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"deriv": 2}, TypeError, "'deriv' is not an option that all operators have; give some of"),
        ({"skipnan": True}, TypeError, "'skipnan' is not an option .*; perhaps 'skipna' is meant"),
        ({"accuracy": 0}, ValueError, "accuracy is 0; give a whole number of at least 1"),
        ({"edge_order": 1.5}, TypeError, "edge_order is 1.5; give a whole number"),
        ({"skipna": 1}, TypeError, "skipna is 1; give True or False"),
        ({"metric": "spher"}, ValueError, "metric is 'spher'; perhaps 'sphere' is meant"),
        ({"metric": [3]}, TypeError, "metric is of type list"),
        ({"metric": {"lat": -1.0}}, ValueError, "scale factors must be positive"),
        ({"spacing": 0}, ValueError, "spacing of 'lat' is 0"),
        ({"spacing": {"lat": [1.0, 2.0]}}, ValueError, "spacing of 'lat' has 2"),
        ({"spacing": {"lot": 2.0}}, ValueError, "'lot' is no.* dimension"),
        ({"periodic": 3}, TypeError, "periodic is 3; give True, False"),
        ({"periodic": "lot"}, ValueError, "'lot' is no.* dimension"),
        ({"periodic": {"lon": "all"}}, TypeError, "the period of .*'lon' is 'all'; give a number"),
    ],
)
def test_they_are_checked_when_they_are_given(ds, options, error, told):
    with pytest.raises(error, match=told) as raised:
        ds.grad.with_options(**options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"spacing": 2.0, "periodic": True},
        {"spacing": {"time": [0.0, 1.0, 5.0], "longitude": 2.0}, "periodic": {"lon": 360}},
        {"spacing": None, "periodic": "auto", "edge_order": None, "metric": None},
        {"metric": {"lat": "h"}},
        {"metric": xgradient.Ellipsoid()},
        {"periodic": ["lon"]},
    ],
)
def test_what_a_call_takes_is_not_refused(ds, options):
    found = ds.grad.with_options(**options)("lat")
    xr.testing.assert_identical(found, ds.grad("lat", **options))


def test_dims_of_a_flow_may_have_any_name():
    flow = xr.DataArray(np.ones((3, 3)), dims=("y", "x"), name="u")
    found = flow.grad.with_options(spacing=2.0).divergence({"x": flow, "y": flow})
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("name", operators.OPERATORS)
def test_periodic_is_auto_where_none_is_given(name):
    parameter = inspect.signature(operators.OPERATORS[name]).parameters["periodic"]
    assert parameter.default == "auto"


@pytest.mark.parametrize("metric", [{"lon": 2.0, "lat": 3.0}, "sphere"])
def test_auto_is_none(ds, metric):
    calls = {
        "grad": lambda **o: ds.t.grad("lon", **o),
        "mixed": lambda **o: ds.t.grad({"lon": 1, "lat": 1}, **o | {"metric": None}),
        "magnitude": lambda **o: ds.t.grad.magnitude("lon", **o),
        "curl": lambda **o: ds.grad.curl(lon="u", lat="v", **o),
        "advection": lambda **o: ds.t.grad.advection(lon=ds.u, lat=ds.v, **o),
    }
    for call in calls.values():
        auto, none = (call(metric=metric, periodic=p) for p in ("auto", None))
        xr.testing.assert_identical(auto, none)
        xr.testing.assert_identical(call(metric=metric), none)
