"""Check that variables are decoded: now in memory, on dask when they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..engine.chunked import with_lazy_check
from ..labels.packing import UNDECODED_ATTRS, check_fill_values, check_unpacked, fill_values


def check_decoded(data: Any, attrs: Mapping[Any, Any], label: str) -> Any:
    """Return an array, or refuse one that is packed or holds numbers for missing values.

    Parameters
    ----------
    data : array
        The values; those on dask are checked when they are computed.
    attrs : mapping
        Attributes of their variable.
    label : str
        The variable in words, for error messages.
    """
    if UNDECODED_ATTRS.isdisjoint(attrs):  # the usual case, at once
        return data
    check_unpacked(attrs, data.dtype, label)
    fills = fill_values(attrs, data.dtype)
    return (
        with_lazy_check(data, partial(check_fill_values, fills=fills, label=label))
        if fills
        else data
    )
