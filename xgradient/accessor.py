"""The ``.grad`` accessor: what users call, handed on in one line each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import xarray as xr

from . import operators

__all__ = ["Grad"]


@xr.register_dataarray_accessor("grad")  # type: ignore[no-untyped-call]
@xr.register_dataset_accessor("grad")  # type: ignore[no-untyped-call]
class Grad:
    """Derivatives along named coordinates, reached as ``da.grad`` and ``ds.grad``.

    Call it: ``da.grad("lat")``. The parameters are those of `xgradient.grad`, without the first.

    Examples
    --------
    >>> import xarray as xr, xgradient
    >>> height = xr.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, name="h", attrs={"units": "m"})
    >>> height.grad("x").values
    array([1., 2., 3.])
    """

    def __init__(self, obj: xr.DataArray | xr.Dataset) -> None:
        self._obj = obj

    def __call__(
        self,
        dim: Hashable | Iterable[Hashable] | None = None,
        *,
        deriv: int = 1,
        accuracy: int = 2,
        edge_order: int | None = None,
        spacing: Any = None,
        periodic: Any = False,
    ) -> Any:
        return operators.grad(
            self._obj,
            dim,
            deriv=deriv,
            accuracy=accuracy,
            edge_order=edge_order,
            spacing=spacing,
            periodic=periodic,
        )

    __call__.__doc__ = operators.grad.__doc__
