"""Factors between units as text, for results in the units that a call asks for."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from .udunits import read_scaled_units
from .unit_powers import conversion_factor, dimension_of, multiply
from .unit_table import is_unit_name


@lru_cache(maxsize=256)
def factor_between(units: str, target: str) -> float | None:
    """Return the factor that converts numbers in one unit to another; None if there is none.

    Both are units of differences, so an offset has no meaning: degrees Celsius are kelvins. Words
    that are not in `unit_table` must cancel.

    Examples
    --------
    >>> factor_between("K m-1", "degC (100 km)-1"), factor_between("psu m-1", "psu km-1")
    (100000.0, 1000.0)
    >>> factor_between("K m-1", "K s-1"), factor_between("psu m-1", "g kg-1 m-1")
    (None, None)
    """
    source, wanted = read_scaled_units(units), read_scaled_units(target)
    if source is None or wanted is None:
        return 1.0 if units.strip() == target.strip() else None
    powers = multiply(source, wanted, -1)
    numbers = {name: power for name, power in powers.items() if name[0].isdigit()}
    known = {name: power for name, power in powers.items() if is_unit_name(name)}
    if len(numbers) + len(known) < len(powers) or dimension_of(known):
        return None
    number = Fraction(1)
    for name, power in numbers.items():
        number *= Fraction(name) ** power
    try:
        factor = float(number * Fraction(conversion_factor(known, {})))
    except OverflowError:
        return None
    return factor or None  # a factor may be too small for a float
