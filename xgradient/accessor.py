"""The ``.grad`` accessor: what users call, handed on to the operators."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import xarray as xr

from .operators.gradient import grad
from .operators.scalar import hessian, laplacian, magnitude
from .operators.transport import advection, directional
from .operators.vector import curl, divergence, jacobian, strain


def _method(operator: Callable[..., Any]) -> Callable[..., Any]:
    """An operator as a method, whose object is that of the accessor."""

    @wraps(operator)
    def method(self: Grad, *args: Any, **options: Any) -> Any:
        return operator(self._obj, *args, **options)

    shape = signature(operator)
    first, *others = shape.parameters.values()
    self_ = Parameter("self", first.kind)
    # Nor does its documentation speak of the object.
    method.__doc__ = re.sub(r"\n    obj : .*(\n        .*)*", "", operator.__doc__ or "")
    method.__signature__ = shape.replace(parameters=[self_, *others])  # type: ignore[attr-defined]
    return method


@xr.register_dataarray_accessor("grad")  # type: ignore[no-untyped-call]
@xr.register_dataset_accessor("grad")  # type: ignore[no-untyped-call]
class Grad:
    """Derivatives along named coordinates, reached as ``da.grad`` and ``ds.grad``.

    Call it: ``da.grad("lat")``. The parameters are those of `xgradient.grad`, without the first;
    its methods are the functions of the same name.

    Examples
    --------
    >>> import xarray as xr, xgradient
    >>> height = xr.DataArray([0.0, 1.0, 4.0], {"x": [0, 1, 2]}, name="h", attrs={"units": "m"})
    >>> height.grad("x").values
    array([1., 2., 3.])
    """

    def __init__(self, obj: xr.DataArray | xr.Dataset) -> None:
        self._obj = obj

    __call__ = _method(grad)
    magnitude = _method(magnitude)
    laplacian = _method(laplacian)
    hessian = _method(hessian)
    divergence = _method(divergence)
    curl = _method(curl)
    jacobian = _method(jacobian)
    strain = _method(strain)
    advection = _method(advection)
    directional = _method(directional)
