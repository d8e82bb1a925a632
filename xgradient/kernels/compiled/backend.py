"""The backend of NumPy arrays: compiled loops, run tile by tile on threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, final

import numpy as np

from ..array_api import not_numeric_error
from ..backend import Backend
from ..requests import Runner, SumRequest, TermRequest
from . import monotonic, tiles
from .layout import as_aligned
from .pointwise import write_pointwise
from .tiles import evaluate_tiles


@final
class CompiledBackend(Backend):
    """Compute with NumPy arrays, by loops that numba compiles."""

    on_gpu: ClassVar[bool] = False
    strided: ClassVar[bool] = True
    namespace: Any = np

    @classmethod
    def owns(cls, array: Any) -> bool:
        """Return whether this is a NumPy array."""
        return isinstance(array, np.ndarray)

    def derivative(self, term: TermRequest, runner: Runner | None = None) -> Any:
        """Differentiate one block along one axis."""
        block = term.block
        if type(block) is not np.ndarray:  # a matrix or memory map
            block = np.asarray(block)
            term = term._replace(block=block)
        if term.left_halo is not None or term.right_halo is not None:
            term = term.with_boundary_rows()
        dtype = result_dtype(block.dtype)
        if term.stencil.homes is None:
            out = np.empty_like(block, dtype=dtype, subok=False)
        else:
            out = np.empty_like(block, dtype=dtype, subok=False, shape=term.out_shape)
        if runner is None or out.size < tiles.MIN_CELLS_FOR_THREADS:
            tiles.write_term(term, out)
        else:
            evaluate_tiles(SumRequest([[term]], []), [out], out.dtype, runner)
        return out

    def evaluate(
        self, request: SumRequest, sum_dtype: Any, dtype: Any, runner: Runner | None
    ) -> list[Any]:
        """Return the sums, or what ``combine`` makes of them."""
        outs = request.outputs or [
            np.empty_like(request.blocks[0], dtype=dtype, subok=False, shape=request.out_shape)
            for _ in range(request.n_outputs or len(request.sums))
        ]
        evaluate_tiles(request, outs, sum_dtype, runner)
        return outs

    def derivative_dtype(self, arrays: list[Any]) -> Any:
        """Return the dtype of derivatives of some arrays."""
        return result_dtype(np.result_type(*arrays))

    def pointwise(self, function: Callable[..., Any], arrays: list[Any], out: Any = None) -> Any:
        """Apply a function of numbers at every cell, in one compiled loop where there is one."""
        with np.errstate(all="ignore"):  # missing and infinite values are ordinary here
            if out is None:
                out = np.empty_like(arrays[0], dtype=np.result_type(*arrays))
            write_pointwise(function, arrays, out)
        return out

    def magnitude(self, array: Any) -> Any:
        """Return magnitudes; NumPy's, of complex numbers, have other last bits in some layouts."""
        return abs(as_aligned(array))

    def square_root(self, array: Any) -> Any:
        """Overwrite an array with its square root."""
        with np.errstate(all="ignore"):
            return np.sqrt(array, out=array)

    def fetch_bools(self, answers: list[Any]) -> list[bool]:
        """Convert truth values of NumPy."""
        return [bool(answer) for answer in answers]

    def first_non_monotonic(
        self, positions: Any, axis: int, runner: Runner | None = None
    ) -> tuple[int, ...] | None:
        """Return the index of the first position that repeats a value or turns back, or None."""
        runner = None if positions.size < tiles.MIN_CELLS_FOR_THREADS else runner
        return monotonic.find_non_monotonic(positions, axis, runner)

    def check_dense(self, array: Any) -> None:
        """Refuse masked arrays."""
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError(
                "input is a masked array; give one with NaN for what is masked, as .filled"
            )

    def asarray(self, values: Any, like: Any, dtype: Any = None) -> Any:
        """Convert the dtype of an array."""
        return np.asarray(values, dtype)

    def to_host_positions(self, values: Any, array: Any, label: str) -> Any:
        """Return the positions, which are NumPy's."""
        return values


@cache
def result_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype of derivatives: that of the field, and float64 for integers and booleans.

    Raises
    ------
    TypeError
        If the field is not numeric.
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "iub":
        return np.dtype(np.float64)
    if dtype.kind in "fc":
        native: np.dtype[Any] = dtype.newbyteorder("=")
        return native
    raise not_numeric_error(dtype)
