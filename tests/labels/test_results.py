"""Attributes that results keep and drop, and fields that a Dataset has."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

from ..support.labelled_fields import on_globe

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
