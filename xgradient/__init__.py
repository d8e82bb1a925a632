"""Derivatives of labelled scientific data: ``ds.temperature.grad("lat")``."""

from .accessor import Grad
from .arrays import gradient
from .operators import grad

__all__ = ["Grad", "__version__", "grad", "gradient"]

__version__ = "0.1.0"
