"""Derivatives that sum by parts: their scheme, and what the option excludes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._wording import short_repr
from ..stencils.scheme import Scheme

#: What an option is where it is not given.
NOT_GIVEN = (None, False)


def is_by_parts(boundary: Any) -> bool:
    """Return True for the boundary of summation by parts."""
    return isinstance(boundary, str) and boundary == "sbp"


def read_scheme(
    boundary: Any, deriv: Any, accuracy: Any, edge_order: Any, others: Mapping[str, Any]
) -> Scheme:
    """Return the scheme of a derivative, which may sum by parts.

    Parameters
    ----------
    boundary, deriv, accuracy, edge_order
        As the call has them.
    others : mapping
        The options that summation by parts excludes, ``skipna`` and ``smooth`` among them.

    Raises
    ------
    TypeError, ValueError
        If an option is wrong, or excluded.
    """
    if is_by_parts(boundary):
        own = None if deriv == 1 else deriv
        return scheme_by_parts(accuracy, deriv=own, edge_order=edge_order, **others)
    points = others["at"] is not None or others["to"] is not None
    if points and edge_order is None and others["smooth"] is None:
        edge_order = accuracy
    return Scheme.checked(deriv, accuracy, edge_order, others["skipna"], others["smooth"])


def scheme_by_parts(accuracy: Any, **others: Any) -> Scheme:
    """Return the scheme of summation by parts.

    Parameters
    ----------
    accuracy : int
        Order of accuracy in the interior.
    **others : mapping
        Options that summation by parts excludes, as the call has them.

    Raises
    ------
    TypeError, ValueError
        If an option is excluded, or there is no operator of this order.
    """
    for name, value in others.items():
        if not any(value is none for none in NOT_GIVEN):
            raise ValueError(
                f"boundary 'sbp' does not go with {name}, which is {short_repr(value)}; leave one "
                "of them out"
            )
    scheme = Scheme.checked(1, accuracy, None)._replace(by_parts=True)
    scheme.check_by_parts()
    return scheme
