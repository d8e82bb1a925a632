"""One backend for each array library: the class that rules them, and every mode of a term."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from xgradient.kernels import BACKENDS, backend_of
from xgradient.kernels.backend import Backend
from xgradient.kernels.compiled.backend import CompiledBackend
from xgradient.kernels.cuda.backend import CudaBackend
from xgradient.kernels.generic.backend import GenericBackend
from xgradient.kernels.requests import Accumulate, SumRequest, TermRequest, WeightMode
from xgradient.stencils.nodes import nodes_from_spacing
from xgradient.stencils.scheme import Scheme

from ..support.backends import LIBRARIES, library
from ..support.marks import slow
from ..support.strategies import make_field

pytestmark = pytest.mark.compiled

#: Libraries with loops of their own. A dask array itself has the generic backend.
BACKEND_OF = {"numpy": CompiledBackend, "cupy": CudaBackend}


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_library_has_its_backend(name):
    with library(name) as xp:
        found = backend_of(xp.asarray(np.ones(3)))
        assert type(found) is BACKEND_OF.get(name.split(",")[0], GenericBackend)


def test_methods_are_abstract_or_final():
    members = {k: m for k, m in vars(Backend).items() if callable(m) or isinstance(m, classmethod)}
    members = {name: member for name, member in members.items() if not name.startswith("_")}
    for name, member in members.items():
        final = getattr(member, "__final__", False)
        assert final != getattr(member, "__isabstractmethod__", False), name
    assert {CompiledBackend, CudaBackend} == {type(backend) for backend in BACKENDS}
    for leaf in Backend.__subclasses__():
        assert leaf.__final__
        assert not leaf.__abstractmethods__
        assert not [n for n in vars(leaf) if getattr(vars(Backend).get(n), "__final__", False)]


def second_difference(field, axis):
    """The second difference, 0 at the ends and next to missing values."""
    second = np.zeros_like(field)
    inside = [slice(None)] * 2
    inside[axis] = slice(1, -1)
    second[tuple(inside)] = np.diff(field, 2, axis)
    return np.nan_to_num(second)


def expected(first, derivative, corrected, field, weight, weight_mode, accumulate):
    """The definition of each mode."""
    if weight_mode == WeightMode.STRETCHED:
        derivative = corrected * weight
    if weight_mode == WeightMode.OUTPUT:
        derivative = derivative * weight
    if weight_mode == WeightMode.CENTER:
        derivative = derivative + weight * field
    return {
        Accumulate.STORE: lambda: derivative,
        Accumulate.ADD: lambda: first + derivative,
        Accumulate.HYPOT: lambda: np.hypot(first, derivative),
        Accumulate.ABS: lambda: abs(derivative),
    }[accumulate]()


# Sparse arrays have no missing values that are skipped.
KINDS = [(name, "f8") for name in LIBRARIES if "dask" not in name and name != "sparse"]


#: Weighted terms of sums: each has loops of its own to compile, and operators run those they form.
WEIGHTED_SUMS = set(product(
    set(WeightMode) - {WeightMode.NONE}, set(Accumulate) - {Accumulate.STORE}
))  # fmt: skip


@pytest.mark.parametrize(
    ("weight_mode", "accumulate"),
    [slow(*case) if case in WEIGHTED_SUMS else case for case in product(WeightMode, Accumulate)],
)
@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize(("name", "dtype"), [("numpy", "g"), *KINDS])
def test_every_mode_of_every_backend(name, dtype, skipna, weight_mode, accumulate):
    field, n = make_field((7, 9), dtype), (7, 9)
    if skipna:
        field[3, 4] = np.nan
    kind = {WeightMode.OUTPUT: "output_weight", WeightMode.CENTER: "center_weight"}
    with library(name) as xp:
        array = xp.asarray(field)
        backend = backend_of(array)
        for axis, shape in ((0, (7, 1)), (0, (7, 9)), (1, (7, 1)), (1, (1, 9)), (1, (7, 9))):
            stencil = Scheme(1, 2, 1, skipna).stencil(nodes_from_spacing(0.5, n[axis], ""), "axis")
            weight = make_field(shape, "f8", 3)
            term = TermRequest(array, axis, stencil, accumulate=accumulate)
            second = second_difference(field, axis)
            stretching = make_field((7, 9), "f8", 4) * (second != 0)
            assert np.count_nonzero(stretching) > 20
            if weight_mode == WeightMode.STRETCHED:
                term = term._replace(output_weight=weight, stretching=stretching)
            if weight_mode in kind:
                term = term._replace(**{kind[weight_mode]: weight})
            assert term.weight_mode == weight_mode
            first = TermRequest(array, axis, stencil)
            (found,) = backend.sums(SumRequest([[first, term]], [array]))
            alone = np.asarray(xp.numpy(backend.derivative(first)))
            corrected = alone - stretching * second
            right = expected(alone, alone, corrected, field, weight, weight_mode, accumulate)
            np.testing.assert_allclose(np.asarray(xp.numpy(found)), right, rtol=1e-13, atol=1e-13)
