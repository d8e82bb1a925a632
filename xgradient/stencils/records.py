"""Records that go to other processes without what was derived from them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Record:
    """A dataclass of which a pickle holds the fields alone.

    Arrays that arrive in another process may be read-only, and begin at any byte. Loops take only
    arrays derived from them, so these are made anew there.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, without cached properties."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
