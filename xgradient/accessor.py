"""The ``.grad`` accessor: the operators as methods of DataArrays, Datasets and DataTrees."""

from __future__ import annotations

from typing import Unpack

import xarray as xr

from ._typing import XarrayObject
from .operators import ON_CELLS, OPERATORS, OperatorMethods
from .operators.documentation import as_single_method
from .operators.options import Options, check_options
from .operators.stencil import stencil_along
from .operators.summary import Summary, summarize, to_html, to_text


class Grad(OperatorMethods):
    """Offer the operators as methods: ``da.grad``, ``ds.grad`` and ``tree.grad``.

    A call, ``da.grad("lat")``, has the parameters of `xgradient.grad` without the first. The
    methods are the functions of the same name. On a DataTree they work node by node. A node that
    lacks the names of the call keeps only its coordinates and attributes.

    Examples
    --------
    >>> import xarray as xr, xgradient
    >>> height = xr.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, name="h", attrs={"units": "m"})
    >>> height.grad("x").values
    array([1., 2., 3.])
    """

    def __init__(self, obj: XarrayObject | xr.DataTree) -> None:
        self._obj = obj
        self._options = {}

    stencil = as_single_method(stencil_along)

    def with_options(self, **options: Unpack[Options]) -> Grad:
        """Return an accessor that binds options, which each call may override.

        Parameters
        ----------
        **options : mapping
            Any of ``metric``, ``accuracy``, ``edge_order``, ``spacing``, ``periodic``,
            ``boundary``, ``wall``, ``skipna``, ``coast`` and ``units``, as for `xgradient.grad`.
            They are checked at once.

        Returns
        -------
        Grad
            An accessor of the same object. It keeps the options that were bound before.

        Raises
        ------
        TypeError, ValueError
            If an option does not exist, or its value does not fit the object.

        Examples
        --------
        >>> import xarray as xr, xgradient
        >>> height = xr.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, name="h")
        >>> grad = height.grad.with_options(edge_order=2)
        >>> grad("x").values
        array([0., 2., 4.])
        >>> grad("x", edge_order=1).values
        array([1., 2., 3.])
        """
        bound = type(self)(self._obj)
        bound._options = {**self._options, **options}
        check_options(self._obj, bound._options)
        return bound

    def _summary(self) -> Summary:
        methods = [name for name in OPERATORS if name != "grad"]
        return summarize(self._obj, self._options, [*methods, *ON_CELLS, "stencil", "with_options"])

    def __repr__(self) -> str:
        return to_text(self._summary())

    def _repr_html_(self) -> str:
        return to_html(self._summary())
