"""Values as messages show them."""

from __future__ import annotations

import re
from typing import Any

#: The most characters that a message shows of a value.
MAX_CHARACTERS = 200


def short_repr(value: Any) -> str:
    """Return a value as Python shows it, on one line and cut off where it is long.

    Examples
    --------
    >>> import numpy as np
    >>> short_repr("cube"), short_repr(np.eye(2))
    ("'cube'", 'array([[1., 0.], [0., 1.]])')
    """
    text = re.sub(r"\s*\n\s*", " ", repr(value))
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
