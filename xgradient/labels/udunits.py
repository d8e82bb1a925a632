"""Which texts are units: the words of UDUNITS, by which CF files are read, and its grammar.

A text that holds any other word, a number or an unusual spelling is no unit: it stays text.
"""

from __future__ import annotations

import re
from functools import cache

#: Texts that are longer, or nest brackets deeper, are not looked at.
LONGEST, DEEPEST = 1000, 10
#: The largest exponent of a unit, up or down.
LARGEST = 99

#: Each prefix: its name, its symbols (the first one is written) and its value.
_PREFIXES = """
yotta Y 1e24, zetta Z 1e21, exa E 1e18, peta P 1e15, tera T 1e12, giga G 1e9, mega M 1e6,
kilo k 1e3, hecto h 1e2, deka da 1e1, deci d 1e-1, centi c 1e-2, milli m 1e-3, micro µ μ u 1e-6,
nano n 1e-9, pico p 1e-12, femto f 1e-15, atto a 1e-18, zepto z 1e-21, yocto y 1e-24
"""

#: Each unit: what it is, as pint has it; its symbols, of which the first one is written, and names
#: without a regular plural; its other names. Values are those of UDUNITS. Words of UDUNITS that
#: files use in another sense stay text: C (carbon), F, a, u, b, e, mb, oz, ppt, DU, counts.
_UNITS = """
meter = [length] | m | meter metre
gram = [mass] | g | gram
second = [time] | s | second sec
ampere = [current] | A | ampere amp
mole = [substance] | mol | mole
candela = [luminosity] | cd | candela
kelvin = [temperature] | K °K degK deg_K degree_K degrees_K degreeK degreesK °C ℃ degC deg_C\
 degree_C degrees_C degreeC degreesC celsius Celsius degree_Celsius degrees_Celsius\
 degree_celsius degrees_celsius | kelvin
fahrenheit = kelvin / 1.8 | °F ℉ degF deg_F degree_F degrees_F degreeF degreesF fahrenheit\
 degree_fahrenheit degrees_fahrenheit degree_Fahrenheit degrees_Fahrenheit |
rankine = kelvin / 1.8 | °R degR deg_R degree_R degrees_R degreeR degreesR degree_rankine |
percent = 0.01 | % percent |
ppm = 1e-6 | ppm |
ppb = 1e-9 | ppb |
radian = [] | rad | radian
steradian = radian ** 2 | sr | steradian
arc_degree = 0.017453292519943295 * radian | degree ° | arc_degree angular_degree arcdeg
degrees = arc_degree | degrees |
degrees_north = arc_degree | degrees_north degree_north degrees_N degree_N degreesN degreeN |
degrees_east = arc_degree | degrees_east degree_east degrees_E degree_E degreesE degreeE |
arcminute = arc_degree / 60 | arcmin | arc_minute arcminute arcmin
arcsecond = arc_degree / 3600 | arcsec | arc_second arcsecond arcsec
minute = 60 * second | min | minute
hour = 3600 * second | h hr | hour
day = 86400 * second | d | day
week = 604800 * second | week | week
year = 31556925.9747 * second | yr | year
month = year / 12 | month | month
hertz = 1 / second | Hz | hertz
becquerel = 1 / second | Bq | becquerel
newton = 1000 * gram * meter / second ** 2 | N | newton
pascal = newton / meter ** 2 | Pa | pascal
joule = newton * meter | J | joule
watt = joule / second | W | watt
coulomb = ampere * second | coulomb | coulomb
volt = watt / ampere | V | volt
farad = coulomb / volt | farad | farad
ohm = volt / ampere | Ω Ω | ohm
siemens = ampere / volt | S | siemens
weber = volt * second | Wb | weber
tesla = weber / meter ** 2 | T | tesla
henry = weber / ampere | H | henry
lumen = candela * steradian | lm | lumen
lux = lumen / meter ** 2 | lx | lux
katal = mole / second | kat | katal
gray = joule / (1000 * gram) | Gy | gray
sievert = joule / (1000 * gram) | Sv | sievert
liter = 0.001 * meter ** 3 | l L | liter litre
metric_ton = 1e6 * gram | t | metric_ton tonne
hectare = 1e4 * meter ** 2 | ha | hectare
angstrom = 1e-10 * meter | Å Å | angstrom
micron = 1e-6 * meter | micron | micron
inch = 0.0254 * meter | in | inch international_inch
foot = 0.3048 * meter | ft foot feet international_foot international_feet |
yard = 0.9144 * meter | yd | yard international_yard
mile = 1609.344 * meter | mi | mile international_mile
nautical_mile = 1852 * meter | nautical_mile | nautical_mile nmile
astronomical_unit = 1.495978707e11 * meter | au | astronomical_unit
pound = 453.59237 * gram | lb | pound avoirdupois_pound
knot = 1852 * meter / (3600 * second) | knot kt kts | knot international_knot
gal = 0.01 * meter / second ** 2 | Gal | gal
sverdrup = 1e6 * meter ** 3 / second | sverdrup | sverdrup
dyne = 1e-5 * newton | dyne | dyne
bar = 1e5 * pascal | bar | bar
standard_atmosphere = 101325 * pascal | atm | atmosphere standard_atmosphere
torr = 133.322387415 * pascal | mmHg mm_Hg | torr
inch_Hg = 3386.388640341 * pascal | inHg in_Hg inch_Hg inches_Hg |
erg = 1e-7 * joule | erg | erg
electronvolt = 1.60217733e-19 * joule | eV | electronvolt electron_volt
calorie = 4.1868 * joule | cal | calorie IT_calorie
poise = 0.1 * pascal * second | poise | poise
stokes = 1e-4 * meter ** 2 / second | St | stokes
"""

