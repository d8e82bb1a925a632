"""Vertical coordinates: positions that differ from column to column, checked."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from ..engine.chunked import first_non_monotonic
from ..labels.coordinates import CoordRef
from ..stencils.positions import check_known_length
from .decoding import check_decoded
from .grid_axis import VerticalCoord


def make_vertical_coord(ref: CoordRef) -> VerticalCoord:
    """Make the axis of a coordinate of several dimensions along one of them.

    Parameters
    ----------
    ref : CoordRef
        The coordinate, with the dimension that it goes along.

    Raises
    ------
    ValueError
        If a length is unknown, values are packed, or a column in memory does not strictly
        increase or decrease.
    """
    assert ref.coord is not None
    coord, label = ref.coord, f"coordinate {str(ref.name)!r}"
    for dim, n in zip(coord.dims, coord.shape, strict=True):
        check_known_length(n, f"dimension {str(dim)!r} of {label}")
    coord = coord.copy(deep=False, data=check_decoded(coord.data, coord.attrs, label))
    _check_monotonic_columns(coord, ref.dim, label)
    return VerticalCoord(ref.dim, ref.name, ref.long_name, coord.attrs.get("units"), coord)


def _check_monotonic_columns(coord: xr.Variable, dim: Hashable, label: str) -> None:
    """Refuse positions in memory that turn or repeat in a column."""
    index = first_non_monotonic(coord.data, coord.dims.index(dim))
    if index is None:
        return
    where = ", ".join(f"{d}={i}" for d, i in zip(coord.dims, index, strict=True))
    index_before = tuple(i - (d == dim) for d, i in zip(coord.dims, index, strict=True))
    value, before = (np.asarray(coord.data)[i] for i in (index, index_before))
    fault = f"repeats the value {value}" if value == before else f"turns, from {before} to {value},"
    raise ValueError(
        f"{label} must strictly increase or decrease along {str(dim)!r} in every column, but "
        f"{fault} at {where}; sort it, or mask such columns, e.g. with .where"
    )
