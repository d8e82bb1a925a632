"""Quantities of pint: every operator takes them and gives them, and computes on the magnitudes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pint
import pytest
import xarray as xr
from pint.registry import LazyRegistry

import xgradient
from xgradient.labels.pint_units import difference_unit, to_cf_text, to_pint_unit

from ..support.backends import library
from ..support.labelled_fields import whole
from ..support.operations import (
    OPERATIONS,
    OPERATIONS_OF_LIBRARIES,
    curved,
    in_plane,
    layered,
    on_c_grid,
    sample,
    with_data,
)
from ..support.quantities import pint_unit, quantify, registry

UNITS = registry()


def variables(result):
    """The results as DataArrays by name."""
    return {result.name: result} if isinstance(result, xr.DataArray) else dict(result.data_vars)


def magnitude(da):
    """The array inside a quantity."""
    assert isinstance(da.variable._data, pint.Quantity)
    return da.variable._data.magnitude


def field(units="degC", **attrs):
    """A temperature that rises by a degree per metre."""
    x = xr.Variable("x", np.arange(6.0), {"units": "m"})
    return xr.DataArray(UNITS.Quantity(np.arange(6.0), units), {"x": x}, ["x"], "t", attrs)


def wind(u="m/s", v="m/s"):
    """The flow of the table, with components in these units."""
    ds = sample()
    data = {n: UNITS.Quantity(ds[n].values, "m/s").to(unit) for n, unit in (("u", u), ("v", v))}
    return ds[["u", "v"]].assign({n: (ds[n].dims, q) for n, q in data.items()})


# Every operator


@pytest.mark.parametrize(("name", "kind"), OPERATIONS_OF_LIBRARIES)
def test_every_operator(name, kind):
    """Magnitudes have the bits of results without quantities, and pint's units are theirs."""
    with library(kind) as xp:
        ds = with_data(sample(holes="coasts" in name), xp.asarray)
        found, plain = (variables(OPERATIONS[name](d)) for d in (quantify(ds, UNITS), ds))
        assert found.keys() == plain.keys()
        for n, da in found.items():
            data = da.variable._data
            assert data._REGISTRY is UNITS
            assert data.units == pint_unit(plain[n].units, UNITS)
            assert type(data.magnitude) is type(plain[n].data)
            ours, expected = xp.numpy(data.magnitude), xp.numpy(plain[n].data)
            assert ours.dtype == expected.dtype
            np.testing.assert_array_equal(ours, expected)
            assert da.attrs == {k: v for k, v in plain[n].attrs.items() if k != "units"}
            assert list(da.coords) == list(plain[n].coords)


