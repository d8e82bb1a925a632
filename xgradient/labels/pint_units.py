"""Units of pint: those of quantities, and those that a call asks for.

pint is never imported, since each unit brings its registry. What a word means in a quantity, the
registry of the quantity says. Units of results are those of differences, so degrees Celsius become
the ``delta_degC`` of pint.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from .udunits import read_scaled_units
from .unit_powers import multiply, write_units
from .unit_table import unit_named

#: Names of pint for units of UDUNITS that it knows by another name or not at all.
_NAMES_IN_PINT = {
    "arc_degree": ("degree",),
    "degrees_north": ("degrees_north", "degree"),
    "degrees_east": ("degrees_east", "degree"),
}


@cache
def _is_class_of_pint(kind: Any) -> bool:
    """Return True for classes of pint, and for those that a registry derives from them."""
    return any(base.__module__.partition(".")[0] == "pint" for base in kind.__mro__)


def pint_is_loaded() -> bool:
    """Return True if there may be quantities in this process."""
    return "pint" in sys.modules


def is_quantity(array: Any) -> bool:
    """Return True for a quantity of pint."""
    kind: Any = type(array)
    return _is_class_of_pint(kind) and hasattr(array, "magnitude")


def is_pint_unit(units: Any) -> bool:
    """Return True for a unit of pint."""
    kind: Any = type(units)
    return kind is not str and _is_class_of_pint(kind) and not hasattr(units, "magnitude")


def registry_of(units: Any) -> Any:
    """Return the registry of a unit or of a quantity."""
    return units._REGISTRY


def difference_unit(unit: Any) -> Any:
    """Return the unit of differences: degrees Celsius without their offset."""
    quantity = registry_of(unit).Quantity
    difference = (quantity(1.0, unit) - quantity(0.0, unit)).units
    # Differences of logarithmic units are ratios, but a slope of decibels keeps its unit.
    return difference if difference.dimensionality == unit.dimensionality else unit


def to_pint_unit(units: Any, registry: Any) -> Any:
    """Return units, as CF text or as a unit of pint, as the unit of differences in a registry.

    Raises
    ------
    ValueError
        If a word is not known to the registry, the text has a number, or the unit belongs to
        another registry.
    """
    if not isinstance(units, str):
        if registry_of(units) is not registry:
            raise mixed_registries_error(f"units {str(units)!r}")
        return difference_unit(units)
    powers = read_scaled_units(units)
    if powers is None:
        return difference_unit(_known_unit(units, (units,), registry))
    unit = registry.Unit("")
    for name, power in powers.items():
        if name[0].isdigit():
            raise ValueError(
                f"units {units!r} have the number {name}, which units of a quantity cannot have; "
                "give units without it, or call .pint.dequantify() of pint-xarray before"
            )
        names = _NAMES_IN_PINT.get(name, (name,))
        if name.endswith("gal"):  # a gal is an acceleration, but a gallon in pint
            names = (f"{name}ileo",)
        unit *= difference_unit(_known_unit(units, names, registry)) ** power
    return unit


def _known_unit(units: str, names: tuple[str, ...], registry: Any) -> Any:
    """Return the unit of the first name that a registry knows."""
    for name in names:
        try:
            return registry.Unit(name)
        except (AttributeError, ValueError, TypeError):  # pint's errors for texts are these
            continue
    raise ValueError(
        f"units {units!r} have {names[0]!r}, which the registry of the quantity does not know; "
        "define it there, or call .pint.dequantify() of pint-xarray before"
    )


def mixed_registries_error(label: str) -> ValueError:
    """Return the error for units of two registries in one call."""
    return ValueError(
        f"{label} belong to another registry of pint than the other quantities of the call; make "
        "all of them with one registry"
    )


def factor_to(units: Any, target: Any, registry: Any) -> float | None:
    """Return the factor between units in one registry; None for units of other dimensions."""
    source, wanted = to_pint_unit(units, registry), to_pint_unit(target, registry)
    if source.dimensionality != wanted.dimensionality:
        return None
    return float(registry.Quantity(1.0, source).to(wanted).magnitude)


def to_cf_text(unit: Any) -> str:
    """Return a unit of pint as CF text; units that CF does not know keep their names."""
    powers: dict[str, int] = {}
    for name, power in unit._units.items():
        plain = name.removeprefix("delta_")
        if power != int(power):
            return str(unit)
        powers = multiply(powers, {unit_named(plain) or plain: int(power)})
    return write_units(powers)


def quotient_unit(unit: Any, axis: Any, deriv: int) -> Any:
    """Return the unit of a derivative of a quantity along an axis.

    Raises
    ------
    ValueError
        If the units of the axis are not known.
    """
    registry = registry_of(unit)
    if axis is None:
        raise ValueError(
            "the derivative of a quantity has no units, since a coordinate or a spacing has none; "
            "set the attribute units of the coordinate, or give the spacing as a quantity"
        )
    return difference_unit(unit) / to_pint_unit(axis, registry) ** deriv


def product_unit(factors: Sequence[Any]) -> Any:
    """Return the product of units of which at least one is of pint."""
    registry = _common_registry(factors)
    product = registry.Unit("")
    for factor in factors:
        product = product * to_pint_unit(_known(factor), registry)
    return product


def common_unit(units: Sequence[Any]) -> tuple[Any, list[float]] | int:
    """Return the unit of a sum of quantities, and the factor that converts each of its terms.

    The unit is that of the first term, where lengths over lengths and the like cancel.

    Returns
    -------
    tuple or int
        The unit and the factors; or the index of a term of another dimension.
    """
    registry = _common_registry(units)
    terms = [to_pint_unit(_known(unit), registry) for unit in units]
    for index, term in enumerate(terms):
        if term.dimensionality != terms[0].dimensionality:
            return index
    common = registry.Quantity(1.0, terms[0]).to_reduced_units().units
    if any(power != int(power) for power in common._units.values()):
        common = terms[0]  # pint took a root, as of hectares
    return common, [float(registry.Quantity(1.0, term).to(common).magnitude) for term in terms]


def _common_registry(units: Sequence[Any]) -> Any:
    """Return the registry of the first unit of pint."""
    return registry_of(next(unit for unit in units if is_pint_unit(unit)))


def _known(units: Any) -> Any:
    """Return units, or refuse unknown units next to those of quantities."""
    if units is None:
        raise ValueError(
            "a quantity is combined with a field that has no units; make it a quantity too, or set "
            "its attribute units"
        )
    return units if isinstance(units, str) or is_pint_unit(units) else str(units)
