"""Sums of exponents give the text and the factors that pint gives, and import nothing."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from math import prod

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgradient.labels import unit_table
from xgradient.labels.udunits import read_units
from xgradient.labels.unit_powers import conversion_factor, dimension_of, reduced
from xgradient.labels.units import common_units, product_units, result_units

#: The canonical units of version 92 of the CF standard name table.
CANONICAL = """
% ; 1 ; 1e-3 ; 1e-3 kg m-2 ; 1e-3 kg s-1 ; 1e-3 s-1 ; 1e-6 ; Bq m-2 ; Bq m-3 ; Bq s m-3 ; Hz ; J
; J kg-1 ; J kg-1 K-1 ; J m-2 ; K ; K Pa s-1 ; K m ; K m s-1 ; K m-1 ; K m2 kg-1 s-1 ; K s ; K
s-1 ; K2 ; N m-1 ; N m-2 ; Pa ; Pa m ; Pa m s-1 ; Pa m s-2 ; Pa m-1 ; Pa s ; Pa s-1 ; Pa-1 s-1 ;
Pa2 s-2 ; S m-1 ; W ; W kg-1 ; W m-1 ; W m-1 K-1 ; W m-2 ; W m-2 m-1 ; W m-2 m-1 sr-1 ; W m-2
sr-1 ; W m-2 sr-1 (m-1)-1 ; W m-2 sr-1 m-1 ; W m-3 ; W s m-2 ; dB ; dBZ ; day ; dbar ; degree ;
degree m-1 ; degree s-1 ; degree_C ; degree_east ; degree_north ; degrees ; g kg-1 ; g m-2 ; g
m-3 ; kg ; kg degree_C m-2 ; kg kg-1 s-1 ; kg m-1 s-1 ; kg m-2 ; kg m-2 s-1 ; kg m-3 ; kg m-3
m-1 ; kg m-3 s-1 ; kg s-1 ; kg s-1 m-1 ; kg2 s-2 ; m ; m s-1 ; m s-2 ; m year-1 ; m-1 ; m-1 s ;
m-1 s-1 ; m-1 sr-1 ; m-2 ; m-2 s-1 ; m-3 ; m2 ; m2 s ; m2 s rad-1 ; m2 s-1 ; m2 s-2 ; m2 s-3 ;
m3 ; m3 s-1 ; m3 s-2 ; m4 s-1 ; mol ; mol kg-1 ; mol m-2 ; mol m-2 s-1 ; mol m-2 s-1 m-1 ; mol
m-2 s-1 m-1 sr-1 ; mol m-2 s-1 sr-1 ; mol m-3 ; mol m-3 s-1 ; mol mol-1 ; mol s-1 ; rad ; s ;
s-1 ; s-1 m-3 ; s-2 ; sr ; sr-1 ; year
"""
CF_UNITS = " ".join(CANONICAL.split()).split(" ; ")
COORDINATES = ["m", "km", "degrees_north", "degrees_east", "degrees", "s", "day", "hPa", "1"]
WORDS, PREFIXES = unit_table._words()
KNOWN = [
    word
    for word in [*WORDS, *(prefix + word for prefix in PREFIXES for word in WORDS)]
    if read_units(word) is not None
]


# -- pint as a judge ------------------------------------------------------------------------------


@cache
def registry():
    """A registry of pint that has the units of the table and no others."""
    units = pint.UnitRegistry(None)
    for name, *_, size in unit_table._prefix_rows():
        units.define(f"{name}- = {size}")
    for name, unit in unit_table._table().items():
        factors = [f"{factor} ** {n}" for factor, n in (unit.reference or {}).items()]
        base = "[]" if name == "radian" else f"[{name}]" if unit.reference is None else ""
        units.define(f"{name} = {base or ' * '.join([repr(unit.size), *factors])}")
    return units


def unit(powers):
    """The unit of pint with these exponents."""
    return prod((registry().Unit(n) ** p for n, p in powers.items()), start=registry().Unit(""))


def text_of(units):
    """A unit of pint as CF text."""
    parts = []
    for name, power in units._units.items():
        prefix, plain, _ = registry().parse_unit_name(name)[0]
        symbols = {row[0]: row[1] for row in unit_table._prefix_rows()}
        symbol = symbols.get(prefix, "") + unit_table._table()[plain].symbol
        symbol = symbol if unit_table.unit_named(symbol) == name else name
        parts.append((power < 0, name, f"{symbol}{'' if power == 1 else int(power)}"))
    return " ".join(part for _, _, part in sorted(parts)) or "1"


def reduced_by_pint(powers):
    """The reduced unit of pint and its factor; None where it takes a root, as hectares ** 0.5."""
    try:
        quantity = registry().Quantity(1.0, unit(powers)).to_reduced_units()
    except (pint.DimensionalityError, OverflowError):
        return None
    exact = all(power == int(power) for power in quantity.units._units.values())
    return quantity if exact else None


@pytest.mark.parametrize("text", CF_UNITS)
def test_canonical_units_of_cf_are_those_of_pint(text):
    powers = read_units(text)
    if powers is None:  # text such as dBZ and 1e-3
        assert text in {"dB", "dBZ"} or "1e-" in text
        return
    assert result_units(text, "1", 1) == text_of(unit(powers))
    for along in COORDINATES:
        by = unit(read_units(along))
        for deriv in (1, 2):
            assert result_units(text, along, deriv) == text_of(unit(powers) / by**deriv)
        assert product_units(text, along) == text_of(unit(powers) * by)
    quantity = reduced_by_pint(powers)
    common, factors = common_units([product_units(text, "1"), text], "a sum")
    assert common == text_of(quantity.units)
    assert factors == [quantity.magnitude] * 2


def test_every_word_with_every_prefix_is_that_of_pint():
    assert len(KNOWN) > 10_000
    for text in KNOWN:
        powers = read_units(text)
        assert product_units(text) == text_of(unit(powers)), text
        size = registry().Quantity(1.0, unit(powers)).to_root_units()
        root = {name: int(power) for name, power in size.units._units.items()}
        assert conversion_factor(powers, root) == size.magnitude, text


POWERS = st.dictionaries(
    st.sampled_from(KNOWN) | st.sampled_from([text for text in CF_UNITS if text in KNOWN]),
    st.integers(-3, 3).filter(bool),
    max_size=5,
)


def as_text(powers):
    return " ".join(f"{word}{'' if n == 1 else n}" for word, n in powers.items())


@given(POWERS, POWERS, st.integers(1, 3))
def test_products_and_quotients_are_those_of_pint(a, b, deriv):
    over, under = read_units(as_text(a)), read_units(as_text(b))
    expected = text_of(unit(over) / unit(under) ** deriv)
    assert result_units(as_text(a), as_text(b), deriv) == expected
    assert product_units(as_text(a), as_text(b)) == text_of(unit(over) * unit(under))


@given(POWERS)
def test_reduced_units_are_those_of_pint(powers):
    powers = read_units(as_text(powers))
    quantity, common = reduced_by_pint(powers), reduced(powers)
    assert dimension_of(common) == dimension_of(powers)
    if quantity is not None and text_of(quantity.units) == text_of(unit(common)):
        factor = conversion_factor(powers, common)
        assert factor == pytest.approx(quantity.magnitude, rel=1e-13)
    else:  # pint takes a root, or took one on the way
        assert any(abs(n) > 1 for name in powers for n in dimension_of({name: 1}).values())


@given(POWERS, POWERS)
def test_terms_of_a_sum_have_one_dimension(a, b):
    one, other = read_units(as_text(a)), read_units(as_text(b))
    same = unit(one).dimensionality == unit(other).dimensionality
    assert (dimension_of(one) == dimension_of(other)) is same


@pytest.mark.parametrize(
    ("text", "written", "factor"),
    [
        ("m ha", "m3", 1e4),
        ("ha m", "m3", 1e4),
        ("l m-1", "m2", 1e-3),
        ("K au l-2 m-1", "K l-2", 1.495978707e11),
    ],
)
def test_no_root_of_a_unit_is_taken(text, written, factor):
    """A length does not become the root of an area, whose exponent would not be an integer."""
    common, factors = common_units([text, text], "a sum")
    assert common == written
    assert factors == pytest.approx([factor] * 2)


# -- nothing is imported --------------------------------------------------------------------------

FIRST_CALLS = """
import sys
sys.modules["pint"] = None  # so that an import fails; xarray imports it where it is installed
import numpy as np, xarray as xr, xgradient
lat, lon = np.arange(-60, 61, 10.0), np.arange(0, 360, 10.0)
coords = {
    "time": np.arange(3).astype("M8[s]"),
    "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
    "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
    "x": ("x", np.arange(4.0), {"units": "m"}),
}
def field(units, *dims):
    shape = [np.size(coords[dim][1] if dim != "time" else coords[dim]) for dim in dims]
    values = np.arange(float(np.prod(shape))).reshape(shape)
    return xr.DataArray(values, {d: coords[d] for d in dims}, dims, "T", {"units": units})

T = field("K", "time", "lat", "lon")
assert T.grad("lat").units == "K degrees_north-1"
assert T.grad("time").units == "K s-1"
assert field("degC", "x").grad("x", deriv=2).units == "K m-2"
assert T.grad.magnitude(["lat", "lon"], metric="sphere").units == "K m-1"
assert T.grad.laplacian(["lat", "lon"], metric="sphere").units == "K m-2"
wind = field("m s-1", "lat", "lon")
assert xgradient.curl(lon=wind, lat=wind, metric="sphere").units == "s-1"
loaded = {"matplotlib", "cf_xarray", "cf_xarray.units"} & {*sys.modules}
assert not loaded, loaded
"""


def test_first_calls_import_no_library_of_units():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FIRST_CALLS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
