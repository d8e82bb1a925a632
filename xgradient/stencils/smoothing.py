"""The option ``smooth``: a window and the degree of the polynomials in it, checked."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

from .._wording import short_repr

REMEDY = "give (window, degree) or (window, degree, 'tricube'), such as (11, 3)"


class WindowLength(NamedTuple):
    """The length of windows on a non-uniform axis.

    Attributes
    ----------
    half : float
        Half the length, in units of the axis.
    text : str
        The length as it was given.
    """

    half: float
    text: str


class Smoothing(NamedTuple):
    """Least-squares polynomials in place of interpolating ones.

    Attributes
    ----------
    window : int, WindowLength, str or timedelta
        An odd number of nodes, or a length: with its units, such as "3 days", or in units of an
        axis.
    degree : int
        Degree of the polynomials.
    tricube : bool
        True to weight nodes by their distance.
    """

    window: Any
    degree: int
    tricube: bool = False

    def check(self, deriv: int) -> None:
        """Raise a ValueError if the degree fits neither the window nor the derivative."""
        if self.degree < deriv:
            raise ValueError(
                f"smooth has polynomials of degree {self.degree}, whose derivative of order "
                f"{deriv} is zero; give a degree of at least {deriv}"
            )
        if isinstance(self.window, int) and self.degree > self.window - 2:
            raise ValueError(
                f"smooth has polynomials of degree {self.degree}, which pass through all "
                f"{self.window} points of a window; give a degree of at most {self.window - 2} "
                "or a wider window"
            )


def check_smooth(smooth: Any, accuracy: int, edge_order: int | None) -> Smoothing:
    """Return the option ``smooth`` checked.

    Raises
    ------
    TypeError, ValueError
        If it is not a window and a degree, or an option is given that it excludes.
    """
    if not isinstance(smooth, tuple | list) or len(smooth) not in (2, 3):
        raise TypeError(f"smooth is {short_repr(smooth)}; {REMEDY}")
    window, degree, *weights = smooth
    if isinstance(degree, bool) or not isinstance(degree, Integral) or degree < 0:
        raise ValueError(
            f"smooth has the degree {short_repr(degree)}; give a whole number of at least 0"
        )
    if weights not in ([], ["tricube"]):
        raise ValueError(
            f"smooth has the weights {short_repr(weights[0])}; give 'tricube', or leave them out"
        )
    if accuracy != 2 or edge_order is not None:
        name, value = ("accuracy", accuracy) if accuracy != 2 else ("edge_order", edge_order)
        raise ValueError(
            f"{name} is {short_repr(value)}, but the degree of smooth sets the accuracy; "
            "leave one of them out"
        )
    return Smoothing(_check_window(window), int(degree), bool(weights))


def _check_window(window: Any) -> Any:
    """Return a window as a whole number, or a length as it is."""
    if isinstance(window, str) or "timedelta" in type(window).__name__.lower():
        return window
    if isinstance(window, bool) or not isinstance(window, Integral):
        raise TypeError(
            f"smooth has the window {short_repr(window)}; give an odd number of points, or a "
            "length with its units, such as '3 days'"
        )
    if window < 3 or window % 2 == 0:
        raise ValueError(f"smooth has a window of {window} points; give an odd number from 3 on")
    return int(window)
