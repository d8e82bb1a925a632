"""The backend of CuPy arrays: one kernel for a sum of terms, on the caller's device and stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np

from ..array_api import accumulation_dtype
from ..backend import Backend
from ..compiled.backend import result_dtype
from ..generic.backend import combined, sum_of_terms
from ..requests import Runner, SumRequest, TermRequest
from . import device, launch


@final
class CudaBackend(Backend):
    """Compute with CuPy arrays, by kernels compiled for each signature of a sum."""

    on_gpu: ClassVar[bool] = True
    strided: ClassVar[bool] = True

    @classmethod
    def owns(cls, array: Any) -> bool:
        """Return whether this is a CuPy array."""
        return device.owns(array)

    @property
    def namespace(self) -> Any:
        """CuPy."""
        return device.namespace()

    def derivative(self, term: TermRequest, runner: Runner | None = None) -> Any:
        """Differentiate one block along one axis."""
        return self.sums(SumRequest([[term.with_boundary_rows()]], [term.block]))[0]

    def evaluate(
        self, request: SumRequest, sum_dtype: Any, dtype: Any, runner: Runner | None
    ) -> list[Any]:
        """Return the sums, or what ``combine`` makes of them."""
        computed = accumulation_dtype(sum_dtype, self.namespace)
        term_dtype = computed if request.combine else dtype
        with_loops = [
            all(t.has_one_stencil and not t.has_coasts for t in terms) for terms in request.sums
        ]
        with_stencil = [
            s for s, has_loops in zip(request.sums, with_loops, strict=True) if has_loops
        ]
        fused, xp = iter(()), device.CachingNamespace()
        if with_stencil:
            fused = iter(launch.cupy_sums(with_stencil, request.blocks[0], term_dtype))
        sums = [
            next(fused) if has_loops else sum_of_terms(self, terms, term_dtype, xp)
            for terms, has_loops in zip(request.sums, with_loops, strict=True)
        ]
        return combined(self, request, sums, computed, dtype)

    def derivative_dtype(self, arrays: list[Any]) -> Any:
        """Return the dtype of derivatives of some arrays, if kernels can read them."""
        return np.result_type(
            *(launch.supported_dtype(result_dtype(a.dtype), a.dtype) for a in arrays)
        )

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
        """Fetch arrays of one truth value each in one transfer, and wait for it."""
        values: list[bool] = self.namespace.stack(answers).get().tolist() if answers else []
        return values

    def first_non_monotonic(
        self, positions: Any, axis: int, runner: Runner | None = None
    ) -> tuple[int, ...] | None:
        """Return None: positions stay on the device."""
        return None

    def check_dense(self, array: Any) -> None:
        """Accept all arrays: each has one number in memory for each cell."""

    def asarray(self, values: Any, like: Any, dtype: Any = None) -> Any:
        """Copy NumPy values to the current device; equal values are copied once."""
        return device.on_device(values, values.dtype if dtype is None else dtype)

    def to_host_positions(self, values: Any, array: Any, label: str) -> Any:
        """Copy positions or a step to the host, if the field is on the same device."""
        if not device.owns(array):
            raise ValueError(f"{label} is on a GPU, but input is not; give it .get()")
        if values.device != array.device:
            raise ValueError(
                f"{label} is on {values.device}, but input is on {array.device}; bring it there"
            )
        return values.get()
