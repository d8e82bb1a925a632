"""Read and write memory of kinds that do not overlap: fields, derivatives, errors and scratch.

LLVM vectorises a loop over several arrays only after it has compared their addresses, and gives up
if there are many. The driver passes results that share no memory with each other, fields and
coefficients. These functions tell LLVM so, by metadata of each access.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _reader(kind: str) -> Callable[..., Any]:
    """Return a function that reads a cell of a flat array of one kind of memory."""
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
    """Return a function that writes a cell of a flat array of one kind of memory."""
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


read_field = _reader("fields")
write_derivative, write_error = _writer("derivatives"), _writer("errors")
read_scratch, write_scratch = _reader("scratch"), _writer("scratch")
