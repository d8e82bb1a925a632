"""Marks of single parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

__all__ = ["slow", "some_slow"]


def slow(*values: Any) -> Any:
    """Return parameters whose cases `pytest -m slow` runs, and the README's command does not."""
    return pytest.param(*values, marks=pytest.mark.slow)


def some_slow(values: Iterable[Any], every: int) -> list[Any]:
    """Return parameters of which the README's command runs each third one, say, from the first."""
    return [value if k % every == 0 else slow(value) for k, value in enumerate(values)]
