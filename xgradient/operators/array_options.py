"""Dimensions, spacings and periods of plain arrays, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._wording import short_repr


def axis_numbers(ndim: int, dim: Any) -> list[int]:
    """Return the axes of a call, counted from 0, or raise an error if one is named twice."""
    if dim is None:
        axes = list(range(ndim))
    else:
        axes = []
        for d in [dim] if np.ndim(dim) == 0 else dim:
            if not isinstance(d, int | np.integer) or isinstance(d, bool):
                raise TypeError(f"dim is {short_repr(d)}; give the number of a dimension")
            if not -ndim <= d < ndim:
                raise ValueError(f"dim is {d}, but the array has {ndim} dimensions")
            axes.append(int(d) % ndim)
    if not axes:
        raise ValueError("the array has no dimensions to differentiate along")
    if len(set(axes)) < len(axes):
        raise ValueError(f"dim is {short_repr(dim)}, which names a dimension twice")
    return axes


def match_options(dims: list[Any], spacing: Any, periodic: Any) -> list[tuple[Any, Any, bool]]:
    """Return each dimension with its spacing and True if it is periodic."""
    if spacing is None:
        steps = [1.0] * len(dims)
    elif isinstance(spacing, list | tuple):
        steps = list(spacing)
    elif np.ndim(spacing) == 0 or len(dims) == 1:
        steps = [spacing] * len(dims)
    else:
        raise ValueError(
            f"spacing is one array for {len(dims)} dimensions; give a list with one entry for each"
        )
    is_periodic = (
        [periodic] * len(dims)
        if isinstance(periodic, bool)
        else _periodic_flags(periodic, len(dims))
    )
    for name, given in (("spacing", steps), ("periodic", is_periodic)):
        if len(given) != len(dims):
            raise ValueError(
                f"{name} has {len(given)} entries for {len(dims)} dimensions; give one for each"
            )
    return list(zip(dims, steps, is_periodic, strict=True))


def _periodic_flags(periodic: Any, n: int) -> list[bool]:
    """Return ``periodic`` as a list of Python booleans."""
    flags = [periodic] * n if isinstance(periodic, np.bool_) else periodic
    if isinstance(flags, str) or not np.iterable(flags):
        flags = [flags]
    if not all(isinstance(flag, bool | np.bool_) for flag in flags):
        raise TypeError(
            f"periodic is {short_repr(periodic)}; give True or False, or one for each dimension"
        )
    return [bool(flag) for flag in flags]
