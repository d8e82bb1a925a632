"""The order of a derivative and its accuracy, as the checked numbers of a call."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .._wording import short_repr
from .columns import ColumnWindows
from .nodes import Nodes
from .table import Stencil, _half, interior_width, make_stencil


class Scheme(NamedTuple):
    """Which derivative, and how accurate: the checked numbers of a call."""

    deriv: int = 1
    accuracy: int = 2
    edge_order: int = 1
    skipna: bool = False

    @classmethod
    def checked(cls, deriv: Any, accuracy: Any, edge_order: Any, skipna: Any = False) -> Scheme:
        """The numbers of a call, or an error that names the one that is wrong."""
        try:
            return _checked_scheme(deriv, accuracy, edge_order, skipna)
        except TypeError:  # also what cannot be hashed gets its own error
            return _checked_scheme.__wrapped__(deriv, accuracy, edge_order, skipna)

    def with_deriv(self, deriv: int) -> Scheme:
        """The same accuracies for another derivative."""
        return self._replace(deriv=deriv)

    def stencil(self, nodes: Nodes, label: str) -> Stencil:
        """The stencil of this derivative on an axis, which must have enough points."""
        closed = nodes.has_neighbours_beyond_ends
        needed = self.deriv + self.edge_order
        if closed:
            width = interior_width(self.deriv, self.accuracy, nodes.step is not None)
            # Next to missing values, windows at an end may reach further than those inside.
            reach = max(width // 2, needed - 1) if self.skipna else width // 2
            needed = max(width, reach + max(nodes.on_fold))
        self._check_points(nodes.n, needed, label, "on a periodic axis " if closed else "")
        return make_stencil(nodes, self.deriv, self.accuracy, self.edge_order, self.skipna)

    def interior_stencil(self, nodes: Nodes, label: str) -> Stencil:
        """The stencil where its windows are centred, which have three nodes; zero elsewhere."""
        return self._replace(edge_order=1).stencil(nodes, label).interior_only

    def column_windows(self, n: int, label: str) -> ColumnWindows:
        """The windows of this derivative by positions of every column's own, of n points each."""
        ends = self.deriv + self.edge_order
        self._check_points(n, ends, label)
        half = _half(self.deriv, self.accuracy, False, n)
        return ColumnWindows(n, self.deriv, half, ends, self.skipna, 0, n)

    def _check_points(self, n: int, needed: int, label: str, where: str = "") -> None:
        if n < needed:
            raise ValueError(
                f"{label} has {n} point{'' if n == 1 else 's'}, but "
                f"deriv={self.deriv}, accuracy={self.accuracy}, edge_order={self.edge_order} "
                f"{where}needs {needed}; lower them or take more points"
            )


@lru_cache(maxsize=128, typed=True)  # True is no 1 here
def _checked_scheme(deriv: Any, accuracy: Any, edge_order: Any, skipna: Any) -> Scheme:
    if edge_order is None:
        # At accuracy 2, one-sided first differences are what torch, NumPy and xarray have.
        edge_order = 1 if accuracy == 2 else accuracy
    given = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} is {short_repr(value)}; give a whole number of at least 1")
        if value < 1:
            raise ValueError(f"{name} is {value}; give a whole number of at least 1")
    if not isinstance(skipna, bool | np.bool_):
        raise TypeError(f"skipna is {short_repr(skipna)}; give True or False")
    return Scheme(**{name: int(value) for name, value in given.items()}, skipna=bool(skipna))
