"""Docstrings of the operators, whose shared parts are written once; operators as methods."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache, wraps
from inspect import Parameter, signature
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import xarray as xr

from .trees import map_nodes

Function = TypeVar("Function", bound=Callable[..., Any])
Params = ParamSpec("Params")
Result = TypeVar("Result")

SECTIONS = ("Parameters", "Returns", "Raises", "References", "Examples")
RAISES = """\
TypeError
    If a field is not numeric, or an argument has the wrong type.
ValueError
    If the units of the terms cannot be added, {}or for one of the reasons of `xgradient.grad`."""
RELATIVE = """\
relative : "grid", "earth" or None, default: None
    Directions of components on a map projection, a rotated pole, WRF or a curvilinear grid:
    "grid" for those in which x and y increase, "earth" for east and north. Components are rotated
    to the axes of the call before they are differentiated. With None, standard names such as
    eastward_wind or x_wind decide, then the GRIB attribute uvRelativeToGrid. Without these,
    components are along the axes of the call."""
#: Parameters of operators that have a conservative form, and of those with components.
FORM = """\
form : "conservative", optional
    Takes differences of neighbouring fluxes or circulations, divided by the areas of cells. They
    are component times length, with lengths and areas of the metric [2]_. Sums of area times
    result are then differences at the boundary. The order is 2, so it excludes other ``accuracy``
    and ``edge_order``. With ``skipna`` no flux goes through a face at a missing value."""
TO = """\
to : "center", "left", "right", "inner", "outer" or "edges", optional
    Position of the result on the cells: "center", "left", "right", "inner", "outer" or "edges".
    It holds along both axes, for components at positions on cells. By default a divergence of
    components on faces is at centers, and a curl at the corners that the data have. A result of
    components at corners is at centers. Means of the same accuracy move components to it. Excludes
    ``boundary`` and ``spacing``; ``edge_order`` is ``accuracy`` by default."""
TO_CENTER = """\
to : "center", optional
    Moves components on faces to the centers of cells first. Means are of order 2 at accuracy 2,
    and of two orders more above, so that derivatives of them keep their order. Excludes
    ``boundary`` and ``spacing``."""
CELL_REFERENCE = """
.. [2] Arakawa, A. and Lamb, V. R. (1977): Computational design of the basic dynamical processes
   of the UCLA general circulation model. Methods Comput. Phys. 17, 173-265,
   doi:10.1016/B978-0-12-460817-7.50009-4"""
OTHER_GRID = "a component is missing or on another grid,\n    "
REFERENCES = """\
.. [1] Batchelor, G. K. (1967): An Introduction to Fluid Dynamics, appendix 2,
   doi:10.1017/CBO9780511800955"""


def documented_by(model: Callable[..., Any]) -> Callable[[Function], Function]:
    """Return a decorator that completes the docstring of an operator.

    Parameters that the docstring lacks are described as by the docstring of ``model``. Sections
    "Raises" and "References" that it lacks are those which most operators have.
    """

    def complete(function: Function) -> Function:
        if not function.__doc__ or not model.__doc__:  # as under python -OO
            return function
        sections = dict(_sections(function.__doc__))
        entries = _entries(_sections(model.__doc__)["Parameters"])
        entries.update(_entries(RELATIVE) | _entries(FORM))
        if "components" in signature(function).parameters:
            has_form = "form" in signature(function).parameters
            entries.update(_entries(TO if has_form else TO_CENTER))
        entries.update(_entries(sections["Parameters"]))
        names = signature(function).parameters
        sections["Parameters"] = "\n".join(entries[name] for name in names)
        sections.setdefault("Raises", RAISES.format(OTHER_GRID if "components" in names else ""))
        sections.setdefault("References", REFERENCES + CELL_REFERENCE * ("form" in names))
        texts = [f"{name}\n{'-' * len(name)}\n{sections[name].strip()}" for name in SECTIONS]
        function.__doc__ = "\n\n".join([sections[""].strip(), *texts]) + "\n"
        return function

    return complete


#: What each operator computes, for the sections "See Also" of others.
SUMMARIES = {
    "grad": "Derivatives along coordinates.",
    "magnitude": "Magnitude of the gradient.",
    "laplacian": "Divergence of the gradient.",
    "hessian": "All second derivatives.",
    "divergence": "Divergence of a vector field.",
    "curl": "Vorticity of a flow.",
    "jacobian": "All first derivatives of a vector field.",
    "strain": "Deformation of a flow.",
    "advection": "Advective tendency of a scalar.",
    "directional": "Derivative in the direction of a vector field.",
    "interpolate": "Fields at other points.",
    "integrate": "Integrals over cells.",
    "cumulative_integrate": "Integrals from one end.",
}
#: The operators that each one names.
RELATED = {
    "grad": "magnitude laplacian hessian interpolate",
    "magnitude": "grad directional",
    "laplacian": "hessian divergence grad",
    "hessian": "laplacian jacobian grad",
    "divergence": "curl jacobian laplacian integrate",
    "curl": "divergence strain jacobian",
    "jacobian": "strain divergence curl hessian",
    "strain": "jacobian curl divergence",
    "advection": "directional divergence grad",
    "directional": "advection magnitude grad",
    "interpolate": "grad cumulative_integrate",
    "integrate": "cumulative_integrate divergence",
    "cumulative_integrate": "integrate interpolate grad",
}


def add_see_also(function: Function) -> Function:
    """Add the section "See Also" to the docstring of an operator, before the references."""
    if function.__doc__:
        lines = [
            f"xgradient.{other} : {SUMMARIES[other]}"
            for other in RELATED[function.__name__].split()
        ]
        section = "\n".join(["See Also", "--------", *lines])
        before, after = re.split(r"(?m)^(?=References\n-)", inspect.cleandoc(function.__doc__))
        function.__doc__ = f"{before}{section}\n\n{after}\n"
    return function


@cache  # the model is read by every operator
def _sections(docstring: str) -> dict[str, str]:
    """Return the sections of a numpydoc docstring by title; the text before them has none."""
    parts = re.split(r"(?m)^(\w+)\n-{3,}\n", inspect.cleandoc(docstring))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def _entries(section: str) -> dict[str, str]:
    """Return the entry of each parameter of a section, by the parameter's name."""
    texts = [text.strip() for text in re.split(r"(?m)^(?=\S)", section) if text.strip()]
    return {text.split(" : ")[0].lstrip("*"): text for text in texts}


