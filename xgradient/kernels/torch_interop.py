"""Tensors in memory: NumPy arrays in the same memory, where nobody asks for gradients.

torch is never imported: who has a tensor has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def owns(array: Any) -> bool:
    """Whether this is a tensor; false without importing torch if nobody has."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def check_dense(tensor: Any) -> None:
    """Refuse tensors that do not have a number in memory for each cell."""
    torch = sys.modules["torch"]
    kind = "a nested" if tensor.is_nested else "a quantized" if tensor.is_quantized else None
    if kind is None and tensor.layout != torch.strided:
        kind = f"a {str(tensor.layout).removeprefix('torch.').lstrip('_')}"
    if kind is not None:
        way = ".dequantize()" if tensor.is_quantized else ".to_dense()"
        way = ".to_padded_tensor(nan)" if tensor.is_nested else way
        raise TypeError(f"input is {kind} tensor; make it a dense one first, with {way}")


def to_numpy_view(tensor: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A tensor as a NumPy array in its own memory, and what makes tensors of such arrays.

    Itself and nothing, if torch has to see what is done with it, or it is somewhere else.
    """
    torch = sys.modules["torch"]
    if _needs_autograd(tensor, torch) or tensor.device.type != "cpu":
        return tensor, _identity
    if tensor.dtype == torch.bfloat16:  # which NumPy has not
        return tensor.detach().float().numpy(), lambda a: torch.from_numpy(a).bfloat16()
    try:
        return tensor.detach().numpy(), torch.from_numpy
    except TypeError:
        kind = str(tensor.dtype).removeprefix("torch.")
        wide = "complex64" if tensor.is_complex() else "float32"
        raise TypeError(
            f"data of dtype {kind} have no derivative; convert them to {wide} first"
        ) from None
    except RuntimeError:  # conjugated without a memory of its own, or seen by a transformation
        return tensor, _identity


def is_torch_compiling() -> bool:
    """Whether torch is compiling a graph of what is done now."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())


def outside_torch_compile(function: Callable[..., T]) -> Callable[..., T]:
    """The function as one that runs as it is, between two graphs.

    Traced, it would make coefficients anew for each graph, and break it at every one of them.
    """
    outside: Callable[..., T] = sys.modules["torch"].compiler.disable(function)
    return outside


def _needs_autograd(tensor: Any, torch: Any) -> bool:
    """Whether derivatives with respect to the tensor, or a graph of its operations, are wanted."""
    return (
        type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or (tensor.requires_grad and torch.is_grad_enabled())
        or torch.autograd.forward_ad.unpack_dual(tensor).tangent is not None
        or torch.jit.is_tracing()
    )


def _identity(array: Any) -> Any:
    return array


def to_host_positions(tensor: Any, array: Any, label: str) -> Any:
    """Positions or a step in a tensor as a NumPy array; see `xgradient.kernels.positions`.

    Raises
    ------
    ValueError
        If it is neither in memory nor where the field is, or wants gradients.
    """
    torch = sys.modules["torch"]
    here = array.device if owns(array) else "cpu"
    if tensor.device != here and tensor.device.type != "cpu":
        raise ValueError(
            f"{label} is on the device {tensor.device}, but input is on {here}; "
            "bring it there, e.g. with .to(input.device)"
        )
    if tensor.requires_grad:
        raise ValueError(
            f"{label} requires gradients, which do not flow through positions; give it .detach()ed"
        )
    tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return tensor.cpu().numpy()
