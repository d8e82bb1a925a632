"""Check that variables are decoded: at once in memory, on dask when they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..engine.chunked import with_lazy_check
from ..labels.packing import UNDECODED_ATTRS, check_fill_values, check_unpacked, fill_values


def check_decoded(data: Any, attrs: Mapping[Any, Any], label: str) -> Any:
    """Return an array, and refuse one that is packed or has numbers for missing values.

    Parameters
    ----------
    data : array
        The values; an array on dask is checked when it is computed.
    attrs : mapping
        Attributes of the variable.
    label : str
        Description of the variable for error messages.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):  # the usual case
        return data
    check_unpacked(attrs, data.dtype, label)
    fills = fill_values(attrs, data.dtype)
    return (
        with_lazy_check(data, partial(check_fill_values, fills=fills, label=label))
        if fills
        else data
    )
