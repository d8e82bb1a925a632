"""View tensors in memory as NumPy arrays, where no gradients are recorded.

torch is never imported here: whoever has a tensor has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def owns(array: Any) -> bool:
    """Return whether this is a tensor; false without importing torch if nobody has."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def check_dense(tensor: Any) -> None:
    """Refuse tensors that do not have one number in memory for each cell."""
    torch = sys.modules["torch"]
    kind = "a nested" if tensor.is_nested else "a quantized" if tensor.is_quantized else None
    if kind is None and tensor.layout != torch.strided:
        kind = f"a {str(tensor.layout).removeprefix('torch.').lstrip('_')}"
    if kind is not None:
        way = ".dequantize()" if tensor.is_quantized else ".to_dense()"
        way = ".to_padded_tensor(nan)" if tensor.is_nested else way
        raise TypeError(f"input is {kind} tensor; make it a dense one first, with {way}")


def to_numpy_view(array: Any) -> tuple[Any, Callable[[Any], Any]]:
    """View a tensor in memory as a NumPy array, and return a function that restores results.

    Other arrays are returned as they are, and so are tensors on a device or whose operations torch
    records.
    """
    if isinstance(array, np.ndarray) or not owns(array):
        return array, _identity
    tensor, torch = array, sys.modules["torch"]
    if _needs_autograd(tensor, torch) or tensor.device.type != "cpu":
        return tensor, _identity
    if tensor.dtype == torch.bfloat16:  # NumPy has no such dtype
        return tensor.detach().float().numpy(), lambda a: torch.from_numpy(a).bfloat16()
    try:
        return tensor.detach().numpy(), torch.from_numpy
    except TypeError:
        kind = str(tensor.dtype).removeprefix("torch.")
        known = "complex64" if tensor.is_complex() else "float32"
        raise TypeError(
            f"data of dtype {kind} have no derivative; convert them to {known} first"
        ) from None
    except RuntimeError:  # a lazy conjugate, or traced by a transformation
        return tensor, _identity


def is_torch_compiling() -> bool:
    """Return whether torch is compiling a graph of the running code."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.compiler.is_compiling())


def outside_torch_compile(function: Callable[..., T]) -> Callable[..., T]:
    """Return a function that torch runs as plain Python, between two graphs.

    If torch traced the function, the coefficients would be computed in every graph, and break it.
    """
    outside: Callable[..., T] = sys.modules["torch"].compiler.disable(function)
    return outside


def _needs_autograd(tensor: Any, torch: Any) -> bool:
    """Return whether torch records the operations on a tensor."""
    return (
        type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or (tensor.requires_grad and torch.is_grad_enabled())
        or torch.autograd.forward_ad.unpack_dual(tensor).tangent is not None
        or torch.jit.is_tracing()
    )


def _identity(array: Any) -> Any:
    return array


def to_host_positions(tensor: Any, array: Any, label: str) -> Any:
    """Convert positions or a step in a tensor to NumPy; see `Backend.to_host_positions`.

    Raises
    ------
    ValueError
        If it is neither in memory nor on the device of the field, or requires gradients.
    """
    torch = sys.modules["torch"]
    field_device = array.device if owns(array) else "cpu"
    if tensor.device != field_device and tensor.device.type != "cpu":
        raise ValueError(
            f"{label} is on the device {tensor.device}, but input is on {field_device}; "
            "bring it there, e.g. with .to(input.device)"
        )
    if tensor.requires_grad:
        raise ValueError(
            f"{label} requires gradients, which do not flow through positions; give it .detach()ed"
        )
    tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return tensor.cpu().numpy()
