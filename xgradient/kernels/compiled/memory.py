"""Read and write memory of kinds that do not overlap: fields, derivatives, errors and scratch.

LLVM vectorises a loop over several arrays only after it has compared their addresses, and gives up
if there are many. The driver passes results that share no memory with each other, fields and
coefficients. These functions tell LLVM so, by metadata of each access.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import PLAIN

KINDS = ("fields", "derivatives", "errors", "scratch")


def _mark(builder: Any, access: Any, kind: str) -> None:
    """Mark a load or store of one kind of memory as one that leaves the other kinds alone."""
    module = builder.module

    def node(*parts: Any) -> Any:
        return module.add_metadata(
            [ir.MetaDataString(module, part) if isinstance(part, str) else part for part in parts]
        )

    domain = node("xgradient")
    scopes = {name: node(f"xgradient {name}", domain) for name in KINDS}
    access.set_metadata("alias.scope", node(scopes[kind]))
    access.set_metadata("noalias", node(*(scopes[name] for name in KINDS if name != kind)))


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = array
    if not isinstance(array_type, types.CPointer):
        data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _reader(kind: str) -> Callable[..., Any]:
    """Return a function that reads a cell of a flat array, or of `cells_at`, of one kind."""
    if PLAIN:
        return lambda array, index: array[index]

    @intrinsic  # type: ignore[untyped-decorator]
    def read(typing_context: Any, array: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _pointer(context, builder, signature.args[0], *args)
            if isinstance(signature.return_type, types.Complex):  # two parts
                return context.unpack_value(builder, signature.return_type, at)
            value = builder.load(at)
            _mark(builder, value, kind)
            return value

        return array.dtype(array, index), generate

    return read  # type: ignore[no-any-return]


def _writer(kind: str) -> Callable[..., None]:
    """Return a function that writes a cell of a flat array, or of `cells_at`, of one kind."""
    if PLAIN:
        return lambda array, index, value: array.__setitem__(index, value)

    @intrinsic  # type: ignore[untyped-decorator]
    def write(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array, index, value = args
            at = _pointer(context, builder, signature.args[0], array, index)
            if isinstance(signature.args[2], types.Complex):
                context.pack_value(builder, signature.args[2], value, at)
            else:
                _mark(builder, builder.store(value, at), kind)
            return context.get_dummy_value()

        return types.void(array, index, array.dtype), generate

    return write  # type: ignore[no-any-return]


read_field, read_derivative = _reader("fields"), _reader("derivatives")
write_derivative, write_error = _writer("derivatives"), _writer("errors")
read_scratch, write_scratch = _reader("scratch"), _writer("scratch")

#: Cells from an address on, of which it is not known how many there are.
_ANY_NUMBER = 1 << 40


def _cells_at(address: Any, like: Any) -> Any:
    """Return the cells from an address on, with the dtype of an array."""
    memory = (ctypes.c_byte * (_ANY_NUMBER * like.itemsize)).from_address(int(address))
    return np.frombuffer(memory, like.dtype)


@intrinsic  # type: ignore[untyped-decorator]
def _pointer_to(typing_context: Any, address: Any, like: Any) -> Any:
    """Return a pointer to the same, which unlike an array has no references to be counted."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(address, like), generate


cells_at: Any = _cells_at if PLAIN else _pointer_to
