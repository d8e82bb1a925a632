"""Boundary conditions: what holds at the ends of an axis, and the nodes beyond them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._wording import short_repr
from .nodes import Nodes

#: Conditions whose ghost cells follow from the cells before the end.
MIRRORED = ("extend", "even", "odd", "value", "slope")
#: Conditions that are one word.
WORDS = ("one-sided", "missing", "extend", "even", "odd", "periodic")
#: Conditions with a number or an array.
WITH_VALUE = ("value", "slope")
WALLS = ("node", "face")

_REMEDY = (
    f"give one of {', '.join(map(repr, WORDS))}, ('value', v) or ('slope', s), or a pair of them"
)


class Condition(NamedTuple):
    """The condition at one end of an axis.

    Attributes
    ----------
    kind : str
        One of `WORDS` or of `WITH_VALUE`.
    value : number or array, optional
        The value at the wall, or the slope across it.
    """

    kind: str = "one-sided"
    value: Any = None


class Conditions(NamedTuple):
    """The conditions at both ends of an axis."""

    low: Condition = Condition()
    high: Condition = Condition()

    @property
    def kinds(self) -> tuple[str, str]:
        """The kinds of both conditions."""
        return self.low.kind, self.high.kind


def read_conditions(entry: Any, label: str) -> Conditions:
    """Return the conditions of an entry: one for both ends, or a pair of them.

    Raises
    ------
    TypeError, ValueError
        If the entry is none, or "periodic" is given for one end only.
    """
    is_pair = isinstance(entry, tuple | list) and len(entry) == 2 and not _has_value(entry)
    low, high = (_read_condition(part, label) for part in (entry if is_pair else (entry, entry)))
    if "periodic" in (low.kind, high.kind) and low.kind != high.kind:
        raise ValueError(
            f"{label} is {short_repr(entry)}, but both ends of a periodic axis are the same place; "
            "give 'periodic' for both, or for none"
        )
    return Conditions(low, high)


def check_wall(wall: Any) -> bool:
    """Return True for a wall half a step beyond the last point, and False for one on it.

    Raises
    ------
    ValueError
        If the option is another word.
    """
    if not isinstance(wall, str) or wall not in WALLS:
        raise ValueError(
            f"wall is {short_repr(wall)}; give 'node' for walls at the last points, or 'face' for "
            "walls half a step beyond them"
        )
    return wall == "face"


def check_entries(option: Any, label: str, read: Callable[[Any, str], Any]) -> None:
    """Check an entry for all axes, or those of a mapping by name and perhaps by field.

    Raises
    ------
    TypeError, ValueError
        If an entry is wrong.
    """
    if not isinstance(option, Mapping):
        read(option, label)
        return
    for name, entry in option.items():
        for field, of_field in entry.items() if isinstance(entry, Mapping) else [(None, entry)]:
            suffix = "" if field is None else f" for {str(field)!r}"
            read(of_field, f"{label} of {str(name)!r}{suffix}")


def read_coast(entry: Any, label: str) -> Condition:
    """Return the condition next to missing values, the same on both sides of each.

    Raises
    ------
    TypeError, ValueError
        If the entry is none, or its value is not a number.
    """
    condition = _read_condition(entry, label)
    if condition.kind in ("missing", "periodic"):
        mend = "leave out skipna" if condition.kind == "missing" else "give another condition"
        raise ValueError(f"{label} is {entry!r}, which no coast can be; {mend}")
    if condition.kind in WITH_VALUE and not isinstance(condition.value, int | float):
        raise TypeError(
            f"{label} has the {condition.kind} {short_repr(condition.value)}; give a number"
        )
    return condition


def _has_value(entry: Any) -> bool:
    """Tell if an entry is a word with a value."""
    return isinstance(entry[0], str) and entry[0] in WITH_VALUE


def _read_condition(entry: Any, label: str) -> Condition:
    if isinstance(entry, tuple | list) and len(entry) == 2 and _has_value(entry):
        kind, value = entry
        numbers = np.asarray(value) if isinstance(value, int | float | complex) else None
        if numbers is not None and not np.isfinite(numbers):
            raise ValueError(f"{label} has the {kind} {value}; give a finite number")
        return Condition(kind, value)
    if isinstance(entry, str) and entry in WORDS:
        return Condition(entry)
    if isinstance(entry, str) and entry in WITH_VALUE:
        raise ValueError(f"{label} is {entry!r} without a number; give ({entry!r}, number)")
    kind_of_error = ValueError if isinstance(entry, str) else TypeError
    raise kind_of_error(f"{label} is {short_repr(entry)}; {_REMEDY}")


@lru_cache(maxsize=64)
def nodes_with_conditions(nodes: Nodes, kinds: tuple[str, str], face: bool) -> Nodes:
    """Return the nodes of an axis with other ends: mirrored, missing or one-sided.

    Parameters
    ----------
    nodes : Nodes
        The axis, which is not periodic.
    kinds : tuple of str
        The kinds of the conditions at both ends.
    face : bool
        True for walls half a step beyond the last nodes, else they lie on these.
    """
    first, last = (kind in MIRRORED for kind in kinds)
    if kinds == ("one-sided", "one-sided"):
        return nodes
    missing = kinds[0] == "missing", kinds[1] == "missing"
    if nodes.positions is None:
        assert nodes.step is not None
        ends, steps = (0.0, (nodes.n - 1) * nodes.step), (nodes.step, nodes.step)
    else:
        x = nodes.positions
        ends, steps = (float(x[0]), float(x[-1])), (float(x[1] - x[0]), float(x[-1] - x[-2]))
    walls = ends[0] - face * steps[0] / 2, ends[1] + face * steps[1] / 2
    folds = walls[0] if first else None, walls[1] if last else None
    return replace(
        nodes,
        fold_positions=folds if first or last else None,
        on_fold=(int(first and not face), int(last and not face)),
        missing_ends=missing,
    )


def mirror_distances(nodes: Nodes, end: int, cells: int) -> NDArray[np.float64]:
    """Return how far ghost nodes lie from the nodes that they mirror, the nearest first.

    The distances are signed and in units of the axis. The first end has number 0, the last 1.
    """
    on_fold = nodes.on_fold[end]
    if nodes.positions is None:
        assert nodes.step is not None
        steps = 2 * np.arange(cells) + 1 + on_fold
        return (steps if end else -steps) * np.float64(nodes.step)
    assert nodes.fold_positions is not None
    fold = nodes.fold_positions[end]
    assert fold is not None
    source = (nodes.positions[::-1] if end else nodes.positions)[on_fold : on_fold + cells]
    distances: NDArray[np.float64] = ((2 * fold - source) - source) / nodes.scale
    return distances