#: Words that look like a prefix and a unit above, but are other units of UDUNITS.
_OTHERS = {"at", "microN", "nt", "ph", "pt"}
#: Units that take no prefix.
_ALONE = {"percent", "hectare"}

#: What a text is made of.
_PART = re.compile(
    r"(?P<bracket>[()])|(?P<word>(?:[^\W\d]|[°%℃℉])+)|(?P<power>(?:\^|\*\*)?[+-]?[0-9]+)"
    r"|(?P<by>[ \t]*/[ \t]*|[ \t]+per[ \t]+)|(?P<times>[ \t]*(?:[*·]|\.(?![0-9]))[ \t]*|[ \t]+)"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

#: Exponents by unit, with pint's names.
Powers = dict[str, int]


def read_units(text: str) -> Powers | None:
    """The exponents of the units in a text; None if it is no plain unit.

    Sizes are bounded before anything is parsed, so that no text takes long.
    """
    if len(text) > LONGEST:
        return None
    text = text.strip().translate(_RAISED)
    if text.count("(") > DEEPEST or re.search(r"\d{3}", text):  # no exponent has three digits
        return None
    return _parse(text) if text else {}


def _parse(text: str) -> Powers | None:
    """The same for a product of units, whose parts are taken from left to right."""
    outside: list[tuple[Powers, int]] = []  # what stands before each open bracket
    product: Powers = {}
    sign, factor, raised, at = 1, None, False, 0  # a factor waits for its exponent
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        at, kind, found = part.end(), part.lastgroup, part[0]
        if factor is None:
            if found == "(":
                outside.append((product, sign))
                product, sign = {}, 1
                continue
            name = named(found) if kind == "word" else None
            if name is None and found != "1":
                return None
            factor, raised = {} if name is None else {name: 1}, name is None
        elif kind == "power" and not raised:
            n = int(found.lstrip("^*"))
            if n == 0:
                return None
            factor, raised = {name: power * n for name, power in factor.items()}, True
        elif kind in ("by", "times"):
            product, factor = _times(product, factor, sign), None
            sign = 1 if kind == "times" else -1
        elif found == ")" and outside:
            factor, raised = _times(product, factor, sign), False
            product, sign = outside.pop()
        else:
            return None
        if not _bounded(factor or product):
            return None
    if factor is None or outside:
        return None
    product = _times(product, factor, sign)
    return product if _bounded(product) else None


def _bounded(powers: Powers) -> bool:
    return all(abs(power) <= LARGEST for power in powers.values())


def _times(a: Powers, b: Powers, sign: int) -> Powers:
    return {name: a.get(name, 0) + sign * b.get(name, 0) for name in {**a, **b}}


def named(word: str) -> str | None:
    """The unit that a word means, by pint's name: with the longest prefix, if it is no unit itself.

    UDUNITS looks no further either if what follows that prefix is no unit.
    """
    units, prefixes = _words()
    if word in units or word in _OTHERS:
        return units.get(word)
    for n in range(min(len(word) - 1, 5), 0, -1):
        if word[:n] in prefixes:
            unit = units.get(word[n:])
            return None if unit is None or unit in _ALONE else prefixes[word[:n]] + unit
    return None


@cache
def _words() -> tuple[dict[str, str], dict[str, str]]:
    """The names of pint for all words that stand for units, and for all that stand for prefixes."""
    units = {}
    for definition, symbols, names in _rows():
        regular = names.split()
        for word in (*symbols.split(), *regular, *map(_plural, regular)):
            units[word] = definition.split()[0]
    prefixes = {word: row.split()[0] for row in _PREFIXES.split(",") for word in row.split()[:-1]}
    return units, prefixes


@cache
def symbols() -> dict[str, str]:
    """How each unit and prefix of pint is written."""
    units = {definition.split()[0]: symbols.split()[0] for definition, symbols, _ in _rows()}
    return {"": "", **units, **{row.split()[0]: row.split()[1] for row in _PREFIXES.split(",")}}


def _rows() -> list[list[str]]:
    return [line.split("|") for line in _UNITS.strip().splitlines()]


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")


def definitions() -> list[str]:
    """All prefixes and units as pint defines them."""
    rows = [row.split() for row in _PREFIXES.split(",")]
    prefixes = [f"{row[0]}- = {row[-1]}" for row in rows]
    return prefixes + [definition for definition, *_ in _rows()]
