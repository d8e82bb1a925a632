"""Components of a vector field: by dimension, of the same dimensions, on one grid."""

from __future__ import annotations

import re
from collections.abc import Container, Hashable, Iterable, Mapping
from contextlib import suppress
from itertools import combinations, product
from typing import Any

import numpy as np
import xarray as xr

from ..engine.chunked import in_chunks
from ..geometry.directions import letter_of_dim
from ..labels.angles import latlon_kind
from ..labels.coordinates import CoordRef, resolve_name, squeezed
from ..labels.helpers import helper_names
from ..labels.hints import MissingNameError, close_name, quote_names
from .fields import check_field
from .options import COMPONENT_OPTIONS

#: Types of a component that is the same everywhere.
_NUMBERS = (int, float, complex, np.number)


def components_by_dim(
    components: Any, dims: Mapping[Any, Any], counts: tuple[int, ...]
) -> dict[Hashable, Any]:
    """Return the components by dimension, or raise an error for a wrong number of them."""
    if components is not None and not isinstance(components, Mapping):
        raise TypeError(
            f"components is of type {type(components).__name__}; give a mapping from dimension "
            "to component, or keywords such as lon='u', lat='v'"
        )
    given = {**(components or {}), **dims}
    if len(given) not in counts:
        wanted = " or ".join(str(n) for n in counts) if len(counts) < 3 else "1 to 3"
        raise ValueError(
            f"{len(given)} component{'' if len(given) == 1 else 's'} of the vector given "
            f"{'(' + ', '.join(repr(str(d)) for d in given) + ') ' if given else ''}where "
            f"{wanted} are needed; give each by its dimension, such as lon='u', lat='v'"
        )
    return given


def same_dims_fields(obj: Any, given: Mapping[Hashable, Any]) -> list[xr.DataArray]:
    """Return the components, broadcast to the dimensions of all and of the names of the call."""
    fields = [read_component(obj, dim, field) for dim, field in given.items()]
    labels = _component_labels(fields, given)
    sources = fields if obj is None else [*fields, obj]
    for i, j in combinations(range(len(fields)), 2):
        check_not_staggered(fields[i], fields[j], labels[i], labels[j], given)
    dims = dict.fromkeys(dim for field in fields for dim in field.dims)
    for name in given:
        if name not in dims:
            of_name = _dims_of_name(sources, name)
            if not of_name and isinstance(given[name], _NUMBERS):
                _check_no_option(name, dims)
            dims |= dict.fromkeys(of_name)
    return [broadcast_field(field, tuple(dims), sources) for field in fields]


def check_same_grid(fields: list[xr.DataArray], refs: list[CoordRef]) -> None:
    """Raise a ValueError for a component on another grid than the first."""
    labels = _component_labels(fields, (ref.name for ref in refs))
    multi_dim = [ref.name for ref in refs if len(ref.dims) > 1]
    for f, label in zip(fields[1:], labels[1:], strict=True):
        check_grid(fields[0], f, labels[0], label, multi_dim)


def _dims_of_name(sources: list[Any], name: Hashable) -> tuple[Hashable, ...]:
    """Return the dimensions of a coordinate by its name or CF name; none if nobody knows it."""
    for source in sources:
        with suppress(MissingNameError):
            known = resolve_name(source, name)
            coord = source.coords.variables.get(known)
            return (known,) if coord is None else squeezed(coord).dims
    return ()


