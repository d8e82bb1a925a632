"""The grammar of UDUNITS: texts of units as exponents by unit.

A text with any other word, a number or an unusual spelling is not a unit: it stays text. Only for a
conversion that the user asks for, numbers and other words are read too.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from .unit_table import Powers, unit_named

#: Longer texts, and texts with more brackets, are not parsed.
LONGEST, MAX_BRACKETS = 1000, 10
#: The largest absolute exponent of a unit.
MAX_POWER = 99

#: The parts of a text.
_PART = re.compile(
    r"(?P<bracket>[()])|(?P<word>(?:[^\W\d]|[°%℃℉])+)|(?P<power>(?:\^|\*\*)?[+-]?[0-9]+)"
    r"|(?P<by>[ \t]*/[ \t]*|[ \t]+per[ \t]+)|(?P<times>[ \t]*(?:[*·]|\.(?![0-9]))[ \t]*|[ \t]+)"
)
#: A number before units, such as 100 or 1e-5.
_NUMBER = re.compile(r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def read_units(text: str) -> Powers | None:
    """Return the exponents of the units in a text; None if the text is not a plain unit.

    The length of the text, its brackets and its digits are bounded before it is parsed. So the
    time is bounded as well.
    """
    if len(text) > LONGEST:
        return None
    text = text.strip().translate(_SUPERSCRIPTS)
    if text.count("(") > MAX_BRACKETS or re.search(r"\d{3}", text):  # no exponent has three digits
        return None
    powers = _parse(text) if text else {}
    return None if powers is None else {name: power for name, power in powers.items() if power}


@lru_cache(maxsize=256)
def read_scaled_units(text: str) -> Powers | None:
    """Return the exponents of units, numbers and unknown words in a text; None for other texts.

    Numbers are exact fractions, as text.

    Examples
    --------
    >>> read_scaled_units("psu (100 km)-1")
    {'psu': 1, '100': -1, 'kilometer': -1}
    """
    if len(text) > LONGEST or text.count("(") > MAX_BRACKETS:
        return None
    text = text.strip().translate(_SUPERSCRIPTS)
    powers = _parse(text, scaled=True) if text else {}
    return None if powers is None else {name: power for name, power in powers.items() if power}


def _parse(text: str, scaled: bool = False) -> Powers | None:
    """Parse a product of units from left to right; return None at the first unknown part.

    ``scaled`` allows numbers and unknown words.
    """
    outer: list[tuple[Powers, int]] = []  # product and sign before each open bracket
    product: Powers = {}
    sign, factor, has_power, position = 1, None, False, 0  # a factor waits for its exponent
    while position < len(text):
        match = scaled and factor is None and _NUMBER.match(text, position)
        match = match or _PART.match(text, position)
        if match is None:
            return None
        position, kind, part = match.end(), match.lastgroup, match[0]
        if factor is None:
            if part == "(":
                outer.append((product, sign))
                product, sign = {}, 1
                continue
            factor = _read_factor(kind, part, scaled)
            if factor is None:
                return None
            has_power = not factor
        elif kind == "power" and not has_power:
            n = int(part.lstrip("^*"))
            if n == 0:
                return None
            factor, has_power = {name: power * n for name, power in factor.items()}, True
        elif kind in ("by", "times"):
            product, factor = _times(product, factor, sign), None
            sign = 1 if kind == "times" else -1
        elif part == ")" and outer:
            factor, has_power = _times(product, factor, sign), False
            product, sign = outer.pop()
        else:
            return None
        if not _is_bounded(factor or product):
            return None
    if factor is None or outer:
        return None
    product = _times(product, factor, sign)
    return product if _is_bounded(product) else None


def _read_factor(kind: str | None, part: str, scaled: bool) -> Powers | None:
    """Return the exponents of a number or a word; None if it cannot be read."""
    if kind == "number" or part == "1":
        number = Fraction(part)
        return {str(number): 1} if number not in (0, 1) else {} if number else None
    if kind != "word":
        return None
    name = unit_named(part) or (part if scaled else None)
    return None if name is None else {name: 1}


def _is_bounded(powers: Powers) -> bool:
    return all(abs(power) <= MAX_POWER for power in powers.values())


def _times(a: Powers, b: Powers, sign: int) -> Powers:
    return {name: a.get(name, 0) + sign * b.get(name, 0) for name in {**a, **b}}
