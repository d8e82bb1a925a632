"""The units and prefixes of UDUNITS that are read, with their words and their sizes."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

#: Integer exponents by unit name.
Powers = dict[str, int]

#: Each prefix: its name, its symbols (the first one is written) and its value.
_PREFIXES = """
yotta Y 1e24, zetta Z 1e21, exa E 1e18, peta P 1e15, tera T 1e12, giga G 1e9, mega M 1e6,
kilo k 1e3, hecto h 1e2, deka da 1e1, deci d 1e-1, centi c 1e-2, milli m 1e-3, micro µ μ u 1e-6,
nano n 1e-9, pico p 1e-12, femto f 1e-15, atto a 1e-18, zepto z 1e-21, yocto y 1e-24
"""

#: Each unit: its name and size; symbols (the first one is written) and names without a regular
#: plural; names with one. A base unit has no size. Sizes are those of UDUNITS. Words of UDUNITS
#: that files use in another sense are left out: C (carbon), F, a, u, b, e, mb, oz, ppt, DU, counts.
_UNITS = """
meter | m | meter metre
gram | g | gram
second | s | second sec
ampere | A | ampere amp
mole | mol | mole
candela | cd | candela
kelvin | K °K degK deg_K degree_K degrees_K degreeK degreesK °C ℃ degC deg_C\
 degree_C degrees_C degreeC degreesC celsius Celsius degree_Celsius degrees_Celsius\
 degree_celsius degrees_celsius | kelvin
fahrenheit = 1/1.8 kelvin | °F ℉ degF deg_F degree_F degrees_F degreeF degreesF fahrenheit\
 degree_fahrenheit degrees_fahrenheit degree_Fahrenheit degrees_Fahrenheit |
