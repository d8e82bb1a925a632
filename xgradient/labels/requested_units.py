"""Units that a call asks for, with the factors that bring results into them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from .._wording import short_repr
from .absolute_units import to_units_of
from .hints import close_name, quote_names
from .pint_units import factor_to, is_pint_unit, registry_of, to_cf_text, to_pint_unit
from .udunits import read_scaled_units
from .unit_conversion import factor_between
from .units import unit_text


class SharedUnits(dict[Hashable, Any]):
    """Hold units by name of the result for several calls, each of which has some of the results."""


class RequestedUnits(NamedTuple):
    """Hold the units that results shall have.

    Attributes
    ----------
    every : str, pint.Unit or None
        The units of all results; None if they are given by name.
    by_name : mapping
        The units of each result by its name; other results keep their units.
    """

    every: Any
    by_name: Mapping[Hashable, Any]

    def convert(self, name: Hashable, units: Any) -> tuple[Any, float]:
        """Return the units of a result and the factor that converts it.

        Parameters
        ----------
        name : hashable
            Name of the result.
        units : str, pint.Unit or None
            Units that the result has without a conversion.

        Raises
        ------
        ValueError
            If the units of the result are not known, or cannot be converted.
        """
        target = self.by_name.get(name) if self.every is None else self.every
        if target is None:
            return units, 1.0
        if units is None:
            raise ValueError(
                f"{str(name)!r} cannot be converted to {str(target)!r}, since the data or a "
                "coordinate have no units; set their attribute units"
            )
        factor, written = _convert(units, target)
        if factor is None:
            raise ValueError(
                f"{str(name)!r} has the units {str(units)!r}, which cannot be converted to "
                f"{str(target)!r}; {_mend(target, self.every is not None)}"
            )
        return written, factor

    def convert_values(self, name: Hashable, units: Any) -> tuple[Any, float, float]:
        """Return the units of values, not differences, and the factor and offset that convert them.

        Temperatures have offsets: 20 degC are 293.15 K.

        Raises
        ------
        ValueError
            If the units of the result are not known, or cannot be converted.
        """
        written, factor = self.convert(name, units)
        if written is units:
            return units, 1.0, 0.0
        offset = to_units_of(0.0, units, written)
        return written, factor, 0.0 if offset is None else float(offset)

    def check_names(self, names: Iterable[Hashable]) -> None:
        """Refuse units for a name that no result has."""
        known = list(names)
        for name in self.by_name:
            if name not in known:
                raise ValueError(
                    f"units are given for {str(name)!r}, which is no result of this call"
                    f"{close_name(name, known)}; there are {quote_names(known)}"
                )


def read_requested_units(units: Any) -> RequestedUnits | None:
    """Return the units that a call asks for; None if it asks for none.

    Raises
    ------
    TypeError
        If the units are neither text nor units of pint, nor a mapping to these.
    """
    if units is None:
        return None
    by_name = units if isinstance(units, Mapping) else {}
    for given in by_name.values() if isinstance(units, Mapping) else [units]:
        if not isinstance(given, str) and not is_pint_unit(given):
            raise TypeError(
                f"units is {short_repr(units)}; give a text such as 'K km-1', a unit of pint, or a "
                "mapping from names of results to these"
            )
    return RequestedUnits(None if isinstance(units, Mapping) else units, by_name)


def _convert(units: Any, target: Any) -> tuple[float | None, Any]:
    """Return the factor between units, and the units to write."""
    if is_pint_unit(units):
        registry = registry_of(units)
        return factor_to(units, target, registry), to_pint_unit(target, registry)
    if is_pint_unit(target):
        return factor_to(units, target, registry_of(target)), to_cf_text(target)
    return factor_between(unit_text(units) or "", target), target


def _mend(target: Any, is_for_all: bool) -> str:
    """Return what to do where units cannot be converted."""
    if isinstance(target, str) and read_scaled_units(target) is None:
        return "write them as UDUNITS does, e.g. 'K (100 km)-1'"
    mend = "give units of the same dimension"
    return f"{mend}, by name of the result if there are several" if is_for_all else mend
