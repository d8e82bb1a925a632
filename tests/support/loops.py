"""Results of the compiled loops and of NumPy in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from xgradient.kernels.compiled import on_demand

Result = TypeVar("Result")


def compiled_and_replaced(call: Callable[[], Result]) -> tuple[Result, Result]:
    """Return what a call gives by compiled loops, and by NumPy.

    A loop remembers when it is compiled, so all loops are forgotten before each call.
    """
    results = []
    for when in ("now", "never"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(on_demand.COMPILE_ENV, when)
            on_demand.loop.cache_clear()
            results.append(call())
    on_demand.loop.cache_clear()
    compiled, replaced = results
    return compiled, replaced
