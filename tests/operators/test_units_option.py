"""``units=``: results in the units that a call asks for, by stencils that have the factor."""

from __future__ import annotations

import re
import subprocess
import sys
from math import pi

import numpy as np
import pint
import pytest
import xarray as xr

import xgradient
from xgradient.operators import OPERATORS

from ..support.backends import library
from ..support.labelled_fields import on_globe, whole
from ..support.operations import OPERATIONS, OPERATIONS_OF_LIBRARIES, sample, with_data

RADIUS = 6371008.8
#: Operations whose results have units of their own; interpolated fields keep theirs.
WITH_UNITS = [
    case
    for case in OPERATIONS_OF_LIBRARIES
    if not getattr(case, "values", case)[0].startswith("interpolate")
]


def variables(result):
    """The results as DataArrays by name."""
    return {result.name: result} if isinstance(result, xr.DataArray) else dict(result.data_vars)


def asking(monkeypatch, units):
    """Make every accessor ask for these units."""

    def init(self, obj):
        self._obj, self._options = obj, {"units": units}

    monkeypatch.setattr(xgradient.Grad, "__init__", init)


def field():
    """A temperature along metres, which rises by a kelvin per metre."""
    x = xr.Variable("x", np.arange(6.0), {"units": "m"})
    return xr.DataArray(np.arange(6.0), {"x": x}, name="t", attrs={"units": "K"})


# Every operator


@pytest.mark.parametrize(("name", "kind"), WITH_UNITS)
def test_every_operator_in_other_units(monkeypatch, name, kind):
    """Each result is in a unit of its own: 4, 5, … of what it is without ``units``."""
    with library(kind) as xp:
        ds = with_data(sample(holes="coasts" in name), xp.asarray)
        plain = variables(OPERATIONS[name](ds))
        assert all("units" in da.attrs for da in plain.values())
        # Estimates of errors have the units of their derivatives.
        own = [n for n in plain if not str(n).endswith(("_error", "_noise"))]
        factors = {n: 4 + i for i, n in enumerate(own)}
        units = {n: f"({factor} {plain[n].units})" for n, factor in factors.items()}
        asking(monkeypatch, units)
        found = variables(OPERATIONS[name](ds.copy()))  # accessors are kept
        assert found.keys() == plain.keys()
        for n, da in found.items():
            of = n if n in own else n.rpartition("_")[0]
            assert da.attrs == {**plain[n].attrs, "units": units[of]}
            expected = xp.numpy(plain[n].data) / factors[of]
            largest = np.nanmax(np.abs(expected))
            ours = xp.numpy(da.data)
            np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=2e-15 * largest)
            assert ours.dtype == expected.dtype
            assert type(da.data) is type(plain[n].data)


def test_the_table_has_every_operator():
    for name in OPERATORS:
        assert any(re.match(rf"{name}\b", key) for key in OPERATIONS), name


@pytest.mark.parametrize("dtype", ["f4", "c8", "i4"])
@pytest.mark.parametrize("name", ["grad, along time", "strain", "grad, levels", "laplacian"])
def test_types_are_kept(monkeypatch, name, dtype):
    plain = variables(OPERATIONS[name](sample(dtype)))
    asking(monkeypatch, {n: f"({4 + i} {da.units})" for i, (n, da) in enumerate(plain.items())})
    for i, (n, da) in enumerate(variables(OPERATIONS[name](sample(dtype))).items()):
        assert da.dtype == plain[n].dtype
        largest = np.abs(plain[n]).max()
        rtol = 1e-12 if da.dtype.itemsize >= 8 and dtype == "i4" else 1e-5
        np.testing.assert_allclose(da, plain[n] / (4 + i), rtol=rtol, atol=1e-6 * float(largest))


def test_dask_runs_as_many_tasks_as_without():
    da = field().chunk(x=2)
    for call in ({}, {"metric": {"x": 2.0}}):
        plain, asked = (da.grad("x", **call, **units) for units in ({}, {"units": "K km-1"}))
        assert len(asked.__dask_graph__()) == len(plain.__dask_graph__())
    for result in (da.grad.laplacian(), da.grad.laplacian(units="K km-2")):
        assert len(result.__dask_graph__()) == len(da.grad.laplacian().__dask_graph__())


# Numbers by hand


