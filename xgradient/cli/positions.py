"""Positions on the cells of a grid, as words of a command."""

from __future__ import annotations

from .errors import Failure


def read_positions(words: tuple[str, ...]) -> dict[str, dict[str, str]] | None:
    """Parse words such as ``X:center=xc,left=xg`` into a mapping; None for no words."""
    axes = {}
    for word in words:
        axis, _, pairs = word.partition(":")
        axes[axis] = dict(_pair(pair, word) for pair in pairs.split(","))
    return axes or None


def _pair(pair: str, word: str) -> tuple[str, str]:
    """Split ``left=xg``."""
    position, given, name = pair.partition("=")
    if not given:
        raise Failure(f"positions {word!r} is not AXIS:POSITION=NAME,POSITION=NAME")
    return position.strip(), name.strip()
