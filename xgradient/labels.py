"""What a result is called: names, units, long names and attributes."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from .packing import UNDECODED_ATTRS

__all__ = [
    "common_units",
    "described",
    "product_units",
    "result_attrs",
    "result_encoding",
    "result_name",
    "result_units",
    "words_for",
]

#: Encodings that say where or how the data lie on a map, which a derivative keeps; those that
#: say how numbers were packed would spoil it.
KEPT_ENCODINGS = ("grid_mapping", "coordinates")
REWRITTEN = {"standard_name", "units", "long_name"}
#: What a field's values can be; readers of files would mask a derivative by it.
RANGES = {"valid_min", "valid_max", "valid_range", "actual_range"} | UNDECODED_ATTRS


def result_name(name: Hashable | None, coord: Hashable, deriv: int) -> str:
    """The name of a derivative: ``dT_dlat``, or ``d2T_dlat2`` for the second.

    Examples
    --------
    >>> result_name("T", "lat", 1), result_name("T", "lat", 2), result_name(None, "x", 1)
    ('dT_dlat', 'd2T_dlat2', 'd_dx')
    """
    power = "" if deriv == 1 else str(deriv)
    field = "" if name is None else str(name)
    return f"d{power}{field}_d{coord}{power}"


def result_attrs(
    attrs: Mapping[Any, Any], name: Hashable | None, axis_units: str | None, along: str, deriv: int
) -> dict[Any, Any]:
    """The attributes of a derivative: the field's, with new units and long name.

    Parameters
    ----------
    attrs : mapping
        Attributes of the field.
    name : hashable or None
        Name of the field.
    axis_units : str or None
        Units of the coordinate.
    along : str
        The coordinate in words.
    deriv : int
        Order of the derivative.
    """
    units = result_units(attrs.get("units"), axis_units, deriv)
    field = words_for(attrs, name)
    order = "" if deriv == 1 else f"{_ordinal(deriv)} "
    words = None if field is None else f"{order}derivative of {field} with respect to {along}"
    return described(attrs, units, words)


def described(attrs: Mapping[Any, Any], units: str | None, long_name: str | None) -> dict[Any, Any]:
    """Attributes of a result: the field's, with new units and long name."""
    kept = {k: v for k, v in attrs.items() if k not in REWRITTEN | RANGES}
    if units is not None:
        kept["units"] = units
    if long_name is not None:
        kept["long_name"] = long_name
    return kept


def words_for(attrs: Mapping[Any, Any], name: Hashable | None) -> str | None:
    """A field in words: its long name, else its standard name, else its name."""
    field = attrs.get("long_name") or attrs.get("standard_name") or name
    if field is None:
        return None
    return str(field) if attrs.get("long_name") else str(field).replace("_", " ")


def result_encoding(encoding: Mapping[Any, Any]) -> dict[Any, Any]:
    """The encoding of a derivative: what refers to the grid, nothing of how numbers are packed."""
    return {k: encoding[k] for k in KEPT_ENCODINGS if k in encoding}


def _ordinal(n: int) -> str:
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th') }"


def result_units(field: Any, axis: Any, deriv: int) -> str | None:
    """Units of a field over units of an axis to the power ``deriv``, as CF text.

    Units that are absent count as dimensionless, as the CF conventions have it. A difference of
    temperatures in degrees Celsius is one in kelvins.

    Parameters
    ----------
    field, axis : str or None
        The units; what is no unit (an unknown word) is kept as text.
    deriv : int
        Order of the derivative.

    Returns
    -------
    str or None
        The units of the derivative, None if neither has any.

    Examples
    --------
    >>> result_units("K", "degrees_north", 1), result_units("m s-1", "m", 1)
    ('K degrees_north-1', 's-1')
    >>> result_units("degC", "m", 2), result_units("dBZ", "km", 1)
    ('K m-2', 'dBZ km-1')
    """
    if field is None and axis is None:
        return None
    over, under = (
        "1" if unit is None else re.sub(r"\s+since\s.*", "", str(unit)) for unit in (field, axis)
    )
    return _divide(over, under, deriv)


def product_units(*factors: str | None) -> str | None:
    """Units of a product, as CF text; None if no factor has any.

    Examples
    --------
    >>> product_units("m s-1", "K m-1"), product_units(None, "K m-1"), product_units("s-1", "s-1")
    ('K s-1', 'K m-1', 's-2')
    """
    known = [str(unit) for unit in factors if unit is not None]
    return _multiply(tuple(known)) if len(known) > 1 else next(iter(known), None)