rankine = 1/1.8 kelvin | °R degR deg_R degree_R degrees_R degreeR degreesR degree_rankine |
percent = 0.01 | % percent |
ppm = 1e-6 | ppm |
ppb = 1e-9 | ppb |
radian = 1 | rad | radian
steradian = 1 radian2 | sr | steradian
arc_degree = 0.017453292519943295 radian | degree ° | arc_degree angular_degree arcdeg
degrees = 1 arc_degree | degrees |
degrees_north = 1 arc_degree | degrees_north degree_north degrees_N degree_N degreesN degreeN |
degrees_east = 1 arc_degree | degrees_east degree_east degrees_E degree_E degreesE degreeE |
arcminute = 1/60 arc_degree | arcmin | arc_minute arcminute arcmin
arcsecond = 1/3600 arc_degree | arcsec | arc_second arcsecond arcsec
minute = 60 second | min | minute
hour = 3600 second | h hr | hour
day = 86400 second | d | day
week = 604800 second | week | week
year = 31556925.9747 second | yr | year
month = 1/12 year | month | month
hertz = 1 second-1 | Hz | hertz
becquerel = 1 second-1 | Bq | becquerel
newton = 1e3 gram meter second-2 | N | newton
pascal = 1 newton meter-2 | Pa | pascal
joule = 1 newton meter | J | joule
watt = 1 joule second-1 | W | watt
coulomb = 1 ampere second | coulomb | coulomb
volt = 1 watt ampere-1 | V | volt
farad = 1 coulomb volt-1 | farad | farad
ohm = 1 volt ampere-1 | Ω Ω | ohm
siemens = 1 ampere volt-1 | S | siemens
weber = 1 volt second | Wb | weber
tesla = 1 weber meter-2 | T | tesla
henry = 1 weber ampere-1 | H | henry
lumen = 1 candela steradian | lm | lumen
lux = 1 lumen meter-2 | lx | lux
katal = 1 mole second-1 | kat | katal
gray = 1e-3 joule gram-1 | Gy | gray
sievert = 1e-3 joule gram-1 | Sv | sievert
liter = 1e-3 meter3 | l L | liter litre
metric_ton = 1e6 gram | t | metric_ton tonne
hectare = 1e4 meter2 | ha | hectare
angstrom = 1e-10 meter | Å Å | angstrom
micron = 1e-6 meter | micron | micron
inch = 0.0254 meter | in | inch international_inch
foot = 0.3048 meter | ft foot feet international_foot international_feet |
US_survey_foot = 1200/3937 meter | US_survey_foot US_survey_feet |
yard = 0.9144 meter | yd | yard international_yard
mile = 1609.344 meter | mi | mile international_mile
nautical_mile = 1852 meter | nautical_mile | nautical_mile nmile
astronomical_unit = 1.495978707e11 meter | au | astronomical_unit
pound = 453.59237 gram | lb | pound avoirdupois_pound
knot = 1852/3600 meter second-1 | knot kt kts | knot international_knot
gal = 0.01 meter second-2 | Gal | gal
sverdrup = 1e6 meter3 second-1 | sverdrup | sverdrup
dyne = 1e-5 newton | dyne | dyne
bar = 1e5 pascal | bar | bar
standard_atmosphere = 101325 pascal | atm | atmosphere standard_atmosphere
torr = 133.322387415 pascal | mmHg mm_Hg | torr
inch_Hg = 3386.388640341 pascal | inHg in_Hg inch_Hg inches_Hg |
erg = 1e-7 joule | erg | erg
electronvolt = 1.60217733e-19 joule | eV | electronvolt electron_volt
calorie = 4.1868 joule | cal | calorie IT_calorie
poise = 0.1 pascal second | poise | poise
stokes = 1e-4 meter2 second-1 | St | stokes
"""

#: Words that look like a prefix and a unit above, but are other units of UDUNITS.
_OTHERS = {"at", "microN", "nt", "ph", "pt"}
#: Units that take no prefix.
_WITHOUT_PREFIX = {"percent", "hectare"}


class Unit(NamedTuple):
    """A unit of the table, with or without a prefix.

    Attributes
    ----------
    symbol : str
        How the unit is written.
    size : int or float
        Size in units of `reference`.
    reference : dict or None
        Exponents by unit name; None for a base unit.
    """

    symbol: str
    size: float
    reference: Powers | None


def unit_named(word: str) -> str | None:
    """Return the name of the unit that a word means; None for other words.

    A word that is no unit itself is split after its longest prefix. As in UDUNITS, shorter
    prefixes are not tried.
    """
    units, prefixes = _words()
    if word in units or word in _OTHERS:
        return units.get(word)
    for n in range(min(len(word) - 1, 5), 0, -1):
        if word[:n] in prefixes:
            unit = units.get(word[n:])
            return None if unit is None or unit in _WITHOUT_PREFIX else prefixes[word[:n]] + unit
    return None


@cache
def is_unit_name(name: str) -> bool:
    """Return True for names in the table, with a prefix or without; False for other words."""
    return name in _table() or any(
        name.startswith(row[0]) and name.removeprefix(row[0]) in _table() for row in _prefix_rows()
    )


@cache
def unit_of(name: str) -> Unit:
    """Return the symbol and the size of a unit by its name, such as "kilometer"."""
    table = _table()
    if name in table:
        return table[name]
    prefix, symbol, *_, size = next(row for row in _prefix_rows() if name.startswith(row[0]))
    unit = name.removeprefix(prefix)
    return Unit(symbol + table[unit].symbol, float(size), {unit: 1})


@cache
def _words() -> tuple[dict[str, str], dict[str, str]]:
    """Return names of units by word, and names of prefixes by word."""
    units = {}
    for definition, symbols, names in _unit_rows():
        regular = names.split()
        for word in (*symbols.split(), *regular, *map(_plural, regular)):
            units[word] = definition.split()[0]
    return units, {word: row[0] for row in _prefix_rows() for word in row[:-1]}


@cache
def _table() -> dict[str, Unit]:
    """Return all units without prefixes by name."""
    table = {}
    for definition, symbols, _ in _unit_rows():
        name, _, text = definition.strip().partition(" = ")
        size, *factors = text.split() or ["1"]
        reference = dict(_factor(factor) for factor in factors) if text else None
        table[name] = Unit(symbols.split()[0], _number(size), reference)
    return table


def _factor(text: str) -> tuple[str, int]:
    """Split "second-2" into the name and the exponent."""
    name, power = re.fullmatch(r"(\D+?)(-?\d*)", text).groups()  # type: ignore[union-attr]
    return name, int(power or 1)


def _number(text: str) -> float:
    """Read an integer, a float or a quotient; powers of integers are exact."""
    over, _, under = text.partition("/")
    if under:
        return float(over) / float(under)
    return int(over) if over.isdigit() else float(over)


@cache
def _unit_rows() -> list[list[str]]:
    return [line.split("|") for line in _UNITS.strip().splitlines()]


@cache
def _prefix_rows() -> list[list[str]]:
    return [row.split() for row in _PREFIXES.split(",")]


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")
