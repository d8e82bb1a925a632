"""Derivatives by coordinates of several dimensions, and others at constant values of these.

Along levels on which a coordinate z is not constant, the chain rule gives

    (∂f/∂x)_z = (∂f/∂x)_s - (∂z/∂x)_s ∂f/∂z

where s counts the levels.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import xarray as xr

from .arguments import frame_of_call, names_of_call, steps_of_call
from .axes import XarrayObject
from .binding import Binding
from .chunks import check_place, place
from .finishes import at_constant
from .formulas import Formula, Part, gradient_parts, pure_parts
from .frames import AnyFrame, Column, Frame, Side, kept
from .levels import columns_of_call, dims_named, find_column
from .results import check_field, derivative_of, evaluated, gathered, no_field
from .stencils import Order
from .track import two_along
from .wording import in_one_line

__all__ = ["Layers", "layered"]


@dataclass(frozen=True, eq=False)
class Layers:
    """The axes of a call by columns.

    Attributes
    ----------
    frame : Frame or Surface
        Its other axes.
    columns : tuple of Column
        Those whose positions differ from column to column.
    places : tuple of int
        Where each of all these, the axes of the frame first, was named in the call.
    constant : Column or None
        What is to stay constant along the other axes.
    """

    frame: AnyFrame
    places: tuple[int, ...]
    columns: tuple[Column, ...] = ()
    constant: Column | None = None

    def derivatives(self, da: xr.DataArray, order: Order) -> list[xr.DataArray]:
        """All derivatives that a field has."""
        if self.constant is not None and not self._has(da, self.constant):
            return []
        sides = [i for i, side in enumerate(self.frame.sides) if set(side.dims) <= set(da.dims)]
        columns = [column for column in self.columns if self._has(da, column)]
        places = [self.places[i] for i in sides]
        places += [self.places[len(self.frame.sides) + self.columns.index(c)] for c in columns]
        if not sides and not columns:
            return []
        da = check_field(da)
        for column in [*columns, *([self.constant] if self.constant else [])]:
            what = f"coordinate {str(column.name)!r}"
            check_place(column.positions.data, da.data, what)
        if self.constant is None:
            frame, fields = self.frame.over([da])
            binding, deriv, at = Binding.of_scalar(frame, da, order), order.deriv, ""
            made = evaluated(binding, fields, lambda: [
                *(pure_parts(frame, i, deriv) for i in sides),
                *(_by(column, deriv) for column in columns),
            ])  # fmt: skip
        else:
            made = self._on_levels(da, self.constant, sides, order)
            at = f" at constant {self.constant.name}"
        axes: list[Any] = [*(self.frame.sides[i].axis for i in sides), *columns]
        return [
            derivative_of(da, data, axis, order.deriv, at)
            for _, axis, data in sorted(zip(places, axes, made, strict=True), key=itemgetter(0))
        ]

    def _has(self, da: xr.DataArray, column: Column) -> bool:
        return set(column.positions.dims) <= set(da.dims)

    def _on_levels(
        self, da: xr.DataArray, constant: Column, sides: list[int], order: Order
    ) -> list[Any]:
        """The derivatives along some sides at constant positions, in one pass."""
        z = _spread(constant.positions, da).rename(constant.name)
        if order.skipna:
            # Where one is missing so is the other, for their derivatives to have the same windows.
            with place(da.data):
                z, da = (a.copy(deep=False, data=kept(a.variable, b.notnull().variable).data)
                         for a, b in ((z, da), (da, z)))  # fmt: skip
        frame, fields = self.frame.over([da, z])
        binding = Binding(frame, da.dims, da.shape, order, (False, False), columns={constant: 1})

        def formulas() -> list[Formula]:
            slopes = [gradient_parts(frame, i, field) for field in (0, 1) for i in sides]
            return [*slopes, _by(constant, 1)]

        return evaluated(binding, fields, formulas, at_constant, len(sides))


def layered(
    obj: XarrayObject,
    fields: list[xr.DataArray],
    dim: Any,
    order: Order,
    spacing: Any,
    periodic: Any,
    metric: Any,
    along: Hashable | None,
    constant: Hashable | None,
) -> Any:
    """What `xgradient.grad` gives where a coordinate has several dimensions; None where none has.

    Parameters
    ----------
    obj : DataArray or Dataset
        What is to be differentiated.
    fields : list of DataArray
        Its fields.
    order : Order
        The derivative.
    dim, spacing, periodic, metric, along, constant
        As `xgradient.grad` takes them.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit: one sentence with what was found.
    """
    names, alone = names_of_call(obj, dim, fields)
    for argument, value in (("along", along), ("at_constant", constant)):
        if not isinstance(value, Hashable):
            raise TypeError(f"{argument} is {in_one_line(value)}; give one name")
    frame: AnyFrame
    if constant is not None:
        column = _constant(obj, names, dim is None, along, constant, order)
        names = [name for name in names if dim is not None or name != column.dim]
        frame, _ = frame_of_call(obj, names, metric, order, spacing, periodic, fields)
        layers = Layers(frame, tuple(range(len(frame.sides))), constant=column)
    else:
        columns = columns_of_call(obj, names, along)
        if not columns:
            return None
        spacing = steps_of_call(obj, names, alone, columns, spacing, periodic)
        others = [name for name in names if name not in columns]
        frame = Frame(())
        if others:
            frame, _ = frame_of_call(obj, others, metric, order, spacing, periodic, fields)
        elif metric is not None:
            raise ValueError(
                f"metric is for other coordinates, but {names[0]!r} is a length itself; leave "
                "metric out, or name latitude and longitude besides"
            )
        taken = {side.axis.dim: side.axis.name for side in frame.sides if isinstance(side, Side)}
        for column in columns.values():
            if column.dim in taken:
                raise two_along(obj, column.dim, [taken[column.dim], column.name])
            taken[column.dim] = column.name
        places = tuple(names.index(name) for name in (*others, *columns))
        layers = Layers(frame, places, tuple(columns.values()))
    results = [result for da in fields for result in layers.derivatives(da, order)]
    if not results:
        every = [*layers.columns, *([layers.constant] if layers.constant else [])]
        assert isinstance(obj, xr.Dataset)
        raise no_field(obj, every[0].positions.dims)
    return gathered(obj, results, alone)


def _constant(
    obj: XarrayObject,
    names: list[Hashable],
    every: bool,
    along: Hashable | None,
    constant: Hashable,
    order: Order,
) -> Column:
    """The coordinate that is to stay constant."""
    if order.deriv != 1:
        raise ValueError(
            f"deriv is {order.deriv}, but at_constant is for first derivatives; leave one out"
        )
    asked = set() if every else dims_named(obj, names)
    column = find_column(obj, constant, along, asked)
    if column.dim in asked:
        raise ValueError(
            f"at_constant is {constant!r}, which changes along {str(column.dim)!r}, but dim names "
            "this too; name the other dimensions only"
        )
    return column


def _by(column: Column, deriv: int) -> Formula:
    """The derivative by the positions of columns."""
    return Formula((Part(0, column, deriv, 1.0),))


def _spread(positions: xr.Variable, da: xr.DataArray) -> xr.DataArray:
    """Positions over all dimensions of a field, which are not copied for it."""
    if set(positions.dims) < set(da.dims) and da.chunks is not None:
        positions = positions.chunk()
    sizes = dict(zip(da.dims, da.shape, strict=True))
    return xr.DataArray(positions.set_dims(sizes))  # type: ignore[no-untyped-call]
