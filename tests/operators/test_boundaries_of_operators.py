"""Boundary conditions in every operator: fields extended by hand, components apart, units."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import operators

from ..support.extended import extend, interior
from ..support.marks import slow

CELLS = 5
#: Conditions along both dimensions of a scalar, and of both components: walls all round.
SCALAR = {"x": ("even", "extend"), "y": ("odd", "even")}
WALLS = {"x": {"u": "odd", "v": "even"}, "y": {"u": "even", "v": "odd"}}
OF_FIELD = {
    "t": SCALAR,
    "u": {"x": ("odd", "odd"), "y": ("even", "even")},
    "v": {"x": ("even", "even"), "y": ("odd", "odd")},
}

CALLS = {
    "grad": lambda ds, **o: ds[["t"]].grad(["x", "y"], boundary=SCALAR, **o),
    "mixed": lambda ds, **o: ds.t.grad({"x": 1, "y": 2}, boundary=SCALAR, **o).to_dataset(),
    "magnitude": lambda ds, **o: ds.t.grad.magnitude(boundary=SCALAR, **o).to_dataset(),
    "laplacian": lambda ds, **o: ds.t.grad.laplacian(boundary=SCALAR, **o).to_dataset(),
    "hessian": lambda ds, **o: ds.t.grad.hessian(boundary=SCALAR, **o),
    "divergence": lambda ds, **o: ds.grad.divergence(
        x="u", y="v", boundary=WALLS, **o
    ).to_dataset(),
    "curl": lambda ds, **o: ds.grad.curl(x="u", y="v", boundary=WALLS, **o).to_dataset(),
    "jacobian": lambda ds, **o: ds.grad.jacobian(x="u", y="v", boundary=WALLS, **o),
    "strain": lambda ds, **o: ds.grad.strain(x="u", y="v", boundary=WALLS, **o),
    "advection": lambda ds, **o: ds.t.grad.advection(
        x=ds.u, y=ds.v, boundary=SCALAR, **o
    ).to_dataset(),
    "directional": lambda ds, **o: ds.t.grad.directional(
        x=ds.u, y=ds.v, boundary=SCALAR, **o
    ).to_dataset(),
}
GLOBE = {"metric": "sphere"}


def test_every_operator_is_called():
    assert set(operators.OPERATORS) == set(CALLS) - {"mixed"}


def flow(metric=False, holes=False):
    """Three fields on a plane, or on a part of a globe."""
    x = np.cumsum(np.random.default_rng(0).integers(1, 5, 11)) / 4
    y = np.arange(8) * 2.0
    units = ("degrees_east", "degrees_north") if metric else ("m", "m")
    coords = {n: (n, a, {"units": u}) for n, a, u in zip("xy", (x, y), units, strict=True)}
    rng = np.random.default_rng(1)
    fields = {n: (("y", "x"), rng.standard_normal((8, 11)), {"units": "K"}) for n in "tuv"}
    ds = xr.Dataset(fields, coords)
    return ds.where(rng.random((8, 11)) > 0.15) if holes else ds


def by_hand(call, ds, face, **options):
    """The operator on fields that are extended, without boundary conditions."""
    extended = {}
    for name, conditions in OF_FIELD.items():
        da = ds[name]
        for dim in ("x", "y"):
            da = extend(da, dim, conditions[dim], CELLS, face)
        extended[name] = da
    result = call(xr.Dataset(extended), **options)
    for dim in ("x", "y"):
        result = interior(result, dim, ("even", "even"), CELLS)
    return result


def assert_same(found, expected):
    assert list(found.data_vars) == list(expected.data_vars)
    for name in found.data_vars:
        np.testing.assert_array_equal(found[name].values, expected[name].values)


@pytest.mark.parametrize("wall", [slow("node"), "face"])
@pytest.mark.parametrize(
    "options", [slow({}), {"accuracy": 4}, {"accuracy": 4, "skipna": True}, {**GLOBE}], ids=str
)
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_of_fields_extended_by_hand(monkeypatch, name, options, wall):
    if name == "mixed" and options.get("metric"):
        pytest.skip("mixed derivatives have no metric")
    ds, call = flow("metric" in options, "skipna" in options), CALLS[name]
    found = call(ds, wall=wall, **options)
    for chunks in ({"x": 3, "y": 3}, {"x": 1}):
        assert_same(call(ds.chunk(chunks), wall=wall, **options), found)
    for constant in ("SCALAR", "WALLS"):
        monkeypatch.setitem(globals(), constant, None)
    expected = by_hand(call, ds, wall == "face", **options)
    assert_same(found, expected)


def test_a_component_by_the_dimension_along_which_it_points():
    ds = flow()
    by_dim = {"x": {"x": "odd", "y": "even"}, "y": {"x": "even", "y": "odd"}}
    xr.testing.assert_identical(
        ds.grad.jacobian(x="u", y="v", boundary=by_dim),
        ds.grad.jacobian(x="u", y="v", boundary=WALLS),
    )


def test_fields_of_a_dataset():
    ds = flow()
    found = ds.grad("x", boundary={"x": {"t": "even", "u": ("odd", "one-sided")}})
    xr.testing.assert_identical(found.dt_dx, ds.t.grad("x", boundary="even"))
    xr.testing.assert_identical(found.du_dx, ds.u.grad("x", boundary=("odd", "one-sided")))
    xr.testing.assert_identical(found.dv_dx, ds.v.grad("x"))


def test_normal_flow_vanishes_at_walls_in_a_channel():
    """A closed basin of stream function sin x sin y, whose divergence is zero at every order."""
    x = np.linspace(0, np.pi, 33)
    psi = xr.DataArray(np.sin(x)[:, None] * np.sin(x), {"y": x, "x": x}, ("y", "x"))
    u = xr.DataArray(-np.sin(psi.x) * np.cos(psi.y), name="u")
    v = xr.DataArray(np.cos(psi.x) * np.sin(psi.y), name="v")
    ds = xr.Dataset({"u": u, "v": v})
    options = {"accuracy": 8, "boundary": WALLS}
    assert abs(ds.grad.divergence(x="u", y="v", **options)).max() < 1e-8
    curl = ds.grad.curl(x="u", y="v", **options)
    assert abs(curl + 2 * psi).max() < 1e-8


def test_mixed_derivatives_of_values_and_slopes():
    ds = flow()
    for condition, like in ((("value", 2.0), "odd"), (("slope", 1.5), "even")):
        pair = (condition, condition)
        extended = extend(ds.t, "y", pair, CELLS).grad("x")
        expected = interior(extended.grad("y"), "y", pair, CELLS)
        found = ds.t.grad({"x": 1, "y": 1}, boundary={"y": condition})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
        hessian = ds.t.transpose().grad.hessian(boundary={"y": condition})
        np.testing.assert_allclose(hessian.d2t_dx_dy.T, expected, rtol=0, atol=1e-13)
        like_sign = ds.t.grad("x").grad("y", boundary=like)
        np.testing.assert_array_equal(found, like_sign)


def test_slopes_are_per_unit_of_the_coordinate_also_on_a_globe():
    ds = flow(metric=True)
    pair = (("slope", 0.25), ("slope", -0.5))
    expected = interior(extend(ds.t, "y", pair, CELLS).grad("y", **GLOBE), "y", pair, CELLS)
    found = ds.t.grad("y", boundary={"y": pair}, **GLOBE)
    np.testing.assert_array_equal(found, expected)


def test_a_boundary_opens_longitudes_and_latitudes_of_a_globe():
    lon, lat = np.arange(0, 360, 30.0), np.arange(-62.5, 63, 25.0)
    coords = {"lat": ("lat", lat, {"units": "degrees_north"}),
              "lon": ("lon", lon, {"units": "degrees_east"})}  # fmt: skip
    t = xr.DataArray(np.random.default_rng(0).random((6, 12)), coords, ("lat", "lon"), "t")
    pair = ("even", "odd")
    found = t.grad("lat", boundary={"lat": pair}, **GLOBE)
    region = t.isel(lon=slice(11))  # which does not close
    expected = interior(extend(region, "lat", pair, 1).grad("lat", **GLOBE), "lat", pair, 1)
    np.testing.assert_array_equal(found[:, :11], expected)
    sides = t.grad("lon", boundary={"lon": "one-sided"}, **GLOBE)
    xr.testing.assert_identical(sides, t.grad("lon", periodic=False, **GLOBE))


def test_a_cyclic_point_beside_walls():
    lon = np.arange(0, 361, 30.0)
    values = np.random.default_rng(0).random((5, 12))
    values = np.concatenate([values, values[:, :1]], axis=1)
    coords = {"y": np.arange(5.0), "lon": ("lon", lon, {"units": "degrees_east"})}
    t = xr.DataArray(values, coords, ("y", "lon"), "t")
    v = xr.DataArray(np.r_[np.arange(12.0), 0.0], {"lon": t.lon}, "lon")
    found = t.grad(["y", "lon"], periodic="lon", boundary={"y": ("value", v)})
    np.testing.assert_array_equal(found.dt_dy, t.grad("y", boundary=("value", v)))
    np.testing.assert_array_equal(found.dt_dlon, t.grad("lon", periodic=True))


def test_bound_options_and_trees():
    ds = flow()
    bound = ds.grad.with_options(boundary={"x": "even"}, wall="face")
    xr.testing.assert_identical(bound("x"), ds.grad("x", boundary="even", wall="face"))
    assert "even" in repr(bound)
    tree = xr.DataTree.from_dict({"/a": ds, "/b": ds.rename(y="z")})
    found = tree.grad("x", boundary={"x": "odd", "z": "even"})
    xr.testing.assert_identical(found["a"].dt_dx, ds.grad("x", boundary="odd").dt_dx)


@pytest.mark.parametrize("call", ["t", "u"])
def test_values_in_other_units(call):
    ds = flow()
    celsius = xr.DataArray(20.0, attrs={"units": "degC"})
    xr.testing.assert_identical(
        ds[call].grad("x", boundary=("value", celsius)),
        ds[call].grad("x", boundary=("value", 293.15)),
    )
    slope = xr.DataArray(2.0, attrs={"units": "degC km-1"})
    xr.testing.assert_allclose(
        ds[call].grad("x", boundary=("slope", slope)),
        ds[call].grad("x", boundary=("slope", 0.002)),
        rtol=1e-14,
    )


def test_quantities():
    registry = pytest.importorskip("pint").UnitRegistry()
    ds = flow()
    t = ds.t.copy(data=registry.Quantity(ds.t.values, "kelvin"))
    del t.attrs["units"]
    for value in (registry.Quantity(20.0, "degC"), 293.15, registry.Quantity(293.15, "K")):
        found = t.grad("x", boundary={"x": (("value", value), "even")})
        expected = ds.t.grad("x", boundary={"x": (("value", 293.15), "even")})
        np.testing.assert_allclose(found.data.magnitude, expected, rtol=1e-12)
        assert found.data.units == registry.Unit("kelvin / meter")
    each = registry.Quantity(np.full(8, 20.0), "degC")
    found = t.grad("x", boundary=(("value", each), "even"))
    np.testing.assert_allclose(found.data.magnitude, expected, rtol=1e-12)
    slope = registry.Quantity(2.0, "delta_degC / km")
    found = t.grad("x", boundary=("slope", slope))
    np.testing.assert_allclose(
        found.data.magnitude, ds.t.grad("x", boundary=("slope", 0.002)), rtol=1e-12
    )
    with pytest.raises(ValueError, match="has the units 'meter', which cannot be converted"):
        t.grad("x", boundary=("value", registry.Quantity(1.0, "m")))
    # Of a plain field, by its attribute.
    found = ds.t.grad("x", boundary=("value", registry.Quantity(20.0, "degC")))
    np.testing.assert_allclose(found, ds.t.grad("x", boundary=("value", 293.15)), rtol=1e-12)


REFUSED = [
    ({"boundary": "evne"}, "boundary is 'evne'; give one of 'one-sided', 'missing', 'extend'"),
    ({"boundary": {"x": 3}}, "boundary of 'x' is 3; give one of 'one-sided'"),
    ({"boundary": {"x": ("even", "odd", "odd")}}, "boundary of 'x' is .* or a pair of them"),
    ({"boundary": {"q": "even"}}, "'q' is not a dimension"),
    ({"boundary": {"x": ("periodic", "even")}}, "both ends of a periodic axis are the same place"),
    ({"boundary": {"x": "even"}, "periodic": "x"}, "which boundary names too"),
    ({"boundary": {"x": "even"}, "periodic": True}, "periodic is True for 'x', which boundary"),
    ({"boundary": {"x": ("value", np.nan)}}, "boundary of 'x' has the value nan; give a finite"),
    ({"boundary": {"x": ("value", [1.0] * 7 + [np.inf])}}, "missing or infinite at some points"),
    ({"boundary": {"x": ("value", "warm")}}, "is 'warm'; give a real number"),
    ({"boundary": {"x": "value"}}, r"is 'value' without a number; give \('value', number\)"),
    ({"boundary": {"x": ("value", [1.0, 2.0])}}, r"has the shape \(2,\), but the field has \(8,\)"),
    ({"boundary": {"x": ("value", xr.DataArray([1.0] * 11, dims="x"))}}, "has the dimension 'x'"),
    ({"boundary": {"x": ("value", xr.DataArray([1.0], dims="z"))}}, "has the dimension 'z'"),
    ({"boundary": {"x": ("value", xr.DataArray(np.ones(8), dims="y").chunk())}}, "is lazy; give"),
    ({"boundary": {"x": ("value", xr.DataArray(1.0, attrs={"units": "m"}))}}, "units 'm', which"),
    ({"boundary": {"x": {"w": "even"}}}, "names 'w', which is no field of the call"),
    ({"boundary": {"x": {"t": "periodic"}}}, "'periodic' for 't' alone"),
    ({"wall": "face"}, "wall is 'face', but no boundary says what holds there; give boundary"),
    ({"wall": "edge", "boundary": "even"}, "wall is 'edge'; give 'node' for walls"),
    ({"boundary": "even", "at": [2.0]}, "at does not go with boundary or coast; leave one of"),
    ({"boundary": "even", "accuracy": 12}, "with this boundary needs 13"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda case: str(case)[:50])
def test_refusals(options, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        flow().t.grad("x", **options)
    assert "\n" not in str(error.value)


def test_other_coordinates_are_refused():
    ds = flow()
    nav = ds.t.assign_coords(lat2=ds.y + 0 * ds.x, lon2=ds.x + 0 * ds.y)
    with pytest.raises(ValueError, match="boundary or coast names 'x', along which 'lon2' has"):
        nav.grad(["lon2", "lat2"], boundary={"x": "even"})
    with pytest.raises(ValueError, match="but boundary is for single dimensions"):
        nav.grad(["lon2", "lat2"], boundary={"lon2": "even"})
    with pytest.raises(ValueError, match="leave them or at_constant out"):
        nav.grad("x", at_constant="lat2", along="y", boundary={"x": "even"})
    lat = xr.DataArray([30.0, 60.0, 90.0], {"lat": [30.0, 60.0, 90.0]}, name="f")
    with pytest.raises(ValueError, match="boundary names 'lat', which has a row on a pole"):
        lat.grad("lat", boundary="even", **GLOBE)
    both = (("value", ds.t.isel(x=0, drop=True)), "even")
    with pytest.raises(ValueError, match="boundary of 'x' has an array as value, which a mixed"):
        ds.t.grad({"y": 1, "x": 1}, boundary={"x": both})
    assert xgradient.__version__
