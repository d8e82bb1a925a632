"""Messages list fields and coordinates, not the variables that describe them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401
from xgradient.labels.helpers import field_names, helper_names


def described() -> xr.Dataset:
    """A field with every kind of helper that CF has, as files name them."""
    lev = {"bounds": "lev_bnds", "formula_terms": "a: a b: b ps: ps", "units": "1"}
    ds = xr.Dataset(
        {
            "t": (("lev", "lat"), np.zeros((2, 3)), {"cell_measures": "area: areacella"}),
            "u": (("lev", "lat"), np.zeros((2, 3))),
            "areacella": ("lat", np.ones(3)),
            "flag": ("lat", np.ones(3)),
            "lat_bnds": (("lat", "nv"), np.zeros((3, 2))),
            "lev_bnds": (("lev", "nv"), np.zeros((2, 2))),
            "season": (("lev", "nv"), np.zeros((2, 2))),
            "a": ("lev", np.zeros(2)),
            "b": ("lev", np.zeros(2)),
            "ps": ("lat", np.zeros(3)),
            "crs": ((), 0),
            "other": ((), 0),
            "unnamed": ((), 0, {"grid_mapping_name": "latitude_longitude"}),
        },
        {
            "lat": ("lat", [0.0, 1, 2], {"bounds": "lat_bnds", "climatology": "season"}),
            "lev": ("lev", [0.0, 1], lev),
        },
    )
    ds.t.attrs.update(ancillary_variables="flag", grid_mapping="crs: lat lev other: lat lev")
    return ds


HELPERS = {
    *("areacella", "flag", "lat_bnds", "lev_bnds", "season", "a", "b", "ps", "crs", "other"),
    *("unnamed", "nv"),
}


def test_every_kind_of_helper_is_known():
    ds = described()
    assert helper_names(ds) == HELPERS
    assert field_names(ds) == ["t", "u"]


def test_helpers_that_the_encoding_names():
    """xarray moves these attributes to the encoding when it decodes a file."""
    ds = described()
    for name in ("t", "lat", "lev"):
        ds[name].encoding.update(ds[name].attrs)
        ds[name].attrs = {}
    assert helper_names(ds) == HELPERS


def test_a_helper_that_is_a_dimension_or_is_gone():
    ds = described().drop_vars(["a", "flag"])
    ds.lev.attrs["formula_terms"] = "a: a b: b ps: lev"
    assert helper_names(ds) == HELPERS - {"a", "flag", "ps"}
    assert helper_names(xr.Dataset()) == set()
    assert helper_names(ds.t) == set()
    assert helper_names(ds.set_coords(["areacella", "crs"]).t) == {"areacella", "crs"}


def test_a_dimension_without_coordinate_is_no_helper():
    assert helper_names(xr.Dataset({"t": ("x", np.zeros(3))})) == set()


@pytest.mark.parametrize("decoded", [False, True])
@pytest.mark.parametrize(
    ("call", "there"),
    [
        (lambda ds: ds.grad("latt"), "there are 'lat', 'lev'$"),
        (lambda ds: ds.drop_vars("u").grad("nv"), "its variables are 't'$"),
        (
            lambda ds: ds.grad.curl(lev="w", lat="u"),
            "here; there are 'lat', 'lev', 't', 'u'$",
        ),
        (
            lambda ds: ds.grad("lat", metric={"lat": "e2"}),
            "has this name; there are 'lat', 'lev', 't', 'u'$",
        ),
    ],
)
def test_messages_list_no_helpers(call, there, decoded):
    ds = described()
    if decoded:
        ds = ds.set_coords(sorted(HELPERS & set(ds)))
    with pytest.raises(ValueError, match=there):
        call(ds)
