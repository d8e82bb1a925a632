"""Arithmetic of exponents by unit: products, dimensions, conversion factors and CF text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import inf

from .unit_table import Powers, is_unit_name, unit_named, unit_of


def multiply(a: Powers, b: Powers, n: int = 1) -> Powers:
    """Return the exponents of ``a * b**n``, without units that cancel.

    Examples
    --------
    >>> multiply({"kelvin": 1, "meter": 1}, {"meter": 1}, -1)
    {'kelvin': 1}
    """
    product = {name: a.get(name, 0) + n * b.get(name, 0) for name in {**a, **b}}
    return {name: power for name, power in product.items() if power}


def write_units(powers: Powers) -> str:
    """Return CF text: positive exponents first, then by name in alphabetical order.

    Units that are not in the table keep their names.

    Examples
    --------
    >>> write_units({"second": -2, "kilometer": 1})
    'km s-2'
    """
    text = []
    for name, power in sorted(powers.items(), key=lambda item: (item[1] < 0, item[0])):
        symbol = unit_of(name).symbol if is_unit_name(name) else name
        # The symbol of a thousandth of an inch would mean a minute.
        text.append(
            (symbol if unit_named(symbol) == name else name) + ("" if power == 1 else str(power))
        )
    return " ".join(text) or "1"


def dimension_of(powers: Powers) -> Powers:
    """Return exponents by base unit; an angle has no dimension."""
    base: Powers = {}
    for name, power in powers.items():
        base = multiply(base, _dimension_of_unit(name), power)
    return base


@cache
def _dimension_of_unit(name: str) -> Powers:
    reference = unit_of(name).reference
    return {name: 1} if reference is None else dimension_of(reference)


def reduced(powers: Powers) -> Powers:
    """Join units of which one is a power of the other, such as lengths or pressures.

    Examples
    --------
    >>> reduced({"pascal": 1, "second": -1, "hectopascal": -1})
    {'second': -1}
    """
    if not dimension_of(powers):
        return {}
    for name in list(powers):
        if name not in powers:  # joined with a unit before it, and cancelled
            continue
        others = {other: n for other, n in powers.items() if other != name}
        for other in others:
            power = _power_of(other, name, powers[name])
            if power is not None:
                powers = multiply(others, {other: power})
                break
    return powers


def _power_of(other: str, name: str, power: int) -> int | None:
    """Return the exponent of a unit with the dimension of another one to a power.

    It is None if there is none, or if it is not an integer: areas become squared lengths, but
    lengths never become roots of areas.
    """
    own, wanted = _dimension_of_unit(other), _dimension_of_unit(name)
    if own == wanted:
        return power
    if not own or own.keys() != wanted.keys():
        return None
    base = next(iter(own))
    exponent, rest = divmod(power * wanted[base], own[base])
    fits = not rest and multiply({}, own, exponent) == multiply({}, wanted, power)
    return exponent if fits else None


def _sizes(powers: Powers, n: int = 1) -> Iterator[tuple[float, int]]:
    """Yield the size of each unit with its exponent, then those of the units it is defined by."""
    for name, power in powers.items():
        unit = unit_of(name)
        if unit.reference is not None:
            yield unit.size, n * power
            yield from _sizes(unit.reference, n * power)


def conversion_factor(powers: Powers, target: Powers) -> float:
    """Return the size of a product of units in units of the same dimension.

    Sizes that are in both the numerator and the denominator cancel before anything is multiplied.

    Raises
    ------
    OverflowError
        If the factor is not a finite float greater than zero.

    Examples
    --------
    >>> conversion_factor({"kilometer": 1, "hour": -1}, {"meter": 1, "hour": -1})
    1000.0
    """
    over: dict[float, int] = {}
    under: dict[float, int] = {}
    for size, power in _sizes(multiply(powers, target, -1)):
        side = under if power < 0 else over
        side[size] = side.get(size, 0) + abs(power)
    factor: float = 1
    for size, power in over.items():
        factor *= size ** max(power - under.get(size, 0), 0)
    for size, power in under.items():
        factor *= size ** -max(power - over.get(size, 0), 0)
    if not 0 < factor < inf:
        raise OverflowError("the factor is beyond all floats")
    return float(factor)
