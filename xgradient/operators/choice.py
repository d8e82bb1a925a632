"""The accuracy or the smoothing that suits data: with the smallest estimate of the error."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .._typing import XarrayObject
from .._wording import short_repr
from ..engine.chunked import is_dask
from ..engine.evaluate import derivatives
from ..geometry.build import grid_of_dimensions
from ..geometry.cyclic import FieldsWithoutCyclicPoint
from ..labels.arguments import resolve
from ..labels.coordinates import describe_coord
from ..labels.packing import variable_label
from ..labels.requested_units import SharedUnits
from ..labels.results import pack_results
from ..stencils.rows import stencil_rows
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .entry import entry_point
from .errors import fields_with_errors, read_error_options
from .fields import check_field, check_labelled, no_field_error, select_fields
from .options import PeriodicLike, SpacingLike, grid_options

#: The accuracies and the windows to choose from.
ACCURACIES, WINDOWS = (2, 4, 6, 8), (5, 7, 9, 11, 15, 21, 31)

Floats = NDArray[np.float64]


class Candidate(NamedTuple):
    """One choice, and the scheme of higher order that it is compared with."""

    choice: int | tuple[int, int]
    scheme: Scheme
    higher: Scheme


@entry_point
def choose_accuracy(
    sample: xr.DataArray,
    dim: Hashable,
    *,
    deriv: int = 1,
    sigma: float | xr.DataArray | None = None,
    spacing: SpacingLike = None,
    periodic: PeriodicLike = "auto",
) -> int | tuple[int, int]:
    r"""Choose the accuracy, or the smoothing, with the smallest estimated error for a sample.

    The estimate is the root of the mean over all points of

    .. math:: |D_p - D_{p+2}|^2 - \sigma^2 \|w_p - w_{p+2}\|^2 + \sigma^2 \|w_p\|^2

    The first two terms are the error of the stencil without that of the data, the third is the
    noise of the derivative. Smoothing of degree d is compared with degree d + 2 in windows 5/4 as
    wide [1]_.

    Parameters
    ----------
    sample : DataArray
        Typical data in memory, such as some days of a year.
    dim : name
        A dimension, a 1-D coordinate, or a CF name or axis that cf-xarray resolves.
    deriv : int, default: 1
        Order of the derivative.
    sigma : number or DataArray, optional
        Standard deviation of independent errors of the data, in their units. Without it, only
        accuracies are compared, and noise is treated as part of the field.
    spacing : number, 1-D array, sequence or mapping by name, optional
        Replaces the coordinate, as for `xgradient.grad`.
    periodic : "auto", bool, name, list of names or mapping from name to period, default: "auto"
        Makes the axis periodic, as for `xgradient.grad`.

    Returns
    -------
    int or tuple of int
        The ``accuracy``, which is 2, 4, 6 or 8, or the window and the degree of ``smooth``. It does
        not depend on the dtype, the shape or the units of the sample.

    Raises
    ------
    TypeError
        If the sample is lazy or not numeric, or an argument has the wrong type.
    ValueError
        If the axis has too few points, or for one of the reasons of `xgradient.grad`.

    References
    ----------
    .. [1] Savitzky, A. and Golay, M. J. E. (1964): Smoothing and differentiation of data by
       simplified least squares procedures. Anal. Chem. 36, 1627-1639, doi:10.1021/ac60214a047

    Examples
    --------
    >>> import numpy as np, xarray as xr, xgradient
    >>> x = np.linspace(0, 10, 100)
    >>> field = xr.DataArray(np.sin(x), {"x": x})
    >>> xgradient.choose_accuracy(field, "x")
    8
    >>> noise = np.random.default_rng(0).normal(scale=0.1, size=100)
    >>> xgradient.choose_accuracy(field + noise, "x", sigma=0.1)
    (21, 2)
    """
    check_labelled(sample, "choose_accuracy")
    if not isinstance(sample, xr.DataArray):
        raise TypeError("choose_accuracy takes one field; give a DataArray of the Dataset")
    if is_dask(sample.variable._data):
        raise TypeError(
            "sample is lazy, and its values are needed; give a part of it in memory, "
            "e.g. with .isel(...).compute()"
        )
    errors = read_error_options(sample, True, sigma)
    assert errors is not None
    return _choose(sample, dim, deriv, errors.of_field(sample), spacing, periodic, smooth=True)


def grad_with_choice(
    grad: Callable[..., Any],
    obj: XarrayObject,
    dim: Any,
    accuracy: str,
    sigma: Any,
    options: dict[str, Any],
) -> Any:
    """Differentiate fields with the accuracy, or the smoothing, that suits each of them.

    Parameters
    ----------
    grad : callable
        The derivative.
    obj : DataArray or Dataset
        The data.
    dim : name
        The coordinate.
    accuracy : str
        The text "auto".
    sigma : object
        The standard deviation of the data.
    options : dict
        Further options of the call.

    Raises
    ------
    TypeError, ValueError
        If the accuracy is another text, the data are lazy, or several coordinates are named.
    """
    if accuracy != "auto":
        raise TypeError(f"accuracy is {accuracy!r}; give a whole number or 'auto'")
    if dim is None or (isinstance(dim, Iterable) and not isinstance(dim, str)):
        raise TypeError(f"dim is {short_repr(dim)}, but accuracy='auto' is for one name; name it")
    for name in ("edge_order", "smooth", "to", "positions"):
        if options.pop(name) is not None:
            raise ValueError(f"{name} does not go with accuracy='auto'; leave one of them out")
    check_labelled(obj, "grad")
    errors = read_error_options(obj, True, sigma)
    assert errors is not None
    spacing, periodic, units = (options[name] for name in ("spacing", "periodic", "units"))
    if isinstance(units, Mapping):
        options["units"] = SharedUnits(units)
    request = resolve(obj, dim, grid_options(None, spacing, periodic), [])
    needed = {d for ref in request.refs for d in ref.dims}
    fields = fields_with_errors(select_fields(obj, dim), sigma)
    fields = [da for da in fields if needed <= set(da.dims)]
    results = []
    for da in fields:
        if is_dask(da.variable._data):
            raise TypeError(
                f"{variable_label(da.name)} is lazy, and accuracy='auto' needs its values; call "
                "xgradient.choose_accuracy with a part of it in memory, and give what it returns"
            )
        deviation, deriv, smooth = errors.of_field(da), options["deriv"], not options["error"]
        choice = _choose(da, dim, deriv, deviation, spacing, periodic, smooth=smooth)
        given = {"smooth": choice} if isinstance(choice, tuple) else {"accuracy": choice}
        known = None if smooth or deviation is None else deviation
        result = grad(da, dim, sigma=known, **given, **options)
        parts = [result] if isinstance(result, xr.DataArray) else list(result.data_vars.values())
        parts[0].attrs["xgradient_accuracy"] = (
            f"smooth={choice}" if isinstance(choice, tuple) else choice
        )
        results += parts
    if not results:
        assert isinstance(obj, xr.Dataset)
        raise no_field_error(obj, needed)
    return pack_results(obj, results, len(results) == 1)


def _choose(
    da: xr.DataArray,
    dim: Hashable,
    deriv: int,
    deviation: Any,
    spacing: Any,
    periodic: Any,
    *,
    smooth: bool,
) -> int | tuple[int, int]:
    """Return the choice for a field with a standard deviation of its errors, or None."""
    da = check_field(da)
    request = resolve(da, dim, grid_options(None, spacing, periodic), [da])
    if not request.scalar_dim or len(request.refs) != 1:
        raise TypeError(f"dim is {short_repr(dim)}; give the name of one dimension or coordinate")
    (ref,) = request.refs
    if len(ref.dims) != 1:
        raise ValueError(
            f"{describe_coord(ref)}, but an accuracy is chosen along one; name a dimension"
        )
    grid = grid_of_dimensions(da, request)
    axis: Any = grid.axes[0].axis
    inner = FieldsWithoutCyclicPoint(grid.cyclic, da.dims, [da.variable.data], [da.name])
    size = 0.0 if deviation is None else float(np.sqrt((np.abs(deviation) ** 2).mean()))
    label, d = f"dimension {str(axis.dim)!r}", da.dims.index(axis.dim)
    Scheme.checked(deriv, 2, None).two_orders_higher().stencil(axis.nodes, label)
    best: tuple[float, int | tuple[int, int]] = (np.inf, ACCURACIES[0])
    for candidate in _candidates(deriv, axis.nodes.n, smooth=smooth and size > 0):
        try:
            stencils = [
                scheme.stencil(axis.nodes, label) for scheme in (candidate.scheme, candidate.higher)
            ]
        except ValueError:  # too few points
            continue
        estimate = _mean_square(inner.arrays[0], d, stencils, size)
        if estimate < best[0]:
            best = estimate, candidate.choice
    return best[1]


def _candidates(deriv: int, n: int, *, smooth: bool) -> list[Candidate]:
    """Return all choices for an axis of n points."""
    found = []
    for accuracy in ACCURACIES:
        scheme = Scheme.checked(deriv, accuracy, None)
        found.append(Candidate(accuracy, scheme, scheme.two_orders_higher()))
    least = max(deriv, 2)
    for window in WINDOWS if smooth else ():
        for degree in (least, least + 2):
            if degree > window - 2 or window > n:
                continue
            scheme = Scheme.checked(deriv, 2, None, False, (window, degree))
            # Not much noisier than the smoothing: the difference shows the error of the fit.
            wider = min(window * 5 // 8 * 2 + 1, n - 1 + n % 2)
            if degree > wider - 4:
                continue
            higher = Scheme.checked(deriv, 2, None, False, (wider, degree + 2))
            found.append(Candidate((window, degree), scheme, higher))
    return found


def _mean_square(array: Any, axis: int, stencils: list[Stencil], sigma: float) -> float:
    """Return the mean square of the estimated error of a derivative."""
    low, high = (np.asarray(derivatives(array, [(axis, stencil)])[0]) for stencil in stencils)
    difference = float(np.nanmean(np.abs(low.astype("D") - high.astype("D")) ** 2))
    reach = max(stencil_rows(stencil)[2].shape[1] + 1 for stencil in stencils)
    weights = [_weights_by_offset(stencil, reach) for stencil in stencils]
    noise = [float((part**2).sum(axis=1).mean()) for part in (weights[0], weights[0] - weights[1])]
    return max(difference - sigma**2 * noise[1], 0.0) + sigma**2 * noise[0]


def _weights_by_offset(stencil: Stencil, reach: int) -> Floats:
    """Return the weights of the values up to a distance from each row, shape (n, 2 reach + 1)."""
    start, _, coefficients = stencil_rows(stencil)
    rows = np.arange(stencil.n)
    weights = np.zeros((stencil.n, 2 * reach + 2))
    for k, column in enumerate(coefficients.T):
        at = np.clip(start - rows + reach + k, 0, 2 * reach)
        weights[rows, at] -= column
        weights[rows, at + 1] += column
    return weights
