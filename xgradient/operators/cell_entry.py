"""Tell calls of operators on cells, whose modules are loaded when one is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from ..labels.requested_units import RequestedUnits


def vector_on_cells(
    name: str,
    obj: Any,
    components: Any,
    dims: Mapping[Any, Any],
    options: Mapping[str, Any],
    requested: RequestedUnits | None,
) -> xr.DataArray | None:
    """Return the divergence or curl of components on cells; None if all are on one grid.

    Parameters
    ----------
    name : str
        The operator, "divergence" or "curl".
    obj, components, dims : object
        The data and the components of the call.
    options : mapping
        The options of the call by their names.
    requested : RequestedUnits or None
        Units that the call asks for.

    Raises
    ------
    TypeError, ValueError
        If options or components do not fit each other.
    """
    given = any(options[key] is not None for key in ("form", "to", "positions"))
    if not given and not _have_different_dims(obj, components, dims):
        return None
    from .cell_operators import curl_on_cells, divergence_on_cells
    from .cell_options import CellOptions, read_on_cells

    cells = CellOptions.of_call(options)
    found = read_on_cells(obj, components, dims, cells)
    if found is None:
        return None
    operator = {"divergence": divergence_on_cells, "curl": curl_on_cells}[name]
    return operator(*found, cells, requested)


def components_on_one_grid(
    name: str,
    obj: Any,
    components: Any,
    dims: Mapping[Any, Any],
    options: Mapping[str, Any],
) -> tuple[Any, Any, Mapping[Any, Any]]:
    """Return the data and components of a call, at the centers of cells if it asks for it.

    Parameters
    ----------
    name : str
        The operator.
    obj, components, dims : object
        The data and the components of the call.
    options : mapping
        The options of the call by their names.

    Raises
    ------
    TypeError, ValueError
        If options or components do not fit each other.
    """
    if options["to"] is None and options["positions"] is None:
        return obj, components, dims
    from .to_center import components_at_centers

    data, found = components_at_centers(name, obj, components, dims, options)
    return data, found, {}


def laplacian_on_cells(
    obj: Any, dim: Any, options: Mapping[str, Any], requested: RequestedUnits | None
) -> Any:
    """Return the conservative Laplacian of fields; None if the call does not ask for it."""
    if options["form"] is None and options["positions"] is None:
        return None
    from .cell_gradient import laplacian_of_fields
    from .cell_options import CellOptions

    return laplacian_of_fields(obj, dim, CellOptions.of_call(options), requested)


def _have_different_dims(obj: Any, components: Any, dims: Mapping[Any, Any]) -> bool:
    """Return True if two components each have a dimension that the other lacks."""
    given: list[Any] = []
    for fields in (components, dims, None if isinstance(obj, xr.Dataset) else obj):
        given += fields.values() if isinstance(fields, Mapping) else []
    known = obj.variables if isinstance(obj, xr.Dataset) else {}
    found = []
    for field in given:
        if not isinstance(field, xr.DataArray):
            field = known.get(field) if isinstance(field, str) else None  # noqa: PLW2901
        if field is not None:
            found.append(set(field.dims))
    return any(a - b and b - a for i, a in enumerate(found) for b in found[i + 1 :])
