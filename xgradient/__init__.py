"""Derivatives of labelled scientific data: ``ds.temperature.grad("lat")``."""

# ruff: noqa: F405  type checkers see the names of `_public`; `__getattr__` finds them at run time

import typing

from . import _first_use  # which gives the classes of xarray their accessor

__all__ = [
    "Ellipsoid",
    "Grad",
    "GridWarning",
    "Sphere",
    "StencilTable",
    "__version__",
    "advection",
    "choose_accuracy",
    "cumulative_integrate",
    "curl",
    "directional",
    "divergence",
    "grad",
    "gradient",
    "hessian",
    "integrate",
    "interpolate",
    "jacobian",
    "laplacian",
    "magnitude",
    "stencil",
    "strain",
]
__version__ = "0.1.0"

if typing.TYPE_CHECKING:
    from ._public import *  # noqa: F403
    from .operators import *  # noqa: F403  which mypy does not see through `_public`
else:
    #: Modules that any first use binds to the package.
    _MODULES = {"accessor", "engine", "geometry", "kernels", "labels", "operators", "stencils"}

    def __getattr__(name):
        """Load the operators at the first use of a name, and bind all names for later uses."""
        if name not in _MODULES and name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        public = _first_use.load()
        globals().update({each: getattr(public, each) for each in public.__all__})
        return globals()[name]

    def __dir__():
        """List what the package has after the first use of a name."""
        return sorted(({*globals(), *__all__} | _MODULES) - {"typing"})
