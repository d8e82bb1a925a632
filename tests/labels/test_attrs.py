"""What results are called: names, units, long names, attributes and encodings."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from cf_xarray.units import units as registry

import xgradient  # noqa: F401  registers .grad
from xgradient.labels.attrs import (
    derivative_long_name,
    result_attrs,
    result_encoding,
    result_name,
)
from xgradient.labels.units import result_units

# Field, axis, order of the derivative, text. Written down by hand.
UNITS = [
    ("K", "degrees_north", 1, "K degrees_north-1"),
    ("K", "degrees_east", 1, "K degrees_east-1"),
    ("K", "degree_north", 2, "K degrees_north-2"),
    ("K", "degrees", 1, "K degrees-1"),
    ("K", "m", 1, "K m-1"),
    ("K", "m", 2, "K m-2"),
    ("K", "m", 3, "K m-3"),
    ("K", "metres", 2, "K m-2"),
    ("kelvin", "kilometers", 1, "K km-1"),
    ("K", "s", 1, "K s-1"),
    ("K", "hours", 1, "K h-1"),
    ("K", "1", 1, "K"),
    ("K", "", 1, "K"),
    ("m s-1", "m", 1, "s-1"),
    ("m s-1", "m", 2, "m-1 s-1"),
    ("m/s", "m", 1, "s-1"),
    ("m s**-1", "s", 1, "m s-2"),
    ("m2 s-2", "m", 1, "m s-2"),
    ("m^2/s^2", "m", 2, "s-2"),
    ("1/s", "m", 1, "m-1 s-1"),
    ("s-1", "s", 2, "s-3"),
    ("m", "m", 1, "1"),
    ("m", "km", 1, "m km-1"),
    ("hPa", "hPa", 1, "1"),
    ("hPa", "hPa", 2, "hPa-1"),
    ("hPa", "m", 1, "hPa m-1"),
    ("Pa", "hPa", 1, "Pa hPa-1"),
    ("Pa s-1", "Pa", 1, "s-1"),
    ("W/m^2", "m", 1, "W m-3"),
    ("W m-2", "m", 2, "W m-4"),
    ("J kg-1 K-1", "Pa", 1, "J K-1 kg-1 Pa-1"),
    ("kg m-2 s-1", "m", 1, "kg m-3 s-1"),
    ("kg/kg", "m", 1, "m-1"),
    ("g kg-1", "km", 1, "g kg-1 km-1"),
    ("mm/day", "m", 1, "mm d-1 m-1"),
    ("mm day-1", "km", 1, "mm d-1 km-1"),
    ("%", "m", 1, "% m-1"),
    ("percent", "m", 2, "% m-2"),
    ("1", "m", 1, "m-1"),
    ("1", "m", 2, "m-2"),
    ("", "m", 1, "m-1"),
    ("1", "1", 1, "1"),
    ("psu", "m", 1, "psu m-1"),
    ("PSU", "m", 1, "PSU m-1"),
    ("m s-1", "years", 1, "m s-1 yr-1"),
    ("mol m-3", "m", 1, "mol m-4"),
    ("K", "days since 2000-01-01", 1, "K d-1"),
    ("K", "hours since 1970-01-01 00:00:00", 2, "K h-2"),
    ("m", "rad", 1, "m rad-1"),
]

# A difference has no zero, and so no offset either.
OFFSETS = [
    ("degC", "m", 1, "K m-1"),
    ("degC", "m", 2, "K m-2"),
    ("degree_Celsius", "m", 1, "K m-1"),
    ("celsius", "km", 1, "K km-1"),
    ("°C", "s", 1, "K s-1"),
    ("degC", "days since 1970-01-01", 1, "K d-1"),
    ("degC s-1", "m", 1, "K m-1 s-1"),
    ("degC/m", "m", 1, "K m-2"),
    ("degC m", "s", 1, "K m s-1"),
    ("degC", "degC", 1, "1"),
    ("m", "degC", 1, "m K-1"),
    ("days since 2000-01-01", "m", 1, "d m-1"),
    ("hours since 2000-01-01", "hours since 1900-01-01", 1, "1"),
    ("days since 2000-01-01", "1", 1, "d"),
]

# Units that pint does not know are kept as text.
TEXTS = [
    ("dBZ", "km", 1, "dBZ km-1"),
    ("dBZ", "km", 2, "dBZ km-2"),
    ("dBZ", "m s-1", 1, "(dBZ)/(m s-1)"),
    ("some words here", "m", 1, "some words here m-1"),
    ("unknown", "m", 1, "unknown m-1"),
    ("octas", "m", 1, "octas m-1"),
    ("m of water equivalent", "s", 1, "m of water equivalent s-1"),
    ("1E11 e/m^3", "metres", 1, "1E11 e/m^3 metres-1"),
    ("1e-3", "m", 1, "1e-3 m-1"),
    ("(0 - 1)", "m", 1, "(0 - 1) m-1"),
    ("K", "level", 1, "K level-1"),
    ("K", "level", 2, "K level-2"),
    ("K", "some widget", 1, "(K)/(some widget)"),
    ("1", "widgets", 1, "widgets-1"),
    ("", "widgets", 2, "widgets-2"),
    ("gpm", "hPa", 1, "gpm hPa-1"),
    ("dBZ", "1", 1, "dBZ"),
    ("dBZ", "", 2, "dBZ"),
    ("dBZ", "days since 2000-01-01", 1, "dBZ days-1"),
    # The C is carbon, and neither degrees Celsius nor coulombs.
    ("mg C m-2 d-1", "m", 1, "mg C m-2 d-1 m-1"),
    ("mol C m-3", "s", 1, "mol C m-3 s-1"),
]


@pytest.mark.parametrize(("field", "axis", "deriv", "text"), UNITS + OFFSETS + TEXTS)
def test_units(field, axis, deriv, text):
    assert result_units(field, axis, deriv) == text


@pytest.mark.parametrize(("field", "axis"), [(None, None), ("K", None), (None, "m"), (None, "1")])
@pytest.mark.parametrize("deriv", [1, 2])
def test_absent_units_are_unknown(field, axis, deriv):
    assert result_units(field, axis, deriv) is None


@pytest.mark.parametrize(("field", "axis", "deriv", "text"), UNITS)
def test_the_text_means_the_quotient(field, axis, deriv, text):
    """pint reads back from our text the dimensions and the scale of field over axis."""

    def quantity(unit):
        return registry.Quantity(1.0, registry.parse_units(re.sub(r" since .*", "", unit or "1")))

    expected = (quantity(field) / quantity(axis) ** deriv).to_base_units()
    found = quantity(result_units(field, axis, deriv)).to_base_units()
    assert found.units == expected.units
    assert found.magnitude == pytest.approx(expected.magnitude, rel=1e-12)


@pytest.mark.parametrize("field", ["degC", "degF", "°C", "degree_Fahrenheit"])
def test_the_text_means_the_step_of_a_scale_with_an_offset(field):
    """One degree more is a change in kelvins, whatever the zero of the scale."""
    step = registry.Quantity(1.0, field).to("K") - registry.Quantity(0.0, field).to("K")
    unit = result_units(field, "km", 1)
    found = registry.Quantity(1.0, registry.parse_units(unit)).to_base_units()
    assert found.units == registry.parse_units("kelvin / meter")
    assert found.magnitude == pytest.approx(step.magnitude / 1000, rel=1e-9)


# pint's symbols that UDUNITS-2, by which CF reads units, does not know, or takes for something
# else: "nmi" is a nanomile there. Any spelling of UDUNITS will do.
FOREIGN = [
    ("degree", ("degree", "degrees", "arc_degree", "arcdeg")),
    ("°", ("degree", "degrees", "arc_degree", "°")),
    ("knot", ("knot", "knots", "kt")),
    ("kt", ("knot", "knots", "kt")),
    ("nautical_mile", ("nautical_mile", "nautical_miles")),
    ("micron", ("micron", "microns", "µm", "um", "micrometer")),
    ("sverdrup", ("sverdrup", "sverdrups")),
]


@pytest.mark.parametrize(("unit", "spellings"), FOREIGN)
def test_symbols_are_those_of_udunits(unit, spellings):
    assert result_units(unit, "s", 1) in {f"{s} s-1" for s in spellings}
    assert result_units("s", unit, 1) in {f"s {s}-1" for s in spellings}


@pytest.mark.parametrize(
    "odd",
    [
        "", " ", "\n", "-", "—", "?", "(", ")", "m)", "(m", "m**", "**", "^", "/", "m/", "/s",
        "m//s", "0", "nan", "inf", "1e400", "m1e9", "m-", "m s-", "--", "{}", "{0}", "%s", "\\",
        "'", '"', "import os", "__class__", "lambda: 0", "K ; x", "log(Pa)", "sqrt(m)", "since",
        "since then", "days since", "µ", "Ω", "度", "10 m", "m 10", "K" * 300, "m " * 50, "m**m",
        "1/0", "m/0", 5, 2.5, np.float64(1), np.int16(3), True, [1, 2], b"K", ("a",), {"a": 1},
        np.array([1, 2]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("deriv", [1, 2])
def test_odd_units_give_a_text_and_no_error(odd, deriv):
    for text in (result_units(odd, "m", deriv), result_units("K", odd, deriv)):
        assert isinstance(text, str)
        assert text
    assert isinstance(result_units(odd, odd, deriv), str)


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
