"""What results are called: names, units, long names, attributes and encodings."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad
from xgradient.labels.attrs import (
    derivative_long_name,
    result_attrs,
    result_encoding,
    result_name,
)


@pytest.mark.parametrize(
    ("name", "coord", "deriv", "expected"),
    [
        ("T", "lat", 1, "dT_dlat"),
        ("T", "lat", 2, "d2T_dlat2"),
        ("T", "lat", 11, "d11T_dlat11"),
        (None, "x", 1, "d_dx"),
        (None, "x", 2, "d2_dx2"),
        ("sea level", "my time", 1, "dsea level_dmy time"),
        (3, 4, 1, "d3_d4"),
        ("", "x", 1, "d_dx"),
        (0, "x", 1, "d0_dx"),
    ],
)
def test_names(name, coord, deriv, expected):
    assert result_name(name, coord, deriv) == expected


@pytest.mark.parametrize(
    ("deriv", "words"),
    [
        (1, "derivative"), (2, "2nd derivative"), (3, "3rd derivative"), (4, "4th derivative"),
        (11, "11th derivative"), (12, "12th derivative"), (13, "13th derivative"),
        (21, "21st derivative"), (22, "22nd derivative"), (112, "112th derivative"),
    ],
)  # fmt: skip
def test_long_name_says_which_derivative(deriv, words):
    long_name = derivative_long_name({"long_name": "height"}, "h", "distance", deriv)
    assert long_name == f"{words} of height with respect to distance"


@pytest.mark.parametrize(
    ("attrs", "name", "words"),
    [
        ({"long_name": "Air temperature"}, "t", "Air temperature"),
        ({"long_name": "a_b", "standard_name": "air_temperature"}, "t", "a_b"),
        ({"standard_name": "air_temperature"}, "t", "air temperature"),
        ({}, "air_temperature", "air temperature"),
        ({"long_name": ""}, "t", "t"),
        ({}, 3, "3"),
    ],
)
def test_long_name_says_of_what(attrs, name, words):
    long_name = derivative_long_name(attrs, name, "x", 1)
    assert long_name == f"derivative of {words} with respect to x"


def test_nothing_to_call_it():
    assert derivative_long_name({}, None, "x", 1) is None
    assert result_attrs({}, None, None) == {}


def test_attrs_are_kept_but_for_those_that_no_longer_hold():
    attrs = {
        "standard_name": "air_temperature",
        "units": "K",
        "long_name": "T",
        "cell_methods": "time: mean",
        "grid_mapping": "crs",
        "comment": "c",
        "number": 3,
        "list": [1, 2],
        4: "not a text",
    }
    before = dict(attrs)
    found = result_attrs(attrs, "K m-1", derivative_long_name(attrs, "t", "x", 1))
    assert found == {
        "grid_mapping": "crs",
        "comment": "c",
        "number": 3,
        "list": [1, 2],
        4: "not a text",
        "units": "K m-1",
        "long_name": "derivative of T with respect to x",
    }
    assert attrs == before


SHARED = """
from cf_xarray.units import units
units.define("degrees_north = degree = degrees_N = degreesN = degree_north = degree_N")
units.define("degrees_east = degree = degrees_E = degreesE = degree_east = degree_E")
units.define("dBz = 1e-18 m^3; logbase: 10; logfactor: 10 = dBZ")
from xgradient.labels.units import result_units
for field, axis in (("K", "degrees_north"), ("K", "degreeE"), ("dBZ", "km"), ("dB", "m s-1")):
    print(result_units(field, axis, 1))
"""


@pytest.mark.slow
def test_units_do_not_depend_on_who_else_has_the_registry():
    """MetPy gives the units of everybody other symbols, and xarray loads it to open a file."""
    run = subprocess.run([sys.executable, "-c", SHARED], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "K degrees_north-1", "K degrees_east-1", "dBZ km-1", "(dB)/(m s-1)",
    ]  # fmt: skip


def test_encoding_keeps_the_map_and_no_packing():
    packed = {
        "dtype": np.dtype("int16"), "scale_factor": 0.01, "add_offset": 273.15, "_FillValue": -1,
        "missing_value": -1, "zlib": True, "chunksizes": (1, 2), "compressors": (), "units": "K",
        "calendar": "noleap", "original_shape": (3,), "source": "file.nc",
        "grid_mapping": "crs", "coordinates": "area height",
    }  # fmt: skip
    found = result_encoding(packed)
    assert found == {"grid_mapping": "crs", "coordinates": "area height"}
    assert result_encoding({}) == {}


def test_a_packed_field_goes_round_a_file_unspoilt(tmp_path):
    """Packing made for kelvins would turn a gradient of 0.01 K per metre into 273 or into 0."""
    field = xr.DataArray(
        273.15 + np.arange(5) * 0.1, {"x": ("x", np.arange(5.0), {"units": "m"})}, name="t"
    )
    packing = {"dtype": "int16", "scale_factor": 0.1, "add_offset": 273.15, "_FillValue": -9999}
    field.to_netcdf(tmp_path / "in.nc", encoding={"t": packing})
    with xr.open_dataset(tmp_path / "in.nc") as opened:
        assert "scale_factor" in opened.t.encoding
        opened.t.grad("x").to_netcdf(tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc") as back:
        np.testing.assert_allclose(back.dt_dx, 0.1, rtol=1e-9)
