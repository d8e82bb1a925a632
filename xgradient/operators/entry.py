"""Enter and leave an operator: what all operators do with their arguments and results alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import xarray as xr

from ..labels.requested_units import RequestedUnits, SharedUnits

Function = TypeVar("Function", bound=Callable[..., Any])


def entry_point(operator: Function) -> Function:
    """Return an operator that refuses units for a name that no result has."""

    @wraps(operator)
    def call(*args: Any, **options: Any) -> Any:
        result = operator(*args, **options)
        units = options.get("units")
        if isinstance(units, Mapping) and not isinstance(units, SharedUnits):
            names = result.data_vars if isinstance(result, xr.Dataset) else [result.name]
            RequestedUnits(None, units).check_names(names)
        return result

    return call  # type: ignore[return-value]