@pytest.mark.parametrize("coords", ["index", "all"])
@pytest.mark.parametrize("units", ["pint", "metpy"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_coordinates_that_are_quantities(name, units, coords):
    """They have a PintIndex, or several dimensions; results have them as they are."""
    units = registry(units)
    prepared = {"curved": curved, "layered": layered, "in_plane": in_plane, "on_c_grid": on_c_grid}

    def operate(make):
        # What the table derives from a sample is made of quantities too.
        ds = sample(holes="coasts" in name)
        with pytest.MonkeyPatch.context() as patch:
            for helper, function in prepared.items():
                patch.setitem(
                    OPERATIONS[name].__globals__, helper, lambda d, f=function: make(f(plain_of(d)))
                )
            return variables(OPERATIONS[name](make(ds)))

    def plain_of(ds):
        return sample(holes="coasts" in name)

    found = operate(lambda ds: quantify(ds, units, coords))
    plain = operate(lambda ds: ds)
    for n, da in found.items():
        np.testing.assert_array_equal(magnitude(da), plain[n].values)
        assert da.variable._data.units == pint_unit(plain[n].units, units)
        kept = [c for c in da.coords if isinstance(da.coords[c].variable._data, pint.Quantity)]
        if coords == "all":
            # Coordinates that the call makes, such as those of faces, have text.
            given = {c for c in plain[n].coords if c in every_coordinate()}
            assert set(kept) == {c for c in given if "units" in plain[n][c].attrs}
        assert set(da.coords) == set(plain[n].coords)
        for c in set(kept) & set(da.xindexes):
            assert type(da.xindexes[c]).__name__ == "PintIndex"


@cache
def every_coordinate():
    """Return the names of the coordinates of the table's samples."""
    ds = sample()
    return {
        c for make in (lambda d: d, curved, layered, in_plane, on_c_grid) for c in make(ds).coords
    }


def in_chunks(**kwargs):
    dask = pytest.importorskip("dask.array")
    values = dask.from_array(np.arange(6.0), chunks=2)
    return field(**kwargs).copy(data=UNITS.Quantity(values, "degC"))


def test_nothing_is_computed_or_copied():
    def refuse(*args, **kwargs):
        raise AssertionError("computed")

    import dask

    with dask.config.set(scheduler=refuse):
        lazy = in_chunks().grad("x", units="K km-1")
        assert lazy.chunks == ((2, 2, 2),)
    assert lazy.compute().data.units == UNITS.Unit("K/km")
    values = np.arange(6.0)
    values.flags.writeable = False
    seen = []

    def spy(array, requests):
        seen.append(array)
        return derivatives(array, requests)

    derivatives = sys.modules["xgradient.operators.derivatives"].derivatives
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xgradient.operators.derivatives.derivatives", spy)
        field().copy(data=UNITS.Quantity(values, "K")).grad("x")
    assert seen[0] is values


# Units


@pytest.mark.parametrize(
    ("units", "deriv", "expected"),
    [
        ("degC", 1, "delta_degC / m"),
        ("degC", 2, "delta_degC / m ** 2"),
        ("degF", 1, "delta_degF / m"),
        ("K", 1, "K / m"),
        ("m", 1, ""),
        ("", 1, "1 / m"),
        ("hPa", 1, "hPa / m"),
        ("m ** 0.5", 1, "m ** -0.5"),
    ],
)
def test_units_of_derivatives(units, deriv, expected):
    assert field(units).grad("x", deriv=deriv).data.units == UNITS.Unit(expected)


def test_coordinates_of_every_kind():
    t = field("K")
    time = t.assign_coords(x=np.datetime64("2000-01-01") + t.x.values.astype("m8[h]"))
    assert time.grad("x").data.units == UNITS.Unit("K/s")
    days = t.assign_coords(x=t.x.assign_attrs(units="days since 2000-01-01"))
    assert days.grad("x").data.units == UNITS.Unit("K/day")
    assert t.drop_vars("x").grad("x").data.units == UNITS.Unit("K")
    accelerations = t.assign_coords(x=t.x.assign_attrs(units="mGal"))
    assert accelerations.grad("x").data.units == UNITS.Unit("K / milligalileo")
    warm = t.assign_coords(x=t.x.assign_attrs(units="degC"))
    assert warm.grad("x").data.units == UNITS.Unit("K/K")


def test_units_that_a_registry_defines():
    own = pint.UnitRegistry()
    own.define("smoot = 1.7018 meter")
    x = quantify(xr.DataArray(np.arange(4.0), dims="x", attrs={"units": "K"}), own)
    index = xr.DataArray(np.arange(4.0), dims="x", attrs={"units": "smoot"})
    x = quantify(x.drop_attrs().assign_coords(x=index), own, "index")
    assert x.grad("x").data.units == own.Unit("K/smoot")
    result = x.grad("x", units="K m-1")
    np.testing.assert_allclose(result.data.magnitude, 1 / 1.7018, rtol=1e-15)


def test_units_that_are_asked_for():
    in_km = field().grad("x", units="K km-1")
    assert in_km.data.units == UNITS.Unit("K/km")
    np.testing.assert_allclose(magnitude(in_km), 1000, rtol=1e-15)
    by_unit = field().grad("x", units=UNITS.Unit("degF/m"))
    assert by_unit.data.units == UNITS.Unit("delta_degF/m")
    np.testing.assert_allclose(magnitude(by_unit), 1.8, rtol=1e-15)
    assert field().grad("x", units={"dt_dx": "mK m-1"}).data.units == UNITS.Unit("mK/m")
    with pytest.raises(
        ValueError, match=r"units 'K \(100 km\)-1' have the number 100, which units"
    ):
        field().grad("x", units="K (100 km)-1")
    with pytest.raises(ValueError, match="'delta_degree_Celsius / meter', which cannot be conve"):
        field().grad("x", units="K s-1")


CALLS = {
    "divergence": lambda ds: ds.grad.divergence(lon="u", lat="v", metric="sphere"),
    "curl": lambda ds: ds.grad.curl(lon="u", lat="v", metric="sphere"),
    "jacobian": lambda ds: ds.grad.jacobian(lon="u", lat="v", metric="sphere"),
    "strain": lambda ds: ds.grad.strain(lon="u", lat="v", metric="sphere"),
    "directional": lambda ds: sample().t.grad.directional(lon=ds.u, lat=ds.v, metric="sphere"),
    "advection": lambda ds: sample().t.grad.advection(lon=ds.u, lat=ds.v, metric="sphere"),
    "components": lambda ds: xgradient.curl(lon=ds.u, lat=ds.v, metric="sphere"),
    "a mapping": lambda ds: xgradient.divergence({"lon": ds.u, "lat": ds.v}, metric="sphere"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("units", [("knot", "m/s"), ("m/s", "knot"), ("km/hour", "knot")])
def test_components_are_brought_to_one_unit(name, units):
    found = variables(CALLS[name](wind(*units)))
    expected = variables(CALLS[name](wind()))
    for n, da in expected.items():
        if name == "directional":  # a derivative of plain data by a direction
            unit, ours, theirs = da.units, found[n].values, da.values
        else:
            unit = da.data.units
            ours, theirs = found[n].data.to(unit).magnitude, magnitude(da)
        atol = 1e-11 * np.nanmax(np.abs(theirs)) + 1e-20
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=atol)


@pytest.mark.parametrize("name", ["jacobian", "strain", "directional"])
def test_so_are_components_in_text(name):
    ds = sample()
    knots = ds.assign(u=(ds.u * 3600 / 1852).assign_attrs(units="knot"))
    calls = dict(
        CALLS, directional=lambda d: d.t.grad.directional(lon=d.u, lat=d.v, metric="sphere")
    )
    found, expected = (variables(calls[name](d)) for d in (knots, ds))
    for n, da in expected.items():
        factor = 3600 / 1852 if found[n].units != da.units else 1.0
        factor = factor**2 if n == "okubo_weiss" else factor
        atol = 1e-12 * float(np.abs(da).max())
        np.testing.assert_allclose(found[n] / factor, da, rtol=1e-11, atol=atol)


def test_fields_with_text_beside_quantities():
    ds = wind()
    mixed = ds.assign(v=sample().v)
    np.testing.assert_array_equal(magnitude(CALLS["curl"](mixed)), magnitude(CALLS["curl"](ds)))
    scalar, flow = quantify(sample().t, UNITS), sample()
    rate = scalar.grad.advection(lon=flow.u, lat=flow.v, metric="sphere")
    assert rate.data.units == UNITS.Unit("K / s")


def test_a_component_may_be_a_number():
    ds = quantify(sample(), UNITS)
    steady = UNITS.Quantity(2.0, "knot")
    found = ds.t.grad.advection(lon=steady, lat=ds.v, metric="sphere")
    expected = ds.t.grad.advection(lon=ds.u * 0 + steady.to("m/s"), lat=ds.v, metric="sphere")
    ours = found.data.to("K/s").magnitude
    np.testing.assert_allclose(ours, magnitude(expected), rtol=1e-12, atol=1e-20)


# Options


def test_spacing_periods_and_lengths():
    t = field("K")
    bare = t.drop_vars("x")
    assert bare.grad("x", spacing=UNITS.Quantity(2.0, "km")).data.units == UNITS.Unit("K/km")
    for spacing in (UNITS.Quantity(np.arange(6.0), "km"), {"x": UNITS.Quantity(1.0, "km")}):
        result = bare.grad("x", spacing=spacing)
        np.testing.assert_array_equal(magnitude(result), 1)
        assert result.data.units == UNITS.Unit("K/km")
    positions = xr.DataArray(UNITS.Quantity(np.arange(6.0), "km"), dims="x")
    assert bare.grad("x", spacing=positions).data.units == UNITS.Unit("K/km")
    wave = t.grad("x", periodic={"x": UNITS.Quantity(0.006, "km")})
    assert wave.identical(t.grad("x", periodic={"x": 6}))
    for length in (
        UNITS.Quantity(2.0, "km"),
        xr.DataArray(UNITS.Quantity(np.full(6, 2.0), "km"), dims="x"),
    ):
        result = t.grad("x", metric={"x": length})
        np.testing.assert_array_equal(magnitude(result), 0.5)
        assert result.data.units == UNITS.Unit("K/km")
    globe = quantify(sample().t, UNITS)
    radius = UNITS.Quantity(6371.0088, "km")
    for metric in (radius, xgradient.Sphere(radius)):
        assert globe.grad("lat", metric=metric).identical(globe.grad("lat", metric="sphere"))
    grad = t.grad.with_options(spacing=UNITS.Quantity(2.0, "km"))
    assert grad("x").data.units == UNITS.Unit("K/km")
    assert "x     6       m" in repr(t.grad)


@pytest.mark.parametrize(
    ("period", "sentence"),
    [((1.0, "s"), "give a number or a quantity in units of the axis, 'm'$"),
     (([1.0], "m"), "give a number or a quantity in units of the axis, 'm'$")],
)  # fmt: skip
def test_periods_of_another_kind(period, sentence):
    with pytest.raises(TypeError, match=sentence):
        field().grad("x", periodic={"x": UNITS.Quantity(*period)})


def test_tables_of_stencils():
    coords = UNITS.Quantity([0.0, 1.0, 3.0], "km")
    labelled = xr.DataArray(coords, dims="z", name="z")
    for given in (coords, labelled):
        table = xgradient.stencil(given)
        np.testing.assert_array_equal(table.weights, xgradient.stencil([0.0, 1.0, 3.0]).weights)
        assert table.weights.units == "km-1"
    assert quantify(field("K"), UNITS, "index").grad.stencil("x").weights.units == "m-1"


# Plain arrays


def test_gradient_of_quantities():
    values, step = np.arange(12.0).reshape(3, 4), UNITS.Quantity(2.0, "km")
    for array, spacing, unit, factor in [
        (UNITS.Quantity(values, "degC"), step, "delta_degC/km", 0.5),
        (UNITS.Quantity(values, "degC"), None, "delta_degC", 1.0),
        (UNITS.Quantity(values, "K"), 2.0, "K", 0.5),
        (values, step, "1/km", 0.5),
        (UNITS.Quantity(values, "K"), [step, UNITS.Quantity(4.0, "s")], "K/km", 0.5),
    ]:
        found = xgradient.gradient(array, spacing=spacing)
        assert [type(result) for result in found] == [UNITS.Quantity] * 2
        assert found[0].units == UNITS.Unit(unit)
        np.testing.assert_array_equal(found[0].magnitude, 4 * factor)
    assert found[1].units == UNITS.Unit("K/s")
    second = xgradient.gradient(UNITS.Quantity(values, "m"), spacing=step, dim=1, deriv=2)
    assert second[0].units == UNITS.Unit("m/km**2")
    da = xr.DataArray(UNITS.Quantity(values, "K"), dims=("x", "y"))
    down, right = xgradient.gradient(da, spacing=[step, 2.0])
    assert (down.data.units, right.data.units) == (UNITS.Unit("K/km"), UNITS.Unit("K"))
    dask = pytest.importorskip("dask.array")
    lazy = xgradient.gradient(UNITS.Quantity(dask.ones((4, 4), chunks=2), "K"), spacing=step)
    assert isinstance(lazy[0].magnitude, dask.Array)


def test_gradient_is_that_of_numpy():
    array = UNITS.Quantity(np.sin(np.arange(6.0)), "K")
    positions = UNITS.Quantity(np.arange(6.0) ** 2, "m")
    (ours,), theirs = xgradient.gradient(array, spacing=positions), np.gradient(array, positions)
    np.testing.assert_allclose(ours.magnitude, theirs.to(ours.units).magnitude, rtol=1e-13)


# What is refused

OTHER = LazyRegistry()
CASES = {
    "components of two registries": (
        lambda: wind().assign(v=quantify(sample().v, OTHER)).grad.curl(lon="u", lat="v"),
        "'u' and 'v' are quantities of two registries of pint; make both with one registry",
    ),
    "a spacing of another registry": (
        lambda: field().grad("x", spacing=OTHER.Quantity(1.0, "m")),
        "'t' and spacing are quantities of two registries of pint; make both with one registry",
    ),
    "an array and a spacing": (
        lambda: xgradient.gradient(
            UNITS.Quantity(np.arange(3.0), "m"), spacing=OTHER.Quantity(1.0, "m")),
        "input and spacing are quantities of two registries of pint; make both with one registry",
    ),
    "a unit of another registry": (
        lambda: field().grad("x", units=OTHER.Unit("K/km")),
        ("units 'kelvin / kilometer' belong to another registry of pint than the other quantities "
        "of the call; make all of them with one registry"),
    ),
    "a coordinate without units": (
        lambda: field().assign_coords(x=np.arange(6.0)).grad("x"),
        ("the derivative of a quantity has no units, since a coordinate or a spacing has none; "
        "set the attribute units of the coordinate, or give the spacing as a quantity"),
    ),
    "a component without units": (
        lambda: wind().assign(v=sample().v.drop_attrs()).grad.divergence(lon="u", lat="v"),
        ("component 'v' has no units, but another one is a quantity; make it a quantity too, or "
        "set its attribute units"),
    ),
    "a scalar without units": (
        lambda: sample().t.drop_attrs().grad.advection(lon=wind().u, lat=wind().v, metric="sphere"),
        ("a quantity is combined with a field that has no units; make it a quantity too, or set "
        "its attribute units"),
    ),
    "other dimensions": (
        lambda: wind().assign(v=quantify(sample().t, UNITS)).grad.divergence(
            lon="u", lat="v", metric="sphere"),
        ("a divergence would add '1 / second' and 'kelvin / meter'; name dimensions of one kind, "
        "give metric=, or convert the data or a coordinate"),
    ),
    "a unit that the registry lacks": (
        lambda: field().assign_coords(x=field().x.assign_attrs(units="ells")).grad("x"),
        ("units 'ells' have 'ells', which the registry of the quantity does not know; define it "
        "there, or call .pint.dequantify() of pint-xarray before"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    call, sentence = CASES[case]
    with pytest.raises(ValueError, match=whole(sentence)):
        call()


def test_quantities_without_labels():
    with pytest.raises(TypeError, match="grad takes labelled data, not Quantity; give a"):
        xgradient.grad(UNITS.Quantity(np.arange(3.0), "K"), "x")


def test_dask_arrays_of_quantities():
    dask = pytest.importorskip("dask.array")
    inside = dask.from_array(UNITS.Quantity(np.arange(6.0), "K"), chunks=3, asarray=False)
    with pytest.raises(
        TypeError, match="'t' is a dask array of quantities, whose units are in the"
    ):
        field().copy(data=inside).grad("x")


def unit_names(units):
    """The names of all units of a registry that can be made by name."""
    for name in sorted(set(units._units)):
        # Constants with digits, as conventional_volt_90, are refused as coordinates' units.
        if name.isidentifier() and not name[-1].isdigit() and not name.startswith("delta_"):
            try:
                unit = units.Unit(name)
            except pint.UndefinedUnitError:
                continue
            if str(unit) == name:
                yield name, unit


@pytest.mark.parametrize("name", ["pint", "metpy"])
def test_every_unit_of_a_registry_survives_as_text(name):
    """Units of coordinates are carried as text, and pint reads back the same unit."""
    units, count = registry(name), 0
    for word, unit in unit_names(units):
        found, expected = to_pint_unit(to_cf_text(unit), units), difference_unit(unit)
        assert units.Quantity(1.0, found).to(expected).magnitude == pytest.approx(1, rel=1e-12), (
            word
        )
        count += 1
    assert count > 300


def test_a_session_with_metpy():
    """Results of MetPy go in and results go into MetPy, against MetPy's own derivative."""
    calc = pytest.importorskip("metpy.calc")
    units = registry("metpy")
    lat = np.linspace(30.0, 60.0, 31)
    t = xr.DataArray(
        units.Quantity(25 - 0.01 * (lat - 30) ** 2, "degC"),
        {"lat": ("lat", lat, {"units": "degrees_north"})}, ["lat"], "t",
    )  # fmt: skip
    dewpoint = calc.dewpoint_from_relative_humidity(t, units.Quantity(60.0, "percent"))
    slope = dewpoint.rename("dewpoint").grad("lat", metric="sphere")
    assert slope.data.units == units.Unit("delta_degC/m")
    step = units.Quantity(6371008.8 * np.deg2rad(1.0), "m")
    theirs = calc.first_derivative(dewpoint.data, delta=step)
    ours, theirs = slope.data.magnitude, theirs.to("delta_degC/m").magnitude
    np.testing.assert_allclose(ours[1:-1], theirs[1:-1], rtol=1e-10)
    potential = calc.potential_temperature(units.Quantity(850.0, "hPa"), t).rename("theta")
    again = calc.first_derivative(potential.grad("lat", metric="sphere").data, delta=step)
    assert again.units == units.Unit("K/m**2")
    tree = xr.DataTree.from_dict({"/a": t.to_dataset()})
    assert tree.grad("lat", metric="sphere")["a/dt_dlat"].data.units == units.Unit("delta_degC/m")


def test_registries_live_side_by_side():
    for name in ("pint", "metpy"):
        units = registry(name)
        result = quantify(sample().t, units).grad("lat", metric="sphere")
        assert result.data._REGISTRY is units
        assert (result.data * units.Quantity(1.0, "m")).units == units.Unit("K")


@pytest.mark.slow
def test_plain_data_import_no_pint():
    code = (
        "import sys; sys.modules['pint'] = None\n"
        "import numpy as np, xarray as xr, xgradient\n"
        "xgradient.gradient(np.arange(4.0), spacing=[2.0])\n"
        "x = xr.Variable('x', np.arange(4.0), {'units': 'm'})\n"
        "xr.DataArray(np.arange(4.0), {'x': x}, attrs={'units': 'degC'}).grad('x', spacing=2.0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
