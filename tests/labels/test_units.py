"""Meanings of units, units that stay text, unknown units, and registries of other packages."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.labels import udunits
from xgradient.labels.udunits import read_units
from xgradient.labels.units import common_units, product_units, result_units

# -- the meaning of a text ------------------------------------------------------------------------

# What UDUNITS 2.2.28 says a step of one is, in SI base units, with radians: printed by cf-units.
MEANINGS = [
    (1.0, "m", "m ; metres ; 1 m"),
    (1000.0, "m", "km"),
    (0.01, "m", "cm"),
    (1e-06, "m", "um ; µm ; μm ; micron"),
    (1e-10, "m", "Å"),
    (0.025400000000000002, "m", "in ; inches"),
    (0.3048, "m", "feet ; ft"),
    (1200 / 3937, "m", "US_survey_feet ; US_survey_foot"),
    (0.9144000000000001, "m", "yd"),
    (1609.344, "m", "mi"),
    (1852.0, "m", "nautical_miles"),
    (1.0, "s", "s ; sec"),
    (60.0, "s", "minutes ; min"),
    (3600.0, "s", "h ; hr ; hours"),
    (86400.0, "s", "d ; days"),
    (604800.0, "s", "week"),
    (2629743.831225, "s", "months"),
    (31556925.9747, "s", "year ; yr"),
    (0.001, "s", "ms"),
    (1e-06, "s", "us"),
    (1e-09, "s", "ns"),
    (0.001, "kg", "g"),
    (1.0, "kg", "kg"),
    (1e-06, "kg", "mg"),
    (1e-09, "kg", "µg"),
    (1000.0, "kg", "t ; tonnes"),
    (0.45359237, "kg", "lb"),
    (1000000000000.0, "kg", "Pg"),
    (1000000000.0, "kg", "Tg"),
    (1.0, "K", "K ; kelvin ; degK ; degC ; deg_C ; degrees_C ; degrees_Celsius ; celsius ; °C ; ℃"),
    (0.5555555555555556, "K", "degF ; °F ; degR"),
    (1.0, "mol", "mol"),
    (0.001, "mol", "mmol"),
    (1e-06, "mol", "umol"),
    (1.0, "cd", "cd"),
    (1.0, "cd rad2", "lm"),
    (1.0, "m-2 cd rad2", "lx"),
    (1.0, "rad", "rad"),
    (0.001, "rad", "mrad"),
    (1.0, "rad2", "sr"),
    (0.017453292519943295, "rad", "degree ; degrees ; °"),
    (0.017453292519943295, "rad", "degrees_north ; degreeN ; degree_east ; degreesE"),
    (0.0002908882086657216, "rad", "arcmin"),
    (4.84813681109536e-06, "rad", "arcsec"),
    (1.0, "s-1", "Hz ; Bq ; 1/s"),
    (1000.0, "s-1", "kHz"),
    (1.0, "m2 s-2", "Gy ; Sv ; m2/s2"),
    (1.0, "s-1 mol", "kat"),
    (1.0, "m kg s-2", "N ; newtons"),
    (1e-05, "m kg s-2", "dyne"),
    (1.0, "m-1 kg s-2", "Pa ; pascals"),
    (100.0, "m-1 kg s-2", "hPa ; hectopascals ; mbar ; millibars"),
    (0.001, "m-1 kg s-2", "mPa"),
    (100000.0, "m-1 kg s-2", "bar"),
    (10000.0, "m-1 kg s-2", "dbar ; decibars"),
    (101325.0, "m-1 kg s-2", "atm"),
    (0.101325, "m-1 kg s-2", "µatm"),
    (133.322387415, "m-1 kg s-2", "mmHg"),
    (3386.3886403410006, "m-1 kg s-2", "inHg"),
    (1.0, "m2 kg s-2", "J"),
    (1000.0, "m2 kg s-2", "kJ"),
    (1e-07, "m2 kg s-2", "erg"),
    (1.60217733e-19, "m2 kg s-2", "eV"),
    (4.1868, "m2 kg s-2", "cal"),
    (1.0, "m2 kg s-3", "W"),
    (0.001, "m2 kg s-3", "mW"),
    (1.0, "m2 kg s-3 A-1", "V"),
    (1.0, "m2 kg s-3 A-2", "ohm ; Ω"),
    (1.0, "m-2 kg-1 s3 A2", "S"),
    (1.0, "m2 kg s-2 A-2", "H"),
    (1.0, "kg s-2 A-1", "T"),
    (1e-09, "kg s-2 A-1", "nT"),
    (1.0, "m2 kg s-2 A-1", "Wb"),
    (0.0010000000000000002, "m3", "l ; L"),
    (1.0000000000000002e-06, "m3", "ml"),
    (10000.0, "m2", "hectare ; ha"),
    (1000000.0, "m3 s-1", "sverdrup"),
    (0.5144444444444445, "m s-1", "knot ; knots ; kt ; kts"),
    (0.01, "m s-2", "gal"),
    (1e-05, "m s-2", "mGal"),
    (0.01, "1", "% ; percent"),
    (1e-06, "1", "ppm"),
    (1e-09, "1", "ppb"),
    (1.0, "m s-1", "m/s ; m.s-1 ; m·s-1 ; m*s**-1 ; m s^-1 ; m per s ; m / s"),
    (1.0, "m2", "m²"),
    (1.0, "m s-2", "m/s/s"),
    (1.0, "kg s-3 rad2", "W/m2 sr"),
    (1.0, "kg s-3 rad-2", "W/m2/sr"),
    (1.0, "m-2 kg s-1", "kg/(m2 s)"),
    (1.0, "m2 s2", "(m s)2"),
    (1.0, "m-1 s-1", "(m s)-1"),
    (1.0, "m2 s-2 K-1", "J/kg/K ; J/(kg K)"),
    (1.0, "1", "1 ; kg kg-1"),
    (0.001, "1", "g kg-1"),
    (1.1574074074074074e-08, "m s-1", "mm/day"),
    (2.7777777777777776e-07, "m s-1", "mm hr-1"),
    (1e-09, "m-3 kg", "ug/m3"),
    (0.0009999999999999998, "m-3 kg", "mg/L"),
    (999.9999999999998, "m-3 mol", "mol/L"),
    (1.1574074074074074e-07, "s-1", "%/day"),
    (1.0, "m-1 kg s-1", "Pa s"),
]
SPELLINGS = [
    (factor, base, text) for factor, base, texts in MEANINGS for text in texts.split(" ; ")
]

# Unknown to UDUNITS, or known to it in a sense that files do not mean, or no plain product.
STAY_TEXT = """
a.u. ; a.u ; u ; a ; b ; e ; C ; au. ; arb. units ; arbitrary units ; none ; None ; - ; -- ; n/a ;
unknown ; undefined ; unitless ; dimensionless ; nondim ; fraction ; 0-1 ; (0 - 1) ; ratio ; index ;
counts ; count ; counts/s ; DN ; number ; # ; #/cm3 ; level ; layer ; sigma ; code ; bits ; pixels ;
psu ; PSU ; PSS-78 ; pss ; DU ; dobson ; TECU ; octas ; tenths ; permil ; ‰ ; per mil ; NTU ; FTU ;
dB ; dBZ ; dBz ; dBm ; Np ; bel ; log(Pa) ; lg(re mW) ; log10(m) ; sqrt(m) ; ppt ; pptv ; ppmv ;
deg ; deg C ; degrees C ; degree F ; F ; degrees north ; deg/s ; gpm ; gpdam ; gC m-2 ;
mol C m-3 ; molecules cm-2 ; mph ; kph ; mins ; hrs ; yrs ; mols ; lbs ; Pas ; kn ;
mb ; oz ; ton ; at ; nt ; ph ; pt ; M ; AU ; pc ; ly ; c ; k_B ; hartree ; planck_constant ; grad ;
G ; R ; P ; Da ; e- ; X ; lat ; hour of day ; 10 m ; 1e-3 ; 1e99999 m ; 10**999999 m ; 1.5 m ; m.1 ;
m 2 ; m 10 ; m -2 ; m- 2 ; m ^2 ; m ** 2 ; m2s ; m^2^2 ; m**9**9**9 ; m^9^9 ; m0 ; m100 ; m** ;
m// ; m//s ; /s ; m/ ; m. ; .s ; m..s ; (m ; m) ; () ; m() ; W m⁻² ; W m^{-2} ; s@1 ; m٢ ; 1/0 ; 2
"""
TEXTS = " ".join(STAY_TEXT.split()).split(" ; ")


@pytest.mark.parametrize(("factor", "base", "text"), SPELLINGS)
def test_a_text_means_what_it_means_to_udunits(factor, base, text):
    common, factors = common_units([base, text], "a sum")
    assert factors[1] / factors[0] == pytest.approx(factor, rel=1e-12)
    assert common == base or "rad" in base  # which is a number
    # What is written means the same as what was read.
    assert common_units([text, product_units(text)], "a sum")[1] in ([1.0, 1.0], [factor, factor])


@pytest.mark.parametrize("text", TEXTS)
def test_all_else_stays_text(text):
    assert read_units(text) is None
    assert result_units(text, "1", 1) == text
    assert result_units(text, "m", 2) == f"{text} m-2"
    assert text in result_units("K", text, 1)
    assert product_units(text, "s-1") == f"{text} s-1"
    assert common_units([text, "K"], "a sum") == (None, [1.0, 1.0])


def test_the_tables_are_those_of_the_library():
    cf_units = pytest.importorskip("cf_units")
    metre = cf_units.Unit("m")
    for factor, base, text in SPELLINGS:
        step = cf_units.Unit(text) * metre  # without an offset
        assert step.convert(1.0, cf_units.Unit(base) * metre) == pytest.approx(factor, rel=1e-12)


def test_every_word_with_every_prefix_is_read_as_the_library_reads_it():
    cf_units = pytest.importorskip("cf_units")
    units, prefixes = udunits._words()
    metre = cf_units.Unit("m")
    for text in [*units, *(prefix + unit for prefix in prefixes for unit in units)]:
        if read_units(text) is not None:
            step, written = cf_units.Unit(text) * metre, cf_units.Unit(product_units(text)) * metre
            assert step.convert(1.0, written) == pytest.approx(1, rel=1e-9), text


@pytest.mark.parametrize(
    ("text", "written"),
    [("milliinch", "milliinch"), ("femtotonne", "femtometric_ton"), ("centiday", "centiday")],
)
def test_a_symbol_that_means_another_unit_is_written_in_words(text, written):
    assert result_units(text, "1", 1) == written
    assert read_units(written) == read_units(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"m s-1", "s-1"), (np.str_("m s-1"), "s-1"), (["m s-1"], "s-1"), (1, "m-1"),
        (np.array("m s-1"), "s-1"), (np.array(["m s-1"]), "s-1"), (np.bytes_(b"m"), "1"),
        (" m\n", "1"), ("m\ns", "(m\ns) m-1"), ("", "m-1"), ("  ", "m-1"), ("1", "m-1"),
        (["m", "s"], "['m', 's'] m-1"), (2.5, "2.5 m-1"), (b"\xff", "\ufffd m-1"),
    ],
)  # fmt: skip
def test_attributes_of_any_type(value, text):
    assert result_units(value, "m", 1) == text.replace("(m\ns)", "m\ns")
    assert result_units("K", value, 1)
    assert common_units([value, value], "a sum")[1] == [1.0, 1.0]


def test_an_unknown_word_is_kept_beside_a_rate():
    x = {"x": ("x", np.arange(4.0), {"units": "m"}), "y": ("y", np.arange(4.0), {"units": "m"})}
    salt = xr.DataArray(np.ones((4, 4)), x, ("y", "x"), "S", {"units": "psu"})
    flow = xr.DataArray(np.ones((4, 4)), x, ("y", "x"), "u", {"units": "m s-1"})
    assert salt.grad.advection(x=flow, y=flow).units == "psu s-1"
    assert {one.units for one in salt.grad.hessian(["x", "y"]).values()} == {"psu m-2"}
    assert salt.grad.laplacian(["x", "y"]).units == "psu m-2"


# -- absent units are unknown ---------------------------------------------------------------------


def field(units="K", along="m", dims=("y", "x"), name="T"):
    """A field over two coordinates; None leaves units out."""
    attrs = {} if along is None else {"units": along}
    coords = {dim: (dim, np.arange(5.0), attrs) for dim in dims}
    values = np.add.outer(np.arange(5.0) ** 2, np.arange(5.0))
    return xr.DataArray(values, coords, dims, name, {} if units is None else {"units": units})


def unit_of(result):
    """The units of a result, or of all variables of a Dataset, where they are the same."""
    if isinstance(result, xr.DataArray):
        return result.attrs.get("units")
    (unit,) = {one.attrs.get("units") for one in result.values()}
    return unit


OPERATORS = {
    "grad": lambda a: a.grad("x"),
    "second": lambda a: a.grad("x", deriv=2),
    "all": lambda a: a.grad(),
    "magnitude": lambda a: a.grad.magnitude(["x", "y"]),
    "laplacian": lambda a: a.grad.laplacian(["x", "y"]),
    "hessian": lambda a: a.grad.hessian(["x", "y"]),
    "divergence": lambda a: xgradient.divergence(x=a, y=a),
    "curl": lambda a: xgradient.curl(x=a, y=a),
    "jacobian": lambda a: xgradient.jacobian(x=a, y=a.rename("v")),
    "strain": lambda a: xgradient.strain(x=a, y=a)[["normal_deformation", "shear_deformation"]],
    "okubo_weiss": lambda a: xgradient.strain(x=a, y=a).okubo_weiss,
    "advection": lambda a: a.grad.advection(x=a, y=a),
    "directional": lambda a: a.grad.directional(x=a, y=a),
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
@pytest.mark.parametrize(
    ("units", "along"), [(None, "m"), ("K", None), (None, None), ("psu", None)]
)
def test_no_operator_makes_units_up(operator, units, along):
    assert unit_of(operator(field(units, along))) is None


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_all_operators_say_what_is_known(operator):
    assert unit_of(operator(field("m", "m"))) in {"1", "m-1", "m"}
    assert unit_of(operator(field("1", "1"))) == "1"
    assert unit_of(operator(field("", ""))) == "1"


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_a_dimension_without_a_coordinate_counts_steps(operator):
    bare = field("K").drop_vars(["x", "y"])
    squared = {"advection", "okubo_weiss"}
    name = next(n for n, one in OPERATORS.items() if one is operator)
    assert unit_of(operator(bare)) == ("K2" if name in squared else "K")


def test_steps_keep_text_and_dates_are_seconds():
    assert unit_of(field("psu").drop_vars("x").grad("x")) == "psu"
    time = field("K", None).assign_coords(x=np.arange(5).astype("M8[s]"))
    assert time.grad("x").units == "K s-1"
    assert unit_of(field(None, None).assign_coords(x=time.x).grad("x")) is None


def test_positions_that_are_given_have_the_units_that_they_say():
    one = field("K", "m")
    assert unit_of(one.grad("x", spacing=0.5)) is None
    assert unit_of(one.grad("x", spacing=np.arange(5.0))) is None
    assert unit_of(one.drop_vars("x").grad("x", spacing=2.0)) is None
    assert unit_of(one.grad("x", spacing=np.timedelta64(2, "h"))) == "K s-1"
    assert unit_of(one.grad("x", spacing=xr.DataArray(2.0, attrs={"units": "km"}))) == "K km-1"
    assert unit_of(one.grad("x", spacing=xr.DataArray(2.0))) is None


def test_a_unit_named_none_is_not_taken_for_none():
    """What is kept of a coordinate with one of them does not serve the other."""
    x = xr.Variable("x", np.arange(5.0))
    bare = xr.DataArray(np.arange(5.0), {"x": x}, "x", "T", {"units": "K"})
    said = bare.assign_coords(x=bare.x.assign_attrs(units="None"))
    for _ in range(2):
        assert unit_of(bare.grad("x")) is None
        assert said.grad("x").units == "K None-1"


def test_arithmetic_that_lost_the_units_of_a_flux():
    """q u without attributes is no divergence in m-1."""
    lat, lon = np.arange(-60, 61, 10.0), np.arange(0, 360, 10.0)
    u = xr.DataArray(np.ones((13, 36)), {"lat": lat, "lon": lon}, ("lat", "lon"), "u")
    T = u.rename("T").assign_attrs(units="K")
    assert unit_of(xgradient.divergence(lon=u, lat=u, metric="sphere")) is None
    assert unit_of(T.grad.advection(lon=u, lat=u, metric="sphere")) is None
    assert T.grad("lat", metric="sphere").units == "K m-1"
    wind = u.assign_attrs(units="m s-1")
    assert xgradient.divergence(lon=wind, lat=wind, metric="sphere").units == "s-1"
    # One component alone tells nothing where the metric mixes both.
    half = xgradient.jacobian(lon=wind, lat=u.rename("v"), metric="sphere")
    assert unit_of(half) is None
    half = xgradient.strain(lon=wind, lat=u.rename("v"), metric="sphere")
    assert unit_of(half) is None


@pytest.mark.parametrize("units", ["", " ", "1", None, "m"])
def test_scale_factors_are_metres(units):
    """As in WRF, where the quotient of DX and a map factor has the units of the map factor."""
    T = field("K", None)
    attrs = {} if units is None else {"units": units}
    factor = xr.DataArray(3000.0 / (1 + 0.01 * T.values), dims=("y", "x"), attrs=attrs)
    ds = T.to_dataset().assign(factor=factor)
    for metric in ({"x": factor, "y": factor}, {"x": "factor", "y": "factor"}):
        assert ds[["T", "factor"]].grad("x", metric=metric).dT_dx.units == "K m-1"
    assert T.grad.laplacian(["x", "y"], metric={"x": factor, "y": factor}).units == "K m-2"
    assert T.grad("x", metric={"x": 3000.0}).units == "K m-1"
    far = factor.assign_attrs(units="km")
    assert T.grad("x", metric={"x": far}).units == "K km-1"


# -- texts that would take long -------------------------------------------------------------------

LONG = {
    "powers": "m**9**9**9",
    "hats": "m^9^9",
    "blanks": "days " + " " * 100_000 + "since 2000-01-01",
    "a word": "m" * 20_000,
    "brackets": "(" * 400 + "m" + ")" * 400,
    "few brackets": "(" * 11 + "m" + ")" * 11,
    "a number": "1e99999 m",
    "a power": "10**999999 m",
    "digits": "m" + "9" * 900,
    "an exponent": "m100",
    "superscripts": "m⁹⁹⁹",
    "a product": "m " * 50_000,
    "bytes": b"m" * 20_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_texts_are_not_parsed(text, monkeypatch):
    plain = text.decode() if isinstance(text, bytes) else text

    def refuse(*args):
        assert args[-1] in {"1", "K", "m"}, "a long text is parsed"
        return {}

    if not plain.startswith(("m**9", "m^9")):  # which are short, and fail at once
        monkeypatch.setattr(udunits, "_parse", refuse)
    assert plain.strip() in result_units(text, "1", 1)
    assert plain in result_units("K", text, 1)
    assert plain in product_units(text, text)
    assert common_units([text, "K"], "a sum") == (None, [1.0, 1.0])
    assert field(text).grad("x").units
    assert field("K", text).grad("x").units


@pytest.mark.parametrize("text", ["m99", "m-99", "((((((((((m))))))))))", "m " * 98 + "m"])
def test_what_is_just_within_bounds_is_read(text):
    assert set(read_units(text).values()) <= {1, 99, -99}


@pytest.mark.parametrize("text", ["(m99)9", "(((km99)99)99)99", "m99 m", "m " * 100])
def test_exponents_stay_within_bounds_together(text):
    assert read_units(text) is None


def test_factors_beyond_all_numbers_are_unknown():
    assert common_units(["Ym99", "m99"], "a sum") == (None, [1.0, 1.0])


# -- nothing else is disturbed --------------------------------------------------------------------

CALL = """
import xarray as xr, xgradient
x = {"x": ("x", [0.0, 1.0, 2.0], {"units": "km"})}
def call():
    field = xr.DataArray([280.0, 281.0, 283.0], x, name="t", attrs={"units": "degC s-1"})
    assert field.grad("x").units == "K km-1 s-1"
    field.grad.laplacian(["x"])
