"""Boundary conditions of plain arrays, whose dimensions have numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from .._wording import short_repr
from ..engine.evaluate import evaluate_sums
from ..engine.terms import Term, TermSum
from ..geometry.boundaries import AxisBoundary
from ..kernels import torch_interop
from ..labels.boundaries import BoundaryOptions
from ..labels.hints import quote_names
from ..stencils.boundary import WITH_VALUE, Condition, Conditions, read_conditions
from ..stencils.nodes import Nodes
from ..stencils.scheme import Scheme


class AxisEnds(NamedTuple):
    """One axis of an array: its number, its nodes, and what holds at its ends if that is given."""

    axis: int
    nodes: Nodes
    conditions: Conditions | None


def entries_of_dims(
    options: BoundaryOptions, dims: Sequence[Hashable], ndim: int
) -> dict[Hashable, Any]:
    """Return the boundary conditions of a call by dimension, which has a number or a name.

    Raises
    ------
    ValueError
        If a dimension is named along which the call does not differentiate.
    """
    if not isinstance(options.boundary, Mapping):
        return dict.fromkeys(dims, options.boundary)
    entries = {}
    for name, entry in options.boundary.items():
        dim = name
        if dim not in dims and isinstance(dim, int | np.integer) and -ndim <= dim < 0:
            dim = int(dim) + ndim
        if dim not in dims:
            raise ValueError(
                f"boundary names {name!r}, along which there is no derivative; there are "
                f"{quote_names(dims)}"
            )
        entries[dim] = entry
    return entries


def conditions_of_axis(entry: Any, axis: int, *, is_periodic: bool) -> tuple[Conditions, bool]:
    """Return the conditions at the ends of an axis, and whether it is periodic.

    Raises
    ------
    TypeError, ValueError
        If a condition is wrong, its value is not a number, or the axis is periodic as well.
    """
    label = f"boundary of dimension {axis}"
    conditions = read_conditions(entry, label)
    if is_periodic:
        raise ValueError(
            f"periodic is True for dimension {axis}, which boundary names too; leave it out of "
            "one of them"
        )
    for kind, value in conditions:
        if kind in WITH_VALUE and not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{label} has the {kind} {short_repr(value)}; give a number")
    return conditions, "periodic" in conditions.kinds


def derivatives_with_ends(
    array: Any, axes: Sequence[AxisEnds], scheme: Scheme, *, face: bool
) -> list[Any]:
    """Compute derivatives of an array along axes with boundary conditions, in one pass.

    Parameters
    ----------
    array : array
        The array, in memory or in dask chunks.
    axes : sequence of AxisEnds
        The axes.
    scheme : Scheme
        The orders of the derivative and of its accuracy.
    face : bool
        True for walls half a step beyond the last points.
    """
    shape = (1,) * array.ndim
    sums = []
    for axis, nodes, conditions in axes:
        label = f"dimension {axis}"
        if conditions is None or "periodic" in conditions.kinds:
            sums.append(TermSum((Term(0, axis, scheme.stencil(nodes, label)),)))
            continue
        variables = (
            Condition(kind, None if value is None else xr.Variable((), np.float64(value)))
            for kind, value in conditions
        )
        boundary = AxisBoundary(Conditions(*variables), face)
        own = boundary.nodes(nodes)
        walls = boundary.walls(own, axis, scheme.reach, lambda v: v.values.reshape(shape))
        sums.append(TermSum((Term(0, axis, scheme.stencil(own, label), fold=walls),)))
    array, restore = torch_interop.to_numpy_view(array)
    return [restore(result) for result in evaluate_sums([array], sums)]
