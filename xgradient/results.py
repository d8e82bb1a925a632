"""Fields in, labelled results out: what all operators do before and after their formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import xarray as xr

from .axes import XarrayObject
from .binding import Binding
from .chunks import check_decoded, evaluate, place
from .cyclic import Opened
from .finishes import length
from .formulas import Formula
from .frames import AnyFrame, Column
from .hints import check_repeated, is_quantity, of_quantity
from .kernels import Finish
from .labels import (
    described,
    kept_attrs,
    result_attrs,
    result_encoding,
    result_name,
    words_for,
)
from .nodes import check_length
from .packing import is_nullable, nullable_to_floats, variable_label
from .standard_names import derivative_name, is_time
from .units import common_units, result_units

__all__ = [
    "alike",
    "as_length",
    "check_field",
    "check_object",
    "derivative_of",
    "dims_of",
    "evaluated",
    "fields_of",
    "gathered",
    "holds_flags",
    "is_numeric",
    "labelled",
    "mixed_derivative_of",
    "no_field",
    "numeric_fields",
    "side_by_side",
]


def check_object(obj: Any, what: str) -> None:
    """Refuse what has no labels."""
    if not isinstance(obj, (xr.DataArray, xr.Dataset)):
        raise TypeError(
            f"{what} takes labelled data, not {type(obj).__name__}; give a DataArray or Dataset"
            + (", or call xgradient.gradient for plain arrays" if what == "grad" else "")
        )
    if isinstance(obj, xr.DataArray):
        _check_dims(obj)


def _check_dims(da: xr.DataArray) -> None:
    """Refuse a field that has one dimension twice."""
    if len(set(da.dims)) < len(da.dims):
        check_repeated(da.dims, variable_label(da.name))


def is_numeric(da: xr.DataArray) -> bool:
    """Whether a field has a derivative at all."""
    # The dtypes of other libraries are NumPy's, or have no kind and are numbers anyway.
    return getattr(da.dtype, "kind", "f") in "biufc"


def numeric_fields(ds: xr.Dataset, dims: Iterable[Hashable] = ()) -> list[xr.DataArray]:
    """The variables of a Dataset that have derivatives and, all of them, some dimensions."""
    # CF cell bounds are part of a coordinate, though they are stored as variables.
    places = [p for v in ds.variables.values() for p in (v.attrs, v.encoding)]
    bounds = [p[key] for p in places for key in ("bounds", "climatology") if key in p]
    skipped = {name for name in bounds if isinstance(name, str)}
    return [
        da
        for name, da in ds.data_vars.items()
        if name not in skipped
        and is_numeric(da)
        and not holds_flags(da)
        and set(dims) <= set(da.dims)
    ]


def holds_flags(da: xr.DataArray) -> bool:
    """Whether a variable holds codes, by its CF attributes, whose differences mean nothing."""
    names = ("flag_values", "flag_masks", "flag_meanings")
    return any(name in place for place in (da.attrs, da.encoding) for name in names)


def fields_of(obj: XarrayObject, dim: Any) -> list[xr.DataArray]:
    """A field by itself, or the numeric variables of a Dataset, which has some if it has dims."""
    if isinstance(obj, xr.DataArray):
        return [obj]
    fields = numeric_fields(obj)
    if obj.dims and not fields:
        one = isinstance(dim, str) or not isinstance(dim, Iterable)
        raise no_field(obj, obj.dims if dim is None else [dim] if one else list(dim))
    return fields


def no_field(ds: xr.Dataset, dims: Iterable[Any]) -> ValueError:
    """The error for a Dataset in which nothing has the dimensions."""
    names = [repr(str(name)) for name, da in ds.data_vars.items() if holds_flags(da)]
    flags = f", of which {', '.join(names)} hold{'s' * (len(names) == 1)} flags" if names else ""
    return ValueError(
        "no numeric variable of the Dataset has the dimension "
        f"{', '.join(repr(str(d)) for d in dims)}; "
        f"its variables are {', '.join(repr(str(v)) for v in ds.data_vars) or 'none'}{flags}"
    )


def check_field(da: xr.DataArray) -> xr.DataArray:
    """Return a field as floats where it is nullable, with a check where it may be undecoded.

    Raises
    ------
    TypeError, ValueError
        If it is not numeric, is packed, has a dimension twice, or chunks of unknown size.
    """
    _check_dims(da)
    if is_quantity(da.variable._data):
        raise of_quantity(variable_label(da.name))
    if not is_numeric(da):
        name, have, them = repr(str(da.name)), "has", "it"
        if da.name is None:
            name, have, them = "the data", "have", "them"
        raise TypeError(
            f"{name} {have} dtype {da.dtype}, which has no derivative; "
            f"convert {them} to {'float32' if 'float' in str(da.dtype) else 'numbers'} first"
        )
    cells = sum(da.shape)
    if cells != cells:  # faster than to look at each
        for dim, n in zip(da.dims, da.shape, strict=True):
            check_length(n, f"dimension {str(dim)!r}")
    if is_nullable(da.variable._data) or is_nullable(da.variable.data):
        da = da.copy(deep=False, data=nullable_to_floats(da.variable.data))
    data = da.variable.data
    checked = check_decoded(data, da.attrs, variable_label(da.name))
    return da if checked is data else da.copy(deep=False, data=checked)


def evaluated(
    binding: Binding,
    fields: list[xr.DataArray],
    formulas_of: Callable[[], list[Formula]],
    finish: Finish | None = None,
    count: int | None = None,
    squares: bool = False,
) -> list[Any]:
    """The arrays that formulas give for fields on one grid, their inner formulas first.

    Or what ``finish`` makes of them; or with ``squares`` the root of the sum of their squares.
    Formulas are made here, for coefficients that are arrays to be on the device of the fields.
    """
    arrays = [field.variable.data for field in fields]
    with place(arrays[0]):
        points = [p for p in binding.frame.cyclic if p.dim in binding.dims]
        if not points:
            return _evaluated(binding, arrays, formulas_of(), finish, count, squares)
        names, apart = [field.name for field in fields], set(binding.columns.values())
        opened = Opened(points, binding.dims, arrays, names, apart)
        binding = replace(binding, shape=opened.arrays[0].shape)
        arrays = opened.arrays
        made = _evaluated(binding, arrays, formulas_of(), finish, count, squares, opened)
        return opened.closed(made)


def _evaluated(
    binding: Binding,
    arrays: list[Any],
    formulas: list[Formula],
    finish: Finish | None,
    count: int | None,
    squares: bool,
    opened: Opened | None = None,
) -> list[Any]:
    if squares and any(len(formula.parts) > 1 for formula in formulas):
        finish, squares = length, False
    elif squares:
        formulas = [sum(formulas, Formula(()))]
    inner = {each.key: each for formula in formulas for each in formula.inner}
    if inner:
        numbers = {key: len(arrays) + at for at, key in enumerate(inner)}
        arrays = arrays + evaluate(arrays, [binding.sum(each) for each in inner.values()])
        vectors = (*binding.vectors, *(False for _ in inner))
        binding = replace(binding, vectors=vectors, inner=numbers)
    sides = [part.side for formula in formulas for part in formula.parts]
    for column in {side: None for side in sides if isinstance(side, Column)}:
        if column not in binding.columns:
            binding = replace(binding, columns={**binding.columns, column: len(arrays)})
            positions = column.beside(binding.dims)
            arrays.append(opened.without(positions, column.name) if opened else positions)
    sums = [binding.sum(formula, squares=squares) for formula in formulas]
    return evaluate(arrays, sums, finish, count)


def as_length(data: Any) -> Any:
    """A length as real numbers, though it may have been made beside complex ones."""
    return getattr(data, "real", data) if "complex" in str(data.dtype) else data


def dims_of(frame: AnyFrame) -> list[Hashable]:
    """The dimensions that a field needs for all axes of a frame."""
    return list(dict.fromkeys(dim for side in frame.sides for dim in side.dims))


def labelled(da: xr.DataArray, data: Any, name: Hashable, attrs: Mapping[Any, Any]) -> xr.DataArray:
    """A result on the grid of a field."""
    # Coordinates are shared, as after arithmetic: to copy their indexes takes as long as all else.
    result = da.__array_wrap__(data)
    result.name = name
    variable = result.variable
    variable.attrs, variable.encoding = dict(attrs), result_encoding(da.encoding)
    for labels in (variable.attrs, variable.encoding):
        # The extended form of the attribute lists coordinates after each mapping's name.
        if "grid_mapping" in labels and not _has_mappings(result, str(labels["grid_mapping"])):
            del labels["grid_mapping"]
    return result


def _has_mappings(result: xr.DataArray, text: str) -> bool:
    """Whether all grid mappings that an attribute names go along with a result."""
    names = re.findall(r"([^\s:]+):", text) or text.split()
    return bool(names) and all(name in result.coords for name in names)


def derivative_of(
    da: xr.DataArray, data: Any, axis: Any, deriv: int, where: str = ""
) -> xr.DataArray:
    """A derivative of a field along an axis, labelled; ``where`` ends its long name."""
    named = _standard_name(da, axis) if deriv == 1 else None
    attrs = result_attrs(da.attrs, da.name, axis.units, axis.long_name + where, deriv, named)
    return labelled(da, data, result_name(da.name, axis.name, deriv), attrs)


def _standard_name(da: xr.DataArray, axis: Any) -> str | None:
    """What CF calls a first derivative, if it is one by time or by a distance."""
    coord = da.coords.variables.get(axis.name) if "standard_name" in da.attrs else None
    name = derivative_name(da.attrs, axis.name, coord)
    if name is None or coord is None:
        return None
    unit = re.sub(r"\s+since\s.*", "", str(axis.units or ""))
    return name if alike(unit, "s" if is_time(coord) else "m") else None


def alike(units: str | None, expected: str) -> bool:
    """Whether units are known and of the expected kind."""
    try:
        return units is not None and common_units([units, expected], "")[0] is not None
    except ValueError:
        return False


def mixed_derivative_of(da: xr.DataArray, data: Any, orders: list[tuple[Any, int]]) -> xr.DataArray:
    """A mixed derivative of a field along axes, each with its order, labelled."""
    total = sum(deriv for _, deriv in orders)
    below = "_".join(f"d{axis.name}{'' if n == 1 else n}" for axis, n in orders)
    name = f"d{'' if total == 1 else total}{'' if da.name is None else da.name}_{below}"
    units = da.attrs.get("units")
    if len({axis.units for axis, _ in orders}) == 1:
        # At once, so that units that are text have one exponent.
        units = result_units(units, orders[0][0].units, total)
    else:
        for axis, n in orders:
            units = result_units(units, axis.units, n)
    along = " and ".join(
        axis.long_name if n == 1 else f"{n} times {axis.long_name}" for axis, n in orders
    )
    field = words_for(da.attrs, da.name)
    words = None if field is None else f"mixed derivative of {field} with respect to {along}"
    return labelled(da, data, name, described(da.attrs, units, words))


def gathered(obj: XarrayObject, results: list[xr.DataArray], alone: bool = True) -> Any:
    """The results of an operator: a Dataset, or for a field and one name the result ``alone``."""
    if isinstance(obj, xr.Dataset):
        return side_by_side(results, obj.coords).assign_attrs(kept_attrs(obj.attrs))
    return results[0] if alone else side_by_side(results, obj.coords)


def side_by_side(results: list[xr.DataArray], coords: Any) -> xr.Dataset:
    """The results as a Dataset; no two may have one name."""
    taken = {*coords, *(dim for result in results for dim in result.dims)}
    for result in results:
        if result.name in taken:
            raise ValueError(
                f"a result would be named {str(result.name)!r}, as something else here is; "
                "rename the variable or the coordinate, e.g. with .rename"
            )
        taken.add(result.name)
    return xr.Dataset({result.name: result for result in results}, coords=coords)