"""

PINT = """
import pickle, pint
ours = pint.UnitRegistry()
ours.define("smoot = 1.7018 * meter")
default = pint.get_application_registry().get()
before = pickle.dumps(pint.Quantity(2.0, "m"))
formats, contexts = set(pint.formatting.REGISTERED_FORMATTERS), set(default._contexts)
call()
assert pint.get_application_registry().get() is default
assert pint.formatting.REGISTERED_FORMATTERS.keys() == formats
assert set(default._contexts) == contexts
assert (pickle.loads(before) + pint.Quantity(1.0, "m")).magnitude == 3.0
assert ours.Quantity(1.0, "smoot").to("m").magnitude == 1.7018
assert "degrees_north" not in default
pint.set_application_registry(ours)
call()
assert pint.get_application_registry().get() is ours
assert pickle.loads(pickle.dumps(ours.Quantity(1.0, "smoot"))) == ours.Quantity(1.0, "smoot")
"""

HOSTILE = """
import pint
other = pint.UnitRegistry()
other.define("@alias second = m")
other.formatter.default_format = "~P"
pint.set_application_registry(other)
call()
"""

BARE = """
import sys
sys.modules.update(dict.fromkeys(["matplotlib", "dask", "scipy", "netCDF4", "uncertainties"]))
"""

METPY = """
import pickle
from metpy.units import units
import metpy.calc as mp
def theta():
    got = mp.potential_temperature(850 * units.hPa, 280 * units.K)
    assert abs(got.m_as("K") - 293.3) < 0.1
    assert pickle.loads(pickle.dumps(got)) - got == 0 * units.K
    wind = xr.DataArray([1.0, 2.0], dims="x", attrs={"units": "knots"}).metpy.quantify()
    assert abs((wind.metpy.convert_units("m/s").values[0]) - 0.514444) < 1e-5
"""


def runs(*parts, warn="error"):
    """Run a program in a process of its own, in which warnings are errors."""
    command = [sys.executable, "-W", warn, "-c", "\n".join(parts)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_registries_of_others_are_as_they_were():
    runs(CALL, PINT)


@pytest.mark.slow
def test_what_others_do_to_their_registry_changes_nothing():
    runs(CALL, HOSTILE)


@pytest.mark.slow
def test_nothing_optional_is_asked_for():
    runs(BARE, CALL, "call()", "call()", "assert 'cf_xarray.units' not in sys.modules")


@pytest.mark.parametrize(
    "order",
    [
        (METPY, CALL, "theta()", "call()", "theta()", "call()"),
        (CALL, "call()", METPY, "theta()", "call()", "theta()"),
        (CALL, METPY, "call()", "theta()"),
    ],
)
def test_metpy_works_before_and_after(order):
    pytest.importorskip("metpy")
    runs("import xarray as xr", *order, warn="default")
