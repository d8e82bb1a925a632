"""The backend of arrays by the array API standard, and of arrays that no other backend owns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np

from .. import array_api, torch_interop
from ..backend import Backend
from ..requests import Runner, SumRequest, TermRequest
from .column_sum import apply_windows
from .group_sum import group_sum
from .stencil_sum import stencil_sum


@final
class GenericBackend(Backend):
    """Compute with the arrays of any library, by slices and sums of the array API standard.

    Parameters
    ----------
    sample : array
        An array of the library. Its namespace is looked up at the first use.
    """

    on_gpu: ClassVar[bool] = False
    strided: ClassVar[bool] = False

    def __init__(self, sample: Any) -> None:
        self._sample = sample

    @classmethod
    def owns(cls, array: Any) -> bool:
        """Return true: this is the last backend to be asked."""
        return True

    @cached_property
    def namespace(self) -> Any:
        """Functions of the library, as the array API standard names them."""
        return array_api.namespace(self._sample)

    def derivative(self, term: TermRequest, runner: Runner | None = None) -> Any:
        """Differentiate one block along one axis."""
        xp, dtype = self.namespace, self.derivative_dtype([term.block])
        computed = array_api.accumulation_dtype(dtype, xp)
        result = apply_term(term, computed, xp)
        return xp.astype(result, dtype) if computed != dtype else result

    def evaluate(
        self, request: SumRequest, sum_dtype: Any, dtype: Any, runner: Runner | None
    ) -> list[Any]:
        """Return the sums, or what ``combine`` makes of them."""
        computed = array_api.accumulation_dtype(sum_dtype, self.namespace)
        term_dtype = computed if request.combine else dtype
        sums = [sum_of_terms(self, terms, term_dtype, self.namespace) for terms in request.sums]
        return combined(self, request, sums, computed, dtype)

    def derivative_dtype(self, arrays: list[Any]) -> Any:
        """Return the dtype of derivatives of some arrays."""
        xp = self.namespace
        dtypes = [array_api.derivative_dtype(array, xp) for array in arrays]
        return dtypes[0] if len(dtypes) == 1 else xp.result_type(*dtypes)

    def pointwise(self, function: Callable[..., Any], arrays: list[Any], out: Any = None) -> Any:
        """Apply a function to whole arrays."""
        return function(*arrays)

    def magnitude(self, array: Any) -> Any:
        """Return the magnitude of every cell."""
        return abs(array)

    def square_root(self, array: Any) -> Any:
        """Return the square root."""
        return self.namespace.sqrt(array)

    def fetch_bools(self, answers: list[Any]) -> list[bool]:
        """Convert arrays of one truth value each."""
        return [bool(answer) for answer in answers]

    def first_non_monotonic(
        self, positions: Any, axis: int, runner: Runner | None = None
    ) -> tuple[int, ...] | None:
        """Return None: the arrays may be on a device, or not computed yet."""
        return None

    def check_dense(self, array: Any) -> None:
        """Refuse nested, quantized and sparse tensors."""
        if torch_interop.owns(array):
            torch_interop.check_dense(array)

    def asarray(self, values: Any, like: Any, dtype: Any = None) -> Any:
        """Convert NumPy values to an array of the library, on the device of ``like``."""
        return self.namespace.asarray(values, dtype=dtype, device=array_api.device(like))

    def to_host_positions(self, values: Any, array: Any, label: str) -> Any:
        """Convert positions or a step to NumPy."""
        if torch_interop.owns(values):
            return torch_interop.to_host_positions(values, array, label)
        try:
            return np.asarray(values)
        except (TypeError, RuntimeError) as error:
            kind = f"{type(values).__module__}.{type(values).__qualname__}"
            raise TypeError(
                f"{label} is a {kind}, whose values cannot be read now; "
                "give numbers or a NumPy array"
            ) from error


def apply_term(term: TermRequest, dtype: Any, xp: Any) -> Any:
    """Return the result of one term, by slices of whole arrays."""
    if term.positions is not None:
        return apply_windows(term, dtype, xp)
    return (stencil_sum if term.has_one_stencil else group_sum)(term, dtype, xp)


def sum_of_terms(backend: Backend, terms: list[TermRequest], dtype: Any, xp: Any) -> Any:
    """Sum terms by slices of whole arrays.

    Parameters
    ----------
    backend : Backend
        Accumulates the terms.
    terms : list of TermRequest
        The terms.
    dtype : dtype
        Type of the sum. Half floats are summed as float32, for the caller to round once.
    xp : module
        The namespace of the arrays.
    """
    dtype = array_api.accumulation_dtype(dtype, xp)
    total: Any = None
    for term in terms:
        part = apply_term(term, dtype, xp)
        total = backend.accumulate(total, part, term.accumulate)
    return total


def combined(
    backend: Backend, request: SumRequest, sums: list[Any], computed: Any, dtype: Any
) -> list[Any]:
    """Return the sums, or what ``combine`` makes of them, converted to a dtype."""
    if request.combine is not None:
        sums = request.combine(sums, request.blocks, [None] * (request.n_outputs or 1))
    if computed == dtype:
        return sums
    return [backend.namespace.astype(result, dtype) for result in sums]
