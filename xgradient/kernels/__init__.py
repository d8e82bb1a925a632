"""Room 6: array libraries. Runs sums of weighted stencils with the arrays of each library.

A kernel reads plain windows: a block, its halo, an axis and the rows of a stencil. It knows no
labels, coordinates, periods or chunks. This room imports ``stencils`` and nothing above itself.

`backend_of` finds the `Backend` of an array. A new array library with loops of its own is a
folder with a class, a row in ``BACKENDS`` and a row in ``tests/support/backends.py``. A new loop
belongs in the folder of its library; README.md has the rules of fast loops.
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from .backend import Backend
from .compiled.backend import CompiledBackend
from .cuda.backend import CudaBackend
from .generic.backend import GenericBackend

_COMPILED = CompiledBackend()
#: The libraries with loops of their own, the first ones asked first.
BACKENDS: tuple[Backend, ...] = (_COMPILED, CudaBackend())


def backend_of(array: Any) -> Backend:
    """Return the backend of an array: the first that owns it, else the generic one."""
    if type(array) is ndarray:  # small arrays take less time than this loop
        return _COMPILED
    for backend in BACKENDS:
        if backend.owns(array):
            return backend
    return GenericBackend(array)