def parameter_texts(function: Callable[..., Any]) -> dict[str, str]:
    """Return the description of each parameter of a documented function, without its type."""
    section = dict(_sections(function.__doc__ or "")).get("Parameters", "")
    entries = _entries(section).items()
    return {name: inspect.cleandoc(text.partition("\n")[2]) for name, text in entries}


def as_method(
    operator: Callable[Concatenate[Any, Params], Result],
) -> Callable[Concatenate[Any, Params], Result]:
    """Return an operator as a method of the accessor, with the options that this has bound.

    On a DataTree the method applies the operator to each node.
    """

    def by_node(tree: xr.DataTree, args: tuple[Any, ...], options: dict[str, Any]) -> xr.DataTree:
        return map_nodes(operator, tree, args, options)

    return cast("Callable[Concatenate[Any, Params], Result]", _make_method(operator, by_node))


def as_single_method(
    function: Callable[Concatenate[Any, Params], Result],
) -> Callable[Concatenate[Any, Params], Result]:
    """Return a function as a method of the accessor, which refuses a DataTree."""

    def refuse(*args: Any) -> None:
        raise TypeError(
            "a DataTree has no axes, but its nodes have; take a node, e.g. tree[path].dataset.grad"
        )

    return cast("Callable[Concatenate[Any, Params], Result]", _make_method(function, refuse))


def _make_method(operator: Callable[..., Any], of_tree: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as a method; ``of_tree`` takes its place on a DataTree."""
    shape = signature(operator)
    first, *others = shape.parameters.values()
    taken = set(shape.parameters)

    @wraps(operator)
    def method(self: Any, *args: Any, **options: Any) -> Any:
        if self._options:
            for name in self._options:
                if name not in taken:
                    raise TypeError(
                        f"{operator.__name__} does not take {name}, which with_options has bound; "
                        f"call .grad.{operator.__name__} without with_options"
                    )
            options = {**self._options, **options}
        if isinstance(self._obj, xr.DataTree):
            return of_tree(self._obj, args, options)
        return operator(self._obj, *args, **options)

    self_ = Parameter("self", first.kind)
    vars(method)["__signature__"] = shape.replace(parameters=[self_, *others])
    # Drop the object from the parameters; calls of a method do not pass it.
    text = inspect.cleandoc(operator.__doc__ or "")
    method.__doc__ = re.sub(r"\nobj : .*(\n    .*)*", "", text) + "\n"
    return method