def common_units(units: list[str | None], what: str) -> tuple[str | None, list[float]]:
    """Units of a sum, and what each term is multiplied with.

    They are those of the first term, without lengths over lengths, pressures over pressures.

    Parameters
    ----------
    units : list of str or None
        Units of the terms. Where one is unknown, nothing can be told and all factors are 1.
    what : str
        The sum in words, for the error message.

    Raises
    ------
    ValueError
        If terms are of different kinds.

    Examples
    --------
    >>> common_units(["s-1", "Pa s-1 hPa-1"], "a divergence")
    ('s-1', [1.0, 0.01])
    """
    ones = [1.0] * len(units)
    if None in units:
        return None, ones
    found = _ratios(tuple(str(unit) for unit in units))
    if found is None:
        return units[0] if len(set(units)) == 1 else None, ones
    if isinstance(found, int):
        raise ValueError(
            f"{what} would add {units[0]!r} and {units[found]!r}; name dimensions of one kind, "
            "give metric=, or convert the data or a coordinate"
        )
    common, factors = found
    return common, list(factors)


#: Units that UDUNITS, by which CF reads them, does not know by pint's symbol or takes for others.
_UDUNITS = {
    "deg": "degree", "kn": "knot", "nmi": "nautical_mile", "µ": "micron", "sv": "sverdrup",
    # The registry is everybody's, and MetPy's symbols in it are other ones.
    "degrees_N": "degrees_north", "degrees_E": "degrees_east",
}  # fmt: skip


@lru_cache(maxsize=256)
def _divide(field: str, axis: str, deriv: int) -> str:
    # pint and its registry take longer to import than a gradient to compute.
    from cf_xarray.units import units as registry

    try:
        text = f"{_step(field, registry) / _step(axis, registry) ** deriv:cf}" or "1"
    except Exception:
        # Whatever pint cannot read is still right as text.
        return _divide_text(field, axis, deriv)
    return _udunits(text)


@lru_cache(maxsize=256)
def _multiply(factors: tuple[str, ...]) -> str:
    from cf_xarray.units import units as registry

    try:
        product = registry.Unit("")
        for text in factors:
            product = product * _step(text, registry)
        text = f"{product:cf}" or "1"
    except Exception:
        return " ".join(factors)
    return _udunits(text)


@lru_cache(maxsize=256)
def _ratios(units: tuple[str, ...]) -> tuple[str, tuple[float, ...]] | int | None:
    """The common unit and each in it; the number of one of another kind; None if unknown."""
    from cf_xarray.units import units as registry

    try:
        steps = [registry.Quantity(1.0, _step(text, registry)) for text in units]
        common = steps[0].to_reduced_units().units
        plain = common == steps[0].units
        text = units[0] if plain else _udunits(f"{common:cf}" or "1")
    except Exception:
        return None
    for at, step in enumerate(steps):
        if not step.is_compatible_with(common):
            return at
    return text, tuple(float(step.to(common).magnitude) for step in steps)


def _udunits(text: str) -> str:
    return re.sub(r"(?<!\S)[^\s\d-]+", lambda m: _UDUNITS.get(m[0], m[0]), text)


def _step(text: str, registry: Any) -> Any:
    """A unit as that of a difference: a step in degrees Celsius is one in kelvins."""
    unit = registry.Unit("")
    text = re.sub(r"\bdeg(ree)?s?[ _]C\b", "degC", text)
    for name, power in registry.Quantity(1, registry.parse_units(text)).unit_items():
        celsius = name in ("degree_Celsius", "delta_degree_Celsius")
        one, two = (registry.Quantity(n, name).to_root_units().magnitude for n in (1.0, 2.0))
        odd = two != 2 * one or "degree_Fahrenheit" in name or "degree_Reaumur" in name
        if odd and not celsius:  # such as logarithms
            raise ValueError("no plain unit has this step")
        if celsius and not re.search("degC|°|elsius", text):
            raise ValueError("a bare C is carbon as often as Celsius")
        unit = unit * registry.Unit("kelvin" if celsius else name) ** power
    return unit


def _divide_text(field: str, axis: str, deriv: int) -> str:
    if axis.strip() in ("", "1"):
        return field
    if axis.isalpha():
        return f"{'' if field == '1' else field + ' '}{axis}-{deriv}"
    power = "" if deriv == 1 else str(deriv)
    return f"({field})/({axis}){power}"
