"""Texts of units of derivatives."""

from __future__ import annotations

import re

import numpy as np
import pytest

import xgradient  # noqa: F401  registers .grad
from xgradient.labels.units import result_units


@pytest.fixture
def registry():
    """The registry of cf-xarray, which takes half a second to make."""
    from cf_xarray.units import units

    return units


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
def test_the_text_means_the_quotient(field, axis, deriv, text, registry):
    """pint reads back from our text the dimensions and the scale of field over axis."""

    def quantity(unit):
        return registry.Quantity(1.0, registry.parse_units(re.sub(r" since .*", "", unit or "1")))

    expected = (quantity(field) / quantity(axis) ** deriv).to_base_units()
    found = quantity(result_units(field, axis, deriv)).to_base_units()
    assert found.units == expected.units
    assert found.magnitude == pytest.approx(expected.magnitude, rel=1e-12)


@pytest.mark.parametrize("field", ["degC", "degF", "°C", "degree_Fahrenheit"])
def test_the_text_means_the_step_of_a_scale_with_an_offset(field, registry):
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
