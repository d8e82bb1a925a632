"""Enter and leave an operator: the common work on arguments and results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import xarray as xr

from ..labels.pint_units import is_quantity
from ..labels.quantities import (
    OPTIONS_WITHOUT_FIELDS,
    QuantityCoords,
    check_one_registry,
    holds_quantity,
    restore_coords,
    without_quantities,
)
from ..labels.requested_units import RequestedUnits, SharedUnits
from .other_chunks import on_dask_arrays

Function = TypeVar("Function", bound=Callable[..., Any])


def entry_point(operator: Function) -> Function:
    """Return an operator that takes quantities, and refuses units for a name that no result has.

    The operator itself sees magnitudes, and fields whose attribute ``units`` is a unit of pint.
    Of chunked arrays it sees those of dask.
    """

    @wraps(operator)
    def call(*args: Any, **options: Any) -> Any:
        on_dask = on_dask_arrays(operator)
        if any(map(holds_quantity, (*args, *options.values()))):
            result = _call_on_magnitudes(on_dask, args, options)
        else:
            result = on_dask(*args, **options)
        units = options.get("units")
        if units is not None and isinstance(units, Mapping) and not isinstance(units, SharedUnits):
            names = result.data_vars if isinstance(result, xr.Dataset) else [result.name]
            RequestedUnits(None, units).check_names(names)
        return result

    return call  # type: ignore[return-value]


def _call_on_magnitudes(
    operator: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Call an operator with the magnitudes of quantities; coordinates are restored after."""
    check_one_registry({"the data": args, **options})
    coords: QuantityCoords = {}
    magnitudes = [v if is_quantity(v) else without_quantities(v, coords) for v in args]
    plain = {
        name: without_quantities(value, coords, is_field=name not in OPTIONS_WITHOUT_FIELDS)
        for name, value in options.items()
    }
    return restore_coords(operator(*magnitudes, **plain), coords)
