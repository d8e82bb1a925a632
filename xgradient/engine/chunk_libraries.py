"""Chunked arrays of other libraries: dask-array's expressions, and cubed.

They are planned as dask arrays: an array of another library becomes a dask array whose chunks are
placeholders, and a result becomes an array of that library that runs the tasks found for it.
Nothing else knows these libraries.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np


class ChunkLibrary(ABC):
    """A library of chunked arrays that is not dask.

    Attributes
    ----------
    module : str
        The module to import; nobody has its arrays until it is imported.
    """

    module: str

    def owns(self, array: Any) -> bool:
        """Return whether this is an array of the library."""
        library = sys.modules.get(self.module)
        kind = getattr(library, "Array", None)
        return kind is not None and isinstance(array, kind)

    @abstractmethod
    def name(self, array: Any) -> str:
        """Return the first element of the keys of the placeholders of an array."""

    @abstractmethod
    def sample(self, array: Any) -> Any:
        """Return an empty array like the chunks of an array."""

    @abstractmethod
    def from_dask(self, arrays: list[Any], sources: Mapping[str, Any]) -> list[Any]:
        """Return arrays of the library that run the tasks of dask arrays.

        Parameters
        ----------
        arrays : list of dask array
            The arrays, each of which has tasks that refer to a source.
        sources : mapping from str to array
            The arrays of the library that placeholders are chunks of, by name.
        """


class TasksOnDemand(Mapping[Any, Any]):
    """All tasks of a graph, made when they are first asked for and left out of pickles."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    @cached_property
    def _tasks(self) -> dict[Any, Any]:
        from dask.utils import ensure_dict

        return ensure_dict(self._graph)  # type: ignore[no-any-return]

    def __getitem__(self, key: Any) -> Any:
        return self._tasks[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __getstate__(self) -> dict[str, Any]:
        """Return the graph alone."""
        return {"_graph": self._graph}


class DaskExpressions(ChunkLibrary):
    """Arrays of the package dask-array, which are expressions."""

    module = "dask_array"

    def name(self, array: Any) -> str:
        """Return the name whose keys the tasks of the array have."""
        return str(array.name)

    def sample(self, array: Any) -> Any:
        """Return an empty array like the chunks of an array."""
        return array._meta

    def from_dask(self, arrays: list[Any], sources: Mapping[str, Any]) -> list[Any]:
        """Return arrays whose tasks refer to chunks of the sources by their keys."""
        from dask_array.core import from_graph

        return [
            from_graph(
                TasksOnDemand(without_layers(a.dask, sources)), a._meta, a.chunks, [], a.name,
                [source for name, source in sources.items() if name in a.dask.layers],
            )
            for a in arrays
        ]  # fmt: skip


class Cubed(ChunkLibrary):
    """Arrays of cubed, which computes within a limit of memory and keeps results in Zarr."""

    module = "cubed"

    def name(self, array: Any) -> str:
        """Return a new name, because those of cubed are unique in one process only."""
        from uuid import uuid4

        return f"cubed-{uuid4().hex}"

    def sample(self, array: Any) -> Any:
        """Return an empty NumPy array."""
        return np.empty((0,) * array.ndim, array.dtype)

    def from_dask(self, arrays: list[Any], sources: Mapping[str, Any]) -> list[Any]:
        """Return arrays each of whose chunks is computed from those of the sources."""
        from .cubed_blocks import cubed_arrays

        return cubed_arrays(arrays, sources)


#: The libraries that are known.
LIBRARIES: tuple[ChunkLibrary, ...] = (DaskExpressions(), Cubed())


MODULES = frozenset(library.module for library in LIBRARIES)


def any_loaded() -> bool:
    """Return whether somebody has imported a library of chunked arrays that is not dask."""
    # The keys look up the few names; a set would go through all modules of the process.
    return not sys.modules.keys().isdisjoint(MODULES)


class ForeignArrays:
    """The arrays of other libraries in one call, and the dask arrays that take their place."""

    def __init__(self) -> None:
        self._library: ChunkLibrary | None = None
        #: The arrays by the names of their placeholders.
        self._arrays: dict[str, Any] = {}
        self._placeholders: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self._library is not None

    def to_dask(self, array: Any) -> Any:
        """Return a dask array of placeholders for an array of another library.

        Any other array is returned as it is.

        Raises
        ------
        TypeError
            If arrays of two libraries are in one call.
        ImportError
            If dask is not installed.
        """
        library = next((known for known in LIBRARIES if known.owns(array)), None)
        if library is None:
            return array
        if self._library is not None and self._library is not library:
            raise TypeError(
                f"the call has arrays of {self._library.module} and of {library.module}; "
                "bring them to one library of chunked arrays first"
            )
        self._library = library
        if id(array) not in self._placeholders:
            name = library.name(array)
            self._arrays[name] = array
            self._placeholders[id(array)] = _placeholder(array, name, library.sample(array))
        return self._placeholders[id(array)]

    def from_dask(self, arrays: list[Any]) -> list[Any]:
        """Return results as arrays of the library that their fields are of.

        An array without placeholders is returned as it is.
        """
        if self._library is None:
            return arrays
        results = [self._arrays.get(getattr(a, "name", ""), a) for a in arrays]
        dask_array = sys.modules["dask.array"].Array
        lazy = [
            i
            for i, a in enumerate(results)
            if isinstance(a, dask_array) and not self._arrays.keys().isdisjoint(a.dask.layers)
        ]
        made = self._library.from_dask([results[i] for i in lazy], self._arrays)
        for i, array in zip(lazy, made, strict=True):
            results[i] = array
        return results


def _placeholder(array: Any, name: str, sample: Any) -> Any:
    """A dask array of the chunks of an array; to compute it computes these."""
    try:
        import dask.array as da
    except ImportError as error:
        raise ImportError(
            f"chunks of {type(array).__module__.partition('.')[0]} are planned with dask, which "
            "is not installed; pip install 'dask[array]'"
        ) from error
    from dask.highlevelgraph import HighLevelGraph

    from .placeholder_layer import PlaceholderLayer

    layer = PlaceholderLayer(name, array)
    return da.Array(HighLevelGraph({name: layer}, {name: set()}), name, array.chunks, meta=sample)


def without_layers(graph: Any, names: Mapping[str, Any]) -> Any:
    """Return a graph without some layers, to whose keys its tasks still refer."""
    from dask.highlevelgraph import HighLevelGraph

    layers = {name: layer for name, layer in graph.layers.items() if name not in names}
    needs = {name: set(graph.dependencies[name]) - set(names) for name in layers}
    return HighLevelGraph(layers, needs)
