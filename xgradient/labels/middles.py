"""Middles of the intervals and periods of pandas, which are their positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def with_middles(coord: xr.Variable) -> xr.Variable:
    """Return a coordinate at the middles of its intervals or periods; others as they are.

    Middles of periods and of intervals of dates are dates.
    """
    if coord.ndim != 1:
        return coord
    if isinstance(coord, xr.IndexVariable):
        middles = _middles(coord.to_index()) if coord.dtype.kind == "O" else None
    else:
        middles = middles_of_objects(coord.values) if _holds_objects(coord) else None
    return coord if middles is None else xr.Variable(coord.dims, middles, coord.attrs)


def middles_of_objects(values: Any) -> Any:
    """Return the middles of an array of intervals or periods; None for other objects.

    Parameters
    ----------
    values : 1-D ndarray of objects
        Intervals or periods, of which some may be missing.
    """
    import pandas as pd

    first = next((item for item in values.flat if item is not None and item == item), None)
    try:
        if isinstance(first, pd.Interval):
            return _middles(pd.IntervalIndex(values))
        if isinstance(first, pd.Period):
            return _middles(pd.PeriodIndex(values))
    except (TypeError, ValueError):  # mixed with other objects
        return None
    return None


def _holds_objects(coord: xr.Variable) -> bool:
    """Return True for objects in memory, among which intervals and periods may be."""
    return getattr(coord.dtype, "kind", "") == "O" and coord.chunks is None


def _middles(index: Any) -> Any:
    """Return the middles of an IntervalIndex or PeriodIndex; None for other indexes."""
    import pandas as pd

    if isinstance(index, pd.IntervalIndex):
        return np.asarray(index.mid)
    if not isinstance(index, pd.PeriodIndex):
        return None
    starts, ends = (np.asarray(p.to_timestamp(how="start")) for p in (index, index + 1))
    return starts + (ends - starts) // 2
