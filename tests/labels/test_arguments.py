"""One spacing and one periodic for all calls, and names that stand for longitude and latitude."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient

from ..support import curvilinear_grids
from ..support.marks import some_slow

SHAPE = {"time": 3, "level": 4, "y": 5, "x": 6}
STEPS = {"time": 3600.0, "level": 100.0, "y": 2.0, "x": 3.0}


def box() -> xr.Dataset:
    """Fields without coordinates, one of the surface, with heights of levels."""
    rng = np.random.default_rng(5)

    def field(*dims):
        return dims, rng.normal(size=[SHAPE[d] for d in dims])

    z = np.arange(4.0)[:, None, None] * 10 + rng.random((4, 5, 6))
    every = field(*SHAPE)
    return xr.Dataset(
        {"t": every, "u": field(*SHAPE), "v": field(*SHAPE), "ground": field("y", "x")},
        {"z": (("level", "y", "x"), z), "day": ("time", [1.0, 2, 4]), "run": 7},
    )


PLANE = {"x": "u", "y": "v"}
FLAT = {
    "grad": lambda ds, **o: ds.t.grad("x", **o),
    "grad of a list": lambda ds, **o: ds.t.grad(["y", "x"], **o),
    "grad of a Dataset": lambda ds, **o: ds.grad(["x", "y"], **o),
    "grad of the surface": lambda ds, **o: ds[["t", "ground"]].grad("x", **o),
    "mixed": lambda ds, **o: ds.t.grad({"x": 1, "y": 1}, **o),
    "with lengths": lambda ds, **o: ds.t.grad(["x", "y"], metric={"x": 2.0}, **o),
    "at constant": lambda ds, **o: ds.t.grad("x", at_constant="z", along="level", **o),
    "along and beside": lambda ds, **o: ds.t.grad(["z", "x"], along="level", **o),
    "magnitude": lambda ds, **o: ds.t.grad.magnitude(["x", "y"], **o),
    "laplacian": lambda ds, **o: ds.grad.laplacian(["x", "y"], **o),
    "hessian": lambda ds, **o: ds.t.grad.hessian(["x", "y"], **o),
    "divergence": lambda ds, **o: ds.grad.divergence(**PLANE, **o),
    "curl": lambda ds, **o: ds.grad.curl(**PLANE, **o),
    "jacobian": lambda ds, **o: ds.grad.jacobian(**PLANE, **o),
    "strain": lambda ds, **o: ds.grad.strain(**PLANE, **o),
    "advection": lambda ds, **o: ds[["t", "u", "v"]].grad.advection(**PLANE, **o),
    "directional": lambda ds, **o: ds[["t", "u", "v"]].grad.directional(**PLANE, **o),
    "DataArrays": lambda ds, **o: xgradient.divergence(x=ds.u, y=ds.v, **o),
}


@pytest.mark.parametrize("call", FLAT.values(), ids=FLAT)
def test_one_mapping_serves_all_calls(call):
    ds = box()
    here = {"x": 3.0, "y": 2.0}
    expected = call(ds, spacing=here, periodic={"x": True})
    # "day" is a coordinate of the time, "run" has no dimension, and "z" three.
    for beyond in ({}, {"day": 5.0}, {"run": 1.0}):
        xr.testing.assert_identical(call(ds, spacing={**STEPS, **beyond}, periodic="x"), expected)
    for periodic in (["x", "time"], {"x": True, "level": 7.0, "run": True}, ("level", "x", "day")):
        xr.testing.assert_identical(call(ds, spacing=STEPS, periodic=periodic), expected)
    xr.testing.assert_identical(call(ds, spacing=STEPS, periodic="time"), call(ds, spacing=here))


def test_components_may_lack_a_dimension_of_the_data():
    """The flow has no time, and the mapping names it: it is one of the Dataset."""
    ds = box()
    still = ds.assign(u=ds.u[0], v=ds.v[0]).drop_vars("day")
    for call in (FLAT["divergence"], FLAT["curl"]):
        expected = call(still, spacing={"x": 3.0, "y": 2.0}, periodic=["x"])
        found = call(still, spacing=STEPS, periodic=["time", "x"])
        xr.testing.assert_identical(found, expected)
        xr.testing.assert_identical(call(still, spacing=STEPS, periodic={"time": 9, "x": True}),
                                    expected)  # fmt: skip


GLOBE = {
    "grad": lambda ds, **o: ds.t.grad("lon", **o),
    "grad of both": lambda ds, **o: ds.t.grad(["lat", "lon"], **o),
    "laplacian": lambda ds, **o: ds.t.grad.laplacian(["lat", "lon"], **o),
    "curl": lambda ds, **o: ds.grad.curl(lon="t", lat="t", **o),
    "advection": lambda ds, **o: ds.t.grad.advection(lon=ds.t, lat=ds.t, **o),
}


def earth() -> xr.Dataset:
    """A field as ERA5 has it: no attribute says which axis a coordinate is."""
    lat, lon = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
    values = np.random.default_rng(3).normal(size=(2, 3, 9, 12))
    coords = {
        "time": pd.date_range("2001", periods=2),
        "level": ("level", [500.0, 700, 850], {"units": "millibars"}),
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    return xr.Dataset({"t": (("time", "level", "lat", "lon"), values)}, coords)


@pytest.mark.parametrize("call", GLOBE.values(), ids=GLOBE)
def test_one_mapping_serves_all_calls_on_a_globe(call):
    ds, metric = earth(), {"metric": "sphere"}
    expected = call(ds, **metric)
    given = {"time": 60.0, "level": np.arange(3.0)}
    xr.testing.assert_identical(call(ds, spacing=given, **metric), expected)
    for periodic in ({"time": True, "lon": True}, ["time", "lon"], {"level": 3, "lon": 360}):
        xr.testing.assert_identical(call(ds, periodic=periodic, **metric), expected)
    # Whether longitudes close is asked for even where they are not differentiated.
    xr.testing.assert_identical(call(ds, spacing={}, periodic={"lon": None}, **metric), expected)


def curved() -> xr.DataArray:
    lat, lon = np.meshgrid([50.0, 60.0, 70.0], np.arange(0, 360, 60.0), indexing="ij")
    f = curvilinear_grids.on_globe(lat + lon / 100, lat, lon).expand_dims(t=3, member=2).copy()
    return f.assign_coords(t=[0.0, 1, 2], sample=(("t", "member"), np.ones((3, 2))))


@pytest.mark.parametrize(
    "dim", [curvilinear_grids.NAMES, [*curvilinear_grids.NAMES, "t"]], ids=["two", "and time"]
)
def test_one_mapping_serves_all_calls_on_a_grid(dim):
    f, metric = curved(), {"metric": "sphere"}
    own = {"t": 2.0} if "t" in dim else {}
    expected = f.grad(dim, spacing=own, periodic="x", **metric)
    found = f.grad(dim, spacing={"t": 2.0, "member": 5.0}, periodic="x", **metric)
    xr.testing.assert_identical(found, expected)
    for periodic in (["x", "member"], {"x": True, "member": 4, "sample": 2}):
        found = f.grad(dim, spacing={"t": 2.0, "sample": 2}, periodic=periodic, **metric)
        xr.testing.assert_identical(found, expected)


ALONG = lambda ds, **o: ds.t.grad("z", along="level", **o)  # noqa: E731


def test_one_mapping_serves_positions_of_columns():
    ds = box()
    for options in ({"spacing": STEPS}, {"periodic": ["x", "time"]}, {"periodic": {"level": 4}}):
        xr.testing.assert_identical(ALONG(ds, **options), ALONG(ds))


UNKNOWN = {**FLAT, "along": ALONG}


@pytest.mark.parametrize("call", some_slow(UNKNOWN, 3))
def test_names_that_nothing_has(call):
    ds = box()
    for options in (
        {"spacing": {**STEPS, "hight": 2.0}},
        {"periodic": {"x": True, "hight": True}},
        {"periodic": ["x", "hight"]},
        {"periodic": "hight"},
    ):
        with pytest.raises(ValueError, match=r"^'hight' is not a dimension, coordinate or CF name"):
            UNKNOWN[call](ds, **options)


def test_columns_are_known_by_all_their_names():
    ds = box()
    ds.z.attrs["standard_name"] = "altitude"
    for name in ("z", "altitude"):
        for key in ("z", "altitude"):
            with pytest.raises(
                ValueError,
                match=r"^spacing is given for '(z|altitude)', whose positions differ by column",
            ):
                ds.t.grad([name, "x"], along="level", spacing={key: 2.0})


# --- names of axes ------------------------------------------------------------------------------

LETTERS = {"X": "lon", "Y": "lat", "Z": "level", "T": "time"}


def files() -> dict[str, xr.Dataset]:
    """Data as several archives have them, and what each letter stands for."""
    ds = earth()
    long = {"lat": "latitude", "lon": "longitude"}
    pressures = ds.level.attrs | {"units": "hPa", "positive": "down"}
    by_name = ds.copy()
    for name in ("lat", "lon"):
        by_name[name].attrs = {}
    return {
        "ERA5": ds.rename(long),
        "ERA5, new": ds.rename(long | {"time": "valid_time", "level": "pressure_level"}),
        "cfgrib": ds.rename(long | {"level": "isobaricInhPa"}).assign_coords(
            isobaricInhPa=("isobaricInhPa", ds.level.values, pressures),
            valid_time=(("time", "level"), np.full((2, 3), ds.time.values[:, None])),
            number=0, step=np.timedelta64(0, "s"),
        ),
        "names only": by_name.rename(level="plev"),
        "other first letters": by_name.assign_coords(yield_=3, index=4),
        "eastward only": ds.rename(lon="east", lat="north"),
    }  # fmt: skip


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("kind", files())
def test_letters_stand_for_what_is_known(kind, letter):
    ds = files()[kind]
    dim = list(ds.t.dims)["TZYX".index(letter)]
    xr.testing.assert_identical(ds.t.grad(letter), ds.t.grad(dim))
    xr.testing.assert_identical(ds.grad([letter]), ds.grad([dim]))
    if letter in "XY":
        made, expected = (ds.t.grad(name, metric="sphere") for name in (letter, dim))
        xr.testing.assert_identical(made, expected)


def test_letters_in_all_operators():
    ds = earth()
    for call in (
        lambda x, y: ds.t.grad({x: 1, y: 1}),
        lambda x, y: ds.t.grad.laplacian([x, y], metric="sphere"),
        lambda x, y: ds.t.grad.hessian([x, y], metric="ellipsoid"),
        lambda x, y: ds.grad.curl({x: "t", y: "t"}, metric="sphere"),
        lambda x, y: ds.t.grad.advection({x: ds.t, y: ds.t}, metric="sphere"),
        lambda x, y: ds.t.grad([y, x], spacing={x: 2.0, y: 3.0}),
    ):
        xr.testing.assert_identical(call("X", "Y"), call("lon", "lat"))


def test_attributes_go_before_longitudes():
    """A projection says which axis is X; longitudes stay reached by their name."""
    f = curved().assign_coords(x=("x", 2.0 * np.arange(6)), y=("y", np.arange(3.0)))
    xr.testing.assert_identical(f.grad("X"), f.grad("x"))
    bare = curved()
    for names in (["X", "Y"], ["longitude", "latitude"]):
        found = bare.grad(names, metric="sphere")
        xr.testing.assert_identical(
            found, bare.grad(curvilinear_grids.NAMES[::-1], metric="sphere")
        )


def test_letters_that_fit_several():
    ds = earth().assign_coords(east=("level", [1.0, 2, 3], {"units": "degrees_east"}))
    with pytest.raises(ValueError, match=r"^'T' fits several coordinates, 'day', 'year'"):
        box().assign_coords(year=("level", np.arange(4))).t.grad("T")
    # The dimension is meant before others.
    xr.testing.assert_identical(ds.t.grad("X"), ds.t.grad("lon"))


# --- the horizontal pair ------------------------------------------------------------------------

OPERATORS = {
    "magnitude": lambda obj, *a, **o: obj.grad.magnitude(*a, **o),
    "laplacian": lambda obj, *a, **o: obj.grad.laplacian(*a, **o),
    "hessian": lambda obj, *a, **o: obj.grad.hessian(*a, **o),
}


@pytest.mark.parametrize("metric", ["sphere", "ellipsoid", xgradient.Sphere(1.0)], ids=str)
@pytest.mark.parametrize("call", OPERATORS.values(), ids=OPERATORS)
def test_on_a_globe_the_horizontal_pair_is_meant(call, metric):
    ds = earth()
    expected = call(ds.t, ["lat", "lon"], metric=metric)
    xr.testing.assert_identical(call(ds.t, metric=metric), expected)
    xr.testing.assert_identical(call(ds.t, None, metric=metric), expected)
    xr.testing.assert_identical(call(ds.t.chunk(time=1), metric=metric).compute(), expected)
    more = ds.assign(station=("time", [1.0, 2]), mean=ds.t.mean("lon"))
    xr.testing.assert_identical(
        call(more, metric=metric), call(more, ["lat", "lon"], metric=metric)
    )
    turned = ds.t.transpose("lon", "time", "level", "lat")
    xr.testing.assert_identical(
        call(turned, metric=metric), call(turned, ["lon", "lat"], metric=metric)
    )


@pytest.mark.parametrize("call", OPERATORS.values(), ids=OPERATORS)
def test_on_a_grid_its_two_coordinates_are_meant(call):
    f = curved()
    expected = call(f, ["nav_lat", "nav_lon"], metric="sphere")
    xr.testing.assert_identical(call(f, metric="sphere"), expected)
    two = f.assign_coords(lat_u=f.nav_lat + 1)
    message = (
        r"^metric=Sphere without dim .*, but several .* the latitude, 'lat_u', 'nav_lat'; name"
    )
    with pytest.raises(ValueError, match=message):
        call(two, metric="sphere")


@pytest.mark.parametrize("call", OPERATORS.values(), ids=OPERATORS)
def test_one_of_the_pair_alone(call):
    t = earth().t
    for given, other, name in (
        (t.isel(lon=0), "longitude", "lat"),
        (t.mean("lon"), "longitude", "lat"),
        (t.isel(lat=4), "latitude", "lon"),
    ):
        message = (
            "^metric=Sphere without dim means a latitude and a longitude, but the data have no "
            f"{other} along a dimension; name what is meant, e.g. dim='{name}'$"
        )
        with pytest.raises(ValueError, match=message):
            call(given, metric="sphere")
        call(given, name, metric="sphere")  # the mend works


def test_elsewhere_all_dimensions_are_meant():
    ds = earth().drop_vars("time")
    assert list(ds.t.grad(metric="sphere")) == ["dt_dtime", "dt_dlevel", "dt_dlat", "dt_dlon"]
    flat = ds.t.drop_vars(["lat", "lon", "level"])
    xr.testing.assert_identical(flat.grad.magnitude(), flat.grad.magnitude(list(flat.dims)))
    lengths = {"lat": 2.0}
    xr.testing.assert_identical(
        flat.grad.magnitude(metric=lengths), flat.grad.magnitude(list(flat.dims), metric=lengths)
    )
    with pytest.raises(ValueError, match=r"^metric=Sphere is for latitudes and longitudes, but"):
        flat.grad.magnitude(metric="sphere")


@pytest.mark.parametrize("options", [{}, {"spacing": {"latitude": 2.0}}])
def test_a_cf_name_is_looked_up_once(monkeypatch, options):
    ds = box().assign_coords(lat=("y", np.arange(5.0), {"units": "degrees_north"}))
    coordinates = sys.modules["xgradient.labels.coordinates"]
    found, find = [], coordinates.find_cf_name
    monkeypatch.setattr(
        coordinates, "find_cf_name", lambda obj, name: found.append(name) or find(obj, name)
    )
    ds.t.grad(["latitude", "z"], along="level", **options)
    assert found == ["latitude"]
