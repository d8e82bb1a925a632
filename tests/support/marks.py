"""Marks of single parameters."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["slow"]


def slow(*values: Any) -> Any:
    """Return parameters whose cases `pytest -m slow` runs, and the README's command does not."""
    return pytest.param(*values, marks=pytest.mark.slow)
