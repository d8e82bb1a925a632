"""Room 1: the operators that users call.

Add an operator as a function in ``scalar`` (for fields), ``vector`` or ``tensor`` (for vector
fields) or ``transport`` (for derivatives along a flow), and name it three times below and in
``__all__`` of the package: the accessor follows. Operators ask ``labels`` what names mean and
``geometry`` for the grid and its expressions, which the ``engine`` evaluates. They may import every
room but ``cli``; no other room but ``cli`` imports them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xarray as xr

from .._typing import XarrayObject
from .documentation import add_see_also, as_method
from .gradient import grad
from .integrals import cumulative_integrate, integrate
from .interpolation import interpolate
from .options import Options
from .scalar import hessian, laplacian, magnitude
from .tensor import jacobian, strain
from .transport import advection, directional
from .vector import curl, divergence

__all__ = [
    "advection",
    "curl",
    "directional",
    "divergence",
    "grad",
    "hessian",
    "jacobian",
    "laplacian",
    "magnitude",
    "strain",
]

#: Every operator by its name.
OPERATORS: dict[str, Callable[..., Any]] = {name: globals()[name] for name in __all__}
#: Functions on cells, which take only some of the options that all operators have.
ON_CELLS: dict[str, Callable[..., Any]] = {
    "cumulative_integrate": cumulative_integrate,
    "integrate": integrate,
    "interpolate": interpolate,
}
__all__ += ["cumulative_integrate", "integrate", "interpolate"]
for _function in (*OPERATORS.values(), *ON_CELLS.values()):
    add_see_also(_function)


class OperatorMethods:
    """Offer every operator as a method; type checkers read them here."""

    _obj: XarrayObject | xr.DataTree
    _options: Options

    __call__ = as_method(grad)
    magnitude = as_method(magnitude)
    laplacian = as_method(laplacian)
    hessian = as_method(hessian)
    divergence = as_method(divergence)
    curl = as_method(curl)
    jacobian = as_method(jacobian)
    strain = as_method(strain)
    advection = as_method(advection)
    directional = as_method(directional)
    interpolate = as_method(interpolate)
    integrate = as_method(integrate)
    cumulative_integrate = as_method(cumulative_integrate)
