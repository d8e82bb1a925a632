"""Results of the compiled loops and of NumPy in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pytest
import xarray as xr

from xgradient.kernels.compiled import on_demand
from xgradient.kernels.compiled.on_demand import Loop

__all__ = ["arrays_of", "compile_loops", "compiled_and_replaced"]

Result = TypeVar("Result")


def arrays_of(result: xr.DataArray | xr.Dataset) -> list[np.ndarray[Any, Any]]:
    """Return the arrays of a DataArray or Dataset."""
    variables = [result] if isinstance(result, xr.DataArray) else result.data_vars.values()
    return [variable.values for variable in variables]


def compile_loops(patch: pytest.MonkeyPatch, when: str) -> None:
    """Compile loops from here on "now", "later" or "never".

    A loop remembers when it is compiled, so all loops are forgotten.
    """
    patch.setenv(on_demand.COMPILE_ENV, when)
    on_demand.loop.cache_clear()


def compiled_and_replaced(call: Callable[[], Result]) -> tuple[Result, Result]:
    """Return what a call gives by compiled loops, and by NumPy.

    A call without loops, or with loops of the other kind, would compare NumPy with itself, and is
    refused.
    """
    results = []
    for when in ("now", "never"):
        loops: list[Loop] = []

        def remembered(when: str, loops: list[Loop] = loops) -> Loop:
            loops.append(Loop(when))
            return loops[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(on_demand, "Loop", remembered)
            compile_loops(patch, when)
            results.append(call())
        assert loops, "the call runs no loop"
        assert all(loop.is_ready == (when == "now") for loop in loops)
    on_demand.loop.cache_clear()
    compiled, replaced = results
    return compiled, replaced
