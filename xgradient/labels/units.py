"""Units of derivatives, products and sums, as CF text.

Units that are not in `unit_table` are kept as text. Units of pint, which quantities have, make
units of pint.
"""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from .pint_units import common_unit, is_pint_unit, product_unit, quotient_unit, to_cf_text
from .udunits import LONGEST, read_units
from .unit_powers import conversion_factor, dimension_of, multiply, reduced, write_units
from .unit_table import Powers


def unit_text(units: Any) -> str | None:
    """Return units as text, those of pint as CF text, and None where they are absent.

    Examples
    --------
    >>> unit_text(b"m s-1"), unit_text(1), unit_text(None)
    ('m s-1', '1', None)
    """
    if type(units) is str:  # the usual case
        return units
    if is_pint_unit(units):
        return to_cf_text(units)
    if isinstance(units, np.ndarray | list | tuple) and np.size(units) == 1:
        units = np.ravel(np.asarray(units, dtype=object))[0]  # some readers of files return arrays
    if isinstance(units, bytes):
        return units.decode("utf-8", "replace")
    return None if units is None else str(units)


def length_units(units: Any) -> str:
    """Return the units of a scale factor: metres if it has no units or "1".

    Models divide metres by a map factor, and the quotient keeps the units "" or "1" of the factor.

    Examples
    --------
    >>> length_units(None), length_units("1"), length_units("km")
    ('m', 'm', 'km')
    """
    text = unit_text(units)
    return "m" if text is None or _is_one(text) else text


def result_units(field: Any, axis: Any, deriv: int) -> Any:
    """Return units of a field over units of an axis to the power ``deriv``, as CF text.

    A difference of temperatures in degrees Celsius has the units "K".

    Parameters
    ----------
    field : str, pint.Unit or None
        Units of the field; unknown units stay text. An empty text is 1.
    axis : str or None
        Units of the axis.
    deriv : int
        Order of the derivative.

    Returns
    -------
    str, pint.Unit or None
        Units of the derivative, of pint if the field's are; None if `field` or `axis` is None.

    Examples
    --------
    >>> result_units("K", "degrees_north", 1), result_units("m s-1", "m", 1)
    ('K degrees_north-1', 's-1')
    >>> result_units("degC", "m", 2), result_units("dBZ", "km", 1)
    ('K m-2', 'dBZ km-1')
    >>> result_units(None, "m", 1), result_units("K", None, 1), result_units("K", "1", 1)
    (None, None, 'K')
    """
    if type(field) is not str and is_pint_unit(field):
        return quotient_unit(field, None if axis is None else _without_date(str(axis)), deriv)
    over, under = unit_text(field), unit_text(axis)
    if over is None or under is None:
        return None
    return _divide(_without_date(over), _without_date(under), deriv)


def product_units(*factors: Any) -> Any:
    """Return units of a product, as CF text; None if the units of a factor are None.

    Examples
    --------
    >>> product_units("m s-1", "K m-1"), product_units("s-1", "s-1"), product_units(None, "K m-1")
    ('K s-1', 's-2', None)
    """
    if any(map(is_pint_unit, factors)):
        return product_unit(factors)
    texts = [unit_text(factor) for factor in factors]
    known = tuple(_without_date(text) for text in texts if text is not None)
    return _multiply(known) if len(known) == len(texts) else None


def common_units(units: list[Any], label: str) -> tuple[Any, list[float]]:
    """Return units of a sum and the conversion factor of each term.

    The units are those of the first term, where lengths over lengths and the like cancel.

    Parameters
    ----------
    units : list of str or None
        Units of the terms.
    label : str
        The sum in words, for the error message.

    Returns
    -------
    units : str or None
        Units of the sum; None if units of a term are not known.
    factors : list of float
        Factor of each term; 1 if units of a term are not known.

    Raises
    ------
    ValueError
        If terms have different dimensions.

    Examples
    --------
    >>> common_units(["s-1", "Pa s-1 hPa-1"], "a divergence")
    ('s-1', [1.0, 0.01])
    """
    if any(map(is_pint_unit, units)):
        found = common_unit(units)
        if isinstance(found, int):
            raise _different_terms_error(label, units[0], units[found])
        return found
    ones = [1.0] * len(units)
    texts = [unit_text(unit) for unit in units]
    known = tuple(text for text in texts if text is not None)
    if len(known) < len(texts):
        return None, ones
    result = _conversion_factors(known)
    if result is None:
        return known[0] if len(set(known)) == 1 else None, ones
    if isinstance(result, int):
        raise _different_terms_error(label, known[0], known[result])
    common, factors = result
    return common, list(factors)


def _different_terms_error(label: str, first: Any, other: Any) -> ValueError:
    """Return the error for a sum of terms of different dimensions."""
    return ValueError(
        f"{label} would add {str(first)!r} and {str(other)!r}; name dimensions of one kind, "
        "give metric=, or convert the data or a coordinate"
    )


@lru_cache(maxsize=256)
def _divide(field: str, axis: str, deriv: int) -> str:
    """Return units of a field over units of an axis to the power ``deriv``."""
    over, under = read_units(field), read_units(axis)
    if over is None or under is None:
        return _divide_text(field, axis, deriv)
    return write_units(multiply(over, under, -deriv))


def _divide_text(field: str, axis: str, deriv: int) -> str:
    """Return a quotient of units of which one is not known."""
    over = "" if _is_one(field) else field
    if _is_one(axis):
        return over or "1"
    if axis.isalpha():
        return f"{over and over + ' '}{axis}-{deriv}"
    power = "" if deriv == 1 else str(deriv)
    return f"({over or '1'})/({axis}){power}"


@lru_cache(maxsize=256)
def _multiply(factors: tuple[str, ...]) -> str:
    """Return the product of units; their texts one after the other where one is not known."""
    read = _read_all(factors)
    if read is None:
        return " ".join(text for text in factors if not _is_one(text)) or "1"
    return write_units(reduce(multiply, read, {}))


@lru_cache(maxsize=256)
def _conversion_factors(units: tuple[str, ...]) -> tuple[str, tuple[float, ...]] | int | None:
    """Convert the terms of a sum to reduced units of the first one.

    Parameters
    ----------
    units : tuple of str
        Units of the terms.

    Returns
    -------
    tuple, int or None
        The units of the sum and the factor of each term; the index of a term of another dimension;
        or None if a unit is not known or a factor overflows.
    """
    read = _read_all(units)
    if read is None:
        return None
    common = reduced(read[0])
    dimension = dimension_of(common)
    for index, powers in enumerate(read):
        if dimension_of(powers) != dimension:
            return index
    try:
        factors = tuple(conversion_factor(powers, common) for powers in read)
    except OverflowError:  # such as yottametres to the power 99
        return None
    return units[0] if common == read[0] else write_units(common), factors


def _read_all(texts: tuple[str, ...]) -> list[Powers] | None:
    """Return the exponents in all texts; None if one is not a unit."""
    read = [read_units(text) for text in texts]
    known = [powers for powers in read if powers is not None]
    return known if len(known) == len(read) else None


def _is_one(text: str) -> bool:
    return text.strip() in ("", "1")


def _without_date(text: str) -> str:
    """Return the units before "since" and a date."""
    return re.split(r"\ssince\s", text, maxsplit=1)[0].rstrip() if len(text) <= LONGEST else text
