"""A scheme: the orders of a derivative and of its accuracy, checked."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .._wording import short_repr
from .assembly import half_width, interior_width, make_smoothing_stencil, make_stencil
from .coasts import Coast, make_coast_stencil
from .columns import ColumnWindows
from .fornberg import Interpolation
from .least_squares import LeastSquares
from .length_windows import make_length_stencil
from .nodes import Nodes
from .smoothing import Smoothing, WindowLength, check_smooth
from .summation_by_parts import ORDERS, needed_points, sbp_stencil
from .table import Stencil

#: Largest table of the windows next to missing values.
MAX_TABLE_BYTES = 1 << 30
#: More nodes than any axis has.
MAX_REACH = 1 << 62


class Scheme(NamedTuple):
    """The orders of a derivative and of its accuracy.

    Attributes
    ----------
    deriv : int
        Order of the derivative, at least 1; 0 is the smoothed field.
    accuracy : int
        Order of accuracy in the interior, at least 1.
    edge_order : int
        Order of accuracy at boundaries, at least 1.
    skipna : bool
        Whether missing values are boundaries for their neighbours.
    smoothing : Smoothing, optional
        Least-squares polynomials in place of the accuracies.
    by_parts : bool
        True for derivatives that sum by parts, with half the order of accuracy at boundaries.
    """

    deriv: int = 1
    accuracy: int = 2
    edge_order: int = 1
    skipna: bool = False
    smoothing: Smoothing | None = None
    by_parts: bool = False

    @classmethod
    def checked(
        cls, deriv: Any, accuracy: Any, edge_order: Any, skipna: Any = False, smooth: Any = None
    ) -> Scheme:
        """Make a scheme from arguments of a call, or raise an error that names the wrong one."""
        # Not in the cache, where a window of 5 equals one of 5.0.
        smoothing = None if smooth is None else check_smooth(smooth, accuracy, edge_order)
        try:
            return _checked_scheme(deriv, accuracy, edge_order, skipna, smoothing)
        except TypeError:  # an argument that cannot be hashed
            return _checked_scheme.__wrapped__(deriv, accuracy, edge_order, skipna, smoothing)

    @property
    def reach(self) -> int:
        """The largest number of nodes that a first or second derivative needs on one side."""
        window = 0 if self.smoothing is None else self.smoothing.window
        if not isinstance(window, int):  # a length may hold all nodes
            return MAX_REACH
        return max(self.deriv, 2) + self.accuracy + self.edge_order + window

    def with_deriv(self, deriv: int) -> Scheme:
        """The scheme with the same accuracies for another derivative."""
        return self._replace(deriv=deriv)

    def two_orders_higher(self) -> Scheme:
        """The scheme to compare with: each of its windows is wider than the same row's here."""
        half = interior_width(self.deriv, self.accuracy, uniform=False) // 2
        boundary_width = max(self.deriv + self.edge_order, 2 * half) + 2
        return self._replace(accuracy=self.accuracy + 2, edge_order=boundary_width - self.deriv)

    def stencil(self, nodes: Nodes, label: str) -> Stencil:
        """Make the stencil of this derivative on an axis; refuse an axis with too few points."""
        if self.by_parts:
            return self._stencil_by_parts(nodes, label)
        if self.smoothing is not None:
            return self._smoothing_stencil(nodes, label, self.smoothing)
        where, needed = "", self.deriv + self.edge_order
        if any(nodes.continues) or any(nodes.missing_ends):
            width = interior_width(self.deriv, self.accuracy, nodes.step is not None)
            # Next to missing values, one-sided windows may reach further than centred ones.
            depth = max(width // 2, needed - 1) if self.skipna else width // 2
            least = 0 if all(nodes.continues) else needed
            where = "with this boundary " if nodes.period is None else "on a periodic axis "
            needed = max(width, depth + max(nodes.on_fold), least)
        self._check_points(nodes.n, needed, label, where)
        return make_stencil(nodes, self.deriv, self.accuracy, self.edge_order, self.skipna)

    def coast_stencil(self, nodes: Nodes, label: str, coast: Coast) -> Stencil:
        """Make the stencil of this derivative where a condition holds at missing values."""
        stencil = self.stencil(nodes, label)
        if self.smoothing is None:
            fit: Any = Interpolation(self.deriv)
            half = half_width(self.deriv, self.accuracy, nodes.step is not None, nodes.n)
            boundary_width = self.deriv + self.edge_order
        else:
            fit = LeastSquares(self.deriv, self.smoothing.degree, self.smoothing.tricube)
            half, boundary_width = self.smoothing.window // 2, self.smoothing.window
        coasts = make_coast_stencil(nodes, fit, half, boundary_width, coast)
        stencil = replace(stencil, masked=None, coasts=coasts)
        return stencil.with_missing_ends(nodes.missing_ends)

    def interior_stencil(self, nodes: Nodes, label: str) -> Stencil:
        """Make a stencil of centred three-node windows, with zeros in all other rows."""
        return self._replace(edge_order=1).stencil(nodes, label).interior_only

    def column_windows(self, n: int, label: str) -> ColumnWindows:
        """Make the windows of this derivative for positions that differ by column, n in each."""
        boundary_width = self.deriv + self.edge_order
        self._check_points(n, boundary_width, label)
        half = half_width(self.deriv, self.accuracy, False, n)
        return ColumnWindows(n, self.deriv, half, boundary_width, self.skipna, 0, n)

    def check_by_parts(self) -> None:
        """Raise a ValueError for an order that has no operators of summation by parts."""
        if self.accuracy not in ORDERS:
            raise ValueError(
                f"accuracy is {self.accuracy}, but boundary 'sbp' has operators of accuracy "
                f"{', '.join(map(str, ORDERS[:-1]))} and {ORDERS[-1]}; give one of them"
            )

    def _stencil_by_parts(self, nodes: Nodes, label: str) -> Stencil:
        mend = "leave boundary out, or give another one"
        if nodes.step is None:
            raise ValueError(f"boundary is 'sbp', but the steps of {label} differ; {mend}")
        if any(nodes.continues):
            raise ValueError(f"boundary is 'sbp', but {label} has no ends; {mend}")
        needed = needed_points(self.accuracy)
        if nodes.n < needed:
            raise ValueError(
                f"{label} has {nodes.n} point{'' if nodes.n == 1 else 's'}, but boundary 'sbp' of "
                f"accuracy={self.accuracy} needs {needed}; lower it or take more points"
            )
        return sbp_stencil(nodes, self.accuracy)

    def _smoothing_stencil(self, nodes: Nodes, label: str, smoothing: Smoothing) -> Stencil:
        smoothing.check(self.deriv)
        if isinstance(smoothing.window, WindowLength):
            return self._length_stencil(nodes, label, smoothing)
        window, needed = smoothing.window, smoothing.window
        if any(nodes.continues):
            depth = window - 1 if self.skipna else window // 2
            needed = max(window, depth + max(nodes.on_fold))
        if nodes.n < needed:
            raise ValueError(
                f"{label} has {nodes.n} points, but smooth with a window of {window} needs "
                f"{needed}; take a smaller window or more points"
            )
        rows = 1 if nodes.positions is None else nodes.n
        size = window**3 // 2 * rows * 8
        if self.skipna and size > MAX_TABLE_BYTES:
            raise ValueError(
                f"{label} has {nodes.n} points, for which smooth with a window of {window} and "
                f"skipna has {size / 1e9:.1f} GB of coefficients; take a smaller window"
            )
        fit = LeastSquares(self.deriv, smoothing.degree, smoothing.tricube)
        return make_smoothing_stencil(nodes, window, fit, self.skipna)

    def _length_stencil(self, nodes: Nodes, label: str, smoothing: Smoothing) -> Stencil:
        if self.skipna:
            raise ValueError(
                f"smooth has a window of {smoothing.window.text!r}, but with skipna a window of "
                f"{label}, whose steps are not uniform, is a number of points; give one"
            )
        fit = LeastSquares(self.deriv, smoothing.degree, smoothing.tricube)
        return make_length_stencil(nodes, smoothing.window, fit, label)

    def _check_points(self, n: int, needed: int, label: str, where: str = "") -> None:
        if n < needed:
            raise ValueError(
                f"{label} has {n} point{'' if n == 1 else 's'}, but "
                f"deriv={self.deriv}, accuracy={self.accuracy}, edge_order={self.edge_order} "
                f"{where}needs {needed}; lower them or take more points"
            )


@lru_cache(maxsize=128, typed=True)  # tells True from 1
def _checked_scheme(
    deriv: Any, accuracy: Any, edge_order: Any, skipna: Any, smoothing: Smoothing | None
) -> Scheme:
    if edge_order is None:
        # At accuracy 2, torch, NumPy and xarray take one-sided first differences by default.
        edge_order = 1 if accuracy == 2 else accuracy
    orders = {"deriv": deriv, "accuracy": accuracy, "edge_order": edge_order}
    for name, value in orders.items():
        least = 0 if smoothing and name == "deriv" else 1
        remedy = f"give a whole number of at least {least}"
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} is {short_repr(value)}; {remedy}")
        if value < least:
            raise ValueError(f"{name} is {value}; {remedy}")
    if not isinstance(skipna, bool | np.bool_):
        raise TypeError(f"skipna is {short_repr(skipna)}; give True or False")
    if smoothing is not None:
        smoothing.check(int(deriv))
    numbers = int(deriv), int(accuracy), int(edge_order)
    return Scheme(*numbers, bool(skipna), smoothing)