def broadcast_field(
    field: xr.DataArray, dims: tuple[Hashable, ...], sources: list[Any]
) -> xr.DataArray:
    """Return a field with all of these dimensions, as a view where possible.

    Parameters
    ----------
    field : DataArray
        The field.
    dims : tuple of hashable
        The dimensions; a field that has all of them keeps its order.
    sources : list of DataArray and Dataset
        The data that have the other dimensions, with their lengths, chunks and coordinates.
    """
    if set(dims) <= set(field.dims):
        return field
    owners = {dim: next(s for s in sources if dim in s.dims) for dim in dims}
    sizes = {dim: field.sizes.get(dim, owner.sizes[dim]) for dim, owner in owners.items()}
    if field.ndim == 0 and not field.coords:
        # A number has the precision of the other fields, as in arithmetic.
        dtypes = [s.dtype for s in sources if isinstance(s, xr.DataArray) and s.ndim]
        number = field.values.item()
        dtype = np.result_type(*dtypes, number) if dtypes else np.result_type(number)
        field = field.astype(dtype)
    variable = field.variable
    chunks = {d: owner.chunksizes[d] for d, owner in owners.items() if d in owner.chunksizes}
    if variable.chunks is None and chunks:
        variable = variable.copy(deep=False, data=in_chunks(variable.data, {}))
    variable = variable.set_dims(sizes)  # type: ignore[no-untyped-call]
    if chunks:
        sizes_ = {variable.dims.index(d): chunks[d] for d in chunks if d not in field.dims}
        variable = variable.copy(deep=False, data=in_chunks(variable.data, sizes_))
    coords = {
        name: coord
        for source in sources
        for name, coord in source.coords.items()
        if name not in field.coords and set(coord.dims) <= set(dims)
    }
    return xr.DataArray(variable, {**coords, **field.coords}, name=field.name)


def _component_labels(fields: list[xr.DataArray], names: Iterable[Hashable]) -> list[str]:
    """Return the components' names for messages, or else their axes'."""
    return [repr(str(f.name)) if f.name is not None else f"that along {str(name)!r}"
            for f, name in zip(fields, names, strict=True)]  # fmt: skip


def read_component(obj: Any, dim: Hashable, field: Any) -> xr.DataArray:
    """Return a component as a DataArray that is checked as a field."""
    known = {} if obj is None else obj.variables if isinstance(obj, xr.Dataset) else obj.coords
    if isinstance(field, _NUMBERS) and not isinstance(field, bool) and field not in known:
        return xr.DataArray(field)
    if not isinstance(field, xr.DataArray | Hashable):
        raise TypeError(
            f"the component along {str(dim)!r} is of type {type(field).__name__}; give a "
            "DataArray, the name of a variable or a number"
        )
    if not isinstance(field, xr.DataArray):
        if field not in known:
            names = set(known) if obj is None else set(known) - helper_names(obj)
            close = close_name(field, sorted(names, key=str)) or _option_hint(dim, known)
            raise MissingNameError(
                f"the component along {str(dim)!r} is {field!r}, which is neither a DataArray "
                f"nor the name of a variable here{close}; there are {quote_names(names)}"
            )
        field = obj[field]
    return check_field(field)


def _option_hint(dim: Hashable, known: Any) -> str:
    """Return a hint at the option that a misspelt keyword may mean."""
    if dim in known:
        return ""
    if dim in COMPONENT_OPTIONS:  # of other operators
        return f"; this operator has no option {str(dim)!r}, so leave it out"
    return close_name(dim, COMPONENT_OPTIONS)


def _check_no_option(name: Hashable, dims: Iterable[Hashable]) -> None:
    """Raise an error for a number whose keyword may be a misspelt option."""
    if hint := close_name(name, COMPONENT_OPTIONS):
        known = ", ".join(repr(str(dim)) for dim in dims)
        raise MissingNameError(
            f"{str(name)!r} is not a dimension, coordinate or CF name here{hint}; there are {known}"
        )


def check_grid(
    first: xr.DataArray, other: xr.DataArray, name: str, its: str, multi_dim: list[Hashable]
) -> None:
    """Raise a ValueError for fields whose dimensions, sizes or coordinates differ."""
    check_not_staggered(first, other, name, its)
    for dim in first.dims:
        if dim not in other.dims:
            continue
        if first.sizes[dim] != other.sizes[dim]:
            raise ValueError(
                f"{name} has {first.sizes[dim]} points along {str(dim)!r}, but {its} has "
                f"{other.sizes[dim]}; bring them to one grid, e.g. with .interp_like"
            )
    for coord in (*first.dims, *multi_dim):
        a, b = first.coords.variables.get(coord), other.coords.variables.get(coord)
        if _same_transform(first.xindexes.get(coord), other.xindexes.get(coord)):
            continue  # without making the positions
        if a is None or b is None or a is b or not a.chunks == b.chunks is None:
            continue  # lazy coordinates are not compared
        if set(a.dims) != set(b.dims) or not a.equals(b.transpose(*a.dims)):
            raise ValueError(
                f"{name} and {its} have different values of the coordinate {str(coord)!r}; bring "
                "them to one grid, e.g. with .interp_like"
            )


