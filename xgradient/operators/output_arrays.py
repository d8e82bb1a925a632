"""Check the arrays that a caller gives for results."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import backend_of
from ..labels.pint_units import is_quantity
from ..labels.quantities import holds_quantity


def check_takes_outputs(array: Any, spacing: Any) -> None:
    """Raise a TypeError unless the results are NumPy arrays without labels and units."""
    plain = isinstance(array, np.ndarray | list | tuple | int | float)
    if not plain or is_quantity(array) or holds_quantity(spacing):
        given = spacing if plain else array
        label = "spacing" if plain else "input"
        raise TypeError(
            f"out takes results of NumPy arrays, but {label} is a {type(given).__name__}; leave "
            f"out away, or give the values of {label} as a NumPy array"
        )


def checked_outputs(out: Any, array: Any, count: int) -> tuple[Any, ...]:
    """Return the arrays for the results, after checks that each can take its result."""
    outputs = tuple(out) if isinstance(out, list | tuple) else (out,)
    if len(outputs) != count:
        raise ValueError(f"out has {len(outputs)} arrays for {count} results; give one for each")
    dtype = backend_of(array).derivative_dtype([array])
    for i, output in enumerate(outputs):
        label = f"out[{i}]" if isinstance(out, list | tuple) else "out"
        if not isinstance(output, np.ndarray):
            raise TypeError(f"{label} is a {type(output).__name__}; give a NumPy array")
        if output.dtype != dtype:
            raise TypeError(f"{label} has dtype {output.dtype}; the result has dtype {dtype}")
        if output.shape != array.shape:
            raise ValueError(f"{label} has shape {output.shape}; the result has {array.shape}")
        if not output.flags.writeable:
            raise ValueError(f"{label} is read-only; give an array that can be written")
        others = [("input", array), *((f"out[{k}]", outputs[k]) for k in range(i))]
        for other, values in others:
            if np.shares_memory(output, values):
                raise ValueError(f"{label} shares memory with {other}; give it memory for itself")
        if _overlaps_itself(output):
            raise ValueError(f"{label} has several cells in one place; give a copy of it")
    return outputs


def _overlaps_itself(array: Any) -> bool:
    """Return whether two cells of an array may be in one place of memory."""
    extent = 0
    for step, n in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True)):
        if array.size and n > 1 and step < extent + array.itemsize:
            return True
        extent += step * (n - 1)
    return False