@pytest.mark.parametrize(
    ("units", "value"),
    [
        ("K (100 km)-1", 1e5),
        ("K/(100 km)", 1e5),
        ("degC km-1", 1e3),
        ("degF m-1", 1.8),
        ("mK m-1", 1e3),
        ("1e-5 K m-1", 1e5),
        ("10^-5 K m-1", 1e5),
        ("2 K m-1", 0.5),
        ("K  m-1", 1.0),
        ("kelvin per mile", 1609.344),
    ],
)
def test_one_kelvin_per_metre(units, value):
    result = field().grad("x", units=units)
    np.testing.assert_allclose(result, value, rtol=2e-16 * 4)
    assert result.units == units


def test_kelvins_per_day():
    time = np.datetime64("2000-01-01") + np.arange(4) * np.timedelta64(6, "h")
    t = xr.DataArray([0.0, 1, 2, 3], {"time": time}, name="t", attrs={"units": "degC"})
    assert t.grad("time", units="K day-1").values.tolist() == [4, 4, 4, 4]
    assert t.grad("time", deriv=2, units="K d-2").units == "K d-2"


def test_numbers_without_units():
    slope = field().assign_attrs(units="m").grad("x", units="percent")
    assert (slope.values == 100).all()
    assert (field().assign_attrs(units="m").grad("x", units="m km-1").values == 1000).all()
    assert (field().assign_attrs(units="m").grad("x", units="").values == 1).all()
    assert (field().assign_attrs(units="1e-3").grad("x", units="km-1").values == 1).all()
    angle = field().assign_attrs(units="radian").grad("x", units="degree m-1")
    np.testing.assert_allclose(angle, 180 / pi, rtol=1e-15)


def test_words_that_are_not_units_must_cancel():
    salt = field().assign_attrs(units="psu")
    assert (salt.grad("x", units="psu (100 km)-1").values == 1e5).all()
    with pytest.raises(
        ValueError, match="has the units 'psu m-1', which cannot be converted to 'g"
    ):
        salt.grad("x", units="g kg-1 m-1")


def test_fields_on_a_globe():
    f = on_globe(units="K")
    per_metre, asked = (
        f.grad.magnitude(metric="sphere", **units) for units in ({}, {"units": "K (100 km)-1"})
    )
    np.testing.assert_allclose(asked, per_metre * 1e5, rtol=1e-14)
    second = f.grad("lat", metric="sphere", deriv=2, units="K (1000 km)-2")
    np.testing.assert_allclose(second[1:-1], 2 * (180 / pi) ** 2 / (RADIUS / 1e6) ** 2, rtol=1e-9)


def test_several_results():
    flow = sample()
    spin = {"okubo_weiss": "day-2", "total_deformation": "day-1"}
    plain, asked = (
        flow.grad.strain(lon="u", lat="v", metric="sphere", **units)
        for units in ({}, {"units": spin})
    )
    for name, factor in (("okubo_weiss", 86400**2), ("total_deformation", 86400)):
        scale = float(np.abs(plain[name]).max()) * factor
        np.testing.assert_allclose(
            asked[name], plain[name] * factor, rtol=1e-12, atol=1e-15 * scale
        )
    assert asked.normal_deformation.identical(plain.normal_deformation)
    one = flow.grad.jacobian(lon="u", lat="v", metric="sphere", units="(100 km)-1 m s-1")
    assert {da.units for da in one.values()} == {"(100 km)-1 m s-1"}
    both = flow[["u", "t"]].grad("lat", metric="sphere", units={"du_dlat": "day-1"})
    assert (both.du_dlat.units, both.dt_dlat.units) == ("day-1", "K m-1")


def test_names_are_for_the_nodes_of_a_tree_that_have_them():
    tree = xr.DataTree.from_dict(
        {"/a": field().to_dataset(), "/b": field().rename("s").to_dataset()}
    )
    found = tree.grad("x", units={"dt_dx": "K km-1", "ds_dx": "K cm-1"})
    assert (found["a/dt_dx"].units, found["b/ds_dx"].units) == ("K km-1", "K cm-1")
    assert tree.grad("x", units="mK m-1")["b/ds_dx"].units == "mK m-1"
    with pytest.raises(ValueError, match=r"'dq_dx', which is no result .*; there are 'ds_dx', 'dt"):
        tree.grad("x", units={"dq_dx": "m"})


