"""The remedies in messages: each one is executed here."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient
from xgradient.labels.hints import close_name

from ..operators.test_vector import wind


def failure(call, kind=ValueError):
    with pytest.raises(kind, match=r"^[^\n]+$") as error:
        call()
    return str(error.value)


def mended(data, message):
    """Return the result of the call that a message shows."""
    code = re.search(r"e\.g\. with (\..*)$", message)[1]
    return eval("data" + code, {"data": data, "pd": pd, "np": np, "xr": xr})


# ----------------------------------------------------------------------------- a repeated dimension


def square(dims=("x", "x"), values=None, name="c", coords=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xarray remarks on it, too
        values = np.arange(9.0).reshape(3, 3) ** 2 if values is None else values
        return xr.DataArray(values, coords, dims, name)


def line(coords=None):
    return xr.DataArray(np.arange(3.0), coords, dims="x", name="f")


TWICE = (
    "{} has the dimension 'x' more than once; give each dimension a name of its own, e.g. with "
    "xr.DataArray(data.data, dims={})"
)
REPEATED = {
    "grad": lambda c: c.grad("x"),
    "all dims": lambda c: c.grad(),
    "mixed": lambda c: c.grad({"x": 2}),
    "dataset": lambda c: c.to_dataset().grad("x"),
    "scale factors": lambda c: c.grad("x", metric={"x": 2.0}),
    "magnitude": lambda c: c.grad.magnitude(),
    "laplacian": lambda c: c.grad.laplacian("x"),
    "hessian": lambda c: c.to_dataset().grad.hessian("x"),
    "divergence": lambda c: xgradient.divergence(x=c),
    "curl": lambda c: xgradient.curl(x=c, y=c),
    "jacobian": lambda c: xgradient.jacobian(x=c),
    "strain": lambda c: xgradient.strain(x=c, y=c),
    "advection": lambda c: c.grad.advection(x=c),
    "advection of": lambda c: c.grad.advection(x=line()),
    "advection in a dataset": lambda c: xr.Dataset({"c": c, "u": line()}).grad.advection(x="u"),
    "directional": lambda c: c.grad.directional(x=c),
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.filterwarnings("ignore:Duplicate dimension names")
def test_a_repeated_dimension_is_refused(name):
    message = failure(lambda: REPEATED[name](square()))
    assert message == TWICE.format("field 'c'", ["x", "x_2"])
    data = square()
    code = message.partition("e.g. with ")[2]
    found = eval(code, {"xr": xr, "data": data}).rename("c").grad("x")
    np.testing.assert_array_equal(found, np.gradient(data.values, axis=0))


@pytest.mark.filterwarnings("ignore:Duplicate dimension names")
def test_a_dimension_repeated_elsewhere_is_refused():
    c, with_h = square(), line({"h": square().variable})
    for call, what in (
        (lambda: with_h.grad("h"), "coordinate 'h'"),
        (lambda: with_h.grad("h", along="x"), "coordinate 'h'"),
        (lambda: line().grad("x", metric={"x": c + 1}), "the scale factor of 'x'"),
        (lambda: line().to_dataset().assign(c=c + 1).grad("x", metric={"x": "c"}),
         "the scale factor of 'x', 'c',"),
        (lambda: square(("x", "y", "x"), np.zeros((2, 2, 2)), None).grad("y"), "the field"),
    ):  # fmt: skip
        dims = ["x", "y", "x_2"] if what == "the field" else ["x", "x_2"]
        assert failure(call) == TWICE.format(what, dims)
    assert "lies along 'x', 'x', not along 'x'" in failure(lambda: line().grad("x", spacing=c))


@pytest.mark.filterwarnings("ignore:Duplicate dimension names")
def test_a_variable_with_a_repeated_dimension_is_no_hindrance_to_others():
    ds = square().to_dataset().assign(f=("y", np.arange(3.0)))
    assert list(ds.grad("y").data_vars) == ["df_dy"]


# -------------------------------------------------------------------------- names that are misspelt


def test_close_names():
    assert close_name("lattitude", ["latitude", "longitude"]) == "; perhaps 'latitude' is meant"
    assert close_name("TEMP", ["temp"]) == "; perhaps 'temp' is meant"
    assert close_name(3, ["x"]) == close_name("w", ["u", "v", "lat", 7]) == ""


@pytest.mark.parametrize(("call", "meant"), [
    (lambda: wind().t.grad("latt"), "lat"),
    (lambda: wind().t.grad("LON"), "lon"),
    (lambda: wind().t.grad("lattitude"), "latitude"),
    (lambda: wind().grad(["lat", "lonn"]), "lon"),
    (lambda: wind().t.grad("lat", periodic="lom"), "lon"),
    (lambda: wind().t.grad("lat", spacing={"lta": 1}), "lat"),
    (lambda: wind().grad.curl(lon="u", lat="V"), "v"),
    (lambda: wind().rename(v="v_wind").grad.curl(lon="u", lat="vwind"), "v_wind"),
    (lambda: wind().grad.divergence(lon="u", lat="v", metrc="sphere"), "metric"),
    (lambda: wind().grad.divergence(lon="u", lat="v", acuracy=4), "accuracy"),
    (lambda: wind().t.grad("lon", metric="spher"), "sphere"),
    (lambda: wind().t.grad("lon", metric="Elipsoid"), "ellipsoid"),
    (lambda: xgradient.Ellipsoid("wgs84"), "WGS84"),
    (lambda: wind().t.grad("lon", metric={"lonn": 2.0}), "lon"),
    (lambda: wind().assign(e1t=2.0).grad("lon", metric={"lon": "e1tt"}), "e1t"),
    (lambda: wind().t.grad("lat", along="latt"), "lat"),
    (lambda: wind().t.assign_coords(z_rho=wind().u).grad("lat", at_constant="z_rh"), "z_rho"),
])  # fmt: skip
def test_a_misspelt_name_is_told_the_close_one(call, meant):
    assert f"; perhaps {meant!r} is meant; " in failure(call)


def test_a_name_that_is_like_no_other_is_told_none():
    assert "perhaps" not in failure(lambda: wind().t.grad("quux"))


# ------------------------------------------------------------------------------- stacked dimensions


@pytest.mark.parametrize("metric", [None, "sphere"])
@pytest.mark.parametrize("names", ["lat", "lon", "z", ["lat", "lon"], None])
def test_stacked_levels_are_to_be_unstacked(names, metric):
    grid = wind().t.isel(lat=slice(4), lon=slice(5))
    data = grid.stack(z=("lat", "lon"))
    message = failure(lambda: data.grad(names, metric=metric), (TypeError, ValueError))
    assert message.endswith(
        "'z' is stacked of other dimensions, so call .unstack('z') first, or .reset_index('z') "
        "if its points lie along one line"
    )
    back = eval("data" + re.search(r"\.unstack\(.*?\)", message)[0])
    np.testing.assert_array_equal(back.grad("lat"), grid.grad("lat"))
    some = eval("data.isel(z=[0, 6, 12])" + re.search(r"\.reset_index\(.*?\)", message)[0])
    assert some.grad("z", metric="sphere").name == "dt_ds"


def test_levels_of_one_line_are_taken_as_before():
    grid = wind().t.isel(lon=[0])
    data = grid.stack(z=("lat", "lon"))
    np.testing.assert_array_equal(data.grad("lat"), grid.grad("lat")[:, 0])


# -------------------------------------------------------------------------------- staggered vectors


STAGGERED = (
    "as on a staggered grid; give to='center' for means at the centers of cells, and positions=, "
    "such as positions={'X': {'center': 'xc', 'outer': 'xf'}}, for dimensions whose names do not "
    "tell these"
)


def test_staggered_components_are_to_be_averaged(rng):
    u = xr.DataArray(rng.random((3, 5)), dims=("south_north", "west_east_stag"), name="U")
    v = xr.DataArray(rng.random((4, 4)), dims=("south_north_stag", "west_east"), name="V")
    components = {"west_east_stag": u, "south_north_stag": v}
    message = failure(lambda: xgradient.jacobian(components))
    assert message == (
        "'U' has the dimensions south_north, west_east_stag, but 'V' has south_north_stag, "
        f"west_east, {STAGGERED}"
    )
    found = xgradient.jacobian(components, to="center")
    a, b = (u.values[:, 1:] + u.values[:, :-1]) / 2, (v.values[1:] + v.values[:-1]) / 2
    np.testing.assert_allclose(found.dV_dwest_east, np.gradient(b, axis=1), atol=1e-14)
    np.testing.assert_allclose(found.dU_dsouth_north, np.gradient(a, axis=0), atol=1e-14)
    ds = xr.Dataset({"U": u, "V": v})
    for operator in ("jacobian", "strain"):
        assert STAGGERED in failure(
            lambda o=operator: getattr(ds.grad, o)({"west_east_stag": "U", "south_north": "V"})
        )
    scalar = xr.DataArray(np.zeros((3, 4)), dims=("south_north", "west_east"), name="T")
    assert STAGGERED in failure(lambda: scalar.grad.advection(west_east_stag=u))
    assert scalar.grad.advection(west_east_stag=u, to="center").shape == (3, 4)


def test_positions_of_components_whose_names_do_not_tell_them():
    u = xr.DataArray(np.ones((2, 4)), dims=("y_c", "x_f"), name="u")
    v = xr.DataArray(np.ones((3, 3)), dims=("y_f", "x_c"), name="v")
    assert failure(lambda: xgradient.strain(x_f=u, y_f=v)) == (
        f"'u' has the dimensions y_c, x_f, but 'v' has y_f, x_c, {STAGGERED}"
    )
    positions = {"X": {"center": "x_c", "outer": "x_f"}, "Y": {"center": "y_c", "outer": "y_f"}}
    found = xgradient.strain(x_f=u, y_f=v, to="center", positions=positions)
    assert found.sizes == {"y_c": 2, "x_c": 3}
    np.testing.assert_array_equal(found.total_deformation, 0)


# ----------------------------------------------------------------------------- units of coordinates

WRITTEN = [
    ("lat", "degrees north", "degrees_north"), ("lat", "degree N", "degrees_north"),
    ("lat", "degrees-north", "degrees_north"), ("lat", "deg. North", "degrees_north"),
    ("lat", "°N", "degrees_north"), ("lat", "degress_north", "degrees_north"),
    ("lat", "Degrees of latitude", "degrees_north"), ("lat", "degs", "degrees_north"),
    ("lat", "DEGREES.", "degrees_north"), ("lat", "degn.", "degrees_north"),
    ("lon", "degrees east", "degrees_east"), ("lon", "deg E", "degrees_east"),
    ("lon", "dege", "degrees_east"), ("lon", "°E", "degrees_east"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "units", "right"), WRITTEN)
def test_misspelt_units_of_angles(name, units, right):
    good = wind().t
    data = good.assign_coords({name: good[name].assign_attrs(units=units)})
    expected = good.grad.magnitude(["lat", "lon"], metric="sphere")
    for names in (name, ["lat", "lon"], ["lon", "lat"]):
        message = failure(lambda n=names: data.grad(n, metric="sphere"))
        assert message == (
            f"coordinate {name!r} has the units {units!r}, which CF does not know for a "
            f"{'latitude' if name == 'lat' else 'longitude'}; set {right!r}, e.g. with "
            f".assign_coords({{{name!r}: data[{name!r}].assign_attrs(units={right!r})}})"
        )
        back = mended(data, message)
        np.testing.assert_array_equal(back.grad.magnitude(metric="sphere"), expected)
    assert data.grad(name).name == f"dt_d{name}"  # without a metric no angle is asked for


def test_the_latitude_that_a_longitude_needs():
    data = wind().t.assign_coords(lat=wind().lat.assign_attrs(units="degrees north"))
    message = failure(lambda: data.grad("lon", metric="sphere"))
    assert message.startswith("coordinate 'lat' has the units 'degrees north'")


def test_angles_that_count_the_other_way():
    good = wind().t.isel(lon=slice(9))
    data = good.assign_coords(lon=("lon", -good.lon.values, {"units": "degrees_west"}))
    message = failure(lambda: data.grad("lon", metric="sphere"))
    assert "; turn its sign and set 'degrees_east', e.g. with " in message
    np.testing.assert_array_equal(
        mended(data, message).grad("lon", metric="sphere"), good.grad("lon", metric="sphere")
    )
    data = good.assign_coords(lat=("lat", -good.lat.values, {"units": "degS"}))
    message = failure(lambda: data.grad("lat", metric="sphere"))
    np.testing.assert_array_equal(
        mended(data, message).grad("lat", metric="sphere"), good.grad("lat", metric="sphere")
    )


def test_two_dimensions_with_misspelt_units():
    lat, lon = np.meshgrid([1.0, 2, 3], [5.0, 6, 7], indexing="ij")
    dims, good = ("y", "x"), {"lat": "degrees_north", "lon": "degrees_east"}
    for name in ("lat", "lon"):
        units = good | {name: "degrees north" if name == "lat" else "degrees east"}
        coords = {n: (dims, v, {"units": units[n]}) for n, v in (("lat", lat), ("lon", lon))}
        data = xr.DataArray(lat * lon, coords, dims, "T")
        for names in (["lat", "lon"], ["lon"] if name == "lat" else ["lat"]):
            message = failure(lambda n=names, d=data: d.grad(n, metric="sphere"))
            assert message.startswith(f"coordinate {name!r} has the units")
        assert len(mended(data, message).grad(["lat", "lon"], metric="sphere")) == 2


def test_other_units_are_no_misspelt_angles():
    data = wind().t.assign_coords(lat=wind().lat.assign_attrs(units="km"))
    message = failure(lambda: data.grad("lat", metric="sphere"))
    assert message.startswith("metric=Sphere is for latitudes and longitudes, but 'lat' is neither")


# -------------------------------------------------------------------- positions that are no numbers


def test_complex_positions_are_called_complex():
    message = failure(lambda: line().grad("x", spacing=2j), TypeError)
    assert message == "spacing of 'x' is 2j, which is complex; give a real number"
    spacing = np.arange(3) * (2 + 0j)
    message = failure(lambda: line().grad("x", spacing=spacing), TypeError)
    assert message == (
        "spacing of 'x' has dtype complex128, but positions are real numbers; give such positions "
        "or a step with spacing="
    )
    np.testing.assert_array_equal(line().grad("x", spacing=spacing.real), 0.5)
    along = line().assign_coords(x=spacing)
    assert "but positions are real numbers" in failure(lambda: along.grad("x"), TypeError)
    np.testing.assert_array_equal(along.assign_coords(x=along.x.real).grad("x"), 0.5)
    with pytest.raises(TypeError, match="complex"):
        xgradient.gradient(np.arange(3.0), spacing=1j)


SQUARE = np.array([["2", "1"], ["0", "2"]])
MANY_LINES = {
    "spacing": lambda: line().grad("x", spacing={"x": {"y": SQUARE}}),
    "spacing of numbers": lambda: xgradient.gradient(np.arange(3.0), spacing={"x": SQUARE}),
    "periodic": lambda: line().grad("x", periodic={"x": SQUARE}),
    "periodic of all": lambda: line().grad("x", periodic=SQUARE),
    "deriv": lambda: line().grad("x", deriv=SQUARE),
    "accuracy": lambda: line().grad.laplacian("x", accuracy=SQUARE),
    "skipna": lambda: line().grad("x", skipna=SQUARE),
    "metric": lambda: line().grad("x", metric=SQUARE),
    "scale factor": lambda: line().grad("x", metric={"x": xr.DataArray(SQUARE, dims=("x", "y"))}),
    "along": lambda: line().grad("x", along=[SQUARE]),
    "packing": lambda: line().assign_attrs(scale_factor=SQUARE).grad("x"),
}


@pytest.mark.parametrize("name", MANY_LINES)
def test_arrays_of_several_rows_are_told_in_one_line(name):
    message = failure(MANY_LINES[name], (TypeError, ValueError))
    assert len(message) < 500


@pytest.mark.slow
@pytest.mark.parametrize("name", [0, None])
def test_the_first_call_of_a_process_may_name_a_number(name):
    """No other call has loaded what looks names up."""
    code = f"""
import numpy as np, xarray as xr, xgradient
try:
    xr.DataArray(np.arange(3.0), dims="x", name="f").grad([{name}])
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{name} is not a dimension, coordinate or CF name here; there are 'x'\n"


@pytest.mark.parametrize("index", ["period", "category", "interval"])
def test_a_misspelt_name_beside_a_coordinate_of_pandas_own_dtypes(index):
    made = {
        "period": pd.period_range("2000-01", periods=3, freq="M"),
        "category": pd.CategoricalIndex(["a", "b", "c"]),
        "interval": pd.IntervalIndex.from_breaks(np.arange(4.0)),
    }[index]
    data = line({"x": np.arange(3.0)}).expand_dims(when=made)
    message = "'latitudes' is not a dimension, coordinate or CF name here; there are 'when', 'x'"
    assert failure(lambda: data.grad("latitudes")) == message
    assert data.assign_coords(lat=("x", np.arange(3.0))).grad("latitude").name == "df_dlat"
