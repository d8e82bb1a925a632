"""Dataclasses that are pickled without their cached properties."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Record:
    """Base of dataclasses whose pickles hold the fields alone.

    An array that arrives in another process may be read-only and unaligned. Compiled loops take
    only arrays in cached properties, so these are computed again there.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, without cached properties."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
