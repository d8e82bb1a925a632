"""Errors of metrics and vector operators: one sentence each, when the call is made."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..operators.test_vector import flow, wind


def with_lat(lat, units="degrees_north"):
    return xr.DataArray(np.zeros(len(lat)), {"lat": ("lat", lat, {"units": units})}, "lat", "f")


def at_times(da):
    return da.expand_dims(time=[0, 1, 2]).assign_coords(time=("time", [0, 1, 2], {"units": "s"}))


BAD = {
    "latitude beyond 90": (
        lambda: with_lat([80.0, 90, 95]).grad("lat", metric="sphere"),
        ("coordinate 'lat' has the value 95 at index 2; latitudes lie between -90 and 90, "
        "so check its units"),
    ),
    "longitudes beyond a turn": (
        lambda: wind().assign_coords(lon=wind().lon * 1.1).t.grad("lon", metric="sphere"),
        ("coordinate 'lon' spans 385, more than a full turn of 360; drop the repeated longitudes, "
        "e.g. with .isel"),
    ),
    "a metric for something else": (
        lambda: flow()[0].u.grad("x", metric="sphere"),
        ("metric=Sphere is for latitudes and longitudes, but 'x' is neither by its units, "
        "standard_name or name; leave out metric or set units such as 'degrees_north'"),
    ),
    "longitude without latitude": (
        lambda: wind().t.isel(lat=0, drop=True).grad("lon", metric="sphere"),
        ("the metric along 'lon' depends on the latitude, but the data have no coordinate that is "
        "one; add it, e.g. with .assign_coords(lat=...)"),
    ),
    "other dims": (
        lambda: xgradient.divergence(lon=wind().u, lat=wind().v.rename(lat="lat_v")),
        ("'u' has the dimensions lat, lon, but 'v' has lat_v, lon, as on a staggered grid; give "
        "to='center' for means at the centers of cells, and positions=, such as "
        "positions={'X': {'center': 'xc', 'outer': 'xf'}}, for dimensions whose names do not tell "
        "these"),
    ),
    "another grid": (
        lambda: xgradient.curl(lon=wind().u, lat=wind().v.assign_coords(lat=wind().lat + 1)),
        ("'u' and 'v' have different values of the coordinate 'lat'; bring them to one grid, "
        "e.g. with .interp_like"),
    ),
    "another size": (
        lambda: xgradient.curl(lon=wind().u, lat=wind().v.isel(lat=slice(5))),
        ("'u' has 17 points along 'lat', but 'v' has 5; bring them to one grid, "
        "e.g. with .interp_like"),
    ),
    "one component": (
        lambda: wind().grad.curl(lon="u"),
        ("1 component of the vector given ('lon') where 2 or 3 are needed; give each by its "
        "dimension, such as lon='u', lat='v'"),
    ),
    "no component": (
        lambda: wind().grad.divergence(),
        ("0 components of the vector given where 1 to 3 are needed; give each by its "
        "dimension, such as lon='u', lat='v'"),
    ),
    "unknown component": (
        lambda: wind().grad.divergence(lon="u", lat="w"),
        ("the component along 'lat' is 'w', which is neither a DataArray nor the name of a "
        "variable here; there are 'lat', 'lon', 't', 'u', 'v'"),
    ),
    "a factor of zero": (
        lambda: wind().u.grad("lon", metric={"lon": xr.DataArray([1.0, 0.0], dims="lat")}),
        "the scale factor of 'lon' is 0.0 at index 1; scale factors must be positive",
    ),
    "a negative factor": (
        lambda: wind().u.grad("lon", metric={"lon": -3}),
        "the scale factor of 'lon' is -3.0; scale factors must be positive",
    ),
    "a factor along something else": (
        lambda: wind().u.grad("lon", metric={"lon": xr.DataArray([1.0, 2.0], dims="z")}),
        ("the scale factor of 'lon' lies along 'z', which is not a dimension of the data; "
        "there are 'lat', 'lon'"),
    ),
    "a factor of another length": (
        lambda: wind().u.grad("lon", metric={"lon": xr.DataArray([1.0, 2.0], dims="lat")}),
        ("the scale factor of 'lon' has 2 values along 'lat', but the data have 17 points there; "
        "give one for each"),
    ),
    "a factor for something else": (
        lambda: wind().u.grad("lon", metric={"depth": 2.0}),
        ("metric has a scale factor for 'depth', which is not a dimension of the data; "
        "there are 'lat', 'lon'"),
    ),
    "a factor unknown by name": (
        lambda: wind().grad("lon", metric={"lon": "e1t"}),
        ("the scale factor of 'lon' is 'e1t', but no variable has this name; "
        "there are 'lat', 'lon', 't', 'u', 'v'"),
    ),
    "a factor on another grid": (
        lambda: wind().u.grad("lon", metric={"lon": wind().lat[::-1] + 100}),
        ("the scale factor of 'lon' and the data have different values of the coordinate 'lat'; "
        "bring them to one grid, e.g. with .interp_like"),
    ),
    "a factor missing somewhere": (
        lambda: wind().u.grad("lon", metric={"lon": wind().t.where(wind().t != wind().t[2, 3])}),
        "the scale factor of 'lon' is nan at index (2, 3); scale factors must be positive",
    ),
    "no factors": (
        lambda: wind().u.grad("lon", metric={}),
        "metric is an empty mapping; give a scale factor for each dimension",
    ),
    "a field without the dimension of the lengths": (
        lambda: wind(m=("lon", np.arange(36.0))).grad("lon", metric="sphere"),
        ("lengths depend on 'lat', which is not a dimension of a field with 'lon'; leave this "
        "field out, or give it the dimension, e.g. with .broadcast_like"),
    ),
    "third derivatives where lengths change along the axis": (
        lambda: wind().u.grad("lat", deriv=3, metric="ellipsoid"),
        ("deriv is 3 along 'lat', whose scale factor changes along it; under such a metric only "
        "first and second derivatives are offered"),
    ),
    "an unknown metric": (
        lambda: wind().u.grad("lon", metric="torus"),
        ("metric is 'torus'; give 'sphere', 'ellipsoid', 'cf', 'wrf', 'roms', 'nemo', 'mitgcm', a "
        "radius in metres, a Sphere or Ellipsoid, a CRS or Geod of pyproj, or a mapping from "
        "dimension to scale factor"),
    ),
    "no radius": (
        lambda: xgradient.Sphere(-1),
        "the radius of a Sphere is -1; give a positive number of metres",
    ),
    "an unknown ellipsoid": (
        lambda: xgradient.Ellipsoid("Airy"),
        "no ellipsoid is named 'Airy'; give WGS84 or GRS80, or two semi-axes in metres",
    ),
    "units that do not add up": (
        lambda: at_times(wind().t).grad.laplacian(["lat", "time"], metric="sphere"),
        ("a Laplacian would add 'K m-2' and 'K s-2'; name dimensions of one kind, give metric=, "
        "or convert the data or a coordinate"),
    ),
    "a pole without longitudes around": (
        lambda: case_with_pole().isel(lon=slice(9)).grad("lon", metric="sphere"),
        ("on a pole the longitudes meet and 1/cos(latitude) is infinite, but 'lat' has a row "
        "there, and 'lon' does not go evenly round; drop it, e.g. with .sel or .isel, or a "
        "repeated last meridian"),
    ),
    "a repeated meridian and a row on the pole": (
        lambda: pad(case_with_pole()).grad.laplacian(metric="sphere", periodic=False),
        ("on a pole the longitudes meet and 1/cos(latitude) is infinite, but 'lat' has a row "
        "there, and 'lon' does not go evenly round; drop it, e.g. with .sel or .isel, or a "
        "repeated last meridian"),
    ),
    "a parallel that is a pole": (
        lambda: case_with_pole().isel(lat=0).grad("lon", metric="sphere"),
        ("on a pole the longitudes meet and 1/cos(latitude) is infinite, and 'lat' is a single "
        "value there; take another parallel"),
    ),
    "longitude alone on a pole": (
        lambda: case_with_pole().grad("lon", deriv=2, metric="sphere"),
        ("this has no finite value on the rows of 'lat' that are on a pole; drop them, e.g. "
        "with .isel, or take an operator of latitude and longitude together, such as .laplacian "
        "or .hessian"),
    ),
    "a region that is to be periodic": (
        lambda: wind().t.isel(lon=slice(9)).grad("lon", metric="sphere", periodic=True),
        ("coordinate 'lon' is asked to be periodic, but spans 80 in steps of up to 10, which is "
        "not a full turn of 360; take longitudes that go round"),
    ),
    "latitudes that are to be periodic": (
        lambda: wind().t.isel(lat=slice(9)).grad("lat", metric="sphere", periodic="lat"),
        ("coordinate 'lat' is asked to be periodic, but latitudes continue only across the poles, "
        "where they reach both and an even number of longitudes goes round; leave it out of "
        "periodic"),
    ),
    "a period that is no turn": (
        lambda: wind().t.grad("lon", metric="sphere", periodic={"lon": 180}),
        ("the period of 'lon' is given as 180, but on a globe it is a full turn of 360; give True "
        "or leave it out"),
    ),
    "two latitudes": (
        lambda: two_latitudes().grad(["lat", "lat_v"], metric="sphere"),
        "'lat' and 'lat_v' are of one kind; name one latitude and one longitude",
    ),
    "latitudes to choose from": (
        lambda: two_latitudes().rename(lat="lat_t").grad("lon", metric="sphere"),
        ("several coordinates may be the latitude, 'lat_t', 'lat_v'; drop all but one, "
        "e.g. with .drop_vars"),
    ),
    "units of components for a Jacobian": (
        lambda: wind(u=wind().u.assign_attrs(units="K")).grad.jacobian(
            lon="u", lat="v", metric="sphere"),
        ("the vector (u, v) would add 'K' and 'm s-1'; name dimensions of one kind, give metric=, "
        "or convert the data or a coordinate"),
    ),
    "units of components of other kinds": (
        lambda: wind(u=wind().u.assign_attrs(units="K")).grad.divergence(
            lon="u", lat="v", metric="sphere"),
        ("a divergence would add 'K m-1' and 's-1'; name dimensions of one kind, give metric=, or "
        "convert the data or a coordinate"),
    ),
    "nothing to be advected": (
        lambda: wind()[["u", "v"]].grad.advection(lon="u", lat="v"),
        ("the Dataset has no variable besides the components that advection could be taken of; add "
        "the scalar"),
    ),
    "latitudes in radians beyond a pole": (
        lambda: with_lat([1.0, 1.5, 2.0], "radian").grad("lat", metric="sphere"),
        ("coordinate 'lat' has the value 2 at index 2; latitudes lie between -1.5708 and 1.5708, "
        "so check its units"),
    ),
    "a name and a semi-axis": (
        lambda: xgradient.Ellipsoid("WGS84", 6e6),
        "Ellipsoid('WGS84', 6000000.0) has a name and a semi-axis; give one of them",
    ),
    "mixed derivatives with a metric": (
        lambda: wind().t.grad({"lat": 1, "lon": 1}, metric="sphere"),
        ("mixed derivatives are those of the coordinates; with a metric call .hessian, which has "
        "the second derivatives in metres"),
    ),
    "spacing with a metric": (
        lambda: wind().t.grad("lat", metric="sphere", spacing=2.0),
        ("spacing of 'lat' is given together with a metric, which takes positions from the "
        "coordinate; leave one of them out"),
    ),
}  # fmt: skip


def case_with_pole():
    return wind().t.assign_coords(lat=("lat", np.linspace(-90, 90, 17), {"units": "degrees_north"}))


def pad(da):
    """With the first meridian once more at the end."""
    more = da.isel(lon=[0]).assign_coords(lon=("lon", [360.0], da.lon.attrs))
    return xr.concat([da, more], "lon")


def two_latitudes():
    attrs = {"units": "degrees_north"}
    coords = {"lat": ("lat", [1.0, 2], attrs), "lat_v": ("lat_v", [1.0, 2], attrs), "lon": [0, 1]}
    return xr.DataArray(np.zeros((2, 2, 2)), coords, ("lat", "lat_v", "lon"), "f")


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


WRONG_TYPES = {
    "a metric of a wrong type": (
        lambda: wind().u.grad("lon", metric=[3.0]),
        (
            "metric is of type list; give 'sphere', 'ellipsoid', 'cf', 'wrf', 'roms', 'nemo', "
            "'mitgcm', a radius in metres, a Sphere or Ellipsoid, a CRS or Geod of pyproj, or a "
            "mapping from dimension to scale factor"
        ),
    ),
    "plain arrays": (
        lambda: xgradient.laplacian(np.zeros(3)),
        "laplacian takes labelled data, not ndarray; give a DataArray or Dataset",
    ),
    "texts": (
        lambda: xgradient.divergence(lon=xr.DataArray(["a", "b"], dims="lon")),
        "the data have dtype <U1, which has no derivative; convert them to numbers first",
    ),
    "plain arrays for components": (
        lambda: wind().grad.divergence(lon=wind().u.values, lat="v"),
        (
            "the component along 'lon' is of type ndarray; give a DataArray, the name of a "
            "variable or a number"
        ),
    ),
    "components in a list": (
        lambda: wind().grad.divergence(["u", "v"]),
        (
            "components is of type list; give a mapping from dimension to component, or keywords "
            "such as lon='u', lat='v'"
        ),
    ),
    "factors in a list": (
        lambda: wind().u.grad("lon", metric={"lon": [1.0, 2.0]}),
        (
            "the scale factor of 'lon' is of type list; give a number, a DataArray or the name of "
            "a variable"
        ),
    ),
    "a factor of text": (
        lambda: wind().u.grad("lon", metric={"lon": xr.DataArray("long")}),
        "the scale factor of 'lon' is array('long', dtype='<U4'); give numbers",
    ),
    "a radius of text": (
        lambda: xgradient.Sphere("large"),
        "the radius of a Sphere is 'large'; give a number of metres",
    ),
    "one semi-axis": (
        lambda: xgradient.Ellipsoid(6e6),
        "Ellipsoid(6000000.0) has one semi-axis; give the polar one too",
    ),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_wrong_types(name):
    call, message = WRONG_TYPES[name]
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        call()
