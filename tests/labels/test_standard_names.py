"""CF standard names of derivatives, divergences and vorticities."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.labelled_fields import on_globe

Z = np.array([0.0, 10, 30, 60])


def in_plane(dims, name="f", **attrs):
    at = {"x": Z, "y": Z, "height": Z, "depth": Z}
    coords = {d: (d, at[d], {"units": "m"}) for d in dims}
    if "height" in dims:
        coords["height"][2]["positive"] = "up"
    if "depth" in dims:
        coords["depth"][2]["positive"] = "down"
    values = sum(xr.DataArray(at[d], dims=d) ** 2 for d in dims)
    return values.assign_coords(coords).rename(name).assign_attrs({"units": "m s-1"} | attrs)


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
