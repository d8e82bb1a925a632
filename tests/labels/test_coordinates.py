"""Names of dimensions and coordinates, CF names and axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.labels import cf_names

from ..support import marks
from ..support.labelled_fields import along, slow, whole


@pytest.fixture
def ocean():
    """A field with one coordinate of every kind."""
    return xr.DataArray(
        np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5),
        {
            "t": ("t", pd.date_range("2000-01-01", periods=2, unit="s"), {"axis": "T"}),
            "depth": ("depth", [0.0, 10.0, 30.0], {"units": "m", "positive": "down"}),
            "nav_lat": ("j", [1.0, 2.0, 4.0, 8.0], {"standard_name": "latitude"}),
            "i": ("i", np.arange(5) * 2.0, {"axis": "X", "units": "m"}),
            "column": ("i", np.arange(5)),
            "area": (("j", "i"), np.ones((4, 5))),
            "run": 2.0,
        },
        ("t", "depth", "j", "i"),
        name="T",
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("t", "dT_dt"),
        ("T", "dT_dt"),
        ("depth", "dT_ddepth"),
        ("Z", "dT_ddepth"),
        ("vertical", "dT_ddepth"),
        ("j", "dT_dj"),
        ("nav_lat", "dT_dnav_lat"),
        ("latitude", "dT_dnav_lat"),
        ("i", "dT_di"),
        ("X", "dT_di"),
        ("column", "dT_dcolumn"),
    ],
)
def test_a_name_is_a_dimension_a_coordinate_or_a_cf_name(ocean, name, expected):
    assert ocean.grad(name).name == expected
    assert list(ocean.grad([name])) == [expected]
    assert list(ocean.to_dataset().grad(name)) == [expected]


def test_a_coordinate_along_a_dimension_gives_the_positions(ocean):
    by_lat, by_number = ocean.grad("latitude"), ocean.grad("j")
    expected = slow([0, 1, 2, 3], [1, 2, 4, 8])
    np.testing.assert_allclose(by_lat[0, 0, :, 0], 5 * np.array(expected), rtol=1e-14)
    np.testing.assert_array_equal(by_number, 5)  # no coordinate of that name: steps of 1
    assert "j" not in by_number.coords


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("lon", "longitude"),
        ("lat", "latitude"),
        ("time", "T"),
        ("x", "X"),
        ("y", "Y"),
        ("lev", "Z"),
    ],
)
def test_names_that_a_file_does_not_declare_are_guessed(given, name):
    assert along([0.0, 1, 3, 4], name=given).grad(name).name == f"df_d{given}"


@pytest.mark.parametrize("dtype", ["time", "numbers"])
@pytest.mark.parametrize("as_dataset", [True, False])
def test_guesses_are_those_of_cf_xarray(ocean, dtype, as_dataset):
    """It guesses for all coordinates at once, which takes long where there are many."""
    ocean = ocean.stack(z=["depth", "i"]).assign_coords(
        nav_lon=(("t", "j"), np.ones((2, 4))),
        y=("j", np.arange(4)),
        lat=1.0,
        height_2=("z", [1] * 15),
    )
    if dtype == "numbers":
        ocean = ocean.assign_coords(t=[1.0, 2.0])
    ocean.encoding["coordinates"] = "nav_lon nav_lat"
    obj = ocean.to_dataset() if as_dataset else ocean
    found, expected = cf_names._with_guessed_attrs(obj), obj.cf.guess_coord_axis()
    xr.testing.assert_identical(found, expected)
    assert found.lat.attrs["standard_name"] == "latitude"
    assert "standard_name" not in obj.lat.attrs


def test_guessing_leaves_no_attributes_behind():
    field = along([0.0, 1, 3, 4], name="lon")
    assert field.grad("longitude").lon.attrs == {}
    assert field.lon.attrs == {}


@pytest.mark.parametrize(
    "name", ["lat", "Y", "latitude", "", 0, 1.5, None, float("nan"), ("a", "b")]
)
@pytest.mark.parametrize("kind", ["in chunks", marks.slow("in memory"), marks.slow("a Dataset")])
def test_unknown_name(ocean, name, kind, nothing_computed):
    shown = f"{name!r}"
    message = whole(
        f"{shown} is not a dimension, coordinate or CF name here; there are "
        "'area', 'column', 'depth', 'i', 'j', 'nav', 'run', 't'"
    )
    ocean = ocean.drop_vars("nav_lat").assign_coords(nav=("j", [1.0, 2.0, 4.0, 8.0]))
    obj = {
        "in memory": ocean,
        "in chunks": ocean.chunk(j=1),
        "a Dataset": ocean.to_dataset(),
    }[kind]
    if name is not None and not isinstance(name, tuple):  # all dimensions, a list of names
        with nothing_computed(), pytest.raises(ValueError, match=message):
            obj.grad(name)
    with nothing_computed(), pytest.raises(ValueError, match=message):
        obj.grad(["j", name])


@pytest.mark.parametrize("other", [1, ("a", "b")])
def test_names_beside_coordinates_whose_names_are_no_text(other):
    lons = ("x", [1.0, 2.0, 4.0], {"standard_name": "longitude"})
    da = xr.DataArray(np.arange(3.0), {other: ("x", [0, 1, 2]), "here": lons}, "x", "f")
    assert da.grad("longitude").name == "df_dhere"
    bare = da.drop_vars("here").rename(x="lon").assign_coords(lon=[0, 1, 2])
    assert bare.grad("X").name == "df_dlon"
    known = f"there are {str(other)!r}, 'here', 'x'"
    message = f"'latt' is not a dimension, coordinate or CF name here; {known}"
    with pytest.raises(ValueError, match=whole(message)):
        da.grad("latt")


def test_unknown_name_where_there_is_none():
    message = "'x' is not a dimension, coordinate or CF name here; there are none"
    with pytest.raises(ValueError, match=whole(message)):
        xr.DataArray(1.0).grad("x")


def test_a_scalar_coordinate_is_no_candidate(ocean):
    """Near-surface fields carry their height as a scalar; it does not hide the levels."""
    assert ocean.assign_coords(height=2.0).grad("Z").name == "dT_ddepth"


def test_a_name_that_fits_several_coordinates(ocean):
    """Which one was meant cannot be told, and the names are told."""
    ocean = ocean.assign_coords(x2=("i", np.arange(5.0) ** 2, {"axis": "X"}))
    with pytest.raises(ValueError, match=r"^'X' .*'i'.*'x2'.*name"):
        ocean.grad("X")


def test_a_coordinate_itself_is_not_a_name(ocean):
    for dim in (ocean.depth, [ocean.depth], [["depth"]]):
        with pytest.raises(TypeError, match=r"^dim .*name"):
            ocean.grad(dim)


def test_two_dimensional_and_scalar_coordinates(ocean, nothing_computed):
    known = "one of the dimensions 'depth', 'i', 'j', 't'"
    alone = "and one such coordinate alone tells no direction; name the other one of the grid, too"
    area = f"coordinate 'area' has 2 dimensions (j, i), {alone}, or {known}"
    needs = "but a derivative needs a coordinate along one dimension; name another coordinate"
    run = f"coordinate 'run' has no dimension, {needs} or {known}"
    for obj in (ocean, ocean.chunk(j=1), ocean.to_dataset()):
        for name, message in (("area", area), ("run", run)):
            with nothing_computed(), pytest.raises(ValueError, match=whole(message)):
                obj.grad(name)
