"""The stencil of one axis as a labelled table, to inspect and to solve with."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ..labels.axis import Axis
from ..labels.units import result_units
from ..stencils.rows import cell_positions, row_orders, stencil_rows, window_positions
from ..stencils.scheme import Scheme
from ..stencils.table import Stencil
from .stencil_cells import TableEnds, row_cells

Floats = NDArray[np.float64]

#: Wavenumbers of a curve from 0 to π, and of the search for the first wave that is not resolved.
CURVE_POINTS, SEARCH_POINTS = 257, 2049
#: Names in a table, which its axis cannot have.
RESERVED = {
    "window", "start", "width", "weights", "coefficients", "order", "noise_gain", "constant",
}  # fmt: skip


class StencilTable:
    r"""Hold the window and the weights of a derivative at each point of an axis.

    `xgradient.stencil` and ``da.grad.stencil`` return it. Row i multiplies the adjacent
    differences of the field from ``start[i]`` on by ``coefficients[i]``, from left to right. In
    float64 this gives the bits of ``da.grad``. The weights multiply the values themselves:

    .. math::

        \sum_k w_{ik}\, f_{s_i + k} = \sum_k c_{ik}\,(f_{s_i + k + 1} - f_{s_i + k})

    With ``deriv=0`` of ``smooth`` the value of the row itself is added to the right.

    Attributes
    ----------
    dataset : Dataset
        The variables below, with the coordinate of the axis. Its attributes have the options.
    start, width : DataArray of int64, shape (n,)
        The first node of each window and its number of nodes. On a periodic axis, or with a
        boundary condition, the first node may be negative.
    weights : DataArray of float64, shape (n, widest window)
        The weights of the values, zero beyond the width.
    coefficients : DataArray of float64, shape (n, widest window - 1)
        The coefficients of the adjacent differences, zero beyond the width.
    order : DataArray of int64, shape (n,)
        The order of accuracy of each row.
    noise_gain : DataArray of float64, shape (n,)
        The standard deviation of the result for independent errors of standard deviation 1: the
        root of the sum of the squared weights.
    constant : DataArray of float64, shape (n,)
        With a value or a slope as boundary condition, what it adds to each row; else zero.

    Examples
    --------
    >>> import xgradient
    >>> table = xgradient.stencil([0.0, 1.0, 2.0, 3.0])
    >>> table.weights.values
    array([[-1. ,  1. ,  0. ],
           [-0.5,  0. ,  0.5],
           [-0.5,  0. ,  0.5],
           [-1. ,  1. ,  0. ]])
    >>> table.start.values, table.order.values
    (array([0, 0, 1, 2]), array([1, 2, 2, 1]))
    """

    def __init__(
        self,
        stencil: Stencil,
        axis: Axis,
        scheme: Scheme,
        coord: xr.Variable,
        ends: TableEnds | None = None,
    ) -> None:
        self._nodes, self._deriv = axis.nodes, scheme.deriv
        self._has_walls = ends is not None and ends.walls is not None
        start, width, coefficients = stencil_rows(stencil)
        weights = np.zeros((stencil.n, coefficients.shape[1] + 1))
        weights[:, :-1] -= coefficients
        weights[:, 1:] += coefficients
        if not scheme.deriv:  # a smoothed field is the field plus a sum of differences
            rows = np.arange(stencil.n)
            weights[rows, rows - start] += 1
        units = result_units("1", axis.units, scheme.deriv)
        attrs = {} if units is None else {"units": units}
        self._cells = row_cells(start, width, weights, None if ends is None else ends.walls)
        orders = row_orders(start, width, axis.nodes, scheme)
        orders[np.isnan(coefficients).any(axis=1)] = 0  # a missing result
        dim, window = axis.dim, "window"
        self.dataset = xr.Dataset(
            {
                "start": (dim, start, {"long_name": "first node of the window"}),
                "width": (dim, width, {"long_name": "number of nodes of the window"}),
                "weights": (
                    (dim, window), weights, {"long_name": "weights of the values", **attrs},
                ),
                "coefficients": (
                    (dim, window), _padded(coefficients),
                    {"long_name": "coefficients of the adjacent differences", **attrs},
                ),
                "order": (
                    dim, orders, {"long_name": "order of accuracy"},
                ),
                "noise_gain": (
                    dim, self._cells.noise_gain(),
                    {"long_name": "standard deviation of the result for white noise of 1", **attrs},
                ),
            },
            coords={axis.name: coord},
            attrs=_options(scheme) | ({} if ends is None else {"boundary": ends.text}),
        )  # fmt: skip
        self.start, self.width = self.dataset["start"], self.dataset["width"]
        self.weights = self.dataset["weights"]
        self.coefficients = self.dataset["coefficients"].isel(window=slice(-1))
        self.order, self.noise_gain = self.dataset["order"], self.dataset["noise_gain"]
        self.constant = self.start.copy(data=self._cells.constants).rename("constant")
        self.constant.attrs = {"long_name": "constant of the boundary conditions"}
        if self._cells.constants.any():
            self.dataset["constant"] = self.constant

    def modified_wavenumber(
        self, wavenumber: ArrayLike | None = None, *, row: int | None = None
    ) -> xr.DataArray:
        """Compute the modified wavenumber of the stencil.

        For a wave with θ radians per step it is Σ w exp(iθx/h) (h/i)^deriv, with the positions x
        of the window relative to its row, and their mean step h. The exact value is θ^deriv.

        Parameters
        ----------
        wavenumber : array, optional
            Wavenumbers θ in radians per step; 257 values from 0 to π by default.
        row : int, optional
            The row of the axis; its middle by default.

        Returns
        -------
        DataArray
            The modified wavenumber to the power ``deriv``, by ``wavenumber``. It is real for a
            window that is symmetric on a uniform axis, else complex.

        Raises
        ------
        ValueError
            If the axis has no such row.

        Examples
        --------
        >>> import xgradient
        >>> table = xgradient.stencil([0.0, 1.0, 2.0, 3.0, 4.0])
        >>> table.modified_wavenumber([0.0, 0.1, 1.0]).round(3).values
        array([0.   , 0.1  , 0.841])
        """
        theta = np.linspace(0, np.pi, CURVE_POINTS) if wavenumber is None else wavenumber
        theta = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        attrs = {"long_name": "wavenumber", "units": "rad"}
        return xr.DataArray(
            self._response(theta, self._row_number(row)),
            {"wavenumber": ("wavenumber", theta, attrs)},
            name="modified_wavenumber",
            attrs={"long_name": f"modified wavenumber{_power(self._deriv)}"},
        )

    def resolved_fraction(self, error: float = 0.01, *, row: int | None = None) -> float:
        """Compute the fraction of all wavenumbers up to π that the stencil resolves.

        Parameters
        ----------
        error : float, default: 0.01
            Largest relative error of the modified wavenumber.
        row : int, optional
            The row of the axis; its middle by default.

        Returns
        -------
        float
            The first wavenumber at which the error is larger, as a fraction of π; 1 without one.

        Raises
        ------
        ValueError
            If the axis has no such row.

        Examples
        --------
        >>> import xgradient
        >>> round(xgradient.stencil([0.0, 1.0, 2.0, 3.0, 4.0]).resolved_fraction(), 3)
        0.078
        """
        row = self._row_number(row)

        def is_wrong(theta: Floats) -> NDArray[np.bool_]:
            exact = theta**self._deriv
            return np.asarray(abs(self._response(theta, row) - exact) > error * exact)

        grid = np.linspace(0, np.pi, SEARCH_POINTS)
        wrong = np.flatnonzero(is_wrong(grid[1:]))
        if not len(wrong):
            return 1.0
        low, high = grid[wrong[0]], grid[wrong[0] + 1]
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if is_wrong(np.array([middle]))[0] else (middle, high)
        return float(low / np.pi)

    def plot(self, *, row: int | None = None, **options: Any) -> Any:
        """Plot the modified wavenumber with the exact one.

        Parameters
        ----------
        row : int, optional
            The row of the axis; its middle by default.
        **options
            Options of ``xarray.DataArray.plot.line``, such as ``ax``.

        Returns
        -------
        list of Line2D
            The lines of the plot: the exact curve, the real part, and the imaginary part if the
            modified wavenumber is complex.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import xgradient
        >>> lines = xgradient.stencil(range(9), accuracy=4).plot()  # doctest: +SKIP
        """
        modified = self.modified_wavenumber(row=row)
        curves = {"exact": modified["wavenumber"] ** self._deriv, "stencil": modified.real}
        if modified.dtype.kind == "c":
            curves["imaginary part"] = modified.imag
        lines = xr.concat(list(curves.values()), xr.Variable("curve", list(curves)))
        lines.attrs = modified.attrs
        try:
            return lines.plot.line(x="wavenumber", hue="curve", **options)
        except ImportError:
            raise ImportError(
                'plots need matplotlib; install it with: pip install "xgradient[plot]"'
            ) from None

    def matrix(self) -> Any:
        """Return the weights as a sparse matrix, which differentiates by a product.

        Returns
        -------
        scipy.sparse.csr_array
            A matrix of shape (n, n) in float64. On a periodic axis windows wrap around; weights
            beyond a boundary are added to those of the cells that it mirrors, and ``constant`` is
            to be added to the product.

        Raises
        ------
        ImportError
            If SciPy is not installed.

        Examples
        --------
        >>> import xgradient
        >>> matrix = xgradient.stencil([0.0, 1.0, 2.0]).matrix()  # doctest: +SKIP
        >>> matrix @ [0.0, 1.0, 4.0]  # doctest: +SKIP
        array([1., 2., 3.])
        """
        try:
            from scipy.sparse import csr_array
        except ImportError:
            raise ImportError(
                'sparse matrices need SciPy; install it with: pip install "xgradient[scipy]"'
            ) from None
        used, n = self._cells.used, len(self.start)
        rows = np.repeat(np.arange(n), used.sum(axis=1))
        entries = self._cells.weights[used], (rows, self._cells.cells[used])
        return csr_array(entries, shape=(n, n))

    def __repr__(self) -> str:
        return "\n".join(
            [f"<xgradient.StencilTable of {str(self.start.dims[0])!r}>", repr(self.dataset)]
        )

    def _repr_html_(self) -> str:
        return str(self.dataset._repr_html_())

    def _row_number(self, row: int | None) -> int:
        n = len(self.start)
        row = n // 2 if row is None else row
        if not -n <= row < n:
            raise ValueError(f"row is {row}, but the axis has {n} points; give one of them")
        return row % n

    def _response(self, theta: Floats, row: int) -> NDArray[Any]:
        """Return the modified wavenumbers of a row, to the power of the derivative."""
        start, width = int(self.start[row]), int(self.width[row])
        weights = self._cells.weights[row, :width]
        is_symmetric = self._nodes.step is not None and 2 * (row - start) == width - 1
        if self._has_walls and not 0 <= start <= len(self.start) - width:
            cells = self._cells.cells[row, :width]
            x, is_symmetric = cell_positions(self._nodes, row, cells), False
            width = int(np.ptp(cells)) + 1
        else:
            x = window_positions(self._nodes, row, start, width)
        step = np.ptp(x) / (width - 1)
        phase = theta[:, None] * (x / step)
        scale = step**self._deriv
        cosines = (np.cos(phase) * weights).sum(axis=1) * scale
        sines = (np.sin(phase) * weights).sum(axis=1) * scale
        # Divide by i^deriv: multiplications by -i swap the parts.
        for _ in range(self._deriv % 4):
            cosines, sines = sines, -cosines
        if is_symmetric:
            return np.asarray(cosines)
        return np.asarray(cosines + 1j * sines)


def _options(scheme: Scheme) -> dict[str, Any]:
    """Return the options that made a stencil, as attributes."""
    if scheme.smoothing is None:
        names = "deriv", "accuracy", "edge_order"
        return {name: getattr(scheme, name) for name in names}
    window, degree, tricube = scheme.smoothing
    weights = {"weights": "tricube"} if tricube else {}
    window = window if isinstance(window, int) else window.text
    return {"deriv": scheme.deriv, "window": window, "degree": degree, **weights}


def _padded(coefficients: Floats) -> Floats:
    """Return coefficients with a column of zeros, so that they have the shape of the weights."""
    return np.pad(coefficients, ((0, 0), (0, 1)))


def _power(deriv: int) -> str:
    return "" if deriv == 1 else f" to the power {deriv}"
