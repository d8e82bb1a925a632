"""Move components from faces to the centers of cells, for operators that need them on one grid."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from .cell_fields import CellFields
from .cell_operators import moved
from .cell_options import CellOptions, read_on_cells
from .fields import check_field


def components_at_centers(
    name: str,
    obj: XarrayObject | None,
    components: Any,
    dims: Mapping[Any, Any],
    options: Mapping[str, Any],
) -> tuple[XarrayObject | None, dict[Hashable, xr.DataArray]]:
    """Return the data, and components at the centers of cells by the names of the axes there.

    Parameters
    ----------
    name : str
        The operator, for messages.
    obj, components, dims : object
        The data and the components of the call.
    options : mapping
        The options of the call by their names, ``to`` and ``positions`` among them.

    Raises
    ------
    TypeError, ValueError
        If ``to`` is another position, or options or components do not fit each other.
    """
    if (to := options["to"]) != "center":
        raise ValueError(
            f"to is {short_repr(to)}, but {name} needs all components on one grid; "
            "give to='center', or leave positions out"
        )
    taken = {**options, "form": None}
    if isinstance(order := options["accuracy"], int) and order > 2:
        # The error of means changes at the ends, where windows are one-sided. Its derivative is one
        # order lower, so means have two orders more than the result; at 2 no window is one-sided.
        taken |= {"accuracy": order + 2, "edge_order": None}
    cell_options = CellOptions.of_call(taken)
    found = read_on_cells(obj, components, dims, cell_options)
    assert found is not None  # to is given
    data, given = found
    cells, sums = cell_options.collect(data, list(given.values()), list(given))
    target = cells.targets(["center"] * len(given))
    result = {}
    for i, (key, field) in enumerate(given.items()):
        variable = check_field(field).variable
        ends = [cells.dim(field, number) for number in range(len(given))]
        variable = moved(sums, variable, ends, target, None)
        coords = cells.template(field, variable.dims).coords
        moved_field = xr.DataArray(variable, coords, name=field.name, attrs=field.attrs)
        result[_center_name(cells, key, target, i)] = moved_field
    return data, result


def _center_name(
    cells: CellFields, name: Hashable, target: Sequence[Hashable], number: int
) -> Hashable:
    """Return the name of an axis at the centers: that of the call, if it is a coordinate there."""
    coord = cells.source.coords.get(name)
    return name if coord is not None and set(coord.dims) <= set(target) else target[number]
