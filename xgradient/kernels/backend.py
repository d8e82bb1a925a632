"""Define the work that an array library does for the engine, as one abstract class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, final

import numpy as np

from . import array_api
from .requests import Accumulate, Runner, SumRequest, TermRequest, slice_axis

_NO_CONTEXT = nullcontext()


class Backend(ABC):
    """Compute with the arrays of one library.

    Each method is either abstract, with a body for each library, or final, with one for all.
    """

    #: Whether the arrays are in the memory of a GPU.
    on_gpu: ClassVar[bool]
    #: Whether the arrays are strided memory, which views share and which can be written.
    strided: ClassVar[bool]

    @classmethod
    @abstractmethod
    def owns(cls, array: Any) -> bool:
        """Return whether an array is one of this library."""

    @property
    @abstractmethod
    def namespace(self) -> Any:
        """Functions of the library, as the array API standard names them."""

    # Sums of terms

    @abstractmethod
    def derivative(self, term: TermRequest, runner: Runner | None = None) -> Any:
        """Differentiate one block along one axis.

        Parameters
        ----------
        term : TermRequest
            The block, its halo, and one row of a stencil for each cell of the block along the
            axis, numbered from the block's first. There are no weights and no positions.
        runner : callable, optional
            Runs the work units of large NumPy blocks; by default the calling thread does.

        Returns
        -------
        array
            The derivative, with the shape and library of the block.
        """

    @abstractmethod
    def evaluate(
        self, request: SumRequest, sum_dtype: Any, dtype: Any, runner: Runner | None
    ) -> list[Any]:
        """Return the results of `sums`, from sums of one dtype, converted to another."""

    @final
    def sums(self, request: SumRequest, runner: Runner | None = None) -> list[Any]:
        """Evaluate sums of terms in one pass.

        Parameters
        ----------
        request : SumRequest
            The sums.
        runner : callable, optional
            Runs the work units of large NumPy blocks; by default the calling thread does.

        Returns
        -------
        list of array
            The sums, or what ``request.combine`` makes of them.
        """
        blocks, positions = request.blocks, request.position_inputs
        fields = [block for at, block in enumerate(blocks) if at not in positions]
        inputs = [*fields, *(term.block for terms in request.sums for term in terms if positions)]
        sum_dtype = self.derivative_dtype(inputs)
        dtype = sum_dtype if request.combine is None else self.derivative_dtype(fields)
        return self.evaluate(request, sum_dtype, dtype, runner)

    @final
    def accumulate(self, total: Any, part: Any, mode: int) -> Any:
        """Combine a term with the sum of the terms before it, as `Accumulate` has it."""
        if mode == Accumulate.STORE:
            return part
        if mode == Accumulate.ADD:
            return total + part
        size = self.magnitude(part)
        if mode == Accumulate.ABS:
            return size
        return self.namespace.hypot(self.magnitude(total), size)

    @abstractmethod
    def derivative_dtype(self, arrays: list[Any]) -> Any:
        """Return the dtype of derivatives of some arrays; raise TypeError for other than numbers.

        It is that of the arrays, and the widest real one for integers and booleans.
        """

    # Cell by cell

    @abstractmethod
    def pointwise(self, function: Callable[..., Any], arrays: list[Any], out: Any = None) -> Any:
        """Apply a function of numbers at every cell of some arrays.

        Parameters
        ----------
        function : callable
            Arithmetic that means the same for numbers and arrays.
        arrays : list of array
            Its arguments, of one shape.
        out : ndarray, optional
            Array for a NumPy result; by default one is made.
        """

    @abstractmethod
    def magnitude(self, array: Any) -> Any:
        """Return the magnitude of every cell, with the same bits for every memory layout."""

    @abstractmethod
    def square_root(self, array: Any) -> Any:
        """Return the square root; a NumPy array is overwritten with it."""

    @final
    def real_parts(self, arrays: list[Any]) -> list[Any]:
        """Return the arrays themselves, or the real and imaginary parts if any is complex."""
        xp = self.namespace
        if any(xp.isdtype(a.dtype, "complex floating") for a in arrays):
            return [part for a in arrays for part in (xp.real(a), xp.imag(a))]
        return arrays

    @final
    def negative(self, array: Any) -> Any:
        """Return the array with the opposite sign; unsigned integers become floats."""
        return -self.namespace.astype(array, self.derivative_dtype([array]))

    @final
    def shifted(self, array: Any, shift: Any) -> Any:
        """Add NumPy numbers that broadcast against an array, rounded to the dtype of results."""
        dtype = self.derivative_dtype([array])
        return self.namespace.astype(array, dtype) + self.asarray(shift, array, dtype)

    @final
    def multiply(self, array: Any, factors: Any) -> Any:
        """Multiply an array with NumPy factors that broadcast against it."""
        return array * self.asarray(factors, array, array_api.real_dtype(array, self.namespace))

    @final
    def where_valid(self, values: Any, valid: Any) -> Any:
        """Return the values where they are valid, and missing ones elsewhere."""
        xp, dtype = self.namespace, self.derivative_dtype([values])
        return xp.where(xp.asarray(valid), xp.astype(values, dtype, copy=False), np.nan)

    @final
    def zero_for_missing(self, array: Any) -> Any:
        """Return an array with zeros for its missing values."""
        array_api.check_dense(array)
        xp, dtype = self.namespace, self.derivative_dtype([array])
        values = xp.astype(array, dtype, copy=False)
        return xp.where(values == values, values, 0.0)

    @final
    def one_at_missing(self, array: Any) -> Any:
        """Return an array that is 1 at missing values and else 0."""
        xp, dtype = self.namespace, self.derivative_dtype([array])
        values = xp.astype(array, dtype, copy=False)
        return xp.astype(values != values, array_api.real_dtype(array, xp))

    @final
    def sum_along(self, array: Any, axis: int) -> Any:
        """Sum along an axis, which stays with length 1."""
        xp = self.namespace
        if not self.strided:
            return xp.sum(array, axis=axis, keepdims=True)
        # The order of additions follows the layout and the lengths of the other axes, which
        # change from chunk to chunk. It is the same for all rows that are contiguous.
        rows = xp.ascontiguousarray(xp.moveaxis(array, axis, -1))
        return xp.expand_dims(xp.sum(rows, axis=-1), axis)

    # Parts of arrays

    @final
    def concat(self, parts: list[Any], axis: int) -> Any:
        """Join arrays along an axis."""
        if len(parts) == 1:
            return parts[0]
        with self.device_context(parts[0]):
            return array_api.concat(parts, axis, self.namespace)

    @final
    def set_rows(self, array: Any, rows: Any, axis: int, start: int) -> Any:
        """Replace the rows from ``start`` on, in place where the library can; return the array."""
        stop = start + rows.shape[axis]
        if self.strided:
            slice_axis(array, axis, start, stop)[...] = rows
            return array
        rows = self.namespace.astype(rows, array.dtype)
        parts = [slice_axis(array, axis, 0, start), rows, slice_axis(array, axis, stop, None)]
        return self.concat([part for part in parts if part.shape[axis]], axis)

    @final
    def copy_if_view(self, array: Any) -> Any:
        """Return a copy where a view would keep all of another array in memory."""
        with self.device_context(array):
            return array.copy() if self.strided else array

    @final
    def empty_like_result(self, arrays: list[Any]) -> Any:
        """Return an empty array with the library and dtype of derivatives of empty arrays."""
        with self.device_context(arrays[0]):
            return self.namespace.astype(arrays[0], self.derivative_dtype(arrays))

    # Questions about values

    @abstractmethod
    def fetch_bools(self, answers: list[Any]) -> list[bool]:
        """Read arrays of one truth value each, all at once."""

    @final
    def constant_along(self, array: Any, axes: list[int]) -> list[bool]:
        """Return for each of some axes whether an array is constant along it."""
        long = [d for d in axes if array.shape[d] > 1]
        same = [self.namespace.all(array == slice_axis(array, d, 0, 1)) for d in long]
        found = dict(zip(long, self.fetch_bools(same), strict=True))
        return [found.get(d, array.shape[d] == 1) for d in axes]

    @final
    def same(self, a: Any, b: Any) -> bool:
        """Return whether two arrays have the same values, missing ones in the same places."""
        equal = (a == b) | ((a != a) & (b != b))  # a missing value is not equal to itself
        return self.fetch_bools([self.namespace.all(equal)])[0]

    @abstractmethod
    def first_non_monotonic(
        self, positions: Any, axis: int, runner: Runner | None = None
    ) -> tuple[int, ...] | None:
        """Return the index of the first position that repeats a value or turns back, or None.

        Only NumPy arrays are searched: others may be on a device, or not computed yet.
        """

    @abstractmethod
    def check_dense(self, array: Any) -> None:
        """Refuse arrays that do not have one number in memory for each cell."""

    # Libraries and devices

    @final
    def device_context(self, array: Any) -> AbstractContextManager[Any]:
        """Return a context in which new arrays are made on the device of an array."""
        return array.device if self.on_gpu else _NO_CONTEXT

    @abstractmethod
    def asarray(self, values: Any, like: Any, dtype: Any = None) -> Any:
        """Convert NumPy values to an array of this library on the device of ``like``."""

    @final
    def broadcast_like(self, array: Any, like: Any, axis: int | None = None) -> Any:
        """Convert and broadcast positions, 1 long along some axes, to the shape of a field.

        Arrays of this library are not copied. Along ``axis`` positions keep their own length.
        """
        shape = like.shape
        if isinstance(array, np.ndarray):
            array = self.asarray(array, like)
        if axis is not None:
            shape = (*shape[:axis], array.shape[axis], *shape[axis + 1 :])
        return array if array.shape == shape else self.namespace.broadcast_to(array, shape)

    @final
    def to_device(self, array: Any) -> Any:
        """Return a NumPy array on the GPU, if this library's arrays are there."""
        return self.asarray(array, None) if self.on_gpu and isinstance(array, np.ndarray) else array

    @final
    def to_host_or_device(self, array: Any) -> Any:
        """Convert an array of this library to NumPy, unless it is on a GPU."""
        if self.on_gpu:
            return array
        array_api.check_dense(array)
        return np.asarray(array)

    @abstractmethod
    def to_host_positions(self, values: Any, array: Any, label: str) -> Any:
        """Convert positions or a step of this library to NumPy.

        Parameters
        ----------
        values : array
            The positions.
        array : array
            The field that they belong to.
        label : str
            Name of the argument, for error messages.

        Raises
        ------
        TypeError, ValueError
            If they cannot be read, or are on another device than the field.
        """