def _same_transform(a: Any, b: Any) -> bool:
    """Return True for two equal indexes that compute their positions."""
    return all(hasattr(index, "transform") for index in (a, b)) and bool(a.equals(b))


def check_not_staggered(
    first: xr.DataArray,
    other: xr.DataArray,
    name: str,
    its: str,
    named: Container[Hashable] = (),
) -> None:
    """Raise a ValueError for two fields that lie on different points of one axis.

    Fields that lack dimensions of each other are broadcast, as in arithmetic. On a staggered grid
    they have two dimensions for one axis, for which the message has a hint.

    Parameters
    ----------
    first, other : DataArray
        The fields.
    name, its : str
        The fields, for the message.
    named : container of hashable
        Dimensions that the call names as axes; two of these are never one axis.
    """
    mine = [dim for dim in first.dims if dim not in other.dims]
    theirs = [dim for dim in other.dims if dim not in first.dims]
    pairs = [pair for pair in product(mine, theirs) if not all(dim in named for dim in pair)]
    if not any(_are_one_axis(first, a, other, b) for a, b in pairs):
        return
    found = (
        f"{name} has the dimensions {', '.join(str(d) for d in first.dims) or 'none'}, but "
        f"{its} has {', '.join(str(d) for d in other.dims) or 'none'}"
    )
    raise ValueError(
        f"{found}, as on a staggered grid; give to='center' for means at the centers of cells, and "
        "positions=, such as positions={'X': {'center': 'xc', 'outer': 'xf'}}, for dimensions "
        "whose names do not tell these"
    )


def _are_one_axis(first: xr.DataArray, a: Hashable, other: xr.DataArray, b: Hashable) -> bool:
    """Return True if two dimensions are likely to hold different points of one axis.

    These go in one direction, or their names differ in the last word, as x_rho and x_u. Where
    directions are not known, one may have a point more than the other, at the same place.
    """
    letters = letter_of_dim(first, a), letter_of_dim(other, b)
    if None not in letters:
        return letters[0] == letters[1]
    if _without_last_word(a) == _without_last_word(b):
        return True
    place = first.dims.index(a) - first.ndim, other.dims.index(b) - other.ndim
    return letters == (None, None) and (
        place[0] == place[1] and abs(first.sizes[a] - other.sizes[b]) == 1
    )


def _without_last_word(dim: Hashable) -> str:
    """Return the name of a dimension without its last word, if it has several."""
    return re.sub(r"(?<=.)_[A-Za-z]+$", "", str(dim))


def right_handed_order(refs: list[CoordRef]) -> list[int]:
    """Return the order of longitude or x, latitude or y, and the vertical.

    The order is that of the call where a direction is unknown or repeated.
    """
    ranks: list[int] = []
    for ref in refs:
        kind = latlon_kind(ref.name, ref.coord)
        attrs = {} if ref.coord is None else ref.coord.attrs
        letter = str(attrs.get("axis", "") or str(ref.name)[:1]).lower()
        if kind is None and letter in "xyz" and letter:
            kind = letter
        if kind is None and ("positive" in attrs or letter in "zld"):
            kind = "z"
        rank = {"longitude": 0, "x": 0, "latitude": 1, "y": 1, "z": 2}.get(str(kind))
        if rank is None or rank in ranks:
            return list(range(len(refs)))
        ranks.append(rank)
    return sorted(range(len(refs)), key=ranks.__getitem__)
