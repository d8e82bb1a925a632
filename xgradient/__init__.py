"""Derivatives of labelled scientific data: ``ds.temperature.grad("lat")``."""

from .accessor import Grad
from .arrays import gradient
from .derivatives import grad
from .directions import advection, directional
from .metrics import Ellipsoid, Sphere
from .operators import hessian, laplacian, magnitude
from .user_warnings import GridWarning
from .vectors import curl, divergence, jacobian, strain

__all__ = [
    "Ellipsoid",
    "Grad",
    "GridWarning",
    "Sphere",
    "__version__",
    "advection",
    "curl",
    "directional",
    "divergence",
    "grad",
    "gradient",
    "hessian",
    "jacobian",
    "laplacian",
    "magnitude",
    "strain",
]

__version__ = "0.1.0"
