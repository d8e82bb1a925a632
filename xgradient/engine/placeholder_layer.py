"""A layer of a task graph: the chunks of an array of another library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from dask.task_spec import Task

from .halo import chunk_bounds
from .task_layers import Key, Source, TaskLayer


class PlaceholderLayer(TaskLayer):
    """Hold the place of the chunks of an array of another library.

    Their tasks run only where values are needed while a result is built, as those of a coordinate.

    Parameters
    ----------
    name : str
        First element of the keys.
    array : array
        The array.
    """

    def __init__(self, name: str, array: Any) -> None:
        super().__init__(Source(name, tuple(map(len, array.chunks))))
        self._array = array
        self._bounds = [chunk_bounds(sizes) for sizes in array.chunks]

    def _is_inner(self, key: Key) -> bool:
        return False

    def _inner_keys(self) -> Iterator[Key]:
        return iter(())

    def _make(self, key: Key) -> Any:
        ranges = [slice(*bounds[n]) for bounds, n in zip(self._bounds, key[1:], strict=True)]
        return Task(key, compute_part, self._array, tuple(ranges))


def compute_part(array: Any, ranges: tuple[slice, ...]) -> Any:
    """Compute a part of an array by the library of the array."""
    return np.asarray(array[ranges].compute())
