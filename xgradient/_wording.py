"""Short representations of values, for error messages."""

from __future__ import annotations

import re
from typing import Any

#: Longest representation of a value in a message, in characters.
MAX_CHARACTERS = 200


def short_repr(value: Any) -> str:
    """Return the representation of a value on one line, cut off where it is long.

    Examples
    --------
    >>> import numpy as np
    >>> short_repr("cube"), short_repr(np.eye(2))
    ("'cube'", 'array([[1., 0.], [0., 1.]])')
    """
    text = re.sub(r"\s*\n\s*", " ", repr(value))
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
