"""Attributes of results: which still hold, which go, and the standard names of CF."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

LAT, LON, Z = np.arange(30.0, 51, 5), np.arange(0.0, 31, 5), np.array([0.0, 10, 30, 60])
COORDS = {
    "lat": ("lat", LAT, {"units": "degrees_north", "standard_name": "latitude"}),
    "lon": ("lon", LON, {"units": "degrees_east", "standard_name": "longitude"}),
}


def on_globe(name="f", **attrs):
    values = np.add.outer(LAT**2, 3 * LON)
    return xr.DataArray(values, COORDS, ("lat", "lon"), name, {"units": "m s-1"} | attrs)


def in_plane(dims, name="f", **attrs):
    at = {"x": Z, "y": Z, "height": Z, "depth": Z}
    coords = {d: (d, at[d], {"units": "m"}) for d in dims}
    if "height" in dims:
        coords["height"][2]["positive"] = "up"
    if "depth" in dims:
        coords["depth"][2]["positive"] = "down"
    values = sum(xr.DataArray(at[d], dims=d) ** 2 for d in dims)
    return values.assign_coords(coords).rename(name).assign_attrs({"units": "m s-1"} | attrs)


# What is true of the field only


STALE = [
    "GRIB_paramId", "GRIB_cfName", "Grib2_Parameter", "grib_name", "um_stash_source", "STASH",
    "stash_code", "code", "table", "param", "short_name", "original_units", "cell_methods",
    "ancillary_variables", "positive", "axis", "bounds", "climatology", "formula_terms",
    "flag_values", "flag_meanings", "flag_masks", "_CoordinateAxisType", "_CoordinateAxes",
    "_CoordinateZisPositive", "invalid_units", "invalid_standard_name", "standard_name",
    "units_metadata", "calendar", "valid_range", "actual_range",
]  # fmt: skip
KEPT = ["comment", "cell_measures", "source", "history", "Model scenario", "number", "coding", 7]


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f.grad("lat"),
        lambda f: f.grad({"lat": 1, "lon": 1}),
        lambda f: f.grad.magnitude(metric="sphere"),
        lambda f: f.grad.laplacian(metric="sphere"),
        lambda f: f.grad.hessian(metric="sphere").d2f_dlat_dlon,
        lambda f: xgradient.divergence(lon=f, lat=f, metric="sphere"),
        lambda f: f.grad.advection(lon=f, lat=f, metric="sphere"),
    ],
)
def test_what_describes_the_field_and_not_its_derivative_goes(call):
    f = on_globe(**dict.fromkeys(STALE, "text"))
    f.attrs |= dict.fromkeys(KEPT, "kept")
    before = dict(f.attrs)
    attrs = call(f).attrs
    assert {k for k in attrs if k not in ("units", "long_name")} == set(KEPT)
    assert f.attrs == before


@pytest.mark.parametrize("place", ["attrs", "encoding"])
@pytest.mark.parametrize(
    ("text", "coords", "kept"),
    [
        ("crs", ["crs"], True),
        ("crs", [], False),
        ("crs: lat lon", ["crs"], True),
        ("crs: lat lon other: lat", ["crs"], False),
        ("crs: lat lon other: lat", ["crs", "other"], True),
        ("", ["crs"], False),
    ],
)
def test_a_grid_mapping_stays_only_with_its_variable(place, text, coords, kept):
    f = on_globe().assign_coords(dict.fromkeys(coords, 0))
    getattr(f, place)["grid_mapping"] = text
    for result in (f.grad("lat"), f.to_dataset().grad("lat").df_dlat):
        assert ("grid_mapping" in getattr(result, place)) is kept
    assert getattr(f, place)["grid_mapping"] == text


def test_of_a_dataset_whose_mapping_is_no_coordinate_it_goes():
    ds = xr.Dataset({"f": on_globe(grid_mapping="crs"), "crs": ((), 0, {"earth_radius": 6e6})})
    result = ds.grad(["lat", "lon"], metric="sphere")
    assert "crs" not in result
    assert all("grid_mapping" not in d.attrs for d in result.values())
    np.testing.assert_allclose(result.df_dlat[1], 2 * 35 * 180 / np.pi / 6e6)


def test_without_keep_attrs_only_what_is_made_of_them_is_there():
    ds = on_globe(comment="c", long_name="speed").to_dataset().assign_attrs(title="t")
    with xr.set_options(keep_attrs=False):
        result = ds.grad("lat")
        w = xgradient.divergence(lon=ds.f, lat=ds.f, metric="sphere")
    words = "derivative of speed with respect to latitude"
    expected = {"units": "m degrees_north-1 s-1", "long_name": words}
    assert result.df_dlat.attrs == expected
    assert result.attrs == {}
    assert result.lat.attrs == ds.lat.attrs
    assert set(w.attrs) == {"units", "long_name"}
    for keep in (True, "default"):
        with xr.set_options(keep_attrs=keep):
            result = ds.grad("lat")
        assert result.df_dlat.attrs == {"comment": "c", **expected}
        assert result.attrs == {"title": "t"}


# Standard names


WIND = ("eastward_wind", "northward_wind")
SEA = ("eastward_sea_water_velocity", "northward_sea_water_velocity")
ICE = ("eastward_sea_ice_velocity", "northward_sea_ice_velocity")


@pytest.mark.parametrize(
    ("names", "divergence", "vorticity"),
    [
        (WIND, "divergence_of_wind", "atmosphere_relative_vorticity"),
        (("x_wind", "y_wind"), "divergence_of_wind", "atmosphere_relative_vorticity"),
        (SEA, None, "ocean_relative_vorticity"),
        (("sea_water_x_velocity", "sea_water_y_velocity"), None, "ocean_relative_vorticity"),
        (ICE, "divergence_of_sea_ice_velocity", None),
        ((WIND[0], SEA[1]), None, None),
        (("eastward_wind", ""), None, None),
        (("geostrophic_eastward_wind", "geostrophic_northward_wind"), None, None),
        (("eastward_wind standard_error", "northward_wind standard_error"), None, None),
    ],
)
def test_names_of_divergence_and_curl(names, divergence, vorticity):
    u, v = (on_globe(n, standard_name=name) for n, name in zip("uv", names, strict=True))
    x, y = (in_plane("yx", n, standard_name=name) for n, name in zip("uv", names, strict=True))
    for given in ({"lon": u, "lat": v}, {"lat": v, "lon": u}, {"x": x, "y": y}):
        metric = "sphere" if "lat" in given else None
        made = [getattr(xgradient, op)(given, metric=metric) for op in ("divergence", "curl")]
        assert [m.attrs.get("standard_name") for m in made] == [divergence, vorticity]
        assert [m.attrs["units"] for m in made] == ["s-1", "s-1"]
    jacobian = xgradient.jacobian(lon=u, lat=v, metric="sphere")
    assert all("standard_name" not in part.attrs for part in jacobian.values())


def test_no_name_where_units_are_those_of_something_else():
    u, v = (on_globe(n, standard_name=name) for n, name in zip("uv", WIND, strict=True))
    with pytest.warns(xgradient.GridWarning, match="metric='sphere'"):
        assert "standard_name" not in xgradient.curl(lon=u, lat=v).attrs
    u, v = (f.assign_attrs(units="K") for f in (u, v))
    assert "standard_name" not in xgradient.curl(lon=u, lat=v, metric="sphere").attrs
    u, v = (f.drop_attrs(deep=False).assign_attrs(standard_name=f.standard_name) for f in (u, v))
    named = xgradient.curl(lon=u, lat=v, metric="sphere")
    assert named.attrs["standard_name"] == "atmosphere_relative_vorticity"


def test_names_of_all_components_of_a_curl():
    names = ("x_wind", "y_wind", "upward_air_velocity")
    u, v, w = (
        in_plane(("height", "y", "x"), n, standard_name=name)
        for n, name in zip("uvw", names, strict=True)
    )
    made = xgradient.curl(x=u, y=v, height=w)
    found = [made[f"curl_{d}"].attrs.get("standard_name") for d in ("x", "y", "height")]
    assert found == [
        "atmosphere_x_relative_vorticity", "atmosphere_y_relative_vorticity",
        "atmosphere_relative_vorticity",
    ]  # fmt: skip
    assert "standard_name" not in xgradient.divergence(x=u, y=v, height=w).attrs


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("air_temperature", "tendency_of_air_temperature"),
        ("eastward_wind", "tendency_of_eastward_wind"),
        ("sea_water_salinity", "tendency_of_sea_water_salinity"),
        ("atmosphere_moles_of_methane", "tendency_of_atmosphere_moles_of_methane"),
        ("wind_speed", None),
        ("", None),
    ],
)
def test_names_of_tendencies(field, named):
    f = xr.DataArray(
        np.arange(4.0) ** 2,
        {"time": np.arange("2000-01-01", "2000-01-05", dtype="M8[D]").astype("M8[s]")},
        dims="time",
        name="f",
        attrs={"units": "K", "standard_name": field},
    )
    assert f.grad("time").attrs.get("standard_name") == named
    assert "standard_name" not in f.grad("time", deriv=2).attrs
    assert "standard_name" not in f.grad("time", spacing=2.0).attrs
    raw = f.assign_coords(time=("time", np.arange(4.0), {"units": "days since 2000-01-01"}))
    assert raw.grad("time").attrs.get("standard_name") == named
    place = f.rename(time="x").assign_coords(x=("x", np.arange(4.0), {"units": "s"}))
    assert "standard_name" not in place.grad("x").attrs


def test_names_of_derivatives_by_distance():
    u = on_globe("u", standard_name="eastward_wind")
    made = u.grad(["lon", "lat"], metric="sphere")
    assert made.du_dlon.attrs["standard_name"] == "eastward_derivative_of_eastward_wind"
    assert made.du_dlat.attrs["standard_name"] == "northward_derivative_of_eastward_wind"
    assert "standard_name" not in u.grad("lon").attrs  # per degree
    turned = u.copy()
    turned.lat.attrs["standard_name"] = "grid_latitude"
    assert "standard_name" not in turned.grad("lat", metric="sphere").attrs
    high = in_plane(["height"], "u", standard_name="eastward_wind")
    deep = in_plane(["depth"], "u", standard_name="eastward_wind")
    assert high.grad("height").attrs["standard_name"] == "upward_derivative_of_eastward_wind"
    assert "standard_name" not in deep.grad("depth").attrs
    chlorophyll = "mass_concentration_of_chlorophyll_a_in_sea_water"
    front = on_globe(standard_name=chlorophyll).grad.magnitude(metric="sphere")
    assert front.attrs["standard_name"] == f"magnitude_of_horizontal_gradient_of_{chlorophyll}"
    assert "standard_name" not in u.grad.magnitude(metric="sphere").attrs


# Flags


@pytest.mark.parametrize(
    "flags",
    [
        {"flag_values": np.array([0, 1], "i1"), "flag_meanings": "good bad"},
        {"flag_masks": np.array([1, 2], "i1"), "flag_meanings": "a b"},
        {"flag_meanings": "good bad"},
    ],
)
@pytest.mark.parametrize("place", ["attrs", "encoding"])
def test_flags_are_no_fields_of_a_dataset(flags, place):
    f = on_globe()
    flagged = (f > 1000).astype("i1").rename("quality")
    setattr(flagged, place, flags)
    ds = xr.Dataset({"f": f, "quality": flagged})
    alone = f.to_dataset()
    metric = {"metric": "sphere"}
    for call in (
        lambda ds: ds.grad("lat"),
        lambda ds: ds.grad(["lat", "lon"]),
        lambda ds: ds.grad({"lat": 1, "lon": 1}),
        lambda ds: ds.grad.magnitude(**metric),
        lambda ds: ds.grad.laplacian(**metric),
        lambda ds: ds.grad.hessian(**metric),
        lambda ds: ds.grad.advection(lon=f.rename("u"), lat=f.rename("v"), **metric),
    ):
        xr.testing.assert_identical(call(ds), call(alone))
    with pytest.raises(ValueError, match="its variables are 'quality', of which 'quality' holds f"):
        ds[["quality"]].grad("lat")
    assert flagged.grad("lat").name == "dquality_dlat"  # as it is asked for by itself
