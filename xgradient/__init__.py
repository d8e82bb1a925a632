"""Derivatives of labelled scientific data: ``ds.temperature.grad("lat")``."""

from .accessor import Grad
from .geometry.metrics import Ellipsoid, Sphere
from .operators.arrays import gradient
from .operators.gradient import grad
from .operators.scalar import hessian, laplacian, magnitude
from .operators.transport import advection, directional
from .operators.user_warnings import GridWarning
from .operators.vector import curl, divergence, jacobian, strain

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