def test_units_are_bound_to_an_accessor():
    grad = field().grad.with_options(units="K km-1")
    assert grad("x").units == "K km-1"
    assert grad("x", units="K m-1").units == "K m-1"
    assert "units='K km-1'" in repr(grad)


# Units of pint


def test_units_of_pint_are_written_as_cf():
    registry = pint.UnitRegistry()
    registry.define("smoot = 1.7018 meter")
    for unit, text, value in [
        (registry.Unit("kelvin / kilometer"), "K km-1", 1e3),
        (registry.Unit("delta_degF / meter"), "°F m-1", 1.8),
        (registry.Unit("degC") / registry.Unit("m"), "K m-1", 1.0),
        (registry.Unit("K / smoot"), "K smoot-1", 1.7018),
    ]:
        result = field().grad("x", units=unit)
        assert result.units == text
        np.testing.assert_allclose(result, value, rtol=1e-15)
        assert isinstance(result.data, np.ndarray)
    named = field().grad("x", units={"dt_dx": registry.Unit("K/km")})
    assert named.units == "K km-1"
    with pytest.raises(ValueError, match="'K m-1', which cannot be converted to 'kelvin / second'"):
        field().grad("x", units=registry.Unit("K/s"))


@pytest.mark.slow
def test_text_imports_no_pint():
    code = (
        "import sys; sys.modules['pint'] = None\n"
        "import numpy as np, xarray as xr, xgradient\n"
        "x = xr.Variable('x', np.arange(4.0), {'units': 'm'})\n"
        "t = xr.DataArray(np.arange(4.0), {'x': x}, attrs={'units': 'degC'})\n"
        "assert (t.grad('x', units='K (100 km)-1').values == 1e5).all()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# What is refused

CASES = {
    "another dimension": (
        lambda: field().grad("x", units="K s-1"),
        ("'dt_dx' has the units 'K m-1', which cannot be converted to 'K s-1'; give units of the "
        "same dimension, by name of the result if there are several"),
    ),
    "one text for several": (
        lambda: sample().grad.strain(lon="u", lat="v", metric="sphere", units="day-1"),
        ("'okubo_weiss' has the units 's-2', which cannot be converted to 'day-1'; give units of "
        "the same dimension, by name of the result if there are several"),
    ),
    "by name": (
        lambda: field().grad("x", units={"dt_dx": "m"}),
        ("'dt_dx' has the units 'K m-1', which cannot be converted to 'm'; give units of the same "
        "dimension"),
    ),
    "an unreadable text": (
        lambda: field().grad("x", units="K//m"),
        ("'dt_dx' has the units 'K m-1', which cannot be converted to 'K//m'; write them as "
        "UDUNITS does, e.g. 'K (100 km)-1'"),
    ),
    "unknown units": (
        lambda: field().drop_attrs(deep=False).grad("x", units="K m-1"),
        ("'dt_dx' cannot be converted to 'K m-1', since the data or a coordinate have no units; "
        "set their attribute units"),
    ),
    "a misspelt name": (
        lambda: field().grad("x", units={"dt_dX": "K km-1"}),
        ("units are given for 'dt_dX', which is no result of this call; perhaps 'dt_dx' is meant; "
        "there are 'dt_dx'"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    call, sentence = CASES[case]
    with pytest.raises(ValueError, match=whole(sentence)):
        call()


def test_a_table_of_stencils_has_the_units_of_its_coordinate():
    with pytest.raises(ValueError, match="but a table of stencils is in units of the coordinate"):
        field().grad.with_options(units="m").stencil("x")


@pytest.mark.parametrize("units", [1, ["K"], {"dt_dx": 1}, pint.Quantity(1.0, "K")])
def test_units_of_another_type(units):
    sentence = "give a text such as 'K km-1', a unit of pint, or a mapping from names of results"
    for call in (field().grad, field().grad.with_options):
        with pytest.raises(TypeError, match=f"^units is .*; {sentence} to these$"):
            call(**({"dim": "x"} if call == field().grad else {}), units=units)


@pytest.mark.parametrize("text", ["K (1e999 m)-1", "(" * 11 + ")" * 11, "K " * 600, "0 K", "K 1"])
def test_odd_texts_are_refused(text):
    with pytest.raises(ValueError, match="which cannot be converted to"):
        field().grad("x", units=text)
