"""Derivatives with estimates of their errors, and with the noise that errors of the data make."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any, NamedTuple, cast

import numpy as np
import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.chunked import as_dask, device_context
from ..geometry.error_terms import ErrorTerms
from ..geometry.expression import Expression
from ..geometry.grid import Grid
from ..geometry.lowering import LoweringContext
from ..kernels import backend_of
from ..labels.arguments import GridRequest
from ..labels.coordinates import describe_coord
from ..labels.hints import close_name
from ..labels.requested_units import RequestedUnits
from ..labels.results import Label, derivative_label, error_label, noise_label, to_dataarray
from ..labels.units import common_units
from ..stencils.scheme import Scheme
from .evaluate import evaluate_expressions, real_length

REMEDY = "give a number or a variable with the standard deviation of the data"


class ErrorOptions(NamedTuple):
    """Hold the options of errors: what is known of the errors of the data.

    Attributes
    ----------
    sigma : float, DataArray, mapping or None
        The standard deviation of the data; by name of the field if it is a mapping.
    """

    sigma: Any

    def of_field(self, da: xr.DataArray) -> Any:
        """Return the standard deviation of one field, in its units."""
        sigma = self.sigma
        if isinstance(sigma, Mapping):
            sigma = sigma.get(da.name)
        if not isinstance(sigma, xr.DataArray):
            return sigma
        units = [da.attrs.get("units"), sigma.attrs.get("units")]
        factors = [1.0, 1.0]
        if None not in units:
            factors = common_units(units, "the data and their standard deviation")[1]
        if missing := [str(dim) for dim in sigma.dims if dim not in da.dims]:
            raise ValueError(
                f"sigma has the dimension {missing[0]!r}, which {str(da.name)!r} lacks; "
                "drop it, e.g. with .isel"
            )
        try:
            sigma, _ = xr.align(sigma, da, join="exact", copy=False)
        except ValueError as error:
            raise ValueError(
                "sigma is at other coordinates than the data; bring it there, e.g. with "
                ".reindex_like or .interp_like"
            ) from error
        return sigma if factors[0] == factors[1] else sigma * (factors[1] / factors[0])


def read_error_options(
    obj: XarrayObject, error: Any, sigma: Any, **others: Any
) -> ErrorOptions | None:
    """Return the options of errors checked; None without errors.

    Raises
    ------
    TypeError, ValueError
        If an option has the wrong type, ``sigma`` is no standard deviation, or one of the
        ``others`` is given, with which errors do not go.
    """
    if not isinstance(error, bool | np.bool_):
        raise TypeError(f"error is {short_repr(error)}; give True or False")
    if not error:
        if sigma is not None:
            raise ValueError("sigma is for the error of a derivative; give error=True as well")
        return None
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"{name} does not go with error; leave one of them out")
    if isinstance(sigma, Mapping) and not isinstance(sigma, XarrayObject.__args__):
        return ErrorOptions({name: _read_sigma(obj, one) for name, one in sigma.items()})
    return ErrorOptions(_read_sigma(obj, sigma))


def _read_sigma(obj: XarrayObject, sigma: Any) -> Any:
    """Return a number or a DataArray."""
    if isinstance(sigma, str) and isinstance(obj, xr.Dataset):
        if sigma not in obj.variables:
            raise ValueError(
                f"sigma is {sigma!r}, but there is no such variable"
                f"{close_name(sigma, obj.variables)}; {REMEDY}"
            )
        sigma = obj[sigma]
    if isinstance(sigma, xr.DataArray):
        if getattr(sigma.dtype, "kind", "f") not in "iuf":
            raise TypeError(f"sigma has dtype {sigma.dtype}; {REMEDY}")
        return sigma
    if sigma is None:
        return None
    if isinstance(sigma, bool) or not isinstance(sigma, Real):
        raise TypeError(f"sigma is {short_repr(sigma)}; {REMEDY}")
    if not isfinite(sigma) or sigma < 0:
        raise ValueError(f"sigma is {sigma}; {REMEDY}, at least 0")
    return float(sigma)


def fields_with_errors(fields: list[xr.DataArray], sigma: Any) -> list[xr.DataArray]:
    """Return fields without those that hold the standard deviation of others.

    A mapping names fields as well, which stay.
    """
    if isinstance(sigma, Mapping) and not isinstance(sigma, XarrayObject.__args__):
        deviations = {name for name in sigma.values() if isinstance(name, str)} - set(sigma)
    else:
        deviations = {sigma} if isinstance(sigma, str) else set()
    return [da for da in fields if da.name not in deviations]


def check_errors(scheme: Scheme, request: GridRequest) -> None:
    """Refuse options and coordinates that errors do not go with.

    Raises
    ------
    ValueError
        If polynomials smooth the data, or a coordinate has several dimensions.
    """
    if scheme.smoothing is not None:
        raise ValueError(
            "error compares two orders of accuracy, which smooth does not have; leave one of "
            "them out"
        )
    for ref in (request.constant, *request.refs):
        if ref is not None and len(ref.dims) > 1:
            raise ValueError(
                f"{describe_coord(ref)}, but error is for coordinates of one; leave error out, "
                "or give positions along one dimension by spacing="
            )


def differentiate_with_errors(
    da: xr.DataArray,
    grid: Grid,
    numbers: list[int],
    scheme: Scheme,
    requested: RequestedUnits | None,
    options: ErrorOptions,
) -> list[xr.DataArray]:
    """Return derivatives of a field along some axes of a grid, each with its error.

    Parameters
    ----------
    da : DataArray
        The field.
    grid : Grid
        The grid.
    numbers : list of int
        The numbers of the axes.
    scheme : Scheme
        The orders of the derivative and of its accuracy.
    requested : RequestedUnits or None
        Units that the call asks for.
    options : ErrorOptions
        The standard deviation of the data.
    """
    _check_lengths(da, grid, numbers, scheme)
    sigma, fields = options.of_field(da), [da]
    if isinstance(sigma, xr.DataArray):
        with device_context(da.variable.data):
            sigma = _like_field(sigma, da, masked=scheme.skipna)
        fields.append(sigma)
    dtype = backend_of(da.variable.data).derivative_dtype([da.variable.data])
    terms = ErrorTerms(
        _rounding(dtype),
        sigma=None if len(fields) > 1 else sigma,
        sigma_input=1 if len(fields) > 1 else None,
    )
    labels = []
    for i in numbers:
        label = derivative_label(da, grid.axes[i].axis, scheme.deriv, requested)
        labels.append(_labels(label, requested, with_noise=terms.has_noise))

    def expressions() -> list[Expression]:
        pairs = zip(numbers, labels, strict=True)
        return [grid.derivative(i, scheme.deriv) * label[0].factor for i, label in pairs]

    count = sum(map(len, labels))
    context = LoweringContext(grid, da.dims, da.shape, scheme, (False,) * len(fields))
    combine = add_noise if terms.has_noise else None
    arrays = evaluate_expressions(context, fields, expressions, combine, count, lower=terms.lower)
    results = []
    for data, label in zip(arrays, [one for three in labels for one in three], strict=True):
        is_derivative = any(label is three[0] for three in labels)
        results.append(to_dataarray(da, data if is_derivative else real_length(data), label))
    return results


def _labels(
    derivative: Label, requested: RequestedUnits | None, *, with_noise: bool
) -> list[Label]:
    """Return the labels of a derivative, of its error and of its noise."""
    others = [error_label(derivative), *([noise_label(derivative)] if with_noise else [])]
    for other in others:
        if requested is not None and other.name in requested.by_name:
            raise ValueError(
                f"units are given for {str(other.name)!r}, which has those of its derivative; "
                f"give them for {str(derivative.name)!r}"
            )
    names = " ".join(str(other.name) for other in others)
    attrs = {**derivative.attrs, "ancillary_variables": names}
    return [derivative._replace(attrs=attrs), *others]


def _check_lengths(da: xr.DataArray, grid: Grid, numbers: list[int], scheme: Scheme) -> None:
    """Refuse axes with too few points for two orders of accuracy more."""
    higher = scheme.two_orders_higher()
    needed = higher.deriv + higher.edge_order
    for i in numbers:
        axis = grid.axes[i].axis
        n = da.sizes[cast("Any", axis).dim]
        if n < needed:
            raise ValueError(
                f"dimension {str(cast('Any', axis).dim)!r} has {n} points, but error needs "
                f"{needed} to compare with accuracy {higher.accuracy}; leave error out or take "
                "more points"
            )


def _like_field(sigma: xr.DataArray, da: xr.DataArray, *, masked: bool) -> xr.DataArray:
    """Return standard deviations in the shape, the chunks and the precision of a field."""
    real = np.dtype(str(da.dtype)).type(0).real.dtype if _is_float(da) else np.dtype(np.float64)
    sigma = sigma.astype(real).broadcast_like(da).transpose(*da.dims)
    if sigma.chunks is not None and da.chunks is not None:
        sigma = sigma.copy(deep=False, data=as_dask(sigma.data, da.chunks))
    # Windows next to missing values have to be those of the field.
    return sigma.where(da.notnull()) if masked else sigma


def _is_float(da: xr.DataArray) -> bool:
    return getattr(da.dtype, "kind", None) in ("f", "c")


def _rounding(dtype: Any) -> float:
    """Return the relative rounding of a dtype of any library."""
    name = str(dtype).rpartition(".")[2]
    if name == "bfloat16":
        return 2.0**-7
    return float(np.finfo(np.dtype(name)).eps)


def add_noise(sums: list[Any], fields: list[Any], outs: list[Any]) -> list[Any]:
    """Return derivatives, errors and noise; the errors contain the noise."""
    results = []
    for derivative, error, noise in zip(sums[::3], sums[1::3], sums[2::3], strict=True):
        xp = backend_of(error).namespace
        parts = [
            xp.real(part) if xp.isdtype(part.dtype, "complex floating") else part
            for part in (error, noise)
        ]
        with np.errstate(all="ignore"):  # missing values are ordinary here
            results += [derivative, xp.hypot(*parts), parts[1]]
    return results
