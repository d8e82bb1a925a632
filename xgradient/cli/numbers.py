"""Numbers among the words of a command."""

from __future__ import annotations

from typing import Any

from .errors import Failure


def number_or_text(word: str) -> float | str:
    """Return a number where a word is one."""
    try:
        return float(word)
    except ValueError:
        return word


def number_or_int(word: str) -> int | str:
    """Return an integer where a word is one."""
    return int(word) if word.isdecimal() else word


def int_or_auto(word: Any) -> Any:
    """Return a whole number, or the word "auto"."""
    try:
        return word if word == "auto" else int(word)
    except ValueError:
        raise Failure(f"accuracy is {word!r}; give a whole number or 'auto'") from None
