"""The public names and where they are defined; loaded at the first use of one of them."""

from . import operators
from .accessor import Grad
from .geometry.metrics import Ellipsoid, Sphere
from .operators import *  # noqa: F403  the names of operators.__all__, which type checkers know
from .operators.arrays import gradient
from .operators.choice import choose_accuracy
from .operators.stencil import stencil
from .operators.stencil_table import StencilTable
from .operators.user_warnings import GridWarning

__all__ = ["Ellipsoid", "Grad", "GridWarning", "Sphere", "StencilTable"]
__all__ += ["choose_accuracy", "gradient", "stencil"]
__all__ += operators.__all__
