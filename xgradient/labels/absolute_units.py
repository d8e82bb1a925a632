"""Conversion of values, not differences, between units: temperatures have offsets."""

from __future__ import annotations

from typing import Any

from .pint_units import (
    difference_unit,
    factor_to,
    is_pint_unit,
    mixed_registries_error,
    registry_of,
)
from .udunits import read_units
from .unit_conversion import factor_between
from .units import unit_text

#: Kelvins at the zero of degrees Celsius and of degrees Fahrenheit.
_CELSIUS, _FAHRENHEIT = 273.15, 459.67 / 1.8


def to_units_of(values: Any, units: Any, wanted: Any, is_difference: bool = False) -> Any:
    """Convert values to other units; return None if these are of another kind or not known.

    Parameters
    ----------
    values : ndarray or float
        The values.
    units, wanted : str, pint.Unit or None
        Their units, and those to convert to.
    is_difference : bool
        True for differences, whose units have no offset.

    Examples
    --------
    >>> to_units_of(1.0, "km", "m"), to_units_of(20.0, "degC", "K"), to_units_of(1.0, "m", "s")
    (1000.0, 293.15, None)
    """
    if wanted is None:
        return None
    if is_difference:
        factor = _difference_factor(units, wanted)
        return None if factor is None else values * factor
    if is_pint_unit(units) and is_pint_unit(wanted):
        if registry_of(units) is not registry_of(wanted):
            raise mixed_registries_error(f"units {str(units)!r}")
        if units.dimensionality != wanted.dimensionality:
            return None
        return registry_of(units).Quantity(values, units).to(wanted).magnitude
    if is_pint_unit(units) and _has_offset(units):
        values, units = registry_of(units).Quantity(values, units).to("kelvin").magnitude, "K"
    if is_pint_unit(wanted) and _has_offset(wanted):
        kelvins = to_units_of(values, units, "K")
        registry = registry_of(wanted)
        return (
            None if kelvins is None else registry.Quantity(kelvins, "kelvin").to(wanted).magnitude
        )
    source, target = unit_text(units) or "", unit_text(wanted) or ""
    if source == target:
        return values
    factor = factor_between(source, target)
    if factor is None:
        return None
    zero, target_zero = _zero_in_kelvins(source), _zero_in_kelvins(target)
    if zero == target_zero:
        return values * factor
    kelvin = factor_between("K", target)
    assert kelvin is not None
    return values * factor + (zero - target_zero) * kelvin


def _difference_factor(units: Any, wanted: Any) -> float | None:
    """Return the factor between units of differences; None if there is none."""
    for unit in (units, wanted):
        if is_pint_unit(unit):
            return factor_to(units, wanted, registry_of(unit))
    return factor_between(unit_text(units) or "", unit_text(wanted) or "")


def _has_offset(unit: Any) -> bool:
    """Tell if the zero of a unit of pint is not that of its differences."""
    return bool(difference_unit(unit) != unit)


def _zero_in_kelvins(text: str) -> float:
    """Return the temperature at the zero of a unit; 0 for units of other quantities."""
    powers, word = read_units(text), text.casefold()
    if powers is None or len(powers) != 1 or set(powers.values()) != {1}:
        return 0.0
    if set(powers) == {"kelvin"} and ("c" in word or "℃" in word):
        return _CELSIUS
    return _FAHRENHEIT if set(powers) == {"fahrenheit"} else 0.0
